//! HTTP/2 towards the upstream: one connection carries many requests of the same session and credential. Streams do not
//! wait for each other: what a slow reader leaves unread is bounded per stream, and by the number of streams for all.

mod unread;

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{Ping, PingPong, Reason, RecvStream, SendStream};
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, TE};
use http::{Request, Response};
use http_body_util::BodyExt;
use reeve_domain::host::Authority;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use self::unread::Answer;
use super::dial::Dialled;
use super::http1::is_bodiless;
use super::{ForwardError, Outgoing, OutgoingBody, SendError};
use crate::framing::MAX_HEAD_BYTES;
use crate::io::Written;
use crate::payload::{Payload, PayloadError};

/// Requests at once on one connection, where the upstream allows as many; more open another one.
const AT_ONCE: u32 = 96;
/// Models may think for long before the head of their answer comes.
const HEAD_TIME: Duration = Duration::from_secs(900);
/// What may arrive unread on one stream, in bytes, and how many such streams this process has at once: 32 MiB in all…
const WIDE: (u32, usize) = (128 * 1024, 256);
/// …and on the streams beyond those: another 16 MiB, and as many as a session may have requests under way.
const NARROW: (u32, usize) = (8 * 1024, 2048);
/// What small frames may cost h2 beyond their bytes, in bytes; past it the whole connection ends. They are taken out of it
/// as they come, read or not, so this only bears what arrives in one burst. So much on so many connections at once: 32 MiB
/// in all…
const SMALL_FRAMES: (usize, usize) = (4 * 1024 * 1024, 8);
/// …and so much on those beyond them: another 16 MiB. Where these are used up too, upstreams are asked by HTTP/1.1.
const FEWER_FRAMES: (usize, usize) = (512 * 1024, 32);
/// A connection with requests under way is asked for a sign of life this often, and given up after the second.
const PING_EVERY: Duration = Duration::from_secs(60);
const PING_TIME: Duration = Duration::from_secs(20);

/// The connections of this process and their streams, so that what nobody reads is bounded for all of them together.
pub(super) struct Windows {
    wide: Arc<Semaphore>,
    narrow: Arc<Semaphore>,
    first: Arc<Semaphore>,
    further: Arc<Semaphore>,
}

impl Default for Windows {
    fn default() -> Self {
        let room = |room| Arc::new(Semaphore::new(room));
        Self { wide: room(WIDE.1), narrow: room(NARROW.1), first: room(SMALL_FRAMES.1), further: room(FEWER_FRAMES.1) }
    }
}

impl Windows {
    /// Leave to open one more connection.
    pub fn leave(&self) -> Option<Leave> {
        [(SMALL_FRAMES.0, &self.first), (FEWER_FRAMES.0, &self.further)].into_iter().find_map(
            |(frames, connections)| {
                let permit = Arc::clone(connections).try_acquire_owned().ok()?;
                Some(Leave { small_frames: frames, permit })
            },
        )
    }

    /// Room for the first stream of a new connection, and with it the size of the windows there.
    pub fn room(&self) -> Option<Room> {
        [(WIDE.0, &self.wide), (NARROW.0, &self.narrow)].into_iter().find_map(|(window, streams)| {
            let first = Arc::clone(streams).try_acquire_owned().ok()?;
            Some(Room { window, streams: Arc::clone(streams), first })
        })
    }
}

/// One connection, from before it is opened until it has ended.
pub(super) struct Leave {
    small_frames: usize,
    permit: OwnedSemaphorePermit,
}

/// What a new connection may take.
pub(super) struct Room {
    window: u32,
    streams: Arc<Semaphore>,
    first: OwnedSemaphorePermit,
}

/// A connection that requests share.
#[derive(Clone)]
pub(super) struct Http2 {
    sender: SendRequest<Bytes>,
    peer: SocketAddr,
    busy: Arc<AtomicUsize>,
    /// Streams of this width that the process may still have.
    streams: Arc<Semaphore>,
    written: Written,
}

