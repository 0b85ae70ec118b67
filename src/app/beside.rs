//! Where the project of a recording lies, or a new one goes.

use std::path::{Path, PathBuf};

use super::saving::documents;
use crate::media::SourceInfo;
use crate::project::file::{ENDING, ProjectError, ProjectFile, Source, SourceKind};

/// So many names are tried beside a recording: `a.onset`, `a-2.onset`, …
const NAMES: usize = 99;

/// As the project names its recording; `None` where it cannot be read any more.
pub(super) fn source_of(info: &SourceInfo) -> Option<Source> {
    let Some(path) = &info.path else {
        return Some(Source {
            kind: SourceKind::Camera,
            name: info.name.clone(),
            path: None,
            relative_path: None,
            size_bytes: 0,
            hash: String::new(),
            frame_count: None,
            nominal_fps: info.nominal_fps,
            first_ns: None,
            last_ns: None,
        });
    };
    let source = source_at(path)?;
    Some(Source {
        frame_count: info.frame_count,
        nominal_fps: info.nominal_fps,
        last_ns: info.duration.map(|d| d.nanos()),
        ..source
    })
}

fn source_at(path: &Path) -> Option<Source> {
    let kind = if path.is_dir() {
        SourceKind::ImageFolder
    } else {
        SourceKind::Video
    };
    Source::of(path, kind).ok()
}

/// The same for every path to a file or folder, whatever links lead there.
pub(super) fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path)
        .or_else(|_| std::path::absolute(path))
        .unwrap_or_else(|_| path.to_owned())
}

/// Where the project of a recording lies, and whether it is there already: beside the
/// recording or in the person's documents, about the same content whatever its name.
///
/// # Errors
/// One that may be about the recording is locked, damaged or of a newer Onset.
pub(super) fn find(info: &SourceInfo) -> Result<(PathBuf, bool), ProjectError> {
    let Some(path) = &info.path else {
        let folder = documents().unwrap_or_else(std::env::temp_dir);
        let name = format!("{}.{ENDING}", plain(&info.name));
        let place = free(&folder, Path::new(&name)).unwrap_or_else(|| folder.join(&name));
        return Ok((place, false));
    };
    find_of(path)
}

/// As [`find`], of a file or folder. Behind a link one that lies beside what it leads to is
/// found, too; a new one goes beside the link, as the person sees it.
///
/// # Errors
/// As [`find`].
pub(super) fn find_of(path: &Path) -> Result<(PathBuf, bool), ProjectError> {
    let named = |path: &Path| {
        let stem = path.file_stem().unwrap_or(path.as_os_str());
        PathBuf::from(format!("{}.{ENDING}", stem.to_string_lossy()))
    };
    let folder = |path: &Path| path.parent().unwrap_or(Path::new(".")).to_path_buf();
    let (beside, name, real) = (folder(path), named(path), real(path));
    let mut places = vec![
        (beside.clone(), name.clone()),
        (folder(&real), named(&real)),
    ];
    if let Some(documents) = documents() {
        places.push((documents.clone(), name.clone()));
        places.push((documents, named(&real)));
    }
    // Reading it takes longer than seeing that there is none to compare it with.
    let mut own = None;
    let mut place = None;
    for (folder, name) in places {
        for candidate in names(&folder, &name) {
            if !candidate.exists() {
                place.get_or_insert(candidate);
                break;
            }
            let about = match ProjectFile::source_in(&candidate) {
                Ok(about) => about,
                // Something else that is called so: the next name.
                Err(ProjectError::NotAProject { .. }) => continue,
                // Locked, damaged or newer: it may well be this recording's, and a second
                // project beside it would never be found again.
                Err(e) => return Err(e),
            };
            let own = own.get_or_insert_with(|| source_at(path));
            let same = about.zip(own.as_ref());
            if same.is_some_and(|(theirs, own)| theirs.is_that_of(own)) {
                return Ok((candidate, true));
            }
        }
    }
    Ok((place.unwrap_or_else(|| beside.join(&name)), false))
}

/// `a.onset`, `a-2.onset`, `a-3.onset`, …
fn names(folder: &Path, name: &Path) -> impl Iterator<Item = PathBuf> {
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let (folder, stem) = (folder.to_path_buf(), stem.into_owned());
    (1..=NAMES).map(move |number| match number {
        1 => folder.join(format!("{stem}.{ENDING}")),
        number => folder.join(format!("{stem}-{number}.{ENDING}")),
    })
}

pub(super) fn free(folder: &Path, name: &Path) -> Option<PathBuf> {
    names(folder, name).find(|path| !path.exists())
}

/// A camera's name as a file may be called.
fn plain(name: &str) -> String {
    let kept = |c: char| if c.is_alphanumeric() { c } else { ' ' };
    let words: String = name.chars().map(kept).collect();
    let words: Vec<&str> = words.split_whitespace().collect();
    if words.is_empty() {
        "camera".to_owned()
    } else {
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn behind_a_link_the_project_beside_the_recording_itself_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("films")).unwrap();
        std::fs::create_dir(at("study")).unwrap();
        std::fs::write(at("films/07.mp4"), b"a film").unwrap();
        std::os::unix::fs::symlink(at("films/07.mp4"), at("study/anna.mp4")).unwrap();
        let link = at("study/anna.mp4");
        assert_eq!(real(&link), real(&at("films/07.mp4")));
        assert_eq!(find_of(&link).unwrap(), (at("study/anna.onset"), false));
        let about = source_at(&at("films/07.mp4")).unwrap();
        ProjectFile::create_about(&at("films/07.onset"), &about).unwrap();
        let (found, there) = find_of(&link).unwrap();
        assert!(there);
        assert_eq!(real(&found), real(&at("films/07.onset")));
        // One beside the link goes first.
        ProjectFile::create_about(&at("study/anna.onset"), &about).unwrap();
        assert_eq!(find_of(&link).unwrap(), (at("study/anna.onset"), true));
    }
}
