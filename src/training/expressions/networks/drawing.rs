//! Expressions as an update sees them: varied, batched, with what they show.

use std::f64::consts::PI;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use super::super::trainer::{Example, Lessons};
use crate::model::expression_network::{Architecture, Expression, Input};
use crate::model::face_pictures::{FacePictures, STEPS, View, evenly};
use crate::model::led::LedOptions;
use crate::training::epochs::TrainingError;
use crate::training::random::{Moment, Purpose, Stream};

/// S2 turns faces by up to 10°; other networks see as much as a tilted head leaves.
const TURN: f64 = 10.0 * PI / 180.0;
const TILT: f64 = 4.0 * PI / 180.0;
/// Shares of the side.
const SHIFT: f64 = 0.04;
/// How often a clip is read from some later frame on, or else up to some earlier one.
const FROM_LATER: f64 = 0.25;

/// Expressions to draw batches of.
pub(super) struct Drawing<'a> {
    architecture: Architecture,
    pub(super) lessons: &'a Lessons,
    /// Those that can be drawn, by their places among the lessons' examples.
    pub(super) places: Vec<usize>,
}

/// What a batch shows.
pub(super) struct Truths {
    /// `[batch, unit]`, 1 where it acts.
    pub(super) units: Tensor<2>,
    /// `[batch, class]`, the class's weight in its column; all 0 without a class.
    /// `None` where no classes are learnt.
    pub(super) classes: Option<Tensor<2>>,
}

/// A batch with what it shows.
pub(super) struct Drawn {
    pub(super) input: Input,
    pub(super) truths: Truths,
}

impl<'a> Drawing<'a> {
    /// # Errors
    /// When fewer than two expressions have pictures.
    pub(super) fn new(
        architecture: Architecture,
        lessons: &'a Lessons,
    ) -> Result<Self, TrainingError> {
        let examples = lessons.examples.iter().enumerate();
        let places: Vec<usize> = examples
            .filter(|(_, example)| example.pictures.is_some())
            .map(|(place, _)| place)
            .collect();
        if places.len() < 2 {
            return Err(TrainingError::TooFew(
                "no pictures of faces could be cut out. Give recordings with faces".to_owned(),
            ));
        }
        Ok(Self {
            architecture,
            lessons,
            places,
        })
    }

    /// A batch as one update sees it.
    pub(super) fn batch(&self, places: &[usize], moment: Moment, device: &Device) -> Drawn {
        let stream = moment.stream(Purpose::Augmentation);
        let maps = matches!(self.architecture, Architecture::ShallowStreams(_));
        let drawn: Vec<(Example, Arc<FacePictures>)> = (places.iter().enumerate())
            .filter_map(|(at, &place)| {
                let example = if maps {
                    self.lessons.drawn(place, stream.part(at as u64))
                } else {
                    self.lessons.examples[place].clone()
                };
                let pictures = example.pictures.clone()?;
                Some((example, pictures))
            })
            .collect();
        let views: Vec<View> = (0..drawn.len())
            .map(|at| self.view(stream.part(1000 + at as u64)))
            .collect();
        let expressions: Vec<Expression> = (drawn.iter())
            .map(|(example, pictures)| Expression {
                map: &example.map,
                pictures,
            })
            .collect();
        let steps = |at: usize| match self.architecture {
            Architecture::LedSssNet(options) | Architecture::LedResNet18(options) => {
                varied_steps(options, stream.part(2000 + at as u64))
            }
            _ => Vec::new(),
        };
        let input = (self.architecture).input_of(&expressions, &views, &steps, device);
        let examples: Vec<&Example> = drawn.iter().map(|(example, _)| example).collect();
        Drawn {
            input,
            truths: self.truths(&examples, device),
        }
    }

    /// How an update sees the pictures of one expression.
    pub(super) fn view(&self, mut random: Stream) -> View {
        let turn = match self.architecture {
            Architecture::MoExt(_) => TURN,
            _ => TILT,
        };
        View {
            mirrored: random.chance(0.5),
            turn: random.between(-turn, turn) as f32,
            shift: [0; 2].map(|_| random.between(-SHIFT, SHIFT) as f32),
            gain: random.between(-0.22, 0.22).exp() as f32,
            lift: random.between(-15.0, 15.0) as f32,
        }
    }

    fn truths(&self, examples: &[&Example], device: &Device) -> Truths {
        let count = examples.len();
        let units = self.lessons.vocabulary.units.len();
        let classes = self.lessons.vocabulary.classes.len();
        let shown: Vec<f32> = (examples.iter())
            .flat_map(|example| {
                example
                    .units
                    .iter()
                    .map(|unit| f32::from(u8::from(unit[0])))
            })
            .collect();
        let wanted = (classes > 0).then(|| {
            let mut wanted = vec![0.0_f32; count * classes];
            for (row, example) in wanted.chunks_exact_mut(classes).zip(examples) {
                if let Some(class) = example.class {
                    row[class] = self.lessons.class_weights[class];
                }
            }
            Tensor::from_data(TensorData::new(wanted, [count, classes]), device)
        });
        Truths {
            units: Tensor::from_data(TensorData::new(shown, [count, units]), device),
            classes: wanted,
        }
    }
}

/// The frames of a clip for one update, as S0's program takes them: from some frame on
/// (one time in four) or up to some frame, evenly.
fn varied_steps(options: LedOptions, mut random: Stream) -> Vec<usize> {
    let frames = options.frames();
    let off = random.below(STEPS + 1 - frames.min(STEPS)) as u64;
    let end = STEPS as u64 - 1;
    let later = random.chance(FROM_LATER);
    evenly(end - off, frames)
        .into_iter()
        .map(|step| (if later { off + step } else { step }) as usize)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_are_read_in_order_and_within() {
        let stream = Moment::default().stream(Purpose::Augmentation);
        let mut starts = 0;
        for outputs in [1, 5, 12] {
            let options = LedOptions {
                outputs,
                ..LedOptions::default()
            };
            for part in 0..50 {
                let steps = varied_steps(options, stream.part(part));
                assert_eq!(steps.len(), outputs + 1);
                assert!(steps.is_sorted() && steps.iter().all(|s| *s < STEPS));
                starts += usize::from(steps[0] > 0);
            }
        }
        assert!((5..60).contains(&starts), "{starts}");
    }
}
