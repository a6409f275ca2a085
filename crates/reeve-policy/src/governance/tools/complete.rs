//! What can stand at a place of `tools.yaml`: the keys and values that its schema names, and the tools that were seen.

use reeve_domain::server::is_hidden;
use serde_json::Value;

use super::server_in_rules;
use crate::complete::{Completion, Completions};

/// The schema of the file, and the one that it refers to for limits.
const TOOLS: &str = include_str!("../../../../../policies/tools.schema.json");
const LIMITS: &str = include_str!("../../../../../policies/limits.schema.json");
/// How deep references are followed, so that a schema that refers to itself ends.
const DEEPEST: usize = 8;

/// What can stand at a byte offset; nothing inside comments and texts. `tools`: those that were seen, each with its
/// server first; whoever wrote a server chose these names.
#[must_use]
pub fn complete(text: &str, offset: usize, tools: &[(String, String)]) -> Completions {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let nothing = Completions { from: before.len(), items: Vec::new() };
    let (above, line) = before.rsplit_once('\n').unwrap_or(("", before));
    let Some(inside) = Inside::read(line) else { return nothing };
    let mut path = above_of(above, inside.indent);
    path.extend(inside.keys);
    let (Some(schema), Some(limits)) = (read(TOOLS), read(LIMITS)) else { return nothing };
    let schemas = Schemas { tools: &schema, limits: &limits };
    let nodes = path.iter().fold(vec![(&schema, &schema)], |nodes, key| schemas.under(&nodes, key));
    let from = before.len() - inside.word.len();
    let items = match inside.place {
        Place::Key if path.len() == 1 && is_by_tool(&path) => {
            named(tools.iter().filter_map(|(server, tool)| key(server, tool)))
        }
        Place::Key => keys(&nodes),
        Place::Value if names_tool(&path) => named(tools.iter().map(|(_, tool)| tool.clone())),
        Place::Value => values(&nodes),
    };
    Completions { from, items }
}

/// Its keys are names of tools.
fn is_by_tool(path: &[String]) -> bool {
    path.first().is_some_and(|first| first == "tool_policies" || first == "tool_governance")
}

/// Its value is another tool of the same server.
fn names_tool(path: &[String]) -> bool {
    let last = path.iter().rev().take(2).map(String::as_str).collect::<Vec<_>>();
    matches!(last.as_slice(), ["tool", "preview" | "probe"] | ["reader", "preview"])
}

/// The name by which a rule covers this tool and no other; `None`: its `*` would cover others.
fn key(server: &str, tool: &str) -> Option<String> {
    (!tool.contains('*')).then(|| format!("{}/{tool}", server_in_rules(server)))
}

enum Place {
    Key,
    Value,
}

/// Where a line stands that is written up to the cursor.
struct Inside<'a> {
    indent: usize,
    /// Keys of the line that the place is under.
    keys: Vec<String>,
    word: &'a str,
    place: Place,
}

impl<'a> Inside<'a> {
    /// `None`: it is a comment, or the place is inside of a text.
    fn read(line: &'a str) -> Option<Self> {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        let (mut keys, mut open, mut quote, mut begins) = (Vec::new(), Vec::new(), None, 0);
        let mut at_value = false;
        for (at, c) in content.char_indices() {
            let written = content.get(begins..at).unwrap_or_default().trim();
            match (c, quote) {
                (c, Some(mark)) if c == mark => quote = None,
                (_, Some(_)) => {}
                ('\'' | '"', None) => quote = Some(c),
                ('#', None) if content.get(..at).is_some_and(|lead| lead.is_empty() || lead.ends_with(' ')) => {
                    return None;
                }
                (':', None) if !at_value && !written.is_empty() => {
                    keys.push(unquoted(written));
                    (at_value, begins) = (true, at + 1);
                }
                ('{' | '[', None) => {
                    open.push((c, keys.len()));
                    (at_value, begins) = (c == '[', at + 1);
                }
                ('}' | ']', None) => {
                    let (_, depth) = open.pop()?;
                    keys.truncate(depth);
                    begins = at + 1;
                }
                (',', None) => {
                    let (kind, depth) = open.last()?;
                    keys.truncate(*depth);
                    (at_value, begins) = (*kind == '[', at + 1);
                }
                ('-', None) if written.is_empty() && content.get(begins..at).is_some_and(str::is_empty) => {
                    (at_value, begins) = (true, at + 1);
                }
                _ => {}
            }
        }
        let word = content.get(begins..).unwrap_or_default().trim_start();
        // Behind `key:` without a blank the key is still being written, and behind a closed bracket nothing follows.
        let closed = at_value && open.is_empty() && content.ends_with(['}', ']']);
        if quote.is_some() || closed || word.contains(char::is_whitespace) || content.ends_with(':') {
            return None;
        }
        let place = if at_value { Place::Value } else { Place::Key };
        Some(Self { indent, keys, word, place })
    }
}

