//! The Batch room: a queue of recordings, worked with by keys and by clicks.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use onset::app::batch::{BatchCommand, RowState};
use onset::app::command::{Command, Room, SideTab};
use onset::app::settings::ThemeChoice;
use onset::base::{Notice, TimeSpan};
use onset::project::unattended::{Finished, Look, News, Outcome};

use super::scripted::time;
use super::{NONE, SIZES, Shown, assert_tidy, labels, open_window, says};

/// The room with these recordings in its queue.
struct Queue {
    window: Shown,
}

impl Queue {
    fn of(names: &[&str]) -> Self {
        Self::sized((1280.0, 800.0), 1.0, names)
    }

    fn sized(size: (f32, f32), scale: f32, names: &[&str]) -> Self {
        let paths = names.iter().map(|name| format!("/films/{name}").into());
        let add = BatchCommand::Add(paths.collect());
        let mut window = open_window(size, scale, |_| {
            vec![Command::Room(Room::Batch), Command::Batch(add)]
        });
        window.run_steps(3);
        Self { window }
    }

    fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.window.key_press_modifiers(modifiers, key);
        self.window.run_steps(3);
    }

    fn keys(&mut self, keys: &[Key]) {
        for key in keys {
            self.press(NONE, *key);
        }
    }

    fn tell(&mut self, news: News) {
        let command = Command::BatchNews(news);
        self.window.state_mut().app.state.apply(command);
        self.window.run_steps(3);
    }

    /// The newest job of the recording of this name.
    fn ticket(&self, name: &str) -> u64 {
        let rows = &self.window.state().app.state.batch.rows;
        let row = rows.iter().find(|row| row.name() == name);
        row.expect("it is in the queue").ticket
    }

    fn look(&mut self, name: &str, frames: u64) {
        let ticket = self.ticket(name);
        let look = Ok(Look {
            frames: Some(frames),
            exact: true,
            secs: Some(frames as f64 / 30.0),
            there: None,
        });
        self.tell(News::Looked { ticket, look });
    }

    fn progress(&mut self, name: &str, frames: u64, secs: f64) {
        let ticket = self.ticket(name);
        self.tell(News::Began { ticket });
        self.tell(News::Progress {
            ticket,
            frames,
            secs,
        });
    }

    fn end(&mut self, name: &str, outcome: Outcome) {
        let ticket = self.ticket(name);
        self.tell(News::Ended { ticket, outcome });
    }

    fn state(&self, name: &str) -> RowState {
        let rows = &self.window.state().app.state.batch.rows;
        let row = rows.iter().find(|row| row.name() == name);
        row.expect("it is in the queue").state.clone()
    }

    fn names(&self) -> Vec<String> {
        let rows = &self.window.state().app.state.batch.rows;
        rows.iter().map(|row| row.name()).collect()
    }

    fn last_asked(&self) -> String {
        let asked = self.window.state().asked.borrow();
        asked.last().cloned().unwrap_or_default()
    }
}

fn done() -> Outcome {
    Outcome::Done(Finished {
        folder: "/films/onset-results/a".into(),
        frames: 300,
        macros: 1,
        micros: 4,
        warned: true,
        secs: 30.0,
    })
}

fn failed() -> Outcome {
    Outcome::Failed("No frame could be decoded. Check that the file plays: b.mp4".into())
}

#[test]
fn the_empty_room_has_one_sentence_and_one_button() {
    let mut window = open_window((1280.0, 800.0), 1.0, |_| vec![]);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num4);
    window.run_steps(3);
    assert!(says(
        &window,
        "Add recordings to analyse them one after another."
    ));
    // Looked at before the dialog, which there is none of here, can have answered.
    window.event(egui::Event::Key {
        key: Key::O,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::COMMAND,
    });
    window.step();
    window.step();
    assert!(window.state().app.state.entrance.dialog_since.is_some());
}

