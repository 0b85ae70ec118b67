//! Lobes of a windowed score: where it rises above the quiet level and falls back.
//!
//! A window's score begins to rise when the window's *last* frame enters a
//! movement, and has fallen back when its *first* frame leaves it. So the leading
//! edge of a lobe is read on the windows' ends and the trailing edge on their
//! starts, whatever the length of the window.

use std::ops::Range;

use super::ExpressionKind;
use super::series::Series;
use super::signal::RegionMotion;

/// A lobe that reaches this many sigma may be the fainter half of an expression.
const WEAK_SIGMAS: f64 = 3.0;
/// Two maxima belong to two lobes when the valley between them is lower than this
/// part of both.
const VALLEY: f64 = 0.6;

/// One movement of the face; times in seconds.
#[derive(Debug, Clone)]
pub(crate) struct Movement {
    pub(crate) kind: ExpressionKind,
    /// When it began and ended: edges extrapolated to the quiet level.
    pub(crate) begin: f64,
    pub(crate) finish: f64,
    /// Centres of the windows with the lobe's leading foot, maximum, trailing foot.
    pub(crate) from: f64,
    pub(crate) peak: f64,
    pub(crate) to: f64,
    /// Above the quiet level, in units of the way from there to the threshold.
    pub(crate) height: f64,
    /// Both the smoothed score and the lobe itself reach the threshold.
    pub(crate) strong: bool,
    pub(crate) motion: Option<RegionMotion>,
}

/// Every movement of `series` that is at least weak, in time order.
pub(crate) fn movements(series: &Series, threshold: f64) -> Vec<Movement> {
    let base = series.light_quiet.median;
    let foot = (series.light_quiet.level(WEAK_SIGMAS)).min(0.5 * (base + threshold.max(base)));
    let unit = (threshold - series.smooth_quiet.median).max(f64::MIN_POSITIVE);
    let mut found = Vec::new();
    for run in &series.runs {
        let lobes = lobes(&series.light, run.clone(), base, foot);
        for (n, lobe) in lobes.iter().enumerate() {
            let left = n.checked_sub(1).map_or(run.start, |p| lobes[p].last);
            let right = lobes.get(n + 1).map_or(run.end - 1, |next| next.first);
            let height = series.light[lobe.peak] - base;
            let noise = 2.0 * series.light_quiet.sigma / height;
            let levels = Levels {
                half: base + 0.5 * height,
                low: base + noise.clamp(0.2, 0.4) * height,
                base,
            };
            let lead = edge(&series.light, &series.end, lobe.peak, left, &levels);
            let trail = edge(&series.light, &series.start, lobe.peak, right, &levels);
            let begin = match lead {
                Some(secs) => secs,
                // Already moving when the run begins.
                None if left == run.start => series.start[run.start],
                None => series.end[left],
            };
            let finish = match trail {
                Some(secs) => secs,
                None if right == run.end - 1 => series.end[run.end - 1],
                None => series.start[right],
            };
            let highest = series.smooth[lobe.first..=lobe.last]
                .iter()
                .copied()
                .fold(f64::NEG_INFINITY, f64::max);
            found.push(Movement {
                kind: series.kind,
                begin,
                finish,
                from: series.centre[lobe.first],
                peak: series.centre[lobe.peak],
                to: series.centre[lobe.last],
                height: height / unit,
                // The smoothed score next to a huge lobe is high without one's own.
                strong: highest.min(series.light[lobe.peak]) >= threshold
                    && highest > series.smooth_quiet.median,
                motion: series.motion[lobe.peak],
            });
        }
    }
    found
}

/// Indices; `first` and `last` are the feet, or the valleys shared with a neighbour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lobe {
    pub(crate) first: usize,
    pub(crate) peak: usize,
    pub(crate) last: usize,
}

/// The lobes of `x[run]` above `foot`, split at valleys; heights count from `base`.
pub(crate) fn lobes(x: &[f64], run: Range<usize>, base: f64, foot: f64) -> Vec<Lobe> {
    let mut found = Vec::new();
    let mut open: Option<(Lobe, Option<usize>)> = None;
    for i in run.clone() {
        if x[i] <= foot {
            if let Some((lobe, _)) = open.take() {
                // The foot itself belongs to the lobe.
                found.push(Lobe { last: i, ..lobe });
            }
            continue;
        }
        let Some((lobe, valley)) = &mut open else {
            let first = if i > run.start { i - 1 } else { i };
            open = Some((
                Lobe {
                    first,
                    peak: i,
                    last: i,
                },
                None,
            ));
            continue;
        };
        lobe.last = i;
        match *valley {
            None if x[i] > x[lobe.peak] => lobe.peak = i,
            None if x[i] - base <= VALLEY * (x[lobe.peak] - base) => *valley = Some(i),
            None => {}
            Some(low) if x[i] < x[low] => *valley = Some(i),
            Some(low) if x[low] - base <= VALLEY * (x[i] - base) => {
                found.push(Lobe { last: low, ..*lobe });
                open = Some((
                    Lobe {
                        first: low,
                        peak: i,
                        last: i,
                    },
                    None,
                ));
            }
            Some(_) => {}
        }
    }
    found.extend(open.map(|(lobe, _)| lobe));
    found
}

struct Levels {
    half: f64,
    low: f64,
    base: f64,
}

/// Where the line through the half-height and the low crossing meets the base,
/// walking from `peak` towards `bound`, on the time axis `secs`; `None` when the
/// low level is not reached before the bound.
fn edge(x: &[f64], secs: &[f64], peak: usize, bound: usize, levels: &Levels) -> Option<f64> {
    let half = crossing(x, secs, peak, bound, levels.half)?;
    let low = crossing(x, secs, peak, bound, levels.low)?;
    let part = (levels.low - levels.base) / (levels.half - levels.low);
    // A long faint foot is no reason to reach far beyond what was seen.
    let reach = (low - half) * part;
    let limit = (secs[peak] - low).abs().max(f64::MIN_POSITIVE);
    Some(low + reach.clamp(-limit, limit))
}

/// Where `x` first falls to `level` on the way from `peak` to `bound`, interpolated.
pub(crate) fn crossing(
    x: &[f64],
    secs: &[f64],
    peak: usize,
    bound: usize,
    level: f64,
) -> Option<f64> {
    let mut inside = peak;
    while inside != bound {
        let outside = if bound > peak { inside + 1 } else { inside - 1 };
        if x[outside] <= level {
            let along = (x[inside] - level) / (x[inside] - x[outside]);
            return Some(secs[inside] + along * (secs[outside] - secs[inside]));
        }
        inside = outside;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_maxima_with_a_deep_valley_are_two_lobes() {
        let x = [0.0, 1.0, 4.0, 2.0, 1.0, 3.0, 2.9, 3.0, 1.0, 0.0];
        let found = lobes(&x, 0..x.len(), 0.0, 0.5);
        assert_eq!(
            found,
            vec![
                Lobe {
                    first: 0,
                    peak: 2,
                    last: 4
                },
                Lobe {
                    first: 4,
                    peak: 5,
                    last: 9
                },
            ]
        );
    }

    #[test]
    fn a_crossing_is_interpolated_and_absent_beyond_the_bound() {
        let x = [0.0, 2.0, 4.0, 4.0];
        let secs = [0.0, 1.0, 2.0, 3.0];
        assert_eq!(crossing(&x, &secs, 2, 0, 3.0), Some(1.5));
        assert_eq!(crossing(&x, &secs, 2, 3, 3.0), None);
    }
}
