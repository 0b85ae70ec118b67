//! Action units as a coder scores them. Files have one spelling of them, `AU4B+AU12LC`: a
//! brow lowerer of intensity B and a smile of the person's left side of intensity C. People
//! are shown what the manual writes and they type themselves: `AU 4B+L12C`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A number of FACS: action units, head and eye movements, gross behaviour; 1..=99.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct ActionUnit(u8);

impl ActionUnit {
    /// `None` outside 1..=99.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if matches!(number, 1..=99) {
            Some(Self(number))
        } else {
            None
        }
    }

    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// What moves, in the manual's words; `None` for numbers this program has no use of.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            1 => "inner brow raiser",
            2 => "outer brow raiser",
            4 => "brow lowerer",
            5 => "upper lid raiser",
            6 => "cheek raiser",
            7 => "lid tightener",
            8 => "lips toward each other",
            9 => "nose wrinkler",
            10 => "upper lip raiser",
            11 => "nasolabial deepener",
            12 => "lip corner puller",
            13 => "sharp lip puller",
            14 => "dimpler",
            15 => "lip corner depressor",
            16 => "lower lip depressor",
            17 => "chin raiser",
            18 => "lip pucker",
            19 => "tongue show",
            20 => "lip stretcher",
            21 => "neck tightener",
            22 => "lip funneler",
            23 => "lip tightener",
            24 => "lip presser",
            25 => "lips part",
            26 => "jaw drop",
            27 => "mouth stretch",
            28 => "lip suck",
            29 => "jaw thrust",
            30 => "jaw sideways",
            31 => "jaw clencher",
            32 => "lip bite",
            33 => "blow",
            34 => "puff",
            35 => "cheek suck",
            36 => "tongue bulge",
            37 => "lip wipe",
            38 => "nostril dilator",
            39 => "nostril compressor",
            43 => "eyes closed",
            45 => "blink",
            46 => "wink",
            _ => return None,
        })
    }
}

impl TryFrom<u8> for ActionUnit {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        Self::new(number).ok_or_else(|| format!("{number} is not an action unit (1 to 99)"))
    }
}

impl From<ActionUnit> for u8 {
    fn from(unit: ActionUnit) -> Self {
        unit.0
    }
}

/// Where on the face, seen from the person coded, not from the camera. Without a
/// side a unit acts on both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Left,
    Right,
    /// One side, not said which.
    Unilateral,
    /// Both, one stronger.
    Asymmetric,
    /// The upper lip alone.
    Top,
    /// The lower lip alone.
    Bottom,
}

impl Side {
    /// The manual's letter.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Left => 'L',
            Self::Right => 'R',
            Self::Unilateral => 'U',
            Self::Asymmetric => 'A',
            Self::Top => 'T',
            Self::Bottom => 'B',
        }
    }

    #[must_use]
    pub const fn from_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'L' => Self::Left,
            'R' => Self::Right,
            'U' => Self::Unilateral,
            'A' => Self::Asymmetric,
            'T' => Self::Top,
            'B' => Self::Bottom,
            _ => return None,
        })
    }

    /// A and B behind a number are intensities, so these sides stand before it.
    const fn stands_before(self) -> bool {
        matches!(self, Self::Asymmetric | Self::Top | Self::Bottom)
    }
}

/// FACS 2002: trace, slight, marked, severe, maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Intensity {
    A,
    B,
    C,
    D,
    E,
}

impl Intensity {
    pub const ALL: [Self; 5] = [Self::A, Self::B, Self::C, Self::D, Self::E];

    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::A => 'A',
            Self::B => 'B',
            Self::C => 'C',
            Self::D => 'D',
            Self::E => 'E',
        }
    }

    #[must_use]
    pub const fn from_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'A' => Self::A,
            'B' => Self::B,
            'C' => Self::C,
            'D' => Self::D,
            'E' => Self::E,
            _ => return None,
        })
    }
}

/// One entry of a coder's score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ScoredUnit {
    pub unit: ActionUnit,
    /// `None`: both sides.
    pub side: Option<Side>,
    /// `None`: not scored.
    pub intensity: Option<Intensity>,
}

impl fmt::Display for ScoredUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, behind) = match self.side {
            Some(side) if side.stands_before() => (Some(side), None),
            side => (None, side),
        };
        f.write_str("AU")?;
        if let Some(side) = before {
            write!(f, "{}", side.letter())?;
        }
        write!(f, "{}", self.unit.number())?;
        for letter in behind
            .map(Side::letter)
            .into_iter()
            .chain(self.intensity.map(Intensity::letter))
        {
            write!(f, "{letter}")?;
        }
        Ok(())
    }
}

impl ScoredUnit {
    /// As FACS coders write and type it: the side before the number, the intensity behind
    /// it, `L12C`. Reading it gives the same unit.
    #[must_use]
    pub fn facs(&self) -> String {
        let side = self.side.map(Side::letter);
        let intensity = self.intensity.map(Intensity::letter);
        let mut code: String = side.into_iter().collect();
        code.push_str(&self.unit.number().to_string());
        code.extend(intensity);
        code
    }
}

/// Why a text is no score.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{part}' is not an action unit: {reason}")]
pub struct UnitError {
    pub part: String,
    pub reason: &'static str,
}

impl FromStr for ScoredUnit {
    type Err = UnitError;

