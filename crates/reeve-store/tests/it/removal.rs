//! Taking away the oldest part of the record, or all of it: what goes, what stays, and that the proof survives both, whenever
//! the machine stops.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use reeve_domain::chain::{ExportFormat, Finding, Problem, RemovalCause, Scanner, Seal, verify_export};
use reeve_domain::clock::{Clock as _, ManualClock};
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::SessionId;
use reeve_domain::operation::{Digest, Operation};
use reeve_domain::query::{Query, parse};
use reeve_domain::session::SessionEnd;
use reeve_domain::sought::Sought;
use reeve_store::{Keep, Page, Removable, Store, StoreError, StoreOptions};
use rusqlite::Connection;

use crate::samples::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn settled(store: &Store, host: &str) -> Operation {
    let operation = http(principal("codex", &SessionId::new()), host, "GET", "/");
    let day = [account("month", "me:dana", noon(), money(1_000_000))];
    store.admit(spending(&operation, &day, 500, 10)).await.unwrap();
    store.settle(operation.clone(), complete(200), Some(settlement(100, 5))).await.unwrap();
    operation
}

async fn find(store: &Store, query: &str) -> usize {
    let query: Query = parse(query).query;
    store.search(&query, Page { before: None, limit: 1000 }).await.unwrap().rows.len()
}

async fn older_than(store: &Store, clock: &ManualClock, days: u32) -> Option<Removable> {
    let since = clock.now() - chrono::Duration::days(i64::from(days));
    store.removable(Keep { since: Some(since), bytes: None }).await.unwrap()
}

/// Removes what may go, in steps of seven.
async fn remove(store: &Store, clock: &ManualClock, days: u32) -> Removable {
    let going = older_than(store, clock, days).await.unwrap();
    store.begin_removal(going.last, going.cause).await.unwrap();
    while store.remove_some(7).await.unwrap() {}
    going
}

/// A session that ended, a question with its answer, and twenty calls; then forty days later twenty calls more.
async fn two_ages(folder: &Path, clock: &Arc<ManualClock>) -> Store {
    let store = open(folder, clock);
    let session = session("codex");
    store.open_session(session.clone(), "00".repeat(32)).await.unwrap();
    let held = http(principal("codex", &session.id), "ask.example", "POST", "/");
    let approval = question(&held, noon() + chrono::Duration::minutes(2));
    store.ask(approval.clone(), held.clone(), allow()).await.unwrap();
    store.resolve_approval(&approval.id, approved()).await.unwrap();
    for n in 0..20 {
        settled(&store, &format!("old-{n}.example")).await;
    }
    let body = EventBody::SessionEnded { because: SessionEnd::Exited };
    let ended = Draft { agent: None, session: Some(session.id), operation: None, body };
    store.append(vec![ended]).await.unwrap();
    clock.advance(40 * DAY);
    for n in 0..20 {
        settled(&store, &format!("new-{n}.example")).await;
    }
    store
}

async fn verified(store: &Store) -> Option<Finding> {
    store.verify().await.unwrap().first_bad
}

#[tokio::test]
async fn what_is_older_goes_with_all_that_was_made_of_it_and_what_is_younger_stays() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let store = two_ages(folder.path(), &clock).await;
    let head = store.head().seq;
    assert_eq!(older_than(&store, &clock, 41).await, None);
    let going = older_than(&store, &clock, 30).await.unwrap();
    assert_eq!((going.operations, going.cause, going.until), (21, RemovalCause::Age, noon()));
    assert_eq!((going.last, going.records), (44, 44));
    remove(&store, &clock, 30).await;
    assert_eq!((find(&store, "").await, find(&store, "host:old-3.example").await), (20, 0));
    assert_eq!((find(&store, "host:new-3.example").await, find(&store, "host:new*").await), (1, 20));
    assert!(store.sessions(10).await.unwrap().is_empty() && store.approvals(10).await.unwrap().is_empty());
    let verification = store.verify().await.unwrap();
    assert!(verification.ok, "{verification:?}");
    assert_eq!((verification.removed_to, verification.events), (44, head - 44 + 1));
    // The month's sum is what it was, and a host that was reached is not a new one.
    let month = account("month", "me:dana", noon(), money(1_000_000));
    assert_eq!(store.balances(vec![month]).await.unwrap()[0].settled, 40 * 100);
    let again = settled(&store, "old-3.example").await;
    assert!(!store.operation(&again.id).await.unwrap().unwrap().first_seen);
    let rows = find(&store, "").await;
    let seen = store.seen_hosts().await.unwrap();
    store.rebuild().await.unwrap();
    assert_eq!((find(&store, "").await, store.seen_hosts().await.unwrap()), (rows, seen));
    assert_eq!(older_than(&store, &clock, 30).await, None);
}

