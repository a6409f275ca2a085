//! Operations, verdicts and stores for the tests beside.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeZone as _, Utc};
use ed25519_dalek::SigningKey;
use reeve_domain::approval::{Approval, GrantScope, Resolution, Resolved, Surface};
use reeve_domain::budget::{Account, Balance, Limit, Reservation, Settlement};
use reeve_domain::clock::ManualClock;
use reeve_domain::host::Host;
use reeve_domain::id::{AgentId, ApprovalId, BudgetId, OperationId, ReservationId, RuleId, SessionId};
use reeve_domain::money::NanoUsd;
use reeve_domain::operation::{Billing, Dialect, Digest, Endpoint, HttpCall, LlmCall, Operation, Scheme, Subject};
use reeve_domain::outcome::{Ending, Outcome};
use reeve_domain::path::RequestPath;
use reeve_domain::principal::Principal;
use reeve_domain::session::Session;
use reeve_domain::settings::Mode;
use reeve_domain::usage::Usage;
use reeve_domain::verdict::{Decision, Denial, DenialKind, Layer, Reason, Risk, Verdict};
use reeve_store::{Admit, Admitted, Store, StoreOptions};

pub fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 12, 0, 0).unwrap()
}

pub fn key() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(noon()))
}

/// A store in a folder, sealed and mirrored.
pub fn open(folder: &Path, clock: &Arc<ManualClock>) -> Store {
    let options = StoreOptions {
        clock: Arc::<ManualClock>::clone(clock),
        seal_key: Some(key()),
        mirror: Some(folder.join("seals.jsonl")),
    };
    Store::open(&folder.join("reeve.db"), options).unwrap()
}

pub fn in_memory(clock: &Arc<ManualClock>) -> Store {
    let options = StoreOptions { clock: Arc::<ManualClock>::clone(clock), seal_key: Some(key()), mirror: None };
    Store::open_in_memory(options).unwrap()
}

pub fn agent(name: &str) -> AgentId {
    AgentId::parse(name).unwrap()
}

pub fn session(agent_name: &str) -> Session {
    Session {
        opener: None,
        mode: None,
        wraps: None,
        id: SessionId::new(),
        agent: agent(agent_name),
        user: "dana".to_owned(),
        team: None,
        cwd: "/home/dana/code/api".to_owned(),
        command: vec!["claude".to_owned()],
        opened_at: noon(),
        expires_at: None,
        ended_at: None,
        ended_because: None,
    }
}

pub fn principal(agent_name: &str, session: &SessionId) -> Principal {
    Principal { agent: agent(agent_name), session: session.clone(), user: "dana".to_owned(), team: None }
}

pub fn endpoint(host: &str, method: &str, path: &str) -> Endpoint {
    Endpoint {
        scheme: Scheme::Https,
        host: Host::parse(host).unwrap(),
        port: 443,
        method: method.to_owned(),
        path: RequestPath::parse(path).unwrap(),
    }
}

pub fn http(principal: Principal, host: &str, method: &str, path: &str) -> Operation {
    Operation {
        id: OperationId::new(),
        at: noon(),
        principal,
        subject: Subject::Http(HttpCall::to(endpoint(host, method, path))),
        content: Digest::of(format!("{method} {host}{path}").as_bytes()),
        summary: format!("{method} {host}{path}"),
        conversation: None,
        credential: None,
        parent: None,
    }
}

pub fn llm(principal: Principal, model: &str) -> Operation {
    Operation {
        id: OperationId::new(),
        at: noon(),
        principal,
        subject: Subject::Llm(LlmCall {
            endpoint: endpoint("api.anthropic.com", "POST", "/v1/messages"),
            dialect: Dialect::AnthropicMessages,
            provider: "anthropic".to_owned(),
            model: model.to_owned(),
            stream: true,
            input_bound: 1000,
            cache_write_bound: 0,
            cache_one_hour: false,
            output_limit: Some(500),
            candidates: 1,
            question: None,
            stage: None,
            thinking_budget: None,
            tools_offered: vec!["Bash".to_owned()],
            server_tools: Vec::new(),
            service_tier: None,
            multipliers: Vec::new(),
            billing: Billing::Metered,
            body_bytes: 2000,
        }),
        content: Digest::of(model.as_bytes()),
        summary: format!("{model} 1.0k tokens in"),
        conversation: Some("conv-1".to_owned()),
        credential: None,
        parent: None,
    }
}

pub fn reason(rule: &str) -> Reason {
    Reason {
        rule: RuleId::parse(rule).unwrap(),
        text: format!("because of {rule}"),
        layer: Layer::Mine,
        file: "mine.cedar".to_owned(),
        line: 3,
        liftable: true,
    }
}

