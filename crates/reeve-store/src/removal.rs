//! Taking away the oldest part of the record, or all of it. First an event says so, signed; then what it names goes in small
//! steps, each a transaction, so that a crash at any moment leaves a record that verifies and goes on going.

use chrono::{DateTime, Duration, Utc};
use ed25519_dalek::SigningKey;
use reeve_domain::chain::{Removal, RemovalCause, Seal, read};
use reeve_domain::event::{Draft, Event, EventBody};
use reeve_domain::operation::Digest;
use rusqlite::{Connection, OptionalExtension as _};

use crate::Store;
use crate::audit_log;
use crate::error::StoreError;
use crate::tables::{approvals, events, notices, operations, seals, sessions, settings};
use crate::unit::{Indexing, Unit};
use crate::writer::{COMPACT, REINDEX};

/// Records of the last day stay whatever the record may weigh: what is under way needs them, and so does who asks what
/// happened just now.
const SURELY_KEPT: Duration = Duration::days(1);

/// How far beyond the record a seal by another key may be for the numbers to go on after it: it may be left of a key that was
/// replaced. One that is further off was made up, and would use the numbers up.
const FOREIGN_REACH: u64 = 1_000_000;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// Records made before go; `None`: none by age.
    pub since: Option<DateTime<Utc>>,
    /// Bytes that the record may take; `None`: no limit.
    pub bytes: Option<u64>,
}

/// What would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removable {
    /// Number of the last record that goes.
    pub last: u64,
    pub records: u64,
    pub operations: u64,
    /// About so many bytes.
    pub bytes: u64,
    /// When the last of them was made.
    pub until: DateTime<Utc>,
    pub cause: RemovalCause,
}

/// What the database takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Bytes of the file without its log.
    pub bytes: u64,
    /// Of these, bytes that hold nothing.
    pub free: u64,
}

