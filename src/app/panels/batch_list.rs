//! The recordings of the queue, one row each.

use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align, Id, Layout, Rect, Role, ScrollArea, Sense, TextStyle, Ui, UiBuilder, WidgetInfo, pos2,
    vec2,
};

use crate::app::batch::{BatchCommand, Row, RowState};
use crate::app::command::Command;
use crate::app::keys;
use crate::app::panels::source::{grouped, rough};
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::row;
use crate::project::result_folder::Existing;
use crate::timeline::length;

/// Two lines of a recording and the space around them.
const ROW: f32 = 44.0;
/// For the two buttons of a recording with earlier results.
const ANSWERS: f32 = 184.0;

/// What becomes of both results.
#[must_use]
pub const fn meaning(existing: Existing) -> &'static str {
    match existing {
        Existing::Replace => {
            "The new results take the place of the earlier ones; what somebody judged is kept"
        }
        Existing::Ask | Existing::KeepBoth => "The new results go to a folder with a number",
    }
}

/// How the list stood when it was last painted.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    selected: Option<u64>,
    offset: f32,
}

pub fn show(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let batch = &state.batch;
    ui.spacing_mut().item_spacing.y = 0.0;
    let memory = Id::unique("queue in sight");
    let seen: Seen = ui.data(|d| d.get_temp(memory)).unwrap_or_default();
    let mut area = ScrollArea::vertical().auto_shrink([false, false]);
    // What the keys go to is brought into sight; under the pointer nothing moves.
    if batch.selected != seen.selected
        && !ui.rect_contains_pointer(ui.available_rect_before_wrap())
        && let Some(at) = batch.rows.iter().position(|r| Some(r.id) == batch.selected)
    {
        let top = at as f32 * ROW;
        let offset = (top + ROW - ui.available_height()).max(seen.offset.min(top));
        area = area.vertical_scroll_offset(offset);
    }
    let shown = area.show_rows(ui, ROW, batch.rows.len(), |ui, visible| {
        for at in visible {
            recording(ui, state, at, out);
        }
    });
    let seen = Seen {
        selected: batch.selected,
        offset: shown.state.clamped_offset().y,
    };
    ui.data_mut(|d| d.insert_temp(memory, seen));
}

fn recording(ui: &mut Ui, state: &AppState, at: usize, out: &mut Vec<Command>) {
    let batch = &state.batch;
    let row = &batch.rows[at];
    let chosen = batch.selected == Some(row.id);
    let size = vec2(ui.available_width(), ROW);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let asks = matches!(row.state, RowState::Taken(_));
    let words = rect.with_max_x(rect.right() - if asks { ANSWERS } else { 0.0 });
    let response = response.with_new_rect(row::in_sight(ui, words));
    let said = words_of(state, row);
    let name = format!("{}. {}, {}: {said}", at + 1, row.name(), how_long(row));
    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, chosen, &name));
    if ui.is_rect_visible(rect) {
        paint(ui, row, (rect, words), &said, (chosen, response.hovered()));
    }
    if asks {
        answers(ui, row, rect.with_min_x(words.right()), out);
    }
    let (clicked, opened) = (response.clicked(), response.double_clicked());
    response.on_hover_text(format!("{}\n{said}", row.input.display()));
    if clicked || opened {
        out.push(Command::Batch(BatchCommand::Select(row.id)));
    }
    if opened {
        out.push(Command::Batch(BatchCommand::Open));
    }
}

/// What is to become of earlier results.
fn answers(ui: &mut Ui, row: &Row, area: Rect, out: &mut Vec<Command>) {
    let builder = UiBuilder::new()
        .id_salt(("earlier results", row.id))
        .max_rect(area.shrink2(vec2(8.0, 0.0)))
        .layout(Layout::right_to_left(Align::Center));
    // A child of its own: the place of the next row does not depend on it.
    let mut ui = ui.new_child(builder);
    for (does, existing) in [
        ("Keep both", Existing::KeepBoth),
        ("Replace", Existing::Replace),
    ] {
        let tip = format!("{}. {}.", keys::tip(&ui, does), meaning(existing));
        if ui.button(does).on_hover_text(tip).clicked() {
            out.push(Command::Batch(BatchCommand::Select(row.id)));
            out.push(Command::Batch(BatchCommand::Settle(existing)));
        }
    }
}

