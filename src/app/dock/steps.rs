//! What one step of a panel does to the tree of tiles.

use egui::Rect;
use egui_tiles::{Container, Linear, LinearDir, Tabs, Tile, TileId, Tiles};

use super::layouts::UNSET;
use super::{Pane, Panes, Side, Stands, fit};

/// Panels whose gaps differ by less are equally near, points.
const AS_NEAR: f32 = 2.0;
/// Panels with less in common along an edge are no neighbours, points.
const IN_COMMON: f32 = 1.0;

/// Past the neighbour on that side; out of its tabs where it has none in them; to the edge of
/// all panels where it has none at all. `None` where it stands there already.
pub(super) fn to_side(
    panes: &mut Panes,
    places: &[(Pane, Rect)],
    pane: Pane,
    side: Side,
) -> Option<Stands> {
    let id = panes.tiles.find_pane(&pane)?;
    let mut inner = id;
    loop {
        let tiles = &panes.tiles;
        let tabs = tabs_around(tiles, inner);
        let within = |other: &Pane| {
            let other = tiles.find_pane(other);
            other.is_some_and(|other| tabs.is_none_or(|tabs| holds(tiles, tabs, other)))
        };
        if let Some(next) = neighbour(places, pane, side, within) {
            let whole = whole(tiles, tiles.find_pane(&next)?, id);
            beside(panes, id, whole, side);
            return Some(Stands::Beside(side, next));
        }
        let Some(tabs) = tabs else { break };
        if let Some(front) = front(tiles, tabs, pane) {
            beside(panes, id, tabs, side);
            return Some(Stands::Beside(side, front));
        }
        // It is alone in them.
        inner = tabs;
    }
    to_edge(panes, id, side)
}

/// The nearest panel on a side, of several the one with the most in common.
fn neighbour(
    places: &[(Pane, Rect)],
    pane: Pane,
    side: Side,
    within: impl Fn(&Pane) -> bool,
) -> Option<Pane> {
    let here = places.iter().find(|(this, _)| *this == pane)?.1;
    let gap = |other: Rect| match side {
        Side::Left => here.left() - other.right(),
        Side::Right => other.left() - here.right(),
        Side::Above => here.top() - other.bottom(),
        Side::Below => other.top() - here.bottom(),
    };
    let in_common = |other: Rect| {
        let common = here.intersect(other);
        match side.dir() {
            LinearDir::Horizontal => common.height(),
            LinearDir::Vertical => common.width(),
        }
    };
    let there = |(other, area): &&(Pane, Rect)| {
        *other != pane && within(other) && gap(*area) > -1.0 && in_common(*area) > IN_COMMON
    };
    let all: Vec<&(Pane, Rect)> = places.iter().filter(there).collect();
    let nearest = all.iter().map(|(_, area)| gap(*area)).reduce(f32::min)?;
    let near = all
        .into_iter()
        .filter(|(_, area)| gap(*area) < nearest + AS_NEAR);
    // The first of two that have as much.
    near.rev()
        .max_by(|(_, a), (_, b)| in_common(*a).total_cmp(&in_common(*b)))
        .map(|(other, _)| *other)
}

/// `None` where it stands there already.
fn to_edge(panes: &mut Panes, id: TileId, side: Side) -> Option<Stands> {
    let root = panes.root?;
    let mut whole = root;
    let container = panes.tiles.get_container(root)?;
    if let Container::Linear(line) = container
        && line.dir == side.dir()
    {
        let shown = fit::in_sight(&panes.tiles, container);
        let end = |all: &[TileId]| {
            let end = if side.after() {
                all.last()
            } else {
                all.first()
            };
            end.copied()
        };
        if end(&shown) == Some(id) {
            return None;
        }
        whole = end(&line.children)?;
    }
    beside(panes, id, whole, side);
    Some(Stands::AtEdge(side))
}

