//! XML as text, written so that every reader gets the same characters back.

use quick_xml::Writer;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::name::QName;

/// Elements in memory, indented.
pub(super) struct Pen(Writer<Vec<u8>>);

impl Pen {
    pub(super) fn new() -> Self {
        let mut pen = Self(Writer::new_with_indent(Vec::new(), b' ', 4));
        pen.put(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        pen
    }

    pub(super) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.put(Event::Start(start(name, attributes)));
    }

    pub(super) fn close(&mut self, name: &str) {
        self.put(Event::End(BytesEnd::new(name)));
    }

    pub(super) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.put(Event::Empty(start(name, attributes)));
    }

    pub(super) fn text(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(name, attributes);
        self.put(Event::Text(BytesText::from_escaped(escaped(text, false))));
        self.close(name);
    }

    pub(super) fn finish(self) -> String {
        let bytes = self.0.into_inner();
        let text = String::from_utf8(bytes).expect("what was written was text");
        text + "\n"
    }

    fn put(&mut self, event: Event) {
        self.0.write_event(event).expect("memory takes every byte");
    }
}

fn start<'a>(name: &'a str, attributes: &[(&str, &str)]) -> BytesStart<'a> {
    let mut element = BytesStart::new(name);
    for &(key, value) in attributes {
        element.push_attribute(Attribute {
            key: QName(key),
            value: escaped(value, true).into(),
        });
    }
    element
}

/// Line ends and tabs in attributes, and carriage returns anywhere, would come back as
/// other characters; what XML 1.0 does not allow becomes `�`.
fn escaped(text: &str, in_attribute: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if in_attribute => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' if in_attribute => out.push_str("&#10;"),
            '\t' if in_attribute => out.push_str("&#9;"),
            '\n' | '\t' => out.push(c),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_for_its_place() {
        assert_eq!(
            escaped("a\n\"<&>\r\u{1}", false),
            "a\n\"&lt;&amp;&gt;&#13;\u{fffd}"
        );
        assert_eq!(escaped("a\n\t\"", true), "a&#10;&#9;&quot;");
    }
}
