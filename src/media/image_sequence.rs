//! A folder of numbered images, or a single one, read like a recording.

use std::cmp::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::{ImageReader, RgbImage};

use crate::base::{Notice, TimeSpan, Timestamp};

use super::{Frame, FrameSource, MediaError, SourceInfo};

/// Endings, in small letters, of the image files that are read.
pub const IMAGE_ENDINGS: [&str; 6] = ["jpg", "jpeg", "png", "bmp", "tif", "tiff"];

/// Frames a second assumed for a folder of images unless stated otherwise.
pub const DEFAULT_FPS: f64 = 30.0;

/// Whether the name ends like an image that [`ImageSequence`] reads.
#[must_use]
pub fn is_image(path: &Path) -> bool {
    path.extension()
        .and_then(|e| e.to_str())
        .is_some_and(|e| IMAGE_ENDINGS.contains(&e.to_ascii_lowercase().as_str()))
}

/// One file of the folder, at its place in natural order.
#[derive(Debug)]
struct Picture {
    path: PathBuf,
    /// What makes it unusable; `None` as long as nothing is known against it.
    fault: Option<String>,
}

/// Images in natural order of their names (`frame2` before `frame10`).
///
/// Frame numbers count usable pictures; times follow the place among all files,
/// so that a damaged picture leaves a gap in time.
pub struct ImageSequence {
    info: SourceInfo,
    path: PathBuf,
    pictures: Vec<Picture>,
    pace: Pace,
    /// Place of the file that is tried next.
    at: usize,
    /// Number of the frame that comes next.
    next: u64,
    notices: Vec<Notice>,
}

impl ImageSequence {
    /// Opens a folder of images; `fps` defaults to [`DEFAULT_FPS`], with a notice.
    ///
    /// # Errors
    /// The folder is missing, holds no images, or none of them is usable.
    pub fn open(folder: &Path, fps: Option<f64>) -> Result<Self, MediaError> {
        let entries = std::fs::read_dir(folder).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => MediaError::NotFound {
                path: folder.to_path_buf(),
            },
            _ => MediaError::NotMedia {
                path: folder.to_path_buf(),
                reason: format!("the folder cannot be read: {e}"),
            },
        })?;
        let mut paths: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| is_image(path) && !is_hidden(path) && path.is_file())
            .collect();
        paths.sort_by(|a, b| natural_order(a, b));
        if paths.is_empty() {
            return Err(MediaError::NoImages {
                path: folder.to_path_buf(),
            });
        }
        Self::from_files(folder, paths, fps)
    }

    /// A single image as a recording of one frame.
    ///
    /// # Errors
    /// The file is missing, empty or no image.
    pub fn open_image(path: &Path) -> Result<Self, MediaError> {
        match std::fs::metadata(path) {
            Err(_) => Err(MediaError::NotFound {
                path: path.to_path_buf(),
            }),
            Ok(m) if m.len() == 0 => Err(MediaError::Empty {
                path: path.to_path_buf(),
            }),
            Ok(_) => Self::from_files(path, vec![path.to_path_buf()], Some(1.0)),
        }
    }

    fn from_files(
        source: &Path,
        paths: Vec<PathBuf>,
        fps: Option<f64>,
    ) -> Result<Self, MediaError> {
        let single = paths.len() == 1;
        let mut size = None;
        let mut pictures: Vec<Picture> = Vec::with_capacity(paths.len());
        for path in paths {
            let fault = match header_size(&path) {
                Ok(s) if *size.get_or_insert(s) == s => None,
                Ok((w, h)) => Some(format!(
                    "{w} × {h} pixels, not the {} × {} of the first",
                    size.unwrap_or_default().0,
                    size.unwrap_or_default().1
                )),
                Err(reason) => Some(reason),
            };
            pictures.push(Picture { path, fault });
        }
        let Some((width, height)) = size else {
            let reason = pictures.into_iter().next().and_then(|p| p.fault);
            let reason = reason.unwrap_or_default();
            return Err(MediaError::NotMedia {
                path: source.to_path_buf(),
                reason: if single {
                    reason
                } else {
                    format!("none of its images is usable; the first: {reason}")
                },
            });
        };
        let sane = fps.filter(|f| f.is_finite() && *f > 0.0);
        let mut notices = Vec::new();
        if sane.is_none() {
            notices.push(Notice::info(format!(
                "Images carry no times; they are taken as {DEFAULT_FPS} frames a second. State the true rate with --fps: {}",
                source.display()
            )));
        }
        let fps = sane.unwrap_or(DEFAULT_FPS);
        let pace = Pace {
            first: pictures.iter().position(|p| p.fault.is_none()).unwrap_or(0),
            fps,
        };
        notices.extend(faults_told(&pictures, 0, pace, source));
        let usable = pictures.iter().filter(|p| p.fault.is_none()).count() as u64;
        let info = SourceInfo {
            name: source
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_else(|| source.display().to_string()),
            path: Some(source.to_path_buf()),
            width,
            height,
            nominal_fps: Some(fps),
            frame_count: Some(usable),
            exact_frame_count: false,
            duration: Some(pace.time(pictures.len())),
            live: false,
        };
        Ok(Self {
            info,
            path: source.to_path_buf(),
            pictures,
            pace,
            at: 0,
            next: 0,
            notices,
        })
    }

    /// Decodes the file at `place` if nothing is known against it. What turns out
    /// damaged is remembered and told.
    fn decode(&mut self, place: usize) -> Option<RgbImage> {
        let picture = &mut self.pictures[place];
        if picture.fault.is_some() {
            return None;
        }
        let size = (self.info.width, self.info.height);
        match read_picture(&picture.path) {
            Ok(rgb) if rgb.dimensions() == size => Some(rgb),
            Ok(_) => {
                self.mark(place, "its size differs from its header".into());
                None
            }
            Err(reason) => {
                self.mark(place, reason);
                None
            }
        }
    }

    fn mark(&mut self, place: usize, fault: String) {
        self.pictures[place].fault = Some(fault);
        let told = faults_told(&self.pictures[place..=place], place, self.pace, &self.path);
        self.notices.extend(told);
    }
}

