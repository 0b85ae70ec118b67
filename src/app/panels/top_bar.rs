//! What is opened: by button, by path, from a camera.

use egui::{Align, Button, Key, Layout, RichText, TextEdit, Ui};

use crate::app::batch::BatchCommand;
use crate::app::command::{Command, DialogKind, Room, Sheet, SideTab};
use crate::app::entrance::Cameras;
use crate::app::exchange::Format;
use crate::app::keys;
use crate::app::panels::{arrange, batch, live, recent};
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::project::clip::ClipForm;

pub fn show(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    ui.horizontal_centered(|ui| {
        rooms(ui, state, out);
        let batch = state.settings.room == Room::Batch;
        if batch {
            batch::add_buttons(ui, state, out);
        } else {
            open_menu(ui, state, out);
            recent::button(ui, state, out);
            camera_menu(ui, state, out);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui
                .add(Button::new("?").min_size(egui::Vec2::splat(theme::CONTROL)))
                .on_hover_text(keys::tip(ui, "These keys"))
                .clicked()
            {
                out.push(Command::Show(Sheet::Keys));
            }
            if state.docked() {
                arrange::menu(ui, state, out);
                exchange_menu(ui, state, out);
            } else {
                side_tabs(ui, state, out);
            }
            path_box(ui, state, out);
        });
    });
}

/// Without a recording there is no column of tabs, but there is a log and there are settings.
fn side_tabs(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    for (tab, name) in [(SideTab::Settings, "Settings"), (SideTab::Log, "Log")] {
        let on = state.tab == tab;
        if ui.add(Button::selectable(on, name)).clicked() {
            out.push(Command::ShowTab(if on { SideTab::Candidates } else { tab }));
        }
    }
}

/// What is selected, to hand on.
fn clip_button(ui: &mut Ui, state: &AppState, form: ClipForm, out: &mut Vec<Command>) {
    let clip = state.clip_of(form);
    let button = Button::new(format!("Clip ({})", form.name()));
    let mut button = ui.add_enabled(clip.is_ok(), button);
    match (clip, &state.review) {
        (Ok(clip), Some(review)) => {
            let [from, to] = [clip.frames.0, clip.frames.1].map(|f| review.time_of(f).clock());
            let does = match form {
                ClipForm::Mp4 => keys::tip(ui, "Clip"),
                ClipForm::Gif => "Clip".to_owned(),
            };
            let speed = clip.speed;
            button = button.on_hover_text(format!(
                "{does}: the face from {from} to {to}, original and magnified, side by side, \
                 at {speed}×. Speed and magnification are those of the window"
            ));
        }
        (Err(why), _) => button = button.on_disabled_hover_text(why),
        (Ok(_), None) => {}
    }
    if button.clicked() {
        out.push(Command::Clip(form));
        ui.close();
    }
}

/// Annotations to other programs and from them, reports and clips.
fn exchange_menu(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    ui.menu_button("Export", |ui| {
        ui.set_min_width(200.0);
        ui.label(crate::app::widgets::row::weak(
            ui,
            "Beside the recording, as a new file",
        ));
        let report = ui.button("Report (HTML)");
        if report.on_hover_text(keys::tip(ui, "Report")).clicked() {
            out.push(Command::Report);
            ui.close();
        }
        for form in ClipForm::ALL {
            clip_button(ui, state, form, out);
        }
        for format in Format::ALL {
            if ui.button(format.name()).clicked() {
                out.push(Command::Export(format));
                ui.close();
            }
        }
        if ui
            .button("Candidates (intervals.csv)")
            .on_hover_text(keys::tip(ui, "Save the candidates"))
            .clicked()
        {
            out.push(Command::Save);
            ui.close();
        }
        ui.separator();
        let waiting = state.entrance.dialog_since.is_some();
        if ui
            .add_enabled(!waiting, Button::new("Read annotations…"))
            .on_hover_text("CSV, ELAN or JSON; or drop the file on the window")
            .clicked()
        {
            out.push(Command::AskForInput(DialogKind::Annotations));
            ui.close();
        }
    });
}

