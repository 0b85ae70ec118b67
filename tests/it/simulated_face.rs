//! A face that moves along one line: displacement curves of expressions with known
//! onset, apex and offset, seen through flow windows, with the noise of real ones.

use onset::base::Timestamp;
use onset::spotting::{ExpressionKind, MaskReason, RegionMotion, ScoreSample, SpottedInterval};

/// Times in seconds; cosine ramps from `onset` to `apex` and `fall` to `offset`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    pub(crate) onset: f64,
    pub(crate) apex: f64,
    pub(crate) fall: f64,
    pub(crate) offset: f64,
    /// Mean strain per ROI pixel at the apex.
    pub(crate) height: f64,
}

impl Event {
    pub(crate) const fn new(onset: f64, apex: f64, fall: f64, offset: f64, height: f64) -> Self {
        Self {
            onset,
            apex,
            fall,
            offset,
            height,
        }
    }

    fn at(&self, t: f64) -> f64 {
        let ramp = |part: f64| 0.5 - 0.5 * (std::f64::consts::PI * part.clamp(0.0, 1.0)).cos();
        let up = ramp((t - self.onset) / (self.apex - self.onset));
        let down = ramp((t - self.fall) / (self.offset - self.fall));
        self.height * (up - down)
    }

    /// First and last frame, as a person would mark them.
    pub(crate) fn frames(&self, times: &[f64]) -> (u64, u64) {
        let first = times.partition_point(|&t| t < self.onset);
        let last = times.partition_point(|&t| t <= self.offset) - 1;
        (first as u64, last as u64)
    }
}

/// Uniform numbers from a seed, and sums of twelve for something like normal ones.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Face {
    pub(crate) times: Vec<f64>,
    pub(crate) events: Vec<Event>,
    /// Strain that the flow invents on a still face, and its standard deviations:
    /// from frame to frame and over about a second.
    pub(crate) rest: f64,
    pub(crate) quick_noise: f64,
    pub(crate) slow_noise: f64,
    /// Rest grows by this over the recording.
    pub(crate) drift: f64,
    /// Frames (both included) in which the eyes are shut.
    pub(crate) blinks: Vec<(u64, u64)>,
    /// No window reaches from the frame to the next one.
    pub(crate) gaps: Vec<u64>,
    /// Whether the samples say in which direction the face moved.
    pub(crate) directed: bool,
}

impl Face {
    pub(crate) fn at_rate(fps: f64, secs: f64, events: &[Event]) -> Self {
        let count = (fps * secs).round() as usize;
        Self::at_times((0..count).map(|i| i as f64 / fps).collect(), events)
    }

    pub(crate) fn at_times(times: Vec<f64>, events: &[Event]) -> Self {
        Self {
            times,
            events: events.to_vec(),
            // As measured on drawn recordings: half of the quiet values lie below this.
            rest: 0.003,
            quick_noise: 0.001_2,
            slow_noise: 0.001_2,
            drift: 0.0,
            blinks: Vec::new(),
            gaps: Vec::new(),
            directed: false,
        }
    }

    fn displacement(&self, frame: usize) -> f64 {
        self.events.iter().map(|e| e.at(self.times[frame])).sum()
    }

    /// The control signal of both windows.
    pub(crate) fn samples(&self, seed: u64) -> Vec<ScoreSample> {
        let mut all = Vec::new();
        for (kind, span) in [(ExpressionKind::Macro, 0.6), (ExpressionKind::Micro, 0.2)] {
            let mut dice = Dice::new(2 * seed + u64::from(kind == ExpressionKind::Micro));
            let mut slow = self.slow_noise * dice.normal();
            for first in 0..self.times.len() {
                let due = self.times[first] + span;
                let last = self.times.partition_point(|&t| t < due - 1e-6);
                if last >= self.times.len() {
                    break;
                }
                let step = (self.times[first + 1] - self.times[first]).min(1.0);
                slow += -slow * step + self.slow_noise * (2.0 * step).sqrt() * dice.normal();
                let quick = self.quick_noise * dice.normal();
                let (f, l) = (first as u64, last as u64);
                if self.gaps.iter().any(|&g| f <= g && g < l) {
                    continue;
                }
                let scale = span / (self.times[last] - self.times[first]);
                let moved = (self.displacement(last) - self.displacement(first)) * scale;
                let along = self.drift * first as f64 / self.times.len() as f64;
                let shut = self.blinks.iter().any(|&(a, b)| f <= b && l >= a);
                all.push(ScoreSample {
                    kind,
                    window_start_frame: f,
                    window_end_frame: l,
                    start: Timestamp::from_secs(self.times[first]),
                    end: Timestamp::from_secs(self.times[last]),
                    score: (self.rest + along).hypot(moved) + slow + quick,
                    strain: 0.0,
                    apex: None,
                    masked: shut.then_some(MaskReason::Blink),
                    motion: self.directed.then(|| {
                        let noise = 0.01 * dice.normal();
                        RegionMotion([(13.0 * moved + noise) as f32; 12])
                    }),
                });
            }
        }
        all
    }

    /// As they would arrive: by their last frame.
    pub(crate) fn stream(&self, seed: u64) -> Vec<ScoreSample> {
        let mut all = self.samples(seed);
        all.sort_by_key(|s| (s.window_end_frame, s.kind));
        all
    }

    /// Asserts that every event is found once at IoU ≥ ½ with the kind its duration
    /// makes it, and nothing else.
    pub(crate) fn assert_found(&self, found: &[SpottedInterval], told: &str) {
        let wanted: Vec<(u64, u64)> = self.events.iter().map(|e| e.frames(&self.times)).collect();
        assert_eq!(
            found.len(),
            wanted.len(),
            "{told}: wanted {wanted:?}, found {found:#?}"
        );
        for ((event, &(first, last)), spot) in self.events.iter().zip(&wanted).zip(found) {
            let shared = (spot.offset.min(last) + 1).saturating_sub(spot.onset.max(first));
            let both = (spot.offset - spot.onset + 1) + (last - first + 1) - shared;
            assert!(
                shared * 2 >= both,
                "{told}: wanted {wanted:?}, found {found:#?}"
            );
            let micro = event.offset - event.onset <= 0.5;
            assert_eq!(
                spot.kind == ExpressionKind::Micro,
                micro,
                "{told}: {spot:?}"
            );
            assert!(spot.onset <= spot.apex && spot.apex <= spot.offset);
        }
    }
}
