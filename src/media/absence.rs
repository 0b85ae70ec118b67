//! Which camera is the one that was lost, once it is back.

use super::CameraDescription;

/// A camera that was lost, among others that may bear its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    name: String,
    /// Cameras of its name that were there without it.
    others: Vec<u32>,
}

impl Absence {
    /// Of camera `index`, with the cameras that are there right after it was lost.
    #[must_use]
    pub fn of(name: &str, index: u32, there: &[CameraDescription]) -> Self {
        let others = there.iter().filter(|c| c.name == name && c.index != index);
        Self {
            name: name.to_owned(),
            others: others.map(|c| c.index).collect(),
        }
    }

    /// The number it has now, which may be another than before; `None` while it is away or
    /// cannot be used.
    #[must_use]
    pub fn back(&self, there: &[CameraDescription]) -> Option<u32> {
        let usable = |c: &&CameraDescription| c.name == self.name && c.trouble.is_none();
        let mut usable = there.iter().filter(usable).map(|c| c.index);
        usable.find(|index| !self.others.contains(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(index: u32, trouble: Option<&str>) -> CameraDescription {
        CameraDescription {
            index,
            name: "C920".into(),
            formats: vec![],
            trouble: trouble.map(str::to_owned),
        }
    }

    #[test]
    fn the_twin_that_stayed_is_not_taken_for_the_one_that_comes_back() {
        let absence = Absence::of("C920", 2, &[camera(0, None), camera(2, Some("lost"))]);
        assert_eq!(absence.back(&[camera(0, None)]), None);
        assert_eq!(
            absence.back(&[camera(0, None), camera(2, Some("in use"))]),
            None
        );
        assert_eq!(absence.back(&[camera(0, None), camera(4, None)]), Some(4));
        assert_eq!(absence.back(&[camera(0, None), camera(2, None)]), Some(2));
    }
}
