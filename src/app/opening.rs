//! What an input means: of a project its recording, wherever that lies now, and of
//! either the analysis that a project keeps.

use std::path::{Path, PathBuf};

use super::batch::BESIDE;
use super::beside;
use super::coder::blind::PassesOf;
use super::kept::Earlier;
use super::missing::Missing;
use crate::base::Notice;
use crate::media::SourceInfo;
use crate::project::file::{
    BlindPass, ENDING, ProjectError, ProjectFile, Source, SourceKind, SourceState,
};
use crate::project::kept::{self, KeptAnalysis, filed};
use crate::session::Params;
use crate::session::facts::AnalysisFacts;

/// What is to be opened of an input.
pub(super) enum Place {
    Here {
        input: String,
        project: Option<PathBuf>,
        /// What is to be said of where the recording lies.
        said: Option<Notice>,
    },
    /// Somebody has to say where the recording is.
    Nowhere(Missing),
}

/// Of a project file its recording, of everything else itself.
///
/// # Errors
/// The project cannot be read, or has no recording that could be found.
pub(super) fn place_of(input: &str) -> anyhow::Result<Place> {
    let path = Path::new(input);
    let is_project = path.extension().is_some_and(|ending| ending == ENDING) && path.is_file();
    if !is_project {
        return Ok(Place::Here {
            input: input.to_owned(),
            project: None,
            said: None,
        });
    }
    let file = ProjectFile::open_read_only(path)?;
    let Some(source) = file.source()? else {
        anyhow::bail!(
            "Cannot open the project: it names no recording. Open the recording itself; this \
             project can be added to its own in the Annotate room: {}",
            path.display()
        );
    };
    if source.kind == SourceKind::Camera {
        anyhow::bail!(
            "Cannot open the project: its recording was a camera's, whose pictures were not kept. \
             `onset score agreement` reads what was said of it: {}",
            path.display()
        );
    }
    let here = |place: PathBuf, said| Place::Here {
        input: place.display().to_string(),
        project: Some(path.to_owned()),
        said,
    };
    Ok(match file.find_source()? {
        Some(SourceState::Found(place)) => here(place, None),
        Some(SourceState::Moved(place)) => {
            let said = format!(
                "The recording was moved: it is now taken from here, where one of the same \
                 content lies: {}",
                place.display()
            );
            here(place, Some(Notice::info(said)))
        }
        Some(SourceState::Changed(place)) => {
            let why = format!("In its place lies another recording: {}", place.display());
            Place::Nowhere(missing(path, &source, why))
        }
        Some(SourceState::Missing) | None => {
            let why = match &source.path {
                Some(was) => format!("It is not where it was: {}", was.display()),
                None => "The project does not say where it was.".to_owned(),
            };
            Place::Nowhere(missing(path, &source, why))
        }
    })
}

fn missing(project: &Path, source: &Source, why: String) -> Missing {
    Missing {
        project: project.to_owned(),
        name: source.name.clone(),
        folder: source.kind == SourceKind::ImageFolder,
        why,
    }
}

/// From now on the project's recording lies here; `Some` where it is another recording,
/// so that somebody has to say it again.
///
/// # Errors
/// The project cannot be read or written.
pub(super) fn put_right(project: &Path, place: &Path) -> anyhow::Result<Option<Missing>> {
    let mut file = ProjectFile::open(project)?;
    match file.confirm_source(place) {
        Ok(()) => Ok(None),
        Err(
            e @ (ProjectError::ChangedSource { .. }
            | ProjectError::NotFound { .. }
            | ProjectError::Access { .. }),
        ) => {
            let why = match e {
                ProjectError::ChangedSource { .. } => e.to_string(),
                _ => format!("What was chosen cannot be read: {}", place.display()),
            };
            let source = file.source()?;
            let again = source.map(|source| missing(project, &source, why));
            again.map_or_else(|| Err(e.into()), |again| Ok(Some(again)))
        }
        Err(e) => Err(e.into()),
    }
}

/// What a project keeps of a recording.
#[derive(Debug, Default)]
pub(super) struct KeptThere {
    pub(super) analysis: Option<KeptAnalysis>,
    pub(super) blind_passes: Vec<BlindPass>,
    /// Why something of it cannot be used.
    pub(super) said: Vec<Notice>,
}

/// What a project keeps of this very recording; where it keeps no analysis, the one among
/// the results beside the recording or in one of the folders `outs`.
pub(super) fn kept_of(info: &SourceInfo, project: Option<&Path>, outs: &[PathBuf]) -> KeptThere {
    let Some(path) = info.path.as_deref().filter(|_| !info.live) else {
        return KeptThere::default();
    };
    let mut there = in_project(info, project);
    if there.analysis.is_none() {
        let beside = path.parent().map(|folder| folder.join(BESIDE));
        let mut outs = outs.iter().chain(&beside);
        there.analysis = outs.find_map(|out| filed::find(out, path));
    }
    there
}

