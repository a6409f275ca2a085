//! `reeve mcp`: stands in for an MCP server that speaks over its standard input and output. It starts the server in its own
//! place, with proxy and trust of the session, and lets the engine see every message. A registered server needs no command:
//! the engine starts or reaches it. Without the engine nothing passes: what waits and what comes is refused with words.

mod bridge;
pub(crate) mod child;
pub(crate) mod lives;
mod state;
mod tunnel;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use reeve_mcp::queue::{Receiver, Sender, queue};
use reeve_sandbox::environment::Environment;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::client::StartOptions;
use crate::contract::ApiError;
use crate::home::Home;
use crate::transport::frames::{Channel, Down};
use crate::wrapper::child::{Child, Exit, GRACE};
use crate::wrapper::lives::{Lives, Said};
use crate::wrapper::state::State;
use crate::wrapper::tunnel::{Heard, Tunnel};

/// Messages that wait for a server or an agent that reads slowly; their bytes are bounded too.
const QUEUE: usize = 1024;
/// How often a lost engine is looked for.
const AGAIN: Duration = Duration::from_millis(500);
/// How long the first words of an agent may take where there is nobody to hear them.
const FIRST: Duration = Duration::from_secs(1);
/// How long answers may take to go out after the server ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What to wrap.
#[derive(Debug, Clone)]
pub struct Wrap {
    /// Name of the server, as rules call it.
    pub server: String,
    /// Whose session is opened where there is none around.
    pub agent: Option<String>,
    /// Empty: the server is a registered one, which the engine starts or reaches.
    pub command: Vec<OsString>,
    /// The same without what could be a secret, for the record.
    pub shown: Vec<String>,
    /// How the engine is started where none runs.
    pub start: StartOptions,
}

/// Wraps a server until it or its agent ends, and returns the exit code.
///
/// # Errors
/// When the engine cannot be had, the wrapper belongs nowhere, or the server cannot be started. The agent was told so in
/// answer to what it asked meanwhile.
pub async fn run(home: &Home, wrap: Wrap) -> Result<i32, ApiError> {
    let (to_agent, writing) = write_lines(tokio::io::stdout());
    let mut wrapper = Wrapper {
        lines: read_lines(tokio::io::stdin()),
        agent_open: true,
        state: State::new(to_agent),
        told: child::told_to_end(),
    };
    // The agent waits for nothing while this comes up: what it says is kept.
    let ended = match begin(home, &wrap).await {
        Ok((tunnel, Some(server))) => Ok(wrapper.carry(home, &wrap, tunnel, server).await),
        Ok((tunnel, None)) => Ok(wrapper.bridge(home, &wrap, tunnel).await),
        Err(error) => {
            wrapper.refuse_first(&error).await;
            Err(error)
        }
    };
    drop(wrapper);
    // An agent that does not read does not hear the last words.
    let _ = tokio::time::timeout(LAST_WORDS, writing).await;
    ended
}

async fn begin(home: &Home, wrap: &Wrap) -> Result<(Tunnel, Option<Server>), ApiError> {
    let tunnel = tunnel::attach(home, wrap, true, None).await?;
    if wrap.command.is_empty() {
        return Ok((tunnel, None));
    }
    let environment = Arc::new(Mutex::new(tunnel.environment().clone()));
    let (command, now) = (wrap.command.clone(), Arc::clone(&environment));
    let server = Lives::start(Box::new(move || Child::start(&command, &now.lock())))?;
    Ok((tunnel, Some(Server { lives: server, environment })))
}

/// The server, and what it is started with the next time.
struct Server {
    lives: Lives,
    environment: Arc<Mutex<Environment>>,
}

/// The agent's side.
struct Wrapper {
    lines: Receiver<Vec<u8>>,
    agent_open: bool,
    state: State,
    told: mpsc::Receiver<()>,
}

