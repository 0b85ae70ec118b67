//! Before anything is open: one sentence and one button.

use egui::{Button, RichText, Ui, vec2};

use crate::app::command::{Command, DialogKind};
use crate::app::panels::recent;
use crate::app::panels::source::LIMITS;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::row;

pub fn show(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let p = Palette::current(ui);
    let known = state.settings.recent.len() as f32;
    let height = 168.0 + known * (theme::CONTROL + theme::GRID);
    ui.vertical_centered(|ui| {
        ui.add_space(((ui.available_height() - height) * 0.45).max(theme::SECTION));
        ui.set_max_width(480.0);
        if let Some(opening) = &state.entrance.opening {
            ui.label(RichText::new(format!("Opening {opening}…")).heading());
            return;
        }
        if let Some(why) = &state.entrance.failed {
            ui.add(egui::Label::new(RichText::new(why).color(p.red)).wrap());
            ui.add_space(theme::SECTION);
        }
        ui.label(
            RichText::new("Open a recording to spot its macro- and micro-expressions.").heading(),
        );
        ui.add_space(theme::SECTION);
        let button = Button::new(RichText::new("Open recording…").color(p.on_accent))
            .fill(p.accent)
            .min_size(vec2(160.0, 32.0));
        if ui.add(button).clicked() {
            out.push(Command::AskForInput(DialogKind::Recording));
        }
        ui.add_space(theme::GAP);
        ui.label(row::weak(
            ui,
            "Or drop a file or a folder of images on this window.",
        ));
        if ui
            .link(RichText::new("Look at the sample recording").small())
            .clicked()
        {
            out.push(Command::OpenSample);
        }
        if !state.settings.recent.is_empty() {
            ui.add_space(theme::SECTION);
            ui.label(row::weak(ui, "Opened last"));
            recent::list(ui, state, out);
        }
        ui.add_space(theme::SECTION);
        ui.add(egui::Label::new(row::weak(ui, LIMITS)).wrap());
    });
}
