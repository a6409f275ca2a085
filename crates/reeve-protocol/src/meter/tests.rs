//! Usage by the rules of each dialect, on small streams; whole answers are in the golden tests.

use proptest::prelude::*;
use reeve_domain::operation::LlmCall;

use super::*;
use crate::llm::tests::call;

const DIALECTS: [Dialect; 5] = [
    Dialect::AnthropicMessages,
    Dialect::OpenaiChat,
    Dialect::OpenaiResponses,
    Dialect::Gemini,
    Dialect::GeminiCodeAssist,
];

fn meter_call(call: &LlmCall, answer: &[u8]) -> Metered {
    let mut meter = Meter::new(call);
    meter.feed(answer);
    meter.finish()
}

fn meter(dialect: Dialect, answer: &str) -> Metered {
    meter_call(&call(dialect), answer.as_bytes())
}

fn usage(dialect: Dialect, answer: &str) -> Usage {
    meter(dialect, answer).usage.unwrap()
}

#[test]
fn the_last_value_of_each_field_wins_and_nothing_is_added() {
    let stream = r#"data: {"type":"message_start","message":{"model":"m","usage":{"input_tokens":10,"cache_read_input_tokens":5,"cache_creation_input_tokens":7,"cache_creation":{"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":4},"output_tokens":1,"service_tier":"standard"}}}

data: {"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":20}}

data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":11,"output_tokens":30}}

"#;
    let metered = meter(Dialect::AnthropicMessages, stream);
    assert!(metered.usage_final);
    let usage = metered.usage.unwrap();
    assert_eq!(
        (usage.input, usage.cache_read, usage.cache_write, usage.cache_write_1h, usage.output),
        (11, 5, 3, 4, 30)
    );
    assert_eq!(usage.service_tier.as_deref(), Some("standard"));
}

#[test]
fn cache_writes_without_a_split_live_five_minutes() {
    let answer = r#"{"type":"message","content":[],"stop_reason":"end_turn","usage":{"input_tokens":1,"cache_creation_input_tokens":9,"output_tokens":2}}"#;
    let usage = usage(Dialect::AnthropicMessages, answer);
    assert_eq!((usage.cache_write, usage.cache_write_1h), (9, 0));
}

#[test]
fn compactions_are_added_and_other_passes_are_not() {
    let answer = r#"{"type":"message","content":[],"stop_reason":"end_turn","usage":{"input_tokens":100,"output_tokens":10,
        "server_tool_use":{"web_search_requests":2},"speed":"fast","inference_geo":"us",
        "iterations":[{"type":"compaction","input_tokens":5000,"output_tokens":700},{"type":"message","input_tokens":100,"output_tokens":10}]}}"#;
    let usage = usage(Dialect::AnthropicMessages, answer);
    assert_eq!((usage.input, usage.output, usage.web_searches), (5_100, 710, 2));
    assert_eq!(usage.multipliers, ["us", "fast"]);
}

#[test]
fn openai_input_includes_the_cache_and_output_includes_reasoning() {
    let answer = r#"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"service_tier":"priority","usage":{
        "prompt_tokens":1000,"completion_tokens":50,
        "prompt_tokens_details":{"cached_tokens":600,"cache_write_tokens":300,"cache_write_tokens_details":{"ttl_30m_tokens":200,"ttl_12h_tokens":100},"audio_tokens":10},
        "completion_tokens_details":{"reasoning_tokens":30,"audio_tokens":5}}}"#;
    let usage = usage(Dialect::OpenaiChat, answer);
    assert_eq!(
        (usage.input, usage.audio_input, usage.cache_read, usage.cache_write, usage.cache_write_1h),
        (90, 10, 600, 200, 100)
    );
    assert_eq!((usage.output, usage.audio_output, usage.reasoning), (45, 5, 0));
    assert_eq!(usage.service_tier.as_deref(), Some("priority"));
    assert_eq!(usage.total(), 1_050);
}

#[test]
fn a_chat_stream_without_usage_reports_none_and_counts_its_text() {
    let stream = "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"Hello, world!\"}}],\"usage\":null}\n\n\
                  data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let metered = meter(Dialect::OpenaiChat, stream);
    assert_eq!((metered.usage, metered.usage_final, metered.counted_output), (None, false, 4));
    assert_eq!(metered.served_model.as_deref(), Some("m"));
}

#[test]
fn every_way_a_response_ends_gives_its_totals() {
    for (event, error) in [("response.completed", None), ("response.incomplete", None), ("response.failed", Some("no"))]
    {
        let error_json = error.map_or("null".to_owned(), |e| format!("{{\"code\":\"x\",\"message\":\"{e}\"}}"));
        let stream = format!(
            "event: {event}\ndata: {{\"type\":\"{event}\",\"response\":{{\"status\":\"x\",\"error\":{error_json},\"output\":[],\"service_tier\":\"flex\",\
             \"usage\":{{\"input_tokens\":9,\"input_tokens_details\":{{\"cached_tokens\":4}},\"output_tokens\":3}}}}}}\n\n"
        );
        let metered = meter(Dialect::OpenaiResponses, &stream);
        assert!(metered.usage_final, "{event}");
        assert_eq!(metered.error.as_deref(), error);
        let usage = metered.usage.unwrap();
        assert_eq!(
            (usage.input, usage.cache_read, usage.output, usage.service_tier.as_deref()),
            (5, 4, 3, Some("flex"))
        );
    }
}

