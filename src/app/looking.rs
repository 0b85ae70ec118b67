//! Commands that change what is shown and how: overlays and views, the timeline's stretch,
//! rooms and sheets, settings.

use super::command::{Command, Effect, Overlay, Room, Sheet, View};
use super::key_change::KeyChange;
use super::review::Review;
use super::state::{AppState, JUMPS};
use super::time_view::TimeView;
use crate::base::Notice;
use crate::spotting::ExpressionKind;

impl AppState {
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
                // What did not open is no news in another room.
                self.entrance.failed = None;
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
            Command::ToggleSecondLook => {
                let review = self.review.as_ref();
                let looks = review.is_some_and(|r| !r.session.second_look.is_empty());
                if !looks {
                    self.say(Notice::info(
                        "No other network looks at these candidates. Choose weights for a second \
                         look in Settings, then press “Analyse again” there.",
                    ));
                    return vec![Effect::WakeAfter(8.1)];
                }
                self.second_look.shown = !self.second_look.shown;
            }
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
