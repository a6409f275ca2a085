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

/// Beside what is asked: how the answer is drawn, and how much is spent on it. In lower case, sorted.
const DRAWN: &[&str] = &[
    "best_of",
    "candidate_count",
    "candidatecount",
    "effort",
    "frequency_penalty",
    "frequencypenalty",
    "inference_geo",
    "logit_bias",
    "logprobs",
    "min_p",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "presencepenalty",
    "random_seed",
    "reasoning",
    "reasoning_effort",
    "repetition_penalty",
    "response_logprobs",
    "responselogprobs",
    "seed",
    "service_tier",
    "speed",
    "stop",
    "stop_sequences",
    "stopsequences",
    "store",
    "temperature",
    "thinking_config",
    "thinkingconfig",
    "top_k",
    "top_logprobs",
    "top_p",
    "topk",
    "topp",
    "verbosity",
];

/// Hash of what a call asks of `model` at `host`; and of the same without how the answer is drawn, where the call says that.
pub fn content(host: &str, dialect: Dialect, model: &str, body: &Node<'_>) -> (Digest, Option<Digest>) {
    let mut hash = Hash::new();
    hash.bytes(b"reeve-content-1");
    hash.bytes(host.as_bytes());
    hash.bytes(model.as_bytes());
    let omitted = match dialect {
        Dialect::AnthropicMessages => ANTHROPIC,
        Dialect::OpenaiChat | Dialect::OpenaiResponses => OPENAI,
        Dialect::Gemini => GEMINI,
        Dialect::GeminiCodeAssist => CODE_ASSIST,
    };
    let mut drawn = Vec::new();
    if let Node::Map(fields) = body {
        hash.top("", fields, omitted, &mut drawn);
    }
    if drawn.is_empty() {
        return (hash.digest(), None);
    }
    let question = hash.clone().digest();
    for (key, value) in drawn {
        hash.bytes(key.as_bytes());
        hash.node(value);
    }
    (hash.digest(), Some(question))
}

/// Hash of what a call of a tool is: server, transport, tool and arguments.
pub fn tool_call(call: &McpToolCall, arguments: &Node<'_>) -> Digest {
    let mut hash = Hash::new();
    hash.bytes(b"reeve-mcp-1");
    hash.bytes(call.server.as_bytes());
    hash.bytes(call.transport.as_str().as_bytes());
    hash.bytes(call.tool.as_bytes());
    hash.node(arguments);
    hash.digest()
}

/// Hash of what a server asks for: server, transport, method and parameters.
pub fn mcp_ask(ask: &McpAsk, method: &str, params: &Node<'_>) -> Digest {
    let mut hash = Hash::new();
    hash.bytes(b"reeve-mcp-ask-1");
    hash.bytes(ask.server.as_bytes());
    hash.bytes(ask.transport.as_str().as_bytes());
    hash.bytes(method.as_bytes());
    hash.node(params);
    hash.digest()
}

/// Length-prefixed and tagged, so that no two values have the same bytes.
#[derive(Clone)]
struct Hash(sha2::Sha256);

impl Hash {
    fn new() -> Self {
        Self(sha2::Sha256::new())
    }

    fn digest(self) -> Digest {
        Digest(hex::encode(self.0.finalize()))
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
        self.0.update(bytes);
    }

