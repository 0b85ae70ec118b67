//! `onset data check` of a folder of flow images: every row and image is looked at,
//! where the reader of [`super::flow_images`] stops at the first that is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use image::{ColorType, DynamicImage};
use serde::Serialize;

use super::error::{DatasetError, Place, Problem};
use super::sheet::Table;
use crate::base::Severity;
use crate::facs::ThreeClass;
use crate::model::flow_input::SIDE;

/// What a folder of flow images holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FlowImagesReport {
    pub dataset: &'static str,
    pub subjects: usize,
    /// Clips that can be used.
    pub clips: usize,
    /// Label rows that cannot.
    pub skipped_rows: usize,
    /// By name of the class.
    pub labels: BTreeMap<&'static str, usize>,
    /// By the database the clips come from.
    pub datasets: BTreeMap<String, FlowImagesPart>,
    /// Images of `flows/` that no row names.
    pub unlabelled_images: usize,
    pub problems: Vec<Problem>,
}

/// The clips of one database.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct FlowImagesPart {
    pub subjects: usize,
    pub clips: usize,
    pub labels: BTreeMap<&'static str, usize>,
}

/// Examines `labels.csv` and `flows/`.
///
/// # Errors
/// The labels are not there or name no columns, or not one clip can be used.
pub fn check_flow_images(root: &Path) -> Result<FlowImagesReport, DatasetError> {
    let labels = root.join("labels.csv");
    for (there, missing) in [
        (labels.is_file(), "labels.csv"),
        (root.join("flows").is_dir(), "the folder flows"),
    ] {
        if !there {
            return Err(DatasetError::WrongRoot {
                name: "flow images",
                missing: missing.to_owned(),
                expected: "labels.csv and flows/<clip>.png",
                root: root.to_owned(),
            });
        }
    }
    let tables = Table::read_all(root, &labels)?;
    let wanted: [&[&str]; 4] = [&["clip"], &["subject"], &["dataset"], &["label"]];
    let columns = tables[0].columns(&wanted, 4)?;
    let mut problems: Vec<Problem> = Vec::new();
    let mut named: BTreeSet<&str> = BTreeSet::new();
    let mut people: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut report = FlowImagesReport {
        dataset: "flow-images",
        subjects: 0,
        clips: 0,
        skipped_rows: 0,
        labels: BTreeMap::new(),
        datasets: BTreeMap::new(),
        unlabelled_images: 0,
        problems: Vec::new(),
    };
    let mut rows = 0;
    for (place, cells) in tables[0].labels(&columns) {
        let [clip, subject, dataset, label] = cells[..] else {
            continue;
        };
        rows += 1;
        let class = ThreeClass::ALL
            .into_iter()
            .find(|c| c.number().to_string() == label);
        let fault = match class {
            _ if clip.is_empty() || subject.is_empty() => {
                Some("The clip or its subject has no name".to_owned())
            }
            None => Some(format!(
                "'{label}' is no label (0 negative, 1 positive, 2 surprise)"
            )),
            Some(_) if !named.insert(clip) => Some(format!("The clip {clip} is listed already")),
            Some(_) => None,
        };
        let image = Place::file(format!("flows/{clip}.png"));
        let fault = match fault {
            Some(fault) => Some((fault, "Correct the row", place)),
            None => match look_at(&root.join(&image.file)) {
                Err(fault) => Some((
                    format!("The image of {clip} cannot be used: {fault}"),
                    "Put a 28×28 RGB image there, or remove the row",
                    place,
                )),
                Ok(Some(remark)) => {
                    problems.push(Problem {
                        severity: Severity::Warning,
                        what: format!("The image of {clip} is unusual: {remark}"),
                        remedy: "Scale each channel of an image to 0…255, as published".to_owned(),
                        skipped_row: false,
                        place: image,
                    });
                    None
                }
                Ok(None) => None,
            },
        };
        if let Some((what, remedy, place)) = fault {
            problems.push(Problem {
                severity: Severity::Error,
                what,
                remedy: remedy.to_owned(),
                skipped_row: true,
                place,
            });
            continue;
        }
        let Some(class) = class.map(ThreeClass::name) else {
            continue;
        };
        people.entry(dataset).or_default().insert(subject);
        report.clips += 1;
        *report.labels.entry(class).or_default() += 1;
        let part = report.datasets.entry(dataset.to_owned()).or_default();
        part.clips += 1;
        *part.labels.entry(class).or_default() += 1;
    }
    if report.clips == 0 {
        return Err(DatasetError::NothingUsable {
            root: root.to_owned(),
            rows,
            first: problems
                .first()
                .map_or_else(|| "there is no row".to_owned(), ToString::to_string),
        });
    }
    for (dataset, members) in &people {
        if let Some(part) = report.datasets.get_mut(*dataset) {
            part.subjects = members.len();
        }
    }
    report.subjects = people.values().flatten().collect::<BTreeSet<_>>().len();
    report.skipped_rows = problems.iter().filter(|p| p.skipped_row).count();
    report.unlabelled_images = unlabelled(root, &named, &mut problems);
    report.problems = problems;
    Ok(report)
}

