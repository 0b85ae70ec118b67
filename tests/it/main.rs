//! Every integration test, in one binary.

use std::path::{Path, PathBuf};

mod metrics;
mod simulated_face;
mod spotting;

/// A file of the reference material beside the checkout, or in `ONSET_SHARED`;
/// `None`, and a line that says so, where it is absent.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ONSET_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("skipped: {} is not there", file.display());
    None
}
