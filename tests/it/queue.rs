//! The queue behind the Batch room, with real recordings.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use onset::base::Mailbox;
use onset::project::kept::filed;
use onset::project::result_folder::Existing;
use onset::project::unattended::{Job, News, Outcome, Plan, Worker};
use onset::session::Params;
use onset::session::params::DeviceChoice;

use crate::cli::{analyze, film, text};

/// No analysis of these tests takes so long.
const LONGEST: Duration = Duration::from_secs(300);

struct Queue {
    worker: Worker,
    told: Mailbox<News>,
    heard: Vec<News>,
}

impl Queue {
    fn start() -> Self {
        let told: Mailbox<News> = Mailbox::default();
        let tell = told.clone();
        let worker = Worker::start(None, move |news| tell.post([news]));
        let worker = worker.expect("two threads");
        Self {
            worker,
            told,
            heard: vec![],
        }
    }

    /// Waits until something is told of which `what` makes an answer.
    fn until<T>(&mut self, mut what: impl FnMut(&News) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = self.heard.iter().find_map(&mut what) {
                return found;
            }
            assert!(begun.elapsed() < LONGEST, "only heard: {:?}", self.heard);
            std::thread::sleep(Duration::from_millis(10));
            self.heard.extend(self.told.take_all());
        }
    }

    fn ended(&mut self, wanted: u64) -> Outcome {
        self.until(|news| match news {
            News::Ended { ticket, outcome } if *ticket == wanted => Some(outcome.clone()),
            _ => None,
        })
    }
}

/// Of two thousand frames: no computer is through with it before it is told to stop.
fn long_film(home: &Path, name: &str) -> PathBuf {
    const TIMES: usize = 50;
    let pictures = film(home, "pictures of a long film", 40);
    let long = home.join(name);
    fs::create_dir(&long).expect("a folder");
    for i in 0..40 * TIMES {
        let picture = pictures.join(format!("f{}.jpg", i % 40));
        fs::copy(picture, long.join(format!("f{i}.jpg"))).expect("a copy");
    }
    long
}

fn job(ticket: u64, input: &Path, out: &Path, existing: Existing) -> Job {
    Job {
        ticket,
        input: input.to_owned(),
        out: out.to_owned(),
        existing,
    }
}

fn plan(jobs: Vec<Job>, running: bool) -> Plan {
    Plan {
        jobs,
        running,
        params: Params {
            device: DeviceChoice::Cpu,
            fps: Some(30.0),
            ..Params::default()
        },
    }
}

fn done(outcome: Outcome) -> PathBuf {
    match outcome {
        Outcome::Done(finished) => finished.folder,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_queue_writes_what_analyze_writes_goes_past_a_broken_file_and_replaces_nothing_unasked() {
    let home = tempfile::tempdir().unwrap();
    let film = film(home.path(), "film", 25);
    let broken = home.path().join("broken.mp4");
    fs::write(&broken, "no video").unwrap();
    let out = home.path().join("out");
    let mut queue = Queue::start();
    let mut jobs = vec![
        job(1, &broken, &out, Existing::Ask),
        job(2, &film, &out, Existing::Ask),
    ];
    queue.worker.plan(plan(jobs.clone(), false));
    let frames = queue.until(|news| match news {
        News::Looked {
            ticket: 2,
            look: Ok(look),
        } => Some(look.frames),
        _ => None,
    });
    assert_eq!(frames, Some(25));
    assert!(!out.exists(), "a queue that is not started does nothing");
    queue.worker.plan(plan(jobs.clone(), true));
    let Outcome::Failed(why) = queue.ended(1) else {
        panic!("{:?}", queue.heard);
    };
    assert!(why.contains("Cannot read this"), "{why}");
    let folder = done(queue.ended(2));
    assert_eq!(folder, out.join("film"));

    let alone = home.path().join("alone");
    let ran = analyze(&film, &alone, &["--fps", "30", "--device", "cpu"]);
    assert!(ran.code.is_some_and(|code| code == 0 || code == 3));
    for name in ["frames.csv", "intervals.csv", "recording.json"] {
        let [ours, theirs] = [&folder, &alone.join("film")].map(|f| fs::read(f.join(name)));
        assert!(ours.unwrap() == theirs.unwrap(), "{name}");
    }

    let mark = folder.join("run.log");
    fs::write(&mark, "untouched").unwrap();
    jobs = vec![job(3, &film, &out, Existing::Ask)];
    queue.worker.plan(plan(jobs.clone(), true));
    assert_eq!(queue.ended(3), Outcome::Taken(folder.clone()));
    jobs.push(job(4, &film, &out, Existing::KeepBoth));
    queue.worker.plan(plan(jobs.clone(), true));
    assert_eq!(done(queue.ended(4)), out.join("film_2"));
    assert_eq!(fs::read_to_string(&mark).unwrap(), "untouched");
    jobs.push(job(5, &film, &out, Existing::Replace));
    queue.worker.plan(plan(jobs, true));
    assert_eq!(done(queue.ended(5)), folder);
    assert!(fs::read_to_string(&mark).unwrap().contains(text(&film)));
}

#[test]
fn a_queue_is_held_goes_on_and_stops_what_is_wanted_no_more() {
    let home = tempfile::tempdir().unwrap();
    let short = film(home.path(), "short", 25);
    let long = long_film(home.path(), "long");
    let out = home.path().join("out");
    let mut queue = Queue::start();
    let jobs = vec![job(1, &long, &out, Existing::Ask)];
    queue.worker.plan(plan(jobs.clone(), true));
    queue.until(|news| matches!(news, News::Progress { ticket: 1, .. }).then_some(()));
    queue.worker.plan(plan(jobs.clone(), false));
    assert!(!queue.worker.busy());
    queue.worker.plan(plan(jobs, true));
    assert!(queue.worker.busy());
    queue.worker.plan(plan(vec![], false));
    assert_eq!(queue.ended(1), Outcome::Stopped);
    assert!(!out.join("long").exists());
    let next = vec![job(2, &short, &out, Existing::Ask)];
    queue.worker.plan(plan(next, true));
    assert_eq!(done(queue.ended(2)), out.join("short"));
}

#[test]
fn what_the_queue_has_analysed_is_found_whole_and_only_by_its_own_recording() {
    let home = tempfile::tempdir().unwrap();
    let recording = film(home.path(), "film", 25);
    let other = film(home.path(), "other", 26);
    let out = home.path().join("out");
    let mut queue = Queue::start();
    queue
        .worker
        .plan(plan(vec![job(1, &recording, &out, Existing::Ask)], true));
    let folder = done(queue.ended(1));
    let kept = filed::find(&out, &recording).expect("an analysis beside its results");
    assert_eq!(
        (kept.recording.frames.len(), kept.recording.finished),
        (25, true)
    );
    assert_eq!(kept.params, plan(vec![], false).params);
    assert!(
        filed::find(&out, &other).is_none(),
        "results of another one"
    );
    // Its ending is not a project's, in which somebody could code.
    let project = onset::project::file::ENDING;
    let names = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path());
    assert!(
        names
            .filter_map(|p| p.extension().map(ToOwned::to_owned))
            .all(|e| e != project)
    );
    fs::write(folder.join(filed::NAME), "no analysis").unwrap();
    assert!(
        filed::find(&out, &recording).is_none(),
        "analysed again, not believed"
    );
}
