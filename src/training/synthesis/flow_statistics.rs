//! What a set of flow images looks like in numbers, beside what real ones do.

use std::fmt;

use super::flow_images::{EmotionClass, LabelledFlowImage, SIDE};

/// The figures by which generated flow images are compared with real ones.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowImageStatistics {
    /// Mean over images of the share of each channel's power (u, v, strain; mean
    /// removed) at up to 3 cycles per image.
    pub low_power: [f64; 3],
    /// 10th, 50th and 90th percentile over images of the commonest grey value (the
    /// median) of u and v: where zero motion lies.
    pub rest_value: [[f64; 3]; 2],
    /// Median over all pixels of the strain channel.
    pub strain_median: f64,
    /// 90th percentile of the strain channel's pixels.
    pub strain_high: f64,
    /// Share of neighbours that differ by at most 4 levels, u and v.
    pub flat: [f64; 2],
    /// Mean image of each class: u, v, strain, each in 0..255.
    pub class_means: [Vec<[f64; 3]>; 3],
}

/// What the 442 real flow images of MEGC 2019 measure: power of u, v, strain at up to
/// 3 cycles.
pub const REAL_LOW_POWER: [f64; 3] = [0.67, 0.65, 0.46];
/// Their strain channel's median.
pub const REAL_STRAIN_MEDIAN: f64 = 14.0;
/// Where their value of zero motion lies.
pub const REAL_REST_RANGE: [f64; 2] = [100.0, 160.0];

impl FlowImageStatistics {
    /// Of a set of images; `None` for an empty one.
    #[must_use]
    pub fn of(images: &[LabelledFlowImage]) -> Option<Self> {
        if images.is_empty() {
            return None;
        }
        let n = images.len() as f64;
        let mut low_power = [0.0; 3];
        let mut rest: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
        let mut strain = Vec::with_capacity(images.len() * SIDE * SIDE);
        let mut flat = [0.0; 2];
        for image in images {
            for (k, low) in low_power.iter_mut().enumerate() {
                let channel: Vec<f64> = image.pixels.iter().map(|p| f64::from(p[k])).collect();
                *low += low_share(&channel) / n;
                if k < 2 {
                    flat[k] += flat_share(&channel) / n;
                    rest[k].push(quantile(channel, 0.5));
                } else {
                    strain.extend(channel);
                }
            }
        }
        let rest_value = rest.map(|values| [0.1, 0.5, 0.9].map(|q| quantile(values.clone(), q)));
        Some(Self {
            low_power,
            rest_value,
            strain_median: quantile(strain.clone(), 0.5),
            strain_high: quantile(strain, 0.9),
            flat,
            class_means: EmotionClass::ALL.map(|class| mean_image(images, class)),
        })
    }
}

impl fmt::Display for FlowImageStatistics {
    /// A line a figure, the real one beside it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "figure                        generated           real")?;
        let names = ["u", "v", "strain"];
        for ((name, ours), real) in names.iter().zip(self.low_power).zip(REAL_LOW_POWER) {
            writeln!(f, "power to 3 cycles, {name:<10} {ours:<19.2} {real:.2}")?;
        }
        for (name, [low, middle, high]) in names.iter().zip(self.rest_value) {
            let [from, to] = REAL_REST_RANGE;
            writeln!(
                f,
                "zero motion (10 50 90 %), {name:<3} {low:<5.0} {middle:<6.0} {high:<6.0} {from:.0}..{to:.0}"
            )?;
        }
        writeln!(
            f,
            "strain, median                {:<19.0} {REAL_STRAIN_MEDIAN:.0}",
            self.strain_median
        )?;
        write!(f, "strain, 90 %                  {:.0}", self.strain_high)
    }
}

fn mean_image(images: &[LabelledFlowImage], class: EmotionClass) -> Vec<[f64; 3]> {
    let mut sum = vec![[0.0; 3]; SIDE * SIDE];
    let mut count = 0.0_f64;
    for image in images.iter().filter(|i| i.class == class) {
        count += 1.0;
        for (s, p) in sum.iter_mut().zip(&image.pixels) {
            for k in 0..3 {
                s[k] += f64::from(p[k]);
            }
        }
    }
    for s in sum.iter_mut().flatten() {
        *s /= count.max(1.0);
    }
    sum
}

fn quantile(mut values: Vec<f64>, q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * q).round() as usize]
}

fn flat_share(channel: &[f64]) -> f64 {
    let mut flat = 0;
    for y in 0..SIDE {
        for x in 0..SIDE - 1 {
            let i = y * SIDE + x;
            flat += usize::from((channel[i] - channel[i + 1]).abs() <= 4.0);
        }
    }
    flat as f64 / (SIDE * (SIDE - 1)) as f64
}

/// Share of the power (without the mean) whose radial frequency is at most 3 cycles.
fn low_share(channel: &[f64]) -> f64 {
    let n = SIDE as f64;
    let mean = channel.iter().sum::<f64>() / channel.len() as f64;
    // By Parseval the whole power is the variance; only the low part is transformed.
    let total: f64 = channel.iter().map(|v| (v - mean) * (v - mean)).sum();
    if total <= 0.0 {
        return 0.0;
    }
    let angle = |k: i32, x: usize| std::f64::consts::TAU * f64::from(k) * x as f64 / n;
    let mut low = 0.0;
    for fy in -3..=3_i32 {
        for fx in -3..=3_i32 {
            if (fx, fy) == (0, 0) || fx * fx + fy * fy > 9 {
                continue;
            }
            let (mut re, mut im) = (0.0, 0.0);
            for y in 0..SIDE {
                for x in 0..SIDE {
                    let (s, c) = (angle(fx, x) + angle(fy, y)).sin_cos();
                    let v = channel[y * SIDE + x] - mean;
                    re += v * c;
                    im -= v * s;
                }
            }
            low += (re * re + im * im) / (n * n);
        }
    }
    low / total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_wave_is_low_and_a_fast_one_is_not() {
        let wave = |cycles: f64| -> Vec<f64> {
            (0..SIDE * SIDE)
                .map(|i| {
                    100.0 + 50.0 * (std::f64::consts::TAU * cycles * (i % SIDE) as f64 / 28.0).sin()
                })
                .collect()
        };
        assert!((low_share(&wave(2.0)) - 1.0).abs() < 1e-9);
        assert!(low_share(&wave(5.0)) < 1e-9);
        assert_eq!(low_share(&[7.0; SIDE * SIDE]), 0.0);
    }
}
