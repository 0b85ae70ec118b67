//! Decoded pictures kept around the one that is shown, bounded in bytes.

use std::collections::BTreeMap;

use super::Frame;

/// Frames by number. When it grows over its budget, the frames farthest from the
/// focus go; the focus itself stays whatever its size.
#[derive(Debug)]
pub(crate) struct PictureCache {
    frames: BTreeMap<u64, Frame>,
    bytes: usize,
    budget: usize,
    focus: u64,
}

impl PictureCache {
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            frames: BTreeMap::new(),
            bytes: 0,
            budget,
            focus: 0,
        }
    }

    /// Moves the focus: the frame that is wanted now.
    pub(crate) fn focus_on(&mut self, frame: u64) {
        self.focus = frame;
    }

    pub(crate) fn get(&self, frame: u64) -> Option<&Frame> {
        self.frames.get(&frame)
    }

    pub(crate) fn contains(&self, frame: u64) -> bool {
        self.frames.contains_key(&frame)
    }

    pub(crate) fn insert(&mut self, frame: Frame) {
        self.bytes += size(&frame);
        if let Some(old) = self.frames.insert(frame.index, frame) {
            self.bytes -= size(&old);
        }
        while self.bytes > self.budget {
            let first = self.frames.keys().next().copied();
            let last = self.frames.keys().next_back().copied();
            let (Some(first), Some(last)) = (first, last) else {
                return;
            };
            let far = if first.abs_diff(self.focus) > last.abs_diff(self.focus) {
                first
            } else {
                last
            };
            if far == self.focus {
                return;
            }
            if let Some(gone) = self.frames.remove(&far) {
                self.bytes -= size(&gone);
            }
        }
    }

    /// How many frames like `frame` fit into the budget, at least one.
    pub(crate) fn room_for(&self, frame_bytes: usize) -> u64 {
        (self.budget / frame_bytes.max(1)).max(1) as u64
    }
}

fn size(frame: &Frame) -> usize {
    frame.picture.as_raw().len()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::Timestamp;

    fn frame(index: u64) -> Frame {
        Frame {
            index,
            timestamp: Timestamp::from_nanos(index as i64),
            dropped_before: 0,
            captured: None,
            picture: Arc::new(image::RgbImage::new(10, 10)),
        }
    }

    #[test]
    fn the_farthest_frames_go_first_and_the_bytes_stay_within_the_budget() {
        let mut cache = PictureCache::new(300 * 4);
        cache.focus_on(10);
        for i in 5..16 {
            cache.insert(frame(i));
            assert!(cache.bytes <= cache.budget);
        }
        cache.insert(frame(10));
        assert!(cache.contains(10) && cache.contains(9) && !cache.contains(5));
        assert!(!cache.contains(15));
        assert_eq!(cache.room_for(300), 4);
    }

    #[test]
    fn one_picture_larger_than_the_budget_is_still_shown() {
        let mut cache = PictureCache::new(100);
        for i in 0..3 {
            cache.focus_on(i);
            cache.insert(frame(i));
            assert_eq!(cache.get(i).map(|f| f.index), Some(i));
            assert_eq!(cache.frames.len(), 1);
        }
    }
}
