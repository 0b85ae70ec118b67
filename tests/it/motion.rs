//! Flow, strain and SOFTNet's pre-processing against the reference data.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use npyz::npz::NpzArchive;
use onset::base::Plane;
use onset::base::stats::quantile;
use onset::motion::{Flow, Tvl1, Tvl1Preset, strain};

use crate::shared;

/// Arrays of an `.npz` by name, as f64 with their shape.
struct Arrays(NpzArchive<BufReader<File>>);

impl Arrays {
    fn open(path: &Path) -> Self {
        Self(NpzArchive::open(path).unwrap())
    }

    fn get(&mut self, name: &str) -> (Vec<usize>, Vec<f64>) {
        let array = self.0.by_name(name).unwrap().unwrap_or_else(|| panic!("no array {name}"));
        let shape = array.shape().iter().map(|&n| n as usize).collect();
        let text = array.dtype().descr();
        let values = match text.trim_matches('\'') {
            "|u1" => array.into_vec::<u8>().unwrap().into_iter().map(f64::from).collect(),
            "<f4" => array.into_vec::<f32>().unwrap().into_iter().map(f64::from).collect(),
            "<i8" => array.into_vec::<i64>().unwrap().into_iter().map(|v| v as f64).collect(),
            "<f8" => array.into_vec::<f64>().unwrap(),
            other => panic!("{name} is {other}"),
        };
        (shape, values)
    }

    fn plane(&mut self, name: &str) -> Plane {
        let (shape, values) = self.get(name);
        Plane::from_vec(shape[1], shape[0], values.iter().map(|&v| v as f32).collect())
    }

    fn flow(&mut self, name: &str) -> Flow {
        let (shape, values) = self.get(name);
        let part = |c: usize| values.iter().skip(c).step_by(2).map(|&v| v as f32).collect();
        Flow {
            u: Plane::from_vec(shape[1], shape[0], part(0)),
            v: Plane::from_vec(shape[1], shape[0], part(1)),
        }
    }
}

/// End-point distance of every pixel.
fn distances(a: &Flow, b: &Flow) -> Vec<f64> {
    let pairs = a.u.data.iter().zip(&b.u.data).zip(a.v.data.iter().zip(&b.v.data));
    pairs.map(|((au, bu), (av, bv))| f64::from(au - bu).hypot(f64::from(av - bv))).collect()
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
    let Some(path) = shared("reference/tvl1_oracle.npz") else { return };
    let mut arrays = Arrays::open(&path);
    let mut tvl1 = Tvl1::new(Tvl1Preset::Exact.params());
    for name in SYNTHETIC {
        let (i0, i1) = (arrays.plane(&format!("{name}_I0")), arrays.plane(&format!("{name}_I1")));
        let truth = arrays.flow(&format!("{name}_truth"));
        let cv = mean(&distances(&arrays.flow(&format!("{name}_cv")), &truth));
        let own = mean(&distances(&tvl1.flow(&i0, &i1).unwrap(), &truth));
        assert!(own <= cv, "{name}: EPE {own:.4} px, OpenCV's {cv:.4}");
    }
}

#[test]
fn compat_flow_agrees_with_opencv() {
    let Some(path) = shared("reference/tvl1_oracle.npz") else { return };
    let mut arrays = Arrays::open(&path);
    let mut tvl1 = Tvl1::new(Tvl1Preset::Compat.params());
    let mut misses = Vec::new();
    for name in SYNTHETIC.into_iter().chain(REAL) {
        let (i0, i1) = (arrays.plane(&format!("{name}_I0")), arrays.plane(&format!("{name}_I1")));
        let d = distances(&tvl1.flow(&i0, &i1).unwrap(), &arrays.flow(&format!("{name}_cv")));
        let (mean, p99) = (mean(&d), quantile(&d, 0.99).unwrap());
        println!("{name}: mean {mean:.4} p99 {p99:.4}");
        if mean > 0.012 || p99 > 0.15 {
            misses.push(format!("{name}: mean {mean:.4}, p99 {p99:.4} px"));
        }
    }
    assert!(misses.is_empty(), "{misses:#?}");
}

#[test]
fn both_strains_equal_the_reference() {
    let Some(path) = shared("reference/strain_oracle.npz") else { return };
    let mut arrays = Arrays::open(&path);
    let flows = [
        "affine", "bump", "noise", "cv_syn128_bump1.5", "cv_syn128_rot0.5", "cv_real0",
        "cv_real1", "cv_real2", "cv_real3",
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

/// The figures of every preset; `cargo test --test it motion::figures -- --ignored --nocapture`.
#[test]
#[ignore = "prints error and time of every preset, takes a while"]
fn figures() {
    let Some(path) = shared("reference/tvl1_oracle.npz") else { return };
    let mut arrays = Arrays::open(&path);
    let names = SYNTHETIC.into_iter().chain(REAL).chain(["rubberwhale"]);
    let pairs: Vec<_> = names
        .map(|name| {
            let truth = name.starts_with("syn").then(|| arrays.flow(&format!("{name}_truth")));
            (
                name,
                arrays.plane(&format!("{name}_I0")),
                arrays.plane(&format!("{name}_I1")),
                arrays.flow(&format!("{name}_cv")),
                truth,
            )
        })
        .collect();
    for preset in Tvl1Preset::ALL {
        let mut tvl1 = Tvl1::new(preset.params());
        println!("\n{preset}: pair, EPE (OpenCV's), distance to OpenCV mean and p99 [px], best and median of 15 [ms], inner iterations");
        for (name, i0, i1, cv, truth) in &pairs {
            let repeats = if *name == "rubberwhale" { 3 } else { 15 };
            let mut times = Vec::new();
            let mut flow = Flow::default();
            for _ in 0..repeats {
                let start = std::time::Instant::now();
                flow = tvl1.flow(i0, i1).unwrap();
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
            let d = distances(&flow, cv);
            let epe = truth.as_ref().map_or_else(String::new, |t| {
                format!("{:.4} ({:.4})", mean(&distances(&flow, t)), mean(&distances(cv, t)))
            });
            println!(
                "{name:24} {epe:16} {:.4} {:.4}  {:6.2} {:6.2} ms  {:?}",
                mean(&d),
                quantile(&d, 0.99).unwrap(),
                quantile(&times, 0.0).unwrap(),
                quantile(&times, 0.5).unwrap(),
                tvl1.iterations(),
            );
        }
    }
}
