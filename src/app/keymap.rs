//! Which key does what now: the defaults and what a person changed of them. The settings
//! file keeps the changes only, so a new default reaches whoever did not change it.

use egui::{Key, KeyboardShortcut, Modifiers};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::command::Room;
use super::key_name::{self, name};
use super::keys::{Action, BINDINGS, Scope};

/// In the settings file: no key does it.
const NO_KEY: &str = "none";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    /// One an action, in the table's order; `None` where no key does it.
    keys: Vec<Option<KeyboardShortcut>>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self {
            keys: BINDINGS.iter().map(|b| Some(b.default)).collect(),
        }
    }
}

impl Keymap {
    #[must_use]
    pub fn key(&self, action: Action) -> Option<KeyboardShortcut> {
        self.keys[action.index()]
    }

    /// Whoever had the key before keeps it: ask [`Keymap::rival`] first.
    pub(super) fn set(&mut self, action: Action, key: Option<KeyboardShortcut>) {
        self.keys[action.index()] = key;
    }

    /// Who else has a key, as it is kept ([`key_name::plainly`]), where the action's own
    /// would count too.
    #[must_use]
    pub fn rival(&self, action: Action, key: KeyboardShortcut) -> Option<Action> {
        let scope = action.binding().scope;
        let mut others = Action::all().filter(|a| *a != action && self.key(*a) == Some(key));
        others.find(|a| a.binding().scope.meets(scope))
    }

    /// What a pressed key does in a room, where no panel has the focus.
    #[must_use]
    pub fn at(&self, key: Key, held: Modifiers, room: Room) -> Option<Action> {
        self.pressed(key, held, |scope| {
            scope != Scope::Panel && scope.holds(room)
        })
    }

    /// What a pressed key does with the panel that has the focus.
    #[must_use]
    pub fn on_a_panel(&self, key: Key, held: Modifiers) -> Option<Action> {
        self.pressed(key, held, |scope| scope == Scope::Panel)
    }

    fn pressed(&self, key: Key, held: Modifiers, here: impl Fn(Scope) -> bool) -> Option<Action> {
        let pressed = |kept: KeyboardShortcut| {
            kept.logical_key == key
                && (key_name::is_character(key) || held.matches_exact(kept.modifiers))
        };
        let mut here = Action::all().filter(|a| here(a.binding().scope));
        here.find(|a| self.key(*a).is_some_and(pressed))
    }

    /// Whether a person changed it.
    #[must_use]
    pub fn differs(&self, action: Action) -> bool {
        self.key(action) != Some(action.binding().default)
    }

    pub fn changed(&self) -> impl Iterator<Item = Action> {
        Action::all().filter(|a| self.differs(*a))
    }

    /// The key that does this, as it is written; empty where none does.
    #[must_use]
    pub fn of(&self, does: &str) -> String {
        let key = Action::that(does).and_then(|a| self.key(a));
        key.map_or_else(String::new, |key| name(&key))
    }

    /// "Accept (A)": what it does with its key, for a tooltip.
    #[must_use]
    pub fn tip(&self, does: &str) -> String {
        let key = self.of(does);
        if key.is_empty() {
            does.to_owned()
        } else {
            format!("{does} ({key})")
        }
    }

    /// Inside a sentence: the key, or what it does where no key does it.
    #[must_use]
    pub fn in_words(&self, does: &str) -> String {
        let key = self.of(does);
        if key.is_empty() {
            format!("“{does}”")
        } else {
            key
        }
    }

