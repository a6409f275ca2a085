//! HTTP/1 towards the client: one message after the other through the framer, and the client's going noticed.

use std::future::{Future, poll_fn};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::exchange::request::{Incoming, names};
use crate::exchange::{Answer, Tunnel};
use crate::framing::FramingError;
use crate::framing::body::{BodyDecoder, BodyLength, of_request};
use crate::framing::head::{RequestHead, Version};
use crate::framing::reader::{ReadError, Reader};
use crate::framing::write::{self, Framing};
use crate::io::{BoxStream, Prefixed};
use crate::payload::{Payload, PayloadError};
use crate::refusal::Refusal;

/// A head must be complete this long after its first byte.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// A connection without a request is closed after this.
const IDLE_TIME: Duration = Duration::from_secs(300);
/// A request body that does not move for this long is given up.
const BODY_TIME: Duration = Duration::from_secs(60);
/// How long a client is heard out after its last answer.
const FAREWELL: Duration = Duration::from_secs(5);
/// Pieces up to this size are copied behind their chunk header, so that they leave in one write.
const COALESCE: usize = 64 * 1024;

/// The client's side of an HTTP/1 connection.
pub(crate) struct Client {
    reader: Reader<ReadHalf<BoxStream>>,
    write: WriteHalf<BoxStream>,
}

/// What becomes of the connection after a message.
pub(crate) enum After {
    Next,
    Close,
    Tunnel(Tunnel),
}

/// Why there is no next request.
#[derive(Debug)]
pub(crate) enum NoRequest {
    /// Closed or idle between messages.
    Over,
    /// Too slow, or not HTTP as it must be.
    Refused(Refusal),
}

impl Client {
    pub fn new(io: BoxStream, read: BytesMut) -> Self {
        let (reader, write) = tokio::io::split(io);
        Self { reader: Reader::new(reader, read), write }
    }

    /// The socket again, with what the client sent ahead.
    pub fn into_stream(self) -> Prefixed<BoxStream> {
        let (read, ahead) = self.reader.into_parts();
        Prefixed::new(ahead.freeze(), read.unsplit(self.write))
    }

    /// The next request head, and how its body is delimited.
    pub async fn next(&mut self) -> Result<(RequestHead, BodyLength), NoRequest> {
        match timeout(IDLE_TIME, self.reader.wait()).await {
            Ok(Ok(true)) => {}
            _ => return Err(NoRequest::Over),
        }
        match timeout(HEAD_TIME, self.reader.request_head()).await {
            Ok(Ok(Some(head))) => match of_request(&head.headers, head.version) {
                Ok(length) => Ok((head, length)),
                Err(error) => Err(NoRequest::Refused(malformed(error))),
            },
            Ok(Ok(None) | Err(ReadError::Io(_))) => Err(NoRequest::Over),
            Ok(Err(ReadError::Framing(error))) => Err(NoRequest::Refused(malformed(error))),
            Err(_) => Err(NoRequest::Refused(Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                "slow_request",
                "The head of the request took longer than 10 seconds.",
                "Send the request at once.",
            ))),
        }
    }

    /// Answers one request by `handle`. Dropped with everything it started when the client goes.
    pub async fn answer<F, T>(
        &mut self,
        (head, length): (RequestHead, BodyLength),
        authority: Option<String>,
        target: String,
        handle: F,
    ) -> After
    where
        F: FnOnce(Incoming) -> T,
        T: Future<Output = Answer>,
    {
        if expects_continue(&head) && self.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_err() {
            return After::Close;
        }
        let mut decoder = BodyDecoder::new(length);
        let (feed, body) = mpsc::channel(1);
        let ending = Ending::of(&head);
        let incoming = incoming(head, authority, target, length, body);
        let Self { reader, write } = self;
        let respond = async { write_answer(write, handle(incoming).await, &ending).await };
        let after = tokio::select! {
            biased;
            after = respond => after,
            () = pump(reader, &mut decoder, feed) => After::Close,
        };
        match after {
            After::Next if !decoder.is_done() => After::Close,
            after => after,
        }
    }

    /// Writes a refusal, and says that the connection ends with it.
    pub async fn refuse(&mut self, refusal: &Refusal) -> After {
        let ending = Ending { head_only: false, version: Version::Http11, keep: false };
        write_answer(&mut self.write, refusal.response().into(), &ending).await
    }

    /// Writes an answer to a request without body, and goes on.
    pub async fn reply(&mut self, response: Response<Payload>) -> After {
        let ending = Ending { head_only: false, version: Version::Http11, keep: true };
        write_answer(&mut self.write, response.into(), &ending).await
    }

    pub async fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.write.write_all(bytes).await?;
        self.write.flush().await
    }

    /// Says goodbye, and hears the client out for a moment: closing on unread bytes would take the last answer from it.
    pub async fn close(&mut self) {
        let farewell = async {
            if self.write.shutdown().await.is_ok() {
                self.reader.drain().await;
            }
        };
        let _ = timeout(FAREWELL, farewell).await;
    }
}

fn malformed(error: FramingError) -> Refusal {
    let refusal = Refusal::malformed(format!("The request is not strict HTTP/1: {error}."));
    match error {
        FramingError::HeadTooLong | FramingError::TooManyHeaders => {
            refusal.with_status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
        }
        FramingError::Version => refusal.with_status(StatusCode::HTTP_VERSION_NOT_SUPPORTED),
        _ => refusal,
    }
}

