//! A recipe: every distribution that the studio draws from, as a TOML file.
//!
//! A pair `[low, high]` is a range that is drawn from evenly unless its text says
//! otherwise. Lengths of displacements are pixels of the 128×128 crop, lengths of
//! the head's motion distances between the eyes (about 63 mm), angles degrees.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Even between the ends.
pub type Range = [f64; 2];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Keeps persons, scenes and courses of one set apart from any other set's.
    pub world: String,
    /// Other draws of the same distributions.
    pub seed: u64,
    pub recordings: u32,
    /// After so many recordings the next person comes.
    pub recordings_of_a_person: u32,
    pub seconds: Range,
    /// Pixels.
    pub width: u32,
    pub height: u32,
    pub frame_rates: Vec<FrameRate>,
    pub framing: FramingRecipe,
    pub expressions: ExpressionRecipe,
    pub blinks: BlinkRecipe,
    pub gaze: GazeRecipe,
    pub talking: TalkingRecipe,
    pub head: HeadRecipe,
    pub light: LightRecipe,
    pub camera: CameraRecipe,
    pub files: Vec<FileRecipe>,
}

/// Frames a second, as often as its weight says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameRate {
    pub fps: u32,
    pub weight: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FramingRecipe {
    /// Distance between the eyes as a share of the picture's height.
    pub eye_distance: Range,
    /// The eyes' middle from the picture's middle, as a share of its height.
    pub sideways: Range,
    /// The eyes' height in the picture, 0 its top, 1 its bottom.
    pub eye_height: Range,
    /// From the camera to the face, in distances between the eyes.
    pub camera_distance: Range,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpressionRecipe {
    /// Share of the recordings without any.
    pub none_in: f64,
    /// How many in 20 seconds, both ends included.
    pub in_20_seconds: [u32; 2],
    /// Rest between two, at least.
    pub rest_secs: f64,
    /// Share of micro-expressions among them.
    pub micro_share: f64,
    /// Combinations are drawn as often as their weight to this power says: 1 as often as
    /// coders report them, 0 all alike.
    #[serde(default = "as_reported")]
    pub combination_power: f64,
    /// How often a combination that may be one-sided is.
    pub one_sided_share: f64,
    /// Each action unit's strength against the strongest of its combination.
    pub unit_balance: Range,
    pub micro: MicroRecipe,
    #[serde(rename = "macro")]
    pub macro_: MacroRecipe,
    pub jitter: JitterRecipe,
}

fn as_reported() -> f64 {
    1.0
}

/// How a range of amplitudes is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Law {
    Even,
    /// Even in the logarithm.
    EvenInLog,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MicroRecipe {
    /// Largest displacement at the apex, pixels of the 128×128 crop.
    pub peak_px: Range,
    pub peak_law: Law,
    /// Onset to offset; half a second at most.
    pub secs: Range,
    /// Shares of the length that it rises and that it holds.
    pub rise_share: Range,
    pub hold_share: Range,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MacroRecipe {
    pub peak_px: Range,
    pub peak_law: Law,
    /// Onset to offset; more than half a second.
    pub secs: Range,
    /// Share of those that are held long, and how long they are.
    pub long_share: f64,
    pub long_secs: Range,
    pub rise_secs: Range,
    pub fall_secs: Range,
    /// Share of its height that it loses while held.
    pub sag: Range,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JitterRecipe {
    pub direction_degrees: f64,
    /// Distances between the eyes.
    pub place: f64,
    pub strength: f64,
    pub sides: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlinkRecipe {
    /// A recording keeps its own rate.
    pub per_minute: Range,
    pub secs: Range,
    /// Share that are followed by a second at once.
    pub double_share: f64,
    /// Share that do not shut, and how far they go.
    pub partial_share: f64,
    pub partial_depth: Range,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GazeRecipe {
    pub shifts_per_minute: Range,
    /// How far the iris goes from the middle: across and down.
    pub across: f64,
    pub down: f64,
    pub shift_secs: Range,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TalkingRecipe {
    /// Share of the recordings with talk.
    pub share: f64,
    pub spells_in_20_seconds: [u32; 2],
    pub spell_secs: Range,
    /// Movements of the mouth a second.
    pub syllables_hz: Range,
    /// Largest opening, pixels of the 128×128 crop.
    pub peak_px: Range,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadRecipe {
    /// Never turned further than this.
    pub yaw_degrees: f64,
    pub pitch_degrees: f64,
    pub roll_degrees: f64,
    /// Lasting turns: how many, and how quick; quick ones are as common as slow ones.
    pub turns_per_minute: Range,
    pub turn_secs: Range,
    /// Share of the turns that use the whole range; the others are a third as wide.
    pub wide_share: f64,
    /// Nods and shakes: how many, how high, how long, how many swings.
    pub nods_per_minute: Range,
    pub nod_degrees: Range,
    pub nod_secs: Range,
    pub nod_swings: Range,
    /// Lasting moves sideways, up and down, in depth.
    pub moves_per_minute: Range,
    pub move_way: Range,
    pub move_secs: Range,
    pub zoom: Range,
    /// Slow drift within so many seconds a turn of it: way and angle.
    pub drift_secs: Range,
    pub drift_way: Range,
    pub drift_degrees: Range,
    /// Unrest of half a second to two seconds, and tremor of 6 to 10 Hz: way.
    pub unrest_way: Range,
    pub tremor_way: Range,
    pub breaths_per_minute: Range,
    pub breath_way: Range,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LightRecipe {
    /// Slow drift of the brightness, as a share, and its period.
    pub drift: Range,
    pub drift_secs: Range,
    /// Share of the recordings under flickering light, and its strength.
    pub flicker_share: f64,
    pub flicker: Range,
    /// Share with steps of the exposure, how many, how high, how quick.
    pub exposure_share: f64,
    pub exposure_steps: [u32; 2],
    pub exposure_step: Range,
    pub exposure_secs: Range,
    /// The same for the white balance; one step.
    pub white_balance_share: f64,
    pub white_balance_step: Range,
    pub white_balance_secs: Range,
    /// Brightness of the borders against the middle, and how it drifts.
    pub slope: Range,
    pub slope_drift: Range,
    /// Brightness of a recording.
    pub gain: Range,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraRecipe {
    /// Standard deviation of the sensor's noise, grey levels.
    pub noise: Range,
    /// Share of the recordings whose noise is smooth.
    pub smooth_noise_share: f64,
    /// Time the sensor gathers light, as a share of a frame's.
    pub shutter: Range,
    /// Share of the recordings that lose frames, how often, how many at once.
    pub drop_share: f64,
    pub drops_per_minute: Range,
    pub drop_frames: [u32; 2],
}

/// How recordings are stored, each as often as its weight says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FileRecipe {
    /// MP4 with H.264; crf 0 (lossless) .. 51; `quick` searches less, as phones do.
    H264 {
        weight: f64,
        crf: [u32; 2],
        quick: bool,
    },
    /// MOV with a JPEG a frame; quantiser 2 (best) .. 31.
    Mjpeg { weight: f64, quantiser: [u32; 2] },
    /// A folder of JPEG files; quality 1..100.
    Jpeg { weight: f64, quality: [u32; 2] },
}

impl FileRecipe {
    pub(super) fn weight(&self) -> f64 {
        match self {
            Self::H264 { weight, .. } | Self::Mjpeg { weight, .. } | Self::Jpeg { weight, .. } => {
                *weight
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    #[error("Cannot read the recipe: {reason}. Give a TOML file like assets/studio/train-1.toml: {}", path.display())]
    Read { path: PathBuf, reason: String },
    #[error("Cannot film by this recipe: {0}")]
    Value(String),
}

impl Recipe {
    /// The recipe that trained the default weights.
    pub const TRAIN_1: &'static str = include_str!("../../../assets/studio/train-1.toml");
    /// The pinned test. It is never changed.
    pub const TEST_1: &'static str = include_str!("../../../assets/studio/test-1.toml");

    /// # Errors
    /// When the file cannot be read, a key is missing or unknown, or a value is out
    /// of its range.
    pub fn read(path: &Path) -> Result<Self, RecipeError> {
        let refuse = |reason: String| RecipeError::Read {
            path: path.to_path_buf(),
            reason,
        };
        let text = std::fs::read_to_string(path).map_err(|e| refuse(e.to_string()))?;
        Self::parse(&text).map_err(|e| refuse(e.to_string()))
    }

    /// # Errors
    /// As [`Recipe::read`].
    pub fn parse(text: &str) -> Result<Self, RecipeError> {
        let recipe: Self = toml::from_str(text).map_err(|e| {
            let line = e
                .span()
                .map(|span| text[..span.start].lines().count().max(1));
            let line = line.map_or_else(String::new, |line| format!("line {line}: "));
            RecipeError::Value(format!("{line}{}", e.message().replace('\n', ", ")))
        })?;
        recipe.check()?;
        Ok(recipe)
    }

    /// As a file that gives the same recordings again.
    ///
    /// # Errors
    /// When TOML cannot hold a value.
    pub fn to_text(&self) -> Result<String, RecipeError> {
        toml::to_string(self).map_err(|e| RecipeError::Value(e.to_string()))
    }

    fn check(&self) -> Result<(), RecipeError> {
        let fail = |text: String| Err(RecipeError::Value(text));
        if !(64..=4096).contains(&self.width) || !(64..=4096).contains(&self.height) {
            return fail(format!(
                "{}×{} pixels; each side must be 64 to 4096",
                self.width, self.height
            ));
        }
        if self.recordings == 0 || self.recordings_of_a_person == 0 {
            return fail("it films no recording".to_owned());
        }
        if self
            .frame_rates
            .iter()
            .any(|r| !(10..=1000).contains(&r.fps))
        {
            return fail("frames a second must be 10 to 1000".to_owned());
        }
        if self.frame_rates.is_empty() || self.files.is_empty() {
            return fail("it names no frame rate or no file format".to_owned());
        }
        let e = &self.expressions;
        if e.micro.secs[1] > 0.5 || e.macro_.secs[0] <= 0.5 {
            return fail(
                "a micro-expression lasts half a second at most and a macro-expression longer"
                    .to_owned(),
            );
        }
        let rising = [
            ("seconds", self.seconds, 2.0),
            ("eye_distance", self.framing.eye_distance, 0.02),
            ("camera_distance", self.framing.camera_distance, 3.0),
            ("micro.peak_px", e.micro.peak_px, 0.001),
            ("micro.secs", e.micro.secs, 0.01),
            ("macro.peak_px", e.macro_.peak_px, 0.001),
            ("macro.rise_secs", e.macro_.rise_secs, 0.05),
            ("macro.fall_secs", e.macro_.fall_secs, 0.05),
            ("macro.long_secs", e.macro_.long_secs, 0.51),
            ("blinks.secs", self.blinks.secs, 0.03),
            ("gaze.shift_secs", self.gaze.shift_secs, 0.01),
            ("talking.spell_secs", self.talking.spell_secs, 0.3),
            ("talking.syllables_hz", self.talking.syllables_hz, 0.5),
            ("head.turn_secs", self.head.turn_secs, 0.02),
            ("head.nod_secs", self.head.nod_secs, 0.05),
            ("head.move_secs", self.head.move_secs, 0.02),
            ("head.drift_secs", self.head.drift_secs, 0.5),
            ("head.breaths_per_minute", self.head.breaths_per_minute, 1.0),
            ("light.drift_secs", self.light.drift_secs, 0.5),
            ("light.exposure_secs", self.light.exposure_secs, 0.001),
            (
                "light.white_balance_secs",
                self.light.white_balance_secs,
                0.001,
            ),
            ("camera.noise", self.camera.noise, 0.0),
        ];
        for (name, [low, high], least) in rising {
            if !(low >= least && high >= low && high.is_finite()) {
                return fail(format!(
                    "{name} = [{low}, {high}] must rise and begin at {least} or more"
                ));
            }
        }
        Ok(())
    }
}
