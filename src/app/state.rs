//! What the window knows, as plain data: no thread, no texture, no clock.

use super::backend::{Machine, PlayerOrder};
use super::batch::Batch;
use super::coder::blind::BlindPasses;
use super::command::{Command, Effect, Overlay, Room, Sheet, SideTab, View};
use super::entrance::Entrance;
use super::key_change::KeyChange;
use super::notices::NoticeLog;
use super::recent::Recent;
use super::review::Review;
use super::saving::Saving;
use super::second_look::SecondLookView;
use super::settings::Settings;
use super::time_view::TimeView;
use super::views_wanted::ViewsKey;
use crate::base::{Notice, Severity};
use crate::spotting::ExpressionKind;
use crate::timeline::Event;

/// Preset speeds; 1 is the recording's own pace.
pub const SPEEDS: [f32; 6] = [0.1, 0.25, 0.5, 1.0, 2.0, 4.0];
/// How many frames a jump may go.
pub const JUMPS: std::ops::RangeInclusive<u32> = 2..=10_000;

#[derive(Debug, Clone, Default)]
pub struct AppState {
    pub settings: Settings,
    pub machine: Machine,
    pub entrance: Entrance,
    pub recent: Recent,
    pub review: Option<Review>,
    pub batch: Batch,
    /// Percent that are written of a clip; `None` while none is.
    pub clip: Option<u8>,
    pub notices: NoticeLog,
    /// The log shows what is at least so severe.
    pub log_from: Severity,
    /// What stands beside the middle where nothing is open; with panels, they do.
    pub tab: SideTab,
    pub second_look: SecondLookView,
    /// What lies over everything else.
    pub sheet: Option<Sheet>,
    /// Panels are being arranged; asked with [`AppState::arranges`].
    pub(super) arranging: bool,
    /// How large all panels together are, points; zero while nobody has seen them.
    pub panels_within: egui::Vec2,
    /// A key that is being changed.
    pub key_change: KeyChange,
    pub blind_passes: BlindPasses,
    pub full_screen: bool,
    /// The field for units wants the keys.
    pub entering_units: bool,
    /// Seconds since the window opened.
    pub now: f64,
    /// The neighbours that were last asked for.
    pub(super) last_strip: Option<(u64, Option<crate::media::StripWish>)>,
    /// What was last compared: session, onset, frame, gain.
    pub(super) last_comparison: Option<(u64, crate::media::StillKey, u64, f32)>,
    /// Of which pictures beside the original were last asked for.
    pub(super) last_views: Option<ViewsKey>,
}

impl AppState {
    #[must_use]
    pub fn new(settings: Settings, machine: Machine) -> Self {
        Self {
            settings,
            machine,
            ..Self::default()
        }
    }

    /// Whether a blind pass hides what the networks and other coders say. It does not end in
    /// a room that shows no recording.
    #[must_use]
    pub fn blind(&self) -> bool {
        let runs = self.review.as_ref().is_some_and(|r| r.blind_pass);
        self.settings.blind && (self.settings.room == Room::Annotate || runs)
    }

    /// In the Live room no camera runs.
    #[must_use]
    pub fn wants_a_camera(&self) -> bool {
        let live = |r: &Review| r.session.info.live;
        self.settings.room == Room::Live && !self.review.as_ref().is_some_and(live)
    }

    /// A camera is shown to an audience, on the whole screen.
    #[must_use]
    pub fn demonstrates(&self) -> bool {
        self.full_screen && self.settings.room == Room::Live && !self.wants_a_camera()
    }

    /// Carries out a command and says what the world outside is to do about it.
    pub fn apply(&mut self, command: Command) -> Vec<Effect> {
        let before = self.settings.clone();
        let mut effects = self.carry_out(command);
        self.follow_the_blind_pass();
        effects.extend(self.keep_the_blind_pass());
        effects.extend(self.nothing_hidden_is_worked_on());
        effects.extend(self.carry_out_what_waited());
        effects.extend(self.keep_analysis());
        self.compare_anew();
        if let Some(wanted) = self.views_wanted() {
            effects.push(Effect::Views(Box::new(wanted)));
        }
        effects.extend(self.strip_wanted());
        effects.extend(self.stills_wanted());
        effects.extend(self.comparison_wanted());
        effects.extend(self.plan_wanted());
        if self.settings != before {
            if self.settings.theme != before.theme {
                effects.push(Effect::Theme(self.settings.theme));
            }
            effects.push(Effect::SaveSettings);
        }
        effects
    }

