//! What the threads have told since the window last asked.

use super::ready::Ready;
use super::{Arrival, Live};
use crate::app::backend::OpenedSession;
use crate::app::camera_side::CameraSide;
use crate::app::command::Command;
use crate::app::project;
use crate::base::{Notice, Timestamp};
use crate::media::SourceInfo;
use crate::project::unattended::Worker;
use crate::session::SessionStatus;

/// Frames of a camera are kept up to so many bytes, however long that is.
const RECENT_BYTES: usize = 192 << 20;

impl Live {
    /// What opening threads hand over: of several asked for in a row the last.
    pub(super) fn poll_arrivals(&mut self, out: &mut Vec<Command>) {
        if !self.frozen()
            && let Some(back) = self.back.take()
        {
            self.take_over(*back, out);
        }
        for arrival in self.arrived.take_all() {
            match arrival {
                Arrival::Opened(ticket, ready) if ticket == self.ticket() => {
                    self.take_over(*ready, out);
                }
                Arrival::Back(ticket, ready) if ticket == self.ticket() => {
                    if self.frozen() {
                        out.push(Command::Say(Notice::info(
                            "The camera is back. It is shown once you go back to live.",
                        )));
                        self.back = Some(ready);
                    } else {
                        self.take_over(*ready, out);
                    }
                }
                Arrival::Failed(ticket, input, why) if ticket == self.ticket() => {
                    self.wait_again();
                    out.push(Command::OpenFailed { input, why });
                }
                Arrival::Missing(ticket, missing) if ticket == self.ticket() => {
                    self.wait_again();
                    out.push(Command::AskWhere(missing));
                }
                Arrival::Opened(..)
                | Arrival::Back(..)
                | Arrival::Missing(..)
                | Arrival::Failed(..)
                | Arrival::Nothing => {}
                Arrival::Cameras(found) => out.push(Command::Cameras(found)),
            }
        }
    }

    /// Which project holds the open recording.
    pub(super) fn note_project(&mut self, told: &Command) {
        let Some(session) = self.open.as_ref().map(|o| &o.session) else {
            return;
        };
        if let Some(project) = project::told_to_lie_in(told, session.generation) {
            let place = session.info.path.clone();
            self.projects = place
                .map(|place| (project.display().to_string(), place))
                .into_iter()
                .collect();
        }
    }

    /// Nothing else came in the place of a camera that was lost: it is waited for as before.
    fn wait_again(&mut self) {
        self.waiting = false;
    }

    fn take_over(&mut self, ready: Ready, out: &mut Vec<Command>) {
        out.extend(self.end_recording());
        self.recent.clear();
        // The keeper tells which project is open now.
        self.projects.clear();
        self.told = SessionStatus::default();
        (self.was_playing, self.troubled, self.waiting) = (false, false, false);
        (self.seeking, self.decoded) = (None, None);
        if let Some(views) = &self.views {
            // What is still being drawn belongs to the recording before.
            let _ = (views.take(), views.take_attention());
        }
        out.push(Command::Opened(Box::new(OpenedSession {
            generation: ready.session.generation,
            info: ready.session.info.clone(),
            sources: ready.sources.clone(),
            analysed: ready.session.facts.clone(),
            params: ready.params.clone(),
            project: ready.project.clone(),
            earlier: ready.earlier.clone(),
            place: ready.place.clone(),
            blind_passes: ready.blind_passes.clone(),
            unit_thresholds: ready.unit_thresholds.clone(),
            second_look: ready.second_look.clone(),
            device: ready.device.clone(),
        })));
        out.extend(ready.said.iter().cloned().map(Command::Say));
        if let Some(keeper) = &self.keeper {
            let info = &ready.session.info;
            keeper.begin(ready.session.generation, info, ready.project.clone());
        }
        self.open = Some(ready);
    }

