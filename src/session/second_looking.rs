//! Who looks at candidates a second time. A file waits for it: the look follows the first
//! one at once ([`Here`]). A camera does not: some of the networks take a second, in which
//! its frames would be lost, so a thread looks beside the analysis ([`Beside`]) and
//! answers when it can.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::SessionError;
use crate::recognition::second_look::ExpressionFaces;
use crate::recognition::{ExpressionMotion, Moment, SecondLook, SecondOpinion};

/// Candidates that wait for their look; a newer one takes the place of the oldest.
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
            said: look.look(faces).map_err(|e| e.to_string()),
        }
    }
}

/// What was seen of it, or why nothing will be seen any more.
pub(super) struct Answer {
    pub(super) key: Key,
    pub(super) said: Result<Vec<SecondOpinion>, String>,
}

/// Who looks with these networks.
pub(super) type LookAgain = fn(SecondLook) -> Result<Box<dyn SecondLooking>, SessionError>;

/// See the module.
pub(super) trait SecondLooking: Send {
    /// Takes a candidate on; whether none had to give way to it.
    fn ask(&mut self, question: Question) -> bool;

    /// None gives way any more: the recording is at its end.
    fn wait_for_all(&mut self) {}

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

/// The thread "second look" looks at one candidate at a time; dropping this ends it after
/// the look it is at.
pub(super) struct Beside {
    waiting: VecDeque<Question>,
    most: usize,
    /// One is with the thread.
    looking: Option<Key>,
    questions: Sender<Question>,
    answers: Receiver<Answer>,
}

impl Beside {
    /// # Errors
    /// When the system refuses another thread.
    pub(super) fn start(look: SecondLook) -> Result<Box<dyn SecondLooking>, SessionError> {
        Ok(Box::new(Self::with(move |question| {
            question.answer(&look)
        })?))
    }

    fn with(look: impl Fn(&Question) -> Answer + Send + 'static) -> Result<Self, SessionError> {
        let (questions, asked) = bounded::<Question>(1);
        let (tell, answers) = bounded(1);
        std::thread::Builder::new()
            .name("second look".into())
            .spawn(move || {
                for question in asked {
                    let answer = catch_unwind(AssertUnwindSafe(|| look(&question)));
                    let answer = answer.unwrap_or_else(|_| Answer {
                        key: question.key,
                        said: Err("It stopped by an internal error; please report this".to_owned()),
                    });
                    if tell.send(answer).is_err() {
                        break;
                    }
                }
            })
            .map_err(SessionError::Thread)?;
        Ok(Self {
            waiting: VecDeque::new(),
            most: WAITING,
            looking: None,
            questions,
            answers,
        })
    }

    /// Gives the thread the next one, where it has none.
    fn feed(&mut self) {
        if self.looking.is_none()
            && let Some(next) = self.waiting.pop_front()
        {
            self.looking = Some(next.key);
            // There is room: the thread has none.
            let _ = self.questions.send(next);
        }
    }
}

impl SecondLooking for Beside {
    fn ask(&mut self, question: Question) -> bool {
        let full = self.waiting.len() >= self.most;
        if full {
            // What is seen live is the newest.
            self.waiting.pop_front();
        }
        self.waiting.push_back(question);
        self.feed();
        !full
    }

    fn wait_for_all(&mut self) {
        self.most = usize::MAX;
    }

    fn answers(&mut self, all: bool) -> Vec<Answer> {
        let mut answered = Vec::new();
        while self.looking.is_some() {
            let next = if all {
                self.answers.recv().ok()
            } else {
                self.answers.try_recv().ok()
            };
            let Some(answer) = next else { break };
            self.looking = None;
            answered.push(answer);
            self.feed();
        }
        answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Rect, Timestamp};
    use crate::face::Landmarks;
    use crate::model::flow_framing::FlowFraming;
    use crate::model::motion_map::MotionMap;
    use crate::motion::Flow;
    use crate::recognition::FacePicture;

    fn question(onset: u64) -> Question {
        let landmarks = Landmarks([crate::base::Point::default(); 68]);
        let still = image::RgbImage::new(32, 32);
        let flow = Flow::zeros(56, 56);
        Question {
            key: (onset, onset + 5),
            clip: Vec::new(),
            apex: Arc::new(Moment {
                frame: onset + 5,
                timestamp: Timestamp::ZERO,
                picture: FacePicture::of(&still, Rect::new(4.0, 4.0, 20.0, 20.0), landmarks),
            }),
            motion: ExpressionMotion {
                map: MotionMap::of(&flow, &crate::base::Plane::zeros(56, 56), 20.0),
                image: Vec::new(),
                framing: FlowFraming {
                    crop_from_image: crate::base::Similarity::IDENTITY,
                    width: 56,
                    height: 56,
                },
            },
        }
    }

    fn seen(answers: &[Answer]) -> Vec<u64> {
        answers.iter().map(|a| a.key.0).collect()
    }

    #[test]
    fn while_a_look_lasts_the_newest_candidates_wait_and_the_oldest_gives_way() {
        let (go, gate) = bounded::<()>(64);
        let mut beside = Beside::with(move |question| {
            let _ = gate.recv();
            Answer {
                key: question.key,
                said: Ok(Vec::new()),
            }
        })
        .unwrap();
        // The first is looked at, four wait, and the last takes the place of the second.
        let kept: Vec<bool> = (0..6).map(|onset| beside.ask(question(onset))).collect();
        assert_eq!(kept, [true, true, true, true, true, false]);
        assert!(beside.answers(false).is_empty(), "nothing waits for it");
        beside.wait_for_all();
        assert!(beside.ask(question(6)), "at the end none gives way");
        (0..6).for_each(|_| go.send(()).unwrap());
        assert_eq!(seen(&beside.answers(true)), [0, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_look_that_breaks_off_says_so_and_nobody_waits_for_ever() {
        let mut beside = Beside::with(|_| panic!("a network that breaks")).unwrap();
        assert!(beside.ask(question(1)));
        let answers = beside.answers(true);
        assert_eq!(seen(&answers), [1]);
        let why = answers[0].said.as_ref().unwrap_err();
        assert!(why.contains("internal error"), "{why}");
    }
}
