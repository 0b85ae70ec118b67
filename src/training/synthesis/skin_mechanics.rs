//! The face's skin as an elastic sheet that muscles pull.
//!
//! Skin lies over the skull like a sheet (plane stress, Poisson 0.4) held to the
//! bone by springs: hard at the nose's bridge, the hairline, the cheekbone's
//! ligament and the jaw's edge, soft over the cheeks, brows and lips. The openings
//! of lids and lips carry next to nothing and creases little, so motion ends there
//! in a thin line of strain. Bilinear square elements; the sheet is factored once
//! and then answers any pull.

use super::draws::{Draws, Hills, exp, hill, smoothstep};

/// Face units between the sheet's nodes.
pub(super) const SPACING: f64 = 0.05;
pub(super) const COLUMNS: usize = 53;
pub(super) const ROWS: usize = 67;
const LEFT: f64 = -1.30;
const TOP: f64 = -1.20;
const NODES: usize = COLUMNS * ROWS;
const POISSON: f64 = 0.4;
/// Unknowns that a row of the matrix reaches back.
const BAND: usize = 2 * (COLUMNS + 1) + 2;

/// A displacement at every node, face units.
pub(super) type Field = Vec<[f32; 2]>;

/// Where a node lies, face units.
pub(super) fn place(column: usize, row: usize) -> (f64, f64) {
    (LEFT + SPACING * column as f64, TOP + SPACING * row as f64)
}

/// Bilinear between the nodes, the outermost repeated.
pub(super) fn sample(field: &[[f32; 2]], x: f32, y: f32) -> [f32; 2] {
    let gx = ((x - LEFT as f32) / SPACING as f32).clamp(0.0, COLUMNS as f32 - 1.001);
    let gy = ((y - TOP as f32) / SPACING as f32).clamp(0.0, ROWS as f32 - 1.001);
    let (column, row) = (gx as usize, gy as usize);
    let (fx, fy) = (gx - column as f32, gy - row as f32);
    let i = row * COLUMNS + column;
    let (a, b) = (field[i], field[i + 1]);
    let (c, d) = (field[i + COLUMNS], field[i + COLUMNS + 1]);
    [0, 1].map(|k| {
        let top = a[k] + (b[k] - a[k]) * fx;
        let bottom = c[k] + (d[k] - c[k]) * fx;
        top + (bottom - top) * fy
    })
}

/// One person's skin, ready to be pulled.
pub(super) struct Sheet {
    /// Lower triangle by rows: `factor[i * (BAND + 1) + BAND - (i - j)]` is L(i, j).
    factor: Vec<f64>,
}

/// A pull on a patch of skin: Gaussian around `center`, `sigma` along x and y.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Patch {
    pub(super) center: (f64, f64),
    pub(super) sigma: (f64, f64),
}

