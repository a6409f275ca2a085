//! What can go wrong in the store. Whoever hears one of these must not act: nothing of the command is on disk.

use std::path::PathBuf;

use reeve_domain::chain::CanonicalError;

/// Cloneable, because everybody whose command was in a batch that failed hears the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("could not open the record at `{path}`: {why}")]
    Open { path: PathBuf, why: String },
    #[error("the record has format {found}, and this version of Reeve knows formats up to {known}")]
    Newer { found: u32, known: u32 },
    #[error("the disk is full")]
    Full,
    #[error("the record or its folder is read-only")]
    ReadOnly,
    #[error("the disk does not answer: {0}")]
    Disk(String),
    #[error("the record is damaged: {0}")]
    Damaged(String),
    #[error("the record cannot be read or written: {0}")]
    Database(String),
    #[error("the mirror of the seals `{path}` cannot be written: {why}")]
    Mirror { path: PathBuf, why: String },
    #[error("it has no canonical form: {0}")]
    Canonical(#[from] CanonicalError),
    #[error("{what} `{name}` is not known")]
    NotFound { what: &'static str, name: String },
    #[error("{what} `{name}` is closed already")]
    Closed { what: &'static str, name: String },
    #[error("something is under way that needs its records: a session, a held action, or one that is not settled")]
    Underway,
    #[error("there is no key to sign with")]
    NoKey,
    #[error("the export cannot be written: {0}")]
    Export(String),
    #[error("the store has stopped")]
    Stopped,
    /// A bug: a command panicked. Its changes were rolled back.
    #[error("a command of the store failed inside")]
    Panicked,
}

impl StoreError {
    /// Whether nothing else can be written either.
    #[must_use]
    pub fn is_of_the_disk(&self) -> bool {
        matches!(self, Self::Full | Self::ReadOnly | Self::Disk(_))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => Self::Disk(text),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(text),
            _ => Self::Database(text),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}
