//! What a camera has beside its analysis: the last half minute to go back to, and a file
//! it is recorded to.

mod frozen;
mod recording;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use super::backend::{PlayerOrder, ViewsWanted};
use super::wake::Wake;
use crate::base::{Latest, Mailbox, Notice, Timestamp};
use crate::media::recall::{Keeping, RECALL_SECS, Recall};
use crate::media::recorder::RecordingState;
use crate::media::tap::Tapped;
use crate::media::{Frame, FrameSource, SourceInfo};
use crate::session::views::{Views, ViewsWorker};
use crate::timeline::Event;

pub use recording::RecordingNews;

use frozen::Frozen;
use recording::{Slot, lock};

pub struct CameraSide {
    info: SourceInfo,
    recall: Recall,
    /// Times and numbers of the frames that were analysed lately: the analysis counts
    /// those it gets, and what it had no time for has no number.
    analysed: VecDeque<(Timestamp, u64)>,
    recorder: Slot,
    told: Option<RecordingState>,
    /// What a recording became that was stopped; its last pictures take a moment.
    ended: Mailbox<RecordingState>,
    /// Waits for them.
    ending: Option<JoinHandle<()>>,
    frozen: Option<Frozen>,
    /// Why the last half minute is not kept.
    troubles: Latest<Notice>,
    /// The pace last asked for.
    speed: f64,
}

impl CameraSide {
    /// Puts itself between a camera and whoever reads it.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn beside(
        camera: Box<dyn FrameSource>,
    ) -> Result<(Self, Box<dyn FrameSource>), std::io::Error> {
        let info = camera.info().clone();
        let (tapped, taps) = Tapped::new(camera);
        let (recall, recorder, troubles) = (Recall::default(), Slot::default(), Latest::default());
        let (kept, file, trouble) = (recall.clone(), Arc::clone(&recorder), troubles.clone());
        std::thread::Builder::new()
            .name("camera side".into())
            .spawn(move || {
                let mut keeping = Some(Keeping::new(kept));
                for tap in taps {
                    if let Some(recorder) = &*lock(&file) {
                        recorder.lost(u64::from(tap.missed));
                        recorder.frame(&tap.frame);
                    }
                    // A recording goes on whatever becomes of the keeping.
                    let kept = keeping.as_mut().map(|k| {
                        catch_unwind(AssertUnwindSafe(|| k.frame(&tap.frame)))
                            .unwrap_or_else(|_| Err("an internal error; please report it".into()))
                    });
                    if let Some(Err(why)) = kept {
                        // Once is enough: the next frame would fare no better.
                        keeping = None;
                        trouble.put(Notice::warning(format!(
                            "The camera's last half minute cannot be kept: {why}"
                        )));
                    }
                }
            })?;
        let side = Self {
            info,
            recall,
            analysed: VecDeque::new(),
            recorder,
            told: None,
            ended: Mailbox::default(),
            ending: None,
            frozen: None,
            troubles,
            speed: 1.0,
        };
        Ok((side, Box::new(tapped)))
    }

    /// Takes the numbers that the analysis gave.
    pub fn heard(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Frame(record) = event {
                self.analysed.push_back((record.timestamp, record.frame));
            }
        }
        let newest = self.analysed.back().map(|(t, _)| *t);
        let too_old =
            |t: Timestamp| newest.is_some_and(|newest| newest.secs_since(t) > RECALL_SECS + 1.0);
        while self.analysed.front().is_some_and(|(t, _)| too_old(*t)) {
            self.analysed.pop_front();
        }
    }

    fn number(&self, at: Timestamp) -> Option<u64> {
        let found = self.analysed.binary_search_by_key(&at, |(t, _)| *t).ok()?;
        Some(self.analysed[found].1)
    }

    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Carries an order out; gives the numbers of what can be gone back to, where
    /// the order froze it.
    ///
    /// # Errors
    /// The system refuses another thread, or nothing is kept yet: a sentence.
    pub fn order(
        &mut self,
        order: PlayerOrder,
        (wake, views): (&Wake, Option<&Arc<ViewsWorker>>),
    ) -> Result<Option<(u64, u64)>, String> {
        if let PlayerOrder::Speed(speed) = order {
            self.speed = f64::from(speed);
        }
        match (order, &mut self.frozen) {
            (PlayerOrder::Freeze, None) => {
                let moment = self
                    .recall
                    .moment(&self.info, |at| self.number(at))
                    .ok_or("The camera has sent no picture yet.")?;
                let span = moment.span();
                self.frozen = Some(Frozen::start(moment, self.speed, wake, views)?);
                return Ok(Some(span));
            }
            (PlayerOrder::Live, _) => self.frozen = None,
            (order, Some(frozen)) => frozen.order(order),
            (_, None) => {}
        }
        Ok(None)
    }

    /// The picture that was gone back to.
    #[must_use]
    pub fn picture(&mut self) -> Option<Frame> {
        self.frozen.as_mut()?.picture()
    }

    /// Whether playing has just come to its end.
    pub fn playback_ended(&mut self) -> bool {
        self.frozen.as_mut().is_some_and(Frozen::ended)
    }

    /// Draws the views of a frame that was gone back to; gives the wish back while the
    /// camera runs.
    #[must_use]
    pub fn request_views(&self, mut wanted: ViewsWanted) -> Option<ViewsWanted> {
        let Some(frozen) = &self.frozen else {
            return Some(wanted);
        };
        wanted.frame.index = frozen.moment.place_of(wanted.frame.index, frozen.place);
        if let Some(trail) = &frozen.trail {
            trail.follow(wanted);
        }
        None
    }

    /// With the number of the frame they were drawn of.
    #[must_use]
    pub fn named(&self, mut views: Views) -> Views {
        if let Some(frozen) = &self.frozen {
            views.frame = frozen.moment.number_at(views.frame);
        }
        views
    }

    #[must_use]
    pub fn trouble(&self) -> Option<Notice> {
        self.troubles.take()
    }

    /// Why nothing of the frozen half minute can be shown any more.
    #[must_use]
    pub fn frozen_trouble(&mut self) -> Option<Notice> {
        let frozen = self.frozen.as_mut()?;
        let why = frozen.player.state().trouble?;
        let first = !std::mem::replace(&mut frozen.troubled, true);
        first.then(|| Notice::error(why))
    }
}

impl Drop for CameraSide {
    /// A recording that still runs is whole when the camera goes.
    fn drop(&mut self) {
        if let Some(news) = self.end_recording() {
            let state = news.state;
            log::info!("recorded {:.1} s: {}", state.secs, state.path.display());
        }
    }
}
