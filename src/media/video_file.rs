//! Recordings in any container and codec that FFmpeg reads.

use std::path::{Path, PathBuf};

use ffmpeg::{Rational, frame};
use ffmpeg_next as ffmpeg;

use crate::base::{Notice, TimeSpan, Timestamp};

use super::color::RgbConverter;
use super::damage::DamageLog;
use super::frame_index::{FrameIndex, KnownFrame};
use super::orientation::Orientation;
use super::packets::{Damage, PacketReader, units_to_nanos};
use super::{Frame, FrameSource, MediaError, SourceInfo};

/// So many frames must agree with the packet times before these are believed.
const TRUST_AFTER_FRAMES: u64 = 128;
/// Without knowledge of key frames: so far ahead, decoding beats seeking.
const DECODE_ON_FRAMES: u64 = 24;
/// How much earlier each further attempt to find a usable key frame starts.
const EARLIER_SECS: [f64; 4] = [0.0, 1.0, 6.0, 30.0];
/// The rate assumed for streams that state neither times nor a rate.
const FALLBACK_FPS: f64 = 25.0;

/// A video file read frame by frame with the container's own times.
///
/// Seeking is exact: [`FrameSource::seek`] to n and reading gives the frame that
/// reading from the start numbers n. Far jumps rely on the packets' times, checked
/// against every frame read; once damage has been met, jumps beyond what has been
/// read count frames instead.
pub struct VideoFile {
    path: PathBuf,
    reader: PacketReader,
    info: SourceInfo,
    time_base: Rational,
    /// Seconds from one frame to the next as the container states them.
    interval_secs: f64,
    duration_is_binding: bool,
    orientation: Orientation,
    converter: Option<RgbConverter>,
    index: FrameIndex,
    /// The number of the frame that comes next.
    next: u64,
    /// The time of the frame read last.
    latest: Timestamp,
    /// Decoded while seeking, not yet delivered.
    pending: Option<frame::Video>,
    damage: DamageLog,
    notices: Vec<Notice>,
    told_missing_times: bool,
    told_falling_times: bool,
    told_size: bool,
    ended: bool,
}

impl VideoFile {
    /// Opens a file and reads its headers; `fps` serves only streams without times.
    ///
    /// # Errors
    /// The file is missing, empty, no video, or its codec is unknown.
    pub fn open(path: &Path, fps: Option<f64>) -> Result<Self, MediaError> {
        let reader = PacketReader::open(path)?;
        let facts = reader.facts().clone();
        let mut notices = Vec::new();
        let orientation = facts.orientation.unwrap_or_else(|| {
            notices.push(Notice::warning(format!(
                "The recording asks to be turned by an angle other than a quarter turn; it is shown as stored: {}",
                path.display()
            )));
            Orientation::Upright
        });
        if (facts.pixel_aspect - 1.0).abs() > 0.01 {
            notices.push(Notice::warning(format!(
                "The pixels of this recording are not square ({:.3} : 1), so faces look stretched. Convert it to square pixels for reliable landmarks: {}",
                facts.pixel_aspect,
                path.display()
            )));
        }
        let (width, height) = orientation.size(facts.size.0, facts.size.1);
        let nominal_fps = facts.fps.filter(|f| f.is_finite());
        let stated = facts.duration;
        let info = SourceInfo {
            name: path
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default(),
            path: Some(path.to_path_buf()),
            width,
            height,
            nominal_fps,
            frame_count: facts.frames.or_else(|| {
                let frames = stated?.secs() * nominal_fps?;
                (frames >= 1.0).then_some(frames.round() as u64)
            }),
            exact_frame_count: false,
            duration: stated,
            live: false,
        };
        let sane = |f: &f64| f.is_finite() && *f > 0.0;
        Ok(Self {
            path: path.to_path_buf(),
            time_base: facts.time_base,
            duration_is_binding: facts.duration_is_binding,
            interval_secs: 1.0 / fps.filter(sane).or(nominal_fps).unwrap_or(FALLBACK_FPS),
            reader,
            info,
            orientation,
            converter: None,
            index: FrameIndex::new(),
            next: 0,
            latest: Timestamp::ZERO,
            pending: None,
            damage: DamageLog::default(),
            notices,
            told_missing_times: false,
            told_falling_times: false,
            told_size: false,
            ended: false,
        })
    }

    /// The next decoded picture with its number and time.
    fn advance(&mut self) -> Option<(frame::Video, u64, Timestamp)> {
        let picture = match self.pending.take() {
            Some(picture) => picture,
            None => self.decode()?,
        };
        let number = self.next;
        let timestamp = self.place(number, &picture);
        self.latest = timestamp;
        self.next += 1;
        Some((picture, number, timestamp))
    }

    fn decode(&mut self) -> Option<frame::Video> {
        let picture = self.reader.next_picture();
        let damaged = self.reader.take_damage();
        if !damaged.is_empty() {
            if damaged.iter().any(|d| d.damage == Damage::Lost) {
                self.index.distrust();
            }
            let first = self.index.first_pts();
            let base = self.time_base;
            self.damage.add(&damaged, |pts| {
                Timestamp::from_nanos(units_to_nanos(pts - first.unwrap_or(pts), base))
            });
        }
        picture
    }

