//! From frames and faces to the motion of flow windows: a bounded ring of face
//! pictures, one crop transform for both ends of a window, and one flow per pair.

use std::collections::VecDeque;
use std::sync::Arc;

use rayon::prelude::*;

use super::Flow;
use super::engine::{EngineWindow, FlowEngine, Picture};
use super::gpu::GpuFlowError;
use super::grid::FlowGrid;
use super::lucas_kanade::{CellFlow, DetailPicture};
use super::luma::{self, LumaPatch};
use super::roi::{self, RoiMotion};
use super::windows::Window;
use crate::base::{Plane, Point};
use crate::face::crop::HeldCrop;
use crate::face::regions::RegionGeometry;
use crate::face::{CROP_SIDE, Face};
use crate::media::Frame;

/// A network's input: u, v and strain of the stacked ROIs, 42×42 each, scaled to 0..1.
#[derive(Debug, Clone, PartialEq)]
pub enum WindowInput {
    Planes(Box<[Plane; 3]>),
    /// Number `index` of the inputs in a buffer on the card, f32
    /// `[window, 3, 42, 42]`; the next measurement overwrites it.
    OnCard {
        inputs: wgpu::Buffer,
        index: usize,
    },
}

impl WindowInput {
    /// u, v and strain where they lie in memory.
    #[must_use]
    pub fn planes(&self) -> Option<[&Plane; 3]> {
        match self {
            Self::Planes(planes) => Some(planes.each_ref()),
            Self::OnCard { .. } => None,
        }
    }
}

/// What the pixels of one window say.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowMotion {
    pub input: WindowInput,
    /// The least and the greatest value of u, v and strain before they were scaled to
    /// 0..1; `None` where the input stays on the card.
    pub input_ranges: Option<[[f32; 2]; 3]>,
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
    /// The flow over the whole face, coarsely: what temporal networks read.
    pub grid: FlowGrid,
    /// The same by least squares; `None` unless asked for.
    pub cells: Option<CellFlow>,
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

    /// From the flow of a window, at its nominal length, and the regions of its crop.
    #[must_use]
    pub fn of(flow: &Flow, regions: &RegionGeometry) -> Self {
        let motion = RoiMotion::new(flow, regions);
        Self {
            input: WindowInput::Planes(Box::new(motion.scaled())),
            input_ranges: Some(motion.ranges()),
            strain: motion.mean_strain,
            nose_strain: motion.nose_strain,
            strain_as_coded: motion.control,
            head_px: motion.head,
            roi_p95_px: motion.residual_p95,
            regions: motion.regions,
            grid: motion.grid,
            cells: None,
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
    picture: Picture,
    /// `None` where nobody reads [`WindowMotion::cells`].
    detail: Option<DetailPicture>,
}

/// Holds the frames that windows still to come can need, and measures windows.
#[derive(Debug)]
pub struct MotionPipeline {
    ring: VecDeque<Kept>,
    stretch: u32,
    engine: FlowEngine,
    cells: bool,
}

impl MotionPipeline {
    #[must_use]
    pub fn new(engine: FlowEngine) -> Self {
        Self {
            ring: VecDeque::new(),
            stretch: 0,
            engine,
            cells: false,
        }
    }

    /// From the next frame on windows also have their flow by least squares.
    pub fn want_cells(&mut self) {
        self.cells = true;
    }

    /// Where flow is computed.
    #[must_use]
    pub fn engine(&self) -> &FlowEngine {
        &self.engine
    }

    /// How many frames are held for windows still to come.
    #[must_use]
    pub fn frames_kept(&self) -> usize {
        self.ring.len()
    }

    /// Frames are missing before the next one: no window may contain the hole.
    pub fn break_here(&mut self) {
        self.stretch += 1;
    }

    /// Takes the next frame with its face and the crop that is held for it.
    ///
    /// # Errors
    /// When the card fails; the frame then counts as one without a face.
    pub fn push(
        &mut self,
        frame: &Frame,
        face: Option<(&Face, Arc<HeldCrop>)>,
    ) -> Result<(), GpuFlowError> {
        let face = face.map(|(face, crop)| {
            let patch = LumaPatch::around(&frame.picture, face.rect);
            let plane = luma::extract(&patch, crop.crop_from_image, CROP_SIDE);
            let detail = self.cells.then(|| DetailPicture::new(&plane));
            let mut ready = self.engine.pictures(&[plane])?;
            Ok(ready.pop().map(|picture| KeptFace {
                detail,
                head: face.rect.center(),
                patch,
                crop,
                picture,
            }))
        });
        let (face, result) = match face.transpose() {
            Ok(face) => (face.flatten(), Ok(())),
            Err(e) => (None, Err(e)),
        };
        self.ring.push_back(Kept {
            frame: frame.index,
            stretch: self.stretch,
            face,
        });
        result
    }

    /// Frames before this one are needed no more.
    pub fn forget_before(&mut self, frame: u64) {
        while self.ring.front().is_some_and(|k| k.frame < frame) {
            let gone = self.ring.pop_front();
            if let Some(face) = gone.and_then(|k| k.face) {
                self.engine.forget(face.picture);
            }
        }
    }

    /// Measures windows, at most [`FlowEngine::batch`] of them; the order of the
    /// answers is theirs.
    ///
    /// # Errors
    /// When the card fails.
    pub fn measure(
        &mut self,
        jobs: &[WindowJob],
    ) -> Result<Vec<Result<WindowMotion, WindowFault>>, GpuFlowError> {
        let Self { ring, engine, .. } = self;
        let pairs: Vec<_> = jobs.iter().map(|job| Pair::of(ring, job)).collect();
        let measurable: Vec<&Pair<'_>> = pairs.iter().flatten().collect();
        // A seam, or a head that moved: the earlier picture is cut out again as the
        // later one is, with the head in the same place.
        let moved: Vec<&Pair<'_>> = (measurable.iter().copied())
            .filter(|pair| !pair.as_it_is())
            .collect();
        let planes: Vec<Plane> = moved.par_iter().map(|pair| pair.cut_again()).collect();
        let again = engine.pictures(&planes)?;
        let mut next = again.iter();
        let pictures: Vec<(&Picture, &Picture)> = (measurable.iter())
            .filter_map(|pair| {
                let first = if pair.as_it_is() {
                    &pair.first.picture
                } else {
                    next.next()?
                };
                Some((first, &pair.second.picture))
            })
            .collect();
        let windows: Vec<EngineWindow<'_>> = (pictures.iter().zip(&measurable))
            .map(|((first, second), pair)| EngineWindow {
                first,
                second,
                scale: pair.scale,
                crop: &pair.second.crop,
            })
            .collect();
        let mut measured = engine.windows(&windows)?;
        let mut cut_again = planes.iter();
        let again_of: Vec<Option<&Plane>> = (measurable.iter())
            .map(|pair| {
                if pair.as_it_is() {
                    None
                } else {
                    cut_again.next()
                }
            })
            .collect();
        (measured.par_iter_mut().zip(&measurable).zip(&again_of)).for_each(
            |((motion, pair), again)| {
                motion.cells = pair.cells(*again, &motion.grid);
                motion.head_px[0] += pair.shift.x * pair.scale;
                motion.head_px[1] += pair.shift.y * pair.scale;
            },
        );
        for picture in again {
            engine.forget(picture);
        }
        let mut measured = measured.into_iter();
        Ok(pairs
            .iter()
            .map(|pair| match pair {
                Ok(_) => measured.next().ok_or(WindowFault::NoFace),
                Err(fault) => Err(*fault),
            })
            .collect())
    }
}

/// Two pictures of one face, both to be seen under the transform of the later one.
struct Pair<'a> {
    first: &'a KeptFace,
    second: &'a KeptFace,
    /// How far the head moved and is followed, whole px of the crop.
    shift: Point,
    /// Brings the flow to the nominal window length.
    scale: f32,
}

