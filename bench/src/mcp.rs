//! What the gateway adds to a tool call, over stdio and over HTTP, against the same server without it in the same run. Every
//! call is judged by a rule and recorded durably before the server sees it: that is never off.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use reeve_api::client::{Client, StartOptions};
use reeve_api::contract::calls::{ServersCall, SessionsCall};
use reeve_api::contract::servers::{ApproveServerInput, ServerDetailDto, ServerInput, ShownToolDto};
use reeve_api::contract::sessions::{OpenSessionInput, OpenedSessionDto};
use reeve_api::home::Home;
use reeve_api::wrapper::{self, Wrap};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::figures::{Times, against, flush, ratio, us};
use crate::machine::{on_processor, runtime};
use crate::world::ENGINE;

/// Words on the command line that make this program the server, and the wrapper around it.
pub const SERVER: &str = "tool-server";
pub const WRAPPER: &str = "tool-wrapper";

const AGENT: &str = "agent-1";
/// Both sides take turns, so that what else the machine does falls on both.
const ROUNDS: u32 = 5;
const CALLS: u32 = 100;
/// Calls before anything is measured.
const WARM: u32 = 20;
/// What the gateway may add to a call beside one flush of the disk.
const AIM: Duration = Duration::from_micros(600);

const POLICY: &str = r#"
@id("bench-tools") @reason("the bench's own tools") @lifts("ask-first-tool,ask-tool-write")
permit (principal, action == Action::"mcp.tool_call", resource);
@id("bench-place") @reason("the bench's own server") @lifts("ask-first-local,ask-first-write")
permit (principal, action == Action::"http.request", resource in HostGroup::"this-machine");
"#;

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

