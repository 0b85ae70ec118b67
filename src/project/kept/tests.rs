//! An analysis in a project file and out of it again.

use std::time::Instant;

use super::*;
use crate::base::{Plane, Point, Rect, Similarity, TimeSpan};
use crate::explain::uncertainty::Uncertainty;
use crate::face::Landmarks;
use crate::facs::{ActionUnit, Side};
use crate::model::flow_framing::FlowFraming;
use crate::recognition::second_look::{ApexPictures, MagnifiedLook, RebuiltApex};
use crate::recognition::{Attention, ClassReading, Recognition, SecondOpinion, UnitReading};
use crate::session::facts::KindSource;
use crate::spotting::IntervalStatus;
use crate::spotting::signal::{MaskReason, ScoreSample};
use crate::timeline::FrameRecord;
use crate::timeline::event::{FaceRecord, RecognitionSource};

fn at(frame: u64) -> Timestamp {
    Timestamp::from_nanos(frame as i64 * 5_000_000)
}

fn recognition() -> Recognition {
    let unit = |number| UnitReading {
        unit: ActionUnit::new(number).unwrap(),
        probability: 1.0 / f64::from(number),
        present: number == 4,
        side: (number == 4).then_some(Side::Left),
    };
    Recognition {
        units: [1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26]
            .map(unit)
            .into(),
        class: Some(ClassReading {
            classes: ["negative", "positive", "surprise"]
                .map(str::to_owned)
                .into(),
            probabilities: vec![0.2, 0.3, 0.5],
            uncertainty: Uncertainty {
                total: 0.5,
                aleatoric: 0.4,
                epistemic: 0.1,
            },
            abstains: false,
        }),
    }
}

/// What an analysis of so many frames tells; `every`th frame ends a window.
fn recording(count: u64, every: u64) -> Recording {
    let crop_from_image = Similarity {
        a: 0.5,
        b: 0.01,
        tx: 3.0,
        ty: 4.0,
    };
    // As landmarks tremble: less than a pixel from frame to frame.
    let landmarks = |frame: u64| {
        Landmarks(std::array::from_fn(|i| {
            let tremor = ((frame * 7919 + i as u64 * 104_729) % 32) as f32 / 32.0;
            Point::new(200.0 + i as f32 + tremor, 300.0 + tremor)
        }))
    };
    let mut recording = Recording {
        finished: true,
        ..Recording::default()
    };
    for id in 0..4 {
        let crop = HeldCrop {
            id,
            since_frame: u64::from(id) * 100,
            crop_from_image,
            landmarks_in_crop: landmarks(3),
        };
        recording.crops.insert(id, crop);
    }
    for frame in 0..count {
        recording.frames.push(FrameRecord {
            frame,
            timestamp: at(frame),
            dropped_before: 0,
            face: (!(40..60).contains(&frame)).then(|| FaceRecord {
                rect: Rect::new(100.0 + frame as f32 * 0.001, 90.0, 210.0, 230.0),
                confidence: 0.97,
                pose: Some([0.01, 0.02, 0.03]),
                blink: 0.1,
                landmarks: Some(Box::new(landmarks(frame))),
                crop: (frame / 100).min(3) as u32,
            }),
            others: Vec::new(),
        });
        if frame < 40 || !frame.is_multiple_of(every) {
            continue;
        }
        for (kind, length) in [(ExpressionKind::Macro, 36), (ExpressionKind::Micro, 12)] {
            let samples = recording.scores.entry(kind).or_default();
            samples.push(ScoreSample {
                kind,
                window_start_frame: frame - length,
                window_end_frame: frame,
                start: at(frame - length),
                end: at(frame),
                score: 1.0 / frame as f64,
                strain: 0.001,
                apex: Some(0.2),
                masked: (frame < 60).then_some(MaskReason::FaceLost),
                motion: None,
            });
        }
        if frame.is_multiple_of(40) {
            recording.units.push(UnitSample {
                from: at(frame - 20),
                frame,
                timestamp: at(frame),
                recognition: recognition(),
            });
        }
    }
    for onset in (70..count).step_by(1800) {
        recording.intervals.push(SpottedInterval {
            kind: ExpressionKind::Micro,
            onset,
            apex: onset + 20,
            offset: onset + 50,
            score: 0.1 + 0.2,
            status: IntervalStatus::Proposed,
            provisional: false,
        });
        let read = Recognised {
            onset,
            apex: onset + 20,
            recognition: recognition(),
            attention: Some(Attention {
                unit: ActionUnit::new(4).unwrap(),
                map: Plane::filled(28, 28, 0.3),
                framing: FlowFraming {
                    crop_from_image,
                    width: 160,
                    height: 160,
                },
            }),
            second_look: vec![SecondOpinion {
                weights: "uamrn".into(),
                network: "uamrn".into(),
                recognition: None,
                magnified: Some(MagnifiedLook {
                    gamma: 0.4,
                    factors: vec![2.0, 3.0],
                    attention: vec![vec![Plane::zeros(2, 2)]],
                }),
                rebuilt: Some(RebuiltApex::of(ApexPictures {
                    onset: Plane::zeros(4, 4),
                    apex: Plane::filled(4, 4, 9.0),
                    rebuilt: Plane::filled(4, 4, 8.5),
                })),
            }],
        };
        recording.recognised.insert((onset, onset + 20), read);
    }
    recording.thresholds.insert(ExpressionKind::Micro, 0.42);
    let span = TimeSpan {
        start: at(40),
        end: at(60),
    };
    let lost = Notice::warning("No face was found for 0.1 s.").over(span);
    recording.notices.push(lost);
    recording
}

