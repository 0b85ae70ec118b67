//! Lagrangian motion magnification (GLMM, S1): the reference picture is bent by its
//! own motion made σ times as large, I_T = warp(I_ref, σ·(u, v)).
//!
//! The flow says where each pixel of the *reference* went, so what is at p must
//! appear at p + σ·(u, v)(p). A plain look-up at q − σ·(u, v)(q) would take the
//! motion of the place where something arrives, not of the thing that arrives
//! there, which differ once σ·(u, v) leaves the moving part. So a mesh with a node
//! at every pixel is moved, and every pixel of the result looks up, bicubically,
//! the point of the reference that its triangle brings there. The mesh's rim is
//! held outside the picture: it has no holes, and where it folds the part that
//! moves more lies on top. Kernels: `shaders/glmm.wgsl`
//! ([`crate::motion::gpu::glmm`]); CPU twin: [`crate::motion::cpu::glmm`].
//!
//! TV-L1's flow is piecewise flat with steps between: magnified, a step tears the
//! skin. So the flow is smoothed first (on a brow raise the torn pieces go at about
//! a fiftieth of the face); S1 has no such step.

use image::RgbImage;

use super::magnify::MagnifyError;
use super::tvl1::{self, Tvl1, Tvl1Params};
use super::{Flow, cpu};
use crate::base::{Plane, Timestamp};
use crate::gpu::{GpuContext, GpuError};
use crate::motion::cadence;
use crate::motion::gpu::Tvl1Gpu;
use crate::motion::gpu::glmm::GpuWarp;
use crate::motion::luma::LumaPatch;
use crate::motion::pyramid::Pyramid;

/// The usual gain (S1).
pub const SIGMA: f64 = 9.0;

/// Nothing is moved further than this part of the picture's shorter side: beyond it
/// a face is not recognisable, and the mesh's triangles grow without bound.
const FURTHEST: f32 = 0.25;

/// Standard deviation of the flow's smoothing, in parts of the picture's shorter side.
const SMOOTHING: f32 = 1.0 / 48.0;

/// The motion to apply: `sigma` times the flow, in pixels, no further than
/// [`FURTHEST`] allows; what is not finite becomes rest.
#[must_use]
pub fn displacement(flow: &Flow, sigma: f32) -> Flow {
    displacement_about(flow, sigma, [0.0; 2])
}

/// The same with a motion, in pixels, that is kept as it is: only what differs from
/// it becomes `sigma` times as large. For a face, that of the head.
#[must_use]
pub fn displacement_about(flow: &Flow, sigma: f32, kept: [f32; 2]) -> Flow {
    let furthest = FURTHEST * flow.u.width.min(flow.u.height) as f32;
    let mut moved = flow.clone();
    for (u, v) in moved.u.data.iter_mut().zip(&mut moved.v.data) {
        let [x, y] = [(*u, kept[0]), (*v, kept[1])].map(|(d, k)| k + sigma * (d - k));
        let length = x.hypot(y);
        let keep = if length > furthest {
            furthest / length
        } else {
            1.0
        };
        (*u, *v) = if length.is_finite() {
            (x * keep, y * keep)
        } else {
            (0.0, 0.0)
        };
    }
    moved
}

/// The flow without its steps: a Gaussian over a 48th of the picture's shorter side.
#[must_use]
pub fn smoothed(flow: &Flow) -> Flow {
    let deviation = SMOOTHING * flow.u.width.min(flow.u.height) as f32;
    let reach = (3.0 * deviation).ceil() as usize;
    let weights: Vec<f32> = (0..=reach)
        .map(|d| (-0.5 * (d as f32 / deviation.max(1e-3)).powi(2)).exp())
        .collect();
    let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
    let weights: Vec<f32> = weights.into_iter().map(|w| w / sum).collect();
    Flow {
        u: smoothed_down(&smoothed_across(&flow.u, &weights), &weights),
        v: smoothed_down(&smoothed_across(&flow.v, &weights), &weights),
    }
}

/// `weights` of the distances 0, 1, …; the border is repeated.
fn smoothed_down(plane: &Plane, weights: &[f32]) -> Plane {
    let mut out = Plane::zeros(plane.width, plane.height);
    for y in 0..plane.height {
        let row = out.row_mut(y);
        for (distance, weight) in weights.iter().enumerate() {
            let above = plane.row(y.saturating_sub(distance));
            let below = plane.row((y + distance).min(plane.height - 1));
            // The middle is met once only.
            let weight = if distance == 0 { 0.5 * weight } else { *weight };
            for ((out, a), b) in row.iter_mut().zip(above).zip(below) {
                *out += weight * (a + b);
            }
        }
    }
    out
}

