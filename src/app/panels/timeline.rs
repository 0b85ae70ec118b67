//! The scores of both kinds over time, with thresholds, candidates and what was
//! not measured; below them the whole recording as an overview. Where somebody codes, the
//! tiers stand above the curves and give way to them.

use egui::{
    Align2, Label, Painter, Rangef, Rect, RichText, Role, Sense, Shape, Stroke, TextStyle, Ui,
    WidgetInfo, pos2, vec2,
};
use egui_plot::{AxisHints, GridMark, HLine, Line, LineStyle, Plot, PlotPoints, PlotTransform};

use super::overview::OVERVIEW;
use super::time_axis::TIME_AXIS;
use super::{overview, tiers, time_axis, timeline_input};
use crate::app::coding::SpotKey;
use crate::app::command::{Command, Room};
use crate::app::coverage::Unmeasured;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::time_view::{self, Ticks, TimeView};
use crate::app::trace;
use crate::app::widgets::marks;
use crate::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};
use crate::timeline::ScoreSource;

const HEADER: f32 = 16.0;
/// Left of both plots, so that they stand under each other.
pub(super) const SCORE_AXIS: f32 = 64.0;
/// Candidates lie in a strip of this height above the curve.
const BARS: f32 = 16.0;
/// Lower than this a lane has no room for the name of its axis.
const LOW_LANE: f32 = 56.0;
/// What stands over a lane while its candidates may still change.
const PROVISIONAL: &str = "dashed: provisional";
/// A curve lower than this says nothing: the bars of its candidates take half of it.
const LEAST_LANE: f32 = 40.0;
/// Between two ticks at least so many points.
const TICK_GAP: f32 = 64.0;

/// The score with its unit, where it has one.
#[must_use]
pub fn with_unit(score: f64, source: Option<&ScoreSource>) -> String {
    match source {
        // More digits than two would promise what no network keeps.
        Some(ScoreSource::SoftNet { .. } | ScoreSource::MotionTcn { .. }) if score >= 0.995 => {
            ">0.99".to_owned()
        }
        Some(ScoreSource::SoftNet { .. } | ScoreSource::MotionTcn { .. }) => format!("{score:.2}"),
        Some(ScoreSource::Control) | None => format!("{score:.4} px/px"),
    }
}

/// What a score is measured in.
#[must_use]
pub fn score_axis(source: Option<&ScoreSource>) -> &'static str {
    match source {
        // How sure the network is, which is not how often it is right.
        Some(ScoreSource::SoftNet { .. } | ScoreSource::MotionTcn { .. }) => "score (0–1)",
        Some(ScoreSource::Control) | None => "strain (px/px)",
    }
}

pub fn show(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let Some(review) = &state.review else {
        return;
    };
    ui.spacing_mut().item_spacing.y = 0.0;
    let view = review.view();
    let width = ui.available_width() - SCORE_AXIS;
    let ticks = time_view::ticks(view, width, TICK_GAP, &review.recording.frames);
    let coding = state.settings.room == Room::Annotate;
    let curves = !coding || with_tiers(ui, (state, review), (view, &ticks), out);
    if curves {
        let axis = if coding { 0.0 } else { TIME_AXIS };
        let space = ui.available_height() - with_lanes(0.0) - axis;
        let height = (0.5 * space).floor().max(LEAST_LANE);
        for kind in [ExpressionKind::Micro, ExpressionKind::Macro] {
            header(ui, review, kind, out);
            lane(ui, review, kind, (view, &ticks), height, out);
            if !coding && kind == ExpressionKind::Macro {
                time_axis::show(ui, view, &ticks);
            }
            ui.add_space(theme::GAP);
        }
    }
    overview::show(ui, review, (view, state.blind()), out);
}

/// The tiers and the axis, as high as the curves under them allow; gives whether there are
/// to be any.
fn with_tiers(
    ui: &mut Ui,
    (state, review): (&AppState, &Review),
    (view, ticks): (TimeView, &Ticks),
    out: &mut Vec<Command>,
) -> bool {
    let space = ui.available_height() - TIME_AXIS - theme::GAP;
    let tiers = tiers::height(state, review);
    let beside_curves = space - with_lanes(LEAST_LANE);
    // In a blind pass the networks say nothing; where there is no room, what the coder
    // says goes before.
    let curves = !state.blind() && beside_curves >= tiers.min(tiers::LEAST);
    let most = if curves {
        beside_curves
    } else {
        (space - OVERVIEW).max(tiers::LEAST)
    };
    let height = tiers.min(most);
    tiers::show(ui, (state, review), (view, ticks), height, out);
    time_axis::show(ui, view, ticks);
    ui.add_space(theme::GAP);
    curves
}

