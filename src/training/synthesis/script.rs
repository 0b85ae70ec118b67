//! One recording drawn from a recipe: everything that happens in it, with labels.

use crate::media::synthetic::{
    Camera, Composed, Course, Dice, ExpressionKind, FaceSide, Framing, HeadMotion, Jitter,
    Movement, Person, Scene, Shot, Step, Swing, Track, UnitMove, Wave,
};

use super::cast::Cast;
use super::emotions::COMBINATIONS;
use super::recipe::{ExpressionRecipe, FileRecipe, Law, Range, Recipe};

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
type Levels = Vec<(f64, f64)>;

/// Seconds from … to, with what happens.
type Span = (&'static str, f64, f64);

/// An expression before it is tied to frames.
struct Planned {
    kind: ExpressionKind,
    /// Frames from onset to offset and to the end of the rise, of the hold.
    length: u64,
    rise: u64,
    hold: u64,
    peak_px: f64,
}

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

/// Degrees that a head may turn and nod. A photograph shows one side of a head: it is
/// turned less than a drawn one.
#[must_use]
pub(super) fn turn_limits(recipe: &Recipe, person: &Person) -> (f64, f64) {
    const YAW_DEGREES: f64 = 9.0;
    const PITCH_DEGREES: f64 = 7.0;
    let (yaw, pitch) = (recipe.head.yaw_degrees, recipe.head.pitch_degrees);
    match person.photo_unit() {
        None => (yaw, pitch),
        Some(_) => (yaw.min(YAW_DEGREES), pitch.min(PITCH_DEGREES)),
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

/// An expression and its movement: kind, emotion, course, what was composed.
type Expression = (ExpressionKind, &'static str, Course, Composed);

fn expressions(
    recipe: &Recipe,
    person: &Person,
    seconds: f64,
    fps: u32,
    dice: &mut Dice,
) -> (Vec<Expression>, Vec<Movement>) {
    /// Rest before the first and after the last.
    const BEGIN_SECS: f64 = 1.0;
    const END_SECS: f64 = 0.7;
    let e = &recipe.expressions;
    let [low, high] = e.in_20_seconds;
    let wanted = low as usize + dice.below((high.saturating_sub(low) + 1) as usize);
    let wanted = ((wanted as f64 * seconds / 20.0 + 0.5) as usize).max(1);
    let rate = f64::from(fps);
    let mut planned: Vec<Planned> = (0..wanted).map(|_| plan(e, fps, dice)).collect();
    let needed = |planned: &[Planned]| -> f64 {
        let frames: u64 = planned.iter().map(|p| p.length).sum();
        let rests = planned.len().saturating_sub(1) as f64;
        frames as f64 / rate + rests * e.rest_secs + BEGIN_SECS + END_SECS
    };
    // What does not fit is left out, the longest first, so that short ones stay.
    while needed(&planned) > seconds {
        let Some(longest) = (0..planned.len()).max_by_key(|&i| planned[i].length) else {
            break;
        };
        planned.remove(longest);
    }
    // The time that is left is divided at random between the rests.
    let spare = seconds - needed(&planned);
    let mut cuts: Vec<f64> = planned.iter().map(|_| dice.uniform() * spare).collect();
    cuts.sort_by(f64::total_cmp);
    let jitter = Jitter {
        direction_degrees: e.jitter.direction_degrees,
        place: e.jitter.place,
        strength: e.jitter.strength,
        sides: e.jitter.sides,
    };
    let mut used = BEGIN_SECS;
    let (mut expressions, mut movements) = (Vec::new(), Vec::new());
    for (plan, cut) in planned.iter().zip(cuts) {
        let onset = ((used + cut) * rate).ceil() as u64;
        used += plan.length as f64 / rate + e.rest_secs;
        let course = Course::Expression {
            onset: onset as f64 / rate,
            rise: plan.rise as f64 / rate,
            hold: plan.hold as f64 / rate,
            fall: (plan.length - plan.rise - plan.hold) as f64 / rate,
            lean: dice.within([-0.35, 0.35]),
            sag: if plan.hold > 0 {
                dice.within(e.macro_.sag)
            } else {
                0.0
            },
        };
        let combination = COMBINATIONS[dice.weighted(COMBINATIONS.iter().map(|c| c.weight))];
        let side = match dice.below(2) {
            _ if !combination.one_sided || !dice.chance(e.one_sided_share) => FaceSide::Both,
            0 => FaceSide::ImageLeft,
            _ => FaceSide::ImageRight,
        };
        let units: Vec<UnitMove> = combination
            .units
            .iter()
            .map(|&unit| UnitMove {
                unit,
                side,
                share: dice.within(e.unit_balance) as f32,
            })
            .collect();
        let Some(composed) =
            Movement::of_units(person, &units, plan.peak_px, &jitter, course.clone(), dice)
        else {
            continue;
        };
        movements.push(composed.movement.clone());
        expressions.push((plan.kind, combination.emotion, course, composed));
    }
    (expressions, movements)
}

fn amplitude(range: Range, law: Law, dice: &mut Dice) -> f64 {
    match law {
        Law::Even => dice.within(range),
        Law::EvenInLog => dice.log_within(range),
    }
}

fn plan(e: &ExpressionRecipe, fps: u32, dice: &mut Dice) -> Planned {
    let rate = f64::from(fps);
    let frames = |secs: f64| (secs * rate + 0.5) as u64;
    if dice.chance(e.micro_share) {
        let m = &e.micro;
        // Half a second and the frame rate say how long it may be.
        let most = u64::from(fps / 2).max(2);
        let (low, high) = (frames(m.secs[0]).max(2), frames(m.secs[1]).min(most));
        let length = low + dice.below((high.saturating_sub(low) + 1) as usize) as u64;
        let rise = ((dice.within(m.rise_share) * length as f64 + 0.5) as u64).clamp(1, length - 1);
        let hold = (dice.within(m.hold_share) * length as f64) as u64;
        return Planned {
            kind: ExpressionKind::Micro,
            length,
            rise,
            hold: hold.min(length - rise - 1),
            peak_px: amplitude(m.peak_px, m.peak_law, dice),
        };
    }
    let m = &e.macro_;
    let secs = if dice.chance(m.long_share) {
        dice.within(m.long_secs)
    } else {
        // Short ones are commoner than long ones.
        dice.log_within(m.secs)
    };
    let length = frames(secs).max(u64::from(fps / 2) + 2);
    let mut rise = dice.within(m.rise_secs);
    let mut fall = dice.within(m.fall_secs);
    let both = rise + fall;
    if both > secs {
        // No time to hold: it rises and falls.
        rise *= secs / both;
        fall *= secs / both;
    }
    let rise = frames(rise).clamp(1, length - 2);
    let fall = frames(fall).clamp(1, length - rise);
    Planned {
        kind: ExpressionKind::Macro,
        length,
        rise,
        hold: length - rise - fall,
        peak_px: amplitude(m.peak_px, m.peak_law, dice),
    }
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

/// Levels of the lids, and when they blink.
fn blinks(recipe: &Recipe, seconds: f64, dice: &mut Dice) -> (Levels, Vec<Span>) {
    let b = &recipe.blinks;
    let per_second = dice.within(b.per_minute) / 60.0;
    // Doubles come on top of the rate of the first ones.
    let rate = per_second / (1.0 + b.double_share);
    /// The lids stay open so long between two.
    const OPEN_SECS: f64 = 0.35;
    let (mut levels, mut spans) = (vec![(0.0, 0.0)], Vec::new());
    let mut at = 0.2 + dice.wait_secs(rate);
    while at < seconds - 0.1 {
        let twice = dice.chance(b.double_share);
        for _ in 0..if twice { 2 } else { 1 } {
            let secs = dice.within(b.secs);
            let depth = if dice.chance(b.partial_share) {
                dice.within(b.partial_depth)
            } else {
                1.0
            };
            // Shutting takes a third, the lids stay shut a moment, opening is slower.
            let (down, shut) = (0.32 * secs, 0.12 * secs);
            levels.extend([
                (at, 0.0),
                (at + down, depth),
                (at + down + shut, depth),
                (at + secs, 0.0),
            ]);
            spans.push(("blink", at, at + secs));
            at += secs + dice.within([0.03, 0.12]);
        }
        // Shorter waits make up for the time that blinks and the least rest take.
        let busy = OPEN_SECS + 0.5 * (b.secs[0] + b.secs[1]);
        let mean = (1.0 / rate - busy).max(0.2);
        at += OPEN_SECS + dice.wait_secs(1.0 / mean);
    }
    (levels, spans)
}

/// Levels of the gaze across and down.
fn gaze(recipe: &Recipe, seconds: f64, dice: &mut Dice, spans: &mut Vec<Span>) -> (Levels, Levels) {
    let g = &recipe.gaze;
    let rate = dice.within(g.shifts_per_minute) / 60.0;
    let (mut x, mut y) = (0.0, 0.0);
    let (mut across, mut down) = (vec![(0.0, x)], vec![(0.0, y)]);
    let mut at = 0.1 + dice.wait_secs(rate.max(1e-6));
    while at < seconds {
        let secs = dice.within(g.shift_secs);
        // Half of the shifts are small, and every third returns to the middle.
        let reach = if dice.chance(0.5) { 1.0 } else { 0.3 };
        let (nx, ny) = if dice.chance(0.33) {
            (0.0, 0.0)
        } else {
            (
                reach * g.across * dice.within([-1.0, 1.0]),
                reach * g.down * dice.within([-1.0, 1.0]),
            )
        };
        across.extend([(at, x), (at + secs, nx)]);
        down.extend([(at, y), (at + secs, ny)]);
        spans.push(("gaze", at, at + secs));
        (x, y) = (nx, ny);
        at += secs + 0.12 + dice.wait_secs(rate.max(1e-6));
    }
    (across, down)
}

/// Movements of the mouth in spells of talk.
fn talk(
    recipe: &Recipe,
    person: &Person,
    seconds: f64,
    dice: &mut Dice,
    spans: &mut Vec<Span>,
) -> Vec<Movement> {
    let t = &recipe.talking;
    let [low, high] = t.spells_in_20_seconds;
    let spells = low as usize + dice.below((high.saturating_sub(low) + 1) as usize);
    let spells = ((spells as f64 * seconds / 20.0 + 0.5) as usize).max(1);
    let quiet = Jitter {
        direction_degrees: 8.0,
        place: 0.02,
        strength: 0.2,
        sides: 0.1,
    };
    let mut movements = Vec::new();
    let slot = seconds / spells as f64;
    for spell in 0..spells {
        let secs = dice.within(t.spell_secs).min(slot - 0.6);
        if secs < 0.5 {
            continue;
        }
        let begin = slot * spell as f64 + 0.3 + dice.uniform() * (slot - 0.6 - secs);
        let peak_px = dice.within(t.peak_px);
        let hertz = dice.within(t.syllables_hz);
        // Jaw, lower lip alone, spread, upper lip, and rounding: each its own levels.
        let units: [(&[u8], f64, f64); 4] = [
            (&[26], 1.0, 0.9),
            (&[25], 0.5, 0.5),
            (&[20], 0.35, 0.35),
            (&[10], 0.25, 0.2),
        ];
        for (numbers, part, used) in units {
            let course = Course::Levels(syllables(begin, secs, hertz, used, dice));
            let moves: Vec<UnitMove> = numbers
                .iter()
                .map(|&unit| UnitMove {
                    unit,
                    side: FaceSide::Both,
                    share: 1.0,
                })
                .collect();
            let composed = Movement::of_units(person, &moves, part * peak_px, &quiet, course, dice);
            movements.extend(composed.map(|c| c.movement));
        }
        let rounding = syllables(begin, secs, hertz, 0.3, dice)
            .into_iter()
            .map(|(at, level)| (at, 0.25 * peak_px / t.peak_px[1] * level))
            .collect();
        movements.push(Movement::of_rounding(person, Course::Levels(rounding)));
        spans.push(("talk", begin, begin + secs));
    }
    movements
}

/// Irregular levels 0..1, back to 0 between words; `used` is the share of syllables
/// that move at all.
fn syllables(begin: f64, secs: f64, hertz: f64, used: f64, dice: &mut Dice) -> Levels {
    let mut levels = vec![(begin, 0.0)];
    let mut at = begin;
    loop {
        at += dice.within([0.6, 1.4]) / hertz;
        if dice.chance(0.08) {
            // A pause for breath.
            levels.push((at, 0.0));
            at += dice.within([0.15, 0.5]);
        }
        if at > begin + secs - 0.15 {
            break;
        }
        let level = if dice.chance(used) {
            dice.within([0.2, 1.0])
        } else {
            0.05
        };
        levels.push((at, level));
        at += 0.5 * dice.within([0.6, 1.2]) / hertz;
        if at > begin + secs - 0.15 {
            break;
        }
        levels.push((at, level * dice.within([0.05, 0.6])));
    }
    let last = levels.last().map_or(begin, |l| l.0);
    levels.push(((begin + secs).max(last + 0.05), 0.0));
    levels
}

/// The head's six motions and the breath of the shoulders.
fn head(
    recipe: &Recipe,
    turns: (f64, f64),
    seconds: f64,
    speaks: bool,
    dice: &mut Dice,
    spans: &mut Vec<Span>,
) -> (HeadMotion, Track) {
    let h = &recipe.head;
    let drift = |dice: &mut Dice, height: Range| -> Vec<Wave> {
        (0..2)
            .map(|_| Wave {
                height: 0.5 * dice.log_within([height[0].max(1e-6), height[1].max(1e-6)]),
                period: dice.within(h.drift_secs),
                phase: dice.uniform(),
            })
            .collect()
    };
    let mut motion = HeadMotion::still();
    motion.x.waves = drift(dice, h.drift_way);
    motion.y.waves = drift(dice, [0.6 * h.drift_way[0], 0.6 * h.drift_way[1]]);
    motion.zoom.waves = drift(dice, [0.2 * h.drift_way[0], 0.2 * h.drift_way[1]]);
    motion.roll.waves = drift(dice, [0.6 * h.drift_degrees[0], 0.6 * h.drift_degrees[1]]);
    motion.yaw.waves = drift(dice, h.drift_degrees);
    motion.pitch.waves = drift(dice, [0.7 * h.drift_degrees[0], 0.7 * h.drift_degrees[1]]);
    let unrest = dice.within(h.unrest_way);
    let tremor = dice.within(h.tremor_way);
    for track in [&mut motion.x, &mut motion.y] {
        track.waves.push(Wave {
            height: unrest,
            period: dice.within([0.5, 2.0]),
            phase: dice.uniform(),
        });
        track.waves.push(Wave {
            height: tremor,
            period: 1.0 / dice.within([6.0, 10.0]),
            phase: dice.uniform(),
        });
    }
    motion.yaw.waves.push(Wave {
        // The same unrest as a turn: one face unit is about 45° of the head's surface.
        height: 30.0 * unrest,
        period: dice.within([0.6, 2.5]),
        phase: dice.uniform(),
    });
    let period = 60.0 / dice.within(h.breaths_per_minute);
    let phase = dice.uniform();
    let way = dice.within(h.breath_way);
    let breath = Wave {
        height: way,
        period,
        phase,
    };
    motion.y.waves.push(Wave {
        height: 0.6 * way,
        phase: phase + 0.5,
        ..breath
    });
    motion.pitch.waves.push(Wave {
        height: 12.0 * way,
        ..breath
    });

    // Lasting turns, first where the head stands at the beginning.
    let limits = [
        (turns.0 - h.drift_degrees[1]).max(0.0),
        // Nods come on top.
        (turns.1 - h.drift_degrees[1] - 0.5 * h.nod_degrees[1]).max(0.0),
        (h.roll_degrees - h.drift_degrees[1]).max(0.0),
    ];
    let target = |dice: &mut Dice, limit: f64| {
        let reach = if dice.chance(h.wide_share) { 1.0 } else { 0.33 };
        reach * limit * dice.within([-1.0, 1.0])
    };
    for (track, limit) in [&mut motion.yaw, &mut motion.pitch, &mut motion.roll]
        .into_iter()
        .zip(limits)
    {
        track.base = 0.6 * target(dice, limit);
    }
    let rate = dice.within(h.turns_per_minute) / 60.0;
    let mut at = dice.wait_secs(rate.max(1e-6));
    let mut now = [motion.yaw.base, motion.pitch.base, motion.roll.base];
    while at < seconds {
        let secs = dice.log_within(h.turn_secs);
        // Most turns go sideways; each takes a little of the others along.
        let main = [0, 0, 0, 1, 1, 2][dice.below(6)];
        for axis in 0..3 {
            let wanted = target(dice, limits[axis]);
            let by = if axis == main {
                wanted - now[axis]
            } else {
                0.12 * (wanted - now[axis])
            };
            now[axis] += by;
            let track = match axis {
                0 => &mut motion.yaw,
                1 => &mut motion.pitch,
                _ => &mut motion.roll,
            };
            track.steps.push(Step { at, secs, by });
        }
        spans.push(("head", at, at + secs));
        at += secs + dice.wait_secs(rate.max(1e-6));
    }
    let rate = dice.within(h.nods_per_minute) / 60.0 + if speaks { 0.08 } else { 0.0 };
    let mut at = dice.wait_secs(rate.max(1e-6));
    while at < seconds {
        let swing = Swing {
            at,
            secs: dice.within(h.nod_secs),
            height: dice.within(h.nod_degrees),
            cycles: dice.within(h.nod_swings),
        };
        if dice.chance(0.7) {
            motion.pitch.swings.push(swing);
        } else {
            motion.yaw.swings.push(swing);
        }
        spans.push(("head", at, at + swing.secs));
        at += swing.secs + dice.wait_secs(rate.max(1e-6));
    }
    let rate = dice.within(h.moves_per_minute) / 60.0;
    let mut at = dice.wait_secs(rate.max(1e-6));
    motion.zoom.base = dice.within(h.zoom);
    let (mut x, mut y, mut zoom) = (0.0, 0.0, motion.zoom.base);
    while at < seconds {
        let secs = dice.log_within(h.move_secs);
        let way = dice.log_within(h.move_way);
        // Back towards the place it came from as often as away.
        let (tx, ty) = (way * dice.sign(), 0.5 * way * dice.sign());
        motion.x.steps.push(Step {
            at,
            secs,
            by: tx - x,
        });
        motion.y.steps.push(Step {
            at,
            secs,
            by: ty - y,
        });
        let tz = dice.within(h.zoom);
        motion.zoom.steps.push(Step {
            at,
            secs,
            by: tz - zoom,
        });
        (x, y, zoom) = (tx, ty, tz);
        spans.push(("head", at, at + secs));
        at += secs + dice.wait_secs(rate.max(1e-6));
    }
    let shoulders = Track {
        waves: vec![breath],
        ..Track::default()
    };
    (motion, shoulders)
}

fn camera(
    recipe: &Recipe,
    seconds: f64,
    fps: u32,
    dice: &mut Dice,
    spans: &mut Vec<Span>,
) -> Camera {
    let l = &recipe.light;
    let mut gain = Track::still(dice.within(l.gain));
    let height = dice.within(l.drift);
    gain.waves.push(Wave {
        height,
        period: dice.within(l.drift_secs),
        phase: dice.uniform(),
    });
    if height > 0.01 {
        spans.push(("light", 0.0, seconds));
    }
    if dice.chance(l.flicker_share) {
        // What a mains lamp's 100 Hz leaves after sampling by frames.
        let hertz = dice.within([0.5, 0.45 * f64::from(fps)]);
        gain.waves.push(Wave {
            height: dice.within(l.flicker),
            period: 1.0 / hertz,
            phase: dice.uniform(),
        });
        spans.push(("light", 0.0, seconds));
    }
    if dice.chance(l.exposure_share) {
        let [low, high] = l.exposure_steps;
        let count = low as usize + dice.below((high.saturating_sub(low) + 1) as usize);
        let mut level = 0.0;
        for _ in 0..count {
            let (at, secs) = (
                dice.within([0.5, seconds - 0.5]),
                dice.within(l.exposure_secs),
            );
            // Back after it went: the exposure stays near its middle.
            let sign = if level == 0.0 {
                dice.sign()
            } else {
                -f64::signum(level)
            };
            let by = sign * dice.within(l.exposure_step);
            level += by;
            gain.steps.push(Step { at, secs, by });
            spans.push(("exposure", at, at + secs));
        }
    }
    let (mut red, mut blue) = (Track::still(1.0), Track::still(1.0));
    if dice.chance(l.white_balance_share) {
        let (at, secs) = (
            dice.within([0.5, seconds - 0.5]),
            dice.within(l.white_balance_secs),
        );
        let by = dice.sign() * dice.within(l.white_balance_step);
        red.steps.push(Step { at, secs, by });
        blue.steps.push(Step { at, secs, by: -by });
        spans.push(("white_balance", at, at + secs));
    }
    let slope = |dice: &mut Dice| Track {
        base: dice.sign() * dice.within(l.slope),
        waves: vec![Wave {
            height: dice.within(l.slope_drift),
            period: dice.within(l.drift_secs),
            phase: dice.uniform(),
        }],
        ..Track::default()
    };
    let (slope_x, slope_y) = (slope(dice), slope(dice));
    let c = &recipe.camera;
    Camera {
        gain,
        red,
        blue,
        slope_x,
        slope_y,
        noise: dice.within(c.noise) as f32,
        smooth_noise: dice.chance(c.smooth_noise_share),
        shutter_secs: dice.within(c.shutter) / f64::from(fps),
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
