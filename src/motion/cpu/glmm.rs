//! CPU twin of `shaders/glmm.wgsl`: a picture bent by a displacement of each of its
//! pixels, as a mesh of triangles.

use image::RgbImage;
use rayon::prelude::*;

use crate::motion::Flow;

/// A pixel this far outside a triangle, in parts of its doubled area's unit, still
/// belongs to it: no cracks between neighbours.
const EDGE: f32 = 1e-4;

/// Rows of the result that one thread fills, at least.
const STRIP: usize = 32;

/// One corner of the mesh.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// In the reference, px.
    source: [f32; 2],
    /// In the result, px.
    target: [f32; 2],
}

/// The mesh: a node at every pixel and a rim of resting ones outside.
struct Mesh<'a> {
    moved: &'a Flow,
    width: usize,
    height: usize,
    /// How far outside the rim stands, px; further than anything moves.
    rim: f32,
}

impl Mesh<'_> {
    /// Node (`i`, `j`) of (width + 2) × (height + 2).
    fn node(&self, i: usize, j: usize) -> Node {
        let along = |at: usize, length: usize| match at {
            0 => -self.rim,
            at if at == length + 1 => (length - 1) as f32 + self.rim,
            at => (at - 1) as f32,
        };
        let source = [along(i, self.width), along(j, self.height)];
        let inside = (1..=self.width).contains(&i) && (1..=self.height).contains(&j);
        if !inside {
            return Node {
                source,
                target: source,
            };
        }
        let [x, y] = source;
        let (u, v) = (self.moved.u.at(i - 1, j - 1), self.moved.v.at(i - 1, j - 1));
        Node {
            source,
            target: [x + u, y + v],
        }
    }
}

/// What lies on top at a pixel so far.
#[derive(Debug, Clone, Copy)]
struct Found {
    /// Squared length of the triangle's largest displacement; below 0 there is none.
    strength: f32,
    source: [f32; 2],
}

/// `reference` with every pixel p moved to p + `moved`(p), in px (see
/// [`crate::motion::glmm::displacement`]). The same bits whatever the number of
/// threads.
///
/// # Panics
/// When the sizes differ: a programming error.
#[must_use]
pub fn warp(reference: &RgbImage, moved: &Flow) -> RgbImage {
    let (width, height) = (moved.u.width, moved.u.height);
    assert_eq!(reference.dimensions(), (width as u32, height as u32));
    let mut result = RgbImage::new(width as u32, height as u32);
    if width == 0 || height == 0 {
        return result;
    }
    let furthest = moved
        .u
        .data
        .iter()
        .chain(&moved.v.data)
        .fold(0.0f32, |m, d| m.max(d.abs()));
    let mesh = Mesh {
        moved,
        width,
        height,
        rim: furthest.ceil() + 1.0,
    };
    let reach = mesh.rim as usize + 1;
    // Every strip draws the triangles that reach it anew: as few as there are threads.
    let rows_each = height.div_ceil(rayon::current_num_threads()).max(STRIP);
    result
        .par_chunks_mut(3 * width * rows_each)
        .enumerate()
        .for_each(|(strip, pixels)| {
            let top = strip * rows_each;
            let rows = top..top + pixels.len() / (3 * width);
            // Rows of the mesh that can reach these rows of the result.
            let first = rows.start.saturating_sub(reach);
            let last = (rows.end + reach + 1).min(height + 1);
            let found = cover(&mesh, first..last, &rows);
            let (pixels, _) = pixels.as_chunks_mut::<3>();
            for (pixel, found) in pixels.iter_mut().zip(&found) {
                *pixel = bicubic(reference, found.source);
            }
        });
    result
}

/// Where each pixel of the result's `rows` comes from, by the mesh's rows `cells`.
fn cover(
    mesh: &Mesh<'_>,
    cells: std::ops::Range<usize>,
    rows: &std::ops::Range<usize>,
) -> Vec<Found> {
    let none = Found {
        strength: -1.0,
        source: [0.0; 2],
    };
    let mut found = vec![none; mesh.width * rows.len()];
    for j in cells {
        let mut left = [mesh.node(0, j), mesh.node(0, j + 1)];
        for i in 0..=mesh.width {
            let right = [mesh.node(i + 1, j), mesh.node(i + 1, j + 1)];
            draw([left[0], right[0], left[1]], mesh.width, rows, &mut found);
            draw([right[1], left[1], right[0]], mesh.width, rows, &mut found);
            left = right;
        }
    }
    found
}

