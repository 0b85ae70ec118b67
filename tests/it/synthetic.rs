//! The drawn face: known times, equal bytes, a face that a detector finds; and the
//! MP4 writer it goes through.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;

use image::RgbImage;
use onset::base::Timestamp;
use onset::media::synthetic::{
    ExpressionEvent, ExpressionKind, FaceSide, SpecError, SyntheticSource, SyntheticSpec,
    sample_spec,
};
use onset::media::{FrameSource, MediaError, VideoQuality, VideoWriter};

fn small() -> SyntheticSpec {
    SyntheticSpec {
        width: 160,
        height: 120,
        ..sample_spec()
    }
}

fn frame(source: &mut SyntheticSource, index: u64) -> RgbImage {
    source.seek(index).unwrap();
    let frame = source.next_frame().unwrap().unwrap();
    assert_eq!(frame.index, index);
    (*frame.picture).clone()
}

/// FNV-1a, written out so that it is the same everywhere.
fn hash(picture: &RgbImage) -> u64 {
    picture
        .as_raw()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |h, &b| {
            (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

/// Mean absolute difference of two pictures inside a box, grey levels.
fn difference(a: &RgbImage, b: &RgbImage, left: u32, top: u32, right: u32, bottom: u32) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for y in top..bottom {
        for x in left..right {
            let (p, q) = (a.get_pixel(x, y), b.get_pixel(x, y));
            sum += f64::from(p[1].abs_diff(q[1]));
            count += 1.0;
        }
    }
    sum / count
}

#[test]
fn equal_seeds_give_equal_frames_in_any_order() {
    let mut one = SyntheticSource::new(small()).unwrap();
    let mut two = SyntheticSource::new(small()).unwrap();
    let order = [0, 188, 279, 279, 280, 476, 1];
    let forward: Vec<u64> = order.iter().map(|&i| hash(&frame(&mut one, i))).collect();
    for (&index, &expected) in order.iter().zip(&forward).rev() {
        assert_eq!(hash(&frame(&mut two, index)), expected, "frame {index}");
    }
    let mut other = SyntheticSource::new(SyntheticSpec { seed: 9, ..small() }).unwrap();
    assert_ne!(hash(&frame(&mut other, 0)), forward[0]);
}

/// Holds the drawing to the same bits on every processor. Whoever changes the
/// drawing on purpose puts the new numbers here and renews the bundled clip.
#[test]
fn frames_have_the_recorded_hashes() {
    let mut source = SyntheticSource::new(small()).unwrap();
    let found = [0, 188, 279].map(|i| hash(&frame(&mut source, i)));
    assert_eq!(found, RECORDED, "{found:#x?}");
}

const RECORDED: [u64; 3] = [
    0xfcd7_eef0_08cb_5b9f,
    0x05b6_ff01_18be_ae99,
    0x1725_1628_34f1_0943,
];

#[test]
fn the_sample_has_two_of_each_kind_well_apart() {
    let spec = sample_spec();
    let count = |kind| spec.events.iter().filter(|e| e.kind == kind).count();
    assert_eq!(count(ExpressionKind::Macro), 2);
    assert_eq!(count(ExpressionKind::Micro), 2);
    assert_eq!(count(ExpressionKind::Blink), 1);
    for pair in spec.events.windows(2) {
        assert!(
            pair[1].onset >= pair[0].offset + 60,
            "two seconds between events"
        );
    }
    let source = SyntheticSource::new(SyntheticSpec {
        width: 64,
        height: 64,
        ..spec
    })
    .unwrap();
    assert_eq!(source.info().frame_count, Some(600));
    assert_eq!(source.info().duration, Some(Timestamp::from_secs(20.0)));
    assert_eq!(source.truth().len(), 5);
}

#[test]
fn an_expression_moves_its_own_region_only() {
    let mut source = SyntheticSource::new(SyntheticSpec {
        noise: 0.0,
        sway_px: 0.0,
        ..small()
    })
    .unwrap();
    let rest = frame(&mut source, 0);
    let smile = frame(&mut source, 188);
    let blink = frame(&mut source, 279);
    // At 160×120 the eyes lie at y = 51, the mouth at y = 79.
    let mouth = |p: &RgbImage| difference(&rest, p, 64, 72, 96, 88);
    let eyes = |p: &RgbImage| difference(&rest, p, 60, 46, 100, 56);
    assert!(mouth(&smile) > 4.0, "{}", mouth(&smile));
    assert!(eyes(&smile) < 0.05, "{}", eyes(&smile));
    assert!(eyes(&blink) > 4.0, "{}", eyes(&blink));
    // The smile that ended two seconds before must not leave a trace.
    assert_eq!(mouth(&blink), 0.0);
    // Onset and offset are at rest.
    for at in [168, 210, 276, 285] {
        assert_eq!(hash(&frame(&mut source, at)), hash(&rest), "frame {at}");
    }
}

#[test]
fn landmarks_follow_the_strength() {
    let source = SyntheticSource::new(SyntheticSpec {
        sway_px: 0.0,
        ..sample_spec()
    })
    .unwrap();
    let (rest, apex) = (source.landmarks(0), source.landmarks(188));
    // The image-right mouth corner goes right and up, the brows stay.
    assert!(apex[54].x > rest[54].x + 5.0 && apex[54].y < rest[54].y - 4.0);
    assert!(apex[19].distance(rest[19]) < 0.1);
    // The lips part: their inner middles move away from each other.
    assert!(apex[66].y - apex[62].y > rest[66].y - rest[62].y + 3.0);
}

#[test]
fn impossible_specifications_say_what_is_wrong() {
    let refused = |spec: SyntheticSpec| match SyntheticSource::new(spec) {
        Err(e) => e,
        Ok(_) => panic!("accepted"),
    };
    let event = |kind, units: &[u8], onset, apex, offset| ExpressionEvent {
        kind,
        units: units.to_vec(),
        side: FaceSide::Both,
        onset,
        apex,
        offset,
        amplitude: 0.5,
        emotion: String::new(),
    };
    let with = |e| SyntheticSpec {
        events: vec![e],
        ..small()
    };
    assert!(matches!(
        refused(SyntheticSpec {
            width: 8,
            ..small()
        }),
        SpecError::Size { .. }
    ));
    assert!(matches!(
        refused(SyntheticSpec {
            frames_per_second: 0,
            ..small()
        }),
        SpecError::Rate(0)
    ));
    assert!(matches!(
        refused(SyntheticSpec {
            noise: f32::NAN,
            ..small()
        }),
        SpecError::Range { .. }
    ));
    let late = event(ExpressionKind::Macro, &[12], 590, 600, 640);
    assert!(matches!(refused(with(late)), SpecError::Order { .. }));
    let long = event(ExpressionKind::Micro, &[12], 10, 20, 40);
    assert!(refused(with(long)).to_string().contains("1000 ms"));
    let unknown = event(ExpressionKind::Macro, &[99], 10, 20, 40);
    assert!(refused(with(unknown)).to_string().contains("AU99"));
    let empty = event(ExpressionKind::Macro, &[], 10, 20, 40);
    assert!(matches!(
        refused(with(empty)),
        SpecError::Units { index: 0 }
    ));
}

#[test]
fn the_detector_finds_the_drawn_face() {
    let model =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/models/seeta_fd_frontal_v1.0.bin");
    let Ok(file) = std::fs::File::open(&model) else {
        eprintln!("skipped: no detector model at {}", model.display());
        return;
    };
    let model = rustface::read_model(std::io::BufReader::new(file)).unwrap();
    let mut detector = rustface::create_detector_with_model(model);
    let mut source = SyntheticSource::new(SyntheticSpec {
        width: 320,
        height: 240,
        ..sample_spec()
    })
    .unwrap();
    for index in [0, 95, 188, 278, 279, 281, 371, 476, 599] {
        let gray = image::DynamicImage::from(frame(&mut source, index)).to_luma8();
        let faces = detector.detect(&rustface::ImageData::new(&gray, 320, 240));
        assert_eq!(faces.len(), 1, "frame {index}: {faces:?}");
        let eyes = source.landmarks(index)[27];
        let found = faces[0].bbox();
        assert!((found.x()..found.x() + found.width() as i32).contains(&(eyes.x as i32)));
    }
}

#[test]
fn the_bundled_clip_belongs_to_its_truth() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/clip");
    let size = std::fs::metadata(dir.join("sample.mp4")).unwrap().len();
    assert!(size <= 2 << 20, "{size} bytes");
    let truth = std::fs::read_to_string(dir.join("sample-truth.csv")).unwrap();
    let mut expected = String::from("recording,kind,onset,apex,offset\n");
    for e in sample_spec()
        .events
        .iter()
        .filter(|e| e.kind != ExpressionKind::Blink)
    {
        expected += &format!(
            "sample,{},{},{},{}\n",
            e.kind.name(),
            e.onset,
            e.apex,
            e.offset
        );
    }
    assert_eq!(truth, expected);
    assert_eq!(packet_secs(&dir.join("sample.mp4")).len(), 600);
}

/// The presentation time of every packet, seconds.
fn packet_secs(path: &Path) -> Vec<f64> {
    ffmpeg_next::init().unwrap();
    let mut input = ffmpeg_next::format::input(path).unwrap();
    let base = f64::from(input.stream(0).unwrap().time_base());
    let packets = input.packets();
    packets
        .map(|(_, p)| p.pts().unwrap() as f64 * base)
        .collect()
}

#[test]
fn equal_pictures_give_equal_files_with_exact_times() {
    let dir = tempfile::tempdir().unwrap();
    // Odd sides, times that no constant rate describes.
    let times = [0.0, 0.04, 0.10, 0.11, 0.50, 2.0];
    let files = ["a ä.mp4", "b.mp4"].map(|name| {
        let path = dir.path().join(name);
        let mut writer = VideoWriter::create(&path, 65, 67, 25.0, VideoQuality::default()).unwrap();
        for (i, secs) in times.iter().enumerate() {
            let picture = RgbImage::from_fn(65, 67, |x, y| {
                image::Rgb([(x * 3) as u8, (y * 3) as u8, (i * 40) as u8])
            });
            writer.push(&picture, Timestamp::from_secs(*secs)).unwrap();
        }
        writer.finish().unwrap();
        path
    });
    for (found, expected) in packet_secs(&files[0]).iter().zip(times) {
        assert!((found - expected).abs() < 6e-6, "{found} for {expected}");
    }
    assert_eq!(
        std::fs::read(&files[0]).unwrap(),
        std::fs::read(&files[1]).unwrap()
    );
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        2,
        "no part file is left"
    );
}

#[test]
fn a_refused_or_abandoned_video_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let quality = VideoQuality::default();
    let missing = dir.path().join("none/x.mp4");
    assert!(matches!(
        VideoWriter::create(&missing, 64, 64, 30.0, quality),
        Err(MediaError::Write { .. })
    ));
    let path = dir.path().join("x.mp4");
    assert!(VideoWriter::create(&path, 0, 64, 30.0, quality).is_err());
    assert!(VideoWriter::create(&path, 64, 64, f64::NAN, quality).is_err());
    let mut writer = VideoWriter::create(&path, 64, 64, 30.0, quality).unwrap();
    let picture = RgbImage::new(64, 64);
    writer.push(&picture, Timestamp::ZERO).unwrap();
    let again = writer.push(&picture, Timestamp::ZERO).unwrap_err();
    assert!(again.to_string().contains("does not follow"), "{again}");
    let larger = writer
        .push(&RgbImage::new(65, 64), Timestamp::from_secs(1.0))
        .unwrap_err();
    assert!(larger.to_string().contains("65×64"), "{larger}");
    drop(writer);
    let empty = VideoWriter::create(&path, 64, 64, 30.0, quality).unwrap();
    assert!(empty.finish().is_err());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
