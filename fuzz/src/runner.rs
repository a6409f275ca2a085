//! Runs one target: corpus, mutations, the pool of inputs that behaved in new ways, and what to do with a failure.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::mutation::mutate;
use crate::random::{Random, hash};
use crate::targets::Target;

/// Inputs kept in memory at most.
const LARGEST_POOL: usize = 4000;
/// Inputs written to the corpus in one run at most, and how long one may be.
const MOST_KEPT: usize = 40;
const LONGEST_KEPT: usize = 600;
/// One input that takes longer than this hangs a parser; generous, because machines are busy.
const SLOW: Duration = Duration::from_secs(5);
const SHRINKING: Duration = Duration::from_secs(3);

pub struct Options {
    pub time: Duration,
    pub seed: u64,
    /// Whether inputs that behaved in new ways are added to the corpus.
    pub keep: bool,
    pub corpus: PathBuf,
}

pub struct Report {
    name: &'static str,
    seed: u64,
    /// Inputs there at the start.
    pub corpus: usize,
    runs: u64,
    took: Duration,
    behaviours: usize,
    pub failure: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, seed, corpus, runs, behaviours, .. } = self;
        let each_second = u128::from(*runs) * 1000 / self.took.as_millis().max(1);
        write!(f, "{name:10} seed {seed}: {runs} runs ({each_second}/s), {behaviours} behaviours, corpus of {corpus}")?;
        match &self.failure {
            Some(failure) => write!(f, "\n{name:10} FAILED: {failure}"),
            None => Ok(()),
        }
    }
}

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Panics are what failures look like here: their message is kept and printed once, with the input.
pub fn remember_panics() {
    std::panic::set_hook(Box::new(|info| PANIC.with(|panic| panic.replace(info.to_string()).clear())));
}

enum Ran {
    Behaved(u64),
    Failed(String),
}

fn try_input(target: &Target, input: &[u8]) -> Ran {
    let begun = Instant::now();
    match catch_unwind(AssertUnwindSafe(|| (target.run)(input))) {
        Ok(_) if begun.elapsed() > SLOW => Ran::Failed(format!("took {:?}", begun.elapsed())),
        Ok(behaviour) => Ran::Behaved(behaviour),
        Err(_) => Ran::Failed(PANIC.with(|panic| panic.borrow().clone())),
    }
}

pub fn run(target: &Target, options: &Options) -> Report {
    let folder = options.corpus.join(target.name);
    let begun = Instant::now();
    let mut pool = read_corpus(&folder);
    let corpus = pool.len();
    pool.extend(target.seeds.iter().cloned());
    let mut report = Report {
        name: target.name,
        seed: options.seed,
        corpus,
        runs: 0,
        took: Duration::ZERO,
        behaviours: 0,
        failure: None,
    };
    let mut behaviours = HashSet::new();
    let mut found = Vec::new();
    let mut random = Random::new(options.seed ^ hash(target.name.as_bytes()));
    let mut replay = pool.clone().into_iter();
    while report.failure.is_none() {
        let (input, fresh) = match replay.next() {
            Some(input) => (input, false),
            None if begun.elapsed() >= options.time => break,
            None => (next_input(target, &mut random, &pool), true),
        };
        report.runs += 1;
        match try_input(target, &input) {
            Ran::Behaved(behaviour) => {
                if behaviours.insert(behaviour) && fresh && pool.len() < LARGEST_POOL {
                    found.push(input.clone());
                    pool.push(input);
                }
            }
            Ran::Failed(why) => report.failure = Some(keep_failure(target, &folder, &input, &why)),
        }
    }
    report.behaviours = behaviours.len();
    report.took = begun.elapsed();
    if options.keep {
        keep(&folder, &mut random, found);
    }
    report
}

fn next_input(target: &Target, random: &mut Random, pool: &[Vec<u8>]) -> Vec<u8> {
    let mut input = random.of_slice(pool).cloned().unwrap_or_default();
    let other = random.of_slice(pool).map(Vec::as_slice).unwrap_or_default();
    mutate(random, &mut input, &target.words, other, target.longest);
    input
}

/// In the order of their names, so that a run is the same everywhere.
fn read_corpus(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().filter_map(|path| fs::read(path).ok()).collect()
}

fn keep(folder: &Path, random: &mut Random, mut found: Vec<Vec<u8>>) {
    found.retain(|input| input.len() <= LONGEST_KEPT);
    for _ in 0..MOST_KEPT {
        if found.is_empty() {
            return;
        }
        let input = found.swap_remove(random.below(found.len()));
        write(folder, "found", &input);
    }
}

fn write(folder: &Path, kind: &str, input: &[u8]) -> String {
    let path = folder.join(format!("{kind}-{:016x}", hash(input)));
    match fs::create_dir_all(folder).and_then(|()| fs::write(&path, input)) {
        Ok(()) => format!("kept as `{}`", path.display()),
        Err(error) => format!("it could not be kept as `{}`: {error}", path.display()),
    }
}

fn keep_failure(target: &Target, folder: &Path, input: &[u8], why: &str) -> String {
    let small = shrink(target, input.to_vec());
    let kept = write(folder, "failed", &small);
    format!("{why}\n  with {:?}\n  {kept}", String::from_utf8_lossy(&small))
}

/// Leaves out ever smaller parts as long as the input still fails.
fn shrink(target: &Target, mut input: Vec<u8>) -> Vec<u8> {
    let begun = Instant::now();
    let mut size = input.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < input.len() && begun.elapsed() < SHRINKING {
            let mut smaller = input.clone();
            smaller.drain(at..(at + size).min(input.len()));
            if matches!(try_input(target, &smaller), Ran::Failed(_)) {
                input = smaller;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    input
}
