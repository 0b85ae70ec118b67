//! The Batch room: the queue, what it says of itself, and the log of one recording.

use egui::{Button, Frame, Label, Margin, RichText, ScrollArea, TextStyle, Ui, vec2};

use crate::app::batch::{BESIDE, Batch, BatchCommand, Row, RowState};
use crate::app::command::{Command, DialogKind};
use crate::app::keys;
use crate::app::notices;
use crate::app::panels::batch_list::{self, meaning, words_of};
use crate::app::panels::source::rough;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::row;
use crate::project::result_folder::Existing;

/// In place of a recording's log.
const HIDDEN: &str = "The blind pass of it hides what its analysis said.";
const DIALOG_OPEN: &str = "A file dialog is already open.";

pub fn show(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    if state.batch.rows.is_empty() {
        empty(ui, state, out);
        return;
    }
    let frame = Frame::NONE
        .fill(Palette::current(ui).panel)
        .inner_margin(Margin::same(8));
    egui::Panel::top("queue")
        .frame(frame)
        .resizable(false)
        .show(ui, |ui| header(ui, state, out));
    egui::Panel::bottom("queue log")
        .frame(frame)
        .resizable(true)
        .default_size(192.0)
        .size_range(112.0..=480.0)
        .show(ui, |ui| {
            ui.take_available_space();
            selected(ui, state, out);
        });
    frame.show(ui, |ui| {
        ui.take_available_space();
        batch_list::show(ui, state, out);
    });
}

/// Before anything is in the queue: one sentence and one button.
fn empty(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let p = Palette::current(ui);
    ui.vertical_centered(|ui| {
        ui.add_space(((ui.available_height() - 168.0) * 0.45).max(theme::SECTION));
        ui.set_max_width(480.0);
        if state.batch.looking > 0 {
            ui.label(RichText::new("Looking for recordings…").heading());
            return;
        }
        ui.label(RichText::new("Add recordings to analyse them one after another.").heading());
        ui.add_space(theme::SECTION);
        let button = Button::new(RichText::new("Add recordings…").color(p.on_accent))
            .fill(p.accent)
            .min_size(vec2(160.0, 32.0));
        let waiting = state.entrance.dialog_since.is_some();
        if (ui.add_enabled(!waiting, button))
            .on_hover_text(keys::tip(ui, "Add recordings…"))
            .on_disabled_hover_text(DIALOG_OPEN)
            .clicked()
        {
            out.push(Command::AskForInput(DialogKind::QueueFiles));
        }
        ui.add_space(theme::GAP);
        let text = "Or drop files and folders on this window: every video in a folder is a \
                    recording, and so is every folder of images.";
        ui.add(Label::new(row::weak(ui, text)).wrap());
    });
}

/// In the top bar, in place of what opens one recording.
pub fn add_buttons(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let waiting = state.entrance.dialog_since.is_some();
    for (does, kind) in [
        ("Add recordings…", DialogKind::QueueFiles),
        ("Add folders…", DialogKind::QueueFolders),
    ] {
        if (ui.add_enabled(!waiting, Button::new(does)))
            .on_hover_text(keys::tip(ui, does))
            .on_disabled_hover_text(DIALOG_OPEN)
            .clicked()
        {
            out.push(Command::AskForInput(kind));
        }
    }
}

fn header(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let (p, batch) = (Palette::current(ui), &state.batch);
    let counts = batch.counts();
    ui.horizontal_wrapped(|ui| {
        let work = batch.running || batch.rows.iter().any(Row::may_cancel);
        let (name, ink, fill) = if batch.running {
            ("Pause", p.text, p.raised)
        } else {
            ("Start", p.on_accent, p.accent)
        };
        let start = Button::new(RichText::new(name).color(ink))
            .fill(fill)
            .min_size(vec2(80.0, theme::CONTROL));
        if (ui.add_enabled(work, start))
            .on_hover_text(keys::tip(ui, "Start or pause"))
            .on_disabled_hover_text("Nothing waits to be analysed.")
            .clicked()
        {
            out.push(Command::Batch(BatchCommand::StartOrPause));
        }
        if counts.failed > 0 {
            let retry = ui.button("Try all failed again");
            if retry
                .on_hover_text(keys::tip(ui, "Try all failed again"))
                .clicked()
            {
                out.push(Command::Batch(BatchCommand::RetryAllFailed));
            }
        }
        if counts.taken > 0 {
            ui.label(RichText::new(format!(
                "{} with earlier results:",
                counts.taken
            )));
            for (name, existing) in [
                ("Replace all", Existing::Replace),
                ("Keep both for all", Existing::KeepBoth),
            ] {
                if ui.button(name).on_hover_text(meaning(existing)).clicked() {
                    out.push(Command::Batch(BatchCommand::SettleAll(existing)));
                }
            }
        }
    });
    ui.add(Label::new(summary(batch)).wrap());
    ui.horizontal_wrapped(|ui| results_folder(ui, state, out));
}

