//! Spotting with one subject left out, on small made-up features: who is seen by what,
//! and that folds alone, merged, stopped or on other threads give one report.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod command;
mod made_up;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use onset::metrics::spotting::Mode;
use onset::model::softnet::SoftNet;
use onset::nn::{NnDevice, parameters};
use onset::session::params::DecodeMode;
use onset::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};
use onset::training::checkpoint::Kept;
use onset::training::features::Features;
use onset::training::folds::FoldError;
use onset::training::progress::{CurveRow, Monitor, Next, Silent};
use onset::training::spotting::corpus::{self, Example, Parted};
use onset::training::spotting::judge;
use onset::training::spotting::protocol::{Plan, ProtocolError, SpottingProtocol};
use onset::training::spotting::report::{Peaks, SpottingReport, Trial};
use onset::training::spotting::softnet::{SoftNetTraining, samples};
use onset::training::spotting::tcn::{TcnTraining, TrainError};

use made_up::{event, fingerprint, labels, measured, people, recording};

fn softnet(decode: DecodeMode) -> Plan {
    let mut plan = Plan::softnet(decode, 3);
    if let Plan::SoftNet { trainings, .. } = &mut plan {
        for training in trainings {
            training.epochs = 2;
            training.rate = 0.005;
        }
    }
    plan
}

/// With an end that comes when it comes.
fn patient(mut plan: Plan) -> Plan {
    match &mut plan {
        Plan::MotionTcn(training) => {
            (training.epochs, training.patience) = (4, Some(1));
        }
        Plan::SoftNet { trainings, .. } => {
            for training in trainings {
                (training.epochs, training.patience) = (4, Some(1));
            }
        }
    }
    plan
}

fn tcn() -> Plan {
    Plan::MotionTcn(TcnTraining {
        epochs: 2,
        stretch: 60,
        seed: 5,
        ..TcnTraining::default()
    })
}

/// Remembers every epoch, and stops after one of them as a kill would.
#[derive(Default)]
struct Watch {
    told: Mutex<BTreeMap<(String, u64), f64>>,
    stop: Option<(&'static str, u64)>,
}

impl Monitor for Watch {
    fn epoch(&self, part: &str, row: &CurveRow, _epochs: u64) -> Next {
        let mut told = self.told.lock().unwrap();
        told.insert((part.to_owned(), row.epoch), row.loss);
        let stops = self
            .stop
            .is_some_and(|(name, epoch)| part == name && row.epoch == epoch);
        if stops { Next::Stop } else { Next::Continue }
    }
}

fn threads(count: usize) -> rayon::ThreadPool {
    let builder = rayon::ThreadPoolBuilder::new();
    builder.num_threads(count).build().unwrap()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let named = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read(path).unwrap())
    };
    entries.map(named).collect()
}

#[test]
fn spotting_folds_alone_merged_stopped_or_on_other_threads_give_one_report() {
    let examples = people();
    let recordings = labels(&examples);
    // Stopped within a training, and between the two of a fold.
    for (plan, stops) in [
        (
            softnet(DecodeMode::Default),
            vec![("fold 0 (s1) macro", 1), ("fold 0 (s1) micro", 1)],
        ),
        (softnet(DecodeMode::Compat), vec![("fold 2 (s2) macro", 2)]),
        (tcn(), vec![("fold 1 (s10)", 1)]),
        (patient(tcn()), vec![("fold 1 (s10)", 1)]),
        (
            patient(softnet(DecodeMode::Default)),
            vec![("fold 0 (s1) macro", 1)],
        ),
    ] {
        let name = format!("{plan:?}");
        let folder = tempfile::tempdir().unwrap();
        let place = |what: &str| folder.path().join(what);
        let watches = stops.into_iter().map(|stop| Watch {
            stop: Some(stop),
            ..Watch::default()
        });
        let watches: Vec<Watch> = watches.collect();
        let make = |monitor, folder: &Path| {
            let data = fingerprint(&examples);
            SpottingProtocol::new(&plan, &recordings, data, monitor, folder).unwrap()
        };
        let (one, two, apart) = (place("one"), place("two"), place("apart"));
        let protocol = make(&Silent, &one);
        let found = threads(1).install(|| protocol.run(&examples)).unwrap();
        let report = |protocol: &SpottingProtocol, found: &_| {
            let report = protocol.report(found, &Peaks::new(), Mode::Strict);
            serde_json::to_string(&report).unwrap()
        };
        let expected = report(&protocol, &found);
        for watch in &watches {
            let stopped = threads(2).install(|| make(watch, &two).run(&examples));
            let reason = TrainError::Stopped;
            let Err(ProtocolError::Training { reason: why, .. }) = stopped else {
                panic!("{name} was not stopped")
            };
            assert_eq!(why.to_string(), reason.to_string());
        }
        let protocol = make(&Silent, &two);
        let found = threads(2).install(|| protocol.run(&examples)).unwrap();
        assert_eq!(report(&protocol, &found), expected, "{name}");

        let protocol = make(&Silent, &apart);
        for fold in [2, 0] {
            protocol.run_fold(fold, &examples).unwrap();
        }
        let text = protocol.merge().unwrap_err().to_string();
        assert!(
            text.contains("1 of 3 folds") && text.contains("fold 1 (subject s10)"),
            "{text}"
        );
        protocol.run_fold(1, &examples).unwrap();
        // A merge needs no features.
        assert_eq!(
            report(&protocol, &protocol.merge().unwrap()),
            expected,
            "{name}"
        );
        assert!(matches!(
            protocol.run_fold(3, &examples),
            Err(ProtocolError::Folds(FoldError::NoFold {
                fold: 3,
                folds: 3
            }))
        ));
        // Nothing but the folds is left behind, the same bytes everywhere.
        assert_eq!(files(&one).len(), 3);
        assert_eq!(files(&one), files(&two), "{name}");
        assert_eq!(files(&one), files(&apart), "{name}");
    }
}

