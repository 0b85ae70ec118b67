//! One recording drawn from a recipe: everything that happens in it, with labels.

use crate::media::synthetic::{
    Composed, Course, Dice, ExpressionKind, Framing, Movement, Scene, Shot, UnitMove,
};

use super::cast::Cast;
use super::expressions::expressions;
use super::head::{head, turn_limits};
use super::lids_gaze_talk::{blinks, gaze, talk};
use super::light::camera;
use super::recipe::{FileRecipe, Recipe};

/// An expression with its labels. Frames count decoded frames from 0; `onset` is the
/// last at rest before, `offset` the first at rest again.
#[derive(Debug, Clone, PartialEq)]
pub struct ScriptedEvent {
    pub kind: ExpressionKind,
    pub onset: u64,
    pub apex: u64,
    pub offset: u64,
    pub emotion: &'static str,
    /// With the shares of full strength that they reach.
    pub units: Vec<UnitMove>,
    /// Largest displacement at the apex, pixels of the 128×128 crop.
    pub amplitude_px: f64,
}

impl ScriptedEvent {
    /// `AU1B+AU2C`, as label files write it.
    #[must_use]
    pub fn units_text(&self) -> String {
        let names: Vec<String> = self.units.iter().map(UnitMove::label).collect();
        names.join("+")
    }
}

/// Something that moves or changes and is no expression; both frames included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distractor {
    /// `blink`, `gaze`, `talk`, `head`, `light`, `exposure`, `white_balance` or `drop`.
    pub what: &'static str,
    pub start: u64,
    pub end: u64,
}

/// How one recording is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    H264 { crf: u8, quick: bool },
    MotionJpeg { quantiser: u8 },
    JpegFolder { quality: u8 },
}

/// A recording before it is filmed.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    pub shot: Shot,
    /// `s001`.
    pub subject: String,
    pub events: Vec<ScriptedEvent>,
    pub distractors: Vec<Distractor>,
    pub storage: Storage,
}

/// Levels at times in seconds.
pub(super) type Levels = Vec<(f64, f64)>;

