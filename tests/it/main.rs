//! One binary for all integration tests.

mod baseline_jpeg;
mod face;

/// A fixture that lies beside the checkout, `None` where there is none.
pub(crate) fn shared(path: &str) -> Option<std::path::PathBuf> {
    let root = std::env::var_os("ONSET_SHARED").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        std::path::PathBuf::from,
    );
    Some(root.join(path)).filter(|p| p.exists())
}
