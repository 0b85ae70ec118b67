//! From flows on the card to SOFTNet's input on the card, and to the few numbers of
//! a window that spotting reads, which alone come back: 4 KB a window.
//!
//! Kernels: `shaders/roi.wgsl`; CPU twin: [`crate::motion::roi`]. The polygons of
//! eyes and face are filled on the processor and go up as two bits a pixel. Sums run
//! in 32 bits and in another order than the twin's, so results agree to rounding: a
//! few 10⁻⁷ of the largest flow, times 1/range in the scaled input.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use crate::face::regions::{PixelRect, RegionGeometry};
use crate::gpu::{GpuContext, GpuError, Kernel, Readback, buffer, shader};
use crate::motion::grid::{CELL_VALUES, CELLS, FlowGrid};
use crate::motion::roi::{self, INPUT_SIDE};

const LABEL: &str = "motion.roi";

/// Values of one window's input: u, v, strain of 42×42.
pub const INPUT_VALUES: usize = 3 * INPUT_SIDE * INPUT_SIDE;
/// Values that come back of one window.
pub const STATISTICS: usize = GRID + CELLS * CELL_VALUES;

const PARTS: usize = 6;
const SUMS: usize = 6;
const HEAD: usize = PARTS * SUMS;
const PERCENTILE: usize = HEAD + 3;
const GRID: usize = PERCENTILE + 1;
/// Two bits each, in a word of the mask.
const PIXELS_PER_WORD: usize = 16;

/// `struct Roi` in the shader (a test compares them).
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct RoiUniform {
    pub width: u32,
    pub height: u32,
    pub windows: u32,
}

/// `struct Window` in the shader. Rectangles are x0, y0, x1, y1.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct WindowEntry {
    pub nose: [u32; 4],
    pub brows: [u32; 4],
    pub mouth: [u32; 4],
    pub brows_middle: u32,
    pub mouth_middle_x: u32,
    pub mouth_middle_y: u32,
    pub flow: u32,
    pub scale: f32,
    pub mask: u32,
}

/// The shader as it is compiled, with the pieces it shares.
#[must_use]
pub fn shader_source() -> String {
    shader::join(&[shader::PLANES], include_str!("../../../shaders/roi.wgsl"))
}

/// The regions of a crop as the kernels read them: made once for a crop, used by all
/// windows under it.
#[derive(Debug, Clone, PartialEq)]
pub struct RoiGeometry {
    size: (usize, usize),
    nose: [u32; 4],
    brows: [u32; 4],
    mouth: [u32; 4],
    middles: [u32; 3],
    mask: Vec<u32>,
}

impl RoiGeometry {
    /// Clips the rectangles to flows of `width × height` and fills the polygons.
    #[must_use]
    pub fn new(regions: &RegionGeometry, width: usize, height: usize) -> Self {
        let clipped = |rect: PixelRect| {
            let (columns, rows) = rect.clipped(width, height);
            [columns.start, rows.start, columns.end, rows.end].map(|v| v as u32)
        };
        let within =
            |value: i32, [low, high]: [u32; 2]| u32::try_from(value).unwrap_or(0).clamp(low, high);
        let (brows, mouth) = (regions.brows, regions.mouth);
        let ([bx0, _, bx1, _], [mx0, my0, mx1, my1]) = (clipped(brows), clipped(mouth));
        let (eyes, skipped) = roi::masks(regions, width, height);
        let mut mask = vec![0u32; (width * height).div_ceil(PIXELS_PER_WORD)];
        for (i, (eye, skipped)) in eyes.into_iter().zip(skipped).enumerate() {
            let bits = u32::from(eye) | u32::from(skipped) << 1;
            mask[i / PIXELS_PER_WORD] |= bits << (2 * (i % PIXELS_PER_WORD));
        }
        Self {
            size: (width, height),
            nose: clipped(regions.nose),
            brows: clipped(brows),
            mouth: clipped(mouth),
            middles: [
                within(roi::middle(brows.x0, brows.x1), [bx0, bx1]),
                within(roi::middle(mouth.x0, mouth.x1), [mx0, mx1]),
                within(roi::middle(mouth.y0, mouth.y1), [my0, my1]),
            ],
            mask,
        }
    }
}

