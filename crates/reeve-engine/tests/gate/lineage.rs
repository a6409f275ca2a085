//! What an operation belongs under: told by the tool calls that models ask for and the results that come back.

use reeve_domain::approval::Resolution;
use reeve_domain::id::OperationId;
use reeve_domain::operation::Operation;
use reeve_domain::outcome::{Ending, Outcome, ToolCallAsked};
use reeve_engine::{LiveSession, Ruling};

use crate::world::World;

/// A model call of a conversation that is answered with these tool calls.
async fn answered(world: &World, live: &LiveSession, talk: &str, brings: &[&str], asks: &[&str]) -> Operation {
    let mut call = world.llm(live, "hello", 10);
    call.conversation = Some(talk.to_owned());
    call.parent = live.parent_of(&call, &owned(brings));
    let Ruling::Admitted(admission) = world.gate().admit(call.clone(), serde_json::Value::Null).await else {
        panic!("a model call was turned away")
    };
    let tool_calls = asks.iter().map(|id| ToolCallAsked { id: (*id).to_owned(), name: "Bash".to_owned() }).collect();
    let said = Some(format!("I will do it for {talk}."));
    let outcome = Outcome { status: Some(200), tool_calls, said, ..Outcome::ended(Ending::Complete) };
    admission.settle(outcome).await.unwrap();
    call
}

fn owned(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn under(world: &World, live: &LiveSession, host: &str) -> Option<OperationId> {
    live.parent_of(&world.http(live, "GET", host, "/"), &[])
}

#[tokio::test]
async fn what_is_done_while_tool_calls_are_open_belongs_under_the_answer_that_asked() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    assert_eq!(under(&world, &live, "docs.example.com"), None);
    let first = answered(&world, &live, "one", &[], &["t1", "t2"]).await;
    assert_eq!(under(&world, &live, "docs.example.com"), Some(first.id.clone()));
    // Its own reports are no tool's doing, and another session knows nothing of it.
    assert_eq!(under(&world, &live, "statsig.anthropic.com"), None);
    assert_eq!(under(&world, &*world.session("codex").await, "docs.example.com"), None);
    // The results come back, and the model asks for more.
    let second = answered(&world, &live, "one", &["t2", "t1"], &["t3"]).await;
    assert_eq!(second.parent, Some(first.id));
    assert_eq!(under(&world, &live, "docs.example.com"), Some(second.id.clone()));
    let third = answered(&world, &live, "one", &["t3"], &[]).await;
    assert_eq!((third.parent, under(&world, &live, "docs.example.com")), (Some(second.id), None));
}

#[tokio::test]
async fn an_agent_that_was_asked_is_under_the_asker_and_two_that_wait_at_once_are_not_told_apart() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let asker = answered(&world, &live, "one", &[], &["task"]).await;
    let helper = answered(&world, &live, "two", &[], &["read"]).await;
    assert_eq!(helper.parent, Some(asker.id.clone()));
    assert_eq!(under(&world, &live, "docs.example.com"), None);
    let done = answered(&world, &live, "two", &["read"], &[]).await;
    assert_eq!(done.parent, Some(helper.id));
    // The asker's call is still open.
    assert_eq!(under(&world, &live, "docs.example.com"), Some(asker.id.clone()));
    let back = answered(&world, &live, "one", &["task"], &[]).await;
    assert_eq!((back.parent, under(&world, &live, "docs.example.com")), (Some(asker.id), None));
}

#[tokio::test]
async fn a_new_prompt_ends_the_wait_for_results_that_never_came() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    answered(&world, &live, "one", &[], &["t1"]).await;
    let mut prompt = world.llm(&live, "never mind", 10);
    prompt.conversation = Some("one".to_owned());
    if let reeve_domain::operation::Subject::Llm(call) = &mut prompt.subject {
        call.tools_offered = vec!["Bash".to_owned()];
    }
    assert_eq!(live.parent_of(&prompt, &[]), None);
    assert_eq!(under(&world, &live, "docs.example.com"), None);
    // They come all the same: they are still known for whose they are.
    let late = world.llm(&live, "so", 10);
    assert!(live.parent_of(&late, &owned(&["t1"])).is_some());
}

#[tokio::test]
async fn a_tool_call_with_its_own_id_is_under_the_answer_that_asked_for_it_whatever_else_waits() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let one = answered(&world, &live, "one", &[], &["t1"]).await;
    let other = answered(&world, &live, "two", &[], &["t2"]).await;
    let call = world.http(&live, "GET", "docs.example.com", "/");
    assert_eq!(live.parent_of_call(&call, &["t1"]), Some(one.id));
    assert_eq!(live.parent_of_call(&call, &["t2"]), Some(other.id));
    // An id that no model gave tells nothing, and two that wait at once are not told apart.
    assert_eq!(live.parent_of_call(&call, &["exec-1"]), None);
}

#[tokio::test]
async fn a_question_holds_what_the_model_said_when_it_asked_for_it_and_the_record_does_not() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let asked = answered(&world, &live, "one", &[], &["t1"]).await;
    let mut drop = world.http(&live, "DELETE", "api.example.com", "/v1/things/7");
    drop.parent = live.parent_of(&drop, &[]);
    let waiting = world.spawn_admit(drop);
    let held = world.held().await;
    let question = world.engine.question_of(&held.id).await.unwrap();
    assert_eq!(question.said.as_deref(), Some("I will do it for one."));
    world.answer(&held, Resolution::Refused { reason: None }).await.unwrap();
    assert!(matches!(waiting.await.unwrap(), Ruling::Denied(_)));
    assert_eq!(world.engine.question_of(&held.id).await.unwrap().said, None);
    let recorded =
        serde_json::to_string(&world.engine.store().detail(&asked.id).await.unwrap().unwrap().events).unwrap();
    assert!(!recorded.contains("I will do it"), "{recorded}");
}
