//! A clip to hand on: a stretch of a recording, the face as it was filmed and magnified
//! beside it, slowed down, as MP4 or GIF.

mod page;
#[cfg(test)]
mod tests;

use std::path::Path;

use image::RgbImage;

use self::page::{Captions, SIZE, page};
use crate::base::Timestamp;
use crate::face::crop::HeldCrop;
use crate::media::{FrameSource, GifWriter, MediaError, VideoQuality, VideoWriter};
use crate::session::magnified_view::MagnifyView;
use crate::session::played_face::PlayedFace;
use crate::session::whole::Next;
use crate::timeline::{FrameRecord, Recording};

/// Finer than a video's clock is no new time.
const SAME_TIME_SECS: f64 = 2.0 / 90_000.0;

/// What a clip is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClipForm {
    Mp4,
    Gif,
}

impl ClipForm {
    pub const ALL: [Self; 2] = [Self::Mp4, Self::Gif];

    /// As a person reads it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mp4 => "MP4",
            Self::Gif => "GIF",
        }
    }

    /// What the file's name ends in.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Mp4 => "clip.mp4",
            Self::Gif => "clip.gif",
        }
    }

    /// The longest stretch: beyond it nobody sends such a file.
    #[must_use]
    pub const fn longest_secs(self) -> f64 {
        match self {
            Self::Mp4 => 60.0,
            Self::Gif => 20.0,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    #[error("A clip needs two frames at least: select a longer stretch.")]
    TooShort,
    #[error("The stretch is {secs:.1} s long, and a clip as {} takes {:.0} s at most: select a shorter one.", form.name(), form.longest_secs())]
    TooLong { form: ClipForm, secs: f64 },
    #[error(
        "The analysis has not come to the end of the stretch yet: export the clip when it has."
    )]
    NotAnalysed,
    #[error(
        "No face was found in the stretch, so there is nothing to magnify: select another one."
    )]
    NoFace,
    #[error(
        "The recording ends before frame {0}: it has changed since it was analysed. Analyse it again."
    )]
    Ended(u64),
    #[error(
        "Cannot magnify the stretch: {0}. Move the sliders of the magnified view and export the clip again."
    )]
    Magnify(String),
    #[error("The clip is not wanted any more.")]
    Stopped,
    #[error("Cannot write the captions of the clip: {0}. Please report this.")]
    Captions(String),
    #[error(transparent)]
    Media(#[from] MediaError),
}

/// What is to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    pub form: ClipForm,
    /// First and last.
    pub frames: (u64, u64),
    /// 1 is the recording's own pace, below it is slower.
    pub speed: f32,
    pub magnify: MagnifyView,
}

/// What has become of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Written {
    /// How long it takes to watch.
    pub secs: f64,
    pub frames: u64,
    /// So many frames of the stretch came too fast for a GIF, or at no time of their own.
    pub left_out: u64,
    /// So many have no face, and are shown as they were filmed.
    pub without_face: u64,
}

impl Clip {
    /// Whether it can be written, as far as that is known before anything is read.
    ///
    /// # Errors
    /// The stretch is too short, too long, not analysed or without a face.
    pub fn check(&self, recording: &Recording) -> Result<(), ClipError> {
        self.start(recording).map(drop)
    }

