//! Measured motion as a file: safetensors, and for each pair why it gave none.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};

use crate::base::Similarity;
use crate::model::flow_framing::FlowFraming;
use crate::model::flow_input::VALUES as IMAGE_VALUES;
use crate::model::motion_map::{MotionMap, VALUES};
use crate::project::Batch;
use crate::project::output::OutputError;
use crate::recognition::ExpressionMotion;

const MAPS: &str = "maps";
const IMAGES: &str = "images";
const PAIRS: &str = "pairs";

/// What the file says of one pair beside its values.
#[derive(Debug, Serialize, Deserialize)]
enum Outcome {
    /// The framing: a, b, tx, ty, then width and height.
    Measured([f32; 4], [usize; 2]),
    LeftOut(String),
}

/// Values as they stand in a file, with their type and shape.
pub(super) struct Array(pub(super) Dtype, pub(super) Vec<usize>, pub(super) Vec<u8>);

impl View for Array {
    fn dtype(&self) -> Dtype {
        self.0
    }
    fn shape(&self) -> &[usize] {
        &self.1
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.2)
    }
    fn data_len(&self) -> usize {
        self.2.len()
    }
}

/// Writes what each pair gave.
pub(super) fn save(
    path: &Path,
    found: &[Result<ExpressionMotion, String>],
) -> Result<(), OutputError> {
    let outcomes: Vec<Outcome> = (found.iter())
        .map(|found| match found {
            Ok(motion) => {
                let FlowFraming {
                    crop_from_image: t,
                    width,
                    height,
                } = motion.framing;
                Outcome::Measured([t.a, t.b, t.tx, t.ty], [width, height])
            }
            Err(reason) => Outcome::LeftOut(reason.clone()),
        })
        .collect();
    let motions: Vec<&ExpressionMotion> = found.iter().flatten().collect();
    let maps = motions.iter().flat_map(|m| m.map.values());
    let maps: Vec<u8> = maps.flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect();
    let images = motions.iter().flat_map(|m| &m.image).map(|&v| v as u8);
    let text = serde_json::to_vec(&outcomes).map_err(|e| OutputError::write(path, e))?;
    let arrays = [
        (MAPS, Array(Dtype::F16, vec![motions.len(), VALUES], maps)),
        (
            IMAGES,
            Array(
                Dtype::U8,
                vec![motions.len(), IMAGE_VALUES],
                images.collect(),
            ),
        ),
        (PAIRS, Array(Dtype::U8, vec![text.len()], text)),
    ];
    write(path, arrays)
}

/// Writes a file of such arrays.
pub(super) fn write<const N: usize>(
    path: &Path,
    arrays: [(&str, Array); N],
) -> Result<(), OutputError> {
    let bytes = safetensors::serialize(arrays, None).map_err(|e| OutputError::write(path, e))?;
    let mut batch = Batch::default();
    batch.add(path, &bytes)?;
    batch.commit()
}

/// Reads what [`save`] wrote.
///
/// # Errors
/// Says what is wrong with the file.
pub(super) fn load(path: &Path) -> Result<Vec<Result<ExpressionMotion, String>>, String> {
    let bytes = fs::read(path).map_err(|e| e.to_string())?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| e.to_string())?;
    let data = |name: &str| {
        let found = file.tensor(name).map_err(|e| e.to_string());
        found.map(|view| view.data().to_vec())
    };
    let outcomes: Vec<Outcome> =
        serde_json::from_slice(&data(PAIRS)?).map_err(|e| e.to_string())?;
    let (maps, images) = (data(MAPS)?, data(IMAGES)?);
    let mut maps = maps.chunks_exact(2 * VALUES);
    let mut images = images.chunks_exact(IMAGE_VALUES);
    let measured = |outcome| match outcome {
        Outcome::LeftOut(reason) => Ok(Err(reason)),
        Outcome::Measured([a, b, tx, ty], [width, height]) => {
            let (map, image) = maps
                .next()
                .zip(images.next())
                .ok_or("there are fewer values than pairs")?;
            let map = map.as_chunks().0.iter();
            let map = map.map(|&bytes| f16::from_le_bytes(bytes).to_f32());
            Ok(Ok(ExpressionMotion {
                map: MotionMap::from_values(map.collect()),
                image: image.iter().map(|&v| f32::from(v)).collect(),
                framing: FlowFraming {
                    crop_from_image: Similarity { a, b, tx, ty },
                    width,
                    height,
                },
            }))
        }
    };
    outcomes.into_iter().map(measured).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn motion_comes_back_from_its_file_and_so_do_reasons() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept").join("a.motion");
        let motion = |scale: f32| ExpressionMotion {
            map: MotionMap::from_values((0..VALUES).map(|i| scale * (i % 64) as f32).collect()),
            image: (0..IMAGE_VALUES).map(|i| (i % 256) as f32).collect(),
            framing: FlowFraming {
                crop_from_image: Similarity::IDENTITY,
                width: 120,
                height: 160,
            },
        };
        let found = vec![
            Ok(motion(0.5)),
            Err("no face".to_owned()),
            Ok(motion(-0.25)),
        ];
        save(&path, &found).unwrap();
        assert_eq!(load(&path).unwrap(), found);
        fs::write(&path, b"nothing").unwrap();
        assert!(load(&path).is_err());
    }
}
