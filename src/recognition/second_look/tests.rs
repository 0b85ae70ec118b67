use std::collections::BTreeMap;

use image::{Rgb, RgbImage};

use super::*;
use crate::base::{Point, Rect, Timestamp};
use crate::face::Landmarks;
use crate::facs::ActionUnit;
use crate::media::synthetic::dice::Dice;
use crate::model::au_flow::{Fitted, Vocabulary};
use crate::model::expression_network::{Architecture, ExpressionWeights, outputs};
use crate::model::face_pictures::STEPS;
use crate::model::layer_plan;
use crate::model::lsh_attention::Mode;
use crate::model::moext::{self, MoExtOptions};
use crate::model::uamrn::UamrnOptions;
use crate::motion::tvl1::Tvl1Preset;
use crate::nn::Weights;
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
    let pictures = rebuilt.pictures.as_ref().unwrap();
    for plane in [&pictures.onset, &pictures.apex, &pictures.rebuilt] {
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
