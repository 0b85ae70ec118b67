//! Whether a map lies where the face moved, which is known of a drawn clip.
//!
//! A map may light what did not move: because the network looks there, because its cells
//! are coarse, because noise speaks too. The share of the map's mass on skin that truly
//! moved says how much it does.

use crate::base::{Plane, Point};
use crate::media::synthetic::TrueFlow;
use crate::model::flow_framing::FlowFraming;
use crate::model::flow_input::{PIXELS, SIDE};
use crate::model::flow_reduction::Reduction;
use crate::model::motion_map::{is_face, without_head};
use crate::motion::Flow;

/// A cell moved where it went further than this share of the furthest.
const MOVED: f32 = 0.1;
/// Of a cell at least so much has to be skin that is seen in both frames: the others
/// show eyeballs, the inside of the mouth, hidden skin or the wall.
const SKIN: f32 = 0.5;

/// The 28×28 cells of a framing in which skin moved by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedSkin {
    /// In rows.
    cells: Vec<bool>,
}

impl MovedSkin {
    /// From the true flow from onset to apex over the whole picture, less the affine
    /// motion of the head, taken away as from the measured one that the networks read.
    /// Talk and blinks move skin too. `None` where the framing has no extent.
    #[must_use]
    pub fn of(flow: &TrueFlow, framing: &FlowFraming) -> Option<Self> {
        let (known, flow) = in_crop(flow, framing)?;
        let [known, u, v] = [&known, &flow.u, &flow.v].map(|p| Reduction::Area.reduced(p));
        let skin = |cell: usize| is_face(cell) && known[cell] >= SKIN;
        // Means over what is known of each cell: elsewhere the flow is 0.
        let mean = |sums: &[f32]| -> Vec<f32> {
            let pairs = sums.iter().zip(&known);
            pairs.map(|(sum, known)| sum / known.max(SKIN)).collect()
        };
        let [u, v] = without_head([&mean(&u), &mean(&v)], framing.eyes_px(), skin);
        let lengths: Vec<f32> = u.iter().zip(&v).map(|(u, v)| u.hypot(*v)).collect();
        let furthest = lengths.iter().copied().fold(0.0_f32, f32::max);
        let cells = lengths.iter().map(|&length| length > MOVED * furthest);
        Some(Self {
            cells: cells.collect(),
        })
    }

    /// The share of the face that moved, 0..1: what of an even light over the face
    /// would lie there by chance.
    #[must_use]
    pub fn share_of_face(&self) -> f64 {
        let face = (0..PIXELS).filter(|&cell| is_face(cell)).count();
        let moved = self.cells.iter().filter(|moved| **moved).count();
        moved as f64 / face as f64
    }

    /// The share of a map's mass where the face moved, 0..1; 0 where the map is dark.
    ///
    /// # Panics
    /// Unless the map has 28×28 places.
    #[must_use]
    pub fn share_of(&self, map: &Plane) -> f64 {
        assert_eq!((map.width, map.height), (SIDE, SIDE));
        let (mut within, mut whole) = (0.0, 0.0);
        for (&value, &moved) in map.data.iter().zip(&self.cells) {
            whole += f64::from(value);
            within += if moved { f64::from(value) } else { 0.0 };
        }
        if whole > 0.0 { within / whole } else { 0.0 }
    }
}