/// A window to assemble.
#[derive(Debug, Clone)]
pub struct RoiWindow {
    /// Which of the flows in the buffer is its.
    pub flow: usize,
    /// Brings the flow to the nominal window length; 1 leaves it.
    pub scale: f32,
    pub geometry: Arc<RoiGeometry>,
}

/// What a window's flow says besides the network's input; the fields of
/// [`crate::motion::roi::RoiMotion`], by the same definitions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RoiStatistics {
    /// Sum of the nose-subtracted strain over both rectangles.
    pub control: f64,
    /// Mean strain over the brows and over the mouth.
    pub mean_strain: [f64; 2],
    /// Signed mean flow (u, v) in px of the six parts, the head's taken away.
    pub regions: [f32; 12],
    /// Mean strain of the nose window.
    pub nose_strain: f64,
    /// Mean flow of the nose window in px.
    pub head: [f32; 2],
    /// Mean length of the flow in px over both rectangles, the head's taken away.
    pub residual_mean: f32,
    /// 95th percentile of the same.
    pub residual_p95: f32,
    pub grid: FlowGrid,
}

impl RoiStatistics {
    fn read(values: &[f32; STATISTICS]) -> Self {
        let part = |p: usize| &values[p * SUMS..(p + 1) * SUMS];
        // Of the parts `from..to`: the sum of value `v`, and its mean.
        let sum = |from: usize, to: usize, v: usize| -> f64 {
            (from..to).map(|p| f64::from(part(p)[v])).sum()
        };
        let mean = |from: usize, to: usize, v: usize| sum(from, to, v) / sum(from, to, 4).max(1.0);
        Self {
            control: sum(0, PARTS, 5),
            mean_strain: [mean(0, 2, 2), mean(2, PARTS, 2)],
            regions: std::array::from_fn(|i| mean(i / 2, i / 2 + 1, i % 2) as f32),
            nose_strain: f64::from(values[HEAD + 2]),
            head: [values[HEAD], values[HEAD + 1]],
            residual_mean: mean(0, PARTS, 3) as f32,
            residual_p95: values[PERCENTILE],
            grid: FlowGrid::from_values(&values[GRID..]),
        }
    }
}

/// The kernels and their working memory.
#[derive(Debug)]
pub struct RoiKernels {
    context: GpuContext,
    input: Kernel,
    sums: Kernel,
    percentile: Kernel,
    grid: Kernel,
    readback: Readback,
    params: wgpu::Buffer,
    room: Option<Room>,
}

#[derive(Debug)]
struct Room {
    windows: usize,
    mask_words: usize,
    entries: wgpu::Buffer,
    masks: wgpu::Buffer,
    inputs: wgpu::Buffer,
    statistics: wgpu::Buffer,
}

impl RoiKernels {
    /// # Errors
    /// When the adapter refuses a kernel.
    pub fn new(context: &GpuContext) -> Result<Self, GpuError> {
        let source = shader_source();
        Ok(Self {
            input: Kernel::new(context, LABEL, &source, "roi")?,
            sums: Kernel::new(context, "motion.roi.sums", &source, "roi_sums")?,
            percentile: Kernel::new(context, "motion.roi.percentile", &source, "roi_percentile")?,
            grid: Kernel::new(context, "motion.roi.grid", &source, "roi_grid")?,
            readback: Readback::new(LABEL),
            params: buffer::uniform::<RoiUniform>(context, LABEL),
            room: None,
            context: context.clone(),
        })
    }