    /// In a blind pass neither a candidate nor another coder's annotation is marked or
    /// looped.
    fn nothing_hidden_is_worked_on(&mut self) -> Vec<Effect> {
        let blind = self.blind();
        let coder = &self.settings.coder;
        let Some(review) = self.review.as_mut() else {
            return vec![];
        };
        if review.coding.sign_as(coder) {
            review.decided();
        }
        let marked = review.marked.is_some() || review.selected.is_some();
        let own = review.annotation().is_some_and(|a| a.coder == *coder);
        if !blind || !marked || own {
            return vec![];
        }
        review.select(None);
        match review.playback.looped.take() {
            Some(_) => vec![Effect::Player(PlayerOrder::Loop(None))],
            None => vec![],
        }
    }

    pub(super) fn carry_out(&mut self, command: Command) -> Vec<Effect> {
        if let Some(asked) = self.asks_before_showing(&command) {
            return asked;
        }
        if let Some(held) = self.holds(&command) {
            return held;
        }
        match command {
            Command::AskForInput(_)
            | Command::DialogClosed(..)
            | Command::SeveralChosen(_)
            | Command::EditPath(_)
            | Command::Open(_)
            | Command::OpenSample
            | Command::AnalyseAgain
            | Command::AskWhere(_)
            | Command::GiveUp
            | Command::ListCameras
            | Command::Opened(_)
            | Command::OpenFailed { .. }
            | Command::Cameras(_) => self.enter(command),

            command if command.goes() => self.play(command),
            Command::Speed(_)
            | Command::SpeedStep(_)
            | Command::BackToLive
            | Command::Frozen { .. }
            | Command::PlaybackEnded { .. } => self.play(command),
            Command::ToggleRecord | Command::Recording { .. } => self.record(command),

            Command::Decide(_) | Command::Code(_) | Command::Undo | Command::Redo => {
                self.say_of_recording(command)
            }
            Command::Strip { .. } => {
                self.strip(command);
                vec![]
            }
            Command::InSight(_) | Command::Stills { .. } | Command::Compared { .. } => {
                self.stills(command);
                vec![]
            }
            Command::Arrange(_)
            | Command::NextArrangement
            | Command::Wipe(_)
            | Command::WipeBy(_)
            | Command::ToggleTriptych
            | Command::DifferenceGain(_) => {
                self.arrange(command);
                vec![]
            }
            Command::Dock(command) => self.arrange_panels(command),
            Command::LookForRecent | Command::ForgetMissing | Command::RecentMissing(_) => {
                self.recent(command)
            }
            Command::Project { generation, news } => self.project(generation, *news),
            Command::Kept { generation, kept } => self.kept(generation, kept),
            Command::Passes(found) => {
                self.learn_of_blind_passes(found);
                vec![]
            }
            Command::Merged { generation, joined } => self.merged(generation, *joined),
            Command::CompareCoders(_) | Command::Disagree(_) | Command::ToDisagreement(_) => {
                self.compare(command)
            }

            Command::Save | Command::Report if self.still_read().is_some() => {
                let why = self.still_read().unwrap_or_default();
                self.say(Notice::info(why));
                vec![Effect::WakeAfter(8.1)]
            }
            Command::Save if self.blind() => {
                self.say(Notice::info(self.settings.keys.fill(
                    "The tables hold what the networks found: end the blind pass first, \
                     {Blind pass}. What you coded is in the project already, and can be exported.",
                )));
                vec![Effect::WakeAfter(8.1)]
            }
            Command::Save => match self.review.as_ref() {
                Some(review)
                    if !review.spots.is_empty() || !review.coding.annotations().is_empty() =>
                {
                    vec![Effect::SaveCandidates(Box::new(Saving::of(review)))]
                }
                _ => {
                    self.say(Notice::info("There is no candidate to save yet."));
                    vec![Effect::WakeAfter(8.1)]
                }
            },

            Command::Report
            | Command::Export(_)
            | Command::Import(_)
            | Command::Merge(_)
            | Command::Imported { .. } => self.exchange(command),

            Command::ImportSaid { generation, said } => self.say_of_an_import(generation, *said),

            Command::Clip(form) => self.clip(form),
            Command::ClipNews(news) => self.clip_news(news),

            Command::Batch(command) => self.batch(command),
            Command::BatchNews(news) => self.batch_news(news),

            Command::Clock(now) => self.clock(now),
            Command::Events { generation, events } => self.hear(generation, events),
            Command::Status { generation, status } => {
                let now = self.now;
                let mut failure = None;
                if let Some(review) = self.of(generation) {
                    if status.failed.is_some() && review.status.failed != status.failed {
                        failure.clone_from(&status.failed);
                    }
                    review.status = status;
                }
                // Everything heard so far stays. The analysis may have said it itself.
                if let Some(why) = failure
                    && !self.notices.said(&why)
                {
                    self.notices.push(Notice::error(why), now);
                }
                vec![]
            }
            Command::Picture { generation, frame } => {
                if let Some(review) = self.of(generation) {
                    review.show_picture(frame);
                    review.follow();
                }
                vec![]
            }
            Command::SeekEnded {
                generation,
                asked,
                last,
            } => {
                if let Some(review) = self.of(generation) {
                    review.seek_ended(asked, last);
                    review.follow();
                }
                vec![]
            }
            Command::Decoded {
                generation,
                furthest,
            } => {
                if let Some(review) = self.of(generation) {
                    review.has_decoded(furthest);
                }
                vec![]
            }
            Command::Views { generation, views } => {
                if let Some(review) = self.of(generation) {
                    review.views = *views;
                    review.views_count += 1;
                }
                vec![]
            }
            Command::Attention(found) => {
                if let Some(review) = self.of(found.generation) {
                    review.moment = Some(*found);
                    review.moment_count += 1;
                }
                vec![]
            }
            Command::Say(notice) => {
                self.say(notice);
                vec![Effect::WakeAfter(8.1)]
            }
            other => self.look(other),
        }
    }

