//! Writing an `.eaf`.

use std::collections::BTreeSet;

use super::origin::{Origin, date_time, file_url, mime_type, relative_url};
use super::vocabulary::{self, Emotions};
use super::xml::Pen;
use super::{
    APEX, CONFIDENCE, EMOTION, EXPRESSION_TYPES, NOTE, RECORD, RECORDING_PROPERTY, Record, UNITS,
};
use crate::base::Timestamp;
use crate::facs::write_units;
use crate::project::exchange::{Clock, Sheet};
use crate::timeline::Annotation;

/// The whole file.
#[must_use]
pub fn write(sheet: &Sheet, origin: &Origin) -> String {
    let mut slots = Slots::default();
    let tiers = tiers(sheet, &mut slots);
    let emotions = Emotions::of(sheet.annotations);
    let mut body = Body {
        pen: Pen::new(),
        slots: slots.named(),
        emotions: &emotions,
        annotations: 0,
    };
    body.pen.open(
        "ANNOTATION_DOCUMENT",
        &[
            ("AUTHOR", "Onset"),
            ("DATE", &date_time(origin.written)),
            ("FORMAT", "3.0"),
            ("VERSION", "3.0"),
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
            (
                "xsi:noNamespaceSchemaLocation",
                "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
            ),
        ],
    );
    // Parents and the tiers below count their annotations through, without gaps.
    let annotations: usize = tiers.iter().map(Tier::count).sum();
    header(&mut body.pen, sheet.recording, origin, annotations);
    body.pen.open("TIME_ORDER", &[]);
    for (id, (time, _)) in body.slots.iter().enumerate() {
        let (id, time) = (format!("ts{}", id + 1), time.to_string());
        let attributes = [("TIME_SLOT_ID", id.as_str()), ("TIME_VALUE", &time)];
        body.pen.empty("TIME_SLOT", &attributes);
    }
    body.pen.close("TIME_ORDER");
    for tier in &tiers {
        body.tier(tier);
    }
    closing(&mut body.pen, &emotions);
    body.pen.close("ANNOTATION_DOCUMENT");
    body.pen.finish()
}

fn header(pen: &mut Pen, recording: &str, origin: &Origin, annotations: usize) {
    pen.open(
        "HEADER",
        &[("MEDIA_FILE", ""), ("TIME_UNITS", "milliseconds")],
    );
    if let Some(media) = origin.media {
        let attributes = [
            ("MEDIA_URL", file_url(media)),
            ("MIME_TYPE", mime_type(media).to_owned()),
            ("RELATIVE_MEDIA_URL", relative_url(media, origin.folder)),
        ];
        let attributes = attributes
            .each_ref()
            .map(|(key, value)| (*key, value.as_str()));
        pen.empty("MEDIA_DESCRIPTOR", &attributes);
    }
    pen.text("PROPERTY", &[("NAME", RECORDING_PROPERTY)], recording);
    // ELAN numbers new annotations from here.
    let last = annotations.to_string();
    pen.text("PROPERTY", &[("NAME", "lastUsedAnnotationId")], &last);
    pen.close("HEADER");
}

