//! The pictures beside the original: the face magnified, its LED, flow and strain,
//! drawn on a thread of their own so that neither the window nor the analysis waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};
use image::{RgbImage, RgbaImage};

use super::SessionError;
use super::magnified_view::{self, MagnifiedFace, MagnifyMethod, MagnifyRequest, MagnifyView};
use super::moment_attention::{MomentAttention, MomentAttentionWorker, MomentRequest};
use crate::base::{Latest, Plane};
use crate::face::CROP_SIDE;
use crate::face::crop::HeldCrop;
use crate::gpu::GpuContext;
use crate::media::Frame;
use crate::motion::bandpass::{BandpassKernel, BandpassParams};
use crate::motion::heat::Heat;
use crate::motion::led_view::{LED_FRAMES, LED_FULL_SCALE, diverging_image};
use crate::motion::luma::{self, LumaPatch};
use crate::motion::tvl1::{Tvl1, Tvl1Preset};
use crate::motion::{Flow, cpu, flow_color, strain};

/// Displacement shown in full saturation, px of the 128 px crop.
pub const FLOW_FULL_SCALE_PX: f32 = 2.0;
/// Strain shown at the bright end of the palette.
pub const STRAIN_FULL_SCALE: f32 = 0.15;

/// What to draw. The newest request wins; older ones are dropped.
#[derive(Debug, Clone)]
pub struct ViewRequest {
    /// Of the session whose recording is shown; see [`super::SessionHandle::generation`].
    pub generation: u64,
    /// Oldest first, spread over the last half second; the last is the frame shown.
    pub frames: Vec<Frame>,
    pub crop: Arc<HeldCrop>,
    pub led: bool,
    pub flow: bool,
    pub strain: bool,
    /// The strain's palette.
    pub heat: Heat,
    pub magnify: Option<MagnifyRequest>,
    /// Where the network looks at the moment shown; it arrives by itself
    /// ([`ViewsWorker::take_attention`]), as it takes longer.
    pub moment: Option<MomentRequest>,
}

/// Pictures of the face crop for the frame `frame`: 128×128, the magnified one as
/// large as the face was filmed.
#[derive(Debug, Clone, Default)]
pub struct Views {
    /// Of the request: what was drawn of another recording is not shown.
    pub generation: u64,
    pub frame: u64,
    /// Band-passed, normalised by frame differences; mid-grey is no motion.
    pub led: Option<RgbaImage>,
    /// Hue is direction, saturation is length, full at `flow_full_scale_px`.
    pub flow: Option<RgbImage>,
    pub flow_full_scale_px: f32,
    /// In the colours of `strain_heat`, full at `strain_full_scale` (dimensionless).
    pub strain: Option<RgbImage>,
    pub strain_heat: Heat,
    pub strain_full_scale: f32,
    /// Where the LED kernel ran.
    pub led_device: String,
    pub magnified: Option<RgbImage>,
    /// By what the magnified one was magnified.
    pub magnified_with: Option<MagnifyView>,
    /// The same frame's face as it was filmed, cut and sized as the magnified one.
    pub filmed: Option<RgbImage>,
    /// Why it could not be drawn, for the person.
    pub magnify_trouble: Option<String>,
}

/// Draws views on the thread "views", with what takes longer on another; dropping it ends
/// both.
pub struct ViewsWorker {
    attention: MomentAttentionWorker,
    requests: Latest<ViewRequest>,
    /// The newest session asked for: a late request of the one before would push
    /// its request out of the slot.
    newest: AtomicU64,
    ready: Latest<Views>,
    bell: Sender<()>,
}

impl ViewsWorker {
    /// `gpu` runs the LED kernel; without it (or on a software adapter, which is
    /// slower) its CPU twin does. `wake` is called after every result.
    ///
    /// # Errors
    /// When a thread cannot be started or the adapter refuses the kernel.
    pub fn start(
        gpu: Option<&GpuContext>,
        wake: impl Fn() + Send + Clone + 'static,
    ) -> Result<Self, SessionError> {
        let attention = MomentAttentionWorker::start(wake.clone())?;
        let (requests, ready) = (Latest::default(), Latest::default());
        let (bell, rung) = bounded(1);
        let led = match gpu {
            Some(gpu) => Led::Gpu(Box::new(BandpassKernel::new(gpu)?), gpu.name()),
            None => Led::Cpu,
        };
        let drawer = Drawer {
            led,
            tvl1: Tvl1::new(Tvl1Preset::Live.params()),
            face: MagnifiedFace::default(),
        };
        let (inbox, outbox) = (Latest::clone(&requests), Latest::clone(&ready));
        std::thread::Builder::new()
            .name("views".into())
            .spawn(move || drawer.serve(&rung, &inbox, &outbox, &wake))
            .map_err(SessionError::Thread)?;
        Ok(Self {
            attention,
            requests,
            newest: AtomicU64::new(0),
            ready,
            bell,
        })
    }

