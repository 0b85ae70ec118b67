//! Whether a network is right as often as it says, and a temperature that makes it so
//! (Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, ICML 2017).
//!
//! Two kinds of statement are judged. A classifier of exclusive classes is judged by
//! its *confidence*, the probability of the class it names, against how often that
//! class is the right one. Action units are yes-or-no questions, so each is judged by
//! its *probability of presence* against how often the unit is shown; the probability
//! of the likelier answer would hide a unit that is announced too seldom.
//!
//! A temperature is fitted on logits that were neither trained nor are tested on.

mod checks;
mod reliability;
#[cfg(test)]
mod samples;
mod temperature;

pub use checks::CalibrationError;
pub use reliability::{BINS, Bin, Calibration, PresenceCalibration, of_classes, of_presence};
pub use temperature::{COOLEST, HOTTEST, Temperature};
