//! `mcp.json` in the configuration folder: the servers that a person registers, in the shape that every MCP client reads.
//! A file that does not load changes nothing: what was read last stays.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::error::EngineError;

/// The file's name in the configuration folder.
pub const MCP_FILE: &str = "mcp.json";
/// Longest name of a server, in characters.
const LONGEST_NAME: usize = 64;

/// How a server is started or reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// A program on this machine, spoken to over its stdin and stdout.
    Stdio {
        command: String,
        args: Vec<String>,
        /// Values may hold placeholders of credentials, never secrets.
        env: BTreeMap<String, String>,
        cwd: Option<PathBuf>,
    },
    /// Streamable HTTP.
    Http {
        url: String,
        /// As `env`.
        headers: BTreeMap<String, String>,
    },
}

/// One server of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    pub start: Start,
}

/// Owner of what the file says.
#[derive(Debug)]
pub(super) struct Declared {
    path: PathBuf,
    all: ArcSwap<BTreeMap<String, Declaration>>,
    /// The text that was looked at last, and why it does not load.
    seen: Mutex<(Option<String>, Option<String>)>,
}

impl Declared {
    pub(super) fn load(config: &Path) -> Self {
        let declared = Self { path: config.join(MCP_FILE), all: ArcSwap::default(), seen: Mutex::new((None, None)) };
        if let (_, Some(problem)) = declared.refresh() {
            tracing::error!(problem, "no MCP server is registered");
        }
        declared
    }

    pub(super) fn all(&self) -> Arc<BTreeMap<String, Declaration>> {
        self.all.load_full()
    }

    pub(super) fn problem(&self) -> Option<String> {
        self.seen.lock().1.clone()
    }

    /// Whether something else is in force now, and the problem where the file newly does not load.
    pub(super) fn refresh(&self) -> (bool, Option<String>) {
        let mut seen = self.seen.lock();
        let read = match std::fs::read_to_string(&self.path) {
            Ok(text) => Ok(Some(text)),
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("`{}` cannot be read: {error}", self.path.display())),
        };
        let text = match read {
            Ok(text) if text == seen.0 => return (false, None),
            Ok(text) => text,
            Err(problem) => {
                let news = seen.1.as_ref() != Some(&problem);
                seen.1 = Some(problem.clone());
                return (false, news.then_some(problem));
            }
        };
        seen.0.clone_from(&text);
        match parse(text.as_deref().unwrap_or_default()) {
            Ok(all) => {
                seen.1 = None;
                let changed = **self.all.load() != all;
                self.all.store(Arc::new(all));
                (changed, None)
            }
            Err(problem) => {
                let problem = format!("`{}` does not load: {problem}", self.path.display());
                seen.1 = Some(problem.clone());
                (false, Some(problem))
            }
        }
    }

    /// Adds, replaces or removes one server; everything else in the file stays as it is.
    pub(super) fn edit(&self, name: &str, declaration: Option<&Declaration>) -> Result<(), EngineError> {
        let refused = |problem: String| EngineError::Config { path: self.path.clone(), problem };
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(EngineError::Read { path: self.path.clone(), source }),
        };
        parse(&text).map_err(refused)?;
        let mut whole: Value = if text.trim().is_empty() {
            json!({})
        } else {
            serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?
        };
        let Some(top) = whole.as_object_mut() else { return Err(refused("the file is no JSON object".to_owned())) };
        let servers = top.entry("mcpServers").or_insert_with(|| json!({}));
        let Some(servers) = servers.as_object_mut() else {
            return Err(refused("`mcpServers` is no JSON object".to_owned()));
        };
        match declaration {
            Some(declaration) => _ = servers.insert(name.to_owned(), written(declaration)),
            None => _ = servers.shift_remove(name),
        }
        let mut text = serde_json::to_string_pretty(&whole).map_err(|error| refused(error.to_string()))?;
        text.push('\n');
        parse(&text).map_err(refused)?;
        crate::files::write_atomically(&self.path, text.as_bytes())?;
        self.refresh();
        Ok(())
    }
}

/// Whether a server may be called this: letters, digits, `-`, `_`, `.`, space, `/`, `@` and `:`, at most 64 of them.
///
/// # Errors
/// Says what a name looks like.
/// Whether this may be the name of a server.
///
/// # Errors
/// Why it may not, in words.
pub fn check_name(name: &str) -> Result<(), String> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.@:/ ".contains(c);
    let edges = name.trim() == name && !name.is_empty();
    if edges && name.chars().count() <= LONGEST_NAME && name.chars().all(good) {
        return Ok(());
    }
    let shown: String = name.chars().take(LONGEST_NAME).flat_map(char::escape_default).collect();
    Err(format!("`{shown}` is no name of a server: use up to {LONGEST_NAME} letters, digits, `-`, `_` and `.`"))
}

fn written(declaration: &Declaration) -> Value {
    match &declaration.start {
        Start::Stdio { command, args, env, cwd } => {
            let mut one = Map::from_iter([("command".to_owned(), json!(command)), ("args".to_owned(), json!(args))]);
            if !env.is_empty() {
                one.insert("env".to_owned(), json!(env));
            }
            if let Some(cwd) = cwd {
                one.insert("cwd".to_owned(), json!(cwd));
            }
            Value::Object(one)
        }
        Start::Http { url, headers } => {
            let mut one = Map::from_iter([("type".to_owned(), json!("http")), ("url".to_owned(), json!(url))]);
            if !headers.is_empty() {
                one.insert("headers".to_owned(), json!(headers));
            }
            Value::Object(one)
        }
    }
}

