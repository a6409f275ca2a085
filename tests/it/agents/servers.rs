//! The real agents with a real MCP server behind `reeve mcp`, each wired by its own configuration: its tool is called, denied
//! in words that reach the model, and held until the person said yes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reeve_api::contract::approvals::{AnswerDto, ScopeDto};
use reeve_api::contract::operations::{OperationRowDto, RowStateDto};
use reeve_demo::script::{Script, Step, ToolUse};
use reeve_testkit::world::World;
use reeve_tests::stage::{Ended, Setting, Stage, reeve};
use reeve_tests::tools::Tool;
use serde_json::{Value, json};

use super::journeys::{ANSWER, QUESTION, shown};

pub const SAID: &str = "seat-42-belt";
/// What one of the server's other tools says of itself.
const OFFERED: &str = "Returns the sum of two numbers";

const PERMIT: &str = r#"
@id("echo-passes") @reason("echoing is harmless") @lifts("ask-first-tool,ask-tool-write")
permit (principal, action == Action::"mcp.tool_call", resource == McpTool::"everything/echo");
"#;

const FORBID: &str = r#"
@id("no-echo") @reason("nothing is echoed on Sundays")
forbid (principal, action == Action::"mcp.tool_call", resource == McpTool::"everything/echo");
"#;

/// One word is forbidden, not the tool: that stays in the list.
const FORBID_WORD: &str = r#"
@id("no-echo") @reason("nothing is echoed on Sundays")
forbid (principal, action == Action::"mcp.tool_call", resource == McpTool::"everything/echo")
when { context.arguments.contains("message=seat-42-belt") };
"#;

pub const HOLD: &str = r#"
@id("look-first") @reason("echoes wait for a person") @liftable
forbid (principal, action == Action::"mcp.tool_call", resource == McpTool::"everything/echo")
unless { context.approved };
"#;

/// The command of the wrapper, as a client's configuration holds it.
fn wrapper() -> Result<Vec<String>> {
    let server = installed("server-everything")?;
    let words = ["mcp", "--server", "everything", "--agent", "somebody", "--", "node"];
    let mut command = vec![reeve()?.display().to_string()];
    command.extend(words.map(str::to_owned));
    command.extend([server, "stdio".to_owned()]);
    Ok(command)
}

/// The script of a server from npm.
pub fn installed(package: &str) -> Result<String> {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("agents/node_modules/@modelcontextprotocol");
    let script = packages.join(package).join("dist/index.js");
    ensure!(script.is_file(), "`{}` is missing: run `npm ci --prefix tests/agents` first", script.display());
    Ok(script.display().to_string())
}

/// How the server is written into the tool's configuration, and used.
#[derive(Debug, Clone, Copy)]
pub struct Wiring {
    /// How long the tool waits for a call, where its configuration of servers says so.
    pub limit: Option<Duration>,
    /// Times that the model calls.
    pub calls: usize,
}

const ONCE: Wiring = Wiring { limit: None, calls: 1 };

/// Writes the server into the tool's own configuration.
fn wire(tool: Tool, world: &World, limit: Option<Duration>) -> Result<()> {
    let command = wrapper()?;
    let (program, arguments) = command.split_first().context("no command")?;
    // Where Reeve's folders are not the usual ones, servers are told so as they are told anything.
    let home = world.reeve_home().display().to_string();
    let environment = json!({ "REEVE_HOME": home });
    let milliseconds = limit.map(|limit| json!(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)));
    match tool {
        Tool::Claude => {
            let server = json!({ "type": "stdio", "command": program, "args": arguments, "env": environment });
            let text = json!({ "mcpServers": { "everything": server } }).to_string();
            std::fs::write(world.work().join(".mcp.json"), text)?;
        }
        Tool::Codex => {
            let text = format!(
                "[mcp_servers.everything]\ncommand = {}\nargs = {}\nenv = {{ REEVE_HOME = {} }}\nstartup_timeout_sec = 60\n{}",
                json!(program),
                json!(arguments),
                json!(home),
                limit.map(|limit| format!("tool_timeout_sec = {}\n", limit.as_secs())).unwrap_or_default(),
            );
            world.write_home(".codex/config.toml", &text)?;
        }
        Tool::Gemini => {
            let mut server = json!({ "command": program, "args": arguments, "env": environment, "trust": true });
            if let Some(limit) = milliseconds {
                server["timeout"] = limit;
            }
            world
                .write_home(".gemini/settings.json", &json!({ "mcpServers": { "everything": server } }).to_string())?;
        }
        Tool::Opencode => {
            let mut server =
                json!({ "type": "local", "command": command, "environment": environment, "enabled": true });
            if let Some(limit) = milliseconds {
                server["timeout"] = limit;
            }
            let text = json!({ "mcp": { "everything": server } }).to_string();
            world.write_home(".config/opencode/opencode.json", &text)?;
        }
    }
    Ok(())
}

/// The person sees the server for the first time and lets it be used: it is asked for its tools once, from a terminal.
pub async fn review(stage: &Stage, server: &str, command: &[String]) -> Result<()> {
    let (program, arguments) = command.split_first().context("no command")?;
    let mut wrapped =
        stage.world.command(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = wrapped.stdin.take().context("no input")?;
    let client = json!({ "name": "review", "version": "1" });
    let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
    for message in [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" }),
    ] {
        writeln!(input, "{message}")?;
    }
    let output = wrapped.stdout.take().context("no output")?;
    let listing = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(output).lines().map_while(std::result::Result::ok);
        lines.any(|line: String| serde_json::from_str::<Value>(&line).is_ok_and(|message| message["id"] == 2))
    });
    ensure!(listing.await?, "the server listed no tools: {}", stage.engine_log());
    stage.approve_server(server).await?;
    drop(input);
    wrapped.kill()?;
    wrapped.wait()?;
    Ok(())
}

