//! Writes pictures with their times as a video that every player opens.
//!
//! H.264 by libx264 where FFmpeg has it, MPEG-4 part 2 otherwise. An MP4 is
//! written beside its place and renamed when it is whole. One encoder thread, no
//! dates and no program versions: the same FFmpeg gives the same bytes.

use std::path::{Path, PathBuf};

use ffmpeg_next as ffmpeg;

use ffmpeg::codec::{self, encoder};
use ffmpeg::{Dictionary, Packet, Rational, color, format, frame};
use image::RgbImage;

use super::MediaError;
use crate::base::Timestamp;

/// Ticks a second of the times in the file: whole for 24, 25, 30, 50, 60, 120 and
/// 200 frames a second and for 30000/1001; other times are rounded to 11 µs.
const TICKS: i32 = 90_000;

/// How the pictures are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoQuality {
    /// x264's constant rate factor, 0 (lossless) .. 51; 18 looks like the original.
    pub crf: u8,
    /// Highest number of frames between two that decode by themselves.
    pub keyframe_interval: u32,
    /// Less search for the smallest file: about a third of the time.
    pub quick: bool,
    pub codec: VideoCodec,
}

/// What compresses the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoCodec {
    /// libx264 where FFmpeg has it, MPEG-4 part 2 otherwise.
    H264,
    /// A JPEG a frame with this quantiser, 2 (best) .. 31; `crf` does not count. For
    /// files named `.mov`.
    MotionJpeg { quantiser: u8 },
}

impl VideoQuality {
    pub const DEFAULT: Self = Self {
        crf: 18,
        keyframe_interval: 60,
        quick: false,
        codec: VideoCodec::H264,
    };
}

impl Default for VideoQuality {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What holds the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// Whole or not there; QuickTime's form of it for JPEGs.
    Mp4,
    /// Grows in its place: what was written plays whatever happens then.
    Matroska,
}

/// A video in the making. Dropping it before [`VideoWriter::finish`] removes it, unless it
/// is [`Container::Matroska`].
pub struct VideoWriter {
    path: PathBuf,
    /// Where it is written; for Matroska its place itself.
    part: PathBuf,
    container: Container,
    output: Option<format::context::Output>,
    encoder: encoder::Video,
    stream_base: Rational,
    width: u32,
    height: u32,
    picture: frame::Video,
    last_tick: Option<i64>,
    frame_ticks: i64,
    weights: &'static Weights,
}

impl VideoWriter {
    /// Opens `path` for pictures of `width`×`height`. `nominal_fps` guides the
    /// encoder and gives the last picture its duration; times come with the pictures.
    /// An odd side is extended by one repeated row or column, as 4:2:0 needs.
    ///
    /// # Errors
    /// When FFmpeg lacks an encoder, refuses the size, or the file cannot be made.
    pub fn create(
        path: &Path,
        width: u32,
        height: u32,
        nominal_fps: f64,
        quality: VideoQuality,
    ) -> Result<Self, MediaError> {
        Self::create_in(Container::Mp4, path, width, height, nominal_fps, quality)
    }

