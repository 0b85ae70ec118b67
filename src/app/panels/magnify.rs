//! The sliders of the magnified view: what they change is seen at once.

use egui::{
    Align, Button, ComboBox, FontSelection, Label, Layout, Slider, TextWrapMode, Ui, WidgetText,
};

use crate::app::arrangement::Arrangement;
use crate::app::command::Command;
use crate::app::keys;
use crate::app::state::AppState;
use crate::app::theme;
use crate::app::widgets::row;
use crate::session::magnified_view::{MagnifyMethod, MagnifyView};

/// Two rows of controls and the space between them.
pub const HEIGHT: f32 = 2.0 * theme::CONTROL + 3.0 * theme::GAP;

/// The width of a slider without its number, and of the number.
const SLIDER: f32 = 96.0;
const NUMBER: f32 = 64.0;

/// What stands before the first sliders, and the sliders' names: the two rows stand
/// in columns.
const HEAD: f32 = 112.0;
const NAMES: [f32; 2] = [48.0, 64.0];
/// As wide as the second row's sliders: what stands after them stays where it is.
const SECOND: f32 = 592.0;

pub fn show(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let now = state.settings.magnify;
    let mut chosen = now;
    let fps = state
        .review
        .as_ref()
        .and_then(|r| r.measured_fps())
        .filter(|fps| *fps > 0.0);
    ui.spacing_mut().slider_width = SLIDER;
    ui.spacing_mut().interact_size.x = NUMBER;
    ui.spacing_mut().item_spacing = egui::vec2(theme::GAP, theme::GAP);
    line(ui, |ui| {
        column(ui, HEAD, Align::Min, |ui| {
            methods(ui, now.method, &mut chosen)
        });
        match now.method {
            MagnifyMethod::Evm => {
                let gain = Slider::new(&mut chosen.alpha, MagnifyView::GAIN);
                let tip = "α: so many times the change is added to the picture";
                slider(ui, 0, "Gain α", tip, "×", gain.fixed_decimals(1));
                let lambda = Slider::new(&mut chosen.lambda_c_px, MagnifyView::LAMBDA_C_PX);
                let tip = "λc: detail smaller than this many pixels is magnified less, so that \
                           noise and edges do not break up. At a large gain little else is left \
                           to it";
                let lambda = lambda.logarithmic(true).fixed_decimals(0);
                slider(ui, 1, "Finest detail", tip, " px", lambda);
            }
            MagnifyMethod::Glmm => {
                let gain = Slider::new(&mut chosen.sigma, MagnifyView::GAIN);
                let tip = "σ: so many times as far as it went the face is moved";
                slider(ui, 0, "Gain σ", tip, "×", gain.fixed_decimals(1));
            }
        }
        let first = MagnifyView {
            method: now.method,
            ..MagnifyView::default()
        };
        let reset = ui.add_enabled(now != first, Button::new("Reset"));
        if reset
            .on_hover_text("Gain, detail and band as they were at first")
            .clicked()
        {
            chosen = first;
        }
        if now.method == MagnifyMethod::Evm {
            aside(ui, "Detail smaller than this is magnified less.");
        }
    });
    line(ui, |ui| {
        match now.method {
            MagnifyMethod::Evm => band(ui, fps, &now, &mut chosen),
            MagnifyMethod::Glmm => column(ui, SECOND, Align::Min, |ui| {
                let text = "The face of up to half a second ago, moved further the way it went.";
                ui.add(Label::new(row::weak(ui, text)).truncate());
            }),
        }
        arrangement(ui, state, out);
        if now.method == MagnifyMethod::Evm {
            aside(ui, "Only change this fast is magnified.");
        }
    });
    let chosen = chosen.sane();
    if chosen != now {
        out.push(Command::Magnify(chosen));
    }
}

/// How the magnified picture stands to the original.
fn arrangement(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    let now = state.settings.arrangement;
    ComboBox::from_id_salt("arrangement")
        .selected_text(now.name())
        .width(104.0)
        .show_ui(ui, |ui| {
            for arrangement in Arrangement::ALL {
                let chosen = arrangement == now;
                if ui.selectable_label(chosen, arrangement.name()).clicked() {
                    out.push(Command::Arrange(arrangement));
                }
            }
        })
        .response
        .on_hover_text(format!(
            "How the magnified picture stands to the original: {}",
            keys::tip(ui, "Side by side, wiped, stacked")
        ));
}

