//! What a request asks for once its provider's dialect is stripped off, and the turn that answers it.

#![expect(clippy::indexing_slicing, reason = "reading a missing key of a JSON value gives null")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::script::{Script, Step, Stop, Tokens, ToolUse};

/// The provider-neutral view of one request.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    pub model: String,
    pub stream: bool,
    /// Names of the tools offered.
    pub tools: Vec<String>,
    /// Tool results since the user last typed.
    pub results: usize,
    /// Chat completions report usage in a stream only on request.
    pub include_usage: bool,
    /// Tool to the namespace it travels in.
    pub namespaces: BTreeMap<String, String>,
    /// Tools that take free text instead of JSON.
    pub free_form: BTreeSet<String>,
    /// The tool whose input is a program that calls the other tools (Codex' code mode).
    pub code_tool: Option<String>,
    /// The JSON schema the answer must follow.
    pub schema: Option<Value>,
    /// The request as it came.
    pub whole: String,
}

/// One tool call of an answer.
#[derive(Debug, Clone)]
pub struct Call {
    pub id: String,
    pub name: String,
    pub input: Value,
    pub namespace: Option<String>,
    pub free_form: bool,
}

/// One answer, ready for any dialect.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Unique among the answers of one provider.
    pub serial: u64,
    pub text: String,
    pub reasoning: String,
    pub calls: Vec<Call>,
    pub usage: Tokens,
    pub stop: Stop,
}

/// Shell tools of the clients, most telling first.
const SHELL_TOOLS: [&str; 7] =
    ["Bash", "bash", "run_shell_command", "exec_command", "shell_command", "shell", "local_shell"];

/// Most moments that a client is given for its tools.
const MOMENTS: usize = 30;

/// A command that takes a second. Each is another one, so that a conversation tells how many there were.
fn moment(number: usize) -> String {
    format!("sleep 1.{number:03}")
}

/// The turn of `script` that answers `ask`. `fill` replaces references to received headers in texts.
#[must_use]
pub fn turn(script: &Script, ask: &Ask, serial: u64, fill: impl Fn(&str) -> String) -> Turn {
    let plain = |text: String, usage| Turn {
        serial,
        text,
        reasoning: String::new(),
        calls: Vec::new(),
        usage,
        stop: Stop::EndTurn,
    };
    if ask.tools.is_empty() && !script.tools_optional {
        let text = ask.schema.as_ref().map_or_else(|| fill(&script.aux_text), |s| smallest(s).to_string());
        return plain(text, Tokens { output: 4, reasoning: 0, ..script.usage });
    }
    let moments = (0..MOMENTS).take_while(|number| ask.whole.contains(&moment(*number))).count();
    let waits = script.awaits.iter().any(|words| !ask.whole.contains(words.as_str())) && moments < MOMENTS;
    let awaiting = waits.then(|| Step::shell("I will wait a moment.", &moment(moments)));
    let reached = script.steps.get(ask.results.saturating_sub(moments)).or_else(|| script.steps.last());
    let Some(step) = awaiting.as_ref().or(reached) else {
        return plain(String::new(), script.usage);
    };
    let calls: Vec<Call> = step.tools.iter().enumerate().map(|(i, t)| call(t, ask, serial, i)).collect();
    let stop = step.stop.unwrap_or(if calls.is_empty() { Stop::EndTurn } else { Stop::ToolUse });
    Turn {
        serial,
        text: fill(&step.text),
        reasoning: step.reasoning.clone(),
        calls,
        usage: step.usage.unwrap_or(script.usage),
        stop,
    }
}

