//! `onset synth`: labelled synthetic recordings.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use clap::Args;

use super::print::tell;
use super::progress::Progress;
use super::{CommandResult, Failure, Outcome};
use crate::media::synthetic::recordings;
use crate::project::output;
use crate::training::synthesis::flow_images::{FlowImageRecipe, write_flow_images};
use crate::training::synthesis::{Cast, Extras, FilmError, Recipe, Script, contact_sheet, film};

/// Film labelled synthetic recordings (same recipe and seed, same bytes).
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  onset synth --out studio --seed 7 --recordings 20\n  onset synth --recipe assets/studio/test-1.toml --out studio-test\n  onset synth --faces photos --out studio-faces --recordings 10\n  onset synth --contact-sheet sheet.png --recipe assets/studio/train-1.toml\n  onset synth --sample --out assets/clip\n  onset synth --flow-images 13000 --out flow\n\nOUT receives the videos, index.csv, labels.csv, events.csv (with amplitudes),\ndistractors.csv and recipe.toml. Stopped, the same command keeps the\nrecordings of drawn faces that are whole; another recipe clears what the last one left."
)]
pub struct SynthArgs {
    /// Folder for the recordings and their labels.
    #[arg(long, required_unless_present = "contact_sheet")]
    out: Option<PathBuf>,
    /// Only a PNG of the first ten recordings' persons: at rest, with an expression at
    /// its full strength, turned.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "sample"])]
    contact_sheet: Option<PathBuf>,
    /// Only the bundled clip and its truth.
    #[arg(long, conflicts_with_all = ["seed", "recipe", "recordings", "faces"])]
    sample: bool,
    /// What is filmed, as TOML; the built-in training recipe without it.
    #[arg(long)]
    recipe: Option<PathBuf>,
    /// Instead of recordings this many flow images of drawn faces, in three classes
    /// (negative, positive, surprise), 28×28 as the MEGC 2019 ones; --recipe then names
    /// a recipe of flow images. As many of each camera style and class, so N is rounded
    /// up.
    #[arg(long, value_name = "N", conflicts_with_all = ["recordings", "faces", "sample", "contact_sheet"], value_parser = clap::value_parser!(u32).range(9..))]
    flow_images: Option<u32>,
    /// With --flow-images: 442 images of 68 subjects, the classes as unequal as in MEGC
    /// 2019, instead of N.
    #[arg(long, requires = "flow_images")]
    megc_balance: bool,
    /// Film the faces of this folder (photographs, or clips whose first frame is
    /// taken; neutral, looking at the camera) instead of drawn ones.
    #[arg(long, value_name = "DIR")]
    faces: Option<PathBuf>,
    /// What makes this set of recordings different from another; else the recipe's.
    #[arg(long)]
    seed: Option<u64>,
    /// Only the frames that networks for action units learn from: onset, apex and offset
    /// of each expression and some at rest, as folders of pictures.
    #[arg(long, conflicts_with_all = ["contact_sheet", "sample", "flow_images"])]
    stills: bool,
    /// With --stills so many frames evenly from onset to offset of each expression, the
    /// apex among them, and of rest: networks that read more than two want 13.
    #[arg(long, value_name = "N", requires = "stills", default_value_t = 2, value_parser = clap::value_parser!(u32).range(2..=64))]
    frames_per_expression: u32,
    /// Write also where the 68 landmarks are in every frame, as
    /// landmarks/RECORDING.csv.
    #[arg(long, conflicts_with_all = ["contact_sheet", "sample", "flow_images"])]
    landmarks: bool,
    /// How many recordings; else the recipe's, or 4 without one.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    recordings: Option<u32>,
}

