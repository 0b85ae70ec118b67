//! What other networks say of each candidate, from the command line to its files.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use onset::facs::ActionUnit;
use onset::media::{self, Frame, FrameSource, InputSpec, MediaError, SourceInfo};
use onset::model::au_flow::{Fitted, Vocabulary};
use onset::model::expression_network::{Architecture, ExpressionWeights, outputs};
use onset::model::layer_plan;
use onset::model::lsh_attention::Mode;
use onset::model::moext::{self, MoExtOptions};
use onset::model::softnet;
use onset::model::uamrn::UamrnOptions;
use onset::motion::tvl1::Tvl1Preset;
use onset::session::{Params, Resources, SessionHandle};
use onset::timeline::{Event, Recording};
use onset::training::random::{Moment, Purpose};

use crate::cli::{Ran, analyze, onset, rows, sample, summary, text, weights};

fn drawn() -> impl FnMut(usize, f64, usize) -> Vec<f32> {
    let stream = Moment::default().stream(Purpose::Initial);
    move |number, bound, count| stream.part(number as u64).uniform(bound, count)
}

/// Networks that have learnt nothing: an LED-SSSNet, a small UAMRN, and a small MoExt that
/// rebuilds.
pub(crate) fn unlearnt(folder: &Path) -> [PathBuf; 3] {
    let vocabulary = Vocabulary {
        units: [4, 12].map(|n| ActionUnit::new(n).unwrap()).to_vec(),
        classes: ["negative", "positive", "surprise"]
            .map(str::to_owned)
            .to_vec(),
    };
    let uamrn = Architecture::Uamrn(UamrnOptions {
        channels: 1,
        side: 64,
        frames: 12,
        width: 32,
        heads: 2,
        blocks: 3,
        hidden: 32,
        mode: Mode::Paper,
        classes: 1,
    });
    let reading = |architecture: Architecture| {
        let weights = ExpressionWeights {
            architecture,
            members: vec![architecture.started(outputs(&vocabulary), drawn())],
            fitted: Fitted::none(2),
            vocabulary: vocabulary.clone(),
        };
        weights.pack(String::new(), String::new(), BTreeMap::new())
    };
    let options = MoExtOptions {
        side: 56,
        width: 32,
    };
    let tensors = layer_plan::started(&options.pretraining_parameters(), drawn());
    let rebuilding = moext::packed(
        options,
        &tensors,
        String::new(),
        String::new(),
        BTreeMap::new(),
    );
    [
        ("led", reading(Architecture::named("led-sssnet").unwrap())),
        ("uamrn", reading(uamrn)),
        ("moext.rebuilding", rebuilding),
    ]
    .map(|(name, weights)| {
        let path = folder.join(format!("{name}.safetensors"));
        weights.save(&path).unwrap();
        path
    })
}

#[test]
fn cli_other_networks_look_at_each_candidate_and_write_what_they_say() {
    let home = tempfile::tempdir().unwrap();
    let files = unlearnt(home.path());
    let out = home.path().join("out");
    let (clip, folder) = (sample(), out.join("sample"));
    let mut looking = vec!["--preset", "preview"];
    for file in &files {
        looking.extend(["--second-look", text(file)]);
    }
    assert!(matches!(analyze(&clip, &out, &looking).code, Some(0 | 3)));
    let first_line = |name: &str| {
        let table = fs::read_to_string(folder.join(name)).unwrap();
        table.lines().next().unwrap().to_owned()
    };
    assert_eq!(
        first_line("second_look.csv"),
        "recording,kind,onset,apex,offset,network,weights,label,label_prob,uncertainty,aus,gamma,\
         rebuilt_error,apex_change,negative_p,positive_p,surprise_p,AU04_p,AU12_p"
    );
    assert!(first_line("intervals.csv").contains(",aus,negative_p,"));
    let table = rows(&folder.join("second_look.csv"));
    let candidates = rows(&folder.join("intervals.csv"));
    let read = candidates.iter().filter(|row| !row[14].is_empty()).count();
    assert!(read >= 3);
    assert_eq!(table.len(), 3 * read, "each network of each candidate read");
    for three in table.chunks(3) {
        let networks: Vec<&str> = three.iter().map(|row| row[5].as_str()).collect();
        assert_eq!(networks, ["led-sssnet", "uamrn", "moext-pretraining"]);
        let number = |row: usize, column: usize| three[row][column].parse::<f64>().unwrap();
        assert!((14..17).map(|c| number(0, c)).sum::<f64>() > 0.999);
        assert!(number(1, 11) > 0.0, "γ");
        assert!(three[0][11].is_empty() && three[2][14].is_empty());
        // A face does change from onset to apex, and untrained layers know no face.
        assert!(number(2, 13) > 0.0 && number(2, 12) > number(2, 13));
    }
    let told = summary(&folder);
    let looks = told["recognition"]["second_look"].as_array().unwrap();
    assert_eq!(looks.len(), 3);
    assert_eq!(looks[2]["weights"], "moext.rebuilding");
    let named = told["parameters"]["second_look"].as_array().unwrap();
    assert_eq!(named[0], "led.safetensors", "without its folder");

    // The same again is finished; without them nothing of theirs stays.
    let again = analyze(&clip, &out, &looking);
    assert!(again.err.contains("skipped"), "{again:?}");
    let without = analyze(&clip, &out, &["--preset", "preview"]);
    assert!(!without.err.contains("skipped"), "{without:?}");
    assert!(!folder.join("second_look.csv").exists());
    assert!(summary(&folder)["recognition"]["second_look"].is_null());
}

