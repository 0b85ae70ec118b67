//! The original with its overlays, and beside it the face magnified and as LED,
//! flow and strain.

use egui::accesskit::Live;
use egui::{
    Align, Color32, Image, Label, Layout, Painter, Pos2, Rect, RichText, Role, Sense, Shape,
    Stroke, StrokeKind, TextStyle, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use super::legend::{ramp, wheel};
use super::{attention, film_strip, magnify, wipe};
use crate::app::arrangement::Arrangement;
use crate::app::backend::PROCESSOR;
use crate::app::command::{Command, Room, View};
use crate::app::regions;
use crate::app::review::Review;
use crate::app::state::AppState;
use crate::app::theme::{self, Palette, over_picture};
use crate::app::widgets::picture_layout::{CAPTION, arrange};
use crate::app::widgets::row;
use crate::app::widgets::textures::Textures;
use crate::base;
use crate::session::magnified_view::{MagnifyMethod, MagnifyView};

/// What is said of ghosts over a small picture.
const GHOSTS: &str = "may show ghosts";

pub fn show(ui: &mut Ui, state: &AppState, textures: &Textures, out: &mut Vec<Command>) {
    let Some(review) = &state.review else {
        return;
    };
    let mut area = ui.available_rect_before_wrap();
    if state.settings.room == Room::Annotate && !review.session.info.live {
        film_strip::show(ui, review, textures, area, out);
        area.max.y -= film_strip::HEIGHT;
    }
    if state.settings.shown.magnified && !state.demonstrates() {
        area.max.y = controls(ui, state, area, out).top() - theme::GAP;
    }
    let info = &review.session.info;
    let (w, h) = review
        .playback
        .picture
        .as_ref()
        .map_or((info.width, info.height), |f| f.picture.dimensions());
    let wiped = state.wiped();
    let aspect = if wiped {
        1.0
    } else {
        (w.max(1) as f32 / h.max(1) as f32).clamp(0.1, 10.0)
    };
    let shown = state.settings.shown;
    let wanted: Vec<View> = [
        (shown.magnified && !wiped, View::Magnified),
        (shown.led, View::Led),
        (shown.flow, View::Flow),
        (shown.strain, View::Strain),
    ]
    .into_iter()
    .filter_map(|(on, view)| on.then_some(view))
    .collect();
    let stacked = state.settings.arrangement == Arrangement::Stacked;
    let layout = arrange(area, aspect, wanted.len(), stacked);
    if wiped {
        wipe::show(ui, state, review, textures, layout.original, out);
    } else {
        original(ui, state, review, textures, layout.original);
    }
    for (view, rect) in wanted.into_iter().zip(layout.views.iter().copied()) {
        // A sentence over a small picture goes on to the next one.
        let others = layout
            .views
            .iter()
            .filter(|other| other.left() > rect.right());
        let free = others.fold(area.right(), |free, other| free.min(other.left()));
        beside(ui, state, review, textures, (view, rect, free - theme::GAP));
    }
}

/// The sliders along the lower edge; gives where they stand.
fn controls(ui: &mut Ui, state: &AppState, area: Rect, out: &mut Vec<Command>) -> Rect {
    let strip = Rect::from_min_max(pos2(area.left(), area.bottom() - magnify::HEIGHT), area.max);
    let p = Palette::current(ui);
    ui.painter().rect_filled(strip, 4.0, p.panel);
    let inside = strip.shrink(theme::GAP);
    ui.scope_builder(
        UiBuilder::new()
            .max_rect(inside)
            .layout(Layout::top_down(Align::Min)),
        |ui| {
            // Wide side panels may leave less than the sliders need.
            egui::ScrollArea::horizontal().show(ui, |ui| magnify::show(ui, state, out))
        },
    );
    strip
}

pub(super) fn caption(ui: &mut Ui, rect: Rect, title: &str, detail: &str) {
    let line = Rect::from_min_max(
        pos2(rect.left(), rect.top() - CAPTION),
        pos2(rect.right(), rect.top() - theme::GRID),
    );
    ui.scope_builder(
        UiBuilder::new()
            .max_rect(line)
            .layout(Layout::left_to_right(Align::Center)),
        |ui| {
            ui.spacing_mut().item_spacing.x = theme::GAP;
            let title = RichText::new(title).text_style(TextStyle::Small);
            let title = ui.add(Label::new(title).truncate());
            let p = Palette::current(ui);
            let font = TextStyle::Small.resolve(ui.style());
            let galley = ui.painter().layout_no_wrap(detail.to_owned(), font, p.weak);
            // Half a sentence says nothing: where it does not fit it is the tooltip.
            if galley.size().x <= ui.available_width() {
                ui.label(galley);
            } else {
                title.on_hover_text(detail);
            }
        },
    );
}

fn original(ui: &mut Ui, state: &AppState, review: &Review, textures: &Textures, rect: Rect) {
    let detail = match (&review.playback.picture, review.face_shown()) {
        (None, _) => "reading the first picture…".to_owned(),
        (Some(_), Some((face, _))) => format!("face confidence {:.0} %", 100.0 * face.confidence),
        (Some(p), None) if review.recording.frame(p.index).is_some() => {
            "no face in this frame".into()
        }
        (Some(_), None) if review.not_analysed().is_some() => "not analysed".into(),
        (Some(_), None) => "not analysed yet".into(),
    };
    let info = &review.session.info;
    let title = if info.live {
        info.name.as_str()
    } else {
        "Original"
    };
    caption(ui, rect, title, &detail);
    let p = Palette::current(ui);
    let Some(texture) = textures.original() else {
        ui.painter().rect_filled(rect, 0.0, p.shade);
        return;
    };
    let mirrored = review.session.info.live && state.settings.mirror;
    let image = Image::new((texture.id(), rect.size())).alt_text("The frame on the screen");
    ui.put(rect, seen(image, mirrored));
    let painter = ui.painter().with_clip_rect(rect);
    let Some(picture) = &review.playback.picture else {
        return;
    };
    let to_screen = Scale {
        rect,
        mirrored,
        by: rect.width() / picture.picture.width().max(1) as f32,
    };
    if state.settings.overlays.attention && !state.blind() {
        let of = (review, state.settings.heat);
        attention::show(ui, of, textures.attention(), rect, |p| to_screen.at(p));
    }
    overlays(&painter, state, review, to_screen);
}

/// As in a mirror, or as it is.
pub(super) fn seen(image: Image<'_>, mirrored: bool) -> Image<'_> {
    if mirrored {
        image.uv(Rect::from_min_max(pos2(1.0, 0.0), pos2(0.0, 1.0)))
    } else {
        image
    }
}

/// Picture pixels to the screen. A pixel's centre has whole coordinates.
#[derive(Clone, Copy)]
struct Scale {
    rect: Rect,
    /// Left and right are exchanged.
    mirrored: bool,
    by: f32,
}

impl Scale {
    fn at(self, p: base::Point) -> Pos2 {
        let from_left = (p.x + 0.5) * self.by;
        let x = if self.mirrored {
            self.rect.right() - from_left
        } else {
            self.rect.left() + from_left
        };
        pos2(x, self.rect.top() + (p.y + 0.5) * self.by)
    }

    fn rect(self, r: base::Rect) -> Rect {
        Rect::from_two_pos(
            self.at(base::Point::new(r.x - 0.5, r.y - 0.5)),
            self.at(base::Point::new(r.right() - 0.5, r.bottom() - 0.5)),
        )
    }
}

fn overlays(painter: &Painter, state: &AppState, review: &Review, scale: Scale) {
    let on = state.settings.overlays;
    let Some(picture) = &review.playback.picture else {
        return;
    };
    let Some(record) = review.recording.frame(picture.index) else {
        return;
    };
    if on.face_box {
        for other in &record.others {
            outlined_box(
                painter,
                scale.rect(other.rect),
                over_picture::OTHER_FACE,
                "not analysed",
            );
        }
    }
    let Some((face, crop)) = review.face_shown() else {
        return;
    };
    if on.face_box {
        outlined_box(painter, scale.rect(face.rect), over_picture::FACE, "");
    }
    if on.regions
        && let Some(crop) = crop
        && let Some(image_from_crop) = crop.crop_from_image.inverse()
    {
        for region in regions::outlines(crop) {
            let points: Vec<Pos2> = region
                .outline
                .iter()
                .map(|p| scale.at(image_from_crop.apply(*p)))
                .collect();
            outline(painter, &points, over_picture::REGION);
            if let Some(top) = points.iter().copied().min_by(|a, b| a.y.total_cmp(&b.y)) {
                tag(painter, top, region.name, over_picture::REGION);
            }
        }
    }
    if on.landmarks
        && let Some(landmarks) = &face.landmarks
    {
        let radius = (0.006 * scale.rect(face.rect).width()).clamp(1.0, 2.0);
        for point in &landmarks.0 {
            let at = scale.at(*point);
            painter.circle_filled(at, radius + 1.0, over_picture::HALO);
            painter.circle_filled(at, radius, over_picture::LANDMARK);
        }
    }
}

fn outlined_box(painter: &Painter, rect: Rect, ink: Color32, name: &str) {
    painter.rect_stroke(
        rect,
        0.0,
        Stroke::new(3.0, over_picture::HALO),
        StrokeKind::Middle,
    );
    painter.rect_stroke(rect, 0.0, Stroke::new(1.5, ink), StrokeKind::Middle);
    if !name.is_empty() {
        tag(painter, rect.left_top(), name, ink);
    }
}

fn outline(painter: &Painter, points: &[Pos2], ink: Color32) {
    painter.add(Shape::closed_line(
        points.to_vec(),
        Stroke::new(3.0, over_picture::HALO),
    ));
    painter.add(Shape::closed_line(points.to_vec(), Stroke::new(1.0, ink)));
}

/// A word on a dark ground, standing on a point.
fn tag(painter: &Painter, at: Pos2, text: &str, ink: Color32) {
    let font = egui::FontId::proportional(11.0);
    let galley = painter.layout_no_wrap(text.to_owned(), font, ink);
    let rect = Rect::from_min_size(at - vec2(0.0, galley.size().y + 2.0), galley.size());
    painter.rect_filled(rect.expand2(vec2(3.0, 1.0)), 2.0, over_picture::HALO);
    painter.galley(rect.min, galley, ink);
}

fn beside(
    ui: &mut Ui,
    state: &AppState,
    review: &Review,
    textures: &Textures,
    (view, rect, free): (View, Rect, f32),
) {
    let views = &review.views;
    let (title, detail, texture) = match view {
        View::Magnified => ("Magnified", String::new(), textures.magnified()),
        View::Led => (
            "LED band-pass",
            if views.led_device.is_empty() {
                String::new()
            } else {
                format!(
                    "on {}; blue grows darker, yellow brighter",
                    place(&views.led_device)
                )
            },
            textures.led(),
        ),
        View::Flow => (
            "Flow",
            "hue: direction, saturation: length".to_owned(),
            textures.flow(),
        ),
        View::Strain => ("Strain", "of the flow".to_owned(), textures.strain()),
    };
    match view {
        View::Magnified => magnified_caption(ui, state, (rect, free), title),
        View::Led | View::Flow | View::Strain => caption(ui, rect, title, &detail),
    }
    let Some(texture) = texture else {
        in_its_place(ui, rect, missing(review, view));
        return;
    };
    let mirrored = review.session.info.live && state.settings.mirror;
    let image = Image::new((texture.id(), rect.size())).alt_text(format!("{title} view"));
    ui.put(rect, seen(image, mirrored));
    let painter = ui.painter().with_clip_rect(rect);
    of_another_frame(ui, state, review, rect);
    match view {
        View::Magnified | View::Led => {}
        View::Flow => wheel(
            ui,
            &painter,
            (textures.wheel(), mirrored),
            rect,
            views.flow_full_scale_px,
        ),
        View::Strain => {
            let text = format!("0 to {:.3} px/px", views.strain_full_scale);
            ramp(&painter, rect, views.strain_heat, &text);
        }
    }
}

/// In the upper left corner: that the picture is of another frame than the original.
pub(super) fn of_another_frame(ui: &Ui, state: &AppState, review: &Review, rect: Rect) {
    let Some(words) = review.views_of_another(state.now) else {
        return;
    };
    // The words stand on their lower edge.
    let at = rect.left_top() + vec2(theme::GAP, theme::SECTION);
    let painter = ui.painter().with_clip_rect(rect);
    tag(&painter, at, &words, over_picture::TEXT);
    let ground = Rect::from_min_max(rect.min, pos2(rect.right(), at.y));
    let at = (rect.left() as i32, rect.top() as i32);
    let id = ui.scope_id().with(("another frame", at));
    let response = ui.interact(ground, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
}

/// Why there is no picture, where it would stand.
pub(super) fn in_its_place(ui: &mut Ui, rect: Rect, why: &str) {
    let p = Palette::current(ui);
    ui.painter().rect_filled(rect, 0.0, p.shade);
    ui.scope_builder(
        UiBuilder::new()
            .max_rect(rect.shrink(theme::GAP))
            .layout(Layout::centered_and_justified(egui::Direction::TopDown)),
        |ui| ui.add(Label::new(row::weak(ui, why)).wrap()),
    );
}

/// The name over the magnified picture, and what is larger in it; or that it is to be taken
/// with care: over the picture that would hide what moved. `free` is how far to the right
/// nothing else stands.
pub(super) fn magnified_caption(
    ui: &mut Ui,
    state: &AppState,
    (rect, free): (Rect, f32),
    title: &str,
) {
    let ghosts = state.review.as_ref().map(|review| &review.ghosts);
    let said = ghosts.and_then(|g| Some((g.brief(state.now)?, g.note(state.now)?)));
    let Some((brief, note)) = said else {
        caption(ui, rect, title, &magnified_detail(&state.settings.magnify));
        return;
    };
    let ink = Palette::current(ui).amber;
    let font = TextStyle::Small.resolve(ui.style());
    let lay = |words: &str| {
        let painter = ui.painter();
        painter.layout_no_wrap(words.to_owned(), font.clone(), ink)
    };
    // Where the picture is small the name gives way, and then half of the sentence.
    let name = lay(title).size().x + theme::GAP;
    let room = free.max(rect.right()) - rect.left();
    let fits = |words: &str, beside: f32| lay(words).size().x + beside <= room;
    let (words, named) = if fits(&brief, name) {
        (brief.as_str(), true)
    } else if fits(&brief, 0.0) {
        (brief.as_str(), false)
    } else {
        (GHOSTS, fits(GHOSTS, name))
    };
    let galley = lay(words);
    let size = galley.size();
    caption(ui, rect, if named { title } else { "" }, "");
    let left = rect.left() + if named { name } else { 0.0 };
    let line = Rect::from_min_max(
        pos2(left, rect.top() - CAPTION),
        pos2(left + size.x, rect.top() - theme::GRID),
    );
    let at = pos2(left, line.center().y - 0.5 * size.y);
    ui.painter().galley(at, galley, ink);
    let response = ui.interact(line, ui.scope_id().with("ghosts"), Sense::hover());
    let response = response.on_hover_text(&note);
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, &note));
    // A screen reader says it although the focus is elsewhere.
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_live(Live::Polite));
}

/// Short and the same everywhere: the adapter's full name stands in the strip.
pub(super) fn place(device: &str) -> &str {
    match device.split(':').next().unwrap_or(device).trim() {
        "processor" => PROCESSOR,
        other => other,
    }
}

/// What is larger, and by how much.
fn magnified_detail(with: &MagnifyView) -> String {
    match with.method {
        MagnifyMethod::Evm => format!(
            "{:.1}× the change between {:.2} and {:.2} Hz",
            with.alpha, with.low_hz, with.high_hz
        ),
        MagnifyMethod::Glmm => format!("{:.1}× the motion of the last half second", with.sigma),
    }
}

pub(super) fn missing(review: &Review, view: View) -> &str {
    if let (View::Magnified, Some(why)) = (view, &review.views.magnify_trouble) {
        return why;
    }
    let analysed = review
        .playback
        .picture
        .as_ref()
        .and_then(|p| review.recording.frame(p.index));
    match analysed {
        None => "Drawn once this frame is analysed",
        Some(r) if r.face.is_none() => "No face in this frame",
        Some(r) if r.frame == review.views.frame && review.views_count > 0 => {
            "Needs a frame before this one"
        }
        Some(_) => "Being computed",
    }
}
