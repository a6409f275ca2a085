//! The engine's half of `reeve mcp`: whose session a wrapper belongs to, and its connection as a tunnel between the agent and
//! the server, with the gateway in the middle. A wrapper without a command stands for a registered server, which the endpoint
//! starts or reaches.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use reeve_domain::sensitive::Secret;
use reeve_engine::LiveSession;
use reeve_mcp::queue::{Receiver, Sender};
use reeve_mcp::{Ended, Life, Link, ServerRef, message};
use reeve_proxy::attribution;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncWrite, BufReader};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::connection::{Caller, carried_session};
use crate::contract::credentials::TypedSecret;
use crate::contract::sessions::{OpenSessionInput, OpenedSessionDto};
use crate::contract::{ApiCode, ApiError};
use crate::host::Host;
use crate::surface::Peer;
use crate::transport::frames::{self, Channel, Down};
use crate::transport::local_socket::{ReadHalf, WriteHalf};

/// The call that turns a connection into a tunnel.
pub const CALL: &str = "mcp.attach";

/// What a wrapper says of itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachInput {
    /// Name of the server, as it is registered.
    pub server: String,
    /// Whose session is opened where the wrapper belongs to none.
    pub agent: Option<String>,
    pub cwd: String,
    /// Program and arguments of the server; none: it is a registered one.
    pub command: Vec<String>,
    /// The same without what could be a secret, for the record.
    pub shown: Vec<String>,
    /// The session's token that the wrapper found in its own environment.
    pub token: Option<TypedSecret>,
    /// What the agent opened the conversation with, where that was with an engine that ran before.
    #[serde(default)]
    pub greeting: Option<Value>,
}

/// Where it belongs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachedDto {
    pub opened: OpenedSessionDto,
    /// The session was opened for this wrapper and ends with it.
    pub own: bool,
}

/// Attaches a wrapper and carries its messages until either side ends.
pub(crate) async fn serve(
    host: &Arc<Host>,
    caller: &Caller,
    call: &Value,
    mut reader: BufReader<ReadHalf>,
    write: &Arc<Mutex<WriteHalf>>,
    tell: impl AsyncFnOnce(Result<Value, ApiError>),
) {
    let attached = match attach(host, caller, call).await {
        Ok(attached) => attached,
        Err(error) => return tell(Err(error)).await,
    };
    let Attached { live, to, dto } = attached;
    tell(serde_json::to_value(&dto).map_err(|error| ApiError::new(ApiCode::Failed, error.to_string()))).await;
    let name = match &to {
        To::Wrapped(server) => server.name.clone(),
        To::Registered { server, .. } => server.clone(),
    };
    let notes = Notes::begin(reviews(Arc::clone(host), name), Arc::clone(write));
    let (agent, agent_there) = Link::pair();
    let (upstream, server_there) = Link::pair();
    let (tell_life, lives) = reeve_mcp::lives();
    let (next, nexts) = mpsc::channel(1);
    let relay = async {
        match to {
            To::Wrapped(server) => host.mcp.relay_lives(live, server, agent, upstream, lives).await,
            To::Registered { server, token, greeting } => {
                drop(upstream);
                host.endpoint.carry(&live, token, &server, greeting, agent).await
            }
        }
    };
    let server = Wrapped { tx: Some(server_there.tx), lives: Some(tell_life), next };
    let incoming = read(&mut reader, agent_there.tx, server);
    let outgoing = write_all(write, agent_there.rx, server_there.rx, nexts);
    let carried = async {
        // What the relay says last still goes out.
        let (ended, ()) = tokio::join!(relay, outgoing);
        ended
    };
    let mut incoming = std::pin::pin!(incoming);
    let mut carried = std::pin::pin!(carried);
    let ended = tokio::select! {
        ended = &mut carried => ended,
        // The wrapper hung up: its ends of the links are dropped, and the relay ends by that.
        () = &mut incoming => carried.await,
    };
    notes.end().await;
    let why = match ended {
        Ended::AgentGone => "the agent went away",
        Ended::ServerGone => "the server ended",
        Ended::SessionOver => "the session is over",
    };
    // A wrapper that is gone does not hear it.
    let _ = frames::write(&mut *write.lock().await, Channel::End, why.as_bytes()).await;
}

/// Sentences for the person, whenever more of a server waits for them than before: its tools are missing until then, which
/// looks like a fault.
fn reviews(host: Arc<Host>, server: String) -> impl Stream<Item = String> + Send {
    let changes = host.engine.servers().watch();
    stream::unfold((changes, 0), move |(mut changes, mut told)| {
        let (host, server) = (Arc::clone(&host), server.clone());
        async move {
            loop {
                let waiting = host.engine.servers().find(&server).map_or(0, |known| known.to_review());
                let before = std::mem::replace(&mut told, waiting);
                if waiting > before {
                    let words = format!(
                        "tools of `{server}` wait for your review and are not offered: `reeve mcp approve {server}`"
                    );
                    return Some((words, (changes, told)));
                }
                changes.changed().await.ok()?;
            }
        }
    })
}

