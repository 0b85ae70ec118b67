//! How far the eyes are shut, against this face's own open eyes.

use std::collections::VecDeque;

use crate::base::{Timestamp, stats};

use super::Landmarks;

/// The open level is taken from this much of the past: long against a blink and
/// a smile's narrowed eyes, short against a change of light or of seat.
const MEMORY_SECS: f64 = 10.0;

/// Eyes are open most of the time: this quantile of the past is the open level,
/// unmoved by blinks and by single wide-open frames.
const OPEN_QUANTILE: f64 = 0.6;

/// The points' ratio does not reach 0 on shut eyes: the lids' lines stay apart.
/// At this part of the open level the eyes count as shut.
const SHUT_PART: f64 = 0.45;

/// An open level below this is no open eye's (a recording that begins with eyes
/// shut): until better is seen, this is taken.
const LEAST_OPEN: f64 = 0.2;

/// Height over width of an eye (Soukupová and Čech, 2016), the mean of both.
pub(crate) fn eye_aspect_ratio(landmarks: &Landmarks) -> f32 {
    let p = &landmarks.0;
    let eye = |first: usize| {
        let width = p[first].distance(p[first + 3]);
        let height = p[first + 1].distance(p[first + 5]) + p[first + 2].distance(p[first + 4]);
        if width > 0.0 {
            0.5 * height / width
        } else {
            0.0
        }
    };
    0.5 * (eye(36) + eye(42))
}

/// Turns aspect ratios into 0 (open) .. 1 (shut), causally.
#[derive(Debug, Default)]
pub(crate) struct BlinkMeter {
    past: VecDeque<(Timestamp, f64)>,
}

impl BlinkMeter {
    pub(crate) fn push(&mut self, at: Timestamp, landmarks: &Landmarks) -> f32 {
        let ratio = f64::from(eye_aspect_ratio(landmarks));
        self.past.push_back((at, ratio));
        while let Some(&(oldest, _)) = self.past.front() {
            // A clock that jumps back starts the memory anew.
            let age = at.secs_since(oldest);
            if (0.0..=MEMORY_SECS).contains(&age) && self.past.len() <= 10_000 {
                break;
            }
            self.past.pop_front();
        }
        let past: Vec<f64> = self.past.iter().map(|&(_, r)| r).collect();
        let open = stats::quantile(&past, OPEN_QUANTILE)
            .unwrap_or(ratio)
            .max(LEAST_OPEN);
        let shut = SHUT_PART * open;
        ((open - ratio) / (open - shut)).clamp(0.0, 1.0) as f32
    }
}
