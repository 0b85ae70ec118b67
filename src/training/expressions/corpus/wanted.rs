//! Which pairs of frames are measured: the same ones every time.

use sha2::{Digest, Sha256};

use crate::dataset::LabelledRecording;
use crate::dataset::flow_frames::Pair;
use crate::training::random::{Moment, Purpose, Stream};

/// How far a spotter's onsets and apexes lie from the labelled ones, seconds.
const ASTRAY_SECS: f64 = 0.07;
/// Recordings of so few frames a second are stills: pictures chosen about expressions.
const STILLS_FPS: f64 = 1.0;
/// Pairs with onset and apex astray for each labelled expression.
const ASTRAY: usize = 2;

/// What a pair of frames shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// An expression from its labelled onset to its labelled apex.
    Expression { event: usize },
    /// The same expression with both a little off, as a spotter finds them.
    Astray { event: usize },
    /// An expression that goes back to rest: its units do not act, they let go.
    Release { event: usize },
    /// Nothing that is labelled.
    Rest,
}

impl Shown {
    /// Which of the recording's events it is about.
    #[must_use]
    pub fn event(self) -> Option<usize> {
        match self {
            Self::Expression { event } | Self::Astray { event } | Self::Release { event } => {
                Some(event)
            }
            Self::Rest => None,
        }
    }
}

/// Which pairs of frames are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// Labelled onsets and apexes, and rest: for testing.
    Testing,
    /// And some that are astray or let go: for learning.
    Learning,
}

/// The pairs to measure of a recording; the same ones every time.
pub(super) fn wanted(recording: &LabelledRecording, pairs: Pairs) -> Vec<(Shown, Pair)> {
    let mut wanted = Vec::new();
    let name = Sha256::digest(recording.recording.as_bytes());
    let seed = name.iter().take(8).fold(0, |s, &b| s << 8 | u64::from(b));
    let moment = Moment {
        seed,
        ..Moment::default()
    };
    let stream = moment.stream(Purpose::Sampling);
    for (event, labels) in recording.events.iter().enumerate() {
        let Some(apex) = labels.apex else { continue };
        if labels.onset >= apex {
            continue;
        }
        wanted.push((Shown::Expression { event }, (labels.onset, apex)));
        if pairs == Pairs::Testing {
            continue;
        }
        let mut random = stream.part(event as u64);
        for _ in 0..ASTRAY {
            let frames = ASTRAY_SECS * recording.fps;
            let off = |random: &mut Stream| (frames * random.normal()).round() as i64;
            let start = labels.onset.saturating_add_signed(off(&mut random));
            let end = apex.saturating_add_signed(off(&mut random));
            // More than half of the way is still to be seen.
            let half = u64::midpoint(labels.onset, apex);
            let start = start.min(half.saturating_sub(1));
            let end = end.clamp(half + 1, labels.offset.max(half + 1));
            if end > start && (start, end) != (labels.onset, apex) {
                wanted.push((Shown::Astray { event }, (start, end)));
            }
        }
        if labels.offset > apex && random.chance(0.4) {
            wanted.push((Shown::Release { event }, (apex, labels.offset)));
        }
    }
    wanted.extend(rests(recording, stream.part(u64::MAX)));
    wanted
}

/// Pairs during which nothing labelled happens, as long as expressions rise; about as
/// many as half of the expressions.
fn rests(recording: &LabelledRecording, mut random: Stream) -> Vec<(Shown, Pair)> {
    let last = recording.events.iter().map(|e| e.offset).max();
    // How long a recording without events is, nobody says: its first seconds will do.
    let last = last.unwrap_or((8.0 * recording.fps) as u64);
    let count = recording.events.len() / 2 + 2;
    if recording.fps <= STILLS_FPS {
        let mut gaps = gaps(recording);
        random.shuffle(&mut gaps);
        gaps.truncate(count);
        gaps.sort_unstable();
        return gaps.into_iter().map(|gap| (Shown::Rest, gap)).collect();
    }
    let mut found = Vec::new();
    for _ in 0..8 * count {
        if found.len() == count {
            break;
        }
        let secs = (0.08_f64.ln() + random.unit() * (0.9_f64 / 0.08).ln()).exp();
        let frames = ((secs * recording.fps).round() as u64).max(1);
        if last <= frames {
            break;
        }
        let start = random.below((last - frames) as usize) as u64;
        let end = start + frames;
        let apart = |e: &crate::dataset::LabelledEvent| e.offset < start || end < e.onset;
        if recording.events.iter().all(apart) {
            found.push((Shown::Rest, (start, end)));
        }
    }
    found
}

/// The frames between two expressions, first and last, where there are two or more. In
/// stills they are one moment of rest.
fn gaps(recording: &LabelledRecording) -> Vec<Pair> {
    let mut gaps = Vec::new();
    let mut free = 0;
    for event in &recording.events {
        if free + 1 < event.onset {
            gaps.push((free, event.onset - 1));
        }
        free = free.max(event.offset + 1);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::dataset::LabelledEvent;
    use crate::dataset::error::Place;
    use crate::spotting::ExpressionKind;

    fn recording() -> LabelledRecording {
        let event = |onset, apex, offset| LabelledEvent {
            kind: ExpressionKind::Micro,
            onset,
            apex,
            offset,
            lacks_frames: false,
            aus: None,
            emotion: None,
            place: Place::file("labels.csv"),
        };
        LabelledRecording {
            subject: "s1".to_owned(),
            recording: "r1".to_owned(),
            source: PathBuf::from("r1.mp4"),
            fps: 30.0,
            frames: None,
            events: vec![
                event(30, Some(36), 44),
                event(90, None, 99),
                event(200, Some(215), 240),
            ],
            distractors: Vec::new(),
        }
    }

    #[test]
    fn tests_read_labels_and_rest_and_learning_also_what_is_astray_and_at_rest() {
        let recording = recording();
        let testing = wanted(&recording, Pairs::Testing);
        let pairs: Vec<Pair> = (testing.iter())
            .filter(|w| w.0 != Shown::Rest)
            .map(|w| w.1)
            .collect();
        assert_eq!(pairs, [(30, 36), (200, 215)]);
        assert!(testing.len() >= 4);
        let learning = wanted(&recording, Pairs::Learning);
        assert_eq!(learning, wanted(&recording, Pairs::Learning));
        let astray = learning
            .iter()
            .filter(|w| matches!(w.0, Shown::Astray { .. }));
        assert_eq!(astray.clone().count(), 4);
        for (shown, (start, end)) in astray {
            let event = &recording.events[shown.event().unwrap()];
            let half = u64::midpoint(event.onset, event.apex.unwrap());
            assert!(*start < half && *end > half && *end <= event.offset);
        }
        let rests: Vec<&Pair> = learning
            .iter()
            .filter(|w| w.0 == Shown::Rest)
            .map(|w| &w.1)
            .collect();
        assert!(rests.len() >= 2);
        for (start, end) in rests {
            let over = |e: &LabelledEvent| *start <= e.offset && e.onset <= *end;
            assert!(!recording.events.iter().any(over), "{start} {end}");
        }
    }

    #[test]
    fn stills_rest_between_their_expressions() {
        let stills = LabelledRecording {
            fps: STILLS_FPS,
            ..recording()
        };
        assert_eq!(gaps(&stills), [(0, 29), (45, 89), (100, 199)]);
        let rests: Vec<Pair> = (wanted(&stills, Pairs::Testing).iter())
            .filter(|w| w.0 == Shown::Rest)
            .map(|w| w.1)
            .collect();
        assert_eq!(rests, gaps(&stills));
    }
}
