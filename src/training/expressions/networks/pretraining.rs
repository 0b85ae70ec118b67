//! MoExt's pre-training: apexes are rebuilt, nobody says what they show (S2).

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::Course;
use super::drawing::Drawing;
use crate::model::face_pictures::{FacePictures, View};
use crate::model::layer_plan;
use crate::model::moext::{CHANNELS, MARGIN, MoExtOptions, MoExtPretraining, VIEWS};
use crate::nn::NnDevice;
use crate::nn::parameters;
use crate::spotting::ExpressionKind;
use crate::training::epochs::{Lesson, Trained, TrainingError};
use crate::training::random::{Moment, Purpose, Stream};

/// Which frame of a macro-expression passes for the apex of a small one: the fifth.
const PSEUDO_APEX: usize = 4;
/// How strongly a changed view is grained, in grey values.
const GRAIN: f64 = 8.0;

pub(super) fn run(
    course: &Course,
    options: MoExtOptions,
    drawing: &Drawing,
) -> Result<Trained, TrainingError> {
    let device = NnDevice::flex();
    let autodiff = device.for_training();
    // Only what shows an expression has an apex.
    let places: Vec<usize> = (drawing.places.iter().copied())
        .filter(|&place| drawing.lessons.examples[place].kind.is_some())
        .collect();
    course.go(|epochs| {
        let start = epochs.start(|| {
            let stream = course.moment().stream(Purpose::Initial);
            // Parameters are drawn from other places than the classifier's.
            layer_plan::started(&options.pretraining_parameters(), |place, bound, count| {
                stream.part(5000 + place as u64).uniform(bound, count)
            })
        })?;
        let network = MoExtPretraining::from_tensors(&start.weights, options, autodiff.handle());
        let network = network.map_err(|reason| epochs.failed(reason))?;
        let order = |epoch| course.order(places.clone(), epoch);
        epochs.go(network, start, order, |network, places, moment| {
            let views = views(drawing, places, options.side, moment);
            study(
                network,
                &views,
                places.len(),
                options.side,
                autodiff.handle(),
            )
        })
    })
}

/// Views of onsets and of apexes, `[batch, view, side, side]` each, and the apexes alone.
struct Views {
    onsets: Vec<f32>,
    apexes: Vec<f32>,
}

fn views(drawing: &Drawing, places: &[usize], side: usize, moment: Moment) -> Views {
    let stream = moment.stream(Purpose::Augmentation);
    let mut views = Views {
        onsets: Vec::new(),
        apexes: Vec::new(),
    };
    for (at, &place) in places.iter().enumerate() {
        let example = &drawing.lessons.examples[place];
        let Some(pictures) = &example.pictures else {
            continue;
        };
        let mut random = stream.part(at as u64);
        let view = drawing.view(random.part(1));
        let (mut onset, mut apex) = (Vec::new(), Vec::new());
        append_pair(pictures, example.kind, side, &view, &mut onset, &mut apex);
        for (frame, to) in [(&onset, &mut views.onsets), (&apex, &mut views.apexes)] {
            to.extend_from_slice(frame);
            for _ in 1..VIEWS {
                changed(frame, &mut random, to);
            }
        }
    }
    views
}

/// Onset and apex; of a macro-expression its first and its fifth frame, which are about
/// as far apart.
fn append_pair(
    pictures: &FacePictures,
    kind: Option<ExpressionKind>,
    side: usize,
    view: &View,
    onset: &mut Vec<f32>,
    apex: &mut Vec<f32>,
) {
    if kind == Some(ExpressionKind::Macro) {
        pictures.append_step(0, side, view, onset);
        pictures.append_step(PSEUDO_APEX, side, view, apex);
    } else {
        pictures.append_onset(side, view, onset);
        pictures.append_apex(side, view, apex);
    }
}

/// A frame that shows the same with grain, another contrast or another brightness. (S2's
/// third change takes the colour away; these pictures have none.)
fn changed(frame: &[f32], random: &mut Stream, to: &mut Vec<f32>) {
    match random.below(3) {
        0 => to.extend(frame.iter().map(|v| v + (GRAIN * random.normal()) as f32)),
        1 => {
            let mean = frame.iter().sum::<f32>() / frame.len() as f32;
            let gain = random.between(-0.35, 0.35).exp() as f32;
            to.extend(frame.iter().map(|v| mean + gain * (v - mean)));
        }
        _ => {
            let lift = random.between(-40.0, 40.0) as f32;
            to.extend(frame.iter().map(|v| v + lift));
        }
    }
}

fn study(
    network: MoExtPretraining,
    views: &Views,
    count: usize,
    side: usize,
    device: &Device,
) -> Result<Lesson<MoExtPretraining>, String> {
    let on_device = |values: &[f32]| {
        let values = values.iter().map(|v| v.clamp(0.0, 255.0)).collect();
        let data = TensorData::new::<f32, _>(values, [count, VIEWS, 1, side, side]);
        Tensor::<5>::from_data(data, device).repeat_dim(2, CHANNELS)
    };
    let (onset, apex) = (on_device(&views.onsets), on_device(&views.apexes));
    let shown = apex.clone().narrow(1, 0, 1);
    let shown: Tensor<4> = shown.reshape([count, CHANNELS, side, side]);
    let pass = network.forward_training(onset, apex);
    let loss = pass.loss(shown, MARGIN);
    let value = parameters::read(loss.clone().inner())?.values;
    let gradients = GradientsParams::from_grads(loss.backward(), &network);
    Ok(Lesson {
        network: network.with_measured(&pass.measured),
        gradients,
        loss: f64::from(value[0]),
        // Nothing is right or wrong here.
        right: 0.0,
    })
}