/// Every method fails when the database cannot be read; those that change something also when it is not on disk, and then
/// nothing changed.
impl Store {
    /// What would go if so much were kept; `None`: nothing. What is held, under way or not settled stays, with all that was
    /// recorded after it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn removable(&self, keep: Keep) -> Result<Option<Removable>, StoreError> {
        let now = self.0.clock.now();
        self.read(move |conn| removable(conn, keep, now)).await
    }

    /// Records that everything up to `last` goes. It goes with [`Store::remove_some`].
    ///
    /// # Errors
    /// When there is no key to sign with, or something up to there is held, under way, not settled or not there.
    pub async fn begin_removal(&self, last: u64, cause: RemovalCause) -> Result<Event, StoreError> {
        let key = self.0.key.clone().ok_or(StoreError::NoKey)?;
        self.write(move |unit| begin(unit, &key, last, cause)).await
    }

    /// Takes away at most so many records of what is to go, oldest first, with all that was made of them. Says whether more
    /// is left.
    ///
    /// # Errors
    /// When it cannot be done; then none of them went.
    pub async fn remove_some(&self, most: u64) -> Result<bool, StoreError> {
        let key = self.verifying_key().ok_or(StoreError::NoKey)?;
        // Looked at first: a write that changes nothing would say that writing works.
        if !self.read(|conn| Ok(left(conn)?.is_some())).await? {
            return Ok(false);
        }
        self.write(move |unit| {
            // Only what Reeve itself signed is a reason to remove anything.
            match newest(unit.conn)? {
                Some((_, removal)) if removal.is_signed_by(&key) => step(unit, removal.last, most),
                Some((seq, _)) => Err(StoreError::Damaged(format!("record {seq}, a removal that Reeve did not sign"))),
                None => Ok(false),
            }
        })
        .await
    }

    /// The last removal that Reeve signed, with the number of its event.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn removal(&self) -> Result<Option<(u64, Removal)>, StoreError> {
        let key = self.verifying_key();
        let found = self.read(newest).await?;
        Ok(found.filter(|(_, removal)| key.is_some_and(|key| removal.is_signed_by(&key))))
    }

    /// Gives back at most so many free pages of the file to the disk, while more than a tenth of it is free. Says whether
    /// more is left to give.
    ///
    /// # Errors
    /// When it cannot be done.
    pub async fn shrink(&self, pages: u32) -> Result<bool, StoreError> {
        if !self.read(|conn| Ok(is_worth_shrinking(size(conn)?))).await? {
            return Ok(false);
        }
        self.write(move |unit| shrink(unit.conn, pages)).await
    }

    /// What the database takes.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn size(&self) -> Result<Size, StoreError> {
        self.read(size).await
    }

    /// Takes away everything that was recorded: records, operations, questions, answers, ended sessions, charts. Sums of
    /// budgets, agents, credentials and switches stay. What is left is one event that says so. All or nothing.
    ///
    /// `problem` is what a verification found just before, `witnessed` the head that was kept elsewhere.
    ///
    /// # Errors
    /// When there is no key to sign with, a session is open, or something is held or under way.
    pub async fn wipe(
        &self,
        by: String,
        problem: Option<String>,
        witnessed: Option<Seal>,
    ) -> Result<Event, StoreError> {
        let key = self.0.key.clone().ok_or(StoreError::NoKey)?;
        let mirror = self.0.mirror.clone();
        self.write(move |unit| {
            let mirrored = mirror.as_deref().map_or(Ok(Vec::new()), audit_log::mirrored)?;
            let own = key.verifying_key();
            let reach = unit.chain.seq.saturating_add(FOREIGN_REACH);
            let sealed = mirrored.into_iter().chain(seals::all(unit.conn)?).chain(witnessed);
            let sealed = sealed.filter(|seal| seal.seq <= reach || seal.is_signed_by(&own)).map(|seal| seal.seq).max();
            // A command before this one in the batch may have left documents to write; if this fails they still have to be.
            let waiting = std::mem::take(unit.indexing);
            let wiped = wipe(unit, &key, by, problem, sealed.unwrap_or(0));
            if wiped.is_err() {
                *unit.indexing = waiting;
            }
            wiped
        })
        .await
    }
}

/// The newest removal and the number of its event.
fn newest(conn: &Connection) -> Result<Option<(u64, Removal)>, StoreError> {
    let sql = "SELECT e.seq, e.record, e.hash FROM removals r JOIN events e USING (seq) ORDER BY seq DESC LIMIT 1";
    let mut statement = conn.prepare_cached(sql)?;
    let found = statement.query_row((), |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))).optional()?;
    let Some((seq, record, hash)) = found else { return Ok(None) };
    match read(&record, Digest(hash))?.body {
        EventBody::RecordsRemoved { removal, .. } => Ok(Some((seq, removal))),
        _ => Err(StoreError::Damaged(format!("record {seq} is no removal"))),
    }
}

fn removable(conn: &Connection, keep: Keep, now: DateTime<Utc>) -> Result<Option<Removable>, StoreError> {
    let Some((first, newest)) = events::range(conn)? else { return Ok(None) };
    let all = newest - first + 1;
    let size = size(conn)?;
    let used = size.bytes.saturating_sub(size.free);
    let by_age = keep.since.map_or(Ok(0), |since| events::last_before(conn, since))?;
    let by_size = match keep.bytes.filter(|most| used > *most) {
        // A little more than has to go, so that not every hour has its removal.
        Some(most) => {
            let over = used - most / 10 * 9;
            let records = u128::from(all) * u128::from(over) / u128::from(used.max(1));
            let last = first + u64::try_from(records).unwrap_or(all);
            last.min(events::last_before(conn, now - SURELY_KEPT)?)
        }
        None => 0,
    };
    let (last, cause) = if by_size > by_age { (by_size, RemovalCause::Size) } else { (by_age, RemovalCause::Age) };
    let last = last.min(bound(conn)?);
    if last < first {
        return Ok(None);
    }
    let records = last - first + 1;
    // The stamps found it, which nothing vouches for; how old it is, the record itself says, whose hash is in the chain.
    let Some(until) = events::made_at(conn, last)? else { return Ok(None) };
    let before = if cause == RemovalCause::Age { keep.since.unwrap_or(until) } else { now - SURELY_KEPT };
    if until >= before {
        return Err(StoreError::Damaged(format!("record {last} is stamped older than it is")));
    }
    let share = u128::from(used) * u128::from(records) / u128::from(all.max(1));
    Ok(Some(Removable {
        last,
        records,
        operations: operations::count_until(conn, until)?,
        bytes: u64::try_from(share).unwrap_or(used),
        until,
        cause,
    }))
}

