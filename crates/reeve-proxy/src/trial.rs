//! A read that Reeve makes itself, to try a credential out. It takes every step that an agent's request takes: the gate,
//! the leak guard, the address check, injection, masking, the record.

use std::sync::Arc;

use http::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use http_body_util::BodyExt as _;
use reeve_domain::host::Authority;
use reeve_domain::operation::Scheme;
use reeve_domain::sensitive::Secret;
use reeve_engine::LiveSession;
use reeve_engine::origin::Origin;

use crate::channel::Channel;
use crate::exchange::exchange;
use crate::exchange::request::Incoming;
use crate::listener::Proxy;
use crate::payload::empty;

/// Most of an answer that is read before its end is no longer waited for, in bytes.
const ENOUGH: usize = 64 * 1024;

impl Proxy {
    /// Makes a `GET` as the agent of this session, whose token `token` is, and reads its answer. Returns the status that
    /// came back, from the upstream or from Reeve itself: which of both it was is in the record.
    ///
    /// # Errors
    /// When a header is malformed; then nothing was asked.
    pub async fn read(
        &self,
        session: &Arc<LiveSession>,
        token: Secret,
        place: Authority,
        target: String,
        fields: &[(String, String)],
    ) -> Result<u16, http::Error> {
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("*/*"))]);
        for (name, value) in fields {
            headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        let incoming = Incoming {
            method: "GET".to_owned(),
            scheme: Some(Scheme::Https.as_str().to_owned()),
            authority: Some(place.to_string()),
            target,
            headers,
            body: empty(),
            length: Some(0),
            upgradable: false,
        };
        let channel = Channel {
            shared: self.shared(),
            session: Arc::clone(session),
            token,
            scheme: Scheme::Https,
            target: place,
            server: None,
            origin: Origin::default(),
        };
        let response = exchange(channel, incoming).await.response;
        let status = response.status().as_u16();
        let (mut body, mut seen) = (response.into_body(), 0);
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, bytes::Bytes::len);
            if seen > ENOUGH {
                break;
            }
        }
        Ok(status)
    }
}