    /// As [`VideoWriter::create`], in a container.
    ///
    /// # Errors
    /// As [`VideoWriter::create`].
    pub fn create_in(
        container: Container,
        path: &Path,
        width: u32,
        height: u32,
        nominal_fps: f64,
        quality: VideoQuality,
    ) -> Result<Self, MediaError> {
        let refuse = |reason: String| MediaError::Write {
            path: path.to_path_buf(),
            reason,
        };
        if width == 0 || height == 0 || width > 16_384 || height > 16_384 {
            return Err(refuse(format!(
                "{width}×{height} pixels is not a size that video can have; use 1 to 16384 each"
            )));
        }
        if !(nominal_fps.is_finite() && nominal_fps > 0.0 && nominal_fps <= 10_000.0) {
            return Err(refuse(format!(
                "{nominal_fps} frames a second is not a rate"
            )));
        }
        ffmpeg::init().map_err(|e| refuse(format!("FFmpeg does not start: {e}")))?;
        // The encoder's running commentary is not for the person at the terminal.
        ffmpeg::log::set_level(ffmpeg::log::Level::Error);
        let part = match container {
            Container::Mp4 => part_path(path),
            Container::Matroska => path.to_str().map(PathBuf::from),
        }
        .ok_or_else(|| {
            refuse("the path must name a file and be valid UTF-8, which FFmpeg needs".into())
        })?;
        let motion_jpeg = matches!(quality.codec, VideoCodec::MotionJpeg { .. });
        let form = match container {
            Container::Mp4 if motion_jpeg => "mov",
            Container::Mp4 => "mp4",
            Container::Matroska => "matroska",
        };
        let mut output = format::output_as(&part, form).map_err(|e| {
            refuse(format!(
                "the file cannot be made ({e}); check the folder and the free space"
            ))
        })?;
        // From here on the part file exists: dropping `Unfinished` removes it.
        let unfinished = Unfinished(Some(part.clone()));

        let (codec, h264) = match encoder::find_by_name("libx264") {
            _ if motion_jpeg => {
                let codec = encoder::find(codec::Id::MJPEG).ok_or_else(|| {
                    refuse("this FFmpeg has no JPEG encoder; install one that has".into())
                })?;
                (codec, false)
            }
            Some(codec) => (codec, true),
            None => {
                let codec = encoder::find(codec::Id::MPEG4).ok_or_else(|| {
                    refuse("this FFmpeg has neither libx264 nor an MPEG-4 encoder; install one that has".into())
                })?;
                (codec, false)
            }
        };
        let mut settings = codec::context::Context::new_with_codec(codec)
            .encoder()
            .video()
            .map_err(|e| refuse(format!("the encoder does not start: {e}")))?;
        settings.set_width(width.next_multiple_of(2));
        settings.set_height(height.next_multiple_of(2));
        settings.set_format(format::Pixel::YUV420P);
        settings.set_colorspace(color::Space::SMPTE170M);
        let range = if motion_jpeg {
            color::Range::JPEG
        } else {
            color::Range::MPEG
        };
        settings.set_color_range(range);
        settings.set_time_base(Rational(1, TICKS));
        let rate = Rational((nominal_fps * 1000.0).round() as i32, 1000);
        settings.set_frame_rate(Some(rate));
        settings.set_gop(if motion_jpeg {
            1
        } else {
            quality.keyframe_interval.max(1)
        });
        // Every frame refers only to earlier ones: order of decoding = order of showing.
        settings.set_max_b_frames(0);
        let mut flags = codec::Flags::BITEXACT;
        if output
            .format()
            .flags()
            .contains(format::Flags::GLOBAL_HEADER)
        {
            flags |= codec::Flags::GLOBAL_HEADER;
        }
        settings.set_flags(flags);
        let encoder = settings
            .open_with(encoder_options(h264, quality))
            .map_err(|e| refuse(format!("the encoder refuses {width}×{height} pixels: {e}")))?;

        let mut stream = output
            .add_stream_with(&encoder)
            .map_err(|e| refuse(format!("the file refuses the stream: {e}")))?;
        stream.set_time_base(Rational(1, TICKS));
        stream.set_avg_frame_rate(rate);
        let mut header = Dictionary::new();
        header.set("fflags", "+bitexact");
        match container {
            Container::Mp4 => header.set("movflags", "+faststart"),
            Container::Matroska => {
                // At most a second of it is not on the disk yet.
                header.set("cluster_time_limit", "1000");
                header.set("flush_packets", "1");
            }
        }
        output.write_header_with(header).map_err(|e| {
            refuse(format!(
                "the header cannot be written ({e}); check the free space"
            ))
        })?;
        let stream_base = output
            .stream(0)
            .map_or(Rational(1, TICKS), |s| s.time_base());

        let mut picture = frame::Video::new(
            format::Pixel::YUV420P,
            width.next_multiple_of(2),
            height.next_multiple_of(2),
        );
        picture.set_color_space(color::Space::SMPTE170M);
        picture.set_color_range(range);
        unfinished.keep();
        Ok(Self {
            path: path.to_path_buf(),
            part,
            container,
            output: Some(output),
            encoder,
            stream_base,
            width,
            height,
            picture,
            last_tick: None,
            frame_ticks: ((f64::from(TICKS) / nominal_fps).round() as i64).max(1),
            weights: if motion_jpeg {
                &FULL_RANGE
            } else {
                &STUDIO_RANGE
            },
        })
    }

