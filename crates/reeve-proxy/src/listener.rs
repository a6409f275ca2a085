//! The listening socket: loopback only, a random free port, one task per connection, a bound on how many.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use reeve_domain::id::SessionId;
use reeve_engine::{Engine, LiveSession};
use reeve_protocol::Providers;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::attribution::Attributor;
use crate::channel::{Desk, Shared};
use crate::connect;
use crate::error::ProxyError;
use crate::exchange::http2::unread::Unread;
use crate::exchange::mcp::Calls;
use crate::forward::Forwarder;
use crate::tls::authority::SessionAuthority;
use crate::tls::upstream::UpstreamTls;
use crate::tools::ToolMouth;

/// Connections at once, over all agents. More wait in the backlog.
const CONNECTIONS: usize = 8192;
/// Exchanges at once in one session.
const EXCHANGES: usize = 2048;
/// How often idle upstream connections are looked at.
const SWEEP: Duration = Duration::from_secs(15);

/// How the proxy listens.
#[derive(Debug, Clone, Copy)]
pub struct ProxyOptions {
    /// A loopback address; port 0 takes any free one.
    pub bind: SocketAddr,
}

impl Default for ProxyOptions {
    fn default() -> Self {
        Self { bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) }
    }
}

/// A running proxy; cheap to clone. It ends with its engine.
#[derive(Clone)]
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Proxy {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the address is not loopback or taken, or the configured roots or upstream proxy cannot be used.
    pub async fn start(engine: Engine, options: ProxyOptions) -> Result<Self, ProxyError> {
        if !options.bind.ip().is_loopback() {
            return Err(ProxyError::NotLoopback(options.bind));
        }
        let listen = |source| ProxyError::Listen { address: options.bind, source };
        let listener = TcpListener::bind(options.bind).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let upstream = engine.settings().upstream.clone();
        let tls = load_roots(upstream.extra_roots.clone()).await?;
        let forwarder = Forwarder::new(&upstream, tls, address.port()).map_err(ProxyError::Config)?;
        let providers = providers(&engine)?;
        let attributor = Attributor::default();
        let unread = Unread::default();
        let (desks, tools, calls) = (Mutex::default(), OnceLock::new(), Calls::default());
        let shared = Arc::new(Shared { engine, desks, providers, forwarder, attributor, unread, tools, calls });
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        tokio::spawn(sweep(Arc::clone(&shared)));
        Ok(Self { shared, address })
    }

    /// Gives it what governs MCP. To be called once, before any session is opened; a second call changes nothing.
    pub fn govern_tools(&self, mouth: Arc<dyn ToolMouth>) {
        if self.shared.tools.set(mouth).is_err() {
            tracing::error!("what governs MCP was given twice");
        }
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Where agents find it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of a running session's authority, as PEM.
    #[must_use]
    pub fn certificate(&self, session: &SessionId) -> Option<String> {
        Some(self.shared.desk(session)?.authority.pem().to_owned())
    }

    /// Makes the session's certificate authority and returns its certificate as PEM. Key and connections go with the
    /// session.
    ///
    /// # Errors
    /// When the authority cannot be made.
    pub fn open(&self, session: &Arc<LiveSession>) -> Result<String, ProxyError> {
        let authority = Arc::new(SessionAuthority::new(session.id())?);
        let pem = authority.pem().to_owned();
        let shared = Arc::clone(&self.shared);
        let (id, ended) = (session.id().clone(), session.ended().clone());
        shared.desks.lock().insert(
            id.clone(),
            Desk {
                authority,
                room: Arc::new(Semaphore::new(EXCHANGES)),
                masks: Arc::default(),
                places: Arc::default(),
                opened: Arc::default(),
                questions: Arc::default(),
                lanes: Arc::default(),
                strangers: Arc::default(),
            },
        );
        tokio::spawn(async move {
            ended.cancelled().await;
            shared.desks.lock().remove(&id);
            shared.forwarder.forget(&id);
        });
        Ok(pem)
    }
}

async fn load_roots(files: Vec<std::path::PathBuf>) -> Result<UpstreamTls, ProxyError> {
    let load = move || {
        let read = |path: std::path::PathBuf| {
            std::fs::read_to_string(&path).map_err(|source| ProxyError::ReadRoot { path, source })
        };
        let roots = files.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(UpstreamTls::load(&roots)?)
    };
    tokio::task::spawn_blocking(load).await.unwrap_or_else(|e| Err(ProxyError::Config(e.to_string())))
}

fn providers(engine: &Engine) -> Result<Providers, ProxyError> {
    engine.settings().compatible.iter().try_fold(Providers::new(), |providers, declared| {
        let host = reeve_domain::host::Host::parse(&declared.host)
            .map_err(|error| ProxyError::Config(format!("[[compatible]] host: {error}")))?;
        Ok(providers.with(host, declared.port, declared.dialect, &declared.provider))
    })
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
                // Out of descriptors, most likely: what is open must end first.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(shared: Arc<Shared>, tcp: TcpStream) {
    if let Err(error) = tcp.set_nodelay(true) {
        tracing::debug!(%error, "a socket does not take TCP_NODELAY");
    }
    connect::serve(shared, tcp).await;
}

async fn sweep(shared: Arc<Shared>) {
    let stopping = shared.engine.stopping().clone();
    loop {
        tokio::select! {
            () = tokio::time::sleep(SWEEP) => shared.forwarder.sweep(),
            () = stopping.cancelled() => return,
        }
    }
}
