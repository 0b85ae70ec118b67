//! Everything that is known of one recording, as the window and the reports read it.

use std::collections::BTreeMap;

use super::event::{Recognised, UnitSample};
use super::{Event, FrameRecord};
use crate::base::{Notice, Severity, TimeSpan, Timestamp, stats};
use crate::face::crop::HeldCrop;
use crate::spotting::signal::ScoreSample;
use crate::spotting::{ExpressionKind, SpottedInterval};

/// Grows by events, never shrinks but for pictures that are let go; the intervals are
/// replaced as a whole.
#[derive(Debug, Clone, Default, PartialEq)]
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

    /// What lies wholly within two of its frames, as a recording of its own: numbers and
    /// times count from the first of them.
    #[must_use]
    pub fn between(&self, (first, start): (u64, Timestamp), last: u64) -> Self {
        let within = |frame: u64| (first..=last).contains(&frame);
        let moved = |t: Timestamp| Timestamp::from_secs(t.secs_since(start));
        let frames = self.frames.iter().filter(|f| within(f.frame));
        let frames = frames.map(|f| FrameRecord {
            frame: f.frame - first,
            timestamp: moved(f.timestamp),
            ..f.clone()
        });
        let scores = self.scores.iter().map(|(kind, samples)| {
            let samples = samples
                .iter()
                .filter(|s| within(s.window_start_frame) && within(s.window_end_frame));
            let samples = samples.map(|s| ScoreSample {
                window_start_frame: s.window_start_frame - first,
                window_end_frame: s.window_end_frame - first,
                start: moved(s.start),
                end: moved(s.end),
                ..s.clone()
            });
            (*kind, samples.collect())
        });
        let intervals = self.intervals.iter();
        let intervals = intervals.filter(|i| within(i.onset) && within(i.offset));
        let intervals = intervals.map(|i| SpottedInterval {
            onset: i.onset - first,
            apex: i.apex - first,
            offset: i.offset - first,
            ..i.clone()
        });
        let recognised = self.recognised.values();
        let recognised = recognised.filter(|r| within(r.onset) && within(r.apex));
        let recognised = recognised.map(|r| {
            let (onset, apex) = (r.onset - first, r.apex - first);
            let of_it = Recognised {
                onset,
                apex,
                ..r.clone()
            };
            ((onset, apex), of_it)
        });
        let units = self.units.iter();
        let units = units.filter(|u| within(u.frame) && u.from >= start);
        let units = units.map(|u| UnitSample {
            from: moved(u.from),
            frame: u.frame - first,
            timestamp: moved(u.timestamp),
            ..u.clone()
        });
        let end = self.frame(last).map_or(self.end(), |f| f.timestamp);
        let notices = self.notices.iter().filter_map(|n| match n.span {
            Some(span) if span.start < start || span.end > end => None,
            Some(span) => Some(n.clone().over(TimeSpan {
                start: moved(span.start),
                end: moved(span.end),
            })),
            None => Some(n.clone()),
        });
        Self {
            frames: frames.collect(),
            crops: self.crops.clone(),
            scores: scores.collect(),
            intervals: intervals.collect(),
            thresholds: self.thresholds.clone(),
            recognised: recognised.collect(),
            units: units.collect(),
            notices: notices.collect(),
            finished: self.finished,
        }
    }

    /// Events that make it again: what was told, without what was replaced since. Every
    /// frame is told before what is said of it.
    #[must_use]
    pub fn into_events(self) -> Vec<Event> {
        let scores: usize = self.scores.values().map(Vec::len).sum();
        let mut events = Vec::with_capacity(self.frames.len() + scores + self.units.len() + 64);
        let crops = self.crops.into_values();
        events.extend(crops.map(|crop| Event::Crop(Box::new(crop))));
        let frames = self.frames.into_iter();
        events.extend(frames.map(|frame| Event::Frame(Box::new(frame))));
        events.extend(self.scores.into_values().flatten().map(Event::Score));
        let units = self.units.into_iter();
        events.extend(units.map(|sample| Event::Units(Box::new(sample))));
        events.extend(self.notices.into_iter().map(Event::Notice));
        events.push(if self.finished {
            Event::Spotted {
                intervals: self.intervals,
                thresholds: self.thresholds.into_iter().collect(),
            }
        } else {
            Event::Provisional(self.intervals)
        });
        let recognised = self.recognised.into_values();
        events.extend(recognised.map(|r| Event::Recognised(Box::new(r))));
        events
    }

    /// Of what moved in an interval only the numbers stay where `keep` says no.
    pub fn keep_pictures(&mut self, keep: impl Fn(&Recognised) -> bool) {
        let gone = self.recognised.values_mut().filter(|r| !keep(r));
        gone.for_each(Recognised::let_go_of_pictures);
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
        self.newest_units(t, OLDEST_SECS)
    }

    /// The newest look at what moved that is at most so many seconds older than `t`.
    #[must_use]
    pub fn newest_units(&self, t: Timestamp, oldest_secs: f64) -> Option<&UnitSample> {
        let after = self.units.partition_point(|u| u.timestamp <= t);
        let last = self.units.get(after.checked_sub(1)?)?;
        (t.secs_since(last.timestamp) <= oldest_secs).then_some(last)
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

    /// How far the head went from one frame to another, towards or away from the camera
    /// included, in parts of the side of the face's box. Medians over the frames about
    /// each, for landmarks jitter; `None` where there is no face about one of them.
    #[must_use]
    pub fn head_shift(&self, from: u64, to: u64) -> Option<f64> {
        let ([x0, y0, side0], [x1, y1, side1]) = (self.head_about(from)?, self.head_about(to)?);
        let shift = (x1 - x0).hypot(y1 - y0) / side0;
        (side0 > 0.0).then(|| shift.max((side1 / side0 - 1.0).abs()))
    }

    /// Centre and side of the face's box about a frame, px.
    fn head_about(&self, frame: u64) -> Option<[f64; 3]> {
        const EACH_SIDE: u64 = 3;
        let about = frame.saturating_sub(EACH_SIDE)..=frame + EACH_SIDE;
        let boxes: Vec<_> = about
            .filter_map(|n| Some(self.frame(n)?.face.as_ref()?.rect))
            .collect();
        let of = |value: fn(&crate::base::Rect) -> f32| {
            let values: Vec<f64> = boxes.iter().map(|b| f64::from(value(b))).collect();
            stats::median(&values)
        };
        Some([of(|b| b.center().x)?, of(|b| b.center().y)?, of(|b| b.w)?])
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rect;
    use crate::spotting::IntervalStatus;
    use crate::timeline::event::FaceRecord;

    #[test]
    fn a_head_that_jitters_has_not_moved_and_one_that_leans_in_has() {
        let mut recording = Recording::default();
        for frame in 0..60 {
            let jitter = if frame % 2 == 0 { 1.0 } else { -1.0 };
            // From frame 30 on it comes nearer, its centre where it was.
            let grown = if frame < 30 { 0.0 } else { 10.0 };
            let side = 100.0 + grown;
            let face = FaceRecord::found(Rect::new(50.0 + jitter - 0.5 * grown, 40.0, side, side));
            recording.apply(Event::Frame(Box::new(FrameRecord {
                face: (frame < 50).then_some(face),
                ..FrameRecord::faceless(frame, Timestamp::from_secs(frame as f64 / 30.0))
            })));
        }
        let still = recording.head_shift(10, 21).expect("a face at both");
        assert!(still < 0.021, "{still}");
        let nearer = recording.head_shift(10, 40).expect("a face at both");
        assert!((nearer - 0.1).abs() < 0.03, "{nearer}");
        assert_eq!(recording.head_shift(10, 57), None);
        assert_eq!(recording.head_shift(10, 500), None);
    }

    fn at(frame: u64) -> Timestamp {
        Timestamp::from_secs(frame as f64 / 10.0)
    }

    #[test]
    fn what_lies_between_two_frames_counts_from_the_first_of_them() {
        let mut recording = Recording::default();
        for frame in 0..100 {
            let record = FrameRecord::faceless(frame, at(frame));
            recording.apply(Event::Frame(Box::new(record)));
            recording.apply(Event::Score(ScoreSample {
                kind: ExpressionKind::Micro,
                window_start_frame: frame.saturating_sub(2),
                window_end_frame: frame,
                start: at(frame.saturating_sub(2)),
                end: at(frame),
                score: frame as f64,
                strain: 0.0,
                apex: None,
                masked: None,
                motion: None,
            }));
        }
        let interval = |onset| SpottedInterval {
            kind: ExpressionKind::Micro,
            onset,
            apex: onset + 2,
            offset: onset + 4,
            score: 1.0,
            status: IntervalStatus::Proposed,
            provisional: true,
        };
        // The first begins before, the last ends after.
        recording.apply(Event::Provisional([28, 40, 58].map(interval).into()));
        let part = recording.between((30, at(30)), 60);
        let ends = (part.frames.first().unwrap(), part.frames.last().unwrap());
        assert_eq!((ends.0.frame, ends.0.timestamp), (0, Timestamp::ZERO));
        assert_eq!((ends.1.frame, ends.1.timestamp.secs()), (30, 3.0));
        assert_eq!(part.intervals, [interval(10)]);
        let scores = &part.scores[&ExpressionKind::Micro];
        assert_eq!((scores.len(), scores[0].score), (29, 32.0));
        assert_eq!(scores[0].window_start_frame, 0);
    }
}
