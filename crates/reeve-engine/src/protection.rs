//! Whether verdicts are enforced: mode, pause and *Stop all*, remembered over a restart.

use arc_swap::ArcSwap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::session::Session;
use reeve_domain::settings::{Mode, Protection};
use reeve_store::{Change, Store};
use serde::{Deserialize, Serialize};

use crate::error::EngineError;

const SETTING: &str = "protection";

/// What a person switched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Switches {
    mode: Mode,
    stopped: bool,
    /// `Some(None)`: paused until resumed.
    paused: Option<Option<DateTime<Utc>>>,
    /// What the last stop did.
    #[serde(default)]
    stop: Option<Stop>,
    /// Since when the mode holds; `None`: since the record began, as far as is known.
    #[serde(default)]
    since: Option<DateTime<Utc>>,
}

impl Switches {
    fn hold(&mut self, mode: Mode, now: DateTime<Utc>) {
        if self.mode != mode {
            (self.mode, self.since) = (mode, Some(now));
        }
    }
}

/// What *Stop all* did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    pub at: DateTime<Utc>,
    /// Sessions that it ended.
    pub sessions: u32,
}

/// Owner of mode, pause and stop.
#[derive(Debug)]
pub struct ProtectionState {
    store: Store,
    switches: ArcSwap<Switches>,
    /// What does not work, where something does not.
    degraded: ArcSwap<Option<String>>,
}

impl ProtectionState {
    /// # Errors
    /// When the store cannot be read.
    pub async fn load(store: Store, configured: Mode, now: DateTime<Utc>) -> Result<Self, EngineError> {
        let remembered = store.setting(SETTING).await?;
        let mut switches = remembered
            .and_then(|text| serde_json::from_str::<Switches>(&text).ok())
            .unwrap_or(Switches { mode: configured, stopped: false, paused: None, stop: None, since: None });
        switches.hold(configured, now);
        Ok(Self { store, switches: ArcSwap::from_pointee(switches), degraded: ArcSwap::from_pointee(None) })
    }

    /// Everything is denied until *Resume*.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.switches.load().stopped
    }

    /// Whether rules, asks and budgets bind right now.
    #[must_use]
    pub fn mode(&self, now: DateTime<Utc>) -> Mode {
        let switches = self.switches.load();
        if paused_at(&switches, now) { Mode::Observe } else { switches.mode }
    }

    /// The same for a session that a person opened in a mode of its own. A pause is over everything.
    #[must_use]
    pub fn mode_for(&self, session: &Session, now: DateTime<Utc>) -> Mode {
        let switches = self.switches.load();
        if paused_at(&switches, now) { Mode::Observe } else { session.mode.unwrap_or(switches.mode) }
    }

    /// For the status strip, by precedence.
    #[must_use]
    pub fn state(&self, now: DateTime<Utc>) -> Protection {
        let switches = self.switches.load();
        if switches.stopped {
            return Protection::Stopped;
        }
        if let Some(cause) = self.degraded.load().as_ref() {
            return Protection::Degraded { cause: cause.clone() };
        }
        if paused_at(&switches, now) {
            return Protection::Paused { until: switches.paused.flatten() };
        }
        match switches.mode {
            Mode::Observe => Protection::Observing,
            Mode::Enforce => Protection::Protected,
        }
    }

    /// Says what does not work (`None`: everything works again).
    pub(crate) fn set_degraded(&self, cause: Option<String>) {
        self.degraded.store(Arc::new(cause));
    }

    /// What the stop that is in force did; `None` while nothing is stopped.
    #[must_use]
    pub fn stop_in_force(&self) -> Option<Stop> {
        let switches = self.switches.load();
        switches.stop.filter(|_| switches.stopped)
    }

    /// In force at once, also when it cannot be recorded. A second stop keeps what the first one did.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn stop(&self, stop: Stop) -> Result<(), EngineError> {
        let edit = |switches: &mut Switches| {
            switches.stop = switches.stop.filter(|_| switches.stopped).or(Some(stop));
            switches.stopped = true;
        };
        let mut stopped = (**self.switches.load()).clone();
        edit(&mut stopped);
        self.switches.store(Arc::new(stopped));
        self.change("stop all", edit).await
    }

    /// What holds while nothing is paused or stopped.
    #[must_use]
    pub fn configured(&self) -> Mode {
        self.switches.load().mode
    }

    /// Since when that holds; `None`: since the record began, as far as is known.
    pub(crate) fn configured_since(&self) -> Option<DateTime<Utc>> {
        self.switches.load().since
    }

    /// Rules, asks and budgets bind (`Enforce`) or are only recorded (`Observe`) from now on; `first` is recorded before it,
    /// in the same step.
    ///
    /// # Errors
    /// When it cannot be recorded; then nothing changed.
    pub(crate) async fn set_mode(&self, mode: Mode, first: Vec<Draft>, now: DateTime<Utc>) -> Result<(), EngineError> {
        let what = match mode {
            Mode::Observe => "mode observe",
            Mode::Enforce => "mode enforce",
        };
        self.change_after(first, what, |s| s.hold(mode, now)).await
    }

    /// Ends both a stop and a pause.
    ///
    /// # Errors
    /// When it cannot be recorded; then nothing changed.
    pub async fn resume(&self) -> Result<(), EngineError> {
        self.change("resume", |s| {
            s.stopped = false;
            s.paused = None;
        })
        .await
    }

    /// Until then (`None`: until resumed) rules, asks and budgets are recorded and not enforced.
    ///
    /// # Errors
    /// When it cannot be recorded; then nothing changed.
    pub async fn pause(&self, until: Option<DateTime<Utc>>) -> Result<(), EngineError> {
        self.change("pause", |s| s.paused = Some(until)).await
    }

    async fn change(&self, what: &str, edit: impl FnOnce(&mut Switches)) -> Result<(), EngineError> {
        self.change_after(Vec::new(), what, edit).await
    }

    async fn change_after(
        &self,
        mut events: Vec<Draft>,
        what: &str,
        edit: impl FnOnce(&mut Switches),
    ) -> Result<(), EngineError> {
        let mut next = (**self.switches.load()).clone();
        edit(&mut next);
        let text = serde_json::to_string(&next).map_err(|e| EngineError::Refused(e.to_string()))?;
        let change = Change::Setting { key: SETTING.to_owned(), value: text };
        events.push(Draft::engine(EventBody::ModeChanged { what: what.to_owned() }));
        self.store.append_with(vec![change], events).await?;
        self.switches.store(Arc::new(next));
        Ok(())
    }
}

fn paused_at(switches: &Switches, now: DateTime<Utc>) -> bool {
    match switches.paused {
        Some(None) => true,
        Some(Some(until)) => now < until,
        None => false,
    }
}
