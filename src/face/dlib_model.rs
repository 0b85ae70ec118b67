//! Reads dlib's `shape_predictor` files: regression trees that move 68 points.
//!
//! Integers are a control byte (number of payload bytes, sign bit) and a
//! little-endian magnitude; floats are a mantissa and an exponent, two such
//! integers. Matrices store their sides negated. The file is 100 MB of these, so
//! the reader walks one slice and allocates each table once.

use super::cascade::{Cascade, FullLeaves, LEAVES, Leaves, POINTS, SPLITS, ShapeModel, Split};

/// What is wrong with the bytes: a sentence part for the caller's error.
pub(crate) type Malformed = String;

/// No published model comes near this; it keeps a damaged count from asking for
/// all the memory there is.
const MOST_TREES: u64 = 1_000_000;

/// Decodes the whole file. The error says what is wrong and where.
pub(crate) fn decode(bytes: &[u8]) -> Result<ShapeModel, Malformed> {
    let mut r = Reader { bytes, at: 0 };
    let version = r
        .unsigned("the version")
        .map_err(|e| format!("it does not begin like a dlib shape predictor ({e})"))?;
    if version != 1 {
        return Err(format!(
            "it does not begin like a dlib shape predictor (version {version}, expected 1)"
        ));
    }
    let initial = r.column("the mean shape")?;

    let cascade_count = r.unsigned("the number of cascades")?;
    if !(1..=1000).contains(&cascade_count) {
        return Err(format!("{cascade_count} cascades make no sense"));
    }
    let mut trees = Vec::new();
    for _ in 0..cascade_count {
        trees.push(r.forest()?);
    }

    let anchors = r.per_cascade(&trees, |r, count| {
        (0..count)
            .map(|_| {
                let anchor = r.unsigned("an anchor point")?;
                if anchor >= POINTS as u64 {
                    return Err(format!("an anchor point {anchor} of {POINTS}"));
                }
                Ok(anchor as u8)
            })
            .collect::<Result<Vec<u8>, _>>()
    })?;
    let deltas = r.per_cascade(&trees, |r, count| {
        (0..count)
            .map(|_| Ok([r.float()?, r.float()?]))
            .collect::<Result<Vec<[f32; 2]>, _>>()
    })?;
    if r.at != bytes.len() {
        return Err(format!(
            "{} bytes are left over at its end",
            bytes.len() - r.at
        ));
    }

    let cascades = trees
        .into_iter()
        .zip(anchors)
        .zip(deltas)
        .map(|(((splits, leaves), anchors), deltas)| Cascade {
            anchors,
            deltas,
            splits,
            leaves: Leaves::Full(leaves),
        })
        .collect();
    let model = ShapeModel { initial, cascades };
    model.check()?;
    Ok(model)
}

