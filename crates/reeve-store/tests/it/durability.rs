//! Crash, full disk, damage: what was acknowledged is there, and what is not there was not acknowledged.

use std::path::Path;

use reeve_domain::agent::Agent;
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::SessionId;
use reeve_domain::operation::Operation;
use reeve_domain::query::Decided;
use reeve_domain::verdict::DenialKind;
use reeve_store::{Change, Store, StoreError, StoreOptions};

use crate::samples::*;

fn call() -> Operation {
    llm(principal("claude-code", &SessionId::new()), "claude-sonnet")
}

/// The files as a machine that lost power at this moment would find them.
fn copy_running(from: &Path, to: &Path) {
    for name in ["reeve.db", "reeve.db-wal", "seals.jsonl"] {
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

#[tokio::test]
async fn after_a_crash_everything_acknowledged_is_there_and_open_calls_are_charged_whole_once() {
    let (running, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(running.path(), &clock());
    let session = session("claude-code");
    store.open_session(session.clone(), "00".repeat(32)).await.unwrap();
    let day = account("day", "me:dana", noon(), money(10_000));
    let (done, open_call, held) = (call(), call(), call());
    store.admit(spending(&done, std::slice::from_ref(&day), 500, 10)).await.unwrap();
    store.settle(done.clone(), used(3, 4), Some(settlement(120, 7))).await.unwrap();
    store.admit(spending(&open_call, std::slice::from_ref(&day), 700, 10)).await.unwrap();
    let approval = question(&held, noon() + chrono::Duration::minutes(2));
    store.ask(approval.clone(), held.clone(), allow()).await.unwrap();
    let plain_call = http(principal("claude-code", &session.id), "example.com", "GET", "/");
    store.admit(plain(&plain_call)).await.unwrap();
    let head = store.head();
    copy_running(running.path(), crashed.path());

    for run in 0..3 {
        let store = open(crashed.path(), &clock());
        assert!(store.head().seq >= head.seq);
        assert_eq!(store.sweep().await.unwrap(), if run == 0 { 2 } else { 0 });
        let balances = store.balances(vec![day.clone()]).await.unwrap();
        assert_eq!((balances[0].settled, balances[0].reserved), (820, 0));
        let row = store.operation(&open_call.id).await.unwrap().unwrap();
        assert!(row.estimated && !row.open && row.cost.unwrap().0 == 700);
        assert_eq!(store.operation(&held.id).await.unwrap().unwrap().decision, Decided::Expired);
        assert!(store.open_approvals().await.unwrap().is_empty());
        assert!(store.session(&session.id).await.unwrap().unwrap().ended_at.is_some());
        assert!(store.verify().await.unwrap().ok);
        // And again without a clean end.
        std::mem::forget(store);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_copy_taken_at_any_moment_of_a_storm_opens_and_verifies() {
    let running = tempfile::tempdir().unwrap();
    let store = open(running.path(), &clock());
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            for _ in 0..150 {
                let operation = call();
                store.admit(plain(&operation)).await.unwrap();
                store.settle(operation, used(1, 2), None).await.unwrap();
            }
        }
    });
    for _ in 0..5 {
        let crashed = tempfile::tempdir().unwrap();
        let acknowledged = store.head().seq;
        copy_running(running.path(), crashed.path());
        let copy = open(crashed.path(), &clock());
        assert!(copy.head().seq >= acknowledged);
        assert!(copy.verify().await.unwrap().first_bad.is_none());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    writing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_a_full_disk_everybody_hears_it_and_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &clock());
    store.admit(plain(&call())).await.unwrap();
    store.limit_pages(90).await.unwrap();
    let mut tasks = Vec::new();
    for _ in 0..400 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let operation = call();
            (operation.id.clone(), store.admit(plain(&operation)).await)
        }));
    }
    let mut failed = 0;
    let mut acknowledged = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            (id, Ok(_)) => acknowledged.push(id),
            (_, Err(error)) => {
                assert_eq!(error, StoreError::Full);
                failed += 1;
            }
        }
    }
    assert!(failed > 0, "the disk was not full");
    // A batch that was too large leaves room for single commands: until there is none.
    loop {
        let operation = call();
        match store.admit(plain(&operation)).await {
            Ok(_) => acknowledged.push(operation.id),
            Err(error) => break assert_eq!(error, StoreError::Full),
        }
    }
    assert_eq!(*store.problem().borrow(), Some(StoreError::Full));
    for id in &acknowledged {
        assert!(store.operation(id).await.unwrap().is_some());
    }
    assert_eq!(store.head().seq, acknowledged.len() as u64 + 1);
    assert!(store.verify().await.unwrap().ok);
    // Room again: the store goes on by itself.
    store.limit_pages(100_000).await.unwrap();
    store.admit(plain(&call())).await.unwrap();
    assert_eq!(*store.problem().borrow(), None);
    assert!(store.verify().await.unwrap().ok);
}