/// Flow in pixels of the crop, and 1 where it is that of skin that can be followed; both
/// 0 elsewhere.
fn in_crop(flow: &TrueFlow, framing: &FlowFraming) -> Option<(Plane, Flow)> {
    let crop_from_image = framing.crop_from_image;
    let image_from_crop = crop_from_image.inverse()?;
    let (width, height) = (framing.width, framing.height);
    let mut known = Plane::zeros(width, height);
    let mut crop = Flow::zeros(width, height);
    for i in 0..width * height {
        let p_crop = Point::new((i % width) as f32, (i / width) as f32);
        let p_image = image_from_crop.apply(p_crop);
        let (x, y) = (p_image.x.round(), p_image.y.round());
        let inside =
            (0.0..flow.u.width as f32).contains(&x) && (0.0..flow.u.height as f32).contains(&y);
        if !inside {
            continue;
        }
        let at = y as usize * flow.u.width + x as usize;
        if flow.valid[at] && flow.head[at] {
            let (u, v) = (flow.u.data[at], flow.v.data[at]);
            known.data[i] = 1.0;
            crop.u.data[i] = crop_from_image.a * u - crop_from_image.b * v;
            crop.v.data[i] = crop_from_image.b * u + crop_from_image.a * v;
        }
    }
    Some((known, crop))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Similarity;

    const WIDTH: usize = 200;
    const HEIGHT: usize = 240;

    /// A head that shifts, turns and comes nearer; a corner of the mouth goes up, and
    /// what is no skin goes far.
    fn flow(head: bool) -> TrueFlow {
        let mut flow = TrueFlow {
            u: Plane::zeros(WIDTH, HEIGHT),
            v: Plane::zeros(WIDTH, HEIGHT),
            valid: vec![true; WIDTH * HEIGHT],
            head: vec![true; WIDTH * HEIGHT],
        };
        for i in 0..WIDTH * HEIGHT {
            let (x, y) = ((i % WIDTH) as f32, (i / WIDTH) as f32);
            let (dx, dy) = ((x - 80.0) / 8.0, (y - 144.0) / 8.0);
            flow.v.data[i] = -2.0 * (-0.5 * (dx * dx + dy * dy)).exp();
            if head {
                flow.u.data[i] += 3.0 + 0.01 * x - 0.02 * y;
                flow.v.data[i] += -2.0 + 0.02 * x + 0.01 * y;
            }
            // An eye, and the wall beside the head.
            if (110.0..125.0).contains(&x) && (70.0..80.0).contains(&y) {
                flow.valid[i] = false;
                flow.u.data[i] = 30.0;
            }
            if x > 140.0 {
                flow.head[i] = false;
                flow.u.data[i] = -30.0;
            }
        }
        flow
    }

    fn framing() -> FlowFraming {
        FlowFraming {
            crop_from_image: Similarity {
                a: 1.0,
                b: 0.0,
                tx: -44.0,
                ty: -36.0,
            },
            width: 112,
            height: 160,
        }
    }

    #[test]
    fn what_moved_is_found_on_a_moving_head_and_nothing_that_is_no_skin() {
        let still = MovedSkin::of(&flow(false), &framing()).unwrap();
        let moved = MovedSkin::of(&flow(true), &framing()).unwrap();
        for found in [&still, &moved] {
            // A hill of 8 px falls to a tenth at 17 px: 36 cells of 4×5.7 px.
            let count = found.cells.iter().filter(|moved| **moved).count();
            assert!((30..=50).contains(&count), "{count}");
            // The corner lies at (36, 108) of the crop.
            assert!(found.cells[18 * SIDE + 9] && !found.cells[6 * SIDE + 18]);
            assert!((0.05..0.12).contains(&found.share_of_face()));
        }
        let even = Plane::filled(SIDE, SIDE, 0.5);
        assert!(still.share_of(&even) < still.share_of_face());
        let mut there = Plane::zeros(SIDE, SIDE);
        assert_eq!(still.share_of(&there), 0.0);
        there.row_mut(18)[9] = 0.75;
        there.row_mut(6)[18] = 0.25;
        assert_eq!(still.share_of(&there), 0.75);
    }

    #[test]
    fn a_turned_framing_sees_the_same_cells_move() {
        let radians = 0.3;
        let plain = framing();
        // The picture turned about (100, 120), and all that moves in it.
        let centre = Point::new(100.0, 120.0);
        let back = Similarity::about(centre, centre, 1.0, -radians);
        let turn = Similarity::about(centre, centre, 1.0, radians);
        let mut turned = flow(false);
        let from = turned.clone();
        for i in 0..WIDTH * HEIGHT {
            let p = back.apply(Point::new((i % WIDTH) as f32, (i / WIDTH) as f32));
            let (x, y) = (p.x.round(), p.y.round());
            let inside = (0.0..WIDTH as f32).contains(&x) && (0.0..HEIGHT as f32).contains(&y);
            turned.head[i] = false;
            if inside {
                let at = y as usize * WIDTH + x as usize;
                let (u, v) = (from.u.data[at], from.v.data[at]);
                turned.u.data[i] = turn.a * u - turn.b * v;
                turned.v.data[i] = turn.b * u + turn.a * v;
                (turned.valid[i], turned.head[i]) = (from.valid[at], from.head[at]);
            }
        }
        let framing = FlowFraming {
            crop_from_image: Similarity {
                tx: back.tx - 44.0,
                ty: back.ty - 36.0,
                ..back
            },
            ..plain
        };
        let one = MovedSkin::of(&from, &plain).unwrap();
        let other = MovedSkin::of(&turned, &framing).unwrap();
        let differ = one.cells.iter().zip(&other.cells).filter(|(a, b)| a != b);
        let (differ, whole) = (differ.count(), one.share_of_face());
        // Pixels are looked up, not interpolated: cells at the edge may fall either way.
        assert!(
            differ <= 8,
            "{differ} cells differ, {whole} of the face moved"
        );
    }
}
