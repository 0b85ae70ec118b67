//! SOFTNet, the shallow optical-flow network that scores how likely a moment belongs
//! to an expression (S4: Liong, See, Wong, ICIP 2021).
//!
//! Three streams (u, v, strain) of one 5×5 convolution with 3, 5 and 8 filters and a
//! 3×3 max-pool, concatenated, pooled 2×2, 400 nodes, one linear score; 314,817
//! parameters. There is one set of weights for macro- and one for micro-expressions.

use burn::module::{Initializer, Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use std::path::Path;

use crate::base::Plane;
use crate::gpu::GpuContext;
use crate::nn::convolution::{Then, convolved};
use crate::nn::pooling::{Fields, max_pooled};
use crate::nn::upload::{self, UploadError};
use crate::nn::weights::WeightsTensor;
use crate::nn::{NnDevice, Weights, WeightsError};

/// The network's name in weights files.
pub const NETWORK: &str = "softnet";
/// Side of the input in pixels.
pub const SIDE: usize = 42;
/// u, v, strain.
pub const CHANNELS: usize = 3;
/// Filters of the three streams.
pub const FILTERS: [usize; CHANNELS] = [3, 5, 8];
/// Side of the streams after their own pooling.
pub const POOLED: usize = 14;
/// Values that enter the first dense layer: 16 channels of 7×7, `[channel, row, column]`.
pub const FLAT: usize = 784;
/// Nodes of the first dense layer.
pub const HIDDEN: usize = 400;

/// What the network expects, as it stands on a card.
pub const INPUT: &str = "3×42×42 (u, v, strain): brows above mouth, nose motion subtracted, \
    eyes masked, each channel of each image scaled to 0..1";

/// Names and shapes of the tensors in a weights file. Convolutions are
/// `[filter, channel, row, column]`, dense layers `[in, out]`.
pub const TENSORS: [(&str, &[usize]); 10] = [
    ("u.weight", &[3, 1, 5, 5]),
    ("u.bias", &[3]),
    ("v.weight", &[5, 1, 5, 5]),
    ("v.bias", &[5]),
    ("strain.weight", &[8, 1, 5, 5]),
    ("strain.bias", &[8]),
    ("hidden.weight", &[FLAT, HIDDEN]),
    ("hidden.bias", &[HIDDEN]),
    ("score.weight", &[HIDDEN, 1]),
    ("score.bias", &[1]),
];

/// In the settings of a card: the smoothed score from which on something is an
/// expression, fitted on recordings that were not learnt from.
pub const FLOOR: &str = "floor";

/// Images scored in one go: bounds the memory, whatever the recording's length.
const BATCH: usize = 64;

#[derive(Debug, thiserror::Error)]
pub enum SoftNetError {
    #[error(
        "SOFTNet takes images of 42×42 pixels, but channel {channel} of image {image} is {width}×{height}"
    )]
    InputSize {
        image: usize,
        channel: usize,
        width: usize,
        height: usize,
    },
    #[error("SOFTNet could not be computed on this device: {reason}. Use --device cpu")]
    Device { reason: String },
    #[error(transparent)]
    Upload(#[from] UploadError),
}

/// The network with its parameters on one device.
#[derive(Module, Debug)]
pub struct SoftNet {
    u: Conv2d,
    v: Conv2d,
    strain: Conv2d,
    hidden: Linear,
    score: Linear,
}

impl SoftNet {
    /// With random weights as training starts from (Glorot uniform, biases zero).
    #[must_use]
    pub fn new(device: &NnDevice) -> Self {
        let device = device.handle();
        let glorot = || Initializer::XavierUniform { gain: 1.0 };
        let stream = |filters: usize| {
            let mut layer = Conv2dConfig::new([1, filters], [5, 5])
                .with_padding(PaddingConfig2d::Explicit(2, 2, 2, 2))
                .with_initializer(glorot())
                .init(device);
            layer.bias = Some(zeros(filters, device));
            layer
        };
        let dense = |inputs: usize, outputs: usize| {
            let mut layer = LinearConfig::new(inputs, outputs)
                .with_initializer(glorot())
                .init(device);
            layer.bias = Some(zeros(outputs, device));
            layer
        };
        Self {
            u: stream(FILTERS[0]),
            v: stream(FILTERS[1]),
            strain: stream(FILTERS[2]),
            hidden: dense(FLAT, HIDDEN),
            score: dense(HIDDEN, 1),
        }
    }

