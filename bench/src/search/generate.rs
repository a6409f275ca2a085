//! A store as a few agents leave it over a week: sessions of very different length, with model calls, tool calls and
//! requests that stand below one another.

use std::sync::Arc;

use chrono::{DateTime, TimeZone as _, Utc};
use ed25519_dalek::SigningKey;
use futures_util::stream::{self, StreamExt as _};
use reeve_domain::budget::Settlement;
use reeve_domain::clock::ManualClock;
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::host::Host;
use reeve_domain::id::{AgentId, OperationId, RuleId, SessionId};
use reeve_domain::money::NanoUsd;
use reeve_domain::operation::{
    Argument, ArgumentValue, Billing, Dialect, Digest, Endpoint, HttpCall, LlmCall, McpToolCall, McpTransport,
    Operation, Purpose, RowCount, SchemaCheck, Scheme, Subject, ToolAnnotations,
};
use reeve_domain::outcome::{Ending, Outcome};
use reeve_domain::path::RequestPath;
use reeve_domain::principal::Principal;
use reeve_domain::session::{Session, SessionEnd};
use reeve_domain::settings::Mode;
use reeve_domain::usage::Usage;
use reeve_domain::verdict::{Decision, Denial, DenialKind, Layer, Reason, Risk, Verdict};
use reeve_store::{Admit, Store, StoreError, StoreOptions};

/// A store of at least so many events, and its longest session.
pub async fn generate(folder: &std::path::Path, events: u64) -> anyhow::Result<(Store, SessionId)> {
    let start = Utc.with_ymd_and_hms(2026, 11, 14, 8, 0, 0).single().expect("a moment");
    let clock = Arc::new(ManualClock::new(start));
    let store = Store::open(
        &folder.join("reeve.db"),
        StoreOptions {
            clock: clock.clone(),
            seal_key: Some(SigningKey::from_bytes(&[7; 32])),
            mirror: Some(folder.join("heads.jsonl")),
        },
    )?;
    let mut made = Operations::new(start, events);
    while store.head().seq < events {
        // A batch at a time, so that the writer commits many together, as it does under load.
        let batch: Vec<Made> = (0..4000).map(|_| made.next()).collect();
        clock.set_wall(made.at);
        for session in made.opened.drain(..) {
            let token_hash = Digest::of(session.id.as_str().as_bytes()).0;
            store.open_session(session, token_hash).await?;
        }
        stream::iter(batch)
            .map(|one| commit(&store, one))
            .buffer_unordered(512)
            .collect::<Vec<_>>()
            .await
            .into_iter()
            .collect::<Result<Vec<()>, _>>()?;
        let ended = made.ended.drain(..).map(|(agent, session)| Draft {
            agent: Some(agent),
            session: Some(session),
            operation: None,
            body: EventBody::SessionEnded { because: SessionEnd::Exited },
        });
        store.append(ended.collect()).await?;
    }
    let longest = made.longest.ok_or_else(|| anyhow::anyhow!("too few events for a long session"))?;
    Ok((store, longest))
}

async fn commit(store: &Store, made: Made) -> Result<(), StoreError> {
    let Made { operation, verdict, denial, outcome } = made;
    if let Some(denial) = denial {
        store.deny(operation, Some(verdict), denial, None).await?;
        return Ok(());
    }
    let admit = Admit {
        operation: operation.clone(),
        verdict,
        accounts: Vec::new(),
        reserve: None,
        approval: None,
        would: None,
        mode: Mode::Enforce,
        still: None,
        counting: None,
    };
    store.admit(admit).await?;
    let settlement = outcome.usage.as_ref().map(|usage| {
        let amount = NanoUsd(i64::try_from(usage.output).unwrap_or(0) * 40_000);
        Settlement { amount, worth: amount, tokens: usage.total(), estimated: false, overrun: false }
    });
    store.settle(operation, outcome, settlement).await?;
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Llm,
    Tool,
}

struct Made {
    operation: Operation,
    verdict: Verdict,
    denial: Option<Denial>,
    outcome: Outcome,
}

/// What a session has left to do, its last model call, and the last tool call since.
struct Running {
    id: SessionId,
    agent: &'static str,
    left: u64,
    asked: Option<OperationId>,
    called: Option<OperationId>,
}

/// A stream of operations as a few agents leave it over a week. Three sessions run at once; most are short, some have
/// hundreds of operations, and one has 50,000.
struct Operations {
    at: DateTime<Utc>,
    n: u64,
    sessions: u64,
    /// The operation at which the longest session begins, behind the third that is removed later, and its length.
    long_at: u64,
    long: u64,
    running: Vec<Running>,
    opened: Vec<Session>,
    ended: Vec<(AgentId, SessionId)>,
    longest: Option<SessionId>,
}

