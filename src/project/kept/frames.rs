//! Frame by frame: what is one number a frame lies in tracks, the rest in a part.
//!
//! Of each frame the part has a byte that says what follows: frames dropped before it;
//! other faces; whether there is a face, with its crop where that is another one, its
//! pose, and its points. Points are kept to a 32nd of a pixel, each as how far it went
//! since the last frame with points: one byte where that is less than two pixels.

use super::bytes::{Compact, Reader, Unreadable, Writer};
use crate::base::{Point, Rect, Timestamp};
use crate::face::{DetectedFace, Landmarks};
use crate::project::file::Track;
use crate::timeline::FrameRecord;
use crate::timeline::event::FaceRecord;

/// Of a pixel.
const PRECISION: f32 = 32.0;

const FACE: u8 = 1;
const POSE: u8 = 2;
const POINTS: u8 = 4;
const CROP: u8 = 8;
const DROPPED: u8 = 16;
const OTHERS: u8 = 32;

/// Names and units of the tracks, in the order of [`numbers`].
const TRACKS: [(&str, &str); 9] = [
    ("face_x", "px"),
    ("face_y", "px"),
    ("face_w", "px"),
    ("face_h", "px"),
    ("face_confidence", "share"),
    ("blink", "share of the lids' closure"),
    ("pose_rx", "radians"),
    ("pose_ry", "radians"),
    ("pose_rz", "radians"),
];

type Numbers = [f32; TRACKS.len()];

fn numbers(face: &FaceRecord) -> Numbers {
    let Rect { x, y, w, h } = face.rect;
    let [rx, ry, rz] = face.pose.unwrap_or([f32::NAN; 3]);
    [x, y, w, h, face.confidence, face.blink, rx, ry, rz]
}

/// Points in 32nds of a pixel.
type Steps = [i32; 136];

fn steps(points: &Landmarks) -> Steps {
    let mut steps = [0; 136];
    for (pair, point) in steps.chunks_exact_mut(2).zip(&points.0) {
        // What is no number becomes 0, what is far off the last number there is.
        pair[0] = (point.x * PRECISION).round() as i32;
        pair[1] = (point.y * PRECISION).round() as i32;
    }
    steps
}

fn points(steps: &Steps) -> Landmarks {
    Landmarks(std::array::from_fn(|i| {
        let [x, y] = [steps[2 * i], steps[2 * i + 1]];
        Point::new(x as f32 / PRECISION, y as f32 / PRECISION)
    }))
}

/// Tracks and part of frames that follow each other without a hole.
pub(super) fn put(frames: &[FrameRecord]) -> (Vec<Track>, Vec<u8>) {
    let first = frames.first().map_or(0, |f| f.frame);
    let mut tracks: Vec<Track> = TRACKS
        .iter()
        .map(|(name, unit)| Track {
            name: (*name).to_owned(),
            unit: (*unit).to_owned(),
            first,
            values: Vec::with_capacity(frames.len()),
        })
        .collect();
    let mut to = Writer::default();
    first.put(&mut to);
    let (mut crop, mut last) = (0, [0; 136]);
    for frame in frames {
        let face = frame.face.as_ref();
        let values = face.map_or([f32::NAN; TRACKS.len()], numbers);
        for (track, value) in tracks.iter_mut().zip(values) {
            track.values.push(value);
        }
        let flag = |bit, set| if set { bit } else { 0 };
        let says = flag(FACE, face.is_some())
            | flag(POSE, face.is_some_and(|f| f.pose.is_some()))
            | flag(POINTS, face.is_some_and(|f| f.landmarks.is_some()))
            | flag(CROP, face.is_some_and(|f| f.crop != crop))
            | flag(DROPPED, frame.dropped_before > 0)
            | flag(OTHERS, !frame.others.is_empty());
        to.byte(says);
        if says & DROPPED != 0 {
            frame.dropped_before.put(&mut to);
        }
        if says & OTHERS != 0 {
            frame.others.put(&mut to);
        }
        let Some(face) = face else { continue };
        if says & CROP != 0 {
            crop = face.crop;
            crop.put(&mut to);
        }
        if let Some(landmarks) = &face.landmarks {
            let now = steps(landmarks);
            for (now, last) in now.iter().zip(&last) {
                to.signed(i64::from(*now) - i64::from(*last));
            }
            last = now;
        }
    }
    (tracks, to.0)
}

