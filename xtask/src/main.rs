//! The commands of the house: `cargo xtask start` runs Reeve from a clone, `cargo xtask ci` is the one gate, and the rest
//! are single checks of it. Set-up is part of both: what is missing is named first, then installed.

mod bench;
mod ci;
mod generated;
mod node;
mod packages;
mod process;
mod python;
mod start;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

const USAGE: &str = "\
cargo xtask start [--demo] [--headless]   set up, build and open the console; --demo runs the demo in it,
                                          --headless --demo runs the demo in the terminal
cargo xtask ci [--only STEP]… [--skip STEP]… [--keep-going] [--list]
                                          set up, then every check and test
cargo xtask tidy                          lengths, opening comments, names, nothing outside the repository
cargo xtask bindings [--check]            write the TypeScript of the contract (or fail when it is not current)
cargo xtask schema [--check]              the same for the JSON schemas of the policy files
cargo xtask fixtures [--check]            the same for what the console is tested on, recorded from a real engine
cargo xtask man                           write the manual pages and completions into target/papers
cargo xtask pictures                      a picture of every screen in both themes, into artifacts/ui
cargo xtask bench [ARGUMENTS]             print the figures of proxy, tool calls, policy and search as ratios";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    // Every command runs from the root of the repository, wherever it was called.
    std::env::set_current_dir(root()?)?;
    let (command, rest) = arguments.split_first().map_or(("help", &[][..]), |(first, rest)| (first.as_str(), rest));
    match command {
        "start" => start::run(rest),
        "ci" => ci::run(rest),
        "tidy" => tidy::run(),
        "bindings" => generated::run(&generated::BINDINGS, rest),
        "schema" => generated::run(&generated::SCHEMAS, rest),
        "fixtures" => generated::run(&generated::FIXTURES, rest),
        "man" => papers(rest),
        "pictures" => ci::pictures(),
        "bench" => bench::figures(rest),
        "help" | "-h" | "--help" => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("there is no command `{other}`\n\n{USAGE}"),
    }
}

/// What a package ships beside the program, for whoever makes one.
fn papers(arguments: &[String]) -> Result<()> {
    if !arguments.is_empty() {
        bail!("`man` takes nothing");
    }
    let folder = PathBuf::from("target/papers");
    process::run(&mut process::cargo(&["build", "--locked", "--package", "reeve-cli"]))?;
    process::run(&mut process::built("reeve", &["man", "--dir", &folder.join("man1").display().to_string()]))?;
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let text = process::output(&mut process::built("reeve", &["completions", shell]))?;
        std::fs::write(folder.join(format!("reeve.{shell}")), text)?;
    }
    println!("manual pages and completions are in {}", folder.display());
    Ok(())
}

fn root() -> Result<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).context("xtask does not lie in a repository")
}
