//! What is told of the face: each frame's record, and where it comes and goes.

use std::sync::Arc;

use super::Pipeline;
use crate::base::{Notice, TimeSpan, Timestamp};
use crate::face::FaceTrack;
use crate::media::Frame;
use crate::timeline::event::FaceRecord;
use crate::timeline::{Event, FrameRecord};

impl Pipeline {
    pub(super) fn tell_face(&mut self, frame: &Frame, track: &FaceTrack, events: &mut Vec<Event>) {
        let held = self.hold.push(track);
        if let Some(held) = held
            && self.held.as_ref().is_none_or(|h| h.id != held.id)
        {
            events.push(Event::Crop(Box::new(held.clone())));
            self.held = Some(Arc::new(held.clone()));
        }
        let held = held.and_then(|_| self.held.clone());
        let face = track
            .face
            .as_ref()
            .zip(held)
            .map(|(face, held)| FaceRecord {
                rect: face.rect,
                confidence: face.confidence,
                pose: face.pose,
                blink: face.blink,
                landmarks: Some(Box::new(face.landmarks.clone())),
                crop: held.id,
            });
        let found = face.is_some();
        events.push(Event::Frame(Box::new(FrameRecord {
            frame: frame.index,
            timestamp: frame.timestamp,
            dropped_before: frame.dropped_before,
            face,
            others: track.others.clone(),
        })));
        let had_face = self.last_track.as_ref().map(|t| t.face.is_some());
        if found && had_face != Some(true) {
            events.push(Event::FaceFound { frame: frame.index });
            self.tell_loss(frame.timestamp, events);
        } else if !found && had_face != Some(false) {
            events.push(Event::FaceLost { frame: frame.index });
            self.lost_since = Some(frame.timestamp);
        }
    }

    pub(super) fn tell_loss(&mut self, until: Timestamp, events: &mut Vec<Event>) {
        if let Some(since) = self.lost_since.take() {
            let span = TimeSpan {
                start: since,
                end: until,
            };
            let text = format!(
                "No face from {} to {}: nothing is measured there",
                since.clock(),
                until.clock()
            );
            events.push(Event::Notice(Notice::info(text).over(span)));
        }
    }
}
