//! One frame from the resting picture: lids, warp, the mouth's inside, noise.

use image::RgbImage;

use super::arithmetic::{mix3, scramble, smoothstep};
use super::deformation::{Deformation, Sway, Warp};
use super::mouth;
use super::portrait::{DENSITY, Placement, Portrait};
use super::skin::Rgb;

/// 16-bit encoded light: small steps before interpolation, so no banding.
type Texel = [u16; 3];

/// What one frame differs in.
pub(super) struct Moment<'a> {
    pub(super) active: &'a [(&'a Deformation, f32)],
    /// 0 open .. 1 shut.
    pub(super) lids: f32,
    pub(super) sway: Sway,
    /// Standard deviation of the sensor noise in grey levels and its seed.
    pub(super) noise: f32,
    pub(super) noise_seed: u64,
}

pub(super) struct Renderer {
    width: usize,
    height: usize,
    placement: Placement,
    portrait: Portrait,
    texture: Vec<Texel>,
    /// How far shut the lids in `texture` are.
    lids: f32,
    warp: Warp,
}

impl Renderer {
    #[must_use]
    pub(super) fn new(width: u32, height: u32, seed: u64) -> Self {
        let placement = Placement::of(width, height);
        let portrait = Portrait::paint(width, height, placement, seed);
        let mut renderer = Self {
            width: width as usize,
            height: height as usize,
            placement,
            texture: vec![[0; 3]; portrait.texels.len()],
            portrait,
            lids: 0.0,
            warp: Warp::new(width as usize, height as usize),
        };
        let (w, h) = (renderer.portrait.width, renderer.portrait.height);
        let texels = std::mem::take(&mut renderer.portrait.texels);
        renderer.encode((0, 0, w, h), &texels, (0, 0, w, h));
        renderer
    }

    pub(super) fn placement(&self) -> Placement {
        self.placement
    }

    /// Softens `texels` (a block that covers `block`) with 1-2-1 in both directions and
    /// writes `target` into the texture. Two texels make a pixel: without this a
    /// shift by a quarter pixel would change the sharpness.
    fn encode(
        &mut self,
        block: (usize, usize, usize, usize),
        texels: &[Rgb],
        target: (usize, usize, usize, usize),
    ) {
        let (left, top, right, bottom) = block;
        let span = right - left;
        for row in target.1..target.3 {
            let rows = [
                row.saturating_sub(1).max(top),
                row,
                (row + 1).min(bottom - 1),
            ];
            for column in target.0..target.2 {
                let columns = [
                    column.saturating_sub(1).max(left),
                    column,
                    (column + 1).min(right - 1),
                ];
                let mut sum = [0.0; 3];
                for (r, wr) in rows.iter().zip([0.25, 0.5, 0.25]) {
                    for (c, wc) in columns.iter().zip([0.25, 0.5, 0.25]) {
                        let t = texels[(r - top) * span + (c - left)];
                        for k in 0..3 {
                            sum[k] += wr * wc * t[k];
                        }
                    }
                }
                self.texture[row * self.portrait.width + column] = sum.map(encoded);
            }
        }
    }

    /// Redraws both eyes where the lids moved.
    fn set_lids(&mut self, lids: f32) {
        if lids == self.lids {
            return;
        }
        self.lids = lids;
        for patch in self.portrait.eye_patches() {
            let (left, top, right, bottom) = patch;
            let mut texels = Vec::with_capacity((right - left) * (bottom - top));
            for row in top..bottom {
                for column in left..right {
                    texels.push(self.portrait.with_lids(column, row, lids));
                }
            }
            if right > left + 2 && bottom > top + 2 {
                self.encode(patch, &texels, (left + 1, top + 1, right - 1, bottom - 1));
            }
        }
    }

    #[must_use]
    pub(super) fn frame(&mut self, moment: &Moment<'_>) -> RgbImage {
        self.set_lids(moment.lids);
        self.warp.set(moment.sway, moment.active, self.placement);
        let mut pixels = vec![0_u8; self.width * self.height * 3];
        for (row, line) in pixels.chunks_exact_mut(self.width * 3).enumerate() {
            for (column, pixel) in line.chunks_exact_mut(3).enumerate() {
                let (x, y) = (column as f32, row as f32);
                let mut value = if self.warp.lips_part {
                    self.with_parted_lips(x, y, moment.sway)
                } else {
                    let (sx, sy) = self.warp.above(x, y);
                    self.sample(sx, sy)
                };
                add_noise(&mut value, moment, row * self.width + column);
                for (p, v) in pixel.iter_mut().zip(value) {
                    // The cast saturates at 0 and 255.
                    *p = (v + 0.5) as u8;
                }
            }
        }
        RgbImage::from_raw(self.width as u32, self.height as u32, pixels)
            .expect("the buffer was made for this size")
    }

