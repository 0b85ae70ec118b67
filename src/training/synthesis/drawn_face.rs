//! A drawn face at rest as a grey texture in canonical face coordinates, with its
//! lids at several openings.

use crate::base::Point;
use crate::media::FrameSource;
use crate::media::synthetic::{
    ExpressionEvent, ExpressionKind, FaceSide, SpecError, SyntheticSource, SyntheticSpec,
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
    /// Paints the face of `seed` (about half a second).
    ///
    /// # Errors
    /// When the drawn face refuses its specification: a programming error.
    pub(super) fn paint(seed: u64) -> Result<Self, SpecError> {
        let blink = |(i, &shut): (usize, &f32)| {
            let onset = 1 + 4 * i as u64;
            ExpressionEvent {
                kind: ExpressionKind::Blink,
                units: Vec::new(),
                side: FaceSide::Both,
                onset,
                apex: onset + 1,
                offset: onset + 2,
                amplitude: shut,
                emotion: String::new(),
            }
        };
        let mut source = SyntheticSource::new(SyntheticSpec {
            name: "face".to_owned(),
            width: WIDTH,
            height: HEIGHT,
            frames_per_second: 100,
            frames: 4 + 4 * LIDS.len() as u64,
            seed,
            events: LIDS.iter().enumerate().skip(1).map(blink).collect(),
            noise: 0.0,
            sway_px: 0.0,
        })?;
        let points = source.landmarks(0);
        let mut lids = Vec::with_capacity(LIDS.len());
        for i in 0..LIDS.len() as u64 {
            let frame = if i == 0 { 0 } else { 2 + 4 * i };
            // Drawing knows no end and no failure.
            let drawn = source.seek(frame).and_then(|()| source.next_frame());
            let Ok(Some(drawn)) = drawn else { break };
            let gray = (drawn.picture.pixels())
                .map(|p| luma(p.0))
                .collect::<Vec<u8>>();
            lids.push(gray);
        }
        let (origin, unit) = frame_of(&points);
        let levels = levels_of(&points, origin, unit);
        Ok(Self {
            width: WIDTH as usize,
            height: HEIGHT as usize,
            lids,
            levels,
            origin,
            unit,
        })
    }

    /// The distance between the mouth and the eyes' line of this face, face units.
    pub(super) fn eyes_to_mouth(&self) -> f64 {
        self.levels[3].0 - self.levels[1].0
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

fn luma(rgb: [u8; 3]) -> u8 {
    let [r, g, b] = rgb.map(u32::from);
    ((299 * r + 587 * g + 114 * b + 500) / 1000) as u8
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
