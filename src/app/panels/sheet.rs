//! What lies over the window until it is closed: in the middle, with its name and a way out.

use egui::{Align, Align2, Area, Frame, Id, Layout, Order, Ui, vec2};

use crate::app::command::{Command, Sheet};
use crate::app::keymap::Keymap;
use crate::app::theme::{self, Palette};

/// Between the sheet and the window's edge, points.
const AROUND: f32 = 64.0;

/// What stands in the head beside the name, and what stands under it.
pub fn show(
    ui: &Ui,
    (sheet, name): (Sheet, &str),
    keys: &Keymap,
    out: &mut Vec<Command>,
    head: impl FnOnce(&mut Ui, &mut Vec<Command>),
    contents: impl FnOnce(&mut Ui, &mut Vec<Command>),
) {
    let p = Palette::current(ui);
    Area::new(Id::unique(("sheet", name)))
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
                        ui.heading(name);
                        let close = match keys.of("Close, or deselect") {
                            key if key.is_empty() => "Close".to_owned(),
                            key => format!("Close ({key})"),
                        };
                        if ui.button(close).clicked() {
                            out.push(Command::Show(sheet));
                        }
                        head(ui, out);
                    });
                    ui.add_space(theme::GAP);
                    contents(ui, out);
                });
        });
}

/// Like [`show`] with nothing beside the name, for lists that are longer than the window.
/// `width` is that of the contents, in points.
pub fn long(
    ui: &Ui,
    (sheet, name, width): (Sheet, &str, f32),
    keys: &Keymap,
    out: &mut Vec<Command>,
    contents: impl FnOnce(&mut Ui, &mut Vec<Command>),
) {
    let height = ui.ctx().content_rect().height() - 2.0 * AROUND;
    let nothing = |_: &mut Ui, _: &mut Vec<Command>| {};
    show(ui, (sheet, name), keys, out, nothing, |ui, out| {
        ui.allocate_ui_with_layout(
            vec2(width, height.max(CONTENTS)),
            Layout::top_down(Align::Min),
            |ui| {
                ui.set_width(width);
                contents(ui, out);
            },
        );
    });
}

/// The least height of a long sheet's contents, points.
const CONTENTS: f32 = 240.0;
