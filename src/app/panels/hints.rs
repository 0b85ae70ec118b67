//! The first run: three hints above the picture, gone for good once read.

use egui::{Align, Layout, Ui};

use crate::app::command::Command;
use crate::app::keymap::Keymap;
use crate::app::theme;
use crate::app::widgets::row;

/// No tour: what one needs for the first minute.
const HINTS: [&str; 3] = [
    "{Play or pause} plays; {Previous frame} and {Next frame} go one frame.",
    "Click the timeline to go there; the wheel zooms.",
    "{Next candidate} goes to the next candidate, {Attention over the face} shows where the \
     network looked; {Accept} accepts, {Reject} rejects.",
];

pub fn show(ui: &mut Ui, keys: &Keymap, out: &mut Vec<Command>) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if ui.button("Got it").clicked() {
            out.push(Command::HintsSeen);
        }
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.add_space(theme::GRID);
            for hint in HINTS {
                ui.label(row::weak(ui, keys.fill(hint)));
            }
        });
    });
}