pub fn verdict(decision: Decision, rules: &[&str], risk: Risk) -> Verdict {
    let reasons = rules.iter().map(|rule| reason(rule)).collect();
    Verdict::new(decision, Vec::new(), reasons, risk, Vec::new(), "rev1".to_owned(), Vec::new())
}

pub fn allow() -> Verdict {
    verdict(Decision::Allow, &["allow-all"], Risk::Low)
}

pub fn denial(kind: DenialKind, rule: &str) -> Denial {
    Denial {
        kind,
        message: "not allowed".to_owned(),
        advice: "do something else".to_owned(),
        reasons: vec![reason(rule)],
        record: None,
    }
}

pub fn account(budget: &str, key: &str, start: DateTime<Utc>, limit: Limit) -> Account {
    Account { budget: BudgetId::parse(budget).unwrap(), key: key.to_owned(), window_start: start, limit }
}

pub fn money(nano: i64) -> Limit {
    Limit::Money(NanoUsd(nano))
}

pub fn reservation(operation: &Operation, amount: i64, tokens: u64, accounts: &[Account]) -> Reservation {
    Reservation {
        id: ReservationId::new(),
        operation: operation.id.clone(),
        amount: NanoUsd(amount),
        tokens,
        accounts: accounts.to_vec(),
        output_limit: Some(500),
        price: Some("claude @ 2026-11-01".to_owned()),
    }
}

pub fn settlement(amount: i64, tokens: u64) -> Settlement {
    Settlement { amount: NanoUsd(amount), worth: NanoUsd(amount), tokens, estimated: false, overrun: false }
}

/// Whether a need fits the tightest of these accounts.
pub fn fits(accounts: &[Account], balances: &[Balance], amount: i64, tokens: u64) -> bool {
    accounts.iter().zip(balances).all(|(account, balance)| {
        let (limit, needed) = match account.limit {
            Limit::Money(limit) => (limit.0, amount),
            Limit::Tokens(limit) => (i64::try_from(limit).unwrap(), i64::try_from(tokens).unwrap()),
        };
        needed <= limit - balance.settled - balance.reserved
    })
}

pub fn plain(operation: &Operation) -> Admit {
    Admit {
        operation: operation.clone(),
        verdict: allow(),
        accounts: Vec::new(),
        reserve: None,
        approval: None,
        would: None,
        mode: Mode::Enforce,
        still: None,
        counting: None,
    }
}

/// An admission that reserves so much where it fits, and is a budget denial where it does not.
pub fn spending(operation: &Operation, accounts: &[Account], amount: i64, tokens: u64) -> Admit {
    let (wanted, all) = (reservation(operation, amount, tokens, accounts), accounts.to_vec());
    Admit {
        accounts: accounts.to_vec(),
        reserve: Some(Box::new(move |balances| {
            if fits(&all, balances, amount, tokens) { Ok(wanted) } else { Err(denial(DenialKind::Budget, "budget")) }
        })),
        ..plain(operation)
    }
}

pub fn admitted(outcome: &Admitted) -> bool {
    matches!(outcome, Admitted::Yes { .. })
}

pub fn complete(status: u16) -> Outcome {
    Outcome { status: Some(status), total_ms: 300, ..Outcome::ended(Ending::Complete) }
}

pub fn used(input: u64, output: u64) -> Outcome {
    let usage = Usage { input, output, ..Usage::default() };
    Outcome { usage: Some(usage), usage_final: true, ..complete(200) }
}

pub fn question(operation: &Operation, expires_at: DateTime<Utc>) -> Approval {
    Approval {
        id: ApprovalId::new(),
        operation: operation.id.clone(),
        agent: operation.principal.agent.clone(),
        session: operation.principal.session.clone(),
        user: operation.principal.user.clone(),
        cwd: "/home/dana/code/api".to_owned(),
        action: operation.action(),
        summary: operation.summary.clone(),
        question: operation.fingerprint(None),
        fingerprint: operation.fingerprint(None),
        output_limit: None,
        reasons: vec![reason("ask-push")],
        risk: Risk::High,
        risk_reasons: Vec::new(),
        view: serde_json::json!({"temperature": 0.7, "body": "merge the elephant branch"}),
        estimate: None,
        unaffordable: None,
        over: Vec::new(),
        asked_at: noon(),
        expires_at,
        joined: 1,
        resolved: None,
        used_at: None,
    }
}

pub fn answer(resolution: Resolution) -> Resolved {
    Resolved { resolution, by: "dana".to_owned(), surface: Surface::Cli, at: noon(), reading_ms: Some(2000) }
}

pub fn approved() -> Resolved {
    answer(Resolution::Approved { scope: GrantScope::Once })
}
