//! While a file hangs over the window.

use egui::{Align2, Id, LayerId, Order, Rect, Stroke, StrokeKind, TextStyle, Ui};

use crate::app::command::Room;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};

pub fn show(ui: &Ui, state: &AppState, area: Rect) {
    let p = Palette::current(ui);
    let painter = ui
        .ctx()
        .layer_painter(LayerId::new(Order::Foreground, Id::unique("drop target")));
    painter.rect_filled(area, 4.0, p.panel.gamma_multiply(0.9));
    painter.rect_stroke(
        area.shrink(theme::GRID),
        4.0,
        Stroke::new(2.0, p.accent),
        StrokeKind::Inside,
    );
    painter.text(
        area.center(),
        Align2::CENTER_CENTER,
        match state.settings.room {
            Room::Batch => "Drop to add to the queue",
            _ => "Drop to open",
        },
        TextStyle::Heading.resolve(ui.style()),
        p.text,
    );
}
