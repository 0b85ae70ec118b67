//! Evidence on the cells of a convolution, and what is shown of it at the input's size.

use super::Lattice;
use crate::base::Plane;

/// What speaks for one output of a network, by place.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivationMap {
    /// For (above 0) and against (below 0) the output, in units of it, on the grid of
    /// the last convolution.
    pub evidence: Plane,
    /// The evidence for it alone, over the greatest: 0..1 on the same grid.
    pub grid: Plane,
    /// The same between the cells by straight lines, at the input's size, 0..1.
    pub map: Plane,
    /// The greatest evidence, in units of the output. Where it is 0 nothing speaks for
    /// the output and the map is dark. Maps of different images have different peaks:
    /// equally bright is not equally strong.
    pub peak: f32,
}

impl ActivationMap {
    /// From evidence on the cells of `lattice`.
    #[must_use]
    pub fn of(evidence: Plane, lattice: Lattice) -> Self {
        let peak = evidence.data.iter().copied().fold(0.0_f32, f32::max);
        let share = |&value: &f32| {
            if peak > 0.0 {
                value.max(0.0) / peak
            } else {
                0.0
            }
        };
        let grid = Plane::from_vec(
            evidence.width,
            evidence.height,
            evidence.data.iter().map(share).collect(),
        );
        Self {
            map: spread(&grid, lattice),
            evidence,
            grid,
            peak,
        }
    }

    /// The share of the map's mass at pixels for which this holds, 0..1; 0 where the map
    /// is dark. Columns and rows of the input count from 0.
    #[must_use]
    pub fn share_within(&self, inside: impl Fn(usize, usize) -> bool) -> f64 {
        let (mut within, mut whole) = (0.0, 0.0);
        for y in 0..self.map.height {
            for (x, &value) in self.map.row(y).iter().enumerate() {
                whole += f64::from(value);
                within += if inside(x, y) { f64::from(value) } else { 0.0 };
            }
        }
        if whole > 0.0 { within / whole } else { 0.0 }
    }
}

/// From cells to the pixels of the input, by straight lines between the cells' centres;
/// beyond the outermost centres their values go on.
fn spread(grid: &Plane, lattice: Lattice) -> Plane {
    let Lattice {
        side, first, step, ..
    } = lattice;
    let mut map = Plane::zeros(side, side);
    for y in 0..side {
        let band = y * lattice.bands / side;
        let top = band * grid.height / lattice.bands;
        let bottom = (band + 1) * grid.height / lattice.bands - 1;
        let row = ((y as f32 - first) / step).clamp(top as f32, bottom as f32);
        for (x, value) in map.row_mut(y).iter_mut().enumerate() {
            *value = grid.bilinear((x as f32 - first) / step, row);
        }
    }
    map
}

/// Evidence on the mirrored image, brought to the cells of the image itself. A lattice
/// that is not centred on the image has no cell just across, so it is interpolated.
pub(super) fn turned_back(evidence: &Plane, lattice: Lattice) -> Plane {
    let mut turned = evidence.clone();
    let last = (lattice.side - 1) as f32;
    for y in 0..evidence.height {
        for (x, value) in turned.row_mut(y).iter_mut().enumerate() {
            let at = lattice.first + lattice.step * x as f32;
            let across = (last - at - lattice.first) / lattice.step;
            *value = evidence.bilinear(across, y as f32);
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_lights_where_it_lies_and_no_band_shines_into_the_next() {
        let mut grid = Plane::zeros(4, 4);
        grid.row_mut(1)[2] = 1.0;
        let lattice = Lattice {
            side: 12,
            first: 1.0,
            step: 3.0,
            bands: 1,
        };
        let map = spread(&grid, lattice);
        assert_eq!(map.at(7, 4), 1.0);
        assert!((map.at(8, 4) - 2.0 / 3.0).abs() < 1e-6);
        assert!((map.at(7, 6) - 1.0 / 3.0).abs() < 1e-6);
        let two = spread(
            &grid,
            Lattice {
                bands: 2,
                ..lattice
            },
        );
        assert_eq!((two.at(7, 5), two.at(7, 6)), (1.0, 0.0));
        assert_eq!(turned_back(&grid, lattice).at(1, 1), 1.0);
    }
}
