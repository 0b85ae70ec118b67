//! The keys: what each does, its id in the settings file and which key it is by default.
//! Which it is now stands in the [`Keymap`], for the `?` overlay and the tooltips too.

use std::sync::Arc;

use egui::{Context, Event, Id, Key, KeyboardShortcut, Modifiers, Ui};

use super::batch::BatchCommand;
use super::coder::{Coded, Edge};
use super::command::{Command, DialogKind, Overlay, Room, Sheet, View};
use super::dock::{DockCommand, Pane, Side, Way, held};
use super::key_change::KeyEdit;
use super::key_name;
use super::keymap::Keymap;
use crate::project::clip::ClipForm;
use crate::project::result_folder::Existing;
use crate::spotting::IntervalStatus;

/// A key moves the divider of a wiped picture by this part of its width.
const WIPE_STEP: f32 = 0.05;

/// In which rooms a key does what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Everywhere,
    /// Where a recording or a camera is looked at.
    Recording,
    Queue,
    /// Where a panel has the focus: nothing else is asked for there.
    Panel,
}

impl Scope {
    #[must_use]
    pub const fn holds(self, room: Room) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Recording | Self::Panel => !matches!(room, Room::Batch),
            Self::Queue => matches!(room, Room::Batch),
        }
    }

    /// Whether there is a room in which both hold.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self == other || self == Self::Everywhere || other == Self::Everywhere
    }
}

/// Something that a key does.
pub struct Binding {
    /// What the settings file calls it; stays the same whatever it is called in the window.
    pub id: &'static str,
    pub group: &'static str,
    pub scope: Scope,
    pub does: &'static str,
    pub default: KeyboardShortcut,
    pub command: fn() -> Command,
}

/// One of [`BINDINGS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action(usize);

impl Action {
    /// In the order in which the overlay shows them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..BINDINGS.len()).map(Self)
    }

    #[must_use]
    pub fn binding(self) -> &'static Binding {
        &BINDINGS[self.0]
    }

    pub(super) const fn index(self) -> usize {
        self.0
    }

    /// By its id; `None` where there is none of it.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Self::all().find(|a| a.binding().id == id)
    }

    /// By what it does, as the window says it.
    #[must_use]
    pub fn that(does: &str) -> Option<Self> {
        Self::all().find(|a| a.binding().does == does)
    }
}

