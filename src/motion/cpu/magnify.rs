//! CPU twin of `shaders/magnify.wgsl`: the Laplacian pyramid, its band-pass and the
//! picture put together again, row by row.
//!
//! Pixels of the pyramid are red, green, blue and an unused fourth value, so that
//! every neighbour is one register away. The finest level is not magnified, so no
//! pyramid level is as large as the picture: it is read once, going down, and
//! written once, coming up. Rows do not depend on each other: large pictures are
//! worked on in strips by several threads, with the same bits.

use image::RgbImage;
use multiversion::multiversion;
use rayon::prelude::*;

use crate::motion::magnify::{EvmStep, level_sizes};

/// Red, green, blue of 0..1 (or a change of that), and 0.
type Pixel = [f32; 4];

/// From so many pixels on threads are worth their start.
const PARALLEL_FROM: usize = 200_000;
/// Rows a thread takes at a time.
const STRIP: usize = 24;

/// One level of the pyramid and what its filters remember.
#[derive(Debug)]
struct Level {
    width: usize,
    height: usize,
    /// The Gaussian pyramid's picture.
    blurred: Vec<Pixel>,
    /// The two low-passes of the Laplacian.
    fast: Vec<Pixel>,
    slow: Vec<Pixel>,
    /// Magnified change of this level and all coarser ones.
    change: Vec<Pixel>,
}

/// Magnifies pictures of one size.
#[derive(Debug)]
pub struct CpuEvm {
    width: usize,
    height: usize,
    /// From the second finest on; the last is the residual.
    levels: Vec<Level>,
    /// The filters hold nothing yet.
    fresh: bool,
}

impl CpuEvm {
    #[must_use]
    pub fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        let sizes = level_sizes(width, height);
        let residual = sizes.len() - 1;
        let levels = (sizes.into_iter().enumerate().skip(1))
            .map(|(level, (width, height))| {
                let zeros = vec![[0.0; 4]; width * height];
                // The residual is not filtered.
                let filtered = || {
                    if level == residual {
                        Vec::new()
                    } else {
                        zeros.clone()
                    }
                };
                Level {
                    width,
                    height,
                    fast: filtered(),
                    slow: filtered(),
                    change: filtered(),
                    blurred: zeros,
                }
            })
            .collect();
        Self {
            width,
            height,
            levels,
            fresh: true,
        }
    }

    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.width as u32, self.height as u32)
    }

    /// The next picture is the first.
    pub fn restart(&mut self) {
        self.fresh = true;
    }

    /// Takes the next picture, which must have this [`CpuEvm::size`], and gives it
    /// magnified; the first after a restart as it is.
    ///
    /// # Panics
    /// On a picture of another size or a step made for another: a programming error.
    pub fn push(&mut self, picture: &RgbImage, step: &EvmStep) -> RgbImage {
        assert_eq!(picture.dimensions(), self.size(), "one size");
        assert_eq!(step.level_alphas.len(), self.levels.len() + 1, "levels");
        self.blur(picture);
        self.filter(step);
        if std::mem::take(&mut self.fresh) || self.levels.len() < 2 {
            return picture.clone();
        }
        let mut magnified = RgbImage::new(self.width as u32, self.height as u32);
        let (finest, size) = (&self.levels[0], (self.width, self.height));
        let row_bytes = 3 * self.width;
        in_strips(
            self.parallel(),
            magnified.par_chunks_mut(STRIP * row_bytes),
            |(strip, rows)| {
                add_change(finest, size, strip * STRIP, picture.as_raw(), rows);
            },
        );
        magnified
    }

    /// What the last picture gained, RGB, 1 is full scale, row by row: what
    /// [`CpuEvm::push`] adds before it rounds.
    #[must_use]
    pub fn change(&self) -> Vec<[f32; 3]> {
        let mut change = Vec::with_capacity(self.width * self.height);
        if self.levels.len() < 2 {
            return vec![[0.0; 3]; self.width * self.height];
        }
        let finest = &self.levels[0];
        let mut row = vec![[0.0; 4]; self.width];
        let mut padded = Vec::new();
        for y in 0..self.height {
            enlarge_row(
                &finest.change,
                (finest.width, finest.height),
                (y, self.height),
                &mut padded,
                &mut row,
            );
            change.extend(row.iter().map(|&[r, g, b, _]| [r, g, b]));
        }
        change
    }

    fn parallel(&self) -> bool {
        self.width * self.height >= PARALLEL_FROM
    }

    /// The Gaussian pyramid.
    fn blur(&mut self, picture: &RgbImage) {
        let parallel = self.parallel();
        let size = (self.width, self.height);
        let Some((first, rest)) = self.levels.split_first_mut() else {
            return;
        };
        let width = first.width;
        in_strips(
            parallel,
            first.blurred.par_chunks_mut(STRIP * width),
            |(strip, rows)| halve_picture(picture.as_raw(), size, strip * STRIP, width, rows),
        );
        let mut finer = first;
        for level in rest {
            halve(
                &finer.blurred,
                (finer.width, finer.height),
                level.width,
                &mut level.blurred,
            );
            finer = level;
        }
    }

    /// The band-pass, coarsest level first, and the sum of what it lets through.
    fn filter(&mut self, step: &EvmStep) {
        let parallel = self.parallel();
        let finest_magnified = 0;
        for at in (0..self.levels.len().saturating_sub(1)).rev() {
            let (finer, coarser) = self.levels.split_at_mut(at + 1);
            let (level, coarser) = (&mut finer[at], &coarser[0]);
            let pass = Pass {
                start: self.fresh,
                fast: step.fast,
                slow: step.slow,
                alpha: step.level_alphas[at + 1],
                chroma: (at == finest_magnified).then_some(step.chroma),
            };
            let size = (level.width, level.height);
            let strip = STRIP * level.width;
            let blurred = &level.blurred;
            in_strips(
                parallel && at == 0,
                (level.fast.par_chunks_mut(strip))
                    .zip(level.slow.par_chunks_mut(strip))
                    .zip(level.change.par_chunks_mut(strip)),
                |(index, ((fast, slow), change))| {
                    let state = State { fast, slow, change };
                    filter_rows(&pass, blurred, coarser, size, index * STRIP, state);
                },
            );
        }
    }
}

