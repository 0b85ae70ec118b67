//! Why a network says what it says, how sure it is, and where on the face that lies.

pub mod calibration;
pub mod grad_cam;
pub mod on_face;
#[cfg(test)]
mod sanity;
pub mod uncertainty;
pub mod units;
