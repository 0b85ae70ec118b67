//! Where two coders differ, one sentence each, to go through together.

use serde::Serialize;

use super::units::{by_place, close};
use super::{Coded, Params, pair_up, span};
use crate::facs::{ScoredUnit, facs_score};
use crate::timeline::{Annotation, AnnotationId};

/// How far apart two moments may lie: a difference is listed when it is larger than
/// both.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tolerance {
    pub frames: u64,
    pub secs: f64,
}

impl Default for Tolerance {
    /// Two frames, at high rates a fifteenth of a second: two frames at 30 fps.
    fn default() -> Self {
        Self {
            frames: 2,
            secs: 1.0 / 15.0,
        }
    }
}

/// In what two coders differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    OnlyFirst,
    OnlySecond,
    Kind,
    Onset,
    /// Apart by more than the tolerance, or marked by one coder only.
    Apex,
    Offset,
    /// Another unit or side, or more than one letter between the intensities.
    Units,
    Emotion,
}

/// One thing to look at together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    pub what: Difference,
    /// Where to look, counted from 0.
    pub frame: u64,
    pub first: Option<AnnotationId>,
    pub second: Option<AnnotationId>,
    /// For the coders to read.
    pub sentence: String,
}

/// All disagreements in one recording, in order of time.
#[must_use]
pub fn disagreements(recording: &Coded, coders: [&str; 2], params: Params) -> Vec<Disagreement> {
    let [first, second] = coders.map(|coder| recording.seen_by(coder));
    let pairs = pair_up(&first, &second, params.least_overlap);
    let names = Names::of(coders);
    let mut list = Vec::new();
    for (at, a) in first.iter().enumerate() {
        if !pairs.iter().any(|&(i, _)| i == at) {
            let sentence = alone(&names.first, &names.second, a);
            list.push(found(
                Difference::OnlyFirst,
                look_at(a),
                Some(a),
                None,
                &sentence,
            ));
        }
    }
    for (at, b) in second.iter().enumerate() {
        if !pairs.iter().any(|&(_, j)| j == at) {
            let sentence = alone(&names.second, &names.first, b);
            list.push(found(
                Difference::OnlySecond,
                look_at(b),
                None,
                Some(b),
                &sentence,
            ));
        }
    }
    for (i, j) in pairs {
        let pair = Pair {
            first: first[i],
            second: second[j],
            names: &names,
            recording,
            tolerance: params.tolerance,
        };
        pair.list(&mut list);
    }
    list.sort_by_key(|d| (d.frame, d.what, d.first, d.second));
    list
}

/// The apex, where one is marked: there is most to see.
fn look_at(a: &Annotation) -> u64 {
    a.apex.unwrap_or_else(|| span(a).0)
}

fn found(
    what: Difference,
    frame: u64,
    first: Option<&Annotation>,
    second: Option<&Annotation>,
    sentence: &str,
) -> Disagreement {
    Disagreement {
        what,
        frame,
        first: first.map(|a| a.id),
        second: second.map(|b| b.id),
        sentence: with_capital(sentence),
    }
}

/// How the coders are called within a sentence.
struct Names {
    first: String,
    second: String,
}

impl Names {
    fn of([first, second]: [&str; 2]) -> Self {
        let name = |name: &str, otherwise: &str| {
            let name = name.trim();
            if name.is_empty() { otherwise } else { name }.to_owned()
        };
        Self {
            first: name(first, "the first coder"),
            second: name(second, "the second coder"),
        }
    }
}

fn alone(who: &str, other: &str, a: &Annotation) -> String {
    let kind = a.kind.name();
    let units = if a.units.is_empty() {
        String::new()
    } else {
        format!(" ({})", facs_score(&a.units))
    };
    let (onset, offset) = span(a);
    format!("{who} saw a {kind}-expression{units} in frames {onset} to {offset}, {other} nothing.")
}

fn with_capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// Two annotations of the same expression.
struct Pair<'a> {
    first: &'a Annotation,
    second: &'a Annotation,
    names: &'a Names,
    recording: &'a Coded<'a>,
    tolerance: Tolerance,
}

