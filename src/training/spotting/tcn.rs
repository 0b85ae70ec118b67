//! Trains [`MotionTcn`].

mod held_out;

use burn::optim::GradientsParams;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::super::checkpoint::{Checkpoint, CheckpointError, Kept, Settings};
use super::super::optimizer::{Optimizer, Rule};
use super::super::patience::Patience;
use super::super::progress::{Curve, CurveRow, Monitor, Next};
use super::super::random::{Moment, Purpose, Stream};
use super::super::schedule::Schedule;
use super::super::start;
use super::corpus::Example;
use super::planted::plant;
use super::turned::turn;
use super::variation::Variation;
use crate::model::motion_sequence::{MotionSequence, STEP_VALUES, compress};
use crate::model::motion_tcn::{MotionTcn, OUTPUTS, WIDTH};
use crate::nn::parameters::{self, Tensors};
use crate::nn::{NnDevice, WeightsError};
use crate::spotting::ExpressionKind;

/// Everything that decides the course of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct TcnTraining {
    pub epochs: u64,
    pub rate: f64,
    pub weight_decay: f64,
    /// Stretches an update.
    pub batch: usize,
    /// Steps a stretch.
    pub stretch: usize,
    pub dropout: f64,
    /// Whether expressions and turns of the head are added to the recordings
    /// ([`super::planted`], [`super::turned`]).
    pub plants: bool,
    pub seed: u64,
    /// How many epochs to wait for a better loss on the subjects held out.
    pub patience: Option<u64>,
}

impl Default for TcnTraining {
    fn default() -> Self {
        Self {
            epochs: 60,
            rate: 2e-3,
            weight_decay: 1e-3,
            batch: 4,
            stretch: 450,
            dropout: 0.2,
            plants: true,
            seed: 1,
            patience: None,
        }
    }
}

/// How much more a step inside a micro-expression counts than one outside: there are
/// thirty times as many outside.
const MICRO_WEIGHT: f32 = 3.0;
const APEX_WEIGHT: f64 = 0.3;
/// Width of the apex's hill, seconds: macro, micro.
const APEX_SIGMA_SECS: [f64; 2] = [0.15, 0.05];

#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("There is nothing to train on: no recording could be measured")]
    Empty,
    #[error(
        "Thresholds are fitted on subjects that are not learnt from, and there are too few here. Give at least two subjects"
    )]
    OneSubject,
    #[error("The training failed: {0}. The same command goes on from its last epoch")]
    Device(String),
    #[error(
        "Epoch {epoch} of the training ended without a finite loss, so its weights are worth nothing. Train with a smaller --lr, and look for damaged recordings with `onset data check`"
    )]
    Diverged { epoch: u64 },
    #[error(
        "Nothing can be learnt: no moment of the recordings learnt from is labelled as such an expression. Give recordings that show some"
    )]
    NothingShown,
    #[error(
        "File {file} learnt from other recordings than these, so thresholds may be fitted on what it knows. Join with the --data (and --fit) it was trained with"
    )]
    OtherData { file: usize },
    #[error("The training was stopped; what is done is kept and the same command goes on")]
    Stopped,
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

/// What a step is to be scored: macro presence, micro presence, macro apex, micro
/// apex, 0..1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Targets([f32; OUTPUTS]);

impl Targets {
    pub const REST: Self = Self([0.0; OUTPUTS]);

    /// Neither kind is there.
    #[must_use]
    pub fn is_rest(&self) -> bool {
        self.0[0] == 0.0 && self.0[1] == 0.0
    }

    /// The step at `secs` lies in an expression with this apex.
    pub fn mark(&mut self, kind: ExpressionKind, secs: f64, apex_secs: f64) {
        let kind = match kind {
            ExpressionKind::Macro => 0,
            ExpressionKind::Micro => 1,
        };
        self.0[kind] = 1.0;
        let off = (secs - apex_secs) / APEX_SIGMA_SECS[kind];
        self.0[2 + kind] = self.0[2 + kind].max((-0.5 * off * off).exp() as f32);
    }
}

/// A recording as the training reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    pub sequence: MotionSequence,
    targets: Vec<Targets>,
}

