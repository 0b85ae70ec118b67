//! A baseline JPEG decoder with the arithmetic of the Independent JPEG Group's
//! (accurate integer DCT, triangle upsampling): the landmark oracle was made from
//! its pixels. The decoder of `image` differs by one grey step in a hundred
//! pixels, and that is enough to send single trees down another branch. For
//! fixtures only: it trusts its input.

use image::RgbImage;

struct Component {
    id: u8,
    across: usize,
    down: usize,
    quantizer: usize,
    dc_table: usize,
    ac_table: usize,
    last_dc: i32,
    stride: usize,
    width: usize,
    height: usize,
    samples: Vec<u8>,
}

#[derive(Default, Clone)]
struct Huffman {
    /// First code, first index and number of codes of each length 1..=16.
    lengths: Vec<(i32, usize, i32)>,
    symbols: Vec<u8>,
}

struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    held: u32,
    count: u32,
}

impl Bits<'_> {
    fn bit(&mut self) -> i32 {
        if self.count == 0 {
            let byte = self.data.get(self.at).copied().unwrap_or(0);
            let stuffed = byte == 0xFF && self.data.get(self.at + 1) == Some(&0);
            if byte == 0xFF && !stuffed {
                return 0; // a marker: the rest reads as zeros
            }
            self.at += 1 + usize::from(stuffed);
            (self.held, self.count) = (u32::from(byte), 8);
        }
        self.count -= 1;
        (self.held >> self.count & 1) as i32
    }

    fn signed(&mut self, bits: u8) -> i32 {
        let value = (0..bits).fold(0, |v, _| v << 1 | self.bit());
        if bits > 0 && value < 1 << (bits - 1) {
            value - (1 << bits) + 1
        } else {
            value
        }
    }

    fn symbol(&mut self, table: &Huffman) -> u8 {
        let mut code = 0;
        for &(first, index, count) in &table.lengths {
            code = code << 1 | self.bit();
            if code - first < count {
                return table.symbols[index + (code - first) as usize];
            }
        }
        panic!("no such Huffman code");
    }

    fn restart(&mut self) {
        self.count = 0;
        while !matches!(self.data[self.at..], [0xFF, 0xD0..=0xD7, ..]) {
            self.at += 1;
        }
        self.at += 2;
    }
}

fn zigzag() -> [usize; 64] {
    let mut order: Vec<(usize, usize)> = (0..64).map(|i| (i / 8, i % 8)).collect();
    order.sort_by_key(|&(r, c)| (r + c, if (r + c) % 2 == 0 { c } else { r }));
    std::array::from_fn(|i| order[i].0 * 8 + order[i].1)
}

/// One pass of the inverse DCT over eight values, 13-bit constants.
fn idct8(v: [i32; 8], shift: u32) -> [i32; 8] {
    let z = (v[2] + v[6]) * 4433;
    let (even2, even3) = (z - v[6] * 15137, z + v[2] * 6270);
    let (even0, even1) = ((v[0] + v[4]) << 13, (v[0] - v[4]) << 13);
    let e = [even0 + even3, even1 + even2, even1 - even2, even0 - even3];
    let [a, b, c, d] = [v[7], v[5], v[3], v[1]];
    let z5 = (a + c + b + d) * 9633;
    let (z1, z2) = ((a + d) * -7373, (b + c) * -20995);
    let (z3, z4) = ((a + c) * -16069 + z5, (b + d) * -3196 + z5);
    let o = [
        d * 12299 + z1 + z4,
        c * 25172 + z2 + z3,
        b * 16819 + z2 + z4,
        a * 2446 + z1 + z3,
    ];
    let round = 1 << (shift - 1);
    std::array::from_fn(|i| {
        if i < 4 {
            (e[i] + o[i] + round) >> shift
        } else {
            (e[7 - i] - o[7 - i] + round) >> shift
        }
    })
}

fn idct(block: &[i32; 64]) -> [u8; 64] {
    let mut work = [0; 64];
    for c in 0..8 {
        let column = idct8(std::array::from_fn(|r| block[r * 8 + c]), 11);
        for r in 0..8 {
            work[r * 8 + c] = column[r];
        }
    }
    let mut out = [0; 64];
    for r in 0..8 {
        let row = idct8(std::array::from_fn(|c| work[r * 8 + c]), 18);
        for c in 0..8 {
            out[r * 8 + c] = (row[c] + 128).clamp(0, 255) as u8;
        }
    }
    out
}

/// The component at full size.
fn upsampled(c: &Component, width: usize, height: usize, most: (usize, usize)) -> Vec<u8> {
    let (fx, fy) = (most.0 / c.across, most.1 / c.down);
    let at = |x: usize, y: usize| i32::from(c.samples[y * c.stride + x]);
    let mut out = Vec::with_capacity(width * height);
    for y in 0..height {
        let near = y / fy;
        let far = match (fy, y % 2) {
            (1, _) => near,
            (_, 0) => near.saturating_sub(1),
            _ => (near + 1).min(c.height - 1),
        };
        for x in 0..width {
            let value = match (fx, fy) {
                (1, 1) => at(x, y),
                (2, _) => {
                    let two = fy == 2;
                    let sum = |x: usize| {
                        if two {
                            3 * at(x, near) + at(x, far)
                        } else {
                            at(x, near)
                        }
                    };
                    let here = sum(x / 2);
                    let beside = if x % 2 == 0 {
                        (x / 2).checked_sub(1)
                    } else {
                        Some(x / 2 + 1).filter(|&b| b < c.width)
                    };
                    match (beside.map(sum), two) {
                        (Some(b), true) => (3 * here + b + if x % 2 == 0 { 8 } else { 7 }) >> 4,
                        (None, true) => (4 * here + if x % 2 == 0 { 8 } else { 7 }) >> 4,
                        (Some(b), false) => (3 * here + b + if x % 2 == 0 { 1 } else { 2 }) >> 2,
                        (None, false) => here,
                    }
                }
                other => panic!("sampling {other:?} does not occur in the fixtures"),
            };
            out.push(value as u8);
        }
    }
    out
}

