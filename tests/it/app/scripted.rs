//! A backend that plays a script: no thread, no file, no graphics card.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use image::{Rgb, RgbImage, Rgba, RgbaImage};
use onset::app::backend::{
    Backend, CameraEntry, CameraFormatEntry, OpenedSession, PROCESSOR, PlayerOrder, ViewsWanted,
};
use onset::app::batch::BatchOrder;
use onset::app::coding::Change;
use onset::app::command::Command;
use onset::app::kept::Earlier;
use onset::app::missing::Missing;
use onset::app::project::{Joined, Kept};
use onset::base::{Notice, Plane, Point, Rect, Similarity, TimeSpan, Timestamp};
use onset::explain::uncertainty::Uncertainty;
use onset::face::crop::HeldCrop;
use onset::face::{DetectedFace, Landmarks};
use onset::facs::{ActionUnit, Side, parse_units};
use onset::media::{Compare, Frame, SourceInfo, Still, StillKey, stills};
use onset::model::flow_framing::FlowFraming;
use onset::project::file::{BlindPass, Merged, PassStep};
use onset::project::kept::KeptAnalysis;
use onset::project::unattended::News;
use onset::recognition::second_look::{ApexPictures, MagnifiedLook, RebuiltApex};
use onset::recognition::{Attention, ClassReading, Recognition, SecondOpinion, UnitReading};
use onset::session::Params;
use onset::session::facts::{AnalysisFacts, KindSource};
use onset::session::handle::SessionStatus;
use onset::session::moment_attention::MomentAttention;
use onset::session::pace::{Pace, RecentPace};
use onset::session::views::Views;
use onset::spotting::signal::{MaskReason, ScoreSample};
use onset::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};
use onset::timeline::event::{FaceRecord, Recognised, RecognitionSource, UnitSample};
use onset::timeline::{Annotation, AnnotationId, Event, FrameRecord, ScoreSource};

pub(crate) const FPS: f64 = 30.0;
pub(crate) const FRAMES: u64 = 600;

/// What the window asked for, in words.
pub(crate) type Asked = Rc<RefCell<Vec<String>>>;

pub(crate) struct Scripted {
    pub(crate) asked: Asked,
    pub(crate) arriving: Vec<Command>,
    pub(crate) generation: u64,
    pub(crate) picture: Arc<RgbImage>,
    pub(crate) face: Rect,
    pub(crate) landmarks: Landmarks,
    /// Whether other networks look at the candidates besides.
    pub(crate) looks_again: bool,
    /// Small pictures never arrive.
    pub(crate) without_stills: bool,
    /// Whether a project keeps the analysis.
    pub(crate) earlier: Option<Earlier>,
    /// Where the recording really lies.
    pub(crate) place: Option<PathBuf>,
    /// As a project knows them.
    pub(crate) blind_passes: Vec<BlindPass>,
}

impl Scripted {
    pub(crate) fn new(asked: Asked) -> Self {
        let face = Rect::new(215.0, 120.0, 210.0, 230.0);
        Self {
            asked,
            arriving: vec![],
            generation: 0,
            picture: Arc::new(drawn_face()),
            face,
            landmarks: ring(face),
            looks_again: false,
            without_stills: false,
            earlier: None,
            place: None,
            blind_passes: vec![],
        }
    }

    fn frame(&self, index: u64) -> Frame {
        Frame {
            index,
            timestamp: time(index),
            dropped_before: 0,
            captured: None,
            picture: Arc::clone(&self.picture),
        }
    }

    /// The camera's picture of a frame.
    pub(crate) fn picture(&self, index: u64) -> [Command; 1] {
        [Command::Picture {
            generation: self.generation,
            frame: self.frame(index),
        }]
    }

    pub(crate) fn info(&self, input: &str) -> SourceInfo {
        let live = input.starts_with("camera:");
        SourceInfo {
            name: if live {
                "Scripted camera".into()
            } else {
                "interview 07.mp4".into()
            },
            path: (!live).then(|| input.into()),
            width: self.picture.width(),
            height: self.picture.height(),
            nominal_fps: Some(FPS),
            frame_count: (!live).then_some(FRAMES),
            exact_frame_count: !live,
            duration: (!live).then(|| time(FRAMES)),
            live,
        }
    }
}

/// What a frozen camera can go back to.
pub(crate) const FROZEN: (u64, u64) = (40, 300);

