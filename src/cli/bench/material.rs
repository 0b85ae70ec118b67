//! What the stages are measured on: a recording's frames, its face, and both as
//! grey pictures of the sizes asked for.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::anyhow;
use image::RgbImage;
use image::imageops::{self, FilterType};
use tempfile::TempDir;

use super::meter::{Bench, Subject};
use crate::base::{Plane, Point, Rect, Similarity};
use crate::cli::Failure;
use crate::face::regions::RegionGeometry;
use crate::face::tracker::TrackerParams;
use crate::face::{CROP_SIDE, CropHold, FaceTracker, HeldCrop, LandmarkPredictor, Landmarks};
use crate::media::{Frame, FrameSource, InputSpec};
use crate::motion::luma::{self, LumaPatch};

/// Frames without which no macro-window has a pair.
const FEWEST_FRAMES: usize = 30;
/// Faces without which the stages have no pairs.
const FEWEST_FACES: usize = 20;
/// Values kept of one size at most: 24 pictures of 1280×720.
const MOST_VALUES: usize = 24 * 1280 * 720;

/// The size of the pictures that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PictureSize {
    /// A square crop of the face.
    Crop(usize),
    /// The whole picture, brought to this size.
    Whole(usize, usize),
}

impl PictureSize {
    pub(super) const ALL: [Self; 4] = [
        Self::Crop(128),
        Self::Crop(256),
        Self::Whole(640, 480),
        Self::Whole(1280, 720),
    ];

    pub(super) fn pixels(self) -> (usize, usize) {
        match self {
            Self::Crop(side) => (side, side),
            Self::Whole(width, height) => (width, height),
        }
    }
}

impl FromStr for PictureSize {
    type Err = String;

    /// `128` is a crop of the face, `640x480` the whole picture.
    fn from_str(text: &str) -> Result<Self, String> {
        let side = |t: &str| t.parse().ok().filter(|s| (32..=4096).contains(s));
        let size = match text.split_once(['x', '×']) {
            None => side(text).map(Self::Crop),
            Some((w, h)) => side(w).zip(side(h)).map(|(w, h)| {
                if w == h {
                    Self::Crop(w)
                } else {
                    Self::Whole(w, h)
                }
            }),
        };
        size.ok_or_else(|| {
            "give one side of a face crop or both of a whole picture, 32 to 4096 each, such as 128 or 640x480".into()
        })
    }
}

/// A face picture cut out, and where its parts lie in it.
pub(super) struct Cut {
    pub(super) plane: Plane,
    /// `None` for whole pictures, in which nothing looks for them.
    pub(super) regions: Option<RegionGeometry>,
}

struct Seen {
    frame: usize,
    rect: Rect,
    crop: HeldCrop,
}

pub(super) struct Material {
    pub(super) name: String,
    pub(super) path: PathBuf,
    fps: Option<f64>,
    landmarks: Arc<LandmarkPredictor>,
    pub(super) frames: Vec<Frame>,
    faces: Vec<Seen>,
    /// Holds the bundled clip while it is read.
    _folder: Option<TempDir>,
}

impl Material {
    /// Reads the beginning of the recording, or of the bundled clip, and finds its
    /// face.
    pub(super) fn read(
        input: Option<&PathBuf>,
        fps: Option<f64>,
        frames: usize,
    ) -> Result<Self, Failure> {
        let mut folder = None;
        let path = match input {
            Some(path) => path.clone(),
            None => {
                let made = folder.insert(tempfile::tempdir().map_err(Failure::other)?);
                crate::media::sample::unpack(made.path()).map_err(Failure::other)?
            }
        };
        let mut source = open(&path, fps)?;
        let mut read = Vec::new();
        while read.len() < frames.max(FEWEST_FRAMES)
            && let Some(frame) = source.next_frame().map_err(Failure::input)?
        {
            read.push(frame);
        }
        if read.len() < FEWEST_FRAMES {
            return Err(Failure::input(anyhow!(
                "The bench needs {FEWEST_FRAMES} frames at least and found {}. Choose a longer recording: {}",
                read.len(),
                path.display()
            )));
        }
        let mut material = Self {
            name: source.info().name.clone(),
            path,
            fps,
            landmarks: Arc::new(LandmarkPredictor::find(None).map_err(Failure::input)?),
            frames: read,
            faces: Vec::new(),
            _folder: folder,
        };
        material.find_faces()?;
        Ok(material)
    }

    /// Width and height of the recording.
    pub(super) fn size(&self) -> (usize, usize) {
        let (width, height) = self.frames[0].picture.dimensions();
        (width as usize, height as usize)
    }

    /// Decoding and following the face, as stages.
    pub(super) fn time_reading(&self, bench: &mut Bench) -> Result<(), Failure> {
        let mut source = open(&self.path, self.fps)?;
        let subject = Subject::single("decode", self.size());
        bench.time(subject, "processor", self.frames.len(), |_| {
            if source.next_frame().map_err(Failure::input)?.is_none() {
                source.seek(0).map_err(Failure::input)?;
            }
            Ok(())
        })?;
        let mut tracker = self.tracker()?;
        let subject = Subject::single("face: box, landmarks, pose", self.size());
        bench.time(subject, "processor", self.frames.len(), |i| {
            tracker.push(&self.frames[i]);
            Ok(())
        })
    }

