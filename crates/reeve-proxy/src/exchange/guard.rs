//! The leak guard at the mouth: a placeholder or a stored secret leaves only for the place it is bound to.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use reeve_domain::id::CredentialId;
use reeve_domain::verdict::{Denial, DenialKind};
use reeve_engine::denials::own;
use reeve_engine::leaks::{Leak, LeakGuard, LeakStream, SoughtKind};

use crate::body::Decoder;
use crate::channel::Channel;
use crate::exchange::intake::{Taken, content_coding};
use crate::exchange::request::Asked;
use crate::exchange::{Case, Turned, note_leak};
use crate::payload::{Payload, PayloadError};
use crate::refusal::Refusal;

/// What a cut body's error says; the answer to the client is made from it.
pub(super) const LEAKED: &str = "a stored credential was on its way to a place that it is not bound to";

/// What was found in the head and in what was taken in of the body.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The credential whose placeholder goes to its own place: it is injected there.
    pub carried: Option<CredentialId>,
    /// The query holds something that was sought.
    pub in_query: bool,
    /// A stored secret itself is on the way to its own place.
    pub secret_seen: bool,
    /// On the way to elsewhere.
    leak: Option<CredentialId>,
    /// More than one placeholder for this place; one request carries one credential.
    two: bool,
}

/// Looks through head and body.
///
/// # Errors
/// When a stored secret is in the host or the path: such a request is not even recorded as an operation, because its
/// record would hold the secret.
pub(super) async fn search(channel: &Channel, asked: &Asked, taken: &Taken) -> Result<Found, Turned> {
    let guard = channel.session.leaks();
    let endpoint = &asked.endpoint;
    let line = format!("{}\n{}", endpoint.host, endpoint.path.as_str());
    let in_line = guard.find_all(line.as_bytes());
    if let Some(leak) = in_line.iter().find(|leak| !leak.is_placeholder()) {
        note_leak(channel, &leak.credential, endpoint.host.to_string()).await;
        return Err(Turned::Failed(Refusal::new(
            http::StatusCode::FORBIDDEN,
            "credential_in_path",
            "The host or the path of the request holds a stored secret.",
            "Use the credential's placeholder; Reeve puts the secret in its place.",
        )));
    }
    let in_query = asked.query.as_deref().map(|query| guard.find_all(query.as_bytes())).unwrap_or_default();
    let mut found = Found { in_query: !in_query.is_empty(), ..Found::default() };
    let in_head = headers(&guard, asked);
    let in_body = body(&guard, taken);
    for leak in in_line.into_iter().chain(in_query).chain(in_head).chain(in_body) {
        found.judge(channel, asked, leak);
    }
    Ok(found)
}

impl Found {
    fn judge(&mut self, channel: &Channel, asked: &Asked, leak: Leak) {
        let bound = channel.shared.engine.credentials().is_bound(&channel.session, &leak.credential, &asked.endpoint);
        match (bound, leak.kind) {
            (false, _) => self.leak = self.leak.take().or(Some(leak.credential)),
            (true, SoughtKind::Secret) => self.secret_seen = true,
            (true, SoughtKind::Placeholder) => match &self.carried {
                Some(other) if *other != leak.credential => self.two = true,
                _ => self.carried = Some(leak.credential),
            },
        }
    }
}

fn headers(guard: &LeakGuard, asked: &Asked) -> Vec<Leak> {
    let mut text = BytesMut::new();
    for (name, value) in &asked.headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b"\n");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\n");
    }
    guard.find_all(&text)
}

fn body(guard: &LeakGuard, taken: &Taken) -> Vec<Leak> {
    match taken {
        Taken::Whole { raw, decoded } => guard.find_all(decoded.as_ref().unwrap_or(raw)),
        Taken::Begun { start, .. } => guard.find_all(start),
    }
}

/// Turns away what may not leave.
///
/// # Errors
/// With the denial, recorded.
pub(super) async fn check(case: &Case, found: &Found) -> Result<(), Turned> {
    let summary = &case.operation.summary;
    let (message, advice, rule) = if let Some(credential) = &found.leak {
        note_leak(&case.channel, credential, case.asked.endpoint.host.to_string()).await;
        let message =
            format!("{summary} was stopped: it carries credential `{credential}` to a place it is not bound to");
        (message, "send it without the credential, or ask the human to bind it to this place", "credential-leak")
    } else if found.two {
        let message = format!("{summary} was stopped: it carries the placeholders of two credentials");
        (message, "send one credential per request", "two-credentials")
    } else if found.carried.is_some() && case.asked.upgrade.is_some() {
        let message = format!("{summary} was stopped: no credential is injected into an upgraded connection");
        (message, "use an ordinary HTTPS request", "injection-into-upgrade")
    } else {
        return Ok(());
    };
    Err(turn_away(case, DenialKind::Leak, message, advice, rule).await)
}

