//! The head as a mesh: where each place of the plain face shows in the picture.

use super::arithmetic::{cosine, sine};
use super::depth::{FRONT, depth, facing};
use super::scene::Light;
use super::shape::Shape;
use crate::base::Point;

/// How the head stands in one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeadPose {
    /// Face units to the right and down.
    pub x: f64,
    pub y: f64,
    /// 1 at its place; more is nearer.
    pub zoom: f64,
    /// Degrees: clockwise in the picture, towards the picture's right, down.
    pub roll: f64,
    pub yaw: f64,
    pub pitch: f64,
}

impl Default for HeadPose {
    fn default() -> Self {
        Self {
            x: 0.0,
            y: 0.0,
            zoom: 1.0,
            roll: 0.0,
            yaw: 0.0,
            pitch: 0.0,
        }
    }
}

/// Where the camera sees a head that is at its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Framing {
    /// The point midway between the eyes, pixels.
    pub x: f32,
    pub y: f32,
    /// The distance between the eyes, pixels.
    pub unit: f32,
    /// From the camera to the face, in distances between the eyes (63 mm): 16 is 1 m.
    pub distance: f32,
}

/// The head turns about a point of the neck this far below the eyes.
const PIVOT_Y: f32 = 1.0;

/// Carries places of the head into the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    framing: Framing,
    /// Rows of the rotation.
    turn: [[f32; 3]; 3],
    shift: (f32, f32),
    zoom: f32,
}

impl View {
    #[must_use]
    pub(super) fn new(framing: Framing, pose: &HeadPose) -> Self {
        let pair = |degrees: f64| (sine(degrees / 360.0) as f32, cosine(degrees / 360.0) as f32);
        let ((sr, cr), (sy, cy), (sp, cp)) = (pair(pose.roll), pair(pose.yaw), pair(pose.pitch));
        // Roll after pitch after yaw; y and pitch point down.
        let yaw = [[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]];
        let pitch = [[1.0, 0.0, 0.0], [0.0, cp, sp], [0.0, -sp, cp]];
        let roll = [[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]];
        Self {
            framing,
            turn: product(&roll, &product(&pitch, &yaw)),
            shift: (pose.x as f32, pose.y as f32),
            zoom: pose.zoom as f32,
        }
    }

    /// The same for a place that takes part in a share of the head's motion only.
    #[must_use]
    pub(super) fn place_carried(&self, x: f32, y: f32, z: f32, share: f32) -> (f32, f32, f32) {
        let moved = self.place(x, y, z);
        if share >= 1.0 {
            return moved;
        }
        // Unturned and unmoved.
        let f = &self.framing;
        let near = f.distance / (f.distance + FRONT - z);
        let (rx, ry, rz) = (
            f.x + f.unit * near * x,
            f.y + f.unit * (near * (y - PIVOT_Y) + PIVOT_Y),
            z,
        );
        let mix = |rest: f32, moved: f32| rest + share * (moved - rest);
        (mix(rx, moved.0), mix(ry, moved.1), mix(rz, moved.2))
    }

    fn turned(&self, v: [f32; 3]) -> [f32; 3] {
        self.turn
            .map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
    }

    /// Picture place and depth of a place of the person's head.
    #[must_use]
    pub(super) fn place(&self, x: f32, y: f32, z: f32) -> (f32, f32, f32) {
        let [vx, vy, vz] = self.turned([x, y - PIVOT_Y, z]);
        let f = &self.framing;
        let near = self.zoom * f.distance / (f.distance + FRONT - vz);
        (
            f.x + f.unit * (self.shift.0 + near * vx),
            f.y + f.unit * (self.shift.1 + near * vy + PIVOT_Y),
            vz,
        )
    }
}

fn product(a: &[[f32; 3]; 3], b: &[[f32; 3]; 3]) -> [[f32; 3]; 3] {
    a.map(|row| [0, 1, 2].map(|k| row[0] * b[0][k] + row[1] * b[1][k] + row[2] * b[2][k]))
}

/// A node: a place of the plain face, where it lies on the person, and which way it faces.
#[derive(Debug, Clone, Copy)]
struct Node {
    plain: [f32; 2],
    person: [f32; 3],
    facing: [f32; 3],
    /// Key light at rest, for the ratio of turned to unturned.
    lit: f32,
    /// Share of the head's motion that it takes part in.
    carried: f32,
}

/// What a pixel shows: a place of the plain face, how far the skin there has been
/// moved (face units), the light on it against its painted light, its depth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Texel {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) moved: [f32; 2],
    pub(super) shade: f32,
    pub(super) z: f32,
}

impl Texel {
    pub(super) const NONE: Self = Self {
        x: 0.0,
        y: 0.0,
        moved: [0.0; 2],
        shade: 1.0,
        z: f32::MIN,
    };

    #[inline]
    #[must_use]
    pub(super) fn shown(&self) -> bool {
        self.z > f32::MIN
    }
}

/// Nodes in rows over a rectangle of the plain face.
pub(super) struct Mesh {
    pub(super) columns: usize,
    pub(super) rows: usize,
    nodes: Vec<Node>,
    corners: Vec<(f32, f32, Texel)>,
    light: Light,
}

