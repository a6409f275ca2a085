//! An MCP server for tests: speaks over standard input and output, does what its tools are told, and writes every line that
//! it hears into the file that its first argument names.

use std::fs::File;
use std::io::{BufRead as _, Write as _, stdin, stdout};

use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let mut log = File::options().create(true).append(true).open(std::env::args().nth(1).unwrap_or_default())?;
    for line in stdin().lock().lines() {
        let line = line?;
        writeln!(log, "{line}")?;
        let message: Value = serde_json::from_str(&line)?;
        let (Some(id), Some(method)) = (message.get("id"), message.get("method").and_then(Value::as_str)) else {
            continue;
        };
        let params = message.get("params").cloned().unwrap_or_default();
        let result = match method {
            "initialize" => initialized(&params),
            "tools/list" => {
                let tools = ["echo", "write", "drop", "env", "spawn", "die"].map(tool);
                json!({ "tools": tools })
            }
            "tools/call" => called(&params)?,
            _ => json!({ "heard": method }),
        };
        say(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))?;
    }
    Ok(())
}

fn say(message: &Value) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{message}")?;
    Ok(out.flush()?)
}

fn initialized(params: &Value) -> Value {
    json!({
        "protocolVersion": params.get("protocolVersion").cloned().unwrap_or_else(|| "2025-11-25".into()),
        "capabilities": { "tools": { "listChanged": true } },
        "serverInfo": { "name": "fake", "version": "1.0.0" },
    })
}

fn tool(name: &str) -> Value {
    let read_only = matches!(name, "echo" | "env");
    json!({
        "name": name,
        "description": format!("The tool `{name}` of the tests."),
        "inputSchema": { "type": "object" },
        "annotations": { "readOnlyHint": read_only, "openWorldHint": false },
    })
}

fn called(params: &Value) -> anyhow::Result<Value> {
    let name = params.get("name").and_then(Value::as_str).unwrap_or_default();
    let arguments = params.get("arguments").cloned().unwrap_or_default();
    let text = match name {
        // What a wrapped server was started with.
        "env" => {
            let wanted = arguments.get("name").and_then(Value::as_str).unwrap_or_default();
            std::env::var(wanted).unwrap_or_default()
        }
        // Something that must not outlive the server.
        "spawn" => std::process::Command::new("sleep").arg("300").spawn()?.id().to_string(),
        "die" => std::process::exit(3),
        _ => arguments.to_string(),
    };
    Ok(json!({ "content": [{ "type": "text", "text": text }] }))
}