#[tokio::test]
async fn nothing_that_is_held_under_way_or_not_settled_goes_nor_what_was_recorded_after_it() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let store = open(folder.path(), &clock);
    settled(&store, "one.example").await;
    let open_call = http(principal("codex", &SessionId::new()), "stream.example", "GET", "/");
    let month = [account("month", "me:dana", noon(), money(1_000_000))];
    store.admit(spending(&open_call, &month, 500, 10)).await.unwrap();
    settled(&store, "two.example").await;
    clock.advance(40 * DAY);
    assert_eq!(older_than(&store, &clock, 30).await.unwrap().last, 2);
    assert!(matches!(store.begin_removal(3, RemovalCause::Age).await, Err(StoreError::Underway)));
    remove(&store, &clock, 30).await;
    assert_eq!(verified(&store).await, None);
    store.settle(open_call, complete(200), Some(settlement(1, 1))).await.unwrap();
    remove(&store, &clock, 30).await;
    assert_eq!((find(&store, "").await, verified(&store).await), (0, None));
}

#[tokio::test]
async fn a_record_that_weighs_too_much_loses_its_oldest_part_and_keeps_its_last_day() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let store = two_ages(folder.path(), &clock).await;
    let keep = Keep { since: None, bytes: Some(1) };
    let going = store.removable(keep).await.unwrap().unwrap();
    assert_eq!((going.cause, going.last), (RemovalCause::Size, 44), "the last day stays");
    let size = store.size().await.unwrap();
    let most = size.bytes - size.free;
    assert_eq!(store.removable(Keep { since: None, bytes: Some(most) }).await.unwrap(), None);
    let going = store.removable(Keep { since: None, bytes: Some(most - 1) }).await.unwrap().unwrap();
    assert!((1..30).contains(&going.last), "about a tenth goes: {going:?}");
}

