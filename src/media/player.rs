//! Playback for the window: its own source on its own thread, paced by the
//! recording's times. It never feeds the analysis.

use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use crate::base::{Latest, Notice, Timestamp};

use super::deck::Deck;
use super::film_strip::{FilmStrip, StripWish};
use super::pacing::{Due, Pacer, clamp_speed};
use super::rewind::Rewind;
use super::worker::panic_text;
use super::{Frame, FrameSource, MediaError, SourceInfo};

/// Bytes of decoded pictures kept for stepping and scrubbing.
pub const CACHE_BYTES: usize = 512 << 20;
/// A frame that is on its way from behind is waited for so long, then decoded here.
const PATIENCE: Duration = Duration::from_secs(2);

/// A late playback still shows a picture this often.
const SHOW_AT_LEAST: Duration = Duration::from_millis(120);

/// Calls the window when there is something new to paint.
pub type Wake = Box<dyn Fn() + Send>;

/// Where playback stands.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayerState {
    /// The frame on the screen, counted from 0.
    pub position: u64,
    pub time: Timestamp,
    /// The frame that was asked for and is not on the screen yet; `None` once that has been
    /// answered, with the last frame where there are fewer, or with a trouble.
    pub asked: Option<u64>,
    pub playing: bool,
    /// 0.1 to 4.
    pub speed: f64,
    /// Exact once the end has been seen, else what the container states.
    pub frame_count: Option<u64>,
    /// The last frame has been reached.
    pub ended: bool,
    /// Why there is no picture any more.
    pub trouble: Option<String>,
}

/// What the window asked for and what it may read.
#[derive(Debug)]
struct Control {
    state: PlayerState,
    /// The frame to go to; a newer wish replaces an older one.
    go_to: Option<u64>,
    looped: Option<RangeInclusive<u64>>,
    strip: Option<StripWish>,
    notices: Vec<Notice>,
    /// Play, pause or speed changed: time starts anew.
    repace: bool,
    quit: bool,
}

impl Control {
    fn go_to(&mut self, frame: u64) {
        self.go_to = Some(frame);
        self.state.asked = Some(frame);
    }

    /// What was asked for is on the screen, unless something else is asked for by now.
    fn answered(&mut self) {
        if self.go_to.is_none() {
            self.state.asked = None;
        }
    }
}

#[derive(Debug)]
struct Shared {
    control: Mutex<Control>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the player's thread, also where it is just about to sleep.
    fn knock(&self) {
        drop(self.lock());
        self.changed.notify_all();
    }
}

/// The window's handle on a playback. No call waits for decoding; dropping it ends
/// the thread after the picture at hand.
#[derive(Debug)]
pub struct Player {
    shared: Arc<Shared>,
    info: SourceInfo,
    strips: Latest<FilmStrip>,
}

impl Player {
    /// Shows the first frame of `source` and waits for orders. Pictures appear in
    /// `pictures`, `wake` is called after each and whenever the state changes.
    ///
    /// # Errors
    /// The source is live, or the system refuses another thread.
    pub fn start(
        source: Box<dyn FrameSource>,
        pictures: Latest<Frame>,
        wake: Wake,
    ) -> Result<Self, MediaError> {
        Self::begin(source, None, pictures, wake)
    }

    /// As [`Player::start`], with the same recording opened once more: while a frame
    /// rests on the screen, those before it are decoded from there, so that a step back
    /// is as quick as one forward.
    ///
    /// # Errors
    /// As [`Player::start`].
    pub fn start_both_ways(
        source: Box<dyn FrameSource>,
        behind: Box<dyn FrameSource>,
        pictures: Latest<Frame>,
        wake: Wake,
    ) -> Result<Self, MediaError> {
        Self::begin(source, Some(behind), pictures, wake)
    }

    fn begin(
        source: Box<dyn FrameSource>,
        behind: Option<Box<dyn FrameSource>>,
        pictures: Latest<Frame>,
        wake: Wake,
    ) -> Result<Self, MediaError> {
        let info = source.info().clone();
        if info.live {
            return Err(MediaError::NoSeek(format!(
                "{} is live; record it first",
                info.name
            )));
        }
        let strips = Latest::default();
        let shared = Arc::new(Shared {
            control: Mutex::new(Control {
                state: PlayerState {
                    position: 0,
                    time: Timestamp::ZERO,
                    asked: Some(0),
                    playing: false,
                    speed: 1.0,
                    frame_count: info.frame_count,
                    ended: false,
                    trouble: None,
                },
                go_to: Some(0),
                looped: None,
                strip: None,
                notices: Vec::new(),
                repace: false,
                quit: false,
            }),
            changed: Condvar::new(),
        });
        let refused = |e: std::io::Error| MediaError::Interrupted {
            name: info.name.clone(),
            reason: format!("the system refuses another thread ({e}); close other programs"),
        };
        let knock = Arc::clone(&shared);
        let rewind = behind
            .map(|source| Rewind::start(source, move || knock.knock()))
            .transpose()
            .map_err(refused)?;
        let thread = PlayerThread {
            rewind,
            looked_behind: None,
            shared: Arc::clone(&shared),
            deck: Deck::new(source, CACHE_BYTES),
            pictures,
            wake,
            pacer: Pacer::new(),
            start: Instant::now(),
            shown_at: None,
            skipped: None,
            over: None,
            strips: strips.clone(),
            strip_fetched: None,
            strip_made: None,
        };
        Builder::new()
            .name("player".into())
            .spawn(move || thread.run())
            .map_err(refused)?;
        Ok(Self {
            shared,
            info,
            strips,
        })
    }

