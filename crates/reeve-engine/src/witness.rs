//! The head of the chain in the keychain too: whoever rewrites the database and the file beside it has a third place
//! to rewrite, which other tools guard. Written again and again while there is something new, compared by every verification.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use reeve_domain::chain::{Finding, Problem, Seal, Verification, read_mirror};
use reeve_domain::sensitive::Secret;
use reeve_store::{Change, Store};
use reeve_vault::{Kind, Vault};
use tokio_util::sync::CancellationToken;

use crate::error::EngineError;

/// Name of the entry in the vault.
const ENTRY: &str = "chain-head";
/// Set once a head was written, so that one that is missing later is known to have been there.
const SETTING: &str = "witnessed";

/// How far the keychain's copy may lag behind. Sealing the encrypted file anew takes a second of work.
fn spacing(kind: Kind) -> Duration {
    match kind {
        Kind::Keychain | Kind::Memory => Duration::from_secs(10),
        Kind::File => Duration::from_secs(600),
    }
}

/// What the vault says of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Testimony {
    /// A head was kept up to this event; whether the record still agrees is the verification's word.
    Head { seq: u64 },
    /// None was ever kept: the record is younger than the first writing.
    None,
    /// One was kept and is gone, or is not a head any more.
    Missing,
    /// The vault does not answer; the record is held to the other places alone.
    Unreachable { why: String },
}

/// A verification, and what the vault contributed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub verification: Verification,
    pub testimony: Testimony,
}

/// Keeper of the copy in the vault.
#[derive(Debug)]
pub struct Witness {
    store: Store,
    vault: Vault,
    /// The last head that this engine wrote or found in agreement; `None` before the first look.
    agreed: Mutex<Option<u64>>,
    /// Held while the record is verified: one at a time.
    verifying: tokio::sync::Mutex<()>,
}

impl Witness {
    #[must_use]
    pub fn new(store: Store, vault: Vault) -> Self {
        Self { store, vault, agreed: Mutex::default(), verifying: tokio::sync::Mutex::default() }
    }

