//! What a camera tells besides its analysis, and how a lost one is found again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::ready::{Ready, Wanted, ready};
use super::{Arrival, Live};
use crate::app::backend::{CameraEntry, CameraFormatEntry};
use crate::app::camera_side::CameraSide;
use crate::app::command::Command;
use crate::base::Notice;
use crate::media::{self, Absence, FormatWish, InputPlace, InputSpec};
use crate::session::Params;

impl Live {
    pub(super) fn poll_camera(&mut self, out: &mut Vec<Command>) {
        let Some(open) = &mut self.open else {
            return;
        };
        let generation = open.session.generation;
        let Some(camera) = &mut open.camera else {
            return;
        };
        out.extend(camera.trouble().map(Command::Say));
        out.extend(camera.frozen_trouble().map(Command::Say));
        if let Some(frame) = camera.picture() {
            out.push(Command::Picture { generation, frame });
        }
        if camera.playback_ended() {
            out.push(Command::PlaybackEnded { generation });
        }
        if let Some(news) = camera.recording() {
            let news = Box::new(news);
            out.push(Command::Recording { generation, news });
        }
        if self.told.source_failed && !std::mem::replace(&mut self.waiting, true) {
            let ended = camera.end_recording().map(Box::new);
            out.extend(ended.map(|news| Command::Recording { generation, news }));
            let name = open.session.info.name.clone();
            let (input, params) = (open.input.clone(), open.params.clone());
            out.push(Command::Say(Notice::info(format!(
                "{name} is opened again by itself as soon as it is back."
            ))));
            self.wait_for(name, input, params);
        }
    }

    /// Opens a lost camera again once the system has one of its name, whatever number it
    /// has then; gives up when something else is opened.
    fn wait_for(&mut self, name: String, input: String, params: Params) {
        const EVERY: Duration = Duration::from_secs(1);
        let (tickets, ticket) = (Arc::clone(&self.ticket), self.ticket());
        let mut wanted = Wanted {
            input: String::new(),
            params,
            gpu: self.gpu.clone(),
            wake: self.wake.clone(),
            views: self.views.clone(),
            known: None,
            place: None,
            outs: Vec::new(),
            anew: true,
        };
        let Ok(InputSpec {
            place: InputPlace::Camera(index, format),
            ..
        }) = InputSpec::parse(&input, None)
        else {
            return;
        };
        self.apart("camera back", move || {
            let there = media::list_cameras().unwrap_or_default();
            let absence = Absence::of(&name, index, &there);
            loop {
                std::thread::sleep(EVERY);
                let given_up = || tickets.load(Ordering::Relaxed) != ticket;
                if given_up() {
                    return Arrival::Nothing;
                }
                let found = media::list_cameras().unwrap_or_default();
                let Some(index) = absence.back(&found) else {
                    continue;
                };
                wanted.input = format!("camera:{index}{format}");
                match ready(&wanted.input, None, &wanted) {
                    Ok(ready) if sends(&ready, given_up) => {
                        return Arrival::Back(ticket, Box::new(ready));
                    }
                    Ok(_) => log::info!("{name} opens, but sends no picture yet"),
                    // It may need a moment more.
                    Err(e) => log::info!("{name} is back but does not open yet: {e:#}"),
                }
            }
        });
    }

    /// Ends what is recorded of the camera, because it goes.
    pub(super) fn end_recording(&mut self) -> Option<Command> {
        let open = self.open.as_mut()?;
        let generation = open.session.generation;
        let news = open.camera.as_mut().and_then(CameraSide::end_recording)?;
        let news = Box::new(news);
        Some(Command::Recording { generation, news })
    }

    /// Whether a camera's last half minute is gone through.
    pub(super) fn frozen(&self) -> bool {
        let camera = self.open.as_ref().and_then(|o| o.camera.as_ref());
        camera.is_some_and(CameraSide::is_frozen)
    }
}

/// Whether a camera that was opened has sent a picture. One that hangs opens all the same:
/// shown at once, it would be lost again and again, each time with an error.
fn sends(ready: &Ready, given_up: impl Fn() -> bool) -> bool {
    const EVERY: Duration = Duration::from_millis(50);
    loop {
        let status = ready.session.status();
        if status.frames_done > 0 {
            return true;
        }
        // A camera's silence counts as a failure after some seconds.
        if status.source_failed || status.finished || given_up() {
            return false;
        }
        std::thread::sleep(EVERY);
    }
}

/// The cameras there are, each with what it can give.
pub(super) fn entries() -> Result<Vec<CameraEntry>, String> {
    media::camera::list_cameras()
        .map(|found| {
            found
                .into_iter()
                .map(|c| CameraEntry {
                    input: format!("camera:{}", c.index),
                    formats: (c.formats.iter())
                        .map(|f| CameraFormatEntry {
                            input: format!("camera:{}{}", c.index, FormatWish::from(*f)),
                            name: f.to_string(),
                        })
                        .collect(),
                    name: c.name,
                    trouble: c.trouble,
                })
                .collect()
        })
        .map_err(|e| e.to_string())
}
