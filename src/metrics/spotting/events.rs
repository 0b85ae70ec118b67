//! How many events were noticed at all, and how often there was a false alarm.

use serde::{Deserialize, Serialize};

use super::Interval;

/// One recording of the table; a hit is an overlap of any length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventRow {
    pub recording: String,
    pub events: usize,
    /// Events that at least one prediction touches.
    pub hits: usize,
    /// Predictions that touch no event.
    pub false_alarms: usize,
    /// `None` for a recording without a duration.
    pub false_alarms_per_minute: Option<f64>,
}

/// One row a recording of `(name, duration in seconds, predictions, events)`, in
/// the order given.
#[must_use]
pub fn events_table(recordings: &[(String, f64, Vec<Interval>, Vec<Interval>)]) -> Vec<EventRow> {
    recordings
        .iter()
        .map(|(recording, secs, predictions, events)| {
            let touches =
                |a: &Interval, others: &[Interval]| others.iter().any(|b| a.overlap(*b) > 0);
            let false_alarms = predictions.iter().filter(|p| !touches(p, events)).count();
            EventRow {
                recording: recording.clone(),
                events: events.len(),
                hits: events.iter().filter(|e| touches(e, predictions)).count(),
                false_alarms,
                false_alarms_per_minute: (*secs > 0.0).then(|| false_alarms as f64 * 60.0 / secs),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_prediction_over_two_events_hits_both_and_alarms_are_counted_a_minute() {
        let table = events_table(&[(
            "a".to_owned(),
            30.0,
            vec![Interval::new(0, 50), Interval::new(80, 90)],
            vec![
                Interval::new(10, 12),
                Interval::new(50, 60),
                Interval::new(100, 110),
            ],
        )]);
        assert_eq!(
            (table[0].events, table[0].hits, table[0].false_alarms),
            (3, 2, 1)
        );
        assert_eq!(table[0].false_alarms_per_minute, Some(2.0));
    }
}