fn results_folder(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let chosen = state.settings.results_folder.as_ref();
    let place = chosen.map_or_else(
        || format!("Results go to {BESIDE} beside each recording."),
        |folder| format!("Results go to {}", folder.display()),
    );
    ui.add(Label::new(row::weak(ui, place)).wrap());
    let waiting = state.entrance.dialog_since.is_some();
    if (ui.add_enabled(!waiting, Button::new("Choose a folder…")))
        .on_hover_text(keys::tip(ui, "Choose the results' folder…"))
        .on_disabled_hover_text(DIALOG_OPEN)
        .clicked()
    {
        out.push(Command::AskForInput(DialogKind::ResultsFolder));
    }
    if chosen.is_some()
        && ui
            .button("Beside the recordings")
            .on_hover_text(keys::tip(ui, "Results beside the recordings"))
            .clicked()
    {
        out.push(Command::Batch(BatchCommand::ResultsIn(None)));
    }
}

/// "5 recordings: 1 done, 1 being analysed, 3 waiting. About 12 min left."
fn summary(batch: &Batch) -> String {
    let c = batch.counts();
    let each = [
        (c.done, "done"),
        (c.analysing, "being analysed"),
        (c.waiting, "waiting"),
        (c.taken, "with earlier results"),
        (c.failed, "failed"),
        (c.cancelled, "cancelled"),
    ];
    let some = each.into_iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = some.map(|(n, word)| format!("{n} {word}")).collect();
    let all = match batch.rows.len() {
        1 => "1 recording".to_owned(),
        n => format!("{n} recordings"),
    };
    let mut text = format!("{all}: {}.", words.join(", "));
    if let Some(left) = batch.time_left() {
        if left.secs > 0.0 || left.without == 0 {
            text.push_str(&format!(" About {} left", rough(left.secs)));
        } else {
            text.push_str(" Time left not known");
        }
        match left.without {
            0 => text.push('.'),
            n => text.push_str(&format!(", without {n} of unknown length.")),
        }
    }
    if batch.looking > 0 {
        text.push_str(" Looking for recordings…");
    }
    text
}

/// In the strip at the bottom of every room: "2 of 5, about 3 min left".
#[must_use]
pub fn in_short(batch: &Batch) -> String {
    let c = batch.counts();
    let mut text = format!("{} of {} done", c.done, batch.rows.len());
    if !batch.running && c.waiting + c.analysing > 0 {
        text.push_str(", paused");
    } else if let Some(left) = batch.time_left().filter(|left| left.without == 0) {
        text.push_str(&format!(", about {} left", rough(left.secs)));
    }
    text
}

fn selected(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let batch = &state.batch;
    let Some(row) = batch.selected_row() else {
        ui.label("Select a recording to see what its analysis said.");
        return;
    };
    ui.horizontal_wrapped(|ui| buttons(ui, batch, row, out));
    ui.add_space(theme::GRID);
    ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.add(Label::new(RichText::new(row.name()).strong()).truncate());
            ui.add(Label::new(words_of(state, row)).wrap().selectable(true));
            ui.add_space(theme::GRID);
            if state.hides(&row.input) {
                ui.label(row::weak(ui, HIDDEN));
            } else {
                log(ui, row);
            }
        });
}

fn buttons(ui: &mut Ui, batch: &Batch, row: &Row, out: &mut Vec<Command>) {
    let at = batch.rows.iter().position(|r| r.id == row.id);
    let last = batch.rows.len().checked_sub(1);
    let done = matches!(row.state, RowState::Done(_));
    for (does, enabled, why_not, command) in [
        (
            "Open in Review",
            done,
            "It opens once it is done.",
            BatchCommand::Open,
        ),
        (
            "Try again",
            row.may_retry(),
            "Only what failed or was cancelled is tried again.",
            BatchCommand::Retry,
        ),
        (
            "Cancel",
            row.may_cancel(),
            "It neither waits nor is it being analysed.",
            BatchCommand::Cancel,
        ),
        ("Remove", true, "", BatchCommand::Remove),
        (
            "Move up",
            at != Some(0),
            "It is the first.",
            BatchCommand::Move(-1),
        ),
        (
            "Move down",
            at != last,
            "It is the last.",
            BatchCommand::Move(1),
        ),
        (
            "Copy the log",
            !row.log.entries().is_empty(),
            "Nothing has been said of it yet.",
            BatchCommand::CopyLog,
        ),
    ] {
        if (ui.add_enabled(enabled, Button::new(does)))
            .on_hover_text(keys::tip(ui, does))
            .on_disabled_hover_text(why_not)
            .clicked()
        {
            out.push(Command::Batch(command));
        }
    }
}

/// What the analysis of a recording said, with the time that it is about.
fn log(ui: &mut Ui, row: &Row) {
    let p = Palette::current(ui);
    for entry in row.log.entries() {
        let notice = &entry.notice;
        ui.horizontal(|ui| {
            let severity = notices::severity_name(notice.severity);
            ui.label(
                RichText::new(severity)
                    .text_style(TextStyle::Small)
                    .color(p.severity(notice.severity)),
            );
            if let Some(span) = notice.span {
                let text = format!("{}–{}", span.start.clock(), span.end.clock());
                ui.label(row::figures(text).color(p.weak));
            }
        });
        ui.add(Label::new(&notice.text).wrap().selectable(true));
        ui.add_space(theme::GRID);
    }
}
