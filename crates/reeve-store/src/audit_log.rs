//! The chain's head, and the sealer: signs it every thousand events or every second, and copies each seal outside the database.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use ed25519_dalek::SigningKey;
use reeve_domain::chain::{Head, Seal, genesis, read_mirror};
use reeve_domain::operation::Digest;
use rusqlite::{Connection, OptionalExtension as _};
use tokio::sync::watch;

use crate::error::StoreError;
use crate::tables::seals;

/// A seal is due after this many events…
const SEAL_EVENTS: u64 = 1000;
/// …or this long after the first event that it will cover.
const SEAL_AFTER: Duration = Duration::from_secs(1);

/// Where the chain stands, as the writer knows it.
#[derive(Debug, Clone)]
pub struct Chain {
    pub seq: u64,
    pub hash: Digest,
    /// Wall clock of the last event.
    pub wall: DateTime<Utc>,
    /// Milliseconds; never goes back.
    pub stamp: i64,
    /// Id of the last operation row.
    pub row: u64,
}

impl Chain {
    /// Reads where the last run stopped.
    pub fn load(conn: &Connection) -> Result<Self, StoreError> {
        let last = conn
            .query_row("SELECT seq, hash, stamp, record FROM events ORDER BY seq DESC LIMIT 1", (), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?))
            })
            .optional()?;
        let row = conn.query_row("SELECT coalesce(max(id), 0) FROM operations", (), |row| row.get(0))?;
        let Some((seq, hash, stamp, record)) = last else {
            return Ok(Self { seq: 0, hash: genesis(), wall: DateTime::UNIX_EPOCH, stamp: 0, row });
        };
        let hash = Digest(hash);
        let wall = reeve_domain::chain::read(&record, hash.clone())?.at;
        Ok(Self { seq, hash, wall, stamp, row })
    }

    #[must_use]
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash.clone() }
    }
}

/// Signs heads and keeps their copies.
pub struct Sealer {
    key: SigningKey,
    mirror: Option<(PathBuf, File)>,
    sealed: u64,
    /// When the last seal was made or tried.
    last: Instant,
    latest: watch::Sender<Option<Seal>>,
}

impl Sealer {
    pub fn open(
        conn: &Connection,
        key: SigningKey,
        mirror: Option<&Path>,
        latest: watch::Sender<Option<Seal>>,
    ) -> Result<Self, StoreError> {
        let mirror = match mirror {
            Some(path) => Some((path.to_owned(), open_mirror(path)?)),
            None => None,
        };
        let newest = seals::all(conn)?.pop();
        let sealed = newest.as_ref().map_or(0, |seal| seal.seq);
        latest.send_replace(newest);
        Ok(Self { key, mirror, sealed, last: Instant::now(), latest })
    }

    /// How long until a seal is due; `None` while there is nothing new.
    pub fn due_in(&self, seq: u64) -> Option<Duration> {
        (seq > self.sealed).then(|| SEAL_AFTER.saturating_sub(self.last.elapsed()))
    }

    pub fn is_due(&self, seq: u64, now: bool) -> bool {
        seq > self.sealed && (now || seq - self.sealed >= SEAL_EVENTS || self.last.elapsed() >= SEAL_AFTER)
    }

    /// The copy outside comes first: a seal that is only there vouches all the same, one that is only in the database would
    /// not help against whoever cuts the database.
    pub fn seal(&mut self, conn: &Connection, head: Head, at: DateTime<Utc>, now: Instant) -> Result<(), StoreError> {
        self.last = now;
        let seal = Seal::sign(&self.key, head.seq, head.hash, at);
        if let Some((path, file)) = &mut self.mirror {
            let written = file.write_all(format!("{}\n", seal.line()).as_bytes()).and_then(|()| file.sync_data());
            written.map_err(|e| StoreError::Mirror { path: path.clone(), why: e.to_string() })?;
        }
        seals::insert(conn, &seal)?;
        self.sealed = seal.seq;
        self.latest.send_replace(Some(seal));
        Ok(())
    }
}

/// Opens the mirror for appending, private to its owner. A line torn by a crash is ended, so that the next one stands alone.
fn open_mirror(path: &Path) -> Result<File, StoreError> {
    let open = || -> std::io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        if file.metadata()?.len() > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok(file)
    };
    open().map_err(|e| StoreError::Mirror { path: path.to_owned(), why: e.to_string() })
}

/// The seals of a mirror. A mirror that is not there yet holds none.
pub fn mirrored(path: &Path) -> Result<Vec<Seal>, StoreError> {
    let failed = |why: String| StoreError::Mirror { path: path.to_owned(), why };
    match std::fs::read(path) {
        Ok(bytes) => {
            let (seals, torn) = read_mirror(&String::from_utf8_lossy(&bytes));
            for line in torn {
                tracing::warn!(path = %path.display(), %line, "a line of the mirror is damaged");
            }
            Ok(seals)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error.to_string())),
    }
}
