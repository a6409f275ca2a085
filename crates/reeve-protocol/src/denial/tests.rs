//! Every denial in every dialect: words, shapes, statuses.

use std::time::Duration;

use reeve_domain::id::{OperationId, RuleId};
use reeve_domain::verdict::{Layer, Reason};

use super::*;

const KINDS: [DenialKind; 11] = [
    DenialKind::Policy,
    DenialKind::Refused,
    DenialKind::Expired,
    DenialKind::Budget,
    DenialKind::Unpriced,
    DenialKind::Leak,
    DenialKind::Address,
    DenialKind::Malformed,
    DenialKind::Stopped,
    DenialKind::Unavailable,
    DenialKind::Fault,
];

const DIALECTS: [Dialect; 5] = [
    Dialect::AnthropicMessages,
    Dialect::OpenaiChat,
    Dialect::OpenaiResponses,
    Dialect::Gemini,
    Dialect::GeminiCodeAssist,
];

fn denial(kind: DenialKind) -> Denial {
    Denial {
        kind,
        message: "POST api.example.com/x is denied by `no-posts` (Posting is not wanted)".to_owned(),
        advice: "ask the human to change the rule".to_owned(),
        reasons: vec![Reason {
            rule: RuleId::parse("no-posts").unwrap(),
            text: "Posting is not wanted.".to_owned(),
            layer: Layer::Mine,
            file: "rules.cedar".to_owned(),
            line: 7,
            liftable: false,
        }],
        record: Some(OperationId::parse("op_01hzzzzzzzzzzzzzzzzzzzzzzz").unwrap()),
    }
}

fn body(wire: &WireDenial) -> Value {
    serde_json::from_slice(&wire.body).unwrap()
}

#[test]
fn the_text_says_what_by_which_rule_that_repeating_is_no_use_what_else_and_the_record() {
    assert_eq!(
        text(&denial(DenialKind::Policy)),
        "Reeve denied this: POST api.example.com/x is denied by `no-posts` (Posting is not wanted). \
         Sending it again will not help. Ask the human to change the rule. Record: op_01hzzzzzzzzzzzzzzzzzzzzzzz."
    );
    let mut unnamed = denial(DenialKind::Budget);
    unnamed.message = "It costs more than is left.".to_owned();
    assert_eq!(
        text(&unnamed),
        "Reeve denied this: It costs more than is left. Rule: `no-posts` (Posting is not wanted). Sending it again will \
         not help until the budget is raised or its window is over. Ask the human to change the rule. \
         Record: op_01hzzzzzzzzzzzzzzzzzzzzzzz."
    );
}

#[test]
fn a_long_or_hostile_message_stays_one_short_line_with_its_record() {
    let mut hostile = denial(DenialKind::Policy);
    hostile.message = format!("a\r\nb\u{1b}[31m{}", "x".repeat(5_000));
    let text = text(&hostile);
    assert!(text.chars().count() <= LONGEST && !text.contains(char::is_control), "{text}");
    assert!(text.ends_with("Record: op_01hzzzzzzzzzzzzzzzzzzzzzzz."));
}

#[test]
fn no_decision_is_ever_answered_with_a_status_that_clients_try_again() {
    for kind in KINDS {
        for dialect in DIALECTS.map(Some).into_iter().chain([None]) {
            for agent in ["claude-cli/2.1.197 (external, sdk-cli)", "codex_exec/0.169.0", "GeminiCLI-tui/0.61.0", ""] {
                let wire = response(&denial(kind), dialect, agent);
                assert!([400, 402, 403].contains(&wire.status), "{kind:?} {dialect:?} {agent}: {}", wire.status);
                assert!(wire.headers.contains(&("x-should-retry", "false")));
                let said = String::from_utf8(wire.body.to_vec()).unwrap();
                assert!(said.contains("op_01hzzzzzzzzzzzzzzzzzzzzzzz"), "{said}");
                assert!(!said.contains("rules.cedar"), "no file name leaves: {said}");
            }
        }
    }
}

#[test]
fn calls_to_models_are_answered_with_402_in_the_providers_own_shape() {
    let words = text(&denial(DenialKind::Policy));
    for (dialect, kind, message) in [
        (Dialect::AnthropicMessages, "/error/type", "/error/message"),
        (Dialect::OpenaiChat, "/error/code", "/error/message"),
        (Dialect::OpenaiResponses, "/error/code", "/error/message"),
        (Dialect::Gemini, "/error/status", "/error/message"),
        (Dialect::GeminiCodeAssist, "/error/status", "/error/message"),
    ] {
        let wire = response(&denial(DenialKind::Policy), Some(dialect), "any/1");
        let body = body(&wire);
        assert_eq!((wire.status, wire.headers[0]), (402, ("content-type", "application/json")));
        assert_eq!(body.pointer(message), Some(&json!(words)), "{dialect:?}");
        assert!(body.pointer(kind).is_some_and(Value::is_string), "{body}");
    }
    let anthropic = body(&response(&denial(DenialKind::Budget), Some(Dialect::AnthropicMessages), ""));
    assert_eq!(anthropic["error"]["type"], "billing_error");
}

