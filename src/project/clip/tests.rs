//! Clips of a drawn face that smiles from frame 58 to 70.

use std::fs::File;

use super::*;
use crate::base::{Point, Rect, Similarity};
use crate::face::Landmarks;
use crate::media::synthetic::{ExpressionEvent, ExpressionKind, FaceSide};
use crate::media::{SyntheticSource, SyntheticSpec, VideoFile};
use crate::session::magnified_view::MagnifyMethod;
use crate::timeline::Event;
use crate::timeline::event::FaceRecord;

const FPS: f64 = 30.0;
const FRAMES: u64 = 90;

fn smiling(frames: u64) -> SyntheticSource {
    let spec = SyntheticSpec {
        name: "smile".into(),
        width: 200,
        height: 200,
        frames_per_second: 30,
        frames,
        seed: 7,
        events: vec![ExpressionEvent {
            kind: ExpressionKind::Micro,
            units: vec![12],
            side: FaceSide::Both,
            onset: 58,
            apex: 64,
            offset: 70,
            amplitude: 0.6,
            emotion: "happiness".into(),
        }],
        noise: 0.0,
        sway_px: 0.0,
    };
    SyntheticSource::new(spec).unwrap()
}

/// What an analysis of it says: a face in every frame but 73.
fn analysed() -> Recording {
    let mut recording = Recording::default();
    let landmarks = smiling(FRAMES).landmarks(0);
    let around = Rect::around(&landmarks).unwrap();
    let side = 1.2 * around.w.max(around.h);
    recording.apply(Event::Crop(Box::new(HeldCrop {
        id: 0,
        since_frame: 0,
        crop_from_image: Similarity::about(
            around.center(),
            Point::new(63.5, 63.5),
            128.0 / side,
            0.0,
        ),
        landmarks_in_crop: Landmarks(landmarks),
    })));
    for frame in 0..FRAMES {
        recording.apply(Event::Frame(Box::new(FrameRecord {
            face: (frame != 73).then(|| FaceRecord::found(around)),
            ..FrameRecord::faceless(frame, Timestamp::from_secs(frame as f64 / FPS))
        })));
    }
    recording
}

fn clip(form: ClipForm, speed: f32) -> Clip {
    Clip {
        form,
        frames: (58, 74),
        speed,
        magnify: MagnifyView::default(),
    }
}

/// Mean difference, in grey levels, of the two faces in a part of them, 0..1 from the
/// upper left.
fn difference(picture: &RgbImage, x: [f32; 2], y: [f32; 2]) -> f64 {
    let place = |share: f32| (320.0 * share) as u32;
    let (mut sum, mut count) = (0_u64, 0_u64);
    for row in place(y[0])..place(y[1]) {
        for column in place(x[0])..place(x[1]) {
            let left = picture.get_pixel(8 + column, 32 + row).0;
            let right = picture.get_pixel(336 + column, 32 + row).0;
            for (a, b) in left.iter().zip(right) {
                sum += u64::from(a.abs_diff(b));
                count += 1;
            }
        }
    }
    sum as f64 / count as f64
}

/// The smile is larger on the right, and nothing else is.
fn assert_mouth_moves_more(picture: &RgbImage) {
    let mouth = difference(picture, [0.2, 0.8], [0.6, 0.85]);
    let brow = difference(picture, [0.2, 0.8], [0.02, 0.12]);
    assert!(
        mouth > 1.0 && mouth > 2.0 * brow,
        "mouth {mouth}, brow {brow}"
    );
}