/// With the next panel, in the order of [`Pane::ALL`] and round again. `None` where there is
/// none.
pub(super) fn into_tabs(panes: &mut Panes, places: &[(Pane, Rect)], pane: Pane) -> Option<Stands> {
    let tiles = &panes.tiles;
    let id = tiles.find_pane(&pane)?;
    let own = tiles.parent_of(id).filter(|up| are_tabs(tiles, *up));
    let place = |this: Pane| Pane::ALL.iter().position(|pane| *pane == this);
    // Where in the order a tile stands: with the first of its panels.
    let order = |tile: TileId| {
        let mut all = Pane::ALL.into_iter().filter(|other| *other != pane);
        all.find(|other| {
            let other = tiles.find_pane(other);
            other.is_some_and(|other| tiles.is_visible(other) && holds(tiles, tile, other))
        })
    };
    let mut others: Vec<(Option<usize>, Pane, TileId)> = Vec::new();
    for (other, _) in places.iter().filter(|(other, _)| *other != pane) {
        let tile = tiles.find_pane(other)?;
        if own.is_some() && tiles.parent_of(tile) == own {
            continue;
        }
        let whole = whole(tiles, tile, id);
        if others.iter().all(|(_, _, known)| *known != whole) {
            others.push((order(whole).and_then(place), *other, whole));
        }
    }
    others.sort_by_key(|(order, ..)| *order);
    let here = own.and_then(order).map_or_else(|| place(pane), place);
    let after = others.iter().find(|(order, ..)| *order > here);
    let (_, front, whole) = *after.or(others.first())?;
    let tabs = if are_tabs(tiles, whole) {
        whole
    } else {
        wrap(panes, whole, |inner| {
            Container::Tabs(Tabs::new(vec![inner]))
        })?;
        whole
    };
    panes.move_tile_to_container(id, tabs, usize::MAX, false);
    Some(Stands::InTabsWith(front))
}

/// The tabs that something stands in, be it deep inside.
fn tabs_around(tiles: &Tiles<Pane>, mut id: TileId) -> Option<TileId> {
    loop {
        id = tiles.parent_of(id)?;
        if are_tabs(tiles, id) {
            return Some(id);
        }
    }
}

fn are_tabs(tiles: &Tiles<Pane>, id: TileId) -> bool {
    matches!(tiles.get_container(id), Some(Container::Tabs(_)))
}

fn holds(tiles: &Tiles<Pane>, id: TileId, inner: TileId) -> bool {
    id == inner
        || tiles
            .get_container(id)
            .is_some_and(|c| c.children().any(|child| holds(tiles, *child, inner)))
}

/// What is taken for one with a panel: all the tabs it stands in, unless the other one that
/// is to stand beside it does, too.
fn whole(tiles: &Tiles<Pane>, panel: TileId, other: TileId) -> TileId {
    let (mut whole, mut at) = (panel, panel);
    while let Some(up) = tiles.parent_of(at).filter(|up| !holds(tiles, *up, other)) {
        if are_tabs(tiles, up) {
            whole = up;
        }
        at = up;
    }
    whole
}

/// The panel that is seen first in a tile once another one has left it.
fn front(tiles: &Tiles<Pane>, id: TileId, without: Pane) -> Option<Pane> {
    let inner = |child: &TileId| front(tiles, *child, without);
    match tiles.get(id).filter(|_| tiles.is_visible(id))? {
        Tile::Pane(pane) => (*pane != without).then_some(*pane),
        Tile::Container(Container::Tabs(tabs)) => {
            let open = tabs.next_active(tiles);
            open.iter().chain(&tabs.children).find_map(inner)
        }
        Tile::Container(container) => container.children().find_map(inner),
    }
}

/// Puts a panel beside what does not hold it, or holds it and more in tabs.
fn beside(panes: &mut Panes, id: TileId, other: TileId, side: Side) {
    let dir = side.dir();
    let in_line = |tiles: &Tiles<Pane>, line: TileId| matches!(tiles.get_container(line), Some(Container::Linear(line)) if line.dir == dir);
    let parent = panes.tiles.parent_of(other);
    let (line, other) = match parent.filter(|up| in_line(&panes.tiles, *up)) {
        Some(line) => (line, other),
        None => {
            let around = |inner| {
                let mut line = Linear::new(dir, vec![inner]);
                line.shares.set_share(inner, UNSET);
                Container::Linear(line)
            };
            match wrap(panes, other, around) {
                Some(inner) => (other, inner),
                None => return,
            }
        }
    };
    let Some(Tile::Container(Container::Linear(parts))) = panes.tiles.get_mut(line) else {
        return;
    };
    if !parts.children.contains(&id) {
        parts.shares.set_share(id, UNSET);
    }
    let at = parts.children.iter().position(|child| *child == other);
    let at = at.unwrap_or(0) + usize::from(side.after());
    panes.move_tile_to_container(id, line, at, false);
}

/// Puts a container around a tile. It takes over the tile's id, and so its length and its
/// place among tabs; gives the tile's new one.
fn wrap(panes: &mut Panes, id: TileId, around: impl FnOnce(TileId) -> Container) -> Option<TileId> {
    // Before the tile's own is free.
    let inner = panes.tiles.next_free_id();
    let tile = panes.tiles.remove(id)?;
    panes.tiles.insert(inner, tile);
    panes.tiles.insert(id, Tile::Container(around(inner)));
    Some(inner)
}
