//! The store's mouth for values, sessions and waterfalls.

use reeve_domain::chain::{self, Seal};
use reeve_domain::event::Event;
use reeve_domain::id::SessionId;
use reeve_domain::operation::Digest;
use reeve_domain::query::{Key, OperationRow, Query};
use rusqlite::OptionalExtension as _;

use super::{Flow, Sessions, Values};
use crate::Store;
use crate::error::StoreError;
use crate::tables::seals;

/// One record as it lies in the database, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// `None` where its text cannot be read as an event.
    pub event: Option<Event>,
    pub text: String,
    pub hash: Digest,
    /// Whether the hash is that of the text and of what it names as the record before.
    pub holds: bool,
    /// Whether the record before has the hash that this one names.
    pub follows: bool,
    /// The first seal that vouches for it.
    pub seal: Option<Seal>,
}

/// Every method fails when the database cannot be read.
impl Store {
    /// Values of a key that hold `begun`, with how many of the operations that match have them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn values(&self, query: &Query, key: Key, begun: &str) -> Result<Values, StoreError> {
        let (query, begun, now) = (query.clone(), begun.to_owned(), self.0.clock.now());
        self.read(move |conn| super::values(conn, &query, key, &begun, now)).await
    }

    /// The costliest of the operations that match, at most [`super::LARGEST_PAGE`]; what cost nothing is not among them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn costliest(&self, query: &Query, limit: usize) -> Result<Vec<OperationRow>, StoreError> {
        let (query, now) = (query.clone(), self.0.clock.now());
        self.read(move |conn| super::costliest(conn, &query, limit, now)).await
    }

    /// One page of sessions with the sums of those of their operations that match: running ones first, then the newest.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session_sums(&self, query: &Query, before: Option<u64>, limit: usize) -> Result<Sessions, StoreError> {
        let (query, now) = (query.clone(), self.0.clock.now());
        self.read(move |conn| super::sessions(conn, &query, before, limit, now)).await
    }

    /// The record with this number; `None` where it is missing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn kept(&self, seq: u64) -> Result<Option<Kept>, StoreError> {
        self.read(move |conn| {
            let mut statement = conn.prepare_cached("SELECT record, hash FROM events WHERE seq = ?1")?;
            let mut find = |seq: u64| -> Result<Option<(String, String)>, StoreError> {
                Ok(statement.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
            };
            let Some((text, hash)) = find(seq)? else { return Ok(None) };
            let before = seq.checked_sub(1).map(&mut find).transpose()?.flatten();
            let hash = Digest(hash);
            let event = chain::read(&text, hash.clone()).ok();
            let prev = event.as_ref().map(|event| event.prev.clone());
            let holds = prev.as_ref().is_some_and(|prev| chain::link(prev, &text) == hash);
            // What begins after a cut has nothing before it to compare with.
            let follows = match &before {
                Some((_, before)) => prev.as_ref().is_some_and(|prev| prev.0 == *before),
                None => prev.is_some_and(|prev| seq > 1 || prev == chain::genesis()),
            };
            let seal = seals::covering(conn, seq)?;
            Ok(Some(Kept { event, text, hash, holds, follows, seal }))
        })
        .await
    }

    /// One session as a waterfall.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn flow(&self, session: &SessionId, query: &Query) -> Result<Flow, StoreError> {
        let (session, query, now) = (session.clone(), query.clone(), self.0.clock.now());
        self.read(move |conn| super::flow(conn, &session, &query, now)).await
    }
}
