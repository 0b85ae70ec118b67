//! `onset`: a window without arguments, a tool with them. The only exit of the program.

use std::process::ExitCode;

use clap::Parser;
use onset::app::{Launch, RendererChoice};
use onset::cli::{Renderer, ViewArgs};
use onset::{app, cli};

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("error")).init();
    let cli = cli::Cli::parse();
    match cli.command {
        None => app::run(&Launch::default()),
        Some(cli::Command::View(args)) => app::run(&launch(args)),
        Some(command) => cli::run(command, cli.quiet),
    }
}

fn launch(args: ViewArgs) -> Launch {
    Launch {
        input: args.input,
        renderer: match args.renderer {
            Renderer::Auto => RendererChoice::Auto,
            Renderer::Wgpu => RendererChoice::Wgpu,
            Renderer::Glow => RendererChoice::Glow,
        },
        own_device: args.own_device,
        second_look: args.second_look,
        measure_secs: args.measure,
        play: args.play,
    }
}
