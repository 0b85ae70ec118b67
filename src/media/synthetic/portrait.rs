//! The whole picture at rest: backdrop, shoulders, neck, head, hair.

use rayon::prelude::*;

use super::arithmetic::{hill, mix3, noise, smoothstep};
use super::ear;
use super::eye::{self, EyeState};
use super::hair::Hair;
use super::look::{HairCut, Look};
use super::outline::Outline;
use super::scene::Light;
use super::skin::{Rgb, Skin, illuminate};

/// Texels of the resting picture to one pixel of a frame, along each axis.
pub(super) const DENSITY: usize = 2;

/// Where the face stands in the frame: pixels from face units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placement {
    /// The point midway between the eyes, pixels.
    pub(super) x: f32,
    pub(super) y: f32,
    /// The distance between the eyes' centres, pixels.
    pub(super) unit: f32,
}

impl Placement {
    /// A portrait that fills a frame of this size well.
    #[must_use]
    pub(super) fn of(width: u32, height: u32) -> Self {
        let (w, h) = (width as f32, height as f32);
        Self {
            x: 0.5 * (w - 1.0),
            y: 0.425 * h,
            unit: (0.212 * h).min(0.26 * w),
        }
    }
}

/// Linear light of every texel, row by row, `DENSITY` times the frame in each
/// direction.
pub(super) struct Portrait {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) texels: Vec<Rgb>,
    placement: Placement,
    painter: Painter,
}

/// Paints one person, a place at a time, in the plain face's units.
pub(super) struct Painter {
    pub(super) skin: Skin,
    hair: Hair,
    neck: Outline,
    clothes: Outline,
    collar: Outline,
    cloth: Rgb,
    cloth_contrast: f32,
    seed: u64,
}

impl Portrait {
    #[must_use]
    pub(super) fn paint(width: u32, height: u32, placement: Placement, seed: u64) -> Self {
        let painter = Painter::new(seed, Look::plain(), Light::plain(), CLOTH, 1.0);
        let (width, height) = (width as usize * DENSITY, height as usize * DENSITY);
        let mut texels = vec![[0.0; 3]; width * height];
        texels
            .par_chunks_mut(width)
            .enumerate()
            .for_each(|(row, line)| {
                for (column, texel) in line.iter_mut().enumerate() {
                    let (x, y) = face_units(placement, column, row);
                    *texel = painter.texel(x, y, 0.7 / placement.unit, 0.0);
                }
            });
        Self {
            width,
            height,
            texels,
            placement,
            painter,
        }
    }

    /// The texel rectangles (left, top, right, bottom; right and bottom excluded)
    /// that change when the eyes shut.
    #[must_use]
    pub(super) fn eye_patches(&self) -> [(usize, usize, usize, usize); 2] {
        let (near, far, top, bottom) = eye::REACH;
        let column = |x: f32| self.column(x).min(self.width);
        let row = |y: f32| self.row(y).min(self.height);
        [
            (column(-far), row(top), column(-near), row(bottom)),
            (column(near), row(top), column(far), row(bottom)),
        ]
    }

    /// One texel with the eyes shut by `shut`, 0..1.
    #[must_use]
    pub(super) fn with_lids(&self, column: usize, row: usize, shut: f32) -> Rgb {
        let (x, y) = face_units(self.placement, column, row);
        self.painter.texel(x, y, 0.7 / self.placement.unit, shut)
    }

    fn column(&self, x: f32) -> usize {
        ((x * self.placement.unit + self.placement.x + 0.5) * DENSITY as f32).max(0.0) as usize
    }

    fn row(&self, y: f32) -> usize {
        ((y * self.placement.unit + self.placement.y + 0.5) * DENSITY as f32).max(0.0) as usize
    }
}

fn face_units(placement: Placement, column: usize, row: usize) -> (f32, f32) {
    let px = (column as f32 + 0.5) / DENSITY as f32 - 0.5;
    let py = (row as f32 + 0.5) / DENSITY as f32 - 0.5;
    (
        (px - placement.x) / placement.unit,
        (py - placement.y) / placement.unit,
    )
}

