//! The leak guard at the mouth: a placeholder or a stored secret leaves only for the place it is bound to.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use reeve_domain::credential::Slot;
use reeve_domain::id::CredentialId;
use reeve_domain::verdict::{Denial, DenialKind};
use reeve_engine::denials::own;
use reeve_engine::leaks::{Leak, LeakStream, SoughtKind};

use crate::body::{BodyError, Decoder};
use crate::channel::Channel;
use crate::exchange::inject::{drop_placeholders, without_parameter};
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
    /// At its own place, but where nothing replaces it.
    misplaced: Option<CredentialId>,
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
    let in_host = guard.find_all(endpoint.host.to_string().as_bytes());
    let in_path = guard.find_all(endpoint.path.as_str().as_bytes());
    if let Some(leak) = in_host.iter().chain(&in_path).find(|leak| !leak.is_placeholder()) {
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
    let in_head = guard.find_all(&headers(&asked.headers));
    let in_body = guard.find_all(body(taken));
    let spots = [
        (Spot::Host, in_host),
        (Spot::Path, in_path),
        (Spot::Query, in_query),
        (Spot::Head, in_head),
        (Spot::Body, in_body),
    ];
    for (spot, leaks) in spots {
        for leak in leaks {
            found.judge(channel, asked, taken, spot, leak);
        }
    }
    Ok(found)
}

/// Where in a request something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    Host,
    Path,
    Query,
    Head,
    Body,
}

impl Found {
    fn judge(&mut self, channel: &Channel, asked: &Asked, taken: &Taken, spot: Spot, leak: Leak) {
        let bound = channel.shared.engine.credentials().slot_at(&channel.session, &leak.credential, &asked.endpoint);
        match (bound, leak.kind) {
            (None, _) => self.leak = self.leak.take().or(Some(leak.credential)),
            (Some(_), SoughtKind::Secret) => self.secret_seen = true,
            (Some((slot, placeholder)), SoughtKind::Placeholder) => {
                let rest = unreplaced(asked, taken, spot, &slot, &placeholder);
                if channel.session.leaks().find_all(&rest).contains(&leak) {
                    self.misplaced = Some(leak.credential);
                    return;
                }
                match &self.carried {
                    Some(other) if *other != leak.credential => self.two = true,
                    _ => self.carried = Some(leak.credential),
                }
            }
        }
    }
}

/// What injection leaves of a part of the request: of headers all that carry the placeholder go, elsewhere it is replaced
/// in its slot alone. A placeholder in what is left would go upstream.
fn unreplaced(asked: &Asked, taken: &Taken, spot: Spot, slot: &Slot, placeholder: &str) -> Vec<u8> {
    let path = asked.endpoint.path.as_str();
    let query = asked.query.as_deref().unwrap_or_default();
    match (spot, slot) {
        (Spot::Head, _) => {
            let mut kept = asked.headers.clone();
            drop_placeholders(&mut kept, placeholder);
            headers(&kept).to_vec()
        }
        (Spot::Query, Slot::Query { name }) => without_parameter(query, name).into_bytes(),
        (Spot::Path, Slot::Path) => path.replace(placeholder, "").into_bytes(),
        (Spot::Body, Slot::Body) => {
            let mut rest = Vec::new();
            let mut from = 0;
            let body = body(taken);
            for at in memchr::memmem::find_iter(body, placeholder.as_bytes()) {
                rest.extend_from_slice(body.get(from..at).unwrap_or_default());
                from = at + placeholder.len();
            }
            rest.extend_from_slice(body.get(from..).unwrap_or_default());
            rest
        }
        (Spot::Host, _) => asked.endpoint.host.to_string().into_bytes(),
        (Spot::Path, _) => path.as_bytes().to_vec(),
        (Spot::Query, _) => query.as_bytes().to_vec(),
        (Spot::Body, _) => body(taken).to_vec(),
    }
}

fn headers(headers: &HeaderMap) -> BytesMut {
    let mut text = BytesMut::new();
    for (name, value) in headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b"\n");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\n");
    }
    text
}

fn body(taken: &Taken) -> &[u8] {
    match taken {
        Taken::Whole { raw, decoded } => decoded.as_ref().unwrap_or(raw),
        Taken::Begun { start, .. } => start,
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
    } else if let Some(credential) = &found.misplaced {
        note_leak(&case.channel, credential, case.asked.endpoint.host.to_string()).await;
        let message = format!(
            "{summary} was stopped: it carries the placeholder of `{credential}` where Reeve does not replace it"
        );
        (message, "send the placeholder only where this credential belongs", "misplaced-placeholder")
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
    /// # Errors
    /// When its coding is not known.
    pub fn new(inner: Payload, channel: &Channel, asked: &Asked) -> Result<Self, BodyError> {
        let decoder = content_coding(&asked.headers).map_or(Ok(None), |coding| Decoder::new(&coding))?;
        let scan = channel.session.leaks().stream();
        let place = asked.endpoint.host.to_string();
        Ok(Self { inner, channel: channel.clone(), place, scan, decoder, held: Bytes::new(), ended: false })
    }

    fn pass(&mut self, chunk: Bytes) -> Result<Bytes, PayloadError> {
        let Some(decoder) = self.decoder.as_mut() else {
            self.scan(&chunk.clone())?;
            return Ok(self.hold_back(chunk));
        };
        // What cannot be read cannot be judged.
        let decoded = decoder.feed(&chunk).map_err(unreadable)?;
        self.scan(&decoded)?;
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
                    let passed = match frame.into_data() {
                        Ok(data) => this.pass(data),
                        Err(_) => Err(PayloadError::Client("it has trailers, which are not passed on".to_owned())),
                    };
                    let settled = match passed {
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
                None => {
                    this.ended = true;
                    if let Some(Err(error)) = this.decoder.as_ref().map(Decoder::finish) {
                        return Poll::Ready(Some(Err(unreadable(error))));
                    }
                }
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

fn unreadable(error: BodyError) -> PayloadError {
    PayloadError::Client(format!("its content coding cannot be read: {error}"))
}

/// A boxed guard.
///
/// # Errors
/// When the body cannot be read, and so not be guarded.
pub(super) fn guarded(inner: Payload, case: &Case) -> Result<Payload, BodyError> {
    Ok(Guarded::new(inner, &case.channel, &case.asked)?.boxed_unsync())
}
