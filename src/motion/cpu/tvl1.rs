//! TV-L1 flow on the processor: coarse to fine, warps, and the rounds of inner
//! iterations of one warp (Zach, Pock, Bischof 2007; Pérez, Meinhardt-Llopis,
//! Facciolo 2013). What one iteration does is in [`super::iteration`], how several
//! share a pass over memory in [`super::sweep`].

use rayon::prelude::*;

use super::iteration::Steps;
use super::sweep::{Sweep, Worker};
use super::warp::{Sampling, linearise};
use super::{LANES, row_stride};
use crate::base::Plane;
use crate::motion::Flow;
use crate::motion::pyramid::{Border, Grid, Pyramid, PyramidLevel, resize_rows};
use crate::motion::tvl1::Tvl1Params;

/// Rows whose changes are summed together, whatever the number of threads. Bands
/// of rows begin at multiples of it.
pub(super) const STRIP: usize = 16;

/// Levels with fewer pixels than this stay on the calling thread: several such
/// pairs are measured side by side already.
const PIXELS_WORTH_SHARING: usize = 40_000;

/// Iterations that share a pass at most; with a few rows of a wide picture each,
/// their fields stay in the second-level cache.
const LONGEST_PASS: usize = 8;

/// How the rows of a level lie in memory.
///
/// A row of the state holds, one after the other, u, v, two blocks of zeros, and
/// the dual variables: x components of u's, of v's, y components of both by turns,
/// block by block. A row of the linearisation holds by turns a block of the warped
/// gradient in x and in y, of the rest and of the inverse. Few streams, because
/// there are few registers for addresses. Values beyond the width are zero and
/// stay zero through every step, so that whole blocks can be computed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) stride: usize,
}

impl Layout {
    fn of(level: &PyramidLevel) -> Self {
        Self {
            width: level.width,
            height: level.height,
            stride: row_stride(level.width),
        }
    }

    /// Values of one row of the state.
    pub(super) fn state_row(self) -> usize {
        6 * self.stride + 2 * LANES
    }

    /// Values of one row of the linearisation.
    pub(super) fn data_row(self) -> usize {
        4 * self.stride
    }

    /// Values of one part of a row that have to be computed.
    pub(super) fn computed(self) -> usize {
        self.width.next_multiple_of(LANES)
    }

    fn state(self) -> usize {
        self.state_row() * self.height
    }
}

/// Everything that is reused from pair to pair.
#[derive(Debug)]
pub(crate) struct Solver {
    layout: Layout,
    /// Flow and dual variables, see [`Layout`].
    state: Vec<f32>,
    /// The state some iterations later, while they are made.
    later: Vec<f32>,
    /// The linearisation, see [`Layout`].
    data: Vec<f32>,
    /// One for each band of rows.
    workers: Vec<Worker>,
    /// 1 where a pixel has a right neighbour, else 0.
    has_right: Vec<f32>,
    /// Iterations that share a pass at most.
    longest_pass: usize,
}

impl Default for Solver {
    fn default() -> Self {
        Self {
            layout: Layout::default(),
            state: Vec::new(),
            later: Vec::new(),
            data: Vec::new(),
            workers: Vec::new(),
            has_right: Vec::new(),
            longest_pass: LONGEST_PASS,
        }
    }
}

/// What a pass over the picture does before its first iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    Copy,
    Median,
}

impl Solver {
    /// The flow from `first` to `second` (same level sizes), and the inner
    /// iterations of each level, finest first, into `iterations`.
    ///
    /// The search begins at rest. Begun from the flow of the pair one frame earlier
    /// (a face at 30 frames a second, six frames apart) it needed a fifth more
    /// iterations, since the coarsest level then starts from detail that it cannot
    /// hold; with the two coarsest levels left out a seventh fewer, all of them
    /// cheap (`live`), for a result further from `exact` that depended on history.
    pub(crate) fn solve(
        &mut self,
        first: &Pyramid,
        second: &Pyramid,
        params: &Tvl1Params,
        iterations: &mut Vec<u32>,
    ) -> Flow {
        iterations.clear();
        let gain = if params.equalise {
            second.gain_to(first)
        } else {
            1.0
        };
        let levels = first.levels.iter().zip(&second.levels);
        for (n, (a, b)) in levels.rev().enumerate() {
            let level = first.levels.len() - 1 - n;
            self.enter(a, (n > 0).then_some(params));
            let mut count = 0;
            let mut last = 0;
            for _ in 0..params.warps_at(level, first.levels.len()) {
                self.linearise(a, b, gain, params);
                last = self.relax(params, last);
                count += last;
            }
            iterations.push(count);
        }
        iterations.reverse();
        Flow {
            u: self.plane(0),
            v: self.plane(1),
        }
    }