impl Http2 {
    /// A new connection with a place on it; `None` for the place where the upstream allows no request at all.
    pub async fn open(dialled: Dialled, leave: Leave, room: Room) -> Result<(Self, Option<Place>), ForwardError> {
        let Dialled { io, peer, written, .. } = dialled;
        let Room { window, streams, first } = room;
        let (sender, mut connection) = Builder::new()
            .initial_window_size(window)
            // Room for every stream, so that those nobody reads do not stop the others.
            .initial_connection_window_size(AT_ONCE * window)
            .data_frame_budget(leave.small_frames)
            // Until the upstream says how many it takes, one: what waits behind a limit could have had its own connection.
            .initial_max_send_streams(1)
            .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
            .max_send_buffer_size(64 * 1024)
            .enable_push(false)
            .handshake::<_, Bytes>(io)
            .await
            .map_err(|error| ForwardError::Unreachable(format!("the upstream does not speak HTTP/2: {error}")))?;
        let busy: Arc<AtomicUsize> = Arc::default();
        let pings = connection.ping_pong();
        let watched = Arc::clone(&busy);
        tokio::spawn(async move {
            let _until_it_ended = leave.permit;
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "an HTTP/2 connection to an upstream ended");
                },
                () = silent(pings, &watched) => tracing::debug!("an HTTP/2 connection to an upstream gives no sign of life"),
            }
        });
        let connection = Self { sender, peer, busy, streams, written };
        let place = connection.place_by(first);
        Ok((connection, place))
    }

    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Neither broken nor closing.
    pub fn is_open(&self) -> bool {
        let mut sender = self.sender.clone();
        !matches!(sender.poll_ready(&mut Context::from_waker(Waker::noop())), Poll::Ready(Err(_)))
    }

    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
    }

    /// Takes a place for one more request, as far as this process, this connection and the upstream allow it.
    pub fn place(&self) -> Option<Place> {
        self.place_by(Arc::clone(&self.streams).try_acquire_owned().ok()?)
    }

    fn place_by(&self, window: OwnedSemaphorePermit) -> Option<Place> {
        let most = self.sender.current_max_send_streams().min(AT_ONCE as usize);
        let taken = self.busy.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < most).then_some(n + 1));
        taken.is_ok().then(|| Place { busy: Arc::clone(&self.busy), _window: window })
    }

    /// Sends one request and waits for the head of its answer.
    pub async fn send(
        mut self,
        place: Place,
        mut outgoing: Outgoing,
        authority: &Authority,
    ) -> Result<Response<Payload>, SendError> {
        let head = head(&outgoing, authority)?;
        let empty = matches!(&outgoing.body, OutgoingBody::Whole(bytes) if bytes.is_empty());
        let before = self.written.bytes();
        let Ok((answer, mut stream)) = self.sender.send_request(head, empty) else {
            return Err(SendError::Unsent(Box::new(outgoing)));
        };
        let mut pouring = None;
        match &mut outgoing.body {
            OutgoingBody::Whole(_) if empty => {}
            OutgoingBody::Whole(bytes) => {
                if let Err(error) = stream.send_data(bytes.clone(), true) {
                    tracing::debug!(%error, "an upstream did not take a whole request");
                }
            }
            OutgoingBody::Stream { payload, .. } => {
                let payload = std::mem::replace(payload, crate::payload::empty());
                pouring = Some(Pouring(Box::pin(pour(stream, payload))));
            }
        }
        let poured = pouring.is_some();
        let mut sending = Sending { answer, pouring };
        match timeout(HEAD_TIME, &mut sending).await {
            Ok(Ok(response)) => {
                let left = declared_length(response.headers());
                let pouring = sending.pouring;
                Ok(response.map(|body| Answer::new(body, pouring, left, place).boxed_unsync()))
            }
            // Of a body that went in pieces some are gone.
            Ok(Err(NoHead::Upstream(error))) if !poured && (unprocessed(&error) || self.written.bytes() == before) => {
                Err(SendError::Unsent(Box::new(outgoing)))
            }
            Ok(Err(NoHead::Upstream(error))) => Err(SendError::Failed(broken(&error))),
            Ok(Err(NoHead::Client(error))) => Err(SendError::Failed(ForwardError::Body(error))),
            Err(_) => {
                Err(SendError::Failed(ForwardError::Broken("the upstream did not answer within 15 minutes".to_owned())))
            }
        }
    }
}

