//! Flow images of drawn faces: the same bytes for the same recipe, the published
//! layout, and figures near those of real flow images.

#![allow(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails the test"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use onset::dataset::flow_images::FlowImages;
use onset::training::synthesis::flow_images::{
    EmotionClass, FlowImageRecipe, LabelledFlowImage, RecipeError, SIDE, flow_images,
    save_flow_images,
};
use onset::training::synthesis::flow_statistics::{
    FlowImageStatistics, REAL_LOW_POWER, REAL_STRAIN_MEDIAN,
};

fn recipe_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/studio/flow-images-1.toml")
}

/// The shipped recipe with few faces.
fn small(images: usize) -> FlowImageRecipe {
    let mut recipe = FlowImageRecipe::read(&recipe_path())
        .unwrap()
        .with_images(images);
    (recipe.faces, recipe.skins) = (9, 4);
    for camera in &mut recipe.camera {
        camera.subjects = 3;
    }
    recipe
}

fn made(recipe: &FlowImageRecipe, threads: usize) -> Vec<LabelledFlowImage> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| flow_images(recipe, |_| {})).unwrap()
}

#[test]
fn the_same_recipe_gives_the_same_images_on_one_thread_and_on_three() {
    let recipe = small(18);
    let images = made(&recipe, 3);
    assert_eq!(images, made(&recipe, 1));
    let mut other = recipe.clone();
    other.seed += 1;
    assert_ne!(images, made(&other, 3));
}

#[test]
fn the_folder_is_read_as_the_published_layout() {
    let recipe = small(18);
    let images = made(&recipe, 2);
    let dir = tempfile::tempdir().unwrap();
    save_flow_images(dir.path(), &images).unwrap();
    let read = FlowImages::read(dir.path()).unwrap();
    assert_eq!(read.clips.len(), images.len());
    for (clip, image) in read.clips.iter().zip(&images) {
        assert_eq!(clip.clip, image.clip);
        assert_eq!(clip.subject, image.subject);
        assert_eq!(clip.dataset, image.dataset);
        assert_eq!(clip.label, usize::from(image.class.label()));
    }
    for image in &images {
        assert_eq!(image.pixels.len(), SIDE * SIDE);
        for channel in 0..3 {
            let values = image.pixels.iter().map(|p| p[channel]);
            assert_eq!(values.clone().min(), Some(0), "{} {channel}", image.clip);
            assert_eq!(values.max(), Some(255), "{} {channel}", image.clip);
        }
    }
}

#[test]
fn the_megc_balance_has_its_subjects_and_classes() {
    let recipe = FlowImageRecipe::read(&recipe_path())
        .unwrap()
        .with_megc_2019_balance();
    assert_eq!(recipe.images(), 442);
    assert_eq!(recipe.camera.iter().map(|c| c.subjects).sum::<usize>(), 68);
    let of = |class: usize| -> usize { recipe.camera.iter().map(|c| c.images[class]).sum() };
    assert_eq!([of(0), of(1), of(2)], [250, 109, 83]);
}

#[test]
fn a_recipe_that_cannot_be_used_names_what_is_wrong() {
    let mut recipe = small(3);
    recipe.camera[0].noise = [3.0, 1.0];
    let error = recipe.check().unwrap_err().to_string();
    assert!(error.contains("noise of camera smic"), "{error}");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recipe.toml");
    let text = std::fs::read_to_string(recipe_path()).unwrap();
    std::fs::write(&path, text.replace("[\"4\", 18]", "[\"99\", 18]")).unwrap();
    let error = FlowImageRecipe::read(&path).unwrap_err();
    assert!(matches!(error, RecipeError::Parse { .. }));
    assert!(error.to_string().contains("\"99\""), "{error}");
}

/// How studio flow is known to look like real flow: these figures, printed beside
/// those measured on the 442 real images, and where each class moves on average.
#[test]
fn the_figures_are_near_those_of_real_flow_images() {
    let images = made(&small(270), 2);
    let measured = FlowImageStatistics::of(&images).unwrap();
    eprintln!("{measured}");
    for (ours, real) in measured.low_power.iter().zip(REAL_LOW_POWER) {
        assert!((ours - real).abs() < 0.15, "{:?}", measured.low_power);
    }
    assert!((measured.strain_median - REAL_STRAIN_MEDIAN).abs() < 8.0);
    for [_, middle, _] in measured.rest_value {
        assert!((95.0..180.0).contains(&middle), "{:?}", measured.rest_value);
    }
    // Up is dark in v: brows in surprise, cheeks in the positive class.
    let mean = |class: EmotionClass, rows: std::ops::Range<usize>, columns: &[usize], k: usize| {
        let image = &measured.class_means[usize::from(class.label())];
        let cells = rows.len() * columns.len();
        let sum: f64 = rows
            .flat_map(|r| columns.iter().map(move |c| (r, *c)))
            .map(|(r, c)| image[r * SIDE + c][k])
            .sum();
        sum / cells as f64
    };
    let brows = [5, 6, 7, 20, 21, 22];
    let rest = mean(EmotionClass::Surprise, 12..16, &brows, 1);
    assert!(mean(EmotionClass::Surprise, 2..5, &brows, 1) < rest - 25.0);
    let (left, right) = ([4, 5, 6, 7, 8], [19, 20, 21, 22, 23]);
    let cheek = |columns: &[usize], k| mean(EmotionClass::Positive, 13..18, columns, k);
    assert!(cheek(&left, 0) < cheek(&right, 0) - 15.0, "pulled outward");
    assert!(cheek(&left, 1) < mean(EmotionClass::Positive, 2..5, &brows, 1) - 15.0);
}

#[test]
fn a_handful_of_images_of_the_shipped_recipe_shows_people_of_every_camera() {
    let recipe = FlowImageRecipe::first().unwrap().with_images(9);
    let images = flow_images(&recipe, |_| {}).unwrap();
    assert_eq!(images.len(), 9);
    let cameras: BTreeSet<&str> = images.iter().map(|i| i.dataset.as_str()).collect();
    assert_eq!(cameras.len(), 3, "{cameras:?}");
    assert!(cameras.iter().all(|c| c.starts_with("drawn-")));
}
