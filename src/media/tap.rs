//! What passes a camera on its way to the analysis, for whoever keeps or records it.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::{Frame, FrameSource, MediaError, SourceInfo};
use crate::base::Notice;

/// Frames that may wait at an outlet: a third of a second, for a disk that hesitates.
pub const WAITING_FRAMES: usize = 10;

/// A source whose every frame is also handed to an outlet. It never waits for the
/// outlet: a frame that finds no room there is left out and counted with the next.
pub struct Tapped {
    inner: Box<dyn FrameSource>,
    outlet: Sender<Tap>,
    missed: u32,
}

/// A frame at the outlet.
#[derive(Debug, Clone)]
pub struct Tap {
    pub frame: Frame,
    /// Frames that found no room just before this one.
    pub missed: u32,
}

impl Tapped {
    /// The same source, and where its frames arrive besides. The outlet ends with it.
    #[must_use]
    pub fn new(inner: Box<dyn FrameSource>) -> (Self, Receiver<Tap>) {
        let (outlet, taps) = bounded(WAITING_FRAMES);
        let tapped = Self {
            inner,
            outlet,
            missed: 0,
        };
        (tapped, taps)
    }
}

impl FrameSource for Tapped {
    fn info(&self) -> &SourceInfo {
        self.inner.info()
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
        let frame = self.inner.next_frame()?;
        if let Some(frame) = &frame {
            let tap = Tap {
                frame: Frame {
                    picture: Arc::clone(&frame.picture),
                    ..*frame
                },
                missed: self.missed,
            };
            match self.outlet.try_send(tap) {
                Ok(()) => self.missed = 0,
                Err(TrySendError::Full(_)) => self.missed += 1,
                // Nobody listens any more; the analysis does.
                Err(TrySendError::Disconnected(_)) => {}
            }
        }
        Ok(frame)
    }

    fn seek(&mut self, frame: u64) -> Result<(), MediaError> {
        self.inner.seek(frame)
    }

    fn take_notices(&mut self) -> Vec<Notice> {
        self.inner.take_notices()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    /// Frames without end.
    struct Counting {
        info: SourceInfo,
        next: u64,
    }

    impl FrameSource for Counting {
        fn info(&self) -> &SourceInfo {
            &self.info
        }

        fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
            self.next += 1;
            Ok(Some(Frame {
                index: self.next - 1,
                timestamp: Timestamp::from_secs(self.next as f64),
                dropped_before: 0,
                captured: None,
                picture: Arc::new(image::RgbImage::new(1, 1)),
            }))
        }

        fn seek(&mut self, _: u64) -> Result<(), MediaError> {
            Err(MediaError::NoSeek("only forward".into()))
        }
    }

    fn source() -> Box<dyn FrameSource> {
        Box::new(Counting {
            info: SourceInfo::of_camera((1, 1), 1.0),
            next: 0,
        })
    }

    #[test]
    fn every_frame_goes_both_ways_and_a_full_outlet_holds_nothing_up() {
        let (mut tapped, taps) = Tapped::new(source());
        for _ in 0..WAITING_FRAMES + 3 {
            assert!(tapped.next_frame().unwrap().is_some());
        }
        let waiting: Vec<Tap> = taps.try_iter().collect();
        assert_eq!(waiting.len(), WAITING_FRAMES);
        assert_eq!(waiting[3].frame.index, 3);
        let next = tapped.next_frame().unwrap().unwrap();
        let tap = taps.recv().unwrap();
        assert_eq!((tap.frame.index, tap.missed), (next.index, 3));
        drop(taps);
        assert!(tapped.next_frame().unwrap().is_some());
    }
}
