//! What other networks say of the selected candidate, or of a camera's newest one, each with what it alone can show:
//! UAMRN's γ and attention, MoExt's rebuilt apex beside the true one.

use std::sync::Arc;

use egui::{
    Align2, Color32, FontSelection, Galley, Image, Label, Rect, Response, RichText, Role, Sense,
    Stroke, StrokeKind, TextStyle, TextWrapMode, TextureHandle, Ui, WidgetInfo, WidgetText, pos2,
    vec2,
};

use crate::app::command::Command;
use crate::app::panels::source::grouped;
use crate::app::review::Review;
use crate::app::second_look::{self as show, SecondLookView};
use crate::app::theme::{self, Palette};
use crate::app::widgets::row;
use crate::app::widgets::textures::OpinionTextures;
use crate::base::Plane;
use crate::recognition::second_look::{MagnifiedLook, PASSES, RebuiltApex};
use crate::recognition::{Recognition, SecondOpinion};
use crate::timeline::event::Recognised;

/// Beneath a picture.
const CAPTION: f32 = 14.0;
/// The widest a small matrix or picture gets, points.
const SMALL: f32 = 96.0;
/// The widest the large matrix gets.
const LARGE: f32 = 256.0;
/// Left of the large matrix.
const AXIS: f32 = 28.0;

/// Under the units where nobody looks a second time.
pub const HINT: &str = "Other networks can look, too: see Settings.";

const GAMMA: &str = "How unsure UAMRN is: how far its passes with different dropout contradict \
                     each other and how much noise each one admits, in squared logits, the mean \
                     over units and classes. 0 is sure; compare candidates of one recording.";
const ATTENTION: &str = "UAMRN sees the candidate magnified by growing factors. A row is the \
                         picture that looks, a column the one looked at; only pairs that fall \
                         into one hash bucket meet, the others stay empty.";
const REBUILT: &str = "MoExt has to rebuild the apex from the texture of the onset and the motion \
                       alone. Where the rebuilt one moves as the true one does, it has understood \
                       the motion.";

const GONE: &str = "Its pictures are gone: a camera's are kept for half a minute.";

/// Of the selected candidate.
pub(super) fn contents(
    ui: &mut Ui,
    review: &Review,
    (view, textures): (SecondLookView, &[OpinionTextures]),
    out: &mut Vec<Command>,
) {
    ui.spacing_mut().item_spacing.y = theme::GRID;
    // The bar that scrolls lies over what is there.
    ui.set_max_width(ui.available_width() - theme::GAP);
    let recognised = match missing(review) {
        Ok(recognised) => recognised,
        Err(why) => {
            sentence(ui, why);
            return;
        }
    };
    if review.selected.is_none() {
        newest(ui, review, recognised);
    }
    first_look(ui, recognised);
    for (at, opinion) in recognised.second_look.iter().enumerate() {
        ui.add_space(theme::GRID);
        one(ui, opinion, (view, textures.get(at)), out);
    }
    ui.add_space(theme::GRID);
}

/// What is shown, or why nothing is.
fn missing(review: &Review) -> Result<&Recognised, &'static str> {
    let known = show::shown(review);
    let looked = known.filter(|known| !known.second_look.is_empty());
    let live = review.session.info.live;
    looked.ok_or(match (review.selected_spot(), known) {
        (None, _) if live => {
            "The newest candidate appears here once it has been looked at again; the log says \
             where there will be none."
        }
        (None, _) => "Select a candidate: the second look is at candidates.",
        (Some(_), known) if known.is_some() && live => {
            "No second look at this candidate yet; the log says where there will be none."
        }
        (Some(_), known) if known.is_some() || review.recording.finished => {
            "No second look at this candidate: the log says why."
        }
        (Some(_), _) => "This candidate is not read yet.",
    })
}

/// A camera's newest candidate, which nobody selected.
fn newest(ui: &mut Ui, review: &Review, recognised: &Recognised) {
    let seen = review.playback.picture.as_ref().map(|p| p.timestamp);
    let secs = seen.map_or(0.0, |t| t.secs_since(review.time_of(recognised.apex)));
    let text = format!(
        "Of the newest candidate, frame {} to {}, {:.0} s ago",
        grouped(recognised.onset),
        grouped(recognised.apex),
        secs.max(0.0)
    );
    small(ui, &text);
    ui.add_space(theme::GRID);
}