/// Sessions that run at once.
const AT_ONCE: usize = 3;
/// Operations of the longest session; a smaller store has a shorter one.
const LONGEST: u64 = 50_000;
const AGENTS: [&str; 5] = ["claude-code", "codex", "gemini-cli", "opencode", "claude-code"];
const TOOLS: [&str; 5] = ["read_file", "search_code", "list_issues", "update_issue", "run_query"];
const HOSTS: [&str; 6] =
    ["api.github.com", "raw.github.com", "docs.example.com", "api.example.com", "cdn.example.org", "paste.example.net"];
const WORDS: [&str; 8] = ["things", "merge", "issues", "search", "users", "builds", "releases", "quokkas"];

impl Operations {
    fn new(at: DateTime<Utc>, events: u64) -> Self {
        Self {
            at,
            n: 0,
            sessions: 0,
            long_at: events / 4,
            long: LONGEST.min(events / 20).max(1),
            running: Vec::new(),
            opened: Vec::new(),
            ended: Vec::new(),
            longest: None,
        }
    }

    /// Of every twenty sessions sixteen have 3 to 60 operations, three have 100 to 600, and one has up to 1,500.
    fn begin(&mut self) {
        self.sessions += 1;
        let dice = self.dice(11);
        let is_longest = self.longest.is_none() && self.n >= self.long_at;
        let left = match self.sessions % 20 {
            _ if is_longest => self.long,
            0 => 600 + dice % 900,
            1..=3 => 100 + dice % 500,
            _ => 3 + dice % 58,
        };
        let rare = self.sessions.is_multiple_of(907) && !is_longest;
        let agent = if rare { "rare-agent" } else { self.pick(1, &AGENTS) };
        let id = SessionId::new();
        if is_longest {
            self.longest = Some(id.clone());
        }
        self.opened.push(Session {
            id: id.clone(),
            agent: AgentId::parse(agent).expect("an agent"),
            user: "dana".to_owned(),
            team: None,
            cwd: "/home/dana/project".to_owned(),
            command: vec![agent.to_owned()],
            mode: None,
            wraps: None,
            opener: None,
            opened_at: self.at,
            expires_at: None,
            ended_at: None,
            ended_because: None,
        });
        self.running.push(Running { id, agent, left, asked: None, called: None });
    }

