//! The window as the tests see it: opened over a script, with what it says and where.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use egui::accesskit::Role;
use egui::{Key, Modifiers, Rect, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use onset::app::App;
use onset::app::backend::Machine;
use onset::app::command::Command;

use super::scripted::{Asked, FRAMES, Scripted, status, story};

/// The window and what it asked of the script.
pub(super) struct Window {
    pub(super) app: App,
    pub(super) asked: Asked,
}

pub(super) type Shown = Harness<'static, Window>;

/// In points.
pub(super) const SIZE: (f32, f32) = (1280.0, 800.0);
pub(super) const NONE: Modifiers = Modifiers::NONE;

fn machine() -> Machine {
    Machine {
        adapter: Some("llvmpipe (LLVM 15.0.6, 256 bits)".into()),
        software: true,
    }
}

/// A window of this size in points; what the script gives has arrived.
pub(super) fn open_window(
    size: (f32, f32),
    scale: f32,
    script: impl FnOnce(&mut Scripted) -> Vec<Command>,
) -> Shown {
    opened((size, scale), None, script)
}

/// The same, as usual, with its settings in a file.
pub(super) fn open_with_settings(
    settings: &Path,
    script: impl FnOnce(&mut Scripted) -> Vec<Command>,
) -> Shown {
    opened((SIZE, 1.0), Some(settings), script)
}

fn opened(
    (size, scale): ((f32, f32), f32),
    settings: Option<&Path>,
    script: impl FnOnce(&mut Scripted) -> Vec<Command>,
) -> Shown {
    let asked: Asked = Rc::new(RefCell::new(vec![]));
    let mut backend = Scripted::new(Rc::clone(&asked));
    backend.arriving = script(&mut backend);
    let ctx = egui::Context::default();
    let settings = settings.map(Path::to_path_buf);
    let app = App::new(&ctx, Box::new(backend), machine(), settings, None);
    let mut harness = Harness::builder()
        .with_size(vec2(size.0, size.1))
        .with_pixels_per_point(scale)
        .with_context_setup(onset::app::theme::install)
        .build_ui_state(
            |ui, w: &mut Window| {
                w.app.logic(ui.ctx());
                w.app.ui(ui);
            },
            Window { app, asked },
        );
    harness.run_steps(6);
    harness
}

/// The 20-second recording, analysed up to a frame.
pub(super) fn recording(size: (f32, f32), scale: f32, until: u64, finished: bool) -> Shown {
    looked_at(size, scale, (until, finished), false)
}

/// The same, where `again` says whether other networks look at its candidates besides.
pub(super) fn looked_at(
    size: (f32, f32),
    scale: f32,
    (until, finished): (u64, bool),
    again: bool,
) -> Shown {
    open_window(size, scale, move |script| {
        use onset::app::backend::Backend;
        script.looks_again = again;
        script.open(
            "/recordings/interview 07.mp4",
            &onset::session::Params::default(),
        );
        let mut commands = std::mem::take(&mut script.arriving);
        let generation = script.generation;
        commands.push(Command::Events {
            generation,
            events: story(script, until, finished),
        });
        commands.push(Command::Status {
            generation,
            status: status(until, finished),
        });
        commands.push(Command::DismissAll);
        commands
    })
}

pub(super) fn say(harness: &mut Shown, commands: Vec<Command>) {
    for command in commands {
        harness.state_mut().app.state.apply(command);
    }
    harness.run_steps(4);
}

pub(super) fn labels(harness: &Shown) -> Vec<String> {
    harness
        .root()
        .children_recursive()
        .filter_map(|n| {
            n.accesskit_node()
                .label()
                .or_else(|| n.accesskit_node().value())
        })
        .collect()
}

pub(super) fn says(harness: &Shown, text: &str) -> bool {
    labels(harness).iter().any(|l| l.contains(text))
}

/// Every text and every control with its rectangle.
pub(super) fn pieces(harness: &Shown) -> Vec<(String, Rect)> {
    harness
        .root()
        .children_recursive()
        .filter_map(|n| {
            let ak = n.accesskit_node();
            let shown = matches!(
                ak.role(),
                Role::Label
                    | Role::Button
                    | Role::CheckBox
                    | Role::TextInput
                    | Role::ComboBox
                    | Role::Link
                    | Role::Image
                    | Role::RadioButton
                    | Role::ProgressIndicator
                    | Role::Meter
                    | Role::ListBoxOption
            );
            let name = ak.label().or_else(|| ak.value()).unwrap_or_default();
            if !shown || ak.raw_bounds().is_none() {
                return None;
            }
            let rect = n.rect();
            (rect.area() > 0.0).then(|| (format!("{:?} {name:?}", ak.role()), rect))
        })
        .collect()
}

pub(super) fn assert_tidy(harness: &Shown, size: (f32, f32), what: &str) {
    let window = Rect::from_min_size(egui::Pos2::ZERO, vec2(size.0, size.1));
    let pieces = pieces(harness);
    assert!(pieces.len() > 20, "{what}: only {} pieces", pieces.len());
    for (i, (a, ra)) in pieces.iter().enumerate() {
        assert!(
            window.expand(0.5).contains_rect(*ra),
            "{what}: {a} at {ra:?} leaves the window"
        );
        for (b, rb) in &pieces[i + 1..] {
            let common = ra.intersect(*rb);
            assert!(
                common.width() <= 1.0 || common.height() <= 1.0,
                "{what}: {a} {ra:?} and {b} {rb:?} overlap"
            );
        }
    }
}

pub(super) const SIZES: [((f32, f32), f32); 3] = [
    ((1280.0, 800.0), 1.0),
    ((1280.0, 800.0), 2.0),
    ((1920.0, 1080.0), 1.0),
];

/// One key, and what it leads to.
pub(super) fn press(harness: &mut Shown, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run_steps(4);
}

/// The analysed recording after these keys.
pub(super) fn state_after(keys: &[(Modifiers, Key)]) -> Shown {
    let mut harness = recording(SIZE, 1.0, FRAMES, true);
    for (modifiers, key) in keys {
        harness.key_press_modifiers(*modifiers, *key);
        harness.run_steps(3);
    }
    harness
}