#[test]
fn three_recordings_are_worked_off_and_a_broken_one_stops_nothing() {
    let mut queue = Queue::of(&["a.mp4", "b.mp4", "c.mp4"]);
    assert!(says(&queue.window, "3 recordings: 3 waiting."));
    assert_eq!(
        queue.last_asked(),
        "hold /films/a.mp4 /films/b.mp4 /films/c.mp4"
    );
    for name in ["a.mp4", "b.mp4", "c.mp4"] {
        queue.look(name, 300);
    }
    assert!(says(&queue.window, "0:00:10.000, 300 frames"));
    assert!(!says(&queue.window, " left"));
    queue.window.get_by_label("Start").click();
    queue.window.run_steps(3);
    assert_eq!(
        queue.last_asked(),
        "run /films/a.mp4 /films/b.mp4 /films/c.mp4"
    );
    queue.progress("a.mp4", 150, 15.0);
    assert!(says(&queue.window, "Analysing: 50 %, about 15 s left"));
    assert!(says(&queue.window, "About 75 s left."));
    queue.end("a.mp4", done());
    assert!(says(
        &queue.window,
        "Done: 4 micro- and 1 macro-expression candidates; its log has warnings"
    ));
    queue.progress("b.mp4", 0, 0.0);
    queue.end("b.mp4", failed());
    assert!(says(&queue.window, "Failed. No frame could be decoded."));
    queue.progress("c.mp4", 300, 30.0);
    queue.end("c.mp4", done());
    assert!(says(
        &queue.window,
        "The queue has ended: 2 done, 1 failed."
    ));
    queue.window.get_by_label("Try all failed again").click();
    queue.window.run_steps(3);
    assert_eq!(queue.state("b.mp4"), RowState::Waiting);
}

#[test]
fn the_whole_room_is_worked_by_keys() {
    let mut queue = Queue::of(&["a.mp4", "b.mp4", "c.mp4"]);
    queue.keys(&[Key::ArrowDown, Key::ArrowDown]);
    queue.press(Modifiers::COMMAND, Key::ArrowUp);
    assert_eq!(queue.names(), ["a.mp4", "c.mp4", "b.mp4"]);
    queue.keys(&[Key::Space]);
    assert_eq!(
        queue.last_asked(),
        "run /films/a.mp4 /films/c.mp4 /films/b.mp4"
    );
    queue.progress("a.mp4", 30, 3.0);
    // Held, and on again.
    queue.keys(&[Key::Space]);
    assert!(says(&queue.window, "Paused: 30 frames"));
    queue.keys(&[Key::Space, Key::Home, Key::Delete]);
    assert_eq!(queue.state("a.mp4"), RowState::Cancelled);
    assert_eq!(queue.last_asked(), "run /films/c.mp4 /films/b.mp4");
    queue.keys(&[Key::R]);
    assert_eq!(queue.state("a.mp4"), RowState::Waiting);
    queue.keys(&[Key::End, Key::C]);
    assert_eq!(queue.state("b.mp4"), RowState::Cancelled);
    queue.keys(&[Key::Delete]);
    assert_eq!(queue.names(), ["a.mp4", "c.mp4"]);
    assert_eq!(queue.last_asked(), "run /films/a.mp4 /films/c.mp4");
    queue.progress("c.mp4", 0, 0.0);
    queue.end("c.mp4", done());
    queue.keys(&[Key::Enter]);
    let state = &queue.window.state().app.state;
    assert_eq!(state.settings.room, Room::Review);
    let asked = queue.window.state().asked.borrow();
    assert!(asked.iter().any(|a| a == "open /films/c.mp4"));
}

#[test]
fn a_double_click_opens_what_is_done() {
    let mut queue = Queue::of(&["a.mp4"]);
    queue.end("a.mp4", done());
    // A step of the harness takes a quarter of a second.
    (queue.window.ctx).options_mut(|o| o.input_options.max_double_click_delay = 5.0);
    let row = |l: &String| l.starts_with("1. a.mp4");
    let label = labels(&queue.window).into_iter().find(row).unwrap();
    for _ in 0..2 {
        queue.window.get_by_label(&label).click();
    }
    queue.window.run_steps(4);
    let asked = queue.window.state().asked.borrow();
    assert!(asked.iter().any(|a| a == "open /films/a.mp4"));
}

