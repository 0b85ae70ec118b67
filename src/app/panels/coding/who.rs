//! Who codes, whether the pass is blind, where what was said is kept, and another coder's
//! project.

use egui::{
    Align, Button, Id, Label, Layout, RichText, Role, TextEdit, TextStyle, Ui, WidgetInfo, vec2,
};

use crate::app::coder::Coded;
use crate::app::command::{Command, DialogKind};
use crate::app::keys;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::row;

pub(super) fn show(ui: &mut Ui, state: &AppState, review: &Review, out: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.label(row::weak(ui, "Coder"));
        // Kept as typed until the field is left: names have spaces in them.
        let id = Id::unique("name typed");
        let kept: Option<String> = ui.data(|d| d.get_temp(id));
        let mut name = kept.unwrap_or_else(|| state.settings.coder.clone());
        let field = TextEdit::singleline(&mut name)
            .hint_text(row::weak(ui, "your name"))
            .align(egui::Align2::LEFT_CENTER)
            .min_size(vec2(0.0, theme::CONTROL))
            .desired_width(112.0);
        let field = ui.add(field);
        field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Your name"));
        if field.has_focus() {
            ui.data_mut(|d| d.insert_temp(id, name));
        } else {
            if field.lost_focus() && name.trim() != state.settings.coder {
                out.push(Command::Code(Coded::Coder(name)));
            }
            ui.data_mut(|d| d.remove::<String>(id));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let blind = Button::selectable(state.settings.blind, "Blind").frame_when_inactive(true);
            let tip = format!(
                "{}: hides the networks' results and other coders",
                keys::tip(ui, "Blind pass")
            );
            if ui.add(blind).on_hover_text(tip).clicked() {
                out.push(Command::Code(Coded::ToggleBlind));
            }
        });
    });
    ui.add_space(theme::GRID);
    kept(ui, review);
    ui.add_space(theme::GRID);
    let waiting = state.entrance.dialog_since.is_some();
    let why_not = match (state.blind(), waiting) {
        (true, _) => format!(
            "A blind pass hides other coders: end it first. {}",
            keys::tip(ui, "Blind pass")
        ),
        (false, true) => "A file dialog is already open.".to_owned(),
        (false, false) => String::new(),
    };
    let text = RichText::new("Add another coder's project…").text_style(TextStyle::Small);
    if ui
        .add_enabled(why_not.is_empty(), Button::new(text))
        .on_hover_text("Takes over what somebody else has said of this recording")
        .on_disabled_hover_text(why_not)
        .clicked()
    {
        out.push(Command::AskForInput(DialogKind::OtherProject));
    }
}

/// Where what was said is kept.
fn kept(ui: &mut Ui, review: &Review) {
    let p = Palette::current(ui);
    let name = |path: &std::path::Path| {
        let name = path.file_name().unwrap_or(path.as_os_str());
        name.to_string_lossy().into_owned()
    };
    let (text, ink, tip) = match (&review.not_kept, &review.project) {
        (Some(why), _) => (
            "Not saved: the log says why.".to_owned(),
            p.red,
            why.clone(),
        ),
        (None, Some(path)) if review.unsaved => (
            format!("Saving to {}…", name(path)),
            p.weak,
            path.display().to_string(),
        ),
        (None, Some(path)) if review.analysis_kept || review.session.earlier.is_some() => (
            format!("Saved in {}, with the analysis", name(path)),
            p.weak,
            path.display().to_string(),
        ),
        (None, Some(path)) => (
            format!("Saved in {}", name(path)),
            p.weak,
            path.display().to_string(),
        ),
        (None, None) => (
            "Kept in a project file from the first change on.".to_owned(),
            p.weak,
            String::new(),
        ),
    };
    let small = RichText::new(text).text_style(TextStyle::Small).color(ink);
    let said = ui.add(Label::new(small).truncate());
    if !tip.is_empty() {
        said.on_hover_text(tip);
    }
}
