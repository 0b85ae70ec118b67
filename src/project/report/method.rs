//! Parameters and weights of an analysis, in words.

use serde_json::Value;

use super::{Method, Weights};
use crate::project::results::Summary;
use crate::timeline::ScoreSource;
use crate::timeline::event::RecognitionSource;

impl Method {
    /// All that may be chosen before an analysis, and what it was chosen to be.
    #[must_use]
    pub fn of(summary: &Summary) -> Self {
        let mut parameters = Vec::new();
        let mut say = |name: &str, value: String| parameters.push((name.to_owned(), value));
        for (kind, facts) in &summary.scores {
            let kind = kind.name();
            say(&format!("{kind} score"), facts.source_label.clone());
            let frames = facts.window_frames.map_or_else(
                || "; not looked for".to_owned(),
                |frames| format!(", {frames} frames"),
            );
            say(
                &format!("{kind} window"),
                format!("{} s{frames}", facts.window_secs),
            );
            if let Some(threshold) = facts.threshold {
                say(&format!("{kind} threshold"), format!("{threshold:.6}"));
            }
        }
        if let Some(source) = &summary.recognition {
            say("present from a probability of", unit_thresholds(source));
            say(
                "one side from a probability of",
                source.side_threshold.to_string(),
            );
            say(
                "no class above an uncertainty of",
                source.abstain_above.to_string(),
            );
        }
        say("landmarks by", summary.face.landmark_model.clone());
        say("flow computed on", summary.device.flow.clone());
        if let Some(network) = &summary.device.network {
            say("networks computed on", network.clone());
        }
        // Read from what files keep, so that a parameter of tomorrow is not forgotten.
        match serde_json::to_value(&summary.parameters) {
            Ok(value) => chosen("", &value, &mut parameters),
            Err(e) => log::warn!("the report lacks the chosen parameters: {e}"),
        }
        Self {
            version: summary.onset_version.clone(),
            parameters,
            weights: weights(summary),
        }
    }
}

fn unit_thresholds(source: &RecognitionSource) -> String {
    let units = source.units.iter().zip(&source.unit_thresholds);
    let units: Vec<String> = units
        .map(|(unit, from)| format!("AU {} {from:.2}", unit.number()))
        .collect();
    units.join(", ")
}

/// Nested names are joined; what was not chosen is left out.
fn chosen(name: &str, value: &Value, to: &mut Vec<(String, String)>) {
    let text = match value {
        Value::Null => return,
        Value::Object(entries) => {
            for (key, value) in entries {
                let key = key.replace('_', " ");
                let name = if name.is_empty() {
                    format!("chosen {key}")
                } else {
                    format!("{name}, {key}")
                };
                chosen(&name, value, to);
            }
            return;
        }
        Value::Array(entries) if entries.is_empty() => return,
        Value::Array(entries) => {
            let texts: Vec<String> = entries.iter().map(plain).collect();
            texts.join(", ")
        }
        value => plain(value),
    };
    to.push((name.to_owned(), text));
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Each file once for each task.
fn weights(summary: &Summary) -> Vec<Weights> {
    let mut list: Vec<Weights> = Vec::new();
    let mut add = |task: String, name: &str, sha256: &str| {
        list.push(Weights {
            task,
            name: name.to_owned(),
            sha256: sha256.to_owned(),
        });
    };
    for (kind, facts) in &summary.scores {
        match &facts.source {
            ScoreSource::Control => {}
            ScoreSource::SoftNet { weights, sha256 }
            | ScoreSource::MotionTcn { weights, sha256 } => {
                add(format!("{} score", kind.name()), weights, sha256);
            }
        }
    }
    if let Some(source) = &summary.recognition {
        add(
            "units and class".to_owned(),
            &source.weights,
            &source.sha256,
        );
        for second in &source.second_look {
            let task = format!("second look, {}", second.network);
            add(task, &second.weights, &second.sha256);
        }
    }
    list
}
