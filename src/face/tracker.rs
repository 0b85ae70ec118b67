//! draft
use std::path::Path;
use super::{Face, FaceDetector, FaceError, FaceTrack, LandmarkPredictor};
use crate::base::Rect;
use crate::media::Frame;

pub struct FaceTracker { detector: FaceDetector, predictor: LandmarkPredictor, blink: super::blink::BlinkMeter, last: Option<Rect> }
impl FaceTracker {
    pub fn open(path: Option<&Path>) -> Result<Self, FaceError> {
        Ok(Self { detector: FaceDetector::new()?, predictor: LandmarkPredictor::find(path)?, blink: Default::default(), last: None })
    }
    pub fn landmark_model(&self) -> String { self.predictor.name() }
    pub fn push(&mut self, frame: &Frame) -> FaceTrack {
        let near = self.last.and_then(|r| self.detector.look_near(&frame.picture, r));
        let found = near.or_else(|| self.detector.search(&frame.picture, 320).into_iter().max_by(|a, b| a.rect.area().total_cmp(&b.rect.area())));
        self.last = found.map(|f| f.rect);
        let face = found.map(|f| {
            let landmarks = self.predictor.predict(&frame.picture, f.rect);
            Face { rect: f.rect, confidence: 1.0, pose: super::pose::head_pose(&landmarks), blink: self.blink.push(frame.timestamp, &landmarks), landmarks }
        });
        FaceTrack { frame: frame.index, timestamp: frame.timestamp, face, others: Vec::new() }
    }
}