fn methods(ui: &mut Ui, now: MagnifyMethod, chosen: &mut MagnifyView) {
    ui.spacing_mut().item_spacing.x = theme::GRID;
    for method in MagnifyMethod::ALL {
        let tip = match method {
            MagnifyMethod::Evm => {
                "Eulerian: change in a band of frequencies, made larger. For small motion of a \
                 still head; large motion turns into contours"
            }
            MagnifyMethod::Glmm => {
                "Lagrangian: the face of half a second ago, moved further. What it did not show, \
                 such as teeth or closed lids, does not appear"
            }
        };
        let button = Button::selectable(now == method, method.name());
        if ui
            .add(button.frame_when_inactive(true))
            .on_hover_text(tip)
            .clicked()
        {
            chosen.method = method;
        }
    }
}

/// Both bounds, at most half the frame rate: faster change is not in the recording.
fn band(ui: &mut Ui, fps: Option<f64>, now: &MagnifyView, chosen: &mut MagnifyView) {
    let most = *MagnifyView::BAND_HZ.end();
    let limit = fps.map_or(most, |fps| (0.5 * fps as f32).clamp(0.2, most));
    column(ui, HEAD, Align::Min, |ui| {
        let text = if fps.is_some() {
            format!("Band, at most {limit:.1} Hz")
        } else {
            "Band".to_owned()
        };
        ui.label(row::weak(ui, text)).on_hover_text(
            "How fast change is that is magnified, in times a second: a micro-expression comes \
             and goes at a few Hz. At most half the measured frame rate: faster change is not in \
             the recording",
        );
    });
    let range = *MagnifyView::BAND_HZ.start()..=limit;
    // What lies beyond the limit is shown at it and kept for a faster recording.
    let shown = (now.low_hz.min(limit), now.high_hz.min(limit));
    let (mut low, mut high) = shown;
    // A slider rounds what it shows to its two decimals, which is nobody's choice.
    let moved = |from: f32, to: f32| (to - from).abs() > 0.0051;
    let from = Slider::new(&mut low, range.clone()).logarithmic(true);
    let tip = "Slower change stays as it is; always below the other bound";
    let by_hand = slider(ui, 0, "from", tip, " Hz", from.fixed_decimals(2)).changed();
    if by_hand && moved(shown.0, low) {
        chosen.low_hz = low.min(0.9 * high);
    }
    let to = Slider::new(&mut high, range).logarithmic(true);
    let tip = "Faster change stays as it is; always above the other bound";
    let by_hand = slider(ui, 1, "to", tip, " Hz", to.fixed_decimals(2)).changed();
    if by_hand && moved(shown.1, high) {
        chosen.high_hz = high.max(low / 0.9).min(limit);
    }
}

/// What the sliders before it do, where the line has room for all of it.
fn aside(ui: &mut Ui, words: &str) {
    let weak = WidgetText::from(row::weak(ui, words));
    let galley = weak.into_galley(
        ui,
        Some(TextWrapMode::Extend),
        f32::INFINITY,
        FontSelection::Default,
    );
    if galley.size().x <= ui.available_width() {
        ui.label(galley);
    }
}

fn line(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    ui.allocate_ui_with_layout(
        egui::vec2(ui.available_width(), theme::CONTROL),
        Layout::left_to_right(Align::Center),
        contents,
    );
}

/// A piece of a line with its own width.
fn column<R>(ui: &mut Ui, width: f32, align: Align, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let layout = match align {
        Align::Max => Layout::right_to_left(Align::Center),
        _ => Layout::left_to_right(Align::Center),
    };
    ui.allocate_ui_with_layout(egui::vec2(width, theme::CONTROL), layout, |ui| {
        ui.set_width(width);
        contents(ui)
    })
    .inner
}

fn slider(
    ui: &mut Ui,
    at: usize,
    name: &str,
    tip: &str,
    unit: &str,
    slider: Slider<'_>,
) -> egui::Response {
    let label = column(ui, NAMES[at], Align::Max, |ui| {
        ui.label(row::weak(ui, name)).on_hover_text(tip)
    });
    let slider = ui.add(slider.suffix(unit)).labelled_by(label.id);
    slider.on_hover_text(tip)
}
