//! A camera recorded to a file while it is analysed.
//!
//! Matroska, for what is written of it plays even where the program was killed or the disk
//! filled up; H.264 where FFmpeg has it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Sender, TrySendError, bounded};

use super::video_writer::{Container, VideoQuality, VideoWriter};
use super::{Frame, MediaError, SourceInfo};
use crate::base::Timestamp;

/// Pictures that may wait for the encoder: two seconds at 30 frames a second.
const WAITING: usize = 60;
/// Pictures that may wait take at most so many bytes.
const WAITING_BYTES: usize = 192 << 20;
/// Looks like the original, and is encoded within a frame's time.
const QUALITY: VideoQuality = VideoQuality {
    crf: 16,
    keyframe_interval: 30,
    quick: true,
    ..VideoQuality::DEFAULT
};

/// The disk's free space is asked for every so many pictures.
const FREE_EVERY: u64 = 30;

/// How a recording is getting on.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingState {
    pub path: PathBuf,
    /// From the first to the last picture in the file.
    pub secs: f64,
    pub frames: u64,
    pub bytes: u64,
    /// The camera's numbers and times of the first and the last picture.
    pub first: Option<(u64, Timestamp)>,
    pub last: Option<(u64, Timestamp)>,
    /// Pictures the encoder had no time for.
    pub lost: u64,
    /// Bytes free on its disk; `None` where the system does not tell.
    pub free: Option<u64>,
    /// Why nothing more is recorded; what is in the file stays.
    pub failed: Option<String>,
}

impl RecordingState {
    /// So many bytes an hour, from what was written so far; `None` within the first two
    /// seconds, which say little.
    #[must_use]
    pub fn bytes_an_hour(&self) -> Option<f64> {
        (self.secs >= 2.0).then(|| self.bytes as f64 / self.secs * 3600.0)
    }

    /// How long what is free on the disk lasts.
    #[must_use]
    pub fn secs_left(&self) -> Option<f64> {
        let free = self.free?;
        self.bytes_an_hour()
            .filter(|rate| *rate > 0.0)
            .map(|rate| free as f64 / rate * 3600.0)
    }
}

/// Dropping it ends the file after the pictures that wait.
pub struct Recorder {
    /// `None` once it ends.
    pictures: Option<Sender<Frame>>,
    state: Arc<Mutex<RecordingState>>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Begins the file `path`, which must not exist; the first frame is its time 0.
    ///
    /// # Errors
    /// The file cannot be made, or the system refuses another thread.
    pub fn start(path: &Path, info: &SourceInfo) -> Result<Self, MediaError> {
        let refuse = |reason: String| MediaError::Write {
            path: path.to_path_buf(),
            reason,
        };
        if path.exists() {
            return Err(refuse("a file of this name is there already".into()));
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|e| refuse(format!("its folder cannot be made ({e})")))?;
        }
        let fps = info.nominal_fps.filter(|f| *f > 0.0).unwrap_or(30.0);
        let (width, height) = (info.width, info.height);
        let writer =
            VideoWriter::create_in(Container::Matroska, path, width, height, fps, QUALITY)?;
        let picture_bytes = 3 * width.max(1) as usize * height.max(1) as usize;
        let room = (WAITING_BYTES / picture_bytes).clamp(2, WAITING);
        let (sender, pictures) = bounded::<Frame>(room);
        let state = Arc::new(Mutex::new(RecordingState {
            path: path.to_path_buf(),
            secs: 0.0,
            frames: 0,
            bytes: 0,
            first: None,
            last: None,
            lost: 0,
            free: None,
            failed: None,
        }));
        let told = Arc::clone(&state);
        let thread = Builder::new()
            .name("recorder".into())
            .spawn(move || {
                let mut writer = writer;
                for frame in pictures {
                    if let Err(e) = write(&mut writer, &frame, &told) {
                        lock(&told).failed = Some(e.to_string());
                        break;
                    }
                }
                // What was written so far is worth keeping in any case.
                if lock(&told).frames > 0
                    && let Err(e) = writer.finish()
                {
                    lock(&told).failed.get_or_insert(e.to_string());
                }
            })
            .map_err(|e| refuse(format!("the system refuses another thread ({e})")))?;
        Ok(Self {
            pictures: Some(sender),
            state,
            thread: Some(thread),
        })
    }

    /// Takes a frame; one that finds no room is counted as lost rather than waited for.
    pub fn frame(&self, frame: &Frame) {
        let Some(pictures) = &self.pictures else {
            return;
        };
        if let Err(TrySendError::Full(_)) = pictures.try_send(frame.clone()) {
            self.lost(1);
        }
    }

    /// Frames that did not even come this far.
    pub fn lost(&self, count: u64) {
        lock(&self.state).lost += count;
    }

    #[must_use]
    pub fn state(&self) -> RecordingState {
        lock(&self.state).clone()
    }

    /// Ends the file and says what became of it; waits for the pictures that wait.
    #[must_use]
    pub fn finish(mut self) -> RecordingState {
        self.pictures = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            let mut state = lock(&self.state);
            state
                .failed
                .get_or_insert("an internal error stopped it; please report this".into());
        }
        let mut state = self.state();
        if let Ok(meta) = std::fs::metadata(&state.path) {
            state.bytes = meta.len();
        }
        state
    }
}

