//! The live view of the LED band-pass: what brightens and darkens on the face.
//!
//! Six crops spread over the last half second give one map, whose last output is
//! drawn in two colours around mid-grey.

use std::collections::VecDeque;

use image::{Rgba, RgbaImage};

use crate::base::{Plane, Timestamp};
use crate::gpu::{GpuContext, GpuError};
use crate::motion::bandpass::{BandpassError, BandpassKernel, BandpassParams};
use crate::motion::cpu;

/// Frames that one picture of the live view is made of (S0).
pub const LED_FRAMES: usize = 6;
/// The stretch of time they are spread over, in seconds.
pub const LED_SPAN_SECS: f64 = 0.5;
/// Normalised motion shown in full colour: a grey value that moved by about a fifth.
pub const LED_FULL_SCALE: f32 = 0.1;
/// Colour of brightening at full scale; light, so that the sign shows in print too.
pub const BRIGHTER_RGB: [u8; 3] = [255, 196, 92];
/// Colour of darkening at full scale.
pub const DARKER_RGB: [u8; 3] = [0, 58, 122];
/// Colour of no change.
pub const STILL_RGB: [u8; 3] = [128, 128, 128];

/// Pictures that may be on their way from the graphics card before new ones are
/// left out: a view is never worth a queue.
const MAX_IN_FLIGHT: usize = 2;

/// The recent crops of one face, from which the live view takes six.
///
/// All must be cut with one crop transform: clear it when the transform changes, the
/// face is lost or the recording has a gap.
#[derive(Debug, Clone, Default)]
pub struct LedWindow {
    crops: VecDeque<(Timestamp, Plane)>,
}

impl LedWindow {
    /// Adds a crop of grey values 0..255 and drops those that are no longer needed.
    /// A crop of another size, or from an earlier time, starts the window afresh.
    pub fn push(&mut self, timestamp: Timestamp, crop: Plane) {
        if let Some((last, before)) = self.crops.back()
            && ((before.width, before.height) != (crop.width, crop.height) || *last >= timestamp)
        {
            self.crops.clear();
        }
        self.crops.push_back((timestamp, crop));
        // Keep one crop at or before the start of the span, and never fewer than six.
        while self.crops.len() > LED_FRAMES
            && timestamp.secs_since(self.crops[1].0) >= LED_SPAN_SECS
        {
            self.crops.pop_front();
        }
    }

    pub fn clear(&mut self) {
        self.crops.clear();
    }

    /// Six crops, oldest first: those nearest to moments spread evenly over the last
    /// half second. Below twelve frames a second, where that would take one twice,
    /// the last six. `None` until there are six that span (nearly) half a second.
    #[must_use]
    pub fn spread(&self) -> Option<[&Plane; LED_FRAMES]> {
        let (newest, _) = self.crops.back()?;
        let (oldest, _) = self.crops.front()?;
        let span = newest.secs_since(*oldest);
        let interval = span / (self.crops.len() as f64 - 1.0);
        if self.crops.len() < LED_FRAMES || span < LED_SPAN_SECS - interval {
            return None;
        }
        let step = LED_SPAN_SECS / (LED_FRAMES - 1) as f64;
        let mut chosen = [0; LED_FRAMES];
        for (slot, chosen) in chosen.iter_mut().enumerate() {
            let age = (LED_FRAMES - 1 - slot) as f64 * step;
            let distance = |at: usize| (newest.secs_since(self.crops[at].0) - age).abs();
            *chosen = (0..self.crops.len())
                .min_by(|&a, &b| distance(a).total_cmp(&distance(b)))
                .unwrap_or(0);
        }
        if chosen.windows(2).any(|pair| pair[0] >= pair[1]) {
            let tail = self.crops.len() - LED_FRAMES;
            chosen = std::array::from_fn(|slot| tail + slot);
        }
        Some(chosen.map(|at| &self.crops[at].1))
    }
}

/// The live view: crops go in, maps of what brightened and darkened come out, on the
/// graphics card or, without one (or where it is software), on the processor.
#[derive(Debug)]
pub struct LedView {
    window: LedWindow,
    params: BandpassParams,
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    Cpu(VecDeque<(Timestamp, Plane)>),
    Gpu(Box<BandpassKernel>, VecDeque<(Timestamp, usize)>),
}

impl LedView {
    /// # Errors
    /// When the adapter refuses the kernel; `LedView::new(None, …)` never fails.
    pub fn new(context: Option<&GpuContext>, params: BandpassParams) -> Result<Self, GpuError> {
        let engine = match context {
            Some(context) if !context.is_software() => {
                Engine::Gpu(Box::new(BandpassKernel::new(context)?), VecDeque::new())
            }
            _ => Engine::Cpu(VecDeque::new()),
        };
        Ok(Self {
            window: LedWindow::default(),
            params,
            engine,
        })
    }