    /// Appends one picture at its time.
    ///
    /// # Errors
    /// When its size differs, its time does not rise by at least 11 µs, or the disk
    /// is full.
    pub fn push(&mut self, picture: &RgbImage, at: Timestamp) -> Result<(), MediaError> {
        if picture.dimensions() != (self.width, self.height) {
            let (w, h) = picture.dimensions();
            return Err(self.fail(format!(
                "a picture of {w}×{h} pixels came into a video of {}×{}",
                self.width, self.height
            )));
        }
        let tick = ticks(at);
        if self.last_tick.is_some_and(|last| tick <= last) {
            return Err(self.fail(format!(
                "the time {:.6} s does not follow the one before",
                at.secs()
            )));
        }
        self.last_tick = Some(tick);
        to_yuv420(picture, &mut self.picture, self.weights);
        self.picture.set_pts(Some(tick));
        self.encoder
            .send_frame(&self.picture)
            .map_err(|e| self.fail(format!("the encoder failed: {e}")))?;
        self.write_packets()
    }

    /// Writes what the encoder still holds and puts the file in its place.
    ///
    /// # Errors
    /// When no picture was pushed, the disk is full or the place cannot be written.
    pub fn finish(mut self) -> Result<(), MediaError> {
        if self.last_tick.is_none() {
            return Err(self.fail("no picture was given".into()));
        }
        self.encoder
            .send_eof()
            .map_err(|e| self.fail(format!("the encoder failed at the end: {e}")))?;
        self.write_packets()?;
        if let Some(mut output) = self.output.take() {
            output.write_trailer().map_err(|e| {
                self.fail(format!(
                    "the file cannot be completed ({e}); check the free space"
                ))
            })?;
            // Closes the file before it is renamed.
            drop(output);
        }
        if self.container == Container::Matroska {
            return Ok(());
        }
        std::fs::rename(&self.part, &self.path)
            .map_err(|e| self.fail(format!("the finished file cannot be put in its place: {e}")))
    }

    /// How long the file is so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        std::fs::metadata(&self.part).map_or(0, |m| m.len())
    }

    /// Bytes free on its disk; `None` where the system does not tell.
    #[must_use]
    pub fn free_space(&self) -> Option<u64> {
        fs4::available_space(self.part.parent()?).ok()
    }

    fn write_packets(&mut self) -> Result<(), MediaError> {
        let mut packet = Packet::empty();
        loop {
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => {}
                Err(ffmpeg::Error::Eof) => return Ok(()),
                Err(ffmpeg::Error::Other { errno }) if errno == ffmpeg::error::EAGAIN => {
                    return Ok(());
                }
                Err(e) => return Err(self.fail(format!("the encoder failed: {e}"))),
            }
            packet.set_stream(0);
            packet.set_duration(self.frame_ticks);
            packet.rescale_ts(Rational(1, TICKS), self.stream_base);
            if let Some(output) = &mut self.output
                && let Err(e) = packet.write_interleaved(output)
            {
                return Err(self.fail(format!("writing failed ({e}); check the free space")));
            }
        }
    }

    fn fail(&self, reason: String) -> MediaError {
        MediaError::Write {
            path: self.path.clone(),
            reason,
        }
    }
}

impl Drop for VideoWriter {
    fn drop(&mut self) {
        self.output = None;
        if self.container == Container::Matroska && self.last_tick.is_some() {
            return;
        }
        // After `finish` it has been renamed away and this finds nothing.
        let _gone = std::fs::remove_file(&self.part);
    }
}

/// Removes the part file unless the writer took it over.
struct Unfinished(Option<PathBuf>);

impl Unfinished {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(part) = self.0.take() {
            let _gone = std::fs::remove_file(part);
        }
    }
}

/// `name.mp4` → `.name.mp4.part`, beside it.
pub(super) fn part_path(path: &Path) -> Option<PathBuf> {
    if path.to_str()?.contains('\0') {
        return None;
    }
    let name = path.file_name()?.to_str()?;
    Some(path.with_file_name(format!(".{name}.part")))
}