    /// Reads a weights file and puts the network on the device.
    ///
    /// # Errors
    /// When the file is no weights file or belongs to another network.
    pub fn load(path: &Path, device: &NnDevice) -> Result<(Self, Weights), WeightsError> {
        let weights = Weights::load_for(path, NETWORK, &TENSORS)?;
        let network = Self::new(device)
            .with_weights(&weights, device)
            .map_err(|reason| WeightsError::Damaged {
                path: path.to_owned(),
                network: NETWORK.to_owned(),
                reason,
            })?;
        Ok((network, weights))
    }

    /// # Errors
    /// Names the tensor that is missing or of another shape.
    pub fn with_weights(mut self, weights: &Weights, device: &NnDevice) -> Result<Self, String> {
        for (name, shape) in TENSORS {
            let tensor = weights
                .tensors
                .get(name)
                .filter(|tensor| tensor.shape == shape)
                .ok_or_else(|| format!("no tensor '{name}' of shape {shape:?}"))?;
            let device = device.handle();
            match name {
                "u.weight" => self.u.weight = param(tensor, device),
                "u.bias" => self.u.bias = Some(param(tensor, device)),
                "v.weight" => self.v.weight = param(tensor, device),
                "v.bias" => self.v.bias = Some(param(tensor, device)),
                "strain.weight" => self.strain.weight = param(tensor, device),
                "strain.bias" => self.strain.bias = Some(param(tensor, device)),
                "hidden.weight" => self.hidden.weight = param(tensor, device),
                "hidden.bias" => self.hidden.bias = Some(param(tensor, device)),
                "score.weight" => self.score.weight = param(tensor, device),
                "score.bias" => self.score.bias = Some(param(tensor, device)),
                other => return Err(format!("the tensor '{other}' has no place")),
            }
        }
        Ok(self)
    }

    /// What the convolutions saw, pooled 3×3: 3 maps of u, 5 of v, 8 of the strain. A
    /// cell stands for 3×3 pixels of the image, so none lies across brows and mouth.
    ///
    /// # Shapes
    /// - `images`: `[batch, 3, 42, 42]`, channels u, v, strain, each scaled to 0..1
    /// - result: `[batch, 16, 14, 14]`, at least 0
    #[must_use]
    pub fn streams(&self, images: Tensor<4>) -> Tensor<4> {
        let [_, channels, height, width] = images.dims();
        assert_eq!([channels, height, width], [CHANNELS, SIDE, SIDE]);
        let stream = |layer: &Conv2d, channel: usize| {
            let plane = images.clone().narrow(1, channel, 1);
            // Pooling first gives the same numbers with a ninth of the rectifications.
            relu(max_pooled(
                convolved(layer, plane, Then::default()),
                Fields::tiled(3),
            ))
        };
        Tensor::cat(
            vec![
                stream(&self.u, 0),
                stream(&self.v, 1),
                stream(&self.strain, 2),
            ],
            1,
        )
    }

    /// # Shapes
    /// - `images`: as for [`Self::streams`]
    /// - result: `[batch, 784]`, flattened as `[channel, row, column]`
    #[must_use]
    pub fn features(&self, images: Tensor<4>) -> Tensor<2> {
        self.flattened(self.streams(images))
    }

    /// The score that [`Self::forward`] gives, from [`Self::streams`].
    ///
    /// # Shapes
    /// - `streams`: `[batch, 16, 14, 14]`
    /// - result: `[batch, 1]`
    #[must_use]
    pub fn score_of_streams(&self, streams: Tensor<4>) -> Tensor<2> {
        let hidden = relu(self.hidden.forward(self.flattened(streams)));
        self.score.forward(hidden)
    }

    fn flattened(&self, streams: Tensor<4>) -> Tensor<2> {
        let [batch, ..] = streams.dims();
        max_pooled(streams, Fields::tiled(2)).reshape([batch, FLAT])
    }

