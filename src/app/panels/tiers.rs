//! What coders say over time: a row for each of them, one more for the candidates of
//! the networks. Bars are chosen by a click and their ends dragged. More rows than there is
//! room for are scrolled.

use egui::scroll_area::ScrollSource;
use egui::{
    Align2, CursorIcon, Id, Painter, Rect, Response, Role, ScrollArea, Sense, Stroke, StrokeKind,
    TextStyle, Ui, WidgetInfo, pos2, vec2,
};

use super::timeline::SCORE_AXIS;
use super::timeline_input;
use crate::app::coder::{Coded, Edge};
use crate::app::coding::SpotKey;
use crate::app::command::Command;
use crate::app::panels::source::grouped;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette};
use crate::app::time_view::{Ticks, TimeView};
use crate::app::widgets::marks;
use crate::facs::facs_score;
use crate::spotting::IntervalStatus;
use crate::timeline::{Annotation, AnnotationId};

/// Of one tier.
const ROW: f32 = 22.0;
/// Less than this is not looked at: one's own row and another.
pub(super) const LEAST: f32 = 2.0 * ROW;
/// An end is taken within so many points of it.
const GRIP: f32 = 5.0;
/// A dragged end snaps to the cursor and to other ends within so many points.
const SNAP: f32 = 6.0;

/// An end that is being dragged; kept by the window until it is let go.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Dragged {
    id: AnnotationId,
    edge: Edge,
    frame: u64,
    /// Where the cursor was: it follows the end, which must not stick to itself.
    cursor: u64,
}

/// Whoever codes now, from the start; then the others in the order of their names.
fn coders<'a>(review: &'a Review, now: &'a str, blind: bool) -> Vec<&'a str> {
    let all = review.coding.annotations().iter();
    let mut names: Vec<&str> = all.map(|a| a.coder.as_str()).chain([now]).collect();
    names.sort_unstable_by_key(|name| (*name != now, *name));
    names.dedup();
    // A blind pass sees nobody else's.
    names.retain(|name| !blind || *name == now);
    names
}

/// Points that all tiers need.
#[must_use]
pub fn height(state: &AppState, review: &Review) -> f32 {
    let s = &state.settings;
    let tiers = coders(review, &s.coder, state.blind()).len() + usize::from(!state.blind());
    tiers as f32 * ROW
}

/// All tiers, within `height` points.
pub fn show(
    ui: &mut Ui,
    (state, review): (&AppState, &Review),
    time: (TimeView, &Ticks),
    height: f32,
    out: &mut Vec<Command>,
) {
    // Over the tracks the wheel zooms the time as it does on the curves.
    let names_end = ui.available_rect_before_wrap().left() + SCORE_AXIS;
    let pointer = ui.input(|i| i.pointer.hover_pos());
    let scrolls = ScrollSource {
        mouse_wheel: pointer.is_some_and(|at| at.x < names_end),
        ..ScrollSource::SCROLL_BAR
    };
    ui.allocate_ui(vec2(ui.available_width(), height), |ui| {
        ScrollArea::vertical()
            .id_salt("tiers")
            .min_scrolled_height(0.0)
            .auto_shrink([false, false])
            .scroll_source(scrolls)
            .show(ui, |ui| tracks(ui, (state, review), time, out));
    });
}

