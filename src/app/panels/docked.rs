//! The panels where a person wants them: laid out by [`egui_tiles`], which knows dividers,
//! tabs and drags. It works on a copy; what a person changed is asked for as a command.

use egui::{
    Align2, Button, CursorIcon, Frame, Margin, Painter, Rect, Response, Role, Sense, Stroke,
    StrokeKind, Style, TextStyle, Ui, UiBuilder, Visuals, WidgetInfo, WidgetText, vec2,
};
use egui_tiles::{
    Behavior, Container, EditAction, ResizeState, SimplificationOptions, TabState, Tabs, Tile,
    TileId, Tiles, UiResponse,
};

use crate::app::command::{Command, Room};
use crate::app::dock::fit::{self, Limits, Needs};
use crate::app::dock::moving::NO_ROOM;
use crate::app::dock::needs::{self, HANDLE, JUDGE};
use crate::app::dock::{self, Dock, DockCommand, Pane, held};
use crate::app::panels::{
    candidates, coding, hints, live, moved, notices, picture, settings, source, timeline,
    transport, triptych,
};
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::widgets::textures::Textures;
use crate::base::Notice;

/// What moved takes no more of a column with the candidates than this share.
const MOVED_SHARE: f32 = 0.6;
/// Above and below the contents of a panel, and above them under a bar of tabs, points.
const MARGIN: i8 = 8;
const UNDER_BAR: i8 = 4;

/// Lays the room's panels out and gives where the picture stands, or all of them where it
/// lies behind another tab.
pub fn show(ui: &mut Ui, state: &AppState, textures: &Textures, out: &mut Vec<Command>) -> Rect {
    let area = ui.available_rect_before_wrap();
    let room = state.settings.room;
    let kept = state.dock();
    let arranging = state.arranges();
    let mut panes = kept.panes().clone();
    let away = needs::without_empty(&mut panes, state);
    let bars = needs::bars(&panes, arranging);
    let tabbed = needs::tabbed(&panes, &bars);
    let under_bars = needs::under_bars(&panes, &bars);
    if area.size() != state.panels_within {
        out.push(Command::Dock(DockCommand::Within(area.size())));
    }
    if !arranging && panes.dragged_id(ui.ctx()).is_some() {
        ui.ctx().stop_dragging();
    }
    let limits = |id, pane| {
        let handle = arranging && !tabbed.contains(&id);
        limits(state, pane, (handle, area.height()))
    };
    let needs = Needs {
        of: &limits,
        bars: &bars,
    };
    let fitted = needs.fit(&mut panes, area.size());
    let held = held::panel(ui.ctx()).and_then(|pane| panes.tiles.find_pane(&pane));
    let mut docked = Docked {
        state,
        textures,
        out,
        arranging,
        bars: &bars,
        tabbed: &tabbed,
        under_bars: &under_bars,
        held,
        picture: None,
        dropped: false,
    };
    // What a panel remembers, it remembers for its room.
    ui.push_id(dock::Layout::of(room).name(), |ui| {
        panes.ui(&mut docked, ui);
    });
    let (picture, dropped) = (docked.picture, docked.dropped);
    fitted.undo(&mut panes, dropped);
    let fits = !dropped || needs::fits(state, panes.clone(), area.size());
    for id in away {
        panes.set_visible(id, true);
    }
    let dock = Dock::new(panes);
    if dock != *kept && dock.is_measured() {
        out.push(if !fits {
            Command::Say(Notice::info(NO_ROOM))
        } else {
            Command::Dock(DockCommand::Dragged(room, dock))
        });
    }
    picture.unwrap_or(area)
}

/// The picture with what stands above it on the first run.
pub fn picture(ui: &mut Ui, state: &AppState, textures: &Textures, out: &mut Vec<Command>) {
    if !state.settings.hints_seen {
        egui::Panel::top("hints")
            .exact_size(64.0)
            .frame(panel(ui).corner_radius(4))
            .show_separator_line(false)
            .show(ui, |ui| hints::show(ui, &state.settings.keys, out));
    }
    picture::show(ui, state, textures, out);
}

/// Around the contents of a panel.
pub fn panel(ui: &Ui) -> Frame {
    Frame::NONE
        .fill(Palette::current(ui).panel)
        .inner_margin(Margin::same(MARGIN))
}

/// Around the picture.
pub fn surround(ui: &Ui) -> Frame {
    panel(ui).fill(Palette::current(ui).surround)
}

/// How large a panel must and would be; `handle` says whether it has one, `height` is that
/// of all panels together.
fn limits(state: &AppState, pane: Pane, (handle, height): (bool, f32)) -> Limits {
    let mut limits = needs::limits(state, pane, handle);
    if let (Pane::Moved, Some(review)) = (pane, &state.review) {
        let margins = f32::from(UNDER_BAR + MARGIN);
        let column = height - fit::TAB_BAR - margins - JUDGE;
        let judge = if state.judges_under_what_moved() {
            JUDGE
        } else {
            0.0
        };
        let contents = moved::height(review, state.second_look) + f32::from(MARGIN);
        let most = (MOVED_SHARE * column).floor().max(0.0);
        let handle = if handle { HANDLE } else { 0.0 };
        limits.usual.y = contents.min(most) + judge + f32::from(MARGIN) + handle;
    }
    limits
}

