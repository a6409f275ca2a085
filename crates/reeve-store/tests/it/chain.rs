//! The record under attack: whatever is done to the database behind Reeve's back is named.

use std::path::Path;
use std::time::Duration;

use reeve_domain::chain::{Finding, Problem, Seal, link};
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::operation::Digest;
use reeve_store::Store;
use rusqlite::Connection;

use crate::samples::*;

const EVENTS: u64 = 60;

async fn fill(store: &Store) {
    for n in 0..EVENTS {
        let body = EventBody::ConnectionRefused { why: "no token".to_owned(), detail: format!("try {n}") };
        store.append(vec![Draft::engine(body)]).await.unwrap();
    }
}

async fn sealed_to(store: &Store, seq: u64) {
    let mut seals = store.latest_seal();
    let until = seals.wait_for(|seal: &Option<Seal>| seal.as_ref().is_some_and(|seal| seal.seq >= seq));
    tokio::time::timeout(Duration::from_secs(10), until).await.unwrap().unwrap();
}

/// A sealed record, closed; damaged by `damage`; opened again and verified.
async fn after(damage: impl FnOnce(&Connection, &Path)) -> Option<Finding> {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &clock());
    fill(&store).await;
    sealed_to(&store, EVENTS).await;
    assert!(store.verify().await.unwrap().ok);
    drop(store);
    {
        let conn = Connection::open(folder.path().join("reeve.db")).unwrap();
        damage(&conn, folder.path());
    }
    let store = open(folder.path(), &clock());
    let verification = store.verify().await.unwrap();
    assert_eq!(verification.ok, verification.first_bad.is_none());
    verification.first_bad
}

fn is(found: Option<Finding>, seq: u64, problem: Problem) {
    assert_eq!(found, Some(Finding { seq, problem }));
}

fn execute(conn: &Connection, sql: &str) {
    conn.execute_batch(sql).unwrap();
}

#[tokio::test]
async fn an_untouched_record_verifies_after_a_restart() {
    assert_eq!(after(|_, _| {}).await, None);
}

#[tokio::test]
async fn a_changed_record_is_named() {
    let found = after(|conn, _| {
        execute(conn, "UPDATE events SET record = replace(record, 'try 20', 'try 99') WHERE seq = 21");
    });
    is(found.await, 21, Problem::Changed);
}

#[tokio::test]
async fn a_deleted_record_is_named() {
    is(after(|conn, _| execute(conn, "DELETE FROM events WHERE seq = 21")).await, 21, Problem::Missing);
}

#[tokio::test]
async fn reordered_records_are_named() {
    let found = after(|conn, _| {
        execute(
            conn,
            "UPDATE events SET seq = -1 WHERE seq = 21; UPDATE events SET seq = 21 WHERE seq = 30; \
             UPDATE events SET seq = 30 WHERE seq = -1",
        );
    });
    is(found.await, 21, Problem::Reordered);
}

#[tokio::test]
async fn a_cut_tail_is_named_against_the_mirror() {
    let found = after(|conn, _| execute(conn, "DELETE FROM events WHERE seq > 50; DELETE FROM seals"));
    is(found.await, 51, Problem::CutTail { last: 50, sealed: EVENTS });
}

fn recompute(conn: &Connection, from: u64) {
    let mut prev: String = conn.query_row("SELECT hash FROM events WHERE seq = ?1", [from - 1], |r| r.get(0)).unwrap();
    let last: u64 = conn.query_row("SELECT max(seq) FROM events", (), |r| r.get(0)).unwrap();
    for seq in from..=last {
        let mut record: String =
            conn.query_row("SELECT record FROM events WHERE seq = ?1", [seq], |r| r.get(0)).unwrap();
        let at = record.find("\"prev\":\"").unwrap() + 8;
        record.replace_range(at..at + 64, &prev);
        let hash = link(&Digest(prev), &record).0;
        conn.execute("UPDATE events SET record = ?2, hash = ?3 WHERE seq = ?1", (seq, &record, &hash)).unwrap();
        prev = hash;
    }
}

