//! Why a network says what it says, how sure it is, and where on the face that lies.

pub mod grad_cam;
pub mod on_face;
pub mod uncertainty;

#[cfg(test)]
mod sanity;
