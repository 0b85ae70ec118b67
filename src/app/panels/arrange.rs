//! The menu of the panels: which are shown, how they are arranged, and back.

use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{Button, Checkbox, PopupCloseBehavior, Ui};

use crate::app::command::Command;
use crate::app::dock::{DockCommand, Layout, Pane};
use crate::app::keys;
use crate::app::state::AppState;

const WIDTH: f32 = 224.0;

pub fn menu(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    // Several panels can be hidden one after another.
    let stays = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    MenuButton::new("Panels").config(stays).ui(ui, |ui| {
        ui.set_min_width(WIDTH);
        let mut arranging = state.arranges();
        if ui
            .checkbox(&mut arranging, "Arrange panels")
            .on_hover_text(format!(
                "{}: each panel has a handle to drag it by",
                keys::tip(ui, "Arrange panels")
            ))
            .clicked()
        {
            out.push(Command::Dock(DockCommand::Arrange));
            ui.close();
        }
        ui.separator();
        for pane in Pane::ALL {
            check(ui, state, pane, out);
        }
        ui.separator();
        for layout in Layout::ALL {
            let button = ui.add(Button::new(layout.name()));
            if button
                .on_hover_text("Arranges this room's panels like that")
                .clicked()
            {
                out.push(Command::Dock(DockCommand::Take(layout)));
                ui.close();
            }
        }
        if ui.button("Reset this room's panels").clicked() {
            out.push(Command::Dock(DockCommand::Reset));
            ui.close();
        }
    });
}

/// Whether a panel is shown.
fn check(ui: &mut Ui, state: &AppState, pane: Pane, out: &mut Vec<Command>) {
    let dock = state.dock();
    let mut shown = match pane {
        // It is never hidden, but may lie behind another tab.
        Pane::Picture => dock.in_sight(pane),
        _ => dock.shows(pane),
    };
    let why_not = match pane {
        Pane::Picture => shown.then_some("The picture is always shown."),
        _ => state.nothing_in(pane),
    };
    let check = Checkbox::new(&mut shown, pane.name(state.settings.room));
    if ui
        .add_enabled(why_not.is_none(), check)
        .on_disabled_hover_text(why_not.unwrap_or_default())
        .clicked()
    {
        out.push(Command::Dock(DockCommand::Toggle(pane)));
    }
}