fn parse(text: &str) -> Result<BTreeMap<String, Declaration>, String> {
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    let whole: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let servers = match whole.get("mcpServers") {
        None if whole.is_object() => return Ok(BTreeMap::new()),
        Some(Value::Object(servers)) => servers,
        _ => return Err("`mcpServers` is to be an object of servers by name".to_owned()),
    };
    let mut all = BTreeMap::new();
    for (name, one) in servers {
        check_name(name)?;
        let start = start(one).map_err(|problem| format!("server `{name}`: {problem}"))?;
        all.insert(name.clone(), Declaration { start });
    }
    Ok(all)
}

fn start(one: &Value) -> Result<Start, String> {
    let Some(fields) = one.as_object() else { return Err("is to be an object".to_owned()) };
    let kind = fields.get("type").and_then(Value::as_str);
    match (fields.get("command"), fields.get("url")) {
        (Some(_), Some(_)) => Err("has both `command` and `url`".to_owned()),
        (Some(command), None) => {
            if kind.is_some_and(|kind| kind != "stdio") {
                return Err("has a `command` and is no `stdio` server".to_owned());
            }
            let command = text("command", command)?;
            if command.is_empty() {
                return Err("`command` is empty".to_owned());
            }
            let args = match fields.get("args") {
                None => Vec::new(),
                Some(Value::Array(args)) => args.iter().map(|arg| text("args", arg)).collect::<Result<_, _>>()?,
                Some(_) => return Err("`args` is to be a list of texts".to_owned()),
            };
            let cwd = fields.get("cwd").map(|cwd| text("cwd", cwd)).transpose()?.map(PathBuf::from);
            Ok(Start::Stdio { command, args, env: texts("env", fields)?, cwd })
        }
        (None, Some(url)) => {
            if kind.is_some_and(|kind| !matches!(kind, "http" | "streamable-http" | "streamableHttp")) {
                return Err("only servers over Streamable HTTP are reached by a `url`: `\"type\": \"http\"`".to_owned());
            }
            let url = text("url", url)?;
            if !(url.starts_with("https://") || url.starts_with("http://")) {
                return Err("`url` is to begin with `https://` or `http://`".to_owned());
            }
            Ok(Start::Http { url, headers: texts("headers", fields)? })
        }
        (None, None) => Err("has neither `command` nor `url`".to_owned()),
    }
}

fn text(key: &str, value: &Value) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("`{key}` is to hold text"))
}

fn texts(key: &str, fields: &Map<String, Value>) -> Result<BTreeMap<String, String>, String> {
    match fields.get(key) {
        None => Ok(BTreeMap::new()),
        Some(Value::Object(pairs)) => pairs.iter().map(|(name, value)| Ok((name.clone(), text(key, value)?))).collect(),
        Some(_) => Err(format!("`{key}` is to be an object of texts")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{ "mcpServers": {
        "git": { "command": "uvx", "args": ["mcp-server-git"], "env": { "A": "b" }, "cwd": "/src" },
        "docs": { "type": "http", "url": "https://mcp.example.com/mcp", "headers": { "X-Key": "reeve-…" } } }, "other": 1 }"#;

    #[test]
    fn the_shape_that_every_client_reads_is_read() {
        let all = parse(GOOD).unwrap();
        assert!(matches!(&all["git"].start, Start::Stdio { command, args, .. } if command == "uvx" && args.len() == 1));
        assert!(
            matches!(&all["docs"].start, Start::Http { url, headers } if url.starts_with("https") && headers.len() == 1)
        );
        assert!(parse("").unwrap().is_empty() && parse("{}").unwrap().is_empty());
        for wrong in [
            r#"[]"#,
            r#"{"mcpServers":[]}"#,
            r#"{"mcpServers":{"a":{}}}"#,
            r#"{"mcpServers":{"a":{"command":"x","url":"https://x"}}}"#,
            r#"{"mcpServers":{"a":{"command":7}}}"#,
            r#"{"mcpServers":{"a":{"url":"ftp://x"}}}"#,
            r#"{"mcpServers":{"a":{"type":"sse","url":"https://x"}}}"#,
            r#"{"mcpServers":{"bad\nname":{"command":"x"}}}"#,
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_breaks_leaves_what_was_there_and_says_so_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(MCP_FILE);
        std::fs::write(&file, GOOD).unwrap();
        let declared = Declared::load(folder.path());
        assert_eq!(declared.all().len(), 2);
        std::fs::write(&file, "{").unwrap();
        assert!(declared.refresh().1.is_some_and(|problem| problem.contains("mcp.json")));
        assert_eq!(declared.refresh(), (false, None), "told once");
        assert!(declared.all().len() == 2 && declared.problem().is_some());
        std::fs::write(&file, "{}").unwrap();
        assert_eq!(declared.refresh(), (true, None));
        assert!(declared.all().is_empty() && declared.problem().is_none());
    }

    #[test]
    fn one_server_is_written_and_taken_out_and_the_rest_of_the_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(MCP_FILE);
        std::fs::write(&file, GOOD).unwrap();
        let declared = Declared::load(folder.path());
        let start = Start::Http { url: "https://new.example/mcp".to_owned(), headers: BTreeMap::new() };
        declared.edit("new", Some(&Declaration { start })).unwrap();
        declared.edit("git", None).unwrap();
        let names: Vec<String> = declared.all().keys().cloned().collect();
        assert_eq!(names, ["docs", "new"]);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("\"other\": 1") && text.contains("X-Key"), "{text}");
        std::fs::write(&file, "{").unwrap();
        assert!(declared.edit("docs", None).is_err(), "what does not load is not written over");
    }
}
