//! Values while typing, sessions with their sums, and the waterfall of one, against what the rows themselves say.

use std::sync::Arc;
use std::time::Duration;

use reeve_domain::approval::Resolved;
use reeve_domain::clock::ManualClock;
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::{OperationId, SessionId};
use reeve_domain::operation::{Operation, Subject};
use reeve_domain::outcome::{Ending, Outcome};
use reeve_domain::query::{Decided, Key, parse};
use reeve_domain::session::SessionEnd;
use reeve_domain::verdict::{Decision, DenialKind, Risk};
use reeve_store::search::SessionSum;
use reeve_store::{Admit, ApprovalUse, Page, Store};

use crate::samples::*;

async fn begun(store: &Store, name: &str) -> SessionId {
    let session = session(name);
    store.open_session(session.clone(), "00".repeat(32)).await.unwrap();
    session.id
}

/// Lets one through and ends it.
async fn done(store: &Store, operation: &Operation, outcome: Outcome) {
    store.admit(plain(operation)).await.unwrap();
    store.settle(operation.clone(), outcome, None).await.unwrap();
}

/// A model call that cost so much.
async fn paid(store: &Store, operation: &Operation, amount: i64) {
    let day = [account("day", "me:dana", noon(), money(1_000_000_000))];
    store.admit(spending(operation, &day, amount, 10)).await.unwrap();
    store.settle(operation.clone(), used(100, 5), Some(settlement(amount, 7))).await.unwrap();
}

fn child(mut operation: Operation, parent: &OperationId) -> Operation {
    operation.parent = Some(parent.clone());
    operation
}

fn get(session: &SessionId, path: &str) -> Operation {
    http(principal("codex", session), "api.github.com", "GET", path)
}

fn ids(sums: &[SessionSum]) -> Vec<SessionId> {
    sums.iter().map(|sum| sum.session.id.clone()).collect()
}

#[tokio::test]
async fn values_hold_what_was_typed_and_count_what_the_query_finds() {
    let clock = clock();
    let store = in_memory(&clock);
    let (one, two) = (begun(&store, "codex").await, begun(&store, "claude-code").await);
    for n in 0..7 {
        done(&store, &get(&one, &format!("/things/{}", n % 2)), complete([200, 404][n % 2])).await;
    }
    for _ in 0..3 {
        let operation = http(principal("claude-code", &two), "uploads.github.com", "POST", "/");
        store.deny(operation, None, denial(DenialKind::Policy, "no-evil"), None).await.unwrap();
    }
    // One that still runs is counted with the others.
    store.admit(plain(&get(&one, "/late"))).await.unwrap();
    let told = async |query: &str, key: Key, begun: &str| -> Vec<(String, u64)> {
        let found = store.values(&parse(query).query, key, begun).await.unwrap();
        assert!(!found.capped);
        found.values.into_iter().map(|value| (value.value, value.count)).collect()
    };
    let pair = |value: &str, count: u64| (value.to_owned(), count);
    assert_eq!(told("", Key::Host, "").await, [pair("api.github.com", 8), pair("uploads.github.com", 3)]);
    assert_eq!(told("", Key::Host, "UPL").await, [pair("uploads.github.com", 3)]);
    assert_eq!(told("decision:denied", Key::Host, "git").await, [pair("uploads.github.com", 3)]);
    assert_eq!(told("", Key::Status, "").await, [pair("200", 4), pair("404", 3)]);
    // No dictionary has paths, so the rows are read.
    assert_eq!(told("", Key::Path, "/th").await, [pair("/things/0", 4), pair("/things/1", 3)]);
    // And they are where the index alone cannot say what matches.
    assert_eq!(told("path:*hings/1", Key::Host, "").await, [pair("api.github.com", 3)]);
    assert_eq!(told("", Key::Pid, "").await, []);
}

