//! What is refused before anything is judged or fitted.

/// Why predictions cannot be judged. Rows count from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    #[error("there is nothing to judge: no prediction was given")]
    Empty,
    #[error("there are {predictions} rows of predictions and {truths} truths")]
    Lengths { predictions: usize, truths: usize },
    #[error("row {row} holds {found} values where {wanted} are needed")]
    Width {
        row: usize,
        found: usize,
        wanted: usize,
    },
    #[error("row {row} is of class {class}, and the classes are 0..{classes}")]
    Class {
        row: usize,
        class: usize,
        classes: usize,
    },
    #[error("row {row} holds {value}, which is no probability")]
    NoProbability { row: usize, value: f32 },
    #[error("row {row} holds {value}, which is no logit")]
    NoLogit { row: usize, value: f32 },
}

fn check_lengths(predictions: usize, truths: usize) -> Result<(), CalibrationError> {
    if predictions != truths {
        return Err(CalibrationError::Lengths {
            predictions,
            truths,
        });
    }
    if predictions == 0 {
        return Err(CalibrationError::Empty);
    }
    Ok(())
}

/// Rows of one width, at least one class, and truths among them.
pub(super) fn check_classes<R: AsRef<[f32]>>(
    rows: &[R],
    truth: &[usize],
) -> Result<(), CalibrationError> {
    check_lengths(rows.len(), truth.len())?;
    let classes = rows[0].as_ref().len();
    for (row, (values, &class)) in rows.iter().zip(truth).enumerate() {
        check_width(row, values.as_ref().len(), classes)?;
        if class >= classes {
            return Err(CalibrationError::Class {
                row,
                class,
                classes,
            });
        }
    }
    Ok(())
}

/// Rows of one width on both sides; gives the number of units, at least one.
pub(super) fn check_presence<R: AsRef<[f32]>>(
    rows: &[R],
    shown: &[Vec<bool>],
) -> Result<usize, CalibrationError> {
    check_lengths(rows.len(), shown.len())?;
    let units = rows[0].as_ref().len();
    if units == 0 {
        return Err(CalibrationError::Empty);
    }
    for (row, (values, shown)) in rows.iter().zip(shown).enumerate() {
        check_width(row, values.as_ref().len(), units)?;
        check_width(row, shown.len(), units)?;
    }
    Ok(units)
}

fn check_width(row: usize, found: usize, wanted: usize) -> Result<(), CalibrationError> {
    if found == wanted {
        Ok(())
    } else {
        Err(CalibrationError::Width { row, found, wanted })
    }
}

pub(super) fn check_probabilities<R: AsRef<[f32]>>(rows: &[R]) -> Result<(), CalibrationError> {
    // Sums of shares may pass 1 by a rounding.
    let bad = |value: f32| !(0.0..=1.0 + 1e-5).contains(&value);
    match first(rows, bad) {
        Some((row, value)) => Err(CalibrationError::NoProbability { row, value }),
        None => Ok(()),
    }
}

pub(super) fn check_logits<R: AsRef<[f32]>>(rows: &[R]) -> Result<(), CalibrationError> {
    match first(rows, |value| !value.is_finite()) {
        Some((row, value)) => Err(CalibrationError::NoLogit { row, value }),
        None => Ok(()),
    }
}

/// The first value for which this holds, with its row.
fn first<R: AsRef<[f32]>>(rows: &[R], holds: impl Fn(f32) -> bool) -> Option<(usize, f32)> {
    rows.iter().enumerate().find_map(|(row, values)| {
        let found = values.as_ref().iter().copied().find(|&value| holds(value));
        found.map(|value| (row, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::calibration::{Temperature, of_classes, of_presence};

    #[test]
    fn what_does_not_fit_together_is_refused_and_named() {
        let none: [[f32; 2]; 0] = [];
        assert_eq!(of_classes(&none, &[]), Err(CalibrationError::Empty));
        assert_eq!(
            of_classes(&[[0.5_f32, 0.5]], &[0, 1]),
            Err(CalibrationError::Lengths {
                predictions: 1,
                truths: 2
            })
        );
        assert_eq!(
            of_classes(&[[0.5_f32, 0.5]], &[2]),
            Err(CalibrationError::Class {
                row: 0,
                class: 2,
                classes: 2
            })
        );
        assert_eq!(
            of_presence(&[vec![0.5_f32], vec![0.5, 0.5]], &[vec![true], vec![true]]),
            Err(CalibrationError::Width {
                row: 1,
                found: 2,
                wanted: 1
            })
        );
        assert!(matches!(
            of_classes(&[[f32::NAN, 0.5]], &[1]),
            Err(CalibrationError::NoProbability { row: 0, .. })
        ));
        assert!(matches!(
            Temperature::fit_classes(&[[0.0_f32, 1.0], [f32::INFINITY, 0.5]], &[1, 1]),
            Err(CalibrationError::NoLogit { row: 1, .. })
        ));
    }
}