/// Records a denial that the mouth found by itself.
pub(super) async fn turn_away(case: &Case, kind: DenialKind, message: String, advice: &str, rule: &str) -> Turned {
    let denial = Denial { kind, message, advice: advice.to_owned(), reasons: vec![own(rule)], record: None };
    let gate = case.channel.shared.engine.gate();
    Turned::Denied { denial: gate.refuse(case.operation.clone(), denial).await, dialect: case.dialect() }
}

/// A body that is scanned while it leaves. What may be the beginning of a leak stays until it is known not to be one.
pub(super) struct Guarded {
    inner: Payload,
    channel: Channel,
    place: String,
    scan: LeakStream,
    /// For coded bodies: the scan reads what they decode to. `None`: what leaves is what is scanned.
    decoder: Option<Decoder>,
    held: Bytes,
    ended: bool,
}

impl Guarded {
    /// `carried`: the credential whose placeholder may be in it, because this is its place.
    pub fn new(inner: Payload, channel: &Channel, asked: &Asked, carried: Option<&CredentialId>) -> Self {
        let mut scan = channel.session.leaks().stream();
        if let Some(credential) = carried {
            scan = scan.allowing(Leak { credential: credential.clone(), kind: SoughtKind::Placeholder });
        }
        let coding = content_coding(&asked.headers);
        let decoder = coding.and_then(|coding| Decoder::new(&coding).ok().flatten());
        let place = asked.endpoint.host.to_string();
        Self { inner, channel: channel.clone(), place, scan, decoder, held: Bytes::new(), ended: false }
    }

    fn pass(&mut self, chunk: Bytes) -> Result<Bytes, PayloadError> {
        let Some(decoder) = self.decoder.as_mut() else {
            self.scan(&chunk.clone())?;
            return Ok(self.hold_back(chunk));
        };
        match decoder.feed(&chunk) {
            Ok(decoded) => self.scan(&decoded)?,
            // It is not what it claims to be; from here on its bytes are scanned as they are.
            Err(_) => {
                self.decoder = None;
                self.scan(&chunk.clone())?;
            }
        }
        Ok(chunk)
    }

    fn scan(&mut self, bytes: &[u8]) -> Result<(), PayloadError> {
        let Some(leak) = self.scan.feed(bytes) else { return Ok(()) };
        let (channel, place) = (self.channel.clone(), self.place.clone());
        tokio::spawn(async move { note_leak(&channel, &leak.credential, place).await });
        Err(PayloadError::Reeve(LEAKED.to_owned()))
    }

    /// Everything but the tail that may be the beginning of a leak.
    fn hold_back(&mut self, chunk: Bytes) -> Bytes {
        let mut all = if self.held.is_empty() {
            chunk
        } else {
            let mut joined = BytesMut::from(&*self.held);
            joined.extend_from_slice(&chunk);
            joined.freeze()
        };
        let pending = self.scan.pending().min(all.len());
        self.held = all.split_off(all.len() - pending);
        all
    }
}

impl Body for Guarded {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        let this = &mut *self;
        while !this.ended {
            match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    let settled = match this.pass(data) {
                        Ok(settled) => settled,
                        Err(error) => {
                            this.ended = true;
                            this.held = Bytes::new();
                            return Poll::Ready(Some(Err(error)));
                        }
                    };
                    if !settled.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(settled))));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => this.ended = true,
            }
        }
        let rest = std::mem::take(&mut this.held);
        Poll::Ready((!rest.is_empty()).then(|| Ok(Frame::data(rest))))
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.inner.size_hint().exact();
        rest.map_or_else(SizeHint::default, |rest| SizeHint::with_exact(rest + self.held.len() as u64))
    }
}

/// A boxed guard.
pub(super) fn guarded(inner: Payload, case: &Case) -> Payload {
    Guarded::new(inner, &case.channel, &case.asked, case.operation.credential.as_ref()).boxed_unsync()
}