fn sentence(ui: &mut Ui, text: &str) {
    ui.add(Label::new(row::weak(ui, text)).wrap());
}

/// To compare with.
fn first_look(ui: &mut Ui, recognised: &Recognised) {
    heading(ui, "AU-Flow", "the first look");
    says(ui, "AU-Flow", &recognised.recognition);
}

fn one(
    ui: &mut Ui,
    opinion: &SecondOpinion,
    (view, textures): (SecondLookView, Option<&OpinionTextures>),
    out: &mut Vec<Command>,
) {
    let title = show::title(&opinion.network);
    heading(ui, title, &opinion.weights);
    if let Some(said) = &opinion.recognition {
        says(ui, title, said);
    }
    if let Some(look) = &opinion.magnified {
        let gamma = format!("γ {:.3} squared logits, of {PASSES} passes", look.gamma);
        small(ui, &gamma).on_hover_text(GAMMA);
        let handles = textures.map_or(&[][..], |t| &t.matrices);
        matrices(ui, look, (view, handles), out);
    }
    if let Some(rebuilt) = &opinion.rebuilt {
        apexes(ui, rebuilt, (view, textures), out);
    }
}

/// A network's name, and of which weights it is.
fn heading(ui: &mut Ui, title: &str, weights: &str) {
    let p = Palette::current(ui);
    let strong = galley(ui, RichText::new(title).strong().color(p.text));
    let wide = strong.size().x + theme::GAP;
    let weak = row::weak(ui, weights);
    let rest = WidgetText::from(weak).into_galley(
        ui,
        Some(TextWrapMode::Truncate),
        (ui.available_width() - wide).max(0.0),
        FontSelection::Default,
    );
    let high = strong.size().y;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), high), Sense::hover());
    labelled(
        ui,
        response,
        rect,
        Role::Label,
        &format!("{title}, {weights}"),
    );
    let drop = high - rest.size().y - 1.0;
    ui.painter().galley(rect.min, strong, p.text);
    let at = pos2(rect.left() + wide, rect.top() + drop);
    ui.painter().galley(at, rest, p.weak);
}

/// The units and the class in a line, all of them on hover.
fn says(ui: &mut Ui, title: &str, said: &Recognition) {
    let p = Palette::current(ui);
    let words = show::words(said);
    let ink = if said.present().is_empty() {
        p.weak
    } else {
        p.text
    };
    let text = galley(ui, RichText::new(&words).color(ink));
    let response = text_line(ui, text, &format!("{title}: {words}"), ink);
    response.on_hover_text(show::all_words(said));
}

fn small(ui: &mut Ui, text: &str) -> Response {
    let p = Palette::current(ui);
    let weak = row::weak(ui, text);
    let galley = galley(ui, weak);
    text_line(ui, galley, text, p.weak)
}

/// Text as wide as the column.
fn galley(ui: &Ui, text: RichText) -> Arc<Galley> {
    let wrap = Some(TextWrapMode::Wrap);
    WidgetText::from(text).into_galley(ui, wrap, ui.available_width(), FontSelection::Default)
}

fn text_line(ui: &mut Ui, galley: Arc<Galley>, label: &str, ink: Color32) -> Response {
    let size = vec2(ui.available_width(), galley.size().y);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let response = labelled(ui, response, rect, Role::Label, label);
    ui.painter().galley(rect.min, galley, ink);
    response
}

/// Named for those who do not see it, as far as it is in sight.
fn labelled(ui: &Ui, response: Response, rect: Rect, role: Role, label: &str) -> Response {
    let response = response.with_new_rect(row::in_sight(ui, rect));
    response.widget_info(|| WidgetInfo::labeled(role, true, label));
    if response.gained_focus() {
        // The keyboard reaches what is scrolled out of sight too.
        ui.scroll_to_rect(rect, None);
    }
    response
}

