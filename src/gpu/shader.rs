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

/// Repeats what stands between the lines `// for NAME in 0..` and `// end NAME`
/// `count` times with NAME, which must not be a part of other words there, replaced
/// by 0, 1, 2, …
///
/// Private arrays stay in registers only where every index is a constant, and
/// wgpu's guard against endless loops keeps some drivers from unrolling a loop
/// themselves.
#[must_use]
pub fn unroll(source: &str, name: &str, count: usize) -> String {
    let (open, close) = (format!("// for {name} in 0.."), format!("// end {name}"));
    let mut unrolled = String::with_capacity(source.len() * 2);
    let mut body: Option<String> = None;
    for line in source.lines() {
        let mark = line.trim();
        if mark.starts_with(&open) {
            body = Some(String::new());
        } else if mark == close {
            let text = body.take().unwrap_or_default();
            for i in 0..count {
                unrolled.push_str(&text.replace(name, &i.to_string()));
            }
        } else {
            let to = body.as_mut().unwrap_or(&mut unrolled);
            to.push_str(line);
            to.push('\n');
        }
    }
    unrolled
}

#[cfg(test)]
mod tests {
    use super::unroll;

    #[test]
    fn marked_lines_are_repeated_with_their_number() {
        let source = "a\n// for ROW in 0..2\nb[ROW] = c[ROW + 1];\n// end ROW\nd";
        let expected = "a\nb[0] = c[0 + 1];\nb[1] = c[1 + 1];\nd\n";
        assert_eq!(unroll(source, "ROW", 2), expected);
    }
}
