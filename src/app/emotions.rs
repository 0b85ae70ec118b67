//! The labels a coder may give: of a database, three, or one's own.

use serde::{Deserialize, Serialize};

use crate::facs::EmotionSet;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmotionLabels {
    /// Negative, positive, surprise (MEGC 2019).
    Three,
    #[default]
    Casme2,
    Samm,
    /// In the order in which they were given.
    Own(Vec<String>),
}

impl EmotionLabels {
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Three => "Three",
            Self::Casme2 => "CASME II",
            Self::Samm => "SAMM",
            Self::Own(_) => "Own",
        }
    }

    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        let of = |set: EmotionSet| -> Vec<String> {
            set.emotions().iter().map(ToString::to_string).collect()
        };
        match self {
            Self::Three => ["negative", "positive", "surprise"]
                .map(str::to_owned)
                .into(),
            Self::Casme2 => of(EmotionSet::Casme2),
            Self::Samm => of(EmotionSet::Samm),
            Self::Own(labels) => labels.clone(),
        }
    }
}

/// Labels as they are typed, with commas between them; none twice.
#[must_use]
pub fn typed(text: &str) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for label in text.split([',', ';', '\n']).map(str::trim) {
        if !label.is_empty() && !labels.iter().any(|known| known == label) {
            labels.push(label.to_owned());
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_their_labels_and_own_ones_come_as_typed() {
        assert_eq!(EmotionLabels::Casme2.labels().len(), 7);
        assert_eq!(EmotionLabels::Samm.labels().len(), 8);
        assert_eq!(typed(" awe, shame;awe,,\nawe "), ["awe", "shame"]);
    }
}
