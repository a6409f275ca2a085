//! Timeline queries on a generated store of a million events with realistic sessions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeZone as _, Utc};
use ed25519_dalek::SigningKey;
use futures_util::stream::{self, StreamExt as _};
use reeve_domain::budget::Settlement;
use reeve_domain::chain::RemovalCause;
use reeve_domain::clock::ManualClock;
use reeve_domain::host::Host;
use reeve_domain::id::{AgentId, OperationId, RuleId, SessionId};
use reeve_domain::money::NanoUsd;
use reeve_domain::operation::{Billing, Dialect, Digest, Endpoint, HttpCall, LlmCall, Operation, Scheme, Subject};
use reeve_domain::outcome::{Ending, Outcome};
use reeve_domain::path::RequestPath;
use reeve_domain::principal::Principal;
use reeve_domain::query;
use reeve_domain::settings::Mode;
use reeve_domain::usage::Usage;
use reeve_domain::verdict::{Decision, Denial, DenialKind, Layer, Reason, Risk, Verdict};
use reeve_store::search::Page;
use reeve_store::{Admit, Store, StoreError, StoreOptions};

use crate::figures::{Times, against, us};

/// The named queries: field, text, prefix, combined, time range, and facet counts.
const QUERIES: &[(&str, &str)] = &[
    ("everything", ""),
    ("one agent", "agent:codex"),
    ("denied", "decision:denied"),
    ("rare word", "quokka"),
    ("common word", "things"),
    ("prefix while typing", "qu*"),
    ("host with a star", "host:*.github.com"),
    ("rarest agent that was denied", "agent:rare-agent decision:denied things"),
    ("two values of a key", "decision:(denied,allowed) kind:llm"),
    ("dear calls", "cost:>0.05"),
    ("time range", "since:2026-11-20T10:00:00Z before:2026-11-20T11:00:00Z"),
    ("combined", "kind:llm model:claude-* -agent:codex since:2026-11-20T10:00:00Z"),
    ("either or", "(host:api.github.com status:>=400) OR rule:no-paste"),
    ("slow", "latency:>4s"),
];

pub async fn run(events: u64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let begun = Instant::now();
    let store = generate(folder.path(), events).await?;
    println!("search: {} events generated in {:.0} s", store.head().seq, begun.elapsed().as_secs_f64());
    measure(&store).await?;
    remove_third(&store).await?;
    measure(&store).await
}

/// Takes away the oldest third as the engine does, but without rests: what one step keeps others waiting for.
async fn remove_third(store: &Store) -> anyhow::Result<()> {
    let before = store.size().await?;
    let begun = Instant::now();
    store.begin_removal(store.head().seq / 3, RemovalCause::Age).await?;
    let (mut removals, mut shrinkings) = (Times::default(), Times::default());
    while timed(&mut removals, store.remove_some(200)).await? {}
    while timed(&mut shrinkings, store.shrink(64)).await? {}
    let (after, seconds) = (store.size().await?, begun.elapsed().as_secs_f64());
    println!("  the oldest third removed in {seconds:.0} s: {} MB, then {} MB", before.bytes >> 20, after.bytes >> 20);
    for (what, times) in [("removing 200 records", &removals), ("giving back 64 pages", &shrinkings)] {
        println!("  {what:<32} {:>12} {:>12}", us(times.quantile(0.5)), us(times.quantile(0.95)));
    }
    Ok(())
}

async fn timed(times: &mut Times, step: impl Future<Output = Result<bool, StoreError>>) -> Result<bool, StoreError> {
    let begun = Instant::now();
    let more = step.await?;
    times.push(begun.elapsed());
    Ok(more)
}