/// A stage on which the tool knows the server and the person has reviewed it.
pub async fn set(tool: Tool, policy: &str, wiring: Wiring) -> Result<Stage> {
    let echo = Step {
        tools: vec![ToolUse { name: "$mcp:echo".to_owned(), input: json!({ "message": SAID }) }],
        ..Step::text("I will have it echoed.")
    };
    let list = Step { tools: vec![ToolUse { name: "$tools".to_owned(), input: Value::Null }], ..Step::text("I look.") };
    let mut steps = vec![list];
    steps.extend(std::iter::repeat_n(echo, wiring.calls));
    steps.push(Step::text(ANSWER));
    // Some tools begin before their servers are there. Codex names servers in its requests, and their tools to programs only.
    let there = if tool == Tool::Codex { "mcp__everything" } else { OFFERED };
    let script = Script::of(steps).awaiting([there.to_owned()]);
    let stage = Stage::set(Setting { script, policy, ..Setting::default() }).await?;
    stage.store(tool.credential(), "sk-real-5d1f7c3ab29e4c60").await?;
    wire(tool, &stage.world, wiring.limit)?;
    review(&stage, "everything", &wrapper()?).await?;
    Ok(stage)
}

/// Asks the tool its question, with these servers at its hand.
pub async fn ask(tool: Tool, stage: &Stage, servers: &[&str], own: &[(&str, &str)]) -> Result<Ended> {
    let mut command = tool.command(&stage.world, QUESTION)?;
    if tool == Tool::Claude {
        command.extend(["--mcp-config", ".mcp.json"].map(str::to_owned));
        if let Some(allowed) = command.iter_mut().find(|one| *one == "Bash") {
            servers.iter().for_each(|server| allowed.push_str(&format!(",mcp__{server}")));
        }
    }
    // Tools of servers stand in its requests by name, and are not looked for first.
    stage.run(&command, &[&[("ENABLE_TOOL_SEARCH", "false")], own].concat()).await
}

async fn row(tool: Tool, stage: &Stage) -> Result<OperationRowDto> {
    let rows = stage.rows("kind:mcp").await?;
    let mut mine = rows.into_iter().filter(|row| row.summary == "everything.echo");
    let row = mine.next().with_context(|| format!("no tool call: {}", stage.engine_log()))?;
    ensure!(row.agent == tool.agent(), "{row:?}");
    let model = stage.rows("kind:llm").await?;
    ensure!(model.iter().any(|call| call.session == row.session), "another session than its agent's: {row:?}");
    Ok(row)
}

/// Whether these words came back to the model.
pub fn reached(tool: Tool, stage: &Stage, words: &str) -> bool {
    let calls = stage.provider.calls(tool.group());
    calls.iter().any(|call| call.main && String::from_utf8_lossy(&call.body).contains(words))
}

pub async fn called(tool: Tool) -> Result<()> {
    let stage = set(tool, PERMIT, ONCE).await?;
    let ended = ask(tool, &stage, &["everything"], &[]).await?;
    ensure!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(&ended, &stage));
    let row = row(tool, &stage).await.with_context(|| shown(&ended, &stage))?;
    ensure!(row.state == RowStateDto::Allowed, "{row:?}");
    ensure!(reached(tool, &stage, &format!("Echo: {SAID}")), "the result did not reach the model: {}", ended.printed());
    stage.verify().await
}

pub async fn denied(tool: Tool) -> Result<()> {
    let stage = set(tool, FORBID_WORD, ONCE).await?;
    let ended = ask(tool, &stage, &["everything"], &[]).await?;
    let row = row(tool, &stage).await.with_context(|| shown(&ended, &stage))?;
    ensure!(row.state == RowStateDto::Denied, "{row:?}");
    ensure!(reached(tool, &stage, "nothing is echoed on Sundays"), "{}", shown(&ended, &stage));
    ensure!(!reached(tool, &stage, &format!("Echo: {SAID}")), "it was echoed: {}", ended.printed());
    stage.verify().await
}

/// What no circumstance could permit is left out of the list, and a call by its bare name is not made either.
pub async fn left_out(tool: Tool) -> Result<()> {
    let stage = set(tool, FORBID, ONCE).await?;
    let ended = ask(tool, &stage, &["everything"], &[]).await?;
    ensure!(reached(tool, &stage, OFFERED), "nothing is offered: {}", shown(&ended, &stage));
    ensure!(!reached(tool, &stage, "Echoes back the input string"), "it was offered: {}", shown(&ended, &stage));
    ensure!(!reached(tool, &stage, &format!("Echo: {SAID}")), "it was echoed: {}", ended.printed());
    stage.verify().await
}

pub async fn held(tool: Tool) -> Result<()> {
    let stage = set(tool, HOLD, ONCE).await?;
    let human = async {
        let question = stage.asked().await?;
        ensure!(question.kind == "mcp" && question.agent == tool.agent(), "{question:?}");
        stage.answer(&question, AnswerDto::Approve { scope: ScopeDto::Once }).await
    };
    let (ended, _) = tokio::try_join!(ask(tool, &stage, &["everything"], &[]), human)?;
    ensure!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(&ended, &stage));
    let row = row(tool, &stage).await?;
    ensure!(row.state == RowStateDto::Approved, "{row:?}");
    ensure!(reached(tool, &stage, &format!("Echo: {SAID}")), "{}", shown(&ended, &stage));
    stage.verify().await
}