fn smoothed_across(plane: &Plane, weights: &[f32]) -> Plane {
    let mut out = Plane::zeros(plane.width, plane.height);
    let last = plane.width.saturating_sub(1);
    for y in 0..plane.height {
        let row = plane.row(y);
        for (x, out) in out.row_mut(y).iter_mut().enumerate() {
            *out = weights[0] * row[x];
            for (distance, weight) in weights.iter().enumerate().skip(1) {
                let (left, right) = (x.saturating_sub(distance), (x + distance).min(last));
                *out += weight * (row[left] + row[right]);
            }
        }
    }
    out
}

/// How the head moved: the median of the flow, component by component, which an
/// expression, on the smaller part of a face, does not change.
#[must_use]
pub fn median_motion(flow: &Flow) -> [f32; 2] {
    [&flow.u, &flow.v].map(|plane| {
        let mut values: Vec<f32> = plane.data.clone();
        let middle = values.len() / 2;
        if values.is_empty() {
            return 0.0;
        }
        let (_, median, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
        if median.is_finite() { *median } else { 0.0 }
    })
}

/// A flow between small pictures for larger ones of the same content, `width`×`height`.
#[must_use]
pub fn enlarged(flow: &Flow, width: usize, height: usize) -> Flow {
    let scale = |large: usize, small: usize| large as f32 / small.max(1) as f32;
    let (sx, sy) = (scale(width, flow.u.width), scale(height, flow.u.height));
    let resized = |plane: &Plane, by: f32| {
        let mut out = Plane::zeros(width, height);
        for y in 0..height {
            let from_y = (y as f32 + 0.5) / sy - 0.5;
            for (x, value) in out.row_mut(y).iter_mut().enumerate() {
                *value = by * plane.bilinear((x as f32 + 0.5) / sx - 0.5, from_y);
            }
        }
        out
    };
    Flow {
        u: resized(&flow.u, sx),
        v: resized(&flow.v, sy),
    }
}

/// What the motion is measured against.
#[derive(Debug)]
struct Reference {
    picture: RgbImage,
    grey: Plane,
    /// Of `grey`, where the processor computes the flow.
    pyramid: Option<Pyramid>,
    /// Index and time of the last frame.
    last: (u64, Timestamp),
}

/// Magnifies a recording frame by frame against its first one.
#[derive(Debug)]
pub struct Glmm {
    tvl1: Tvl1,
    sigma: f64,
    keep_head: bool,
    fps: f64,
    reference: Option<Reference>,
    card: Option<Box<Card>>,
}

/// Flow and mesh on the graphics card.
#[derive(Debug)]
struct Card {
    context: GpuContext,
    tvl1: Tvl1Gpu,
    warp: Option<GpuWarp>,
}

impl Glmm {
    /// For frames that come `fps` a second, moved `sigma` times as far; flow with
    /// `params`.
    ///
    /// # Errors
    /// When `sigma` is not between 0 and 1000.
    pub fn new(sigma: f64, params: Tvl1Params, fps: f64) -> Result<Self, MagnifyError> {
        if !(0.0..=1000.0).contains(&sigma) {
            return Err(MagnifyError::Parameter {
                name: "alpha",
                value: sigma,
                remedy: "0 to 1000, such as 9",
            });
        }
        Ok(Self {
            tvl1: Tvl1::new(params),
            sigma,
            keep_head: false,
            fps,
            reference: None,
            card: None,
        })
    }

    /// For pictures of a face: the head's own motion ([`median_motion`]) stays as it is.
    #[must_use]
    pub fn keeping_the_head(mut self) -> Self {
        self.keep_head = true;
        self
    }

    /// Flow is computed and pictures are bent on this graphics card.
    ///
    /// # Errors
    /// When the adapter refuses a kernel.
    pub fn on_gpu(mut self, context: &GpuContext) -> Result<Self, MagnifyError> {
        self.card = Some(Box::new(Card {
            context: context.clone(),
            tvl1: Tvl1Gpu::new(context, *self.tvl1.params())?,
            warp: None,
        }));
        Ok(self)
    }

    /// The next frame is the reference.
    pub fn restart(&mut self) {
        self.reference = None;
    }

    /// Takes the frame `index` and gives the reference as it would look if it had
    /// moved there σ times as far. A frame that does not follow the last one (another
    /// index, a pause, another size) is the new reference and comes back as it is.
    ///
    /// # Errors
    /// When the picture is too small for flow or the graphics card fails.
    pub fn push(
        &mut self,
        picture: &RgbImage,
        index: u64,
        at: Timestamp,
    ) -> Result<RgbImage, MagnifyError> {
        let grey = LumaPatch::whole(picture).plane();
        let pyramid = self.card.is_none().then(|| self.tvl1.pyramid(&grey));
        let follows = |r: &Reference| {
            r.picture.dimensions() == picture.dimensions()
                && cadence::follows(r.last, index, at, self.fps)
        };
        let Some(mut reference) = self.reference.take().filter(follows) else {
            let size = (grey.width, grey.height);
            tvl1::check(size, size)?;
            self.reference = Some(Reference {
                picture: picture.clone(),
                grey,
                pyramid,
                last: (index, at),
            });
            return Ok(picture.clone());
        };
        reference.last = (index, at);
        let reference = self.reference.insert(reference);
        let flow = match (&mut self.card, &reference.pyramid, &pyramid) {
            (None, Some(first), Some(second)) => self.tvl1.flow_between(first, second)?,
            (None, ..) => self.tvl1.flow(&reference.grey, &grey)?,
            (Some(card), ..) => {
                let mut done = card.tvl1.flows(&[(&reference.grey, &grey)])?;
                let lost = || GpuError::Readback {
                    label: "motion.glmm".to_owned(),
                    reason: "the flow is missing".to_owned(),
                };
                done.flows.pop().ok_or_else(lost)?
            }
        };
        let flow = smoothed(&flow);
        let kept = if self.keep_head {
            median_motion(&flow)
        } else {
            [0.0; 2]
        };
        let moved = displacement_about(&flow, self.sigma as f32, kept);
        let Some(card) = &mut self.card else {
            return Ok(cpu::glmm::warp(&reference.picture, &moved));
        };
        let (width, height) = picture.dimensions();
        let fits = card.warp.take().filter(|w| w.size() == (width, height));
        let warp = card.warp.insert(match fits {
            Some(warp) => warp,
            None => GpuWarp::new(&card.context, width, height)?,
        });
        Ok(warp.warp(&reference.picture, &moved)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enlarged_flow_moves_the_same_content_as_far() {
        let mut flow = Flow::zeros(4, 2);
        flow.u.data.fill(1.0);
        flow.v.data.fill(-0.5);
        let large = enlarged(&flow, 8, 6);
        assert!(large.u.data.iter().all(|u| *u == 2.0));
        assert!(large.v.data.iter().all(|v| *v == -1.5));
    }

    #[test]
    fn a_displacement_is_finite_and_bounded() {
        let mut flow = Flow::zeros(40, 20);
        flow.u.data[3] = f32::NAN;
        flow.v.data[4] = 100.0;
        flow.u.data[5] = 0.5;
        let moved = displacement(&flow, 4.0);
        assert_eq!(
            (moved.u.data[3], moved.v.data[4], moved.u.data[5]),
            (0.0, 5.0, 2.0)
        );
    }

    #[test]
    fn smoothing_keeps_an_even_motion_and_rounds_a_step() {
        let mut flow = Flow::zeros(96, 60);
        flow.v.data.fill(1.5);
        for (i, u) in flow.u.data.iter_mut().enumerate() {
            *u = if i % 96 < 48 { 0.0 } else { 1.0 };
        }
        let smooth = smoothed(&flow);
        assert!(smooth.v.data.iter().all(|v| (v - 1.5).abs() < 1e-5));
        let steps = |f: &Flow| {
            (1..96)
                .map(|x| f.u.at(x, 30) - f.u.at(x - 1, 30))
                .fold(0.0, f32::max)
        };
        assert!(steps(&smooth) < 0.4 * steps(&flow));
        assert!(smooth.u.at(20, 5).abs() < 1e-5 && (smooth.u.at(80, 5) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn the_heads_motion_stays_and_the_rest_grows() {
        let mut flow = Flow::zeros(40, 40);
        flow.u.data.fill(2.0);
        flow.v.data[7] = 0.5;
        let head = median_motion(&flow);
        assert_eq!(head, [2.0, 0.0]);
        let moved = displacement_about(&flow, 6.0, head);
        assert_eq!((moved.u.data[7], moved.v.data[7]), (2.0, 3.0));
        assert_eq!((moved.u.data[0], moved.v.data[0]), (2.0, 0.0));
    }

    #[test]
    fn a_picture_too_small_for_flow_is_refused_at_once() {
        let mut glmm = Glmm::new(SIGMA, Tvl1Params::default(), 30.0).unwrap();
        let error = glmm.push(&RgbImage::new(7, 40), 0, Timestamp::ZERO);
        assert!(matches!(error, Err(MagnifyError::Flow(_))));
        assert!(Glmm::new(-1.0, Tvl1Params::default(), 30.0).is_err());
    }
}