    pub fn request(&self, mut request: ViewRequest) {
        let newest = self.newest.fetch_max(request.generation, Ordering::Relaxed);
        if request.generation < newest {
            return;
        }
        if let Some(moment) = request.moment.take() {
            self.attention.request(moment);
        }
        self.requests.put(request);
        // A bell that already rings is enough.
        let _ = self.bell.try_send(());
    }

    #[must_use]
    pub fn take(&self) -> Option<Views> {
        self.ready.take()
    }

    #[must_use]
    pub fn take_attention(&self) -> Option<MomentAttention> {
        self.attention.take()
    }
}

enum Led {
    Gpu(Box<BandpassKernel>, String),
    Cpu,
}

struct Drawer {
    led: Led,
    tvl1: Tvl1,
    face: MagnifiedFace,
}

impl Drawer {
    fn serve(
        mut self,
        rung: &Receiver<()>,
        inbox: &Latest<ViewRequest>,
        outbox: &Latest<Views>,
        wake: &impl Fn(),
    ) {
        while rung.recv().is_ok() {
            let Some(request) = inbox.take() else {
                continue;
            };
            if let Some(views) = self.draw(&request) {
                outbox.put(views);
                wake();
            }
        }
    }

    /// `None` without a frame.
    fn draw(&mut self, request: &ViewRequest) -> Option<Views> {
        let frame = request.frames.last()?.index;
        let mut views = Views {
            generation: request.generation,
            frame,
            flow_full_scale_px: FLOW_FULL_SCALE_PX,
            strain_full_scale: STRAIN_FULL_SCALE,
            strain_heat: request.heat,
            led_device: match &self.led {
                Led::Gpu(_, name) => name.clone(),
                Led::Cpu => "processor".into(),
            },
            ..Views::default()
        };
        let glmm = |m: &MagnifyRequest| m.with.method == MagnifyMethod::Glmm;
        let grey = request.led
            || request.flow
            || request.strain
            || request.magnify.as_ref().is_some_and(glmm);
        let crops: Vec<Plane> = (request.frames.iter().filter(|_| grey))
            .map(|f| crop(f, &request.crop))
            .collect();
        let crops: Vec<&Plane> = crops.iter().collect();
        if request.led && crops.len() >= 2 {
            views.led = self
                .filter(&spread(&crops))
                .map(|map| diverging_image(&map, LED_FULL_SCALE));
        }
        if request.flow || request.strain {
            // Over the last fifth of a second: what a micro-window sees.
            let last = request.frames.last()?;
            let from = request
                .frames
                .iter()
                .position(|f| last.timestamp.secs_since(f.timestamp) <= 0.21)?;
            let flow = match self.tvl1.flow(crops[from], crops[crops.len() - 1]) {
                Ok(flow) => flow,
                Err(e) => {
                    log::warn!("{e}");
                    Flow::zeros(CROP_SIDE, CROP_SIDE)
                }
            };
            views.flow = request
                .flow
                .then(|| flow_color::flow_image(&flow, FLOW_FULL_SCALE_PX));
            views.strain = request.strain.then(|| {
                let strain = strain::central(&flow).magnitude;
                flow_color::scalar_image(&strain, STRAIN_FULL_SCALE, request.heat)
            });
        }
        if let Some(magnify) = &request.magnify {
            match self.magnify(request, &crops, magnify) {
                Ok((magnified, filmed)) => {
                    views.magnified = Some(magnified);
                    views.magnified_with = Some(magnify.with);
                    views.filmed = Some(filmed);
                }
                Err(why) => views.magnify_trouble = Some(why),
            }
        }
        Some(views)
    }

    /// The face of the last frame, magnified and as it was filmed; why not, where it
    /// cannot be.
    fn magnify(
        &mut self,
        request: &ViewRequest,
        crops: &[&Plane],
        magnify: &MagnifyRequest,
    ) -> Result<(RgbImage, RgbImage), String> {
        let Some(shown) = request.frames.last() else {
            return Err("There is no frame to magnify".into());
        };
        if magnify.with.method == MagnifyMethod::Evm {
            let magnified = (self.face).eulerian(request.generation, &request.crop, magnify)?;
            return Ok((magnified, self.face.filmed(shown, &request.crop)));
        }
        let (Some(reference), Some(first), Some(last)) =
            (request.frames.first(), crops.first(), crops.last())
        else {
            return Err("There is no frame to magnify".into());
        };
        let flow = self.tvl1.flow(first, last).map_err(|e| e.to_string())?;
        let sigma = magnify.with.sigma;
        let magnified = magnified_view::lagrangian(reference, &request.crop, &flow, sigma);
        Ok((magnified, magnified_view::filmed(shown, &request.crop)))
    }

