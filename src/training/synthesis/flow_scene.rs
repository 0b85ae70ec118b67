//! One flow image: an onset and an apex picture of a face, the motion between them
//! as estimated, reduced to 28×28.

use super::drawn_face::{DrawnFace, LIDS};
use super::draws::{Draws, Hills, smoothstep, turn};
use super::emotion_classes::{EmotionClass, drawn};
use super::flow_camera::{Camera, blurred};
use super::flow_recipe::{CameraStyle, FlowImageRecipe};
use super::muscles::Musculature;
use super::skin_mechanics::{COLUMNS, Field, ROWS, SPACING, eye_opening, sample};
use crate::base::Plane;
use crate::model::flow_framing::{EYE_COLUMNS, EYE_ROW, MIDDLE_COLUMN, MOUTH_ROWS};
use crate::model::flow_input::SIDE;
use crate::model::flow_reduction::{Reduction, flow_image};
use crate::motion::tvl1::{FlowError, Tvl1, Tvl1Params};
use crate::motion::{Flow, strain};

/// Canonical face: half distance of the eyes' centres, mouth below the eyes.
const HALF_EYES: f64 = 0.509;
const EYES_TO_MOUTH: f64 = 1.136;

/// Who is filmed: what stays from image to image.
pub(super) struct Subject {
    framing: [f64; 5],
    shape: Field,
    quality: Option<u8>,
    noise: f64,
    blur: f64,
    width: f64,
}

impl Subject {
    pub(super) fn new(recipe: &FlowImageRecipe, style: &CameraStyle, draws: &mut Draws) -> Self {
        let hills = [0, 1].map(|_| Hills::new(draws, 14, 0.5));
        let mut shape = Vec::with_capacity(COLUMNS * ROWS);
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                let (x, y) = super::skin_mechanics::place(column, row);
                shape.push([0, 1].map(|k| (recipe.framing.shape * hills[k].at(x, y)) as f32));
            }
        }
        let quality = (draws.chance(style.jpeg))
            .then(|| draws.range(style.jpeg_quality[0], style.jpeg_quality[1]) as u8);
        Self {
            framing: [0; 5].map(|_| draws.normal()),
            shape,
            quality,
            noise: draws.range(style.noise[0], style.noise[1]),
            blur: draws.range(style.blur[0], style.blur[1]),
            width: draws.range(style.width[0], style.width[1]),
        }
    }
}

/// From crop pixels to canonical face coordinates.
struct View {
    columns: f64,
    rows: f64,
    width: usize,
    height: usize,
    shift: (f64, f64),
    scale: (f64, f64),
    sine: f64,
    cosine: f64,
}

impl View {
    fn new(recipe: &FlowImageRecipe, subject: &Subject, draws: &mut Draws) -> Self {
        // Half of the variance belongs to the subject.
        let part = |i: usize, draws: &mut Draws| 0.707 * (subject.framing[i] + draws.normal());
        let framing = recipe.framing;
        let scale = 1.0 + framing.scale * part(0, draws);
        let aspect = 1.0 + framing.aspect * part(1, draws);
        let side = SIDE as f64;
        let shift = (
            framing.shift * side * part(2, draws),
            framing.shift * side * part(3, draws),
        );
        let (sine, cosine) = turn((framing.roll * part(4, draws)).to_radians());
        let width = subject.width;
        // A face crop is taller than wide: 28 columns are 1.78, 28 rows 2.54 units.
        let upright = (SIDE as f64 / MOUTH_ROWS * EYES_TO_MOUTH) / (side / EYE_COLUMNS * HALF_EYES);
        let height = if draws.chance(framing.square) {
            width
        } else {
            width * upright
        };
        Self {
            columns: side / width,
            rows: side / height,
            width: width.round() as usize,
            height: height.round() as usize,
            shift,
            scale: (scale, scale * aspect),
            sine,
            cosine,
        }
    }

    fn face(&self, column: usize, row: usize) -> (f64, f64) {
        let c = (column as f64 + 0.5) * self.columns - MIDDLE_COLUMN - self.shift.0;
        let r = (row as f64 + 0.5) * self.rows - EYE_ROW - self.shift.1;
        let x = c * HALF_EYES / EYE_COLUMNS * self.scale.0;
        let y = r * EYES_TO_MOUTH / MOUTH_ROWS * self.scale.1;
        (
            self.cosine * x - self.sine * y,
            self.sine * x + self.cosine * y,
        )
    }
}

