use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::base::Timestamp;
use crate::media::SourceInfo;

/// Frames of 40×20 whose grey is their number; writes down what it is asked.
struct Numbers {
    info: SourceInfo,
    next: u64,
    log: Arc<Mutex<Vec<String>>>,
    /// Reading this frame fails.
    bad: Option<u64>,
}

type Log = Arc<Mutex<Vec<String>>>;

fn numbers(bad: Option<u64>) -> (Opener, Log) {
    let log = Log::default();
    let source = Numbers {
        info: SourceInfo {
            width: 40,
            height: 20,
            ..SourceInfo::of_clip(200)
        },
        next: 0,
        log: Arc::clone(&log),
        bad,
    };
    (Box::new(move || Ok(Box::new(source))), log)
}

impl FrameSource for Numbers {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
        let index = self.next;
        self.next += 1;
        self.log.lock().unwrap().push(format!("read {index}"));
        if self.bad == Some(index) {
            return Err(MediaError::NoSeek("scripted".into()));
        }
        Ok((index < 200).then(|| Frame {
            index,
            timestamp: Timestamp::from_secs(index as f64 / 30.0),
            dropped_before: 0,
            captured: None,
            picture: Arc::new(image::RgbImage::from_pixel(
                40,
                20,
                image::Rgb([index as u8; 3]),
            )),
        }))
    }

    fn seek(&mut self, frame: u64) -> Result<(), MediaError> {
        self.log.lock().unwrap().push(format!("seek {frame}"));
        self.next = frame;
        Ok(())
    }
}

fn key(frame: u64) -> StillKey {
    StillKey {
        frame,
        region: Some([10, 5, 20, 10]),
        height: 5,
    }
}

fn quiet() -> Wake {
    Box::new(|| {})
}

fn arriving(stills: &Stills, count: usize) -> Vec<Still> {
    let until = Instant::now() + Duration::from_secs(20);
    let mut all = Vec::new();
    while all.len() < count && Instant::now() < until {
        all.extend(stills.take());
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(all.len(), count);
    all
}

#[test]
fn frames_near_each_other_are_read_in_one_go_and_once() {
    let (open, log) = numbers(None);
    let stills = Stills::start(open, quiet()).unwrap();
    let large = StillKey {
        height: 10,
        ..key(100)
    };
    stills.want(vec![key(104), large, key(100), key(102), key(9)]);
    let arrived = arriving(&stills, 5);
    for still in &arrived {
        let picture = still.picture.as_ref().expect("it can be read");
        assert_eq!(u64::from(picture.get_pixel(0, 0).0[0]), still.key.frame);
        assert_eq!(picture.height(), still.key.height);
    }
    let order: Vec<u64> = arrived.iter().map(|s| s.key.frame).collect();
    assert_eq!(order, [100, 100, 102, 104, 9]);
    let log = log.lock().unwrap();
    let steps = "seek 100,read 100,seek 102,read 102,seek 104,read 104,seek 9,read 9";
    assert_eq!(log.join(","), steps);
}

#[test]
fn a_frame_that_cannot_be_read_is_said_so_and_the_next_are_read() {
    let (open, _) = numbers(Some(50));
    let stills = Stills::start(open, quiet()).unwrap();
    stills.want(vec![key(50), key(51), key(999)]);
    let there: Vec<_> = (arriving(&stills, 3).iter())
        .map(|s| (s.key.frame, s.picture.is_some()))
        .collect();
    assert_eq!(there, [(50, false), (51, true), (999, false)]);
}

#[test]
fn a_recording_that_does_not_open_leaves_every_wish_unanswerable() {
    let open: Opener = Box::new(|| Err(MediaError::NoSeek("scripted".into())));
    let stills = Stills::start(open, quiet()).unwrap();
    stills.want(vec![key(1)]);
    assert_eq!(arriving(&stills, 1)[0].picture, None);
    stills.want(vec![key(2)]);
    assert_eq!(arriving(&stills, 1)[0].picture, None);
}

#[test]
fn the_newest_list_replaces_the_old_one_and_dropping_ends_the_reading() {
    let woken = Arc::new(AtomicU64::new(0));
    let (open, log) = numbers(None);
    // The thread rests after its first still, until the list has been replaced.
    let gate = Arc::new(Mutex::new(()));
    let (count, shut) = (Arc::clone(&woken), Arc::clone(&gate));
    let closed = gate.lock().unwrap();
    let wake: Wake = Box::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
        drop(shut.lock());
    });
    let stills = Stills::start(open, wake).unwrap();
    stills.want(vec![key(3), key(150)]);
    let until = Instant::now() + Duration::from_secs(20);
    while woken.load(Ordering::SeqCst) == 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    stills.want(vec![key(60)]);
    drop(closed);
    let order: Vec<u64> = (arriving(&stills, 2).iter()).map(|s| s.key.frame).collect();
    assert_eq!(order, [3, 60]);
    let shared = Arc::downgrade(&stills.shared);
    // Again no more than one still is read before the next step here.
    let closed = gate.lock().unwrap();
    stills.want((100..200).map(key).collect());
    drop(stills);
    drop(closed);
    while shared.strong_count() > 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(shared.strong_count(), 0, "the thread has ended");
    assert!(!log.lock().unwrap().iter().any(|l| l == "read 150"));
}

#[test]
fn a_comparison_goes_before_the_stills_and_needs_no_reading() {
    let (open, log) = numbers(None);
    let stills = Stills::start(open, quiet()).unwrap();
    let current = image::RgbImage::from_pixel(40, 20, image::Rgb([110; 3]));
    stills.compare(Compare {
        reference: key(30),
        reference_picture: Arc::new(image::RgbImage::from_pixel(10, 5, image::Rgb([100; 3]))),
        current: Frame {
            index: 33,
            timestamp: Timestamp::ZERO,
            dropped_before: 0,
            captured: None,
            picture: Arc::new(current),
        },
        gain: 4.0,
    });
    let until = Instant::now() + Duration::from_secs(20);
    let compared = loop {
        if let Some(compared) = stills.take_compared() {
            break compared;
        }
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!((compared.frame, compared.reference), (33, key(30)));
    assert_eq!(compared.current.dimensions(), (10, 5));
    let difference = compared.difference.expect("both are of one size");
    assert!(difference.pixels().all(|p| p.0 == [128 + 40]));
    assert!(log.lock().unwrap().is_empty());
}