impl Lesson {
    #[must_use]
    pub fn of(example: &Example) -> Self {
        let sequence = example.sequence();
        let mut targets = vec![Targets::REST; sequence.steps()];
        for event in &example.recording.events {
            // Where nobody marked the apex, the middle is the best guess.
            let apex = event.apex.unwrap_or((event.onset + event.offset) / 2);
            let secs = [event.onset, apex, event.offset].map(|f| example.secs_of(f));
            for (step, target) in targets.iter_mut().enumerate() {
                let at = sequence.secs(step);
                if (secs[0]..=secs[2]).contains(&at) {
                    target.mark(event.kind, at, secs[1]);
                }
            }
        }
        Self { sequence, targets }
    }
}

impl TcnTraining {
    /// What decides the course of the training, in words.
    #[must_use]
    pub fn settings(&self, lessons: &[Lesson]) -> Settings {
        let steps: usize = lessons.iter().map(|l| l.sequence.steps()).sum();
        let mut settings: Settings = [
            ("network", crate::model::motion_tcn::NETWORK.to_owned()),
            ("epochs", self.epochs.to_string()),
            ("lr", self.rate.to_string()),
            ("weight decay", self.weight_decay.to_string()),
            ("batch", self.batch.to_string()),
            ("stretch", self.stretch.to_string()),
            ("dropout", self.dropout.to_string()),
            ("plants", self.plants.to_string()),
            ("seed", self.seed.to_string()),
            ("recordings", lessons.len().to_string()),
            ("steps", steps.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        if let Some(patience) = self.patience {
            settings.insert("patience".to_owned(), patience.to_string());
        }
        settings
    }

    /// Trains, or goes on with the training that `kept` holds. With
    /// [`Self::patience`] it looks at `held_out` after every epoch.
    ///
    /// # Errors
    /// When there is nothing to train on, the device fails, the checkpoint is of
    /// another training, or the monitor says stop.
    pub fn run(
        &self,
        lessons: &[Lesson],
        held_out: &[Lesson],
        kept: Option<Kept>,
        monitor: &dyn Monitor,
    ) -> Result<Tensors, TrainError> {
        if lessons.is_empty() {
            return Err(TrainError::Empty);
        }
        let rests = |lesson: &Lesson| lesson.targets.iter().all(Targets::is_rest);
        if lessons.iter().all(rests) {
            return Err(TrainError::NothingShown);
        }
        let own = self.settings(lessons);
        let settings = kept.map_or(own.clone(), |kept| kept.with_data(own));
        let held = match kept {
            Some(kept) => Checkpoint::load(kept.path, &settings)?,
            None => None,
        };
        let device = NnDevice::flex().for_training();
        let rule = Rule::AdamW {
            weight_decay: self.weight_decay,
        };
        let network = MotionTcn::new(&device);
        let best = held.as_ref().and_then(|held| held.best.clone());
        let mut patience = Patience::new(self.patience, best);
        let (mut network, mut optimizer, mut curve, first) = match held {
            Some(held) => (
                parameters::with_tensors(network, &held.weights).map_err(TrainError::Device)?,
                Optimizer::resumed(rule, held.step, held.optimizer),
                held.curve,
                held.epoch,
            ),
            None => (
                self.initial(network)?,
                Optimizer::new(rule),
                Curve::default(),
                0,
            ),
        };
        let schedule = Schedule::Cosine { warmup: 20 };
        let per_epoch = self.stretches(lessons, 0).len().div_ceil(self.batch) as u64;
        let all = per_epoch * self.epochs;
        let mut step = first * per_epoch;
        for epoch in first..self.epochs {
            if patience.is_over(epoch) {
                break;
            }
            let (mut sum, mut right) = (0.0, 0.0);
            let mut rate = self.rate;
            let stretches = self.stretches(lessons, epoch);
            for batch in stretches.chunks(self.batch) {
                rate = self.rate * schedule.factor(step, all);
                let (loss, share);
                (network, loss, share) =
                    self.update(network, &mut optimizer, lessons, batch, rate, epoch, step)?;
                sum += loss;
                right += share;
                step += 1;
            }
            if !sum.is_finite() {
                return Err(TrainError::Diverged { epoch: epoch + 1 });
            }
            let row = CurveRow {
                epoch: epoch + 1,
                learning_rate: rate,
                loss: sum / per_epoch as f64,
                accuracy: right / per_epoch as f64,
            };
            curve.push(row);
            let weights = parameters::tensors_of(&network).map_err(TrainError::Device)?;
            if patience.asks() {
                patience.look(
                    epoch + 1,
                    held_out::loss(&network, held_out, self.stretch),
                    &weights,
                );
            }
            if let Some(kept) = kept {
                let done = Checkpoint {
                    epoch: epoch + 1,
                    step,
                    curve: curve.clone(),
                    weights,
                    optimizer: optimizer.state().map_err(TrainError::Device)?,
                    best: patience.best().cloned(),
                };
                done.save(kept.path, &settings)?;
            }
            if monitor.epoch("", &row, self.epochs) == Next::Stop {
                return Err(TrainError::Stopped);
            }
        }
        let last = parameters::tensors_of(&network).map_err(TrainError::Device)?;
        Ok(patience.weights(last))
    }

    /// Weights evenly within ±√(3/inputs), biases zero.
    fn initial(&self, network: MotionTcn) -> Result<MotionTcn, TrainError> {
        let moment = Moment {
            seed: self.seed,
            ..Moment::default()
        };
        let mut tensors = parameters::tensors_of(&network).map_err(TrainError::Device)?;
        start::by_inputs(&mut tensors, 3.0, moment);
        parameters::with_tensors(network, &tensors).map_err(TrainError::Device)
    }

    /// Which stretches an epoch sees, in its order: lesson and first step. As many of
    /// each recording as cover it, at places of their own each time.
    fn stretches(&self, lessons: &[Lesson], epoch: u64) -> Vec<(usize, usize)> {
        let moment = Moment {
            seed: self.seed,
            epoch,
            ..Moment::default()
        };
        let mut random = moment.stream(Purpose::Sampling);
        let mut stretches = Vec::new();
        for (lesson, steps) in lessons.iter().map(|l| l.sequence.steps()).enumerate() {
            let count = steps.div_ceil(self.stretch).max(1);
            let spare = steps.saturating_sub(self.stretch);
            for _ in 0..count {
                stretches.push((lesson, random.below(spare + 1)));
            }
        }
        moment.stream(Purpose::Order).shuffle(&mut stretches);
        stretches
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "one update is all that a training is made of"
    )]
    fn update(
        &self,
        network: MotionTcn,
        optimizer: &mut Optimizer,
        lessons: &[Lesson],
        batch: &[(usize, usize)],
        rate: f64,
        epoch: u64,
        step: u64,
    ) -> Result<(MotionTcn, f64, f64), TrainError> {
        let moment = Moment {
            seed: self.seed,
            fold: 0,
            epoch,
            step,
        };
        let device = NnDevice::flex().for_training();
        let device = device.handle();
        let (count, time) = (batch.len(), self.stretch);
        let mut values = vec![0.0; count * time * STEP_VALUES];
        let mut targets = vec![0.0; count * time * OUTPUTS];
        let mut known = vec![0.0; count * time];
        let draws = moment.stream(Purpose::Augmentation);
        let places = (values.par_chunks_mut(time * STEP_VALUES))
            .zip(targets.par_chunks_mut(time * OUTPUTS))
            .zip(known.par_chunks_mut(time));
        // Each stretch draws from a stream of its own: threads change nothing.
        (batch.par_iter().zip(places).enumerate()).for_each(
            |(at, (&(lesson, first), ((values, goal), known)))| {
                let seen = self.put(&lessons[lesson], first, values, goal, draws.part(at as u64));
                known[..seen].fill(1.0);
            },
        );
        let dropped = moment
            .stream(Purpose::Dropout)
            .dropout(self.dropout, count * time * WIDTH);
        let tensor = |values: Vec<f32>, width: usize| {
            Tensor::<3>::from_data(TensorData::new(values, [count, time, width]), device)
        };
        let weights = weights_of(&targets, &known);
        let hits: Vec<bool> = targets.chunks_exact(OUTPUTS).map(|t| t[1] > 0.5).collect();
        let logits = network.forward(tensor(values, STEP_VALUES), Some(tensor(dropped, WIDTH)));
        let scores = logits.clone().inner();
        let loss = cross_entropy(logits, tensor(targets, OUTPUTS), tensor(weights, OUTPUTS));
        let value = f64::from(loss.clone().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        let network = optimizer.step(rate, network, gradients);
        let scores = sigmoid(scores)
            .try_into_vec_as::<f32>()
            .map_err(|e| TrainError::Device(e.to_string()))?;
        let right = (scores.chunks_exact(OUTPUTS).zip(&hits))
            .filter(|(score, hit)| (score[1] > 0.5) == **hit)
            .count();
        Ok((network, value, right as f64 / hits.len() as f64))
    }

    /// Writes a varied stretch of a lesson and what it is to be scored into zeros; how
    /// many steps it has.
    fn put(
        &self,
        lesson: &Lesson,
        first: usize,
        values: &mut [f32],
        goal: &mut [f32],
        mut random: Stream,
    ) -> usize {
        let variation = Variation::draw(&mut random);
        let steps = lesson.sequence.steps().min(first + self.stretch) - first;
        let values = &mut values[..steps * STEP_VALUES];
        values.copy_from_slice(&lesson.sequence.values()[first * STEP_VALUES..][..values.len()]);
        let mut told = lesson.targets[first..first + steps].to_vec();
        if self.plants {
            plant(values, &mut told, &mut random);
            turn(values, &mut random);
        }
        variation.apply(values, &mut random);
        compress(values);
        if variation.backwards {
            told.reverse();
        }
        for (goal, told) in goal.chunks_exact_mut(OUTPUTS).zip(&told) {
            goal.copy_from_slice(&told.0);
        }
        steps
    }
}

/// How much each output of each step counts; `known` is 0 for steps behind the end.
fn weights_of(targets: &[f32], known: &[f32]) -> Vec<f32> {
    (targets.chunks_exact(OUTPUTS).zip(known))
        .flat_map(|(target, known)| {
            let presence = [1.0, 1.0 + (MICRO_WEIGHT - 1.0) * target[1]];
            let apex = APEX_WEIGHT as f32;
            [presence[0], presence[1], apex, apex].map(|w| w * known)
        })
        .collect()
}

/// Mean over the weighted values of the cross-entropy with soft targets, from logits.
fn cross_entropy(logits: Tensor<3>, targets: Tensor<3>, weights: Tensor<3>) -> Tensor<1> {
    // max(x,0) − x·t + ln(1+e^−|x|) does not overflow.
    let positive = burn::tensor::activation::relu(logits.clone());
    let soft = (-logits.clone().abs()).exp().add_scalar(1.0).log();
    let losses = positive - logits * targets + soft;
    (losses * weights).mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::motion_sequence::Moving;
    use crate::motion::grid::{CELLS, FaceGrid};
    use crate::motion::lucas_kanade::CellFlow;

    struct StopAfter(u64);

    impl Monitor for StopAfter {
        fn epoch(&self, _: &str, row: &CurveRow, _: u64) -> Next {
            match row.epoch == self.0 {
                true => Next::Stop,
                false => Next::Continue,
            }
        }
    }

    #[test]
    fn a_stopped_training_goes_on_to_the_bit() {
        let moving: Vec<Moving> = (0..90)
            .map(|i| Moving {
                secs: f64::from(i) / 30.0,
                face: FaceGrid {
                    cells: Box::new([[0.01 * i as f32, -0.2, 0.01]; CELLS]),
                    head: [0.1; 6],
                },
                cells: CellFlow {
                    cells: Box::new([[0.02 * i as f32, 0.1, 0.5]; CELLS]),
                },
            })
            .collect();
        let sequence = MotionSequence::new(&moving, &moving, 0.0, 2.9);
        let mut targets = vec![Targets::REST; sequence.steps()];
        targets[40].mark(ExpressionKind::Micro, 1.33, 1.33);
        let lessons = vec![Lesson { sequence, targets }; 3];
        let training = TcnTraining {
            epochs: 4,
            batch: 2,
            stretch: 60,
            ..TcnTraining::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tcn.checkpoint");
        let kept = Some(Kept {
            path: &path,
            data: "made up",
        });
        let whole = training.run(&lessons, &[], None, &StopAfter(99)).unwrap();
        let stopped = training.run(&lessons, &[], kept, &StopAfter(2));
        assert!(matches!(stopped, Err(TrainError::Stopped)));
        let resumed = training.run(&lessons, &[], kept, &StopAfter(99));
        assert_eq!(resumed.unwrap(), whole);
    }
}
