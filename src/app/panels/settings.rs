//! What the next analysis does and how the window looks.

use std::path::Path;

use egui::{
    Button, ComboBox, DragValue, Id, Label, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo,
};

use crate::app::command::{Command, DialogKind, Sheet};
use crate::app::emotions::{EmotionLabels, typed};
use crate::app::keys;
use crate::app::palette::Colours;
use crate::app::second_look::able;
use crate::app::settings::ThemeChoice;
use crate::app::state::{AppState, JUMPS};
use crate::app::theme;
use crate::app::widgets::row;
use crate::motion::heat::Heat;
use crate::motion::tvl1::Tvl1Preset;
use crate::nn::shipped;
use crate::session::Params;
use crate::session::params::{DecodeMode, DeviceChoice, Speaker, SpotterChoice};
use crate::spotting::ExpressionKind;

/// In which colours strain, attention and the second look's matrices are drawn.
const HEATS: [(Heat, &str, &str); 3] = [
    (
        Heat::Viridis,
        Heat::Viridis.name(),
        "Strain and attention from violet to yellow",
    ),
    (
        Heat::Cividis,
        Heat::Cividis.name(),
        "Strain and attention from blue to yellow, for eyes that do not tell red from green",
    ),
    (
        Heat::Inferno,
        Heat::Inferno.name(),
        "Strain and attention from black to pale yellow: what is weak steps back",
    ),
];

/// Width of the names at the left, points.
const TITLE: f32 = 60.0;

pub fn show(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            choose(
                ui,
                "Look",
                &ThemeChoice::ALL.map(|t| (t, t.name(), "")),
                state.settings.theme,
                |t| out.push(Command::Theme(t)),
            );
            colours(ui, state.settings.colours, out);
            choose(ui, "Heat maps", &HEATS, state.settings.heat, |h| {
                out.push(Command::Heat(h));
            });
            jump(ui, state.settings.jump_frames, out);
            sheets(ui, state, out);
            let params = &state.settings.params;
            choose(
                ui,
                "Decoding",
                &[
                    (
                        DecodeMode::Default,
                        "Default",
                        "A quiet recording yields nothing",
                    ),
                    (
                        DecodeMode::Compat,
                        "As published",
                        "The paper's rule, as its code does it",
                    ),
                ],
                params.decode,
                |d| out.push(Command::Decode(d)),
            );
            let spotters = spotters(params);
            if spotters.len() > 1 {
                choose(ui, "Scores by", &spotters, params.spotter, |s| {
                    out.push(Command::Spotter(s));
                });
            }
            choose(
                ui,
                "Flow",
                &[
                    (
                        Tvl1Preset::Exact,
                        "Exact",
                        "TV-L1 until it rests: the default",
                    ),
                    (
                        Tvl1Preset::Live,
                        "Live",
                        "Fewer steps: nearly the same candidates, for a slow machine",
                    ),
                ],
                params.flow,
                |f| out.push(Command::Flow(f)),
            );
            choose(
                ui,
                "Runs on",
                &[
                    (
                        DeviceChoice::Auto,
                        "Auto",
                        "What is fastest on this machine",
                    ),
                    (DeviceChoice::Gpu, "GPU", "The graphics card"),
                    (DeviceChoice::Cpu, "CPU", "The processor"),
                ],
                params.device,
                |d| out.push(Command::Device(d)),
            );
            weights(ui, state, ExpressionKind::Micro, out);
            weights(ui, state, ExpressionKind::Macro, out);
            second_look(ui, params, out);
            emotions(ui, state, out);
            ui.add_space(theme::SECTION);
            ui.add(
                Label::new(row::weak(
                    ui,
                    "Decoding, scores, flow, device and weights hold for the next analysis.",
                ))
                .wrap(),
            );
            let path = state.review.as_ref().map(|r| &r.session.info.path);
            if path.is_some_and(Option::is_some) {
                ui.add_space(theme::GRID);
                if ui
                    .button("Analyse again")
                    .on_hover_text("Opens the recording anew with these settings")
                    .clicked()
                {
                    out.push(Command::AnalyseAgain);
                }
            }
        });
}

