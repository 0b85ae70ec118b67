//! Which action units show an emotion together.
//!
//! Combinations that coders of spontaneous micro-expressions report and FACS' tables
//! allow, with weights after their frequency; a label is what a database would
//! write, never a claim about a feeling.

/// One combination: what it is labelled, its action units, whether one half of the
/// face alone may show it, and its weight within the emotion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Combination {
    pub emotion: &'static str,
    pub units: &'static [u8],
    pub one_sided: bool,
    pub weight: f64,
}

const fn both(emotion: &'static str, units: &'static [u8], weight: f64) -> Combination {
    Combination {
        emotion,
        units,
        one_sided: false,
        weight,
    }
}

const fn either(emotion: &'static str, units: &'static [u8], weight: f64) -> Combination {
    Combination {
        emotion,
        units,
        one_sided: true,
        weight,
    }
}

/// Every combination that the studio films.
pub const COMBINATIONS: [Combination; 46] = [
    either("happiness", &[12], 26.0),
    both("happiness", &[6, 12], 28.0),
    both("happiness", &[12, 25], 10.0),
    both("happiness", &[6, 12, 25], 8.0),
    both("happiness", &[6, 7, 12], 5.0),
    both("happiness", &[12, 26], 3.0),
    both("happiness", &[6], 3.0),
    both("anger", &[4], 16.0),
    both("anger", &[4, 7], 14.0),
    both("anger", &[4, 5, 7, 23], 5.0),
    both("anger", &[23], 4.0),
    both("anger", &[24], 4.0),
    both("anger", &[7, 23], 3.0),
    both("anger", &[17, 24], 3.0),
    both("anger", &[4, 17, 23], 3.0),
    both("anger", &[7], 4.0),
    both("disgust", &[9], 9.0),
    either("disgust", &[10], 9.0),
    both("disgust", &[4, 9], 8.0),
    both("disgust", &[4, 10], 5.0),
    both("disgust", &[9, 17], 4.0),
    both("disgust", &[10, 25], 3.0),
    both("disgust", &[7, 9], 3.0),
    both("disgust", &[9, 16, 25], 2.0),
    both("sadness", &[15], 8.0),
    both("sadness", &[15, 17], 8.0),
    both("sadness", &[17], 6.0),
    both("sadness", &[1, 4], 6.0),
    both("sadness", &[1, 4, 15], 5.0),
    both("sadness", &[1], 4.0),
    both("sadness", &[4, 15, 17], 3.0),
    both("fear", &[1, 2, 4], 5.0),
    both("fear", &[1, 2, 4, 5], 4.0),
    both("fear", &[20], 5.0),
    both("fear", &[1, 4, 20], 3.0),
    both("fear", &[20, 25], 3.0),
    either("contempt", &[14], 16.0),
    both("contempt", &[14, 17], 4.0),
    either("contempt", &[12, 14], 4.0),
    both("surprise", &[1, 2], 26.0),
    both("surprise", &[1, 2, 5], 14.0),
    either("surprise", &[2], 9.0),
    both("surprise", &[1, 2, 25], 6.0),
    both("surprise", &[1, 2, 26], 7.0),
    both("surprise", &[1, 2, 5, 26], 5.0),
    both("surprise", &[5], 4.0),
];

#[cfg(test)]
mod tests {
    use super::COMBINATIONS;
    use crate::media::synthetic::DRAWN_UNITS;

    #[test]
    fn every_unit_is_filmed_and_every_filmed_unit_can_be_drawn() {
        let used = |unit: &u8| COMBINATIONS.iter().any(|c| c.units.contains(unit));
        assert!(DRAWN_UNITS.iter().all(used));
        for c in COMBINATIONS {
            assert!(c.units.iter().all(|u| DRAWN_UNITS.contains(u)), "{c:?}");
        }
    }
}
