//! The face of one frame after another, magnified as the view beside the picture shows
//! it while the recording plays: for what is handed on, where no frame may be passed over.

use std::collections::VecDeque;

use image::RgbImage;

use super::magnified_view::{self, MagnifiedFace, MagnifyMethod, MagnifyRequest, MagnifyView};
use super::views;
use crate::face::crop::HeldCrop;
use crate::media::Frame;
use crate::motion::tvl1::{Tvl1, Tvl1Preset};

/// Frames that are looked back at take at most so many bytes.
const KEPT_BYTES: usize = 192 << 20;

/// A face as it was filmed and as it is magnified, both of one size: that of the filmed
/// face, up to [`magnified_view::LARGEST_SIDE`].
#[derive(Debug, Clone)]
pub struct FacePair {
    pub filmed: RgbImage,
    pub magnified: RgbImage,
}

/// Takes frames in order; those of [`MagnifyMethod::looks_back_secs`] before the first
/// one that is to be seen come first.
#[derive(Debug)]
pub struct PlayedFace {
    with: MagnifyView,
    face: MagnifiedFace,
    tvl1: Tvl1,
    /// Oldest first; the last one is shown.
    recent: VecDeque<Frame>,
}

impl PlayedFace {
    #[must_use]
    pub fn new(with: MagnifyView) -> Self {
        Self {
            with: with.sane(),
            face: MagnifiedFace::default(),
            tvl1: Tvl1::new(Tvl1Preset::Live.params()),
            recent: VecDeque::new(),
        }
    }

    /// The next frame.
    pub fn push(&mut self, frame: Frame) {
        let bytes = frame.picture.as_raw().len().max(1);
        let most = (KEPT_BYTES / bytes).max(2);
        let back_secs = self.with.method.looks_back_secs();
        let now = frame.timestamp;
        self.recent.push_back(frame);
        while self.recent.len() > most
            || (self.recent.front()).is_some_and(|f| now.secs_since(f.timestamp) > back_secs)
        {
            self.recent.pop_front();
        }
    }

    /// The face of the last frame in its crop. Another crop begins anew from the frames
    /// before, as a seek would.
    ///
    /// # Errors
    /// Why it cannot be magnified, for the person.
    pub fn show(&mut self, crop: &HeldCrop) -> Result<FacePair, String> {
        let (Some(first), Some(last)) = (self.recent.front(), self.recent.back()) else {
            return Err("There is no frame to magnify".into());
        };
        let magnified = match self.with.method {
            MagnifyMethod::Evm => {
                let request = MagnifyRequest {
                    frames: self.recent.iter().cloned().collect(),
                    with: self.with,
                };
                self.face.eulerian(0, crop, &request)?
            }
            MagnifyMethod::Glmm => {
                let (from, to) = (views::crop(first, crop), views::crop(last, crop));
                let flow = self.tvl1.flow(&from, &to).map_err(|e| e.to_string())?;
                magnified_view::lagrangian(first, crop, &flow, self.with.sigma)
            }
        };
        Ok(FacePair {
            filmed: self.face.filmed(last, crop),
            magnified,
        })
    }

    /// The last frame as it was filmed, in both places: where there is no face to magnify.
    ///
    /// # Errors
    /// Before the first frame.
    pub fn as_filmed(&self, crop: &HeldCrop) -> Result<FacePair, String> {
        let last = self.recent.back().ok_or("There is no frame to show")?;
        let filmed = magnified_view::filmed(last, crop);
        Ok(FacePair {
            magnified: filmed.clone(),
            filmed,
        })
    }
}
