//! Hours of samples drawn in as many columns as the plot has pixels, no peak lost.
//!
//! A pyramid of minima and maxima over 8, 64, 512 … samples that grows at its end
//! only: a column asks at most a few buckets of each level, so its cost does not
//! depend on how much time it shows.

use crate::base::{TimeSpan, Timestamp};

/// Samples, or buckets of the level below, in one bucket.
const FAN: usize = 8;

/// Lowest and highest value of a stretch, and whether anything is missing in it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bucket {
    min: f32,
    max: f32,
    gap: bool,
}

impl Bucket {
    /// Nothing seen yet: neutral for [`Bucket::join`].
    const EMPTY: Self = Self {
        min: f32::INFINITY,
        max: f32::NEG_INFINITY,
        gap: false,
    };

    fn of(value: f32) -> Self {
        if value.is_nan() {
            Self {
                gap: true,
                ..Self::EMPTY
            }
        } else {
            Self {
                min: value,
                max: value,
                gap: false,
            }
        }
    }

    fn join(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            gap: self.gap || other.gap,
        }
    }
}

/// One column of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    /// From here up to, not including, the next column's start.
    pub start: Timestamp,
    /// Lowest and highest value; `None` where no sample has one.
    pub extremes: Option<(f32, f32)>,
    /// At least one sample in it has no value: the line is to be broken here.
    pub gap: bool,
}

/// A sample was older than the last one; the pyramid is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sample at {} s came after one at {} s", at.secs(), last.secs())]
pub struct OutOfOrder {
    pub at: Timestamp,
    pub last: Timestamp,
}

/// An append-only series of optional values with its min–max pyramid.
#[derive(Debug, Clone, Default)]
pub struct MinMaxSeries {
    times: Vec<Timestamp>,
    /// NaN where there is no value.
    values: Vec<f32>,
    /// Level 0 covers `FAN` samples a bucket; only full buckets are stored.
    levels: Vec<Vec<Bucket>>,
}

