//! The window. `logic` drains what has arrived and carries commands out; `ui` lays
//! panels out, which read the state and ask for commands. The state changes
//! through [`state::AppState::apply`] only; what that asks of the world is done in
//! [`effects`], against the one trait [`backend::Backend`].

pub mod arrangement;
pub mod attention;
pub mod backend;
pub mod batch;
mod beside;
pub mod camera_side;
pub mod clip;
pub mod coder;
pub mod coding;
pub mod command;
pub mod coverage;
pub mod dialog;
pub mod disagreements;
pub mod dock;
pub mod effects;
pub mod emotions;
pub mod entrance;
pub mod exchange;
pub mod film_strip;
pub mod ghosts;
pub mod keeper;
pub mod kept;
pub mod key_change;
pub mod key_name;
pub mod keymap;
pub mod keys;
mod length;
pub mod licences;
pub mod live;
mod looking;
pub mod measure;
pub mod missing;
pub mod notices;
pub mod off_screen;
mod opening;
pub mod palette;
pub mod panels;
mod playing;
pub mod project;
pub mod recent;
pub mod record;
pub mod regions;
pub mod report;
pub mod review;
pub mod run;
pub mod saving;
pub mod second_look;
pub mod settings;
pub mod state;
pub mod stills;
pub mod theme;
pub mod time_view;
pub mod trace;
pub mod trail;
mod typed_ahead;
mod unscored;
mod views_wanted;
pub mod wake;
pub mod widgets;

pub use run::{Launch, RendererChoice, run};

use std::path::PathBuf;

use backend::{Backend, Machine};
use batch::BatchCommand;
use command::{Command, Room, Sheet, SideTab};
use dialog::Dialogs;
use panels::docked;
use settings::Settings;
use state::AppState;
use typed_ahead::TypedAhead;
use widgets::textures::Textures;

use crate::base::Mailbox;

/// The window's one owner: state, machinery, pictures on the card.
pub struct App {
    pub state: AppState,
    backend: Box<dyn Backend>,
    dialogs: Dialogs,
    textures: Textures,
    typed_ahead: TypedAhead,
    /// Asked for since the state last changed.
    asked: Vec<Command>,
    /// What threads of the window itself report.
    said: Mailbox<Command>,
    /// Writes a clip, or the last one.
    clip: Option<clip::ClipThread>,
    /// Where the settings go; `None` keeps them in memory only.
    settings_path: Option<PathBuf>,
    settings_changed: bool,
    /// Present while the window measures its own cost.
    measure: Option<measure::Measure>,
    /// Playback starts by itself.
    play_when_opened: bool,
    /// The window is enlarged for an audience.
    demonstrating: bool,
}

impl App {
    /// Shows `input` if given, else the sample on the first run, else an empty window.
    #[must_use]
    pub fn new(
        ctx: &egui::Context,
        backend: Box<dyn Backend>,
        machine: Machine,
        settings_path: Option<PathBuf>,
        input: Option<String>,
    ) -> Self {
        theme::install(ctx);
        let (settings, unread) = settings_path
            .as_deref()
            .map_or_else(|| (Settings::default(), vec![]), Settings::load);
        theme::follow(ctx, settings.colours);
        effects::apply_theme(ctx, settings.theme);
        let mut asked: Vec<Command> = unread.into_iter().map(Command::Say).collect();
        asked.push(Command::LookForRecent);
        match input {
            Some(input) => asked.push(Command::Open(input)),
            // Where no settings are kept, every start would be a first run.
            None if !settings.hints_seen && settings_path.is_some() => {
                asked.push(Command::OpenSample);
            }
            None => {}
        }
        Self {
            state: AppState::new(settings, machine),
            backend,
            dialogs: Dialogs::new(ctx.clone()),
            textures: Textures::default(),
            typed_ahead: TypedAhead::default(),
            asked,
            said: Mailbox::default(),
            clip: None,
            settings_path,
            settings_changed: false,
            measure: None,
            play_when_opened: false,
            demonstrating: false,
        }
    }

    /// With these weights for the second look, in place of those in the settings.
    #[must_use]
    pub fn looking_again(mut self, weights: Vec<PathBuf>) -> Self {
        // The settings outlive the folder that the window was started in.
        let whole = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let weights = weights.into_iter().map(whole).collect();
        // Before anything is opened.
        self.asked.insert(0, Command::SecondLookWeights(weights));
        self
    }