impl Backend for Scripted {
    fn open(&mut self, input: &str, params: &Params) {
        self.asked.borrow_mut().push(format!("open {input}"));
        if input.contains("missing") {
            self.arriving.push(Command::OpenFailed {
                input: input.into(),
                why: format!(
                    "Cannot open the recording: no such file or folder. Check the name: {input}"
                ),
            });
            return;
        }
        self.generation += 1;
        let sources = BTreeMap::from([
            (ExpressionKind::Macro, ScoreSource::Control),
            (
                ExpressionKind::Micro,
                ScoreSource::SoftNet {
                    weights: "casme-sq".into(),
                    sha256: "00".into(),
                },
            ),
        ]);
        self.arriving.push(Command::Opened(Box::new(OpenedSession {
            generation: self.generation,
            info: self.info(input),
            analysed: AnalysisFacts {
                scores: ExpressionKind::BOTH.map(|kind| KindSource {
                    kind,
                    source: sources[&kind].clone(),
                    window_frames: None,
                }),
                measured_fps: Some(FPS),
                recognition: Some(RecognitionSource {
                    weights: "au-scripted".into(),
                    sha256: "01".into(),
                    units: UNITS.iter().map(|&(unit, _)| au(unit)).collect(),
                    unit_thresholds: UNITS.iter().map(|&(_, from)| from).collect(),
                    side_threshold: 0.5,
                    classes: vec![],
                    abstain_above: 0.9,
                    second_look: vec![],
                }),
                landmark_model: "scripted".into(),
                flow_adapter: None,
                network_device: None,
            },
            params: params.clone(),
            project: None,
            earlier: self.earlier.clone(),
            place: self.place.clone(),
            blind_passes: self.blind_passes.clone(),
            sources,
            second_look: if self.looks_again {
                ["led", "uamrn", "moext.rebuilding"]
                    .map(str::to_owned)
                    .into()
            } else {
                vec![]
            },
            unit_thresholds: UNITS.iter().map(|&(unit, from)| (au(unit), from)).collect(),
            device: PROCESSOR.into(),
        })));
        self.arriving.push(Command::Picture {
            generation: self.generation,
            frame: self.frame(0),
        });
    }

    fn sample(&self) -> Result<String, String> {
        Err("The sample cannot be unpacked: the disk is full.".into())
    }

    fn list_cameras(&mut self) {
        self.arriving.push(Command::Cameras(Ok(vec![CameraEntry {
            input: "camera:0".into(),
            name: "Integrated camera".into(),
            trouble: None,
            formats: [("640 × 480 YUYV at 30 frames/s", "640x480@30@yuyv")]
                .map(|(name, format)| CameraFormatEntry {
                    input: format!("camera:0@{format}"),
                    name: name.into(),
                })
                .into(),
        }])));
    }

    fn player(&mut self, order: PlayerOrder) {
        self.asked.borrow_mut().push(format!("{order:?}"));
        if order == PlayerOrder::Freeze {
            self.arriving.push(Command::Frozen {
                generation: self.generation,
                frames: FROZEN,
            });
        }
        if let PlayerOrder::Seek(frame) = order {
            self.arriving.push(Command::Picture {
                generation: self.generation,
                frame: self.frame(frame),
            });
            self.arriving.push(Command::SeekEnded {
                generation: self.generation,
                asked: frame,
                last: None,
            });
        }
    }

    fn record(&mut self, on: bool) {
        self.asked.borrow_mut().push(format!("record {on}"));
    }

    fn request_views(&mut self, wanted: ViewsWanted) {
        if let Some(moment) = &wanted.moment {
            let found = MomentAttention {
                generation: wanted.generation,
                timestamp: moment.now.timestamp,
                landmarks: moment.before[0].landmarks.clone(),
                back_secs: 0.6,
                took_secs: 0.0,
                said: Ok(attention(self, moment.unit)),
            };
            self.arriving.push(Command::Attention(Box::new(found)));
        }
        self.arriving.push(Command::Views {
            generation: self.generation,
            views: Box::new(views(&wanted)),
        });
    }

    fn stills(&mut self, wanted: Vec<StillKey>) {
        let frames: Vec<_> = wanted.iter().map(|key| key.frame).collect();
        self.asked.borrow_mut().push(format!("stills {frames:?}"));
        if self.without_stills {
            return;
        }
        let still = |key: &StillKey| Still {
            key: *key,
            picture: (key.frame < FRAMES)
                .then(|| Arc::new(stills::cut(&self.picture, key.region, key.height))),
        };
        let stills = wanted.iter().map(still).collect();
        self.arriving.push(Command::Stills {
            generation: self.generation,
            stills,
        });
    }

