//! What a coder does: verdicts on candidates, new annotations, their frames and what
//! they show. Every change goes to the project file at once.

mod annotating;
pub mod blind;
mod exchange;
mod verdict;
pub mod waiting;

use uuid::Uuid;

use super::coding::{Coding, NOTE};
use super::command::{Command, Effect};
use super::review::Review;
use super::state::AppState;
use crate::base::Notice;
use crate::facs::ScoredUnit;
use crate::spotting::ExpressionKind;
use crate::timeline::{Annotation, AnnotationId};

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

/// A sentence for the person instead of a change, keys by what they do
/// ([`Keymap::fill`](super::keymap::Keymap::fill)).
struct Refused(String);

impl AppState {
    pub(super) fn say_of_recording(&mut self, command: Command) -> Vec<Effect> {
        let done = match command {
            Command::Decide(status) => self.decide(status),
            Command::Code(coded) => self.code(coded),
            Command::Undo => self.revise(Coding::undo, "undo"),
            Command::Redo => self.revise(Coding::redo, "redo"),
            _ => Ok(vec![]),
        };
        done.unwrap_or_else(|Refused(why)| {
            let why = self.settings.keys.fill(&why);
            self.say(Notice::info(why));
            vec![Effect::WakeAfter(NOTICE_SECS)]
        })
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
            if before == name {
                return vec![];
            }
            return self.hand_the_blind_pass_over(&before);
        }
        self.blind_passes.name_them(name);
        let named = review.name_the_blind_pass(name);
        let changes = review.coding.all_without_a_name_is(name);
        let count = changes.len();
        let mut effects = review.changed(changes);
        effects.extend(named);
        if count > 0 {
            let said = format!("{count} annotations without a name are {name}'s now.");
            self.say(Notice::info(said));
        }
        effects.extend(self.take_the_blind_pass_up());
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
            Coded::Edge(edge) => {
                let apex = |review: &Review| review.annotation().map(|a| (a.id, a.apex));
                let before = apex(review);
                let mut effects = review.edge(&coder, edge)?;
                let after = apex(review);
                let same = before.map(|(id, _)| id) == after.map(|(id, _)| id);
                if edge == Edge::Onset && same && before != after {
                    self.say(Notice::info(self.settings.keys.fill(
                        "The apex lay before this onset and went with it: mark it anew with \
                         {Apex is here}.",
                    )));
                    effects.push(Effect::WakeAfter(NOTICE_SECS));
                }
                Ok(effects)
            }
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
