//! OpenAI Responses requests: `POST /v1/responses`, Codex' own host and its compaction endpoint.

use super::estimate::{self, Tally};
use super::{Facts, tool_name};
use crate::body::Node;
use crate::error::ProtocolError;

/// One picture at the most patches and the dearest factor.
const IMAGE: u64 = 12_000;

/// Tools that OpenAI runs by itself; `function`, `custom`, `local_shell`, `shell`, `apply_patch` and `computer…` are run
/// by the client.
const SERVER_TOOLS: [&str; 6] =
    ["web_search", "file_search", "code_interpreter", "image_generation", "mcp", "tool_search"];

pub fn facts(root: &Node<'_>, provider: &str, path: &str, bytes: usize) -> Result<Facts, ProtocolError> {
    let model = root.need_text("model")?;
    let input = root.get("input").unwrap_or(&Node::Null);
    let mut facts = Facts {
        model: model.to_owned(),
        // The compaction endpoint answers with one object.
        stream: root.flag("stream")? && !path.trim_end_matches('/').ends_with("/compact"),
        output_limit: root.count("max_output_tokens")?,
        candidates: 1,
        messages: if matches!(input, Node::Text(_)) { 1 } else { input.items().len() },
        service_tier: root.text_at("service_tier").map(str::to_owned),
        ..Facts::default()
    };
    let mut tally = Tally::new(estimate::tokenizer(provider, model, bytes), media);
    tally.weigh(root);
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    tally.add(count(input.items().len()).saturating_mul(estimate::PER_MESSAGE));
    // Context that lies at the provider.
    if ["previous_response_id", "conversation", "prompt"].iter().any(|key| root.given(key).is_some()) {
        tally.add(estimate::UNSEEN);
    }
    facts.input_bound = tally.tokens();
    let uses = root.count("max_tool_calls")?;
    for tool in root.list("tools")? {
        offer(&mut facts, tool, uses);
    }
    // Newer clients put tools into the conversation itself.
    for item in input.items().iter().filter(|item| item.text_at("type") == Some("additional_tools")) {
        for tool in item.list("tools")? {
            offer(&mut facts, tool, uses);
        }
    }
    facts.cache_write_bound = facts.input_bound;
    Ok(facts)
}

fn offer(facts: &mut Facts, tool: &Node<'_>, uses: Option<u64>) {
    let kind = tool.text_at("type").unwrap_or_default();
    facts.input_bound = facts.input_bound.saturating_add(estimate::PER_TOOL);
    if kind == "namespace" {
        let space = tool.text_at("name").unwrap_or_default();
        for inner in tool.items_at("tools") {
            let name = tool_name(inner);
            facts.offer(&if space == "functions" { name.to_owned() } else { format!("{space}.{name}") });
        }
    } else if SERVER_TOOLS.iter().any(|server| kind.starts_with(server)) {
        facts.offer_server_tool(kind, uses);
    } else {
        facts.offer(tool_name(tool));
    }
}

fn media(node: &Node<'_>) -> Option<u64> {
    let data = |key: &str| node.text_at(key).map(estimate::decoded);
    match node.text_at("type")? {
        "input_image" | "computer_screenshot" => Some(IMAGE),
        "input_audio" => {
            let data = node.get("input_audio").and_then(|audio| audio.text_at("data")).map(estimate::decoded);
            Some(estimate::sound(data.unwrap_or_default()))
        }
        "input_file" => Some(data("file_data").map_or(estimate::UNSEEN, estimate::pdf)),
        "item_reference" => Some(estimate::UNSEEN),
        _ => None,
    }
}
