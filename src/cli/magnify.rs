//! `onset magnify`: a copy of a recording in which small motion is large.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::Preset;
use super::print::tell;
use super::progress::Progress;
use super::{CommandResult, DeviceArg, Failure, Outcome, above_zero, check_output, frame_rate};
use crate::base::{Severity, Timestamp};
use crate::face::LandmarkPredictor;
use crate::gpu::GpuContext;
use crate::media::video_writer::{VideoQuality, VideoWriter};
use crate::media::{CaptureWorker, Delivery, Frame, InputSpec, SourceInfo};
use crate::motion::glmm::SIGMA;
use crate::motion::magnify::{EvmParams, MagnifyError};
use crate::motion::tvl1::Tvl1Preset;
use crate::session::device;
use crate::session::magnifier::{
    BYTES_TO_MEASURE, FRAMES_TO_MEASURE, Magnification, Magnifier, measured_fps,
};
use crate::session::params::DeviceChoice;

/// Frames a second where a recording has one frame only or no times.
const RATE_OF_NOTHING: f64 = 30.0;

/// Write a copy, without sound, in which small motion is magnified.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  onset magnify interview.mp4 --out magnified.mp4 --alpha 10 --low-hz 0.25 --high-hz 2.5 --method evm\n  onset magnify interview.mp4 --out bent.mp4 --method glmm --alpha 5 --face\n  onset magnify camera:0 --seconds 10 --out me.mp4"
)]
pub struct MagnifyArgs {
    /// A video file, a folder of images, or camera:N.
    input: String,
    /// The copy, an MP4.
    #[arg(long)]
    out: PathBuf,
    /// How motion is made larger. Both are for small motion of a still head: large
    /// motion turns into contours (evm) or folds (glmm).
    #[arg(long, value_enum, default_value_t = Method::Evm)]
    method: Method,
    /// How much larger: evm adds the change so many times (default 10), glmm moves so
    /// many times as far (default 9).
    #[arg(long, value_parser = not_below_zero, allow_negative_numbers = true)]
    alpha: Option<f64>,
    /// evm: slower change stays as it is.
    #[arg(long, default_value_t = EvmParams::default().low_hz, value_parser = not_below_zero, allow_negative_numbers = true)]
    low_hz: f64,
    /// evm: faster change stays as it is; at most half the frame rate.
    #[arg(long, default_value_t = EvmParams::default().high_hz, value_parser = above_zero, allow_negative_numbers = true)]
    high_hz: f64,
    /// evm: waves shorter than so many pixels are magnified less.
    #[arg(long, default_value_t = EvmParams::default().lambda_c_px, value_parser = above_zero, allow_negative_numbers = true)]
    lambda_c: f64,
    /// evm: part of the colours' change that is kept, 0 to 1.
    #[arg(long, default_value_t = EvmParams::default().chroma, value_parser = not_below_zero, allow_negative_numbers = true)]
    chroma: f64,
    /// glmm: how exactly the motion is measured.
    #[arg(long, value_enum, default_value_t = Preset::Live)]
    preset: Preset,
    /// Magnify the face only.
    #[arg(long)]
    face: bool,
    /// Frames a second of an image folder.
    #[arg(long, value_parser = frame_rate, allow_negative_numbers = true)]
    fps: Option<f64>,
    /// Stop a camera after this many seconds.
    #[arg(long, value_parser = above_zero, allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// With --face, a 68-point predictor in dlib's format; without: the installed one, else the compact one.
    #[arg(long)]
    landmarks: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Eulerian: change in a band of frequencies is added many times over.
    Evm,
    /// Lagrangian: the first picture (with --face, of each crop) is moved further. What
    /// it does not show, such as teeth or closed lids, does not appear.
    Glmm,
}

fn not_below_zero(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if f64::is_finite(value) && value >= 0.0 => Ok(value),
        _ => Err("give a number of 0 or more, such as 10".into()),
    }
}

impl MagnifyArgs {
    fn magnification(&self) -> Magnification {
        match self.method {
            Method::Evm => Magnification::Eulerian(EvmParams {
                alpha: self.alpha.unwrap_or(EvmParams::default().alpha),
                low_hz: self.low_hz,
                high_hz: self.high_hz,
                lambda_c_px: self.lambda_c,
                chroma: self.chroma,
            }),
            Method::Glmm => Magnification::Lagrangian {
                sigma: self.alpha.unwrap_or(SIGMA),
                flow: Tvl1Preset::from(self.preset).params(),
            },
        }
    }
}

