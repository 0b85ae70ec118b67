//! Tiers that Onset wrote and somebody may have edited.

use std::collections::HashMap;

use super::document::{Document, Tier, Value};
use super::foreign::kind_by_length;
use super::{APEX, CONFIDENCE, EMOTION, EXPRESSION_TYPES, NOTE, RECORD, Record, UNITS};
use crate::base::Timestamp;
use crate::facs::ScoredUnit;
use crate::project::exchange::imported::Names;
use crate::project::exchange::{Clock, Entry, Imported, Place, words};
use crate::timeline::Annotation;

pub(super) fn import(document: &Document, recording: &str, clock: &Clock) -> Imported {
    let mut imported = Imported::default();
    let mut names = Names::default();
    for tier in &document.tiers {
        let state = EXPRESSION_TYPES
            .iter()
            .find(|(_, id, _)| *id == tier.linguistic_type);
        let Some(&(status, _, _)) = state else {
            continue;
        };
        let below = Below::of(document, tier);
        for value in &tier.values {
            let reading = Reading {
                tier,
                value,
                below: &below,
                clock,
            };
            let mut annotation = reading.annotation(&mut names, &mut imported);
            annotation.status = status;
            imported.entries.push(Entry {
                recording: recording.to_owned(),
                annotation,
            });
        }
    }
    imported
}

/// What stands below one tier of expressions.
struct Below<'a> {
    /// By linguistic type and the annotation above.
    texts: HashMap<(&'a str, &'a str), &'a str>,
    apexes: Vec<&'a Value>,
    has_apex_tier: bool,
}

impl<'a> Below<'a> {
    fn of(document: &'a Document, tier: &'a Tier) -> Self {
        let mut below = Self {
            texts: HashMap::new(),
            apexes: Vec::new(),
            has_apex_tier: false,
        };
        for child in document.below(&tier.name) {
            let kind = child.linguistic_type.as_str();
            if kind == APEX {
                below.has_apex_tier = true;
                below.apexes.extend(&child.values);
                continue;
            }
            for value in &child.values {
                if let Some(above) = &value.above {
                    below.texts.insert((kind, above), &value.text);
                }
            }
        }
        below
    }
}

/// One annotation of ELAN's on its way back.
struct Reading<'a> {
    tier: &'a Tier,
    value: &'a Value,
    below: &'a Below<'a>,
    clock: &'a Clock,
}

impl Reading<'_> {
    fn annotation(&self, names: &mut Names, imported: &mut Imported) -> Annotation {
        let value = self.value;
        let record = self.text(RECORD).map(serde_json::from_str::<Record>);
        let record = match record {
            Some(Err(error)) => {
                self.problem(imported, format!("its record cannot be read ({error}); the frames come from the times and it gets a new name."));
                None
            }
            Some(Ok(record)) => Some(record),
            None => None,
        };
        let kind = words::kind(&value.text).unwrap_or_else(|| {
            let kind = kind_by_length(value);
            let reason = format!(
                "'{}' is not macro or micro; by its length it is taken for a {}-expression.",
                value.text,
                kind.name()
            );
            self.problem(imported, reason);
            kind
        });
        let (onset, offset) = self.frames(record.as_ref());
        let id = record.as_ref().map(|r| r.id);
        let name = names.claim(id);
        if id.is_some_and(|id| id != name) {
            self.problem(
                imported,
                "it is a copy of another annotation and gets a new name.",
            );
        }
        Annotation {
            apex: self.apex(record.as_ref(), imported),
            units: self.units(imported),
            emotion: self
                .text(EMOTION)
                .filter(|t| !t.is_empty())
                .map(str::to_owned),
            confidence: self.confidence(imported),
            note: self.text(NOTE).unwrap_or_default().to_owned(),
            candidate: record.and_then(|r| r.candidate),
            onset,
            offset,
            ..Annotation::found(name, &self.coder(), kind, (onset, offset))
        }
    }

    fn coder(&self) -> String {
        let from_name = || {
            self.tier
                .name
                .split_once('@')
                .map_or("", |(_, coder)| coder)
        };
        if self.tier.annotator.is_empty() {
            from_name()
        } else {
            &self.tier.annotator
        }
        .trim()
        .to_owned()
    }

    fn text(&self, kind: &str) -> Option<&str> {
        let key = (kind, self.value.id.as_str());
        self.below.texts.get(&key).copied()
    }

    /// Times that are as they were written give their frames; others win over them.
    fn frames(&self, record: Option<&Record>) -> (u64, u64) {
        let value = self.value;
        let (mut onset, mut offset) = frames_of(value, self.clock);
        if let Some(r) = record {
            let (begin_kept, end_kept) = (value.begin_ms == r.begin_ms, value.end_ms == r.end_ms);
            // Whole, so that even frames the wrong way round come back as they were.
            if begin_kept && end_kept {
                return (r.onset, r.offset);
            }
            if begin_kept {
                onset = r.onset.min(r.offset);
            }
            if end_kept {
                offset = r.onset.max(r.offset);
            }
        }
        (onset, offset.max(onset))
    }

    fn apex(&self, record: Option<&Record>, imported: &mut Imported) -> Option<u64> {
        let value = self.value;
        let inside = |apex: &&&Value| (value.begin_ms..value.end_ms).contains(&apex.begin_ms);
        let mut inside = self.below.apexes.iter().filter(inside);
        let Some(apex) = inside.next() else {
            // Never shown, so nobody has taken it away; or the whole tier is gone.
            let unseen = |r: &&Record| r.apex_ms.is_none() || !self.below.has_apex_tier;
            return record.filter(unseen).and_then(|r| r.apex);
        };
        if inside.next().is_some() {
            self.problem(imported, "it has several apexes; the first one was taken.");
        }
        let kept = record.filter(|r| r.apex_ms == Some(apex.begin_ms));
        kept.and_then(|r| r.apex)
            .or_else(|| Some(self.clock.frame_at(time_of(apex.begin_ms))))
    }

    fn units(&self, imported: &mut Imported) -> Vec<ScoredUnit> {
        let text = self.text(UNITS).unwrap_or_default();
        let parts = text.split('+').filter(|part| !part.trim().is_empty());
        parts
            .filter_map(|part| match part.parse() {
                Ok(unit) => Some(unit),
                Err(error) => {
                    self.problem(imported, format!("{error}; it was left out."));
                    None
                }
            })
            .collect()
    }

    fn confidence(&self, imported: &mut Imported) -> Option<u8> {
        let text = self.text(CONFIDENCE)?;
        let confidence = words::confidence(text);
        if confidence.is_none() {
            self.problem(
                imported,
                format!("the confidence '{text}' is not 1 to 5; it was left out."),
            );
        }
        confidence
    }

    fn problem(&self, imported: &mut Imported, reason: impl Into<String>) {
        let place = Place::Tier(self.tier.name.clone(), time_of(self.value.begin_ms));
        imported.problem(place, reason);
    }
}

pub(super) fn time_of(ms: u64) -> Timestamp {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    Timestamp::from_nanos(ms.saturating_mul(1_000_000))
}

/// Onset and offset nearest to a value's times; it ends where the offset frame gives
/// way to the next.
pub(super) fn frames_of(value: &Value, clock: &Clock) -> (u64, u64) {
    let onset = clock.frame_at(time_of(value.begin_ms));
    let next = clock.frame_at(time_of(value.end_ms));
    (onset, next.saturating_sub(1).max(onset))
}
