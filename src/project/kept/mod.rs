//! The whole analysis of a recording in its project file, so that opening it again needs
//! none.
//!
//! | where | what |
//! |---|---|
//! | `analysis` | when it was done, parameters ([`Params`]) and facts ([`AnalysisFacts`]) as JSON |
//! | `weights` | names and hashes of the networks that took part |
//! | `frame_times` | when each frame was shown |
//! | `track` | box, confidence, blink and pose of the face, a number a frame |
//! | `proposed_interval` | the candidates with what was read in them, for other programs |
//! | part `frames` | crops in use, the 68 points, other faces, dropped frames |
//! | part `scores` | the score of each window with its mask |
//! | part `units` | what moved just before a frame |
//! | part `rest` | held crops, candidates, thresholds, what moved in them, notices |
//!
//! A part begins with the number of its form, [`FORM`]; what follows is written by
//! [`bytes`]. Everything comes back to the last bit but the points, which are kept to a
//! 32nd of a pixel. An hour at 200 frames a second is about 150 MB, nearly all points.

mod bytes;
pub mod filed;
mod frames;
mod scores;
mod shapes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::bytes::{Compact, Reader, Unreadable, Writer};
use super::file::{Analysis, Part, ProjectError, ProjectFile, ProposedInterval, UsedWeights};
use crate::base::{Notice, Timestamp};
use crate::face::crop::HeldCrop;
use crate::session::Params;
use crate::session::facts::AnalysisFacts;
use crate::spotting::{ExpressionKind, SpottedInterval};
use crate::timeline::event::{Recognised, UnitSample};
use crate::timeline::{Recording, ScoreSource};

/// How the parts are written; goes up with every change of it.
pub const FORM: u8 = 1;

const FRAMES: &str = "frames";
const SCORES: &str = "scores";
const UNITS: &str = "units";
const REST: &str = "rest";

/// A recording that was analysed to its end, with what produced it.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptAnalysis {
    /// Of the Onset that analysed.
    pub onset_version: String,
    /// Milliseconds since 1970.
    pub finished_ms: i64,
    pub params: Params,
    pub facts: AnalysisFacts,
    /// Where it ran, as a person reads it.
    pub device: String,
    pub recording: Arc<Recording>,
}

impl KeptAnalysis {
    /// `2026-11-27`, in world time.
    #[must_use]
    pub fn date(&self) -> String {
        Timestamp::from_nanos(self.finished_ms.saturating_mul(1_000_000)).date()
    }
}

/// Why an analysis cannot be taken from its project.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(
        "The analysis that the project keeps cannot be read: {reason}. It is done again; until \
         that is finished the project keeps it as it is."
    )]
    Unreadable { reason: String },
}

impl From<Unreadable> for KeptError {
    fn from(why: Unreadable) -> Self {
        Self::Unreadable {
            reason: why.to_string(),
        }
    }
}

/// As JSON in the table `analysis`.
#[derive(Serialize, Deserialize)]
struct Facts {
    analysed: AnalysisFacts,
    device: String,
}

/// What is neither a frame's nor a window's.
#[derive(Default)]
struct Rest {
    crops: BTreeMap<u32, HeldCrop>,
    intervals: Vec<SpottedInterval>,
    thresholds: BTreeMap<ExpressionKind, f64>,
    recognised: Vec<Recognised>,
    notices: Vec<Notice>,
}

/// Keeps an analysis in place of an older one; annotations stay.
///
/// # Errors
/// The file cannot be written, or the analysis is not of a whole recording.
pub fn save(file: &mut ProjectFile, kept: &KeptAnalysis) -> Result<(), ProjectError> {
    let recording = &kept.recording;
    let refuse = |reason: String| ProjectError::Refused { reason };
    if !recording.finished {
        return Err(refuse("the recording is not analysed to its end".into()));
    }
    let holes = |pair: &[crate::timeline::FrameRecord]| pair[0].frame + 1 != pair[1].frame;
    if recording.frames.windows(2).any(holes) {
        return Err(refuse("frames are missing in the analysis".into()));
    }
    let json = |e: serde_json::Error| refuse(format!("what produced it has no JSON, {e}"));
    let facts = Facts {
        analysed: kept.facts.clone(),
        device: kept.device.clone(),
    };
    let (tracks, frames) = frames::put(&recording.frames);
    let mut scores = Writer::default();
    scores::put(&recording.scores, &recording.frames, &mut scores);
    let mut units = Writer::default();
    recording.units.put(&mut units);
    let mut rest = Writer::default();
    recording.crops.put(&mut rest);
    recording.intervals.put(&mut rest);
    recording.thresholds.put(&mut rest);
    recording.recognised.len().put(&mut rest);
    recording.recognised.values().for_each(|r| r.put(&mut rest));
    recording.notices.put(&mut rest);
    let part = |name: &str, mut bytes: Vec<u8>| {
        bytes.insert(0, FORM);
        Part {
            name: name.to_owned(),
            bytes,
        }
    };
    let analysis = Analysis {
        onset_version: kept.onset_version.clone(),
        parameters: serde_json::to_string(&kept.params.without_folders()).map_err(json)?,
        facts: Some(serde_json::to_string(&facts).map_err(json)?),
        finished_ms: Some(kept.finished_ms),
        weights: weights(&kept.facts),
        times_ns: (recording.frames.iter())
            .map(|f| f.timestamp.nanos())
            .collect(),
        tracks,
        intervals: proposed(recording).map_err(json)?,
        parts: vec![
            part(FRAMES, frames),
            part(SCORES, scores.0),
            part(UNITS, units.0),
            part(REST, rest.0),
        ],
    };
    file.save_analysis(&analysis)
}

