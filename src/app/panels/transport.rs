//! Play, step, speed, and where the picture stands.

use egui::{Align, Label, Layout, RichText, Ui};

use crate::app::command::Command;
use crate::app::keys;
use crate::app::panels::live;
use crate::app::panels::source::{frames_in_words, grouped};
use crate::app::review::Review;
use crate::app::state::{AppState, SPEEDS};
use crate::app::theme::{self, Palette};
use crate::app::widgets::icon::{self, Icon};
use crate::timeline::length;

pub fn show(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let Some(review) = &state.review else {
        return;
    };
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GRID;
        // A camera that runs can only be frozen, for which it has a button of its own.
        if review.only_forward().is_none() {
            buttons(ui, review, out);
            ui.add_space(theme::GAP);
            speeds(ui, state, out);
            ui.add_space(theme::GAP);
        }
        position(ui, review);
        if review.session.info.live {
            live::controls(ui, state, review, out);
        } else {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                right(ui, state, review, out)
            });
        }
    });
}

fn buttons(ui: &mut Ui, review: &Review, out: &mut Vec<Command>) {
    let no_spot = |forward| {
        review.spot_beside(forward).is_none().then_some(if forward {
            "There is none after this frame."
        } else {
            "There is none before this frame."
        })
    };
    let play = if review.playback.playing {
        Icon::Pause
    } else {
        Icon::Play
    };
    for (icon, does, why_not, command) in [
        (
            Icon::PreviousSpot,
            "Previous candidate",
            no_spot(false),
            Command::PreviousSpot,
        ),
        (Icon::BackTen, "Ten frames back", None, Command::Step(-10)),
        (Icon::Back, "Previous frame", None, Command::Step(-1)),
        (play, "Play or pause", None, Command::TogglePlay),
        (Icon::Forward, "Next frame", None, Command::Step(1)),
        (Icon::ForwardTen, "Ten frames on", None, Command::Step(10)),
        (
            Icon::NextSpot,
            "Next candidate",
            no_spot(true),
            Command::NextSpot,
        ),
    ] {
        if icon::button(ui, icon, does, why_not).clicked() {
            out.push(command);
        }
    }
}

/// "0.25×", without needless zeros.
#[must_use]
pub fn speed_label(speed: f32) -> String {
    format!("{speed}×")
}

fn speeds(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    egui::ComboBox::from_id_salt("speed")
        .selected_text(speed_label(state.settings.speed))
        .width(72.0)
        .show_ui(ui, |ui| {
            for speed in SPEEDS {
                let chosen = state.settings.speed == speed;
                if ui.selectable_label(chosen, speed_label(speed)).clicked() {
                    out.push(Command::Speed(speed));
                }
            }
        })
        .response
        .on_hover_text((state.settings.keys).fill("Speed: {Slower} slower, {Faster} faster"));
}

fn position(ui: &mut Ui, review: &Review) {
    let frame = review.playback.frame;
    ui.add(Label::new(RichText::new(review.time_of(frame).clock()).monospace()).extend());
    let p = Palette::current(ui);
    let (said, tip) = if review.session.info.live {
        let tip = "Frames count from 0: the first one is frame 0.".to_owned();
        (format!("frame {}", grouped(frame)), tip)
    } else {
        let (last, count) = (
            grouped(review.count_minus_one()),
            grouped(review.frame_count()),
        );
        let about = if review.frames_are_counted() {
            ""
        } else {
            "about "
        };
        let tip = format!(
            "Frames count from 0: the first one is frame 0, the last one {about}frame {last}, \
             {about}{count} in all"
        );
        (format!("frame {} of 0–{last}", grouped(frame)), tip)
    };
    ui.add(Label::new(RichText::new(said).monospace().color(p.weak)).extend())
        .on_hover_text(tip);
}

/// Less than this has no room for both buttons with their full names.
const NARROW: f32 = 420.0;

fn right(ui: &mut Ui, state: &AppState, review: &Review, out: &mut Vec<Command>) {
    ui.spacing_mut().item_spacing.x = theme::GAP;
    let zoomed = review.timeline.view.is_some();
    // A wide column at the right leaves less than everything needs.
    let (whole, zoom) = if ui.available_width() < NARROW {
        ("Whole", "Zoom")
    } else {
        ("Whole recording", "Zoom to selection")
    };
    if ui
        .add_enabled(zoomed, egui::Button::new(whole))
        .on_hover_text(keys::tip(ui, "Whole recording"))
        .on_disabled_hover_text("The timeline shows all of it.")
        .clicked()
    {
        out.push(Command::LookAt(None));
    }
    let selection = review.timeline.selection;
    if selection.is_some()
        && ui
            .button(zoom)
            .on_hover_text(keys::tip(ui, "Zoom to the selection"))
            .clicked()
    {
        out.push(Command::FitSelection);
    }
    if let Some(waits) = review.waits() {
        let text = RichText::new(state.settings.keys.fill(&waits));
        let amber = Palette::current(ui).amber;
        ui.add(Label::new(text.color(amber)).truncate());
    } else if let Some((a, b)) = selection {
        let (first, last) = (review.frame_near(a), review.frame_near(b));
        let frames = frames_in_words(last.saturating_sub(first) + 1);
        let secs = length::in_words(review.lasts(first, last));
        let text = RichText::new(format!("{frames}, {secs}"));
        ui.add(Label::new(text.monospace()).truncate())
            .on_hover_text(format!(
                "Frames {} to {}, both among them",
                grouped(first),
                grouped(last)
            ));
    }
}
