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

/// How long a frame stays of which neither the recording nor a frame before it says so.
const USUAL_SECS: f64 = 1.0 / 30.0;

/// What the thread found to do.
enum Order {
    Quit,
    GoTo(u64),
    /// Show the next frame when it is due; back to a loop's first one when the time of the
    /// frame shown is over.
    PlayOn {
        next: u64,
        wrapped: bool,
        position: u64,
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
    /// When the time of a frame is over that a loop ends with.
    pub(super) over: Option<(u64, Timestamp)>,
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
            control.dead = true;
            control.go_to = None;
            control.state.playing = false;
            control.state.asked = None;
            control.state.trouble = Some(format!(
                "Playback stopped because of an internal error ({}). Open the recording again; the analysis is not affected",
                panic_text(panic.as_ref())
            ));
            drop(control);
            (self.wake)();
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
                position,
                shown,
            } => {
                let over = wrapped.then(|| self.over(position, shown));
                self.play_on(next, over, shown);
            }
            Order::Rest => {
                self.show_skipped();
                let position = self.shared.lock().state.position;
                self.look_behind(position);
                if !self.prefetch(position, false) && !self.strip(position) {
                    self.tell_length();
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
        // A loop may reach beyond the recording's end.
        let ended = control.state.ended;
        let around = (control.looped.as_ref())
            .filter(|l| position >= *l.end() || ended && *l.start() < position);
        Order::PlayOn {
            next: around.map_or(position + 1, |l| *l.start()),
            wrapped: around.is_some(),
            position,
            shown: control.state.time,
        }
    }

    fn go_to(&mut self, frame: u64) {
        self.await_behind(frame);
        match self.deck.frame_or_last(frame) {
            Ok(Some(found)) => {
                // Whether none follows the last one stated is known once it was looked for.
                if self.deck.frame_count() == Some(found.index + 1) {
                    let _ = self.deck.frame(found.index + 1);
                }
                let speed = self.shared.lock().state.speed;
                self.pacer.restart(speed);
                self.show(found, true);
            }
            Ok(None) => self.fail("The recording holds no picture".into()),
            Err(error) => self.fail(error.to_string()),
        }
        self.shared.lock().answered();
        (self.wake)();
    }

    /// When the time of the frame shown is over: when the next one comes; the recording's
    /// last frame stays as long as the one before it.
    fn over(&mut self, position: u64, shown: Timestamp) -> Timestamp {
        if let Some((_, over)) = self.over.filter(|(of, _)| *of == position) {
            return over;
        }
        // The next frame need not be readable: it is not shown. Frames may have one time.
        let next =
            (self.deck.frame(position + 1).ok().flatten()).filter(|next| next.timestamp > shown);
        let over = next.map_or_else(
            || {
                let before = position.checked_sub(1).and_then(|n| self.deck.cached(n));
                let before = before.map(|frame| shown.secs_since(frame.timestamp));
                let stated = self.deck.nominal_fps().filter(|fps| *fps > 0.0);
                let secs = before
                    .filter(|secs| *secs > 0.0)
                    .or(stated.map(|fps| 1.0 / fps));
                shown.plus_secs(secs.unwrap_or(USUAL_SECS))
            },
            |next| next.timestamp,
        );
        self.over = Some((position, over));
        over
    }

    /// `over` is when the frame shown makes room for `next`, where that does not follow it.
    fn play_on(&mut self, next: u64, over: Option<Timestamp>, shown: Timestamp) {
        let frame = match self.deck.frame(next) {
            Ok(Some(frame)) => frame,
            Ok(None) => return self.reach_end(),
            Err(error) => return self.fail(error.to_string()),
        };
        let due = over.unwrap_or(frame.timestamp);
        match self.pacer.due(shown, due, self.start.elapsed()) {
            Due::In(left) => {
                // Decoding ahead pays only while there is time for it.
                if left < Duration::from_millis(4) || !self.prefetch(next, true) {
                    self.rest(Some(left));
                }
            }
            Due::Now | Due::Late if over.is_some() => {
                let speed = self.shared.lock().state.speed;
                self.pacer.restart(speed);
                self.show(frame, true);
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
        control.state.furthest = self.deck.furthest();
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

    /// What was decoded ahead may be more than the container states.
    fn tell_length(&self) {
        let told = (self.deck.frame_count(), self.deck.furthest());
        let mut control = self.shared.lock();
        let state = &mut control.state;
        if (state.frame_count, state.furthest) == told {
            return;
        }
        (state.frame_count, state.furthest) = told;
        drop(control);
        (self.wake)();
    }

    fn reach_end(&mut self) {
        self.show_skipped();
        let mut control = self.shared.lock();
        control.state.frame_count = self.deck.frame_count();
        control.state.furthest = self.deck.furthest();
        control.notices.extend(self.deck.take_notices());
        control.state.ended = true;
        // A loop goes on from its start.
        let position = control.state.position;
        let goes_on = (control.looped.as_ref()).is_some_and(|l| *l.start() < position);
        control.state.playing &= goes_on;
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
