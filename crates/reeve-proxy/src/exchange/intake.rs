//! Takes in as much of a request's body as must be seen before it is judged: a call to a language model whole, anything
//! else whole where it is small, else its beginning with the rest left in the stream.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_ENCODING;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use reeve_protocol::MAX_LLM_BODY;
use tokio::time::{Instant, timeout_at};

use crate::body::{BodyError, Decoder, Limits};
use crate::exchange::request::{Asked, Incoming};
use crate::exchange::shape::{Scan, Shape, Watched};
use crate::exchange::{Refusal, Turned};
use crate::payload::{Payload, PayloadError};

/// Bodies other than calls to language models are seen whole up to this size.
const SEEN: usize = 1024 * 1024;
/// Largest MCP message, in bytes.
const MCP: usize = 16 * 1024 * 1024;
/// How long the whole of such a body is waited for: some streams end only when they are answered.
const PATIENCE: Duration = Duration::from_millis(500);
/// A call to a language model must be here after this.
const LLM_TIME: Duration = Duration::from_secs(120);

/// Trailers of requests are refused: they come after everything was judged, and a server may take them for headers.
pub(super) const TRAILERS: &str = "The request has trailers, which are not passed on.";

/// How much of a body must be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A call to a language model: all of it.
    Llm,
    /// What says that it is MCP: all of it.
    Mcp,
    Other,
}

impl Wanted {
    pub fn of(llm: bool, mcp: bool) -> Self {
        match (llm, mcp) {
            (true, _) => Self::Llm,
            (false, true) => Self::Mcp,
            (false, false) => Self::Other,
        }
    }

    /// Most of it that is read, in bytes.
    fn limit(self) -> usize {
        match self {
            Self::Llm => MAX_LLM_BODY,
            Self::Mcp => MCP,
            Self::Other => SEEN,
        }
    }

    fn too_large(self) -> Refusal {
        match self {
            Self::Mcp => Refusal::too_large("The MCP message has more than 16 MiB."),
            _ => Refusal::too_large("The body of a call to a language model has more than 32 MiB."),
        }
    }
}

/// A request's body, as far as it was taken in.
pub(crate) enum Taken {
    Whole {
        /// As it came.
        raw: Bytes,
        /// After content decoding; `None` for what Reeve made itself and did not code.
        decoded: Option<Bytes>,
    },
    Begun {
        start: Bytes,
        /// In a lock only because a body is not `Sync`; nobody ever waits for it.
        rest: Mutex<Payload>,
        /// Of the whole body, where it is declared.
        length: Option<u64>,
    },
}

impl Taken {
    /// What may be judged: the whole body after decoding. `None` where it was not seen.
    pub fn judged(&self) -> Option<&[u8]> {
        match self {
            Self::Whole { raw, decoded } => Some(decoded.as_ref().unwrap_or(raw)),
            Self::Begun { .. } => None,
        }
    }

    /// Length on the wire, where it is known.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Whole { raw, .. } => Some(raw.len() as u64),
            Self::Begun { length, .. } => *length,
        }
    }
}

/// Takes a body in.
///
/// # Errors
/// When it is cut short, too large or too slow, has trailers, or cannot be decoded: what cannot be read cannot be judged.
pub(super) async fn take(incoming: Incoming, asked: &Asked, wanted: Wanted) -> Result<Taken, Turned> {
    let Incoming { body, length, .. } = incoming;
    if let Some(Err(error)) = content_coding(&asked.headers).map(|coding| Decoder::new(&coding)) {
        return Err(Refusal::malformed(format!("The body cannot be decoded: {error}.")).into());
    }
    let (limit, whole) = (wanted.limit(), wanted != Wanted::Other);
    // Whoever posts a message to a server that nobody knows yet may hide its beginning behind much else.
    let may_say = !whole && asked.endpoint.method.as_str() == "POST";
    if length.is_some_and(|length| length > limit as u64) {
        if whole {
            return Err(wanted.too_large().into());
        }
        if may_say {
            return told_apart(Bytes::new(), body, length, asked).await;
        }
        return Ok(Taken::Begun { start: Bytes::new(), rest: Mutex::new(body), length });
    }
    let deadline = Instant::now() + if whole { LLM_TIME } else { PATIENCE };
    match collect(body, limit, deadline).await? {
        Collected::Whole(raw) => decode(raw, asked),
        Collected::TooMuch { .. } if whole => Err(wanted.too_large().into()),
        Collected::TooSlow { .. } if whole => Err(slow().into()),
        Collected::TooMuch { start, rest } | Collected::TooSlow { start, rest } if may_say => {
            told_apart(start, rest, length, asked).await
        }
        Collected::TooMuch { start, rest } | Collected::TooSlow { start, rest } => {
            Ok(Taken::Begun { start, rest: Mutex::new(rest), length })
        }
    }
}

