//! Stretches that were not measured, with the reason: shaded and named on the
//! timeline, never drawn as zero.

use std::collections::BTreeMap;

use super::trace::sample_secs;
use crate::spotting::ExpressionKind;
use crate::spotting::signal::{MaskReason, ScoreSample};
use crate::timeline::FrameRecord;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    NoFace,
    /// So many frames that the camera delivered and the queue dropped.
    Dropped(u64),
    Blink,
    HeadMotion,
    /// The analysis broke off before.
    NotAnalysed,
    /// A camera's newest frames: the score waits for more of them.
    ToCome,
}

impl Why {
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::NoFace => "no face".into(),
            Self::Dropped(1) => "1 frame dropped".into(),
            Self::Dropped(n) => format!("{n} frames dropped"),
            Self::Blink => "blink".into(),
            Self::HeadMotion => "head motion".into(),
            Self::NotAnalysed => "not analysed".into(),
            Self::ToCome => "score to come".into(),
        }
    }
}

/// From `start` to `end`, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unmeasured {
    pub why: Why,
    pub start: f64,
    pub end: f64,
}

/// Grows with the recording; both lists are in time order.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// Of the recording as a whole: no face, dropped frames.
    pub frames: Vec<Unmeasured>,
    /// Of one kind's windows: blinks and head motion.
    pub masked: BTreeMap<ExpressionKind, Vec<Unmeasured>>,
    /// Counted as they come: a repaint must not go through hours of frames.
    analysed: u64,
    with_face: u64,
    most_others: usize,
    last_frame_secs: Option<f64>,
    open_mask: BTreeMap<ExpressionKind, Option<Why>>,
    faceless: bool,
}

impl Coverage {
    /// Share of the analysed frames in which the face was found, 0..1.
    #[must_use]
    pub fn found_share(&self) -> f64 {
        self.with_face as f64 / self.analysed.max(1) as f64
    }

    /// The highest number of faces beside the analysed one in a frame.
    #[must_use]
    pub fn most_others(&self) -> usize {
        self.most_others
    }

    pub fn frame(&mut self, record: &FrameRecord) {
        self.analysed += 1;
        self.with_face += u64::from(record.face.is_some());
        self.most_others = self.most_others.max(record.others.len());
        let t = record.timestamp.secs();
        let before = self.last_frame_secs.replace(t).unwrap_or(t);
        if record.dropped_before > 0 {
            self.frames.push(Unmeasured {
                why: Why::Dropped(u64::from(record.dropped_before)),
                start: before,
                end: t,
            });
        }
        let faceless = record.face.is_none();
        match self
            .frames
            .iter_mut()
            .rev()
            .take(2)
            .find(|s| s.why == Why::NoFace)
        {
            Some(span) if self.faceless => span.end = t,
            _ if faceless => self.frames.push(Unmeasured {
                why: Why::NoFace,
                start: t,
                end: t,
            }),
            _ => {}
        }
        self.faceless = faceless;
    }

    pub fn score(&mut self, sample: &ScoreSample) {
        let why = match sample.masked {
            Some(MaskReason::Blink) => Some(Why::Blink),
            Some(MaskReason::HeadMotion) => Some(Why::HeadMotion),
            // Told by the frames themselves.
            Some(MaskReason::FaceLost | MaskReason::Gap) | None => None,
        };
        let t = sample_secs(sample);
        let spans = self.masked.entry(sample.kind).or_default();
        let open = self.open_mask.entry(sample.kind).or_default();
        if let Some(last) = spans.last_mut()
            && open.is_some()
        {
            last.end = t;
        }
        if let Some(why) = why
            && *open != Some(why)
        {
            spans.push(Unmeasured {
                why,
                start: t,
                end: t,
            });
        }
        *open = why;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Rect, Timestamp};
    use crate::timeline::event::FaceRecord;

    fn record(i: u64, face: bool, dropped: u32) -> FrameRecord {
        let found = FaceRecord::found(Rect::new(0.0, 0.0, 9.0, 9.0));
        FrameRecord {
            dropped_before: dropped,
            face: face.then_some(found),
            ..FrameRecord::faceless(i, Timestamp::from_secs(i as f64 * 0.1))
        }
    }

    #[test]
    fn a_lost_face_is_one_span_up_to_the_frame_that_has_it_again() {
        let mut c = Coverage::default();
        for i in 0..10 {
            c.frame(&record(i, !(3..6).contains(&i), u32::from(i == 8) * 4));
        }
        assert_eq!(c.frames.len(), 2);
        assert_eq!(c.frames[0].why, Why::NoFace);
        assert!((c.frames[0].start - 0.3).abs() < 1e-9 && (c.frames[0].end - 0.6).abs() < 1e-9);
        assert_eq!(c.frames[1].why.label(), "4 frames dropped");
        assert!((c.frames[1].start - 0.7).abs() < 1e-9);
    }

    #[test]
    fn two_losses_are_two_spans() {
        let mut c = Coverage::default();
        for i in 0..12 {
            c.frame(&record(i, i % 4 != 0, 0));
        }
        assert_eq!(c.frames.len(), 3);
    }
}