    /// Measures the window's own cost and closes it then; with `play` the recording
    /// is played meanwhile.
    #[must_use]
    pub fn measuring(mut self, measure: measure::Measure, play: bool) -> Self {
        self.measure = Some(measure);
        self.play_when_opened = play;
        self
    }

    /// Drains what has arrived, carries out what was asked, uploads new pictures.
    pub fn logic(&mut self, ctx: &egui::Context) {
        let mut commands = vec![Command::Clock(ctx.input(|i| i.time))];
        commands.extend(self.backend.poll());
        commands.extend(self.dialogs.poll());
        commands.extend(self.said.take_all());
        commands.append(&mut self.asked);
        let dropped = ctx.input(|i| i.raw.dropped_files.clone());
        let dropped: Vec<String> = dropped.iter().map(effects::dropped_path).collect();
        if self.state.settings.room == Room::Batch {
            let paths = dropped.into_iter().map(PathBuf::from).collect();
            commands.push(Command::Batch(BatchCommand::Add(paths)));
        } else {
            commands.extend(dropped.into_iter().map(|path| {
                if exchange::holds_annotations(std::path::Path::new(&path)) {
                    Command::Import(path.into())
                } else {
                    Command::Open(path)
                }
            }));
        }
        for command in commands {
            self.carry_out(ctx, command);
        }
        theme::follow(ctx, self.state.settings.colours);
        let (review, heat) = (self.state.review.as_ref(), self.state.settings.heat);
        (self.textures).update(ctx, review, (heat, self.state.wiped()));
    }

    /// Lays everything out.
    pub fn ui(&mut self, ui: &mut egui::Ui) {
        let mut out = Vec::new();
        self.zoom(ui.ctx());
        let state = &self.state;
        let room = state.settings.room;
        let keymap = &state.settings.keys;
        keys::lay_out(ui.ctx(), keymap);
        if state.listens() {
            keys::caught(ui.ctx(), &mut out);
        } else {
            self.typed_ahead.pass(ui.ctx(), state, &mut out);
            keys::pressed(ui.ctx(), keymap, room, &mut out);
        }
        bars(ui, state, &mut out);
        let centre = if state.docked() && !state.demonstrates() {
            let fill = theme::Palette::current(ui).panel;
            egui::CentralPanel::default()
                .frame(egui::Frame::NONE.fill(fill))
                .show(ui, |ui| {
                    panels::docked::show(ui, state, &self.textures, &mut out)
                })
        } else {
            undocked(ui, state, &self.textures, &mut out)
        };
        // The log keeps what an audience is not to read.
        if !state.demonstrates() {
            panels::notices::corner(ui, state, centre.inner, &mut out);
        }
        panels::missing::show(ui, state, centre.inner, &mut out);
        if ui.input(|i| !i.raw.hovered_files.is_empty()) {
            panels::drop_target::show(ui, state, centre.inner);
        }
        match state.sheet {
            Some(Sheet::Keys) => panels::help::show(ui, state, &mut out),
            Some(Sheet::ChangeKeys) => panels::keys::show(ui, state, &mut out),
            Some(Sheet::About) => panels::about::show(ui, state, &mut out),
            Some(Sheet::Recent) => panels::recent::over(ui, state, &mut out),
            None => {}
        }
        if !out.is_empty() {
            // Carried out before the next painting, which must follow at once.
            ui.ctx().request_repaint();
        }
        self.asked.append(&mut out);
    }

    /// An audience sits further away than the one who has the keys.
    fn zoom(&mut self, ctx: &egui::Context) {
        const FOR_AN_AUDIENCE: f32 = 1.4;
        let now = self.state.demonstrates();
        if std::mem::replace(&mut self.demonstrating, now) != now {
            let by = if now {
                FOR_AN_AUDIENCE
            } else {
                FOR_AN_AUDIENCE.recip()
            };
            ctx.set_zoom_factor(ctx.zoom_factor() * by);
        }
    }

    /// Writes the settings if they have changed.
    pub fn save_settings(&mut self) {
        if !std::mem::take(&mut self.settings_changed) {
            return;
        }
        let Some(path) = &self.settings_path else {
            return;
        };
        if let Err(e) = self.state.settings.save(path) {
            log::warn!(
                "cannot keep the window's settings ({e}): {}",
                path.display()
            );
        }
    }
}

