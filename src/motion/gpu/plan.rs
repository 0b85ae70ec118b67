//! How the levels of a flow are cut into tiles, one workgroup each.
//!
//! A tile computes its own pixels and a halo around them: after n iterations
//! everything further than n pixels from the tile's edge is right, a median takes
//! two more. A wide halo means few dispatches and much repeated work. Which tile
//! and halo are best depends on the picture, on how many pairs are computed at once
//! and on what a dispatch costs; [`Plan::new`] estimates all of them and takes the
//! cheapest.

use crate::motion::tvl1::Tvl1Params;

/// Inner iterations that one dispatch can hold; `DEPTH` in the shader.
pub(crate) const DEPTH: usize = 16;

/// Pixels that the median takes from a halo.
const MEDIAN_REACH: usize = 2;

/// The pixels of a workgroup: `threads_x × threads_y` threads, each four pixels wide
/// and `rows` high.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    pub threads_x: usize,
    pub threads_y: usize,
    pub rows: usize,
}

impl Tile {
    /// 64 × 64 pixels, 256 threads, 31 KiB: little repeated work.
    pub const LARGE: Self = Self {
        threads_x: 16,
        threads_y: 16,
        rows: 4,
    };
    /// 32 × 32 pixels, 128 threads, 12 KiB: for single small pictures, whose few
    /// tiles leave most of a card idle, so that a short iteration is what counts; and
    /// for adapters with WebGPU's least workgroup memory.
    pub const SMALL: Self = Self {
        threads_x: 8,
        threads_y: 16,
        rows: 2,
    };

    /// Width in pixels.
    #[must_use]
    pub const fn width(self) -> usize {
        4 * self.threads_x
    }

    /// Height in pixels.
    #[must_use]
    pub const fn height(self) -> usize {
        self.rows * self.threads_y
    }

    /// Workgroup memory in bytes.
    #[must_use]
    pub const fn workgroup_bytes(self) -> usize {
        let columns = 2 * self.rows * self.threads_y * (self.threads_x - 1);
        let rows = 8 * self.threads_x * (self.threads_y - 1);
        let partial = self.threads_x * self.threads_y;
        4 * (2 * (columns + rows) + partial + DEPTH + 2)
    }

    pub(crate) fn fits(self, limits: &wgpu::Limits) -> bool {
        let threads = (self.threads_x * self.threads_y) as u32;
        self.workgroup_bytes() <= limits.max_compute_workgroup_storage_size as usize
            && threads <= limits.max_compute_invocations_per_workgroup
            && self.threads_x as u32 <= limits.max_compute_workgroup_size_x
            && self.threads_y as u32 <= limits.max_compute_workgroup_size_y
    }
}

/// The tiles of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelPlan {
    /// Pixels around a tile's own, a multiple of 4; 0 where the level is one tile.
    pub halo: usize,
    pub tiles_x: usize,
    pub tiles_y: usize,
}

impl LevelPlan {
    fn new((width, height): (usize, usize), tile: Tile, halo: usize) -> Self {
        if width <= tile.width() && height <= tile.height() {
            return Self {
                halo: 0,
                tiles_x: 1,
                tiles_y: 1,
            };
        }
        // The picture's own edges need no halo.
        let along = |length: usize, tile: usize| {
            if length <= tile {
                1
            } else {
                let ends = 2 * (tile - halo);
                2 + length.saturating_sub(ends).div_ceil(tile - 2 * halo)
            }
        };
        Self {
            halo,
            tiles_x: along(width, tile.width()),
            tiles_y: along(height, tile.height()),
        }
    }

    #[must_use]
    pub const fn tiles(self) -> usize {
        self.tiles_x * self.tiles_y
    }

    /// Dispatches for one round of inner iterations.
    fn blocks_per_round(self, params: &Tvl1Params) -> usize {
        let reach = if params.median { MEDIAN_REACH } else { 0 };
        let first = self.halo - reach;
        1 + (params.inner_iterations.saturating_sub(first)).div_ceil(self.halo)
    }

    /// Dispatches that the level takes at most.
    fn most_steps(self, params: &Tvl1Params, warps: usize) -> usize {
        if self.tiles() == 1 {
            return 1;
        }
        // A warp that comes to rest inside a block repeats it up to that point.
        warps * (params.outer_iterations * self.blocks_per_round(params) + 1)
    }
}

/// What things cost on a kind of adapter, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Costs {
    /// A dispatch that waits for the one before.
    launch: f64,
    /// Workgroups that run at once.
    at_once: usize,
    /// An inner iteration of a workgroup: a share for each pixel and a fixed one.
    pixel: f64,
    fixed: f64,
}

impl Costs {
    /// About 60 instructions for a pixel on a multiprocessor with 128 lanes.
    const CARD: Self = Self {
        launch: 3.0,
        at_once: 100,
        pixel: 0.000_27,
        fixed: 0.1,
    };
    /// llvmpipe on two cores: steps of 63 to 230 a pair took 4 to 11 ms each.
    const SOFTWARE: Self = Self {
        launch: 600.0,
        at_once: 2,
        pixel: 0.05,
        fixed: 10.0,
    };
}

