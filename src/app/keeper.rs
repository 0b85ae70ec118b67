//! The thread "project": it alone has the project file. What is said of a recording is
//! written there at once; what fails stays pending and goes with the next change.
//!
//! Here is the window's handle with its orders, in `desk` the thread that carries them out,
//! in `open` the project that it has open.

mod desk;
mod open;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Sender, TrySendError, bounded};

use super::coding::Change;
use super::command::Command;
use super::wake::Wake;
use crate::base::{Mailbox, Notice};
use crate::media::SourceInfo;
use crate::project::file::{PassNews, PassStep};
use crate::project::kept::KeptAnalysis;

use desk::Desk;

enum Order {
    Begin {
        generation: u64,
        info: Box<SourceInfo>,
        project: Option<PathBuf>,
    },
    Keep {
        changes: Vec<Change>,
        count: u64,
        coder: String,
    },
    Analysis(Box<KeptAnalysis>),
    BlindPass(PassNews),
    Merge {
        other: PathBuf,
        coder: String,
    },
}

/// The window's handle on the thread; dropping it waits for what is still to be written.
pub struct Keeper {
    orders: Mailbox<Order>,
    bell: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    told: Mailbox<Command>,
    wake: Wake,
    /// The thread has ended, and that was said.
    lost: AtomicBool,
}

impl Keeper {
    /// What becomes of orders is told in `told`.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn start(told: Mailbox<Command>, wake: Wake) -> std::io::Result<Self> {
        let orders: Mailbox<Order> = Mailbox::default();
        // One knock is enough: a turn takes all orders.
        let (bell, knocks) = bounded(1);
        let inbox = orders.clone();
        let (tell, knock) = (told.clone(), wake.clone());
        let thread = Builder::new().name("project".into()).spawn(move || {
            let mut desk = Desk {
                told: tell,
                wake: knock,
                open: None,
            };
            desk.work(&inbox, &knocks);
        })?;
        Ok(Self {
            orders,
            bell: Some(bell),
            thread: Some(thread),
            told,
            wake,
            lost: AtomicBool::new(false),
        })
    }

    fn order(&self, order: Order) {
        self.orders.post([order]);
        let rung = self.bell.as_ref().map(|bell| bell.try_send(()));
        // A full bell has been rung already.
        let ended = matches!(rung, Some(Err(TrySendError::Disconnected(()))));
        if ended && !self.lost.swap(true, Ordering::Relaxed) {
            self.told.post([Command::Say(Notice::error(
                "What you say is not kept any more: the thread that writes the project has \
                 ended. “Save” writes a copy of all of it; then start Onset again.",
            ))]);
            self.wake.wake();
        }
    }

    /// A recording was opened, from a project file where `project` says so.
    pub fn begin(&self, generation: u64, info: &SourceInfo, project: Option<PathBuf>) {
        self.order(Order::Begin {
            generation,
            info: Box::new(info.clone()),
            project,
        });
    }

    /// The `count`th change of the session, made by `coder`.
    pub fn keep(&self, changes: Vec<Change>, count: u64, coder: &str) {
        self.order(Order::Keep {
            changes,
            count,
            coder: coder.to_owned(),
        });
    }

    /// The recording was analysed to its end: kept at once where the project is there,
    /// else with the first change.
    pub fn analysed(&self, analysis: KeptAnalysis) {
        self.order(Order::Analysis(Box::new(analysis)));
    }

    /// A step of a coder's blind pass of the recording: kept as an analysis is. That one is
    /// left with its recording need not be told.
    pub fn blind_pass(&self, coder: &str, step: PassStep) {
        self.order(Order::BlindPass(PassNews::now(coder, step)));
    }

    /// Takes over what another project says of the recording.
    pub fn merge(&self, other: PathBuf, coder: &str) {
        self.order(Order::Merge {
            other,
            coder: coder.to_owned(),
        });
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.bell = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the thread that keeps the project has panicked");
        }
    }
}

#[cfg(test)]
mod tests;