impl Pair<'_> {
    fn list(&self, list: &mut Vec<Disagreement>) {
        let (a, b) = (self.first, self.second);
        let (who, other) = (&self.names.first, &self.names.second);
        let look = a
            .apex
            .or(b.apex)
            .unwrap_or_else(|| span(a).0.max(span(b).0));
        let mut add = |what, frame, sentence: String| {
            list.push(found(what, frame, Some(a), Some(b), &sentence));
        };
        if a.kind != b.kind {
            let (one, two) = (a.kind.name(), b.kind.name());
            let sentence = format!("{who} saw a {one}-expression, {other} a {two}-expression.");
            add(Difference::Kind, look, sentence);
        }
        for (what, word, one, two) in [
            (Difference::Onset, "onset", span(a).0, span(b).0),
            (Difference::Offset, "offset", span(a).1, span(b).1),
        ] {
            if let Some(sentence) = self.apart(word, one, two) {
                add(what, one.min(two), sentence);
            }
        }
        match (a.apex, b.apex) {
            (Some(one), Some(two)) => {
                if let Some(sentence) = self.apart("apex", one, two) {
                    add(Difference::Apex, one.min(two), sentence);
                }
            }
            (Some(one), None) => {
                let sentence = format!("{who} marked an apex, {other} none.");
                add(Difference::Apex, one, sentence);
            }
            (None, Some(two)) => {
                let sentence = format!("{who} marked no apex, {other} did.");
                add(Difference::Apex, two, sentence);
            }
            (None, None) => {}
        }
        if let Some(sentence) = self.units() {
            add(Difference::Units, look, sentence);
        }
        if a.emotion != b.emotion {
            let [one, two] = [a, b].map(|x| x.emotion.as_deref().unwrap_or("no emotion"));
            let sentence = format!("{who} named {one}, {other} {two}.");
            add(Difference::Emotion, look, sentence);
        }
    }

    fn apart(&self, moment: &str, one: u64, two: u64) -> Option<String> {
        let frames = one.abs_diff(two);
        let time_of = self.recording.time_of;
        let secs = time_of(one).secs_since(time_of(two)).abs();
        if frames <= self.tolerance.frames || secs <= self.tolerance.secs {
            return None;
        }
        let (earlier, later) = if one < two {
            (&self.names.first, &self.names.second)
        } else {
            (&self.names.second, &self.names.first)
        };
        Some(format!(
            "{earlier} set the {moment} {frames} frames ({secs:.3} s) before {later}."
        ))
    }

    /// Only the units they differ in are named.
    fn units(&self) -> Option<String> {
        let (first, second) = (by_place(&self.first.units), by_place(&self.second.units));
        let differing = |mine: &[ScoredUnit], others: &super::units::Places| {
            let mut left: Vec<ScoredUnit> = Vec::new();
            for unit in mine {
                let agreed = (others.get(&(unit.unit, unit.side)))
                    .is_some_and(|&intensity| close(unit.intensity, intensity));
                if !agreed && !left.contains(unit) {
                    left.push(*unit);
                }
            }
            left
        };
        let one = differing(&self.first.units, &second);
        let two = differing(&self.second.units, &first);
        let (who, other) = (&self.names.first, &self.names.second);
        let (a, b) = (facs_score(&one), facs_score(&two));
        Some(match (one.is_empty(), two.is_empty()) {
            (true, true) => return None,
            (false, false) => format!("{who} scored {a}, {other} {b}."),
            (false, true) if second.is_empty() => format!("{who} scored {a}, {other} nothing."),
            (false, true) => format!("{who} scored {a}, {other} did not."),
            (true, false) if first.is_empty() => format!("{who} scored nothing, {other} {b}."),
            (true, false) => format!("{who} did not score {b}, {other} did."),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at_30_fps, scored, seen};
    use super::*;
    use crate::base::Timestamp;
    use crate::spotting::ExpressionKind;

    fn listed(annotations: &[Annotation]) -> Vec<Disagreement> {
        let recording = Coded {
            annotations,
            frames: 1000,
            time_of: &at_30_fps,
        };
        disagreements(&recording, ["Anna", "Ben"], Params::default())
    }

    #[test]
    fn what_only_one_coder_saw_comes_in_order_of_time() {
        let mut late = scored("Anna", 500, 510, "AU4B");
        late.apex = Some(505);
        let early = seen("Ben", 100, 110);
        let list = listed(&[late.clone(), early.clone()]);
        assert_eq!(list.len(), 2);
        assert_eq!((list[0].what, list[0].frame), (Difference::OnlySecond, 100));
        assert_eq!((list[0].first, list[0].second), (None, Some(early.id)));
        assert_eq!(
            list[0].sentence,
            "Ben saw a micro-expression in frames 100 to 110, Anna nothing."
        );
        assert_eq!((list[1].what, list[1].frame), (Difference::OnlyFirst, 505));
        assert!(list[1].sentence.contains("(AU 4B)"));
    }

    #[test]
    fn moments_are_listed_only_when_apart_by_frames_and_by_time() {
        // 30 fps: 2 frames are not listed, 3 frames (0.1 s) are.
        let near = [seen("Anna", 100, 120), seen("Ben", 102, 118)];
        assert!(listed(&near).is_empty());
        let far = [seen("Anna", 103, 120), seen("Ben", 100, 120)];
        let list = listed(&far);
        assert_eq!(
            (list.len(), list[0].what, list[0].frame),
            (1, Difference::Onset, 100)
        );
        assert_eq!(
            list[0].sentence,
            "Ben set the onset 3 frames (0.100 s) before Anna."
        );
        // 200 fps: 13 frames are 0.065 s, within a fifteenth of a second; 14 are not.
        let fast = |frame: u64| Timestamp::from_secs(frame as f64 / 200.0);
        for (apart, count) in [(13, 0), (14, 1)] {
            let both = [seen("Anna", 100, 200), seen("Ben", 100, 200 + apart)];
            let recording = Coded {
                annotations: &both,
                frames: 1000,
                time_of: &fast,
            };
            let list = disagreements(&recording, ["Anna", "Ben"], Params::default());
            assert_eq!(list.len(), count, "{apart}");
        }
    }

    #[test]
    fn kind_apex_units_and_emotion_are_named() {
        let mut a = scored("Anna", 100, 120, "AU6B+AU12C");
        let mut b = scored("Ben", 100, 120, "AU6C");
        a.kind = ExpressionKind::Macro;
        a.apex = Some(110);
        a.emotion = Some("happiness".to_owned());
        let list = listed(&[a.clone(), b.clone()]);
        let said: Vec<&str> = list.iter().map(|d| d.sentence.as_str()).collect();
        assert_eq!(
            said,
            [
                "Anna saw a macro-expression, Ben a micro-expression.",
                "Anna marked an apex, Ben none.",
                "Anna scored AU 12C, Ben did not.",
                "Anna named happiness, Ben no emotion.",
            ]
        );
        assert!(
            list.iter()
                .all(|d| d.frame == 110 && d.second == Some(b.id))
        );
        b.units.clear();
        a.units.truncate(1);
        let list = listed(&[a, b]);
        assert_eq!(list[2].sentence, "Anna scored AU 6B, Ben nothing.");
    }

    #[test]
    fn coders_without_names_are_counted() {
        let both = [scored("", 0, 9, "AU1"), scored("Ben", 0, 9, "AU2")];
        let recording = Coded {
            annotations: &both,
            frames: 20,
            time_of: &at_30_fps,
        };
        let list = disagreements(&recording, ["Ben", ""], Params::default());
        assert_eq!(list[0].sentence, "Ben scored AU 2, the second coder AU 1.");
        let list = disagreements(&recording, ["", "Ben"], Params::default());
        assert_eq!(list[0].sentence, "The first coder scored AU 1, Ben AU 2.");
    }
}