#[tokio::test]
async fn sessions_come_with_their_sums_running_ones_first() {
    let clock = clock();
    let store = in_memory(&clock);
    let mut all = Vec::new();
    for n in 0..5_i64 {
        let id = begun(&store, "codex").await;
        paid(&store, &llm(principal("codex", &id), "gpt-5"), 100 * (n + 1)).await;
        done(&store, &get(&id, "/"), complete(200)).await;
        all.push(id);
    }
    let refused = get(&all[3], "/secret");
    store.deny(refused, None, denial(DenialKind::Policy, "no-evil"), None).await.unwrap();
    let asked = get(&all[0], "/push");
    let approval = question(&asked, noon() + chrono::Duration::hours(1));
    store.ask(approval, asked, verdict(Decision::Ask, &["ask-push"], Risk::High)).await.unwrap();
    let idle = begun(&store, "codex").await;
    for id in &all[1..] {
        let body = EventBody::SessionEnded { because: SessionEnd::Exited };
        let draft = Draft { agent: None, session: Some(id.clone()), operation: None, body };
        store.append(vec![draft]).await.unwrap();
    }

    let everything = store.session_sums(&parse("").query, None, 100).await.unwrap();
    let order = [&idle, &all[0], &all[4], &all[3], &all[2], &all[1]].map(SessionId::clone);
    assert_eq!(ids(&everything.rows), order);
    assert_eq!(everything.next, None);
    let sums: Vec<_> = everything.rows.iter().map(|sum| (sum.actions, sum.denied, sum.held, sum.cost)).collect();
    assert_eq!(sums, [(0, 0, 0, 0), (3, 0, 1, 100), (2, 0, 0, 500), (3, 1, 0, 400), (2, 0, 0, 300), (2, 0, 0, 200)]);

    // A query leaves out those in which nothing matches, and adds up only what does.
    let models = store.session_sums(&parse("kind:llm cost:>0.0000003").query, None, 100).await.unwrap();
    assert_eq!(ids(&models.rows), [all[4].clone(), all[3].clone()]);
    assert_eq!(models.rows.iter().map(|sum| sum.actions).collect::<Vec<_>>(), [1, 1]);

    let first = store.session_sums(&parse("").query, None, 1).await.unwrap();
    assert_eq!(ids(&first.rows), order[..3]);
    let second = store.session_sums(&parse("").query, first.next, 2).await.unwrap();
    assert_eq!(ids(&second.rows), order[3..5]);
    let third = store.session_sums(&parse("").query, second.next, 2).await.unwrap();
    assert_eq!(ids(&third.rows), order[5..]);
    assert_eq!(third.next, None);
}

#[tokio::test]
async fn a_waterfall_nests_by_parent_rolls_costs_up_and_keeps_waiting_apart_from_work() {
    let clock = clock();
    let store = in_memory(&clock);
    let id = begun(&store, "codex").await;
    let other = begun(&store, "codex").await;
    let step = |ms: u64| clock.advance(Duration::from_millis(ms));
    let call = llm(principal("codex", &id), "gpt-5");
    paid(&store, &call, 100).await;
    step(1_000);
    let tool = child(llm(principal("codex", &id), "gpt-5-mini"), &call.id);
    // Another agent that it asked, in a conversation of its own.
    let tool = Operation { conversation: Some("asked".to_owned()), ..tool };
    paid(&store, &tool, 30).await;
    step(1_000);
    done(&store, &child(get(&id, "/a"), &tool.id), complete(503)).await;
    done(&store, &get(&other, "/a"), complete(200)).await;
    step(1_000);
    let again = child(get(&id, "/a"), &tool.id);
    done(&store, &again, complete(200)).await;
    step(1_000);
    held_for(&store, &clock, &get(&id, "/push"), 40_000).await;
    // Its wait was no silence, so what follows is the same turn.
    step(1_000);
    paid(&store, &llm(principal("codex", &id), "gpt-5"), 7).await;
    step(60_000);
    paid(&store, &llm(principal("codex", &id), "gpt-5"), 9).await;
    step(500);
    store.admit(plain(&get(&id, "/slow"))).await.unwrap();
    step(2_000);

    let flow = store.flow(&id, &parse("").query).await.unwrap();
    assert_eq!(flow.began_at, Some(noon()));
    let shape: Vec<_> = flow.nodes.iter().map(|node| (node.depth, node.below, node.start_ms, node.cost)).collect();
    assert_eq!(
        shape,
        [
            (0, 3, 0, 130),
            (1, 2, 1_000, 30),
            (2, 0, 2_000, 0),
            (2, 0, 3_000, 0),
            (0, 0, 4_000, 0),
            (0, 0, 45_000, 7),
            (0, 0, 105_000, 9),
            (0, 0, 105_500, 0)
        ]
    );
    assert_eq!((flow.nodes[4].wait_ms, flow.nodes[4].work_ms), (40_000, Some(300)));
    assert_eq!((flow.nodes[7].wait_ms, flow.nodes[7].work_ms, flow.nodes[7].row.open), (0, Some(2_000), true));
    let retries: Vec<_> = flow.nodes.iter().filter_map(|node| node.retry_of.clone()).collect();
    assert_eq!(retries, [flow.nodes[2].row.operation.clone()]);
    assert_eq!(flow.nodes[3].row.operation, again.id);
    let turns: Vec<_> =
        flow.turns.iter().map(|turn| (turn.first, turn.actions, turn.start_ms, turn.wait_ms, turn.cost)).collect();
    assert_eq!(turns, [(0, 6, 0, 40_000, 137), (6, 2, 105_000, 0, 9)]);

    // What the query leaves out takes its place in the tree with it.
    let web = store.flow(&id, &parse("kind:http").query).await.unwrap();
    assert!(web.nodes.iter().all(|node| node.depth == 0 && node.row.decision != Decided::Denied));
    assert_eq!(web.nodes.len(), 4);
    let none = store.flow(&id, &parse("agent:nobody").query).await.unwrap();
    assert_eq!((none.began_at, none.nodes.len(), none.turns.len()), (None, 0, 0));
}