/// What the window is laid out for.
fn rooms(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    ui.spacing_mut().item_spacing.x = theme::GRID;
    for (room, name, does) in [
        (Room::Review, "Review", "Review room"),
        (Room::Annotate, "Annotate", "Annotate room"),
        (Room::Live, "Live", "Live room"),
        (Room::Batch, "Batch", "Batch room"),
    ] {
        let on = state.settings.room == room;
        let tab = ui.add(Button::selectable(on, name));
        if tab.on_hover_text(keys::tip(ui, does)).clicked() {
            out.push(Command::Room(room));
        }
    }
    ui.spacing_mut().item_spacing.x = theme::GAP;
    ui.separator();
}

fn open_menu(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let waiting = state.entrance.dialog_since.is_some();
    let response = ui.add_enabled(!waiting, Button::new("Open recording…"));
    if response
        .on_hover_text(keys::tip(ui, "Open recording…"))
        .on_disabled_hover_text("A file dialog is already open.")
        .clicked()
    {
        out.push(Command::AskForInput(DialogKind::Recording));
    }
    let folder = ui.add_enabled(!waiting, Button::new("Open folder…"));
    if folder
        .on_hover_text("A folder of images, one a frame")
        .on_disabled_hover_text("A file dialog is already open.")
        .clicked()
    {
        out.push(Command::AskForInput(DialogKind::Folder));
    }
}

fn camera_menu(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let menu = ui.menu_button("Camera", |ui| {
        ui.set_min_width(240.0);
        match &state.entrance.cameras {
            Cameras::NotAsked | Cameras::Asking => {
                ui.label("Looking for cameras…");
            }
            Cameras::Failed(why) => {
                ui.label(why);
            }
            Cameras::Found(list) if list.is_empty() => {
                ui.label("No camera was found. Connect one and look again.");
            }
            Cameras::Found(list) => {
                for camera in list {
                    if camera.trouble.is_none() && camera.formats.len() > 1 {
                        live::formats(ui, &format!("{}…", camera.name), camera, out);
                        continue;
                    }
                    let usable = camera.trouble.is_none();
                    let button = ui.add_enabled(usable, Button::new(&camera.name));
                    if button
                        .on_disabled_hover_text(camera.trouble.as_deref().unwrap_or_default())
                        .clicked()
                    {
                        out.push(Command::Open(camera.input.clone()));
                        ui.close();
                    }
                }
            }
        }
        if matches!(
            state.entrance.cameras,
            Cameras::Found(_) | Cameras::Failed(_)
        ) && ui.button("Look again").clicked()
        {
            out.push(Command::ListCameras);
        }
    });
    if menu.response.clicked() && state.entrance.cameras != Cameras::Asking {
        out.push(Command::ListCameras);
    }
}

/// Opens what is typed, or adds it to the queue.
fn path_box(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let p = Palette::current(ui);
    let batch = state.settings.room == Room::Batch;
    let (does, tip, hint) = if batch {
        (
            "Add",
            "Add the path to the queue (Enter)",
            "Path of a recording, or of a folder of recordings or images",
        )
    } else {
        (
            "Open",
            "Open the path (Enter)",
            "Path of a recording, a folder of images, or camera:0",
        )
    };
    let mut path = state.entrance.path.clone();
    let button = ui.add_enabled(!path.trim().is_empty(), Button::new(does));
    let clicked = button
        .on_hover_text(tip)
        .on_disabled_hover_text("Type a path first.")
        .clicked();
    let field = ui.add(
        TextEdit::singleline(&mut path)
            .hint_text(RichText::new(hint).color(p.weak))
            .margin(egui::Margin::symmetric(8, 4))
            .align(egui::Align2::LEFT_CENTER)
            .min_size(egui::vec2(0.0, theme::CONTROL))
            .desired_width(f32::INFINITY),
    );
    let name = if batch { "Path to add" } else { "Path to open" };
    field.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::TextInput, true, name));
    if field.changed() {
        out.push(Command::EditPath(path.clone()));
    }
    if clicked || (field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter))) {
        out.push(if batch {
            Command::Batch(BatchCommand::AddTyped)
        } else {
            Command::Open(path)
        });
    }
}
