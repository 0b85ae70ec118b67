//! A second look at an expression: what other networks than AU-Flow say of the same
//! interval, for a person to compare. LED networks read the face itself, at n + 1 of
//! thirteen moments from onset to offset; TSDN, MoExt and UAMRN at onset and apex. SSSN and
//! DSSN read the same motion as AU-Flow, so that they agree with it says less.
//!
//! | weights of | what it adds |
//! |---|---|
//! | any network on one expression ([`expression_network`]) | units and a class, calibrated by what its own card says |
//! | UAMRN among them | its uncertainty γ, and which magnified picture looks at which |
//! | MoExt's pre-training ([`PRETRAINING`]) | the apex as it rebuilds it from the onset's texture and the motion |
//!
//! Units and class come from one pass without dropout, for which temperatures and
//! thresholds were fitted. γ comes from [`PASSES`] passes with it, whose masks are the
//! same ones for every expression: the same faces give the same γ.
//!
//! [`expression_network`]: crate::model::expression_network
//! [`PRETRAINING`]: crate::model::moext::PRETRAINING

mod magnified;
mod network;
mod rebuilt;
mod tensors;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::{ExpressionMotion, Moment, Recognition};
use crate::explain::uncertainty::UncertaintyError;
use crate::model::expression_network::Expression;
use crate::model::face_pictures::FacePictures;
use crate::motion::luma::LumaPatch;
use crate::nn::{NnDevice, WeightsError};

pub use magnified::{MagnifiedLook, PASSES};
pub use network::LookingNetwork;
pub use rebuilt::{ApexPictures, RebuiltApex};

/// Why there is no second look.
#[derive(Debug, thiserror::Error)]
pub enum SecondLookError {
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error("Weights of '{network}' cannot take a second look: that takes a network on one expression, such as led-sssnet, uamrn or moext, or the one that rebuilds the apex, moext-pretraining. `onset compare --train DIR --keep FOLDER` trains and keeps them: {}", path.display())]
    OtherNetwork { network: String, path: PathBuf },
    #[error("The second look by {weights} failed: {reason}. Choose other weights")]
    Failed { weights: String, reason: String },
    #[error("The second look by {weights} makes no sense: {reason}. Choose other weights")]
    Opinions {
        weights: String,
        reason: UncertaintyError,
    },
}

/// The faces of one expression.
#[derive(Debug, Clone, Copy)]
pub struct ExpressionFaces<'a> {
    /// From onset to offset, as [`Moments::clip`](super::Moments::clip) gives them.
    pub clip: &'a [Arc<Moment>],
    pub apex: &'a Moment,
    /// From onset to apex.
    pub motion: &'a ExpressionMotion,
}

/// What one network says of one expression.
#[derive(Debug, Clone, PartialEq)]
pub struct SecondOpinion {
    /// The weights' name.
    pub weights: String,
    /// The network's name, as weights files have it.
    pub network: String,
    /// `None` of a network that rebuilds the apex, which names nothing.
    pub recognition: Option<Recognition>,
    /// UAMRN's own.
    pub magnified: Option<MagnifiedLook>,
    /// MoExt's own.
    pub rebuilt: Option<RebuiltApex>,
}

impl SecondOpinion {
    /// Only numbers and words stay.
    pub fn let_go_of_pictures(&mut self) {
        if let Some(look) = &mut self.magnified {
            look.attention = Vec::new();
        }
        if let Some(rebuilt) = &mut self.rebuilt {
            rebuilt.pictures = None;
        }
    }

    #[must_use]
    pub fn has_pictures(&self) -> bool {
        let magnified = self.magnified.as_ref();
        let rebuilt = self.rebuilt.as_ref();
        magnified.is_some_and(|look| !look.attention.is_empty())
            || rebuilt.is_some_and(|rebuilt| rebuilt.pictures.is_some())
    }
}

/// Everything that looks a second time.
#[derive(Debug)]
pub struct SecondLook {
    networks: Vec<LookingNetwork>,
    device: NnDevice,
}

impl SecondLook {
    /// With the weights in these files; `None` where there are none. It runs on the
    /// processor: the networks are asked once a candidate.
    ///
    /// # Errors
    /// When a file is no file of weights, damaged, or of a network that reads something
    /// else.
    pub fn load(paths: &[PathBuf]) -> Result<Option<Self>, SecondLookError> {
        let device = NnDevice::flex();
        // A file that is named twice looks once.
        let mut seen = BTreeSet::new();
        let once = |path: &&PathBuf| {
            seen.insert(path.canonicalize().unwrap_or_else(|_| path.to_path_buf()))
        };
        let networks: Vec<_> = (paths.iter().filter(once))
            .map(|path| LookingNetwork::load(path, &device))
            .collect::<Result<_, _>>()?;
        Ok((!networks.is_empty()).then_some(Self { networks, device }))
    }

    /// In the order of the files.
    #[must_use]
    pub fn networks(&self) -> &[LookingNetwork] {
        &self.networks
    }

    /// What each network says of an expression. Not for threads of the pool, as
    /// [`FaceReader::read`](super::FaceReader::read).
    ///
    /// # Errors
    /// When a network fails or answers with what is no number.
    pub fn look(&self, faces: ExpressionFaces) -> Result<Vec<SecondOpinion>, SecondLookError> {
        let clip: Vec<&LumaPatch> = faces.clip.iter().map(|m| &m.picture.patch).collect();
        let Some(onset) = clip.first() else {
            return Ok(Vec::new());
        };
        let pair = [*onset, &faces.apex.picture.patch];
        let pictures = FacePictures::cut(&faces.motion.framing, &clip, pair);
        let expression = Expression {
            map: &faces.motion.map,
            pictures: &pictures,
        };
        let look = |network: &LookingNetwork| network.look(expression, &self.device);
        self.networks.iter().map(look).collect()
    }
}