impl FlowImagesReport {
    /// Whether something is not as it should be.
    #[must_use]
    pub fn has_warnings(&self) -> bool {
        self.problems
            .iter()
            .any(|p| p.severity >= Severity::Warning)
    }
}

/// `Err`: it cannot be used; `Some`: it can, but is not as published.
fn look_at(path: &Path) -> Result<Option<String>, String> {
    if !path.is_file() {
        return Err("it is not there".to_owned());
    }
    let picture = image::open(path).map_err(|e| e.to_string())?;
    let size = (picture.width() as usize, picture.height() as usize);
    if size != (SIDE, SIDE) {
        return Err(format!("it is {}×{} pixels", size.0, size.1));
    }
    if picture.color() != ColorType::Rgb8 {
        return Err(format!("its colours are {:?}, not RGB", picture.color()));
    }
    let DynamicImage::ImageRgb8(pixels) = picture else {
        return Err("its colours are not RGB".to_owned());
    };
    for (channel, name) in ["u (red)", "v (green)", "strain (blue)"].iter().enumerate() {
        let values = || pixels.pixels().map(|p| p.0[channel]);
        let (low, high) = (values().min().unwrap_or(0), values().max().unwrap_or(0));
        // A field without any motion is constant, and 0 everywhere.
        if (low, high) != (0, 255) && (low, high) != (0, 0) {
            return Ok(Some(format!("its {name} goes from {low} to {high}")));
        }
    }
    Ok(None)
}

fn unlabelled(root: &Path, named: &BTreeSet<&str>, problems: &mut Vec<Problem>) -> usize {
    let mut spare: Vec<String> = std::fs::read_dir(root.join("flows"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| e.file_name().into_string().ok())
        .filter(|name| {
            name.strip_suffix(".png")
                .is_some_and(|clip| !named.contains(clip))
        })
        .collect();
    spare.sort();
    if let Some(first) = spare.first() {
        problems.push(Problem {
            severity: Severity::Info,
            what: format!(
                "{} images have no label row and are not read, such as {first}",
                spare.len()
            ),
            remedy: String::new(),
            skipped_row: false,
            place: Place::file("flows"),
        });
    }
    spare.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};

    #[test]
    fn every_wrong_row_and_image_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let flows = dir.path().join("flows");
        std::fs::create_dir(&flows).unwrap();
        let picture = |side: u32, high: u8| {
            RgbImage::from_fn(side, side, |x, y| {
                Rgb([if x == 0 && y == 0 { 0 } else { high }; 3])
            })
        };
        picture(28, 255).save(flows.join("a.png")).unwrap();
        picture(28, 200).save(flows.join("b.png")).unwrap();
        picture(27, 255).save(flows.join("c.png")).unwrap();
        picture(28, 255).save(flows.join("spare.png")).unwrap();
        std::fs::write(
            dir.path().join("labels.csv"),
            "clip,subject,dataset,label\na,s1,x,0\nb,s2,x,2\nc,s2,x,1\nd,s2,y,1\na,s1,x,0\ne,s1,x,3\n",
        )
        .unwrap();
        let report = check_flow_images(dir.path()).unwrap();
        assert_eq!(
            (report.clips, report.subjects, report.skipped_rows),
            (2, 2, 4)
        );
        assert_eq!(report.unlabelled_images, 1);
        assert_eq!(report.datasets["x"].labels["surprise"], 1);
        let told: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        for words in [
            "b is unusual: its u (red) goes from 0 to 200",
            "c cannot be used: it is 27×27 pixels",
            "d cannot be used: it is not there",
            "The clip a is listed already. Correct the row: row 6 of labels.csv",
            "'3' is no label",
            "such as spare.png",
        ] {
            assert!(told.iter().any(|t| t.contains(words)), "{words}: {told:#?}");
        }
        assert!(report.has_warnings());
        std::fs::write(
            dir.path().join("labels.csv"),
            "clip,subject,dataset,label\n",
        )
        .unwrap();
        assert!(check_flow_images(dir.path()).is_err());
    }
}
