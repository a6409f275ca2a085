//! The system's keychain through `keyring-core` and one store crate per system. All calls block; the callers see to that.
//! The connection is opened at first use and given up when it fails, so a keychain that comes back is found again.

#[cfg(target_os = "linux")]
mod secret_service;
#[cfg(target_os = "linux")]
use secret_service as system;

#[cfg(any(target_os = "macos", windows))]
mod native;
#[cfg(any(target_os = "macos", windows))]
use native as system;

use std::sync::{Arc, Mutex, PoisonError};

use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Error};
use reeve_domain::sensitive::Secret;

use crate::VaultError;
use crate::probe::{self, Probe};

/// The name under which a person finds our entries in the keychain's own window.
const SERVICE: &str = "reeve";

pub(crate) struct Keychain {
    profile: String,
    store: Mutex<Option<Arc<CredentialStore>>>,
}

impl Keychain {
    pub(crate) fn new(profile: &str) -> Self {
        Self { profile: profile.to_owned(), store: Mutex::new(None) }
    }

    pub(crate) fn get(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        if let Some(secret) = self.read(name)? {
            return Ok(Some(secret));
        }
        // A locked keychain says "no such entry" too. Only one that was just seen to work is believed, and what it says
        // after somebody unlocked it for the probe may be different.
        self.probe().into_result()?;
        self.read(name)
    }

    pub(crate) fn set(&self, name: &str, secret: &Secret) -> Result<(), VaultError> {
        self.with(name, |entry| entry.set_secret(secret.expose()))
    }

    pub(crate) fn remove(&self, name: &str) -> Result<(), VaultError> {
        if self.delete(name)? {
            return Ok(());
        }
        self.probe().into_result()?;
        self.delete(name).map(|_| ())
    }

    pub(crate) fn probe(&self) -> Probe {
        // One entry per process: two engines probing at the same moment must not delete each other's.
        let name = format!("probe-{}", std::process::id());
        probe::verdict(probe::write_read_delete(
            |secret| self.set(&name, secret),
            || self.read(&name),
            || self.delete(&name).map(|_| ()),
        ))
    }

    fn read(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        self.with(name, |entry| match entry.get_secret() {
            Ok(bytes) => Ok(Some(Secret::new(bytes))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })
    }

    /// Whether there was something to delete.
    fn delete(&self, name: &str) -> Result<bool, VaultError> {
        self.with(name, |entry| match entry.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(error),
        })
    }

    fn with<T>(&self, name: &str, act: impl FnOnce(&Entry) -> Result<T, Error>) -> Result<T, VaultError> {
        let mut held = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let store = match &*held {
            Some(store) => Arc::clone(store),
            None => {
                let opened = system::open().map_err(|error| unreachable_service(&error))?;
                *held = Some(Arc::clone(&opened));
                opened
            }
        };
        // A name never holds a slash, so no two pairs of profile and name are written alike.
        let user = format!("{}/{name}", self.profile);
        let done = system::entry(&store, SERVICE, &user).and_then(|entry| act(&entry));
        done.map_err(|error| {
            // The connection may be what failed: start afresh next time.
            *held = None;
            meaning(error)
        })
    }
}

/// Closing a store blocks on its connection, which panics (and aborts) inside an async task. Where the last owner drops the
/// vault is not known, so the store is always closed on a thread of its own.
impl Drop for Keychain {
    fn drop(&mut self) {
        if let Some(store) = self.store.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            // When there is no thread to be had, the connection is left to the end of the process.
            let (hand, take) = std::sync::mpsc::channel();
            let closing = std::thread::Builder::new().name("vault".to_owned()).spawn(move || take.recv().map(drop));
            match closing {
                Ok(_) => {
                    if let Err(unsent) = hand.send(store) {
                        std::mem::forget(unsent);
                    }
                }
                Err(_) => std::mem::forget(store),
            }
        }
    }
}

/// Opening failed: whatever the cause, nothing answers where a keychain should be.
fn unreachable_service(error: &Error) -> VaultError {
    VaultError::NoService { detail: plain(&error.to_string()) }
}

/// What an error of the store means, without anything that might be a secret: some variants carry the bytes they choked on.
fn meaning(error: Error) -> VaultError {
    match error {
        Error::TooLong(_, limit) => VaultError::TooLong { limit },
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            VaultError::Keychain { detail: "the entry has a form that it was not written in".to_owned() }
        }
        Error::Ambiguous(_) => VaultError::Keychain { detail: "there is more than one entry of this name".to_owned() },
        Error::NoStorageAccess(cause) => system::no_access(cause.as_ref()),
        Error::PlatformFailure(cause) => system::failure(cause.as_ref()),
        other => VaultError::Keychain { detail: plain(&other.to_string()) },
    }
}

/// Foreign text in one line of bounded length.
fn plain(text: &str) -> String {
    // The store's own word for where it comes from says nothing to a person.
    text.trim_start_matches("Platform failure: ")
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_a_keychain_hands_back_in_an_error_never_reach_a_message() {
        let message = meaning(Error::BadEncoding(b"sk-live-123".to_vec())).to_string();
        assert!(!message.contains("sk-live"), "{message}");
        let cause = std::io::Error::other("bad");
        let message = meaning(Error::BadDataFormat(b"sk-live-123".to_vec(), Box::new(cause))).to_string();
        assert!(!message.contains("sk-live"), "{message}");
    }
}
