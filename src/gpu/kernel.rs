//! One compute pipeline and how it is started.

use super::{GpuContext, GpuError};

/// A WGSL entry point, compiled for the context's device. Its buffers are bound in
/// group 0 in the order of their binding numbers, from 0.
#[derive(Debug)]
pub struct Kernel {
    pipeline: wgpu::ComputePipeline,
    label: &'static str,
}

impl Kernel {
    /// # Errors
    /// [`GpuError::Kernel`] with the compiler's words when the shader or the
    /// pipeline is refused.
    pub fn new(
        context: &GpuContext,
        label: &'static str,
        source: &str,
        entry_point: &str,
    ) -> Result<Self, GpuError> {
        let device = &context.device;
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(label),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(label),
            layout: None,
            module: &module,
            entry_point: Some(entry_point),
            compilation_options: wgpu::PipelineCompilationOptions {
                // Our kernels write workgroup memory before they read it.
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
        match pollster::block_on(scope.pop()) {
            None => Ok(Self { pipeline, label }),
            Some(error) => Err(GpuError::Kernel {
                label: label.to_owned(),
                reason: error.to_string(),
            }),
        }
    }

    /// Buffers in the order of their binding numbers.
    #[must_use]
    pub fn bind(&self, context: &GpuContext, buffers: &[&wgpu::Buffer]) -> wgpu::BindGroup {
        let numbered: Vec<_> = (0..).zip(buffers.iter().copied()).collect();
        self.bind_at(context, &numbered)
    }

    /// Buffers with their binding numbers, for an entry point that does not use all
    /// of its module's.
    #[must_use]
    pub fn bind_at(
        &self,
        context: &GpuContext,
        buffers: &[(u32, &wgpu::Buffer)],
    ) -> wgpu::BindGroup {
        let entries: Vec<_> = buffers
            .iter()
            .map(|&(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        context
            .device
            .create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(self.label),
                layout: &self.pipeline.get_bind_group_layout(0),
                entries: &entries,
            })
    }

    /// Starts a pass that several kernels can share; between two that touch the same
    /// buffer the second waits for the first.
    #[must_use]
    pub fn pass<'e>(
        encoder: &'e mut wgpu::CommandEncoder,
        label: &'static str,
    ) -> wgpu::ComputePass<'e> {
        encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some(label),
            timestamp_writes: None,
        })
    }

    /// Records one run over `workgroups` in x, y and z into a pass.
    pub fn dispatch(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        bindings: &wgpu::BindGroup,
        workgroups: [u32; 3],
    ) {
        self.dispatch_each(pass, [bindings], workgroups);
    }

    /// Records one run after another, each with its own bindings.
    pub fn dispatch_each<'b>(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        bindings: impl IntoIterator<Item = &'b wgpu::BindGroup>,
        workgroups: [u32; 3],
    ) {
        let [x, y, z] = workgroups;
        pass.set_pipeline(&self.pipeline);
        for bindings in bindings {
            pass.set_bind_group(0, bindings, &[]);
            pass.dispatch_workgroups(x, y, z);
        }
    }

    /// Records one run over `workgroups` in x, y and z.
    pub fn record(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        bindings: &wgpu::BindGroup,
        workgroups: [u32; 3],
    ) {
        let mut pass = Self::pass(encoder, self.label);
        self.dispatch(&mut pass, bindings, workgroups);
    }
}
