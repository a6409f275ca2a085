//! An MCP server for tests: speaks over standard input and output, does what its tools are told, and writes every line that
//! it hears into the file that its first argument names. Where a file of that name with `.words` behind it is there, `echo`
//! describes itself with its text.

use std::fs::File;
use std::io::{BufRead as _, Write as _, stdin, stdout};

use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let heard = std::env::args().nth(1).unwrap_or_default();
    let mut log = File::options().create(true).append(true).open(&heard)?;
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
                let words = std::fs::read_to_string(format!("{heard}.words")).ok();
                let tools = ["echo", "write", "drop", "env", "spawn", "die", "count", "counted", "flood"]
                    .map(|name| tool(name, words.as_deref().filter(|_| name == "echo")));
                json!({ "tools": tools })
            }
            "tools/call" => called(&params, &heard)?,
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

fn tool(name: &str, words: Option<&str>) -> Value {
    let read_only = matches!(name, "echo" | "env" | "counted");
    json!({
        "name": name,
        "description": words.map_or_else(|| format!("The tool `{name}` of the tests."), str::to_owned),
        "inputSchema": { "type": "object" },
        "annotations": { "readOnlyHint": read_only, "openWorldHint": false },
    })
}

fn called(params: &Value, heard: &str) -> anyhow::Result<Value> {
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
        "die" => {
            let code = arguments.get("code").and_then(Value::as_i64).unwrap_or(3);
            std::process::exit(i32::try_from(code)?)
        }
        // One effect, that can be counted; the answer waits as long as there is a file of the name with `.hold` behind it.
        "count" => {
            writeln!(File::options().create(true).append(true).open(format!("{heard}.count"))?, "{arguments}")?;
            while std::path::Path::new(&format!("{heard}.hold")).exists() {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            "counted".to_owned()
        }
        // Whether there was an effect.
        "counted" => {
            let counted = std::fs::read_to_string(format!("{heard}.count")).unwrap_or_default();
            let id = arguments.get("id").cloned().unwrap_or_default().to_string();
            json!({ "counted": counted.lines().filter(|line| line.contains(&id)).count() }).to_string()
        }
        // More than anybody wants to read, in one line.
        "flood" => {
            let megabytes = arguments.get("megabytes").and_then(Value::as_u64).unwrap_or(1);
            for number in 0..arguments.get("words").and_then(Value::as_u64).unwrap_or(0) {
                let params = json!({ "level": "info", "data": format!("word {number}") });
                say(&json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": params }))?;
            }
            "x".repeat(usize::try_from(megabytes)? << 20)
        }
        _ => arguments.to_string(),
    };
    Ok(json!({ "content": [{ "type": "text", "text": text }] }))
}