pub(super) fn run(args: &SynthArgs, quiet: bool) -> CommandResult {
    if let (true, Some(out)) = (args.sample, &args.out) {
        let clip = recordings::write_sample_clip(out).map_err(Failure::other)?;
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
    if let (Some(count), Some(out)) = (args.flow_images, &args.out) {
        return flow_images(args, count as usize, out, quiet);
    }
    let mut recipe = match &args.recipe {
        Some(path) => Recipe::read(path).map_err(Failure::input)?,
        None => Recipe {
            recordings: 4,
            ..Recipe::parse(Recipe::TRAIN_1).map_err(Failure::other)?
        },
    };
    recipe.seed = args.seed.unwrap_or(recipe.seed);
    recipe.recordings = args.recordings.unwrap_or(recipe.recordings);
    let (cast, outcome) = cast(args)?;
    if let Some(path) = &args.contact_sheet {
        write_contact_sheet(&recipe, &cast, path, quiet)?;
        return Ok(outcome);
    }
    let Some(out) = &args.out else {
        let nowhere = anyhow::anyhow!("Nothing to write to: name a folder with --out");
        return Err(Failure::input(nowhere));
    };
    let total = (0..recipe.recordings)
        .map(|number| Script::frames(&recipe, number))
        .sum();
    // How many stills there will be is known once everything is drawn.
    let total = Some(total).filter(|_| !args.stills);
    let progress = Mutex::new(Progress::new("filming", total, quiet));
    let extras = Extras {
        landmarks: args.landmarks,
        stills: args.stills.then_some(args.frames_per_expression),
    };
    let filmed = film(&recipe, &cast, out, extras, &|done| {
        // A poisoned lock means another recording failed, which `film` reports.
        if let Ok(mut progress) = progress.lock() {
            progress.at(done);
        }
    })
    .map_err(|error| match error {
        FilmError::OthersLabels { .. } => Failure::input(error),
        other => Failure::other(other),
    })?;
    if let Ok(progress) = progress.into_inner() {
        progress.finish();
    }
    if !quiet {
        tell!(
            "{} recordings with {} frames, {} micro- and {} macro-expressions, their labels and distractors in {}",
            filmed.recordings,
            filmed.frames,
            filmed.micro,
            filmed.macro_,
            out.display()
        );
    }
    Ok(outcome)
}

/// Who is filmed; a warning for each file without a face.
fn cast(args: &SynthArgs) -> Result<(Cast, Outcome), Failure> {
    let Some(dir) = &args.faces else {
        return Ok((Cast::Drawn, Outcome::Done));
    };
    let (cast, skipped) = Cast::from_folder(dir).map_err(Failure::input)?;
    for file in &skipped {
        tell!("Skipped, {}: {}", file.reason, file.path.display());
    }
    let outcome = if skipped.is_empty() {
        Outcome::Done
    } else {
        Outcome::Warned
    };
    Ok((cast, outcome))
}

/// Recordings on a contact sheet.
const SHOWN: u32 = 10;

fn flow_images(args: &SynthArgs, count: usize, out: &Path, quiet: bool) -> CommandResult {
    let mut recipe = match &args.recipe {
        Some(path) => FlowImageRecipe::read(path).map_err(Failure::input)?,
        None => FlowImageRecipe::first().map_err(Failure::other)?,
    };
    recipe.seed = args.seed.unwrap_or(recipe.seed);
    recipe = if args.megc_balance {
        recipe.with_megc_2019_balance()
    } else {
        recipe.with_images(count)
    };
    let all = recipe.images();
    let progress = Progress::counting("images", "flow", Some(all as u64), quiet);
    let progress = Mutex::new(progress);
    let written = write_flow_images(out, &recipe, |done| {
        if let Ok(mut progress) = progress.lock() {
            progress.at(done as u64);
        }
    });
    if let Ok(progress) = progress.into_inner() {
        progress.finish();
    }
    let written = written.map_err(Failure::input)?;
    if !quiet {
        tell!(
            "{written} flow images with labels.csv and contents.csv in {}",
            out.display()
        );
    }
    Ok(Outcome::Done)
}

fn write_contact_sheet(
    recipe: &Recipe,
    cast: &Cast,
    path: &Path,
    quiet: bool,
) -> Result<(), Failure> {
    let sheet = contact_sheet(recipe, cast, SHOWN).map_err(Failure::other)?;
    let mut bytes = Cursor::new(Vec::new());
    sheet
        .write_to(&mut bytes, image::ImageFormat::Png)
        .map_err(Failure::other)?;
    output::write_whole(path, bytes.get_ref()).map_err(Failure::other)?;
    if !quiet {
        tell!("{SHOWN} persons in {}", path.display());
    }
    Ok(())
}
