//! The one time axis of a timeline, under the tiers where there are some, else under the
//! curves.

use egui::{Align2, Sense, TextStyle, Ui, pos2, vec2};

use super::timeline::SCORE_AXIS;
use crate::app::theme::{self, Palette};
use crate::app::time_view::{Ticks, TimeView};

/// The numbers and the space above them, which keeps them apart from the last curve's 0.
pub(super) const TIME_AXIS: f32 = 20.0;

pub(super) fn show(ui: &mut Ui, view: TimeView, ticks: &Ticks) {
    let p = Palette::current(ui);
    let (full, _) = ui.allocate_exact_size(vec2(ui.available_width(), TIME_AXIS), Sense::hover());
    let area = full.with_min_x(full.left() + SCORE_AXIS);
    let font = TextStyle::Small.resolve(ui.style());
    let painter = ui.painter();
    for (secs, label) in &ticks.marks {
        let x = area.left() + view.share(*secs) as f32 * area.width();
        if !area.x_range().contains(x) {
            continue;
        }
        let galley = painter.layout_no_wrap(label.clone(), font.clone(), p.weak);
        let half = 0.5 * galley.size().x;
        let x = x.clamp(area.left() + half, area.right() - half);
        painter.galley(
            pos2(x - half, area.bottom() - galley.size().y),
            galley,
            p.weak,
        );
    }
    painter.text(
        pos2(area.left() - theme::GAP, area.bottom()),
        Align2::RIGHT_BOTTOM,
        ticks.axis,
        font,
        p.weak,
    );
}
