//! What the program is, what it does not claim, and of what it is made.

use egui::{Button, Id, Label, RichText, Role, ScrollArea, TextEdit, TextStyle, Ui, WidgetInfo};

use super::sheet;
use super::source::LIMITS;
use crate::app::command::{Command, Sheet};
use crate::app::licences;
use crate::app::state::AppState;
use crate::app::theme;
use crate::app::widgets::row;
use crate::media;
use crate::nn::shipped;

/// Of the contents, points.
const WIDTH: f32 = 560.0;
/// Models, libraries and fonts that are no crates, with their terms.
const NOTICE: &str = include_str!("../../../NOTICE");

/// Which half of the sheet is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Half {
    #[default]
    Program,
    Components,
}

pub fn show(ui: &Ui, state: &AppState, out: &mut Vec<Command>) {
    let keys = &state.settings.keys;
    let head = (Sheet::About, "About Onset", WIDTH);
    sheet::long(ui, head, keys, out, |ui, out| {
        let id = Id::unique("half of about");
        let mut half: Half = ui.data(|d| d.get_temp(id)).unwrap_or_default();
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = theme::GRID;
            for (this, name) in [(Half::Program, "Program"), (Half::Components, "Components")] {
                if ui.add(Button::selectable(half == this, name)).clicked() {
                    half = this;
                }
            }
        });
        ui.data_mut(|d| d.insert_temp(id, half));
        ui.add_space(theme::GRID);
        match half {
            Half::Program => program(ui, state, out),
            Half::Components => components(ui, out),
        }
    });
}

/// The facts, as they are shown and copied.
fn facts(state: &AppState) -> Vec<(&'static str, String)> {
    let adapter = match (&state.machine.adapter, state.machine.software) {
        (Some(name), true) => format!("{name}, a program on the processor"),
        (Some(name), false) => name.clone(),
        (None, _) => "none".to_owned(),
    };
    vec![
        ("Version", env!("CARGO_PKG_VERSION").to_owned()),
        ("Licence", env!("CARGO_PKG_LICENSE").replace("OR", "or")),
        ("Graphics", adapter),
        (
            "Video",
            format!(
                "FFmpeg's {}, {}",
                media::ffmpeg_version(),
                media::ffmpeg_licence()
            ),
        ),
    ]
}

fn program(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let facts = facts(state);
    ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            let purpose = format!("{}.", env!("CARGO_PKG_DESCRIPTION"));
            ui.add(Label::new(purpose).wrap());
            ui.add(Label::new(RichText::new(LIMITS).strong()).wrap());
            ui.add_space(theme::GAP);
            for (name, value) in &facts {
                row::fact(ui, name, value);
            }
            if ui
                .button("Copy these facts")
                .on_hover_text("For a report of what went wrong")
                .clicked()
            {
                let line = |(name, value): &(&str, String)| format!("{name}: {value}\n");
                let text: String = facts.iter().map(line).collect();
                out.push(Command::Copy(format!("Onset\n{text}")));
            }
            row::section(ui, "Weights that come with it");
            for name in shipped::names() {
                let purpose = shipped::purpose(name).unwrap_or_default();
                ui.add(Label::new(format!("{name}: {purpose}")).wrap());
            }
            row::section(ui, "Models, libraries and fonts");
            ui.add(Label::new(row::weak(ui, NOTICE)).wrap().selectable(true));
        });
}

/// The crates, searched by what is typed.
fn components(ui: &mut Ui, out: &mut Vec<Command>) {
    let id = Id::unique("components wanted");
    let mut wanted: String = ui.data(|d| d.get_temp(id)).unwrap_or_default();
    let found = licences::matching(&wanted);
    ui.horizontal(|ui| {
        let field = TextEdit::singleline(&mut wanted)
            .hint_text(row::weak(ui, "name or licence"))
            .desired_width(240.0);
        let field = ui.add(field);
        field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Search the components"));
        ui.label(match found.len() {
            1 => "1 component".to_owned(),
            n => format!("{n} components"),
        });
        if ui.button("Copy these").clicked() {
            out.push(Command::Copy(licences::text(&found)));
        }
    });
    ui.data_mut(|d| d.insert_temp(id, wanted));
    ui.add_space(theme::GRID);
    let height = ui.text_style_height(&TextStyle::Small);
    ScrollArea::vertical()
        .auto_shrink([false, false])
        .show_rows(ui, height, found.len(), |ui, rows| {
            for component in &found[rows] {
                let line = RichText::new(component.line).text_style(TextStyle::Small);
                ui.add(Label::new(line).truncate().selectable(true));
            }
        });
}