/// For whose eyes the meanings are coloured.
fn colours(ui: &mut Ui, now: Colours, out: &mut Vec<Command>) {
    named(ui, "Colours", |ui| {
        let list = ComboBox::from_id_salt("colours")
            .selected_text(now.name())
            .width(ui.available_width())
            .truncate()
            .show_ui(ui, |ui| {
                for colours in Colours::ALL {
                    let choice = ui.selectable_label(colours == now, colours.name());
                    if choice.clicked() && colours != now {
                        out.push(Command::Colours(colours));
                    }
                }
            });
        let label = format!("Colours: {}", now.name());
        (list.response).widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, label.clone()));
        list.response
            .on_hover_text("Kinds, annotations, warnings and errors, so that you see them apart");
    });
}

/// How far the keys of a jump go.
fn jump(ui: &mut Ui, now: u32, out: &mut Vec<Command>) {
    named(ui, "Jump", |ui| {
        let mut frames = now;
        let field = DragValue::new(&mut frames).range(JUMPS).suffix(" frames");
        let field = ui.add(field);
        field.widget_info(|| {
            let label = format!("Frames of a jump: {now}");
            WidgetInfo::labeled(Role::SpinButton, true, label)
        });
        let keys = keys::current(ui).fill("{Jump on} and {Jump back} go so many frames");
        field.on_hover_text(keys);
        if frames != now {
            out.push(Command::JumpBy(frames));
        }
    });
}

/// What opens over the window.
fn sheets(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    ui.add_space(theme::GRID);
    ui.horizontal(|ui| {
        let changed = match state.settings.keys.changed().count() {
            0 => "Every key is the default".to_owned(),
            1 => "1 key is not the default".to_owned(),
            n => format!("{n} keys are not the default"),
        };
        if ui.button("Change keys…").on_hover_text(changed).clicked() {
            out.push(Command::Show(Sheet::ChangeKeys));
        }
        if ui
            .button("About Onset…")
            .on_hover_text("Version, weights, licences")
            .clicked()
        {
            out.push(Command::Show(Sheet::About));
        }
    });
}

/// The control signal, and the networks whose weights are at hand.
fn spotters(params: &Params) -> Vec<(SpotterChoice, &'static str, &'static str)> {
    let has = |name: &str| shipped::bytes(name).is_some();
    let softnets = ExpressionKind::BOTH.map(|kind| has(shipped::softnet(kind.name())));
    let mut spotters = Vec::new();
    if has(shipped::MOTION_TCN) || params.tcn_weights.is_some() {
        let tip = "The course of the motion over the whole face";
        spotters.push((SpotterChoice::MotionTcn, "MotionTCN", tip));
    }
    if softnets == [true; 2] {
        let tip = "The published network, a flow window at a time";
        spotters.push((SpotterChoice::SoftNet, "SOFTNet", tip));
    }
    let tip = "The control signal: no network";
    spotters.push((SpotterChoice::Control, "Strain", tip));
    spotters
}

/// A name at the left and what can be chosen at the right of it.
fn choose<T: Copy + PartialEq>(
    ui: &mut Ui,
    title: &str,
    options: &[(T, &str, &str)],
    now: T,
    mut pick: impl FnMut(T),
) {
    named(ui, title, |ui| {
        for (value, name, tip) in options {
            let mut response = ui.add(Button::selectable(*value == now, *name));
            if !tip.is_empty() {
                response = response.on_hover_text(*tip);
            }
            if response.clicked() && *value != now {
                pick(*value);
            }
        }
    });
}

/// A name at the left and a control at the right of it.
fn named(ui: &mut Ui, title: &str, control: impl FnOnce(&mut Ui)) {
    ui.add_space(theme::GRID);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GRID;
        let name = Label::new(row::weak(ui, title));
        let size = egui::vec2(TITLE, ui.spacing().interact_size.y);
        let left = egui::Layout::left_to_right(egui::Align::Center);
        ui.allocate_ui_with_layout(size, left, |ui| {
            ui.set_width(TITLE);
            ui.add(name);
        });
        control(ui);
    });
}

