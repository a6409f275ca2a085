//! The governed endpoint: Streamable HTTP on loopback, one path for each registered server, for clients that show the token
//! of a running session. Servers of this machine are bridged; remote ones are forwarded to the mouth that governs HTTP.

mod answer;
mod bridge;
mod check;
mod line;
mod mirrored;
mod post;
mod room;
mod stream;

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use reeve_domain::id::SessionId;
use reeve_domain::sensitive::Secret;
use reeve_engine::{Engine, LiveSession};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};

use crate::gateway::Gateway;
use crate::http::bridge::Bridge;
use crate::http::room::{Room, Taken};
use crate::link::{Link, ServerRef};
use crate::message::MAX_MESSAGE;
use crate::relay::lives::Life;

/// Connections at once. More wait in the backlog.
const CONNECTIONS: usize = 1024;
/// The head of a request must be here after this.
const HEAD: Duration = Duration::from_secs(10);
/// How much of a request that is turned away is read, in bytes and time.
const MOST_REST: usize = 64 * 1024;
const REST: Duration = Duration::from_secs(1);
/// How long an MCP session that makes room may take to end.
const MADE: Duration = Duration::from_secs(5);
/// A session that nobody used for so long is ended.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// How often idle sessions are looked for.
const SWEEP: Duration = Duration::from_secs(60);

/// The body of an answer.
pub type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// How a registered server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A program that is started for the client's session.
    Child,
    /// Another endpoint, over the mouth that governs HTTP.
    Remote,
}

/// A server that was started.
pub struct Started {
    pub server: ServerRef,
    /// Ends the server when it is dropped.
    pub link: Link,
    /// What becomes of a server that crashes.
    pub lives: mpsc::Receiver<Life>,
}

/// What stands behind the endpoint; made by the composition root, which alone sees child processes and the proxy.
pub trait Back: Send + Sync + 'static {
    /// How a registered server is reached; `None`: there is none of this name.
    fn place(&self, server: &str) -> Option<Place>;

    /// Whether a connection may use this session; the error says why not.
    fn check_user<'a>(
        &'a self,
        session: &'a Arc<LiveSession>,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> BoxFuture<'a, Result<(), String>>;

    /// Starts a server of this machine in the session's environment.
    fn start<'a>(
        &'a self,
        session: &'a Arc<LiveSession>,
        token: &'a Secret,
        server: &'a str,
    ) -> BoxFuture<'a, Result<Started, String>>;

    /// Sends a request to a remote server, with what its entry says in place of path and host.
    fn forward<'a>(
        &'a self,
        session: &'a Arc<LiveSession>,
        token: &'a Secret,
        server: &'a str,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Response<Body>>;
}

/// Why the endpoint cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("the MCP endpoint listens on loopback only, not on `{0}`")]
    NotLoopback(SocketAddr),
    #[error("the MCP endpoint cannot listen on `{address}`: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
}

/// A running endpoint; it ends with its engine.
#[derive(Clone)]
pub struct Endpoint {
    shared: Arc<Shared>,
    address: SocketAddr,
}

/// The same, for who is held by what it holds itself.
#[derive(Clone)]
pub struct WeakEndpoint {
    shared: Weak<Shared>,
    address: SocketAddr,
}

impl WeakEndpoint {
    /// The endpoint, as long as somebody else holds it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Endpoint> {
        self.shared.upgrade().map(|shared| Endpoint { shared, address: self.address })
    }
}

/// What all connections share.
pub(crate) struct Shared {
    engine: Engine,
    gateway: Gateway,
    back: Arc<dyn Back>,
    port: u16,
    bridges: Mutex<HashMap<String, Arc<Bridge>>>,
    room: Room,
    /// One server for all clients without MCP sessions is started once.
    starting: tokio::sync::Mutex<()>,
}

impl Endpoint {
    #[must_use]
    pub fn downgrade(&self) -> WeakEndpoint {
        WeakEndpoint { shared: Arc::downgrade(&self.shared), address: self.address }
    }

    /// Begins to listen on a free port of loopback.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn start(engine: Engine, gateway: Gateway, back: Arc<dyn Back>) -> Result<Self, EndpointError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listen = |source| EndpointError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let shared = Arc::new(Shared {
            engine,
            gateway,
            back,
            port: address.port(),
            bridges: Mutex::default(),
            room: Room::default(),
            starting: tokio::sync::Mutex::default(),
        });
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        tokio::spawn(sweep(Arc::clone(&shared)));
        Ok(Self { shared, address })
    }

    /// Answers a request that came another way, whose connection was looked at there. It needs the token all the same.
    pub async fn serve(&self, request: Request<Bytes>) -> Response<Body> {
        respond(&self.shared, request.map(Full::new), None).await.unwrap_or_else(|turned| *turned)
    }

    /// Whether a server of this name is registered.
    #[must_use]
    pub fn serves(&self, server: &str) -> bool {
        self.shared.back.place(server).is_some()
    }

    /// Where clients find it; a server's path is `/mcp/` and its name.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where clients find one server.
    #[must_use]
    pub fn url_of(&self, server: &str) -> String {
        format!("{}/{}", self.url(), check::escaped(server))
    }

    /// What clients put before a server's name.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let stopping = shared.engine.stopping().clone();
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopping.cancelled() => return,
        };
        match accepted {
            Ok((tcp, _)) => {
                let (shared, stopping) = (Arc::clone(&shared), stopping.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = connection(shared, tcp) => {}
                        () = stopping.cancelled() => {}
                    }
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection of an MCP client");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn sweep(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(SWEEP) => {}
            () = shared.engine.stopping().cancelled() => return,
        }
        shared.bridges.lock().retain(|_, bridge| {
            let is_over = bridge.ended.is_cancelled() || bridge.idle().is_some_and(|quiet| quiet > IDLE);
            if is_over {
                bridge.ended.cancel();
            }
            !is_over
        });
    }
}

