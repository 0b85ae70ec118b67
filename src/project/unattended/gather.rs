//! The recordings that lie in a folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::Notice;
use crate::media::image_sequence::{is_hidden, is_image, natural_order};

/// Endings, in small letters, by which a folder's videos are known. A file that is named
/// itself is tried whatever it is called.
pub const VIDEO_ENDINGS: [&str; 18] = [
    "mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "m2v", "ts", "mts", "m2ts", "wmv",
    "asf", "flv", "3gp", "ogv", "mxf",
];

/// Folders in folders are looked into so deep, as databases of subjects and sessions lie.
const DEEPEST: usize = 4;

/// Files as they are, and for each folder what is in it, in natural order: every video,
/// and every folder of images, which is one recording. A folder of results is none.
/// What is to be said of a folder without any comes beside.
#[must_use]
pub fn gather(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Notice>) {
    let (mut recordings, mut said) = (Vec::new(), Vec::new());
    for path in paths {
        if !path.is_dir() {
            recordings.push(path.clone());
            continue;
        }
        let before = recordings.len();
        let read = look_into(path, DEEPEST, &mut recordings);
        let why = match read {
            Err(e) => format!("the folder cannot be read ({e}). Choose another"),
            Ok(()) if recordings.len() == before => {
                "neither a video nor a folder of images is in it. Choose the folder that holds \
                 them"
                    .to_owned()
            }
            Ok(()) => continue,
        };
        said.push(Notice::warning(format!(
            "No recording was added: {why}: {}",
            path.display()
        )));
    }
    (recordings, said)
}

/// A folder further down that cannot be read is left out.
fn look_into(folder: &Path, deep: usize, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if folder.join("recording.json").exists() {
        return Ok(());
    }
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| !is_hidden(path))
        .collect();
    paths.sort_by(|a, b| natural_order(a, b));
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
        paths.into_iter().partition(|path| path.is_dir());
    let before = found.len();
    found.extend(files.iter().filter(|path| is_video(path)).cloned());
    // Pictures beside videos are stills of them.
    if found.len() == before && files.iter().any(|path| is_image(path)) {
        found.push(folder.to_owned());
    }
    if deep > 0 {
        for folder in folders {
            if let Err(e) = look_into(&folder, deep - 1, found) {
                log::warn!("cannot look into a folder ({e}): {}", folder.display());
            }
        }
    }
    Ok(())
}

fn is_video(path: &Path) -> bool {
    let ending = path.extension().and_then(|e| e.to_str());
    ending.is_some_and(|e| VIDEO_ENDINGS.contains(&e.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_video_and_every_folder_of_images_is_a_recording() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path();
        for file in [
            "s2/b.MP4",
            "s2/still.png",
            "s10/frames/1.jpg",
            "s10/frames/2.jpg",
            "s10/notes.txt",
            "a10.mkv",
            "a9.mkv",
            ".hidden/c.mp4",
            "onset-results/a9/recording.json",
            "onset-results/a9/timeline.png",
        ] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let (found, said) = gather(&[root.to_owned(), root.join("nowhere.mp4")]);
        let wanted = ["a9.mkv", "a10.mkv", "s2/b.MP4", "s10/frames", "nowhere.mp4"];
        assert_eq!(found, wanted.map(|path| root.join(path)));
        assert!(said.is_empty());
        let (found, said) = gather(&[root.join("onset-results")]);
        assert!(found.is_empty());
        assert!(said[0].text.contains("neither a video nor a folder"));
    }
}
