//! From frames and faces to the motion of flow windows: a bounded ring of face
//! pictures, one crop transform for both ends of a window, and one flow per pair.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use rayon::prelude::*;

use super::Flow;
use super::luma::{self, LumaPatch};
use super::pyramid::Pyramid;
use super::roi::RoiMotion;
use super::tvl1::{Tvl1, Tvl1Params};
use super::windows::Window;
use crate::base::{Plane, Point};
use crate::face::crop::HeldCrop;
use crate::face::regions::RegionGeometry;
use crate::face::{CROP_SIDE, Face};
use crate::media::Frame;

/// What the pixels of one window say.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowMotion {
    /// u, v and strain of the stacked ROIs, 42×42 each, scaled to 0..1: a network's input.
    pub input: [Plane; 3],
    /// Mean strain over the brows and over the mouth, eyes left out.
    pub strain: [f64; 2],
    /// Mean strain of the nose.
    pub nose_strain: f64,
    /// Sum of the strain over the ROIs less the nose's, as S4 codes its control.
    pub strain_as_coded: f64,
    /// How far the head moved over the window (x, y), px of the crop.
    pub head_px: [f32; 2],
    /// 95th percentile over the ROIs of the flow's length after nose subtraction, px.
    pub roi_p95_px: f32,
    /// Signed mean flow (u, v) of six regions after nose subtraction, px.
    pub regions: [f32; 12],
}

/// Strain that a head's turn makes for each pixel its nose moves: on a head of
/// radius r a turn by θ moves the nose by r·θ and stretches the face by about θ.
const STRAIN_PER_HEAD_PX: f64 = 2.0 / CROP_SIDE as f64;

/// What TV-L1 leaves at most on a still face in compressed video.
const NOISE_STRAIN: f64 = 0.015;

impl WindowMotion {
    /// How far the head moved over the window, px of the crop.
    #[must_use]
    pub fn head_length_px(&self) -> f32 {
        self.head_px[0].hypot(self.head_px[1])
    }

    /// The control signal: the strain of brows or mouth, whichever is more (a small
    /// expression moves one of them), beyond what noise and the head's own motion
    /// explain, at least 0. The nose tells the noise, which is the same all over the
    /// face, but a broad smile stretches it as well: so up to a bound only.
    #[must_use]
    pub fn control(&self) -> f64 {
        let noise = self.nose_strain.min(NOISE_STRAIN);
        let turning = STRAIN_PER_HEAD_PX * f64::from(self.head_length_px());
        (self.strain[0].max(self.strain[1]) - noise - turning).max(0.0)
    }

    /// From the flow of a window and the regions of its crop.
    #[must_use]
    pub fn of(flow: &Flow, regions: &RegionGeometry) -> Self {
        let motion = RoiMotion::new(flow, regions);
        Self {
            input: motion.scaled(),
            strain: motion.mean_strain,
            nose_strain: motion.nose_strain,
            strain_as_coded: motion.control,
            head_px: motion.head,
            roi_p95_px: motion.residual_p95,
            regions: motion.regions,
        }
    }
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
    /// Where the head is, by points that hardly any expression moves; image pixels.
    head: Point,
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
}

impl MotionPipeline {
    #[must_use]
    pub fn new(params: Tvl1Params) -> Self {
        Self {
            ring: VecDeque::new(),
            stretch: 0,
            solvers: Vec::new(),
            params,
        }
    }

    /// Frames are missing before the next one: no window may contain the hole.
    pub fn break_here(&mut self) {
        self.stretch += 1;
    }

    /// Takes the next frame with its face and the crop that is held for it.
    pub fn push(&mut self, frame: &Frame, face: Option<(&Face, Arc<HeldCrop>)>) {
        let face = face.map(|(face, crop)| {
            let patch = LumaPatch::around(&frame.picture, face.rect);
            let plane = luma::extract(&patch, crop.crop_from_image, CROP_SIDE);
            let pyramid = self.pyramid(&plane);
            KeptFace {
                head: face.rect.center(),
                patch,
                crop,
                pyramid,
            }
        });
        self.ring.push_back(Kept {
            frame: frame.index,
            stretch: self.stretch,
            face,
        });
    }

