//! Recognition at work: it keeps the last seconds' faces, measures from onset to apex
//! what the live decoding believes in, and five times a second what moved just now.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::known::{Known, KnownIntervals};
use super::params::RecognitionChoice;
use super::second_looking::{Answer, Key, LookAgain, Question, SecondLooking};
use super::{Params, SessionError};
use crate::base::{Notice, Timestamp};
use crate::face::Face;
use crate::media::Frame;
use crate::media::recall::RECALL_SECS;
use crate::model::face_pictures::STEPS;
use crate::nn::NnDevice;
use crate::recognition::second_look::LookingNetwork;
use crate::recognition::{
    ExpressionMotion, FaceReader, Moment, Moments, MotionMeter, Recognition, SecondLook,
    Unmeasurable,
};
use crate::spotting::SpottedInterval;
use crate::timeline::Event;
use crate::timeline::event::{Recognised, RecognitionSource, SecondLookSource, UnitSample};

/// Stream time between two looks at what moved just now.
const EVERY_SECS: f64 = 0.2;
/// How far back such a look reaches: a macro-expression's window.
pub(super) const BACK_SECS: f64 = 0.6;
/// Such a look is at crops of at most this width, px: a third of the work.
pub const QUICK_WIDEST: f64 = 96.0;
/// An onset and an apex that stay so long are worth measuring: longer than from one
/// decoding to the next.
const SETTLED_SECS: f64 = 0.25;
/// Looks that wait for each other where nobody waits for the first.
const TOGETHER: usize = 8;

/// From which frame to which, and what for.
#[derive(Debug, Clone)]
pub(super) struct Job {
    first: Arc<Moment>,
    second: Arc<Moment>,
    /// Onset and apex of the interval; none for a look at what moved just now.
    interval: Option<Key>,
    /// From onset to offset, where somebody looks a second time.
    clip: Vec<Arc<Moment>>,
}

/// A job with its motion, or why there is none.
pub(super) type MeasuredJob = (Job, Result<ExpressionMotion, Unmeasurable>);

/// See the module.
pub(super) struct Recognising {
    reader: FaceReader,
    second_look: Option<Box<dyn SecondLooking>>,
    /// With which weights, also after it failed.
    second_sources: Vec<SecondLookSource>,
    /// That it cannot keep up has been said.
    told_busy: bool,
    meter: MotionMeter,
    quick: MotionMeter,
    moments: Moments,
    jobs: Vec<Job>,
    known: KnownIntervals,
    next_look: Option<Timestamp>,
    /// At once, or in batches.
    together: usize,
}

impl Recognising {
    /// `None` where `params` want no recognition.
    ///
    /// # Errors
    /// When the weights cannot be read.
    pub(super) fn load(
        params: &Params,
        look_again: LookAgain,
    ) -> Result<Option<Self>, SessionError> {
        if params.recognition == RecognitionChoice::Off {
            return Ok(None);
        }
        // Small networks, asked a few times a second: the processor is quickest.
        let reader = FaceReader::load(params.au_weights.as_deref(), &NnDevice::flex())?;
        let meter = MotionMeter::new(params.flow.params());
        let second_look = SecondLook::load(&params.second_look)?;
        let networks = second_look.iter().flat_map(SecondLook::networks);
        Ok(Some(Self {
            reader,
            second_sources: networks.map(source_of).collect(),
            second_look: second_look.map(look_again).transpose()?,
            told_busy: false,
            meter,
            quick: meter.at_most(QUICK_WIDEST),
            moments: Moments::default(),
            jobs: Vec::new(),
            known: KnownIntervals::default(),
            next_look: None,
            together: TOGETHER,
        }))
    }

    /// For a camera: nothing waits for anything else, and pictures go with the frames that
    /// can be gone back to, since it may run for hours.
    pub(super) fn at_once(&mut self) {
        self.together = 1;
        self.known.keep_pictures_for(RECALL_SECS);
    }

    pub(super) fn source(&self) -> RecognitionSource {
        let (weights, sha256) = self.reader.weights();
        let fitted = self.reader.fitted();
        RecognitionSource {
            weights: weights.to_owned(),
            sha256: sha256.to_owned(),
            units: self.reader.units().to_vec(),
            unit_thresholds: fitted.thresholds.clone(),
            side_threshold: fitted.side_threshold,
            classes: self.reader.classes().to_vec(),
            abstain_above: fitted.abstain_above,
            second_look: self.second_sources.clone(),
        }
    }

