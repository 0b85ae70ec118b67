//! What is typed while the field for units is behind a mark that waits. It is the field's: it
//! comes to it once it is open, key by key, so that what follows Enter does what it says.

use std::collections::VecDeque;

use egui::{Context, Event};

use super::coder::Coded;
use super::command::Command;
use super::state::AppState;
use crate::base::Notice;

/// The field has taken the keys after so many passes, or is not on the screen.
const PASSES: u8 = 4;

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Stage {
    /// The field is behind the mark.
    #[default]
    Held,
    /// It takes the keys, for so many passes.
    Opening(u8),
    Open,
}

/// Keys and text in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct TypedAhead {
    events: VecDeque<Event>,
    stage: Stage,
}

impl TypedAhead {
    /// Keeps what is typed too early and gives it back in its time; before the keys are read.
    pub(super) fn pass(&mut self, ctx: &Context, state: &AppState, out: &mut Vec<Command>) {
        let held = state.units_wait();
        // A field that has the keys already keeps them.
        let elsewhere = held && ctx.memory(|m| m.focused().is_some());
        if elsewhere || (!held && self.events.is_empty()) {
            return;
        }
        // While the mark waits, Esc may only close what lies over the window.
        if self.keep(ctx, state) && !held {
            self.events.clear();
        }
        self.stage = match self.stage {
            _ if held => Stage::Held,
            Stage::Held if state.entering_units => Stage::Opening(1),
            // The mark was given up, which has been said.
            Stage::Held => {
                self.events.clear();
                return;
            }
            Stage::Opening(PASSES) if state.entering_units => {
                self.events.clear();
                out.push(Command::Code(Coded::UnitsEntered));
                out.push(Command::Say(Notice::info(
                    "What was typed for the action units is forgotten: their field is not on the \
                     screen. The Annotate room has it.",
                )));
                return;
            }
            Stage::Opening(passes) if state.entering_units => Stage::Opening(passes + 1),
            Stage::Opening(_) | Stage::Open => Stage::Open,
        };
        if self.stage == Stage::Open
            && let Some(event) = self.events.pop_front()
        {
            ctx.input_mut(|input| input.events.push(event));
        }
        if !held {
            ctx.request_repaint();
        }
    }

    /// Whether all of it is given up.
    fn keep(&mut self, ctx: &Context, state: &AppState) -> bool {
        let (keys, room) = (&state.settings.keys, state.settings.room);
        let mut given_up = false;
        ctx.input_mut(|input| {
            input.events.retain(|event| {
                let typed = match event {
                    Event::Key {
                        key,
                        pressed: true,
                        modifiers,
                        ..
                    } => {
                        let action = keys.at(*key, *modifiers, room);
                        let command = action.map(|a| (a.binding().command)());
                        let gives_up = matches!(command, Some(Command::Escape));
                        given_up |= gives_up;
                        !gives_up
                    }
                    Event::Text(_) | Event::Paste(_) => true,
                    _ => false,
                };
                if typed {
                    self.events.push_back(event.clone());
                }
                !typed
            });
        });
        given_up
    }
}
