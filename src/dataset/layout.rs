//! Finding label files and folders of frames below a root, however deep the archive
//! was unpacked.

use std::path::{Path, PathBuf};

use super::frame_folder::is_image;

/// How far below the root is looked.
const DEPTH: usize = 3;

/// A folder below the root with more images than this holds frames, not sheets.
const FEW_IMAGES: usize = 20;

/// A folder's entries, sorted as people count; hidden ones are left out.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) folders: Vec<PathBuf>,
    pub(super) files: Vec<PathBuf>,
}

impl Entries {
    /// An unreadable folder is empty: whoever needs its content will miss it by name.
    pub(super) fn of(folder: &Path) -> Self {
        Self::until(folder, usize::MAX).0
    }

    /// Stops, and says so, once more than `images` images were seen: databases hold
    /// millions of frames that no search needs to look at.
    fn until(folder: &Path, images: usize) -> (Self, bool) {
        let mut entries = Self::default();
        let Ok(list) = std::fs::read_dir(folder) else {
            return (entries, false);
        };
        let mut seen = 0;
        for entry in list.filter_map(Result::ok) {
            let path = entry.path();
            let name = name_of(&path);
            if name.starts_with('.') {
                continue;
            }
            // Links to another disk count as what they point to.
            let is_folder = match entry.file_type() {
                Ok(kind) if !kind.is_symlink() => kind.is_dir(),
                _ => path.is_dir(),
            };
            if is_folder {
                entries.folders.push(path);
                continue;
            }
            seen += usize::from(is_image(&name));
            if seen > images {
                return (Self::default(), true);
            }
            entries.files.push(path);
        }
        for list in [&mut entries.folders, &mut entries.files] {
            list.sort_by(|a, b| natord::compare_ignore_case(&name_of(a), &name_of(b)));
        }
        (entries, false)
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
/// which `visit` says false, and folders of frames, are left out.
fn walk(root: &Path, mut visit: impl FnMut(&Path, &Entries) -> bool) {
    let mut level = vec![root.to_owned()];
    for depth in 0..=DEPTH {
        let mut next = Vec::new();
        for folder in level {
            // The root was named by a person and is looked at whatever it holds.
            let images = if depth == 0 { usize::MAX } else { FEW_IMAGES };
            let (entries, frames) = Entries::until(&folder, images);
            if !frames && visit(&folder, &entries) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_and_subjects_are_found_below_but_not_among_frames() {
        let dir = tempfile::tempdir().unwrap();
        let make = |path: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        };
        make("labels/b10.xlsx");
        make("labels/b9.xlsx");
        make("labels/~$b9.xlsx");
        make("labels/cover.png");
        make("raw/sub01/clip/img1.jpg");
        make("deep/a/b/c/d/b1.xlsx");
        for n in 0..30 {
            make(&format!("frames/img{n}.jpg"));
        }
        make("frames/b2.xlsx");
        let names: Vec<String> = label_files(dir.path(), |name| name.starts_with('b'))
            .iter()
            .map(|p| name_of(p))
            .collect();
        assert_eq!(names, ["b9.xlsx", "b10.xlsx"]);
        let parents = parents_of(dir.path(), |name| is_numbered(name, "sub"));
        assert_eq!(parents, [dir.path().join("raw")]);
        assert!(folder_named(dir.path(), "RAW").is_some());
        assert!(video_named(dir.path(), "a").is_none());
    }
}
