//! What a coder does: verdicts on candidates, new annotations, their frames and what
//! they show. Every change goes to the project file at once.

pub mod blind;
pub mod waiting;

use uuid::Uuid;

use super::coding::{Change, Held, NOTE, SpotKey, Step};
use super::command::{Command, Effect};
use super::exchange::Desk;
use super::report::ReportDesk;
use super::review::Review;
use super::state::AppState;
use crate::base::Notice;
use crate::facs::ScoredUnit;
use crate::project::exchange::join;
use crate::spotting::{ExpressionKind, IntervalStatus};
use crate::timeline::{Annotation, AnnotationId};

/// What lasts no longer is called a micro-expression (users: from onset to offset).
const LONGEST_MICRO_SECS: f64 = 0.5;
/// A key says nothing of an annotation further from the frame shown than this.
const FAR_SECS: f64 = 1.0;
/// How long a notice stays, and a little.
const NOTICE_SECS: f64 = 8.1;

/// A frame that an annotation names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    Onset,
    Apex,
    Offset,
}

impl Edge {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Onset => "the onset",
            Self::Apex => "the apex",
            Self::Offset => "the offset",
        }
    }
}

/// What is said of a stretch of the recording.
#[derive(Debug, Clone, PartialEq)]
pub enum Coded {
    /// A new annotation over the selected stretch, else from the frame shown.
    New,
    /// Is the frame shown.
    Edge(Edge),
    /// Dragged to a frame.
    Drag(AnnotationId, Edge, u64),
    Select(Option<AnnotationId>),
    /// Worked on from now, without going there.
    Mark(AnnotationId),
    /// To the coder's next (1) or previous (-1) annotation from the frame shown.
    Beside(i8),
    Units(Vec<ScoredUnit>),
    /// The field for units is to take the keys.
    EnterUnits,
    /// It has them.
    UnitsEntered,
    Emotion(Option<String>),
    Confidence(Option<u8>),
    Kind(ExpressionKind),
    Note(AnnotationId, String),
    Remove,
    /// Who codes from now on.
    Coder(String),
    /// Hides what the networks say, and brings it back.
    ToggleBlind,
}

/// A sentence for the person instead of a change, keys by what they do ([`Keymap::fill`]).
struct Refused(String);

impl AppState {
    pub(super) fn say_of_recording(&mut self, command: Command) -> Vec<Effect> {
        let done = match command {
            Command::Decide(status) => self.decide(status),
            Command::Code(coded) => self.code(coded),
            Command::Undo => self.revise(super::coding::Coding::undo, "undo"),
            Command::Redo => self.revise(super::coding::Coding::redo, "redo"),
            _ => Ok(vec![]),
        };
        done.unwrap_or_else(|Refused(why)| {
            let why = self.settings.keys.fill(&why);
            self.say(Notice::info(why));
            vec![Effect::WakeAfter(NOTICE_SECS)]
        })
    }

    fn decide(&mut self, status: IntervalStatus) -> Result<Vec<Effect>, Refused> {
        let coder = self.settings.coder.clone();
        let Some(review) = self.review.as_mut() else {
            return Ok(vec![]);
        };
        let Some(spot) = review.selected_spot() else {
            return Err(Refused(
                "Select a candidate first: click it in the list, or press {Next candidate}."
                    .to_owned(),
            ));
        };
        // Another coder's verdict stays theirs.
        let decision = review.coding.own_decision_on(SpotKey::of(spot)).cloned();
        let changes = match decision {
            // The same verdict again takes it back.
            Some(decision) if decision.status == status => {
                if says_more(&decision) {
                    return Err(Refused(
                        "You have said more of this one than a verdict. {Remove the annotation} takes all of it \
                         away."
                            .to_owned(),
                    ));
                }
                review.coding.remove("the verdict", decision.id)
            }
            Some(decision) => {
                let changed = Annotation { status, ..decision };
                review.coding.put("the verdict", changed)
            }
            None => {
                let decided = Annotation::decided(new_id(), &coder, spot, status);
                review.coding.put("the verdict", decided)
            }
        };
        // The verdict taken back leaves the candidate selected, as it was spotted.
        if let [
            Change {
                before: Some(gone),
                after: None,
            },
        ] = changes.as_slice()
            && let Some(candidate) = &gone.candidate
        {
            review.marked = None;
            review.selected = Some(SpotKey {
                kind: candidate.kind,
                onset: candidate.onset,
                apex: candidate.apex,
                offset: candidate.offset,
            });
        }
        let marked = changes.iter().find_map(|c| c.after.as_ref()).map(|a| a.id);
        if marked.is_some() {
            review.marked = marked;
        }
        Ok(review.changed(changes))
    }

