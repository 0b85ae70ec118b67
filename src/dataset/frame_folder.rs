//! A folder of numbered images: `img1.jpg`, `reg_img46.jpg`, `006_05588.jpg`,
//! `image835057.jpg`, `355.jpg`. The last number in a name is the frame's number; the
//! frame's place, which everything else counts with, is its rank from 0.

use std::path::{Path, PathBuf};

/// The numbers of a folder's images, and their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameFolder {
    /// Ascending by number.
    files: Vec<(u64, String)>,
    /// Images without a number in their name.
    unnumbered: Vec<String>,
    /// Numbers that more than one image has.
    repeated: Vec<u64>,
}

impl FrameFolder {
    /// Lists the images of a folder; other files are not looked at.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn scan(folder: &Path) -> std::io::Result<Self> {
        let mut files = Vec::new();
        let mut unnumbered = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || !is_image(&name) {
                continue;
            }
            match last_number(&name) {
                Some(number) => files.push((number, name)),
                None => unnumbered.push(name),
            }
        }
        files.sort();
        unnumbered.sort();
        let mut repeated: Vec<u64> = files
            .windows(2)
            .filter(|pair| pair[0].0 == pair[1].0)
            .map(|pair| pair[0].0)
            .collect();
        repeated.dedup();
        Ok(Self {
            files,
            unnumbered,
            repeated,
        })
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The lowest and the highest number.
    #[must_use]
    pub fn range(&self) -> Option<(u64, u64)> {
        Some((self.files.first()?.0, self.files.last()?.0))
    }

    /// The place of the image with this number.
    #[must_use]
    pub fn place(&self, number: u64) -> Option<u64> {
        self.files
            .binary_search_by_key(&number, |f| f.0)
            .ok()
            .map(|place| place as u64)
    }

    /// Places of the images numbered `first..=last`, as first and last place;
    /// `None` when there is none.
    #[must_use]
    pub fn places(&self, first: u64, last: u64) -> Option<(u64, u64)> {
        let start = self.files.partition_point(|f| f.0 < first);
        let end = self.files.partition_point(|f| f.0 <= last);
        (start < end).then(|| (start as u64, end as u64 - 1))
    }

    /// How many numbers of `first..=last` have no image.
    #[must_use]
    pub fn missing(&self, first: u64, last: u64) -> u64 {
        let held = self
            .places(first, last)
            .map_or(0, |(start, end)| end - start + 1);
        (last - first + 1).saturating_sub(held)
    }

    /// Numbers between the first and the last image that have none.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.range()
            .map_or(0, |(first, last)| self.missing(first, last))
    }

    #[must_use]
    pub fn unnumbered(&self) -> &[String] {
        &self.unnumbered
    }

    #[must_use]
    pub fn repeated(&self) -> &[u64] {
        &self.repeated
    }

    /// The image at `place`, in `folder`.
    #[must_use]
    pub fn path(&self, folder: &Path, place: usize) -> Option<PathBuf> {
        self.files.get(place).map(|(_, name)| folder.join(name))
    }
}

/// By its ending.
pub(super) fn is_image(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| {
        ["jpg", "jpeg", "png", "bmp", "tif", "tiff"]
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}

/// The last run of digits before the ending.
fn last_number(name: &str) -> Option<u64> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let end = stem.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = stem[..end]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| {
            at + stem[at..].chars().next().map_or(1, char::len_utf8)
        });
    stem[start..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_names_give_their_numbers() {
        for (name, number) in [
            ("img1.jpg", Some(1)),
            ("reg_img46.jpg", Some(46)),
            ("006_05588.jpg", Some(5588)),
            ("006_1_2_0001.jpg", Some(1)),
            ("reg_image000123.bmp", Some(123)),
            ("355.jpg", Some(355)),
            ("bild-é7.png", Some(7)),
            ("cover.jpg", None),
        ] {
            assert_eq!(last_number(name), number, "{name}");
        }
        assert!(is_image("a.JPG") && !is_image("Thumbs.db") && !is_image("jpg"));
    }

    #[test]
    fn places_are_ranks_whatever_the_first_number_and_gaps_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "img9.jpg",
            "img10.jpg",
            "img12.jpg",
            "note.txt",
            "cover.jpg",
            "reg_img10.jpg",
        ] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        let folder = FrameFolder::scan(dir.path()).unwrap();
        assert_eq!((folder.len(), folder.range()), (4, Some((9, 12))));
        assert_eq!(folder.repeated(), [10]);
        assert_eq!(folder.unnumbered(), ["cover.jpg"]);
        std::fs::remove_file(dir.path().join("reg_img10.jpg")).unwrap();
        let folder = FrameFolder::scan(dir.path()).unwrap();
        assert_eq!((folder.place(12), folder.place(11)), (Some(2), None));
        assert_eq!(folder.places(10, 11), Some((1, 1)));
        assert_eq!((folder.missing(9, 12), folder.gaps()), (1, 1));
        assert_eq!(folder.places(20, 30), None);
        let path = folder.path(dir.path(), 1).unwrap();
        assert!(path.ends_with("img10.jpg"));
    }
}