/// The frames that were shown at `times`.
///
/// # Errors
/// A track is missing, or the bytes are no frames.
pub(super) fn take(
    times: &[i64],
    tracks: &[Track],
    from: &mut Reader,
) -> Result<Vec<FrameRecord>, Unreadable> {
    let mut columns: [&[f32]; TRACKS.len()] = [&[]; TRACKS.len()];
    for (column, (name, _)) in columns.iter_mut().zip(TRACKS) {
        let track = tracks.iter().find(|t| t.name == name);
        let track = track.filter(|t| t.values.len() == times.len());
        *column = &track.ok_or(Unreadable("a track is missing"))?.values;
    }
    let first = u64::take(from)?;
    let (mut crop, mut last) = (0, [0; 136]);
    let mut frames = Vec::with_capacity(times.len());
    for (at, nanos) in times.iter().enumerate() {
        let says = from.byte()?;
        let mut dropped_before = 0;
        if says & DROPPED != 0 {
            dropped_before = u32::take(from)?;
        }
        let mut others: Vec<DetectedFace> = Vec::new();
        if says & OTHERS != 0 {
            others = Compact::take(from)?;
        }
        let mut face = None;
        if says & FACE != 0 {
            if says & CROP != 0 {
                crop = u32::take(from)?;
            }
            let mut landmarks = None;
            if says & POINTS != 0 {
                for step in &mut last {
                    *step = i64::from(*step)
                        .checked_add(from.signed()?)
                        .and_then(|step| i32::try_from(step).ok())
                        .ok_or(Unreadable("a point lies nowhere"))?;
                }
                landmarks = Some(Box::new(points(&last)));
            }
            let [x, y, w, h, confidence, blink, rx, ry, rz] = columns.map(|column| column[at]);
            face = Some(FaceRecord {
                rect: Rect { x, y, w, h },
                confidence,
                pose: (says & POSE != 0).then_some([rx, ry, rz]),
                blink,
                landmarks,
                crop,
            });
        }
        frames.push(FrameRecord {
            frame: first.saturating_add(at as u64),
            timestamp: Timestamp::from_nanos(*nanos),
            dropped_before,
            face,
            others,
        });
    }
    Ok(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(at: f32, crop: u32) -> FaceRecord {
        FaceRecord {
            rect: Rect::new(at, 2.0, 100.5, 120.25),
            confidence: 0.9,
            pose: Some([0.1, -0.2, 0.3]),
            blink: 0.25,
            landmarks: Some(Box::new(Landmarks(std::array::from_fn(|i| {
                Point::new(at + i as f32 * 0.7, 300.0 - at)
            })))),
            crop,
        }
    }

    #[test]
    fn frames_come_back_with_their_points_to_a_32nd_of_a_pixel() {
        let mut frames: Vec<FrameRecord> = (0..50)
            .map(|i| FrameRecord {
                dropped_before: u32::from(i == 9) * 3,
                face: (i % 7 != 3).then(|| face(i as f32 * 0.3, (i / 20) as u32)),
                ..FrameRecord::faceless(7 + i, Timestamp::from_nanos(i as i64 * 5_000_000))
            })
            .collect();
        frames[4].others.push(DetectedFace {
            rect: Rect::new(1.0, 2.0, 3.0, 4.0),
            score: 12.0,
        });
        if let Some(face) = &mut frames[5].face {
            (face.pose, face.landmarks) = (None, None);
        }
        let times: Vec<i64> = frames.iter().map(|f| f.timestamp.nanos()).collect();
        let (tracks, bytes) = put(&frames);
        let mut from = Reader(&bytes);
        let mut back = take(&times, &tracks, &mut from).unwrap();
        assert!(from.0.is_empty());
        for (was, is) in frames.iter_mut().zip(&mut back) {
            let points = |f: &mut FrameRecord| f.face.as_mut().and_then(|f| f.landmarks.take());
            let (was, is) = (points(was), points(is));
            assert_eq!(was.is_some(), is.is_some());
            for (a, b) in was.iter().zip(&is).flat_map(|(a, b)| a.0.iter().zip(&b.0)) {
                assert!(a.distance(*b) < 0.75 / PRECISION, "{a:?} {b:?}");
            }
        }
        assert_eq!(frames, back);
        // A frame with points that hardly moved: a byte for each coordinate and one more.
        let still = [frames[0].clone(), frames[0].clone()];
        assert!(put(&still).1.len() < put(&still[..1]).1.len() + 140);
    }

    #[test]
    fn frames_without_a_track_or_cut_short_are_refused() {
        let frame = FrameRecord {
            face: Some(face(1.0, 0)),
            ..FrameRecord::faceless(0, Timestamp::ZERO)
        };
        let (tracks, bytes) = put(&[frame]);
        let whole = |tracks: &[Track], bytes: &[u8]| take(&[0], tracks, &mut Reader(bytes));
        assert!(whole(&tracks, &bytes).is_ok());
        assert!(whole(&tracks[1..], &bytes).is_err());
        for length in 0..bytes.len() {
            assert!(whole(&tracks, &bytes[..length]).is_err(), "{length}");
        }
    }
}
