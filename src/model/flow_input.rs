//! The input of the networks that read one picture of motion: 28×28 flow images, and
//! how their values are scaled.
//!
//! A flow image holds u, v and strain between onset and apex, each channel brought to
//! 0..255 by its own least and greatest value. The values are kept in the order the
//! published networks read them, which is OpenCV's B, G, R: strain, v, u.

/// Side of a flow image in pixels.
pub const SIDE: usize = 28;
/// Pixels of one channel.
pub const PIXELS: usize = SIDE * SIDE;
/// Strain, v, u.
pub const CHANNELS: usize = 3;
/// Values of one image.
pub const VALUES: usize = CHANNELS * PIXELS;
/// Place of u among the channels.
pub const U: usize = 2;
/// Place of v among the channels.
pub const V: usize = 1;
/// Place of the strain among the channels.
pub const STRAIN: usize = 0;
/// Negative, positive, surprise: the three classes of MEGC 2019, by their numbers.
pub const CLASSES: [&str; 3] = ["negative", "positive", "surprise"];

/// Robust values beyond this are cut.
const ROBUST_LIMIT: f32 = 5.0;

/// How the values 0..255 reach a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaling {
    /// As they are.
    Raw,
    /// Less the mean image of the training.
    ZeroCentred,
    /// u and v less their median, over their mean absolute deviation from it; strain
    /// over its mean; cut at ±5. What the least and greatest value of an image happen
    /// to be does not matter then.
    Robust,
}

impl Scaling {
    /// As it stands on a card.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::ZeroCentred => "zero-centred",
            Self::Robust => "robust",
        }
    }

    /// The scaling that a card names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Raw, Self::ZeroCentred, Self::Robust]
            .into_iter()
            .find(|scaling| scaling.name() == name)
    }
}

/// A scaling with what it needs from the training.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalizer {
    scaling: Scaling,
    /// The mean image where the scaling is [`Scaling::ZeroCentred`], else empty.
    mean: Vec<f32>,
}

impl Normalizer {
    /// `mean` is asked for where the scaling needs it.
    ///
    /// # Errors
    /// When the mean image is missing or not of 3×28×28 values.
    pub fn new(scaling: Scaling, mean: Option<&[f32]>) -> Result<Self, String> {
        let mean = match (scaling, mean) {
            (Scaling::ZeroCentred, Some(mean)) if mean.len() == VALUES => mean.to_vec(),
            (Scaling::ZeroCentred, _) => {
                return Err("the mean image of 3×28×28 values is missing".to_owned());
            }
            _ => Vec::new(),
        };
        Ok(Self { scaling, mean })
    }

    /// With the mean of the training's images.
    #[must_use]
    pub fn fit<'a>(scaling: Scaling, training: impl Iterator<Item = &'a [f32]>) -> Self {
        let mut mean = Vec::new();
        if scaling == Scaling::ZeroCentred {
            let mut sum = vec![0.0_f64; VALUES];
            let mut count = 0_usize;
            for image in training {
                for (sum, &value) in sum.iter_mut().zip(image) {
                    *sum += f64::from(value);
                }
                count += 1;
            }
            mean = sum
                .iter()
                .map(|sum| (sum / count.max(1) as f64) as f32)
                .collect();
        }
        Self { scaling, mean }
    }

    #[must_use]
    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    /// The mean image, where there is one.
    #[must_use]
    pub fn mean(&self) -> Option<&[f32]> {
        (!self.mean.is_empty()).then_some(&self.mean)
    }

    /// Scales an image of strain, v, u in 0..255 and appends it to `scaled`.
    pub fn append(&self, image: &[f32], scaled: &mut Vec<f32>) {
        match self.scaling {
            Scaling::Raw => scaled.extend_from_slice(image),
            Scaling::ZeroCentred => {
                scaled.extend(
                    image
                        .iter()
                        .zip(&self.mean)
                        .map(|(value, mean)| value - mean),
                );
            }
            Scaling::Robust => {
                for (channel, plane) in image.chunks_exact(PIXELS).enumerate() {
                    let (zero, unit) = if channel == STRAIN {
                        (0.0, mean_of(plane.iter().copied()))
                    } else {
                        let median = median(plane);
                        (median, mean_of(plane.iter().map(|v| (v - median).abs())))
                    };
                    let factor = if unit > 0.0 { 1.0 / unit } else { 0.0 };
                    scaled.extend(
                        plane.iter().map(|value| {
                            ((value - zero) * factor).clamp(-ROBUST_LIMIT, ROBUST_LIMIT)
                        }),
                    );
                }
            }
        }
    }
}

fn mean_of(values: impl ExactSizeIterator<Item = f32>) -> f32 {
    let count = values.len();
    (values.map(f64::from).sum::<f64>() / count as f64) as f32
}

fn median(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let half = sorted.len() / 2;
    0.5 * (sorted[half - 1] + sorted[half])
}

/// The flow image of the mirrored face: left and right change places, and with them
/// the sign of u, which is kept as 255 − u.
#[must_use]
pub fn mirrored(image: &[f32]) -> Vec<f32> {
    let mut mirror = Vec::with_capacity(image.len());
    for (index, row) in image.chunks_exact(SIDE).enumerate() {
        let is_u = index / SIDE == U;
        mirror.extend(
            row.iter()
                .rev()
                .map(|&value| if is_u { 255.0 - value } else { value }),
        );
    }
    mirror
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Vec<f32> {
        (0..VALUES).map(|i| (i * 37 % 256) as f32).collect()
    }

    #[test]
    fn the_mirror_twice_is_the_image_and_once_is_not() {
        let image = image();
        let mirror = mirrored(&image);
        assert_ne!(mirror, image);
        assert_eq!(mirrored(&mirror), image);
        assert_eq!(mirror[0], image[27]);
        assert_eq!(mirror[U * PIXELS], 255.0 - image[U * PIXELS + 27]);
    }

    #[test]
    fn the_robust_scaling_forgets_gain_and_offset_of_u_and_v() {
        let normalizer = Normalizer::fit(Scaling::Robust, std::iter::empty());
        let first = image();
        let mut second = first.clone();
        for value in &mut second[PIXELS..] {
            *value = *value * 0.5 + 40.0;
        }
        let (mut a, mut b) = (Vec::new(), Vec::new());
        normalizer.append(&first, &mut a);
        normalizer.append(&second, &mut b);
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4));
        let still = vec![9.0; VALUES];
        let mut c = Vec::new();
        normalizer.append(&still, &mut c);
        assert!(c.iter().all(|v| v.is_finite()) && c[PIXELS..].iter().all(|&v| v == 0.0));
    }

    #[test]
    fn zero_centring_takes_the_training_mean() {
        let (low, high) = (vec![10.0; VALUES], vec![30.0; VALUES]);
        let training = [low.as_slice(), high.as_slice()];
        let normalizer = Normalizer::fit(Scaling::ZeroCentred, training.into_iter());
        let mut scaled = Vec::new();
        normalizer.append(&high, &mut scaled);
        assert!(scaled.iter().all(|&v| v == 10.0));
        assert_eq!(
            Normalizer::new(Scaling::ZeroCentred, normalizer.mean()),
            Ok(normalizer)
        );
        assert!(Normalizer::new(Scaling::ZeroCentred, None).is_err());
    }
}
