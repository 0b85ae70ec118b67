//! The end of the recording, in two parts: what was found with what moved in it, and the
//! second looks that are still to come, for which whoever shows it need not wait.

use super::Pipeline;
use crate::base::Notice;
use crate::session::window_sample::frame_times;
use crate::spotting::signal::ScoreSample;
use crate::timeline::Event;

impl Pipeline {
    /// The end of the recording: measures what waits, then decodes everything. What
    /// cannot be measured any more, since the card was lost, is left out with a notice.
    pub fn finish(&mut self) -> Vec<Event> {
        let mut events = self.spot();
        events.extend(self.late_looks());
        events
    }

    /// The first part of [`Pipeline::finish`]: what was found in the whole recording, and
    /// what moved in it. It waits for no second look that is taken beside the analysis.
    pub fn spot(&mut self) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.unsent);
        self.decide_rates(&mut events);
        self.rate_known = true;
        self.resolve();
        let measured = self.measure_waiting(&mut events);
        if let Err(e) = measured.and_then(|()| self.tell_ready(Vec::new(), true, &mut events)) {
            let text = format!("The last moments before the end are not measured. {e}");
            events.push(Event::Notice(Notice::warning(text)));
            self.waiting.clear();
        }
        if let Some(track) = &self.last_track {
            let end = track.timestamp;
            self.tell_loss(end, &mut events);
            self.tell_whole(end, &mut events);
        }
        let samples = self.samples();
        let (intervals, thresholds) = self.decoding.whole(&samples);
        self.found.clone_from(&intervals);
        events.push(Event::Spotted {
            intervals,
            thresholds,
        });
        if let Some(recognising) = &mut self.recognising {
            let times = frame_times(&samples);
            let read = recognising.read_rest(&self.found, |frame| times.get(&frame).copied());
            events.extend(read.unwrap_or_else(|e| {
                let text = format!("What moved at the end is not read. {e}");
                vec![Event::Notice(Notice::warning(text))]
            }));
        }
        events
    }

    /// The last part, after [`Pipeline::spot`]: every second look that was asked for and is
    /// still to come.
    pub fn late_looks(&mut self) -> Vec<Event> {
        let times = frame_times(&self.samples());
        let Some(recognising) = &mut self.recognising else {
            return Vec::new();
        };
        recognising.late_looks(&self.found, |frame| times.get(&frame).copied())
    }

    fn samples(&self) -> Vec<ScoreSample> {
        let samples = self.kinds.iter().flat_map(|k| &k.samples);
        samples.cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::super::tests::blank;
    use super::*;
    use crate::session::second_looking::{Answer, Question, SecondLooking};
    use crate::session::{Params, Resources};

    /// Says whether somebody waits for all of its answers.
    struct Slow(Arc<AtomicBool>);

    impl SecondLooking for Slow {
        fn ask(&mut self, _: Question) -> bool {
            true
        }

        fn answers(&mut self, all: bool) -> Vec<Answer> {
            self.0.fetch_or(all, Ordering::Relaxed);
            Vec::new()
        }
    }

    #[test]
    fn what_was_found_is_told_at_once_and_second_looks_follow() {
        let resources = Resources::load(&Params::default()).unwrap();
        let mut pipeline = Pipeline::new(&Params::default(), &resources).unwrap();
        let waited = Arc::new(AtomicBool::new(false));
        let recognising = pipeline.recognising.as_mut().unwrap();
        recognising.look_again_with(Box::new(Slow(Arc::clone(&waited))));
        for frame in blank(30.0, 40) {
            pipeline.push(&frame).unwrap();
        }
        let told = pipeline.spot();
        assert!(told.iter().any(|e| matches!(e, Event::Spotted { .. })));
        assert!(!waited.load(Ordering::Relaxed), "nothing waits for it");
        pipeline.late_looks();
        assert!(waited.load(Ordering::Relaxed));
    }
}
