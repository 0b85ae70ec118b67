//! What an evaluation says: predictions clip by clip, and the scores of all folds
//! together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::dataset::flow_images::FlowImages;
use crate::metrics::recognition::{RecognitionScore, score};
use crate::model::flow_input::CLASSES;
use crate::project::output::{Batch, OutputError};
use crate::training::checkpoint::Settings;

/// What a network said of one clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    pub clip: String,
    pub subject: String,
    pub dataset: String,
    pub truth: usize,
    pub prediction: usize,
    /// Of negative, positive, surprise.
    pub probabilities: [f32; 3],
}

impl Prediction {
    /// Joins a clip of the data and what was said of it.
    #[must_use]
    pub fn new(data: &FlowImages, clip: usize, probabilities: [f32; 3]) -> Self {
        let row = &data.clips[clip];
        Self {
            clip: row.clip.clone(),
            subject: row.subject.clone(),
            dataset: row.dataset.clone(),
            truth: row.label,
            prediction: super::learner::best(&probabilities),
            probabilities,
        }
    }
}

/// Scores of a part of the clips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartScore {
    pub clips: u64,
    pub accuracy: f64,
    pub uf1: f64,
    pub uar: f64,
    /// `[truth][prediction]`
    pub confusion: Vec<Vec<u64>>,
}

impl From<RecognitionScore> for PartScore {
    fn from(score: RecognitionScore) -> Self {
        Self {
            clips: score.clips,
            accuracy: score.accuracy,
            uf1: score.uf1,
            uar: score.uar,
            confusion: score.confusion,
        }
    }
}

/// A subject's clips and how many of them were right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubjectScore {
    pub clips: u64,
    pub right: u64,
    pub accuracy: f64,
}

/// The report of an evaluation; counts are pooled over all folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub model: String,
    /// `loso` or `test`.
    pub protocol: String,
    pub classes: Vec<String>,
    #[serde(flatten)]
    pub all: PartScore,
    pub per_dataset: BTreeMap<String, PartScore>,
    pub per_subject: BTreeMap<String, SubjectScore>,
    /// Of the training; absent where weights were only applied.
    pub seed: Option<u64>,
    pub settings: Settings,
}

impl Report {
    /// `predictions` in any order.
    #[must_use]
    pub fn new(
        model: &str,
        protocol: &str,
        predictions: &[Prediction],
        seed: Option<u64>,
        settings: Settings,
    ) -> Self {
        let mut datasets: BTreeMap<&str, Vec<&Prediction>> = BTreeMap::new();
        let mut subjects: BTreeMap<&str, Vec<&Prediction>> = BTreeMap::new();
        for row in predictions {
            datasets.entry(&row.dataset).or_default().push(row);
            subjects.entry(&row.subject).or_default().push(row);
        }
        let subject = |rows: &[&Prediction]| {
            let right = rows.iter().filter(|p| p.truth == p.prediction).count();
            SubjectScore {
                clips: rows.len() as u64,
                right: right as u64,
                accuracy: right as f64 / rows.len().max(1) as f64,
            }
        };
        Self {
            model: model.to_owned(),
            protocol: protocol.to_owned(),
            classes: CLASSES.map(str::to_owned).to_vec(),
            all: scored(&predictions.iter().collect::<Vec<_>>()),
            per_dataset: datasets
                .iter()
                .map(|(name, rows)| ((*name).to_owned(), scored(rows)))
                .collect(),
            per_subject: subjects
                .iter()
                .map(|(name, rows)| ((*name).to_owned(), subject(rows)))
                .collect(),
            seed,
            settings,
        }
    }

    /// Writes the report and, beside it, `<stem>.predictions.csv`, which
    /// `onset score recognition` reads.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub fn write(&self, path: &Path, predictions: &[Prediction]) -> Result<(), OutputError> {
        let mut text =
            serde_json::to_string_pretty(self).map_err(|e| OutputError::write(path, e))?;
        text.push('\n');
        let mut batch = Batch::default();
        let table = predictions_path(path);
        batch.add(&table, predictions_csv(predictions).as_bytes())?;
        batch.add(path, text.as_bytes())?;
        batch.commit()
    }
}

/// Where the predictions of a report lie.
#[must_use]
pub fn predictions_path(report: &Path) -> PathBuf {
    report.with_extension("predictions.csv")
}

fn scored(rows: &[&Prediction]) -> PartScore {
    let truth: Vec<_> = rows.iter().map(|p| p.truth).collect();
    let predicted: Vec<_> = rows.iter().map(|p| p.prediction).collect();
    score(&truth, &predicted, CLASSES.len()).into()
}

/// By clip; names are quoted where they need it.
fn predictions_csv(predictions: &[Prediction]) -> String {
    let mut sorted: Vec<_> = predictions.iter().collect();
    sorted.sort_by(|a, b| a.clip.cmp(&b.clip));
    let quoted = |text: &str| {
        if text.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    };
    let mut table = "recording,subject,truth,prediction,dataset".to_owned();
    for class in CLASSES {
        table.push_str(&format!(",{class}_p"));
    }
    table.push('\n');
    for row in sorted {
        table.push_str(&format!(
            "{},{},{},{},{}",
            quoted(&row.clip),
            quoted(&row.subject),
            row.truth,
            row.prediction,
            quoted(&row.dataset)
        ));
        for p in row.probabilities {
            table.push_str(&format!(",{p:.6}"));
        }
        table.push('\n');
    }
    table
}
