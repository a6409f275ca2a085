//! How long the record is kept: what is older, or more than it may weigh, goes in idle time, step by step. And wiping it, by a
//! person's hand.

mod wish;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::{DateTime, NaiveTime, Utc};
use parking_lot::Mutex;
use reeve_domain::clock::Clock;
use reeve_domain::event::{Draft, Event, EventBody};
use reeve_store::{Keep, Removable, Store, StoreError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::error::EngineError;
use crate::loosening::Change;
use crate::presence::Person;
use crate::retention::wish::Wish;
use crate::settings::{Retention, SettingsEdit};
use crate::witness::Witness;

/// How often it is looked for what may go. At the start only what was begun before goes on: a clock that is not set yet, or
/// a file that was just changed, has this long to be noticed.
const EVERY: Duration = Duration::from_secs(3600);
/// Records that go in one step, and pages of the file given back in one: a few milliseconds of the writer each.
const STEP: u64 = 200;
const PAGES: u32 = 64;
/// Least rest between two steps; a step that took long is followed by a longer one.
const REST: Duration = Duration::from_millis(20);
const RESTS_PER_STEP: u32 = 3;

/// Owner of what is kept.
#[derive(Debug)]
pub struct Keeper {
    store: Store,
    witness: Arc<Witness>,
    clock: Arc<dyn Clock>,
    wish: ArcSwap<Wish>,
    changed: Notify,
    /// Why nothing is removed that should be.
    problem: Mutex<Option<String>>,
    /// Held while something is removed or wiped, or it is looked for what may be.
    tidying: tokio::sync::Mutex<()>,
    /// Records are going right now.
    going: AtomicBool,
}

impl Keeper {
    /// What `config.toml` wants is in force, but for a day's notice where it was changed while no engine ran.
    ///
    /// # Errors
    /// When it can be neither read what was wanted before, nor recorded that it changed.
    pub async fn load(
        store: Store,
        witness: Arc<Witness>,
        clock: Arc<dyn Clock>,
        wanted: Retention,
    ) -> Result<Self, EngineError> {
        let wish = wish::load(&store, wanted, clock.now()).await?;
        Ok(Self {
            store,
            witness,
            clock,
            wish: ArcSwap::from_pointee(wish),
            changed: Notify::new(),
            problem: Mutex::default(),
            tidying: tokio::sync::Mutex::default(),
            going: AtomicBool::new(false),
        })
    }

    /// What the person wants.
    #[must_use]
    pub fn wanted(&self) -> Retention {
        self.wish.load().wanted
    }

    /// What counts now.
    #[must_use]
    pub fn in_force(&self) -> Retention {
        self.wish.load().in_force(self.clock.now())
    }

    /// Why something is still there that should have gone.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let waits = || {
            let until = self.wish.load().until(self.clock.now())?;
            let until = until.format("%Y-%m-%d %H:%M UTC");
            Some(format!("`config.toml` was changed while no engine ran: what it takes away goes from {until} on"))
        };
        self.problem.lock().clone().or_else(waits)
    }

    /// Whether records are going right now.
    #[must_use]
    pub fn is_removing(&self) -> bool {
        self.going.load(Ordering::Relaxed)
    }

    /// What would go under other wishes; `None`: nothing.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn weigh(&self, wanted: Retention) -> Result<Option<Removable>, EngineError> {
        Ok(self.store.removable(keep(wanted, self.clock.now())).await?)
    }

    fn want(&self, wish: Wish) {
        self.wish.store(Arc::new(wish));
        self.changed.notify_one();
    }

    /// Removes what may go, each hour and when the wishes change, until the engine stops.
    pub async fn keep(self: Arc<Self>, stopping: CancellationToken) {
        let mut begin = false;
        loop {
            let done = if begin { self.tidy(&stopping).await } else { self.go_on(&stopping).await };
            begin = true;
            let problem = done.err().map(|error| error.to_string());
            if let Some(problem) = &problem
                && self.problem().as_ref() != Some(problem)
            {
                tracing::warn!(%problem, "what is older than the record is kept stays");
            }
            *self.problem.lock() = problem;
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
                () = self.changed.notified() => {}
            }
        }
    }

    /// What a stop left over.
    async fn go_on(&self, stopping: &CancellationToken) -> Result<(), EngineError> {
        let _one = self.tidying.lock().await;
        self.remove_all(stopping).await
    }

    /// Removes what may go by the wishes in force.
    ///
    /// # Errors
    /// When the record does not verify: what may be needed to find out why stays. Or it cannot be read or written; what is
    /// left goes another time.
    pub async fn tidy(&self, stopping: &CancellationToken) -> Result<(), EngineError> {
        let _one = self.tidying.lock().await;
        // What a stop left over, before anything new.
        self.remove_all(stopping).await?;
        if let Some(going) = self.weigh(self.in_force()).await? {
            if let Some(found) = self.witness.verify().await?.verification.first_bad {
                return Err(EngineError::Refused(format!(
                    "nothing is removed while the record does not verify: {found}"
                )));
            }
            match self.store.begin_removal(going.last, going.cause).await {
                Ok(_) => {
                    self.going.store(true, Ordering::Relaxed);
                    self.remove_all(stopping).await?;
                }
                // Something began meanwhile that needs it.
                Err(StoreError::Underway) => {}
                Err(error) => return Err(error.into()),
            }
        }
        while !stopping.is_cancelled() && rested(self.store.shrink(PAGES)).await? {}
        Ok(())
    }

    async fn remove_all(&self, stopping: &CancellationToken) -> Result<(), EngineError> {
        let mut done = Ok(true);
        while !stopping.is_cancelled() && matches!(done, Ok(true)) {
            done = rested(self.store.remove_some(STEP)).await;
            self.going.store(matches!(done, Ok(true)), Ordering::Relaxed);
        }
        self.going.store(false, Ordering::Relaxed);
        Ok(done.map(|_| ())?)
    }
}

