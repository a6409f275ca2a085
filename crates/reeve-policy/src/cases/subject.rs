//! What the operation of a case is, as its file writes it.

use std::collections::BTreeMap;

use reeve_domain::host::Authority;
use reeve_domain::operation::{
    Argument, ArgumentValue, Billing, Dialect, Effect, Endpoint, HttpCall, LlmCall, McpToolCall, McpTransport,
    SchemaCheck, Scheme, ServerTool, ShellExec, ShellPiece, Subject, ToolAnnotations,
};
use reeve_domain::path::RequestPath;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Http {
    method: String,
    url: String,
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    body_bytes: Option<u64>,
    #[serde(default)]
    upgrade: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Llm {
    provider: String,
    model: String,
    url: String,
    #[serde(default = "messages")]
    dialect: Dialect,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    input_bound: u64,
    #[serde(default)]
    output_limit: Option<u64>,
    #[serde(default)]
    tools: Vec<String>,
    #[serde(default)]
    server_tools: Vec<String>,
    #[serde(default)]
    flat_rate: bool,
}

fn messages() -> Dialect {
    Dialect::AnthropicMessages
}

/// A call of a tool. What the server does not say of it is left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mcp {
    server: String,
    tool: String,
    #[serde(default = "stdio")]
    transport: McpTransport,
    #[serde(default)]
    read_only: Option<bool>,
    #[serde(default)]
    destructive: Option<bool>,
    #[serde(default)]
    idempotent: Option<bool>,
    #[serde(default)]
    open_world: Option<bool>,
    /// By where each stands: `options.limit`.
    #[serde(default)]
    arguments: BTreeMap<String, String>,
}

fn stdio() -> McpTransport {
    McpTransport::Stdio
}

/// A command line, by the programs in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shell {
    commands: Vec<Run>,
    #[serde(default = "home")]
    cwd: String,
    #[serde(default = "yes")]
    understood: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    /// The program and its arguments.
    run: Vec<String>,
    #[serde(default)]
    effects: Vec<Effect>,
    #[serde(default)]
    touches: Vec<String>,
    #[serde(default)]
    hosts: Vec<String>,
}

fn home() -> String {
    "/home/dana/src/api".to_owned()
}

fn yes() -> bool {
    true
}

impl Http {
    pub(super) fn subject(&self) -> Result<Subject, String> {
        let (endpoint, query) = endpoint(&self.method, &self.url)?;
        Ok(Subject::Http(HttpCall {
            query,
            content_type: self.content_type.clone(),
            body_bytes: self.body_bytes,
            upgrade: self.upgrade.clone(),
            ..HttpCall::to(endpoint)
        }))
    }
}

impl Llm {
    pub(super) fn subject(&self) -> Result<Subject, String> {
        let (endpoint, _) = endpoint("POST", &self.url)?;
        let server_tool = |name: &String| ServerTool { name: name.clone(), max_uses: None };
        Ok(Subject::Llm(LlmCall {
            endpoint,
            dialect: self.dialect,
            provider: self.provider.clone(),
            model: self.model.clone(),
            stream: self.stream,
            input_bound: self.input_bound,
            cache_write_bound: 0,
            cache_one_hour: false,
            output_limit: self.output_limit,
            candidates: 1,
            question: None,
            stage: None,
            thinking_budget: None,
            tools_offered: self.tools.clone(),
            server_tools: self.server_tools.iter().map(server_tool).collect(),
            service_tier: None,
            multipliers: Vec::new(),
            billing: if self.flat_rate { Billing::FlatRate } else { Billing::Metered },
            body_bytes: 0,
        }))
    }
}

/// Endpoint and query of a URL, by the same parsers that read requests.
fn endpoint(method: &str, url: &str) -> Result<(Endpoint, Option<String>), String> {
    if method.is_empty() || !method.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(format!("`{method}` is not an upper-case method"));
    }
    let bad = || format!("`{url}` is not an http or https URL");
    let (scheme, rest) = match url.split_once("://").ok_or_else(bad)? {
        ("https", rest) => (Scheme::Https, rest),
        ("http", rest) => (Scheme::Http, rest),
        _ => return Err(bad()),
    };
    let (before, query) = match rest.split_once('?') {
        Some((before, query)) => (before, Some(query.to_owned())),
        None => (rest, None),
    };
    let (authority, path) = match before.find('/') {
        Some(at) => before.split_at(at),
        None => (before, "/"),
    };
    let authority = Authority::parse(authority, Some(scheme.default_port())).map_err(|e| e.to_string())?;
    let path = RequestPath::parse(path).map_err(|e| e.to_string())?;
    let endpoint = Endpoint { scheme, host: authority.host, port: authority.port, method: method.to_owned(), path };
    Ok((endpoint, query))
}

impl Mcp {
    pub(super) fn subject(&self) -> Subject {
        let annotations = ToolAnnotations {
            read_only: self.read_only,
            destructive: self.destructive,
            idempotent: self.idempotent,
            open_world: self.open_world,
        };
        let argument = |(path, text): (&String, &String)| Argument {
            path: path.clone(),
            value: ArgumentValue::Text(text.clone()),
        };
        let arguments: Vec<Argument> = self.arguments.iter().map(argument).collect();
        let bytes = self.arguments.iter().map(|(path, text)| path.len() + text.len()).sum::<usize>();
        Subject::Mcp(McpToolCall {
            server: self.server.clone(),
            transport: self.transport,
            tool: self.tool.clone(),
            annotations,
            arguments,
            is_whole: true,
            argument_bytes: bytes as u64,
            schema: SchemaCheck::Unchecked,
            definition: None,
            endpoint: None,
            purpose: reeve_domain::operation::Purpose::Call,
            rows: reeve_domain::operation::RowCount::NotCounted,
            data: Vec::new(),
        })
    }
}

impl Shell {
    pub(super) fn subject(&self) -> Result<Subject, String> {
        let mut pieces = Vec::with_capacity(self.commands.len());
        let mut lines = Vec::with_capacity(self.commands.len());
        for command in &self.commands {
            let Some((program, argv)) = command.run.split_first() else {
                return Err("a command has at least its program in `run`".to_owned());
            };
            lines.push(command.run.join(" "));
            pieces.push(ShellPiece {
                program: program.rsplit('/').next().unwrap_or_default().to_owned(),
                argv: argv.to_vec(),
                effects: command.effects.clone(),
                touches: command.touches.clone(),
                hosts: command.hosts.clone(),
            });
        }
        let command = lines.join(" && ");
        Ok(Subject::Shell(ShellExec {
            command_bytes: command.len() as u64,
            command,
            is_whole: true,
            cwd: self.cwd.clone(),
            pieces,
            understood: self.understood,
        }))
    }
}
