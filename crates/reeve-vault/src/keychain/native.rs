//! macOS Keychain and Windows Credential Manager. Written against the store crates' documentation; run on neither so far.

use std::error::Error as StdError;
use std::sync::Arc;

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store;
use keyring_core::api::{CredentialStore, CredentialStoreApi as _};
use keyring_core::{Entry, Result};
#[cfg(windows)]
use windows_native_keyring_store::Store;

use super::plain;
use crate::VaultError;

pub(super) fn open() -> Result<Arc<CredentialStore>> {
    let store = Store::new()?;
    Ok(store)
}

pub(super) fn entry(store: &Arc<CredentialStore>, service: &str, user: &str) -> Result<Entry> {
    store.build(service, user, None)
}

pub(super) fn no_access(_cause: &(dyn StdError + Send + Sync + 'static)) -> VaultError {
    VaultError::Locked
}

pub(super) fn failure(cause: &(dyn StdError + Send + Sync + 'static)) -> VaultError {
    VaultError::Keychain { detail: plain(&cause.to_string()) }
}
