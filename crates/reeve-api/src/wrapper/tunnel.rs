//! The way to the engine: attached once, then frames both ways until either side ends.

use std::io::Write as _;

use reeve_domain::approval::Surface;
use reeve_mcp::queue::{Receiver, Sender, Weigh, queue};
use reeve_sandbox::environment::Environment;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::state::ToEngine;
use super::{QUEUE, Wrap};
use crate::attach::{AttachInput, AttachedDto, CALL};
use crate::client::Client;
use crate::connection::password_in;
use crate::contract::credentials::TypedSecret;
use crate::contract::{ApiCode, ApiError};
use crate::home::Home;
use crate::launch::{self, Prepared};
use crate::transport::frames::{self, Channel};
use crate::transport::local_socket::{self, ReadHalf, WriteHalf};
use crate::transport::{Body, Request, Response};

/// What the engine says.
pub(super) enum Heard {
    Agent(Vec<u8>),
    Server(Vec<u8>),
    /// It ends the connection, and why.
    Over(String),
    /// The connection broke.
    Lost,
}

impl Weigh for Heard {
    fn weight(&self) -> usize {
        match self {
            Self::Agent(bytes) | Self::Server(bytes) => bytes.len(),
            Self::Over(why) => why.len(),
            Self::Lost => 0,
        }
    }
}

pub(super) struct Tunnel {
    to_engine: ToEngine,
    from_engine: Option<Receiver<Heard>>,
    /// Cancelled once the engine says nothing more.
    ended: CancellationToken,
    /// Holds the trust bundle of a session of its own.
    prepared: Prepared,
}

/// Attaches to the engine, and starts it first where that is wanted and none answers. `greeting`: what the agent opened the
/// conversation with, where that is past.
pub(super) async fn attach(home: &Home, wrap: &Wrap, start: bool, greeting: Option<Value>) -> Result<Tunnel, ApiError> {
    let gone =
        |error: std::io::Error| ApiError::new(ApiCode::Unreachable, format!("the engine does not answer: {error}"));
    let connected = match local_socket::connect(&home.socket()).await {
        Err(_) if start => {
            Client::connect_or_start(home, Surface::Cli, &wrap.start).await?;
            local_socket::connect(&home.socket()).await
        }
        other => other,
    };
    let (read, mut write) = connected.map_err(gone)?;
    let request =
        Request { id: 1, surface: Surface::Cli, call: json!({ "call": CALL, "input": input(wrap, greeting)? }) };
    let mut line = serde_json::to_vec(&request).map_err(|e| ApiError::new(ApiCode::Invalid, e.to_string()))?;
    line.push(b'\n');
    write.write_all(&line).await.map_err(gone)?;
    let mut reader = BufReader::new(read);
    let mut said = String::new();
    reader.read_line(&mut said).await.map_err(gone)?;
    let unexpected = |why: String| ApiError::new(ApiCode::Failed, format!("the engine answered something else: {why}"));
    let response: Response = serde_json::from_str(&said).map_err(|e| unexpected(e.to_string()))?;
    let attached: AttachedDto = match response.body {
        Body::Ok(value) => serde_json::from_value(value).map_err(|e| unexpected(e.to_string()))?,
        Body::Error(error) => return Err(error),
        Body::Batch(_) => return Err(unexpected("a batch".to_owned())),
    };
    let prepared = match attached.own {
        true => launch::environment_of(home, attached.opened, None)?,
        false => launch::join(home, attached.opened)?,
    };
    let (to_engine, outgoing) = queue(QUEUE);
    let (heard, from_engine) = queue(QUEUE);
    tokio::spawn(send(write, outgoing));
    let ended = CancellationToken::new();
    tokio::spawn(receive(reader, heard, ended.clone().drop_guard()));
    Ok(Tunnel { to_engine, from_engine: Some(from_engine), ended, prepared })
}

fn input(wrap: &Wrap, greeting: Option<Value>) -> Result<AttachInput, ApiError> {
    let cwd =
        std::env::current_dir().map_err(|e| ApiError::new(ApiCode::Invalid, format!("no folder to be in: {e}")))?;
    // Agents strip what they like of their servers' environment; what is left may tell the session.
    let proxy =
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].iter().find_map(|name| std::env::var(name).ok());
    let token = proxy.as_deref().and_then(password_in).map(|token| TypedSecret(token.to_owned()));
    Ok(AttachInput {
        server: wrap.server.clone(),
        agent: wrap.agent.clone(),
        cwd: cwd.display().to_string(),
        command: wrap.command.iter().map(|part| part.to_string_lossy().into_owned()).collect(),
        shown: wrap.shown.clone(),
        token,
        greeting,
    })
}

async fn send(mut write: WriteHalf, mut outgoing: Receiver<(Channel, Vec<u8>)>) {
    while let Some((channel, bytes)) = outgoing.recv().await {
        if frames::write(&mut write, channel, &bytes).await.is_err() {
            break;
        }
    }
}

async fn receive(mut reader: BufReader<ReadHalf>, heard: Sender<Heard>, _ended: DropGuard) {
    while let Ok(Some((channel, bytes))) = frames::read(&mut reader).await {
        let one = match channel {
            Channel::Agent => Heard::Agent(bytes),
            Channel::Server => Heard::Server(bytes),
            Channel::End => Heard::Over(String::from_utf8_lossy(&bytes).into_owned()),
            Channel::Note => {
                // A person who does not hear it finds the same in the console.
                let _ = writeln!(std::io::stderr(), "reeve: {}", String::from_utf8_lossy(&bytes));
                continue;
            }
            // The engine has no server that could crash.
            Channel::Down | Channel::Up => continue,
        };
        let is_over = matches!(one, Heard::Over(_));
        if heard.send(one).await.is_err() || is_over {
            break;
        }
    }
}

impl Tunnel {
    pub fn environment(&self) -> &Environment {
        &self.prepared.environment
    }

    pub fn sender(&self) -> ToEngine {
        self.to_engine.clone()
    }

    /// Cancelled once the engine says nothing more; what it said before may still wait to be heard.
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// What the engine says next; nothing more after its end.
    pub async fn hear(&mut self) -> Heard {
        let Some(from_engine) = &mut self.from_engine else { return std::future::pending().await };
        match from_engine.recv().await {
            Some(heard) => heard,
            None => {
                self.from_engine = None;
                Heard::Lost
            }
        }
    }

    /// Tells the engine what became of the server.
    pub async fn server_is(&self, channel: Channel, bytes: Vec<u8>) {
        // A loss is heard where its end is read.
        let _ = self.to_engine.send((channel, bytes)).await;
    }
}