#[test]
fn codex_is_told_in_plain_text() {
    let wire = response(&denial(DenialKind::Refused), Some(Dialect::OpenaiResponses), "codex_exec/0.169.0 (Debian)");
    assert_eq!((wire.status, wire.headers[0]), (400, ("content-type", "text/plain; charset=utf-8")));
    assert_eq!(wire.body, text(&denial(DenialKind::Refused)).as_bytes());
}

#[test]
fn plain_http_is_answered_with_a_problem_document() {
    for (kind, status) in [(DenialKind::Policy, 403), (DenialKind::Budget, 402), (DenialKind::Malformed, 400)] {
        let wire = response(&denial(kind), None, "curl/8");
        let body = body(&wire);
        assert_eq!((wire.status, wire.headers[0]), (status, ("content-type", "application/problem+json")));
        assert_eq!(body["status"], status);
        assert_eq!(body["type"], format!("urn:reeve:denial:{}", code(kind)));
        assert_eq!(body["detail"], text(&denial(kind)));
        assert_eq!(body["rules"], json!(["no-posts"]));
    }
}

#[test]
fn a_stream_is_ended_with_the_error_event_of_its_dialect() {
    let words = text(&denial(DenialKind::Refused));
    for (dialect, name, pointer) in [
        (Dialect::AnthropicMessages, "error", "/error/message"),
        (Dialect::OpenaiChat, "", "/error/message"),
        (Dialect::OpenaiResponses, "response.failed", "/response/error/message"),
        (Dialect::Gemini, "", "/error/message"),
    ] {
        let mut seen = Vec::new();
        let mut splitter = crate::llm::sse::Splitter::new(1 << 20);
        splitter.feed(&in_stream(&denial(DenialKind::Refused), dialect), |event| {
            seen.push((event.name.to_vec(), serde_json::from_slice::<Value>(event.data).unwrap()));
        });
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].0, name.as_bytes());
        assert_eq!(seen[0].1.pointer(pointer), Some(&json!(words)));
    }
}

#[test]
fn what_keeps_a_client_waiting_is_one_event_that_counts_as_nothing() {
    for dialect in DIALECTS {
        let mut call = crate::llm::tests::call(dialect);
        call.stream = true;
        let mut meter = crate::Meter::new(&call);
        meter.feed(&keepalive(dialect));
        assert_eq!(meter.finish(), crate::Metered::default(), "{dialect:?}");
    }
}

#[test]
fn every_client_is_held_as_long_as_it_bears() {
    let plan = |agent, dialect, events| {
        let plan = hold_limits(agent, dialect, events, None);
        assert!(plan.withhold <= plan.longest);
        (plan.withhold.as_secs(), plan.longest.as_secs())
    };
    use Dialect::{AnthropicMessages, Gemini, OpenaiChat, OpenaiResponses};
    assert_eq!(plan("claude-cli/2.1.197 (external, sdk-cli)", Some(AnthropicMessages), true), (240, 285));
    assert_eq!(plan("claude-cli/2.1.197 (external, sdk-cli)", Some(AnthropicMessages), false), (285, 285));
    assert_eq!(plan("opencode/1.18.33 ai-sdk/5", Some(AnthropicMessages), true), (240, 1_800));
    assert_eq!(plan("codex_exec/0.169.0", Some(OpenaiResponses), true), (1_800, 1_800));
    assert_eq!(plan("copilot/1.0.102", Some(OpenaiChat), true), (1_800, 1_800));
    assert_eq!(plan("GeminiCLI-tui/0.61.0/gemini-2.5-pro (linux; x64)", Some(Gemini), true), (45, 1_800));
    assert_eq!(plan("google-genai-sdk/3.4.0", Some(Gemini), false), (55, 55));
    assert_eq!(plan("OpenAI/JS 5.20.1", Some(OpenaiChat), true), (240, 570));
    assert_eq!(plan("curl/8", None, false), (570, 570));
    assert_eq!(hold_limits("", None, false, None).keepalive_every, Duration::from_secs(15));
}

#[test]
fn a_person_may_have_less_withheld_from_a_client_and_never_more() {
    let plan = |events, most| {
        let plan = hold_limits("my-bot/1", Some(Dialect::OpenaiChat), events, Some(Duration::from_secs(most)));
        (plan.withhold.as_secs(), plan.longest.as_secs())
    };
    assert_eq!(plan(true, 20), (20, 570));
    assert_eq!(plan(false, 20), (20, 20), "without events its patience is all there is");
    assert_eq!((plan(true, 5_000), plan(false, 5_000)), ((240, 570), (570, 570)));
}

#[test]
fn only_a_stream_of_events_can_be_kept_alive() {
    let mut call = crate::llm::tests::call(Dialect::Gemini);
    call.stream = true;
    assert!(answers_with_events(&call, Some("key=x&alt=sse")));
    assert!(!answers_with_events(&call, None));
    call.dialect = Dialect::OpenaiChat;
    assert!(answers_with_events(&call, None));
    call.stream = false;
    assert!(!answers_with_events(&call, Some("alt=sse")));
}

#[test]
fn a_web_socket_to_a_model_is_answered_with_426() {
    let wire = upgrade_required();
    assert_eq!(wire.status, 426);
    assert!(wire.headers.iter().any(|(name, _)| *name == "upgrade"));
}
