//! `onset doctor`: what there is and what is missing.

use clap::Args;
use serde::Serialize;

use super::print::say;
use super::{CommandResult, Failure, Outcome};
use crate::face::LandmarkPredictor;
use crate::gpu::GpuContext;
use crate::media;
use crate::session::device::Sides;
use crate::session::params::DeviceChoice;

/// Check what this machine has and what is missing.
#[derive(Debug, Args)]
#[command(after_help = "Example: onset doctor")]
pub struct DoctorArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Check {
    what: &'static str,
    good: bool,
    found: String,
}

pub(super) fn run(args: &DoctorArgs) -> CommandResult {
    let checks = [
        processor(),
        adapter(),
        side(),
        display(),
        landmarks(),
        ffmpeg(),
        cameras(),
    ];
    if args.json {
        say!(
            "{}",
            serde_json::to_string_pretty(&checks).map_err(Failure::other)?
        );
    } else {
        say!("onset {}", env!("CARGO_PKG_VERSION"));
        for c in &checks {
            say!(
                "{} {:<16} {}",
                if c.good { "ok     " } else { "missing" },
                c.what,
                c.found
            );
        }
    }
    Ok(Outcome::Done)
}

fn processor() -> Check {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Check {
        what: "processor",
        good: true,
        found: format!("{cores} threads"),
    }
}

/// Where `auto` computes, which may take a measurement the first time.
fn side() -> Check {
    let (good, found) = match Sides::choose(DeviceChoice::Auto, true, GpuContext::headless) {
        Ok(sides) => (true, format!("{}: {}", sides.name(), sides.reason)),
        Err(e) => (false, e.to_string()),
    };
    Check {
        what: "analysis on",
        good,
        found,
    }
}

fn adapter() -> Check {
    let (good, found) = match GpuContext::headless() {
        Ok(gpu) if gpu.is_software() => (
            true,
            format!(
                "{} is a software adapter: the window works, the processor is faster for analysis",
                gpu.name()
            ),
        ),
        Ok(gpu) => (true, gpu.name()),
        Err(e) => (false, e.to_string()),
    };
    Check {
        what: "graphics",
        good,
        found,
    }
}

fn display() -> Check {
    let named = |v: &str| std::env::var_os(v).filter(|s| !s.is_empty());
    let good = !cfg!(target_os = "linux")
        || named("DISPLAY")
            .or_else(|| named("WAYLAND_DISPLAY"))
            .is_some();
    let found = if good {
        "yes"
    } else {
        "none: `onset analyze` works without a window"
    };
    Check {
        what: "display",
        good,
        found: found.into(),
    }
}

fn landmarks() -> Check {
    let (good, found) = match LandmarkPredictor::find(None) {
        Ok(p) => (true, p.name()),
        Err(e) => (false, e.to_string()),
    };
    Check {
        what: "68 landmarks",
        good,
        found,
    }
}

fn ffmpeg() -> Check {
    Check {
        what: "FFmpeg",
        good: true,
        found: media::ffmpeg_version(),
    }
}

fn cameras() -> Check {
    let (good, found) = match media::list_cameras() {
        Ok(list) if list.is_empty() => (
            false,
            "no camera found; recordings can be analysed without one".into(),
        ),
        Ok(list) => (
            true,
            list.iter()
                .map(|c| c.name.clone())
                .collect::<Vec<_>>()
                .join(", "),
        ),
        Err(e) => (false, e.to_string()),
    };
    Check {
        what: "cameras",
        good,
        found,
    }
}