fn tracks(
    ui: &mut Ui,
    (state, review): (&AppState, &Review),
    (view, ticks): (TimeView, &Ticks),
    out: &mut Vec<Command>,
) {
    let p = Palette::current(ui);
    let blind = state.blind();
    let names = coders(review, &state.settings.coder, blind);
    let (full, _) = ui.allocate_exact_size(
        vec2(ui.available_width(), height(state, review)),
        Sense::hover(),
    );
    let tracks = full.with_min_x(full.left() + SCORE_AXIS);
    let scale = Scale { area: tracks, view };
    let response = ui.interact(tracks, ui.scope_id().with("tiers"), Sense::click_and_drag());
    response.widget_info(|| {
        let count = review.coding.annotations().len();
        WidgetInfo::labeled(
            Role::Canvas,
            true,
            format!("Tiers with {count} annotations"),
        )
    });
    let seen = ui.clip_rect();
    let painter = ui.painter().with_clip_rect(tracks.intersect(seen));
    painter.rect_filled(tracks, 0.0, p.ground);
    let left = review.not_analysed().map(|left| {
        let span = scale.x(left.start)..=scale.x(left.end);
        (Rect::from_x_y_ranges(span, tracks.y_range()), left.why)
    });
    if let Some((span, _)) = left {
        painter.rect_filled(span, 0.0, p.shade);
    }
    for (secs, _) in &ticks.marks {
        painter.vline(
            scale.x(*secs),
            tracks.y_range(),
            Stroke::new(1.0, p.hairline),
        );
    }
    let memory = Id::unique("dragged end");
    let dragged: Option<Dragged> = ui.data(|d| d.get_temp(memory));
    let small = TextStyle::Small.resolve(ui.style());
    for (at, name) in names.iter().enumerate() {
        let row = scale.row(at);
        let label = if name.is_empty() { "coded" } else { name };
        let ink = if *name == state.settings.coder {
            p.text
        } else {
            p.weak
        };
        let place = row.with_min_x(full.left()).with_max_x(row.left());
        let words = ui.painter().with_clip_rect(place.intersect(seen));
        words.text(
            pos2(row.left() - theme::GAP, row.center().y),
            Align2::RIGHT_CENTER,
            label,
            small.clone(),
            ink,
        );
        // In the order of their onsets: the room for words ends where the next one begins.
        let mut list = own(review, name);
        while let Some(annotation) = list.next() {
            let moved;
            let shown = match dragged {
                Some(d) if d.id == annotation.id => {
                    moved = review.with_edge(annotation.clone(), d.edge, d.frame);
                    &moved
                }
                _ => annotation,
            };
            let mut same = list
                .clone()
                .skip_while(|next| next.onset <= annotation.onset);
            let free = same.next().map(|next| next.onset);
            bar(ui, &painter, review, (shown, free), (row, scale), &p);
        }
        painter.hline(row.x_range(), row.bottom(), Stroke::new(1.0, p.hairline));
    }
    if !blind {
        let row = scale.row(names.len());
        ui.painter().text(
            pos2(row.left() - theme::GAP, row.center().y),
            Align2::RIGHT_CENTER,
            "networks",
            small.clone(),
            p.weak,
        );
        if let Some((span, why)) = left {
            marks::named(ui, &painter, span.intersect(row), why, &p);
        }
        for spot in review.spots.iter().filter(|s| review.above_floor(s)) {
            let rect = scale.bar(review, (spot.onset, spot.offset), row);
            if rect.intersects(row) {
                marks::bar(&painter, rect, spot, &p);
            }
        }
    }
    super::timeline::cursor(&painter, review, tracks, |t| scale.x(t), &p);
    interact(ui, (state, review), &response, (scale, &names), memory, out);
}

fn own<'a>(review: &'a Review, coder: &'a str) -> impl Iterator<Item = &'a Annotation> + Clone {
    let all = review.coding.annotations().iter();
    all.filter(move |a| a.coder == coder && a.status != IntervalStatus::Rejected)
}

/// Seconds to points and back.
#[derive(Debug, Clone, Copy)]
struct Scale {
    area: Rect,
    view: TimeView,
}

impl Scale {
    fn x(self, secs: f64) -> f32 {
        self.area.left() + self.view.share(secs) as f32 * self.area.width()
    }

    fn secs(self, x: f32) -> f64 {
        let share = f64::from((x - self.area.left()) / self.area.width());
        self.view.start + share * self.view.span()
    }

    fn row(self, at: usize) -> Rect {
        let top = self.area.top() + at as f32 * ROW;
        Rect::from_x_y_ranges(self.area.x_range(), top..=top + ROW)
    }

    fn bar(self, review: &Review, (onset, offset): (u64, u64), row: Rect) -> Rect {
        let (a, b) = (review.time_of(onset).secs(), review.time_of(offset).secs());
        let (a, b) = (self.x(a), self.x(b));
        Rect::from_x_y_ranges(a..=b.max(a + 3.0), row.top() + 3.0..=row.bottom() - 3.0)
    }
}

