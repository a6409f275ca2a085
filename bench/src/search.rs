//! Timeline queries, and what the console asks of the longest session, on a generated store of a million events.

mod generate;

use std::time::{Duration, Instant};

use reeve_domain::chain::RemovalCause;
use reeve_domain::id::SessionId;
use reeve_domain::query;
use reeve_store::search::Page;
use reeve_store::{Store, StoreError};

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
    ("time range", "since:2026-11-18T10:00:00Z before:2026-11-18T11:00:00Z"),
    ("combined", "kind:llm model:claude-* -agent:codex since:2026-11-18T10:00:00Z"),
    ("either or", "(host:api.github.com status:>=400) OR rule:no-paste"),
    ("slow", "latency:>4s"),
];

pub async fn run(events: u64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let begun = Instant::now();
    let (store, longest) = generate::generate(folder.path(), events).await?;
    println!("search: {} events generated in {:.0} s", store.head().seq, begun.elapsed().as_secs_f64());
    measure(&store).await?;
    session(&store, &longest).await?;
    remove_third(&store).await?;
    measure(&store).await
}

/// What the console asks for the longest session: its page, its counts, its tree, a word in it, and the list it stands in.
async fn session(store: &Store, id: &SessionId) -> anyhow::Result<()> {
    let all = query::parse("").query;
    let parsed = query::parse(&format!("session:{id}"));
    anyhow::ensure!(parsed.problems.is_empty(), "the id of a session is not understood");
    let (mut page, mut facets, mut tree, mut found, mut list) =
        (Times::default(), Times::default(), Times::default(), Times::default(), Times::default());
    let mut nodes = 0;
    for _ in 0..5 {
        let begun = Instant::now();
        store.search(&parsed.query, Page { before: None, limit: 100 }).await?;
        page.push(begun.elapsed());
        let begun = Instant::now();
        store.facets(&parsed.query).await?;
        facets.push(begun.elapsed());
        let begun = Instant::now();
        nodes = store.flow(id, &all).await?.nodes.len();
        tree.push(begun.elapsed());
        let begun = Instant::now();
        store.flow(id, &query::parse("releases").query).await?;
        found.push(begun.elapsed());
        let begun = Instant::now();
        store.session_sums(&all, None, 50).await?;
        list.push(begun.elapsed());
    }
    println!("  the longest session, {nodes} operations");
    against("its first page, p95", page.quantile(0.95), Duration::from_millis(20));
    against("its facets, p95", facets.quantile(0.95), Duration::from_millis(50));
    // The window has 300 ms for a session of 5,000, drawing included; this one has ten times as many.
    against("its tree and flow, whole, p95", tree.quantile(0.95), Duration::from_millis(300));
    against("its tree and flow of one word, p95", found.quantile(0.95), Duration::from_millis(300));
    against("the list of sessions, p95", list.quantile(0.95), Duration::from_millis(200));
    Ok(())
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
