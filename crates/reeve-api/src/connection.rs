//! One client on the socket: its requests answered, its subscriptions fed, its held sessions ended with it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use reeve_domain::approval::Surface;
use reeve_domain::id::SessionId;
use reeve_domain::session::SessionEnd;
use reeve_proxy::attribution;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::{Mutex, Semaphore};

use crate::attach;
use crate::contract::{ApiCode, ApiError};
use crate::host::Host;
use crate::surface::{self, Peer};
use crate::transport::local_socket::{self, ReadHalf, WriteHalf};
use crate::transport::{Body, MAX_LINE, Request, Response};

/// Most requests of one connection that are worked on at a time; with so many, the next one is not read.
const IN_FLIGHT: usize = 64;

/// Who calls: everything a command may ask about its caller.
#[derive(Debug)]
pub struct Caller {
    pub surface: Surface,
    pub pid: Option<u32>,
    pub peer: Peer,
    /// Sessions that end with this connection; `None` once it is gone.
    held: Arc<Mutex<Option<Vec<SessionId>>>>,
}

impl Caller {
    /// Whether it may know the mark that tells genuine windows from copies. The terminal does not show it.
    #[must_use]
    pub fn sees_mark(&self) -> bool {
        self.peer == Peer::Person && self.surface != Surface::Cli
    }

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
    let in_flight = Arc::new(Semaphore::new(IN_FLIGHT));
    loop {
        let Ok(permit) = Arc::clone(&in_flight).acquire_owned().await else { break };
        line.clear();
        let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        match (&mut reader).take(limit).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => break,
            Ok(_) if !line.ends_with(b"\n") => break,
            Ok(_) => {}
        }
        let Ok(request) = serde_json::from_slice::<Request>(&line) else { break };
        if request.call.get("call").and_then(Value::as_str) == Some(attach::CALL) {
            tunnel(host, request, reader, &write, pid, &held).await;
            break;
        }
        let (host, write, held) = (Arc::clone(host), Arc::clone(&write), Arc::clone(&held));
        tokio::spawn(async move {
            let peer = peer_of(&host, pid).await;
            let caller = Caller { surface: request.surface, pid, peer, held };
            answer(&host, &write, &caller, request).await;
            drop(permit);
        });
    }
    let sessions = held.lock().await.take().unwrap_or_default();
    for session in sessions {
        if let Err(error) = host.end_session(&session, SessionEnd::Exited).await {
            tracing::error!(%error, %session, "could not record the end of a session");
        }
    }
}

/// The rest of the connection carries MCP.
async fn tunnel(
    host: &Arc<Host>,
    request: Request,
    reader: BufReader<ReadHalf>,
    write: &Arc<Mutex<WriteHalf>>,
    pid: Option<u32>,
    held: &Arc<Mutex<Option<Vec<SessionId>>>>,
) {
    let peer = peer_of(host, pid).await;
    let caller = Caller { surface: request.surface, pid, peer, held: Arc::clone(held) };
    let tell = async |said: Result<Value, ApiError>| {
        let body = match said {
            Ok(value) => Body::Ok(value),
            Err(error) => Body::Error(error),
        };
        send(write, request.id, body).await;
    };
    match surface::check(attach::CALL, peer, request.surface) {
        Ok(()) => attach::serve(host, &caller, &request.call, reader, write, tell).await,
        Err(error) => tell(Err(error)).await,
    }
}