    /// Adds a crop and, once half a second is there, starts the map of this moment.
    ///
    /// # Errors
    /// When the crop does not fit the card.
    pub fn push(&mut self, timestamp: Timestamp, crop: Plane) -> Result<(), BandpassError> {
        self.window.push(timestamp, crop);
        let Some(frames) = self.window.spread() else {
            return Ok(());
        };
        let last = LED_FRAMES - 1;
        match &mut self.engine {
            Engine::Cpu(ready) => {
                let maps = cpu::bandpass::bandpass(&frames, last, &self.params)?;
                ready.extend(maps.into_iter().map(|map| (timestamp, map)));
                while ready.len() > MAX_IN_FLIGHT {
                    ready.pop_front();
                }
            }
            Engine::Gpu(kernel, started) => {
                if kernel.in_flight() < MAX_IN_FLIGHT {
                    kernel.submit(&frames, last, &self.params, 0)?;
                    started.push_back((timestamp, frames[last].width));
                }
            }
        }
        Ok(())
    }

    /// Forgets the crops: the face was lost, or its crop transform changed.
    pub fn restart(&mut self) {
        self.window.clear();
    }

    /// The next map that is ready, of the size of the crops, values −1..1 when
    /// normalised; never waits.
    ///
    /// # Errors
    /// When the graphics device was lost.
    pub fn poll(&mut self) -> Result<Option<(Timestamp, Plane)>, BandpassError> {
        match &mut self.engine {
            Engine::Cpu(ready) => Ok(ready.pop_front()),
            Engine::Gpu(kernel, started) => {
                let arrived = kernel.poll()?.map(|(_, values)| values);
                Ok(arrived.and_then(|values| {
                    let (timestamp, width) = started.pop_front()?;
                    let height = values.len() / width;
                    Some((timestamp, Plane::from_vec(width, height, values)))
                }))
            }
        }
    }
}

/// A motion map as a picture: no change is mid-grey, brightening turns light amber,
/// darkening dark blue, and ±`full_scale` gives the full colour. Values that are not
/// finite are shown as no change.
#[must_use]
pub fn diverging_image(map: &Plane, full_scale: f32) -> RgbaImage {
    let scale = full_scale.max(f32::MIN_POSITIVE);
    RgbaImage::from_fn(map.width as u32, map.height as u32, |x, y| {
        let value = map.at(x as usize, y as usize) / scale;
        let value = if value.is_finite() {
            value.clamp(-1.0, 1.0)
        } else {
            0.0
        };
        let end = if value < 0.0 {
            DARKER_RGB
        } else {
            BRIGHTER_RGB
        };
        let channel = |c: usize| {
            let (still, end) = (f32::from(STILL_RGB[c]), f32::from(end[c]));
            (still + (end - still) * value.abs()).round() as u8
        };
        Rgba([channel(0), channel(1), channel(2), 255])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crop(value: f32) -> Plane {
        Plane::filled(3, 2, value)
    }

    #[test]
    fn six_frames_are_spread_over_half_a_second() {
        for (fps, expected) in [
            (200.0, [0, 20, 40, 60, 80, 100]),
            (30.0, [0, 3, 6, 9, 12, 15]),
            (5.0, [0, 1, 2, 3, 4, 5]),
        ] {
            let mut window = LedWindow::default();
            for frame in 0..=150 {
                window.push(
                    Timestamp::from_secs(f64::from(frame) / fps),
                    crop(frame as f32),
                );
            }
            let values = window.spread().unwrap().map(|p| p.data[0]);
            let first = 150.0 - expected[5] as f32;
            assert_eq!(values, expected.map(|e| first + e as f32), "{fps} fps");
            assert!(
                window.crops.len() <= 102,
                "{fps} fps keeps {}",
                window.crops.len()
            );
        }
    }

    #[test]
    fn a_seam_starts_the_window_afresh() {
        let mut window = LedWindow::default();
        for frame in 0..60 {
            window.push(Timestamp::from_secs(f64::from(frame) / 30.0), crop(1.0));
        }
        assert!(window.spread().is_some());
        window.push(Timestamp::from_secs(2.0), Plane::zeros(4, 4));
        assert!(window.spread().is_none());
    }

    #[test]
    fn zero_is_mid_grey_and_signs_differ_in_lightness() {
        let map = Plane::from_vec(4, 1, vec![0.0, 0.1, -0.1, f32::NAN]);
        let image = diverging_image(&map, 0.1);
        let rgb = |x: u32| [image[(x, 0)][0], image[(x, 0)][1], image[(x, 0)][2]];
        assert_eq!(rgb(0), STILL_RGB);
        assert_eq!(rgb(1), BRIGHTER_RGB);
        assert_eq!(rgb(2), DARKER_RGB);
        assert_eq!(rgb(3), STILL_RGB);
    }

    #[test]
    fn the_view_without_an_adapter_shows_what_brightened() {
        let mut view = LedView::new(None, BandpassParams::default()).unwrap();
        let mut last = None;
        for frame in 0..30 {
            let grey = if frame < 25 { 100.0 } else { 110.0 };
            view.push(Timestamp::from_secs(f64::from(frame) / 30.0), crop(grey))
                .unwrap();
            last = view.poll().unwrap().or(last);
        }
        let (timestamp, map) = last.unwrap();
        assert_eq!(timestamp, Timestamp::from_secs(29.0 / 30.0));
        assert!(
            map.data.iter().all(|&v| v > 0.01 && v < 1.0),
            "{:?}",
            map.data
        );
    }
}
