//! Which presentation time belongs to which frame number.
//!
//! Reading in order is the truth: the n-th picture that the decoder delivers is
//! frame n. A look at the packets alone, thousands of times faster, foretells the
//! same numbers for sound files; it is believed only as long as it agrees with
//! every frame read so far.

use crate::base::Timestamp;

use super::packets::PacketTime;

/// A frame that has been reached by reading in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownFrame {
    /// In stream units; `None` when the container gives none.
    pub(crate) pts: Option<i64>,
    pub(crate) timestamp: Timestamp,
    /// A few of its samples, hashed: the same number must show the same picture.
    pub(crate) fingerprint: u32,
}

#[derive(Debug, Default)]
pub(crate) struct FrameIndex {
    known: Vec<KnownFrame>,
    /// Whether the times of `known` rise strictly, so that a time names one frame.
    rising: bool,
    forecast: Forecast,
}

/// What the packets foretell about frames not yet read.
#[derive(Debug, Default)]
enum Forecast {
    #[default]
    NotMade,
    /// Presentation times in ascending order, and those of key frames.
    Made { pts: Vec<i64>, keys: Vec<i64> },
    /// Missing or double times, or a frame that was not as foretold.
    Wrong,
}

impl FrameIndex {
    pub(crate) fn new() -> Self {
        Self {
            rising: true,
            ..Self::default()
        }
    }

    /// Frames read in order so far.
    pub(crate) fn len(&self) -> u64 {
        self.known.len() as u64
    }

    pub(crate) fn get(&self, frame: u64) -> Option<&KnownFrame> {
        self.known.get(usize::try_from(frame).ok()?)
    }

    pub(crate) fn last(&self) -> Option<&KnownFrame> {
        self.known.last()
    }

    /// The time of the first frame in stream units.
    pub(crate) fn first_pts(&self) -> Option<i64> {
        self.known.first()?.pts
    }

    pub(crate) fn push(&mut self, frame: KnownFrame) {
        let before = self.known.last().map(|k| k.pts);
        self.rising &= match (before, frame.pts) {
            (None, Some(_)) => true,
            (Some(Some(a)), Some(b)) => a < b,
            _ => false,
        };
        if let Forecast::Made { pts, .. } = &self.forecast
            && pts.get(self.known.len()).copied() != frame.pts
        {
            self.forecast = Forecast::Wrong;
        }
        self.known.push(frame);
    }

    pub(crate) fn wants_forecast(&self) -> bool {
        matches!(self.forecast, Forecast::NotMade)
    }

    /// Takes the packet times of the whole file.
    pub(crate) fn set_forecast(&mut self, packets: &[PacketTime]) {
        self.forecast = self.check(packets).unwrap_or(Forecast::Wrong);
    }

    fn check(&self, packets: &[PacketTime]) -> Option<Forecast> {
        let mut pts = packets.iter().map(|p| p.pts).collect::<Option<Vec<_>>>()?;
        pts.sort_unstable();
        if pts.windows(2).any(|w| w[0] >= w[1]) || !self.rising {
            return None;
        }
        let agrees = self
            .known
            .iter()
            .zip(&pts)
            .all(|(known, &foretold)| known.pts == Some(foretold));
        if !agrees || self.known.len() > pts.len() {
            return None;
        }
        let mut keys: Vec<i64> = packets
            .iter()
            .filter(|p| p.key)
            .filter_map(|p| p.pts)
            .collect();
        keys.sort_unstable();
        Some(Forecast::Made { pts, keys })
    }

    /// Damage has been met or a frame was not where it should be: from now on
    /// only what has been read counts.
    pub(crate) fn distrust(&mut self) {
        self.forecast = Forecast::Wrong;
    }

    /// Where to land for `frame`, when its time names it and nothing else.
    pub(crate) fn target(&self, frame: u64) -> Option<i64> {
        if let Some(known) = self.get(frame) {
            return known.pts.filter(|_| self.rising);
        }
        match &self.forecast {
            Forecast::Made { pts, .. } => pts.get(usize::try_from(frame).ok()?).copied(),
            _ => None,
        }
    }

    /// Whether decoding on from frame `from` reaches `to` without passing a key
    /// frame, so that a seek could save nothing.
    pub(crate) fn same_group(&self, from: u64, to: u64) -> bool {
        let (Some(a), Some(b)) = (self.target(from), self.target(to)) else {
            return false;
        };
        match &self.forecast {
            Forecast::Made { keys, .. } => {
                keys.partition_point(|&k| k <= a) == keys.partition_point(|&k| k <= b)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(pts: i64, key: bool) -> PacketTime {
        PacketTime {
            pts: Some(pts),
            key,
        }
    }

    fn known(pts: i64) -> KnownFrame {
        KnownFrame {
            pts: Some(pts),
            timestamp: Timestamp::from_nanos(pts),
            fingerprint: 0,
        }
    }

    #[test]
    fn a_forecast_is_dropped_when_a_frame_is_missing() {
        let mut index = FrameIndex::new();
        index.push(known(0));
        // Decoding order 0 30 10 20: b-frames.
        let packets = [(0, true), (30, false), (10, false), (20, true)].map(|(t, k)| packet(t, k));
        index.set_forecast(&packets);
        assert_eq!(index.target(2), Some(20));
        assert!(index.same_group(0, 1) && !index.same_group(1, 3));
        index.push(known(10));
        assert_eq!(index.target(3), Some(30));
        index.push(known(30));
        assert_eq!(index.target(3), None);
        assert_eq!(index.target(2), Some(30));
    }

    #[test]
    fn times_that_repeat_name_no_frame() {
        let mut index = FrameIndex::new();
        index.push(known(5));
        index.push(known(5));
        assert_eq!(index.target(0), None);
        index.set_forecast(&[packet(5, true), packet(6, false)]);
        assert_eq!(index.target(1), None);
        assert!(!index.wants_forecast());
    }
}