fn call(wanted: &ToolUse, ask: &Ask, serial: u64, index: usize) -> Call {
    let (name, input) = match (wanted.name.as_str(), &ask.code_tool) {
        ("$shell", Some(code)) => (code.clone(), json!(program(&wanted.input["command"]))),
        ("$shell", None) => {
            let offered = SHELL_TOOLS.iter().find(|t| ask.tools.iter().any(|o| o == *t));
            let name = offered.copied().unwrap_or("Bash");
            (name.to_owned(), shell_input(name, &wanted.input["command"]))
        }
        ("$tools", Some(code)) => (code.clone(), json!("text(JSON.stringify(ALL_TOOLS));")),
        // Everywhere else the request itself says what is offered.
        ("$tools", None) => return call(&nothing(), ask, serial, index),
        (name, code) if name.starts_with("$mcp:") => {
            served(name.trim_start_matches("$mcp:"), wanted, ask, code.as_ref())
        }
        (name, _) => (name.to_owned(), wanted.input.clone()),
    };
    Call {
        id: format!("demo_{serial}_{index}"),
        namespace: ask.namespaces.get(&name).cloned(),
        free_form: ask.free_form.contains(&name),
        name,
        input,
    }
}

fn nothing() -> ToolUse {
    ToolUse { name: "$shell".to_owned(), input: json!({ "command": "true" }) }
}

/// A call of a server's tool under the name that the client offers it by: that of the tool, behind the server's in one way or
/// another.
fn served(named: &str, wanted: &ToolUse, ask: &Ask, code: Option<&String>) -> (String, Value) {
    let (server, tool) = named.split_once('/').unwrap_or(("", named));
    match code {
        Some(code) => {
            let (part, tail, input) = (json!(server), json!(tool), &wanted.input);
            let found = format!("ALL_TOOLS.map(t => t.name).find(n => n.includes({part}) && n.endsWith({tail}))");
            (
                code.clone(),
                json!(format!("const result = await tools[{found}]({input}); text(JSON.stringify(result));")),
            )
        }
        None => {
            let offered = ask.tools.iter().find(|name| name.contains(server) && name.ends_with(tool));
            (offered.cloned().unwrap_or_else(|| tool.to_owned()), wanted.input.clone())
        }
    }
}

/// Arguments for a command in the words of the client's shell tool.
fn shell_input(tool: &str, command: &Value) -> Value {
    match tool {
        "exec_command" => json!({ "cmd": command }),
        "shell" | "local_shell" => json!({ "command": ["bash", "-lc", command] }),
        "shell_command" => json!({ "command": command }),
        _ => json!({ "command": command, "description": "Run the scripted command" }),
    }
}

/// The JavaScript that runs a command in code mode.
fn program(command: &Value) -> String {
    let arguments = json!({ "cmd": command });
    format!("const result = await tools.exec_command({arguments}); text(JSON.stringify(result));")
}

/// The smallest value that a JSON schema admits.
fn smallest(schema: &Value) -> Value {
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema[key].as_array().and_then(|a| a.first()) {
            return smallest(first);
        }
    }
    if let Some(constant) = schema.get("const") {
        return constant.clone();
    }
    if let Some(first) = schema["enum"].as_array().and_then(|a| a.first()) {
        return first.clone();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or("object");
    match kind.to_ascii_lowercase().as_str() {
        "object" => object(schema),
        "array" => json!([]),
        "string" => json!("demo"),
        "integer" | "number" => json!(1),
        "boolean" => json!(true),
        _ => Value::Null,
    }
}

fn object(schema: &Value) -> Value {
    let required = schema["required"].as_array();
    let wanted = |name: &str| required.is_none_or(|r| r.iter().any(|x| x == name));
    let fields = schema["properties"].as_object().into_iter().flatten();
    Value::Object(fields.filter(|(name, _)| wanted(name)).map(|(name, of)| (name.clone(), smallest(of))).collect())
}

/// A text in pieces as streams bring it: after every space, nothing lost.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ')
}

