//! One recording of one person: everything that happens in it, as courses in time,
//! and the source that films it.

use std::sync::Arc;

use super::arithmetic::{raised_cosine, scramble, sine};
use super::mesh::{Framing, HeadPose};
use super::movement::{Course, Movement};
use super::person::Person;
use super::scene::Scene;
use super::sensor::{Exposure, develop};
use super::stage::{Moment, Stage};
use super::truth::TrueFlow;
use crate::base::{Point, Timestamp};
use crate::media::{Frame, FrameSource, MediaError, SourceInfo};

/// A quantity in time: a base, waves, lasting steps and passing swings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Track {
    pub base: f64,
    pub waves: Vec<Wave>,
    pub steps: Vec<Step>,
    pub swings: Vec<Swing>,
}

/// `height`·sin 2π(t/`period` + `phase`); seconds and turns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wave {
    pub height: f64,
    pub period: f64,
    pub phase: f64,
}

/// Goes by `by` from `at` on, within `secs`, and stays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    pub at: f64,
    pub secs: f64,
    pub by: f64,
}

/// `cycles` of a swing of `height`, growing and dying away within `secs`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Swing {
    pub at: f64,
    pub secs: f64,
    pub height: f64,
    pub cycles: f64,
}

impl Track {
    #[must_use]
    pub fn still(base: f64) -> Self {
        Self {
            base,
            ..Self::default()
        }
    }

    #[must_use]
    pub fn at(&self, secs: f64) -> f64 {
        let waves: f64 = self
            .waves
            .iter()
            .map(|w| w.height * sine(secs / w.period + w.phase))
            .sum();
        let steps: f64 = self
            .steps
            .iter()
            .map(|s| s.by * raised_cosine((secs - s.at) / s.secs))
            .sum();
        let swings: f64 = self
            .swings
            .iter()
            .filter(|s| (s.at..s.at + s.secs).contains(&secs))
            .map(|s| {
                let u = (secs - s.at) / s.secs;
                let window = sine(0.5 * u);
                s.height * window * window * sine(s.cycles * u)
            })
            .sum();
        self.base + waves + steps + swings
    }
}

/// The six motions of a head, in the units of [`HeadPose`].
#[derive(Debug, Clone, PartialEq)]
pub struct HeadMotion {
    pub x: Track,
    pub y: Track,
    pub zoom: Track,
    pub roll: Track,
    pub yaw: Track,
    pub pitch: Track,
}

impl HeadMotion {
    #[must_use]
    pub fn still() -> Self {
        let zero = Track::still(0.0);
        Self {
            x: zero.clone(),
            y: zero.clone(),
            zoom: Track::still(1.0),
            roll: zero.clone(),
            yaw: zero.clone(),
            pitch: zero,
        }
    }

    #[must_use]
    pub fn at(&self, secs: f64) -> HeadPose {
        HeadPose {
            x: self.x.at(secs),
            y: self.y.at(secs),
            zoom: self.zoom.at(secs),
            roll: self.roll.at(secs),
            yaw: self.yaw.at(secs),
            pitch: self.pitch.at(secs),
        }
    }
}

/// Light and camera in time.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// Brightness as a factor of the encoded picture.
    pub gain: Track,
    /// The same for red and blue alone.
    pub red: Track,
    pub blue: Track,
    /// Share by which the light is brighter at the right and the lower border.
    pub slope_x: Track,
    pub slope_y: Track,
    /// Standard deviation of the sensor's noise, grey levels.
    pub noise: f32,
    /// Whether neighbouring pixels share their noise.
    pub smooth_noise: bool,
    /// How long the sensor gathers light for a frame, seconds.
    pub shutter_secs: f64,
}

/// A whole recording; equal shots give equal frames, bit by bit.
#[derive(Debug, Clone, PartialEq)]
pub struct Shot {
    /// File stem and `recording` column of label files.
    pub name: String,
    pub width: u32,
    pub height: u32,
    pub nominal_fps: f64,
    /// When each frame was taken, seconds, rising; a dropped frame leaves a gap.
    pub times: Vec<f64>,
    pub person: Person,
    pub scene: Scene,
    pub framing: Framing,
    pub movements: Vec<Movement>,
    pub head: HeadMotion,
    /// How far the lids are shut, 0..1.
    pub lids: Course,
    /// Where the eyes look: the balls' fronts from the middle, face units.
    pub gaze_x: Course,
    pub gaze_y: Course,
    /// Rise of the shoulders with the breath, face units.
    pub breath: Track,
    pub camera: Camera,
    /// Of the sensor's noise.
    pub seed: u64,
}

/// Films a [`Shot`], in order or by seeking, any number of times.
pub struct ShotSource {
    shot: Shot,
    info: SourceInfo,
    stage: Stage,
    light: Vec<[f32; 3]>,
    next: u64,
}

