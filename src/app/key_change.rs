//! How a person changes a key: one is waited for, and where another has it, that is asked.

use std::sync::Arc;

use egui::{Key, KeyboardShortcut, Modifiers};

use super::key_name::{self, name};
use super::keymap::Keymap;
use super::keys::Action;
use super::state::AppState;

/// What a person does in the list of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyEdit {
    /// The next key that is pressed is this one's.
    Listen(Action),
    Pressed(KeyboardShortcut),
    GiveUp,
    /// The key that was pressed, although another has it: that one has none then.
    TakeAnyway,
    Reset(Action),
    ResetAll,
}

/// How far a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyChange {
    #[default]
    None,
    Listening(Action),
    Taken {
        action: Action,
        key: KeyboardShortcut,
        by: Action,
    },
    /// The window itself does something with the key.
    Reserved {
        action: Action,
        key: KeyboardShortcut,
        why: &'static str,
    },
}

impl KeyChange {
    /// The sentence under an action's row; `None` where there is nothing to say.
    #[must_use]
    pub fn sentence(self, of: Action) -> Option<String> {
        match self {
            Self::Taken { action, key, by } if action == of => Some(format!(
                "{} has a use: {}. Take it anyway?",
                name(&key),
                by.binding().does
            )),
            Self::Reserved { action, key, why } if action == of => {
                Some(format!("{} {why}. Choose another key.", name(&key)))
            }
            _ => None,
        }
    }
}

impl AppState {
    /// Whether the next key that is pressed becomes some action's.
    #[must_use]
    pub fn listens(&self) -> bool {
        matches!(self.key_change, KeyChange::Listening(_))
    }

    pub(super) fn change_key(&mut self, edit: KeyEdit) {
        let before = std::mem::take(&mut self.key_change);
        match edit {
            KeyEdit::Listen(action) => self.key_change = KeyChange::Listening(action),
            KeyEdit::Pressed(pressed) => {
                if let KeyChange::Listening(action) = before {
                    self.pressed_for(action, key_name::plainly(pressed));
                }
            }
            KeyEdit::GiveUp => {}
            KeyEdit::TakeAnyway => {
                if let KeyChange::Taken { action, key, by } = before {
                    Arc::make_mut(&mut self.settings.keys).set(by, None);
                    // What works in every room may have one more rival.
                    self.give(action, key);
                }
            }
            KeyEdit::Reset(action) => self.give(action, action.binding().default),
            KeyEdit::ResetAll => self.settings.keys = Arc::new(Keymap::default()),
        }
    }

    /// Esc gives up and Backspace removes the key; everything else is the new one.
    fn pressed_for(&mut self, action: Action, key: KeyboardShortcut) {
        if key == KeyboardShortcut::new(Modifiers::NONE, Key::Escape) {
            return;
        }
        if key == KeyboardShortcut::new(Modifiers::NONE, Key::Backspace) {
            Arc::make_mut(&mut self.settings.keys).set(action, None);
            return;
        }
        match key_name::reserved(&key) {
            Some(why) => self.key_change = KeyChange::Reserved { action, key, why },
            None => self.give(action, key),
        }
    }

    /// Asks first where another has the key.
    fn give(&mut self, action: Action, key: KeyboardShortcut) {
        match self.settings.keys.rival(action, key) {
            Some(by) => self.key_change = KeyChange::Taken { action, key, by },
            None => Arc::make_mut(&mut self.settings.keys).set(action, Some(key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::command::{Command, Effect};

    fn named(id: &str) -> Action {
        Action::named(id).unwrap()
    }

    fn press(state: &mut AppState, text: &str) -> Vec<Effect> {
        let key = key_name::parse(text).unwrap();
        state.apply(Command::Keys(KeyEdit::Pressed(key)))
    }

    fn edit(state: &mut AppState, edit: KeyEdit) {
        state.apply(Command::Keys(edit));
    }

    #[test]
    fn the_next_key_becomes_the_actions_and_the_settings_are_kept() {
        let mut state = AppState::default();
        edit(&mut state, KeyEdit::Listen(named("accept")));
        assert!(state.listens());
        let effects = press(&mut state, "Shift+A");
        assert!(effects.iter().any(|e| matches!(e, Effect::SaveSettings)));
        assert_eq!(state.settings.keys.of("Accept"), "Shift+A");
        assert!(!state.listens());
        // Nobody listens: a key changes nothing.
        press(&mut state, "Q");
        assert_eq!(state.settings.keys.of("Accept"), "Shift+A");
    }

    #[test]
    fn a_taken_key_is_asked_for_and_leaves_the_other_without_one() {
        let mut state = AppState::default();
        let accept = named("accept");
        edit(&mut state, KeyEdit::Listen(accept));
        press(&mut state, "Space");
        assert_eq!(
            state.key_change.sentence(accept).as_deref(),
            Some("Space has a use: Play or pause. Take it anyway?")
        );
        assert_eq!(state.settings.keys.of("Accept"), "A");
        edit(&mut state, KeyEdit::GiveUp);
        assert_eq!(state.key_change, KeyChange::None);
        edit(&mut state, KeyEdit::Listen(accept));
        press(&mut state, "Space");
        edit(&mut state, KeyEdit::TakeAnyway);
        assert_eq!(state.settings.keys.of("Accept"), "Space");
        assert_eq!(state.settings.keys.of("Play or pause"), "");
        // Its default is taken now: that is asked too.
        let play = named("play-or-pause");
        edit(&mut state, KeyEdit::Reset(play));
        assert!(state.key_change.sentence(play).is_some());
        edit(&mut state, KeyEdit::ResetAll);
        assert_eq!(*state.settings.keys, Keymap::default());
    }

    #[test]
    fn esc_gives_up_backspace_removes_and_reserved_keys_are_refused() {
        let mut state = AppState::default();
        let accept = named("accept");
        edit(&mut state, KeyEdit::Listen(accept));
        press(&mut state, "Esc");
        assert_eq!(state.settings.keys.of("Accept"), "A");
        edit(&mut state, KeyEdit::Listen(accept));
        press(&mut state, "Ctrl+C");
        let said = state.key_change.sentence(accept).unwrap();
        assert!(said.contains("belongs to the clipboard"), "{said}");
        edit(&mut state, KeyEdit::Listen(accept));
        press(&mut state, "Backspace");
        assert_eq!(state.settings.keys.of("Accept"), "");
        edit(&mut state, KeyEdit::Reset(accept));
        assert_eq!(*state.settings.keys, Keymap::default());
    }

    #[test]
    fn a_jump_is_as_long_as_the_settings_say() {
        let mut state = AppState::default();
        state.apply(Command::JumpBy(1));
        assert_eq!(state.settings.jump_frames, 2);
        state.apply(Command::JumpBy(20_000));
        assert_eq!(state.settings.jump_frames, 10_000);
    }
}
