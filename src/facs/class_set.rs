//! The classes into which recognition sorts expressions: three, five or seven.

use super::emotion::{Emotion, EmotionSet, ThreeClass};

/// Which classes a network tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClassSet {
    /// Negative, positive, surprise: MEGC 2019, which unites several databases.
    #[default]
    Three,
    /// The five that CASME II has enough clips of (Yan et al., PLOS ONE 2014).
    Five,
    /// The seven emotions that SAMM names (Davison et al. 2018), without its others.
    Seven,
}

/// In alphabetical order.
const FIVE: [Emotion; 5] = [
    Emotion::Disgust,
    Emotion::Happiness,
    Emotion::Others,
    Emotion::Repression,
    Emotion::Surprise,
];
const SEVEN: [Emotion; 7] = [
    Emotion::Anger,
    Emotion::Contempt,
    Emotion::Disgust,
    Emotion::Fear,
    Emotion::Happiness,
    Emotion::Sadness,
    Emotion::Surprise,
];

impl ClassSet {
    pub const ALL: [Self; 3] = [Self::Three, Self::Five, Self::Seven];

    /// The classes' names, in the order of their numbers.
    #[must_use]
    pub fn names(self) -> Vec<String> {
        let names = |emotions: &[Emotion]| emotions.iter().map(|e| e.name().to_owned()).collect();
        match self {
            Self::Three => ThreeClass::ALL.map(|c| c.name().to_owned()).to_vec(),
            Self::Five => names(&FIVE),
            Self::Seven => names(&SEVEN),
        }
    }

    /// The set with these names in this order.
    #[must_use]
    pub fn of_names(names: &[String]) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.names() == names)
    }

    /// The number of the class that an emotion of a label set belongs to; `None` where it
    /// belongs to none of them.
    #[must_use]
    pub fn number(self, labels: EmotionSet, emotion: Emotion) -> Option<usize> {
        match self {
            Self::Three => labels.three_class(emotion).map(ThreeClass::number),
            Self::Five => FIVE.iter().position(|e| *e == emotion),
            Self::Seven => SEVEN.iter().position(|e| *e == emotion),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_found_by_their_names_and_number_their_emotions() {
        for (set, count) in ClassSet::ALL.into_iter().zip([3, 5, 7]) {
            assert_eq!(set.names().len(), count);
            assert_eq!(ClassSet::of_names(&set.names()), Some(set));
        }
        assert_eq!(ClassSet::of_names(&["joy".to_owned()]), None);
        let number = |set: ClassSet, emotion| set.number(EmotionSet::Casme2, emotion);
        assert_eq!(number(ClassSet::Three, Emotion::Happiness), Some(1));
        assert_eq!(number(ClassSet::Five, Emotion::Repression), Some(3));
        assert_eq!(number(ClassSet::Five, Emotion::Fear), None);
        assert_eq!(number(ClassSet::Seven, Emotion::Others), None);
        assert_eq!(number(ClassSet::Seven, Emotion::Surprise), Some(6));
    }
}