    /// A sentence with the keys in it: "{Accept} accepts it" becomes "A accepts it".
    #[must_use]
    pub fn fill(&self, sentence: &str) -> String {
        let mut filled = String::with_capacity(sentence.len());
        let mut rest = sentence;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            match after.split_once('}') {
                Some((does, end)) if Action::that(does).is_some() => {
                    filled.push_str(&self.in_words(does));
                    rest = end;
                }
                _ => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled + rest
    }

    /// The changes of a settings file, and a sentence on each that cannot be followed; those
    /// are left out.
    #[must_use]
    pub fn read(changes: &serde_json::Value) -> (Self, Vec<String>) {
        let mut keys = Self::default();
        let mut said = Vec::new();
        let Some(changes) = changes.as_object() else {
            said.push("The settings' keys are no list of keys; the defaults are used.".to_owned());
            return (keys, said);
        };
        for (id, text) in changes {
            match read_one(id, text) {
                Ok((action, key)) => keys.set(action, key),
                Err(why) => said.push(why),
            }
        }
        said.extend(keys.without_conflicts());
        (keys, said)
    }

    /// Gives changes back until no key does two things. The defaults do not.
    fn without_conflicts(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Some((action, key, other)) = self.conflict() {
            self.set(action, Some(action.binding().default));
            said.push(format!(
                "In the settings {} is the key of “{}” and of “{}”; the second keeps its default.",
                name(&key),
                other.binding().does,
                action.binding().does,
            ));
        }
        said
    }

    /// The last change whose key another action has too.
    fn conflict(&self) -> Option<(Action, KeyboardShortcut, Action)> {
        let mut changed: Vec<Action> = self.changed().collect();
        changed.reverse();
        changed.into_iter().find_map(|action| {
            let key = self.key(action)?;
            Some((action, key, self.rival(action, key)?))
        })
    }
}

fn read_one(
    id: &str,
    text: &serde_json::Value,
) -> Result<(Action, Option<KeyboardShortcut>), String> {
    let action = Action::named(id).ok_or_else(|| {
        format!("The settings name a key of “{id}”, which Onset does not know; it is ignored.")
    })?;
    let does = action.binding().does;
    let ignored = |what: &str| {
        format!("The settings give “{does}” the key {text}, which {what}; it keeps its default.")
    };
    match text.as_str() {
        Some(NO_KEY) => Ok((action, None)),
        Some(written) => {
            let key = key_name::parse(written).ok_or_else(|| ignored("is none"))?;
            match key_name::reserved(&key) {
                Some(why) => Err(ignored(why)),
                None => Ok((action, Some(key))),
            }
        }
        None => Err(ignored("is none")),
    }
}

impl Serialize for Keymap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for action in self.changed() {
            let key = self.key(action);
            let text = key.map_or_else(|| NO_KEY.to_owned(), |key| name(&key));
            map.serialize_entry(action.binding().id, &text)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named(id: &str) -> Action {
        Action::named(id).unwrap()
    }

    #[test]
    fn a_tooltip_names_its_key_and_none_where_there_is_none() {
        let mut keys = Keymap::default();
        assert_eq!(keys.tip("Accept"), "Accept (A)");
        assert_eq!(keys.tip("Ten frames back"), "Ten frames back (Shift+Left)");
        keys.set(named("accept"), None);
        assert_eq!(keys.tip("Accept"), "Accept");
        assert_eq!(keys.in_words("Accept"), "“Accept”");
        assert_eq!(keys.of("nothing of this name"), "");
        assert_eq!(
            keys.fill("{Reject} or {Accept}, by {Anna} {"),
            "R or “Accept”, by {Anna} {"
        );
    }

    #[test]
    fn only_the_differences_are_written_and_they_are_read_back() {
        let mut keys = Keymap::default();
        assert_eq!(serde_json::to_value(&keys).unwrap(), json!({}));
        keys.set(named("accept"), key_name::parse("Shift+A"));
        keys.set(named("loop"), None);
        let written = serde_json::to_value(&keys).unwrap();
        assert_eq!(written, json!({"accept": "Shift+A", "loop": "none"}));
        let (back, said) = Keymap::read(&written);
        assert_eq!((back, said), (keys, vec![]));
    }

