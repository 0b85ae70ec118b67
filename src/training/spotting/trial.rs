//! What networks find in labelled recordings: scored and decoded.

use rayon::prelude::*;

use super::corpus::Example;
use super::judge;
use crate::model::motion_tcn::MotionTcns;
use crate::model::softnet::SoftNet;
use crate::nn::NnDevice;
use crate::session::decoding::Decoder;
use crate::session::params::DecodeMode;
use crate::spotting::params::BothRuns;
use crate::spotting::{ExpressionKind, ScoreSample, SpottedInterval};

/// What is found by a temporal network with these thresholds, a list for each recording.
///
/// # Errors
/// When the device fails.
pub fn by_motion_tcn(
    examples: &[&Example],
    network: &MotionTcns,
    runs: BothRuns,
    device: &NnDevice,
) -> Result<Vec<Vec<SpottedInterval>>, String> {
    decoded(examples, &Decoder::Temporal(runs), |example| {
        judge::scored(example, network, device)
    })
}

/// A SOFTNet, the kind that it finds, and its floor where it has one.
#[derive(Debug)]
pub struct KindNetwork {
    pub kind: ExpressionKind,
    pub network: SoftNet,
    pub floor: Option<f64>,
}

/// What is found by SOFTNets, and by the control signal for a kind that none of them is
/// for; a list for each recording.
///
/// # Errors
/// When the device fails or the features are without inputs.
pub fn by_softnets(
    examples: &[&Example],
    networks: &[KindNetwork],
    mode: DecodeMode,
    device: &NnDevice,
) -> Result<Vec<Vec<SpottedInterval>>, String> {
    let kinds: Vec<_> = networks.iter().map(|n| (n.kind, n.floor)).collect();
    let decoder = judge::softnet_decoder(mode, &kinds);
    decoded(examples, &decoder, |example| {
        let mut samples: Vec<ScoreSample> = Vec::new();
        for KindNetwork { kind, network, .. } in networks {
            let scored = judge::scored_by_softnet(example, *kind, network, device)?;
            samples.extend(scored.into_iter().filter(|s| s.kind == *kind));
        }
        let missing = ExpressionKind::BOTH
            .into_iter()
            .filter(|kind| !networks.iter().any(|n| n.kind == *kind));
        samples.extend(missing.flat_map(|kind| example.features.windows(kind).samples.clone()));
        Ok(samples)
    })
}

/// What is found by the control signal alone, a list for each recording.
#[must_use]
pub fn by_control(examples: &[&Example], mode: DecodeMode) -> Vec<Vec<SpottedInterval>> {
    let decoder = judge::softnet_decoder(mode, &[]);
    let found = |example: &&Example| {
        let both = [&example.features.macros, &example.features.micros];
        let samples: Vec<_> = both.into_iter().flat_map(|w| w.samples.clone()).collect();
        decoder.whole(&samples).0
    };
    examples.par_iter().map(found).collect()
}

fn decoded(
    examples: &[&Example],
    decoder: &Decoder,
    scored: impl Fn(&Example) -> Result<Vec<ScoreSample>, String> + Sync,
) -> Result<Vec<Vec<SpottedInterval>>, String> {
    (examples.par_iter())
        .map(|example| Ok(decoder.whole(&scored(example)?).0))
        .collect()
}
