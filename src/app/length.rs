//! How long the open recording is, where its frames lie in time, and which of them the
//! analysis has not come to. The player shows those too, so they can be gone to and coded.

use super::coverage::{Unmeasured, Why};
use super::review::Review;
use super::time_view::{LIVE_SPAN_SECS, TimeView};
use crate::base::Timestamp;
use crate::spotting::ExpressionKind;

impl Review {
    /// No frame follows those that are analysed: they were read to the end, or come from a
    /// camera.
    fn read_to_its_end(&self) -> bool {
        let ended = self.recording.finished || self.status.finished;
        // What was read before it broke off says nothing of the length.
        self.session.info.live || ended && self.status.failed.is_none()
    }

    fn frames_read(&self) -> u64 {
        self.recording.frames.last().map_or(0, |f| f.frame + 1)
    }

    /// The player has decoded this frame, which may lie behind the length that is stated.
    pub(super) fn has_decoded(&mut self, furthest: (u64, Timestamp)) {
        // A camera has no length.
        let known = self.decoded.filter(|known| known.0 >= furthest.0);
        if known.is_none() && !self.session.info.live {
            self.decoded = Some(furthest);
        }
    }

    /// How many frames there are: exact once it was read to the end or the player has been
    /// there; before, the source's estimate, or as many as were seen where that is more.
    #[must_use]
    pub fn frame_count(&self) -> u64 {
        let read = self.frames_read();
        if self.read_to_its_end() {
            return read.max(1);
        }
        let decoded = self.decoded.map_or(0, |(frame, _)| frame + 1);
        let stated = match self.last_frame {
            Some(last) => last + 1,
            None => (self.session.info.frame_count.unwrap_or(read)).max(decoded),
        };
        stated.max(read).max(1)
    }

    /// Whether [`Review::frame_count`] is no estimate.
    #[must_use]
    pub fn frames_are_counted(&self) -> bool {
        let stated = self.session.info.exact_frame_count;
        stated || self.last_frame.is_some() || self.read_to_its_end()
    }

    /// What a broken-off analysis has left: from its last frame to the recording's end.
    #[must_use]
    pub fn not_analysed(&self) -> Option<Unmeasured> {
        let broke_off = self.status.failed.is_some() && !self.session.info.live;
        let left = broke_off && self.frame_count() > self.frames_read();
        left.then(|| Unmeasured {
            why: Why::NotAnalysed,
            start: self.recording.end().secs(),
            end: self.limits().end,
        })
    }

    /// What was not measured of the recording as a whole or, besides, of one kind.
    pub fn unmeasured(&self, kind: Option<ExpressionKind>) -> impl Iterator<Item = Unmeasured> {
        let masked = kind.and_then(|kind| self.coverage.masked.get(&kind));
        let known = self.coverage.frames.iter();
        let known = known.chain(masked.into_iter().flatten()).copied();
        known.chain(self.not_analysed())
    }

    /// Frames a second behind what is analysed: as stated, else as measured before.
    fn rate_ahead(&self) -> Option<f64> {
        let stated = self.session.info.nominal_fps.filter(|f| *f > 0.0);
        stated.or_else(|| self.measured_fps())
    }

    /// When a frame is shown, from its record, the picture, the player, or (before it is read)
    /// the stated rate.
    #[must_use]
    pub fn time_of(&self, frame: u64) -> Timestamp {
        if let Some(record) = self.recording.frame(frame) {
            return record.timestamp;
        }
        if let Some(picture) = self.playback.picture.as_ref().filter(|p| p.index == frame) {
            return picture.timestamp;
        }
        if let Some((_, at)) = self.decoded.filter(|(decoded, _)| *decoded == frame) {
            return at;
        }
        match (self.recording.frames.last(), self.rate_ahead()) {
            (Some(last), Some(fps)) if frame > last.frame => {
                last.timestamp.plus_secs((frame - last.frame) as f64 / fps)
            }
            (None, Some(fps)) => Timestamp::from_secs(frame as f64 / fps),
            _ => self.recording.end(),
        }
    }

    /// How long the frames from `first` to `last` are shown, both among them, seconds.
    #[must_use]
    pub fn lasts(&self, first: u64, last: u64) -> f64 {
        let shown = self.recording.shown_secs(last);
        // Not analysed yet, or the only one so far.
        let shown = shown.or_else(|| self.rate_ahead().map(f64::recip));
        let apart = self.time_of(last).secs_since(self.time_of(first));
        apart + shown.unwrap_or(0.0)
    }

    /// How long the recording is, until its last frame gave way, seconds: as the container
    /// states it until the end is known; of a camera so far.
    #[must_use]
    pub fn length_secs(&self) -> f64 {
        let read = self.recording.length_secs();
        if self.read_to_its_end() {
            return read;
        }
        let stated = match (self.last_frame, self.session.info.duration) {
            // The player has been further than the container says.
            (None, Some(stated)) => {
                let last = self.decoded.map_or(0.0, |(frame, _)| self.lasts(0, frame));
                stated.secs().max(last)
            }
            _ => self.lasts(0, self.count_minus_one()),
        };
        stated.max(read)
    }

    /// The frame nearest to a time.
    #[must_use]
    pub fn frame_near(&self, secs: f64) -> u64 {
        let t = Timestamp::from_secs(secs.max(0.0));
        let last = self.count_minus_one();
        if t > self.recording.end() {
            let end = self.recording.frames.last();
            let fps = self.rate_ahead().unwrap_or(0.0);
            let ahead = (t.secs_since(self.recording.end()) * fps).round() as u64;
            return (end.map_or(0, |f| f.frame) + ahead).min(last);
        }
        let frames = &self.recording.frames;
        if frames.is_empty() {
            return 0;
        }
        let after = frames.partition_point(|r| r.timestamp <= t);
        let before = &frames[after.saturating_sub(1)];
        match frames.get(after) {
            Some(next) if next.timestamp.secs() - secs < secs - before.timestamp.secs() => {
                next.frame
            }
            _ => before.frame,
        }
    }

    #[must_use]
    pub fn count_minus_one(&self) -> u64 {
        self.frame_count() - 1
    }

    /// The first and the last frame that can be gone to.
    #[must_use]
    pub fn within_reach(&self) -> (u64, u64) {
        self.frozen.unwrap_or((0, self.count_minus_one()))
    }

    /// Everything the timeline could show.
    #[must_use]
    pub fn limits(&self) -> TimeView {
        let read = self.recording.end().secs();
        if self.session.info.live {
            return TimeView::whole(read.max(LIVE_SPAN_SECS));
        }
        let stated = match (self.read_to_its_end(), self.last_frame) {
            (true, _) => 0.0,
            (false, Some(last)) => self.time_of(last).secs(),
            // From what was read so far its rate need not be that of the rest.
            (false, None) => {
                let stated = self.session.info.duration.map_or_else(
                    || self.time_of(self.count_minus_one()).secs(),
                    Timestamp::secs,
                );
                stated.max(self.decoded.map_or(0.0, |(_, at)| at.secs()))
            }
        };
        TimeView::whole(read.max(stated))
    }

    /// What the timeline shows now.
    #[must_use]
    pub fn view(&self) -> TimeView {
        let limits = self.limits();
        match self.timeline.view {
            Some(view) => view,
            None if self.session.info.live => TimeView {
                start: limits.end - LIVE_SPAN_SECS,
                end: limits.end,
            },
            None => limits,
        }
    }
}