/// The last record that may go at all: before the first one of anything that is held, under way or not settled.
fn bound(conn: &Connection) -> Result<u64, StoreError> {
    let mut needed: Vec<u64> = operations::all_open(conn)?.iter().map(|row| row.record).collect();
    let sql = "SELECT min(seq) FROM events WHERE operation IN (SELECT operation FROM reservations)";
    needed.extend(conn.prepare_cached(sql)?.query_row((), |row| row.get::<_, Option<u64>>(0))?);
    Ok(needed.into_iter().min().map_or(u64::MAX, |first| first.saturating_sub(1)))
}

fn begin(unit: &mut Unit<'_>, key: &SigningKey, last: u64, cause: RemovalCause) -> Result<Event, StoreError> {
    let missing = || StoreError::NotFound { what: "record", name: last.to_string() };
    let (first, _) = events::range(unit.conn)?.ok_or_else(missing)?;
    let head = events::hash_at(unit.conn, last)?.ok_or_else(missing)?;
    if last > bound(unit.conn)? {
        return Err(StoreError::Underway);
    }
    let count = last - first + 1;
    record(unit, key, (first, last, count), head, (cause, None, None))
}

/// Appends the event, and remembers where it is.
fn record(
    unit: &mut Unit<'_>,
    key: &SigningKey,
    (first, last, count): (u64, u64, u64),
    head: Digest,
    (cause, by, problem): (RemovalCause, Option<String>, Option<String>),
) -> Result<Event, StoreError> {
    let removal = Removal { first, last, count, head, cause, at: unit.now(), signature: String::new() }.signed(key);
    let event = unit.append(Draft::engine(EventBody::RecordsRemoved { removal, by, problem }))?;
    unit.conn.prepare_cached("DELETE FROM removals")?.execute(())?;
    unit.conn.prepare_cached("INSERT INTO removals (seq, last) VALUES (?1, ?2)")?.execute((event.seq, last))?;
    Ok(event)
}

/// The first of what is to go and is still there, and the last.
fn left(conn: &Connection) -> Result<Option<(u64, u64)>, StoreError> {
    let sql = "SELECT last FROM removals ORDER BY seq DESC LIMIT 1";
    let last: Option<u64> = conn.prepare_cached(sql)?.query_row((), |row| row.get(0)).optional()?;
    let first = events::range(conn)?.map(|(first, _)| first);
    Ok(first.zip(last).filter(|(first, last)| first <= last))
}

fn step(unit: &mut Unit<'_>, last: u64, most: u64) -> Result<bool, StoreError> {
    let Some((first, _)) = events::range(unit.conn)?.filter(|(first, _)| *first <= last) else { return Ok(false) };
    let until = last.min(first.saturating_add(most.max(1) - 1));
    // What is freed is overwritten, as far as SQLite knows where it was, and not only let go of: until the index, which the
    // writer brings up to date after this and in idle time, is written anew as well.
    unit.conn.pragma_update(None, "secure_delete", true)?;
    remove(unit, first, until)?;
    if until == last {
        settings::set(unit.conn, REINDEX, "")?;
        *unit.reindex = true;
    }
    Ok(until < last)
}

