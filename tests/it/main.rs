//! All integration tests in one binary: each more would link burn, wgpu and eframe again.

use std::path::PathBuf;

mod app;
mod architecture;
mod attention;
mod bad_input;
mod bandpass;
mod baseline_jpeg;
mod bench;
mod cli;
mod clips;
mod coding_files;
mod data_cli;
mod dataset;
mod face;
mod flow_images;
mod gpu;
mod gpu_flow;
mod gpu_roi;
mod gpu_yuv;
mod licences;
mod magnify;
mod media;
mod metrics;
mod model;
mod motion;
mod pipeline;
mod private;
mod project_file;
mod queue;
mod recognition;
mod recognition_networks;
mod second_look;
mod side_by_side;
mod simulated_face;
mod spotting;
mod spotting_folds;
mod studio;
mod synthetic;
mod training;
mod uamrn_and_moext;
mod workflow;

/// A file of the development material beside the checkout (`../shared`, or
/// `ONSET_SHARED`), which users do not have: `None`, with a word, where it is absent.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ONSET_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: {path} is not beside this checkout");
    None
}