/// Runs `work` on every numbered strip, by several threads or one after another.
fn in_strips<I>(parallel: bool, strips: I, work: impl Fn((usize, I::Item)) + Sync + Send)
where
    I: IndexedParallelIterator,
{
    if parallel {
        strips.enumerate().for_each(work);
    } else {
        // One piece: stays on this thread.
        strips.enumerate().with_min_len(usize::MAX).for_each(work);
    }
}

/// Mirrors a position outside `0..n` at the first or last pixel, which is not doubled.
fn mirrored(at: isize, n: usize) -> usize {
    let last = n as isize - 1;
    let at = if at < 0 { -at } else { at };
    let at = if at > last { 2 * last - at } else { at };
    at.clamp(0, last) as usize
}

/// Where a coarse row or column outside `0..coarse` comes from, when the zeros
/// between the coarse pixels are mirrored at the border of the `fine` picture.
fn mirrored_coarse(at: isize, coarse: usize, fine: usize) -> usize {
    mirrored(2 * at, fine).div_euclid(2).min(coarse - 1)
}

/// Rows `from..` of the picture at half its size: [1 4 6 4 1]/16 both ways, every
/// second pixel. Whole numbers until the end.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw", "x86_64+avx2"))]
fn halve_picture(
    picture: &[u8],
    size: (usize, usize),
    from: usize,
    width: usize,
    rows: &mut [Pixel],
) {
    let row_bytes = 3 * size.0;
    // Two mirrored pixels on both sides.
    let mut sums = vec![0u16; row_bytes + 12];
    for (row, y) in rows.chunks_exact_mut(width).zip(from..) {
        let line = |offset: isize| {
            let at = mirrored(2 * y as isize + offset, size.1) * row_bytes;
            &picture[at..at + row_bytes]
        };
        let (a, b, c, d, e) = (line(-2), line(-1), line(0), line(1), line(2));
        let middle = &mut sums[6..6 + row_bytes];
        for i in 0..row_bytes {
            middle[i] = u16::from(a[i])
                + u16::from(e[i])
                + 4 * (u16::from(b[i]) + u16::from(d[i]))
                + 6 * u16::from(c[i]);
        }
        for (pad, at) in [(0, -2), (1, -1), (2 + size.0, size.0 as isize)]
            .into_iter()
            .chain([(3 + size.0, size.0 as isize + 1)])
        {
            let source = 6 + 3 * mirrored(at, size.0);
            sums.copy_within(source..source + 3, 3 * pad);
        }
        for (x, pixel) in row.iter_mut().enumerate() {
            let Some(taps) = sums[6 * x..].first_chunk::<15>() else {
                continue;
            };
            for c in 0..3 {
                // At most 255 · 256: fits in 16 bits.
                let sum =
                    taps[c] + taps[12 + c] + 4 * (taps[3 + c] + taps[9 + c]) + 6 * taps[6 + c];
                pixel[c] = f32::from(sum) * (1.0 / (256.0 * 255.0));
            }
        }
    }
}

