//! Live cameras through nokhwa.
//!
//! The driver is touched on a thread of its own that can be left behind: a camera
//! that stays plugged in but stops sending would block its reader for ever.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use nokhwa::NokhwaError;
use nokhwa::utils::{ApiBackend, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType};

use crate::base::{Notice, TimeSpan};

use super::camera_clock::CameraClock;
use super::camera_format::{FormatWish, VideoFormat, ranked};
use super::camera_picture;
use super::queue::{Delivery, FrameReceiver, FrameSender, Received, WhenFull, frame_queue};
use super::worker::panic_text;
use super::{Frame, FrameSource, MediaError, SourceInfo};

/// A camera silent for so long is lost.
const SILENCE: Duration = Duration::from_secs(2);
/// The first picture may take longer: exposure and USB have to settle.
const FIRST_SILENCE: Duration = Duration::from_secs(8);
/// Opening tries this many of the offered formats.
const FORMATS_TRIED: usize = 8;
/// So many unreadable pictures in a row end the recording.
const MAX_BAD_PICTURES: u32 = 60;
/// Pictures that may wait between the driver and the reader.
const WAITING_PICTURES: usize = 3;
/// What is said of infrared cameras, metadata nodes and the like.
const UNREADABLE: &str = "it offers none of YUYV, NV12, MJPEG and 8-bit grey, which Onset reads";
/// Every encoding nokhwa knows, for asking what there is.
const ANY_ENCODING: [FrameFormat; 6] = [
    FrameFormat::YUYV,
    FrameFormat::MJPEG,
    FrameFormat::NV12,
    FrameFormat::GRAY,
    FrameFormat::RAWRGB,
    FrameFormat::RAWBGR,
];

/// A camera as a person chooses it.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraDescription {
    /// The N of `camera:N`.
    pub index: u32,
    pub name: String,
    /// The formats Onset can read, the preferred first; empty when `trouble` says why.
    pub formats: Vec<VideoFormat>,
    /// Why the camera cannot be used now: busy, no permission, no known format.
    pub trouble: Option<String>,
}

/// The cameras of this machine in the order of their numbers; empty without any.
///
/// # Errors
/// The system does not tell its cameras.
pub fn list_cameras() -> Result<Vec<CameraDescription>, MediaError> {
    let mut cameras: Vec<CameraDescription> = query()?
        .into_iter()
        .map(|(index, name)| {
            let (formats, trouble) = match offered_formats(index) {
                Ok(formats) if formats.is_empty() => (formats, Some(UNREADABLE.to_string())),
                Ok(formats) => (formats, None),
                Err(error) => (Vec::new(), Some(plain(&error))),
            };
            CameraDescription {
                index,
                name,
                formats,
                trouble,
            }
        })
        .collect();
    cameras.sort_by_key(|c| c.index);
    // Most USB cameras have a second node, for metadata, under the same name.
    let usable: Vec<String> = cameras
        .iter()
        .filter(|c| c.trouble.is_none())
        .map(|c| c.name.clone())
        .collect();
    cameras.retain(|c| c.trouble.as_deref() != Some(UNREADABLE) || !usable.contains(&c.name));
    Ok(cameras)
}

/// Numbers and names; nokhwa panics over unusual entries in /dev.
fn query() -> Result<Vec<(u32, String)>, MediaError> {
    let asked = catch_unwind(|| nokhwa::query(ApiBackend::Auto));
    let found = match asked {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            return Err(MediaError::Camera(format!(
                "Cannot list the cameras: {error}"
            )));
        }
        Err(panic) => {
            return Err(MediaError::Camera(format!(
                "Cannot list the cameras: the driver library stumbled over a device ({}). Look for unusual entries named video… in /dev",
                panic_text(panic.as_ref())
            )));
        }
    };
    Ok(found
        .into_iter()
        .filter_map(|info| Some((info.index().as_index().ok()?, info.human_name())))
        .collect())
}

fn request(kind: RequestedFormatType) -> RequestedFormat<'static> {
    RequestedFormat::with_formats(kind, &ANY_ENCODING)
}

/// What the camera offers of what Onset reads, the best first.
fn offered_formats(index: u32) -> Result<Vec<VideoFormat>, NokhwaError> {
    let asked = catch_unwind(|| {
        let mut camera = nokhwa::Camera::new(
            CameraIndex::Index(index),
            request(RequestedFormatType::None),
        )?;
        camera.compatible_camera_formats()
    });
    let offered = asked.unwrap_or_else(|panic| {
        Err(NokhwaError::GeneralError(format!(
            "the driver library failed ({})",
            panic_text(panic.as_ref())
        )))
    })?;
    let offered: Vec<VideoFormat> = offered.into_iter().map(VideoFormat::from).collect();
    Ok(ranked(&offered))
}

