//! What the studio films: who, which expressions, with which disturbances, and the
//! folders that training reads.

pub mod flow_images;
pub mod flow_statistics;

mod draws;
mod drawn_face;
mod emotion_classes;
mod face_retouch;
mod flow_camera;
mod flow_scene;
mod flow_recipe;
mod muscles;
mod skin_mechanics;
