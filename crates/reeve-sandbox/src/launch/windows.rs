//! Windows: the child shares the console, which delivers ^C to both; stopping ends the child alone. Not run on Windows so far.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Ended;
use crate::SandboxError;

/// How often the child is looked at; there is no waiting for two things at once without unsafe code.
const LOOK: Duration = Duration::from_millis(50);

/// The other end of [`super::Stop`].
#[derive(Debug, Clone)]
pub(super) struct Asker(Arc<AtomicBool>);

impl Asker {
    pub(super) fn ask(&self) {
        self.0.store(true, Ordering::Release);
    }
}

pub(super) fn start(
    mut command: Command,
    _grace: Duration,
    tell: impl FnOnce(Ended) + Send + 'static,
) -> Result<(u32, Asker), SandboxError> {
    let mut child = command.spawn().map_err(|error| super::refused(command.get_program(), error))?;
    let pid = child.id();
    let asked = Arc::new(AtomicBool::new(false));
    let asker = Asker(Arc::clone(&asked));
    std::thread::Builder::new()
        .name("child".to_owned())
        .spawn(move || {
            loop {
                if asked.load(Ordering::Acquire) {
                    // Windows has no request to stop that a console program could answer.
                    let _ = child.kill();
                }
                match child.try_wait() {
                    Ok(Some(status)) => return tell(Ended::Exited(status.code().unwrap_or(1))),
                    Ok(None) => std::thread::sleep(LOOK),
                    Err(_) => return,
                }
            }
        })
        .map_err(|source| SandboxError::Supervision { what: "no thread could be started", source })?;
    Ok((pid, asker))
}