/// All of them small, a column a block and a row a head; or the one that was chosen.
fn matrices(
    ui: &mut Ui,
    look: &MagnifiedLook,
    (view, handles): (SecondLookView, &[Vec<TextureHandle>]),
    out: &mut Vec<Command>,
) {
    let chosen = view.enlarged.and_then(|[block, head]| {
        let matrix = look.attention.get(block)?.get(head)?;
        Some((matrix, handles.get(block)?.get(head)?, [block, head]))
    });
    let full = show::greatest(look);
    if let Some((matrix, handle, [block, head])) = chosen {
        let width = (ui.available_width() - AXIS).min(LARGE).floor();
        let size = vec2(AXIS + width, width + CAPTION);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let square = Rect::from_min_size(rect.min + vec2(AXIS, CAPTION), vec2(width, width));
        axes(ui, look, matrix, square);
        let name = format!("block {}, head {}", block + 1, head + 1);
        let response = labelled(
            ui,
            response,
            rect,
            Role::Button,
            &spoken(look, matrix, &name),
        );
        paint_matrix(ui, handle, square, &response);
        let tip = pointed(ui, look, matrix, square)
            .unwrap_or_else(|| format!("{name}. {ATTENTION} A click shows all of them."));
        if response.on_hover_text(tip).clicked() {
            let view = SecondLookView {
                enlarged: None,
                ..view
            };
            out.push(Command::LookAgain(view));
        }
        small(ui, &format!("{name}: the brightest is {full:.2}"));
        return;
    }
    if look.attention.is_empty() {
        small(ui, GONE);
        return;
    }
    let blocks = look.attention.len().max(1);
    let heads = look.attention.iter().map(Vec::len).max().unwrap_or(0);
    let room = ui.available_width() + theme::GAP;
    let side = (room / blocks as f32 - theme::GAP).min(SMALL).floor();
    for head in 0..heads {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = theme::GAP;
            for (block, of_block) in look.attention.iter().enumerate() {
                let handle = handles.get(block).and_then(|handles| handles.get(head));
                let (Some(matrix), Some(handle)) = (of_block.get(head), handle) else {
                    continue;
                };
                let size = vec2(side, side + CAPTION);
                let (rect, response) = ui.allocate_exact_size(size, Sense::click());
                let square = Rect::from_min_size(rect.min, vec2(side, side));
                let name = format!("block {}, head {}", block + 1, head + 1);
                let spoken = spoken(look, matrix, &name);
                let response = labelled(ui, response, rect, Role::Button, &spoken);
                paint_matrix(ui, handle, square, &response);
                caption(ui, rect, &name);
                let tip = pointed(ui, look, matrix, square)
                    .unwrap_or_else(|| format!("{name}. A click draws it large."));
                if response.on_hover_text(tip).clicked() {
                    let view = SecondLookView {
                        enlarged: Some([block, head]),
                        ..view
                    };
                    out.push(Command::LookAgain(view));
                }
            }
        });
    }
    let ends = [0, look.factors.len().saturating_sub(1)].map(|at| show::times(look, at));
    let text = format!(
        "rows look at columns, {} to {}; brightest {full:.2}",
        ends[0], ends[1]
    );
    small(ui, &text).on_hover_text(ATTENTION);
}

/// A matrix as it is spoken: its strongest cell.
fn spoken(look: &MagnifiedLook, matrix: &Plane, name: &str) -> String {
    let most = show::strongest(matrix).map(|cell| show::cell_words(look, matrix, cell));
    match most {
        Some(most) => format!("Attention of {name}, most: {most}"),
        None => format!("Attention of {name}: no pictures share a bucket"),
    }
}

/// What the cell under the pointer says.
fn pointed(ui: &Ui, look: &MagnifiedLook, matrix: &Plane, square: Rect) -> Option<String> {
    let at = ui.input(|i| i.pointer.hover_pos())?;
    if !square.contains(at) {
        return None;
    }
    let share = (at - square.min) / square.size();
    let cell = |share: f32, count: usize| ((share * count as f32) as usize).min(count - 1);
    let cell = [cell(share.y, matrix.height), cell(share.x, matrix.width)];
    Some(show::cell_words(look, matrix, cell))
}

