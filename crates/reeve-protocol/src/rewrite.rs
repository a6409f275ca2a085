//! The two changes Reeve makes to a request: a lower output limit, and asking a Chat stream for its usage. Only the bytes
//! concerned change; the canonical content stays the same.

use reeve_domain::operation::Dialect;
use serde_json::value::RawValue;

use crate::MAX_LLM_BODY;
use crate::body::{Fields, Node};
use crate::error::ProtocolError;
use crate::llm::{anthropic, gemini};

/// The body with an output limit of at most `tokens`: a higher one is lowered, a lower one stays, a missing one is put
/// in.
///
/// # Errors
/// When the body cannot be read, or when `tokens` is not above the thinking budget, under which no limit is lowered.
pub fn output_limit(dialect: Dialect, body: &[u8], tokens: u64) -> Result<Vec<u8>, ProtocolError> {
    let root = Node::parse(body, MAX_LLM_BODY)?;
    let limit = Limit { body, tokens };
    match dialect {
        Dialect::AnthropicMessages => {
            limit.stay_above(anthropic::thinking_budget(&root)?)?;
            limit.lower(body, &["max_tokens"], "max_tokens")
        }
        Dialect::OpenaiChat => {
            let known = ["max_completion_tokens", "max_tokens"];
            limit.lower(body, &known, chat_key(root.text_at("model").unwrap_or_default()))
        }
        Dialect::OpenaiResponses => limit.lower(body, &["max_output_tokens"], "max_output_tokens"),
        Dialect::Gemini => limit.gemini(body, &root),
        Dialect::GeminiCodeAssist => {
            let request = root.get("request").ok_or_else(|| ProtocolError::shape("request", "an object"))?;
            let fields = Fields::parse(body)?;
            let raw = fields.get("request").ok_or_else(|| ProtocolError::shape("request", "an object"))?;
            limit.gemini(raw.get().as_bytes(), request)
        }
    }
}

