//! What the panels need as they are shown now: what has nothing to show is away, handles and
//! bars of tabs take place. And where each of them stands then.

use egui::{Pos2, Rect, Vec2, vec2};
use egui_tiles::{Container, LinearDir, Tile, TileId, Tiles};

use super::fit::{self, Limits, Needs};
use super::{Pane, Panes, tidying};
use crate::app::state::AppState;
use crate::app::theme;

/// By which a panel is dragged, points.
pub const HANDLE: f32 = 24.0;
/// Of the bar in place of onset, apex and difference, with its margins, points.
pub const CLOSED: f32 = 36.0;
/// Of the buttons that judge a candidate, with the space above, points.
pub const JUDGE: f32 = theme::GAP + theme::CONTROL;

/// Of the panels together while nobody has seen them.
const UNSEEN: Vec2 = vec2(1280.0, 736.0);

/// How large a panel must and would be, points; `handle` says whether it has one.
#[must_use]
pub fn limits(state: &AppState, pane: Pane, handle: bool) -> Limits {
    let more = vec2(0.0, if handle { HANDLE } else { 0.0 });
    let closed = pane == Pane::Triptych && state.row_shows().is_none();
    let mut least = pane.least();
    if closed {
        least.y = CLOSED;
    }
    match pane {
        Pane::List if state.judges_under_what_moved() => least.y -= JUDGE,
        Pane::Moved if state.judges_under_what_moved() => least.y += JUDGE,
        _ => {}
    }
    least += more;
    Limits {
        least,
        usual: pane.usual() + more,
        exact_height: closed.then_some(least.y),
    }
}

/// Takes away what has nothing to show now, and says which that was.
pub fn without_empty(panes: &mut Panes, state: &AppState) -> Vec<TileId> {
    let empty = Pane::ALL
        .into_iter()
        .filter(|pane| state.nothing_in(*pane).is_some());
    let mut away: Vec<TileId> = empty.filter_map(|p| panes.tiles.find_pane(&p)).collect();
    away.retain(|id| panes.is_visible(*id));
    for id in &away {
        panes.set_visible(*id, false);
    }
    away
}

/// The tabs that have a bar: a panel alone needs none, unless it is to be dragged.
#[must_use]
pub fn bars(panes: &Panes, arranging: bool) -> Vec<TileId> {
    let least = if arranging { 1 } else { 2 };
    let tiles = &panes.tiles;
    let has_bar = |tile: &Tile<Pane>| match tile {
        Tile::Container(tabs @ Container::Tabs(_)) => fit::in_sight(tiles, tabs).len() >= least,
        _ => false,
    };
    let all = tiles.iter().filter(|(_, tile)| has_bar(tile));
    all.map(|(id, _)| *id).collect()
}

/// The panels that their tab moves: each that has one for itself.
#[must_use]
pub fn tabbed(panes: &Panes, bars: &[TileId]) -> Vec<TileId> {
    let alone = |mut id: TileId| {
        while let Some(container) = panes.tiles.get_container(id) {
            match fit::in_sight(&panes.tiles, container)[..] {
                [only] => id = only,
                _ => return None,
            }
        }
        Some(id)
    };
    below(panes, bars).filter_map(alone).collect()
}

/// The panels that touch the bar of their tabs.
#[must_use]
pub fn under_bars(panes: &Panes, bars: &[TileId]) -> Vec<TileId> {
    let mut touch = Vec::new();
    let mut next: Vec<TileId> = below(panes, bars).collect();
    while let Some(id) = next.pop() {
        match panes.tiles.get_container(id) {
            None => touch.push(id),
            Some(container) => {
                let children = fit::in_sight(&panes.tiles, container);
                let upright = matches!(container, Container::Linear(line)
                    if line.dir == LinearDir::Vertical);
                let first = if upright { 1 } else { children.len() };
                next.extend(children.into_iter().take(first));
            }
        }
    }
    touch
}

/// What stands in tabs that have a bar.
fn below(panes: &Panes, bars: &[TileId]) -> impl Iterator<Item = TileId> {
    let tabs = bars
        .iter()
        .filter_map(move |id| panes.tiles.get_container(*id));
    tabs.flat_map(Container::children_vec)
}

/// The least that an arrangement needs, points, once it is tidied up.
#[must_use]
pub fn least(state: &AppState, panes: &mut Panes, arranging: bool) -> Vec2 {
    panes.simplify(&tidying());
    let bars = bars(panes, arranging);
    let tabbed = tabbed(panes, &bars);
    let limits = |id, pane| limits(state, pane, arranging && !tabbed.contains(&id));
    let needs = Needs {
        of: &limits,
        bars: &bars,
    };
    needs.least(panes)
}

/// Whether there is room for panels after one was moved: other ones than before have tabs
/// and handles.
#[must_use]
pub fn fits(state: &AppState, mut panes: Panes, within: Vec2) -> bool {
    let least = least(state, &mut panes, state.arranges());
    least.x <= within.x && least.y <= within.y
}

impl AppState {
    /// How large all panels together are, points.
    pub(super) fn panels_size(&self) -> Vec2 {
        if self.panels_within == Vec2::ZERO {
            UNSEEN
        } else {
            self.panels_within
        }
    }