fn lock(state: &Mutex<RecordingState>) -> std::sync::MutexGuard<'_, RecordingState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(
    writer: &mut VideoWriter,
    frame: &Frame,
    told: &Mutex<RecordingState>,
) -> Result<(), MediaError> {
    let first = lock(told).first.map_or(frame.timestamp, |(_, at)| at);
    let at = Timestamp::from_secs(frame.timestamp.secs_since(first));
    writer.push(&frame.picture, at)?;
    // Asked for here: a disk in the network may take its time.
    let due = lock(told).frames.is_multiple_of(FREE_EVERY);
    let free = due.then(|| writer.free_space());
    let mut state = lock(told);
    state.free = free.unwrap_or(state.free);
    state.first.get_or_insert((frame.index, frame.timestamp));
    state.last = Some((frame.index, frame.timestamp));
    state.frames += 1;
    state.secs = at.secs();
    state.bytes = writer.bytes();
    Ok(())
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;
    use crate::media::{FrameSource as _, VideoFile};

    fn info() -> SourceInfo {
        SourceInfo::of_camera((64, 48), 25.0)
    }

    fn frame(index: u64) -> Frame {
        Frame {
            index,
            timestamp: Timestamp::from_secs(index as f64 / 25.0),
            dropped_before: 0,
            captured: None,
            picture: Arc::new(RgbImage::from_pixel(64, 48, Rgb([(index * 2) as u8; 3]))),
        }
    }

    /// Waits until so many frames are written.
    fn until(recorder: &Recorder, frames: u64) {
        let begun = std::time::Instant::now();
        loop {
            let state = recorder.state();
            assert_eq!(state.failed, None);
            if state.frames >= frames {
                return;
            }
            assert!(begun.elapsed().as_secs() < 60, "{state:?}");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }

    #[test]
    fn a_recording_has_every_frame_at_its_time_from_zero_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/camera.mkv");
        let recorder = Recorder::start(&path, &info()).unwrap();
        // Slow enough that none is lost however slow the machine.
        for index in 100..175_u64 {
            until(&recorder, (index - 100).saturating_sub(WAITING as u64 / 2));
            recorder.frame(&frame(index));
        }
        let state = recorder.finish();
        assert_eq!(
            (state.frames, state.lost, state.failed.clone()),
            (75, 0, None)
        );
        assert!((state.secs - 74.0 / 25.0).abs() < 1e-6);
        assert_eq!(state.first.map(|f| f.0), Some(100));
        assert!(state.bytes_an_hour().unwrap() > 0.0);
        let mut video = VideoFile::open(&path, None).unwrap();
        let mut count = 0u64;
        while let Some(read) = video.next_frame().unwrap() {
            // Matroska's clock ticks in milliseconds.
            assert!((read.timestamp.secs() - count as f64 / 25.0).abs() < 2e-3);
            count += 1;
        }
        assert_eq!(count, 75);
        assert!(
            Recorder::start(&path, &info()).is_err(),
            "never overwritten"
        );
    }

    #[test]
    fn a_killed_recording_still_plays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("camera.mkv");
        let recorder = Recorder::start(&path, &info()).unwrap();
        for index in 0..70_u64 {
            until(&recorder, index.saturating_sub(20));
            recorder.frame(&frame(index));
        }
        until(&recorder, 70);
        // As the disk has it now: neither finished nor closed.
        let copy = folder.path().join("copy.mkv");
        std::fs::copy(&path, &copy).unwrap();
        let mut video = VideoFile::open(&copy, None).unwrap();
        let mut count = 0;
        while let Ok(Some(_)) = video.next_frame() {
            count += 1;
        }
        assert!(count >= 30, "{count} of 70 frames");
        let _ = recorder.finish();
    }
}
