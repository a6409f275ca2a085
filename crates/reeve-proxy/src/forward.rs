//! The way to the upstream: only what was admitted takes it. Names are resolved once, every address is checked, the
//! checked address is the one connected to; connections are shared within one session and credential only.

mod dial;
mod http1;
mod http2;
mod pool;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::HeaderMap;
use reeve_domain::address::Ranges;
use reeve_domain::host::Authority;
use reeve_domain::id::{CredentialId, SessionId};
use reeve_domain::operation::Scheme;
use reeve_engine::settings::Upstream;

use crate::forward::dial::Dialer;
use crate::forward::pool::{Pool, PoolKey, Pooled};
use crate::io::BoxStream;
use crate::payload::{Payload, PayloadError};
use crate::tls::upstream::UpstreamTls;

/// Idle upstream connections are closed after this.
const IDLE: Duration = Duration::from_secs(60);

/// Where one admitted request goes, and what its connection may be shared with.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub session: SessionId,
    /// The credential that is injected, where one is.
    pub credential: Option<CredentialId>,
    pub scheme: Scheme,
    pub authority: Authority,
    /// Special-purpose addresses that a rule names for this request.
    pub permitted: Ranges,
    /// The request asks for an upgrade: a connection of its own, HTTP/1.1 only.
    pub upgrade: bool,
}

/// A request as it goes upstream.
pub(crate) struct Outgoing {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// End-to-end headers.
    pub headers: HeaderMap,
    pub body: OutgoingBody,
    pub upgrade: Option<String>,
    pub trailers: bool,
}

/// The body of a request that goes upstream.
pub(crate) enum OutgoingBody {
    Whole(Bytes),
    Stream { payload: Payload, length: Option<u64> },
}

/// What the upstream answered.
pub(crate) enum Answered {
    Response(Response<Payload>),
    /// `101`: the connection belongs to the other protocol now.
    Upgraded(Response<()>, BoxStream),
}

/// An answer, and the address it came from.
pub(crate) struct Reached {
    pub answered: Answered,
    pub peer: SocketAddr,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForwardError {
    /// Nothing was sent.
    #[error("`{host}` leads to {address}, which is {what} ({range}); no rule permits that address for it")]
    Address { host: String, address: String, what: &'static str, range: &'static str },
    /// Nothing was sent.
    #[error("`{host}` leads to a port of Reeve itself")]
    OwnPort { host: String },
    /// Nothing was sent.
    #[error("{0}")]
    Unreachable(String),
    /// The request was sent, in part at least.
    #[error("{0}")]
    Broken(String),
    /// The client's own body broke off while it was sent.
    #[error(transparent)]
    Body(#[from] PayloadError),
}

/// Sends admitted requests upstream.
pub(crate) struct Forwarder {
    dialer: Dialer,
    pool: Arc<Pool>,
}

impl Forwarder {
    /// `own_port`: the port of the proxy itself, which nothing may be sent to.
    pub fn new(upstream: &Upstream, tls: UpstreamTls, own_port: u16) -> Result<Self, String> {
        Ok(Self { dialer: Dialer::new(upstream, tls, own_port)?, pool: Arc::new(Pool::default()) })
    }

    /// Sends one request and waits for the head of its answer. `sent` is called right before its first byte leaves.
    ///
    /// # Errors
    /// See the variants; those that say so have sent nothing.
    pub async fn send(&self, route: &Route, outgoing: Outgoing, sent: impl Fn()) -> Result<Reached, ForwardError> {
        let key = PoolKey::of(route);
        if !route.upgrade
            && let Some(pooled) = self.pool.take(&key, |peer| self.dialer.may_reach(route, peer))
        {
            sent();
            return self.over(pooled, key, route, outgoing, &sent).await;
        }
        self.over_new(key, route, outgoing, &sent).await
    }

    async fn over(
        &self,
        pooled: Pooled,
        key: PoolKey,
        route: &Route,
        outgoing: Outgoing,
        sent: &impl Fn(),
    ) -> Result<Reached, ForwardError> {
        let peer = pooled.peer();
        match pooled {
            Pooled::Http1(connection) => {
                let release = self.pool.release(key);
                let answered = connection.send(outgoing, &route.authority, route.scheme, Some(release)).await?;
                Ok(Reached { answered, peer })
            }
            Pooled::Http2(connection) => match connection.send(outgoing, &route.authority).await {
                Ok(response) => Ok(Reached { answered: Answered::Response(response), peer }),
                // The connection was closing, and the request came back unsent.
                Err(http2::SendError::Unsent(outgoing)) => self.over_new(key, route, *outgoing, sent).await,
                Err(http2::SendError::Failed(error)) => Err(error),
            },
        }
    }

    async fn over_new(
        &self,
        key: PoolKey,
        route: &Route,
        outgoing: Outgoing,
        sent: &impl Fn(),
    ) -> Result<Reached, ForwardError> {
        let dialled = self.dialer.dial(route).await?;
        let peer = dialled.peer;
        if dialled.http2 {
            let connection = http2::Http2::open(dialled.io, peer).await?;
            self.pool.share(key, &connection);
            sent();
            return match connection.send(outgoing, &route.authority).await {
                Ok(response) => Ok(Reached { answered: Answered::Response(response), peer }),
                Err(http2::SendError::Unsent(_)) => {
                    Err(ForwardError::Unreachable("the upstream closed the connection at once".to_owned()))
                }
                Err(http2::SendError::Failed(error)) => Err(error),
            };
        }
        let release = (!route.upgrade).then(|| self.pool.release(key));
        let connection = http1::Http1::new(dialled.io, peer);
        sent();
        let answered = connection.send(outgoing, &route.authority, route.scheme, release).await?;
        Ok(Reached { answered, peer })
    }

    /// Closes what is idle for a session that ended.
    pub fn forget(&self, session: &SessionId) {
        self.pool.forget(session);
    }

    /// Closes what is idle for long.
    pub fn sweep(&self) {
        self.pool.sweep(IDLE);
    }
}
