//! The annotation that is worked on, field by field, and the list of all.

use egui::{
    Align, Button, Id, Key, Label, Layout, Response, RichText, Role, ScrollArea, Sense, TextEdit,
    TextStyle, Ui, WidgetInfo, vec2,
};

use crate::app::coder::{Coded, Edge};
use crate::app::command::{Command, DialogKind};
use crate::app::keys;
use crate::app::panels::disagreements;
use crate::app::panels::source::grouped;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::{marks, row};
use crate::facs::{ScoredUnit, Side, parse_units, write_units};
use crate::spotting::{ExpressionKind, IntervalStatus};
use crate::timeline::Annotation;

/// Of one annotation in the list.
const ROW: f32 = 40.0;
/// The form takes no more of the column than this share.
const FORM_SHARE: f32 = 0.68;

pub fn show(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let Some(review) = &state.review else {
        return;
    };
    egui::Panel::bottom("who codes")
        .frame(egui::Frame::NONE)
        .resizable(false)
        .show_separator_line(false)
        .show(ui, |ui| {
            ui.add_space(theme::GAP);
            who(ui, state, review, out);
        });
    // As high as what is in it was when it was last laid out.
    let memory = Id::unique("height of the form");
    let high: f32 = ui.data(|d| d.get_temp(memory)).unwrap_or(0.0);
    let most = (FORM_SHARE * ui.available_height()).floor();
    egui::Panel::top("form")
        .frame(egui::Frame::NONE)
        .resizable(false)
        .exact_size((high + theme::GAP).min(most))
        .show(ui, |ui| {
            let area = ScrollArea::vertical().id_salt("form");
            let shown = area.auto_shrink([false, false]).show(ui, |ui| {
                if high + theme::GAP > most {
                    // The bar that scrolls lies over what is there.
                    ui.set_max_width(ui.available_width() - theme::GAP);
                }
                form(ui, state, review, out);
            });
            if (shown.content_size.y - high).abs() > 0.5 {
                ui.data_mut(|d| d.insert_temp(memory, shown.content_size.y));
                ui.ctx().request_repaint();
            }
        });
    ui.add_space(theme::GAP);
    if disagreements::chosen(ui, state, review, out) {
        disagreements::show(ui, review, out);
    } else {
        list(ui, state, review, out);
    }
}

