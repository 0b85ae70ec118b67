//! What a person chose and the next start remembers. Written beside and renamed,
//! so a killed program leaves the old file; an unreadable file gives the defaults.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arrangement::{Arrangement, TriptychView, sane_wipe};
use super::command::Room;
use super::dock::Docks;
use super::emotions::EmotionLabels;
use super::keymap::Keymap;
use super::palette::Colours;
use crate::base::Notice;
use crate::motion::heat::Heat;
use crate::session::Params;
use crate::session::magnified_view::MagnifyView;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeChoice {
    #[default]
    System,
    Dark,
    Light,
}

impl ThemeChoice {
    pub const ALL: [Self; 3] = [Self::System, Self::Dark, Self::Light];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Dark => "Dark",
            Self::Light => "Light",
        }
    }
}

/// What is drawn over the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Overlays {
    pub face_box: bool,
    pub landmarks: bool,
    pub regions: bool,
    /// Where the network looked in the selected candidate, else just before the frame shown.
    pub attention: bool,
}

impl Default for Overlays {
    fn default() -> Self {
        Self {
            face_box: true,
            landmarks: true,
            regions: false,
            attention: false,
        }
    }
}

/// What is drawn beside the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shown {
    pub magnified: bool,
    pub led: bool,
    pub flow: bool,
    pub strain: bool,
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            magnified: false,
            led: true,
            flow: false,
            strain: false,
        }
    }
}

impl Shown {
    #[must_use]
    pub fn count(self) -> usize {
        let shown = [self.magnified, self.led, self.flow, self.strain];
        shown.into_iter().filter(|on| *on).count()
    }

    /// Magnified, LED, flow, strain, all four, none, and round again.
    #[must_use]
    pub fn next(self) -> Self {
        let of = |[magnified, led, flow, strain]: [bool; 4]| Self {
            magnified,
            led,
            flow,
            strain,
        };
        of(match [self.magnified, self.led, self.flow, self.strain] {
            [true, false, false, false] => [false, true, false, false],
            [false, true, false, false] => [false, false, true, false],
            [false, false, true, false] => [false, false, false, true],
            [false, false, false, true] => [true; 4],
            [true, true, true, true] => [false; 4],
            _ => [true, false, false, false],
        })
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub theme: ThemeChoice,
    pub colours: Colours,
    /// Of strain and attention.
    pub heat: Heat,
    pub overlays: Overlays,
    pub shown: Shown,
    pub magnify: MagnifyView,
    pub arrangement: Arrangement,
    /// Where the line of a wiped picture stands, in parts of its width.
    pub wipe: f32,
    pub triptych: TriptychView,
    /// Which panels stand where, by room; read by [`Settings::load`] like the keys.
    #[serde(skip_deserializing)]
    pub docks: Docks,
    pub speed: f32,
    /// How many frames the keys of a jump go.
    pub jump_frames: u32,
    /// Written as what differs from the defaults; read by [`Settings::load`], which says what
    /// it cannot follow.
    #[serde(skip_deserializing)]
    pub keys: Arc<Keymap>,
    pub params: Params,
    pub room: Room,
    /// A camera is shown as in a mirror.
    pub mirror: bool,
    /// Who codes; empty where nobody gave a name.
    pub coder: String,
    /// What may be chosen as an emotion.
    pub emotions: EmotionLabels,
    /// What the networks say is hidden while a person codes.
    pub blind: bool,
    /// The three hints have been read.
    pub hints_seen: bool,
    /// The folder of the last recording, where the next dialog opens.
    pub last_folder: Option<PathBuf>,
    /// Recordings and projects, the one opened last first.
    pub recent: Vec<PathBuf>,
    /// Where the queue's results go; `None` for beside each recording.
    pub results_folder: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::System,
            colours: Colours::default(),
            heat: Heat::default(),
            overlays: Overlays::default(),
            shown: Shown::default(),
            magnify: MagnifyView::default(),
            arrangement: Arrangement::default(),
            wipe: 0.5,
            triptych: TriptychView::default(),
            docks: Docks::default(),
            speed: 1.0,
            jump_frames: 25,
            keys: Arc::default(),
            params: Params::default(),
            room: Room::default(),
            mirror: true,
            coder: String::new(),
            emotions: EmotionLabels::default(),
            blind: false,
            hints_seen: false,
            last_folder: None,
            recent: Vec::new(),
            results_folder: None,
        }
    }
}

impl Settings {
    /// Where they are kept; `None` without a home directory.
    #[must_use]
    pub fn path() -> Option<PathBuf> {
        directories::ProjectDirs::from("", "", "onset").map(|d| d.config_dir().join("window.json"))
    }

