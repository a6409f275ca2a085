//! Secret Service over D-Bus: gnome-keyring, KWallet, KeePassXC.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::Arc;

use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Result};
use secret_service::Error as ServiceError;
use zbus_secret_service_keyring_store::Store;

use super::plain;
use crate::VaultError;

pub(super) fn open() -> Result<Arc<CredentialStore>> {
    let store = Store::new()?;
    Ok(store)
}

pub(super) fn entry(store: &Arc<CredentialStore>, service: &str, user: &str) -> Result<Entry> {
    let label = format!("Reeve: {user}");
    store.build(service, user, Some(&HashMap::from([("label", label.as_str())])))
}

/// As measured with gnome-keyring: a prompt that was dismissed (or could not be shown) means locked, an answer without an
/// object means that there is no default keyring.
pub(super) fn no_access(cause: &(dyn StdError + Send + Sync + 'static)) -> VaultError {
    match cause.downcast_ref::<ServiceError>() {
        Some(ServiceError::NoResult) => VaultError::NoKeyring,
        _ => VaultError::Locked,
    }
}

pub(super) fn failure(cause: &(dyn StdError + Send + Sync + 'static)) -> VaultError {
    let detail = plain(&cause.to_string());
    match cause.downcast_ref::<ServiceError>() {
        Some(ServiceError::Unavailable) => VaultError::NoService { detail },
        Some(ServiceError::Locked | ServiceError::Prompt) => VaultError::Locked,
        Some(ServiceError::NoResult) => VaultError::NoKeyring,
        // The bus or the service went away since the store was opened.
        Some(ServiceError::Zbus(_)) if detail.contains("ServiceUnknown") => VaultError::NoService { detail },
        _ => VaultError::Keychain { detail },
    }
}
