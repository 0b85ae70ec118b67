//! How fast it runs, how late it is, and on what.

use egui::{Label, RichText, TextStyle, Ui};

use crate::app::backend::{Machine, PROCESSOR};
use crate::app::command::Room;
use crate::app::panels::batch;
use crate::app::panels::picture::place;
use crate::app::panels::source::grouped;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};

/// One item of the strip.
struct Item {
    name: &'static str,
    value: String,
    tip: &'static str,
    warn: bool,
}

pub fn show(ui: &mut Ui, state: &AppState) {
    let p = Palette::current(ui);
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GRID;
        for item in items(state) {
            let ink = if item.warn { p.amber } else { p.text };
            let small = |t: &str| RichText::new(t).text_style(TextStyle::Small);
            if !item.name.is_empty() {
                ui.add(Label::new(small(item.name).color(p.weak)).extend())
                    .on_hover_text(item.tip);
            }
            ui.add(Label::new(small(&item.value).color(ink)).extend())
                .on_hover_text(item.tip);
            ui.add_space(theme::SECTION - theme::GRID);
        }
    });
}

/// Beside a queue what has come to its end says nothing of the one that runs.
fn concerns(state: &AppState, review: &Review) -> bool {
    let over = review.status.finished || review.recording.finished;
    state.settings.room != Room::Batch || !over
}

fn items(state: &AppState) -> Vec<Item> {
    let mut list = Vec::new();
    let earlier = state.review.as_ref().and_then(Review::analysed_earlier);
    let earlier = earlier.filter(|_| state.settings.room != Room::Batch);
    if let Some(value) = earlier {
        list.push(Item {
            name: "Analysed",
            value,
            tip: "Kept from then, so nothing is analysed now; the date is world time",
            warn: false,
        });
    } else if let Some(review) = state.review.as_ref().filter(|r| concerns(state, r)) {
        let s = &review.status;
        let live = review.session.info.live;
        let state_word = if s.failed.is_some() {
            Some("stopped")
        } else if s.finished || review.recording.finished {
            Some("finished")
        } else {
            None
        };
        list.push(Item {
            name: "Analysis",
            value: match (state_word, s.analysed_fps) {
                (Some(word), fps) if fps > 0.0 => format!("{word}, {fps:.1} frames/s"),
                (Some(word), _) => word.into(),
                (None, fps) if fps > 0.0 => format!("{fps:.1} frames/s"),
                (None, _) => "starting".into(),
            },
            tip: "Analysed frames a second, end to end",
            warn: s.failed.is_some(),
        });
        list.push(Item {
            name: "Runs on",
            value: review.session.device.clone(),
            tip: "Where motion is measured and the networks score",
            warn: false,
        });
        if let Some(ms) = s.latency_ms.filter(|_| live) {
            list.push(Item {
                name: "Latency",
                value: format!("{ms:.0} ms"),
                tip: "From the capture of a camera's picture to the end of its analysis",
                warn: false,
            });
        }
        if state_word.is_none() && s.decision_delay_secs > 0.0 {
            list.push(Item {
                name: "Decision delay",
                value: format!("{:.2} s", s.decision_delay_secs),
                tip: "From a movement to its final score: the frames that the decision has to \
                      wait for",
                warn: false,
            });
        }
        if live {
            list.push(Item {
                name: "Dropped",
                value: format!("{} frames", grouped(s.dropped)),
                tip: "Frames that a camera delivered and the analysis could not take; files lose \
                      none",
                warn: s.dropped > 0,
            });
        }
    }
    if let Some(review) = &state.review
        && review.views.led.is_some()
    {
        list.push(Item {
            name: "LED on",
            value: place(&review.views.led_device).to_owned(),
            tip: "Where the LED band-pass of the view runs",
            warn: false,
        });
    }
    if let Some(percent) = state.clip {
        list.push(Item {
            name: "Clip",
            value: format!("{percent} % written"),
            tip: "The clip that is exported; a notice says where it is when it is done",
            warn: false,
        });
    }
    if !state.batch.rows.is_empty() {
        list.push(Item {
            name: "Queue",
            value: batch::in_short(&state.batch),
            tip: "The recordings of the Batch room",
            warn: false,
        });
    }
    list.push(drawn_by(&state.machine));
    list
}

fn drawn_by(machine: &Machine) -> Item {
    Item {
        name: "Drawn by",
        value: match (&machine.adapter, machine.software) {
            (Some(name), true) => format!("{PROCESSOR} ({name})"),
            (Some(name), false) => name.clone(),
            (None, _) => PROCESSOR.to_owned(),
        },
        tip: "What draws this window. The processor draws slowly; repaints then give way to the \
              analysis",
        warn: machine.software || machine.adapter.is_none(),
    }
}