/// `None` where the project has none, or none of the whole recording.
///
/// # Errors
/// The file is damaged, or a newer Onset wrote the analysis.
pub fn load(file: &ProjectFile) -> Result<Option<KeptAnalysis>, KeptError> {
    let Some(analysis) = file.analysis()? else {
        return Ok(None);
    };
    let (Some(finished_ms), Some(facts)) = (analysis.finished_ms, &analysis.facts) else {
        return Ok(None);
    };
    let json = |e: serde_json::Error| KeptError::Unreadable {
        reason: format!("what produced it is not as this Onset knows it, {e}"),
    };
    let Facts { analysed, device } = serde_json::from_str(facts).map_err(json)?;
    let params = serde_json::from_str(&analysis.parameters).map_err(json)?;
    let part = |name: &str| -> Result<Reader, Unreadable> {
        let part = analysis.parts.iter().find(|p| p.name == name);
        let mut bytes = Reader(&part.ok_or(Unreadable("a part is missing"))?.bytes);
        match bytes.byte()? {
            FORM => Ok(bytes),
            _ => Err(Unreadable("another Onset wrote it")),
        }
    };
    let frames = frames::take(&analysis.times_ns, &analysis.tracks, &mut part(FRAMES)?)?;
    let scores = scores::take(&frames, &mut part(SCORES)?)?;
    let units: Vec<UnitSample> = Compact::take(&mut part(UNITS)?)?;
    let rest = rest(&mut part(REST)?)?;
    let recognised = rest.recognised.into_iter();
    Ok(Some(KeptAnalysis {
        onset_version: analysis.onset_version,
        finished_ms,
        params,
        facts: analysed,
        device,
        recording: Arc::new(Recording {
            frames,
            crops: rest.crops,
            scores,
            intervals: rest.intervals,
            thresholds: rest.thresholds,
            recognised: recognised.map(|r| ((r.onset, r.apex), r)).collect(),
            units,
            notices: rest.notices,
            finished: true,
        }),
    }))
}

fn rest(from: &mut Reader) -> Result<Rest, Unreadable> {
    Ok(Rest {
        crops: Compact::take(from)?,
        intervals: Compact::take(from)?,
        thresholds: Compact::take(from)?,
        recognised: Compact::take(from)?,
        notices: Compact::take(from)?,
    })
}

/// Every network that took part, once.
fn weights(facts: &AnalysisFacts) -> Vec<UsedWeights> {
    let scoring = facts.scores.iter().filter_map(|s| match &s.source {
        ScoreSource::Control => None,
        ScoreSource::SoftNet { weights, sha256 } | ScoreSource::MotionTcn { weights, sha256 } => {
            Some((weights, sha256))
        }
    });
    let reading = facts.recognition.iter().flat_map(|r| {
        let looks = r.second_look.iter().map(|l| (&l.weights, &l.sha256));
        std::iter::once((&r.weights, &r.sha256)).chain(looks)
    });
    let mut used: Vec<UsedWeights> = Vec::new();
    for (name, sha256) in scoring.chain(reading) {
        if used.iter().any(|u| u.sha256 == *sha256) {
            continue;
        }
        let mut name = name.clone();
        // Two files of one name in two folders.
        if used.iter().any(|u| u.name == name) {
            name = format!("{name} {sha256}");
        }
        let sha256 = sha256.clone();
        used.push(UsedWeights { name, sha256 });
    }
    used
}

fn proposed(recording: &Recording) -> Result<Vec<ProposedInterval>, serde_json::Error> {
    let one = |i: &SpottedInterval| {
        let read = recording.recognised_in(i);
        Ok(ProposedInterval {
            kind: i.kind,
            onset: i.onset,
            apex: i.apex,
            offset: i.offset,
            score: i.score,
            recognition: read
                .map(|r| serde_json::to_string(&r.recognition))
                .transpose()?,
        })
    };
    recording.intervals.iter().map(one).collect()
}
