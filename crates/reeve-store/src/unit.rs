//! What a command works with inside the writer's transaction: appending an event, with its projections, is one step.

use std::collections::HashSet;

use chrono::{DateTime, SubsecRound as _, Utc};
use reeve_domain::clock::Clock;
use reeve_domain::event::{Draft, Event, EventBody};
use reeve_domain::notice::Notice;
use reeve_domain::query::Key;
use rusqlite::Connection;

use crate::audit_log::Chain;
use crate::error::StoreError;
use crate::projection;
use crate::tables::{asked, events, notices, operations, sessions};

/// A clock that is set back by less than this is only being adjusted.
const ADJUSTMENT_MS: i64 = 1000;
/// Most remembered rows of a table that is written with `INSERT OR IGNORE`.
const MOST_CACHED: usize = 20_000;

/// What is known to be in the database, to spare writing it again. Dropped whenever something is rolled back.
#[derive(Debug, Default)]
pub struct Caches {
    pub dictionary: HashSet<(Key, String)>,
    /// Agent, host, and whether by more than a read.
    pub reached: HashSet<(String, String, bool)>,
}

impl Caches {
    pub fn clear(&mut self) {
        self.dictionary.clear();
        self.reached.clear();
    }

    /// Keeps a session of hostile names from growing memory.
    pub fn bound(&mut self) {
        if self.dictionary.len() + self.reached.len() > MOST_CACHED {
            self.clear();
        }
    }
}

/// A change of the full-text index. Applied at the end of a batch and outside its savepoints, because the index writes out
/// what it gathered at every savepoint.
#[derive(Debug)]
pub enum Indexing {
    Add { id: u64, text: String, words: String },
    Remove { id: u64 },
}

pub struct Unit<'a> {
    pub conn: &'a Connection,
    pub chain: &'a mut Chain,
    pub caches: &'a mut Caches,
    /// Appended so far in this batch; published after the commit.
    pub events: &'a mut Vec<Event>,
    pub indexing: &'a mut Vec<Indexing>,
    /// Set by a command after which the file is to be written anew, once it is committed.
    pub compact: &'a mut bool,
    /// Set by a command after which nothing of what was removed is to stay in the search index.
    pub reindex: &'a mut bool,
    pub clock: &'a dyn Clock,
}

/// Brings the index up to date.
pub fn index(conn: &Connection, changes: &mut Vec<Indexing>) -> Result<(), StoreError> {
    for change in changes.drain(..) {
        match change {
            Indexing::Add { id, text, words } => operations::index(conn, id, &text, &words)?,
            Indexing::Remove { id } => operations::unindex(conn, id)?,
        }
    }
    Ok(())
}

impl Unit<'_> {
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(3)
    }

    /// Appends an event: chain link, row, projections. Tells apart a clock that went backwards.
    pub fn append(&mut self, draft: Draft) -> Result<Event, StoreError> {
        let now = self.now();
        let back = (self.chain.wall - now).num_milliseconds();
        if back >= ADJUSTMENT_MS {
            let seconds = u64::try_from(back / 1000).unwrap_or_default();
            self.link(now, Draft::engine(EventBody::ClockWentBackwards { seconds }))?;
        }
        let event = self.link(now, draft)?;
        if let EventBody::SessionEnded { because } = &event.body
            && let Some(session) = &event.session
        {
            sessions::end(self.conn, session, *because, event.at)?;
            asked::forget(self.conn, session)?;
        }
        projection::project(self, &event)?;
        Ok(event)
    }

    fn link(&mut self, at: DateTime<Utc>, draft: Draft) -> Result<Event, StoreError> {
        let seq = self.chain.seq + 1;
        let (event, text) = reeve_domain::chain::follow(&self.chain.hash, seq, at, draft)?;
        let stamp = self.chain.stamp.max(event.at.timestamp_millis());
        events::insert(self.conn, &event, stamp, &text)?;
        if Notice::of(&event).is_some() {
            notices::insert(self.conn, seq)?;
        }
        *self.chain = Chain { seq, hash: event.hash.clone(), wall: event.at, stamp, row: self.chain.row };
        self.events.push(event.clone());
        Ok(event)
    }
}
