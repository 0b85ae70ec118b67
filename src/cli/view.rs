//! `onset view`: how the window is opened. The window itself lives in its own room.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::above_zero;

/// Open the window, on INPUT if given (a file, a folder of images, or camera:0).
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  onset view interview.mp4\n  onset view interview.mp4 --measure 20 --play"
)]
pub struct ViewArgs {
    /// A file, a folder of images, or camera:0.
    pub input: Option<String>,
    /// What draws the window: auto takes the graphics adapter, else OpenGL.
    #[arg(long, value_enum, default_value_t = Renderer::Auto)]
    pub renderer: Renderer,
    /// Give an analysis on the graphics card a device of its own: where a driver lets
    /// the window wait for it otherwise.
    #[arg(long)]
    pub own_device: bool,
    /// Weights of a network that looks at each candidate besides, in place of those that
    /// Settings names, and named there from then on; again for another.
    #[arg(long, value_name = "PATH")]
    pub second_look: Vec<PathBuf>,
    /// Measure for so many seconds, or to the end of the analysis, what the window costs
    /// beside it, print it as JSON and close.
    #[arg(long, value_name = "SECONDS", value_parser = above_zero, requires = "input", allow_negative_numbers = true)]
    pub measure: Option<f64>,
    /// Play the recording while measuring.
    #[arg(long, requires = "measure")]
    pub play: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Renderer {
    Auto,
    Wgpu,
    Glow,
}
