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
pub(super) const VERSION: u32 = 2;

const PICTURES: &str = "pictures";
/// For each pair 1 where there are pictures of it, 0 where not.
const CUT: &str = "cut";

/// The last frame of a pair's clip: an expression goes on to its offset.
pub(super) fn clip_end(recording: &LabelledRecording, shown: Shown, pair: Pair) -> u64 {
    match shown {
        Shown::Expression { event } | Shown::Astray { event } => {
            let offset = recording.events.get(event).map_or(pair.1, |e| e.offset);
            offset.max(pair.1)
        }
        Shown::Release { .. } | Shown::Rest => pair.1,
    }
}

impl Corpus {
    /// Of each pair the pictures; `None` where they cannot be read or show no face.
    pub(super) fn pictures_of(
        &self,
        recording: &LabelledRecording,
        wanted: &[(Shown, Pair)],
    ) -> Vec<Option<FacePictures>> {
        let clips: Vec<Vec<u64>> = (wanted.iter())
            .map(|&(shown, pair)| {
                let end = clip_end(recording, shown, pair);
                let steps = evenly(end - pair.0, STEPS);
                steps.into_iter().map(|step| pair.0 + step).collect()
            })
            .collect();
        let groups: Vec<Vec<u64>> = (clips.iter().zip(wanted))
            .map(|(clip, (_, pair))| {
                let mut group = clip.clone();
                group.push(pair.1);
                group.sort_unstable();
                group.dedup();
                group
            })
            .collect();
        let mut found = vec![None; wanted.len()];
        read_groups(recording, &groups, |at, pictures| {
            let Ok(pictures) = pictures else { return };
            let of = |frame: u64| {
                let place = groups[at].binary_search(&frame).ok();
                place.map(|place| &pictures[place])
            };
            let clip: Option<Vec<_>> = clips[at].iter().map(|&frame| of(frame)).collect();
            let apex = of(wanted[at].1.1);
            found[at] = clip
                .zip(apex)
                .and_then(|(clip, apex)| self.cut(&clip, apex));
        });
        found
    }

    fn cut(&self, clip: &[&Arc<RgbImage>], apex: &RgbImage) -> Option<FacePictures> {
        let onset = clip.first()?;
        if clip.iter().any(|p| p.dimensions() != apex.dimensions()) {
            return None;
        }
        let face = self.surest_face(onset)?;
        let framing = FlowFraming::of(&self.points(onset, face)).ok()?;
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
        Some(FacePictures::cut(&framing, &patches, [patches[0], &apex]))
    }
}

/// Writes the pictures of all pairs.
pub(super) fn save(path: &Path, found: &[Option<FacePictures>]) -> Result<(), OutputError> {
    let cut: Vec<u8> = found.iter().map(|f| u8::from(f.is_some())).collect();
    let there = || found.iter().flatten();
    let bytes: Vec<u8> = there().flat_map(|p| p.bytes()).copied().collect();
    let arrays = [
        (CUT, Array(Dtype::U8, vec![cut.len()], cut)),
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
pub(super) fn load(path: &Path) -> Result<Vec<Option<FacePictures>>, String> {
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| e.to_string())?;
    let cut = file.tensor(CUT).map_err(|e| e.to_string())?;
    let pictures = file.tensor(PICTURES).map_err(|e| e.to_string())?;
    let mut pictures = pictures.data().chunks_exact(BYTES);
    (cut.data().iter())
        .map(|&cut| {
            if cut == 0 {
                return Ok(None);
            }
            let next = pictures
                .next()
                .ok_or("there are fewer pictures than said")?;
            Ok(FacePictures::from_bytes(next.to_vec()))
        })
        .collect()
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
            FacePictures::from_bytes(bytes)
        };
        let found = vec![some(0), None, some(9)];
        save(&path, &found).unwrap();
        assert!(load(&path).unwrap() == found);
        std::fs::write(&path, b"nothing").unwrap();
        assert!(load(&path).is_err());
    }
}