impl MinMaxSeries {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The time of the last sample.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        self.times.last().copied()
    }

    /// First and last time; `None` without a sample.
    #[must_use]
    pub fn span(&self) -> Option<TimeSpan> {
        Some(TimeSpan {
            start: *self.times.first()?,
            end: *self.times.last()?,
        })
    }

    /// Appends a sample; `None` and values that are not finite are a gap.
    ///
    /// # Errors
    /// [`OutOfOrder`] when `at` lies before the last sample.
    pub fn push(&mut self, at: Timestamp, value: Option<f32>) -> Result<(), OutOfOrder> {
        if let Some(&last) = self.times.last()
            && at < last
        {
            return Err(OutOfOrder { at, last });
        }
        self.times.push(at);
        self.values
            .push(value.filter(|v| v.is_finite()).unwrap_or(f32::NAN));
        let mut full = self.values.len();
        let mut level = 0;
        while full.is_multiple_of(FAN) {
            full /= FAN;
            let bucket = if level == 0 {
                self.values[(full - 1) * FAN..]
                    .iter()
                    .fold(Bucket::EMPTY, |b, &v| b.join(Bucket::of(v)))
            } else {
                self.levels[level - 1][(full - 1) * FAN..]
                    .iter()
                    .fold(Bucket::EMPTY, |b, &o| b.join(o))
            };
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            self.levels[level].push(bucket);
            level += 1;
        }
        Ok(())
    }

    /// The samples of `range`, both ends included: for a view so close that single
    /// samples can be drawn.
    pub fn samples(&self, range: TimeSpan) -> impl Iterator<Item = (Timestamp, Option<f32>)> + '_ {
        let from = self.times.partition_point(|&t| t < range.start);
        let to = self.times.partition_point(|&t| t <= range.end).max(from);
        (from..to).map(|i| (self.times[i], Some(self.values[i]).filter(|v| !v.is_nan())))
    }

    /// `range` cut into `count` columns of equal time, the last one including its end.
    #[must_use]
    pub fn columns(&self, range: TimeSpan, count: usize) -> Vec<Column> {
        let (start, end) = (range.start.nanos(), range.end.nanos());
        if count == 0 || end < start {
            return Vec::new();
        }
        let edge = |column: usize| -> Timestamp {
            let along = i128::from(end - start) * column as i128 / count as i128;
            // Within start..=end, so it fits.
            Timestamp::from_nanos(start + along as i64)
        };
        let mut from = self.times.partition_point(|&t| t < range.start);
        (0..count)
            .map(|column| {
                let to = if column + 1 == count {
                    self.times.partition_point(|&t| t <= range.end)
                } else {
                    let next = edge(column + 1);
                    self.times.partition_point(|&t| t < next)
                };
                let found = self.extremes(from, to.max(from));
                from = to.max(from);
                Column {
                    start: edge(column),
                    extremes: (found.min <= found.max).then_some((found.min, found.max)),
                    gap: found.gap,
                }
            })
            .collect()
    }

    /// Over samples `from..to`, climbing to wider buckets where they fit.
    fn extremes(&self, mut from: usize, mut to: usize) -> Bucket {
        let mut found = Bucket::EMPTY;
        let mut level = 0;
        let at = |level: usize, i: usize| {
            if level == 0 {
                Bucket::of(self.values[i])
            } else {
                self.levels[level - 1][i]
            }
        };
        while from < to {
            let climbs = self
                .levels
                .get(level)
                .is_some_and(|up| to / FAN <= up.len());
            while from < to && !(climbs && from.is_multiple_of(FAN)) {
                found = found.join(at(level, from));
                from += 1;
            }
            while from < to && !to.is_multiple_of(FAN) {
                to -= 1;
                found = found.join(at(level, to));
            }
            from /= FAN;
            to /= FAN;
            level += 1;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: f64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn whole(series: &MinMaxSeries) -> TimeSpan {
        series.span().expect("samples")
    }

    #[test]
    fn a_peak_of_40_ms_in_three_hours_at_200_fps_survives_any_zoom() {
        let mut series = MinMaxSeries::new();
        let count = 3 * 3600 * 200;
        let peak = 1_234_567..1_234_575;
        for i in 0..count {
            let value = if peak.contains(&i) {
                9.0
            } else {
                (i % 7) as f32 * 0.1
            };
            series
                .push(at(i as f64 / 200.0), Some(value))
                .expect("in order");
        }
        let middle = peak.start as f64 / 200.0;
        for width in [10_800.0, 3600.0, 60.0, 1.0, 0.1] {
            for columns in [1, 7, 100, 1920] {
                let range = TimeSpan {
                    start: at((middle - 0.37 * width).max(0.0)),
                    end: at(middle + 0.63 * width),
                };
                let seen = series.columns(range, columns);
                assert_eq!(seen.len(), columns);
                assert!(
                    seen.iter().any(|c| c.extremes.is_some_and(|e| e.1 == 9.0)),
                    "{width} s in {columns} columns"
                );
            }
        }
    }

    #[test]
    fn columns_equal_a_plain_search_and_show_gaps() {
        let mut series = MinMaxSeries::new();
        let mut state = 7_u32;
        let mut plain = Vec::new();
        for i in 0..5003 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value =
                (!(3000..3100).contains(&i) && i != 4321).then_some((state >> 8) as f32 / 1e6);
            series
                .push(at(f64::from(i) * 0.005), value)
                .expect("in order");
            plain.push((at(f64::from(i) * 0.005), value));
        }
        for columns in [1, 2, 13, 640, 9001] {
            let seen = series.columns(whole(&series), columns);
            for (i, column) in seen.iter().enumerate() {
                let next = seen.get(i + 1).map(|c| c.start);
                let mine: Vec<_> = plain
                    .iter()
                    .filter(|(t, _)| *t >= column.start && next.is_none_or(|n| *t < n))
                    .collect();
                let values: Vec<f32> = mine.iter().filter_map(|s| s.1).collect();
                let want = values
                    .iter()
                    .copied()
                    .reduce(f32::min)
                    .zip(values.iter().copied().reduce(f32::max));
                assert_eq!(column.extremes, want);
                assert_eq!(column.gap, values.len() < mine.len());
            }
        }
    }

    #[test]
    fn an_older_sample_and_an_empty_view_do_no_harm() {
        let mut series = MinMaxSeries::new();
        let far = TimeSpan {
            start: at(5.0),
            end: at(6.0),
        };
        assert_eq!(series.columns(far, 3).len(), 3);
        series.push(at(1.0), Some(1.0)).expect("first");
        assert!(series.push(at(0.5), Some(2.0)).is_err());
        series.push(at(1.0), Some(f32::NAN)).expect("same time");
        assert_eq!(series.len(), 2);
        assert!(
            series
                .columns(far, 3)
                .iter()
                .all(|c| c.extremes.is_none() && !c.gap)
        );
        assert!(
            series
                .columns(
                    TimeSpan {
                        start: at(6.0),
                        end: at(5.0)
                    },
                    3
                )
                .is_empty()
        );
        assert_eq!(series.samples(whole(&series)).count(), 2);
    }
}
