//! Flow images in the layout published for MEGC 2019: `flows/<clip>.png`, 28×28 RGB
//! with R = u, G = v, B = strain, and `labels.csv` with clip, subject, dataset, label.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::model::flow_input::{CHANNELS, CLASSES, PIXELS, SIDE, STRAIN, U, V, VALUES};
use crate::nn::inventory::hexadecimal;

#[derive(Debug, thiserror::Error)]
pub enum FlowImagesError {
    #[error("Cannot read flow images: {reason}. Give a folder with labels.csv (clip,subject,dataset,label) and flows/<clip>.png: {}", path.display())]
    Labels { path: PathBuf, reason: String },
    #[error("Cannot use row {row} of the labels: {reason}. Correct it: {}", path.display())]
    Row {
        path: PathBuf,
        row: usize,
        reason: String,
    },
    #[error("Cannot use the flow image of row {row} of the labels: {reason}. Put a 28×28 RGB image there, or remove the row: {}", path.display())]
    Image {
        path: PathBuf,
        row: usize,
        reason: String,
    },
}

/// One clip as its row of `labels.csv` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowClip {
    pub clip: String,
    pub subject: String,
    pub dataset: String,
    /// 0 negative, 1 positive, 2 surprise.
    pub label: usize,
}

/// A folder of flow images, read whole.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowImages {
    /// In the order of `labels.csv`.
    pub clips: Vec<FlowClip>,
    values: Vec<f32>,
}

impl FlowImages {
    /// # Errors
    /// Names the file and the row that cannot be used: a missing column or image, a
    /// label other than 0, 1, 2, a clip named twice, an image of another size.
    pub fn read(folder: &Path) -> Result<Self, FlowImagesError> {
        let table = folder.join("labels.csv");
        let clips = read_labels(&table)?;
        let mut values = Vec::with_capacity(clips.len() * VALUES);
        for (index, clip) in clips.iter().enumerate() {
            let path = folder.join("flows").join(format!("{}.png", clip.clip));
            let row = index + 2;
            append_image(&path, &mut values).map_err(|reason| FlowImagesError::Image {
                path,
                row,
                reason,
            })?;
        }
        Ok(Self { clips, values })
    }

    /// From images that are in the memory already.
    ///
    /// # Panics
    /// When there are not 3×28×28 values a clip.
    #[must_use]
    pub fn new(clips: Vec<FlowClip>, values: Vec<f32>) -> Self {
        assert_eq!(values.len(), clips.len() * VALUES);
        Self { clips, values }
    }

    /// Strain, v, u of a clip, 28×28 each, 0..255.
    #[must_use]
    pub fn image(&self, clip: usize) -> &[f32] {
        &self.values[clip * VALUES..(clip + 1) * VALUES]
    }

    /// SHA-256 of everything that a training on these clips depends on.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for clip in &self.clips {
            for text in [&clip.clip, &clip.subject, &clip.dataset] {
                hash.update(text.as_bytes());
                hash.update([0]);
            }
            hash.update([clip.label as u8]);
        }
        for value in &self.values {
            hash.update(value.to_le_bytes());
        }
        hexadecimal(&hash.finalize())
    }
}

/// A flow image as a PNG file; `pixels` are u, v, strain of 28×28 in rows.
///
/// # Errors
/// When there are not 28×28 pixels, or the encoder refuses.
pub fn to_png(pixels: &[[u8; 3]]) -> Result<Vec<u8>, String> {
    let side = SIDE as u32;
    let picture = image::RgbImage::from_raw(side, side, pixels.as_flattened().to_vec())
        .filter(|_| pixels.len() == PIXELS)
        .ok_or_else(|| format!("it has {} pixels, not 28×28", pixels.len()))?;
    let mut file = Cursor::new(Vec::new());
    picture
        .write_to(&mut file, image::ImageFormat::Png)
        .map_err(|e| e.to_string())?;
    Ok(file.into_inner())
}

/// `labels.csv` of these clips, in their order.
///
/// # Errors
/// When the table cannot be made.
pub fn to_labels(clips: &[&FlowClip]) -> Result<Vec<u8>, String> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let header = ["clip", "subject", "dataset", "label"];
    table.write_record(header).map_err(|e| e.to_string())?;
    for clip in clips {
        let label = clip.label.to_string();
        let row = [&clip.clip, &clip.subject, &clip.dataset, &label];
        table.write_record(row).map_err(|e| e.to_string())?;
    }
    table.into_inner().map_err(|e| e.to_string())
}

