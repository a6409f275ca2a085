//! What reads the store: committed state only, off the caller's thread.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use reeve_domain::agent::Agent;
use reeve_domain::approval::Approval;
use reeve_domain::budget::{Account, Balance, Spend};
use reeve_domain::chain::{Head, Seal, Verification, Verifier};
use reeve_domain::credential::Credential;
use reeve_domain::event::Event;
use reeve_domain::grant::Grant;
use reeve_domain::id::{AgentId, ApprovalId, OperationId, SessionId};
use reeve_domain::operation::Digest;
use reeve_domain::query::{OperationRow, Query};
use reeve_domain::server::{ServerRecord, ToolRecord};
use reeve_domain::session::Session;
use reeve_domain::shape::Asked;
use tokio::sync::{broadcast, watch};

use crate::error::StoreError;
use crate::search::{self, Ends, Facets, Histogram, Page, Rows};
use crate::tables::notices::Notices;
pub use crate::tables::operations::Activity;
use crate::tables::{
    agents, approvals, bindings, events, grants, operations, seals, servers, sessions, settings, spend,
};
use crate::{Store, audit_log, ledger};

/// One operation with its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    pub row: OperationRow,
    /// Oldest first.
    pub events: Vec<Event>,
    /// The first seal that covers all of them.
    pub seal: Option<Seal>,
}

