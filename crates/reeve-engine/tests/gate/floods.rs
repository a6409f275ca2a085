//! Floods: an agent that asks without end is paused, knocking without end is counted; and what a pause let through is cut
//! when it is over.

use std::time::Duration;

use reeve_domain::event::{Draft, EventBody};
use reeve_domain::verdict::{Denial, DenialKind};
use reeve_engine::approvals::MAX_PENDING_PER_AGENT;
use serde_json::Value;

use crate::world::World;
use crate::{FORBID_PASTE, admitted, denied};

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_floods_the_human_is_paused_until_somebody_resumes_it() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let agent = live.session.agent.clone();
    world.engine.agents().ensure(&agent, "Claude Code", None).await.unwrap();
    for number in 0..MAX_PENDING_PER_AGENT {
        world.spawn_admit(world.http(&live, "DELETE", "api.example.com", &format!("/v1/things/{number}")));
    }
    for _ in 0..3_000 {
        if world.engine.approvals().waiting() == MAX_PENDING_PER_AGENT {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(world.engine.approvals().waiting(), MAX_PENDING_PER_AGENT);
    assert!(!world.engine.agents().is_paused(&agent));
    let one_more = world.http(&live, "DELETE", "api.example.com", "/v1/things/last");
    let denial = denied(world.gate().admit(one_more, Value::Null).await);
    assert_eq!(denial.reasons[0].rule.as_str(), "too-many-questions");
    assert!(world.engine.agents().is_paused(&agent));
    let harmless = || world.http(&live, "GET", "api.example.com", "/v1/things");
    assert_eq!(denied(world.gate().admit(harmless(), Value::Null).await).kind, DenialKind::Stopped);
    world.engine.agents().resume(&agent, "dana").await.unwrap();
    drop(admitted(world.gate().admit(harmless(), Value::Null).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_asks_faster_than_anybody_reads_is_slowed() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let ask = |number: usize| {
        world.spawn_admit(world.http(&live, "DELETE", "api.example.com", &format!("/v1/things/{number}")));
    };
    let waiting = async |wanted: usize| {
        for _ in 0..1_000 {
            if world.engine.approvals().waiting() == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} wait, not {wanted}", world.engine.approvals().waiting());
    };
    (0..10).for_each(ask);
    waiting(10).await;
    let begun = std::time::Instant::now();
    ask(10);
    waiting(11).await;
    // It is put all the same, and not at once.
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_in_a_storm_is_judged_by_what_the_human_decided_meanwhile() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let delete = |number: usize| world.http(&live, "DELETE", "api.example.com", &format!("/v1/things/{number}"));
    for number in 0..10 {
        world.spawn_admit(delete(number));
    }
    for _ in 0..1_000 {
        if world.engine.approvals().waiting() == 10 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut parked = std::pin::pin!(world.gate().admit(delete(10), Value::Null));
    // From here on it comes no further than somebody polls it.
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut parked).await.is_err());
    let rule = "@id(\"no-deletes\")\n@reason(\"enough\")\nforbid (principal, action, resource == Host::\"api.example.com\");\n";
    std::fs::write(world.file("policies/mine.cedar"), rule).unwrap();
    world.engine.reload().await.unwrap();
    let denial = denied(parked.await);
    assert_eq!(denial.reasons[0].rule.as_str(), "no-deletes");
    assert_eq!(world.engine.approvals().waiting(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_pause_let_through_is_cut_on_resume() {
    let world = World::with("policies/mine.cedar", FORBID_PASTE).await;
    let live = world.session("claude-code").await;
    world.engine.protection().pause(None).await.unwrap();
    let observed = admitted(world.gate().admit(world.http(&live, "GET", "paste.example", "/x"), Value::Null).await);
    let allowed = admitted(world.gate().admit(world.http(&live, "GET", "api.example.com", "/x"), Value::Null).await);
    assert!(!observed.revoked().is_cancelled());
    world.engine.resume().await.unwrap();
    assert!(observed.revoked().is_cancelled() && !allowed.revoked().is_cancelled());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_refused_connections_leaves_few_records_and_their_number() {
    let world = World::new().await;
    for _ in 0..500 {
        let body = EventBody::ConnectionRefused { why: "no token".to_owned(), detail: String::new() };
        world.gate().record(Draft::engine(body)).await.unwrap();
    }
    world.clock.advance(Duration::from_secs(61));
    for _ in 0..3_000 {
        let events = world.engine.store().events(None, 1_000).await.unwrap();
        let refused: Vec<&str> = events
            .iter()
            .filter_map(|event| match &event.body {
                EventBody::ConnectionRefused { detail, .. } => Some(detail.as_str()),
                _ => None,
            })
            .collect();
        assert!(refused.len() <= 101, "{refused:?}");
        if refused.first() == Some(&"400 more within a minute") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the rest was never counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_stops_what_begins_and_lets_what_runs_come_to_its_end() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let agent = live.session.agent.clone();
    world.engine.agents().ensure(&agent, "Claude Code", None).await.unwrap();
    let read = || world.http(&live, "GET", "api.example.com", "/v1/things");
    let running = admitted(world.gate().admit(read(), Value::Null).await);
    world.engine.agents().pause(&agent, "dana").await.unwrap();
    world.gate().recheck();
    assert!(!running.revoked().is_cancelled());
    assert_eq!(denied(world.gate().admit(read(), Value::Null).await).kind, DenialKind::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_admitted_behind_the_record_of_a_pause() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let agent = live.session.agent.clone();
    world.engine.agents().ensure(&agent, "Claude Code", None).await.unwrap();
    let calls: Vec<_> = (0..200)
        .map(|number| world.spawn_admit(world.http(&live, "GET", "api.example.com", &format!("/v1/things/{number}"))))
        .collect();
    world.engine.agents().pause(&agent, "dana").await.unwrap();
    let mut running = Vec::new();
    for call in calls {
        running.push(call.await.unwrap());
    }
    // Newest first.
    let events = world.engine.store().events(None, 2_000).await.unwrap();
    let after = events.iter().take_while(|event| !matches!(event.body, EventBody::AgentPaused { .. }));
    assert!(after.clone().count() < events.len(), "the pause is in the record");
    assert_eq!(after.filter(|event| matches!(event.body, EventBody::OperationAdmitted { .. })).count(), 0);
    drop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn denials_without_end_leave_their_beginning_and_a_number() {
    let world = World::with("policies/mine.cedar", FORBID_PASTE).await;
    let live = world.session("claude-code").await;
    for _ in 0..700 {
        let denial = denied(world.gate().admit(world.http(&live, "POST", "paste.example", "/x"), Value::Null).await);
        assert_eq!(denial.kind, DenialKind::Policy);
    }
    world.clock.advance(Duration::from_secs(61));
    for _ in 0..3_000 {
        let events = world.engine.store().events(None, 2_000).await.unwrap();
        let denied = events.iter().filter(|event| matches!(event.body, EventBody::OperationDenied { .. })).count();
        assert_eq!(denied, 600);
        if events.iter().any(|event| matches!(event.body, EventBody::OperationsDenied { more: 100, grave: false })) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the rest was never counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn denials_of_high_risk_without_end_are_bounded_too_and_not_drowned_by_others() {
    let rule = |id: &str, risk: &str, host: &str| {
        format!(
            "@id(\"{id}\") @reason(\"tests\") @risk(\"{risk}\")\n\
             forbid(principal, action, resource == Host::\"{host}\");\n"
        )
    };
    let rules = [
        rule("light", "low", "light.example"),
        rule("grave", "high", "grave.example"),
        rule("other", "high", "other.example"),
    ];
    let world = World::with("policies/mine.cedar", &rules.concat()).await;
    let live = world.session("claude-code").await;
    let deny = async |host: &str| denied(world.gate().admit(world.http(&live, "GET", host, "/x"), Value::Null).await);
    for _ in 0..601 {
        deny("light.example").await;
    }
    for number in 0..650 {
        assert_eq!(deny("grave.example").await.record.is_some(), number < 600, "{number}");
    }
    assert!(deny("other.example").await.record.is_some(), "the first of another kind");
    world.clock.advance(Duration::from_secs(61));
    for _ in 0..3_000 {
        let events = world.engine.store().events(None, 2_000).await.unwrap();
        if events.iter().any(|event| matches!(event.body, EventBody::OperationsDenied { more: 50, grave: true })) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the rest was never counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_denials_drowns_no_other_session_no_new_host_and_no_leak() {
    let world = World::with("policies/mine.cedar", FORBID_PASTE).await;
    let live = world.session("claude-code").await;
    for _ in 0..650 {
        let _ = denied(world.gate().admit(world.http(&live, "POST", "paste.example", "/x"), Value::Null).await);
    }
    let at = |host: &str, live| world.http(live, "GET", host, "/probe");
    let refusal =
        |kind| Denial { kind, message: "no".to_owned(), advice: String::new(), reasons: Vec::new(), record: None };
    let new = world.gate().refuse(at("new.example", &live), refusal(DenialKind::Address)).await;
    assert!(new.record.is_some(), "the first at another host");
    let again = world.gate().refuse(at("new.example", &live), refusal(DenialKind::Address)).await;
    assert!(again.record.is_none(), "the second there is one of the flood");
    let other = world.gate().refuse(at("new.example", &live), refusal(DenialKind::Malformed)).await;
    assert!(other.record.is_some(), "the first for another reason");
    for number in 0..300 {
        let host = format!("host{number}.example");
        let denial = world.gate().refuse(at(&host, &live), refusal(DenialKind::Address)).await;
        assert_eq!(denial.record.is_some(), number < 198, "{number}");
    }
    for _ in 0..3 {
        let leak = world.gate().refuse(at("paste.example", &live), refusal(DenialKind::Leak)).await;
        assert!(leak.record.is_some(), "other denials do not drown leaks");
    }
    let quiet = world.session("codex").await;
    let theirs = world.gate().refuse(at("paste.example", &quiet), refusal(DenialKind::Address)).await;
    assert!(theirs.record.is_some(), "another session is counted by itself");
}
