//! What keeps a caller waiting while its call is held: clients give up on a silent call after 60 to 300 s, and count anew
//! with every notice on the token that they gave.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval_at};

use crate::message;
use crate::queue;

/// How often a waiting caller hears of its call.
pub const EVERY: Duration = Duration::from_secs(10);

/// Where notices go.
#[derive(Debug)]
pub enum Ear {
    Link(queue::Sender<Bytes>),
    Stream(mpsc::Sender<Bytes>),
}

impl From<queue::Sender<Bytes>> for Ear {
    fn from(to: queue::Sender<Bytes>) -> Self {
        Self::Link(to)
    }
}

impl From<mpsc::Sender<Bytes>> for Ear {
    fn from(to: mpsc::Sender<Bytes>) -> Self {
        Self::Stream(to)
    }
}

/// A caller that wants to hear how its call goes.
#[derive(Debug)]
pub struct Progress {
    token: Value,
    to: Ear,
    every: Duration,
    ticks: AtomicU64,
    /// The server speaks on this token itself.
    taken_over: AtomicBool,
}

impl Progress {
    /// `None` where the request's `_meta` gives no token: nothing may be sent then.
    #[must_use]
    pub fn asked_for(params: &Value, to: impl Into<Ear>) -> Option<Self> {
        Self::asked_every(params, to.into(), EVERY)
    }

    pub(crate) fn asked_every(params: &Value, to: Ear, every: Duration) -> Option<Self> {
        let token = params.get("_meta")?.get("progressToken")?;
        let usable = token.is_string() || token.is_number();
        usable.then(|| Self {
            token: token.clone(),
            to,
            every,
            ticks: AtomicU64::new(0),
            taken_over: AtomicBool::new(false),
        })
    }

    #[must_use]
    pub fn token(&self) -> &Value {
        &self.token
    }

    /// The server told of its own progress: what it says must only grow, so Reeve says no more.
    pub fn taken_over(&self) {
        self.taken_over.store(true, Ordering::Release);
    }

    /// Waits for `future` and tells the caller meanwhile that it goes on.
    pub async fn during<T>(this: Option<&Self>, why: &str, future: impl Future<Output = T>) -> T {
        let Some(this) = this else { return future.await };
        let mut future = std::pin::pin!(future);
        let mut ticks = interval_at(tokio::time::Instant::now() + this.every, this.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                done = &mut future => return done,
                _ = ticks.tick() => this.tick(why),
            }
        }
    }

    fn tick(&self, why: &str) {
        if self.taken_over.load(Ordering::Acquire) {
            return;
        }
        // Progress must grow with every notice, and stay below whatever the server will begin with.
        let tick = self.ticks.fetch_add(1, Ordering::AcqRel) + 1;
        let progress = f64::from(u32::try_from(tick).unwrap_or(u32::MAX)) / 1e6;
        let params = json!({ "progressToken": self.token, "progress": progress, "message": why });
        let notice = message::notification("notifications/progress", params);
        // A caller that does not read does not count the seconds either.
        let _ = match &self.to {
            Ear::Link(to) => to.try_send(notice).is_ok(),
            Ear::Stream(to) => to.try_send(notice).is_ok(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_caller_with_a_token_hears_every_ten_seconds_and_one_without_hears_nothing() {
        let (to, mut heard) = crate::queue::queue(16);
        let wait = || tokio::time::sleep(Duration::from_secs(35));
        assert!(Progress::asked_for(&json!({ "name": "x" }), to.clone()).is_none());
        let progress = Progress::asked_for(&json!({ "_meta": { "progressToken": 4 } }), to).unwrap();
        Progress::during(Some(&progress), "waiting for a person", wait()).await;
        let mut last = 0.0;
        for _ in 0..3 {
            let notice: Value = serde_json::from_slice(&heard.try_recv().unwrap()).unwrap();
            assert_eq!(notice["params"]["progressToken"], 4);
            let now = notice["params"]["progress"].as_f64().unwrap();
            assert!(now > last && now < 1.0, "{now}");
            last = now;
        }
        assert!(heard.try_recv().is_err());
        progress.taken_over();
        Progress::during(Some(&progress), "it runs", wait()).await;
        assert!(heard.try_recv().is_err(), "the server speaks for itself");
    }
}
