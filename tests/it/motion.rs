//! Flow, strain and SOFTNet's pre-processing against the reference data.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what a test reads is there or the test fails"
)]

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use npyz::npz::NpzArchive;
use onset::base::stats::quantile;
use onset::base::{Plane, Point};
use onset::face::Landmarks;
use onset::face::regions::RegionGeometry;
use onset::motion::pyramid::resize_bilinear;
use onset::motion::roi::{FaceMotion, RoiMotion};
use onset::motion::{Flow, Tvl1, Tvl1Preset, flow_file, strain};

use crate::shared;

/// Arrays of an `.npz` by name, as f64 with their shape.
struct Arrays(NpzArchive<BufReader<File>>);

impl Arrays {
    fn open(path: &Path) -> Self {
        Self(NpzArchive::open(path).unwrap())
    }

    fn get(&mut self, name: &str) -> (Vec<usize>, Vec<f64>) {
        let array = self
            .0
            .by_name(name)
            .unwrap()
            .unwrap_or_else(|| panic!("no array {name}"));
        let shape = array.shape().iter().map(|&n| n as usize).collect();
        let text = array.dtype().descr();
        let values = match text.trim_matches('\'') {
            "|u1" => array
                .into_vec::<u8>()
                .unwrap()
                .into_iter()
                .map(f64::from)
                .collect(),
            "<f4" => array
                .into_vec::<f32>()
                .unwrap()
                .into_iter()
                .map(f64::from)
                .collect(),
            "<i8" => array
                .into_vec::<i64>()
                .unwrap()
                .into_iter()
                .map(|v| v as f64)
                .collect(),
            "<f8" => array.into_vec::<f64>().unwrap(),
            other => panic!("{name} is {other}"),
        };
        (shape, values)
    }

    fn plane(&mut self, name: &str) -> Plane {
        let (shape, values) = self.get(name);
        Plane::from_vec(
            shape[1],
            shape[0],
            values.iter().map(|&v| v as f32).collect(),
        )
    }

    fn flow(&mut self, name: &str) -> Flow {
        let (shape, values) = self.get(name);
        let part = |c: usize| {
            values
                .iter()
                .skip(c)
                .step_by(2)
                .map(|&v| v as f32)
                .collect()
        };
        Flow {
            u: Plane::from_vec(shape[1], shape[0], part(0)),
            v: Plane::from_vec(shape[1], shape[0], part(1)),
        }
    }
}

