//! Time as something handed in, so that tests can move it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

/// Where every part of Reeve asks what time it is.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Wall clock, UTC. May jump, also backwards.
    fn now(&self) -> DateTime<Utc>;
    /// Time since some fixed moment of this process. Never goes back.
    fn monotonic(&self) -> Duration;
}

/// The machine's own clock.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    #[must_use]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A clock that stands still until it is moved; for tests, samples and replays.
#[derive(Debug)]
pub struct ManualClock {
    at: Mutex<(DateTime<Utc>, Duration)>,
}

impl ManualClock {
    #[must_use]
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { at: Mutex::new((now, Duration::ZERO)) }
    }

    /// Moves wall and monotonic time forward together.
    pub fn advance(&self, by: Duration) {
        let mut at = self.at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        at.0 += chrono::Duration::from_std(by).unwrap_or_default();
        at.1 += by;
    }

    /// Sets the wall clock only, as somebody who changes the system time does.
    pub fn set_wall(&self, now: DateTime<Utc>) {
        self.at.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0 = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        self.at.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0
    }

    fn monotonic(&self) -> Duration {
        self.at.lock().unwrap_or_else(std::sync::PoisonError::into_inner).1
    }
}
