//! The compact form of a 68-point model: what a program can carry inside itself.
//!
//! The 120,000 leaf vectors of 136 numbers take 65 of the full model's 66 MB. Per
//! cascade they lie close to a space of 48 dimensions (its principal components),
//! and 6 bits are enough for a coefficient when every tree has its own scale for
//! every component: leaf values are heavy-tailed, so one scale per cascade would
//! waste the bits, and the errors of 500 trees add up.
//!
//! File, little-endian: `ONSET68C`, version u8, cascades u16, trees u16, pixels
//! u16, components u8; mean shape 136 × f32; per cascade: anchors u8, offsets
//! 2 × f32, basis `[component, 136]` f16, then per tree 15 × (9 + 9 + 8 bit)
//! pixel, pixel, threshold, padded to a byte, a u8 scale per component and
//! 16 × components codes of 6 bit; at the end FNV-1a of all before it, u64.
//! A scale byte k stands for 2^((k − 256)/8); a code c of 1..=63 for
//! (c − 32)/31 of it.

use super::cascade::{
    COORDS, Cascade, CodedLeaves, FullLeaves, LEAVES, Leaves, POINTS, SPLITS, Shape, ShapeModel,
    Split,
};
use super::dlib_model::Malformed;
use super::principal;

const MAGIC: &[u8; 8] = b"ONSET68C";
const VERSION: u8 = 1;
/// The components kept of each cascade.
const COMPONENTS: usize = 48;
/// Codes run from −31 to 31.
const CODE_LIMIT: f32 = 31.0;
const CODE_BITS: u32 = 6;
const CODE_ZERO: i16 = 32;

/// Whether the file is one of ours, by its first bytes.
pub(crate) fn is_compact(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// 2^(j/8), so that neither side needs a platform's `powf`.
const EIGHTHS: [f32; 8] = [
    1.0,
    1.090_507_7,
    1.189_207_1,
    1.296_839_6,
    std::f32::consts::SQRT_2,
    1.542_210_8,
    1.681_792_9,
    1.834_008_1,
];

/// 2^((k − 256)/8).
fn scale_of(k: u8) -> f32 {
    let octave = i32::from(k) / 8 - 32;
    EIGHTHS[usize::from(k) % 8] * 2f32.powi(octave)
}

/// The smallest scale that `largest` does not exceed.
fn scale_for(largest: f32) -> Result<u8, Malformed> {
    (0..=u8::MAX)
        .find(|&k| scale_of(k) >= largest)
        .ok_or_else(|| format!("a leaf coefficient of {largest} is too large for the compact form"))
}

/// Half precision, rounded to nearest even. For |v| < 65504, which a unit vector's
/// entries are.
fn to_half(v: f32) -> u16 {
    let sign = ((v.to_bits() >> 16) & 0x8000) as u16;
    let v = v.abs();
    // Below 2^-14 halves are multiples of 2^-24; above, adding and taking away
    // 2^13 units in the last place rounds to ten bits of mantissa.
    if v < 6.103_515_6e-5 {
        return sign | (v * 16_777_216.0).round_ties_even() as u16;
    }
    let bits = v.to_bits();
    let rounded = bits + 0x0FFF + ((bits >> 13) & 1);
    sign | ((rounded >> 13) - (112 << 10)) as u16
}

fn from_half(h: u16) -> f32 {
    let exponent = (h >> 10) & 0x1F;
    let mantissa = f32::from(h & 0x3FF);
    let v = if exponent == 0 {
        mantissa * 2f32.powi(-24)
    } else {
        (mantissa / 1024.0 + 1.0) * 2f32.powi(i32::from(exponent) - 15)
    };
    if h & 0x8000 != 0 { -v } else { v }
}

/// Packs numbers into bytes, lowest bit first.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    count: u32,
}

impl BitWriter {
    fn put(&mut self, value: u64, bits: u32) {
        self.pending |= value << self.count;
        self.count += bits;
        while self.count >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.push(self.pending as u8);
        }
        self.bytes
    }
}

struct BitReader<'a> {
    bytes: std::slice::Iter<'a, u8>,
    pending: u64,
    count: u32,
}

