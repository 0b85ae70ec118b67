//! `second_look.csv`: what each network of the second look says of each candidate.

use std::collections::BTreeSet;
use std::path::Path;

use super::output::{Batch, OutputError};
use super::results::{finish, number};
use crate::facs::ActionUnit;
use crate::recognition::{ClassReading, Recognition, SecondOpinion};
use crate::spotting::SpottedInterval;
use crate::timeline::Recording;
use crate::timeline::event::SecondLookSource;

/// Which classes and units have columns: all that any of the networks knows. What one of
/// them does not know is empty in its rows.
struct Columns {
    /// In the order in which the networks name them.
    classes: Vec<String>,
    units: BTreeSet<ActionUnit>,
}

impl Columns {
    fn of(sources: &[SecondLookSource]) -> Self {
        let mut classes: Vec<String> = Vec::new();
        for class in sources.iter().flat_map(|s| &s.classes) {
            if !classes.contains(class) {
                classes.push(class.clone());
            }
        }
        Self {
            classes,
            units: sources.iter().flat_map(|s| &s.units).copied().collect(),
        }
    }

    fn names(&self) -> impl Iterator<Item = String> {
        let classes = self.classes.iter().map(|name| format!("{name}_p"));
        let units = self.units.iter();
        classes.chain(units.map(|unit| format!("AU{:02}_p", unit.number())))
    }

    fn values(&self, said: Option<&Recognition>) -> Vec<String> {
        let class = said.and_then(|said| said.class.as_ref());
        let of_class = |name: &String| {
            let class = class?;
            let at = class.classes.iter().position(|known| known == name)?;
            class.probabilities.get(at).copied()
        };
        let of_unit = |unit: &ActionUnit| {
            let known = said?.units.iter().find(|known| known.unit == *unit)?;
            Some(known.probability)
        };
        let classes = self.classes.iter().map(of_class);
        let values = classes.chain(self.units.iter().map(of_unit));
        values.map(|p| number(p, 4)).collect()
    }
}

/// Writes `second_look.csv`, a row a candidate and network, in order of onset; `name` is
/// the recording's stem. Where a candidate could not be looked at it has no row.
///
/// # Errors
/// When the file cannot be written.
pub fn write(
    path: &Path,
    name: &str,
    recording: &Recording,
    sources: &[SecondLookSource],
    to: &mut Batch,
) -> Result<(), OutputError> {
    let columns = Columns::of(sources);
    let mut out = csv::Writer::from_writer(Vec::new());
    let header = [
        "recording",
        "kind",
        "onset",
        "apex",
        "offset",
        "network",
        "weights",
        "label",
        "label_prob",
        "uncertainty",
        "aus",
        "gamma",
        "rebuilt_error",
        "apex_change",
    ];
    let header = header.into_iter().map(str::to_owned);
    out.write_record(header.chain(columns.names()))
        .map_err(|e| OutputError::write(path, e))?;
    let mut intervals: Vec<&SpottedInterval> = recording.intervals.iter().collect();
    intervals.sort_by_key(|i| (i.onset, i.kind, i.offset));
    for interval in intervals {
        let recognised = recording.recognised_in(interval);
        for opinion in recognised.into_iter().flat_map(|r| &r.second_look) {
            let row = row(name, interval, opinion);
            let values = columns.values(opinion.recognition.as_ref());
            out.write_record(row.into_iter().chain(values))
                .map_err(|e| OutputError::write(path, e))?;
        }
    }
    finish(path, out, to)
}

