//! Writes pictures with their times as a GIF that plays for ever.
//!
//! Pictures that are written together share one palette, so that what stands still does
//! not flicker; a short clip has one for all of it. A GIF counts time in hundredths of a
//! second and its viewers take a shorter delay than two for a mistake: pictures that come
//! faster are left out, and every other one stands until the next is due, so that the
//! whole is as fast as it was meant to be. The file is written beside its place and
//! renamed when it is whole.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use color_quant::NeuQuant;
use gif::{Encoder, Repeat};
use image::RgbImage;

use super::MediaError;
use super::video_writer::part_path;
use crate::base::Timestamp;

/// Ticks a second.
const TICKS: f64 = 100.0;
/// The shortest delay that viewers keep to: 50 pictures a second.
const SHORTEST_TICKS: i64 = 2;
/// So many pictures a second are shown at most.
pub const MOST_PER_SECOND: u32 = 50;

/// Pictures wait for their palette up to so many bytes.
const WAITING_BYTES: usize = 96 << 20;

const COLOURS: usize = 256;
/// The palette is learnt from at most about so many pixels.
const LEARNT_PIXELS: usize = 200_000;

/// A GIF in the making. Dropping it before [`GifWriter::finish`] removes it.
pub struct GifWriter {
    path: PathBuf,
    part: PathBuf,
    encoder: Option<Encoder<BufWriter<File>>>,
    size: (u16, u16),
    /// Each with the tick from which on it is shown.
    waiting: Vec<(i64, RgbImage)>,
    left_out: u64,
}

impl GifWriter {
    /// Opens `path` for pictures of `width`×`height`.
    ///
    /// # Errors
    /// When a side is not 1 to 65,535 pixels or the file cannot be made.
    pub fn create(path: &Path, width: u32, height: u32) -> Result<Self, MediaError> {
        let refuse = |reason: String| MediaError::Write {
            path: path.to_path_buf(),
            reason,
        };
        let (Ok(w @ 1..), Ok(h @ 1..)) = (u16::try_from(width), u16::try_from(height)) else {
            return Err(refuse(format!(
                "{width}×{height} pixels is not a size that a GIF can have; use 1 to 65535 each"
            )));
        };
        let part = part_path(path)
            .ok_or_else(|| refuse("the path must name a file and be valid UTF-8".to_owned()))?;
        let file = File::create(&part).map_err(|e| {
            refuse(format!(
                "the file cannot be made ({e}); check the folder and the free space"
            ))
        })?;
        let mut writer = Self {
            path: path.to_path_buf(),
            part,
            encoder: None,
            size: (w, h),
            waiting: Vec::new(),
            left_out: 0,
        };
        let encoder = Encoder::new(BufWriter::new(file), w, h, &[]).and_then(|mut encoder| {
            encoder.set_repeat(Repeat::Infinite)?;
            Ok(encoder)
        });
        writer.encoder = Some(encoder.map_err(|e| writer.fail(&e))?);
        Ok(writer)
    }

    /// Appends one picture at its time, or leaves it out where the one before has not stood
    /// for two hundredths of a second.
    ///
    /// # Errors
    /// When its size differs or the disk is full.
    pub fn push(&mut self, picture: RgbImage, at: Timestamp) -> Result<(), MediaError> {
        let (width, height) = (u32::from(self.size.0), u32::from(self.size.1));
        if picture.dimensions() != (width, height) {
            let (w, h) = picture.dimensions();
            return Err(self.fail(&format!(
                "a picture of {w}×{h} pixels came into a GIF of {width}×{height}"
            )));
        }
        let tick = ticks(at);
        let last = self.waiting.last().map(|(tick, _)| *tick);
        if last.is_some_and(|last| tick < last + SHORTEST_TICKS) {
            self.left_out += 1;
            return Ok(());
        }
        let bytes = picture.as_raw().len();
        self.waiting.push((tick, picture));
        if bytes * self.waiting.len() >= WAITING_BYTES {
            // How long the last one stands is not known yet.
            let last = self.waiting.pop();
            self.write_waiting(tick)?;
            self.waiting.extend(last);
        }
        Ok(())
    }

    /// How many pictures came too fast to be shown.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Shows the last picture until `end` and puts the file in its place.
    ///
    /// # Errors
    /// When no picture was pushed, the disk is full or the place cannot be written.
    pub fn finish(mut self, end: Timestamp) -> Result<(), MediaError> {
        if self.waiting.is_empty() {
            return Err(self.fail(&"no picture was given"));
        }
        self.write_waiting(ticks(end))?;
        if let Some(encoder) = self.encoder.take() {
            // Writes the trailer.
            let mut file = encoder.into_inner().map_err(|e| self.fail(&e))?;
            file.flush().map_err(|e| self.fail(&e))?;
        }
        std::fs::rename(&self.part, &self.path).map_err(|e| {
            self.fail(&format!(
                "the finished file cannot be put in its place: {e}"
            ))
        })
    }

    /// With a palette of their own; the last one stands until `end`.
    fn write_waiting(&mut self, end: i64) -> Result<(), MediaError> {
        let pictures = std::mem::take(&mut self.waiting);
        let mut palette = Palette::of(&pictures);
        let ends = pictures.iter().skip(1).map(|(tick, _)| *tick);
        let ends: Vec<i64> = ends.chain([end]).collect();
        for ((tick, picture), end) in pictures.iter().zip(ends) {
            let delay = (end - tick).max(SHORTEST_TICKS);
            let frame = gif::Frame {
                delay: u16::try_from(delay).unwrap_or(u16::MAX),
                width: self.size.0,
                height: self.size.1,
                palette: Some(palette.colours.clone()),
                buffer: palette.indices(picture).into(),
                ..gif::Frame::default()
            };
            let written = match &mut self.encoder {
                Some(encoder) => encoder.write_frame(&frame),
                None => Ok(()),
            };
            written.map_err(|e| self.fail(&e))?;
        }
        Ok(())
    }