/// What is said beside the messages.
struct Notes {
    over: DropGuard,
    telling: JoinHandle<()>,
}

impl Notes {
    fn begin<W>(said: impl Stream<Item = String> + Send + 'static, write: Arc<Mutex<W>>) -> Self
    where
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let over = CancellationToken::new();
        let ends = over.clone();
        let telling = tokio::spawn(async move {
            let mut said = std::pin::pin!(said);
            loop {
                let next = tokio::select! {
                    next = said.next() => next,
                    () = ends.cancelled() => return,
                };
                let Some(words) = next else { return };
                if frames::write(&mut *write.lock().await, Channel::Note, words.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
        Self { over: over.drop_guard(), telling }
    }

    /// Says nothing more, once a note under way is said to its end: half a frame would hide the one that follows.
    async fn end(self) {
        let Self { over, telling } = self;
        drop(over);
        let _ = telling.await;
    }
}

/// The wrapper's server, over all its lives.
struct Wrapped {
    /// `None`: it is not there now.
    tx: Option<Sender<Bytes>>,
    /// `None`: it does not come back.
    lives: Option<mpsc::Sender<Life>>,
    /// Where it is told what goes to its next life.
    next: mpsc::Sender<Receiver<Bytes>>,
}

impl Wrapped {
    async fn down(&mut self, bytes: &[u8]) {
        let Ok(Down { why, again_ms }) = serde_json::from_slice(bytes) else { return };
        // Told before the link ends.
        if let Some(lives) = &self.lives {
            let _ = lives.send(Life::Down { why, again: Duration::from_millis(again_ms) }).await;
        }
        self.tx = None;
    }

    async fn up(&mut self, bytes: &[u8]) {
        let greeting = message::strict(bytes).ok().filter(|greeting| !greeting.is_null());
        let (link, there) = Link::pair();
        self.tx = Some(there.tx);
        let _ = self.next.send(there.rx).await;
        if let Some(lives) = &self.lives {
            let _ = lives.send(Life::Up { link, greeting }).await;
        }
    }
}

/// Frames of the wrapper, each to its side; ends with the connection.
async fn read(reader: &mut BufReader<ReadHalf>, agent: Sender<Bytes>, mut server: Wrapped) {
    while let Ok(Some((channel, bytes))) = frames::read(reader).await {
        let bytes = Bytes::from(bytes);
        let taken = match (channel, &server.tx) {
            (Channel::Agent, _) => agent.send(bytes).await.is_ok(),
            (Channel::Server, Some(server)) => server.send(bytes).await.is_ok(),
            // A note is the engine's to say.
            (Channel::Server, None) | (Channel::Note, _) => true,
            (Channel::Down, _) => {
                server.down(&bytes).await;
                true
            }
            (Channel::Up, _) => {
                server.up(&bytes).await;
                true
            }
            (Channel::End, _) => {
                (server.tx, server.lives) = (None, None);
                true
            }
        };
        if !taken {
            break;
        }
    }
}

/// What goes to the wrapper, until the relay has no more to say to its agent.
async fn write_all(
    write: &Mutex<WriteHalf>,
    mut agent: Receiver<Bytes>,
    mut server: Receiver<Bytes>,
    mut nexts: mpsc::Receiver<Receiver<Bytes>>,
) {
    loop {
        let (channel, bytes) = tokio::select! {
            bytes = agent.recv() => match bytes {
                Some(bytes) => (Channel::Agent, bytes),
                None => break,
            },
            Some(bytes) = server.recv() => (Channel::Server, bytes),
            Some(next) = nexts.recv() => {
                server = next;
                continue;
            }
        };
        if frames::write(&mut *write.lock().await, channel, &bytes).await.is_err() {
            return;
        }
    }
    while let Ok(bytes) = server.try_recv() {
        if frames::write(&mut *write.lock().await, Channel::Server, &bytes).await.is_err() {
            return;
        }
    }
}

struct Attached {
    live: Arc<LiveSession>,
    to: To,
    dto: AttachedDto,
}

/// What the messages go to.
enum To {
    /// The server that the wrapper starts.
    Wrapped(ServerRef),
    /// One of the person's file, with the token that opens the endpoint.
    Registered { server: String, token: Secret, greeting: Option<Value> },
}

async fn attach(host: &Arc<Host>, caller: &Caller, call: &Value) -> Result<Attached, ApiError> {
    let invalid = |why: String| ApiError::new(ApiCode::Invalid, why);
    let input = call.get("input").cloned().unwrap_or_default();
    let input: AttachInput = serde_json::from_value(input).map_err(|error| invalid(error.to_string()))?;
    reeve_engine::servers::check_name(&input.server).map_err(invalid)?;
    let (server, greeting) = (input.server.clone(), input.greeting.clone());
    let wrapped = (!input.command.is_empty()).then(|| wrapped(caller, &input));
    if wrapped.is_none() && !host.endpoint.serves(&server) {
        return Err(invalid(format!("no server `{server}` is registered"))
            .hint("register it with `reeve mcp add`, or name its command after `--`"));
    }
    let found = session_of(host, caller.pid, input.token.as_ref()).await;
    let (live, dto) = match found {
        Some(live) => {
            let opened = crate::commands::sessions::joined(host, &live)?;
            (live, AttachedDto { opened, own: false })
        }
        None if caller.peer == Peer::Governed => {
            let why = "this process is governed, but its session does not run any more";
            return Err(ApiError::new(ApiCode::NotPermitted, why));
        }
        None => own_session(host, caller, input).await?,
    };
    let to = wrapped.map_or_else(
        || To::Registered { server, token: Secret::from(dto.opened.token.0.clone()), greeting },
        To::Wrapped,
    );
    Ok(Attached { live, to, dto })
}

/// The server that a wrapper starts in its own place.
fn wrapped(caller: &Caller, input: &AttachInput) -> ServerRef {
    let search = caller.pid.and_then(attribution::environment).and_then(|pairs| search(&pairs));
    let search = search.or_else(|| std::env::var_os("PATH"));
    let server = ServerRef::program(&input.server, input.command.clone(), Path::new(&input.cwd), search.as_deref());
    ServerRef { shown: input.shown.clone(), ..server }
}

/// The folders that the wrapper's process looks for programs in.
fn search(pairs: &[Vec<u8>]) -> Option<OsString> {
    let path = pairs.iter().find_map(|pair| pair.strip_prefix(b"PATH="))?;
    Some(OsString::from(String::from_utf8_lossy(path).into_owned()))
}

async fn own_session(
    host: &Arc<Host>,
    caller: &Caller,
    input: AttachInput,
) -> Result<(Arc<LiveSession>, AttachedDto), ApiError> {
    let Some(agent) = input.agent else {
        let why = "`reeve mcp` was started outside of any session";
        return Err(ApiError::new(ApiCode::Invalid, why).hint("name the agent that starts it: `--agent NAME`"));
    };
    let opening =
        OpenSessionInput { agent: Some(agent), cwd: input.cwd, command: input.shown, hours: None, mode: None };
    let opened = crate::commands::sessions::open_around(host, caller, opening, Some(input.server)).await?;
    let live = host.engine.sessions().authenticate(&opened.token.0);
    let live = live.ok_or_else(|| ApiError::new(ApiCode::Failed, "the session ended at once"))?;
    Ok((live, AttachedDto { opened, own: true }))
}

/// The session that a wrapper runs in: of the nearest process above it that holds one, else by a token that it, or a process
/// above it, was started with. Agents strip the environment of the servers they start.
async fn session_of(host: &Arc<Host>, pid: Option<u32>, token: Option<&TypedSecret>) -> Option<Arc<LiveSession>> {
    let sessions = host.engine.sessions();
    let live = sessions.all();
    let given = token.and_then(|token| sessions.authenticate(&token.0));
    let Some(pid) = pid.filter(|pid| *pid != 0) else { return given };
    let host = Arc::clone(host);
    let look = move || {
        let mut above = attribution::ancestors(pid);
        let holds = |pid: &u32| live.iter().find(|one| one.holder == Some(*pid)).cloned();
        let held = above.iter().find_map(holds);
        held.or(given).or_else(|| {
            above.insert(0, pid);
            above.iter().find_map(|pid| carried_session(*pid, |token| host.engine.sessions().authenticate(token)))
        })
    };
    tokio::task::spawn_blocking(look).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn a_note_under_way_is_said_to_its_end_and_hides_nothing_that_follows() {
        // Less room than the note needs: whoever says it waits in the middle of its frame.
        let (here, mut there) = tokio::io::duplex(8);
        let write = Arc::new(Mutex::new(here));
        let notes = Notes::begin(
            stream::iter(["tools of `fake` wait".to_owned()]).chain(stream::pending()),
            Arc::clone(&write),
        );
        let mut first = [0; 1];
        there.read_exact(&mut first).await.unwrap();
        let ending = tokio::spawn(async move {
            notes.end().await;
            frames::write(&mut *write.lock().await, Channel::End, b"it is over").await
        });
        let mut rest = first.as_slice().chain(there);
        assert_eq!(frames::read(&mut rest).await.unwrap(), Some((Channel::Note, b"tools of `fake` wait".to_vec())));
        assert_eq!(frames::read(&mut rest).await.unwrap(), Some((Channel::End, b"it is over".to_vec())));
        ending.await.unwrap().unwrap();
    }
}
