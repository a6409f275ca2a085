//! The governed child process: started in the terminal Reeve was started in, signalled as if it had been started without
//! Reeve, waited for, and not outlived by anything it started.

#[cfg(unix)]
mod supervise;
#[cfg(unix)]
mod tree;
#[cfg(unix)]
use supervise as system;

#[cfg(not(unix))]
mod windows;
#[cfg(not(unix))]
use windows as system;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::SandboxError;
use crate::environment::Environment;

/// How long a child that is asked to stop may take before it is killed.
pub const GRACE: Duration = Duration::from_secs(5);

/// What to start.
#[derive(Debug)]
pub struct Launch {
    pub program: OsString,
    pub arguments: Vec<OsString>,
    /// `None`: where Reeve was started.
    pub working_directory: Option<PathBuf>,
    pub environment: Environment,
    /// See [`GRACE`].
    pub grace: Duration,
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It returned this status.
    Exited(i32),
    /// A signal of this number ended it.
    Signalled(i32),
}

impl Ended {
    /// The exit status that a shell would report: the child's own, or 128 and the number of the signal.
    #[must_use]
    pub fn exit_code(self) -> i32 {
        match self {
            Ended::Exited(status) => status,
            Ended::Signalled(signal) => 128 + signal,
        }
    }
}

/// A child that runs. Dropping it stops the child: nothing governed runs on unattended.
#[derive(Debug)]
#[must_use = "dropping it stops the child"]
pub struct Running {
    pid: u32,
    stop: Stop,
    ended: oneshot::Receiver<Ended>,
}

/// Asks a child to stop; can be kept and used anywhere.
#[derive(Debug, Clone)]
pub struct Stop(system::Asker);

impl Stop {
    /// Sends the child and everything it started SIGTERM, and SIGKILL to whatever is left after the grace. Returns at once.
    pub fn stop(&self) {
        self.0.ask();
    }
}

/// Starts the child and supervises it on a thread of its own.
///
/// The calling process becomes the one that adopts and reaps whatever the child leaves behind, and must start no other
/// children while this one runs; those it started before are left alone. Signals that reach the calling process alone are
/// passed on; those a terminal sends reach the child by themselves, because it stays in the same process group.
///
/// # Errors
/// When the program is not found, cannot be executed, or cannot be supervised; see [`SandboxError::exit_code`].
pub fn start(launch: &Launch) -> Result<Running, SandboxError> {
    if let Some(path) = &launch.working_directory
        && !path.is_dir()
    {
        return Err(SandboxError::NoWorkingDirectory { path: path.clone() });
    }
    let (tell, ended) = oneshot::channel();
    let (pid, asker) = system::start(command(launch), launch.grace, move |how| {
        // Nobody waits when `Running` was dropped.
        let _ = tell.send(how);
    })?;
    Ok(Running { pid, stop: Stop(asker), ended })
}

fn command(launch: &Launch) -> Command {
    let mut command = Command::new(&launch.program);
    command.args(&launch.arguments);
    if let Some(path) = &launch.working_directory {
        command.current_dir(path);
    }
    for name in launch.environment.remove() {
        command.env_remove(name);
    }
    command.envs(launch.environment.set().iter().map(|(name, value)| (name, value)));
    command
}

/// What `spawn` refused, told apart as shells do it.
fn refused(program: &std::ffi::OsStr, source: std::io::Error) -> SandboxError {
    let program = program.to_string_lossy().into_owned();
    match source.kind() {
        std::io::ErrorKind::NotFound => SandboxError::ProgramNotFound { program },
        _ => SandboxError::NotExecutable { program, source },
    }
}

impl Running {
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    #[must_use]
    pub fn stop_handle(&self) -> Stop {
        self.stop.clone()
    }

    /// Waits until the child and everything it started has ended.
    ///
    /// # Errors
    /// When the supervising thread was lost.
    pub async fn wait(mut self) -> Result<Ended, SandboxError> {
        (&mut self.ended).await.map_err(|_| SandboxError::SupervisionLost)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After the end there is nobody left to ask, and asking does nothing.
        self.stop.stop();
    }
}
