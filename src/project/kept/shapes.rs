//! How each thing that the analysis tells is put into bytes. The order of the fields is
//! the form: a change of it is a new [`super::FORM`].

use super::bytes::{Compact, Reader, Unreadable, Writer, cases, fields};
use crate::base::{Notice, Plane, Point, Rect, Severity, Similarity, TimeSpan, Timestamp};
use crate::explain::uncertainty::Uncertainty;
use crate::face::crop::HeldCrop;
use crate::face::{DetectedFace, Landmarks};
use crate::facs::{ActionUnit, Side};
use crate::model::flow_framing::FlowFraming;
use crate::recognition::second_look::{ApexPictures, MagnifiedLook, RebuiltApex};
use crate::recognition::{Attention, ClassReading, Recognition, SecondOpinion, UnitReading};
use crate::spotting::signal::{MaskReason, RegionMotion};
use crate::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};
use crate::timeline::event::{Recognised, UnitSample};

cases! {
    ExpressionKind { Macro = 0, Micro = 1 }
    IntervalStatus { Proposed = 0, Accepted = 1, Rejected = 2 }
    MaskReason { Blink = 1, HeadMotion = 2, FaceLost = 3, Gap = 4 }
    Severity { Info = 0, Warning = 1, Error = 2 }
    Side { Left = 0, Right = 1, Unilateral = 2, Asymmetric = 3, Top = 4, Bottom = 5 }
}

fields! {
    Point { x, y }
    Rect { x, y, w, h }
    Similarity { a, b, tx, ty }
    TimeSpan { start, end }
    Notice { severity, text, span }
    DetectedFace { rect, score }
    HeldCrop { id, since_frame, crop_from_image, landmarks_in_crop }
    SpottedInterval { kind, onset, apex, offset, score, status, provisional }
    Uncertainty { total, aleatoric, epistemic }
    UnitReading { unit, probability, present, side }
    ClassReading { classes, probabilities, uncertainty, abstains }
    Recognition { units, class }
    FlowFraming { crop_from_image, width, height }
    Attention { unit, map, framing }
    MagnifiedLook { gamma, factors, attention }
    ApexPictures { onset, apex, rebuilt }
    SecondOpinion { weights, network, recognition, magnified, rebuilt }
    Recognised { onset, apex, recognition, attention, second_look }
    UnitSample { from, frame, timestamp, recognition }
}

impl Compact for Timestamp {
    fn put(&self, to: &mut Writer) {
        to.signed(self.nanos());
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        from.signed().map(Self::from_nanos)
    }
}

impl Compact for Landmarks {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        Compact::take(from).map(Self)
    }
}

impl Compact for RegionMotion {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        Compact::take(from).map(Self)
    }
}

impl Compact for ActionUnit {
    fn put(&self, to: &mut Writer) {
        to.byte(self.number());
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        Self::new(from.byte()?).ok_or(Unreadable("it has an unknown action unit"))
    }
}

/// Its numbers are those of its pictures. An analysis that is kept is of a file, whose
/// pictures never go.
impl Compact for RebuiltApex {
    fn put(&self, to: &mut Writer) {
        match &self.pictures {
            Some(pictures) => pictures.put(to),
            None => {
                let nothing = Plane::zeros(0, 0);
                (0..3).for_each(|_| nothing.put(to));
            }
        }
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        let mut rebuilt = ApexPictures::take(from).map(Self::of)?;
        rebuilt.pictures = (rebuilt.pictures).filter(|pictures| !pictures.apex.data.is_empty());
        Ok(rebuilt)
    }
}

impl Compact for Plane {
    fn put(&self, to: &mut Writer) {
        self.width.put(to);
        self.height.put(to);
        self.data.put(to);
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        let (width, height) = (usize::take(from)?, usize::take(from)?);
        let data: Vec<f32> = Compact::take(from)?;
        if width.checked_mul(height) != Some(data.len()) {
            return Err(Unreadable("a picture is not as large as it says"));
        }
        Ok(Self::from_vec(width, height, data))
    }
}