impl Painter {
    pub(super) fn new(
        seed: u64,
        look: Look,
        light: Light,
        cloth: Rgb,
        cloth_contrast: f32,
    ) -> Self {
        const NECK: [(f32, f32); 10] = [
            (-0.60, 1.0),
            (0.60, 1.0),
            (0.625, 1.75),
            (0.70, 2.06),
            (1.00, 2.24),
            (1.10, 2.9),
            (-1.10, 2.9),
            (-1.00, 2.24),
            (-0.70, 2.06),
            (-0.625, 1.75),
        ];
        const CLOTHES: [(f32, f32); 14] = [
            (-0.92, 2.10),
            (-0.72, 2.28),
            (-0.38, 2.455),
            (0.0, 2.515),
            (0.38, 2.455),
            (0.72, 2.28),
            (0.92, 2.10),
            (1.55, 2.30),
            (2.10, 2.52),
            (2.50, 3.00),
            (2.7, 4.0),
            (-2.7, 4.0),
            (-2.50, 3.00),
            (-2.10, 2.52),
        ];
        const COLLAR: [(f32, f32); 10] = [
            (-0.92, 2.10),
            (-0.72, 2.28),
            (-0.38, 2.455),
            (0.0, 2.515),
            (0.38, 2.455),
            (0.72, 2.28),
            (0.92, 2.10),
            (0.8, 1.4),
            (0.0, 1.2),
            (-0.8, 1.4),
        ];
        let mut shoulders = CLOTHES.to_vec();
        shoulders.push((-1.55, 2.30));
        Self {
            hair: Hair::new(seed, &look),
            skin: Skin::new(seed, look, light),
            neck: Outline::closed(&NECK, 0.03, 0.2),
            clothes: Outline::closed(&shoulders, 0.03, 0.3),
            collar: Outline::closed(&COLLAR, 0.03, 0.3),
            cloth,
            cloth_contrast,
            seed,
        }
    }

    fn texel(&self, x: f32, y: f32, blur: f32, shut: f32) -> Rgb {
        let mut c = backdrop(x, y);
        let behind = self.hair.behind(x, y, blur);
        if behind > 0.0 {
            c = mix3(c, self.hair.lit(x, y, smoothstep(0.6, 1.3, y)), behind);
        }
        let neck = smoothstep(blur, -blur, self.neck.at(x, y));
        if neck > 0.0 {
            c = mix3(c, self.skin.neck(x, y), neck);
        }
        let cloth = smoothstep(blur, -blur, self.clothes.at(x, y));
        if cloth > 0.0 {
            c = mix3(c, self.cloth(x, y), cloth);
        }
        let face = smoothstep(1.6 * blur, -1.6 * blur, self.skin.face.at(x, y));
        let front = self.hair.before(x, y, blur);
        if face > 0.0 && front < 1.0 {
            let mut f = self.skin.lit(x, y);
            let (near, far, top, bottom) = eye::REACH;
            if (near..far).contains(&x.abs()) && (top..bottom).contains(&y) {
                f = self.eye(
                    f,
                    x,
                    y,
                    blur,
                    EyeState {
                        shut,
                        ball: (0.0, 0.0),
                    },
                );
            }
            c = mix3(c, self.under_hair(self.hair.brow(f, x, y), x, y), face);
        }
        if front > 0.0 {
            c = mix3(c, self.hair.lit(x, y, 0.0), front);
        }
        c
    }

    /// How far down the hair reaches.
    #[must_use]
    pub(super) fn lowest_hair(&self) -> f32 {
        match self.skin.look.hair.cut {
            HairCut::Long => 2.85,
            _ => 1.9,
        }
    }

    /// The eye over skin of this colour.
    pub(super) fn eye(&self, skin: Rgb, x: f32, y: f32, blur: f32, state: EyeState) -> Rgb {
        eye::paint(skin, x, y, state, blur, &self.skin.look, self.seed)
    }

    /// A colour of the face in the shadow of the hair.
    fn under_hair(&self, f: Rgb, x: f32, y: f32) -> Rgb {
        let shade = self.hair.shadow(x, y);
        [
            f[0] * shade,
            f[1] * shade * (0.94 + 0.06 * shade),
            f[2] * shade * (0.92 + 0.08 * shade),
        ]
    }

