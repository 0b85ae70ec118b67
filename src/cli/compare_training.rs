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
use crate::training::expressions::corpus::Measured;
use crate::training::expressions::trainer::Lessons;
use crate::training::progress::{CurveRow, Monitor, Next};

/// Lines about one training come this often at most.
const LINE_EVERY: Duration = Duration::from_secs(20);
/// Trainings at a time where nothing is said: each takes about half a gibibyte.
const USUAL_JOBS: usize = 4;

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
    /// Trainings at a time, half a gibibyte each; else one a thread, four at most.
    #[arg(long, requires = "train", value_parser = clap::value_parser!(u64).range(1..=256))]
    jobs: Option<u64>,
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
    /// Each network once, however often it was named.
    fn entries(&self) -> Vec<Entry> {
        let mut entries = match self.networks.as_slice() {
            [] if self.ablation => Entry::ablation(),
            [] => Entry::all(),
            given => given.to_vec(),
        };
        let mut seen = BTreeSet::new();
        entries.retain(|entry| seen.insert(entry.name()));
        entries
    }

    /// What can be said before hours of measuring: folders that are both, and a place
    /// that nothing can be kept in.
    pub(super) fn check(&self, tested: &[PathBuf]) -> Result<(), Failure> {
        let Some(folder) = &self.keep else {
            return Ok(());
        };
        let place = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
        let tested: Vec<PathBuf> = tested.iter().map(place).collect();
        if let Some(both) = self.train.iter().find(|path| tested.contains(&place(path))) {
            return Err(Failure::input(anyhow!(
                "The same folder is given with --train and with --data, so its recordings would be learnt from and tested on. Give recordings of other subjects to one of them: {}",
                both.display()
            )));
        }
        let failed = |e: std::io::Error| {
            Failure::input(anyhow!(
                "Cannot keep weights: {e}. Choose another folder with --keep: {}",
                folder.display()
            ))
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        tempfile::tempfile_in(folder).map_err(failed)?;
        Ok(())
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
        contest.check(&jobs)?;
        contest.all(&jobs, self.jobs)
    }
}

/// No recording may be learnt from and tested on, whatever it is called there.
fn check_apart(learnt: &Expressions, tested: &Expressions) -> Result<(), Failure> {
    let contents = learnt.measured.iter().filter_map(|m| m.content.as_ref());
    let contents: BTreeSet<&String> = contents.collect();
    let both = |m: &&Measured| m.content.as_ref().is_some_and(|c| contents.contains(c));
    if let Some(both) = tested.measured.iter().find(both) {
        return Err(Failure::input(anyhow!(
            "A recording of --data is in --train too, so it would be learnt from and tested on. Give recordings of other subjects to one of them: {}",
            both.recording.source.display()
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
    /// Nothing that was trained on other things may be replaced.
    fn check(&self, jobs: &[(Entry, u64)]) -> Result<(), Failure> {
        for &(entry, seed) in jobs {
            let path = self.path(entry, seed);
            if !path.exists() {
                continue;
            }
            let kept = Weights::load(&path).map_err(Failure::input)?;
            if let Some(differs) = self.difference(&kept, entry, seed) {
                return Err(Failure::input(anyhow!(
                    "These weights were trained with {differs}. Choose another folder with --keep, or move them away: {}",
                    path.display()
                )));
            }
        }
        Ok(())
    }

    fn path(&self, entry: Entry, seed: u64) -> PathBuf {
        let name = name((entry, seed));
        self.folder.join(format!("{name}.safetensors"))
    }

    /// Several trainings at a time. Each has a thread of its own: a pool's thread that
    /// waits inside a backward pass would take up another training.
    fn all(
        &self,
        jobs: &[(Entry, u64)],
        at_once: Option<u64>,
    ) -> Result<Vec<(String, Weights)>, Failure> {
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
        let usual = rayon::current_num_threads().min(USUAL_JOBS);
        let threads = at_once.map_or(usual, |n| n as usize);
        let threads = threads.clamp(1, jobs.len().max(1));
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
        let path = self.path(entry, seed);
        if path.exists() {
            // The same, as was checked before the first training.
            return Weights::load(&path).map_err(Failure::input);
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
            .map_err(|error| failure(error, &unfinished))?;
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

    /// What a file was trained with that is otherwise now, in words.
    fn difference(&self, kept: &Weights, entry: Entry, seed: u64) -> Option<String> {
        let mut wanted = self.material.settings.clone();
        wanted.extend(entry.settings());
        wanted.insert("seed".to_owned(), seed.to_string());
        let card = &kept.card;
        if card.network != entry.network() {
            return Some(format!("another network, {}", card.network));
        }
        let differs = |(name, value): &(&String, &String)| card.settings.get(*name) != Some(*value);
        let (name, value) = wanted.iter().find(differs)?;
        Some(match (name.as_str(), card.settings.get(name)) {
            ("data", _) => "other recordings or labels, or measured in another way".to_owned(),
            (name, Some(kept)) => format!("{name} {kept}, not {value}"),
            (name, None) => format!("another {name} than {value}"),
        })
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

fn failure(error: ContestError, unfinished: &Path) -> Failure {
    match error {
        ContestError::Training(TrainingError::Checkpoint(_)) => Failure::input(anyhow!(
            "A training that was stopped cannot go on: it was begun with other recordings or settings, or is damaged. Delete what it left, or choose another folder with --keep: {}",
            unfinished.display()
        )),
        ContestError::Training(TrainingError::TooFew(_)) | ContestError::Fit(_) => {
            Failure::input(error)
        }
        other => Failure::other(other),
    }
}