#[test]
fn only_searches_that_are_charged_are_counted() {
    let answer = r#"{"object":"response","status":"completed","output":[
        {"type":"web_search_call","id":"1","status":"completed","action":{"type":"search","query":"q"}},
        {"type":"web_search_call","id":"2","status":"completed","action":{"type":"open_page","url":"u"}},
        {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
        {"type":"custom_tool_call","call_id":"c2","name":"exec","input":"code"},
        {"type":"function_call","call_id":"c3","name":"echo","namespace":"mcp","arguments":"{}"}],
        "usage":{"input_tokens":1,"output_tokens":1}}"#;
    let metered = meter(Dialect::OpenaiResponses, answer);
    assert_eq!(metered.usage.unwrap().web_searches, 1);
    let names: Vec<_> = metered.tool_calls.iter().map(|call| (call.id.as_str(), call.name.as_str())).collect();
    assert_eq!(names, [("c1", "f"), ("c2", "exec"), ("c3", "mcp.echo")]);
}

#[test]
fn what_is_said_in_plain_words_is_kept_apart_from_thinking_and_arguments() {
    for (dialect, answer) in [
        (
            Dialect::AnthropicMessages,
            concat!(
                r#"data: {"type":"content_block_start","content_block":{"type":"thinking","thinking":"hm"}}"#,
                "\n\n",
                r#"data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"I will "}}"#,
                "\n\n",
                r#"data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"look."}}"#,
                "\n\n",
                r#"data: {"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}"#,
                "\n\n"
            ),
        ),
        (
            Dialect::AnthropicMessages,
            r#"{"type":"message","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"I will look."},
                {"type":"tool_use","id":"t1","name":"Bash","input":{"command":"ls"}}]}"#,
        ),
        (
            Dialect::OpenaiChat,
            r#"{"choices":[{"message":{"content":"I will look.","reasoning_content":"hm","tool_calls":[{"id":"c1","function":{"name":"f","arguments":"{}"}}]}}]}"#,
        ),
        (
            Dialect::OpenaiResponses,
            concat!(
                r#"data: {"type":"response.reasoning_summary_text.delta","delta":"hm"}"#,
                "\n\n",
                r#"data: {"type":"response.output_text.delta","delta":"I will look."}"#,
                "\n\n",
                r#"data: {"type":"response.function_call_arguments.delta","delta":"{}"}"#,
                "\n\n"
            ),
        ),
        (
            Dialect::OpenaiResponses,
            r#"{"object":"response","status":"completed","output":[{"type":"reasoning","content":[{"text":"hm"}]},
                {"type":"message","content":[{"text":"I will look."}]},{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"}]}"#,
        ),
        (
            Dialect::Gemini,
            r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"I will look."},{"functionCall":{"name":"f","args":{"a":1}}}]}}]}"#,
        ),
    ] {
        assert_eq!(meter(dialect, answer).said.as_deref(), Some("I will look."), "{dialect:?} {answer}");
    }
    assert_eq!(meter(Dialect::OpenaiChat, r#"{"choices":[{"message":{"content":null}}]}"#).said, None);
}

#[test]
fn gemini_thoughts_are_apart_and_tool_prompts_are_input() {
    let answer = r#"{"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["a","b"]}}],
        "usageMetadata":{"promptTokenCount":1000,"cachedContentTokenCount":400,"candidatesTokenCount":20,"thoughtsTokenCount":300,"toolUsePromptTokenCount":50,
        "promptTokensDetails":[{"modality":"TEXT","tokenCount":900},{"modality":"AUDIO","tokenCount":100}],"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":40}]}}"#;
    let of_25 = usage(Dialect::Gemini, answer);
    assert_eq!((of_25.input, of_25.audio_input, of_25.cache_read, of_25.audio_cache_read), (590, 60, 360, 40));
    assert_eq!((of_25.output, of_25.reasoning, of_25.web_searches), (20, 300, 1));
    let mut newer = call(Dialect::Gemini);
    newer.model = "gemini-3.5-flash".to_owned();
    assert_eq!(meter_call(&newer, answer.as_bytes()).usage.unwrap().web_searches, 2);
}

#[test]
fn code_assist_is_gemini_inside_response() {
    let stream = "data: {\"response\": {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"run\",\"args\":{\"a\":1}}}]},\"finishReason\":\"STOP\"}],\
                  \"usageMetadata\":{\"promptTokenCount\":7,\"candidatesTokenCount\":2},\"modelVersion\":\"gemini-x\"}}\r\n\r\n";
    let metered = meter(Dialect::GeminiCodeAssist, stream);
    assert!(metered.usage_final);
    assert_eq!(metered.usage.unwrap().total(), 9);
    assert_eq!(metered.tool_calls[0].name, "run");
    assert_eq!(metered.served_model.as_deref(), Some("gemini-x"));
}

