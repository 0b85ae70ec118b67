//! Tiers that other people made in ELAN.

use super::document::{Document, Tier, TierSummary, Value};
use super::ours::{frames_of, time_of};
use crate::facs::{EmotionSet, ScoredUnit, parse_units};
use crate::project::exchange::imported::Names;
use crate::project::exchange::{Clock, Entry, Imported, Place, words};
use crate::spotting::ExpressionKind;
use crate::timeline::Annotation;

/// A micro-expression lasts at most this long (Yan et al., 2013).
const MICRO_LONGEST_MS: u64 = 500;

/// Files that refer in circles are not followed for ever.
const DEEPEST: usize = 8;

pub(super) fn kind_by_length(value: &Value) -> ExpressionKind {
    if value.end_ms - value.begin_ms <= MICRO_LONGEST_MS {
        ExpressionKind::Micro
    } else {
        ExpressionKind::Macro
    }
}

pub(super) fn summary(tier: &Tier) -> TierSummary {
    let mut examples: Vec<String> = Vec::new();
    for text in tier.values.iter().map(|v| v.text.trim()) {
        if examples.len() < 3 && !text.is_empty() && !examples.iter().any(|e| e == text) {
            examples.push(text.to_owned());
        }
    }
    let understood = tier
        .values
        .iter()
        .filter(|v| Meaning::of(&v.text).is_some())
        .count();
    TierSummary {
        name: tier.name.clone(),
        annotator: tier.annotator.clone(),
        parent: tier.parent.clone(),
        count: tier.values.len(),
        examples,
        looks_like_expressions: tier.parent.is_none() && understood * 2 > tier.values.len(),
    }
}

pub(super) fn import(
    document: &Document,
    tiers: &[&str],
    coder: &str,
    recording: &str,
    clock: &Clock,
) -> Imported {
    let mut imported = Imported::default();
    let mut names = Names::default();
    for &name in tiers {
        let Some(tier) = document.tiers.iter().find(|t| t.name == name) else {
            imported.problem(Place::File, format!("it has no tier '{name}'."));
            continue;
        };
        for value in &tier.values {
            let (onset, offset) = frames_of(value, clock);
            let kind = kind_by_length(value);
            let mut found = Found {
                annotation: Annotation::found(names.claim(None), coder, kind, (onset, offset)),
                notes: Vec::new(),
            };
            found.take(&value.text, None);
            found.take_below(document, tier, value, 0);
            if !found.notes.is_empty() {
                let place = Place::Tier(tier.name.clone(), time_of(value.begin_ms));
                let texts = found.notes.join("', '");
                let reason = format!("'{texts}' is no kind, unit or emotion; it went to the note.");
                imported.problem(place, reason);
            }
            found.annotation.note = found.notes.join("\n");
            imported.entries.push(Entry {
                recording: recording.to_owned(),
                annotation: found.annotation,
            });
        }
    }
    imported
}

/// An annotation on which the tiers' values are gathered.
struct Found {
    annotation: Annotation,
    notes: Vec<String>,
}

impl Found {
    /// `from` is the tier below that the text stands on.
    fn take(&mut self, text: &str, from: Option<&str>) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let Some(meaning) = Meaning::of(text) else {
            self.notes.push(match from {
                Some(tier) => format!("{tier}: {text}"),
                None => text.to_owned(),
            });
            return;
        };
        let a = &mut self.annotation;
        a.kind = meaning.kind.unwrap_or(a.kind);
        for unit in meaning.units {
            if !a.units.contains(&unit) {
                a.units.push(unit);
            }
        }
        if let Some(emotion) = meaning.emotion {
            a.emotion = Some(emotion);
        }
    }

    /// Values that refer to `value` or, on tiers with times of their own, lie in it.
    fn take_below(&mut self, document: &Document, tier: &Tier, value: &Value, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        for child in document.below(&tier.name) {
            for below in &child.values {
                let belongs = below.above.as_ref().map_or_else(
                    || (value.begin_ms..value.end_ms).contains(&below.begin_ms),
                    |above| *above == value.id,
                );
                if belongs {
                    self.take(&below.text, Some(&child.name));
                    self.take_below(document, child, below, depth + 1);
                }
            }
        }
    }
}

/// A value of which every word is understood.
#[derive(Debug, PartialEq, Default)]
struct Meaning {
    kind: Option<ExpressionKind>,
    units: Vec<ScoredUnit>,
    emotion: Option<String>,
}

impl Meaning {
    /// `12`, `AU12LC+AU6B`, `micro`, `Happy`, `micro AU4, AU7; anger`; `None` where one
    /// word is something else.
    fn of(text: &str) -> Option<Self> {
        let mut meaning = Self::default();
        // "AU 4 + AU 7": a sum may have spaces in it.
        if let Ok(units) = parse_units(text) {
            meaning.units = units;
        } else {
            let is_gap = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '/');
            for word in text.split(is_gap).filter(|word| !word.is_empty()) {
                if let Some(kind) = words::kind(word) {
                    meaning.kind = Some(kind);
                } else if let Ok(units) = parse_units(word) {
                    meaning.units.extend(units);
                } else {
                    let emotion = EmotionSet::Any.parse(word).ok()?;
                    meaning.emotion = Some(emotion.name().to_owned());
                }
            }
        }
        (meaning != Self::default()).then_some(meaning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facs::write_units;

    #[test]
    fn values_are_read_as_far_as_every_word_is_known() {
        for (text, kind, units, emotion) in [
            ("12", None, "AU12", None),
            ("AU 4 + AU 7", None, "AU4+AU7", None),
            ("1+2, L14A", None, "AU1+AU2+AU14LA", None),
            (
                "ME; AU4/AU7 Sad",
                Some(ExpressionKind::Micro),
                "AU4+AU7",
                Some("sadness"),
            ),
            ("Macro-expression", Some(ExpressionKind::Macro), "", None),
            ("happy", None, "", Some("happiness")),
        ] {
            let m = Meaning::of(text).expect(text);
            assert_eq!((m.kind, m.emotion.as_deref()), (kind, emotion), "{text}");
            assert_eq!(write_units(&m.units), units, "{text}");
        }
        for text in ["", "  ", "AU4 smile", "hello", "AU400"] {
            assert_eq!(Meaning::of(text), None, "{text}");
        }
    }
}
