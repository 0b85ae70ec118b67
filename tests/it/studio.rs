//! The studio: persons that a detector finds, labels that say what is shown, flow that
//! is true, equal bytes, and recipes that hold what they promise.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use onset::base::{Plane, Point};
use onset::face::{CropHold, FaceDetector, FaceTracker, LandmarkPredictor, still};
use onset::media::synthetic::movement::CROP_UNITS;
use onset::media::synthetic::{
    Camera, Course, ExpressionKind, HeadMotion, Shot, ShotSource, SyntheticSource, SyntheticSpec,
    Track, sample_spec,
};
use onset::media::{FrameSource, InputSpec, open};
use onset::motion::{Tvl1, Tvl1Params};
use onset::training::synthesis::recipe::FileRecipe;
use onset::training::synthesis::{Cast, Extras, Recipe, Script, contact_sheet, film};

fn test_recipe() -> Recipe {
    Recipe::parse(Recipe::TEST_1).unwrap()
}

/// A recipe of short, small recordings.
fn small() -> Recipe {
    Recipe {
        width: 160,
        height: 120,
        recordings: 3,
        seconds: [3.0, 3.0],
        ..Recipe::parse(Recipe::TRAIN_1).unwrap()
    }
}

/// A camera that adds nothing.
fn plain_camera(shot: &Shot) -> Camera {
    let one = || Track::still(1.0);
    let zero = || Track::still(0.0);
    Camera {
        gain: one(),
        red: one(),
        blue: one(),
        slope_x: zero(),
        slope_y: zero(),
        noise: 0.0,
        ..shot.camera.clone()
    }
}

/// The picture's light as a grey plane.
fn gray(source: &mut ShotSource, frame: u64) -> Plane {
    source.seek(frame).unwrap();
    let picture = source.next_frame().unwrap().unwrap().picture;
    Plane::from_gray(&image::DynamicImage::from((*picture).clone()).to_luma8())
}

/// FNV-1a of a text.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| {
        (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A picture of the bundled clip's face, as a photograph.
fn photograph(path: &Path) {
    let spec = SyntheticSpec {
        noise: 0.0,
        ..sample_spec()
    };
    let mut source = SyntheticSource::new(spec).unwrap();
    let frame = source.next_frame().unwrap().unwrap();
    frame.picture.save(path).unwrap();
}

/// Every file of a folder tree with the fingerprint of its bytes.
fn files(dir: &Path) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            for (inner, hash) in files(&path) {
                found.insert(format!("{name}/{inner}"), hash);
            }
        } else {
            found.insert(name, fingerprint(&std::fs::read(&path).unwrap()));
        }
    }
    found
}

#[test]
fn studio_persons_are_found_and_their_landmarks_fit() {
    const PERSONS: u32 = 40;
    let detector = FaceDetector::new().unwrap();
    let predictor = Arc::new(LandmarkPredictor::embedded().unwrap());
    let recipe = Recipe {
        width: 320,
        height: 240,
        ..test_recipe()
    };
    let (mut found, mut error, mut sides) = (0, 0.0, Vec::new());
    for number in 0..PERSONS {
        let script = Script::draw(&recipe, number);
        let mut source = ShotSource::new(script.shot);
        let frame = source.next_frame().unwrap().unwrap();
        let truth = source.landmarks(0);
        let faces = still::faces_in(&frame.picture, &detector, &predictor);
        let nose = truth[30];
        let Some(face) = faces.iter().find(|f| {
            let [x, y, w, h] = f.rect;
            (x..x + w).contains(&nose.x) && (y..y + h).contains(&nose.y)
        }) else {
            continue;
        };
        found += 1;
        let eyes = truth[36]
            .midpoint(truth[39])
            .distance(truth[42].midpoint(truth[45]));
        let off: f32 = face
            .landmarks
            .iter()
            .zip(&truth)
            .map(|(l, t)| Point::new(l[0], l[1]).distance(*t))
            .sum();
        error += off / 68.0 / eyes;
        // The crop's side against the distance between the eyes.
        let mut tracker = FaceTracker::new(predictor.clone(), Default::default()).unwrap();
        let track = tracker.push(&frame);
        let crop = CropHold::default().push(&track).unwrap().crop_from_image;
        let scale = crop
            .apply(Point::new(0.0, 0.0))
            .distance(crop.apply(Point::new(1.0, 0.0)));
        let zoom = source.shot().head.at(0.0).zoom as f32;
        sides.push(128.0 / (scale * zoom * source.shot().framing.unit));
    }
    assert!(found >= PERSONS * 95 / 100, "{found} of {PERSONS}");
    let error = error / found as f32;
    // Against people's points the predictor errs by about 0.035.
    assert!(error < 0.07, "mean error {error}");
    sides.sort_by(f32::total_cmp);
    let median = sides[sides.len() / 2];
    assert!(
        (median / CROP_UNITS - 1.0).abs() < 0.05,
        "crop side {median} units"
    );
}