fn bars(ui: &mut egui::Ui, state: &AppState, out: &mut Vec<Command>) {
    let p = theme::Palette::current(ui);
    let bar = |vertical| {
        egui::Frame::NONE
            .fill(p.panel)
            .inner_margin(egui::Margin::symmetric(8, vertical))
    };
    // Shown to an audience, the picture needs the place; the keys do what the bar does.
    if !state.demonstrates() {
        egui::Panel::top("top bar")
            .exact_size(40.0)
            .frame(bar(8))
            .show(ui, |ui| panels::top_bar::show(ui, state, out));
    }
    egui::Panel::bottom("status")
        .exact_size(24.0)
        .frame(bar(4))
        .show(ui, |ui| panels::status_strip::show(ui, state));
}

/// What has one place: the pictures for an audience, the cameras, the queue, the empty
/// window. Gives where the middle is.
fn undocked(
    ui: &mut egui::Ui,
    state: &AppState,
    textures: &Textures,
    out: &mut Vec<Command>,
) -> egui::InnerResponse<egui::Rect> {
    if state.demonstrates() {
        around_for_an_audience(ui, state, textures, out);
    } else if state.tab != SideTab::Candidates {
        egui::Panel::right("side of nothing")
            .exact_size(dock::Pane::List.usual().x)
            .frame(docked::panel(ui))
            .show(ui, |ui| match state.tab {
                SideTab::Candidates => {}
                SideTab::Log => panels::notices::log(ui, state, out),
                SideTab::Settings => panels::settings::show(ui, state, out),
            });
    }
    egui::CentralPanel::default()
        .frame(docked::surround(ui))
        .show(ui, |ui| {
            let area = ui.max_rect();
            if state.settings.room == Room::Batch {
                panels::batch::show(ui, state, out);
            } else if state.wants_a_camera() {
                panels::live::picker(ui, state, out);
            } else if state.review.is_some() {
                docked::picture(ui, state, textures, out);
            } else {
                panels::empty::show(ui, state, out);
            }
            area
        })
}

/// What moves, and the curve: nothing else is for them.
fn around_for_an_audience(
    ui: &mut egui::Ui,
    state: &AppState,
    textures: &Textures,
    out: &mut Vec<Command>,
) {
    const CURVE: f32 = 180.0;
    let frame = docked::panel(ui);
    egui::Panel::right("side")
        .resizable(true)
        .default_size(dock::Pane::List.usual().x)
        .size_range(dock::Pane::List.least().x..=480.0)
        .frame(frame)
        .show(ui, |ui| {
            ui.take_available_space();
            panels::live::side(ui, state, textures, out);
        });
    egui::Panel::bottom("timeline for an audience")
        .exact_size(CURVE)
        .frame(frame)
        .show(ui, |ui| panels::timeline::show(ui, state, out));
}

impl App {
    /// Prints what was measured and closes the window once it is done.
    fn measure(&mut self, ctx: &egui::Context, took: measure::Took) {
        if self.play_when_opened
            && self
                .state
                .review
                .as_ref()
                .is_some_and(|r| !r.session.info.live)
        {
            self.play_when_opened = false;
            self.asked.push(Command::TogglePlay);
        }
        let Some(measure) = &mut self.measure else {
            return;
        };
        if measure.in_vain() {
            log::error!("nothing was analysed, so there is nothing to measure");
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        }
        let Some(cost) = measure.after_logic(took, &self.state) else {
            return;
        };
        use std::io::Write as _;
        let written = serde_json::to_string_pretty(&cost)
            .map_err(std::io::Error::from)
            .and_then(|text| writeln!(std::io::stdout(), "{text}"));
        if let Err(e) = written {
            log::error!("cannot print what was measured: {e}");
        }
        ctx.send_viewport_cmd(egui::ViewportCommand::Close);
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        let begun = measure::Stopwatch::start();
        App::logic(self, ctx);
        if self.measure.is_some() {
            self.measure(ctx, begun.took());
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        App::ui(self, ui);
    }

    fn save(&mut self, _storage: &mut dyn eframe::Storage) {
        self.save_settings();
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.save_settings();
        for command in self.backend.close() {
            for effect in self.state.apply(command) {
                if let command::Effect::RecordedTracks(tracks) = effect {
                    log::info!("{}", tracks.write().text);
                }
            }
        }
        if let Some(clip) = self.clip.take() {
            clip.give_up();
        }
        if let Some(review) = self.state.review.as_ref().filter(|r| r.unsaved) {
            for notice in saving::Saving::of(review).write() {
                log::info!("{}", notice.text);
            }
        }
    }

    fn auto_save_interval(&self) -> std::time::Duration {
        std::time::Duration::from_secs(5)
    }

    /// The settings file keeps the panels; egui's own memory would fight with it.
    fn persist_egui_memory(&self) -> bool {
        false
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}