/// The body of a streamed Chat request with `stream_options.include_usage` set; `None` when it is set already, or the
/// answer is not streamed. Its chunk is then taken out again with [`crate::meter::UsageFilter`].
///
/// # Errors
/// When the body cannot be read.
pub fn include_usage(dialect: Dialect, body: &[u8]) -> Result<Option<Vec<u8>>, ProtocolError> {
    if dialect != Dialect::OpenaiChat {
        return Ok(None);
    }
    let root = Node::parse(body, MAX_LLM_BODY)?;
    if !root.flag("stream")? {
        return Ok(None);
    }
    let options = root.given("stream_options");
    if options.is_some_and(|options| options.get("include_usage") == Some(&Node::Bool(true))) {
        return Ok(None);
    }
    let fields = Fields::parse(body)?;
    match fields.get("stream_options") {
        Some(raw) if options.is_some() => {
            let inner = raw.get().as_bytes();
            let edit = match Fields::parse(inner)?.get("include_usage") {
                Some(flag) => Edit::replace(body, flag, "true")?,
                None => Edit::insert(body, inner, "include_usage", "true")?,
            };
            Ok(Some(edit.apply(body)))
        }
        // `null`.
        Some(raw) => Ok(Some(Edit::replace(body, raw, r#"{"include_usage":true}"#)?.apply(body))),
        None => Ok(Some(Edit::insert(body, body, "stream_options", r#"{"include_usage":true}"#)?.apply(body))),
    }
}

/// OpenAI's reasoning models refuse `max_tokens`; the hosts that copy the API may not know the newer name.
fn chat_key(model: &str) -> &'static str {
    let reasoning = model.starts_with("gpt-")
        || model.strip_prefix('o').is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()));
    if reasoning { "max_completion_tokens" } else { "max_tokens" }
}

struct Limit<'a> {
    body: &'a [u8],
    tokens: u64,
}

impl Limit<'_> {
    fn stay_above(&self, budget: Option<u64>) -> Result<(), ProtocolError> {
        match budget {
            Some(budget) if self.tokens <= budget => {
                Err(ProtocolError::UnderThinkingBudget { tokens: self.tokens, budget })
            }
            _ => Ok(()),
        }
    }

    /// Lowers every one of `keys` that `object` has, or puts `missing` in.
    fn lower(&self, object: &[u8], keys: &[&str], missing: &str) -> Result<Vec<u8>, ProtocolError> {
        let fields = Fields::parse(object)?;
        let given: Vec<_> = keys.iter().filter_map(|key| fields.get(key)).filter(|raw| raw.get() != "null").collect();
        let tokens = self.tokens.to_string();
        if given.is_empty() {
            // A `null` is in the way of the key itself.
            let edit = match fields.get(missing) {
                Some(null) => Edit::replace(self.body, null, &tokens)?,
                None => Edit::insert(self.body, object, missing, &tokens)?,
            };
            return Ok(edit.apply(self.body));
        }
        let mut edits = Vec::new();
        for raw in given {
            let current = raw.get().trim_matches('"').parse::<u64>().ok();
            if current.is_none_or(|current| current > self.tokens) {
                edits.push(Edit::replace(self.body, raw, &tokens)?);
            }
        }
        // From the back, so that the places of the others stay.
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.from));
        Ok(edits.into_iter().fold(self.body.to_vec(), |body, edit| edit.apply(&body)))
    }

    fn gemini(&self, request: &[u8], node: &Node<'_>) -> Result<Vec<u8>, ProtocolError> {
        if let Some(config) = gemini::either(node, "generationConfig", "generation_config")? {
            self.stay_above(gemini::thinking_budget(config)?)?;
            gemini::either(config, "maxOutputTokens", "max_output_tokens")?;
        }
        let fields = Fields::parse(request)?;
        let known = ["generationConfig", "generation_config"].iter().filter_map(|key| fields.get(key));
        let given = known.clone().find(|raw| raw.get() != "null");
        let Some(config) = given else {
            let config = format!("{{\"maxOutputTokens\":{}}}", self.tokens);
            let edit = match known.clone().next() {
                Some(null) => Edit::replace(self.body, null, &config)?,
                None => Edit::insert(self.body, request, "generationConfig", &config)?,
            };
            return Ok(edit.apply(self.body));
        };
        self.lower(config.get().as_bytes(), &["maxOutputTokens", "max_output_tokens"], "maxOutputTokens")
    }
}

/// Bytes `from..to` of a body, and what takes their place.
struct Edit {
    from: usize,
    to: usize,
    with: String,
}

impl Edit {
    fn replace(body: &[u8], value: &RawValue, with: &str) -> Result<Self, ProtocolError> {
        let (from, to) = place(body, value.get().as_bytes())?;
        Ok(Self { from, to, with: with.to_owned() })
    }

    /// Right behind the opening brace of `object`, which is part of `body`.
    fn insert(body: &[u8], object: &[u8], key: &str, value: &str) -> Result<Self, ProtocolError> {
        let start = place(body, object)?.0;
        let brace =
            object.iter().position(|byte| *byte == b'{').ok_or_else(|| ProtocolError::shape(key, "in an object"))?;
        let rest = object.get(brace + 1..).unwrap_or_default().trim_ascii_start();
        let comma = if rest.starts_with(b"}") { "" } else { "," };
        let at = start + brace + 1;
        Ok(Self { from: at, to: at, with: format!("\"{key}\":{value}{comma}") })
    }

    fn apply(&self, body: &[u8]) -> Vec<u8> {
        let before = body.get(..self.from).unwrap_or_default();
        let after = body.get(self.to..).unwrap_or_default();
        [before, self.with.as_bytes(), after].concat()
    }
}

