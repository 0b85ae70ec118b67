//! The half second before the frame on the screen, or the two seconds that the
//! magnified view's filters run in over, for the views that need motion: read by a
//! source of its own, so that scrubbing disturbs nobody.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_channel::{Sender, bounded};

use super::backend::ViewsWanted;
use crate::base::Latest;
use crate::media::{Frame, FrameSource, MediaError};
use crate::session::magnified_view::MagnifyRequest;
use crate::session::moment_attention::MomentWish;
use crate::session::views::{ViewRequest, ViewsWorker};

/// The LED band looks back so far (science: LED).
const BACK_SECS: f64 = 0.5;
/// Kept pictures take at most so many bytes.
const KEPT_BYTES: usize = 192 << 20;

/// The thread "trail"; dropping it ends the thread.
pub struct Trail {
    wanted: Latest<ViewsWanted>,
    bell: Sender<()>,
}

impl Trail {
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        source: Box<dyn FrameSource>,
        views: Arc<ViewsWorker>,
    ) -> Result<Self, std::io::Error> {
        let wanted: Latest<ViewsWanted> = Latest::default();
        let (bell, rung) = bounded(1);
        let inbox = wanted.clone();
        let mut reader = Reader::new(source);
        std::thread::Builder::new()
            .name("trail".into())
            .spawn(move || {
                while rung.recv().is_ok() {
                    let Some(wanted) = inbox.take() else {
                        continue;
                    };
                    let back_secs = back_secs(&wanted);
                    match reader.up_to(&wanted.frame, back_secs) {
                        Ok(frames) => views.request(request(frames, wanted)),
                        Err(e) => log::warn!("no views for frame {}: {e}", wanted.frame.index),
                    }
                }
            })?;
        Ok(Self { wanted, bell })
    }

    /// The newest wish wins.
    pub fn follow(&self, wanted: ViewsWanted) {
        self.wanted.put(wanted);
        // A bell that already rings is enough.
        let _ = self.bell.try_send(());
    }
}

/// How far back what is wanted looks.
pub(super) fn back_secs(wanted: &ViewsWanted) -> f64 {
    let magnified = wanted.magnify.map(|m| m.method.looks_back_secs());
    let attention = wanted.attention.then_some(MomentWish::REACH_SECS);
    let further = magnified.into_iter().chain(attention);
    further.fold(BACK_SECS, f64::max)
}

/// A frame without one before it has no motion: nothing is drawn, rather than a
/// motion of zero.
pub(super) fn request(mut frames: Vec<Frame>, wanted: ViewsWanted) -> ViewRequest {
    let magnify = wanted.magnify.map(|with| MagnifyRequest {
        frames: frames.clone(),
        with,
    });
    let moment = (wanted.moment).map(|moment| moment.with(wanted.generation, &frames));
    frames.retain(|f| wanted.frame.timestamp.secs_since(f.timestamp) <= BACK_SECS);
    let pair = frames.len() >= 2;
    ViewRequest {
        generation: wanted.generation,
        frames,
        crop: Arc::new(wanted.crop),
        led: wanted.led && pair,
        flow: wanted.flow && pair,
        strain: wanted.strain && pair,
        heat: wanted.heat,
        magnify,
        moment,
    }
}

struct Reader {
    source: Box<dyn FrameSource>,
    /// Consecutive frames, oldest first.
    kept: VecDeque<Frame>,
    /// Frames a second, as the container states it.
    fps: f64,
    /// So many frames may be kept.
    room: usize,
}

impl Reader {
    fn new(source: Box<dyn FrameSource>) -> Self {
        let info = source.info();
        let fps = info.nominal_fps.filter(|f| *f > 0.0).unwrap_or(30.0);
        let bytes = 3 * info.width.max(1) as usize * info.height.max(1) as usize;
        Self {
            source,
            kept: VecDeque::new(),
            fps,
            room: (KEPT_BYTES / bytes).max(2),
        }
    }

