//! The player's source with its cache: any frame, cheaply those near the last one.

use crate::base::{Notice, Timestamp};

use super::picture_cache::PictureCache;
use super::{Frame, FrameSource, MediaError};

/// Frames decoded ahead of the one that is shown.
const AHEAD: u64 = 24;
/// Frames fetched together when stepping back leaves the cache: a whole group has
/// to be decoded for one of them anyway.
const BACK_RUN: u64 = 24;

/// Frames decoded behind the one that rests on the screen, in one go.
const BEHIND: u64 = 48;

/// Random access to the frames of a source.
pub(crate) struct Deck {
    source: Box<dyn FrameSource>,
    cache: PictureCache,
    /// The frame that the source gives next.
    read_next: u64,
    /// The number of frames, once the end has been seen.
    count: Option<u64>,
    /// The furthest frame that was decoded, and when it is shown.
    furthest: Option<(u64, Timestamp)>,
    /// The frame asked for last.
    focus: u64,
}

impl Deck {
    pub(crate) fn new(source: Box<dyn FrameSource>, cache_bytes: usize) -> Self {
        Self {
            source,
            cache: PictureCache::new(cache_bytes),
            read_next: 0,
            count: None,
            furthest: None,
            focus: 0,
        }
    }

    /// Exact once the end has been seen; before, as the container states, which may be fewer
    /// than were decoded.
    pub(crate) fn frame_count(&self) -> Option<u64> {
        let decoded = self.furthest.map_or(0, |(frame, _)| frame + 1);
        let stated = self.source.info().frame_count;
        self.count.or(stated.map(|stated| stated.max(decoded)))
    }

    /// The furthest frame that was decoded, and when it is shown.
    pub(crate) fn furthest(&self) -> Option<(u64, Timestamp)> {
        self.furthest
    }

    /// The rate that the source states, in frames a second.
    pub(crate) fn nominal_fps(&self) -> Option<f64> {
        self.source.info().nominal_fps
    }

    pub(crate) fn is_last(&self, frame: u64) -> bool {
        self.count.is_some_and(|count| frame + 1 >= count)
    }

    pub(crate) fn take_notices(&mut self) -> Vec<Notice> {
        self.source.take_notices()
    }

    /// Frame `n`, `None` beyond the end.
    pub(crate) fn frame(&mut self, n: u64) -> Result<Option<Frame>, MediaError> {
        // A jump far back is shown at once; small steps back will go on.
        let back = n < self.focus && self.focus - n <= BACK_RUN;
        if self.count.is_some_and(|count| n >= count) {
            return Ok(None);
        }
        self.focus = n;
        self.cache.focus_on(n);
        if let Some(frame) = self.cache.get(n) {
            return Ok(Some(frame.clone()));
        }
        let start = if back {
            n.saturating_sub(self.run(BACK_RUN) - 1)
        } else {
            n
        };
        // Reading on is the shortest way when the source stands just before.
        if !(start..=n).contains(&self.read_next) {
            self.source.seek(start)?;
            self.read_next = start;
        }
        while self.read_next <= n {
            if !self.read_one()? {
                return Ok(None);
            }
        }
        Ok(self.cache.get(n).cloned())
    }