/// How high both curves are, each of this height, with their headers and the overview under
/// them; points.
fn with_lanes(height: f32) -> f32 {
    2.0 * (HEADER + height + theme::GAP) + OVERVIEW
}

fn header(ui: &mut Ui, review: &Review, kind: ExpressionKind, out: &mut Vec<Command>) {
    let p = Palette::current(ui);
    let small = |t: String| RichText::new(t).text_style(TextStyle::Small);
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), HEADER),
        egui::Layout::left_to_right(egui::Align::Center),
        |ui| {
            ui.set_height(HEADER);
            ui.spacing_mut().item_spacing.x = theme::GAP;
            let (rect, _) =
                ui.allocate_exact_size(vec2(SCORE_AXIS + theme::GAP, HEADER), Sense::hover());
            let at = pos2(rect.right() - theme::GAP, rect.center().y);
            marks::kind_glyph(ui.painter(), at, kind, p.track(kind));
            let name = match kind {
                ExpressionKind::Micro => "Micro-expressions",
                ExpressionKind::Macro => "Macro-expressions",
            };
            ui.label(small(name.into()).color(p.track(kind)));
            let source = review.session.sources.get(&kind);
            if let Some(source) = source {
                let speaks = match source {
                    ScoreSource::Control => "control signal".to_owned(),
                    ScoreSource::SoftNet { weights, .. } => format!("SOFTNet, {weights}"),
                    ScoreSource::MotionTcn { weights, .. } => format!("MotionTCN, {weights}"),
                };
                ui.label(small(speaks).color(p.weak))
                    .on_hover_text(source.label());
            }
            if let Some(value) = review.threshold(kind) {
                let moved = review.timeline.floors.contains_key(&kind);
                let leaves = review
                    .spots
                    .iter()
                    .filter(|s| s.kind == kind && s.score >= value)
                    .count();
                let text = format!(
                    "threshold {}{} leaves {leaves}",
                    with_unit(value, source),
                    if moved { " (moved)" } else { "" }
                );
                ui.label(small(text).color(if moved { p.amber } else { p.weak }))
                    .on_hover_text("Drag the dashed line to hide candidates below it.");
                if moved && ui.link(small("Put it back".into())).clicked() {
                    out.push(Command::Floor(kind, None));
                }
            }
            let mut spots = review.spots.iter();
            if spots.any(|s| s.kind == kind && is_provisional(s)) {
                let text = small(PROVISIONAL.into()).color(p.amber);
                ui.add(Label::new(text).truncate()).on_hover_text(
                    "Found while it runs: the frames of such a candidate may still move, or all \
                     of it go, once more has been seen.",
                );
            }
        },
    );
}

