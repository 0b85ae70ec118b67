//! The largest of each field of a map: on the processor, where nothing asks for gradients,
//! row by row and without the places they come from; elsewhere by Burn.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::MaxPool2dConfig;
use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::convolution::Values;

/// Below so many values one thread is faster than several.
const PARALLEL: usize = 500_000;

/// Square fields: their side, how far one lies from the next, and how many places they
/// begin outside of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields {
    pub side: usize,
    pub stride: usize,
    pub padding: usize,
}

impl Fields {
    /// Side by side; what is left over at the end drops out.
    #[must_use]
    pub fn tiled(side: usize) -> Self {
        Self {
            side,
            stride: side,
            padding: 0,
        }
    }

    fn count(self, length: usize) -> usize {
        (length + 2 * self.padding - self.side) / self.stride + 1
    }
}

/// # Shapes
/// - `maps`: `[batch, channel, height, width]`
/// - result: `[batch, channel, rows of fields, columns of fields]`
#[must_use]
pub fn max_pooled(maps: Tensor<4>, fields: Fields) -> Tensor<4> {
    let [batch, channels, height, width] = maps.dims();
    let Fields {
        side,
        stride,
        padding,
    } = fields;
    // Fields that lie outside altogether are Burn's business.
    let values = (padding < side && side <= height.min(width)).then(|| Values::of(&maps));
    let Some(values) = values.flatten() else {
        return MaxPool2dConfig::new([side, side])
            .with_strides([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(
                padding, padding, padding, padding,
            ))
            .init()
            .forward(maps);
    };
    let [rows, columns] = [fields.count(height), fields.count(width)];
    let values = values.all();
    let mut pooled = vec![0.0; batch * channels * rows * columns];
    let work = |(map, pooled): (&[f32], &mut [f32])| pool(map, width, pooled, columns, fields);
    let (taken, given) = (height * width, rows * columns);
    if values.len() >= PARALLEL && rayon::current_num_threads() > 1 {
        let maps = values.par_chunks_exact(taken);
        maps.zip(pooled.par_chunks_exact_mut(given)).for_each(work);
    } else {
        let maps = values.chunks_exact(taken);
        maps.zip(pooled.chunks_exact_mut(given)).for_each(work);
    }
    let pooled = TensorData::new(pooled, [batch, channels, rows, columns]);
    Tensor::from_data(pooled, &maps.device())
}

/// One map: first the largest of a field's rows, column by column, then along that line.
fn pool(map: &[f32], width: usize, pooled: &mut [f32], columns: usize, fields: Fields) {
    let Fields {
        side,
        stride,
        padding,
    } = fields;
    let height = map.len() / width;
    let length = (columns - 1) * stride + side;
    let mut line = vec![f32::NEG_INFINITY; length.max(padding + width)];
    for (row, pooled) in pooled.chunks_exact_mut(columns).enumerate() {
        let first = (row * stride).saturating_sub(padding);
        let last = (row * stride + side - padding).min(height);
        let own = &mut line[padding..padding + width];
        own.copy_from_slice(&map[first * width..][..width]);
        for other in map[(first + 1) * width..last.max(first + 1) * width].chunks_exact(width) {
            for (own, other) in own.iter_mut().zip(other) {
                *own = larger(*own, *other);
            }
        }
        for (pooled, field) in pooled.iter_mut().zip((0..).step_by(stride)) {
            let field = &line[field..][..side];
            *pooled = field[1..].iter().fold(field[0], |a, b| larger(a, *b));
        }
    }
}

fn larger(a: f32, b: f32) -> f32 {
    // What is no number stays so, as in a convolution.
    if b > a || b.is_nan() { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn fields_are_those_of_burn() {
        let device = Device::flex();
        for (side, stride, padding) in [(2, 2, 0), (3, 3, 0), (3, 2, 1), (3, 2, 0), (3, 3, 1)] {
            for (height, width) in [(4, 7), (9, 9), (28, 5), (13, 16)] {
                let fields = Fields {
                    side,
                    stride,
                    padding,
                };
                let values = (0..6 * height * width).map(|at| (at * 37 % 101) as f32 - 60.0);
                let values: Vec<f32> = values.collect();
                let maps = TensorData::new(values, [2, 3, height, width]);
                let maps: Tensor<4> = Tensor::from_data(maps, &device);
                let wanted = MaxPool2dConfig::new([side, side])
                    .with_strides([stride, stride])
                    .with_padding(PaddingConfig2d::Explicit(
                        padding, padding, padding, padding,
                    ));
                let wanted = wanted.init().forward(maps.clone());
                let found = max_pooled(maps, fields);
                assert_eq!(found.into_data(), wanted.into_data(), "{fields:?}");
            }
        }
    }
}
