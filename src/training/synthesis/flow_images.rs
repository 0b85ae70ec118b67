//! Folders of generated flow images: `flows/<clip>.png` and `labels.csv`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rayon::prelude::*;

use super::drawn_face::DrawnFace;
use super::draws::Draws;
use super::flow_scene::{Cast, FlowImage, Subject, film};
use super::muscles::Musculature;
use crate::dataset::flow_images::to_png;

pub use super::emotion_classes::{Combination, ContractionSpread, EmotionClass, EmotionClasses};
pub use super::flow_recipe::{
    CameraStyle, Disturbance, Estimate, FlowImageRecipe, Framing, RecipeError,
};
pub use crate::model::flow_input::SIDE;

/// Names of the random streams.
const SKIN: u64 = 2;
const SUBJECT: u64 = 3;
const IMAGE: u64 = 4;

/// Why flow images cannot be made or written.
#[derive(Debug, thiserror::Error)]
pub enum FlowImageError {
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error("Cannot measure a flow image: {0}")]
    Flow(#[from] crate::motion::tvl1::FlowError),
    #[error("The folder holds labels of other data, and they would be replaced. Choose another folder with --out: {}", path.display())]
    OthersLabels { path: PathBuf },
    #[error("Cannot write the flow images: {reason}. Choose a folder that exists and has room: {}", path.display())]
    Write { path: PathBuf, reason: String },
}

/// One generated image and what it shows.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledFlowImage {
    pub clip: String,
    pub subject: String,
    /// The camera style's name.
    pub dataset: String,
    pub class: EmotionClass,
    /// `AU4+AU7`.
    pub units: String,
    /// Share of full strength at the apex.
    pub strength: f64,
    /// u, v, strain of [`SIDE`]² pixels, each min–max scaled to 0..255.
    pub pixels: Vec<[u8; 3]>,
}

/// Makes every image of a recipe, in order of cameras, subjects by turns.
/// `progress` is told from any thread how many are done. The same recipe gives the
/// same images, whatever the number of threads.
///
/// # Errors
/// A recipe with a value out of its range.
pub fn flow_images(
    recipe: &FlowImageRecipe,
    progress: impl Fn(usize) + Sync,
) -> Result<Vec<LabelledFlowImage>, FlowImageError> {
    recipe.check()?;
    let plan = plan(recipe);
    let (faces, skins) = cast(recipe, &plan);
    let subjects: Vec<Vec<Subject>> = (recipe.camera.iter().enumerate())
        .map(|(c, style)| {
            (0..style.subjects)
                .map(|s| {
                    let path = [SUBJECT, c as u64, s as u64];
                    Subject::new(recipe, style, &mut Draws::new(recipe.seed, &path))
                })
                .collect()
        })
        .collect();
    let done = Mutex::new(0);
    (plan.par_iter().enumerate())
        .map(|(number, shot)| {
            let style = &recipe.camera[shot.camera];
            let who = shot.person(recipe);
            let cast = Cast {
                recipe,
                style,
                subject: &subjects[shot.camera][shot.subject],
                face: &faces[&(who % recipe.faces)],
                muscles: &skins[&(who % recipe.skins)],
            };
            let mut draws = Draws::new(recipe.seed, &[IMAGE, number as u64]);
            let FlowImage {
                pixels,
                units,
                strength,
            } = film(&cast, shot.class, &mut draws)?;
            if let Ok(mut done) = done.lock() {
                *done += 1;
                progress(*done);
            }
            Ok(LabelledFlowImage {
                clip: format!("{}_{:03}_{:05}", style.name, shot.subject + 1, number + 1),
                subject: format!("{}{:03}", style.name, shot.subject + 1),
                // After the camera it resembles, never as if it came from there.
                dataset: format!("drawn-{}", style.name),
                class: shot.class,
                units,
                strength,
                pixels,
            })
        })
        .collect()
}