impl Mesh {
    /// Covers `bounds` (left, top, right, bottom) in steps of `step`; `rise` is the
    /// height over the skin, `carried` the share of the head's motion that a place
    /// takes part in.
    #[must_use]
    pub(super) fn new(
        bounds: (f32, f32, f32, f32),
        step: f32,
        shape: &Shape,
        light: Light,
        rise: impl Fn(f32, f32) -> f32,
        carried: impl Fn(f32, f32) -> f32,
    ) -> Self {
        let columns = ((bounds.2 - bounds.0) / step) as usize + 2;
        let rows = ((bounds.3 - bounds.1) / step) as usize + 2;
        let mut nodes = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                let x = bounds.0 + column as f32 * step;
                let y = bounds.1 + row as f32 * step;
                let (px, py) = shape.place(x, y);
                let facing = facing(x, y);
                nodes.push(Node {
                    plain: [x, y],
                    person: [px, py, depth(x, y) + rise(x, y)],
                    facing,
                    lit: level(&light, facing),
                    carried: carried(x, y),
                });
            }
        }
        Self {
            columns,
            rows,
            corners: Vec::with_capacity(nodes.len()),
            nodes,
            light,
        }
    }

    /// The person's place of every node, to lay displacement fields over.
    pub(super) fn places(&self) -> impl Iterator<Item = Point> + '_ {
        self.nodes
            .iter()
            .map(|n| Point::new(n.person[0], n.person[1]))
    }

    /// Lays the mesh into the picture, nearest first where it folds. `moved` holds a
    /// displacement for every node; only cells for which `wanted` says yes of their
    /// plain place are drawn.
    pub(super) fn lay(
        &mut self,
        view: &View,
        moved: &[[f32; 2]],
        wanted: impl Fn(f32, f32) -> bool,
        picture: &mut Picture,
    ) {
        self.corners.clear();
        for (node, &d) in self.nodes.iter().zip(moved) {
            let [x, y, z] = node.person;
            let (sx, sy, z) = view.place_carried(x + d[0], y + d[1], z, node.carried);
            let turned = level(&self.light, view.turned(node.facing)) / node.lit;
            let shade = 1.0 + (turned - 1.0) * node.carried;
            let texel = Texel {
                x: node.plain[0],
                y: node.plain[1],
                moved: d,
                shade,
                z,
            };
            self.corners.push((sx, sy, texel));
        }
        for row in 0..self.rows - 1 {
            for column in 0..self.columns - 1 {
                let i = row * self.columns + column;
                let [x, y] = self.nodes[i].plain;
                if !wanted(x, y) {
                    continue;
                }
                let (a, b) = (&self.corners[i], &self.corners[i + 1]);
                let (c, d) = (
                    &self.corners[i + self.columns],
                    &self.corners[i + self.columns + 1],
                );
                picture.triangle(a, b, c);
                picture.triangle(d, c, b);
            }
        }
    }
}

/// Light of the key and from everywhere on a surface, for ratios.
fn level(light: &Light, facing: [f32; 3]) -> f32 {
    let k = facing[0] * light.key[0] + facing[1] * light.key[1] + facing[2] * light.key[2];
    let wrapped = ((k + 0.24) / 1.24).max(0.0);
    0.26 * light.ambient + 0.6 * light.fill_level + light.key_level * wrapped
}

/// What each pixel of a picture shows of a mesh.
pub(super) struct Picture {
    width: usize,
    height: usize,
    pub(super) texels: Vec<Texel>,
}

impl Picture {
    #[must_use]
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            texels: vec![Texel::NONE; width * height],
        }
    }

    pub(super) fn clear(&mut self) {
        self.texels.fill(Texel::NONE);
    }

    fn triangle(&mut self, a: &(f32, f32, Texel), b: &(f32, f32, Texel), c: &(f32, f32, Texel)) {
        let (abx, aby) = (b.0 - a.0, b.1 - a.1);
        let (acx, acy) = (c.0 - a.0, c.1 - a.1);
        let area = abx * acy - aby * acx;
        // Seen from behind, or edge on.
        if area <= 1e-6 {
            return;
        }
        let left = a.0.min(b.0).min(c.0).ceil().max(0.0);
        let right = a.0.max(b.0).max(c.0).floor().min(self.width as f32 - 1.0);
        let top = a.1.min(b.1).min(c.1).ceil().max(0.0);
        let bottom = a.1.max(b.1).max(c.1).floor().min(self.height as f32 - 1.0);
        if left > right || top > bottom {
            return;
        }
        let inverse = 1.0 / area;
        let (left, right) = (left as usize, right as usize);
        for row in top as usize..=bottom as usize {
            let py = row as f32 - a.1;
            let line = row * self.width;
            for column in left..=right {
                let px = column as f32 - a.0;
                // A hair of overlap, so that no pixel falls between two triangles.
                const EDGE: f32 = 1e-4;
                let v = (px * acy - py * acx) * inverse;
                let w = (abx * py - aby * px) * inverse;
                if v < -EDGE || w < -EDGE || v + w > 1.0 + EDGE {
                    continue;
                }
                let (ta, tb, tc) = (&a.2, &b.2, &c.2);
                let mix = |p: f32, q: f32, r: f32| p + v * (q - p) + w * (r - p);
                let z = mix(ta.z, tb.z, tc.z);
                let target = &mut self.texels[line + column];
                if z <= target.z {
                    continue;
                }
                *target = Texel {
                    x: mix(ta.x, tb.x, tc.x),
                    y: mix(ta.y, tb.y, tc.y),
                    moved: [
                        mix(ta.moved[0], tb.moved[0], tc.moved[0]),
                        mix(ta.moved[1], tb.moved[1], tc.moved[1]),
                    ],
                    shade: mix(ta.shade, tb.shade, tc.shade),
                    z,
                };
            }
        }
    }
}
