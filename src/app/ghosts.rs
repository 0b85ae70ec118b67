//! Whether the magnified picture is to be taken with care, for the head, the mouth or the
//! brows moved further than its gain bears. What is said stays for a while, so that it does not flicker.

use crate::session::magnified_motion::{MotionInBand, Mover};
use crate::session::magnified_view::MagnifyView;

/// It is said for so long at least, and so long after the last picture that it was true of;
/// seconds.
pub const HOLD_SECS: f64 = 1.0;
/// Once it is said, it is true down to this part of the bound.
const STILL_TRUE: f64 = 0.8;
/// Pictures further apart in the recording than this have no motion in common; seconds.
const ANOTHER_MOMENT_SECS: f64 = 1.0;

/// What is said of the magnified pictures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ghosts(Option<Said>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Said {
    with: MagnifyView,
    /// What moved furthest since it is said, and how far: a number that changes with every
    /// picture is not read.
    what: Mover,
    moved_px: f64,
    /// Of the last picture, in the recording.
    at_secs: f64,
    /// It is true of the last picture.
    true_now: bool,
    /// By the window's clock.
    until: f64,
}

impl Ghosts {
    /// Takes what is known of the picture that was magnified `with` these, `at_secs` in the
    /// recording, at `now` by the window's clock. Gives whether something is said that must be
    /// taken back without another picture.
    pub fn hear(
        &mut self,
        moved: Option<MotionInBand>,
        (with, at_secs): (MagnifyView, f64),
        now: f64,
    ) -> bool {
        // Another gain is another answer, at once.
        let before = self.0.filter(|said| {
            said.with == with
                && (said.at_secs - at_secs).abs() <= ANOTHER_MOMENT_SECS
                && said.holds(now)
        });
        let bound = if before.is_some() { STILL_TRUE } else { 1.0 };
        let far = moved.filter(|moved| moved.moved_px > bound * moved.bears_px);
        self.0 = match far {
            Some(far) => {
                let before = before.map(|b| (b.what, b.moved_px));
                let before = before.filter(|(_, px)| *px > far.moved_px);
                let (what, moved_px) = before.unwrap_or((far.what, far.moved_px));
                Some(Said {
                    with,
                    what,
                    moved_px,
                    at_secs,
                    true_now: true,
                    until: now + HOLD_SECS,
                })
            }
            None => before.map(|before| Said {
                at_secs,
                true_now: false,
                ..before
            }),
        };
        self.0.is_some_and(|said| !said.true_now)
    }

    /// What is said now, by the window's clock.
    #[must_use]
    pub fn brief(&self, now: f64) -> Option<String> {
        let said = self.0.filter(|said| said.holds(now))?;
        let moved = if said.moved_px < 9.95 {
            format!("{:.1}", said.moved_px)
        } else {
            format!("{:.0}", said.moved_px)
        };
        let alpha = (10.0 * said.with.alpha).round() / 10.0;
        let what = said.what.name();
        Some(format!("{what} moved {moved} px: too much for α = {alpha}"))
    }

    /// The same with what it does and what can be done about it.
    #[must_use]
    pub fn note(&self, now: f64) -> Option<String> {
        let brief = self.brief(now)?;
        Some(format!(
            "{brief}, the magnified picture may show ghosts. Lower α, or pick a stiller moment."
        ))
    }
}

impl Said {
    fn holds(&self, now: f64) -> bool {
        self.true_now || now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(moved_px: f64) -> Option<MotionInBand> {
        Some(MotionInBand {
            what: Mover::Head,
            moved_px,
            bears_px: 1.0,
        })
    }

    fn with(alpha: f32) -> MagnifyView {
        MagnifyView {
            alpha,
            ..MagnifyView::default()
        }
    }

    #[test]
    fn it_is_said_beyond_the_bound_alone_and_with_the_gain() {
        let mut ghosts = Ghosts::default();
        assert!(!ghosts.hear(head(0.9), (with(10.0), 2.0), 5.0));
        assert_eq!(ghosts.note(5.0), None);
        ghosts.hear(head(2.96), (with(10.0), 2.0), 5.0);
        let note = ghosts.note(5.0).unwrap();
        assert!(note.starts_with("The head moved 3.0 px: too much for α = 10, "));
        ghosts.hear(head(14.2), (with(2.5), 2.0), 5.0);
        let note = ghosts.note(5.0).unwrap();
        assert!(note.starts_with("The head moved 14 px: too much for α = 2.5, "));
    }

    #[test]
    fn it_stays_for_a_second_and_on_a_picture_that_stands() {
        let mut ghosts = Ghosts::default();
        // Thirty pictures a second, of which every other one is just beyond the bound.
        for i in 0..30 {
            let now = f64::from(i) / 30.0;
            ghosts.hear(
                head(if i % 2 == 0 { 1.1 } else { 0.7 }),
                (with(10.0), now),
                now,
            );
            assert!(ghosts.note(now).is_some(), "{i}");
        }
        // The last that was beyond came at 28/30 s.
        let last = 28.0 / 30.0;
        assert!(ghosts.note(last + 0.99).is_some());
        assert_eq!(ghosts.note(last + 1.01), None);
        // Then it takes the whole bound again.
        ghosts.hear(head(0.9), (with(10.0), 1.9), 3.0);
        assert_eq!(ghosts.note(3.0), None);
        ghosts.hear(head(1.1), (with(10.0), 1.9), 3.0);
        assert!(ghosts.note(60.0).is_some(), "the picture stands");
        // Just below the bound it is still true, and the larger number stays.
        ghosts.hear(head(0.9), (with(10.0), 1.95), 60.0);
        assert!(ghosts.note(90.0).unwrap().contains("1.1 px"));
        // What is to be taken back is told.
        assert!(ghosts.hear(head(0.1), (with(10.0), 2.0), 60.5));
        assert!(ghosts.note(60.9).is_some() && ghosts.note(61.1).is_none());
    }

    #[test]
    fn a_smaller_gain_and_another_moment_are_answered_at_once() {
        let mut ghosts = Ghosts::default();
        ghosts.hear(head(3.0), (with(10.0), 2.0), 5.0);
        assert!(!ghosts.hear(head(0.5), (with(1.0), 2.0), 5.1));
        assert_eq!(ghosts.note(5.1), None);
        ghosts.hear(head(3.0), (with(10.0), 2.0), 5.2);
        assert!(!ghosts.hear(None, (with(10.0), 9.0), 5.3));
        assert_eq!(ghosts.note(5.3), None);
    }
}
