//! A second look at an expression: what other networks than AU-Flow say of the same
//! interval, for a person to compare. LED networks read the face itself, at n + 1 of
//! thirteen moments from onset to offset; TSDN, MoExt and UAMRN at onset and apex. SSSN and
//! DSSN read the same motion as AU-Flow, so that they agree with it says less.
//!
//! | weights of | what it adds |
//! |---|---|
//! | any network on one expression ([`expression_network`]) | units and a class, calibrated by what its own card says |
//! | UAMRN among them | its uncertainty γ, and which magnified picture looks at which |
//! | MoExt's pre-training ([`moext::PRETRAINING`]) | the apex as it rebuilds it from the onset's texture and the motion |
//!
//! Units and class come from one pass without dropout, for which temperatures and
//! thresholds were fitted. γ comes from [`PASSES`] passes with it, whose masks are the
//! same ones for every expression: the same faces give the same γ.
//!
//! [`expression_network`]: crate::model::expression_network

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Tensor;

use super::reader::judged;
use super::{ExpressionMotion, Moment, Recognition};
use crate::base::Plane;
use crate::explain::uncertainty::UncertaintyError;
use crate::facs::ActionUnit;
use crate::media::synthetic::dice::Dice;
use crate::model::expression_network::{
    Architecture, Expression, ExpressionReader, Input, Network,
};
use crate::model::face_pictures::{FacePictures, View};
use crate::model::moext::{self, MoExtOptions, MoExtPretraining};
use crate::model::uamrn::{self, DROPOUT, Opinion, Uamrn};
use crate::motion::luma::LumaPatch;
use crate::nn::{NnDevice, Weights, WeightsError, inventory};

/// Passes with dropout behind one γ.
pub const PASSES: u64 = 20;

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

/// What UAMRN tells of its sequence of magnified pictures besides.
#[derive(Debug, Clone, PartialEq)]
pub struct MagnifiedLook {
    /// How unsure it is (S3): squared logits, the mean over units and classes, above 0.
    pub gamma: f64,
    /// How many times each picture of the sequence is magnified (α), in order.
    pub factors: Vec<f32>,
    /// Of each block, of each head: row by row the picture that looks, column by column
    /// the one looked at, 0..1. With several members that of the first.
    pub attention: Vec<Vec<Plane>>,
}

/// What MoExt makes of motion and texture. Grey, 0..255, square, of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct RebuiltApex {
    pub onset: Plane,
    /// As it was.
    pub apex: Plane,
    /// As the network rebuilt it.
    pub rebuilt: Plane,
}

impl RebuiltApex {
    /// How far the rebuilt apex is from the true one: the mean over pixels, grey levels.
    #[must_use]
    pub fn error(&self) -> f64 {
        apart(&self.rebuilt, &self.apex)
    }

    /// How far the onset is from the apex: what to rebuild nothing would cost.
    #[must_use]
    pub fn change(&self) -> f64 {
        apart(&self.onset, &self.apex)
    }
}

/// The mean amount of the difference.
fn apart(one: &Plane, other: &Plane) -> f64 {
    let pairs = one.data.iter().zip(&other.data);
    let sum: f64 = pairs.map(|(a, b)| f64::from((a - b).abs())).sum();
    sum / one.data.len().max(1) as f64
}

/// A network of the second look.
#[derive(Debug)]
enum Looking {
    Reads {
        reader: Box<ExpressionReader>,
        /// Share that dropout leaves out, as in the training.
        dropout: f64,
    },
    Rebuilds(Box<MoExtPretraining>),
}

/// A network with its weights.
#[derive(Debug)]
pub struct LookingNetwork {
    weights: String,
    sha256: String,
    network: String,
    looking: Looking,
}

impl LookingNetwork {
    fn load(path: &Path, device: &NnDevice) -> Result<Self, SecondLookError> {
        let weights = Weights::load(path)?;
        let network = weights.card.network.clone();
        let looking = if network == moext::PRETRAINING {
            let rebuilds = weights.read_as(moext::PRETRAINING, path, |weights| {
                let options = MoExtOptions::from_settings(&weights.card.settings)?;
                MoExtPretraining::from_tensors(&weights.tensors, options, device.handle())
            })?;
            Looking::Rebuilds(Box::new(rebuilds))
        } else if Architecture::named(&network).is_some() {
            let share = weights.card.settings.get("dropout");
            let share = share.and_then(|share| share.parse().ok());
            Looking::Reads {
                reader: Box::new(ExpressionReader::from_file(&weights, path, device)?),
                dropout: share
                    .filter(|share| (0.0..1.0).contains(share))
                    .unwrap_or(DROPOUT),
            }
        } else {
            let path = path.to_owned();
            return Err(SecondLookError::OtherNetwork { network, path });
        };
        let stem = path.file_stem().unwrap_or(path.as_os_str());
        Ok(Self {
            weights: stem.to_string_lossy().into_owned(),
            sha256: inventory::sha256(&weights.to_bytes()),
            network,
            looking,
        })
    }

