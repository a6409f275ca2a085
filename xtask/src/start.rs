//! `cargo xtask start`: set up, build, open the console; or, without a display, run the demo in the terminal.

use std::path::Path;

use anyhow::{Result, bail};

use crate::ci;
use crate::packages::{self, Purpose};
use crate::process::{built, cargo, run as exec};
use crate::{USAGE, node};

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    demo: bool,
    headless: bool,
}

pub fn run(arguments: &[String]) -> Result<()> {
    let options = parse(arguments)?;
    if options.headless { headless(options.demo) } else { console(options.demo) }
}

fn parse(arguments: &[String]) -> Result<Options> {
    let mut options = Options::default();
    for argument in arguments {
        match argument.as_str() {
            "--demo" => options.demo = true,
            "--headless" => options.headless = true,
            other => bail!("`start` does not know `{other}`\n\n{USAGE}"),
        }
    }
    Ok(options)
}

/// A debug build: it is there three times sooner than a release build, and the demo is not slower to look at.
fn headless(demo: bool) -> Result<()> {
    packages::ensure(Purpose::Engine)?;
    run_cargo_build(&["reeve-cli"])?;
    if demo {
        return exec(&mut built("reeve", &["demo", "--headless"]));
    }
    println!("\nBuilt. Next:");
    println!("  target/debug/reeve doctor            check this machine");
    println!("  target/debug/reeve run -- claude     run an agent governed");
    println!("  cargo xtask start --headless --demo  see it work, with nothing of yours touched");
    Ok(())
}

fn console(demo: bool) -> Result<()> {
    let display =
        ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if cfg!(target_os = "linux") && !display {
        bail!("there is no display to open the console on; without one: cargo xtask start --headless --demo");
    }
    packages::ensure(Purpose::Desktop)?;
    node::install("ui")?;
    node::build_console()?;
    run_cargo_build(&["reeve-cli", "reeve-desktop"])?;
    if demo {
        // A profile of its own: a temporary home, secrets in memory, one extra root. Only it may decide for itself.
        return exec(&mut built("reeve-desktop", &["--demo"]));
    }
    println!("\nThe console opens. To see it work with nothing of yours touched: cargo xtask start --demo");
    exec(&mut built("reeve-desktop", &[]))
}

fn run_cargo_build(packages: &[&str]) -> Result<()> {
    if Path::new(ci::BUILT_WHOLE).exists() {
        return ci::build_whole();
    }
    let mut build = cargo(&["build", "--locked"]);
    for package in packages {
        build.args(["--package", package]);
    }
    exec(&mut build)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_and_unknown_ones_refused() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parse(&words("--demo --headless")).unwrap(), Options { demo: true, headless: true });
        assert_eq!(parse(&[]).unwrap(), Options::default());
        assert!(parse(&words("--dmeo")).unwrap_err().to_string().contains("--dmeo"));
    }
}