/// The head's small motion between the two pictures, face units and radians.
struct HeadMotion {
    x: f64,
    y: f64,
    roll: f64,
    zoom: f64,
    yaw: f64,
    pitch: f64,
    /// How far neck and backdrop follow.
    neck: f64,
}

impl HeadMotion {
    fn new(style: &CameraStyle, draws: &mut Draws) -> Self {
        let size = draws.log_normal(style.head, style.head_spread);
        Self {
            x: size * draws.normal(),
            y: size * draws.normal(),
            roll: 0.5 * size * draws.normal(),
            zoom: 0.4 * size * draws.normal(),
            yaw: 0.8 * size * draws.normal(),
            pitch: 0.8 * size * draws.normal(),
            neck: draws.range(0.0, 0.9),
        }
    }

    /// Where the picture at (x, y) came from.
    fn undone(&self, x: f64, y: f64) -> (f64, f64) {
        let relief = relief(x, y);
        let down = y - 0.6;
        let dx = self.x - self.roll * down + self.zoom * x + self.yaw * relief;
        let dy = self.y + self.roll * x + self.zoom * down + self.pitch * relief;
        // Below the jaw is neck, beside it backdrop.
        let jaw = (x / 1.12) * (x / 1.12) + (down / 1.27) * (down / 1.27);
        let follow = 1.0 - (1.0 - self.neck) * smoothstep(0.95, 1.1, jaw);
        (x - follow * dx, y - follow * dy)
    }
}

/// Height of the face over its middle depth, in shares: the nose before the cheeks.
fn relief(x: f64, y: f64) -> f64 {
    let nose = super::draws::hill((x / 0.16) * (x / 0.16) + ((y - 0.5) / 0.3) * ((y - 0.5) / 0.3));
    0.4 + 0.6 * nose - 0.8 * x * x
}

/// What a finished flow image shows.
pub(super) struct FlowImage {
    /// u, v, strain of each pixel, each min–max scaled to 0..255.
    pub(super) pixels: Vec<[u8; 3]>,
    /// `AU4+AU7`.
    pub(super) units: String,
    pub(super) strength: f64,
}

/// Everything that is fixed before the images are drawn.
pub(super) struct Cast<'a> {
    pub(super) recipe: &'a FlowImageRecipe,
    pub(super) style: &'a CameraStyle,
    pub(super) subject: &'a Subject,
    pub(super) face: &'a DrawnFace,
    pub(super) muscles: &'a Musculature,
}

/// Draws, films and measures one image.
///
/// # Errors
/// When the crop is too small for flow: a recipe out of its range.
pub(super) fn film(
    cast: &Cast<'_>,
    class: EmotionClass,
    draws: &mut Draws,
) -> Result<FlowImage, FlowError> {
    let Cast {
        recipe,
        style,
        subject,
        ..
    } = *cast;
    let strength = draws
        .log_normal(style.strength, style.strength_spread)
        .min(0.8);
    let (contractions, units) = drawn(
        &recipe.expressions,
        class,
        strength,
        &recipe.contraction,
        draws,
    );
    let mut field: Field = vec![[0.0; 2]; COLUMNS * ROWS];
    for contraction in contractions {
        cast.muscles.contract(&mut field, contraction, draws);
    }
    let view = View::new(recipe, subject, draws);
    let scene = Scene::new(cast, field, draws);
    let (onset, apex) = scene.pictures(cast, &view);
    let camera = Camera {
        blur: subject.blur,
        noise: subject.noise,
        quality: subject.quality,
    };
    let (onset, apex) = (camera.take(&onset, draws), camera.take(&apex, draws));
    let estimate = &recipe.estimate;
    let lambda = draws.log_normal(estimate.lambda, estimate.lambda_spread) as f32;
    let mut tvl1 = Tvl1::new(Tvl1Params {
        lambda: lambda.clamp(0.02, 2.0),
        equalise: draws.chance(estimate.equalised),
        ..Tvl1Params::default()
    });
    let flow = tvl1.flow(&onset, &apex)?;
    let soft = draws.range(0.0, estimate.strain_blur);
    let even = Flow {
        u: blurred(&flow.u, soft),
        v: blurred(&flow.v, soft),
    };
    let magnitude = if draws.chance(estimate.forward_strain) {
        strain::forward(&even)
    } else {
        strain::central(&even).magnitude
    };
    let Flow { u, v } = flow;
    let ways = [estimate.area, estimate.bilinear, estimate.bicubic];
    let way = Reduction::ALL[draws.weighted(ways.into_iter())];
    Ok(FlowImage {
        pixels: flow_image([&u, &v, &magnitude], way),
        units,
        strength,
    })
}