struct Docked<'a> {
    state: &'a AppState,
    textures: &'a Textures,
    out: &'a mut Vec<Command>,
    arranging: bool,
    bars: &'a [TileId],
    /// Moved by their tab.
    tabbed: &'a [TileId],
    /// The bar above them has space of its own.
    under_bars: &'a [TileId],
    /// The keys move it.
    held: Option<TileId>,
    picture: Option<Rect>,
    dropped: bool,
}

impl Docked<'_> {
    fn title(&self, pane: Pane) -> String {
        let name = pane.name(self.state.settings.room);
        let Some(review) = &self.state.review else {
            return name.to_owned();
        };
        match (pane, self.state.settings.room) {
            (Pane::List, Room::Review | Room::Batch) => format!("{name} {}", review.spots.len()),
            (Pane::List, Room::Annotate) => {
                format!(
                    "{name} {}",
                    coding::list::listed(self.state, review).count()
                )
            }
            (Pane::Log, _) => format!("{name} {}", self.state.notices.entries().len()),
            _ => name.to_owned(),
        }
    }

    /// Of a tile with several panels: all their titles. What moved bears the list's with it,
    /// for it says itself what it is.
    fn titles(&self, tiles: &Tiles<Pane>, id: TileId) -> String {
        match tiles.get(id) {
            Some(Tile::Pane(pane)) => self.title(*pane),
            Some(Tile::Container(container)) => {
                let mut inner = fit::in_sight(tiles, container);
                let is = |id: &TileId, pane| tiles.get_pane(id) == Some(&pane);
                if inner.iter().any(|id| is(id, Pane::List)) {
                    inner.retain(|id| !is(id, Pane::Moved));
                }
                let inner = inner.into_iter();
                let titles: Vec<String> = inner.map(|child| self.titles(tiles, child)).collect();
                titles.join(", ")
            }
            None => String::new(),
        }
    }

    fn handle(&self, ui: &Ui, area: Rect, pane: Pane) -> Response {
        let p = Palette::current(ui);
        let title = self.title(pane);
        let id = ui.scope_id().with("handle");
        let handle = ui
            .interact(area, id, Sense::click_and_drag())
            .on_hover_cursor(CursorIcon::Grab);
        handle.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Move {title}")));
        held::title(&handle, pane);
        let lit = handle.hovered() || handle.has_focus();
        let painter = ui.painter();
        painter.rect_filled(area, 0.0, if lit { p.hovered } else { p.raised });
        let left = area.left_center() + vec2(theme::GAP, 0.0);
        for y in [-4.0, 0.0, 4.0] {
            let line = left.x..=left.x + 12.0;
            painter.hline(line, left.y + y, Stroke::new(1.0, p.accent));
        }
        let font = TextStyle::Body.resolve(ui.style());
        let at = left + vec2(12.0 + theme::GAP, 0.0);
        painter.text(at, Align2::LEFT_CENTER, title, font, p.text);
        handle
    }

    fn contents(&mut self, ui: &mut Ui, pane: Pane, under_bar: bool) {
        let (state, textures) = (self.state, self.textures);
        let mut frame = match pane {
            Pane::Picture => surround(ui),
            _ => panel(ui),
        };
        if under_bar {
            frame.inner_margin.top = UNDER_BAR;
        }
        frame.show(ui, |ui| {
            // A panel shrinks to what is in it otherwise.
            ui.take_available_space();
            let out = &mut *self.out;
            match pane {
                Pane::Source => source::show(ui, state, out),
                Pane::Picture => {
                    self.picture = Some(ui.max_rect());
                    picture(ui, state, textures, out);
                }
                Pane::Triptych => match state.row_shows() {
                    Some(moments) => triptych::show(ui, state, moments, textures, out),
                    None => triptych::bar(ui, state, out),
                },
                Pane::Timeline => {
                    egui::Panel::top("transport")
                        .exact_size(32.0)
                        .frame(Frame::NONE)
                        .show_separator_line(false)
                        .show(ui, |ui| transport::show(ui, state, out));
                    timeline::show(ui, state, out);
                }
                Pane::List => match state.settings.room {
                    Room::Annotate => coding::show(ui, state, out),
                    Room::Review | Room::Live | Room::Batch => {
                        candidates::show(ui, state, textures, out);
                    }
                },
                Pane::Moved => match state.settings.room {
                    Room::Live => live::side(ui, state, textures, out),
                    Room::Review | Room::Annotate | Room::Batch => {
                        if state.judges_under_what_moved() {
                            candidates::judge_below(ui, state, out);
                        }
                        if let Some(review) = &state.review {
                            moved::show(ui, review, (state.second_look, textures), out);
                        }
                    }
                },
                Pane::Log => notices::log(ui, state, out),
                Pane::Settings => settings::show(ui, state, out),
            }
        });
    }
}

