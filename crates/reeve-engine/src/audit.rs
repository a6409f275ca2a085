//! The key that signs the seals of the record: made once, kept in the vault, its public half beside the data.

use ed25519_dalek::SigningKey;
use reeve_domain::sensitive::Secret;
use reeve_vault::Vault;
use zeroize::Zeroizing;

use crate::error::EngineError;

const SEAL_KEY: &str = "seal-key";

/// The public half beside the data, for checking exports without an engine.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_public(path: &std::path::Path, key: &SigningKey) -> Result<(), EngineError> {
    crate::files::write_atomically(path, format!("{}\n", hex::encode(key.verifying_key().as_bytes())).as_bytes())
}

/// The signing key, made at the first start.
///
/// # Errors
/// When the vault cannot be reached or holds something that is no key.
pub async fn seal_key(vault: &Vault) -> Result<SigningKey, EngineError> {
    if let Some(stored) = vault.get(SEAL_KEY).await? {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        hex::decode_to_slice(stored.expose(), bytes.as_mut_slice())
            .map_err(|_| EngineError::Refused("the seal key in the vault is not a key".to_owned()))?;
        return Ok(SigningKey::from_bytes(&bytes));
    }
    let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(rand::random());
    vault.set(SEAL_KEY, Secret::from(hex::encode(bytes.as_slice()))).await?;
    Ok(SigningKey::from_bytes(&bytes))
}
