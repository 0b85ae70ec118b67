//! What ELAN offers to choose from: kinds, emotions, confidences and action units.
//!
//! `Units` tiers have no vocabulary, as one annotation holds several units with sides
//! and intensities; the action units stand there for tiers that coders make themselves.

use std::collections::BTreeSet;

use super::xml::Pen;
use crate::facs::{ActionUnit, EmotionSet};
use crate::spotting::ExpressionKind;
use crate::timeline::Annotation;

pub(super) const KINDS: &str = "Expression kinds";
pub(super) const EMOTIONS: &str = "Emotions";
pub(super) const CONFIDENCES: &str = "Confidence";
const ACTION_UNITS: &str = "Action units";

const LANGUAGE: &str = "eng";

/// A value to choose, with its id and what it means.
struct Choice {
    id: String,
    value: String,
    meaning: &'static str,
}

/// The emotions of all databases and those that the annotations name.
pub(super) struct Emotions(Vec<String>);

impl Emotions {
    pub(super) fn of(annotations: &[Annotation]) -> Self {
        let mut labels: Vec<String> = EmotionSet::Any
            .emotions()
            .iter()
            .map(|e| e.name().to_owned())
            .collect();
        let named: BTreeSet<&String> = annotations
            .iter()
            .filter_map(|a| a.emotion.as_ref())
            .collect();
        let new: Vec<String> = named
            .into_iter()
            .filter(|n| !labels.contains(n))
            .cloned()
            .collect();
        labels.extend(new);
        Self(labels)
    }

    /// The id that annotations refer to.
    pub(super) fn id(&self, emotion: &str) -> String {
        let at = self.0.iter().position(|label| label == emotion);
        at.map_or_else(String::new, |at| format!("emotion_{}", at + 1))
    }
}

/// The id that annotations refer to.
pub(super) fn kind_id(kind: ExpressionKind) -> String {
    format!("kind_{}", kind.name())
}

/// The id that annotations refer to.
pub(super) fn confidence_id(confidence: u8) -> String {
    format!("confidence_{confidence}")
}

pub(super) fn write_language(pen: &mut Pen) {
    pen.empty(
        "LANGUAGE",
        &[
            ("LANG_ID", LANGUAGE),
            ("LANG_DEF", "http://cdb.iso.org/lg/CDB-00138502-001"),
            ("LANG_LABEL", "English (eng)"),
        ],
    );
}

pub(super) fn write(pen: &mut Pen, emotions: &Emotions) {
    let kinds = ExpressionKind::BOTH.map(|kind| Choice {
        id: kind_id(kind),
        value: kind.name().to_owned(),
        meaning: match kind {
            ExpressionKind::Macro => "longer than half a second",
            ExpressionKind::Micro => "at most half a second",
        },
    });
    list(pen, KINDS, "Length of an expression", &kinds);
    let emotions: Vec<Choice> = (emotions.0.iter())
        .map(|label| Choice {
            id: emotions.id(label),
            value: label.clone(),
            meaning: "",
        })
        .collect();
    list(pen, EMOTIONS, "What the coder takes it for", &emotions);
    let confidences = [1, 2, 3, 4, 5].map(|confidence| Choice {
        id: confidence_id(confidence),
        value: confidence.to_string(),
        meaning: match confidence {
            1 => "guessed",
            5 => "certain",
            _ => "",
        },
    });
    list(pen, CONFIDENCES, "How sure the coder is", &confidences);
    let units: Vec<Choice> = (1..=99)
        .filter_map(ActionUnit::new)
        .filter_map(|unit| {
            Some(Choice {
                id: format!("unit_{}", unit.number()),
                value: format!("AU{}", unit.number()),
                meaning: unit.name()?,
            })
        })
        .collect();
    list(pen, ACTION_UNITS, "The Facial Action Coding System", &units);
}

fn list(pen: &mut Pen, name: &str, meaning: &str, choices: &[Choice]) {
    pen.open("CONTROLLED_VOCABULARY", &[("CV_ID", name)]);
    pen.text("DESCRIPTION", &[("LANG_REF", LANGUAGE)], meaning);
    for choice in choices {
        pen.open("CV_ENTRY_ML", &[("CVE_ID", &choice.id)]);
        let mut attributes = vec![("LANG_REF", LANGUAGE)];
        if !choice.meaning.is_empty() {
            attributes.push(("DESCRIPTION", choice.meaning));
        }
        pen.text("CVE_VALUE", &attributes, &choice.value);
        pen.close("CV_ENTRY_ML");
    }
    pen.close("CONTROLLED_VOCABULARY");
}