/// A connection of this machine.
struct Ends {
    peer: SocketAddr,
    local: SocketAddr,
    /// The session whose user it was found to belong to: whose it is does not change as long as it lasts.
    checked: Mutex<Option<SessionId>>,
}

impl Ends {
    async fn check_user(&self, shared: &Shared, session: &Arc<LiveSession>) -> Result<(), Turned> {
        if self.checked.lock().as_ref() == Some(session.id()) {
            return Ok(());
        }
        let allowed = shared.back.check_user(session, self.peer, self.local).await;
        allowed.map_err(|why| answer::refused(StatusCode::FORBIDDEN, &why))?;
        *self.checked.lock() = Some(session.id().clone());
        Ok(())
    }
}

async fn connection(shared: Arc<Shared>, tcp: TcpStream) {
    let Some((peer, local)) = tcp.peer_addr().ok().zip(tcp.local_addr().ok()) else { return };
    let ends = Arc::new(Ends { peer, local, checked: Mutex::default() });
    if let Err(error) = tcp.set_nodelay(true) {
        tracing::debug!(%error, "a socket does not take TCP_NODELAY");
    }
    let service = service_fn(move |request| {
        let (shared, ends) = (Arc::clone(&shared), Arc::clone(&ends));
        async move { Ok::<_, Infallible>(respond(&shared, request, Some(&ends)).await.unwrap_or_else(|turned| *turned)) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).auto_date_header(false);
    if let Err(error) = builder.serve_connection(TokioIo::new(tcp), service).await {
        tracing::debug!(%error, "a connection of an MCP client ended");
    }
}

/// An answer that turns a request away, for whoever stands behind the endpoint. `why` is one sentence.
#[must_use]
pub fn refusal(status: StatusCode, why: &str) -> Response<Body> {
    *answer::refused(status, why)
}

/// An answer that turns a request away.
type Turned = Box<Response<Body>>;

/// A request that was let in.
pub(crate) struct Asked {
    pub session: Arc<LiveSession>,
    pub token: Secret,
    pub server: String,
    pub head: http::request::Parts,
    pub body: Bytes,
}

/// Every step hands on what the next one needs, or turns the request away with its cause.
async fn respond<B>(shared: &Arc<Shared>, request: Request<B>, ends: Option<&Ends>) -> Result<Response<Body>, Turned>
where
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    let (head, body) = request.into_parts();
    let (session, token, server, place) = match let_in(shared, &head, ends).await {
        Ok(let_in) => let_in,
        Err(turned) => {
            // Of a request that is not read to its end the connection is closed, under the client's next one.
            let _ = tokio::time::timeout(REST, Limited::new(body, MOST_REST).collect()).await;
            return Err(turned);
        }
    };
    let body = Limited::new(body, MAX_MESSAGE).collect().await.map_err(|_| {
        answer::refused(StatusCode::PAYLOAD_TOO_LARGE, "the message is damaged or has more than 16 MiB")
    })?;
    let asked = Asked { session, token, server, head, body: body.to_bytes() };
    match place {
        Place::Remote => {
            mirrored::check_remote(shared, &asked).await?;
            Ok(forward(shared, asked).await)
        }
        Place::Child => bridged(shared, asked).await,
    }
}

/// Whose request it is, and which server it is for.
async fn let_in(
    shared: &Shared,
    head: &http::request::Parts,
    ends: Option<&Ends>,
) -> Result<(Arc<LiveSession>, Secret, String, Place), Turned> {
    check::host(&head.headers, shared.port)?;
    check::origin(&head.headers)?;
    let server = check::path(head.uri.path())?;
    let (session, token) = check::identity(&shared.engine, &head.headers)?;
    if let Some(ends) = ends {
        ends.check_user(shared, &session).await?;
    }
    let place = shared.back.place(&server).ok_or_else(|| {
        answer::refused(StatusCode::NOT_FOUND, &format!("no server `{server}` is registered: see `reeve mcp list`"))
    })?;
    Ok((session, token, server, place))
}

async fn forward(shared: &Shared, asked: Asked) -> Response<Body> {
    let Asked { session, token, server, mut head, body } = asked;
    // The token opens this endpoint and nothing else.
    head.headers.remove(http::header::AUTHORIZATION);
    // Which page asks was looked at here; the server is asked by Reeve.
    head.headers.remove(http::header::ORIGIN);
    shared.back.forward(&session, &token, &server, Request::from_parts(head, body)).await
}

async fn bridged(shared: &Arc<Shared>, asked: Asked) -> Result<Response<Body>, Turned> {
    check::version(&asked.head.headers)?;
    match asked.head.method {
        Method::POST => post::post(shared, asked).await,
        Method::GET => listen(shared, &asked),
        Method::DELETE => {
            let bridge = find(shared, &asked)?;
            shared.bridges.lock().remove(&bridge.id);
            bridge.ended.cancel();
            Ok(answer::empty(StatusCode::OK))
        }
        _ => Err(answer::refused(StatusCode::METHOD_NOT_ALLOWED, "an MCP endpoint takes POST, GET and DELETE")),
    }
}

/// Opens the stream that belongs to no request, or takes a broken one up again.
fn listen(shared: &Shared, asked: &Asked) -> Result<Response<Body>, Turned> {
    if !check::accepts(&asked.head.headers, check::EVENTS) {
        return Err(answer::refused(StatusCode::NOT_ACCEPTABLE, "the client must accept text/event-stream"));
    }
    let bridge = find(shared, asked)?;
    let last = asked.head.headers.get(check::LAST_EVENT).and_then(|value| value.to_str().ok());
    let (stream, after) = match last {
        Some(last) => {
            let gone = || answer::refused(StatusCode::NOT_FOUND, "the stream of this event is not kept any more");
            bridge.resume(last).ok_or_else(gone)?
        }
        None => {
            let own = bridge.own();
            if own.is_read() {
                return Err(answer::refused(StatusCode::CONFLICT, "this MCP session has a stream open already"));
            }
            let after = own.taken();
            (own, after)
        }
    };
    Ok(answer::events(stream.body(after, false, bridge), None))
}

/// The MCP session that a request names, where it belongs to the same agent's session and server.
fn find(shared: &Shared, asked: &Asked) -> Result<Arc<Bridge>, Turned> {
    let id = asked.head.headers.get(check::SESSION).and_then(|value| value.to_str().ok());
    let id = id.ok_or_else(|| answer::refused(StatusCode::BAD_REQUEST, "the request names no MCP session"))?;
    let found = shared.bridges.lock().get(id).map(Arc::clone);
    let mine = |bridge: &Arc<Bridge>| {
        bridge.owner == *asked.session.id() && bridge.server == asked.server && !bridge.ended.is_cancelled()
    };
    found.filter(mine).ok_or_else(|| answer::refused(StatusCode::NOT_FOUND, "the MCP session has ended"))
}

/// A place for one more. Where there is none, the one of the same agent's session that was quiet the longest makes room: many
/// clients never say that they are gone, and one that is not begins a new MCP session.
async fn room(shared: &Shared, session: &SessionId) -> Option<Taken> {
    if let Some(taken) = shared.room.take(session) {
        return Some(taken);
    }
    let quietest = {
        let mut bridges = shared.bridges.lock();
        let own = bridges.iter().filter(|(_, bridge)| bridge.owner == *session);
        let quiet = own.filter_map(|(key, bridge)| Some((bridge.idle()?, key.clone())));
        let (_, key) = quiet.max()?;
        bridges.remove(&key)?
    };
    quietest.ended.cancel();
    let made = async {
        loop {
            if let Some(taken) = shared.room.take(session) {
                return taken;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(MADE, made).await.ok()
}

/// Starts the server of this machine that a request is for, governed by the gateway.
async fn start(shared: &Arc<Shared>, asked: &Asked, id: String) -> Result<Arc<Bridge>, Turned> {
    let full = || answer::refused(StatusCode::SERVICE_UNAVAILABLE, "too many MCP sessions are open");
    let room = room(shared, asked.session.id()).await.ok_or_else(full)?;
    let started = shared.back.start(&asked.session, &asked.token, &asked.server).await;
    let failed = |why: String| {
        answer::refused(StatusCode::BAD_GATEWAY, &format!("server `{}` cannot be started: {why}", asked.server))
    };
    let Started { server, link, lives } = started.map_err(failed)?;
    let named = (asked.server.clone(), Arc::clone(&server.seen));
    let (mine, agent) = Link::pair();
    let ended = asked.session.ended().child_token();
    let (gateway, session, over) = (shared.gateway.clone(), Arc::clone(&asked.session), ended.clone());
    tokio::spawn(async move {
        // It is never dropped under way: calls and tasks that nobody lets go of keep their places.
        gateway.relay_until(session, server, agent, link, lives, &over).await;
        over.cancel();
        drop(room);
    });
    let key = if id.is_empty() { check::shared_key(&asked.session, &asked.server) } else { id.clone() };
    let bridge = Bridge::start(id, asked.session.id().clone(), named, mine.tx, mine.rx, ended);
    shared.bridges.lock().insert(key, Arc::clone(&bridge));
    Ok(bridge)
}
