//! Search against the reference filter: what the index finds is what the grammar means.

use std::sync::Arc;
use std::time::Duration;

use reeve_domain::approval::Resolution;
use reeve_domain::clock::{Clock as _, ManualClock};
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::{CredentialId, SessionId};
use reeve_domain::money::NanoUsd;
use reeve_domain::operation::{Operation, Subject};
use reeve_domain::outcome::{Ending, Outcome, ToolCallAsked};
use reeve_domain::query::{Decided, OperationRow, parse};
use reeve_domain::settings::Mode;
use reeve_domain::usage::Usage;
use reeve_domain::verdict::{Decision, DenialKind, Risk};
use reeve_store::{Admit, ApprovalUse, Page, Store};

use crate::samples::*;

const QUERIES: &[&str] = &[
    "",
    "agent:codex",
    "agent:CODEX",
    "agent:c*",
    "agent:*code*",
    "agent:*x",
    "-agent:codex",
    "agent:(codex,gemini-cli)",
    "agent:nobody",
    "agent:*",
    "team:*",
    "team:\"\"",
    "kind:llm",
    "kind:http -agent:codex",
    "decision:denied",
    "decision:(denied,held)",
    "decision:would*",
    "decision:would-deny",
    "decision:approved OR decision:refused",
    "host:api.github.com",
    "host:*.github.com",
    "host:*github*",
    "host:api.*",
    "domain:github.com",
    "domain:com -domain:github.com",
    "host:*.0.0.1",
    "host:*",
    "method:POST",
    "path:/repos/*",
    "path:*merges",
    "path:*acme*",
    "model:claude-*",
    "model:*sonnet",
    "provider:anthropic model:\"\"",
    "status:200",
    "status:>=400",
    "status:(404,500)",
    "-status:200",
    "status:200..499",
    "error:*",
    "error:*timeout*",
    "error:\"\" kind:http",
    "port:443",
    "port:<1000",
    "rule:no-evil",
    "rule:*push*",
    "risk:>=high",
    "risk:<high",
    "risk:low..medium",
    "-risk:*",
    "mode:observe",
    "is:first-seen",
    "is:(injected,redacted)",
    "is:pinned",
    "has:body",
    "cost:>0.0000005",
    "cost:0.000000100..0.000001",
    "cost:<=0.0000001",
    "-cost:>0",
    "reserved:>0",
    "tokens.in:>=1k",
    "tokens.out:<5",
    "tokens.cached:0",
    "latency:>1s",
    "latency:300ms",
    "latency:1s..10s model:\"claude-*\"",
    "credential:github",
    "budget:day",
    "tool:Bash",
    "tool:github.* (status:>=400 OR error:*)",
    "approver:dana scope:once surface:cli",
    "trace:conv-1",
    "cwd:*",
    "user:dana",
    "session:*",
    "merge",
    "merg*",
    "*erge",
    "\"acme api\"",
    "\"api acme\"",
    "elephant",
    "-elephant",
    "elephant branch OR POST",
    "\"elephant bra*\"",
    "claude sonnet tokens",
    "since:30s",
    "before:30s",
    "since:50s before:20s kind:llm",
    "-since:30s",
    "(since:20s OR decision:denied) -kind:llm",
    "record:1",
    "hash:*a*",
    "kind:llm cost:>0.0000003 -agent:codex",
    "-(kind:llm OR decision:denied) -is:first-seen",
    "-(-kind:llm)",
    "pid:1 OR kind:llm",
    "-pid:1",
    "\"...\"",
];

