//! The window without a display: the real one, drawn into a texture of the graphics card
//! and waited for. `onset bench --window` measures with it what a repaint takes.

use std::time::{Duration, Instant};

use eframe::egui_wgpu::{Renderer, RendererOptions, ScreenDescriptor};
use egui::{Pos2, RawInput, ViewportId, vec2};
use image::{Rgba, RgbaImage};

use super::App;
use super::backend::Machine;
use super::command::Command;
use super::live::Live;
use super::state::AppState;
use super::wake::Wake;
use crate::gpu::{GpuContext, GpuError, Readback, readback};
use crate::session::Params;

const LABEL: &str = "app.off_screen";

/// As the windows of most systems are: colours as egui reckons them.
const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

/// The window's threads end with the frame that they are at.
const CLOSING: Duration = Duration::from_secs(20);

/// The least size of the window in points, width and height.
pub const LEAST: [f32; 2] = [960.0, 640.0];

/// A window that nobody sees.
pub struct OffScreen {
    app: App,
    ctx: egui::Context,
    gpu: GpuContext,
    renderer: Renderer,
    texture: wgpu::Texture,
    view: wgpu::TextureView,
    screen: ScreenDescriptor,
    wake: Wake,
    opened: Instant,
}

/// What one repaint took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Repaint {
    /// Logic, layout and tessellation.
    pub code: Duration,
    /// From the upload of pictures and triangles until the card has drawn them, behind
    /// what else it was given.
    pub drawing: Duration,
}

impl Repaint {
    #[must_use]
    pub fn whole(self) -> Duration {
        self.code + self.drawing
    }
}

impl OffScreen {
    /// Opens `input` in a window of `size` pixels, `scale` of them a point, that shares
    /// `gpu` with its analysis. It knows no settings file; the magnified picture is shown
    /// besides the views that are shown by default.
    #[must_use]
    pub fn open(
        gpu: &GpuContext,
        size: [u32; 2],
        scale: f32,
        input: String,
        params: Params,
    ) -> Self {
        let ctx = egui::Context::default();
        let machine = Machine {
            adapter: Some(gpu.name()),
            software: gpu.is_software(),
        };
        let wake = Wake::new(ctx.clone(), &machine);
        let backend = Box::new(Live::new(wake.clone(), Some(gpu.clone()), false));
        let mut app = App::new(&ctx, backend, machine, None, Some(input));
        app.state.settings.params = params;
        app.state.settings.hints_seen = true;
        app.state.settings.shown.magnified = true;
        let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some(LABEL),
            size: extent(size),
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: FORMAT,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        Self {
            app,
            ctx,
            renderer: Renderer::new(&gpu.device, FORMAT, RendererOptions::default()),
            view: texture.create_view(&wgpu::TextureViewDescriptor::default()),
            texture,
            screen: ScreenDescriptor {
                size_in_pixels: size,
                pixels_per_point: scale,
            },
            gpu: gpu.clone(),
            wake,
            opened: Instant::now(),
        }
    }

    #[must_use]
    pub fn state(&self) -> &AppState {
        &self.app.state
    }

    /// Carried out with the next repaint.
    pub fn ask(&mut self, command: Command) {
        self.app.asked.push(command);
    }

    /// One repaint as the display asks for it, from the logic until the card has drawn.
    ///
    /// # Errors
    /// [`GpuError::Silent`] when the card does not finish.
    pub fn repaint(&mut self) -> Result<Repaint, GpuError> {
        let begun = Instant::now();
        let input = self.input();
        let app = &mut self.app;
        let output = self.ctx.run_ui(input, |ui| {
            app.logic(ui.ctx());
            app.ui(ui);
        });
        let triangles = self.ctx.tessellate(output.shapes, output.pixels_per_point);
        let code = begun.elapsed();
        // What is measured goes into nobody's project.
        if let Some(review) = &mut self.app.state.review {
            review.handed_over = true;
        }
        let begun = Instant::now();
        self.draw(output.textures_delta, &triangles)?;
        let drawing = begun.elapsed();
        Ok(Repaint { code, drawing })
    }

