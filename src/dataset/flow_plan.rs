//! Which labelled events become flow images, and what these are called: the three
//! classes of MEGC 2019 (See et al., FG 2019) over one database or several.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::error::{Place, Problem};
use super::flow_images::FlowClip;
use super::index::{DatasetKind, Index, LabelledEvent, LabelledRecording};
use crate::base::Severity;
use crate::spotting::ExpressionKind;

/// An event on its way to a flow image.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedClip {
    /// The row of `labels.csv` it becomes.
    pub clip: FlowClip,
    /// Its database among the plan's, and its recording among the database's.
    pub database: usize,
    pub recording: usize,
    /// Frames from 0, `onset` before `apex`.
    pub onset: u64,
    /// Where nobody marked one (SMIC), the frame in the middle between onset and
    /// offset, rounded down.
    pub apex: u64,
    pub apex_marked: bool,
    /// Where the label stands.
    pub place: Place,
}

/// The clips of one or several databases, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowPlan<'a> {
    pub databases: &'a [Index],
    pub clips: Vec<PlannedClip>,
    /// Events that belong to a class but cannot be used, each with the reason.
    pub left_out: Vec<Problem>,
    /// Events of emotions that the challenge leaves out ([`EmotionSet::three_class`]).
    ///
    /// [`EmotionSet::three_class`]: crate::facs::EmotionSet::three_class
    pub other_emotions: usize,
    /// Events of a kind that was not asked for.
    pub other_kinds: usize,
}

/// Two of the folders are the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The same folder was given twice, and its clips would be trained and tested on at once. Give it once: {}", .0.display())]
pub struct SameRoot(pub PathBuf);

impl<'a> FlowPlan<'a> {
    /// Goes through all events of `kinds`.
    ///
    /// Subjects are named after their database, `casme2_sub01`, so that people of two
    /// never count as one. SAMM and SAMM Long Videos show the same people, and so do
    /// two roots of one database (two cameras of SMIC): these share their names, or
    /// leaving one subject out would leave the person in. Two folders of recordings
    /// are taken to show different people.
    ///
    /// # Errors
    /// [`SameRoot`].
    pub fn new(databases: &'a [Index], kinds: &[ExpressionKind]) -> Result<Self, SameRoot> {
        let mut plan = Self {
            databases,
            clips: Vec::new(),
            left_out: Vec::new(),
            other_emotions: 0,
            other_kinds: 0,
        };
        let mut roots = BTreeSet::new();
        let mut names = BTreeSet::new();
        for (database, index) in databases.iter().enumerate() {
            let root = std::fs::canonicalize(&index.root).unwrap_or_else(|_| index.root.clone());
            if !roots.insert(root) {
                return Err(SameRoot(index.root.clone()));
            }
            let before = databases[..database]
                .iter()
                .filter(|earlier| earlier.kind == index.kind)
                .count();
            let tag = numbered(index.kind.argument(), before);
            let people = match index.kind {
                DatasetKind::SammLong => DatasetKind::Samm.argument().to_owned(),
                DatasetKind::Recordings => tag.clone(),
                licensed => licensed.argument().to_owned(),
            };
            for (at, recording) in index.recordings.iter().enumerate() {
                for event in &recording.events {
                    if !kinds.contains(&event.kind) {
                        plan.other_kinds += 1;
                        continue;
                    }
                    let Some(label) = plan.class(index, &tag, recording, event) else {
                        continue;
                    };
                    let (apex, apex_marked) = match event.apex {
                        Some(apex) => (apex, true),
                        None => (event.onset.midpoint(event.offset), false),
                    };
                    if let Some((why, remedy)) = unusable(event, apex) {
                        plan.leave_out(&tag, recording, event, why, remedy);
                        continue;
                    }
                    plan.clips.push(PlannedClip {
                        clip: FlowClip {
                            clip: clip_name(&tag, recording, event, &mut names),
                            subject: format!("{people}_{}", recording.subject),
                            dataset: tag.clone(),
                            label,
                        },
                        database,
                        recording: at,
                        onset: event.onset,
                        apex,
                        apex_marked,
                        place: event.place.clone(),
                    });
                }
            }
        }
        Ok(plan)
    }

    #[must_use]
    pub fn recording(&self, clip: &PlannedClip) -> &'a LabelledRecording {
        &self.databases[clip.database].recordings[clip.recording]
    }

    #[must_use]
    pub fn root(&self, clip: &PlannedClip) -> &'a Path {
        &self.databases[clip.database].root
    }

    /// How many clips have a middle frame in place of a marked apex.
    #[must_use]
    pub fn without_apex(&self) -> usize {
        self.clips.iter().filter(|c| !c.apex_marked).count()
    }

    /// 0 negative, 1 positive, 2 surprise; `None` for an event that has no class,
    /// which is counted or told.
    fn class(
        &mut self,
        index: &Index,
        tag: &str,
        recording: &LabelledRecording,
        event: &LabelledEvent,
    ) -> Option<usize> {
        let Some(emotion) = event.emotion else {
            let why = "its label names no emotion that can be read";
            self.leave_out(tag, recording, event, why, "Fill or correct the cell");
            return None;
        };
        let class = index.kind.emotions().three_class(emotion);
        if class.is_none() {
            self.other_emotions += 1;
        }
        class.map(crate::facs::ThreeClass::number)
    }

    fn leave_out(
        &mut self,
        tag: &str,
        recording: &LabelledRecording,
        event: &LabelledEvent,
        why: &str,
        remedy: &str,
    ) {
        let name = &recording.recording;
        self.left_out
            .push(left_out(tag, name, why, remedy, &event.place));
    }
}

