//! The recordings that were opened last: in the empty window, and as a list over it that
//! the keys go through.

use egui::{Button, Key, Response, RichText, Ui, vec2};

use super::sheet;
use crate::app::command::{Command, Sheet};
use crate::app::keys;
use crate::app::state::AppState;
use crate::app::theme;
use crate::app::widgets::row;

/// Of a row, points.
const WIDTH: f32 = 400.0;

/// A row for each; gives the first that can be opened.
pub fn list(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) -> Option<Response> {
    ui.spacing_mut().item_spacing.y = theme::GRID;
    let mut first = None;
    for path in &state.settings.recent {
        let missing = state.recent.missing.contains(path);
        let name = path.file_name().unwrap_or(path.as_os_str());
        let folder = path.parent().and_then(|p| p.file_name());
        let beside = if missing {
            "missing".into()
        } else {
            folder.map_or_else(String::new, |f| f.to_string_lossy().into_owned())
        };
        let button = Button::new(name.to_string_lossy())
            .right_text(row::weak(ui, beside))
            .frame_when_inactive(true)
            .truncate()
            .min_size(vec2(WIDTH, theme::CONTROL));
        let response = ui
            .add_enabled(!missing, button)
            .on_hover_text(path.display().to_string())
            .on_disabled_hover_text(format!("It is not there any more: {}", path.display()));
        if response.clicked() {
            out.push(Command::Open(path.display().to_string()));
        }
        if !missing && first.is_none() {
            first = Some(response);
        }
    }
    if !state.recent.missing.is_empty() {
        let forget = ui.link(RichText::new("Forget those that are missing").small());
        if forget.clicked() {
            out.push(Command::ForgetMissing);
        }
    }
    first
}

/// Arrow keys go through it, Enter opens, Esc closes.
pub fn over(ui: &Ui, state: &AppState, out: &mut Vec<Command>) {
    // What has the keys takes this one before anybody is asked.
    let closes = ui.input(|i| i.key_pressed(Key::Escape));
    if closes {
        out.push(Command::Show(Sheet::Recent));
    }
    let head = (Sheet::Recent, "Recent recordings");
    let nothing = |_: &mut Ui, _: &mut Vec<Command>| {};
    sheet::show(ui, head, &state.settings.keys, out, nothing, |ui, out| {
        ui.set_width(WIDTH);
        if state.settings.recent.is_empty() {
            ui.label("Nothing has been opened yet.");
        }
        let first = list(ui, state, out);
        // Whoever opened it by a key goes on with the keys.
        if !closes
            && ui.memory(|m| m.focused().is_none())
            && let Some(first) = first
        {
            first.request_focus();
        }
    });
}

/// The button at the top.
pub fn button(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let any = !state.settings.recent.is_empty();
    let on = state.sheet == Some(Sheet::Recent);
    let button = ui.add_enabled(
        any,
        Button::selectable(on, "Recent").frame_when_inactive(true),
    );
    if button
        .on_hover_text(keys::tip(ui, "Recent recordings"))
        .on_disabled_hover_text("Nothing has been opened yet.")
        .clicked()
    {
        out.push(Command::Show(Sheet::Recent));
    }
}