    /// The time of frame `number`, recorded when it is read for the first time.
    fn place(&mut self, number: u64, picture: &frame::Video) -> Timestamp {
        if let Some(known) = self.index.get(number) {
            return known.timestamp;
        }
        let pts = picture.timestamp();
        let first = self.index.first_pts();
        let stated = pts
            .map(|p| Timestamp::from_nanos(units_to_nanos(p - first.unwrap_or(p), self.time_base)));
        if number > self.index.len() {
            // Beyond a seek by the packets' times, which all frames here have.
            return stated.unwrap_or_else(|| self.latest.plus_secs(self.interval_secs));
        }
        let previous = self.index.last().map(|k| k.timestamp);
        let timestamp = match (stated, previous) {
            (Some(t), None) => t,
            (Some(t), Some(p)) if t > p => t,
            (None, None) => {
                self.tell_missing_times();
                Timestamp::ZERO
            }
            (None, Some(p)) => {
                self.tell_missing_times();
                p.plus_secs(self.interval_secs)
            }
            (Some(_), Some(p)) => {
                self.tell_falling_times(p);
                p.plus_secs(self.interval_secs)
            }
        };
        self.index.push(KnownFrame {
            pts,
            timestamp,
            fingerprint: fingerprint(picture),
        });
        timestamp
    }

    fn tell_missing_times(&mut self) {
        if std::mem::replace(&mut self.told_missing_times, true) {
            return;
        }
        let text = format!(
            "The recording states no times for its frames; they are taken as {:.3} frames a second: {}",
            1.0 / self.interval_secs,
            self.path.display()
        );
        // Old AVI files state the rate alone, which says it all.
        self.notices.push(if self.info.nominal_fps.is_some() {
            Notice::info(text)
        } else {
            Notice::warning(text)
        });
    }

    fn tell_falling_times(&mut self, at: Timestamp) {
        if !std::mem::replace(&mut self.told_falling_times, true) {
            self.notices.push(
                Notice::warning(format!(
                    "Some frames of the recording carry a time not later than the frame before; they are placed one frame interval after it: {}",
                    self.path.display()
                ))
                .over(TimeSpan { start: at, end: at }),
            );
        }
    }

    /// RGB in the size of the first frame, turned as the file asks.
    fn draw(
        &mut self,
        picture: &frame::Video,
        at: Timestamp,
    ) -> Result<image::RgbImage, MediaError> {
        let refuse = |e: ffmpeg::Error, path: &Path| MediaError::Decode {
            path: path.to_path_buf(),
            reason: format!(
                "its pictures ({} × {} pixels) cannot be converted to RGB: {e}",
                picture.width(),
                picture.height()
            ),
        };
        let (width, height) = self.orientation.size(self.info.width, self.info.height);
        if (picture.width(), picture.height()) != (width, height)
            && !std::mem::replace(&mut self.told_size, true)
        {
            self.notices.push(
                Notice::warning(format!(
                    "The picture size changes from {width} × {height} to {} × {} pixels within the recording; later pictures are resized to the first size: {}",
                    picture.width(),
                    picture.height(),
                    self.path.display()
                ))
                .over(TimeSpan { start: at, end: at }),
            );
        }
        if !self.converter.as_ref().is_some_and(|c| c.fits(picture)) {
            let fresh = RgbConverter::new(picture, width, height);
            self.converter = Some(fresh.map_err(|e| refuse(e, &self.path))?);
        }
        let converted = self
            .converter
            .as_mut()
            .map_or(Err(ffmpeg::Error::Bug), |c| c.convert(picture));
        let rgb = converted.map_err(|e| refuse(e, &self.path))?;
        Ok(self.orientation.apply(rgb))
    }

    /// The regular or premature end: what is known now is exact.
    fn finish(&mut self) -> Result<(), MediaError> {
        if self.next != self.index.len() || std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        self.notices.extend(self.damage.flush(&self.path));
        let Some(last) = self.index.last().map(|k| k.timestamp) else {
            return Err(MediaError::Decode {
                path: self.path.clone(),
                reason: "not one of its pictures can be decoded. Copy it again from its source"
                    .into(),
            });
        };
        let end = last.plus_secs(self.interval_secs);
        if let Some(stated) = self.info.duration.filter(|_| self.duration_is_binding) {
            let missing = stated.secs_since(end);
            if missing > (3.0 * self.interval_secs).max(0.5) {
                self.notices.push(
                    Notice::warning(format!(
                        "The recording ends early: its header announces {:.2} s, its pictures end at {:.2} s. It was probably cut off while being recorded or copied: {}",
                        stated.secs(),
                        end.secs(),
                        self.path.display()
                    ))
                    .over(TimeSpan { start: end, end: stated }),
                );
            }
        } else if self.reader.cut_short() {
            self.notices.push(
                Notice::warning(format!(
                    "The recording ends with unreadable data after {:.2} s; what could be decoded is used: {}",
                    end.secs(),
                    self.path.display()
                ))
                .over(TimeSpan { start: last, end }),
            );
        }
        self.info.frame_count = Some(self.index.len());
        self.info.exact_frame_count = true;
        self.info.duration = Some(end);
        Ok(())
    }