fn bar(
    ui: &Ui,
    painter: &Painter,
    review: &Review,
    (a, next): (&Annotation, Option<u64>),
    (row, scale): (Rect, Scale),
    p: &Palette,
) {
    let rect = scale.bar(review, (a.onset, a.offset), row);
    if !rect.intersects(row) {
        return;
    }
    painter.rect_filled(rect, 2.0, p.human);
    // Bars that lie over each other stay apart.
    let edge = Stroke::new(1.0, p.ground);
    painter.rect_stroke(rect, 2.0, edge, StrokeKind::Inside);
    if review.marked == Some(a.id) {
        painter.rect_stroke(
            rect.expand(1.5),
            3.0,
            Stroke::new(1.5, p.text),
            StrokeKind::Outside,
        );
    }
    if let Some(apex) = a.apex {
        let x = scale.x(review.time_of(apex).secs());
        // Two notches: the words between them stay readable.
        let notch = 4.0;
        for y in [
            rect.top()..=rect.top() + notch,
            rect.bottom() - notch..=rect.bottom(),
        ] {
            painter.vline(x, y, Stroke::new(2.0, p.on_human));
        }
    }
    let mut words = vec![marks::short(a.kind).to_owned()];
    words.extend((!a.units.is_empty()).then(|| facs_score(&a.units)));
    words.extend(a.emotion.clone());
    let font = TextStyle::Small.resolve(ui.style());
    let inside = painter.layout_no_wrap(words.join(" "), font.clone(), p.on_human);
    if inside.size().x + 8.0 <= rect.width() {
        let at =
            Align2::LEFT_CENTER.anchor_size(rect.left_center() + vec2(4.0, 0.0), inside.size());
        painter.galley(at.min, inside, p.on_human);
    } else {
        let outside = painter.layout_no_wrap(words.join(" "), font, p.text);
        let at = rect.right_center() + vec2(4.0, 0.0);
        let at = Align2::LEFT_CENTER.anchor_size(at, outside.size());
        let next = next.map_or(f32::INFINITY, |f| scale.x(review.time_of(f).secs()));
        if at.right() + 4.0 <= next {
            painter.galley(at.min, outside, p.text);
        }
    }
}

/// What lies under the pointer.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Under {
    End(AnnotationId, Edge),
    Bar(AnnotationId),
    Candidate(SpotKey),
}

fn under(
    review: &Review,
    at: egui::Pos2,
    (scale, names): (Scale, &[&str]),
    blind: bool,
) -> Option<Under> {
    for (row, name) in names.iter().enumerate() {
        let row = scale.row(row);
        if !row.y_range().contains(at.y) {
            continue;
        }
        // What is worked on is taken first where bars lie over each other.
        let mut list: Vec<&Annotation> = own(review, name).collect();
        list.sort_by_key(|a| review.marked != Some(a.id));
        for a in list {
            let rect = scale.bar(review, (a.onset, a.offset), row);
            let near = |x: f32| (at.x - x).abs() <= GRIP;
            // In a narrow bar the ends are taken outside, the apex not at all.
            let inner = rect.width() > 4.0 * GRIP;
            let apex = a.apex.map(|apex| scale.x(review.time_of(apex).secs()));
            let edge = if near(rect.left()) && (inner || at.x <= rect.center().x) {
                Some(Edge::Onset)
            } else if near(rect.right()) {
                Some(Edge::Offset)
            } else if inner && apex.is_some_and(near) {
                Some(Edge::Apex)
            } else {
                None
            };
            if let Some(edge) = edge {
                return Some(Under::End(a.id, edge));
            }
            if rect.x_range().contains(at.x) {
                return Some(Under::Bar(a.id));
            }
        }
    }
    let row = scale.row(names.len());
    if blind || !row.y_range().contains(at.y) {
        return None;
    }
    let mut spots = review.spots.iter().filter(|s| review.above_floor(s));
    spots
        .find(|s| {
            let rect = scale.bar(review, (s.onset, s.offset), row);
            rect.expand(2.0).contains(at)
        })
        .map(|s| Under::Candidate(SpotKey::of(s)))
}

