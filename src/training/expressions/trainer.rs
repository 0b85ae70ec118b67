//! Trains [`AuFlow`] on measured expressions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use burn::optim::GradientsParams;
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Tensor, TensorData};

use super::corpus::{Measured, Shown};
use super::variation;
use crate::facs::{ActionUnit, ClassSet, ScoredUnit, Side};
use crate::model::au_flow::{
    AuFlow, AuWeights, Fitted, HIDDEN, NETWORK, OF_UNIT, Vocabulary, has_halves,
};
use crate::model::face_pictures::FacePictures;
use crate::model::flow_input::SIDE;
use crate::model::motion_map::{CHANNELS, MotionMap};
use crate::nn::NnDevice;
use crate::nn::parameters;
use crate::spotting::ExpressionKind;
use crate::training::checkpoint::{EXTENSION, Settings};
use crate::training::epochs::{Epochs, Lesson, Trained, TrainingError};
use crate::training::optimizer::Rule;
use crate::training::progress::{Curve, Monitor};
use crate::training::random::{Moment, Purpose, Stream};
use crate::training::schedule::Schedule;
use crate::training::start;

/// A unit that is shown less often cannot be learnt.
const LEAST_SHOWN: usize = 8;
/// How often another expression is laid over one, and rest over any map.
const JOINED: f64 = 0.3;
const LAID_OVER_REST: f64 = 0.5;
/// How much a unit's halves and the classes count against the units.
const HALVES_WEIGHT: f64 = 0.3;
pub(super) const CLASS_WEIGHT: f64 = 0.1;

/// Everything that decides the course of a training but its data.
#[derive(Debug, Clone, PartialEq)]
pub struct AuTraining {
    pub epochs: u64,
    pub rate: f64,
    pub weight_decay: f64,
    /// Maps an update.
    pub batch: usize,
    /// Share of the hidden nodes that dropout leaves out.
    pub dropout: f64,
    /// Networks from neighbouring seeds.
    pub members: u64,
    pub seed: u64,
}

impl Default for AuTraining {
    fn default() -> Self {
        Self {
            epochs: 40,
            rate: 1e-3,
            weight_decay: 1e-2,
            batch: 64,
            dropout: 0.4,
            members: 3,
            seed: 1,
        }
    }
}

/// A map with what it shows.
#[derive(Debug, Clone)]
pub(super) struct Example {
    pub(super) map: MotionMap,
    pub(super) pictures: Option<Arc<FacePictures>>,
    /// For each unit that it acts, in the picture's left half, in its right half.
    pub(super) units: Vec<[bool; OF_UNIT]>,
    /// Whether the halves are known: nobody coded the side of an asymmetric unit.
    halves: bool,
    pub(super) class: Option<usize>,
    rest: bool,
    /// How fast the expression is; `None` at rest.
    pub(super) kind: Option<ExpressionKind>,
}

/// Expressions to learn from.
#[derive(Debug, Clone)]
pub struct Lessons {
    pub(super) examples: Vec<Example>,
    expressions: Vec<usize>,
    rests: Vec<usize>,
    pub vocabulary: Vocabulary,
    /// How often each class of the set is shown.
    shown_classes: Vec<(String, usize)>,
    /// What an example of each class counts: a rare one more.
    pub(super) class_weights: Vec<f32>,
}

