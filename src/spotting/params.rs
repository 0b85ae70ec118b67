//! Every number the decoding depends on, in one place and in physical units.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ExpressionKind;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecodeMode {
    #[default]
    Default,
    Compat,
}

/// What a score says of its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScoreMeaning {
    /// How far the face moved from the window's first frame to its last: the
    /// control signal. An expression shows as two lobes, going and coming back.
    #[default]
    Change,
    /// How surely the window lies in an expression: a network. An expression
    /// shows as one block.
    Presence,
    /// How surely the window's middle lies in an expression, 0..1: a temporal network.
    Probability,
}

/// How a probability becomes intervals of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RunParams {
    /// What an expression must reach somewhere.
    pub peak: f64,
    /// What it must not fall below.
    pub edge: f64,
    /// The longest dip below the edge inside one expression.
    pub bridge_secs: f64,
    /// The shortest expression.
    pub shortest_secs: f64,
    /// Added at both ends: a cautious network sees the faint ends late and loses them
    /// early.
    pub widen_secs: f64,
    /// What the control signal must reach within it: whatever a network says, an
    /// expression stretches skin more than noise and the head's own motion do.
    pub least_strain: f64,
}

/// The same for both kinds; the numbers come with the network's weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BothRuns {
    #[serde(rename = "macro")]
    pub macro_runs: RunParams,
    #[serde(rename = "micro")]
    pub micro_runs: RunParams,
}

impl BothRuns {
    #[must_use]
    pub const fn of(&self, kind: ExpressionKind) -> &RunParams {
        match kind {
            ExpressionKind::Macro => &self.macro_runs,
            ExpressionKind::Micro => &self.micro_runs,
        }
    }
}

/// Names of the numbers in a card's settings.
const NUMBERS: [&str; 6] = [
    "peak",
    "edge",
    "bridge secs",
    "shortest secs",
    "widen secs",
    "least strain",
];

impl RunParams {
    fn numbers(&self) -> [f64; 6] {
        [
            self.peak,
            self.edge,
            self.bridge_secs,
            self.shortest_secs,
            self.widen_secs,
            self.least_strain,
        ]
    }
}

impl BothRuns {
    /// As they stand among a weights card's settings.
    #[must_use]
    pub fn to_settings(&self) -> BTreeMap<String, String> {
        let of = |kind: ExpressionKind| {
            let numbers = NUMBERS.into_iter().zip(self.of(kind).numbers());
            numbers.map(move |(name, value)| (format!("{} {name}", kind.name()), value.to_string()))
        };
        ExpressionKind::BOTH.into_iter().flat_map(of).collect()
    }

    /// # Errors
    /// Names the number that is missing or none.
    pub fn from_settings(settings: &BTreeMap<String, String>) -> Result<Self, String> {
        let of = |kind: ExpressionKind| {
            let number = |name: &str| {
                let name = format!("{} {name}", kind.name());
                let text = settings.get(&name).ok_or(format!("no '{name}'"))?;
                let number: f64 = text
                    .parse()
                    .map_err(|_not_a_number| format!("'{name}' is {text}"))?;
                Ok::<f64, String>(number)
            };
            let [peak, edge, bridge, shortest, widen, strain] = NUMBERS.map(number);
            Ok::<RunParams, String>(RunParams {
                peak: peak?,
                edge: edge?,
                bridge_secs: bridge?,
                shortest_secs: shortest?,
                widen_secs: widen?,
                least_strain: strain?,
            })
        };
        Ok(Self {
            macro_runs: of(ExpressionKind::Macro)?,
            micro_runs: of(ExpressionKind::Micro)?,
        })
    }
}

impl Default for BothRuns {
    fn default() -> Self {
        let runs = |bridge_secs, shortest_secs| RunParams {
            peak: 0.6,
            edge: 0.4,
            bridge_secs,
            shortest_secs,
            widen_secs: 0.0,
            least_strain: 0.0,
        };
        Self {
            macro_runs: runs(0.4, 0.4),
            micro_runs: runs(0.07, 0.08),
        }
    }
}

