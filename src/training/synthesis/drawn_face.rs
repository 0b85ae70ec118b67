//! A drawn face at rest as a grey texture in canonical face coordinates, with its
//! lids at several openings.

use super::draws::Draws;
use super::face_retouch::Retouch;
use crate::base::Point;
use crate::media::FrameSource;
use crate::media::synthetic::{
    Camera, Course, Dice, Framing, HeadMotion, Person, Scene, Shot, ShotSource, Track,
};

const WIDTH: u32 = 420;
const HEIGHT: u32 = 500;

/// How far shut the lids of the textures are; 0 first.
pub(super) const LIDS: [f32; 9] = [0.0, 0.05, 0.10, 0.17, 0.26, 0.38, 0.55, 0.78, 1.0];

/// Heights where drawn and canonical faces are matched, face units: brows, eyes,
/// base of the nose, mouth, chin; and half widths there.
const LEVELS: [(f64, f64); 5] = [
    (-0.336, 0.588),
    (0.004, 0.509),
    (0.680, 0.195),
    (1.140, 0.405),
    (1.845, 0.5975),
];

/// Grey 0..255 by place in face units (1 = the distance between the eyes' centres,
/// origin between them).
pub(super) struct DrawnFace {
    width: usize,
    height: usize,
    lids: Vec<Vec<u8>>,
    levels: [(f64, f64); 5],
    origin: (f64, f64),
    unit: f64,
}

impl DrawnFace {
    /// Paints person `number` of the world `world` (about half a second).
    pub(super) fn paint(world: &str, number: u64) -> Self {
        let rest = || Course::Levels(Vec::new());
        let one = || Track::still(1.0);
        let mut draws = Draws::new(number, &[world.len() as u64]);
        let mut source = ShotSource::new(Shot {
            name: "face".to_owned(),
            width: WIDTH,
            height: HEIGHT,
            nominal_fps: 1.0,
            times: (0..LIDS.len()).map(|i| i as f64).collect(),
            person: Person::drawn(world, number),
            scene: Scene::drawn(&mut Dice::of(world, "scene", number)),
            framing: Framing {
                x: 0.5 * (WIDTH as f32 - 1.0),
                y: 0.42 * HEIGHT as f32,
                unit: 102.0,
                distance: draws.range(10.0, 22.0) as f32,
            },
            movements: Vec::new(),
            head: HeadMotion::still(),
            lids: Course::Levels(
                (LIDS.iter().enumerate())
                    .map(|(i, &shut)| (i as f64, f64::from(shut)))
                    .collect(),
            ),
            gaze_x: rest(),
            gaze_y: rest(),
            breath: Track::still(0.0),
            camera: Camera {
                gain: one(),
                red: one(),
                blue: one(),
                slope_x: Track::still(0.0),
                slope_y: Track::still(0.0),
                noise: 0.0,
                smooth_noise: false,
                shutter_secs: 0.0,
            },
            seed: number,
        });
        let points = source.landmarks(0);
        let (origin, unit) = frame_of(&points);
        let retouch = Retouch::new(&mut draws);
        let mut lids = Vec::with_capacity(LIDS.len());
        // Drawing knows no end before the last frame and no failure.
        while let Ok(Some(drawn)) = source.next_frame() {
            let gray: Vec<f64> = drawn.picture.pixels().map(|p| luma(p.0)).collect();
            lids.push(gray);
        }
        let place = |i: usize| {
            let (column, row) = (i % WIDTH as usize, i / WIDTH as usize);
            (
                (column as f64 - origin.0) / unit,
                (row as f64 - origin.1) / unit,
            )
        };
        let lids = retouched(&lids, &retouch, place);
        let levels = varied(levels_of(&points, origin, unit), &mut draws);
        Self {
            width: WIDTH as usize,
            height: HEIGHT as usize,
            lids,
            levels,
            origin,
            unit,
        }
    }

    /// Grey at a canonical place with the lids at opening `lids` of [`LIDS`].
    pub(super) fn gray(&self, x: f64, y: f64, lids: usize) -> f32 {
        let (px, py) = self.pixel(x, y);
        let texture = &self.lids[lids.min(self.lids.len() - 1)];
        let x = px.clamp(0.0, self.width as f64 - 1.001);
        let y = py.clamp(0.0, self.height as f64 - 1.001);
        let (column, row) = (x as usize, y as usize);
        let (fx, fy) = ((x - column as f64) as f32, (y - row as f64) as f32);
        let i = row * self.width + column;
        let at = |i: usize| f32::from(texture[i]);
        let top = at(i) + (at(i + 1) - at(i)) * fx;
        let bottom = at(i + self.width) + (at(i + self.width + 1) - at(i + self.width)) * fx;
        top + (bottom - top) * fy
    }