/// Does a step, and rests when there is more to do, so that who waits for the writer waits for one step at most.
async fn rested(step: impl Future<Output = Result<bool, StoreError>>) -> Result<bool, StoreError> {
    let begun = std::time::Instant::now();
    let more = step.await?;
    if more {
        tokio::time::sleep(REST.max(begun.elapsed().saturating_mul(RESTS_PER_STEP))).await;
    }
    Ok(more)
}

/// Whole days, so that there is at most one removal by age a day.
fn keep(wanted: Retention, now: DateTime<Utc>) -> Keep {
    let since = chrono::Days::new(u64::from(wanted.days));
    let since = now.checked_sub_days(since).map(|at| at.date_naive().and_time(NaiveTime::MIN).and_utc());
    Keep {
        since: since.filter(|_| wanted.days > 0),
        bytes: (wanted.megabytes > 0).then(|| u64::from(wanted.megabytes) * 1_000_000),
    }
}

impl Engine {
    /// Changes in `config.toml` how long the record is kept: written, recorded, then in force. Keeping less weighs as much as
    /// an action of high risk.
    ///
    /// # Errors
    /// When the file does not load as it is or with the change, a human is to be proven first, or it cannot be written or
    /// recorded. Then nothing changed.
    pub async fn set_retention(&self, file: &Path, wanted: Retention, person: &Person) -> Result<(), EngineError> {
        let edit = SettingsEdit { retention: Some(wanted), ..SettingsEdit::default() };
        edit.prepare(file)?;
        let weight = Change::Keep { before: self.0.keeper.in_force(), after: wanted }.weight();
        self.proven("keeping less of the record", weight, person).await?;
        let wish = Wish::of(wanted);
        let kept = wish.kept()?;
        let written = edit.prepare(file)?;
        written.write()?;
        let what = format!("the record is kept {} (by {})", wanted.words(), person.name);
        if let Err(error) =
            self.0.store.append_with(vec![kept], vec![Draft::engine(EventBody::ModeChanged { what })]).await
        {
            if let Err(stays) = written.take_back() {
                tracing::error!(error = %stays, "a change of the settings was not recorded, and stays in the file");
            }
            return Err(error.into());
        }
        self.0.keeper.want(wish);
        Ok(())
    }

    /// Takes away everything that was recorded, and where the person wants so the credentials first. What is left is one
    /// record that says so. Weighs as much as an action of high risk.
    ///
    /// # Errors
    /// When a session runs or an action is under way, a human is to be proven first, a credential cannot be removed, or it
    /// cannot be recorded. Then the record is as it was, and where credentials are gone already the error says so.
    pub async fn wipe(&self, credentials: bool, person: &Person) -> Result<Event, EngineError> {
        self.nothing_runs()?;
        self.proven("wiping the record", Change::Wipe.weight(), person).await?;
        let keeper = &self.0.keeper;
        let _one = keeper.tidying.lock().await;
        self.0.owed.pay_now().await?;
        let problem = match self.0.witness.verify().await {
            Ok(found) => found.verification.first_bad.map(|bad| bad.to_string()),
            // What cannot be read any more can be wiped all the same.
            Err(error) => Some(error.to_string()),
        };
        let witnessed = self.0.witness.kept().await;
        // Somebody may have begun something meanwhile.
        self.nothing_runs()?;
        let removed = if credentials { self.remove_credentials().await? } else { 0 };
        let event = match self.0.store.wipe(person.name.clone(), problem, witnessed).await {
            Ok(event) => event,
            Err(error) if removed > 0 => return Err(half_done(removed, &error)),
            Err(StoreError::Underway) => return Err(EngineError::Refused(StoreError::Underway.to_string())),
            Err(error) => return Err(error.into()),
        };
        self.0.grants.forget_all();
        self.0.gate.forget_seen();
        self.0.witness.begin_anew();
        *keeper.problem.lock() = None;
        Ok(event)
    }

    /// Says how many there were.
    async fn remove_credentials(&self) -> Result<usize, EngineError> {
        let all = self.0.credentials.list();
        for (removed, credential) in all.iter().enumerate() {
            if let Err(error) = self.0.credentials.remove(&credential.id).await {
                return Err(if removed > 0 { half_done(removed, &error) } else { error });
            }
        }
        Ok(all.len())
    }

    fn nothing_runs(&self) -> Result<(), EngineError> {
        let running: Vec<String> =
            self.0.sessions.all().iter().map(|live| format!("{} ({})", live.session.agent, live.id())).collect();
        if !running.is_empty() {
            let running = running.join(", ");
            return Err(EngineError::Refused(format!("the record is not wiped while sessions run: {running}")));
        }
        if self.0.gate.running() > 0 {
            return Err(EngineError::Refused("the record is not wiped while an action is under way".to_owned()));
        }
        Ok(())
    }
}

fn half_done(removed: usize, error: &dyn std::error::Error) -> EngineError {
    EngineError::Refused(format!("credentials removed: {removed}; the record was not wiped: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(days: u32, megabytes: u32) -> Retention {
        Retention { days, megabytes }
    }

    #[test]
    fn days_are_whole_and_none_means_for_ever() {
        let now: DateTime<Utc> = "2026-11-20T14:03:05Z".parse().unwrap();
        let at = |text: &str| Some(text.parse::<DateTime<Utc>>().unwrap());
        assert_eq!(keep(wanted(90, 0), now), Keep { since: at("2026-08-22T00:00:00Z"), bytes: None });
        assert_eq!(keep(wanted(0, 200), now), Keep { since: None, bytes: Some(200_000_000) });
    }
}