fn lane(
    ui: &mut Ui,
    review: &Review,
    kind: ExpressionKind,
    (view, ticks): (TimeView, &Ticks),
    height: f32,
    out: &mut Vec<Command>,
) {
    let p = Palette::current(ui);
    let (low, high) = score_range(review, kind, height);
    let hue = p.track(kind);
    let axis_name = score_axis(review.session.sources.get(&kind));
    let small = TextStyle::Small.resolve(ui.style());
    let values: Vec<GridMark> = ticks
        .marks
        .iter()
        .map(|(t, _)| GridMark {
            value: *t,
            step_size: ticks.step,
        })
        .collect();
    let y_step = score_step(high - low, height);
    let y_axis = AxisHints::new_y()
        .label(
            // In a low lane the name would run into the next one's.
            RichText::new(if height < LOW_LANE { "" } else { axis_name })
                .text_style(TextStyle::Small)
                .color(p.weak),
        )
        .formatter(move |mark, _| decimal(mark.value, y_step))
        .tick_label_font(small)
        .tick_label_color(p.weak)
        .min_thickness(SCORE_AXIS)
        .label_spacing(Rangef::new(4.0, 8.0));
    let under = ui.painter().add(Shape::Noop);
    let threshold = review.threshold(kind);
    let columns = ui.available_width().max(1.0) as usize;
    let lines = review
        .curves
        .get(&kind)
        .map(|curve| trace::polylines(curve, view, columns))
        .unwrap_or_default();
    let moved = review.timeline.floors.contains_key(&kind);
    let response = Plot::new(("scores", kind))
        .height(height)
        .show_background(false)
        .set_margin_fraction(egui::Vec2::ZERO)
        .show_axes([false, true])
        .custom_y_axes(vec![y_axis])
        .x_grid_spacer(move |_| values.clone())
        .y_grid_spacer(move |input| score_marks(input.bounds, y_step))
        .grid_spacing(Rangef::new(4.0, 8.0))
        .grid_color(p.hairline)
        .grid_fade(0.0)
        .show_crosshair(false)
        .show_x(false)
        .show_y(false)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_double_click_reset(false)
        .sense(Sense::click_and_drag())
        .show(ui, |plot| {
            plot.set_plot_bounds_x(view.start..=view.end);
            plot.set_plot_bounds_y(low..=high);
            for (i, line) in lines.into_iter().enumerate() {
                plot.line(
                    Line::new(format!("{} {i}", kind.name()), PlotPoints::from(line))
                        .color(hue)
                        .width(1.25)
                        .allow_hover(false),
                );
            }
            if let Some(value) = threshold {
                plot.hline(
                    HLine::new(format!("{} threshold", kind.name()), value)
                        .color(if moved { p.amber } else { p.weak })
                        .width(1.0)
                        .style(LineStyle::dashed_loose())
                        .allow_hover(false),
                );
            }
        });
    let transform = response.transform;
    let frame = *transform.frame();
    ui.painter()
        .set(under, background(ui, review, kind, &transform, &p));
    let painter = ui.painter().with_clip_rect(frame);
    candidates(ui, &painter, review, kind, &transform, &p);
    selection(&painter, review, &transform, &p);
    cursor(&painter, review, frame, |t| x_of(&transform, t), &p);
    response.response.widget_info(|| {
        WidgetInfo::labeled(
            Role::Canvas,
            true,
            format!(
                "Scores of {}-expressions: {axis_name} over {}",
                kind.name(),
                ticks.axis
            ),
        )
    });
    timeline_input::interact(ui, review, kind, &response.response, &transform, out);
    timeline_input::readout(review, kind, response.response, &transform);
}

fn x_of(transform: &PlotTransform, secs: f64) -> f32 {
    transform.position_from_point_x(secs)
}

/// From the lowest (at most 0) to a little above the highest, with room for the bars.
fn score_range(review: &Review, kind: ExpressionKind, height: f32) -> (f64, f64) {
    let (low, high) = review.score_range.get(&kind).copied().unwrap_or((0.0, 0.0));
    let low = low.min(0.0);
    let high = high.max(review.threshold(kind).unwrap_or(0.0));
    let span = if high - low > 0.0 { high - low } else { 1.0 };
    let free = f64::from((BARS + 4.0) / height.max(2.0 * BARS));
    let bottom = 0.04 * span;
    (
        if low < 0.0 { low - bottom } else { 0.0 },
        low + span / (1.0 - free),
    )
}

/// A round step that leaves about 24 points between two labels.
fn score_step(span: f64, height: f32) -> f64 {
    let wanted = span * f64::from(24.0 / height.max(24.0));
    let tens = 10f64.powf(wanted.max(1e-12).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * tens)
        .find(|s| *s >= wanted)
        .unwrap_or(10.0 * tens)
}

fn score_marks((low, high): (f64, f64), step: f64) -> Vec<GridMark> {
    let (from, to) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (from..=to)
        .take(50)
        .map(|i| GridMark {
            value: i as f64 * step,
            step_size: step,
        })
        .collect()
}

fn decimal(value: f64, step: f64) -> String {
    let decimals = (-step.log10()).ceil().clamp(0.0, 6.0) as usize;
    format!("{value:.decimals$}")
}

/// The lane's ground and, shaded and named, what was not measured.
fn background(
    ui: &Ui,
    review: &Review,
    kind: ExpressionKind,
    transform: &PlotTransform,
    p: &Palette,
) -> Shape {
    let frame = *transform.frame();
    let mut shapes = vec![Shape::rect_filled(frame, 0.0, p.ground)];
    let mut named_until = f32::NEG_INFINITY;
    for span in review.unscored(Some(kind), review.view()) {
        let Some(rect) = span_rect(span, transform, frame) else {
            continue;
        };
        shapes.push(Shape::rect_filled(rect, 0.0, p.shade));
        let galley = ui.painter().layout_no_wrap(
            span.why.label(),
            TextStyle::Small.resolve(ui.style()),
            p.weak,
        );
        // Named where the name fits, and once only where spans crowd.
        if rect.width() >= galley.size().x + 2.0 && rect.left() > named_until {
            named_until = rect.right();
            let at = Align2::CENTER_BOTTOM
                .anchor_size(rect.center_bottom() - vec2(0.0, 2.0), galley.size());
            shapes.push(Shape::galley(at.min, galley, p.weak));
        }
    }
    Shape::Vec(shapes)
}

