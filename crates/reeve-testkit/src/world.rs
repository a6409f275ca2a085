//! A world of its own for one test: home, Reeve's home, working directory and a cleared environment, gone afterwards.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// A temporary world.
#[derive(Debug)]
pub struct World {
    root: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl World {
    /// Makes the folders.
    ///
    /// # Errors
    /// When the temp folder cannot be written.
    pub fn new() -> Result<Self> {
        let root = tempfile::Builder::new().prefix("reeve-world-").tempdir().context("no temp folder")?;
        for folder in ["home", "reeve/config/policies", "work", "run", "tmp"] {
            std::fs::create_dir_all(root.path().join(folder))?;
        }
        #[cfg(unix)]
        for private in ["run", "reeve"] {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(root.path().join(private), std::fs::Permissions::from_mode(0o700))?;
        }
        Ok(Self { root, variables: Vec::new() })
    }

    /// `HOME` of what runs here.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// `REEVE_HOME` of what runs here.
    #[must_use]
    pub fn reeve_home(&self) -> PathBuf {
        self.root.path().join("reeve")
    }

    /// Working directory of what runs here.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// A file under Reeve's configuration folder: `config.toml`, `limits.yaml`, `policies/mine.cedar`, …
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_config(&self, name: &str, text: &str) -> Result<PathBuf> {
        write(&self.reeve_home().join("config").join(name), text)
    }

    /// A file below the home folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_home(&self, name: &str, text: &str) -> Result<PathBuf> {
        write(&self.home().join(name), text)
    }

    /// A variable for every command from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// A command in this world: nothing of the caller's environment but `PATH`.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let root = self.root.path();
        command
            .current_dir(self.work())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("REEVE_HOME", self.reeve_home())
            .env("XDG_RUNTIME_DIR", root.join("run"))
            .env("TMPDIR", root.join("tmp"))
            .env("LANG", "C.UTF-8")
            .env("TERM", "xterm-256color")
            .env("USER", "tester")
            // A day begins for what runs here when it begins for the tests, which count in UTC.
            .env("TZ", "UTC")
            // The machine's own polkit would ask whoever sits there.
            .env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", root.join("run/no-system-bus").display()))
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

fn write(path: &Path, text: &str) -> Result<PathBuf> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(path.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_sees_its_own_world_and_nothing_else() {
        let mut world = World::new().unwrap();
        world.set("EXTRA", "1");
        let out = world.command("env").output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(text.contains(&format!("HOME={}", world.home().display())), "{text}");
        assert!(text.contains("EXTRA=1") && !text.contains("CARGO"), "{text}");
    }
}
