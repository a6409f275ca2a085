//! The one writer: a thread that drains its queue into one transaction with a savepoint per command, and answers after the
//! commit. So check and charge are one step, and the price of certainty is one flush shared by all who wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use reeve_domain::chain::Head;
use reeve_domain::clock::Clock;
use reeve_domain::event::Event;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, broadcast, oneshot, watch};

use crate::audit_log::{Chain, Sealer};
use crate::checkpoint::Checkpointer;
use crate::error::StoreError;
use crate::tables::settings;
use crate::unit::{Caches, Unit, index};

/// Most commands in one transaction: bounds how long the first of them waits for the last.
const LARGEST_BATCH: usize = 512;
/// How long the queue must be empty before full-text segments are merged.
const IDLE: Duration = Duration::from_millis(50);
/// Pages of the index merged in one idle step, about a millisecond.
const MERGE_PAGES: i64 = 64;
/// Batches after which a merge step is taken also when the queue is never empty.
const MERGE_EVERY: u32 = 32;
/// Rows changed after which the log is copied back into the database: some megabytes of it.
const CHECKPOINT_ROWS: u64 = 10_000;

/// Set with what removes, until nothing of it is left in the file: after a wipe, and after a removal in the search index.
pub const COMPACT: &str = "store.compact";
pub const REINDEX: &str = "store.reindex";

/// How long a compaction waits for who reads what it replaces.
const COMPACT_PATIENCE: Duration = Duration::from_secs(2);

/// A command on its way through the writer.
pub trait Job: Send {
    /// Does the work inside the transaction; an error rolls its savepoint back.
    fn run(&mut self, unit: &mut Unit<'_>) -> Result<(), StoreError>;
    /// After the commit, or after it failed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>) -> Option<Box<dyn Job>>;
}

pub type Orphaned<T> = Box<dyn FnOnce(T) -> Option<Box<dyn Job>> + Send>;

/// A closure as a job, and where its result goes.
pub struct Task<T, F> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
    orphaned: Option<Orphaned<T>>,
    /// Its place in the queue, given back when it is dropped.
    _place: Option<OwnedSemaphorePermit>,
}