impl Lessons {
    /// Every sample whose units are coded. The vocabulary is what occurs often enough:
    /// units one by one, the classes of the set all or none.
    ///
    /// # Errors
    /// When no unit does.
    pub fn new(measured: &[&Measured], set: ClassSet) -> Result<Self, TrainingError> {
        let mut shown: BTreeMap<ActionUnit, usize> = BTreeMap::new();
        let names = set.names();
        let mut classes = vec![0_usize; names.len()];
        for recording in measured {
            for sample in &recording.samples {
                if !matches!(sample.shown, Shown::Expression { .. }) {
                    continue;
                }
                for scored in recording.units(sample).unwrap_or_default() {
                    *shown.entry(scored.unit).or_default() += 1;
                }
                if let Some(class) = recording.class(sample, set) {
                    classes[class] += 1;
                }
            }
        }
        shown.retain(|_, count| *count >= LEAST_SHOWN);
        let vocabulary = Vocabulary {
            units: shown.into_keys().collect(),
            classes: if classes.iter().all(|c| *c >= LEAST_SHOWN) {
                names
            } else {
                Vec::new()
            },
        };
        if vocabulary.units.is_empty() {
            return Err(TrainingError::TooFew(format!(
                "no action unit is coded in {LEAST_SHOWN} expressions or more that could be measured. Give more recordings, with action units in their labels"
            )));
        }
        let all: usize = classes.iter().sum();
        let shown_classes = set.names().into_iter().zip(classes.iter().copied());
        let shown_classes = shown_classes.collect();
        let class_weights = classes
            .iter()
            .map(|&count| all as f32 / (classes.len() * count.max(1)) as f32)
            .collect();
        let mut examples = Vec::new();
        for recording in measured {
            for sample in &recording.samples {
                if let Some(units) = recording.units(sample) {
                    let class = recording.class(sample, set);
                    examples.push(Example {
                        map: sample.motion.map.clone(),
                        pictures: sample.pictures.clone(),
                        kind: recording.kind(sample),
                        units: told(&vocabulary, units),
                        halves: units.iter().all(|u| u.side != Some(Side::Unilateral)),
                        class: class.filter(|_| !vocabulary.classes.is_empty()),
                        rest: sample.shown == Shown::Rest,
                    });
                }
            }
        }
        let places = |rest: bool| {
            let those = examples.iter().enumerate().filter(|(_, e)| {
                if rest {
                    e.rest
                } else {
                    e.units.iter().any(|u| u[0])
                }
            });
            those.map(|(at, _)| at).collect()
        };
        Ok(Self {
            expressions: places(false),
            rests: places(true),
            examples,
            vocabulary,
            shown_classes,
            class_weights,
        })
    }

    /// Why no classes are learnt, in words; `None` where they are.
    #[must_use]
    pub fn without_classes(&self) -> Option<String> {
        if !self.vocabulary.classes.is_empty() {
            return None;
        }
        let rare = self.shown_classes.iter().filter(|(_, n)| *n < LEAST_SHOWN);
        let rare: Vec<String> = rare.map(|(name, n)| format!("{name} in {n}")).collect();
        Some(format!(
            "each class must be shown in {LEAST_SHOWN} expressions that are learnt from, and there is {}",
            rare.join(", ")
        ))
    }

    /// How many maps there are to learn from.
    #[must_use]
    pub fn len(&self) -> usize {
        self.examples.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.examples.is_empty()
    }

    /// One example as an update sees it.
    pub(super) fn drawn(&self, at: usize, mut random: Stream) -> Example {
        let mut example = self.examples[at].clone();
        let pick = |of: &[usize], random: &mut Stream| {
            (!of.is_empty()).then(|| &self.examples[of[random.below(of.len())]])
        };
        if random.chance(JOINED)
            && let Some(other) = pick(&self.expressions, &mut random)
        {
            let other = other.clone();
            let other = if random.chance(0.5) {
                mirrored(other)
            } else {
                other
            };
            let share = random.between(0.5, 1.2) as f32;
            variation::add(&mut example.map, &other.map, share);
            for (own, others) in example.units.iter_mut().zip(&other.units) {
                for (own, other) in own.iter_mut().zip(others) {
                    *own |= other;
                }
            }
            example.halves &= other.halves;
            if example.class != other.class {
                // Two expressions at once are no class.
                example.class = None;
            }
        }
        if random.chance(LAID_OVER_REST)
            && let Some(rest) = pick(&self.rests, &mut random)
        {
            let share = random.between(0.3, 1.0) as f32;
            variation::add(&mut example.map, &rest.map, share);
        }
        example.map = variation::vary(&example.map, &mut random);
        if random.chance(0.5) {
            example = mirrored(example);
        }
        example
    }
}

/// For each unit of the vocabulary that it acts, and in which halves of the picture.
#[must_use]
pub fn told(vocabulary: &Vocabulary, units: &[ScoredUnit]) -> Vec<[bool; OF_UNIT]> {
    let told = |unit: &ActionUnit| {
        let mine = units.iter().filter(|u| u.unit == *unit);
        mine.fold([false; OF_UNIT], |[_, left, right], scored| {
            // The person's right is the picture's left.
            let (l, r) = match scored.side {
                Some(Side::Right) => (true, false),
                Some(Side::Left) => (false, true),
                _ => (true, true),
            };
            [true, left || l, right || r]
        })
    };
    vocabulary.units.iter().map(told).collect()
}

