//! Why a network says what it says, how sure it is, and where on the face that lies.

pub mod against_flow;
pub mod calibration;
pub mod grad_cam;
mod integrated;
pub mod on_face;
#[cfg(test)]
mod sanity;
pub mod uncertainty;
pub mod units;
