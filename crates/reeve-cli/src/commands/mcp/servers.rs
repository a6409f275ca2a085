//! `reeve mcp list`, `show`, `approve` and so on: MCP servers, and the person's review of them.

use std::collections::BTreeMap;

use reeve_api::client::Client;
use reeve_api::contract::calls::ServersCall;
use reeve_api::contract::servers::{
    AddServerInput, ApproveServerInput, DeclarationDto, DiffKindDto, FieldDiffDto, ServerDetailDto, ServerDto,
    ServerInput, ServerToolDto, ServersDto, ShownToolDto, StandingDto,
};
use reeve_api::contract::{ApiCode, ApiError};
use serde_json::Value;

use crate::args::McpVerb;
use crate::commands::stats::rate;
use crate::commands::{Context, refuse_inside_session};
use crate::output::{Tone, paint, visible};
use crate::{exit, output};

pub async fn run(context: &Context, verb: McpVerb) -> anyhow::Result<u8> {
    if !matches!(verb, McpVerb::List | McpVerb::Show { .. }) {
        refuse_inside_session("mcp")?;
    }
    let client = context.client().await?;
    match verb {
        McpVerb::List => list(context, &client.call(&ServersCall::List).await?),
        McpVerb::Show { server } => {
            let found: ServerDetailDto = client.call(&ServersCall::Get(ServerInput { server })).await?;
            if context.json {
                output::json(&found)?;
            } else {
                show(&found)?;
            }
            Ok(exit::DONE)
        }
        McpVerb::Approve { server, tools } => approve(context, &client, server, &tools).await,
        McpVerb::Forget { server } => {
            let input = ServerInput { server: server.clone() };
            let _: ServersDto = client.call(&ServersCall::Forget(input)).await?;
            context.say(&format!("forgot {server}: the next time it is a new one"));
            Ok(exit::DONE)
        }
        McpVerb::Add { server, url, set, command } => {
            let input = AddServerInput { server: server.clone(), declaration: declaration(url, &set, command)? };
            let after: ServersDto = client.call(&ServersCall::Add(input)).await?;
            context.say(&format!("registered {server} in {}", after.file));
            Ok(exit::DONE)
        }
        McpVerb::Remove { server } => {
            let input = ServerInput { server: server.clone() };
            let after: ServersDto = client.call(&ServersCall::Remove(input)).await?;
            context.say(&format!("took {server} out of {}", after.file));
            Ok(exit::DONE)
        }
    }
}

fn declaration(url: Option<String>, set: &[String], command: Vec<String>) -> anyhow::Result<DeclarationDto> {
    let pair = |one: &String| {
        let pair = one.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        pair.ok_or_else(|| anyhow::anyhow!("`{one}` is not NAME=VALUE"))
    };
    let pairs = set.iter().map(pair).collect::<anyhow::Result<BTreeMap<_, _>>>()?;
    if let Some(url) = url {
        return Ok(DeclarationDto::Http { url, headers: pairs });
    }
    let mut command = command.into_iter();
    let program = command.next().ok_or_else(|| anyhow::anyhow!("name its command after `--`, or its `--url`"))?;
    Ok(DeclarationDto::Stdio { command: program, args: command.collect(), env: pairs, cwd: None })
}

fn list(context: &Context, found: &ServersDto) -> anyhow::Result<u8> {
    if context.json {
        output::json(found)?;
    } else if found.servers.is_empty() {
        context.say("no MCP server was seen yet: `reeve mcp --server NAME -- COMMAND` stands in for one");
    } else {
        let head = ["SERVER", "STANDING", "TOOLS", "TO REVIEW", "ODD", "SUCCESS (95 %)", "ENDPOINT"];
        output::table(&head, &found.servers.iter().map(row).collect::<Vec<_>>())?;
        if found.servers.iter().any(|server| server.endpoint.is_some()) {
            context.say(
                "an endpoint takes a session's token as bearer; `reeve mcp show SERVER` tells how agents are told",
            );
        }
    }
    if let Some(problem) = &found.problem {
        context.say(&format!("reeve: {problem}; what was registered before stays"));
    }
    Ok(if found.to_review == 0 { exit::DONE } else { exit::WAITING })
}

