//! Sockets and TLS: accepts connections, tells plain HTTP from TLS by the first byte, and hands requests to `endpoint`.

use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Shared, endpoint};

/// First byte of a TLS handshake record.
const TLS_HANDSHAKE: u8 = 0x16;

/// Where a request came in.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) connection: u64,
    pub(super) sni: Option<String>,
}

pub(super) async fn run(
    socket: TcpListener,
    tls: TlsAcceptor,
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let mut connection = 0;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = socket.accept() => accepted,
        };
        // Accepting fails for a while when descriptors run out; the listener outlives that.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        connection += 1;
        let (tls, shared, stop) = (tls.clone(), Arc::clone(&shared), stop.clone());
        tasks.spawn(async move {
            let served = serve(stream, tls, shared, connection);
            if let Some(Err(error)) = stop.run_until_cancelled(served).await {
                tracing::debug!(connection, %error, "demo provider: connection ended");
            }
        });
    }
}

async fn serve(stream: TcpStream, tls: TlsAcceptor, shared: Arc<Shared>, connection: u64) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    stream.peek(&mut first).await?;
    if first == [TLS_HANDSHAKE] {
        let stream = tls.accept(stream).await?;
        let sni = stream.get_ref().1.server_name().map(str::to_owned);
        requests(stream, shared, Origin { connection, sni }).await
    } else {
        requests(stream, shared, Origin { connection, sni: None }).await
    }
}

async fn requests<S>(stream: S, shared: Arc<Shared>, origin: Origin) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service =
        service_fn(move |request: Request<Incoming>| endpoint::answer(request, Arc::clone(&shared), origin.clone()));
    auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await
        .map_err(std::io::Error::other)
}