fn mirrored(mut example: Example) -> Example {
    example.map = example.map.mirrored();
    for unit in &mut example.units {
        unit.swap(1, 2);
    }
    example
}

impl AuTraining {
    /// In words, for checkpoints, reports and cards. The number of members is not among
    /// them: each is trained as if it were alone.
    #[must_use]
    pub fn settings(&self) -> Settings {
        [
            ("network", NETWORK.to_owned()),
            ("epochs", self.epochs.to_string()),
            ("lr", self.rate.to_string()),
            ("weight decay", self.weight_decay.to_string()),
            ("batch", self.batch.to_string()),
            ("dropout", self.dropout.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Trains every member, several at a time; nothing is fitted yet. `kept` is a
    /// folder for checkpoints with what else decides the course (the data).
    ///
    /// # Errors
    /// When the device fails, a checkpoint is another training's, or the monitor stops
    /// it.
    pub fn run(
        &self,
        lessons: &Lessons,
        kept: Option<(&Path, &Settings)>,
        monitor: &dyn Monitor,
    ) -> Result<(AuWeights, Vec<Curve>), TrainingError> {
        let seeds: Vec<u64> = (self.seed..self.seed + self.members).collect();
        let member = |&seed: &u64| {
            let place = kept.map(|(folder, settings)| {
                let mut settings = settings.clone();
                settings.insert("seed".to_owned(), seed.to_string());
                (checkpoint_path(folder, seed), settings)
            });
            let checkpoint = place.as_ref().map(|(path, s)| (path.as_path(), s));
            self.member(lessons, seed, checkpoint, monitor)
        };
        // Members have threads of their own: a thread of the pool that waits inside a
        // backward pass would take up another member's, which waits for the first.
        let at_once = rayon::current_num_threads().max(1);
        let mut trained = Vec::new();
        for seeds in seeds.chunks(at_once) {
            let together = thread::scope(|scope| {
                let started: Vec<_> = (seeds.iter())
                    .map(|seed| {
                        let named = thread::Builder::new().name(format!("member-{seed}"));
                        named.spawn_scoped(scope, || member(seed))
                    })
                    .collect();
                (started.into_iter().zip(seeds))
                    .map(|(started, seed)| match started.map(|s| s.join()) {
                        Ok(Ok(trained)) => trained,
                        Ok(Err(panic)) => std::panic::resume_unwind(panic),
                        // No further thread is to be had: this one will do.
                        Err(_) => member(seed),
                    })
                    .collect::<Result<Vec<Trained>, TrainingError>>()
            });
            trained.extend(together?);
        }
        let (members, curves) = (trained.into_iter())
            .map(|trained| (trained.weights, trained.curve))
            .unzip();
        let weights = AuWeights {
            vocabulary: lessons.vocabulary.clone(),
            fitted: Fitted::none(lessons.vocabulary.units.len()),
            members,
        };
        Ok((weights, curves))
    }

    fn member(
        &self,
        lessons: &Lessons,
        seed: u64,
        checkpoint: Option<(&Path, &Settings)>,
        monitor: &dyn Monitor,
    ) -> Result<Trained, TrainingError> {
        let device = NnDevice::flex();
        let part = match self.members {
            1 => String::new(),
            _ => format!("seed {seed}"),
        };
        let epochs = Epochs {
            epochs: self.epochs,
            rate: self.rate,
            schedule: Schedule::Cosine { warmup: 20 },
            rule: Rule::AdamW {
                weight_decay: self.weight_decay,
            },
            faster: None,
            batch: self.batch,
            seed,
            fold: 0,
            checkpoint,
            monitor,
            part: &part,
            device: device.name(),
        };
        let autodiff = device.for_training();
        let outputs = lessons.vocabulary.outputs();
        let bare = AuFlow::new(outputs, autodiff.handle());
        let mut tensors = parameters::tensors_of(&bare).map_err(|e| epochs.failed(e))?;
        let start = epochs.start(|| {
            let moment = Moment {
                seed,
                ..Moment::default()
            };
            start::by_inputs(&mut tensors, 6.0, moment);
            tensors
        })?;
        let network =
            parameters::with_tensors(bare, &start.weights).map_err(|e| epochs.failed(e))?;
        let order = |epoch| {
            let mut order: Vec<usize> = (0..lessons.len()).collect();
            let moment = Moment {
                seed,
                epoch,
                ..Moment::default()
            };
            moment.stream(Purpose::Order).shuffle(&mut order);
            order
        };
        epochs.go(network, start, order, |network, places, moment| {
            let stream = moment.stream(Purpose::Augmentation);
            let batch: Vec<Example> = (places.iter().enumerate())
                .map(|(at, &place)| lessons.drawn(place, stream.part(at as u64)))
                .collect();
            let kept = moment
                .stream(Purpose::Dropout)
                .dropout(self.dropout, batch.len() * HIDDEN);
            study(network, &batch, kept, lessons, autodiff.handle())
        })
    }
}

/// Where the checkpoint of one member lies.
fn checkpoint_path(folder: &Path, seed: u64) -> PathBuf {
    folder.join(format!("member-{seed}.{EXTENSION}"))
}

fn study(
    network: AuFlow,
    batch: &[Example],
    kept: Vec<f32>,
    lessons: &Lessons,
    device: &Device,
) -> Result<Lesson<AuFlow>, String> {
    let count = batch.len();
    let mut maps = Vec::new();
    for example in batch {
        example.map.append_compressed(&mut maps);
    }
    let maps = TensorData::new(maps, [count, CHANNELS, SIDE, SIDE]);
    let maps: Tensor<4> = Tensor::from_data(maps, device);
    let kept = Tensor::from_data(TensorData::new(kept, [count, HIDDEN]), device);
    let logits = network.forward(maps, Some(kept));

    let units = OF_UNIT * lessons.vocabulary.units.len();
    let (mut truths, mut weights) = (Vec::new(), Vec::new());
    for example in batch {
        for (unit, of_unit) in lessons.vocabulary.units.iter().zip(&example.units) {
            truths.extend(of_unit.map(|t| if t { 1.0_f32 } else { 0.0 }));
            let halves = example.halves && has_halves(*unit);
            let half = if halves { HALVES_WEIGHT as f32 } else { 0.0 };
            weights.extend([1.0, half, half]);
        }
    }
    let of_units = logits.clone().narrow(1, 0, units);
    let plane = |values: Vec<f32>| -> Tensor<2> {
        Tensor::from_data(TensorData::new(values, [count, units]), device)
    };
    // −ln of the logistic function's probability of the truth, without overflow.
    let losses = relu(of_units.clone()) - of_units.clone() * plane(truths.clone())
        + (of_units.clone().abs().neg().exp() + 1.0).log();
    let unit_count = lessons.vocabulary.units.len() as f64;
    let mut loss = (losses * plane(weights)).sum() * (1.0 / (count as f64 * unit_count));
    let classes = lessons.vocabulary.classes.len();
    if classes > 0 {
        let mut wanted = vec![0.0_f32; count * classes];
        for (row, example) in wanted.chunks_exact_mut(classes).zip(batch) {
            if let Some(class) = example.class {
                row[class] = lessons.class_weights[class];
            }
        }
        let wanted: Tensor<2> =
            Tensor::from_data(TensorData::new(wanted, [count, classes]), device);
        let log = log_softmax(logits.narrow(1, units, classes), 1);
        loss = loss + (log * wanted).sum() * (-CLASS_WEIGHT / count as f64);
    }
    let said = parameters::read(of_units.inner())?.values;
    let right = (said.chunks_exact(OF_UNIT).zip(truths.chunks_exact(OF_UNIT)))
        .filter(|(said, truth)| (said[0] > 0.0) == (truth[0] > 0.5))
        .count() as f64
        / unit_count;
    let value = parameters::read(loss.clone().inner())?.values;
    let gradients = GradientsParams::from_grads(loss.backward(), &network);
    Ok(Lesson {
        network,
        gradients,
        loss: f64::from(value[0]),
        right,
    })
}
