//! How words, numbers and tables are spelled in the file.

use std::fmt::{self, Display, Write};

use super::Why;
use crate::spotting::{ExpressionKind, IntervalStatus};

/// A text that came from outside, written so that it stays text.
pub(super) struct Text<'a>(pub(super) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => f.write_char(letter)?,
                // HTML has no place for these, escaped or not.
                letter if letter.is_control() => {}
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// A text as a string of a style sheet inside HTML.
pub(super) fn style_string(text: &str) -> String {
    let mut string = String::from('"');
    for letter in text.chars().filter(|c| !c.is_control()) {
        if letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_' | '.') {
            string.push(letter);
        } else {
            string.push_str(&format!("\\{:06x}", u32::from(letter)));
        }
    }
    string.push('"');
    string
}

pub(super) fn coder(name: &str) -> &str {
    let name = name.trim();
    if name.is_empty() {
        "unnamed coder"
    } else {
        name
    }
}

pub(super) const fn status(status: IntervalStatus) -> &'static str {
    match status {
        IntervalStatus::Proposed => "undecided",
        IntervalStatus::Accepted => "accepted",
        IntervalStatus::Rejected => "rejected",
    }
}

pub(super) const fn kind(kind: ExpressionKind) -> &'static str {
    match kind {
        ExpressionKind::Macro => "Macro-expression",
        ExpressionKind::Micro => "Micro-expression",
    }
}

pub(super) fn why(why: Why) -> String {
    match why {
        Why::NoFace => "no face".into(),
        Why::Dropped(1) => "1 frame dropped".into(),
        Why::Dropped(n) => format!("{n} frames dropped"),
        Why::Blink => "blink".into(),
        Why::HeadMotion => "head motion".into(),
    }
}

/// Where the words do not fit.
pub(super) const fn why_letter(why: Why) -> char {
    match why {
        Why::NoFace => 'F',
        Why::Dropped(_) => 'D',
        Why::Blink => 'B',
        Why::HeadMotion => 'H',
    }
}

/// `1 frame`, `2 frames`.
pub(super) fn counted(count: impl Into<u64>, one: &str, more: &str) -> String {
    match count.into() {
        1 => format!("1 {one}"),
        count => format!("{} {more}", thousands(count)),
    }
}

/// `12 000`, with spaces that do not break.
pub(super) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut spaced = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && digits.len() > 4 {
            spaced.push('\u{202f}');
        }
        spaced.push(digit);
    }
    spaced
}

/// `–` for what cannot be said.
pub(super) fn maybe(value: Option<f64>, decimals: usize) -> String {
    match value {
        Some(v) if v.is_finite() => format!("{v:.decimals$}").replace('-', "−"),
        _ => "–".to_owned(),
    }
}

pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    // 99.97 % is not all.
    if percent > 99.9 && percent < 100.0 {
        "over 99.9 %".to_owned()
    } else {
        format!("{percent:.1} %")
    }
}

/// A table whose first column names its rows. Cells are HTML already.
pub(super) struct Table<'a> {
    pub(super) class: &'a str,
    /// What the table tells; part of the page, not only for screen readers.
    pub(super) caption: &'a str,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "<table class=\"{}\">", self.class)?;
        if !self.caption.is_empty() {
            writeln!(f, "<caption>{}</caption>", Text(self.caption))?;
        }
        f.write_str("<thead><tr>")?;
        for name in &self.head {
            write!(f, "<th scope=\"col\">{name}</th>")?;
        }
        f.write_str("</tr></thead>\n<tbody>\n")?;
        for row in &self.rows {
            f.write_str("<tr>")?;
            for (at, cell) in row.iter().enumerate() {
                if at == 0 {
                    write!(f, "<th scope=\"row\">{cell}</th>")?;
                } else {
                    write!(f, "<td>{cell}</td>")?;
                }
            }
            f.write_str("</tr>\n")?;
        }
        f.write_str("</tbody></table>\n")
    }
}

/// Column names that need no escaping.
pub(super) fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_from_outside_stays_text() {
        let nasty = "<script>alert('1 & \"2\"')</script>\u{0}\u{1b}[0m\n";
        assert_eq!(
            Text(nasty).to_string(),
            "&lt;script&gt;alert(&#39;1 &amp; &quot;2&quot;&#39;)&lt;/script&gt;[0m\n"
        );
        assert_eq!(
            style_string("a\"</style>é\n"),
            "\"a\\000022\\00003c\\00002fstyle\\00003eé\""
        );
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(1234), "1234");
        assert_eq!(thousands(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(counted(1_u64, "frame", "frames"), "1 frame");
        assert_eq!(maybe(Some(-0.5), 2), "−0.50");
        assert_eq!(maybe(Some(f64::NAN), 2), "–");
        assert_eq!(percent(0.9999), "over 99.9 %");
        assert_eq!(percent(1.0), "100.0 %");
    }
}
