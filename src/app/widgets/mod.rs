//! Small things that several panels draw.

pub mod icon;
pub mod marks;
pub mod picture_layout;
pub mod row;
pub mod still;
pub mod textures;
