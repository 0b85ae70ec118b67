//! From light to numbers: exposure, colour balance, noise, eight bits.

use image::RgbImage;

use super::arithmetic::scramble;

/// The camera's doing in one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Exposure {
    /// Factors of red, green and blue.
    pub(super) gain: [f32; 3],
    /// How much brighter the light is at the right and the lower border than in the
    /// middle, as a share.
    pub(super) slope: (f32, f32),
    /// Standard deviation of the noise in a middle grey, grey levels.
    pub(super) noise: f32,
    /// Whether neighbouring pixels share their noise, as after a camera's own smoothing.
    pub(super) smooth: bool,
    pub(super) seed: u64,
}

/// Turns encoded light 0..1 into a picture.
#[must_use]
pub(super) fn develop(
    light: &[[f32; 3]],
    width: usize,
    height: usize,
    exposure: &Exposure,
) -> RgbImage {
    let mut bytes = vec![0_u8; width * height * 3];
    let grain = exposure
        .smooth
        .then(|| smooth_grain(width, height, exposure.seed));
    for (row, line) in bytes.chunks_exact_mut(width * 3).enumerate() {
        let down = 1.0 + exposure.slope.1 * (2.0 * row as f32 / height as f32 - 1.0);
        for (column, pixel) in line.chunks_exact_mut(3).enumerate() {
            let i = row * width + column;
            let across = exposure.slope.0 * (2.0 * column as f32 / width as f32 - 1.0);
            let level = 255.0 * (down + across);
            let noise = match &grain {
                None => white(exposure.seed, i),
                Some(grain) => grain[i],
            };
            let source = &light[i];
            // Shot noise grows with the light.
            let strength = exposure.noise * (0.45 + 1.1 * source[1]);
            for k in 0..3 {
                let value = source[k] * level * exposure.gain[k] + strength * noise[k];
                // The cast saturates at 0 and 255.
                pixel[k] = (value + 0.5) as u8;
            }
        }
    }
    RgbImage::from_raw(width as u32, height as u32, bytes)
        .expect("the buffer was made for this size")
}

/// Nearly Gaussian noise of deviation 1: most of it common to the three channels.
#[inline]
fn white(seed: u64, index: usize) -> [f32; 3] {
    let bits = scramble(seed ^ index as u64);
    // Eight bytes a pixel. Sums of bytes: deviation 73.9 each.
    let byte = |k: u32| ((bits >> (8 * k)) & 0xff) as i32;
    let light = (byte(0) + byte(1) + byte(2) + byte(3) - 510) as f32 * (1.0 / 147.8);
    let red = (byte(4) + byte(5) - 255) as f32 * (0.4 / 104.5);
    let blue = (byte(6) + byte(7) - 255) as f32 * (0.4 / 104.5);
    [
        0.92 * light + red,
        light - 0.5 * (red + blue),
        0.92 * light + blue,
    ]
}

/// White noise under 1-2-1 both ways, brought back to deviation 1.
fn smooth_grain(width: usize, height: usize, seed: u64) -> Vec<[f32; 3]> {
    let sharp: Vec<[f32; 3]> = (0..width * height).map(|i| white(seed, i)).collect();
    let mut across = sharp.clone();
    for (line, out) in sharp
        .chunks_exact(width)
        .zip(across.chunks_exact_mut(width))
    {
        for x in 1..width - 1 {
            for k in 0..3 {
                out[x][k] = 0.25 * (line[x - 1][k] + line[x + 1][k]) + 0.5 * line[x][k];
            }
        }
    }
    let mut both = across.clone();
    for y in 1..height - 1 {
        for x in 0..width {
            let i = y * width + x;
            for k in 0..3 {
                let (up, down) = (across[i - width][k], across[i + width][k]);
                both[i][k] = (0.25 * (up + down) + 0.5 * across[i][k]) / 0.375;
            }
        }
    }
    both
}