    fn fail(&self, reason: &dyn std::fmt::Display) -> MediaError {
        MediaError::Write {
            path: self.path.clone(),
            reason: reason.to_string(),
        }
    }
}

impl Drop for GifWriter {
    fn drop(&mut self) {
        self.encoder = None;
        // After `finish` it has been renamed away and this finds nothing.
        let _gone = std::fs::remove_file(&self.part);
    }
}

fn ticks(at: Timestamp) -> i64 {
    (at.secs() * TICKS).round() as i64
}

/// The colours of some pictures.
struct Palette {
    quantiser: NeuQuant,
    /// `[r, g, b]` 256 times.
    colours: Vec<u8>,
    /// Nearest colour by six bits of each channel, as far as it was looked for.
    nearest: Vec<Option<u8>>,
}

impl Palette {
    fn of(pictures: &[(i64, RgbImage)]) -> Self {
        let all: usize = pictures.iter().map(|(_, p)| p.as_raw().len() / 3).sum();
        // No divisor of a picture's width: whole columns must not be missed.
        let step = (all / LEARNT_PIXELS).max(1) | 1;
        let pixels = pictures.iter().flat_map(|(_, picture)| picture.pixels());
        let sample: Vec<u8> = (pixels.step_by(step))
            .flat_map(|p| [p.0[0], p.0[1], p.0[2], u8::MAX])
            .collect();
        let quantiser = NeuQuant::new(1, COLOURS, &sample);
        Self {
            colours: quantiser.color_map_rgb(),
            quantiser,
            nearest: vec![None; 1 << 18],
        }
    }

    fn indices(&mut self, picture: &RgbImage) -> Vec<u8> {
        let six = |value: u8| usize::from(value >> 2);
        // The middle of what six bits leave open.
        let middle = |value: u8| (value & !3) | 2;
        let pixels = picture.pixels().map(|p| p.0);
        pixels
            .map(|[r, g, b]| {
                let slot = &mut self.nearest[six(r) << 12 | six(g) << 6 | six(b)];
                *slot.get_or_insert_with(|| {
                    let colour = [middle(r), middle(g), middle(b), u8::MAX];
                    self.quantiser.index_of(&colour) as u8
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A slope of skin colours with a bright bar that moves.
    fn picture(at: u32) -> RgbImage {
        RgbImage::from_fn(60, 40, |x, y| {
            let bar = (at % 60..at % 60 + 6).contains(&x);
            image::Rgb(match bar {
                true => [250, 250, 250],
                false => [(120 + x) as u8, (80 + x + y) as u8, (60 + y) as u8],
            })
        })
    }

    /// Delays in ticks and pictures.
    fn read(path: &Path) -> Vec<(u16, Vec<u8>)> {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(File::open(path).unwrap()).unwrap();
        assert_eq!(decoder.repeat(), Repeat::Infinite);
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            frames.push((frame.delay, frame.buffer.to_vec()));
        }
        frames
    }

    fn write(path: &Path, count: u32, secs: f64) -> u64 {
        let mut gif = GifWriter::create(path, 60, 40).unwrap();
        let at = |i: u32| Timestamp::from_secs(f64::from(i) * secs);
        for i in 0..count {
            gif.push(picture(i), at(i)).unwrap();
        }
        let left_out = gif.left_out();
        gif.finish(at(count)).unwrap();
        left_out
    }

    #[test]
    fn delays_add_up_to_the_whole_although_each_is_rounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        assert_eq!(write(&path, 30, 1.0 / 30.0), 0);
        let frames = read(&path);
        assert_eq!(frames.len(), 30);
        let delays = frames.iter().map(|(delay, _)| *delay);
        assert!(delays.clone().all(|d| d == 3 || d == 4));
        assert_eq!(delays.sum::<u16>(), 100);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn colours_are_near_the_pictures_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        write(&path, 10, 0.04);
        for (i, (_, rgba)) in read(&path).iter().enumerate() {
            let expected = picture(i as u32);
            let off = (rgba.chunks(4).zip(expected.pixels())).map(|(a, b)| {
                (0..3)
                    .map(|c| u32::from(a[c].abs_diff(b.0[c])))
                    .sum::<u32>()
            });
            let mean = f64::from(off.sum::<u32>()) / f64::from(3 * 60 * 40);
            assert!(mean < 4.0, "picture {i}: off by {mean}");
        }
    }

    #[test]
    fn pictures_that_come_too_fast_are_left_out_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        let left_out = write(&path, 200, 1.0 / 200.0);
        let frames = read(&path);
        assert_eq!(frames.len() as u64 + left_out, 200);
        assert!((50..=51).contains(&frames.len()), "{}", frames.len());
        assert!(frames.iter().all(|(delay, _)| *delay >= 2));
        // The last one stands as long as any.
        let sum = frames.iter().map(|(delay, _)| *delay).sum::<u16>();
        assert!((100..=102).contains(&sum), "{sum}");
    }

    #[test]
    fn what_is_not_finished_leaves_nothing_and_bad_sizes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        let mut gif = GifWriter::create(&path, 60, 40).unwrap();
        gif.push(picture(0), Timestamp::ZERO).unwrap();
        let wrong = gif.push(RgbImage::new(8, 8), Timestamp::from_secs(1.0));
        assert!(wrong.unwrap_err().to_string().contains("60×40"));
        drop(gif);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(GifWriter::create(&path, 0, 40).is_err());
        assert!(GifWriter::create(&path, 60, 70_000).is_err());
    }
}
