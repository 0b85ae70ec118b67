//! What goes wrong on the player's thread, and recordings that say little of their times.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::*;
use crate::media::SourceInfo;

/// Frames that all have one time, of a recording without a rate.
struct Timeless {
    info: SourceInfo,
    count: u64,
    next: u64,
    /// A mistake of the program's at this frame.
    panics_at: Option<u64>,
}

fn timeless(count: u64, panics_at: Option<u64>) -> Box<Timeless> {
    Box::new(Timeless {
        info: SourceInfo {
            nominal_fps: None,
            ..SourceInfo::of_clip(count)
        },
        count,
        next: 0,
        panics_at,
    })
}

impl FrameSource for Timeless {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
        let index = self.next;
        assert_ne!(Some(index), self.panics_at, "a mistake");
        if index >= self.count {
            return Ok(None);
        }
        self.next += 1;
        Ok(Some(Frame {
            index,
            timestamp: Timestamp::ZERO,
            dropped_before: 0,
            captured: None,
            picture: Arc::new(image::RgbImage::new(4, 4)),
        }))
    }

    fn seek(&mut self, frame: u64) -> Result<(), MediaError> {
        self.next = frame;
        Ok(())
    }
}

fn started(source: Box<Timeless>) -> (Player, Arc<AtomicU32>) {
    let woken = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&woken);
    let wake = move || {
        count.fetch_add(1, Ordering::Relaxed);
    };
    let player = Player::start(source, Latest::default(), Box::new(wake)).unwrap();
    (player, woken)
}

fn until(player: &Player, done: impl Fn(&PlayerState) -> bool) -> PlayerState {
    let begun = Instant::now();
    loop {
        let state = player.state();
        if done(&state) {
            return state;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{state:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_thread_that_has_died_says_so_once_and_holds_nothing_up() {
    let (player, woken) = started(timeless(5, Some(0)));
    let state = until(&player, |state| state.trouble.is_some());
    assert!(state.trouble.is_some_and(|why| why.contains("a mistake")));
    // The trouble is to be shown.
    let begun = Instant::now();
    while woken.load(Ordering::Relaxed) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody is woken");
        std::thread::sleep(Duration::from_millis(1));
    }
    // Nobody would answer.
    player.seek(3);
    player.step(1);
    player.play();
    let state = player.state();
    assert_eq!((state.asked, state.playing), (None, false));
}

#[test]
fn a_loop_without_a_length_does_not_spin() {
    for (count, looped) in [(1, 0..=0), (5, 2..=2)] {
        let first = *looped.start();
        let (player, woken) = started(timeless(count, None));
        player.set_loop(Some(looped));
        player.seek(first);
        until(&player, |state| state.asked.is_none());
        player.play();
        let before = woken.load(Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(500));
        let often = woken.load(Ordering::Relaxed) - before;
        assert!(player.state().playing);
        assert!(
            often <= 40,
            "{count} frames: {often} times in half a second"
        );
    }
}

#[test]
fn a_recording_longer_than_it_says_is_gone_through_and_its_length_grows() {
    let mut source = timeless(60, None);
    source.info.frame_count = Some(20);
    source.info.exact_frame_count = false;
    let (player, _) = started(source);
    player.seek(19);
    let state = until(&player, |state| state.asked.is_none());
    assert_eq!((state.position, state.ended), (19, false));
    // While it rests, some are decoded ahead.
    let ahead = |state: &PlayerState| state.furthest.is_some_and(|(frame, _)| frame > 30);
    let state = until(&player, ahead);
    assert_eq!(
        state.frame_count,
        state.furthest.map(|(frame, _)| frame + 1)
    );
    player.seek(1000);
    let state = until(&player, |state| state.asked.is_none());
    assert_eq!((state.position, state.ended), (59, true));
    assert_eq!(state.frame_count, Some(60));
}