pub(super) fn run(args: &MagnifyArgs, quiet: bool) -> CommandResult {
    let spec = InputSpec::parse(&args.input, args.fps).map_err(Failure::input)?;
    check_usage(args, &spec)?;
    let source = crate::media::open(&spec).map_err(Failure::input)?;
    let choice = match args.method {
        Method::Glmm => device::allowed(args.device.device.into(), args.preset.into()),
        Method::Evm => Ok(args.device.device.into()),
    };
    let gpu = match choice.map_err(Failure::input)? {
        // The card's side is not measured for this: it has to be asked for.
        DeviceChoice::Auto | DeviceChoice::Cpu => None,
        DeviceChoice::Gpu => Some(GpuContext::headless().map_err(Failure::other)?),
    };
    let mut copy = Copy {
        args,
        info: source.info().clone(),
        gpu,
        waiting: Vec::new(),
        work: None,
        last: None,
        written: 0,
        skipped: 0,
        warned: false,
    };
    let total = (copy.info.frame_count).filter(|_| !spec.is_camera());
    let mut progress = Progress::new(&copy.info.name, total, quiet);
    let (worker, deliveries) = CaptureWorker::start(source).map_err(Failure::other)?;
    // A file has an end of its own.
    let limit = args.seconds.filter(|_| spec.is_camera());
    let mut broken = None;
    while let Some(delivery) = deliveries.recv() {
        match delivery {
            Delivery::Frame(frame) => {
                let seconds = frame.timestamp.secs();
                copy.take(frame)?;
                progress.at(copy.written);
                if limit.is_some_and(|limit| seconds >= limit) {
                    break;
                }
            }
            Delivery::Notice(notice) => {
                if notice.severity >= Severity::Warning {
                    copy.warn(&notice.text);
                }
            }
            Delivery::Failed(error) => {
                broken = Some(error);
                break;
            }
        }
    }
    worker.stop();
    copy.begin()?;
    progress.finish();
    let Some(work) = copy.work.take() else {
        return Err(Failure::Input(broken.map_or_else(
            || {
                anyhow!(
                    "No frame could be decoded. Check that the file plays in another program: {}",
                    args.input
                )
            },
            anyhow::Error::from,
        )));
    };
    if let Some(error) = broken {
        copy.warn(&format!(
            "only what was read before the recording broke off is magnified. {error:#}"
        ));
    }
    if copy.skipped > 0 {
        let text = format!(
            "{} frames were left out: their times do not follow the frame before",
            copy.skipped
        );
        copy.warn(&text);
    }
    if args.face && work.magnifier.frames_with_face() == 0 {
        copy.warn("no face was found, so nothing is magnified. Leave --face out to magnify the whole picture");
    }
    let how = work.how.clone();
    work.writer.finish().map_err(Failure::other)?;
    if !quiet {
        tell!(
            "{}: {} frames, {how}, in {}",
            copy.info.name,
            copy.written,
            args.out.display()
        );
    }
    Ok(if copy.warned {
        Outcome::Warned
    } else {
        Outcome::Done
    })
}

/// What cannot end well is refused before anything is read.
fn check_usage(args: &MagnifyArgs, spec: &InputSpec) -> Result<(), Failure> {
    if spec.is_camera() && args.seconds.is_none() {
        return Err(Failure::input(anyhow!(
            "A camera has no end: say how long with --seconds, for example --seconds 30"
        )));
    }
    if args.seconds.is_some() && !spec.is_camera() {
        return Err(Failure::input(anyhow!(
            "--seconds says when a camera stops, but the input is no camera: files are magnified to their end. Leave --seconds out"
        )));
    }
    let is_mp4 = (args.out.extension()).is_some_and(|e| e.eq_ignore_ascii_case("mp4"));
    if !is_mp4 {
        return Err(Failure::input(anyhow!(
            "The copy is an MP4: let its name end in .mp4: {}",
            args.out.display()
        )));
    }
    let input = Path::new(&args.input);
    let inputs: &[&Path] = if spec.is_camera() { &[] } else { &[input] };
    check_output(&args.out, inputs)?;
    match args.magnification() {
        // An empty band is said before the recording is opened.
        Magnification::Eulerian(params) if params.low_hz >= params.high_hz => {
            Err(Failure::input(anyhow!(
                "Cannot magnify between {} and {} Hz: --low-hz must lie below --high-hz ({} where it is not given). Lower the one or raise the other",
                params.low_hz,
                params.high_hz,
                EvmParams::default().high_hz
            )))
        }
        Magnification::Eulerian(params) => {
            // Whatever the rate, the other parameters are right or wrong.
            params.band(f64::MAX).map(drop).map_err(Failure::input)
        }
        Magnification::Lagrangian { .. } => Ok(()),
    }
}