/// End-point distance of every pixel.
fn distances(a: &Flow, b: &Flow) -> Vec<f64> {
    let pairs =
        a.u.data
            .iter()
            .zip(&b.u.data)
            .zip(a.v.data.iter().zip(&b.v.data));
    pairs
        .map(|((au, bu), (av, bv))| f64::from(au - bu).hypot(f64::from(av - bv)))
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

const SYNTHETIC: [&str; 12] = [
    "syn128_trans0.3",
    "syn128_transdiag",
    "syn128_bump1.5",
    "syn128_rot0.5",
    "syn128_bright2",
    "syn128_trans0.3_bright2",
    "syn256_trans0.3",
    "syn256_transdiag",
    "syn256_bump1.5",
    "syn256_rot0.5",
    "syn256_bright2",
    "syn256_trans0.3_bright2",
];
const REAL: [&str; 4] = ["real0", "real1", "real2", "real3"];

#[test]
fn default_flow_is_at_least_as_near_to_the_truth_as_opencvs() {
    let Some(path) = shared("reference/tvl1_oracle.npz") else {
        return;
    };
    let mut arrays = Arrays::open(&path);
    let mut tvl1 = Tvl1::new(Tvl1Preset::Exact.params());
    for name in SYNTHETIC {
        let (i0, i1) = (
            arrays.plane(&format!("{name}_I0")),
            arrays.plane(&format!("{name}_I1")),
        );
        let truth = arrays.flow(&format!("{name}_truth"));
        let cv = mean(&distances(&arrays.flow(&format!("{name}_cv")), &truth));
        let own = mean(&distances(&tvl1.flow(&i0, &i1).unwrap(), &truth));
        assert!(own <= cv, "{name}: EPE {own:.4} px, OpenCV's {cv:.4}");
    }
}

/// OpenCV's average end-point error on this pair is 0.1562 px.
#[test]
fn default_flow_of_a_photograph_is_as_near_to_the_truth_as_opencvs() {
    let Some(path) = shared("reference/tvl1_oracle.npz") else {
        return;
    };
    let Some(truth) = shared("reference/rubberwhale/flow10.flo") else {
        return;
    };
    let truth = flow_file::read(&truth).unwrap();
    let mut arrays = Arrays::open(&path);
    let (i0, i1) = (
        arrays.plane("rubberwhale_I0"),
        arrays.plane("rubberwhale_I1"),
    );
    let flow = Tvl1::default().flow(&i0, &i1).unwrap();
    let mut known = distances(&flow, &truth);
    known.retain(|d| *d < 1e8);
    let error = mean(&known);
    assert!(error <= 0.1562, "{error:.4} px");
}

/// A brightness change is taken off before the flow, so it hardly moves anything.
#[test]
fn a_brighter_lamp_is_no_motion() {
    let Some(path) = shared("reference/tvl1_oracle.npz") else {
        return;
    };
    let mut arrays = Arrays::open(&path);
    for name in ["syn128_bright2", "syn256_bright2"] {
        let (i0, i1) = (
            arrays.plane(&format!("{name}_I0")),
            arrays.plane(&format!("{name}_I1")),
        );
        let flow = Tvl1::default().flow(&i0, &i1).unwrap();
        assert!(
            flow.mean_magnitude() < 0.01,
            "{name}: {} px",
            flow.mean_magnitude()
        );
    }
}

/// What is used live is at most a quarter further from the truth than the default.
#[test]
fn live_flow_is_nearly_as_near_to_the_truth_as_the_default() {
    let Some(path) = shared("reference/tvl1_oracle.npz") else {
        return;
    };
    let mut arrays = Arrays::open(&path);
    let mut exact = Tvl1::new(Tvl1Preset::Exact.params());
    let mut live = Tvl1::new(Tvl1Preset::Live.params());
    for name in SYNTHETIC {
        let (i0, i1) = (
            arrays.plane(&format!("{name}_I0")),
            arrays.plane(&format!("{name}_I1")),
        );
        let truth = arrays.flow(&format!("{name}_truth"));
        let exact = mean(&distances(&exact.flow(&i0, &i1).unwrap(), &truth));
        let live = mean(&distances(&live.flow(&i0, &i1).unwrap(), &truth));
        assert!(
            live <= 1.25 * exact,
            "{name}: EPE {live:.4} px, exact {exact:.4}"
        );
    }
}

/// `compat` repeats every operation of OpenCV 5.0 on a processor with fused
/// multiply-add in its order and rounding, and so stops where OpenCV stops. One
/// unit in the last place anywhere moves the flow by up to 0.016 px in the mean,
/// which the bound of 0.012 px (0.15 px at the 99th percentile) leaves no
/// room for; there is nothing between that and equality.
#[test]
fn compat_flow_equals_opencvs() {
    let Some(path) = shared("reference/tvl1_oracle.npz") else {
        return;
    };
    let mut arrays = Arrays::open(&path);
    let mut tvl1 = Tvl1::new(Tvl1Preset::Compat.params());
    let mut misses = Vec::new();
    for name in SYNTHETIC.into_iter().chain(REAL).chain(["rubberwhale"]) {
        let (i0, i1) = (
            arrays.plane(&format!("{name}_I0")),
            arrays.plane(&format!("{name}_I1")),
        );
        let flow = tvl1.flow(&i0, &i1).unwrap();
        let opencv = arrays.flow(&format!("{name}_cv"));
        if flow != opencv {
            let d = distances(&flow, &opencv);
            let (mean, p99) = (mean(&d), quantile(&d, 0.99).unwrap());
            misses.push(format!("{name}: mean {mean:.6}, p99 {p99:.6} px"));
        }
    }
    assert!(misses.is_empty(), "{misses:#?}");
}

#[test]
fn both_strains_equal_the_reference() {
    let Some(path) = shared("reference/strain_oracle.npz") else {
        return;
    };
    let mut arrays = Arrays::open(&path);
    let flows = [
        "affine",
        "bump",
        "noise",
        "cv_syn128_bump1.5",
        "cv_syn128_rot0.5",
        "cv_real0",
        "cv_real1",
        "cv_real2",
        "cv_real3",
    ];
    for name in flows {
        let flow = Flow {
            u: arrays.plane(&format!("{name}_u")),
            v: arrays.plane(&format!("{name}_v")),
        };
        let central = strain::central(&flow);
        for (part, own) in [
            ("exx", central.xx),
            ("eyy", central.yy),
            ("exy", central.xy),
            ("mag", central.magnitude),
            ("softnet_mag", strain::forward(&flow)),
        ] {
            let (_, expected) = arrays.get(&format!("{name}_{part}"));
            for (i, (own, expected)) in own.data.iter().zip(&expected).enumerate() {
                let off = (f64::from(*own) - expected).abs();
                assert!(off <= 2e-6, "{name} {part} at {i}: {own}, not {expected}");
            }
        }
    }
}

#[test]
fn softnets_preprocessing_equals_the_published_code() {
    let Some(path) = shared("reference/softnet_preproc.npz") else {
        return;
    };
    let mut arrays = Arrays::open(&path);
    let (_, points) = arrays.get("landmarks");
    let landmarks: Vec<Point> = points
        .chunks_exact(2)
        .map(|p| Point::new(p[0] as f32, p[1] as f32))
        .collect();
    let regions = RegionGeometry::from_landmarks(&Landmarks(landmarks.try_into().unwrap()), 128);
    let (_, flows) = arrays.get("flow_tvl1_cv2");
    let (_, strain0) = arrays.get("strain0");
    let (_, masked) = arrays.get("full_masked");
    let (_, raw) = arrays.get("roi42");
    let (_, scaled) = arrays.get("roi42_minmax");
    for pair in 0..2 {
        let part = |c: usize| {
            let values = flows[pair * 128 * 128 * 2..][..128 * 128 * 2].iter();
            Plane::from_vec(
                128,
                128,
                values.skip(c).step_by(2).map(|&v| v as f32).collect(),
            )
        };
        let flow = Flow {
            u: part(0),
            v: part(1),
        };
        let check = |what: &str, own: [&Plane; 3], expected: &[f64], tolerance: f64| {
            let size = own[0].data.len();
            for (c, plane) in own.into_iter().enumerate() {
                for (i, value) in plane.data.iter().enumerate() {
                    let expected = expected[(pair * size + i) * 3 + c];
                    let off = (f64::from(*value) - expected).abs();
                    let at = (i % plane.width, i / plane.width);
                    assert!(
                        off <= tolerance,
                        "{what} of pair {pair}, channel {c} at {at:?}: {value}, not {expected}"
                    );
                }
            }
        };
        if pair == 0 {
            for (own, expected) in strain::forward(&flow).data.iter().zip(&strain0) {
                assert!(
                    (f64::from(*own) - expected).abs() <= 2e-4,
                    "{own}, not {expected}"
                );
            }
        }
        let maps = FaceMotion::new(&flow, &regions);
        check(
            "masked map",
            [&maps.u, &maps.v, &maps.strain],
            &masked,
            2e-4,
        );
        let motion = RoiMotion::new(&flow, &regions);
        check("ROI", motion.raw.each_ref(), &raw, 2e-4);
        check("scaled ROI", motion.scaled().each_ref(), &scaled, 1e-3);
        let (brows, mouth) = (regions.brows, regions.mouth);
        let mut sum = 0.0;
        for roi in [brows, mouth] {
            for y in roi.y0..roi.y1 {
                for x in roi.x0..roi.x1 {
                    sum += masked[((pair * 128 + y as usize) * 128 + x as usize) * 3 + 2];
                }
            }
        }
        assert!(
            (motion.control - sum).abs() < 0.05,
            "{} {sum}",
            motion.control
        );
    }
}

/// Milliseconds this thread has spent on a processor (Linux).
fn cpu_millis() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() * 1e-6
}

