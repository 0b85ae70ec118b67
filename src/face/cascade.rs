//! A cascade of regression trees that moves 68 points onto a face (Kazemi and
//! Sullivan, CVPR 2014), evaluated as dlib does it, so that its models give the
//! same points.
//!
//! Shapes are 136 numbers, x0 y0 x1 y1 …, in units of the face box.

use crate::base::{Point, Rect};

use super::Landmarks;
use super::dlib_model::Malformed;

pub(crate) const POINTS: usize = 68;
pub(crate) const COORDS: usize = 2 * POINTS;
/// Trees of depth four.
pub(crate) const SPLITS: usize = 15;
pub(crate) const LEAVES: usize = 16;

/// 136 coordinates in box units.
pub(crate) type Shape = [f32; COORDS];

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Split {
    pub(crate) first: u16,
    pub(crate) second: u16,
    /// Goes to the left child when `pixel[first] - pixel[second]` is greater.
    pub(crate) threshold: i16,
}

/// `[tree, leaf, 136]`, in box units.
#[derive(Debug, Clone)]
pub(crate) struct FullLeaves(pub(crate) Vec<f32>);

/// Leaves as whole multiples of a step in a basis of `components` vectors.
#[derive(Debug, Clone)]
pub(crate) struct CodedLeaves {
    pub(crate) components: usize,
    /// `[component, 136]`.
    pub(crate) basis: Vec<f32>,
    /// `[tree, component]`: the value of one code unit.
    pub(crate) steps: Vec<f32>,
    /// `[tree, leaf, component]`.
    pub(crate) codes: Vec<i8>,
}

#[derive(Debug, Clone)]
pub(crate) enum Leaves {
    Full(FullLeaves),
    Coded(CodedLeaves),
}

#[derive(Debug, Clone)]
pub(crate) struct Cascade {
    /// The point each sampled pixel belongs to.
    pub(crate) anchors: Vec<u8>,
    /// The pixel's offset from its point, in box units of the mean shape.
    pub(crate) deltas: Vec<[f32; 2]>,
    /// `[tree, split]`.
    pub(crate) splits: Vec<Split>,
    pub(crate) leaves: Leaves,
}

#[derive(Debug, Clone)]
pub(crate) struct ShapeModel {
    pub(crate) initial: Shape,
    pub(crate) cascades: Vec<Cascade>,
}

/// A picture the trees look into: grey 0..255, 0 outside.
pub(crate) trait GreySource {
    fn grey(&self, x: i64, y: i64) -> i16;
}

/// dlib's grey: the mean of the three channels, rounded down. With another grey
/// not one face of the reference comes out equal.
impl GreySource for image::RgbImage {
    #[inline]
    fn grey(&self, x: i64, y: i64) -> i16 {
        if x < 0 || y < 0 || x >= i64::from(self.width()) || y >= i64::from(self.height()) {
            return 0;
        }
        let at = 3 * (y as usize * self.width() as usize + x as usize);
        match self.as_raw().get(at..at + 3) {
            Some(&[r, g, b]) => (i16::from(r) + i16::from(g) + i16::from(b)) / 3,
            _ => 0,
        }
    }
}

impl ShapeModel {
    /// The indices inside fit the tables; what evaluation then relies on.
    pub(crate) fn check(&self) -> Result<(), Malformed> {
        for (c, cascade) in self.cascades.iter().enumerate() {
            let pixels = cascade.anchors.len();
            if cascade.deltas.len() != pixels {
                return Err(format!(
                    "cascade {c} has {pixels} anchors and {} offsets",
                    cascade.deltas.len()
                ));
            }
            if let Some(s) = cascade
                .splits
                .iter()
                .find(|s| usize::from(s.first.max(s.second)) >= pixels)
            {
                return Err(format!(
                    "cascade {c} compares pixels {} and {} of {pixels}",
                    s.first, s.second
                ));
            }
            if cascade.anchors.iter().any(|&a| usize::from(a) >= POINTS) {
                return Err(format!("cascade {c} anchors a pixel beyond point 67"));
            }
            let trees = cascade.splits.len() / SPLITS;
            let fits = match &cascade.leaves {
                Leaves::Full(FullLeaves(v)) => v.len() == trees * LEAVES * COORDS,
                Leaves::Coded(l) => {
                    l.basis.len() == l.components * COORDS
                        && l.steps.len() == trees * l.components
                        && l.codes.len() == trees * LEAVES * l.components
                }
            };
            if !fits {
                return Err(format!("the leaves of cascade {c} do not fit its trees"));
            }
        }
        let finite = self.initial.iter().all(|v| v.is_finite());
        finite
            .then_some(())
            .ok_or_else(|| "its mean shape is not finite".to_owned())
    }

