//! Films a recipe's recordings into a folder, with their labels.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use image::codecs::jpeg::JpegEncoder;
use rayon::prelude::*;

use super::cast::Cast;
use super::recipe::{Recipe, RecipeError};
use super::script::{Script, Storage};
use crate::media::synthetic::{Shot, ShotSource};
use crate::media::video_writer::{VideoCodec, VideoQuality, VideoWriter};
use crate::media::{FrameSource, MediaError};

/// What [`film`] wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filmed {
    pub recordings: u32,
    pub frames: u64,
    pub micro: usize,
    pub macro_: usize,
}

/// What is written beside the videos and their labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extras {
    /// `landmarks/RECORDING.csv`: where each frame shows the 68 points of the iBUG
    /// scheme, `frame,x0,y0,…,x67,y67` in pixels of the picture, also where hair or a
    /// turn of the head hides them. About as large as the video.
    pub landmarks: bool,
    /// Only the frames that networks for action units learn from
    /// ([`Script::stills`]).
    pub stills: Option<u32>,
}

#[derive(Debug, thiserror::Error)]
pub enum FilmError {
    #[error("The folder holds labels that Onset did not film, and they would be replaced. Choose another folder with --out: {}", path.display())]
    OthersLabels { path: PathBuf },
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error(transparent)]
    Media(#[from] MediaError),
}

