//! Proof that a human is there: what is critical is allowed only with the passphrase that an agent driving the screen does
//! not know. Only its hash is kept, in the vault.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use parking_lot::Mutex;
use reeve_domain::approval::Surface;
use reeve_domain::clock::Clock;
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::sensitive::Secret;
use reeve_domain::verdict::Risk;
use reeve_store::{Change, Store};
use reeve_vault::Vault;

use crate::Engine;
use crate::error::EngineError;

/// Name in the vault.
const HASH: &str = "presence";
/// Setting: also what is high needs proof.
const ALSO_HIGH: &str = "presence.high";
/// Fewest characters: guessed at this rate, that is many years.
const SHORTEST: usize = 8;
/// Wrong ones before waiting begins.
const FREE_TRIES: u32 = 3;
/// First wait, doubled with each further wrong one.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(900);

/// A longer pause needs proof, where a passphrase is set.
const SHORT_PAUSE: chrono::Duration = chrono::Duration::hours(1);

/// Owner of the passphrase's hash and of the count of wrong ones.
#[derive(Debug)]
pub struct Presence {
    vault: Vault,
    store: Store,
    clock: Arc<dyn Clock>,
    tries: Mutex<Tries>,
}

#[derive(Debug, Default)]
struct Tries {
    wrong: u32,
    /// Monotonic: a wrong clock gives no tries.
    not_before: Duration,
}

impl Presence {
    #[must_use]
    pub fn new(vault: Vault, store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { vault, store, clock, tries: Mutex::default() }
    }

    /// # Errors
    /// When the vault cannot be reached.
    pub async fn is_set(&self) -> Result<bool, EngineError> {
        Ok(self.vault.get(HASH).await?.is_some())
    }

    /// Whether what is high needs proof too.
    ///
    /// # Errors
    /// When the settings cannot be read.
    pub async fn also_high(&self) -> Result<bool, EngineError> {
        Ok(self.store.setting(ALSO_HIGH).await?.as_deref() == Some("true"))
    }

    /// # Errors
    /// When it cannot be read.
    pub async fn needed_for(&self, risk: Risk) -> Result<bool, EngineError> {
        Ok(match risk {
            Risk::Critical => true,
            Risk::High => self.also_high().await?,
            Risk::Medium | Risk::Low => false,
        })
    }

    /// Sets the passphrase; one that is set already must be given.
    ///
    /// # Errors
    /// When it is too short, the old one is wrong, or the vault cannot be written.
    pub async fn set(&self, new: Secret, old: Option<Secret>) -> Result<(), EngineError> {
        if self.is_set().await? {
            let Some(old) = old else { return Err(wrong("the present passphrase is needed to change it")) };
            self.check(old).await?;
        }
        if String::from_utf8_lossy(new.expose()).chars().count() < SHORTEST {
            return Err(EngineError::Refused(format!("the passphrase needs at least {SHORTEST} characters")));
        }
        let hash = blocking(move || {
            let salt = rand::random::<[u8; 16]>();
            Argon2::default().hash_password_with_salt(new.expose(), &salt).map(|hash| hash.to_string())
        });
        self.vault.set(HASH, Secret::from(hash.await?)).await?;
        let event = EventBody::ModeChanged { what: "the passphrase for critical actions was set".to_owned() };
        self.store.append(vec![Draft::engine(event)]).await?;
        Ok(())
    }

    /// Demands proof for what is high too, or no more; the latter needs the passphrase.
    ///
    /// # Errors
    /// When the passphrase is wrong or missing, or it cannot be recorded.
    pub async fn demand_for_high(&self, on: bool, proof: Option<Secret>) -> Result<(), EngineError> {
        if !on && self.also_high().await? {
            let Some(proof) = proof else { return Err(wrong("the passphrase is needed to ask for it less often")) };
            self.check(proof).await?;
        }
        let what = if on { "high actions need the passphrase" } else { "high actions need no passphrase" };
        let change = Change::Setting { key: ALSO_HIGH.to_owned(), value: on.to_string() };
        let event = EventBody::ModeChanged { what: what.to_owned() };
        self.store.append_with(vec![change], vec![Draft::engine(event)]).await?;
        Ok(())
    }