    /// The shape in box units that the cascades reach from the mean shape.
    /// `frame` runs from the centre of the box's first pixel to that of its last.
    pub(crate) fn fit(&self, picture: &impl GreySource, frame: Rect) -> Shape {
        let mut shape = self.initial;
        let mut pixels = Vec::new();
        for cascade in &self.cascades {
            self.sample(cascade, &shape, picture, frame, &mut pixels);
            cascade.step(&pixels, &mut shape);
        }
        shape
    }

    /// All pixels of a cascade, sampled from the shape at its start.
    fn sample(
        &self,
        cascade: &Cascade,
        shape: &Shape,
        picture: &impl GreySource,
        frame: Rect,
        pixels: &mut Vec<i16>,
    ) {
        let [a, b] = turn_and_scale(&self.initial, shape);
        let (left, top) = (f64::from(frame.x), f64::from(frame.y));
        let (width, height) = (f64::from(frame.w), f64::from(frame.h));
        pixels.clear();
        pixels.extend(
            cascade
                .anchors
                .iter()
                .zip(&cascade.deltas)
                .map(|(&anchor, &[dx, dy])| {
                    let anchor = 2 * usize::from(anchor);
                    let x = a * dx - b * dy + shape[anchor];
                    let y = b * dx + a * dy + shape[anchor + 1];
                    let column = (left + f64::from(x) * width + 0.5).floor();
                    let row = (top + f64::from(y) * height + 0.5).floor();
                    picture.grey(column as i64, row as i64)
                }),
        );
    }
}

impl Cascade {
    fn step(&self, pixels: &[i16], shape: &mut Shape) {
        let leaf_of = |splits: &[Split]| {
            let mut node = 0;
            while let Some(s) = splits.get(node) {
                let difference = pixels[usize::from(s.first)] - pixels[usize::from(s.second)];
                node = 2 * node + if difference > s.threshold { 1 } else { 2 };
            }
            node - SPLITS
        };
        let trees = self.splits.chunks_exact(SPLITS);
        match &self.leaves {
            // One tree after the other in f32: another order of addition changes
            // the last bit, the bit flips a sampled pixel, and the points differ.
            Leaves::Full(FullLeaves(values)) => {
                for (splits, leaves) in trees.zip(values.chunks_exact(LEAVES * COORDS)) {
                    let at = leaf_of(splits) * COORDS;
                    for (s, v) in shape.iter_mut().zip(&leaves[at..at + COORDS]) {
                        *s += v;
                    }
                }
            }
            Leaves::Coded(coded) => {
                let n = coded.components;
                let mut sums = vec![0f32; n];
                for ((splits, codes), steps) in trees
                    .zip(coded.codes.chunks_exact(LEAVES * n))
                    .zip(coded.steps.chunks_exact(n))
                {
                    let at = leaf_of(splits) * n;
                    for ((sum, &code), step) in sums.iter_mut().zip(&codes[at..at + n]).zip(steps) {
                        *sum += f32::from(code) * step;
                    }
                }
                for (sum, vector) in sums.iter().zip(coded.basis.chunks_exact(COORDS)) {
                    for (s, v) in shape.iter_mut().zip(vector) {
                        *s += sum * v;
                    }
                }
            }
        }
    }
}

/// `[a, b]` of the rotation and scale [[a, −b], [b, a]] that takes `from` to `to`
/// with the least squared error, both centred.
fn turn_and_scale(from: &Shape, to: &Shape) -> [f32; 2] {
    let mean = |s: &Shape| {
        let (mut x, mut y) = (0.0, 0.0);
        for p in s.chunks_exact(2) {
            x += f64::from(p[0]);
            y += f64::from(p[1]);
        }
        (x / POINTS as f64, y / POINTS as f64)
    };
    let ((fx, fy), (tx, ty)) = (mean(from), mean(to));
    let (mut dot, mut cross, mut norm) = (0.0, 0.0, 0.0);
    for (f, t) in from.chunks_exact(2).zip(to.chunks_exact(2)) {
        let (px, py) = (f64::from(f[0]) - fx, f64::from(f[1]) - fy);
        let (qx, qy) = (f64::from(t[0]) - tx, f64::from(t[1]) - ty);
        dot += px * qx + py * qy;
        cross += px * qy - py * qx;
        norm += px * px + py * py;
    }
    if norm > 0.0 {
        [(dot / norm) as f32, (cross / norm) as f32]
    } else {
        [1.0, 0.0]
    }
}

/// Box units to image pixels; fractions are kept.
pub(crate) fn to_image(shape: &Shape, frame: Rect) -> Landmarks {
    let (left, top) = (f64::from(frame.x), f64::from(frame.y));
    let (width, height) = (f64::from(frame.w), f64::from(frame.h));
    let mut points = [Point::default(); POINTS];
    for (point, s) in points.iter_mut().zip(shape.chunks_exact(2)) {
        point.x = (left + f64::from(s[0]) * width) as f32;
        point.y = (top + f64::from(s[1]) * height) as f32;
    }
    Landmarks(points)
}
