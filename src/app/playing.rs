//! Commands that play, step and loop, and what they do to the recording that is open.

use super::backend::PlayerOrder;
use super::coding::SpotKey;
use super::command::{Command, Effect};
use super::review::Review;
use super::state::{AppState, SPEEDS};
use crate::base::Notice;

impl AppState {
    pub(super) fn play(&mut self, command: Command) -> Vec<Effect> {
        let speed = self.settings.speed;
        let jump = i64::from(self.settings.jump_frames);
        let to_candidates = matches!(command, Command::NextSpot | Command::PreviousSpot);
        if to_candidates && self.blind() {
            self.say(Notice::info(self.settings.keys.fill(
                "A blind pass hides the candidates. {Blind pass} shows them; {Next annotation} and \
                 {Previous annotation} go to your annotations.",
            )));
            return vec![Effect::WakeAfter(8.1)];
        }
        let Some(review) = self.review.as_mut() else {
            return vec![];
        };
        let live = review.only_forward().is_some();
        let (first, last) = review.within_reach();
        let here = review.playback.frame;
        match command {
            Command::Frozen { generation, frames } => {
                if generation == review.session.generation {
                    review.freeze(frames);
                }
                vec![]
            }
            Command::BackToLive => review.back_to_live(),
            Command::TogglePlay | Command::Pause | Command::Step(_) | Command::Jump(_) if live => {
                vec![Effect::Player(PlayerOrder::Freeze)]
            }
            Command::Speed(speed) => self.speed(speed),
            _ if live && !matches!(command, Command::Select(_)) => vec![],
            Command::TogglePlay => {
                review.playback.playing = !review.playback.playing;
                let mut effects = vec![];
                if review.playback.playing && here >= last {
                    review.playback.frame = first;
                    review.playback.sought = Some(first);
                    effects.push(Effect::Player(PlayerOrder::Seek(first)));
                }
                effects.push(Effect::Player(if review.playback.playing {
                    PlayerOrder::Play
                } else {
                    PlayerOrder::Pause
                }));
                effects
            }
            Command::Pause => review.pause(),
            Command::PlaybackEnded { generation } => {
                if generation == review.session.generation {
                    review.playback.playing = false;
                }
                vec![]
            }
            Command::Step(frames) => review.step(frames),
            Command::Jump(times) => review.step(times.saturating_mul(jump)),
            Command::Seek(frame) => review.go(frame),
            Command::SeekSecs(secs) => review.go(review.frame_near(secs)),
            Command::First => review.go(first),
            Command::Last => review.go(last),
            Command::SpeedStep(by) => {
                let at = SPEEDS.iter().position(|s| *s >= speed).unwrap_or(3);
                let next = at
                    .saturating_add_signed(isize::from(by))
                    .min(SPEEDS.len() - 1);
                self.speed(SPEEDS[next])
            }
            Command::PlayFaster => {
                if review.playback.playing {
                    let at = SPEEDS.iter().position(|s| *s > speed);
                    self.speed(at.map_or(speed, |i| SPEEDS[i]))
                } else {
                    self.play(Command::TogglePlay)
                }
            }
            Command::ToggleLoop => review.toggle_loop(),
            Command::NextSpot | Command::PreviousSpot => {
                let forward = matches!(command, Command::NextSpot);
                let Some(spot) = review.spot_beside(forward).cloned() else {
                    return vec![];
                };
                let mut effects = review.pause();
                review.select(Some(SpotKey::of(&spot)));
                effects.extend(review.go(spot.apex));
                effects.extend(review.loop_on());
                effects
            }
            Command::Select(key) => {
                review.select(key);
                match key {
                    Some(key) if !live => {
                        let mut effects = review.pause();
                        effects.extend(review.go(key.apex));
                        effects.extend(review.loop_on());
                        effects
                    }
                    _ => vec![],
                }
            }
            _ => vec![],
        }
    }

    fn speed(&mut self, speed: f32) -> Vec<Effect> {
        self.settings.speed = speed;
        vec![Effect::Player(PlayerOrder::Speed(speed))]
    }
}

impl Review {
    /// The camera's picture stands: the timeline does, too, and shows what can be gone
    /// through.
    fn freeze(&mut self, frames: (u64, u64)) {
        self.frozen = Some(frames);
        self.playback.playing = false;
        self.playback.frame = frames.1;
        self.playback.sought = None;
        if self.timeline.view.is_none() {
            self.timeline.view = Some(self.view());
        }
    }

    fn back_to_live(&mut self) -> Vec<Effect> {
        if self.frozen.take().is_none() {
            return vec![];
        }
        self.playback.playing = false;
        self.playback.looped = None;
        self.playback.sought = None;
        self.timeline.view = None;
        vec![Effect::Player(PlayerOrder::Live)]
    }

    pub(super) fn pause(&mut self) -> Vec<Effect> {
        if std::mem::take(&mut self.playback.playing) {
            vec![Effect::Player(PlayerOrder::Pause)]
        } else {
            vec![]
        }
    }

    fn step(&mut self, frames: i64) -> Vec<Effect> {
        let mut effects = self.pause();
        effects.extend(self.go(self.playback.frame.saturating_add_signed(frames)));
        effects
    }

    /// While something is looped, what is gone to is looped next.
    pub(super) fn loop_on(&mut self) -> Vec<Effect> {
        if self.playback.looped.take().is_none() {
            return vec![];
        }
        self.toggle_loop()
    }

    /// Plays [`Review::stretch`] over and over.
    fn toggle_loop(&mut self) -> Vec<Effect> {
        let mut effects = vec![];
        if self.playback.looped.take().is_some() {
            effects.push(Effect::Player(PlayerOrder::Loop(None)));
            return effects;
        }
        let Some(frames) = self.stretch() else {
            return effects;
        };
        self.playback.looped = Some(frames);
        effects.push(Effect::Player(PlayerOrder::Loop(Some(frames))));
        if !(frames.0..=frames.1).contains(&self.playback.frame) {
            effects.extend(self.go(frames.0));
        }
        if !std::mem::replace(&mut self.playback.playing, true) {
            effects.push(Effect::Player(PlayerOrder::Play));
        }
        effects
    }

    pub(super) fn go(&mut self, frame: u64) -> Vec<Effect> {
        let (first, last) = self.within_reach();
        let frame = frame.clamp(first, last);
        self.playback.frame = frame;
        self.playback.sought = Some(frame);
        self.follow();
        vec![Effect::Player(PlayerOrder::Seek(frame))]
    }

    /// The cursor never leaves a zoomed timeline.
    pub(super) fn follow(&mut self) {
        if let Some(view) = self.timeline.view {
            let cursor = self.time_of(self.playback.frame).secs();
            self.timeline.view = Some(view.following(cursor, self.limits()));
        }
    }
}
