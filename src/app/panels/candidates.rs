//! The candidates, best score first, each with its face at onset, apex and offset, when it
//! begins and how long it lasts, its score and standing.

use egui::{
    Align2, Id, Painter, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, TextStyle, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};

use crate::app::coding::SpotKey;
use crate::app::command::Command;
use crate::app::keys;
use crate::app::panels::moments;
use crate::app::panels::source::grouped;
use crate::app::panels::strip;
use crate::app::panels::timeline::with_unit;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::textures::Textures;
use crate::app::widgets::{marks, row};
use crate::recognition::{ClassReading, Recognition};
use crate::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};
use crate::timeline::length;

/// Of the button that writes the table, points.
const SAVE: f32 = 88.0;
/// A line, the strip with three lines beside it, and the space around them.
const ROW: f32 = 72.0;
/// The same with a line for what moved.
const ROW_WITH_UNITS: f32 = 88.0;
/// How likely the class is, as a bar.
const METER: Vec2 = vec2(24.0, 6.0);

pub fn show(ui: &mut Ui, state: &AppState, textures: &Textures, out: &mut Vec<Command>) {
    let Some(review) = &state.review else {
        return;
    };
    let list = review.ranked();
    if !state.judges_under_what_moved() {
        judge_below(ui, state, out);
    }
    if list.is_empty() {
        nothing(ui, review, out);
        return;
    }
    summary(ui, review, list.len());
    ui.add_space(theme::GRID);
    let high = row_height(review);
    ui.spacing_mut().item_spacing.y = 0.0;
    let memory = Id::unique("candidates in sight");
    let seen: Seen = ui.data(|d| d.get_temp(memory)).unwrap_or_default();
    let mut area = ScrollArea::vertical().auto_shrink([false, false]);
    // What is chosen elsewhere is brought into sight; under the pointer nothing moves.
    if review.selected != seen.selected
        && !ui.rect_contains_pointer(ui.available_rect_before_wrap())
        && let Some(at) = list
            .iter()
            .position(|s| Some(SpotKey::of(s)) == review.selected)
    {
        let top = at as f32 * high;
        // Clear of what fades at the edge.
        let below = top + high + theme::GAP;
        let offset = (below - ui.available_height()).max(seen.offset.min(top));
        area = area.vertical_scroll_offset(offset);
    }
    let shown = area.show_rows(ui, high, list.len(), |ui, visible| {
        let micro = list
            .iter()
            .filter(|s| s.kind == ExpressionKind::Micro)
            .count();
        let in_sight: Vec<_> = (visible.clone())
            .filter_map(|at| list.get(at).map(|s| SpotKey::of(s)))
            .collect();
        for at in visible {
            // Counted anew for each kind.
            let rank = if at < micro { at } else { at - micro };
            candidate(ui, (review, textures), rank, list[at], out);
        }
        in_sight
    });
    if shown.inner != review.in_sight {
        out.push(Command::InSight(shown.inner));
    }
    let seen = Seen {
        selected: review.selected,
        offset: shown.state.clamped_offset().y,
    };
    ui.data_mut(|d| d.insert_temp(memory, seen));
}

/// The buttons that judge, where there is something to be judged.
pub fn judge_below(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let Some(review) = state.review.as_ref().filter(|r| !r.ranked().is_empty()) else {
        return;
    };
    egui::Panel::bottom("judge")
        .frame(egui::Frame::NONE)
        .resizable(false)
        .show_separator_line(false)
        .show(ui, |ui| {
            ui.add_space(theme::GAP);
            judge(ui, review, out);
        });
}

/// How the list stood when it was last painted.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    selected: Option<SpotKey>,
    offset: f32,
}

fn row_height(review: &Review) -> f32 {
    if review.reads_units() {
        ROW_WITH_UNITS
    } else {
        ROW
    }
}

