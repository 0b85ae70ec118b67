//! Where the network looked in the selected candidate, laid over the face on the
//! screen. Pure: nothing here paints.

use egui::{Color32, ColorImage};

use super::review::Review;
use super::theme;
use crate::base::{Plane, Point};
use crate::explain::on_face::FaceMap;
use crate::face::Landmarks;
use crate::facs::ActionUnit;
use crate::motion::heat::Heat;

/// Below this share of the strongest place nothing is drawn.
const LEAST: f32 = 0.05;
/// From this share on the map is as opaque as it gets.
const FULL: f32 = 0.6;
const OPAQUE: f32 = 0.62;
/// Pixels of the drawn picture a cell of the map: values, not colours, are smoothed.
const FINER: usize = 8;

/// What the overlay shows of the frame on the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Attention {
    Laid {
        unit: ActionUnit,
        /// Upper left, upper right, lower right, lower left; image pixels with whole
        /// pixel centres.
        corners: [Point; 4],
    },
    /// Why there is none.
    Absent(String),
}

/// For the frame on the screen, which may lie outside of the candidate.
#[must_use]
pub fn of(review: &Review) -> Attention {
    let absent = |why: &str| Attention::Absent(format!("Attention: {why}"));
    let Some(spot) = review.selected_spot() else {
        return absent("select a candidate");
    };
    let Some(recognised) = review.recognised_in(spot) else {
        return absent(if review.recording.finished {
            "no action units were read of this candidate"
        } else {
            "not read yet"
        });
    };
    let Some(attention) = &recognised.attention else {
        return absent("none was told of this candidate");
    };
    let shown = review.playback.picture.as_ref().map(|p| p.index);
    let Some(frame) = shown.filter(|f| (spot.onset..=spot.offset).contains(f)) else {
        return absent(&format!(
            "shown from frame {} to {}",
            spot.onset, spot.offset
        ));
    };
    let Some(laid) = FaceMap::on_flow_image(attention.map.clone(), &attention.framing) else {
        return absent("it lies nowhere on the face");
    };
    let held = |frame| {
        let face = review.recording.frame(frame)?.face.as_ref()?;
        Some(steady(face.landmarks.as_deref()?))
    };
    // The framing is the onset's; the head may have gone on since.
    let (dx, dy) = match (held(recognised.onset), held(frame)) {
        (Some(from), Some(to)) => (to.x - from.x, to.y - from.y),
        _ => (0.0, 0.0),
    };
    Attention::Laid {
        unit: attention.unit,
        corners: laid.corners().map(|p| Point::new(p.x + dx, p.y + dy)),
    }
}

/// The middle of nose and corners of the eyes, which hardly any expression moves.
fn steady(landmarks: &Landmarks) -> Point {
    let points = &landmarks.0;
    let fixed = || {
        points[27..36]
            .iter()
            .chain([&points[36], &points[39], &points[42], &points[45]])
    };
    let count = fixed().count() as f32;
    let (x, y) = fixed().fold((0.0, 0.0), |(x, y), p| (x + p.x, y + p.y));
    Point::new(x / count, y / count)
}

/// The map in the palette's colours, clear where it is weak, so that the face stays in sight.
#[must_use]
pub fn picture(map: &Plane, heat: Heat) -> ColorImage {
    let size = [FINER * map.width, FINER * map.height];
    let at = |i: usize| (i as f32 + 0.5) / FINER as f32 - 0.5;
    let pixels = (0..size[0] * size[1])
        .map(|i| {
            let value = map.bilinear(at(i % size[0]), at(i / size[0]));
            let share = ((value - LEAST) / (FULL - LEAST)).clamp(0.0, 1.0);
            // Rises smoothly: a weak ground would lie on the face as a veil.
            let share = share * share * (3.0 - 2.0 * share);
            theme::from_rgb(heat.color(value)).gamma_multiply(OPAQUE * share)
        })
        .collect::<Vec<Color32>>();
    ColorImage::new(size, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_places_are_clear_and_strong_ones_let_the_face_through() {
        let mut map = Plane::zeros(28, 28);
        map.row_mut(7)[10] = 1.0;
        let image = picture(&map, Heat::Viridis);
        assert_eq!(image.size, [224, 224]);
        let pixel = |x: usize, y: usize| image.pixels[y * 224 + x];
        assert_eq!(pixel(4, 4), Color32::TRANSPARENT);
        let middle = pixel(10 * 8 + 4, 7 * 8 + 4);
        assert!((100..230).contains(&middle.a()), "{middle:?}");
        assert!(
            middle.g() > middle.b(),
            "the upper end of viridis is yellow"
        );
        let other = picture(&map, Heat::Inferno);
        assert_ne!(other.pixels[(7 * 8 + 4) * 224 + 10 * 8 + 4], middle);
    }
}
