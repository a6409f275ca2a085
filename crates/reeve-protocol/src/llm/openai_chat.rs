//! OpenAI Chat Completions requests: `POST /v1/chat/completions`, and the many hosts that copy them.

use super::estimate::{self, Tally};
use super::{Facts, tool_name};
use crate::body::Node;
use crate::error::ProtocolError;

pub fn facts(root: &Node<'_>, provider: &str, bytes: usize) -> Result<Facts, ProtocolError> {
    let messages = root.list("messages")?;
    let model = root.need_text("model")?;
    let mut facts = Facts {
        model: model.to_owned(),
        stream: root.flag("stream")?,
        output_limit: root.count("max_completion_tokens")?.max(root.count("max_tokens")?),
        candidates: root.count("n")?.unwrap_or(1),
        messages: messages.len(),
        service_tier: root.text_at("service_tier").map(str::to_owned),
        ..Facts::default()
    };
    let tools = root.list("tools")?;
    let legacy = root.list("functions")?;
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let mut tally = Tally::new(estimate::tokenizer(provider, model, bytes), media_of(model));
    tally.weigh(root);
    tally.add(count(messages.len()).saturating_mul(estimate::PER_MESSAGE));
    tally.add(count(tools.len() + legacy.len()).saturating_mul(estimate::PER_TOOL));
    facts.input_bound = tally.tokens();
    for tool in tools.iter().chain(legacy) {
        let inner = tool.get("function").or_else(|| tool.get("custom")).unwrap_or(tool);
        facts.offer(tool_name(inner));
    }
    if root.given("web_search_options").is_some() || model.contains("-search") {
        facts.offer_server_tool("web_search", None);
    }
    // New families charge for what they write to their cache unasked.
    facts.cache_write_bound = facts.input_bound;
    Ok(facts)
}

/// One picture: the older small model counts pictures at many times what they cost elsewhere.
fn media_of(model: &str) -> fn(&Node<'_>) -> Option<u64> {
    if model.contains("4o-mini") { |node| media(node, 50_000) } else { |node| media(node, 12_000) }
}

fn media(node: &Node<'_>, image: u64) -> Option<u64> {
    let data = |key: &str, inner: &str| node.get(key).and_then(|part| part.text_at(inner)).map(estimate::decoded);
    match node.text_at("type")? {
        "image_url" => Some(image),
        "input_audio" => Some(estimate::sound(data("input_audio", "data").unwrap_or_default())),
        "file" => Some(data("file", "file_data").map_or(estimate::UNSEEN, estimate::pdf)),
        "video_url" => Some(estimate::UNSEEN),
        _ => None,
    }
}