    /// Sizes the fields for `level`; with `enlarge` the flow of the level before is
    /// enlarged onto it, else it begins at rest.
    fn enter(&mut self, level: &PyramidLevel, enlarge: Option<&Tvl1Params>) {
        let (from, to) = (self.layout, Layout::of(level));
        std::mem::swap(&mut self.state, &mut self.later);
        self.state.clear();
        self.state.resize(to.state(), 0.0);
        if let Some(params) = enlarge {
            for c in 0..2 {
                resize_rows(
                    Grid::of(from.width, from.height, from.state_row()),
                    &self.later[c * from.stride..],
                    Grid::of(to.width, to.height, to.state_row()),
                    &mut self.state[c * to.stride..],
                    (
                        from.width as f64 / to.width as f64,
                        from.height as f64 / to.height as f64,
                    ),
                    1.0 / params.scale_step,
                    params.border,
                );
            }
        }
        self.layout = to;
        self.later.resize(to.state(), 0.0);
        self.data.clear();
        self.data.resize(to.data_row() * to.height, 0.0);
        self.has_right.clear();
        self.has_right.resize(to.stride, 0.0);
        self.has_right[..to.width - 1].fill(1.0);
        let bands = self.bands();
        self.workers.resize_with(bands, Worker::default);
    }

    /// Into how many bands of rows the present level is divided.
    fn bands(&self) -> usize {
        if self.layout.width * self.layout.height < PIXELS_WORTH_SHARING {
            return 1;
        }
        // A band needs some rows of its neighbours once more in each pass.
        let most = self.layout.height.div_ceil(3 * LONGEST_PASS);
        rayon::current_num_threads().clamp(1, most)
    }

    /// The first row of every band and the end of the last.
    fn edges(&self, bands: usize) -> Vec<usize> {
        let strips = self.layout.height.div_ceil(STRIP);
        (0..=bands)
            .map(|band| (band * strips / bands * STRIP).min(self.layout.height))
            .collect()
    }

    fn linearise(&mut self, a: &PyramidLevel, b: &PyramidLevel, gain: f32, params: &Tvl1Params) {
        let layout = self.layout;
        let sampling = if params.border == Border::Zero {
            Sampling::OpenCv
        } else {
            Sampling::Plain
        };
        let state = &self.state;
        let rows = layout.height.div_ceil(self.workers.len());
        let bands = self.data.chunks_mut(rows * layout.data_row()).enumerate();
        let band = |(n, data): (usize, &mut [f32])| {
            linearise(layout, a, b, gain, state, n * rows, data, sampling);
        };
        if self.workers.len() == 1 {
            bands.for_each(band);
        } else {
            bands.collect::<Vec<_>>().into_par_iter().for_each(band);
        }
    }

    /// Iterates on the present linearisation until the flow rests; returns the
    /// number of inner iterations. `guess` is that number in the warp before.
    fn relax(&mut self, params: &Tvl1Params, guess: u32) -> u32 {
        let area = (self.layout.width * self.layout.height) as f64;
        let epsilon = decimal(params.epsilon);
        let enough = (epsilon * epsilon * area) as f32;
        let opencv = params.border == Border::Zero;
        let steps = Steps::of(params);
        let mut forecast = Forecast::new(enough, guess, self.longest_pass);
        let mut count = 0;
        let mut changes = Vec::with_capacity(LONGEST_PASS);
        for _ in 0..params.outer_iterations {
            let mut beginning = if params.median {
                Beginning::Median
            } else {
                Beginning::Copy
            };
            let mut done = 0;
            while done < params.inner_iterations {
                let wanted = forecast.passes().min(params.inner_iterations - done);
                self.sweep(beginning, wanted, steps, opencv, &mut changes);
                let resting = changes.iter().position(|change| *change <= enough);
                let made = resting.map_or(wanted, |last| last + 1);
                if made < wanted {
                    // It had come to rest earlier: `state` is still as it was
                    // before the pass, from which the right number is made.
                    self.sweep(beginning, made, steps, opencv, &mut changes);
                }
                std::mem::swap(&mut self.state, &mut self.later);
                count += made as u32;
                if resting.is_some() {
                    return count;
                }
                forecast.learn(&changes);
                done += made;
                beginning = Beginning::Copy;
            }
        }
        count
    }

    /// Makes `iterations` iterations from `state` into `later`; the sum of squared
    /// changes of the flow in each goes to `changes`.
    fn sweep(
        &mut self,
        beginning: Beginning,
        iterations: usize,
        steps: Steps,
        opencv: bool,
        changes: &mut Vec<f32>,
    ) {
        let layout = self.layout;
        let bands = if opencv { 1 } else { self.workers.len() };
        let edges = self.edges(bands);
        let sweep = Sweep {
            layout,
            state: &self.state,
            data: &self.data,
            has_right: &self.has_right,
            beginning,
            iterations,
            steps,
            opencv,
        };
        let workers = &mut self.workers[..bands];
        let mut rest = &mut self.later[..];
        let mut jobs = Vec::with_capacity(bands);
        for (worker, ends) in workers.iter_mut().zip(edges.windows(2)) {
            let (own, after) = rest.split_at_mut((ends[1] - ends[0]) * layout.state_row());
            rest = after;
            jobs.push((worker, own, ends[0]..ends[1]));
        }
        if let [(worker, own, rows)] = &mut jobs[..] {
            sweep.run(worker, own, rows.clone());
        } else {
            jobs.into_par_iter()
                .for_each(|(worker, own, rows)| sweep.run(worker, own, rows));
        }
        changes.clear();
        for n in 0..iterations {
            // Strip by strip from the top, so that the bands make no difference.
            let strips = self.workers[..bands].iter().flat_map(|w| w.strips(n));
            changes.push(strips.sum::<f64>() as f32);
        }
    }