    fn tracker(&self) -> Result<FaceTracker, Failure> {
        FaceTracker::new(Arc::clone(&self.landmarks), TrackerParams::default())
            .map_err(Failure::input)
    }

    fn find_faces(&mut self) -> Result<(), Failure> {
        let (mut tracker, mut hold) = (self.tracker()?, CropHold::default());
        for (i, frame) in self.frames.iter().enumerate() {
            let track = tracker.push(frame);
            if let (Some(crop), Some(face)) = (hold.push(&track).cloned(), track.face) {
                self.faces.push(Seen {
                    frame: i,
                    rect: face.rect,
                    crop,
                });
            }
        }
        if self.faces.len() < FEWEST_FACES {
            return Err(Failure::input(anyhow!(
                "The bench needs a face in {FEWEST_FACES} frames at least and found one in {}. Choose a recording of a face: {}",
                self.faces.len(),
                self.path.display()
            )));
        }
        Ok(())
    }

    /// Cutting the crop out, as a stage; a whole picture is not cut.
    pub(super) fn time_cutting(&self, size: PictureSize, bench: &mut Bench) -> Result<(), Failure> {
        let PictureSize::Crop(side) = size else {
            return Ok(());
        };
        let subject = Subject::single("crop", size.pixels());
        bench.on_processor(subject, self.faces.len(), |i| {
            black_box(self.cut(&self.faces[i], side));
            Ok(())
        })
    }

    /// The grey pictures of one size, in order.
    pub(super) fn pictures(&self, size: PictureSize) -> Vec<Cut> {
        let (width, height) = size.pixels();
        let most = (MOST_VALUES / (width * height)).max(FEWEST_FACES);
        let kept = self.faces.iter().take(most);
        match size {
            PictureSize::Crop(side) => {
                let cut = |seen: &Seen| Cut {
                    plane: self.cut(seen, side),
                    regions: Some(regions(&seen.crop, side)),
                };
                kept.map(cut).collect()
            }
            PictureSize::Whole(width, height) => {
                let whole = |seen: &Seen| Cut {
                    plane: LumaPatch::whole(&self.resized(seen.frame, width, height)).plane(),
                    regions: None,
                };
                kept.map(whole).collect()
            }
        }
    }

    fn cut(&self, seen: &Seen, side: usize) -> Plane {
        let patch = LumaPatch::around(&self.frames[seen.frame].picture, seen.rect);
        luma::extract(&patch, grown(seen.crop.crop_from_image, side), side)
    }

    /// A frame in colour, brought to this size.
    pub(super) fn resized(&self, frame: usize, width: usize, height: usize) -> RgbImage {
        let picture = &self.frames[frame].picture;
        if self.size() == (width, height) {
            return RgbImage::clone(picture);
        }
        imageops::resize(
            picture.as_ref(),
            width as u32,
            height as u32,
            FilterType::Triangle,
        )
    }
}

fn open(path: &Path, fps: Option<f64>) -> Result<Box<dyn FrameSource>, Failure> {
    let spec = InputSpec::parse(&path.to_string_lossy(), fps).map_err(Failure::input)?;
    if spec.is_camera() {
        return Err(Failure::input(anyhow!(
            "The bench reads a recording several times and to its end, which a camera has not. Choose a file or a folder of images"
        )));
    }
    crate::media::open(&spec).map_err(Failure::input)
}

fn regions(crop: &HeldCrop, side: usize) -> RegionGeometry {
    let scale = side as f32 / CROP_SIDE as f32;
    let along = |v: f32| (v + 0.5) * scale - 0.5;
    let landmarks = (crop.landmarks_in_crop.0).map(|p| Point::new(along(p.x), along(p.y)));
    RegionGeometry::from_landmarks(&Landmarks(landmarks), side)
}

/// The transform to a crop of the same part of the face with another side; pixel
/// centres lie at whole coordinates.
fn grown(crop_from_image: Similarity, side: usize) -> Similarity {
    let scale = side as f32 / CROP_SIDE as f32;
    let along = |t: f32| (t + 0.5) * scale - 0.5;
    Similarity {
        a: crop_from_image.a * scale,
        b: crop_from_image.b * scale,
        tx: along(crop_from_image.tx),
        ty: along(crop_from_image.ty),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!("128".parse(), Ok(PictureSize::Crop(128)));
        assert_eq!("256x256".parse(), Ok(PictureSize::Crop(256)));
        assert_eq!("640×480".parse(), Ok(PictureSize::Whole(640, 480)));
        for wrong in ["", "0", "12", "x", "640x", "99999", "-128"] {
            assert!(wrong.parse::<PictureSize>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_larger_crop_shows_the_same_part_of_the_face() {
        let small = Similarity::about(Point::new(300.0, 200.0), Point::new(63.5, 63.5), 0.4, 0.1);
        let large = grown(small, 256);
        // The corner of the small crop's first pixel is the large one's.
        let back = |t: Similarity, p: Point| t.inverse().map(|i| i.apply(p)).unwrap();
        let from = back(small, Point::new(-0.5, -0.5));
        let to = back(large, Point::new(-0.5, -0.5));
        assert!(from.distance(to) < 1e-2, "{from:?} {to:?}");
        assert_eq!(grown(small, CROP_SIDE), small);
    }
}