    /// Colour and coverage of the head without its eyes: hair, ears, face.
    #[must_use]
    pub(super) fn head(&self, x: f32, y: f32, blur: f32) -> (Rgb, f32) {
        let (mut c, mut cover) = ([0.0; 3], 0.0);
        let mut over = |top: Rgb, share: f32| {
            let all = share + cover * (1.0 - share);
            if all > 0.0 {
                c = mix3(c, top, share / all);
                cover = all;
            }
        };
        let behind = self.hair.behind(x, y, blur);
        if behind > 0.0 {
            // The neck belongs to the body and stands before this hair.
            let free = smoothstep(-blur, blur, self.neck.at(x, y) - 0.01);
            let depth = smoothstep(0.6, 1.3, y);
            over(self.hair.lit(x, y, depth), behind * free);
        }
        let look = &self.skin.look;
        if look.hair.cut.shows_ears() {
            let (tone, share) = ear::paint(&self.skin, x, y, blur);
            if share > 0.0 {
                over(tone, share);
            }
        }
        let face = smoothstep(1.6 * blur, -1.6 * blur, self.skin.face.at(x, y));
        let front = self.hair.before(x, y, blur);
        if face > 0.0 && front < 1.0 {
            let f = self.hair.brow(self.skin.lit(x, y), x, y);
            over(self.under_hair(f, x, y), face);
        }
        if front > 0.0 {
            over(self.hair.lit(x, y, 0.0), front);
        }
        (c, cover)
    }

    /// Colour and coverage of the hair behind the neck, neck and clothes.
    #[must_use]
    pub(super) fn body(&self, x: f32, y: f32, blur: f32) -> (Rgb, f32) {
        let (mut c, mut cover) = ([0.0; 3], 0.0);
        let mut over = |top: Rgb, share: f32| {
            let all = share + cover * (1.0 - share);
            if all > 0.0 {
                c = mix3(c, top, share / all);
                cover = all;
            }
        };
        let behind = self.hair.behind(x, y, blur) * smoothstep(0.4, 0.8, y);
        if behind > 0.0 {
            over(self.hair.lit(x, y, smoothstep(0.6, 1.3, y)), behind);
        }
        let neck = smoothstep(blur, -blur, self.neck.at(x, y));
        if neck > 0.0 {
            over(self.skin.neck(x, y), neck);
        }
        let cloth = smoothstep(blur, -blur, self.clothes.at(x, y));
        if cloth > 0.0 {
            over(self.cloth(x, y), cloth);
        }
        (c, cover)
    }

    /// A knitted pullover.
    fn cloth(&self, x: f32, y: f32) -> Rgb {
        let rib = self.collar.at(x, y);
        let stitch = noise(x * 34.0, y * 17.0, self.seed ^ 61)
            + 0.5 * noise(x * 9.0, y * 40.0, self.seed ^ 62);
        let fold = noise(x * 1.7 + y, y * 1.1 - 0.6 * x, self.seed ^ 63);
        let light = 1.0 + 0.10 * self.cloth_contrast * stitch;
        let tone: Rgb = self.cloth.map(|v| v * light);
        let across = (x / 2.6).clamp(-0.9, 0.9);
        let normal = [0.75 * across + 0.22 * fold, -0.45 + 0.25 * (y - 2.3), 0.75];
        let edge =
            1.0 - 0.30 * hill(0.0, (rib - 0.085) / 0.014) - 0.25 * smoothstep(0.03, -0.01, rib);
        illuminate(&self.skin.light, tone, normal, 0.9 * edge, 0.9)
    }
}

/// The bundled clip's pullover.
const CLOTH: Rgb = [0.085, 0.185, 0.205];

/// A plain studio wall, lighter around the head.
fn backdrop(x: f32, y: f32) -> Rgb {
    let glow = hill((x - 0.5) / 2.3, (y - 0.2) / 1.9);
    let near: Rgb = [0.420, 0.455, 0.480];
    let far: Rgb = [0.150, 0.175, 0.200];
    mix3(far, near, glow)
}