    /// The source as it was opened.
    #[must_use]
    pub fn info(&self) -> &SourceInfo {
        &self.info
    }

    #[must_use]
    pub fn state(&self) -> PlayerState {
        self.shared.lock().state.clone()
    }

    /// What the source reported since the last call.
    #[must_use]
    pub fn take_notices(&self) -> Vec<Notice> {
        std::mem::take(&mut self.shared.lock().notices)
    }

    fn ask(&self, change: impl FnOnce(&mut Control)) {
        change(&mut self.shared.lock());
        self.shared.changed.notify_all();
    }

    /// Plays on; at the end it starts over.
    pub fn play(&self) {
        self.ask(|c| {
            if c.state.ended && c.go_to.is_none() {
                c.go_to(c.looped.as_ref().map_or(0, |l| *l.start()));
            }
            c.state.playing = true;
            c.repace = true;
        });
    }

    pub fn pause(&self) {
        self.ask(|c| c.state.playing = false);
    }

    pub fn toggle(&self) {
        if self.state().playing {
            self.pause();
        } else {
            self.play();
        }
    }

    /// Sets the speed, 1 being the recording's own; values outside 0.1 to 4 are
    /// brought into this range.
    pub fn set_speed(&self, speed: f64) {
        self.ask(|c| {
            c.state.speed = clamp_speed(speed);
            c.repace = true;
        });
    }

    /// Goes to a frame; beyond the end, to the last one. Playing goes on from there.
    pub fn seek(&self, frame: u64) {
        self.ask(|c| c.go_to(frame));
    }

    /// Pauses and goes `frames` forward or, when negative, back.
    pub fn step(&self, frames: i64) {
        self.ask(|c| {
            c.state.playing = false;
            let from = c.go_to.unwrap_or(c.state.position);
            c.go_to(from.saturating_add_signed(frames));
        });
    }

    /// The frames beside the one on the screen, whenever that one rests; `None` for none.
    pub fn want_strip(&self, wish: Option<StripWish>) {
        self.ask(|c| c.strip = wish);
    }

    /// The newest strip that was not taken yet.
    #[must_use]
    pub fn take_strip(&self) -> Option<FilmStrip> {
        self.strips.take()
    }

    /// Repeats these frames while playing; `None` plays to the end.
    pub fn set_loop(&self, frames: Option<RangeInclusive<u64>>) {
        self.ask(|c| c.looped = frames.filter(|r| !r.is_empty()));
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.ask(|c| c.quit = true);
    }
}

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

struct PlayerThread {
    shared: Arc<Shared>,
    deck: Deck,
    /// `None` where steps back are decoded when they are asked for.
    rewind: Option<Rewind>,
    /// What was asked for behind a position: once, for what does not come at first does not
    /// come later either.
    looked_behind: Option<(u64, std::ops::Range<u64>)>,
    pictures: Latest<Frame>,
    wake: Wake,
    pacer: Pacer,
    start: Instant,
    shown_at: Option<Instant>,
    /// The frame at the present position, where a late playback left it out.
    skipped: Option<Frame>,
    /// When the time of a frame is over that a loop ends with.
    over: Option<(u64, Timestamp)>,
    strips: Latest<FilmStrip>,
    /// What the frames before were fetched for.
    strip_fetched: Option<(u64, StripWish)>,
    /// What the last strip was made for.
    strip_made: Option<(u64, StripWish)>,
}

impl PlayerThread {
    fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let outcome = catch_unwind(AssertUnwindSafe(|| while self.turn() {}));
        if let Err(panic) = outcome {
            let mut control = shared.lock();
            control.state.playing = false;
            control.state.asked = None;
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
                    self.rest(None);
                }
            }
        }
        true
    }

    /// Puts away what has come from behind.
    fn take_arrived(&mut self) {
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
    fn look_behind(&mut self, position: u64) {
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
    fn await_behind(&mut self, frame: u64) {
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
    fn strip(&mut self, position: u64) -> bool {
        let Some(wish) = self.shared.lock().strip else {
            return false;
        };
        if self.strip_made == Some((position, wish)) {
            return false;
        }
        // Tried once: a frame that cannot be decoded is left out, and its error shows up
        // when it is wanted itself.
        let tried = self.strip_fetched.replace((position, wish)) == Some((position, wish));
        let first = position.saturating_sub(wish.each_side);
        if self.rewind.as_ref().is_some_and(|r| r.brings(first)) {
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
        // The next frame need not be readable: it is not shown.
        let next = self.deck.frame(position + 1).ok().flatten();
        let over = next.map_or_else(
            || {
                let before = position.checked_sub(1).and_then(|n| self.deck.cached(n));
                let before = before.map(|frame| shown.secs_since(frame.timestamp));
                let stated = self.deck.nominal_fps().filter(|fps| *fps > 0.0);
                let secs = before.or(stated.map(|fps| 1.0 / fps));
                shown.plus_secs(secs.unwrap_or(0.0))
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

    /// Decodes one more frame ahead of `position`; `false` when there is enough.
    fn prefetch(&mut self, position: u64, playing: bool) -> bool {
        // An error shows up again when the frame itself is wanted.
        self.deck.prefetch(position, playing).unwrap_or(false)
    }

    /// The strip's frames are on their way, and whoever brings them wakes this thread.
    fn strip_waits(&self, (position, wish): (u64, StripWish)) -> bool {
        let first = position.saturating_sub(wish.each_side);
        self.rewind.as_ref().is_some_and(|r| r.brings(first))
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
