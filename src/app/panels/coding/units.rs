//! The action units of the annotation: what is scored, and the field that takes more.

use egui::{Button, Id, Key, Label, RichText, Role, TextEdit, TextStyle, Ui, WidgetInfo, vec2};

use crate::app::coder::Coded;
use crate::app::command::Command;
use crate::app::keys;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::row;
use crate::facs::{ScoredUnit, Side, parse_units};
use crate::timeline::Annotation;

/// "L12C": lip corner puller, left, intensity C.
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

pub(super) fn show(ui: &mut Ui, state: &AppState, a: &Annotation, out: &mut Vec<Command>) {
    ui.add_space(theme::GRID);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(theme::GRID, theme::GRID);
        ui.label(row::weak(ui, "Units"));
        for unit in &a.units {
            let chip = Button::new(
                RichText::new(format!("{} ×", unit.facs())).text_style(theme::small_mono()),
            );
            let tip = format!("{}. A click takes it away.", in_words(unit));
            if ui.add(chip).on_hover_text(tip).clicked() {
                let rest = a.units.iter().filter(|u| *u != unit).copied().collect();
                out.push(Command::Code(Coded::Units(rest)));
            }
        }
    });
    let id = Id::unique(("units typed", a.id));
    let mut typed: String = ui.data(|d| d.get_temp(id)).unwrap_or_default();
    let field = TextEdit::singleline(&mut typed)
        .id(id.with("field"))
        .hint_text(row::weak(ui, "For example 4B L12C 6, then Enter"))
        .align(egui::Align2::LEFT_CENTER)
        .min_size(vec2(0.0, theme::CONTROL))
        .desired_width(f32::INFINITY);
    let field = ui.add(field);
    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Action units"));
    let field = field.on_hover_text(format!(
        "{}: side before the number, intensity A to E behind it",
        keys::tip(ui, "Enter action units")
    ));
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

/// Codes with spaces, commas or plus signs between them; `AU` may stand before them, as the
/// window writes them.
fn typed_units(text: &str) -> Result<Vec<ScoredUnit>, String> {
    let parts: Vec<&str> = text
        .split([' ', ',', '+', ';'])
        .filter(|part| !part.is_empty() && !part.eq_ignore_ascii_case("AU"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facs::{facs_score, write_units};

    #[test]
    fn codes_are_typed_with_any_sign_between_them() {
        let units = typed_units("4b, L12C  6+AU25").unwrap();
        assert_eq!(write_units(&units), "AU4B+AU12LC+AU6+AU25");
        assert_eq!(typed_units(&facs_score(&units)).unwrap(), units);
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
