//! What a person does with the queue, and what is told of it.

use std::path::PathBuf;

use super::{BatchOrder, Row, RowState};
use crate::app::command::{Command, Effect, Room};
use crate::app::state::AppState;
use crate::base::Notice;
use crate::project::result_folder::Existing;
use crate::project::unattended::News;

/// How long a notice stays, and a little.
const NOTICE_SECS: f64 = 8.1;

/// What is done with the queue. What names no row is about the selected one.
#[derive(Debug, Clone, PartialEq)]
pub enum BatchCommand {
    /// Files, and folders to look into.
    Add(Vec<PathBuf>),
    /// What stands in the path box, which is empty then.
    AddTyped,
    StartOrPause,
    /// The row of this id.
    Select(u64),
    /// The next (1) or previous (-1) row.
    Beside(i8),
    First,
    Last,
    /// Up (-1) or down (1) in the queue.
    Move(i8),
    Cancel,
    /// Out of the queue; what is being analysed is cancelled at first.
    Remove,
    Retry,
    RetryAllFailed,
    /// What is to become of earlier results.
    Settle(Existing),
    SettleAll(Existing),
    /// In Review, once it is done.
    Open,
    /// Where results go; `None` for beside each recording.
    ResultsIn(Option<PathBuf>),
    CopyLog,
}

impl AppState {
    pub(in crate::app) fn batch(&mut self, command: BatchCommand) -> Vec<Effect> {
        let batch = &mut self.batch;
        match command {
            BatchCommand::Add(paths) => {
                if paths.is_empty() {
                    return vec![];
                }
                batch.looking += 1;
                return vec![Effect::Batch(Box::new(BatchOrder::Find(paths)))];
            }
            BatchCommand::AddTyped => {
                let typed = std::mem::take(&mut self.entrance.path);
                let typed = typed.trim().trim_matches('"');
                let some = (!typed.is_empty()).then(|| PathBuf::from(typed));
                return self.batch(BatchCommand::Add(some.into_iter().collect()));
            }
            BatchCommand::StartOrPause => {
                if batch.running || batch.rows.iter().any(Row::may_cancel) {
                    batch.running = !batch.running;
                    batch.changed = true;
                } else {
                    return self.inform("Nothing waits to be analysed: add recordings first.");
                }
            }
            BatchCommand::Select(id) => batch.selected = Some(id),
            BatchCommand::Beside(by) => {
                let at = batch.at();
                batch.select(at.map_or(0, |at| at.saturating_add_signed(isize::from(by))));
            }
            BatchCommand::First => batch.select(0),
            BatchCommand::Last => batch.select(usize::MAX),
            BatchCommand::Move(by) => batch.move_selected(by),
            BatchCommand::Cancel => batch.cancel(),
            BatchCommand::Remove => batch.remove(),
            BatchCommand::Retry => batch.retry(),
            BatchCommand::RetryAllFailed => {
                batch.renew_all(|row| matches!(row.state, RowState::Failed(_)));
            }
            BatchCommand::Settle(existing) => {
                let selected = batch.selected;
                batch.settle(|row| Some(row.id) == selected, existing);
            }
            BatchCommand::SettleAll(existing) => batch.settle(|_| true, existing),
            BatchCommand::Open => return self.open_row(),
            BatchCommand::ResultsIn(folder) => {
                self.settings.results_folder = folder;
                batch.ask_anew();
            }
            BatchCommand::CopyLog => {
                let row = batch.selected_row();
                return row.map_or_else(Vec::new, |row| vec![Effect::Copy(row.log.text())]);
            }
        }
        self.say_when_over()
    }

    pub(in crate::app) fn batch_news(&mut self, news: News) -> Vec<Effect> {
        let mut effects = vec![];
        match news {
            News::Found { recordings, said } => {
                for notice in said {
                    self.say(notice);
                }
                // What the analysis finds in them may have to be hidden.
                if !recordings.is_empty() {
                    effects.push(Effect::LookForPasses(recordings.clone()));
                }
                match self.batch.found(recordings) {
                    0 => {}
                    1 => effects.extend(self.inform("One of these is in the queue already.")),
                    n => {
                        let text = format!("{n} of these are in the queue already.");
                        effects.extend(self.inform(&text));
                    }
                }
            }
            news => self.batch.hear(news, self.now),
        }
        effects.extend(self.say_when_over());
        effects
    }

    /// The plan where it is not what was last told.
    pub(in crate::app) fn plan_wanted(&mut self) -> Option<Effect> {
        let (batch, settings) = (&mut self.batch, &self.settings);
        let changed = std::mem::take(&mut batch.changed);
        if !changed && batch.told.params == settings.params {
            return None;
        }
        let plan = batch.plan(settings);
        let nothing = plan.jobs.is_empty() && batch.told.jobs.is_empty();
        if nothing || plan == batch.told {
            return None;
        }
        batch.told = plan.clone();
        Some(Effect::Batch(Box::new(BatchOrder::Plan(plan))))
    }

    fn open_row(&mut self) -> Vec<Effect> {
        let Some(row) = self.batch.selected_row() else {
            return vec![];
        };
        if !matches!(row.state, RowState::Done(_)) {
            let text = match row.state {
                RowState::Failed(_) | RowState::Cancelled => {
                    format!("{} was not analysed: try it again first.", row.name())
                }
                _ => format!("{} opens in Review once it is done.", row.name()),
            };
            return self.inform(&text);
        }
        let input = row.input.display().to_string();
        if self.shows_the_open_recording() {
            return self.look(Command::Room(Room::Review));
        }
        if !self.blind() {
            self.settings.room = Room::Review;
        }
        self.open_in(Room::Review, input)
    }

    /// Whether [`BatchCommand::Open`] is about the recording that is open already.
    pub(in crate::app) fn shows_the_open_recording(&self) -> bool {
        let open = self.review.as_ref();
        let open = open.and_then(|r| r.session.info.path.as_ref());
        let row = self.batch.selected_row();
        let row = row.filter(|row| matches!(row.state, RowState::Done(_)));
        open.is_some() && row.map(|row| &row.input) == open
    }

    fn say_when_over(&mut self) -> Vec<Effect> {
        match self.batch.over() {
            Some(notice) => {
                self.say(notice);
                vec![Effect::WakeAfter(NOTICE_SECS)]
            }
            None => vec![],
        }
    }

    fn inform(&mut self, text: &str) -> Vec<Effect> {
        self.say(Notice::info(text));
        vec![Effect::WakeAfter(NOTICE_SECS)]
    }
}
