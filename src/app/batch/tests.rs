use super::*;
use crate::app::backend::Machine;
use crate::app::command::{Command, Effect, Room};
use crate::app::state::AppState;
use crate::project::result_folder::Existing;
use crate::project::unattended::{Finished, Job, Look};

/// Commands in, the plan that the queue's threads are told out.
struct Desk {
    state: AppState,
    plan: Plan,
}

impl Desk {
    fn with(names: &[&str]) -> Self {
        let mut desk = Self {
            state: AppState::new(Settings::default(), Machine::default()),
            plan: Plan::default(),
        };
        let paths = names.iter().map(|n| PathBuf::from("films").join(n));
        desk.tell(News::Found {
            recordings: paths.collect(),
            said: vec![],
        });
        desk
    }

    fn apply(&mut self, command: Command) -> Vec<Effect> {
        let effects = self.state.apply(command);
        for effect in &effects {
            if let Effect::Batch(order) = effect
                && let BatchOrder::Plan(plan) = &**order
            {
                self.plan = plan.clone();
            }
        }
        effects
    }

    fn ask(&mut self, command: BatchCommand) -> Vec<Effect> {
        self.apply(Command::Batch(command))
    }

    fn tell(&mut self, news: News) {
        self.apply(Command::BatchNews(news));
    }

    fn planned(&self) -> Vec<String> {
        let name = |job: &Job| {
            job.input
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        };
        self.plan.jobs.iter().map(name).collect()
    }

    fn state_of(&self, at: usize) -> &RowState {
        &self.state.batch.rows[at].state
    }

    fn ticket(&self, at: usize) -> u64 {
        self.state.batch.rows[at].ticket
    }

    fn select(&mut self, at: usize) {
        let id = self.state.batch.rows[at].id;
        self.ask(BatchCommand::Select(id));
    }

    fn look(&mut self, at: usize, look: Result<Look, String>) {
        let ticket = self.ticket(at);
        self.tell(News::Looked { ticket, look });
    }

    fn begin(&mut self, at: usize) {
        let ticket = self.ticket(at);
        self.tell(News::Began { ticket });
    }

    fn end(&mut self, at: usize, outcome: Outcome) {
        let ticket = self.ticket(at);
        self.tell(News::Ended { ticket, outcome });
    }
}

fn of_length(frames: u64) -> Result<Look, String> {
    Ok(Look {
        frames: Some(frames),
        ..Look::default()
    })
}

fn done(frames: u64, secs: f64) -> Outcome {
    Outcome::Done(Finished {
        folder: "films/onset-results/a".into(),
        frames,
        macros: 2,
        micros: 3,
        warned: false,
        secs,
    })
}

#[test]
fn the_plan_follows_the_order_and_names_the_folder_beside_the_recording() {
    let mut desk = Desk::with(&["a.mp4", "b.mp4", "c.mp4"]);
    assert_eq!(desk.planned(), ["a.mp4", "b.mp4", "c.mp4"]);
    assert!(!desk.plan.running);
    assert_eq!(desk.plan.jobs[0].out, PathBuf::from("films/onset-results"));
    desk.select(2);
    desk.ask(BatchCommand::Move(-1));
    desk.ask(BatchCommand::StartOrPause);
    assert_eq!(desk.planned(), ["a.mp4", "c.mp4", "b.mp4"]);
    assert!(desk.plan.running);
    desk.ask(BatchCommand::Move(-1));
    desk.ask(BatchCommand::Move(-1));
    assert_eq!(desk.planned(), ["c.mp4", "a.mp4", "b.mp4"]);
}

#[test]
fn what_is_in_the_queue_is_not_added_twice() {
    let mut desk = Desk::with(&["a.mp4"]);
    desk.tell(News::Found {
        recordings: vec!["films/a.mp4".into(), "films/b.mp4".into()],
        said: vec![],
    });
    assert_eq!(desk.planned(), ["a.mp4", "b.mp4"]);
    assert!(desk.state.notices.text().contains("in the queue already"));
}

#[test]
fn a_broken_recording_is_left_out_and_the_others_go_on() {
    let mut desk = Desk::with(&["a.mp4", "broken.mp4", "c.mp4"]);
    desk.ask(BatchCommand::StartOrPause);
    desk.begin(0);
    desk.look(1, Err("Cannot read this.".into()));
    assert_eq!(
        desk.state_of(1),
        &RowState::Failed("Cannot read this.".into())
    );
    assert!(desk.state.batch.rows[1].log.text().contains("Cannot read"));
    assert_eq!(desk.planned(), ["a.mp4", "c.mp4"]);
    desk.end(0, Outcome::Failed("It broke off.".into()));
    desk.begin(2);
    desk.end(2, done(100, 10.0));
    assert!(!desk.state.batch.running);
    let text = desk.state.notices.text();
    assert!(
        text.contains("The queue has ended: 1 done, 2 failed."),
        "{text}"
    );
    desk.ask(BatchCommand::RetryAllFailed);
    assert_eq!(desk.planned(), ["a.mp4", "broken.mp4"]);
}