#[test]
fn an_mp4_shows_every_frame_at_its_time_and_the_smile_larger_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    for method in MagnifyMethod::ALL {
        let path = folder.path().join(format!("{}.mp4", method.name()));
        let mut clip = clip(ClipForm::Mp4, 0.25);
        clip.magnify.method = method;
        let mut shares = Vec::new();
        let written = clip
            .write(&mut smiling(FRAMES), &analysed(), &path, &mut |share| {
                shares.push(share);
                Next::GoOn
            })
            .unwrap();
        assert_eq!((written.frames, written.left_out), (17, 0));
        assert_eq!(written.without_face, 1);
        assert!((written.secs - 17.0 / FPS / 0.25).abs() < 1e-3);
        assert!(shares.is_sorted() && shares.last() == Some(&1.0));

        let mut video = VideoFile::open(&path, None).unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = video.next_frame().unwrap() {
            frames.push(frame);
        }
        assert_eq!(frames.len(), 17);
        for (i, frame) in frames.iter().enumerate() {
            let due = i as f64 / FPS / 0.25;
            assert!((frame.timestamp.secs() - due).abs() < 1e-3, "frame {i}");
            assert_eq!(frame.picture.dimensions(), SIZE);
        }
        assert_mouth_moves_more(&frames[6].picture);
        // Without a face nothing is magnified: what is left is the encoder's.
        let mouth = |frame: usize| difference(&frames[frame].picture, [0.2, 0.8], [0.6, 0.85]);
        let (without, smiling) = (mouth(15), mouth(6));
        let name = method.name();
        assert!(without < 0.4 * smiling, "{name}: {without} of {smiling}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_gif_decodes_again_with_the_delays_of_its_speed() {
    let folder = tempfile::tempdir().unwrap();
    for (speed, hundredths) in [(1.0, 57), (0.25, 227)] {
        let path = folder.path().join(format!("{speed}.gif"));
        let written = clip(ClipForm::Gif, speed)
            .write(&mut smiling(FRAMES), &analysed(), &path, &mut |_| {
                Next::GoOn
            })
            .unwrap();
        assert_eq!((written.frames, written.left_out), (17, 0));
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(File::open(&path).unwrap()).unwrap();
        let (mut delays, mut pictures) = (0, Vec::new());
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            delays += u32::from(frame.delay);
            let rgb = frame.buffer.chunks(4).flat_map(|p| [p[0], p[1], p[2]]);
            pictures.push(RgbImage::from_raw(SIZE.0, SIZE.1, rgb.collect()).unwrap());
        }
        assert_eq!((pictures.len(), delays), (17, hundredths));
        assert_mouth_moves_more(&pictures[6]);
    }
}

#[test]
fn what_cannot_be_a_clip_is_refused_in_a_sentence() {
    let recording = analysed();
    let refused = |change: &dyn Fn(&mut Clip)| {
        let mut clip = clip(ClipForm::Gif, 0.5);
        change(&mut clip);
        clip.check(&recording).unwrap_err().to_string()
    };
    assert!(refused(&|c| c.frames = (58, 58)).contains("two frames at least"));
    assert!(refused(&|c| c.frames = (58, 400)).contains("has not come to the end"));

    let mut long = Recording::default();
    for frame in 0..1000 {
        let at = Timestamp::from_secs(frame as f64 / FPS);
        long.apply(Event::Frame(Box::new(FrameRecord::faceless(frame, at))));
    }
    let mut gif = clip(ClipForm::Gif, 0.5);
    gif.frames = (0, 900);
    let why = gif.check(&long).unwrap_err().to_string();
    assert!(
        why.contains("30.0 s long") && why.contains("GIF takes 20 s at most"),
        "{why}"
    );
    gif.form = ClipForm::Mp4;
    let why = gif.check(&long).unwrap_err().to_string();
    assert!(why.contains("No face was found in the stretch"), "{why}");
}

#[test]
fn a_recording_that_ends_early_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    for form in ClipForm::ALL {
        let path = folder.path().join(form.ending());
        let why = clip(form, 1.0)
            .write(&mut smiling(72), &analysed(), &path, &mut |_| Next::GoOn)
            .unwrap_err();
        assert!(why.to_string().contains("ends before frame 74"), "{why}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_clip_that_is_given_up_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    for form in ClipForm::ALL {
        let path = folder.path().join(form.ending());
        let mut nearly_all = |share: f32| match share {
            s if s < 0.9 => Next::GoOn,
            _ => Next::Stop,
        };
        let given_up = clip(form, 1.0)
            .write(&mut smiling(FRAMES), &analysed(), &path, &mut nearly_all)
            .unwrap_err();
        assert!(matches!(given_up, ClipError::Stopped), "{given_up}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
