//! What can go wrong in the engine itself. A denial is not an error: see `gate::Ruling`.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("could not read `{path}`")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("could not write `{path}`")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("`{path}` does not load: {problem}")]
    Config { path: PathBuf, problem: String },
    #[error("the policy does not load: {0}")]
    Policy(String),
    #[error("the price table does not load: {0}")]
    Prices(String),
    #[error("the limits do not load: {0}")]
    Limits(String),
    #[error("the record cannot be written, so nothing may pass: {0}")]
    Store(#[from] reeve_store::StoreError),
    #[error("{0}")]
    Vault(#[from] reeve_vault::VaultError),
    #[error("no {what} `{name}`")]
    NotFound { what: &'static str, name: String },
    #[error("{0}")]
    NotArmed(String),
    /// A human is to be proven first.
    #[error("{0}")]
    Presence(String),
    /// The system asked whether a human is there, and nobody said so.
    #[error("{0}")]
    Unconfirmed(String),
    /// Rules, by name, that a rule about to be written does not get past.
    #[error("nothing was released: {0} still decides")]
    StillDecides(String),
    #[error("{0}")]
    Refused(String),
}