    fn revise(
        &mut self,
        step: fn(&mut super::coding::Coding) -> Result<Step, Held>,
        does: &str,
    ) -> Result<Vec<Effect>, Refused> {
        let Some(review) = self.review.as_mut() else {
            return Ok(vec![]);
        };
        let step = step(&mut review.coding).map_err(|held| {
            Refused(match held {
                Held::Nothing => format!("Nothing to {does}."),
                Held::Others(coder) => format!(
                    "Nothing of yours to {does}: what was done last is {}'s. Only who did it can \
                     {does} it.",
                    named(&coder)
                ),
                Held::ChangedSince(coder) => format!(
                    "Cannot {does}: {} has changed the same annotation since.",
                    named(&coder)
                ),
            })
        })?;
        // What came back is what is looked at.
        let back = step.changes.iter().find_map(|c| c.after.as_ref());
        if let Some(back) = back.map(|a| a.id) {
            review.mark(Some(back));
        }
        Ok(review.changed(step.changes))
    }

    /// What was coded before anybody gave a name is signed with the first one.
    fn sign(&mut self, name: &str) -> Vec<Effect> {
        let before = std::mem::replace(&mut self.settings.coder, name.to_owned());
        let Some(review) = self.review.as_mut() else {
            return vec![];
        };
        review.coding.sign_as(name);
        if !before.is_empty() || name.is_empty() {
            review.decided();
            return vec![];
        }
        review.coding.steps_without_a_name_are(name);
        let nameless = review.coding.annotations().iter();
        let signed: Vec<Annotation> = nameless
            .filter(|a| a.coder.is_empty())
            .map(|a| Annotation {
                coder: name.to_owned(),
                ..a.clone()
            })
            .collect();
        let changes = review.coding.put_all("the name", signed);
        let count = changes.len();
        let effects = review.changed(changes);
        if count > 0 {
            let said = format!("{count} annotations without a name are {name}'s now.");
            self.say(Notice::info(said));
        }
        effects
    }

    fn code(&mut self, coded: Coded) -> Result<Vec<Effect>, Refused> {
        match coded {
            Coded::Coder(name) => return Ok(self.sign(name.trim())),
            Coded::ToggleBlind => {
                self.settings.blind = !self.settings.blind;
                return Ok(vec![]);
            }
            Coded::EnterUnits | Coded::UnitsEntered => {
                self.entering_units = coded == Coded::EnterUnits;
                return Ok(vec![]);
            }
            _ => {}
        }
        let coder = self.settings.coder.clone();
        let Some(review) = self.review.as_mut() else {
            return Ok(vec![]);
        };
        match coded {
            Coded::New => review.begin(&coder),
            Coded::Select(id) => {
                review.mark(id);
                let onset = review.annotation().map(|a| a.onset);
                Ok(onset.map_or_else(Vec::new, |onset| review.stop_at(onset)))
            }
            Coded::Beside(by) => review.beside(&coder, by),
            Coded::Remove => {
                let Some(annotation) = review.annotation() else {
                    let why = "Select an annotation first: a candidate is rejected with R.";
                    return Err(Refused(why.to_owned()));
                };
                own(annotation, &coder, "take away")?;
                let id = annotation.id;
                let changes = review.coding.remove("an annotation", id);
                Ok(review.changed(changes))
            }
            Coded::Edge(edge) => review.edge(&coder, edge),
            Coded::Drag(id, edge, frame) => {
                let Some(annotation) = review.coding.get(id).cloned() else {
                    return Ok(vec![]);
                };
                own(&annotation, &coder, "move")?;
                let dragged = review.with_edge(annotation, edge, frame);
                Ok(review.put(edge.name(), dragged))
            }
            Coded::Units(units) => review.say(&coder, "the units", |a| a.units = units),
            Coded::Emotion(emotion) => review.say(&coder, "the emotion", |a| a.emotion = emotion),
            Coded::Confidence(sure) => {
                let sure = sure.filter(|s| (1..=5).contains(s));
                review.say(&coder, "how sure you are", |a| a.confidence = sure)
            }
            Coded::Kind(kind) => review.say(&coder, "the kind", |a| a.kind = kind),
            Coded::Note(id, note) => {
                let Some(annotation) = review.coding.get(id).cloned() else {
                    return Ok(vec![]);
                };
                own(&annotation, &coder, "change")?;
                Ok(review.put(NOTE, Annotation { note, ..annotation }))
            }
            Coded::Mark(id) => {
                review.mark(Some(id));
                Ok(vec![])
            }
            Coded::Coder(_) | Coded::ToggleBlind | Coded::EnterUnits | Coded::UnitsEntered => {
                Ok(vec![])
            }
        }
    }
}