fn facts() -> AnalysisFacts {
    AnalysisFacts {
        scores: ExpressionKind::BOTH.map(|kind| KindSource {
            kind,
            source: ScoreSource::MotionTcn {
                weights: "motion-tcn".into(),
                sha256: "ab".repeat(32),
            },
            window_frames: None,
        }),
        recognition: Some(RecognitionSource {
            // Another file of that name.
            weights: "motion-tcn".into(),
            sha256: "cd".repeat(32),
            units: vec![ActionUnit::new(4).unwrap()],
            unit_thresholds: vec![0.25],
            side_threshold: 0.6,
            classes: vec!["negative".into()],
            abstain_above: 0.9,
            second_look: vec![],
        }),
        network_device: Some("CPU".into()),
        ..AnalysisFacts::of_the_control()
    }
}

fn kept(recording: Recording) -> KeptAnalysis {
    KeptAnalysis {
        onset_version: "0.1.0".into(),
        finished_ms: 1_795_774_681_000,
        params: Params::default(),
        facts: facts(),
        device: "CPU".into(),
        recording: Arc::new(recording),
    }
}

fn project() -> (tempfile::TempDir, ProjectFile) {
    let folder = tempfile::tempdir().unwrap();
    let file = ProjectFile::create(&folder.path().join("a.onset")).unwrap();
    (folder, file)
}

#[test]
fn a_whole_analysis_comes_back_with_what_produced_it() {
    let (_folder, mut file) = project();
    assert_eq!(load(&file).unwrap(), None);
    let kept = kept(recording(400, 4));
    assert_eq!(kept.date(), "2026-11-27");
    save(&mut file, &kept).unwrap();
    let path = file.path().to_owned();
    drop(file);
    let file = ProjectFile::open_read_only(&path).unwrap();
    // Points lie on a grid of 32nds here, so even they are the same.
    assert_eq!(load(&file).unwrap().unwrap(), kept);
    let analysis = file.analysis().unwrap().unwrap();
    assert_eq!(analysis.weights.len(), 2, "each file once");
    assert_eq!(analysis.intervals.len(), kept.recording.intervals.len());
    assert!(analysis.intervals[0].recognition.is_some());
}

#[test]
fn an_analysis_that_is_not_of_the_whole_recording_is_neither_kept_nor_taken() {
    let (_folder, mut file) = project();
    let mut part = recording(100, 4);
    part.finished = false;
    assert!(save(&mut file, &kept(part)).is_err());
    let mut holes = recording(100, 4);
    holes.frames.remove(50);
    assert!(save(&mut file, &kept(holes)).is_err());
    assert_eq!(load(&file).unwrap(), None);
    // As another program may write one.
    file.save_analysis(&Analysis {
        parameters: "{}".into(),
        ..Analysis::default()
    })
    .unwrap();
    assert_eq!(load(&file).unwrap(), None);
}

#[test]
fn a_form_that_is_not_known_and_a_part_cut_short_are_said() {
    let (_folder, mut file) = project();
    save(&mut file, &kept(recording(100, 4))).unwrap();
    let whole = file.analysis().unwrap().unwrap();
    let said = |file: &mut ProjectFile, analysis: &Analysis| {
        file.save_analysis(analysis).unwrap();
        let why = load(file).expect_err("not to be read");
        assert!(matches!(why, KeptError::Unreadable { .. }), "{why}");
        why.to_string()
    };
    let mut newer = whole.clone();
    newer.parts[1].bytes[0] = FORM + 1;
    assert!(said(&mut file, &newer).contains("another Onset wrote it"));
    for at in 0..4 {
        let mut short = whole.clone();
        short.parts[at].bytes.pop();
        assert!(said(&mut file, &short).contains("ends too early"));
    }
    let mut lost = whole.clone();
    lost.tracks.remove(0);
    assert!(said(&mut file, &lost).contains("a track is missing"));
    let mut other = whole;
    other.facts = Some("{}".into());
    let _ = said(&mut file, &other);
}

/// Prints seconds and size of an hour at 200 frames a second, every sixth frame the end
/// of a window; `ONSET_KEPT_FRAMES` measures as many frames as it says.
#[test]
fn an_hour_at_200_frames_a_second_is_kept_and_taken_in_seconds() {
    let frames = std::env::var("ONSET_KEPT_FRAMES").ok();
    let frames = frames.and_then(|f| f.parse().ok()).unwrap_or(72_000);
    let (_folder, mut file) = project();
    let kept = kept(recording(frames, 6));
    let begun = Instant::now();
    save(&mut file, &kept).unwrap();
    let saved = begun.elapsed();
    let path = file.path().to_owned();
    drop(file);
    let begun = Instant::now();
    let file = ProjectFile::open_read_only(&path).unwrap();
    let opened = begun.elapsed();
    let begun = Instant::now();
    let back = load(&file).unwrap().unwrap();
    let loaded = begun.elapsed();
    assert!(back == kept, "another analysis came back");
    let begun = Instant::now();
    let events = Arc::unwrap_or_clone(back.recording).into_events().len();
    let told = begun.elapsed();
    let size = std::fs::metadata(&path).unwrap().len() >> 20;
    eprintln!(
        "{frames} frames: saved in {saved:.2?}, opened {opened:.2?}, loaded {loaded:.2?}, \
         {events} events in {told:.2?}, {size} MiB"
    );
}