/// Lays one triangle over the pixels it covers. One that is turned over belongs to
/// the inside of a fold, which others hide.
fn draw(corners: [Node; 3], width: usize, rows: &std::ops::Range<usize>, found: &mut [Found]) {
    let [a, b, c] = corners.map(|n| n.target);
    let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    // Also false where it is not a number.
    if area.is_nan() || area <= 0.0 {
        return;
    }
    let low = |k: usize| a[k].min(b[k]).min(c[k]);
    let high = |k: usize| a[k].max(b[k]).max(c[k]);
    // A cast of a negative position gives 0.
    let left = (low(0) - EDGE).ceil().max(0.0) as usize;
    let right = (high(0) + EDGE).floor().min(width as f32 - 1.0);
    let top = (low(1) - EDGE).ceil().max(rows.start as f32) as usize;
    let bottom = (high(1) + EDGE).floor().min(rows.end as f32 - 1.0);
    if right < 0.0 || bottom < 0.0 {
        return;
    }
    let strength = corners.iter().fold(0.0f32, |m, n| {
        let (x, y) = (n.target[0] - n.source[0], n.target[1] - n.source[1]);
        m.max(x * x + y * y)
    });
    for y in top..=bottom as usize {
        for x in left..=right as usize {
            let p = [x as f32, y as f32];
            // Twice the areas that the pixel makes with two corners, over the whole.
            let part = |from: [f32; 2], to: [f32; 2]| {
                ((to[0] - from[0]) * (p[1] - from[1]) - (to[1] - from[1]) * (p[0] - from[0])) / area
            };
            let (wa, wb, wc) = (part(b, c), part(c, a), part(a, b));
            if wa < -EDGE || wb < -EDGE || wc < -EDGE {
                continue;
            }
            let place = &mut found[(y - rows.start) * width + x];
            if strength > place.strength {
                let [sa, sb, sc] = corners.map(|n| n.source);
                let source = |k: usize| sa[k] + wb * (sb[k] - sa[k]) + wc * (sc[k] - sa[k]);
                *place = Found {
                    strength,
                    source: [source(0), source(1)],
                };
            }
        }
    }
}

/// Keys' cubic convolution with a = −½ at a distance of `t` from the second of four.
fn cubic(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        -0.5 * t3 + t2 - 0.5 * t,
        1.5 * t3 - 2.5 * t2 + 1.0,
        -1.5 * t3 + 2.0 * t2 + 0.5 * t,
        0.5 * t3 - 0.5 * t2,
    ]
}

/// The picture at a position, borders repeated.
fn bicubic(picture: &RgbImage, at: [f32; 2]) -> [u8; 3] {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let x = at[0].clamp(0.0, (width - 1) as f32);
    let y = at[1].clamp(0.0, (height - 1) as f32);
    let (x0, y0) = (x.floor(), y.floor());
    let (wx, wy) = (cubic(x - x0), cubic(y - y0));
    let tap =
        |at: f32, k: usize, length: usize| (at as usize + k).saturating_sub(1).min(length - 1);
    let (pixels, _) = picture.as_raw().as_chunks::<3>();
    let mut sum = [0.0f32; 3];
    for (j, wy) in wy.iter().enumerate() {
        let row = tap(y0, j, height) * width;
        let mut line = [0.0f32; 3];
        for (i, wx) in wx.iter().enumerate() {
            let pixel = pixels[row + tap(x0, i, width)];
            for c in 0..3 {
                line[c] += wx * f32::from(pixel[c]);
            }
        }
        for c in 0..3 {
            sum[c] += wy * line[c];
        }
    }
    // A cast saturates; half is added to round.
    sum.map(|v| (v + 0.5) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([
                (x * 5 % 256) as u8,
                (y * 7 % 256) as u8,
                ((x * y) % 256) as u8,
            ])
        })
    }

    #[test]
    fn rest_changes_nothing() {
        for (width, height) in [(40, 31), (1, 1), (2, 9)] {
            let picture = pattern(width, height);
            let still = Flow::zeros(width as usize, height as usize);
            assert_eq!(warp(&picture, &still), picture);
        }
    }

    #[test]
    fn a_whole_shift_moves_pixels_right_and_down_and_repeats_the_border() {
        let picture = pattern(50, 70);
        let mut flow = Flow::zeros(50, 70);
        flow.u.data.fill(4.0);
        flow.v.data.fill(3.0);
        let moved = warp(&picture, &flow);
        for (x, y) in [(10, 10), (4, 3), (49, 69), (30, 35)] {
            assert_eq!(moved[(x, y)], picture[(x - 4, y - 3)]);
        }
        assert_eq!(moved[(0, 0)], picture[(0, 0)]);
    }

    #[test]
    fn threads_do_not_change_the_bits() {
        let picture = pattern(90, 130);
        let mut flow = Flow::zeros(90, 130);
        for (i, (u, v)) in flow.u.data.iter_mut().zip(&mut flow.v.data).enumerate() {
            *u = 9.0 * ((i % 90) as f32 * 0.2).sin();
            *v = 9.0 * ((i / 90) as f32 * 0.3).cos();
        }
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| warp(&picture, &flow))
        };
        assert_eq!(run(1), run(3));
    }
}
