//! The demo's throw-away profile: a temporary home and `reeve demo` in it, both gone when the window is.

use std::process::{Child, Command, Stdio};

use reeve_api::home::Home;
use tempfile::TempDir;

use crate::link::engine_program;

/// Runs as long as it is held.
#[derive(Debug)]
pub struct Demo {
    child: Child,
    home: Home,
    /// Removed when dropped, after the child has ended.
    _folder: TempDir,
}

impl Demo {
    /// # Errors
    /// When there is no room for its home, or `reeve` cannot be started.
    pub fn start() -> std::io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("reeve-demo-").tempdir()?;
        let mut command = Command::new(engine_program());
        command.arg("demo").env("REEVE_HOME", folder.path()).env_remove("REEVE_SOCKET").stdin(Stdio::null());
        let child = command.spawn()?;
        Ok(Self { child, home: Home::under(folder.path()), _folder: folder })
    }

    pub fn home(&self) -> &Home {
        &self.home
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
