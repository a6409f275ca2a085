//! One file sealed with a passphrase (`age`, scrypt), for systems without a keychain. The whole map is in it; every change
//! writes a new file beside the old one, flushes it and renames it into place. The passphrase is held in memory, never kept.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Encryptor, scrypt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reeve_domain::sensitive::Secret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::VaultError;

/// `N = 2^17` with r = 8, p = 1: the first scrypt recommendation of the OWASP password storage cheat sheet. About half a
/// second and 128 MiB here; a figure measured at run time would drop below it on a busy machine.
const WORK_FACTOR: u8 = 17;
/// The most work a file may ask for (1 GiB): one sealed by hand with `age -p` asks for 2^18.
const MOST_WORK: u8 = 20;
/// Far above any number of credentials; a larger file is not ours.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

pub(crate) struct SealedFile {
    path: PathBuf,
    passphrase: SecretString,
    work_factor: u8,
    secrets: Mutex<BTreeMap<String, Secret>>,
}

/// What the file holds once it is open.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    /// Name to base64 of the secret.
    secrets: BTreeMap<String, Zeroizing<String>>,
}

impl SealedFile {
    pub(crate) fn create(path: &Path, passphrase: Secret) -> Result<Self, VaultError> {
        Self::create_with(path, passphrase, WORK_FACTOR)
    }

    fn create_with(path: &Path, passphrase: Secret, work_factor: u8) -> Result<Self, VaultError> {
        if path.try_exists().map_err(|source| failed(path, "looked for", source))? {
            return Err(VaultError::Exists { path: path.to_owned() });
        }
        let file = Self {
            path: path.to_owned(),
            passphrase: words(passphrase)?,
            work_factor,
            secrets: Mutex::new(BTreeMap::new()),
        };
        file.write(&BTreeMap::new())?;
        Ok(file)
    }

    pub(crate) fn open(path: &Path, passphrase: Secret) -> Result<Self, VaultError> {
        Self::open_with(path, passphrase, WORK_FACTOR)
    }

    fn open_with(path: &Path, passphrase: Secret, work_factor: u8) -> Result<Self, VaultError> {
        let passphrase = words(passphrase)?;
        let sealed = read_whole(path)?;
        let plain = unseal(path, &sealed, passphrase.clone())?;
        let secrets = parse(path, &plain)?;
        Ok(Self { path: path.to_owned(), passphrase, work_factor, secrets: Mutex::new(secrets) })
    }

    pub(crate) fn get(&self, name: &str) -> Option<Secret> {
        self.map().get(name).cloned()
    }

    pub(crate) fn set(&self, name: &str, secret: &Secret) -> Result<(), VaultError> {
        self.change(|secrets| {
            secrets.insert(name.to_owned(), secret.clone());
        })
    }

    pub(crate) fn remove(&self, name: &str) -> Result<(), VaultError> {
        if !self.map().contains_key(name) {
            return Ok(());
        }
        self.change(|secrets| {
            secrets.remove(name);
        })
    }

    /// Memory follows the file, never the other way round: a write that failed changes nothing.
    fn change(&self, edit: impl FnOnce(&mut BTreeMap<String, Secret>)) -> Result<(), VaultError> {
        let mut held = self.map();
        let mut next = held.clone();
        edit(&mut next);
        self.write(&next)?;
        *held = next;
        Ok(())
    }