/// The networks that look at each candidate besides.
fn second_look(ui: &mut Ui, params: &Params, out: &mut Vec<Command>) {
    row::section(ui, "Second look");
    if params.second_look.is_empty() {
        ui.add(Label::new("Nobody looks at candidates besides AU-Flow.").wrap());
    }
    for (at, path) in params.second_look.iter().enumerate() {
        ui.horizontal(|ui| {
            let name = file_name(path);
            let remove = ui.button("Remove");
            remove.widget_info(|| {
                let label = format!("Remove {name} from the second look");
                WidgetInfo::labeled(Role::Button, true, label)
            });
            if remove.clicked() {
                let mut left = params.second_look.clone();
                left.remove(at);
                out.push(Command::SecondLookWeights(left));
            }
            ui.add(Label::new(&name).truncate())
                .on_hover_text(path.display().to_string());
        });
    }
    let tip = format!(
        "What other networks say of the same candidate: {}, or MoExt's rebuilding of the apex. \
         `onset compare --train DIR --keep FOLDER` trains and keeps their weights",
        able()
    );
    if ui.button("Add weights…").on_hover_text(tip).clicked() {
        out.push(Command::AskForInput(DialogKind::SecondLookWeights));
    }
}

/// What may be chosen as an emotion when coding.
fn emotions(ui: &mut Ui, state: &AppState, out: &mut Vec<Command>) {
    row::section(ui, "Emotion labels");
    let now = &state.settings.emotions;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GRID;
        let own = match now {
            EmotionLabels::Own(_) => now.clone(),
            other => EmotionLabels::Own(other.labels()),
        };
        for labels in [
            EmotionLabels::Three,
            EmotionLabels::Casme2,
            EmotionLabels::Samm,
            own,
        ] {
            let on = labels.name() == now.name();
            let button = ui.add(Button::selectable(on, labels.name()));
            if button.on_hover_text(labels.labels().join(", ")).clicked() && !on {
                out.push(Command::Emotions(labels));
            }
        }
    });
    let EmotionLabels::Own(labels) = now else {
        return;
    };
    // Kept as typed until the field is left: a comma at the end is no label yet.
    let id = Id::unique("own emotions");
    let kept: Option<String> = ui.data(|d| d.get_temp(id));
    let mut text = kept.unwrap_or_else(|| labels.join(", "));
    let field = TextEdit::singleline(&mut text)
        .hint_text(row::weak(ui, "labels, with commas between them"))
        .desired_width(f32::INFINITY);
    let field = ui.add(field);
    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Own emotion labels"));
    if field.has_focus() {
        ui.data_mut(|d| d.insert_temp(id, text));
    } else {
        if field.lost_focus() {
            out.push(Command::Emotions(EmotionLabels::Own(typed(&text))));
        }
        ui.data_mut(|d| d.remove::<String>(id));
    }
}

fn file_name(path: &Path) -> String {
    let name = path.file_name();
    name.map_or_else(
        || path.display().to_string(),
        |n| n.to_string_lossy().into_owned(),
    )
}

fn weights(ui: &mut Ui, state: &AppState, kind: ExpressionKind, out: &mut Vec<Command>) {
    let (title, path, dialog) = match kind {
        ExpressionKind::Micro => (
            "Score of micro-expressions",
            &state.settings.params.micro_weights,
            DialogKind::MicroWeights,
        ),
        ExpressionKind::Macro => (
            "Score of macro-expressions",
            &state.settings.params.macro_weights,
            DialogKind::MacroWeights,
        ),
    };
    row::section(ui, title);
    let text = match state.settings.params.speaker(kind) {
        Speaker::MotionTcn(None) => format!("MotionTCN, weights {}", shipped::MOTION_TCN),
        Speaker::MotionTcn(Some(path)) => format!("MotionTCN, weights {}", file_name(path)),
        Speaker::SoftNet(None) => format!("SOFTNet, weights {}", shipped::softnet(kind.name())),
        Speaker::SoftNet(Some(path)) => format!("SOFTNet, weights {}", file_name(path)),
        Speaker::Control => "Control signal: strain over the regions, no network".into(),
    };
    let label = ui.add(Label::new(RichText::new(text)).wrap());
    if let Some(path) = path {
        label.on_hover_text(path.display().to_string());
    }
    ui.horizontal(|ui| {
        if ui.button("Choose SOFTNet weights…").clicked() {
            out.push(Command::AskForInput(dialog));
        }
        if path.is_some() && ui.button("Without them").clicked() {
            out.push(Command::Weights(kind, None));
        }
    });
}