/// Every method fails when the database cannot be read.
impl Store {
    /// Committed events in batches, from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Vec<Event>>> {
        self.0.events.subscribe()
    }

    /// The newest event's number and hash; 0 and zeros before the first.
    #[must_use]
    pub fn head(&self) -> Head {
        self.0.head.borrow().clone()
    }

    /// The newest seal, and every one after it: for copies in further places.
    #[must_use]
    pub fn latest_seal(&self) -> watch::Receiver<Option<Seal>> {
        self.0.seal.clone()
    }

    /// Why the last batch could not be recorded, while that is so.
    #[must_use]
    pub fn problem(&self) -> watch::Receiver<Option<StoreError>> {
        self.0.problem.clone()
    }

    /// Hash of an event.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn hash_at(&self, seq: u64) -> Result<Option<Digest>, StoreError> {
        self.read(move |conn| events::hash_at(conn, seq)).await
    }

    /// State of each account, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn balances(&self, accounts: Vec<Account>) -> Result<Vec<Balance>, StoreError> {
        self.read(move |conn| ledger::balances(conn, &accounts)).await
    }

    /// What was charged to each account since its instant, by slots of a quarter of an hour, oldest first, over all its
    /// windows.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn spend(&self, accounts: Vec<(Account, DateTime<Utc>)>) -> Result<Vec<Vec<Spend>>, StoreError> {
        self.read(move |conn| accounts.iter().map(|(account, since)| spend::since(conn, account, *since)).collect())
            .await
    }

    /// nano-USD of what began since then, by agent and by hours counted from then. Hours that cost nothing are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn cost_by_hour(&self, since: DateTime<Utc>) -> Result<Vec<(AgentId, i64, i64)>, StoreError> {
        self.read(move |conn| {
            let sql = "SELECT agent, (stamp - ?1) / 3600000, sum(cost) FROM operations \
                       WHERE stamp >= ?1 AND cost > 0 GROUP BY 1, 2 ORDER BY 2, 1";
            let mut statement = conn.prepare_cached(sql)?;
            let mut rows = statement.query([since.timestamp_millis()])?;
            let mut costs = Vec::new();
            while let Some(row) = rows.next()? {
                let agent =
                    AgentId::parse(&row.get::<_, String>(0)?).map_err(|e| StoreError::Damaged(e.to_string()))?;
                costs.push((agent, row.get(1)?, row.get(2)?));
            }
            Ok(costs)
        })
        .await
    }

    /// What each agent did since then. Agents that did nothing are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn activity(&self, since: DateTime<Utc>) -> Result<Vec<Activity>, StoreError> {
        self.read(move |conn| operations::activity(conn, since)).await
    }

    /// Registered agents, also removed ones.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn agents(&self) -> Result<Vec<Agent>, StoreError> {
        self.read(agents::all).await
    }

    /// Sessions, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sessions(&self, limit: usize) -> Result<Vec<Session>, StoreError> {
        self.read(move |conn| sessions::newest(conn, limit)).await
    }

    /// # Errors
    /// When the database cannot be read.
    pub async fn session(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let id = id.clone();
        self.read(move |conn| sessions::find(conn, &id)).await
    }

    /// # Errors
    /// When the database cannot be read.
    pub async fn approval(&self, id: &ApprovalId) -> Result<Option<Approval>, StoreError> {
        let id = id.clone();
        self.read(move |conn| approvals::find(conn, &id)).await
    }

    /// Open questions, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_approvals(&self) -> Result<Vec<Approval>, StoreError> {
        self.read(approvals::all_open).await
    }

    /// Questions, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn approvals(&self, limit: usize) -> Result<Vec<Approval>, StoreError> {
        self.read(move |conn| approvals::newest(conn, limit)).await
    }

    /// What the history of questions needs, of this agent or of all, asked since then, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn asked(
        &self,
        agent: Option<AgentId>,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Asked>, StoreError> {
        self.read(move |conn| approvals::asked(conn, agent.as_ref(), since, limit)).await
    }

    /// An approval of this very question, given since then, that nobody has used.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn unused_approval(
        &self,
        agent: &AgentId,
        user: &str,
        cwd: &str,
        question: &Digest,
        since: DateTime<Utc>,
    ) -> Result<Option<Approval>, StoreError> {
        let (agent, user, cwd, question) = (agent.clone(), user.to_owned(), cwd.to_owned(), question.clone());
        self.read(move |conn| approvals::unused(conn, &agent, &user, &cwd, &question, since)).await
    }

    /// The latest answer to this very question in this session.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_answer(
        &self,
        agent: &AgentId,
        session: &SessionId,
        question: &Digest,
    ) -> Result<Option<Approval>, StoreError> {
        let (agent, session, question) = (agent.clone(), session.clone(), question.clone());
        self.read(move |conn| approvals::last_answer(conn, &agent, &session, &question)).await
    }

    /// # Errors
    /// When the database cannot be read.
    pub async fn grants(&self) -> Result<Vec<Grant>, StoreError> {
        self.read(grants::all).await
    }

    /// # Errors
    /// When the database cannot be read.
    pub async fn credentials(&self) -> Result<Vec<Credential>, StoreError> {
        self.read(bindings::all).await
    }

    /// How many records are there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn recorded(&self) -> Result<u64, StoreError> {
        self.read(|conn| Ok(events::range(conn)?.map_or(0, |(first, last)| last - first + 1))).await
    }

    /// When the oldest record was made.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn recorded_since(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.read(|conn| Ok(events::first_stamp(conn)?.and_then(DateTime::from_timestamp_millis))).await
    }

    /// # Errors
    /// When the database cannot be read.
    pub async fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        let key = key.to_owned();
        self.read(move |conn| settings::get(conn, &key)).await
    }

    /// Which hosts each agent has reached, and whether by more than reads.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn seen_hosts(&self) -> Result<Vec<(AgentId, String, bool)>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare("SELECT agent, host, wrote FROM reached ORDER BY agent, host")?;
            let rows = statement.query_map((), |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?)))?;
            let mut seen = Vec::new();
            for row in rows {
                let (agent, host, wrote) = row?;
                seen.push((AgentId::parse(&agent).map_err(|e| StoreError::Damaged(e.to_string()))?, host, wrote));
            }
            Ok(seen)
        })
        .await
    }

    /// nano-USD settled by what began since then, by agent. Agents that cost nothing are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn cost_by_agent(&self, since: DateTime<Utc>) -> Result<Vec<(AgentId, i64)>, StoreError> {
        self.read(move |conn| {
            let sql = "SELECT agent, sum(cost) FROM operations WHERE stamp >= ?1 AND cost > 0 GROUP BY agent";
            let mut statement = conn.prepare_cached(sql)?;
            let rows =
                statement.query_map([since.timestamp_millis()], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
            let mut costs = Vec::new();
            for row in rows {
                let (agent, cost) = row?;
                costs.push((AgentId::parse(&agent).map_err(|e| StoreError::Damaged(e.to_string()))?, cost));
            }
            Ok(costs)
        })
        .await
    }

    /// MCP servers, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn servers(&self) -> Result<Vec<ServerRecord>, StoreError> {
        self.read(servers::all).await
    }

    /// Their tools, by server and name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn tools(&self) -> Result<Vec<ToolRecord>, StoreError> {
        self.read(servers::tools).await
    }

    /// What results of one version of a tool looked like, as JSON.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn shape(&self, server: &str, tool: &str, definition: &Digest) -> Result<Option<String>, StoreError> {
        let (server, tool, definition) = (server.to_owned(), tool.to_owned(), definition.clone());
        self.read(move |conn| servers::shape(conn, &server, &tool, &definition)).await
    }

    /// How the calls of tools among the operations that match ended.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn ends(&self, query: &Query) -> Result<Ends, StoreError> {
        let (query, now) = (query.clone(), self.0.clock.now());
        self.read(move |conn| search::ends(conn, &query, now)).await
    }

    /// One page of the operations that match, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn search(&self, query: &Query, page: Page) -> Result<Rows, StoreError> {
        let (query, now) = (query.clone(), self.0.clock.now());
        self.read(move |conn| search::search(conn, &query, page, now)).await
    }

    /// What happened beside operations and matches, newest first, between two ids of rows: below the first one, and down to
    /// the second one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn notices(&self, query: &Query, between: (Option<u64>, Option<u64>)) -> Result<Notices, StoreError> {
        let (query, now) = (query.clone(), self.0.clock.now());
        self.read(move |conn| search::notices(conn, &query, between, now)).await
    }

    /// Counts by value over the operations that match.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn facets(&self, query: &Query) -> Result<Facets, StoreError> {
        let (query, now) = (query.clone(), self.0.clock.now());
        self.read(move |conn| search::facets(conn, &query, now)).await
    }

    /// Counts by time and decision over the operations that match, in at most so many bins.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn histogram(&self, query: &Query, bins: usize) -> Result<Histogram, StoreError> {
        let (query, now) = (query.clone(), self.0.clock.now());
        self.read(move |conn| search::histogram(conn, &query, bins, now)).await
    }

    /// The row of an operation.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn operation(&self, id: &OperationId) -> Result<Option<OperationRow>, StoreError> {
        let id = id.clone();
        self.read(move |conn| operations::find(conn, &id)).await
    }

    /// An operation with its records and their seal.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn detail(&self, id: &OperationId) -> Result<Option<Detail>, StoreError> {
        let id = id.clone();
        self.read(move |conn| {
            let Some(row) = operations::find(conn, &id)? else { return Ok(None) };
            let events = events::of_operation(conn, &id)?;
            let last = events.last().map_or(row.record, |event| event.seq);
            Ok(Some(Detail { row, events, seal: seals::covering(conn, last)? }))
        })
        .await
    }

    /// Records of any kind, newest first, before a number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn events(&self, before: Option<u64>, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.read(move |conn| events::newest(conn, before, limit)).await
    }

    /// Proves the whole record against its seals, in the database and in the mirror.
    ///
    /// # Errors
    /// When database or mirror cannot be read. That the record is not in order is no error but the answer.
    pub async fn verify(&self) -> Result<Verification, StoreError> {
        self.verify_with(Vec::new()).await
    }

    /// The same, also against seals that were kept elsewhere.
    ///
    /// # Errors
    /// As [`Store::verify`].
    pub async fn verify_with(&self, mut witnesses: Vec<Seal>) -> Result<Verification, StoreError> {
        let (key, mirror) = (self.verifying_key(), self.0.mirror.clone());
        self.read(move |conn| {
            // Read before the events: what was sealed then is among the events read later.
            if let Some(mirror) = mirror {
                witnesses.extend(audit_log::mirrored(&mirror)?);
            }
            witnesses.extend(seals::all(conn)?);
            let mut verifier = Verifier::of_record(&witnesses, key.as_ref());
            let sql = "SELECT record, hash FROM events ORDER BY seq";
            let read = events::for_each(conn, sql, (), |record, hash| {
                verifier.push(record, hash);
                Ok(())
            });
            match read {
                Ok(()) => {}
                // Damage below SQL is a finding as well, at the place where reading stopped.
                Err(StoreError::Damaged(why) | StoreError::Database(why) | StoreError::Disk(why)) => {
                    verifier.push_unreadable(&why)
                }
                Err(other) => return Err(other),
            }
            Ok(verifier.finish())
        })
        .await
    }
}
