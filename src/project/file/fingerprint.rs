//! What tells a recording from all others without reading it whole: a film of 40
//! minutes is known again in milliseconds, wherever it lies.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::media::image_sequence::is_image;

/// At either end; containers keep what they are about there.
const END_BYTES: u64 = 1 << 20;
/// In between, evenly spaced.
const SAMPLES: u64 = 16;
const SAMPLE_BYTES: u64 = 64 << 10;

/// Equal for equal content, whatever its name and place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of the file; of all images for a folder.
    pub size_bytes: u64,
    /// SHA-256, 64 hexadecimal digits: of a file's size, its first and last MiB and 16
    /// pieces of 64 KiB between them; of the names and sizes of a folder's images with
    /// the first and the last of them.
    pub hash: String,
}

impl Fingerprint {
    /// Of a file or a folder of images.
    ///
    /// # Errors
    /// It is not there, cannot be read, or is a folder without images.
    pub fn of(path: &Path) -> io::Result<Self> {
        let mut hash = Sha256::new();
        let size_bytes = if fs::metadata(path)?.is_dir() {
            hash_folder(path, &mut hash)?
        } else {
            hash_file(path, &mut hash)?
        };
        let digits = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        Ok(Self {
            size_bytes,
            hash: digits,
        })
    }
}

fn hash_file(path: &Path, hash: &mut Sha256) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    hash.update(size.to_le_bytes());
    if size <= 2 * END_BYTES + SAMPLES * SAMPLE_BYTES {
        io::copy(&mut file, hash)?;
        return Ok(size);
    }
    let between = size - 2 * END_BYTES - SAMPLE_BYTES;
    let samples = (0..SAMPLES).map(|i| (END_BYTES + between / (SAMPLES - 1) * i, SAMPLE_BYTES));
    let pieces = [(0, END_BYTES)].into_iter().chain(samples);
    for (start, length) in pieces.chain([(size - END_BYTES, END_BYTES)]) {
        file.seek(SeekFrom::Start(start))?;
        io::copy(&mut file.by_ref().take(length), hash)?;
    }
    Ok(size)
}

/// Only what an analysis reads counts: systems leave files of their own in folders.
fn hash_folder(folder: &Path, hash: &mut Sha256) -> io::Result<u64> {
    let mut images: Vec<(String, u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_image(&path) && !name.starts_with('.') && path.is_file() {
            let size = fs::metadata(&path)?.len();
            images.push((name.into_owned(), size, path));
        }
    }
    images.sort();
    let (Some(first), Some(last)) = (images.first(), images.last()) else {
        return Err(io::ErrorKind::NotFound.into());
    };
    for (name, size, _) in &images {
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(size.to_le_bytes());
    }
    hash_file(&first.2, hash)?;
    hash_file(&last.2, hash)?;
    Ok(images.iter().map(|i| i.1).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_the_read_pieces_tells_two_long_files_apart() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a.avi"), folder.path().join("b.avi"));
        let mut bytes: Vec<u8> = (0..5_000_000u32).map(|i| (i % 251) as u8).collect();
        fs::write(&a, &bytes).unwrap();
        fs::write(&b, &bytes).unwrap();
        let whole = Fingerprint::of(&a).unwrap();
        assert_eq!((whole.size_bytes, whole.hash.len()), (5_000_000, 64));
        assert_eq!(Fingerprint::of(&b).unwrap(), whole);
        for at in [0, (1 << 20) + 5, 5_000_000 - (1 << 20) - 5, 4_999_999] {
            bytes[at] ^= 1;
            fs::write(&b, &bytes).unwrap();
            assert_ne!(Fingerprint::of(&b).unwrap(), whole, "{at}");
            bytes[at] ^= 1;
        }
        fs::write(&b, &bytes[..4_999_999]).unwrap();
        assert_ne!(Fingerprint::of(&b).unwrap(), whole);
    }

    #[test]
    fn a_folder_is_known_by_its_images_not_by_what_the_system_leaves_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert!(Fingerprint::of(folder.path()).is_err());
        put("1.png", "one");
        put("2.png", "two");
        put("3.png", "three");
        let whole = Fingerprint::of(folder.path()).unwrap();
        assert_eq!(whole.size_bytes, 11);
        put("Thumbs.db", "x");
        put("._1.png", "x");
        assert_eq!(Fingerprint::of(folder.path()).unwrap(), whole);
        put("1.png", "eno");
        assert_ne!(Fingerprint::of(folder.path()).unwrap(), whole);
        put("1.png", "one");
        put("2.png", "twoo");
        assert_ne!(Fingerprint::of(folder.path()).unwrap(), whole);
    }
}
