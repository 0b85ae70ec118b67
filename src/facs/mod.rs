//! The Facial Action Coding System's words: action units, sides, intensities.
