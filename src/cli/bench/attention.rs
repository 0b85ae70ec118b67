//! Stages of self-attention: over all pairs of a sequence, and over those alone that
//! hashing puts into one bucket (S3, table 6).

use burn::tensor::{Tensor, TensorData};

use super::meter::{Bench, Subject};
use crate::cli::Failure;
use crate::model::lsh_attention::{LshAttention, LshOptions, Mode};
use crate::nn::device::NnDevice;
use crate::nn::parameters;

/// Pictures of a sequence: S3's, and where the number of pairs begins to tell.
const LENGTHS: [usize; 4] = [32, 128, 512, 2048];
/// S3's.
const WIDTH: usize = 1024;
const HEADS: usize = 2;
const MODES: [(Mode, &str); 2] = [
    (Mode::Full, "attention, all pairs"),
    (Mode::Sparse, "attention, hashed"),
];

/// Measures the attention itself, hashing included, without the dense layers around it,
/// which are the same for both. The vectors have nothing in common, so an eighth of them
/// lies in each bucket; a row's size is the sequence's length and the width of its
/// vectors. One number comes back from a card, which makes it wait for the rest.
pub(super) fn measure(bench: &mut Bench) -> Result<(), Failure> {
    let mut devices = Vec::new();
    if bench.processor {
        devices.push((NnDevice::flex(), 0));
    }
    if let Some(card) = &bench.card {
        devices.push((NnDevice::wgpu(&card.context).map_err(Failure::other)?, 4));
    }
    for (device, back) in devices {
        let handle = device.handle();
        for length in LENGTHS {
            let vectors = TensorData::new(scattered(length * WIDTH), [1, length, WIDTH]);
            let vectors: Tensor<3> = Tensor::from_data(vectors, handle);
            for (mode, stage) in MODES {
                let layer = LshAttention::new(LshOptions::new(WIDTH, HEADS, mode), handle);
                let heads = layer.heads(vectors.clone());
                let subject = Subject::single(stage, (length, WIDTH));
                let name = device.name().to_owned();
                bench.time(subject, &name, 1, |_| {
                    let taken = layer.attended(&heads);
                    let one = taken.narrow(2, 0, 1).narrow(3, 0, 1).narrow(1, 0, 1);
                    parameters::read(one).map(drop).map_err(|reason| {
                        Failure::other(anyhow::anyhow!("Cannot read the attention: {reason}"))
                    })
                })?;
                if let Some(row) = bench.rows.last_mut() {
                    row.read_back_bytes = back;
                }
            }
        }
    }
    Ok(())
}

/// Numbers in −1..1 that look like chance and are the same every time.
fn scattered(count: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) as f32
    };
    (0..count).map(|_| next()).collect()
}