/// Is the wrapper around the server.
pub fn wrap(folder: &std::path::Path) -> anyhow::Result<()> {
    let program = std::env::current_exe()?;
    let shown = vec![program.display().to_string(), SERVER.to_owned()];
    let command = vec![program.into_os_string(), SERVER.into()];
    let wrap = Wrap {
        server: "piped".to_owned(),
        agent: Some(AGENT.to_owned()),
        command,
        shown,
        start: StartOptions::default(),
    };
    runtime()?.block_on(async { Ok(wrapper::run(&Home::under(folder), wrap).await.map(|_| ())?) })
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

pub fn run() -> anyhow::Result<()> {
    let flush = flush()?;
    println!("mcp: calls of one tool, one after the other; one flush is {}", us(flush));
    on_processor(0, move || {
        runtime()?.block_on(async {
            let remote = remote().await?;
            let world = World::start(remote).await?;
            let mut sides = [Side::piped(None).await?, Side::piped(Some(&world)).await?];
            world.approve("piped").await?;
            compare("stdio", &mut sides, flush).await?;
            let direct = Side::posted(remote, "/", None).await?;
            let through = Side::posted(world.endpoint()?, "/mcp/posted", Some(&world.session.token.0)).await?;
            world.approve("posted").await?;
            compare("HTTP", &mut [direct, through], flush).await?;
            let direct = Side::posted(remote, "/", None).await?;
            let through = Side::posted(world.endpoint()?, "/mcp/bridged", Some(&world.session.token.0)).await?;
            world.approve("bridged").await?;
            compare("HTTP, bridged to stdio", &mut [direct, through], flush).await
        })
    })?
}

async fn compare(name: &str, sides: &mut [Side; 2], flush: Duration) -> anyhow::Result<()> {
    let mut times = [Times::default(), Times::default()];
    for side in sides.iter_mut() {
        for _ in 0..WARM {
            side.call().await?;
        }
    }
    for _ in 0..ROUNDS {
        for (side, into) in sides.iter_mut().zip(&mut times) {
            for _ in 0..CALLS {
                let begun = Instant::now();
                side.call().await?;
                into.push(begun.elapsed());
            }
        }
    }
    let [direct, through] = times;
    let (bare, governed) = (direct.quantile(0.5), through.quantile(0.5));
    println!("{name}");
    println!(
        "  p50 {} (bare {}, {})  p99 {} (bare {}, {})",
        us(governed),
        us(bare),
        ratio(governed, bare),
        us(through.quantile(0.99)),
        us(direct.quantile(0.99)),
        ratio(through.quantile(0.99), direct.quantile(0.99)),
    );
    against("added p50, beside one flush", governed.saturating_sub(bare).saturating_sub(flush), AIM);
    Ok(())
}

/// The server over HTTP.
async fn remote() -> anyhow::Result<SocketAddr> {
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

/// An engine with the servers of the bench.
struct World {
    engine: std::process::Child,
    folder: tempfile::TempDir,
    client: Client,
    session: OpenedSessionDto,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.engine.kill();
        let _ = self.engine.wait();
    }
}

impl World {
    async fn start(remote: SocketAddr) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let home = Home::under(folder.path());
        home.create()?;
        let program = std::env::current_exe()?;
        std::fs::write(home.config_file(), "secrets = \"memory\"\n")?;
        std::fs::write(home.config.join("policies").join("bench.cedar"), POLICY)?;
        let servers = json!({ "mcpServers": {
            "posted": { "type": "http", "url": format!("http://{remote}/") },
            "bridged": { "command": program, "args": [SERVER] },
        } });
        std::fs::write(home.config.join("mcp.json"), servers.to_string())?;
        let mut command = std::process::Command::new(&program);
        let engine = command.arg(ENGINE).arg(folder.path()).stdout(Stdio::null()).spawn()?;
        let client = crate::world::connect(&home).await?;
        let input = OpenSessionInput {
            agent: Some(AGENT.to_owned()),
            cwd: "/".to_owned(),
            command: vec!["bench".to_owned()],
            mode: None,
            hours: None,
        };
        let session = client.call(&SessionsCall::Open(input)).await?;
        Ok(Self { engine, folder, client, session })
    }

    fn endpoint(&self) -> anyhow::Result<SocketAddr> {
        let url = self.session.mcp.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/mcp"));
        Ok(url.context("no endpoint")?.parse()?)
    }

    /// The person looks at a server that was listed, and lets it be used.
    async fn approve(&self, server: &str) -> anyhow::Result<()> {
        for _ in 0..1000 {
            let input = ServerInput { server: server.to_owned() };
            let seen: Result<ServerDetailDto, _> = self.client.call(&ServersCall::Get(input)).await;
            if let Ok(ServerDetailDto { identity: Some(identity), tools, .. }) = seen
                && !tools.is_empty()
            {
                let tools = tools.into_iter().map(|tool| ShownToolDto { name: tool.name, digest: tool.digest });
                let input = ApproveServerInput {
                    server: server.to_owned(),
                    identity: Some(identity.digest),
                    tools: tools.collect(),
                };
                self.client.call::<Value>(&ServersCall::Approve(input)).await?;
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        anyhow::bail!("`{server}` was never listed")
    }
}

/// One client of the server.
enum Side {
    Piped {
        _child: Child,
        input: ChildStdin,
        lines: Lines<BufReader<ChildStdout>>,
        next: u64,
    },
    Posted {
        send: SendRequest<Full<Bytes>>,
        path: &'static str,
        host: String,
        token: Option<String>,
        session: Option<String>,
        next: u64,
    },
}

impl Side {
    async fn piped(world: Option<&World>) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        match world {
            None => command.arg(SERVER),
            Some(world) => command.arg(WRAPPER).arg(world.folder.path()),
        };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let input = child.stdin.take().context("no input")?;
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let begun = Instant::now();
        let mut side = Self::Piped { _child: child, input, lines, next: 1 };
        side.greet().await?;
        if world.is_some() {
            println!("stdio: from the start of the wrapper to the server's greeting {}", us(begun.elapsed()));
        }
        Ok(side)
    }

    async fn posted(address: SocketAddr, path: &'static str, token: Option<&str>) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (send, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let token = token.map(str::to_owned);
        let mut side = Self::Posted { send, path, host: address.to_string(), token, session: None, next: 1 };
        side.greet().await?;
        Ok(side)
    }

    async fn greet(&mut self) -> anyhow::Result<()> {
        let params = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": { "name": "bench", "version": "1" },
        });
        self.ask("initialize", params).await?;
        self.ask("tools/list", json!({})).await?;
        Ok(())
    }

    async fn call(&mut self) -> anyhow::Result<()> {
        let words = "a sentence of the length that arguments of tools often have";
        let answer = self.ask("tools/call", json!({ "name": "echo", "arguments": { "text": words } })).await?;
        ensure!(answer["result"]["content"][0]["text"] == words, "the tool answered {answer}");
        Ok(())
    }

    async fn ask(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        match self {
            Self::Piped { input, lines, next, .. } => {
                let id = *next;
                *next += 1;
                let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
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
            Self::Posted { send, path, host, token, session, next } => {
                let id = *next;
                *next += 1;
                let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
                let mut request = Request::post(*path)
                    .header("host", host.as_str())
                    .header("content-type", "application/json")
                    .header("accept", "application/json, text/event-stream");
                if let Some(token) = token {
                    request = request.header("authorization", format!("Bearer {token}"));
                }
                if let Some(session) = session {
                    request = request.header("mcp-session-id", session.as_str());
                }
                let response = send.send_request(request.body(Full::new(Bytes::from(message.to_string())))?).await?;
                if let Some(id) = response.headers().get("mcp-session-id") {
                    *session = Some(id.to_str()?.to_owned());
                }
                let body = response.into_body().collect().await?.to_bytes();
                serde_json::from_slice(&body).with_context(|| format!("no JSON: {}", String::from_utf8_lossy(&body)))
            }
        }
    }
}
