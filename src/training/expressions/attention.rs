//! Attention held to the truth: expressions of a studio recipe, filmed in memory, with
//! the skin that truly moved, and what maps of the action-unit network light of it.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::corpus::{Corpus, CorpusError, Pairs};
use crate::base::Plane;
use crate::explain::against_flow::MovedSkin;
use crate::explain::grad_cam::Weighting;
use crate::explain::units::Method;
use crate::facs::ActionUnit;
use crate::media::synthetic::ShotSource;
use crate::media::{FrameSource, MediaError};
use crate::model::flow_input::{PIXELS, SIDE};
use crate::model::motion_map::{MotionMap, is_face};
use crate::motion::tvl1::Tvl1Preset;
use crate::recognition::{ExpressionMotion, FaceReader, ReaderError};
use crate::training::random::{Moment, Purpose};
use crate::training::synthesis::{Recipe, Script, ScriptedEvent};

/// Of the face, this share of the cells that a map names first is stilled to see what
/// the unit's logit loses.
const STILLED: f64 = 0.1;

#[derive(Debug, thiserror::Error)]
pub enum AttentionError {
    #[error(
        "{asked} clips were asked for, and the recipe films {there} recordings with an expression. Ask for fewer, or give a recipe of more recordings"
    )]
    Few { asked: usize, there: usize },
    #[error(
        "In none of the clips the motion could be measured; of the first, {reason}. Give a recipe whose faces are larger"
    )]
    Nothing { reason: String },
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    #[error("A clip cannot be filmed: {0}")]
    Media(#[from] MediaError),
    #[error(transparent)]
    Reader(#[from] ReaderError),
}

/// One expression of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    pub recording: String,
    pub event: ScriptedEvent,
    pub motion: ExpressionMotion,
    pub moved: MovedSkin,
}

impl Clip {
    /// The units that act.
    #[must_use]
    pub fn units(&self) -> Vec<ActionUnit> {
        let units = self.event.units.iter();
        units.filter_map(|u| ActionUnit::new(u.unit)).collect()
    }
}

/// What was filmed.
#[derive(Debug, Clone, PartialEq)]
pub struct Clips {
    pub clips: Vec<Clip>,
    /// Recordings whose expression could not be measured, and why.
    pub left_out: Vec<(String, String)>,
}

/// Films one expression of each of the recipe's first `count` recordings that have any;
/// `seed` says which. Its onset and apex are measured as recordings are, but are not
/// compressed on the way. `done` hears how many clips are ready.
///
/// # Errors
/// When the recipe has too few recordings with an expression, the face models cannot be
/// loaded, or no clip can be measured.
pub fn film(
    recipe: &Recipe,
    (count, seed): (usize, u64),
    preset: Tvl1Preset,
    done: impl Fn(usize) + Sync,
) -> Result<Clips, AttentionError> {
    let scripts: Vec<(u32, Script)> = (0..recipe.recordings)
        .map(|number| (number, Script::draw(recipe, number)))
        .filter(|(_, script)| !script.events.is_empty())
        .take(count)
        .collect();
    if scripts.len() < count {
        return Err(AttentionError::Few {
            asked: count,
            there: scripts.len(),
        });
    }
    // Of pairs in memory nothing is kept, so no folder is touched.
    let corpus = Corpus::new(preset, Pairs::Testing, Path::new(""))?;
    let ready = AtomicUsize::new(0);
    let filmed = scripts.into_par_iter().with_max_len(1);
    let filmed = filmed.map(|(number, script)| {
        let moment = Moment {
            seed,
            ..Moment::default()
        };
        let mut random = moment.stream(Purpose::Sampling).part(u64::from(number));
        let event = script.events[random.below(script.events.len())].clone();
        let name = script.shot.name.clone();
        let clip = clip(&corpus, script, event)?;
        done(ready.fetch_add(1, Ordering::Relaxed) + 1);
        Ok((name, clip))
    });
    let filmed: Vec<_> = filmed.collect::<Result<_, MediaError>>()?;
    let mut all = Clips {
        clips: Vec::new(),
        left_out: Vec::new(),
    };
    for (name, clip) in filmed {
        match clip {
            Ok(clip) => all.clips.push(clip),
            Err(reason) => all.left_out.push((name, reason)),
        }
    }
    match (all.clips.is_empty(), all.left_out.first()) {
        (true, Some((_, reason))) => Err(AttentionError::Nothing {
            reason: reason.clone(),
        }),
        _ => Ok(all),
    }
}

