//! draft
use std::sync::Arc;
use super::{Face, Landmarks, CROP_SIDE};
use crate::base::{Point, Similarity};

#[derive(Debug, Clone, PartialEq)]
pub struct HeldCrop { pub id: u32, pub since_frame: u64, pub crop_from_image: Similarity, pub landmarks_in_crop: Landmarks }
#[derive(Debug, Default)]
pub struct CropHold { held: Option<Arc<HeldCrop>>, next: u32, anchor: Option<(Point, f32)> }
impl CropHold {
    pub fn update(&mut self, frame: u64, face: Option<&Face>) -> Option<Arc<HeldCrop>> {
        let Some(face) = face else { self.held = None; return None };
        let c = face.landmarks.0[36].midpoint(face.landmarks.0[45]).midpoint(face.landmarks.0[33]);
        if let (Some(h), Some((a, w))) = (&self.held, self.anchor) && a.distance(c) < 0.06 * w { return Some(h.clone()) }
        let s = CROP_SIDE as f32 / face.rect.w;
        let t = Similarity::about(face.rect.center(), Point::new(63.5, 63.5), s, 0.0);
        let landmarks_in_crop = Landmarks(face.landmarks.0.map(|p| t.apply(p)));
        self.next += 1; self.anchor = Some((c, face.rect.w));
        let h = Arc::new(HeldCrop { id: self.next, since_frame: frame, crop_from_image: t, landmarks_in_crop });
        self.held = Some(h.clone()); Some(h)
    }
}
