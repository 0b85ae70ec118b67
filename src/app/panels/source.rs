//! What is open, which signal speaks, and what is drawn over and beside it.

use egui::{Button, ProgressBar, RichText, TextStyle, Ui};

use crate::app::backend::PROCESSOR;
use crate::app::command::{Command, Overlay, View};
use crate::app::keys;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::{marks, row};
use crate::session::pace::secs_left;
use crate::spotting::ExpressionKind;
use crate::timeline::{ScoreSource, length};

/// Two sentences, always in sight.
pub use crate::project::results::LIMITS;

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
            ui.add(egui::Label::new(row::weak(ui, LIMITS)).wrap());
        });
    egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            details(ui, review, out);
            signals(ui, review);
            switches(ui, state, out);
        });
}

fn details(ui: &mut Ui, review: &Review, out: &mut Vec<Command>) {
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
    row::fact(ui, "Rate", rate(review.measured_fps(), info.nominal_fps));
    if !info.live {
        let about = if review.frames_are_counted() {
            ""
        } else {
            "about "
        };
        row::fact(
            ui,
            "Frames",
            format!("{about}{}", grouped(review.frame_count())),
        );
    }
    row::fact(ui, "Length", length::clock(review.length_secs()));
    if !review.recording.frames.is_empty() {
        row::fact(
            ui,
            "Face",
            format!(
                "in {:.1} % of frames",
                100.0 * review.coverage.found_share()
            ),
        );
        let n = review.coverage.most_others();
        if n > 0 {
            row::fact(ui, "Others", format!("up to {n}, not analysed"));
        }
    }
    if let Some(earlier) = &review.session.earlier {
        // No higher than the row that it stands for.
        ui.horizontal_wrapped(|ui| {
            let when = row::weak(ui, format!("Analysed {}", earlier.date));
            let on = format!("On {}; the date is world time", review.session.device);
            ui.label(when).on_hover_text(on);
            if ui
                .small_button("Analyse again")
                .on_hover_text("With the settings chosen now, in place of what the project keeps")
                .clicked()
            {
                out.push(Command::AnalyseAgain);
            }
        });
        progress(ui, review);
        return;
    }
    row::fact(ui, "Runs on", runs_on(review));
    progress(ui, review);
}

/// Where what is computed: motion and scores on one side, the small networks that read units
/// always on the processor.
fn runs_on(review: &Review) -> String {
    let session = &review.session;
    let units = review.reads_units();
    let scores = session.params.has_network();
    if session.device == PROCESSOR {
        let with = if scores || units { " and networks" } else { "" };
        return format!("{PROCESSOR}: motion{with}");
    }
    let with = if scores { " and scores" } else { "" };
    let units = if units {
        format!("; {PROCESSOR}: action units")
    } else {
        String::new()
    };
    format!("{}: motion{with}{units}", session.device)
}

/// What was measured; what the container states only where it is something else.
fn rate(measured: Option<f64>, stated: Option<f64>) -> String {
    match (measured, stated) {
        (Some(m), Some(s)) if (m / s - 1.0).abs() > 0.005 => {
            format!("{m:.2} frames/s, the file states {s:.2}")
        }
        (Some(m), _) => format!("{m:.2} frames/s"),
        (None, Some(s)) => format!("{s:.2} frames/s stated"),
        (None, None) => "not known yet".into(),
    }
}

