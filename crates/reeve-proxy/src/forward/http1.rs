//! HTTP/1.1 towards the upstream through our own framer: what it answers is held to the same grammar as requests.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http::header::{HOST, HeaderMap, HeaderValue, UPGRADE};
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use reeve_domain::host::Authority;
use reeve_domain::operation::Scheme;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::timeout;

use super::dial::Dialled;
use super::pool::Release;
use super::{Answered, ForwardError, Outgoing, OutgoingBody, SendError};
use crate::exchange::request::names;
use crate::framing::body::{BodyDecoder, BodyLength, of_response};
use crate::framing::head::{ResponseHead, Version};
use crate::framing::reader::{ReadError, Reader};
use crate::framing::write::{self, Framing};
use crate::io::{BoxStream, Prefixed, Written};
use crate::payload::{Payload, PayloadError};

/// Models may think for long before the head of their answer comes.
const HEAD_TIME: Duration = Duration::from_secs(900);
/// Interim answers (`1xx`) before the real one.
const INTERIM: usize = 16;
/// Body bytes sent together with the head, or in one write.
const COALESCE: usize = 64 * 1024;

type Writing = Pin<Box<dyn Future<Output = Result<WriteHalf<BoxStream>, WriteError>> + Send>>;

/// Why a request was not written to its end.
enum WriteError {
    /// The client's body broke off.
    Body(PayloadError),
    /// The upstream does not take any more; it may have answered all the same.
    Upstream(std::io::Error),
}

/// An idle connection to an upstream.
pub(super) struct Http1 {
    reader: Reader<ReadHalf<BoxStream>>,
    write: WriteHalf<BoxStream>,
    peer: SocketAddr,
    written: Written,
}

impl Http1 {
    pub fn new(dialled: Dialled) -> Self {
        let Dialled { io, peer, written, .. } = dialled;
        let (read, write) = tokio::io::split(io);
        Self { reader: Reader::new(read, BytesMut::new()), write, peer, written }
    }

    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Open, and nothing arrived unasked.
    pub fn is_usable(&mut self) -> bool {
        self.reader.poll_idle(&mut Context::from_waker(Waker::noop()))
    }

    /// Sends the request and waits for the head of the answer. `release` takes the connection back once both bodies are
    /// through and it can carry another request.
    pub async fn send(
        self,
        outgoing: Outgoing,
        authority: &Authority,
        scheme: Scheme,
        release: Option<Release>,
    ) -> Result<Answered, SendError> {
        let Self { mut reader, write, peer, written } = self;
        let before = written.bytes();
        let again = again(&outgoing);
        let method = outgoing.method.clone();
        let wants_upgrade = outgoing.upgrade.is_some();
        let mut exchange = Exchange { writing: Some(writing(write, outgoing, authority, scheme)?), write: None };
        let head = match (timeout(HEAD_TIME, exchange.response_head(&mut reader)).await, again) {
            (Ok(Ok(head)), _) => head,
            (Ok(Err(_)), Some(again)) if written.bytes() == before => return Err(SendError::Unsent(Box::new(again))),
            (Ok(Err(error)), _) => return Err(error.into()),
            (Err(_), _) => {
                return Err(ForwardError::Broken("the upstream did not answer within 15 minutes".to_owned()).into());
            }
        };
        if head.status == 101 {
            return Ok(upgraded(head, reader, exchange, wants_upgrade).await?);
        }
        let length = of_response(&head, &method).map_err(|e| broken(&e))?;
        let reusable = head.version == Version::Http11
            && !names(&head.headers, "connection", "close")
            && length != BodyLength::UntilClose;
        let body = AnswerBody {
            reader: Some(reader),
            decoder: BodyDecoder::new(length),
            left: if let BodyLength::Known(n) = length { Some(n) } else { None },
            exchange,
            release: release.filter(|_| reusable),
            peer,
            written,
        };
        Ok(Answered::Response(response(head, body.started())?))
    }
}

/// The sending half of an exchange.
struct Exchange {
    writing: Option<Writing>,
    /// Given back when the request was written to its end.
    write: Option<WriteHalf<BoxStream>>,
}

