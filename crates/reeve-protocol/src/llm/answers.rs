//! Which tool calls a request brings the results of, so that it is known for the next step after the answer that asked for
//! them. Only what stands last counts: earlier results are history that is sent again.

use reeve_domain::operation::Dialect;

use super::gemini::either;
use crate::body::Node;
use crate::text::name;

/// More results than this are not looked at.
const MOST: usize = 256;

/// Ids of tool calls; where a dialect gives a call none, the tool's name.
pub fn find(dialect: Dialect, root: &Node<'_>) -> Vec<String> {
    let ids: Vec<Option<&str>> = match dialect {
        Dialect::AnthropicMessages => {
            let content = root.items_at("messages").last().map_or(&[][..], |last| last.items_at("content"));
            let results = content.iter().filter(|part| part.text_at("type") == Some("tool_result"));
            results.map(|result| result.text_at("tool_use_id")).collect()
        }
        Dialect::OpenaiChat => {
            let last = root.items_at("messages").iter().rev();
            let results = last.take_while(|message| message.text_at("role") == Some("tool"));
            results.map(|result| result.text_at("tool_call_id")).collect()
        }
        Dialect::OpenaiResponses => {
            let last = root.items_at("input").iter().rev();
            let results = last.take_while(|item| item.text_at("type").is_some_and(|kind| kind.ends_with("_output")));
            results.map(|result| result.text_at("call_id")).collect()
        }
        Dialect::Gemini => gemini(root),
        Dialect::GeminiCodeAssist => root.get("request").map(gemini).unwrap_or_default(),
    };
    ids.into_iter().flatten().filter_map(name).take(MOST).collect()
}

fn gemini<'n>(request: &'n Node<'_>) -> Vec<Option<&'n str>> {
    let parts = request.items_at("contents").last().map_or(&[][..], |last| last.items_at("parts"));
    let results = parts.iter().filter_map(|part| either(part, "functionResponse", "function_response").ok().flatten());
    results.map(|result| result.text_at("id").or_else(|| result.text_at("name"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(dialect: Dialect, body: &str) -> Vec<String> {
        find(dialect, &Node::parse(body.as_bytes(), 4096).unwrap())
    }

    #[test]
    fn the_results_that_stand_last_are_found_in_every_dialect() {
        let anthropic = r#"{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"old"}]},
            {"role":"assistant","content":"x"},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1"},{"type":"text","text":"on"},
            {"type":"tool_result","tool_use_id":"t2"}]}]}"#;
        assert_eq!(found(Dialect::AnthropicMessages, anthropic), ["t1", "t2"]);
        let chat = r#"{"messages":[{"role":"tool","tool_call_id":"old"},{"role":"assistant"},
            {"role":"tool","tool_call_id":"c1"},{"role":"tool","tool_call_id":"c2"}]}"#;
        assert_eq!(found(Dialect::OpenaiChat, chat), ["c2", "c1"]);
        let responses = r#"{"input":[{"type":"message"},{"type":"function_call_output","call_id":"r1"}]}"#;
        assert_eq!(found(Dialect::OpenaiResponses, responses), ["r1"]);
        let gemini = r#"{"contents":[{"parts":[{"functionResponse":{"name":"read_file"}},
            {"functionResponse":{"id":"g1","name":"read_file"}}]}]}"#;
        assert_eq!(found(Dialect::Gemini, gemini), ["read_file", "g1"]);
        assert_eq!(found(Dialect::GeminiCodeAssist, &format!(r#"{{"request":{gemini}}}"#)), ["read_file", "g1"]);
    }

    #[test]
    fn a_prompt_brings_no_results() {
        for (dialect, body) in [
            (Dialect::AnthropicMessages, r#"{"messages":[{"role":"user","content":"hello"}]}"#),
            (Dialect::AnthropicMessages, r#"{"messages":7}"#),
            (
                Dialect::OpenaiChat,
                r#"{"messages":[{"role":"tool","tool_call_id":"c1"},{"role":"user","content":"so?"}]}"#,
            ),
            (Dialect::OpenaiResponses, r#"{"input":"hello"}"#),
            (Dialect::Gemini, r#"{"contents":[{"parts":[{"text":"hello"}]}]}"#),
        ] {
            assert_eq!(found(dialect, body), Vec::<String>::new(), "{body}");
        }
    }
}
