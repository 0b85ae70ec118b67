//! MoExt's own: the apex as it rebuilds it.

use burn::tensor::Tensor;

use super::tensors::{pair, values};
use crate::base::Plane;
use crate::model::expression_network::{Architecture, Expression};
use crate::model::moext::MoExtPretraining;
use crate::nn::NnDevice;

/// What MoExt makes of motion and texture.
#[derive(Debug, Clone, PartialEq)]
pub struct RebuiltApex {
    error: f64,
    change: f64,
    /// `None` where they are no longer kept.
    pub pictures: Option<Box<ApexPictures>>,
}

/// Grey, 0..255, square, of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct ApexPictures {
    pub onset: Plane,
    /// As it was.
    pub apex: Plane,
    /// As the network rebuilt it.
    pub rebuilt: Plane,
}

impl RebuiltApex {
    /// What these pictures say.
    #[must_use]
    pub fn of(pictures: ApexPictures) -> Self {
        Self {
            error: apart(&pictures.rebuilt, &pictures.apex),
            change: apart(&pictures.onset, &pictures.apex),
            pictures: Some(Box::new(pictures)),
        }
    }

    /// How far the rebuilt apex is from the true one: the mean over pixels, grey levels.
    #[must_use]
    pub const fn error(&self) -> f64 {
        self.error
    }

    /// How far the onset is from the apex: what to rebuild nothing would cost.
    #[must_use]
    pub const fn change(&self) -> f64 {
        self.change
    }
}

/// The mean amount of the difference.
fn apart(one: &Plane, other: &Plane) -> f64 {
    let pairs = one.data.iter().zip(&other.data);
    let sum: f64 = pairs.map(|(a, b)| f64::from((a - b).abs())).sum();
    sum / one.data.len().max(1) as f64
}

pub(super) fn rebuilt(
    network: &MoExtPretraining,
    expression: Expression,
    device: &NnDevice,
) -> Result<RebuiltApex, String> {
    let options = network.options();
    let side = options.side;
    let [onset, apex] = pair(Architecture::MoExt(options), expression, device)?;
    // The pictures are grey, the same in each channel; what is rebuilt need not be.
    let plane = |picture: Tensor<4>, scale: f32| -> Result<Plane, String> {
        let values = values(picture.mean_dim(1))?;
        let values = values.into_iter().map(|v| (scale * v).clamp(0.0, 255.0));
        Ok(Plane::from_vec(side, side, values.collect()))
    };
    Ok(RebuiltApex::of(ApexPictures {
        onset: plane(onset.clone(), 1.0)?,
        apex: plane(apex.clone(), 1.0)?,
        rebuilt: plane(network.rebuilt(onset, apex), 255.0)?,
    }))
}