impl Wrapper {
    /// Carries messages until the end, and returns the server's exit code.
    async fn carry(&mut self, home: &Home, wrap: &Wrap, mut tunnel: Tunnel, server: Server) -> i32 {
        let Server { lives: mut server, environment } = server;
        let mut to_server = server.input();
        self.state.attached(tunnel.sender());
        let mut again = tokio::time::interval(AGAIN);
        // What the engine must know of the server, as long as it is not there.
        let mut down: Option<Vec<u8>> = None;
        let mut deadline = None;
        // What the server has no room for yet. Nothing more comes from the engine meanwhile, but everything else is heard.
        let mut waits: Option<Vec<u8>> = None;
        let exit = loop {
            // A closed input ends the server in the same way, once what was asked is answered.
            if !self.agent_open && self.state.is_idle() && waits.is_none() {
                to_server = None;
            }
            let ended = tunnel.ended();
            tokio::select! {
                line = self.lines.recv(), if self.agent_open => match line {
                    Some(line) => self.state.heard_agent(line).await,
                    None => {
                        self.agent_open = false;
                        deadline = Some(Instant::now() + GRACE);
                    }
                },
                said = server.hear() => match said {
                    Said::Line(line) => self.state.heard_server(line).await,
                    Said::Down { why, again } => {
                        let again_ms = u64::try_from(again.as_millis()).unwrap_or(u64::MAX);
                        let said = serde_json::to_vec(&Down { why, again_ms }).unwrap_or_default();
                        tunnel.server_is(Channel::Down, said.clone()).await;
                        down = Some(said);
                    }
                    Said::Up { greeting } => {
                        let said = greeting.map_or_else(|| "null".to_owned(), |greeting| greeting.to_string());
                        tunnel.server_is(Channel::Up, said.into_bytes()).await;
                        down = None;
                    }
                    Said::Ended => break Exit::Server,
                },
                () = hand_over(to_server.as_ref(), &mut waits), if waits.is_some() => {}
                // The engine ended the session or is gone: that is heard behind what nobody waits for any more.
                () = ended.cancelled(), if waits.is_some() => waits = None,
                heard = tunnel.hear(), if waits.is_none() => match heard {
                    Heard::Agent(message) => self.state.tell_agent(message).await,
                    Heard::Server(message) => waits = Some(message),
                    Heard::Over(why) => {
                        self.state.over(&why).await;
                        break Exit::Over;
                    }
                    Heard::Lost => self.state.lost().await,
                },
                _ = again.tick(), if self.state.is_lost() => {
                    // The server itself heard the agent's greeting.
                    if let Ok(found) = tunnel::attach(home, wrap, false, None).await {
                        tunnel = found;
                        *environment.lock() = tunnel.environment().clone();
                        if let Some(down) = &down {
                            tunnel.server_is(Channel::Down, down.clone()).await;
                        }
                        self.state.attached(tunnel.sender());
                    }
                }
                _ = self.told.recv() => break Exit::Told,
                () = child::until(deadline) => break Exit::Told,
            }
        };
        drop(to_server);
        let code = server.end(exit).await;
        if exit == Exit::Server && !self.state.is_lost() {
            tunnel.server_is(Channel::End, format!("status {code}").into_bytes()).await;
            // The engine says to whoever waits that the server is gone.
            let _ = tokio::time::timeout(LAST_WORDS, self.drain(&mut tunnel)).await;
        }
        self.state.over(&format!("the server ended with status {code}")).await;
        code
    }

    async fn drain(&mut self, tunnel: &mut Tunnel) {
        loop {
            match tunnel.hear().await {
                Heard::Agent(message) => self.state.tell_agent(message).await,
                Heard::Server(_) => {}
                Heard::Over(_) | Heard::Lost => return,
            }
        }
    }

    /// Answers what the agent asks where this did not come up. One that asks nothing sees the exit status.
    async fn refuse_first(&mut self, error: &ApiError) {
        self.state.over(&error.message).await;
        while let Ok(Some(line)) = tokio::time::timeout(FIRST, self.lines.recv()).await {
            self.state.heard_agent(line).await;
        }
    }
}