type Forest = (Vec<Split>, FullLeaves);

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn truncated(&self) -> Malformed {
        format!("it ends too early, after {} bytes", self.bytes.len())
    }

    /// Magnitude and sign of the integer at the cursor.
    #[inline]
    fn integer(&mut self) -> Result<(u64, bool), Malformed> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some((&control, payload)) = rest.split_first() else {
            return Err(self.truncated());
        };
        let count = usize::from(control & 0x0F);
        if control & 0x70 != 0 || !(1..=8).contains(&count) {
            return Err(format!(
                "byte {control:#04x} at offset {} starts no number",
                self.at
            ));
        }
        let magnitude = if let Some(eight) = payload.first_chunk::<8>() {
            // The usual case, without a loop over the bytes.
            u64::from_le_bytes(*eight) & (u64::MAX >> (64 - 8 * count))
        } else {
            let Some(payload) = payload.get(..count) else {
                return Err(self.truncated());
            };
            payload
                .iter()
                .rev()
                .fold(0, |sum, &b| (sum << 8) | u64::from(b))
        };
        self.at += 1 + count;
        Ok((magnitude, control & 0x80 != 0))
    }

    fn unsigned(&mut self, what: &str) -> Result<u64, Malformed> {
        let start = self.at;
        match self.integer()? {
            (n, false) => Ok(n),
            (n, true) => Err(format!("{what} is -{n} at offset {start}")),
        }
    }

    fn expect(&mut self, what: &str, wanted: u64) -> Result<(), Malformed> {
        let found = self.unsigned(what)?;
        if found == wanted {
            Ok(())
        } else {
            Err(format!("{what} is {found}, expected {wanted}"))
        }
    }

    #[inline]
    fn float(&mut self) -> Result<f32, Malformed> {
        let (mantissa, negative) = self.integer()?;
        let (exponent, down) = self.integer()?;
        if exponent >= 1000 {
            return Err(format!("a number is not finite before offset {}", self.at));
        }
        let exponent = if down {
            -(exponent as i32)
        } else {
            exponent as i32
        };
        // 2^exponent is exact in f64 over its normal range, and 24-bit mantissas are too.
        let scale = if (-1022..=1023).contains(&exponent) {
            f64::from_bits(((exponent + 1023) as u64) << 52)
        } else {
            2f64.powi(exponent)
        };
        let value = (mantissa as f64 * scale) as f32;
        Ok(if negative { -value } else { value })
    }

    /// The header of a 136×1 matrix.
    fn column_header(&mut self, what: &str) -> Result<(), Malformed> {
        let ((rows, _), (columns, _)) = (self.integer()?, self.integer()?);
        if rows != 2 * POINTS as u64 || columns != 1 {
            return Err(format!(
                "{what} is {rows}×{columns}, expected 136×1 (68 points)"
            ));
        }
        Ok(())
    }

    fn column(&mut self, what: &str) -> Result<[f32; 2 * POINTS], Malformed> {
        self.column_header(what)?;
        let mut column = [0.0; 2 * POINTS];
        for v in &mut column {
            *v = self.float()?;
        }
        Ok(column)
    }

    /// The trees of one cascade.
    fn forest(&mut self) -> Result<Forest, Malformed> {
        let trees = self.unsigned("the number of trees")?;
        if trees == 0 || trees > MOST_TREES {
            return Err(format!("a cascade of {trees} trees makes no sense"));
        }
        let trees = trees as usize;
        // A leaf takes at least two bytes a number: a damaged count fails here, not in memory.
        if trees * LEAVES * POINTS * 2 > self.bytes.len() {
            return Err(self.truncated());
        }
        let mut splits = Vec::with_capacity(trees * SPLITS);
        let mut leaves = Vec::with_capacity(trees * LEAVES * 2 * POINTS);
        for _ in 0..trees {
            self.expect("the number of splits in a tree", SPLITS as u64)?;
            for _ in 0..SPLITS {
                let first = self.unsigned("a pixel index")?;
                let second = self.unsigned("a pixel index")?;
                let threshold = self.float()?;
                if first > u64::from(u16::MAX) || second > u64::from(u16::MAX) {
                    return Err(format!("a pixel index {first}, {second} is too large"));
                }
                splits.push(Split {
                    first: first as u16,
                    second: second as u16,
                    // Pixel differences are whole, so `difference > threshold` and
                    // `difference > floor(threshold)` choose the same branch.
                    threshold: threshold.floor().clamp(-256.0, 256.0) as i16,
                });
            }
            self.expect("the number of leaves in a tree", LEAVES as u64)?;
            for _ in 0..LEAVES {
                self.column_header("a leaf")?;
                for _ in 0..2 * POINTS {
                    leaves.push(self.float()?);
                }
            }
        }
        Ok((splits, FullLeaves(leaves)))
    }

    /// A list for every cascade; `read` gets how many entries it has.
    fn per_cascade<T>(
        &mut self,
        trees: &[Forest],
        read: impl Fn(&mut Self, usize) -> Result<Vec<T>, Malformed>,
    ) -> Result<Vec<Vec<T>>, Malformed> {
        self.expect("the number of pixel tables", trees.len() as u64)?;
        trees
            .iter()
            .map(|_| {
                let count = self.unsigned("the number of pixels")?;
                if count > u64::from(u16::MAX) {
                    return Err(format!("{count} pixels in a cascade make no sense"));
                }
                read(self, count as usize)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_dlib_writes_them() {
        let bytes = [
            0x03, 0x4d, 0x38, 0xf1, 0x81, 0x1d, 0x01, 0x00, 0x82, 0x01, 0x01,
        ];
        let mut r = Reader {
            bytes: &bytes,
            at: 0,
        };
        let v = r.float().expect("0xF1384D·2^-29");
        assert!((v - 0.029_445_792).abs() < 1e-9);
        assert_eq!(r.integer(), Ok((0, false)));
        assert_eq!(r.integer(), Ok((257, true)));
        assert!(r.integer().is_err());
    }

    #[test]
    fn other_files_are_refused_with_the_reason() {
        for (bytes, said) in [
            (&b""[..], "ends too early"),
            (b"\x89PNG\r\n\x1a\n", "does not begin like"),
            (b"\x01\x01\x81\x05\x81\x01", "expected 136"),
            (b"\x01\x01\x81\x88\x81\x01\x03\x4d", "ends too early"),
        ] {
            let error = decode(bytes).expect_err("no model");
            assert!(error.contains(said), "{error}");
        }
    }
}