/// A text in two pieces, cut at a character border.
pub fn halves(text: &str) -> impl Iterator<Item = &str> {
    let middle = (text.len() / 2..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let (first, second) = text.split_at_checked(middle).unwrap_or((text, ""));
    [first, second].into_iter().filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Step;

    fn offering(tools: &[&str]) -> Ask {
        Ask { tools: tools.iter().map(|t| (*t).to_owned()).collect(), ..Ask::default() }
    }

    #[test]
    fn the_step_is_chosen_by_the_tool_results_seen() {
        let script = Script::of([Step::shell("a", "ls"), Step::text("b")]);
        for (results, text) in [(0, "a"), (1, "b"), (7, "b")] {
            let ask = Ask { results, ..offering(&["Bash"]) };
            assert_eq!(turn(&script, &ask, 1, str::to_owned).text, text);
        }
    }

    #[test]
    fn the_steps_begin_once_the_request_holds_what_is_awaited() {
        let script = Script::of([Step::shell("a", "ls"), Step::text("b")]).awaiting(["mcp__far".to_owned()]);
        let said = |results: usize, whole: &str| {
            let ask = Ask { results, whole: whole.to_owned(), ..offering(&["Bash"]) };
            turn(&script, &ask, 1, str::to_owned)
        };
        let first = said(0, "{}");
        assert_eq!(first.calls[0].input["command"], moment(0));
        assert_eq!(said(1, &moment(0)).calls[0].input["command"], moment(1));
        // What was waited is no step.
        assert_eq!(said(2, &format!("mcp__far {} {}", moment(0), moment(1))).text, "a");
        assert_eq!(said(3, &format!("mcp__far {} {}", moment(0), moment(1))).text, "b");
        let all: String = (0..MOMENTS).map(moment).collect();
        assert_eq!(said(MOMENTS, &all).text, "a", "not for ever");
    }

    #[test]
    fn a_shell_step_uses_the_tool_and_the_arguments_that_the_client_knows() {
        let script = Script::of([Step::shell("", "ls")]);
        for (tool, input) in [
            ("Bash", json!({"command": "ls", "description": "Run the scripted command"})),
            ("exec_command", json!({"cmd": "ls"})),
            ("shell", json!({"command": ["bash", "-lc", "ls"]})),
        ] {
            let answer = turn(&script, &offering(&["Read", tool]), 1, str::to_owned);
            assert_eq!((answer.calls[0].name.as_str(), &answer.calls[0].input), (tool, &input));
            assert_eq!(answer.stop, Stop::ToolUse);
        }
    }

    #[test]
    fn in_code_mode_the_command_is_inside_a_program() {
        let ask = Ask { code_tool: Some("exec".to_owned()), ..offering(&["exec"]) };
        let answer = turn(&Script::of([Step::shell("", "ls \"x\"")]), &ask, 1, str::to_owned);
        assert_eq!(answer.calls[0].name, "exec");
        assert!(answer.calls[0].input.as_str().unwrap().contains(r#"tools.exec_command({"cmd":"ls \"x\""})"#));
    }

    #[test]
    fn a_tool_that_several_servers_have_is_found_by_its_server() {
        let step = |name: &str| ToolUse { name: name.to_owned(), input: json!({ "a": 1 }) };
        let ask = offering(&["mcp__near__echo", "mcp__far__echo"]);
        assert_eq!(call(&step("$mcp:echo"), &ask, 1, 0).name, "mcp__near__echo");
        assert_eq!(call(&step("$mcp:far/echo"), &ask, 1, 0).name, "mcp__far__echo");
        let ask = Ask { code_tool: Some("exec".to_owned()), ..ask };
        let program = call(&step("$mcp:far/echo"), &ask, 1, 0).input;
        assert!(program.as_str().unwrap().contains(r#"n.includes("far") && n.endsWith("echo")"#), "{program}");
    }

    #[test]
    fn a_request_without_tools_gets_the_side_answer_or_json_that_fits_its_schema() {
        let script = Script::default();
        assert_eq!(turn(&script, &Ask::default(), 1, str::to_owned).text, "Demo");
        let schema = json!({"type": "object", "required": ["a", "c"], "properties": {
            "a": {"type": "string"}, "b": {"type": "integer"}, "c": {"enum": ["x", "y"]}}});
        let ask = Ask { schema: Some(schema), ..Ask::default() };
        assert_eq!(turn(&script, &ask, 1, str::to_owned).text, r#"{"a":"demo","c":"x"}"#);
    }

    #[test]
    fn pieces_join_to_the_whole() {
        for text in ["", "a", "one two  three ", "grüße an alle"] {
            assert_eq!(words(text).collect::<String>(), text);
            assert_eq!(halves(text).collect::<String>(), text);
        }
    }
}
