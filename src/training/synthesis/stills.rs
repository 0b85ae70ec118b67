//! The few frames of a recording that networks for action units learn from. A
//! recording of half a minute has a thousand frames, and its dozen expressions need
//! some hundred of them at most.

use std::collections::BTreeSet;

use super::script::{Script, ScriptedEvent, Storage};
use crate::media::synthetic::Dice;

/// How far two frames at rest lie apart, as expressions rise: seconds, even in the
/// logarithm.
const REST_SECS: [f64; 2] = [0.08, 0.9];
/// Frames that are left free before an onset and after an offset.
const FREE: u64 = 2;

impl Script {
    /// The recording with these frames alone, as a folder of pictures: of each
    /// expression `evenly` frames from onset to offset, both among them (2 or more), and
    /// the apex instead of the frame nearest to it, and before it as many frames at rest
    /// where there is time for them. Frames of
    /// labels count what is left. Distractors are not named.
    #[must_use]
    pub fn stills(mut self, evenly: u32) -> Self {
        let mut dice = Dice::of(&self.shot.name, "stills", 0);
        let times = std::mem::take(&mut self.shot.times);
        let rate = self.shot.nominal_fps;
        let mut chosen: Vec<u64> = Vec::new();
        let mut events = Vec::new();
        let mut free = 0;
        for event in self.events {
            let apart = (dice.log_within(REST_SECS) * rate).round().max(1.0) as u64;
            let latest = event.onset.saturating_sub(FREE + apart);
            let steps = u64::from(evenly.max(2)) - 1;
            let spread = |first: u64, length: u64| {
                let even = (0..=steps).map(move |step| first + length * step / steps);
                even.collect::<BTreeSet<u64>>()
            };
            if latest > free {
                let first = free + dice.below((latest - free) as usize) as u64;
                chosen.extend(spread(first, apart));
            }
            let place = chosen.len() as u64;
            let mut shown = spread(event.onset, event.offset - event.onset);
            // The apex stands for the frame nearest to it: one more would set all that
            // follow a step late. Onset and offset stay.
            let between = shown.range(event.onset + 1..event.offset).copied();
            let nearest = between.min_by_key(|frame| frame.abs_diff(event.apex));
            if let Some(nearest) = nearest {
                shown.remove(&nearest);
            }
            shown.insert(event.apex);
            let before_apex = shown.range(..event.apex).count() as u64;
            chosen.extend(&shown);
            free = event.offset + FREE;
            events.push(ScriptedEvent {
                onset: place,
                apex: place + before_apex,
                offset: chosen.len() as u64 - 1,
                ..event
            });
        }
        // Somebody who only rests: two frames of that.
        if events.is_empty() {
            chosen.extend([0, (rate * 0.5) as u64]);
        }
        let last = times.len().saturating_sub(1);
        self.shot.times = chosen
            .iter()
            .filter_map(|&frame| times.get((frame as usize).min(last)).copied())
            .collect();
        // The pictures have no rate of their own.
        self.shot.nominal_fps = 1.0;
        self.events = events;
        self.distractors = Vec::new();
        self.storage = self.storage.of_stills();
        self
    }
}

impl Storage {
    /// Single pictures that lost about as much.
    fn of_stills(self) -> Self {
        let quality = match self {
            Self::H264 { crf, .. } => 125.0 - 2.2 * f64::from(crf),
            Self::MotionJpeg { quantiser } => 105.0 - 4.0 * f64::from(quantiser),
            Self::JpegFolder { quality } => f64::from(quality),
        };
        Self::JpegFolder {
            quality: quality.clamp(45.0, 97.0) as u8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::synthesis::Recipe;

    #[test]
    fn stills_show_what_the_whole_recording_shows_at_its_labels() {
        let recipe = Recipe::parse(Recipe::TRAIN_1).unwrap();
        let whole = (0..40).map(|n| Script::draw(&recipe, n));
        let whole = whole.max_by_key(|script| script.events.len()).unwrap();
        let stills = whole.clone().stills(2);
        assert_eq!(stills, whole.clone().stills(2));
        assert_eq!(stills.events.len(), whole.events.len());
        assert!(stills.shot.times.len() <= 5 * whole.events.len());
        let more = whole.clone().stills(13);
        let at = |script: &Script, frame: u64| script.shot.times[frame as usize];
        for stills in [&stills, &more] {
            assert!(stills.shot.times.is_sorted_by(|a, b| a < b));
            for (few, all) in stills.events.iter().zip(&whole.events) {
                assert_eq!(few.units, all.units);
                for (a, b) in [
                    (few.onset, all.onset),
                    (few.apex, all.apex),
                    (few.offset, all.offset),
                ] {
                    assert_eq!(at(stills, a), at(&whole, b));
                }
            }
        }
        // Thirteen evenly, the apex one of them; a short one has fewer.
        let frames = |e: &ScriptedEvent| e.offset - e.onset + 1;
        assert!(more.events.iter().all(|e| frames(e) <= 13));
        assert!(more.events.iter().any(|e| frames(e) == 13));
        assert!(matches!(stills.storage, Storage::JpegFolder { .. }));
    }
}
