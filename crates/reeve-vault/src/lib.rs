//! Where secrets rest: the keychain of the system, a file sealed with a passphrase, or memory, behind one type.
//! Every call that may block runs on a thread of its own under a time limit: a dialog may be waiting for a human.

mod error;
mod file;
mod keychain;
mod memory;
mod probe;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reeve_domain::sensitive::Secret;
use tokio::sync::{Semaphore, oneshot};

pub use error::VaultError;
pub use probe::Probe;

/// How long a call may wait: unlocking a keychain is a dialog that a human has to find and answer.
pub const CALL_LIMIT: Duration = Duration::from_secs(60);
/// How long a probe may wait. A keychain that answers is done in a tenth of a second; longer means that a dialog is open.
pub const PROBE_LIMIT: Duration = Duration::from_secs(5);

/// Where a vault keeps its secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Secret Service, Keychain or Credential Manager.
    Keychain,
    /// One file encrypted with a passphrase, chosen by the user where there is no keychain.
    File,
    /// Nothing outlives the process: the demo and tests.
    Memory,
}

impl Kind {
    /// The word for it in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Keychain => "keychain",
            Kind::File => "file",
            Kind::Memory => "memory",
        }
    }

    /// What a person should know of this kind before trusting it with a secret; shown next to it.
    #[must_use]
    pub fn note(self) -> &'static str {
        match self {
            Kind::Keychain if cfg!(target_os = "linux") => {
                "while the keyring is unlocked, every program of the same desktop session can read it"
            }
            Kind::Keychain => "kept by the system's own keychain",
            Kind::File => "as safe as its passphrase; the passphrase has to be given each time the engine starts",
            Kind::Memory => "kept in memory only; forgotten when the engine stops",
        }
    }
}

/// Secrets by name. Cheap to clone; clones are the same vault.
#[derive(Clone)]
pub struct Vault {
    backend: Arc<Backend>,
    /// One call at a time reaches the backend, so that one unanswered dialog does not collect waiting threads.
    turn: Arc<Semaphore>,
}

enum Backend {
    Keychain(keychain::Keychain),
    File(file::SealedFile),
    Memory(memory::Memory),
}

impl Vault {
    /// The keychain of this system. Entries carry the service name `reeve` and the profile, so profiles do not collide.
    /// Nothing is contacted yet: call [`Vault::probe`].
    ///
    /// # Errors
    /// When `profile` is empty, longer than 512 bytes or holds control characters; it may be a path.
    pub fn keychain(profile: &str) -> Result<Self, VaultError> {
        if !(1..=512).contains(&profile.len()) || profile.chars().any(char::is_control) {
            return Err(VaultError::Profile { given: profile.chars().filter(|c| !c.is_control()).take(64).collect() });
        }
        Ok(Self::over(Backend::Keychain(keychain::Keychain::new(profile))))
    }

    /// Secrets that live as long as the process.
    #[must_use]
    pub fn memory() -> Self {
        Self::over(Backend::Memory(memory::Memory::default()))
    }

    /// Starts a new encrypted file. It is an ordinary `age` file with a passphrase. Takes about a second, on purpose.
    ///
    /// # Errors
    /// When there is a file already, the passphrase is empty, or the file cannot be written.
    pub async fn create_file(path: &Path, passphrase: Secret) -> Result<Self, VaultError> {
        let path = path.to_owned();
        let file = on_a_thread(CALL_LIMIT, move || file::SealedFile::create(&path, passphrase)).await?;
        Ok(Self::over(Backend::File(file)))
    }

    /// Opens the encrypted file. A file that is not there is an error, never a new and empty vault.
    ///
    /// # Errors
    /// When the file is missing, damaged or not ours, or the passphrase is wrong.
    pub async fn open_file(path: &Path, passphrase: Secret) -> Result<Self, VaultError> {
        let path = path.to_owned();
        let file = on_a_thread(CALL_LIMIT, move || file::SealedFile::open(&path, passphrase)).await?;
        Ok(Self::over(Backend::File(file)))
    }

    fn over(backend: Backend) -> Self {
        Self { backend: Arc::new(backend), turn: Arc::new(Semaphore::new(1)) }
    }

    #[must_use]
    pub fn kind(&self) -> Kind {
        match *self.backend {
            Backend::Keychain(_) => Kind::Keychain,
            Backend::File(_) => Kind::File,
            Backend::Memory(_) => Kind::Memory,
        }
    }

    /// The secret of that name; `None` only when the vault is known to be readable and has no such secret.
    ///
    /// # Errors
    /// When the vault cannot be read, is locked, or does not answer within [`CALL_LIMIT`].
    pub async fn get(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        let name = check_name(name)?.to_owned();
        self.call(CALL_LIMIT, move |backend| backend.get(&name)).await
    }

    /// Stores or replaces a secret.
    ///
    /// # Errors
    /// When the secret is empty or the vault cannot be written; what was stored before is then still there.
    pub async fn set(&self, name: &str, secret: Secret) -> Result<(), VaultError> {
        let name = check_name(name)?.to_owned();
        if secret.is_empty() {
            return Err(VaultError::EmptySecret);
        }
        self.call(CALL_LIMIT, move |backend| backend.set(&name, &secret)).await
    }

