//! Who is on a connection and where it leads: what every request on it is held to.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::host::Authority;
use reeve_domain::id::SessionId;
use reeve_domain::operation::Scheme;
use reeve_domain::sensitive::Secret;
use reeve_engine::origin::Origin;
use reeve_engine::{Engine, LiveSession};
use reeve_protocol::Providers;
use tokio::sync::Semaphore;

use crate::attribution::Attributor;
use crate::exchange::http2::unread::Unread;
use crate::exchange::mcp::{Calls, Lanes, Opened, Places, Questions};
use crate::forward::Forwarder;
use crate::mask::Masks;
use crate::tls::authority::SessionAuthority;
use crate::tools::ToolMouth;

/// What all connections of one proxy share.
pub(crate) struct Shared {
    pub engine: Engine,
    pub desks: Mutex<HashMap<SessionId, Desk>>,
    pub providers: Providers,
    pub forwarder: Forwarder,
    pub attributor: Attributor,
    pub unread: Unread,
    /// What governs MCP; set once, before anybody can reach the proxy.
    pub tools: OnceLock<Arc<dyn ToolMouth>>,
    pub calls: Calls,
}

/// What the proxy keeps for one live session.
#[derive(Clone)]
pub(crate) struct Desk {
    pub authority: Arc<SessionAuthority>,
    /// One permit per exchange under way.
    pub room: Arc<Semaphore>,
    pub masks: Arc<Masks>,
    /// Where it speaks MCP.
    pub places: Arc<Places>,
    /// MCP sessions that servers there gave to it.
    pub opened: Arc<Opened>,
    /// What it asked there and has no answer to.
    pub questions: Arc<Questions>,
    /// Streams on which servers answer all that is posted elsewhere.
    pub lanes: Arc<Lanes>,
    /// Processes that use its token and are not its own, as far as they were recorded.
    pub strangers: Arc<Mutex<HashSet<u32>>>,
}

/// One connection, or one absolute-form request on a shared connection.
#[derive(Clone)]
pub(crate) struct Channel {
    pub shared: Arc<Shared>,
    pub session: Arc<LiveSession>,
    /// What the client identified itself with.
    pub token: Secret,
    pub scheme: Scheme,
    pub target: Authority,
    /// The registered MCP server that the connection is for, where the endpoint made it.
    pub server: Option<Arc<str>>,
    /// Whose it is.
    pub origin: Origin,
}

impl Shared {
    pub fn desk(&self, session: &SessionId) -> Option<Desk> {
        self.desks.lock().get(session).cloned()
    }

    /// The running session that a token belongs to.
    pub fn authenticate(&self, token: &Secret) -> Option<Arc<LiveSession>> {
        let text = std::str::from_utf8(token.expose()).ok()?;
        self.engine.sessions().authenticate(text)
    }

    /// Records bytes that never became an operation. They are refused whether or not that works.
    pub async fn record_refused(&self, session: Option<&LiveSession>, why: &str, detail: &str) {
        let body = EventBody::ConnectionRefused { why: why.to_owned(), detail: detail.to_owned() };
        self.record(session, body).await;
    }

    /// Records an event of a connection.
    pub async fn record(&self, session: Option<&LiveSession>, body: EventBody) {
        let draft = Draft {
            agent: session.map(|s| s.session.agent.clone()),
            session: session.map(|s| s.session.id.clone()),
            operation: None,
            body,
        };
        if let Err(error) = self.engine.gate().record(draft).await {
            tracing::error!(%error, "could not record an event of a connection");
        }
    }
}

impl Channel {
    /// Whether the session of this connection still runs and its token still is the one it was opened with.
    pub fn is_live(&self) -> bool {
        self.shared.authenticate(&self.token).is_some_and(|live| live.id() == self.session.id())
    }

    pub async fn record_refused(&self, why: &str, detail: &str) {
        self.shared.record_refused(Some(&self.session), why, detail).await;
    }
}
