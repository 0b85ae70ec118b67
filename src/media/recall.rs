//! The last half minute of a camera, kept so that one can go back to what has just been
//! seen: as JPEGs, for as raw pictures it would be most of a gigabyte.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::still_encoder::{Still, StillEncoder};
use super::{Frame, FrameSource, MediaError, SourceInfo};
use crate::base::Timestamp;

/// So far one can go back.
pub const RECALL_SECS: f64 = 30.0;
/// Whatever the frame rate and size, no more than this is kept.
pub const RECALL_BYTES: usize = 384 << 20;

#[derive(Debug, Clone)]
struct Kept {
    index: u64,
    timestamp: Timestamp,
    still: Arc<Still>,
}

#[derive(Debug, Default)]
struct Ring {
    kept: VecDeque<Kept>,
    bytes: usize,
}

/// What is kept; the copies of one share it.
#[derive(Debug, Clone, Default)]
pub struct Recall(Arc<Mutex<Ring>>);

impl Recall {
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps `frame`, and lets go of what is older than [`RECALL_SECS`] or goes beyond
    /// [`RECALL_BYTES`].
    fn keep(&self, frame: &Frame, still: Still) {
        let mut ring = self.lock();
        ring.bytes += still.bytes();
        ring.kept.push_back(Kept {
            index: frame.index,
            timestamp: frame.timestamp,
            still: Arc::new(still),
        });
        while ring.kept.len() > 1
            && (ring.bytes > RECALL_BYTES
                || ring.kept.front().is_some_and(|first| {
                    frame.timestamp.secs_since(first.timestamp) > RECALL_SECS + 1e-6
                }))
        {
            let gone = ring.kept.pop_front();
            ring.bytes -= gone.map_or(0, |k| k.still.bytes());
        }
    }

    /// What is kept now of the frames that `number` knows by their times, under the numbers
    /// it gives them, to be looked through while the camera goes on; `None` before the first.
    #[must_use]
    pub fn moment(
        &self,
        info: &SourceInfo,
        number: impl Fn(Timestamp) -> Option<u64>,
    ) -> Option<KeptMoment> {
        let kept: Vec<Kept> = self.lock().kept.iter().cloned().collect();
        let known = kept.into_iter().filter_map(|k| {
            let index = number(k.timestamp)?;
            Some(Kept { index, ..k })
        });
        let frames: Arc<[Kept]> = known.collect();
        let (first, last) = (frames.first()?, frames.last()?);
        let duration = Timestamp::from_secs(last.timestamp.secs_since(first.timestamp));
        let info = SourceInfo {
            frame_count: Some(frames.len() as u64),
            exact_frame_count: true,
            duration: Some(duration),
            live: false,
            ..info.clone()
        };
        Some(KeptMoment { frames, info })
    }
}

/// Keeps every frame it is given; of one camera.
pub struct Keeping {
    recall: Recall,
    /// `None` until the first frame, whose size is that of all.
    encoder: Option<StillEncoder>,
}

impl Keeping {
    #[must_use]
    pub fn new(recall: Recall) -> Self {
        Self {
            recall,
            encoder: None,
        }
    }

    /// # Errors
    /// The reason, where the picture cannot be encoded.
    pub fn frame(&mut self, frame: &Frame) -> Result<(), String> {
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            none => {
                let (width, height) = frame.picture.dimensions();
                none.insert(StillEncoder::new(width, height)?)
            }
        };
        let still = encoder.encode(&frame.picture)?;
        self.recall.keep(frame, still);
        Ok(())
    }
}

/// Frames of a camera as they were kept when it was frozen. Each has a place, counted
/// from 0, and a number.
#[derive(Debug, Clone)]
pub struct KeptMoment {
    frames: Arc<[Kept]>,
    info: SourceInfo,
}

impl KeptMoment {
    /// The numbers of the first and the last frame.
    #[must_use]
    pub fn span(&self) -> (u64, u64) {
        let number = |kept: Option<&Kept>| kept.map_or(0, |k| k.index);
        (number(self.frames.first()), number(self.frames.last()))
    }

    /// The number of the frame at a place; of the last one beyond the end.
    #[must_use]
    pub fn number_at(&self, place: u64) -> u64 {
        let last = self.frames.len().saturating_sub(1);
        self.frames
            .get((place as usize).min(last))
            .map_or(0, |k| k.index)
    }

