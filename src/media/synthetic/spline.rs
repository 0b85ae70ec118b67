//! A smooth map of the plane through given points: the thin-plate spline.

use super::arithmetic::log_of_two;
use crate::base::Point;

/// Carries points of one plane to another, bending as little as it can.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spline {
    from: Vec<Point>,
    /// A weight of each point, then the affine part: 1, x, y.
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Spline {
    /// The map that brings each of `from` near its `to`: exactly with a stiffness of
    /// 0, evenly with more. `None` when the points lie on a line.
    #[must_use]
    pub(super) fn through(from: &[Point], to: &[Point], stiffness: f64) -> Option<Self> {
        let n = from.len();
        let size = n + 3;
        let mut matrix = vec![vec![0.0; size + 2]; size];
        for (i, p) in from.iter().enumerate() {
            for (j, q) in from.iter().enumerate() {
                matrix[i][j] = bending(*p, *q);
            }
            matrix[i][i] += stiffness;
            let affine = [1.0, f64::from(p.x), f64::from(p.y)];
            for (k, value) in affine.into_iter().enumerate() {
                matrix[i][n + k] = value;
                matrix[n + k][i] = value;
            }
            matrix[i][size] = f64::from(to[i].x);
            matrix[i][size + 1] = f64::from(to[i].y);
        }
        solve(&mut matrix)?;
        let column = |k: usize| matrix.iter().map(|row| row[k]).collect();
        Some(Self {
            from: from.to_vec(),
            x: column(size),
            y: column(size + 1),
        })
    }

    #[must_use]
    pub(super) fn place(&self, x: f32, y: f32) -> (f32, f32) {
        let p = Point::new(x, y);
        let n = self.from.len();
        let affine = |w: &[f64]| w[n] + w[n + 1] * f64::from(x) + w[n + 2] * f64::from(y);
        let (mut px, mut py) = (affine(&self.x), affine(&self.y));
        for (i, q) in self.from.iter().enumerate() {
            let b = bending(p, *q);
            px += self.x[i] * b;
            py += self.y[i] * b;
        }
        (px as f32, py as f32)
    }
}

/// r² ln r.
fn bending(p: Point, q: Point) -> f64 {
    let (dx, dy) = (f64::from(p.x - q.x), f64::from(p.y - q.y));
    let square = dx * dx + dy * dy;
    if square < 1e-12 {
        return 0.0;
    }
    0.5 * square * log_of_two(square) * std::f64::consts::LN_2
}

/// Gauss's elimination with the largest pivot; the right-hand sides become the
/// solutions. `None` for a singular matrix.
fn solve(matrix: &mut [Vec<f64>]) -> Option<()> {
    let n = matrix.len();
    for column in 0..n {
        let pivot = (column..n).max_by(|&a, &b| {
            let of = |row: usize| matrix[row][column].abs();
            of(a).total_cmp(&of(b))
        })?;
        matrix.swap(column, pivot);
        let value = matrix[column][column];
        if value.abs() < 1e-9 {
            return None;
        }
        let pivot_row: Vec<f64> = matrix[column].iter().map(|v| v / value).collect();
        for (row, line) in matrix.iter_mut().enumerate() {
            if row == column {
                continue;
            }
            let factor = line[column];
            if factor != 0.0 {
                for (v, p) in line.iter_mut().zip(&pivot_row) {
                    *v -= factor * p;
                }
            }
        }
        matrix[column] = pivot_row;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spline_passes_through_its_points_and_continues_evenly() {
        let from: Vec<Point> = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.4, 0.5)]
            .map(|(x, y)| Point::new(x, y))
            .to_vec();
        let mut to: Vec<Point> = from
            .iter()
            .map(|p| Point::new(2.0 * p.x + 1.0, p.y - 3.0))
            .collect();
        to[4].x += 0.3;
        let spline = Spline::through(&from, &to, 0.0).expect("not on a line");
        for (p, q) in from.iter().zip(&to) {
            let (x, y) = spline.place(p.x, p.y);
            assert!((x - q.x).abs() < 1e-4 && (y - q.y).abs() < 1e-4);
        }
        let line: Vec<Point> = (0..4).map(|i| Point::new(i as f32, 2.0)).collect();
        assert!(Spline::through(&line, &line, 0.0).is_none());
    }
}
