//! Stages of the flow: pyramid, TV-L1 in its presets, strain.

use std::hint::black_box;

use super::material::Cut;
use super::meter::{Bench, Subject};
use crate::cli::Failure;
use crate::motion::Flow;
use crate::motion::strain;
use crate::motion::tvl1::{Tvl1, Tvl1Preset};

/// The presets that are measured, with the names of their rows: for windows of a
/// micro- and of a macro-expression.
const PRESETS: [(Tvl1Preset, [&str; 2]); 3] = [
    (
        Tvl1Preset::Exact,
        ["flow exact, micro (k = 6)", "flow exact, macro (k = 18)"],
    ),
    (
        Tvl1Preset::Live,
        ["flow live, micro (k = 6)", "flow live, macro (k = 18)"],
    ),
    (
        Tvl1Preset::Preview,
        [
            "flow preview, micro (k = 6)",
            "flow preview, macro (k = 18)",
        ],
    ),
];
const SPACINGS: [usize; 2] = [6, 18];

/// Measures all of them on pictures of one size.
pub(super) fn measure(
    bench: &mut Bench,
    cuts: &[Cut],
    size: (usize, usize),
) -> Result<(), Failure> {
    on_processor(bench, cuts, size)
}

fn on_processor(bench: &mut Bench, cuts: &[Cut], size: (usize, usize)) -> Result<(), Failure> {
    let tvl1 = Tvl1::default();
    bench.on_processor(Subject::single("pyramid", size), cuts.len(), |i| {
        black_box(tvl1.pyramid(&cuts[i].plane));
        Ok(())
    })?;
    let mut flow = Flow::default();
    for (preset, names) in PRESETS {
        for (name, k) in names.into_iter().zip(SPACINGS) {
            let mut tvl1 = Tvl1::new(preset.params());
            let pairs = cuts.len().saturating_sub(k);
            bench.on_processor(Subject::single(name, size), pairs, |i| {
                flow = tvl1
                    .flow(&cuts[i].plane, &cuts[i + k].plane)
                    .map_err(Failure::other)?;
                Ok(())
            })?;
        }
    }
    bench.on_processor(Subject::single("strain", size), 1, |_| {
        black_box(strain::forward(&flow));
        Ok(())
    })
}
