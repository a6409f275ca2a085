//! Copies the write-ahead log back into the database on a thread and a connection of its own: the flush of the database
//! takes tens of milliseconds, and no answer shall wait for it.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;

pub struct Checkpointer {
    /// Room for one: what is asked for while one is under way is done after it.
    due: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// # Errors
    /// When the database cannot be opened once more, or the thread does not start.
    pub fn start(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags)?;
        // The log must be on the disk before the database takes its pages.
        conn.pragma_update(None, "synchronous", "FULL")?;
        let (due, asked) = sync_channel(1);
        let thread = std::thread::Builder::new().name("reeve-checkpoint".to_owned());
        let thread = thread.spawn(move || run(&conn, &asked));
        let thread = thread.map_err(|e| StoreError::Database(format!("the checkpoints do not start: {e}")))?;
        Ok(Self { due: Some(due), thread: Some(thread) })
    }

    /// Asks for a checkpoint, without waiting for it.
    pub fn ask(&self) {
        if let Some(due) = &self.due {
            let _ = due.try_send(());
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.due = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the checkpoints panicked");
        }
    }
}

fn run(conn: &Connection, asked: &Receiver<()>) {
    while asked.recv().is_ok() {
        // Passive: it waits for nobody and nobody waits for it. What fails is done by the next one, or by the writer.
        if let Err(error) = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(())) {
            tracing::warn!(%error, "the log of the record could not be written back");
        }
    }
}
