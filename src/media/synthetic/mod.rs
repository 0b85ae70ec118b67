//! Sources that draw faces and know what they do.
//!
//! A face is painted once at rest ([`portrait`]: relief, light, skin, hair), at
//! twice the frame's density. A frame moves that picture by smooth displacement
//! fields, one per action unit ([`anatomy`], [`movement`]), so the skin's grain
//! travels with the skin; lids and the mouth's inside are drawn where they show.
//! Nothing calls the platform's mathematics library: equal specifications give equal
//! bytes.
//!
//! [`SyntheticSource`] is the bundled clip's plain portrait. [`ShotSource`] films what
//! the studio draws up: any [`Person`] (a [`shape`] that carries the plain face's
//! proportions to the person's, a [`look`]), in a [`Scene`], on a [`mesh`] that turns
//! with the head and so shows parallax and hidden parts, through a camera ([`sensor`]).
//! Everything about a face is painted in the plain face's coordinates; shape, skin
//! movement, head and camera each carry a place on: plain → person → moved → picture.

mod anatomy;
mod arithmetic;
mod deformation;
mod depth;
pub mod dice;
mod ear;
mod eye;
mod hair;
mod haircut;
mod look;
mod mesh;
mod mouth;
pub mod movement;
mod outline;
pub mod person;
mod photo;
mod portrait;
pub mod recordings;
mod render;
pub mod scene;
mod sensor;
mod shape;
mod sheet;
pub mod shot;
mod skin;
mod spec;
mod spectacles;
mod spline;
mod stage;
mod truth;

use std::sync::Arc;

pub use anatomy::{DRAWN_UNITS, FaceSide, REST_LANDMARKS};
pub use dice::Dice;
pub use mesh::{Framing, HeadPose};
pub use movement::{Composed, Course, Jitter, Movement, UnitMove};
pub use person::Person;
pub use recordings::{sample_spec, write_sample_clip};
pub use scene::Scene;
pub use shot::{Camera, HeadMotion, Shot, ShotSource, Step, Swing, Track, Wave};
pub use spec::{ExpressionEvent, ExpressionKind, SpecError, SyntheticSpec};
pub use truth::TrueFlow;

use anatomy::Lip;
use arithmetic::{scramble, sine};
use deformation::{Deformation, Sway};
use render::{Moment, Renderer};

use super::{Frame, FrameSource, MediaError, SourceInfo};
use crate::base::{Point, Timestamp};

/// Draws the frames of a [`SyntheticSpec`] in order, any number of times.
pub struct SyntheticSource {
    spec: SyntheticSpec,
    info: SourceInfo,
    renderer: Renderer,
    /// One for each event; `None` for a blink.
    deformations: Vec<Option<Deformation>>,
    next: u64,
}

impl SyntheticSource {
    /// Paints the resting face (about half a second at 640×480).
    ///
    /// # Errors
    /// A value of the specification out of its range.
    pub fn new(spec: SyntheticSpec) -> Result<Self, SpecError> {
        spec.check()?;
        let renderer = Renderer::new(spec.width, spec.height, spec.seed);
        let (width, height) = (spec.width as usize, spec.height as usize);
        let mut deformations = Vec::with_capacity(spec.events.len());
        for (index, event) in spec.events.iter().enumerate() {
            if event.kind == ExpressionKind::Blink {
                deformations.push(None);
                continue;
            }
            let placement = renderer.placement();
            let field = Deformation::of(&event.units, event.side, placement, width, height)
                .ok_or(SpecError::Units { index })?;
            deformations.push(Some(field));
        }
        let info = SourceInfo {
            name: spec.name.clone(),
            path: None,
            width: spec.width,
            height: spec.height,
            nominal_fps: Some(f64::from(spec.frames_per_second)),
            frame_count: Some(spec.frames),
            exact_frame_count: true,
            duration: Some(time(&spec, spec.frames)),
            live: false,
        };
        Ok(Self {
            spec,
            info,
            renderer,
            deformations,
            next: 0,
        })
    }

    /// What happens in the recording, blinks included, in the order given.
    #[must_use]
    pub fn truth(&self) -> &[ExpressionEvent] {
        &self.spec.events
    }

    #[must_use]
    pub fn spec(&self) -> &SyntheticSpec {
        &self.spec
    }

    /// Where the 68 points are in a frame, image pixels: rest, expressions, sway.
    /// The lids' points stay open during a blink.
    #[must_use]
    pub fn landmarks(&self, frame: u64) -> [Point; 68] {
        let placement = self.renderer.placement();
        let sway = self.sway(frame);
        let mut points = REST_LANDMARKS;
        for (i, point) in points.iter_mut().enumerate() {
            let lip = if matches!(i, 48..=54 | 60..=64) {
                Lip::Upper
            } else {
                Lip::Lower
            };
            let rest = *point;
            for (event, field) in self.spec.events.iter().zip(&self.deformations) {
                let Some(field) = field else { continue };
                let to = field.moved(rest, event.strength(frame), lip);
                point.x += to.x - rest.x;
                point.y += to.y - rest.y;
            }
            let px = Point::new(
                point.x * placement.unit + placement.x,
                point.y * placement.unit + placement.y,
            );
            *point = sway.moved(px, placement);
        }
        points
    }

    /// Draws one frame.
    fn draw(&mut self, frame: u64) -> Frame {
        let mut active = Vec::new();
        let mut lids = 0.0_f32;
        for (event, field) in self.spec.events.iter().zip(&self.deformations) {
            let strength = event.strength(frame);
            match field {
                // Lids stay shut for a moment around the apex.
                None => lids = lids.max((1.35 * strength).min(event.amplitude)),
                Some(field) if strength > 0.0 => active.push((field, strength)),
                Some(_) => {}
            }
        }
        let moment = Moment {
            active: &active,
            lids,
            sway: self.sway(frame),
            noise: self.spec.noise,
            noise_seed: scramble(self.spec.seed ^ scramble(frame)),
        };
        Frame {
            index: frame,
            timestamp: time(&self.spec, frame),
            dropped_before: 0,
            captured: None,
            picture: Arc::new(self.renderer.frame(&moment)),
        }
    }

    /// Slow drift in periods of 7 to 19 seconds, breathing every 4.
    fn sway(&self, frame: u64) -> Sway {
        let t = frame as f64 / f64::from(self.spec.frames_per_second);
        let phase =
            |k: u64| (scramble(self.spec.seed ^ (1000 + k)) >> 11) as f64 / (1_u64 << 53) as f64;
        let wave = |k: u64, period: f64| sine(t / period + phase(k));
        let a = f64::from(self.spec.sway_px);
        Sway {
            x: (a * (0.60 * wave(0, 11.3) + 0.40 * wave(1, 7.1))) as f32,
            y: (a * (0.55 * wave(2, 13.7) + 0.25 * wave(3, 4.1))) as f32,
            roll: (a * 0.0016 * wave(4, 18.9)) as f32,
        }
    }
}

fn time(spec: &SyntheticSpec, frame: u64) -> Timestamp {
    let nanos = u128::from(frame) * 1_000_000_000 / u128::from(spec.frames_per_second);
    Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
}

impl FrameSource for SyntheticSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
        if self.next >= self.spec.frames {
            return Ok(None);
        }
        let frame = self.draw(self.next);
        self.next += 1;
        Ok(Some(frame))
    }

    fn seek(&mut self, frame: u64) -> Result<(), MediaError> {
        self.next = frame.min(self.spec.frames);
        Ok(())
    }
}
