//! What changes the store: each call is one command of the writer, recorded and durable when it returns.

use chrono::{DateTime, Utc};
use reeve_domain::agent::Agent;
use reeve_domain::approval::{Approval, Resolved};
use reeve_domain::budget::Settlement;
use reeve_domain::credential::Credential;
use reeve_domain::event::{Draft, Event, EventBody};
use reeve_domain::grant::Grant;
use reeve_domain::id::{ApprovalId, CredentialId, GrantId};
use reeve_domain::money::NanoUsd;
use reeve_domain::operation::{Digest, Operation};
use reeve_domain::outcome::Outcome;
use reeve_domain::server::{ServerRecord, ToolRecord};
use reeve_domain::session::Session;
use reeve_domain::verdict::{Denial, Verdict};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::admission::{self, Admit, Admitted};
use crate::error::StoreError;
use crate::tables::{agents, bindings, grants, servers, sessions, settings};
use crate::writer::{Job, Orphaned, Task};
use crate::{Store, projection};

/// A change of what is kept beside the record.
#[derive(Debug, Clone)]
pub enum Change {
    /// Added, or replaced where its id is there.
    Agent(Agent),
    Grant(Grant),
    GrantRemoved(GrantId),
    /// What is known of a credential; never the secret.
    Credential(Credential),
    CredentialRemoved(CredentialId),
    Server(Box<ServerRecord>),
    Tool(Box<ToolRecord>),
    /// With its tools and the shapes of their results.
    ServerForgotten(String),
    /// What results of one version of a tool looked like, as JSON.
    Shape {
        server: String,
        tool: String,
        definition: Digest,
        body: String,
    },
    /// A switch that outlives a restart.
    Setting {
        key: String,
        value: String,
    },
}

impl Change {
    fn apply(&self, conn: &Connection) -> Result<(), StoreError> {
        match self {
            Self::Agent(agent) => agents::put(conn, agent),
            Self::Grant(grant) => grants::put(conn, grant),
            Self::GrantRemoved(id) => grants::remove(conn, id),
            Self::Credential(credential) => bindings::put(conn, credential),
            Self::CredentialRemoved(id) => bindings::remove(conn, id),
            Self::Server(server) => servers::put(conn, server),
            Self::Tool(tool) => servers::put_tool(conn, tool),
            Self::ServerForgotten(name) => servers::forget(conn, name),
            Self::Shape { server, tool, definition, body } => servers::put_shape(conn, server, tool, definition, body),
            Self::Setting { key, value } => settings::set(conn, key, value),
        }
    }
}

/// Every method fails when the command is not on disk; then it did not happen.
impl Store {
    /// Appends events, all or none.
    ///
    /// # Errors
    /// When they cannot be recorded.
    pub async fn append(&self, drafts: Vec<Draft>) -> Result<Vec<Event>, StoreError> {
        self.write(move |unit| drafts.into_iter().map(|draft| unit.append(draft)).collect()).await
    }

