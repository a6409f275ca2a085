//! The two sides of a tool call: the server over stdio and over HTTP, and one client of it for each.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::machine::runtime;
use crate::mcp::{SERVER, WRAPPER, World};

/// A call that takes longer waits for a person, who is not there.
const LONGEST: Duration = Duration::from_secs(30);

/// Is the server until its input is closed.
pub fn serve() -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        let mut out = tokio::io::stdout();
        while let Some(line) = lines.next_line().await? {
            if let Some(answer) = answer(line.as_bytes()) {
                out.write_all(format!("{answer}\n").as_bytes()).await?;
                out.flush().await?;
            }
        }
        Ok(())
    })
}

/// What the server says.
fn answer(message: &[u8]) -> Option<Value> {
    let message: Value = serde_json::from_slice(message).ok()?;
    let id = message.get("id")?;
    let result = match message.get("method")?.as_str()? {
        "initialize" => json!({
            "protocolVersion": "2025-11-25",
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "bench", "version": "1" },
        }),
        "tools/list" => json!({ "tools": [{ "name": "echo", "inputSchema": { "type": "object" } }] }),
        "tools/call" => json!({ "content": [{ "type": "text", "text": message["params"]["arguments"]["text"] }] }),
        _ => json!({}),
    };
    Some(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

/// The server over HTTP.
pub async fn remote() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let service = service_fn(|request: Request<Incoming>| async move {
                let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                let (status, text) = answer(&body).map_or((202_u16, String::new()), |answer| (200, answer.to_string()));
                let response = Response::builder().status(status).header("content-type", "application/json");
                Ok::<_, Infallible>(response.body(Full::new(Bytes::from(text))).unwrap())
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Ok(address)
}

/// One client of the server.
pub struct Side {
    way: Way,
    next: u64,
}

enum Way {
    Piped {
        child: Child,
        input: ChildStdin,
        lines: Lines<BufReader<ChildStdout>>,
    },
    Posted {
        send: SendRequest<Full<Bytes>>,
        path: String,
        host: String,
        token: Option<String>,
        session: Option<String>,
    },
}

impl Side {
    /// Starts the server, with the wrapper around it where there is a world to be governed in.
    pub fn started(world: Option<&World>) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        match world {
            None => command.arg(SERVER),
            Some(world) => command.arg(WRAPPER).arg(world.folder.path()),
        };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let input = child.stdin.take().context("no input")?;
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        Ok(Self { way: Way::Piped { child, input, lines }, next: 1 })
    }

    /// The same, greeted and with its tools listed.
    pub async fn piped(world: Option<&World>) -> anyhow::Result<Self> {
        Self::started(world)?.listed().await
    }

    pub async fn posted(address: SocketAddr, path: String, token: Option<&str>) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (send, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let token = token.map(str::to_owned);
        let way = Way::Posted { send, path, host: address.to_string(), token, session: None };
        Self { way, next: 1 }.listed().await
    }

    async fn listed(mut self) -> anyhow::Result<Self> {
        self.greet().await?;
        self.ask("tools/list", json!({})).await?;
        Ok(self)
    }

    pub async fn greet(&mut self) -> anyhow::Result<()> {
        let params = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": { "name": "bench", "version": "1" },
        });
        self.ask("initialize", params).await.map(|_| ())
    }

    /// Each call says something else: who asks the same again and again is taken to go in circles.
    pub async fn call(&mut self) -> anyhow::Result<()> {
        let words = format!("sentence {} of the length that arguments of tools often have", self.next);
        let answer = self.ask("tools/call", json!({ "name": "echo", "arguments": { "text": words } })).await?;
        ensure!(answer["result"]["content"][0]["text"] == words, "the tool answered {answer}");
        Ok(())
    }

    async fn ask(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        let id = self.next;
        self.next += 1;
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let answered = tokio::time::timeout(LONGEST, self.way.ask(id, &message)).await;
        answered.with_context(|| format!("`{method}` was not answered within {LONGEST:?}"))?
    }

    /// Closes a server's input, and waits for its end.
    pub async fn end(self) -> anyhow::Result<()> {
        if let Way::Piped { mut child, input, .. } = self.way {
            drop(input);
            tokio::time::timeout(LONGEST, child.wait()).await.context("a server did not end")??;
        }
        Ok(())
    }
}

impl Way {
    async fn ask(&mut self, id: u64, message: &Value) -> anyhow::Result<Value> {
        match self {
            Self::Piped { input, lines, .. } => {
                input.write_all(format!("{message}\n").as_bytes()).await?;
                input.flush().await?;
                loop {
                    let line = lines.next_line().await?.context("the server ended")?;
                    let answer: Value = serde_json::from_str(&line)?;
                    if answer["id"] == id {
                        return Ok(answer);
                    }
                }
            }
            Self::Posted { send, path, host, token, session } => {
                let mut request = Request::post(path.as_str())
                    .header("host", host.as_str())
                    .header("content-type", "application/json")
                    .header("accept", "application/json, text/event-stream");
                if let Some(token) = token {
                    request = request.header("authorization", format!("Bearer {token}"));
                }
                if let Some(session) = session {
                    request = request.header("mcp-session-id", session.as_str());
                }
                send.ready().await?;
                let response = send.send_request(request.body(Full::new(Bytes::from(message.to_string())))?).await?;
                if let Some(id) = response.headers().get("mcp-session-id") {
                    *session = Some(id.to_str()?.to_owned());
                }
                let body = response.into_body().collect().await?.to_bytes();
                let text = String::from_utf8_lossy(&body);
                // One message, or the last one of a stream.
                let said = text.lines().filter_map(|line| line.strip_prefix("data:")).next_back().unwrap_or(&text);
                serde_json::from_str(said).with_context(|| format!("no JSON: {text}"))
            }
        }
    }
}