/// Types, language, constraints and vocabularies, in the schema's order.
fn closing(pen: &mut Pen, emotions: &Emotions) {
    let mut kind = |id: &str, constraint: &str, vocabulary: &str| {
        let alignable = if constraint.starts_with("Symbolic") {
            "false"
        } else {
            "true"
        };
        let mut attributes = vec![
            ("LINGUISTIC_TYPE_ID", id),
            ("TIME_ALIGNABLE", alignable),
            ("GRAPHIC_REFERENCES", "false"),
        ];
        if !constraint.is_empty() {
            attributes.push(("CONSTRAINTS", constraint));
        }
        if !vocabulary.is_empty() {
            attributes.push(("CONTROLLED_VOCABULARY_REF", vocabulary));
        }
        pen.empty("LINGUISTIC_TYPE", &attributes);
    };
    for (_, id, _) in EXPRESSION_TYPES {
        kind(id, "", vocabulary::KINDS);
    }
    kind(APEX, "Included_In", "");
    kind(UNITS, "Symbolic_Association", "");
    kind(EMOTION, "Symbolic_Association", vocabulary::EMOTIONS);
    kind(CONFIDENCE, "Symbolic_Association", vocabulary::CONFIDENCES);
    kind(NOTE, "Symbolic_Association", "");
    kind(RECORD, "Symbolic_Association", "");
    vocabulary::write_language(pen);
    // ELAN's four, which it writes into every file.
    for (stereotype, description) in [
        (
            "Time_Subdivision",
            "Time subdivision of parent annotation's time interval, no time gaps allowed within this interval",
        ),
        (
            "Symbolic_Subdivision",
            "Symbolic subdivision of a parent annotation. Annotations refering to the same parent are ordered",
        ),
        (
            "Symbolic_Association",
            "1-1 association with a parent annotation",
        ),
        (
            "Included_In",
            "Time alignable annotations within the parent annotation's time interval, gaps are allowed",
        ),
    ] {
        let attributes = [("STEREOTYPE", stereotype), ("DESCRIPTION", description)];
        pen.empty("CONSTRAINT", &attributes);
    }
    vocabulary::write(pen, emotions);
}

/// Annotations of one coder and state that do not overlap.
struct Tier<'a> {
    coder: &'a str,
    /// `Expression`, `Rejected`, `Proposed`.
    name: &'static str,
    linguistic_type: &'static str,
    /// Counted from 1.
    lane: usize,
    placed: Vec<Placed<'a>>,
}

/// An annotation in milliseconds, with its time slots.
struct Placed<'a> {
    annotation: &'a Annotation,
    begin_ms: u64,
    end_ms: u64,
    slots: (usize, usize),
    /// Begin, and its slots; `None` without an apex, or with one outside.
    apex: Option<(u64, (usize, usize))>,
}

impl Tier<'_> {
    /// Of this tier and those below it.
    fn count(&self) -> usize {
        let count = |p: &Placed| {
            let a = p.annotation;
            2 + usize::from(p.apex.is_some())
                + usize::from(!a.units.is_empty())
                + usize::from(a.emotion.is_some())
                + usize::from(a.confidence.is_some())
                + usize::from(!a.note.is_empty())
        };
        self.placed.iter().map(count).sum()
    }

    /// Coders go on here, so all tiers are there; elsewhere empty ones only take room.
    fn is_worked_on(&self) -> bool {
        self.name == EXPRESSION_TYPES[0].2 && self.lane == 1
    }

    /// `Expression#2@Anna`, and below it `Units#2@Anna`; below others `Rejected units@Anna`.
    fn id(&self, below: Option<&str>) -> String {
        let name = match below {
            None => self.name.to_owned(),
            Some(below) if self.name == EXPRESSION_TYPES[0].2 => below.to_owned(),
            Some(below) => format!("{} {}", self.name, below.to_lowercase()),
        };
        let lane = match self.lane {
            1 => String::new(),
            lane => format!("#{lane}"),
        };
        let at = if self.coder.is_empty() { "" } else { "@" };
        format!("{name}{lane}{at}{}", self.coder)
    }
}

fn tiers<'a>(sheet: &Sheet<'a>, slots: &mut Slots) -> Vec<Tier<'a>> {
    let coders: BTreeSet<&str> = sheet.annotations.iter().map(|a| a.coder.as_str()).collect();
    let mut tiers = Vec::new();
    for coder in coders {
        for (status, linguistic_type, name) in EXPRESSION_TYPES {
            let mut own: Vec<&Annotation> = (sheet.annotations.iter())
                .filter(|a| a.coder == coder && a.status == status)
                .collect();
            own.sort_by_key(|a| (a.onset, a.offset, a.id));
            let mut lanes: Vec<Vec<Placed>> = Vec::new();
            for annotation in own {
                let placed = place(annotation, sheet.clock, slots);
                let free = |lane: &&mut Vec<Placed>| {
                    lane.last()
                        .is_none_or(|last| last.end_ms <= placed.begin_ms)
                };
                match lanes.iter_mut().find(free) {
                    Some(lane) => lane.push(placed),
                    None => lanes.push(vec![placed]),
                }
            }
            tiers.extend(lanes.into_iter().enumerate().map(|(lane, placed)| Tier {
                coder,
                name,
                linguistic_type,
                lane: lane + 1,
                placed,
            }));
        }
    }
    tiers
}