    /// The fields of what is asked; those that only say how the answer is drawn are left to `drawn`, with their place.
    fn top<'n, 'a>(
        &mut self,
        at: &str,
        fields: &'n Fields<'a, Node<'a>>,
        omitted: &[&str],
        drawn: &mut Vec<(String, &'n Node<'a>)>,
    ) {
        self.0.update(b"{");
        for (key, value) in sorted(fields, omitted) {
            let at = || format!("{at}/{key}");
            match (key, value) {
                _ if is_drawn(key) => drawn.push((at(), value)),
                ("generationConfig" | "generation_config" | "output_config" | "text", Node::Map(inner)) => {
                    let inner_at = |key: &str| format!("{}/{key}", at());
                    let config = sorted(inner, GEMINI_CONFIG);
                    // Reeve may have added the object only to hold the output bound.
                    if config.iter().all(|(key, _)| is_drawn(key)) {
                        drawn.extend(config.into_iter().map(|(key, value)| (inner_at(key), value)));
                    } else {
                        self.bytes(key.as_bytes());
                        self.top(&at(), inner, GEMINI_CONFIG, drawn);
                    }
                }
                ("request", Node::Map(inner)) => {
                    self.bytes(key.as_bytes());
                    self.top(&at(), inner, GEMINI, drawn);
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

/// Gemini takes both spellings of each.
fn is_drawn(key: &str) -> bool {
    DRAWN.binary_search(&key.to_ascii_lowercase().as_str()).is_ok()
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
        content("api.example.com", dialect, "m", &Node::parse(body.as_bytes(), 1 << 20).unwrap()).0
    }

    /// What answers compete for.
    fn question(dialect: Dialect, body: &str) -> Digest {
        let (content, question) =
            content("api.example.com", dialect, "m", &Node::parse(body.as_bytes(), 1 << 20).unwrap());
        question.unwrap_or(content)
    }

    #[test]
    fn how_an_answer_is_drawn_is_content_but_makes_no_other_question() {
        use Dialect::{AnthropicMessages, Gemini, GeminiCodeAssist, OpenaiChat, OpenaiResponses};
        assert!(DRAWN.is_sorted());
        for (dialect, plain, drawn) in [
            (
                AnthropicMessages,
                r#"{"messages":["a"],"max_tokens":5}"#,
                r#"{"temperature":0.7,"top_p":0.9,"top_k":3,"stop_sequences":["x"],"messages":["a"],
                    "output_config":{"effort":"low"}}"#,
            ),
            (
                OpenaiChat,
                r#"{"messages":["a"]}"#,
                r#"{"messages":["a"],"n":3,"seed":7,"temperature":1,"presence_penalty":0.1,"logit_bias":{},"stop":"x"}"#,
            ),
            (
                OpenaiResponses,
                r#"{"input":"a","text":{"format":{"type":"text"}}}"#,
                r#"{"input":"a","text":{"format":{"type":"text"},"verbosity":"low"},"reasoning":{"effort":"high"},"top_p":1}"#,
            ),
            (
                Gemini,
                r#"{"contents":["a"]}"#,
                r#"{"contents":["a"],"generationConfig":{"temperature":2,"topK":1,"candidateCount":2,"seed":1}}"#,
            ),
            (
                GeminiCodeAssist,
                r#"{"request":{"contents":["a"],"generation_config":{"response_mime_type":"x"}}}"#,
                r#"{"request":{"contents":["a"],"generation_config":{"response_mime_type":"x","top_p":0.5}}}"#,
            ),
        ] {
            assert_eq!(question(dialect, plain), question(dialect, drawn), "{dialect:?}");
            assert_ne!(hash(dialect, plain), hash(dialect, drawn), "{dialect:?}");
            let other = drawn.replace(r#""a""#, r#""b""#);
            assert_ne!(question(dialect, plain), question(dialect, &other), "{dialect:?}");
        }
        // Where it is said makes no other question, but another content.
        let (beside, inside) = (r#"{"contents":[],"seed":1}"#, r#"{"contents":[],"generationConfig":{"seed":1}}"#);
        assert_eq!(question(Gemini, beside), question(Gemini, inside));
        assert_ne!(hash(Gemini, beside), hash(Gemini, inside));
    }

    #[test]
    fn what_the_tools_and_the_format_of_an_answer_are_belongs_to_the_question() {
        for (dialect, one, other) in [
            (Dialect::OpenaiChat, r#"{"messages":[],"seed":1}"#, r#"{"messages":[],"seed":1,"tools":[{"name":"x"}]}"#),
            (
                Dialect::Gemini,
                r#"{"contents":[],"generationConfig":{"seed":1}}"#,
                r#"{"contents":[],"generationConfig":{"seed":1,"responseSchema":{}}}"#,
            ),
        ] {
            assert_ne!(question(dialect, one), question(dialect, other), "{dialect:?}");
        }
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
        let at = |host, model| content(host, Dialect::AnthropicMessages, model, &body).0;
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
