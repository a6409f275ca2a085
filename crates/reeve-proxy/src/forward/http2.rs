//! HTTP/2 towards the upstream: one connection carries many requests of the same session and credential.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderValue;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use reeve_domain::host::Authority;
use tokio::time::timeout;

use super::{ForwardError, Outgoing, OutgoingBody};
use crate::framing::MAX_HEAD_BYTES;
use crate::io::BoxStream;
use crate::payload::{Payload, PayloadError, full};

/// Requests at once on one connection; more open another one. Upstreams usually allow 100 or more.
const AT_ONCE: usize = 96;
/// Models may think for long before the head of their answer comes.
const HEAD_TIME: Duration = Duration::from_secs(900);
/// What may arrive unread, per stream and per connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 2 * 1024 * 1024;

/// Why a request got no answer.
pub(super) enum SendError {
    /// It did not leave, and may be sent over another connection.
    Unsent(Box<Outgoing>),
    Failed(ForwardError),
}

/// A connection that requests share.
#[derive(Clone)]
pub(super) struct Http2 {
    sender: SendRequest<Payload>,
    peer: SocketAddr,
    busy: Arc<AtomicUsize>,
}

impl Http2 {
    pub async fn open(io: BoxStream, peer: SocketAddr) -> Result<Self, ForwardError> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
            .max_send_buf_size(64 * 1024)
            .keep_alive_interval(Duration::from_secs(60))
            .keep_alive_timeout(Duration::from_secs(20));
        let (sender, connection) = builder
            .handshake(TokioIo::new(io))
            .await
            .map_err(|error| ForwardError::Unreachable(format!("the upstream does not speak HTTP/2: {error}")))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an HTTP/2 connection to an upstream ended");
            }
        });
        Ok(Self { sender, peer, busy: Arc::default() })
    }

    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
    }

    pub fn has_room(&self) -> bool {
        self.busy.load(Ordering::Relaxed) < AT_ONCE
    }

    pub async fn send(mut self, outgoing: Outgoing, authority: &Authority) -> Result<Response<Payload>, SendError> {
        let busy = Busy::new(&self.busy);
        // Only a whole body can be sent a second time.
        let spare = match &outgoing.body {
            OutgoingBody::Whole(bytes) => Some(bytes.clone()),
            OutgoingBody::Stream { .. } => None,
        };
        let (method, target, headers) = (outgoing.method.clone(), outgoing.target.clone(), outgoing.headers.clone());
        let trailers = outgoing.trailers;
        let again = move || {
            spare.map(|bytes| Outgoing {
                method,
                target,
                headers,
                body: OutgoingBody::Whole(bytes),
                upgrade: None,
                trailers,
            })
        };
        let request = request(outgoing, authority).map_err(SendError::Failed)?;
        let answer = timeout(HEAD_TIME, self.sender.try_send_request(request)).await;
        match answer {
            Ok(Ok(response)) => Ok(response.map(|body| Counted { body, _busy: busy }.boxed_unsync())),
            Ok(Err(mut error)) => {
                let unsent = error.take_message().and_then(|_| again());
                let why = format!("the upstream's HTTP/2 connection failed: {}", error.into_error());
                Err(match unsent {
                    Some(outgoing) => SendError::Unsent(Box::new(outgoing)),
                    None => SendError::Failed(ForwardError::Broken(why)),
                })
            }
            Err(_) => {
                Err(SendError::Failed(ForwardError::Broken("the upstream did not answer within 15 minutes".to_owned())))
            }
        }
    }
}

fn request(outgoing: Outgoing, authority: &Authority) -> Result<Request<Payload>, ForwardError> {
    let uri = format!("https://{}{}", authority.to_header(443), outgoing.target);
    let body = match outgoing.body {
        OutgoingBody::Whole(bytes) => full(bytes),
        OutgoingBody::Stream { payload, .. } => payload,
    };
    let mut request = Request::builder()
        .method(outgoing.method.as_str())
        .uri(uri)
        .version(http::Version::HTTP_2)
        .body(body)
        .map_err(|error| ForwardError::Unreachable(format!("the request cannot be written as HTTP/2: {error}")))?;
    *request.headers_mut() = outgoing.headers;
    if outgoing.trailers {
        request.headers_mut().insert(http::header::TE, HeaderValue::from_static("trailers"));
    }
    Ok(request)
}

/// One request under way on a shared connection.
struct Busy(Arc<AtomicUsize>);

impl Busy {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer; its connection has room again when it is dropped.
struct Counted {
    body: Incoming,
    _busy: Busy,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        Pin::new(&mut self.body).poll_frame(cx).map_err(|error| PayloadError::Upstream(error.to_string()))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
