//! Mutation fuzzing on stable Rust: `cargo run -p reeve-fuzz -- [--seconds 20] [--seed 1] [--keep] [target …]`.
//! Each target replays its corpus, then mutates it. An input that behaves in a new way joins the pool; one that breaks an
//! invariant is shrunk, kept in the corpus and fails the run.

mod mutation;
mod random;
mod runner;
mod targets;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Result, bail};

use runner::{Options, Report};

struct Arguments {
    options: Options,
    names: Vec<String>,
}

fn arguments(given: impl Iterator<Item = String>) -> Result<Arguments> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut options = Options { time: Duration::from_secs(20), seed: 1, keep: false, corpus };
    let mut names = Vec::new();
    let mut given = given;
    while let Some(argument) = given.next() {
        let mut number = || match given.next().as_deref().map(str::parse) {
            Some(Ok(number)) => Ok(number),
            _ => bail!("`{argument}` needs a number"),
        };
        match argument.as_str() {
            "--seconds" => options.time = Duration::from_secs(number()?),
            "--seed" => options.seed = number()?,
            "--keep" => options.keep = true,
            name if targets::NAMES.contains(&name) => names.push(argument),
            _ => bail!("`{argument}` is neither an option nor a target; targets are {}", targets::NAMES.join(", ")),
        }
    }
    if names.is_empty() {
        names = targets::NAMES.iter().map(ToString::to_string).collect();
    }
    Ok(Arguments { options, names })
}

fn run() -> Result<bool> {
    let Arguments { options, names } = arguments(std::env::args().skip(1))?;
    runner::remember_panics();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(names.len());
    let waiting = Mutex::new(names.into_iter());
    let failed = Mutex::new(false);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().ok().and_then(|mut names| names.next());
                    let Some(target) = next.and_then(|name| targets::find(&name)) else { return };
                    let report: Report = runner::run(&target, &options);
                    println!("{report}");
                    if report.failure.is_some()
                        && let Ok(mut failed) = failed.lock()
                    {
                        *failed = true;
                    }
                }
            });
        }
    });
    Ok(!failed.into_inner().unwrap_or(true))
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_target_exists_and_holds_on_its_corpus_for_a_moment() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        let options = Options { time: Duration::ZERO, seed: 7, keep: false, corpus };
        for name in targets::NAMES {
            let report = runner::run(&targets::find(name).unwrap(), &options);
            assert!(report.failure.is_none(), "{report}");
            assert!(report.corpus > 0, "{name} has no corpus");
        }
    }

    #[test]
    fn arguments_are_read_and_wrong_ones_named() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>().into_iter();
        let read = arguments(words("--seconds 3 --seed 9 --keep sse mask")).unwrap();
        assert_eq!((read.options.time, read.options.seed, read.options.keep), (Duration::from_secs(3), 9, true));
        assert_eq!(read.names, ["sse", "mask"]);
        for bad in ["--seconds", "--seconds x", "nothing", "--fast"] {
            assert!(arguments(words(bad)).is_err(), "{bad}");
        }
    }
}
