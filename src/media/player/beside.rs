//! The frames beside the one on the screen: fetched ahead, decoded from behind, shown as
//! a strip.

use std::time::{Duration, Instant};

use super::thread::PlayerThread;
use crate::media::film_strip::{FilmStrip, StripWish};

/// A frame that is on its way from behind is waited for so long, then decoded here.
const PATIENCE: Duration = Duration::from_secs(2);

impl PlayerThread {
    /// Puts away what has come from behind.
    pub(super) fn take_arrived(&mut self) {
        let Some(rewind) = &mut self.rewind else {
            return;
        };
        while rewind.is_busy()
            && let Some(frame) = rewind.take(Duration::ZERO)
        {
            self.deck.put(frame);
        }
    }

    /// Has the frames before a position decoded, once few of them are left.
    pub(super) fn look_behind(&mut self, position: u64) {
        if let Some(rewind) = &mut self.rewind
            && !rewind.is_busy()
            && let Some(missing) = self.deck.missing_behind(position)
        {
            let wanted = Some((position, missing.clone()));
            if self.looked_behind != wanted {
                self.looked_behind = wanted;
                rewind.want(missing);
            }
        }
    }

    /// Waits for a frame that is on its way from behind.
    pub(super) fn await_behind(&mut self, frame: u64) {
        let begun = Instant::now();
        while self.deck.cached(frame).is_none()
            && let Some(rewind) = self.rewind.as_mut().filter(|r| r.brings(frame))
        {
            let Some(left) = PATIENCE.checked_sub(begun.elapsed()) else {
                return;
            };
            if let Some(arrived) = rewind.take(left) {
                self.deck.put(arrived);
            }
        }
    }

    /// Makes the strip that is wanted; `false` where there is nothing to do.
    pub(super) fn strip(&mut self, position: u64) -> bool {
        let Some(wish) = self.shared.lock().strip else {
            return false;
        };
        if self.strip_made == Some((position, wish)) {
            return false;
        }
        // Tried once: a frame that cannot be decoded is left out, and its error shows up
        // when it is wanted itself.
        let tried = self.strip_fetched.replace((position, wish)) == Some((position, wish));
        if self.strip_waits((position, wish)) {
            // They are on their way: decoding them here as well would hold up the next step.
            self.strip_fetched = None;
            return false;
        }
        if !tried
            && self
                .deck
                .fetch_behind(position, wish.each_side)
                .unwrap_or(false)
        {
            // Something else may be wanted by now.
            return true;
        }
        self.strip_made = Some((position, wish));
        let deck = &self.deck;
        let pictures = (wish.neighbours(position))
            .filter_map(|n| Some((n, wish.small(deck.cached(n)?))))
            .collect();
        self.strips.put(FilmStrip {
            around: position,
            pictures,
        });
        (self.wake)();
        true
    }

    /// Decodes one more frame ahead of `position`; `false` when there is enough.
    pub(super) fn prefetch(&mut self, position: u64, playing: bool) -> bool {
        // An error shows up again when the frame itself is wanted.
        self.deck.prefetch(position, playing).unwrap_or(false)
    }

    /// The strip's frames are on their way, and whoever brings them wakes this thread.
    pub(super) fn strip_waits(&self, (position, wish): (u64, StripWish)) -> bool {
        let first = position.saturating_sub(wish.each_side);
        self.rewind.as_ref().is_some_and(|r| r.brings(first))
    }
}