    /// Lands on the frame with this time through a key frame before it.
    fn land_on(&mut self, frame: u64, pts: i64) -> bool {
        let per_sec =
            f64::from(self.time_base.denominator()) / f64::from(self.time_base.numerator().max(1));
        for earlier in EARLIER_SECS {
            let from = pts.saturating_sub((earlier * per_sec) as i64);
            if self.reader.seek_before(from).is_err() {
                return false;
            }
            if let Some(picture) = self.decode_up_to(pts) {
                let known = self.index.get(frame);
                if known.is_some_and(|k| k.fingerprint != fingerprint(&picture)) {
                    return false;
                }
                self.pending = Some(picture);
                self.next = frame;
                return true;
            }
        }
        false
    }

    /// Decodes on after a seek to the picture with exactly this time. `None` when
    /// the key frame lies behind it or the picture does not turn up.
    fn decode_up_to(&mut self, pts: i64) -> Option<frame::Video> {
        let found = loop {
            let Some(picture) = self.reader.next_picture() else {
                break None;
            };
            let start = self.reader.first_packet();
            // Pictures shown before the key frame need packets that were skipped.
            if !start.is_some_and(|p| p.key && p.pts.is_some_and(|t| t <= pts)) {
                break None;
            }
            match picture.timestamp() {
                Some(t) if t < pts => {}
                Some(t) if t == pts => break Some(picture),
                _ => break None,
            }
        };
        // References missing right after a jump are no damage of the file.
        let _ = self.reader.take_damage();
        found
    }

    /// Reads on, frame by frame, until `frame` comes next or the file ends.
    fn count_up_to(&mut self, frame: u64) {
        while self.next < frame && self.advance().is_some() {}
    }

    fn restart(&mut self) -> Result<(), MediaError> {
        self.pending = None;
        self.reader.restart()?;
        self.next = 0;
        Ok(())
    }

    /// Looks at all packets once, when a jump leaves what has been read.
    fn make_forecast(&mut self) -> Result<(), MediaError> {
        if !self.index.wants_forecast() {
            return Ok(());
        }
        if self.index.len() < TRUST_AFTER_FRAMES {
            if self.next != self.index.len() {
                self.restart()?;
            }
            self.count_up_to(TRUST_AFTER_FRAMES);
        }
        match PacketReader::scan(&self.path) {
            Ok(packets) => self.index.set_forecast(&packets),
            Err(_) => self.index.distrust(),
        }
        Ok(())
    }
}

impl FrameSource for VideoFile {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
        let Some((picture, index, timestamp)) = self.advance() else {
            self.finish()?;
            return Ok(None);
        };
        let rgb = self.draw(&picture, timestamp)?;
        if self.damage.is_settled(timestamp) {
            self.notices.extend(self.damage.flush(&self.path));
        }
        Ok(Some(Frame {
            index,
            timestamp,
            dropped_before: 0,
            captured: None,
            picture: std::sync::Arc::new(rgb),
        }))
    }

    fn seek(&mut self, frame: u64) -> Result<(), MediaError> {
        if frame == self.next {
            return Ok(());
        }
        let ahead = frame.checked_sub(self.next);
        if ahead.is_none_or(|n| n > DECODE_ON_FRAMES) && frame >= self.index.len() && !self.ended {
            self.make_forecast()?;
        }
        let ahead = frame.checked_sub(self.next);
        if ahead.is_some_and(|n| n <= DECODE_ON_FRAMES || self.index.same_group(self.next, frame)) {
            self.count_up_to(frame);
            return Ok(());
        }
        self.pending = None;
        if let Some(pts) = self.index.target(frame) {
            if self.land_on(frame, pts) {
                return Ok(());
            }
            self.index.distrust();
        } else if let Some(last) = self.index.len().checked_sub(1)
            && frame > last
            && let Some(pts) = self.index.target(last)
            && self.land_on(last, pts)
        {
            self.count_up_to(frame);
            return Ok(());
        }
        self.restart()?;
        self.count_up_to(frame);
        Ok(())
    }

    fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }
}

/// A hash over a coarse grid of the first plane.
fn fingerprint(picture: &frame::Video) -> u32 {
    const ROWS: usize = 24;
    const COLUMNS: usize = 32;
    if picture.planes() == 0 {
        return 0;
    }
    let (plane, stride) = (picture.data(0), picture.stride(0));
    let (width, height) = (
        (picture.width() as usize).min(stride),
        picture.height() as usize,
    );
    let mut hash = 0x811c_9dc5_u32;
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            let at = (row * height / ROWS) * stride + column * width / COLUMNS;
            let sample = plane.get(at).copied().unwrap_or(0);
            hash = (hash ^ u32::from(sample)).wrapping_mul(0x0100_0193);
        }
    }
    hash
}
