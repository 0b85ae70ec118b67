//! Which panel the keys move: the one whose row in the menu, or whose title while panels are
//! arranged, has the focus.

use egui::{Context, Id, Response};

use super::Pane;

/// A moved panel's title is another control than before; the focus goes along for so many
/// passes.
const PASSES: u64 = 1;

#[derive(Debug, Clone, Copy)]
struct Held {
    control: Id,
    pane: Pane,
    /// A title, which goes where the panel goes.
    title: bool,
}

#[derive(Debug, Clone, Copy)]
struct Along {
    pane: Pane,
    until: u64,
}

fn held_by() -> Id {
    Id::unique("panel with the focus")
}

fn goes_along() -> Id {
    Id::unique("focus goes along with a panel")
}

/// After a panel's row is laid out.
pub fn row(row: &Response, pane: Pane) {
    hold(row, pane, false);
}

/// After a panel's title is laid out: a handle or a tab.
pub fn title(title: &Response, pane: Pane) {
    let ctx = &title.ctx;
    let along: Option<Along> = ctx.data(|d| d.get_temp(goes_along()));
    let now = ctx.cumulative_pass_nr();
    if along.is_some_and(|along| along.pane == pane && now <= along.until) {
        title.request_focus();
    }
    hold(title, pane, true);
}

fn hold(control: &Response, pane: Pane, title: bool) {
    if control.has_focus() {
        let held = Held {
            control: control.id,
            pane,
            title,
        };
        control.ctx.data_mut(|d| d.insert_temp(held_by(), held));
    }
}

fn held(ctx: &Context) -> Option<Held> {
    let held: Held = ctx.data(|d| d.get_temp(held_by()))?;
    let focused = ctx.memory(|m| m.focused());
    (focused == Some(held.control)).then_some(held)
}

/// The panel that the keys move; `None` where they do what they say.
#[must_use]
pub fn panel(ctx: &Context) -> Option<Pane> {
    held(ctx).map(|held| held.pane)
}

/// The panel is about to be moved: its title keeps the focus.
pub fn moves(ctx: &Context) {
    if let Some(held) = held(ctx).filter(|held| held.title) {
        let along = Along {
            pane: held.pane,
            until: ctx.cumulative_pass_nr() + PASSES,
        };
        ctx.data_mut(|d| d.insert_temp(goes_along(), along));
    }
}