    /// Copies each seal that is the newest when its turn comes, until the engine stops.
    pub async fn keep(self: Arc<Self>, stopping: CancellationToken) {
        let mut seals = self.store.latest_seal();
        let mut failing = false;
        loop {
            let newest = seals.borrow_and_update().clone();
            if let Some(seal) = newest {
                let kept = self.write(&seal).await;
                // Said once, not each time.
                match (&kept, failing) {
                    (Err(error), false) => tracing::warn!(%error, "the keychain does not hold the record's head"),
                    (Ok(()), true) => tracing::info!("the keychain holds the record's head again"),
                    _ => {}
                }
                failing = kept.is_err();
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(spacing(self.vault.kind())) => {}
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                changed = seals.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Copies the newest seal now.
    ///
    /// # Errors
    /// As [`Witness::write`].
    pub async fn write_newest(&self) -> Result<(), EngineError> {
        let newest = self.store.latest_seal().borrow().clone();
        match newest {
            Some(seal) => self.write(&seal).await,
            None => Ok(()),
        }
    }

    /// A head that disagrees with the record is evidence and is never written over.
    async fn write(&self, seal: &Seal) -> Result<(), EngineError> {
        let agreed = *self.agreed.lock();
        if agreed.is_some_and(|seq| seq >= seal.seq) {
            return Ok(());
        }
        if agreed.is_none()
            && let Some(before) = self.read().await?
            && !self.stands(&before).await?
        {
            return Err(EngineError::Refused(format!(
                "the head that the keychain holds, of record #{}, is not in the record",
                before.seq
            )));
        }
        self.vault.set(ENTRY, Secret::from(seal.line())).await?;
        if agreed.is_none() && self.store.setting(SETTING).await?.is_none() {
            let change = Change::Setting { key: SETTING.to_owned(), value: seal.seq.to_string() };
            self.store.append_with(vec![change], Vec::new()).await?;
        }
        *self.agreed.lock() = Some(seal.seq);
        Ok(())
    }

    /// Whether a head is in the record, or in the part that Reeve removed from it.
    async fn stands(&self, head: &Seal) -> Result<bool, EngineError> {
        if let Some(hash) = self.store.hash_at(head.seq).await? {
            return Ok(hash == head.head);
        }
        let removal = self.store.removal().await?.map(|(_, removal)| removal);
        Ok(removal.is_some_and(|gone| head.seq < gone.last || (head.seq == gone.last && head.head == gone.head)))
    }

    /// The record was wiped: what the vault holds of the one before is replaced by the next head.
    pub(crate) fn begin_anew(&self) {
        *self.agreed.lock() = None;
    }

    /// The head that the vault holds; `None`: none, or it does not answer.
    pub(crate) async fn kept(&self) -> Option<Seal> {
        self.read().await.ok().flatten()
    }

    /// What the vault holds; `None`: nothing, or nothing that is a head.
    async fn read(&self) -> Result<Option<Seal>, EngineError> {
        let Some(kept) = self.vault.get(ENTRY).await? else { return Ok(None) };
        let text = String::from_utf8_lossy(kept.expose()).into_owned();
        Ok(read_mirror(&text).0.into_iter().next())
    }

    /// Proves the record against its seals in every place, the vault among them. One at a time; others wait.
    ///
    /// # Errors
    /// When database or mirror cannot be read. A vault that does not answer is part of what is said.
    pub async fn verify(&self) -> Result<Verified, EngineError> {
        let _one = self.verifying.lock().await;
        self.prove().await
    }

    /// The same for who must not keep others waiting; `None` while a verification is under way.
    ///
    /// # Errors
    /// As [`Witness::verify`].
    pub async fn verify_unless_busy(&self) -> Result<Option<Verified>, EngineError> {
        let Ok(_one) = self.verifying.try_lock() else { return Ok(None) };
        self.prove().await.map(Some)
    }

    async fn prove(&self) -> Result<Verified, EngineError> {
        let (seals, testimony) = match self.read().await {
            Ok(Some(seal)) => {
                let testimony = Testimony::Head { seq: seal.seq };
                (vec![seal], testimony)
            }
            Ok(None) if self.store.setting(SETTING).await?.is_none() => (Vec::new(), Testimony::None),
            Ok(None) => (Vec::new(), Testimony::Missing),
            Err(EngineError::Vault(error)) => (Vec::new(), Testimony::Unreachable { why: error.to_string() }),
            Err(other) => return Err(other),
        };
        let mut verification = self.store.verify_with(seals).await?;
        if testimony == Testimony::Missing && verification.ok {
            verification.ok = false;
            let seq = verification.sealed_to;
            verification.first_bad = Some(Finding { seq, problem: Problem::NoWitness });
        }
        Ok(Verified { verification, testimony })
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use ed25519_dalek::SigningKey;
    use reeve_domain::clock::ManualClock;
    use reeve_domain::event::{Draft, EventBody};
    use reeve_domain::operation::Digest;
    use reeve_store::StoreOptions;

    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    async fn store(events: u64) -> Store {
        let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
        let store = Store::open_in_memory(StoreOptions { clock, seal_key: Some(key()), mirror: None }).unwrap();
        for number in 0..events {
            let event = EventBody::EngineStopped { why: format!("test {number}") };
            store.append(vec![Draft::engine(event)]).await.unwrap();
        }
        let mut seal = store.latest_seal();
        seal.wait_for(|seal| seal.as_ref().is_some_and(|seal| seal.seq == events)).await.unwrap();
        store
    }

    #[tokio::test]
    async fn a_record_that_is_shorter_than_the_keychains_head_is_named_and_the_head_is_kept() {
        let vault = Vault::memory();
        let witness = Witness::new(store(5).await, vault.clone());
        assert_eq!(witness.verify().await.unwrap().testimony, Testimony::None);
        witness.write_newest().await.unwrap();
        let verified = witness.verify().await.unwrap();
        assert!(verified.verification.ok, "{verified:?}");
        assert_eq!(verified.testimony, Testimony::Head { seq: 5 });
        // Another record under the same key: what its owner left of the first one.
        let cut = Witness::new(store(3).await, vault.clone());
        assert!(cut.write_newest().await.is_err());
        let verified = cut.verify().await.unwrap();
        assert!(!verified.verification.ok, "{verified:?}");
        assert_eq!(verified.testimony, Testimony::Head { seq: 5 });
        let problem = verified.verification.first_bad.unwrap().problem;
        assert!(matches!(problem, Problem::CutTail { sealed: 5, .. }), "{problem:?}");
    }

    #[tokio::test]
    async fn a_record_older_than_the_keychains_head_is_mended_by_a_wipe() {
        let vault = Vault::memory();
        Witness::new(store(8).await, vault.clone()).write_newest().await.unwrap();
        let older = Witness::new(store(3).await, vault);
        let found = older.verify().await.unwrap().verification.first_bad.unwrap().to_string();
        let head = older.kept().await;
        let event = older.store.wipe("dana".to_owned(), Some(found), head).await.unwrap();
        older.begin_anew();
        assert_eq!(event.seq, 10);
        let mut seal = older.store.latest_seal();
        seal.wait_for(|seal| seal.as_ref().is_some_and(|seal| seal.seq == event.seq)).await.unwrap();
        older.write_newest().await.unwrap();
        let verified = older.verify().await.unwrap();
        assert!(verified.verification.ok, "{verified:?}");
        assert_eq!(verified.testimony, Testimony::Head { seq: 10 });
    }

    #[tokio::test]
    async fn who_must_not_keep_others_waiting_is_turned_away_while_a_verification_is_under_way() {
        let witness = Witness::new(store(2).await, Vault::memory());
        let one = witness.verifying.lock().await;
        assert_eq!(witness.verify_unless_busy().await.unwrap(), None);
        drop(one);
        assert!(witness.verify_unless_busy().await.unwrap().unwrap().verification.ok);
    }

    #[tokio::test]
    async fn a_head_that_disagrees_or_is_gone_is_named() {
        let vault = Vault::memory();
        let witness = Witness::new(store(4).await, vault.clone());
        witness.write_newest().await.unwrap();
        let other = Seal::sign(&key(), 2, Digest::of(b"another record"), DateTime::UNIX_EPOCH);
        vault.set(ENTRY, Secret::from(other.line())).await.unwrap();
        assert!(!witness.verify().await.unwrap().verification.ok);
        vault.remove(ENTRY).await.unwrap();
        let verified = witness.verify().await.unwrap();
        assert_eq!(verified.testimony, Testimony::Missing);
        assert!(matches!(verified.verification.first_bad.unwrap().problem, Problem::NoWitness));
    }
}
