//! How far the predicted apex lies from the true one, where the event was found.

use serde::{Deserialize, Serialize};

/// Over found events whose apex both sides know.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ApexError {
    /// Events counted.
    pub events: usize,
    /// Mean absolute distance in frames; `None` without events.
    pub mean_frames: Option<f64>,
    /// Mean of each distance by the length of its true interval (both end frames
    /// counted), so that recordings of different frame rates compare.
    pub mean_share: Option<f64>,
}

/// A found event: the frames of its predicted and its true apex, and the first and
/// last frame of the true interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundApex {
    pub predicted: i64,
    pub truth: i64,
    pub onset: i64,
    pub offset: i64,
}

/// Averages over `found`, which a matching of intervals gives.
#[must_use]
pub fn apex_error(found: &[FoundApex]) -> ApexError {
    if found.is_empty() {
        return ApexError::default();
    }
    let (mut frames, mut shares) = (0.0, 0.0);
    for f in found {
        let distance = (f.predicted - f.truth).abs() as f64;
        frames += distance;
        shares += distance / (f.offset - f.onset + 1).max(1) as f64;
    }
    let n = found.len() as f64;
    ApexError {
        events: found.len(),
        mean_frames: Some(frames / n),
        mean_share: Some(shares / n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_averaged_in_frames_and_by_the_length_of_the_truth() {
        // 3 frames off in an event of 10 frames, 1 off in one of 5: (3 + 1) / 2
        // frames and (0.3 + 0.2) / 2 of the interval.
        let error = apex_error(&[
            FoundApex {
                predicted: 13,
                truth: 16,
                onset: 10,
                offset: 19,
            },
            FoundApex {
                predicted: 43,
                truth: 42,
                onset: 40,
                offset: 44,
            },
        ]);
        assert_eq!((error.events, error.mean_frames), (2, Some(2.0)));
        assert!((error.mean_share.expect("two events") - 0.25).abs() < 1e-12);
        assert_eq!(apex_error(&[]).mean_frames, None);
    }
}
