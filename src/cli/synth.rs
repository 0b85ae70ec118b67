//! `onset synth`: labelled synthetic recordings.

use std::path::PathBuf;

use clap::Args;

use super::print::tell;
use super::progress::Progress;
use super::{CommandResult, Failure, Outcome};
use crate::media::synthetic::recordings;

/// Draw labelled synthetic recordings (same seed, same bytes).
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  onset synth --out studio --seed 7 --recordings 20\n  onset synth --sample --out assets/clip"
)]
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
    /// How many recordings of 20 s.
    #[arg(long, default_value_t = 4, conflicts_with = "sample", value_parser = clap::value_parser!(u32).range(1..))]
    recordings: u32,
}

pub(super) fn run(args: &SynthArgs, quiet: bool) -> CommandResult {
    if args.sample {
        let clip = recordings::write_sample_clip(&args.out).map_err(Failure::other)?;
        if !quiet {
            tell!(
                "{}, its truth {} and events {}",
                clip.video.display(),
                clip.truth.display(),
                clip.events.display()
            );
        }
        return Ok(Outcome::Done);
    }
    let mut progress = Progress::new("recordings", Some(u64::from(args.recordings)), quiet);
    recordings::write_recordings(&args.out, args.seed, args.recordings, |done| {
        progress.at(u64::from(done))
    })
    .map_err(Failure::other)?;
    progress.finish();
    if !quiet {
        tell!(
            "{} recordings with index.csv and labels.csv in {}",
            args.recordings,
            args.out.display()
        );
    }
    Ok(Outcome::Done)
}