impl Exchange {
    /// Drives the request out; what cannot be written is no error as long as an answer may come.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), PayloadError>> {
        let Some(writing) = self.writing.as_mut() else { return Poll::Ready(Ok(())) };
        let outcome = ready!(writing.as_mut().poll(cx));
        self.writing = None;
        match outcome {
            Ok(write) => self.write = Some(write),
            Err(WriteError::Body(error)) => return Poll::Ready(Err(error)),
            Err(WriteError::Upstream(error)) => tracing::debug!(%error, "an upstream did not take a whole request"),
        }
        Poll::Ready(Ok(()))
    }

    /// Reads the head of the final answer while the request still goes out.
    async fn response_head(&mut self, reader: &mut Reader<ReadHalf<BoxStream>>) -> Result<ResponseHead, ForwardError> {
        for _ in 0..=INTERIM {
            let head = {
                let mut reading = std::pin::pin!(reader.response_head());
                std::future::poll_fn(|cx| {
                    if let Poll::Ready(Err(error)) = self.poll_write(cx) {
                        return Poll::Ready(Err(ForwardError::Body(error)));
                    }
                    reading.as_mut().poll(cx).map_err(|e| broken(&e))
                })
                .await?
            };
            match head {
                Some(head) if head.status < 200 && head.status != 101 => {}
                Some(head) => return Ok(head),
                None => return Err(ForwardError::Broken("the upstream closed without an answer".to_owned())),
            }
        }
        Err(ForwardError::Broken("the upstream sent interim answers without end".to_owned()))
    }
}

fn broken(error: &impl std::fmt::Display) -> ForwardError {
    ForwardError::Broken(format!("the upstream's answer is not strict HTTP/1: {error}"))
}

/// The same request once more; `None` where its body cannot be had twice.
fn again(outgoing: &Outgoing) -> Option<Outgoing> {
    let OutgoingBody::Whole(bytes) = &outgoing.body else { return None };
    Some(Outgoing {
        method: outgoing.method.clone(),
        target: outgoing.target.clone(),
        headers: outgoing.headers.clone(),
        body: OutgoingBody::Whole(bytes.clone()),
        upgrade: outgoing.upgrade.clone(),
        trailers: outgoing.trailers,
    })
}

/// Methods whose requests say nothing of a length when they have no body.
pub(super) fn is_bodiless(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "DELETE" | "OPTIONS" | "TRACE")
}

fn writing(
    write: WriteHalf<BoxStream>,
    outgoing: Outgoing,
    authority: &Authority,
    scheme: Scheme,
) -> Result<Writing, ForwardError> {
    let invalid = |_| ForwardError::Unreachable("the host cannot be written as a header".to_owned());
    let mut headers = HeaderMap::with_capacity(outgoing.headers.len() + 3);
    let host = authority.to_header(scheme.default_port());
    headers.insert(HOST, HeaderValue::from_str(&host).map_err(invalid)?);
    headers.extend(outgoing.headers);
    if let Some(protocol) = &outgoing.upgrade {
        headers.insert(UPGRADE, HeaderValue::from_str(protocol).map_err(invalid)?);
        headers.insert(http::header::CONNECTION, HeaderValue::from_static("upgrade"));
    } else if outgoing.trailers {
        headers.insert(http::header::TE, HeaderValue::from_static("trailers"));
        headers.insert(http::header::CONNECTION, HeaderValue::from_static("te"));
    }
    let bodiless = is_bodiless(&outgoing.method);
    let framing = match &outgoing.body {
        OutgoingBody::Whole(bytes) if bytes.is_empty() && bodiless => Framing::None,
        OutgoingBody::Whole(bytes) => Framing::Known(bytes.len() as u64),
        OutgoingBody::Stream { length: Some(length), .. } => Framing::Known(*length),
        OutgoingBody::Stream { length: None, .. } => Framing::Chunked,
    };
    let mut out = BytesMut::new();
    write::request_head(&mut out, &outgoing.method, &outgoing.target, &headers, framing);
    Ok(Box::pin(write_request(write, out, outgoing.body, framing)))
}

async fn write_request(
    mut write: WriteHalf<BoxStream>,
    mut out: BytesMut,
    body: OutgoingBody,
    framing: Framing,
) -> Result<WriteHalf<BoxStream>, WriteError> {
    match body {
        OutgoingBody::Whole(bytes) if bytes.len() <= COALESCE => out.extend_from_slice(&bytes),
        OutgoingBody::Whole(bytes) => {
            send(&mut write, &mut out).await?;
            write.write_all(&bytes).await.map_err(WriteError::Upstream)?;
        }
        OutgoingBody::Stream { payload, .. } => stream(&mut write, &mut out, payload, framing).await?,
    }
    send(&mut write, &mut out).await?;
    write.flush().await.map_err(WriteError::Upstream)?;
    Ok(write)
}

