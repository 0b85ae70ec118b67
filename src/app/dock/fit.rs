//! How long each panel is: as long as a person made it, never less than it needs, and the
//! picture takes what is left; in a column without it, the list over what moved does. A window that grows and shrinks again leaves the lengths as
//! they were.

use egui::{Vec2, vec2};
use egui_tiles::{Container, LinearDir, Tile, TileId, Tiles};

use super::layouts::UNSET;
use super::{Pane, Panes};

/// Between two panels; the divider is drawn in it.
pub const GAP: f32 = 1.0;
/// Over panels in tabs.
pub const TAB_BAR: f32 = 36.0;

/// How large a tile must and would be, in points.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    pub least: Vec2,
    /// Where nobody has given it a length yet.
    pub usual: Vec2,
    /// Neither more nor less, in a column.
    pub exact_height: Option<f32>,
}

impl Pane {
    /// Less cannot be used.
    #[must_use]
    pub const fn least(self) -> Vec2 {
        match self {
            Self::Source => vec2(184.0, 160.0),
            Self::Picture => vec2(240.0, 160.0),
            Self::Triptych => vec2(320.0, 112.0),
            Self::Timeline => vec2(480.0, 216.0),
            Self::List | Self::Log | Self::Settings => vec2(264.0, 216.0),
            Self::Moved => vec2(264.0, 120.0),
        }
    }

    #[must_use]
    pub const fn usual(self) -> Vec2 {
        match self {
            Self::Source => vec2(232.0, 320.0),
            Self::Picture => vec2(480.0, 320.0),
            Self::Triptych => vec2(480.0, 160.0),
            Self::Timeline => vec2(640.0, 272.0),
            Self::List | Self::Moved | Self::Log | Self::Settings => vec2(296.0, 320.0),
        }
    }
}

/// What the tiles of an arrangement need.
pub struct Needs<'a> {
    pub of: &'a dyn Fn(TileId, Pane) -> Limits,
    /// The tabs that have a bar.
    pub bars: &'a [TileId],
}

/// What was set in place of the kept lengths.
#[derive(Debug, Default)]
pub struct Fitted(Vec<(TileId, Vec<Part>)>);

#[derive(Debug)]
struct Part {
    tile: TileId,
    kept: f32,
    set: f32,
    exact: bool,
}

impl Fitted {
    /// Gives the kept lengths back wherever nobody has dragged a divider. Where a panel has
    /// been moved (`moved`), those on the screen stay: only they fit together; what nobody
    /// has given a length has none still. What a divider gave to a bar of one height goes to
    /// the panel under it.
    pub fn undo(self, panes: &mut Panes, moved: bool) {
        for (line, parts) in self.0 {
            let Some(Tile::Container(Container::Linear(line))) = panes.tiles.get_mut(line) else {
                continue;
            };
            for pair in parts.windows(2) {
                let [bar, under] = pair else { continue };
                let more = line.shares[bar.tile] - bar.set;
                // The divider under the bar takes it from the same panel.
                let from_above = line.shares[under.tile] == under.set;
                if bar.exact && more > 0.0 && from_above && !moved {
                    line.shares.set_share(under.tile, under.set + more);
                }
            }
            let still = |part: &&Part| line.children.contains(&part.tile);
            let changed = |part: &Part| !part.exact && line.shares[part.tile] != part.set;
            let dragged = parts.iter().filter(still).any(changed);
            let stays = |part: &Part| dragged || (moved && part.kept > UNSET);
            let back: Vec<&Part> = parts
                .iter()
                .filter(still)
                .filter(|part| part.exact || !stays(part))
                .collect();
            for part in back {
                line.shares.set_share(part.tile, part.kept);
            }
        }
    }
}

