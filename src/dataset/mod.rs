//! Labelled data on disk: what `train` and `evaluate` read.
//!
//! Every source becomes one [`Index`]: recordings of subjects, and for each its
//! events in frames from 0. Readers know the published layouts and the quirks of the
//! label sheets; nothing is left out in silence ([`Index::problems`]).
//!
//! Networks for recognition read flow images ([`flow_images`]). They are published as a
//! folder, or made here from an [`Index`]: [`flow_plan`] says of which events,
//! [`flow_measure`] how, [`flow_preparation`] fills the folder.
//!
//! # What the readers rely on
//! The licensed databases cannot be shipped with a program, so their layouts were
//! taken from the readers that published research code has for them (SOFTNet and MEAN
//! by the authors of S4 and S1 for CASME II, SMIC-E, CAS(ME)², SAMM Long Videos; the
//! `meb` benchmark for CASME II, SAMM, SMIC, CAS(ME)³; the MEGC baselines; several
//! CAS(ME)³ projects), not from the databases themselves. Each reader's page says what
//! it expects. `onset data check` shows what was found before anything is computed.

mod builder;
pub mod casme2;
pub mod casme3;
pub mod casme_sq;
pub mod check;
pub mod check_flow_images;
pub mod error;
pub(crate) mod flow_frames;
pub mod flow_images;
pub mod flow_measure;
pub mod flow_plan;
pub mod flow_preparation;
pub mod frame_folder;
pub mod index;
mod layout;
pub mod recordings;
pub mod samm;
pub mod samm_long;
mod sheet;
pub mod smic;
pub mod splits;

use std::path::Path;

pub use error::{DatasetError, Place, Problem};
pub use index::{DatasetKind, Distractor, DistractorKind, Index, LabelledEvent, LabelledRecording};

/// Reads the labels of `kind` below `root` and finds the frames they speak of.
/// Pictures are not decoded.
///
/// # Errors
/// [`DatasetError`] when nothing usable is there; single rows that cannot be used are
/// in [`Index::problems`] instead.
pub fn open(kind: DatasetKind, root: &Path) -> Result<Index, DatasetError> {
    if !root.is_dir() {
        return Err(DatasetError::NoRoot {
            root: root.to_owned(),
        });
    }
    match kind {
        DatasetKind::Casme2 => casme2::read(root),
        DatasetKind::Samm => samm::read(root),
        DatasetKind::SammLong => samm_long::read(root),
        DatasetKind::Smic => smic::read(root),
        DatasetKind::CasmeSq => casme_sq::read(root),
        DatasetKind::Casme3 => casme3::read(root),
        DatasetKind::Recordings => recordings::read(root),
    }
}

/// What lies below `root`, by the names of its label files.
///
/// # Errors
/// [`DatasetError::Unknown`] when it is none or more than one of the known kinds.
pub fn recognise(root: &Path) -> Result<DatasetKind, DatasetError> {
    if !root.is_dir() {
        return Err(DatasetError::NoRoot {
            root: root.to_owned(),
        });
    }
    let found: Vec<DatasetKind> = DatasetKind::ALL
        .into_iter()
        .filter(|kind| match kind {
            DatasetKind::Casme2 => casme2::is_here(root),
            // The long videos come with the sheet of the short clips beside them.
            DatasetKind::Samm => samm::is_here(root) && !samm_long::is_here(root),
            DatasetKind::SammLong => samm_long::is_here(root),
            DatasetKind::Smic => smic::is_here(root),
            DatasetKind::CasmeSq => casme_sq::is_here(root),
            DatasetKind::Casme3 => casme3::is_here(root),
            DatasetKind::Recordings => recordings::is_here(root),
        })
        .collect();
    match found[..] {
        [one] => Ok(one),
        _ => Err(DatasetError::Unknown {
            root: root.to_owned(),
            found: found.iter().map(|k| k.argument()).collect(),
        }),
    }
}
