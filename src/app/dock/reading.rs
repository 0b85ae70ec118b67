//! An arrangement of the settings file: one edited by hand, or of a later version, must not
//! lose a panel.

use std::collections::HashSet;

use egui_tiles::{Container, Linear, LinearDir, Tabs, Tile, TileId, Tiles};
use serde::Deserialize as _;
use serde_json::Value;

use super::{Dock, Docks, Pane, Panes, layouts};
use crate::app::command::Room;

/// More tiles than any arrangement of these panels has.
const MOST: usize = 64;

/// No panel is longer, in points.
const LONGEST: f32 = 1e5;

impl Docks {
    /// What the settings file holds, and a sentence on each room whose arrangement cannot
    /// be followed; it begins anew.
    #[must_use]
    pub fn read(file: &Value) -> (Self, Vec<String>) {
        let mut docks = Self::default();
        let mut said = Vec::new();
        for (room, key, name) in [
            (Room::Review, "review", "Review"),
            (Room::Annotate, "annotate", "Annotate"),
            (Room::Live, "live", "Live"),
        ] {
            let Some(kept) = file.get(key) else { continue };
            let read = Panes::deserialize(kept).map_err(|e| e.to_string());
            match read.and_then(|panes| sane(&panes, room)) {
                Ok(dock) => *docks.of_mut(room) = dock,
                Err(why) => said.push(format!(
                    "The settings' panels of the {name} room cannot be followed ({why}); they \
                     stand as at first."
                )),
            }
        }
        (docks, said)
    }
}

/// The same arrangement with nothing but what can be reached in it.
fn sane(read: &Panes, room: Room) -> Result<Dock, String> {
    let root = read.root.ok_or("there is none")?;
    let mut tiles = Tiles::default();
    let mut seen = HashSet::new();
    let mut panes = Vec::new();
    let mut next = vec![root];
    while let Some(id) = next.pop() {
        if !seen.insert(id) {
            return Err("a tile stands in two places".to_owned());
        }
        if seen.len() > MOST {
            return Err(format!("it has more than {MOST} tiles"));
        }
        let tile = read.tiles.get(id).ok_or("a tile is missing")?;
        match tile {
            Tile::Pane(pane) => {
                if panes.contains(pane) {
                    return Err(format!("{} is there twice", named(*pane)));
                }
                panes.push(*pane);
                let hidden = !read.is_visible(id) && *pane != Pane::Picture;
                tiles.set_visible(id, !hidden);
            }
            Tile::Container(container) => {
                lengths(container, id)?;
                next.extend(container.children().copied());
            }
        }
        tiles.insert(id, tile.clone());
    }
    if !panes.contains(&Pane::Moved) && panes.contains(&Pane::List) {
        stand_out(&mut tiles, room);
        panes.push(Pane::Moved);
    }
    if let Some(missing) = Pane::ALL.iter().find(|pane| !panes.contains(pane)) {
        return Err(format!("{} is missing", named(*missing)));
    }
    let dock = Dock::new(Panes::new(layouts::id(), root, tiles));
    // What lies in a line of the same direction has been joined with it.
    let joined = dock.panes().tiles.iter();
    for (id, tile) in joined {
        if let Tile::Container(container) = tile {
            lengths(container, *id)?;
        }
    }
    Ok(dock)
}

/// In arrangements of earlier versions what moved stood in the list: under the candidates,
/// and in place of them in the Live room. It gets its own panel where it stood, and is as
/// hidden as the list is. Who codes has not seen it and finds it hidden beside the list.
fn stand_out(tiles: &mut Tiles<Pane>, room: Room) {
    let Some(both) = tiles.find_pane(&Pane::List) else {
        return;
    };
    let shown = tiles.is_visible(both);
    let list = tiles.insert_pane(Pane::List);
    let moved = tiles.insert_pane(Pane::Moved);
    tiles.set_visible(list, shown);
    tiles.set_visible(moved, shown && room != Room::Annotate);
    // Under the list's id, and so as long as it was and before the same tabs.
    let container: Container = match room {
        Room::Review | Room::Batch => {
            let mut column = Linear::new(LinearDir::Vertical, vec![list, moved]);
            for tile in [list, moved] {
                column.shares.set_share(tile, layouts::UNSET);
            }
            Container::Linear(column)
        }
        Room::Annotate => Container::Tabs(Tabs::new(vec![list, moved])),
        Room::Live => Container::Tabs(Tabs::new(vec![moved, list])),
    };
    tiles.insert(both, Tile::Container(container));
    tiles.set_visible(both, true);
}

fn named(pane: Pane) -> &'static str {
    pane.name(Room::Review)
}

