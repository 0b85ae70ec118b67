//! Results on stdout, messages on stderr. The standard macros end the program when
//! nobody reads or the disk behind a redirection is full: hours of analysis would be
//! lost for a line of progress.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write, stderr, stdout};

use anyhow::anyhow;

use super::Failure;

/// A line of results. A reader that has seen enough, such as `head`, is no failure.
pub(super) fn result(line: Arguments<'_>) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out
        .write_fmt(format_args!("{line}\n"))
        .and_then(|()| out.flush())
    {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::other(anyhow!(
            "Cannot print the results: {e}. Free space, or let them go elsewhere"
        ))),
        _ => Ok(()),
    }
}

/// A line for the person; where it cannot be shown the work goes on.
pub(super) fn message(line: Arguments<'_>) {
    let _ = stderr().lock().write_fmt(format_args!("{line}\n"));
}

/// Prints a line of results; returns from the function where that fails.
macro_rules! say {
    ($($words:tt)*) => { $crate::cli::print::result(format_args!($($words)*))? };
}

/// Tells the person a line.
macro_rules! tell {
    ($($words:tt)*) => { $crate::cli::print::message(format_args!($($words)*)) };
}

pub(super) use {say, tell};