fn who(ui: &mut Ui, state: &AppState, review: &Review, out: &mut Vec<Command>) {
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

fn form(ui: &mut Ui, state: &AppState, review: &Review, out: &mut Vec<Command>) {
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
        units(ui, state, a, out);
        emotion(ui, state, a, out);
        sure(ui, a, out);
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
        let secs = (review.time_of(a.offset)).secs_since(review.time_of(a.onset));
        let length = format!("{} frames, {secs:.3} s", grouped(a.frames()));
        ui.label(row::weak(ui, length));
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
            let here = Button::new(row::weak(ui, set)).min_size(vec2(ui.available_width(), 0.0));
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

/// "AU12L": lip corner puller, left; marked.
fn in_words(unit: &ScoredUnit) -> String {
    let mut words = unit.unit.name().unwrap_or("no name in FACS").to_owned();
    if let Some(side) = unit.side {
        words.push_str(match side {
            Side::Left => ", left",
            Side::Right => ", right",
            Side::Unilateral => ", one side",
            Side::Asymmetric => ", stronger on one side",
            Side::Top => ", upper lip",
            Side::Bottom => ", lower lip",
        });
    }
    if let Some(intensity) = unit.intensity {
        words.push_str(&format!(", intensity {}", intensity.letter()));
    }
    words
}

fn units(ui: &mut Ui, state: &AppState, a: &Annotation, out: &mut Vec<Command>) {
    ui.add_space(theme::GRID);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(theme::GRID, theme::GRID);
        ui.label(row::weak(ui, "Units"));
        for unit in &a.units {
            let chip =
                Button::new(RichText::new(format!("{unit} ×")).text_style(theme::small_mono()));
            let tip = format!("{}. A click takes it away.", in_words(unit));
            if ui.add(chip).on_hover_text(tip).clicked() {
                let rest = a.units.iter().filter(|u| *u != unit).copied().collect();
                out.push(Command::Code(Coded::Units(rest)));
            }
        }
    });
    let id = Id::unique(("units typed", a.id));
    let mut typed: String = ui.data(|d| d.get_temp(id)).unwrap_or_default();
    let hint = (state.settings.keys).fill("4B, L12C, 6: then Enter ({Enter action units})");
    let field = TextEdit::singleline(&mut typed)
        .id(id.with("field"))
        .hint_text(row::weak(ui, hint))
        .align(egui::Align2::LEFT_CENTER)
        .min_size(vec2(0.0, theme::CONTROL))
        .desired_width(f32::INFINITY);
    let field = ui.add(field);
    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Action units"));
    if state.entering_units {
        field.request_focus();
        out.push(Command::Code(Coded::UnitsEntered));
    }
    let read = typed_units(&typed);
    if field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter)) {
        if let Ok(units) = &read
            && !units.is_empty()
        {
            out.push(Command::Code(Coded::Units(joined(&a.units, units))));
            typed.clear();
        }
        if read.is_err() {
            field.request_focus();
        }
    } else if field.lost_focus() && ui.input(|i| i.key_pressed(Key::Escape)) {
        typed.clear();
    }
    ui.data_mut(|d| d.insert_temp(id, typed.clone()));
    if typed.trim().is_empty() {
        return;
    }
    let p = Palette::current(ui);
    let (text, ink) = match read {
        Ok(units) => {
            let words: Vec<String> = units.iter().map(in_words).collect();
            (words.join("; "), p.weak)
        }
        Err(why) => (why, p.amber),
    };
    let small = RichText::new(text).text_style(TextStyle::Small).color(ink);
    ui.add(Label::new(small).wrap());
}

/// Codes with spaces, commas or plus signs between them.
fn typed_units(text: &str) -> Result<Vec<ScoredUnit>, String> {
    let parts: Vec<&str> = text
        .split([' ', ',', '+', ';'])
        .filter(|part| !part.is_empty())
        .collect();
    parse_units(&parts.join("+")).map_err(|e| e.to_string())
}

/// A unit that is there already on the same side gets the new intensity.
fn joined(old: &[ScoredUnit], new: &[ScoredUnit]) -> Vec<ScoredUnit> {
    let mut units = old.to_vec();
    for unit in new {
        let same = |u: &&mut ScoredUnit| (u.unit, u.side) == (unit.unit, unit.side);
        match units.iter_mut().find(same) {
            Some(known) => *known = *unit,
            None => units.push(*unit),
        }
    }
    units
}

fn emotion(ui: &mut Ui, state: &AppState, a: &Annotation, out: &mut Vec<Command>) {
    ui.add_space(theme::GRID);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(theme::GRID, theme::GRID);
        ui.label(row::weak(ui, "Emotion"));
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

fn sure(ui: &mut Ui, a: &Annotation, out: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GRID;
        ui.label(row::weak(ui, "How sure"));
        for value in 1..=5_u8 {
            let on = a.confidence == Some(value);
            let text = RichText::new(value.to_string()).text_style(TextStyle::Small);
            let button = Button::selectable(on, text).frame_when_inactive(true);
            let button = ui.add(button);
            button.widget_info(|| {
                WidgetInfo::selected(Role::RadioButton, true, on, format!("sure {value} of 5"))
            });
            if button.on_hover_text("1 guessed, 5 certain").clicked() {
                out.push(Command::Code(Coded::Confidence((!on).then_some(value))));
            }
        }
    });
}

/// Kept letter by letter: whatever happens to the field, nothing is lost.
fn note(ui: &mut Ui, a: &Annotation, out: &mut Vec<Command>) {
    let mut text = a.note.clone();
    let field = TextEdit::multiline(&mut text)
        .id(Id::unique(("note", a.id)))
        .hint_text(row::weak(ui, "note"))
        .desired_rows(2)
        .desired_width(f32::INFINITY);
    let field = ui.add(field);
    field.widget_info(|| WidgetInfo::labeled(Role::MultilineTextInput, true, "Note"));
    if field.changed() {
        out.push(Command::Code(Coded::Note(a.id, text)));
    }
}