/// Films all recordings of `recipe` into `dir`: the videos, `index.csv`
/// (`subject,recording,path,fps`), `labels.csv`
/// (`recording,kind,onset,apex,offset,emotion,aus`), `events.csv` (the same and
/// `amplitude_px`, the largest displacement in pixels of the 128×128 crop),
/// `distractors.csv` (`recording,what,start,end`) and `recipe.toml`. Equal recipes
/// give equal files, whatever the number of threads. `progress` hears how many
/// frames are done after each recording. Recordings that an earlier, perhaps killed,
/// run of the same recipe left in `dir` are kept; more of them may be asked for.
/// `extras` adds tables that most readers do not want.
///
/// # Errors
/// When the folder or a file cannot be written, it holds labels that are none of
/// [`film`]'s, or FFmpeg has no encoder.
pub fn film(
    recipe: &Recipe,
    cast: &Cast,
    dir: &Path,
    extras: Extras,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Filmed, FilmError> {
    fs::create_dir_all(dir).map_err(|e| refused(dir, &e.to_string()))?;
    let recipe_file = dir.join("recipe.toml");
    if !recipe_file.exists()
        && let Some(path) = ["index.csv", "labels.csv"]
            .map(|name| dir.join(name))
            .into_iter()
            .find(|path| path.exists())
    {
        return Err(FilmError::OthersLabels { path });
    }
    if extras.landmarks {
        let tables = dir.join("landmarks");
        fs::create_dir_all(&tables).map_err(|e| refused(&tables, &e.to_string()))?;
    }
    let stamp = stamp(recipe, cast, extras)?;
    let keep = matches!(cast, Cast::Drawn)
        && fs::read_to_string(&recipe_file).is_ok_and(|old| same_films(&old, &stamp));
    if !keep {
        forget(dir, &recipe.world)?;
    }
    write_text(&recipe_file, &stamp)?;
    let done = AtomicU64::new(0);
    // One after another where a thread is free, so that files appear in order.
    let scripts: Vec<Result<Rows, MediaError>> = (0..recipe.recordings)
        .into_par_iter()
        .with_max_len(1)
        .map(|number| {
            let rows = film_one(recipe, cast, number, dir, extras, keep)?;
            progress(done.fetch_add(rows.frames, Ordering::Relaxed) + rows.frames);
            Ok(rows)
        })
        .collect();
    let mut index = String::from("subject,recording,path,fps\n");
    let mut labels = String::from("recording,kind,onset,apex,offset,emotion,aus\n");
    let mut events = String::from("recording,kind,onset,apex,offset,emotion,aus,amplitude_px\n");
    let mut distractors = String::from("recording,what,start,end\n");
    let mut filmed = Filmed {
        recordings: recipe.recordings,
        frames: 0,
        micro: 0,
        macro_: 0,
    };
    for rows in scripts {
        let rows = rows?;
        index.push_str(&rows.index);
        labels.push_str(&rows.labels);
        events.push_str(&rows.events);
        distractors.push_str(&rows.distractors);
        filmed.frames += rows.frames;
        filmed.micro += rows.micro;
        filmed.macro_ += rows.macro_;
    }
    write_text(&dir.join("events.csv"), &events)?;
    write_text(&dir.join("distractors.csv"), &distractors)?;
    write_text(&dir.join("labels.csv"), &labels)?;
    write_text(&dir.join("index.csv"), &index)?;
    Ok(filmed)
}

/// One recording's part of each table.
#[derive(Default)]
struct Rows {
    index: String,
    labels: String,
    events: String,
    distractors: String,
    frames: u64,
    micro: usize,
    macro_: usize,
}

/// Removes what another recipe of this world filmed here, its stamp first: were it
/// filmed over, a kill would leave its films under the new recipe's labels.
fn forget(dir: &Path, world: &str) -> Result<(), MediaError> {
    let tables = [
        "recipe.toml",
        "index.csv",
        "labels.csv",
        "events.csv",
        "distractors.csv",
    ];
    for path in tables.map(|name| dir.join(name)) {
        if path.exists() {
            fs::remove_file(&path).map_err(|e| refused(&path, &e.to_string()))?;
        }
    }
    let tables = dir.join("landmarks");
    let here = fs::read_dir(dir).map_err(|e| refused(dir, &e.to_string()))?;
    // There need be none.
    let landmarks = fs::read_dir(&tables).into_iter().flatten();
    for entry in here.chain(landmarks) {
        let path = entry.map_err(|e| refused(dir, &e.to_string()))?.path();
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned());
        let number = stem
            .as_deref()
            .and_then(|s| s.strip_prefix(world)?.strip_prefix('_'));
        if number.is_none_or(|n| n.parse::<u32>().is_err()) {
            continue;
        }
        let removed = match path.is_dir() {
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
        removed.map_err(|e| refused(&path, &e.to_string()))?;
    }
    Ok(())
}

/// The recipe, and which program filmed it: another version may draw otherwise.
fn stamp(recipe: &Recipe, cast: &Cast, extras: Extras) -> Result<String, RecipeError> {
    let faces = match cast {
        Cast::Drawn => "drawn faces",
        Cast::Photographed(_) => "given faces",
    };
    let version = env!("CARGO_PKG_VERSION");
    let text = recipe.to_text()?;
    let stills = match extras.stills {
        None => String::new(),
        Some(2) => ", stills".to_owned(),
        Some(evenly) => format!(", stills, {evenly} an expression"),
    };
    Ok(format!(
        "# Filmed by onset {version}, {faces}{stills}.\n{text}"
    ))
}

/// Whether two stamps differ in nothing but how many recordings are wanted: each
/// recording is drawn by its own number.
fn same_films(old: &str, new: &str) -> bool {
    let told = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| !line.starts_with("recordings = "))
            .map(str::to_owned)
            .collect()
    };
    told(old) == told(new)
}

