//! The half minute before a camera was frozen, gone through like a recording.

use std::sync::Arc;

use crate::app::backend::PlayerOrder;
use crate::app::trail::Trail;
use crate::app::wake::Wake;
use crate::base::Latest;
use crate::media::recall::KeptMoment;
use crate::media::{Frame, Player};
use crate::session::views::ViewsWorker;

/// The half minute before the camera was frozen, played like a recording.
pub(super) struct Frozen {
    pub(super) moment: KeptMoment,
    pub(super) player: Player,
    pub(super) pictures: Latest<Frame>,
    pub(super) trail: Option<Trail>,
    /// The place last asked for.
    pub(super) place: u64,
    /// A new player shows its first frame at first, which nobody asked for.
    pub(super) settled: bool,
    pub(super) was_playing: bool,
    pub(super) troubled: bool,
}

impl Frozen {
    pub(super) fn start(
        moment: KeptMoment,
        speed: f64,
        wake: &Wake,
        views: Option<&Arc<ViewsWorker>>,
    ) -> Result<Self, String> {
        let pictures = Latest::default();
        let knock = wake.clone();
        let player = Player::start(
            moment.source(),
            Latest::clone(&pictures),
            Box::new(move || knock.wake()),
        )
        .map_err(|e| e.to_string())?;
        let place = moment.place_of(moment.span().1, 0);
        player.set_speed(speed);
        player.seek(place);
        let trail = views.map(|views| Trail::start(moment.source(), Arc::clone(views)));
        let trail = trail.transpose().map_err(|e| {
            format!("The system refuses another thread ({e}). Close other programs.")
        })?;
        Ok(Self {
            moment,
            player,
            pictures,
            trail,
            place,
            settled: false,
            was_playing: false,
            troubled: false,
        })
    }

    pub(super) fn order(&mut self, order: PlayerOrder) {
        match order {
            PlayerOrder::Play => {
                self.player.play();
                self.was_playing = true;
            }
            PlayerOrder::Pause => {
                self.player.pause();
                self.was_playing = false;
            }
            PlayerOrder::Seek(number) => {
                self.place = self.moment.place_of(number, self.place);
                self.player.seek(self.place);
            }
            PlayerOrder::Speed(speed) => self.player.set_speed(f64::from(speed)),
            PlayerOrder::Loop(frames) => {
                let place = |number| self.moment.place_of(number, 0);
                let frames = frames.map(|(from, to)| place(from)..=place(to));
                self.player.set_loop(frames);
            }
            PlayerOrder::Strip(_) | PlayerOrder::Freeze | PlayerOrder::Live => {}
        }
    }

    /// With its number.
    pub(super) fn picture(&mut self) -> Option<Frame> {
        let frame = self.pictures.take()?;
        self.settled |= frame.index == self.place;
        if !self.settled {
            return None;
        }
        self.place = frame.index;
        Some(Frame {
            index: self.moment.number_at(frame.index),
            ..frame
        })
    }

    pub(super) fn ended(&mut self) -> bool {
        let playing = self.player.state().playing;
        std::mem::replace(&mut self.was_playing, playing) && !playing
    }
}
