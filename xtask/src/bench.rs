//! `cargo xtask bench`: the figures of the release build, printed as ratios from one run.

use anyhow::Result;

use crate::packages::{self, Purpose};
use crate::process::{cargo, run};

pub fn figures(arguments: &[String]) -> Result<()> {
    packages::ensure(Purpose::Engine)?;
    let mut bench = cargo(&["run", "--locked", "--release", "--package", "reeve-bench", "--"]);
    bench.args(arguments);
    run(&mut bench)
}