fn summary(ui: &mut Ui, review: &Review, shown: usize) {
    let count = |kind| review.spots.iter().filter(|s| s.kind == kind).count();
    let hidden = review.spots.len() - shown;
    let mut text = format!(
        "{} ME, then {} MaE, each ranked by score",
        count(ExpressionKind::Micro),
        count(ExpressionKind::Macro),
    );
    if hidden > 0 {
        text.push_str(&format!("; {hidden} below the line"));
    }
    ui.add(egui::Label::new(row::weak(ui, text)).wrap());
}

fn nothing(ui: &mut Ui, review: &Review, out: &mut Vec<Command>) {
    ui.add_space(theme::SECTION);
    let hidden = review.spots.len();
    if hidden > 0 {
        ui.label(format!(
            "All {hidden} candidates lie below the threshold line that you moved."
        ));
        ui.add_space(theme::GAP);
        if ui.button("Put the line back").clicked() {
            for kind in ExpressionKind::BOTH {
                out.push(Command::Floor(kind, None));
            }
        }
        return;
    }
    ui.label(if review.status.failed.is_some() {
        "The analysis stopped before it found a candidate."
    } else if review.recording.finished {
        "No movement of this recording stands out from its own noise."
    } else {
        "Candidates appear here as the analysis finds them."
    });
}

fn candidate(
    ui: &mut Ui,
    (review, textures): (&Review, &Textures),
    rank: usize,
    spot: &SpottedInterval,
    out: &mut Vec<Command>,
) {
    let p = Palette::current(ui);
    let key = SpotKey::of(spot);
    let selected = review.selected == Some(key);
    let size = vec2(ui.available_width(), row_height(review));
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let response = response.with_new_rect(row::in_sight(ui, rect));
    let mut name = format!(
        "{}. {} {}, onset {} frame {} to {}, apex frame {}, score {}",
        rank + 1,
        marks::short(spot.kind),
        marks::standing(spot),
        review.time_of(spot.onset).clock(),
        spot.onset,
        spot.offset,
        spot.apex,
        with_unit(spot.score, review.session.sources.get(&spot.kind))
    );
    let known = review.recognised_in(spot).map(|r| &r.recognition);
    if let Some(units) = units_line(review, known) {
        let units = units.map_or_else(str::to_owned, |codes| marks::together(&codes));
        name.push_str(&format!(", {units}"));
    }
    if let Some(class) = known.and_then(|k| k.class.as_ref()) {
        name.push_str(&format!(", {}", class_words(class)));
    }
    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, selected, &name));
    if ui.is_rect_visible(rect) {
        paint(
            ui,
            review,
            spot,
            rect,
            (rank, selected, response.hovered()),
            &p,
        );
        strip::show(ui, (review, textures), rect, (rank, spot));
        figures(ui, review, rect, spot);
    }
    if response.double_clicked() {
        out.push(Command::Select(Some(key)));
        out.push(Command::FitSelected);
    } else if response.clicked() {
        out.push(Command::Select(Some(key)));
    }
}

/// Right of the strip of pictures; a camera has none.
fn beside(review: &Review, row: Rect) -> f32 {
    if review.session.info.live {
        row.left() + 8.0
    } else {
        strip::place(row, 2).right() + theme::GAP
    }
}

/// On hover: what the figures of a row are.
fn figures(ui: &Ui, review: &Review, row: Rect, spot: &SpottedInterval) {
    let top = row.top() + strip::TOP;
    let area = Rect::from_min_max(
        pos2(beside(review, row), top),
        pos2(row.right() - 8.0, top + strip::SIDE),
    );
    let id = ui.scope_id().with(("figures", spot.onset, spot.kind));
    let frames = (spot.onset, Some(spot.apex), spot.offset);
    ui.interact(area, id, Sense::hover())
        .on_hover_text(moments::in_words(review, frames));
}