    /// Frames before this one are needed no more.
    pub fn forget_before(&mut self, frame: u64) {
        while self.ring.front().is_some_and(|k| k.frame < frame) {
            self.ring.pop_front();
        }
    }

    /// Measures windows, several at a time; the order of the answers is theirs.
    pub fn measure(&mut self, jobs: &[WindowJob]) -> Vec<Result<WindowMotion, WindowFault>> {
        let mut solvers = std::mem::take(&mut self.solvers);
        solvers.resize_with(solvers.len().max(jobs.len()), || Tvl1::new(self.params));
        let solve =
            |(job, solver): (&WindowJob, &mut Tvl1)| self.pair(job).and_then(|p| p.measure(solver));
        let measured = jobs.par_iter().zip(&mut solvers).map(solve).collect();
        self.solvers = solvers;
        measured
    }

    /// Both ends of a window under the transform of its later frame.
    fn pair(&self, job: &WindowJob) -> Result<Pair<'_>, WindowFault> {
        let (start, end) = (
            self.kept(job.window.start_frame)?,
            self.kept(job.window.end_frame)?,
        );
        let within = self
            .ring
            .iter()
            .filter(|k| (start.frame..=end.frame).contains(&k.frame));
        if start.stretch != end.stretch {
            return Err(WindowFault::Gap);
        }
        if within.into_iter().any(|k| k.face.is_none()) {
            return Err(WindowFault::NoFace);
        }
        let (Some(a), Some(b)) = (&start.face, &end.face) else {
            return Err(WindowFault::NoFace);
        };
        let (from, to) = (
            b.crop.crop_from_image.apply(a.head),
            b.crop.crop_from_image.apply(b.head),
        );
        // Whole pixels only: the landmarks' jitter, a fraction of one, moves nothing.
        let shift = Point::new((to.x - from.x).round(), (to.y - from.y).round());
        let first = if a.crop.id == b.crop.id && shift == Point::default() {
            Cow::Borrowed(&a.pyramid)
        } else {
            // A seam, or a head that moved: the earlier picture is cut out again as
            // the later one is, with the head in the same place.
            let mut crop_from_image = b.crop.crop_from_image;
            crop_from_image.tx += shift.x;
            crop_from_image.ty += shift.y;
            let plane = luma::extract(&a.patch, crop_from_image, CROP_SIDE);
            Cow::Owned(self.pyramid(&plane))
        };
        let secs = job.window.end.secs_since(job.window.start);
        let scale = job
            .nominal_secs
            .map_or(1.0, |nominal| (nominal / secs) as f32);
        Ok(Pair {
            first,
            second: &b.pyramid,
            crop: &b.crop,
            shift,
            scale,
        })
    }

    fn kept(&self, frame: u64) -> Result<&Kept, WindowFault> {
        let at = self.ring.partition_point(|k| k.frame < frame);
        self.ring
            .get(at)
            .filter(|k| k.frame == frame)
            .ok_or(WindowFault::Gap)
    }

    fn pyramid(&self, plane: &Plane) -> Pyramid {
        Pyramid::new(
            plane,
            self.params.scales,
            self.params.scale_step,
            self.params.border,
        )
    }
}

/// Two pictures of one face under one transform.
struct Pair<'a> {
    first: Cow<'a, Pyramid>,
    second: &'a Pyramid,
    crop: &'a HeldCrop,
    /// How far the head moved and was followed, whole px of the crop.
    shift: Point,
    /// Brings the flow to the nominal window length.
    scale: f32,
}

impl Pair<'_> {
    fn measure(self, solver: &mut Tvl1) -> Result<WindowMotion, WindowFault> {
        // Both crops have one size, so the solver has nothing to refuse.
        let flow = solver
            .flow_between(&self.first, self.second)
            .map_err(|_unequal| WindowFault::NoFace)?;
        let flow = if self.scale == 1.0 {
            flow
        } else {
            flow.scaled(self.scale)
        };
        let regions = RegionGeometry::from_landmarks(&self.crop.landmarks_in_crop, CROP_SIDE);
        let mut motion = WindowMotion::of(&flow, &regions);
        let [x, y] = motion.head_px;
        let followed = Point::new(self.shift.x * self.scale, self.shift.y * self.scale);
        motion.head_px = [x + followed.x, y + followed.y];
        Ok(motion)
    }
}