#[tokio::test]
async fn recomputed_hashes_are_found_between_two_seals() {
    let found = after(|conn, _| {
        execute(
            conn,
            "UPDATE events SET record = replace(record, 'try 20', 'try 99') WHERE seq = 21; DELETE FROM seals",
        );
        recompute(conn, 21);
    });
    let Some(Finding { problem: Problem::Recomputed { after, until }, .. }) = found.await else { panic!() };
    assert!(after < 21 && until >= 21, "{after} {until}");
}

#[tokio::test]
async fn a_record_wiped_whole_is_found_against_the_mirror() {
    let found = after(|conn, _| execute(conn, "DELETE FROM events; DELETE FROM seals")).await.unwrap();
    assert!(matches!(found, Finding { seq: 1, problem: Problem::CutTail { last: 0, .. } }), "{found:?}");
}

#[tokio::test]
async fn a_mirror_with_a_forged_seal_is_named() {
    let found = after(|_, folder| {
        let forged = Seal::sign(&ed25519_dalek::SigningKey::from_bytes(&[1; 32]), 10, Digest::of(b"x"), noon());
        let path = folder.join("seals.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{text}{}\n", forged.line())).unwrap();
    });
    is(found.await, 10, Problem::ForgedSeal);
}

#[tokio::test]
async fn a_mirror_line_torn_by_a_crash_is_no_finding_and_the_next_seal_stands_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mirror = folder.path().join("seals.jsonl");
    std::fs::write(&mirror, "{\"at\":\"2026").unwrap();
    let store = open(folder.path(), &clock());
    fill(&store).await;
    sealed_to(&store, EVENTS).await;
    assert!(store.verify().await.unwrap().ok);
    let text = std::fs::read_to_string(&mirror).unwrap();
    assert!(text.lines().nth(1).unwrap().starts_with("{\"at\":\"2026-11-20T"), "{text}");
}

#[tokio::test]
async fn going_on_after_a_cut_tail_does_not_hide_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &clock());
    fill(&store).await;
    drop(store);
    execute(
        &Connection::open(folder.path().join("reeve.db")).unwrap(),
        "DELETE FROM events WHERE seq > 50; DELETE FROM seals",
    );
    let store = open(folder.path(), &clock());
    fill(&store).await;
    let found = store.verify().await.unwrap().first_bad.unwrap();
    assert!(matches!(found.problem, Problem::Recomputed { until: EVENTS, .. }), "{found:?}");
}

#[tokio::test]
async fn seals_come_every_second_and_every_thousand_events_and_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &clock());
    let body = || EventBody::EngineStopped { why: "test".to_owned() };
    store.append((0..1500).map(|_| Draft::engine(body())).collect()).await.unwrap();
    sealed_to(&store, 1500).await;
    store.append(vec![Draft::engine(body())]).await.unwrap();
    sealed_to(&store, 1501).await;
    store.append(vec![Draft::engine(body())]).await.unwrap();
    drop(store);
    let store = open(folder.path(), &clock());
    assert_eq!(store.verify().await.unwrap().sealed_to, 1502);
    let mirror = std::fs::read_to_string(folder.path().join("seals.jsonl")).unwrap();
    assert_eq!(reeve_domain::chain::read_mirror(&mirror).0.last().unwrap().seq, 1502);
}

#[tokio::test]
async fn events_are_published_after_their_commit_and_in_order() {
    let store = in_memory(&clock());
    let mut events = store.subscribe();
    fill(&store).await;
    let mut next = 1;
    while next <= EVENTS {
        for event in events.recv().await.unwrap().iter() {
            assert_eq!(event.seq, next);
            next += 1;
        }
    }
    assert_eq!(store.head().seq, EVENTS);
}
