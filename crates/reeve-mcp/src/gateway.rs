//! The gateway: one for all connections that carry MCP, whatever their transport.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::SessionId;
use reeve_domain::verdict::{Denial, DenialKind};
use reeve_engine::{Engine, LiveSession};
use reeve_protocol::denial;

use crate::isolation::Isolation;
use crate::lists::Seen;
use crate::message::{self, Answer};
use crate::pins::Files;
use crate::scan::Scanner;
use crate::schema::Schemas;
use crate::tasks::Tasks;

/// Most servers that one session reaches by their address and whose state is kept. The oldest goes first, and is known anew.
const MOST_REMOTE: usize = 256;

/// Shared by all transports; cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    engine: Engine,
    isolation: Isolation,
    schemas: Schemas,
    /// Drawn anew by each process: makes the marks that stand for personal data.
    marks_key: [u8; 32],
    scanner: Arc<Scanner>,
    files: Arc<Files>,
    /// What sessions heard of servers that they reach by their address, oldest first; as long as they run.
    remote: Mutex<HashMap<SessionId, Vec<(String, Arc<Seen>)>>>,
    /// Calls of running sessions whose results come later.
    tasks: Tasks,
}

impl Gateway {
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        Self(Arc::new(Inner {
            engine,
            isolation: Isolation::default(),
            schemas: Schemas::default(),
            marks_key: rand::random(),
            scanner: Arc::default(),
            files: Arc::default(),
            remote: Mutex::default(),
            tasks: Tasks::default(),
        }))
    }

    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn schemas(&self) -> &Schemas {
        &self.0.schemas
    }

    pub(crate) fn marks_key(&self) -> &[u8] {
        &self.0.marks_key
    }

    pub(crate) fn scanner(&self) -> &Arc<Scanner> {
        &self.0.scanner
    }

    pub(crate) fn files(&self) -> &Arc<Files> {
        &self.0.files
    }

    /// What a session heard of a server that it reaches by its address, over all its requests.
    #[must_use]
    pub fn seen(&self, session: &LiveSession, server: &str) -> Arc<Seen> {
        let mut remote = self.0.remote.lock();
        let known = remote.entry(session.id().clone()).or_insert_with(|| {
            self.forget_after(session);
            Vec::new()
        });
        if let Some((_, seen)) = known.iter().find(|(name, _)| name == server) {
            return Arc::clone(seen);
        }
        if known.len() >= MOST_REMOTE {
            known.remove(0);
        }
        let seen = Arc::<Seen>::default();
        known.push((server.to_owned(), Arc::clone(&seen)));
        seen
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    /// Lets go of what is kept for a session once it is over.
    pub(crate) fn forget_after(&self, session: &LiveSession) {
        let (inner, id, ended) = (Arc::downgrade(&self.0), session.id().clone(), session.ended().clone());
        tokio::spawn(async move {
            ended.cancelled().await;
            if let Some(inner) = inner.upgrade() {
                inner.remote.lock().remove(&id);
                inner.tasks.lock().remove(&id);
            }
        });
    }

    pub(crate) fn isolation(&self) -> &Isolation {
        &self.0.isolation
    }

    /// The answer to a request that a rule keeps from the server; it is no call of a tool. `None`: it passes.
    pub async fn refuses(&self, session: &LiveSession, server: &str, method: &str) -> Option<Answer> {
        let reason = session.refused_method(self.engine().policies(), server, method)?;
        if self.observes(session) {
            return None;
        }
        let (message, advice) = (format!("`{method}` to the server `{server}`"), "go on without it".to_owned());
        let denial = Denial { kind: DenialKind::Policy, message, advice, reasons: vec![reason], record: None };
        let said = denial::text(&denial);
        self.record_refused(session, "a rule keeps this method from the server", format!("{server}: {method}")).await;
        // To clients it is one that the server does not have.
        Some(message::failure(-32601, said))
    }

    /// Records bytes that never became an operation. They are refused whether or not that works.
    pub async fn record_refused(&self, session: &LiveSession, why: &str, detail: String) {
        let draft = Draft {
            agent: Some(session.session.agent.clone()),
            session: Some(session.id().clone()),
            operation: None,
            body: EventBody::ConnectionRefused { why: why.to_owned(), detail },
        };
        if let Err(error) = self.engine().gate().record(draft).await {
            tracing::error!(%error, "could not record what was refused");
        }
    }
}