/// The files as a machine that lost power at this moment would find them. Who reads meanwhile keeps the log from beginning
/// anew between one copy and the next.
fn copy_running(from: &Path, to: &Path) {
    let reader = Connection::open(from.join("reeve.db")).unwrap();
    reader.busy_timeout(Duration::from_secs(10)).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let _: u64 = reader.query_row("SELECT count(*) FROM events", (), |row| row.get(0)).unwrap();
    for name in ["reeve.db", "reeve.db-wal", "seals.jsonl"] {
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_machine_that_stops_at_any_step_finds_a_record_that_verifies_and_goes_on_removing() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let store = two_ages(folder.path(), &clock).await;
    let going = older_than(&store, &clock, 30).await.unwrap();
    store.begin_removal(going.last, going.cause).await.unwrap();
    let mut steps = 0;
    loop {
        let crashed = tempfile::tempdir().unwrap();
        copy_running(folder.path(), crashed.path());
        let copy = open(crashed.path(), &clock);
        assert_eq!(verified(&copy).await, None, "after {steps} steps");
        settled(&copy, "between.example").await;
        while copy.remove_some(9).await.unwrap() {}
        let verification = copy.verify().await.unwrap();
        assert_eq!((verification.first_bad, verification.removed_to), (None, going.last), "after {steps} steps");
        assert_eq!(find(&copy, "").await, 21);
        // Without a clean end.
        std::mem::forget(copy);
        if !store.remove_some(7).await.unwrap() {
            break;
        }
        steps += 1;
    }
    assert_eq!(steps, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn copies_taken_while_a_removal_and_new_calls_run_open_and_verify() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let store = two_ages(folder.path(), &clock).await;
    let going = older_than(&store, &clock, 30).await.unwrap();
    let removing = tokio::spawn({
        let store = store.clone();
        async move {
            store.begin_removal(going.last, going.cause).await.unwrap();
            while store.remove_some(1).await.unwrap() {}
        }
    });
    let calling = tokio::spawn({
        let store = store.clone();
        async move {
            for n in 0..60 {
                settled(&store, &format!("busy-{n}.example")).await;
            }
        }
    });
    for _ in 0..6 {
        let crashed = tempfile::tempdir().unwrap();
        copy_running(folder.path(), crashed.path());
        let copy = open(crashed.path(), &clock);
        assert_eq!(verified(&copy).await, None);
        std::mem::forget(copy);
    }
    removing.await.unwrap();
    calling.await.unwrap();
    assert_eq!((verified(&store).await, find(&store, "").await), (None, 80));
}

/// Where the child of the test below finds its record.
const CHILD: &str = "REEVE_TEST_REMOVES_IN";

/// Removes a few records, one a step, and records a call between two of them, until it is killed or nothing is left.
#[tokio::test]
#[ignore = "the child of the test below"]
async fn a_process_that_removes() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let clock = clock();
    clock.advance(40 * DAY);
    let store = open(Path::new(&folder), &clock);
    store.sweep().await.unwrap();
    if let Some(going) = older_than(&store, &clock, 30).await {
        store.begin_removal(going.last, going.cause).await.unwrap();
    }
    for _ in 0..6 {
        if !store.remove_some(1).await.unwrap() {
            return;
        }
        settled(&store, "between.example").await;
        store.shrink(4).await.unwrap();
    }
    // However slow the one who kills it is, some is left for the next.
    std::future::pending::<()>().await;
}

fn oldest(folder: &Path) -> u64 {
    let conn = Connection::open(folder.join("reeve.db")).unwrap();
    conn.busy_timeout(Duration::from_secs(10)).unwrap();
    conn.query_row("SELECT min(seq) FROM events", (), |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_again_and_again_while_it_removes_leaves_a_record_that_verifies_each_time() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    drop(two_ages(folder.path(), &clock).await);
    let mut kills = 0;
    while oldest(folder.path()) <= 44 {
        let begun = oldest(folder.path());
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "removal::a_process_that_removes", "--ignored"])
            .env(CHILD, folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // A few steps on, or at its end.
        while oldest(folder.path()) < begun + 4 && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        let store = open(folder.path(), &clock);
        assert_eq!(verified(&store).await, None, "after {kills} kills");
        assert_eq!(find(&store, "host:new*").await, 20);
        assert!(kills < 44, "nothing is removed any more");
    }
    let store = open(folder.path(), &clock);
    assert_eq!((find(&store, "host:old*").await, verified(&store).await), (0, None));
    assert!(kills > 1, "it was killed on the way");
}

/// A record with a removal, closed and damaged, then opened and verified.
async fn after(damage: impl FnOnce(&Connection)) -> Option<Finding> {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let store = two_ages(folder.path(), &clock).await;
    remove(&store, &clock, 30).await;
    drop(store);
    damage(&Connection::open(folder.path().join("reeve.db")).unwrap());
    verified(&open(folder.path(), &clock)).await
}

#[tokio::test]
async fn what_goes_behind_reeves_back_is_named_beside_what_reeve_removed() {
    let sql = |sql: &'static str| move |conn: &Connection| conn.execute_batch(sql).unwrap();
    assert_eq!(after(|_| {}).await, None);
    let missing = |seq| Some(Finding { seq, problem: Problem::Missing });
    assert_eq!(after(sql("DELETE FROM events WHERE seq = 45")).await, missing(45));
    assert_eq!(after(sql("DELETE FROM events WHERE seq < 50")).await, missing(45));
    assert_eq!(after(sql("DELETE FROM events WHERE seq = 60")).await, missing(60));
    // The words about the removal are the last record: without them the record is cut, and its beginning is missing.
    let cut = after(sql("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)")).await.unwrap();
    assert_eq!(cut, Finding { seq: 1, problem: Problem::Missing });
}

#[tokio::test]
async fn only_what_reeve_signed_is_a_reason_to_remove_anything() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let store = two_ages(folder.path(), &clock).await;
    remove(&store, &clock, 30).await;
    let head = store.head().seq;
    drop(store);
    let conn = Connection::open(folder.path().join("reeve.db")).unwrap();
    conn.execute_batch(
        "UPDATE events SET record = replace(record, '\"last\":44', '\"last\":60') WHERE seq = (SELECT max(seq) FROM events); \
         UPDATE removals SET last = 60",
    )
    .unwrap();
    drop(conn);
    let store = open(folder.path(), &clock);
    assert!(matches!(store.remove_some(10).await, Err(StoreError::Damaged(_))));
    assert_eq!(store.removal().await.unwrap(), None);
    assert_eq!(verified(&store).await.unwrap(), Finding { seq: head, problem: Problem::Changed });
}

