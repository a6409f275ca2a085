//! HTTP/2 towards the client, served by hyper with limits on streams, resets and heads, without extended CONNECT.

pub(crate) mod unread;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming as H2Body};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use self::unread::Room;
use crate::channel::Channel;
use crate::exchange::exchange;
use crate::exchange::request::Incoming;
use crate::framing::MAX_HEAD_BYTES;
use crate::io::BoxStream;
use crate::payload::{Payload, PayloadError};

/// Streams at once on one connection.
const STREAMS: u32 = 512;
/// What a stalled client may leave unread, per stream.
const SEND_BUFFER: usize = 16 * 1024;

/// Serves the connection until either side ends it.
pub(crate) async fn serve(io: BoxStream, channel: Channel, room: Room) {
    let service = service_fn(move |request| {
        let channel = channel.clone();
        async move { Ok::<_, Infallible>(answer(channel, request).await) }
    });
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
        .max_send_buf_size(SEND_BUFFER)
        .initial_stream_window_size(room.stream_window())
        .initial_connection_window_size(room.window())
        .max_pending_accept_reset_streams(32)
        .max_local_error_reset_streams(64)
        .auto_date_header(false)
        .keep_alive_interval(Duration::from_secs(60))
        .keep_alive_timeout(Duration::from_secs(20));
    if let Err(error) = builder.serve_connection(TokioIo::new(io), service).await {
        tracing::debug!(%error, "an HTTP/2 connection of a client ended");
    }
}

async fn answer(channel: Channel, request: Request<H2Body>) -> Response<Payload> {
    let (head, body) = request.into_parts();
    let target = head.uri.path_and_query().map_or("*", |target| target.as_str()).to_owned();
    let length = body.size_hint().exact();
    let incoming = Incoming {
        method: head.method.as_str().to_owned(),
        scheme: head.uri.scheme_str().map(ToOwned::to_owned),
        authority: head.uri.authority().map(|authority| authority.as_str().to_owned()),
        target,
        headers: head.headers,
        length,
        body: body.map_err(|error| PayloadError::Client(error.to_string())).boxed_unsync(),
        upgradable: false,
    };
    let shared = Arc::clone(&channel.shared);
    exchange(channel, incoming).await.response.map(|body| shared.unread.counted(body))
}