/// Many different operations, some of them open.
async fn filled(clock: &Arc<ManualClock>, store: &Store) {
    let agents = ["claude-code", "codex", "gemini-cli"];
    let hosts = ["api.github.com", "github.com", "uploads.github.com", "evil.example", "127.0.0.1", "example.com"];
    let models = ["claude-sonnet-4", "claude-opus-4", "gpt-5"];
    for n in 0..120_usize {
        clock.advance(Duration::from_millis(500));
        let agent = agents[n % 3];
        let session = session(agent);
        store.open_session(session.clone(), "00".repeat(32)).await.unwrap();
        let principal = principal(agent, &session.id);
        let operation = if n.is_multiple_of(2) {
            llm(principal, models[n / 2 % 3])
        } else {
            let method = if n.is_multiple_of(3) { "POST" } else { "GET" };
            http(principal, hosts[n % 6], method, ["/repos/acme/api/merges", "/", "/v1/Items"][n % 3])
        };
        one(store, n, operation).await;
    }
}

async fn one(store: &Store, n: usize, mut operation: Operation) {
    let risk = [Risk::Low, Risk::Medium, Risk::High, Risk::Critical][n % 4];
    if n.is_multiple_of(7) {
        operation.credential = Some(CredentialId::parse("github").unwrap());
    }
    match n % 8 {
        0 => {
            let kind = [DenialKind::Policy, DenialKind::Budget][n % 2];
            store.deny(operation, None, denial(kind, "no-evil"), None).await.unwrap();
        }
        1 => held(store, n, operation, risk).await,
        2 => {
            let (decision, rule) = [(Decision::Deny, "no-evil"), (Decision::Ask, "ask-push")][n / 8 % 2];
            let admit = Admit {
                verdict: verdict(decision, &[rule], risk),
                would: Some(denial(DenialKind::Policy, rule)),
                mode: Mode::Observe,
                ..plain(&operation)
            };
            store.admit(admit).await.unwrap();
            store.settle(operation, outcome(n), None).await.unwrap();
        }
        // Left open.
        3 => _ = store.admit(plain(&operation)).await.unwrap(),
        _ if matches!(operation.subject, Subject::Llm(_)) => {
            let day = [account("day", "me:dana", noon(), money(1_000_000_000))];
            let amount = i64::try_from(n * 13 % 1100).unwrap();
            let admit = Admit {
                verdict: verdict(Decision::Allow, &["allow-all"], risk),
                ..spending(&operation, &day, amount, 10)
            };
            store.admit(admit).await.unwrap();
            store.settle(operation, outcome(n), Some(settlement(amount, 7))).await.unwrap();
        }
        _ => {
            store.admit(plain(&operation)).await.unwrap();
            let masked = EventBody::CredentialMasked { credential: CredentialId::parse("npm").unwrap(), times: 1 };
            if n.is_multiple_of(5) {
                store.append(vec![Draft::of(&operation, masked.clone())]).await.unwrap();
            }
            store.settle(operation.clone(), outcome(n), None).await.unwrap();
            if n.is_multiple_of(11) {
                // After the end: the document in the index is replaced.
                store.append(vec![Draft::of(&operation, masked)]).await.unwrap();
            }
        }
    }
}

async fn held(store: &Store, n: usize, operation: Operation, risk: Risk) {
    let approval = question(&operation, noon() + chrono::Duration::hours(1));
    store.ask(approval.clone(), operation.clone(), verdict(Decision::Ask, &["ask-push"], risk)).await.unwrap();
    match n / 8 % 4 {
        0 => {}
        1 => _ = store.resolve_approval(&approval.id, answer(Resolution::Refused { reason: None })).await.unwrap(),
        2 => _ = store.resolve_approval(&approval.id, answer(Resolution::Withdrawn)).await.unwrap(),
        _ => {
            store.resolve_approval(&approval.id, approved()).await.unwrap();
            let used = ApprovalUse { id: approval.id, waited: true };
            store.admit(Admit { approval: Some(used), ..plain(&operation) }).await.unwrap();
            store.settle(operation, outcome(n), None).await.unwrap();
        }
    }
}

