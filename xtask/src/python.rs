//! Real MCP servers from PyPI in a virtual environment under `target`: what the lock file names, and each file of it only with
//! the hash that stands there.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::process::{command, output, run};

/// What is installed.
const LOCK: &str = "tests/servers/requirements.txt";
/// Where; programs are in its `bin`.
const PLACE: &str = "target/mcp-servers";

/// Installs the servers, unless what is installed came from the very same lock file.
pub fn install() -> Result<()> {
    let stamp = Path::new(PLACE).join("installed-lock");
    let wanted = std::fs::read(LOCK).with_context(|| format!("`{LOCK}` cannot be read"))?;
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        println!("{PLACE}: python packages are current");
        return Ok(());
    }
    output(&mut command("python3", &["--version"])).context("Python is missing; install Python 3.11 or newer")?;
    run(&mut command("python3", &["-m", "venv", "--clear", PLACE]))?;
    let python = Path::new(PLACE).join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // The lock file names all that they need, so nothing is looked for besides.
    let pip = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"];
    let locked = ["--require-hashes", "--no-deps", "--requirement", LOCK];
    run(&mut command(&python.display().to_string(), &[&pip[..], &locked[..]].concat()))?;
    std::fs::write(&stamp, wanted).with_context(|| format!("`{}` cannot be written", stamp.display()))
}