fn film_one(
    recipe: &Recipe,
    cast: &Cast,
    number: u32,
    dir: &Path,
    extras: Extras,
    keep: bool,
) -> Result<Rows, MediaError> {
    let mut script = Script::draw_with(recipe, number, cast);
    if let Some(evenly) = extras.stills {
        script = script.stills(evenly);
    }
    let name = script.shot.name.clone();
    let file = match script.storage {
        Storage::H264 { .. } => format!("{name}.mp4"),
        Storage::MotionJpeg { .. } => format!("{name}.mov"),
        Storage::JpegFolder { .. } => name.clone(),
    };
    let mut rows = Rows {
        frames: script.shot.times.len() as u64,
        ..Rows::default()
    };
    // Writing to a string cannot fail.
    let _ = writeln!(
        rows.index,
        "{},{name},{file},{}",
        script.subject, script.shot.nominal_fps
    );
    for e in &script.events {
        let row = format!(
            "{name},{},{},{},{},{},{}",
            e.kind.name(),
            e.onset,
            e.apex,
            e.offset,
            e.emotion,
            e.units_text()
        );
        let _ = writeln!(rows.labels, "{row}");
        let _ = writeln!(rows.events, "{row},{:.3}", e.amplitude_px);
        match e.kind.name() {
            "micro" => rows.micro += 1,
            _ => rows.macro_ += 1,
        }
    }
    for d in &script.distractors {
        let _ = writeln!(rows.distractors, "{name},{},{},{}", d.what, d.start, d.end);
    }
    if extras.landmarks {
        let path = dir.join("landmarks").join(format!("{name}.csv"));
        write_text(&path, &landmark_table(&script.shot))?;
    }
    let path = dir.join(file);
    // Files and folders get their names only when they are whole.
    if !(keep && path.exists()) {
        store(ShotSource::new(script.shot), script.storage, &path)?;
    }
    Ok(rows)
}

fn landmark_table(shot: &Shot) -> String {
    let frames = shot.times.len() as u64;
    let source = ShotSource::new(shot.clone());
    let mut table = String::from("frame");
    for point in 0..68 {
        let _ = write!(table, ",x{point},y{point}");
    }
    for frame in 0..frames {
        let _ = write!(table, "\n{frame}");
        for point in source.landmarks(frame) {
            let _ = write!(table, ",{:.2},{:.2}", point.x, point.y);
        }
    }
    table.push('\n');
    table
}

fn store(mut source: ShotSource, storage: Storage, path: &Path) -> Result<(), MediaError> {
    let quality = match storage {
        Storage::JpegFolder { quality } => return store_jpeg(source, quality, path),
        Storage::H264 { crf, quick } => VideoQuality {
            crf,
            quick,
            ..VideoQuality::default()
        },
        Storage::MotionJpeg { quantiser } => VideoQuality {
            codec: VideoCodec::MotionJpeg { quantiser },
            ..VideoQuality::default()
        },
    };
    let (width, height) = (source.info().width, source.info().height);
    let fps = source.shot().nominal_fps;
    let mut writer = VideoWriter::create(path, width, height, fps, quality)?;
    while let Some(frame) = source.next_frame()? {
        writer.push(&frame.picture, frame.timestamp)?;
    }
    writer.finish()
}

/// A folder of numbered pictures, made beside its place and renamed when it is whole.
fn store_jpeg(mut source: ShotSource, quality: u8, path: &Path) -> Result<(), MediaError> {
    let part = beside(path);
    let _left_over = fs::remove_dir_all(&part);
    fs::create_dir_all(&part).map_err(|e| refused(&part, &e.to_string()))?;
    while let Some(frame) = source.next_frame()? {
        let file = part.join(format!("frame{:05}.jpg", frame.index));
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100))
            .encode_image(frame.picture.as_ref())
            .map_err(|e| refused(&file, &e.to_string()))?;
        fs::write(&file, bytes).map_err(|e| refused(&file, &e.to_string()))?;
    }
    if path.exists() {
        fs::remove_dir_all(path).map_err(|e| refused(path, &e.to_string()))?;
    }
    fs::rename(&part, path).map_err(|e| refused(path, &e.to_string()))
}

/// Written beside and renamed, so a killed run leaves no half file.
fn write_text(path: &Path, text: &str) -> Result<(), MediaError> {
    let part = beside(path);
    fs::write(&part, text)
        .and_then(|()| fs::rename(&part, path))
        .map_err(|e| refused(path, &e.to_string()))
}

fn beside(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    PathBuf::from(part)
}

fn refused(path: &Path, reason: &str) -> MediaError {
    MediaError::Write {
        path: path.to_path_buf(),
        reason: reason.to_owned(),
    }
}