#[test]
fn what_is_cancelled_leaves_the_plan_and_its_older_job_is_not_listened_to() {
    let mut desk = Desk::with(&["a.mp4", "b.mp4"]);
    desk.ask(BatchCommand::StartOrPause);
    desk.begin(0);
    let old = desk.ticket(0);
    desk.select(0);
    desk.ask(BatchCommand::Cancel);
    assert_eq!(desk.planned(), ["b.mp4"]);
    desk.ask(BatchCommand::Retry);
    assert_eq!(desk.planned(), ["a.mp4", "b.mp4"]);
    desk.tell(News::Ended {
        ticket: old,
        outcome: Outcome::Stopped,
    });
    assert_eq!(desk.state_of(0), &RowState::Waiting);
    assert_ne!(desk.ticket(0), old);
}

#[test]
fn removing_cancels_at_first_what_is_being_analysed() {
    let mut desk = Desk::with(&["a.mp4", "b.mp4"]);
    desk.ask(BatchCommand::StartOrPause);
    desk.begin(0);
    desk.select(0);
    desk.ask(BatchCommand::Remove);
    assert_eq!(desk.state_of(0), &RowState::Cancelled);
    desk.ask(BatchCommand::Remove);
    assert_eq!(desk.planned(), ["b.mp4"]);
    assert_eq!(desk.state.batch.selected_row().unwrap().name(), "b.mp4");
    desk.ask(BatchCommand::Remove);
    assert!(desk.plan.jobs.is_empty() && desk.state.batch.selected.is_none());
    assert!(!desk.state.batch.running);
    assert!(desk.state.notices.entries().is_empty());
}

#[test]
fn earlier_results_wait_for_an_answer_and_another_folder_asks_anew() {
    let mut desk = Desk::with(&["a.mp4", "b.mp4"]);
    desk.ask(BatchCommand::StartOrPause);
    let there = || Look {
        there: Some("films/onset-results/a".into()),
        ..Look::default()
    };
    desk.look(0, Ok(there()));
    desk.look(1, of_length(10));
    assert_eq!(desk.planned(), ["b.mp4"]);
    desk.end(1, Outcome::Taken("films/onset-results/b".into()));
    assert!(desk.plan.jobs.is_empty());
    // The queue has not ended: two answers are wanted.
    assert!(desk.state.batch.running);
    desk.select(0);
    desk.ask(BatchCommand::Settle(Existing::Replace));
    assert_eq!(desk.planned(), ["a.mp4"]);
    assert_eq!(desk.plan.jobs[0].existing, Existing::Replace);
    desk.ask(BatchCommand::SettleAll(Existing::KeepBoth));
    let existing: Vec<Existing> = desk.plan.jobs.iter().map(|job| job.existing).collect();
    assert_eq!(existing, [Existing::Replace, Existing::KeepBoth]);
    let before = desk.ticket(0);
    desk.ask(BatchCommand::ResultsIn(Some("elsewhere".into())));
    assert_ne!(desk.ticket(0), before);
    assert_eq!(desk.plan.jobs[0].out, PathBuf::from("elsewhere"));
    let existing = |job: &Job| job.existing;
    let existing: Vec<Existing> = desk.plan.jobs.iter().map(existing).collect();
    assert_eq!(existing, [Existing::Ask, Existing::Ask]);
}

#[test]
fn the_time_left_is_said_once_frames_have_been_timed() {
    let mut desk = Desk::with(&["a.mp4", "b.mp4", "c.mp4"]);
    desk.look(0, of_length(100));
    desk.look(1, of_length(200));
    desk.ask(BatchCommand::StartOrPause);
    desk.begin(0);
    assert_eq!(desk.state.batch.time_left(), None);
    let ticket = desk.ticket(0);
    desk.tell(News::Progress {
        ticket,
        frames: 50,
        secs: 5.0,
    });
    let left = desk.state.batch.time_left().unwrap();
    assert!((left.secs - 25.0).abs() < 1e-9);
    // The third has not been opened yet.
    assert_eq!(left.without, 1);
    desk.end(0, done(100, 10.0));
    let left = desk.state.batch.time_left().unwrap();
    assert!((left.secs - 20.0).abs() < 1e-9);
}

#[test]
fn only_what_is_done_opens_and_in_review() {
    let mut desk = Desk::with(&["a.mp4"]);
    desk.apply(Command::Room(Room::Batch));
    desk.ask(BatchCommand::Open);
    assert_eq!(desk.state.settings.room, Room::Batch);
    desk.end(0, done(10, 1.0));
    let effects = desk.ask(BatchCommand::Open);
    assert_eq!(desk.state.settings.room, Room::Review);
    let opened = |e: &Effect| matches!(e, Effect::Open(input) if input.ends_with("a.mp4"));
    assert!(effects.iter().any(opened));
}

#[test]
fn a_change_of_the_settings_reaches_what_waits() {
    let mut desk = Desk::with(&["a.mp4"]);
    let preset = crate::motion::tvl1::Tvl1Preset::Live;
    desk.apply(Command::Flow(preset));
    assert_eq!(desk.plan.params.flow, preset);
}
