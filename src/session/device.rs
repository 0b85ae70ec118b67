//! Which side of the machine computes flow and networks. `auto` measures both once
//! and remembers: what is faster is a property of the machine, not of a recording.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::SessionError;
use super::params::DeviceChoice;
use crate::base::Plane;
use crate::gpu::{GpuContext, GpuError};
use crate::model::softnet::SoftNet;
use crate::motion::engine::FlowEngine;
use crate::motion::roi::INPUT_SIDE;
use crate::motion::tvl1::{Tvl1Params, Tvl1Preset};
use crate::nn::NnDevice;

/// Scores that are measured together.
const BATCH: usize = 16;
/// The best of so many rounds counts, after one that warms up.
const ROUNDS: usize = 3;
/// Side of the pictures that are measured: a face crop's.
const SIDE: usize = crate::face::CROP_SIDE;

/// Where the work is done, and why there. Flow and networks are on one side, so that
/// what a network reads never crosses over.
#[derive(Debug, Clone)]
pub struct Sides {
    /// The card that computes; `None`: the processor.
    pub card: Option<GpuContext>,
    pub network: NnDevice,
    /// One clause, for logs and `onset doctor`.
    pub reason: String,
}

/// What one machine needs for a flow and for a score, milliseconds each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    onset_version: String,
    processor: String,
    threads: usize,
    adapter: String,
    driver: String,
    pub flow_ms: BothSides,
    pub score_ms: BothSides,
}

/// Milliseconds on either side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BothSides {
    pub processor: f64,
    pub card: f64,
}

/// What may be chosen for a preset: `compat` is OpenCV's flow to the last bit, which
/// only the processor's path computes.
///
/// # Errors
/// When a card is demanded for it.
pub fn allowed(choice: DeviceChoice, preset: Tvl1Preset) -> Result<DeviceChoice, SessionError> {
    match (choice, preset) {
        (DeviceChoice::Gpu, Tvl1Preset::Compat) => Err(SessionError::CompatOnCard),
        (DeviceChoice::Auto, Tvl1Preset::Compat) => Ok(DeviceChoice::Cpu),
        _ => Ok(choice),
    }
}

impl Sides {
    /// Chooses for one run, with or without networks; `gpu` finds the card only if it is needed.
    ///
    /// A software adapter (Mesa's llvmpipe) is the processor with a detour: `auto`
    /// never takes it.
    ///
    /// # Errors
    /// When a GPU is demanded and there is none, or it cannot do the work.
    pub fn choose(
        choice: DeviceChoice,
        networks: bool,
        gpu: impl FnOnce() -> Result<GpuContext, GpuError>,
    ) -> Result<Self, SessionError> {
        match choice {
            DeviceChoice::Cpu => Ok(Self::processor("asked for")),
            DeviceChoice::Gpu => {
                let context = gpu()?;
                Ok(Self {
                    network: NnDevice::wgpu(&context)?,
                    card: Some(context),
                    reason: "asked for".to_owned(),
                })
            }
            DeviceChoice::Auto if !card_possible() => {
                Ok(Self::processor("there is no graphics card"))
            }
            DeviceChoice::Auto => match gpu() {
                Err(e) => {
                    log::debug!("{e}");
                    Ok(Self::processor("no graphics adapter"))
                }
                Ok(context) if context.is_software() => {
                    Ok(Self::processor("the graphics adapter is software"))
                }
                Ok(context) => Ok(Self::faster(&context, networks, cache_file().as_deref())),
            },
        }
    }

    /// The adapter's name, or `processor`.
    #[must_use]
    pub fn name(&self) -> String {
        (self.card.as_ref()).map_or_else(|| "processor".to_owned(), GpuContext::name)
    }

    fn processor(reason: &str) -> Self {
        Self {
            card: None,
            network: NnDevice::flex(),
            reason: reason.to_owned(),
        }
    }

