//! Where the network looked, in the selected candidate or just before the frame on the
//! screen, laid over the face. Pure: nothing here paints.

use egui::{Color32, ColorImage};

use super::review::Review;
use super::theme;
use crate::base::{Plane, Point};
use crate::explain::on_face::FaceMap;
use crate::face::Landmarks;
use crate::facs::ActionUnit;
use crate::motion::heat::Heat;
use crate::recognition::{Attention as Read, FaceReader};
use crate::session::moment_attention::{MomentAttention, MomentWish, SeenFace};
use crate::spotting::SpottedInterval;
use crate::timeline::FrameRecord;

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
        /// Of a candidate in which none stands out it is the likeliest.
        stands_out: bool,
        /// Where the motion is shorter than what the bars read, its length, seconds.
        over_secs: Option<f64>,
        /// Upper left, upper right, lower right, lower left; image pixels with whole
        /// pixel centres.
        corners: [Point; 4],
    },
    /// Why there is none.
    Absent(String),
}

/// For the frame on the screen: of the selected candidate, else of what moved just before
/// the frame, as the bars show it.
#[must_use]
pub fn of(review: &Review) -> Attention {
    let found = match review.selected_spot() {
        Some(spot) => of_candidate(review, spot),
        None => of_moment(review),
    };
    found.unwrap_or_else(|why| Attention::Absent(format!("Attention: {why}")))
}

/// The frame may lie outside of the candidate.
fn of_candidate(review: &Review, spot: &SpottedInterval) -> Result<Attention, String> {
    let recognised = review.recognised_in(spot).ok_or_else(|| {
        let why = if review.recording.finished {
            "no action units were read of this candidate"
        } else {
            "not read yet"
        };
        why.to_owned()
    })?;
    let attention = recognised.attention.as_ref();
    let attention = attention.ok_or(if review.session.info.live {
        "a camera's is kept for half a minute"
    } else {
        "none was told of this candidate"
    })?;
    let shown = review.playback.picture.as_ref().map(|p| p.index);
    let inside = shown.is_some_and(|f| (spot.onset..=spot.offset).contains(&f));
    if !inside {
        return Err(format!(
            "shown from frame {} to {}",
            spot.onset, spot.offset
        ));
    }
    let onset = review.recording.frame(recognised.onset);
    let onset = onset.and_then(|record| record.face.as_ref()?.landmarks.as_deref());
    let mut units = recognised.recognition.units.iter();
    let stands_out = units.any(|read| read.unit == attention.unit && read.present);
    laid(review, (attention, stands_out), onset, None)
}

/// What was found of a moment so near stands in while the network still looks.
const NEAR_SECS: f64 = 0.35;
/// The bars read what moved in 0.6 s, where the face was there so long.
const SHORT_SECS: f64 = 0.5;
/// And as much later as the network takes, at most so long.
const LATEST_SECS: f64 = 1.0;

fn of_moment(review: &Review) -> Result<Attention, String> {
    unit_at(review)?;
    let picture = review.playback.picture.as_ref();
    let shown = picture.ok_or("reading the first picture…")?.timestamp;
    let near = |m: &&MomentAttention| {
        let late = m.took_secs.min(LATEST_SECS);
        shown.secs_since(m.timestamp).abs() <= NEAR_SECS + late
    };
    let found = review.moment.as_ref().filter(near);
    let found = found.ok_or("the network is looking…")?;
    let attention = found.said.as_ref().map_err(String::clone)?;
    let short = Some(found.back_secs).filter(|secs| *secs < SHORT_SECS);
    laid(review, (attention, true), Some(&found.landmarks), short)
}

/// The unit that stands out most in what moved just before the frame on the screen; why
/// there is none, where none does.
///
/// # Errors
/// In words.
pub(super) fn unit_at(review: &Review) -> Result<ActionUnit, String> {
    if review.selected_spot().is_some() {
        return Err("of the selected candidate".to_owned());
    }
    if !review.reads_units() {
        return Err("reading action units is switched off".to_owned());
    }
    let picture = review.playback.picture.as_ref();
    let t = picture.ok_or("reading the first picture…")?.timestamp;
    let said = review.recording.units_at(t);
    let said = &said
        .ok_or("nothing was read just before this frame")?
        .recognition;
    let unit = FaceReader::likeliest(said).map(|at| &said.units[at]);
    let unit = unit.filter(|unit| unit.present);
    let unit = unit.ok_or("no action unit stands out just now")?;
    Ok(unit.unit)
}

/// Faces at most, evenly in time: where pictures are large or fast only the last of them
/// are at hand.
const FACES: usize = 24;

/// Asks where the network looks for this unit at the frame on the screen.
pub(super) fn wish(review: &Review, unit: ActionUnit) -> Option<Box<MomentWish>> {
    let picture = review.playback.picture.as_ref()?;
    let seen = |record: &FrameRecord| {
        let face = record.face.as_ref()?;
        Some(SeenFace {
            timestamp: record.timestamp,
            rect: face.rect,
            landmarks: Landmarks::clone(face.landmarks.as_deref()?),
        })
    };
    let now = seen(review.recording.frame(picture.index)?)?;
    let back = |r: &FrameRecord| picture.timestamp.secs_since(r.timestamp);
    let records = &review.recording.frames;
    let from = records.partition_point(|r| back(r) > MomentWish::REACH_SECS);
    let records = records[from..].iter().take_while(|r| back(r) > 0.0);
    let fit: Vec<(f64, &FrameRecord)> = records
        .filter_map(|r| Some((MomentWish::backwards(back(r))?, r)))
        .collect();
    let mut before: Vec<_> = fit
        .iter()
        .step_by(fit.len().div_ceil(FACES).max(1))
        .collect();
    before.sort_by(|a, b| a.0.total_cmp(&b.0));
    let params = &review.session.params;
    Some(Box::new(MomentWish {
        unit,
        now,
        before: before.iter().filter_map(|(_, r)| seen(r)).collect(),
        flow: params.flow,
        weights: params.au_weights.clone(),
        sha256: review.session.analysed.recognition.as_ref()?.sha256.clone(),
    }))
}

/// On the face in the frame on the screen; the framing is that of an earlier face, and the
/// head may have gone on since.
fn laid(
    review: &Review,
    (attention, stands_out): (&Read, bool),
    framed: Option<&Landmarks>,
    over_secs: Option<f64>,
) -> Result<Attention, String> {
    let laid = FaceMap::on_flow_image(attention.map.clone(), &attention.framing);
    let laid = laid.ok_or("it lies nowhere on the face")?;
    let shown = review.face_shown();
    let shown = shown.and_then(|(face, _)| face.landmarks.as_deref());
    let (dx, dy) = match (framed.map(steady), shown.map(steady)) {
        (Some(from), Some(to)) => (to.x - from.x, to.y - from.y),
        _ => (0.0, 0.0),
    };
    Ok(Attention::Laid {
        unit: attention.unit,
        stands_out,
        over_secs,
        corners: laid.corners().map(|p| Point::new(p.x + dx, p.y + dy)),
    })
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

/// The map that [`of`] lays, and its number: increases with every other one.
#[must_use]
pub fn map(review: &Review) -> (u64, Option<&Plane>) {
    match review.selected_spot() {
        Some(spot) => {
            let recognised = review.recognised_in(spot);
            let map = recognised.and_then(|r| Some(&r.attention.as_ref()?.map));
            (review.recognised_count, map)
        }
        None => {
            let found = review.moment.as_ref().and_then(|m| m.said.as_ref().ok());
            (review.moment_count, found.map(|a| &a.map))
        }
    }
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