fn place<'a>(a: &'a Annotation, clock: &Clock, slots: &mut Slots) -> Placed<'a> {
    let (onset, offset) = (a.onset.min(a.offset), a.onset.max(a.offset));
    let begin = millis(clock.time_of(onset));
    let end = millis(clock.end_of(offset)).max(begin + 1);
    let inside = a.apex.filter(|apex| (onset..=offset).contains(apex));
    let apex = inside.map(|apex| {
        let from = millis(clock.time_of(apex)).min(end - 1);
        let to = millis(clock.end_of(apex)).clamp(from + 1, end);
        let slot = (
            slots.add(from, Edge::BeginInside),
            slots.add(to, Edge::EndInside),
        );
        (from, slot)
    });
    Placed {
        annotation: a,
        begin_ms: begin,
        end_ms: end,
        slots: (slots.add(begin, Edge::Begin), slots.add(end, Edge::End)),
        apex,
    }
}

fn millis(time: Timestamp) -> u64 {
    let nanos = time.nanos().max(0).unsigned_abs();
    // The schema's times are 32 bits wide: 49 days.
    ((nanos + 500_000) / 1_000_000).min(u64::from(u32::MAX) - 1)
}

/// At the same moment, what ends goes before what begins, and children lie inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    EndInside,
    End,
    Begin,
    BeginInside,
}

/// Moments in the order in which they were asked for.
#[derive(Default)]
struct Slots(Vec<(u64, Edge)>);

impl Slots {
    fn add(&mut self, time: u64, edge: Edge) -> usize {
        self.0.push((time, edge));
        self.0.len() - 1
    }

    /// In order of time, each with the place at which it was asked for.
    fn named(self) -> Vec<(u64, usize)> {
        let mut order: Vec<_> = self.0.into_iter().enumerate().collect();
        order.sort_by_key(|&(asked, (time, edge))| (time, edge, asked));
        order
            .into_iter()
            .map(|(asked, (time, _))| (time, asked))
            .collect()
    }
}

struct Body<'a> {
    pen: Pen,
    /// In order of time; see [`Slots::named`].
    slots: Vec<(u64, usize)>,
    emotions: &'a Emotions,
    /// Written so far.
    annotations: usize,
}