    fn plane(&self, component: usize) -> Plane {
        let layout = self.layout;
        let rows = self.state.chunks_exact(layout.state_row());
        let part = component * layout.stride..component * layout.stride + layout.width;
        let data = rows.flat_map(|row| &row[part.clone()]).copied().collect();
        Plane::from_vec(layout.width, layout.height, data)
    }
}

/// A setting as it was written, in double precision: 0.01 and not 0.0099999998.
fn decimal(setting: f32) -> f64 {
    (f64::from(setting) * 1e7).round() * 1e-7
}

/// Says how many iterations can be made in one pass before one has to look whether
/// the flow rests. A wrong answer costs time and changes no result.
#[derive(Debug)]
struct Forecast {
    enough: f32,
    longest: usize,
    passes: usize,
}

impl Forecast {
    fn new(enough: f32, guess: u32, longest: usize) -> Self {
        let passes = (guess as usize / 2).max(3).min(longest);
        Self {
            enough,
            longest,
            passes,
        }
    }

    fn passes(&self) -> usize {
        self.passes
    }

    /// The change shrinks about geometrically; most of what that leaves is safe.
    fn learn(&mut self, changes: &[f32]) {
        let [.., before, last] = changes else {
            return;
        };
        let left = f64::from(last / self.enough).ln() / f64::from(before / last).ln();
        self.passes = if left.is_finite() && left > 0.0 {
            ((left * 0.8) as usize).clamp(1, self.longest)
        } else {
            self.longest
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motion::tvl1::Tvl1Preset;

    /// A texture, and the same with a moving middle: enough motion for rounds with
    /// a median, and different numbers of iterations in every warp.
    fn pictures(width: usize, height: usize) -> [Plane; 2] {
        [0.0, 1.0].map(|moved: f32| {
            let pixels = (0..width * height).map(|i| {
                let (x, y) = ((i % width) as f32, (i / width) as f32);
                let (dx, dy) = (x / width as f32 - 0.5, y / height as f32 - 0.4);
                let bump = moved * (-20.0 * (dx * dx + dy * dy)).exp();
                let (x, y) = (x - 2.5 * bump, y + 1.5 * bump);
                128.0
                    + 40.0 * (0.35 * x + 0.2 * y).sin()
                    + 40.0 * (0.31 * y - 0.15 * x).cos()
                    + 9.0 * (1.7 * x + 0.9 * y).sin()
            });
            Plane::from_vec(width, height, pixels.collect())
        })
    }

    fn solve(solver: &mut Solver, params: &Tvl1Params, [a, b]: &[Plane; 2]) -> (Flow, Vec<u32>) {
        let pyramid = |p: &Plane| Pyramid::new(p, params.scales, params.scale_step, params.border);
        let mut iterations = Vec::new();
        let flow = solver.solve(&pyramid(a), &pyramid(b), params, &mut iterations);
        (flow, iterations)
    }

    #[test]
    fn iterations_that_share_a_pass_equal_the_plain_loop() {
        for preset in [Tvl1Preset::Exact, Tvl1Preset::Compat] {
            for (width, height) in [(70, 50), (16, 40), (33, 8)] {
                let pictures = pictures(width, height);
                let mut plain = Solver {
                    longest_pass: 1,
                    ..Solver::default()
                };
                let expected = solve(&mut plain, &preset.params(), &pictures);
                for longest_pass in [2, 3, 8, 29] {
                    let mut solver = Solver {
                        longest_pass,
                        ..Solver::default()
                    };
                    let got = solve(&mut solver, &preset.params(), &pictures);
                    assert!(got == expected, "{preset} {width}×{height} {longest_pass}");
                }
            }
        }
    }

    #[test]
    fn bands_of_rows_change_no_bit() {
        let pictures = pictures(250, 331);
        for preset in [Tvl1Preset::Live, Tvl1Preset::Compat] {
            let on_threads = |count: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build();
                pool.unwrap().install(|| {
                    let mut solver = Solver::default();
                    let result = solve(&mut solver, &preset.params(), &pictures);
                    assert_eq!(solver.workers.len(), count);
                    result
                })
            };
            let expected = on_threads(1);
            for count in [2, 3, 7] {
                assert!(on_threads(count) == expected, "{preset} on {count} threads");
            }
        }
    }
}
