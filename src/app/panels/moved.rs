//! What moved: a bar for every action unit, what a database would call the movement,
//! and how sure that is. Of the selected candidate, else of the moment on the screen.

use egui::{
    Align2, Button, Label, Rangef, Rect, Response, RichText, Role, ScrollArea, Sense, Stroke,
    StrokeKind, TextStyle, Ui, WidgetInfo, pos2, vec2,
};

use crate::app::command::Command;
use crate::app::keys;
use crate::app::panels::second_look;
use crate::app::panels::source::grouped;
use crate::app::review::Review;
use crate::app::second_look::SecondLookView;
use crate::app::theme::{self, Palette};
use crate::app::widgets::textures::Textures;
use crate::app::widgets::{marks, row};
use crate::facs::Side;
use crate::recognition::{ClassReading, Recognition, UnitReading};

/// One unit or class.
const ROW: f32 = 14.0;
const HEADER: f32 = 20.0;
/// A line of text by itself.
const LINE: f32 = 16.0;
/// What is shown, and the space below.
const TABS: f32 = theme::CONTROL + theme::GRID;
/// Left of the bars: the code, then the name.
const CODE: f32 = 44.0;
const NAMES: f32 = 152.0;
/// Right of the bars.
const VALUE: f32 = 36.0;
const BAR: f32 = 6.0;
/// What the ticks are, and a line more for each kind of doubt: where there is room.
const WORDS: f32 = 2.0 * LINE;

/// Always under the bars.
pub const JUDGE: &str = "Movements and probabilities, for a person to judge.";

/// Under the units.
const TICKS: &str = "Tick on a bar: present from there on";

const UNSURE: &str = "How unsure the class is, 0 to 1 in two parts. Ambiguous: the movement itself \
                      fits several classes, as every network sees it. Unfamiliar: the networks \
                      contradict each other, as they do where they have learnt too little.";

/// As much as everything needs; a second look takes what it gets.
#[must_use]
pub fn height(review: &Review, view: SecondLookView) -> f32 {
    let looks_again = !review.session.second_look.is_empty();
    if looks_again && view.shown {
        return f32::INFINITY;
    }
    let more = if looks_again { TABS } else { LINE };
    HEADER + bars_height(review) + WORDS + more + theme::GAP + LINE
}

/// Of units and classes.
fn bars_height(review: &Review) -> f32 {
    const CLASSES: f32 = 3.0;
    let units = review.session.unit_thresholds.len() as f32;
    units * ROW + theme::GAP + HEADER + CLASSES * ROW + LINE
}

/// What the panel speaks of.
struct Subject<'a> {
    when: String,
    said: Result<&'a Recognition, &'static str>,
}

pub fn show(
    ui: &mut Ui,
    review: &Review,
    (view, textures): (SecondLookView, &Textures),
    out: &mut Vec<Command>,
) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let subject = subject(review);
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), HEADER),
        egui::Layout::left_to_right(egui::Align::Center),
        |ui| {
            ui.set_height(HEADER);
            ui.label(RichText::new("What moved").strong());
            ui.add(Label::new(row::weak(ui, subject.when)).truncate());
        },
    );
    let looks_again = !review.session.second_look.is_empty();
    if looks_again {
        tabs(ui, view, out);
    }
    let space = (ui.available_height() - LINE).max(0.0);
    ui.allocate_ui(vec2(ui.available_width(), space), |ui| {
        ui.set_height(space);
        let area = |name: &str| {
            let area = ScrollArea::vertical().id_salt(name);
            area.auto_shrink([false, false])
        };
        match subject.said {
            _ if looks_again && view.shown => {
                area("second look").show(ui, |ui| {
                    let of_view = (view, textures.second_look());
                    second_look::contents(ui, review, of_view, out);
                });
            }
            Ok(recognition) => {
                area("moved").show(ui, |ui| {
                    let room = space - bars_height(review);
                    if room < 0.0 {
                        // The bar that scrolls lies over what is there.
                        ui.set_max_width(ui.available_width() - theme::GAP);
                    }
                    contents(ui, review, recognition, room);
                });
            }
            Err(why) => {
                ui.add_space(theme::GRID);
                ui.add(Label::new(row::weak(ui, why)).wrap());
            }
        }
    });
    ui.add(Label::new(row::weak(ui, JUDGE)).truncate());
}