impl Needs<'_> {
    /// Sets the length of every tile in sight, so that all fill `size` together.
    pub fn fit(&self, panes: &mut Panes, size: Vec2) -> Fitted {
        let mut fitted = Fitted::default();
        if let Some(root) = panes.root {
            self.fit_tile(&mut panes.tiles, root, size, &mut fitted);
        }
        fitted
    }

    /// The least that the whole arrangement needs.
    #[must_use]
    pub fn least(&self, panes: &Panes) -> Vec2 {
        let root = panes.root;
        root.map_or(Vec2::ZERO, |root| self.limits(&panes.tiles, root).least)
    }

    fn fit_tile(&self, tiles: &mut Tiles<Pane>, id: TileId, size: Vec2, fitted: &mut Fitted) {
        let Some(Tile::Container(container)) = tiles.get(id) else {
            return;
        };
        let children = in_sight(tiles, container);
        let Container::Linear(line) = container else {
            let size = size - vec2(0.0, self.bar(id));
            for child in children {
                self.fit_tile(tiles, child, size, fitted);
            }
            return;
        };
        let along = axis(line.dir);
        let mut wishes: Vec<Wish> = children
            .iter()
            .map(|child| self.wish(tiles, *child, line.shares[*child], line.dir))
            .collect();
        let what_moved = |id: &TileId| tiles.get_pane(id) == Some(&Pane::Moved);
        let column = line.dir == LinearDir::Vertical;
        // What moved is as high as what is in it, and the list beside it takes the rest.
        if column && children.iter().any(what_moved) && !wishes.iter().any(|wish| wish.fills) {
            let list = |id: &TileId| holds(tiles, *id, Pane::List);
            if let Some(list) = children.iter().position(list) {
                wishes[list].fills = true;
            }
        }
        let kept: Vec<f32> = children.iter().map(|child| line.shares[*child]).collect();
        let lengths = lengths(&wishes, size[along] - gaps(children.len()));
        let parts = (0..children.len()).map(|i| Part {
            tile: children[i],
            kept: kept[i],
            set: lengths[i],
            exact: wishes[i].exact,
        });
        fitted.0.push((id, parts.collect()));
        if let Some(Tile::Container(Container::Linear(line))) = tiles.get_mut(id) {
            for (child, length) in children.iter().zip(&lengths) {
                line.shares.set_share(*child, *length);
            }
        }
        for (child, length) in children.into_iter().zip(lengths) {
            let mut inner = size;
            inner[along] = length;
            self.fit_tile(tiles, child, inner, fitted);
        }
    }

    fn wish(&self, tiles: &Tiles<Pane>, id: TileId, share: f32, dir: LinearDir) -> Wish {
        let limits = self.limits(tiles, id);
        let along = axis(dir);
        let exact = limits.exact_height.filter(|_| dir == LinearDir::Vertical);
        Wish {
            // What has just been dropped has the share that every tile has by default.
            length: if share > UNSET {
                share
            } else {
                limits.usual[along]
            },
            least: exact.unwrap_or(limits.least[along]),
            exact: exact.is_some(),
            fills: holds(tiles, id, Pane::Picture),
        }
    }

    fn limits(&self, tiles: &Tiles<Pane>, id: TileId) -> Limits {
        let container = match tiles.get(id) {
            Some(Tile::Pane(pane)) => return (self.of)(id, *pane),
            Some(Tile::Container(container)) => container,
            None => return Limits::default(),
        };
        let children = in_sight(tiles, container);
        let all = children.iter().map(|child| self.limits(tiles, *child));
        let along = match container {
            Container::Linear(line) => Some(axis(line.dir)),
            Container::Tabs(_) | Container::Grid(_) => None,
        };
        let together = |sum: Vec2, one: Vec2| {
            let mut larger = sum.max(one);
            if let Some(along) = along {
                larger[along] = sum[along] + one[along];
            }
            larger
        };
        let mut limits = all.fold(Limits::default(), |sum, one| Limits {
            least: together(sum.least, one.least),
            usual: together(sum.usual, one.usual),
            exact_height: None,
        });
        let mut more = vec2(0.0, self.bar(id));
        if let Some(along) = along {
            more[along] += gaps(children.len());
        }
        limits.least += more;
        limits.usual += more;
        limits
    }

    fn bar(&self, id: TileId) -> f32 {
        if self.bars.contains(&id) {
            TAB_BAR
        } else {
            0.0
        }
    }
}

/// Where both lengths of a vector stand.
pub(super) const fn axis(dir: LinearDir) -> usize {
    match dir {
        LinearDir::Horizontal => 0,
        LinearDir::Vertical => 1,
    }
}

fn gaps(tiles: usize) -> f32 {
    GAP * tiles.saturating_sub(1) as f32
}

/// The children that are given a place.
#[must_use]
pub fn in_sight(tiles: &Tiles<Pane>, container: &Container) -> Vec<TileId> {
    let children = container.children().copied();
    children
        .filter(|child| tiles.is_visible_in_layout(*child))
        .collect()
}

fn holds(tiles: &Tiles<Pane>, id: TileId, pane: Pane) -> bool {
    match tiles.get(id) {
        Some(Tile::Pane(this)) => *this == pane,
        Some(Tile::Container(container)) => {
            container.children().any(|child| holds(tiles, *child, pane))
        }
        None => false,
    }
}

struct Wish {
    length: f32,
    least: f32,
    exact: bool,
    /// Takes what the others leave.
    fills: bool,
}

