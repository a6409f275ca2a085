//! What the gateway adds to a tool call, over stdio and over HTTP, against the same server without it in the same run; and
//! how soon the wrapper of a server is there. Every call is judged and recorded durably before the server sees it: that is
//! never off.

mod side;

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use reeve_api::client::{Client, StartOptions};
use reeve_api::contract::calls::{ServersCall, SessionsCall};
use reeve_api::contract::servers::{ApproveServerInput, ServerDetailDto, ServerInput, ShownToolDto};
use reeve_api::contract::sessions::{OpenSessionInput, OpenedSessionDto};
use reeve_api::home::Home;
use reeve_api::wrapper::{self, Wrap};
use serde_json::{Value, json};

use crate::figures::{Times, against, flushes, ratio, us};
use crate::machine::{on_processor, runtime};
use crate::mcp::side::Side;
use crate::world::ENGINE;

pub use side::serve;

/// Words on the command line that make this program the server, and the wrapper around it.
pub const SERVER: &str = "tool-server";
pub const WRAPPER: &str = "tool-wrapper";

const AGENT: &str = "agent-1";
/// Rules of one's own on top of the preset, as a team's set would have.
const RULES: usize = 1000;
/// Both sides take turns, so that what else the machine does falls on both.
const ROUNDS: u32 = 5;
const CALLS: u32 = 100;
/// Calls before anything is measured.
const WARM: u32 = 20;
/// From one call to the next, where they do not follow each other at once: what is recorded of the end of a call is on disk
/// by then, as it is for an agent that thinks.
const PAUSE: Duration = Duration::from_millis(10);
/// What the gateway may add to a call beside one flush of the disk.
const AIM: Duration = Duration::from_micros(600);
/// Flushes of each round: the disk may become slower while this runs.
const FLUSHES: u32 = 40;
const STARTS: u32 = 20;
/// From the start of the wrapper to the server's greeting: some agents ask for the tools once, right after their start.
const READY: Duration = Duration::from_millis(100);

const POLICY: &str = r#"
@id("bench-tools") @reason("the bench's own tools") @lifts("ask-first-tool,ask-tool-write")
permit (principal, action == Action::"mcp.tool_call", resource);
@id("bench-place") @reason("the bench's own server") @lifts("ask-first-local,ask-first-write")
permit (principal, action == Action::"http.request", resource in HostGroup::"this-machine");
"#;

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

pub fn run() -> anyhow::Result<()> {
    println!("mcp: calls of one tool, one after the other, with {RULES} rules of one's own");
    println!(
        "                                                bare p50         p99 through p50         p99     p50     p99"
    );
    on_processor(0, move || {
        runtime()?.block_on(async {
            let remote = side::remote().await?;
            let world = World::start(remote).await?;
            let piped = [Side::piped(None).await?, Side::piped(Some(&world)).await?];
            world.approve("piped").await?;
            let mut measured = vec![Measured::of("stdio", piped).await?];
            for (name, server) in [("HTTP", "posted"), ("HTTP, to a server behind stdio", "bridged")] {
                let direct = Side::posted(remote, "/".to_owned(), None).await?;
                let path = format!("/mcp/{server}");
                let through = Side::posted(world.endpoint()?, path, Some(&world.session.token.0)).await?;
                world.approve(server).await?;
                measured.push(Measured::of(name, [direct, through]).await?);
            }
            for one in &measured {
                one.tell();
            }
            ready(&world).await
        })
    })?
}

/// One way to the server, with and without the gateway.
struct Measured {
    name: &'static str,
    paused: [Times; 2],
    flushes: Times,
}

impl Measured {
    /// Prints its lines of the table.
    async fn of(name: &'static str, mut sides: [Side; 2]) -> anyhow::Result<Self> {
        for side in &mut sides {
            for _ in 0..WARM {
                side.call().await?;
            }
        }
        let mut flushed = Times::default();
        let (mut paused, mut at_once) = ([Times::default(), Times::default()], [Times::default(), Times::default()]);
        for _ in 0..ROUNDS {
            for (side, into) in sides.iter_mut().zip(&mut paused) {
                for _ in 0..CALLS {
                    tokio::time::sleep(PAUSE).await;
                    into.push(timed(side).await?);
                }
            }
            for (side, into) in sides.iter_mut().zip(&mut at_once) {
                for _ in 0..CALLS {
                    into.push(timed(side).await?);
                }
            }
            flushed.extend(flushes(FLUSHES)?);
        }
        line(name, &paused);
        line(&format!("{name}, no pause"), &at_once);
        Ok(Self { name, paused, flushes: flushed })
    }

    fn tell(&self) {
        let [bare, through] = self.paused.each_ref().map(|times| times.quantile(0.5));
        let (flush, added) = (self.flushes.quantile(0.5), through.saturating_sub(bare));
        println!("{}: added {}, of which one flush is {}", self.name, us(added), us(flush));
        against("added p50 beside one flush", added.saturating_sub(flush), AIM);
    }
}

async fn timed(side: &mut Side) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    side.call().await?;
    Ok(begun.elapsed())
}

fn line(name: &str, [bare, through]: &[Times; 2]) {
    let [half, most] = [0.5, 0.99].map(|share| (bare.quantile(share), through.quantile(share)));
    println!(
        "  {name:<42} {:>11} {:>11} {:>11} {:>11} {:>7} {:>7}",
        us(half.0),
        us(most.0),
        us(half.1),
        us(most.1),
        ratio(half.1, half.0),
        ratio(most.1, most.0),
    );
}

/// How soon the server is there, with the wrapper around it and alone.
async fn ready(world: &World) -> anyhow::Result<()> {
    let (mut bare, mut wrapped) = (Times::default(), Times::default());
    for _ in 0..STARTS {
        for (around, into) in [(None, &mut bare), (Some(world), &mut wrapped)] {
            let begun = Instant::now();
            let mut side = Side::started(around)?;
            side.greet().await?;
            into.push(begun.elapsed());
            side.end().await?;
        }
    }
    let [half, most] = [0.5, 0.99].map(|share| (bare.quantile(share), wrapped.quantile(share)));
    println!(
        "wrapper: the server greets {} after its start, {} with the wrapper around it ({})",
        us(half.0),
        us(half.1),
        ratio(half.1, half.0)
    );
    against("wrapper and server ready, p50", half.1, READY);
    against("wrapper and server ready, p99", most.1, READY);
    Ok(())
}

/// An engine with the servers of the bench.
pub struct World {
    engine: std::process::Child,
    pub folder: tempfile::TempDir,
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
        let policies = home.config.join("policies");
        std::fs::write(policies.join("bench.cedar"), POLICY)?;
        std::fs::write(policies.join("many.cedar"), crate::policy::text(RULES))?;
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
        for _ in 0..5000 {
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
