//! `onset synth`: labelled synthetic recordings.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use super::{CommandResult, Failure, Outcome};
use crate::media::synthetic;

/// Draw labelled synthetic recordings (same seed, same bytes).
#[derive(Debug, Args)]
#[command(after_help = "Example: onset synth --sample --out assets/clip")]
pub struct SynthArgs {
    /// Folder for the recordings and their labels.
    #[arg(long)]
    out: PathBuf,
    /// Only the bundled clip and its truth.
    #[arg(long, conflicts_with = "seed")]
    sample: bool,
    /// What makes this set of recordings different from another.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many recordings.
    #[arg(long, default_value_t = 4, conflicts_with = "sample")]
    recordings: u32,
}
