//! The weights that come with the program, each with a model card in `assets/weights`.

use std::path::PathBuf;

use super::weights::{Weights, WeightsError};

/// Names of the shipped weights, as `--weights` takes them.
pub const NAMES: [&str; 3] = [MOTION_TCN, SOFTNET_MACRO, SOFTNET_MICRO];
pub const MOTION_TCN: &str = "motion-tcn-1";
const SOFTNET_MACRO: &str = "softnet-macro-1";
const SOFTNET_MICRO: &str = "softnet-micro-1";

/// The shipped SOFTNet of a kind, `macro` or `micro`.
#[must_use]
pub fn softnet(kind: &str) -> &'static str {
    if kind == "macro" {
        SOFTNET_MACRO
    } else {
        SOFTNET_MICRO
    }
}

/// The file of shipped weights; `None` where there are none of this name.
#[must_use]
pub fn bytes(name: &str) -> Option<&'static [u8]> {
    Some(match name {
        MOTION_TCN => include_bytes!("../../assets/weights/motion-tcn-1.safetensors"),
        SOFTNET_MACRO => include_bytes!("../../assets/weights/softnet-macro-1.safetensors"),
        SOFTNET_MICRO => include_bytes!("../../assets/weights/softnet-micro-1.safetensors"),
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
