//! Arithmetic that gives the same bits on every machine.
//!
//! The drawn frames are compared by hash, so nothing here may call the platform's
//! `exp`, `sin` or `pow`: only +, −, ×, ÷, `sqrt` and `floor`, which IEEE 754 fixes.

/// e^−x for x ≥ 0, relative error below 1e-5; 0 beyond 30.
#[must_use]
pub(super) fn exp_minus(x: f32) -> f32 {
    if x >= 30.0 {
        return 0.0;
    }
    let bits = x * std::f32::consts::LOG2_E;
    let whole = bits.floor();
    let t = (bits - whole) * std::f32::consts::LN_2;
    // Taylor's series of e^−t on 0..ln 2.
    let series = 1.0
        + t * (-1.0
            + t * (0.5
                + t * (-1.0 / 6.0
                    + t * (1.0 / 24.0 + t * (-1.0 / 120.0 + t * (1.0 / 720.0 - t / 5040.0))))));
    series * f32::from_bits((127 - whole as u32) << 23)
}

/// A Gaussian hill of height 1 at zero, `dx` and `dy` in standard deviations.
#[must_use]
pub(super) fn hill(dx: f32, dy: f32) -> f32 {
    exp_minus(0.5 * (dx * dx + dy * dy))
}

/// sin(2π·turns), error below 1e-6.
#[must_use]
pub(super) fn sine(turns: f64) -> f64 {
    let t = turns - turns.floor();
    // Fold into −¼..¼ turn, where the series is short.
    let folded = if t < 0.25 {
        t
    } else if t < 0.75 {
        0.5 - t
    } else {
        t - 1.0
    };
    let x = folded * std::f64::consts::TAU;
    let s = x * x;
    x * (1.0 - s / 6.0 * (1.0 - s / 20.0 * (1.0 - s / 42.0 * (1.0 - s / 72.0 * (1.0 - s / 110.0)))))
}

/// ½ − ½cos(πt): 0 at t ≤ 0, 1 at t ≥ 1, level at both ends.
#[must_use]
pub(super) fn raised_cosine(t: f64) -> f64 {
    if t >= 1.0 {
        // Exactly: an expression that is over must not be drawn at a millionth.
        return 1.0;
    }
    let s = sine(0.25 * t.max(0.0));
    s * s
}

/// 0 below `low`, 1 above `high`, a cubic between; falling when `low` > `high`.
#[must_use]
pub(super) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[must_use]
pub(super) fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

#[must_use]
pub(super) fn mix3(a: [f32; 3], b: [f32; 3], t: f32) -> [f32; 3] {
    [mix(a[0], b[0], t), mix(a[1], b[1], t), mix(a[2], b[2], t)]
}