fn ticks(at: Timestamp) -> i64 {
    let scaled = i128::from(at.nanos()) * i128::from(TICKS);
    // Rounded to the nearest tick.
    i64::try_from((scaled + 500_000_000).div_euclid(1_000_000_000)).unwrap_or(i64::MAX)
}

fn encoder_options(h264: bool, quality: VideoQuality) -> Dictionary<'static> {
    let mut options = Dictionary::new();
    options.set("threads", "1");
    if let VideoCodec::MotionJpeg { quantiser } = quality.codec {
        options.set("flags", "+qscale");
        options.set(
            "global_quality",
            &(118 * u32::from(quantiser.clamp(2, 31))).to_string(),
        );
    } else if h264 {
        options.set("preset", if quality.quick { "veryfast" } else { "medium" });
        options.set("crf", &quality.crf.min(51).to_string());
        // The same decisions whatever the processor's vector instructions.
        options.set("x264-params", "cpu-independent=1");
    } else {
        // MPEG-4's quantiser runs 1..31; crf 18 corresponds to about 3.
        let quantiser = (u32::from(quality.crf) / 6).clamp(1, 31).to_string();
        options.set("flags", "+qscale");
        options.set(
            "global_quality",
            &(118 * quantiser.parse::<u32>().unwrap_or(3)).to_string(),
        );
    }
    options
}

/// BT.601's weights of red, green and blue times 65536 for Y, U and V, the foot of Y,
/// and the ends of chroma.
pub(super) struct Weights {
    y: [i32; 3],
    u: [i32; 3],
    v: [i32; 3],
    foot: i32,
    ends: (i32, i32),
}

/// 16..235, as video has it.
const STUDIO_RANGE: Weights = Weights {
    y: [16_829, 33_039, 6_416],
    u: [-9_714, -19_070, 28_784],
    v: [28_784, -24_103, -4_681],
    foot: 16,
    ends: (16, 240),
};

/// 0..255, as JPEG has it.
pub(super) const FULL_RANGE: Weights = Weights {
    y: [19_595, 38_470, 7_471],
    u: [-11_058, -21_710, 32_768],
    v: [32_768, -27_439, -5_329],
    foot: 0,
    ends: (0, 255),
};

/// Chroma is the mean of four pixels; whole-number arithmetic, so no version of a
/// scaler changes the bytes. Odd sides repeat their last row or column.
pub(super) fn to_yuv420(picture: &RgbImage, out: &mut frame::Video, weights: &Weights) {
    let weigh = |w: &[i32; 3], [r, g, b]: [i32; 3]| w[0] * r + w[1] * g + w[2] * b;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (even_width, even_height) = (out.width() as usize, out.height() as usize);
    let source = picture.as_raw();
    let rgb = |x: usize, y: usize| {
        let i = (y.min(height - 1) * width + x.min(width - 1)) * 3;
        [source[i], source[i + 1], source[i + 2]].map(i32::from)
    };
    let stride = out.stride(0);
    let luma = out.data_mut(0);
    for y in 0..even_height {
        for x in 0..even_width {
            let light = (weigh(&weights.y, rgb(x, y)) + 32_768) >> 16;
            luma[y * stride + x] = (light + weights.foot) as u8;
        }
    }
    let (stride_u, stride_v) = (out.stride(1), out.stride(2));
    for y in 0..even_height / 2 {
        for x in 0..even_width / 2 {
            let mut sum = [0; 3];
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let pixel = rgb(2 * x + dx, 2 * y + dy);
                for (s, v) in sum.iter_mut().zip(pixel) {
                    *s += v;
                }
            }
            let half = 1 << 17;
            let u = ((weigh(&weights.u, sum) + half) >> 18) + 128;
            let v = ((weigh(&weights.v, sum) + half) >> 18) + 128;
            let (low, high) = weights.ends;
            out.data_mut(1)[y * stride_u + x] = u.clamp(low, high) as u8;
            out.data_mut(2)[y * stride_v + x] = v.clamp(low, high) as u8;
        }
    }
}