/// One length a wish, `available` together. Where even the least is too much, each gives
/// up the same part.
fn lengths(wishes: &[Wish], available: f32) -> Vec<f32> {
    let filler = wishes.iter().position(|wish| wish.fills);
    let mut lengths: Vec<f32> = wishes
        .iter()
        .map(|wish| match wish {
            wish if wish.exact || wish.fills => wish.least,
            wish => wish.length.max(wish.least).round(),
        })
        .collect();
    let left = available - lengths.iter().sum::<f32>();
    if left < 0.0 {
        let spare: f32 = lengths.iter().zip(wishes).map(|(l, w)| l - w.least).sum();
        if spare > 0.0 {
            let part = (-left / spare).min(1.0);
            for (length, wish) in lengths.iter_mut().zip(wishes) {
                *length -= part * (*length - wish.least);
            }
        }
        let sum: f32 = lengths.iter().sum();
        if sum > available {
            let part = available.max(0.0) / sum;
            lengths.iter_mut().for_each(|length| *length *= part);
        }
    } else if filler.is_none() {
        let grows = |wish: &Wish| !wish.exact;
        let pairs = lengths.iter().zip(wishes);
        let growing: f32 = pairs.filter(|(_, w)| grows(w)).map(|(l, _)| l).sum();
        if growing > 0.0 {
            let factor = 1.0 + left / growing;
            for (length, wish) in lengths.iter_mut().zip(wishes) {
                if grows(wish) {
                    *length *= factor;
                }
            }
        }
    }
    // Whole points, or letters blur; one takes what is left of them.
    let last = (wishes.iter().rposition(|wish| !wish.exact)).unwrap_or(wishes.len().max(1) - 1);
    let takes = filler.unwrap_or(last);
    lengths
        .iter_mut()
        .for_each(|length| *length = length.floor());
    let rest = available - lengths.iter().sum::<f32>();
    if let Some(length) = lengths.get_mut(takes) {
        *length = (*length + rest).max(0.0);
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::dock::{Dock, Layout};

    fn wish(length: f32, least: f32) -> Wish {
        Wish {
            length,
            least,
            exact: false,
            fills: false,
        }
    }

    fn picture(least: f32) -> Wish {
        Wish {
            fills: true,
            ..wish(1.0, least)
        }
    }

    #[test]
    fn the_picture_takes_what_the_others_leave() {
        let wishes = [wish(232.0, 184.0), picture(240.0), wish(296.0, 264.0)];
        assert_eq!(lengths(&wishes, 1278.0), [232.0, 750.0, 296.0]);
        assert_eq!(lengths(&wishes, 1918.0), [232.0, 1390.0, 296.0]);
        // The others give way before the picture does.
        let squeezed = lengths(&wishes, 728.0);
        assert_eq!(squeezed.iter().sum::<f32>(), 728.0);
        assert!(squeezed[1] >= 240.0, "{squeezed:?}");
        assert!((184.0..232.0).contains(&squeezed[0]) && squeezed[2] >= 264.0);
        // In half of what is needed everybody has half.
        assert_eq!(lengths(&wishes, 344.0), [92.0, 120.0, 132.0]);
    }

    #[test]
    fn without_the_picture_all_grow_and_a_bar_stays_a_bar() {
        let bar = Wish {
            exact: true,
            ..wish(160.0, 36.0)
        };
        let wishes = [wish(200.0, 100.0), bar, wish(100.0, 100.0)];
        assert_eq!(lengths(&wishes, 636.0), [400.0, 36.0, 200.0]);
        assert_eq!(lengths(&[wish(9.0, 4.0)], 500.0), [500.0]);
        assert_eq!(lengths(&[], 500.0), [0.0; 0]);
    }

    fn of(_: TileId, pane: Pane) -> Limits {
        Limits {
            least: pane.least(),
            usual: pane.usual(),
            exact_height: None,
        }
    }

    const NEEDS: Needs<'static> = Needs { of: &of, bars: &[] };

    #[test]
    fn a_fitted_arrangement_is_kept_as_it_was_unless_a_divider_was_dragged() {
        let dock = Layout::Psychologist.dock();
        let mut panes = dock.panes().clone();
        let fitted = NEEDS.fit(&mut panes, vec2(960.0, 576.0));
        assert_ne!(Dock::new(panes.clone()), dock);
        fitted.undo(&mut panes, false);
        assert_eq!(Dock::new(panes.clone()), dock);
        let fitted = NEEDS.fit(&mut panes, vec2(1280.0, 736.0));
        let root = panes.root.unwrap();
        let Some(Tile::Container(Container::Linear(line))) = panes.tiles.get_mut(root) else {
            panic!("a row");
        };
        let side = line.children[1];
        assert_eq!(line.shares[side], 296.0);
        line.shares.set_share(side, 320.0);
        fitted.undo(&mut panes, false);
        let wider = Dock::new(panes);
        assert_ne!(wider, dock);
        let Some(Container::Linear(line)) = wider.panes().tiles.get_container(root) else {
            panic!("a row");
        };
        assert_eq!(line.shares[side], 320.0);
    }

    #[test]
    fn what_moved_is_as_high_as_what_is_in_it_and_the_list_above_takes_the_rest() {
        let high = |id, pane| Limits {
            usual: vec2(296.0, if pane == Pane::Moved { 250.0 } else { 320.0 }),
            ..of(id, pane)
        };
        let needs = Needs {
            of: &high,
            bars: &[],
        };
        let dock = Layout::Psychologist.dock();
        let heights = |panes: &mut Panes, all: f32| {
            let fitted = needs.fit(panes, vec2(1280.0, all));
            let tile = |pane| panes.tiles.find_pane(&pane).unwrap();
            let (list, moved) = (tile(Pane::List), tile(Pane::Moved));
            let column = panes.tiles.parent_of(list).unwrap();
            let Some(Container::Linear(line)) = panes.tiles.get_container(column) else {
                panic!("a column");
            };
            let shares = (line.shares[list], line.shares[moved]);
            fitted.undo(panes, false);
            shares
        };
        let mut panes = dock.panes().clone();
        assert_eq!(heights(&mut panes, 701.0), (450.0, 250.0));
        assert_eq!(heights(&mut panes, 901.0), (650.0, 250.0));
        // The list is never lower than it can be used.
        assert_eq!(heights(&mut panes, 337.0), (216.0, 120.0));
        assert_eq!(Dock::new(panes.clone()), dock);
        // Hidden, it takes no place.
        let moved = panes.tiles.find_pane(&Pane::Moved).unwrap();
        panes.set_visible(moved, false);
        assert_eq!(heights(&mut panes, 701.0).0, 701.0);
    }

    #[test]
    fn the_divider_above_a_closed_bar_moves_the_panel_under_it() {
        const BAR: f32 = 36.0;
        let closed = |id, pane| Limits {
            exact_height: (pane == Pane::Triptych).then_some(BAR),
            ..of(id, pane)
        };
        let needs = Needs {
            of: &closed,
            bars: &[],
        };
        let mut dock = Layout::Annotator.dock();
        dock.show(Pane::Triptych, true);
        // So many points from the first to the second.
        let dragged = |from: Pane, to: Pane| {
            let mut panes = dock.panes().clone();
            let fitted = needs.fit(&mut panes, vec2(1280.0, 736.0));
            let tile = |panes: &Panes, pane: Pane| panes.tiles.find_pane(&pane).unwrap();
            let (from, to) = (tile(&panes, from), tile(&panes, to));
            let (bar, timeline) = (tile(&panes, Pane::Triptych), tile(&panes, Pane::Timeline));
            let column = panes.tiles.parent_of(bar).unwrap();
            let Some(Tile::Container(Container::Linear(line))) = panes.tiles.get_mut(column) else {
                panic!("a column");
            };
            let (before, kept) = (line.shares[timeline], dock.panes());
            line.shares[from] -= 20.0;
            line.shares[to] += 20.0;
            fitted.undo(&mut panes, false);
            let shares = |panes: &Panes| match panes.tiles.get_container(column) {
                Some(Container::Linear(line)) => (line.shares[bar], line.shares[timeline]),
                _ => panic!("a column"),
            };
            let (of_bar, of_timeline) = shares(&panes);
            assert_eq!(of_bar, shares(kept).0);
            of_timeline - before
        };
        assert_eq!(dragged(Pane::Picture, Pane::Triptych), 20.0);
        assert_eq!(dragged(Pane::Timeline, Pane::Triptych), -20.0);
        assert_eq!(dragged(Pane::Picture, Pane::Timeline), 20.0);
    }

    #[test]
    fn every_layout_fits_the_smallest_window_with_all_its_panels_shown() {
        for layout in Layout::ALL {
            let mut dock = layout.dock();
            for pane in Pane::ALL {
                dock.show(pane, true);
            }
            let least = NEEDS.least(dock.panes());
            // Beside the bars above and below, with three handles over each other.
            assert!(least.x <= 960.0, "{layout:?} {least}");
            assert!(least.y <= 640.0 - 64.0 - 3.0 * 24.0, "{layout:?} {least}");
        }
    }
}
