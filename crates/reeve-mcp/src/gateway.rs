//! The gateway: one for all connections that carry MCP, whatever their transport.

use std::sync::Arc;

use reeve_domain::event::{Draft, EventBody};
use reeve_engine::{Engine, LiveSession};

use crate::isolation::Isolation;

/// Shared by all transports; cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    engine: Engine,
    isolation: Isolation,
}

impl Gateway {
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        Self(Arc::new(Inner { engine, isolation: Isolation::default() }))
    }

    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn isolation(&self) -> &Isolation {
        &self.0.isolation
    }

    /// Records bytes that never became an operation. They are refused whether or not that works.
    pub(crate) async fn record_refused(&self, session: &LiveSession, why: &str, detail: String) {
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
