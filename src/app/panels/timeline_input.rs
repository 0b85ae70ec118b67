//! What the pointer does on a lane of the timeline.

use egui::{Id, Label, PointerButton, Response, RichText, Ui, pos2, vec2};
use egui_plot::PlotTransform;

use super::timeline::{bar_rect, with_unit};
use crate::app::coding::SpotKey;
use crate::app::command::Command;
use crate::app::review::Review;
use crate::app::theme;
use crate::app::trace;
use crate::spotting::ExpressionKind;

/// So near to the threshold line a drag moves it.
const GRAB: f32 = 5.0;

/// What a drag that began on the timeline does until it ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Drag {
    Select(f64),
    Threshold(ExpressionKind),
    Pan,
}

pub(super) fn interact(
    ui: &Ui,
    review: &Review,
    kind: ExpressionKind,
    response: &Response,
    transform: &PlotTransform,
    out: &mut Vec<Command>,
) {
    let secs_at = |x: f32| transform.value_from_position(pos2(x, 0.0)).x;
    let memory = Id::unique("timeline drag");
    let near_line = |y: f32| {
        review
            .threshold(kind)
            .is_some_and(|v| (transform.position_from_point_y(v) - y).abs() <= GRAB)
    };
    if let Some(at) = response.hover_pos() {
        let per_point = transform.dvalue_dpos()[0];
        wheel(ui, review, secs_at(at.x), per_point, out);
        if near_line(at.y) {
            ui.ctx().set_cursor_icon(egui::CursorIcon::ResizeVertical);
        }
    }
    if response.drag_started()
        && let Some(at) = ui.input(|i| i.pointer.press_origin())
    {
        let pans = response.drag_started_by(PointerButton::Secondary)
            || response.drag_started_by(PointerButton::Middle);
        let drag = if pans {
            Drag::Pan
        } else if near_line(at.y) {
            Drag::Threshold(kind)
        } else {
            Drag::Select(secs_at(at.x))
        };
        ui.data_mut(|d| d.insert_temp(memory, drag));
    }
    if response.dragged()
        && let Some(at) = response.interact_pointer_pos()
    {
        match ui.data(|d| d.get_temp::<Drag>(memory)) {
            Some(Drag::Select(from)) => {
                out.push(Command::SelectTime(Some((from, secs_at(at.x)))));
            }
            Some(Drag::Threshold(kind)) => {
                let y = transform.value_from_position(at).y;
                out.push(Command::Floor(kind, Some(y)));
            }
            Some(Drag::Pan) => {
                let secs = -f64::from(response.drag_delta().x) * transform.dvalue_dpos()[0];
                out.push(Command::LookAt(Some(
                    review.view().panned(secs, review.limits()),
                )));
            }
            None => {}
        }
    }
    let Some(at) = response.interact_pointer_pos() else {
        return;
    };
    let under = review
        .spots
        .iter()
        .filter(|s| s.kind == kind && review.above_floor(s))
        .find(|s| {
            bar_rect(review, s, transform)
                .expand2(vec2(2.0, 4.0))
                .contains(at)
        });
    if response.double_clicked() {
        let t = secs_at(at.x);
        let inside = under.or_else(|| {
            review.spots.iter().find(|s| {
                s.kind == kind
                    && review.time_of(s.onset).secs() <= t
                    && t <= review.time_of(s.offset).secs()
            })
        });
        if let Some(spot) = inside {
            out.push(Command::Select(Some(SpotKey::of(spot))));
            out.push(Command::FitSelected);
        }
    } else if response.clicked() {
        match under {
            Some(spot) => out.push(Command::Select(Some(SpotKey::of(spot)))),
            None => {
                out.push(Command::SelectTime(None));
                out.push(Command::SeekSecs(secs_at(at.x)));
            }
        }
    }
}

/// Zooms at the pointer, with Shift scrolls. A point is `secs_per_point` wide.
pub(super) fn wheel(
    ui: &Ui,
    review: &Review,
    at_secs: f64,
    secs_per_point: f64,
    out: &mut Vec<Command>,
) {
    let (scroll, shift, pinch) =
        ui.input(|i| (i.smooth_scroll_delta, i.modifiers.shift, i.zoom_delta()));
    let limits = review.limits();
    let view = review.view();
    let sideways = if shift && scroll.x == 0.0 {
        scroll.y
    } else {
        scroll.x
    };
    let new = if pinch != 1.0 {
        view.zoomed(f64::from(pinch), at_secs, limits)
    } else if sideways != 0.0 {
        view.panned(-f64::from(sideways) * secs_per_point, limits)
    } else if scroll.y != 0.0 {
        view.zoomed(f64::from(scroll.y / 200.0).exp(), at_secs, limits)
    } else {
        return;
    };
    out.push(Command::LookAt((new != limits).then_some(new)));
}

/// Time, frame, score and, where nothing was measured, why not.
pub(super) fn readout(
    review: &Review,
    kind: ExpressionKind,
    response: Response,
    transform: &PlotTransform,
) {
    let Some(at) = response.hover_pos() else {
        return;
    };
    let t = transform.value_from_position(at).x;
    let frame = review.frame_near(t);
    let mut text = format!("{}  frame {frame}", review.time_of(frame).clock());
    // No score follows where the analysis broke off.
    let analysed = review.not_analysed().is_none_or(|left| t <= left.start);
    if let Some(samples) = review.recording.scores.get(&kind).filter(|_| analysed) {
        let after = samples.partition_point(|s| trace::sample_secs(s) < t);
        if let Some(sample) = samples.get(after.min(samples.len().saturating_sub(1)))
            && sample.masked.is_none()
        {
            let source = review.session.sources.get(&kind);
            text.push_str(&format!("\nscore {}", with_unit(sample.score, source)));
        }
    }
    for span in review.unmeasured(Some(kind)) {
        if span.start <= t && t <= span.end {
            text.push_str(&format!("\nnot measured: {}", span.why.label()));
        }
    }
    if !response.dragged() {
        response.on_hover_ui_at_pointer(|ui| {
            ui.add(Label::new(RichText::new(text).text_style(theme::small_mono())).extend());
        });
    }
}
