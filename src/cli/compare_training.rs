//! `onset compare --train`: every network is trained on one folder before all are tested
//! on another.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use clap::Args;

use super::Failure;
use super::expression_data::Expressions;
use super::print::tell;
use super::train::remove_unfinished;
use super::train_expressions::make_checkpoints;
use crate::facs::ClassSet;
use crate::nn::Weights;
use crate::training::checkpoint::Settings;
use crate::training::epochs::TrainingError;
use crate::training::expressions::contest::{ContestError, Entry, Material};
use crate::training::expressions::trainer::Lessons;
use crate::training::progress::{CurveRow, Monitor, Next};

/// Lines about one training come this often at most.
const LINE_EVERY: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Args)]
pub(super) struct TrainingArgs {
    /// Folders of labelled recordings to train every network on before it is tested; no
    /// subject of --data may be among theirs. Give it again for each further one.
    #[arg(long, requires = "keep")]
    pub(super) train: Vec<PathBuf>,
    /// Where the trained weights are kept: a network that is there already, trained on
    /// the same with the same settings, is not trained again.
    #[arg(long, requires = "train")]
    keep: Option<PathBuf>,
    /// How often each network is trained, from seed 1 on.
    #[arg(long, default_value_t = 3, requires = "train", value_parser = clap::value_parser!(u64).range(1..=16))]
    seeds: u64,
    /// Train these networks alone, separated by commas.
    #[arg(long, requires = "train", value_delimiter = ',', value_parser = entry)]
    networks: Vec<Entry>,
    /// Instead of every network, train LED-SSSNet as S0's ablation varies it: the grey
    /// frames, magnified, their difference; without logarithm (plain), normalisation
    /// (raw), learning (fixed); 1, 3, 5, 8, 12 outputs.
    #[arg(long, requires = "train", conflicts_with = "networks")]
    ablation: bool,
}

fn entry(name: &str) -> Result<Entry, String> {
    let all = Entry::all();
    let found = all.iter().find(|entry| entry.network() == name);
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|entry| entry.network()).collect();
        format!("there is no such network; there are {}", names.join(", "))
    })
}

impl TrainingArgs {
    fn entries(&self) -> Vec<Entry> {
        match self.networks.as_slice() {
            [] if self.ablation => Entry::ablation(),
            [] => Entry::all(),
            given => given.to_vec(),
        }
    }

    /// Whether any of the networks reads pictures.
    pub(super) fn reads_pictures(&self) -> bool {
        !self.train.is_empty() && self.entries().iter().any(|e| e.reads_pictures())
    }

    /// Trains what is not trained yet; the weights by name, network after network.
    pub(super) fn run(
        &self,
        expressions: &Expressions,
        tested: &Expressions,
        quiet: bool,
    ) -> Result<Vec<(String, Weights)>, Failure> {
        let Some(folder) = &self.keep else {
            return Ok(Vec::new());
        };
        std::fs::create_dir_all(folder).map_err(|e| {
            Failure::input(anyhow!(
                "Cannot keep weights: {e}. Choose another folder with --keep: {}",
                folder.display()
            ))
        })?;
        check_apart(expressions, tested)?;
        let (learnt, held_out) = expressions.parted()?;
        let lessons = Lessons::new(&learnt, ClassSet::Three).map_err(Failure::input)?;
        let data = ("data".to_owned(), expressions.fingerprint());
        let contest = Contest {
            material: Material {
                lessons: &lessons,
                learnt: &learnt,
                held_out: &held_out,
                described: &expressions.described(),
                settings: &Settings::from([data]),
            },
            folder,
            quiet,
        };
        let jobs: Vec<(Entry, u64)> = (self.entries().into_iter())
            .flat_map(|entry| (1..=self.seeds).map(move |seed| (entry, seed)))
            .collect();
        contest.all(&jobs)
    }
}

/// No recording may be learnt from and tested on.
fn check_apart(learnt: &Expressions, tested: &Expressions) -> Result<(), Failure> {
    let sources = |of: &Expressions| -> BTreeSet<PathBuf> {
        let all = of.measured.iter().map(|m| &m.recording.source);
        all.map(|path| path.canonicalize().unwrap_or_else(|_| path.clone()))
            .collect()
    };
    let learnt = sources(learnt);
    if let Some(both) = sources(tested).intersection(&learnt).next() {
        return Err(Failure::input(anyhow!(
            "A recording is in --train and in --data, so it would be learnt from and tested on. Give recordings of other subjects to one of them: {}",
            both.display()
        )));
    }
    Ok(())
}

