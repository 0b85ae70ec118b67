//! Playback for the window: its own source on its own thread, paced by the
//! recording's times. It never feeds the analysis.

mod beside;
mod thread;

use std::ops::RangeInclusive;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Instant;

use crate::base::{Latest, Notice, Timestamp};

use super::deck::Deck;
use super::film_strip::{FilmStrip, StripWish};
use super::pacing::{Pacer, clamp_speed};
use super::rewind::Rewind;
use super::{Frame, FrameSource, MediaError};

use thread::PlayerThread;

/// Bytes of decoded pictures kept for stepping and scrubbing.
pub const CACHE_BYTES: usize = 512 << 20;

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
    /// Exact once the end has been seen, else what the container states, or what was decoded
    /// where that is more.
    pub frame_count: Option<u64>,
    /// The furthest frame that was decoded, and when it is shown.
    pub furthest: Option<(u64, Timestamp)>,
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
    /// The thread has ended by an internal error: nothing that is asked for is answered.
    dead: bool,
}

impl Control {
    fn go_to(&mut self, frame: u64) {
        if self.dead {
            return;
        }
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
                    furthest: None,
                    ended: false,
                    trouble: None,
                },
                go_to: Some(0),
                looped: None,
                strip: None,
                notices: Vec::new(),
                repace: false,
                quit: false,
                dead: false,
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
        Ok(Self { shared, strips })
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
            c.state.playing = !c.dead;
            c.repace = true;
        });
    }

    pub fn pause(&self) {
        self.ask(|c| c.state.playing = false);
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

#[cfg(test)]
mod tests;
