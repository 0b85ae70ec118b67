//! `onset landmarks`: 68 points on every face of still pictures.

use std::path::PathBuf;

use clap::Args;

use super::print::{say, tell};
use super::{CommandResult, Failure, Outcome};
use crate::face::{FaceDetector, LandmarkPredictor, still};
use crate::project::output::write_whole;

/// Find faces and their 68 landmarks in pictures.
#[derive(Debug, Args)]
#[command(after_help = "Example: onset landmarks a.jpg b.png --out landmarks.json")]
pub struct LandmarksArgs {
    /// jpg, png, bmp or tif.
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// Where to write; `-` for stdout.
    #[arg(long)]
    out: PathBuf,
    /// A predictor in dlib's format; without: the installed one, else the compact one.
    #[arg(long)]
    landmarks: Option<PathBuf>,
}

pub(super) fn run(args: &LandmarksArgs, quiet: bool) -> CommandResult {
    let detector = FaceDetector::new().map_err(Failure::other)?;
    let predictor = LandmarkPredictor::find(args.landmarks.as_deref()).map_err(Failure::input)?;
    let mut found = Vec::new();
    let mut unreadable = None;
    for image in &args.images {
        match still::faces_in_file(image, &detector, &predictor) {
            Ok(faces) => found.push(faces),
            Err(e) => {
                if args.images.len() > 1 {
                    tell!("onset: {e}");
                }
                unreadable = Some(e);
            }
        }
    }
    if found.is_empty()
        && let Some(e) = unreadable
    {
        return Err(Failure::input(e));
    }
    let mut text = serde_json::to_string(&found).map_err(Failure::other)?;
    text.push('\n');
    if args.out.as_os_str() == "-" {
        say!("{}", text.trim_end());
    } else {
        write_whole(&args.out, text.as_bytes()).map_err(Failure::other)?;
        if !quiet {
            let faces: usize = found.iter().map(|f| f.faces.len()).sum();
            tell!(
                "{} pictures, {faces} faces, in {}",
                found.len(),
                args.out.display()
            );
        }
    }
    Ok(if unreadable.is_some() {
        Outcome::Warned
    } else {
        Outcome::Done
    })
}
