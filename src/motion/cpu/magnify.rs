//! CPU twin of `shaders/magnify.wgsl`: the Laplacian pyramid, its band-pass and the
//! picture put together again, row by row.
//!
//! Pixels of the pyramid are red, green, blue and an unused fourth value, so that
//! every neighbour is one register away. The finest level is not magnified, so no
//! pyramid level is as large as the picture: it is read once, going down, and
//! written once, coming up. Rows do not depend on each other: large pictures are
//! worked on in strips by several threads, with the same bits.

mod rows;

use image::RgbImage;
use rayon::prelude::*;

use crate::motion::magnify::{EvmStep, level_sizes};

use rows::{Pass, State, add_change, enlarge_row, filter_rows, halve, halve_picture};

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