/// Writes the images of a recipe into `dir`: `flows/<clip>.png` (28×28 RGB: R = u,
/// G = v, B = strain), `labels.csv` (`clip,subject,dataset,label`; 0 negative,
/// 1 positive, 2 surprise) and `contents.csv` (`clip,aus,strength`). Returns how many
/// were written.
///
/// # Errors
/// A recipe with a value out of its range, a folder that cannot be written or holds
/// other labels.
pub fn write_flow_images(
    dir: &Path,
    recipe: &FlowImageRecipe,
    progress: impl Fn(usize) + Sync,
) -> Result<usize, FlowImageError> {
    let labels = dir.join("labels.csv");
    if labels.exists() && !dir.join("contents.csv").exists() {
        return Err(FlowImageError::OthersLabels { path: labels });
    }
    let images = flow_images(recipe, progress)?;
    save_flow_images(dir, &images)?;
    Ok(images.len())
}

/// Writes images as [`write_flow_images`] does.
///
/// # Errors
/// A folder that cannot be written.
pub fn save_flow_images(dir: &Path, images: &[LabelledFlowImage]) -> Result<(), FlowImageError> {
    let flows = dir.join("flows");
    fs::create_dir_all(&flows).map_err(|e| refused(&flows, &e))?;
    // Labels of earlier images must not stand beside these, should this be killed.
    let label_file = dir.join("labels.csv");
    match fs::remove_file(&label_file) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(refused(&label_file, &e)),
        _ => {}
    }
    let mut labels = String::from("clip,subject,dataset,label\n");
    let mut contents = String::from("clip,aus,strength\n");
    for image in images {
        write_picture(&flows.join(format!("{}.png", image.clip)), image)?;
        labels.push_str(&format!(
            "{},{},{},{}\n",
            image.clip,
            image.subject,
            image.dataset,
            image.class.label()
        ));
        contents.push_str(&format!(
            "{},{},{:.4}\n",
            image.clip, image.units, image.strength
        ));
    }
    write_whole(&dir.join("contents.csv"), contents.as_bytes())?;
    write_whole(&label_file, labels.as_bytes())
}

/// One image to be made.
struct Shot {
    camera: usize,
    subject: usize,
    class: EmotionClass,
}

impl Shot {
    /// Counts people over all cameras, in an order that spreads faces and skins.
    fn person(&self, recipe: &FlowImageRecipe) -> usize {
        let before: usize = recipe.camera[..self.camera]
            .iter()
            .map(|c| c.subjects)
            .sum();
        before + self.subject
    }
}

fn plan(recipe: &FlowImageRecipe) -> Vec<Shot> {
    let mut plan = Vec::with_capacity(recipe.images());
    for (camera, style) in recipe.camera.iter().enumerate() {
        let mut number = 0;
        for (class, count) in EmotionClass::ALL.into_iter().zip(style.images) {
            for _ in 0..count {
                plan.push(Shot {
                    camera,
                    subject: number % style.subjects,
                    class,
                });
                number += 1;
            }
        }
    }
    plan
}

type Faces = BTreeMap<usize, DrawnFace>;
type Skins = BTreeMap<usize, Musculature>;

/// Paints the faces and solves the skins that are needed.
fn cast(recipe: &FlowImageRecipe, plan: &[Shot]) -> (Faces, Skins) {
    // Few images show few people, and not the first ones.
    let needed = |of: usize| -> BTreeSet<usize> {
        plan.iter().map(|shot| shot.person(recipe) % of).collect()
    };
    let world = format!("flow images {}", recipe.seed);
    let faces = needed(recipe.faces)
        .into_par_iter()
        .map(|i| (i, DrawnFace::paint(&world, i as u64)))
        .collect();
    let skins = needed(recipe.skins)
        .into_par_iter()
        .map(|i| {
            let mut draws = Draws::new(recipe.seed, &[SKIN, i as u64]);
            (i, Musculature::new(&mut draws))
        })
        .collect();
    (faces, skins)
}

fn write_picture(path: &Path, image: &LabelledFlowImage) -> Result<(), FlowImageError> {
    let file = to_png(&image.pixels).map_err(|e| refused(path, &e))?;
    write_whole(path, &file)
}

/// Written beside and renamed, so a killed run leaves no half file.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FlowImageError> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, path))
        .map_err(|e| refused(path, &e))
}

fn refused(path: &Path, reason: &impl ToString) -> FlowImageError {
    FlowImageError::Write {
        path: path.to_path_buf(),
        reason: reason.to_string(),
    }
}
