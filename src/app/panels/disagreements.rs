//! Where two coders differ: how far they agree in three numbers, and a list to go through
//! together.

use egui::{
    Align2, Button, ComboBox, Id, Label, Role, ScrollArea, Sense, TextStyle, Ui, WidgetInfo, pos2,
    vec2,
};

use crate::app::command::Command;
use crate::app::disagreements::{Disagreements, first_pair};
use crate::app::keys;
use crate::app::panels::source::grouped;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::row;
use crate::metrics::agreement::{Difference, Disagreement};

/// Of one disagreement: its place, and two lines of what it is.
const ROW: f32 = 56.0;

/// The list of all annotations, or this one: whether this one is chosen. Nothing where
/// nobody else has coded, or in a blind pass.
pub fn chosen(ui: &mut Ui, state: &AppState, review: &Review, out: &mut Vec<Command>) -> bool {
    if state.blind() {
        return false;
    }
    let Some(pair) = first_pair(&review.deciders(), &state.settings.coder) else {
        return false;
    };
    let on = review.disagreements.is_some();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GRID;
        if ui.add(Button::selectable(!on, "All")).clicked() && on {
            out.push(Command::CompareCoders(None));
        }
        let name = review.disagreements.as_ref().map_or_else(
            || "Disagreements".to_owned(),
            |c| format!("Disagreements {}", c.list.len()),
        );
        let tip = format!(
            "Where two coders differ: {}, {}",
            keys::tip(ui, "Next disagreement"),
            keys::tip(ui, "Previous disagreement")
        );
        let list = ui.add(Button::selectable(on, name)).on_hover_text(tip);
        if list.clicked() && !on {
            out.push(Command::CompareCoders(Some(pair)));
        }
    });
    ui.add_space(theme::GRID);
    on
}

pub fn show(ui: &mut Ui, review: &Review, out: &mut Vec<Command>) {
    let Some(compared) = &review.disagreements else {
        return;
    };
    coders(ui, review, compared, out);
    numbers(ui, compared);
    ui.add_space(theme::GRID);
    if compared.list.is_empty() {
        ui.label(row::weak(ui, "They agree in everything."));
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let area = ScrollArea::vertical()
        .id_salt("disagreements")
        .auto_shrink([false, false]);
    // What a key went to is brought into sight, once.
    let memory = Id::unique("disagreement in sight");
    let seen: Option<usize> = ui.data(|d| d.get_temp(memory));
    let moved = compared.at.filter(|at| seen != Some(*at));
    area.show_viewport(ui, |ui, view| {
        let top = ui.min_rect().top();
        ui.set_height(ROW * compared.list.len() as f32);
        let across = ui.max_rect().x_range();
        let place = |at: usize| {
            let y = top + ROW * at as f32;
            egui::Rect::from_x_y_ranges(across, y..=y + ROW)
        };
        if let Some(at) = moved {
            ui.scroll_to_rect(place(at), None);
            ui.data_mut(|d| d.insert_temp(memory, at));
        }
        let first = (view.top() / ROW).floor().max(0.0) as usize;
        let last = ((view.bottom() / ROW).ceil().max(0.0) as usize).min(compared.list.len());
        for at in first..last {
            entry(ui, review, compared, (at, place(at)), out);
        }
    });
}

/// The two whose annotations are compared.
fn coders(ui: &mut Ui, review: &Review, compared: &Disagreements, out: &mut Vec<Command>) {
    let names = review.deciders();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GRID;
        for (at, title) in ["First coder", "Second coder"].into_iter().enumerate() {
            let (this, other) = (&compared.coders[at], &compared.coders[1 - at]);
            let shown = ComboBox::from_id_salt(title)
                .width(96.0)
                .selected_text(called(this))
                .show_ui(ui, |ui| {
                    for name in names.iter().filter(|name| *name != other) {
                        if ui.selectable_label(name == this, called(name)).clicked() {
                            let mut pair = compared.coders.clone();
                            (*name).clone_into(&mut pair[at]);
                            out.push(Command::CompareCoders(Some(pair)));
                        }
                    }
                });
            let name = format!("{title}: {}", called(this));
            (shown.response).widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, &name));
            if at == 0 {
                ui.label(row::weak(ui, "and"));
            }
        }
    });
}

