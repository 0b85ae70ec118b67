//! The sums themselves, and what a processor must have for them.

use multiversion::multiversion;

/// Filters and places that are summed together.
pub(super) const FILTERS: usize = 8;
pub(super) const PLACES: usize = 32;
/// What the narrow kernel takes at once: sixteen registers of eight numbers hold it.
const NARROW: [usize; 2] = [4, 16];

/// Whether this processor multiplies and adds in one instruction. Without, it would be
/// many times slower than unfolding.
pub(in crate::nn) fn is_fast() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        cfg!(target_arch = "aarch64")
    }
}

/// Whether its registers hold the sums of [`whole`].
pub(super) fn is_wide() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// Of 8 filters the sums over all places of 32 neighbours.
#[allow(
    clippy::needless_range_loop,
    reason = "only in this form does the compiler keep all sums in registers"
)]
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma"))]
pub(super) fn whole(
    sums: &mut [[f32; PLACES]; FILTERS],
    input: &[f32],
    offsets: &[usize],
    filters: &[&[f32]; FILTERS],
) {
    let filters = filters.map(|filter| &filter[..offsets.len()]);
    let mut own = [[0.0_f32; PLACES]; FILTERS];
    for (tap, &offset) in offsets.iter().enumerate() {
        let Some(values) = input[offset..].first_chunk::<PLACES>() else {
            return;
        };
        let weights = filters.map(|filter| filter[tap]);
        for row in 0..FILTERS {
            for place in 0..PLACES {
                own[row][place] = weights[row].mul_add(values[place], own[row][place]);
            }
        }
    }
    *sums = own;
}

/// The same of 32 neighbours, for processors with fewer and smaller registers.
#[allow(
    clippy::needless_range_loop,
    reason = "only in this form does the compiler keep all sums in registers"
)]
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn narrow(
    sums: &mut [[f32; PLACES]; FILTERS],
    input: &[f32],
    offsets: &[usize],
    filters: &[&[f32]; FILTERS],
) {
    const ROWS: usize = NARROW[0];
    const COLUMNS: usize = NARROW[1];
    for (sums, filters) in sums
        .chunks_exact_mut(ROWS)
        .zip(filters.as_chunks::<ROWS>().0)
    {
        let filters = filters.map(|filter| &filter[..offsets.len()]);
        for from in (0..PLACES).step_by(COLUMNS) {
            let mut own = [[0.0_f32; COLUMNS]; ROWS];
            for (tap, &offset) in offsets.iter().enumerate() {
                let Some(values) = input[offset + from..].first_chunk::<COLUMNS>() else {
                    return;
                };
                let weights = filters.map(|filter| filter[tap]);
                for row in 0..ROWS {
                    for place in 0..COLUMNS {
                        own[row][place] = weights[row].mul_add(values[place], own[row][place]);
                    }
                }
            }
            for (sums, own) in sums.iter_mut().zip(own) {
                sums[from..from + COLUMNS].copy_from_slice(&own);
            }
        }
    }
}
