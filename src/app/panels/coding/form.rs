//! The form of the annotation that is worked on.

use egui::{
    Align, Button, Id, Label, Layout, Response, RichText, Role, TextEdit, TextStyle, Ui,
    WidgetInfo, vec2,
};

use super::units;
use crate::app::coder::{Coded, Edge};
use crate::app::command::Command;
use crate::app::emotions::EmotionLabels;
use crate::app::keys;
use crate::app::panels::moments;
use crate::app::panels::source::{frames_in_words, grouped};
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::row;
use crate::spotting::ExpressionKind;
use crate::timeline::{Annotation, length};

pub(super) fn show(ui: &mut Ui, state: &AppState, review: &Review, out: &mut Vec<Command>) {
    let Some(a) = review.annotation() else {
        ui.add_space(theme::GRID);
        let sentence = if review.selected_spot().is_some() {
            "This candidate is nobody's yet: {Accept} accepts it, {Onset is here}, {Apex is here}, \
             {Offset is here} correct its frames."
        } else {
            "Press {Onset is here} where an onset is, {Apex is here} at the apex, {Offset is here} at \
             the offset; {Enter action units} enters units."
        };
        ui.add(Label::new(state.settings.keys.fill(sentence)).wrap());
        ui.add_space(theme::GRID);
        if ui
            .button("New annotation")
            .on_hover_text(keys::tip(ui, "New annotation"))
            .clicked()
        {
            out.push(Command::Code(Coded::New));
        }
        return;
    };
    let mine = a.coder == state.settings.coder;
    // A mark that waits is about to put another annotation in its place.
    let waits = review.waits().map(|waits| state.settings.keys.fill(&waits));
    let free = mine && waits.is_none();
    title(ui, review, a, (free, waits.as_deref()), out);
    frames(ui, review, a, mine, out);
    if let Some(wrong) = a.contradiction() {
        let p = Palette::current(ui);
        ui.label(RichText::new(wrong).color(p.amber));
    }
    let said = ui.add_enabled_ui(free, |ui| {
        units::show(ui, state, a, out);
        emotion(ui, state, a, out);
        confidence(ui, a, out);
    });
    if let Some(waits) = &waits {
        said.response.on_hover_text(waits);
    }
    ui.add_enabled_ui(mine, |ui| note(ui, a, out));
    if !mine {
        let whose = if a.coder.is_empty() {
            "a coder without a name"
        } else {
            &a.coder
        };
        let key = state.settings.keys.in_words("New annotation");
        let said = format!("By {whose}. {key} makes your own at the same frames.");
        ui.label(row::weak(ui, said));
    }
}

fn title(
    ui: &mut Ui,
    review: &Review,
    a: &Annotation,
    (free, waits): (bool, Option<&str>),
    out: &mut Vec<Command>,
) {
    let why_not = |button: Response| match waits {
        Some(waits) => button.on_disabled_hover_text(waits),
        None => button,
    };
    ui.horizontal(|ui| {
        for kind in ExpressionKind::BOTH.into_iter().rev() {
            let name = match kind {
                ExpressionKind::Micro => "Micro",
                ExpressionKind::Macro => "Macro",
            };
            let chosen = Button::selectable(a.kind == kind, name).frame_when_inactive(true);
            if why_not(ui.add_enabled(free, chosen)).clicked() && a.kind != kind {
                out.push(Command::Code(Coded::Kind(kind)));
            }
        }
        let secs = length::in_words(review.lasts(a.onset, a.offset));
        let lasts = format!("{}, {secs}", frames_in_words(a.frames()));
        ui.label(row::weak(ui, lasts))
            .on_hover_text(moments::in_words(review, (a.onset, a.apex, a.offset)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let remove = why_not(ui.add_enabled(free, Button::new("Remove")));
            if remove
                .on_hover_text(keys::tip(ui, "Remove the annotation"))
                .clicked()
            {
                out.push(Command::Code(Coded::Remove));
            }
        });
    });
}

