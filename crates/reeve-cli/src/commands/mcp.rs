//! `reeve mcp`: stands in for an MCP server, started by its command or registered, and shows those that were seen.

mod servers;

use std::ffi::OsString;
use std::path::Path;

use reeve_api::client::StartOptions;
use reeve_api::wrapper::{self, Wrap};

use super::Context;
use super::run::shown;
use crate::args::{McpArgs, McpVerb};

/// Programs that only start what their arguments name.
const RUNNERS: [&str; 10] = ["npx", "bunx", "uvx", "pipx", "node", "bun", "deno", "python", "python3", "uv"];

pub async fn mcp(context: &Context, args: McpArgs) -> anyhow::Result<u8> {
    match args.verb {
        Some(verb) => servers::run(context, verb).await,
        None if args.command.is_empty() && args.server.is_none() && args.agent.is_none() => {
            servers::run(context, McpVerb::List).await
        }
        None if args.command.is_empty() && args.server.is_none() => {
            anyhow::bail!("name the server's command after `--`, or a registered server with `--server`")
        }
        None => wrap(context, args).await,
    }
}

/// Wraps a server, whose exit status is ours then; without a command, stands for a registered one.
async fn wrap(context: &Context, args: McpArgs) -> anyhow::Result<u8> {
    let server = args.server.unwrap_or_else(|| name_of(&args.command));
    let wrap = Wrap {
        server,
        agent: args.agent,
        shown: shown(&args.command),
        command: args.command.into_iter().map(OsString::from).collect(),
        start: StartOptions::default(),
    };
    let code = wrapper::run(&context.home, wrap).await?;
    Ok(u8::try_from(code & 0xff).unwrap_or(u8::MAX))
}

/// What a command is called: the program, or what a runner is told to run.
fn name_of(command: &[String]) -> String {
    let stem = |text: &str| {
        let stem = Path::new(text).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        stem.unwrap_or_default()
    };
    let program = command.first().map(|program| stem(program)).unwrap_or_default();
    if !RUNNERS.contains(&program.as_str()) {
        return program;
    }
    let verb = |argument: &str| matches!(argument, "run" | "tool" | "x" | "exec");
    let told = command.iter().skip(1).find(|argument| !argument.starts_with('-') && !verb(argument));
    told.map_or(program, |told| {
        // `@scope/name@1.2`: the version is no part of the name, and neither is an extension.
        let name = told.rsplit('/').next().unwrap_or(told);
        let name = name.split('@').next().filter(|name| !name.is_empty()).unwrap_or(name);
        [".js", ".mjs", ".ts", ".py"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_a_name_is_called_by_what_is_run() {
        let name = |line: &str| name_of(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(name("/usr/bin/mcp-server-git --repository ."), "mcp-server-git");
        assert_eq!(name("npx -y @modelcontextprotocol/server-everything@2026.1 stdio"), "server-everything");
        assert_eq!(name("uvx mcp-server-sqlite --db-path x"), "mcp-server-sqlite");
        assert_eq!(name("node /srv/tools/index.mjs"), "index");
        assert_eq!(name("node"), "node");
    }
}
