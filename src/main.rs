use clap::Parser;
use onset::cli;
use std::process::ExitCode;
fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("error")).init();
    let cli = cli::Cli::parse();
    match cli.command {
        Some(command) => cli::run(command, cli.quiet),
        None => ExitCode::from(2),
    }
}
