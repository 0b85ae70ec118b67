//! Everything that is known of one recording, as the window and the reports read it.

use std::collections::BTreeMap;

use super::event::{Recognised, UnitSample};
use super::{Event, FrameRecord};
use crate::base::{Notice, Severity, Timestamp};
use crate::face::crop::HeldCrop;
use crate::spotting::signal::ScoreSample;
use crate::spotting::{ExpressionKind, SpottedInterval};

/// Grows by events, never shrinks; the intervals are replaced as a whole.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    pub frames: Vec<FrameRecord>,
    pub crops: BTreeMap<u32, HeldCrop>,
    /// In window order, per kind: macro, micro.
    pub scores: BTreeMap<ExpressionKind, Vec<ScoreSample>>,
    pub intervals: Vec<SpottedInterval>,
    /// What the offline decoding compared the smoothed score with.
    pub thresholds: BTreeMap<ExpressionKind, f64>,
    /// What moved in an interval, by its onset and apex.
    pub recognised: BTreeMap<(u64, u64), Recognised>,
    /// What moved just before a frame, in time order.
    pub units: Vec<UnitSample>,
    pub notices: Vec<Notice>,
    pub finished: bool,
}

impl Recording {
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Crop(crop) => {
                self.crops.insert(crop.id, *crop);
            }
            Event::Frame(record) => self.frames.push(*record),
            Event::FaceFound { .. } => {}
            Event::FaceLost { .. } => {}
            Event::Score(sample) => self.scores.entry(sample.kind).or_default().push(sample),
            Event::Provisional(intervals) => self.intervals = intervals,
            Event::Spotted {
                intervals,
                thresholds,
            } => {
                self.intervals = intervals;
                self.thresholds = thresholds.into_iter().collect();
                self.finished = true;
            }
            Event::Recognised(recognised) => {
                let key = (recognised.onset, recognised.apex);
                self.recognised.insert(key, *recognised);
            }
            Event::Units(sample) => self.units.push(*sample),
            Event::Notice(notice) => self.notices.push(notice),
        }
    }

    /// What is known of what moved in an interval.
    #[must_use]
    pub fn recognised_in(&self, interval: &SpottedInterval) -> Option<&Recognised> {
        self.recognised.get(&(interval.onset, interval.apex))
    }

    /// What moved just before `t`: the newest look at it that is no older than a third
    /// of a second.
    #[must_use]
    pub fn units_at(&self, t: Timestamp) -> Option<&UnitSample> {
        const OLDEST_SECS: f64 = 0.34;
        let after = self.units.partition_point(|u| u.timestamp <= t);
        let last = self.units.get(after.checked_sub(1)?)?;
        (t.secs_since(last.timestamp) <= OLDEST_SECS).then_some(last)
    }

    /// The record of a frame by its index; `None` where it is not analysed yet.
    #[must_use]
    pub fn frame(&self, index: u64) -> Option<&FrameRecord> {
        let first = self.frames.first()?.frame;
        let at = usize::try_from(index.checked_sub(first)?).ok()?;
        match self.frames.get(at) {
            Some(r) if r.frame == index => Some(r),
            // A camera may have dropped frames: look it up by order.
            _ => self
                .frames
                .binary_search_by_key(&index, |r| r.frame)
                .ok()
                .map(|i| &self.frames[i]),
        }
    }

    /// The last frame at or before `t`.
    #[must_use]
    pub fn frame_at(&self, t: Timestamp) -> Option<&FrameRecord> {
        let after = self.frames.partition_point(|r| r.timestamp <= t);
        self.frames.get(after.saturating_sub(1))
    }

    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.frames.last().map_or(Timestamp::ZERO, |r| r.timestamp)
    }

    /// Share of frames in which the face was found, 0..1.
    #[must_use]
    pub fn found_share(&self) -> f64 {
        if self.frames.is_empty() {
            return 0.0;
        }
        self.frames.iter().filter(|r| r.face.is_some()).count() as f64 / self.frames.len() as f64
    }

    /// Share of frames with faces that are not analysed, 0..1.
    #[must_use]
    pub fn others_share(&self) -> f64 {
        let with_others = self.frames.iter().filter(|r| !r.others.is_empty()).count();
        with_others as f64 / self.frames.len().max(1) as f64
    }

    #[must_use]
    pub fn has_warnings(&self) -> bool {
        self.notices.iter().any(|n| n.severity >= Severity::Warning)
    }
}