#[test]
fn folds_of_other_settings_or_other_data_are_refused() {
    let examples = people();
    let recordings = labels(&examples);
    let folder = tempfile::tempdir().unwrap();
    let (plan, data) = (tcn(), fingerprint(&examples));
    let make = |plan, data| {
        SpottingProtocol::new(plan, &recordings, data, &Silent, folder.path()).unwrap()
    };
    make(&plan, data.clone()).run_fold(0, &examples).unwrap();
    let mut other = plan.clone();
    if let Plan::MotionTcn(training) = &mut other {
        training.epochs = 3;
    }
    let text = make(&other, data)
        .run_fold(0, &examples)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("epochs 2, not 3") && text.ends_with("fold-0000.json"),
        "{text}"
    );
    let mut relabelled = people();
    relabelled[1].recording.events[0].offset += 1;
    let again = make(&plan, fingerprint(&relabelled)).run_fold(0, &relabelled);
    let text = again.unwrap_err().to_string();
    assert!(text.contains("evaluated with data"), "{text}");
    let alone = &recordings[..1];
    let one = SpottingProtocol::new(&plan, alone, String::new(), &Silent, folder.path());
    assert!(matches!(
        one,
        Err(ProtocolError::Folds(FoldError::OneSubject))
    ));
}

#[test]
fn a_fold_never_sees_its_subject() {
    let examples = people();
    for plan in [
        softnet(DecodeMode::Default),
        softnet(DecodeMode::Compat),
        tcn(),
    ] {
        // Fold 0 leaves s1 out, the first of the examples.
        let run = |examples: &[Example]| {
            let folder = tempfile::tempdir().unwrap();
            let recordings = labels(examples);
            let watch = Watch::default();
            let data = fingerprint(examples);
            let made = SpottingProtocol::new(&plan, &recordings, data, &watch, folder.path());
            let protocol = made.unwrap();
            let fold = protocol.run_fold(0, examples).unwrap();
            assert_eq!(fold.subject, "s1");
            (watch.told.lock().unwrap().clone(), fold.predictions)
        };
        let (curve, found) = run(&examples);
        assert!(!curve.is_empty());
        assert_eq!(found.len(), 1);
        // Other labels of s1: the same training, the same thresholds, the same spots.
        let mut relabelled = people();
        relabelled[0].recording.events = vec![event(ExpressionKind::Micro, 3, 9)];
        assert_eq!(run(&relabelled), (curve.clone(), found.clone()));
        // Another s1 altogether: the same training.
        let mut another = people();
        another[0] = measured(recording("s1", 40), 40);
        another[0]
            .recording
            .recording
            .clone_from(&examples[0].recording.recording);
        assert_eq!(run(&another).0, curve);
        // But another s10 is seen.
        let mut another = people();
        another[2] = measured(recording("s10", 41), 41);
        assert_ne!(run(&another).0, curve);
    }
}