    /// The resting picture at a place in pixels, 0..255.
    #[inline]
    fn sample(&self, x: f32, y: f32) -> [f32; 3] {
        let (w, h) = (self.portrait.width, self.portrait.height);
        let tx = ((x + 0.5) * DENSITY as f32 - 0.5).clamp(0.0, w as f32 - 1.001);
        let ty = ((y + 0.5) * DENSITY as f32 - 0.5).clamp(0.0, h as f32 - 1.001);
        let (column, row) = (tx as usize, ty as usize);
        let (u, v) = (tx - column as f32, ty - row as f32);
        let i = row * w + column;
        let (a, b, c, d) = (
            self.texture[i],
            self.texture[i + 1],
            self.texture[i + w],
            self.texture[i + w + 1],
        );
        let (wa, wb) = ((1.0 - u) * (1.0 - v), u * (1.0 - v));
        let (wc, wd) = ((1.0 - u) * v, u * v);
        let channel = |k: usize| {
            (wa * f32::from(a[k])
                + wb * f32::from(b[k])
                + wc * f32::from(c[k])
                + wd * f32::from(d[k]))
                * (255.0 / 65535.0)
        };
        [channel(0), channel(1), channel(2)]
    }

    /// A pixel while the lips part: lower lip where its source lies below the line
    /// between the lips, upper lip where it lies above, the mouth's inside between.
    fn with_parted_lips(&self, x: f32, y: f32, sway: Sway) -> [f32; 3] {
        let (px, py, unit) = (self.placement.x, self.placement.y, self.placement.unit);
        let (ux, uy) = self.warp.above(x, y);
        let fx = (ux - px) / unit;
        let fy = (uy - py) / unit;
        if fx.abs() > 0.7 || !(0.7..1.9).contains(&fy) {
            // Kernels of one lip reach no further.
            let (sx, sy) = if fy < 1.2 {
                (ux, uy)
            } else {
                self.warp.below(x, y)
            };
            return self.sample(sx, sy);
        }
        let (lx, ly) = self.warp.below(x, y);
        let seam = |sx: f32| mouth::seam((sx - px) / unit) * unit + py;
        let (above, below) = (seam(ux) - uy, ly - seam(lx));
        // Soft over one pixel; beyond the corners both sides agree and nothing opens.
        let upper = smoothstep(-0.5, 0.5, above);
        let lower = smoothstep(-0.5, 0.5, below);
        if upper + lower >= 1.0 {
            let upper_share = upper / (upper + lower);
            return mix3(self.sample(lx, ly), self.sample(ux, uy), upper_share);
        }
        let (hx, hy) = ((x - sway.x - px) / unit, (y - sway.y - py) / unit);
        let inside = mouth::interior(hx, hy, hy + above / unit)
            .map(|v| f32::from(encoded(v)) * (255.0 / 65535.0));
        let (over, under) = (self.sample(ux, uy), self.sample(lx, ly));
        let gap = 1.0 - upper - lower;
        [0, 1, 2].map(|k| upper * over[k] + lower * under[k] + gap * inside[k])
    }
}

/// Linear light as a display wants it: a square root with a soft shoulder.
fn encoded(v: f32) -> u16 {
    let s = v.max(0.0).sqrt();
    let s = if s > 0.8 {
        let over = (s - 0.8) / 0.2;
        0.8 + 0.2 * over / (1.0 + over * over).sqrt()
    } else {
        s
    };
    (s * 65535.0 + 0.5) as u16
}

/// Noise of a sensor: the same for all channels and a little of their own.
#[inline]
fn add_noise(value: &mut [f32; 3], moment: &Moment<'_>, index: usize) {
    if moment.noise <= 0.0 {
        return;
    }
    let bytes = scramble(moment.noise_seed ^ index as u64)
        .to_le_bytes()
        .map(f32::from);
    // Sums of bytes are nearly Gaussian: standard deviations 147.8 (four) and 104.5 (two).
    let light = (bytes[0] + bytes[1] + bytes[2] + bytes[3] - 510.0) / 147.8;
    let red = 0.4 * (bytes[4] + bytes[5] - 255.0) / 104.5;
    let blue = 0.4 * (bytes[6] + bytes[7] - 255.0) / 104.5;
    value[0] += moment.noise * (0.92 * light + red);
    value[1] += moment.noise * (light - 0.5 * (red + blue));
    value[2] += moment.noise * (0.92 * light + blue);
}
