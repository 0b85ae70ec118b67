//! Which recording a project is about, and where it lies now.

use std::path::{Component, Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::annotations::unreadable;
use super::{Fingerprint, ProjectError, ProjectFile};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    Video,
    ImageFolder,
    /// Filmed by Onset; without a path and hash where the film was not kept.
    Camera,
}

impl SourceKind {
    const ALL: [Self; 3] = [Self::Video, Self::ImageFolder, Self::Camera];

    const fn name(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::ImageFolder => "images",
            Self::Camera => "camera",
        }
    }
}

/// The recording as it was when it was last seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub kind: SourceKind,
    /// File or folder name without its path, or the camera's name.
    pub name: String,
    /// Absolute.
    pub path: Option<PathBuf>,
    /// From the project's folder, with `/` between its parts; written by
    /// [`ProjectFile::set_source`].
    pub relative_path: Option<String>,
    pub size_bytes: u64,
    /// [`Fingerprint::hash`]; empty for a camera whose film was not kept.
    pub hash: String,
    pub frame_count: Option<u64>,
    pub nominal_fps: Option<f64>,
    /// Time of the first frame, nanoseconds on the recording's clock.
    pub first_ns: Option<i64>,
    /// Of the last one.
    pub last_ns: Option<i64>,
}

impl Source {
    /// What can be known without decoding; the caller fills in frames and times.
    ///
    /// # Errors
    /// It is not there or cannot be read.
    pub fn of(path: &Path, kind: SourceKind) -> std::io::Result<Self> {
        let path = std::path::absolute(path)?;
        let Fingerprint { size_bytes, hash } = Fingerprint::of(&path)?;
        let name = path.file_name().unwrap_or_default();
        Ok(Self {
            kind,
            name: name.to_string_lossy().into_owned(),
            path: Some(path),
            relative_path: None,
            size_bytes,
            hash,
            frame_count: None,
            nominal_fps: None,
            first_ns: None,
            last_ns: None,
        })
    }

    /// Whether two projects are about the same recording.
    #[must_use]
    pub fn is_that_of(&self, other: &Self) -> bool {
        !self.hash.is_empty() && self.hash == other.hash
    }
}

/// Where the recording lies now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceState {
    /// Where it was.
    Found(PathBuf),
    /// Here lies one of the same content: to be confirmed with
    /// [`ProjectFile::confirm_source`].
    Moved(PathBuf),
    /// In its place lies another recording.
    Changed(PathBuf),
    Missing,
}

impl ProjectFile {
    /// # Errors
    /// The file is damaged or out of reach.
    pub fn source(&self) -> Result<Option<Source>, ProjectError> {
        read(&self.conn).map_err(|e| self.said(&e))
    }

    /// Keeps what the project is about; its path from the project's folder is found here.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set_source(&mut self, source: &Source) -> Result<(), ProjectError> {
        self.still_there()?;
        write(&self.conn, source, &self.path).map_err(|e| self.said(&e))
    }

    /// Looks where the recording was, then at the same path from the project's folder,
    /// then beside the project. `None` where the project has none yet.
    ///
    /// # Errors
    /// The file is damaged or out of reach.
    pub fn find_source(&self) -> Result<Option<SourceState>, ProjectError> {
        let Some(source) = self.source()? else {
            return Ok(None);
        };
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let was = source.path.clone();
        let relative = source.relative_path.as_ref().map(|r| folder.join(r));
        let beside = (!source.hash.is_empty()).then(|| folder.join(&source.name));
        let mut other = None;
        for place in [was.clone(), relative, beside].into_iter().flatten() {
            let Ok(found) = Fingerprint::of(&place) else {
                continue;
            };
            if found.hash != source.hash {
                other.get_or_insert(place);
            } else if Some(&place) == was.as_ref() {
                return Ok(Some(SourceState::Found(place)));
            } else {
                return Ok(Some(SourceState::Moved(plain(&place))));
            }
        }
        Ok(Some(
            other.map_or(SourceState::Missing, SourceState::Changed),
        ))
    }

    /// The recording lies here from now on.
    ///
    /// # Errors
    /// The content is another one's, cannot be read, or the project cannot be written.
    pub fn confirm_source(&mut self, path: &Path) -> Result<(), ProjectError> {
        let Some(mut source) = self.source()? else {
            return Err(ProjectError::Refused {
                reason: "the project has no recording yet".to_owned(),
            });
        };
        let io = |e: std::io::Error| ProjectError::io(&e, path);
        if Fingerprint::of(path).map_err(io)?.hash != source.hash {
            return Err(ProjectError::ChangedSource {
                path: path.to_owned(),
                name: source.name,
            });
        }
        let path = std::path::absolute(path).map_err(io)?;
        if let Some(name) = path.file_name() {
            source.name = name.to_string_lossy().into_owned();
        }
        source.path = Some(path);
        self.set_source(&source)
    }
}