fn span_rect(span: Unmeasured, transform: &PlotTransform, frame: Rect) -> Option<Rect> {
    let (a, b) = (x_of(transform, span.start), x_of(transform, span.end));
    let rect = Rect::from_x_y_ranges(a..=b.max(a + 1.0), frame.y_range()).intersect(frame);
    rect.is_positive().then_some(rect)
}

pub(super) fn bar_rect(review: &Review, spot: &SpottedInterval, transform: &PlotTransform) -> Rect {
    let frame = transform.frame();
    let a = x_of(transform, review.time_of(spot.onset).secs());
    let b = x_of(transform, review.time_of(spot.offset).secs());
    Rect::from_x_y_ranges(a..=b, frame.top() + 4.0..=frame.top() + BARS)
}

fn candidates(
    ui: &Ui,
    painter: &Painter,
    review: &Review,
    kind: ExpressionKind,
    transform: &PlotTransform,
    p: &Palette,
) {
    let frame = *transform.frame();
    let mut spots = review.spots.iter().filter(|s| s.kind == kind).peekable();
    while let Some(spot) = spots.next() {
        let bar = bar_rect(review, spot, transform);
        if !bar.intersects(frame) {
            continue;
        }
        if review.selected == Some(SpotKey::of(spot)) {
            let column = Rect::from_x_y_ranges(bar.x_range(), frame.y_range());
            painter.rect_filled(column, 0.0, p.accent.gamma_multiply(0.14));
        }
        if !review.above_floor(spot) {
            painter.hline(bar.x_range(), bar.bottom(), Stroke::new(1.0, p.weak));
            continue;
        }
        marks::bar(painter, bar, spot, p);
        let x = x_of(transform, review.time_of(spot.apex).secs());
        painter.vline(
            x,
            bar.bottom()..=bar.bottom() + 4.0,
            Stroke::new(1.5, p.track(kind)),
        );
        let next = spots
            .peek()
            .map_or(f32::INFINITY, |s| bar_rect(review, s, transform).left())
            .min(frame.right());
        codes(ui, painter, review, spot, (bar, next), p);
    }
}

fn is_provisional(spot: &SpottedInterval) -> bool {
    spot.provisional && spot.status == IntervalStatus::Proposed
}

/// Which units moved, and whether that may still change: right of the bar, as much as the next
/// one leaves room for.
fn codes(
    ui: &Ui,
    painter: &Painter,
    review: &Review,
    spot: &SpottedInterval,
    (bar, next): (Rect, f32),
    p: &Palette,
) {
    let recognised = review.recognised_in(spot);
    let codes = recognised.map_or_else(Vec::new, |r| marks::unit_codes(&r.recognition));
    let units = marks::together(&codes);
    let mut forms = vec![units.clone()];
    if is_provisional(spot) {
        forms.insert(0, format!("{units} provisional").trim_start().to_owned());
    }
    let rejected = spot.status == IntervalStatus::Rejected;
    let ink = if rejected { p.weak } else { p.text };
    let font = TextStyle::Small.resolve(ui.style());
    for form in forms.into_iter().filter(|form| !form.is_empty()) {
        let galley = painter.layout_no_wrap(form, font.clone(), ink);
        let start = bar.right_center() + vec2(4.0, 0.0);
        let at = Align2::LEFT_CENTER.anchor_size(start, galley.size());
        if at.right() + 4.0 <= next {
            painter.galley(at.min, galley, ink);
            return;
        }
    }
}

fn selection(painter: &Painter, review: &Review, transform: &PlotTransform, p: &Palette) {
    if let Some((a, b)) = review.timeline.selection {
        let rect = Rect::from_x_y_ranges(
            x_of(transform, a)..=x_of(transform, b),
            transform.frame().y_range(),
        );
        painter.rect_filled(rect, 0.0, p.accent.gamma_multiply(0.18));
        for x in [rect.left(), rect.right()] {
            painter.vline(x, rect.y_range(), Stroke::new(1.0, p.accent));
        }
    }
}

pub(super) fn cursor(
    painter: &Painter,
    review: &Review,
    frame: Rect,
    x: impl Fn(f64) -> f32,
    p: &Palette,
) {
    let at = x(review.time_of(review.playback.frame).secs());
    painter.vline(at, frame.y_range(), Stroke::new(1.5, p.accent));
}
