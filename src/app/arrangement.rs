//! How the pictures stand to each other: beside, over or under each other, and what is
//! shown under them.

use serde::{Deserialize, Serialize};

use super::command::Command;
use super::state::AppState;

/// How the magnified picture stands to the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arrangement {
    /// Beside it, or below where that leaves more to see.
    #[default]
    Beside,
    /// In one picture with the original's face, a line between them.
    Wiped,
    /// Below it.
    Stacked,
}

impl Arrangement {
    pub const ALL: [Self; 3] = [Self::Beside, Self::Wiped, Self::Stacked];

    /// As a person reads it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Beside => "Side by side",
            Self::Wiped => "Wiped",
            Self::Stacked => "Stacked",
        }
    }

    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Beside => Self::Wiped,
            Self::Wiped => Self::Stacked,
            Self::Stacked => Self::Beside,
        }
    }
}

/// Onset, frame on the screen, apex and difference under the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TriptychView {
    pub shown: bool,
    /// So many times the change of brightness.
    pub gain: f32,
}

impl TriptychView {
    pub const GAINS: [f32; 5] = [1.0, 2.0, 4.0, 8.0, 16.0];

    /// A file edited by hand holds any number.
    #[must_use]
    pub fn sane(self) -> Self {
        let known = Self::GAINS.contains(&self.gain);
        Self {
            gain: if known {
                self.gain
            } else {
                Self::default().gain
            },
            ..self
        }
    }
}

impl Default for TriptychView {
    fn default() -> Self {
        Self {
            shown: true,
            gain: 4.0,
        }
    }
}

/// Where the line of a wiped picture stands, in parts of its width: never so near an
/// edge that it cannot be taken hold of.
#[must_use]
pub fn sane_wipe(share: f32) -> f32 {
    if share.is_finite() {
        share.clamp(0.02, 0.98)
    } else {
        0.5
    }
}

impl AppState {
    /// The original and the magnified face are one picture.
    #[must_use]
    pub fn wiped(&self) -> bool {
        self.settings.arrangement == Arrangement::Wiped && self.settings.shown.magnified
    }

    pub(super) fn arrange(&mut self, command: Command) {
        let wiped = self.wiped();
        let settings = &mut self.settings;
        match command {
            Command::Arrange(arrangement) => {
                settings.arrangement = arrangement;
                // Without it there is nothing to wipe.
                settings.shown.magnified |= arrangement == Arrangement::Wiped;
            }
            Command::NextArrangement => {
                let next = settings.arrangement.next();
                self.arrange(Command::Arrange(next));
            }
            Command::Wipe(share) => settings.wipe = sane_wipe(share),
            Command::WipeBy(share) if wiped => settings.wipe = sane_wipe(settings.wipe + share),
            Command::ToggleTriptych => settings.triptych.shown = !settings.triptych.shown,
            Command::DifferenceGain(gain) => {
                settings.triptych = TriptychView {
                    gain,
                    ..settings.triptych
                }
                .sane();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::command::View;

    #[test]
    fn wiping_shows_the_magnified_face_and_the_line_stays_within_reach() {
        let mut state = AppState::default();
        assert!(!state.settings.shown.magnified);
        state.arrange(Command::WipeBy(0.2));
        assert_eq!(state.settings.wipe, 0.5, "nothing is wiped yet");
        state.arrange(Command::NextArrangement);
        assert!(state.wiped());
        state.arrange(Command::WipeBy(0.2));
        assert!((state.settings.wipe - 0.7).abs() < 1e-6);
        state.arrange(Command::Wipe(7.0));
        assert_eq!(state.settings.wipe, 0.98);
        state.look(Command::ToggleView(View::Magnified));
        assert!(!state.wiped());
        for expected in [Arrangement::Stacked, Arrangement::Beside] {
            state.arrange(Command::NextArrangement);
            assert_eq!(state.settings.arrangement, expected);
        }
    }

    #[test]
    fn a_gain_that_cannot_be_chosen_is_put_back() {
        let mut state = AppState::default();
        state.arrange(Command::DifferenceGain(8.0));
        assert_eq!(state.settings.triptych.gain, 8.0);
        state.arrange(Command::DifferenceGain(f32::NAN));
        assert_eq!(state.settings.triptych.gain, 4.0);
    }
}
