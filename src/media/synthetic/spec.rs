//! What a drawn recording shows, and when.

use super::anatomy::{DRAWN_UNITS, FaceSide};
use super::arithmetic::raised_cosine;

/// What an event is called in truth files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpressionKind {
    /// Longer than half a second.
    Macro,
    /// Half a second at most.
    Micro,
    /// Both lids shut and open again; no expression.
    Blink,
}

impl ExpressionKind {
    /// `macro`, `micro` or `blink`, as files write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Macro => "macro",
            Self::Micro => "micro",
            Self::Blink => "blink",
        }
    }
}

/// One movement of known time and strength. Frames count from 0, both ends included.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpressionEvent {
    pub kind: ExpressionKind,
    /// FACS numbers out of [`DRAWN_UNITS`]; empty for a blink.
    pub units: Vec<u8>,
    pub side: FaceSide,
    /// The last frame at rest before the movement.
    pub onset: u64,
    pub apex: u64,
    /// The first frame at rest again.
    pub offset: u64,
    /// Share of full strength at the apex, 0..1; for a blink how far the lids shut.
    pub amplitude: f32,
    /// One word for label files (`happiness`, `anger`); empty for a blink.
    pub emotion: String,
}

impl ExpressionEvent {
    /// Share of full strength at a frame: raised cosines from onset to apex and from
    /// apex to offset.
    #[must_use]
    pub fn strength(&self, frame: u64) -> f32 {
        let t = if frame <= self.apex {
            ramp(self.onset, self.apex, frame)
        } else {
            1.0 - ramp(self.apex, self.offset, frame)
        };
        (f64::from(self.amplitude) * t) as f32
    }

    /// `AU1+AU2`, empty for a blink.
    #[must_use]
    pub fn units_text(&self) -> String {
        let names: Vec<String> = self.units.iter().map(|u| format!("AU{u}")).collect();
        names.join("+")
    }
}

fn ramp(from: u64, to: u64, frame: u64) -> f64 {
    raised_cosine((frame as f64 - from as f64) / (to as f64 - from as f64))
}

/// A whole recording; equal specifications give equal frames, bit by bit.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticSpec {
    /// File stem and `recording` column of label files.
    pub name: String,
    /// Pixels, each 64..4096.
    pub width: u32,
    pub height: u32,
    /// Frames a second, 1..1000.
    pub frames_per_second: u32,
    pub frames: u64,
    /// Skin grain, sway and sensor noise follow from it.
    pub seed: u64,
    pub events: Vec<ExpressionEvent>,
    /// Sensor noise: standard deviation in grey levels, 0..20.
    pub noise: f32,
    /// The head's slow drift and breathing: pixels from the middle, 0..8.
    pub sway_px: f32,
}

/// Why a recording cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    #[error("Cannot draw a recording of {width}×{height} pixels: each side must be 64 to 4096")]
    Size { width: u32, height: u32 },
    #[error("Cannot draw {0} frames a second: choose 1 to 1000")]
    Rate(u32),
    #[error("Cannot draw a recording without frames: give it at least one")]
    NoFrames,
    #[error("Cannot draw with {what} {value}: choose {range}")]
    Range {
        what: &'static str,
        value: String,
        range: &'static str,
    },
    #[error(
        "Cannot draw event {index}: its frames {onset}, {apex}, {offset} must rise and lie before the recording's end at {frames}"
    )]
    Order {
        index: usize,
        onset: u64,
        apex: u64,
        offset: u64,
        frames: u64,
    },
    #[error(
        "Cannot draw event {index}: {frames} frames are {millis} ms, but a micro-expression lasts at most 500 ms and a macro-expression longer"
    )]
    Duration {
        index: usize,
        frames: u64,
        millis: u64,
    },
    #[error(
        "Cannot draw event {index}: the drawn face has no AU{unit}. It moves AU 1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 20, 23, 24, 25 and 26"
    )]
    Unit { index: usize, unit: u8 },
    #[error("Cannot draw event {index}: a blink has no action units and an expression needs one")]
    Units { index: usize },
}

impl SyntheticSpec {
    /// # Errors
    /// The first value out of its range.
    pub(super) fn check(&self) -> Result<(), SpecError> {
        if !(64..=4096).contains(&self.width) || !(64..=4096).contains(&self.height) {
            return Err(SpecError::Size {
                width: self.width,
                height: self.height,
            });
        }
        if !(1..=1000).contains(&self.frames_per_second) {
            return Err(SpecError::Rate(self.frames_per_second));
        }
        if self.frames == 0 {
            return Err(SpecError::NoFrames);
        }
        let range = |what, value: f32, max: f32, range| {
            if (0.0..=max).contains(&value) {
                Ok(())
            } else {
                Err(SpecError::Range {
                    what,
                    value: value.to_string(),
                    range,
                })
            }
        };
        range("noise", self.noise, 20.0, "0 to 20 grey levels")?;
        range("sway", self.sway_px, 8.0, "0 to 8 pixels")?;
        for (index, event) in self.events.iter().enumerate() {
            self.check_event(index, event)?;
            range("amplitude", event.amplitude, 1.0, "0 to 1")?;
        }
        Ok(())
    }

    fn check_event(&self, index: usize, event: &ExpressionEvent) -> Result<(), SpecError> {
        let (onset, apex, offset) = (event.onset, event.apex, event.offset);
        if onset >= apex || apex >= offset || offset >= self.frames {
            return Err(SpecError::Order {
                index,
                onset,
                apex,
                offset,
                frames: self.frames,
            });
        }
        let frames = offset - onset;
        let millis = frames * 1000 / u64::from(self.frames_per_second);
        let short = frames * 2 <= u64::from(self.frames_per_second);
        if (event.kind == ExpressionKind::Micro && !short)
            || (event.kind == ExpressionKind::Macro && short)
        {
            return Err(SpecError::Duration {
                index,
                frames,
                millis,
            });
        }
        if (event.kind == ExpressionKind::Blink) != event.units.is_empty() {
            return Err(SpecError::Units { index });
        }
        match event.units.iter().find(|u| !DRAWN_UNITS.contains(u)) {
            Some(&unit) => Err(SpecError::Unit { index, unit }),
            None => Ok(()),
        }
    }
}