async fn answer(host: &Arc<Host>, write: &Arc<Mutex<WriteHalf>>, caller: &Caller, request: Request) {
    let name = request.call.get("call").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Err(error) = surface::check(&name, caller.peer, caller.surface) {
        return send(write, request.id, Body::Error(error)).await;
    }
    if name == "subscribe" {
        return crate::stream::feed(host, write, caller, request.id).await;
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

async fn peer_of(host: &Arc<Host>, pid: Option<u32>) -> Peer {
    let live = host.engine.sessions().all();
    let holders: Vec<u32> = live.iter().filter_map(|s| s.holder).collect();
    // Sessions that nobody holds open are known by what their environment handed over.
    let lent = live.iter().any(|s| s.holder.is_none());
    let host = Arc::clone(host);
    let judge = move || {
        let authenticates = |token: &str| host.engine.sessions().authenticate(token).is_some();
        judge(pid, &holders, lent, attribution::ancestors, |above| {
            above.iter().any(|pid| carries_token(*pid, &authenticates))
        })
    };
    tokio::task::spawn_blocking(judge).await.unwrap_or(Peer::Governed)
}

/// A process below one that holds a governed session is the agent's, whatever it says of itself, and so is one that was
/// started with a live session's token in its environment, or has such an ancestor. Where the system tells who calls, one
/// that it cannot name (0: of another process namespace) is nobody's person.
///
/// Not knowable: a process that was handed the environment of `reeve env`, let go of it, and has no ancestor left that was
/// started with it. At L0 such a process has its user's rights.
fn judge(
    pid: Option<u32>,
    holders: &[u32],
    lent: bool,
    ancestors: impl FnOnce(u32) -> Vec<u32>,
    carries: impl FnOnce(&[u32]) -> bool,
) -> Peer {
    let governed = match pid.filter(|pid| *pid != 0) {
        None => attribution::SUPPORTED,
        Some(_) if holders.is_empty() && !lent => false,
        Some(pid) => {
            let mut above = ancestors(pid);
            // One that is gone already may have left its connection to an agent.
            let gone = above.is_empty() && attribution::SUPPORTED && (lent || !holders.is_empty());
            above.insert(0, pid);
            gone || above.iter().skip(1).any(|pid| holders.contains(pid)) || (lent && carries(&above))
        }
    };
    if governed { Peer::Governed } else { Peer::Person }
}

/// Whether a process was started with a token that a live session knows: proxy variables carry it as a URL's password. What
/// cannot be read (another user's, or one that hides itself, as agents of keyrings do) carries none as far as is known.
fn carries_token(pid: u32, authenticates: &impl Fn(&str) -> bool) -> bool {
    carried_session(pid, |token| authenticates(token).then_some(())).is_some()
}

/// What `authenticate` knows of the first token it knows among those that a process was started with.
pub(crate) fn carried_session<T>(pid: u32, authenticate: impl Fn(&str) -> Option<T>) -> Option<T> {
    let pairs = attribution::environment(pid).unwrap_or_default();
    let mut texts = pairs.iter().filter_map(|pair| std::str::from_utf8(pair).ok());
    texts.find_map(|pair| authenticate(password_in(pair)?))
}

/// The password of the login in a URL.
pub(crate) fn password_in(url: &str) -> Option<&str> {
    let (login, _) = url.split_once("://")?.1.split_once('@')?;
    Some(login.split_once(':')?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_named_process_outside_of_governed_sessions_is_the_person() {
        let tree = |pid: u32| if pid == 30 { vec![20, 10, 1] } else { vec![1] };
        let none = |_: &[u32]| false;
        assert_eq!(judge(Some(30), &[20], false, tree, none), Peer::Governed);
        assert_eq!(judge(Some(40), &[20], false, tree, none), Peer::Person);
        assert_eq!(judge(Some(30), &[], false, tree, none), Peer::Person);
        if attribution::SUPPORTED {
            assert_eq!(judge(None, &[], false, tree, none), Peer::Governed);
            assert_eq!(judge(Some(0), &[20], false, tree, none), Peer::Governed);
            let gone = judge(Some(50), &[20], false, |_| Vec::new(), none);
            assert_eq!(gone, Peer::Governed, "gone, and its connection with whom?");
            assert_eq!(judge(Some(50), &[], true, |_| Vec::new(), none), Peer::Governed);
        }
    }

    #[test]
    fn who_was_started_with_a_sessions_token_or_below_such_a_process_is_governed() {
        let tree = |pid: u32| if pid == 30 { vec![20, 10, 1] } else { vec![1] };
        let lent_to = |owner: u32| move |above: &[u32]| above.contains(&owner);
        assert_eq!(judge(Some(30), &[], true, tree, lent_to(30)), Peer::Governed);
        assert_eq!(judge(Some(30), &[], true, tree, lent_to(10)), Peer::Governed);
        assert_eq!(judge(Some(40), &[], true, tree, lent_to(10)), Peer::Person);
    }

    #[test]
    fn the_mark_is_for_windows_of_the_person_alone() {
        let sees = |peer, surface| Caller { surface, pid: None, peer, held: Arc::default() }.sees_mark();
        assert!(sees(Peer::Person, Surface::MainWindow));
        assert!(!sees(Peer::Governed, Surface::MainWindow), "whatever it says to be");
        assert!(!sees(Peer::Person, Surface::Cli));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_token_is_found_in_what_a_process_was_started_with() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .env("HTTPS_PROXY", "http://codex:a-token@127.0.0.1:9")
            .spawn()
            .unwrap();
        // Between fork and exec it is still this process's own.
        let found = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            carries_token(child.id(), &|token| token == "a-token")
        });
        assert!(found && !carries_token(child.id(), &|token| token == "another"));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
