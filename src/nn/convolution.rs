//! Burn's convolution layer with what follows it: on the processor, where nothing asks for
//! gradients, by [`super::direct_convolution`]; elsewhere by Burn, step by step.

use burn::backend::flex::FlexTensor;
use burn::backend::{BackendTensor, DispatchTensorKind};
use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::relu;
use burn::tensor::{DType, Tensor, TensorData};

use super::direct_convolution::{Finish, Sizes, convolve, is_fast};

/// What follows a convolution, in this order.
#[derive(Debug, Clone, Default)]
pub struct Then {
    /// Factor and offset of each filter, `[filter]`.
    pub scaled: Option<[Tensor<1>; 2]>,
    /// What is added, shaped as the result.
    pub added: Option<Tensor<4>>,
    /// Whether what is below 0 becomes 0.
    pub rectified: bool,
}

impl Then {
    /// Nothing but the rectification.
    #[must_use]
    pub fn rectified() -> Self {
        Self {
            rectified: true,
            ..Self::default()
        }
    }
}

/// The layer's result, and what comes then.
///
/// # Shapes
/// - `maps`: `[batch, channel, height, width]`
/// - result: `[batch, filter, height, width]`
#[must_use]
pub fn convolved(layer: &Conv2d, maps: Tensor<4>, then: Then) -> Tensor<4> {
    if let Some(direct) = direct(layer, &maps, &then) {
        return direct;
    }
    let mut maps = layer.forward(maps);
    if let Some(scaled) = then.scaled {
        let [factor, offset] = scaled.map(|row| {
            let [filters] = row.dims();
            row.reshape([1, filters, 1, 1])
        });
        maps = maps * factor + offset;
    }
    if let Some(added) = then.added {
        maps = maps + added;
    }
    if then.rectified { relu(maps) } else { maps }
}

/// The same in one pass; `None` where Burn has to do it.
fn direct(layer: &Conv2d, maps: &Tensor<4>, then: &Then) -> Option<Tensor<4>> {
    let padding = match layer.padding {
        PaddingConfig2d::Valid => [0, 0],
        PaddingConfig2d::Explicit(top, left, bottom, right) if top == bottom && left == right => {
            [top, left]
        }
        _ => return None,
    };
    if layer.dilation != [1, 1] || !is_fast() {
        return None;
    }
    let input = Values::of(maps)?;
    let weights = Values::of(&layer.weight.val())?;
    let bias = match &layer.bias {
        Some(bias) => Some(Values::of(&bias.val())?),
        None => None,
    };
    let scaled = match &then.scaled {
        Some([factor, offset]) => Some([Values::of(factor)?, Values::of(offset)?]),
        None => None,
    };
    let added = match &then.added {
        Some(added) => Some(Values::of(added)?),
        None => None,
    };
    let [batch, channels, height, width] = maps.dims();
    let [filters, _, down, across] = layer.weight.dims();
    let sizes = Sizes {
        batch,
        channels,
        filters,
        groups: layer.groups,
        input: [height, width],
        kernel: [down, across],
        stride: layer.stride,
        padding,
    };
    let [rows, columns] = sizes.output();
    let shape = [batch, filters, rows, columns];
    if let Some(added) = &then.added {
        assert_eq!(added.dims(), shape);
    }
    // The bias goes through the factor too.
    let mut shift = scaled.as_ref().map(|[_, offset]| offset.all().to_vec());
    if let Some(bias) = &bias {
        let bias = bias.all();
        shift = Some(match (shift, &scaled) {
            (Some(mut shift), Some([factor, _])) => {
                for ((shift, bias), factor) in shift.iter_mut().zip(bias).zip(factor.all()) {
                    *shift += bias * factor;
                }
                shift
            }
            _ => bias.to_vec(),
        });
    }
    let finish = Finish {
        scale: scaled.as_ref().map(|[factor, _]| factor.all()),
        shift: shift.as_deref(),
        added: added.as_ref().map(Values::all),
        rectified: then.rectified,
    };
    let values = convolve(&sizes, input.all(), weights.all(), &finish);
    let values = TensorData::new(values, shape);
    Some(Tensor::from_data(values, &maps.device()))
}

/// The numbers of a tensor that lies on the processor and keeps no gradients.
pub(super) struct Values(FlexTensor);

impl Values {
    pub(super) fn of<const D: usize>(tensor: &Tensor<D>) -> Option<Self> {
        match tensor.clone().into_dispatch().kind {
            DispatchTensorKind::Flex(BackendTensor::Float(tensor))
                if tensor.dtype() == DType::F32 =>
            {
                Some(Self(tensor.to_contiguous()))
            }
            _ => None,
        }
    }

    pub(super) fn all(&self) -> &[f32] {
        self.0.storage()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::conv::Conv2dConfig;
    use burn::tensor::Device;

    fn maps(shape: [usize; 4], device: &Device) -> Tensor<4> {
        let values = (0..shape.iter().product()).map(|at: usize| (at * 7 % 23) as f32 * 0.1 - 1.0);
        Tensor::from_data(TensorData::new(values.collect::<Vec<_>>(), shape), device)
    }

    #[test]
    fn it_gives_what_burn_gives_with_and_without_gradients() {
        let device = Device::flex();
        let layer = Conv2dConfig::new([4, 6], [3, 3])
            .with_stride([2, 2])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1));
        let layer = layer.with_groups(2).init(&device);
        let row = |from: f32| Tensor::<1>::full([6], from, &device);
        // A part of a larger tensor, and turned around: not as it lies in memory.
        let images = maps([3, 4, 9, 12], &device).narrow(0, 1, 2).swap_dims(2, 3);
        let then = Then {
            scaled: Some([row(1.5), row(-0.25)]),
            added: Some(maps([2, 6, 6, 5], &device)),
            rectified: true,
        };
        let found = convolved(&layer, images.clone(), then.clone());
        let plain = layer.forward(images.clone()) * 1.5 - 0.25;
        let wanted = relu(plain + maps([2, 6, 6, 5], &device));
        let off = (found - wanted.clone()).abs().max().into_scalar::<f32>();
        assert!(off < 1e-5, "{off}");
        assert_eq!(
            direct(&layer, &images, &then).is_some(),
            is_fast(),
            "the processor"
        );
        let training = device.autodiff();
        let followed = maps([3, 4, 9, 12], &training)
            .narrow(0, 1, 2)
            .swap_dims(2, 3);
        assert!(direct(&layer, &followed, &Then::default()).is_none());
    }
}