impl Sheet {
    /// Draws a person's stiffness, springs and creases and factors the sheet.
    pub(super) fn new(draws: &mut Draws) -> Self {
        let build = Build::drawn(draws);
        let element = element_stiffness();
        let width = BAND + 1;
        let mut matrix = vec![0.0; 2 * NODES * width];
        for row in 0..ROWS - 1 {
            for column in 0..COLUMNS - 1 {
                let (x, y) = place(column, row);
                let stiffness = build.stiffness(x + 0.5 * SPACING, y + 0.5 * SPACING);
                let corner = row * COLUMNS + column;
                let nodes = [corner, corner + 1, corner + COLUMNS + 1, corner + COLUMNS];
                for a in 0..8 {
                    let i = 2 * nodes[a / 2] + a % 2;
                    for b in 0..8 {
                        let j = 2 * nodes[b / 2] + b % 2;
                        if j <= i {
                            matrix[i * width + BAND - (i - j)] += stiffness * element[a][b];
                        }
                    }
                }
            }
        }
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                let (x, y) = place(column, row);
                let spring = build.spring(x, y) * SPACING * SPACING;
                let i = 2 * (row * COLUMNS + column);
                matrix[i * width + BAND] += spring;
                matrix[(i + 1) * width + BAND] += spring;
            }
        }
        factorise(&mut matrix);
        Self { factor: matrix }
    }

    /// How the skin moves when `patch` is pulled along x and along y with unit force.
    pub(super) fn pulled(&self, patch: Patch) -> [Field; 2] {
        let mut loads = [vec![0.0; 2 * NODES], vec![0.0; 2 * NODES]];
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                let (x, y) = place(column, row);
                let dx = (x - patch.center.0) / patch.sigma.0;
                let dy = (y - patch.center.1) / patch.sigma.1;
                let d2 = dx * dx + dy * dy;
                if d2 < 16.0 {
                    let i = 2 * (row * COLUMNS + column);
                    let force = hill(d2) * SPACING * SPACING;
                    loads[0][i] = force;
                    loads[1][i + 1] = force;
                }
            }
        }
        loads.map(|mut load| {
            self.solve(&mut load);
            (load.chunks_exact(2))
                .map(|d| [d[0] as f32, d[1] as f32])
                .collect()
        })
    }

    fn solve(&self, load: &mut [f64]) {
        let width = BAND + 1;
        let n = load.len();
        for i in 0..n {
            let first = i.saturating_sub(BAND);
            let row = &self.factor[i * width + BAND - (i - first)..=i * width + BAND];
            let known: f64 = (row.iter().zip(&load[first..i])).map(|(l, x)| l * x).sum();
            load[i] = (load[i] - known) / row[i - first];
        }
        for i in (0..n).rev() {
            let first = i.saturating_sub(BAND);
            let row = &self.factor[i * width + BAND - (i - first)..=i * width + BAND];
            let value = load[i] / row[i - first];
            load[i] = value;
            for (l, x) in row.iter().zip(&mut load[first..i]) {
                *x -= l * value;
            }
        }
    }
}

/// Cholesky within the band, in place.
fn factorise(matrix: &mut [f64]) {
    let width = BAND + 1;
    let n = matrix.len() / width;
    for i in 0..n {
        let (done, rest) = matrix.split_at_mut(i * width);
        let row = &mut rest[..width];
        let first = i.saturating_sub(BAND);
        for j in first..i {
            // L(i,j) = (A(i,j) − Σ L(i,k) L(j,k)) / L(j,j), k from where both begin.
            let from = first.max(j.saturating_sub(BAND));
            let other = &done[j * width..(j + 1) * width];
            let a = &row[BAND - (i - from)..BAND - (i - j)];
            let b = &other[BAND - (j - from)..BAND];
            let known: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            row[BAND - (i - j)] = (row[BAND - (i - j)] - known) / other[BAND];
        }
        let from = BAND - (i - first);
        let known: f64 = row[from..BAND].iter().map(|l| l * l).sum();
        // Springs hold every node, so the diagonal stays positive.
        row[BAND] = (row[BAND] - known).max(1e-12).sqrt();
    }
}

/// Stiffness of a square bilinear element with modulus 1 (plane stress), nodes
/// round the square from its upper left corner, x and y by turns; 2×2 Gauss points.
fn element_stiffness() -> [[f64; 8]; 8] {
    const CORNERS: [(f64, f64); 4] = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
    let scale = 1.0 / (1.0 - POISSON * POISSON);
    let (normal, cross, shear) = (scale, scale * POISSON, scale * 0.5 * (1.0 - POISSON));
    let at = 1.0 / 3.0_f64.sqrt();
    let mut stiffness = [[0.0; 8]; 8];
    for (gx, gy) in CORNERS.map(|(x, y)| (x * at, y * at)) {
        // Derivatives in units of half the side; area and lengths cancel.
        let slope = CORNERS.map(|(x, y)| (0.25 * x * (1.0 + y * gy), 0.25 * y * (1.0 + x * gx)));
        for a in 0..4 {
            for b in 0..4 {
                let ((ax, ay), (bx, by)) = (slope[a], slope[b]);
                stiffness[2 * a][2 * b] += normal * ax * bx + shear * ay * by;
                stiffness[2 * a][2 * b + 1] += cross * ax * by + shear * ay * bx;
                stiffness[2 * a + 1][2 * b] += cross * ay * bx + shear * ax * by;
                stiffness[2 * a + 1][2 * b + 1] += normal * ay * by + shear * ax * bx;
            }
        }
    }
    stiffness
}

