//! The queue of recordings as the window keeps it: what waits, what is done, what a
//! person is asked. The work itself is done behind the [`super::backend::Backend`],
//! which is told the whole plan whenever it has changed.

mod commands;
mod row;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use commands::BatchCommand;
pub use row::{BESIDE, Row, RowState};

use super::settings::Settings;
use crate::base::Notice;
use crate::project::result_folder::Existing;
use crate::project::unattended::time_left::{TimeLeft, time_left};
use crate::project::unattended::{News, Outcome, Plan};
use crate::session::pace::{Pace, RecentPace};

/// What the queue is told.
#[derive(Debug, Clone, PartialEq)]
pub enum BatchOrder {
    /// Tell which recordings these are.
    Find(Vec<PathBuf>),
    Plan(Plan),
}

#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub rows: Vec<Row>,
    /// Id of a row.
    pub selected: Option<u64>,
    /// Until it is paused or nothing is left.
    pub running: bool,
    /// Places that are being looked into.
    pub looking: usize,
    /// Of those that are done.
    pace: Pace,
    ids: u64,
    tickets: u64,
    /// Since the plan was last told.
    changed: bool,
    told: Plan,
}

/// How many rows stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub waiting: usize,
    pub taken: usize,
    pub analysing: usize,
    pub done: usize,
    pub failed: usize,
    pub cancelled: usize,
}

impl Batch {
    #[must_use]
    pub fn selected_row(&self) -> Option<&Row> {
        self.rows.iter().find(|row| Some(row.id) == self.selected)
    }

    fn at(&self) -> Option<usize> {
        let selected = self.selected?;
        self.rows.iter().position(|row| row.id == selected)
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for row in &self.rows {
            *match row.state {
                RowState::Waiting => &mut counts.waiting,
                RowState::Taken(_) => &mut counts.taken,
                RowState::Analysing { .. } => &mut counts.analysing,
                RowState::Done(_) => &mut counts.done,
                RowState::Failed(_) => &mut counts.failed,
                RowState::Cancelled => &mut counts.cancelled,
            } += 1;
        }
        counts
    }

    /// Of all that waits and is being analysed; `None` before there is something to
    /// estimate from.
    #[must_use]
    pub fn time_left(&self) -> Option<TimeLeft> {
        let current = self.rows.iter().find_map(Row::current);
        let waiting = self.rows.iter().filter(|r| r.state == RowState::Waiting);
        time_left(self.pace, current, waiting.map(Row::frames))
    }

    /// Seconds to the last frame of a row that is being analysed.
    #[must_use]
    pub fn row_secs_left(&self, row: &Row) -> Option<f64> {
        row.current()?.secs_left(self.pace)
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.changed = true;
        self.tickets
    }

    /// Puts a row back into the queue as another job.
    fn renew(&mut self, at: usize) {
        let ticket = self.ticket();
        let row = &mut self.rows[at];
        (row.ticket, row.state) = (ticket, RowState::Waiting);
    }

    fn renew_all(&mut self, which: impl Fn(&Row) -> bool) {
        for at in 0..self.rows.len() {
            if which(&self.rows[at]) {
                self.renew(at);
            }
        }
    }

    /// Results go elsewhere: what lies there is to be looked at, and an answer about
    /// earlier results was about others.
    fn ask_anew(&mut self) {
        for at in 0..self.rows.len() {
            if self.rows[at].state == RowState::Waiting || self.rows[at].is_taken() {
                self.rows[at].existing = Existing::Ask;
                self.renew(at);
            }
        }
    }

    /// Appends what is not in the queue yet; says how many are.
    fn found(&mut self, recordings: Vec<PathBuf>) -> usize {
        self.looking = self.looking.saturating_sub(1);
        let mut known = 0;
        for input in recordings {
            if self.rows.iter().any(|row| row.input == input) {
                known += 1;
                continue;
            }
            self.ids += 1;
            let ticket = self.ticket();
            self.rows.push(Row::new(self.ids, ticket, input));
            self.selected.get_or_insert(self.ids);
        }
        known
    }

    fn select(&mut self, at: usize) {
        let last = self.rows.len().checked_sub(1);
        self.selected = last.map(|last| self.rows[at.min(last)].id);
    }

    fn move_selected(&mut self, by: i8) {
        let Some(at) = self.at() else { return };
        let to = at.saturating_add_signed(isize::from(by));
        if to < self.rows.len() {
            self.rows.swap(at, to);
            self.changed = true;
        }
    }

    fn cancel(&mut self) {
        if let Some(at) = self.at().filter(|at| self.rows[*at].may_cancel()) {
            self.rows[at].state = RowState::Cancelled;
            self.changed = true;
        }
    }

