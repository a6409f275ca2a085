//! What people are waited for while a call runs does not count against the time that it may take.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Longest time in all that a call is given besides its own. A server that asks for something and is never answered does not
/// hold its place for ever.
const MOST: Duration = Duration::from_secs(3600);

/// How many people are waited for now, on behalf of one call or of all calls of one connection.
#[derive(Debug)]
pub struct Patience(watch::Sender<usize>);

/// Somebody is waited for, until it is dropped.
#[derive(Debug)]
pub struct Waiting(Arc<Patience>);

impl Default for Patience {
    fn default() -> Self {
        Self(watch::channel(0).0)
    }
}

impl Patience {
    /// From now on somebody is waited for.
    #[must_use]
    pub fn begin(self: &Arc<Self>) -> Waiting {
        self.0.send_modify(|waited_for| *waited_for += 1);
        Waiting(Arc::clone(self))
    }

    /// Ends once so much time passed in which nobody was waited for.
    pub async fn spent(&self, limit: Duration) {
        let mut waited_for = self.0.subscribe();
        let (mut left, mut most) = (limit, MOST);
        loop {
            let waits = *waited_for.borrow_and_update() > 0;
            let clock = if waits { &mut most } else { &mut left };
            let begun = Instant::now();
            tokio::select! {
                biased;
                // Its sender lives as long as this.
                _ = waited_for.changed() => *clock = clock.saturating_sub(begun.elapsed()),
                () = tokio::time::sleep(*clock) => return,
            }
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.send_modify(|waited_for| *waited_for = waited_for.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{sleep, timeout};

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_people_does_not_count_and_all_other_time_does() {
        let patience = Arc::new(Patience::default());
        let begun = Instant::now();
        let asking = {
            let patience = Arc::clone(&patience);
            tokio::spawn(async move {
                sleep(seconds(2)).await;
                let (first, second) = (patience.begin(), patience.begin());
                sleep(seconds(100)).await;
                drop(first);
                sleep(seconds(100)).await;
                drop(second);
            })
        };
        patience.spent(seconds(5)).await;
        assert_eq!(begun.elapsed().as_secs(), 205);
        asking.await.unwrap();
        let alone = Instant::now();
        patience.spent(seconds(5)).await;
        assert_eq!(alone.elapsed().as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_answers_is_not_waited_for_for_ever() {
        let patience = Arc::new(Patience::default());
        let _never = patience.begin();
        assert!(timeout(MOST - seconds(1), patience.spent(seconds(5))).await.is_err());
        assert!(timeout(MOST + seconds(1), patience.spent(seconds(5))).await.is_ok());
    }
}
