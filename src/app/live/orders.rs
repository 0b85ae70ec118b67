//! What the window orders, and what it is told when it asks.

use std::path::Path;

use super::camera::entries;
use super::{Arrival, Live};
use crate::app::backend::{Backend, PlayerOrder, ViewsWanted};
use crate::app::batch::BatchOrder;
use crate::app::coding::Change;
use crate::app::command::Command;
use crate::app::{record, trail};
use crate::base::Notice;
use crate::media::{self, Compare, StillKey};
use crate::project::file::PassStep;
use crate::project::kept::KeptAnalysis;
use crate::project::unattended::News;
use crate::session::Params;

impl Backend for Live {
    fn open(&mut self, input: &str, params: &Params) {
        self.begin(input, params, (None, false));
    }

    fn analyse_again(&mut self, input: &str, params: &Params) {
        self.begin(input, params, (None, true));
    }

    fn locate(&mut self, project: &Path, place: &Path, params: &Params) {
        let input = project.display().to_string();
        self.begin(&input, params, (Some(place.to_owned()), false));
    }

    fn sample(&self) -> Result<String, String> {
        let folder = directories::ProjectDirs::from("", "", "onset")
            .map_or_else(std::env::temp_dir, |d| d.data_local_dir().to_path_buf());
        media::sample::unpack(&folder)
            .map(|p| p.display().to_string())
            .map_err(|e| e.to_string())
    }

    fn list_cameras(&mut self) {
        self.apart("cameras", || Arrival::Cameras(entries()));
    }

    fn player(&mut self, order: PlayerOrder) {
        if let Some(open) = &mut self.open
            && let Some(camera) = &mut open.camera
        {
            let generation = open.session.generation;
            if matches!(order, PlayerOrder::Freeze | PlayerOrder::Live) {
                // What was drawn so far is of the other numbering.
                let _ = self.views.as_ref().and_then(|views| views.take());
            }
            let told = match camera.order(order, (&self.wake, self.views.as_ref())) {
                Ok(None) => return,
                Ok(Some(frames)) => Command::Frozen { generation, frames },
                Err(why) => Command::Say(Notice::warning(why)),
            };
            self.told_by_camera.push(told);
            self.wake.wake();
            return;
        }
        let Some(player) = self.open.as_ref().and_then(|o| o.player.as_ref()) else {
            return;
        };
        match order {
            PlayerOrder::Play => {
                player.play();
                self.was_playing = true;
            }
            PlayerOrder::Pause => {
                player.pause();
                self.was_playing = false;
            }
            PlayerOrder::Seek(frame) => {
                self.seeking = Some(frame);
                player.seek(frame);
                // A player that has died answers at once, and nobody else wakes the window.
                if player.state().asked.is_none() {
                    self.wake.wake();
                }
            }
            PlayerOrder::Speed(speed) => player.set_speed(f64::from(speed)),
            PlayerOrder::Loop(frames) => player.set_loop(frames.map(|(from, to)| from..=to)),
            PlayerOrder::Strip(wish) => player.want_strip(wish),
            // A recording is never live.
            PlayerOrder::Freeze | PlayerOrder::Live => {}
        }
    }

    fn record(&mut self, on: bool) {
        let Some(camera) = self.open.as_mut().and_then(|o| o.camera.as_mut()) else {
            return;
        };
        if let Err(why) = camera.record(on, record::place()) {
            self.told_by_camera.push(Command::Say(Notice::error(why)));
            self.wake.wake();
        }
    }

    fn request_views(&mut self, wanted: ViewsWanted) {
        self.recent_secs = trail::back_secs(&wanted);
        let (Some(open), Some(views)) = (&self.open, &self.views) else {
            return;
        };
        let wanted = match &open.camera {
            Some(camera) => camera.request_views(wanted),
            None => Some(wanted),
        };
        let Some(wanted) = wanted else {
            return;
        };
        match &open.trail {
            Some(trail) => trail.follow(wanted),
            None => views.request(trail::request(
                self.recent.iter().cloned().collect(),
                wanted,
            )),
        }
    }

    fn stills(&mut self, wanted: Vec<StillKey>) {
        if let Some(stills) = self.still_pictures() {
            stills.want(wanted);
        }
    }

    fn compare(&mut self, wanted: Compare) {
        if let Some(stills) = self.still_pictures() {
            stills.compare(wanted);
        }
    }

    fn keep(&mut self, changes: Vec<Change>, count: u64, coder: &str) {
        match &self.keeper {
            Some(keeper) => keeper.keep(changes, count, coder),
            None => self.told_by_project.post([Command::Say(Notice::error(
                "What you say cannot be kept: the system refuses another thread. Close other \
                 programs and open the recording again; until then “Save” writes a copy of all of it.",
            ))]),
        }
    }

    fn batch(&mut self, order: BatchOrder) {
        match (&self.batch, order) {
            (Some(worker), BatchOrder::Find(paths)) => worker.find(paths),
            (Some(worker), BatchOrder::Plan(plan)) => {
                self.outs
                    .extend(plan.jobs.iter().map(|job| job.out.clone()));
                worker.plan(plan);
            }
            (None, BatchOrder::Find(_)) => self.told_by_batch.post([News::Found {
                recordings: vec![],
                said: vec![Notice::error(
                    "Nothing can be added to the queue: the system refuses another thread. Close \
                     other programs and start Onset again.",
                )],
            }]),
            // The queue is empty.
            (None, BatchOrder::Plan(_)) => {}
        }
    }

    fn keep_analysis(&mut self, analysis: KeptAnalysis) {
        // Without the thread nothing is kept, which every change says.
        if let Some(keeper) = &self.keeper {
            keeper.analysed(analysis);
        }
    }

    fn blind_pass(&mut self, coder: &str, step: PassStep) {
        // As of an analysis.
        if let Some(keeper) = &self.keeper {
            keeper.blind_pass(coder, step);
        }
    }

    fn merge(&mut self, other: &Path, coder: &str) {
        match &self.keeper {
            Some(keeper) => keeper.merge(other.to_owned(), coder),
            None => self.told_by_project.post([Command::Say(Notice::error(
                "The project cannot be added: the system refuses another thread. Close other \
                 programs and open the recording again.",
            ))]),
        }
    }

    fn close(&mut self) -> Vec<Command> {
        self.end_recording().into_iter().collect()
    }

    fn poll(&mut self) -> Vec<Command> {
        self.wake.painted();
        let mut out: Vec<Command> = self.at_first.drain(..).map(Command::Say).collect();
        // Of the camera that is open still: before another one takes its place.
        out.append(&mut self.told_by_camera);
        self.poll_arrivals(&mut out);
        for told in self.told_by_project.take_all() {
            self.note_project(&told);
            out.push(told);
        }
        out.extend(
            self.told_by_batch
                .take_all()
                .into_iter()
                .map(Command::BatchNews),
        );
        self.poll_session(&mut out);
        self.poll_player(&mut out);
        self.poll_camera(&mut out);
        self.poll_stills(&mut out);
        out
    }
}
