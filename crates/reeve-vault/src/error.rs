//! What can go wrong with a vault, in three parts: what happened and what it means for protection (`Display`), and what to
//! do about it ([`VaultError::advice`]).

use std::path::PathBuf;

use crate::probe::Probe;

/// Nothing in here holds a secret, nor text that a keychain gave back for one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    #[error(
        "no keychain answers in this session, so no credential can be read and requests that need one are refused ({detail})"
    )]
    NoService { detail: String },
    #[error("the keychain is locked, so no credential can be read and requests that need one are refused")]
    Locked,
    #[error("the keychain service runs but has no keyring to write to, so no credential can be stored or read")]
    NoKeyring,
    #[error("the vault gave no answer within {seconds} s, so the credential was not read or written")]
    TimedOut { seconds: u64 },
    #[error("the passphrase does not open `{path}`, so no credential can be read", path = path.display())]
    WrongPassphrase { path: PathBuf },
    #[error("there is no vault at `{path}`, so no credential can be read", path = path.display())]
    NoFile { path: PathBuf },
    #[error("there is a file at `{path}` already; it was left as it is", path = path.display())]
    Exists { path: PathBuf },
    #[error("the vault at `{path}` cannot be used: {detail}", path = path.display())]
    Damaged { path: PathBuf, detail: String },
    #[error("the vault at `{path}` could not be {done}; what it held before is unchanged", path = path.display())]
    File { path: PathBuf, done: &'static str, source: std::io::Error },
    #[error("an empty passphrase protects nothing and was refused")]
    EmptyPassphrase,
    #[error("an empty secret was refused")]
    EmptySecret,
    #[error("the keychain of this system takes at most {limit} bytes for one secret")]
    TooLong { limit: u32 },
    #[error("`{given}` is not a name for a secret: use 1 to 128 letters, digits, `-`, `_` or `.`")]
    Name { given: String },
    #[error(
        "`{given}` cannot name a profile in the keychain: use 1 to 512 characters, none of them a control character"
    )]
    Profile { given: String },
    #[error("the keychain failed: {detail}; the credential was not read or written")]
    Keychain { detail: String },
    #[error("no thread could be started for the vault")]
    Thread { source: std::io::Error },
    #[error("the vault stopped before it answered")]
    Interrupted,
}

impl VaultError {
    /// The next step for a person.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NoService { .. } => {
                "start a keyring (gnome-keyring or KWallet) in this session, or write `secrets = \"file\"` into config.toml and type `reeve status`: it asks for a passphrase, and keeps secrets in a file encrypted with it"
            }
            Self::Locked => "unlock the keyring (log in to the desktop or answer its dialog), then try again",
            Self::NoKeyring => {
                "create a default keyring (for example in Passwords and Keys), or write `secrets = \"file\"` into config.toml and type `reeve status`: it asks for a passphrase, and keeps secrets in a file encrypted with it"
            }
            Self::TimedOut { .. } => "look for a dialog of the keyring that waits for an answer, then try again",
            Self::WrongPassphrase { .. } => "give the passphrase again",
            Self::NoFile { .. } => {
                "restore the file from a backup, or create a new vault and add the credentials again"
            }
            Self::Exists { .. } => "open it with its passphrase, or move it away first",
            Self::Damaged { .. } => "restore the file from a backup; its content is an `age` file with a passphrase",
            Self::File { .. } => "check that the folder exists, belongs to you and has room",
            Self::EmptyPassphrase => "choose a passphrase of several words",
            Self::EmptySecret => "give the value of the credential",
            Self::TooLong { .. } => {
                "write `secrets = \"file\"` into config.toml: the encrypted file takes secrets of this size"
            }
            Self::Name { .. } | Self::Profile { .. } => "choose another name",
            Self::Keychain { .. } | Self::Thread { .. } | Self::Interrupted => "run `reeve doctor`",
        }
    }
}

/// A probe that did not pass, as the error of the call that needed it.
impl From<Probe> for VaultError {
    fn from(probe: Probe) -> Self {
        match probe {
            Probe::NoService(detail) => Self::NoService { detail },
            Probe::Locked => Self::Locked,
            Probe::NoKeyring => Self::NoKeyring,
            Probe::Failed(detail) => Self::Keychain { detail },
            Probe::Ok => Self::Interrupted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_says_what_it_means_and_has_a_next_step() {
        let samples = [
            VaultError::NoService { detail: "no bus".to_owned() },
            VaultError::Locked,
            VaultError::NoKeyring,
            VaultError::TimedOut { seconds: 60 },
            VaultError::WrongPassphrase { path: "vault.age".into() },
        ];
        for error in samples {
            assert!(error.to_string().contains("credential"), "{error}");
            assert!(!error.to_string().ends_with('.'), "{error}");
            assert!(error.advice().len() > 10, "{error}");
        }
    }
}
