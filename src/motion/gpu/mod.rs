//! Motion on the graphics card; each kernel has its twin in [`crate::motion::cpu`].

pub mod magnify;