fn paint_matrix(ui: &Ui, handle: &TextureHandle, square: Rect, response: &Response) {
    let p = Palette::current(ui);
    ui.painter().rect_filled(square, 0.0, p.ground);
    Image::new((handle.id(), square.size())).paint_at(ui, square);
    outline(ui, square, response);
}

/// What can be pressed, and what the keyboard is at.
fn outline(ui: &Ui, square: Rect, response: &Response) {
    let p = Palette::current(ui);
    let stroke = if response.has_focus() {
        Stroke::new(2.0, p.accent)
    } else if response.hovered() {
        Stroke::new(1.0, p.weak)
    } else {
        Stroke::new(1.0, p.hairline)
    };
    ui.painter()
        .rect_stroke(square, 0.0, stroke, StrokeKind::Outside);
}

fn caption(ui: &Ui, rect: Rect, text: &str) {
    let p = Palette::current(ui);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    painter.text(
        rect.center_bottom(),
        Align2::CENTER_BOTTOM,
        text,
        TextStyle::Small.resolve(ui.style()),
        p.weak,
    );
}

/// The magnification at the rows and columns of the large matrix, as many as fit.
fn axes(ui: &Ui, look: &MagnifiedLook, matrix: &Plane, square: Rect) {
    let p = Palette::current(ui);
    let font = TextStyle::Small.resolve(ui.style());
    let cell = square.width() / matrix.width.max(1) as f32;
    let every = (26.0 / cell).ceil().max(1.0) as usize;
    for at in (0..matrix.width).step_by(every) {
        let along = (at as f32 + 0.5) * cell;
        let text = show::times(look, at);
        let places = [
            (
                pos2(square.left() - theme::GRID, square.top() + along),
                Align2::RIGHT_CENTER,
            ),
            (
                pos2(square.left() + along, square.top() - 1.0),
                Align2::CENTER_BOTTOM,
            ),
        ];
        for (place, anchor) in places {
            ui.painter()
                .text(place, anchor, &text, font.clone(), p.weak);
        }
    }
}

/// Onset, true apex and rebuilt apex beside each other, or their differences.
fn apexes(
    ui: &mut Ui,
    rebuilt: &RebuiltApex,
    (view, textures): (SecondLookView, Option<&OpinionTextures>),
    out: &mut Vec<Command>,
) {
    let (names, handles, other) = if view.differences {
        let names = ["true − onset", "rebuilt − onset", "rebuilt − true"];
        (
            names,
            textures.and_then(|t| t.differences.as_ref()),
            "pictures",
        )
    } else {
        let names = ["onset", "true apex", "rebuilt apex"];
        (
            names,
            textures.and_then(|t| t.pictures.as_ref()),
            "differences",
        )
    };
    let off = format!(
        "off by {:.1} grey levels, the onset by {:.1}",
        rebuilt.error(),
        rebuilt.change()
    );
    if rebuilt.pictures.is_none() {
        small(ui, &off);
        small(ui, GONE);
        return;
    }
    let Some(handles) = handles else {
        return;
    };
    let side = ((ui.available_width() - 2.0 * theme::GAP) / 3.0)
        .min(SMALL)
        .floor();
    let size = vec2(3.0 * side + 2.0 * theme::GAP, side + CAPTION);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let spoken = format!("{}: press for the {other}", names.join(", "));
    let response = labelled(ui, response, rect, Role::Button, &spoken);
    for (at, (name, handle)) in names.iter().zip(handles).enumerate() {
        let left = rect.left() + at as f32 * (side + theme::GAP);
        let whole = Rect::from_min_size(pos2(left, rect.top()), vec2(side, size.y));
        let square = Rect::from_min_size(whole.min, vec2(side, side));
        Image::new((handle.id(), square.size())).paint_at(ui, square);
        outline(ui, square, &response);
        caption(ui, whole, name);
    }
    let tip = format!("{REBUILT} A click shows the {other}.");
    if response.on_hover_text(tip).clicked() {
        let view = SecondLookView {
            differences: !view.differences,
            ..view
        };
        out.push(Command::LookAgain(view));
    }
    small(ui, &off);
    if let (true, Some(textures)) = (view.differences, textures) {
        let full = textures.full_scale;
        let legend = format!("amber brighter, blue darker, full at {full:.0}");
        small(ui, &legend);
    }
}