/// Painted rather than laid out: the figures of all rows stand in the same columns.
fn paint(
    ui: &Ui,
    review: &Review,
    spot: &SpottedInterval,
    rect: Rect,
    (rank, selected, hovered): (usize, bool, bool),
    p: &Palette,
) {
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let style = ui.style();
    let (body, small) = (
        TextStyle::Body.resolve(style),
        TextStyle::Small.resolve(style),
    );
    let mono = theme::small_mono().resolve(style);
    if selected || hovered {
        let fill = if selected { p.raised } else { p.shade };
        painter.rect_filled(rect.shrink2(vec2(0.0, 1.0)), 4.0, fill);
    }
    if selected {
        let edge = Rect::from_min_max(
            rect.min + vec2(0.0, 4.0),
            pos2(rect.left() + 2.0, rect.bottom() - 4.0),
        );
        painter.rect_filled(edge, 1.0, p.accent);
    }
    let rejected = spot.status == IntervalStatus::Rejected;
    let hue = p.track(spot.kind);
    let ink = if rejected { p.weak } else { p.text };
    let left = rect.left() + 8.0;
    let first = rect.top() + 14.0;

    painter.text(
        pos2(left, first),
        Align2::LEFT_CENTER,
        format!("{}", rank + 1),
        small.clone(),
        p.weak,
    );
    marks::kind_glyph(&painter, pos2(left + 24.0, first), spot.kind, hue);
    painter.text(
        pos2(left + 36.0, first),
        Align2::LEFT_CENTER,
        marks::short(spot.kind),
        body,
        hue,
    );
    let sample = Rect::from_center_size(pos2(left + 84.0, first), vec2(20.0, 8.0));
    marks::bar(&painter, sample, spot, p);
    painter.text(
        pos2(left + 100.0, first),
        Align2::LEFT_CENTER,
        marks::standing(spot),
        small.clone(),
        if spot.provisional { p.amber } else { ink },
    );
    painter.text(
        pos2(rect.right() - 8.0, first),
        Align2::RIGHT_CENTER,
        with_unit(spot.score, review.session.sources.get(&spot.kind)),
        mono.clone(),
        ink,
    );
    let beside = beside(review, rect);
    let lasts = length::in_words(review.lasts(spot.onset, spot.offset));
    let (onset, offset) = (grouped(spot.onset), grouped(spot.offset));
    let top = rect.top() + strip::TOP;
    // As in the list of annotations: when it begins, then its frames.
    for (y, text, font, ink) in [
        (6.0, review.time_of(spot.onset).clock(), &mono, ink),
        (20.0, format!("{onset}–{offset}, {lasts}"), &small, ink),
        (34.0, format!("apex {}", grouped(spot.apex)), &small, p.weak),
    ] {
        painter.text(
            pos2(beside, top + y),
            Align2::LEFT_CENTER,
            text,
            font.clone(),
            ink,
        );
    }
    let last = Rect::from_center_size(
        pos2(rect.center().x, top + strip::SIDE + 10.0),
        vec2(rect.width() - 16.0, 16.0),
    );
    what_moved(&painter, review, spot, (last, style), p);
}

/// Under the frames: the units at the left, at the right the class and how likely it is.
fn what_moved(
    painter: &Painter,
    review: &Review,
    spot: &SpottedInterval,
    (line, style): (Rect, &egui::Style),
    p: &Palette,
) {
    let known = review.recognised_in(spot).map(|r| &r.recognition);
    let Some(units) = units_line(review, known) else {
        return;
    };
    let rejected = spot.status == IntervalStatus::Rejected;
    let strong = |on: bool| if on && !rejected { p.text } else { p.weak };
    let small = TextStyle::Small.resolve(style);
    let (mut right, y) = (line.right(), line.center().y);
    if let Some(class) = known.and_then(|k| k.class.as_ref()) {
        let ink = strong(!class.abstains);
        if let Some((_, probability)) = class.label() {
            let meter = Rect::from_min_size(pos2(right - METER.x, y - 0.5 * METER.y), METER);
            let share = probability.clamp(0.0, 1.0) as f32;
            let filled = meter.with_max_x(meter.left() + share * METER.x);
            painter.rect_filled(filled, 1.0, ink);
            painter.rect_stroke(meter, 1.0, Stroke::new(1.0, p.weak), StrokeKind::Inside);
            right = meter.left() - theme::GRID;
        }
        let words = class_words(class);
        let drawn = painter.text(
            pos2(right, y),
            Align2::RIGHT_CENTER,
            words,
            small.clone(),
            ink,
        );
        right = drawn.left() - theme::GAP;
    }
    let ink = strong(units.is_ok());
    let font = if units.is_ok() {
        theme::small_mono().resolve(style)
    } else {
        small
    };
    let width = |text: &str| {
        painter
            .layout_no_wrap(text.to_owned(), font.clone(), ink)
            .size()
            .x
    };
    let text = match units {
        Ok(codes) => fitting(&codes, |text| width(text) <= right - line.left()),
        Err(why) => why.to_owned(),
    };
    painter.text(
        pos2(line.left(), y),
        Align2::LEFT_CENTER,
        text,
        font.clone(),
        ink,
    );
}