/// Gives a server what waits for it, once it has room. One that takes nothing any more is about to end.
async fn hand_over(to: Option<&Sender<Vec<u8>>>, waits: &mut Option<Vec<u8>>) {
    let weight = waits.as_ref().map_or(0, Vec::len);
    let room = match to {
        Some(to) => to.reserve(weight).await.ok(),
        None => None,
    };
    if let (Some(message), Some(room)) = (waits.take(), room) {
        room.send(message);
    }
}

/// Lines of an input, without their ends. One that is too long is cut, which no reader of messages takes for one.
fn read_lines(from: impl tokio::io::AsyncRead + Unpin + Send + 'static) -> Receiver<Vec<u8>> {
    let (tx, rx) = queue(QUEUE);
    tokio::spawn(async move {
        let mut reader = BufReader::with_capacity(64 * 1024, from);
        while let Ok(Some(line)) = read_line(&mut reader).await {
            if !line.is_empty() && tx.send(line).await.is_err() {
                break;
            }
        }
    });
    rx
}

async fn read_line(reader: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> std::io::Result<Option<Vec<u8>>> {
    const MOST: usize = reeve_mcp::message::MAX_MESSAGE + 1;
    let mut line = Vec::new();
    loop {
        let part = reader.fill_buf().await?;
        if part.is_empty() {
            return Ok((!line.is_empty()).then_some(line));
        }
        let end = part.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(part.len());
        let room = MOST.saturating_sub(line.len());
        line.extend(part.iter().take(taken.min(room)));
        reader.consume(end.map_or(taken, |at| at + 1));
        if end.is_some() {
            while line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(Some(line));
        }
    }
}

/// Writes each message as a line, for as long as somebody sends some.
fn write_lines(
    to: impl tokio::io::AsyncWrite + Unpin + Send + 'static,
) -> (Sender<Vec<u8>>, tokio::task::JoinHandle<()>) {
    let (tx, mut rx) = queue::<Vec<u8>>(QUEUE);
    let writing = tokio::spawn(async move {
        let mut to = to;
        while let Some(mut line) = rx.recv().await {
            // Between messages there are line breaks, and in them none.
            line.retain(|byte| !matches!(byte, b'\n' | b'\r'));
            line.push(b'\n');
            if to.write_all(&line).await.is_err() || to.flush().await.is_err() {
                break;
            }
        }
    });
    (tx, writing)
}

#[cfg(test)]
mod tests {
    use reeve_mcp::queue::BYTES;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_floods_is_read_no_further_than_a_queue_holds() {
        const LINE: usize = 1024 * 1024;
        let (mut server, output) = tokio::io::duplex(64 * 1024);
        let mut lines = read_lines(output);
        let mut line = vec![b'x'; LINE - 1];
        line.push(b'\n');
        let said = std::sync::atomic::AtomicUsize::new(0);
        let floods = async {
            while server.write_all(&line).await.is_ok() {
                said.fetch_add(LINE, std::sync::atomic::Ordering::Relaxed);
            }
        };
        assert!(timeout(Duration::from_secs(60), floods).await.is_err(), "nobody reads");
        let said = said.into_inner();
        assert!((BYTES - LINE..=BYTES + 2 * LINE).contains(&said), "{said} bytes were taken");
        assert!(lines.recv().await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_server_has_no_room_for_waits_and_is_not_lost_when_something_else_is_heard() {
        let (to, mut server) = queue::<Vec<u8>>(1);
        assert!(to.try_send(b"first".to_vec()).is_ok());
        let mut waits = Some(b"second".to_vec());
        assert!(timeout(Duration::from_secs(60), hand_over(Some(&to), &mut waits)).await.is_err());
        assert!(waits.is_some() && server.recv().await.is_some());
        hand_over(Some(&to), &mut waits).await;
        assert_eq!((waits.take(), server.recv().await), (None, Some(b"second".to_vec())));
        // Nobody says anything to it any more, or it is gone.
        for to in [None, Some(&to)] {
            server.close();
            waits = Some(b"third".to_vec());
            hand_over(to, &mut waits).await;
            assert!(waits.is_none());
        }
    }
}
