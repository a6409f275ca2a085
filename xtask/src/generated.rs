//! Files that are written by the code they describe and kept in the repository, so that a reader and a build need no step
//! before; the check writes them again and fails when anything is different.

use std::process::Command;

use anyhow::{Result, bail};

use crate::ci;
use crate::process::{self, command, output};

/// What is generated: by which tests, into which folder.
pub struct Generated {
    name: &'static str,
    folder: &'static str,
    package: &'static str,
    /// What the names of those tests hold.
    word: &'static str,
    /// What those tests must find in their environment to write, where they do not always.
    asked: Option<&'static str>,
}

/// The contract as TypeScript.
pub const BINDINGS: Generated = Generated {
    name: "bindings",
    folder: "ui/src/engine/bindings",
    package: "reeve-api",
    word: "export_bindings",
    asked: None,
};

/// The schemas of the YAML files: written by hand, held to the code by tests.
pub const SCHEMAS: Generated =
    Generated { name: "schema", folder: "policies", package: "reeve-policy", word: "schema", asked: None };

/// What the console is tested on, recorded from a real engine.
pub const FIXTURES: Generated = Generated {
    name: "fixtures",
    folder: "ui/src/testing/recorded",
    package: "reeve-api",
    word: "recorded_fixtures",
    asked: Some("REEVE_WRITE_FIXTURES"),
};

impl Generated {
    fn asks<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        match self.asked {
            Some(variable) => command.env(variable, "1"),
            None => command,
        }
    }
}

pub fn check(what: &Generated) -> Result<()> {
    process::run(what.asks(&mut ci::some_tests(what.package, what.word)))?;
    let changed = output(&mut command("git", &["status", "--porcelain", "--", what.folder]))?;
    if changed.trim().is_empty() {
        return Ok(());
    }
    let _ = process::run(&mut command("git", &["--no-pager", "diff", "--stat", "--", what.folder]));
    bail!("`{}` is not current; run `cargo xtask {}` and commit the result:\n{changed}", what.folder, what.name);
}

/// With the packages and features of every other build: any other set compiles half of the workspace a second time.
fn write(what: &Generated) -> Result<()> {
    process::run(what.asks(ci::whole(&["test", "--quiet"]).args(["--lib", "--", what.word])))
}

pub fn run(what: &Generated, arguments: &[String]) -> Result<()> {
    match arguments {
        [] => write(what),
        [one] if one == "--check" => check(what),
        _ => bail!("`{}` takes `--check` or nothing", what.name),
    }
}
