//! Which panels stand where: one arrangement a room, as a person has dragged it or as one
//! of three layouts has it. The lengths are kept in points, as the shares of
//! [`egui_tiles`]; [`fit`] makes them fill the window.

pub mod fit;
pub mod held;
mod layouts;
pub mod moving;
pub mod needs;
mod reading;
mod steps;

use std::collections::HashSet;
use std::sync::Arc;

use egui_tiles::{Container, LinearDir, SimplificationOptions, Tile, TileId, Tree};
use serde::Serialize;

pub use layouts::Layout;
pub use moving::{Side, Stands, Way};

use super::command::{Effect, Room, SideTab};
use super::state::AppState;
use crate::base::Notice;

/// Something that stands in a place of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pane {
    Source,
    Picture,
    /// Onset, frame on the screen, apex and difference.
    Triptych,
    /// The transport and, under it, the curves and tiers.
    Timeline,
    /// Candidates or annotations, by room.
    List,
    /// The action units of a moment or a candidate, and what else is said of it.
    Moved,
    Log,
    Settings,
}

impl Pane {
    pub const ALL: [Self; 8] = [
        Self::Source,
        Self::Picture,
        Self::Triptych,
        Self::Timeline,
        Self::List,
        Self::Moved,
        Self::Log,
        Self::Settings,
    ];

    /// As a person reads it.
    #[must_use]
    pub const fn name(self, room: Room) -> &'static str {
        match self {
            Self::Source => "Source",
            Self::Picture => "Picture",
            Self::Triptych => "Onset, apex and difference",
            Self::Timeline => "Timeline",
            Self::List => match room {
                Room::Review | Room::Live | Room::Batch => "Candidates",
                Room::Annotate => "Annotations",
            },
            Self::Moved => "What moved",
            Self::Log => "Log",
            Self::Settings => "Settings",
        }
    }

    /// What a room is there for, beside the picture.
    const fn first(room: Room) -> Self {
        match room {
            Room::Review | Room::Annotate | Room::Batch => Self::List,
            Room::Live => Self::Moved,
        }
    }

    const fn of(tab: SideTab, room: Room) -> Self {
        match tab {
            SideTab::Candidates => Self::first(room),
            SideTab::Log => Self::Log,
            SideTab::Settings => Self::Settings,
        }
    }
}

pub type Panes = Tree<Pane>;

/// What a drag may leave behind is tidied up alike wherever an arrangement is changed.
#[must_use]
pub fn tidying() -> SimplificationOptions {
    SimplificationOptions {
        flatten_tabs_in_tabs: true,
        ..SimplificationOptions::default()
    }
}

/// An arrangement that holds every pane once. Cheap to clone: the settings are cloned for
/// every command.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Dock(Arc<Panes>);

impl PartialEq for Dock {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Dock {
    /// A tree that was changed by hand, without what the change left behind.
    #[must_use]
    pub fn new(mut panes: Panes) -> Self {
        panes.simplify(&tidying());
        // Tabs that went up in others, and the lengths of what has gone elsewhere.
        let mut seen = HashSet::new();
        let mut next: Vec<TileId> = panes.root.into_iter().collect();
        while let Some(id) = next.pop() {
            if !seen.insert(id) {
                continue;
            }
            if let Some(Tile::Container(container)) = panes.tiles.get_mut(id) {
                let children = container.children_vec();
                if let Container::Linear(line) = container {
                    line.shares.retain(|id| children.contains(&id));
                }
                next.extend(children);
            }
        }
        let lost = panes.tiles.tile_ids().filter(|id| !seen.contains(id));
        for id in lost.collect::<Vec<_>>() {
            panes.tiles.remove(id);
            panes.set_visible(id, true);
        }
        Self(Arc::new(panes))
    }

    #[must_use]
    pub fn panes(&self) -> &Panes {
        &self.0
    }