/// A person's tissue before it is assembled.
struct Build {
    modulus: Hills,
    hold: Hills,
    /// Over the whole face: how far motion spreads.
    firmness: f64,
    creases: Vec<Crease>,
}

/// A soft line of skin.
pub(super) struct Crease {
    points: Vec<(f64, f64)>,
    pub(super) width: f64,
    /// Share of the stiffness that is left, 0..1.
    pub(super) left: f64,
}

/// The creases of one person.
pub(super) fn creases(draws: &mut Draws) -> Vec<Crease> {
    let mut creases = Vec::new();
    for line in CREASES {
        if !draws.chance(line.likely) {
            continue;
        }
        let shift = (0.03 * draws.normal(), 0.03 * draws.normal());
        let (width, left) = (draws.range(0.025, 0.045), draws.range(0.12, 0.5));
        for side in [-1.0, 1.0] {
            let own = (0.012 * draws.normal(), 0.012 * draws.normal());
            creases.push(Crease {
                points: (line.points.iter())
                    .map(|&(x, y)| (side * (x + shift.0 + own.0), y + shift.1 + own.1))
                    .collect(),
                width: width * draws.range(0.8, 1.25),
                left: (left * draws.range(0.7, 1.4)).min(0.9),
            });
        }
    }
    creases
}

impl Build {
    fn drawn(draws: &mut Draws) -> Self {
        let modulus = Hills::new(draws, 60, 0.22);
        let hold = Hills::new(draws, 60, 0.25);
        let firmness = draws.log_normal(1.0, 0.35);
        let creases = creases(draws);
        Self {
            modulus,
            hold,
            firmness,
            creases,
        }
    }

    /// Young's modulus relative to the cheek's.
    fn stiffness(&self, x: f64, y: f64) -> f64 {
        let side = x.abs();
        let mut e = exp(0.30 * self.modulus.at(x, y));
        // Thin skin of the lids, soft lips.
        let lid = hill(squared((side - 0.51) / 0.26, (y - 0.0) / 0.14));
        e *= 1.0 - 0.55 * lid;
        let lips = hill(squared(side / 0.34, (y - 1.13) / 0.12));
        e *= 1.0 - 0.40 * lips;
        // Forehead and chin are firmer.
        e *= 1.0 + 0.6 * smoothstep(-0.45, -0.75, y);
        for crease in &self.creases {
            let near = crease.distance(x, y) / crease.width;
            e *= 1.0 - (1.0 - crease.left) * hill(near * near);
        }
        // The openings: between the lids, between the lips.
        if eye_opening(x, y) < 1.0 {
            e *= 0.04;
        }
        if side < 0.36 && (y - 1.125).abs() < 0.5 * SPACING {
            e *= 0.02;
        }
        e
    }

    /// Spring to the bone per area, relative to the cheek's modulus.
    fn spring(&self, x: f64, y: f64) -> f64 {
        let side = x.abs();
        let bump =
            |cx: f64, cy: f64, sx: f64, sy: f64| hill(squared((side - cx) / sx, (y - cy) / sy));
        let mut k = 2.6;
        // Loose: brows and their pad, mid cheek, lips and corners.
        k -= 1.0 * bump(0.5, -0.40, 0.40, 0.18);
        k -= 1.4 * bump(0.50, 0.95, 0.35, 0.30);
        k -= 0.8 * bump(0.0, 1.15, 0.30, 0.14);
        // Held: bridge and back of the nose, inner corner and rim of the eye's
        // socket, cheekbone ligament, temple, jaw's ligament, chin's middle, ear,
        // hairline, neck.
        k += 120.0 * bump(0.0, 0.10, 0.075, 0.22);
        k += 25.0 * bump(0.0, 0.50, 0.10, 0.14);
        k += 60.0 * bump(0.27, 0.04, 0.06, 0.06);
        k += 14.0 * bump(0.50, -0.02, 0.28, 0.12);
        k += 16.0 * bump(0.50, -0.14, 0.32, 0.05);
        k += 10.0 * bump(0.82, 0.10, 0.13, 0.12);
        k += 5.0 * bump(0.80, 0.34, 0.13, 0.09);
        k += 6.0 * bump(1.0, -0.15, 0.14, 0.30);
        k += 5.0 * bump(0.66, 1.55, 0.12, 0.10);
        k += 3.0 * bump(0.0, 1.74, 0.25, 0.10);
        k += 60.0 * smoothstep(1.05, 1.25, side);
        k += 40.0 * smoothstep(-0.85, -1.15, y);
        k += 20.0 * smoothstep(1.85, 2.05, y);
        // The eyeball is no skin at all.
        if eye_opening(x, y) < 1.0 {
            k += 60.0;
        }
        k.max(0.8) * self.firmness * exp(0.30 * self.hold.at(x, y))
    }
}

