//! What becomes of a window: its score, and why it may say nothing of expression.

use std::collections::{BTreeMap, VecDeque};

use crate::base::Timestamp;
use crate::motion::pipeline::{WindowFault, WindowMotion};
use crate::motion::windows::Window;
use crate::spotting::ExpressionKind;
use crate::spotting::signal::{MaskReason, RegionMotion, ScoreSample};

/// A head that crosses more than this of its own crop a second (8 % of a face)
/// turns as well, and what flow is left then is not trusted. Crop pixels.
const HEAD_SPEED_PX_PER_SEC: f64 = 10.0;

/// What is remembered of a frame until no window can contain it any more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recent {
    pub(super) frame: u64,
    pub(super) blink: bool,
}

/// When the frames were seen with which a window begins or ends.
pub(super) fn frame_times(samples: &[ScoreSample]) -> BTreeMap<u64, Timestamp> {
    let ends = |s: &ScoreSample| [(s.window_start_frame, s.start), (s.window_end_frame, s.end)];
    samples.iter().flat_map(ends).collect()
}

/// A window's score with the reason, if any, why it says nothing of expression.
pub(super) fn sample(
    kind: ExpressionKind,
    window: &Window,
    motion: Result<&WindowMotion, &WindowFault>,
    score: Option<f64>,
    recent: &VecDeque<Recent>,
) -> ScoreSample {
    let masked = match motion {
        Err(WindowFault::NoFace) => Some(MaskReason::FaceLost),
        Err(WindowFault::Gap) => Some(MaskReason::Gap),
        Ok(m) if f64::from(m.head_length_px()) > HEAD_SPEED_PX_PER_SEC * window.secs() => {
            Some(MaskReason::HeadMotion)
        }
        // A macro-window is four blinks long: one blink inside does not decide it.
        Ok(_) if kind == ExpressionKind::Micro && blinks(recent, window) => Some(MaskReason::Blink),
        Ok(_) => None,
    };
    ScoreSample {
        kind,
        window_start_frame: window.start_frame,
        window_end_frame: window.end_frame,
        start: window.start,
        end: window.end,
        score: score.unwrap_or(0.0),
        strain: motion.map_or(0.0, WindowMotion::control),
        apex: None,
        masked,
        motion: motion.ok().map(|m| RegionMotion(m.regions)),
    }
}

fn blinks(recent: &VecDeque<Recent>, window: &Window) -> bool {
    recent
        .iter()
        .any(|r| r.blink && (window.start_frame..=window.end_frame).contains(&r.frame))
}
