//! The real agents with real MCP servers that they reach over HTTP, each wired by its own configuration: a server of this
//! machine and a remote one at Reeve's endpoint, a remote one at its own address, and, for who speaks over standard input
//! only, a registered one behind `reeve mcp`. One conversation calls them all.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use reeve_api::contract::approvals::{AnswerDto, ScopeDto};
use reeve_api::contract::calls::ServersCall;
use reeve_api::contract::operations::{OperationRowDto, RowStateDto};
use reeve_api::contract::servers::{AddServerInput, DeclarationDto, ServersDto};
use reeve_demo::script::{Script, Step, ToolUse};
use reeve_tests::stage::{Setting, Stage, reeve};
use reeve_tests::tools::Tool;
use serde_json::{Value, json};

use super::journeys::{ANSWER, shown};
use super::servers::{ask, installed, reached, review};

/// The servers as the agents' configurations name them.
const SERVERS: [&str; 4] = ["near", "far", "straight", "own"];

/// What may pass, what one word forbids, and what a person looks at.
fn policy(straight: &str) -> String {
    format!(
        r#"
@id("tools-pass") @reason("these are harmless") @lifts("ask-first-tool,ask-tool-write")
permit (principal, action == Action::"mcp.tool_call", resource)
when {{ ["near", "own", "{straight}"].contains(context.server) }};

@id("no-sundays") @reason("nothing is echoed on Sundays")
forbid (principal, action == Action::"mcp.tool_call", resource == McpTool::"near/echo")
when {{ context.arguments.contains("message=sunday") }};

@id("look-first") @reason("echoes from far wait for a person") @liftable
forbid (principal, action == Action::"mcp.tool_call", resource == McpTool::"far/echo")
unless {{ context.approved }};

@id("this-machine") @reason("the tests' servers are here") @lifts("ask-first-local,ask-first-write")
permit (principal, action == Action::"http.request", resource in HostGroup::"this-machine");
"#
    )
}

/// A server that listens; it ends with the test.
struct Listening {
    child: Child,
    port: u16,
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Gone already is as good as ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Listening {
    /// Somebody else may take a free port before the server does: another one is tried then.
    fn start() -> Result<Self> {
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let mut child = Command::new("node")
                .args([installed("server-everything")?.as_str(), "streamableHttp"])
                .env("PORT", port.to_string())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()?;
            let said = child.stderr.take().context("no output")?;
            let mut server = Self { child, port };
            let mut lines = BufReader::new(said).lines().map_while(Result::ok);
            if lines.any(|line| line.contains("listening on port")) {
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(server);
            }
            server.child.wait()?;
        }
        bail!("the server found no port to listen on")
    }

    fn at(&self, host: &str) -> String {
        format!("http://{host}:{}/mcp", self.port)
    }
}

/// A server that only one of the agents has, what is called there, and what that leaves behind.
struct Own {
    declaration: DeclarationDto,
    call: ToolUse,
    /// A file that says that it is fastened.
    left: &'static str,
}

impl Own {
    fn of(tool: Tool, work: &Path) -> Result<Self> {
        let call = |name: &str, input: Value| ToolUse { name: format!("$mcp:own/{name}"), input };
        let node = |package: &str, more: &[String]| -> Result<DeclarationDto> {
            let args = [&[installed(package)?], more].concat();
            let notes = work.join("notes.jsonl").display().to_string();
            let env = [("MEMORY_FILE_PATH".to_owned(), notes)].into();
            Ok(DeclarationDto::Stdio { command: "node".to_owned(), args, env, cwd: None })
        };
        let python = |program: &str, option: &str, value: &Path| -> Result<DeclarationDto> {
            let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/mcp-servers/bin").join(program);
            ensure!(program.is_file(), "`{}` is missing: run `cargo xtask ci --only pip` first", program.display());
            let args = vec![option.to_owned(), value.display().to_string()];
            let command = program.display().to_string();
            Ok(DeclarationDto::Stdio { command, args, env: std::collections::BTreeMap::new(), cwd: None })
        };
        Ok(match tool {
            Tool::Claude => Self {
                declaration: node("server-filesystem", &[work.display().to_string()])?,
                call: call("write_file", json!({ "path": work.join("belt.txt"), "content": "fastened" })),
                left: "belt.txt",
            },
            Tool::Codex => {
                let belt = json!({ "name": "belt", "entityType": "thing", "observations": ["fastened"] });
                Self {
                    declaration: node("server-memory", &[])?,
                    call: call("create_entities", json!({ "entities": [belt] })),
                    left: "notes.jsonl",
                }
            }
            Tool::Gemini => {
                staged(work)?;
                Self {
                    declaration: python("mcp-server-git", "--repository", work)?,
                    call: call("git_commit", json!({ "repo_path": work, "message": "fastened" })),
                    left: ".git/logs/HEAD",
                }
            }
            Tool::Opencode => Self {
                declaration: python("mcp-server-sqlite", "--db-path", &work.join("belts.db"))?,
                call: call("create_table", json!({ "query": "CREATE TABLE fastened (belt INTEGER)" })),
                left: "belts.db",
            },
        })
    }
}

