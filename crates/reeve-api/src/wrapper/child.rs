//! The wrapped server: started in this place and folder, in a process group of its own so that all it starts ends with it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use reeve_mcp::queue::{Receiver, Sender};
use reeve_sandbox::environment::Environment;
use tokio::process::{ChildStdin, Command};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{read_lines, write_lines};
use crate::contract::{ApiCode, ApiError};

/// How long a server may take to end by itself, and again when it was asked to.
pub(super) const GRACE: Duration = Duration::from_secs(2);
/// How often what is left of it is looked at then.
const LOOK: Duration = Duration::from_millis(10);

/// Why the wrapper ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The server ended, or closed its output.
    Server,
    /// By a signal, or because the agent closed the input and the server did not end by that.
    Told,
    /// The session is over.
    Over,
}

pub(crate) struct Child {
    process: tokio::process::Child,
    /// Its process group.
    group: Option<u32>,
    input: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
}

impl Child {
    /// # Errors
    /// When the program is not found or cannot be executed.
    pub fn start(command: &[OsString], environment: &Environment) -> Result<Self, ApiError> {
        Self::start_in(command, environment, &BTreeMap::new(), None)
    }

    /// The same with variables of its own, in a folder of its own.
    ///
    /// # Errors
    /// As [`Child::start`].
    pub fn start_in(
        command: &[OsString],
        environment: &Environment,
        own: &BTreeMap<String, String>,
        folder: Option<&Path>,
    ) -> Result<Self, ApiError> {
        let failed = |why: String| ApiError::new(ApiCode::Invalid, why);
        let Some((program, arguments)) = command.split_first() else {
            return Err(failed("no command of a server was given".to_owned()));
        };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        for name in environment.remove() {
            command.env_remove(name);
        }
        command.envs(environment.set().iter().map(|(name, value)| (name, value)));
        command.envs(own);
        if let Some(folder) = folder {
            command.current_dir(folder);
        }
        #[cfg(unix)]
        command.process_group(0);
        let program = program.to_string_lossy();
        let mut process = command.spawn().map_err(|error| failed(format!("could not start `{program}`: {error}")))?;
        let output = process.stdout.take().ok_or_else(|| failed(format!("`{program}` has no output")))?;
        let input = process.stdin.take();
        let group = process.id();
        Ok(Self { process, group, input, lines: read_lines(output) })
    }

    /// Where its messages go; closed when this is dropped.
    pub fn input(&mut self) -> Option<Sender<Vec<u8>>> {
        self.input.take().map(|input| write_lines(input).0)
    }

    /// The next line it says; `None` when it says no more.
    pub async fn line(&mut self) -> Option<Vec<u8>> {
        self.lines.recv().await
    }

    /// Ends it with all it started, and returns its exit code as a shell tells it.
    pub async fn end(&mut self, how: Exit) -> i32 {
        if how != Exit::Server || !self.ended_within(GRACE).await {
            self.signal(Kind::End);
            if !self.ended_within(GRACE).await {
                self.signal(Kind::Kill);
            }
        }
        let code = self.process.wait().await.map_or(1, code_of);
        self.end_rest().await;
        code
    }

    async fn ended_within(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.process.wait()).await.is_ok()
    }

    /// What it started and left behind.
    async fn end_rest(&mut self) {
        self.signal(Kind::End);
        let begun = Instant::now();
        while self.signal(Kind::Look) {
            if begun.elapsed() > GRACE {
                self.signal(Kind::Kill);
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// To the whole group; whether there still is one.
    #[cfg(unix)]
    fn signal(&self, kind: Kind) -> bool {
        use nix::sys::signal::{Signal, killpg};
        let Some(group) = self.group.and_then(|group| i32::try_from(group).ok()) else { return false };
        let signal = match kind {
            Kind::Look => None,
            Kind::End => Some(Signal::SIGTERM),
            Kind::Kill => Some(Signal::SIGKILL),
        };
        killpg(nix::unistd::Pid::from_raw(group), signal).is_ok()
    }

    #[cfg(not(unix))]
    fn signal(&mut self, kind: Kind) -> bool {
        // Only its own process is known here; it is killed, because there is no way to ask.
        !matches!(kind, Kind::Look) && self.process.start_kill().is_ok()
    }
}

/// Waits until a time that may never come.
pub(super) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Look,
    End,
    Kill,
}

fn code_of(status: std::process::ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(1)
}

/// Hears the signals that end the wrapper.
pub(super) fn told_to_end() -> mpsc::Receiver<()> {
    let (tell, told) = mpsc::channel(1);
    tokio::spawn(async move {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let all = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
            let waits = all.into_iter().filter_map(Result::ok).map(|mut one| {
                Box::pin(async move {
                    one.recv().await;
                })
            });
            futures_util::future::select_all(waits).await;
        }
        #[cfg(not(unix))]
        {
            let _ = tokio::signal::ctrl_c().await;
        }
        let _ = tell.send(()).await;
        // For ever: the receiver must not see an end that is none.
        tell.closed().await;
    });
    told
}
