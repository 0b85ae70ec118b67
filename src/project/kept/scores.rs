//! The scores of the windows, in their order. Of each the part has a byte that says
//! why it is masked and what follows, its frames as the way from the window before, and
//! its numbers as they are. When its frames were shown is not repeated.

use std::collections::BTreeMap;

use super::bytes::{Compact, Reader, Unreadable, Writer};
use crate::base::Timestamp;
use crate::spotting::ExpressionKind;
use crate::spotting::signal::{MaskReason, ScoreSample};
use crate::timeline::FrameRecord;

const MASKED: u8 = 1;
const APEX: u8 = 2;
const MOTION: u8 = 4;
const TIMES: u8 = 8;

type Scores = BTreeMap<ExpressionKind, Vec<ScoreSample>>;

/// When a frame was shown; `frames` follow each other without a hole.
fn shown(frames: &[FrameRecord], frame: u64) -> Option<Timestamp> {
    let at = frame.checked_sub(frames.first()?.frame)?;
    Some(frames.get(usize::try_from(at).ok()?)?.timestamp)
}

pub(super) fn put(scores: &Scores, frames: &[FrameRecord], to: &mut Writer) {
    scores.len().put(to);
    for (kind, samples) in scores {
        kind.put(to);
        samples.len().put(to);
        let mut last = 0_u64;
        for s in samples {
            let (first, end) = (s.window_start_frame, s.window_end_frame);
            let times = (shown(frames, first), shown(frames, end));
            let own_times = times != (Some(s.start), Some(s.end));
            let flag = |bit, set| if set { bit } else { 0 };
            to.byte(
                flag(MASKED, s.masked.is_some())
                    | flag(APEX, s.apex.is_some())
                    | flag(MOTION, s.motion.is_some())
                    | flag(TIMES, own_times),
            );
            to.signed(first.wrapping_sub(last) as i64);
            to.signed(end.wrapping_sub(first) as i64);
            last = first;
            if own_times {
                s.start.put(to);
                s.end.put(to);
            }
            s.score.put(to);
            s.strain.put(to);
            if let Some(masked) = s.masked {
                masked.put(to);
            }
            if let Some(apex) = s.apex {
                apex.put(to);
            }
            if let Some(motion) = &s.motion {
                motion.put(to);
            }
        }
    }
}

pub(super) fn take(frames: &[FrameRecord], from: &mut Reader) -> Result<Scores, Unreadable> {
    let mut scores = Scores::new();
    for _ in 0..usize::take(from)? {
        let kind = ExpressionKind::take(from)?;
        let count = usize::take(from)?;
        let mut samples = Vec::with_capacity(count.min(from.0.len() / 19));
        let mut last = 0_u64;
        for _ in 0..count {
            let says = from.byte()?;
            let start_frame = last.wrapping_add(from.signed()? as u64);
            let end_frame = start_frame.wrapping_add(from.signed()? as u64);
            last = start_frame;
            let (start, end) = if says & TIMES != 0 {
                (Timestamp::take(from)?, Timestamp::take(from)?)
            } else {
                (shown(frames, start_frame).zip(shown(frames, end_frame)))
                    .ok_or(Unreadable("a window has no such frame"))?
            };
            let (score, strain) = (f64::take(from)?, f64::take(from)?);
            let masked = (says & MASKED != 0)
                .then(|| MaskReason::take(from))
                .transpose()?;
            let apex = (says & APEX != 0).then(|| f64::take(from)).transpose()?;
            let motion = (says & MOTION != 0)
                .then(|| Compact::take(from))
                .transpose()?;
            samples.push(ScoreSample {
                kind,
                window_start_frame: start_frame,
                window_end_frame: end_frame,
                start,
                end,
                score,
                strain,
                apex,
                masked,
                motion,
            });
        }
        scores.insert(kind, samples);
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spotting::signal::RegionMotion;

    #[test]
    fn scores_come_back_to_the_last_bit_with_their_masks_and_times() {
        let frames: Vec<FrameRecord> = (0..40_u64)
            .map(|i| FrameRecord::faceless(i, Timestamp::from_nanos(i as i64 * 33_333_333)))
            .collect();
        let sample = |kind, first: u64| ScoreSample {
            kind,
            window_start_frame: first,
            window_end_frame: first + 6,
            start: frames[first as usize].timestamp,
            // Of the last windows not when the frame was shown.
            end: Timestamp::from_nanos((first as i64 + 6) * 33_333_333 + i64::from(first > 20)),
            score: 1.0 / (first as f64 + 3.0),
            strain: 0.1 * first as f64,
            apex: first.is_multiple_of(3).then_some(0.7),
            masked: match first % 5 {
                1 => Some(MaskReason::Blink),
                2 => Some(MaskReason::Gap),
                _ => None,
            },
            motion: first
                .is_multiple_of(2)
                .then_some(RegionMotion([first as f32; 12])),
        };
        let of = |kind| (kind, (0..30).map(|i| sample(kind, i)).collect::<Vec<_>>());
        let scores = Scores::from(ExpressionKind::BOTH.map(of));
        let mut to = Writer::default();
        put(&scores, &frames, &mut to);
        let mut from = Reader(&to.0);
        assert_eq!(take(&frames, &mut from).unwrap(), scores);
        assert!(from.0.is_empty());
        for length in 0..to.0.len() {
            assert!(take(&frames, &mut Reader(&to.0[..length])).is_err());
        }
        assert!(take(&[], &mut Reader(&to.0)).is_err(), "frames are missing");
    }
}
