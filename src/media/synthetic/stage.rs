//! Draws a person before a backdrop, moment by moment: what the light brings to the
//! sensor, without the sensor's own doing.

use rayon::prelude::*;

use super::anatomy::Lip;
use super::arithmetic::smoothstep;
use super::deformation::shift;
use super::eye::{self, EyeState};
use super::mesh::{Framing, HeadPose, Mesh, Picture, Texel, View};
use super::mouth;
use super::movement::Movement;
use super::person::Person;
use super::photo;
use super::portrait::Painter;
use super::scene::{Light, Scene};
use super::sheet::{Sheet, decoded, encoded};
use super::spectacles;
use crate::base::Point;

/// The plain face's rectangle that moves with the head; long hair reaches further down.
const HEAD: (f32, f32, f32, f32) = (-1.80, -2.00, 1.80, 2.10);

/// Pixels between the mesh's nodes.
const NODE_PX: f32 = 3.0;

/// Texels to a pixel.
const DENSITY: f32 = 2.0;

/// Where the lips may open, plain face: left, top, right, bottom.
pub(super) const MOUTH: (f32, f32, f32, f32) = (-0.50, 0.86, 0.50, 1.66);

/// What one moment differs in.
#[derive(Debug, Clone, Default)]
pub(super) struct Moment {
    pub(super) pose: HeadPose,
    /// Of the shoulders, face units.
    pub(super) body: (f32, f32),
    /// 0 open .. 1 shut.
    pub(super) shut: f32,
    /// Of the balls' fronts from the middle, face units.
    pub(super) gaze: (f32, f32),
    /// Movements, by their number, and their levels; those at rest are left out.
    pub(super) levels: Vec<(usize, f32)>,
}

/// A movement's displacement of every node at level 1, above the lips and below.
struct Field {
    upper: Vec<[f32; 2]>,
    lower: Option<Vec<[f32; 2]>>,
}

pub(super) struct Glasses {
    pub(super) sheet: Sheet,
    mesh: Mesh,
    still: Vec<[f32; 2]>,
    pub(super) picture: Picture,
}

/// One person in one scene, ready to be drawn.
pub(super) struct Stage {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) framing: Framing,
    pub(super) person: Person,
    painter: Painter,
    backdrop: Vec<[f32; 3]>,
    pub(super) head: Sheet,
    pub(super) body: Sheet,
    pub(super) glasses: Option<Glasses>,
    mesh: Mesh,
    fields: Vec<Field>,
    pub(super) upper: Picture,
    pub(super) lower: Picture,
    sum_upper: Vec<[f32; 2]>,
    sum_lower: Vec<[f32; 2]>,
}

