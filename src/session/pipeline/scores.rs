//! Scores: told in the order of their windows, decoded while the recording goes on.

use super::Pipeline;
use crate::base::Timestamp;
use crate::motion::pipeline::{WindowFault, WindowJob, WindowMotion};
use crate::session::window_sample::sample;
use crate::session::{SessionError, remarks};
use crate::spotting::SpotEvent;
use crate::spotting::signal::ScoreSample;
use crate::timeline::Event;

/// Of what the live decoding believes in, so many of the newest may still move.
const RECOGNISED_OPEN: usize = 16;

impl Pipeline {
    /// An empty list of candidates must not look like a face that did not move. Of a camera
    /// that is lost at once the loss is said, and no longer recording would help.
    pub(super) fn tell_whole(&mut self, end: Timestamp, events: &mut Vec<Event>) {
        for state in self.kinds.iter_mut().filter(|k| !k.off) {
            let window = state.pairer.delta_secs();
            if !self.at_once && state.samples.is_empty() && end.secs() <= window {
                state.off = true;
                let notice = remarks::too_short(state.kind, end.secs(), window);
                events.push(Event::Notice(notice));
            }
        }
        events.extend(self.tally.remark().map(Event::Notice));
    }

    pub(super) fn tell_scores(
        &mut self,
        due: &[(usize, WindowJob)],
        measured: &[Result<WindowMotion, WindowFault>],
        events: &mut Vec<Event>,
    ) -> Result<(), SessionError> {
        if due.is_empty() {
            return Ok(());
        }
        let mut told = Vec::new();
        for (k, state) in self.kinds.iter_mut().enumerate() {
            let mine: Vec<_> = due
                .iter()
                .zip(measured)
                .filter(|((of, _), _)| *of == k)
                .collect();
            let moved: Vec<&WindowMotion> =
                mine.iter().filter_map(|(_, m)| m.as_ref().ok()).collect();
            let mut scores = state.scorer.score(&moved)?.into_iter();
            for ((_, job), motion) in mine {
                let window = &job.window;
                let score = if motion.is_ok() { scores.next() } else { None };
                let temporal = self.temporal.is_some();
                let mut sample = sample(state.kind, window, motion.as_ref(), score, &self.recent);
                if temporal {
                    // It has learnt what blinks and turning heads look like.
                    sample.masked = sample.masked.filter(|_| motion.is_err());
                }
                if let Ok(m) = motion {
                    log::trace!(
                        "window {} {} {} nose {:.3} roi_p95 {:.3} strain {:?} masked {:?} regions {:?}",
                        state.kind.name(),
                        window.start_frame,
                        window.end_frame,
                        m.head_length_px(),
                        m.roi_p95_px,
                        m.strain,
                        sample.masked,
                        m.regions
                    );
                }
                if let Some(tap) = &mut self.tap {
                    tap(&sample, motion.as_ref().ok());
                }
                told.push((sample, motion.as_ref().ok()));
            }
        }
        // The live decoding wants both kinds in the order in which windows closed.
        told.sort_by_key(|(s, _)| (s.window_end_frame, s.kind, s.window_start_frame));
        if let Some(temporal) = &mut self.temporal {
            for (sample, motion) in told.drain(..) {
                let flows = motion.and_then(|m| Some((&m.grid, m.cells.as_ref()?)));
                temporal.push(sample, flows);
            }
        }
        let told = told.into_iter().map(|(sample, _)| sample).collect();
        self.tell_ready(told, false, events)
    }

    /// Tells scores that are final: these, and those a temporal network has by now.
    pub(super) fn tell_ready(
        &mut self,
        mut told: Vec<ScoreSample>,
        end: bool,
        events: &mut Vec<Event>,
    ) -> Result<(), SessionError> {
        let on = self.kinds.each_ref().map(|k| !k.off);
        if let Some(temporal) = &mut self.temporal {
            told.extend(temporal.ready(on, end)?);
        }
        let mut changed = false;
        for sample in told {
            if let Some(state) = self.kinds.iter_mut().find(|k| k.kind == sample.kind) {
                state.samples.push(sample.clone());
            }
            for change in self.live.push(sample.clone()) {
                changed = true;
                match change {
                    SpotEvent::Set { id, interval } => self.provisional.insert(id, interval),
                    SpotEvent::Withdraw { id } => self.provisional.remove(&id),
                };
            }
            events.push(Event::Score(sample));
        }
        if let Some(recognising) = &mut self.recognising {
            // Whether it changed or not: what stays as it is can be measured.
            let open = self.provisional.values().rev().take(RECOGNISED_OPEN);
            recognising.believe(&open.cloned().collect::<Vec<_>>());
        }
        if changed {
            events.push(Event::Provisional(
                self.provisional.values().cloned().collect(),
            ));
        }
        Ok(())
    }
}
