//! The demo's throw-away profile: a temporary home and `reeve demo` in it, both gone when the window is, however it ended.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reeve_api::home::Home;
use tempfile::TempDir;

use crate::link::engine_program;

/// How long it may take to end its session and its engine.
const GRACE: Duration = Duration::from_secs(5);

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
        // The demo ends when its stdin closes, which even a killed window cannot forget.
        command.args(["demo", "--attached"]).stdin(Stdio::piped());
        command.env("REEVE_HOME", folder.path()).env_remove("REEVE_SOCKET");
        let child = command.spawn()?;
        Ok(Self { child, home: Home::under(folder.path()), _folder: folder })
    }

    pub fn home(&self) -> &Home {
        &self.home
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let begun = Instant::now();
        while begun.elapsed() < GRACE && self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            std::thread::sleep(Duration::from_millis(20));
        }
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
