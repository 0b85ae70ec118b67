//! What is to be said of a recording as a whole, once it has ended.

use crate::base::Notice;
use crate::face::FaceTrack;
use crate::spotting::ExpressionKind;

/// Rarer than this, further faces are more likely the detector's mistakes.
const OTHERS_SHARE: f64 = 0.1;

/// With a face in fewer frames than this the result says little of the recording.
const MOSTLY: f64 = 0.5;

/// Counts what single frames cannot tell.
#[derive(Debug, Default)]
pub(super) struct Tally {
    frames: u64,
    with_face: u64,
    with_others: u64,
}

impl Tally {
    pub(super) fn count(&mut self, track: &FaceTrack) {
        self.frames += 1;
        self.with_face += u64::from(track.face.is_some());
        self.with_others += u64::from(!track.others.is_empty());
    }

    /// No face at all, or the choice among several.
    pub(super) fn remark(&self) -> Option<Notice> {
        if self.frames == 0 {
            return None;
        }
        if self.with_face == 0 {
            return Some(Notice::warning(format!(
                "No face was found in any of the {} frames, so nothing was measured. A face has to be upright, seen from the front, and well lit",
                self.frames
            )));
        }
        let found = self.with_face as f64 / self.frames as f64;
        if found < MOSTLY {
            return Some(Notice::warning(format!(
                "A face was found in only {:.0} % of the frames; nothing is measured in the others. The face has to be upright, seen from the front, and well lit",
                100.0 * found
            )));
        }
        let share = self.with_others as f64 / self.frames as f64;
        (share >= OTHERS_SHARE).then(|| {
            Notice::warning(format!(
                "Further faces are in the picture in {:.0} % of the frames; only one, the largest, is analysed. Crop the recording to the person you want",
                100.0 * share
            ))
        })
    }
}

/// The recording is over before one window of this kind could close.
pub(super) fn too_short(kind: ExpressionKind, duration: f64, window: f64) -> Notice {
    Notice::warning(format!(
        "{} are not looked for: the recording lasts {duration:.2} s and more than {window:.1} s are needed. Use a longer recording",
        plural(kind)
    ))
}

/// The recording is too slow for this kind.
pub(super) fn too_slow(kind: ExpressionKind, fps: f64, needed: f64) -> Notice {
    Notice::warning(format!(
        "{} are not looked for: the recording has {fps:.1} frames a second and {needed:.0} are needed. Record at a higher rate",
        plural(kind)
    ))
}

fn plural(kind: ExpressionKind) -> &'static str {
    match kind {
        ExpressionKind::Macro => "Macro-expressions",
        ExpressionKind::Micro => "Micro-expressions",
    }
}