impl<'a> Pair<'a> {
    fn of(ring: &'a VecDeque<Kept>, job: &WindowJob) -> Result<Self, WindowFault> {
        let kept = |frame: u64| {
            let at = ring.partition_point(|k| k.frame < frame);
            ring.get(at)
                .filter(|k| k.frame == frame)
                .ok_or(WindowFault::Gap)
        };
        let (start, end) = (kept(job.window.start_frame)?, kept(job.window.end_frame)?);
        if start.stretch != end.stretch {
            return Err(WindowFault::Gap);
        }
        let within = |k: &&Kept| (start.frame..=end.frame).contains(&k.frame);
        if ring.iter().filter(within).any(|k| k.face.is_none()) {
            return Err(WindowFault::NoFace);
        }
        let (Some(first), Some(second)) = (&start.face, &end.face) else {
            return Err(WindowFault::NoFace);
        };
        let to_crop = second.crop.crop_from_image;
        let (from, to) = (to_crop.apply(first.head), to_crop.apply(second.head));
        let secs = job.window.end.secs_since(job.window.start);
        Ok(Self {
            first,
            second,
            // Whole pixels only: the landmarks' jitter, a fraction of one, moves nothing.
            shift: Point::new((to.x - from.x).round(), (to.y - from.y).round()),
            scale: job
                .nominal_secs
                .map_or(1.0, |nominal| (nominal / secs) as f32),
        })
    }

    /// The flow of the cells, from the earlier picture as it is or as it was cut out
    /// again, and TV-L1's.
    fn cells(&self, again: Option<&Plane>, grid: &FlowGrid) -> Option<CellFlow> {
        let (first, second) = self
            .first
            .detail
            .as_ref()
            .zip(self.second.detail.as_ref())?;
        let again = again.map(DetailPicture::new);
        let regions =
            RegionGeometry::from_landmarks(&self.second.crop.landmarks_in_crop, CROP_SIDE);
        let face = roi::face_pixels(&regions, CROP_SIDE, CROP_SIDE);
        let first = again.as_ref().unwrap_or(first);
        Some(CellFlow::between(first, second, grid, self.scale, &face))
    }

    /// Whether the earlier picture was cut out as the later one already.
    fn as_it_is(&self) -> bool {
        self.first.crop.id == self.second.crop.id && self.shift == Point::default()
    }

    fn cut_again(&self) -> Plane {
        let mut crop_from_image = self.second.crop.crop_from_image;
        crop_from_image.tx += self.shift.x;
        crop_from_image.ty += self.shift.y;
        luma::extract(&self.first.patch, crop_from_image, CROP_SIDE)
    }
}