/// A card that fails is no fault of the input.
fn not_magnified(error: MagnifyError) -> Failure {
    match error {
        MagnifyError::Gpu(e) => Failure::other(e),
        MagnifyError::FlowOnCard(e) => Failure::other(e),
        e => Failure::input(e),
    }
}

/// The copy in the making.
struct Copy<'a> {
    args: &'a MagnifyArgs,
    info: SourceInfo,
    gpu: Option<GpuContext>,
    /// The first frames, until the rate is known.
    waiting: Vec<Frame>,
    work: Option<Work>,
    last: Option<Timestamp>,
    written: u64,
    skipped: u64,
    warned: bool,
}

struct Work {
    magnifier: Magnifier,
    writer: VideoWriter,
    /// In words, for the last line.
    how: String,
}

impl Copy<'_> {
    fn warn(&mut self, text: &str) {
        self.warned = true;
        tell!("warning: {text}");
    }

    fn take(&mut self, frame: Frame) -> Result<(), Failure> {
        if self.work.is_some() {
            return self.magnify(&frame);
        }
        let bytes = frame.picture.as_raw().len() * (self.waiting.len() + 1);
        self.waiting.push(frame);
        if self.waiting.len() >= FRAMES_TO_MEASURE || bytes >= BYTES_TO_MEASURE {
            self.begin()?;
        }
        Ok(())
    }

    /// Measures the rate and magnifies what has waited for it.
    fn begin(&mut self) -> Result<(), Failure> {
        let waiting = std::mem::take(&mut self.waiting);
        let Some(first) = waiting.first() else {
            return Ok(());
        };
        let fps = measured_fps(&waiting)
            .or(self.info.nominal_fps.filter(|f| *f > 0.0))
            .unwrap_or(RATE_OF_NOTHING);
        let magnification = self.args.magnification();
        let mut magnifier =
            Magnifier::new(magnification, fps, self.gpu.as_ref()).map_err(not_magnified)?;
        if self.args.face {
            let landmarks = LandmarkPredictor::find(self.args.landmarks.as_deref());
            magnifier = landmarks
                .and_then(|l| magnifier.face_only(Arc::new(l)))
                .map_err(Failure::input)?;
        }
        let how = self.describe(&magnification, fps)?;
        let (width, height) = first.picture.dimensions();
        let quality = VideoQuality::default();
        let writer = VideoWriter::create(&self.args.out, width, height, fps, quality)
            .map_err(Failure::other)?;
        self.work = Some(Work {
            magnifier,
            writer,
            how,
        });
        waiting.iter().try_for_each(|frame| self.magnify(frame))
    }

    fn describe(&mut self, how: &Magnification, fps: f64) -> Result<String, Failure> {
        let place = match &self.gpu {
            Some(gpu) => gpu.name(),
            None => "CPU".into(),
        };
        match how {
            Magnification::Lagrangian { sigma, .. } => Ok(format!(
                "moved {sigma} times as far, {fps:.2} frames a second, on {place}"
            )),
            Magnification::Eulerian(params) => {
                let band = params.band(fps).map_err(Failure::input)?;
                if band.capped {
                    self.warn(&format!(
                        "the band ends at {:.2} Hz, half the measured {fps:.2} frames a second: change of up to {} Hz is not in this recording",
                        band.high_hz, params.high_hz
                    ));
                }
                Ok(format!(
                    "{} times between {} and {:.2} Hz at {fps:.2} frames a second, on {place}",
                    params.alpha, band.low_hz, band.high_hz
                ))
            }
        }
    }

    fn magnify(&mut self, frame: &Frame) -> Result<(), Failure> {
        let Some(work) = &mut self.work else {
            return Ok(());
        };
        // Finer than the file's clock is no new time.
        let rises = |last: Timestamp| frame.timestamp.secs_since(last) > 2.0 / 90_000.0;
        if !self.last.is_none_or(rises) {
            self.skipped += 1;
            return Ok(());
        }
        self.last = Some(frame.timestamp);
        let magnified = work.magnifier.push(frame).map_err(not_magnified)?;
        (work.writer)
            .push(&magnified, frame.timestamp)
            .map_err(Failure::other)?;
        self.written += 1;
        Ok(())
    }
}
