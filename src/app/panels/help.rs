//! The `?` overlay: every key of the room, from the same keymap that obeys them.

use egui::{Grid, RichText, Ui, vec2};

use super::sheet;
use crate::app::command::{Command, Room, Sheet};
use crate::app::key_name;
use crate::app::keys::Action;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};

/// Which groups stand under each other.
const COLUMNS: [&[&str]; 3] = [
    &["Play", "Camera"],
    &["Judge", "File"],
    &["Look", "Panel in focus", "Batch"],
];

pub fn show(ui: &Ui, state: &AppState, out: &mut Vec<Command>) {
    let change = |ui: &mut Ui, out: &mut Vec<Command>| {
        if ui.button("Change keys…").clicked() {
            out.push(Command::Show(Sheet::ChangeKeys));
        }
    };
    let keys = &state.settings.keys;
    sheet::show(ui, (Sheet::Keys, "Keys"), keys, out, change, |ui, _| {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 32.0;
            for groups in COLUMNS {
                let some = |name: &&&str| keys_of(state, name).next().is_some();
                let groups: Vec<&&str> = groups.iter().filter(some).collect();
                if groups.is_empty() {
                    continue;
                }
                ui.vertical(|ui| {
                    for name in groups {
                        group(ui, state, name);
                        ui.add_space(theme::GAP);
                    }
                });
            }
        });
        if state.settings.room == Room::Batch {
            return;
        }
        ui.label(
            RichText::new(
                "On the timeline: wheel zooms at the pointer, Shift and wheel or the right button \
                 pans,\ndrag selects, click seeks, double-click fits a candidate. A panel is in focus on its \
                 row in the menu Panels, and on its title while panels are arranged.",
            )
            .small()
            .color(Palette::current(ui).weak),
        );
    });
}

/// Those of a group that do something in the room.
fn keys_of(state: &AppState, group: &str) -> impl Iterator<Item = Action> {
    let room = state.settings.room;
    Action::all().filter(move |action| {
        let binding = action.binding();
        binding.group == group && binding.scope.holds(room)
    })
}

fn group(ui: &mut Ui, state: &AppState, name: &str) {
    let p = Palette::current(ui);
    ui.label(RichText::new(name).strong());
    ui.spacing_mut().interact_size.y = theme::SECTION;
    Grid::new(name)
        .num_columns(2)
        .spacing(vec2(theme::SECTION, theme::GRID))
        .min_col_width(64.0)
        .show(ui, |ui| {
            for action in keys_of(state, name) {
                let (key, ink) = match state.settings.keys.key(action) {
                    Some(key) => (key_name::name(&key), p.accent),
                    None => ("no key".to_owned(), p.weak),
                };
                ui.label(RichText::new(key).monospace().color(ink));
                ui.label(does(state, action));
                ui.end_row();
            }
        });
}

/// What a key does, with the number that the settings give it.
#[must_use]
pub fn does(state: &AppState, action: Action) -> String {
    let binding = action.binding();
    match (binding.command)() {
        Command::Jump(_) => format!("{} {} frames", binding.does, state.settings.jump_frames),
        _ => binding.does.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_stands_in_a_column() {
        for action in Action::all() {
            let group = action.binding().group;
            assert!(COLUMNS.iter().any(|c| c.contains(&group)), "{group}");
        }
    }
}
