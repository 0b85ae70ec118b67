//! A picture of a clip: the filmed face, the magnified one beside it, and what they are.

use image::{Rgb, RgbImage, imageops};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ClipError;
use crate::project::plot;
use crate::session::played_face::FacePair;

/// Side of each face, px: smaller and larger ones are resized.
const FACE: u32 = 320;
const PAD: u32 = 8;
/// A line of captions, above and below the faces.
const LINE: u32 = 24;
const TEXT_PX: u32 = 14;

/// Pixels of every picture; both even, as video needs.
pub(super) const SIZE: (u32, u32) = (2 * FACE + 3 * PAD, FACE + 2 * LINE + 2 * PAD);

const GROUND: [u8; 3] = [0x1c, 0x1e, 0x20];
const INK: RGBColor = RGBColor(0xe6, 0xe6, 0xe6);

/// What stands about the faces.
pub(super) struct Captions<'a> {
    /// Above the left and the right face.
    pub(super) above: [&'a str; 2],
    /// Above the right face, at its right end.
    pub(super) speed: &'a str,
    pub(super) below: [&'a str; 2],
}

/// # Errors
/// When the captions cannot be drawn.
pub(super) fn page(faces: &FacePair, captions: &Captions<'_>) -> Result<RgbImage, ClipError> {
    let mut page = RgbImage::from_pixel(SIZE.0, SIZE.1, Rgb(GROUND));
    let left = [PAD, 2 * PAD + FACE];
    for (x, face) in left.into_iter().zip([&faces.filmed, &faces.magnified]) {
        let top = i64::from(PAD + LINE);
        if face.dimensions() == (FACE, FACE) {
            imageops::replace(&mut page, face, i64::from(x), top);
        } else {
            let filter = imageops::FilterType::CatmullRom;
            let face = imageops::resize(face, FACE, FACE, filter);
            imageops::replace(&mut page, &face, i64::from(x), top);
        }
    }
    write(&mut page, left, captions).map_err(|e| ClipError::Captions(e.to_string()))?;
    Ok(page)
}

fn write(
    page: &mut RgbImage,
    left: [u32; 2],
    captions: &Captions<'_>,
) -> Result<(), Box<dyn std::error::Error>> {
    plot::fonts();
    let (above, below) = (PAD + LINE / 2, PAD + LINE + FACE + LINE / 2);
    let area = BitMapBackend::with_buffer(page, SIZE).into_drawing_area();
    let text = |text: &str, at: (u32, u32), from: HPos| {
        let style = ("sans-serif", TEXT_PX).into_font().color(&INK);
        let style = style.pos(Pos::new(from, VPos::Center));
        area.draw_text(text, &style, (at.0 as i32, at.1 as i32))
    };
    for (i, x) in left.into_iter().enumerate() {
        text(captions.above[i], (x, above), HPos::Left)?;
        text(captions.below[i], (x, below), HPos::Left)?;
    }
    text(captions.speed, (left[1] + FACE, above), HPos::Right)?;
    area.present()?;
    Ok(())
}
