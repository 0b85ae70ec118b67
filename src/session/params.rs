//! Everything a person may choose before an analysis; each stage has its own part.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::pipeline::{MACRO_WINDOW_SECS, MICRO_WINDOW_SECS};
use crate::motion::tvl1::Tvl1Preset;
use crate::motion::windows::Stride;
use crate::spotting::ExpressionKind;

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

/// What scores the windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpotterChoice {
    /// The temporal network; the published decoding cannot read it and takes the
    /// control signal.
    #[default]
    MotionTcn,
    #[serde(rename = "softnet")]
    SoftNet,
    /// No network.
    Control,
}

/// What scores one kind of expression, and with which weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker<'a> {
    /// `None`: the shipped weights.
    MotionTcn(Option<&'a Path>),
    SoftNet(Option<&'a Path>),
    Control,
}

/// How long the flow windows are, seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WindowSecs {
    #[serde(rename = "macro")]
    pub macro_secs: f64,
    #[serde(rename = "micro")]
    pub micro_secs: f64,
}

impl Default for WindowSecs {
    fn default() -> Self {
        Self {
            macro_secs: MACRO_WINDOW_SECS,
            micro_secs: MICRO_WINDOW_SECS,
        }
    }
}

impl WindowSecs {
    #[must_use]
    pub const fn of(&self, kind: ExpressionKind) -> f64 {
        match kind {
            ExpressionKind::Macro => self.macro_secs,
            ExpressionKind::Micro => self.micro_secs,
        }
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether what moved is read beside when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecognitionChoice {
    #[default]
    On,
    Off,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Params {
    pub decode: DecodeMode,
    /// How exactly flows are computed.
    pub flow: Tvl1Preset,
    /// How densely flow windows follow each other in fast recordings.
    pub stride: Stride,
    /// Other lengths than Onset's own are for training by the published protocol.
    #[serde(skip_serializing_if = "WindowSecs::is_default")]
    pub windows: WindowSecs,
    pub device: DeviceChoice,
    pub spotter: SpotterChoice,
    /// MotionTCN weights; `None`: the shipped ones.
    pub tcn_weights: Option<PathBuf>,
    /// SOFTNet weights for macro-expressions, which then speak whatever the spotter.
    pub macro_weights: Option<PathBuf>,
    /// The same for micro-expressions.
    pub micro_weights: Option<PathBuf>,
    /// Whether action units and a class are read.
    pub recognition: RecognitionChoice,
    /// AU-Flow weights; `None`: the shipped ones.
    pub au_weights: Option<PathBuf>,
    /// Weights of networks that look at each candidate besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub second_look: Vec<PathBuf>,
    /// A 68-point predictor; `None`: the installed one, else the compact one.
    pub landmarks: Option<PathBuf>,
    /// Frames a second of an image folder, which has no times of its own.
    pub fps: Option<f64>,
}

impl Params {
    /// Who scores a kind. Somebody's own SOFTNet weights for either kind go before a
    /// network that scores both at once; the other kind then has the control signal.
    #[must_use]
    pub fn speaker(&self, kind: ExpressionKind) -> Speaker<'_> {
        let own = match kind {
            ExpressionKind::Macro => self.macro_weights.as_deref(),
            ExpressionKind::Micro => self.micro_weights.as_deref(),
        };
        let any_own = self.macro_weights.is_some() || self.micro_weights.is_some();
        match (self.spotter, own) {
            (_, Some(path)) => Speaker::SoftNet(Some(path)),
            (SpotterChoice::SoftNet, None) => Speaker::SoftNet(None),
            (SpotterChoice::MotionTcn, None) if !any_own && self.decode == DecodeMode::Default => {
                Speaker::MotionTcn(self.tcn_weights.as_deref())
            }
            (SpotterChoice::MotionTcn | SpotterChoice::Control, None) => Speaker::Control,
        }
    }

    /// Whether any network is used.
    #[must_use]
    pub fn has_network(&self) -> bool {
        let speaks = |kind| self.speaker(kind) != Speaker::Control;
        ExpressionKind::BOTH.into_iter().any(speaks)
    }

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
        let file = |path: &PathBuf| path.file_name().map(PathBuf::from);
        let name = |path: &Option<PathBuf>| path.as_ref().and_then(file);
        Self {
            tcn_weights: name(&self.tcn_weights),
            macro_weights: name(&self.macro_weights),
            micro_weights: name(&self.micro_weights),
            au_weights: name(&self.au_weights),
            second_look: self.second_look.iter().filter_map(file).collect(),
            landmarks: name(&self.landmarks),
            ..self.clone()
        }
    }
}
