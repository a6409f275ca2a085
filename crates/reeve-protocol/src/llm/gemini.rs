//! Gemini requests: `POST …/models/M:generateContent` and `:streamGenerateContent`, and Code Assist, which wraps them.
//! The API reads every field in two spellings (`maxOutputTokens`, `max_output_tokens`), so both are read here.

use reeve_domain::operation::Dialect;

use super::Facts;
use super::estimate::{self, Tally};
use crate::body::Node;
use crate::error::ProtocolError;

/// One picture at ultra-high resolution, or one large picture in tiles.
const IMAGE: u64 = 5_000;

/// Tools that Google runs.
const SERVER_TOOLS: [(&str, &str); 7] = [
    ("googleSearch", "google_search"),
    ("googleSearchRetrieval", "google_search_retrieval"),
    ("enterpriseWebSearch", "enterprise_web_search"),
    ("urlContext", "url_context"),
    ("codeExecution", "code_execution"),
    ("googleMaps", "google_maps"),
    ("fileSearch", "file_search"),
];

pub fn facts(root: &Node<'_>, dialect: Dialect, path: &str) -> Result<Facts, ProtocolError> {
    let (request, model) = match dialect {
        Dialect::GeminiCodeAssist => (need_map(root, "request")?, root.need_text("model")?),
        _ => (root, model_of(path)?),
    };
    let contents = request.list("contents")?;
    let config = either(request, "generationConfig", "generation_config")?;
    let mut facts = Facts {
        model: model.strip_prefix("models/").unwrap_or(model).to_owned(),
        stream: path.to_ascii_lowercase().contains(":streamgeneratecontent"),
        candidates: 1,
        messages: contents.len(),
        service_tier: either(request, "serviceTier", "service_tier")?.and_then(Node::text).map(tier),
        ..Facts::default()
    };
    if let Some(config) = config {
        facts.output_limit = count(config, "maxOutputTokens", "max_output_tokens")?;
        facts.candidates = count(config, "candidateCount", "candidate_count")?.unwrap_or(1);
        facts.thinking_budget = thinking_budget(config)?;
    }
    let mut tally = Tally::new(None, media);
    tally.weigh(request);
    let turns = u64::try_from(contents.len()).unwrap_or(u64::MAX);
    tally.add(turns.saturating_mul(estimate::PER_MESSAGE));
    if either(request, "cachedContent", "cached_content")?.is_some() {
        tally.add(estimate::UNSEEN);
    }
    facts.input_bound = tally.tokens();
    for tool in request.list("tools")? {
        let declared = either(tool, "functionDeclarations", "function_declarations")?.map_or(&[][..], Node::items);
        for function in declared {
            facts.input_bound = facts.input_bound.saturating_add(estimate::PER_TOOL);
            facts.offer(function.text_at("name").unwrap_or_default());
        }
        for (camel, snake) in SERVER_TOOLS {
            if either(tool, camel, snake)?.is_some() {
                facts.offer_server_tool(snake, None);
            }
        }
    }
    Ok(facts)
}

/// `models/M:generateContent` at the end of a path.
fn model_of(path: &str) -> Result<&str, ProtocolError> {
    let model = path.rsplit_once('/').and_then(|(_, last)| last.split_once(':')).map(|(model, _)| model);
    model.filter(|model| !model.is_empty()).ok_or_else(|| ProtocolError::shape("path", "`…/models/<model>:<method>`"))
}

/// Thinking tokens set aside; -1 (as the model likes) and 0 (none) set nothing aside.
pub fn thinking_budget(config: &Node<'_>) -> Result<Option<u64>, ProtocolError> {
    let Some(thinking) = either(config, "thinkingConfig", "thinking_config")? else { return Ok(None) };
    match either(thinking, "thinkingBudget", "thinking_budget")? {
        Some(Node::Number(number)) if number.as_i64() == Some(-1) => Ok(None),
        _ => Ok(count(thinking, "thinkingBudget", "thinking_budget")?.filter(|budget| *budget > 0)),
    }
}

/// The value under one of two spellings of a key.
pub fn either<'n, 'a>(
    node: &'n Node<'a>,
    camel: &'static str,
    snake: &'static str,
) -> Result<Option<&'n Node<'a>>, ProtocolError> {
    match (node.given(camel), node.given(snake)) {
        (Some(_), Some(_)) => Err(ProtocolError::Ambiguous { one: camel, other: snake }),
        (one, other) => Ok(one.or(other)),
    }
}

/// A whole number under one of two spellings; the API also takes it as digits in a string.
fn count(node: &Node<'_>, camel: &'static str, snake: &'static str) -> Result<Option<u64>, ProtocolError> {
    match either(node, camel, snake)? {
        None => Ok(None),
        Some(Node::Text(text)) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
            text.parse().map(Some).map_err(|_| ProtocolError::shape(camel, "a whole number from 0 up"))
        }
        Some(Node::Number(number)) if number.is_u64() => Ok(number.as_u64()),
        Some(_) => Err(ProtocolError::shape(camel, "a whole number from 0 up")),
    }
}

fn need_map<'n, 'a>(node: &'n Node<'a>, key: &'static str) -> Result<&'n Node<'a>, ProtocolError> {
    node.get(key).filter(|inner| matches!(inner, Node::Map(_))).ok_or_else(|| ProtocolError::shape(key, "an object"))
}

/// `SERVICE_TIER_FLEX` and `flex` are the same.
fn tier(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    lower.strip_prefix("service_tier_").unwrap_or(&lower).to_owned()
}

fn media(node: &Node<'_>) -> Option<u64> {
    if node.get("fileData").or_else(|| node.get("file_data")).is_some() {
        return Some(estimate::UNSEEN);
    }
    let inline = node.get("inlineData").or_else(|| node.get("inline_data"))?;
    let kind = inline.text_at("mimeType").or_else(|| inline.text_at("mime_type")).unwrap_or_default();
    let bytes = inline.text_at("data").map(estimate::decoded).unwrap_or_default();
    Some(match kind.split('/').next() {
        Some("image") => IMAGE,
        Some("audio" | "video") => estimate::sound(bytes),
        Some("text") => bytes,
        _ => estimate::pdf(bytes),
    })
}