/// Takes in more of a body, until it is certain that it is no message or all of it is there. What is too large for a message
/// and may still become one is looked at while it passes.
async fn told_apart(start: Bytes, mut body: Payload, length: Option<u64>, asked: &Asked) -> Result<Taken, Turned> {
    let undecodable = |error: BodyError| Refusal::malformed(format!("The body cannot be decoded: {error}."));
    let decoder = content_coding(&asked.headers).map_or(Ok(None), |coding| Decoder::new(&coding));
    let mut decoder = decoder.map_err(undecodable)?;
    let mut scan = Scan::default();
    let look = |scan: &mut Scan, decoder: &mut Option<Decoder>, data: &[u8]| match decoder.as_mut() {
        None => {
            scan.feed(data);
            Ok(())
        }
        Some(decoder) => decoder.feed(data).map(|decoded| scan.feed(&decoded)).map_err(undecodable),
    };
    look(&mut scan, &mut decoder, &start)?;
    let deadline = Instant::now() + LLM_TIME;
    let mut all = BytesMut::from(&*start);
    while scan.shape() != Shape::Other {
        if all.len() > MCP {
            if scan.shape() == Shape::Message {
                return Err(Wanted::Mcp.too_large().into());
            }
            body = Watched { inner: body, scan, decoder }.boxed_unsync();
            break;
        }
        let Ok(next) = timeout_at(deadline, body.frame()).await else { return Err(slow().into()) };
        let Some(frame) = next else { return decode(all.freeze(), asked) };
        let frame =
            frame.map_err(|error| Refusal::malformed(format!("The body of the request is damaged: {error}.")))?;
        let data = frame.into_data().map_err(|_| Refusal::malformed(TRAILERS))?;
        look(&mut scan, &mut decoder, &data)?;
        all.extend_from_slice(&data);
    }
    Ok(Taken::Begun { start: all.freeze(), rest: Mutex::new(body), length })
}

fn slow() -> Refusal {
    Refusal::new(
        http::StatusCode::REQUEST_TIMEOUT,
        "slow_request",
        "The body of the request took longer than 2 minutes.",
        "Send the request at once.",
    )
}

enum Collected {
    Whole(Bytes),
    TooMuch { start: Bytes, rest: Payload },
    TooSlow { start: Bytes, rest: Payload },
}

async fn collect(mut body: Payload, limit: usize, deadline: Instant) -> Result<Collected, Refusal> {
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    loop {
        let Ok(next) = timeout_at(deadline, body.frame()).await else {
            return Ok(Collected::TooSlow { start: joined(first, all), rest: body });
        };
        let Some(frame) = next else { return Ok(Collected::Whole(joined(first, all))) };
        let frame =
            frame.map_err(|error| Refusal::malformed(format!("The body of the request is damaged: {error}.")))?;
        let Ok(data) = frame.into_data() else { return Err(Refusal::malformed(TRAILERS)) };
        // Most bodies come in one piece, which is then not copied.
        if first.is_none() && all.is_empty() {
            first = Some(data);
        } else {
            if let Some(first) = first.take() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&data);
        }
        if first.as_ref().map_or(all.len(), Bytes::len) > limit {
            return Ok(Collected::TooMuch { start: joined(first, all), rest: body });
        }
    }
}

fn joined(first: Option<Bytes>, all: BytesMut) -> Bytes {
    first.unwrap_or_else(|| all.freeze())
}

fn decode(raw: Bytes, asked: &Asked) -> Result<Taken, Turned> {
    let Some(coding) = content_coding(&asked.headers) else {
        return Ok(Taken::Whole { decoded: Some(raw.clone()), raw });
    };
    let limits = Limits { total: MAX_LLM_BODY as u64, ..Limits::default() };
    let decoded = Decoder::with_limits(&coding, limits).and_then(|decoder| match decoder {
        None => Ok(raw.clone()),
        Some(mut decoder) => {
            let bytes = decoder.feed(&raw)?;
            decoder.finish()?;
            Ok(bytes)
        }
    });
    match decoded {
        Ok(bytes) => Ok(Taken::Whole { raw, decoded: Some(bytes) }),
        Err(crate::body::BodyError::Ratio(_) | crate::body::BodyError::Total(_)) => {
            Err(Refusal::too_large("The body grows too much when it is decoded.").into())
        }
        Err(error) => Err(Refusal::malformed(format!("The body cannot be decoded: {error}.")).into()),
    }
}

/// The content codings of a message, all its lines joined.
pub(super) fn content_coding(headers: &http::HeaderMap) -> Option<String> {
    let values: Vec<&str> =
        headers.get_all(CONTENT_ENCODING).iter().map(|value| value.to_str().unwrap_or("unreadable")).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// What was taken in already, then the rest.
pub(super) struct Chained {
    pub start: Bytes,
    pub rest: Payload,
}

impl Body for Chained {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        if !self.start.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.start)))));
        }
        Pin::new(&mut self.rest).poll_frame(cx)
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.size_hint().exact();
        rest.map_or_else(SizeHint::default, |rest| SizeHint::with_exact(rest + self.start.len() as u64))
    }
}
