//! The Live room: which camera, what is done with its picture, and how its recording gets
//! on.

use egui::{Align, Button, Label, Layout, RichText, Ui, vec2};

use crate::app::backend::CameraEntry;
use crate::app::command::{Command, SideTab};
use crate::app::entrance::Cameras;
use crate::app::keys;
use crate::app::panels::{moved, source::grouped};
use crate::app::record;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::row;
use crate::app::widgets::textures::Textures;

/// Wide enough for a camera's name and its formats.
const PICKER: f32 = 440.0;

/// In place of a picture: the cameras there are, each with a button.
pub fn picker(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    if state.entrance.cameras == Cameras::NotAsked {
        out.push(Command::ListCameras);
    }
    let p = Palette::current(ui);
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.25).max(theme::SECTION));
        ui.set_max_width(PICKER);
        if let Some(opening) = &state.entrance.opening {
            ui.label(RichText::new(format!("Starting {opening}…")).heading());
            return;
        }
        if let Some(why) = &state.entrance.failed {
            ui.add(Label::new(RichText::new(why).color(p.red)).wrap());
            ui.add_space(theme::SECTION);
        }
        ui.label(RichText::new("Start a camera to see expressions as they happen.").heading());
        ui.add_space(theme::SECTION);
        match &state.entrance.cameras {
            Cameras::NotAsked | Cameras::Asking => {
                ui.label(row::weak(ui, "Looking for cameras…"));
            }
            Cameras::Failed(why) => {
                ui.add(Label::new(why).wrap());
            }
            Cameras::Found(list) if list.is_empty() => {
                ui.label("No camera was found. Connect one and look again.");
            }
            Cameras::Found(list) => {
                let first = state.entrance.first_camera();
                for camera in list {
                    entry(ui, camera, first == Some(&camera.input), out);
                }
            }
        }
        let asked = matches!(
            state.entrance.cameras,
            Cameras::Found(_) | Cameras::Failed(_)
        );
        ui.add_space(theme::GAP);
        if asked && ui.button("Look again").clicked() {
            out.push(Command::ListCameras);
        }
        ui.add_space(theme::SECTION);
        ui.label(row::weak(
            ui,
            "Pictures stay on this computer; nothing is kept unless you record.",
        ));
    });
}

/// A camera with a button that starts it and one for its formats.
fn entry(ui: &mut Ui, camera: &CameraEntry, first: bool, out: &mut Vec<Command>) {
    let p = Palette::current(ui);
    let trouble = camera.trouble.as_deref();
    ui.horizontal(|ui| {
        let (ink, fill) = if first {
            (p.on_accent, p.accent)
        } else {
            (p.text, p.raised)
        };
        let name = RichText::new(format!("Start {}", camera.name)).color(ink);
        let start = Button::new(name)
            .fill(fill)
            .min_size(vec2(PICKER - 112.0, 32.0))
            .truncate();
        let mut start = ui.add_enabled(trouble.is_none(), start);
        if first {
            start = start.on_hover_text("Enter does the same");
        }
        if start
            .on_disabled_hover_text(trouble.unwrap_or_default())
            .clicked()
        {
            out.push(Command::Open(camera.input.clone()));
        }
        ui.add_enabled_ui(!camera.formats.is_empty(), |ui| {
            formats(ui, "Format", camera, out);
        });
    });
    if let Some(trouble) = trouble {
        ui.label(row::weak(ui, trouble));
    }
    ui.add_space(theme::GRID);
}

/// Size and rate, of those that the camera offers.
pub fn formats(ui: &mut Ui, name: &str, camera: &CameraEntry, out: &mut Vec<Command>) {
    ui.menu_button(name, |ui| {
        ui.set_min_width(240.0);
        egui::ScrollArea::vertical()
            .max_height(320.0)
            .show(ui, |ui| {
                for (i, format) in camera.formats.iter().enumerate() {
                    let usual = if i == 0 { "  (usual)" } else { "" };
                    if ui.button(format!("{}{usual}", format.name)).clicked() {
                        out.push(Command::Open(format.input.clone()));
                        ui.close();
                    }
                }
            });
    });
}

/// The right-hand column: what moved takes all of it.
pub fn side(ui: &mut Ui, state: &AppState, textures: &Textures, out: &mut Vec<Command>) {
    let Some(review) = state.review.as_ref().filter(|r| r.session.info.live) else {
        ui.add(
            Label::new(row::weak(
                ui,
                "What moved is shown here once a camera runs.",
            ))
            .wrap(),
        );
        return;
    };
    if !review.reads_units() {
        ui.add(Label::new(row::weak(ui, "Reading action units is switched off.")).wrap());
        if ui.button("Settings").clicked() {
            out.push(Command::ShowTab(SideTab::Settings));
        }
        return;
    }
    moved::show(ui, review, (state.second_look, textures), out);
}

/// In the line of the transport: freeze, back, record, mirror.
pub fn controls(ui: &mut Ui, state: &AppState, review: &Review, out: &mut Vec<Command>) {
    let p = Palette::current(ui);
    ui.spacing_mut().item_spacing.x = theme::GAP;
    let recording = review.recorded.as_ref().filter(|r| !r.ended);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let mirror = Button::selectable(state.settings.mirror, "Mirror");
        let mirror = ui
            .add(mirror)
            .on_hover_text(keys::tip(ui, "Mirror the camera"));
        if mirror.clicked() {
            out.push(Command::ToggleMirror);
        }
        let name = if recording.is_some() {
            "Stop recording"
        } else {
            "Record"
        };
        let text = RichText::new(name).color(p.red);
        let record = ui.add(Button::new(text));
        let record = record.on_hover_text(if recording.is_some() {
            keys::tip(ui, "Record the camera")
        } else {
            format!(
                "{}: video and what was read of it, into your videos",
                keys::tip(ui, "Record the camera")
            )
        });
        if record.clicked() {
            out.push(Command::ToggleRecord);
        }
        if let Some(news) = recording {
            let text = RichText::new(record::progress(news)).monospace();
            ui.add(Label::new(text).truncate());
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            reach(ui, review, out);
        });
    });
}

/// Whether the picture stands, and how far one can go back.
fn reach(ui: &mut Ui, review: &Review, out: &mut Vec<Command>) {
    let p = Palette::current(ui);
    let Some((first, last)) = review.frozen else {
        let freeze = ui.button("Freeze");
        if freeze
            .on_hover_text(keys::current(ui).fill(
                "The last half minute can be gone through ({Play or pause}); the camera goes on",
            ))
            .clicked()
        {
            out.push(Command::TogglePlay);
        }
        return;
    };
    let back = Button::new(RichText::new("Back to live").color(p.on_accent)).fill(p.accent);
    if ui
        .add(back)
        .on_hover_text(keys::tip(ui, "Back to live"))
        .clicked()
    {
        out.push(Command::BackToLive);
    }
    let secs = review
        .time_of(last)
        .secs_since(review.time_of(review.playback.frame));
    let behind = format!("{secs:.2} s before you froze it");
    ui.add(Label::new(RichText::new(behind).color(p.amber)).truncate())
        .on_hover_text(format!(
            "Frames {} to {} can be gone through",
            grouped(first),
            grouped(last)
        ));
}