#[test]
fn earlier_results_are_never_replaced_unasked() {
    let mut queue = Queue::of(&["a.mp4", "b.mp4"]);
    for name in ["a.mp4", "b.mp4"] {
        let ticket = queue.ticket(name);
        let look = Ok(Look {
            there: Some("/films/onset-results/a".into()),
            ..Look::default()
        });
        queue.tell(News::Looked { ticket, look });
    }
    assert!(says(&queue.window, "Earlier results of it are in"));
    queue.keys(&[Key::Space]);
    assert!(!says(&queue.window, "1 waiting"));
    let buttons = queue.window.get_all_by_label("Keep both");
    buttons.last().expect("a button a row").click();
    queue.window.run_steps(3);
    assert_eq!(queue.last_asked(), "run /films/b.mp4");
    queue.keys(&[Key::Home, Key::E]);
    assert_eq!(queue.last_asked(), "run /films/a.mp4 /films/b.mp4");
}

#[test]
fn the_log_of_the_selected_recording_is_read_and_copied() {
    let mut queue = Queue::of(&["a.mp4", "b.mp4"]);
    let ticket = queue.ticket("b.mp4");
    let notice = Notice::warning("No face was found for 1.0 s.").over(TimeSpan {
        start: time(380),
        end: time(410),
    });
    queue.tell(News::Said { ticket, notice });
    assert!(!says(&queue.window, "No face was found"));
    queue.keys(&[Key::ArrowDown]);
    assert!(says(&queue.window, "No face was found for 1.0 s."));
    assert!(says(&queue.window, "0:00:12.666–0:00:13.666"));
    queue.window.key_down(Key::L);
    let mut copied = false;
    for _ in 0..4 {
        queue.window.step();
        let commands = &queue.window.output().platform_output.commands;
        copied |= commands.iter().any(|c| {
            matches!(c, egui::OutputCommand::CopyText(text)
                if text.contains("Warning (0:00:12.666–0:00:13.666): No face was found"))
        });
    }
    assert!(copied);
}

#[test]
fn the_question_mark_shows_the_keys_of_the_queue() {
    let mut queue = Queue::of(&["a.mp4"]);
    queue.press(Modifiers::SHIFT, Key::Questionmark);
    for binding in onset::app::keys::BINDINGS {
        let here = binding.scope.holds(Room::Batch);
        assert!(
            !here || says(&queue.window, binding.does),
            "{}",
            binding.does
        );
    }
    assert!(!says(&queue.window, "Next candidate"));
}

#[test]
fn keys_of_other_rooms_do_nothing_here() {
    let mut window = super::recording((1280.0, 800.0), 1.0, super::FRAMES, true);
    super::say(&mut window, vec![Command::Room(Room::Batch)]);
    for key in [Key::N, Key::A, Key::ArrowRight, Key::M, Key::T] {
        window.key_press(key);
        window.run_steps(2);
    }
    let state = &window.state().app.state;
    let review = state.review.as_ref().unwrap();
    assert!(review.selected.is_none() && review.coding.annotations().is_empty());
    assert_eq!(review.playback.frame, 0);
    assert!(!state.settings.shown.magnified);
}

#[test]
fn nothing_overlaps_or_leaves_the_batch_room() {
    for (size, scale) in SIZES {
        let names = ["a.mp4", "b.mp4", "c.mp4", "d.mp4", "e.mp4"];
        let mut queue = Queue::sized(size, scale, &names);
        for name in names {
            queue.look(name, 300);
        }
        queue.keys(&[Key::Space]);
        queue.progress("a.mp4", 30, 3.0);
        queue.end("a.mp4", done());
        queue.progress("b.mp4", 0, 0.0);
        queue.end("b.mp4", failed());
        queue.progress("c.mp4", 100, 10.0);
        queue.end("d.mp4", Outcome::Taken("/films/onset-results/d".into()));
        for theme in [ThemeChoice::Dark, ThemeChoice::Light] {
            for tab in [SideTab::Candidates, SideTab::Settings] {
                let commands = vec![
                    Command::Theme(theme),
                    Command::ShowTab(tab),
                    Command::DismissAll,
                ];
                super::say(&mut queue.window, commands);
                let what = format!("{size:?} ×{scale} {theme:?} {tab:?}");
                assert_tidy(&queue.window, size, &what);
            }
        }
    }
}
