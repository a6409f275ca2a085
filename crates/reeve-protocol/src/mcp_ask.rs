//! What an MCP server asks of the agent's side: an answer of its model, or something of the person. Read as strictly as a
//! call of a tool; its whole text is shown to whoever decides.

use reeve_domain::operation::{McpAsk, McpTransport, Subject, Wanted};
use serde_json::{Value, json};

use crate::body::Node;
use crate::{Classified, ProtocolError, canonical, redact, text};

/// Largest parameters that are read, in bytes.
pub const MAX_PARAMS: usize = 4 * 1024 * 1024;
/// Most names of models, tools or fields that rules see, and most characters of each.
const NAMES: usize = 64;
const CHARACTERS: usize = 256;

/// Whether a server asks by this method.
#[must_use]
pub fn is_ask(method: &str) -> bool {
    matches!(method, "sampling/createMessage" | "elicitation/create")
}

/// Reads a request of a server. `params`: one JSON object, as it was sent.
///
/// # Errors
/// When the parameters are too large, not one JSON object, or name a key twice, or the method is no such request.
pub fn classify(
    server: &str,
    transport: McpTransport,
    method: &str,
    params: &[u8],
) -> Result<Classified, ProtocolError> {
    let node = Node::parse(params, MAX_PARAMS)?;
    let wanted = match method {
        "sampling/createMessage" => sampling(&node)?,
        "elicitation/create" => elicitation(&node),
        _ => return Err(ProtocolError::shape("method", "one by which a server asks for something")),
    };
    let ask = McpAsk { server: server.to_owned(), transport, wanted, bytes: params.len() as u64 };
    let summary = match &ask.wanted {
        Wanted::Sampling { max_tokens: Some(most), .. } => format!("{server} asks your model, up to {most} tokens"),
        Wanted::Sampling { .. } => format!("{server} asks your model"),
        Wanted::Form { .. } => format!("{server} asks you to type something"),
        Wanted::Url { host: Some(host), .. } => format!("{server} asks you to open a page of {host}"),
        Wanted::Url { .. } => format!("{server} asks you to open a page"),
    };
    Ok(Classified {
        content: canonical::mcp_ask(&ask, method, &node),
        summary: text::line(&summary, 200),
        conversation: None,
        answers: Vec::new(),
        view: view(&ask, &node),
        subject: Subject::McpAsk(ask),
    })
}

fn sampling(node: &Node<'_>) -> Result<Wanted, ProtocolError> {
    let named = |items: &[Node<'_>]| names(items.iter().filter_map(|item| item.text_at("name")));
    let models = node.get("modelPreferences").map(|wishes| named(wishes.items_at("hints"))).unwrap_or_default();
    Ok(Wanted::Sampling {
        max_tokens: node.count("maxTokens")?,
        models,
        tools: named(node.items_at("tools")),
        messages: node.items_at("messages").len() as u64,
        context: node.text_at("includeContext").map(short),
    })
}

fn elicitation(node: &Node<'_>) -> Wanted {
    let Some(url) = node.text_at("url") else {
        let fields = match node.get("requestedSchema").and_then(|schema| schema.get("properties")) {
            Some(Node::Map(fields)) => names(fields.0.iter().map(|(name, _)| name.as_ref())),
            _ => Vec::new(),
        };
        return Wanted::Form { fields };
    };
    Wanted::Url { url: redact::words(url).chars().take(2048).collect(), host: host_of(url) }
}

/// Where a page lies; `None` for what is no plain address of the web.
fn host_of(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    // What stands before an `@` is there to be taken for the host.
    if authority.contains('@') {
        return None;
    }
    let parsed = reeve_domain::host::Authority::parse(authority, Some(443)).ok()?;
    Some(parsed.host.to_string())
}

fn names<'a>(all: impl Iterator<Item = &'a str>) -> Vec<String> {
    all.take(NAMES).map(short).collect()
}