/// A smoothed score for each kind, in the unit of the score; `None` for a scorer
/// without such a unit.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ScoreLevels {
    #[serde(rename = "macro")]
    pub macro_score: Option<f64>,
    #[serde(rename = "micro")]
    pub micro_score: Option<f64>,
}

impl ScoreLevels {
    /// Floors of the control signal (strain per ROI pixel beyond noise and head
    /// motion; 0.01 is a stretch of 1 %): the largest values of the unsmoothed signal
    /// outside the expressions of six drawn recordings (`onset synth --seed 7
    /// --recordings 6`), 0.0141 over 0.6 s and 0.0129 over 0.2 s, rounded up.
    pub const CONTROL_FLOORS: Self = Self {
        macro_score: Some(0.015),
        micro_score: Some(0.013),
    };

    /// Ceilings of the control signal: twice what a slow turn of the head leaves
    /// in a crop that does not follow it.
    pub const CONTROL_CEILINGS: Self = Self {
        macro_score: Some(0.10),
        micro_score: Some(0.05),
    };

    pub const NONE: Self = Self {
        macro_score: None,
        micro_score: None,
    };

    #[must_use]
    pub const fn of(&self, kind: ExpressionKind) -> Option<f64> {
        match kind {
            ExpressionKind::Macro => self.macro_score,
            ExpressionKind::Micro => self.micro_score,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecodeParams {
    pub mode: DecodeMode,
    pub meaning: ScoreMeaning,
    /// Compat only: threshold = mean + p·(max − mean). The default decoding does
    /// not use it, because one large movement would hide every small one.
    pub p: f64,
    /// Half the mean length of an expression, and the span of its flow window (S4).
    pub macro_half_secs: f64,
    pub micro_half_secs: f64,
    /// Peak ≥ median + this · 1.4826 · MAD of the quiet part of the smoothed score.
    pub mad_factor: f64,
    /// The least smoothed score that may count, whatever the rest of the recording
    /// is like: so a quiet recording yields nothing.
    pub floors: ScoreLevels,
    /// The smoothed score that is unmistakably a movement, whatever the rest of the
    /// recording is like: so a short recording full of expressions has some. It is
    /// never counted as quiet, and the threshold does not rise above it.
    pub ceilings: ScoreLevels,
    /// For probabilities only.
    pub runs: BothRuns,
    /// The longest micro-expression; what lasts longer is macro.
    pub longest_micro_secs: f64,
    /// The longest time a face may stay changed between two movements that are
    /// taken for one expression, when nothing tells their directions.
    pub hold_secs: f64,
    /// The same when the second movement is known to undo the first.
    pub directed_hold_secs: f64,
}

impl DecodeParams {
    /// For the control signal: mean strain per ROI pixel, no network.
    #[must_use]
    pub fn control() -> Self {
        Self {
            mode: DecodeMode::Default,
            meaning: ScoreMeaning::Change,
            p: 0.5,
            macro_half_secs: 0.6,
            micro_half_secs: 0.2,
            mad_factor: 4.0,
            floors: ScoreLevels::CONTROL_FLOORS,
            ceilings: ScoreLevels::CONTROL_CEILINGS,
            runs: BothRuns::default(),
            longest_micro_secs: 0.5,
            hold_secs: 3.0,
            directed_hold_secs: 15.0,
        }
    }

    /// For a network's score, which has no unit and so no floor of its own.
    #[must_use]
    pub fn network() -> Self {
        Self {
            meaning: ScoreMeaning::Presence,
            p: 0.55,
            floors: ScoreLevels::NONE,
            ceilings: ScoreLevels::NONE,
            ..Self::control()
        }
    }

    /// For a temporal network's probabilities.
    #[must_use]
    pub fn probability() -> Self {
        Self {
            meaning: ScoreMeaning::Probability,
            floors: ScoreLevels::NONE,
            ceilings: ScoreLevels::NONE,
            ..Self::control()
        }
    }

    #[must_use]
    pub const fn half_secs(&self, kind: ExpressionKind) -> f64 {
        match kind {
            ExpressionKind::Macro => self.macro_half_secs,
            ExpressionKind::Micro => self.micro_half_secs,
        }
    }
}

impl Default for DecodeParams {
    fn default() -> Self {
        Self::control()
    }
}