    pub(super) fn poll_session(&mut self, out: &mut Vec<Command>) {
        let queue = self.batch.as_ref().is_some_and(Worker::busy);
        let Some(open) = &mut self.open else {
            self.wake.analysing(queue);
            return;
        };
        let generation = open.session.generation;
        // Before the events: one that says that all is done must not overtake the last of them.
        let status = open.session.status();
        let events = open.session.take_events();
        if let Some(camera) = &mut open.camera {
            camera.heard(&events);
        }
        if !events.is_empty() {
            out.push(Command::Events { generation, events });
        }
        let retells = open.session.tells_more();
        self.wake.analysing(queue || !(status.finished || retells));
        if retells {
            // The next piece comes with the next repaint.
            self.wake.wake();
        }
        if status != self.told {
            self.told = status.clone();
            out.push(Command::Status { generation, status });
        }
        if open.session.info.live
            && let Some(preview) = open.session.preview.take()
        {
            let frame = preview.frame;
            self.recent.push_back(frame.clone());
            let bytes = frame.picture.as_raw().len().max(1);
            while self.recent.len() * bytes > RECENT_BYTES
                || self
                    .recent
                    .front()
                    .is_some_and(|f| frame.timestamp.secs_since(f.timestamp) > self.recent_secs)
            {
                self.recent.pop_front();
            }
            if !open.camera.as_ref().is_some_and(CameraSide::is_frozen) {
                out.push(Command::Picture { generation, frame });
            }
        }
        if let Some(found) = self.views.as_ref().and_then(|v| v.take_attention()) {
            out.push(Command::Attention(Box::new(found)));
        }
        if let Some(views) = self.views.as_ref().and_then(|v| v.take()) {
            let camera = open.camera.as_ref();
            let views = match camera {
                Some(camera) => camera.named(views),
                None => views,
            };
            // Of the recording it was drawn of; the state discards another's.
            out.push(Command::Views {
                generation: views.generation,
                views: Box::new(views),
            });
        }
    }

    pub(super) fn poll_stills(&self, out: &mut Vec<Command>) {
        let Some((open, stills)) = self
            .open
            .as_ref()
            .and_then(|o| Some((o, o.stills.as_ref()?)))
        else {
            return;
        };
        let generation = open.session.generation;
        let arrived = stills.take();
        if !arrived.is_empty() {
            out.push(Command::Stills {
                generation,
                stills: arrived,
            });
        }
        if let Some(compared) = stills.take_compared() {
            let compared = Box::new(compared);
            out.push(Command::Compared {
                generation,
                compared,
            });
        }
    }

    pub(super) fn poll_player(&mut self, out: &mut Vec<Command>) {
        let Some((open, player)) = self
            .open
            .as_ref()
            .and_then(|open| Some((open, open.player.as_ref()?)))
        else {
            return;
        };
        let generation = open.session.generation;
        // Asked before the picture is taken, which was there first.
        let answered = player.state().asked.is_none();
        if let Some(frame) = open.pictures.take() {
            out.push(Command::Picture { generation, frame });
        }
        if answered && let Some(asked) = self.seeking.take() {
            let state = player.state();
            out.push(Command::SeekEnded {
                generation,
                asked,
                last: state.ended.then_some(state.position),
            });
        }
        if let Some(strip) = player.take_strip() {
            let strip = Box::new(strip);
            out.push(Command::Strip { generation, strip });
        }
        // The analysis reports damage itself; the player's own view of it is the same.
        drop(player.take_notices());
        let state = player.state();
        if let Some(furthest) = state.furthest.filter(|f| is_behind(&open.session.info, *f))
            && self.decoded.replace(furthest.0) != Some(furthest.0)
        {
            out.push(Command::Decoded {
                generation,
                furthest,
            });
        }
        if self.was_playing && !state.playing {
            out.push(Command::PlaybackEnded { generation });
        }
        self.was_playing = state.playing;
        if let Some(trouble) = state.trouble
            && !std::mem::replace(&mut self.troubled, true)
        {
            out.push(Command::Say(Notice::error(trouble)));
        }
    }
}

/// Whether a frame and its time lie behind the length that a recording states.
fn is_behind(info: &SourceInfo, (frame, at): (u64, Timestamp)) -> bool {
    info.frame_count.is_none_or(|count| frame >= count) || info.duration.is_none_or(|end| at > end)
}
