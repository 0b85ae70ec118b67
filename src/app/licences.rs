//! The crates that Onset is built of and their licences, as `assets/setup/licences.sh` wrote
//! them down.

const LIST: &str = include_str!("../../assets/docs/licences.txt");

/// A crate that is compiled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Component {
    /// As the list has it: "burn 0.22.1 — MIT OR Apache-2.0".
    pub line: &'static str,
    /// As its manifest states it.
    pub licence: &'static str,
}

/// Those whose name, version or licence holds a text, whatever its case; all of them for
/// none.
#[must_use]
pub fn matching(text: &str) -> Vec<Component> {
    let text = text.trim().to_lowercase();
    let component = |line: &'static str| {
        let (_, licence) = line.split_once(" — ")?;
        let found = line.to_lowercase().contains(&text);
        found.then_some(Component { line, licence })
    };
    LIST.lines().filter_map(component).collect()
}

/// For the clipboard, one a line.
#[must_use]
pub fn text(components: &[Component]) -> String {
    components.iter().map(|c| format!("{}\n", c.line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_searched_and_copied() {
        let all = matching("");
        assert!(all.len() > 300);
        let egui = matching(" Egui ");
        assert!(!egui.is_empty() && egui.len() < all.len());
        assert!(egui.iter().all(|c| c.line.to_lowercase().contains("egui")));
        assert_eq!(text(&egui).lines().count(), egui.len());
    }
}