    /// The open recording, unless it is another one than meant.
    pub(super) fn of(&mut self, generation: u64) -> Option<&mut Review> {
        self.review
            .as_mut()
            .filter(|r| r.session.generation == generation)
    }

    fn still_read(&self) -> Option<&'static str> {
        self.review.as_ref().and_then(Review::still_read)
    }

    pub(super) fn say(&mut self, notice: Notice) {
        self.notices.push(notice, self.now);
    }

    fn hear(&mut self, generation: u64, events: Vec<Event>) -> Vec<Effect> {
        let mut said = Vec::new();
        if let Some(review) = self.of(generation) {
            for event in events {
                if let Event::Notice(notice) = &event {
                    said.push(notice.clone());
                }
                review.tell(event);
            }
        }
        let wake = said.iter().any(|n| n.severity == Severity::Info);
        said.into_iter().for_each(|n| self.say_of_the_analysis(n));
        if wake {
            vec![Effect::WakeAfter(8.1)]
        } else {
            vec![]
        }
    }

    fn play(&mut self, command: Command) -> Vec<Effect> {
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
                review.select(Some(super::coding::SpotKey::of(&spot)));
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

    pub(super) fn look(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::ToggleOverlay(overlay) => {
                let o = &mut self.settings.overlays;
                let flag = match overlay {
                    Overlay::FaceBox => &mut o.face_box,
                    Overlay::Landmarks => &mut o.landmarks,
                    Overlay::Regions => &mut o.regions,
                    Overlay::Attention => &mut o.attention,
                };
                *flag = !*flag;
            }
            Command::ToggleView(view) => {
                let s = &mut self.settings.shown;
                let flag = match view {
                    View::Magnified => &mut s.magnified,
                    View::Led => &mut s.led,
                    View::Flow => &mut s.flow,
                    View::Strain => &mut s.strain,
                };
                *flag = !*flag;
            }
            Command::Magnify(with) => self.settings.magnify = with.sane(),
            Command::NextView => self.settings.shown = self.settings.shown.next(),
            Command::LookAt(view) => self.timeline(|r| r.timeline.view = view),
            // Where there is nothing to fit, Enter does what the room's first button does.
            Command::FitSelected if self.wants_a_camera() => {
                let input = self.entrance.first_camera().map(str::to_owned);
                return input.map_or_else(Vec::new, |input| self.enter(Command::Open(input)));
            }
            Command::FitSelected => self.timeline(|r| {
                if let Some(s) = r.selected_spot() {
                    let (a, b) = (r.time_of(s.onset).secs(), r.time_of(s.offset).secs());
                    r.timeline.view = Some(TimeView::fitting(a, b, r.limits()));
                }
            }),
            Command::SelectTime(span) => self.timeline(|r| {
                r.timeline.selection = span.map(|(a, b)| (a.min(b), a.max(b)));
            }),
            Command::FitSelection => self.timeline(|r| {
                if let Some((start, end)) = r.timeline.selection.take() {
                    r.timeline.view = Some(TimeView { start, end }.zoomed(1.0, start, r.limits()));
                }
            }),
            Command::Floor(kind, value) => self.timeline(|r| {
                match value {
                    Some(v) => r.timeline.floors.insert(kind, v.max(0.0)),
                    None => r.timeline.floors.remove(&kind),
                };
            }),
            Command::ShowTab(tab) => self.show_tab(tab),
            Command::Room(room) => {
                self.settings.room = room;
                self.entrance.room = None;
                if room == Room::Batch {
                    // The path of what is open is none to be queued.
                    self.entrance.path.clear();
                    // Nobody sees or hears it there.
                    return self.review.as_mut().map_or_else(Vec::new, Review::pause);
                }
            }
            Command::ToggleMirror => self.settings.mirror = !self.settings.mirror,
            Command::Emotions(labels) => self.settings.emotions = labels,
            Command::Theme(theme) => self.settings.theme = theme,
            Command::Colours(colours) => self.settings.colours = colours,
            Command::Heat(heat) => self.settings.heat = heat,
            Command::Decode(mode) => self.settings.params.decode = mode,
            Command::Device(device) => self.settings.params.device = device,
            Command::Flow(preset) => self.settings.params.flow = preset,
            Command::Spotter(spotter) => self.settings.params.spotter = spotter,
            Command::SecondLookWeights(mut paths) => {
                // The same opinion twice tells nothing more.
                let mut seen = std::collections::BTreeSet::new();
                paths.retain(|path| seen.insert(path.clone()));
                self.settings.params.second_look = paths;
            }
            Command::LookAgain(view) => self.second_look = view,
            Command::ToggleSecondLook => self.second_look.shown = !self.second_look.shown,
            Command::Weights(kind, path) => match kind {
                ExpressionKind::Macro => self.settings.params.macro_weights = path,
                ExpressionKind::Micro => self.settings.params.micro_weights = path,
            },
            Command::Show(sheet) => {
                self.sheet = (self.sheet != Some(sheet)).then_some(sheet);
                self.key_change = KeyChange::None;
                if self.sheet == Some(Sheet::Recent) {
                    return self.recent(Command::LookForRecent);
                }
            }
            Command::Keys(edit) => self.change_key(edit),
            Command::JumpBy(frames) => {
                self.settings.jump_frames = frames.clamp(*JUMPS.start(), *JUMPS.end());
            }
            Command::HintsSeen => self.settings.hints_seen = true,
            Command::ToggleFullScreen => {
                self.full_screen = !self.full_screen;
                return vec![Effect::FullScreen(self.full_screen)];
            }
            Command::Escape => {
                let frozen = self.review.as_ref().is_some_and(|r| r.frozen.is_some());
                if self.key_change != KeyChange::None {
                    self.key_change = KeyChange::None;
                } else if self.sheet.is_some() {
                    self.sheet = None;
                } else if self.arranges() {
                    self.arranging = false;
                } else if self.full_screen {
                    return self.look(Command::ToggleFullScreen);
                } else if self.settings.room == Room::Batch {
                    // Nothing that is not seen is deselected.
                } else if frozen {
                    return self.play(Command::BackToLive);
                } else {
                    self.timeline(|r| {
                        if r.timeline.selection.take().is_none() {
                            r.select(None);
                        }
                    });
                }
            }
            Command::Dismiss(id) => self.notices.dismiss(id),
            Command::DismissAll => self.notices.dismiss_all(),
            Command::Copy(text) => return vec![Effect::Copy(text)],
            Command::LogFrom(severity) => self.log_from = severity,
            Command::SaveLog => {
                let review = self.review.as_ref();
                let media = review.and_then(|r| r.session.info.path.clone());
                return vec![Effect::SaveLog(self.notices.text(), media)];
            }
            _ => {}
        }
        vec![]
    }

    fn timeline(&mut self, change: impl FnOnce(&mut Review)) {
        if let Some(review) = self.review.as_mut() {
            change(review);
        }
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
    fn follow(&mut self) {
        if let Some(view) = self.timeline.view {
            let cursor = self.time_of(self.playback.frame).secs();
            self.timeline.view = Some(view.following(cursor, self.limits()));
        }
    }
}
