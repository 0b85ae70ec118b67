//! From labelled data to weights: what the studio films, the trainers, evaluation by protocol.

pub mod synthesis;
