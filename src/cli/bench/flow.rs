//! Stages of the flow: pyramid, TV-L1 in its presets, strain.

use std::hint::black_box;

use super::material::Cut;
use super::meter::{Bench, Subject};
use crate::cli::Failure;
use crate::motion::Flow;
use crate::motion::gpu::Tvl1Gpu;
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
    on_processor(bench, cuts, size)?;
    on_card(bench, cuts, size)
}

/// Pairs that the card gets in one submission, besides single ones.
const TOGETHER: usize = 16;
/// A software adapter takes seconds for a pair of more pixels.
const MOST_PIXELS_IN_SOFTWARE: usize = 128 * 128;

/// With the flows read back, since that is when they are known to be there.
fn on_card(bench: &mut Bench, cuts: &[Cut], size: (usize, usize)) -> Result<(), Failure> {
    let Some(card) = &bench.card else {
        return Ok(());
    };
    let context = card.context.clone();
    if context.is_software() && size.0 * size.1 > MOST_PIXELS_IN_SOFTWARE {
        return Ok(());
    }
    let flow_bytes = (2 * size.0 * size.1 * size_of::<f32>()) as u64;
    for (preset, names) in PRESETS {
        let mut tvl1 = Tvl1Gpu::new(&context, preset.params()).map_err(Failure::other)?;
        let mut pyramids = Vec::with_capacity(cuts.len());
        let mut encoder = context.device.create_command_encoder(&Default::default());
        for cut in cuts {
            let pyramid = tvl1
                .allocate_pyramid(size.0, size.1)
                .map_err(Failure::other)?;
            tvl1.pyramids()
                .upload(&pyramid, &cut.plane)
                .map_err(Failure::other)?;
            tvl1.pyramids().record(&mut encoder, &pyramid);
            pyramids.push(pyramid);
        }
        context.queue.submit([encoder.finish()]);
        let wait = |tvl1: &mut Tvl1Gpu| {
            black_box(tvl1.wait().map_err(Failure::other)?);
            Ok(())
        };
        for (name, k) in names.into_iter().zip(SPACINGS) {
            let pairs: Vec<_> = pyramids.iter().zip(pyramids.iter().skip(k)).collect();
            for batch in [1, TOGETHER.min(pairs.len())] {
                if pairs.is_empty() || (batch > 1 && context.is_software()) {
                    continue;
                }
                let subject = Subject {
                    stage: name,
                    size,
                    batch,
                };
                let submit = |tvl1: &mut Tvl1Gpu, i: usize| {
                    let first = i.min(pairs.len() - batch);
                    tvl1.submit(&pairs[first..first + batch], 0)
                        .map_err(Failure::other)
                };
                let bytes = flow_bytes * batch as u64;
                bench.on_card(subject, bytes, pairs.len(), &mut tvl1, submit, wait)?;
            }
        }
    }
    Ok(())
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
