//! What an evaluation of action units and classes says: expression by expression, and
//! the scores of all together.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::corpus::{Measured, Shown};
use super::fitting::{FitError, Judged, mean_classes, mean_logit};
use crate::explain::calibration::{self, Temperature};
use crate::facs::write_units;
use crate::metrics::multilabel::{self, MultiLabelScore};
use crate::metrics::recognition::score;
use crate::model::au_flow::has_halves;
use crate::project::output::{Batch, OutputError};
use crate::recognition::{FaceReader, Recognition};
use crate::spotting::ExpressionKind;
use crate::training::checkpoint::Settings;
use crate::training::recognition::report::{PartScore, SubjectScore};

/// Action units over some of the expressions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitPart {
    #[serde(flatten)]
    pub score: MultiLabelScore,
    /// Of the units found, shown and with two halves: share whose side is right.
    pub sides_right: f64,
}

/// How far probabilities are from what happens, 0..1 (expected calibration error).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct CalibrationPart {
    /// With a temperature of 1.
    pub before: f64,
    /// With the weights' own.
    pub after: f64,
}

/// The report of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuReport {
    pub model: String,
    pub protocol: String,
    /// Numbers of the units, in the order of the lists.
    pub units: Vec<u8>,
    pub classes: Vec<String>,
    /// Every coded expression.
    pub action_units: UnitPart,
    pub action_units_by_kind: BTreeMap<ExpressionKind, UnitPart>,
    /// Share of the moments at rest for which some unit is called present; `None` where
    /// no rest was measured.
    pub found_at_rest: Option<f64>,
    /// Every expression of a class, named or not.
    #[serde(flatten)]
    pub all: PartScore,
    pub by_kind: BTreeMap<ExpressionKind, PartScore>,
    /// Share of the expressions for which a class is named, and how many of those are
    /// right.
    pub named: f64,
    pub named_right: f64,
    pub calibration_units: CalibrationPart,
    pub calibration_classes: CalibrationPart,
    pub per_dataset: BTreeMap<String, PartScore>,
    pub per_subject: BTreeMap<String, SubjectScore>,
    /// Labelled expressions that could not be measured.
    pub left_out: u64,
    pub seed: Option<u64>,
    pub settings: Settings,
}

/// One expression with what was said of it.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    pub judged: &'a Judged<'a>,
    pub said: Recognition,
}

/// Answers of a network whose judgement these are.
///
/// # Errors
/// When its logits are no numbers.
pub fn answers<'a>(
    reader: &FaceReader,
    judged: &'a [Judged<'a>],
) -> Result<Vec<Answer<'a>>, FitError> {
    judged
        .iter()
        .map(|judged| {
            let said = reader.judged(&judged.members);
            let said = said.map_err(|e| FitError::Device(e.to_string()))?;
            Ok(Answer { judged, said })
        })
        .collect()
}

impl AuReport {
    /// # Errors
    /// When there is no expression to judge.
    pub fn new(
        (model, protocol): (&str, &str),
        answers: &[Answer],
        measured: &[&Measured],
        temperatures: [f64; 2],
        seed: Option<u64>,
        settings: Settings,
    ) -> Result<Self, FitError> {
        let first = answers.first().ok_or(FitError::Empty)?;
        let shown: Vec<&Answer> = answers.iter().filter(|a| is_expression(a)).collect();
        let kind = |answer: &Answer| answer.judged.recording.kind(answer.judged.sample);
        let of_kind = |k| -> Vec<&Answer> {
            (shown.iter().copied())
                .filter(|a| kind(a) == Some(k))
                .collect()
        };
        let rests: Vec<&Answer> = answers.iter().filter(|a| !is_expression(a)).collect();
        let found = |a: &Answer| a.said.units.iter().any(|u| u.present);
        let classed: Vec<&Answer> = (shown.iter().copied())
            .filter(|a| a.judged.class.is_some())
            .collect();
        let named: Vec<&Answer> = (classed.iter().copied())
            .filter(|a| a.said.class.as_ref().is_some_and(|c| !c.abstains))
            .collect();
        let share = |part: usize, of: usize| part as f64 / of.max(1) as f64;
        let mut subjects: BTreeMap<String, SubjectScore> = BTreeMap::new();
        for answer in &classed {
            let of = subjects
                .entry(answer.judged.recording.recording.subject.clone())
                .or_insert(SubjectScore {
                    clips: 0,
                    right: 0,
                    accuracy: 0.0,
                });
            of.clips += 1;
            of.right += u64::from(is_right(answer));
            of.accuracy = of.right as f64 / of.clips as f64;
        }
        let count = names(answers).len();
        let all = class_score(&classed, count);
        Ok(Self {
            model: model.to_owned(),
            protocol: protocol.to_owned(),
            units: first.said.units.iter().map(|u| u.unit.number()).collect(),
            classes: names(answers).to_vec(),
            action_units: unit_part(&shown),
            action_units_by_kind: ExpressionKind::BOTH
                .into_iter()
                .map(|k| (k, unit_part(&of_kind(k))))
                .collect(),
            found_at_rest: (!rests.is_empty())
                .then(|| share(rests.iter().filter(|a| found(a)).count(), rests.len())),
            by_kind: ExpressionKind::BOTH
                .into_iter()
                .map(|k| {
                    let of_kind: Vec<&Answer> = (of_kind(k).into_iter())
                        .filter(|a| a.judged.class.is_some())
                        .collect();
                    (k, class_score(&of_kind, count))
                })
                .collect(),
            named: share(named.len(), classed.len()),
            named_right: share(named.iter().filter(|a| is_right(a)).count(), named.len()),
            calibration_units: unit_calibration(&shown, temperatures[0])?,
            calibration_classes: class_calibration(&classed, temperatures[1])?,
            per_dataset: BTreeMap::from([("recordings".to_owned(), all.clone())]),
            all,
            per_subject: subjects,
            left_out: measured.iter().map(|m| m.left_out.len() as u64).sum(),
            seed,
            settings,
        })
    }

