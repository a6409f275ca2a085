//! Write, read, delete: the only way to know whether a vault works. A locked Secret Service answers a read with "no such
//! entry" (measured), so nothing may be called deleted before this has passed.

use reeve_domain::sensitive::Secret;

use crate::{Backend, VaultError};

/// The entry that a probe writes and deletes again.
const NAME: &str = "probe";

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Written, read back, deleted.
    Ok,
    /// Nothing answers where a keychain should be; says what was tried.
    NoService(String),
    /// It is there and waits for a human.
    Locked,
    /// The service runs and has no keyring to write to.
    NoKeyring,
    /// Anything else, in words.
    Failed(String),
}

impl Probe {
    /// # Errors
    /// Anything but [`Probe::Ok`], as the error that names cause and consequence.
    pub fn into_result(self) -> Result<(), VaultError> {
        match self {
            Probe::Ok => Ok(()),
            other => Err(other.into()),
        }
    }
}

pub(crate) fn probe(backend: &Backend) -> Probe {
    match backend {
        Backend::Keychain(keychain) => keychain.probe(),
        Backend::File(_) | Backend::Memory(_) => verdict(write_read_delete(
            |secret| backend.set(NAME, secret),
            || backend.get(NAME),
            || backend.remove(NAME),
        )),
    }
}

/// The three steps over any store.
pub(crate) fn write_read_delete(
    write: impl FnOnce(&Secret) -> Result<(), VaultError>,
    read: impl FnOnce() -> Result<Option<Secret>, VaultError>,
    delete: impl FnOnce() -> Result<(), VaultError>,
) -> Result<(), VaultError> {
    let sample = Secret::from(format!("reeve-probe-{}", std::process::id()));
    write(&sample)?;
    let back = read()?;
    delete()?;
    if back.is_some_and(|back| back.expose() == sample.expose()) {
        Ok(())
    } else {
        Err(VaultError::Keychain { detail: "what was written did not come back".to_owned() })
    }
}

pub(crate) fn verdict(result: Result<(), VaultError>) -> Probe {
    match result {
        Ok(()) => Probe::Ok,
        Err(VaultError::NoService { detail }) => Probe::NoService(detail),
        Err(VaultError::Locked) => Probe::Locked,
        Err(VaultError::NoKeyring) => Probe::NoKeyring,
        Err(VaultError::Keychain { detail }) => Probe::Failed(detail),
        Err(other) => Probe::Failed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_forgets_does_not_pass() {
        let probe = verdict(write_read_delete(|_| Ok(()), || Ok(None), || Ok(())));
        assert!(matches!(probe, Probe::Failed(_)));
    }

    #[test]
    fn a_locked_store_is_called_locked_and_not_empty() {
        let probe = verdict(write_read_delete(|_| Err(VaultError::Locked), || Ok(None), || Ok(())));
        assert_eq!(probe, Probe::Locked);
        assert!(matches!(probe.into_result(), Err(VaultError::Locked)));
    }
}
