//! A clip of what is selected, beside the recording: asked for, written on a thread of
//! its own, and how far it is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::command::{Command, Effect};
use super::review::Review;
use super::saving::{folders, free_path};
use super::state::AppState;
use crate::base::Notice;
use crate::media::gif_writer::MOST_PER_SECOND;
use crate::media::worker::panic_text;
use crate::media::{self, InputPlace, InputSpec, MediaError, SourceInfo};
use crate::project::clip::{Clip, ClipError, ClipForm, Written};
use crate::session::whole::Next;
use crate::timeline::Recording;

/// How a clip gets on.
#[derive(Debug, Clone, PartialEq)]
pub enum ClipNews {
    /// Percent of it are written.
    At(u8),
    /// What became of it; `None` where it could not even begin, which was said.
    Ended(Option<Notice>),
}

/// The thread that writes a clip.
pub(super) struct ClipThread {
    pub unwanted: Arc<AtomicBool>,
    pub thread: JoinHandle<()>,
}

impl ClipThread {
    /// The clip is given up. Waits a moment, so that what is there of it is taken away.
    pub(super) fn give_up(self) {
        const LONGEST: Duration = Duration::from_secs(5);
        self.unwanted.store(true, Ordering::Relaxed);
        let asked = Instant::now();
        while !self.thread.is_finished() {
            if asked.elapsed() > LONGEST {
                log::warn!("a clip is still being written: a part of it may stay on the disk");
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A copy of what the clip is made from; the window goes on with its own.
#[derive(Debug, Clone)]
pub struct ClipDesk {
    clip: Clip,
    info: SourceInfo,
    /// Frames a second that a person gave an image folder.
    fps: Option<f64>,
    recording: Arc<Recording>,
}

impl ClipDesk {
    #[must_use]
    pub fn of(review: &Review, clip: Clip) -> Self {
        Self {
            clip,
            info: review.session.info.clone(),
            fps: review.session.params.fps,
            recording: Arc::clone(&review.recording),
        }
    }

    /// What is to be written.
    #[must_use]
    pub fn clip(&self) -> &Clip {
        &self.clip
    }

    /// Writes a new file beside the recording, or where that is not allowed in the
    /// person's documents; an older file is never replaced. Nothing stays of a clip that
    /// turns out to be `unwanted` before it is whole.
    #[must_use]
    pub fn write(&self, tell: impl Fn(ClipNews), unwanted: &AtomicBool) -> Notice {
        let written = catch_unwind(AssertUnwindSafe(|| self.try_to_write(tell, unwanted)));
        written.unwrap_or_else(|panic| {
            Notice::error(format!(
                "Cannot write the clip because of an internal error ({}). Please report this.",
                panic_text(panic.as_ref())
            ))
        })
    }

    fn try_to_write(&self, tell: impl Fn(ClipNews), unwanted: &AtomicBool) -> Notice {
        let name = self.info.stem();
        let mut told = None;
        let mut progress = |share: f32| {
            let percent = (100.0 * share.clamp(0.0, 1.0)) as u8;
            if told.replace(percent) != Some(percent) {
                tell(ClipNews::At(percent));
            }
            if unwanted.load(Ordering::Relaxed) {
                Next::Stop
            } else {
                Next::GoOn
            }
        };
        let mut failed = None;
        for folder in folders(self.info.path.as_deref()) {
            let path = free_path(&folder, &name, self.clip.form.ending());
            match self.write_to(&path, &mut progress) {
                Ok(written) => return self.said(&written, &path),
                Err(e @ ClipError::Stopped) => return Notice::info(e.to_string()),
                Err(e @ ClipError::Media(MediaError::Write { .. })) => failed = Some(e),
                // In another folder it would be the same.
                Err(e) => return Notice::error(e.to_string()),
            }
        }
        Notice::error(failed.map_or_else(
            || "Cannot write the clip: this account has no folder of its own.".to_owned(),
            |e| e.to_string(),
        ))
    }

    fn write_to(
        &self,
        path: &Path,
        progress: &mut dyn FnMut(f32) -> Next,
    ) -> Result<Written, ClipError> {
        let place = self.info.path.clone().unwrap_or_default();
        let mut source = media::open(&InputSpec {
            place: InputPlace::Path(place),
            fps: self.fps,
        })?;
        (self.clip).write(source.as_mut(), &self.recording, path, progress)
    }

    fn said(&self, written: &Written, path: &Path) -> Notice {
        let mut text = format!(
            "The clip is written: {} frames at {}×, {:.1} s to watch",
            written.frames, self.clip.speed, written.secs
        );
        if written.left_out > 0 && self.clip.form == ClipForm::Gif {
            text += &format!(
                "; {} frames are left out, for a GIF shows {MOST_PER_SECOND} a second at most: \
                 a slower speed or MP4 shows all",
                written.left_out
            );
        }
        if written.without_face > 0 {
            text += &format!(
                "; {} have no face and are shown as filmed",
                written.without_face
            );
        }
        Notice::info(format!("{text}: {}", path.display()))
    }
}

impl AppState {
    /// The clip of what is selected, as the settings have it.
    ///
    /// # Errors
    /// A sentence: why there can be none now.
    pub fn clip_of(&self, form: ClipForm) -> Result<Clip, String> {
        if self.clip.is_some() {
            return Err("A clip is being written: export the next one when it is done.".into());
        }
        let review = self.review.as_ref().ok_or("Open a recording first.")?;
        if review.session.info.live {
            return Err(self.settings.keys.fill(
                "A camera's pictures are not kept: record it first ({Record the camera}), open \
                 the recording and export the clip there.",
            ));
        }
        if let Some(why) = review.still_read() {
            return Err(why.into());
        }
        let frames = review.stretch().ok_or(
            "Select a stretch by dragging on the timeline, or a candidate or an annotation: \
             the clip shows it.",
        )?;
        let clip = Clip {
            form,
            frames,
            // Faster than it was, nothing is to be seen.
            speed: self.settings.speed.min(1.0),
            magnify: self.settings.magnify,
        };
        clip.check(&review.recording).map_err(|e| e.to_string())?;
        Ok(clip)
    }

    pub(super) fn clip(&mut self, form: ClipForm) -> Vec<Effect> {
        match (self.clip_of(form), &self.review) {
            (Ok(clip), Some(review)) => {
                let desk = ClipDesk::of(review, clip);
                self.clip = Some(0);
                vec![Effect::Clip(Box::new(desk))]
            }
            (Err(why), _) => {
                self.say(Notice::info(why));
                vec![Effect::WakeAfter(8.1)]
            }
            (Ok(_), None) => vec![],
        }
    }

    pub(super) fn clip_news(&mut self, news: ClipNews) -> Vec<Effect> {
        match news {
            ClipNews::At(percent) => {
                self.clip = Some(percent);
                vec![]
            }
            ClipNews::Ended(said) => {
                self.clip = None;
                said.map_or_else(Vec::new, |said| self.carry_out(Command::Say(said)))
            }
        }
    }
}

impl Review {
    /// The first and last frame of what is selected: the stretch dragged on the timeline,
    /// else the annotation or candidate that is looked at, with a little around it. `None`
    /// where nothing is, or a single frame.
    #[must_use]
    pub fn stretch(&self) -> Option<(u64, u64)> {
        const AROUND_SECS: f64 = 0.3;
        let ends = |(a, b): (u64, u64)| {
            let (a, b) = (self.time_of(a).secs(), self.time_of(b).secs());
            (a - AROUND_SECS, b + AROUND_SECS)
        };
        let annotation = self.annotation().map(|a| (a.onset, a.offset));
        let spot = || self.selected_spot().map(|s| (s.onset, s.offset));
        let marked = || annotation.or_else(spot).map(ends);
        let (from, to) = self.timeline.selection.or_else(marked)?;
        let frames = (self.frame_near(from), self.frame_near(to));
        (frames.0 < frames.1).then_some(frames)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::base::{Point, Rect, Severity, Similarity};
    use crate::face::Landmarks;
    use crate::face::crop::HeldCrop;
    use crate::session::magnified_view::MagnifyView;
    use crate::timeline::event::FaceRecord;
    use crate::timeline::{Event, FrameRecord};

    /// Of twelve images in a folder, ten a second.
    fn desk(images: &Path) -> ClipDesk {
        std::fs::create_dir(images).unwrap();
        let mut recording = Recording::default();
        let center = Point::new(48.0, 48.0);
        recording.apply(Event::Crop(Box::new(HeldCrop {
            id: 0,
            since_frame: 0,
            crop_from_image: Similarity::about(center, Point::new(63.5, 63.5), 2.0, 0.0),
            landmarks_in_crop: Landmarks([center; 68]),
        })));
        for frame in 0..12_u64 {
            let picture = image::RgbImage::from_fn(96, 96, |x, y| {
                image::Rgb([(x * 2 + frame as u32) as u8, (y * 2) as u8, 90])
            });
            picture
                .save(images.join(format!("{frame:02}.png")))
                .unwrap();
            let at = crate::base::Timestamp::from_secs(frame as f64 / 10.0);
            let face = FaceRecord::found(Rect::new(16.0, 16.0, 64.0, 64.0));
            recording.apply(Event::Frame(Box::new(FrameRecord {
                face: Some(face),
                ..FrameRecord::faceless(frame, at)
            })));
        }
        let spec = InputSpec {
            place: InputPlace::Path(images.to_path_buf()),
            fps: Some(10.0),
        };
        ClipDesk {
            clip: Clip {
                form: ClipForm::Gif,
                frames: (2, 9),
                speed: 0.5,
                magnify: MagnifyView::default(),
            },
            info: media::open(&spec).unwrap().info().clone(),
            fps: Some(10.0),
            recording: Arc::new(recording),
        }
    }

    #[test]
    fn a_clip_of_images_lies_beside_their_folder_and_never_over_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk(&folder.path().join("smile"));
        for name in ["smile.clip.gif", "smile.clip-2.gif"] {
            let told = RefCell::new(Vec::new());
            let said = desk.write(|news| told.borrow_mut().push(news), &AtomicBool::new(false));
            assert!(
                said.text
                    .starts_with("The clip is written: 8 frames at 0.5×, 1.6 s to watch"),
                "{}",
                said.text
            );
            assert!(folder.path().join(name).is_file(), "{}", said.text);
            assert_eq!(told.borrow().last(), Some(&ClipNews::At(100)));
        }
    }

    #[test]
    fn nothing_stays_of_a_clip_that_is_given_up_and_a_mistake_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk(&folder.path().join("smile"));
        let unwanted = Arc::new(AtomicBool::new(false));
        let (of_thread, writes) = (Arc::clone(&unwanted), desk.clone());
        let thread = std::thread::Builder::new().spawn(move || {
            // As if it took long.
            while !of_thread.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
            drop(writes.write(|_| {}, &of_thread));
        });
        let thread = thread.unwrap();
        ClipThread { unwanted, thread }.give_up();
        let said = desk.write(|_| panic!("a mistake"), &AtomicBool::new(false));
        assert_eq!(said.severity, Severity::Error);
        assert!(said.text.contains("a mistake"), "{}", said.text);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_recording_that_is_gone_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let mut desk = desk(&folder.path().join("smile"));
        desk.info.path = Some(folder.path().join("gone"));
        let said = desk.write(|_| {}, &AtomicBool::new(false));
        assert_eq!(said.severity, Severity::Error);
        assert!(
            said.text.contains("no such file or folder"),
            "{}",
            said.text
        );
    }
}