    /// By the measurement kept in `cache`, or a new one.
    fn faster(context: &GpuContext, networks: bool, cache: Option<&Path>) -> Self {
        let measured = match remembered(context, cache) {
            Some(measured) => measured,
            None => match Measured::on(context) {
                Ok(measured) => {
                    if let Some(path) = cache {
                        remember(&measured, path);
                    }
                    measured
                }
                Err(e) => {
                    log::warn!("{e}");
                    return Self::processor("the graphics card failed its measurement");
                }
            },
        };
        let (flow, score) = (measured.flow_ms, measured.score_ms);
        let reason = format!(
            "measured: a flow takes {:.2} ms on the processor and {:.2} ms on the card, a score {:.2} and {:.2} ms",
            flow.processor, flow.card, score.processor, score.card
        );
        if !measured.card_wins(networks) {
            return Self::processor(&reason);
        }
        match NnDevice::wgpu(context) {
            Ok(network) => Self {
                card: Some(context.clone()),
                network,
                reason,
            },
            Err(e) => {
                log::warn!("{e}");
                Self::processor("the networks do not run on the graphics card")
            }
        }
    }
}

impl Measured {
    /// The card must win clearly: it may be busy with the window as well.
    #[must_use]
    pub fn card_wins(&self, networks: bool) -> bool {
        let (flow, score) = (self.flow_ms, self.score_ms);
        let share = f64::from(u8::from(networks));
        flow.card + share * score.card < 0.8 * (flow.processor + share * score.processor)
    }

    /// Measures both sides: some seconds, most of them the card's first start.
    ///
    /// # Errors
    /// When the card refuses a kernel or fails.
    pub fn on(context: &GpuContext) -> Result<Self, SessionError> {
        let params = Tvl1Preset::Exact.params();
        let (flex, wgpu) = (NnDevice::flex(), NnDevice::wgpu(context)?);
        Ok(Self {
            flow_ms: BothSides {
                processor: flow_ms(FlowEngine::on_processor(params))?,
                card: flow_ms(FlowEngine::on_card(params, context)?)?,
            },
            score_ms: BothSides {
                processor: score_ms(&flex)?,
                card: score_ms(&wgpu)?,
            },
            ..Self::unmeasured(context)
        })
    }

    fn unmeasured(context: &GpuContext) -> Self {
        let unknown = BothSides {
            processor: 0.0,
            card: 0.0,
        };
        Self {
            onset_version: env!("CARGO_PKG_VERSION").to_owned(),
            processor: processor_name(),
            threads: rayon::current_num_threads(),
            adapter: context.name(),
            driver: context.info.driver_info.clone(),
            flow_ms: unknown,
            score_ms: unknown,
        }
    }

    /// Measured by the same program on the same machine.
    fn is_of(&self, machine: &Self) -> bool {
        let same = Self {
            flow_ms: machine.flow_ms,
            score_ms: machine.score_ms,
            ..self.clone()
        };
        same == *machine
    }
}

/// Milliseconds a pair of a textured surface that moves by a fraction of a pixel.
fn flow_ms(mut engine: FlowEngine) -> Result<f64, SessionError> {
    // As many as a recording's batch has on that side.
    let count = engine.batch();
    let planes: Vec<Plane> = (0..=count).map(|i| texture(0.13 * i as f32)).collect();
    let pairs: Vec<_> = planes.iter().zip(&planes[1..]).collect();
    best(count, || {
        engine.flows(&pairs)?;
        Ok(())
    })
}

fn score_ms(device: &NnDevice) -> Result<f64, SessionError> {
    let network = SoftNet::new(device);
    let plane = Plane::filled(INPUT_SIDE, INPUT_SIDE, 0.5);
    let images = vec![[&plane; 3]; BATCH];
    best(BATCH, || {
        network.score(&images, device)?;
        Ok(())
    })
}

/// Milliseconds for one of the `count` pieces that `work` does, in its best round.
fn best(
    count: usize,
    mut work: impl FnMut() -> Result<(), SessionError>,
) -> Result<f64, SessionError> {
    work()?;
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        work()?;
        best = best.min(started.elapsed().as_secs_f64() * 1e3 / count as f64);
    }
    Ok(best)
}

