//! What the window shows of a second look, as words and pictures. Pure: nothing here
//! paints.

use egui::{Color32, ColorImage};

use super::review::Review;
use super::theme;
use super::widgets::marks;
use crate::base::Plane;
use crate::model::expression_network::Architecture;
use crate::model::{led_resnet18, led_sssnet, moext, sssn, tsdn, uamrn};
use crate::motion::heat::Heat;
use crate::motion::led_view::diverging_image;
use crate::recognition::second_look::{ApexPictures, MagnifiedLook};
use crate::recognition::{ClassReading, Recognition};
use crate::timeline::event::Recognised;

/// Differences of fewer grey levels than this are not blown up to full colour: they are
/// the camera's noise.
const LEAST_SCALE: f32 = 8.0;

/// How the second look is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SecondLookView {
    /// In place of the units that AU-Flow reads.
    pub shown: bool,
    /// Of MoExt's pictures the differences.
    pub differences: bool,
    /// Block and head of the one attention matrix that is drawn large.
    pub enlarged: Option<[usize; 2]>,
}

/// Whose second look is shown: the selected candidate's; while none is, of a camera the
/// newest one's that has been looked at, before the picture where that stands.
#[must_use]
pub fn shown(review: &Review) -> Option<&Recognised> {
    if let Some(spot) = review.selected_spot() {
        return review.recognised_in(spot);
    }
    let live = review.session.info.live;
    let shown = review.playback.picture.as_ref().map_or(0, |p| p.index);
    let newest_first = review.spots.iter().rev();
    let newest_first = newest_first.filter(|spot| live && spot.apex <= shown);
    let looked_at = |spot| {
        review
            .recognised_in(spot)
            .filter(|r| !r.second_look.is_empty())
    };
    newest_first.filter_map(looked_at).next()
}

/// A network's name as papers write it.
#[must_use]
pub fn title(network: &str) -> &str {
    match network {
        led_sssnet::NETWORK => "LED-SSSNet",
        led_resnet18::NETWORK => "LED-ResNet-18",
        sssn::SSSN => "SSSN",
        sssn::DSSN => "DSSN",
        tsdn::NETWORK => "TSDN",
        moext::NETWORK => "MoExt",
        moext::PRETRAINING => "MoExt, rebuilding",
        uamrn::NETWORK => "UAMRN",
        other => other,
    }
}

/// "AU L12 0.81, AU 6 0.55 · positive 0.70": the units that are present, likeliest first,
/// and the class.
#[must_use]
pub fn words(said: &Recognition) -> String {
    let present = said.present();
    let units = present
        .iter()
        .map(|unit| format!("AU {} {:.2}", marks::unit_code(unit), unit.probability));
    let mut words = units.collect::<Vec<_>>().join(", ");
    if present.is_empty() {
        "no unit stands out".clone_into(&mut words);
    }
    if let Some(class) = &said.class {
        words.push_str(" · ");
        match class.label() {
            Some((name, probability)) => words.push_str(&format!("{name} {probability:.2}")),
            None => words.push_str("undecided"),
        }
    }
    words
}

/// Each unit and class with its probability, for a tooltip.
#[must_use]
pub fn all_words(said: &Recognition) -> String {
    let units = said.units.iter();
    let units = units.map(|u| format!("AU {} {:.2}", u.unit.number(), u.probability));
    let class = said.class.as_ref().map(|class: &ClassReading| {
        let named = class.classes.iter().zip(&class.probabilities);
        let named: Vec<String> = named.map(|(name, p)| format!("{name} {p:.2}")).collect();
        format!(
            "\n{}; uncertainty {:.2}",
            named.join(", "),
            class.uncertainty.total
        )
    });
    let units: Vec<String> = units.collect();
    units.join(", ") + &class.unwrap_or_default()
}

/// The greatest value of all matrices, which is drawn in the brightest colour.
#[must_use]
pub fn greatest(look: &MagnifiedLook) -> f32 {
    let planes = look.attention.iter().flatten();
    let values = planes.flat_map(|plane| &plane.data);
    values.copied().fold(0.0, f32::max)
}

/// A matrix in the palette's colours up to `full`, one pixel a cell: who looks from top to bottom, who
/// is looked at from left to right. Pairs that never meet in a bucket are clear.
#[must_use]
pub fn matrix_picture(matrix: &Plane, full: f32, heat: Heat) -> ColorImage {
    let scale = full.max(f32::MIN_POSITIVE);
    let pixels = matrix.data.iter().map(|&value| {
        if value > 0.0 {
            theme::from_rgb(heat.color(value / scale))
        } else {
            Color32::TRANSPARENT
        }
    });
    ColorImage::new([matrix.width, matrix.height], pixels.collect())
}

