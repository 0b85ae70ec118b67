//! What a camera has beside its analysis: the last half minute to go back to, and a file
//! it is recorded to.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::backend::{PlayerOrder, ViewsWanted};
use super::trail::Trail;
use super::wake::Wake;
use crate::base::{Latest, Mailbox, Notice, Timestamp};
use crate::media::recall::{Keeping, KeptMoment, RECALL_SECS, Recall};
use crate::media::recorder::{Recorder, RecordingState};
use crate::media::tap::Tapped;
use crate::media::{Frame, FrameSource, Player, SourceInfo};
use crate::session::views::{Views, ViewsWorker};
use crate::timeline::Event;

/// A recording as the window shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingNews {
    pub state: RecordingState,
    /// Nothing more is written.
    pub ended: bool,
}

type Slot = Arc<Mutex<Option<Recorder>>>;

pub struct CameraSide {
    info: SourceInfo,
    recall: Recall,
    /// Times and numbers of the frames that were analysed lately: the analysis counts
    /// those it gets, and what it had no time for has no number.
    analysed: VecDeque<(Timestamp, u64)>,
    recorder: Slot,
    told: Option<RecordingState>,
    /// What a recording became that was stopped; its last pictures take a moment.
    ended: Mailbox<RecordingState>,
    /// Waits for them.
    ending: Option<JoinHandle<()>>,
    frozen: Option<Frozen>,
    /// Why the last half minute is not kept.
    troubles: Latest<Notice>,
    /// The pace last asked for.
    speed: f64,
}

/// The half minute before the camera was frozen, played like a recording.
struct Frozen {
    moment: KeptMoment,
    player: Player,
    pictures: Latest<Frame>,
    trail: Option<Trail>,
    /// The place last asked for.
    place: u64,
    /// A new player shows its first frame at first, which nobody asked for.
    settled: bool,
    was_playing: bool,
    troubled: bool,
}

