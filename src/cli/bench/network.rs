//! Stages of the networks: SOFTNet for one window, and for many at once.

use std::hint::black_box;

use super::material::Cut;
use super::meter::{Bench, Subject};
use crate::cli::Failure;
use crate::model::softnet::{SIDE, SoftNet};
use crate::motion::pipeline::WindowMotion;
use crate::motion::tvl1::{Tvl1, Tvl1Preset};
use crate::nn::device::NnDevice;

const BATCHES: [(usize, &str); 2] = [(1, "SOFTNet, batch 1"), (32, "SOFTNet, batch 32")];
/// The spacing of a micro-window at 30 frames a second.
const SPACING: usize = 6;

/// Measures SOFTNet on the motion of real pairs. A network's device that is a card
/// gives its scores back, four bytes a window.
pub(super) fn measure(bench: &mut Bench, cuts: &[Cut]) -> Result<(), Failure> {
    let mut tvl1 = Tvl1::new(Tvl1Preset::Preview.params());
    let mut windows = Vec::new();
    for (a, b) in cuts.iter().zip(&cuts[SPACING..]) {
        let flow = tvl1.flow(&a.plane, &b.plane).map_err(Failure::other)?;
        windows.extend(a.regions.as_ref().map(|r| WindowMotion::of(&flow, r)));
    }
    let mut devices = Vec::new();
    if bench.processor {
        devices.push((NnDevice::flex(), 0));
    }
    if let Some(card) = &bench.card {
        devices.push((NnDevice::wgpu(&card.context).map_err(Failure::other)?, 4));
    }
    for (device, bytes_a_window) in devices {
        let network = SoftNet::new(&device);
        for (batch, stage) in BATCHES {
            let subject = Subject {
                stage,
                size: (SIDE, SIDE),
                batch,
            };
            let name = device.name().to_owned();
            bench.time(subject, &name, windows.len(), |i| {
                let inputs: Vec<_> = (0..batch)
                    .filter_map(|n| windows[(i + n) % windows.len()].input.planes())
                    .collect();
                let scores = network.score(&inputs, &device).map_err(Failure::other)?;
                black_box(scores);
                Ok(())
            })?;
            if let Some(row) = bench.rows.last_mut() {
                row.read_back_bytes = bytes_a_window * batch as u64;
            }
        }
    }
    Ok(())
}
