use std::time::{Duration, Instant};

use image::{Rgb, RgbImage};

use super::*;
use crate::app::backend::Machine;
use crate::media::MediaError;
use crate::timeline::FrameRecord;

/// A camera whose frame `n` is as bright as `n`.
struct Bright {
    info: SourceInfo,
    next: u64,
}

impl FrameSource for Bright {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
        let index = self.next;
        self.next += 1;
        Ok(Some(Frame {
            index,
            timestamp: at(index),
            dropped_before: 0,
            captured: None,
            picture: Arc::new(RgbImage::from_pixel(32, 32, Rgb([index as u8; 3]))),
        }))
    }

    fn seek(&mut self, _: u64) -> Result<(), MediaError> {
        Err(MediaError::NoSeek("a camera".into()))
    }

    fn take_notices(&mut self) -> Vec<Notice> {
        vec![]
    }
}

fn camera() -> (CameraSide, Box<dyn FrameSource>) {
    CameraSide::beside(Box::new(Bright {
        info: SourceInfo::of_camera((32, 32), 30.0),
        next: 0,
    }))
    .unwrap()
}

fn at(frame: u64) -> Timestamp {
    Timestamp::from_secs(frame as f64 / 30.0)
}

/// The camera's own numbers.
fn newest(t: Timestamp) -> Option<u64> {
    Some((t.secs() * 30.0).round() as u64)
}

/// What comes of `look` within ten seconds.
fn soon<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "nothing came");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_frozen_camera_is_stepped_through_by_its_own_numbers_and_goes_on() {
    let wake = Wake::new(egui::Context::default(), &Machine::default());
    let (mut side, mut source) = camera();
    assert!(side.order(PlayerOrder::Freeze, (&wake, None)).is_err());
    for n in 0..50 {
        source.next_frame().unwrap();
        // The outlet holds ten.
        soon(|| (side.recall.moment(&side.info, newest)?.span().1 == n).then_some(()));
    }
    // The analysis had time for every second one only, and counts those.
    let analysed = (0..50).filter(|n| n % 2 == 1).map(|n| {
        Event::Frame(Box::new(FrameRecord {
            dropped_before: 1,
            ..FrameRecord::faceless(n / 2, at(n))
        }))
    });
    side.heard(&analysed.collect::<Vec<_>>());
    let frozen = side.order(PlayerOrder::Freeze, (&wake, None)).unwrap();
    assert_eq!(frozen, Some((0, 24)));
    let first = soon(|| side.picture());
    assert_eq!(first.index, 24, "the newest first, not the oldest");
    assert_eq!(first.timestamp, at(49));
    source.next_frame().unwrap();
    assert!(
        side.order(PlayerOrder::Seek(23), (&wake, None))
            .unwrap()
            .is_none()
    );
    let before = soon(|| side.picture().filter(|f| f.index == 23));
    assert!(before.picture.get_pixel(9, 9).0[0].abs_diff(47) <= 2);
    side.order(PlayerOrder::Live, (&wake, None)).unwrap();
    assert!(!side.is_frozen() && side.picture().is_none());
    soon(|| (side.recall.moment(&side.info, newest)?.span().1 == 50).then_some(()));
}

#[test]
fn what_is_recorded_is_a_file_when_the_camera_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mkv");
    let (mut side, mut source) = camera();
    side.record(true, Some(path.clone())).unwrap();
    for _ in 0..40 {
        source.next_frame().unwrap();
        std::thread::sleep(Duration::from_millis(3));
    }
    let news = soon(|| side.recording().filter(|n| n.state.frames > 10));
    assert!(!news.ended && news.state.free.is_some());
    drop(side);
    assert!(path.metadata().unwrap().len() > 500);
    let (mut side, _source) = camera();
    assert!(side.record(true, None).unwrap_err().contains("no folder"));
    assert!(side.record(true, Some(path)).is_err(), "never overwritten");
}

#[test]
fn a_recording_that_is_just_being_stopped_is_still_told_when_the_camera_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (mut side, mut source) = camera();
    side.record(true, Some(folder.path().join("a.mkv")))
        .unwrap();
    source.next_frame().unwrap();
    soon(|| (lock(&side.recorder).as_ref()?.state().frames == 1).then_some(()));
    side.record(false, None).unwrap();
    let news = side.end_recording().expect("it was stopped a moment ago");
    assert!(news.ended && news.state.frames == 1 && news.state.bytes > 0);
    assert_eq!(side.end_recording(), None, "told once");
}