impl Stage {
    /// Paints everything that stays the same (about a second of processor time).
    #[must_use]
    pub(super) fn new(
        width: usize,
        height: usize,
        framing: Framing,
        person: &Person,
        scene: &Scene,
        movements: &[Movement],
    ) -> Self {
        let painter = Painter::new(
            person.seed,
            person.look.clone(),
            scene.light,
            scene.cloth,
            scene.cloth_contrast,
        );
        let blur = 0.7 / framing.unit;
        let density = DENSITY * framing.unit;
        let below = (height as f32 - framing.y) / framing.unit;
        let beside = width as f32 / framing.unit;
        let place = |x: f32, y: f32| person.shape.place(x, y);
        let (bounds, head, body) = match &person.photo {
            None => {
                let bounds = (HEAD.0, HEAD.1, HEAD.2, painter.lowest_hair().max(HEAD.3));
                let head = Sheet::painted(bounds, density, |x, y| painter.head(x, y, blur));
                let around = (-beside, 0.4, beside, (below + 0.5).max(1.0));
                let body =
                    Sheet::painted(around, 1.5 * framing.unit, |x, y| painter.body(x, y, blur));
                (bounds, head, body)
            }
            Some(photo) => {
                // The whole frame and, as the map is not the identity, some more.
                let (across, above) = (framing.x / framing.unit, framing.y / framing.unit);
                let bounds = (
                    -1.2 * across - 0.5,
                    -1.2 * above - 0.5,
                    1.2 * (beside - across) + 0.5,
                    1.2 * below + 0.5,
                );
                (bounds, photo.sheet(bounds, density, &place), Sheet::empty())
            }
        };
        let step = NODE_PX / framing.unit;
        let light = match person.photo {
            None => scene.light,
            Some(_) => Light::soft(),
        };
        let carried = |x: f32, y: f32| match person.photo {
            None => 1.0,
            Some(_) => photo::carried(x, y),
        };
        let mesh = Mesh::new(bounds, step, &person.shape, light, |_, _| 0.0, carried);
        let glasses = person.look.glasses.as_ref().map(|g| {
            let sheet = Sheet::painted(spectacles::BOUNDS, DENSITY * framing.unit, |x, y| {
                spectacles::paint(g, x, y, blur)
            });
            let mesh = Mesh::new(
                spectacles::BOUNDS,
                0.06,
                &person.shape,
                scene.light,
                |x, y| super::depth::FRONT - super::depth::depth(x, y) + spectacles::rise(x),
                |_, _| 1.0,
            );
            Glasses {
                still: vec![[0.0; 2]; mesh.columns * mesh.rows],
                sheet,
                mesh,
                picture: Picture::new(width, height),
            }
        });
        let places: Vec<Point> = mesh.places().collect();
        let fields = movements.iter().map(|m| field(m, &places)).collect();
        let nodes = mesh.columns * mesh.rows;
        let mut backdrop = vec![[0.0; 3]; width * height];
        backdrop
            .par_chunks_mut(width)
            .enumerate()
            .for_each(|(row, line)| {
                let y = (row as f32 + 0.5) / height as f32 - 0.5;
                let down = (row as f32 - framing.y) / framing.unit;
                for (column, pixel) in line.iter_mut().enumerate() {
                    let x = (column as f32 + 0.5 - 0.5 * width as f32) / height as f32;
                    let light = match &person.photo {
                        None => scene.backdrop(x, y),
                        Some(photo) => {
                            photo.backdrop((column as f32 - framing.x) / framing.unit, down)
                        }
                    };
                    *pixel = light.map(encoded);
                }
            });
        Self {
            width,
            height,
            framing,
            person: person.clone(),
            painter,
            backdrop,
            head,
            body,
            glasses,
            mesh,
            fields,
            upper: Picture::new(width, height),
            lower: Picture::new(width, height),
            sum_upper: vec![[0.0; 2]; nodes],
            sum_lower: vec![[0.0; 2]; nodes],
        }
    }

    /// Lays the meshes for a moment; `true` when the lips part.
    pub(super) fn lay(&mut self, moment: &Moment) -> bool {
        self.sum_upper.fill([0.0; 2]);
        self.sum_lower.fill([0.0; 2]);
        let mut part = false;
        for &(number, level) in &moment.levels {
            let field = &self.fields[number];
            add(&mut self.sum_upper, &field.upper, level);
            add(
                &mut self.sum_lower,
                field.lower.as_ref().unwrap_or(&field.upper),
                level,
            );
            part |= field.lower.is_some();
        }
        let view = View::new(self.framing, &moment.pose);
        self.upper.clear();
        self.mesh
            .lay(&view, &self.sum_upper, |_, _| true, &mut self.upper);
        if part {
            self.lower.clear();
            let near = |x: f32, y: f32| x.abs() < 0.75 && (0.7..1.9).contains(&y);
            self.mesh.lay(&view, &self.sum_lower, near, &mut self.lower);
        }
        if let Some(g) = &mut self.glasses {
            g.picture.clear();
            g.mesh.lay(&view, &g.still, |_, _| true, &mut g.picture);
        }
        part
    }