impl AppState {
    pub(super) fn exchange(&mut self, command: Command) -> Vec<Effect> {
        let coder = self.settings.coder.clone();
        let blind = self.blind();
        let Some(review) = self.review.as_mut() else {
            self.say(Notice::info(
                "Open the recording first; its annotations are read into it.",
            ));
            return vec![Effect::WakeAfter(NOTICE_SECS)];
        };
        // A blind pass exports what the coder has seen.
        let only = blind.then_some(coder.as_str());
        match command {
            Command::Export(format) => {
                vec![Effect::Export(format, Box::new(Desk::of(review, only)))]
            }
            // It would show how much others have found.
            Command::Merge(_) if blind => {
                self.say(Notice::info(self.settings.keys.fill(
                    "A blind pass hides other coders: end it first, {Blind pass}, then add their \
                     project.",
                )));
                vec![Effect::WakeAfter(NOTICE_SECS)]
            }
            Command::Merge(path) => vec![Effect::Merge(path)],
            Command::Import(path) => {
                vec![Effect::Import(path, Box::new(Desk::of(review, None)))]
            }
            Command::Report if blind => {
                self.say(Notice::info(self.settings.keys.fill(
                    "The report shows what the networks and others say: end the blind pass first: \
                     {Blind pass}.",
                )));
                vec![Effect::WakeAfter(NOTICE_SECS)]
            }
            Command::Report => {
                let desk = Box::new(ReportDesk::of(review));
                self.say(Notice::info("The report is being written…"));
                vec![Effect::Report(desk), Effect::WakeAfter(NOTICE_SECS)]
            }
            Command::Imported {
                generation,
                annotations,
            } if generation == review.session.generation => {
                let mut joined = review.coding.annotations().to_vec();
                // Files of other programs have no names for theirs: what is there already is
                // the same one.
                let same = |a: &Annotation, b: &Annotation| {
                    (&a.coder, a.kind, a.onset, a.offset) == (&b.coder, b.kind, b.onset, b.offset)
                        && (&a.units, &a.emotion) == (&b.units, &b.emotion)
                };
                let known = |a: &Annotation| {
                    joined.iter().any(|b| b.id != a.id && same(a, b))
                        && joined.iter().all(|b| b.id != a.id)
                };
                let new = annotations.into_iter().filter(|a| !known(a)).collect();
                join(&mut joined, new);
                let changes = review.coding.put_all("the import", joined);
                review.changed(changes)
            }
            _ => vec![],
        }
    }
}

/// Whether removing it would lose more than a verdict.
fn says_more(a: &Annotation) -> bool {
    let moved = a.candidate.as_ref().is_some_and(|c| {
        (c.kind, c.onset, Some(c.apex), c.offset) != (a.kind, a.onset, a.apex, a.offset)
    });
    moved
        || !a.units.is_empty()
        || a.emotion.is_some()
        || a.confidence.is_some()
        || !a.note.is_empty()
}

