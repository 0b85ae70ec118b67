//! The pyramid row by row: down, through the band-pass, and up again.

use multiversion::multiversion;

use super::{Level, Pixel};

/// Mirrors a position outside `0..n` at the first or last pixel, which is not doubled.
fn mirrored(at: isize, n: usize) -> usize {
    let last = n as isize - 1;
    let at = if at < 0 { -at } else { at };
    let at = if at > last { 2 * last - at } else { at };
    at.clamp(0, last) as usize
}

/// Where a coarse row or column outside `0..coarse` comes from, when the zeros
/// between the coarse pixels are mirrored at the border of the `fine` picture.
fn mirrored_coarse(at: isize, coarse: usize, fine: usize) -> usize {
    mirrored(2 * at, fine).div_euclid(2).min(coarse - 1)
}

/// Rows `from..` of the picture at half its size: [1 4 6 4 1]/16 both ways, every
/// second pixel. Whole numbers until the end.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw", "x86_64+avx2"))]
pub(super) fn halve_picture(
    picture: &[u8],
    size: (usize, usize),
    from: usize,
    width: usize,
    rows: &mut [Pixel],
) {
    let row_bytes = 3 * size.0;
    // Two mirrored pixels on both sides.
    let mut sums = vec![0u16; row_bytes + 12];
    for (row, y) in rows.chunks_exact_mut(width).zip(from..) {
        let line = |offset: isize| {
            let at = mirrored(2 * y as isize + offset, size.1) * row_bytes;
            &picture[at..at + row_bytes]
        };
        let (a, b, c, d, e) = (line(-2), line(-1), line(0), line(1), line(2));
        let middle = &mut sums[6..6 + row_bytes];
        for i in 0..row_bytes {
            middle[i] = u16::from(a[i])
                + u16::from(e[i])
                + 4 * (u16::from(b[i]) + u16::from(d[i]))
                + 6 * u16::from(c[i]);
        }
        for (pad, at) in [(0, -2), (1, -1), (2 + size.0, size.0 as isize)]
            .into_iter()
            .chain([(3 + size.0, size.0 as isize + 1)])
        {
            let source = 6 + 3 * mirrored(at, size.0);
            sums.copy_within(source..source + 3, 3 * pad);
        }
        for (x, pixel) in row.iter_mut().enumerate() {
            let Some(taps) = sums[6 * x..].first_chunk::<15>() else {
                continue;
            };
            for c in 0..3 {
                // At most 255 · 256: fits in 16 bits.
                let sum =
                    taps[c] + taps[12 + c] + 4 * (taps[3 + c] + taps[9 + c]) + 6 * taps[6 + c];
                pixel[c] = f32::from(sum) * (1.0 / (256.0 * 255.0));
            }
        }
    }
}

/// The same from one level to the next.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(super) fn halve(fine: &[Pixel], size: (usize, usize), width: usize, coarse: &mut [Pixel]) {
    let mut sums = vec![[0.0f32; 4]; size.0 + 4];
    for (y, row) in coarse.chunks_exact_mut(width).enumerate() {
        let line = |offset: isize| {
            let at = mirrored(2 * y as isize + offset, size.1) * size.0;
            &fine[at..at + size.0]
        };
        let (a, b, c, d, e) = (line(-2), line(-1), line(0), line(1), line(2));
        let middle = &mut sums[2..2 + size.0];
        for x in 0..size.0 {
            for k in 0..4 {
                middle[x][k] = (a[x][k] + e[x][k]) + 4.0 * (b[x][k] + d[x][k]) + 6.0 * c[x][k];
            }
        }
        for at in [-2, -1, size.0 as isize, size.0 as isize + 1] {
            sums[(at + 2) as usize] = sums[2 + mirrored(at, size.0)];
        }
        for (x, pixel) in row.iter_mut().enumerate() {
            let Some([a, b, c, d, e]) = sums[2 * x..].first_chunk::<5>() else {
                continue;
            };
            for k in 0..4 {
                pixel[k] = ((a[k] + e[k]) + 4.0 * (b[k] + d[k]) + 6.0 * c[k]) * (1.0 / 256.0);
            }
        }
    }
}

