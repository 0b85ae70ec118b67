//! The figures of an evaluation of attention: how much of each kind of map lies where
//! the face moved.

use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::attention::{Clip, Clips, Looked, MapKind};
use crate::base::stats::median;
use crate::project::output::{self, OutputError};

/// A map is good when this share of its mass lies where the face moved.
pub const GOAL: f64 = 0.8;
/// A map proves little where more of the face than this moved.
pub const SMALL: f64 = 0.25;

/// Some numbers of 0..1 in short.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Spread {
    pub mean: f64,
    pub median: f64,
    pub lowest: f64,
    pub highest: f64,
}

impl Spread {
    /// `None` of no numbers.
    fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            mean: values.iter().sum::<f64>() / values.len() as f64,
            median: median(values)?,
            lowest: values.iter().copied().fold(f64::INFINITY, f64::min),
            highest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

/// One kind of map over some clips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapFigures {
    pub map: String,
    /// The share of the map's mass where the face moved.
    pub share: Spread,
    /// Share of the clips in which that reaches [`GOAL`].
    pub reaching: f64,
    /// The mean share where the map of another clip is laid over this one's face.
    pub of_another: f64,
    /// What the unit's logit loses on average when the tenth of the face that the map
    /// names first is stilled.
    pub logit_lost: f64,
}

/// Some of the clips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttentionPart {
    pub name: String,
    pub clips: usize,
    /// The share of the face that moved: that of an even map, by chance.
    pub moved: Spread,
    pub maps: Vec<MapFigures>,
}

/// One clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipRow {
    pub recording: String,
    /// `micro` or `macro`.
    pub kind: String,
    pub onset: u64,
    pub apex: u64,
    /// As labels have them.
    pub units: String,
    /// The largest displacement, pixels of the 128×128 crop.
    pub amplitude_px: f64,
    /// The likeliest unit, whose maps were judged.
    pub unit: u8,
    pub present: bool,
    /// Whether the likeliest unit is labelled.
    pub labelled: bool,
    /// The share of the face that moved.
    pub moved: f64,
    /// The share of each map's mass where the face moved, in the order of the maps.
    pub shares: Vec<f64>,
    pub of_another: Vec<f64>,
    pub logit_lost: Vec<f64>,
}

/// Where the studio's clips come from and what read them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// The recipe's world and seed.
    pub recipe: String,
    /// Chose the expression of each recording.
    pub seed: u64,
    pub weights: String,
    pub weights_sha256: String,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttentionReport {
    #[serde(flatten)]
    pub setting: Setting,
    pub goal: f64,
    /// Names of the maps in the order of the lists.
    pub maps: Vec<String>,
    pub parts: Vec<AttentionPart>,
    pub clips: Vec<ClipRow>,
    /// Recordings whose expression could not be measured, and why.
    pub left_out: Vec<(String, String)>,
}

impl AttentionReport {
    #[must_use]
    pub fn new(setting: Setting, filmed: &Clips, looked: &[Looked]) -> Self {
        let pairs: Vec<(&Clip, &Looked)> = filmed.clips.iter().zip(looked).collect();
        let clips: Vec<ClipRow> = (pairs.iter().enumerate())
            .map(|(at, (clip, looked))| {
                // Of the clip before, and of the last for the first.
                let (_, other) = pairs[(at + pairs.len() - 1) % pairs.len()];
                row(clip, looked, other)
            })
            .collect();
        let part = |name: &str, wanted: &dyn Fn(&ClipRow) -> bool| {
            let rows: Vec<&ClipRow> = clips.iter().filter(|row| wanted(row)).collect();
            part(name, &rows)
        };
        let parts = [
            part("all", &|_| true),
            part("at most a quarter moved", &|row| row.moved <= SMALL),
            part("micro", &|row| row.kind == "micro"),
            part("macro", &|row| row.kind == "macro"),
            part("unit is labelled", &|row| row.labelled),
        ];
        Self {
            setting,
            goal: GOAL,
            maps: MapKind::ALL.map(|kind| kind.name().to_owned()).to_vec(),
            parts: parts.into_iter().flatten().collect(),
            clips,
            left_out: filmed.left_out.clone(),
        }
    }

    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), OutputError> {
        let text = serde_json::to_string_pretty(self).map_err(|e| OutputError::write(path, e))?;
        output::write_whole(path, (text + "\n").as_bytes())
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
        for part in &self.parts {
            let Spread {
                mean,
                lowest,
                highest,
                ..
            } = part.moved;
            line(format_args!(
                "{}: {} clips; {:.1} % of the face moved ({:.1}–{:.1} %), that much by chance",
                part.name,
                part.clips,
                100.0 * mean,
                100.0 * lowest,
                100.0 * highest
            ));
            line(format_args!(
                "  {:<18} {:>6} {:>7} {:>11} {:>7} {:>9} {:>10}",
                "map", "mean %", "median", "range", "≥ 80 %", "another's", "logit lost"
            ));
            for map in &part.maps {
                let range = format!(
                    "{:.0}–{:.0}",
                    100.0 * map.share.lowest,
                    100.0 * map.share.highest
                );
                line(format_args!(
                    "  {:<18} {:>6.1} {:>7.1} {range:>11} {:>7.0} {:>9.1} {:>10.2}",
                    map.map,
                    100.0 * map.share.mean,
                    100.0 * map.share.median,
                    100.0 * map.reaching,
                    100.0 * map.of_another,
                    map.logit_lost
                ));
            }
        }
        text
    }
}

fn row(clip: &Clip, looked: &Looked, other: &Looked) -> ClipRow {
    let share = |looked: &Looked| -> Vec<f64> {
        let maps = looked.maps.iter();
        maps.map(|map| clip.moved.share_of(map)).collect()
    };
    ClipRow {
        recording: clip.recording.clone(),
        kind: clip.event.kind.name().to_owned(),
        onset: clip.event.onset,
        apex: clip.event.apex,
        units: clip.event.units_text(),
        amplitude_px: clip.event.amplitude_px,
        unit: looked.unit.number(),
        present: looked.present,
        labelled: clip.units().contains(&looked.unit),
        moved: clip.moved.share_of_face(),
        shares: share(looked),
        of_another: share(other),
        logit_lost: looked.logit_lost.clone(),
    }
}

/// `None` of no clips.
fn part(name: &str, rows: &[&ClipRow]) -> Option<AttentionPart> {
    let moved: Vec<f64> = rows.iter().map(|row| row.moved).collect();
    let moved = Spread::of(&moved)?;
    let maps = MapKind::ALL.iter().enumerate().filter_map(|(at, kind)| {
        let column = |of: fn(&ClipRow) -> &[f64]| -> Vec<f64> {
            rows.iter().map(|row| of(row)[at]).collect()
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let shares = column(|row| &row.shares);
        let reaching = shares.iter().filter(|share| **share >= GOAL).count();
        Some(MapFigures {
            map: kind.name().to_owned(),
            share: Spread::of(&shares)?,
            reaching: reaching as f64 / shares.len() as f64,
            of_another: mean(&column(|row| &row.of_another)),
            logit_lost: mean(&column(|row| &row.logit_lost)),
        })
    });
    Some(AttentionPart {
        name: name.to_owned(),
        clips: rows.len(),
        moved,
        maps: maps.collect(),
    })
}
