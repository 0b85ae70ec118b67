//! Windows: closed frame by frame, held until the rate is known, measured a batch at a
//! time, forgotten.

use super::Pipeline;
use crate::face::FaceTrack;
use crate::media::Frame;
use crate::motion::cadence::Beat;
use crate::motion::gpu::GpuFlowError;
use crate::motion::pipeline::WindowJob;
use crate::session::window_sample::Recent;
use crate::session::{SessionError, remarks};
use crate::timeline::Event;

/// Frame intervals seen before the rate is believed.
const INTERVALS_TO_BELIEVE: usize = 8;
/// From this much lid closure on a frame counts as part of a blink.
const BLINK_LEVEL: f32 = 0.5;

/// What is to be measured, without the kinds it is for.
pub(super) fn jobs_of(due: &[(usize, WindowJob)]) -> Vec<WindowJob> {
    due.iter().map(|(_, job)| *job).collect()
}

impl Pipeline {
    pub(super) fn take_motion(
        &mut self,
        frame: &Frame,
        track: &FaceTrack,
        beat: Beat,
    ) -> Result<(), GpuFlowError> {
        if beat == Beat::Gap {
            self.motion.break_here();
        }
        let face = track.face.as_ref().zip(self.held.clone());
        self.recent.push_back(Recent {
            frame: frame.index,
            blink: track.face.as_ref().is_some_and(|f| f.blink >= BLINK_LEVEL),
        });
        self.motion.push(frame, face)
    }

    /// Closes windows; they wait until the rate is known.
    pub(super) fn pair(&mut self, frame: &Frame, events: &mut Vec<Event>) {
        let interval = self.cadence.interval_secs().unwrap_or(0.0);
        for (k, state) in self.kinds.iter_mut().enumerate() {
            let windows = state.pairer.push(frame.index, frame.timestamp, interval);
            self.closed.extend(windows.into_iter().map(|w| (k, w)));
        }
        if self.cadence.measured_intervals() >= INTERVALS_TO_BELIEVE {
            self.decide_rates(events);
        }
        self.resolve();
    }

    /// Decides what closed windows mean by the rate as it is now, so that it does not
    /// matter how many are then measured together.
    pub(super) fn resolve(&mut self) {
        if !self.rate_known {
            return;
        }
        let steady = self.cadence.is_steady();
        for (k, window) in self.closed.drain(..) {
            if self.kinds[k].off {
                continue;
            }
            // At a steady rate k is an integer and nothing is rescaled (S4).
            let nominal_secs = (!steady).then(|| self.kinds[k].pairer.delta_secs());
            let job = WindowJob {
                window,
                nominal_secs,
            };
            self.waiting.push((k, job));
        }
    }

    /// Switches a kind off where the recording is too slow for it, and says so once.
    pub(super) fn decide_rates(&mut self, events: &mut Vec<Event>) {
        let Some(fps) = self.cadence.fps() else {
            return;
        };
        for state in &mut self.kinds {
            let slow = fps < state.min_fps * 0.99;
            if slow && !state.told_slow {
                state.told_slow = true;
                let notice = remarks::too_slow(state.kind, fps, state.min_fps);
                events.push(Event::Notice(notice));
            }
            // On again only at the full rate, so that a rate on the edge does not flicker.
            state.off = slow || (state.off && fps < state.min_fps);
        }
        self.rate_known = true;
    }

    /// Takes windows that wait, at most a batch, the earliest first.
    pub(super) fn due(&mut self) -> Vec<(usize, WindowJob)> {
        let batch = self.waiting.len().min(self.motion.engine().batch());
        let mut due: Vec<_> = self.waiting.drain(..batch).collect();
        // A network reads the inputs of its kind in one piece.
        due.sort_by_key(|(k, _)| *k);
        due
    }

    pub(super) fn measure_waiting(&mut self, events: &mut Vec<Event>) -> Result<(), SessionError> {
        while !self.waiting.is_empty() {
            let due = self.due();
            let measured = self.motion.measure(&jobs_of(&due))?;
            self.tell_scores(&due, &measured, events)?;
        }
        Ok(())
    }

    /// Drops what no window still to come can contain.
    pub(super) fn forget(&mut self) {
        let oldest = self
            .kinds
            .iter()
            .filter_map(|k| k.pairer.oldest_start())
            .chain(self.closed.iter().map(|(_, window)| window.start_frame))
            .chain((self.waiting.iter()).map(|(_, job)| job.window.start_frame))
            .min();
        if let Some(oldest) = oldest {
            self.motion.forget_before(oldest);
            while self.recent.front().is_some_and(|r| r.frame < oldest) {
                self.recent.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::blank;
    use super::*;
    use crate::session::{Params, Resources};

    #[test]
    fn only_what_windows_can_need_is_kept_at_any_rate() {
        for (fps, most) in [(4.0, 20), (10.0, 40), (30.0, 60), (200.0, 200)] {
            let resources = Resources::load(&Params::default()).unwrap();
            let mut pipeline = Pipeline::new(&Params::default(), &resources).unwrap();
            for frame in blank(fps, 600) {
                pipeline.push(&frame).unwrap();
            }
            let kept = pipeline.motion.frames_kept();
            assert!(kept <= most, "{kept} frames at {fps} a second");
            assert!(pipeline.recent.len() <= most && pipeline.waiting.len() < 32);
        }
    }
}
