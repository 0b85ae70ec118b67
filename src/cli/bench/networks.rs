//! `onset bench --networks`: what a forward pass of each network takes, one sample at a
//! time and many at once.
//!
//! Memory is what a pass in a process of its own adds to it: the peak after the pass
//! (`VmHWM`, counted anew before it) less what was resident before. In one process for
//! all, what the allocator keeps of earlier passes would hide most of it.

use std::process::Command;
use std::time::Instant;

use anyhow::anyhow;
use cpu_time::ProcessTime;
use serde::Serialize;

use super::catalogue::{Call, ENTRIES, Entry, Loaded};
use super::head::{Head, width_of};
use super::meter::Bench;
use super::whole::{reset_peak, resident_mib};
use super::{BenchArgs, SECONDS, adapter};
use crate::base::stats;
use crate::cli::print::say;
use crate::cli::progress::Progress;
use crate::cli::{CommandResult, Device, Failure, Outcome};
use crate::nn::NnDevice;

/// Samples in one call, without `--batch`.
const BATCHES: [usize; 2] = [1, 32];
/// A call that would take longer is not measured.
const LONGEST_SECS: f64 = 60.0;
/// A call that takes longer is measured once, the first time.
const SLOW_SECS: f64 = 5.0;
/// What is left of the machine's free memory when a call may use it.
const SPARE: f64 = 0.8;

/// A network in one batch size on one device. Times are medians for the whole batch.
#[derive(Debug, Clone, Serialize)]
struct Row {
    network: &'static str,
    /// One sample.
    input: &'static str,
    weights: &'static str,
    parameters: usize,
    parameter_bytes: usize,
    device: String,
    batch: usize,
    /// `None` where it was not measured, for which `note` says why.
    wall_ms: Option<f64>,
    /// The fastest call: on a machine that has other work, nearer to the truth.
    least_wall_ms: Option<f64>,
    cpu_ms: Option<f64>,
    repeats: usize,
    /// What one call adds to the process; `None` on a card and where the system does not
    /// tell.
    peak_extra_mib: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    head: Head,
    networks: Vec<Row>,
}

pub(super) fn run(args: &BenchArgs, quiet: bool) -> CommandResult {
    let entries = chosen(&args.only)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads.map_or(0, usize::from))
        .build()
        .map_err(Failure::other)?;
    if let Some(batch) = args.memory_of {
        let extra = pool.install(|| memory(entries[0], batch))?;
        say!("{}", extra.map_or(String::new(), |mib| mib.to_string()));
        return Ok(Outcome::Done);
    }
    let threads = pool.current_num_threads();
    let (card, adapter, adapter_left_out) = adapter(args)?;
    let bench = Bench {
        processor: args.device.device != Device::Gpu,
        card,
        seconds: args.seconds.unwrap_or(SECONDS),
        most_repeats: args.frames as usize,
        rows: Vec::new(),
    };
    let networks = pool.install(|| measure(args, &entries, &bench, threads, quiet))?;
    let report = Report {
        head: Head::new(adapter, adapter_left_out).with_threads(threads),
        networks,
    };
    if args.json {
        let text = serde_json::to_string_pretty(&report).map_err(Failure::other)?;
        say!("{text}");
    } else {
        print(&report)?;
    }
    Ok(Outcome::Done)
}

/// The networks that are named, or all of them.
fn chosen(names: &[String]) -> Result<Vec<&'static Entry>, Failure> {
    if names.is_empty() {
        return Ok(ENTRIES.iter().collect());
    }
    let found = |name: &String| {
        let entry = ENTRIES.iter().find(|entry| entry.name == name);
        entry.ok_or_else(|| {
            let known = ENTRIES.each_ref().map(|entry| entry.name).join(", ");
            Failure::input(anyhow!(
                "There is no such network. Choose among {known}: {name}"
            ))
        })
    };
    names.iter().map(found).collect()
}