fn lengths(container: &Container, id: TileId) -> Result<(), String> {
    match container {
        Container::Tabs(_) => Ok(()),
        Container::Grid(_) => Err(format!("tile {} is a grid", id.0)),
        Container::Linear(line) => {
            // None at all is refused, too: lines are joined by parts of their sum.
            let length = |share: &f32| *share > 0.0 && *share <= LONGEST;
            if line.shares.iter().all(|(_, share)| length(share)) {
                Ok(())
            } else {
                Err(format!("a length in tile {} is none", id.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::dock::Layout;
    use serde_json::json;

    fn written(dock: &Dock) -> Value {
        serde_json::to_value(dock).unwrap()
    }

    #[test]
    fn arrangements_are_read_as_they_were_written() {
        let mut docks = Docks::default();
        *docks.of_mut(Room::Review) = Layout::Annotator.dock();
        docks.of_mut(Room::Live).show(Pane::Timeline, false);
        let file = serde_json::to_string(&docks).unwrap();
        let (back, said) = Docks::read(&serde_json::from_str(&file).unwrap());
        assert_eq!((back, said), (docks, vec![]));
        assert_eq!(Docks::read(&json!({})), (Docks::default(), vec![]));
    }

    /// What is said of a Review room in which `change` was made by hand.
    fn said_of(change: impl Fn(&mut Value)) -> String {
        let mut file = written(&Layout::Annotator.dock());
        change(&mut file);
        let (docks, said) = Docks::read(&json!({"review": file, "fourth": 3}));
        assert_eq!(docks, Docks::default());
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("The settings' panels of the Review room"));
        said[0].clone()
    }

    /// The tile that holds a pane, as it is written.
    fn tile_of<'a>(file: &'a mut Value, pane: &str) -> &'a mut Value {
        let tiles = file["tiles"]["tiles"].as_object_mut().unwrap();
        let mut all = tiles.values_mut();
        all.find(|tile| tile["Pane"] == pane).unwrap()
    }

    #[test]
    fn a_pane_that_is_unknown_doubled_or_missing_begins_the_room_anew_with_a_sentence() {
        let unknown = |file: &mut Value| *tile_of(file, "log") = json!({"Pane": "hologram"});
        assert!(said_of(unknown).contains("hologram"));
        let doubled = |file: &mut Value| *tile_of(file, "log") = json!({"Pane": "source"});
        assert!(said_of(doubled).contains("Source is there twice"));
        let missing = |file: &mut Value| {
            let tiles = file["tiles"]["tiles"].as_object_mut().unwrap();
            tiles.retain(|_, tile| tile["Pane"] != "timeline");
        };
        assert!(said_of(missing).contains("a tile is missing"));
        let nothing = |file: &mut Value| file["root"] = Value::Null;
        assert!(said_of(nothing).contains("there is none"));
        let itself = |file: &mut Value| {
            let root = file["root"].as_u64().unwrap().to_string();
            let own = file["root"].clone();
            let line = &mut file["tiles"]["tiles"][&root]["Container"]["Linear"];
            line["children"].as_array_mut().unwrap().push(own);
        };
        assert!(said_of(itself).contains("in two places"));
        assert!(said_of(|file| *file = json!("left")).contains("cannot be followed"));
    }

    /// The line at the root.
    fn root_of(file: &mut Value) -> &mut Value {
        let root = file["root"].as_u64().unwrap().to_string();
        &mut file["tiles"]["tiles"][&root]["Container"]["Linear"]
    }

    #[test]
    fn a_length_that_is_none_begins_the_room_anew_with_a_sentence() {
        for wrong in [-3.0, 0.0, 2e5, 1e300] {
            let set = |file: &mut Value| {
                let shares = root_of(file)["shares"]["shares"].as_object_mut().unwrap();
                shares.values_mut().for_each(|share| *share = json!(wrong));
            };
            said_of(set);
        }
        // A row in a row, joined by parts of what is too little to be divided by.
        let nested = |file: &mut Value| {
            let line = root_of(file);
            let children = line["children"].clone();
            let inner = children[0].as_u64().unwrap();
            for (id, share) in line["shares"]["shares"].as_object_mut().unwrap() {
                if *id == inner.to_string() {
                    *share = json!(1e5);
                }
            }
            let dir = line["dir"].clone();
            let tile = &mut file["tiles"]["tiles"][inner.to_string()]["Container"]["Linear"];
            tile["dir"] = dir;
            let shares = tile["shares"]["shares"].as_object_mut().unwrap();
            shares.values_mut().for_each(|share| *share = json!(1e-40));
        };
        assert!(said_of(nested).contains("is none"));
    }

    #[test]
    fn what_cannot_be_brought_back_is_never_hidden() {
        let mut file = written(&Layout::Psychologist.dock());
        let ids: Vec<u64> = file["tiles"]["tiles"]
            .as_object()
            .unwrap()
            .keys()
            .map(|id| id.parse().unwrap())
            .collect();
        file["tiles"]["invisible"] = json!(ids);
        let (docks, said) = Docks::read(&json!({"review": file}));
        assert_eq!(said, Vec::<String>::new());
        let dock = docks.of(Room::Review);
        assert!(dock.in_sight(Pane::Picture));
        assert!(!dock.shows(Pane::Source));
    }

    /// As it was written before what moved was a panel of its own: the three tabs of the
    /// side, right of a column of the other panels.
    fn earlier() -> Value {
        json!({
            "id": written(&Layout::Psychologist.dock())["id"],
            "root": 10,
            "height": null,
            "width": null,
            "tiles": {"next_tile_id": 11, "invisible": [], "tiles": {
                "1": {"Pane": "source"},
                "2": {"Pane": "picture"},
                "3": {"Pane": "triptych"},
                "4": {"Pane": "timeline"},
                "5": {"Pane": "list"},
                "6": {"Pane": "log"},
                "7": {"Pane": "settings"},
                "8": {"Container": {"Tabs": {"children": [5, 6, 7], "active": 5}}},
                "9": {"Container": {"Linear": {
                    "children": [1, 2, 3, 4],
                    "dir": "Vertical",
                    "shares": {"shares": {"1": 160.0, "2": 600.0, "3": 160.0, "4": 272.0}},
                }}},
                "10": {"Container": {"Linear": {
                    "children": [9, 8],
                    "dir": "Horizontal",
                    "shares": {"shares": {"9": 600.0, "8": 340.0}},
                }}},
            }},
        })
    }

    #[test]
    fn an_arrangement_of_before_what_moved_was_a_panel_gets_it_where_it_stood() {
        let mut file = json!({"review": earlier(), "annotate": earlier(), "live": earlier()});
        let (docks, said) = Docks::read(&file);
        assert_eq!(said, Vec::<String>::new());
        let of = |room| docks.of(room);
        assert!(of(Room::Review).right_under(Pane::List, Pane::Moved));
        assert!(of(Room::Review).in_sight(Pane::Moved));
        assert!(of(Room::Annotate).in_sight(Pane::List));
        assert!(
            !of(Room::Annotate).shows(Pane::Moved),
            "nobody asked for it"
        );
        assert!(of(Room::Live).in_sight(Pane::Moved));
        // The side is as wide as it was, and what else stands in it is behind.
        for room in [Room::Review, Room::Annotate, Room::Live] {
            let panes = of(room).panes();
            let root = panes.root.and_then(|root| panes.tiles.get_container(root));
            let Some(Container::Linear(line)) = root else {
                panic!("a row");
            };
            assert_eq!(line.shares[line.children[1]], 340.0);
            assert!(of(room).shows(Pane::Log) && !of(room).in_sight(Pane::Log));
        }
        // It is written and read as it is now.
        let again = Docks::read(&serde_json::to_value(&docks).unwrap());
        assert_eq!(again, (docks, vec![]));
        // Another tab was open, or the list was hidden.
        file["review"]["tiles"]["tiles"]["8"]["Container"]["Tabs"]["active"] = json!(6);
        file["live"]["tiles"]["invisible"] = json!([5]);
        let (docks, _) = Docks::read(&file);
        let review = docks.of(Room::Review);
        assert!(review.in_sight(Pane::Log) && !review.in_sight(Pane::Moved));
        assert!(review.shows(Pane::Moved));
        assert!(!docks.of(Room::Live).shows(Pane::Moved));
    }

    #[test]
    fn what_moved_shares_the_height_of_a_list_that_stood_in_a_column() {
        let mut file = earlier();
        let tiles = &mut file["tiles"]["tiles"];
        tiles["8"]["Container"]["Tabs"] = json!({"children": [6, 7], "active": 6});
        let column = &mut tiles["9"]["Container"]["Linear"];
        column["children"] = json!([1, 2, 5, 3, 4]);
        column["shares"]["shares"]["5"] = json!(300.0);
        let (docks, said) = Docks::read(&json!({"review": file}));
        assert_eq!(said, Vec::<String>::new());
        let dock = docks.of(Room::Review);
        assert!(dock.right_under(Pane::List, Pane::Moved));
        let tiles = &dock.panes().tiles;
        let tile = |pane| tiles.find_pane(&pane).unwrap();
        let (list, moved) = (tile(Pane::List), tile(Pane::Moved));
        let column = tiles.get_container(tiles.parent_of(list).unwrap());
        let Some(Container::Linear(column)) = column else {
            panic!("a column");
        };
        assert_eq!((column.shares[list], column.shares[moved]), (150.0, 150.0));
    }
}
