//! What can go wrong before or while a governed child runs.

use std::path::PathBuf;

/// Exit status of `reeve run` when Reeve failed before the command started.
const FAILED_BEFORE_START: u8 = 125;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    #[error("`{program}` was not found")]
    ProgramNotFound { program: String },
    #[error("`{program}` cannot be executed")]
    NotExecutable { program: String, source: std::io::Error },
    #[error("the working directory `{path}` is not there", path = path.display())]
    NoWorkingDirectory { path: PathBuf },
    #[error("`{variable}` cannot carry the placeholder of a credential: {why}")]
    PlaceholderVariable { variable: String, why: &'static str },
    #[error("the session's certificate is not a certificate in PEM form")]
    SessionCertificate,
    #[error("the trust bundle `{path}` could not be {done}", path = path.display())]
    Bundle { path: PathBuf, done: &'static str, source: std::io::Error },
    #[error("the child process could not be supervised: {what}")]
    Supervision { what: &'static str, source: std::io::Error },
    #[error("the supervision of the child process ended before the child did")]
    SupervisionLost,
}

impl SandboxError {
    /// The exit status `reeve run` ends with: 127 not found, 126 not executable, 125 when Reeve itself failed.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::ProgramNotFound { .. } => 127,
            Self::NotExecutable { .. } => 126,
            _ => FAILED_BEFORE_START,
        }
    }
}