    fn compare(&mut self, wanted: Compare) {
        self.arriving.push(Command::Compared {
            generation: self.generation,
            compared: Box::new(wanted.carry_out()),
        });
    }

    /// As a disk would that never fails.
    fn keep(&mut self, changes: Vec<Change>, count: u64, _: &str) {
        let asked = &mut self.asked.borrow_mut();
        asked.extend(changes.iter().map(|change| format!("keep {change:?}")));
        self.arriving.push(Command::Kept {
            generation: self.generation,
            kept: Kept::Saved {
                path: "/recordings/interview 07.onset".into(),
                count,
            },
        });
    }

    /// Every path is a recording; the plan is written down.
    fn batch(&mut self, order: BatchOrder) {
        match order {
            BatchOrder::Find(paths) => {
                self.arriving.push(Command::BatchNews(News::Found {
                    recordings: paths,
                    said: vec![],
                }));
            }
            BatchOrder::Plan(plan) => {
                let name = |path: &std::path::Path| path.display().to_string();
                let jobs: Vec<String> = plan.jobs.iter().map(|job| name(&job.input)).collect();
                let word = if plan.running { "run" } else { "hold" };
                let line = format!("{word} {}", jobs.join(" "));
                self.asked.borrow_mut().push(line);
            }
        }
    }

    fn analyse_again(&mut self, input: &str, params: &Params) {
        self.asked.borrow_mut().push("analyse again".to_owned());
        self.earlier = None;
        self.open(input, params);
    }

    /// Only `/moved/interview 07.mp4` is the recording that is looked for.
    fn locate(&mut self, project: &Path, place: &Path, params: &Params) {
        let (project, place) = (project.display(), place.display().to_string());
        let asked = format!("locate {project} at {place}");
        self.asked.borrow_mut().push(asked);
        if place == "/moved/interview 07.mp4" {
            self.open(&place, params);
        } else {
            let why = format!("Its content is not that of interview 07.mp4: {place}");
            self.arriving.push(Command::AskWhere(missing(&why)));
        }
    }

    fn keep_analysis(&mut self, analysis: KeptAnalysis) {
        let frames = analysis.recording.frames.len();
        let asked = format!("keep the analysis of {frames} frames");
        self.asked.borrow_mut().push(asked);
        self.arriving.push(Command::Kept {
            generation: self.generation,
            kept: Kept::Analysis,
        });
    }

    fn blind_pass(&mut self, coder: &str, step: PassStep) {
        let asked = format!("blind pass {step:?} by {coder}");
        self.asked.borrow_mut().push(asked);
    }

    /// As if Ben had seen the first candidate, two frames later than it was spotted, and
    /// another one.
    fn merge(&mut self, other: &Path, coder: &str) {
        let asked = format!("merge {} for {coder}", other.display());
        self.asked.borrow_mut().push(asked);
        self.arriving.push(Command::Merged {
            generation: self.generation,
            joined: Box::new(joined(other)),
        });
    }

    fn poll(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.arriving)
    }
}

/// The recording that a project does not find.
pub(crate) fn missing(why: &str) -> Missing {
    Missing {
        project: "/coded/interview 07.onset".into(),
        name: "interview 07.mp4".into(),
        folder: false,
        why: why.to_owned(),
    }
}

fn joined(from: &Path) -> Joined {
    let seen = |id, frames| {
        let mut seen = Annotation::found(AnnotationId(id), "Ben", ExpressionKind::Micro, frames);
        seen.apex = Some(frames.0 + 4);
        seen.units = parse_units("AU12").expect("a unit");
        seen
    };
    let changes = [seen(501, (104, 111)), seen(502, (338, 349))].map(|after| Change {
        before: None,
        after: Some(after),
    });
    Joined {
        from: from.to_path_buf(),
        merged: Merged {
            added: changes.len(),
            ..Merged::default()
        },
        changes: changes.into(),
        blind_passes: vec![],
    }
}

pub(crate) fn time(frame: u64) -> Timestamp {
    Timestamp::from_secs(frame as f64 / FPS)
}