fn new_id() -> AnnotationId {
    AnnotationId(Uuid::new_v4().as_u128())
}

fn named(coder: &str) -> &str {
    match coder {
        "" => "a coder without a name",
        name => name,
    }
}

/// What others said stays theirs.
fn own(annotation: &Annotation, coder: &str, to: &str) -> Result<(), Refused> {
    if annotation.coder == coder {
        return Ok(());
    }
    let whose = named(&annotation.coder);
    Err(Refused(format!(
        "This annotation is by {whose}, so you cannot {to} it. Press {{New annotation}} to make your own."
    )))
}

impl Review {
    /// Shows the changes everywhere and has them kept.
    fn changed(&mut self, changes: Vec<Change>) -> Vec<Effect> {
        if changes.is_empty() {
            return vec![];
        }
        self.unsaved = true;
        self.decided();
        vec![Effect::Keep(changes)]
    }

    fn put(&mut self, of: &'static str, annotation: Annotation) -> Vec<Effect> {
        let changes = self.coding.put(of, annotation);
        self.changed(changes)
    }

    /// The annotation worked on, unless it is another coder's; of a candidate on which
    /// nobody has decided, one that accepts it: who corrects it has seen it.
    fn of_coder(&self, coder: &str, to: &str) -> Result<Annotation, Refused> {
        if let Some(annotation) = self.annotation() {
            own(annotation, coder, to)?;
            let mut annotation = annotation.clone();
            // Who corrects it has changed their mind.
            if annotation.status == IntervalStatus::Rejected {
                annotation.status = IntervalStatus::Accepted;
            }
            return Ok(annotation);
        }
        let spot = self.selected_spot().ok_or_else(|| {
            Refused(
                "Select an annotation or a candidate first, or press {Onset is here} where \
                 an onset is."
                    .to_owned(),
            )
        })?;
        let accepted = IntervalStatus::Accepted;
        Ok(Annotation::decided(new_id(), coder, spot, accepted))
    }

    fn say(
        &mut self,
        coder: &str,
        of: &'static str,
        change: impl FnOnce(&mut Annotation),
    ) -> Result<Vec<Effect>, Refused> {
        let mut annotation = self.of_coder(coder, "change")?;
        change(&mut annotation);
        self.marked = Some(annotation.id);
        Ok(self.put(of, annotation))
    }

    fn begin(&mut self, coder: &str) -> Result<Vec<Effect>, Refused> {
        if self.session.info.live {
            return Err(Refused(
                "A camera's pictures are not kept, so they cannot be coded. Record them first."
                    .to_owned(),
            ));
        }
        let here = self.playback.frame;
        let (onset, offset) = match self.timeline.selection.take() {
            Some((from, to)) => (self.frame_near(from), self.frame_near(to)),
            // At the frames of what is worked on, if that is another's.
            None => match self.annotation().filter(|a| a.coder != coder) {
                Some(theirs) => (theirs.onset, theirs.offset),
                None => (here, here),
            },
        };
        let own = self.coding.annotations().iter();
        let mut own = own.filter(|a| a.coder == coder);
        if own.any(|a| (a.onset, a.offset) == (onset, offset)) {
            return Err(Refused(
                "You have an annotation at exactly these frames already.".to_owned(),
            ));
        }
        let kind = ExpressionKind::Micro;
        let mut found = Annotation::found(new_id(), coder, kind, (onset, offset));
        found.kind = self.kind_by_length(&found);
        self.marked = Some(found.id);
        self.selected = None;
        Ok(self.put("an annotation", found))
    }

    fn kind_by_length(&self, annotation: &Annotation) -> ExpressionKind {
        let (onset, offset) = (
            self.time_of(annotation.onset),
            self.time_of(annotation.offset),
        );
        if offset.secs_since(onset) <= LONGEST_MICRO_SECS {
            ExpressionKind::Micro
        } else {
            ExpressionKind::Macro
        }
    }