#[test]
fn studio_amplitudes_are_displacements_in_the_crop() {
    let recipe = test_recipe();
    let mut checked = 0;
    for number in 0..6 {
        let script = Script::draw(&recipe, number);
        let shot = script.shot;
        let unit = shot.framing.unit;
        // Nothing but the expressions moves.
        let still = Shot {
            head: HeadMotion::still(),
            lids: Course::Levels(Vec::new()),
            movements: shot.movements[..script.events.len()].to_vec(),
            camera: plain_camera(&shot),
            ..shot
        };
        let mut source = ShotSource::new(still);
        for event in &script.events {
            let flow = source.flow(event.onset, event.apex);
            let most = (0..flow.u.data.len())
                .filter(|&i| flow.valid[i] && flow.head[i])
                .map(|i| flow.u.data[i].hypot(flow.v.data[i]))
                .fold(0.0, f32::max);
            let crop_px = f64::from(most * 128.0 / CROP_UNITS / unit);
            // The nose comes nearer the camera and shows a little larger.
            assert!(
                (crop_px / event.amplitude_px - 1.0).abs() < 0.12,
                "{number} {event:?}: {crop_px}"
            );
            let micro = event.kind == ExpressionKind::Micro;
            assert!(
                !micro || (0.25..1.01).contains(&event.amplitude_px),
                "{event:?}"
            );
            checked += 1;
        }
    }
    assert!(checked >= 10, "{checked}");
}

/// Mean length of flow − truth over the head, and of the truth.
fn flow_error(source: &mut ShotSource, a: u64, b: u64) -> (f32, f32) {
    let truth = source.flow(a, b);
    let (one, two) = (gray(source, a), gray(source, b));
    let mut engine = Tvl1::new(Tvl1Params::default());
    let flow = engine.flow(&one, &two).unwrap();
    let on_head: Vec<usize> = (0..one.data.len())
        .filter(|&i| truth.valid[i] && truth.head[i])
        .collect();
    let count = on_head.len() as f32;
    assert!(count > 5000.0, "{count} pixels of the head are valid");
    let mean = |of: &dyn Fn(usize) -> f32| on_head.iter().map(|&i| of(i)).sum::<f32>() / count;
    let (u, v) = (&truth.u.data, &truth.v.data);
    (
        mean(&|i| (flow.u.data[i] - u[i]).hypot(flow.v.data[i] - v[i])),
        mean(&|i| u[i].hypot(v[i])),
    )
}