fn interact(
    ui: &Ui,
    (state, review): (&AppState, &Review),
    response: &Response,
    (scale, names): (Scale, &[&str]),
    memory: Id,
    out: &mut Vec<Command>,
) {
    let secs = |x: f32| scale.secs(x);
    if let Some(at) = response.hover_pos() {
        let per_point = scale.view.span() / f64::from(scale.area.width());
        timeline_input::wheel(ui, review, secs(at.x), per_point, out);
    }
    let blind = state.blind();
    let mine = |id| {
        let annotation = review.coding.get(id);
        annotation.is_some_and(|a| a.coder == state.settings.coder)
    };
    let what = |at| under(review, at, (scale, names), blind);
    let selecting = memory.with("selecting");
    if response.drag_started()
        && let Some(at) = ui.input(|i| i.pointer.press_origin())
    {
        match what(at) {
            Some(Under::End(id, edge)) if mine(id) => {
                let frame = review.frame_near(secs(at.x));
                let dragged = Dragged {
                    id,
                    edge,
                    frame,
                    cursor: review.playback.frame,
                };
                ui.data_mut(|d| d.insert_temp(memory, dragged));
                out.push(Command::Code(Coded::Mark(id)));
            }
            _ => {
                ui.data_mut(|d| d.insert_temp(selecting, secs(at.x)));
            }
        }
    }
    // Esc, another room: what is not held any more is not moved.
    let held = response.dragged() || response.drag_stopped();
    if !held || ui.input(|i| i.key_pressed(egui::Key::Escape)) {
        ui.data_mut(|d| d.remove::<Dragged>(memory));
    }
    let dragged: Option<Dragged> = ui.data(|d| d.get_temp(memory));
    if let Some(at) = response.interact_pointer_pos()
        && response.dragged()
    {
        if let Some(dragged) = dragged {
            let frame = snapped((review, blind), dragged, at.x, scale);
            ui.data_mut(|d| d.insert_temp(memory, Dragged { frame, ..dragged }));
            // The picture follows the end: it is placed by eye.
            if frame != dragged.frame {
                out.push(Command::Seek(frame));
            }
        } else if let Some(from) = ui.data(|d| d.get_temp::<f64>(selecting)) {
            out.push(Command::SelectTime(Some((from, secs(at.x)))));
        }
    }
    if response.drag_stopped() {
        if let Some(Dragged {
            id, edge, frame, ..
        }) = dragged
        {
            out.push(Command::Code(Coded::Drag(id, edge, frame)));
        }
        ui.data_mut(|d| {
            d.remove::<Dragged>(memory);
            d.remove::<f64>(selecting);
        });
    }
    if let Some(at) = response.hover_pos() {
        let under = what(at);
        if matches!(under, Some(Under::End(id, _)) if mine(id)) || dragged.is_some() {
            ui.set_cursor_icon(CursorIcon::ResizeHorizontal);
        }
        if response.double_clicked() {
            if let Some(Under::Bar(id) | Under::End(id, _)) = under
                && let Some(a) = review.coding.get(id)
            {
                let span = (
                    review.time_of(a.onset).secs(),
                    review.time_of(a.offset).secs(),
                );
                let fit = TimeView::fitting(span.0, span.1, review.limits());
                out.push(Command::LookAt(Some(fit)));
            }
        } else if response.clicked() {
            match under {
                Some(Under::End(id, edge)) => {
                    out.push(Command::Code(Coded::Select(Some(id))));
                    let at = review.coding.get(id).map(|a| match edge {
                        Edge::Onset => a.onset,
                        Edge::Apex => a.apex.unwrap_or(a.onset),
                        Edge::Offset => a.offset,
                    });
                    out.extend(at.map(Command::Seek));
                }
                Some(Under::Bar(id)) => out.push(Command::Code(Coded::Select(Some(id)))),
                Some(Under::Candidate(key)) => out.push(Command::Select(Some(key))),
                None => {
                    out.push(Command::SelectTime(None));
                    out.push(Command::SeekSecs(secs(at.x)));
                }
            }
        }
    }
    readout(review, response, scale, dragged);
}

/// The frame under the pointer, or the cursor's or another end's where one is near.
fn snapped(
    (review, blind): (&Review, bool),
    Dragged { id, cursor, .. }: Dragged,
    x: f32,
    scale: Scale,
) -> u64 {
    let coder = review.coding.get(id).map(|a| &a.coder);
    let of = |a: &Annotation| [a.onset, a.offset].into_iter().chain(a.apex);
    let others = review
        .coding
        .annotations()
        .iter()
        .filter(|a| a.id != id && (!blind || Some(&a.coder) == coder));
    let hidden = |_: &&crate::spotting::SpottedInterval| !blind;
    let candidates = review
        .spots
        .iter()
        .filter(hidden)
        .flat_map(|s| [s.onset, s.apex, s.offset]);
    let near = (others.flat_map(of))
        .chain([cursor])
        .chain(candidates)
        .map(|frame| {
            let off = (scale.x(review.time_of(frame).secs()) - x).abs();
            (frame, off)
        })
        .filter(|(_, off)| *off <= SNAP)
        .min_by(|a, b| a.1.total_cmp(&b.1));
    near.map_or_else(|| review.frame_near(scale.secs(x)), |(frame, _)| frame)
}

fn readout(review: &Review, response: &Response, scale: Scale, dragged: Option<Dragged>) {
    let Some(at) = response.hover_pos() else {
        return;
    };
    let frame = dragged.map_or_else(|| review.frame_near(scale.secs(at.x)), |d| d.frame);
    let text = format!(
        "{}  frame {}",
        review.time_of(frame).clock(),
        grouped(frame)
    );
    response.clone().on_hover_ui_at_pointer(|ui| {
        let figures = egui::RichText::new(text).text_style(theme::small_mono());
        ui.add(egui::Label::new(figures).extend());
    });
}
