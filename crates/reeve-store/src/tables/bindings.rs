//! What is known of credentials: names, placeholders and places. The secrets are in the vault, never here.

use reeve_domain::credential::Credential;
use reeve_domain::id::CredentialId;
use rusqlite::Connection;

use crate::error::StoreError;

pub fn put(conn: &Connection, credential: &Credential) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR REPLACE INTO bindings (credential, body) VALUES (?1, ?2)")?
        .execute((credential.id.as_str(), serde_json::to_string(credential)?))?;
    Ok(())
}

pub fn remove(conn: &Connection, id: &CredentialId) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM bindings WHERE credential = ?1")?.execute([id.as_str()])?;
    Ok(())
}

pub fn all(conn: &Connection) -> Result<Vec<Credential>, StoreError> {
    super::bodies(conn, "SELECT body FROM bindings ORDER BY credential", ())
}