    /// Writes the report and, beside it, `<stem>.predictions.csv`.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub fn write(&self, path: &Path, answers: &[Answer]) -> Result<(), OutputError> {
        let mut text =
            serde_json::to_string_pretty(self).map_err(|e| OutputError::write(path, e))?;
        text.push('\n');
        let table = predictions_path(path);
        let mut batch = Batch::default();
        let rows = predictions_csv(answers).map_err(|e| OutputError::write(&table, e))?;
        batch.add(&table, &rows)?;
        batch.add(path, text.as_bytes())?;
        batch.commit()
    }

    /// The figures for a person to read.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        let mut line = |t: std::fmt::Arguments| {
            // Writing into a String cannot fail.
            let _ = text.write_fmt(t);
            text.push('\n');
        };
        let parts = || {
            let all = std::iter::once(("all", &self.action_units));
            let kinds = self.action_units_by_kind.iter();
            all.chain(kinds.map(|(kind, part)| (kind.name(), part)))
        };
        line(format_args!(
            "{:<8} {:>6} {:>10} {:>12} {:>6}",
            "units", "clips", "binary F1", "two-class F1", "sides"
        ));
        for (name, part) in parts() {
            line(format_args!(
                "{name:<8} {:>6} {:>10.4} {:>12.4} {:>6.3}",
                part.score.clips,
                part.score.mean_f1_binary,
                part.score.mean_f1_macro,
                part.sides_right
            ));
        }
        for (at, unit) in self.units.iter().enumerate() {
            let counts = self.action_units.score.counts[at];
            line(format_args!(
                "AU{unit:<6} {:>6} {:>10.4} {:>12.4}",
                counts.tp + counts.fn_,
                self.action_units.score.f1_binary[at],
                self.action_units.score.f1_macro[at]
            ));
        }
        line(format_args!(
            "{:<8} {:>6} {:>10} {:>12} {:>6}",
            "classes", "clips", "accuracy", "UF1", "UAR"
        ));
        let kinds = self.by_kind.iter().map(|(kind, part)| (kind.name(), part));
        for (name, part) in std::iter::once(("all", &self.all)).chain(kinds) {
            line(format_args!(
                "{name:<8} {:>6} {:>10.4} {:>12.4} {:>6.3}",
                part.clips, part.accuracy, part.uf1, part.uar
            ));
        }
        line(format_args!(
            "a class is named for {:.1} % of them, {:.1} % of those right",
            100.0 * self.named,
            100.0 * self.named_right
        ));
        if let Some(share) = self.found_at_rest {
            line(format_args!(
                "at rest some unit is called present in {:.1} % of the moments",
                100.0 * share
            ));
        }
        line(format_args!(
            "calibration error: units {:.4} (before {:.4}), classes {:.4} (before {:.4})",
            self.calibration_units.after,
            self.calibration_units.before,
            self.calibration_classes.after,
            self.calibration_classes.before
        ));
        text
    }
}

/// Where the predictions of a report lie.
#[must_use]
pub fn predictions_path(report: &Path) -> PathBuf {
    report.with_extension("predictions.csv")
}

fn is_expression(answer: &Answer) -> bool {
    matches!(answer.judged.sample.shown, Shown::Expression { .. })
}

fn best(answer: &Answer) -> Option<usize> {
    let class = answer.said.class.as_ref()?;
    let p = &class.probabilities;
    (0..p.len()).reduce(|best, at| if p[at] > p[best] { at } else { best })
}

fn is_right(answer: &Answer) -> bool {
    best(answer).is_some() && best(answer) == answer.judged.class
}

fn unit_part(answers: &[&Answer]) -> UnitPart {
    let (mut shown, mut found) = (Vec::new(), Vec::new());
    let (mut sides, mut right) = (0_u32, 0_u32);
    for answer in answers {
        let Some(truth) = &answer.judged.truth else {
            continue;
        };
        shown.push(truth.iter().map(|t| t[0]).collect::<Vec<bool>>());
        found.push(answer.said.units.iter().map(|u| u.present).collect());
        for (truth, said) in truth.iter().zip(&answer.said.units) {
            if truth[0] && said.present && has_halves(said.unit) {
                let side = match (truth[1], truth[2]) {
                    (true, false) => Some(crate::facs::Side::Right),
                    (false, true) => Some(crate::facs::Side::Left),
                    _ => None,
                };
                sides += 1;
                right += u32::from(side == said.side);
            }
        }
    }
    UnitPart {
        score: multilabel::score(&shown, &found),
        sides_right: f64::from(right) / f64::from(sides.max(1)),
    }
}

