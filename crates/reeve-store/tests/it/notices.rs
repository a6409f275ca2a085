//! What happened beside operations: found by the same grammar, between the same pages, gone with its records.

use reeve_domain::event::{Draft, EventBody};
use reeve_domain::health::{LoopCase, LoopStage};
use reeve_domain::id::SessionId;
use reeve_domain::operation::Digest;
use reeve_domain::query::parse;
use reeve_domain::slot::{Claimed, SlotEnd, SlotState};
use reeve_store::{Page, Store};

use crate::samples::*;

async fn found(store: &Store, query: &str) -> Vec<&'static str> {
    let parsed = parse(query);
    assert_eq!(parsed.problems, [], "{query}");
    let notices = store.notices(&parsed.query, (None, None)).await.unwrap();
    notices.notices.into_iter().map(|notice| notice.event).collect()
}

async fn rows(store: &Store, query: &str) -> usize {
    let parsed = parse(query);
    assert_eq!(parsed.problems, [], "{query}");
    store.search(&parsed.query, Page { before: None, limit: 100 }).await.unwrap().rows.len()
}

fn cut_off() -> EventBody {
    EventBody::ToolCutOff { place: "files/read".to_owned(), why: "it hangs".to_owned(), failures: 5 }
}

#[tokio::test]
async fn a_breaker_a_loop_and_a_lost_call_are_found_and_the_loop_is_a_key_of_its_operation() {
    let store = in_memory(&clock());
    let one = principal("codex", &SessionId::new());
    let operation = http(one.clone(), "api.github.com", "GET", "/");
    let other = http(one, "api.github.com", "GET", "/other");
    for operation in [&operation, &other] {
        assert!(admitted(&store.admit(plain(operation)).await.unwrap()));
        store.settle(operation.clone(), complete(200), None).await.unwrap();
    }
    let looped = EventBody::AgentLooped {
        case: LoopCase::Stuck,
        stage: LoopStage::Held,
        times: 10,
        what: operation.summary.clone(),
    };
    store.append(vec![Draft::engine(cut_off()), Draft::of(&operation, looped)]).await.unwrap();
    let key = Digest::of(b"a");
    let until = noon() + chrono::Duration::hours(1);
    let claimed = store.claim_slot(key.clone(), operation.id.clone(), until, until, None).await.unwrap();
    assert_eq!(claimed, Claimed::Fresh);
    let lost = || SlotEnd { state: SlotState::Unknown, result: None };
    assert!(store.finish_slot(key.clone(), operation.id.clone(), lost()).await.unwrap());
    assert!(store.finish_slot(key, operation.id.clone(), lost()).await.unwrap());

    assert_eq!(found(&store, "").await, ["call.lost", "agent.looped", "tool.cut_off"], "each once, newest first");
    assert_eq!(found(&store, "kind:event agent:codex").await, ["call.lost", "agent.looped"]);
    assert_eq!(found(&store, "server:files tool:read").await, ["tool.cut_off"]);
    assert_eq!(found(&store, "kind:http").await, [""; 0]);
    for query in ["loop:*", "loop:held", "loop:stuck", "loop:(paused,stuck)"] {
        assert_eq!(rows(&store, query).await, 1, "{query}");
        assert_eq!(found(&store, query).await, ["agent.looped"], "{query}");
    }
    assert_eq!((rows(&store, "loop:warned").await, rows(&store, "-loop:*").await), (0, 1));
    let facets = store.facets(&parse("").query).await.unwrap();
    let loops = facets.groups.iter().find(|group| group.key == "loop").unwrap();
    let counted: Vec<_> = loops.values.iter().map(|one| (one.value.as_str(), one.count)).collect();
    assert_eq!(counted, [("held", 1), ("stuck", 1)]);
    store.rebuild().await.unwrap();
    assert_eq!((rows(&store, "loop:held").await, found(&store, "").await.len()), (1, 3));
}

#[tokio::test]
async fn a_notice_stands_on_the_page_of_the_actions_around_it() {
    let store = in_memory(&clock());
    let one = principal("codex", &SessionId::new());
    for at in 0..4 {
        let operation = http(one.clone(), "api.github.com", "GET", "/");
        assert!(admitted(&store.admit(plain(&operation)).await.unwrap()));
        store.settle(operation, complete(200), None).await.unwrap();
        let body = EventBody::ToolBack { place: format!("server-{at}") };
        store.append(vec![Draft::engine(body)]).await.unwrap();
    }
    let (all, mut before, mut pages) = (parse("").query, None, Vec::new());
    loop {
        let page = store.search(&all, Page { before, limit: 2 }).await.unwrap();
        let notices = store.notices(&all, (before, page.next)).await.unwrap();
        pages.push(notices.notices.into_iter().filter_map(|notice| notice.server).collect::<Vec<_>>());
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(pages, [["server-3", "server-2"], ["server-1", "server-0"]]);
}

#[tokio::test]
async fn more_than_one_answer_has_is_said_and_one_record_is_found_however_old_it_is() {
    let store = in_memory(&clock());
    let back = |at: u32| Draft::engine(EventBody::ToolBack { place: format!("server-{at}") });
    store.append(std::iter::once(Draft::engine(cut_off())).chain((0..600).map(back)).collect()).await.unwrap();
    let answer = async |query: &str| {
        let found = store.notices(&parse(query).query, (None, None)).await.unwrap();
        (found.notices.len(), found.capped)
    };
    assert_eq!(answer("").await, (500, true));
    assert_eq!(answer("server:files").await, (1, false), "the filter comes before the most of one answer");
    assert_eq!(answer("kind:event record:1").await, (1, false));
    assert_eq!(answer("kind:event -server:files record:1").await, (0, false));
    assert_eq!(answer("kind:http").await, (0, false));
}

#[tokio::test]
async fn a_notice_goes_with_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &clock());
    store.append(vec![Draft::engine(cut_off()), Draft::engine(cut_off())]).await.unwrap();
    store.wipe("dana".to_owned(), None, None).await.unwrap();
    assert_eq!(found(&store, "").await, ["records.removed"]);
    store.verify().await.unwrap();
}