/// "picture at ×7 looks at ×3: 0.12".
#[must_use]
pub fn cell_words(look: &MagnifiedLook, matrix: &Plane, [looks, at]: [usize; 2]) -> String {
    let value = matrix.at(at, looks);
    let taken = if value > 0.0 {
        format!("{value:.2}")
    } else {
        "never, they share no bucket".to_owned()
    };
    format!(
        "picture at {} looks at {}: {taken}",
        times(look, looks),
        times(look, at)
    )
}

/// How many times a picture of the sequence is magnified, "×7".
#[must_use]
pub fn times(look: &MagnifiedLook, picture: usize) -> String {
    let factor = look.factors.get(picture).copied().unwrap_or_default();
    let whole = (factor - factor.round()).abs() < 0.005;
    if whole {
        format!("×{factor:.0}")
    } else {
        format!("×{factor:.1}")
    }
}

/// The cell of a matrix in which most is taken, as `[looks, at]`; `None` where nothing is:
/// no pictures share a bucket.
#[must_use]
pub fn strongest(matrix: &Plane) -> Option<[usize; 2]> {
    let cells = matrix.data.iter().enumerate();
    let (at, _) = cells
        .max_by(|a, b| a.1.total_cmp(b.1))
        .filter(|(_, v)| **v > 0.0)?;
    Some([at / matrix.width, at % matrix.width])
}

/// Onset, true apex, rebuilt apex, as they are.
#[must_use]
pub fn pictures(of: &ApexPictures) -> [ColorImage; 3] {
    [&of.onset, &of.apex, &of.rebuilt].map(|plane| {
        let grays: Vec<u8> = plane.data.iter().map(|v| v.round() as u8).collect();
        ColorImage::from_gray([plane.width, plane.height], &grays)
    })
}

/// What is added to and taken from the onset at the true and at the rebuilt apex, and
/// what the rebuilt one has too much and too little; with the grey levels in full colour.
#[must_use]
pub fn differences(of: &ApexPictures) -> ([ColorImage; 3], f32) {
    let minus = |one: &Plane, other: &Plane| {
        let pairs = one.data.iter().zip(&other.data);
        Plane::from_vec(one.width, one.height, pairs.map(|(a, b)| a - b).collect())
    };
    let true_change = minus(&of.apex, &of.onset);
    let most = true_change.data.iter().map(|v| v.abs());
    let full = most.fold(LEAST_SCALE, f32::max);
    let planes = [
        true_change,
        minus(&of.rebuilt, &of.onset),
        minus(&of.rebuilt, &of.apex),
    ];
    let images = planes.map(|plane| {
        let image = diverging_image(&plane, full);
        ColorImage::from_rgba_unmultiplied([plane.width, plane.height], image.as_raw())
    });
    (images, full)
}

/// The networks that can take a second look, for the settings.
#[must_use]
pub fn able() -> String {
    let networks = Architecture::all().map(|one| title(one.network()).to_owned());
    let networks: Vec<String> = networks.into();
    networks.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look() -> MagnifiedLook {
        let mut matrix = Plane::filled(3, 3, 0.25);
        matrix.row_mut(1)[2] = 0.5;
        matrix.row_mut(2)[0] = 0.0;
        MagnifiedLook {
            gamma: 0.3,
            factors: vec![2.0, 7.5, 13.0],
            attention: vec![vec![matrix]],
        }
    }

    #[test]
    fn a_cell_says_who_looks_at_whom_and_who_never_meets() {
        let look = look();
        let matrix = &look.attention[0][0];
        assert_eq!(strongest(matrix), Some([1, 2]));
        assert_eq!(
            cell_words(&look, matrix, [1, 2]),
            "picture at ×7.5 looks at ×13: 0.50"
        );
        assert_eq!(
            cell_words(&look, matrix, [2, 0]),
            "picture at ×13 looks at ×2: never, they share no bucket"
        );
        let picture = matrix_picture(matrix, greatest(&look), Heat::Viridis);
        assert_eq!(picture.size, [3, 3]);
        assert_eq!(picture.pixels[6], Color32::TRANSPARENT);
        let [strong, weak] = [5, 0].map(|at: usize| picture.pixels[at]);
        assert!(strong.r() > 200 && weak.r() < 100, "{strong:?} {weak:?}");
    }

    #[test]
    fn differences_share_one_scale_and_noise_is_not_blown_up() {
        let rebuilt = |apex: f32| ApexPictures {
            onset: Plane::filled(2, 2, 100.0),
            apex: Plane::filled(2, 2, apex),
            rebuilt: Plane::filled(2, 2, 100.0),
        };
        let (images, full) = differences(&rebuilt(140.0));
        assert_eq!(full, 40.0);
        let still = images[1].pixels[0];
        assert!(images[0].pixels[0] != still && images[2].pixels[0] != images[0].pixels[0]);
        assert_eq!(differences(&rebuilt(101.0)).1, LEAST_SCALE);
    }
}