    /// Every length is a number: another one would differ from itself at each repaint.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        self.0.tiles.tiles().all(|tile| match tile {
            Tile::Container(Container::Linear(line)) => {
                line.shares.iter().all(|(_, share)| share.is_finite())
            }
            _ => true,
        })
    }

    /// Not hidden, be it behind another tab.
    #[must_use]
    pub fn shows(&self, pane: Pane) -> bool {
        let tiles = &self.0.tiles;
        tiles
            .find_pane(&pane)
            .is_some_and(|id| self.0.is_visible(id))
    }

    /// Not hidden, nor behind another tab.
    #[must_use]
    pub fn in_sight(&self, pane: Pane) -> bool {
        self.0.root.is_some_and(|root| self.under(root, pane))
    }

    fn under(&self, id: TileId, pane: Pane) -> bool {
        let tiles = &self.0.tiles;
        tiles.is_visible(id)
            && match tiles.get(id) {
                Some(Tile::Pane(this)) => *this == pane,
                Some(Tile::Container(Container::Tabs(tabs))) => tabs
                    .next_active(tiles)
                    .is_some_and(|child| self.under(child, pane)),
                Some(Tile::Container(inner)) => {
                    inner.children().any(|child| self.under(*child, pane))
                }
                None => false,
            }
    }

    /// One stands right under the other in a column.
    #[must_use]
    pub fn right_under(&self, above: Pane, below: Pane) -> bool {
        let tiles = &self.0.tiles;
        let (Some(above), Some(below)) = (tiles.find_pane(&above), tiles.find_pane(&below)) else {
            return false;
        };
        let column = tiles
            .parent_of(above)
            .and_then(|id| tiles.get_container(id));
        let Some(column @ Container::Linear(line)) = column else {
            return false;
        };
        line.dir == LinearDir::Vertical
            && fit::in_sight(tiles, column)
                .windows(2)
                .any(|pair| pair == [above, below])
    }

    /// Hides it, or shows it in front. The picture cannot be hidden.
    fn show(&mut self, pane: Pane, shown: bool) {
        let shown = shown || pane == Pane::Picture;
        let panes = Arc::make_mut(&mut self.0);
        if let Some(id) = panes.tiles.find_pane(&pane) {
            panes.set_visible(id, shown);
        }
        if shown {
            self.turn_to(pane);
        }
    }

    /// Brings it before what lies in tabs with it.
    fn turn_to(&mut self, pane: Pane) {
        let panes = Arc::make_mut(&mut self.0);
        panes.make_active(|_, tile| matches!(tile, Tile::Pane(this) if *this == pane));
    }
}

/// The arrangements of the rooms that have panels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Docks {
    review: Dock,
    annotate: Dock,
    live: Dock,
}

impl Default for Docks {
    fn default() -> Self {
        let of = |room| Layout::of(room).dock();
        Self {
            review: of(Room::Review),
            annotate: of(Room::Annotate),
            live: of(Room::Live),
        }
    }
}

impl Docks {
    /// The room of many recordings has none of its own.
    #[must_use]
    pub const fn of(&self, room: Room) -> &Dock {
        match room {
            Room::Review | Room::Batch => &self.review,
            Room::Annotate => &self.annotate,
            Room::Live => &self.live,
        }
    }

    const fn of_mut(&mut self, room: Room) -> &mut Dock {
        match room {
            Room::Review | Room::Batch => &mut self.review,
            Room::Annotate => &mut self.annotate,
            Room::Live => &mut self.live,
        }
    }
}

#[derive(Debug, Clone)]
pub enum DockCommand {
    /// Gives every panel a handle, or takes the handles away.
    Arrange,
    /// What a person has dragged, and in which room.
    Dragged(Room, Dock),
    /// Hides a panel, or shows it; the picture is shown in any case.
    Toggle(Pane),
    /// Moves a panel one step; `None` is the one that has the focus, which the keys fill in.
    Move(Option<Pane>, Way),
    /// How large all panels together are on the screen, points.
    Within(egui::Vec2),
    Take(Layout),
    /// The room's own layout.
    Reset,
}

impl AppState {
    /// Something is open whose panels stand where a person wants them.
    #[must_use]
    pub fn docked(&self) -> bool {
        self.review.is_some() && self.settings.room != Room::Batch && !self.wants_a_camera()
    }

    /// The panels have handles.
    #[must_use]
    pub fn arranges(&self) -> bool {
        self.arranging && self.docked() && !self.demonstrates()
    }

    /// The arrangement of the room.
    #[must_use]
    pub fn dock(&self) -> &Dock {
        self.settings.docks.of(self.settings.room)
    }

    pub(super) fn dock_mut(&mut self) -> &mut Dock {
        self.settings.docks.of_mut(self.settings.room)
    }

