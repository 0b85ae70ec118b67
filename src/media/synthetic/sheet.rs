//! A painted sheet: colour and coverage over a rectangle of face units.

use rayon::prelude::*;

use super::skin::Rgb;

/// 16 bits a channel: encoded light times coverage, and coverage.
pub(super) struct Sheet {
    left: f32,
    top: f32,
    per_unit: f32,
    width: usize,
    height: usize,
    texels: Vec<[u16; 4]>,
}

impl Sheet {
    /// Paints the rectangle from (`left`, `top`) to (`right`, `bottom`) with
    /// `per_unit` texels to a face unit. `paint` gives linear light and coverage.
    #[must_use]
    pub(super) fn painted(
        bounds: (f32, f32, f32, f32),
        per_unit: f32,
        paint: impl Fn(f32, f32) -> (Rgb, f32) + Sync,
    ) -> Self {
        let (left, top, right, bottom) = bounds;
        let width = ((right - left) * per_unit) as usize + 2;
        let height = ((bottom - top) * per_unit) as usize + 2;
        let mut sharp = vec![[0.0_f32; 4]; width * height];
        sharp
            .par_chunks_mut(width)
            .enumerate()
            .for_each(|(row, line)| {
                let y = top + row as f32 / per_unit;
                for (column, texel) in line.iter_mut().enumerate() {
                    let (c, cover) = paint(left + column as f32 / per_unit, y);
                    let e = c.map(|v| encoded(v) * cover);
                    *texel = [e[0], e[1], e[2], cover];
                }
            });
        // Two texels make a pixel: softened with 1-2-1 both ways, a shift by a quarter
        // pixel does not change the sharpness.
        let mut texels = vec![[0_u16; 4]; width * height];
        texels
            .par_chunks_mut(width)
            .enumerate()
            .for_each(|(row, line)| {
                let rows = [row.saturating_sub(1), row, (row + 1).min(height - 1)];
                for (column, texel) in line.iter_mut().enumerate() {
                    let columns = [
                        column.saturating_sub(1),
                        column,
                        (column + 1).min(width - 1),
                    ];
                    let mut sum = [0.0; 4];
                    for (r, wr) in rows.iter().zip([0.25, 0.5, 0.25]) {
                        for (c, wc) in columns.iter().zip([0.25, 0.5, 0.25]) {
                            let t = sharp[r * width + c];
                            for k in 0..4 {
                                sum[k] += wr * wc * t[k];
                            }
                        }
                    }
                    *texel = sum.map(|v| (v * 65535.0 + 0.5) as u16);
                }
            });
        Self {
            left,
            top,
            per_unit,
            width,
            height,
            texels,
        }
    }

    /// Covers nothing.
    #[must_use]
    pub(super) fn empty() -> Self {
        Self {
            left: 0.0,
            top: 0.0,
            per_unit: 1.0,
            width: 0,
            height: 0,
            texels: Vec::new(),
        }
    }

    /// Encoded light times coverage, and coverage, 0..1; nothing outside.
    #[inline]
    #[must_use]
    pub(super) fn at(&self, x: f32, y: f32) -> [f32; 4] {
        let (tx, ty) = (
            (x - self.left) * self.per_unit,
            (y - self.top) * self.per_unit,
        );
        if tx < 0.0 || ty < 0.0 {
            return [0.0; 4];
        }
        let (column, row) = (tx as usize, ty as usize);
        if column + 1 >= self.width || row + 1 >= self.height {
            return [0.0; 4];
        }
        let (u, v) = (tx - column as f32, ty - row as f32);
        let i = row * self.width + column;
        let (top, bottom) = (&self.texels[i..i + 2], &self.texels[i + self.width..][..2]);
        let (wa, wb) = ((1.0 - u) * (1.0 - v), u * (1.0 - v));
        let (wc, wd) = ((1.0 - u) * v, u * v);
        let mut out = [0.0; 4];
        for k in 0..4 {
            out[k] = (wa * f32::from(top[0][k])
                + wb * f32::from(top[1][k])
                + wc * f32::from(bottom[0][k])
                + wd * f32::from(bottom[1][k]))
                * (1.0 / 65535.0);
        }
        out
    }
}

/// Linear light as a display wants it, 0..1: a square root with a soft shoulder.
#[inline]
#[must_use]
pub(super) fn encoded(v: f32) -> f32 {
    let s = v.max(0.0).sqrt();
    if s > 0.8 {
        let over = (s - 0.8) / 0.2;
        0.8 + 0.2 * over / (1.0 + over * over).sqrt()
    } else {
        s
    }
}

/// The linear light of an encoded value.
#[inline]
#[must_use]
pub(super) fn decoded(e: f32) -> f32 {
    let s = if e > 0.8 {
        let o = ((e - 0.8) / 0.2).min(0.995);
        0.8 + 0.2 * o / (1.0 - o * o).sqrt()
    } else {
        e
    };
    s * s
}