fn measure(
    args: &BenchArgs,
    entries: &[&'static Entry],
    bench: &Bench,
    threads: usize,
    quiet: bool,
) -> Result<Vec<Row>, Failure> {
    let batches = if args.batch.is_empty() {
        BATCHES.to_vec()
    } else {
        args.batch.iter().map(|&batch| batch as usize).collect()
    };
    let mut devices = Vec::new();
    if bench.processor {
        devices.push((NnDevice::flex(), true));
    }
    if let Some(card) = &bench.card {
        let device = NnDevice::wgpu(&card.context).map_err(Failure::other)?;
        devices.push((device, false));
    }
    let total = devices.len() * entries.len();
    let mut progress = Progress::new("networks", Some(total as u64), quiet);
    let mut rows = Vec::new();
    for (device, is_processor) in &devices {
        for entry in entries {
            let loaded = entry.load(device)?;
            let mut known = Known::default();
            for &batch in &batches {
                let mut row = Row {
                    network: entry.name,
                    input: entry.input,
                    weights: entry.weights,
                    parameters: loaded.parameters,
                    parameter_bytes: loaded.bytes,
                    device: device.name().to_owned(),
                    batch,
                    wall_ms: None,
                    least_wall_ms: None,
                    cpu_ms: None,
                    repeats: 0,
                    peak_extra_mib: None,
                    note: known.against(batch),
                };
                if row.note.is_none() {
                    time(&mut row, &loaded, bench)?;
                    if *is_processor {
                        row.peak_extra_mib = memory_apart(entry.name, batch, threads);
                    }
                    known.learn(&row);
                }
                rows.push(row);
            }
            progress.at((rows.len() / batches.len()) as u64);
        }
    }
    progress.finish();
    Ok(rows)
}

/// What earlier batches of a network tell of larger ones.
#[derive(Default)]
struct Known {
    /// The largest of a sample's seconds and MiB.
    seconds: f64,
    mib: f64,
}

impl Known {
    fn learn(&mut self, row: &Row) {
        let samples = row.batch as f64;
        let seconds = row.wall_ms.unwrap_or(0.0) / 1e3 / samples;
        self.seconds = self.seconds.max(seconds);
        self.mib = self.mib.max(row.peak_extra_mib.unwrap_or(0.0) / samples);
    }

    /// Why so many samples are too many, if they are.
    fn against(&self, batch: usize) -> Option<String> {
        let seconds = self.seconds * batch as f64;
        if seconds > LONGEST_SECS {
            return Some(format!("over 60 s: {seconds:.0} s by smaller batches"));
        }
        let (mib, free) = (self.mib * batch as f64, free_mib()?);
        (mib > SPARE * free)
            .then(|| format!("{mib:.0} MiB by smaller batches, {free:.0} MiB are free"))
    }
}

/// Memory that programs can still get, MiB. Linux tells.
fn free_mib() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

/// Fills in the times. A first call does not count, unless it was a slow one.
fn time(row: &mut Row, loaded: &Loaded, bench: &Bench) -> Result<(), Failure> {
    let call = loaded.call(row.batch);
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    let mut one = |call: &Call| {
        let (clock, start) = (ProcessTime::now(), Instant::now());
        call()?;
        let seconds = start.elapsed().as_secs_f64();
        wall.push(seconds * 1e3);
        cpu.push(clock.elapsed().as_secs_f64() * 1e3);
        Ok::<_, Failure>(seconds)
    };
    let first = one(&call)?;
    if first > SLOW_SECS {
        row.note = Some("measured once".to_owned());
    } else {
        let begun = Instant::now();
        let mut done = 0;
        // As for the other stages: three times at least.
        while done < 3
            || (done < bench.most_repeats && begun.elapsed().as_secs_f64() < bench.seconds)
        {
            one(&call)?;
            done += 1;
        }
        wall.remove(0);
        cpu.remove(0);
    }
    row.wall_ms = stats::median(&wall);
    row.least_wall_ms = wall.iter().copied().reduce(f64::min);
    row.cpu_ms = stats::median(&cpu);
    row.repeats = wall.len();
    Ok(())
}

/// What one call adds to this process, which should have made none before, MiB.
fn memory(entry: &Entry, batch: usize) -> Result<Option<f64>, Failure> {
    let device = NnDevice::flex();
    // Code and threads of the program are no memory of the network.
    ENTRIES[0].load(&device)?.call(1)()?;
    let call = entry.load(&device)?.call(batch);
    if !reset_peak() {
        return Ok(None);
    }
    let before = resident_mib();
    call()?;
    let extra = before.zip(resident_mib());
    Ok(extra.map(|((before, _), (_, peak))| (peak - before).max(0.0)))
}

/// The same by another process of this program; `None` where there cannot be one.
fn memory_apart(name: &str, batch: usize, threads: usize) -> Option<f64> {
    let mut command = Command::new(std::env::current_exe().ok()?);
    let (batch, threads) = (batch.to_string(), threads.to_string());
    command.args(["bench", "--networks", "--only", name, "--threads", &threads]);
    // Of glibc's allocator: what is freed goes back to the system at once, so that what
    // loading the network took does not hide what the call takes.
    command.envs([
        ("MALLOC_MMAP_THRESHOLD_", "65536"),
        ("MALLOC_TRIM_THRESHOLD_", "0"),
    ]);
    let done = command.args(["--memory-of", &batch]).output().ok()?;
    let text = String::from_utf8(done.stdout).ok()?;
    text.trim().parse().ok()
}

fn print(r: &Report) -> Result<(), Failure> {
    r.head.print()?;
    r.head.print_what_is_left_out()?;
    say!("medians in milliseconds for the whole batch, CPU time over all threads;");
    say!("MiB of the parameters, and what a call takes besides (–: not known)");
    let place = width_of(r.networks.iter().map(|row| &row.device));
    say!(
        "{:<13} {:<18} {:>5} {:<place$} {:>10} {:>10} {:>10} {:>7} {:>10} {:>7} {:>9}",
        "network",
        "sample",
        "batch",
        "where",
        "wall ms",
        "least ms",
        "CPU ms",
        "repeats",
        "parameters",
        "MiB",
        "extra MiB"
    );
    for row in &r.networks {
        let number = |value: Option<f64>, digits: usize| {
            value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
        };
        let note = row.note.as_ref().map(|note| format!("  {note}"));
        say!(
            "{:<13} {:<18} {:>5} {:<place$} {:>10} {:>10} {:>10} {:>7} {:>10} {:>7.2} {:>9}{}",
            row.network,
            row.input,
            row.batch,
            row.device,
            number(row.wall_ms, 3),
            number(row.least_wall_ms, 3),
            number(row.cpu_ms, 3),
            row.repeats,
            row.parameters,
            row.parameter_bytes as f64 / f64::from(1 << 20),
            number(row.peak_extra_mib, 1),
            note.unwrap_or_default()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_take_too_long_is_said_beforehand() {
        let known = Known {
            seconds: 3.0,
            mib: 0.0,
        };
        assert_eq!(known.against(2), None);
        let why = known.against(32).unwrap();
        assert!(why.contains("96 s"), "{why}");
        let known = Known {
            seconds: 0.0,
            mib: 1e9,
        };
        assert!(known.against(1).is_none_or(|why| why.contains("MiB")));
    }

    #[test]
    fn an_unknown_network_is_named_beside_the_known_ones() {
        assert_eq!(chosen(&[]).map_err(drop).unwrap().len(), ENTRIES.len());
        assert!(chosen(&["resnet50".to_owned()]).is_err());
    }
}
