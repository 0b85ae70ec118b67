//! The one device that our kernels, Burn and the window share.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use super::GpuError;

/// What to ask of an adapter, for the window's device as for a headless one.
///
/// Burn's kernels are generated for what the *adapter* can do, so the device must
/// have all of it: the adapter's limits, and its features less those that need
/// special care (`MAPPABLE_PRIMARY_BUFFERS`) or are experimental.
#[must_use]
pub fn device_descriptor(adapter: &wgpu::Adapter) -> wgpu::DeviceDescriptor<'static> {
    wgpu::DeviceDescriptor {
        label: Some("onset"),
        required_features: adapter.features()
            - wgpu::Features::MAPPABLE_PRIMARY_BUFFERS
            - wgpu::Features::all_experimental_mask(),
        required_limits: adapter.limits(),
        ..wgpu::DeviceDescriptor::default()
    }
}

/// Whether an adapter is a program on the processor.
#[must_use]
pub fn is_software(info: &wgpu::AdapterInfo) -> bool {
    let name = info.name.to_lowercase();
    info.device_type == wgpu::DeviceType::Cpu
        || name.contains("llvmpipe")
        || name.contains("softpipe")
}

/// An adapter and its device, cheap to clone: the handles are shared.
#[derive(Debug, Clone)]
pub struct GpuContext {
    pub instance: wgpu::Instance,
    pub adapter: wgpu::Adapter,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    /// The adapter's name, driver and kind.
    pub info: wgpu::AdapterInfo,
    /// What the networks' runtime made of this device, see [`Self::networks_or`].
    networks: Arc<OnceLock<Box<dyn Any + Send + Sync>>>,
}

impl GpuContext {
    /// A device without a window, for the command line and for tests. The variables
    /// `WGPU_BACKEND` and `WGPU_POWER_PREF` choose among several adapters.
    ///
    /// # Errors
    /// [`GpuError::NoAdapter`], [`GpuError::NoCompute`] or [`GpuError::NoDevice`]:
    /// reasons to compute on the processor.
    pub fn headless() -> Result<Self, GpuError> {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        if wgpu::Backends::from_env().is_none() {
            // OpenGL shows a second time what Vulkan shows, with fewer features.
            descriptor.backends = wgpu::Backends::PRIMARY;
        }
        let instance = wgpu::Instance::new(descriptor);
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::from_env()
                .unwrap_or(wgpu::PowerPreference::HighPerformance),
            ..Default::default()
        };
        let adapter = pollster::block_on(instance.request_adapter(&options)).map_err(|error| {
            GpuError::NoAdapter {
                reason: error.to_string(),
            }
        })?;
        let (device, queue) = pollster::block_on(
            adapter.request_device(&device_descriptor(&adapter)),
        )
        .map_err(|error| GpuError::NoDevice {
            adapter: adapter.get_info().name,
            reason: error.to_string(),
        })?;
        Self::from_parts(instance, adapter, device, queue)
    }

    /// The device that the window's toolkit made with [`device_descriptor`].
    ///
    /// # Errors
    /// [`GpuError::NoCompute`] where it only draws (some OpenGL drivers).
    pub fn from_parts(
        instance: wgpu::Instance,
        adapter: wgpu::Adapter,
        device: wgpu::Device,
        queue: wgpu::Queue,
    ) -> Result<Self, GpuError> {
        let info = adapter.get_info();
        let capabilities = adapter.get_downlevel_capabilities();
        if !capabilities
            .flags
            .contains(wgpu::DownlevelFlags::COMPUTE_SHADERS)
        {
            return Err(GpuError::NoCompute { adapter: info.name });
        }
        let context = Self {
            instance,
            adapter,
            device,
            queue,
            info,
            networks: Arc::default(),
        };
        context.log_uncaptured_errors();
        Ok(context)
    }

    /// A mistake in one command must not end the program, as wgpu's own handler
    /// does. Burn installs that handler again when it registers, so it is called
    /// once more after that.
    pub fn log_uncaptured_errors(&self) {
        self.device
            .on_uncaptured_error(Arc::new(|error| log::error!("graphics device: {error}")));
    }

    /// Whether "the graphics card" is this computer's processor (Mesa's llvmpipe,
    /// Windows' WARP): right for tests, slower than our CPU path for work.
    #[must_use]
    pub fn is_software(&self) -> bool {
        is_software(&self.info)
    }

    /// `NVIDIA H200 (Vulkan)`, as the status strip and result files name it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} ({:?})", self.info.name, self.info.backend)
    }

    /// What `register` made at the first call: the networks' runtime is registered
    /// once a device, since a second registration would start a second server on it.
    /// `None` for a caller that expects another type than the first.
    pub(crate) fn networks_or<T: Any + Send + Sync + Clone>(
        &self,
        register: impl FnOnce() -> T,
    ) -> Option<T> {
        let kept = self.networks.get_or_init(|| Box::new(register()));
        kept.downcast_ref::<T>().cloned()
    }
}