    fn input(&self) -> RawInput {
        let [width, height] = self.screen.size_in_pixels.map(|side| side as f32);
        let scale = self.screen.pixels_per_point;
        let size = vec2(width, height) / scale;
        let side = self.gpu.device.limits().max_texture_dimension_2d;
        let mut input = RawInput {
            screen_rect: Some(egui::Rect::from_min_size(Pos2::ZERO, size)),
            max_texture_side: Some(side as usize),
            time: Some(self.opened.elapsed().as_secs_f64()),
            ..RawInput::default()
        };
        let root = input.viewports.entry(ViewportId::ROOT).or_default();
        root.native_pixels_per_point = Some(scale);
        input
    }

    /// In the order of the toolkit's own painter.
    fn draw(
        &mut self,
        mut textures: egui::TexturesDelta,
        triangles: &[egui::ClippedPrimitive],
    ) -> Result<(), GpuError> {
        let (device, queue) = (&self.gpu.device, &self.gpu.queue);
        for (id, changes) in textures.set.drain() {
            for change in changes {
                self.renderer.update_texture(device, queue, id, &change);
            }
        }
        let mut encoder =
            device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(LABEL) });
        let screen = &self.screen;
        let mut commands =
            (self.renderer).update_buffers(device, queue, &mut encoder, triangles, screen);
        let style = self.ctx.global_style();
        let clear = eframe::App::clear_color(&self.app, &style.visuals);
        let [r, g, b, a] = clear.map(f64::from);
        {
            let mut pass = encoder
                .begin_render_pass(&wgpu::RenderPassDescriptor {
                    label: Some(LABEL),
                    color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                        view: &self.view,
                        resolve_target: None,
                        depth_slice: None,
                        ops: wgpu::Operations {
                            load: wgpu::LoadOp::Clear(wgpu::Color { r, g, b, a }),
                            store: wgpu::StoreOp::Store,
                        },
                    })],
                    ..wgpu::RenderPassDescriptor::default()
                })
                .forget_lifetime();
            self.renderer.render(&mut pass, triangles, screen);
        }
        commands.push(encoder.finish());
        queue.submit(commands);
        // Only now: the commands may have used them.
        for id in textures.free.drain() {
            self.renderer.free_texture(&id);
        }
        readback::all_done(&self.gpu, LABEL)
    }

    /// What was drawn last.
    ///
    /// # Errors
    /// [`GpuError::Readback`] when the card does not give it back.
    pub fn picture(&self) -> Result<RgbaImage, GpuError> {
        const PIXEL: u32 = 4;
        let [width, height] = self.screen.size_in_pixels;
        // Rows of a texture begin where the card can copy them to.
        let row = (PIXEL * width).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let bytes = u64::from(row) * u64::from(height);
        let rows = self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(LABEL),
            size: bytes,
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let mut encoder = (self.gpu.device).create_command_encoder(&Default::default());
        encoder.copy_texture_to_buffer(
            self.texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &rows,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(row),
                    rows_per_image: None,
                },
            },
            extent([width, height]),
        );
        let mut back = Readback::new(LABEL);
        back.record(&self.gpu, &mut encoder, &rows, bytes, 0);
        self.gpu.queue.submit([encoder.finish()]);
        back.start();
        let (_, words) = (back.patiently(&self.gpu)?).ok_or_else(|| GpuError::Readback {
            label: LABEL.to_owned(),
            reason: "nothing is on its way".to_owned(),
        })?;
        Ok(RgbaImage::from_fn(width, height, |x, y| {
            Rgba(words[(y * (row / PIXEL) + x) as usize].to_ne_bytes())
        }))
    }

    /// Closes the window and waits until its threads have let the card go; false where
    /// one does not.
    pub fn close(self) -> bool {
        let Self { mut app, wake, .. } = self;
        eframe::App::on_exit(&mut app, None);
        drop(app);
        let asked = Instant::now();
        while !wake.is_last() && asked.elapsed() < CLOSING {
            std::thread::sleep(Duration::from_millis(5));
        }
        wake.is_last()
    }
}

fn extent([width, height]: [u32; 2]) -> wgpu::Extent3d {
    wgpu::Extent3d {
        width,
        height,
        depth_or_array_layers: 1,
    }
}
