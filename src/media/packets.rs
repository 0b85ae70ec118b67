//! One video stream of a file: packets in, decoded pictures out, damage noted.

use std::path::{Path, PathBuf};
use std::sync::Once;

use ffmpeg::format::context::Input;
use ffmpeg::format::stream::Disposition;
use ffmpeg::{Dictionary, Packet, Rational, codec, decoder, frame, media};
use ffmpeg_next as ffmpeg;

use crate::base::Timestamp;

use super::MediaError;
use super::orientation::Orientation;

/// Give up on a file whose demuxer answers only with errors.
const MAX_READ_ERRORS: u32 = 1_000_000;

/// What happened to a packet that gave no proper picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// No picture came out of it.
    Lost,
    /// A picture came out, parts of it guessed by the decoder.
    Concealed,
}

/// A damaged packet and its presentation time in stream units, where known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DamagedPacket {
    pub(crate) pts: Option<i64>,
    pub(crate) damage: Damage,
}

/// A packet as the demuxer delivers it, without decoding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PacketTime {
    pub(crate) pts: Option<i64>,
    pub(crate) key: bool,
}

/// What the container states about its video stream.
#[derive(Debug, Clone)]
pub(crate) struct StreamFacts {
    pub(crate) time_base: Rational,
    pub(crate) fps: Option<f64>,
    pub(crate) frames: Option<u64>,
    /// Of the video stream, else of the whole file.
    pub(crate) duration: Option<Timestamp>,
    /// Whether `duration` is written in the file's header for these pictures, so
    /// that pictures which end before it are missing.
    pub(crate) duration_is_binding: bool,
    /// Width and height as coded, before turning.
    pub(crate) size: (u32, u32),
    /// Width over height of one pixel.
    pub(crate) pixel_aspect: f64,
    /// `None`: the file asks for a turn that is not a quarter turn.
    pub(crate) orientation: Option<Orientation>,
}

/// Reads and decodes the best video stream of a file on the calling thread.
///
/// One decoder thread only: the outcome for damaged streams then depends on the
/// file alone and not on how threads happen to be scheduled.
pub(crate) struct PacketReader {
    path: PathBuf,
    input: Input,
    stream: usize,
    decoder: decoder::Video,
    facts: StreamFacts,
    draining: bool,
    read_errors: u32,
    /// The first packet of the stream after opening or seeking.
    first_packet: Option<PacketTime>,
    damaged: Vec<DamagedPacket>,
    cut_short: bool,
}

impl PacketReader {
    pub(crate) fn open(path: &Path) -> Result<Self, MediaError> {
        let input = open_input(path)?;
        let not_media = |reason: String| MediaError::NotMedia {
            path: path.to_path_buf(),
            reason,
        };
        let stream = input
            .streams()
            .best(media::Type::Video)
            .filter(|s| !s.disposition().contains(Disposition::ATTACHED_PIC))
            .ok_or_else(|| not_media("it holds no video stream".into()))?;
        let parameters = stream.parameters();
        let codec = parameters.id();
        let facts_of_stream = (
            stream.index(),
            stream.time_base(),
            stream.avg_frame_rate(),
            stream.rate(),
            stream.frames(),
            stream.duration(),
            orientation_of(&stream),
        );
        let (index, time_base, average, base, frames, duration, orientation) = facts_of_stream;
        let mut opening = codec::Context::from_parameters(parameters)
            .map_err(|e| not_media(e.to_string()))?
            .decoder();
        opening.set_packet_time_base(time_base);
        let decoder = opening.video().map_err(|e| match e {
            ffmpeg::Error::DecoderNotFound => not_media(format!(
                "the installed FFmpeg has no decoder for {}",
                codec.name()
            )),
            e => not_media(e.to_string()),
        })?;
        let size = (decoder.width(), decoder.height());
        if size.0 == 0 || size.1 == 0 {
            return Err(not_media("its pictures have no size".into()));
        }
        let aspect = decoder.aspect_ratio();
        let of_stream =
            (duration > 0).then(|| Timestamp::from_nanos(units_to_nanos(duration, time_base)));
        let of_file = (input.duration() > 0)
            .then(|| Timestamp::from_nanos(input.duration().saturating_mul(1000)));
        let facts = StreamFacts {
            time_base,
            fps: rate(average).or_else(|| rate(base)),
            frames: u64::try_from(frames).ok().filter(|&n| n > 0),
            duration: of_stream.or(of_file),
            // Other containers' durations are guesses from the bit rate, or those
            // of a sound track that may go on without pictures.
            duration_is_binding: of_stream.is_some()
                || (input.nb_streams() == 1
                    && ["matroska", "flv", "asf"]
                        .iter()
                        .any(|name| input.format().name().contains(name))),
            size,
            pixel_aspect: rate(aspect).unwrap_or(1.0),
            orientation,
        };
        Ok(Self {
            path: path.to_path_buf(),
            input,
            stream: index,
            decoder,
            facts,
            draining: false,
            read_errors: 0,
            first_packet: None,
            damaged: Vec::new(),
            cut_short: false,
        })
    }

