//! The annotation that is worked on, field by field, the list of all, and who codes.

mod form;
pub(super) mod list;
mod units;
mod who;

use egui::{Id, ScrollArea, Ui};

use crate::app::command::Command;
use crate::app::panels::disagreements;
use crate::app::state::AppState;
use crate::app::theme;

/// The form takes no more of the column than this share.
const FORM_SHARE: f32 = 0.68;

pub fn show(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let Some(review) = &state.review else {
        return;
    };
    egui::Panel::bottom("who codes")
        .frame(egui::Frame::NONE)
        .resizable(false)
        .show_separator_line(false)
        .show(ui, |ui| {
            ui.add_space(theme::GAP);
            who::show(ui, state, review, out);
        });
    // As high as what is in it was when it was last laid out.
    let memory = Id::unique("height of the form");
    let high: f32 = ui.data(|d| d.get_temp(memory)).unwrap_or(0.0);
    let most = (FORM_SHARE * ui.available_height()).floor();
    egui::Panel::top("form")
        .frame(egui::Frame::NONE)
        .resizable(false)
        .exact_size((high + theme::GAP).min(most))
        .show(ui, |ui| {
            let area = ScrollArea::vertical().id_salt("form");
            let shown = area.auto_shrink([false, false]).show(ui, |ui| {
                if high + theme::GAP > most {
                    // The bar that scrolls lies over what is there.
                    ui.set_max_width(ui.available_width() - theme::GAP);
                }
                form::show(ui, state, review, out);
            });
            if (shown.content_size.y - high).abs() > 0.5 {
                ui.data_mut(|d| d.insert_temp(memory, shown.content_size.y));
                ui.ctx().request_repaint();
            }
        });
    ui.add_space(theme::GAP);
    if disagreements::chosen(ui, state, review, out) {
        disagreements::show(ui, review, out);
    } else {
        list::show(ui, state, review, out);
    }
}
