//! The faces of labelled expressions, cut out and kept.

use std::path::Path;
use std::sync::Arc;

use image::RgbImage;
use safetensors::tensor::{Dtype, SafeTensors};

use super::corpus::{Corpus, Shown};
use super::kept::{Array, write};
use crate::dataset::LabelledRecording;
use crate::dataset::flow_frames::{Pair, read_groups};
use crate::model::face_pictures::{BYTES, FacePictures, STEPS, evenly};
use crate::model::flow_framing::FlowFraming;
use crate::motion::luma::LumaPatch;
use crate::project::output::OutputError;

/// Changes whenever the same frames give other pictures.
pub(super) const VERSION: u32 = 3;

const PICTURES: &str = "pictures";
/// For each pair why there are no pictures of it; null where there are.
const REASONS: &str = "reasons";

/// Of each pair every frame that is read, in rising order.
pub(super) fn groups(recording: &LabelledRecording, wanted: &[(Shown, Pair)]) -> Vec<Vec<u64>> {
    let group = |&(shown, pair): &(Shown, Pair)| {
        let mut group = clip(recording, shown, pair);
        group.push(pair.1);
        group.sort_unstable();
        group.dedup();
        group
    };
    wanted.iter().map(group).collect()
}

/// The frames of a pair's clip; short ones show a frame several times.
fn clip(recording: &LabelledRecording, shown: Shown, pair: Pair) -> Vec<u64> {
    let end = clip_end(recording, shown, pair);
    let steps = evenly(end - pair.0, STEPS);
    steps.into_iter().map(|step| pair.0 + step).collect()
}

/// The last frame of a pair's clip: an expression goes on to its offset.
fn clip_end(recording: &LabelledRecording, shown: Shown, pair: Pair) -> u64 {
    match shown {
        Shown::Expression { event } | Shown::Astray { event } => {
            let offset = recording.events.get(event).map_or(pair.1, |e| e.offset);
            offset.max(pair.1)
        }
        Shown::Release { .. } | Shown::Rest => pair.1,
    }
}

impl Corpus {
    /// Of each pair the pictures, or why they cannot be cut out.
    pub(super) fn pictures_of(
        &self,
        recording: &LabelledRecording,
        wanted: &[(Shown, Pair)],
    ) -> Vec<Result<FacePictures, String>> {
        let groups = groups(recording, wanted);
        let mut found = vec![Err("it was not read".to_owned()); wanted.len()];
        read_groups(recording, &groups, |at, pictures| {
            found[at] = pictures.and_then(|pictures| {
                let (shown, pair) = wanted[at];
                let of = |frame: u64| {
                    let place = groups[at].partition_point(|&f| f < frame);
                    &pictures[place]
                };
                let clip = clip(recording, shown, pair);
                let clip: Vec<&Arc<RgbImage>> = clip.into_iter().map(of).collect();
                self.cut(&clip, of(pair.1))
            });
        });
        found
    }

    fn cut(&self, clip: &[&Arc<RgbImage>], apex: &RgbImage) -> Result<FacePictures, String> {
        let onset = clip.first().ok_or("it has no frames")?;
        if clip.iter().any(|p| p.dimensions() != apex.dimensions()) {
            return Err("its frames differ in size".to_owned());
        }
        let face = self.surest_face(onset);
        let face = face.ok_or("no face is found in its onset frame")?;
        let framing = FlowFraming::of(&self.points(onset, face)).map_err(|e| e.to_string())?;
        let patch = |picture: &RgbImage| self.patch(picture, face);
        let mut patches: Vec<LumaPatch> = Vec::with_capacity(clip.len());
        for (at, picture) in clip.iter().enumerate() {
            // Short clips show a frame several times.
            let again = at > 0 && Arc::ptr_eq(picture, clip[at - 1]);
            let same = patches.last().filter(|_| again).cloned();
            patches.push(same.unwrap_or_else(|| patch(picture)));
        }
        let apex = patch(apex);
        let patches: Vec<&LumaPatch> = patches.iter().collect();
        Ok(FacePictures::cut(&framing, &patches, [patches[0], &apex]))
    }
}

/// Writes the pictures of all pairs.
pub(super) fn save(path: &Path, found: &[Result<FacePictures, String>]) -> Result<(), OutputError> {
    let reason = |found: &Result<FacePictures, String>| found.as_ref().err().cloned();
    let reasons: Vec<Option<String>> = found.iter().map(reason).collect();
    let reasons = serde_json::to_vec(&reasons).map_err(|e| OutputError::write(path, e))?;
    let there = || found.iter().flatten();
    let bytes: Vec<u8> = there().flat_map(|p| p.bytes()).copied().collect();
    let arrays = [
        (REASONS, Array(Dtype::U8, vec![reasons.len()], reasons)),
        (
            PICTURES,
            Array(Dtype::U8, vec![there().count(), BYTES], bytes),
        ),
    ];
    write(path, arrays)
}

/// Reads what [`save`] wrote.
///
/// # Errors
/// Says what is wrong with the file.
pub(super) fn load(path: &Path) -> Result<Vec<Result<FacePictures, String>>, String> {
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| e.to_string())?;
    let reasons = file.tensor(REASONS).map_err(|e| e.to_string())?;
    let reasons: Vec<Option<String>> =
        serde_json::from_slice(reasons.data()).map_err(|e| e.to_string())?;
    let pictures = file.tensor(PICTURES).map_err(|e| e.to_string())?;
    let mut pictures = pictures.data().chunks_exact(BYTES);
    let read = |reason: Option<String>| {
        if let Some(reason) = reason {
            return Ok(Err(reason));
        }
        let next = pictures
            .next()
            .and_then(|p| FacePictures::from_bytes(p.to_vec()));
        next.map(Ok)
            .ok_or("there are fewer pictures than said".to_owned())
    };
    reasons.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_come_back_from_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pictures");
        let some = |add: usize| {
            let bytes = (0..BYTES).map(|i| ((i + add) % 256) as u8).collect();
            FacePictures::from_bytes(bytes).ok_or_else(String::new)
        };
        let found = vec![some(0), Err("no face".to_owned()), some(9)];
        save(&path, &found).unwrap();
        assert!(load(&path).unwrap() == found);
        std::fs::write(&path, b"nothing").unwrap();
        assert!(load(&path).is_err());
    }
}