/// A driver error as a sentence with its remedy.
fn plain(error: &NokhwaError) -> String {
    let text = error.to_string();
    let has = |code: u32| text.contains(&format!("os error {code})"));
    if has(16) {
        "it is in use by another program; close that program".into()
    } else if has(13) {
        "this user may not use it; join the group `video` and log in again".into()
    } else if has(2) || has(6) || has(19) {
        "it is not plugged in".into()
    } else if text.contains("Failed to Fufill") {
        UNREADABLE.into()
    } else if text.contains("Framerate not whole number") {
        format!(
            "its driver is set to a fractional frame rate ({text}); set a whole rate, for example with `v4l2-ctl --set-parm 30`"
        )
    } else {
        text
    }
}

/// What the camera thread tells once, after opening or failing to.
type Opened = Result<(VideoFormat, String), String>;

/// A camera that delivers frames with the driver's own times.
pub struct Camera {
    info: SourceInfo,
    frames: FrameReceiver,
    stop: Arc<AtomicBool>,
    format: VideoFormat,
    received: bool,
    notices: Vec<Notice>,
}

impl Camera {
    /// Opens camera `index` in the format that suits the analysis best.
    ///
    /// # Errors
    /// No such camera, busy, no permission, no format that Onset reads.
    pub fn open(index: u32) -> Result<Self, MediaError> {
        Self::open_with(index, FormatWish::default())
    }

    /// Opens camera `index` in the best of its formats that meet `wanted`.
    ///
    /// # Errors
    /// As [`Camera::open`], or the camera offers nothing of the kind or refuses it.
    pub fn open_with(index: u32, wanted: FormatWish) -> Result<Self, MediaError> {
        let (told, opened) = bounded::<Opened>(1);
        let (sender, frames) = frame_queue(WAITING_PICTURES, WhenFull::DropOldest);
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let cannot = |why: String| {
            MediaError::Camera(format!("Cannot open the camera: {why}: camera:{index}"))
        };
        Builder::new()
            .name("camera".into())
            .spawn(move || camera_thread(index, wanted, &told, &sender, &asked))
            .map_err(|e| cannot(format!("the system refuses another thread ({e})")))?;
        let (format, name) = match opened.recv_timeout(FIRST_SILENCE) {
            Ok(Ok(opened)) => opened,
            Ok(Err(why)) => return Err(cannot(why)),
            Err(_) => {
                stop.store(true, Ordering::Relaxed);
                return Err(cannot(format!(
                    "it did not answer within {} s; unplug it and plug it in again",
                    FIRST_SILENCE.as_secs()
                )));
            }
        };
        let mut notices = Vec::new();
        if format.fps < 25 {
            notices.push(Notice::warning(format!(
                "The camera offers at most {} frames a second; micro-expressions need 25 or more: camera:{index}",
                format.fps
            )));
        }
        Ok(Self {
            info: SourceInfo {
                name,
                path: None,
                width: format.width,
                height: format.height,
                nominal_fps: Some(f64::from(format.fps)),
                frame_count: None,
                exact_frame_count: false,
                duration: None,
                live: true,
            },
            frames,
            stop,
            format,
            received: false,
            notices,
        })
    }

    /// The format agreed with the camera.
    #[must_use]
    pub fn format(&self) -> VideoFormat {
        self.format
    }
}

impl FrameSource for Camera {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
        let limit = if self.received {
            SILENCE
        } else {
            FIRST_SILENCE
        };
        loop {
            match self.frames.recv_timeout(limit) {
                Received::Item(Delivery::Frame(frame)) => {
                    self.received = true;
                    return Ok(Some(frame));
                }
                Received::Item(Delivery::Notice(notice)) => self.notices.push(notice),
                Received::Item(Delivery::Failed(error)) => return Err(error),
                Received::Ended => return Ok(None),
                Received::TimedOut => {
                    // The thread may hang in the driver for ever; it ends by itself
                    // when the driver lets go.
                    self.stop.store(true, Ordering::Relaxed);
                    return Err(MediaError::Camera(format!(
                        "The camera has sent no picture for {} s and counts as lost. Unplug it, plug it in again and open it anew: {}",
                        limit.as_secs(),
                        self.info.name
                    )));
                }
            }
        }
    }

    fn seek(&mut self, _: u64) -> Result<(), MediaError> {
        Err(MediaError::NoSeek("a camera only goes forward".into()))
    }

    fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Everything that touches the driver. Whatever panics in there ends as an error.