#[test]
fn the_providers_own_errors_are_noted() {
    for (dialect, answer) in [
        (
            Dialect::AnthropicMessages,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n",
        ),
        (Dialect::OpenaiChat, "data: {\"error\":{\"message\":\"busy\"}}\n\n"),
        (Dialect::OpenaiResponses, "data: {\"type\":\"error\",\"message\":\"busy\"}\n\n"),
        (Dialect::OpenaiResponses, "data: {\"type\":\"error\",\"error\":{\"message\":\"busy\"}}\n\n"),
        (Dialect::Gemini, "[{\"error\":{\"code\":503,\"message\":\"busy\"}}]"),
    ] {
        assert_eq!(meter(dialect, answer).error.as_deref(), Some("busy"), "{dialect:?}");
    }
}

#[test]
fn counted_text_is_what_was_generated_in_every_dialect() {
    let text = "x".repeat(400);
    for (dialect, answer) in [
        (Dialect::AnthropicMessages, format!(r#"{{"type":"message","content":[{{"type":"text","text":"{text}"}}]}}"#)),
        (
            Dialect::AnthropicMessages,
            format!(
                "data: {{\"type\":\"content_block_delta\",\"delta\":{{\"type\":\"thinking_delta\",\"thinking\":\"{text}\"}}}}\n\n"
            ),
        ),
        (
            Dialect::AnthropicMessages,
            format!(
                "data: {{\"type\":\"content_block_delta\",\"delta\":{{\"type\":\"input_json_delta\",\"partial_json\":\"{text}\"}}}}\n\n"
            ),
        ),
        (Dialect::OpenaiChat, format!(r#"{{"choices":[{{"message":{{"content":"{text}"}}}}]}}"#)),
        (
            Dialect::OpenaiResponses,
            format!("data: {{\"type\":\"response.output_text.delta\",\"delta\":\"{text}\"}}\n\n"),
        ),
        (
            Dialect::OpenaiResponses,
            format!(r#"{{"output":[{{"type":"message","content":[{{"type":"output_text","text":"{text}"}}]}}]}}"#),
        ),
        (
            Dialect::Gemini,
            format!(r#"[{{"candidates":[{{"content":{{"parts":[{{"text":"{text}","thought":true}}]}}}}]}}]"#),
        ),
    ] {
        assert_eq!(meter(dialect, &answer).counted_output, 100, "{answer}");
    }
    assert_eq!(
        meter(Dialect::OpenaiChat, "data: {\"choices\":[{\"delta\":{\"content\":\"汉字\"}}]}\n\n").counted_output,
        2
    );
}

#[test]
fn what_cannot_be_read_is_noted_and_what_follows_is_read() {
    for (dialect, good) in [
        (
            Dialect::AnthropicMessages,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#,
        ),
        (Dialect::OpenaiChat, r#"{"choices":[{"finish_reason":"stop"}],"usage":{"completion_tokens":3}}"#),
        (Dialect::OpenaiResponses, r#"{"type":"response.completed","response":{"usage":{"output_tokens":3}}}"#),
        (Dialect::Gemini, r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"candidatesTokenCount":3}}"#),
    ] {
        let huge = format!("{{\"x\":\"{}\"}}", "y".repeat(5 << 20));
        let stream = format!("data: {{broken\n\ndata: {huge}\n\ndata: {good}\n\n");
        let metered = meter(dialect, &stream);
        assert_eq!(metered.unread, 2, "{dialect:?}");
        assert_eq!(metered.usage.map(|usage| usage.output), Some(3), "{dialect:?}");
    }
}

#[test]
fn an_endless_answer_takes_no_more_memory_than_the_limit() {
    for start in ["data: {\"x\":\"", "{\"x\":\"", "[{\"candidates\":[", "event: "] {
        let mut meter = Meter::new(&call(Dialect::Gemini));
        meter.feed(start.as_bytes());
        for _ in 0..200 {
            meter.feed(&[b'['; 64 * 1024]);
        }
        let held = match &meter.reader {
            Reader::Events(splitter) => splitter.held(),
            Reader::Json(elements) => elements.held(),
            Reader::Fresh => 0,
        };
        assert!(held <= LIMIT, "{start}: {held}");
        assert!(meter.finish().unread >= 1, "{start}");
    }
}

#[test]
fn no_stream_of_the_corpus_stops_a_meter() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/corpus/sse");
    for entry in std::fs::read_dir(corpus).unwrap() {
        let stream = std::fs::read(entry.unwrap().path()).unwrap();
        for dialect in DIALECTS {
            let whole = meter_call(&call(dialect), &stream);
            let mut meter = Meter::new(&call(dialect));
            for piece in stream.chunks(3) {
                meter.feed(piece);
            }
            assert_eq!(meter.finish(), whole);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_stop_a_meter(bytes in prop::collection::vec(any::<u8>(), 0..300), which in 0_usize..5) {
        let mut meter = Meter::new(&call(DIALECTS[which]));
        for piece in bytes.chunks(7) {
            meter.feed(piece);
        }
        let metered = meter.finish();
        prop_assert!(metered.counted_output <= 300);
    }
}