fn read_labels(path: &Path) -> Result<Vec<FlowClip>, FlowImagesError> {
    let unusable = |reason: String| FlowImagesError::Labels {
        path: path.to_owned(),
        reason,
    };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(|e| match e.into_kind() {
            csv::ErrorKind::Io(e) if e.kind() == std::io::ErrorKind::NotFound => {
                unusable("there is no labels.csv".to_owned())
            }
            other => unusable(format!("{other:?}")),
        })?;
    let header = reader
        .headers()
        .map_err(|e| unusable(e.to_string()))?
        .clone();
    let column = |name: &str| {
        let found = header
            .iter()
            .position(|h| h.trim_start_matches('\u{feff}') == name);
        found.ok_or_else(|| unusable(format!("the labels have no column '{name}'")))
    };
    let columns = [
        column("clip")?,
        column("subject")?,
        column("dataset")?,
        column("label")?,
    ];
    let mut clips = Vec::new();
    let mut names = BTreeSet::new();
    for (index, record) in reader.records().enumerate() {
        let wrong = |reason: String| FlowImagesError::Row {
            path: path.to_owned(),
            row: index + 2,
            reason,
        };
        let record = record.map_err(|e| wrong(e.to_string()))?;
        let [clip, subject, dataset, label] =
            columns.map(|c| record.get(c).unwrap_or("").to_owned());
        if clip.is_empty() || subject.is_empty() {
            return Err(wrong("the clip or its subject has no name".to_owned()));
        }
        let Some(label) = label.parse().ok().filter(|l| *l < CLASSES.len()) else {
            return Err(wrong(format!(
                "'{label}' is no label; 0 is negative, 1 positive, 2 surprise"
            )));
        };
        if !names.insert(clip.clone()) {
            return Err(wrong(format!("the clip '{clip}' stands there twice")));
        }
        clips.push(FlowClip {
            clip,
            subject,
            dataset,
            label,
        });
    }
    if clips.is_empty() {
        return Err(unusable("the labels have no rows".to_owned()));
    }
    Ok(clips)
}

/// Appends strain, v, u.
fn append_image(path: &Path, values: &mut Vec<f32>) -> Result<(), String> {
    let image = image::ImageReader::open(path)
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => e.to_string(),
        })?
        .decode()
        .map_err(|e| e.to_string())?;
    let (width, height) = (image.width(), image.height());
    if (width, height) != (SIDE as u32, SIDE as u32) || image.color().channel_count() < 3 {
        return Err(format!(
            "it is {width}×{height} with {} channels",
            image.color().channel_count()
        ));
    }
    let pixels = image.to_rgb8().into_raw();
    let start = values.len();
    values.resize(start + VALUES, 0.0);
    let planes = &mut values[start..];
    for (place, rgb) in pixels.as_chunks::<CHANNELS>().0.iter().enumerate() {
        planes[U * PIXELS + place] = f32::from(rgb[0]);
        planes[V * PIXELS + place] = f32::from(rgb[1]);
        planes[STRAIN * PIXELS + place] = f32::from(rgb[2]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn folder(labels: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("flows")).unwrap();
        for (index, clip) in ["a", "b"].iter().enumerate() {
            let image = image::RgbImage::from_fn(28, 28, |x, y| {
                image::Rgb([x as u8, y as u8, index as u8])
            });
            image
                .save(folder.path().join(format!("flows/{clip}.png")))
                .unwrap();
        }
        fs::write(folder.path().join("labels.csv"), labels).unwrap();
        folder
    }

    #[test]
    fn red_is_u_green_is_v_blue_is_strain_and_more_columns_do_no_harm() {
        let folder = folder("label,clip,subject,dataset,aus\n2,a,s1,smic,AU1\n0,b,s2,samm,AU4\n");
        let data = FlowImages::read(folder.path()).unwrap();
        assert_eq!((data.clips[0].label, data.clips[1].label), (2, 0));
        assert_eq!(data.clips[1].dataset, "samm");
        let image = data.image(1);
        assert_eq!(image[STRAIN * PIXELS + 5], 1.0);
        assert_eq!(image[U * PIXELS + 5], 5.0);
        assert_eq!(image[V * PIXELS + 28 * 3 + 5], 3.0);
        assert_eq!(
            FlowImages::read(folder.path()).unwrap().fingerprint(),
            data.fingerprint()
        );
    }

    #[test]
    fn a_wrong_row_is_named_with_its_number() {
        let complain = |labels: &str| {
            let folder = folder(labels);
            FlowImages::read(folder.path()).unwrap_err().to_string()
        };
        let head = "clip,subject,dataset,label\n";
        let text = complain(&format!("{head}a,s1,smic,0\nb,s2,samm,3\n"));
        assert!(
            text.contains("row 3") && text.contains("'3' is no label"),
            "{text}"
        );
        let text = complain(&format!("{head}a,s1,smic,0\na,s2,samm,1\n"));
        assert!(text.contains("'a' stands there twice"), "{text}");
        let text = complain(&format!("{head}c,s1,smic,0\n"));
        assert!(text.contains("row 2") && text.ends_with("c.png"), "{text}");
        let text = complain("clip,subject,label\na,s1,0\n");
        assert!(text.contains("no column 'dataset'"), "{text}");
        let empty = tempfile::tempdir().unwrap();
        let text = FlowImages::read(empty.path()).unwrap_err().to_string();
        assert!(text.contains("there is no labels.csv"), "{text}");
    }
}
