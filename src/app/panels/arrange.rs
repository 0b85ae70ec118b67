//! The menu of the panels: which are shown, where each is moved, how they are arranged, and
//! back.

use egui::containers::menu::{MenuButton, MenuConfig, SubMenuButton};
use egui::{Align, Button, Checkbox, PopupCloseBehavior, RichText, Role, Ui, WidgetInfo, vec2};

use crate::app::command::Command;
use crate::app::dock::{DockCommand, Layout, Pane, Way, held};
use crate::app::keys;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::row;

/// Of a panel's name with its mark, and of the button beside it.
const NAME: f32 = 208.0;
const MOVE: f32 = 64.0;
const WIDTH: f32 = NAME + MOVE + theme::GAP;
/// Of what can be done with a panel.
const WAYS: f32 = 240.0;

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
            ui.horizontal(|ui| {
                let layout = egui::Layout::left_to_right(Align::Center);
                ui.allocate_ui_with_layout(vec2(NAME, theme::CONTROL), layout, |ui| {
                    ui.set_min_width(NAME);
                    check(ui, state, pane, out);
                });
                ways(ui, state, pane, out);
            });
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
    let check = ui.add_enabled(why_not.is_none(), check);
    held::row(&check, pane);
    if check
        .on_disabled_hover_text(why_not.unwrap_or_default())
        .clicked()
    {
        out.push(Command::Dock(DockCommand::Toggle(pane)));
    }
}

/// Where a panel can be moved, one step at a time.
fn ways(ui: &mut Ui, state: &AppState, pane: Pane, out: &mut Vec<Command>) {
    let room = state.settings.room;
    let name = pane.name(room);
    let (button, _) = SubMenuButton::new("Move").ui(ui, |ui| {
        ui.set_min_width(WAYS);
        // At the window's edge this lies over the names.
        ui.label(row::weak(ui, format!("Move {name}")));
        for way in Way::ALL {
            let step = state.step(pane, way);
            let (text, why_not) = match step {
                Ok((_, stands)) => (stands.order(room), None),
                Err(why) => (way.does().to_owned(), Some(why)),
            };
            let can = why_not.is_none();
            let p = Palette::current(ui);
            let ink = if can { p.text } else { p.weak };
            let item = Button::new(RichText::new(&text).color(ink));
            // One that was disabled would lose the keyboard; pressed, it says why it stays.
            let item = ui.add(item.shortcut_text(keys::of(ui, way.does())));
            item.widget_info(|| WidgetInfo::labeled(Role::Button, can, format!("{name}: {text}")));
            held::row(&item, pane);
            // Several steps can be taken one after another.
            let item = match why_not {
                Some(why) => item.on_hover_text(why),
                None => item,
            };
            if item.clicked() {
                out.push(Command::Dock(DockCommand::Move(Some(pane), way)));
            }
        }
    });
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{name}: move")));
    held::row(&button, pane);
}
