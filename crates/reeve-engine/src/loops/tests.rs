//! The four cases, and what must not be taken for a loop.

use std::time::Duration;

use reeve_domain::id::{AgentId, OperationId};
use reeve_domain::operation::{McpToolCall, McpTransport, Purpose, RowCount, SchemaCheck, ToolAnnotations};
use reeve_domain::principal::Principal;

use super::*;

fn limits() -> LoopLimits {
    LoopLimits { warn: 3, hold: 5, pause: 7, ..LoopLimits::default() }
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn operation(session: &SessionId, approach: &str) -> Operation {
    let call = McpToolCall {
        server: "s".to_owned(),
        transport: McpTransport::Stdio,
        tool: "t".to_owned(),
        annotations: ToolAnnotations::default(),
        arguments: Vec::new(),
        is_whole: true,
        argument_bytes: 0,
        schema: SchemaCheck::Unchecked,
        definition: None,
        endpoint: None,
        purpose: Purpose::Call,
        rows: RowCount::NotCounted,
        data: Vec::new(),
    };
    Operation {
        id: OperationId::new(),
        at: start(),
        principal: Principal {
            agent: AgentId::parse("claude").unwrap(),
            session: session.clone(),
            user: "dana".to_owned(),
            team: None,
        },
        subject: Subject::Mcp(call),
        content: Digest::of(approach.as_bytes()),
        summary: "s.t".to_owned(),
        conversation: None,
        credential: None,
        parent: None,
    }
}

fn answered(answer: &str) -> Outcome {
    let answer = Some(Digest::of(answer.as_bytes()));
    Outcome { result: Some(ToolResult::Ok), answer, ..Outcome::ended(Ending::Complete) }
}

fn failed(message: &str) -> Outcome {
    let result = Some(ToolResult::ToolError { message: message.to_owned() });
    Outcome { result, ..Outcome::ended(Ending::Complete) }
}

/// The stages that these steps lead to, one after the other.
fn stages(steps: &[(&str, Outcome)]) -> Vec<Option<(LoopCase, LoopStage)>> {
    let (loops, session) = (Loops::default(), SessionId::new());
    let ended = |(approach, outcome): &(&str, Outcome)| {
        let circle = loops.ended(&operation(&session, approach), outcome, limits(), start());
        circle.map(|circle| (circle.case, circle.stage))
    };
    steps.iter().map(ended).collect()
}

#[test]
fn the_same_with_the_same_result_is_warned_then_held_then_paused() {
    let steps: Vec<_> = (0..7).map(|_| ("a", answered("x"))).collect();
    use LoopStage::{Held, Paused, Warned};
    let expected = [None, None, Some(Warned), Some(Warned), Some(Held), Some(Held), Some(Paused)];
    assert_eq!(stages(&steps), expected.map(|stage| stage.map(|stage| (LoopCase::Stuck, stage))));
}

#[test]
fn other_steps_in_between_do_not_hide_that_it_is_stuck() {
    let steps: Vec<_> = (0..3).flat_map(|n| [("a", answered("x")), (["b", "c", "d"][n], answered("y"))]).collect();
    assert_eq!(stages(&steps)[4], Some((LoopCase::Stuck, LoopStage::Warned)));
}

#[test]
fn polling_whose_result_changes_is_no_loop() {
    let texts: Vec<String> = (0..20).map(|n| format!("{n} of 20 done")).collect();
    let steps: Vec<_> = texts.iter().map(|text| ("poll", answered(text))).collect();
    assert!(stages(&steps).iter().all(Option::is_none));
    let changed = [("a", answered("x")), ("a", answered("x")), ("a", answered("y")), ("a", answered("y"))];
    assert!(stages(&changed).iter().all(Option::is_none));
}

#[test]
fn different_steps_that_succeed_with_the_same_words_are_progress() {
    let names: Vec<String> = (0..20).map(|n| format!("write file {n}")).collect();
    let steps: Vec<_> = names.iter().map(|name| (name.as_str(), answered("ok"))).collect();
    assert!(stages(&steps).iter().all(Option::is_none));
}

#[test]
fn different_steps_that_fail_in_the_same_way_stagnate_and_one_success_ends_that() {
    let names: Vec<String> = (0..6).map(|n| format!("try {n}")).collect();
    let mut steps: Vec<_> = names.iter().map(|name| (name.as_str(), failed("permission denied"))).collect();
    assert_eq!(stages(&steps)[2], Some((LoopCase::Stagnant, LoopStage::Warned)));
    assert_eq!(stages(&steps)[4], Some((LoopCase::Stagnant, LoopStage::Held)));
    steps[2].1 = answered("x");
    assert_eq!(stages(&steps)[4], None);
}

#[test]
fn failures_that_differ_are_progress() {
    let texts: Vec<String> = (0..9).map(|n| format!("no file {n}")).collect();
    let steps: Vec<_> = texts.iter().map(|text| (text.as_str(), failed(text))).collect();
    assert!(stages(&steps).iter().all(Option::is_none));
}

#[test]
fn what_lies_before_the_window_is_forgotten_and_another_session_is_another_story() {
    let (loops, session, other) = (Loops::default(), SessionId::new(), SessionId::new());
    let at = |seconds| start() + chrono::Duration::seconds(seconds);
    for n in 0..4 {
        loops.ended(&operation(&session, "a"), &answered("x"), limits(), at(n));
    }
    assert!(loops.of(&operation(&session, "a"), limits(), at(5)).is_some());
    assert!(loops.of(&operation(&session, "b"), limits(), at(5)).is_none());
    assert!(loops.of(&operation(&other, "a"), limits(), at(5)).is_none());
    assert!(loops.of(&operation(&session, "a"), limits(), at(700)).is_none());
}

#[test]
fn a_human_who_lets_it_go_on_starts_the_count_anew_and_a_no_counts_as_a_step() {
    let (loops, session) = (Loops::default(), SessionId::new());
    let step = operation(&session, "a");
    for _ in 0..5 {
        loops.ended(&step, &answered("x"), limits(), start());
    }
    assert_eq!(loops.of(&step, limits(), start()).unwrap().stage, LoopStage::Held);
    assert!(loops.refused(&step, limits(), start()).is_some());
    let paused = loops.refused(&step, limits(), start()).unwrap();
    assert_eq!((paused.stage, paused.times, paused.newly), (LoopStage::Paused, 7, true));
    loops.forgive(&step);
    assert!(loops.of(&step, limits(), start()).is_none());
}

#[test]
fn many_of_the_same_within_seconds_are_a_burst_whatever_comes() {
    let limits = LoopLimits { burst: 4, ..limits() };
    let (loops, session) = (Loops::default(), SessionId::new());
    let step = operation(&session, "a");
    for n in 0..4 {
        assert!(loops.of(&step, limits, start()).is_none(), "{n}");
        loops.began(&step, limits, start());
    }
    let circle = loops.of(&step, limits, start()).unwrap();
    assert_eq!((circle.case, circle.stage), (LoopCase::Burst, LoopStage::Held));
    assert!(loops.of(&step, limits, start() + chrono::Duration::seconds(11)).is_none());
}

#[test]
fn zero_turns_a_stage_off_and_what_the_upstream_wants_repeated_counts_nothing() {
    let off = LoopLimits { warn: 0, hold: 0, pause: 0, window: Duration::from_secs(60), ..LoopLimits::default() };
    let (loops, session) = (Loops::default(), SessionId::new());
    let step = operation(&session, "a");
    for _ in 0..30 {
        assert!(loops.ended(&step, &answered("x"), off, start()).is_none());
    }
    let busy = Outcome { status: Some(529), ..Outcome::ended(Ending::Complete) };
    let session = SessionId::new();
    for _ in 0..30 {
        assert!(loops.ended(&operation(&session, "a"), &busy, limits(), start()).is_none());
    }
}