    /// Why a panel takes no place now.
    #[must_use]
    pub fn nothing_in(&self, pane: Pane) -> Option<&'static str> {
        let review = self.review.as_ref();
        let in_live = self.settings.room == Room::Live;
        match pane {
            Pane::Triptych if review.is_some_and(|r| r.session.info.live) => {
                Some("A camera that runs has no onset and apex to go back to.")
            }
            Pane::List if in_live => Some("Candidates are gone through in the room Review."),
            Pane::Moved if self.blind() => Some("A blind pass hides what the networks say."),
            // Where a camera runs, the panel says how to switch it on.
            Pane::Moved if !in_live && review.is_some_and(|r| !r.reads_units()) => {
                Some("Reading action units is switched off.")
            }
            _ => None,
        }
    }

    /// Who judges candidates has read what moved in them first, where that stands right
    /// under their list: the buttons come last.
    #[must_use]
    pub fn judges_under_what_moved(&self) -> bool {
        self.settings.room == Room::Review
            && self.nothing_in(Pane::Moved).is_none()
            && self.dock().right_under(Pane::List, Pane::Moved)
    }

    /// In front, wherever it stands.
    pub(super) fn show_tab(&mut self, tab: SideTab) {
        if self.docked() {
            let pane = Pane::of(tab, self.settings.room);
            self.dock_mut().show(pane, true);
        } else {
            self.tab = tab;
        }
    }

    /// What was opened begins with its list, unless that is hidden.
    pub(super) fn begin_with_the_list(&mut self) {
        self.tab = SideTab::Candidates;
        let first = Pane::first(self.settings.room);
        self.dock_mut().turn_to(first);
    }

    pub(super) fn arrange_panels(&mut self, command: DockCommand) -> Vec<Effect> {
        match command {
            DockCommand::Arrange if !self.docked() => {
                self.arranging = false;
                self.say(Notice::info(match self.review {
                    None => "Open a recording first; then its panels can be arranged.",
                    Some(_) => {
                        "There are no panels to arrange here. Those of the rooms Review and \
                         Annotate can be arranged."
                    }
                }));
                return vec![Effect::WakeAfter(8.1)];
            }
            DockCommand::Arrange => {
                self.arranging = !self.arranges();
                if self.arranging {
                    self.say(Notice::info(self.settings.keys.fill(
                        "Drag a panel by its title: beside, under or over another one, or onto \
                         its middle for tabs. Or go to a title with Tab; {Panel to the left} and \
                         the like move it. {Close, or deselect} ends arranging.",
                    )));
                    return vec![Effect::WakeAfter(8.1)];
                }
            }
            DockCommand::Dragged(room, dock) => *self.settings.docks.of_mut(room) = dock,
            DockCommand::Toggle(pane) => {
                let shown = self.dock().shows(pane);
                self.dock_mut().show(pane, !shown);
            }
            DockCommand::Move(pane, way) => {
                let said = self.move_panel(pane, way);
                self.notices.push_in_place(Notice::info(said), self.now);
                return vec![Effect::WakeAfter(8.1)];
            }
            DockCommand::Within(size) => self.panels_within = size,
            DockCommand::Take(layout) => *self.dock_mut() = layout.dock(),
            DockCommand::Reset => *self.dock_mut() = Layout::of(self.settings.room).dock(),
        }
        vec![]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_panels_come_back_in_front_and_the_picture_is_never_hidden() {
        let mut state = AppState::default();
        let toggle = |state: &mut AppState, pane| {
            state.apply(super::super::command::Command::Dock(DockCommand::Toggle(
                pane,
            )));
        };
        assert!(state.dock().in_sight(Pane::Source));
        toggle(&mut state, Pane::Source);
        assert!(!state.dock().shows(Pane::Source));
        toggle(&mut state, Pane::Picture);
        assert!(state.dock().in_sight(Pane::Picture));
        // Behind the list, in its tabs.
        assert!(state.dock().shows(Pane::Log) && !state.dock().in_sight(Pane::Log));
        toggle(&mut state, Pane::Log);
        assert!(state.dock().in_sight(Pane::List));
        toggle(&mut state, Pane::Log);
        assert!(state.dock().in_sight(Pane::Log));
        assert!(!state.dock().in_sight(Pane::List));
        state.arrange_panels(DockCommand::Reset);
        assert_eq!(state.settings.docks, Docks::default());
    }

    #[test]
    fn a_layout_is_taken_in_the_room_one_is_in_and_reset_gives_the_rooms_own() {
        let mut state = AppState::default();
        state.arrange_panels(DockCommand::Take(Layout::Annotator));
        let docks = &state.settings.docks;
        assert_eq!(docks.of(Room::Review), docks.of(Room::Annotate));
        assert_eq!(docks.of(Room::Live), Docks::default().of(Room::Live));
        state.arrange_panels(DockCommand::Reset);
        assert_eq!(state.settings.docks, Docks::default());
    }

    #[test]
    fn nothing_is_arranged_where_there_are_no_panels_and_that_is_said() {
        let mut state = AppState::default();
        state.arrange_panels(DockCommand::Arrange);
        assert!(!state.arranges());
        let said = &state.notices.entries()[0].notice.text;
        assert_eq!(
            said,
            "Open a recording first; then its panels can be arranged."
        );
    }

    #[test]
    fn a_picture_behind_a_tab_is_turned_to() {
        let mut state = AppState::default();
        let dock = state.dock_mut();
        let mut panes = dock.panes().clone();
        let tile = |panes: &Panes, pane| panes.tiles.find_pane(&pane).unwrap();
        let log = tile(&panes, Pane::Log);
        let (picture, tabs) = (
            tile(&panes, Pane::Picture),
            panes.tiles.parent_of(log).unwrap(),
        );
        panes.move_tile_to_container(picture, tabs, 0, false);
        panes.make_active(|id, _| id == log);
        *dock = Dock::new(panes);
        assert!(state.dock().shows(Pane::Picture) && !state.dock().in_sight(Pane::Picture));
        state.arrange_panels(DockCommand::Toggle(Pane::Picture));
        assert!(state.dock().in_sight(Pane::Picture));
    }
}
