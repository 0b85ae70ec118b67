//! A name at the left in weak ink, its value at the right.

use egui::{Label, RichText, TextStyle, Ui};

use crate::app::theme::{self, Palette};

/// Text wraps under itself, so nothing is cut.
pub fn fact(ui: &mut Ui, name: &str, value: impl Into<String>) {
    let p = Palette::current(ui);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GAP;
        let width = 64.0;
        ui.allocate_ui_with_layout(
            egui::vec2(width, 16.0),
            egui::Layout::left_to_right(egui::Align::TOP),
            |ui| {
                ui.set_width(width);
                ui.label(
                    RichText::new(name)
                        .text_style(TextStyle::Small)
                        .color(p.weak),
                );
            },
        );
        ui.add(
            Label::new(
                RichText::new(value)
                    .text_style(TextStyle::Small)
                    .color(p.text),
            )
            .wrap(),
        );
    });
}

/// A section's name.
pub fn section(ui: &mut Ui, name: &str) {
    let p = Palette::current(ui);
    ui.add_space(theme::GAP);
    ui.label(RichText::new(name).strong().color(p.text));
}

/// 11 points, weak.
#[must_use]
pub fn weak(ui: &Ui, text: impl Into<String>) -> RichText {
    RichText::new(text)
        .text_style(TextStyle::Small)
        .color(Palette::current(ui).weak)
}

/// 11 points, monospace: times and frames stand under each other.
#[must_use]
pub fn figures(text: impl Into<String>) -> RichText {
    RichText::new(text).text_style(theme::small_mono())
}

/// What of a row of a scrolled list can be seen: of no height where nothing can.
#[must_use]
pub fn in_sight(ui: &Ui, rect: egui::Rect) -> egui::Rect {
    let clip = ui.clip_rect();
    let y = |y: f32| y.clamp(clip.top(), clip.bottom());
    egui::Rect::from_x_y_ranges(rect.x_range(), y(rect.top())..=y(rect.bottom()))
}
