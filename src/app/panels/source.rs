//! What is open, which signal speaks, and what is drawn over and beside it.

use egui::{Checkbox, ProgressBar, RichText, TextStyle, Ui};

use crate::app::command::{Command, Overlay, View};
use crate::app::keys;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::{marks, row};
use crate::base::Timestamp;
use crate::spotting::ExpressionKind;
use crate::timeline::ScoreSource;

/// Two sentences, always in sight.
pub const LIMITS: &str = "Onset ranks movements for a person to check. \
                          It does not state what anyone feels.";

/// The hints of the first run.
pub const HINTS: [&str; 3] = [
    "Space plays; ← and → go one frame.",
    "Click the timeline to go there; the wheel zooms.",
    "N goes to the next candidate; A accepts, R rejects.",
];

pub fn show(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let Some(review) = &state.review else {
        return;
    };
    egui::Panel::bottom("limits")
        .frame(egui::Frame::NONE)
        .show_separator_line(false)
        .resizable(false)
        .show(ui, |ui| {
            ui.add_space(theme::GAP);
            if !state.settings.hints_seen {
                hints(ui, out);
                ui.add_space(theme::SECTION);
            }
            ui.add(egui::Label::new(row::weak(ui, LIMITS)).wrap());
        });
    egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            details(ui, review);
            signals(ui, review);
            switches(ui, state, out);
        });
}

fn details(ui: &mut Ui, review: &Review) {
    let info = &review.session.info;
    let name = ui
        .add(egui::Label::new(RichText::new(&info.name).text_style(TextStyle::Heading)).truncate());
    if let Some(path) = &info.path {
        name.on_hover_text(path.display().to_string());
    }
    ui.add_space(theme::GRID);
    row::fact(
        ui,
        "Picture",
        format!("{} × {} px", info.width, info.height),
    );
    let stated = info.nominal_fps.map(|f| format!("{f:.2} frames/s stated"));
    let rate = match (review.measured_fps(), stated) {
        (Some(m), Some(s)) => format!("{m:.2} frames/s\n{s}"),
        (Some(m), None) => format!("{m:.2} frames/s"),
        (None, Some(s)) => s,
        (None, None) => "not known yet".into(),
    };
    row::fact(ui, "Rate", rate);
    if info.live {
        row::fact(ui, "Length", review.recording.end().clock());
    } else {
        let about = if review.recording.finished || info.exact_frame_count {
            ""
        } else {
            "about "
        };
        row::fact(
            ui,
            "Frames",
            format!("{about}{}", grouped(review.frame_count())),
        );
        row::fact(
            ui,
            "Length",
            Timestamp::from_secs(review.limits().end).clock(),
        );
    }
    if !review.recording.frames.is_empty() {
        row::fact(
            ui,
            "Face",
            format!(
                "in {:.1} % of frames",
                100.0 * review.recording.found_share()
            ),
        );
        let most = review.recording.frames.iter().map(|f| f.others.len()).max();
        if let Some(n) = most.filter(|n| *n > 0) {
            row::fact(ui, "Others", format!("up to {n}, not analysed"));
        }
    }
    row::fact(ui, "Runs on", &review.session.device);
    progress(ui, review);
}

fn progress(ui: &mut Ui, review: &Review) {
    if review.recording.finished || review.status.finished {
        return;
    }
    if review.status.failed.is_some() {
        let p = Palette::current(ui);
        ui.add_space(theme::GRID);
        ui.colored_label(
            p.red,
            format!(
                "The analysis stopped at frame {}. What was recorded is kept.",
                grouped(review.status.frames_done)
            ),
        );
        return;
    }
    let Some(share) = review.progress() else {
        return;
    };
    let status = &review.status;
    let left = (status.analysed_fps > 0.0).then(|| {
        let total = status.frames_total.unwrap_or(review.frame_count());
        let secs = total.saturating_sub(status.frames_done) as f32 / status.analysed_fps;
        format!(", about {} left", rough(secs))
    });
    ui.add_space(theme::GAP);
    ui.add(
        ProgressBar::new(share)
            .desired_height(4.0)
            .fill(Palette::current(ui).accent),
    );
    ui.label(row::weak(
        ui,
        format!(
            "Analysing: {:.0} %{}",
            100.0 * share,
            left.unwrap_or_default()
        ),
    ));
}

fn signals(ui: &mut Ui, review: &Review) {
    row::section(ui, "Scores");
    for kind in ExpressionKind::BOTH.into_iter().rev() {
        let text = review
            .session
            .sources
            .get(&kind)
            .map_or_else(|| "none".to_owned(), ScoreSource::label);
        row::fact(ui, marks::short(kind), text);
    }
}

fn switches(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    row::section(ui, "Over the picture");
    let o = state.settings.overlays;
    for (name, on, which) in [
        ("Face box", o.face_box, Overlay::FaceBox),
        ("68 landmarks", o.landmarks, Overlay::Landmarks),
        ("Regions compared", o.regions, Overlay::Regions),
    ] {
        if switch(ui, name, on, "") {
            out.push(Command::ToggleOverlay(which));
        }
    }
    row::section(ui, "Beside the picture");
    let s = state.settings.shown;
    for (name, on, which, tip) in [
        (
            "LED band-pass",
            s.led,
            View::Led,
            keys::tip("LED view on or off"),
        ),
        ("Flow", s.flow, View::Flow, keys::tip("Next view")),
        ("Strain", s.strain, View::Strain, keys::tip("Next view")),
    ] {
        if switch(ui, name, on, &tip) {
            out.push(Command::ToggleView(which));
        }
    }
}

fn switch(ui: &mut Ui, name: &str, on: bool, tip: &str) -> bool {
    let mut on = on;
    let response = ui.add(Checkbox::new(&mut on, name));
    let changed = response.changed();
    if !tip.is_empty() {
        response.on_hover_text(tip);
    }
    changed
}

fn hints(ui: &mut Ui, out: &mut Vec<Command>) {
    ui.label(RichText::new("To begin").strong());
    for hint in HINTS {
        ui.add(egui::Label::new(RichText::new(hint).text_style(TextStyle::Small)).wrap());
    }
    ui.add_space(theme::GRID);
    if ui.button("Got it").clicked() {
        out.push(Command::HintsSeen);
    }
}

/// 12000 → "12 000".
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(c);
    }
    out
}

fn rough(secs: f32) -> String {
    if secs < 90.0 {
        format!("{:.0} s", secs.max(1.0))
    } else {
        format!("{:.0} min", secs / 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_204_567), "1\u{a0}204\u{a0}567");
    }
}
