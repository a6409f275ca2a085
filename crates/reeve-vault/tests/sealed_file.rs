//! The encrypted file through the public interface, with the real work factor: once per test, because it costs a second.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

use reeve_domain::sensitive::Secret;
use reeve_vault::{Kind, Probe, Vault, VaultError};

#[tokio::test]
async fn a_vault_in_a_file_passes_the_probe_and_opens_only_with_its_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.age");
    let pass = || Secret::from("correct horse battery".to_owned());

    let missing = Vault::open_file(&path, pass()).await.unwrap_err();
    assert!(matches!(missing, VaultError::NoFile { .. }), "{missing}");

    let vault = Vault::create_file(&path, pass()).await.unwrap();
    assert_eq!(vault.kind(), Kind::File);
    assert_eq!(vault.probe().await, Probe::Ok);
    vault.set("anthropic", Secret::from("sk-ant-1".to_owned())).await.unwrap();
    drop(vault);

    let wrong = Vault::open_file(&path, Secret::from("incorrect".to_owned())).await.unwrap_err();
    assert!(matches!(wrong, VaultError::WrongPassphrase { .. }), "{wrong}");
    let vault = Vault::open_file(&path, pass()).await.unwrap();
    assert_eq!(vault.get("anthropic").await.unwrap().unwrap().expose(), b"sk-ant-1");
}
