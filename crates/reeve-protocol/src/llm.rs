//! Calls to language models: one reading of the body gives facts, canonical content, conversation and view.

pub mod estimate;
pub mod sse;

pub(crate) mod anthropic;
pub(crate) mod gemini;
pub(crate) mod openai_chat;
pub(crate) mod openai_responses;

mod answers;
mod conversation;

use ::http::HeaderMap;
use ::http::header::AUTHORIZATION;
use reeve_domain::operation::{Billing, Dialect, LlmCall, ServerTool, Stage, Subject};

use crate::body::Node;
use crate::error::ProtocolError;
use crate::provider::{Login, Provider, region};
use crate::{Classified, MAX_LLM_BODY, RequestHead, canonical, text, view};

/// Tools beyond this many are counted in the view, not named in the facts.
const MAX_TOOLS: usize = 1024;

/// What a dialect's request says.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub model: String,
    pub stream: bool,
    pub input_bound: u64,
    pub cache_write_bound: u64,
    pub cache_one_hour: bool,
    pub output_limit: Option<u64>,
    pub candidates: u64,
    pub thinking_budget: Option<u64>,
    pub tools_offered: Vec<String>,
    pub server_tools: Vec<ServerTool>,
    pub service_tier: Option<String>,
    pub multipliers: Vec<String>,
    /// Turns of the conversation, for the summary.
    pub messages: usize,
}

impl Facts {
    /// Notes a tool that the client runs.
    pub fn offer(&mut self, name: &str) {
        if !name.is_empty() && self.tools_offered.len() < MAX_TOOLS {
            self.tools_offered.push(text::line(name, 128));
        }
    }

    /// Notes a tool that the provider runs, and what its answers may add to the input.
    pub fn offer_server_tool(&mut self, name: &str, max_uses: Option<u64>) {
        self.offer(name);
        let uses = max_uses.unwrap_or(reeve_domain::price::DEFAULT_SERVER_TOOL_USES);
        let added =
            estimate::SERVER_TOOL_PROMPT.saturating_add(uses.saturating_mul(estimate::server_tool_answer(name)));
        self.input_bound = self.input_bound.saturating_add(added);
        if self.server_tools.len() < MAX_TOOLS {
            self.server_tools.push(ServerTool { name: text::line(name, 128), max_uses });
        }
    }
}

pub(crate) fn classify(head: &RequestHead, body: &[u8], provider: &Provider) -> Result<Classified, ProtocolError> {
    let mut head = head.clone();
    head.endpoint.path = crate::http::shown_path(&head);
    let head = &head;
    let root = Node::parse(body, MAX_LLM_BODY)?;
    let path = head.endpoint.path.judged();
    let mut facts = match provider.dialect {
        Dialect::AnthropicMessages => anthropic::facts(&root)?,
        Dialect::OpenaiChat => openai_chat::facts(&root, &provider.name, body.len())?,
        Dialect::OpenaiResponses => openai_responses::facts(&root, &provider.name, &path, body.len())?,
        Dialect::Gemini | Dialect::GeminiCodeAssist => gemini::facts(&root, provider.dialect, &path)?,
    };
    facts.multipliers.extend(region(&head.endpoint.host).map(str::to_owned));
    let host = head.endpoint.host.to_string();
    let (content, question) = canonical::content(&host, provider.dialect, &facts.model, &root);
    let conversation = conversation::find(&head.headers, provider.dialect, &root);
    let answers = answers::find(provider.dialect, &root);
    let view = view::llm(head, provider, &facts, &root);
    let summary = summary(&host, &facts);
    let call = LlmCall {
        endpoint: head.endpoint.clone(),
        dialect: provider.dialect,
        provider: provider.name.clone(),
        model: facts.model,
        stream: facts.stream,
        input_bound: facts.input_bound,
        cache_write_bound: facts.cache_write_bound,
        cache_one_hour: facts.cache_one_hour,
        output_limit: facts.output_limit,
        candidates: facts.candidates.max(1),
        question,
        stage: stage(&head.headers),
        thinking_budget: facts.thinking_budget,
        tools_offered: facts.tools_offered,
        server_tools: facts.server_tools,
        service_tier: facts.service_tier,
        multipliers: facts.multipliers,
        billing: billing(&head.headers, provider.login),
        body_bytes: u64::try_from(body.len()).unwrap_or(u64::MAX),
    };
    Ok(Classified { subject: Subject::Llm(call), content, summary, conversation, answers, view })
}

/// What the client says the call is for, by the header that workflows set; anything else says nothing.
fn stage(headers: &HeaderMap) -> Option<Stage> {
    match headers.get("x-talon-stage")?.to_str().ok()?.trim() {
        "generation" => Some(Stage::Generation),
        "judge" => Some(Stage::Judge),
        "commit" => Some(Stage::Commit),
        _ => None,
    }
}

fn summary(host: &str, facts: &Facts) -> String {
    let counted = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let turns = counted(facts.messages, "message");
    let tools = counted(facts.tools_offered.len(), "tool");
    text::line(&format!("{} at {}, {turns}, {tools}", text::line(&facts.model, 80), text::line(host, 80)), 200)
}

/// Who pays how. Whatever a client could add to pass for a flat rate while an API key pays counts as metered.
fn billing(headers: &HeaderMap, login: Login) -> Billing {
    match login {
        Login::Key => Billing::Metered,
        Login::Flat => Billing::FlatRate,
        Login::KeyOrFlat => {
            let mut tokens = headers.get_all(AUTHORIZATION).iter();
            let oauth = matches!((tokens.next(), tokens.next()), (Some(token), None) if is_oauth(token.as_bytes()));
            let mut betas = headers.get_all("anthropic-beta").iter().filter_map(|value| value.to_str().ok());
            let asked = betas.any(|value| value.split(',').any(|beta| beta.trim().starts_with("oauth-")));
            if oauth && asked && !headers.contains_key("x-api-key") { Billing::FlatRate } else { Billing::Metered }
        }
    }
}

fn is_oauth(authorization: &[u8]) -> bool {
    let Some((scheme, token)) = authorization.split_first_chunk::<7>() else { return false };
    scheme.eq_ignore_ascii_case(b"bearer ") && !token.trim_ascii().starts_with(b"sk-ant-api")
}

/// The name a tool goes by: its `name`, else its `type`.
pub(crate) fn tool_name<'n>(tool: &'n Node<'_>) -> &'n str {
    tool.text_at("name").or_else(|| tool.text_at("type")).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests;