    /// The weights' name and the hash of their file.
    #[must_use]
    pub fn weights(&self) -> (&str, &str) {
        (&self.weights, &self.sha256)
    }

    /// Its name, as weights files have it.
    #[must_use]
    pub fn network(&self) -> &str {
        &self.network
    }

    /// The units that it reads, each with the probability from which on it is called
    /// present; none where it only rebuilds.
    #[must_use]
    pub fn units(&self) -> Vec<(ActionUnit, f64)> {
        match &self.looking {
            Looking::Reads { reader, .. } => {
                let units = reader.vocabulary.units.iter().copied();
                units.zip(reader.fitted.thresholds.clone()).collect()
            }
            Looking::Rebuilds(_) => Vec::new(),
        }
    }

    /// The classes that it reads.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        match &self.looking {
            Looking::Reads { reader, .. } => &reader.vocabulary.classes,
            Looking::Rebuilds(_) => &[],
        }
    }

    fn look(
        &self,
        expression: Expression,
        device: &NnDevice,
    ) -> Result<SecondOpinion, SecondLookError> {
        let failed = |reason: String| SecondLookError::Failed {
            weights: self.weights.clone(),
            reason,
        };
        let mut opinion = SecondOpinion {
            weights: self.weights.clone(),
            network: self.network.clone(),
            recognition: None,
            magnified: None,
            rebuilt: None,
        };
        match &self.looking {
            Looking::Rebuilds(network) => {
                let rebuilt = rebuilt(network, expression, device).map_err(failed)?;
                opinion.rebuilt = Some(rebuilt);
            }
            Looking::Reads { reader, dropout } => {
                let said = reader.logits(&[expression]).map_err(failed)?;
                let members = said.into_iter().next().unwrap_or_default();
                let numbers = members.iter().flat_map(|member| {
                    let units = member.units.iter().flatten();
                    units.chain(&member.classes)
                });
                if !numbers.copied().all(f32::is_finite) {
                    return Err(failed("it answers with what is no number".to_owned()));
                }
                let recognition = judged(&members, &reader.vocabulary, &reader.fitted);
                let recognition = recognition.map_err(|reason| SecondLookError::Opinions {
                    weights: self.weights.clone(),
                    reason,
                })?;
                opinion.recognition = Some(recognition);
                opinion.magnified = magnified(reader, expression, *dropout).map_err(failed)?;
            }
        }
        Ok(opinion)
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

/// Onset and apex as a network reads them.
fn pair(
    architecture: Architecture,
    expression: Expression,
    device: &NnDevice,
) -> Result<[Tensor<4>; 2], String> {
    let views = [View::default()];
    let steps = |_| Vec::new();
    match architecture.input_of(&[expression], &views, &steps, device.handle()) {
        Input::Pair(pair) => Ok(*pair),
        Input::Clips(_) | Input::Maps(_) => Err("it reads no pair of pictures".to_owned()),
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, String> {
    let values = tensor.try_into_vec_as::<f32>().map_err(|e| e.to_string())?;
    if values.iter().all(|v| v.is_finite()) {
        Ok(values)
    } else {
        Err("it answers with what is no number".to_owned())
    }
}

/// `None` of other networks than UAMRN.
fn magnified(
    reader: &ExpressionReader,
    expression: Expression,
    dropout: f64,
) -> Result<Option<MagnifiedLook>, String> {
    let members = reader.members().iter();
    let members: Vec<&Uamrn> = members
        .filter_map(|member| match member {
            Network::Uamrn(network) => Some(&**network),
            _ => None,
        })
        .collect();
    let Some(first) = members.first() else {
        return Ok(None);
    };
    let [onset, apex] = pair(reader.architecture, expression, reader.device())?;
    let mut opinions: Vec<Opinion> = Vec::new();
    let mut attention = Vec::new();
    for (number, member) in (0..).zip(&members) {
        let vectors = member.vectors(onset.clone(), apex.clone());
        if number == 0 {
            for matrices in member.attention(vectors.clone()) {
                let [_, heads, size, _] = matrices.dims();
                let values = values(matrices)?;
                let planes = values.chunks_exact(size * size).take(heads);
                let plane = |values: &[f32]| Plane::from_vec(size, size, values.to_vec());
                attention.push(planes.map(plane).collect());
            }
        }
        for pass in 0..PASSES {
            let mut dice = Dice::of("second look", "dropout", number * PASSES + pass);
            let kept = 1.0 / (1.0 - dropout);
            let mut factor = || {
                if dice.uniform() < dropout {
                    0.0
                } else {
                    kept as f32
                }
            };
            let draw = |count: usize| (0..count).map(|_| factor()).collect();
            let kept = member.options().kept(1, reader.device().handle(), draw);
            opinions.push(member.judged(vectors.clone(), Some(&kept)));
        }
    }
    let gamma = values(uamrn::uncertainty(&opinions))?;
    Ok(Some(MagnifiedLook {
        gamma: gamma.first().map_or(0.0, |&gamma| f64::from(gamma)),
        factors: uamrn::factors(first.options().frames),
        attention,
    }))
}

fn rebuilt(
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
    Ok(RebuiltApex {
        onset: plane(onset.clone(), 1.0)?,
        apex: plane(apex.clone(), 1.0)?,
        rebuilt: plane(network.rebuilt(onset, apex), 255.0)?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use image::{Rgb, RgbImage};

    use super::*;
    use crate::base::{Point, Rect, Timestamp};
    use crate::face::Landmarks;
    use crate::model::au_flow::{Fitted, Vocabulary};
    use crate::model::expression_network::{ExpressionWeights, outputs};
    use crate::model::face_pictures::STEPS;
    use crate::model::layer_plan;
    use crate::model::lsh_attention::Mode;
    use crate::model::uamrn::UamrnOptions;
    use crate::motion::tvl1::Tvl1Preset;
    use crate::recognition::{FacePicture, MotionMeter};

    fn drawn() -> impl FnMut(usize, f64, usize) -> Vec<f32> {
        let mut dice = Dice::new(7);
        move |_, bound, count| {
            let next = |_| dice.within([-bound, bound]) as f32;
            (0..count).map(next).collect()
        }
    }

    fn weights(architecture: Architecture) -> Weights {
        let vocabulary = Vocabulary {
            units: [1, 4, 12].map(|n| ActionUnit::new(n).unwrap()).to_vec(),
            classes: ["negative", "positive"].map(str::to_owned).to_vec(),
        };
        let weights = ExpressionWeights {
            architecture,
            members: vec![architecture.started(outputs(&vocabulary), drawn())],
            fitted: Fitted::none(3),
            vocabulary,
        };
        weights.pack(String::new(), String::new(), BTreeMap::new())
    }

    fn rebuilding(options: MoExtOptions) -> Weights {
        let tensors = layer_plan::started(&options.pretraining_parameters(), drawn());
        let none = String::new;
        moext::packed(options, &tensors, none(), none(), BTreeMap::new())
    }

    /// A face of eyes 60 px apart, whose grain is lifted more and more about the chin.
    fn moments() -> Vec<Arc<Moment>> {
        let landmarks = Landmarks(std::array::from_fn(|i| match i {
            36..=41 => Point::new(120.0, 100.0),
            42..=47 => Point::new(180.0, 100.0),
            60..=67 => Point::new(150.0, 167.0),
            _ => Point::new(90.0 + 2.0 * i as f32, 90.0 + i as f32),
        }));
        let moment = |step: usize| {
            let picture = RgbImage::from_fn(300, 300, |x, y| {
                let (dx, dy) = ((x as f32 - 150.0) / 14.0, (y as f32 - 190.0) / 12.0);
                let lifted = 0.2 * step as f32 * (-0.5 * (dx * dx + dy * dy)).exp();
                let (x, y) = (0.35 * x as f32, 0.35 * (y as f32 + lifted));
                Rgb([(128.0 + 60.0 * (x + y.sin()).sin() * (y + x.cos()).cos()) as u8; 3])
            });
            Arc::new(Moment {
                frame: step as u64,
                timestamp: Timestamp::from_secs(step as f64 / 30.0),
                picture: FacePicture {
                    patch: LumaPatch::around(&picture, Rect::new(70.0, 40.0, 160.0, 160.0)),
                    landmarks: landmarks.clone(),
                },
            })
        };
        (0..STEPS).map(moment).collect()
    }

    #[test]
    fn each_network_says_what_it_alone_can_and_says_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let moext = MoExtOptions {
            side: 56,
            width: 16,
        };
        let uamrn = Architecture::Uamrn(UamrnOptions {
            channels: 1,
            side: 32,
            frames: 5,
            width: 16,
            heads: 2,
            blocks: 3,
            hidden: 16,
            mode: Mode::Paper,
            classes: 1,
        });
        let led = Architecture::named("led-sssnet").unwrap();
        let files = [
            ("led", weights(led)),
            ("uamrn", weights(uamrn)),
            ("moext.rebuilding", rebuilding(moext)),
        ];
        let paths = files.map(|(name, weights)| {
            let path = folder.path().join(format!("{name}.safetensors"));
            weights.save(&path).unwrap();
            path
        });
        let moments = moments();
        let meter = MotionMeter::new(Tvl1Preset::Preview.params());
        let (onset, apex) = (&moments[0], &moments[8]);
        let motion = meter.measure(&onset.picture, &apex.picture).unwrap();
        let faces = ExpressionFaces {
            clip: &moments,
            apex,
            motion: &motion,
        };
        let say = || {
            let second = SecondLook::load(&paths).unwrap().unwrap();
            assert_eq!(second.networks()[0].units().len(), 3);
            assert_eq!(second.networks()[2].classes(), [""; 0]);
            second.look(faces).unwrap()
        };
        let said = say();
        assert!(said == say(), "the same faces, the same opinions");
        let [led, uamrn, moext] = said.as_slice() else {
            panic!("three networks, {} opinions", said.len());
        };
        assert_eq!(
            (led.weights.as_str(), moext.weights.as_str()),
            ("led", "moext.rebuilding")
        );
        assert!(led.magnified.is_none() && led.rebuilt.is_none());
        for recognition in [&led.recognition, &uamrn.recognition] {
            let recognition = recognition.as_ref().unwrap();
            assert_eq!(recognition.units.len(), 3);
            let class = recognition.class.as_ref().unwrap();
            assert!((class.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        }

        let look = uamrn.magnified.as_ref().unwrap();
        assert!(look.gamma > 0.0 && look.gamma.is_finite());
        assert_eq!((look.factors[0], look.factors[4]), (2.0, 13.0));
        let shape: Vec<usize> = look.attention.iter().map(Vec::len).collect();
        assert_eq!(shape, [2; 3], "blocks of heads");
        for matrix in look.attention.iter().flatten() {
            assert_eq!((matrix.width, matrix.height), (5, 5));
            for row in 0..5 {
                let taken: f32 = matrix.row(row).iter().sum();
                assert!((0.0..=1.0 + 1e-5).contains(&taken), "{taken}");
            }
        }

        assert!(moext.recognition.is_none());
        let rebuilt = moext.rebuilt.as_ref().unwrap();
        for plane in [&rebuilt.onset, &rebuilt.apex, &rebuilt.rebuilt] {
            assert_eq!((plane.width, plane.height), (56, 56));
            assert!(plane.data.iter().all(|v| (0.0..=255.0).contains(v)));
        }
        // The true ones differ where the chin rose.
        assert!(rebuilt.change() > 0.1 && rebuilt.error() > rebuilt.change());
    }

    #[test]
    fn other_files_are_refused_by_what_they_are() {
        assert!(SecondLook::load(&[]).unwrap().is_none());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.safetensors");
        let refused = || {
            SecondLook::load(std::slice::from_ref(&path))
                .unwrap_err()
                .to_string()
        };
        assert!(refused().starts_with("Cannot read the weights"));
        let mut weights = rebuilding(MoExtOptions {
            side: 56,
            width: 16,
        });
        weights.tensors.clear();
        weights.save(&path).unwrap();
        assert!(refused().contains("damaged"), "{}", refused());
        weights.card.network = "softnet".to_owned();
        weights.save(&path).unwrap();
        assert!(refused().starts_with("Weights of 'softnet' cannot take a second look"));
    }
}