#[tokio::test]
async fn a_call_that_brings_results_stands_beside_the_one_that_asked_and_begins_no_turn() {
    let clock = clock();
    let store = in_memory(&clock);
    let id = begun(&store, "codex").await;
    let step = |ms: u64| clock.advance(Duration::from_millis(ms));
    let talk = |name: &str| Operation { conversation: Some(name.to_owned()), ..llm(principal("codex", &id), "gpt-5") };
    let first = talk("one");
    paid(&store, &first, 1).await;
    step(1_000);
    done(&store, &child(get(&id, "/a"), &first.id), complete(200)).await;
    // The tool ran for long and reached nothing: no silence of the agent's.
    step(90_000);
    let second = child(talk("one"), &first.id);
    paid(&store, &second, 2).await;
    step(1_000);
    done(&store, &child(get(&id, "/b"), &second.id), complete(200)).await;
    step(1_000);
    let third = child(talk("one"), &second.id);
    paid(&store, &third, 4).await;
    step(1_000);
    // A conversation that begins anew is a turn of its own, however soon.
    paid(&store, &talk("two"), 8).await;
    step(1_000);
    paid(&store, &talk("two"), 16).await;

    let flow = store.flow(&id, &parse("").query).await.unwrap();
    let shape: Vec<_> = flow.nodes.iter().map(|node| (node.row.kind.as_str(), node.depth, node.below)).collect();
    let (model, web) = (|below| ("llm", 0, below), ("http", 1, 0));
    assert_eq!(shape, [model(1), web, model(1), web, model(0), model(0), model(0)]);
    let turns: Vec<_> = flow.turns.iter().map(|turn| (turn.first, turn.actions, turn.cost)).collect();
    assert_eq!(turns, [(0, 5, 7), (5, 2, 24)]);

    // Where the one that asked is left out, what goes on still begins no turn.
    let rest = store.flow(&id, &parse("cost:>0.000000001").query).await.unwrap();
    assert_eq!((rest.nodes.len(), rest.turns.len()), (4, 2));
}

#[tokio::test]
async fn a_preview_stands_below_the_call_that_it_was_made_for_though_it_is_older() {
    let clock = clock();
    let store = in_memory(&clock);
    let id = begun(&store, "codex").await;
    let step = |ms: u64| clock.advance(Duration::from_millis(ms));
    let tool = |purpose: &str| {
        let call = serde_json::json!({
            "server": "postgres", "transport": "stdio", "tool": "execute", "annotations": {}, "arguments": [],
            "is_whole": true, "argument_bytes": 2, "purpose": purpose,
        });
        Operation { subject: Subject::Mcp(serde_json::from_value(call).unwrap()), ..get(&id, "/") }
    };
    let model = llm(principal("codex", &id), "gpt-5");
    paid(&store, &model, 1).await;
    step(1_000);
    let call = child(tool("call"), &model.id);
    done(&store, &child(tool("preview"), &call.id), complete(200)).await;
    step(1_000);
    held_for(&store, &clock, &call, 40_000).await;
    // What was not tried by Reeve never comes before its parent.
    let late = tool("call");
    done(&store, &child(get(&id, "/early"), &late.id), complete(200)).await;
    done(&store, &late, complete(200)).await;

    let flow = store.flow(&id, &parse("").query).await.unwrap();
    let shape: Vec<_> =
        flow.nodes.iter().map(|node| (node.row.purpose.as_str(), node.depth, node.start_ms, node.wait_ms)).collect();
    let tried = [("call", 0, 0, 0), ("call", 1, 2_000, 40_000), ("preview", 2, 1_000, 0)];
    assert_eq!(shape[..3], tried);
    assert_eq!(shape[3..].iter().map(|(_, depth, ..)| *depth).collect::<Vec<_>>(), [0, 0]);
    let turns: Vec<_> = flow.turns.iter().map(|turn| (turn.first, turn.actions, turn.start_ms)).collect();
    assert_eq!(turns, [(0, 5, 0)]);
}