fn texture(shift: f32) -> Plane {
    let value = |i: usize| {
        let (x, y) = ((i % SIDE) as f32 - shift, (i / SIDE) as f32 + 0.5 * shift);
        128.0 + 45.0 * (0.35 * x + 0.2 * y).sin() + 45.0 * (0.31 * y - 0.15 * x).cos()
    };
    Plane::from_vec(SIDE, SIDE, (0..SIDE * SIDE).map(value).collect())
}

/// Linux gives every graphics card a device file, so that without one the drivers
/// need not be loaded at all, which takes time and can print complaints of theirs.
fn card_possible() -> bool {
    if !cfg!(target_os = "linux") || Path::new("/dev/dxg").exists() {
        return true;
    }
    let any = |folder: &str, start: &str| {
        std::fs::read_dir(folder).is_ok_and(|mut entries| {
            entries.any(|e| e.is_ok_and(|e| e.file_name().to_string_lossy().starts_with(start)))
        })
    };
    any("/dev/dri", "renderD") || any("/dev", "nvidia")
}

/// The processor's name as the system tells it, else its architecture.
#[must_use]
pub fn processor_name() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").ok();
    let named = told.as_deref().and_then(|text| {
        let line = text.lines().find(|l| l.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    named.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// Where measurements are kept; `None` without a home folder.
fn cache_file() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "onset").map(|d| d.cache_dir().join("devices.json"))
}

fn remembered(context: &GpuContext, cache: Option<&Path>) -> Option<Measured> {
    let machine = Measured::unmeasured(context);
    let text = std::fs::read(cache?).ok()?;
    // What another version wrote is measured again.
    let all: Vec<Measured> = serde_json::from_slice(&text).ok()?;
    all.into_iter().find(|m| m.is_of(&machine))
}

/// Adds a measurement; without it the next run measures again, so a full disk is
/// only logged.
fn remember(measured: &Measured, path: &Path) {
    let kept = std::fs::read(path).ok();
    let mut all: Vec<Measured> = kept
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    all.retain(|m| !m.is_of(measured));
    all.push(measured.clone());
    let write = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, &all)?;
        file.persist(path)?;
        Ok(())
    };
    if let Err(e) = write() {
        log::warn!(
            "cannot keep what was measured ({e}), the next run measures again: {}",
            path.display()
        );
    }
}

/// The engine for one analysis on the chosen side.
///
/// # Errors
/// When the card refuses a kernel.
pub fn flow_engine(preset: Tvl1Preset, card: Option<&GpuContext>) -> Result<FlowEngine, GpuError> {
    let params: Tvl1Params = preset.params();
    match card {
        Some(context) => FlowEngine::on_card(params, context),
        None => Ok(FlowEngine::on_processor(params)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(adapter: &str, card: f64) -> Measured {
        let both = BothSides {
            processor: 4.0,
            card,
        };
        Measured {
            onset_version: "1".into(),
            processor: "p".into(),
            threads: 2,
            adapter: adapter.into(),
            driver: "d".into(),
            flow_ms: both,
            score_ms: both,
        }
    }

    #[test]
    fn a_card_has_to_win_clearly() {
        assert!(measured("a", 1.0).card_wins(true));
        assert!(!measured("a", 3.9).card_wins(false));
    }

    #[test]
    fn measurements_are_kept_one_a_machine() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/devices.json");
        for m in [measured("a", 1.0), measured("b", 2.0), measured("a", 3.0)] {
            remember(&m, &path);
        }
        let all: Vec<Measured> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(all, [measured("b", 2.0), measured("a", 3.0)]);
        std::fs::write(&path, "[{").unwrap();
        remember(&measured("c", 1.0), &path);
        let all: Vec<Measured> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(all, [measured("c", 1.0)]);
    }

    #[test]
    fn without_a_card_auto_computes_on_the_processor_and_a_demand_fails() {
        let none = || {
            Err(GpuError::NoAdapter {
                reason: "none".into(),
            })
        };
        let sides = Sides::choose(DeviceChoice::Auto, false, none).unwrap();
        assert!(sides.card.is_none());
        assert!(Sides::choose(DeviceChoice::Gpu, false, none).is_err());
    }
}
