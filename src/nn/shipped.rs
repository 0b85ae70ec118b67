//! The weights that come with the program, each with a model card in `assets/weights`.

use std::path::PathBuf;

use super::weights::{Weights, WeightsError};

/// Names of the shipped weights, as `--weights` takes them.
pub const NAMES: [&str; 1] = [MOTION_TCN];
pub const MOTION_TCN: &str = "motion-tcn-1";

/// The file of shipped weights; `None` where there are none of this name.
#[must_use]
pub fn bytes(name: &str) -> Option<&'static [u8]> {
    Some(match name {
        MOTION_TCN => include_bytes!("../../assets/weights/motion-tcn-1.safetensors"),
        _ => return None,
    })
}

/// Reads shipped weights; `None` where there are none of this name.
///
/// # Errors
/// When the program was built with a damaged file.
pub fn weights(name: &str) -> Result<Option<Weights>, WeightsError> {
    let path = PathBuf::from(format!("{name}.safetensors"));
    bytes(name)
        .map(|bytes| Weights::parse(bytes, &path))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_file_is_whole_and_small() {
        let mut total = 0;
        for name in NAMES {
            let bytes = bytes(name).unwrap();
            total += bytes.len();
            let card = weights(name).unwrap().unwrap().card;
            assert!(card.trained_on.contains("studio"), "{name}: {card:?}");
        }
        assert!(total < 8 << 20, "{total} bytes of weights");
    }
}
