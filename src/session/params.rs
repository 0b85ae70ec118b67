//! Everything a person may choose before an analysis; each stage has its own part.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::motion::tvl1::Tvl1Preset;
use crate::motion::windows::Stride;

/// Where the arithmetic runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChoice {
    #[default]
    Auto,
    Gpu,
    Cpu,
}

/// How scores become intervals (science: spotting).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecodeMode {
    #[default]
    Default,
    Compat,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Params {
    pub decode: DecodeMode,
    /// How exactly flows are computed.
    pub flow: Tvl1Preset,
    /// How densely flow windows follow each other in fast recordings.
    pub stride: Stride,
    pub device: DeviceChoice,
    /// SOFTNet weights for macro-expressions; `None`: the control signal.
    pub macro_weights: Option<PathBuf>,
    /// SOFTNet weights for micro-expressions; `None`: the control signal.
    pub micro_weights: Option<PathBuf>,
    /// A 68-point predictor; `None`: the installed one, else the compact one.
    pub landmarks: Option<PathBuf>,
    /// Frames a second of an image folder, which has no times of its own.
    pub fps: Option<f64>,
}

impl Params {
    /// The published decoding counts windows, so it has one of every frame.
    #[must_use]
    pub fn stride_in_use(&self) -> Stride {
        match self.decode {
            DecodeMode::Default => self.stride,
            DecodeMode::Compat => Stride::Dense,
        }
    }

    /// As result files keep them: files by their names, not by where they lie. What
    /// is in the files is told by their hashes.
    #[must_use]
    pub fn without_folders(&self) -> Self {
        let name =
            |path: &Option<PathBuf>| path.as_deref().and_then(Path::file_name).map(PathBuf::from);
        Self {
            macro_weights: name(&self.macro_weights),
            micro_weights: name(&self.micro_weights),
            landmarks: name(&self.landmarks),
            ..self.clone()
        }
    }
}