/// The classes that the network tells apart, none or several.
fn names<'a>(answers: &'a [Answer]) -> &'a [String] {
    let class = answers.first().and_then(|a| a.said.class.as_ref());
    class.map_or(&[], |class| &class.classes)
}

fn class_score(answers: &[&Answer], classes: usize) -> PartScore {
    let said: Vec<(usize, usize)> = answers
        .iter()
        .filter_map(|a| Some((a.judged.class?, best(a)?)))
        .collect();
    let (truth, predicted): (Vec<usize>, Vec<usize>) = said.into_iter().unzip();
    score(&truth, &predicted, classes).into()
}

fn unit_calibration(answers: &[&Answer], temperature: f64) -> Result<CalibrationPart, FitError> {
    let coded: Vec<(&Answer, Vec<bool>)> = (answers.iter())
        .filter_map(|a| {
            let truth = a.judged.truth.as_ref()?;
            Some((*a, truth.iter().map(|t| t[0]).collect()))
        })
        .collect();
    if coded.is_empty() {
        return Ok(CalibrationPart::default());
    }
    let shown: Vec<Vec<bool>> = coded.iter().map(|c| c.1.clone()).collect();
    let error = |warmth: Temperature| -> Result<f64, FitError> {
        let rows: Vec<Vec<f32>> = (coded.iter())
            .map(|(a, truth)| {
                let logits = (0..truth.len()).map(|u| mean_logit(&a.judged.members, u, 0));
                warmth.presence_probabilities(&logits.collect::<Vec<f32>>())
            })
            .collect();
        Ok(calibration::of_presence(&rows, &shown)?
            .pooled
            .expected_error)
    };
    Ok(CalibrationPart {
        before: error(Temperature::default())?,
        after: error(Temperature::new(temperature).unwrap_or_default())?,
    })
}

fn class_calibration(answers: &[&Answer], temperature: f64) -> Result<CalibrationPart, FitError> {
    if answers.is_empty() {
        return Ok(CalibrationPart::default());
    }
    let truth: Vec<usize> = answers.iter().filter_map(|a| a.judged.class).collect();
    let error = |warmth: Temperature| -> Result<f64, FitError> {
        let rows: Vec<Vec<f32>> = (answers.iter())
            .map(|a| warmth.class_probabilities(&mean_classes(&a.judged.members)))
            .collect();
        Ok(calibration::of_classes(&rows, &truth)?.expected_error)
    };
    Ok(CalibrationPart {
        before: error(Temperature::default())?,
        after: error(Temperature::new(temperature).unwrap_or_default())?,
    })
}

/// `recording,subject,kind,onset,apex,truth,prediction,named,uncertainty`, the classes'
/// probabilities, the coded and the found units and each unit's probability.
fn predictions_csv(answers: &[Answer]) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let Some(first) = answers.first() else {
        return Ok(Vec::new());
    };
    let mut header: Vec<String> = [
        "recording",
        "subject",
        "kind",
        "onset",
        "apex",
        "truth",
        "prediction",
        "named",
        "uncertainty",
    ]
    .map(str::to_owned)
    .to_vec();
    header.extend(names(answers).iter().map(|name| format!("{name}_p")));
    header.extend(["aus", "found"].map(str::to_owned));
    let units = first.said.units.iter();
    header.extend(units.map(|u| format!("AU{:02}_p", u.unit.number())));
    out.write_record(&header)?;
    for answer in answers.iter().filter(|a| is_expression(a)) {
        let recording = answer.judged.recording;
        let Some(event) = answer.judged.sample.shown.event() else {
            continue;
        };
        let event = &recording.recording.events[event];
        let number = |n: Option<usize>| n.map_or(String::new(), |n| n.to_string());
        let class = answer.said.class.as_ref();
        let mut row = vec![
            recording.recording.recording.clone(),
            recording.recording.subject.clone(),
            event.kind.name().to_owned(),
            event.onset.to_string(),
            event.apex.map_or(String::new(), |a| a.to_string()),
            number(answer.judged.class),
            number(best(answer)),
            class.map_or(String::new(), |c| u8::from(!c.abstains).to_string()),
            class.map_or(String::new(), |c| format!("{:.4}", c.uncertainty.total)),
        ];
        for at in 0..names(answers).len() {
            let p = class.and_then(|c| c.probabilities.get(at));
            row.push(p.map_or(String::new(), |p| format!("{p:.4}")));
        }
        row.push(event.aus.as_deref().map_or(String::new(), write_units));
        row.push(answer.said.units_text());
        row.extend(
            answer
                .said
                .units
                .iter()
                .map(|u| format!("{:.4}", u.probability)),
        );
        out.write_record(&row)?;
    }
    out.into_inner().map_err(|e| e.into_error().into())
}