#[test]
fn studio_flow_is_what_tvl1_estimates() {
    let recipe = test_recipe();
    let (mut clean, mut noisy, mut moved, mut pairs) = (0.0, 0.0, 0.0, 0.0);
    for number in 1..5 {
        let script = Script::draw(&recipe, number);
        let Some(event) = script.events.first() else {
            continue;
        };
        let (a, b) = (event.onset, event.apex);
        let mut shot = script.shot;
        let camera = shot.camera.clone();
        shot.camera = plain_camera(&shot);
        let mut source = ShotSource::new(shot.clone());
        let (error, way) = flow_error(&mut source, a, b);
        clean += error;
        moved += way;
        shot.camera.noise = camera.noise.min(4.0);
        let (error, _) = flow_error(&mut ShotSource::new(shot), a, b);
        noisy += error;
        pairs += 1.0;
    }
    let (clean, noisy, moved) = (clean / pairs, noisy / pairs, moved / pairs);
    // On pairs of known motion the engine errs by 0.03 to 0.11 px (science.md).
    assert!(
        clean < 0.15,
        "{clean} px without noise, {moved} px of motion"
    );
    assert!(noisy < 0.25, "{noisy} px with noise, {moved} px of motion");
}

#[test]
fn studio_flow_marks_what_cannot_be_followed() {
    let recipe = test_recipe();
    let script = Script::draw(&recipe, 0);
    let mut shot = script.shot;
    shot.head = HeadMotion::still();
    shot.lids = Course::Levels(vec![(0.0, 0.0), (1.0, 1.0)]);
    shot.movements.clear();
    let mut source = ShotSource::new(shot);
    let flow = source.flow(0, 30);
    let width = source.info().width as usize;
    let eye = source.landmarks(0)[37];
    let chin = source.landmarks(0)[8];
    let at = |x: f32, y: f32| y.round() as usize * width + x.round() as usize;
    assert!(
        !flow.valid[at(eye.x, eye.y + 2.0)],
        "the lid covers the ball"
    );
    assert!(flow.valid[at(chin.x, chin.y - 8.0)] && flow.head[at(chin.x, chin.y - 8.0)]);
    // The lids' points come together.
    let gap = |l: &[Point; 68]| l[41].y - l[37].y;
    let (open, shut) = (gap(&source.landmarks(0)), gap(&source.landmarks(30)));
    assert!(shut < 0.2 * open, "{open} {shut}");
}

#[test]
fn studio_folders_are_equal_whatever_the_threads() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = small();
    let film_with = |name: &str, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let out = dir.path().join(name);
        let filmed = pool
            .install(|| film(&recipe, &Cast::Drawn, &out, Extras::default(), &|_| {}))
            .unwrap();
        (filmed, files(&out))
    };
    let (one, two) = (film_with("one", 1), film_with("two", 3));
    assert_eq!(one, two);
    for name in [
        "index.csv",
        "labels.csv",
        "events.csv",
        "distractors.csv",
        "recipe.toml",
    ] {
        assert!(one.1.contains_key(name), "{name}");
    }
    assert!(!one.1.keys().any(|n| n.contains(".part")));
    // The recipe beside the recordings films them again.
    let again = Recipe::read(&dir.path().join("one/recipe.toml")).unwrap();
    assert_eq!(again, recipe);
    let other = Recipe { seed: 2, ..recipe };
    assert_ne!(
        Script::draw(&other, 0).shot.person,
        Script::draw(&again, 0).shot.person
    );
}

#[test]
fn studio_landmarks_are_written_where_they_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = Recipe {
        recordings: 1,
        ..small()
    };
    let extras = Extras {
        landmarks: true,
        ..Extras::default()
    };
    film(&recipe, &Cast::Drawn, dir.path(), extras, &|_| ()).unwrap();
    let script = Script::draw(&recipe, 0);
    let name = format!("landmarks/{}.csv", script.shot.name);
    let table = std::fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(table.lines().count(), 1 + script.shot.times.len());
    let row: Vec<f32> = table
        .lines()
        .nth(8)
        .unwrap()
        .split(',')
        .map(|v| v.parse().unwrap())
        .collect();
    let truth = ShotSource::new(script.shot).landmarks(7);
    assert_eq!((row.len(), row[0]), (137, 7.0));
    for (point, at) in truth.iter().zip(row[1..].chunks(2)) {
        assert!((point.x - at[0]).abs() < 0.01 && (point.y - at[1]).abs() < 0.01);
    }
}