    /// Removes a secret; one that is not there is removed already.
    ///
    /// # Errors
    /// When the vault cannot be written.
    pub async fn remove(&self, name: &str) -> Result<(), VaultError> {
        let name = check_name(name)?.to_owned();
        self.call(CALL_LIMIT, move |backend| backend.remove(&name)).await
    }

    /// Finds out by writing, reading and deleting whether the vault works. Answers within [`PROBE_LIMIT`].
    pub async fn probe(&self) -> Probe {
        match self.call(PROBE_LIMIT, |backend| Ok(probe::probe(backend))).await {
            Ok(probe) => probe,
            // The only thing a keychain waits for is a human in front of its dialog.
            Err(VaultError::TimedOut { .. }) => Probe::Locked,
            Err(error) => Probe::Failed(error.to_string()),
        }
    }

    async fn call<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&Backend) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, VaultError> {
        // Memory never blocks; going round a thread would only confuse tests that pause the clock.
        if let Backend::Memory(_) = *self.backend {
            return work(&self.backend);
        }
        let backend = Arc::clone(&self.backend);
        let turn = Arc::clone(&self.turn);
        let all = async move {
            let permit = turn.acquire_owned().await.map_err(|_| VaultError::Interrupted)?;
            on_a_thread(limit, move || {
                let done = work(&backend);
                drop(permit);
                done
            })
            .await
        };
        tokio::time::timeout(limit, all).await.unwrap_or(Err(VaultError::TimedOut { seconds: limit.as_secs() }))
    }
}

/// A plain thread instead of the runtime's blocking pool: a runtime waits for its pool when it shuts down, and the engine
/// must be able to stop while a dialog that nobody answers is open.
async fn on_a_thread<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    let (answer, waiting) = oneshot::channel();
    std::thread::Builder::new()
        .name("vault".to_owned())
        .spawn(move || {
            // Nobody may be waiting any more; the secret in the answer is wiped when it is dropped.
            let _ = answer.send(work());
        })
        .map_err(|source| VaultError::Thread { source })?;
    match tokio::time::timeout(limit, waiting).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(VaultError::Interrupted),
        Err(_) => Err(VaultError::TimedOut { seconds: limit.as_secs() }),
    }
}

impl Backend {
    fn get(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        match self {
            Backend::Keychain(keychain) => keychain.get(name),
            Backend::File(file) => Ok(file.get(name)),
            Backend::Memory(memory) => Ok(memory.get(name)),
        }
    }

    fn set(&self, name: &str, secret: &Secret) -> Result<(), VaultError> {
        match self {
            Backend::Keychain(keychain) => keychain.set(name, secret),
            Backend::File(file) => file.set(name, secret),
            Backend::Memory(memory) => {
                memory.set(name, secret);
                Ok(())
            }
        }
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        match self {
            Backend::Keychain(keychain) => keychain.remove(name),
            Backend::File(file) => file.remove(name),
            Backend::Memory(memory) => {
                memory.remove(name);
                Ok(())
            }
        }
    }
}

/// Names go into attributes of other programs' stores, so they are plain: letters, digits, `-`, `_` and `.`.
fn check_name(name: &str) -> Result<&str, VaultError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if (1..=128).contains(&name.len()) && name.bytes().all(plain) {
        Ok(name)
    } else {
        Err(VaultError::Name { given: name.chars().take(64).collect() })
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("kind", &self.kind()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_vault_in_memory_gives_back_what_it_was_given() {
        let vault = Vault::memory();
        assert_eq!(vault.probe().await, Probe::Ok);
        assert!(vault.get("github").await.unwrap().is_none());
        vault.set("github", Secret::from("one".to_owned())).await.unwrap();
        vault.set("github", Secret::from("two".to_owned())).await.unwrap();
        assert_eq!(vault.get("github").await.unwrap().unwrap().expose(), b"two");
        vault.remove("github").await.unwrap();
        vault.remove("github").await.unwrap();
        assert!(vault.get("github").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn names_that_are_not_plain_are_refused_before_any_store_sees_them() {
        let vault = Vault::memory();
        for name in ["", "a/b", "a b", "a\nb", "ä", &"x".repeat(129)] {
            let refused = vault.get(name).await;
            assert!(matches!(refused, Err(VaultError::Name { .. })), "{name:?}");
        }
        for profile in ["", "a\nb"] {
            assert!(matches!(Vault::keychain(profile), Err(VaultError::Profile { .. })), "{profile:?}");
        }
        assert!(Vault::keychain("/home/dana/reeve home").is_ok());
    }

    #[tokio::test]
    async fn an_empty_secret_is_refused() {
        let refused = Vault::memory().set("github", Secret::new(Vec::new())).await;
        assert!(matches!(refused, Err(VaultError::EmptySecret)));
    }

    #[tokio::test]
    async fn a_call_that_nobody_answers_ends_and_does_not_hold_the_runtime() {
        let begun = std::time::Instant::now();
        let waited = on_a_thread(Duration::from_millis(50), || {
            std::thread::sleep(Duration::from_secs(5));
            Ok(())
        })
        .await;
        assert!(matches!(waited, Err(VaultError::TimedOut { .. })));
        assert!(begun.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn debug_of_a_vault_shows_its_kind_and_nothing_else() {
        assert_eq!(format!("{:?}", Vault::memory()), "Vault { kind: Memory, .. }");
    }
}