    pub(crate) fn facts(&self) -> &StreamFacts {
        &self.facts
    }

    /// The first packet since opening or seeking.
    pub(crate) fn first_packet(&self) -> Option<PacketTime> {
        self.first_packet
    }

    /// Damage met since the last call.
    pub(crate) fn take_damage(&mut self) -> Vec<DamagedPacket> {
        std::mem::take(&mut self.damaged)
    }

    /// Whether the demuxer stopped at a fault instead of the regular end.
    pub(crate) fn cut_short(&self) -> bool {
        self.cut_short
    }

    /// The next picture in presentation order, `None` at the end.
    pub(crate) fn next_picture(&mut self) -> Option<frame::Video> {
        loop {
            let mut picture = frame::Video::empty();
            match self.decoder.receive_frame(&mut picture) {
                Ok(()) => {
                    if picture.is_corrupt() || picture.has_decode_errors() {
                        self.note(picture.timestamp(), Damage::Concealed);
                    }
                    return Some(picture);
                }
                Err(ffmpeg::Error::Eof) => return None,
                Err(ffmpeg::Error::Other { errno }) if errno == ffmpeg::error::EAGAIN => {
                    if self.draining {
                        return None;
                    }
                    self.feed();
                }
                Err(_) => {
                    self.note(None, Damage::Lost);
                    if !self.draining {
                        self.feed();
                    }
                }
            }
        }
    }

    /// Gives the decoder one more packet, or the end.
    fn feed(&mut self) {
        let mut packet = Packet::empty();
        match self.read(&mut packet) {
            Some(()) => {
                let time = packet_time(&packet);
                self.first_packet.get_or_insert(time);
                if self.decoder.send_packet(&packet).is_err() {
                    self.note(packet.pts().or(packet.dts()), Damage::Lost);
                }
            }
            None => {
                self.draining = true;
                // A decoder that refuses the end has nothing more to give.
                let _ = self.decoder.send_eof();
            }
        }
    }

    /// The next packet of our stream, `None` at the end of the file.
    fn read(&mut self, packet: &mut Packet) -> Option<()> {
        loop {
            match packet.read(&mut self.input) {
                Ok(()) if packet.stream() == self.stream => return Some(()),
                Ok(()) => *packet = Packet::empty(),
                Err(ffmpeg::Error::Eof) => return None,
                // A demuxer finds its way again after a damaged packet.
                Err(ffmpeg::Error::InvalidData) if self.read_errors < MAX_READ_ERRORS => {
                    self.read_errors += 1;
                    self.cut_short = true;
                }
                Err(_) => {
                    self.cut_short = true;
                    return None;
                }
            }
        }
    }

    fn note(&mut self, pts: Option<i64>, damage: Damage) {
        self.damaged.push(DamagedPacket { pts, damage });
    }

    /// Continues at the last key frame at or before `pts` (stream units).
    pub(crate) fn seek_before(&mut self, pts: i64) -> Result<(), ffmpeg::Error> {
        let tb = self.facts.time_base;
        let micros = i128::from(pts) * 1_000_000 * i128::from(tb.numerator())
            / i128::from(tb.denominator().max(1));
        let at = i64::try_from(micros).unwrap_or(i64::MAX);
        self.input.seek(at, ..at)?;
        self.decoder.flush();
        self.draining = false;
        self.first_packet = None;
        Ok(())
    }

    /// Starts again with the first packet, in a fresh demuxer and decoder, so that
    /// the second reading equals the first whatever the container can seek.
    pub(crate) fn restart(&mut self) -> Result<(), MediaError> {
        *self = Self::open(&self.path)?;
        Ok(())
    }

