//! `onset`: a window without arguments, a tool with them. The only exit of the program.

use std::process::ExitCode;

use clap::Parser;
use onset::{app, cli};

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("error")).init();
    let cli = cli::Cli::parse();
    match cli.command {
        None => app::run(None),
        Some(cli::Command::View { input }) => app::run(input),
        Some(command) => cli::run(command, cli.quiet),
    }
}