/// A repository with something to commit.
fn staged(work: &Path) -> Result<()> {
    std::fs::write(work.join("belt.txt"), "a belt")?;
    let who = ["-c", "user.name=tester", "-c", "user.email=tester@example.com"];
    for words in
        [&["init", "--quiet"][..], &["commit", "--quiet", "--allow-empty", "-m", "begun"], &["add", "belt.txt"]]
    {
        let done = Command::new("git").current_dir(work).args(who).args(words).status()?;
        ensure!(done.success(), "`git {}` failed", words.join(" "));
    }
    Ok(())
}

/// Writes the servers into the tool's own configuration, each as its own documentation says. Two come by the endpoint's
/// address with the session's token, which only the session's environment holds.
fn wire(tool: Tool, stage: &Stage, endpoint: &str, straight: &str) -> Result<()> {
    let (world, program) = (&stage.world, reeve()?.display().to_string());
    let arguments = ["mcp", "--server", "own", "--agent", "somebody"];
    let home = world.reeve_home().display().to_string();
    let environment = json!({ "REEVE_HOME": home });
    match tool {
        Tool::Claude => {
            let governed = |name: &str| {
                let headers = json!({ "Authorization": "Bearer ${REEVE_MCP_TOKEN}" });
                json!({ "type": "http", "url": format!("${{REEVE_MCP_URL}}/{name}"), "headers": headers })
            };
            let servers = json!({
                "near": governed("near"),
                "far": governed("far"),
                "straight": { "type": "http", "url": straight },
                "own": { "type": "stdio", "command": program, "args": arguments, "env": environment },
            });
            std::fs::write(world.work().join(".mcp.json"), json!({ "mcpServers": servers }).to_string())?;
        }
        Tool::Codex => {
            let patient = "startup_timeout_sec = 60\n";
            let governed = |name: &str| {
                let url = json!(format!("{endpoint}/{name}"));
                format!("[mcp_servers.{name}]\nurl = {url}\nbearer_token_env_var = \"REEVE_MCP_TOKEN\"\n{patient}")
            };
            let text = format!(
                "{}{}[mcp_servers.straight]\nurl = {}\n{patient}[mcp_servers.own]\ncommand = {}\nargs = {}\nenv = {{ REEVE_HOME = {} }}\n{patient}",
                governed("near"),
                governed("far"),
                json!(straight),
                json!(program),
                json!(arguments),
                json!(home),
            );
            world.write_home(".codex/config.toml", &text)?;
        }
        Tool::Gemini => {
            let governed = |name: &str| {
                let headers = json!({ "Authorization": "Bearer $REEVE_MCP_TOKEN" });
                json!({ "httpUrl": format!("$REEVE_MCP_URL/{name}"), "headers": headers, "trust": true })
            };
            let servers = json!({
                "near": governed("near"),
                "far": governed("far"),
                "straight": { "httpUrl": straight, "trust": true },
                "own": { "command": program, "args": arguments, "env": environment, "trust": true },
            });
            world.write_home(".gemini/settings.json", &json!({ "mcpServers": servers }).to_string())?;
        }
        Tool::Opencode => {
            let governed = |name: &str| {
                let headers = json!({ "Authorization": "Bearer {env:REEVE_MCP_TOKEN}" });
                json!({ "type": "remote", "url": format!("{{env:REEVE_MCP_URL}}/{name}"), "headers": headers })
            };
            let command = [&[program.as_str()], arguments.as_slice()].concat();
            let servers = json!({
                "near": governed("near"),
                "far": governed("far"),
                "straight": { "type": "remote", "url": straight },
                "own": { "type": "local", "command": command, "environment": environment },
            });
            world.write_home(".config/opencode/opencode.json", &json!({ "mcp": servers }).to_string())?;
        }
    }
    Ok(())
}

async fn register(stage: &Stage, server: &str, declaration: DeclarationDto) -> Result<()> {
    let input = AddServerInput { server: server.to_owned(), declaration };
    stage.client().call::<ServersDto>(&ServersCall::Add(input)).await?;
    let bridge = [&reeve()?.display().to_string(), "mcp", "--server", server, "--agent", "somebody"];
    review(stage, server, &bridge.map(str::to_owned)).await
}

/// The person looks at a server that nobody registered, after a program that is no agent's asked it for its tools.
async fn review_straight(stage: &Stage, url: &str, name: &str) -> Result<()> {
    let (reader, _) = stage.agent("reader").await?;
    let mut session = None;
    let client = json!({ "name": "reader", "version": "1" });
    let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
    for message in [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" }),
    ] {
        let mut request = Request::post(url)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        if let Some(session) = &session {
            request = request.header("mcp-session-id", session);
        }
        let reply = reader.send_plain(request.body(Full::new(Bytes::from(message.to_string())))?).await?;
        ensure!(reply.status.is_success(), "{}: {}", reply.status, reply.text());
        session = session.or_else(|| reply.headers.get("mcp-session-id").cloned());
    }
    stage.approve_server(name).await
}