    /// Frame `n`, or the last one when there are fewer.
    pub(crate) fn frame_or_last(&mut self, n: u64) -> Result<Option<Frame>, MediaError> {
        // The container's own count is a short cut to the end; the rest is read.
        let stated = self.frame_count().filter(|_| self.count.is_none());
        if let Some(last) = stated.and_then(|count| count.checked_sub(1))
            && last < n
            && self.frame(last)?.is_some()
        {
            while self.read_next <= n && self.read_one()? {}
        }
        let n = self.count.map_or(n, |count| n.min(count.saturating_sub(1)));
        if let Some(frame) = self.frame(n)? {
            return Ok(Some(frame));
        }
        // The container promised more frames than there are. Having run into the
        // end, the source often knows the count; else look for it from before.
        let mut reach = 1;
        let mut from = self.frame_count().unwrap_or(n).min(n);
        loop {
            if let Some(count) = self.count {
                return match count.checked_sub(1) {
                    Some(last) => self.frame(last),
                    None => Ok(None),
                };
            }
            if from == 0 && reach > 1 {
                return Ok(None);
            }
            from = from.saturating_sub(reach);
            reach *= 8;
            self.source.seek(from)?;
            self.read_next = from;
            let mut last = None;
            while let Some(frame) = self.source.next_frame()? {
                self.read_next = frame.index + 1;
                last = Some(frame);
            }
            self.count = last.map(|frame| frame.index + 1);
        }
    }

    /// Decodes one frame of those that will be wanted after `position`. While not
    /// playing, only where the source stands there already.
    pub(crate) fn prefetch(&mut self, position: u64, playing: bool) -> Result<bool, MediaError> {
        let end = position + self.run(AHEAD);
        let missing = (position + 1..=end).find(|n| !self.cache.contains(*n));
        let Some(missing) = missing.filter(|n| self.count.is_none_or(|count| *n < count)) else {
            return Ok(false);
        };
        if missing != self.read_next {
            if !playing {
                return Ok(false);
            }
            self.source.seek(missing)?;
            self.read_next = missing;
        }
        self.read_one()
    }

    /// A frame that happens to be decoded.
    pub(crate) fn cached(&self, n: u64) -> Option<&Frame> {
        self.cache.get(n)
    }

    /// A frame that was decoded elsewhere.
    pub(crate) fn put(&mut self, frame: Frame) {
        self.keep(frame);
    }

    fn keep(&mut self, frame: Frame) {
        if self.furthest.is_none_or(|(known, _)| known < frame.index) {
            self.furthest = Some((frame.index, frame.timestamp));
        }
        self.cache.insert(frame);
    }

    /// What is to be decoded before `position`, where fewer than half of those that fit
    /// are left there.
    pub(crate) fn missing_behind(&self, position: u64) -> Option<std::ops::Range<u64>> {
        let run = self.run(BEHIND);
        let enough = position.saturating_sub(run / 2);
        let first_missing = (enough..position)
            .rev()
            .find(|n| !self.cache.contains(*n))?;
        let end = first_missing + 1;
        Some(end.saturating_sub(run)..end)
    }

    /// Decodes the `back` frames before `position` where one of them is missing; `false`
    /// where all are there.
    pub(crate) fn fetch_behind(&mut self, position: u64, back: u64) -> Result<bool, MediaError> {
        let first = position.saturating_sub(back.min(self.run(back)));
        if (first..position).all(|n| self.cache.contains(n)) {
            return Ok(false);
        }
        self.source.seek(first)?;
        self.read_next = first;
        // Through the position itself: decoding ahead goes on behind it.
        while self.read_next <= position && self.read_one()? {}
        Ok(true)
    }

    /// At most `wanted` frames, fewer where few fit into a third of the cache.
    fn run(&self, wanted: u64) -> u64 {
        let info = self.source.info();
        let bytes = info.width as usize * info.height as usize * 3;
        (self.cache.room_for(bytes) / 3).clamp(1, wanted)
    }