    /// The panels as they stand on the screen.
    pub(super) fn standing(&self) -> Standing {
        let mut panes = self.dock().panes().clone();
        let away = without_empty(&mut panes, self);
        let arranging = self.arranges();
        let bars = bars(&panes, arranging);
        let tabbed = tabbed(&panes, &bars);
        let limits = |id, pane| limits(self, pane, arranging && !tabbed.contains(&id));
        let needs = Needs {
            of: &limits,
            bars: &bars,
        };
        let fitted = needs.fit(&mut panes, self.panels_size());
        let mut places = Vec::new();
        if let Some(root) = panes.root {
            let area = Rect::from_min_size(Pos2::ZERO, self.panels_size());
            place(&panes.tiles, &bars, (root, area), &mut places);
        }
        fitted.undo(&mut panes, true);
        Standing {
            panes,
            away,
            places,
        }
    }
}

/// The panels before one is moved.
pub(super) struct Standing {
    /// With the lengths that they have on the screen.
    pub(super) panes: Panes,
    /// Hidden in them, for it has nothing to show now.
    pub(super) away: Vec<TileId>,
    /// Where each panel in sight stands, points.
    pub(super) places: Vec<(Pane, Rect)>,
}

/// Where the panels of a tile stand, which has this place; its lengths fill it.
fn place(
    tiles: &Tiles<Pane>,
    bars: &[TileId],
    (id, mut area): (TileId, Rect),
    places: &mut Vec<(Pane, Rect)>,
) {
    let container = match tiles.get(id) {
        Some(Tile::Pane(pane)) => {
            places.push((*pane, area));
            return;
        }
        Some(Tile::Container(container)) => container,
        None => return,
    };
    match container {
        Container::Linear(line) => {
            let along = fit::axis(line.dir);
            let mut at = area.min;
            for child in fit::in_sight(tiles, container) {
                let mut size = area.size();
                size[along] = line.shares[child];
                let area = Rect::from_min_size(at, size);
                place(tiles, bars, (child, area), places);
                at[along] += size[along] + fit::GAP;
            }
        }
        Container::Tabs(tabs) => {
            if bars.contains(&id) {
                area.min.y += fit::TAB_BAR;
            }
            if let Some(front) = tabs.next_active(tiles) {
                place(tiles, bars, (front, area), places);
            }
        }
        // An arrangement with a grid is not read.
        Container::Grid(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui_tiles::Linear;

    #[test]
    fn what_was_dropped_onto_another_needs_a_bar_and_no_handles() {
        let state = AppState::default();
        let mut tiles = Tiles::default();
        let both = [Pane::Source, Pane::Picture].map(|pane| tiles.insert_pane(pane));
        let line = Linear::new(LinearDir::Vertical, both.to_vec());
        let root = tiles.insert_container(line);
        let mut panes = Panes::new(egui::Id::unique("dropped"), root, tiles);
        let sum = Pane::Source.least().y + Pane::Picture.least().y + fit::GAP;
        assert_eq!(
            least(&state, &mut panes.clone(), true).y,
            sum + 2.0 * HANDLE
        );
        let tabs = panes.tiles.insert_tab_tile(both.to_vec());
        panes.root = Some(tabs);
        let one = Pane::Source.least().y.max(Pane::Picture.least().y);
        assert_eq!(least(&state, &mut panes, true).y, one + fit::TAB_BAR);
    }

    #[test]
    fn a_panel_with_a_tab_for_itself_has_no_handle_and_two_in_one_tab_have_one_each() {
        let state = AppState::default();
        let mut panes = state.dock().panes().clone();
        let tile = |pane| state.dock().panes().tiles.find_pane(&pane).unwrap();
        let all = bars(&panes, true);
        let tabs = tabbed(&panes, &all);
        assert!(tabs.contains(&tile(Pane::Log)) && !tabs.contains(&tile(Pane::List)));
        assert!(!tabs.contains(&tile(Pane::Moved)));
        let under = under_bars(&panes, &all);
        assert!(under.contains(&tile(Pane::List)) && !under.contains(&tile(Pane::Moved)));
        // As in the Live room, which has no list.
        panes.set_visible(tile(Pane::List), false);
        assert!(tabbed(&panes, &all).contains(&tile(Pane::Moved)));
        assert!(under_bars(&panes, &all).contains(&tile(Pane::Moved)));
    }

    #[test]
    fn the_panels_stand_where_the_layout_of_the_room_has_them() {
        let state = AppState::default();
        let places = state.standing().places;
        let of = |pane: Pane| {
            let found = places.iter().find(|(this, _)| *this == pane);
            found.map(|(_, area)| *area)
        };
        let at = |pane: Pane| of(pane).unwrap();
        assert_eq!(at(Pane::Source).min, Pos2::ZERO);
        assert_eq!(
            at(Pane::Picture).left(),
            at(Pane::Source).right() + fit::GAP
        );
        assert_eq!(at(Pane::Timeline).bottom(), UNSEEN.y);
        assert_eq!(at(Pane::List).top(), fit::TAB_BAR);
        assert_eq!(at(Pane::Moved).top(), at(Pane::List).bottom() + fit::GAP);
        assert_eq!(at(Pane::Moved).max, UNSEEN.to_pos2());
        assert_eq!(of(Pane::Log), None, "behind the list");
    }
}
