//! Motion on the graphics card; each kernel has its twin on the processor.

pub mod roi;