/// Where `part`, borrowed from `body`, lies in it.
fn place(body: &[u8], part: &[u8]) -> Result<(usize, usize), ProtocolError> {
    let offset = part.as_ptr().addr().checked_sub(body.as_ptr().addr());
    let range = offset.map(|from| (from, from + part.len())).filter(|(_, to)| *to <= body.len());
    range.ok_or_else(|| ProtocolError::NotJson("a part lies outside of the body".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Dialect::{AnthropicMessages, Gemini, GeminiCodeAssist, OpenaiChat, OpenaiResponses};

    fn lowered(dialect: Dialect, body: &str) -> String {
        String::from_utf8(output_limit(dialect, body.as_bytes(), 100).unwrap()).unwrap()
    }

    #[test]
    fn a_higher_limit_is_lowered_and_all_else_stays_byte_for_byte() {
        for (dialect, body, expected) in [
            (
                AnthropicMessages,
                "{ \"max_tokens\" : 64000 ,\"x\":[ 1.0,\"\\u0061\"]}",
                "{ \"max_tokens\" : 100 ,\"x\":[ 1.0,\"\\u0061\"]}",
            ),
            (
                OpenaiChat,
                r#"{"max_tokens":5000,"model":"m","max_completion_tokens":20000}"#,
                r#"{"max_tokens":100,"model":"m","max_completion_tokens":100}"#,
            ),
            (
                OpenaiResponses,
                r#"{"input":"max_output_tokens","max_output_tokens":999}"#,
                r#"{"input":"max_output_tokens","max_output_tokens":100}"#,
            ),
            (
                Gemini,
                r#"{"generationConfig":{"topP":1,"maxOutputTokens":8192}}"#,
                r#"{"generationConfig":{"topP":1,"maxOutputTokens":100}}"#,
            ),
            (
                Gemini,
                r#"{"generation_config":{"max_output_tokens":"8192"}}"#,
                r#"{"generation_config":{"max_output_tokens":100}}"#,
            ),
            (
                GeminiCodeAssist,
                r#"{"request":{"generationConfig":{"maxOutputTokens":200}},"model":"m"}"#,
                r#"{"request":{"generationConfig":{"maxOutputTokens":100}},"model":"m"}"#,
            ),
        ] {
            assert_eq!(lowered(dialect, body), expected);
        }
    }

    #[test]
    fn a_lower_limit_is_never_raised() {
        for (dialect, body) in [
            (AnthropicMessages, r#"{"max_tokens":100}"#),
            (OpenaiChat, r#"{"max_tokens":7}"#),
            (OpenaiResponses, r#"{"max_output_tokens":16}"#),
            (Gemini, r#"{"generationConfig":{"maxOutputTokens":"64"}}"#),
        ] {
            assert_eq!(lowered(dialect, body), body);
        }
    }

    #[test]
    fn a_missing_limit_is_put_in() {
        for (dialect, body, expected) in [
            (AnthropicMessages, r#"{"model":"m"}"#, r#"{"max_tokens":100,"model":"m"}"#),
            (OpenaiChat, r#"{"model":"gpt-5.1"}"#, r#"{"max_completion_tokens":100,"model":"gpt-5.1"}"#),
            (OpenaiChat, r#"{"model":"o3-mini"}"#, r#"{"max_completion_tokens":100,"model":"o3-mini"}"#),
            (OpenaiChat, r#"{"model":"llama-4"}"#, r#"{"max_tokens":100,"model":"llama-4"}"#),
            (OpenaiResponses, " { } ", " {\"max_output_tokens\":100 } "),
            (OpenaiResponses, r#"{"max_output_tokens":null,"a":1}"#, r#"{"max_output_tokens":100,"a":1}"#),
            (Gemini, r#"{"contents":[]}"#, r#"{"generationConfig":{"maxOutputTokens":100},"contents":[]}"#),
            (Gemini, r#"{"generationConfig":{}}"#, r#"{"generationConfig":{"maxOutputTokens":100}}"#),
            (
                GeminiCodeAssist,
                r#"{"request":{"a":1}}"#,
                r#"{"request":{"generationConfig":{"maxOutputTokens":100},"a":1}}"#,
            ),
        ] {
            assert_eq!(lowered(dialect, body), expected);
        }
    }

    #[test]
    fn no_limit_falls_to_a_thinking_budget() {
        for (dialect, body) in [
            (AnthropicMessages, r#"{"max_tokens":64000,"thinking":{"type":"enabled","budget_tokens":100}}"#),
            (Gemini, r#"{"generationConfig":{"thinkingConfig":{"thinkingBudget":8000}}}"#),
            (Gemini, r#"{"generation_config":{"thinking_config":{"thinking_budget":"8000"}}}"#),
            (GeminiCodeAssist, r#"{"request":{"generationConfig":{"thinkingConfig":{"thinkingBudget":101}}}}"#),
        ] {
            let error = output_limit(dialect, body.as_bytes(), 100).unwrap_err();
            assert!(matches!(error, ProtocolError::UnderThinkingBudget { tokens: 100, .. }), "{body}");
        }
        let adaptive = r#"{"max_tokens":64000,"thinking":{"type":"adaptive"}}"#;
        assert!(lowered(AnthropicMessages, adaptive).contains("\"max_tokens\":100"));
        let free = r#"{"generationConfig":{"maxOutputTokens":500,"thinkingConfig":{"thinkingBudget":-1}}}"#;
        assert!(lowered(Gemini, free).contains("\"maxOutputTokens\":100"));
    }

    #[test]
    fn a_rewrite_of_what_cannot_be_read_is_refused() {
        for body in [r#"{"max_tokens":1,"max_tokens":2}"#, "[]", "{", ""] {
            assert!(output_limit(AnthropicMessages, body.as_bytes(), 100).is_err(), "{body}");
        }
        let twice = r#"{"generationConfig":{},"generation_config":{}}"#;
        assert!(matches!(output_limit(Gemini, twice.as_bytes(), 100), Err(ProtocolError::Ambiguous { .. })));
    }

    #[test]
    fn usage_is_asked_for_where_a_stream_would_not_report_it() {
        for (body, expected) in [
            (r#"{"stream":true}"#, Some(r#"{"stream_options":{"include_usage":true},"stream":true}"#)),
            (
                r#"{"stream":true,"stream_options":null}"#,
                Some(r#"{"stream":true,"stream_options":{"include_usage":true}}"#),
            ),
            (
                r#"{"stream":true,"stream_options":{"a":1}}"#,
                Some(r#"{"stream":true,"stream_options":{"include_usage":true,"a":1}}"#),
            ),
            (
                r#"{"stream":true,"stream_options":{"include_usage": false}}"#,
                Some(r#"{"stream":true,"stream_options":{"include_usage": true}}"#),
            ),
            (r#"{"stream":true,"stream_options":{"include_usage":true}}"#, None),
            (r#"{"stream":false}"#, None),
            ("{}", None),
        ] {
            let rewritten = include_usage(OpenaiChat, body.as_bytes()).unwrap();
            assert_eq!(rewritten.as_deref(), expected.map(str::as_bytes), "{body}");
        }
        assert_eq!(include_usage(OpenaiResponses, br#"{"stream":true}"#), Ok(None));
    }

    #[test]
    fn what_was_rewritten_asks_the_same() {
        for (dialect, body) in [
            (AnthropicMessages, r#"{"model":"m","messages":[1]}"#),
            (OpenaiChat, r#"{"model":"gpt-5","messages":[1],"stream":true}"#),
            (OpenaiResponses, r#"{"model":"m","input":"x"}"#),
            (Gemini, r#"{"contents":[]}"#),
            (GeminiCodeAssist, r#"{"model":"m","request":{"contents":[]}}"#),
        ] {
            let content =
                |body: &[u8]| crate::canonical::content("h", dialect, "m", &Node::parse(body, 1 << 20).unwrap());
            let lower = output_limit(dialect, body.as_bytes(), 100).unwrap();
            assert_eq!(content(body.as_bytes()), content(&lower), "{dialect:?}");
            if let Some(asked) = include_usage(dialect, &lower).unwrap() {
                assert_eq!(content(body.as_bytes()), content(&asked));
            }
        }
    }
}
