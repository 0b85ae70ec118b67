//! Keys as they are written: in tooltips, in the overlay and in the settings file.

use egui::{Key, KeyboardShortcut, Modifiers};

/// As the overlay and the tooltips write a key: "Shift+A", "Ctrl+Left", "?".
#[must_use]
pub fn name(shortcut: &KeyboardShortcut) -> String {
    let mut s = String::new();
    let held = shortcut.modifiers;
    // On macOS the two are different keys.
    for (on, word) in [
        (held.ctrl, "Ctrl+"),
        (
            held.command,
            if cfg!(target_os = "macos") {
                "Cmd+"
            } else {
                "Ctrl+"
            },
        ),
        (held.alt, "Alt+"),
        (held.shift, "Shift+"),
    ] {
        if on {
            s.push_str(word);
        }
    }
    s.push_str(match shortcut.logical_key {
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

/// What [`name`] writes, read back; `None` where the text names no key.
#[must_use]
pub fn parse(text: &str) -> Option<KeyboardShortcut> {
    let (held, key) = match text.trim().rsplit_once('+') {
        Some((held, key)) => (held, key),
        None => ("", text),
    };
    let mut modifiers = Modifiers::NONE;
    for word in held.split('+').map(str::trim).filter(|w| !w.is_empty()) {
        modifiers = modifiers.plus(match word.to_ascii_lowercase().as_str() {
            "shift" => Modifiers::SHIFT,
            "alt" => Modifiers::ALT,
            "ctrl" if cfg!(target_os = "macos") => Modifiers::CTRL,
            "ctrl" | "cmd" | "command" => Modifiers::COMMAND,
            _ => return None,
        });
    }
    let key = match key.trim() {
        "Del" => Key::Delete,
        other => Key::from_name(other)?,
    };
    Some(plainly(KeyboardShortcut::new(modifiers, key)))
}

/// A pressed key as it is compared and kept: each modifier once, and none on a character
/// that needs one on many layouts.
#[must_use]
pub fn plainly(pressed: KeyboardShortcut) -> KeyboardShortcut {
    let held = pressed.modifiers;
    let modifiers = if is_character(pressed.logical_key) {
        Modifiers::NONE
    } else {
        Modifiers {
            alt: held.alt,
            ctrl: held.ctrl && !held.command,
            shift: held.shift,
            mac_cmd: false,
            command: held.command,
        }
    };
    KeyboardShortcut::new(modifiers, pressed.logical_key)
}

/// Reached with Shift or AltGr on many layouts: the character decides.
pub(super) fn is_character(key: Key) -> bool {
    matches!(
        key,
        Key::Questionmark | Key::OpenBracket | Key::CloseBracket
    )
}

/// Whether a key is only held with others, or says nothing by itself.
#[must_use]
pub fn is_modifier(key: Key) -> bool {
    use Key::{
        AltLeft, AltRight, CapsLock, ControlLeft, ControlRight, Fn, NumLock, ScrollLock, ShiftLeft,
        ShiftRight, SuperLeft, SuperRight,
    };
    matches!(
        key,
        ShiftLeft
            | ShiftRight
            | ControlLeft
            | ControlRight
            | AltLeft
            | AltRight
            | SuperLeft
            | SuperRight
            | CapsLock
            | NumLock
            | ScrollLock
            | Fn
    )
}

/// What the window itself does with a key, which therefore cannot be given to anything
/// else; `None` where it is free.
#[must_use]
pub fn reserved(shortcut: &KeyboardShortcut) -> Option<&'static str> {
    if is_modifier(shortcut.logical_key) {
        return Some("is only held with other keys");
    }
    if shortcut.logical_key == Key::Tab {
        return Some("goes from one control to the next");
    }
    if shortcut.modifiers != Modifiers::COMMAND {
        return None;
    }
    match shortcut.logical_key {
        Key::C | Key::X | Key::V => Some("belongs to the clipboard"),
        Key::Q => Some("closes the window"),
        Key::Plus | Key::Equals | Key::Minus | Key::Num0 => Some("zooms the window"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let both = Modifiers::COMMAND.plus(Modifiers::SHIFT);
        for (modifiers, key) in [
            (Modifiers::NONE, Key::A),
            (Modifiers::SHIFT, Key::Space),
            (Modifiers::COMMAND, Key::ArrowLeft),
            (Modifiers::ALT, Key::Plus),
            (both, Key::Z),
            (Modifiers::NONE, Key::Questionmark),
            (Modifiers::NONE, Key::Delete),
            (Modifiers::NONE, Key::Escape),
            (Modifiers::NONE, Key::F11),
        ] {
            let shortcut = KeyboardShortcut::new(modifiers, key);
            assert_eq!(
                parse(&name(&shortcut)),
                Some(shortcut),
                "{}",
                name(&shortcut)
            );
        }
        for nonsense in ["", "Shift+", "Hyper+A", "AA", "Shift"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_key_as_it_arrives_is_the_key_as_it_is_kept() {
        let arrived = Modifiers {
            ctrl: true,
            command: true,
            ..Modifiers::NONE
        };
        let kept = plainly(KeyboardShortcut::new(arrived, Key::B));
        assert_eq!(kept.modifiers, Modifiers::COMMAND);
        let bracket = plainly(KeyboardShortcut::new(Modifiers::SHIFT, Key::OpenBracket));
        assert_eq!(name(&bracket), "[");
    }

    #[test]
    fn what_the_window_does_itself_is_reserved() {
        let of = |text| reserved(&parse(text).unwrap());
        assert_eq!(of("Ctrl+C"), Some("belongs to the clipboard"));
        assert!(of("Shift+Tab").is_some());
        assert_eq!(of("Shift+C"), None);
        assert_eq!(of("C"), None);
    }
}
