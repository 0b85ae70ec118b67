//! From a flow to what SOFTNet sees: the head's motion taken away, the eyes left
//! out, two rectangles resampled and scaled (S4 as coded). The same steps give
//! the control signal, which needs no network, and tell how much the head and the
//! face moved.

use super::Flow;
use super::grid::FlowGrid;
use super::pyramid::resize_bilinear;
use super::strain;
use crate::base::{Plane, Point};
use crate::face::regions::{PixelRect, RegionGeometry};

/// Side of the assembled input in pixels.
pub const INPUT_SIDE: usize = 42;

/// The flow of one pair as spotting reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct RoiMotion {
    /// |u|, |v| and strain, each 42×42 with the brows above the mouth, before
    /// scaling: px, px, px per px.
    pub raw: [Plane; 3],
    /// Sum of the strain over both rectangles at the crop's own resolution: the
    /// score where there is no network.
    pub control: f64,
    /// Mean strain over the brows and over the mouth, eyes and what lies outside the
    /// face left out, nothing taken away. A smile stretches the nose too: with its
    /// strain subtracted, as the source does, a broad smile can come out below rest.
    pub mean_strain: [f64; 2],
    /// Signed mean flow (u, v) in px, the head's motion taken away and the eyes left
    /// out, of the brow rectangle's left and right half and of the mouth
    /// rectangle's quarters: upper left, upper right, lower left, lower right.
    pub regions: [f32; 12],
    /// Mean strain of the nose window.
    pub nose_strain: f64,
    /// Mean flow of the nose window in px: the head's motion. Zero where the
    /// window lies outside the crop.
    pub head: [f32; 2],
    /// Mean length of the flow in px over both rectangles, the head's motion taken
    /// away and the eyes left out.
    pub residual_mean: f32,
    /// 95th percentile of the same.
    pub residual_p95: f32,
    /// Flow and strain over the face in 16×16 cells, nothing taken away.
    pub grid: FlowGrid,
}

impl RoiMotion {
    /// Assembles the input from a flow on a face crop and the regions of that crop.
    #[must_use]
    pub fn new(flow: &Flow, regions: &RegionGeometry) -> Self {
        let maps = FaceMotion::new(flow, regions);
        let planes = [&maps.u, &maps.v, &maps.strain];
        let rois = [regions.brows, regions.mouth];
        let raw = planes.map(|plane| {
            let halves =
                rois.map(|roi| resize_bilinear(&cut(plane, roi), INPUT_SIDE, INPUT_SIDE / 2).data);
            Plane::from_vec(INPUT_SIDE, INPUT_SIDE, halves.concat())
        });
        let strain = rois.map(|roi| cut(&maps.strain, roi).data).concat();
        let control = strain.iter().map(|&e| f64::from(e)).sum();
        let (residual_mean, residual_p95) = maps.residual(rois);
        Self {
            raw,
            control,
            mean_strain: rois.map(|roi| maps.mean_strain(roi)),
            regions: maps.mean_flows(flow, regions),
            nose_strain: f64::from(maps.rest_strain),
            head: maps.head,
            residual_mean,
            residual_p95,
            grid: maps.grid(flow),
        }
    }

    /// The network's input: every channel of `raw` scaled to 0..1 by its own
    /// minimum and maximum; a constant channel becomes 0.
    #[must_use]
    pub fn scaled(&self) -> [Plane; 3] {
        self.raw.clone().map(min_max)
    }

    /// The least and the greatest value of each channel of `raw`.
    #[must_use]
    pub fn ranges(&self) -> [[f32; 2]; 3] {
        self.raw.each_ref().map(range)
    }
}

/// Flow and strain of a crop with the head's motion taken away and the eyes blank.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceMotion {
    /// |u − mean over the nose|, px.
    pub u: Plane,
    pub v: Plane,
    /// Neighbour-difference strain − its mean over the nose; may be negative.
    pub strain: Plane,
    /// Mean flow of the nose window, px.
    pub head: [f32; 2],
    /// Mean strain of the nose window, which was taken from `strain`.
    rest_strain: f32,
    /// Whether a pixel is not looked at: an eye's, or outside the face.
    skipped: Vec<bool>,
    /// Whether a pixel belongs to an eye and is blank.
    eyes: Vec<bool>,
}