fn remove(unit: &mut Unit<'_>, first: u64, until: u64) -> Result<(), StoreError> {
    let conn = unit.conn;
    let mut going = Vec::new();
    let sql = "SELECT record, hash FROM events WHERE seq BETWEEN ?1 AND ?2";
    events::for_each(conn, sql, (first, until), |text, hash| {
        // One that cannot be read goes as well: it was verified before the removal was recorded.
        going.extend(read(text, hash.clone()).ok());
        Ok(())
    })?;
    for event in &going {
        if let Some(id) = operations::remove_closed(conn, event.operation.as_ref())? {
            unit.indexing.push(Indexing::Remove { id });
        }
        match (&event.body, &event.session) {
            (EventBody::ApprovalRequested { approval, .. }, _) => approvals::remove_closed(conn, &approval.id)?,
            (EventBody::ApprovalResolved { approval, .. }, _) => approvals::remove_closed(conn, approval)?,
            (EventBody::SessionEnded { .. }, Some(session)) => sessions::remove_ended(conn, session)?,
            _ => {}
        }
    }
    conn.prepare_cached("DELETE FROM events WHERE seq BETWEEN ?1 AND ?2")?.execute((first, until))?;
    notices::remove(conn, first, until)?;
    // What vouched for them outside of the database stays there.
    conn.prepare_cached("DELETE FROM seals WHERE seq <= ?1")?.execute([until])?;
    Ok(())
}

fn wipe(
    unit: &mut Unit<'_>,
    key: &SigningKey,
    by: String,
    problem: Option<String>,
    sealed: u64,
) -> Result<Event, StoreError> {
    let conn = unit.conn;
    let reserved: bool = conn.query_row("SELECT EXISTS (SELECT 1 FROM reservations)", (), |row| row.get(0))?;
    if reserved || !sessions::all_open(conn)?.is_empty() || !operations::all_open(conn)?.is_empty() {
        return Err(StoreError::Underway);
    }
    let first = events::range(conn)?.map_or(1, |(first, _)| first);
    let count = conn.query_row("SELECT count(*) FROM events", (), |row| row.get(0))?;
    let head = unit.chain.hash.clone();
    // The numbers go on, so that every seal kept elsewhere stays in order. Where the record was not, no seal may stand at
    // the last number: it would vouch for what nobody can show any more.
    let newest = unit.chain.seq.max(sealed);
    let last = if problem.is_some() || newest > unit.chain.seq { newest + 1 } else { newest };
    conn.execute_batch(
        "DELETE FROM events; DELETE FROM notices; DELETE FROM seals; DELETE FROM operations; DELETE FROM bodies; DELETE FROM dictionary; \
         DELETE FROM reached; DELETE FROM spend; DELETE FROM sessions; DELETE FROM approvals; DELETE FROM grants; \
         DELETE FROM slots; DELETE FROM asked; \
         DELETE FROM settings WHERE key = 'witnessed'; INSERT INTO operations_fts (operations_fts) VALUES ('delete-all');",
    )?;
    unit.caches.clear();
    unit.chain.seq = last;
    let event = record(unit, key, (first, last, count), head, (RemovalCause::Wipe, Some(by), problem))?;
    settings::set(unit.conn, COMPACT, "")?;
    *unit.compact = true;
    Ok(event)
}

fn size(conn: &Connection) -> Result<Size, StoreError> {
    let read = |name: &str| conn.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    let page = read("page_size")?;
    Ok(Size { bytes: read("page_count")? * page, free: read("freelist_count")? * page })
}

fn is_worth_shrinking(size: Size) -> bool {
    size.free > size.bytes / 10
}

fn shrink(conn: &Connection, pages: u32) -> Result<bool, StoreError> {
    let before = size(conn)?;
    // It gives back one page a row.
    let mut statement = conn.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut rows = statement.query(())?;
    while rows.next()?.is_some() {}
    let after = size(conn)?;
    // A file of an older format keeps its pages, and fills them again.
    Ok(after.free < before.free && is_worth_shrinking(after))
}
