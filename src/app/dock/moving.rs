//! A panel is moved one step, as keys and the menu do it: past its neighbour, out of its
//! tabs, to the edge of the window, or into tabs with another panel.

use egui_tiles::LinearDir;

use super::needs::{self, Standing};
use super::steps::{into_tabs, to_side};
use super::{Dock, Pane};
use crate::app::command::Room;
use crate::app::state::AppState;

/// Why a panel that was moved stays where it was.
pub const NO_ROOM: &str = "There is no room for the panels like that. Make the window larger, hide a \
                           panel, or put this one into tabs with another one.";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
    Above,
    Below,
}

impl Side {
    /// Of a line in which something stands on this side.
    pub(super) const fn dir(self) -> LinearDir {
        match self {
            Self::Left | Self::Right => LinearDir::Horizontal,
            Self::Above | Self::Below => LinearDir::Vertical,
        }
    }

    /// It comes after what it stands beside.
    pub(super) const fn after(self) -> bool {
        matches!(self, Self::Right | Self::Below)
    }

    /// As a person reads it.
    const fn of(self) -> &'static str {
        match self {
            Self::Left => "left of",
            Self::Right => "right of",
            Self::Above => "above",
            Self::Below => "below",
        }
    }

    const fn edge(self) -> &'static str {
        match self {
            Self::Left => "the left edge",
            Self::Right => "the right edge",
            Self::Above => "the top",
            Self::Below => "the bottom",
        }
    }
}

/// Where a panel is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    To(Side),
    /// With the next panel that it is not in tabs with.
    IntoTabs,
}

impl Way {
    pub const ALL: [Self; 5] = [
        Self::To(Side::Left),
        Self::To(Side::Right),
        Self::To(Side::Above),
        Self::To(Side::Below),
        Self::IntoTabs,
    ];

    /// What the keys call it.
    #[must_use]
    pub const fn does(self) -> &'static str {
        match self {
            Self::To(Side::Left) => "Panel to the left",
            Self::To(Side::Right) => "Panel to the right",
            Self::To(Side::Above) => "Panel up",
            Self::To(Side::Below) => "Panel down",
            Self::IntoTabs => "Panel into tabs",
        }
    }
}

/// Where a panel has come to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    Beside(Side, Pane),
    /// Of all panels together.
    AtEdge(Side),
    InTabsWith(Pane),
}

impl Stands {
    /// As what can be done: "Left of Picture".
    #[must_use]
    pub fn order(self, room: Room) -> String {
        match self {
            Self::Beside(side, pane) => {
                let mut words = format!("{} {}", side.of(), pane.name(room));
                words[..1].make_ascii_uppercase();
                words
            }
            Self::AtEdge(side) => format!("To {}", side.edge()),
            Self::InTabsWith(pane) => format!("Into tabs with {}", pane.name(room)),
        }
    }

    /// What has happened, as a sentence.
    fn sentence(self, moved: Pane, room: Room) -> String {
        let moved = moved.name(room);
        match self {
            Self::Beside(side, pane) => format!(
                "The panel {moved} now stands {} {}.",
                side.of(),
                pane.name(room)
            ),
            Self::AtEdge(side) => format!("The panel {moved} now stands at {}.", side.edge()),
            Self::InTabsWith(pane) => format!(
                "The panel {moved} now stands in tabs with {}, in front.",
                pane.name(room)
            ),
        }
    }
}

impl AppState {
    /// The room's arrangement with a panel moved one step, and where it stands in it; else a
    /// sentence on why it cannot be moved.
    pub fn step(&self, pane: Pane, way: Way) -> Result<(Dock, Stands), String> {
        let name = pane.name(self.settings.room);
        if let Some(why) = self.nothing_in(pane) {
            return Err(why.to_owned());
        }
        if !self.dock().shows(pane) {
            return Err(format!("The panel {name} is hidden: show it first."));
        }
        // What has nothing to show is nobody's neighbour.
        let Standing {
            mut panes,
            away,
            places,
        } = self.standing();
        let stands = match way {
            Way::To(side) => to_side(&mut panes, &places, pane, side)
                .ok_or_else(|| format!("The panel {name} stands at {} already.", side.edge()))?,
            Way::IntoTabs => into_tabs(&mut panes, &places, pane)
                .ok_or("There is no other panel to stand in tabs with.")?,
        };
        if !needs::fits(self, panes.clone(), self.panels_size()) {
            return Err(NO_ROOM.to_owned());
        }
        for id in away {
            panes.set_visible(id, true);
        }
        Ok((Dock::new(panes), stands))
    }