fn expects_continue(head: &RequestHead) -> bool {
    let expect = head.headers.get(header::EXPECT);
    head.version == Version::Http11 && expect.is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

fn incoming(
    head: RequestHead,
    authority: Option<String>,
    target: String,
    length: BodyLength,
    body: mpsc::Receiver<Result<Frame<Bytes>, PayloadError>>,
) -> Incoming {
    let length = match length {
        BodyLength::Known(n) => Some(n),
        BodyLength::Chunked | BodyLength::UntilClose => None,
    };
    let payload = if length == Some(0) { crate::payload::empty() } else { Fed { body, left: length }.boxed_unsync() };
    Incoming {
        method: head.method,
        scheme: None,
        authority,
        target,
        headers: head.headers,
        body: payload,
        length,
        upgradable: head.version == Version::Http11,
    }
}

/// A request body as its pump feeds it.
struct Fed {
    body: mpsc::Receiver<Result<Frame<Bytes>, PayloadError>>,
    left: Option<u64>,
}

impl http_body::Body for Fed {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        let frame = std::task::ready!(self.body.poll_recv(cx));
        if let (Some(Ok(frame)), Some(left)) = (&frame, self.left) {
            self.left = Some(left.saturating_sub(frame.data_ref().map_or(0, |d| d.len() as u64)));
        }
        std::task::Poll::Ready(frame)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.left.map_or_else(http_body::SizeHint::default, http_body::SizeHint::with_exact)
    }
}

/// Feeds the body as fast as it is taken, then watches the client. Ends when the client is gone.
async fn pump(
    reader: &mut Reader<ReadHalf<BoxStream>>,
    decoder: &mut BodyDecoder,
    feed: mpsc::Sender<Result<Frame<Bytes>, PayloadError>>,
) {
    while !decoder.is_done() {
        let room = tokio::select! {
            room = feed.reserve() => room,
            () = reader.gone() => return,
        };
        // Nobody wants the rest: the answer is on its way, and the connection ends with it.
        let Ok(room) = room else { return std::future::pending().await };
        match timeout(BODY_TIME, poll_fn(|cx| reader.poll_body(cx, decoder))).await {
            Ok(Ok(Some(frame))) => room.send(Ok(frame)),
            Ok(Ok(None)) => break,
            Ok(Err(error)) => {
                room.send(Err(PayloadError::Client(error.to_string())));
                return std::future::pending().await;
            }
            Err(_) => {
                room.send(Err(PayloadError::Client("the body stood still for 60 seconds".to_owned())));
                return std::future::pending().await;
            }
        }
    }
    drop(feed);
    reader.gone().await;
}

/// How an answer ends on this connection.
struct Ending {
    head_only: bool,
    version: Version,
    keep: bool,
}

impl Ending {
    fn of(head: &RequestHead) -> Self {
        let keep = head.version == Version::Http11 && !names(&head.headers, "connection", "close");
        Self { head_only: head.method == "HEAD", version: head.version, keep }
    }

    fn framing(&self, response: &Response<Payload>) -> Framing {
        let status = response.status();
        if self.head_only || status.is_informational() || matches!(status.as_u16(), 204 | 304) {
            return Framing::None;
        }
        match (response.body().size_hint().exact(), self.version) {
            (Some(length), _) => Framing::Known(length),
            (None, Version::Http11) => Framing::Chunked,
            (None, Version::Http10) => Framing::UntilClose,
        }
    }
}

async fn write_answer(write: &mut WriteHalf<BoxStream>, answer: Answer, ending: &Ending) -> After {
    let Answer { mut response, tunnel } = answer;
    let framing = ending.framing(&response);
    let keep = ending.keep && framing != Framing::UntilClose && tunnel.is_none();
    let describes_a_body = ending.head_only || response.status() == StatusCode::NOT_MODIFIED;
    if framing != Framing::None || !describes_a_body {
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    if !keep && tunnel.is_none() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    match write_message(write, response, framing).await {
        Ok(()) => match tunnel {
            Some(tunnel) => After::Tunnel(tunnel),
            None if keep => After::Next,
            None => After::Close,
        },
        Err(_) => After::Close,
    }
}

/// Head and body. An error leaves the message visibly unfinished, so that nobody takes a part for the whole.
async fn write_message(
    write: &mut WriteHalf<BoxStream>,
    response: Response<Payload>,
    framing: Framing,
) -> Result<(), PayloadError> {
    let (head, mut body) = response.into_parts();
    let mut out = BytesMut::new();
    write::response_head(&mut out, head.status, &head.headers, framing);
    if framing == Framing::None {
        return send(write, &mut out).await;
    }
    let mut trailers: Option<HeaderMap> = None;
    loop {
        // What is there already leaves together; before waiting for more, everything is sent.
        let next = match body.frame().now_or_never() {
            Some(next) => next,
            None => {
                send(write, &mut out).await?;
                body.frame().await
            }
        };
        match next.transpose()?.map(Frame::into_data) {
            Some(Ok(data)) => put(write, &mut out, &data, framing).await?,
            Some(Err(frame)) => trailers = frame.into_trailers().ok(),
            None => break,
        }
    }
    if framing == Framing::Chunked {
        write::last_chunk(&mut out, trailers.as_ref());
    }
    send(write, &mut out).await
}

async fn put(
    write: &mut WriteHalf<BoxStream>,
    out: &mut BytesMut,
    data: &[u8],
    framing: Framing,
) -> Result<(), PayloadError> {
    match framing {
        Framing::Chunked => write::chunk(out, data),
        _ => out.extend_from_slice(data),
    }
    if out.len() >= COALESCE { send(write, out).await } else { Ok(()) }
}

async fn send(write: &mut WriteHalf<BoxStream>, out: &mut BytesMut) -> Result<(), PayloadError> {
    let gone = |error: std::io::Error| PayloadError::Client(error.to_string());
    if !out.is_empty() {
        write.write_all(out).await.map_err(gone)?;
        write.flush().await.map_err(gone)?;
        out.clear();
    }
    Ok(())
}