#[tokio::test]
async fn a_change_and_its_event_stand_or_fall_together() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &clock());
    let registered = |name: &str| {
        let body = EventBody::AgentRegistered { agent: agent(name) };
        let known = Agent {
            id: agent(name),
            name: name.to_owned(),
            tool: None,
            team: None,
            registered_at: noon(),
            paused_at: None,
            removed_at: None,
        };
        (vec![Change::Agent(known)], vec![Draft::engine(body)])
    };
    let (changes, events) = registered("codex");
    assert_eq!(store.append_with(changes, events).await.unwrap().len(), 1);
    store.limit_pages(1).await.unwrap();
    let mut number = 0;
    loop {
        let (changes, events) = registered(&format!("agent-{number}"));
        if store.append_with(changes, events).await.is_err() {
            break;
        }
        number += 1;
    }
    // One record for each agent that is known, and no agent without its record.
    assert_eq!(store.agents().await.unwrap().len() as u64, store.head().seq);
    assert_eq!(store.head().seq, number + 1);
    assert!(store.verify().await.unwrap().ok);
}

fn try_open(path: &Path) -> Result<Store, StoreError> {
    Store::open(path, StoreOptions { clock: clock(), seal_key: None, mirror: None })
}

#[tokio::test]
async fn what_is_no_database_or_cannot_be_reached_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reeve.db");
    std::fs::write(&path, "this is not a database, it is a text that is long enough to be read as a header".repeat(20))
        .unwrap();
    assert!(matches!(try_open(&path), Err(StoreError::Damaged(_))));
    assert!(matches!(try_open(&folder.path().join("missing/reeve.db")), Err(StoreError::Open { .. })));
    assert!(matches!(try_open(folder.path()), Err(StoreError::Open { .. })));
}

#[tokio::test]
async fn damage_inside_the_file_is_reported_and_never_taken_for_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &clock());
    for n in 0..400 {
        let body = EventBody::ConnectionRefused { why: "no token".to_owned(), detail: format!("try {n}") };
        store.append(vec![Draft::engine(body)]).await.unwrap();
    }
    drop(store);
    let path = folder.path().join("reeve.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let record = b"try 200";
    let at = bytes.windows(record.len()).position(|window| window == record).unwrap();
    bytes[at - 2000..at + 2000].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    match try_open(&path) {
        Err(_) => {}
        Ok(store) => assert!(!store.verify().await.is_ok_and(|verification| verification.ok)),
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_readable_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &clock());
    store.admit(plain(&call())).await.unwrap();
    for name in ["reeve.db", "reeve.db-wal", "seals.jsonl"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn the_token_of_an_ended_session_is_forgotten_and_no_token_is_ever_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &clock());
    let session = session("codex");
    store.open_session(session.clone(), "ab".repeat(32)).await.unwrap();
    let because = reeve_domain::session::SessionEnd::Exited;
    let draft = Draft {
        agent: Some(session.agent.clone()),
        session: Some(session.id.clone()),
        operation: None,
        body: EventBody::SessionEnded { because },
    };
    store.append(vec![draft]).await.unwrap();
    let ended = store.sessions(10).await.unwrap().remove(0);
    assert_eq!(ended.ended_because, Some(because));
    drop(store);
    let conn = rusqlite::Connection::open(folder.path().join("reeve.db")).unwrap();
    let hash: String = conn.query_row("SELECT token_hash FROM sessions", (), |row| row.get(0)).unwrap();
    assert_eq!(hash, "");
}

#[tokio::test]
async fn where_an_agent_read_and_where_it_wrote_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &clock());
    let who = principal("codex", &SessionId::new());
    for (host, method) in [("read.example", "GET"), ("both.example", "GET"), ("both.example", "POST")] {
        assert!(admitted(&store.admit(plain(&http(who.clone(), host, method, "/"))).await.unwrap()));
    }
    let refused = http(who, "refused.example", "POST", "/");
    store.deny(refused, None, denial(DenialKind::Policy, "x"), None).await.unwrap();
    drop(store);
    let store = open(folder.path(), &clock());
    let seen = |wrote: &[(&str, bool)]| -> Vec<_> {
        wrote.iter().map(|(host, wrote)| (agent("codex"), (*host).to_owned(), *wrote)).collect()
    };
    let expected = seen(&[("both.example", true), ("read.example", false)]);
    assert_eq!(store.seen_hosts().await.unwrap(), expected);
    // What is made again from the events says the same.
    store.rebuild().await.unwrap();
    assert_eq!(store.seen_hosts().await.unwrap(), expected);
}
