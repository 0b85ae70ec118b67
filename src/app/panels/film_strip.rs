//! The frames beside the one on the screen, small, in a row: what changes from one to
//! the next is seen side by side.

use egui::accesskit::Role;
use egui::{Align2, Image, Rect, Sense, Stroke, StrokeKind, TextStyle, Ui, WidgetInfo, pos2, vec2};

use crate::app::command::Command;
use crate::app::film_strip::region;
use crate::app::panels::source::grouped;
use crate::app::review::Review;
use crate::app::theme::{self, Palette};
use crate::app::widgets::textures::Textures;

/// Of the pictures, points.
const PICTURE: f32 = 96.0;
/// Under each its frame.
const NUMBER: f32 = 16.0;
/// The pictures, their numbers and the space above.
pub const HEIGHT: f32 = PICTURE + NUMBER + theme::GAP;

pub fn show(ui: &mut Ui, review: &Review, textures: &Textures, area: Rect, out: &mut Vec<Command>) {
    let p = Palette::current(ui);
    let here = review.playback.frame;
    let Some(strip) = review.strip.as_ref().filter(|strip| strip.around == here) else {
        return;
    };
    let pictures = textures.strip();
    let Some((_, first)) = pictures.first() else {
        return;
    };
    let size = first.size_vec2();
    let width = (PICTURE * size.x / size.y.max(1.0)).round();
    let before = strip.pictures.iter().filter(|(n, _)| *n < here).count() as f32;
    // The frame on the screen keeps the middle, also near an end of the recording.
    let left = area.center().x - 0.5 * width - before * (width + theme::GRID);
    let mut at = left;
    let top = area.bottom() - PICTURE - NUMBER;
    let mut shown_here = false;
    let mut cell = |ui: &mut Ui, frame: u64, at: f32| {
        let rect = Rect::from_min_size(pos2(at, top), vec2(width, PICTURE));
        if !area.expand(1.0).contains_rect(rect) {
            return;
        }
        let response = ui.interact(rect, ui.scope_id().with(("strip", frame)), Sense::click());
        response.widget_info(|| {
            WidgetInfo::labeled(Role::Button, true, format!("Go to frame {frame}"))
        });
        if frame == here {
            original(ui, review, textures, rect);
            ui.painter()
                .rect_stroke(rect, 0.0, Stroke::new(2.0, p.accent), StrokeKind::Outside);
        } else if let Some((_, texture)) = pictures.iter().find(|(n, _)| *n == frame) {
            Image::new((texture.id(), rect.size())).paint_at(ui, rect);
        }
        let ink = if frame == here { p.text } else { p.weak };
        ui.painter().text(
            pos2(rect.center().x, rect.bottom() + 2.0),
            Align2::CENTER_TOP,
            grouped(frame),
            TextStyle::Small.resolve(ui.style()),
            ink,
        );
        if response.clicked() && frame != here {
            out.push(Command::Seek(frame));
        }
    };
    for (frame, _) in &strip.pictures {
        if *frame > here && !shown_here {
            cell(ui, here, at);
            at += width + theme::GRID;
            shown_here = true;
        }
        cell(ui, *frame, at);
        at += width + theme::GRID;
    }
    if !shown_here {
        cell(ui, here, at);
    }
}

/// The same part of the picture on the screen.
fn original(ui: &Ui, review: &Review, textures: &Textures, rect: Rect) {
    let (Some(texture), Some(picture)) = (textures.original(), &review.playback.picture) else {
        return;
    };
    let (w, h) = picture.picture.dimensions();
    let [x, y, pw, ph] = region(review).unwrap_or([0, 0, w, h]).map(|v| v as f32);
    let (w, h) = (w as f32, h as f32);
    let uv = Rect::from_min_max(
        pos2(x / w, y / h),
        pos2(((x + pw) / w).min(1.0), ((y + ph) / h).min(1.0)),
    );
    Image::new((texture.id(), rect.size()))
        .uv(uv)
        .paint_at(ui, rect);
}