/// Seconds from … to, with what happens.
pub(super) type Span = (&'static str, f64, f64);

impl Script {
    /// Frames of recording `number`, those that a camera will lose included.
    #[must_use]
    pub fn frames(recipe: &Recipe, number: u32) -> u64 {
        let world = format!("{}:{}", recipe.world, recipe.seed);
        Self::length(recipe, &mut Dice::of(&world, "file", u64::from(number))).1
    }

    /// Frames a second, frames, and how they are stored.
    fn length(recipe: &Recipe, dice: &mut Dice) -> (u32, u64, Storage) {
        let rate = dice.weighted(recipe.frame_rates.iter().map(|r| r.weight));
        let fps = recipe.frame_rates[rate].fps;
        let storage = storage(recipe, dice);
        let seconds = dice.within(recipe.seconds);
        (fps, ((seconds * f64::from(fps)) as u64).max(2), storage)
    }

    /// Draws recording `number` (from 0) of a recipe with drawn persons.
    #[must_use]
    pub fn draw(recipe: &Recipe, number: u32) -> Self {
        Self::draw_with(recipe, number, &Cast::Drawn)
    }

    /// Draws recording `number` (from 0) of a recipe. Every part has its own dice: the
    /// same person comes back in another scene.
    #[must_use]
    pub fn draw_with(recipe: &Recipe, number: u32, cast: &Cast) -> Self {
        let world = format!("{}:{}", recipe.world, recipe.seed);
        let dice = |what: &str| Dice::of(&world, what, u64::from(number));
        let person_number = number / recipe.recordings_of_a_person;
        let (subject, person) = cast.person(&world, person_number);
        let limits = turn_limits(recipe, &person);
        let mut spans: Vec<Span> = Vec::new();

        let (fps, frames, storage) = Self::length(recipe, &mut dice("file"));
        let may_drop = !matches!(storage, Storage::JpegFolder { .. });
        let times = times(
            recipe,
            frames,
            fps,
            may_drop,
            &mut dice("drops"),
            &mut spans,
        );
        let seconds = frames as f64 / f64::from(fps);

        let shows = !in_share(&world, number, recipe.expressions.none_in, 1);
        let talks = in_share(&world, number, recipe.talking.share, 2);
        let mut expression_dice = dice("expressions");
        let (planned, mut movements) = if shows {
            expressions(recipe, &person, seconds, fps, &mut expression_dice)
        } else {
            (Vec::new(), Vec::new())
        };
        let (lids, blink_spans) = blinks(recipe, seconds, &mut dice("blinks"));
        movements.push(Movement::of_blinks(&person, Course::Levels(lids.clone())));
        spans.extend(blink_spans);
        let (gaze_x, gaze_y) = gaze(recipe, seconds, &mut dice("gaze"), &mut spans);
        if talks {
            movements.extend(talk(
                recipe,
                &person,
                seconds,
                &mut dice("talk"),
                &mut spans,
            ));
        }
        let (head, breath) = head(
            recipe,
            limits,
            seconds,
            talks,
            &mut dice("head"),
            &mut spans,
        );
        let camera = camera(recipe, seconds, fps, &mut dice("camera"), &mut spans);

        let events = planned
            .into_iter()
            .map(|(kind, emotion, course, composed)| tied(kind, emotion, &course, composed, &times))
            .collect();
        let distractors = distractors(&spans, &times);
        let mut d = dice("framing");
        let (w, h) = (f64::from(recipe.width), f64::from(recipe.height));
        let framing = Framing {
            x: (0.5 * (w - 1.0) + d.within(recipe.framing.sideways) * h) as f32,
            y: (d.within(recipe.framing.eye_height) * h) as f32,
            unit: {
                let unit = (d.within(recipe.framing.eye_distance) * h) as f32;
                // A photograph is not blown up beyond what it shows.
                person.photo_unit().map_or(unit, |own| unit.min(1.5 * own))
            },
            distance: d.within(recipe.framing.camera_distance) as f32,
        };
        Self {
            subject,
            shot: Shot {
                name: format!("{}_{:04}", recipe.world, number + 1),
                width: recipe.width,
                height: recipe.height,
                nominal_fps: f64::from(fps),
                times,
                person,
                scene: Scene::drawn(&mut dice("scene")),
                framing,
                movements,
                head,
                lids: Course::Levels(lids),
                gaze_x: Course::Levels(gaze_x),
                gaze_y: Course::Levels(gaze_y),
                breath,
                camera,
                seed: dice("noise").bits(),
            },
            events,
            distractors,
            storage,
        }
    }
}

/// Whether a recording belongs to a share of all: spread evenly over the numbers, so
/// that any run of recordings holds the share nearly exactly.
fn in_share(world: &str, number: u32, share: f64, what: usize) -> bool {
    /// Fractions of the golden ratio and of √2: multiples of them fill 0..1 evenly,
    /// and independently of each other.
    const STEPS: [f64; 2] = [0.618_033_988_75, 0.414_213_562_37];
    let start = Dice::of(world, "share", what as u64).uniform();
    let place = start + f64::from(number) * STEPS[what - 1];
    place - place.floor() < share
}

fn storage(recipe: &Recipe, dice: &mut Dice) -> Storage {
    let between = |dice: &mut Dice, [low, high]: [u32; 2]| {
        let count = high.saturating_sub(low) as usize + 1;
        (low + dice.below(count) as u32).min(255) as u8
    };
    match &recipe.files[dice.weighted(recipe.files.iter().map(FileRecipe::weight))] {
        FileRecipe::H264 { crf, quick, .. } => Storage::H264 {
            crf: between(dice, *crf),
            quick: *quick,
        },
        FileRecipe::Mjpeg { quantiser, .. } => Storage::MotionJpeg {
            quantiser: between(dice, *quantiser),
        },
        FileRecipe::Jpeg { quality, .. } => Storage::JpegFolder {
            quality: between(dice, *quality),
        },
    }
}

/// When frames were taken, without those that were lost.
fn times(
    recipe: &Recipe,
    frames: u64,
    fps: u32,
    may_drop: bool,
    dice: &mut Dice,
    spans: &mut Vec<Span>,
) -> Vec<f64> {
    let at = |frame: u64| frame as f64 / f64::from(fps);
    let camera = &recipe.camera;
    let loses = dice.chance(camera.drop_share);
    if !loses || !may_drop {
        return (0..frames).map(at).collect();
    }
    let rate = dice.within(camera.drops_per_minute) / 60.0;
    let mut next = dice.wait_secs(rate.max(1e-6));
    let mut kept = Vec::new();
    let mut frame = 0;
    while frame < frames {
        // The first and the last frame stay.
        if frame > 0 && at(frame) >= next {
            let [low, high] = camera.drop_frames;
            let lost = u64::from(low) + dice.below((high.saturating_sub(low) + 1) as usize) as u64;
            if frame + lost + 1 < frames {
                spans.push(("drop", at(frame - 1), at(frame + lost)));
                frame += lost;
            }
            next = at(frame) + dice.wait_secs(rate.max(1e-6));
        }
        kept.push(at(frame));
        frame += 1;
    }
    kept
}

/// The frames of an expression: those that were kept.
fn tied(
    kind: ExpressionKind,
    emotion: &'static str,
    course: &Course,
    composed: Composed,
    times: &[f64],
) -> ScriptedEvent {
    /// Times are sums of fractions: equal ones may differ in the last place.
    const SAME: f64 = 1e-9;
    let (from, to) = course.span();
    let last = times.len() - 1;
    let onset = times
        .partition_point(|&t| t <= from + SAME)
        .saturating_sub(1);
    let offset = times.partition_point(|&t| t < to - SAME).min(last);
    let apex = (onset..=offset)
        .max_by(|&a, &b| {
            let (a_level, b_level) = (course.at(times[a]), course.at(times[b]));
            // The first of equals.
            a_level.total_cmp(&b_level).then(b.cmp(&a))
        })
        .unwrap_or(onset);
    ScriptedEvent {
        kind,
        onset: onset as u64,
        apex: apex as u64,
        offset: offset as u64,
        emotion,
        units: composed.units,
        amplitude_px: composed.peak_px * course.at(times[apex]),
    }
}

/// The frames during which something happens; nothing that falls between two frames.
fn distractors(spans: &[Span], times: &[f64]) -> Vec<Distractor> {
    let last = times.len().saturating_sub(1);
    let mut all: Vec<Distractor> = spans
        .iter()
        .map(|&(what, from, to)| Distractor {
            what,
            start: times.partition_point(|&t| t <= from).saturating_sub(1) as u64,
            end: times.partition_point(|&t| t < to).min(last) as u64,
        })
        .collect();
    all.sort_by_key(|d| (d.start, d.end, d.what));
    all
}