    /// Adds `share` of a moment's picture (encoded light, 0..1) to `sum`.
    pub(super) fn draw(&mut self, moment: &Moment, share: f32, sum: &mut [[f32; 3]]) {
        let part = self.lay(moment);
        let blur = 0.7 / self.framing.unit;
        for row in 0..self.height {
            let (left, body_y) = self.body_place(0.0, row as f32, moment);
            let step = 1.0 / self.body_frame(moment).0;
            let line = row * self.width..(row + 1) * self.width;
            for (column, pixel) in sum[line.clone()].iter_mut().enumerate() {
                let i = line.start + column;
                let mut c = self.backdrop[i];
                if body_y > 0.4 {
                    let body_x = left + column as f32 * step;
                    over(&mut c, self.body.at(body_x, body_y), 1.0);
                }
                let texel = &self.upper.texels[i];
                if texel.shown() {
                    let (rgba, shade) = self.skin(i, texel, part, moment, blur);
                    over(&mut c, rgba, shade.max(0.0).sqrt());
                }
                if let Some(g) = &self.glasses {
                    let glass = &g.picture.texels[i];
                    // The turned head hides the far temple.
                    if glass.shown() && glass.z > texel.z - 0.05 {
                        over(&mut c, g.sheet.at(glass.x, glass.y), 1.0);
                    }
                }
                for k in 0..3 {
                    pixel[k] += share * c[k];
                }
            }
        }
    }

    /// Pixels to one unit of the body, and where its origin is.
    fn body_frame(&self, moment: &Moment) -> (f32, f32, f32) {
        let f = &self.framing;
        // The shoulders come nearer with the head, by a little more than half.
        let zoom = 1.0 + 0.6 * (moment.pose.zoom as f32 - 1.0);
        (
            f.unit * zoom,
            f.x + moment.body.0 * f.unit,
            f.y + moment.body.1 * f.unit,
        )
    }

    /// How far the neck at height `y` goes sideways with the head, pixels.
    fn neck(&self, y: f32, moment: &Moment) -> f32 {
        // The neck's upper end, within the head.
        let view = View::new(self.framing, &moment.pose);
        let carried = view.place(0.0, 1.45, 0.30).0 - self.body_frame(moment).1;
        carried * smoothstep(2.25, 1.25, y)
    }

    /// The body's place that a pixel shows, face units.
    #[must_use]
    pub(super) fn body_place(&self, x: f32, y: f32, moment: &Moment) -> (f32, f32) {
        let (scale, left, top) = self.body_frame(moment);
        let y = (y - top) / scale;
        ((x - left - self.neck(y, moment)) / scale, y)
    }

    /// The pixel that shows a place of the body.
    #[must_use]
    pub(super) fn body_pixel(&self, x: f32, y: f32, moment: &Moment) -> (f32, f32) {
        let (scale, left, top) = self.body_frame(moment);
        (x * scale + left + self.neck(y, moment), y * scale + top)
    }

    /// Colour times coverage, coverage, and the light on it.
    #[inline]
    fn skin(
        &self,
        pixel: usize,
        texel: &Texel,
        part: bool,
        moment: &Moment,
        blur: f32,
    ) -> ([f32; 4], f32) {
        let (x, y) = (texel.x, texel.y);
        if part && (MOUTH.0..MOUTH.2).contains(&x) && (MOUTH.1..MOUTH.3).contains(&y) {
            return self.mouth(&self.lower.texels[pixel], texel);
        }
        let skin = self.head.at(x, y);
        let (near, far, top, bottom) = eye::REACH;
        if !(near..far).contains(&x.abs()) || !(top..bottom).contains(&y) || skin[3] < 0.99 {
            return (skin, texel.shade);
        }
        let state = EyeState {
            shut: moment.shut,
            ball: (
                moment.gaze.0 - texel.moved[0],
                moment.gaze.1 - texel.moved[1],
            ),
        };
        if self.person.photo.is_some() {
            let (sx, sy) = photo::eye_source(x, y, &state);
            return (self.head.at(sx, sy), texel.shade);
        }
        let linear = [skin[0], skin[1], skin[2]].map(decoded);
        let c = self.painter.eye(linear, x, y, blur, state).map(encoded);
        ([c[0], c[1], c[2], 1.0], texel.shade)
    }