#[tokio::test]
async fn who_makes_records_look_older_than_they_are_does_not_get_them_removed() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    drop(two_ages(folder.path(), &clock).await);
    let conn = Connection::open(folder.path().join("reeve.db")).unwrap();
    conn.execute_batch("UPDATE events SET stamp = stamp - 86400000 * 35 WHERE seq <= 60").unwrap();
    drop(conn);
    let store = open(folder.path(), &clock);
    let since = Some(clock.now() - chrono::Duration::days(30));
    assert!(matches!(store.removable(Keep { since, bytes: None }).await, Err(StoreError::Damaged(_))));
}

#[tokio::test]
async fn an_export_of_what_is_left_verifies_without_the_store() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let store = two_ages(folder.path(), &clock).await;
    remove(&store, &clock, 30).await;
    let path = folder.path().join("export.jsonl");
    let scanner = Scanner::new(Sought::<()>::new([]), |_| Vec::new());
    let file = std::fs::File::create(&path).unwrap();
    let manifest = store.export(&parse("").query, ExportFormat::Jsonl, scanner, file).await.unwrap();
    assert!(manifest.contiguous && manifest.first.as_ref().unwrap().seq == 45);
    let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
    let found = verify_export(file, &manifest.text(), Some(&key().verifying_key())).unwrap();
    assert!(found.links_verified && found.key_trusted);
}

#[tokio::test]
async fn the_file_becomes_smaller_bit_by_bit() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let store = open(folder.path(), &clock);
    let long = "x".repeat(3000);
    for _ in 0..300 {
        let body = EventBody::ConnectionRefused { why: "no token".to_owned(), detail: long.clone() };
        store.append(vec![Draft::engine(body)]).await.unwrap();
    }
    clock.advance(40 * DAY);
    settled(&store, "new.example").await;
    let before = store.size().await.unwrap().bytes;
    remove(&store, &clock, 30).await;
    let mut steps = 0;
    while store.shrink(16).await.unwrap() {
        steps += 1;
    }
    let after = store.size().await.unwrap();
    assert!(steps > 5 && after.bytes < before / 4, "{steps} steps, {before} before, {after:?}");
    assert!(!store.shrink(16).await.unwrap(), "a little room is left to be filled");
    drop(store);
    let bytes = std::fs::metadata(folder.path().join("reeve.db")).unwrap().len();
    assert!(bytes < before / 4, "what is free was given back to the disk: {bytes} of {before}");
    assert_eq!(verified(&open(folder.path(), &clock)).await, None);
}