    /// Moves a panel one step and says what has come of it.
    pub(super) fn move_panel(&mut self, pane: Option<Pane>, way: Way) -> String {
        let Some(pane) = pane.filter(|_| self.docked()) else {
            return self.settings.keys.fill(
                "Go to a panel in the menu Panels, or to its title while panels are arranged; then \
                 {Panel to the left} and the like move it.",
            );
        };
        match self.step(pane, way) {
            Ok((dock, stands)) => {
                *self.dock_mut() = dock;
                stands.sentence(pane, self.settings.room)
            }
            Err(why) => why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::dock::{DockCommand, Docks};
    use egui::{Rect, vec2};
    use egui_tiles::Tile;

    const LEFT: Way = Way::To(Side::Left);
    const RIGHT: Way = Way::To(Side::Right);
    const UP: Way = Way::To(Side::Above);
    const DOWN: Way = Way::To(Side::Below);

    /// Moves it where that is possible; what is said of it.
    fn go(state: &mut AppState, pane: Pane, way: Way) -> String {
        match state.step(pane, way) {
            Ok((dock, stands)) => {
                *state.dock_mut() = dock;
                stands.sentence(pane, Room::Review)
            }
            Err(why) => why,
        }
    }

    fn at(state: &AppState, pane: Pane) -> Rect {
        let places = state.standing().places;
        let place = places.iter().find(|(this, _)| *this == pane);
        place.unwrap().1
    }

    #[test]
    fn a_panel_goes_past_its_neighbours_and_then_to_the_edge_of_all() {
        let mut state = AppState::default();
        let said = go(&mut state, Pane::Source, RIGHT);
        assert_eq!(said, "The panel Source now stands right of Picture.");
        let (source, picture) = (at(&state, Pane::Source), at(&state, Pane::Picture));
        assert!(source.left() > picture.right() && source.top() == picture.top());
        let said = go(&mut state, Pane::Source, RIGHT);
        assert_eq!(said, "The panel Source now stands right of Candidates.");
        assert!(at(&state, Pane::Source).left() > at(&state, Pane::Moved).right());
        let said = go(&mut state, Pane::Source, RIGHT);
        assert_eq!(said, "The panel Source stands at the right edge already.");
        let said = go(&mut state, Pane::Source, UP);
        assert_eq!(said, "The panel Source now stands at the top.");
        assert!(at(&state, Pane::Source).bottom() < at(&state, Pane::List).top());
        let said = go(&mut state, Pane::Source, UP);
        assert_eq!(said, "The panel Source stands at the top already.");
        let said = go(&mut state, Pane::Source, DOWN);
        assert_eq!(said, "The panel Source now stands below Picture.");
        let (source, picture) = (at(&state, Pane::Source), at(&state, Pane::Picture));
        assert!(source.top() > picture.bottom() && source.left() == picture.left());
    }

    #[test]
    fn a_panel_leaves_its_tabs_and_goes_from_tabs_to_tabs() {
        let mut state = AppState::default();
        let said = go(&mut state, Pane::Log, LEFT);
        assert_eq!(said, "The panel Log now stands left of Candidates.");
        assert!(at(&state, Pane::Log).right() < at(&state, Pane::List).left());
        let said = go(&mut state, Pane::Log, Way::IntoTabs);
        let with = "The panel Log now stands in tabs with Source, in front.";
        assert_eq!(said, with);
        assert!(state.dock().in_sight(Pane::Log) && !state.dock().in_sight(Pane::Source));
        let said = go(&mut state, Pane::Log, Way::IntoTabs);
        assert_eq!(said, with.replace("Source", "Picture"));
        assert!(state.dock().in_sight(Pane::Source) && !state.dock().in_sight(Pane::Picture));
        let said = go(&mut state, Pane::Log, DOWN);
        assert_eq!(said, "The panel Log now stands below Picture.");
        assert!(at(&state, Pane::Log).top() > at(&state, Pane::Picture).bottom());
    }

    #[test]
    fn what_moved_goes_over_the_list_in_the_same_tab_and_then_out_of_it() {
        let mut state = AppState::default();
        let said = go(&mut state, Pane::Moved, UP);
        assert_eq!(said, "The panel What moved now stands above Candidates.");
        assert!(state.dock().right_under(Pane::Moved, Pane::List));
        let said = go(&mut state, Pane::Moved, LEFT);
        assert_eq!(said, "The panel What moved now stands left of Candidates.");
        state.arrange_panels(DockCommand::Toggle(Pane::Log));
        state.arrange_panels(DockCommand::Toggle(Pane::Log));
        assert!(state.dock().in_sight(Pane::Log) && !state.dock().in_sight(Pane::List));
        assert!(
            state.dock().in_sight(Pane::Moved),
            "the tabs hide it no more"
        );
    }

    #[test]
    fn a_hidden_panel_and_one_without_room_stay_and_that_is_said() {
        let mut state = AppState::default();
        state.arrange_panels(DockCommand::Toggle(Pane::Source));
        let before = state.settings.docks.clone();
        let said = go(&mut state, Pane::Source, RIGHT);
        assert_eq!(said, "The panel Source is hidden: show it first.");
        state.panels_within = vec2(700.0, 480.0);
        assert_eq!(go(&mut state, Pane::Log, LEFT), NO_ROOM);
        assert_eq!(state.settings.docks, before);
        // Nothing is open.
        assert!(state.move_panel(Some(Pane::Log), LEFT).contains("Alt+Left"));
        assert_eq!(state.settings.docks, before);
    }

    #[test]
    fn whatever_is_moved_every_panel_is_there_once_and_the_file_keeps_it() {
        let mut state = AppState::default();
        for pane in Pane::ALL.into_iter().chain(Pane::ALL.into_iter().rev()) {
            for way in Way::ALL {
                let moves = state.step(pane, way).is_ok();
                let said = go(&mut state, pane, way);
                let tiles = &state.dock().panes().tiles;
                for pane in Pane::ALL {
                    let here = |tile: &&Tile<Pane>| matches!(tile, Tile::Pane(p) if *p == pane);
                    assert_eq!(tiles.tiles().filter(here).count(), 1, "{said} {pane:?}");
                }
                let again = Dock::new(state.dock().panes().clone());
                assert_eq!(again, *state.dock(), "{said}: nothing is left to tidy up");
                assert!(state.dock().is_measured(), "{said}");
                assert!(!moves || state.dock().in_sight(pane), "{said}");
            }
        }
        let docks = &state.settings.docks;
        let file = serde_json::to_value(docks).unwrap();
        let (back, said) = Docks::read(&file);
        assert_eq!(said, Vec::<String>::new());
        let written = |docks: &Docks| format!("{:?}", docks.of(Room::Review).panes());
        assert_eq!(written(&back), written(docks));
    }
}
