//! The way to the upstream: only what was admitted takes it. Names are resolved once, every address is checked, the
//! checked address is the one connected to; connections are shared within one session and credential only.

mod dial;
mod http1;
mod http2;
mod pool;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::HeaderMap;
use reeve_domain::address::Ranges;
use reeve_domain::host::Authority;
use reeve_domain::id::{CredentialId, SessionId};
use reeve_domain::operation::Scheme;
use reeve_engine::settings::Upstream;

use crate::forward::dial::Dialer;
use crate::forward::http1::Http1;
use crate::forward::http2::{Http2, Windows};
use crate::forward::pool::{Pool, PoolKey, Pooled};
use crate::io::BoxStream;
use crate::payload::{Payload, PayloadError};
use crate::tls::upstream::UpstreamTls;

/// Idle upstream connections are closed after this.
const IDLE: Duration = Duration::from_secs(60);
/// Connections that one request is tried on, where none of those before has processed it.
const ATTEMPTS: usize = 3;

/// Where one admitted request goes, and what its connection may be shared with.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub session: SessionId,
    /// The credential that is injected, where one is.
    pub credential: Option<CredentialId>,
    pub scheme: Scheme,
    pub authority: Authority,
    /// Special-purpose addresses that a rule names for this request.
    pub permitted: Ranges,
    /// The request asks for an upgrade: a connection of its own, HTTP/1.1 only.
    pub upgrade: bool,
}

/// A request as it goes upstream.
pub(crate) struct Outgoing {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// End-to-end headers.
    pub headers: HeaderMap,
    pub body: OutgoingBody,
    pub upgrade: Option<String>,
    pub trailers: bool,
}

/// The body of a request that goes upstream.
pub(crate) enum OutgoingBody {
    Whole(Bytes),
    Stream { payload: Payload, length: Option<u64> },
}

/// What the upstream answered.
pub(crate) enum Answered {
    Response(Response<Payload>),
    /// `101`: the connection belongs to the other protocol now.
    Upgraded(Response<()>, BoxStream),
}