    /// Records the windows' inputs and statistics behind the commands that make
    /// `flows` (f32, for each flow a plane u and a plane v of `width × height` px).
    /// The small uploads go with the next submission and the results lie in buffers
    /// that are used again: submit before recording once more.
    ///
    /// # Errors
    /// When it does not fit the card.
    ///
    /// # Panics
    /// When a geometry was made for flows of another size: a programming error.
    pub fn record(
        &mut self,
        encoder: &mut wgpu::CommandEncoder,
        flows: &wgpu::Buffer,
        (width, height): (usize, usize),
        windows: &[RoiWindow],
    ) -> Result<(), GpuError> {
        if windows.is_empty() {
            return Ok(());
        }
        let mut masks: Vec<u32> = Vec::new();
        let mut known: Vec<(&Arc<RoiGeometry>, u32)> = Vec::new();
        let mut entries = Vec::with_capacity(windows.len());
        for window in windows {
            let geometry = &window.geometry;
            assert_eq!(geometry.size, (width, height), "regions of another size");
            let at = known.iter().find(|(g, _)| Arc::ptr_eq(g, geometry));
            let mask = match at {
                Some(&(_, at)) => at,
                None => {
                    let at = masks.len() as u32;
                    masks.extend(&geometry.mask);
                    known.push((geometry, at));
                    at
                }
            };
            let [brows_middle, mouth_middle_x, mouth_middle_y] = geometry.middles;
            entries.push(WindowEntry {
                nose: geometry.nose,
                brows: geometry.brows,
                mouth: geometry.mouth,
                brows_middle,
                mouth_middle_x,
                mouth_middle_y,
                flow: window.flow as u32,
                scale: window.scale,
                mask,
            });
        }
        let uniform = RoiUniform {
            width: width as u32,
            height: height as u32,
            windows: windows.len() as u32,
        };
        let room = Self::room(&mut self.room, &self.context, windows.len(), masks.len())?;
        let queue = &self.context.queue;
        queue.write_buffer(&self.params, 0, bytemuck::bytes_of(&uniform));
        queue.write_buffer(&room.entries, 0, bytemuck::cast_slice(&entries));
        queue.write_buffer(&room.masks, 0, bytemuck::cast_slice(&masks));
        let count = windows.len() as u32;
        for (kernel, result, groups) in [
            (&self.input, &room.inputs, 3),
            (&self.sums, &room.statistics, PARTS as u32),
            (&self.percentile, &room.statistics, 1),
            (&self.grid, &room.statistics, 1),
        ] {
            let bound = [&self.params, &room.entries, &room.masks, flows, result];
            let bindings = kernel.bind(&self.context, &bound);
            kernel.record(encoder, &bindings, [groups, 1, count]);
        }
        Ok(())
    }

    /// The networks' input of the windows recorded last: f32 `[window, 3, 42, 42]`
    /// (u, v, strain), each channel scaled to 0..1; behind the last window older ones
    /// may lie. `None` before the first.
    #[must_use]
    pub fn inputs(&self) -> Option<&wgpu::Buffer> {
        self.room.as_ref().map(|room| &room.inputs)
    }

    /// Records the way back of the statistics of the first `windows` recorded last,
    /// [`STATISTICS`] values each. Call [`Self::start`] once that is submitted.
    pub fn record_readback(
        &mut self,
        encoder: &mut wgpu::CommandEncoder,
        windows: usize,
        ticket: u64,
    ) {
        if let Some(room) = self.room.as_ref().filter(|_| windows > 0) {
            let bytes = (windows.min(room.windows) * STATISTICS * size_of::<f32>()) as u64;
            self.readback
                .record(&self.context, encoder, &room.statistics, bytes, ticket);
        }
    }

    /// Asks for what was recorded and submitted.
    pub fn start(&mut self) {
        self.readback.start();
    }