const fn plain(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

const fn with(modifiers: Modifiers, key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(modifiers, key)
}

macro_rules! bindings {
    ($($group:literal, $scope:ident: {
        $($id:literal: $does:literal => $default:expr, $command:expr;)*
    })*) => {
        /// In the order in which the overlay shows them.
        pub const BINDINGS: &[Binding] = &[$($(
            Binding {
                id: $id,
                group: $group,
                scope: Scope::$scope,
                does: $does,
                default: $default,
                command: || $command,
            },
        )*)*];
    };
}

bindings! {
    "Play", Recording: {
        "play-or-pause": "Play or pause" => plain(Key::Space), Command::TogglePlay;
        "loop": "Loop" => with(Modifiers::SHIFT, Key::Space), Command::ToggleLoop;
        "next-frame": "Next frame" => plain(Key::ArrowRight), Command::Step(1);
        "previous-frame": "Previous frame" => plain(Key::ArrowLeft), Command::Step(-1);
        "ten-frames-on": "Ten frames on" => with(Modifiers::SHIFT, Key::ArrowRight), Command::Step(10);
        "ten-frames-back": "Ten frames back" => with(Modifiers::SHIFT, Key::ArrowLeft), Command::Step(-10);
        "jump-on": "Jump on" => with(Modifiers::COMMAND, Key::ArrowRight), Command::Jump(1);
        "jump-back": "Jump back" => with(Modifiers::COMMAND, Key::ArrowLeft), Command::Jump(-1);
        "first-frame": "First frame" => plain(Key::Home), Command::First;
        "last-frame": "Last frame" => plain(Key::End), Command::Last;
        "back-ten-frames": "Back ten frames" => plain(Key::J), Command::Step(-10);
        "pause": "Pause" => plain(Key::K), Command::Pause;
        "play-then-faster": "Play, then faster" => plain(Key::L), Command::PlayFaster;
        "slower": "Slower" => plain(Key::OpenBracket), Command::SpeedStep(-1);
        "faster": "Faster" => plain(Key::CloseBracket), Command::SpeedStep(1);
        "speed-0.1": "Speed 0.1×" => plain(Key::Num1), Command::Speed(0.1);
        "speed-0.25": "Speed 0.25×" => plain(Key::Num2), Command::Speed(0.25);
        "speed-0.5": "Speed 0.5×" => plain(Key::Num3), Command::Speed(0.5);
        "speed-1": "Speed 1×" => plain(Key::Num4), Command::Speed(1.0);
        "speed-2": "Speed 2×" => plain(Key::Num5), Command::Speed(2.0);
        "speed-4": "Speed 4×" => plain(Key::Num6), Command::Speed(4.0);
    }
    "Camera", Recording: {
        "back-to-live": "Back to live" => plain(Key::Backspace), Command::BackToLive;
        "record-camera": "Record the camera" => with(Modifiers::COMMAND, Key::R), Command::ToggleRecord;
        "mirror-camera": "Mirror the camera" => plain(Key::W), Command::ToggleMirror;
    }
    "Judge", Recording: {
        "next-candidate": "Next candidate" => plain(Key::N), Command::NextSpot;
        "previous-candidate": "Previous candidate" => plain(Key::P), Command::PreviousSpot;
        "accept": "Accept" => plain(Key::A), Command::Decide(IntervalStatus::Accepted);
        "reject": "Reject" => plain(Key::R), Command::Decide(IntervalStatus::Rejected);
        "onset-is-here": "Onset is here" => plain(Key::O), Command::Code(Coded::Edge(Edge::Onset));
        "apex-is-here": "Apex is here" => plain(Key::X), Command::Code(Coded::Edge(Edge::Apex));
        "offset-is-here": "Offset is here" => plain(Key::F), Command::Code(Coded::Edge(Edge::Offset));
        "new-annotation": "New annotation" => plain(Key::T), Command::Code(Coded::New);
        "enter-action-units": "Enter action units" => plain(Key::U), Command::Code(Coded::EnterUnits);
        "next-annotation": "Next annotation" => plain(Key::Period), Command::Code(Coded::Beside(1));
        "previous-annotation": "Previous annotation" => plain(Key::Comma), Command::Code(Coded::Beside(-1));
        "remove-annotation": "Remove the annotation" => plain(Key::Delete), Command::Code(Coded::Remove);
        "next-disagreement": "Next disagreement" => plain(Key::Y), Command::Disagree(1);
        "previous-disagreement": "Previous disagreement" => with(Modifiers::SHIFT, Key::Y), Command::Disagree(-1);
        "blind-pass": "Blind pass" => plain(Key::B), Command::Code(Coded::ToggleBlind);
        "redo": "Redo" => with(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z), Command::Redo;
        "undo": "Undo" => with(Modifiers::COMMAND, Key::Z), Command::Undo;
    }
    "Look", Everywhere: {
        "review-room": "Review room" => with(Modifiers::COMMAND, Key::Num1), Command::Room(Room::Review);
        "annotate-room": "Annotate room" => with(Modifiers::COMMAND, Key::Num2), Command::Room(Room::Annotate);
        "live-room": "Live room" => with(Modifiers::COMMAND, Key::Num3), Command::Room(Room::Live);
        "batch-room": "Batch room" => with(Modifiers::COMMAND, Key::Num4), Command::Room(Room::Batch);
    }
    "Look", Recording: {
        "magnified-view": "Magnified view on or off" => plain(Key::M), Command::ToggleView(View::Magnified);
        "next-view": "Next view" => plain(Key::V), Command::NextView;
        "arrangement": "Side by side, wiped, stacked" => plain(Key::C), Command::NextArrangement;
        "divider-left": "Divider to the left" => with(Modifiers::ALT, Key::ArrowLeft), Command::WipeBy(-WIPE_STEP);
        "divider-right": "Divider to the right" => with(Modifiers::ALT, Key::ArrowRight), Command::WipeBy(WIPE_STEP);
        "onset-apex-difference": "Onset, apex and difference" => plain(Key::D), Command::ToggleTriptych;
        "second-look": "Second look" => plain(Key::S), Command::ToggleSecondLook;
        "attention": "Attention over the face" => plain(Key::G), Command::ToggleOverlay(Overlay::Attention);
        "fit-candidate": "Fit the candidate" => plain(Key::Enter), Command::FitSelected;
        "zoom-to-selection": "Zoom to the selection" => plain(Key::Z), Command::FitSelection;
        "whole-recording": "Whole recording" => plain(Key::Num0), Command::LookAt(None);
        "arrange-panels": "Arrange panels" => with(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::P), Command::Dock(DockCommand::Arrange);
    }
    "Look", Everywhere: {
        "full-screen": "Full screen" => plain(Key::F11), Command::ToggleFullScreen;
        "close-or-deselect": "Close, or deselect" => plain(Key::Escape), Command::Escape;
    }
    "File", Recording: {
        "open-recording": "Open recording…" => with(Modifiers::COMMAND, Key::O), Command::AskForInput(DialogKind::Recording);
        "recent-recordings": "Recent recordings" => with(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::O), Command::Show(Sheet::Recent);
        "save-candidates": "Save the candidates" => with(Modifiers::COMMAND, Key::S), Command::Save;
        "report": "Report" => with(Modifiers::COMMAND, Key::E), Command::Report;
        "clip": "Clip" => with(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::E), Command::Clip(ClipForm::Mp4);
    }
    "File", Everywhere: {
        "show-keys": "These keys" => plain(Key::Questionmark), Command::Show(Sheet::Keys);
    }
    "Panel in focus", Panel: {
        "panel-left": "Panel to the left" => with(Modifiers::ALT, Key::ArrowLeft), Command::Dock(DockCommand::Move(None, Way::To(Side::Left)));
        "panel-right": "Panel to the right" => with(Modifiers::ALT, Key::ArrowRight), Command::Dock(DockCommand::Move(None, Way::To(Side::Right)));
        "panel-up": "Panel up" => with(Modifiers::ALT, Key::ArrowUp), Command::Dock(DockCommand::Move(None, Way::To(Side::Above)));
        "panel-down": "Panel down" => with(Modifiers::ALT, Key::ArrowDown), Command::Dock(DockCommand::Move(None, Way::To(Side::Below)));
        "panel-into-tabs": "Panel into tabs" => with(Modifiers::ALT, Key::T), Command::Dock(DockCommand::Move(None, Way::IntoTabs));
    }
    "Batch", Queue: {
        "queue-files": "Add recordings…" => with(Modifiers::COMMAND, Key::O), Command::AskForInput(DialogKind::QueueFiles);
        "queue-folders": "Add folders…" => with(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::O), Command::AskForInput(DialogKind::QueueFolders);
        "queue-start": "Start or pause" => plain(Key::Space), Command::Batch(BatchCommand::StartOrPause);
        "queue-next": "Next in the queue" => plain(Key::ArrowDown), Command::Batch(BatchCommand::Beside(1));
        "queue-previous": "Previous in the queue" => plain(Key::ArrowUp), Command::Batch(BatchCommand::Beside(-1));
        "queue-first": "First in the queue" => plain(Key::Home), Command::Batch(BatchCommand::First);
        "queue-last": "Last in the queue" => plain(Key::End), Command::Batch(BatchCommand::Last);
        "queue-up": "Move up" => with(Modifiers::COMMAND, Key::ArrowUp), Command::Batch(BatchCommand::Move(-1));
        "queue-down": "Move down" => with(Modifiers::COMMAND, Key::ArrowDown), Command::Batch(BatchCommand::Move(1));
        "queue-open": "Open in Review" => plain(Key::Enter), Command::Batch(BatchCommand::Open);
        "queue-cancel": "Cancel" => plain(Key::C), Command::Batch(BatchCommand::Cancel);
        "queue-remove": "Remove" => plain(Key::Delete), Command::Batch(BatchCommand::Remove);
        "queue-retry": "Try again" => plain(Key::R), Command::Batch(BatchCommand::Retry);
        "queue-retry-failed": "Try all failed again" => with(Modifiers::SHIFT, Key::R), Command::Batch(BatchCommand::RetryAllFailed);
        "queue-replace": "Replace" => plain(Key::E), Command::Batch(BatchCommand::Settle(Existing::Replace));
        "queue-keep-both": "Keep both" => plain(Key::K), Command::Batch(BatchCommand::Settle(Existing::KeepBoth));
        "queue-copy-log": "Copy the log" => plain(Key::L), Command::Batch(BatchCommand::CopyLog);
        "queue-results-in": "Choose the results' folder…" => plain(Key::F), Command::AskForInput(DialogKind::ResultsFolder);
        "queue-results-beside": "Results beside the recordings" => plain(Key::B), Command::Batch(BatchCommand::ResultsIn(None));
    }
}

/// Where the tooltips find the keymap: most are written where nothing but the window is at
/// hand.
fn place() -> Id {
    Id::unique("keymap")
}

/// Puts the keymap where the tooltips find it; before a frame is laid out.
pub fn lay_out(ctx: &Context, keys: &Arc<Keymap>) {
    ctx.data_mut(|d| d.insert_temp(place(), Arc::clone(keys)));
}

/// The keymap of the frame that is being laid out.
#[must_use]
pub fn current(ui: &Ui) -> Arc<Keymap> {
    ui.data(|d| d.get_temp(place())).unwrap_or_default()
}

/// The key alone: "A"; nothing where none does it.
#[must_use]
pub fn of(ui: &Ui, does: &str) -> String {
    current(ui).of(does)
}

/// "Accept (A)": what it does with its key, for a tooltip.
#[must_use]
pub fn tip(ui: &Ui, does: &str) -> String {
    current(ui).tip(does)
}

/// What the keys pressed in this frame ask for in a room; nothing while something is
/// typed. A panel that has the focus is moved.
pub fn pressed(ctx: &Context, keys: &Keymap, room: Room, out: &mut Vec<Command>) {
    if let Some(pane) = held::panel(ctx) {
        moved(ctx, keys, pane, out);
    }
    let typing = ctx.egui_wants_keyboard_input() || ctx.memory(|m| m.focused().is_some());
    // The key that leaves a field is the field's: Esc takes the focus away before anybody
    // is asked.
    let memory = Id::unique("something was typed");
    let typed = ctx.data_mut(|d| {
        let before = d.get_temp(memory).unwrap_or(false);
        d.insert_temp(memory, typing);
        before
    });
    let leaves = typed && ctx.input(|i| i.key_pressed(Key::Escape));
    if typing || leaves {
        return;
    }
    // So is the key that closes a menu the menu's.
    let menu = egui::Popup::is_any_open(ctx);
    let taken = take(ctx, |key, modifiers| {
        let closes = menu && key == Key::Escape;
        keys.at(key, modifiers, room).filter(|_| !closes)
    });
    // A key that is held steps on; everything else it does once.
    let done = taken
        .into_iter()
        .filter(|(command, repeat)| !repeat || repeats(command));
    out.extend(done.map(|(command, _)| command));
}

/// A panel is moved once a press.
fn moved(ctx: &Context, keys: &Keymap, pane: Pane, out: &mut Vec<Command>) {
    let before = out.len();
    for taken in take(ctx, |key, modifiers| keys.on_a_panel(key, modifiers)) {
        if let (Command::Dock(DockCommand::Move(_, way)), false) = taken {
            out.push(Command::Dock(DockCommand::Move(Some(pane), way)));
        }
    }
    if out.len() > before {
        held::moves(ctx);
    }
}

/// Takes the key presses of this frame that do something here: what each asks for, and
/// whether the key is held. Nobody else gets them.
fn take(ctx: &Context, does: impl Fn(Key, Modifiers) -> Option<Action>) -> Vec<(Command, bool)> {
    let mut taken = Vec::new();
    ctx.input_mut(|input| {
        input.events.retain(|event| {
            let Event::Key {
                key,
                pressed: true,
                modifiers,
                repeat,
                ..
            } = event
            else {
                return true;
            };
            let action = does(*key, *modifiers);
            taken.extend(action.map(|action| ((action.binding().command)(), *repeat)));
            action.is_none()
        });
    });
    taken
}

fn repeats(command: &Command) -> bool {
    matches!(
        command,
        Command::Step(_)
            | Command::Jump(_)
            | Command::WipeBy(_)
            | Command::Undo
            | Command::Redo
            | Command::Batch(BatchCommand::Beside(_) | BatchCommand::Move(_))
    )
}

/// While a key is waited for, whatever is pressed is that key and does nothing else.
pub fn caught(ctx: &Context, out: &mut Vec<Command>) {
    let clipboard = |key| with(Modifiers::COMMAND, key);
    let mut first = None;
    ctx.input_mut(|input| {
        input.events.retain(|event| {
            let key = match event {
                Event::Key {
                    key,
                    pressed: true,
                    repeat: false,
                    modifiers,
                    ..
                } if !key_name::is_modifier(*key) => with(*modifiers, *key),
                Event::Copy => clipboard(Key::C),
                Event::Cut => clipboard(Key::X),
                Event::Paste(_) => clipboard(Key::V),
                Event::Key { .. } | Event::Text(_) => return false,
                _ => return true,
            };
            first.get_or_insert(key);
            false
        });
    });
    out.extend(first.map(|key| Command::Keys(KeyEdit::Pressed(key))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_does_two_things_in_a_room_and_no_name_or_id_is_used_twice() {
        for (i, a) in BINDINGS.iter().enumerate() {
            for b in &BINDINGS[i + 1..] {
                let apart = !a.scope.meets(b.scope) || a.default != b.default;
                assert!(apart, "{} and {}", a.does, b.does);
                assert!(a.does != b.does, "{}", a.does);
                assert!(a.id != b.id, "{}", a.id);
            }
        }
    }

    #[test]
    fn every_way_a_panel_is_moved_has_its_key_by_the_name_the_menu_gives_it() {
        let of = |way: Way| Action::that(way.does()).map(|a| (a.binding().command)());
        for way in Way::ALL {
            let moves =
                |c: &Command| matches!(c, Command::Dock(DockCommand::Move(None, w)) if *w == way);
            assert!(of(way).is_some_and(|c| moves(&c)), "{}", way.does());
        }
    }

    #[test]
    fn ids_are_lower_case_words_and_defaults_are_free_keys() {
        for b in BINDINGS {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            assert!(b.id.chars().all(plain), "{}", b.id);
            assert_eq!(key_name::reserved(&b.default), None, "{}", b.id);
            assert_eq!(key_name::plainly(b.default), b.default, "{}", b.id);
        }
    }
}