impl CameraSide {
    /// Puts itself between a camera and whoever reads it.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn beside(
        camera: Box<dyn FrameSource>,
    ) -> Result<(Self, Box<dyn FrameSource>), std::io::Error> {
        let info = camera.info().clone();
        let (tapped, taps) = Tapped::new(camera);
        let (recall, recorder, troubles) = (Recall::default(), Slot::default(), Latest::default());
        let (kept, file, trouble) = (recall.clone(), Arc::clone(&recorder), troubles.clone());
        std::thread::Builder::new()
            .name("camera side".into())
            .spawn(move || {
                let mut keeping = Some(Keeping::new(kept));
                for tap in taps {
                    if let Some(recorder) = &*lock(&file) {
                        recorder.lost(u64::from(tap.missed));
                        recorder.frame(&tap.frame);
                    }
                    // A recording goes on whatever becomes of the keeping.
                    let kept = keeping.as_mut().map(|k| {
                        catch_unwind(AssertUnwindSafe(|| k.frame(&tap.frame)))
                            .unwrap_or_else(|_| Err("an internal error; please report it".into()))
                    });
                    if let Some(Err(why)) = kept {
                        // Once is enough: the next frame would fare no better.
                        keeping = None;
                        trouble.put(Notice::warning(format!(
                            "The camera's last half minute cannot be kept: {why}"
                        )));
                    }
                }
            })?;
        let side = Self {
            info,
            recall,
            analysed: VecDeque::new(),
            recorder,
            told: None,
            ended: Mailbox::default(),
            ending: None,
            frozen: None,
            troubles,
            speed: 1.0,
        };
        Ok((side, Box::new(tapped)))
    }

    /// Takes the numbers that the analysis gave.
    pub fn heard(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Frame(record) = event {
                self.analysed.push_back((record.timestamp, record.frame));
            }
        }
        let newest = self.analysed.back().map(|(t, _)| *t);
        let too_old =
            |t: Timestamp| newest.is_some_and(|newest| newest.secs_since(t) > RECALL_SECS + 1.0);
        while self.analysed.front().is_some_and(|(t, _)| too_old(*t)) {
            self.analysed.pop_front();
        }
    }

    fn number(&self, at: Timestamp) -> Option<u64> {
        let found = self.analysed.binary_search_by_key(&at, |(t, _)| *t).ok()?;
        Some(self.analysed[found].1)
    }

    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Carries an order out; gives the numbers of what can be gone back to, where
    /// the order froze it.
    ///
    /// # Errors
    /// The system refuses another thread, or nothing is kept yet: a sentence.
    pub fn order(
        &mut self,
        order: PlayerOrder,
        (wake, views): (&Wake, Option<&Arc<ViewsWorker>>),
    ) -> Result<Option<(u64, u64)>, String> {
        if let PlayerOrder::Speed(speed) = order {
            self.speed = f64::from(speed);
        }
        match (order, &mut self.frozen) {
            (PlayerOrder::Freeze, None) => {
                let moment = self
                    .recall
                    .moment(&self.info, |at| self.number(at))
                    .ok_or("The camera has sent no picture yet.")?;
                let span = moment.span();
                self.frozen = Some(Frozen::start(moment, self.speed, wake, views)?);
                return Ok(Some(span));
            }
            (PlayerOrder::Live, _) => self.frozen = None,
            (order, Some(frozen)) => frozen.order(order),
            (_, None) => {}
        }
        Ok(None)
    }

    /// The picture that was gone back to.
    #[must_use]
    pub fn picture(&mut self) -> Option<Frame> {
        self.frozen.as_mut()?.picture()
    }

    /// Whether playing has just come to its end.
    pub fn playback_ended(&mut self) -> bool {
        self.frozen.as_mut().is_some_and(Frozen::ended)
    }

    /// Draws the views of a frame that was gone back to; gives the wish back while the
    /// camera runs.
    #[must_use]
    pub fn request_views(&self, mut wanted: ViewsWanted) -> Option<ViewsWanted> {
        let Some(frozen) = &self.frozen else {
            return Some(wanted);
        };
        wanted.frame.index = frozen.moment.place_of(wanted.frame.index, frozen.place);
        if let Some(trail) = &frozen.trail {
            trail.follow(wanted);
        }
        None
    }

    /// With the number of the frame they were drawn of.
    #[must_use]
    pub fn named(&self, mut views: Views) -> Views {
        if let Some(frozen) = &self.frozen {
            views.frame = frozen.moment.number_at(views.frame);
        }
        views
    }

    #[must_use]
    pub fn trouble(&self) -> Option<Notice> {
        self.troubles.take()
    }

    /// Begins a recording, or ends the one there is: how it ended is told later.
    ///
    /// # Errors
    /// A sentence where it cannot be begun.
    pub fn record(&mut self, on: bool, path: Option<PathBuf>) -> Result<(), String> {
        let mut slot = lock(&self.recorder);
        match (on, slot.is_some()) {
            (true, false) => {
                let path = path.ok_or(
                    "Cannot record: this account has no folder of its own. Start Onset in a \
                     session that has one.",
                )?;
                *slot = Some(Recorder::start(&path, &self.info).map_err(|e| e.to_string())?);
            }
            (false, true) => {
                let recorder = slot.take();
                let ended = self.ended.clone();
                // The encoder may have two seconds of pictures before it.
                let ending = std::thread::Builder::new()
                    .name("recording ends".into())
                    .spawn(move || ended.post(recorder.map(Recorder::finish)))
                    .map_err(|e| {
                        format!("The recording ends when the camera is let go: the system refuses another thread ({e}).")
                    })?;
                self.ending = Some(ending);
            }
            _ => {}
        }
        Ok(())
    }

    /// Ends a recording at once, because its camera goes; waits for its last pictures.
    pub fn end_recording(&mut self) -> Option<RecordingNews> {
        let running = lock(&self.recorder).take().map(Recorder::finish);
        if let Some(ending) = self.ending.take() {
            // The recorder catches its own failures; there is nothing left to report.
            let _ = ending.join();
        }
        let state = running.or_else(|| self.ended.take_all().pop())?;
        Some(RecordingNews { state, ended: true })
    }

    /// How the recording is getting on; `None` without one, and where nothing has changed.
    pub fn recording(&mut self) -> Option<RecordingNews> {
        if let Some(state) = self.ended.take_all().pop() {
            return Some(RecordingNews { state, ended: true });
        }
        let mut slot = lock(&self.recorder);
        let state = slot.as_ref()?.state();
        if state.failed.is_some() {
            let state = slot.take().map(Recorder::finish).unwrap_or(state);
            return Some(RecordingNews { state, ended: true });
        }
        drop(slot);
        // A second's worth at a time is enough to read.
        let before = self.told.as_ref();
        let changed = before.is_none_or(|b| (state.secs - b.secs).abs() >= 0.2);
        if !changed {
            return None;
        }
        self.told = Some(state.clone());
        let ended = false;
        Some(RecordingNews { state, ended })
    }

    /// Why nothing of the frozen half minute can be shown any more.
    #[must_use]
    pub fn frozen_trouble(&mut self) -> Option<Notice> {
        let frozen = self.frozen.as_mut()?;
        let why = frozen.player.state().trouble?;
        let first = !std::mem::replace(&mut frozen.troubled, true);
        first.then(|| Notice::error(why))
    }
}