impl FaceMotion {
    #[must_use]
    pub fn new(flow: &Flow, regions: &RegionGeometry) -> Self {
        let (width, height) = (flow.u.width, flow.u.height);
        let mut maps = Self {
            u: flow.u.clone(),
            v: flow.v.clone(),
            strain: strain::forward(flow),
            head: [0.0; 2],
            rest_strain: 0.0,
            skipped: Vec::new(),
            eyes: Vec::new(),
        };
        let nose = |plane: &Plane| cut(plane, regions.nose).mean() as f32;
        maps.head = [nose(&maps.u), nose(&maps.v)];
        let rest = nose(&maps.strain);
        maps.rest_strain = rest;
        maps.u
            .data
            .iter_mut()
            .for_each(|u| *u = (*u - maps.head[0]).abs());
        maps.v
            .data
            .iter_mut()
            .for_each(|v| *v = (*v - maps.head[1]).abs());
        maps.strain.data.iter_mut().for_each(|e| *e -= rest);
        (maps.eyes, maps.skipped) = masks(regions, width, height);
        for plane in [&mut maps.u, &mut maps.v, &mut maps.strain] {
            for (value, _) in plane
                .data
                .iter_mut()
                .zip(&maps.eyes)
                .filter(|(_, eye)| **eye)
            {
                *value = 0.0;
            }
        }
        maps
    }

    fn mean_flows(&self, flow: &Flow, regions: &RegionGeometry) -> [f32; 12] {
        let parts = parts(regions);
        let mut means = [0.0; 12];
        for (part, mean) in parts.into_iter().zip(means.chunks_exact_mut(2)) {
            let (mut u, mut v, mut count) = (0.0, 0.0, 0);
            for i in self.seen(part) {
                u += f64::from(flow.u.data[i] - self.head[0]);
                v += f64::from(flow.v.data[i] - self.head[1]);
                count += 1;
            }
            let count = f64::from(count.max(1));
            (mean[0], mean[1]) = ((u / count) as f32, (v / count) as f32);
        }
        means
    }

    fn grid(&self, flow: &Flow) -> FlowGrid {
        FlowGrid::of(flow, |i| of_face(self.eyes[i], self.skipped[i]))
    }

    /// Indices of the pixels inside `rect` that belong to no eye, row by row.
    fn seen(&self, rect: PixelRect) -> impl Iterator<Item = usize> {
        let width = self.u.width;
        let (columns, rows) = rect.clipped(width, self.u.height);
        rows.flat_map(move |y| columns.clone().map(move |x| y * width + x))
            .filter(|&i| !self.skipped[i])
    }

    /// Mean of the strain itself over a rectangle; 0 where nothing of it is left.
    fn mean_strain(&self, roi: PixelRect) -> f64 {
        let (columns, rows) = roi.clipped(self.u.width, self.u.height);
        let (mut sum, mut n) = (0.0, 0_u32);
        for y in rows {
            for i in y * self.u.width + columns.start..y * self.u.width + columns.end {
                if !self.skipped[i] {
                    sum += f64::from(self.strain.data[i] + self.rest_strain);
                    n += 1;
                }
            }
        }
        if n == 0 { 0.0 } else { sum / f64::from(n) }
    }

    /// Mean and 95th percentile of the flow's length over the rectangles, eyes
    /// excluded; zeros where nothing is left.
    fn residual(&self, rois: [PixelRect; 2]) -> (f32, f32) {
        let length = |i: usize| {
            let (u, v) = (self.u.data[i], self.v.data[i]);
            (u * u + v * v).sqrt()
        };
        let mut lengths: Vec<f32> = (rois.into_iter())
            .flat_map(|roi| self.seen(roi))
            .map(length)
            .collect();
        if lengths.is_empty() {
            return (0.0, 0.0);
        }
        let mean = lengths.iter().map(|&l| f64::from(l)).sum::<f64>() / lengths.len() as f64;
        let rank = (lengths.len() - 1) * 95 / 100;
        let (_, p95, _) = lengths.select_nth_unstable_by(rank, f32::total_cmp);
        (mean as f32, *p95)
    }
}

/// Whether a pixel counts in the grid. The eyes do: a blink has to be told from an
/// expression.
fn of_face(eye: bool, skipped: bool) -> bool {
    eye || !skipped
}