    /// The oldest windows' statistics with their ticket if they have arrived; never
    /// waits.
    ///
    /// # Errors
    /// When the device was lost.
    pub fn poll(&mut self) -> Result<Option<(u64, Vec<RoiStatistics>)>, GpuError> {
        let found = self.readback.poll(&self.context)?;
        Ok(found.map(|(ticket, values)| (ticket, statistics(&values))))
    }

    /// The same, waiting for them: for headless work and tests.
    ///
    /// # Errors
    /// When the device was lost.
    pub fn wait(&mut self) -> Result<Option<(u64, Vec<RoiStatistics>)>, GpuError> {
        let found = self.readback.wait(&self.context)?;
        Ok(found.map(|(ticket, values)| (ticket, statistics(&values))))
    }

    /// The same, looked for again and again without holding up a window that shares
    /// the device; see [`Readback::patiently`].
    ///
    /// # Errors
    /// When the device was lost or stays silent for a minute.
    pub fn patiently(&mut self) -> Result<Option<(u64, Vec<RoiStatistics>)>, GpuError> {
        let found = self.readback.patiently(&self.context)?;
        Ok(found.map(|(ticket, values)| (ticket, statistics(&values))))
    }

    /// Room for so much at least.
    fn room<'a>(
        room: &'a mut Option<Room>,
        context: &GpuContext,
        windows: usize,
        mask_words: usize,
    ) -> Result<&'a Room, GpuError> {
        let held = room.take();
        let (most_windows, most_words) =
            (held.as_ref()).map_or((0, 0), |r| (r.windows, r.mask_words));
        let fits = held.filter(|r| r.windows >= windows && r.mask_words >= mask_words);
        // It only grows, so that windows at a seam do not cost new room each time.
        let (windows, mask_words) = (windows.max(most_windows), mask_words.max(most_words));
        let made = match fits {
            Some(held) => held,
            None => Room {
                windows,
                mask_words,
                entries: buffer::storage::<WindowEntry>(context, LABEL, windows)?,
                masks: buffer::storage::<u32>(context, LABEL, mask_words)?,
                inputs: buffer::storage::<f32>(context, LABEL, windows * INPUT_VALUES)?,
                statistics: buffer::storage::<f32>(context, LABEL, windows * STATISTICS)?,
            },
        };
        Ok(room.insert(made))
    }
}

fn statistics(values: &[f32]) -> Vec<RoiStatistics> {
    let (windows, _) = values.as_chunks::<STATISTICS>();
    windows.iter().map(RoiStatistics::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Point;

    #[test]
    fn masks_and_rectangles_stay_inside_the_flow() {
        let rect = |x0, y0, x1, y1| PixelRect { x0, y0, x1, y1 };
        let square = |low: f32, high: f32| {
            [
                (low, low),
                (high, low),
                (high, high),
                (low, high),
                (low, low),
                (low, low),
            ]
            .map(|(x, y)| Point::new(x, y))
        };
        let regions = RegionGeometry {
            nose: rect(-4, 2, 6, 90),
            eyes: [square(1.0, 2.0), square(100.0, 120.0)],
            brows: rect(4, -3, 9, 5),
            mouth: rect(40, 40, 50, 50),
            outline: square(0.0, 9.0).to_vec(),
        };
        let geometry = RoiGeometry::new(&regions, 20, 10);
        assert_eq!(geometry.nose, [0, 2, 6, 10]);
        assert_eq!(geometry.brows, [4, 0, 9, 5]);
        // Nothing is left of the mouth: no pixels, and middles that say so.
        let [x0, y0, x1, y1] = geometry.mouth;
        assert!(x0 == x1 || y0 == y1);
        assert_eq!(geometry.middles, [6, 20, 10]);
        assert_eq!(geometry.mask.len(), 13);
        let bits = |x: usize, y: usize| {
            let i = y * 20 + x;
            geometry.mask[i / 16] >> (2 * (i % 16)) & 3
        };
        assert_eq!((bits(1, 1), bits(5, 5), bits(15, 5)), (3, 0, 2));
    }
}
