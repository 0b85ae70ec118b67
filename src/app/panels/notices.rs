//! Notices: a few in the corner, all of them in the log.

use egui::{
    Align, Align2, Area, Button, Frame, Id, Label, Layout, Order, RichText, ScrollArea, TextStyle,
    Ui, accesskit::Live, vec2,
};

use crate::app::command::Command;
use crate::app::notices::{self, Entry};
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::icon::{self, Icon};
use crate::app::widgets::row;
use crate::base::Severity;

const WIDTH: f32 = 320.0;

/// Above the timeline, in the lower right corner of the pictures' area.
pub fn corner(ui: &Ui, state: &AppState, area: egui::Rect, out: &mut Vec<Command>) {
    let (entries, more) = state.notices.corner(state.now);
    if entries.is_empty() {
        return;
    }
    Area::new(Id::unique("notices"))
        .order(Order::Foreground)
        .pivot(Align2::RIGHT_BOTTOM)
        .fixed_pos(area.right_bottom() - vec2(theme::GAP, theme::GAP))
        .constrain_to(area)
        .show(ui.ctx(), |ui| {
            ui.set_width(WIDTH.min(area.width() - theme::SECTION));
            ui.spacing_mut().item_spacing.y = theme::GAP;
            if more > 0 {
                card(ui, |ui| {
                    ui.horizontal(|ui| {
                        ui.label(format!("{more} more in the log"));
                        if ui.button("Dismiss all").clicked() {
                            out.push(Command::DismissAll);
                        }
                    });
                });
            }
            for entry in entries {
                card(ui, |ui| {
                    notice(ui, entry, out);
                    remedy(ui, state, entry, out);
                });
            }
        });
}

fn card(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    let p = Palette::current(ui);
    Frame::NONE
        .fill(p.panel)
        .stroke(egui::Stroke::new(1.0, p.hairline))
        .corner_radius(4)
        .inner_margin(egui::Margin::same(8))
        .shadow(ui.visuals().popup_shadow)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            contents(ui);
        });
}

fn notice(ui: &mut Ui, entry: &Entry, out: &mut Vec<Command>) {
    let p = Palette::current(ui);
    let severity = entry.notice.severity;
    ui.horizontal(|ui| {
        ui.label(
            RichText::new(notices::severity_name(severity))
                .text_style(TextStyle::Small)
                .color(p.severity(severity)),
        );
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icon::button(ui, Icon::Close, "Dismiss", None).clicked() {
                out.push(Command::Dismiss(entry.id));
            }
            if ui.small_button("Copy").clicked() {
                out.push(Command::Copy(notices::line(&entry.notice)));
            }
            place(ui, entry, out);
        });
    });
    let text = ui.add(Label::new(&entry.notice.text).wrap().selectable(true));
    // A screen reader says what happens elsewhere than where the focus is.
    let live = match severity {
        Severity::Error => Live::Assertive,
        Severity::Info | Severity::Warning => Live::Polite,
    };
    ui.ctx()
        .accesskit_node_builder(text.id, |node| node.set_live(live));
}

/// What can be done about it, as long as the session is open that it is about.
fn remedy(ui: &mut Ui, state: &AppState, entry: &Entry, out: &mut Vec<Command>) {
    let open = state.review.as_ref().map(|r| r.session.generation);
    if entry.analyse_again.is_some_and(|about| open == Some(about))
        && ui.button("Analyse again").clicked()
    {
        out.push(Command::Dismiss(entry.id));
        out.push(Command::AnalyseAgain);
    }
}

fn place(ui: &mut Ui, entry: &Entry, out: &mut Vec<Command>) {
    if let Some(span) = entry.notice.span
        && ui
            .small_button(format!("Go to {}", span.start.clock()))
            .clicked()
    {
        out.push(Command::SeekSecs(span.start.secs()));
    }
}

/// The log tab.
pub fn log(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let entries = state.notices.entries();
    if entries.is_empty() {
        ui.add_space(theme::SECTION);
        ui.label("Nothing has been reported.");
        return;
    }
    ui.horizontal(|ui| {
        if ui
            .button("Copy all")
            .on_hover_text("Everything that was said, a line each")
            .clicked()
        {
            out.push(Command::Copy(state.notices.text()));
        }
        if ui
            .button("Save log")
            .on_hover_text("As a new text file beside the recording, or among your documents")
            .clicked()
        {
            out.push(Command::SaveLog);
        }
    });
    severities(ui, state, out);
    ui.add_space(theme::GRID);
    let shown = entries
        .iter()
        .filter(|e| e.notice.severity >= state.log_from);
    ScrollArea::vertical()
        .auto_shrink([false, false])
        .stick_to_bottom(true)
        .show(ui, |ui| {
            for entry in shown {
                said(ui, entry, out);
            }
        });
}

/// From which severity on the log shows.
fn severities(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GRID;
        for (from, name, tip) in [
            (Severity::Info, "All", "Information too"),
            (Severity::Warning, "Warnings", "Warnings and errors"),
            (Severity::Error, "Errors", "Errors only"),
        ] {
            let text = format!("{name} {}", state.notices.count(from));
            let button = ui.add(Button::selectable(state.log_from == from, text));
            if button.on_hover_text(tip).clicked() {
                out.push(Command::LogFrom(from));
            }
        }
    });
}

/// An entry of the log.
fn said(ui: &mut Ui, entry: &Entry, out: &mut Vec<Command>) {
    let p = Palette::current(ui);
    let severity = entry.notice.severity;
    ui.horizontal_wrapped(|ui| {
        ui.label(row::figures(notices::clock(entry)).color(p.weak));
        ui.label(
            RichText::new(notices::severity_name(severity))
                .text_style(TextStyle::Small)
                .color(p.severity(severity)),
        );
        if ui.small_button("Copy").clicked() {
            out.push(Command::Copy(notices::line(&entry.notice)));
        }
        place(ui, entry, out);
    });
    ui.add(Label::new(&entry.notice.text).wrap().selectable(true));
    ui.add_space(theme::GAP);
}
