//! Points, rectangles and similarity transforms in pixels.
//!
//! A pixel's centre has whole coordinates: pixel (0, 0) covers −0.5..0.5.
//! A transform is named after both of its spaces, `crop_from_image`.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Point {
    pub x: f32,
    pub y: f32,
}

impl Point {
    #[must_use]
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    #[must_use]
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// The point halfway to `other`.
    #[must_use]
    pub fn midpoint(self, other: Self) -> Self {
        Self::new(0.5 * (self.x + other.x), 0.5 * (self.y + other.y))
    }
}

/// An upright rectangle: left edge `x`, top edge `y`, width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Rect {
    pub x: f32,
    pub y: f32,
    pub w: f32,
    pub h: f32,
}

impl Rect {
    #[must_use]
    pub const fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }

    #[must_use]
    pub fn center(self) -> Point {
        Point::new(self.x + 0.5 * self.w, self.y + 0.5 * self.h)
    }

    #[must_use]
    pub fn area(self) -> f32 {
        self.w.max(0.0) * self.h.max(0.0)
    }

    #[must_use]
    pub fn right(self) -> f32 {
        self.x + self.w
    }

    #[must_use]
    pub fn bottom(self) -> f32 {
        self.y + self.h
    }

    /// The same centre, both sides multiplied by `factor`.
    #[must_use]
    pub fn scaled(self, factor: f32) -> Self {
        let c = self.center();
        let (w, h) = (self.w * factor, self.h * factor);
        Self::new(c.x - 0.5 * w, c.y - 0.5 * h, w, h)
    }

    /// Overlap over union, 0..1.
    #[must_use]
    pub fn iou(self, other: Self) -> f32 {
        let w = self.right().min(other.right()) - self.x.max(other.x);
        let h = self.bottom().min(other.bottom()) - self.y.max(other.y);
        if w <= 0.0 || h <= 0.0 {
            return 0.0;
        }
        let overlap = w * h;
        overlap / (self.area() + other.area() - overlap)
    }

    /// The smallest rectangle around `points`; `None` when there is no point.
    #[must_use]
    pub fn around(points: &[Point]) -> Option<Self> {
        let first = points.first()?;
        let (mut l, mut t, mut r, mut b) = (first.x, first.y, first.x, first.y);
        for p in points {
            l = l.min(p.x);
            r = r.max(p.x);
            t = t.min(p.y);
            b = b.max(p.y);
        }
        Some(Self::new(l, t, r - l, b - t))
    }
}

/// p ↦ (a·x − b·y + tx, b·x + a·y + ty): rotation, one scale, translation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Similarity {
    pub a: f32,
    pub b: f32,
    pub tx: f32,
    pub ty: f32,
}

impl Similarity {
    pub const IDENTITY: Self = Self {
        a: 1.0,
        b: 0.0,
        tx: 0.0,
        ty: 0.0,
    };

    /// Scales by `scale`, turns by `radians`, and takes `from` to `to`.
    #[must_use]
    pub fn about(from: Point, to: Point, scale: f32, radians: f32) -> Self {
        let (a, b) = (scale * radians.cos(), scale * radians.sin());
        Self {
            a,
            b,
            tx: to.x - (a * from.x - b * from.y),
            ty: to.y - (b * from.x + a * from.y),
        }
    }

    #[must_use]
    pub fn apply(self, p: Point) -> Point {
        Point::new(
            self.a * p.x - self.b * p.y + self.tx,
            self.b * p.x + self.a * p.y + self.ty,
        )
    }

    /// `None` when the scale is zero.
    #[must_use]
    pub fn inverse(self) -> Option<Self> {
        let n = self.a * self.a + self.b * self.b;
        if n <= 0.0 || !n.is_finite() {
            return None;
        }
        let (a, b) = (self.a / n, -self.b / n);
        Some(Self {
            a,
            b,
            tx: -(a * self.tx - b * self.ty),
            ty: -(b * self.tx + a * self.ty),
        })
    }

    #[must_use]
    pub fn scale(self) -> f32 {
        self.a.hypot(self.b)
    }

    #[must_use]
    pub fn radians(self) -> f32 {
        self.b.atan2(self.a)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_similarity_undone_by_its_inverse_returns_the_point() {
        let t = Similarity::about(Point::new(10.0, 20.0), Point::new(63.5, 63.5), 0.7, 0.3);
        let p = Point::new(33.0, -4.0);
        let back = t.inverse().map(|i| i.apply(t.apply(p)));
        assert!(back.is_some_and(|q| q.distance(p) < 1e-4));
    }
}