/// The way from the folder of `project` to `path`; `None` where there is none, as between
/// two drives.
pub(super) fn relative(path: Option<&Path>, project: &Path) -> Option<String> {
    let (path, folder) = (path?, project.parent()?);
    let (to, from): (Vec<_>, Vec<_>) = (path.components().collect(), folder.components().collect());
    let shared = to.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let rest = &to[shared..];
    if shared == 0 || rest.iter().any(|c| !matches!(c, Component::Normal(_))) {
        return None;
    }
    let up = from[shared..].iter().map(|_| "..".into());
    let down = rest.iter().map(|c| c.as_os_str().to_string_lossy());
    Some(up.chain(down).collect::<Vec<_>>().join("/"))
}

/// Without the `..` of the way that led there.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

pub(super) fn read(conn: &Connection) -> rusqlite::Result<Option<Source>> {
    conn.query_row(
        "SELECT kind, name, absolute_path, relative_path, size_bytes, hash, frame_count,
                nominal_fps, first_ns, last_ns FROM source",
        [],
        read_row,
    )
    .optional()
}

fn read_row(row: &Row) -> rusqlite::Result<Source> {
    let kind: String = row.get(0)?;
    Ok(Source {
        kind: (SourceKind::ALL.into_iter().find(|k| k.name() == kind))
            .ok_or_else(|| unreadable(0, format!("'{kind}' is no kind of recording")))?,
        name: row.get(1)?,
        path: row.get::<_, Option<String>>(2)?.map(PathBuf::from),
        relative_path: row.get(3)?,
        size_bytes: row.get(4)?,
        hash: row.get(5)?,
        frame_count: row.get(6)?,
        nominal_fps: row.get(7)?,
        first_ns: row.get(8)?,
        last_ns: row.get(9)?,
    })
}

/// Into the project that lies, or is going to lie, at `project`.
pub(super) fn write(conn: &Connection, source: &Source, project: &Path) -> rusqlite::Result<()> {
    let relative = relative(source.path.as_deref(), project);
    conn.execute(
        "INSERT OR REPLACE INTO source VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            source.kind.name(),
            source.name,
            source.path.as_ref().map(|p| p.to_string_lossy()),
            relative,
            source.size_bytes,
            source.hash,
            source.frame_count,
            source.nominal_fps,
            source.first_ns,
            source.last_ns,
        ],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_recording_is_found_again_where_it_went_and_asked_about_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("films")).unwrap();
        fs::create_dir_all(at("work")).unwrap();
        fs::write(at("films/a.avi"), "film").unwrap();
        let mut file = ProjectFile::create(&at("work/a.onset")).unwrap();
        assert_eq!(file.find_source().unwrap(), None);
        let source = Source::of(&at("films/a.avi"), SourceKind::Video).unwrap();
        file.set_source(&source).unwrap();
        let kept = file.source().unwrap().unwrap();
        assert_eq!(kept.relative_path.as_deref(), Some("../films/a.avi"));
        let state = |file: &ProjectFile| file.find_source().unwrap().unwrap();
        assert_eq!(state(&file), SourceState::Found(at("films/a.avi")));

        fs::rename(at("films/a.avi"), at("work/a.avi")).unwrap();
        assert_eq!(state(&file), SourceState::Moved(at("work/a.avi")));
        file.confirm_source(&at("work/a.avi")).unwrap();
        assert_eq!(state(&file), SourceState::Found(at("work/a.avi")));

        // Folders that move together keep their ways to each other.
        drop(file);
        fs::create_dir(at("archive")).unwrap();
        fs::rename(at("work"), at("archive/coded")).unwrap();
        let mut file = ProjectFile::open(&at("archive/coded/a.onset")).unwrap();
        assert_eq!(state(&file), SourceState::Moved(at("archive/coded/a.avi")));

        fs::write(at("archive/coded/a.avi"), "another").unwrap();
        assert_eq!(
            state(&file),
            SourceState::Changed(at("archive/coded/a.avi"))
        );
        let error = file.confirm_source(&at("archive/coded/a.avi"));
        assert!(matches!(error, Err(ProjectError::ChangedSource { .. })));
        fs::remove_file(at("archive/coded/a.avi")).unwrap();
        assert_eq!(state(&file), SourceState::Missing);
    }

    #[test]
    fn the_way_from_a_project_to_its_recording_goes_up_and_down() {
        let way = |to: &str| relative(Some(Path::new(to)), Path::new("/projects/p/a.onset"));
        assert_eq!(way("/projects/p/a.avi").as_deref(), Some("a.avi"));
        assert_eq!(
            way("/films/x/a.avi").as_deref(),
            Some("../../films/x/a.avi")
        );
        assert_eq!(relative(None, Path::new("/a.onset")), None);
    }
}