fn outcome(n: usize) -> Outcome {
    let n64 = n as u64;
    let ending = match n % 5 {
        0 => Ending::CutByUpstream { why: "read timeout after 30 s".to_owned() },
        1 => Ending::CutByClient,
        _ => Ending::Complete,
    };
    let usage = Usage { input: n64 * 31 % 2000, output: n64 % 9, cache_read: n64 % 2, ..Usage::default() };
    Outcome {
        status: Some([200, 404, 500, 200, 201][n % 5]),
        usage: n.is_multiple_of(2).then_some(usage),
        total_ms: [300, 1, 999, 1000, 10_000, 65_000][n % 6],
        tool_calls: vec![ToolCallAsked {
            id: "1".to_owned(),
            name: ["Bash", "github.search", "Read"][n % 3].to_owned(),
        }],
        injected: if n.is_multiple_of(4) { vec![CredentialId::parse("github").unwrap()] } else { Vec::new() },
        peer: Some("140.82.112.5:443".to_owned()),
        ..Outcome::ended(ending)
    }
}

async fn all_rows(store: &Store) -> Vec<OperationRow> {
    let mut rows = Vec::new();
    let mut before = None;
    loop {
        let page = store.search(&parse("").query, Page { before, limit: 17 }).await.unwrap();
        rows.extend(page.rows);
        before = page.next;
        if before.is_none() {
            return rows;
        }
    }
}

#[tokio::test]
async fn sixty_and_more_queries_find_what_the_reference_filter_finds() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let store = open(folder.path(), &clock);
    filled(&clock, &store).await;
    let all = all_rows(&store).await;
    assert_eq!(all.len(), 120);
    assert!(all.iter().any(|row| row.open) && all.windows(2).all(|pair| pair[0].id > pair[1].id));
    let mut found_something = 0;
    for text in QUERIES {
        let parsed = parse(text);
        assert_eq!(parsed.problems, [], "{text}");
        let query = parsed.query;
        let expected: Vec<&OperationRow> = all.iter().filter(|row| row.matches(&query, clock.now())).collect();
        let ids: Vec<u64> = expected.iter().map(|row| row.id).collect();
        found_something += usize::from(!ids.is_empty());

        let mut paged = Vec::new();
        let mut before = None;
        loop {
            let page = store.search(&query, Page { before, limit: 7 }).await.unwrap();
            paged.extend(page.rows.iter().map(|row| row.id));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(paged, ids, "{text}");

        let facets = store.facets(&query).await.unwrap();
        let cost: i64 = expected.iter().filter_map(|row| row.cost).map(|cost| cost.0).sum();
        assert_eq!((facets.matches, facets.cost, facets.capped), (ids.len() as u64, cost, false), "{text}");
        let agents = &facets.groups.iter().find(|group| group.key == "agent").unwrap().values;
        for value in agents {
            let count = expected.iter().filter(|row| row.agent.as_str() == value.value).count();
            assert_eq!(value.count, count as u64, "{text}");
        }

        let histogram = store.histogram(&query, 60).await.unwrap();
        assert!(histogram.bins.len() <= 60 && !histogram.approximate);
        for decided in Decided::ALL {
            let counted: u64 = histogram.bins.iter().map(|bin| bin.count(decided)).sum();
            let count = expected.iter().filter(|row| row.decision == decided).count();
            assert_eq!(counted, count as u64, "{text} {}", decided.as_str());
        }
    }
    assert!(found_something > 75, "{found_something}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_while_it_is_counted_is_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &clock());
    let one = principal("codex", &SessionId::new());
    let all: Vec<Operation> = (0..200).map(|_| http(one.clone(), "api.github.com", "GET", "/")).collect();
    for operation in &all {
        assert!(admitted(&store.admit(plain(operation)).await.unwrap()));
    }
    let ending = tokio::spawn({
        let store = store.clone();
        async move {
            for operation in all {
                store.settle(operation, complete(200), None).await.unwrap();
            }
        }
    });
    let query = parse("agent:codex").query;
    while !ending.is_finished() {
        assert_eq!(store.facets(&query).await.unwrap().matches, 200);
    }
    ending.await.unwrap();
}

#[tokio::test]
async fn rebuilding_makes_the_same_rows_and_the_same_index() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let store = open(folder.path(), &clock);
    filled(&clock, &store).await;
    let before = all_rows(&store).await;
    assert!(store.rebuild().await.unwrap() > 200);
    assert_eq!(all_rows(&store).await, before);
    for text in ["elephant", "host:*.github.com", "is:first-seen", "cost:>0.0000003", "agent:*code*"] {
        let query = parse(text).query;
        let expected: Vec<u64> =
            before.iter().filter(|row| row.matches(&query, clock.now())).map(|row| row.id).collect();
        let found = store.search(&query, Page { before: None, limit: 500 }).await.unwrap();
        assert_eq!(found.rows.iter().map(|row| row.id).collect::<Vec<_>>(), expected, "{text}");
    }
    // And it goes on where it was.
    let operation = http(principal("codex", &SessionId::new()), "example.org", "GET", "/");
    store.admit(plain(&operation)).await.unwrap();
    assert_eq!(store.operation(&operation.id).await.unwrap().unwrap().id, 121);
    assert!(store.verify().await.unwrap().ok);
}

