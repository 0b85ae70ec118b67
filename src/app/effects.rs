//! What a command asks of the world outside the state.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;
use std::time::Duration;

use super::App;
use super::clip::{ClipNews, ClipThread};
use super::command::{Command, Effect};
use super::opening;
use super::saving;
use super::settings::ThemeChoice;
use crate::base::Notice;

impl App {
    /// Applies a command to the state and does what follows from it.
    pub(super) fn carry_out(&mut self, ctx: &egui::Context, command: Command) {
        for effect in self.state.apply(command) {
            self.perform(ctx, effect);
        }
    }

    fn perform(&mut self, ctx: &egui::Context, effect: Effect) {
        match effect {
            Effect::Open(input) => self.backend.open(&input, &self.state.settings.params),
            Effect::AnalyseAgain(input) => {
                (self.backend).analyse_again(&input, &self.state.settings.params);
            }
            Effect::Locate { project, place } => {
                (self.backend).locate(&project, &place, &self.state.settings.params);
            }
            Effect::KeepAnalysis(analysis) => self.backend.keep_analysis(*analysis),
            Effect::BlindPass(coder, step) => self.backend.blind_pass(&coder, step),
            Effect::LookForPasses(recordings) => {
                self.apart(ctx, "look for projects", move || {
                    let passes = recordings.into_iter().map(opening::passes_of);
                    vec![Command::Passes(passes.collect())]
                });
            }
            Effect::Merge(other) => self.backend.merge(&other, &self.state.settings.coder),
            Effect::OpenSample => match self.backend.sample() {
                Ok(input) => self.backend.open(&input, &self.state.settings.params),
                Err(why) => self.asked.push(Command::OpenFailed {
                    input: String::new(),
                    why,
                }),
            },
            Effect::Dialog(kind) => self
                .dialogs
                .open(kind, self.state.settings.last_folder.as_deref()),
            Effect::ListCameras => self.backend.list_cameras(),
            Effect::Player(order) => self.backend.player(order),
            Effect::Views(wanted) => self.backend.request_views(*wanted),
            Effect::Stills(wanted) => self.backend.stills(wanted),
            Effect::Compare(wanted) => self.backend.compare(*wanted),
            Effect::LookForRecent(paths) => {
                self.apart(ctx, "look for recordings", move || {
                    let gone = paths.into_iter().filter(|path| !path.exists());
                    vec![Command::RecentMissing(gone.collect())]
                });
            }
            Effect::Copy(text) => ctx.copy_text(text),
            Effect::FullScreen(on) => {
                ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(on));
            }
            Effect::Theme(theme) => apply_theme(ctx, theme),
            Effect::SaveSettings => self.settings_changed = true,
            Effect::SaveCandidates(saving) => {
                self.apart(ctx, "save", move || {
                    saving.write().into_iter().map(Command::Say).collect()
                });
            }
            Effect::SaveLog(said, media) => {
                self.apart(ctx, "save the log", move || {
                    vec![Command::Say(saving::write_log(&said, media.as_deref()))]
                });
            }
            Effect::Export(format, desk) => {
                self.apart(ctx, "export", move || {
                    vec![Command::Say(desk.export(format))]
                });
            }
            Effect::Record(on) => self.backend.record(on),
            Effect::RecordedTracks(tracks) => {
                self.apart(ctx, "tracks", move || vec![Command::Say(tracks.write())]);
            }
            Effect::Report(desk) => {
                self.apart(ctx, "report", move || vec![Command::Say(desk.write())]);
            }
            Effect::Clip(desk) => {
                let (said, shown) = (self.said.clone(), ctx.clone());
                let tell = move |news| {
                    said.post([Command::ClipNews(news)]);
                    shown.request_repaint();
                };
                let unwanted = Arc::new(AtomicBool::new(false));
                let asks = Arc::clone(&unwanted);
                let thread = self.apart(ctx, "export the clip", move || {
                    let ended = desk.write(tell, &asks);
                    vec![Command::ClipNews(ClipNews::Ended(Some(ended)))]
                });
                if thread.is_none() {
                    self.asked.push(Command::ClipNews(ClipNews::Ended(None)));
                }
                self.clip = thread.map(|thread| ClipThread { unwanted, thread });
            }
            Effect::Import(path, desk) => {
                let review = self.state.review.as_ref();
                let generation = review.map_or(0, |r| r.session.generation);
                self.apart(ctx, "import", move || {
                    let (annotations, said) = match desk.import(&path) {
                        Ok((read, said)) => (Some(read), Box::new(said)),
                        Err(said) => (None, said),
                    };
                    let imported = annotations.map(|annotations| Command::Imported {
                        generation,
                        annotations,
                    });
                    let said = Command::ImportSaid { generation, said };
                    imported.into_iter().chain([said]).collect()
                });
            }
            Effect::Keep(changes) => {
                if let Some(review) = &self.state.review {
                    let (count, coder) = (review.coding.count(), &self.state.settings.coder);
                    self.backend.keep(changes, count, coder);
                }
            }
            Effect::Batch(order) => self.backend.batch(*order),
            Effect::WakeAfter(secs) => ctx.request_repaint_after(Duration::from_secs_f64(secs)),
        }
    }
}

impl App {
    /// On a thread of its own: a slow disk does not hold the window up. Where the system
    /// refuses one, that is said and there is none.
    fn apart(
        &mut self,
        ctx: &egui::Context,
        name: &str,
        work: impl FnOnce() -> Vec<Command> + Send + 'static,
    ) -> Option<JoinHandle<()>> {
        let (said, ctx) = (self.said.clone(), ctx.clone());
        let started = std::thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                said.post(work());
                ctx.request_repaint();
            });
        if let Err(e) = &started {
            self.asked.push(Command::Say(Notice::error(format!(
                "Cannot {name}: the system refuses another thread ({e}). Close other programs \
                 and try again."
            ))));
        }
        started.ok()
    }
}

pub(super) fn apply_theme(ctx: &egui::Context, theme: ThemeChoice) {
    ctx.set_theme(match theme {
        ThemeChoice::System => egui::ThemePreference::System,
        ThemeChoice::Dark => egui::ThemePreference::Dark,
        ThemeChoice::Light => egui::ThemePreference::Light,
    });
}

/// The path of what was dropped on the window.
pub(super) fn dropped_path(file: &egui::DroppedFileHandle) -> String {
    file.path().display().to_string()
}
