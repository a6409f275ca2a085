//! Anthropic Messages requests: `POST /v1/messages`.

use super::estimate::{self, Tally};
use super::{Facts, tool_name};
use crate::body::Node;
use crate::error::ProtocolError;

/// The hidden prompt that makes a model use tools.
const TOOL_PROMPT: u64 = 1_000;

/// One picture at the largest size that is not scaled down.
const IMAGE: u64 = 5_000;

/// Tools that Anthropic runs; all other typed tools (`bash_…`, `text_editor_…`) are run by the client.
const SERVER_TOOLS: [&str; 6] =
    ["web_search_", "web_fetch_", "code_execution_", "mcp_toolset", "tool_search_tool_", "advisor_"];

pub fn facts(root: &Node<'_>) -> Result<Facts, ProtocolError> {
    let messages = root.list("messages")?;
    let tools = root.list("tools")?;
    let mut facts = Facts {
        model: root.need_text("model")?.to_owned(),
        stream: root.flag("stream")?,
        output_limit: root.count("max_tokens")?,
        candidates: 1,
        thinking_budget: thinking_budget(root)?,
        messages: messages.len(),
        service_tier: root.text_at("service_tier").map(str::to_owned),
        ..Facts::default()
    };
    facts.input_bound = input_bound(root, messages.len(), tools.len());
    for tool in tools {
        offer(&mut facts, tool)?;
    }
    if !root.list("mcp_servers")?.is_empty() {
        facts.offer_server_tool("mcp_toolset", None);
    }
    // A compaction is one more pass over the input, with an output of its own that is not in the top-level sums.
    let edits = root.get("context_management").map_or(&[][..], |context| context.items_at("edits"));
    if edits.iter().any(|edit| edit.text_at("type").is_some_and(|kind| kind.starts_with("compact"))) {
        facts.candidates = 2;
        facts.input_bound = facts.input_bound.saturating_mul(2);
    }
    let cache = Cache::find(root);
    if cache.asked {
        facts.cache_write_bound = facts.input_bound;
        facts.cache_one_hour = cache.one_hour;
    }
    // The workspace may be set to the US where the request does not say.
    if root.text_at("inference_geo") != Some("global") {
        facts.multipliers.push("us".to_owned());
    }
    if root.text_at("speed") == Some("fast") {
        facts.multipliers.push("fast".to_owned());
    }
    Ok(facts)
}

fn offer(facts: &mut Facts, tool: &Node<'_>) -> Result<(), ProtocolError> {
    let kind = tool.text_at("type").unwrap_or_default();
    if SERVER_TOOLS.iter().any(|server| kind.starts_with(server)) {
        let uses = tool.count("max_uses")?;
        facts.offer_server_tool(tool_name(tool), uses);
        if kind.starts_with("web_fetch_") {
            let each = tool.count("max_content_tokens")?.unwrap_or(estimate::UNSEEN);
            let uses = uses.unwrap_or(reeve_domain::price::DEFAULT_SERVER_TOOL_USES);
            facts.input_bound = facts.input_bound.saturating_add(each.saturating_mul(uses));
        }
    } else {
        facts.offer(tool_name(tool));
    }
    Ok(())
}

/// The thinking budget that `max_tokens` must stay above.
pub fn thinking_budget(root: &Node<'_>) -> Result<Option<u64>, ProtocolError> {
    match root.given("thinking") {
        Some(thinking) if thinking.text_at("type") == Some("enabled") => thinking.count("budget_tokens"),
        _ => Ok(None),
    }
}

fn input_bound(root: &Node<'_>, messages: usize, tools: usize) -> u64 {
    let mut tally = Tally::new(None, media);
    tally.weigh(root);
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    tally.add(count(messages).saturating_mul(estimate::PER_MESSAGE));
    tally.add(count(tools).saturating_mul(estimate::PER_TOOL));
    if tools > 0 {
        tally.add(TOOL_PROMPT);
    }
    if root.given("container").is_some() {
        tally.add(estimate::UNSEEN);
    }
    tally.tokens()
}

fn media(node: &Node<'_>) -> Option<u64> {
    let kind = node.text_at("type")?;
    let source = node.get("source");
    match (kind, source.and_then(|source| source.text_at("type"))) {
        ("image", Some(_)) => Some(IMAGE),
        ("document", Some("base64")) => {
            let data = source.and_then(|source| source.text_at("data")).unwrap_or_default();
            Some(estimate::pdf(estimate::decoded(data)))
        }
        ("document", Some("url" | "file")) => Some(estimate::UNSEEN),
        ("container_upload", _) => Some(estimate::UNSEEN),
        _ => None,
    }
}

/// What the request asks to be written to the cache.
#[derive(Default)]
struct Cache {
    asked: bool,
    one_hour: bool,
}

impl Cache {
    fn find(root: &Node<'_>) -> Self {
        let mut cache = Self::default();
        cache.look(root);
        cache
    }

    fn look(&mut self, node: &Node<'_>) {
        match node {
            Node::List(items) => items.iter().for_each(|item| self.look(item)),
            Node::Map(fields) => {
                for (key, value) in &fields.0 {
                    if key == "cache_control" && matches!(value, Node::Map(_)) {
                        self.asked = true;
                        self.one_hour |= value.text_at("ttl").is_some_and(|ttl| ttl != "5m");
                    } else {
                        self.look(value);
                    }
                }
            }
            _ => {}
        }
    }
}