/// Resolves when requests are under way and the upstream does not answer a ping.
async fn silent(pings: Option<PingPong>, busy: &AtomicUsize) {
    let Some(mut pings) = pings else { return std::future::pending().await };
    loop {
        sleep(PING_EVERY).await;
        if busy.load(Ordering::Relaxed) > 0 && timeout(PING_TIME, pings.ping(Ping::opaque())).await.is_err() {
            return;
        }
    }
}

/// The upstream says itself that it did not act on the request: a refused stream, or one above the last that a closing
/// connection still serves.
fn unprocessed(error: &h2::Error) -> bool {
    error.is_remote() && (error.is_go_away() || error.reason() == Some(Reason::REFUSED_STREAM))
}

fn broken(error: &h2::Error) -> ForwardError {
    ForwardError::Broken(format!("the upstream's HTTP/2 connection failed: {error}"))
}

fn head(outgoing: &Outgoing, authority: &Authority) -> Result<Request<()>, ForwardError> {
    let uri = format!("https://{}{}", authority.to_header(443), outgoing.target);
    let mut request = Request::builder()
        .method(outgoing.method.as_str())
        .uri(uri)
        .version(http::Version::HTTP_2)
        .body(())
        .map_err(|error| ForwardError::Unreachable(format!("the request cannot be written as HTTP/2: {error}")))?;
    request.headers_mut().clone_from(&outgoing.headers);
    let length = match &outgoing.body {
        OutgoingBody::Whole(bytes) if bytes.is_empty() && is_bodiless(&outgoing.method) => None,
        OutgoingBody::Whole(bytes) => Some(bytes.len() as u64),
        OutgoingBody::Stream { length, .. } => *length,
    };
    if let Some(length) = length {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if outgoing.trailers {
        request.headers_mut().insert(TE, HeaderValue::from_static("trailers"));
    }
    Ok(request)
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Sends a body as it comes, as far as the upstream has room. An upstream that does not take the rest says why in its
/// answer.
async fn pour(mut stream: SendStream<Bytes>, mut payload: Payload) -> Result<(), PayloadError> {
    while let Some(frame) = payload.frame().await {
        let frame = frame.inspect_err(|_| stream.send_reset(Reason::CANCEL))?;
        // Trailers of requests were refused on the way here.
        let Ok(mut data) = frame.into_data() else { continue };
        while !data.is_empty() {
            stream.reserve_capacity(data.len());
            let Some(Ok(room)) = poll_fn(|cx| stream.poll_capacity(cx)).await else { return Ok(()) };
            if stream.send_data(data.split_to(room.min(data.len())), false).is_err() {
                return Ok(());
            }
        }
    }
    if let Err(error) = stream.send_data(Bytes::new(), true) {
        tracing::debug!(%error, "an upstream did not take a whole request");
    }
    Ok(())
}

/// A request body on its way, driven by whoever waits for the answer.
struct Pouring(Pin<Box<dyn Future<Output = Result<(), PayloadError>> + Send>>);

fn poll_pouring(pouring: &mut Option<Pouring>, cx: &mut Context<'_>) -> Result<(), PayloadError> {
    match pouring.as_mut().map(|Pouring(future)| future.as_mut().poll(cx)) {
        Some(Poll::Ready(poured)) => {
            *pouring = None;
            poured
        }
        Some(Poll::Pending) | None => Ok(()),
    }
}

enum NoHead {
    Upstream(h2::Error),
    Client(PayloadError),
}

/// A request that waits for the head of its answer.
struct Sending {
    answer: ResponseFuture,
    pouring: Option<Pouring>,
}

impl Future for Sending {
    type Output = Result<Response<RecvStream>, NoHead>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        poll_pouring(&mut self.pouring, cx).map_err(NoHead::Client)?;
        Pin::new(&mut self.answer).poll(cx).map_err(NoHead::Upstream)
    }
}

/// One request under way on a shared connection.
pub(super) struct Place {
    busy: Arc<AtomicUsize>,
    _window: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }
}