/// What AU-Flow reads, or what others say of the same candidate.
fn tabs(ui: &mut Ui, view: SecondLookView, out: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GRID;
        let units = "What AU-Flow reads";
        let others = keys::tip(ui, "Second look");
        for (shown, name, tip) in [(false, "Units", units), (true, "Second look", &others)] {
            let tab = Button::selectable(view.shown == shown, name);
            let tab = ui.add(tab).on_hover_text(tip);
            if tab.clicked() && view.shown != shown {
                out.push(Command::LookAgain(SecondLookView { shown, ..view }));
            }
        }
    });
    ui.add_space(theme::GRID);
}

fn subject(review: &Review) -> Subject<'_> {
    if let Some(spot) = review.selected_spot() {
        let known = review.recognised_in(spot);
        let (onset, apex) = known.map_or((spot.onset, spot.apex), |r| (r.onset, r.apex));
        return Subject {
            when: format!(
                "{}, from frame {} to {}",
                marks::short(spot.kind),
                grouped(onset),
                grouped(apex)
            ),
            said: match known {
                Some(recognised) => Ok(&recognised.recognition),
                None if review.recording.finished => Err("No action units: the log says why."),
                None => Err("This candidate is not read yet."),
            },
        };
    }
    let frame = review.playback.frame;
    match review.units_shown() {
        Some(sample) => Subject {
            when: format!(
                "in the {:.1} s before frame {}",
                sample.timestamp.secs_since(sample.from),
                grouped(sample.frame)
            ),
            said: Ok(&sample.recognition),
        },
        None => Subject {
            when: format!("just before frame {}", grouped(frame)),
            said: Err(match review.recording.frame(frame) {
                None => "This frame is not analysed yet.",
                Some(record) if record.face.is_none() => "There is no face in this frame.",
                Some(_) => {
                    "Nothing was read here: that takes a moment with a face before the frame."
                }
            }),
        },
    }
}

/// With as many words as there is room for, points.
fn contents(ui: &mut Ui, review: &Review, recognition: &Recognition, room: f32) {
    let mut units: Vec<&UnitReading> = recognition.units.iter().collect();
    units.sort_by_key(|u| u.unit);
    for unit in units {
        unit_row(
            ui,
            unit,
            review.session.unit_thresholds.get(&unit.unit).copied(),
        );
    }
    if !review.session.unit_thresholds.is_empty() && room >= LINE {
        words(ui, TICKS).on_hover_text(
            "Each unit has its own tick: the probability from which on it is called present. \
             Units differ in how sure the network is of them.",
        );
    }
    if let Some(class) = &recognition.class {
        ui.add_space(theme::GAP);
        classes(ui, class, room >= WORDS);
    }
    // In a low window half a line would show; Settings says the same.
    let fits = ui.cursor().top() + theme::GRID + LINE <= ui.clip_rect().bottom();
    if review.session.second_look.is_empty() && fits {
        ui.add_space(theme::GRID);
        ui.add(Label::new(row::weak(ui, second_look::HINT)).truncate());
    }
}

fn unit_row(ui: &mut Ui, reading: &UnitReading, threshold: Option<f64>) {
    let code = marks::unit_code(reading);
    let name = reading.unit.name().unwrap_or_default();
    let standing = if reading.present {
        "present"
    } else {
        "not present"
    };
    let side = match reading.side {
        Some(Side::Left) => ", the person's left side alone",
        Some(Side::Right) => ", the person's right side alone",
        _ => "",
    };
    let code = format!("AU {code}");
    let from = threshold.map_or_else(String::new, |t| {
        format!(" (the tick: present from {t:.2} on)")
    });
    let tip = format!(
        "{code} {name}: probability {:.2}, {standing}{from}{side}",
        reading.probability
    );
    bar(
        ui,
        &Bar {
            code: &code,
            name,
            value: reading.probability,
            threshold,
            full: reading.present,
            label: format!("{code} {name} {:.2}, {standing}", reading.probability),
            tip: &tip,
        },
    );
}