    /// # Shapes
    /// - `images`: as for [`Self::streams`]
    /// - result: `[batch, 1]`, near 0 at rest and near 1 within an expression, but
    ///   not confined to 0..1
    #[must_use]
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.score_of_streams(self.streams(images))
    }

    /// Scores images given as (u, v, strain), 42×42 each and scaled to 0..1.
    ///
    /// # Errors
    /// When an image has another size or the device fails.
    pub fn score(
        &self,
        images: &[[&Plane; CHANNELS]],
        device: &NnDevice,
    ) -> Result<Vec<f32>, SoftNetError> {
        let mut scores = Vec::with_capacity(images.len());
        for (batch, first) in images.chunks(BATCH).zip((0..).step_by(BATCH)) {
            let mut values = Vec::with_capacity(batch.len() * CHANNELS * SIDE * SIDE);
            for (at, image) in batch.iter().enumerate() {
                for (channel, plane) in image.iter().enumerate() {
                    if (plane.width, plane.height) != (SIDE, SIDE) {
                        return Err(SoftNetError::InputSize {
                            image: first + at,
                            channel,
                            width: plane.width,
                            height: plane.height,
                        });
                    }
                    values.extend_from_slice(&plane.data);
                }
            }
            let data = TensorData::new(values, [batch.len(), CHANNELS, SIDE, SIDE]);
            scores.extend(self.scores(Tensor::from_data(data, device.handle()))?);
        }
        Ok(scores)
    }

    /// The same for images that lie in `source` on the card, from byte `offset` on:
    /// nothing but the scores comes back.
    ///
    /// # Shapes
    /// - `source`: f32 `[batch, 3, 42, 42]`, as for [`Self::streams`]
    ///
    /// # Errors
    /// When the networks run on another device, or the device fails.
    pub fn score_on_card(
        &self,
        context: &GpuContext,
        device: &NnDevice,
        source: &wgpu::Buffer,
        offset: u64,
        batch: usize,
    ) -> Result<Vec<f32>, SoftNetError> {
        let image = (CHANNELS * SIDE * SIDE * size_of::<f32>()) as u64;
        let mut scores = Vec::with_capacity(batch);
        for first in (0..batch).step_by(BATCH) {
            let shape = [BATCH.min(batch - first), CHANNELS, SIDE, SIDE];
            let at = offset + first as u64 * image;
            let images = upload::tensor_from_buffer(context, device, source, at, shape)?;
            scores.extend(self.scores(images)?);
        }
        Ok(scores)
    }

    fn scores(&self, images: Tensor<4>) -> Result<Vec<f32>, SoftNetError> {
        self.forward(images)
            .try_into_vec_as::<f32>()
            .map_err(|error| SoftNetError::Device {
                reason: error.to_string(),
            })
    }
}

fn zeros(len: usize, device: &Device) -> Param<Tensor<1>> {
    Param::from_tensor(Tensor::zeros([len], device))
}

fn param<const D: usize>(tensor: &WeightsTensor, device: &Device) -> Param<Tensor<D>> {
    Param::from_data(
        TensorData::new(tensor.values.clone(), tensor.shape.clone()),
        device,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_has_the_papers_314_817_parameters() {
        let network = SoftNet::new(&NnDevice::flex());
        assert_eq!(network.num_params(), 314_817);
        let named: usize = TENSORS
            .iter()
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum();
        assert_eq!(named, 314_817);
    }

    #[test]
    fn an_image_of_another_size_is_refused_and_named() {
        let device = NnDevice::flex();
        let network = SoftNet::new(&device);
        let (good, bad) = (Plane::zeros(42, 42), Plane::zeros(28, 28));
        let images = [[&good, &good, &good], [&good, &bad, &good]];
        let error = network.score(&images, &device).unwrap_err();
        assert!(matches!(
            error,
            SoftNetError::InputSize {
                image: 1,
                channel: 1,
                width: 28,
                height: 28
            }
        ));
    }

    #[test]
    fn batches_of_any_length_give_one_score_an_image() {
        let device = NnDevice::flex();
        let network = SoftNet::new(&device);
        assert_eq!(network.score(&[], &device).unwrap(), Vec::<f32>::new());
        let plane = Plane::filled(42, 42, 0.5);
        let images = vec![[&plane; 3]; BATCH + 3];
        let scores = network.score(&images, &device).unwrap();
        assert_eq!(scores.len(), BATCH + 3);
        assert!(scores.iter().all(|s| (s - scores[0]).abs() < 1e-6));
    }
}
