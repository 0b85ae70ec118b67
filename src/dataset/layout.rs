//! Finding label files and folders of frames below a root, however deep the archive
//! was unpacked.

use std::path::{Path, PathBuf};

use super::frame_folder::is_image;

/// How far below the root is looked.
const DEPTH: usize = 3;

/// A folder's entries, sorted as people count; hidden ones are left out.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) folders: Vec<PathBuf>,
    pub(super) files: Vec<PathBuf>,
}

impl Entries {
    /// An unreadable folder is empty: whoever needs its content will miss it by name.
    pub(super) fn of(folder: &Path) -> Self {
        let mut entries = Self::default();
        let Ok(list) = std::fs::read_dir(folder) else {
            return entries;
        };
        for entry in list.filter_map(Result::ok) {
            let path = entry.path();
            if name_of(&path).starts_with('.') {
                continue;
            }
            // Links to another disk count as what they point to.
            if path.is_dir() {
                entries.folders.push(path);
            } else {
                entries.files.push(path);
            }
        }
        for list in [&mut entries.folders, &mut entries.files] {
            list.sort_by(|a, b| natord::compare_ignore_case(&name_of(a), &name_of(b)));
        }
        entries
    }
}

pub(super) fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Label files whose lower-case name passes `is_it`, shallow ones first, newest name
/// last within a folder.
pub(super) fn label_files(root: &Path, is_it: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(root, |_, entries| {
        for file in &entries.files {
            let name = name_of(file).to_lowercase();
            let is_sheet = [".xlsx", ".xls", ".xlsm", ".csv"]
                .iter()
                .any(|ending| name.ends_with(ending));
            // Excel's lock files begin with ~$.
            if is_sheet && !name.starts_with("~$") && is_it(&name) {
                found.push(file.clone());
            }
        }
        true
    });
    found
}

/// Folders that hold at least one folder whose lower-case name passes `is_it`,
/// shallow ones first. What lies inside a found folder is not searched.
pub(super) fn parents_of(root: &Path, is_it: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(root, |folder, entries| {
        let holds = entries
            .folders
            .iter()
            .any(|f| is_it(&name_of(f).to_lowercase()));
        if holds {
            found.push(folder.to_owned());
        }
        !holds
    });
    found
}

/// Visits `root` and the folders below it level by level; those below a folder for
/// which `visit` says false, or that holds images, are left out.
fn walk(root: &Path, mut visit: impl FnMut(&Path, &Entries) -> bool) {
    let mut level = vec![root.to_owned()];
    for _ in 0..=DEPTH {
        let mut next = Vec::new();
        for folder in level {
            let entries = Entries::of(&folder);
            let frames = entries.files.iter().any(|f| is_image(&name_of(f)));
            if visit(&folder, &entries) && !frames {
                next.extend(entries.folders);
            }
        }
        level = next;
    }
}

/// `prefix` and then digits only.
pub(super) fn is_numbered(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

/// The folder below `parent` whose name is `name`, capitals aside.
pub(super) fn folder_named(parent: &Path, name: &str) -> Option<PathBuf> {
    let exact = parent.join(name);
    if exact.is_dir() {
        return Some(exact);
    }
    Entries::of(parent)
        .folders
        .into_iter()
        .find(|f| name_of(f).eq_ignore_ascii_case(name))
}

/// A video beside or instead of a folder of frames: `name` with a video's ending.
pub(super) fn video_named(parent: &Path, name: &str) -> Option<PathBuf> {
    ["avi", "mp4", "mkv", "mov"]
        .iter()
        .map(|ending| parent.join(format!("{name}.{ending}")))
        .find(|path| path.is_file())
}
