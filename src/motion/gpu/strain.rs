//! Optical strain of flows that lie on the card.
//!
//! Kernels: `shaders/strain.wgsl`; CPU twin: [`crate::motion::strain`].

use bytemuck::{Pod, Zeroable};

use crate::gpu::{GpuContext, GpuError, Kernel, buffer, shader};

const LABEL: &str = "motion.strain";

/// `struct Strain` in the shader (a test compares them).
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct StrainUniform {
    pub width: u32,
    pub height: u32,
    pub flows: u32,
}

/// The shader as it is compiled, with the pieces it shares.
#[must_use]
pub fn shader_source() -> String {
    shader::join(
        &[shader::PLANES],
        include_str!("../../../shaders/strain.wgsl"),
    )
}

/// Which differences the strain is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differences {
    /// Central, one-sided at the borders: ε_xx, ε_yy, ε_xy and the magnitude, a
    /// plane each ([`crate::motion::strain::central`]).
    Central,
    /// Between neighbours, the magnitude only ([`crate::motion::strain::forward`]).
    Forward,
}

impl Differences {
    /// Planes of strain for one flow.
    #[must_use]
    pub const fn planes(self) -> usize {
        match self {
            Self::Central => 4,
            Self::Forward => 1,
        }
    }
}

/// The strain kernels.
#[derive(Debug)]
pub struct StrainKernels {
    context: GpuContext,
    central: Kernel,
    forward: Kernel,
    rooms: Vec<Room>,
}

#[derive(Debug)]
struct Room {
    shape: (usize, usize, usize, Differences),
    params: wgpu::Buffer,
    strains: wgpu::Buffer,
}

impl StrainKernels {
    /// # Errors
    /// When the adapter refuses a kernel.
    pub fn new(context: &GpuContext) -> Result<Self, GpuError> {
        let source = shader_source();
        Ok(Self {
            central: Kernel::new(context, LABEL, &source, "strain")?,
            forward: Kernel::new(context, "motion.strain.forward", &source, "strain_forward")?,
            rooms: Vec::new(),
            context: context.clone(),
        })
    }

    /// Records the strain of the first `count` flows in `flows` (f32, for each a
    /// plane u and a plane v of `width × height` px). The buffer returned holds
    /// [`Differences::planes`] planes of each flow and is used again for the next
    /// flows of the same shape.
    ///
    /// # Errors
    /// When it does not fit the card.
    pub fn record(
        &mut self,
        encoder: &mut wgpu::CommandEncoder,
        flows: &wgpu::Buffer,
        (width, height): (usize, usize),
        count: usize,
        differences: Differences,
    ) -> Result<&wgpu::Buffer, GpuError> {
        let shape = (width, height, count, differences);
        let at = match self.rooms.iter().position(|room| room.shape == shape) {
            Some(at) => at,
            None => {
                let params = buffer::uniform::<StrainUniform>(&self.context, LABEL);
                let uniform = StrainUniform {
                    width: width as u32,
                    height: height as u32,
                    flows: count as u32,
                };
                let queue = &self.context.queue;
                queue.write_buffer(&params, 0, bytemuck::bytes_of(&uniform));
                let values = width * height * count * differences.planes();
                self.rooms.push(Room {
                    shape,
                    params,
                    strains: buffer::storage::<f32>(&self.context, LABEL, values)?,
                });
                self.rooms.len() - 1
            }
        };
        let room = &self.rooms[at];
        let kernel = match differences {
            Differences::Central => &self.central,
            Differences::Forward => &self.forward,
        };
        let bound = [&room.params, flows, &room.strains];
        let bindings = kernel.bind(&self.context, &bound);
        let tiles = |length: usize| length.div_ceil(16) as u32;
        kernel.record(
            encoder,
            &bindings,
            [tiles(width), tiles(height), count as u32],
        );
        Ok(&room.strains)
    }
}
