//! What a set of flow images is made of: faces, expressions, disturbances, cameras.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::emotion_classes::{ContractionSpread, EmotionClasses};

/// Why a recipe cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    #[error("Cannot read the recipe: {reason}. Check the name and the rights: {}", path.display())]
    Read {
        path: PathBuf,
        reason: std::io::Error,
    },
    #[error("This is no recipe for flow images: {reason}. Compare it with assets/studio/flow-images-1.toml: {}", path.display())]
    Parse { path: PathBuf, reason: String },
    #[error("The recipe's {what} is {value}: choose {range}")]
    Range {
        what: String,
        value: String,
        range: &'static str,
    },
}

/// The recipe of a set of flow images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowImageRecipe {
    /// What makes this set different from another.
    pub seed: u64,
    /// Drawn faces; subjects take them by turns.
    pub faces: usize,
    /// Skins (stiffness, creases, where muscles end); subjects take them by turns.
    pub skins: usize,
    pub expressions: EmotionClasses,
    pub contraction: ContractionSpread,
    pub framing: Framing,
    pub disturbance: Disturbance,
    pub estimate: Estimate,
    pub camera: Vec<CameraStyle>,
}

/// Where the face stands in the crop; standard deviations of one image, of which a
/// part belongs to the subject.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Framing {
    /// Of the side length.
    pub scale: f64,
    /// Of the height against the width.
    pub aspect: f64,
    /// Of the side length.
    pub shift: f64,
    /// Degrees.
    pub roll: f64,
    /// Irregularity of faces, in distances between the eyes.
    pub shape: f64,
    /// Share of images measured on a square picture of the crop.
    pub square: f64,
}

/// What moves or changes beside the expression.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disturbance {
    pub gaze: f64,
    /// Standard deviation of the light's change between the two pictures, share.
    pub exposure: f64,
    /// Of its slope over the face.
    pub light_slope: f64,
    /// Darkening per share of compression, 0..this.
    pub furrow_shade: f64,
}

/// How motion is estimated and reduced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// Median weight of the data term and its log-normal spread.
    pub lambda: f64,
    pub lambda_spread: f64,
    /// Share of images whose pictures are made equally bright before.
    pub equalised: f64,
    /// Share of images whose strain is by neighbour differences.
    pub forward_strain: f64,
    /// The flow is smoothed before strain is taken: standard deviation, pixels, up to.
    pub strain_blur: f64,
    /// Shares of the ways to reduce to 28×28.
    pub area: f64,
    pub bilinear: f64,
    pub bicubic: f64,
}

/// One laboratory: its camera, its compression, its subjects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraStyle {
    /// The `dataset` column of the labels.
    pub name: String,
    pub subjects: usize,
    /// Images of negative, positive, surprise.
    pub images: [usize; 3],
    /// Width of the face crop, pixels, from–to.
    pub width: [f64; 2],
    /// Standard deviation of the optical blur, pixels, from–to.
    pub blur: [f64; 2],
    /// Standard deviation of the sensor noise, grey levels, from–to.
    pub noise: [f64; 2],
    /// Share of subjects whose pictures were stored as JPEG, and the qualities.
    pub jpeg: f64,
    pub jpeg_quality: [f64; 2],
    /// Share of full strength at the apex: median and log-normal spread.
    pub strength: f64,
    pub strength_spread: f64,
    /// Share of images with lids that move.
    pub blink: f64,
    /// Median of the head's motion in distances between the eyes, and its spread.
    pub head: f64,
    pub head_spread: f64,
}

impl FlowImageRecipe {
    /// # Errors
    /// A file that cannot be read, is no recipe, or holds a value out of its range.
    pub fn read(path: &Path) -> Result<Self, RecipeError> {
        let text = fs::read_to_string(path).map_err(|reason| RecipeError::Read {
            path: path.to_owned(),
            reason,
        })?;
        Self::parse(&text, path)
    }

    /// The recipe that comes with the program, `assets/studio/flow-images-1.toml`.
    ///
    /// # Errors
    /// When the program was built with a damaged one.
    pub fn first() -> Result<Self, RecipeError> {
        const NAME: &str = "assets/studio/flow-images-1.toml";
        let text = include_str!("../../../assets/studio/flow-images-1.toml");
        Self::parse(text, Path::new(NAME))
    }