    /// A number that looks random and is the same in every run.
    fn dice(&self, salt: u64) -> u64 {
        let mut x = self.n.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(salt.wrapping_mul(0xBF58_476D_1CE4_E5B9));
        x ^= x >> 29;
        x = x.wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 32)
    }

    fn pick(&self, salt: u64, from: &[&'static str]) -> &'static str {
        let at = usize::try_from(self.dice(salt) % u64::try_from(from.len()).unwrap_or(1)).unwrap_or(0);
        from.get(at).copied().unwrap_or_default()
    }

    fn next(&mut self) -> Made {
        self.n += 1;
        self.at += chrono::Duration::milliseconds(1000);
        while self.running.len() < AT_ONCE {
            self.begin();
        }
        let at = usize::try_from(self.dice(12)).unwrap_or(0) % AT_ONCE;
        let mut running = self.running.swap_remove(at);
        let denied = self.dice(2).is_multiple_of(40);
        let kind = match self.dice(3) % 10 {
            _ if denied => Kind::Http,
            _ if running.asked.is_none() => Kind::Llm,
            0..4 => Kind::Llm,
            4..7 => Kind::Tool,
            _ => Kind::Http,
        };
        let llm = kind == Kind::Llm;
        let operation = self.operation(&mut running, kind);
        running.left -= 1;
        if running.left == 0 {
            self.ended.push((AgentId::parse(running.agent).expect("an agent"), running.id));
        } else {
            self.running.push(running);
        }
        let rule = if denied { "no-paste" } else { "allow-known" };
        let reason = Reason {
            rule: RuleId::parse(rule).expect("a rule"),
            text: "as the bench says".to_owned(),
            layer: Layer::Mine,
            file: "bench.cedar".to_owned(),
            line: 1,
            liftable: false,
        };
        let decision = if denied { Decision::Deny } else { Decision::Allow };
        let verdict = Verdict::new(
            decision,
            Vec::new(),
            vec![reason.clone()],
            Risk::Low,
            Vec::new(),
            "bench".to_owned(),
            Vec::new(),
        );
        let denial = denied.then(|| Denial {
            kind: DenialKind::Policy,
            message: "no".to_owned(),
            advice: String::new(),
            reasons: vec![reason],
            record: None,
        });
        Made { operation, verdict, denial, outcome: self.outcome(llm) }
    }

    /// A model call goes on where the last one left off, but for every eighth, which begins a turn. Tool calls stand below
    /// the model call that asked for them, and half of the requests below a tool call.
    fn operation(&self, running: &mut Running, kind: Kind) -> Operation {
        let id = OperationId::new();
        let parent = match kind {
            Kind::Llm if self.dice(13).is_multiple_of(8) => None,
            Kind::Http if self.dice(14).is_multiple_of(2) => running.called.clone().or_else(|| running.asked.clone()),
            Kind::Llm | Kind::Tool | Kind::Http => running.asked.clone(),
        };
        let (subject, summary) = match kind {
            Kind::Tool => self.tool(),
            Kind::Llm | Kind::Http => self.request(kind == Kind::Llm),
        };
        match kind {
            Kind::Llm => (running.asked, running.called) = (Some(id.clone()), None),
            Kind::Tool => running.called = Some(id.clone()),
            Kind::Http => {}
        }
        Operation {
            id,
            at: self.at,
            principal: Principal {
                agent: AgentId::parse(running.agent).expect("an agent"),
                session: running.id.clone(),
                user: "dana".to_owned(),
                team: None,
            },
            content: Digest::of(summary.as_bytes()),
            subject,
            summary,
            conversation: None,
            credential: None,
            parent,
        }
    }

    fn request(&self, llm: bool) -> (Subject, String) {
        let host = if llm { "api.anthropic.com" } else { self.pick(4, &HOSTS) };
        let word = if self.n.is_multiple_of(50_000) { "quokka" } else { self.pick(5, &WORDS) };
        let path = if llm { "/v1/messages".to_owned() } else { format!("/v1/{word}/{}", self.n % 1000) };
        let endpoint = Endpoint {
            scheme: Scheme::Https,
            host: Host::parse(host).expect("a host"),
            port: 443,
            method: if llm { "POST" } else { self.pick(6, &["GET", "GET", "GET", "POST"]) }.to_owned(),
            path: RequestPath::parse(&path).expect("a path"),
        };
        let summary = format!("{} {host}{path}", endpoint.method);
        (if llm { Subject::Llm(self.call(endpoint)) } else { Subject::Http(HttpCall::to(endpoint)) }, summary)
    }

    fn tool(&self) -> (Subject, String) {
        let (tool, word) = (self.pick(15, &TOOLS), self.pick(5, &WORDS));
        let text = format!("src/{word}/{}.rs", self.n % 1000);
        let call = McpToolCall {
            server: "project".to_owned(),
            transport: McpTransport::Stdio,
            tool: tool.to_owned(),
            annotations: ToolAnnotations::default(),
            argument_bytes: u64::try_from(text.len()).unwrap_or(0),
            arguments: vec![Argument { path: "path".to_owned(), value: ArgumentValue::Text(text) }],
            is_whole: true,
            schema: SchemaCheck::Fits,
            definition: Some(Digest::of(tool.as_bytes())),
            endpoint: None,
            purpose: Purpose::Call,
            rows: RowCount::NotCounted,
            data: Vec::new(),
        };
        (Subject::Mcp(call), format!("project.{tool}"))
    }

    fn call(&self, endpoint: Endpoint) -> LlmCall {
        LlmCall {
            endpoint,
            dialect: Dialect::AnthropicMessages,
            provider: "anthropic".to_owned(),
            model: self.pick(7, &["claude-sonnet-5", "claude-opus-4-8", "gpt-5.2-codex"]).to_owned(),
            stream: true,
            input_bound: 20_000,
            cache_write_bound: 0,
            cache_one_hour: false,
            output_limit: Some(8000),
            candidates: 1,
            question: None,
            stage: None,
            thinking_budget: None,
            tools_offered: Vec::new(),
            server_tools: Vec::new(),
            service_tier: None,
            multipliers: Vec::new(),
            billing: Billing::Metered,
            body_bytes: 60_000,
        }
    }

    fn outcome(&self, llm: bool) -> Outcome {
        let mut outcome = Outcome::ended(Ending::Complete);
        outcome.status = Some(if self.dice(8).is_multiple_of(30) { 404 } else { 200 });
        outcome.total_ms = self.dice(9) % 5000;
        if llm {
            outcome.usage = Some(Usage { input: 8000, output: self.dice(10) % 2000, ..Usage::default() });
            outcome.usage_final = true;
        }
        outcome
    }
}