    /// The defaults where the file is missing or unreadable, and what is to be said of it:
    /// a choice or a key that cannot be read costs that one only.
    pub fn load(path: &Path) -> (Self, Vec<Notice>) {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return (Self::default(), vec![]),
            Err(e) => return (Self::default(), vec![Self::unread(&e, path)]),
        };
        match Self::read(&bytes) {
            Ok((settings, said)) => {
                let with_path = |why: String| format!("{why} {}", path.display());
                let said = said.into_iter().map(with_path).map(Notice::warning);
                (settings, said.collect())
            }
            Err(e) => (Self::default(), vec![Self::unread(&e, path)]),
        }
    }

    fn read(bytes: &[u8]) -> serde_json::Result<(Self, Vec<String>)> {
        let mut file: Value = serde_json::from_slice(bytes)?;
        let mut taken = |name| file.as_object_mut().and_then(|all| all.remove(name));
        let (keys, docks) = (taken("keys"), taken("docks"));
        let mut said = take_unreadable(&mut file);
        let mut settings: Self = serde_json::from_value(file)?;
        if let Some(changes) = keys {
            let (keys, wrong) = Keymap::read(&changes);
            settings.keys = Arc::new(keys);
            said.extend(wrong);
        }
        if let Some(kept) = docks {
            let (docks, wrong) = Docks::read(&kept);
            settings.docks = docks;
            said.extend(wrong);
        }
        settings.magnify = settings.magnify.sane();
        settings.triptych = settings.triptych.sane();
        settings.wipe = sane_wipe(settings.wipe);
        let jumps = super::state::JUMPS;
        settings.jump_frames = settings.jump_frames.clamp(*jumps.start(), *jumps.end());
        if !super::state::SPEEDS.contains(&settings.speed) {
            settings.speed = 1.0;
        }
        Ok((settings, said))
    }

    fn unread(why: &dyn std::fmt::Display, path: &Path) -> Notice {
        Notice::warning(format!(
            "Cannot read the window's settings ({why}). The defaults are used and the file is \
             replaced at the next change: {}",
            path.display()
        ))
    }

    /// # Errors
    /// When the folder cannot be made or the file not written.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.flush()?;
        file.persist(path)?;
        Ok(())
    }
}

/// Takes out what cannot be read, such as a choice that only a later version knows, and
/// gives a sentence on each; of a group only what is wrong in it.
fn take_unreadable(file: &mut Value) -> Vec<String> {
    let mut said = Vec::new();
    let Some(all) = file.as_object_mut() else {
        return said;
    };
    let lost = |name: &str, why: serde_json::Error| {
        format!("The settings' “{name}” cannot be followed ({why}); it is as at first.")
    };
    all.retain(|name, value| {
        let read = |value: &Value| serde_json::from_value::<Settings>(json!({ name: value }));
        let Err(why) = read(value) else {
            return true;
        };
        if let Some(group) = value.as_object_mut() {
            group.retain(|part, value| match read(&json!({ part: value })) {
                Ok(_) => true,
                Err(why) => {
                    said.push(lost(&format!("{name}: {part}"), why));
                    false
                }
            });
            if read(value).is_ok() {
                return true;
            }
        }
        said.push(lost(name, why));
        false
    });
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_and_a_broken_file_gives_the_defaults_with_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/window.json");
        let s = Settings {
            theme: ThemeChoice::Light,
            heat: Heat::Cividis,
            wipe: 9_000.0,
            ..Settings::default()
        };
        s.save(&path).unwrap();
        let (back, why) = Settings::load(&path);
        assert_eq!((back.theme, why), (ThemeChoice::Light, vec![]));
        assert_eq!(back.heat, Heat::Cividis);
        assert_eq!(back.wipe, 0.98);
        assert_eq!(back.docks, s.docks);
        std::fs::write(&path, "{\"theme\": ").unwrap();
        let (back, why) = Settings::load(&path);
        assert_eq!(back, Settings::default());
        assert!(why[0].text.starts_with("Cannot read the window's settings"));
    }

    #[test]
    fn an_older_file_without_a_field_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("window.json");
        std::fs::write(
            &path,
            r#"{"theme": "dark", "unknown": 3, "panels": {"source": 232}}"#,
        )
        .unwrap();
        assert_eq!(Settings::load(&path).0.theme, ThemeChoice::Dark);
    }

    #[test]
    fn keys_come_back_and_a_bad_one_is_said_without_losing_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("window.json");
        let keys =
            r#"{"theme": "dark", "jump_frames": 1, "keys": {"accept": "Shift+A", "fly": "F"}}"#;
        std::fs::write(&path, keys).unwrap();
        let (read, said) = Settings::load(&path);
        assert_eq!(read.theme, ThemeChoice::Dark);
        assert_eq!(read.jump_frames, 2);
        assert_eq!(read.keys.of("Accept"), "Shift+A");
        assert_eq!(said.len(), 1);
        assert!(said[0].text.contains("“fly”"), "{}", said[0].text);
        read.save(&path).unwrap();
        assert_eq!(Settings::load(&path), (read, vec![]));
    }

    #[test]
    fn an_unknown_choice_is_said_without_losing_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("window.json");
        let file = r#"{"theme": "dark", "heat": "plasma", "room": "garden", "mirror": 3,
            "params": {"device": "abacus", "decode": "unheard-of"}, "coder": "Anna"}"#;
        std::fs::write(&path, file).unwrap();
        let (read, said) = Settings::load(&path);
        let known = Settings {
            theme: ThemeChoice::Dark,
            coder: "Anna".into(),
            ..Settings::default()
        };
        assert_eq!(read, known);
        for name in ["heat", "room", "mirror", "params: device", "params: decode"] {
            let names = |n: &&Notice| n.text.contains(&format!("“{name}”"));
            assert_eq!(said.iter().filter(names).count(), 1, "{name}: {said:?}");
        }
        assert_eq!(said.len(), 5);
        assert!(said.iter().any(|n| n.text.contains("plasma")));
        read.save(&path).unwrap();
        assert_eq!(Settings::load(&path), (read, vec![]));
    }

    #[test]
    fn panels_that_cannot_be_followed_are_said_without_losing_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("window.json");
        let file = r#"{"theme": "dark", "docks": {"review": "left", "live": {"root": 1}}}"#;
        std::fs::write(&path, file).unwrap();
        let (read, said) = Settings::load(&path);
        assert_eq!(read.theme, ThemeChoice::Dark);
        assert_eq!(read.docks, Docks::default());
        assert_eq!(said.len(), 2);
        assert!(said[0].text.ends_with("window.json"), "{}", said[0].text);
    }

    #[test]
    fn the_next_view_goes_round() {
        let mut s = Shown::default();
        for _ in 0..6 {
            s = s.next();
        }
        assert_eq!(s, Shown::default());
    }
}
