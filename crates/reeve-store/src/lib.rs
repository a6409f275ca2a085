//! SQLite behind one writer: ledger, audit log, search. Callers hear of success only after the commit is on disk; whoever
//! hears an error must not act.

mod admission;
mod audit_log;
mod checkpoint;
mod commands;
mod error;
mod export;
mod judged;
mod ledger;
mod migrate;
mod projection;
mod reads;
mod removal;
pub mod search;
mod slots;
mod tables;
mod unit;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use ed25519_dalek::{SigningKey, VerifyingKey};
use parking_lot::Mutex;
use reeve_domain::chain::{Head, Seal};
use reeve_domain::clock::Clock;
use reeve_domain::event::Event;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, broadcast, oneshot, watch};

pub use admission::{Admit, Admitted, ApprovalUse, Counting, Fit, Still};
pub use commands::Change;
pub use error::StoreError;
pub use judged::{Judged, JudgedOperations};
pub use reads::{Activity, Detail};
pub use removal::{Keep, Removable, Size};
pub use search::{Page, Rows};
pub use tables::notices::Notices;

use crate::audit_log::{Chain, Sealer};
use crate::checkpoint::Checkpointer;
use crate::unit::{Caches, Unit};
use crate::writer::{Job, Orphaned, Outlets, Reindex, Task, Writer};

/// Commands that may wait for the writer; more wait to be queued.
const QUEUE: usize = 4096;
/// Batches of events that a slow subscriber may lag behind.
const LAG: usize = 1024;
/// Read connections kept open while nobody reads.
const IDLE_READERS: usize = 4;

/// How a store is opened.
#[derive(Debug)]
pub struct StoreOptions {
    pub clock: Arc<dyn Clock>,
    /// Signs the heads of the chain. Without it nothing is sealed and nothing can be exported.
    pub seal_key: Option<SigningKey>,
    /// Second, append-only place for the seals.
    pub mirror: Option<PathBuf>,
}

/// A handle; cheap to clone. When the last one is gone the writer seals what is left and stops.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    queue: Option<Sender<Box<dyn Job>>>,
    places: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
    readers: Option<Arc<Readers>>,
    events: broadcast::Sender<Arc<Vec<Event>>>,
    head: watch::Receiver<Head>,
    seal: watch::Receiver<Option<Seal>>,
    problem: watch::Receiver<Option<StoreError>>,
    clock: Arc<dyn Clock>,
    key: Option<SigningKey>,
    mirror: Option<PathBuf>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store(#{})", self.0.head.borrow().seq)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue = None;
        let Some(thread) = self.thread.take() else { return };
        // The last handle may have been held by a command that ran on the writer itself.
        if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
            tracing::error!("the writer of the record panicked");
        }
    }
}

/// Connections for reading; one is made whenever none is idle.
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    fn take(&self) -> Result<Connection, StoreError> {
        if let Some(conn) = self.idle.lock().pop() {
            return Ok(conn);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&self.path, flags)?;
        migrate::prepare_reader(&conn)?;
        Ok(conn)
    }

    fn give(&self, conn: Connection) {
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_READERS && conn.is_autocommit() {
            idle.push(conn);
        }
    }
}

impl Store {
    /// Opens the database, made when it is not there, and starts its writer. Nothing is charged or closed yet: that is
    /// [`Store::sweep`].
    ///
    /// # Errors
    /// When it cannot be opened, is damaged, or was written by a newer version.
    pub fn open(path: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let failed = |why: String| StoreError::Open { path: path.to_owned(), why };
        create_private(path).map_err(|e| failed(e.to_string()))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags).map_err(|e| failed(e.to_string()))?;
        let readers = Readers { path: path.to_owned(), idle: Mutex::default() };
        Self::start(conn, Some(Arc::new(readers)), options)
    }

    /// A store that is gone with its last handle; for tests and throw-away profiles. Reads go through the writer.
    ///
    /// # Errors
    /// When SQLite or the mirror refuses.
    pub fn open_in_memory(options: StoreOptions) -> Result<Self, StoreError> {
        Self::start(Connection::open_in_memory()?, None, options)
    }

    fn start(conn: Connection, readers: Option<Arc<Readers>>, options: StoreOptions) -> Result<Self, StoreError> {
        let StoreOptions { clock, seal_key, mirror } = options;
        migrate::prepare_writer(&conn)?;
        let chain = Chain::load(&conn)?;
        let (seal_out, seal) = watch::channel(None);
        let sealer = match &seal_key {
            Some(key) => Some(Sealer::open(&conn, key.clone(), mirror.as_deref(), seal_out)?),
            None => None,
        };
        let (head_out, head) = watch::channel(chain.head());
        let (problem_out, problem) = watch::channel(None);
        let (events, _) = broadcast::channel(LAG);
        let outlets = Outlets { events: events.clone(), head: head_out, problem: problem_out };
        let caches = Caches::default();
        let checkpoints = readers.as_deref().map(|readers| Checkpointer::start(&readers.path)).transpose()?;
        let (clock_of, reindex) = (Arc::clone(&clock), Reindex::No);
        let mut writer = Writer {
            conn,
            chain,
            caches,
            sealer,
            clock: clock_of,
            outlets,
            unmerged: 1,
            reindex,
            checkpoints,
            copied: 0,
        };
        writer.make_up();
        let (queue, jobs) = channel::<Box<dyn Job>>();
        let thread = std::thread::Builder::new().name("reeve-store".to_owned()).spawn(move || writer.run(&jobs));
        let thread = thread.map_err(|e| StoreError::Database(format!("the writer does not start: {e}")))?;
        Ok(Self(Arc::new(Inner {
            queue: Some(queue),
            places: Arc::new(Semaphore::new(QUEUE)),
            thread: Some(thread),
            readers,
            events,
            head,
            seal,
            problem,
            clock,
            key: seal_key,
            mirror,
        })))
    }

    /// Runs a command on the writer. Once it is queued it runs to its end, also when the caller goes away.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Unit<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.write_or_else(work, None).await
    }

    /// The same, with what to do when the caller is gone before it hears the answer.
    async fn write_or_else<T, F>(&self, work: F, orphaned: Option<Orphaned<T>>) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Unit<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let place = Arc::clone(&self.0.places).acquire_owned().await.map_err(|_| StoreError::Stopped)?;
        let (reply, answer) = oneshot::channel();
        let task = Task::new(work, reply, orphaned, Some(place));
        let queue = self.0.queue.as_ref().ok_or(StoreError::Stopped)?;
        queue.send(Box::new(task)).map_err(|_| StoreError::Stopped)?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// Reads what is committed, off the caller's thread and in one snapshot.
    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let Some(readers) = self.0.readers.clone() else {
            return self.write(move |unit| work(unit.conn)).await;
        };
        let task = tokio::task::spawn_blocking(move || {
            let conn = readers.take()?;
            let result = in_one_snapshot(&conn, work);
            readers.give(conn);
            result
        });
        task.await.map_err(|_| StoreError::Panicked)?
    }

    fn verifying_key(&self) -> Option<VerifyingKey> {
        self.0.key.as_ref().map(SigningKey::verifying_key)
    }
}

/// Several statements see one state: an operation that ends between two of them is neither counted twice nor missed.
fn in_one_snapshot<T>(
    conn: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let snapshot = conn.unchecked_transaction()?;
    work(&snapshot)
}

/// Makes the file, readable for its owner only; SQLite gives its log the same permissions.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