fn clip(
    corpus: &Corpus,
    script: Script,
    event: ScriptedEvent,
) -> Result<Result<Clip, String>, MediaError> {
    let recording = script.shot.name.clone();
    let mut source = ShotSource::new(script.shot);
    let mut pictures = Vec::new();
    for frame in [event.onset, event.apex] {
        source.seek(frame)?;
        pictures.extend(source.next_frame()?.map(|frame| frame.picture));
    }
    let [onset, apex] = pictures.as_slice() else {
        return Ok(Err("its labels name frames beyond its end".to_owned()));
    };
    let motion = match corpus.pair(onset, apex) {
        Ok(motion) => motion,
        Err(reason) => return Ok(Err(reason)),
    };
    let flow = source.flow(event.onset, event.apex);
    let Some(moved) = MovedSkin::of(&flow, &motion.framing) else {
        return Ok(Err("its face has no extent".to_owned()));
    };
    Ok(Ok(Clip {
        recording,
        event,
        motion,
        moved,
    }))
}

/// Maps of one motion that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapKind {
    /// What the window shows: of the likeliest unit.
    Shown,
    /// The same before noise is taken off.
    Noisy,
    /// As shown, of all labelled units together.
    Labelled,
    /// Grad-CAM of the likeliest unit at the last convolution, each place by its own
    /// gradient.
    ByPlace,
    /// The same as the paper of Grad-CAM weighs.
    Averaged,
    /// The length of the measured motion: what a map would be that knows no network.
    Motion,
}

impl MapKind {
    pub const ALL: [Self; 6] = [
        Self::Shown,
        Self::Noisy,
        Self::Labelled,
        Self::ByPlace,
        Self::Averaged,
        Self::Motion,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Shown => "as shown",
            Self::Noisy => "noise included",
            Self::Labelled => "labelled units",
            Self::ByPlace => "Grad-CAM by place",
            Self::Averaged => "Grad-CAM averaged",
            Self::Motion => "measured motion",
        }
    }
}

/// A clip with what was said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// The likeliest unit, whose maps these are.
    pub unit: ActionUnit,
    pub present: bool,
    /// As [`MapKind::ALL`].
    pub maps: Vec<Plane>,
    /// What the unit's logit loses when the tenth of the face that each map names first
    /// is stilled.
    pub logit_lost: Vec<f64>,
}

/// The maps of each clip. Gradients are computed on the calling thread, which must be
/// none of a pool's.
///
/// # Errors
/// When the device fails.
pub fn look(reader: &FaceReader, clips: &[Clip]) -> Result<Vec<Looked>, ReaderError> {
    let looked = clips.iter().map(|clip| look_at(reader, clip));
    looked.filter_map(Result::transpose).collect()
}

/// `None` for a network without units, which no weights file holds.
fn look_at(reader: &FaceReader, clip: &Clip) -> Result<Option<Looked>, ReaderError> {
    let motion = &clip.motion;
    let mut said = reader.read(&[motion])?;
    let Some(said) = said.pop() else {
        return Ok(None);
    };
    let Some(unit) = FaceReader::likeliest(&said) else {
        return Ok(None);
    };
    let integrated = reader.attention_for(motion, unit, Method::Integrated)?;
    let mut noisy = integrated.evidence;
    for value in &mut noisy.data {
        *value = value.max(0.0);
    }
    let mut labelled = Plane::zeros(SIDE, SIDE);
    for (at, known) in reader.units().iter().enumerate() {
        if clip.units().contains(known) {
            let map = reader.attention_for(motion, at, Method::Integrated)?;
            for (sum, value) in labelled.data.iter_mut().zip(&map.map.data) {
                *sum += map.peak * value;
            }
        }
    }
    let grad_cam = |weighting| reader.attention_for(motion, unit, Method::GradCam(weighting));
    let (u, v) = motion.map.values().split_at(PIXELS);
    let lengths = u.iter().zip(v).map(|(u, v)| u.hypot(*v)).collect();
    let maps = vec![
        integrated.map,
        noisy,
        labelled,
        grad_cam(Weighting::Positionwise)?.map,
        grad_cam(Weighting::Averaged)?.map,
        Plane::from_vec(SIDE, SIDE, lengths),
    ];
    let stilled: Vec<MotionMap> = maps.iter().map(|map| stilled(&motion.map, map)).collect();
    let mut asked = vec![&motion.map];
    asked.extend(&stilled);
    let logits: Vec<f64> = (reader.logits(&asked)?.iter())
        .map(|members| {
            let acts = members.iter().map(|m| f64::from(m.units[unit][0]));
            acts.sum::<f64>() / members.len() as f64
        })
        .collect();
    Ok(Some(Looked {
        unit: said.units[unit].unit,
        present: said.units[unit].present,
        maps,
        logit_lost: logits[1..].iter().map(|l| logits[0] - l).collect(),
    }))
}

/// The motion with the cells at rest that a map names first.
fn stilled(motion: &MotionMap, map: &Plane) -> MotionMap {
    let mut cells: Vec<usize> = (0..PIXELS).filter(|&cell| is_face(cell)).collect();
    let count = (STILLED * cells.len() as f64).round() as usize;
    cells.sort_by(|&a, &b| map.data[b].total_cmp(&map.data[a]));
    let mut motion = motion.clone();
    for plane in motion.values_mut().chunks_exact_mut(PIXELS) {
        cells[..count].iter().for_each(|&cell| plane[cell] = 0.0);
    }
    motion
}