    /// A pixel about the mouth while the lips part: the upper lip where its source
    /// lies above the line between the lips, the lower lip where it lies below, the
    /// mouth's inside between.
    fn mouth(&self, lower: &Texel, upper: &Texel) -> ([f32; 4], f32) {
        if !lower.shown() {
            return (self.head.at(upper.x, upper.y), upper.shade);
        }
        // Softness of half a pixel.
        let soft = 0.5 / self.framing.unit;
        let above = mouth::seam(upper.x) - upper.y;
        let below = lower.y - mouth::seam(lower.x);
        let a = smoothstep(-soft, soft, above);
        let b = smoothstep(-soft, soft, below);
        let (over, under) = (
            self.head.at(upper.x, upper.y),
            self.head.at(lower.x, lower.y),
        );
        let blend = |wa: f32, wb: f32, inside: [f32; 3], wi: f32| {
            [0, 1, 2, 3].map(|k| {
                let i = if k < 3 { inside[k] } else { 1.0 };
                wa * over[k] + wb * under[k] + wi * i
            })
        };
        let shade = upper.shade;
        if a + b >= 1.0 {
            let share = a / (a + b);
            return (blend(share, 1.0 - share, [0.0; 3], 0.0), shade);
        }
        let (hx, hy) = (upper.x + upper.moved[0], upper.y + upper.moved[1]);
        let inside = mouth::interior(hx, hy, hy + above).map(encoded);
        (blend(a, b, inside, 1.0 - a - b), shade)
    }

    /// Where the 68 points are at a moment, pixels of the picture.
    #[must_use]
    pub(super) fn landmarks(&self, moment: &Moment, movements: &[Movement]) -> [Point; 68] {
        let view = View::new(self.framing, &moment.pose);
        let mut points = super::anatomy::REST_LANDMARKS;
        for (i, point) in points.iter_mut().enumerate() {
            let plain = lid_point(i, *point, moment.shut);
            let (x, y) = self.person.shape.place(plain.x, plain.y);
            let lip = if matches!(i, 48..=54 | 60..=64) {
                Lip::Upper
            } else {
                Lip::Lower
            };
            let (mut mx, mut my) = (x, y);
            for &(number, level) in &moment.levels {
                let s = shift(&movements[number].kernels, x, y, lip);
                mx += level * s.x;
                my += level * s.y;
            }
            let z = super::depth::depth(plain.x, plain.y);
            let (sx, sy, _) = view.place_carried(mx, my, z, self.carried(plain.x, plain.y));
            *point = Point::new(sx, sy);
        }
        points
    }

    /// The share of the head's motion that a place of the plain face takes part in.
    #[must_use]
    pub(super) fn carried(&self, x: f32, y: f32) -> f32 {
        match self.person.photo {
            None => 1.0,
            Some(_) => photo::carried(x, y),
        }
    }

    /// The nose's and the chin's place in the picture: how far the head has gone.
    #[must_use]
    pub(super) fn marks(&self, pose: &HeadPose) -> [(f32, f32); 3] {
        let view = View::new(self.framing, pose);
        [(0.0, 0.5), (-0.8, -0.4), (0.0, 1.8)].map(|(x, y)| {
            let (sx, sy, _) = view.place(x, y, super::depth::depth(x, y));
            (sx, sy)
        })
    }
}

/// A lid's point follows the lid's margin.
fn lid_point(index: usize, rest: Point, shut: f32) -> Point {
    let (open, now) = (eye::margins(rest.x, 0.0), eye::margins(rest.x, shut));
    match index {
        37 | 38 | 43 | 44 => Point::new(rest.x, rest.y + now.0 - open.0),
        40 | 41 | 46 | 47 => Point::new(rest.x, rest.y + now.1 - open.1),
        _ => rest,
    }
}

fn field(movement: &Movement, places: &[Point]) -> Field {
    let lay = |lip| -> Vec<[f32; 2]> {
        places
            .iter()
            .map(|p| {
                let s = shift(&movement.kernels, p.x, p.y, lip);
                [s.x, s.y]
            })
            .collect()
    };
    Field {
        upper: lay(Lip::Upper),
        lower: movement
            .kernels
            .iter()
            .any(|k| k.lip != Lip::Both)
            .then(|| lay(Lip::Lower)),
    }
}

fn add(sum: &mut [[f32; 2]], field: &[[f32; 2]], level: f32) {
    for (s, f) in sum.iter_mut().zip(field) {
        s[0] += level * f[0];
        s[1] += level * f[1];
    }
}

/// Lays a colour that is already times its coverage over another.
#[inline]
fn over(c: &mut [f32; 3], top: [f32; 4], light: f32) {
    let rest = 1.0 - top[3];
    for k in 0..3 {
        c[k] = c[k] * rest + top[k] * light;
    }
}