    /// # Errors
    /// When it is not the passphrase, none is set, or too many were wrong a moment ago.
    pub async fn check(&self, given: Secret) -> Result<(), EngineError> {
        let now = self.clock.monotonic();
        {
            // Counted before it is checked: parallel guesses are guesses too.
            let mut tries = self.tries.lock();
            if now < tries.not_before {
                let seconds = (tries.not_before - now).as_secs().max(1);
                return Err(wrong(&format!("too many wrong passphrases: wait {seconds} s")));
            }
            tries.wrong = tries.wrong.saturating_add(1);
            if let Some(over) = tries.wrong.checked_sub(FREE_TRIES) {
                let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(over.min(16)));
                tries.not_before = now + wait.min(LONGEST_WAIT);
            }
        }
        let Some(hash) = self.vault.get(HASH).await? else {
            return Err(wrong("no passphrase is set yet"));
        };
        let matches = blocking(move || {
            let text = String::from_utf8_lossy(hash.expose()).into_owned();
            let parsed = PasswordHash::new(&text).map_err(|_| argon2::password_hash::Error::EncodingInvalid)?;
            Ok(Argon2::default().verify_password(given.expose(), &parsed).is_ok())
        });
        if !matches.await? {
            return Err(wrong("this is not the passphrase"));
        }
        *self.tries.lock() = Tries::default();
        Ok(())
    }
}

fn wrong(why: &str) -> EngineError {
    EngineError::Presence(why.to_owned())
}

/// Hashing takes tens of milliseconds by design.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, argon2::password_hash::Error> + Send + 'static,
) -> Result<T, EngineError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| EngineError::Refused(error.to_string()))?;
    done.map_err(|error| EngineError::Refused(format!("the passphrase cannot be checked: {error}")))
}

impl Engine {
    /// Records and does not enforce for so long (`None`: until resumed). More than an hour needs the passphrase, where one
    /// is set.
    ///
    /// # Errors
    /// When the passphrase is wrong or missing, or it cannot be recorded; then nothing changed.
    pub async fn pause(&self, time: Option<chrono::Duration>, proof: Option<Secret>) -> Result<(), EngineError> {
        let long = time.is_none_or(|time| time > SHORT_PAUSE);
        if long && self.presence().is_set().await? {
            let Some(proof) = proof else { return Err(wrong("pausing for longer than an hour needs your passphrase")) };
            self.presence().check(proof).await?;
        }
        self.protection().pause(time.map(|time| self.now() + time)).await
    }

    /// Fails where a caller says to be what it cannot be: the surface is each caller's own word.
    pub(crate) fn admits(&self, surface: Surface) -> Result<(), EngineError> {
        match surface {
            Surface::Demo if !self.is_demo() => {
                Err(EngineError::Refused("only the demo profile lets the demo decide".to_owned()))
            }
            Surface::Engine => Err(EngineError::Refused("nobody answers in the engine's own name".to_owned())),
            Surface::MainWindow | Surface::Tray | Surface::Cli | Surface::Demo => Ok(()),
        }
    }

    /// Fails unless a human is proven where this risk demands it. The demo's stand-in has no passphrase.
    pub(crate) async fn proven(&self, risk: Risk, surface: Surface, proof: Option<Secret>) -> Result<(), EngineError> {
        self.admits(surface)?;
        if surface == Surface::Demo || !self.presence().needed_for(risk).await? {
            return Ok(());
        }
        match proof {
            Some(proof) => self.presence().check(proof).await,
            None => Err(wrong("allowing this needs your passphrase")),
        }
    }
}