    /// The times of all packets of the stream, in the file's order.
    pub(crate) fn scan(path: &Path) -> Result<Vec<PacketTime>, MediaError> {
        let mut reader = Self::open(path)?;
        let mut times = Vec::new();
        let mut packet = Packet::empty();
        while reader.read(&mut packet).is_some() {
            times.push(packet_time(&packet));
            packet = Packet::empty();
        }
        Ok(times)
    }
}

fn packet_time(packet: &Packet) -> PacketTime {
    PacketTime {
        pts: packet.pts(),
        key: packet.is_key(),
    }
}

fn rate(r: Rational) -> Option<f64> {
    (r.numerator() > 0 && r.denominator() > 0)
        .then(|| f64::from(r.numerator()) / f64::from(r.denominator()))
}

/// What the display matrix of the stream asks for; `None` when it is slanted.
fn orientation_of(stream: &ffmpeg::format::stream::Stream<'_>) -> Option<Orientation> {
    stream
        .side_data()
        .find(|d| d.kind() == codec::packet::side_data::Type::DisplayMatrix)
        .map_or(Some(Orientation::Upright), |d| {
            Orientation::from_display_matrix(d.data())
        })
}

/// Opens the container and finds out why when it cannot.
fn open_input(path: &Path) -> Result<Input, MediaError> {
    static FFMPEG: Once = Once::new();
    FFMPEG.call_once(|| {
        // What matters of FFmpeg's messages becomes notices; its own lines would
        // land in the middle of our progress bar.
        ffmpeg::log::set_level(ffmpeg::log::Level::Quiet);
    });
    let not_found = || MediaError::NotFound {
        path: path.to_path_buf(),
    };
    let not_media = |reason: &str| MediaError::NotMedia {
        path: path.to_path_buf(),
        reason: reason.into(),
    };
    let metadata = std::fs::metadata(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => not_found(),
        _ => not_media(&format!("it cannot be read: {e}")),
    })?;
    if metadata.is_file() && metadata.len() == 0 {
        return Err(MediaError::Empty {
            path: path.to_path_buf(),
        });
    }
    std::fs::File::open(path).map_err(|e| not_media(&format!("it cannot be read: {e}")))?;
    let name = path
        .to_str()
        .ok_or_else(|| not_media("its name is not valid text; rename it"))?;
    // Only local files: a playlist must not make us open network addresses, and a
    // name like `12:30.mp4` must not be taken for a protocol.
    let mut options = Dictionary::new();
    options.set("protocol_whitelist", "file");
    let input = ffmpeg::format::input_with_dictionary(&format!("file:{name}"), options)
        .map_err(|e| not_media(&why_not(path, e)))?;
    // FFmpeg takes any text file for terminal art.
    if input.format().name() == "tty" {
        return Err(not_media("it is a text file"));
    }
    Ok(input)
}

/// FFmpeg's reason, made clearer for the most common accident: a camera that lost
/// power before it wrote the index of an mp4.
fn why_not(path: &Path, error: ffmpeg::Error) -> String {
    use std::io::Read;
    let mut head = [0u8; 12];
    let is_mp4 = std::fs::File::open(path)
        .and_then(|mut f| f.read_exact(&mut head))
        .is_ok()
        && &head[4..8] == b"ftyp";
    if is_mp4 && error == ffmpeg::Error::InvalidData {
        "it is an mp4 without its index (moov), cut off before the recorder finished it; copy it again, or repair it with a tool such as untrunc".into()
    } else if error == ffmpeg::Error::InvalidData {
        "it is no video format FFmpeg knows, or it is damaged".into()
    } else {
        error.to_string()
    }
}

/// Stream units to nanoseconds, rounded to the nearest.
pub(crate) fn units_to_nanos(units: i64, time_base: Rational) -> i64 {
    let denominator = i128::from(time_base.denominator().max(1));
    let scaled = i128::from(units) * i128::from(time_base.numerator()) * 1_000_000_000;
    let half = denominator / 2 * scaled.signum();
    i64::try_from((scaled + half) / denominator).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_units_round_to_the_nearest_nanosecond() {
        let thirds = Rational::new(1, 3);
        assert_eq!(units_to_nanos(1, thirds), 333_333_333);
        assert_eq!(units_to_nanos(2, thirds), 666_666_667);
        assert_eq!(units_to_nanos(-2, thirds), -666_666_667);
        assert_eq!(
            units_to_nanos(90_000, Rational::new(1, 90_000)),
            1_000_000_000
        );
    }
}