    /// Reads one frame into the cache; `false` at the end.
    fn read_one(&mut self) -> Result<bool, MediaError> {
        match self.source.next_frame()? {
            Some(frame) => {
                self.read_next = frame.index + 1;
                self.keep(frame);
                Ok(true)
            }
            None => {
                let info = self.source.info();
                if info.exact_frame_count {
                    self.count = info.frame_count;
                } else if self.cache.contains(self.read_next.wrapping_sub(1)) {
                    self.count = Some(self.read_next);
                }
                Ok(false)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::media::SourceInfo;

    /// `count` frames of 100 pixels which claim to be `claimed`.
    struct Numbers {
        info: SourceInfo,
        count: u64,
        next: u64,
        read: Arc<AtomicU64>,
    }

    fn numbers(count: u64, claimed: u64) -> (Box<Numbers>, Arc<AtomicU64>) {
        let read = Arc::new(AtomicU64::new(0));
        let source = Numbers {
            info: SourceInfo {
                width: 10,
                height: 10,
                exact_frame_count: false,
                ..SourceInfo::of_clip(claimed)
            },
            count,
            next: 0,
            read: Arc::clone(&read),
        };
        (Box::new(source), read)
    }

    impl FrameSource for Numbers {
        fn info(&self) -> &SourceInfo {
            &self.info
        }

        fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
            if self.next >= self.count {
                return Ok(None);
            }
            self.read.fetch_add(1, Ordering::Relaxed);
            self.next += 1;
            Ok(Some(Frame {
                index: self.next - 1,
                timestamp: Timestamp::from_secs((self.next - 1) as f64 / 25.0),
                dropped_before: 0,
                captured: None,
                picture: Arc::new(image::RgbImage::new(10, 10)),
            }))
        }

        fn seek(&mut self, frame: u64) -> Result<(), MediaError> {
            self.next = frame;
            Ok(())
        }
    }

    #[test]
    fn stepping_back_decodes_a_run_once() {
        let (source, read) = numbers(1000, 1000);
        let mut deck = Deck::new(source, 300 * 300);
        deck.frame(500).unwrap();
        for n in (460..500).rev() {
            assert_eq!(deck.frame(n).unwrap().map(|f| f.index), Some(n));
        }
        assert!(read.load(Ordering::Relaxed) <= 50);
    }

    #[test]
    fn a_wish_beyond_the_end_finds_the_last_frame() {
        for (count, claimed) in [(37, 40), (37, 1000), (1, 3), (37, 20)] {
            let (source, _) = numbers(count, claimed);
            let mut deck = Deck::new(source, 1 << 20);
            let last = deck.frame_or_last(u64::MAX - 1).unwrap();
            assert_eq!(last.map(|f| f.index), Some(count - 1));
            assert_eq!(deck.frame_count(), Some(count));
            assert!(deck.is_last(count - 1));
        }
        let (source, _) = numbers(0, 5);
        assert!(
            Deck::new(source, 1 << 20)
                .frame_or_last(3)
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn a_recording_longer_than_it_says_grows_as_far_as_it_is_decoded() {
        let (source, _) = numbers(37, 20);
        let mut deck = Deck::new(source, 1 << 20);
        deck.frame(19).unwrap();
        assert_eq!(deck.frame_count(), Some(20));
        deck.frame(24).unwrap();
        assert_eq!(deck.frame_count(), Some(25));
        assert_eq!(deck.furthest().map(|(frame, _)| frame), Some(24));
        assert!(!deck.is_last(24));
        // Going back takes nothing of it away.
        deck.frame(3).unwrap();
        assert_eq!(deck.frame_count(), Some(25));
        while deck.frame(deck.frame_count().unwrap()).unwrap().is_some() {}
        assert_eq!(deck.frame_count(), Some(37));
        assert!(deck.is_last(36));
        // Where fewer are there than it says, that is known at the end.
        let (source, _) = numbers(3, 20);
        let mut deck = Deck::new(source, 1 << 20);
        deck.frame(1).unwrap();
        assert_eq!(deck.frame_count(), Some(20));
    }

    #[test]
    fn decoding_ahead_stops_when_there_is_enough() {
        let (source, read) = numbers(1000, 1000);
        let mut deck = Deck::new(source, 300 * 300);
        deck.frame(0).unwrap();
        while deck.prefetch(0, false).unwrap() {}
        assert_eq!(read.load(Ordering::Relaxed), 1 + AHEAD);
    }
}