/// An answer, and the address it came from.
pub(crate) struct Reached {
    pub answered: Answered,
    pub peer: SocketAddr,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForwardError {
    /// Nothing was sent.
    #[error("`{host}` leads to {address}, which is {what} ({range}); no rule permits that address for it")]
    Address { host: String, address: String, what: &'static str, range: &'static str },
    /// Nothing was sent.
    #[error("`{host}` leads to a port of Reeve itself")]
    OwnPort { host: String },
    /// Nothing was sent.
    #[error("{0}")]
    Unreachable(String),
    /// The request was sent, in part at least.
    #[error("{0}")]
    Broken(String),
    /// The client's own body broke off while it was sent.
    #[error(transparent)]
    Body(#[from] PayloadError),
}

/// Why one connection gave no answer.
enum SendError {
    /// The upstream did not process the request, and it may be sent again: nothing of it left, or the upstream said so
    /// itself (RFC 9113 section 8.7).
    Unsent(Box<Outgoing>),
    Failed(ForwardError),
}

impl From<ForwardError> for SendError {
    fn from(error: ForwardError) -> Self {
        Self::Failed(error)
    }
}

/// Sends admitted requests upstream.
pub(crate) struct Forwarder {
    dialer: Dialer,
    pool: Arc<Pool>,
    windows: Windows,
}

impl Forwarder {
    /// `own_port`: the port of the proxy itself, which nothing may be sent to.
    pub fn new(upstream: &Upstream, tls: UpstreamTls, own_port: u16) -> Result<Self, String> {
        Ok(Self { dialer: Dialer::new(upstream, tls, own_port)?, pool: Arc::default(), windows: Windows::default() })
    }

    /// Sends one request and waits for the head of its answer. `sent` is called right before its first byte leaves. What
    /// an upstream did not process, by its own word or because nothing of it left, is sent again.
    ///
    /// # Errors
    /// See the variants; those that say so have sent nothing.
    pub async fn send(&self, route: &Route, mut outgoing: Outgoing, sent: impl Fn()) -> Result<Reached, ForwardError> {
        let key = PoolKey::of(route);
        for _ in 0..ATTEMPTS {
            let pooled = match self.pooled(&key, route) {
                Some(pooled) => pooled,
                None => {
                    let _turn = self.pool.turn(&key).await;
                    match self.pooled(&key, route) {
                        Some(pooled) => pooled,
                        None => self.open(&key, route).await?,
                    }
                }
            };
            sent();
            match self.over(pooled, &key, route, outgoing).await {
                Ok(reached) => return Ok(reached),
                Err(SendError::Unsent(again)) => outgoing = *again,
                Err(SendError::Failed(error)) => return Err(error),
            }
        }
        Err(ForwardError::Unreachable(format!("`{}` turned the request away unread {ATTEMPTS} times", route.authority)))
    }

    fn pooled(&self, key: &PoolKey, route: &Route) -> Option<Pooled> {
        if route.upgrade {
            return None;
        }
        self.pool.take(key, |peer| self.dialer.may_reach(route, peer))
    }

    async fn open(&self, key: &PoolKey, route: &Route) -> Result<Pooled, ForwardError> {
        let leave = self.windows.leave().filter(|_| !route.upgrade);
        let dialled = self.dialer.dial(route, leave.is_some()).await?;
        let Some(leave) = leave.filter(|_| dialled.http2) else { return Ok(Pooled::Http1(Http1::new(dialled))) };
        let room = self.windows.room().ok_or_else(|| {
            ForwardError::Unreachable("as many answers are under way as there may be at once".to_owned())
        })?;
        let (connection, place) = Http2::open(dialled, leave, room).await?;
        let place = place.ok_or_else(|| {
            ForwardError::Unreachable(format!("`{}` allows no request on a new connection", route.authority))
        })?;
        self.pool.share(key.clone(), &connection);
        Ok(Pooled::Http2(connection, place))
    }

    async fn over(
        &self,
        pooled: Pooled,
        key: &PoolKey,
        route: &Route,
        outgoing: Outgoing,
    ) -> Result<Reached, SendError> {
        let peer = pooled.peer();
        let answered = match pooled {
            Pooled::Http1(connection) => {
                let release = (!route.upgrade).then(|| self.pool.release(key.clone()));
                connection.send(outgoing, &route.authority, route.scheme, release).await?
            }
            Pooled::Http2(connection, place) => {
                Answered::Response(connection.send(place, outgoing, &route.authority).await?)
            }
        };
        Ok(Reached { answered, peer })
    }

    /// Closes what is idle for a session that ended.
    pub fn forget(&self, session: &SessionId) {
        self.pool.forget(session);
    }

    /// Closes what is idle for long.
    pub fn sweep(&self) {
        self.pool.sweep(IDLE);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use http_body_util::BodyExt as _;
    use parking_lot::Mutex;
    use reeve_domain::host::Host;

    use super::*;

    /// Takes the next request up to its body, answers it, and leaves the body unread in the socket: who closes such a socket
    /// resets the connection.
    fn answer(io: &mut TcpStream) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            io.read_exact(&mut byte).unwrap();
            head.extend_from_slice(&byte);
        }
        // Until the whole of it is there.
        let mut body = [0; 64];
        while io.peek(&mut body).unwrap() < 4 {}
        io.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
        String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_request_that_meets_a_reset_before_a_byte_of_it_left_goes_once_over_a_new_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seeing, seen) = mpsc::channel();
        let ((close, closing), (closed, gone)) = (mpsc::channel::<()>(), mpsc::channel::<()>());
        std::thread::spawn(move || {
            let (mut first, _) = listener.accept().unwrap();
            seeing.send(answer(&mut first)).unwrap();
            closing.recv().unwrap();
            drop(first);
            closed.send(()).unwrap();
            let (mut second, _) = listener.accept().unwrap();
            seeing.send(answer(&mut second)).unwrap();
            // Nothing else comes.
            _ = closing.recv();
        });
        let resolve = [("a.example:80".to_owned(), address)].into_iter().collect();
        let upstream = Upstream { resolve, ..Upstream::default() };
        let forwarder = Forwarder::new(&upstream, UpstreamTls::load(&[]).unwrap(), 1).unwrap();
        let route = Route {
            session: SessionId::new(),
            credential: None,
            scheme: Scheme::Http,
            authority: Authority { host: Host::parse("a.example").unwrap(), port: 80 },
            permitted: Ranges::default(),
            upgrade: false,
        };
        let send = async |target: &str, sent: &(dyn Fn() + Sync)| {
            let outgoing = Outgoing {
                method: "POST".to_owned(),
                target: target.to_owned(),
                headers: HeaderMap::new(),
                body: OutgoingBody::Whole(Bytes::from_static(b"body")),
                upgrade: None,
                trailers: false,
            };
            let Answered::Response(response) = forwarder.send(&route, outgoing, sent).await.unwrap().answered else {
                panic!("no answer to {target}")
            };
            response.into_body().collect().await.unwrap().to_bytes()
        };
        assert_eq!(send("/one", &|| ()).await, "ok");
        let gone = Mutex::new(gone);
        let times = AtomicUsize::new(0);
        // The connection was found open and idle; now it is reset, and then the request is written.
        let reset = || {
            if times.fetch_add(1, Ordering::SeqCst) == 0 {
                close.send(()).unwrap();
                gone.lock().recv().unwrap();
            }
        };
        assert_eq!(send("/two", &reset).await, "ok");
        assert_eq!(times.load(Ordering::SeqCst), 2, "over two connections");
        assert_eq!(seen.iter().take(2).collect::<Vec<_>>(), ["POST /one HTTP/1.1", "POST /two HTTP/1.1"]);
        drop(close);
        assert!(seen.recv().is_err(), "each came once");
    }
}