    /// Canonical face coordinates to texture pixels: by stretches of height, each
    /// with its own width.
    fn pixel(&self, x: f64, y: f64) -> (f64, f64) {
        let mut k = 0;
        while k + 2 < LEVELS.len() && y > LEVELS[k + 1].0 {
            k += 1;
        }
        let t = (y - LEVELS[k].0) / (LEVELS[k + 1].0 - LEVELS[k].0);
        let (from, to) = (self.levels[k], self.levels[k + 1]);
        let own_y = from.0 + t * (to.0 - from.0);
        let wide = |i: usize| self.levels[i].1 / LEVELS[i].1;
        let t = t.clamp(0.0, 1.0);
        let own_x = x * (wide(k) + t * (wide(k + 1) - wide(k)));
        (
            self.origin.0 + own_x * self.unit,
            self.origin.1 + own_y * self.unit,
        )
    }
}

fn luma(rgb: [u8; 3]) -> f64 {
    let [r, g, b] = rgb.map(f64::from);
    0.299 * r + 0.587 * g + 0.114 * b
}

/// All lid positions with the same surface; pixels that the lids do not change are
/// worked out once.
fn retouched(
    lids: &[Vec<f64>],
    retouch: &Retouch,
    place: impl Fn(usize) -> (f64, f64),
) -> Vec<Vec<u8>> {
    let Some(open) = lids.first() else {
        return Vec::new();
    };
    let inside: Vec<f64> = (open.iter().enumerate())
        .filter(|&(i, _)| {
            let (x, y) = place(i);
            x.abs() < 0.8 && (-0.5..1.6).contains(&y)
        })
        .map(|(_, g)| *g)
        .collect();
    let mean = inside.iter().sum::<f64>() / inside.len().max(1) as f64;
    let at = |gray: f64, i: usize| {
        let (x, y) = place(i);
        (retouch.apply(gray, mean, x, y) + 0.5) as u8
    };
    let first: Vec<u8> = open.iter().enumerate().map(|(i, &g)| at(g, i)).collect();
    (lids.iter())
        .map(|plane| {
            (plane.iter().enumerate())
                .map(|(i, &g)| if g == open[i] { first[i] } else { at(g, i) })
                .collect()
        })
        .collect()
}

/// Other proportions of the same drawing: a wider jaw, a longer nose.
fn varied(mut levels: [(f64, f64); 5], draws: &mut Draws) -> [(f64, f64); 5] {
    // Sampling nearer to the middle makes a part wider.
    let wide = [
        (0.95, 1.05),
        (1.0, 1.0),
        (0.9, 1.08),
        (0.9, 1.08),
        (0.82, 1.0),
    ];
    for (level, (low, high)) in levels.iter_mut().zip(wide) {
        level.1 *= draws.range(low, high);
    }
    levels[0].0 += draws.range(-0.03, 0.04);
    levels[2].0 += draws.range(-0.03, 0.03);
    levels[4].0 += draws.range(-0.06, 0.06);
    levels
}

fn mean(points: &[Point]) -> (f64, f64) {
    let n = points.len() as f64;
    let sum = points.iter().fold((0.0, 0.0), |s, p| {
        (s.0 + f64::from(p.x), s.1 + f64::from(p.y))
    });
    (sum.0 / n, sum.1 / n)
}

/// Midpoint between the eyes and pixels per face unit. The table of the drawn face
/// has its eyes' centres 1.018 apart.
fn frame_of(points: &[Point; 68]) -> ((f64, f64), f64) {
    let (left, right) = (mean(&points[36..42]), mean(&points[42..48]));
    let origin = (0.5 * (left.0 + right.0), 0.5 * (left.1 + right.1));
    let unit = (right.0 - left.0) / 1.018;
    ((origin.0, origin.1 - 0.004 * unit), unit)
}

fn levels_of(points: &[Point; 68], origin: (f64, f64), unit: f64) -> [(f64, f64); 5] {
    let level = |left: &[usize], right: &[usize]| {
        let gather = |indices: &[usize]| indices.iter().map(|&i| points[i]).collect::<Vec<_>>();
        let (l, r) = (mean(&gather(left)), mean(&gather(right)));
        (
            (0.5 * (l.1 + r.1) - origin.1) / unit,
            0.5 * (r.0 - l.0) / unit,
        )
    };
    let mut chin = level(&[5, 6], &[10, 11]);
    chin.0 = (f64::from(points[8].y) - origin.1) / unit;
    let mut mouth = level(&[48], &[54]);
    mouth.0 = level(&[48, 51, 57], &[54, 51, 57]).0;
    [
        level(&[17, 18, 19, 20, 21], &[22, 23, 24, 25, 26]),
        level(&[36, 37, 38, 39, 40, 41], &[42, 43, 44, 45, 46, 47]),
        level(&[31], &[35]),
        mouth,
        chin,
    ]
}