/// For each pixel whether it counts in the grid.
pub(crate) fn face_pixels(regions: &RegionGeometry, width: usize, height: usize) -> Vec<bool> {
    let (eyes, skipped) = masks(regions, width, height);
    (eyes.iter().zip(&skipped))
        .map(|(eye, skipped)| of_face(*eye, *skipped))
        .collect()
}

/// For each pixel whether it is an eye's and blank, and whether it is not looked at:
/// an eye's, or outside the face.
pub(crate) fn masks(
    regions: &RegionGeometry,
    width: usize,
    height: usize,
) -> (Vec<bool>, Vec<bool>) {
    let mut eyes = vec![false; width * height];
    let mut face = eyes.clone();
    fill_polygon(&regions.outline, width, height, &mut face);
    for eye in &regions.eyes {
        fill_polygon(eye, width, height, &mut eyes);
    }
    let skipped = face.iter().zip(&eyes).map(|(face, eye)| !face || *eye);
    let skipped = skipped.collect();
    (eyes, skipped)
}

/// Left and right half of the brow rectangle, then the mouth rectangle's quarters:
/// upper left, upper right, lower left, lower right.
fn parts(regions: &RegionGeometry) -> [PixelRect; 6] {
    let (brows, mouth) = (regions.brows, regions.mouth);
    let bx = middle(brows.x0, brows.x1);
    let (mx, my) = (middle(mouth.x0, mouth.x1), middle(mouth.y0, mouth.y1));
    let left = PixelRect { x1: mx, ..mouth };
    let right = PixelRect { x0: mx, ..mouth };
    [
        PixelRect { x1: bx, ..brows },
        PixelRect { x0: bx, ..brows },
        PixelRect { y1: my, ..left },
        PixelRect { y1: my, ..right },
        PixelRect { y0: my, ..left },
        PixelRect { y0: my, ..right },
    ]
}

/// Where a rectangle is halved.
pub(crate) fn middle(low: i32, high: i32) -> i32 {
    low + (high - low) / 2
}

/// The part of `plane` inside `rect`.
fn cut(plane: &Plane, rect: PixelRect) -> Plane {
    let (columns, rows) = rect.clipped(plane.width, plane.height);
    let (width, height) = (columns.len(), rows.len());
    let data = rows
        .flat_map(|y| &plane.row(y)[columns.clone()])
        .copied()
        .collect();
    Plane::from_vec(width, height, data)
}

fn range(plane: &Plane) -> [f32; 2] {
    let values = plane.data.iter();
    values.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], &v| {
        [low.min(v), high.max(v)]
    })
}

fn min_max(mut plane: Plane) -> Plane {
    let [low, high] = range(&plane);
    let range = high - low;
    for v in &mut plane.data {
        *v = if range > 0.0 { (*v - low) / range } else { 0.0 };
    }
    plane
}

/// Marks the pixels of a polygon with whole-number corners: those whose centre is
/// inside (even–odd rule) or on an edge, and those of the edges drawn as lines,
/// as OpenCV's `fillPoly` does.
fn fill_polygon(corners: &[Point], width: usize, height: usize, mask: &mut [bool]) {
    let edges = || corners.iter().zip(corners.iter().cycle().skip(1));
    let mut crossings = Vec::new();
    for y in 0..height {
        crossings.clear();
        for (a, b) in edges() {
            let (top, bottom) = if a.y < b.y { (a, b) } else { (b, a) };
            let at = y as f32;
            if top.y <= at && at < bottom.y {
                let along = f64::from(at - top.y) / f64::from(bottom.y - top.y);
                crossings.push(f64::from(top.x) + along * f64::from(bottom.x - top.x));
            }
        }
        crossings.sort_by(f64::total_cmp);
        for span in crossings.chunks_exact(2) {
            let first = span[0].ceil().max(0.0) as usize;
            let end = ((span[1].floor() + 1.0).max(0.0) as usize).min(width);
            if first < end {
                mask[y * width + first..y * width + end].fill(true);
            }
        }
    }
    for (a, b) in edges() {
        draw_line(*a, *b, width, height, mask);
    }
}