/// The bundled clip's smile, told as a camera tells it.
struct AsCamera {
    info: SourceInfo,
    clip: Box<dyn FrameSource>,
    left: u32,
}

impl FrameSource for AsCamera {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        // What comes faster than it is analysed would be dropped.
        std::thread::sleep(Duration::from_millis(50));
        self.clip.next_frame()
    }

    fn seek(&mut self, to: u64) -> Result<(), MediaError> {
        self.clip.seek(to)
    }
}

#[test]
fn a_cameras_analysis_does_not_wait_for_a_second_look_which_comes_when_it_can() {
    let home = tempfile::tempdir().unwrap();
    let mut clip = media::open(&InputSpec::path(sample())).unwrap();
    clip.seek(145).unwrap();
    let info = SourceInfo {
        live: true,
        path: None,
        ..clip.info().clone()
    };
    let camera = AsCamera {
        info,
        clip,
        left: 110,
    };
    let params = Params {
        flow: Tvl1Preset::Preview,
        second_look: unlearnt(home.path()).to_vec(),
        ..Params::default()
    };
    let resources = Resources::load(&params).unwrap();
    let mut session = SessionHandle::start(Box::new(camera), &params, &resources, || {}).unwrap();
    let (mut recording, mut told) = (Recording::default(), Vec::new());
    for _ in 0..6000 {
        let finished = session.status().finished;
        for event in session.take_events() {
            if let Event::Recognised(recognised) = &event {
                let key = (recognised.onset, recognised.apex);
                told.push((key, recognised.second_look.len()));
            }
            recording.apply(event);
        }
        if finished {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(session.status().finished);
    let (key, looks) = told[0];
    assert_eq!(looks, 0, "the first look does not wait: {told:?}");
    assert!(told.contains(&(key, 3)), "{told:?}");
    // Nothing that was asked for is missing at the end.
    assert!(
        recording
            .recognised
            .values()
            .all(|r| r.second_look.len() == 3)
    );
}

#[test]
fn cli_a_file_that_cannot_look_is_refused_before_anything_begins() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    let missing = home.path().join("missing.safetensors");
    let clip = sample();
    analyze(&clip, &out, &["--second-look", text(&missing)])
        .ends(2)
        .says(&["Cannot read the weights"], text(&missing));
    let other = home.path().join("softnet.safetensors");
    weights(&other, "softnet", "micro", &softnet::TENSORS);
    let words = ["Weights of 'softnet' cannot take a second look", "--keep"];
    analyze(&clip, &out, &["--second-look", text(&other)])
        .ends(2)
        .says(&words, text(&other));
    // Neither does a window open.
    let view = ["view", text(&clip), "--second-look", text(&other)];
    Ran::of(&mut onset(&view))
        .ends(2)
        .says(&words, text(&other));
    assert!(!out.exists());
    let both = ["--no-recognition", "--second-look", text(&other)];
    let refused = analyze(&clip, &out, &both).ends(2);
    assert!(refused.err.contains("cannot be used with"), "{refused:?}");
}