/// `cargo test --test it motion::crop_time -- --ignored --nocapture`.
#[test]
#[ignore = "prints times"]
fn crop_time() {
    use image::{Rgb, RgbImage};
    use onset::base::{Rect, Similarity};
    use onset::motion::luma::{LumaPatch, extract};
    let picture = RgbImage::from_fn(1920, 1080, |x, y| Rgb([x as u8, y as u8, (x * y) as u8]));
    for (side, radians) in [
        (100.0, 0.0),
        (200.0, 0.0),
        (200.0, 0.1),
        (319.0, 0.1),
        (700.0, 0.1),
    ] {
        let face = Rect::new(300.0, 200.0, side, side);
        let crop = Similarity::about(
            face.center(),
            Point::new(63.5, 63.5),
            128.0 / (1.2 * side),
            radians,
        );
        let rounds = 200;
        let start = cpu_millis();
        for _ in 0..rounds {
            std::hint::black_box(LumaPatch::around(&picture, face));
        }
        let around = cpu_millis();
        let patch = LumaPatch::around(&picture, face);
        let ready = cpu_millis();
        for _ in 0..rounds {
            std::hint::black_box(extract(&patch, crop, 128));
        }
        let per = |ms: f64| ms / f64::from(rounds);
        println!(
            "face {side} px, turned {radians}: patch {:.3}, crop {:.3} CPU ms, {} kB",
            per(around - start),
            per(cpu_millis() - ready),
            patch.bytes() / 1000
        );
    }
}

