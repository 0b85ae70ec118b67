//! Smooth closed shapes as signed distances.

/// The signed distance to a closed spline, negative inside, sampled on a grid that
/// is fine enough for the shape and read bilinearly. Face units.
pub(super) struct Outline {
    left: f32,
    top: f32,
    step: f32,
    width: usize,
    height: usize,
    distance: Vec<f32>,
    margin: f32,
}

impl Outline {
    /// A closed Catmull–Rom spline through `points`; distances are kept up to
    /// `margin` outside, on a grid of `step`.
    #[must_use]
    pub(super) fn closed(points: &[(f32, f32)], step: f32, margin: f32) -> Self {
        let polygon = spline(points);
        let bounds = polygon.iter().fold(
            (f32::MAX, f32::MAX, f32::MIN, f32::MIN),
            |(l, t, r, b), &(x, y)| (l.min(x), t.min(y), r.max(x), b.max(y)),
        );
        let (left, top) = (bounds.0 - margin, bounds.1 - margin);
        let width = ((bounds.2 + margin - left) / step) as usize + 2;
        let height = ((bounds.3 + margin - top) / step) as usize + 2;
        let mut distance = Vec::with_capacity(width * height);
        for row in 0..height {
            let y = top + row as f32 * step;
            for column in 0..width {
                distance.push(signed_distance(&polygon, left + column as f32 * step, y));
            }
        }
        Self {
            left,
            top,
            step,
            width,
            height,
            distance,
            margin,
        }
    }

    /// Negative inside; `margin` or more far outside.
    #[must_use]
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        let (gx, gy) = ((x - self.left) / self.step, (y - self.top) / self.step);
        if gx < 0.0 || gy < 0.0 {
            return self.margin;
        }
        let (column, row) = (gx as usize, gy as usize);
        if column + 1 >= self.width || row + 1 >= self.height {
            return self.margin;
        }
        let (u, v) = (gx - column as f32, gy - row as f32);
        let i = row * self.width + column;
        let d = &self.distance;
        let top = d[i] * (1.0 - u) + d[i + 1] * u;
        let bottom = d[i + self.width] * (1.0 - u) + d[i + self.width + 1] * u;
        top * (1.0 - v) + bottom * v
    }
}

/// The polygon of a closed Catmull–Rom spline, six edges a span.
fn spline(points: &[(f32, f32)]) -> Vec<(f32, f32)> {
    const EDGES: usize = 6;
    let n = points.len();
    let mut polygon = Vec::with_capacity(n * EDGES);
    for i in 0..n {
        let (a, b) = (points[(i + n - 1) % n], points[i]);
        let (c, d) = (points[(i + 1) % n], points[(i + 2) % n]);
        for edge in 0..EDGES {
            let t = edge as f32 / EDGES as f32;
            polygon.push((
                catmull_rom(a.0, b.0, c.0, d.0, t),
                catmull_rom(a.1, b.1, c.1, d.1, t),
            ));
        }
    }
    polygon
}

/// The cubic that leaves `b` at t = 0 and reaches `c` at t = 1.
#[must_use]
pub(super) fn catmull_rom(a: f32, b: f32, c: f32, d: f32, t: f32) -> f32 {
    b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
}

/// A curve y(x) through points of growing x, level beyond its ends.
#[must_use]
pub(super) fn curve(points: &[(f32, f32)], x: f32) -> f32 {
    let last = points.len() - 1;
    if x <= points[0].0 {
        return points[0].1;
    }
    if x >= points[last].0 {
        return points[last].1;
    }
    let mut i = 0;
    while points[i + 1].0 < x {
        i += 1;
    }
    let t = (x - points[i].0) / (points[i + 1].0 - points[i].0);
    let before = points[i.saturating_sub(1)].1;
    let after = points[(i + 2).min(last)].1;
    catmull_rom(before, points[i].1, points[i + 1].1, after, t)
}

fn signed_distance(polygon: &[(f32, f32)], x: f32, y: f32) -> f32 {
    let mut nearest = f32::MAX;
    let mut inside = false;
    let mut from = polygon[polygon.len() - 1];
    for &to in polygon {
        let (ex, ey) = (to.0 - from.0, to.1 - from.1);
        let (px, py) = (x - from.0, y - from.1);
        let length2 = ex * ex + ey * ey;
        let t = if length2 > 0.0 {
            ((px * ex + py * ey) / length2).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let (dx, dy) = (px - t * ex, py - t * ey);
        nearest = nearest.min(dx * dx + dy * dy);
        if (from.1 > y) != (to.1 > y) && x < from.0 + (y - from.1) * ex / ey {
            inside = !inside;
        }
        from = to;
    }
    let distance = nearest.sqrt();
    if inside { -distance } else { distance }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_of_points_gives_the_distance_to_a_circle() {
        let s = 0.5_f32.sqrt();
        let ring = [
            (1.0, 0.0),
            (s, s),
            (0.0, 1.0),
            (-s, s),
            (-1.0, 0.0),
            (-s, -s),
            (0.0, -1.0),
            (s, -s),
        ];
        let o = Outline::closed(&ring, 0.02, 0.5);
        assert!((o.at(0.0, 0.0) + 1.0).abs() < 0.03);
        assert!((o.at(1.3, 0.0) - 0.3).abs() < 0.03);
        assert_eq!(o.at(9.0, 0.0), 0.5);
    }

    #[test]
    fn a_curve_passes_through_its_points() {
        let c = [(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)];
        for (x, y) in c {
            assert!((curve(&c, x) - y).abs() < 1e-6);
        }
        assert_eq!(curve(&c, -5.0), 1.0);
    }
}
