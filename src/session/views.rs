//! The pictures beside the original: LED, flow and strain of the face, drawn on a
//! thread of their own so that neither the window nor the analysis waits for them.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use image::{RgbImage, RgbaImage};

use super::SessionError;
use crate::base::{Latest, Plane};
use crate::face::CROP_SIDE;
use crate::face::crop::HeldCrop;
use crate::gpu::GpuContext;
use crate::media::Frame;
use crate::motion::bandpass::{BandpassKernel, BandpassParams};
use crate::motion::led_view::{LED_FRAMES, LED_FULL_SCALE, diverging_image};
use crate::motion::luma::{self, LumaPatch};
use crate::motion::tvl1::{Tvl1, Tvl1Preset};
use crate::motion::{Flow, cpu, flow_color, strain};

/// Displacement shown in full saturation, px of the 128 px crop.
pub const FLOW_FULL_SCALE_PX: f32 = 2.0;
/// Strain shown at the bright end of viridis.
pub const STRAIN_FULL_SCALE: f32 = 0.15;

/// Waiting for the graphics card: short naps, because a blocking poll on a device
/// that a window shares can hold up its picture.
const NAP: Duration = Duration::from_millis(1);
const NAPS: u32 = 2000;

/// What to draw. The newest request wins; older ones are dropped.
#[derive(Debug, Clone)]
pub struct ViewRequest {
    /// Oldest first, spread over the last half second; the last is the frame shown.
    pub frames: Vec<Frame>,
    pub crop: Arc<HeldCrop>,
    pub led: bool,
    pub flow: bool,
    pub strain: bool,
}

/// Pictures of the 128×128 face crop for the frame `frame`.
#[derive(Debug, Clone, Default)]
pub struct Views {
    pub frame: u64,
    /// Band-passed, normalised by frame differences; mid-grey is no motion.
    pub led: Option<RgbaImage>,
    /// Hue is direction, saturation is length, full at `flow_full_scale_px`.
    pub flow: Option<RgbImage>,
    pub flow_full_scale_px: f32,
    /// Viridis, full at `strain_full_scale` (dimensionless).
    pub strain: Option<RgbImage>,
    pub strain_full_scale: f32,
    /// Where the LED kernel ran.
    pub led_device: String,
}

/// Draws views on the thread "views"; dropping it ends the thread.
pub struct ViewsWorker {
    requests: Latest<ViewRequest>,
    ready: Latest<Views>,
    bell: Sender<()>,
}

impl ViewsWorker {
    /// `gpu` runs the LED kernel; without it (or on a software adapter, which is
    /// slower) its CPU twin does. `wake` is called after every result.
    ///
    /// # Errors
    /// When the thread cannot be started or the adapter refuses the kernel.
    pub fn start(
        gpu: Option<&GpuContext>,
        wake: impl Fn() + Send + 'static,
    ) -> Result<Self, SessionError> {
        let (requests, ready) = (Latest::default(), Latest::default());
        let (bell, rung) = bounded(1);
        let led = match gpu {
            Some(gpu) => Led::Gpu(Box::new(BandpassKernel::new(gpu)?), gpu.name()),
            None => Led::Cpu,
        };
        let drawer = Drawer {
            led,
            tvl1: Tvl1::new(Tvl1Preset::Live.params()),
        };
        let (inbox, outbox) = (Latest::clone(&requests), Latest::clone(&ready));
        std::thread::Builder::new()
            .name("views".into())
            .spawn(move || drawer.serve(&rung, &inbox, &outbox, &wake))
            .map_err(SessionError::Thread)?;
        Ok(Self {
            requests,
            ready,
            bell,
        })
    }

    pub fn request(&self, request: ViewRequest) {
        self.requests.put(request);
        // A bell that already rings is enough.
        let _ = self.bell.try_send(());
    }

    #[must_use]
    pub fn take(&self) -> Option<Views> {
        self.ready.take()
    }
}

enum Led {
    Gpu(Box<BandpassKernel>, String),
    Cpu,
}

struct Drawer {
    led: Led,
    tvl1: Tvl1,
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
            frame,
            flow_full_scale_px: FLOW_FULL_SCALE_PX,
            strain_full_scale: STRAIN_FULL_SCALE,
            led_device: match &self.led {
                Led::Gpu(_, name) => name.clone(),
                Led::Cpu => "processor".into(),
            },
            ..Views::default()
        };
        let crops: Vec<Plane> = request
            .frames
            .iter()
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
                flow_color::scalar_image(&strain::central(&flow).magnitude, STRAIN_FULL_SCALE)
            });
        }
        Some(views)
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
    for _ in 0..NAPS {
        if let Some((_, values)) = kernel.poll()? {
            return Ok(Some(Plane::from_vec(CROP_SIDE, CROP_SIDE, values)));
        }
        std::thread::sleep(NAP);
    }
    Ok(None)
}

fn crop(frame: &Frame, held: &HeldCrop) -> Plane {
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
