//! Warm upstream connections, never shared across sessions, credentials, hosts, ports or schemes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use reeve_domain::host::Host;
use reeve_domain::id::{CredentialId, SessionId};
use reeve_domain::operation::Scheme;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Route;
use super::http1::Http1;
use super::http2::{Http2, Place};

/// Idle HTTP/1 connections kept per key.
const KEPT: usize = 16;
/// Connections opened at once per key: of a burst of requests most find room on what the first ones open.
const DIALS: usize = 16;

/// What connections are shared by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct PoolKey {
    session: SessionId,
    credential: Option<CredentialId>,
    scheme: Scheme,
    host: Host,
    port: u16,
}

impl PoolKey {
    pub fn of(route: &Route) -> Self {
        Self {
            session: route.session.clone(),
            credential: route.credential.clone(),
            scheme: route.scheme,
            host: route.authority.host.clone(),
            port: route.authority.port,
        }
    }
}

/// A warm connection.
pub(super) enum Pooled {
    Http1(Http1),
    /// With a place on it for one request.
    Http2(Http2, Place),
}

impl Pooled {
    pub fn peer(&self) -> SocketAddr {
        match self {
            Self::Http1(connection) => connection.peer(),
            Self::Http2(connection, _) => connection.peer(),
        }
    }
}

struct Entry {
    idle: Vec<(Instant, Http1)>,
    shared: Vec<(Instant, Http2)>,
    dialling: Arc<Semaphore>,
}

impl Default for Entry {
    fn default() -> Self {
        Self { idle: Vec::new(), shared: Vec::new(), dialling: Arc::new(Semaphore::new(DIALS)) }
    }
}

/// All warm connections.
#[derive(Default)]
pub(super) struct Pool(Mutex<HashMap<PoolKey, Entry>>);

impl Pool {
    /// A connection that is open, quiet, and whose peer may still be reached. The last one used comes first.
    pub fn take(&self, key: &PoolKey, may_reach: impl Fn(SocketAddr) -> bool) -> Option<Pooled> {
        let mut entries = self.0.lock();
        let entry = entries.get_mut(key)?;
        entry.shared.retain(|(_, connection)| connection.is_open() && may_reach(connection.peer()));
        for (used, connection) in &mut entry.shared {
            if let Some(place) = connection.place() {
                *used = Instant::now();
                return Some(Pooled::Http2(connection.clone(), place));
            }
        }
        while let Some((_, mut connection)) = entry.idle.pop() {
            if connection.is_usable() && may_reach(connection.peer()) {
                return Some(Pooled::Http1(connection));
            }
        }
        None
    }

    /// A turn to open a connection.
    pub async fn turn(&self, key: &PoolKey) -> Option<OwnedSemaphorePermit> {
        let dialling = Arc::clone(&self.0.lock().entry(key.clone()).or_default().dialling);
        // Never closed, so there always is one.
        dialling.acquire_owned().await.ok()
    }

    /// Lets other requests of this key use an HTTP/2 connection too.
    pub fn share(&self, key: PoolKey, connection: &Http2) {
        self.0.lock().entry(key).or_default().shared.push((Instant::now(), connection.clone()));
    }

    /// A way back for an HTTP/1 connection.
    pub fn release(self: &Arc<Self>, key: PoolKey) -> Release {
        Release { pool: Arc::clone(self), key }
    }

    pub fn forget(&self, session: &SessionId) {
        self.0.lock().retain(|key, _| key.session != *session);
    }

    pub fn sweep(&self, idle: Duration) {
        self.0.lock().retain(|_, entry| {
            entry.idle.retain_mut(|(since, connection)| since.elapsed() < idle && connection.is_usable());
            entry
                .shared
                .retain(|(used, connection)| connection.is_open() && (connection.is_busy() || used.elapsed() < idle));
            !entry.idle.is_empty() || !entry.shared.is_empty()
        });
    }
}

/// The way back to the pool for one connection.
pub(super) struct Release {
    pool: Arc<Pool>,
    key: PoolKey,
}

impl Release {
    pub fn put(self, connection: Http1) {
        let mut entries = self.pool.0.lock();
        let entry = entries.entry(self.key).or_default();
        if entry.idle.len() < KEPT {
            entry.idle.push((Instant::now(), connection));
        }
    }
}
