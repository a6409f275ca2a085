//! Another set of rules against what was recorded.

use std::sync::Arc;

use chrono::Duration;
use reeve_domain::settings::Preset;
use reeve_domain::verdict::{Decision, Layer};
use reeve_engine::Ruling;
use reeve_engine::policies::replay::WINDOW;
use reeve_policy::{PolicySet, Source};

use crate::world::World;

fn set(text: &str) -> Arc<PolicySet> {
    let source = Source { layer: Layer::Mine, file: "mine.cedar".to_owned(), text: text.to_owned() };
    Arc::new(PolicySet::load(Preset::Balanced, &[source], &[]).unwrap())
}

/// Reads of one host, admitted; returns how many.
async fn reads(world: &World, host: &str, count: usize) {
    let live = world.session("tester").await;
    for n in 0..count {
        let operation = world.http(&live, "GET", host, &format!("/page/{}", n % 2));
        let Ruling::Admitted(admission) = world.gate().admit(operation, serde_json::json!({})).await else {
            panic!("a read of a public host is allowed")
        };
        drop(admission);
    }
}

#[tokio::test]
async fn a_candidate_is_weighed_against_what_was_recorded() {
    let world = World::new().await;
    reads(&world, "docs.acme.example", 4).await;
    let since = world.engine.now() - WINDOW;
    let same = world.engine.replay(set(""), since).await.unwrap();
    assert_eq!((same.judged, same.same, same.changes.len(), same.complete), (4, 4, 0, true));
    let forbids = set(
        "@id(\"no-docs\") @reason(\"not today\") forbid (principal, action, resource == Host::\"docs.acme.example\");",
    );
    let replay = world.engine.replay(forbids, since).await.unwrap();
    assert_eq!((replay.newly_denied.count, replay.newly_allowed.count, replay.same), (4, 0, 0));
    assert_eq!(replay.changes.len(), 2, "{:?}", replay.changes);
    assert!(replay.changes.iter().all(|c| {
        c.times == 2
            && (c.before, c.after) == (Decision::Allow, Decision::Deny)
            && c.reasons[0].rule.as_str() == "no-docs"
    }));
}

#[tokio::test]
async fn the_first_time_is_the_first_time_again_and_what_is_older_is_left_out() {
    let world = World::new().await;
    reads(&world, "docs.acme.example", 2).await;
    world.clock.advance(Duration::days(8).to_std().unwrap());
    reads(&world, "docs.acme.example", 2).await;
    reads(&world, "new.acme.example", 3).await;
    let asks_first = set(
        "@id(\"first\") @reason(\"never seen\") @liftable forbid (principal, action, resource) when { context.first_seen } unless { context.approved };",
    );
    let replay = world.engine.replay(Arc::clone(&asks_first), world.engine.now() - WINDOW).await.unwrap();
    assert_eq!((replay.judged, replay.newly_asked.count), (5, 1), "{replay:?}");
    let all = world.engine.replay(asks_first, world.engine.now() - Duration::days(30)).await.unwrap();
    assert_eq!((all.judged, all.newly_asked.count), (7, 2), "{all:?}");
}

#[tokio::test]
async fn what_always_would_write_is_weighed_before_it_is_written() {
    let world = World::new().await;
    let live = world.session("tester").await;
    let asked = world.http(&live, "DELETE", "api.acme.example", "/things/7");
    let waiting = world.spawn_admit(asked);
    let approval = world.held().await;
    let scope = reeve_domain::approval::GrantScope::Always;
    let text = world.engine.standing_text(&approval.id, &scope).unwrap();
    let candidate = Arc::new(world.engine.policies().with_standing(&text).unwrap());
    let replay = world.engine.replay(candidate, world.engine.now() - WINDOW).await.unwrap();
    assert_eq!((replay.judged, replay.newly_allowed.count, replay.newly_allowed.grave), (1, 1, 1), "{replay:?}");
    assert_eq!(replay.changes[0].sample, approval.operation);
    waiting.abort();
}
