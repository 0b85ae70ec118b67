//! The list in which keys are changed.

use egui::{
    Align, Button, EventFilter, Label, Layout, Response, RichText, Role, ScrollArea, Ui,
    WidgetInfo, vec2,
};

use super::{help, sheet};
use crate::app::command::{Command, Sheet};
use crate::app::key_change::{KeyChange, KeyEdit};
use crate::app::key_name;
use crate::app::keys::Action;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::row;

/// Of the list and of the columns in it, points.
const WIDTH: f32 = 560.0;
const DOES: f32 = 216.0;
const KEY: f32 = 128.0;
const BUTTON: f32 = 88.0;

pub fn show(ui: &Ui, state: &AppState, out: &mut Vec<Command>) {
    let keys = &state.settings.keys;
    let head = (Sheet::ChangeKeys, "Change keys", WIDTH);
    sheet::long(ui, head, keys, out, |ui, out| {
        ui.horizontal(|ui| {
            let reset = ui.add_enabled(
                keys.changed().next().is_some(),
                Button::new("Reset all keys"),
            );
            if reset
                .on_disabled_hover_text("Every key is the default.")
                .clicked()
            {
                out.push(Command::Keys(KeyEdit::ResetAll));
            }
            ui.label(row::weak(
                ui,
                "While a key is waited for, Esc gives up and Backspace removes the key.",
            ));
        });
        ui.add_space(theme::GAP);
        ScrollArea::vertical()
            .auto_shrink([false, false])
            .show(ui, |ui| {
                let mut group = "";
                for action in Action::all() {
                    let next = action.binding().group;
                    if next != group {
                        row::section(ui, next);
                        group = next;
                    }
                    // A sentence under a row must not move the focus of those below.
                    ui.push_id(action.binding().id, |ui| line(ui, state, action, out));
                }
            });
    });
}

/// What it does, its key, and the buttons that change it; under it what is asked.
fn line(ui: &mut Ui, state: &AppState, action: Action, out: &mut Vec<Command>) {
    let p = Palette::current(ui);
    let keys = &state.settings.keys;
    let does = help::does(state, action);
    let change = ui
        .horizontal(|ui| {
            cell(ui, DOES, RichText::new(&does));
            let (text, ink) = match keys.key(action) {
                Some(key) => (key_name::name(&key), p.accent),
                None => ("no key".to_owned(), p.weak),
            };
            cell(ui, KEY, RichText::new(text).monospace().color(ink));
            let change = change(ui, state, (action, &does), out);
            let reset = Button::new("Reset").min_size(vec2(BUTTON - theme::GAP, 0.0));
            let reset = ui.add_enabled(keys.differs(action), reset);
            reset.widget_info(|| {
                let name = format!("Reset the key of {does}");
                WidgetInfo::labeled(Role::Button, keys.differs(action), name)
            });
            let default = key_name::name(&action.binding().default);
            if reset
                .on_hover_text(format!("Back to {default}"))
                .on_disabled_hover_text("This is the default.")
                .clicked()
            {
                out.push(Command::Keys(KeyEdit::Reset(action)));
            }
            change
        })
        .inner;
    if change.gained_focus() {
        change.scroll_to_me(None);
    }
    if let Some(sentence) = state.key_change.sentence(action) {
        asked(ui, state, &sentence, &change, out);
    }
}

fn cell(ui: &mut Ui, width: f32, text: RichText) {
    let size = vec2(width, theme::CONTROL);
    let layout = Layout::left_to_right(Align::Center);
    ui.allocate_ui_with_layout(size, layout, |ui| {
        ui.set_width(width);
        ui.add(Label::new(text).truncate());
    });
}

/// "Change", or that a key is waited for.
fn change(
    ui: &mut Ui,
    state: &AppState,
    (action, does): (Action, &str),
    out: &mut Vec<Command>,
) -> Response {
    let waits = state.key_change == KeyChange::Listening(action);
    let (text, name) = if waits {
        (
            "Press a key…",
            format!("Press the key that is to do: {does}"),
        )
    } else {
        ("Change", format!("Change the key of {does}"))
    };
    let button = Button::new(text)
        .selected(waits)
        .min_size(vec2(BUTTON, 0.0));
    let button = ui.add(button);
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, name.clone()));
    keep_keys(ui, &button, waits, out);
    if button.clicked() {
        let edit = if waits {
            KeyEdit::GiveUp
        } else {
            KeyEdit::Listen(action)
        };
        out.push(Command::Keys(edit));
    }
    button
}

/// The keys that usually move the focus are the button's while it waits; where something
/// else is worked on, it waits no longer.
fn keep_keys(ui: &Ui, button: &Response, waits: bool, out: &mut Vec<Command>) {
    let filter = EventFilter {
        tab: waits,
        horizontal_arrows: waits,
        vertical_arrows: waits,
        escape: waits,
    };
    let elsewhere = ui.memory_mut(|m| {
        m.set_focus_lock_filter(button.id, filter);
        m.focused().is_some_and(|id| id != button.id)
    });
    if waits && elsewhere {
        out.push(Command::Keys(KeyEdit::GiveUp));
    }
}

/// The sentence, and what can be answered to it.
fn asked(ui: &mut Ui, state: &AppState, sentence: &str, change: &Response, out: &mut Vec<Command>) {
    let amber = Palette::current(ui).amber;
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(sentence).color(amber));
        let mut answers = vec![("Leave it", KeyEdit::GiveUp)];
        if matches!(state.key_change, KeyChange::Taken { .. }) {
            answers.insert(0, ("Take it", KeyEdit::TakeAnyway));
        }
        for (text, edit) in answers {
            let button = ui.button(text);
            if button.clicked() {
                // Who answers by key goes on where they were.
                if button.has_focus() {
                    change.request_focus();
                }
                out.push(Command::Keys(edit));
            }
        }
    });
}