fn progress(ui: &mut Ui, review: &Review) {
    if review.status.failed.is_some() && !review.session.info.live {
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
    if review.recording.finished || review.status.finished {
        return;
    }
    let Some(share) = review.progress() else {
        return;
    };
    let status = &review.status;
    let does = match review.session.earlier {
        Some(_) => "Reading the kept analysis",
        None => "Analysing",
    };
    let left = status.pace.frames_per_sec().map(|rate| {
        let total = status.frames_total.unwrap_or(review.frame_count());
        let secs = secs_left(status.frames_done, total, rate);
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
        format!("{does}: {:.0} %{}", 100.0 * share, left.unwrap_or_default()),
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
    let why_not = state
        .wiped()
        .then_some("Nothing is drawn over a wiped picture: it would hide what is compared.");
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GRID;
        ui.spacing_mut().button_padding.x = theme::GRID;
        for (name, on, which, tip) in [
            (
                "Box",
                o.face_box,
                Overlay::FaceBox,
                "The box of every face found".to_owned(),
            ),
            (
                "Points",
                o.landmarks,
                Overlay::Landmarks,
                "The 68 points of the analysed face".to_owned(),
            ),
            (
                "Regions",
                o.regions,
                Overlay::Regions,
                "The regions whose motion is compared".to_owned(),
            ),
            (
                "Attention",
                o.attention,
                Overlay::Attention,
                format!(
                    "Where the network looked in the selected candidate, else just before this \
                     frame: {}",
                    keys::tip(ui, "Attention over the face")
                ),
            ),
        ] {
            if switch(ui, name, on, &tip, why_not) {
                out.push(Command::ToggleOverlay(which));
            }
        }
    });
    row::section(ui, "Beside the picture");
    let s = state.settings.shown;
    let next = keys::tip(ui, "Next view");
    let magnified = format!(
        "The face with its motion made large: {}",
        keys::tip(ui, "Magnified view on or off")
    );
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GRID;
        // Four of them stand in one row of the narrowest panel but one.
        ui.spacing_mut().button_padding.x = theme::GRID;
        for (name, on, which, tip) in [
            ("Magnified", s.magnified, View::Magnified, magnified),
            (
                "LED",
                s.led,
                View::Led,
                format!("The face, band-passed in time. {next}"),
            ),
            (
                "Flow",
                s.flow,
                View::Flow,
                format!("Where the skin moves. {next}"),
            ),
            (
                "Strain",
                s.strain,
                View::Strain,
                format!("How much it is stretched. {next}"),
            ),
        ] {
            if switch(ui, name, on, &tip, None) {
                out.push(Command::ToggleView(which));
            }
        }
    });
}

/// A button that stays pressed.
fn switch(ui: &mut Ui, name: &str, on: bool, tip: &str, why_not: Option<&str>) -> bool {
    let button = Button::selectable(on, name).frame_when_inactive(true);
    ui.add_enabled(why_not.is_none(), button)
        .on_hover_text(tip)
        .on_disabled_hover_text(why_not.unwrap_or_default())
        .clicked()
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

/// "1 frame", "12 000 frames".
#[must_use]
pub fn frames_in_words(n: u64) -> String {
    match n {
        1 => "1 frame".to_owned(),
        n => format!("{} frames", grouped(n)),
    }
}

/// An estimated length of time as one says it, in steps that do not pretend to more: "4 s",
/// "40 s", "12 min", "3 h 5 min".
#[must_use]
pub fn rough(secs: f64) -> String {
    let in_steps = |of: f64, step: f64| ((of / step).round() * step) as u64;
    let minutes = in_steps(secs / 60.0, if secs < 7_200.0 { 1.0 } else { 5.0 });
    if secs < 10.0 {
        format!("{:.0} s", secs.max(1.0))
    } else if secs < 90.0 {
        format!("{} s", in_steps(secs, 5.0))
    } else if minutes < 120 {
        format!("{minutes} min")
    } else {
        format!("{} h {} min", minutes / 60, minutes % 60)
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
        assert_eq!(frames_in_words(1), "1 frame");
        assert_eq!(frames_in_words(1_204), "1\u{a0}204 frames");
    }

    #[test]
    fn lengths_of_time_are_said_in_the_unit_that_fits() {
        assert_eq!(rough(0.2), "1 s");
        assert_eq!(rough(8.6), "9 s");
        assert_eq!(rough(42.0), "40 s");
        assert_eq!(rough(89.0), "90 s");
        assert_eq!(rough(90.0), "2 min");
        assert_eq!(rough(7_199.0), "2 h 0 min");
        assert_eq!(rough(7_500.0), "2 h 5 min");
        assert_eq!(rough(7_690.0), "2 h 10 min");
    }
}