struct Contest<'a> {
    material: Material<'a>,
    folder: &'a Path,
    quiet: bool,
}

impl Contest<'_> {
    /// As many trainings at a time as there are threads. Each has a thread of its own: a
    /// pool's thread that waits inside a backward pass would take up another training.
    fn all(&self, jobs: &[(Entry, u64)]) -> Result<Vec<(String, Weights)>, Failure> {
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<(usize, Weights)>> = Mutex::default();
        let failed: Mutex<Option<Failure>> = Mutex::default();
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(&(entry, seed)) = jobs.get(at) else {
                    return;
                };
                match self.one(entry, seed) {
                    Ok(weights) => {
                        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                        done.push((at, weights));
                    }
                    Err(failure) => {
                        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        failed.get_or_insert(failure);
                        next.store(jobs.len(), Ordering::Relaxed);
                    }
                }
            }
        };
        let threads = rayon::current_num_threads().clamp(1, jobs.len().max(1));
        thread::scope(|scope| {
            for number in 1..threads {
                let named = thread::Builder::new().name(format!("training-{number}"));
                // Where no further thread is to be had, there are fewer.
                let _ = named.spawn_scoped(scope, work);
            }
            work();
        });
        if let Some(failure) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(failure);
        }
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(at, _)| *at);
        Ok(done
            .into_iter()
            .map(|(at, weights)| (name(jobs[at]), weights))
            .collect())
    }

    fn one(&self, entry: Entry, seed: u64) -> Result<Weights, Failure> {
        let name = name((entry, seed));
        let path = self.folder.join(format!("{name}.safetensors"));
        if path.exists() {
            let kept = Weights::load(&path).map_err(Failure::input)?;
            if self.same(&kept, entry, seed) {
                return Ok(kept);
            }
        }
        let begun = Instant::now();
        let monitor = Lines {
            quiet: self.quiet,
            last: Mutex::new(Instant::now()),
        };
        // What a stopped training needs to go on, until it is done.
        let unfinished = self.folder.join(format!("{name}.unfinished"));
        make_checkpoints(&unfinished)?;
        let entrant = entry
            .train(&self.material, seed, &unfinished, &monitor)
            .map_err(failure)?;
        if let Some(rebuilding) = &entrant.rebuilding {
            let beside = self.folder.join(format!("{name}.rebuilding.safetensors"));
            rebuilding.save(&beside).map_err(Failure::other)?;
        }
        entrant.weights.save(&path).map_err(Failure::other)?;
        remove_unfinished(&unfinished);
        if !self.quiet {
            tell!("{name}: trained in {:.0} s", begun.elapsed().as_secs_f64());
        }
        Ok(entrant.weights)
    }

    /// Whether a file was trained on the same data with the same settings.
    fn same(&self, kept: &Weights, entry: Entry, seed: u64) -> bool {
        let mut wanted = self.material.settings.clone();
        wanted.extend(entry.settings());
        wanted.insert("seed".to_owned(), seed.to_string());
        let card = &kept.card;
        card.network == entry.network()
            && wanted
                .iter()
                .all(|(name, value)| card.settings.get(name) == Some(value))
    }
}

fn name((entry, seed): (Entry, u64)) -> String {
    format!("{}-seed-{seed}", entry.name())
}

/// A line about a training now and then.
struct Lines {
    quiet: bool,
    last: Mutex<Instant>,
}

impl Monitor for Lines {
    fn epoch(&self, part: &str, row: &CurveRow, epochs: u64) -> Next {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.quiet && last.elapsed() >= LINE_EVERY {
            *last = Instant::now();
            tell!(
                "{part}: epoch {} of {epochs}, loss {:.4}",
                row.epoch,
                row.loss
            );
        }
        Next::Continue
    }
}

fn failure(error: ContestError) -> Failure {
    match error {
        ContestError::Training(TrainingError::Checkpoint(_) | TrainingError::TooFew(_))
        | ContestError::Fit(_) => Failure::input(error),
        other => Failure::other(other),
    }
}