    /// Takes the next frame with its face.
    pub(super) fn push(&mut self, frame: &Frame, face: Option<&Face>) {
        self.moments.push(frame, face);
        let now = frame.timestamp;
        if self.next_look.is_some_and(|next| now < next) {
            return;
        }
        self.next_look = Some(now.plus_secs(EVERY_SECS));
        let Some(second) = self.moments.newest().cloned() else {
            return;
        };
        let back = now.plus_secs(-BACK_SECS);
        // The first face since then: a face that has just come has a shorter past.
        let first = self.moments.since(back).cloned();
        if let Some(first) = first.filter(|first| first.frame < second.frame) {
            self.jobs.push(Job {
                first,
                second,
                interval: None,
                clip: Vec::new(),
            });
        }
    }

    /// What the live decoding believes in now; what it has believed in for a moment is
    /// measured.
    pub(super) fn believe(&mut self, intervals: &[SpottedInterval]) {
        let Some(now) = self.moments.now() else {
            return;
        };
        let believed: BTreeMap<Key, u64> = by_key(intervals).collect();
        // What was withdrawn meanwhile begins anew, should it come back.
        self.known.withdraw(|key| believed.contains_key(key));
        for (key, offset) in believed {
            match self.known.get(key) {
                None => self.known.put(key, Known::Since(now)),
                Some(Known::Since(then)) if now.secs_since(*then) >= SETTLED_SECS => {
                    self.want(key, offset);
                }
                Some(_) => {}
            }
        }
    }

    fn want(&mut self, (onset, apex): Key, offset: u64) {
        let faces = self
            .moments
            .of_frame(onset)
            .zip(self.moments.of_frame(apex));
        let known = match faces {
            Some((first, second)) if first.frame < second.frame => {
                let clip = match &self.second_look {
                    Some(_) => self.moments.clip(first, offset.max(apex), STEPS),
                    None => Vec::new(),
                };
                self.jobs.push(Job {
                    first: Arc::clone(first),
                    second: Arc::clone(second),
                    interval: Some((onset, apex)),
                    clip,
                });
                Known::Waiting
            }
            _ if !self.moments.remembers(onset) => {
                Known::Unread("it was found only when its pictures were gone".to_owned())
            }
            _ => Known::Unread("there is no face at its onset or apex".to_owned()),
        };
        self.known.put((onset, apex), known);
    }

    /// Whether enough waits.
    pub(super) fn is_due(&self) -> bool {
        self.jobs.len() >= self.together
    }

    /// Measures everything that waits; [`Self::read`] takes it on.
    pub(super) fn measure(&mut self) -> Vec<MeasuredJob> {
        let jobs = std::mem::take(&mut self.jobs);
        let (meter, quick) = (&self.meter, &self.quick);
        jobs.into_par_iter()
            .map(|job| {
                let meter = if job.interval.is_some() { meter } else { quick };
                let measured = meter.measure(&job.first.picture, &job.second.picture);
                (job, measured)
            })
            .collect()
    }

    /// What the network says of what was measured. Not for threads of the pool: one
    /// that waits inside a backward pass would take up another analysis, which waits for
    /// the first.
    ///
    /// # Errors
    /// When the network's device fails.
    pub(super) fn read(&mut self, measured: &[MeasuredJob]) -> Result<Vec<Event>, SessionError> {
        let motions: Vec<&ExpressionMotion> = measured
            .iter()
            .filter_map(|(_, m)| m.as_ref().ok())
            .collect();
        let mut read = self.reader.read(&motions)?.into_iter();
        let mut events = Vec::new();
        for (job, measured) in measured {
            let read = match measured {
                Ok(motion) => read.next().map(|read| (motion, read)).ok_or(String::new()),
                Err(reason) => Err(reason.to_string()),
            };
            match (job.interval, read) {
                (None, Ok((_, recognition))) => events.push(look(job, recognition)),
                (None, Err(_)) => {}
                (Some(key), Ok((motion, recognition))) => {
                    let recognised = Box::new(Recognised {
                        onset: key.0,
                        apex: key.1,
                        attention: self.reader.attention(motion, &recognition)?,
                        recognition,
                        second_look: Vec::new(),
                    });
                    let now = self.moments.now().unwrap_or(job.second.timestamp);
                    self.known.read(key, recognised.clone(), now);
                    events.extend(self.look_again(key, job, motion));
                    let seen = self.answers(false);
                    // With the second look where it is there at once.
                    let told = |event: &Event| matches!(event, Event::Recognised(r) if (r.onset, r.apex) == key);
                    if !seen.iter().any(told) {
                        events.push(Event::Recognised(recognised));
                    }
                    events.extend(seen);
                }
                (Some(key), Err(reason)) => {
                    self.known.put(key, Known::Unread(reason));
                }
            }
        }
        Ok(events)
    }