/// SplitMix64's finaliser: 64 well-mixed bits of any number.
#[must_use]
pub(super) fn scramble(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A fixed random value −1..1 for a lattice point.
fn lattice(x: i32, y: i32, seed: u64) -> f32 {
    let key = (u64::from(x as u32) << 32 | u64::from(y as u32))
        ^ seed.wrapping_mul(0x2545_f491_4f6c_dd1d);
    (scramble(key) >> 40) as f32 * (2.0 / 16_777_215.0) - 1.0
}

/// Smooth noise −1..1 with about one bump a unit.
#[must_use]
pub(super) fn noise(x: f32, y: f32, seed: u64) -> f32 {
    let (xf, yf) = (x.floor(), y.floor());
    let (xi, yi) = (xf as i32, yf as i32);
    let ease = |t: f32| t * t * t * (t * (6.0 * t - 15.0) + 10.0);
    let (u, v) = (ease(x - xf), ease(y - yf));
    let top = mix(lattice(xi, yi, seed), lattice(xi + 1, yi, seed), u);
    let bottom = mix(lattice(xi, yi + 1, seed), lattice(xi + 1, yi + 1, seed), u);
    mix(top, bottom, v)
}

/// Round spots scattered about one a unit square, 0 outside, 1 in the middle of one.
/// `radius` of the largest, at most 0.25; most are smaller.
#[must_use]
pub(super) fn spots(x: f32, y: f32, radius: f32, seed: u64) -> f32 {
    let (xi, yi) = (x.floor(), y.floor());
    let mut most = 0.0_f32;
    for dy in [-1.0, 0.0, 1.0] {
        for dx in [-1.0, 0.0, 1.0] {
            let (cx, cy) = (xi + dx, yi + dy);
            let at = |k: u64| lattice(cx as i32, cy as i32, seed.wrapping_add(k));
            let (px, py) = (cx + 0.5 + 0.42 * at(1), cy + 0.5 + 0.42 * at(2));
            let size = radius * (0.55 + 0.45 * at(3));
            let d2 = (x - px) * (x - px) + (y - py) * (y - py);
            let strength = 0.5 + 0.5 * at(4);
            most = most.max(strength * smoothstep(size * size, 0.15 * size * size, d2));
        }
    }
    most
}

/// cos(2π·turns), error below 1e-6.
#[must_use]
pub(super) fn cosine(turns: f64) -> f64 {
    sine(turns + 0.25)
}

/// 2^x for |x| < 1000, relative error below 1e-12.
#[must_use]
pub(super) fn power_of_two(x: f64) -> f64 {
    let whole = x.floor();
    let t = (x - whole) * std::f64::consts::LN_2;
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 1..16 {
        term *= t / f64::from(n);
        sum += term;
    }
    sum * f64::from_bits(((1023 + whole as i64) as u64) << 52)
}

/// The logarithm to base 2 of a positive normal number, error below 1e-12.
#[must_use]
pub(super) fn log_of_two(x: f64) -> f64 {
    let bits = x.to_bits();
    let whole = ((bits >> 52) & 0x7ff) as i64 - 1023;
    let mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | (1023 << 52));
    // ln m = 2 artanh((m − 1) / (m + 1)), the argument at most a third.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let (mut power, mut sum) = (s, 0.0);
    for n in 0..14 {
        sum += power / f64::from(2 * n + 1);
        power *= s * s;
    }
    whole as f64 + 2.0 * sum / std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portable_functions_agree_with_the_platform() {
        for i in 0..2000 {
            let x = i as f32 * 0.012;
            let exact = (-f64::from(x)).exp();
            assert!(
                (f64::from(exp_minus(x)) - exact).abs() <= 1e-5 * exact,
                "e^-{x}"
            );
            let t = f64::from(i) * 0.0037 - 3.0;
            assert!(
                (sine(t) - (t * std::f64::consts::TAU).sin()).abs() < 1e-6,
                "sin {t}"
            );
        }
        for x in [0.003, 0.25, 1.0, 1.7, 3.0, 900.0_f64] {
            assert!((log_of_two(x) - x.log2()).abs() < 1e-11, "log {x}");
            assert!(
                (power_of_two(x.log2()) / x - 1.0).abs() < 1e-11,
                "2^log {x}"
            );
        }
        assert!((cosine(0.1) - (0.1 * std::f64::consts::TAU).cos()).abs() < 1e-6);
        assert_eq!(exp_minus(40.0), 0.0);
        assert!((raised_cosine(0.5) - 0.5).abs() < 1e-6);
        assert_eq!(raised_cosine(-1.0), 0.0);
        assert_eq!(raised_cosine(1.0), 1.0);
    }

    #[test]
    fn noise_stays_within_one_and_has_no_bias() {
        let mut sum = 0.0;
        for y in 0..100 {
            for x in 0..100 {
                let v = noise(x as f32 * 0.37, y as f32 * 0.41, 7);
                assert!((-1.0..=1.0).contains(&v));
                sum += v;
            }
        }
        assert!((sum / 1e4).abs() < 0.05);
    }
}