#[test]
fn a_killed_filming_keeps_what_is_whole_and_another_recipe_keeps_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let filmed = |recipe: &Recipe| {
        film(recipe, &Cast::Drawn, dir.path(), Extras::default(), &|_| ()).unwrap();
        files(dir.path())
    };
    let three = small();
    let whole = filmed(&three);
    // As a kill leaves it: one recording missing, the tables of no run.
    let mut videos = whole.keys().filter(|name| {
        [".mp4", ".mov"].iter().any(|end| name.ends_with(end)) && !name.contains('/')
    });
    let (missing, kept) = (videos.next().unwrap(), videos.next().unwrap());
    std::fs::remove_file(dir.path().join(missing)).unwrap();
    std::fs::remove_file(dir.path().join("index.csv")).unwrap();
    std::fs::write(dir.path().join(kept), "not filmed again").unwrap();
    let more = Recipe {
        recordings: 4,
        ..small()
    };
    let again = filmed(&more);
    assert_eq!(again[missing], whole[missing]);
    assert_eq!(again[kept], fingerprint(b"not filmed again"));
    assert!(again.len() > whole.len());
    let other = Recipe {
        seed: three.seed + 1,
        ..small()
    };
    let all_other = filmed(&other);
    assert_ne!(all_other[kept], fingerprint(b"not filmed again"));
    // Killed after the first recording of yet another recipe and begun again.
    let third = Recipe {
        seed: three.seed + 2,
        ..small()
    };
    let one = Recipe {
        recordings: 1,
        ..third.clone()
    };
    // Nothing of the recipe before is left that could be kept under the new labels.
    let first = format!("{}_0001", third.world);
    let films = |files: &BTreeMap<String, u64>, name: &str| {
        let names = files.keys().filter(|n| n.starts_with(&third.world));
        names.filter(|n| n.starts_with(name)).count()
    };
    assert!(films(&all_other, &third.world) > films(&all_other, &first));
    let left = filmed(&one);
    assert!(films(&left, &first) > 0);
    assert_eq!(films(&left, &third.world), films(&left, &first));
    assert!(films(&filmed(&third), &third.world) > films(&left, &first));
}

#[test]
fn studio_files_of_every_format_open_with_all_frames_and_their_times() {
    let formats = [
        FileRecipe::H264 {
            weight: 1.0,
            crf: [12, 12],
            quick: true,
        },
        FileRecipe::Mjpeg {
            weight: 1.0,
            quantiser: [3, 3],
        },
        FileRecipe::Jpeg {
            weight: 1.0,
            quality: [92, 92],
        },
    ];
    for format in formats {
        let dir = tempfile::tempdir().unwrap();
        let mut recipe = Recipe {
            recordings: 1,
            seconds: [2.0, 2.0],
            files: vec![format],
            ..small()
        };
        recipe.camera.noise = [0.5, 0.5];
        recipe.camera.drop_share = 1.0;
        recipe.camera.drops_per_minute = [120.0, 120.0];
        film(
            &recipe,
            &Cast::Drawn,
            dir.path(),
            Extras::default(),
            &|_| {},
        )
        .unwrap();
        let index = std::fs::read_to_string(dir.path().join("index.csv")).unwrap();
        let path = index.lines().nth(1).unwrap().split(',').nth(2).unwrap();
        let shot = Script::draw(&recipe, 0).shot;
        let spec = InputSpec {
            fps: Some(shot.nominal_fps),
            ..InputSpec::path(dir.path().join(path))
        };
        let mut read = open::open(&spec).unwrap();
        let times = shot.times.clone();
        let mut source = ShotSource::new(shot);
        let mut count = 0;
        while let Some(frame) = read.next_frame().unwrap() {
            let drawn = source.next_frame().unwrap().unwrap();
            assert!(
                (frame.timestamp.secs() - times[count]).abs() < 2e-5,
                "{path}: {} {}",
                frame.timestamp.secs(),
                times[count]
            );
            if count.is_multiple_of(20) {
                let off: f64 = drawn
                    .picture
                    .as_raw()
                    .iter()
                    .zip(frame.picture.as_raw())
                    .map(|(a, b)| f64::from(a.abs_diff(*b)))
                    .sum();
                let off = off / drawn.picture.as_raw().len() as f64;
                assert!(off < 4.0, "{path} frame {count}: {off} grey levels");
            }
            count += 1;
        }
        assert_eq!(count, times.len(), "{path}");
        let fps = source.shot().nominal_fps;
        let whole = (2.0 * fps) as usize;
        // A folder of pictures has no times: it loses no frame.
        assert_eq!(
            count < whole,
            path.contains('.'),
            "{path}: {count} of {whole}"
        );
    }
}

