//! The weights that come with the program, each with a model card in `assets/weights`.

use std::path::PathBuf;

use super::weights::{Weights, WeightsError};

/// Every shipped file by its name, and its card.
const SHIPPED: &[(&str, &[u8], &str)] = &[
    (
        "au-flow-2",
        include_bytes!("../../assets/weights/au-flow-2.safetensors"),
        include_str!("../../assets/weights/au-flow-2.md"),
    ),
    (
        "motion-tcn-2",
        include_bytes!("../../assets/weights/motion-tcn-2.safetensors"),
        include_str!("../../assets/weights/motion-tcn-2.md"),
    ),
    (
        "softnet-macro-1",
        include_bytes!("../../assets/weights/softnet-macro-1.safetensors"),
        include_str!("../../assets/weights/softnet-macro-1.md"),
    ),
    (
        "softnet-micro-1",
        include_bytes!("../../assets/weights/softnet-micro-1.safetensors"),
        include_str!("../../assets/weights/softnet-micro-1.md"),
    ),
    (
        "ststnet-1",
        include_bytes!("../../assets/weights/ststnet-1.safetensors"),
        include_str!("../../assets/weights/ststnet-1.md"),
    ),
];

/// MotionTCN for both kinds of expression.
pub const MOTION_TCN: &str = "motion-tcn-2";

/// AU-Flow: action units and three classes.
pub const AU_FLOW: &str = "au-flow-2";

/// The shipped SOFTNet of a kind, `macro` or `micro`.
#[must_use]
pub fn softnet(kind: &str) -> &'static str {
    if kind == "macro" {
        "softnet-macro-1"
    } else {
        "softnet-micro-1"
    }
}

/// Names of the shipped weights, as `--weights` takes them.
pub fn names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, ..)| *name)
}

/// The newest shipped weights of a network, `au-flow-2` of `au-flow`.
#[must_use]
pub fn of(network: &str) -> Option<&'static str> {
    let number = |name: &str| -> Option<u32> {
        let rest = name.strip_prefix(network)?.strip_prefix('-')?;
        rest.parse().ok()
    };
    names()
        .filter(|name| number(name).is_some())
        .max_by_key(|name| number(name))
}

/// The file of shipped weights; `None` where there are none of this name.
#[must_use]
pub fn bytes(name: &str) -> Option<&'static [u8]> {
    let found = SHIPPED.iter().find(|(known, ..)| *known == name)?;
    Some(found.1)
}

/// What shipped weights are for, in the words over their card; `None` where there are none
/// of this name.
#[must_use]
pub fn purpose(name: &str) -> Option<&'static str> {
    let (.., card) = SHIPPED.iter().find(|(known, ..)| *known == name)?;
    let heading = card.lines().next()?.strip_prefix("# ")?;
    heading.strip_prefix(name)?.strip_prefix(": ")
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

/// Reads shipped weights that every build has.
///
/// # Errors
/// When the program was built without them or with a damaged file.
pub fn whole(name: &str) -> Result<Weights, WeightsError> {
    weights(name)?.ok_or_else(|| WeightsError::Unreadable {
        path: PathBuf::from(name),
        reason: "this program was built without them".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_weights_of_a_network_are_found_by_its_name() {
        assert_eq!(of("au-flow"), Some(AU_FLOW));
        assert_eq!(of("softnet"), None);
    }

    #[test]
    fn every_shipped_file_is_whole_and_small() {
        let mut total = 0;
        for name in names() {
            let bytes = bytes(name).unwrap();
            total += bytes.len();
            assert!(weights(name).unwrap().is_some(), "{name}");
            assert!(purpose(name).is_some_and(|p| !p.is_empty()), "{name}");
            let card = format!("{}/assets/weights/{name}.md", env!("CARGO_MANIFEST_DIR"));
            let card = std::fs::read_to_string(card).unwrap();
            // Nothing that a licence binds went into it, and the card says so.
            assert!(card.contains("no licensed clip"), "{name}");
        }
        assert!(total < 8 << 20, "{total} bytes of weights");
    }
}
