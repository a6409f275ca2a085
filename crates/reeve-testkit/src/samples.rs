//! Operations and principals as tests need them: valid, plain, and everything changeable afterwards.

use anyhow::Result;
use chrono::{DateTime, Utc};
use reeve_domain::host::Host;
use reeve_domain::id::{AgentId, OperationId, SessionId};
use reeve_domain::operation::{Billing, Dialect, Digest, Endpoint, HttpCall, LlmCall, Operation, Scheme, Subject};
use reeve_domain::path::RequestPath;
use reeve_domain::principal::Principal;

/// A fixed moment: 2026-11-20 12:00 UTC, a Friday.
#[must_use]
pub fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_176_000, 0).unwrap_or_default()
}

/// An agent in a session of its own, for the user `dana`.
///
/// # Errors
/// When `agent` is no slug.
pub fn principal(agent: &str) -> Result<Principal> {
    Ok(Principal { agent: AgentId::parse(agent)?, session: SessionId::new(), user: "dana".to_owned(), team: None })
}

/// `https` on its usual port.
///
/// # Errors
/// When host or path are none.
pub fn endpoint(method: &str, host: &str, path: &str) -> Result<Endpoint> {
    Ok(Endpoint {
        scheme: Scheme::Https,
        host: Host::parse(host)?,
        port: 443,
        method: method.to_owned(),
        path: RequestPath::parse(path)?,
    })
}

/// A request that is no model call.
///
/// # Errors
/// When a part of it is not what it should be.
pub fn http(agent: &str, method: &str, host: &str, path: &str) -> Result<Operation> {
    let call = HttpCall::to(endpoint(method, host, path)?);
    operation(agent, Subject::Http(call), &format!("{method} {host}{path}"))
}

/// A streamed call to `claude-sonnet-5`, 1,000 tokens in and at most 1,000 out.
///
/// # Errors
/// When a part of it is not what it should be.
pub fn llm(agent: &str) -> Result<Operation> {
    let call = LlmCall {
        endpoint: endpoint("POST", "api.anthropic.com", "/v1/messages")?,
        dialect: Dialect::AnthropicMessages,
        provider: "anthropic".to_owned(),
        model: "claude-sonnet-5".to_owned(),
        stream: true,
        input_bound: 1_000,
        cache_write_bound: 0,
        cache_one_hour: false,
        output_limit: Some(1_000),
        candidates: 1,
        question: None,
        stage: None,
        thinking_budget: None,
        tools_offered: vec!["Bash".to_owned()],
        server_tools: Vec::new(),
        service_tier: None,
        multipliers: Vec::new(),
        billing: Billing::Metered,
        body_bytes: 2_000,
    };
    operation(agent, Subject::Llm(call), "claude-sonnet-5 via api.anthropic.com")
}

fn operation(agent: &str, subject: Subject, summary: &str) -> Result<Operation> {
    Ok(Operation {
        id: OperationId::new(),
        at: noon(),
        principal: principal(agent)?,
        subject,
        content: Digest::of(summary.as_bytes()),
        summary: summary.to_owned(),
        conversation: None,
        credential: None,
        parent: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_what_their_names_say() {
        let request = http("codex", "GET", "api.github.com", "/user").unwrap();
        assert_eq!((request.action().as_str(), request.principal.agent.as_str()), ("http.request", "codex"));
        let call = llm("claude-code").unwrap();
        assert_eq!(call.llm().map(|call| call.model.as_str()), Some("claude-sonnet-5"));
        assert_ne!(call.fingerprint(Some(1_000)), call.fingerprint(Some(999)));
        assert_eq!(noon().to_rfc3339(), "2026-11-20T12:00:00+00:00");
    }
}
