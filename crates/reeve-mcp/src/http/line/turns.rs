//! In which order what a client says goes on: everything behind the messages without answer that came before it, but no longer
//! than a server may be expected to take for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Most messages without answer that may wait for their turn.
const WAITING: usize = 1024;
/// How long what comes later waits for a message without answer: a server that does not take it is not silent for that.
const TURN: Duration = Duration::from_secs(5);

/// Messages without answer, numbered as they came.
pub(super) struct Turns {
    given: AtomicU64,
    /// Up to which of them nobody waits any more.
    taken: watch::Sender<u64>,
    places: Arc<Semaphore>,
}

impl Turns {
    pub fn new() -> Self {
        Self { given: AtomicU64::new(0), taken: watch::Sender::new(0), places: Arc::new(Semaphore::new(WAITING)) }
    }

    /// The last that was given.
    pub fn last(&self) -> u64 {
        self.given.load(Ordering::Acquire)
    }

    /// The next turn, with its place until it was taken; `None`: too many wait.
    pub fn next(&self) -> Option<(u64, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some((self.given.fetch_add(1, Ordering::AcqRel) + 1, place))
    }

    /// Waits until this one was taken, but not for ever.
    pub async fn behind(&self, turn: u64) {
        let mut taken = self.taken.subscribe();
        // The sender is here: it ends by its time alone. Whoever comes after that does not wait for it again.
        if tokio::time::timeout(TURN, taken.wait_for(|taken| *taken >= turn)).await.is_err() {
            self.took(turn);
        }
    }

    pub fn took(&self, turn: u64) {
        self.taken.send_if_modified(|taken| {
            let is_later = *taken < turn;
            *taken = turn.max(*taken);
            is_later
        });
    }
}

/// A request that waits for its answer.
#[derive(Clone)]
pub(super) struct Waiting {
    pub cancelled: CancellationToken,
    /// It is on its way to the server.
    pub handed_on: Arc<AtomicBool>,
    /// Its client does not wait any more.
    pub is_left: bool,
}

impl Waiting {
    pub fn new(cancelled: CancellationToken) -> Self {
        Self { cancelled, handed_on: Arc::default(), is_left: false }
    }

    /// Its client does not wait any more. Whether the server is to be told: one without MCP session is told by hanging up, and
    /// one that did not hear of the request hears nothing at all.
    pub fn cancel(&mut self, has_session: bool) -> bool {
        self.is_left = true;
        let is_told = has_session && self.handed_on.load(Ordering::Acquire);
        if !is_told {
            self.cancelled.cancel();
        }
        is_told
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_message_that_is_not_taken_holds_up_what_comes_later_once_and_for_seconds_only() {
        let turns = Turns::new();
        let (first, place) = turns.next().unwrap();
        let begun = Instant::now();
        turns.behind(first).await;
        assert!((TURN..2 * TURN).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        let (second, _) = turns.next().unwrap();
        turns.took(second);
        // It is taken after all, and turns back nothing.
        turns.took(first);
        let begun = Instant::now();
        turns.behind(turns.last()).await;
        assert_eq!((turns.last(), begun.elapsed()), (second, Duration::ZERO));
        // Those that wait are bounded all the same.
        let waiting: Vec<_> = std::iter::from_fn(|| turns.next()).collect();
        assert_eq!(waiting.len(), WAITING - 1);
        drop(place);
        assert!(turns.next().is_some());
    }

    #[test]
    fn what_the_server_did_not_hear_of_is_cancelled_here() {
        for (has_session, handed_on, is_told) in
            [(true, true, true), (true, false, false), (false, true, false), (false, false, false)]
        {
            let mut waiting = Waiting::new(CancellationToken::new());
            waiting.handed_on.store(handed_on, Ordering::Release);
            assert_eq!(waiting.cancel(has_session), is_told);
            assert_eq!(waiting.cancelled.is_cancelled(), !is_told);
            assert!(waiting.is_left);
        }
    }
}