    /// Asks for the opinions on an interval, where anybody looks a second time.
    fn look_again(&mut self, key: Key, job: &Job, motion: &ExpressionMotion) -> Option<Event> {
        let in_time = self.second_look.as_mut()?.ask(Question {
            key,
            clip: job.clip.clone(),
            apex: Arc::clone(&job.second),
            motion: motion.clone(),
        });
        let behind = !in_time && !std::mem::replace(&mut self.told_busy, true);
        behind.then(|| {
            let text = "The second look cannot keep up with the camera: some candidates have none. \
                        Choose quicker networks in Settings.";
            Event::Notice(Notice::warning(text))
        })
    }

    /// What was seen on a second look since the last call; where `all`, everything that
    /// was asked. A second look that fails is the last one: what the first sees goes on.
    pub(super) fn answers(&mut self, all: bool) -> Vec<Event> {
        let Some(second_look) = &mut self.second_look else {
            return Vec::new();
        };
        let now = self.moments.now().unwrap_or(Timestamp::ZERO);
        let mut events = Vec::new();
        for Answer { key, said } in second_look.answers(all) {
            match said {
                Ok(opinions) => {
                    let looked_at = self.known.looked_at(key, opinions, now);
                    events.extend(looked_at.map(Event::Recognised));
                }
                Err(e) => {
                    let text = format!("From here on there is no second look at candidates. {e}");
                    events.push(Event::Notice(Notice::warning(text)));
                    self.second_look = None;
                    break;
                }
            }
        }
        events
    }

    /// What moved in the intervals that were decoded at the end, where it is not read yet.
    ///
    /// # Errors
    /// When the network's device fails.
    pub(super) fn read_rest(
        &mut self,
        intervals: &[SpottedInterval],
        time_of: impl Fn(u64) -> Option<Timestamp>,
    ) -> Result<Vec<Event>, SessionError> {
        if let Some(second_look) = &mut self.second_look {
            second_look.wait_for_all();
        }
        for (key, offset) in by_key(intervals) {
            if !matches!(
                self.known.get(key),
                Some(Known::Read(_) | Known::Waiting | Known::Unread(_))
            ) {
                self.want(key, offset);
            }
        }
        let measured = self.measure();
        let mut events = self.read(&measured)?;
        let (near, unread) = self.instead(intervals, time_of);
        events.extend(near);
        if let Some(((onset, _), reason)) = unread.first() {
            let count = unread.len();
            let text = if count == 1 {
                format!("No action units for the candidate from frame {onset} on: {reason}")
            } else {
                format!(
                    "No action units for {count} candidates; the first, from frame {onset} on: {reason}"
                )
            };
            events.push(Event::Notice(Notice::info(text)));
        }
        Ok(events)
    }

    /// Every second look that was asked for and is still to come, after
    /// [`Self::read_rest`].
    pub(super) fn late_looks(
        &mut self,
        intervals: &[SpottedInterval],
        time_of: impl Fn(u64) -> Option<Timestamp>,
    ) -> Vec<Event> {
        let mut events = self.answers(true);
        if !events.is_empty() {
            events.extend(self.instead(intervals, time_of).0);
        }
        events
    }

    /// For the intervals that could not be read themselves what was read of nearly the
    /// same ones, and of which there is none, with the reason.
    fn instead(
        &self,
        intervals: &[SpottedInterval],
        time_of: impl Fn(u64) -> Option<Timestamp>,
    ) -> (Vec<Event>, Vec<(Key, String)>) {
        let (mut events, mut unread) = (Vec::new(), Vec::new());
        for (key, _) in by_key(intervals) {
            let Some(Known::Unread(reason)) = self.known.get(key) else {
                continue;
            };
            match self.known.nearest(key, &time_of) {
                Some(near) => events.push(Event::Recognised(Box::new(Recognised {
                    onset: key.0,
                    apex: key.1,
                    ..near.clone()
                }))),
                None => unread.push((key, reason.clone())),
            }
        }
        (events, unread)
    }
}

#[cfg(test)]
impl Recognising {
    pub(super) fn look_again_with(&mut self, second_look: Box<dyn SecondLooking>) {
        self.second_look = Some(second_look);
    }
}

/// Onset and apex of each interval, and its offset.
fn by_key(intervals: &[SpottedInterval]) -> impl Iterator<Item = (Key, u64)> {
    intervals.iter().map(|i| ((i.onset, i.apex), i.offset))
}

fn source_of(network: &LookingNetwork) -> SecondLookSource {
    let (weights, sha256) = network.weights();
    let (units, unit_thresholds) = network.units().into_iter().unzip();
    SecondLookSource {
        network: network.network().to_owned(),
        weights: weights.to_owned(),
        sha256: sha256.to_owned(),
        units,
        unit_thresholds,
        classes: network.classes().to_vec(),
    }
}

fn look(job: &Job, recognition: Recognition) -> Event {
    Event::Units(Box::new(UnitSample {
        from: job.first.timestamp,
        frame: job.second.frame,
        timestamp: job.second.timestamp,
        recognition,
    }))
}
