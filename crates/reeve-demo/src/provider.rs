//! The project's own LLM provider: one TLS listener on loopback that speaks the four dialects under whatever host names
//! it is asked for, follows a script, and keeps what it received.

mod answer;
pub mod ask;
mod certificates;
mod coding;
pub mod dialect;
mod endpoint;
mod listener;
pub mod record;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use certificates::Certificates;
pub use record::{Answered, End, Received};

use crate::error::DemoError;
use crate::script::{Group, Mishap, Script};

/// Where to listen and what to answer.
#[derive(Debug, Clone)]
pub struct ProviderOptions {
    pub script: Script,
    /// Port 0 chooses a free one.
    pub bind: SocketAddr,
    /// Offers HTTP/1.1 only.
    pub http1_only: bool,
}

impl Default for ProviderOptions {
    fn default() -> Self {
        Self { script: Script::default(), bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), http1_only: false }
    }
}

impl From<Script> for ProviderOptions {
    fn from(script: Script) -> Self {
        Self { script, ..Self::default() }
    }
}

/// A running provider; dropping it stops it.
#[derive(Debug)]
pub struct Provider {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What listener and connections share.
#[derive(Debug)]
struct Shared {
    certificates: Arc<Certificates>,
    state: Mutex<State>,
    log: Mutex<Vec<Received>>,
    serial: AtomicU64,
    started: Instant,
}

#[derive(Debug)]
struct State {
    script: Arc<Script>,
    /// Requests so far by group, and by group with tools.
    counts: HashMap<(Group, bool), usize>,
}

impl State {
    /// Counts a request and finds the mishap that the script has for it.
    fn mishap(&mut self, group: Group, main: bool) -> Option<Mishap> {
        for key in [(group, false), (Group::Any, false), (group, true), (Group::Any, true)] {
            if main || !key.1 {
                *self.counts.entry(key).or_default() += 1;
            }
        }
        let applies = |fault: &&crate::script::Fault| {
            let count = self.counts.get(&(fault.on, fault.only_main)).copied().unwrap_or_default();
            (fault.on == group || fault.on == Group::Any)
                && (main || !fault.only_main)
                && (fault.nth.is_empty() || fault.nth.contains(&count))
        };
        self.script.faults.iter().find(applies).map(|fault| fault.what.clone())
    }
}

impl Provider {
    /// Starts listening; connections are served until the provider is dropped or shut down.
    ///
    /// # Errors
    /// When the address cannot be listened on, or no certificate can be made.
    pub async fn start(options: impl Into<ProviderOptions>) -> Result<Self, DemoError> {
        let options = options.into();
        let certificates = Arc::new(Certificates::new()?);
        let shared = Arc::new(Shared {
            certificates,
            state: Mutex::new(State { script: Arc::new(options.script), counts: HashMap::new() }),
            log: Mutex::default(),
            serial: AtomicU64::new(0),
            started: Instant::now(),
        });
        let listen = |source| DemoError::Listen { address: options.bind, source };
        let socket = tokio::net::TcpListener::bind(options.bind).await.map_err(listen)?;
        let address = socket.local_addr().map_err(listen)?;
        let alpn: &[&str] = if options.http1_only { &["http/1.1"] } else { &["h2", "http/1.1"] };
        let tls = shared.certificates.acceptor(alpn)?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(listener::run(socket, tls, Arc::clone(&shared), stop.clone(), tasks.clone()));
        Ok(Self { shared, address, stop, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The root that its certificates chain to, in PEM.
    #[must_use]
    pub fn root_pem(&self) -> String {
        self.shared.certificates.root_pem()
    }

    /// Everything received so far, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.shared.log.lock().clone()
    }

    /// The model calls among them.
    #[must_use]
    pub fn calls(&self, group: Group) -> Vec<Received> {
        self.requests().into_iter().filter(|r| r.group == Some(group)).collect()
    }

    /// Forgets what was received.
    pub fn forget(&self) {
        self.shared.log.lock().clear();
    }

    /// Another script from the next request on; faults count from one again.
    pub fn set_script(&self, script: Script) {
        *self.shared.state.lock() = State { script: Arc::new(script), counts: HashMap::new() };
    }

    /// Cuts every connection and waits until all are gone.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Shared {
    fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed) + 1
    }
}

#[cfg(test)]
mod tests;