impl Drop for CameraSide {
    /// A recording that still runs is whole when the camera goes.
    fn drop(&mut self) {
        if let Some(news) = self.end_recording() {
            let state = news.state;
            log::info!("recorded {:.1} s: {}", state.secs, state.path.display());
        }
    }
}

fn lock(slot: &Mutex<Option<Recorder>>) -> MutexGuard<'_, Option<Recorder>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Frozen {
    fn start(
        moment: KeptMoment,
        speed: f64,
        wake: &Wake,
        views: Option<&Arc<ViewsWorker>>,
    ) -> Result<Self, String> {
        let pictures = Latest::default();
        let knock = wake.clone();
        let player = Player::start(
            moment.source(),
            Latest::clone(&pictures),
            Box::new(move || knock.wake()),
        )
        .map_err(|e| e.to_string())?;
        let place = moment.place_of(moment.span().1, 0);
        player.set_speed(speed);
        player.seek(place);
        let trail = views.map(|views| Trail::start(moment.source(), Arc::clone(views)));
        let trail = trail.transpose().map_err(|e| {
            format!("The system refuses another thread ({e}). Close other programs.")
        })?;
        Ok(Self {
            moment,
            player,
            pictures,
            trail,
            place,
            settled: false,
            was_playing: false,
            troubled: false,
        })
    }

    fn order(&mut self, order: PlayerOrder) {
        match order {
            PlayerOrder::Play => {
                self.player.play();
                self.was_playing = true;
            }
            PlayerOrder::Pause => {
                self.player.pause();
                self.was_playing = false;
            }
            PlayerOrder::Seek(number) => {
                self.place = self.moment.place_of(number, self.place);
                self.player.seek(self.place);
            }
            PlayerOrder::Speed(speed) => self.player.set_speed(f64::from(speed)),
            PlayerOrder::Loop(frames) => {
                let place = |number| self.moment.place_of(number, 0);
                let frames = frames.map(|(from, to)| place(from)..=place(to));
                self.player.set_loop(frames);
            }
            PlayerOrder::Strip(_) | PlayerOrder::Freeze | PlayerOrder::Live => {}
        }
    }

    /// With its number.
    fn picture(&mut self) -> Option<Frame> {
        let frame = self.pictures.take()?;
        self.settled |= frame.index == self.place;
        if !self.settled {
            return None;
        }
        self.place = frame.index;
        Some(Frame {
            index: self.moment.number_at(frame.index),
            ..frame
        })
    }

    fn ended(&mut self) -> bool {
        let playing = self.player.state().playing;
        std::mem::replace(&mut self.was_playing, playing) && !playing
    }
}

#[cfg(test)]
mod tests {
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
            info: SourceInfo {
                name: "bright".into(),
                path: None,
                width: 32,
                height: 32,
                nominal_fps: Some(30.0),
                frame_count: None,
                exact_frame_count: false,
                duration: None,
                live: true,
            },
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
                frame: n / 2,
                timestamp: at(n),
                dropped_before: 1,
                face: None,
                others: vec![],
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
}
