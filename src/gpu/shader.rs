//! Shader sources, compiled into the program.

/// Pieces that kernels share: `shaders/shared/*.wgsl`.
pub const PLANES: &str = include_str!("../../shaders/shared/planes.wgsl");

/// One WGSL module from shared pieces and the kernel's own text. WGSL has no
/// include; joined texts are one module, and names must differ between them.
#[must_use]
pub fn join(shared: &[&str], kernel: &str) -> String {
    let mut source = String::new();
    for piece in shared {
        source.push_str(piece);
        source.push('\n');
    }
    source.push_str(kernel);
    source
}
