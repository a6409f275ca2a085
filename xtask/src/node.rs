//! Node packages and the console's build: installed from the lock file when it changed, built when a source is newer.

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};

use crate::process::{command, output, run};

/// The oldest Node that the console's build tool runs on.
const OLDEST: (u32, u32) = (20, 19);

/// Fails with a clear message when Node is missing or too old.
pub fn check_version() -> Result<()> {
    let (major, minor) = OLDEST;
    let text = output(&mut command("node", &["--version"]))
        .with_context(|| format!("Node is missing; install Node {major}.{minor} or newer"))?;
    match parse_version(&text) {
        Some(found) if found >= OLDEST => Ok(()),
        _ => bail!("Node {} is too old; install Node {major}.{minor} or newer", text.trim()),
    }
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// `npm ci` in a folder, unless what is installed came from the very same lock file.
pub fn install(folder: &str) -> Result<()> {
    let lock = Path::new(folder).join("package-lock.json");
    let stamp = Path::new(folder).join("node_modules/.installed-lock");
    let wanted = std::fs::read(&lock).with_context(|| format!("`{}` cannot be read", lock.display()))?;
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        println!("{folder}: node packages are current");
        return Ok(());
    }
    check_version()?;
    run(&mut command("npm", &["ci", "--prefix", folder, "--no-audit", "--no-fund"]))?;
    std::fs::write(&stamp, wanted).with_context(|| format!("`{}` cannot be written", stamp.display()))
}

/// Runs a script of the console's package.
pub fn script(name: &str) -> Result<()> {
    run(&mut command("npm", &["run", "--silent", "--prefix", "ui", name]))
}

/// Builds the console when there is no build or a source is newer than it.
pub fn build_console() -> Result<()> {
    let built = modified(Path::new("ui/dist/index.html"));
    let sources = ["ui/src", "ui/index.html", "ui/vite.config.ts", "ui/package-lock.json"];
    let newest = sources.iter().filter_map(|path| newest(Path::new(path))).max();
    if built.is_some() && built >= newest {
        println!("console: the build is current");
        return Ok(());
    }
    script("build")
}

fn newest(path: &Path) -> Option<SystemTime> {
    let Ok(entries) = std::fs::read_dir(path) else {
        return modified(path);
    };
    entries.filter_map(|entry| newest(&entry.ok()?.path())).max()
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|found| found.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_node_is_read_and_compared() {
        assert_eq!(parse_version("v20.20.2\n"), Some((20, 20)));
        assert!(parse_version("v18.0.0") < Some(OLDEST));
        assert!(parse_version("v22.1.0") >= Some(OLDEST));
        assert_eq!(parse_version("20"), None);
    }
}
