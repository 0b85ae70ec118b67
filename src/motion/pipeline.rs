//! From frames and faces to the motion of flow windows: a bounded ring of face
//! pictures, one crop transform for both ends of a window, and one flow per pair.

use std::collections::VecDeque;
use std::sync::Arc;

use rayon::prelude::*;

use super::luma::{self, LumaPatch};
use super::pyramid::Pyramid;
use super::roi::{self, RoiMotion};
use super::tvl1::{Tvl1, Tvl1Params};
use super::windows::Window;
use crate::base::Plane;
use crate::face::crop::HeldCrop;
use crate::face::regions::RegionGeometry;
use crate::face::{CROP_SIDE, Face};
use crate::media::Frame;

/// What the pixels of one window say.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowMotion {
    /// u, v and strain of the stacked ROIs, 42×42 each, scaled to 0..1: a network's input.
    pub input: [Plane; 3],
    /// Mean strain over the ROIs, nose and eyes accounted for: the control signal.
    pub strain: f64,
    /// Length of the nose's own mean flow, px of the crop over the window.
    pub nose_px: f32,
    /// 95th percentile over the ROIs of the flow's length after nose subtraction, px.
    pub roi_p95_px: f32,
    /// Signed mean flow (u, v) of six regions after nose subtraction, px.
    pub regions: [f32; 12],
}

/// Why a window has no motion to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowFault {
    NoFace,
    Gap,
}

/// A window to measure.
#[derive(Debug, Clone, Copy)]
pub struct WindowJob {
    pub window: Window,
    /// Rescale the flow to this spacing, where frame intervals vary.
    pub nominal_secs: Option<f64>,
}

/// One frame of the ring.
#[derive(Debug)]
struct Kept {
    frame: u64,
    /// Rises at every gap: windows do not reach across.
    stretch: u32,
    face: Option<KeptFace>,
}

#[derive(Debug)]
struct KeptFace {
    patch: LumaPatch,
    crop: Arc<HeldCrop>,
    pyramid: Pyramid,
}

/// Holds the frames that windows still to come can need, and measures windows.
#[derive(Debug)]
pub struct MotionPipeline {
    ring: VecDeque<Kept>,
    stretch: u32,
    /// One solver a concurrent pair; each keeps its working memory.
    solvers: Vec<Tvl1>,
    params: Tvl1Params,
    regions: Option<(u32, RegionGeometry)>,
}
