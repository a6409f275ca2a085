//! Calls of MCP tools: the facts that rules judge, a summary from a fixed template, content and view. What looks like a
//! secret in the arguments is written out nowhere but in the content's hash.

use reeve_domain::id::OperationId;
use reeve_domain::obligation::{DataAction, DataRules};
use reeve_domain::operation::{
    Argument, ArgumentValue, DataFound, Digest, Endpoint, McpToolCall, McpTransport, Purpose, RowCount, SchemaCheck,
    Subject, ToolAnnotations,
};
use serde_json::{Value, json};

use crate::body::Node;
use crate::personal::Marks;
use crate::{Classified, ProtocolError, canonical, redact, text};

/// Largest arguments that are read, in bytes.
pub const MAX_ARGUMENTS: usize = 4 * 1024 * 1024;

/// Most arguments that rules see, and most characters of each.
const ARGUMENTS: usize = 256;
const CHARACTERS: usize = 1024;

/// A call as the gateway framed it.
#[derive(Debug, Clone)]
pub struct ToolCall<'a> {
    /// As it is registered.
    pub server: &'a str,
    pub transport: McpTransport,
    pub tool: &'a str,
    pub annotations: ToolAnnotations,
    /// What checking the arguments against the tool's input schema gave.
    pub schema: SchemaCheck,
    /// Hash of the tool's pinned definition, where it has one.
    pub definition: Option<&'a Digest>,
    /// Where an HTTP server is reached.
    pub endpoint: Option<&'a Endpoint>,
    pub purpose: Purpose,
    /// What becomes of personal data in the arguments, and the marks that stand for it, where a rule for tools says so.
    pub data: Option<(&'a DataRules, &'a Marks)>,
    /// The arguments as they are sent: one JSON object.
    pub arguments: &'a [u8],
}

/// Reads a call.
///
/// # Errors
/// When the arguments are too large, not one JSON object, or name a key twice: then it is not certain what the server would
/// read, and the call must be refused.
pub fn classify(call: &ToolCall<'_>) -> Result<Classified, ProtocolError> {
    let node = Node::parse(call.arguments, MAX_ARGUMENTS)?;
    let mut flat =
        Flat { arguments: Vec::new(), is_whole: true, data: call.data, action: DataAction::Allow, found: Vec::new() };
    let shown = flat.read(&node, "", false);
    let subject = McpToolCall {
        server: call.server.to_owned(),
        transport: call.transport,
        tool: call.tool.to_owned(),
        annotations: call.annotations,
        arguments: flat.arguments,
        is_whole: flat.is_whole,
        argument_bytes: call.arguments.len() as u64,
        schema: call.schema.clone(),
        definition: call.definition.cloned(),
        endpoint: call.endpoint.cloned(),
        purpose: call.purpose,
        rows: RowCount::NotCounted,
        data: flat.found,
    };
    Ok(Classified {
        content: canonical::tool_call(&subject, &node),
        summary: text::line(&format!("{}.{}", call.server, call.tool), 200),
        conversation: None,
        answers: Vec::new(),
        view: view(&subject, shown),
        subject: Subject::Mcp(subject),
    })
}

/// Says what is known of the rows that the call would change, to rules and to people. `preview`: how it was found out, as
/// people are shown it.
pub fn counted(subject: &mut Subject, view: &mut Value, rows: RowCount, preview: Value) {
    if let Subject::Mcp(call) = subject {
        if let Some(view) = view.as_object_mut() {
            view.insert("rows".to_owned(), json!(rows));
            view.insert("preview".to_owned(), preview);
        }
        call.rows = rows;
    }
}

/// Says that the call is not made: it is answered with what the same call came to before.
pub fn repeated(subject: &mut Subject, of: OperationId) {
    if let Subject::Mcp(call) = subject {
        call.rows = RowCount::Repeats { of };
    }
}

fn view(call: &McpToolCall, arguments: Value) -> Value {
    json!({
        "kind": "mcp.tool_call",
        "server": call.server,
        "transport": call.transport,
        "tool": call.tool,
        "annotations": call.annotations,
        "schema": call.schema,
        "purpose": call.purpose,
        "data": call.data,
        "bytes": call.argument_bytes,
        "whole": call.is_whole,
        "arguments": arguments,
    })
}

/// Arguments, laid out flat while the tree that people see is made.
struct Flat<'a> {
    arguments: Vec<Argument>,
    is_whole: bool,
    data: Option<(&'a DataRules, &'a Marks)>,
    /// What becomes of personal data where it reads.
    action: DataAction,
    found: Vec<DataFound>,
}