#[test]
fn studio_recipes_hold_what_the_test_promises() {
    let recipe = test_recipe();
    assert_eq!(
        (recipe.recordings, recipe.width, recipe.height),
        (200, 480, 360)
    );
    assert_eq!(recipe.seconds, [20.0, 20.0]);
    let (mut none, mut talk, mut blinks, mut drops) = (0, 0, 0, 0);
    for number in 0..recipe.recordings {
        let script = Script::draw(&recipe, number);
        let has = |what: &str| script.distractors.iter().filter(|d| d.what == what).count();
        none += usize::from(script.events.is_empty());
        talk += usize::from(has("talk") > 0);
        blinks += has("blink");
        drops += has("drop");
        assert_eq!(script.shot.times.len(), 600);
        for event in &script.events {
            let length = event.offset - event.onset;
            assert!(
                event.onset < event.apex && event.apex < event.offset,
                "{event:?}"
            );
            match event.kind {
                ExpressionKind::Micro => {
                    assert!((4..=15).contains(&length), "{event:?}");
                    assert!((0.29..=1.0).contains(&event.amplitude_px), "{event:?}");
                }
                _ => assert!(length > 15, "{event:?}"),
            }
        }
        for pair in script.events.windows(2) {
            assert!(pair[1].onset >= pair[0].offset + 18, "{pair:?}");
        }
        for step in 0..400 {
            let pose = script.shot.head.at(f64::from(step) * 0.05);
            assert!(
                pose.yaw.abs() <= 15.5 && pose.pitch.abs() <= 14.0,
                "{pose:?}"
            );
        }
    }
    assert!((38..=42).contains(&none), "{none} without expression");
    assert!((57..=63).contains(&talk), "{talk} with talk");
    let per_minute = blinks as f64 / (200.0 / 3.0);
    assert!(
        (15.0..=20.0).contains(&per_minute),
        "{per_minute} blinks a minute"
    );
    assert_eq!(drops, 0);
    // No person of the test is one of training.
    let train = Recipe::parse(Recipe::TRAIN_1).unwrap();
    assert_ne!(train.world, recipe.world);
}

#[test]
fn studio_recipes_that_cannot_be_filmed_say_why() {
    let refused = |from: &str, to: &str| {
        let text = Recipe::TEST_1.replace(from, to);
        assert_ne!(text, Recipe::TEST_1);
        Recipe::parse(&text).unwrap_err().to_string()
    };
    assert!(refused("width = 480", "width = 8").contains("64 to 4096"));
    assert!(refused("width = 480", "wdith = 480").contains("wdith"));
    assert!(refused("noise = [2.0, 6.0]", "noise = [6.0, 2.0]").contains("camera.noise"));
    let long = refused(
        "secs = [0.13333333333333333, 0.5]",
        "secs = [0.13333333333333333, 0.8]",
    );
    assert!(long.contains("half a second"), "{long}");
}

/// Figures of different days are compared by this recipe: it never changes.
#[test]
fn no_training_recipe_shares_the_world_of_the_pinned_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/studio");
    let read = |name: &str| Recipe::read(&folder.join(name)).unwrap();
    let (first, dense) = (read("train-1.toml"), read("train-2.toml"));
    let mut worlds = vec![
        test_recipe().world,
        first.world.clone(),
        dense.world.clone(),
    ];
    worlds.sort();
    worlds.dedup();
    assert_eq!(worlds.len(), 3);
    let micro = |recipe: &Recipe| {
        let events = (0..20).flat_map(|number| Script::draw(recipe, number).events);
        events.filter(|e| e.kind == ExpressionKind::Micro).count()
    };
    assert!(micro(&dense) > 2 * micro(&first));
}

