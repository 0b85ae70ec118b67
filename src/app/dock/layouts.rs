//! The three layouts, of the three people the window is made for.

use egui_tiles::{Linear, LinearDir, TileId, Tiles};

use super::{Dock, Pane, Panes};
use crate::app::command::Room;

/// Whose work a layout is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    Psychologist,
    Demonstrator,
    Annotator,
}

/// In place of a length: as much as is left.
const REST: f32 = 600.0;
/// The height of the timeline where the tiers of coders stand over its curves.
const CODED: f32 = 288.0;
/// The length of what nobody has given one yet.
pub(super) const UNSET: f32 = 1.0;

impl Layout {
    pub const ALL: [Self; 3] = [Self::Psychologist, Self::Demonstrator, Self::Annotator];

    /// As a person reads it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Psychologist => "Psychologist: review",
            Self::Demonstrator => "Demonstrator: live",
            Self::Annotator => "Annotator: code",
        }
    }

    /// The one that a room begins with.
    #[must_use]
    pub const fn of(room: Room) -> Self {
        match room {
            Room::Review | Room::Batch => Self::Psychologist,
            Room::Annotate => Self::Annotator,
            Room::Live => Self::Demonstrator,
        }
    }

    /// Every pane in its place; some are hidden.
    #[must_use]
    pub fn dock(self) -> Dock {
        let mut tiles = Tiles::default();
        let panes = Pane::ALL.map(|pane| tiles.insert_pane(pane));
        let [
            source,
            picture,
            triptych,
            timeline,
            list,
            moved,
            log,
            settings,
        ] = panes;
        let column = LinearDir::Vertical;
        let row = LinearDir::Horizontal;
        // A coder needs the picture as large as it gets: the source comes beside the list,
        // which has all of the column; what the networks say is not asked for.
        let coding = self == Self::Annotator;
        let side = if coding {
            tiles.set_visible(moved, false);
            tiles.insert_tab_tile(vec![list, moved, source, log, settings])
        } else {
            let list = line(&mut tiles, column, &[(list, UNSET), (moved, UNSET)]);
            tiles.insert_tab_tile(vec![list, log, settings])
        };
        let under = [(picture, REST), (triptych, Pane::Triptych.usual().y)];
        let usual = Pane::Timeline.usual().y;
        let timeline = (timeline, if coding { CODED } else { usual });
        let left = if coding {
            line(&mut tiles, column, &[under[0], under[1], timeline])
        } else {
            let centre = line(&mut tiles, column, &under);
            let source = (source, Pane::Source.usual().x);
            let above = line(&mut tiles, row, &[source, (centre, REST)]);
            line(&mut tiles, column, &[(above, REST), timeline])
        };
        // As high as the window.
        let side = (side, Pane::List.usual().x);
        let root = line(&mut tiles, row, &[(left, REST), side]);
        if self != Self::Psychologist {
            tiles.set_visible(source, false);
            tiles.set_visible(triptych, false);
        }
        Dock::new(Panes::new(id(), root, tiles))
    }
}

/// Of every tree; which of its tiles is dragged is kept by it.
pub(super) fn id() -> egui::Id {
    egui::Id::unique("panels")
}

fn line(tiles: &mut Tiles<Pane>, dir: LinearDir, parts: &[(TileId, f32)]) -> TileId {
    let mut line = Linear::new(dir, parts.iter().map(|part| part.0).collect());
    for (tile, length) in parts {
        line.shares.set_share(*tile, *length);
    }
    tiles.insert_container(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui_tiles::Tile;

    #[test]
    fn every_layout_holds_every_pane_once_and_the_three_differ() {
        for layout in Layout::ALL {
            let dock = layout.dock();
            let tiles = &dock.panes().tiles;
            for pane in Pane::ALL {
                let here = |tile: &&Tile<Pane>| matches!(tile, Tile::Pane(p) if *p == pane);
                assert_eq!(tiles.tiles().filter(here).count(), 1, "{layout:?} {pane:?}");
            }
            // Nothing is left to tidy up: an arrangement that nobody changes stays equal.
            assert_eq!(Dock::new(dock.panes().clone()), dock);
            for other in Layout::ALL {
                assert_eq!(
                    layout == other,
                    dock == other.dock(),
                    "{layout:?} {other:?}"
                );
            }
        }
    }

    #[test]
    fn only_who_reviews_begins_with_the_source_and_the_row_under_the_picture() {
        for layout in Layout::ALL {
            let dock = layout.dock();
            let reviewing = layout == Layout::Psychologist;
            assert_eq!(dock.in_sight(Pane::Source), reviewing);
            assert_eq!(dock.in_sight(Pane::Triptych), reviewing);
            for pane in [Pane::Picture, Pane::Timeline, Pane::List] {
                assert!(dock.in_sight(pane), "{layout:?} {pane:?}");
            }
            // What the networks say is not asked for while one codes.
            assert_eq!(dock.shows(Pane::Moved), layout != Layout::Annotator);
            let under = dock.right_under(Pane::List, Pane::Moved);
            assert_eq!(under, layout != Layout::Annotator);
        }
    }
}