/// What changes between onset and apex.
struct Scene {
    field: Field,
    head: HeadMotion,
    lids: [usize; 2],
    gaze: (f64, f64),
    /// Gain of the apex's light, its slopes along x and y.
    light: [f64; 3],
    furrow: f64,
    /// How little the lids' surroundings drag the picture of the eye along.
    ball: f64,
}

impl Scene {
    fn new(cast: &Cast<'_>, field: Field, draws: &mut Draws) -> Self {
        let disturbance = cast.recipe.disturbance;
        let mut lids = [0, 0];
        if draws.chance(cast.style.blink) {
            // Small changes of the lids are much more frequent than whole blinks.
            let rest = draws.below(3);
            let far = rest + 1 + draws.weighted([6.0, 5.0, 4.0, 2.5, 1.5, 1.0].into_iter());
            lids = [rest, far.min(LIDS.len() - 1)];
            if draws.chance(0.5) {
                lids.swap(0, 1);
            }
        }
        let gaze = if draws.chance(disturbance.gaze) {
            (0.03 * draws.normal(), 0.015 * draws.normal())
        } else {
            (0.0, 0.0)
        };
        let slope = disturbance.light_slope;
        Self {
            field,
            head: HeadMotion::new(cast.style, draws),
            lids,
            gaze,
            light: [
                1.0 + disturbance.exposure * draws.normal(),
                slope * draws.normal(),
                slope * draws.normal(),
            ],
            furrow: draws.range(0.0, disturbance.furrow_shade),
            ball: draws.range(0.3, 0.95),
        }
    }

    fn pictures(&self, cast: &Cast<'_>, view: &View) -> (Plane, Plane) {
        let (width, height) = (view.width, view.height);
        let mut onset = Plane::zeros(width, height);
        let mut apex = Plane::zeros(width, height);
        for row in 0..height {
            for column in 0..width {
                let (x, y) = view.face(column, row);
                let i = row * width + column;
                onset.data[i] = texture(cast, x, y, self.lids[0]);
                let (hx, hy) = self.head.undone(x, y);
                let (mut qx, mut qy) = (hx, hy);
                for _ in 0..3 {
                    let d = self.motion(qx, qy);
                    (qx, qy) = (hx - d.0, hy - d.1);
                }
                let light = self.light[0]
                    + self.light[1] * hx
                    + self.light[2] * (hy - 0.6)
                    + self.furrow * self.stretch(qx, qy);
                apex.data[i] = texture(cast, qx, qy, self.lids[1]) * light as f32;
            }
        }
        (onset, apex)
    }

    /// Forward displacement of a resting place.
    fn motion(&self, x: f64, y: f64) -> (f64, f64) {
        let [dx, dy] = sample(&self.field, x as f32, y as f32);
        // The ball behind the lids follows the gaze, not the skin.
        let ball = smoothstep(1.0, 0.55, eye_opening(x, y));
        let skin = 1.0 - self.ball * ball;
        (
            skin * f64::from(dx) + ball * self.gaze.0,
            skin * f64::from(dy) + ball * self.gaze.1,
        )
    }

    /// Relative growth of the skin's area, negative where it is folded.
    fn stretch(&self, x: f64, y: f64) -> f64 {
        let h = 0.5 * SPACING as f32;
        let (x, y) = (x as f32, y as f32);
        let along = sample(&self.field, x + h, y)[0] - sample(&self.field, x - h, y)[0];
        let down = sample(&self.field, x, y + h)[1] - sample(&self.field, x, y - h)[1];
        f64::from((along + down) / (2.0 * h)).clamp(-0.5, 0.5)
    }
}

fn texture(cast: &Cast<'_>, x: f64, y: f64, lids: usize) -> f32 {
    let [sx, sy] = sample(&cast.subject.shape, x as f32, y as f32);
    cast.face.gray(x + f64::from(sx), y + f64::from(sy), lids)
}