fn hue(angle: f32, length: f32) -> Rgb<u8> {
    let c = |shift: f32| {
        let v = 0.5 + 0.5 * (angle + shift).cos();
        (255.0 * (1.0 - length * (1.0 - v))) as u8
    };
    Rgb([c(0.0), c(2.094), c(4.189)])
}

fn views(wanted: &ViewsWanted) -> Views {
    let bump = |x: u32, y: u32, cx: f32, cy: f32| {
        let (dx, dy) = ((x as f32 - cx) / 18.0, (y as f32 - cy) / 9.0);
        (-(dx * dx + dy * dy)).exp()
    };
    Views {
        generation: wanted.generation,
        frame: wanted.frame.index,
        led: wanted.led.then(|| {
            RgbaImage::from_fn(128, 128, |x, y| {
                let v = 127.0 + 90.0 * bump(x, y, 40.0, 30.0) - 70.0 * bump(x, y, 64.0, 100.0);
                let v = v as u8;
                Rgba([v, v, v, 255])
            })
        }),
        flow: wanted.flow.then(|| {
            RgbImage::from_fn(128, 128, |x, y| {
                hue(-1.4, bump(x, y, 40.0, 30.0) + 0.6 * bump(x, y, 64.0, 100.0))
            })
        }),
        flow_full_scale_px: 1.2,
        strain: wanted.strain.then(|| {
            RgbImage::from_fn(128, 128, |x, y| {
                let v = bump(x, y, 40.0, 30.0);
                Rgb([
                    (68.0 + 185.0 * v) as u8,
                    (1.0 + 230.0 * v) as u8,
                    (84.0 - 47.0 * v) as u8,
                ])
            })
        }),
        strain_full_scale: 0.05,
        strain_heat: wanted.heat,
        led_device: "processor".into(),
        magnified: wanted.magnify.map(|_| drawn_face()),
        magnified_with: wanted.magnify,
        filmed: wanted.magnify.map(|_| drawn_face()),
        magnify_trouble: None,
    }
}

fn drawn_face() -> RgbImage {
    RgbImage::from_fn(640, 480, |x, y| {
        let (dx, dy) = ((x as f32 - 320.0) / 120.0, (y as f32 - 235.0) / 150.0);
        if dx * dx + dy * dy < 1.0 {
            Rgb([196, 160, 138])
        } else {
            Rgb([70, 78, 84])
        }
    })
}

fn ring(face: Rect) -> Landmarks {
    let c = face.center();
    Landmarks(std::array::from_fn(|i| {
        let a = i as f32 / 68.0 * std::f32::consts::TAU;
        let r = 0.3 + 0.1 * (i % 3) as f32;
        Point::new(c.x + r * face.w * a.cos(), c.y + r * face.h * a.sin())
    }))
}

/// What an analysis of [`FRAMES`] frames tells: a lost face, a blink, a gap, two
/// micro- and two macro-expressions. `until` ends it early, `finished` decodes it.
pub(crate) fn story(script: &Scripted, until: u64, finished: bool) -> Vec<Event> {
    let mut events = vec![Event::Crop(Box::new(HeldCrop {
        id: 0,
        since_frame: 0,
        crop_from_image: Similarity::about(
            script.face.center(),
            Point::new(63.5, 63.5),
            120.0 / script.face.w,
            0.0,
        ),
        landmarks_in_crop: script.landmarks.clone(),
    }))];
    for i in 0..until {
        let lost = (380..410).contains(&i);
        events.push(Event::Frame(Box::new(FrameRecord {
            frame: i,
            timestamp: time(i),
            dropped_before: 0,
            face: (!lost).then(|| FaceRecord {
                rect: script.face,
                confidence: 0.97,
                pose: Some([0.0, 0.05, 0.0]),
                blink: 0.0,
                landmarks: Some(Box::new(script.landmarks.clone())),
                crop: 0,
            }),
            others: if (200..260).contains(&i) {
                vec![DetectedFace {
                    rect: Rect::new(20.0, 60.0, 80.0, 80.0),
                    score: 12.0,
                }]
            } else {
                vec![]
            },
        })));
        for (kind, k) in [(ExpressionKind::Micro, 6), (ExpressionKind::Macro, 18)] {
            let start = i.saturating_sub(k);
            let masked = if lost {
                Some(MaskReason::FaceLost)
            } else if (300..316).contains(&i) {
                Some(MaskReason::Blink)
            } else {
                None
            };
            events.push(Event::Score(ScoreSample {
                kind,
                window_start_frame: start,
                window_end_frame: i,
                start: time(start),
                end: time(i),
                score: score(kind, i),
                strain: 0.0,
                motion: None,
                apex: None,
                masked,
            }));
        }
    }
    if until > 380 {
        events.push(Event::Notice(
            Notice::warning("No face was found for 1.0 s.").over(TimeSpan {
                start: time(380),
                end: time(410),
            }),
        ));
    }
    let intervals = spots(!finished);
    for i in (18..until).step_by(6).filter(|i| !(380..428).contains(i)) {
        events.push(Event::Units(Box::new(UnitSample {
            from: time(i - 18),
            frame: i,
            timestamp: time(i),
            recognition: recognition(&[(4, 0.61, Some(Side::Right))], [0.8, 0.1, 0.1], false),
        })));
    }
    if finished {
        events.push(Event::Spotted {
            intervals,
            thresholds: vec![
                (ExpressionKind::Micro, 0.42),
                (ExpressionKind::Macro, 0.0185),
            ],
        });
        events.extend(recognised(script));
    } else {
        events.push(Event::Provisional(
            intervals.into_iter().filter(|s| s.offset < until).collect(),
        ));
    }
    events
}