impl<T, F> Task<T, F>
where
    T: Send + 'static,
    F: FnOnce(&mut Unit<'_>) -> Result<T, StoreError> + Send + 'static,
{
    /// `orphaned` is what to do when nobody hears the answer any more.
    pub fn new(
        work: F,
        reply: oneshot::Sender<Result<T, StoreError>>,
        orphaned: Option<Orphaned<T>>,
        place: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self { work: Some(work), result: None, reply, orphaned, _place: place }
    }
}

impl<T, F> Job for Task<T, F>
where
    T: Send + 'static,
    F: FnOnce(&mut Unit<'_>) -> Result<T, StoreError> + Send + 'static,
{
    fn run(&mut self, unit: &mut Unit<'_>) -> Result<(), StoreError> {
        let Some(work) = self.work.take() else { return Err(StoreError::Panicked) };
        let result = catch_unwind(AssertUnwindSafe(|| work(unit))).unwrap_or(Err(StoreError::Panicked));
        let outcome = result.as_ref().map(|_| ()).map_err(Clone::clone);
        self.result = Some(result);
        outcome
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) -> Option<Box<dyn Job>> {
        let result = match (committed, self.result) {
            (Ok(()), Some(result)) => result,
            // A command that failed by itself hears its own error, not the batch's.
            (Err(_), Some(Err(own))) => Err(own),
            (Err(error), _) => Err(error),
            (Ok(()), None) => Err(StoreError::Stopped),
        };
        match self.reply.send(result) {
            Err(Ok(unheard)) => self.orphaned.and_then(|orphaned| orphaned(unheard)),
            _ => None,
        }
    }
}

/// What the writer tells the rest of the store.
pub struct Outlets {
    pub events: broadcast::Sender<Arc<Vec<Event>>>,
    pub head: watch::Sender<Head>,
    pub problem: watch::Sender<Option<StoreError>>,
}

/// State of the writer thread.
pub struct Writer {
    pub conn: Connection,
    pub chain: Chain,
    pub caches: Caches,
    pub sealer: Option<Sealer>,
    pub clock: Arc<dyn Clock>,
    pub outlets: Outlets,
    /// Batches since the index was last merged as far as it goes.
    pub unmerged: u32,
    pub reindex: Reindex,
    /// None for a store in memory.
    pub checkpoints: Option<Checkpointer>,
    /// Rows changed when the log was last to be copied back.
    pub copied: u64,
}

/// Writing the search index anew without what was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reindex {
    No,
    Due,
    UnderWay,
}

impl Writer {
    /// What a stop kept from being done.
    pub fn make_up(&mut self) {
        if matches!(settings::get(&self.conn, COMPACT), Ok(Some(_))) {
            self.compact();
        }
        self.look_for_reindex();
    }

    fn look_for_reindex(&mut self) {
        if matches!(settings::get(&self.conn, REINDEX), Ok(Some(_))) {
            let _ = self.conn.pragma_update(None, "secure_delete", true);
            self.reindex = Reindex::Due;
            self.unmerged = self.unmerged.max(1);
        }
    }

    /// Runs until every handle of the store is gone, then seals the rest.
    pub fn run(mut self, queue: &Receiver<Box<dyn Job>>) {
        loop {
            let first = match self.wait() {
                Some(wait) => queue.recv_timeout(wait),
                None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match first {
                Ok(first) => self.drain(first, queue),
                Err(RecvTimeoutError::Timeout) => self.merge_step(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.seal(false);
        }
        self.seal(true);
        self.checkpoints = None;
        // The next start needs neither the log nor old statistics; failing here loses nothing.
        let _ = self.conn.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);");
    }

    /// How long to wait for a command before something else is due.
    fn wait(&self) -> Option<Duration> {
        if self.unmerged > 0 {
            return Some(IDLE);
        }
        self.sealer.as_ref().and_then(|sealer| sealer.due_in(self.chain.seq))
    }

    fn drain(&mut self, first: Box<dyn Job>, queue: &Receiver<Box<dyn Job>>) {
        let mut batch = vec![first];
        while batch.len() < LARGEST_BATCH {
            match queue.try_recv() {
                Ok(job) => batch.push(job),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        // What an answer leaves behind (a caller that was gone) is done at once, in a batch of its own.
        while !batch.is_empty() {
            batch = self.commit(batch);
        }
    }

    fn commit(&mut self, mut batch: Vec<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
        let before = self.chain.clone();
        let changed = self.conn.total_changes();
        let mut events = Vec::new();
        let (mut compact, mut reindex) = (false, false);
        let committed = self.transaction(&mut batch, &mut events, (&mut compact, &mut reindex));
        match &committed {
            Ok(()) => {
                self.outlets.head.send_replace(self.chain.head());
                if self.conn.total_changes() != changed {
                    self.unmerged = self.unmerged.saturating_add(1);
                }
                if self.conn.total_changes() - self.copied >= CHECKPOINT_ROWS {
                    self.checkpoint();
                }
                if compact {
                    self.compact();
                }
                if reindex {
                    self.look_for_reindex();
                }
                if !events.is_empty() {
                    // Nobody listening is no reason to worry.
                    let _ = self.outlets.events.send(Arc::new(events));
                }
            }
            Err(error) => {
                tracing::error!(%error, commands = batch.len(), "a batch could not be recorded");
                self.chain = before;
                self.caches.clear();
                if !self.conn.is_autocommit() {
                    let _ = self.conn.execute_batch("ROLLBACK");
                }
            }
        }
        let problem = committed.clone().err();
        self.outlets.problem.send_if_modified(|known| std::mem::replace(known, problem.clone()) != problem);
        batch.into_iter().filter_map(|job| job.answer(committed.clone())).collect()
    }

    fn transaction(
        &mut self,
        batch: &mut [Box<dyn Job>],
        events: &mut Vec<Event>,
        (compact, reindex): (&mut bool, &mut bool),
    ) -> Result<(), StoreError> {
        let mut indexing = Vec::new();
        self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        for job in batch {
            let before = (self.chain.clone(), events.len(), indexing.len());
            self.conn.prepare_cached("SAVEPOINT command")?.execute(())?;
            let mut unit = Unit {
                conn: &self.conn,
                chain: &mut self.chain,
                caches: &mut self.caches,
                events,
                indexing: &mut indexing,
                compact,
                reindex,
                clock: self.clock.as_ref(),
            };
            if let Err(error) = job.run(&mut unit) {
                // A full disk ends the whole batch, not only this command.
                if error.is_of_the_disk() || self.conn.is_autocommit() {
                    return Err(error);
                }
                self.conn.prepare_cached("ROLLBACK TO command")?.execute(())?;
                self.chain = before.0;
                self.caches.clear();
                events.truncate(before.1);
                indexing.truncate(before.2);
            }
            self.conn.prepare_cached("RELEASE command")?.execute(())?;
        }
        index(&self.conn, &mut indexing)?;
        if self.unmerged >= MERGE_EVERY {
            self.unmerged = 0;
            merge(&self.conn, MERGE_PAGES)?;
        }
        self.conn.prepare_cached("COMMIT")?.execute(())?;
        Ok(())
    }

    /// Writes the file anew, so that nothing of what was removed is left in it or in its log. Where that fails, what is
    /// free is filled again.
    fn compact(&mut self) {
        let before = self.conn.pragma_query_value(None, "busy_timeout", |row| row.get::<_, u64>(0));
        let patience = self.conn.busy_timeout(COMPACT_PATIENCE);
        let written = patience.and_then(|()| self.conn.execute_batch("VACUUM"));
        let emptied = written
            .and_then(|()| self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get::<_, i64>(0)));
        match emptied {
            Ok(0) => self.forget(COMPACT),
            Ok(_) => tracing::warn!("somebody reads the record still: its log is emptied later"),
            Err(error) => tracing::warn!(%error, "the record's file could not be written anew"),
        }
        if let Ok(before) = before {
            let _ = self.conn.busy_timeout(Duration::from_millis(before));
        }
    }

    /// Where that fails the next start does once more what it stands for.
    fn forget(&self, marker: &str) {
        if let Err(error) = settings::remove(&self.conn, marker) {
            tracing::warn!(%error, marker, "what is done could not be marked as done");
        }
    }

    /// One step of merging, or the end of it.
    fn merge_step(&mut self) {
        if self.unmerged == 0 {
            return;
        }
        let pages = if self.reindex == Reindex::Due { -MERGE_PAGES } else { MERGE_PAGES };
        match merge(&self.conn, pages) {
            Ok(true) => {
                self.unmerged = 1;
                if self.reindex == Reindex::Due {
                    self.reindex = Reindex::UnderWay;
                }
            }
            Ok(false) => {
                self.unmerged = 0;
                if self.reindex != Reindex::No {
                    self.reindex = Reindex::No;
                    self.forget(REINDEX);
                    let _ = self.conn.pragma_update(None, "secure_delete", false);
                }
                self.checkpoint();
            }
            Err(error) => {
                tracing::warn!(%error, "the search index could not be merged");
                self.unmerged = 0;
            }
        }
    }

    fn checkpoint(&mut self) {
        self.copied = self.conn.total_changes();
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.ask();
        }
    }

    fn seal(&mut self, now: bool) {
        let Some(sealer) = &mut self.sealer else { return };
        if !sealer.is_due(self.chain.seq, now) {
            return;
        }
        let head = self.chain.head();
        if let Err(error) = sealer.seal(&self.conn, head, self.clock.now(), Instant::now()) {
            tracing::error!(%error, "the record could not be sealed");
            self.outlets.problem.send_replace(Some(error));
        }
    }
}

/// Whether more is left to merge. With a negative number of pages all segments are to become one, also those without anything
/// new; the steps after it go on with that.
fn merge(conn: &Connection, pages: i64) -> Result<bool, StoreError> {
    let before = conn.total_changes();
    conn.prepare_cached("INSERT INTO operations_fts (operations_fts, rank) VALUES ('merge', ?1)")?.execute([pages])?;
    // SQLite's own sign that nothing was left to do: fewer than two rows written.
    Ok(conn.total_changes() - before >= 2)
}