fn row(server: &ServerDto) -> Vec<String> {
    let standing = server.standing.map_or("not seen yet", word);
    vec![
        visible(&server.name),
        standing.to_owned(),
        server.tools.to_string(),
        server.to_review.to_string(),
        server.findings.to_string(),
        rate(server.health.rate),
        server.endpoint.clone().unwrap_or_else(|| "none".to_owned()),
    ]
}

fn word(standing: StandingDto) -> &'static str {
    match standing {
        StandingDto::Approved => "approved",
        StandingDto::New => "new",
        StandingDto::Changed => "changed",
        StandingDto::Gone => "gone",
    }
}

fn show(found: &ServerDetailDto) -> anyhow::Result<()> {
    let server = &found.server;
    output::line(&format!("{} · {}", visible(&server.name), server.standing.map_or("not seen yet", word)))?;
    if let Some(identity) = &found.identity {
        let started = identity.url.clone().unwrap_or_else(|| identity.command.join(" "));
        output::line(&format!("Is       {}", visible(&started)))?;
        for file in &identity.files {
            let digest = file.digest.as_deref().map_or("cannot be read", |digest| digest.get(..12).unwrap_or(digest));
            output::line(&format!("File     {} ({digest})", visible(&file.path)))?;
        }
        if let (Some(name), Some(version)) = (&identity.name, &identity.version) {
            output::line(&format!("Says     {} {}", visible(name), visible(version)))?;
        }
    }
    if let Some(endpoint) = &server.endpoint {
        ways(&server.name, endpoint).iter().try_for_each(|line| output::line(line))?;
    }
    print_diff(&found.diff)?;
    found.tools.iter().try_for_each(show_tool)
}

