//! What the window knows, as plain data: no thread, no texture, no clock. Every command is
//! handed on from here to the file that carries it out.

use super::backend::{Machine, PlayerOrder};
use super::batch::Batch;
use super::coder::blind::BlindPasses;
use super::command::{Command, Effect, Room, Sheet, SideTab};
use super::entrance::Entrance;
use super::key_change::KeyChange;
use super::notices::NoticeLog;
use super::recent::Recent;
use super::review::Review;
use super::saving::Saving;
use super::second_look::SecondLookView;
use super::settings::Settings;
use super::views_wanted::ViewsKey;
use crate::base::{Notice, Severity};
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
        effects.extend(self.views_follow());
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
            Command::Views { generation, views } => self.views_drawn(generation, *views),
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
}