#[tokio::test]
async fn a_wiped_record_begins_with_the_words_about_it_and_goes_on() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let store = two_ages(folder.path(), &clock).await;
    let head = store.head();
    let event = store.wipe("dana".to_owned(), None, None).await.unwrap();
    let EventBody::RecordsRemoved { removal, by, problem } = &event.body else { panic!("{event:?}") };
    assert_eq!((removal.last, &removal.head, removal.count), (head.seq, &head.hash, head.seq));
    assert_eq!((removal.cause, by.as_deref(), problem), (RemovalCause::Wipe, Some("dana"), &None));
    assert_eq!(store.events(None, 10).await.unwrap(), vec![event]);
    assert!(store.sessions(10).await.unwrap().is_empty() && store.approvals(10).await.unwrap().is_empty());
    assert!(store.seen_hosts().await.unwrap().is_empty());
    assert_eq!((find(&store, "").await, verified(&store).await), (0, None));
    let month = account("month", "me:dana", noon(), money(1_000_000));
    assert_eq!(store.balances(vec![month]).await.unwrap()[0].settled, 40 * 100, "budgets keep their sums");
    let next = settled(&store, "old-3.example").await;
    assert!(store.operation(&next.id).await.unwrap().unwrap().first_seen);
    drop(store);
    let store = open(folder.path(), &clock);
    assert_eq!((find(&store, "host:old-3.example").await, verified(&store).await), (1, None));
    drop(store);
    for name in ["reeve.db", "reeve.db-wal"] {
        let text = std::fs::read(folder.path().join(name)).unwrap_or_default();
        assert!(!text.windows(13).any(|part| part == b"new-3.example"), "what was wiped is left in {name}");
    }
}

#[tokio::test]
async fn a_record_is_wiped_whole_or_not_at_all() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let store = two_ages(folder.path(), &clock).await;
    let session = session("codex");
    store.open_session(session.clone(), "00".repeat(32)).await.unwrap();
    assert!(matches!(store.wipe("dana".to_owned(), None, None).await, Err(StoreError::Underway)));
    assert_eq!((find(&store, "").await, verified(&store).await), (41, None));
    let body = EventBody::SessionEnded { because: SessionEnd::Exited };
    let ended = Draft { agent: None, session: Some(session.id), operation: None, body };
    store.append(vec![ended]).await.unwrap();
    let open_call = http(principal("codex", &SessionId::new()), "stream.example", "GET", "/");
    store.admit(plain(&open_call)).await.unwrap();
    assert!(matches!(store.wipe("dana".to_owned(), None, None).await, Err(StoreError::Underway)));
    store.settle(open_call, complete(200), None).await.unwrap();
    store.wipe("dana".to_owned(), None, None).await.unwrap();
    assert_eq!(verified(&store).await, None);
}

#[tokio::test]
async fn a_broken_record_can_be_wiped_and_what_was_wrong_with_it_stays_said() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    drop(two_ages(folder.path(), &clock).await);
    let conn = Connection::open(folder.path().join("reeve.db")).unwrap();
    conn.execute_batch("DELETE FROM events WHERE seq > 50; DELETE FROM seals").unwrap();
    drop(conn);
    let store = open(folder.path(), &clock);
    let found = verified(&store).await.unwrap().to_string();
    let event = store.wipe("dana".to_owned(), Some(found.clone()), None).await.unwrap();
    let EventBody::RecordsRemoved { problem, .. } = event.body else { panic!() };
    assert_eq!(problem, Some(found));
    settled(&store, "new.example").await;
    drop(store);
    assert_eq!(verified(&open(folder.path(), &clock)).await, None);
}

