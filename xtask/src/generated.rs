//! Files that are written by the code they describe and kept in the repository, so that a reader and a build need no step
//! before; the check writes them again and fails when anything is different.

use anyhow::{Result, bail};

use crate::process::{self, cargo, command, output};

/// What is generated: by which tests, into which folder.
pub struct Generated {
    name: &'static str,
    folder: &'static str,
    test: &'static [&'static str],
}

/// The contract as TypeScript.
pub const BINDINGS: Generated = Generated {
    name: "bindings",
    folder: "ui/src/engine/bindings",
    test: &["--package", "reeve-api", "--features", "ts", "export_bindings"],
};

/// The schemas of the YAML files.
pub const SCHEMAS: Generated =
    Generated { name: "schema", folder: "policies", test: &["--package", "reeve-policy", "schema"] };

pub fn check(what: &Generated) -> Result<()> {
    write(what)?;
    let changed = output(&mut command("git", &["status", "--porcelain", "--", what.folder]))?;
    if changed.trim().is_empty() {
        return Ok(());
    }
    let _ = process::run(&mut command("git", &["--no-pager", "diff", "--stat", "--", what.folder]));
    bail!("`{}` is not current; run `cargo xtask {}` and commit the result:\n{changed}", what.folder, what.name);
}

fn write(what: &Generated) -> Result<()> {
    let mut test = cargo(&["test", "--locked", "--quiet"]);
    test.args(what.test);
    process::run(&mut test)
}

pub fn run(what: &Generated, arguments: &[String]) -> Result<()> {
    match arguments {
        [] => write(what),
        [one] if one == "--check" => check(what),
        _ => bail!("`{}` takes `--check` or nothing", what.name),
    }
}