#[test]
fn asked_for_compat_folds_train_and_decode_as_published() {
    let examples = people();
    let recordings = labels(&examples);
    let folder = tempfile::tempdir().unwrap();
    let plan = softnet(DecodeMode::Compat);
    let data = fingerprint(&examples);
    let protocol = SpottingProtocol::new(&plan, &recordings, data, &Silent, folder.path());
    let protocol = protocol.unwrap();
    let found = protocol.run(&examples).unwrap();
    let spots: Vec<&SpottedInterval> = found.iter().flat_map(|f| &f.spots).collect();
    assert!(!spots.is_empty());
    // [peak − k, peak + k], whatever the expression's own length.
    for spot in &spots {
        let k = match spot.kind {
            ExpressionKind::Macro => 18,
            ExpressionKind::Micro => 6,
        };
        assert_eq!(spot.offset - spot.onset, 2 * k, "{spot:?}");
    }
    let report = protocol.report(&found, &Peaks::new(), Mode::Compat);
    assert_eq!(report.protocol, "loso");
    assert_eq!(report.settings["decode"], "compat");
    assert_eq!(report.settings["shuffled"], "once");
    assert_eq!(report.seed, Some(3));
    assert_eq!(report.per_subject.len(), 3);
    let pooled = |count: fn(&onset::training::spotting::report::SubjectReport) -> usize| {
        report.per_subject.values().map(count).sum::<usize>()
    };
    assert_eq!(pooled(|s| s.macros.tp), report.macros.score.tp);
    assert_eq!(pooled(|s| s.micros.fp), report.micros.score.fp);
    assert_eq!(pooled(|s| s.micros.fn_), report.micros.score.fn_);
    let both = report.macros.score.tp + report.micros.score.tp;
    assert_eq!(report.overall.tp, both);
    // By default an expression's own ends are looked for.
    let plan = softnet(DecodeMode::Default);
    let other = folder.path().join("other");
    let data = fingerprint(&examples);
    let protocol = SpottingProtocol::new(&plan, &recordings, data, &Silent, &other).unwrap();
    assert_ne!(protocol.run(&examples).unwrap(), found);
}

#[test]
fn the_published_evaluator_counts_a_dummy_and_leaves_quiet_recordings_out() {
    let mut quiet = recording("s2", 2);
    quiet.events.clear();
    let recordings = [recording("s1", 1), quiet];
    let spot = SpottedInterval {
        kind: ExpressionKind::Micro,
        onset: 5,
        apex: 6,
        offset: 9,
        score: 1.0,
        status: IntervalStatus::Proposed,
        provisional: false,
    };
    let spotted = [Vec::new(), vec![spot]];
    let of = |mode| {
        let trial = Trial {
            recordings: &recordings.iter().collect::<Vec<_>>(),
            spotted: &spotted,
            minutes: 1.0,
            peaks: &Peaks::new(),
            mode,
        };
        SpottingReport::of("softnet", "loso", &trial)
    };
    let (strict, compat) = (of(Mode::Strict), of(Mode::Compat));
    let counts = |report: &SpottingReport| {
        [&report.macros.score, &report.micros.score, &report.overall].map(|s| (s.tp, s.fp, s.fn_))
    };
    assert_eq!(counts(&strict), [(0, 0, 1), (0, 1, 1), (0, 1, 2)]);
    assert_eq!(counts(&compat), [(0, 1, 1), (0, 1, 1), (0, 2, 2)]);
    assert_eq!(strict.per_subject["s2"].micros.fp, 1);
    assert_eq!(compat.per_subject["s2"].micros.fp, 0);
}

#[test]
fn windows_are_as_long_as_published_where_the_labels_are_as_long() {
    let of = |fps: f64, lengths: &[(ExpressionKind, u64)]| {
        let mut made = recording("s1", 1);
        made.fps = fps;
        let events = lengths
            .iter()
            .map(|&(kind, frames)| event(kind, 10, 10 + frames));
        made.events = events.collect();
        corpus::published_windows(&[made])
    };
    use ExpressionKind::{Macro, Micro};
    // CAS(ME)²: N = 12 and 35 at 30 frames a second; SAMM Long Videos: 73 and 348 at 200.
    let sq = of(30.0, &[(Micro, 11), (Micro, 13), (Macro, 35)]);
    assert_eq!((sq.micro_secs, sq.macro_secs), (6.0 / 30.0, 18.0 / 30.0));
    assert_eq!(sq, onset::session::params::WindowSecs::default());
    let samm = of(200.0, &[(Micro, 73), (Macro, 300), (Macro, 396)]);
    assert_eq!((samm.micro_secs, samm.macro_secs), (0.185, 0.87));
    // Nothing is known of a kind without labels.
    assert_eq!(of(200.0, &[(Micro, 73)]).macro_secs, 0.6);
}

