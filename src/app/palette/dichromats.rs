//! Whether colours that mean something stay apart for people with two kinds of cones.
//!
//! A colour is shown as a dichromat sees it: protanopia and deuteranopia by Viénot, Brettel
//! and Mollon 1999 ("Digital video colourmaps for checking the legibility of displays by
//! dichromats"), tritanopia by the two half-planes of Brettel, Viénot and Mollon 1997
//! ("Computerized simulation of color appearance for dichromats"), both in linear sRGB with
//! Smith and Pokorny's cones, as libDaltonLens tabulates them. What is left is measured in
//! CIELAB (D65, ΔE of 1976).
//!
//! The least distance asked for is 18.4: eight times the 2.3 that are just noticed between
//! two fields side by side (Mahy, Van Eycken and Oosterlinck 1994), because marks are a few
//! pixels wide and lie apart. It is also what Standard keeps for the normal eye: its nearest
//! pair, warnings and human in light, is 18.7 apart. Standard gives dichromats 1.4 to 14.

use egui::Color32;

use super::{Colours, Palette};

/// ΔE*ab.
const APART: f64 = 18.4;

type Matrix = [[f64; 3]; 3];

const PROTANOPE: Matrix = [
    [0.11238, 0.88762, 0.0],
    [0.11238, 0.88762, 0.0],
    [0.00401, -0.00401, 1.0],
];
const DEUTERANOPE: Matrix = [
    [0.29275, 0.70725, 0.0],
    [0.29275, 0.70725, 0.0],
    [-0.02234, 0.02234, 1.0],
];
/// On the side of the plane that [`TRITANOPE_NORMAL`] points to, and on the other.
const TRITANOPE: [Matrix; 2] = [
    [
        [1.01277, 0.13548, -0.14826],
        [-0.01243, 0.86812, 0.14431],
        [0.07589, 0.80500, 0.11911],
    ],
    [
        [0.93678, 0.18979, -0.12657],
        [0.06154, 0.81526, 0.12320],
        [-0.37562, 1.12767, 0.24796],
    ],
];
const TRITANOPE_NORMAL: [f64; 3] = [0.03901, -0.02788, -0.01113];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Eye {
    Normal,
    Protanope,
    Deuteranope,
    Tritanope,
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn times(m: &Matrix, v: [f64; 3]) -> [f64; 3] {
    m.map(|row| dot(row, v))
}

/// Linear sRGB, 0..1.
fn linear(colour: Color32) -> [f64; 3] {
    [colour.r(), colour.g(), colour.b()].map(|v| {
        let v = f64::from(v) / 255.0;
        if v <= 0.040_45 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    })
}

/// What an eye makes of linear sRGB, in linear sRGB.
fn seen(eye: Eye, rgb: [f64; 3]) -> [f64; 3] {
    match eye {
        Eye::Normal => rgb,
        Eye::Protanope => times(&PROTANOPE, rgb),
        Eye::Deuteranope => times(&DEUTERANOPE, rgb),
        Eye::Tritanope => {
            let side = usize::from(dot(TRITANOPE_NORMAL, rgb) < 0.0);
            times(&TRITANOPE[side], rgb)
        }
    }
}

/// CIELAB of linear sRGB under D65.
fn lab(rgb: [f64; 3]) -> [f64; 3] {
    const XYZ: Matrix = [
        [0.412_456_4, 0.357_576_1, 0.180_437_5],
        [0.212_672_9, 0.715_152_2, 0.072_175_0],
        [0.019_333_9, 0.119_192_0, 0.950_304_1],
    ];
    let xyz = times(&XYZ, rgb.map(|v| v.clamp(0.0, 1.0)));
    let f = |v: f64| {
        if v > 216.0 / 24389.0 {
            v.cbrt()
        } else {
            (24389.0 / 27.0 * v + 16.0) / 116.0
        }
    };
    let [x, y, z] = [f(xyz[0] / 0.950_47), f(xyz[1]), f(xyz[2] / 1.088_83)];
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn apart(eye: Eye, a: Color32, b: Color32) -> f64 {
    let [a, b] = [a, b].map(|c| lab(seen(eye, linear(c))));
    let d = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    dot(d, d).sqrt()
}

/// The two meanings that an eye sees nearest to each other, and how far apart they are.
fn nearest(p: &Palette, eye: Eye) -> (f64, [&'static str; 2]) {
    let meanings = [
        ("accent", p.accent),
        ("warnings", p.amber),
        ("errors", p.red),
        ("macro", p.macro_track),
        ("micro", p.micro_track),
        ("human", p.human),
    ];
    let pairs = meanings.iter().enumerate().flat_map(|(i, a)| {
        let rest = meanings[i + 1..].iter();
        rest.map(move |b| (apart(eye, a.1, b.1), [a.0, b.0]))
    });
    pairs
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .expect("there are several meanings")
}

#[test]
fn meanings_stay_apart_for_the_eyes_that_a_palette_is_for() {
    use Eye::{Deuteranope, Normal, Protanope, Tritanope};
    for (colours, eyes) in [
        (Colours::Standard, &[Normal][..]),
        (Colours::RedGreen, &[Normal, Protanope, Deuteranope]),
        (Colours::BlueYellow, &[Normal, Tritanope]),
        (
            Colours::HighContrast,
            &[Normal, Protanope, Deuteranope, Tritanope],
        ),
    ] {
        for dark in [true, false] {
            for eye in eyes {
                let (distance, pair) = nearest(&Palette::of(dark, colours), *eye);
                assert!(
                    distance >= APART,
                    "{colours:?}, dark {dark}, {eye:?}: {pair:?} are {distance:.1} apart"
                );
            }
        }
    }
}

#[test]
fn standard_does_not_keep_them_apart_for_dichromats() {
    for (dark, eye) in [
        (true, Eye::Protanope),
        (true, Eye::Tritanope),
        (false, Eye::Deuteranope),
        (false, Eye::Tritanope),
    ] {
        let (distance, _) = nearest(&Palette::of(dark, Colours::Standard), eye);
        assert!(distance < APART, "dark {dark}, {eye:?}: {distance:.1}");
    }
}

/// White and greys look the same to everybody, and a dichromat's own colours stay.
#[test]
fn the_simulation_keeps_greys_and_what_it_has_changed_already() {
    for eye in [Eye::Protanope, Eye::Deuteranope, Eye::Tritanope] {
        for grey in [0.0, 0.2, 1.0] {
            let shown = seen(eye, [grey; 3]);
            assert!(shown.iter().all(|v| (v - grey).abs() < 2e-4), "{shown:?}");
        }
        let once = seen(eye, [0.5, 0.3, 0.4]);
        let twice = seen(eye, once);
        for (a, b) in once.iter().zip(twice) {
            assert!((a - b).abs() < 1e-3, "{eye:?}: {once:?} {twice:?}");
        }
    }
}
