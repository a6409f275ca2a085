//! Proof that a human is there: what is critical is allowed, and protection loosened, only with what an agent driving the
//! screen cannot give: the system's own confirmation where it can ask, else a passphrase, of which only a hash is kept, in the
//! vault. Each try is recorded.

pub mod system;

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
use reeve_store::{Change as Write, Store};
use reeve_vault::Vault;

use crate::Engine;
use crate::error::EngineError;
use crate::loosening::Change;
use crate::presence::system::{Confirmation, System, SystemMethod};

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

/// Who wants something done, and what proves that they are there.
#[derive(Debug, Clone)]
pub struct Person {
    pub name: String,
    /// What their program says it is.
    pub surface: Surface,
    /// The passphrase, as they typed it, or what the system's confirmation was answered with.
    pub proof: Option<Secret>,
}

/// Owner of the passphrase's hash and of the count of wrong ones.
#[derive(Debug)]
pub struct Presence {
    vault: Vault,
    store: Store,
    clock: Arc<dyn Clock>,
    tries: Mutex<Tries>,
    /// Refused questions of the system: who makes it ask over and over waits too.
    asked: Mutex<Tries>,
    system: System,
    /// Held while it is set: what is taken back is one's own.
    setting: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Tries {
    wrong: u32,
    /// Monotonic: a wrong clock gives no tries.
    not_before: Duration,
}

impl Tries {
    /// Counts one as wrong, before it is known: parallel guesses are guesses too.
    ///
    /// # Errors
    /// Seconds to wait.
    fn count(&mut self, now: Duration) -> Result<(), u64> {
        if now < self.not_before {
            return Err((self.not_before - now).as_secs().max(1));
        }
        self.wrong = self.wrong.saturating_add(1);
        if let Some(over) = self.wrong.checked_sub(FREE_TRIES) {
            let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(over.min(16)));
            self.not_before = now + wait.min(LONGEST_WAIT);
        }
        Ok(())
    }
}

impl Presence {
    #[must_use]
    pub fn new(vault: Vault, store: Store, clock: Arc<dyn Clock>, system: Option<Arc<dyn SystemMethod>>) -> Self {
        let (tries, asked) = Default::default();
        let system = System::new(system, Arc::clone(&clock));
        Self { vault, store, clock, tries, asked, system, setting: tokio::sync::Mutex::default() }
    }

    /// The system's method: its name, and why it cannot ask, where it cannot. `None`: there is none here.
    pub async fn system(&self) -> Option<(&'static str, Result<(), String>)> {
        self.system.state().await
    }

    /// Whether the system asks instead of Reeve.
    pub async fn asks_by_system(&self) -> bool {
        self.system.asks().await
    }