#[tokio::test]
async fn the_costliest_come_first_and_the_newest_of_equals() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let store = open(folder.path(), &clock);
    filled(&clock, &store).await;
    let mut all = all_rows(&store).await;
    all.retain(|row| row.cost > Some(NanoUsd(0)));
    all.sort_by_key(|row| std::cmp::Reverse((row.cost, row.id)));
    assert!(all.len() > 10, "too few to say anything: {}", all.len());
    let ids = |rows: &[OperationRow]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    for limit in [1, 3, 7, all.len() - 1, 500] {
        let found = store.costliest(&parse("").query, limit).await.unwrap();
        assert_eq!(ids(&found), ids(&all[..limit.min(all.len())]), "{limit}");
    }
    let codex: Vec<_> = all.iter().filter(|row| row.agent.as_str() == "codex").cloned().collect();
    assert_eq!(ids(&store.costliest(&parse("agent:codex").query, 5).await.unwrap()), ids(&codex[..5.min(codex.len())]));
}

#[tokio::test]
async fn costs_are_summed_by_agent_since_a_time() {
    let clock = clock();
    let store = in_memory(&clock);
    filled(&clock, &store).await;
    let since = clock.now() - chrono::Duration::seconds(30);
    let mut costs = store.cost_by_agent(since).await.unwrap();
    costs.sort();
    let rows = all_rows(&store).await;
    for (agent, cost) in &costs {
        let theirs = rows.iter().filter(|row| row.agent == *agent && row.at >= since);
        assert_eq!(theirs.filter_map(|row| row.cost).map(|cost| cost.0).sum::<i64>(), *cost);
    }
    assert!(!costs.is_empty());
    let mut seen = store.seen_hosts().await.unwrap();
    seen.sort();
    // Model calls are reads, however often they come.
    assert!(seen.contains(&(agent("codex"), "api.anthropic.com".to_owned(), false)));
}

#[tokio::test]
async fn hostile_queries_and_values_find_nothing_and_break_nothing() {
    let store = in_memory(&clock());
    let mut operation = http(principal("codex", &SessionId::new()), "example.org", "GET", "/");
    operation.summary = "\" OR words:0all ) ' ; DROP TABLE operations; -- \u{0} NEAR( ^".to_owned();
    store.deny(operation, None, denial(DenialKind::Policy, "x"), None).await.unwrap();
    for text in [
        "\"\\\" OR words:0all\"",
        "\"' ; DROP TABLE operations; --\"",
        "agent:\"\\\") OR (words:0all\"",
        "NEAR",
        "\"\u{0}\"",
        "^x",
        "host:*%*",
        "host:*_*",
        "{words}",
    ] {
        let query = parse(text).query;
        let found = store.search(&query, Page { before: None, limit: 10 }).await.unwrap();
        let row = &all_rows(&store).await[0];
        assert_eq!(!found.rows.is_empty(), row.matches(&query, noon()), "{text}");
    }
}
