//! What moved between onset and apex of a spotted expression: action units with their
//! side, a class, and how sure both are. Movements and probabilities, never a feeling.

pub mod measure;
pub mod moments;
pub mod reader;
pub mod second_look;

use serde::{Deserialize, Serialize};

use crate::base::Plane;
use crate::explain::uncertainty::Uncertainty;
use crate::facs::{ActionUnit, ScoredUnit, Side, write_units};

use crate::model::flow_framing::FlowFraming;

pub use measure::{ExpressionMotion, FacePicture, MotionMeter, Unmeasurable};
pub use moments::{Moment, Moments};
pub use reader::{FaceReader, ReaderError};
pub use second_look::{SecondLook, SecondLookError, SecondOpinion};

/// One action unit as the network sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitReading {
    pub unit: ActionUnit,
    /// Probability that it acts, 0..1: calibrated for expressions from their labelled
    /// onset to their apex. Of what moved just now, mostly rest, it is higher than right.
    pub probability: f64,
    /// Whether the probability reaches the unit's own threshold.
    pub present: bool,
    /// The person's side where one half alone moves; `None` for both, for a unit in the
    /// middle, or while it is not present.
    pub side: Option<Side>,
}

/// What a database would call the expression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassReading {
    pub classes: Vec<String>,
    /// Calibrated, of each class, 0..1.
    pub probabilities: Vec<f64>,
    /// 0..1 each: entropies over the logarithm of the number of classes.
    pub uncertainty: Uncertainty,
    /// Whether that is too much for naming a class, or no unit is present.
    pub abstains: bool,
}

impl ClassReading {
    /// The likeliest class and its probability.
    #[must_use]
    pub fn best(&self) -> Option<(&str, f64)> {
        let likelier = |a: &(usize, &f64), b: &(usize, &f64)| a.1.total_cmp(b.1);
        let (at, p) = self.probabilities.iter().enumerate().max_by(likelier)?;
        Some((self.classes.get(at)?, *p))
    }

    /// The same where the network does not abstain.
    #[must_use]
    pub fn label(&self) -> Option<(&str, f64)> {
        self.best().filter(|_| !self.abstains)
    }
}

/// Which places of the face speak for a unit (integrated gradients).
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    pub unit: ActionUnit,
    /// 0..1 over the framing, 28×28.
    pub map: Plane,
    pub framing: FlowFraming,
}

/// What the networks say of one movement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recognition {
    /// Every unit that the weights know, in their order.
    pub units: Vec<UnitReading>,
    /// `None` where the weights know no classes.
    pub class: Option<ClassReading>,
}

impl Recognition {
    /// The units that are present, likeliest first.
    #[must_use]
    pub fn present(&self) -> Vec<&UnitReading> {
        let mut present: Vec<&UnitReading> = self.units.iter().filter(|u| u.present).collect();
        present.sort_by(|a, b| {
            let by_probability = b.probability.total_cmp(&a.probability);
            by_probability.then(a.unit.cmp(&b.unit))
        });
        present
    }

    /// Those in the order of their numbers, as label files write them: `AU4+AU12L`.
    #[must_use]
    pub fn units_text(&self) -> String {
        let mut present: Vec<ScoredUnit> = (self.units.iter())
            .filter(|u| u.present)
            .map(|u| ScoredUnit {
                unit: u.unit,
                side: u.side,
                intensity: None,
            })
            .collect();
        present.sort();
        write_units(&present)
    }
}