fn list(ui: &mut Ui, state: &AppState, review: &Review, out: &mut Vec<Command>) {
    let s = &state.settings;
    let shown: Vec<&Annotation> = (review.coding.annotations().iter())
        .filter(|a| a.status != IntervalStatus::Rejected && (!state.blind() || a.coder == s.coder))
        .collect();
    if shown.is_empty() {
        ui.label(row::weak(ui, "No annotation yet."));
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let area = ScrollArea::vertical()
        .id_salt("annotations")
        .auto_shrink([false, false]);
    area.show_rows(ui, ROW, shown.len(), |ui, visible| {
        for at in visible {
            entry(ui, review, shown[at], out);
        }
    });
}

fn entry(ui: &mut Ui, review: &Review, a: &Annotation, out: &mut Vec<Command>) {
    let p = Palette::current(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let response = response.with_new_rect(row::in_sight(ui, rect));
    let on = review.marked == Some(a.id);
    let clock = review.time_of(a.onset).clock();
    let clock = clock.strip_prefix("0:").unwrap_or(&clock);
    let what = [write_units(&a.units), a.emotion.clone().unwrap_or_default()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("  ");
    let by = if a.coder.is_empty() {
        ""
    } else {
        a.coder.as_str()
    };
    response.widget_info(|| {
        let name = format!(
            "{} from {clock} frame {} to {}, {what} {by}",
            marks::short(a.kind),
            a.onset,
            a.offset
        );
        WidgetInfo::selected(Role::ListBoxOption, true, on, name)
    });
    if response.clicked() {
        out.push(Command::Code(Coded::Select(Some(a.id))));
    }
    if !ui.is_rect_visible(rect) {
        return;
    }
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    if on || response.hovered() {
        let fill = if on { p.raised } else { p.shade };
        painter.rect_filled(rect.shrink2(vec2(0.0, 1.0)), 4.0, fill);
    }
    let small = TextStyle::Small.resolve(ui.style());
    let mono = theme::small_mono().resolve(ui.style());
    let (left, right) = (rect.left() + 8.0, rect.right() - 8.0);
    let (first, second) = (rect.top() + 12.0, rect.top() + 28.0);
    let at = |x, y| egui::pos2(x, y);
    let middle = egui::Align2::LEFT_CENTER;
    painter.text(
        at(left, first),
        middle,
        marks::short(a.kind),
        small.clone(),
        p.track(a.kind),
    );
    painter.text(at(left + 32.0, first), middle, clock, mono.clone(), p.text);
    let frames = format!("{}–{}", grouped(a.onset), grouped(a.offset));
    painter.text(
        at(left + 104.0, first),
        middle,
        frames,
        small.clone(),
        p.weak,
    );
    painter.text(
        at(right, first),
        egui::Align2::RIGHT_CENTER,
        by,
        small,
        p.weak,
    );
    let (text, ink) = if what.is_empty() {
        ("nothing coded yet".to_owned(), p.weak)
    } else {
        (what, p.text)
    };
    painter.text(at(left, second), middle, text, mono, ink);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_typed_with_any_sign_between_them() {
        let units = typed_units("4b, L12C  6+AU25").unwrap();
        assert_eq!(write_units(&units), "AU4B+AU12LC+AU6+AU25");
        assert_eq!(typed_units(" ").unwrap(), []);
        assert!(typed_units("12 smile").unwrap_err().contains("smile"));
        assert_eq!(in_words(&units[1]), "lip corner puller, left, intensity C");
    }

    #[test]
    fn a_unit_typed_again_gets_the_new_intensity() {
        let (old, new) = (
            typed_units("4B 12LC").unwrap(),
            typed_units("12LD 6").unwrap(),
        );
        assert_eq!(write_units(&joined(&old, &new)), "AU4B+AU12LD+AU6");
    }
}