#[tokio::test]
async fn a_record_whose_seals_another_key_signed_is_mended_by_a_wipe_whatever_the_mirror_holds() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    drop(two_ages(folder.path(), &clock).await);
    let reopen = || {
        let options = StoreOptions {
            clock: Arc::<ManualClock>::clone(&clock),
            seal_key: Some(SigningKey::from_bytes(&[6; 32])),
            mirror: Some(folder.path().join("seals.jsonl")),
        };
        Store::open(&folder.path().join("reeve.db"), options).unwrap()
    };
    let store = reopen();
    let head = store.head().seq;
    let found = verified(&store).await.unwrap();
    assert_eq!(found.problem, Problem::ForgedSeal);
    // Left by the key before, of records that an older copy of the database does not hold.
    let mirror = folder.path().join("seals.jsonl");
    let ahead = Seal::sign(&key(), head + 40, Digest::of(b"?"), clock.now());
    let kept = std::fs::read_to_string(&mirror).unwrap();
    std::fs::write(&mirror, format!("{kept}{}\n", ahead.line())).unwrap();
    let event = store.wipe("dana".to_owned(), Some(found.to_string()), None).await.unwrap();
    assert_eq!((event.seq, verified(&store).await), (head + 42, None));
    settled(&store, "new.example").await;
    drop(store);
    let store = reopen();
    assert_eq!(verified(&store).await, None);
    // One that was made up is named, and keeps nobody from wiping.
    let kept = std::fs::read_to_string(&mirror).unwrap();
    let absurd = Seal { seq: u64::MAX, ..ahead };
    std::fs::write(&mirror, format!("{kept}{}\n", absurd.line())).unwrap();
    let found = verified(&store).await.unwrap();
    assert_eq!(found.problem, Problem::ForgedSeal);
    let event = store.wipe("dana".to_owned(), Some(found.to_string()), None).await.unwrap();
    assert!(event.seq < head + 100, "{}", event.seq);
}

#[tokio::test]
async fn what_a_stop_kept_from_being_written_anew_is_at_the_next_start() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    drop(two_ages(folder.path(), &clock).await);
    let path = folder.path().join("reeve.db");
    let conn = Connection::open(&path).unwrap();
    // As a wipe leaves it that was killed before the file was written anew.
    conn.execute_batch(
        "CREATE TABLE gone (text TEXT); INSERT INTO gone VALUES ('left-of-a-wipe'); DROP TABLE gone; \
         INSERT INTO settings (key, value) VALUES ('store.compact', '');",
    )
    .unwrap();
    drop(conn);
    let holds = || std::fs::read(&path).unwrap().windows(14).any(|part| part == b"left-of-a-wipe");
    assert!(holds());
    drop(open(folder.path(), &clock));
    assert!(!holds());
    let conn = Connection::open(&path).unwrap();
    let markers = "SELECT count(*) FROM settings WHERE key = 'store.compact'";
    assert_eq!(conn.query_row(markers, (), |row| row.get::<_, u64>(0)).unwrap(), 0);
}

#[tokio::test]
async fn what_was_removed_is_no_word_of_the_search_index_any_more() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let store = open(folder.path(), &clock);
    settled(&store, "unmistakable.example").await;
    clock.advance(40 * DAY);
    for n in 0..5 {
        settled(&store, &format!("new-{n}.example")).await;
    }
    let conn = Connection::open(folder.path().join("reeve.db")).unwrap();
    conn.busy_timeout(Duration::from_secs(10)).unwrap();
    let count = |sql: &str| conn.query_row(sql, (), |row| row.get::<_, u64>(0)).unwrap();
    // A word of the index is stored without what it shares with the one before it.
    let word = "SELECT count(*) FROM operations_fts_data WHERE instr(block, CAST('mistakable' AS BLOB)) > 0";
    assert!(count(word) > 0);
    remove(&store, &clock, 30).await;
    while count("SELECT count(*) FROM settings WHERE key = 'store.reindex'") > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(count(word), 0);
    assert_eq!((find(&store, "new").await, verified(&store).await), (5, None));
}
