//! Opens the window: on a wgpu adapter where there is one, on OpenGL where there
//! is none, and with a sentence where there is no display.

use std::process::ExitCode;
use std::sync::Arc;

use eframe::egui_wgpu::{WgpuConfiguration, WgpuSetup, WgpuSetupCreateNew};

use super::App;
use super::backend::Machine;
use super::live::Live;
use super::settings::Settings;
use super::wake::Wake;
use crate::gpu::{self, GpuContext};

/// Opens the window, on `input` if given (a file, a folder of images, `camera:0`),
/// and runs until it is closed.
#[must_use]
pub fn run(input: Option<String>) -> ExitCode {
    match try_run(input) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("onset: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The sentence says how to work without a window.
fn try_run(input: Option<String>) -> Result<(), String> {
    if !display_present() {
        return Err(no_window("no display was found"));
    }
    let wgpu = has_adapter();
    match open(input.clone(), wgpu) {
        Err(eframe::Error::Wgpu(why)) if wgpu => {
            log::warn!("the window falls back to OpenGL: {why}");
            open(input, false).map_err(|e| no_window(&reason(&e)))
        }
        other => other.map_err(|e| no_window(&reason(&e))),
    }
}

fn open(input: Option<String>, wgpu: bool) -> Result<(), eframe::Error> {
    let mut options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_app_id("onset")
            .with_inner_size([1280.0, 800.0])
            .with_min_inner_size([960.0, 640.0])
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
            let machine = Machine {
                software: gpu.as_ref().is_some_and(GpuContext::is_software),
                adapter: gpu.as_ref().map(GpuContext::name),
            };
            let wake = Wake::new(cc.egui_ctx.clone(), &machine);
            let backend = Box::new(Live::new(wake, gpu));
            Ok(Box::new(App::new(
                &cc.egui_ctx,
                backend,
                machine,
                Settings::path(),
                input,
            )))
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

fn has_adapter() -> bool {
    let setup = WgpuSetup::without_display_handle();
    let backends = match &setup {
        WgpuSetup::CreateNew(new) => new.instance_descriptor.backends,
        WgpuSetup::Existing(_) => wgpu::Backends::all(),
    };
    let instance = pollster::block_on(setup.new_instance());
    !pollster::block_on(instance.enumerate_adapters(backends)).is_empty()
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