#[test]
fn the_pinned_test_recipe_is_unchanged() {
    assert_eq!(fingerprint(Recipe::TEST_1.as_bytes()), PINNED);
}

const PINNED: u64 = 0x153e_fdf1_4410_0678;

#[test]
fn studio_photographs_play_and_files_without_a_face_are_named() {
    let dir = tempfile::tempdir().unwrap();
    photograph(&dir.path().join("b, one.png"));
    image::RgbImage::new(200, 200)
        .save(dir.path().join("a.png"))
        .unwrap();
    std::fs::write(dir.path().join("notes.txt"), "no picture").unwrap();
    let (cast, skipped) = Cast::from_folder(dir.path()).unwrap();
    let names: Vec<_> = skipped
        .iter()
        .map(|s| s.path.file_name().unwrap())
        .collect();
    assert_eq!(names, ["a.png", "notes.txt"]);
    assert!(skipped[0].reason.contains("no face"), "{skipped:?}");

    let recipe = Recipe {
        width: 320,
        height: 240,
        ..test_recipe()
    };
    let script = Script::draw_with(&recipe, 0, &cast);
    assert_eq!(script.subject, "b_ one");
    // The first blink, with nothing else going on.
    let blink = script
        .distractors
        .iter()
        .find(|d| d.what == "blink")
        .unwrap();
    let still = Shot {
        head: HeadMotion::still(),
        gaze_x: Course::Levels(Vec::new()),
        gaze_y: Course::Levels(Vec::new()),
        movements: Vec::new(),
        camera: plain_camera(&script.shot),
        ..script.shot.clone()
    };
    let mut source = ShotSource::new(still);
    let middle = (blink.start + blink.end) / 2;
    let eye = source.landmarks(blink.start)[37];
    let (before, shut) = (gray(&mut source, blink.start), gray(&mut source, middle));
    let change = |x: f32, y: f32| {
        let mut sum = 0.0;
        for (dx, dy) in [(0, 0), (2, 0), (4, 0), (2, 2), (4, 2)] {
            let (x, y) = (x as usize + dx, y as usize + dy);
            sum += (before.at(x, y) - shut.at(x, y)).abs() / 5.0;
        }
        sum
    };
    assert!(change(eye.x, eye.y) > 8.0, "{}", change(eye.x, eye.y));
    let chin = source.landmarks(0)[8];
    assert!(change(chin.x, chin.y - 10.0) < 1.0);

    // The picture moves as the truth says, and what moves is found again.
    let mut source = ShotSource::new(Shot {
        camera: plain_camera(&script.shot),
        ..script.shot.clone()
    });
    let (error, way) = flow_error(&mut source, 0, 9);
    assert!(error < 0.3 + 0.1 * way, "{error} of {way} px");
    source.seek(0).unwrap();
    let frame = source.next_frame().unwrap().unwrap();
    let detector = FaceDetector::new().unwrap();
    let predictor = LandmarkPredictor::embedded().unwrap();
    let face = &still::faces_in(&frame.picture, &detector, &predictor)[0];
    let truth = source.landmarks(0);
    let eyes = truth[36].distance(truth[45]);
    for (found, truth) in face.landmarks.iter().zip(&truth) {
        let off = Point::new(found[0], found[1]).distance(*truth);
        assert!(off < 0.12 * eyes, "{found:?} {truth:?}");
    }

    std::fs::remove_file(dir.path().join("b, one.png")).unwrap();
    let nobody = Cast::from_folder(dir.path()).unwrap_err().to_string();
    assert!(nobody.contains("No face"), "{nobody}");
}

#[test]
fn a_contact_sheet_shows_every_person_three_times() {
    let sheet = contact_sheet(&small(), &Cast::Drawn, 2).unwrap();
    assert_eq!(sheet.dimensions(), (1200, 150));
}