    /// The place of a frame, coming from the place `from`: where a number is missing, the
    /// next one in the direction asked for, so that steps never stand still before a gap.
    #[must_use]
    pub fn place_of(&self, number: u64, from: u64) -> u64 {
        let at_or_after = self.frames.partition_point(|k| k.index < number);
        let last = self.frames.len().saturating_sub(1);
        let found = match self.frames.get(at_or_after) {
            Some(kept) if kept.index == number => at_or_after,
            Some(_) if (at_or_after as u64) > from => at_or_after,
            Some(_) => at_or_after.saturating_sub(1),
            None => last,
        };
        found as u64
    }

    /// Reads it from the beginning, any number of times over.
    #[must_use]
    pub fn source(&self) -> Box<dyn FrameSource> {
        Box::new(KeptSource {
            moment: self.clone(),
            next: 0,
        })
    }
}

/// Frames count from 0 here, for a [`super::Player`] goes from 0 to the end.
struct KeptSource {
    moment: KeptMoment,
    next: usize,
}

impl FrameSource for KeptSource {
    fn info(&self) -> &SourceInfo {
        &self.moment.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
        let Some(kept) = self.moment.frames.get(self.next) else {
            return Ok(None);
        };
        let picture = kept
            .still
            .decode()
            .map_err(|reason| MediaError::Interrupted {
                name: self.moment.info.name.clone(),
                reason,
            })?;
        let index = self.next as u64;
        self.next += 1;
        Ok(Some(Frame {
            index,
            timestamp: kept.timestamp,
            dropped_before: 0,
            captured: None,
            picture: Arc::new(picture),
        }))
    }

    fn seek(&mut self, frame: u64) -> Result<(), MediaError> {
        self.next = usize::try_from(frame).unwrap_or(usize::MAX);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;

    fn info() -> SourceInfo {
        SourceInfo::of_camera((16, 16), 10.0)
    }

    /// `numbers` at ten frames a second, each as bright as its number.
    /// As the camera numbered them.
    fn as_they_came(t: Timestamp) -> Option<u64> {
        Some((t.secs() * 10.0).round() as u64)
    }

    fn kept(numbers: impl IntoIterator<Item = u64>) -> Recall {
        let recall = Recall::default();
        let mut keeping = Keeping::new(recall.clone());
        for index in numbers {
            let picture = RgbImage::from_pixel(16, 16, Rgb([(index % 200) as u8; 3]));
            let frame = Frame {
                index,
                timestamp: Timestamp::from_secs(index as f64 / 10.0),
                dropped_before: 0,
                captured: None,
                picture: Arc::new(picture),
            };
            keeping.frame(&frame).unwrap();
        }
        recall
    }

    #[test]
    fn the_last_half_minute_is_kept_and_read_from_anywhere() {
        let moment = kept(0..400).moment(&info(), as_they_came).unwrap();
        assert_eq!(moment.span(), (99, 399));
        let mut source = moment.source();
        assert_eq!(source.info().frame_count, Some(301));
        source.seek(300).unwrap();
        let frame = source.next_frame().unwrap().unwrap();
        assert_eq!(frame.index, 300);
        assert!((frame.timestamp.secs() - 39.9).abs() < 1e-9);
        assert!(frame.picture.get_pixel(8, 8).0[0].abs_diff(199) <= 2);
        assert!(source.next_frame().unwrap().is_none());
        assert_eq!(moment.number_at(0), 99);
        assert_eq!(moment.place_of(399, 0), 300);
    }

    #[test]
    fn what_is_kept_stays_while_the_camera_goes_on() {
        let recall = kept(0..5);
        let moment = recall.moment(&info(), as_they_came).unwrap();
        let mut keeping = Keeping::new(recall.clone());
        let later = Frame {
            index: 5,
            timestamp: Timestamp::from_secs(900.0),
            dropped_before: 0,
            captured: None,
            picture: Arc::new(RgbImage::new(16, 16)),
        };
        keeping.frame(&later).unwrap();
        let now = recall.moment(&info(), |t| (t.secs() > 800.0).then_some(7));
        assert_eq!(now.unwrap().span(), (7, 7));
        assert!(recall.moment(&info(), |_| None).is_none());
        assert_eq!(moment.span(), (0, 4));
        assert!(Recall::default().moment(&info(), as_they_came).is_none());
    }

    #[test]
    fn steps_pass_over_missing_frames_both_ways() {
        let moment = kept([10, 11, 14, 15])
            .moment(&info(), as_they_came)
            .unwrap();
        // From 11 (place 1) on to 12, which is missing: 14.
        assert_eq!(moment.place_of(12, 1), 2);
        // From 14 (place 2) back to 13, which is missing: 11.
        assert_eq!(moment.place_of(13, 2), 1);
        assert_eq!(moment.place_of(99, 1), 3);
        assert_eq!(moment.place_of(0, 1), 0);
    }
}
