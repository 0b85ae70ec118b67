//! Spotting while the recording runs: causal, and therefore provisional.
//!
//! The same decoding as for whole recordings runs over the recent past, five times
//! a second of stream time; what differs from the last time is told as an event.
//! The score of a window is complete 2k frames later, so an interval younger than
//! that still moves. At the end the caller decodes everything it recorded and hands
//! the result to [`Spotter::finish`].

use std::collections::VecDeque;

use super::offline::{DecodeInput, decode};
use super::params::DecodeParams;
use super::quiet::KindThreshold;
use super::signal::ScoreSample;
use super::{ExpressionKind, SpottedInterval};

/// How much of the past is decoded again and again, which bounds the memory.
const RECENT_SECS: f64 = 30.0;
/// Stream time between two decodings.
const EVERY_SECS: f64 = 0.2;
/// Nothing is claimed before the quiet level has been heard this long.
const WARM_UP_SECS: f64 = 3.0;

/// Next to the cut through the past the windows are incomplete: what begins there is
/// left as it was.
const CUT_SECS: f64 = 2.0;

/// Names an interval from its first appearance to its withdrawal.
pub type SpotId = u64;

/// A change of what is believed.
#[derive(Debug, Clone, PartialEq)]
pub enum SpotEvent {
    /// A new interval, or a new form of the one with this id.
    Set {
        id: SpotId,
        interval: SpottedInterval,
    },
    Withdraw {
        id: SpotId,
    },
}

#[derive(Debug)]
pub struct Spotter {
    params: DecodeParams,
    recent: VecDeque<ScoreSample>,
    /// Intervals that may still change, by onset.
    open: Vec<(SpotId, SpottedInterval)>,
    /// Ids of intervals that left the recent past: final until `finish`.
    settled: Vec<SpotId>,
    /// Last frame of the last settled interval.
    settled_until: Option<u64>,
    thresholds: Vec<KindThreshold>,
    /// Windows have left the recent past.
    forgotten: bool,
    next_id: SpotId,
    first_secs: Option<f64>,
    decoded_at: f64,
}

impl Spotter {
    /// In compat mode, too: the published decoding of the recent past.
    #[must_use]
    pub fn new(params: DecodeParams) -> Self {
        Self {
            params,
            recent: VecDeque::new(),
            open: Vec::new(),
            settled: Vec::new(),
            settled_until: None,
            thresholds: Vec::new(),
            forgotten: false,
            next_id: 0,
            first_secs: None,
            decoded_at: f64::NEG_INFINITY,
        }
    }

    /// The running threshold of `kind`; `None` during the warm-up.
    #[must_use]
    pub fn threshold(&self, kind: ExpressionKind) -> Option<f64> {
        self.thresholds
            .iter()
            .find(|t| t.kind == kind)
            .map(|t| t.value)
    }

    /// How long after a frame the verdict on it is complete, in seconds: 2k frames
    /// of the longer window, and the pause between two decodings.
    #[must_use]
    pub fn decision_delay_secs(&self) -> f64 {
        2.0 * self.params.macro_half_secs + EVERY_SECS
    }

    /// Takes the next window, of either kind, in the order their last frames arrive.
    pub fn push(&mut self, sample: ScoreSample) -> Vec<SpotEvent> {
        let now = sample.end.secs();
        let first = *self.first_secs.get_or_insert(sample.start.secs());
        self.recent.push_back(sample);
        while self
            .recent
            .front()
            .is_some_and(|s| s.end.secs() < now - RECENT_SECS)
        {
            self.recent.pop_front();
            self.forgotten = true;
        }
        if now - first < WARM_UP_SECS || now - self.decoded_at < EVERY_SECS {
            return Vec::new();
        }
        self.decoded_at = now;
        self.update()
    }

    fn update(&mut self) -> Vec<SpotEvent> {
        let scores = self.recent.make_contiguous();
        let decoding = decode(
            &DecodeInput {
                scores,
                control: None,
            },
            &self.params,
        );
        self.thresholds = decoding.thresholds;

        // What the recent past no longer shows whole stays as it was.
        let horizon = self.forgotten.then(|| {
            let oldest = scores[0].end.secs();
            scores
                .iter()
                .filter(|s| s.start.secs() <= oldest + CUT_SECS)
                .map(|s| s.window_start_frame)
                .max()
                .unwrap_or(0)
        });
        let beyond = |onset: u64| horizon.is_some_and(|h| onset <= h);
        let leaving = self
            .open
            .iter()
            .take_while(|(_, i)| beyond(i.onset))
            .count();
        for (id, interval) in self.open.drain(..leaving) {
            self.settled.push(id);
            self.settled_until = self.settled_until.max(Some(interval.offset));
        }

        let mut events = Vec::new();
        let mut before = std::mem::take(&mut self.open);
        for mut interval in decoding.intervals {
            // The cut through the past is not an onset.
            if beyond(interval.onset)
                || self
                    .settled_until
                    .is_some_and(|until| interval.onset <= until)
            {
                continue;
            }
            interval.provisional = true;
            let same = before
                .iter()
                .position(|(_, b)| b.onset <= interval.offset && interval.onset <= b.offset);
            let (id, changed) = match same {
                Some(at) => {
                    let (id, old) = before.remove(at);
                    (id, old != interval)
                }
                None => {
                    self.next_id += 1;
                    (self.next_id - 1, true)
                }
            };
            if changed {
                events.push(SpotEvent::Set {
                    id,
                    interval: interval.clone(),
                });
            }
            self.open.push((id, interval));
        }
        let gone = before.into_iter().map(|(id, _)| SpotEvent::Withdraw { id });
        gone.chain(events).collect()
    }

    /// Withdraws everything provisional and sets `offline`'s intervals in its place.
    #[must_use]
    pub fn finish(mut self, offline: &[SpottedInterval]) -> Vec<SpotEvent> {
        let open = self.open.iter().map(|(id, _)| *id);
        let mut events: Vec<SpotEvent> = self
            .settled
            .iter()
            .copied()
            .chain(open)
            .map(|id| SpotEvent::Withdraw { id })
            .collect();
        for interval in offline {
            events.push(SpotEvent::Set {
                id: self.next_id,
                interval: interval.clone(),
            });
            self.next_id += 1;
        }
        events
    }
}
