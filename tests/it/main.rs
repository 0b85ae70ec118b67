//! The one integration binary: a module per topic.

mod motion;

/// A file of the reference data beside the checkout: `$ONSET_SHARED/path`, else
/// `../shared/path`. `None`, with a line on stderr, where it is absent.
pub(crate) fn shared(path: &str) -> Option<std::path::PathBuf> {
    let root = std::env::var_os("ONSET_SHARED").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        std::path::PathBuf::from,
    );
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("skipped: no {}", file.display());
    None
}