/// An 8-connected line from the left end to the right; halfway between two pixels
/// the nearer to the start is taken.
fn draw_line(a: Point, b: Point, width: usize, height: usize, mask: &mut [bool]) {
    let (from, to) = if a.x <= b.x { (a, b) } else { (b, a) };
    let whole = |p: Point| (p.x as i64, p.y as i64);
    let ((x0, y0), (x1, y1)) = (whole(from), whole(to));
    let (dx, dy) = (x1 - x0, (y1 - y0).abs());
    let down = (y1 - y0).signum();
    let (long, short) = (dx.max(dy), dx.min(dy));
    for step in 0..=long {
        let aside = if long == 0 {
            0
        } else {
            // Rounds to the nearest, a half towards the start.
            (2 * step * short + long - 1) / (2 * long)
        };
        let (x, y) = if dx >= dy {
            (x0 + step, y0 + down * aside)
        } else {
            (x0 + aside, y0 + down * step)
        };
        if let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y))
            && x < width
            && y < height
        {
            mask[y * width + x] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regions() -> RegionGeometry {
        let rect = |x0, y0, x1, y1| PixelRect { x0, y0, x1, y1 };
        let eye = |x: f32| {
            [
                (0.0, 8.0),
                (4.0, 4.0),
                (8.0, 4.0),
                (12.0, 8.0),
                (8.0, 12.0),
                (4.0, 12.0),
            ]
            .map(|(dx, dy)| Point::new(x + dx, 20.0 + dy))
        };
        RegionGeometry {
            outline: [(0.0, 0.0), (300.0, 0.0), (300.0, 300.0), (0.0, 300.0)]
                .map(|(x, y)| Point::new(x, y))
                .to_vec(),
            nose: rect(27, 35, 38, 46),
            eyes: [eye(12.0), eye(40.0)],
            brows: rect(5, 8, 59, 36),
            mouth: rect(15, 44, 50, 60),
        }
    }

    #[test]
    fn a_moving_head_leaves_no_residual_and_a_moving_mouth_does() {
        let mut flow = Flow::zeros(64, 64);
        flow.u.data.fill(1.5);
        flow.v.data.fill(-0.5);
        let motion = RoiMotion::new(&flow, &regions());
        assert_eq!(motion.head, [1.5, -0.5]);
        assert_eq!((motion.residual_mean, motion.residual_p95), (0.0, 0.0));
        assert_eq!(motion.control, 0.0);
        assert!(
            motion
                .scaled()
                .iter()
                .all(|p| p.data.iter().all(|&v| v == 0.0))
        );
        for y in 50..55 {
            flow.v.data[y * 64 + 20..y * 64 + 40].fill(0.7);
        }
        let motion = RoiMotion::new(&flow, &regions());
        assert!(
            motion.control > 1.0 && motion.residual_p95 > 1.0,
            "{motion:?}"
        );
        let [.., upper_left, _, _, _, lower_left, _, _] = motion.regions;
        assert!(upper_left > 0.0 && lower_left > 0.0, "{:?}", motion.regions);
        assert_eq!(motion.regions[..4], [0.0; 4]);
        let v = &motion.scaled()[1];
        assert_eq!(v.data.iter().copied().fold(0.0, f32::max), 1.0);
        assert!(
            v.data[..INPUT_SIDE * INPUT_SIDE / 2]
                .iter()
                .all(|&v| v == 0.0)
        );
    }

    #[test]
    fn a_polygon_is_filled_with_its_boundary() {
        let corners =
            [(1.0, 1.0), (5.0, 1.0), (5.0, 4.0), (1.0, 4.0)].map(|(x, y)| Point::new(x, y));
        let mut mask = vec![false; 8 * 6];
        fill_polygon(&corners, 8, 6, &mut mask);
        let filled: usize = mask.iter().map(|&m| usize::from(m)).sum();
        assert_eq!(filled, 5 * 4);
        assert!(mask[8 + 1] && mask[4 * 8 + 5] && !mask[0]);
    }

    #[test]
    fn regions_outside_the_crop_give_zeros() {
        let far = PixelRect {
            x0: 70,
            y0: 70,
            x1: 90,
            y1: 90,
        };
        let regions = RegionGeometry {
            nose: far,
            brows: far,
            mouth: far,
            ..regions()
        };
        let mut flow = Flow::zeros(64, 64);
        flow.u.data.fill(1.0);
        let motion = RoiMotion::new(&flow, &regions);
        assert_eq!(motion.control, 0.0);
        assert_eq!(motion.raw[0], Plane::zeros(INPUT_SIDE, INPUT_SIDE));
    }
}
