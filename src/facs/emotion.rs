//! The emotions that the databases label, and the three classes of MEGC 2019.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An emotion of any label set. `Positive` and `Negative` are what SMIC and CAS(ME)²
/// label instead of a single emotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Emotion {
    Happiness,
    Surprise,
    Anger,
    Contempt,
    Disgust,
    Fear,
    Sadness,
    Repression,
    Others,
    Positive,
    Negative,
}

impl Emotion {
    /// How our own files write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Happiness => "happiness",
            Self::Surprise => "surprise",
            Self::Anger => "anger",
            Self::Contempt => "contempt",
            Self::Disgust => "disgust",
            Self::Fear => "fear",
            Self::Sadness => "sadness",
            Self::Repression => "repression",
            Self::Others => "others",
            Self::Positive => "positive",
            Self::Negative => "negative",
        }
    }
}

impl fmt::Display for Emotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which emotions a sheet may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmotionSet {
    /// CASME II, 7.
    Casme2,
    /// SAMM, 8.
    Samm,
    /// SMIC, 3.
    Smic,
    /// CAS(ME)², 4.
    CasmeSq,
    /// CAS(ME)³, 7.
    Casme3,
    /// Our own folders: any of them.
    Any,
}

/// Why a text is no emotion of a set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the emotion '{text}' is not one of {}", names(*set))]
pub struct EmotionError {
    pub text: String,
    pub set: EmotionSet,
}

impl EmotionSet {
    #[must_use]
    pub const fn emotions(self) -> &'static [Emotion] {
        use Emotion::{
            Anger, Contempt, Disgust, Fear, Happiness, Negative, Others, Positive, Repression,
            Sadness, Surprise,
        };
        match self {
            Self::Casme2 => &[
                Happiness, Surprise, Disgust, Fear, Sadness, Repression, Others,
            ],
            Self::Samm => &[
                Happiness, Surprise, Anger, Contempt, Disgust, Fear, Sadness, Others,
            ],
            Self::Smic => &[Positive, Negative, Surprise],
            Self::CasmeSq => &[Positive, Negative, Surprise, Others],
            Self::Casme3 => &[Happiness, Surprise, Anger, Disgust, Fear, Sadness, Others],
            Self::Any => &[
                Happiness, Surprise, Anger, Contempt, Disgust, Fear, Sadness, Repression, Others,
                Positive, Negative,
            ],
        }
    }

    /// Reads an emotion in any of the sheets' spellings (`happy`, `Sad`, `Other`).
    ///
    /// # Errors
    /// The text is none of this set.
    pub fn parse(self, text: &str) -> Result<Emotion, EmotionError> {
        let emotion = match text.trim().to_ascii_lowercase().as_str() {
            "happiness" | "happy" => Emotion::Happiness,
            "surprise" | "surprised" => Emotion::Surprise,
            "anger" | "angry" => Emotion::Anger,
            "contempt" => Emotion::Contempt,
            "disgust" | "disgusted" => Emotion::Disgust,
            "fear" => Emotion::Fear,
            "sadness" | "sad" => Emotion::Sadness,
            "repression" => Emotion::Repression,
            "others" | "other" => Emotion::Others,
            "positive" => Emotion::Positive,
            "negative" => Emotion::Negative,
            _ => return Err(self.unknown(text)),
        };
        if self.emotions().contains(&emotion) {
            Ok(emotion)
        } else {
            Err(self.unknown(text))
        }
    }

    fn unknown(self, text: &str) -> EmotionError {
        EmotionError {
            text: text.trim().to_owned(),
            set: self,
        }
    }

    /// The class of MEGC 2019; `None` for what that challenge leaves out: others
    /// everywhere, and fear and sadness of CASME II, whose negatives are disgust and
    /// repression.
    #[must_use]
    pub const fn three_class(self, emotion: Emotion) -> Option<ThreeClass> {
        Some(match (self, emotion) {
            (_, Emotion::Others) | (Self::Casme2, Emotion::Fear | Emotion::Sadness) => return None,
            (_, Emotion::Happiness | Emotion::Positive) => ThreeClass::Positive,
            (_, Emotion::Surprise) => ThreeClass::Surprise,
            (
                _,
                Emotion::Anger
                | Emotion::Contempt
                | Emotion::Disgust
                | Emotion::Fear
                | Emotion::Sadness
                | Emotion::Repression
                | Emotion::Negative,
            ) => ThreeClass::Negative,
        })
    }
}

fn names(set: EmotionSet) -> String {
    let names: Vec<&str> = set.emotions().iter().map(|e| e.name()).collect();
    names.join(", ")
}

/// The classes of MEGC 2019, numbered as its flow images are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThreeClass {
    Negative = 0,
    Positive = 1,
    Surprise = 2,
}

impl ThreeClass {
    pub const ALL: [Self; 3] = [Self::Negative, Self::Positive, Self::Surprise];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Positive => "positive",
            Self::Surprise => "surprise",
        }
    }

    /// 0 negative, 1 positive, 2 surprise.
    #[must_use]
    pub const fn number(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_the_published_numbers_of_emotions_and_read_their_spellings() {
        for (set, count) in [
            (EmotionSet::Casme2, 7),
            (EmotionSet::Samm, 8),
            (EmotionSet::Smic, 3),
            (EmotionSet::CasmeSq, 4),
            (EmotionSet::Casme3, 7),
        ] {
            assert_eq!(set.emotions().len(), count);
            for &emotion in set.emotions() {
                assert_eq!(set.parse(emotion.name()), Ok(emotion));
            }
        }
        assert_eq!(EmotionSet::Casme3.parse(" Happy "), Ok(Emotion::Happiness));
        assert_eq!(EmotionSet::Samm.parse("Other"), Ok(Emotion::Others));
        let error = EmotionSet::Smic
            .parse("joy")
            .expect_err("no such")
            .to_string();
        assert!(error.contains("'joy'") && error.ends_with("positive, negative, surprise"));
        assert!(EmotionSet::Casme2.parse("contempt").is_err());
    }

    #[test]
    fn three_classes_follow_megc_2019() {
        let of = |set: EmotionSet, e| set.three_class(e).map(ThreeClass::number);
        assert_eq!(of(EmotionSet::Casme2, Emotion::Repression), Some(0));
        assert_eq!(of(EmotionSet::Casme2, Emotion::Fear), None);
        assert_eq!(of(EmotionSet::Samm, Emotion::Fear), Some(0));
        assert_eq!(of(EmotionSet::Samm, Emotion::Happiness), Some(1));
        assert_eq!(of(EmotionSet::Smic, Emotion::Surprise), Some(2));
        assert_eq!(of(EmotionSet::CasmeSq, Emotion::Others), None);
    }
}