    /// The time of the first frame, the stretch's length in seconds and the first crop.
    fn start<'a>(
        &self,
        recording: &'a Recording,
    ) -> Result<(Timestamp, f64, &'a HeldCrop), ClipError> {
        let (first, last) = self.frames;
        let time = |frame| recording.frame(frame).map(|r| r.timestamp);
        let (from, to) = (time(first).zip(time(last))).ok_or(ClipError::NotAnalysed)?;
        let secs = to.secs_since(from);
        if secs <= SAME_TIME_SECS {
            return Err(ClipError::TooShort);
        }
        let form = self.form;
        // The frames at its ends may lie a little beyond what was dragged.
        if secs > form.longest_secs() + 0.1 {
            return Err(ClipError::TooLong { form, secs });
        }
        let records = recording.frames.iter();
        let mut within = records.filter(|r| (first..=last).contains(&r.frame));
        let crop = within.find_map(|r| crop_of(r, recording));
        Ok((from, secs, crop.ok_or(ClipError::NoFace)?))
    }

    /// Reads the stretch from `source`, with what the filters run in over before it, and
    /// writes it to `path`. `recording` says where the face is. `progress` hears which share
    /// of the frames is read; at anything but [`Next::GoOn`] the clip is given up.
    ///
    /// # Errors
    /// As [`Clip::check`]; when the recording cannot be read, the file not be written or
    /// `progress` gives the clip up. The file then is not there.
    pub fn write(
        &self,
        source: &mut dyn FrameSource,
        recording: &Recording,
        path: &Path,
        progress: &mut dyn FnMut(f32) -> Next,
    ) -> Result<Written, ClipError> {
        let (from, secs, mut crop) = self.start(recording)?;
        let (first, last) = self.frames;
        let speed = f64::from(self.speed);
        let fps = (last - first) as f64 / secs;
        let run_in = Timestamp::from_secs(from.secs() - self.magnify.method.looks_back_secs());
        let before = (recording.frames).partition_point(|r| r.timestamp < run_in);
        let begin = recording.frames.get(before).map_or(first, |r| r.frame);
        let mut face = PlayedFace::new(self.magnify);
        let mut writer = Writer::create(self.form, path, fps * speed)?;
        let how = self.magnify.sane().describe(fps);
        let pace = format!("{}× speed", self.speed);
        let mut written = Written {
            secs: 0.0,
            frames: 0,
            left_out: 0,
            without_face: 0,
        };
        let mut shown: Option<Timestamp> = None;
        source.seek(begin)?;
        loop {
            let frame = source.next_frame()?.ok_or(ClipError::Ended(last))?;
            let (index, at) = (frame.index, frame.timestamp);
            face.push(frame);
            let share = index.saturating_sub(begin) as f32 / (last - begin).max(1) as f32;
            if progress(share) != Next::GoOn {
                return Err(ClipError::Stopped);
            }
            if index >= first && index <= last {
                // No new time is no new picture.
                if shown.is_some_and(|shown| at.secs_since(shown) <= SAME_TIME_SECS) {
                    written.left_out += 1;
                } else {
                    shown = Some(at);
                    let here = recording.frame(index).and_then(|r| crop_of(r, recording));
                    crop = here.unwrap_or(crop);
                    let faces = match here {
                        Some(crop) => face.show(crop),
                        None => face.as_filmed(crop),
                    };
                    let found = here.is_some();
                    written.without_face += u64::from(!found);
                    let captions = Captions {
                        above: ["Original", "Magnified"],
                        speed: &pace,
                        below: [
                            &format!("frame {index}, {}", at.clock()),
                            if found {
                                &how
                            } else {
                                "no face found: as filmed"
                            },
                        ],
                    };
                    let picture = page(&faces.map_err(ClipError::Magnify)?, &captions)?;
                    let due = Timestamp::from_secs(at.secs_since(from) / speed);
                    writer.push(picture, due)?;
                    written.frames += 1;
                }
            }
            if index >= last {
                break;
            }
        }
        // The last picture stands as long as the others do.
        let of_stretch = shown.map_or(secs, |shown| shown.secs_since(from));
        written.secs = (of_stretch + 1.0 / fps) / speed;
        let left_out = writer.finish(Timestamp::from_secs(written.secs))?;
        written.left_out += left_out;
        written.frames -= left_out;
        Ok(written)
    }
}

fn crop_of<'a>(record: &FrameRecord, recording: &'a Recording) -> Option<&'a HeldCrop> {
    recording.crops.get(&record.face.as_ref()?.crop)
}

enum Writer {
    Mp4(VideoWriter),
    Gif(GifWriter),
}

impl Writer {
    /// For about `fps` pictures a second.
    fn create(form: ClipForm, path: &Path, fps: f64) -> Result<Self, MediaError> {
        let (width, height) = SIZE;
        Ok(match form {
            ClipForm::Mp4 => {
                let quality = VideoQuality::default();
                Self::Mp4(VideoWriter::create(path, width, height, fps, quality)?)
            }
            ClipForm::Gif => Self::Gif(GifWriter::create(path, width, height)?),
        })
    }

    fn push(&mut self, picture: RgbImage, at: Timestamp) -> Result<(), MediaError> {
        match self {
            Self::Mp4(video) => video.push(&picture, at),
            Self::Gif(gif) => gif.push(picture, at),
        }
    }

    /// How many pictures were left out.
    fn finish(self, end: Timestamp) -> Result<u64, MediaError> {
        match self {
            Self::Mp4(video) => video.finish().map(|()| 0),
            Self::Gif(gif) => {
                let left_out = gif.left_out();
                gif.finish(end).map(|()| left_out)
            }
        }
    }
}