impl<'a> BitReader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes: bytes.iter(),
            pending: 0,
            count: 0,
        }
    }

    /// Zeros after the end; callers pass exactly what they read.
    fn take(&mut self, bits: u32) -> u64 {
        while self.count < bits {
            let byte = self.bytes.next().copied().unwrap_or(0);
            self.pending |= u64::from(byte) << self.count;
            self.count += 8;
        }
        let value = self.pending & ((1 << bits) - 1);
        self.pending >>= bits;
        self.count -= bits;
        value
    }
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| {
        (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Derives the compact form of a full model. The same model gives the same bytes.
pub(crate) fn encode(model: &ShapeModel) -> Result<Vec<u8>, Malformed> {
    let first = model.cascades.first().ok_or("it has no cascade")?;
    let (pixels, trees) = (first.anchors.len(), first.splits.len() / SPLITS);
    if pixels > 512 || trees > usize::from(u16::MAX) {
        return Err(format!(
            "{pixels} pixels and {trees} trees a cascade are too many for the compact form"
        ));
    }
    let mut out = MAGIC.to_vec();
    out.push(VERSION);
    for n in [model.cascades.len(), trees, pixels] {
        out.extend((n as u16).to_le_bytes());
    }
    out.push(COMPONENTS as u8);
    out.extend(model.initial.iter().flat_map(|v| v.to_le_bytes()));
    for cascade in &model.cascades {
        if cascade.anchors.len() != pixels || cascade.splits.len() != trees * SPLITS {
            return Err("its cascades differ in size".to_owned());
        }
        encode_cascade(cascade, &mut out)?;
    }
    let sum = fnv(&out);
    out.extend(sum.to_le_bytes());
    Ok(out)
}

fn encode_cascade(cascade: &Cascade, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let Leaves::Full(FullLeaves(leaves)) = &cascade.leaves else {
        return Err("it is compact already".to_owned());
    };
    out.extend(&cascade.anchors);
    out.extend(
        cascade
            .deltas
            .iter()
            .flatten()
            .flat_map(|v| v.to_le_bytes()),
    );

    let halves: Vec<u16> = principal::components::<COORDS>(leaves, COMPONENTS)
        .iter()
        .map(|&v| to_half(v as f32))
        .collect();
    out.extend(halves.iter().flat_map(|h| h.to_le_bytes()));
    // The coefficients are taken in the basis as it is stored.
    let basis: Vec<f32> = halves.iter().map(|&h| from_half(h)).collect();

    for (splits, leaves) in cascade
        .splits
        .chunks_exact(SPLITS)
        .zip(leaves.chunks_exact(LEAVES * COORDS))
    {
        let mut bits = BitWriter::default();
        for s in splits {
            let threshold = i8::try_from(s.threshold)
                .map_err(|_cause| format!("a threshold of {} does not fit 8 bits", s.threshold))?;
            bits.put(u64::from(s.first), 9);
            bits.put(u64::from(s.second), 9);
            bits.put(u64::from(threshold.cast_unsigned()), 8);
        }
        out.extend(bits.finish());

        // [leaf, component]
        let coefficients: Vec<f32> = leaves
            .chunks_exact(COORDS)
            .flat_map(|leaf| basis.chunks_exact(COORDS).map(move |b| dot(leaf, b)))
            .collect();
        let mut steps = [0f32; COMPONENTS];
        for (component, step) in steps.iter_mut().enumerate() {
            let largest = coefficients
                .iter()
                .skip(component)
                .step_by(COMPONENTS)
                .fold(0f32, |m, c| m.max(c.abs()));
            let k = scale_for(largest)?;
            out.push(k);
            *step = scale_of(k) / CODE_LIMIT;
        }
        let mut bits = BitWriter::default();
        for leaf in coefficients.chunks_exact(COMPONENTS) {
            for (c, step) in leaf.iter().zip(&steps) {
                let code = (c / step).round().clamp(-CODE_LIMIT, CODE_LIMIT) as i16;
                bits.put((code + CODE_ZERO) as u64, CODE_BITS);
            }
        }
        out.extend(bits.finish());
    }
    Ok(())
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter()
        .zip(b)
        .map(|(x, y)| f64::from(*x) * f64::from(*y))
        .sum::<f64>() as f32
}

/// Decodes the compact form. The error says what is wrong with the bytes.
pub(crate) fn decode(bytes: &[u8]) -> Result<ShapeModel, Malformed> {
    let (body, sum) = bytes.split_last_chunk::<8>().ok_or("it ends too early")?;
    let mut r = Bytes(body);
    if r.take(MAGIC.len())? != MAGIC {
        return Err("it does not begin like a compact landmark model".to_owned());
    }
    let version = r.array::<1>()?[0];
    if version != VERSION {
        return Err(format!(
            "its version is {version}; this Onset reads {VERSION}"
        ));
    }
    if fnv(body) != u64::from_le_bytes(*sum) {
        return Err("its checksum is wrong: it is cut short or damaged".to_owned());
    }
    let [cascades, trees, pixels] = [r.count()?, r.count()?, r.count()?];
    let components = usize::from(r.array::<1>()?[0]);
    let mut initial: Shape = [0.0; COORDS];
    for v in &mut initial {
        *v = f32::from_le_bytes(r.array()?);
    }
    let cascades = (0..cascades)
        .map(|_| decode_cascade(&mut r, trees, pixels, components))
        .collect::<Result<_, _>>()?;
    if !r.0.is_empty() {
        return Err(format!("{} bytes are left over at its end", r.0.len()));
    }
    let model = ShapeModel { initial, cascades };
    model.check()?;
    Ok(model)
}

fn decode_cascade(
    r: &mut Bytes<'_>,
    trees: usize,
    pixels: usize,
    components: usize,
) -> Result<Cascade, Malformed> {
    let anchors = r.take(pixels)?.to_vec();
    if anchors.iter().any(|&a| usize::from(a) >= POINTS) {
        return Err("an anchor point is beyond point 67".to_owned());
    }
    let deltas = r
        .take(8 * pixels)?
        .chunks_exact(8)
        .map(|c| {
            [
                f32::from_le_bytes([c[0], c[1], c[2], c[3]]),
                f32::from_le_bytes([c[4], c[5], c[6], c[7]]),
            ]
        })
        .collect();
    let basis = r
        .take(2 * COORDS * components)?
        .chunks_exact(2)
        .map(|c| from_half(u16::from_le_bytes([c[0], c[1]])))
        .collect();
    let mut splits = Vec::with_capacity(trees * SPLITS);
    let mut steps = Vec::with_capacity(trees * components);
    let mut codes = Vec::with_capacity(trees * LEAVES * components);
    for _ in 0..trees {
        let mut bits = BitReader::new(r.take((SPLITS * 26).div_ceil(8))?);
        splits.extend((0..SPLITS).map(|_| Split {
            first: bits.take(9) as u16,
            second: bits.take(9) as u16,
            threshold: i16::from((bits.take(8) as u8).cast_signed()),
        }));
        steps.extend(
            r.take(components)?
                .iter()
                .map(|&k| scale_of(k) / CODE_LIMIT),
        );
        let packed = r.take((LEAVES * components * CODE_BITS as usize).div_ceil(8))?;
        let mut bits = BitReader::new(packed);
        codes.extend(
            (0..LEAVES * components).map(|_| (bits.take(CODE_BITS) as i16 - CODE_ZERO) as i8),
        );
    }
    let leaves = Leaves::Coded(CodedLeaves {
        components,
        basis,
        steps,
        codes,
    });
    Ok(Cascade {
        anchors,
        deltas,
        splits,
        leaves,
    })
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], Malformed> {
        let (head, tail) = self.0.split_at_checked(n).ok_or("it ends too early")?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or("it ends too early")?;
        self.0 = tail;
        Ok(*head)
    }

    fn count(&mut self) -> Result<usize, Malformed> {
        Ok(usize::from(u16::from_le_bytes(self.array()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_to_nearest() {
        for (v, h) in [
            (0.0f32, 0u16),
            (1.0, 0x3C00),
            (-2.0, 0xC000),
            (0.1, 0x2E66),
            (5.960_464_5e-8, 1),
            (6.103_515_6e-5, 0x0400),
        ] {
            assert_eq!(to_half(v), h, "{v}");
            assert!((from_half(h) - v).abs() <= v.abs() / 2048.0, "{v}");
        }
    }

    #[test]
    fn bits_come_back_in_order() {
        let mut w = BitWriter::default();
        let values = [(511, 9), (0, 9), (200, 8), (33, 6), (1, 6)];
        for (v, n) in values {
            w.put(v, n);
        }
        let bytes = w.finish();
        let mut r = BitReader::new(&bytes);
        for (v, n) in values {
            assert_eq!(r.take(n), v);
        }
    }

    #[test]
    fn scales_cover_what_they_are_chosen_for() {
        for largest in [0.0f32, 1e-9, 0.03, 0.5, 0.9] {
            let k = scale_for(largest).expect("in range");
            assert!(scale_of(k) >= largest);
            assert!(k == 0 || scale_of(k - 1) < largest);
        }
        assert!(scale_for(1.0).is_err());
    }

    #[cfg(feature = "compact-landmarks")]
    #[test]
    fn a_damaged_compact_model_is_refused() {
        let good = include_bytes!("../../assets/models/landmarks68-compact.bin");
        assert!(decode(good).is_ok());
        let cut = decode(&good[..good.len() - 100]).expect_err("cut short");
        assert!(cut.contains("checksum"), "{cut}");
        let mut flipped = good.to_vec();
        flipped[5000] ^= 1;
        assert!(decode(&flipped).is_err());
        assert!(decode(b"ONSET68C").is_err());
    }
}