/// Units of the script's network and from which probability on each is present.
pub(crate) const UNITS: [(u8, f64); 17] = [
    (1, 0.39),
    (2, 0.5),
    (4, 0.25),
    (5, 0.18),
    (6, 0.18),
    (7, 0.19),
    (9, 0.18),
    (10, 0.18),
    (12, 0.58),
    (14, 0.18),
    (15, 0.2),
    (17, 0.18),
    (20, 0.18),
    (23, 0.18),
    (24, 0.18),
    (25, 0.14),
    (26, 0.18),
];

fn au(number: u8) -> ActionUnit {
    ActionUnit::new(number).expect("a unit's number")
}

/// Only `present` units act; the classes are negative, positive, surprise.
pub(crate) fn recognition(
    present: &[(u8, f64, Option<Side>)],
    classes: [f64; 3],
    abstains: bool,
) -> Recognition {
    let units = UNITS
        .iter()
        .map(|&(unit, _)| {
            let acts = present.iter().find(|(number, ..)| *number == unit);
            UnitReading {
                unit: au(unit),
                probability: acts.map_or(0.02, |a| a.1),
                present: acts.is_some(),
                side: acts.and_then(|a| a.2),
            }
        })
        .collect();
    Recognition {
        units,
        class: Some(ClassReading {
            classes: ["negative", "positive", "surprise"]
                .map(str::to_owned)
                .into(),
            probabilities: classes.into(),
            uncertainty: Uncertainty {
                total: 0.45,
                aleatoric: 0.4,
                epistemic: 0.05,
            },
            abstains,
        }),
    }
}

/// A network that agrees, one that is unsure and shows whom it looks at, and one that
/// rebuilds the apex.
fn second_look() -> Vec<SecondOpinion> {
    let opinion = |weights: &str, network: &str| SecondOpinion {
        weights: weights.to_owned(),
        network: network.to_owned(),
        recognition: None,
        magnified: None,
        rebuilt: None,
    };
    let smile = [(6, 0.55, None), (12, 0.81, None)];
    // Each picture looks at the one before it, and no picture at the last.
    let matrix = |head: usize| {
        let mut matrix = Plane::filled(12, 12, 0.04);
        for looks in 0..12 {
            matrix.row_mut(looks)[looks.saturating_sub(1 + head)] = 0.4;
            matrix.row_mut(looks)[11] = 0.0;
        }
        matrix
    };
    let side = 56;
    let face = |lifted: f32| {
        let pixels = (0..side * side).map(|at| {
            let (x, y) = ((at % side) as f32 - 28.0, (at / side) as f32 - 28.0);
            let mouth = y > 10.0 && y < 16.0 && x.abs() < 12.0;
            let ground = if x.hypot(y) < 24.0 { 160.0 } else { 60.0 };
            if mouth { ground - lifted } else { ground }
        });
        Plane::from_vec(side, side, pixels.collect())
    };
    vec![
        SecondOpinion {
            recognition: Some(recognition(&smile, [0.1, 0.7, 0.2], false)),
            ..opinion("led", "led-sssnet")
        },
        SecondOpinion {
            recognition: Some(recognition(&[], [0.4, 0.3, 0.3], true)),
            magnified: Some(MagnifiedLook {
                gamma: 0.42,
                factors: (2..14_u8).map(f32::from).collect(),
                attention: (0..3).map(|_| (0..2).map(matrix).collect()).collect(),
            }),
            ..opinion("uamrn", "uamrn")
        },
        SecondOpinion {
            rebuilt: Some(RebuiltApex::of(ApexPictures {
                onset: face(20.0),
                apex: face(60.0),
                rebuilt: face(50.0),
            })),
            ..opinion("moext.rebuilding", "moext-pretraining")
        },
    ]
}

