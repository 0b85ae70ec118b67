//! Samples the second picture where the current flow points and sets up the
//! linearised brightness difference there.

use multiversion::multiversion;

use crate::motion::pyramid::{MARGIN, PyramidLevel};

/// Cubic convolution's free parameter; OpenCV's value.
const SHARPNESS: f32 = -0.75;

/// What one linearisation needs of each pixel; rows as in the flow.
#[derive(Debug, Default)]
pub(super) struct Linearisation {
    /// Gradient of the warped picture.
    pub(super) gx: Vec<f32>,
    pub(super) gy: Vec<f32>,
    /// Brightness difference at zero flow: I1(p+u) − ∇I1·u − I0(p).
    pub(super) rest: Vec<f32>,
    /// 1 / |∇I1|², or 0 where the picture is flat.
    pub(super) inverse: Vec<f32>,
}

impl Linearisation {
    pub(super) fn fit(&mut self, length: usize) {
        for field in [
            &mut self.gx,
            &mut self.gy,
            &mut self.rest,
            &mut self.inverse,
        ] {
            field.clear();
            field.resize(length, 0.0);
        }
    }
}

#[inline(always)]
fn cubic_weights(t: f32) -> [f32; 4] {
    let a = SHARPNESS;
    let near = |t: f32| ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0;
    let far = t + 1.0;
    let first = ((a * far - 5.0 * a) * far + 8.0 * a) * far - 4.0 * a;
    let (second, third) = (near(t), near(1.0 - t));
    [first, second, third, 1.0 - first - second - third]
}

/// Fills `out` for the flow (`u`, `v`) between two levels of the same size.
///
/// `gain` multiplies the second picture, which makes it as bright as the first.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(super) fn linearise(
    first: &PyramidLevel,
    second: &PyramidLevel,
    gain: f32,
    u: &[f32],
    v: &[f32],
    out: &mut Linearisation,
) {
    let (width, height, stride, pitch) =
        (second.width, second.height, second.stride, second.pitch());
    // Beyond these positions every tap lies in the border.
    let (right, bottom) = ((width + 1) as f32, (height + 1) as f32);
    for y in 0..height {
        let row = y * stride;
        for x in 0..width {
            let i = row + x;
            let (du, dv) = (u[i], v[i]);
            let px = (x as f32 + du).clamp(-2.0, right);
            let py = (y as f32 + dv).clamp(-2.0, bottom);
            let (x0, y0) = (px.floor(), py.floor());
            let (wx, wy) = (cubic_weights(px - x0), cubic_weights(py - y0));
            // The first tap is one pixel before x0, which the margin moves to ≥ 1.
            let column = (x0 as i32 + (MARGIN as i32 - 1)) as usize;
            let line = (y0 as i32 + (MARGIN as i32 - 1)) as usize;
            let mut sum = [0.0f32; 4];
            for (j, wy) in wy.iter().enumerate() {
                let start = (line + j) * pitch + column;
                let taps = &second.texels[start..start + 4];
                let mut across = [0.0f32; 4];
                for c in 0..4 {
                    across[c] = wx[0] * taps[0][c]
                        + wx[1] * taps[1][c]
                        + wx[2] * taps[2][c]
                        + wx[3] * taps[3][c];
                }
                for c in 0..4 {
                    sum[c] += wy * across[c];
                }
            }
            let [warped, gx, gy, _] = sum.map(|v| v * gain);
            let square = gx * gx + gy * gy;
            out.gx[i] = gx;
            out.gy[i] = gy;
            out.rest[i] = warped - gx * du - gy * dv - first.gray[i];
            out.inverse[i] = if square > f32::EPSILON {
                1.0 / square
            } else {
                0.0
            };
        }
    }
}