/// As many of the codes as fit, with a sign where there are more.
fn fitting(codes: &[String], fits: impl Fn(&str) -> bool) -> String {
    let with = |count: usize| {
        let more = if count < codes.len() { "+…" } else { "" };
        marks::together(&codes[..count]) + more
    };
    let longest = (1..=codes.len()).rev().map(with).find(|text| fits(text));
    longest.unwrap_or_else(|| match codes.len() {
        1 => "1 unit".to_owned(),
        count => format!("{count} units"),
    })
}

/// The codes of the units that are present, or why there are none; nothing while it is
/// still to come.
fn units_line(
    review: &Review,
    known: Option<&Recognition>,
) -> Option<Result<Vec<String>, &'static str>> {
    let Some(known) = known else {
        let none = review.reads_units() && review.recording.finished;
        return none.then_some(Err("no action units"));
    };
    let codes = marks::unit_codes(known);
    Some(if codes.is_empty() {
        Err("no unit stands out")
    } else {
        Ok(codes)
    })
}

fn class_words(class: &ClassReading) -> String {
    class.label().map_or_else(
        || "undecided".to_owned(),
        |(name, probability)| format!("{name} {probability:.2}"),
    )
}

fn judge(ui: &mut Ui, review: &Review, out: &mut Vec<Command>) {
    let spot = review.selected_spot();
    let width = (ui.available_width() - 2.0 * theme::GAP - SAVE) / 2.0;
    ui.horizontal(|ui| {
        for (does, done, status) in [
            ("Accept", "Accepted", IntervalStatus::Accepted),
            ("Reject", "Rejected", IntervalStatus::Rejected),
        ] {
            let made = spot.is_some_and(|s| s.status == status);
            let button = egui::Button::selectable(made, if made { done } else { does })
                .frame_when_inactive(true)
                .min_size(vec2(width, theme::CONTROL));
            let response = ui
                .add_enabled(spot.is_some(), button)
                .on_hover_text(if made {
                    "Again takes it back".to_owned()
                } else {
                    keys::tip(ui, does)
                })
                .on_disabled_hover_text(
                    keys::current(ui)
                        .fill("Select a candidate first: click it, or press {Next candidate}."),
                );
            if response.clicked() {
                out.push(Command::Decide(status));
            }
        }
        let save = egui::Button::new("Save table").min_size(vec2(SAVE, theme::CONTROL));
        if ui
            .add(save)
            .on_hover_text(format!(
                "{}: all of them with what became of each, as a new table (intervals.csv) beside \
                 the recording. What you accept and reject is kept in any case",
                keys::tip(ui, "Save the candidates")
            ))
            .clicked()
        {
            out.push(Command::Save);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_do_not_fit_leave_a_sign() {
        let codes = ["1", "2", "L12"].map(str::to_owned);
        let within = |letters| fitting(&codes, |text| text.chars().count() <= letters);
        assert_eq!(within(10), "AU 1+2+L12");
        assert_eq!(within(9), "AU 1+2+…");
        assert_eq!(within(6), "AU 1+…");
        assert_eq!(within(5), "3 units");
        assert_eq!(fitting(&codes[..1], |_| false), "1 unit");
    }
}