    fn remove(&mut self) {
        let Some(at) = self.at() else { return };
        if let RowState::Analysing { .. } = self.rows[at].state {
            self.cancel();
            return;
        }
        self.rows.remove(at);
        self.changed = true;
        self.select(at);
    }

    fn retry(&mut self) {
        if let Some(at) = self.at().filter(|at| self.rows[*at].may_retry()) {
            self.renew(at);
        }
    }

    fn settle(&mut self, which: impl Fn(&Row) -> bool, existing: Existing) {
        for at in 0..self.rows.len() {
            if self.rows[at].is_taken() && which(&self.rows[at]) {
                self.rows[at].existing = existing;
                self.renew(at);
            }
        }
    }

    /// What is told of an older job of a row, or of a row that is gone, is discarded.
    fn hear(&mut self, news: News, now: f64) {
        let of = |ticket: u64| self.rows.iter().position(|row| row.ticket == ticket);
        match news {
            News::Found { .. } => {}
            News::Looked { ticket, look } => {
                let Some(at) = of(ticket) else { return };
                let row = &mut self.rows[at];
                let waits = row.state == RowState::Waiting;
                match look {
                    Ok(mut look) => {
                        if let Some(folder) = look.there.take().filter(|_| waits) {
                            row.state = RowState::Taken(folder);
                            self.changed = true;
                        }
                        row.look = Some(look);
                    }
                    Err(why) if waits => self.fail(at, why, now),
                    // Its analysis tells it as well.
                    Err(_) => {}
                }
            }
            News::Began { ticket } => {
                if let Some(at) = of(ticket)
                    && self.rows[at].state == RowState::Waiting
                {
                    self.rows[at].state = RowState::Analysing {
                        pace: Pace::default(),
                        recent: RecentPace::default(),
                        finishing: false,
                    };
                }
            }
            News::Progress {
                ticket,
                frames,
                secs,
            } => {
                if let Some(at) = of(ticket)
                    && let RowState::Analysing { pace, recent, .. } = &mut self.rows[at].state
                {
                    *pace = Pace { frames, secs };
                    recent.tell(*pace);
                }
            }
            News::Finishing { ticket } => {
                if let Some(at) = of(ticket)
                    && let RowState::Analysing { finishing, .. } = &mut self.rows[at].state
                {
                    *finishing = true;
                }
            }
            News::Said { ticket, notice } => {
                if let Some(at) = of(ticket) {
                    self.rows[at].log.push(notice, now);
                }
            }
            News::Ended { ticket, outcome } => {
                if let Some(at) = of(ticket) {
                    self.end(at, outcome, now);
                }
            }
        }
    }

    fn end(&mut self, at: usize, outcome: Outcome, now: f64) {
        let row = &mut self.rows[at];
        self.changed = true;
        match outcome {
            // Results that were written just before they were cancelled are there.
            Outcome::Done(finished) => {
                self.pace = self.pace.and(Pace {
                    frames: finished.frames,
                    secs: finished.secs,
                });
                let look = row.look.get_or_insert_default();
                (look.frames, look.exact) = (Some(finished.frames), true);
                row.state = RowState::Done(finished);
            }
            _ if row.state == RowState::Cancelled => {}
            Outcome::Taken(folder) => row.state = RowState::Taken(folder),
            Outcome::Failed(why) => self.fail(at, why, now),
            Outcome::Stopped => row.state = RowState::Cancelled,
        }
    }

    fn fail(&mut self, at: usize, why: String, now: f64) {
        let row = &mut self.rows[at];
        row.log.push(Notice::error(why.clone()), now);
        row.state = RowState::Failed(why);
        self.changed = true;
    }

    /// Nothing is left to do or to ask: the queue stops, and says what came of it.
    fn over(&mut self) -> Option<Notice> {
        let left = self.rows.iter().any(Row::may_cancel);
        if left || !std::mem::take(&mut self.running) {
            return None;
        }
        self.changed = true;
        if self.rows.is_empty() {
            return None;
        }
        let counts = self.counts();
        let mut text = format!("The queue has ended: {} done", counts.done);
        for (count, word) in [(counts.failed, "failed"), (counts.cancelled, "cancelled")] {
            if count > 0 {
                text.push_str(&format!(", {count} {word}"));
            }
        }
        text.push('.');
        Some(if counts.failed > 0 {
            Notice::warning(text)
        } else {
            Notice::info(text)
        })
    }

    fn plan(&self, settings: &Settings) -> Plan {
        let results = settings.results_folder.as_deref();
        let work = self.rows.iter().filter(|row| row.wants_work());
        Plan {
            jobs: work.map(|row| row.job(results)).collect(),
            running: self.running,
            params: settings.params.clone(),
        }
    }
}
