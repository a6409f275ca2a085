//! One client on the socket: its requests answered, its subscriptions fed, its held sessions ended with it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use reeve_domain::approval::Surface;
use reeve_domain::id::SessionId;
use reeve_domain::session::SessionEnd;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::Mutex;

use crate::contract::{ApiCode, ApiError};
use crate::host::Host;
use crate::surface::{self, Peer};
use crate::transport::local_socket::{self, ReadHalf, WriteHalf};
use crate::transport::{Body, MAX_LINE, Request, Response};

/// Who calls: everything a command may ask about its caller.
#[derive(Debug)]
pub struct Caller {
    pub surface: Surface,
    pub pid: Option<u32>,
    /// Sessions that end with this connection; `None` once it is gone.
    held: Arc<Mutex<Option<Vec<SessionId>>>>,
}

impl Caller {
    /// Ties a session to this connection; `false` when the connection is gone already.
    pub async fn hold(&self, session: SessionId) -> bool {
        match &mut *self.held.lock().await {
            Some(held) => {
                held.push(session);
                true
            }
            None => false,
        }
    }
}

/// Accepts clients for ever.
pub async fn accept_all(host: Arc<Host>, listener: local_socket::Listener) {
    loop {
        match local_socket::accept(&listener).await {
            Ok(Some((read, write, pid))) => {
                let host = Arc::clone(&host);
                tokio::spawn(async move {
                    host.clients.fetch_add(1, Ordering::Relaxed);
                    serve(&host, read, write, pid).await;
                    host.clients.fetch_sub(1, Ordering::Relaxed);
                });
            }
            Ok(None) => tracing::warn!("refused a connection of another user"),
            Err(error) => {
                tracing::warn!(%error, "could not accept a client");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve(host: &Arc<Host>, read: ReadHalf, write: WriteHalf, pid: Option<u32>) {
    let write = Arc::new(Mutex::new(write));
    let held = Arc::new(Mutex::new(Some(Vec::new())));
    let mut reader = BufReader::new(read);
    let mut line = Vec::new();
    loop {
        line.clear();
        let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        match (&mut reader).take(limit).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => break,
            Ok(_) if !line.ends_with(b"\n") => break,
            Ok(_) => {}
        }
        let Ok(request) = serde_json::from_slice::<Request>(&line) else { break };
        let caller = Caller { surface: request.surface, pid, held: Arc::clone(&held) };
        let (host, write) = (Arc::clone(host), Arc::clone(&write));
        tokio::spawn(async move { answer(&host, &write, &caller, request).await });
    }
    let sessions = held.lock().await.take().unwrap_or_default();
    for session in sessions {
        if let Err(error) = host.end_session(&session, SessionEnd::Exited).await {
            tracing::error!(%error, %session, "could not record the end of a session");
        }
    }
}

async fn answer(host: &Arc<Host>, write: &Arc<Mutex<WriteHalf>>, caller: &Caller, request: Request) {
    let name = request.call.get("call").and_then(Value::as_str).unwrap_or_default().to_owned();
    let peer = peer_of(host, caller.pid).await;
    if let Err(error) = surface::check(&name, peer, caller.surface) {
        return send(write, request.id, Body::Error(error)).await;
    }
    if name == "subscribe" {
        return crate::stream::feed(host, write, request.id).await;
    }
    let body = match crate::commands::run(host, caller, request.call).await {
        Ok(value) => Body::Ok(value),
        Err(error) => Body::Error(error),
    };
    send(write, request.id, body).await;
}

/// Writes one answer; a client that is gone does not hear it.
pub async fn send(write: &Mutex<WriteHalf>, id: u64, body: Body) {
    // `false`: nobody to tell.
    let _ = try_send(write, id, body).await;
}

/// Writes one answer and says whether it went out.
pub async fn try_send(write: &Mutex<WriteHalf>, id: u64, body: Body) -> bool {
    let mut line = match serde_json::to_vec(&Response { id, body }) {
        Ok(line) => line,
        Err(error) => {
            let body = Body::Error(ApiError::new(ApiCode::Failed, error.to_string()));
            serde_json::to_vec(&Response { id, body }).unwrap_or_default()
        }
    };
    line.push(b'\n');
    write.lock().await.write_all(&line).await.is_ok()
}

async fn peer_of(host: &Host, pid: Option<u32>) -> Peer {
    let holders: Vec<u32> = host.engine.sessions().all().iter().filter_map(|s| s.holder).collect();
    let judge = move || judge(pid, &holders, reeve_proxy::attribution::ancestors);
    tokio::task::spawn_blocking(judge).await.unwrap_or(Peer::Governed)
}

/// A process below one that holds a governed session is the agent's, whatever it says of itself. Where the system tells
/// who calls, one that it cannot name (0: of another process namespace) is nobody's person.
fn judge(pid: Option<u32>, holders: &[u32], ancestors: impl FnOnce(u32) -> Vec<u32>) -> Peer {
    let governed = match pid.filter(|pid| *pid != 0) {
        None => reeve_proxy::attribution::SUPPORTED,
        Some(_) if holders.is_empty() => false,
        Some(pid) => {
            let above = ancestors(pid);
            // One that is gone already may have left its connection to an agent.
            (above.is_empty() && reeve_proxy::attribution::SUPPORTED) || above.iter().any(|pid| holders.contains(pid))
        }
    };
    if governed { Peer::Governed } else { Peer::Person }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_named_process_outside_of_governed_sessions_is_the_person() {
        let tree = |pid: u32| if pid == 30 { vec![20, 10, 1] } else { vec![1] };
        assert_eq!(judge(Some(30), &[20], tree), Peer::Governed);
        assert_eq!(judge(Some(40), &[20], tree), Peer::Person);
        assert_eq!(judge(Some(30), &[], tree), Peer::Person);
        if reeve_proxy::attribution::SUPPORTED {
            assert_eq!(judge(None, &[], tree), Peer::Governed);
            assert_eq!(judge(Some(0), &[20], tree), Peer::Governed);
            assert_eq!(judge(Some(50), &[20], |_| Vec::new()), Peer::Governed, "gone, and its connection with whom?");
        }
    }
}