/// The rows of one tool, oldest first, each of the agent's own session.
async fn rows_of(tool: Tool, stage: &Stage, summary: &str) -> Result<Vec<OperationRowDto>> {
    let rows = stage.rows("kind:mcp").await?;
    let mine: Vec<OperationRowDto> = rows.into_iter().filter(|row| row.summary == summary).collect();
    let model = stage.rows("kind:llm").await?;
    for row in &mine {
        ensure!(row.agent == tool.agent(), "{row:?}");
        ensure!(model.iter().any(|call| call.session == row.session), "another session than its agent's: {row:?}");
    }
    Ok(mine)
}

/// What a request holds once the tool offers a server's tool to its model.
fn offered(tool: Tool, server: &str, name: &str) -> String {
    match tool {
        Tool::Claude => format!("mcp__{server}__{name}"),
        // Which tools the server has it says to programs only.
        Tool::Codex => format!("mcp__{server}"),
        Tool::Gemini => format!("mcp_{server}_{name}"),
        Tool::Opencode => format!("{server}_{name}"),
    }
}

/// One conversation with all of them. Some tools begin before their servers are there.
fn script(tool: Tool, own: &Own) -> Script {
    let echo = |server: &str, said: &str| {
        let name = format!("$mcp:{server}/echo");
        Step {
            tools: vec![ToolUse { name, input: json!({ "message": said }) }],
            ..Step::text("I will have it echoed.")
        }
    };
    let leave = Step { tools: vec![own.call.clone()], ..Step::text("I will leave something.") };
    Script::of([
        echo("near", "near-belt"),
        echo("near", "sunday"),
        echo("far", "far-belt"),
        echo("straight", "straight-belt"),
        leave,
        Step::text(ANSWER),
    ])
    .awaiting(["near", "far", "straight"].map(|server| offered(tool, server, "echo")))
    .awaiting([offered(tool, "own", own.call.name.trim_start_matches("$mcp:own/"))])
}

pub async fn called(tool: Tool) -> Result<()> {
    let server = Listening::start()?;
    // By another name than the registered one of the same server.
    let straight = format!("localhost:{}", server.port);
    let policy = policy(&straight);
    let stage = Stage::set(Setting { policy: &policy, ..Setting::default() }).await?;
    let own = Own::of(tool, &stage.world.work())?;
    stage.provider.set_script(script(tool, &own));
    stage.store(tool.credential(), "sk-real-5d1f7c3ab29e4c60").await?;
    let stdio = vec![installed("server-everything")?, "stdio".to_owned()];
    let near = DeclarationDto::Stdio {
        command: "node".to_owned(),
        args: stdio,
        env: std::collections::BTreeMap::new(),
        cwd: None,
    };
    register(&stage, "near", near).await?;
    let far = DeclarationDto::Http { url: server.at("127.0.0.1"), headers: std::collections::BTreeMap::new() };
    register(&stage, "far", far).await?;
    register(&stage, "own", own.declaration).await?;
    review_straight(&stage, &server.at("localhost"), &straight).await?;
    let (_, opened) = stage.agent("reader").await?;
    wire(tool, &stage, &opened.mcp, &server.at("localhost"))?;

    let human = async {
        let question = stage.asked().await?;
        ensure!(question.kind == "mcp" && question.agent == tool.agent(), "{question:?}");
        ensure!(!reached(tool, &stage, "Echo: far-belt"), "it went on before it was approved");
        stage.answer(&question, AnswerDto::Approve { scope: ScopeDto::Once }).await
    };
    let (ended, _) = tokio::try_join!(ask(tool, &stage, &SERVERS, &[]), human)?;
    ensure!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(&ended, &stage));

    for (summary, states) in [
        ("near.echo".to_owned(), &[RowStateDto::Allowed, RowStateDto::Denied][..]),
        ("far.echo".to_owned(), &[RowStateDto::Approved]),
        (format!("{straight}.echo"), &[RowStateDto::Allowed]),
        (own.call.name.replace("$mcp:own/", "own."), &[RowStateDto::Allowed]),
    ] {
        let rows = rows_of(tool, &stage, &summary).await?;
        let met: Vec<RowStateDto> = rows.iter().map(|row| row.state).collect();
        ensure!(met == states, "{summary}: {met:?}\n{}", shown(&ended, &stage));
    }
    for said in ["Echo: near-belt", "Echo: far-belt", "Echo: straight-belt", "nothing is echoed on Sundays"] {
        ensure!(reached(tool, &stage, said), "`{said}` did not reach the model: {}", shown(&ended, &stage));
    }
    ensure!(!reached(tool, &stage, "Echo: sunday"), "what a rule forbids was echoed");
    let left = std::fs::read(stage.world.work().join(own.left))?;
    ensure!(String::from_utf8_lossy(&left).contains("fastened"), "the server did nothing");
    stage.verify().await
}