/// Below 1 inside the opening of either eye.
pub(super) fn eye_opening(x: f64, y: f64) -> f64 {
    let height = if y < 0.01 { 0.085 } else { 0.065 };
    squared((x.abs() - 0.51) / 0.20, (y - 0.01) / height)
}

fn squared(x: f64, y: f64) -> f64 {
    x * x + y * y
}

impl Crease {
    pub(super) fn distance(&self, x: f64, y: f64) -> f64 {
        distance_to(&self.points, x, y)
    }
}

/// Distance of a place from a line through points.
pub(super) fn distance_to(line: &[(f64, f64)], x: f64, y: f64) -> f64 {
    (line.windows(2))
        .map(|ends| {
            let ((ax, ay), (bx, by)) = (ends[0], ends[1]);
            let (dx, dy) = (bx - ax, by - ay);
            let t = (((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
            squared(x - ax - t * dx, y - ay - t * dy)
        })
        .fold(f64::INFINITY, f64::min)
        .sqrt()
}

struct CreaseLine {
    points: &'static [(f64, f64)],
    likely: f64,
}

/// Where faces fold, image-right side (x outward).
const CREASES: [CreaseLine; 9] = [
    // Beside the nose to beside the mouth.
    CreaseLine {
        points: &[(0.22, 0.56), (0.33, 0.76), (0.45, 0.96), (0.52, 1.14)],
        likely: 0.9,
    },
    // Under the lower lid; the lid's fold above.
    CreaseLine {
        points: &[(0.30, 0.10), (0.50, 0.19), (0.70, 0.13)],
        likely: 0.7,
    },
    CreaseLine {
        points: &[(0.32, -0.05), (0.50, -0.14), (0.72, -0.06)],
        likely: 0.8,
    },
    // Crow's feet.
    CreaseLine {
        points: &[(0.78, 0.03), (0.98, 0.06)],
        likely: 0.4,
    },
    // Between the brows, across the forehead (twice), across the nose's root.
    CreaseLine {
        points: &[(0.11, -0.20), (0.12, -0.46)],
        likely: 0.5,
    },
    CreaseLine {
        points: &[(0.0, -0.58), (0.4, -0.62), (0.75, -0.56)],
        likely: 0.5,
    },
    CreaseLine {
        points: &[(0.0, -0.76), (0.4, -0.80), (0.7, -0.76)],
        likely: 0.4,
    },
    // From the mouth's corner down; above the chin.
    CreaseLine {
        points: &[(0.45, 1.18), (0.50, 1.40)],
        likely: 0.5,
    },
    CreaseLine {
        points: &[(0.0, 1.40), (0.20, 1.42), (0.30, 1.50)],
        likely: 0.8,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_moves_its_patch_most_and_the_bridge_of_the_nose_hardly() {
        let sheet = Sheet::new(&mut Draws::new(1, &[]));
        let corner = Patch {
            center: (0.42, 1.1),
            sigma: (0.1, 0.1),
        };
        let [along_x, along_y] = sheet.pulled(corner);
        let at = |field: &Field, x: f32, y: f32| sample(field, x, y);
        let here = at(&along_x, 0.42, 1.1)[0];
        assert!(here > 0.0);
        assert!(
            at(&along_x, 0.65, 0.95)[0] > 0.1 * here,
            "the cheek follows"
        );
        assert!(
            at(&along_x, 0.0, 0.1)[0].abs() < 0.02 * here,
            "the bridge stays"
        );
        assert!(at(&along_x, -1.2, 1.1)[0].abs() < 0.02 * here);
        assert!(at(&along_y, 0.42, 1.1)[1] > 0.0);
    }
}
