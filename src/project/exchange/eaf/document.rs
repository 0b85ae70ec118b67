//! Reading an `.eaf` of whatever origin into tiers with times.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::{EXPRESSION_TYPES, RECORDING_PROPERTY, foreign, ours};
use crate::project::exchange::{Clock, Imported};

#[derive(Debug, thiserror::Error)]
pub enum EafError {
    #[error("Cannot read the annotations: the file is not UTF-8 text. Save it in ELAN again: {}", path.display())]
    NotText { path: PathBuf },
    #[error("Cannot read the annotations: {reason} (byte {at}). Open the file in ELAN and save it again: {}", path.display())]
    Broken {
        path: PathBuf,
        at: u64,
        reason: Box<quick_xml::Error>,
    },
    #[error("Cannot read the annotations: the file breaks off in the middle. Get a whole copy of it: {}", path.display())]
    BreaksOff { path: PathBuf },
    #[error("Cannot read the annotations: this is not an ELAN file. Choose one that ends in .eaf: {}", path.display())]
    NotEaf { path: PathBuf },
}

/// What an `.eaf` holds, as far as annotations go.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// As the header names it; `None` in files of other programs.
    pub recording: Option<String>,
    /// The media's URLs, absolute, in order.
    pub media: Vec<String>,
    pub(super) tiers: Vec<Tier>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Tier {
    pub(super) name: String,
    pub(super) annotator: String,
    pub(super) linguistic_type: String,
    pub(super) parent: Option<String>,
    pub(super) values: Vec<Value>,
}

/// An annotation of ELAN's.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Value {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) begin_ms: u64,
    pub(super) end_ms: u64,
    /// The annotation above that it belongs to; `None` where only times tell.
    pub(super) above: Option<String>,
}

/// One tier, for the user to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierSummary {
    pub name: String,
    pub annotator: String,
    pub parent: Option<String>,
    pub count: usize,
    /// Up to three different values.
    pub examples: Vec<String>,
    /// It stands by itself and most of its values are kinds, units or emotions.
    pub looks_like_expressions: bool,
}

