//! The canonical content of a call: what a human judges, hashed so that it does not depend on spelling, order of keys,
//! streaming, metadata or output bound.

use reeve_domain::operation::{Dialect, Digest, McpAsk, McpToolCall};
use sha2::Digest as _;

use crate::body::{Fields, Node};

/// Not part of what is asked: how the answer travels, who asks, cache routing, and the output bound, which the
/// fingerprint holds apart. Everything else counts, also what Reeve does not know.
const OPENAI: &[&str] = &[
    "stream",
    "stream_options",
    "metadata",
    "client_metadata",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
];
const ANTHROPIC: &[&str] = &["stream", "metadata", "max_tokens", "thinking"];
const GEMINI: &[&str] = &["labels", "session_id"];
const CODE_ASSIST: &[&str] = &["user_prompt_id", "project"];
const GEMINI_CONFIG: &[&str] = &["maxOutputTokens", "max_output_tokens"];

/// Hash of what a call asks of `model` at `host`.
pub fn content(host: &str, dialect: Dialect, model: &str, body: &Node<'_>) -> Digest {
    let mut hash = Hash(sha2::Sha256::new());
    hash.bytes(b"reeve-content-1");
    hash.bytes(host.as_bytes());
    hash.bytes(model.as_bytes());
    let omitted = match dialect {
        Dialect::AnthropicMessages => ANTHROPIC,
        Dialect::OpenaiChat | Dialect::OpenaiResponses => OPENAI,
        Dialect::Gemini => GEMINI,
        Dialect::GeminiCodeAssist => CODE_ASSIST,
    };
    if let Node::Map(fields) = body {
        hash.top(fields, omitted);
    }
    Digest(hex::encode(hash.0.finalize()))
}

/// Hash of what a call of a tool is: server, transport, tool and arguments.
pub fn tool_call(call: &McpToolCall, arguments: &Node<'_>) -> Digest {
    let mut hash = Hash(sha2::Sha256::new());
    hash.bytes(b"reeve-mcp-1");
    hash.bytes(call.server.as_bytes());
    hash.bytes(call.transport.as_str().as_bytes());
    hash.bytes(call.tool.as_bytes());
    hash.node(arguments);
    Digest(hex::encode(hash.0.finalize()))
}

/// Hash of what a server asks for: server, transport, method and parameters.
pub fn mcp_ask(ask: &McpAsk, method: &str, params: &Node<'_>) -> Digest {
    let mut hash = Hash(sha2::Sha256::new());
    hash.bytes(b"reeve-mcp-ask-1");
    hash.bytes(ask.server.as_bytes());
    hash.bytes(ask.transport.as_str().as_bytes());
    hash.bytes(method.as_bytes());
    hash.node(params);
    Digest(hex::encode(hash.0.finalize()))
}

/// Length-prefixed and tagged, so that no two values have the same bytes.
struct Hash(sha2::Sha256);

impl Hash {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
        self.0.update(bytes);
    }

    fn top(&mut self, fields: &Fields<'_, Node<'_>>, omitted: &[&str]) {
        self.0.update(b"{");
        for (key, value) in sorted(fields, omitted) {
            match (key, value) {
                ("generationConfig" | "generation_config", Node::Map(inner)) => {
                    // Reeve may have added the object only to hold the output bound.
                    if !sorted(inner, GEMINI_CONFIG).is_empty() {
                        self.bytes(key.as_bytes());
                        self.top(inner, GEMINI_CONFIG);
                    }
                }
                ("request", Node::Map(inner)) => {
                    self.bytes(key.as_bytes());
                    self.top(inner, GEMINI);
                }
                ("system", Node::List(blocks)) => {
                    self.bytes(key.as_bytes());
                    self.system(blocks);
                }
                (_, value) => {
                    self.bytes(key.as_bytes());
                    self.node(value);
                }
            }
        }
        self.0.update(b"}");
    }

    /// Claude Code opens its system prompt with a line of accounting whose `cch` is a hash over the whole request, so it
    /// differs between a request and its non-streaming repeat.
    fn system(&mut self, blocks: &[Node<'_>]) {
        self.0.update(b"[");
        for block in blocks {
            match block.text_at("text").and_then(without_request_hash) {
                Some(text) => self.bytes(text.as_bytes()),
                None => self.node(block),
            }
        }
        self.0.update(b"]");
    }

    fn node(&mut self, node: &Node<'_>) {
        match node {
            Node::Null => self.0.update(b"0"),
            Node::Bool(true) => self.0.update(b"t"),
            Node::Bool(false) => self.0.update(b"f"),
            Node::Number(number) => {
                self.0.update(b"n");
                self.bytes(number.to_string().as_bytes());
            }
            Node::Text(text) => {
                self.0.update(b"s");
                self.bytes(text.as_bytes());
            }
            Node::List(items) => {
                self.0.update(b"[");
                for item in items {
                    self.node(item);
                }
                self.0.update(b"]");
            }
            Node::Map(fields) => {
                self.0.update(b"{");
                for (key, value) in sorted(fields, &[]) {
                    self.bytes(key.as_bytes());
                    self.node(value);
                }
                self.0.update(b"}");
            }
        }
    }
}

