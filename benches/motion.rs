//! The inner loops of `motion/` on the processor, one call at a time, for work on
//! them: `cargo bench --profile dev --bench motion` (the profile that `make run`
//! builds, so nothing else is compiled again), with a part of a name to choose. Crops are 128×128.
//! `onset bench` measures the program on a whole recording.

#![allow(clippy::unwrap_used, reason = "a bench stops at the first surprise")]

use std::sync::LazyLock;

use divan::Bencher;
use onset::base::{Plane, Point, Similarity};
use onset::face::regions::{PixelRect, RegionGeometry};
use onset::media::synthetic::sample_spec;
use onset::media::{FrameSource, SyntheticSource};
use onset::motion::bandpass::BandpassParams;
use onset::motion::cpu::bandpass::bandpass;
use onset::motion::led_view::LED_FRAMES;
use onset::motion::luma::{self, LumaPatch};
use onset::motion::roi::RoiMotion;
use onset::motion::tvl1::{Tvl1, Tvl1Preset};
use onset::motion::{Flow, strain};

const SIDE: usize = 128;
/// Onset of a drawn micro-expression; its apex is 5 frames later.
const FIRST: u64 = 366;

/// Six crops of the drawn face while it moves.
static CROPS: LazyLock<Vec<Plane>> = LazyLock::new(|| {
    let mut source = SyntheticSource::new(sample_spec()).unwrap();
    source.seek(FIRST).unwrap();
    let middle = Point::new(319.5, 239.5);
    let scale = SIDE as f32 / 260.0;
    let crop_from_image = Similarity::about(middle, Point::new(63.5, 63.5), scale, 0.0);
    let frames = (0..LED_FRAMES).map(|_| source.next_frame().unwrap().unwrap());
    frames
        .map(|frame| luma::extract(&LumaPatch::whole(&frame.picture), crop_from_image, SIDE))
        .collect()
});

/// The flow from the first to the last of them.
static FLOW: LazyLock<Flow> = LazyLock::new(|| {
    Tvl1::default()
        .flow(&CROPS[0], &CROPS[LED_FRAMES - 1])
        .unwrap()
});

fn regions() -> RegionGeometry {
    let rect = |x0, y0, x1, y1| PixelRect { x0, y0, x1, y1 };
    let polygon = |corners: [(f32, f32); 6]| corners.map(|(x, y)| Point::new(x, y));
    let eye = |x: f32| {
        polygon([
            (x, 48.0),
            (x + 15.0, 33.0),
            (x + 20.0, 33.0),
            (x + 36.0, 48.0),
            (x + 20.0, 64.0),
            (x + 15.0, 64.0),
        ])
    };
    RegionGeometry {
        nose: rect(59, 55, 70, 66),
        eyes: [eye(18.0), eye(74.0)],
        brows: rect(10, 22, 118, 62),
        mouth: rect(36, 76, 92, 116),
        outline: polygon([
            (12.0, 24.0),
            (116.0, 24.0),
            (112.0, 80.0),
            (80.0, 122.0),
            (48.0, 122.0),
            (16.0, 80.0),
        ])
        .to_vec(),
    }
}

fn main() {
    divan::main();
}

#[divan::bench(args = [Tvl1Preset::Exact, Tvl1Preset::Live, Tvl1Preset::Preview])]
fn flow(bencher: Bencher<'_, '_>, preset: Tvl1Preset) {
    let mut tvl1 = Tvl1::new(preset.params());
    let (first, second) = (
        tvl1.pyramid(&CROPS[0]),
        tvl1.pyramid(&CROPS[LED_FRAMES - 1]),
    );
    bencher.bench_local(|| tvl1.flow_between(&first, &second));
}

#[divan::bench]
fn pyramid(bencher: Bencher<'_, '_>) {
    let tvl1 = Tvl1::default();
    let crop = &CROPS[0];
    bencher.bench_local(|| tvl1.pyramid(crop));
}

#[divan::bench]
fn strain(bencher: Bencher<'_, '_>) {
    let flow = &*FLOW;
    bencher.bench_local(|| strain::forward(flow));
}

#[divan::bench]
fn roi_maps_and_min_max(bencher: Bencher<'_, '_>) {
    let (flow, regions) = (&*FLOW, regions());
    bencher.bench_local(|| RoiMotion::new(flow, &regions).scaled());
}

#[divan::bench]
fn led_band_pass(bencher: Bencher<'_, '_>) {
    let six: Vec<&Plane> = CROPS.iter().collect();
    let params = BandpassParams::default();
    bencher.bench_local(|| bandpass(&six, LED_FRAMES - 1, &params));
}
