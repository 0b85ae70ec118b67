//! Opens the window: with wgpu on a graphics card, with OpenGL where the processor
//! draws, and with a sentence where there is no display.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use eframe::egui_wgpu::{WgpuConfiguration, WgpuSetup, WgpuSetupCreateNew};

use super::App;
use super::backend::Machine;
use super::live::Live;
use super::measure::Measure;
use super::off_screen::LEAST;
use super::settings::Settings;
use super::wake::Wake;
use crate::gpu::{self, GpuContext};
use crate::recognition::SecondLook;

/// What draws the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RendererChoice {
    /// wgpu on a graphics card, OpenGL where the processor draws.
    #[default]
    Auto,
    Wgpu,
    Glow,
}

/// How the window is opened.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// A file, a folder of images, `camera:0`.
    pub input: Option<String>,
    pub renderer: RendererChoice,
    /// An analysis on the graphics card gets a device of its own, not the window's.
    pub own_device: bool,
    /// Weights that look at candidates besides, in place of those in the settings.
    pub second_look: Vec<PathBuf>,
    /// Measure the window's cost for so many seconds, print it and close.
    pub measure_secs: Option<f64>,
    /// Play the recording while measuring.
    pub play: bool,
}

/// Opens the window and runs until it is closed.
#[must_use]
pub fn run(launch: &Launch) -> ExitCode {
    // Said before a window opens, as bad usage: whoever names files wants just these.
    if let Err(e) = SecondLook::load(&launch.second_look) {
        eprintln!("onset: {e}");
        return ExitCode::from(2);
    }
    match try_run(launch) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("onset: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The sentence says how to work without a window.
fn try_run(launch: &Launch) -> Result<(), String> {
    if !display_present() {
        return Err(no_window("no display was found"));
    }
    let card = has_card();
    let wgpu = match launch.renderer {
        RendererChoice::Auto => card,
        RendererChoice::Wgpu => true,
        RendererChoice::Glow => false,
    };
    match open(launch, wgpu, card) {
        Err(why) if launch.renderer == RendererChoice::Auto && cannot_draw(&why) => {
            let (tried, next) = if wgpu {
                ("wgpu", "OpenGL")
            } else {
                ("OpenGL", "wgpu")
            };
            log::warn!("{tried} cannot draw the window ({why}); it is drawn with {next}");
            open(launch, !wgpu, card).map_err(|e| no_window(&reason(&e)))
        }
        other => other.map_err(|e| no_window(&reason(&e))),
    }
}

/// Whether another renderer may do better.
fn cannot_draw(error: &eframe::Error) -> bool {
    use eframe::Error;
    matches!(
        error,
        Error::Wgpu(_) | Error::NoGlutinConfigs(..) | Error::Glutin(_) | Error::OpenGL(_)
    )
}

fn open(launch: &Launch, wgpu: bool, card: bool) -> Result<(), eframe::Error> {
    let launch = launch.clone();
    let mut options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_app_id("onset")
            .with_inner_size([1280.0, 800.0])
            .with_min_inner_size(LEAST)
            .with_drag_and_drop(true),
        renderer: eframe::Renderer::Glow,
        ..eframe::NativeOptions::default()
    };
    if wgpu {
        options.renderer = eframe::Renderer::Wgpu;
        options.wgpu_options = WgpuConfiguration {
            wgpu_setup: WgpuSetup::CreateNew(WgpuSetupCreateNew {
                // One device for window and analysis.
                device_descriptor: Arc::new(gpu::context::device_descriptor),
                ..WgpuSetupCreateNew::without_display_handle()
            }),
            ..WgpuConfiguration::default()
        };
    }
    eframe::run_native(
        "Onset",
        options,
        Box::new(move |cc| {
            let gpu = gpu_context(cc);
            let machine = match &gpu {
                Some(gpu) => Machine {
                    software: gpu.is_software(),
                    adapter: Some(gpu.name()),
                },
                None => Machine {
                    software: !card,
                    adapter: cc.gl.is_some().then(|| "OpenGL".to_owned()),
                },
            };
            let wake = Wake::new(cc.egui_ctx.clone(), &machine);
            let backend = Box::new(Live::new(wake, gpu, launch.own_device));
            let mut app = App::new(
                &cc.egui_ctx,
                backend,
                machine,
                Settings::path(),
                launch.input,
            );
            if !launch.second_look.is_empty() {
                app = app.looking_again(launch.second_look);
            }
            if let Some(secs) = launch.measure_secs {
                let lasts = Duration::from_secs_f64(secs);
                let renderer = if wgpu { "wgpu" } else { "glow" };
                let measure = Measure::new(&cc.egui_ctx, lasts, renderer);
                app = app.measuring(measure, launch.play);
            }
            Ok(Box::new(app))
        }),
    )
}

/// `None` without an adapter, or with one that only draws.
fn gpu_context(cc: &eframe::CreationContext<'_>) -> Option<GpuContext> {
    let render = cc.wgpu_render_state.as_ref()?;
    GpuContext::from_parts(
        render.instance.clone(),
        render.adapter.clone(),
        render.device.clone(),
        render.queue.clone(),
    )
    .inspect_err(|e| log::warn!("{e}"))
    .ok()
}

/// Whether a real graphics card can draw. Where the processor draws, OpenGL's
/// rasteriser leaves a third more of it to the analysis than Vulkan's (two cores,
/// llvmpipe 22.3: 46 frames a second against 35), and nothing else uses the adapter.
fn has_card() -> bool {
    let setup = WgpuSetup::without_display_handle();
    let backends = match &setup {
        WgpuSetup::CreateNew(new) => new.instance_descriptor.backends,
        WgpuSetup::Existing(_) => wgpu::Backends::all(),
    };
    let instance = pollster::block_on(setup.new_instance());
    pollster::block_on(instance.enumerate_adapters(backends))
        .iter()
        .any(|adapter| !gpu::context::is_software(&adapter.get_info()))
}

/// On Linux a window needs X11 or Wayland; elsewhere the system has one.
fn display_present() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"]
            .iter()
            .any(|v| std::env::var_os(v).is_some_and(|v| !v.is_empty()))
}

/// winit's own words name the source file they come from.
fn reason(error: &eframe::Error) -> String {
    match error {
        eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_) => {
            log::debug!("{error}");
            "the display named by DISPLAY or WAYLAND_DISPLAY does not answer".into()
        }
        other => other.to_string(),
    }
}

fn no_window(why: &str) -> String {
    format!(
        "Cannot open a window ({why}). `onset analyze INPUT --out DIR` does the whole analysis \
         without one."
    )
}