fn sorted<'n, 'a>(fields: &'n Fields<'a, Node<'a>>, omitted: &[&str]) -> Vec<(&'n str, &'n Node<'a>)> {
    let kept = fields.0.iter().filter(|(key, _)| !omitted.contains(&key.as_ref()));
    let mut members: Vec<_> = kept.map(|(key, value)| (key.as_ref(), value)).collect();
    members.sort_by_key(|(key, _)| *key);
    members
}

/// The accounting line with the value of `cch` taken out; `None` for any other text.
fn without_request_hash(text: &str) -> Option<String> {
    let rest = text.strip_prefix("x-anthropic-billing-header:")?;
    let (before, after) = rest.split_once("cch=")?;
    let tail = after.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    (after.len() - tail.len() <= 64).then(|| format!("x-anthropic-billing-header:{before}cch={tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(dialect: Dialect, body: &str) -> Digest {
        content("api.example.com", dialect, "m", &Node::parse(body.as_bytes(), 1 << 20).unwrap())
    }

    #[test]
    fn a_streaming_request_and_its_repeat_without_streaming_ask_the_same() {
        use Dialect::{AnthropicMessages, Gemini, GeminiCodeAssist, OpenaiChat, OpenaiResponses};
        for (dialect, one, other) in [
            (
                AnthropicMessages,
                r#"{"model":"m","stream":true,"max_tokens":64000,"metadata":{"user_id":"u1"},"system":[{"type":"text",
                   "text":"x-anthropic-billing-header: cc_version=2.1.197; cch=0a1b2;"}],"messages":[{"role":"user","content":"hi"}]}"#,
                r#"{"messages": [{"content": "h\u0069", "role": "user"}], "max_tokens": 21333, "model": "m",
                   "system":[{"text":"x-anthropic-billing-header: cc_version=2.1.197; cch=ffeed;","type":"text"}]}"#,
            ),
            (
                OpenaiChat,
                r#"{"stream":true,"stream_options":{"include_usage":true},"user":"a","messages":[]}"#,
                r#"{"messages":[],"max_completion_tokens":5,"stream":false}"#,
            ),
            (
                OpenaiResponses,
                r#"{"stream":true,"prompt_cache_key":"k","client_metadata":{"turn_id":"1"},"input":"x"}"#,
                r#"{"input":"x","max_output_tokens":9}"#,
            ),
            (Gemini, r#"{"contents":[],"generationConfig":{"maxOutputTokens":5}}"#, r#"{"contents":[]}"#),
            (
                GeminiCodeAssist,
                r#"{"user_prompt_id":"1","request":{"contents":[],"session_id":"a","generationConfig":{"topP":1}}}"#,
                r#"{"request":{"generationConfig":{"topP":1,"maxOutputTokens":7},"contents":[]}}"#,
            ),
        ] {
            assert_eq!(hash(dialect, one), hash(dialect, other), "{dialect:?}");
        }
    }

    #[test]
    fn whatever_else_differs_makes_another_question() {
        let base = r#"{"messages":["a","b"],"tools":[{"name":"x"}]}"#;
        for other in [
            r#"{"messages":["ab"],"tools":[{"name":"x"}]}"#,
            r#"{"messages":["b","a"],"tools":[{"name":"x"}]}"#,
            r#"{"messages":["a","b"],"tools":[{"name":"y"}]}"#,
            r#"{"messages":["a","b"],"tools":[{"name":"x"}],"tool_choice":"any"}"#,
            r#"{"messages":["a","b"],"tools":[{"name":"x"}],"unknown_to_reeve":0}"#,
            r#"{"messages":["a","b"],"tools":[{"name":"x"}],"system":"be bad"}"#,
        ] {
            assert_ne!(hash(Dialect::AnthropicMessages, base), hash(Dialect::AnthropicMessages, other), "{other}");
        }
        let body = Node::parse(base.as_bytes(), 1000).unwrap();
        let at = |host, model| content(host, Dialect::AnthropicMessages, model, &body);
        assert_ne!(at("a", "m"), at("b", "m"));
        assert_ne!(at("a", "m"), at("a", "n"));
    }

    #[test]
    fn only_the_request_hash_of_the_accounting_line_is_left_out() {
        let with = |text: &str| format!(r#"{{"system":[{{"type":"text","text":"{text}"}}]}}"#);
        let of = |text: &str| hash(Dialect::AnthropicMessages, &with(text));
        assert_eq!(
            of("x-anthropic-billing-header: v=1; cch=aa; e=2"),
            of("x-anthropic-billing-header: v=1; cch=bb; e=2")
        );
        assert_ne!(
            of("x-anthropic-billing-header: v=1; cch=aa; e=2"),
            of("x-anthropic-billing-header: v=1; cch=aa; e=3")
        );
        assert_ne!(of("cch=aa"), of("cch=bb"));
    }
}
