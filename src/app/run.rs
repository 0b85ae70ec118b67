//! Opens the window: on a wgpu adapter where there is one, on OpenGL where there
//! is none, and with a sentence where there is no display.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use eframe::egui_wgpu::{WgpuConfiguration, WgpuSetup, WgpuSetupCreateNew};

use super::App;
use super::backend::{Backend, Machine};
use super::settings::Settings;

/// Wakes the window from another thread, seldom enough that painting never
/// starves the analysis.
#[derive(Clone)]
pub struct Wake {
    ctx: egui::Context,
    /// At most one repaint in so many milliseconds.
    every_ms: Arc<AtomicU64>,
}

impl Wake {
    #[must_use]
    pub fn new(ctx: egui::Context, machine: &Machine) -> Self {
        let slow = machine.software || machine.adapter.is_none();
        Self {
            ctx,
            every_ms: Arc::new(AtomicU64::new(if slow { 100 } else { 33 })),
        }
    }

    /// The earliest pending repaint stands, so calling it often costs nothing.
    pub fn wake(&self) {
        let ms = self.every_ms.load(Ordering::Relaxed);
        self.ctx.request_repaint_after(Duration::from_millis(ms));
    }
}

/// Builds what stands behind the window, given how to wake it and, where there is
/// one, the device that draws it.
pub type MakeBackend<'a> =
    Box<dyn FnOnce(Wake, Option<&eframe::egui_wgpu::RenderState>) -> Box<dyn Backend> + 'a>;

/// How the wgpu device is made from the adapter: one device for window and analysis.
pub type DeviceDescriptor =
    Arc<dyn Fn(&wgpu::Adapter) -> wgpu::DeviceDescriptor<'static> + Send + Sync>;

/// Runs until the window is closed.
///
/// # Errors
/// Where no window can be opened, with the way to work without one.
pub fn run(
    input: Option<String>,
    descriptor: DeviceDescriptor,
    make: impl Fn() -> MakeBackend<'static>,
) -> anyhow::Result<()> {
    if !display_present() {
        return Err(no_window("no display was found"));
    }
    let wgpu = has_adapter();
    match open(input.clone(), wgpu.then(|| Arc::clone(&descriptor)), make()) {
        Err(eframe::Error::Wgpu(why)) if wgpu => {
            log::warn!("the window falls back to OpenGL: {why}");
            open(input, None, make()).map_err(|e| no_window(&e.to_string()))
        }
        other => other.map_err(|e| no_window(&e.to_string())),
    }
}

fn open(
    input: Option<String>,
    descriptor: Option<DeviceDescriptor>,
    make: MakeBackend<'static>,
) -> Result<(), eframe::Error> {
    let mut options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_app_id("onset")
            .with_inner_size([1280.0, 800.0])
            .with_min_inner_size([960.0, 640.0])
            .with_drag_and_drop(true),
        renderer: eframe::Renderer::Glow,
        ..eframe::NativeOptions::default()
    };
    if let Some(device_descriptor) = descriptor {
        options.renderer = eframe::Renderer::Wgpu;
        options.wgpu_options = WgpuConfiguration {
            wgpu_setup: WgpuSetup::CreateNew(WgpuSetupCreateNew {
                device_descriptor,
                ..WgpuSetupCreateNew::without_display_handle()
            }),
            ..WgpuConfiguration::default()
        };
    }
    eframe::run_native(
        "Onset",
        options,
        Box::new(move |cc| {
            let machine = machine(cc);
            let wake = Wake::new(cc.egui_ctx.clone(), &machine);
            let backend = make(wake, cc.wgpu_render_state.as_ref());
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

fn machine(cc: &eframe::CreationContext<'_>) -> Machine {
    let Some(render) = &cc.wgpu_render_state else {
        return Machine::default();
    };
    let info = render.adapter.get_info();
    Machine {
        software: info.device_type == wgpu::DeviceType::Cpu,
        adapter: Some(info.name),
    }
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

fn no_window(why: &str) -> anyhow::Error {
    anyhow!(
        "Cannot open a window ({why}). `onset analyze INPUT --out DIR` does the whole analysis \
         without one."
    )
}
