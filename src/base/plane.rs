//! One channel of floating-point pixels.

/// `width × height` values, row by row. Grey values run 0..255 throughout Onset.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plane {
    pub width: usize,
    pub height: usize,
    pub data: Vec<f32>,
}

impl Plane {
    #[must_use]
    pub fn filled(width: usize, height: usize, value: f32) -> Self {
        Self {
            width,
            height,
            data: vec![value; width * height],
        }
    }

    #[must_use]
    pub fn zeros(width: usize, height: usize) -> Self {
        Self::filled(width, height, 0.0)
    }

    /// # Panics
    /// When `data` is not `width * height` long: a programming error.
    #[must_use]
    pub fn from_vec(width: usize, height: usize, data: Vec<f32>) -> Self {
        assert_eq!(data.len(), width * height, "plane of {width}×{height}");
        Self {
            width,
            height,
            data,
        }
    }

    #[must_use]
    pub fn from_gray(gray: &image::GrayImage) -> Self {
        let (w, h) = gray.dimensions();
        Self::from_vec(
            w as usize,
            h as usize,
            gray.as_raw().iter().map(|&g| f32::from(g)).collect(),
        )
    }

    #[inline]
    #[must_use]
    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.data[y * self.width + x]
    }

    #[must_use]
    pub fn row(&self, y: usize) -> &[f32] {
        &self.data[y * self.width..(y + 1) * self.width]
    }

    #[must_use]
    pub fn row_mut(&mut self, y: usize) -> &mut [f32] {
        &mut self.data[y * self.width..(y + 1) * self.width]
    }

    /// Bilinear sample at pixel-centre coordinates, borders repeated.
    #[must_use]
    pub fn bilinear(&self, x: f32, y: f32) -> f32 {
        let (xmax, ymax) = ((self.width - 1) as f32, (self.height - 1) as f32);
        let (x, y) = (x.clamp(0.0, xmax), y.clamp(0.0, ymax));
        let (x0, y0) = (x.floor(), y.floor());
        let (fx, fy) = (x - x0, y - y0);
        let (x0, y0) = (x0 as usize, y0 as usize);
        let (x1, y1) = ((x0 + 1).min(self.width - 1), (y0 + 1).min(self.height - 1));
        let top = self.at(x0, y0) * (1.0 - fx) + self.at(x1, y0) * fx;
        let bottom = self.at(x0, y1) * (1.0 - fx) + self.at(x1, y1) * fx;
        top * (1.0 - fy) + bottom * fy
    }

    /// Arithmetic mean in f64, 0 for an empty plane.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.data.is_empty() {
            return 0.0;
        }
        self.data.iter().map(|&v| f64::from(v)).sum::<f64>() / self.data.len() as f64
    }
}
