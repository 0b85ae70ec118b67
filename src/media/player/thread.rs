//! The thread that decodes, paces and shows.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Shared, Wake};
use crate::base::{Latest, Timestamp};
use crate::media::Frame;
use crate::media::deck::Deck;
use crate::media::film_strip::{FilmStrip, StripWish};
use crate::media::pacing::{Due, Pacer};
use crate::media::rewind::Rewind;
use crate::media::worker::panic_text;

/// A late playback still shows a picture this often.
const SHOW_AT_LEAST: Duration = Duration::from_millis(120);

/// What the thread found to do.
enum Order {
    Quit,
    GoTo(u64),
    /// Show the frame after this one when it is due.
    PlayOn {
        next: u64,
        wrapped: bool,
        shown: Timestamp,
    },
    Rest,
}

pub(super) struct PlayerThread {
    pub(super) shared: Arc<Shared>,
    pub(super) deck: Deck,
    /// `None` where steps back are decoded when they are asked for.
    pub(super) rewind: Option<Rewind>,
    /// What was asked for behind a position: once, for what does not come at first does not
    /// come later either.
    pub(super) looked_behind: Option<(u64, std::ops::Range<u64>)>,
    pub(super) pictures: Latest<Frame>,
    pub(super) wake: Wake,
    pub(super) pacer: Pacer,
    pub(super) start: Instant,
    pub(super) shown_at: Option<Instant>,
    /// The frame at the present position, where a late playback left it out.
    pub(super) skipped: Option<Frame>,
    pub(super) strips: Latest<FilmStrip>,
    /// What the frames before were fetched for.
    pub(super) strip_fetched: Option<(u64, StripWish)>,
    /// What the last strip was made for.
    pub(super) strip_made: Option<(u64, StripWish)>,
}

impl PlayerThread {
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let outcome = catch_unwind(AssertUnwindSafe(|| while self.turn() {}));
        if let Err(panic) = outcome {
            let mut control = shared.lock();
            control.state.playing = false;
            control.state.trouble = Some(format!(
                "Playback stopped because of an internal error ({}). Open the recording again; the analysis is not affected",
                panic_text(panic.as_ref())
            ));
        }
    }

    /// One thing at a time, so that a new order is never far away.
    fn turn(&mut self) -> bool {
        self.take_arrived();
        match self.order() {
            Order::Quit => return false,
            Order::GoTo(frame) => self.go_to(frame),
            Order::PlayOn {
                next,
                wrapped,
                shown,
            } => self.play_on(next, wrapped, shown),
            Order::Rest => {
                self.show_skipped();
                let position = self.shared.lock().state.position;
                self.look_behind(position);
                if !self.prefetch(position, false) && !self.strip(position) {
                    self.rest(None);
                }
            }
        }
        true
    }

    fn order(&mut self) -> Order {
        let mut control = self.shared.lock();
        if control.quit {
            return Order::Quit;
        }
        if std::mem::take(&mut control.repace) {
            self.pacer.restart(control.state.speed);
        }
        if let Some(frame) = control.go_to.take() {
            return Order::GoTo(frame);
        }
        if !control.state.playing || control.state.trouble.is_some() {
            return Order::Rest;
        }
        let position = control.state.position;
        let around = control.looped.as_ref().filter(|l| position >= *l.end());
        Order::PlayOn {
            next: around.map_or(position + 1, |l| *l.start()),
            wrapped: around.is_some(),
            shown: control.state.time,
        }
    }

    fn go_to(&mut self, frame: u64) {
        self.await_behind(frame);
        match self.deck.frame_or_last(frame) {
            Ok(Some(found)) => {
                let speed = self.shared.lock().state.speed;
                self.pacer.restart(speed);
                self.show(found, true);
            }
            Ok(None) => self.fail("The recording holds no picture".into()),
            Err(error) => self.fail(error.to_string()),
        }
    }

    fn play_on(&mut self, next: u64, wrapped: bool, shown: Timestamp) {
        let frame = match self.deck.frame(next) {
            Ok(Some(frame)) => frame,
            Ok(None) => return self.reach_end(),
            Err(error) => return self.fail(error.to_string()),
        };
        if wrapped {
            let speed = self.shared.lock().state.speed;
            self.pacer.restart(speed);
            return self.show(frame, true);
        }
        match self.pacer.due(shown, frame.timestamp, self.start.elapsed()) {
            Due::In(left) => {
                // Decoding ahead pays only while there is time for it.
                if left < Duration::from_millis(4) || !self.prefetch(next, true) {
                    self.rest(Some(left));
                }
            }
            Due::Now => self.show(frame, true),
            Due::Late => {
                let stale = self.shown_at.is_none_or(|t| t.elapsed() > SHOW_AT_LEAST);
                self.show(frame, stale);
            }
        }
    }

    /// Moves to `frame`; a late playback skips the picture itself.
    fn show(&mut self, frame: Frame, visibly: bool) {
        let mut control = self.shared.lock();
        control.state.position = frame.index;
        control.state.time = frame.timestamp;
        control.state.trouble = None;
        control.state.frame_count = self.deck.frame_count();
        control.state.ended = self.deck.is_last(frame.index);
        control.notices.extend(self.deck.take_notices());
        drop(control);
        self.skipped = Some(frame);
        if visibly {
            self.show_skipped();
        }
    }

    /// Puts the picture of the present position on the screen.
    fn show_skipped(&mut self) {
        if let Some(frame) = self.skipped.take() {
            self.pictures.put(frame);
            self.shown_at = Some(Instant::now());
            (self.wake)();
        }
    }

    fn reach_end(&mut self) {
        self.show_skipped();
        let mut control = self.shared.lock();
        control.state.frame_count = self.deck.frame_count();
        control.notices.extend(self.deck.take_notices());
        match control.looped.clone() {
            Some(range) if *range.start() < control.state.position => {
                control.go_to = Some(*range.start());
            }
            _ => {
                control.state.playing = false;
                control.state.ended = true;
            }
        }
        drop(control);
        (self.wake)();
    }

    fn fail(&mut self, trouble: String) {
        let mut control = self.shared.lock();
        control.state.playing = false;
        control.state.trouble = Some(trouble);
        control.notices.extend(self.deck.take_notices());
        drop(control);
        (self.wake)();
    }

    /// Sleeps until something is asked for, at most `limit`.
    fn rest(&self, limit: Option<Duration>) {
        let control = self.shared.lock();
        let strip = control.strip.map(|wish| (control.state.position, wish));
        let arrived = self.rewind.as_ref().is_some_and(Rewind::has_arrivals);
        let asked = arrived
            || control.quit
            || control.go_to.is_some()
            || (limit.is_none()
                && strip.is_some_and(|s| Some(s) != self.strip_made && !self.strip_waits(s)))
            || control.repace
            || (limit.is_none() && control.state.playing && control.state.trouble.is_none());
        if asked {
            return;
        }
        // Whoever wakes us, the next turn looks at everything again.
        match limit {
            Some(limit) => drop(self.shared.changed.wait_timeout(control, limit)),
            None => drop(self.shared.changed.wait(control)),
        }
    }
}