    fn parse(text: &str, path: &Path) -> Result<Self, RecipeError> {
        let recipe: Self = toml::from_str(text).map_err(|e| RecipeError::Parse {
            path: path.to_owned(),
            reason: e.to_string(),
        })?;
        recipe.check()?;
        Ok(recipe)
    }

    /// The same recipe for about `images` images, the classes balanced and the
    /// cameras in equal parts.
    #[must_use]
    pub fn with_images(mut self, images: usize) -> Self {
        let share = images.div_ceil(3 * self.camera.len().max(1));
        for camera in &mut self.camera {
            camera.images = [share; 3];
        }
        self
    }

    /// The same recipe with the class balance and the subjects of the MEGC 2019
    /// composite (442 clips of 68 subjects), for cameras of the names `smic`,
    /// `casme2` and `samm`; others are left out.
    #[must_use]
    pub fn with_megc_2019_balance(mut self) -> Self {
        let plan = |name: &str| match name {
            "smic" => Some((16, [70, 51, 43])),
            "casme2" => Some((24, [88, 32, 25])),
            "samm" => Some((28, [92, 26, 15])),
            _ => None,
        };
        self.camera.retain_mut(|camera| {
            let Some((subjects, images)) = plan(&camera.name) else {
                return false;
            };
            (camera.subjects, camera.images) = (subjects, images);
            true
        });
        self
    }

    /// How many images the recipe makes.
    #[must_use]
    pub fn images(&self) -> usize {
        self.camera.iter().flat_map(|c| c.images).sum()
    }

    /// # Errors
    /// The first value out of its range.
    pub fn check(&self) -> Result<(), RecipeError> {
        let wrong = |what: &str, value: String, range| {
            Err(RecipeError::Range {
                what: what.to_owned(),
                value,
                range,
            })
        };
        for (what, value) in [("faces", self.faces), ("skins", self.skins)] {
            if !(1..=10_000).contains(&value) {
                return wrong(what, value.to_string(), "1 to 10000");
            }
        }
        for class in super::emotion_classes::EmotionClass::ALL {
            if self.expressions.of(class).is_empty() {
                return wrong(class.name(), "empty".into(), "at least one combination");
            }
        }
        if self.camera.is_empty() {
            return wrong("camera list", "empty".into(), "at least one [[camera]]");
        }
        let estimate = &self.estimate;
        if !(0.01..=2.0).contains(&estimate.lambda) {
            return wrong("lambda", estimate.lambda.to_string(), "0.01 to 2");
        }
        let ways = [estimate.area, estimate.bilinear, estimate.bicubic];
        if ways.iter().any(|w| !(0.0..=1e6).contains(w)) || ways.iter().sum::<f64>() <= 0.0 {
            return wrong(
                "shares area, bilinear, bicubic",
                format!("{ways:?}"),
                "numbers from 0, one of them above",
            );
        }
        for c in &self.camera {
            if c.name.is_empty() || !c.name.chars().all(|c| c.is_ascii_alphanumeric()) {
                return wrong(
                    "camera name",
                    format!("\"{}\"", c.name),
                    "letters and digits",
                );
            }
            let name = |what: &str| format!("{what} of camera {}", c.name);
            if !(1..=100_000).contains(&c.subjects) {
                return wrong(&name("subjects"), c.subjects.to_string(), "1 to 100000");
            }
            let ranges = [
                ("width", c.width, 32.0, 400.0, "a range within 32 to 400"),
                ("blur", c.blur, 0.0, 10.0, "a range within 0 to 10"),
                ("noise", c.noise, 0.0, 40.0, "a range within 0 to 40"),
                (
                    "jpeg_quality",
                    c.jpeg_quality,
                    1.0,
                    100.0,
                    "a range within 1 to 100",
                ),
            ];
            for (what, [from, to], low, high, range) in ranges {
                if !(low <= from && from <= to && to <= high) {
                    return wrong(&name(what), format!("{from}–{to}"), range);
                }
            }
            let values = [
                ("strength", c.strength, 2.0),
                ("strength_spread", c.strength_spread, 3.0),
                ("blink", c.blink, 1.0),
                ("head", c.head, 1.0),
                ("head_spread", c.head_spread, 3.0),
                ("jpeg", c.jpeg, 1.0),
            ];
            for (what, value, high) in values {
                if !(0.0..=high).contains(&value) {
                    return wrong(&name(what), value.to_string(), "a share from 0 to about 1");
                }
            }
        }
        Ok(())
    }
}