fn called(name: &str) -> &str {
    if name.is_empty() { "no name" } else { name }
}

fn numbers(ui: &mut Ui, compared: &Disagreements) {
    let agreement = &compared.agreement;
    let value = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.2}"));
    ui.horizontal(|ui| {
        for (name, number, tip) in [
            (
                "R",
                agreement.units.by_number.r(),
                "FACS' index of agreement over the units of the expressions that both saw",
            ),
            (
                "κ",
                agreement.kinds.per_frame.kappa,
                "Cohen's kappa over all frames: micro-expression, macro-expression or nothing",
            ),
            (
                "F1",
                agreement.found.f1(),
                "How many of the expressions both saw at the same time (overlap of half or more)",
            ),
        ] {
            let text = row::figures(format!("{name} {}", value(number)));
            ui.add(Label::new(text)).on_hover_text(tip);
        }
    });
}

/// In what they differ, in one or two words.
fn what(found: &Disagreement, coders: &[String; 2]) -> String {
    match found.what {
        Difference::OnlyFirst => format!("only {}", called(&coders[0])),
        Difference::OnlySecond => format!("only {}", called(&coders[1])),
        Difference::Kind => "kind".to_owned(),
        Difference::Onset => "onset".to_owned(),
        Difference::Apex => "apex".to_owned(),
        Difference::Offset => "offset".to_owned(),
        Difference::Units => "units".to_owned(),
        Difference::Emotion => "emotion".to_owned(),
    }
}

fn entry(
    ui: &mut Ui,
    review: &Review,
    compared: &Disagreements,
    (at, rect): (usize, egui::Rect),
    out: &mut Vec<Command>,
) {
    let p = Palette::current(ui);
    let found = &compared.list[at];
    let id = Id::unique(("disagreement", at));
    let response = ui.interact(rect.intersect(ui.clip_rect()), id, Sense::click());
    let response = response.with_new_rect(row::in_sight(ui, rect));
    let on = compared.at == Some(at);
    let clock = review.time_of(found.frame).clock();
    let what = what(found, &compared.coders);
    response.widget_info(|| {
        let name = format!(
            "{what} at {clock} frame {}: {}",
            found.frame, found.sentence
        );
        WidgetInfo::selected(Role::ListBoxOption, true, on, name)
    });
    if response.clicked() {
        out.push(Command::ToDisagreement(at));
    }
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    if on || response.hovered() || response.has_focus() {
        let fill = if on { p.raised } else { p.shade };
        painter.rect_filled(rect.shrink2(vec2(0.0, 1.0)), 4.0, fill);
    }
    let small = TextStyle::Small.resolve(ui.style());
    let mono = theme::small_mono().resolve(ui.style());
    let (left, right) = (rect.left() + 8.0, rect.right() - 8.0);
    let middle = rect.top() + 12.0;
    painter.text(pos2(left, middle), Align2::LEFT_CENTER, clock, mono, p.text);
    painter.text(
        pos2(left + 80.0, middle),
        Align2::LEFT_CENTER,
        format!("frame {}", grouped(found.frame)),
        small.clone(),
        p.weak,
    );
    painter.text(
        pos2(right, middle),
        Align2::RIGHT_CENTER,
        what,
        small.clone(),
        p.text,
    );
    let sentence = painter.layout(found.sentence.clone(), small, p.weak, right - left);
    painter.galley(pos2(left, rect.top() + 22.0), sentence, p.weak);
    response.on_hover_text(&found.sentence);
}
