//! Labelled data on disk: what `train` and `evaluate` read.