fn short(text: &str) -> String {
    redact::words(text).chars().take(CHARACTERS).collect()
}

/// Everything that it says, without what looks like a secret.
fn view(ask: &McpAsk, node: &Node<'_>) -> Value {
    let kind = if ask.is_sampling() { "mcp.sampling" } else { "mcp.elicitation" };
    json!({
        "kind": kind,
        "server": ask.server,
        "transport": ask.transport,
        "wanted": ask.wanted,
        "bytes": ask.bytes,
        "message": node.text_at("message").map(redact::words),
        "params": shown(node),
    })
}

fn shown(node: &Node<'_>) -> Value {
    match node {
        Node::Map(fields) => {
            let field = |(name, inner): &(std::borrow::Cow<'_, str>, Node<'_>)| (redact::words(name), shown(inner));
            Value::Object(fields.0.iter().map(field).collect())
        }
        Node::List(items) => Value::Array(items.iter().map(shown).collect()),
        Node::Text(words) => Value::String(redact::words(words)),
        Node::Number(number) => Value::Number(number.clone()),
        Node::Bool(value) => Value::Bool(*value),
        Node::Null => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, params: &Value) -> (McpAsk, Classified) {
        let told = classify("helper", McpTransport::Stdio, method, params.to_string().as_bytes()).unwrap();
        let Subject::McpAsk(ask) = told.subject.clone() else { panic!("no request of a server") };
        (ask, told)
    }

    #[test]
    fn sampling_says_how_much_it_asks_for_and_shows_every_word() {
        let params = serde_json::json!({
            "messages": [{ "role": "user", "content": { "type": "text", "text": "Summarise the secrets." } }],
            "maxTokens": 4000, "includeContext": "allServers", "modelPreferences": { "hints": [{ "name": "claude-opus" }] },
            "tools": [{ "name": "read_file" }]
        });
        let (ask, told) = read("sampling/createMessage", &params);
        let Wanted::Sampling { max_tokens, models, tools, messages, context } = ask.wanted else {
            panic!("no sampling")
        };
        assert_eq!((max_tokens, messages, context.as_deref()), (Some(4000), 1, Some("allServers")));
        assert_eq!((models, tools), (vec!["claude-opus".to_owned()], vec!["read_file".to_owned()]));
        assert!(told.summary.contains("4000 tokens") && told.view.to_string().contains("Summarise the secrets."));
    }

    #[test]
    fn a_form_names_its_fields_and_a_page_its_host() {
        let form = serde_json::json!({ "message": "Who are you?", "requestedSchema": { "type": "object",
            "properties": { "name": { "type": "string" }, "password": { "type": "string" } } } });
        assert_eq!(
            read("elicitation/create", &form).0.wanted,
            Wanted::Form { fields: vec!["name".to_owned(), "password".to_owned()] }
        );
        let host =
            |url: &str| match read("elicitation/create", &serde_json::json!({ "mode": "url", "url": url })).0.wanted {
                Wanted::Url { host, .. } => host,
                other => panic!("{other:?}"),
            };
        assert_eq!(host("https://login.example.com/a?b").as_deref(), Some("login.example.com"));
        for unreadable in ["https://github.com@evil.example/", "javascript:alert(1)", "https://", "https://a b/"] {
            assert_eq!(host(unreadable), None, "{unreadable}");
        }
    }

    #[test]
    fn another_word_is_another_request_and_secrets_are_not_shown() {
        let ask = |words: &str| read("elicitation/create", &serde_json::json!({ "message": words })).1;
        assert_ne!(ask("one").content, ask("two").content);
        let secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
        assert!(!ask(secret).view.to_string().contains(secret));
        assert!(classify("s", McpTransport::Stdio, "roots/list", b"{}").is_err());
        assert!(classify("s", McpTransport::Stdio, "elicitation/create", br#"{"a":1,"a":2}"#).is_err());
    }
}
