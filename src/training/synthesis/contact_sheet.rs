//! Persons of a recipe side by side, to be looked at.

use image::RgbImage;
use image::imageops::{self, FilterType};

use super::cast::Cast;
use super::head::turn_limits;
use super::recipe::Recipe;
use super::script::Script;
use crate::media::synthetic::{
    Course, Dice, FaceSide, HeadMotion, Jitter, Movement, Shot, ShotSource, Step, Track, UnitMove,
};
use crate::media::{FrameSource, MediaError};

/// Pixels of one picture.
const TILE: (u32, u32) = (200, 150);
/// Recordings beside each other, and pictures of one.
const ACROSS: u32 = 2;
const PICTURES: u32 = 3;

/// When each picture of a sheet is taken: at rest, at the apex, turned.
const REST_SECS: f64 = 0.0;
const APEX_SECS: f64 = 2.0;
const TURNED_SECS: f64 = 5.0;

/// The first `count` recordings of a recipe without the sensor's noise: at rest, with
/// their first expression at its full strength, and turned to the recipe's limits.
///
/// # Errors
/// When a picture cannot be drawn, which does not happen with a checked recipe.
pub fn contact_sheet(recipe: &Recipe, cast: &Cast, count: u32) -> Result<RgbImage, MediaError> {
    // Every tile another person.
    let recipe = Recipe {
        recordings_of_a_person: 1,
        ..recipe.clone()
    };
    let rows = count.div_ceil(ACROSS);
    let mut sheet = RgbImage::new(ACROSS * PICTURES * TILE.0, rows * TILE.1);
    for number in 0..count {
        let mut source = ShotSource::new(posed(&recipe, cast, number));
        for picture in 0..PICTURES {
            let Some(frame) = source.next_frame()? else {
                break;
            };
            let tile = imageops::resize(&*frame.picture, TILE.0, TILE.1, FilterType::CatmullRom);
            let column = (number % ACROSS) * PICTURES + picture;
            let (x, y) = (column * TILE.0, number / ACROSS * TILE.1);
            imageops::replace(&mut sheet, &tile, i64::from(x), i64::from(y));
        }
    }
    Ok(sheet)
}

/// A recording's person, scene and camera with three poses.
fn posed(recipe: &Recipe, cast: &Cast, number: u32) -> Shot {
    let script = Script::draw_with(recipe, number, cast);
    let shot = script.shot;
    let mut dice = Dice::of(&recipe.world, "contact sheet", u64::from(number));
    let units: Vec<UnitMove> = match script.events.first() {
        Some(event) => event.units.clone(),
        None => vec![UnitMove {
            unit: 12,
            side: FaceSide::Both,
            share: 1.0,
        }],
    };
    let exact = Jitter {
        direction_degrees: 0.0,
        place: 0.0,
        strength: 0.0,
        sides: 0.0,
    };
    let course = Course::Levels(vec![(REST_SECS, 0.0), (APEX_SECS, 1.0), (TURNED_SECS, 0.0)]);
    let strong = Movement::of_units(&shot.person, &units, 7.0, &exact, course, &mut dice);
    let mut head = HeadMotion::still();
    let turn = |by: f64| Track {
        steps: vec![Step {
            at: APEX_SECS,
            secs: TURNED_SECS - APEX_SECS,
            by,
        }],
        ..Track::default()
    };
    let (yaw, pitch) = turn_limits(recipe, &shot.person);
    head.yaw = turn(dice.sign() * yaw);
    head.pitch = turn(dice.sign() * 0.7 * pitch);
    let mut camera = shot.camera.clone();
    camera.noise = 0.0;
    Shot {
        times: vec![REST_SECS, APEX_SECS, TURNED_SECS],
        movements: strong.map(|c| c.movement).into_iter().collect(),
        head,
        lids: Course::Levels(Vec::new()),
        gaze_x: Course::Levels(Vec::new()),
        gaze_y: Course::Levels(Vec::new()),
        camera,
        ..shot
    }
}