/// Keys of the lines above that a line of this indent is under, outermost first.
fn above_of(text: &str, indent: usize) -> Vec<String> {
    let (mut path, mut under) = (Vec::new(), indent);
    for line in text.lines().rev() {
        let content = line.trim_start();
        let own = line.len() - content.len();
        if content.is_empty() || content.starts_with('#') || own >= under {
            continue;
        }
        // Whatever it is, what stands further in belongs to it.
        under = own;
        if let Some((key, rest)) = content.split_once(':')
            && (rest.trim().is_empty() || rest.trim_start().starts_with('#'))
        {
            path.push(unquoted(key.trim()));
        }
        if own == 0 {
            break;
        }
    }
    path.reverse();
    path
}

fn unquoted(text: &str) -> String {
    text.trim_matches(['"', '\'']).to_owned()
}

fn read(schema: &str) -> Option<Value> {
    serde_json::from_str(schema).ok()
}

/// A part of a schema, with the schema that its references are about.
type Node<'a> = (&'a Value, &'a Value);

struct Schemas<'a> {
    tools: &'a Value,
    limits: &'a Value,
}

impl<'a> Schemas<'a> {
    /// What is said of a key of these.
    fn under(&self, nodes: &[Node<'a>], key: &str) -> Vec<Node<'a>> {
        let of = |(node, root): &Node<'a>| {
            let own = node.get("properties").and_then(|all| all.get(key));
            let found = own.or_else(|| node.get("additionalProperties").filter(|rest| rest.is_object()))?;
            Some(self.resolved((found, *root), DEEPEST))
        };
        nodes.iter().filter_map(of).flatten().collect()
    }

    /// The same with its references followed and its alternatives apart.
    fn resolved(&self, (node, root): Node<'a>, deep: usize) -> Vec<Node<'a>> {
        let mut all = vec![(node, root)];
        if deep == 0 {
            return all;
        }
        if let Some(to) = node.get("$ref").and_then(Value::as_str) {
            let (file, at) = to.split_once('#').unwrap_or((to, ""));
            let root = match file {
                "" => root,
                "limits.schema.json" => self.limits,
                _ => self.tools,
            };
            all.extend(root.pointer(at).into_iter().flat_map(|found| self.resolved((found, root), deep - 1)));
        }
        for list in ["oneOf", "anyOf"] {
            let each = node.get(list).and_then(Value::as_array).into_iter().flatten();
            all.extend(each.flat_map(|one| self.resolved((one, root), deep - 1)));
        }
        let items = node.get("items").into_iter();
        all.extend(items.flat_map(|one| self.resolved((one, root), deep - 1)));
        all
    }
}

fn keys(nodes: &[Node<'_>]) -> Vec<Completion> {
    let mut items: Vec<Completion> = Vec::new();
    for (name, said) in nodes.iter().filter_map(|(node, _)| node.get("properties")?.as_object()).flatten() {
        let text = format!("{name}: ");
        if !items.iter().any(|item| item.text == text) {
            let detail = said.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
            items.push(Completion { text, kind: "keyword", detail });
        }
    }
    items.sort_by(|one, other| one.text.cmp(&other.text));
    items
}

fn values(nodes: &[Node<'_>]) -> Vec<Completion> {
    let mut items: Vec<Completion> = Vec::new();
    let usual = nodes.iter().find_map(|(node, _)| node.get("default"));
    let mut offer = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !items.iter().any(|item| item.text == text) {
            let detail = if usual == Some(value) { "unless something else is said" } else { "" };
            items.push(Completion { text, kind: "value", detail: detail.to_owned() });
        }
    };
    for (node, _) in nodes {
        node.get("enum").and_then(Value::as_array).into_iter().flatten().for_each(&mut offer);
        let kinds = match node.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().collect(),
            Some(kind) => vec![kind],
            None => Vec::new(),
        };
        if kinds.iter().any(|kind| *kind == "boolean") {
            [true, false].map(Value::Bool).iter().for_each(&mut offer);
        }
    }
    usual.into_iter().for_each(&mut offer);
    items
}

/// Each name once, written so that the file says it and nothing else. One that does not show as what it is, is left out.
fn named(names: impl Iterator<Item = String>) -> Vec<Completion> {
    let mut items: Vec<Completion> = Vec::new();
    for name in names.filter(|name| !name.is_empty() && !name.chars().any(|c| c.is_control() || is_hidden(c))) {
        let text = if is_plain(&name) { name } else { Value::String(name).to_string() };
        if !items.iter().any(|item| item.text == text) {
            items.push(Completion { text, kind: "name", detail: String::new() });
        }
    }
    items
}

/// Whether YAML reads it as this very text without quotes: not so `a: b`, `@a`, `null` and `1e3`.
fn is_plain(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(letter)
        && name.chars().all(|c| letter(c) || "./-".contains(c))
        && serde_saphyr::from_str::<Value>(name).is_ok_and(|read| read == name)
}

#[cfg(test)]
mod tests {
    use reeve_domain::verdict::Layer;

    use super::super::{ToolsSource, load};
    use super::*;

    fn owned((server, tool): (&str, &str)) -> (String, String) {
        (server.to_owned(), tool.to_owned())
    }

    fn at_end(text: &str) -> Vec<String> {
        let tools = [("office", "mail"), ("db", "write")].map(owned);
        complete(text, text.len(), &tools).items.into_iter().map(|item| item.text).collect()
    }

    #[test]
    fn each_place_of_the_file_offers_what_the_schema_names_there() {
        assert_eq!(at_end("to"), ["method_policies: ", "policies: ", "tool_governance: ", "tool_policies: "]);
        let policy = at_end("tool_policies:\n  db/write:\n    max_row_count: 5\n    ");
        assert!(policy.contains(&"require_dry_run: ".to_owned()) && !policy.contains(&"lease: ".to_owned()));
        let flow = at_end("tool_policies:\n  db/write: { max_row_count: 5, on");
        assert_eq!(flow, policy, "in one line as in several");
        assert_eq!(at_end("tool_policies:\n  t: { on_exceeded: "), ["ask", "deny"]);
        assert_eq!(
            at_end("tool_governance:\n  t:\n    on_duplicate: re"),
            ["return_cached", "reject", "deny", "error", "ask"]
        );
        assert_eq!(at_end("tool_governance:\n  t:\n    strict_mode: "), ["true", "false"]);
        assert_eq!(at_end("tool_policies:\n  t:\n    arguments: { query: "), ["allow", "audit", "redact", "block"]);
        assert!(
            at_end("policies:\n  session_limits: { ").contains(&"max_judge_calls: ".to_owned()),
            "of the other file"
        );
        let preview = at_end("tool_policies:\n  t:\n    preview: { sql: query, ");
        assert!(["tool: ", "reader_argument: ", "dialect: "].iter().all(|key| preview.iter().any(|one| one == key)));
        assert_eq!(at_end("tool_policies:\n  t:\n    preview:\n      dialect: ")[0], "sqlite");
    }

    #[test]
    fn tools_that_were_seen_are_offered_where_a_tool_is_named() {
        assert_eq!(at_end("tool_policies:\n  db"), ["office/mail", "db/write"]);
        assert_eq!(at_end("tool_policies:\n  db/write:\n    max_row_count: 5\n  "), ["office/mail", "db/write"]);
        assert_eq!(at_end("tool_policies:\n  t: { preview: { tool: "), ["mail", "write"]);
        let found = complete("tool_policies:\n  db", 19, &[owned(("db", "write"))]);
        assert_eq!(found.from, 17, "the whole name is replaced");
    }

    #[test]
    fn a_name_that_is_chosen_stands_in_the_file_as_that_tool_and_nothing_else() {
        let names = [
            ("@scope/fs", "read"),
            ("a server", "say: {x}"),
            ("db", "x: {}\n  evil/*"),
            ("db", "drop # \"all\""),
            ("db", "null"),
            ("db", "sent\u{202e}dne"),
            ("db", "wr*"),
            ("fs", "read"),
        ]
        .map(owned);
        let all = |text: &str| {
            let items = complete(text, text.len(), &names).items;
            items.into_iter().map(|item| item.text).collect::<Vec<_>>()
        };
        let keys = all("tool_policies:\n  ");
        let expected =
            [r#""@scope%2Ffs/read""#, r#""a server/say: {x}""#, r##""db/drop # \"all\"""##, "db/null", "fs/read"];
        assert_eq!(keys, expected);
        for (chosen, (server, tool)) in keys.iter().zip([0, 1, 3, 4, 7].map(|at| &names[at])) {
            let text = format!("tool_policies:\n  {chosen}: {{ timeout: 1s }}\n");
            let source = ToolsSource { layer: Layer::Mine, file: "tools.yaml".to_owned(), text };
            let loaded = load(&[source]).unwrap();
            let [rule] = loaded.rules() else { panic!("{chosen} is not one rule") };
            assert!(rule.tools.covers(server, tool), "{chosen} covers another tool");
            assert_eq!(rule.tools.to_string(), unquoted_json(chosen));
        }
        let values = all("tool_policies:\n  t: { preview: { tool: ");
        assert_eq!(values, ["read", r#""say: {x}""#, r##""drop # \"all\"""##, r#""null""#, r#""wr*""#]);
    }

    fn unquoted_json(text: &str) -> String {
        serde_json::from_str(text).unwrap_or_else(|_| text.to_owned())
    }

    #[test]
    fn nothing_is_offered_in_comments_in_texts_and_behind_what_is_complete() {
        for text in [
            "# to",
            "tool_policies: # t",
            "tool_policies:\n  t: { timeout: \"1",
            "tool_policies:\n  t: { on_exceeded: ask }",
            "tool_policies:",
            "tool_policies:\n  t:\n    no_such_key: ",
        ] {
            assert_eq!(at_end(text), Vec::<String>::new(), "{text}");
        }
    }
}
