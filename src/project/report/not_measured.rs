//! What a recording's timeline leaves open, and why.

use super::{NotMeasured, Why};
use crate::spotting::signal::{MaskReason, ScoreSample};
use crate::timeline::FrameRecord;

/// No face and dropped frames, in order of time.
pub(super) fn of_frames(frames: &[FrameRecord]) -> Vec<NotMeasured> {
    let mut spans = Vec::new();
    let mut faceless: Option<f64> = None;
    let mut before = 0.0;
    for record in frames {
        let t = record.timestamp.secs();
        if record.dropped_before > 0 {
            spans.push(NotMeasured {
                why: Why::Dropped(u64::from(record.dropped_before)),
                start: before,
                end: t,
            });
        }
        match (faceless, record.face.is_some()) {
            (None, false) => faceless = Some(t),
            // Up to the frame that has it again.
            (Some(start), true) => {
                spans.push(NotMeasured {
                    why: Why::NoFace,
                    start,
                    end: t,
                });
                faceless = None;
            }
            _ => {}
        }
        before = t;
    }
    if let Some(start) = faceless {
        spans.push(NotMeasured {
            why: Why::NoFace,
            start,
            end: before,
        });
    }
    spans.sort_by(|a, b| a.start.total_cmp(&b.start));
    spans
}

/// Blinks and head motion in one kind's windows, each drawn at its middle; what the
/// frames tell by themselves is left to [`of_frames`].
pub(super) fn of_scores(samples: &[ScoreSample]) -> Vec<NotMeasured> {
    let mut spans: Vec<NotMeasured> = Vec::new();
    let mut open = false;
    for sample in samples {
        let why = match sample.masked {
            Some(MaskReason::Blink) => Some(Why::Blink),
            Some(MaskReason::HeadMotion) => Some(Why::HeadMotion),
            Some(MaskReason::FaceLost | MaskReason::Gap) | None => None,
        };
        let t = sample.centre_secs();
        let last = spans.last_mut().filter(|_| open);
        let same = last.as_ref().is_some_and(|last| Some(last.why) == why);
        if let Some(last) = last {
            last.end = t;
        }
        if let Some(why) = why.filter(|_| !same) {
            spans.push(NotMeasured {
                why,
                start: t,
                end: t,
            });
        }
        open = why.is_some();
    }
    spans
}