fn classes(ui: &mut Ui, class: &ClassReading, explained: bool) {
    let p = Palette::current(ui);
    let (said, ink) = match class.label() {
        Some((name, probability)) => (format!("most likely: {name} ({probability:.2})"), p.text),
        None => ("undecided".to_owned(), p.weak),
    };
    let tip = if class.abstains {
        "The networks are too unsure to name a class."
    } else {
        "What databases of expressions call movements like this one."
    };
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), HEADER),
        egui::Layout::left_to_right(egui::Align::Center),
        |ui| {
            ui.set_height(HEADER);
            ui.label(RichText::new(said).color(ink)).on_hover_text(tip);
        },
    );
    let likeliest = class.label().map(|(name, _)| name);
    for (name, probability) in class.classes.iter().zip(&class.probabilities) {
        let label = format!("class {name} {probability:.2}");
        bar(
            ui,
            &Bar {
                code: "",
                name,
                value: *probability,
                threshold: None,
                full: likeliest == Some(name.as_str()),
                label: label.clone(),
                tip: &label,
            },
        );
    }
    let (ambiguous, unfamiliar) = (class.uncertainty.aleatoric, class.uncertainty.epistemic);
    let lines = if explained {
        vec![
            format!("ambiguous {ambiguous:.2}: how far several classes fit"),
            format!("unfamiliar {unfamiliar:.2}: how far networks disagree"),
        ]
    } else {
        vec![format!(
            "ambiguous {ambiguous:.2}, unfamiliar {unfamiliar:.2}"
        )]
    };
    for line in lines {
        words(ui, &line).on_hover_text(UNSURE);
    }
}

/// A line of small text.
fn words(ui: &mut Ui, text: &str) -> Response {
    let size = vec2(ui.available_width(), LINE);
    let line = egui::Layout::left_to_right(egui::Align::Center);
    let label = Label::new(row::weak(ui, text)).truncate();
    ui.allocate_ui_with_layout(size, line, |ui| {
        ui.set_height(LINE);
        ui.add(label)
    })
    .inner
}

/// One row: what it is, how likely.
struct Bar<'a> {
    code: &'a str,
    name: &'a str,
    /// 0..1.
    value: f64,
    threshold: Option<f64>,
    /// In full ink, else hollow and weak.
    full: bool,
    label: String,
    tip: &'a str,
}

fn bar(ui: &mut Ui, bar: &Bar<'_>) {
    let p = Palette::current(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let shown = row::in_sight(ui, rect);
    let response = response.with_new_rect(shown);
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::Meter, true, &bar.label);
        info.value = Some(bar.value);
        info
    });
    if ui.is_rect_visible(rect) {
        let small = TextStyle::Small.resolve(ui.style());
        let mono = theme::small_mono().resolve(ui.style());
        let ink = if bar.full { p.text } else { p.weak };
        let (left, middle) = (rect.left(), rect.center().y);
        let track = Rect::from_x_y_ranges(
            left + NAMES..=rect.right() - VALUE,
            Rangef::new(middle - 0.5 * BAR, middle + 0.5 * BAR),
        );
        let painter = ui.painter();
        let words = painter.with_clip_rect(
            Rect::from_x_y_ranges(left..=track.left() - theme::GRID, rect.y_range())
                .intersect(ui.clip_rect()),
        );
        let mut at = left;
        if !bar.code.is_empty() {
            words.text(
                pos2(at, middle),
                Align2::LEFT_CENTER,
                bar.code,
                mono.clone(),
                ink,
            );
            at += CODE;
        }
        words.text(pos2(at, middle), Align2::LEFT_CENTER, bar.name, small, ink);
        painter.rect_filled(track, 1.0, p.raised);
        let share = bar.value.clamp(0.0, 1.0) as f32;
        let filled = track.with_max_x(track.left() + share * track.width());
        if bar.full {
            painter.rect_filled(filled, 1.0, ink);
        } else {
            painter.rect_stroke(filled, 1.0, Stroke::new(1.0, ink), StrokeKind::Inside);
        }
        if let Some(threshold) = bar.threshold {
            let x = track.left() + threshold.clamp(0.0, 1.0) as f32 * track.width();
            let around = Rangef::new(track.top() - 2.0, track.bottom() + 2.0);
            painter.vline(x.round() + 0.5, around, Stroke::new(1.0, p.weak));
        }
        painter.text(
            pos2(rect.right() - theme::GRID, middle),
            Align2::RIGHT_CENTER,
            format!("{:.2}", bar.value),
            mono,
            ink,
        );
    }
    response.on_hover_text(bar.tip);
}