    /// The frames of the `back_secs` that end with `last`, as far as memory allows.
    fn up_to(&mut self, last: &Frame, back_secs: f64) -> Result<Vec<Frame>, MediaError> {
        let back = ((back_secs * self.fps).ceil() as u64).clamp(1, self.room as u64 - 1);
        // Some more, so that steps back need no seek.
        let spare = ((2.0 * BACK_SECS * self.fps).ceil() as usize).max(2);
        let most = self.room.min(back as usize + 1 + spare);
        let first = last.index.saturating_sub(back);
        let (low, high) = (
            self.kept.front().map(|f| f.index),
            self.kept.back().map(|f| f.index),
        );
        // Reading on is cheaper than a seek while the gap is short.
        let reads_on =
            low.is_some_and(|l| l <= first) && high.is_some_and(|h| h + 2 * back >= first);
        if !reads_on {
            self.kept.clear();
            self.source.seek(first)?;
        }
        while self.kept.back().is_none_or(|f| f.index < last.index) {
            let Some(frame) = self.source.next_frame()? else {
                break;
            };
            self.kept.push_back(frame);
            while self.kept.len() > most {
                self.kept.pop_front();
            }
        }
        // Damage is reported by the analysis, which reads the same file.
        drop(self.source.take_notices());
        let mut frames: Vec<Frame> = self
            .kept
            .iter()
            .filter(|f| f.index < last.index && last.timestamp.secs_since(f.timestamp) <= back_secs)
            .cloned()
            .collect();
        frames.push(last.clone());
        Ok(frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::media::SourceInfo;
    use crate::session::magnified_view::RUN_IN_SECS;

    /// Counts what is read and how often it is sought.
    struct Counting {
        info: SourceInfo,
        next: u64,
        seeks: Arc<std::sync::atomic::AtomicU32>,
    }

    fn frame(index: u64) -> Frame {
        Frame {
            index,
            timestamp: Timestamp::from_secs(index as f64 / 20.0),
            dropped_before: 0,
            captured: None,
            picture: Arc::new(image::RgbImage::new(4, 4)),
        }
    }

    impl FrameSource for Counting {
        fn info(&self) -> &SourceInfo {
            &self.info
        }

        fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
            self.next += 1;
            Ok((self.next <= 100).then(|| frame(self.next - 1)))
        }

        fn seek(&mut self, to: u64) -> Result<(), MediaError> {
            self.seeks
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            self.next = to;
            Ok(())
        }
    }

    #[test]
    fn the_trail_ends_with_the_frame_shown_and_reads_on_without_seeking() {
        let seeks = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let info = SourceInfo {
            nominal_fps: Some(20.0),
            ..SourceInfo::of_clip(100)
        };
        let mut reader = Reader::new(Box::new(Counting {
            info,
            next: 0,
            seeks: Arc::clone(&seeks),
        }));
        let indices = |r: &mut Reader, at| -> Vec<u64> {
            r.up_to(&frame(at), BACK_SECS)
                .unwrap()
                .iter()
                .map(|f| f.index)
                .collect()
        };
        assert_eq!(indices(&mut reader, 50), (40..=50).collect::<Vec<_>>());
        assert_eq!(indices(&mut reader, 53), (43..=53).collect::<Vec<_>>());
        assert_eq!(seeks.load(std::sync::atomic::Ordering::Relaxed), 1);
        assert_eq!(indices(&mut reader, 3), (0..=3).collect::<Vec<_>>());
        assert_eq!(indices(&mut reader, 99), (89..=99).collect::<Vec<_>>());
        assert_eq!(indices(&mut reader, 500).last(), Some(&500));
        // The filters' two seconds, and then on with the half second.
        let run_in = reader.up_to(&frame(70), RUN_IN_SECS).unwrap();
        assert_eq!((run_in.len(), run_in[0].index), (41, 30));
        assert_eq!(indices(&mut reader, 71), (61..=71).collect::<Vec<_>>());
    }
}