/// An event that is not used, as people are told.
pub(super) fn left_out(
    tag: &str,
    recording: &str,
    why: &str,
    remedy: &str,
    place: &Place,
) -> Problem {
    Problem {
        severity: Severity::Warning,
        what: format!("An event of {tag} {recording} is left out: {why}"),
        remedy: remedy.to_owned(),
        skipped_row: true,
        place: place.clone(),
    }
}

/// Why an event shows no measurable motion, and the remedy.
fn unusable(event: &LabelledEvent, apex: u64) -> Option<(&'static str, &'static str)> {
    if event.lacks_frames {
        return Some((
            "the image of its onset or of its apex is missing",
            "Unpack the frames again",
        ));
    }
    (apex <= event.onset).then_some((
        "its apex is its onset, so there is no motion between them",
        "Correct the row",
    ))
}

fn numbered(name: &str, before: usize) -> String {
    match before {
        0 => name.to_owned(),
        n => format!("{name}-{}", n + 1),
    }
}

/// Database, recording and frames, as a file may be called; different events get
/// different names on disks that do not tell capitals, too.
fn clip_name(
    tag: &str,
    recording: &LabelledRecording,
    event: &LabelledEvent,
    taken: &mut BTreeSet<String>,
) -> String {
    let kind = match event.kind {
        ExpressionKind::Micro => "",
        ExpressionKind::Macro => "_macro",
    };
    let name = format!(
        "{tag}_{}_{}-{}{kind}",
        recording.recording, event.onset, event.offset
    );
    let plain: String = name
        .chars()
        .map(|c| match c {
            '-' | '_' | '.' => c,
            c if c.is_alphanumeric() => c,
            _ => '_',
        })
        .collect();
    let mut name = plain.clone();
    let mut number = 1;
    while !taken.insert(name.to_lowercase()) {
        number += 1;
        name = format!("{plain}_{number}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facs::Emotion;

    fn event(
        onset: u64,
        apex: Option<u64>,
        offset: u64,
        emotion: Option<Emotion>,
    ) -> LabelledEvent {
        LabelledEvent {
            kind: ExpressionKind::Micro,
            onset,
            apex,
            offset,
            lacks_frames: false,
            aus: None,
            emotion,
            place: Place::file("sheet.xlsx"),
        }
    }

    fn index(kind: DatasetKind, root: &str, events: Vec<LabelledEvent>) -> Index {
        Index {
            kind,
            root: root.into(),
            recordings: vec![LabelledRecording {
                subject: "006".into(),
                recording: "a b/c".into(),
                source: root.into(),
                fps: 100.0,
                frames: None,
                events,
                distractors: Vec::new(),
            }],
            label_rows: 1,
            problems: Vec::new(),
        }
    }

    #[test]
    fn events_get_classes_middles_and_names_or_a_reason() {
        let mut broken = event(40, Some(44), 50, Some(Emotion::Happiness));
        broken.lacks_frames = true;
        let mut long = event(60, Some(70), 80, Some(Emotion::Happiness));
        long.kind = ExpressionKind::Macro;
        let events = vec![
            event(3, Some(5), 9, Some(Emotion::Disgust)),
            event(4, None, 9, Some(Emotion::Surprise)),
            event(10, Some(10), 19, Some(Emotion::Surprise)),
            event(20, Some(25), 29, Some(Emotion::Others)),
            event(30, Some(35), 39, None),
            broken,
            long,
        ];
        let all = [index(DatasetKind::Samm, "/one", events)];
        let plan = FlowPlan::new(&all, &[ExpressionKind::Micro]).unwrap();
        let clips: Vec<_> = plan.clips.iter().map(|c| &c.clip.clip).collect();
        assert_eq!(clips, ["samm_a_b_c_3-9", "samm_a_b_c_4-9"]);
        assert_eq!((plan.clips[1].apex, plan.without_apex()), (6, 1));
        assert_eq!((plan.clips[0].clip.label, plan.clips[1].clip.label), (0, 2));
        assert_eq!((plan.other_emotions, plan.other_kinds), (1, 1));
        let told: Vec<String> = plan.left_out.iter().map(ToString::to_string).collect();
        for (told, words) in told.iter().zip(["is its onset", "no emotion", "missing"]) {
            assert!(
                told.contains(words) && told.ends_with("sheet.xlsx"),
                "{told}"
            );
        }
        assert_eq!(told.len(), 3);
        let plan = FlowPlan::new(&all, &ExpressionKind::BOTH).unwrap();
        assert!(
            plan.clips
                .last()
                .is_some_and(|c| c.clip.clip.ends_with("_macro"))
        );
    }

    #[test]
    fn the_same_people_have_the_same_name_and_others_never() {
        use DatasetKind::{Casme2, Recordings, Samm, SammLong, Smic};
        let of = |kind, root| {
            index(
                kind,
                root,
                vec![event(0, Some(3), 5, Some(Emotion::Surprise))],
            )
        };
        let all = [
            of(Samm, "/1"),
            of(SammLong, "/2"),
            of(Smic, "/3"),
            of(Smic, "/4"),
            of(Casme2, "/5"),
            of(Recordings, "/6"),
            of(Recordings, "/7"),
        ];
        let plan = FlowPlan::new(&all, &[ExpressionKind::Micro]).unwrap();
        let subjects: Vec<_> = plan.clips.iter().map(|c| c.clip.subject.as_str()).collect();
        let expected = [
            "samm_006",
            "samm_006",
            "smic_006",
            "smic_006",
            "casme2_006",
            "recordings_006",
            "recordings-2_006",
        ];
        assert_eq!(subjects, expected);
        assert_eq!(plan.clips[3].clip.dataset, "smic-2");
        let twice = [of(Samm, "/1"), of(Samm, "/1")];
        assert!(FlowPlan::new(&twice, &[ExpressionKind::Micro]).is_err());
    }
}