/// Where the endpoint serves it, and what each agent's configuration says. No token: a session's environment holds it.
fn ways(server: &str, endpoint: &str) -> Vec<String> {
    let name = endpoint.rsplit('/').next().unwrap_or(endpoint);
    let entry = |kind: &str, url: &str, token: &str| {
        let headers = format!(r#""headers":{{"Authorization":"Bearer {token}"}}"#);
        format!(r#"{{{kind}:"{url}/{name}",{headers}}}"#)
    };
    vec![
        format!("At       {endpoint} until the engine ends; bearer: REEVE_MCP_TOKEN of the session"),
        format!("Claude   {}", entry(r#""type":"http","url""#, "${REEVE_MCP_URL}", "${REEVE_MCP_TOKEN}")),
        format!("Gemini   {}", entry(r#""httpUrl""#, "$REEVE_MCP_URL", "$REEVE_MCP_TOKEN")),
        format!("opencode {}", entry(r#""type":"remote","url""#, "{env:REEVE_MCP_URL}", "{env:REEVE_MCP_TOKEN}")),
        format!("others   over standard input and output: reeve mcp --server {}", visible(server)),
    ]
}

fn show_tool(tool: &ServerToolDto) -> anyhow::Result<()> {
    let standing = word(tool.standing);
    let tone = if tool.standing == StandingDto::Approved { Tone::Good } else { Tone::Waits };
    output::line(&format!("\n{} · {}", visible(&tool.name), paint(tone, standing)))?;
    if tool.diff.is_empty()
        && let Some(description) = &tool.description
    {
        output::line(&format!("  {}", visible(description)))?;
    }
    print_diff(&tool.diff)?;
    for finding in &tool.findings {
        let kind = serde_json::to_value(finding.kind)?;
        let kind = kind.as_str().unwrap_or_default().to_owned();
        let place = visible(&finding.place);
        output::line(&format!("  {} {kind} in {place}: {}", paint(Tone::Bad, "!"), visible(&finding.excerpt)))?;
    }
    for drift in tool.drifts.iter().take(3) {
        for change in &drift.changes {
            let (before, after) = (change.before.join(" or "), change.after.as_deref().unwrap_or("missing"));
            let before = if before.is_empty() { "nothing".to_owned() } else { before };
            output::line(&format!("  result   {}: {before} → {after}", visible(&change.path)))?;
        }
    }
    Ok(())
}

/// All that an agent is told of a tool, as the server offers it: this is what is approved.
fn show_definition(tool: &ServerToolDto) -> anyhow::Result<()> {
    output::line(&format!("\n{} · the whole definition", visible(&tool.name)))?;
    definition_lines(&tool.definition)?.iter().try_for_each(|text| output::line(&format!("  {text}")))
}

fn definition_lines(definition: &Value) -> serde_json::Result<Vec<String>> {
    Ok(serde_json::to_string_pretty(definition)?.lines().map(visible).collect())
}

fn print_diff(fields: &[FieldDiffDto]) -> anyhow::Result<()> {
    for field in fields {
        let part = |part: &reeve_api::contract::servers::DiffPartDto| {
            let text = visible(&part.text);
            match part.kind {
                DiffKindDto::Same => text,
                DiffKindDto::Gone => paint(Tone::Bad, &format!("[-{text}-]")),
                DiffKindDto::New => paint(Tone::Good, &format!("{{+{text}+}}")),
            }
        };
        let text: String = field.parts.iter().map(part).collect();
        output::line(&format!("  {}: {text}", visible(&field.place)))?;
    }
    Ok(())
}

/// What is approved is what was shown: the digests go with the answer.
async fn approve(context: &Context, client: &Client, server: String, only: &[String]) -> anyhow::Result<u8> {
    let found: ServerDetailDto = client.call(&ServersCall::Get(ServerInput { server: server.clone() })).await?;
    if !output::may_ask(context.no_input) {
        return Err(ApiError::new(ApiCode::NotPermitted, "`reeve mcp approve` works only on a terminal")
            .hint("look at it in the console, or in a terminal of your own")
            .into());
    }
    if let Some(missing) = only.iter().find(|name| !found.tools.iter().any(|tool| tool.name == **name)) {
        anyhow::bail!("`{server}` has no tool `{}`", visible(missing));
    }
    let waits = |tool: &&ServerToolDto| {
        let waiting = matches!(tool.standing, StandingDto::New | StandingDto::Changed);
        waiting && (only.is_empty() || only.contains(&tool.name))
    };
    let tools: Vec<ShownToolDto> = found
        .tools
        .iter()
        .filter(waits)
        .map(|tool| ShownToolDto { name: tool.name.clone(), digest: tool.digest.clone() })
        .collect();
    let held = found.server.standing != Some(StandingDto::Approved);
    let identity = found.identity.as_ref().filter(|_| held).map(|identity| identity.digest.clone());
    if tools.is_empty() && identity.is_none() {
        context.say("nothing of it waits for you");
        return Ok(exit::DONE);
    }
    show(&found)?;
    found.tools.iter().filter(waits).try_for_each(show_definition)?;
    eprint!("\nLet {} and {} of its tools be used as shown? Type yes: ", visible(&server), tools.len());
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    if typed.trim() != "yes" {
        context.say("nothing was approved");
        return Ok(exit::WAITING);
    }
    let count = tools.len();
    let input = ApproveServerInput { server: server.clone(), identity, tools };
    let after: ServerDetailDto = client.call(&ServersCall::Approve(input)).await?;
    if context.json {
        output::json(&after)?;
    } else {
        context.say(&format!("approved: {server} with {count} tools"));
    }
    Ok(exit::DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_agent_is_told_the_way_to_a_registered_server_in_its_own_words() {
        let lines = ways("@acme/mail", "http://127.0.0.1:4100/mcp/%40acme%2fmail").join("\n");
        for part in [
            r#"{"type":"http","url":"${REEVE_MCP_URL}/%40acme%2fmail","headers":{"Authorization":"Bearer ${REEVE_MCP_TOKEN}"}}"#,
            r#"{"httpUrl":"$REEVE_MCP_URL/%40acme%2fmail""#,
            r#""url":"{env:REEVE_MCP_URL}/%40acme%2fmail""#,
            "reeve mcp --server @acme/mail",
        ] {
            assert!(lines.contains(part), "`{part}` is missing in:\n{lines}");
        }
    }

    #[test]
    fn a_definition_is_shown_whole_with_what_is_hidden_in_it() {
        let definition = serde_json::json!({
            "name": "export",
            "title": "Export\u{202e}",
            "inputSchema": { "properties": { "path": { "description": "a\u{200b}b" } } },
            "annotations": { "readOnlyHint": true },
        });
        let text = definition_lines(&definition).unwrap().join("\n");
        for part in ["Export⟨202E⟩", "a⟨200B⟩b", "\"readOnlyHint\": true"] {
            assert!(text.contains(part), "`{part}` is missing in:\n{text}");
        }
    }
}
