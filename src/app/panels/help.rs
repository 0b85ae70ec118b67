//! The `?` overlay: every key, from the same table that obeys them.

use egui::{Align2, Area, Frame, Grid, Id, Order, RichText, Ui, vec2};

use crate::app::command::Command;
use crate::app::keys::{self, BINDINGS};
use crate::app::theme::{self, Palette};

pub fn show(ui: &Ui, out: &mut Vec<Command>) {
    let p = Palette::current(ui);
    Area::new(Id::unique("keys"))
        .order(Order::Foreground)
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .show(ui.ctx(), |ui| {
            Frame::NONE
                .fill(p.panel)
                .stroke(egui::Stroke::new(1.0, p.hairline))
                .corner_radius(4)
                .inner_margin(egui::Margin::same(16))
                .shadow(ui.visuals().window_shadow)
                .show(ui, |ui| {
                    ui.horizontal(|ui| {
                        ui.heading("Keys");
                        if ui.button("Close (Esc)").clicked() {
                            out.push(Command::ToggleHelp);
                        }
                    });
                    ui.add_space(theme::GAP);
                    ui.horizontal_top(|ui| {
                        ui.spacing_mut().item_spacing.x = 32.0;
                        ui.vertical(|ui| group(ui, "Play", &p));
                        ui.vertical(|ui| {
                            for name in ["Judge", "Look", "File"] {
                                group(ui, name, &p);
                                ui.add_space(theme::GAP);
                            }
                        });
                    });
                    ui.add_space(theme::GAP);
                    ui.label(
                        RichText::new(
                            "On the timeline: wheel zooms at the pointer, Shift and wheel or the \
                             right button pans,\ndrag selects, click seeks, double-click fits a \
                             candidate.",
                        )
                        .small()
                        .color(p.weak),
                    );
                });
        });
}

fn group(ui: &mut Ui, name: &str, p: &Palette) {
    ui.label(RichText::new(name).strong());
    ui.spacing_mut().interact_size.y = theme::SECTION;
    Grid::new(name)
        .num_columns(2)
        .spacing(vec2(theme::SECTION, theme::GRID))
        .min_col_width(64.0)
        .show(ui, |ui| {
            for binding in BINDINGS.iter().filter(|b| b.group == name) {
                ui.label(
                    RichText::new(keys::name(&binding.shortcut))
                        .monospace()
                        .color(p.accent),
                );
                ui.label(binding.does);
                ui.end_row();
            }
        });
}