#[tokio::test]
async fn what_a_person_pinned_and_wrote_is_found_and_stays_when_the_rows_are_made_anew() {
    let clock = clock();
    let store = in_memory(&clock);
    let id = begun(&store, "codex").await;
    let (one, other) = (get(&id, "/a"), get(&id, "/b"));
    done(&store, &one, complete(200)).await;
    done(&store, &other, complete(200)).await;
    let mark = async |operation: &Operation, pinned: bool, note: Option<&str>| {
        let note = note.map(str::to_owned);
        let body = EventBody::OperationMarked { pinned, note, by: "dana".to_owned() };
        store.append(vec![Draft::of(operation, body)]).await.unwrap();
    };
    mark(&one, true, Some("the day the cache was cold")).await;
    mark(&other, true, None).await;
    mark(&other, false, None).await;
    let found = async |query: &str| -> Vec<OperationId> {
        let page = Page { before: None, limit: 10 };
        let rows = store.search(&parse(query).query, page).await.unwrap().rows;
        rows.into_iter().map(|row| row.operation).collect()
    };
    for query in ["is:pinned", "has:note", "\"cache was cold\"", "-has:note path:/a OR is:pinned"] {
        assert_eq!(found(query).await, std::slice::from_ref(&one.id), "{query}");
    }
    assert_eq!(found("-is:pinned").await, std::slice::from_ref(&other.id));
    store.rebuild().await.unwrap();
    assert_eq!(found("is:pinned has:note").await, std::slice::from_ref(&one.id));
}

/// Asked, answered after so many milliseconds, and sent.
async fn held_for(store: &Store, clock: &Arc<ManualClock>, operation: &Operation, ms: u64) {
    let approval = question(operation, noon() + chrono::Duration::hours(1));
    store.ask(approval.clone(), operation.clone(), verdict(Decision::Ask, &["ask-push"], Risk::High)).await.unwrap();
    clock.advance(Duration::from_millis(ms));
    let at = reeve_domain::clock::Clock::now(clock.as_ref());
    let resolved = Resolved { at, ..approved() };
    store.resolve_approval(&approval.id, resolved).await.unwrap();
    let used = ApprovalUse { id: approval.id, waited: true };
    store.admit(Admit { approval: Some(used), ..plain(operation) }).await.unwrap();
    store.settle(operation.clone(), Outcome { total_ms: 300, ..Outcome::ended(Ending::Complete) }, None).await.unwrap();
}

#[tokio::test]
async fn a_record_is_found_by_its_number_and_says_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &clock());
    let id = begun(&store, "codex").await;
    for n in 0..3 {
        done(&store, &get(&id, &format!("/{n}")), complete(200)).await;
    }
    let head = store.head().seq;
    let mut asking = 0;
    for seq in 1..=head {
        let kept = store.kept(seq).await.unwrap().unwrap();
        asking = if kept.text.contains("GET") { seq } else { asking };
        assert!(kept.holds && kept.follows && kept.event.is_some_and(|event| event.seq == seq), "{seq}");
    }
    assert_eq!(store.kept(head + 1).await.unwrap(), None);

    let conn = rusqlite::Connection::open(folder.path().join("reeve.db")).unwrap();
    let change = "UPDATE events SET record = replace(record, 'GET', 'PUT') WHERE seq = ?1";
    assert_eq!(conn.execute(change, [asking]).unwrap(), 1);
    assert_eq!(conn.execute("UPDATE events SET record = 'nothing' WHERE seq = ?1", [head]).unwrap(), 1);
    let changed = store.kept(asking).await.unwrap().unwrap();
    assert!(changed.event.is_some() && !changed.holds && changed.follows);
    let unreadable = store.kept(head).await.unwrap().unwrap();
    assert_eq!((unreadable.event, unreadable.text.as_str(), unreadable.holds), (None, "nothing", false));
}