    /// Lets the system ask the human at this process, and gives what proves it to the next demand within a minute.
    ///
    /// # Errors
    /// `Unconfirmed` when they did not confirm it, `Refused` when the system has nobody to ask (the passphrase is asked for
    /// then), or when it was asked in vain too often a moment ago, or it cannot be recorded.
    pub async fn confirm(&self, process: Option<u32>, person: &Person) -> Result<Secret, EngineError> {
        let process = process.ok_or_else(|| EngineError::Refused("nobody knows which process asks".to_owned()))?;
        let counted = self.asked.lock().count(self.clock.monotonic());
        counted.map_err(|seconds| {
            EngineError::Unconfirmed(format!("the system asked in vain too often: wait {seconds} s"))
        })?;
        let asked = self.system.ask(process, person.surface).await;
        if !matches!(asked, Err(Confirmation::Refused(_))) {
            *self.asked.lock() = Tries::default();
        }
        match asked {
            Ok(proof) => Ok(proof),
            Err(Confirmation::Refused(why)) => {
                self.record("what the system asked about", person, false).await?;
                Err(EngineError::Unconfirmed(why))
            }
            Err(Confirmation::Nobody(why)) => Err(EngineError::Refused(format!("the system cannot ask here: {why}"))),
            Err(Confirmation::Given) => Err(EngineError::Refused("a confirmation without its proof".to_owned())),
        }
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

    /// Sets the passphrase; one that is set already must be the person's proof.
    ///
    /// # Errors
    /// When it is too short, the old one is wrong, or it cannot be kept or recorded; then nothing changed.
    pub async fn set(&self, new: Secret, person: &Person) -> Result<(), EngineError> {
        let _one_at_a_time = self.setting.lock().await;
        let before = self.vault.get(HASH).await?;
        // Where the system asks, a first passphrase is not a way around it.
        if before.is_some() {
            self.demand("changing your passphrase", person).await?;
        } else if self.asks_by_system().await {
            self.demand("choosing a passphrase", person).await?;
        }
        if String::from_utf8_lossy(new.expose()).chars().count() < SHORTEST {
            return Err(EngineError::Refused(format!("the passphrase needs at least {SHORTEST} characters")));
        }
        let hash = blocking(move || {
            let salt = rand::random::<[u8; 16]>();
            Argon2::default().hash_password_with_salt(new.expose(), &salt).map(|hash| hash.to_string())
        });
        self.vault.set(HASH, Secret::from(hash.await?)).await?;
        let what = format!("the passphrase was set by {} ({})", person.name, person.surface.as_str());
        let event = EventBody::ModeChanged { what };
        let recorded = self.store.append(vec![Draft::engine(event)]).await;
        if recorded.is_err() {
            let back = match before {
                Some(hash) => self.vault.set(HASH, hash).await,
                None => self.vault.remove(HASH).await,
            };
            if let Err(error) = back {
                tracing::error!(%error, "a passphrase was not recorded, and stays set");
            }
        }
        Ok(recorded.map(|_| ())?)
    }

    /// Demands proof for what is high too, or no more; the latter needs the passphrase.
    ///
    /// # Errors
    /// When the passphrase is wrong or missing, or it cannot be recorded.
    pub async fn demand_for_high(&self, on: bool, person: &Person) -> Result<(), EngineError> {
        if !on && self.also_high().await? {
            self.demand("asking for it less often", person).await?;
        }
        let what = if on { "high actions need the passphrase" } else { "high actions need no passphrase" };
        let change = Write::Setting { key: ALSO_HIGH.to_owned(), value: on.to_string() };
        let event = EventBody::ModeChanged { what: what.to_owned() };
        self.store.append_with(vec![change], vec![Draft::engine(event)]).await?;
        Ok(())
    }

    /// Fails unless the person proves to be there; what was typed is recorded as right or wrong.
    ///
    /// # Errors
    /// When it is missing, not the passphrase, none is set, too many were wrong a moment ago, or it cannot be recorded.
    pub async fn demand(&self, what: &str, person: &Person) -> Result<(), EngineError> {
        let Some(given) = person.proof.clone() else {
            if self.asks_by_system().await {
                return Err(wrong(&format!("{what} needs your confirmation")));
            }
            let first = if self.is_set().await? { "" } else { ", and none is set yet" };
            return Err(wrong(&format!("{what} needs your passphrase{first}")));
        };
        if self.system.takes(&given, person.surface) {
            return self.record(&format!("{what}, confirmed where the system asked"), person, true).await;
        }
        let passed = self.matches(given).await?;
        self.record(what, person, passed).await?;
        if passed { Ok(()) } else { Err(wrong("this is not the passphrase")) }
    }

    async fn record(&self, what: &str, person: &Person, passed: bool) -> Result<(), EngineError> {
        let (what, by, surface) = (what.to_owned(), person.name.clone(), person.surface);
        self.store.append(vec![Draft::engine(EventBody::PresenceChecked { what, by, surface, passed })]).await?;
        Ok(())
    }

    /// Whether it is the passphrase.
    async fn matches(&self, given: Secret) -> Result<bool, EngineError> {
        let Some(hash) = self.vault.get(HASH).await? else {
            return Err(wrong("no passphrase is set yet"));
        };
        let counted = self.tries.lock().count(self.clock.monotonic());
        counted.map_err(|seconds| wrong(&format!("too many wrong passphrases: wait {seconds} s")))?;
        let matches = blocking(move || {
            let text = String::from_utf8_lossy(hash.expose()).into_owned();
            let parsed = PasswordHash::new(&text).map_err(|_| argon2::password_hash::Error::EncodingInvalid)?;
            Ok(Argon2::default().verify_password(given.expose(), &parsed).is_ok())
        })
        .await?;
        if matches {
            *self.tries.lock() = Tries::default();
        }
        Ok(matches)
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
    /// Records and does not enforce for so long (`None`: until resumed). More than an hour needs the passphrase.
    ///
    /// # Errors
    /// When the passphrase is wrong or missing, or it cannot be recorded; then nothing changed.
    pub async fn pause(&self, time: Option<chrono::Duration>, person: &Person) -> Result<(), EngineError> {
        self.proven("pausing for longer than an hour", Change::Pause(time).weight(), person).await?;
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

    /// Fails unless a human is proven where something of this weight demands it (`None`: it never does). The demo's stand-in
    /// has no passphrase.
    pub(crate) async fn proven(&self, what: &str, weight: Option<Risk>, person: &Person) -> Result<(), EngineError> {
        self.admits(person.surface)?;
        let Some(weight) = weight.filter(|_| person.surface != Surface::Demo) else { return Ok(()) };
        if self.presence().needed_for(weight).await? { self.presence().demand(what, person).await } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use reeve_domain::clock::ManualClock;
    use reeve_store::StoreOptions;

    use super::*;

    struct Place {
        presence: Presence,
        store: Store,
    }

    fn place() -> Place {
        let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
        let options = StoreOptions { clock: clock.clone(), seal_key: None, mirror: None };
        let store = Store::open_in_memory(options).unwrap();
        Place { presence: Presence::new(Vault::memory(), store.clone(), clock, None), store }
    }

    fn dana(proof: Option<Secret>) -> Person {
        Person { name: "dana".to_owned(), surface: Surface::MainWindow, proof }
    }

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    #[tokio::test]
    async fn a_passphrase_that_cannot_be_recorded_is_not_set_and_the_one_before_stays() {
        let Place { presence, store } = place();
        // Until there is no room for even less than what is to be recorded.
        let fill = || Draft::engine(EventBody::ModeChanged { what: String::new() });
        let full = async || {
            store.limit_pages(1).await.unwrap();
            while store.append(vec![fill()]).await.is_ok() {}
        };
        full().await;
        assert!(presence.set(secret("correct horse"), &dana(None)).await.is_err());
        assert!(!presence.is_set().await.unwrap());
        store.limit_pages(100_000).await.unwrap();
        presence.set(secret("correct horse"), &dana(None)).await.unwrap();
        full().await;
        assert!(presence.set(secret("battery staple"), &dana(Some(secret("correct horse")))).await.is_err());
        assert!(presence.matches(secret("correct horse")).await.unwrap());
        assert!(!presence.matches(secret("battery staple")).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_tried_before_a_passphrase_is_set_is_no_wrong_one() {
        let Place { presence, .. } = place();
        for _ in 0..2 * FREE_TRIES {
            let refused = presence.matches(secret("anything")).await.unwrap_err();
            assert!(refused.to_string().contains("no passphrase is set"), "{refused}");
        }
        presence.set(secret("correct horse"), &dana(None)).await.unwrap();
        assert!(presence.matches(secret("correct horse")).await.unwrap());
    }
}