    /// `AU`, a side, the number, a side, an intensity; all but the number may be
    /// missing, capitals or not. A letter A or B behind the number is an intensity.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let fail = |reason| UnitError {
            part: text.trim().to_owned(),
            reason,
        };
        let upper = text.trim().to_ascii_uppercase();
        let rest = upper.strip_prefix("AU").unwrap_or(&upper).trim_start();
        let start = rest
            .find(|c: char| c.is_ascii_digit())
            .ok_or_else(|| fail("it has no number"))?;
        let length = rest[start..]
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len() - start);
        let unit = rest[start..start + length]
            .parse()
            .ok()
            .and_then(ActionUnit::new)
            .ok_or_else(|| fail("its number is not 1 to 99"))?;
        let mut side = match rest[..start].trim() {
            "" => None,
            one if one.len() == 1 => {
                let letter = one.chars().next().unwrap_or(' ');
                Some(
                    Side::from_letter(letter)
                        .ok_or_else(|| fail("a side is one of L, R, U, A, T, B"))?,
                )
            }
            _ => {
                return Err(fail(
                    "before the number stands at most one letter, the side",
                ));
            }
        };
        let mut letters = rest[start + length..].trim().chars().peekable();
        let behind = letters
            .peek()
            .and_then(|&c| Side::from_letter(c))
            .filter(|s| !s.stands_before());
        if let Some(named) = behind {
            if side.replace(named).is_some() {
                return Err(fail("it names two sides"));
            }
            letters.next();
        }
        let intensity = match letters.next() {
            None => None,
            Some(letter) => Some(Intensity::from_letter(letter).ok_or_else(|| {
                fail("behind the number stand a side (L, R, U) and an intensity (A to E)")
            })?),
        };
        if letters.next().is_some() {
            return Err(fail("there are letters behind the intensity"));
        }
        Ok(Self {
            unit,
            side,
            intensity,
        })
    }
}

/// Reads `AU4B+AU12LC`; an empty text scores nothing.
///
/// # Errors
/// The first part that is no unit.
pub fn parse_units(text: &str) -> Result<Vec<ScoredUnit>, UnitError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    text.split('+').map(str::parse).collect()
}

/// Writes what [`parse_units`] reads.
#[must_use]
pub fn write_units(units: &[ScoredUnit]) -> String {
    let words: Vec<String> = units.iter().map(ToString::to_string).collect();
    words.join("+")
}

/// A score as FACS coders write it, `AU 4B+L12C`: one `AU` before all of it, so that numbers
/// beside frames and times are not taken for such. [`parse_units`] reads it too; empty where
/// nothing was scored.
#[must_use]
pub fn facs_score(units: &[ScoredUnit]) -> String {
    if units.is_empty() {
        return String::new();
    }
    let codes: Vec<String> = units.iter().map(ScoredUnit::facs).collect();
    format!("AU {}", codes.join("+"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_spelling_is_read_and_written_the_same() {
        for text in [
            "",
            "AU4B",
            "AU4B+AU12LC",
            "AU1+AU2+AU12R",
            "AUT25",
            "AUB28C",
            "AUA1D",
            "AU14UE",
        ] {
            assert_eq!(write_units(&parse_units(text).unwrap()), text);
        }
        let smile = parse_units("AU12LC").unwrap()[0];
        assert_eq!(
            (smile.unit.number(), smile.side, smile.intensity),
            (12, Some(Side::Left), Some(Intensity::C))
        );
        // B behind a number is how strong, before it which lip.
        assert_eq!(parse_units("AU25B").unwrap()[0].side, None);
        assert_eq!(parse_units("B25").unwrap()[0].side, Some(Side::Bottom));
    }

    #[test]
    fn people_read_what_they_type_and_files_stay_as_they_are() {
        for (typed, filed) in [
            ("L12C", "AU12LC"),
            ("4B", "AU4B"),
            ("6", "AU6"),
            ("1A+4B", "AU1A+AU4B"),
            ("R14+T10+B28C", "AU14R+AUT10+AUB28C"),
            ("A1D+U14E", "AUA1D+AU14UE"),
            ("", ""),
        ] {
            let units = parse_units(typed).unwrap();
            let codes: Vec<String> = units.iter().map(ScoredUnit::facs).collect();
            assert_eq!(codes.join("+"), typed);
            assert_eq!(write_units(&units), filed);
            for text in [filed, &facs_score(&units)] {
                assert_eq!(parse_units(text).unwrap(), units, "{text}");
            }
        }
        let units = parse_units("1A+L12C").unwrap();
        assert_eq!(facs_score(&units), "AU 1A+L12C");
        assert_eq!(facs_score(&[]), "");
    }

    #[test]
    fn what_is_no_unit_is_named() {
        for (text, said) in [
            ("AU4+smile", "'smile'"),
            ("AU0", "1 to 99"),
            ("AU4F", "intensity (A to E)"),
            ("LAU4", "side"),
            ("AUL4R", "two sides"),
            ("AU4BC", "behind the intensity"),
            ("AU300", "1 to 99"),
            ("AU4++AU5", "no number"),
        ] {
            let error = parse_units(text).expect_err(text).to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn numbers_have_the_manuals_names() {
        assert_eq!(
            ActionUnit::new(12).unwrap().name(),
            Some("lip corner puller")
        );
        assert_eq!(ActionUnit::new(99).unwrap().name(), None);
        assert!(ActionUnit::new(0).is_none() && ActionUnit::new(100).is_none());
        assert!(serde_json::from_str::<ActionUnit>("0").is_err());
    }
}
