//! Where every pixel of one frame is in another: the flow that estimates are held to.

use super::anatomy::Lip;
use super::deformation::shift;
use super::depth::{FRONT, depth};
use super::eye;
use super::mesh::View;
use super::mouth;
use super::movement::Movement;
use super::spectacles;
use super::stage::{MOUTH, Moment, Stage};
use crate::base::Plane;

/// Displacements of the pixels of one frame, in pixels of the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct TrueFlow {
    /// To the right.
    pub u: Plane,
    /// Down.
    pub v: Plane,
    /// Whether the pixel's surface shows in both frames, row by row. Eyeballs, lids
    /// that moved, the mouth's inside and what gets hidden do not.
    pub valid: Vec<bool>,
    /// Whether the pixel belongs to the head, hair included.
    pub head: Vec<bool>,
}

/// What a pixel shows; places of the plain face.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Surface {
    Wall,
    Body,
    Head {
        x: f32,
        y: f32,
        lip: Lip,
    },
    Glasses {
        x: f32,
        y: f32,
    },
    /// Nothing that stays itself from frame to frame.
    Unsteady,
}

impl Stage {
    /// The flow from moment `a` to moment `b`.
    pub(super) fn flow(&mut self, a: &Moment, b: &Moment, movements: &[Movement]) -> TrueFlow {
        let part = self.lay(a);
        let here: Vec<Surface> = (0..self.width * self.height)
            .map(|i| self.surface(i, part, a, (a, b)))
            .collect();
        let part = self.lay(b);
        let (width, height) = (self.width, self.height);
        let mut flow = TrueFlow {
            u: Plane::zeros(width, height),
            v: Plane::zeros(width, height),
            valid: vec![false; width * height],
            head: vec![false; width * height],
        };
        for (i, surface) in here.iter().enumerate() {
            flow.head[i] = matches!(surface, Surface::Head { .. });
            let Some((u, v)) = self.way(surface, i, a, b, movements) else {
                continue;
            };
            flow.u.data[i] = u;
            flow.v.data[i] = v;
            let x = ((i % width) as f32 + u).round();
            let y = ((i / width) as f32 + v).round();
            if (0.0..width as f32).contains(&x) && (0.0..height as f32).contains(&y) {
                let there = self.surface(y as usize * width + x as usize, part, b, (a, b));
                flow.valid[i] = self.same(surface, &there);
            }
        }
        flow
    }

    /// What pixel `i` shows of the moment `laid`; `pair` says what moves meanwhile.
    fn surface(&self, i: usize, part: bool, laid: &Moment, pair: (&Moment, &Moment)) -> Surface {
        let texel = &self.upper.texels[i];
        if let Some(g) = &self.glasses {
            let glass = &g.picture.texels[i];
            if glass.shown() && g.sheet.at(glass.x, glass.y)[3] > 0.5 {
                return Surface::Glasses {
                    x: glass.x,
                    y: glass.y,
                };
            }
        }
        if texel.shown() && self.head.at(texel.x, texel.y)[3] > 0.5 {
            return self.on_head(i, part, pair.0, pair.1);
        }
        let (x, y) = ((i % self.width) as f32, (i / self.width) as f32);
        let (bx, by) = self.body_place(x, y, laid);
        if by > 0.4 && self.body.at(bx, by)[3] > 0.5 {
            Surface::Body
        } else {
            Surface::Wall
        }
    }

    fn on_head(&self, i: usize, part: bool, a: &Moment, b: &Moment) -> Surface {
        let (upper, lower) = (&self.upper.texels[i], &self.lower.texels[i]);
        let (x, y) = (upper.x, upper.y);
        if eye_moves(x, y, a, b) {
            return Surface::Unsteady;
        }
        if !part || !(MOUTH.0..MOUTH.2).contains(&x) || !(MOUTH.1..MOUTH.3).contains(&y) {
            let lip = if y < mouth::seam(x) {
                Lip::Upper
            } else {
                Lip::Lower
            };
            return Surface::Head { x, y, lip };
        }
        if y < mouth::seam(x) {
            return Surface::Head {
                x,
                y,
                lip: Lip::Upper,
            };
        }
        if lower.shown() && lower.y > mouth::seam(lower.x) {
            return Surface::Head {
                x: lower.x,
                y: lower.y,
                lip: Lip::Lower,
            };
        }
        Surface::Unsteady
    }

    /// How far a surface goes between the moments.
    fn way(
        &self,
        surface: &Surface,
        i: usize,
        a: &Moment,
        b: &Moment,
        movements: &[Movement],
    ) -> Option<(f32, f32)> {
        match *surface {
            Surface::Unsteady => None,
            Surface::Wall => Some((0.0, 0.0)),
            Surface::Body => {
                let at = ((i % self.width) as f32, (i / self.width) as f32);
                let place = self.body_place(at.0, at.1, a);
                let to = self.body_pixel(place.0, place.1, b);
                Some((to.0 - at.0, to.1 - at.1))
            }
            Surface::Glasses { x, y } => {
                let (px, py) = self.person.shape.place(x, y);
                let z = FRONT + spectacles::rise(x);
                let from = View::new(self.framing, &a.pose).place(px, py, z);
                let to = View::new(self.framing, &b.pose).place(px, py, z);
                Some((to.0 - from.0, to.1 - from.1))
            }
            Surface::Head { x, y, lip } => {
                let (px, py) = self.person.shape.place(x, y);
                let z = depth(x, y);
                let at = |moment: &Moment| {
                    let (mut mx, mut my) = (px, py);
                    for &(number, level) in &moment.levels {
                        let s = shift(&movements[number].kernels, px, py, lip);
                        mx += level * s.x;
                        my += level * s.y;
                    }
                    View::new(self.framing, &moment.pose).place_carried(
                        mx,
                        my,
                        z,
                        self.carried(x, y),
                    )
                };
                let (from, to) = (at(a), at(b));
                Some((to.0 - from.0, to.1 - from.1))
            }
        }
    }

    /// Whether two pixels show one place of one surface, within two pixels.
    fn same(&self, one: &Surface, two: &Surface) -> bool {
        let near = 2.0 / self.framing.unit;
        match (one, two) {
            (Surface::Wall, Surface::Wall) | (Surface::Body, Surface::Body) => true,
            (Surface::Head { x, y, .. }, Surface::Head { x: p, y: q, .. })
            | (Surface::Glasses { x, y }, Surface::Glasses { x: p, y: q }) => {
                (x - p).abs() < near && (y - q).abs() < near
            }
            _ => false,
        }
    }
}

/// Whether a place of the plain face lies on a ball, or on a lid that moves between
/// the moments.
fn eye_moves(x: f32, y: f32, a: &Moment, b: &Moment) -> bool {
    /// Lashes and the softness of the margins.
    const EDGE: f32 = 0.03;
    let (near, far, top, bottom) = eye::REACH;
    if !(near..far).contains(&x.abs()) || !(top..bottom).contains(&y) {
        return false;
    }
    let open = eye::margins(x, a.shut.min(b.shut));
    if (open.0 - EDGE..open.1 + EDGE).contains(&y) && eye::is_along(x) {
        return true;
    }
    // A lid on its way covers other skin from frame to frame.
    (a.shut - b.shut).abs() > 0.01 && (-0.20..0.14).contains(&y)
}