/// At the left corner of the mouth, whichever the unit.
fn attention(script: &Scripted, unit: ActionUnit) -> Attention {
    let mut map = Plane::zeros(28, 28);
    for y in 17..22 {
        map.row_mut(y)[5..11].fill(1.0);
    }
    Attention {
        unit,
        map,
        framing: FlowFraming {
            crop_from_image: Similarity::about(
                script.face.center(),
                Point::new(79.5, 79.5),
                160.0 / script.face.w,
                0.0,
            ),
            width: 160,
            height: 160,
        },
    }
}

/// What moved in every candidate but the last, which could not be read.
pub(crate) fn recognised(script: &Scripted) -> Vec<Event> {
    let told = |onset, apex, unit: u8, recognition| {
        Event::Recognised(Box::new(Recognised {
            onset,
            apex,
            recognition,
            attention: Some(attention(script, au(unit))),
            second_look: if script.looks_again {
                second_look()
            } else {
                vec![]
            },
        }))
    };
    let smile = [(6, 0.64, None), (12, 0.83, Some(Side::Left))];
    let brows = [(1, 0.7, None), (2, 0.66, None), (5, 0.3, None)];
    vec![
        told(101, 106, 12, recognition(&smile, [0.1, 0.71, 0.19], false)),
        told(160, 185, 1, recognition(&brows, [0.3, 0.25, 0.45], true)),
        told(338, 343, 1, recognition(&[], [0.34, 0.33, 0.33], true)),
        told(
            480,
            509,
            4,
            recognition(&[(4, 0.6, None)], [0.64, 0.2, 0.16], false),
        ),
    ]
}

pub(crate) fn spots(provisional: bool) -> Vec<SpottedInterval> {
    use onset::spotting::ExpressionKind::{Macro, Micro};
    [
        (Micro, 101, 106, 111, 0.71),
        (Macro, 160, 185, 214, 0.034),
        (Micro, 338, 343, 349, 0.58),
        (Macro, 480, 509, 540, 0.027),
        (Micro, 560, 564, 570, 0.46),
    ]
    .into_iter()
    .map(|(kind, onset, apex, offset, score)| SpottedInterval {
        kind,
        onset,
        apex,
        offset,
        score,
        status: IntervalStatus::Proposed,
        provisional,
    })
    .collect()
}

fn score(kind: ExpressionKind, i: u64) -> f64 {
    let noise = ((i * 7919 + 13) % 97) as f64 / 97.0;
    let bump = |at: f64, width: f64, high: f64| {
        let d = (i as f64 - at) / width;
        high * (-d * d).exp()
    };
    match kind {
        ExpressionKind::Micro => {
            0.08 + 0.1 * noise
                + bump(109.0, 5.0, 0.55)
                + bump(346.0, 5.0, 0.42)
                + bump(567.0, 5.0, 0.32)
        }
        ExpressionKind::Macro => {
            0.004 + 0.003 * noise + bump(194.0, 18.0, 0.029) + bump(518.0, 20.0, 0.022)
        }
    }
}

/// So many frames in so many seconds.
fn pace_of(frames: u64, secs: f64) -> RecentPace {
    let mut pace = RecentPace::default();
    pace.tell(Pace { frames, secs });
    pace
}

pub(crate) fn status(done: u64, finished: bool) -> SessionStatus {
    SessionStatus {
        frames_done: done,
        frames_total: Some(FRAMES),
        analysed_fps: 14.2,
        pace: pace_of(done, done as f64 / 14.2),
        source_fps: 30.0,
        dropped: 0,
        latency_ms: None,
        decision_delay_secs: 1.2,
        finished,
        failed: None,
        source_failed: false,
    }
}
