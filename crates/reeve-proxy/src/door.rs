//! A second way in: requests that reached the MCP endpoint and are for a registered remote server. They take every step that
//! a request over the proxy takes.

use std::sync::Arc;

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Method, Response};
use reeve_domain::host::Authority;
use reeve_domain::operation::Scheme;
use reeve_domain::sensitive::Secret;
use reeve_engine::LiveSession;
use reeve_engine::origin::Origin;

use crate::channel::Channel;
use crate::exchange::exchange;
use crate::exchange::request::Incoming;
use crate::listener::Proxy;
use crate::payload::{Payload, full};

/// A request for a registered server.
#[derive(Debug)]
pub struct Delivery {
    /// The server's name, as it is registered.
    pub server: Arc<str>,
    pub scheme: Scheme,
    pub place: Authority,
    /// Path and query.
    pub target: String,
    pub method: Method,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Proxy {
    /// Carries a request out as the agent of this session, whose token `token` is.
    pub async fn deliver(&self, session: &Arc<LiveSession>, token: Secret, delivery: Delivery) -> Response<Payload> {
        let Delivery { server, scheme, place, target, method, headers, body } = delivery;
        let incoming = Incoming {
            method: method.as_str().to_owned(),
            scheme: Some(scheme.as_str().to_owned()),
            authority: Some(place.to_string()),
            target,
            headers,
            length: Some(body.len() as u64),
            body: full(body),
            upgradable: false,
        };
        let channel = Channel {
            shared: self.shared(),
            session: Arc::clone(session),
            token,
            scheme,
            target: place,
            server: Some(server),
            origin: Origin::default(),
        };
        exchange(channel, incoming).await.response
    }

    /// Whether a connection to a port of Reeve's own may use a session.
    ///
    /// # Errors
    /// One sentence: another user of this machine opened it, or the system does not tell.
    pub async fn check_user(
        &self,
        session: &Arc<LiveSession>,
        peer: std::net::SocketAddr,
        local: std::net::SocketAddr,
    ) -> Result<(), String> {
        crate::connect::check_user(session, Some((peer, local))).await.map_err(|refusal| refusal.message)
    }
}