/// Trailers of requests were refused on the way here: nothing that was judged is in them.
async fn stream(
    write: &mut WriteHalf<BoxStream>,
    out: &mut BytesMut,
    mut payload: Payload,
    framing: Framing,
) -> Result<(), WriteError> {
    loop {
        let next = match payload.frame().now_or_never() {
            Some(next) => next,
            None => {
                send(write, out).await?;
                payload.frame().await
            }
        };
        let Some(frame) = next.transpose().map_err(WriteError::Body)? else { break };
        let Ok(data) = frame.into_data() else { continue };
        match framing {
            Framing::Chunked => write::chunk(out, &data),
            _ => out.extend_from_slice(&data),
        }
        if out.len() >= COALESCE {
            send(write, out).await?;
        }
    }
    if framing == Framing::Chunked {
        write::last_chunk(out, None);
    }
    Ok(())
}

async fn send(write: &mut WriteHalf<BoxStream>, out: &mut BytesMut) -> Result<(), WriteError> {
    if !out.is_empty() {
        write.write_all(out).await.map_err(WriteError::Upstream)?;
        write.flush().await.map_err(WriteError::Upstream)?;
        out.clear();
    }
    Ok(())
}

async fn upgraded(
    head: ResponseHead,
    reader: Reader<ReadHalf<BoxStream>>,
    mut exchange: Exchange,
    wanted: bool,
) -> Result<Answered, ForwardError> {
    if !wanted {
        return Err(ForwardError::Broken("the upstream switched protocols without being asked".to_owned()));
    }
    std::future::poll_fn(|cx| exchange.poll_write(cx)).await?;
    let Some(write) = exchange.write else {
        return Err(ForwardError::Broken("the upstream switched protocols in the middle of the request".to_owned()));
    };
    let (read, ahead) = reader.into_parts();
    let io = Prefixed::new(ahead.freeze(), read.unsplit(write));
    let response = response(head, ())?;
    Ok(Answered::Upgraded(response, Box::new(io)))
}

fn response<B>(head: ResponseHead, body: B) -> Result<Response<B>, ForwardError> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(head.status).map_err(|e| broken(&e))?;
    *response.headers_mut() = head.headers;
    Ok(response)
}

/// The body of an answer, which drives the rest of the request out as it is read.
struct AnswerBody {
    reader: Option<Reader<ReadHalf<BoxStream>>>,
    decoder: BodyDecoder,
    left: Option<u64>,
    exchange: Exchange,
    release: Option<Release>,
    peer: SocketAddr,
    written: Written,
}

impl AnswerBody {
    /// An answer without body is over before it is read.
    fn started(mut self) -> Payload {
        if self.decoder.is_done() {
            self.finish();
        }
        self.boxed_unsync()
    }

    /// Gives the connection back where it can carry another request; closes it otherwise.
    fn finish(&mut self) {
        let parts = (self.reader.take(), self.exchange.write.take(), self.release.take());
        if let (Some(reader), Some(write), Some(release)) = parts
            && reader.is_clean()
        {
            release.put(Http1 { reader, write, peer: self.peer, written: self.written.clone() });
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        let this = &mut *self;
        if let Poll::Ready(Err(error)) = this.exchange.poll_write(cx) {
            this.reader = None;
            return Poll::Ready(Some(Err(error)));
        }
        let Some(reader) = this.reader.as_mut() else { return Poll::Ready(None) };
        match ready!(reader.poll_body(cx, &mut this.decoder)) {
            Ok(Some(frame)) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                this.left = this.left.map(|left| left.saturating_sub(length));
                // With a known length the end is known with the last piece; nobody may ask again.
                if this.decoder.is_done() {
                    this.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Ok(None) => {
                this.finish();
                Poll::Ready(None)
            }
            Err(error) => {
                this.reader = None;
                Poll::Ready(Some(Err(PayloadError::Upstream(read_problem(&error)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.reader.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

fn read_problem(error: &ReadError) -> String {
    match error {
        ReadError::Framing(error) => error.to_string(),
        ReadError::Io(error) => format!("the connection broke: {error}"),
    }
}