    fn filter(&mut self, frames: &[&Plane]) -> Option<Plane> {
        let params = BandpassParams::default();
        let last = frames.len() - 1;
        if let Led::Gpu(kernel, _) = &mut self.led {
            match on_gpu(kernel, frames, last, &params) {
                Ok(map) => return map,
                Err(e) => {
                    log::error!("{e}; the LED view goes on with the processor");
                    self.led = Led::Cpu;
                }
            }
        }
        cpu::bandpass::bandpass(frames, last, &params).ok()?.pop()
    }
}

fn on_gpu(
    kernel: &mut BandpassKernel,
    frames: &[&Plane],
    last: usize,
    params: &BandpassParams,
) -> Result<Option<Plane>, crate::motion::bandpass::BandpassError> {
    kernel.submit(frames, last, params, 0)?;
    let found = kernel.patiently()?;
    Ok(found.map(|(_, values)| Plane::from_vec(CROP_SIDE, CROP_SIDE, values)))
}

pub(super) fn crop(frame: &Frame, held: &HeldCrop) -> Plane {
    let patch = LumaPatch::whole(&frame.picture);
    luma::extract(&patch, held.crop_from_image, CROP_SIDE)
}

/// Six frames, evenly by index; fewer repeat the oldest, which the filter takes as
/// having lasted for ever.
fn spread<'a>(crops: &[&'a Plane]) -> Vec<&'a Plane> {
    let newest = crops.len() - 1;
    (0..LED_FRAMES)
        .map(|i| crops[newest * i / (LED_FRAMES - 1)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Similarity, Timestamp};
    use crate::face::Landmarks;
    use crate::session::magnified_view::MagnifyView;

    fn request(generation: u64, count: u64, magnify: Option<MagnifyView>) -> ViewRequest {
        let frames: Vec<Frame> = (0..count)
            .map(|index| Frame {
                index,
                timestamp: Timestamp::from_secs(index as f64 / 30.0),
                dropped_before: 0,
                captured: None,
                picture: Arc::new(RgbImage::from_fn(128, 128, |x, y| {
                    image::Rgb([((x + y + index as u32) * 3 % 256) as u8; 3])
                })),
            })
            .collect();
        ViewRequest {
            generation,
            crop: Arc::new(HeldCrop {
                id: 0,
                since_frame: 0,
                crop_from_image: Similarity::IDENTITY,
                landmarks_in_crop: Landmarks([crate::base::Point::default(); 68]),
            }),
            led: false,
            flow: false,
            strain: false,
            heat: Heat::default(),
            magnify: magnify.map(|with| MagnifyRequest {
                frames: frames.clone(),
                with,
            }),
            moment: None,
            frames,
        }
    }

    fn next(worker: &ViewsWorker) -> Option<Views> {
        for _ in 0..2000 {
            if let Some(views) = worker.take() {
                return Some(views);
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        None
    }

    #[test]
    fn a_view_says_of_which_recording_it_is_and_a_late_request_is_dropped() {
        let worker = ViewsWorker::start(None, || {}).unwrap();
        worker.request(request(2, 3, None));
        assert_eq!(next(&worker).map(|v| v.generation), Some(2));
        worker.request(request(1, 3, None));
        worker.request(request(3, 3, None));
        worker.request(request(2, 3, None));
        assert_eq!(next(&worker).map(|v| v.generation), Some(3));
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(worker.take().is_none());
    }

    #[test]
    fn strain_is_drawn_in_the_palette_that_was_asked_for_and_says_which() {
        let worker = ViewsWorker::start(None, || {}).unwrap();
        let mut drawn = Vec::new();
        for heat in Heat::ALL {
            worker.request(ViewRequest {
                strain: true,
                heat,
                ..request(1, 3, None)
            });
            let views = next(&worker).unwrap();
            assert_eq!(views.strain_heat, heat);
            drawn.push(views.strain.unwrap());
        }
        assert!(drawn[0] != drawn[1] && drawn[1] != drawn[2]);
    }

    #[test]
    fn both_methods_draw_the_face_as_large_as_it_was_filmed() {
        let worker = ViewsWorker::start(None, || {}).unwrap();
        for method in MagnifyMethod::ALL {
            let with = MagnifyView {
                method,
                ..MagnifyView::default()
            };
            worker.request(request(1, 8, Some(with)));
            let views = next(&worker).unwrap();
            assert_eq!(views.magnify_trouble, None);
            let picture = views.magnified.unwrap();
            assert_eq!((picture.dimensions(), views.frame), ((128, 128), 7));
            let shown = &request(1, 8, None).frames[7].picture;
            assert_ne!(picture, **shown);
            assert_eq!(views.filmed.as_ref(), Some(&**shown));
        }
    }
}