impl Behavior<Pane> for Docked<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, id: TileId, pane: &mut Pane) -> UiResponse {
        let tabbed = self.tabbed.contains(&id);
        let mut under_bar = self.under_bars.contains(&id);
        let mut area = ui.max_rect();
        let mut response = UiResponse::None;
        if self.arranging && !tabbed {
            let (handle, rest) = area.split_top_bottom_at_y(area.top() + HANDLE);
            if self.handle(ui, handle, *pane).drag_started() {
                response = UiResponse::DragStarted;
            }
            area = rest;
            under_bar = false;
        }
        ui.scope_builder(UiBuilder::new().max_rect(area), |ui| {
            self.contents(ui, *pane, under_bar);
        });
        response
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        self.title(*pane).into()
    }

    fn tab_title_for_tile(&mut self, tiles: &Tiles<Pane>, id: TileId) -> WidgetText {
        self.titles(tiles, id).into()
    }

    fn tab_ui(
        &mut self,
        tiles: &mut Tiles<Pane>,
        ui: &mut Ui,
        id: egui::Id,
        tile: TileId,
        tab: &TabState,
    ) -> Response {
        ui.add_space(theme::GRID);
        let button = Button::selectable(tab.active, self.titles(tiles, tile));
        if !self.arranging {
            return ui.add(button);
        }
        let button = ui
            .add(button.sense(Sense::click_and_drag()))
            .on_hover_cursor(CursorIcon::Grab);
        if let Some(pane) = first(tiles, tile) {
            held::title(&button, pane);
        }
        if button.drag_started() {
            ui.ctx().set_dragged_id(id);
        }
        button
    }

    fn tab_bar_left_ui(&mut self, _: &Tiles<Pane>, ui: &mut Ui, _: TileId, _: &Tabs) {
        ui.add_space(theme::GRID);
    }

    fn tab_bar_height(&self, _: &egui::Style) -> f32 {
        fit::TAB_BAR
    }

    fn tab_bar_color(&self, visuals: &Visuals) -> egui::Color32 {
        visuals.panel_fill
    }

    fn is_tab_bar_visible(&self, id: TileId, _: &Tabs) -> bool {
        self.bars.contains(&id)
    }

    fn is_tile_draggable(&self, _: &Tiles<Pane>, _: TileId) -> bool {
        self.arranging
    }

    /// Nothing is to be dragged beside a bar that has one height.
    fn is_container_resizable(&self, tiles: &Tiles<Pane>, id: TileId) -> bool {
        let closed = self.state.row_shows().is_none();
        let Some(column @ Container::Linear(line)) = tiles.get_container(id) else {
            return true;
        };
        let bar = |id: &TileId| closed && tiles.get_pane(id) == Some(&Pane::Triptych);
        let shown = fit::in_sight(tiles, column);
        let upright = line.dir == egui_tiles::LinearDir::Vertical;
        !(upright && shown.iter().filter(|id| !bar(id)).count() < 2)
    }

    fn gap_width(&self, _: &egui::Style) -> f32 {
        fit::GAP
    }

    fn resize_stroke(&self, style: &egui::Style, state: ResizeState) -> Stroke {
        let visuals = &style.visuals;
        match state {
            ResizeState::Idle => visuals.widgets.noninteractive.bg_stroke,
            ResizeState::Hovering => Stroke::new(1.0, visuals.hyperlink_color),
            ResizeState::Dragging => Stroke::new(2.0, visuals.hyperlink_color),
        }
    }

    /// Which panel the keys move is seen at the panel itself, too.
    fn paint_on_top_of_tile(&self, painter: &Painter, style: &Style, tile: TileId, area: Rect) {
        if self.held == Some(tile) {
            let stroke = Stroke::new(2.0, style.visuals.hyperlink_color);
            painter.rect_stroke(area, 0.0, stroke, StrokeKind::Inside);
        }
    }

    fn simplification_options(&self) -> SimplificationOptions {
        dock::tidying()
    }

    /// The keys go from one control to the next; which tab that opens is the tab's.
    fn cycle_tabs_with_keyboard(&self) -> bool {
        false
    }

    fn on_edit(&mut self, edit: EditAction) {
        self.dropped |= edit == EditAction::TileDropped;
    }
}

/// The first panel in sight of a tile: the one that its tab moves by keys.
fn first(tiles: &Tiles<Pane>, id: TileId) -> Option<Pane> {
    match tiles.get(id)? {
        Tile::Pane(pane) => Some(*pane),
        Tile::Container(container) => {
            let inner = fit::in_sight(tiles, container);
            inner.into_iter().find_map(|child| first(tiles, child))
        }
    }
}