impl Flat<'_> {
    /// `telling`: the name above says that a secret follows.
    fn read(&mut self, node: &Node<'_>, path: &str, telling: bool) -> Value {
        match node {
            Node::Map(fields) => {
                let mut members = serde_json::Map::new();
                for (key, inner) in &fields.0 {
                    if path.is_empty() {
                        self.action = self.data.map_or(DataAction::Allow, |(rules, _)| rules.argument(key));
                    }
                    let name = self.name(key, path, &members);
                    // A name that holds what parts names is told from two of them.
                    let part = name.replace('\\', r"\\").replace('.', r"\.").replace('[', r"\[");
                    let below = if path.is_empty() { part } else { format!("{path}.{part}") };
                    let shown = self.read(inner, &below, telling || redact::hides(key));
                    members.insert(name, shown);
                }
                Value::Object(members)
            }
            Node::List(items) => {
                let item = |(at, inner): (usize, &Node<'_>)| self.read(inner, &format!("{path}[{at}]"), telling);
                Value::Array(items.iter().enumerate().map(item).collect())
            }
            Node::Null => self.keep(path, ArgumentValue::Null, Value::Null),
            Node::Bool(value) => self.keep(path, ArgumentValue::Bool(*value), Value::Bool(*value)),
            Node::Number(number) if telling || self.action > DataAction::Allow => {
                let words = number.to_string();
                let before = self.is_whole;
                let kept = self.arguments.len();
                let shown = self.text(path, &words, telling);
                if shown == words.as_str() {
                    // Nothing was taken out: it stays the number that it is.
                    self.is_whole = before;
                    self.arguments.truncate(kept);
                    self.keep(path, ArgumentValue::Number(words), Value::Number(number.clone()))
                } else {
                    shown
                }
            }
            Node::Number(number) => {
                self.keep(path, ArgumentValue::Number(number.to_string()), Value::Number(number.clone()))
            }
            Node::Text(words) => self.text(path, words, telling),
        }
    }

    /// As it is written out: without what looks like a secret, and like no other name beside it. `path`: what it stands in,
    /// whose rules hold for personal data in it.
    fn name(&mut self, key: &str, path: &str, beside: &serde_json::Map<String, Value>) -> String {
        let mut name = self.masked(path, &redact::words(key));
        if name != key {
            self.is_whole = false;
        }
        while beside.contains_key(&name) {
            self.is_whole = false;
            name.push('\'');
        }
        name
    }

    fn text(&mut self, path: &str, words: &str, telling: bool) -> Value {
        let shown = if telling && !words.is_empty() && !redact::is_own(words) {
            redact::REDACTED.to_owned()
        } else {
            redact::words(&self.masked(path, words))
        };
        self.is_whole &= shown == words;
        self.keep(path, ArgumentValue::Text(shown.clone()), Value::String(shown))
    }

    /// Notes what personal data is here; with marks instead of it, where that is to be.
    fn masked(&mut self, path: &str, words: &str) -> String {
        let Some((_, marks)) = self.data.filter(|_| self.action > DataAction::Allow) else { return words.to_owned() };
        let (masked, kinds) = marks.masked(words);
        let path: String = path.chars().take(CHARACTERS).collect();
        for kind in kinds {
            let found = DataFound { path: path.clone(), kind };
            if self.found.len() < ARGUMENTS && !self.found.contains(&found) {
                self.found.push(found);
            }
        }
        if self.action == DataAction::Audit { words.to_owned() } else { masked }
    }

    fn keep(&mut self, path: &str, mut value: ArgumentValue, shown: Value) -> Value {
        if self.arguments.len() >= ARGUMENTS {
            self.is_whole = false;
            return shown;
        }
        if let ArgumentValue::Text(words) = &mut value
            && let Some((cut, _)) = words.char_indices().nth(CHARACTERS)
        {
            words.truncate(cut);
            self.is_whole = false;
        }
        // A name is bounded as a value is.
        let path: String = path.chars().take(CHARACTERS).collect();
        self.arguments.push(Argument { path, value });
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &str) -> Result<(McpToolCall, Classified), ProtocolError> {
        let call = ToolCall {
            server: "postgres",
            transport: McpTransport::Stdio,
            tool: "execute",
            annotations: ToolAnnotations::default(),
            schema: SchemaCheck::Unchecked,
            definition: None,
            endpoint: None,
            purpose: Purpose::Call,
            data: None,
            arguments: arguments.as_bytes(),
        };
        let classified = classify(&call)?;
        let Subject::Mcp(subject) = classified.subject.clone() else { panic!("no tool call") };
        Ok((subject, classified))
    }

    #[test]
    fn arguments_are_laid_out_by_where_they_stand() {
        let (call, told) = read(r#"{"sql":"DELETE FROM t","options":{"ids":[1,2.50,true,null]}}"#).unwrap();
        let flat: Vec<String> = call.arguments.iter().map(|one| format!("{}={}", one.path, one.value)).collect();
        let wanted = [
            "sql=DELETE FROM t",
            "options.ids[0]=1",
            "options.ids[1]=2.5",
            "options.ids[2]=true",
            "options.ids[3]=null",
        ];
        assert_eq!(flat, wanted);
        assert!(call.is_whole);
        assert_eq!(told.summary, "postgres.execute");
        assert_eq!(told.view["arguments"]["options"]["ids"][2], true);
    }

    #[test]
    fn what_looks_like_a_secret_is_in_the_hash_alone() {
        let secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
        let (call, told) = read(&format!(r#"{{"note":"use {secret} here","password":"hunter2","n":1}}"#)).unwrap();
        let all = format!("{}{}", serde_json::to_string(&call).unwrap(), told.view);
        assert!(!all.contains(secret) && !all.contains("hunter2"), "{all}");
        assert!(all.contains("(redacted") && !call.is_whole);
        let (_, other) = read(r#"{"note":"use nothing here","password":"hunter2","n":1}"#).unwrap();
        let (_, less) = read(r#"{"note":"use nothing here","password":"hunter3","n":1}"#).unwrap();
        assert_ne!(other.content, less.content);
    }

    #[test]
    fn names_hide_no_secret_and_none_reads_as_two() {
        let secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
        let (call, told) = read(&format!(r#"{{"{secret}":1,"{secret}b":2}}"#)).unwrap();
        let all = format!("{}{}", serde_json::to_string(&call).unwrap(), told.view);
        assert!(!all.contains("ghp_") && !call.is_whole, "{all}");
        assert_eq!(told.view["arguments"].as_object().unwrap().len(), 2, "each is seen");
        let paths = |text: &str| read(text).unwrap().0.arguments.into_iter().map(|one| one.path).collect::<Vec<_>>();
        assert_eq!(paths(r#"{"a.b":1,"c[0]":1,"a":{"b":1}}"#), [r"a\.b", r"c\[0]", "a.b"]);
    }

    #[test]
    fn personal_data_is_kept_out_of_the_record_where_rules_say_so_and_told_by_its_kind() {
        let rules = DataRules {
            arguments: [("query".to_owned(), DataAction::Redact), ("note".to_owned(), DataAction::Audit)].into(),
            ..DataRules::default()
        };
        let marks = Marks::new(b"key", "s");
        let arguments = br#"{"query":{"to":["dana@example.com"],"n":4111111111111111,"k":7},"note":"a@example.com","x":"b@example.com"}"#;
        let call = ToolCall {
            server: "mail",
            transport: McpTransport::Stdio,
            tool: "send",
            annotations: ToolAnnotations::default(),
            schema: SchemaCheck::Unchecked,
            definition: None,
            endpoint: None,
            purpose: Purpose::Call,
            data: Some((&rules, &marks)),
            arguments,
        };
        let told = classify(&call).unwrap();
        let Subject::Mcp(subject) = &told.subject else { panic!("no tool call") };
        let all = format!("{}{}", serde_json::to_string(subject).unwrap(), told.view);
        assert!(!all.contains("dana@") && !all.contains("4111"), "{all}");
        assert!(all.contains("a@example.com") && all.contains("b@example.com"), "{all}");
        let found: Vec<_> = subject.data.iter().map(|one| format!("{} {}", one.path, one.kind.as_str())).collect();
        assert_eq!(found, ["query.to[0] email", "query.n card", "note email"]);
        assert!(!subject.is_whole);
        assert_eq!(told.view["arguments"]["query"]["k"], 7, "a number stays one");
        assert_eq!(told.content, classify(&ToolCall { data: None, ..call }).unwrap().content);
    }

    #[test]
    fn personal_data_in_a_name_is_told_where_the_name_stands() {
        let rules = DataRules {
            arguments: [("query".to_owned(), DataAction::Block)].into(),
            other_arguments: DataAction::Redact,
            ..DataRules::default()
        };
        let marks = Marks::new(b"key", "s");
        let arguments = br#"{"query":{"to":{"dana@example.com":1}},"b@example.com":2}"#;
        let call = ToolCall {
            server: "mail",
            transport: McpTransport::Stdio,
            tool: "send",
            annotations: ToolAnnotations::default(),
            schema: SchemaCheck::Unchecked,
            definition: None,
            endpoint: None,
            purpose: Purpose::Call,
            data: Some((&rules, &marks)),
            arguments,
        };
        let Subject::Mcp(subject) = classify(&call).unwrap().subject else { panic!("no tool call") };
        let found: Vec<_> = subject.data.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(found, ["query.to", ""]);
    }

    #[test]
    fn the_order_of_keys_changes_nothing_and_a_key_twice_is_refused() {
        let content = |text: &str| read(text).unwrap().1.content;
        assert_eq!(content(r#"{"a":1,"b":{"c":2,"d":3}}"#), content(r#"{"b":{"d":3,"c":2},"a":1}"#));
        assert_ne!(content(r#"{"a":1}"#), content(r#"{"a":"1"}"#));
        assert!(read(r#"{"a":1,"a":2}"#).is_err());
        assert!(read("[1]").is_err());
    }

    #[test]
    fn too_much_is_cut_and_said_to_be() {
        let long = "x".repeat(5000);
        let (call, told) = read(&format!(r#"{{"text":"{long}"}}"#)).unwrap();
        assert!(!call.is_whole);
        assert_eq!(call.arguments[0].value.to_string().len(), CHARACTERS);
        assert_eq!(told.view["arguments"]["text"].as_str().unwrap().len(), 5000, "a human sees all of it");
        let many: Vec<String> = (0..300).map(|n| format!("\"k{n}\":{n}")).collect();
        let (call, _) = read(&format!("{{{}}}", many.join(","))).unwrap();
        assert!(call.arguments.len() == ARGUMENTS && !call.is_whole);
    }
}
