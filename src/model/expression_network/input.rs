//! Expressions as the networks read them.

use burn::tensor::{Device, Tensor, TensorData};

use super::Architecture;
use crate::model::face_pictures::{FacePictures, STEPS, View, evenly};
use crate::model::flow_input::SIDE as CELLS;
use crate::model::led::LedOptions;
use crate::model::motion_map::MotionMap;
use crate::model::{led_sssnet, moext, sssn, tsdn};

/// Side to which motion maps are enlarged for SSSN and DSSN: their first convolution,
/// 11×11 with stride 4, then looks at four or five cells at a time, as it looks at a
/// twentieth of AlexNet's 227 px.
pub const MAP_SIDE: usize = 67;

/// What a network may read of one expression.
#[derive(Debug, Clone, Copy)]
pub struct Expression<'a> {
    pub map: &'a MotionMap,
    pub pictures: &'a FacePictures,
}

/// Expressions as tensors on a device, by what they are read from.
#[derive(Debug, Clone)]
pub enum Input {
    /// `[batch, 1, time, 64, 64]`, 0..255
    Clips(Tensor<5>),
    /// Onset and apex, `[batch, channel, side, side]` each, 0..255
    Pair(Box<[Tensor<4>; 2]>),
    /// `[batch, 3, 67, 67]`, u, v, strain, compressed
    Maps(Tensor<4>),
}
impl Architecture {
    /// Which frames of a clip the networks behind LED take for testing.
    #[must_use]
    pub fn steps(options: LedOptions) -> Vec<usize> {
        let steps = evenly(STEPS as u64 - 1, options.frames());
        steps.into_iter().map(|step| step as usize).collect()
    }

    /// Expressions as this network reads them, each with its view of the pictures and
    /// the steps of its clip; views and steps do nothing to motion maps.
    ///
    /// # Panics
    /// Unless there is a view for each expression.
    #[must_use]
    pub fn input_of(
        self,
        expressions: &[Expression],
        views: &[View],
        steps: &dyn Fn(usize) -> Vec<usize>,
        device: &Device,
    ) -> Input {
        assert_eq!(expressions.len(), views.len(), "a view an expression");
        let batch = expressions.len();
        let each = || expressions.iter().map(|e| e.pictures).zip(views);
        match self {
            Self::LedSssNet(options) | Self::LedResNet18(options) => {
                let (side, frames) = (led_sssnet::SIDE, options.frames());
                let mut values = Vec::with_capacity(batch * frames * side * side);
                for (at, (pictures, view)) in each().enumerate() {
                    for step in steps(at) {
                        pictures.append_step(step, side, view, &mut values);
                    }
                }
                let shape = [batch, 1, frames, side, side];
                Input::Clips(Tensor::from_data(TensorData::new(values, shape), device))
            }
            Self::ShallowStreams(_) => {
                let mut values = Vec::new();
                for expression in expressions {
                    let mut cells = Vec::new();
                    expression.map.append_compressed(&mut cells);
                    for plane in cells.chunks_exact(CELLS * CELLS) {
                        enlarge(plane, &mut values);
                    }
                }
                let shape = [batch, sssn::CHANNELS, MAP_SIDE, MAP_SIDE];
                Input::Maps(Tensor::from_data(TensorData::new(values, shape), device))
            }
            Self::Tsdn => pair(each(), batch, tsdn::SIDE, 1, device),
            Self::MoExt(options) => pair(each(), batch, options.side, moext::CHANNELS, device),
            Self::Uamrn(options) => pair(each(), batch, options.side, options.channels, device),
        }
    }
}

/// Onset and apex, the same in each of `channels`.
fn pair<'a>(
    each: impl Iterator<Item = (&'a FacePictures, &'a View)>,
    batch: usize,
    side: usize,
    channels: usize,
    device: &Device,
) -> Input {
    let (mut onsets, mut apexes) = (Vec::new(), Vec::new());
    for (pictures, view) in each {
        pictures.append_onset(side, view, &mut onsets);
        pictures.append_apex(side, view, &mut apexes);
    }
    let on_device = |values: Vec<f32>| {
        let data = TensorData::new(values, [batch, 1, side, side]);
        Tensor::<4>::from_data(data, device).repeat_dim(1, channels)
    };
    Input::Pair(Box::new([on_device(onsets), on_device(apexes)]))
}

/// A plane of 28×28 cells as one of [`MAP_SIDE`] px, evenly between the cells' middles.
fn enlarge(plane: &[f32], to: &mut Vec<f32>) {
    let scale = CELLS as f32 / MAP_SIDE as f32;
    let last = (CELLS - 1) as f32;
    let taps: Vec<(usize, f32)> = (0..MAP_SIDE)
        .map(|at| {
            let place = ((at as f32 + 0.5) * scale - 0.5).clamp(0.0, last);
            let low = (place as usize).min(CELLS - 2);
            (low, place - low as f32)
        })
        .collect();
    for &(top, down) in &taps {
        for &(left, across) in &taps {
            let at = |y: usize, x: usize| plane[y * CELLS + x];
            let row = |y: usize| at(y, left) + across * (at(y, left + 1) - at(y, left));
            to.push(row(top) + down * (row(top + 1) - row(top)));
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_grows_between_its_cells() {
        let plane: Vec<f32> = (0..CELLS * CELLS).map(|i| (i % CELLS) as f32).collect();
        let mut large = Vec::new();
        enlarge(&plane, &mut large);
        assert_eq!(large.len(), MAP_SIDE * MAP_SIDE);
        assert!((large[33] - 13.5).abs() < 1e-4 && large[0] == 0.0 && large[66] == 27.0);
    }
}