    /// Reserves, uses up the approval and records the admission as one step; or records the denial instead. An admission
    /// whose caller is gone before it hears of it is closed again at once, and costs nothing.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        let id = admit.operation.id.clone();
        let orphaned: Orphaned<Admitted> = Box::new(move |unheard| {
            matches!(unheard, Admitted::Yes { .. }).then(|| -> Box<dyn Job> {
                let nothing = Settlement {
                    amount: NanoUsd::ZERO,
                    worth: NanoUsd::ZERO,
                    tokens: 0,
                    estimated: false,
                    overrun: false,
                };
                let why = "the caller was gone before it was admitted".to_owned();
                let (reply, _) = oneshot::channel();
                Box::new(Task::new(move |unit| admission::abandon(unit, &id, why, Some(nothing)), reply, None, None))
            })
        });
        self.write_or_else(move |unit| admission::admit(unit, admit), Some(orphaned)).await
    }

    /// Records that an operation was turned away.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn deny(
        &self,
        operation: Operation,
        verdict: Option<Verdict>,
        denial: Denial,
        approval: Option<ApprovalId>,
    ) -> Result<Event, StoreError> {
        self.write(move |unit| admission::deny(unit, operation, verdict, denial, approval)).await
    }

    /// Records what came of an admitted operation, and releases its hold: charged is `settlement`, or the whole hold when
    /// there is none. What is above the hold is charged too, and recorded as an overrun.
    ///
    /// # Errors
    /// When it was not admitted or has an end already, or it cannot be recorded.
    pub async fn settle(
        &self,
        operation: Operation,
        outcome: Outcome,
        settlement: Option<Settlement>,
    ) -> Result<Event, StoreError> {
        self.write(move |unit| admission::settle(unit, &operation, outcome, settlement)).await
    }

    /// Records that nobody settled an admitted operation; the whole hold is charged unless `settlement` says otherwise.
    ///
    /// # Errors
    /// As [`Store::settle`].
    pub async fn abandon(
        &self,
        operation: Operation,
        why: String,
        settlement: Option<Settlement>,
    ) -> Result<Event, StoreError> {
        self.write(move |unit| admission::abandon(unit, &operation.id, why, settlement)).await
    }

    /// After a stop that was not clean: charges what was under way, expires open questions, ends open sessions. Returns
    /// the number of operations that were under way.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        self.write(admission::sweep).await
    }

    /// Puts a question.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn ask(&self, approval: Approval, operation: Operation, verdict: Verdict) -> Result<Event, StoreError> {
        self.write(move |unit| admission::ask(unit, approval, operation, verdict)).await
    }

    /// One more request waits for the same answer.
    ///
    /// # Errors
    /// When the question is not known or not open, or it cannot be recorded.
    pub async fn join_approval(&self, id: &ApprovalId) -> Result<Event, StoreError> {
        let id = id.clone();
        self.write(move |unit| admission::join(unit, &id)).await
    }

    /// Gives a question more time.
    ///
    /// # Errors
    /// As [`Store::join_approval`].
    pub async fn extend_approval(&self, id: &ApprovalId, until: DateTime<Utc>) -> Result<Event, StoreError> {
        let id = id.clone();
        self.write(move |unit| admission::extend(unit, &id, until)).await
    }

    /// Answers a question; the first answer counts.
    ///
    /// # Errors
    /// As [`Store::join_approval`].
    pub async fn resolve_approval(&self, id: &ApprovalId, resolved: Resolved) -> Result<Event, StoreError> {
        self.resolve_approval_with(id, resolved, Vec::new(), Vec::new()).await
    }

    /// The same together with what the answer leaves in force and the events about that: all or none.
    ///
    /// # Errors
    /// As [`Store::join_approval`].
    pub async fn resolve_approval_with(
        &self,
        id: &ApprovalId,
        resolved: Resolved,
        changes: Vec<Change>,
        drafts: Vec<Draft>,
    ) -> Result<Event, StoreError> {
        let id = id.clone();
        self.write(move |unit| {
            let event = admission::resolve(unit, &id, resolved)?;
            changes.iter().try_for_each(|change| change.apply(unit.conn))?;
            drafts.into_iter().try_for_each(|draft| unit.append(draft).map(|_| ()))?;
            Ok(event)
        })
        .await
    }

    /// Answers a question that expired: for the next one who asks the very same.
    ///
    /// # Errors
    /// When the question is not known or did not expire, or it cannot be recorded.
    pub async fn resolve_late(&self, id: &ApprovalId, resolved: Resolved) -> Result<Event, StoreError> {
        let id = id.clone();
        self.write(move |unit| admission::resolve_late(unit, &id, resolved)).await
    }

    /// Opens a session and records it. Only the hash of its token is kept, in hexadecimal. Its end is recorded by
    /// appending `session.ended`.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn open_session(&self, session: Session, token_hash: String) -> Result<Event, StoreError> {
        self.write(move |unit| {
            sessions::open(unit.conn, &session, &token_hash)?;
            unit.append(Draft {
                agent: Some(session.agent.clone()),
                session: Some(session.id.clone()),
                operation: None,
                body: EventBody::SessionOpened { session },
            })
        })
        .await
    }

    /// Changes what is kept beside the record and appends the events about it, as one step: all or none.
    ///
    /// # Errors
    /// When it cannot be recorded; then nothing changed.
    pub async fn append_with(&self, changes: Vec<Change>, drafts: Vec<Draft>) -> Result<Vec<Event>, StoreError> {
        self.write(move |unit| {
            changes.iter().try_for_each(|change| change.apply(unit.conn))?;
            drafts.into_iter().map(|draft| unit.append(draft)).collect()
        })
        .await
    }

    /// Makes every operation row and the index again from the events. Returns how many events that took.
    ///
    /// # Errors
    /// When an event cannot be read or the rows cannot be written; then the old ones stay.
    pub async fn rebuild(&self) -> Result<u64, StoreError> {
        self.write(projection::rebuild).await
    }

    /// Bounds the size of the database, in pages of 4096 bytes; what would pass it fails like a full disk.
    ///
    /// # Errors
    /// When it cannot be set.
    pub async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        self.write(move |unit| {
            let sql = format!("PRAGMA max_page_count = {pages}");
            Ok(unit.conn.query_row(&sql, (), |_| Ok(()))?)
        })
        .await
    }
}
