//! Who looks at candidates a second time. A file waits for it: the look follows the first
//! one at once ([`Here`]). A camera does not: some of the networks take a second, in which
//! its frames would be lost, so a thread looks beside the analysis ([`Beside`]) and
//! answers when it can.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::SessionError;
use crate::recognition::second_look::ExpressionFaces;
use crate::recognition::{ExpressionMotion, Moment, SecondLook, SecondLookError, SecondOpinion};

/// Candidates that wait for their look; further ones get none.
const WAITING: usize = 4;

/// Onset and apex of the candidate.
pub(super) type Key = (u64, u64);

/// A candidate to look at.
pub(super) struct Question {
    pub(super) key: Key,
    pub(super) clip: Vec<Arc<Moment>>,
    pub(super) apex: Arc<Moment>,
    pub(super) motion: ExpressionMotion,
}

impl Question {
    fn answer(&self, look: &SecondLook) -> Answer {
        let faces = ExpressionFaces {
            clip: &self.clip,
            apex: &self.apex,
            motion: &self.motion,
        };
        Answer {
            key: self.key,
            said: look.look(faces),
        }
    }
}

/// What was seen of it.
pub(super) struct Answer {
    pub(super) key: Key,
    pub(super) said: Result<Vec<SecondOpinion>, SecondLookError>,
}

/// Who looks with these networks.
pub(super) type LookAgain = fn(SecondLook) -> Result<Box<dyn SecondLooking>, SessionError>;

/// See the module.
pub(super) trait SecondLooking: Send {
    /// Takes a candidate on; whether it could.
    fn ask(&mut self, question: Question) -> bool;

    /// What has been answered since the last call, in order; where `all`, everything that
    /// was asked.
    fn answers(&mut self, all: bool) -> Vec<Answer>;
}

/// The caller waits.
pub(super) struct Here {
    look: SecondLook,
    answered: Vec<Answer>,
}

impl Here {
    pub(super) fn boxed(look: SecondLook) -> Result<Box<dyn SecondLooking>, SessionError> {
        let answered = Vec::new();
        Ok(Box::new(Self { look, answered }))
    }
}

impl SecondLooking for Here {
    fn ask(&mut self, question: Question) -> bool {
        self.answered.push(question.answer(&self.look));
        true
    }

    fn answers(&mut self, _all: bool) -> Vec<Answer> {
        std::mem::take(&mut self.answered)
    }
}

/// The thread "second look" looks; dropping this ends it after the look it is at.
pub(super) struct Beside {
    questions: Sender<Question>,
    answers: Receiver<Answer>,
    unanswered: usize,
}

impl Beside {
    /// # Errors
    /// When the system refuses another thread.
    pub(super) fn start(look: SecondLook) -> Result<Box<dyn SecondLooking>, SessionError> {
        let (questions, asked) = bounded::<Question>(WAITING);
        let (tell, answers) = bounded(WAITING + 1);
        std::thread::Builder::new()
            .name("second look".into())
            .spawn(move || {
                for question in asked {
                    if tell.send(question.answer(&look)).is_err() {
                        break;
                    }
                }
            })
            .map_err(SessionError::Thread)?;
        Ok(Box::new(Self {
            questions,
            answers,
            unanswered: 0,
        }))
    }
}

impl SecondLooking for Beside {
    fn ask(&mut self, question: Question) -> bool {
        let taken = self.questions.try_send(question).is_ok();
        self.unanswered += usize::from(taken);
        taken
    }

    fn answers(&mut self, all: bool) -> Vec<Answer> {
        let mut answered = Vec::new();
        while self.unanswered > 0 {
            let next = if all {
                self.answers.recv().ok()
            } else {
                self.answers.try_recv().ok()
            };
            let Some(answer) = next else { break };
            self.unanswered -= 1;
            answered.push(answer);
        }
        answered
    }
}
