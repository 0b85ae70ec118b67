//! How far the face is from where it mostly is, from the signed motion of its regions.
//!
//! Movements alternate: away, back, away, back. When one of them was too faint to
//! see, their sizes and directions alone no longer tell the expressions from the
//! rests between them. The mean flow of a region over a window, divided by the
//! window's span and summed over time, is the region's displacement (averaged over
//! the window); what it mostly is within twenty seconds either way is taken for the
//! neutral face.

use super::series::Series;
use crate::base::stats::median;

/// Neutral is the median of the displacement this far either way.
const REACH_SECS: f64 = 20.0;
/// Neutral is sought this often, among at most so many samples.
const EVERY_SECS: f64 = 2.0;
const MOST_SAMPLES: usize = 400;
/// A shorter run says nothing of what the face mostly is.
const SHORTEST_RUN_SECS: f64 = 4.0;

const COMPONENTS: usize = 12;

/// Distance from neutral in pixels of the crop, at the windows' centres.
#[derive(Debug)]
pub(crate) struct Posture {
    secs: Vec<f64>,
    distance: Vec<Option<f64>>,
}

impl Posture {
    /// Unknown everywhere where the samples carry no motion.
    pub(crate) fn new(series: &Series) -> Self {
        let mut distance = vec![None; series.centre.len()];
        for run in &series.runs {
            let secs = &series.centre[run.clone()];
            if secs[secs.len() - 1] - secs[0] < SHORTEST_RUN_SECS {
                continue;
            }
            let Some(path) = displacement(series, run.clone()) else {
                continue;
            };
            let mut neutral = [0.0; COMPONENTS];
            let mut valid_until = f64::NEG_INFINITY;
            for (i, at) in path.iter().enumerate() {
                if secs[i] >= valid_until {
                    neutral = neutral_at(secs, &path, secs[i] + 0.5 * EVERY_SECS);
                    valid_until = secs[i] + EVERY_SECS;
                }
                let squares = at.iter().zip(&neutral).map(|(a, n)| (a - n) * (a - n));
                distance[run.start + i] = Some(squares.sum::<f64>().sqrt());
            }
        }
        Self {
            secs: series.centre.clone(),
            distance,
        }
    }

    /// Distance from neutral at the sample at or after `secs`.
    pub(crate) fn distance_at(&self, secs: f64) -> Option<f64> {
        let last = self.secs.len().checked_sub(1)?;
        self.distance[self.secs.partition_point(|&s| s < secs).min(last)]
    }
}

/// The summed motion of `run`; `None` when a sample in it has none.
fn displacement(series: &Series, run: std::ops::Range<usize>) -> Option<Vec<[f64; COMPONENTS]>> {
    let mut sum = [0.0; COMPONENTS];
    let mut before = series.centre[run.start];
    run.map(|i| {
        let motion = series.motion[i]?;
        let share = (series.centre[i] - before) / (series.end[i] - series.start[i]);
        before = series.centre[i];
        for (s, m) in sum.iter_mut().zip(motion.0) {
            *s += share * f64::from(m);
        }
        Some(sum)
    })
    .collect()
}

fn neutral_at(secs: &[f64], path: &[[f64; COMPONENTS]], at: f64) -> [f64; COMPONENTS] {
    let from = secs.partition_point(|&s| s < at - REACH_SECS);
    let to = secs.partition_point(|&s| s <= at + REACH_SECS);
    let step = ((to - from) / MOST_SAMPLES).max(1);
    std::array::from_fn(|c| {
        let values: Vec<f64> = path[from..to].iter().step_by(step).map(|p| p[c]).collect();
        median(&values).unwrap_or(0.0)
    })
}