/// The same from one level to the next.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn halve(fine: &[Pixel], size: (usize, usize), width: usize, coarse: &mut [Pixel]) {
    let mut sums = vec![[0.0f32; 4]; size.0 + 4];
    for (y, row) in coarse.chunks_exact_mut(width).enumerate() {
        let line = |offset: isize| {
            let at = mirrored(2 * y as isize + offset, size.1) * size.0;
            &fine[at..at + size.0]
        };
        let (a, b, c, d, e) = (line(-2), line(-1), line(0), line(1), line(2));
        let middle = &mut sums[2..2 + size.0];
        for x in 0..size.0 {
            for k in 0..4 {
                middle[x][k] = (a[x][k] + e[x][k]) + 4.0 * (b[x][k] + d[x][k]) + 6.0 * c[x][k];
            }
        }
        for at in [-2, -1, size.0 as isize, size.0 as isize + 1] {
            sums[(at + 2) as usize] = sums[2 + mirrored(at, size.0)];
        }
        for (x, pixel) in row.iter_mut().enumerate() {
            let Some([a, b, c, d, e]) = sums[2 * x..].first_chunk::<5>() else {
                continue;
            };
            for k in 0..4 {
                pixel[k] = ((a[k] + e[k]) + 4.0 * (b[k] + d[k]) + 6.0 * c[k]) * (1.0 / 256.0);
            }
        }
    }
}

/// Row `at.0` of `at.1` of a coarse picture at twice its size, `row.len()` pixels
/// wide: zeros between its pixels, then [1 4 6 4 1]/8 both ways. `padded` is memory
/// to work in.
#[inline(always)]
fn enlarge_row(
    coarse: &[Pixel],
    size: (usize, usize),
    at: (usize, usize),
    padded: &mut Vec<Pixel>,
    row: &mut [Pixel],
) {
    let (y, height) = at;
    let width = row.len();
    let line = |offset: isize| {
        let at = mirrored_coarse((y / 2) as isize + offset, size.1, height) * size.0;
        &coarse[at..at + size.0]
    };
    padded.resize(size.0 + 2, [0.0; 4]);
    let middle = &mut padded[1..1 + size.0];
    if y.is_multiple_of(2) {
        let (above, here, below) = (line(-1), line(0), line(1));
        for x in 0..size.0 {
            for k in 0..4 {
                middle[x][k] = 0.125 * ((above[x][k] + below[x][k]) + 6.0 * here[x][k]);
            }
        }
    } else {
        let (here, below) = (line(0), line(1));
        for x in 0..size.0 {
            for k in 0..4 {
                middle[x][k] = 0.5 * (here[x][k] + below[x][k]);
            }
        }
    }
    padded[0] = padded[1 + mirrored_coarse(-1, size.0, width)];
    padded[1 + size.0] = padded[1 + mirrored_coarse(size.0 as isize, size.0, width)];
    let (pairs, last) = row.as_chunks_mut::<2>();
    for (pair, taps) in pairs.iter_mut().zip(padded.windows(3)) {
        for k in 0..4 {
            pair[0][k] = 0.125 * ((taps[0][k] + taps[2][k]) + 6.0 * taps[1][k]);
            pair[1][k] = 0.5 * (taps[1][k] + taps[2][k]);
        }
    }
    if let Some(last) = last.first_mut() {
        let taps = &padded[size.0 - 1..];
        for k in 0..4 {
            last[k] = 0.125 * ((taps[0][k] + taps[2][k]) + 6.0 * taps[1][k]);
        }
    }
}

/// What one level's filter does in one frame.
struct Pass {
    /// The filters take this picture as having lasted for ever.
    start: bool,
    fast: f32,
    slow: f32,
    alpha: f32,
    /// Where this is the finest level, whose change is the sum of all.
    chroma: Option<[[f32; 3]; 3]>,
}

/// Some rows of a level's memory.
struct State<'a> {
    fast: &'a mut [Pixel],
    slow: &'a mut [Pixel],
    change: &'a mut [Pixel],
}