/// Onset, apex, offset side by side: a click goes there, the key under it moves it here.
fn frames(ui: &mut Ui, review: &Review, a: &Annotation, mine: bool, out: &mut Vec<Command>) {
    ui.add_space(theme::GRID);
    ui.columns(3, |columns| {
        for (ui, (edge, name, does, frame)) in columns.iter_mut().zip([
            (Edge::Onset, "onset", "Onset is here", Some(a.onset)),
            (Edge::Apex, "apex", "Apex is here", a.apex),
            (Edge::Offset, "offset", "Offset is here", Some(a.offset)),
        ]) {
            ui.spacing_mut().item_spacing.y = 2.0;
            let text = frame.map_or_else(
                || format!("{name} –"),
                |frame| format!("{name} {}", grouped(frame)),
            );
            let go = Button::new(RichText::new(text).text_style(TextStyle::Small))
                .min_size(vec2(ui.available_width(), theme::CONTROL));
            let go = ui.add_enabled(frame.is_some(), go);
            let clock = frame.map(|f| review.time_of(f).clock()).unwrap_or_default();
            if go
                .on_hover_text(format!("Go to {clock}"))
                .on_disabled_hover_text(keys::tip(ui, does))
                .clicked()
            {
                out.extend(frame.map(Command::Seek));
            }
            let set = match keys::of(ui, does) {
                key if key.is_empty() => "Set".to_owned(),
                key => format!("Set ({key})"),
            };
            let set = RichText::new(set).text_style(TextStyle::Small);
            let here = Button::new(set).min_size(vec2(ui.available_width(), theme::CONTROL));
            if ui
                .add_enabled(mine, here)
                .on_hover_text(format!("The {name} is the frame on the screen"))
                .clicked()
            {
                out.push(Command::Code(Coded::Edge(edge)));
            }
        }
    });
}

fn emotion(ui: &mut Ui, state: &AppState, a: &Annotation, out: &mut Vec<Command>) {
    ui.add_space(theme::GRID);
    let set = match &state.settings.emotions {
        EmotionLabels::Three => "Emotion, the three classes of MEGC 2019",
        EmotionLabels::Casme2 => "Emotion, labels of CASME II",
        EmotionLabels::Samm => "Emotion, labels of SAMM",
        EmotionLabels::Own(_) => "Emotion, your own labels",
    };
    ui.label(row::weak(ui, set))
        .on_hover_text("Settings have other sets, and take your own");
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(theme::GRID, theme::GRID);
        let labels = state.settings.emotions.labels();
        // A label of another set is shown all the same.
        let other = a.emotion.as_ref().filter(|e| !labels.contains(e));
        for label in labels.iter().chain(other) {
            let on = a.emotion.as_ref() == Some(label);
            let text = RichText::new(label).text_style(TextStyle::Small);
            if ui
                .add(Button::selectable(on, text).frame_when_inactive(true))
                .clicked()
            {
                let emotion = (!on).then(|| label.clone());
                out.push(Command::Code(Coded::Emotion(emotion)));
            }
        }
    });
}

/// From a guess to certainty; which end is which stands beside the figures.
fn confidence(ui: &mut Ui, a: &Annotation, out: &mut Vec<Command>) {
    ui.add_space(theme::GRID);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(theme::GRID, theme::GRID);
        ui.label(row::weak(ui, "Confidence"));
        ui.label(row::weak(ui, "unsure"));
        for value in 1..=5_u8 {
            let on = a.confidence == Some(value);
            let text = RichText::new(value.to_string()).text_style(TextStyle::Small);
            let button = Button::selectable(on, text).frame_when_inactive(true);
            let button = ui.add(button);
            button.widget_info(|| {
                let name = format!("Confidence {value}, from 1 unsure to 5 sure");
                WidgetInfo::selected(Role::RadioButton, true, on, name)
            });
            let tip = "How sure you are: 1 is a guess, 5 is certain";
            if button.on_hover_text(tip).clicked() {
                out.push(Command::Code(Coded::Confidence((!on).then_some(value))));
            }
        }
        ui.label(row::weak(ui, "sure"));
    });
}

/// Kept letter by letter: whatever happens to the field, nothing is lost.
fn note(ui: &mut Ui, a: &Annotation, out: &mut Vec<Command>) {
    let mut text = a.note.clone();
    ui.add_space(theme::GRID);
    let label = ui.label(row::weak(ui, "Note"));
    let field = TextEdit::multiline(&mut text)
        .id(Id::unique(("note", a.id)))
        .desired_rows(2)
        .desired_width(f32::INFINITY);
    let field = ui.add(field).labelled_by(label.id);
    if field.changed() {
        out.push(Command::Code(Coded::Note(a.id, text)));
    }
}
