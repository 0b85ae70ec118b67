//! Where is the recording of this project? Beside the work, not in its way.

use egui::{Align2, Area, Button, Frame, Id, Label, Order, RichText, Ui, vec2};

use crate::app::command::Command;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::row;

const WIDTH: f32 = 400.0;

/// At the top of the pictures' area.
pub fn show(ui: &Ui, state: &AppState, area: egui::Rect, out: &mut Vec<Command>) {
    let Some(missing) = &state.entrance.missing else {
        return;
    };
    let p = Palette::current(ui);
    Area::new(Id::unique("missing recording"))
        .order(Order::Foreground)
        .pivot(Align2::CENTER_TOP)
        .fixed_pos(area.center_top() + vec2(0.0, theme::GAP))
        .constrain_to(area)
        .show(ui.ctx(), |ui| {
            ui.set_width(WIDTH.min(area.width() - theme::SECTION));
            Frame::NONE
                .fill(p.panel)
                .stroke(egui::Stroke::new(1.0, p.hairline))
                .corner_radius(4)
                .inner_margin(egui::Margin::same(16))
                .shadow(ui.visuals().popup_shadow)
                .show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    let asked = format!("Where is {}?", missing.name);
                    ui.add(Label::new(RichText::new(asked).heading()).wrap());
                    ui.add_space(theme::GRID);
                    ui.add(Label::new(&missing.why).wrap().selectable(true));
                    ui.add(
                        Label::new(row::weak(
                            ui,
                            "What you choose is compared with what was coded, and remembered.",
                        ))
                        .wrap(),
                    );
                    ui.add_space(theme::GAP);
                    ui.horizontal(|ui| {
                        let waiting = state.entrance.dialog_since.is_some();
                        let choose =
                            Button::new(RichText::new("Choose…").color(p.on_accent)).fill(p.accent);
                        if ui
                            .add_enabled(!waiting, choose)
                            .on_disabled_hover_text("A file dialog is already open.")
                            .clicked()
                        {
                            out.push(Command::AskForInput(missing.dialog()));
                        }
                        if ui
                            .button("Give up")
                            .on_hover_text("The project stays as it is")
                            .clicked()
                        {
                            out.push(Command::GiveUp);
                        }
                    });
                });
        });
}
