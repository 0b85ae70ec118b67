//! A small picture, or a quiet place of its size.

use egui::{Align2, Image, Rect, TextStyle, TextureHandle, Ui};

use crate::app::theme::Palette;
use crate::app::widgets::textures::Textures;
use crate::media::stills::Place;
use crate::media::{StillKey, StillShelf};

/// As large as it gets in `rect`, its sides in proportion.
pub fn paint(ui: &Ui, rect: Rect, texture: &TextureHandle) {
    let size = texture.size_vec2().max(egui::Vec2::splat(1.0));
    let by = (rect.width() / size.x).min(rect.height() / size.y);
    let inside = Rect::from_center_size(rect.center(), size * by);
    Image::new((texture.id(), inside.size())).paint_at(ui, inside);
}

/// The still where it is there; its place, with a word where it cannot be read.
pub fn show(ui: &Ui, rect: Rect, key: &StillKey, shelf: &StillShelf, textures: &Textures) {
    match (textures.still(key), shelf.place(key)) {
        (Some(texture), _) => paint(ui, rect, texture),
        (None, Place::Unreadable) if rect.width() < 64.0 => nothing(ui, rect, "–"),
        (None, Place::Unreadable) => nothing(ui, rect, "cannot be read"),
        (None, Place::Awaited | Place::There(_)) => nothing(ui, rect, ""),
    }
}

/// A quiet place as large as the picture would be.
pub fn nothing(ui: &Ui, rect: Rect, why: &str) {
    let p = Palette::current(ui);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    painter.rect_filled(rect, 0.0, p.shade);
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        why,
        TextStyle::Small.resolve(ui.style()),
        p.weak,
    );
}