/// Tile, halos and number of dispatches for a batch of flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub tile: Tile,
    /// Finest first.
    pub levels: Vec<LevelPlan>,
    /// After this many dispatches every pair is finished, whatever the pictures.
    pub most_steps: usize,
}

impl Plan {
    /// The plan that should be fastest with one of `tiles` for levels of these
    /// sizes, finest first.
    pub(crate) fn new(
        sizes: &[(usize, usize)],
        pairs: usize,
        params: &Tvl1Params,
        tiles: &[Tile],
        software: bool,
    ) -> Option<Self> {
        let costs = if software {
            Costs::SOFTWARE
        } else {
            Costs::CARD
        };
        let estimate = |tile: Tile, level: LevelPlan| {
            let pixels = (tile.width() * tile.height()) as f64;
            let waves = (level.tiles() * pairs).div_ceil(costs.at_once) as f64;
            let iteration = waves * (pixels * costs.pixel + costs.fixed);
            let blocks = if level.tiles() == 1 {
                // A dispatch serves a whole level; its share of a round is small.
                0.2
            } else {
                level.blocks_per_round(params) as f64
            };
            blocks * costs.launch + params.inner_iterations as f64 * iteration
        };
        let plans = tiles.iter().map(|&tile| {
            let mut total = 0.0;
            let levels: Vec<_> = sizes
                .iter()
                .map(|&size| {
                    let (cost, level) = halos(tile)
                        .map(|halo| LevelPlan::new(size, tile, halo))
                        .map(|level| (estimate(tile, level), level))
                        .min_by(|a, b| a.0.total_cmp(&b.0))
                        .expect("every tile has a halo");
                    total += cost;
                    level
                })
                .collect();
            (total, Self::of(tile, levels, params))
        });
        plans
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, plan)| plan)
    }

    /// The plan with this tile and halo on every level, for comparison.
    pub(crate) fn fixed(
        sizes: &[(usize, usize)],
        params: &Tvl1Params,
        tile: Tile,
        halo: usize,
    ) -> Self {
        let level = |&size| LevelPlan::new(size, tile, halo);
        Self::of(tile, sizes.iter().map(level).collect(), params)
    }

    fn of(tile: Tile, levels: Vec<LevelPlan>, params: &Tvl1Params) -> Self {
        // One more dispatch hands the finished flow out.
        let most_steps = 1
            + (levels.iter().enumerate())
                .map(|(n, level)| level.most_steps(params, params.warps_at(n, levels.len())))
                .sum::<usize>();
        Self {
            tile,
            levels,
            most_steps,
        }
    }

    /// Tiles of the level that has most.
    #[must_use]
    pub fn most_tiles(&self) -> usize {
        self.levels.iter().map(|l| l.tiles()).max().unwrap_or(1)
    }
}

/// Halos that leave a tile some pixels of its own. The iterations of a block have
/// [`DEPTH`] places, so a wider one is of no use.
fn halos(tile: Tile) -> impl Iterator<Item = usize> {
    let side = tile.width().min(tile.height());
    (4..=DEPTH).step_by(4).filter(move |halo| 2 * halo < side)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_pixels_of_neighbouring_tiles_meet_and_cover_the_level() {
        for tile in [Tile::LARGE, Tile::SMALL] {
            let side = tile.width();
            for halo in halos(tile) {
                for length in 8..400 {
                    let plan = LevelPlan::new((length, length), tile, halo);
                    let mut covered = 0;
                    for n in 0..plan.tiles_x {
                        let start = n * (side - 2 * plan.halo);
                        let (first, last) = (n == 0, n + 1 == plan.tiles_x);
                        assert_eq!(covered, if first { 0 } else { start + plan.halo });
                        covered = start + if last { side } else { side - plan.halo };
                        assert!(last || covered < length, "{length} has an empty tile");
                    }
                    assert!(covered >= length, "{length} with a halo of {halo}");
                }
            }
        }
    }

    #[test]
    fn tiles_fit_the_memory_they_are_meant_for() {
        assert_eq!(Tile::LARGE.workgroup_bytes(), 31_816);
        assert!(Tile::SMALL.workgroup_bytes() <= 16_384);
        assert!(Tile::SMALL.fits(&wgpu::Limits::default()));
    }

    #[test]
    fn single_small_pictures_get_small_tiles_and_batches_large_ones() {
        let params = Tvl1Params::default();
        let sizes = [(128, 128), (102, 102), (82, 82), (66, 66), (53, 53)];
        let both = [Tile::LARGE, Tile::SMALL];
        let plan = |pairs| Plan::new(&sizes, pairs, &params, &both, false).unwrap();
        assert_eq!(plan(1).tile, Tile::SMALL);
        assert_eq!(plan(64).tile, Tile::LARGE);
        assert_eq!(Plan::new(&sizes, 1, &params, &[], false), None);
    }
}