    /// The frame shown is an onset, apex or offset. An onset behind what is worked on
    /// begins the next one.
    fn edge(&mut self, coder: &str, edge: Edge) -> Result<Vec<Effect>, Refused> {
        let here = self.playback.frame;
        let nothing = self.annotation().is_none() && self.selected_spot().is_none();
        if self.session.info.live {
            return Err(Refused(
                "A camera's frames cannot be coded: its pictures are not kept.".to_owned(),
            ));
        }
        // Of what is worked on; nothing lies far from one whose offset is still to come.
        let annotation = self.annotation().map(|a| (a.onset, a.offset));
        let spot = || self.selected_spot().map(|s| (s.onset, s.offset));
        let ends = annotation.or_else(spot).filter(|(a, b)| b > a);
        let far = ends.is_some_and(|(onset, offset)| {
            let t = self.time_of(here);
            let before = self.time_of(onset).secs_since(t) > FAR_SECS;
            before || t.secs_since(self.time_of(offset)) > FAR_SECS
        });
        let behind = ends.is_some_and(|(_, offset)| here > offset);
        if edge != Edge::Onset && far {
            return Err(Refused(
                "What is worked on lies more than a second from here. Press \
                 {Onset is here} to begin one here, or drag its end."
                    .to_owned(),
            ));
        }
        if edge == Edge::Onset && (nothing || behind || far) {
            self.timeline.selection = None;
            self.mark(None);
            return self.begin(coder);
        }
        let annotation = self.of_coder(coder, "move")?;
        let early = match edge {
            Edge::Onset => None,
            Edge::Apex if here < annotation.onset => Some("The apex would lie before the onset."),
            Edge::Offset if here < annotation.onset => {
                Some("The offset would lie before the onset.")
            }
            Edge::Offset if annotation.apex.is_some_and(|apex| here < apex) => {
                Some("The offset would lie before the apex.")
            }
            _ => None,
        };
        if let Some(early) = early {
            return Err(Refused(format!("{early} Move that one first.")));
        }
        self.marked = Some(annotation.id);
        let moved = self.with_edge(annotation, edge, here);
        Ok(self.put(edge.name(), moved))
    }

    /// The other frames make room: none of an annotation's ever stand out of order.
    pub(super) fn with_edge(&self, before: Annotation, edge: Edge, frame: u64) -> Annotation {
        let frame = frame.min(self.count_minus_one());
        let kind_was = self.kind_by_length(&before);
        let mut a = before;
        match edge {
            Edge::Onset => {
                a.onset = frame;
                a.offset = a.offset.max(frame);
                a.apex = a.apex.map(|apex| apex.max(frame));
            }
            Edge::Apex => {
                let apex = frame.max(a.onset);
                a.apex = Some(apex);
                a.offset = a.offset.max(apex);
            }
            Edge::Offset => {
                let earliest = a.apex.unwrap_or(a.onset).max(a.onset);
                a.offset = frame.max(earliest);
            }
        }
        // The kind follows the length where it crosses the limit; a kind that was
        // chosen against it stays until then.
        let kind = self.kind_by_length(&a);
        if kind != kind_was {
            a.kind = kind;
        }
        a
    }

    fn beside(&mut self, coder: &str, by: i8) -> Result<Vec<Effect>, Refused> {
        let here = self.annotation().map_or(self.playback.frame, |a| a.onset);
        let mut own = self
            .coding
            .annotations()
            .iter()
            .filter(|a| a.coder == coder);
        let next = if by > 0 {
            own.find(|a| a.onset > here)
        } else {
            own.rfind(|a| a.onset < here)
        };
        let Some((id, onset)) = next.map(|a| (a.id, a.onset)) else {
            let where_ = if by > 0 { "after" } else { "before" };
            return Err(Refused(format!(
                "You have no annotation {where_} this one."
            )));
        };
        self.mark(Some(id));
        Ok(self.stop_at(onset))
    }

    fn stop_at(&mut self, frame: u64) -> Vec<Effect> {
        if self.session.info.live {
            return vec![];
        }
        let mut effects = self.pause();
        effects.extend(self.go(frame));
        effects.extend(self.loop_on());
        effects
    }
}
