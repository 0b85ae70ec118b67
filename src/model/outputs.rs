//! What the networks that read one expression answer: logits of action units and of
//! classes, and what is fitted to them on subjects apart.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::card_settings::{Settings, setting, unknown};
use crate::facs::ActionUnit;

/// Logits of one unit: it acts, in the picture's left half, in its right half.
pub const OF_UNIT: usize = 3;

/// Under which name a card says what the classes' logits are divided by.
pub const CLASS_TEMPERATURE: &str = "class temperature";

/// What a temperature may be.
const TEMPERATURES: RangeInclusive<f64> = 0.01..=100.0;

/// The temperature of the classes that a card says, 1 where it says none.
///
/// # Errors
/// When it makes no sense.
pub fn class_temperature(settings: &Settings) -> Result<f64, String> {
    let Some(text) = settings.get(CLASS_TEMPERATURE) else {
        return Ok(1.0);
    };
    let value = text.parse().ok().filter(|v| TEMPERATURES.contains(v));
    value.ok_or_else(|| unknown(CLASS_TEMPERATURE, text))
}

/// Whether a unit has two halves that can act alone; the others lie in the middle.
#[must_use]
pub fn has_halves(unit: ActionUnit) -> bool {
    !matches!(unit.number(), 8 | 16..=18 | 21..=31)
}

/// What the outputs of a network stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    pub units: Vec<ActionUnit>,
    /// Names of the classes: three, five, seven, as the weights say.
    pub classes: Vec<String>,
}

impl Vocabulary {
    /// How many logits AU-Flow has: three a unit, one a class.
    #[must_use]
    pub fn outputs(&self) -> usize {
        OF_UNIT * self.units.len() + self.classes.len()
    }

    /// As it stands among a card's settings.
    #[must_use]
    pub fn settings(&self) -> BTreeMap<String, String> {
        let units: Vec<String> = (self.units.iter())
            .map(|u| u.number().to_string())
            .collect();
        [
            ("units", units.join(" ")),
            ("classes", self.classes.join(" ")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// From a card's settings.
    ///
    /// # Errors
    /// Says what is missing or makes no sense.
    pub fn from_settings(settings: &Settings) -> Result<Self, String> {
        let text = setting(settings, "units")?;
        let units: Option<Vec<ActionUnit>> = text
            .split_whitespace()
            .map(|word| word.parse().ok().and_then(ActionUnit::new))
            .collect();
        let units = units
            .filter(|units| !units.is_empty())
            .ok_or_else(|| unknown("units", text))?;
        let classes = setting(settings, "classes")?;
        Ok(Self {
            units,
            classes: classes.split_whitespace().map(str::to_owned).collect(),
        })
    }
}

/// Logits of one map, as one member gives them.
#[derive(Debug, Clone, PartialEq)]
pub struct Logits {
    /// It acts, in the picture's left half, in its right half; unit by unit.
    pub units: Vec<[f32; OF_UNIT]>,
    pub classes: Vec<f32>,
}

impl Logits {
    pub(super) fn of(values: &[f32], vocabulary: &Vocabulary) -> Self {
        let (units, classes) = values.split_at(OF_UNIT * vocabulary.units.len());
        Self {
            units: units.as_chunks().0.to_vec(),
            classes: classes.to_vec(),
        }
    }

    /// Of a network with one logit a unit: both halves have the whole one's.
    pub(super) fn of_whole_units(values: &[f32], vocabulary: &Vocabulary) -> Self {
        let (units, classes) = values.split_at(vocabulary.units.len());
        Self {
            units: units.iter().map(|&logit| [logit; OF_UNIT]).collect(),
            classes: classes.to_vec(),
        }
    }

    /// The mean with what was said of the mirrored map.
    pub(super) fn with_mirror(mut self, mirror: &Self) -> Self {
        for (unit, other) in self.units.iter_mut().zip(&mirror.units) {
            let [acts, left, right] = *other;
            for (own, seen) in unit.iter_mut().zip([acts, right, left]) {
                *own = 0.5 * (*own + seen);
            }
        }
        for (own, seen) in self.classes.iter_mut().zip(&mirror.classes) {
            *own = 0.5 * (*own + seen);
        }
        self
    }
}

/// What was fitted on subjects that were not learnt from.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// Divides the units' logits (Guo et al. 2017).
    pub unit_temperature: f64,
    /// Divides the classes' logits.
    pub class_temperature: f64,
    /// From which probability on a unit is called present, unit by unit.
    pub thresholds: Vec<f64>,
    /// The same for the units' halves.
    pub side_threshold: f64,
    /// No class is named where its uncertainty (entropy over the logarithm of the
    /// number of classes) is larger.
    pub abstain_above: f64,
}

impl Fitted {
    /// Before anything is fitted.
    #[must_use]
    pub fn none(units: usize) -> Self {
        Self {
            unit_temperature: 1.0,
            class_temperature: 1.0,
            thresholds: vec![0.5; units],
            side_threshold: 0.5,
            abstain_above: 1.0,
        }
    }

    /// As they stand among a card's settings.
    #[must_use]
    pub fn settings(&self) -> BTreeMap<String, String> {
        let numbers = |values: &[f64]| {
            let words: Vec<String> = values.iter().map(|v| format!("{v:.4}")).collect();
            words.join(" ")
        };
        [
            ("unit temperature", numbers(&[self.unit_temperature])),
            (CLASS_TEMPERATURE, numbers(&[self.class_temperature])),
            ("unit thresholds", numbers(&self.thresholds)),
            ("side threshold", numbers(&[self.side_threshold])),
            ("abstain above", numbers(&[self.abstain_above])),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Of these what belongs to classes alone.
    #[must_use]
    pub fn class_settings(&self) -> BTreeMap<String, String> {
        let mut settings = self.settings();
        settings.retain(|name, _| name == CLASS_TEMPERATURE);
        settings
    }

    /// From a card's settings.
    ///
    /// # Errors
    /// Says what is missing or makes no sense.
    pub fn from_settings(settings: &Settings, vocabulary: &Vocabulary) -> Result<Self, String> {
        let numbers = |name: &str, range: RangeInclusive<f64>| {
            let text = setting(settings, name)?;
            let values: Option<Vec<f64>> = text
                .split_whitespace()
                .map(|word| word.parse().ok().filter(|v| range.contains(v)))
                .collect();
            values.ok_or_else(|| unknown(name, text))
        };
        let number = |name: &str, range| match numbers(name, range)?.as_slice() {
            [one] => Ok(*one),
            _ => Err(unknown(name, setting(settings, name)?)),
        };
        let thresholds = numbers("unit thresholds", 0.0..=1.0)?;
        if thresholds.len() != vocabulary.units.len() {
            let text = setting(settings, "unit thresholds")?;
            return Err(unknown("unit thresholds", text));
        }
        Ok(Self {
            unit_temperature: number("unit temperature", TEMPERATURES)?,
            class_temperature: number(CLASS_TEMPERATURE, TEMPERATURES)?,
            thresholds,
            side_threshold: number("side threshold", 0.0..=1.0)?,
            abstain_above: number("abstain above", 0.0..=1.0)?,
        })
    }
}
