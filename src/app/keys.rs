//! The keys: one table for what they do, for the `?` overlay and for the tooltips.

use egui::{Key, KeyboardShortcut, Modifiers};

use super::coder::{Coded, Edge};
use super::command::{Command, DialogKind, Overlay, Room, View};
use crate::spotting::IntervalStatus;

/// A key and what it does.
pub struct Binding {
    pub group: &'static str,
    pub does: &'static str,
    pub shortcut: KeyboardShortcut,
    pub command: fn() -> Command,
}

const fn plain(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

const fn with(modifiers: Modifiers, key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(modifiers, key)
}

macro_rules! bindings {
    ($($group:literal: { $($does:literal => $shortcut:expr, $command:expr;)* })*) => {
        /// In the order in which the overlay shows them.
        pub const BINDINGS: &[Binding] = &[$($(
            Binding {
                group: $group,
                does: $does,
                shortcut: $shortcut,
                command: || $command,
            },
        )*)*];
    };
}

bindings! {
    "Play": {
        "Play or pause" => plain(Key::Space), Command::TogglePlay;
        "Loop" => with(Modifiers::SHIFT, Key::Space), Command::ToggleLoop;
        "Next frame" => plain(Key::ArrowRight), Command::Step(1);
        "Previous frame" => plain(Key::ArrowLeft), Command::Step(-1);
        "Ten frames on" => with(Modifiers::SHIFT, Key::ArrowRight), Command::Step(10);
        "Ten frames back" => with(Modifiers::SHIFT, Key::ArrowLeft), Command::Step(-10);
        "First frame" => plain(Key::Home), Command::First;
        "Last frame" => plain(Key::End), Command::Last;
        "Back ten frames" => plain(Key::J), Command::Step(-10);
        "Pause" => plain(Key::K), Command::Pause;
        "Play, then faster" => plain(Key::L), Command::PlayFaster;
        "Slower" => plain(Key::OpenBracket), Command::SpeedStep(-1);
        "Faster" => plain(Key::CloseBracket), Command::SpeedStep(1);
        "Speed 0.1×" => plain(Key::Num1), Command::Speed(0.1);
        "Speed 0.25×" => plain(Key::Num2), Command::Speed(0.25);
        "Speed 0.5×" => plain(Key::Num3), Command::Speed(0.5);
        "Speed 1×" => plain(Key::Num4), Command::Speed(1.0);
        "Speed 2×" => plain(Key::Num5), Command::Speed(2.0);
        "Speed 4×" => plain(Key::Num6), Command::Speed(4.0);
    }
    "Camera": {
        "Back to live" => plain(Key::Backspace), Command::BackToLive;
        "Record the camera" => with(Modifiers::COMMAND, Key::R), Command::ToggleRecord;
        "Mirror the camera" => plain(Key::W), Command::ToggleMirror;
    }
    "Judge": {
        "Next candidate" => plain(Key::N), Command::NextSpot;
        "Previous candidate" => plain(Key::P), Command::PreviousSpot;
        "Accept" => plain(Key::A), Command::Decide(IntervalStatus::Accepted);
        "Reject" => plain(Key::R), Command::Decide(IntervalStatus::Rejected);
        "Onset is here" => plain(Key::O), Command::Code(Coded::Edge(Edge::Onset));
        "Apex is here" => plain(Key::X), Command::Code(Coded::Edge(Edge::Apex));
        "Offset is here" => plain(Key::F), Command::Code(Coded::Edge(Edge::Offset));
        "New annotation" => plain(Key::T), Command::Code(Coded::New);
        "Enter action units" => plain(Key::U), Command::Code(Coded::EnterUnits);
        "Next annotation" => plain(Key::Period), Command::Code(Coded::Beside(1));
        "Previous annotation" => plain(Key::Comma), Command::Code(Coded::Beside(-1));
        "Remove the annotation" => plain(Key::Delete), Command::Code(Coded::Remove);
        "Blind pass" => plain(Key::B), Command::Code(Coded::ToggleBlind);
        "Redo" => with(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z), Command::Redo;
        "Undo" => with(Modifiers::COMMAND, Key::Z), Command::Undo;
    }
    "Look": {
        "Review room" => with(Modifiers::COMMAND, Key::Num1), Command::Room(Room::Review);
        "Annotate room" => with(Modifiers::COMMAND, Key::Num2), Command::Room(Room::Annotate);
        "Live room" => with(Modifiers::COMMAND, Key::Num3), Command::Room(Room::Live);
        "Magnified view on or off" => plain(Key::M), Command::ToggleView(View::Magnified);
        "Next view" => plain(Key::V), Command::NextView;
        "Second look" => plain(Key::S), Command::ToggleSecondLook;
        "Attention over the face" => plain(Key::G), Command::ToggleOverlay(Overlay::Attention);
        "Fit the candidate" => plain(Key::Enter), Command::FitSelected;
        "Zoom to the selection" => plain(Key::Z), Command::FitSelection;
        "Whole recording" => plain(Key::Num0), Command::LookAt(None);
        "Full screen" => plain(Key::F11), Command::ToggleFullScreen;
        "Close, or deselect" => plain(Key::Escape), Command::Escape;
    }
    "File": {
        "Open recording…" => with(Modifiers::COMMAND, Key::O), Command::AskForInput(DialogKind::Recording);
        "Save the candidates" => with(Modifiers::COMMAND, Key::S), Command::Save;
        "Report" => with(Modifiers::COMMAND, Key::E), Command::Report;
        "These keys" => plain(Key::Questionmark), Command::ToggleHelp;
    }
}

/// As the overlay and the tooltips write a key.
#[must_use]
pub fn name(shortcut: &KeyboardShortcut) -> String {
    let mut s = String::new();
    if shortcut.modifiers.command {
        s.push_str(if cfg!(target_os = "macos") {
            "Cmd+"
        } else {
            "Ctrl+"
        });
    }
    if shortcut.modifiers.shift {
        s.push_str("Shift+");
    }
    s.push_str(match shortcut.logical_key {
        Key::ArrowRight => "Right",
        Key::ArrowLeft => "Left",
        Key::OpenBracket => "[",
        Key::CloseBracket => "]",
        Key::Questionmark => "?",
        Key::Period => ".",
        Key::Comma => ",",
        Key::Delete => "Del",
        Key::Escape => "Esc",
        key => key.name(),
    });
    s
}

/// The key alone: "A"; nothing where none does it.
#[must_use]
pub fn of(does: &str) -> String {
    let binding = BINDINGS.iter().find(|b| b.does == does);
    binding.map_or_else(String::new, |b| name(&b.shortcut))
}

/// "Accept (A)": what it does with its key, for a tooltip.
#[must_use]
pub fn tip(does: &str) -> String {
    match BINDINGS.iter().find(|b| b.does == does) {
        Some(b) => format!("{does} ({})", name(&b.shortcut)),
        None => does.to_owned(),
    }
}

/// What the keys pressed in this frame ask for; nothing while something is typed.
pub fn pressed(ctx: &egui::Context, out: &mut Vec<Command>) {
    let typing = ctx.egui_wants_keyboard_input() || ctx.memory(|m| m.focused().is_some());
    // The key that leaves a field is the field's: Esc takes the focus away before anybody
    // is asked.
    let memory = egui::Id::unique("something was typed");
    let typed = ctx.data_mut(|d| {
        let before = d.get_temp(memory).unwrap_or(false);
        d.insert_temp(memory, typing);
        before
    });
    let leaves = typed && ctx.input(|i| i.key_pressed(Key::Escape));
    if typing || leaves {
        return;
    }
    ctx.input_mut(|input| {
        input.events.retain(|event| {
            let egui::Event::Key {
                key,
                pressed: true,
                modifiers,
                repeat,
                ..
            } = event
            else {
                return true;
            };
            let binding = BINDINGS.iter().find(|b| {
                b.shortcut.logical_key == *key
                    && (is_punctuation(*key) || modifiers.matches_exact(b.shortcut.modifiers))
            });
            // A key that is held steps on; everything else it does once.
            if let Some(command) = binding.map(|b| (b.command)())
                && (!repeat || matches!(command, Command::Step(_) | Command::Undo | Command::Redo))
            {
                out.push(command);
            }
            binding.is_none()
        });
    });
}

/// Reached with Shift or AltGr on many layouts: the character decides.
fn is_punctuation(key: Key) -> bool {
    matches!(
        key,
        Key::Questionmark | Key::OpenBracket | Key::CloseBracket
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_does_two_things_and_no_name_is_used_twice() {
        for (i, a) in BINDINGS.iter().enumerate() {
            for b in &BINDINGS[i + 1..] {
                assert!(a.shortcut != b.shortcut, "{} and {}", a.does, b.does);
                assert!(a.does != b.does, "{}", a.does);
            }
        }
    }

    #[test]
    fn a_tooltip_names_its_key() {
        assert_eq!(tip("Accept"), "Accept (A)");
        assert_eq!(tip("Ten frames back"), "Ten frames back (Shift+Left)");
    }
}