impl FrameSource for ImageSequence {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
        while self.at < self.pictures.len() {
            let place = self.at;
            self.at += 1;
            if let Some(rgb) = self.decode(place) {
                let index = self.next;
                self.next += 1;
                return Ok(Some(Frame {
                    index,
                    timestamp: self.pace.time(place),
                    dropped_before: 0,
                    captured: None,
                    picture: Arc::new(rgb),
                }));
            }
        }
        let usable = self.pictures.iter().filter(|p| p.fault.is_none()).count() as u64;
        if usable == 0 {
            return Err(MediaError::NotMedia {
                path: self.path.clone(),
                reason: "not one picture can be decoded".into(),
            });
        }
        self.info.frame_count = Some(usable);
        self.info.exact_frame_count |= self.next == usable;
        Ok(None)
    }

    fn seek(&mut self, frame: u64) -> Result<(), MediaError> {
        let sound = self.pictures.iter().enumerate();
        let place = usize::try_from(frame).ok().and_then(|n| {
            sound
                .filter(|(_, p)| p.fault.is_none())
                .nth(n)
                .map(|(place, _)| place)
        });
        self.at = place.unwrap_or(self.pictures.len());
        self.next = frame;
        Ok(())
    }

    fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }
}

/// How times follow from places: the first usable file is time zero.
#[derive(Debug, Clone, Copy)]
struct Pace {
    first: usize,
    fps: f64,
}

impl Pace {
    fn time(self, place: usize) -> Timestamp {
        Timestamp::from_secs(place.saturating_sub(self.first) as f64 / self.fps)
    }
}

/// One notice for each run of unusable files; `offset` is the first one's place.
fn faults_told(pictures: &[Picture], offset: usize, pace: Pace, source: &Path) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mut place = 0;
    while place < pictures.len() {
        let Some(fault) = &pictures[place].fault else {
            place += 1;
            continue;
        };
        let run = pictures[place..]
            .iter()
            .take_while(|p| p.fault.is_some())
            .count();
        let name = |p: &Picture| {
            p.path
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        let first = name(&pictures[place]);
        let text = if run == 1 {
            format!("Image {first} is skipped ({fault}): {}", source.display())
        } else {
            let last = name(&pictures[place + run - 1]);
            format!(
                "{run} images from {first} to {last} are skipped (the first: {fault}): {}",
                source.display()
            )
        };
        notices.push(Notice::warning(text).over(TimeSpan {
            start: pace.time(offset + place),
            end: pace.time(offset + place + run),
        }));
        place += run;
    }
    notices
}

/// Numbers inside names count as numbers; equal names fall back to their bytes.
#[must_use]
pub fn natural_order(a: &Path, b: &Path) -> Ordering {
    let name = |p: &Path| p.file_name().map(|n| n.to_string_lossy().into_owned());
    match (name(a), name(b)) {
        (Some(x), Some(y)) => natord::compare_ignore_case(&x, &y).then_with(|| a.cmp(b)),
        _ => a.cmp(b),
    }
}

/// Files such as `._frame.jpg`, which copies from other systems leave behind.
#[must_use]
pub fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|n| n.to_string_lossy().starts_with('.'))
}

/// Width and height from the header alone.
fn header_size(path: &Path) -> Result<(u32, u32), String> {
    let length = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if length == 0 {
        return Err("the file is empty (0 bytes)".into());
    }
    let size = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|e| e.to_string())?
        .into_dimensions()
        .map_err(|e| format!("damaged: {e}"))?;
    if size.0 == 0 || size.1 == 0 {
        return Err("its picture has no size".into());
    }
    Ok(size)
}

/// Decodes an image file to 8-bit RGB; a decoder's panic on damaged data is damage, too.
///
/// # Errors
/// The file cannot be read or is damaged; the text says why, without the path.
pub fn read_picture(path: &Path) -> Result<RgbImage, String> {
    let decode = || {
        ImageReader::open(path)
            .and_then(ImageReader::with_guessed_format)
            .map_err(|e| e.to_string())?
            .decode()
            .map(image::DynamicImage::into_rgb8)
            .map_err(|e| format!("damaged: {e}"))
    };
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err("damaged: the decoder gave up".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_people_count() {
        let mut names = ["f10.png", "F2.png", "f1.png", "f3.png"].map(PathBuf::from);
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names[0], PathBuf::from("f1.png"));
        assert_eq!(names[3], PathBuf::from("f10.png"));
    }

    #[test]
    fn endings_in_capitals_are_images() {
        assert!(is_image(Path::new("a/B.JPG")));
        assert!(!is_image(Path::new("a/b.txt")));
        assert!(is_hidden(Path::new("a/._b.jpg")));
    }
}