/// Row `at.0` of `at.1` of a coarse picture at twice its size, `row.len()` pixels
/// wide: zeros between its pixels, then [1 4 6 4 1]/8 both ways. `padded` is memory
/// to work in.
#[inline(always)]
pub(super) fn enlarge_row(
    coarse: &[Pixel],
    size: (usize, usize),
    at: (usize, usize),
    padded: &mut Vec<Pixel>,
    row: &mut [Pixel],
) {
    let (y, height) = at;
    let width = row.len();
    let line = |offset: isize| {
        let at = mirrored_coarse((y / 2) as isize + offset, size.1, height) * size.0;
        &coarse[at..at + size.0]
    };
    padded.resize(size.0 + 2, [0.0; 4]);
    let middle = &mut padded[1..1 + size.0];
    if y.is_multiple_of(2) {
        let (above, here, below) = (line(-1), line(0), line(1));
        for x in 0..size.0 {
            for k in 0..4 {
                middle[x][k] = 0.125 * ((above[x][k] + below[x][k]) + 6.0 * here[x][k]);
            }
        }
    } else {
        let (here, below) = (line(0), line(1));
        for x in 0..size.0 {
            for k in 0..4 {
                middle[x][k] = 0.5 * (here[x][k] + below[x][k]);
            }
        }
    }
    padded[0] = padded[1 + mirrored_coarse(-1, size.0, width)];
    padded[1 + size.0] = padded[1 + mirrored_coarse(size.0 as isize, size.0, width)];
    let (pairs, last) = row.as_chunks_mut::<2>();
    for (pair, taps) in pairs.iter_mut().zip(padded.windows(3)) {
        for k in 0..4 {
            pair[0][k] = 0.125 * ((taps[0][k] + taps[2][k]) + 6.0 * taps[1][k]);
            pair[1][k] = 0.5 * (taps[1][k] + taps[2][k]);
        }
    }
    if let Some(last) = last.first_mut() {
        let taps = &padded[size.0 - 1..];
        for k in 0..4 {
            last[k] = 0.125 * ((taps[0][k] + taps[2][k]) + 6.0 * taps[1][k]);
        }
    }
}

/// What one level's filter does in one frame.
pub(super) struct Pass {
    /// The filters take this picture as having lasted for ever.
    pub(super) start: bool,
    pub(super) fast: f32,
    pub(super) slow: f32,
    pub(super) alpha: f32,
    /// Where this is the finest level, whose change is the sum of all.
    pub(super) chroma: Option<[[f32; 3]; 3]>,
}

/// Some rows of a level's memory.
pub(super) struct State<'a> {
    pub(super) fast: &'a mut [Pixel],
    pub(super) slow: &'a mut [Pixel],
    pub(super) change: &'a mut [Pixel],
}

/// Rows `from..` of a level of `size`: Laplacian, both low-passes, the gain, and the
/// change of the coarser levels added.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(super) fn filter_rows(
    pass: &Pass,
    blurred: &[Pixel],
    coarser: &Level,
    size: (usize, usize),
    from: usize,
    state: State<'_>,
) {
    let (width, height) = size;
    let coarse_size = (coarser.width, coarser.height);
    let mut padded = Vec::new();
    let (mut base, mut below) = (vec![[0.0f32; 4]; width], vec![[0.0f32; 4]; width]);
    let rows = (state.fast.chunks_exact_mut(width))
        .zip(state.slow.chunks_exact_mut(width))
        .zip(state.change.chunks_exact_mut(width));
    for (((fast, slow), change), y) in rows.zip(from..) {
        let at = (y, height);
        enlarge_row(&coarser.blurred, coarse_size, at, &mut padded, &mut base);
        let here = &blurred[y * width..(y + 1) * width];
        if pass.start {
            for x in 0..width {
                for k in 0..4 {
                    fast[x][k] = here[x][k] - base[x][k];
                }
            }
            slow.copy_from_slice(fast);
            change.fill([0.0; 4]);
            continue;
        }
        // The residual has no change of its own.
        if !coarser.change.is_empty() {
            enlarge_row(&coarser.change, coarse_size, at, &mut padded, &mut below);
        }
        for x in 0..width {
            for k in 0..4 {
                let detail = here[x][k] - base[x][k];
                fast[x][k] += pass.fast * (detail - fast[x][k]);
                slow[x][k] += pass.slow * (detail - slow[x][k]);
                change[x][k] = pass.alpha * (fast[x][k] - slow[x][k]) + below[x][k];
            }
        }
        if let Some(m) = &pass.chroma {
            for pixel in change.iter_mut() {
                let [r, g, b, _] = *pixel;
                for c in 0..3 {
                    pixel[c] = m[c][0] * r + m[c][1] * g + m[c][2] * b;
                }
            }
        }
    }
}

/// Rows `from..` of the magnified picture.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(super) fn add_change(
    finest: &Level,
    size: (usize, usize),
    from: usize,
    picture: &[u8],
    rows: &mut [u8],
) {
    let (width, height) = size;
    let coarse_size = (finest.width, finest.height);
    let mut padded = Vec::new();
    let mut change = vec![[0.0f32; 4]; width];
    for (row, y) in rows.chunks_exact_mut(3 * width).zip(from..) {
        let at = (y, height);
        enlarge_row(&finest.change, coarse_size, at, &mut padded, &mut change);
        let source = &picture[3 * y * width..3 * (y + 1) * width];
        let (out, _) = row.as_chunks_mut::<3>();
        let (source, _) = source.as_chunks::<3>();
        for ((out, source), change) in out.iter_mut().zip(source).zip(&change) {
            for c in 0..3 {
                // A cast saturates; half is added to round.
                out[c] = (f32::from(source[c]) + 255.0 * change[c] + 0.5) as u8;
            }
        }
    }
}