/// Painted rather than laid out: the figures of all rows stand under each other.
fn paint(
    ui: &Ui,
    row: &Row,
    (rect, words): (Rect, Rect),
    said: &str,
    (chosen, hovered): (bool, bool),
) {
    let p = Palette::current(ui);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    if chosen || hovered {
        let fill = if chosen { p.raised } else { p.shade };
        painter.rect_filled(rect.shrink2(vec2(0.0, 1.0)), 4.0, fill);
    }
    if chosen {
        let edge = Rect::from_min_max(
            rect.min + vec2(0.0, 4.0),
            pos2(rect.left() + 2.0, rect.bottom() - 4.0),
        );
        painter.rect_filled(edge, 1.0, p.accent);
    }
    let (left, right) = (words.left() + 8.0, words.right() - 8.0);
    let style = ui.style();
    let mono = theme::small_mono().resolve(style);
    let figures = painter.layout_no_wrap(how_long(row), mono, p.weak);
    let figures_left = (right - figures.size().x).max(left);
    painter.galley(pos2(figures_left, rect.top() + 8.0), figures, p.weak);
    let line = |text: &str, style_of: TextStyle, ink, width: f32, top: f32| {
        let mut job = LayoutJob::simple_singleline(text.to_owned(), style_of.resolve(style), ink);
        job.wrap = TextWrapping::truncate_at_width(width.max(0.0));
        let galley = painter.layout_job(job);
        painter.galley(pos2(left, rect.top() + top), galley, ink);
    };
    let beside_figures = figures_left - theme::GAP - left;
    line(&row.name(), TextStyle::Body, p.text, beside_figures, 6.0);
    line(said, TextStyle::Small, ink(row, &p), right - left, 23.0);
    if let Some(share) = row.progress() {
        let bar = Rect::from_min_max(
            pos2(left, rect.bottom() - 5.0),
            pos2(right, rect.bottom() - 2.0),
        );
        painter.rect_filled(bar, 1.0, p.hairline);
        let done = bar.with_max_x(bar.left() + share * bar.width());
        painter.rect_filled(done, 1.0, p.accent);
    }
}

const fn ink(row: &Row, p: &Palette) -> egui::Color32 {
    match row.state {
        RowState::Waiting | RowState::Cancelled => p.weak,
        RowState::Taken(_) => p.amber,
        RowState::Analysing { .. } => p.accent,
        RowState::Done(_) => p.text,
        RowState::Failed(_) => p.red,
    }
}

fn how_long(row: &Row) -> String {
    let Some(look) = &row.look else {
        return match row.state {
            RowState::Failed(_) => "length not known".to_owned(),
            _ => "length not known yet".to_owned(),
        };
    };
    let Some(frames) = look.frames else {
        return "length not known".to_owned();
    };
    let about = if look.exact { "" } else { "about " };
    let frames = format!("{about}{} frames", grouped(frames));
    match look.secs {
        Some(secs) => format!("{}, {frames}", length::clock(secs)),
        None => frames,
    }
}

/// How far it has come, in a sentence.
#[must_use]
pub fn words_of(state: &AppState, row: &Row) -> String {
    let batch = &state.batch;
    match &row.state {
        RowState::Waiting => "Waiting".to_owned(),
        RowState::Taken(folder) => {
            format!("Earlier results of it are in {}", folder.display())
        }
        RowState::Analysing {
            finishing: true, ..
        } => "Analysing: the last step".to_owned(),
        RowState::Analysing { pace, .. } => {
            let word = if batch.running { "Analysing" } else { "Paused" };
            let far = match row.progress() {
                Some(share) => format!("{:.0} %", 100.0 * share),
                None => format!("{} frames", grouped(pace.frames)),
            };
            match batch.row_secs_left(row) {
                Some(secs) => format!("{word}: {far}, about {} left", rough(secs)),
                None => format!("{word}: {far}"),
            }
        }
        RowState::Done(_) if state.hides(&row.input) => "Done".to_owned(),
        RowState::Done(done) => {
            let warned = if done.warned {
                "; its log has warnings"
            } else {
                ""
            };
            let (micros, macros) = (done.micros, done.macros);
            format!("Done: {micros} micro- and {macros} macro-expression candidates{warned}")
        }
        RowState::Failed(why) => format!("Failed. {why}"),
        RowState::Cancelled => "Cancelled".to_owned(),
    }
}