fn row(name: &str, interval: &SpottedInterval, opinion: &SecondOpinion) -> [String; 14] {
    let said = opinion.recognition.as_ref();
    let class = said.and_then(|said| said.class.as_ref());
    let label = class.and_then(ClassReading::label);
    let rebuilt = opinion.rebuilt.as_ref();
    [
        name.to_owned(),
        interval.kind.name().to_owned(),
        interval.onset.to_string(),
        interval.apex.to_string(),
        interval.offset.to_string(),
        opinion.network.clone(),
        opinion.weights.clone(),
        label.map_or_else(String::new, |l| l.0.to_owned()),
        number(label.map(|l| l.1), 4),
        number(class.map(|c| c.uncertainty.total), 4),
        said.map_or_else(String::new, Recognition::units_text),
        number(opinion.magnified.as_ref().map(|m| m.gamma), 4),
        number(rebuilt.map(|r| r.error()), 3),
        number(rebuilt.map(|r| r.change()), 3),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Plane;
    use crate::explain::uncertainty::Uncertainty;
    use crate::recognition::UnitReading;
    use crate::recognition::second_look::{ApexPictures, MagnifiedLook, RebuiltApex};
    use crate::spotting::{ExpressionKind, IntervalStatus};
    use crate::timeline::Event;
    use crate::timeline::event::Recognised;

    fn unit(number: u8) -> ActionUnit {
        ActionUnit::new(number).unwrap()
    }

    fn source(units: &[u8], classes: &[&str]) -> SecondLookSource {
        SecondLookSource {
            network: "uamrn".to_owned(),
            weights: "mine".to_owned(),
            sha256: String::new(),
            units: units.iter().map(|&n| unit(n)).collect(),
            unit_thresholds: vec![0.5; units.len()],
            classes: classes.iter().map(|&c| c.to_owned()).collect(),
        }
    }

    #[test]
    fn a_row_has_what_its_network_knows_and_nothing_of_the_others() {
        let recognition = Recognition {
            units: vec![UnitReading {
                unit: unit(12),
                probability: 0.75,
                present: true,
                side: None,
            }],
            class: Some(ClassReading {
                classes: vec!["positive".to_owned()],
                probabilities: vec![0.875],
                uncertainty: Uncertainty::default(),
                abstains: false,
            }),
        };
        let opinion = |network: &str| SecondOpinion {
            weights: "mine".to_owned(),
            network: network.to_owned(),
            recognition: None,
            magnified: None,
            rebuilt: None,
        };
        let gray = |value| Plane::filled(2, 2, value);
        let opinions = vec![
            SecondOpinion {
                recognition: Some(recognition.clone()),
                magnified: Some(MagnifiedLook {
                    gamma: 0.5,
                    factors: Vec::new(),
                    attention: Vec::new(),
                }),
                ..opinion("uamrn")
            },
            SecondOpinion {
                rebuilt: Some(RebuiltApex::of(ApexPictures {
                    onset: gray(90.0),
                    apex: gray(100.0),
                    rebuilt: gray(97.0),
                })),
                ..opinion("moext-pretraining")
            },
        ];
        let mut recording = Recording::default();
        recording.intervals.push(SpottedInterval {
            kind: ExpressionKind::Micro,
            onset: 3,
            apex: 5,
            offset: 9,
            score: 0.5,
            status: IntervalStatus::Proposed,
            provisional: false,
        });
        recording.apply(Event::Recognised(Box::new(Recognised {
            onset: 3,
            apex: 5,
            recognition,
            attention: None,
            second_look: opinions,
        })));
        let sources = [source(&[12], &["positive"]), source(&[4], &["surprise"])];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("second_look.csv");
        let mut batch = Batch::default();
        write(&path, "film", &recording, &sources, &mut batch).unwrap();
        batch.commit().unwrap();
        let written = std::fs::read_to_string(path).unwrap();
        let lines: Vec<&str> = written.lines().collect();
        assert!(lines[0].ends_with(",apex_change,positive_p,surprise_p,AU04_p,AU12_p"));
        assert_eq!(
            lines[1..],
            [
                "film,micro,3,5,9,uamrn,mine,positive,0.8750,0.0000,AU12,0.5000,,,0.8750,,,0.7500",
                "film,micro,3,5,9,moext-pretraining,mine,,,,,,3.000,10.000,,,,",
            ]
        );
    }
}