impl Body<'_> {
    fn tier(&mut self, tier: &Tier) {
        let slot_ids = self.slot_ids();
        let slot = |asked: usize| format!("ts{}", slot_ids[asked]);
        self.open_tier(tier, None, tier.linguistic_type);
        let mut parents = Vec::new();
        for p in &tier.placed {
            let kind = p.annotation.kind;
            let (from, to) = (slot(p.slots.0), slot(p.slots.1));
            let choice = vocabulary::kind_id(kind);
            parents.push(self.alignable((&from, &to), Some(&choice), kind.name()));
        }
        self.pen.close("TIER");
        let apexes: Vec<_> = tier.placed.iter().filter_map(|p| p.apex).collect();
        if tier.is_worked_on() || !apexes.is_empty() {
            self.open_tier(tier, Some("Apex"), APEX);
            for (_, (from, to)) in apexes {
                self.alignable((&slot(from), &slot(to)), None, "apex");
            }
            self.pen.close("TIER");
        }
        let units = |p: &Placed| {
            let units = write_units(&p.annotation.units);
            (!units.is_empty()).then_some((units, None))
        };
        self.below(tier, &parents, "Units", UNITS, units);
        let emotions = self.emotions;
        self.below(tier, &parents, "Emotion", EMOTION, |p| {
            let emotion = p.annotation.emotion.clone()?;
            let choice = emotions.id(&emotion);
            Some((emotion, Some(choice)))
        });
        self.below(tier, &parents, "Confidence", CONFIDENCE, |p| {
            let sure = p.annotation.confidence?;
            Some((sure.to_string(), Some(vocabulary::confidence_id(sure))))
        });
        self.below(tier, &parents, "Note", NOTE, |p| {
            let note = &p.annotation.note;
            (!note.is_empty()).then(|| (note.clone(), None))
        });
        self.below(tier, &parents, "Record", RECORD, |p| {
            Some((record(p), None))
        });
    }

    /// By the place at which a moment was asked for, its number in order of time.
    fn slot_ids(&self) -> Vec<usize> {
        let mut ids = vec![0; self.slots.len()];
        for (at, &(_, asked)) in self.slots.iter().enumerate() {
            ids[asked] = at + 1;
        }
        ids
    }

    fn open_tier(&mut self, tier: &Tier, below: Option<&str>, linguistic_type: &str) {
        let (id, parent) = (tier.id(below), tier.id(None));
        let mut attributes = vec![("LINGUISTIC_TYPE_REF", linguistic_type), ("TIER_ID", &id)];
        if !tier.coder.is_empty() {
            attributes.push(("ANNOTATOR", tier.coder));
        }
        if below.is_some() {
            attributes.push(("PARENT_REF", &parent));
        }
        self.pen.open("TIER", &attributes);
    }

    fn alignable(&mut self, slots: (&str, &str), choice: Option<&str>, value: &str) -> String {
        let id = self.next_id();
        let mut attributes = vec![
            ("ANNOTATION_ID", id.as_str()),
            ("TIME_SLOT_REF1", slots.0),
            ("TIME_SLOT_REF2", slots.1),
        ];
        attributes.extend(choice.map(|choice| ("CVE_REF", choice)));
        self.annotation("ALIGNABLE_ANNOTATION", &attributes, value);
        id
    }

    /// A tier of values, at most one for each annotation above.
    fn below(
        &mut self,
        tier: &Tier,
        parents: &[String],
        name: &str,
        linguistic_type: &str,
        value: impl Fn(&Placed) -> Option<(String, Option<String>)>,
    ) {
        let values: Vec<_> = (tier.placed.iter().zip(parents))
            .filter_map(|(p, parent)| Some((parent, value(p)?)))
            .collect();
        if values.is_empty() && !tier.is_worked_on() {
            return;
        }
        self.open_tier(tier, Some(name), linguistic_type);
        for (parent, (value, choice)) in values {
            let id = self.next_id();
            let mut attributes = vec![("ANNOTATION_ID", &*id), ("ANNOTATION_REF", parent)];
            attributes.extend(choice.as_deref().map(|choice| ("CVE_REF", choice)));
            self.annotation("REF_ANNOTATION", &attributes, &value);
        }
        self.pen.close("TIER");
    }

    fn annotation(&mut self, name: &str, attributes: &[(&str, &str)], value: &str) {
        self.pen.open("ANNOTATION", &[]);
        self.pen.open(name, attributes);
        self.pen.text("ANNOTATION_VALUE", &[], value);
        self.pen.close(name);
        self.pen.close("ANNOTATION");
    }

    fn next_id(&mut self) -> String {
        self.annotations += 1;
        format!("a{}", self.annotations)
    }
}

fn record(p: &Placed) -> String {
    let a = p.annotation;
    let record = Record {
        id: a.id,
        onset: a.onset,
        apex: a.apex,
        offset: a.offset,
        begin_ms: p.begin_ms,
        end_ms: p.end_ms,
        apex_ms: p.apex.map(|(from, _)| from),
        candidate: a.candidate.clone(),
    };
    serde_json::to_string(&record).expect("numbers and texts have a spelling")
}