impl Document {
    /// `path` is named in errors only.
    ///
    /// # Errors
    /// [`EafError`]: no text, no XML, another kind of XML.
    pub fn read(bytes: &[u8], path: &Path) -> Result<Self, EafError> {
        let text = std::str::from_utf8(bytes).map_err(|_not_utf8| EafError::NotText {
            path: path.to_owned(),
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader::from_str(text);
        let mut parts = Parts::default();
        loop {
            let event = reader.read_event();
            let done = matches!(event, Ok(Event::Eof));
            event
                .and_then(|event| parts.take(&event))
                .map_err(|reason| EafError::Broken {
                    path: path.to_owned(),
                    at: reader.error_position().max(reader.buffer_position()),
                    reason: Box::new(reason),
                })?;
            if done {
                break;
            }
        }
        let path = path.to_owned();
        match (parts.is_eaf, parts.depth) {
            (false, _) => Err(EafError::NotEaf { path }),
            (true, 0) => Ok(parts.document()),
            (true, _) => Err(EafError::BreaksOff { path }),
        }
    }

    /// Whether it has tiers of the types that Onset writes.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        let types = EXPRESSION_TYPES.map(|(_, id, _)| id);
        let ours = |tier: &Tier| types.contains(&tier.linguistic_type.as_str());
        self.tiers.iter().any(ours)
    }

    /// All tiers, in the order of the file.
    #[must_use]
    pub fn tiers(&self) -> Vec<TierSummary> {
        self.tiers.iter().map(foreign::summary).collect()
    }

    /// What Onset has written, with what was changed since; `recording` names it where
    /// the file does not.
    #[must_use]
    pub fn annotations(&self, recording: &str, clock: &Clock) -> Imported {
        let recording = self.recording.as_deref().unwrap_or(recording);
        ours::import(self, recording, clock)
    }

    /// Takes the values of the tiers named `tiers` for expressions that `coder` saw,
    /// with what stands on tiers below them. Values are read as kinds, units and
    /// emotions where they can be, else as notes; without a kind, what lasts at most
    /// half a second is a micro-expression.
    #[must_use]
    pub fn annotations_of(
        &self,
        tiers: &[&str],
        coder: &str,
        recording: &str,
        clock: &Clock,
    ) -> Imported {
        let recording = self.recording.as_deref().unwrap_or(recording);
        foreign::import(self, tiers, coder, recording, clock)
    }

    pub(super) fn below<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Tier> {
        let is_below = move |tier: &&Tier| tier.parent.as_deref() == Some(name);
        self.tiers.iter().filter(is_below)
    }
}

/// What has been read so far.
#[derive(Default)]
struct Parts {
    is_eaf: bool,
    depth: usize,
    document: Document,
    /// In the order of the file; without a time where ELAN leaves it open.
    slots: Vec<(String, Option<u64>)>,
    /// Slot ids of the values, as [`Value::id`] names them.
    edges: HashMap<String, (String, String)>,
    /// What text belongs to, while it is read.
    text: Option<(Wanted, String)>,
}

enum Wanted {
    Value,
    Recording,
}

impl Parts {
    fn take(&mut self, event: &Event) -> Result<(), quick_xml::Error> {
        match event {
            Event::Start(element) => {
                self.element(element, false)?;
                self.depth += 1;
            }
            Event::Empty(element) => self.element(element, true)?,
            Event::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                self.end_of_text();
            }
            Event::Text(text) => self.add(&text.xml10_content()),
            Event::CData(text) => self.add(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let named = quick_xml::escape::resolve_predefined_entity(reference);
                match reference.resolve_char_ref()? {
                    Some(c) => self.add(c.encode_utf8(&mut [0; 4])),
                    None => self.add(named.unwrap_or_default()),
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, more: &str) {
        if let Some((_, text)) = &mut self.text {
            text.push_str(more);
        }
    }

    fn end_of_text(&mut self) {
        let Some((wanted, text)) = self.text.take() else {
            return;
        };
        match wanted {
            Wanted::Recording => self.document.recording = Some(text),
            Wanted::Value => {
                let tier = self.document.tiers.last_mut();
                if let Some(value) = tier.and_then(|t| t.values.last_mut()) {
                    value.text = text;
                }
            }
        }
    }

    fn element(&mut self, element: &BytesStart, is_empty: bool) -> Result<(), quick_xml::Error> {
        let mut attributes = HashMap::new();
        for attribute in element.attributes() {
            let attribute = attribute?;
            let value = attribute.normalized_value(XmlVersion::Explicit1_0)?;
            attributes.insert(attribute.key.as_ref().to_owned(), value.into_owned());
        }
        let mut take = |name: &str| attributes.remove(name);
        match element.name().as_ref() {
            "ANNOTATION_DOCUMENT" if self.depth == 0 => self.is_eaf = true,
            "MEDIA_DESCRIPTOR" => self.document.media.extend(take("MEDIA_URL")),
            "PROPERTY" if take("NAME").as_deref() == Some(RECORDING_PROPERTY) && !is_empty => {
                self.text = Some((Wanted::Recording, String::new()));
            }
            "TIME_SLOT" => {
                let time = take("TIME_VALUE").and_then(|t| t.trim().parse().ok());
                self.slots
                    .push((take("TIME_SLOT_ID").unwrap_or_default(), time));
            }
            "TIER" => self.document.tiers.push(Tier {
                name: take("TIER_ID").unwrap_or_default(),
                annotator: take("ANNOTATOR").unwrap_or_default(),
                linguistic_type: take("LINGUISTIC_TYPE_REF").unwrap_or_default(),
                parent: take("PARENT_REF"),
                values: Vec::new(),
            }),
            "ALIGNABLE_ANNOTATION" | "REF_ANNOTATION" => {
                let id = take("ANNOTATION_ID").unwrap_or_default();
                if let (Some(from), Some(to)) = (take("TIME_SLOT_REF1"), take("TIME_SLOT_REF2")) {
                    self.edges.insert(id.clone(), (from, to));
                }
                if let Some(tier) = self.document.tiers.last_mut() {
                    tier.values.push(Value {
                        id,
                        above: take("ANNOTATION_REF"),
                        ..Value::default()
                    });
                }
            }
            "ANNOTATION_VALUE" if !is_empty => self.text = Some((Wanted::Value, String::new())),
            _ => {}
        }
        Ok(())
    }

    /// Gives every value its times; one that has none anywhere above it is dropped.
    fn document(mut self) -> Document {
        let times = with_open_times(&self.slots);
        let above: HashMap<String, String> = (self.document.tiers.iter())
            .flat_map(|tier| &tier.values)
            .filter_map(|v| Some((v.id.clone(), v.above.clone()?)))
            .collect();
        for tier in &mut self.document.tiers {
            tier.values.retain_mut(|value| {
                let mut id = &value.id;
                // A file that refers in circles is not followed for ever.
                for _ in 0..=above.len() {
                    if let Some((from, to)) = self.edges.get(id) {
                        let times = (times.get(from), times.get(to));
                        let (Some(&from), Some(&to)) = times else {
                            return false;
                        };
                        (value.begin_ms, value.end_ms) = (from.min(to), from.max(to));
                        return true;
                    }
                    match above.get(id) {
                        Some(parent) => id = parent,
                        None => return false,
                    }
                }
                false
            });
            tier.values.sort_by_key(|v| (v.begin_ms, v.end_ms));
        }
        self.document
    }
}

/// Slots without a time lie evenly between their neighbours that have one.
fn with_open_times(slots: &[(String, Option<u64>)]) -> HashMap<String, u64> {
    let mut times = HashMap::new();
    let (mut last, mut open) = (0, Vec::new());
    let mut spread = |open: &mut Vec<&String>, from: u64, to: u64| {
        let parts = open.len() as u64 + 1;
        for (at, id) in open.drain(..).enumerate() {
            let share = to.saturating_sub(from) * (at as u64 + 1) / parts;
            times.insert(id.clone(), from + share);
        }
    };
    let mut known = HashMap::new();
    for (id, time) in slots {
        match *time {
            Some(time) => {
                spread(&mut open, last, time);
                known.insert(id.clone(), time);
                last = time;
            }
            None => open.push(id),
        }
    }
    spread(&mut open, last, last);
    times.extend(known);
    times
}