fn camera_thread(
    index: u32,
    wanted: FormatWish,
    told: &Sender<Opened>,
    sender: &FrameSender,
    stop: &AtomicBool,
) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let (mut camera, format, name) = match open_driver(index, wanted) {
            Ok(opened) => opened,
            Err(why) => {
                let _ = told.send(Err(why));
                return Ok(());
            }
        };
        if told.send(Ok((format, name.clone()))).is_err() {
            return Ok(());
        }
        stream(&mut camera, &format, sender, stop).map_err(|why| {
            MediaError::Camera(format!(
                "The camera was lost: {why}. {name} (camera:{index})"
            ))
        })
    }));
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => sender.fail(error),
        Err(panic) => {
            let why = format!("the driver library failed ({})", panic_text(panic.as_ref()));
            // Whoever still waits for the opening hears it here.
            let _ = told.try_send(Err(why.clone()));
            sender.fail(MediaError::Camera(format!(
                "The camera was lost: {why}: camera:{index}"
            )));
        }
    }
}

/// Opens the device and starts its stream in the first format it accepts.
fn open_driver(
    index: u32,
    wanted: FormatWish,
) -> Result<(nokhwa::Camera, VideoFormat, String), String> {
    let known = query().map_err(|e| e.to_string())?;
    let Some((_, name)) = known.iter().find(|(i, _)| *i == index) else {
        let others: Vec<String> = known
            .iter()
            .map(|(i, name)| format!("camera:{i} ({name})"))
            .collect();
        return Err(if others.is_empty() {
            "there is no camera on this machine; plug one in".into()
        } else {
            format!("there is no such camera; there are {}", others.join(", "))
        });
    };
    let mut formats = offered_formats(index).map_err(|e| plain(&e))?;
    if formats.is_empty() {
        return Err(UNREADABLE.into());
    }
    let offered = formats.clone();
    formats.retain(|format| wanted.is_met_by(format));
    if formats.is_empty() {
        let offered: Vec<String> = offered.iter().map(ToString::to_string).collect();
        return Err(format!(
            "it does not offer {}; it offers {}",
            wanted
                .to_string()
                .trim_start_matches('@')
                .replace('@', ", "),
            offered.join("; ")
        ));
    }
    let mut last = String::new();
    for format in formats.into_iter().take(FORMATS_TRIED) {
        let Some(exact) = format.to_driver() else {
            continue;
        };
        let opened = nokhwa::Camera::new(
            CameraIndex::Index(index),
            request(RequestedFormatType::Exact(exact)),
        )
        .and_then(|mut camera| {
            camera.open_stream()?;
            Ok(camera)
        });
        match opened {
            Ok(camera) => return Ok((camera, format, name.clone())),
            Err(error) => {
                last = plain(&error);
                log::info!("camera:{index} refuses {format}: {error}");
                // Another size will not help against another program.
                if last.starts_with("it is in use") || last.starts_with("this user") {
                    break;
                }
            }
        }
    }
    Err(last)
}

/// Reads until stopped, unplugged or hopeless.
fn stream(
    camera: &mut nokhwa::Camera,
    format: &VideoFormat,
    sender: &FrameSender,
    stop: &AtomicBool,
) -> Result<(), String> {
    let mut clock = CameraClock::default();
    let mut index = 0;
    let mut bad = 0;
    let mut missing = 0;
    let mut told_bad = false;
    while !stop.load(Ordering::Relaxed) {
        let buffer = camera.frame().map_err(|e| {
            if e.to_string().contains("os error 19)") {
                "it was unplugged; plug it in again and open it anew".into()
            } else {
                plain(&e)
            }
        })?;
        let timestamp = clock.stamp(buffer.capture_timestamp(), Instant::now());
        if let Some(notice) = clock.verdict() {
            sender.tell(notice);
        }
        match camera_picture::decode(buffer.buffer(), format) {
            Ok(picture) => {
                bad = 0;
                let frame = Frame {
                    index,
                    timestamp,
                    dropped_before: std::mem::take(&mut missing),
                    captured: Some(std::time::Instant::now()),
                    picture: Arc::new(picture),
                };
                index += 1;
                if sender.send(frame).is_err() {
                    return Ok(());
                }
            }
            Err(why) => {
                bad += 1;
                // The first pictures of many cameras are torn; the recording begins
                // with the first whole one.
                if index > 0 {
                    missing += 1;
                } else {
                    clock = CameraClock::default();
                }
                if bad >= MAX_BAD_PICTURES {
                    return Err(format!("{bad} pictures in a row were unreadable ({why})"));
                }
                if index > 0 && !std::mem::replace(&mut told_bad, true) {
                    sender.tell(
                        Notice::warning(format!(
                            "The camera sent a damaged picture, which is skipped ({why}). If this goes on, try another cable or port"
                        ))
                        .over(TimeSpan {
                            start: timestamp,
                            end: timestamp,
                        }),
                    );
                }
            }
        }
    }
    // Stopping may fail on a camera that has just gone; that changes nothing now.
    let _ = camera.stop_stream();
    Ok(())
}
