//! Facts of requests that no golden shows: what clients could try, and what is refused.

use proptest::prelude::*;
use reeve_domain::operation::{Billing, Dialect, LlmCall, Subject};

use crate::samples::head;
use crate::{Classified, ProtocolError, Providers, classify};

const MESSAGES: &str = "https://api.anthropic.com/v1/messages";
const CHAT: &str = "https://api.openai.com/v1/chat/completions";
const RESPONSES: &str = "https://api.openai.com/v1/responses";
const GEMINI: &str = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent";

fn read_with(url: &str, headers: &[(&str, &str)], body: &str) -> Result<Classified, ProtocolError> {
    classify(&head("POST", url, headers), Some(body.as_bytes()), &Providers::new())
}

fn llm(classified: Classified) -> LlmCall {
    match classified.subject {
        Subject::Llm(call) => call,
        other => panic!("no call to a model: {other:?}"),
    }
}

fn read(url: &str, body: &str) -> LlmCall {
    llm(read_with(url, &[], body).unwrap())
}

/// A small call in a dialect, for tests that need one.
pub fn call(dialect: Dialect) -> LlmCall {
    match dialect {
        Dialect::AnthropicMessages => read(MESSAGES, r#"{"model":"claude-opus-4-8","max_tokens":100,"messages":[]}"#),
        Dialect::OpenaiChat => read(CHAT, r#"{"model":"gpt-5.1","messages":[]}"#),
        Dialect::OpenaiResponses => read(RESPONSES, r#"{"model":"gpt-5.1","input":"hi"}"#),
        Dialect::Gemini => read(GEMINI, r#"{"contents":[]}"#),
        Dialect::GeminiCodeAssist => read(
            "https://cloudcode-pa.googleapis.com/v1internal:generateContent",
            r#"{"model":"gemini-2.5-pro","request":{"contents":[]}}"#,
        ),
    }
}

#[test]
fn a_call_that_cannot_be_read_without_doubt_is_refused_and_never_plain_http() {
    assert_eq!(classify(&head("POST", MESSAGES, &[]), None, &Providers::new()), Err(ProtocolError::NoBody));
    for (url, body, said) in [
        (MESSAGES, "", "EOF"),
        (MESSAGES, "hello", "expected value"),
        (MESSAGES, r#"{"model":"a","model":"b","messages":[]}"#, "`model` is there twice"),
        (MESSAGES, r#"{"messages":[]}"#, "`model` is not a text"),
        (MESSAGES, r#"{"model":7,"messages":[]}"#, "`model` is not a text"),
        (MESSAGES, r#"{"model":"","messages":[]}"#, "`model` is not a text"),
        (MESSAGES, r#"{"model":"a","messages":{}}"#, "`messages` is not a list"),
        (MESSAGES, r#"{"model":"a","max_tokens":"5"}"#, "`max_tokens` is not a whole number"),
        (MESSAGES, r#"{"model":"a","max_tokens":-5}"#, "`max_tokens` is not a whole number"),
        (MESSAGES, r#"{"model":"a","max_tokens":1e9}"#, "`max_tokens` is not a whole number"),
        (MESSAGES, r#"{"model":"a","stream":"true"}"#, "`stream` is not true or false"),
        (CHAT, r#"{"model":"a","n":2.5}"#, "`n` is not a whole number"),
        (RESPONSES, r#"{"model":"a","tools":{}}"#, "`tools` is not a list"),
        (GEMINI, r#"{"generationConfig":{},"generation_config":{}}"#, "both set"),
        (GEMINI, r#"{"generationConfig":{"maxOutputTokens":1,"max_output_tokens":9}}"#, "both set"),
        (
            "https://cloudcode-pa.googleapis.com/v1internal:generateContent",
            r#"{"model":"a"}"#,
            "`request` is not an object",
        ),
    ] {
        let error = read_with(url, &[], body).unwrap_err().to_string();
        assert!(error.contains(said), "{body}: {error}");
    }
}

#[test]
fn a_flat_rate_is_only_what_no_api_key_can_pass_for() {
    let body = r#"{"model":"claude-opus-4-8","messages":[]}"#;
    let beta = ("anthropic-beta", "claude-code-20250219,oauth-2025-04-20");
    let oauth = ("authorization", "Bearer sk-ant-oat01-abc");
    for (headers, billing) in [
        (vec![beta, oauth], Billing::FlatRate),
        (vec![beta, oauth, ("x-api-key", "sk-ant-api03-x")], Billing::Metered),
        (vec![beta, ("authorization", "Bearer sk-ant-api03-x")], Billing::Metered),
        (vec![beta, oauth, ("authorization", "Bearer other")], Billing::Metered),
        (vec![oauth], Billing::Metered),
        (vec![beta], Billing::Metered),
        (vec![("x-api-key", "sk-ant-api03-x")], Billing::Metered),
    ] {
        assert_eq!(llm(read_with(MESSAGES, &headers, body).unwrap()).billing, billing, "{headers:?}");
    }
    let account = [("chatgpt-account-id", "acc"), ("authorization", "Bearer eyJ")];
    let flat = |url| llm(read_with(url, &account, r#"{"model":"gpt-5.1","input":"x"}"#).unwrap()).billing;
    assert_eq!(flat("https://chatgpt.com/backend-api/codex/responses"), Billing::FlatRate);
    assert_eq!(flat("https://api.business.githubcopilot.com/responses"), Billing::FlatRate);
    assert_eq!(flat(RESPONSES), Billing::Metered);
}

#[test]
fn a_conversation_is_found_where_each_client_names_it() {
    let anthropic =
        r#"{"model":"m","messages":[],"metadata":{"user_id":"{\"device_id\":\"d\",\"session_id\":\"body-1\"}"}}"#;
    let older = r#"{"model":"m","messages":[],"metadata":{"user_id":"user_ab_account__session_body-2"}}"#;
    let codex = r#"{"model":"m","input":[],"prompt_cache_key":"key-1","client_metadata":{"session_id":"meta-1"}}"#;
    let cached = r#"{"model":"m","input":[],"prompt_cache_key":"key-1"}"#;
    let gemini = r#"{"contents":[{"parts":[{"text":"<session_context> here"}]}]}"#;
    for (url, headers, body, expected) in [
        (MESSAGES, vec![("x-claude-code-session-id", "head-1")], anthropic, Some("head-1")),
        (MESSAGES, vec![], anthropic, Some("body-1")),
        (MESSAGES, vec![], older, Some("body-2")),
        (MESSAGES, vec![("x-session-id", "ses_1")], r#"{"model":"m"}"#, Some("ses_1")),
        (MESSAGES, vec![("x-session-id", "not a name")], r#"{"model":"m"}"#, None),
        (RESPONSES, vec![("session-id", "s-1")], codex, Some("s-1")),
        (RESPONSES, vec![], codex, Some("meta-1")),
        (RESPONSES, vec![], cached, Some("key-1")),
        (CHAT, vec![("x-client-session-id", "c-1")], r#"{"model":"m"}"#, Some("c-1")),
        (GEMINI, vec![], gemini, Some("context-b44df7d20c2d1a6e")),
        (GEMINI, vec![], r#"{"contents":[]}"#, None),
    ] {
        let found = read_with(url, &headers, body).unwrap().conversation;
        match expected {
            Some(start) if start.starts_with("context-") => {
                assert!(found.is_some_and(|found| found.starts_with("context-") && found.len() == 24));
            }
            other => assert_eq!(found.as_deref(), other, "{url} {body}"),
        }
    }
}

#[test]
fn context_that_the_request_only_names_counts_as_a_whole_window() {
    for (url, body) in [
        (RESPONSES, r#"{"model":"m","input":"x","previous_response_id":"resp_1"}"#),
        (RESPONSES, r#"{"model":"m","input":[{"type":"item_reference","id":"i"}]}"#),
        (RESPONSES, r#"{"model":"m","input":[{"role":"user","content":[{"type":"input_file","file_id":"f"}]}]}"#),
        (GEMINI, r#"{"contents":[],"cachedContent":"c/1"}"#),
        (GEMINI, r#"{"contents":[{"parts":[{"file_data":{"file_uri":"u"}}]}]}"#),
        (
            MESSAGES,
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"document","source":{"type":"file","file_id":"f"}}]}]}"#,
        ),
    ] {
        assert!(read(url, body).input_bound >= super::estimate::UNSEEN, "{body}");
    }
    assert!(read(RESPONSES, r#"{"model":"m","input":"x","previous_response_id":null}"#).input_bound < 1_000);
}

#[test]
fn pictures_count_at_their_cap_and_not_by_their_bytes() {
    let data = "iVBORw0KGgo".repeat(50_000);
    for (url, body, cap) in [
        (
            MESSAGES,
            format!(
                r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"image","source":{{"type":"base64","data":"{data}"}}}}]}}]}}"#
            ),
            5_000,
        ),
        (
            CHAT,
            format!(
                r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}}]}}]}}"#
            ),
            12_000,
        ),
        (
            CHAT,
            format!(
                r#"{{"model":"gpt-4o-mini","messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}}]}}]}}"#
            ),
            50_000,
        ),
        (
            RESPONSES,
            format!(
                r#"{{"model":"m","input":[{{"role":"user","content":[{{"type":"input_image","image_url":"data:image/png;base64,{data}"}}]}}]}}"#
            ),
            12_000,
        ),
        (
            GEMINI,
            format!(r#"{{"contents":[{{"parts":[{{"inlineData":{{"mimeType":"image/png","data":"{data}"}}}}]}}]}}"#),
            5_000,
        ),
    ] {
        let bound = read(url, &body).input_bound;
        assert!((cap..cap + 500).contains(&bound), "{url}: {bound}");
    }
}

#[test]
fn what_a_request_asks_of_price_is_in_its_facts() {
    let anthropic = read(
        MESSAGES,
        r#"{"model":"m","max_tokens":64000,"thinking":{"type":"enabled","budget_tokens":31999},"speed":"fast","inference_geo":"us",
        "service_tier":"auto","context_management":{"edits":[{"type":"compact_20260112"}]},
        "system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],"messages":[],
        "tools":[{"name":"Bash","input_schema":{}},{"type":"web_search_20250305","name":"web_search","max_uses":8}]}"#,
    );
    assert_eq!((anthropic.output_limit, anthropic.thinking_budget), (Some(64_000), Some(31_999)));
    assert_eq!(anthropic.multipliers, ["us", "fast"]);
    assert_eq!((anthropic.candidates, anthropic.cache_one_hour), (2, true));
    assert_eq!(anthropic.cache_write_bound, anthropic.input_bound);
    assert_eq!(anthropic.tools_offered, ["Bash", "web_search"]);
    assert_eq!(anthropic.server_tools[0].max_uses, Some(8));
    assert_eq!(read(MESSAGES, r#"{"model":"m","inference_geo":"global","messages":[]}"#).multipliers, [""; 0]);

    let chat = read(
        CHAT,
        r#"{"model":"gpt-5.1","max_tokens":10,"max_completion_tokens":20,"n":3,"service_tier":"priority","messages":[],
        "tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"c"}}],"web_search_options":{}}"#,
    );
    assert_eq!((chat.output_limit, chat.candidates, chat.service_tier.as_deref()), (Some(20), 3, Some("priority")));
    assert_eq!(chat.tools_offered, ["f", "c", "web_search"]);

    let responses = read(
        RESPONSES,
        r#"{"model":"gpt-6.1-sol","stream":true,"max_tool_calls":4,"max_output_tokens":99,"input":[
        {"type":"additional_tools","tools":[{"type":"namespace","name":"functions","tools":[{"type":"custom","name":"exec"}]},
        {"type":"namespace","name":"mcp","tools":[{"type":"function","name":"echo"}]}]}],"tools":[{"type":"web_search"},{"type":"local_shell"}]}"#,
    );
    assert_eq!(responses.tools_offered, ["web_search", "local_shell", "exec", "mcp.echo"]);
    assert_eq!(responses.server_tools[0].max_uses, Some(4));
    assert!(responses.stream && responses.output_limit == Some(99));

    let gemini = read(
        GEMINI,
        r#"{"contents":[],"generationConfig":{"candidateCount":2,"maxOutputTokens":"512","thinkingConfig":{"thinkingBudget":128}},
        "tools":[{"functionDeclarations":[{"name":"a"}]},{"google_search":{}}],"serviceTier":"SERVICE_TIER_FLEX"}"#,
    );
    assert_eq!((gemini.output_limit, gemini.candidates, gemini.thinking_budget), (Some(512), 2, Some(128)));
    assert_eq!(gemini.tools_offered, ["a", "google_search"]);
    assert_eq!((gemini.service_tier.as_deref(), gemini.model.as_str()), (Some("flex"), "gemini-2.5-pro"));
    assert_eq!(
        read("https://eu.api.openai.com/v1/responses", r#"{"model":"m","input":"x"}"#).multipliers,
        ["region_eu"]
    );
}

#[test]
fn a_compaction_of_codex_is_a_call_that_does_not_stream() {
    let call = read("https://api.openai.com/v1/responses/compact", r#"{"model":"gpt-5.1","input":[],"stream":true}"#);
    assert!(!call.stream);
}

#[test]
fn the_view_is_complete_and_holds_no_header_and_no_long_base64() {
    let data = "QUJD".repeat(1_000);
    let body = format!(
        r#"{{"model":"m","max_tokens":5,"system":"Be kind.","messages":[{{"role":"user","content":[{{"type":"text","text":"hi\n\u001bthere"}},
        {{"type":"image","source":{{"type":"base64","data":"{data}"}}}}]}}],"tools":[{{"name":"Bash","description":"d"}}],"unknown":true}}"#
    );
    let view = read_with(MESSAGES, &[("x-api-key", "secret-key")], &body).unwrap().view;
    assert_eq!(view["body"]["system"], "Be kind.");
    assert_eq!(view["body"]["messages"][0]["content"][0]["text"], "hi\n\u{1b}there");
    assert_eq!(view["body"]["messages"][0]["content"][1]["source"]["data"]["base64_characters"], 4_000);
    assert_eq!(view["body"]["unknown"], true);
    assert_eq!(view["model"], "m");
    assert!(!view.to_string().contains("secret-key"));
}

#[test]
fn a_call_is_summed_up_in_one_short_line() {
    let body =
        r#"{"model":"claude-opus-4-8","messages":[{"role":"user","content":"x"}],"tools":[{"name":"a"},{"name":"b"}]}"#;
    let summary = |body: &str| read_with(MESSAGES, &[], body).unwrap().summary;
    assert_eq!(summary(body), "claude-opus-4-8 at api.anthropic.com, 1 message, 2 tools");
    let hostile = format!(r#"{{"model":"{}\u0000","messages":[]}}"#, "\\n\\u202e".repeat(400));
    assert!(summary(&hostile).chars().count() <= 200 && !summary(&hostile).contains(char::is_control));
}

proptest! {
    #[test]
    fn no_body_stops_the_reader(which in 0_usize..4, at in 0.0_f64..1.0, bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        let url = [MESSAGES, CHAT, RESPONSES, GEMINI][which];
        let whole = br#"{"model":"gpt-5.1","stream":true,"max_tokens":5,"messages":[{"role":"user","content":[{"type":"image","source":{}}]}],
            "input":[{"type":"input_file"}],"contents":[{"parts":[{"inlineData":{}}]}],"tools":[{"type":"web_search_1"},{"functionDeclarations":[]}],
            "generationConfig":{"thinkingConfig":{"thinkingBudget":-1}},"metadata":{"user_id":"{}"}}"#;
        let cut = (at * whole.len() as f64) as usize;
        let mut body = whole[..cut].to_vec();
        body.extend(&bytes);
        body.extend(&whole[(cut + bytes.len()).min(whole.len())..]);
        let read = classify(&head("POST", url, &[]), Some(&body), &Providers::new());
        if let Ok(read) = read {
            prop_assert!(matches!(read.subject, Subject::Llm(_)));
            prop_assert!(read.summary.chars().count() <= 200);
            let call = llm(read);
            // What can be read can be rewritten, or the reason is told.
            let _ = crate::rewrite::output_limit(call.dialect, &body, 3);
        }
    }
}