/// Rows `from..` of a level of `size`: Laplacian, both low-passes, the gain, and the
/// change of the coarser levels added.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn filter_rows(
    pass: &Pass,
    blurred: &[Pixel],
    coarser: &Level,
    size: (usize, usize),
    from: usize,
    state: State<'_>,
) {
    let (width, height) = size;
    let coarse_size = (coarser.width, coarser.height);
    let mut padded = Vec::new();
    let (mut base, mut below) = (vec![[0.0f32; 4]; width], vec![[0.0f32; 4]; width]);
    let rows = (state.fast.chunks_exact_mut(width))
        .zip(state.slow.chunks_exact_mut(width))
        .zip(state.change.chunks_exact_mut(width));
    for (((fast, slow), change), y) in rows.zip(from..) {
        let at = (y, height);
        enlarge_row(&coarser.blurred, coarse_size, at, &mut padded, &mut base);
        let here = &blurred[y * width..(y + 1) * width];
        if pass.start {
            for x in 0..width {
                for k in 0..4 {
                    fast[x][k] = here[x][k] - base[x][k];
                }
            }
            slow.copy_from_slice(fast);
            change.fill([0.0; 4]);
            continue;
        }
        // The residual has no change of its own.
        if !coarser.change.is_empty() {
            enlarge_row(&coarser.change, coarse_size, at, &mut padded, &mut below);
        }
        for x in 0..width {
            for k in 0..4 {
                let detail = here[x][k] - base[x][k];
                fast[x][k] += pass.fast * (detail - fast[x][k]);
                slow[x][k] += pass.slow * (detail - slow[x][k]);
                change[x][k] = pass.alpha * (fast[x][k] - slow[x][k]) + below[x][k];
            }
        }
        if let Some(m) = &pass.chroma {
            for pixel in change.iter_mut() {
                let [r, g, b, _] = *pixel;
                for c in 0..3 {
                    pixel[c] = m[c][0] * r + m[c][1] * g + m[c][2] * b;
                }
            }
        }
    }
}

/// Rows `from..` of the magnified picture.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn add_change(finest: &Level, size: (usize, usize), from: usize, picture: &[u8], rows: &mut [u8]) {
    let (width, height) = size;
    let coarse_size = (finest.width, finest.height);
    let mut padded = Vec::new();
    let mut change = vec![[0.0f32; 4]; width];
    for (row, y) in rows.chunks_exact_mut(3 * width).zip(from..) {
        let at = (y, height);
        enlarge_row(&finest.change, coarse_size, at, &mut padded, &mut change);
        let source = &picture[3 * y * width..3 * (y + 1) * width];
        let (out, _) = row.as_chunks_mut::<3>();
        let (source, _) = source.as_chunks::<3>();
        for ((out, source), change) in out.iter_mut().zip(source).zip(&change) {
            for c in 0..3 {
                // A cast saturates; half is added to round.
                out[c] = (f32::from(source[c]) + 255.0 * change[c] + 0.5) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motion::magnify::EvmParams;

    fn noise(width: u32, height: u32, seed: u32) -> RgbImage {
        let mut state = seed;
        RgbImage::from_fn(width, height, |_, _| {
            image::Rgb(std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            }))
        })
    }

    fn step(width: u32, height: u32) -> EvmStep {
        let params = EvmParams::default();
        let band = params.band(30.0).unwrap();
        EvmStep::new(&params, &band, width as usize, height as usize)
    }

    #[test]
    fn stillness_stays_as_it_is() {
        for (width, height) in [(33, 17), (64, 64), (11, 90)] {
            let mut evm = CpuEvm::new(width, height);
            let still = noise(width, height, 7);
            for _ in 0..5 {
                assert_eq!(evm.push(&still, &step(width, height)), still);
            }
        }
    }

    #[test]
    fn threads_do_not_change_the_bits() {
        let (width, height) = (641, 359);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                let mut evm = CpuEvm::new(width, height);
                (0..3)
                    .map(|i| evm.push(&noise(width, height, i), &step(width, height)))
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(run(1), run(3));
    }

    #[test]
    fn a_restart_forgets_all() {
        let mut evm = CpuEvm::new(40, 30);
        let step = step(40, 30);
        let (a, b, c) = (noise(40, 30, 1), noise(40, 30, 2), noise(40, 30, 3));
        evm.push(&a, &step);
        evm.push(&b, &step);
        evm.restart();
        assert_eq!(evm.push(&b, &step), b);
        let again = evm.push(&c, &step);
        let mut fresh = CpuEvm::new(40, 30);
        fresh.push(&b, &step);
        assert_eq!(fresh.push(&c, &step), again);
    }
}