/// `None` for a progressive file.
pub(crate) fn decode(data: &[u8]) -> Option<RgbImage> {
    let zigzag = zigzag();
    let mut quantizers = vec![[0i32; 64]; 4];
    let mut tables = vec![Huffman::default(); 32];
    let mut parts: Vec<Component> = Vec::new();
    let (mut width, mut height, mut interval) = (0, 0, 0);
    let mut at = 2;
    loop {
        let marker = data[at + 1];
        let length = usize::from(u16::from_be_bytes([data[at + 2], data[at + 3]]));
        let body = &data[at + 4..at + 2 + length];
        at += 2 + length;
        match marker {
            0xDB => {
                for table in body.chunks_exact(65) {
                    for (i, &q) in table[1..].iter().enumerate() {
                        quantizers[usize::from(table[0])][zigzag[i]] = i32::from(q);
                    }
                }
            }
            0xC4 => {
                let mut rest = body;
                while let [class, tail @ ..] = rest {
                    let (counts, tail) = tail.split_at(16);
                    let mut table = Huffman::default();
                    let (mut code, mut index) = (0, 0);
                    for &n in counts {
                        table.lengths.push((code, index, i32::from(n)));
                        index += usize::from(n);
                        code = (code + i32::from(n)) << 1;
                    }
                    table.symbols = tail[..index].to_vec();
                    tables[usize::from(*class)] = table;
                    rest = &tail[index..];
                }
            }
            0xC0 | 0xC1 => {
                height = usize::from(u16::from_be_bytes([body[1], body[2]]));
                width = usize::from(u16::from_be_bytes([body[3], body[4]]));
                parts.extend(body[6..].chunks_exact(3).map(|c| Component {
                    id: c[0],
                    across: usize::from(c[1] >> 4),
                    down: usize::from(c[1] & 15),
                    quantizer: usize::from(c[2]),
                    dc_table: 0,
                    ac_table: 0,
                    last_dc: 0,
                    stride: 0,
                    width: 0,
                    height: 0,
                    samples: Vec::new(),
                }));
            }
            0xC2 => return None,
            0xDD => interval = usize::from(u16::from_be_bytes([body[0], body[1]])),
            0xDA => {
                for c in body[1..].chunks_exact(2).take(parts.len()) {
                    for part in parts.iter_mut().filter(|p| p.id == c[0]) {
                        part.dc_table = usize::from(c[1] >> 4);
                        part.ac_table = 16 + usize::from(c[1] & 15);
                    }
                }
                break;
            }
            _ => {}
        }
    }
    let most = (
        parts.iter().map(|p| p.across).max()?,
        parts.iter().map(|p| p.down).max()?,
    );
    let columns = width.div_ceil(8 * most.0);
    let rows = height.div_ceil(8 * most.1);
    for p in &mut parts {
        p.stride = columns * 8 * p.across;
        p.width = (width * p.across).div_ceil(most.0);
        p.height = (height * p.down).div_ceil(most.1);
        p.samples = vec![0; p.stride * rows * 8 * p.down];
    }
    let mut bits = Bits {
        data,
        at,
        held: 0,
        count: 0,
    };
    for unit in 0..columns * rows {
        if interval > 0 && unit > 0 && unit % interval == 0 {
            bits.restart();
            parts.iter_mut().for_each(|p| p.last_dc = 0);
        }
        for p in &mut parts {
            for n in 0..p.across * p.down {
                let mut block = [0; 64];
                let size = bits.symbol(&tables[p.dc_table]);
                p.last_dc += bits.signed(size);
                block[0] = p.last_dc * quantizers[p.quantizer][0];
                let mut k = 1;
                while k < 64 {
                    let symbol = bits.symbol(&tables[p.ac_table]);
                    let (run, size) = (usize::from(symbol >> 4), symbol & 15);
                    if size == 0 {
                        if run < 15 {
                            break;
                        }
                        k += 16;
                        continue;
                    }
                    k += run;
                    let place = zigzag[k];
                    block[place] = bits.signed(size) * quantizers[p.quantizer][place];
                    k += 1;
                }
                let x = (unit % columns * p.across + n % p.across) * 8;
                let y = (unit / columns * p.down + n / p.across) * 8;
                for (r, row) in idct(&block).chunks_exact(8).enumerate() {
                    let start = (y + r) * p.stride + x;
                    p.samples[start..start + 8].copy_from_slice(row);
                }
            }
        }
    }
    let planes: Vec<Vec<u8>> = parts
        .iter()
        .map(|p| upsampled(p, width, height, most))
        .collect();
    let [luma, blue, red] = &planes[..] else {
        panic!("three components expected");
    };
    let mut rgb = Vec::with_capacity(3 * width * height);
    for ((&y, &cb), &cr) in luma.iter().zip(blue).zip(red) {
        let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
        let half = 1 << 15;
        for v in [
            y + ((91881 * cr + half) >> 16),
            y + ((-22554 * cb - 46802 * cr + half) >> 16),
            y + ((116_130 * cb + half) >> 16),
        ] {
            rgb.push(v.clamp(0, 255) as u8);
        }
    }
    RgbImage::from_raw(width as u32, height as u32, rgb)
}
