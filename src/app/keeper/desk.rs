//! The thread itself: it takes the window's orders and tells what became of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crossbeam_channel::Receiver;

use super::Order;
use super::open::{Open, action};
use crate::app::command::Command;
use crate::app::project::{Joined, Kept};
use crate::app::wake::Wake;
use crate::base::{Mailbox, Notice};
use crate::media::SourceInfo;
use crate::media::worker::panic_text;
use crate::project::file::{PassNews, PassStep};

pub(super) struct Desk {
    pub(super) told: Mailbox<Command>,
    pub(super) wake: Wake,
    pub(super) open: Option<Open>,
}

impl Desk {
    pub(super) fn work(&mut self, inbox: &Mailbox<Order>, knocks: &Receiver<()>) {
        loop {
            let closing = knocks.recv().is_err();
            for order in inbox.take_all() {
                let begins = matches!(order, Order::Begin { .. });
                let done = catch_unwind(AssertUnwindSafe(|| self.carry_out(order)));
                if let Err(panic) = done {
                    self.broke_off(begins, panic_text(panic.as_ref()));
                }
            }
            if closing {
                self.last_try();
                return;
            }
        }
    }

    /// What is pending is tried once more before its recording goes.
    pub(super) fn last_try(&mut self) {
        let Some(open) = self.open.as_mut() else {
            return;
        };
        if let Some(coder) = open.codes_blind.take() {
            open.passes.push(PassNews::now(&coder, PassStep::Left));
        }
        // Nobody is left to hear of its annotations.
        drop(open.connect_again());
        if !open.pending.is_empty()
            && let Err(why) = open.write()
        {
            log::error!("the last changes are not in the project: {why}");
        }
        if let Err(why) = open.write_passes() {
            log::error!("a blind pass is not in the project: {why}");
        }
        if let Err(why) = open.write_analysis() {
            log::error!("the analysis is not in the project: {why}");
        }
    }

    /// One order was not carried out; the next one is tried all the same.
    pub(super) fn broke_off(&mut self, at_the_beginning: bool, panic: &str) {
        if at_the_beginning {
            // What is said of this recording must not go into the project before.
            self.open = None;
        }
        let why = format!(
            "The project could not be written because of an internal error ({panic}). “Save” \
             writes a copy of what you said; then open the recording again."
        );
        let said = match &self.open {
            Some(open) => Command::Kept {
                generation: open.generation,
                kept: Kept::Failed(why),
            },
            None => Command::Say(Notice::error(why)),
        };
        self.tell([said]);
    }

    fn tell(&self, commands: impl IntoIterator<Item = Command>) {
        self.told.post(commands);
        self.wake.wake();
    }

    pub(super) fn carry_out(&mut self, order: Order) {
        match order {
            Order::Begin {
                generation,
                info,
                project,
            } => self.begin(generation, *info, project),
            Order::Keep {
                changes,
                count,
                coder,
            } => {
                let Some(open) = self.open.as_mut() else {
                    return;
                };
                let generation = open.generation;
                open.coder = coder;
                open.pending.extend(changes.into_iter().filter_map(action));
                let mut said: Vec<_> = open.connect_again().into_iter().collect();
                let kept = match open.write() {
                    Ok(()) => Kept::Saved {
                        path: open.path.clone(),
                        count,
                    },
                    Err(why) => Kept::Failed(why),
                };
                said.push(Command::Kept { generation, kept });
                self.tell(said);
                self.keep_analysis();
            }
            Order::Analysis(analysis) => {
                if let Some(open) = self.open.as_mut() {
                    open.analysis = Some(analysis);
                    self.keep_analysis();
                }
            }
            Order::BlindPass(news) => self.blind_pass(news),
            Order::Merge { other, coder } => self.merge(&other, coder),
        }
    }

    /// Tells where it could not be kept; nothing where it is, or still waits for a project.
    fn blind_pass(&mut self, news: PassNews) {
        let Some(open) = self.open.as_mut() else {
            return;
        };
        let generation = open.generation;
        let mut said: Vec<_> = open.connect_again().into_iter().collect();
        if let Err(why) = open.blind_pass(news) {
            let kept = Kept::Failed(why);
            said.push(Command::Kept { generation, kept });
        }
        self.tell(said);
    }

    /// Tells how it fared; nothing where it still waits for a project.
    fn keep_analysis(&mut self) {
        let Some(open) = self.open.as_mut() else {
            return;
        };
        let generation = open.generation;
        let said = match open.write_analysis() {
            Ok(false) => return,
            Ok(true) => Command::Kept {
                generation,
                kept: Kept::Analysis,
            },
            Err(why) => Command::Say(Notice::warning(why)),
        };
        self.tell([said]);
    }

    fn merge(&mut self, other: &Path, coder: String) {
        let Some(open) = self.open.as_mut() else {
            return;
        };
        let generation = open.generation;
        open.coder = coder;
        let said = match open.merge(other) {
            Ok((merged, changes, blind_passes)) => vec![
                Command::Kept {
                    generation,
                    kept: Kept::Made {
                        path: open.path.clone(),
                    },
                },
                Command::Merged {
                    generation,
                    joined: Box::new(Joined {
                        from: other.to_path_buf(),
                        merged,
                        changes,
                        blind_passes,
                    }),
                },
            ],
            Err(why) => {
                let made = open.file.is_some().then(|| Command::Kept {
                    generation,
                    kept: Kept::Made {
                        path: open.path.clone(),
                    },
                });
                let said = Command::Say(Notice::error(why));
                made.into_iter().chain([said]).collect()
            }
        };
        self.tell(said);
        self.keep_analysis();
    }

    pub(super) fn begin(&mut self, generation: u64, info: SourceInfo, project: Option<PathBuf>) {
        self.last_try();
        // Closed first: it may be the same project. What it could not take goes on with
        // the same recording; of another one the window has written a table.
        let before = self.open.take();
        let (mut pending, mut passes) = (Vec::new(), Vec::new());
        let mut coder = String::new();
        if let Some(before) = before
            && before.info.path.is_some()
            && before.info.path == info.path
        {
            (pending, passes, coder) = (before.pending, before.passes, before.coder);
        }
        let mut open = Open {
            generation,
            info,
            wanted: project,
            file: None,
            path: PathBuf::new(),
            unusable: None,
            pending,
            coder,
            analysis: None,
            passes,
            codes_blind: None,
        };
        let said = match open.connect() {
            Ok(news) => Command::Project {
                generation,
                news: Box::new(news),
            },
            Err(why) => Command::Say(Notice::error(format!(
                "What you say of this recording cannot be kept in its project now. {why}"
            ))),
        };
        self.tell([said]);
        self.open = Some(open);
    }
}