impl ShotSource {
    #[must_use]
    pub fn new(shot: Shot) -> Self {
        let stage = Stage::new(
            shot.width as usize,
            shot.height as usize,
            shot.framing,
            &shot.person,
            &shot.scene,
            &shot.movements,
        );
        let frame_secs = 1.0 / shot.nominal_fps;
        let last = shot.times.last().map_or(0.0, |t| t + frame_secs);
        let info = SourceInfo {
            name: shot.name.clone(),
            path: None,
            width: shot.width,
            height: shot.height,
            nominal_fps: Some(shot.nominal_fps),
            frame_count: Some(shot.times.len() as u64),
            exact_frame_count: true,
            duration: Some(Timestamp::from_secs(last)),
            live: false,
        };
        Self {
            light: vec![[0.0; 3]; (shot.width * shot.height) as usize],
            shot,
            info,
            stage,
            next: 0,
        }
    }

    #[must_use]
    pub fn shot(&self) -> &Shot {
        &self.shot
    }

    /// When a frame was taken, seconds; the last frame's time beyond the end.
    #[must_use]
    pub fn secs(&self, frame: u64) -> f64 {
        let last = self.shot.times.len().saturating_sub(1);
        self.shot
            .times
            .get((frame as usize).min(last))
            .copied()
            .unwrap_or(0.0)
    }

    /// Where the 68 points are in a frame, pixels; the lids' points follow the lids.
    #[must_use]
    pub fn landmarks(&self, frame: u64) -> [Point; 68] {
        let moment = self.moment(self.secs(frame));
        self.stage.landmarks(&moment, &self.shot.movements)
    }

    /// Where every pixel of frame `a` is in frame `b`, taken in the middle of each
    /// frame's exposure.
    pub fn flow(&mut self, a: u64, b: u64) -> TrueFlow {
        let (from, to) = (self.moment(self.secs(a)), self.moment(self.secs(b)));
        self.stage.flow(&from, &to, &self.shot.movements)
    }

    fn moment(&self, secs: f64) -> Moment {
        let shot = &self.shot;
        let pose = shot.head.at(secs);
        let gaze = (shot.gaze_x.at(secs) as f32, shot.gaze_y.at(secs) as f32);
        let lids = (shot.lids.at(secs) as f32).clamp(0.0, 1.0);
        // The upper lid follows a look down.
        let follow = (2.5 * gaze.1).clamp(0.0, 0.45);
        let levels = shot
            .movements
            .iter()
            .enumerate()
            .filter_map(|(i, m)| {
                let (from, to) = m.course.span();
                if secs < from || secs > to {
                    return None;
                }
                let level = m.course.at(secs) as f32;
                (level != 0.0).then_some((i, level))
            })
            .collect();
        Moment {
            body: (
                (0.45 * pose.x) as f32,
                (0.35 * pose.y - shot.breath.at(secs)) as f32,
            ),
            pose,
            shut: lids + (1.0 - lids) * follow,
            gaze,
            levels,
        }
    }

    /// How many moments make up a frame: more the further the head goes meanwhile.
    fn moments_of_frame(&self, secs: f64) -> usize {
        let open = self.shot.camera.shutter_secs;
        let before = self.stage.marks(&self.shot.head.at(secs - 0.5 * open));
        let after = self.stage.marks(&self.shot.head.at(secs + 0.5 * open));
        let way = before
            .iter()
            .zip(after)
            .map(|(a, b)| ((a.0 - b.0) * (a.0 - b.0) + (a.1 - b.1) * (a.1 - b.1)).sqrt())
            .fold(0.0, f32::max);
        if way < 0.9 {
            1
        } else {
            (way.ceil() as usize + 1).min(8)
        }
    }

    /// One frame's picture.
    pub(super) fn picture(&mut self, frame: u64) -> image::RgbImage {
        let secs = self.secs(frame);
        let count = self.moments_of_frame(secs);
        let mut light = std::mem::take(&mut self.light);
        light.fill([0.0; 3]);
        for k in 0..count {
            let at = (k as f64 + 0.5) / count as f64 - 0.5;
            let moment = self.moment(secs + at * self.shot.camera.shutter_secs);
            self.stage.draw(&moment, 1.0 / count as f32, &mut light);
        }
        let camera = &self.shot.camera;
        let gain = camera.gain.at(secs);
        let exposure = Exposure {
            gain: [
                (gain * camera.red.at(secs)) as f32,
                gain as f32,
                (gain * camera.blue.at(secs)) as f32,
            ],
            slope: (
                camera.slope_x.at(secs) as f32,
                camera.slope_y.at(secs) as f32,
            ),
            noise: camera.noise,
            smooth: camera.smooth_noise,
            seed: scramble(self.shot.seed ^ scramble(frame)),
        };
        let picture = develop(
            &light,
            self.shot.width as usize,
            self.shot.height as usize,
            &exposure,
        );
        self.light = light;
        picture
    }
}

impl FrameSource for ShotSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
        if self.next >= self.shot.times.len() as u64 {
            return Ok(None);
        }
        let index = self.next;
        self.next += 1;
        Ok(Some(Frame {
            index,
            timestamp: Timestamp::from_secs(self.secs(index)),
            dropped_before: 0,
            captured: None,
            picture: Arc::new(self.picture(index)),
        }))
    }

    fn seek(&mut self, frame: u64) -> Result<(), MediaError> {
        self.next = frame.min(self.shot.times.len() as u64);
        Ok(())
    }
}