/// The figures of every preset on one thread, then the time of large pairs on one
/// thread and on all; `cargo test --test it motion::figures -- --ignored --nocapture`.
#[test]
#[ignore = "prints error and time of every preset, takes a while"]
fn figures() {
    let Some(path) = shared("reference/tvl1_oracle.npz") else {
        return;
    };
    let mut arrays = Arrays::open(&path);
    let names = SYNTHETIC.into_iter().chain(REAL).chain(["rubberwhale"]);
    let pairs: Vec<_> = names
        .map(|name| {
            let truth = name
                .starts_with("syn")
                .then(|| arrays.flow(&format!("{name}_truth")));
            (
                name,
                arrays.plane(&format!("{name}_I0")),
                arrays.plane(&format!("{name}_I1")),
                arrays.flow(&format!("{name}_cv")),
                truth,
            )
        })
        .collect();
    let on_threads = |count: usize, work: &mut (dyn FnMut() + Send)| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build();
        pool.unwrap().install(work);
    };
    on_threads(1, &mut || {
        for preset in Tvl1Preset::ALL {
            figures_of(preset, &pairs);
        }
    });
    let (_, i0, i1, ..) = pairs.iter().find(|p| p.0 == "real0").unwrap();
    println!("\nreal0 enlarged: CPU ms on one thread, then wall ms on 1 and 2 threads");
    for (width, height) in [(256, 256), (640, 480), (1280, 720)] {
        let i0 = resize_bilinear(i0, width, height);
        let i1 = resize_bilinear(i1, width, height);
        for preset in Tvl1Preset::ALL {
            let (mut cpu, mut wall) = (0.0, [0.0; 2]);
            for (threads, wall) in wall.iter_mut().enumerate() {
                on_threads(threads + 1, &mut || {
                    let mut tvl1 = Tvl1::new(preset.params());
                    let rounds = 4;
                    let (start, begun) = (cpu_millis(), std::time::Instant::now());
                    for _ in 0..rounds {
                        std::hint::black_box(tvl1.flow(&i0, &i1).unwrap());
                    }
                    *wall = begun.elapsed().as_secs_f64() * 1e3 / f64::from(rounds);
                    if threads == 0 {
                        cpu = (cpu_millis() - start) / f64::from(rounds);
                    }
                });
            }
            println!(
                "{width}×{height} {preset:8} {cpu:7.1}  {:7.1} {:7.1}",
                wall[0], wall[1]
            );
        }
    }
}

type FlowPair = (&'static str, Plane, Plane, Flow, Option<Flow>);

fn figures_of(preset: Tvl1Preset, pairs: &[FlowPair]) {
    let mut exact = Tvl1::new(Tvl1Preset::Exact.params());
    let mut tvl1 = Tvl1::new(preset.params());
    println!(
        "\n{preset}: pair, EPE (OpenCV's), distance to OpenCV mean and p99, to exact mean and p99 [px], mean [CPU ms], inner iterations"
    );
    for (name, i0, i1, cv, truth) in pairs {
        let repeats = if *name == "rubberwhale" { 4 } else { 40 };
        let start = cpu_millis();
        let mut flow = Flow::default();
        for _ in 0..repeats {
            flow = tvl1.flow(i0, i1).unwrap();
        }
        let millis = (cpu_millis() - start) / f64::from(repeats);
        let d = distances(&flow, cv);
        let epe = truth.as_ref().map_or_else(String::new, |t| {
            format!(
                "{:.4} ({:.4})",
                mean(&distances(&flow, t)),
                mean(&distances(cv, t))
            )
        });
        let to_exact = distances(&flow, &exact.flow(i0, i1).unwrap());
        println!(
            "{name:24} {epe:16} {:.4} {:.4}  {:.4} {:.4}  {millis:6.2} ms  {:?}",
            mean(&d),
            quantile(&d, 0.99).unwrap(),
            mean(&to_exact),
            quantile(&to_exact, 0.99).unwrap(),
            tvl1.iterations(),
        );
    }
}
