//! Which action units make which of the three classes, and how often.

use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::muscles::{Contraction, Sides, known};

/// The classes of the MEGC 2019 composite; the discriminants are its labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EmotionClass {
    Negative = 0,
    Positive = 1,
    Surprise = 2,
}

impl EmotionClass {
    pub const ALL: [Self; 3] = [Self::Negative, Self::Positive, Self::Surprise];

    /// As label files write it.
    #[must_use]
    pub const fn label(self) -> u8 {
        self as u8
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Positive => "positive",
            Self::Surprise => "surprise",
        }
    }
}

/// Action units that appear together: `4 7`, one-sided where a unit ends in `u`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "(String, f64)", into = "(String, f64)")]
pub struct Combination {
    units: Vec<(u8, bool)>,
    /// How often, relative to the class's others.
    weight: f64,
}

impl TryFrom<(String, f64)> for Combination {
    type Error = String;

    fn try_from((text, weight): (String, f64)) -> Result<Self, String> {
        let mut units = Vec::new();
        for word in text.split_whitespace() {
            let number = word.trim_end_matches('u');
            match number.parse() {
                Ok(unit) if known(unit) && word.len() - number.len() < 2 => {
                    units.push((unit, word.ends_with('u')));
                }
                _ => {
                    return Err(format!(
                        "the studio has no action unit \"{word}\"; write combinations like \"4 7\" or \"12u\""
                    ));
                }
            }
        }
        if units.is_empty() || !(weight > 0.0 && weight.is_finite()) {
            return Err(format!(
                "\"{text}\" with weight {weight}: name at least one action unit and a weight above 0"
            ));
        }
        Ok(Self { units, weight })
    }
}

impl From<Combination> for (String, f64) {
    fn from(combination: Combination) -> Self {
        (combination.text(), combination.weight)
    }
}

impl Combination {
    fn text(&self) -> String {
        let words: Vec<String> = (self.units.iter())
            .map(|(unit, one_sided)| format!("{unit}{}", if *one_sided { "u" } else { "" }))
            .collect();
        words.join(" ")
    }
}

/// The combinations of all classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmotionClasses {
    pub negative: Vec<Combination>,
    pub positive: Vec<Combination>,
    pub surprise: Vec<Combination>,
}

impl EmotionClasses {
    pub(super) fn of(&self, class: EmotionClass) -> &[Combination] {
        match class {
            EmotionClass::Negative => &self.negative,
            EmotionClass::Positive => &self.positive,
            EmotionClass::Surprise => &self.surprise,
        }
    }
}

/// How contractions vary from image to image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractionSpread {
    /// Of each unit's strength within a combination (log-normal).
    pub unit: f64,
    /// Of one half of the face against the other (log-normal).
    pub asymmetry: f64,
    /// Chance that another, weaker unit of no class joins.
    pub stray: f64,
    /// Strength of such a unit relative to the expression, the median.
    pub stray_strength: f64,
    /// How many units of a face at rest tense or relax a little between the two
    /// pictures, on either side.
    pub idle: usize,
    /// Their strength, share of full: standard deviation.
    pub idle_strength: f64,
}

/// One image's contractions and their names (`AU4+AU7`, with `L` or `R` for the
/// person's side that moves).
pub(super) fn drawn(
    classes: &EmotionClasses,
    class: EmotionClass,
    strength: f64,
    spread: &ContractionSpread,
    draws: &mut Draws,
) -> (Vec<Contraction>, String) {
    let choice = classes.of(class);
    let combination = &choice[draws.weighted(choice.iter().map(|c| c.weight))];
    // All one-sided units of a combination are on one side.
    let left = draws.chance(0.5);
    // Which half is stronger is a trait of the moment, not of a unit.
    let lean = spread.asymmetry * draws.normal();
    let mut names = Vec::new();
    let mut contractions = Vec::new();
    for &(unit, one_sided) in &combination.units {
        let tilt = 0.7 * lean + 0.5 * spread.asymmetry * draws.normal();
        let (mut l, mut r) = (
            super::draws::exp(0.5 * tilt),
            super::draws::exp(-0.5 * tilt),
        );
        if one_sided {
            let rest = (0.12 * draws.normal()).abs().min(0.35);
            (l, r) = if left { (1.0, rest) } else { (rest, 1.0) };
        }
        let side = match (one_sided, left) {
            (false, _) => "",
            // The picture's left half is the person's right.
            (true, true) => "R",
            (true, false) => "L",
        };
        names.push(format!("AU{unit}{side}"));
        contractions.push(Contraction {
            unit,
            strength: strength * draws.log_normal(1.0, spread.unit),
            sides: Sides {
                image_left: l,
                image_right: r,
            },
        });
    }
    const ANY: [u8; 12] = [1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 24, 43];
    for _ in 0..spread.idle {
        contractions.push(Contraction {
            unit: ANY[draws.below(ANY.len())],
            strength: 1.0,
            sides: Sides {
                image_left: spread.idle_strength * draws.normal(),
                image_right: spread.idle_strength * draws.normal(),
            },
        });
    }
    if draws.chance(spread.stray) {
        let unit = ANY[draws.below(ANY.len())];
        let one = draws.chance(0.4);
        let (l, r) = match (one, draws.chance(0.5)) {
            (false, _) => (1.0, 1.0),
            (true, true) => (1.0, 0.1),
            (true, false) => (0.1, 1.0),
        };
        contractions.push(Contraction {
            unit,
            strength: strength * draws.log_normal(spread.stray_strength, 0.5),
            sides: Sides {
                image_left: l,
                image_right: r,
            },
        });
    }
    (contractions, names.join("+"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_are_read_and_unknown_units_named() {
        let read = |text: &str| Combination::try_from((text.to_owned(), 1.0));
        assert_eq!(read("4 12u").unwrap().units, [(4, false), (12, true)]);
        assert_eq!(read("6 12").unwrap().text(), "6 12");
        for wrong in ["", "99", "12x", "12uu"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(Combination::try_from(("4".to_owned(), 0.0)).is_err());
    }
}