    fn map(&self) -> MutexGuard<'_, BTreeMap<String, Secret>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, secrets: &BTreeMap<String, Secret>) -> Result<(), VaultError> {
        let path = &self.path;
        let content = Content {
            version: 1,
            secrets: secrets
                .iter()
                .map(|(name, secret)| (name.clone(), Zeroizing::new(BASE64.encode(secret.expose()))))
                .collect(),
        };
        let plain = Zeroizing::new(serde_json::to_vec(&content).map_err(|error| damaged(path, &error))?);
        let mut recipient = scrypt::Recipient::new(self.passphrase.clone());
        recipient.set_work_factor(self.work_factor);
        let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
            .map_err(|error| damaged(path, &error))?;

        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        make_private(folder).map_err(|source| failed(path, "given a folder", source))?;
        // `tempfile` creates with mode 0600, under a name that nobody can have prepared.
        let mut beside = tempfile::Builder::new()
            .prefix(".vault-")
            .tempfile_in(folder)
            .map_err(|source| failed(path, "written", source))?;
        let mut writer =
            encryptor.wrap_output(beside.as_file_mut()).map_err(|source| failed(path, "written", source))?;
        writer
            .write_all(&plain)
            .and_then(|()| writer.finish())
            .and_then(|file| file.sync_all())
            .map_err(|source| failed(path, "written", source))?;
        beside.persist(path).map_err(|error| failed(path, "replaced", error.error))?;
        sync_folder(folder).map_err(|source| failed(path, "flushed", source))
    }
}

fn words(passphrase: Secret) -> Result<SecretString, VaultError> {
    let text = std::str::from_utf8(passphrase.expose()).unwrap_or_default();
    if text.trim().is_empty() {
        return Err(VaultError::EmptyPassphrase);
    }
    Ok(SecretString::from(text.to_owned()))
}

fn read_whole(path: &Path) -> Result<Vec<u8>, VaultError> {
    let file = std::fs::File::open(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => VaultError::NoFile { path: path.to_owned() },
        _ => failed(path, "read", source),
    })?;
    let mut sealed = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut sealed).map_err(|source| failed(path, "read", source))?;
    if sealed.len() as u64 > MOST_BYTES {
        return Err(VaultError::Damaged { path: path.to_owned(), detail: "it is larger than 16 MiB".to_owned() });
    }
    Ok(sealed)
}

fn unseal(path: &Path, sealed: &[u8], passphrase: SecretString) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let decryptor = Decryptor::new_buffered(sealed).map_err(|_| not_ours(path, "it is not an `age` file"))?;
    if !decryptor.is_scrypt() {
        return Err(not_ours(path, "it is not sealed with a passphrase"));
    }
    let mut identity = scrypt::Identity::new(passphrase);
    identity.set_max_work_factor(MOST_WORK);
    let mut reader =
        decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).map_err(|error| match error {
            DecryptError::DecryptionFailed | DecryptError::NoMatchingKeys | DecryptError::KeyDecryptionFailed => {
                VaultError::WrongPassphrase { path: path.to_owned() }
            }
            DecryptError::ExcessiveWork { .. } => not_ours(path, "it asks for more work than any vault of Reeve"),
            _ => not_ours(path, "its header was changed"),
        })?;
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.read_to_end(&mut plain).map_err(|_| not_ours(path, "its content was changed or cut off"))?;
    Ok(plain)
}

fn parse(path: &Path, plain: &[u8]) -> Result<BTreeMap<String, Secret>, VaultError> {
    // The parser's own message could quote what it read.
    let content: Content =
        serde_json::from_slice(plain).map_err(|_| not_ours(path, "it opens, but does not hold a vault of Reeve"))?;
    if content.version != 1 {
        return Err(not_ours(path, "it was written by a newer version of Reeve"));
    }
    content
        .secrets
        .into_iter()
        .map(|(name, text)| {
            let bytes = BASE64.decode(text.as_bytes()).map_err(|_| not_ours(path, "one of its entries is broken"))?;
            Ok((name, Secret::new(bytes)))
        })
        .collect()
}

fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A rename is durable once its folder is; Windows has no such thing to flush.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { std::fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

fn failed(path: &Path, done: &'static str, source: std::io::Error) -> VaultError {
    VaultError::File { path: path.to_owned(), done, source }
}

fn not_ours(path: &Path, detail: &str) -> VaultError {
    VaultError::Damaged { path: path.to_owned(), detail: detail.to_owned() }
}

fn damaged(path: &Path, error: &dyn std::fmt::Display) -> VaultError {
    VaultError::Damaged { path: path.to_owned(), detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests of the format need no real work.
    const QUICK: u8 = 4;

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    #[test]
    fn a_sealed_file_gives_back_what_it_was_given_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/vault.age");
        let file = SealedFile::create_with(&path, secret("four words of mine"), QUICK).unwrap();
        file.set("github", &secret("ghp_1")).unwrap();
        file.set("binary", &Secret::new(vec![0, 255, 10])).unwrap();
        file.set("gone", &secret("x")).unwrap();
        file.remove("gone").unwrap();
        file.remove("never there").unwrap();
        drop(file);

        let file = SealedFile::open_with(&path, secret("four words of mine"), QUICK).unwrap();
        assert_eq!(file.get("github").unwrap().expose(), b"ghp_1");
        assert_eq!(file.get("binary").unwrap().expose(), [0, 255, 10]);
        assert!(file.get("gone").is_none());
    }

    #[test]
    fn neither_secret_nor_name_can_be_read_in_the_file_and_nobody_else_may_open_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.age");
        let file = SealedFile::create_with(&path, secret("pass"), QUICK).unwrap();
        file.set("github-token", &secret("ghp_abcdef")).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("age-encryption.org/v1"));
        for sought in ["ghp_abcdef", "github-token", "pass\n", &BASE64.encode("ghp_abcdef")] {
            assert!(!text.contains(sought), "{sought}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "only the vault itself is left: {left:?}");
    }

    #[test]
    fn a_wrong_passphrase_is_named_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.age");
        SealedFile::create_with(&path, secret("right"), QUICK).unwrap();
        let refused = SealedFile::open_with(&path, secret("wrong"), QUICK).err().unwrap();
        assert!(matches!(refused, VaultError::WrongPassphrase { .. }), "{refused}");
        let refused = SealedFile::open_with(&path, secret("  "), QUICK).err().unwrap();
        assert!(matches!(refused, VaultError::EmptyPassphrase), "{refused}");
    }

    #[test]
    fn a_changed_cut_or_foreign_file_is_damaged_and_never_an_empty_vault() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.age");
        let file = SealedFile::create_with(&path, secret("pass"), QUICK).unwrap();
        file.set("github", &secret("ghp_1")).unwrap();
        let whole = std::fs::read(&path).unwrap();

        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        let cut = whole[..whole.len() - 20].to_vec();
        for broken in [flipped, cut, b"hello".to_vec(), Vec::new()] {
            std::fs::write(&path, &broken).unwrap();
            let refused = SealedFile::open_with(&path, secret("pass"), QUICK).err().unwrap();
            assert!(matches!(refused, VaultError::Damaged { .. }), "{refused}");
        }
        std::fs::remove_file(&path).unwrap();
        let refused = SealedFile::open_with(&path, secret("pass"), QUICK).err().unwrap();
        assert!(matches!(refused, VaultError::NoFile { .. }), "{refused}");
    }

    #[test]
    fn a_second_vault_is_never_created_over_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.age");
        SealedFile::create_with(&path, secret("pass"), QUICK).unwrap();
        let before = std::fs::read(&path).unwrap();
        let refused = SealedFile::create_with(&path, secret("other"), QUICK).err().unwrap();
        assert!(matches!(refused, VaultError::Exists { .. }), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_write_that_fails_changes_neither_file_nor_memory() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let path = home.join("vault.age");
        let file = SealedFile::create_with(&path, secret("pass"), QUICK).unwrap();
        file.set("github", &secret("old")).unwrap();
        // A file where the folder was: no temporary file can be made there, whoever runs the test.
        std::fs::rename(&home, folder.path().join("away")).unwrap();
        std::fs::write(&home, b"in the way").unwrap();
        let failed = file.set("github", &secret("new")).unwrap_err();
        assert!(matches!(failed, VaultError::File { .. }), "{failed}");
        assert_eq!(file.get("github").unwrap().expose(), b"old");
        let kept = SealedFile::open_with(&folder.path().join("away/vault.age"), secret("pass"), QUICK).unwrap();
        assert_eq!(kept.get("github").unwrap().expose(), b"old");
    }
}