async fn measure(store: &Store) -> anyhow::Result<()> {
    println!("  {:<32} {:>12} {:>12} {:>14}", "query", "page p50", "page p95", "facets p95");
    let (mut pages, mut facets) = (Times::default(), Times::default());
    for (name, text) in QUERIES {
        let parsed = query::parse(text);
        anyhow::ensure!(parsed.problems.is_empty(), "`{text}` is not understood");
        let (mut page, mut facet) = (Times::default(), Times::default());
        for _ in 0..20 {
            let begun = Instant::now();
            store.search(&parsed.query, Page { before: None, limit: 100 }).await?;
            page.push(begun.elapsed());
        }
        for _ in 0..5 {
            let begun = Instant::now();
            store.facets(&parsed.query).await?;
            facet.push(begun.elapsed());
        }
        println!(
            "  {name:<32} {:>12} {:>12} {:>14}",
            us(page.quantile(0.5)),
            us(page.quantile(0.95)),
            us(facet.quantile(0.95))
        );
        pages.extend(page);
        facets.extend(facet);
    }
    println!("  {} pages and {} facet counts", pages.len(), facets.len());
    against("first page of any query, p95", pages.quantile(0.95), Duration::from_millis(20));
    against("all facets, p95", facets.quantile(0.95), Duration::from_millis(50));
    Ok(())
}

async fn generate(folder: &std::path::Path, events: u64) -> anyhow::Result<Store> {
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
    let mut made = Operations::new(start);
    while store.head().seq < events {
        // A batch at a time, so that the writer commits many together, as it does under load.
        let batch: Vec<Made> = (0..4000).map(|_| made.next()).collect();
        clock.set_wall(made.at);
        stream::iter(batch)
            .map(|one| commit(&store, one))
            .buffer_unordered(512)
            .collect::<Vec<_>>()
            .await
            .into_iter()
            .collect::<Result<Vec<()>, _>>()?;
    }
    Ok(store)
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

struct Made {
    operation: Operation,
    verdict: Verdict,
    denial: Option<Denial>,
    outcome: Outcome,
}

/// A stream of operations as a few agents leave it over a week: sessions of some hundred, mostly model calls and reads.
struct Operations {
    at: DateTime<Utc>,
    n: u64,
    session: SessionId,
}

const AGENTS: [&str; 5] = ["claude-code", "codex", "gemini-cli", "opencode", "claude-code"];
const HOSTS: [&str; 6] =
    ["api.github.com", "raw.github.com", "docs.example.com", "api.example.com", "cdn.example.org", "paste.example.net"];
const WORDS: [&str; 8] = ["things", "merge", "issues", "search", "users", "builds", "releases", "quokkas"];

impl Operations {
    fn new(at: DateTime<Utc>) -> Self {
        Self { at, n: 0, session: SessionId::new() }
    }

    /// A number that looks random and is the same in every run.
    fn dice(&self, salt: u64) -> u64 {
        let mut x = self.n.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(salt.wrapping_mul(0xBF58_476D_1CE4_E5B9));
        x ^= x >> 29;
        x = x.wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 32)
    }

    fn pick<'a>(&self, salt: u64, from: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.dice(salt) % u64::try_from(from.len()).unwrap_or(1)).unwrap_or(0);
        from.get(at).copied().unwrap_or_default()
    }

    fn next(&mut self) -> Made {
        self.n += 1;
        self.at += chrono::Duration::milliseconds(1000);
        if self.n.is_multiple_of(300) {
            self.session = SessionId::new();
        }
        let agent = if self.n.is_multiple_of(5000) { "rare-agent" } else { self.pick(1, &AGENTS) };
        let denied = self.dice(2).is_multiple_of(40);
        let llm = !denied && self.dice(3) % 10 < 4;
        let operation = self.operation(agent, llm);
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

    fn operation(&self, agent: &str, llm: bool) -> Operation {
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
        Operation {
            id: OperationId::new(),
            at: self.at,
            principal: Principal {
                agent: AgentId::parse(agent).expect("an agent"),
                session: self.session.clone(),
                user: "dana".to_owned(),
                team: None,
            },
            content: Digest::of(summary.as_bytes()),
            subject: if llm { Subject::Llm(self.call(endpoint)) } else { Subject::Http(call(endpoint)) },
            summary,
            conversation: None,
            credential: None,
            parent: None,
        }
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

fn call(endpoint: Endpoint) -> HttpCall {
    HttpCall { endpoint, query: None, query_bytes: None, content_type: None, body_bytes: Some(0), upgrade: None }
}