#[test]
fn the_last_of_six_subjects_or_of_fewer_is_held_out() {
    let held_out = |count: u64| {
        let made = (1..=count).map(|n| Example {
            recording: recording(&format!("s{n:02}"), n),
            features: Features::default(),
            key: String::new(),
        });
        let made: Vec<Example> = made.collect();
        let all: Vec<&Example> = made.iter().collect();
        let parted = Parted::by_subjects(&all);
        assert_eq!(parted.learnt.len() + parted.held_out.len(), all.len());
        let names = parted.held_out.iter().map(|e| e.recording.subject.clone());
        names.collect::<Vec<_>>()
    };
    assert!(held_out(1).is_empty());
    assert_eq!(held_out(2), ["s02"]);
    assert_eq!(held_out(5), ["s05"]);
    assert_eq!(held_out(13), ["s06", "s12"]);
}

#[test]
fn softnet_learns_its_samples_and_a_stopped_training_goes_on_to_the_bit() {
    let examples = people();
    let all: Vec<&Example> = examples.iter().take(2).collect();
    let kind = ExpressionKind::Micro;
    let samples = samples(&all, kind, 3);
    let training = SoftNetTraining {
        epochs: 12,
        rate: 0.005,
        ..SoftNetTraining::new(kind, 3)
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("softnet.checkpoint");
    let kept = Some(Kept {
        path: &path,
        data: "made up",
    });
    let whole = training.run(&samples, &[], None, &Silent).unwrap();
    let watch = Watch {
        stop: Some(("micro", 2)),
        ..Watch::default()
    };
    let stopped = training.run(&samples, &[], kept, &watch);
    assert!(matches!(stopped, Err(TrainError::Stopped)));
    let other = Some(Kept {
        path: &path,
        data: "other",
    });
    let text = training
        .run(&samples, &[], other, &Silent)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("begun with data made up, not other"),
        "{text}"
    );
    assert_eq!(training.run(&samples, &[], kept, &Silent).unwrap(), whole);

    // With patience it ends with the weights of one of its epochs, resumed or not.
    let apart: Vec<&Example> = examples.iter().skip(2).collect();
    let apart = onset::training::spotting::softnet::samples(&apart, kind, 3);
    let patient = SoftNetTraining {
        epochs: 6,
        patience: Some(1),
        ..training.clone()
    };
    let watch = Watch::default();
    let chosen = patient.run(&samples, &apart, None, &watch).unwrap();
    let last = watch.told.lock().unwrap().len() as u64;
    let of_epoch = |epochs| SoftNetTraining {
        epochs,
        ..training.clone()
    };
    let epoch = (1..=last).find(|&epochs| {
        let alone = of_epoch(epochs).run(&samples, &[], None, &Silent);
        alone.unwrap() == chosen
    });
    assert!(
        epoch.is_some_and(|epoch| epoch + 1 == last || last == 6),
        "{epoch:?} {last}"
    );
    let path = folder.path().join("patient.checkpoint");
    let kept = Some(Kept {
        path: &path,
        data: "made up",
    });
    let watch = Watch {
        stop: Some(("micro", 1)),
        ..Watch::default()
    };
    assert!(patient.run(&samples, &apart, kept, &watch).is_err());
    assert_eq!(
        patient.run(&samples, &apart, kept, &Silent).unwrap(),
        chosen
    );
    // What has ended stays ended.
    assert_eq!(
        patient.run(&samples, &apart, kept, &Silent).unwrap(),
        chosen
    );

    let device = NnDevice::flex();
    let network = parameters::with_tensors(SoftNet::new(&device), &whole).unwrap();
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for example in &all {
        for sample in judge::scored_by_softnet(example, kind, &network, &device).unwrap() {
            if sample.kind == kind {
                let labelled = onset::training::spotting::softnet::pseudo_label(&sample, example);
                if labelled { &mut inside } else { &mut outside }.push(sample.score);
            }
        }
    }
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len() as f64;
    assert!(
        mean(&inside) > mean(&outside) + 0.3,
        "{} {}",
        mean(&inside),
        mean(&outside)
    );
}