fn in_project(info: &SourceInfo, project: Option<&Path>) -> KeptThere {
    let mut there = KeptThere::default();
    let found = match project {
        Some(project) => Some(project.to_owned()),
        None => match beside::find(info) {
            Ok((path, there)) => there.then_some(path),
            // The thread that keeps the project says it.
            Err(e) => {
                log::info!("no kept analysis: {e}");
                None
            }
        },
    };
    let Some(found) = found else {
        return there;
    };
    let file = match ProjectFile::open_read_only(&found) {
        Ok(file) => file,
        Err(e) => {
            log::info!("no kept analysis: {e}");
            return there;
        }
    };
    match kept::load(&file) {
        Ok(analysis) => there.analysis = analysis,
        Err(e) => there.said.push(Notice::warning(e.to_string())),
    }
    match file.blind_passes() {
        Ok(passes) => there.blind_passes = passes,
        Err(e) => there.said.push(Notice::warning(e.to_string())),
    }
    there
}

/// Which coders' blind passes of a recording go on, and where it really lies.
pub(super) fn passes_of(recording: PathBuf) -> PassesOf {
    let found = beside::find_of(&recording).and_then(|(project, there)| match there {
        true => ProjectFile::blind_passes_in(&project),
        false => Ok(Vec::new()),
    });
    let passes = found.unwrap_or_else(|e| {
        // The thread that keeps the project says it once the recording is opened.
        log::info!("no blind passes: {e}");
        Vec::new()
    });
    let go_on = passes.into_iter().filter(BlindPass::goes_on);
    PassesOf {
        place: beside::real(&recording),
        coders: go_on.map(|pass| pass.coder).collect(),
        recording,
    }
}

/// How a kept analysis compares with one that would be made now.
pub(super) fn earlier(kept: &KeptAnalysis, params: &Params) -> Earlier {
    let date = kept.date();
    let version = env!("CARGO_PKG_VERSION");
    let other = match AnalysisFacts::planned(params) {
        Ok(now) => {
            let mut differs: Vec<String> = (kept.facts)
                .differences(&kept.params, (params, &now))
                .into_iter()
                .map(str::to_owned)
                .collect();
            if kept.onset_version != version {
                let other = format!("the Onset that made it ({})", kept.onset_version);
                differs.push(other);
            }
            (!differs.is_empty()).then(|| {
                format!(
                    "This analysis of {date} was made with other settings than those chosen now. \
                     They differ in {}.",
                    in_a_row(&differs)
                )
            })
        }
        Err(e) => Some(format!(
            "Whether this analysis of {date} was made with the settings chosen now cannot be \
             said. {e}"
        )),
    };
    Earlier { date, other }
}

/// `a, b and c`
fn in_a_row(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_recording_that_is_gone_is_asked_for_and_another_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("film.avi"), "film").unwrap();
        let project = at("film.onset");
        let mut file = ProjectFile::create(&project).unwrap();
        let source = Source::of(&at("film.avi"), SourceKind::Video).unwrap();
        file.set_source(&source).unwrap();
        drop(file);
        let input = project.display().to_string();
        let here = |input: &str| match place_of(input).unwrap() {
            Place::Here { input, .. } => Ok(input),
            Place::Nowhere(missing) => Err(missing),
        };
        assert_eq!(here(&input), Ok(at("film.avi").display().to_string()));

        fs::create_dir(at("away")).unwrap();
        fs::rename(at("film.avi"), at("away/renamed.avi")).unwrap();
        let missing = here(&input).expect_err("gone");
        assert_eq!((missing.name.as_str(), missing.folder), ("film.avi", false));
        assert!(missing.why.starts_with("It is not where it was"));

        fs::write(at("other.avi"), "another").unwrap();
        let refused = put_right(&project, &at("other.avi")).unwrap();
        let refused = refused.expect("another recording");
        assert!(refused.why.contains("its content is not that of film.avi"));
        let nothing = put_right(&project, &at("nothing.avi")).unwrap();
        assert!(nothing.expect("nothing").why.contains("cannot be read"));
        assert_eq!(put_right(&project, &at("away/renamed.avi")).unwrap(), None);
        // It is remembered.
        assert_eq!(
            here(&input),
            Ok(at("away/renamed.avi").display().to_string())
        );
    }

    #[test]
    fn words_stand_in_a_row() {
        let words = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(in_a_row(&words), "a, b and c");
        assert_eq!(in_a_row(&words[..1]), "a");
    }
}