    #[test]
    fn what_cannot_be_followed_is_said_and_the_rest_is_kept() {
        let (keys, said) = Keymap::read(&json!({
            "accept": "Shift+A",
            "fly": "F",
            "reject": "Hyper+R",
            "pause": 3,
            "loop": "Ctrl+C",
        }));
        assert_eq!(keys.of("Accept"), "Shift+A");
        assert_eq!(keys.of("Reject"), "R");
        assert_eq!(keys.of("Pause"), "K");
        assert_eq!(keys.changed().count(), 1);
        assert_eq!(said.len(), 4);
        assert!(said.iter().any(|s| s.contains("“fly”")));
        assert!(
            said.iter()
                .any(|s| s.contains("\"Hyper+R\", which is none"))
        );
        assert!(said.iter().any(|s| s.contains("belongs to the clipboard")));
        let (keys, said) = Keymap::read(&json!(["A"]));
        assert_eq!((keys, said.len()), (Keymap::default(), 1));
    }

    #[test]
    fn no_key_of_a_settings_file_does_two_things_and_two_may_change_places() {
        let (keys, said) = Keymap::read(&json!({"accept": "R", "reject": "A"}));
        assert_eq!((keys.of("Accept"), said), ("R".to_owned(), vec![]));
        // A chain: what is given back takes the next one's key.
        let (keys, said) = Keymap::read(&json!({"accept": "R", "pause": "A"}));
        assert_eq!(keys, Keymap::default());
        assert_eq!(said.len(), 2);
    }

    #[test]
    fn a_key_of_the_queue_is_no_rival_of_one_of_a_recording() {
        let keys = Keymap::default();
        let retry = key_name::parse("R").unwrap();
        assert_eq!(keys.rival(named("queue-retry"), retry), None);
        assert_eq!(keys.rival(named("accept"), retry), Some(named("reject")));
        assert_eq!(keys.rival(named("live-room"), retry), Some(named("reject")));
    }

    #[test]
    fn a_key_of_a_panel_in_focus_may_have_another_use_elsewhere() {
        let keys = Keymap::default();
        let alt_left = key_name::parse("Alt+Left").unwrap();
        assert_eq!(keys.rival(named("panel-left"), alt_left), None);
        let id = |action: Option<Action>| action.map(|a| a.binding().id);
        let here = keys.at(Key::ArrowLeft, Modifiers::ALT, Room::Review);
        assert_eq!(id(here), Some("divider-left"));
        let on = |held| id(keys.on_a_panel(Key::ArrowLeft, held));
        assert_eq!(on(Modifiers::ALT), Some("panel-left"));
        assert_eq!(on(Modifiers::NONE), None);
        // What works everywhere works there, too.
        let escape = key_name::parse("Esc").unwrap();
        let rival = keys.rival(named("panel-left"), escape);
        assert_eq!(rival, Some(named("close-or-deselect")));
    }

    #[test]
    fn a_pressed_key_is_found_with_exactly_what_is_held() {
        let keys = Keymap::default();
        let ctrl = Modifiers {
            ctrl: true,
            command: true,
            ..Modifiers::NONE
        };
        let in_room = |room, held, key| keys.at(key, held, room).map(|a| a.binding().id);
        let at = |held, key| in_room(Room::Review, held, key);
        assert_eq!(at(Modifiers::NONE, Key::A), Some("accept"));
        assert_eq!(at(Modifiers::SHIFT, Key::A), None);
        assert_eq!(at(ctrl, Key::ArrowRight), Some("jump-on"));
        assert_eq!(at(Modifiers::SHIFT, Key::Questionmark), Some("show-keys"));
        let queue = |key| in_room(Room::Batch, Modifiers::NONE, key);
        assert_eq!(queue(Key::A), None);
        assert_eq!(queue(Key::Space), Some("queue-start"));
        assert_eq!(queue(Key::Escape), Some("close-or-deselect"));
    }
}
