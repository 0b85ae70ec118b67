//! The stills' own reading of the recording: which frame next, and that frame.

use super::StillKey;
use crate::media::{Frame, FrameSource, MediaError};

/// Frames that lie so near before the one that is wanted first are read on the way.
const NEAR: u64 = 24;

/// The frame to read next: that of the first wish, or one shortly before it that is
/// wanted as well, so that a reading goes forward.
pub(super) fn next(wishes: &[StillKey]) -> Option<u64> {
    let first = wishes.first()?.frame;
    let near = first.saturating_sub(NEAR)..=first;
    let frames = wishes.iter().map(|w| w.frame);
    frames.filter(|frame| near.contains(frame)).min()
}

/// A source that knows where it stands: frames one after the other need no seek.
pub(super) struct Reader {
    source: Box<dyn FrameSource>,
    /// The frame that the source gives next; `None` after an error.
    at: Option<u64>,
}

impl Reader {
    pub(super) fn new(source: Box<dyn FrameSource>) -> Self {
        Self {
            source,
            at: Some(0),
        }
    }

    /// Frame `n`; `None` beyond the end.
    pub(super) fn frame(&mut self, n: u64) -> Result<Option<Frame>, MediaError> {
        let found = self.go_to(n);
        self.at = match &found {
            Ok(Some(frame)) => Some(frame.index + 1),
            Ok(None) | Err(_) => None,
        };
        // The analysis reads the same recording and says what is damaged in it.
        drop(self.source.take_notices());
        Ok(found?.filter(|frame| frame.index == n))
    }

    fn go_to(&mut self, n: u64) -> Result<Option<Frame>, MediaError> {
        if self.at != Some(n) {
            self.source.seek(n)?;
        }
        loop {
            match self.source.next_frame()? {
                Some(frame) if frame.index < n => {}
                found => return Ok(found),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_shortly_before_is_read_on_the_way() {
        let wishes = |frames: &[u64]| -> Vec<StillKey> {
            let key = |frame: &u64| StillKey {
                frame: *frame,
                region: None,
                height: 8,
            };
            frames.iter().map(key).collect()
        };
        assert_eq!(next(&[]), None);
        assert_eq!(next(&wishes(&[106, 101, 90, 80, 500, 107])), Some(90));
        assert_eq!(next(&wishes(&[5, 3, 40])), Some(3));
        assert_eq!(next(&wishes(&[300, 100])), Some(300));
    }
}
