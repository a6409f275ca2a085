//! A call that nobody approved in time, in the form that the protocol has for it since 2026-07-28: an answer that asks the person to
//! open a page, here the question itself in Reeve. What the client brings back for it is Reeve's own and is taken out before the
//! call is read, so that it is the same call as before.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reeve_domain::id::ApprovalId;
use reeve_domain::verdict::{Denial, DenialKind};
use reeve_protocol::{denial, mcp_headers};
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::gateway::Gateway;
use crate::message;

/// What Reeve's own request is called among those of servers.
const OWN: &str = "reeve/approval";
/// How Reeve's own state begins.
const STATE: &str = "reeve-state.";
/// Largest state that a client is given to keep, in bytes.
const LARGEST: usize = 64 * 1024;
/// What a client brings along for the server, and would not bring along beside the answer to another request.
const KEPT: [&str; 2] = ["requestState", "inputResponses"];
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const MESSAGE: &str = "Nobody answered in time whether this tool call may be made. Open the question in Reeve and allow it next \
                       time; the call is then made again.";

impl Gateway {
    /// The answer with a link to the question that nobody answered. `None`: it was turned away for another reason, its client does
    /// not take such an answer, or was given one before and brings nothing new.
    pub(crate) async fn linked(&self, call: &Call, denial: &Denial) -> Option<Value> {
        if denial.kind != DenialKind::Expired || call.linked != Linked::No || !takes_links(call.meta()) {
            return None;
        }
        let operation = denial.record.as_ref()?;
        match self.engine().unanswered(operation).await {
            Ok(question) => result(denial, &question?, &call.rest),
            Err(error) => {
                tracing::error!(%operation, %error, "which question expired cannot be read; its caller hears words alone");
                None
            }
        }
    }
}

/// Whether a server speaks under a name that is Reeve's: its client would take it for Reeve, and Reeve for its own.
pub(crate) fn is_claimed(result: &Value) -> bool {
    let state = result.get("requestState").and_then(Value::as_str);
    let asked = result.get("inputRequests").and_then(Value::as_object);
    state.is_some_and(|state| state.starts_with(STATE)) || asked.is_some_and(|asked| asked.contains_key(OWN))
}

/// Whether a call comes back from a link that Reeve gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    No,
    /// Without a word that the page was opened.
    Back,
    /// The person went there: they are asked again.
    Opened,
}

/// Whether a client opens pages for a server that asks for it in an answer.
fn takes_links(meta: Option<&Value>) -> bool {
    let Some(meta) = meta else { return false };
    let version = meta.get(mcp_headers::VERSION_KEY).and_then(Value::as_str);
    let pages = meta.get(CAPABILITIES).and_then(|all| all.pointer("/elicitation/url"));
    version.is_some_and(|version| version >= mcp_headers::SINCE) && pages.is_some_and(Value::is_object)
}

/// In words of Reeve's own alone: what a tool is called, and what it is given, is foreign. A client answers this request and no
/// other, so that what it brought for the server's is given to it to keep.
fn result(denial: &Denial, question: &ApprovalId, rest: &Map<String, Value>) -> Option<Value> {
    let mut told = denial::tool_result(denial);
    let meta = told.get_mut("_meta").map(Value::take).unwrap_or_default();
    let page = json!({ "mode": "url", "message": MESSAGE, "url": format!("reeve://inbox/{question}") });
    let mut result = json!({
        "resultType": "input_required",
        "inputRequests": { OWN: { "method": "elicitation/create", "params": page } },
        "_meta": meta,
    });
    let kept: Map<String, Value> =
        KEPT.into_iter().filter_map(|name| Some((name.to_owned(), rest.get(name)?.clone()))).collect();
    if !kept.is_empty() {
        let state = format!("{STATE}{}", URL_SAFE_NO_PAD.encode(Value::Object(kept).to_string()));
        if state.len() > LARGEST {
            return None;
        }
        result.as_object_mut()?.insert("requestState".to_owned(), Value::String(state));
    }
    Some(result)
}

/// Takes Reeve's own out of what a client brings along with a call, and puts back what it kept for the server. It is no secret and
/// no proof: whoever forges it has only written another call, or is asked about once more.
pub(crate) fn taken_out(rest: &mut Map<String, Value>) -> Linked {
    let responses = rest.get_mut("inputResponses").and_then(Value::as_object_mut);
    let answered = responses.and_then(|all| all.shift_remove(OWN).map(|answer| (answer, all.is_empty())));
    if matches!(answered, Some((_, true))) {
        rest.shift_remove("inputResponses");
    }
    let state = rest.get("requestState").and_then(Value::as_str).and_then(|state| state.strip_prefix(STATE));
    let state = state.map(str::to_owned);
    if let Some(state) = &state {
        rest.shift_remove("requestState");
        put_back(rest, state);
    }
    match answered {
        Some((answer, _)) if answer.get("action").and_then(Value::as_str) == Some("accept") => Linked::Opened,
        None if state.is_none() => Linked::No,
        _ => Linked::Back,
    }
}

fn put_back(rest: &mut Map<String, Value>, state: &str) {
    let kept = URL_SAFE_NO_PAD.decode(state).ok().and_then(|bytes| message::strict(&bytes).ok());
    let Some(Value::Object(mut kept)) = kept else { return };
    if let Some(state @ Value::String(_)) = kept.shift_remove("requestState") {
        rest.insert("requestState".to_owned(), state);
    }
    let Some(Value::Object(before)) = kept.shift_remove("inputResponses") else { return };
    let responses = rest.entry("inputResponses").or_insert_with(|| json!({}));
    if let Some(responses) = responses.as_object_mut() {
        for (name, answer) in before {
            responses.entry(name).or_insert(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use reeve_domain::id::OperationId;
    use reeve_protocol::mcp_headers::VERSION_KEY;

    use super::*;

    fn denial() -> Denial {
        Denial {
            kind: DenialKind::Expired,
            message: "nobody approved it".to_owned(),
            advice: String::new(),
            reasons: Vec::new(),
            record: Some(OperationId::new()),
        }
    }

    fn rest(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_server_that_speaks_under_a_name_of_reeves_is_known() {
        assert!(is_claimed(&json!({ "requestState": "reeve-state.e30" })));
        assert!(is_claimed(&json!({ "inputRequests": { OWN: { "method": "elicitation/create" } } })));
        assert!(!is_claimed(&json!({ "requestState": "theirs", "inputRequests": { "name": {} } })));
        assert!(!is_claimed(&json!({ "content": [] })));
    }

    #[test]
    fn only_who_says_so_in_a_version_that_has_it_is_sent_a_link() {
        let meta = |version: &str, elicitation: Value| {
            let capabilities = json!({ "elicitation": elicitation });
            json!({ VERSION_KEY: version, CAPABILITIES: capabilities })
        };
        assert!(takes_links(Some(&meta("2026-07-28", json!({ "form": {}, "url": {} })))));
        for other in [
            meta("2025-11-25", json!({ "url": {} })),
            meta("2026-07-28", json!({})),
            meta("2026-07-28", json!({ "form": {} })),
            json!({ VERSION_KEY: "2026-07-28" }),
            json!({ CAPABILITIES: { "elicitation": { "url": {} } } }),
        ] {
            assert!(!takes_links(Some(&other)), "{other}");
        }
        assert!(!takes_links(None));
    }

    #[test]
    fn what_is_asked_is_what_the_official_library_reads() {
        let question = ApprovalId::new();
        let told = result(&denial(), &question, &Map::new()).unwrap();
        let read: rmcp::model::InputRequiredResult = serde_json::from_value(told.clone()).unwrap();
        assert!(read.result_type.is_input_required() && read.request_state.is_none());
        let asked = serde_json::to_value(read.input_requests.unwrap()).unwrap();
        assert_eq!(asked[OWN]["params"]["url"], format!("reeve://inbox/{question}"));
        assert_eq!(told["_meta"]["reeve/denial"]["code"], "expired");
    }

    #[test]
    fn what_was_brought_for_the_server_comes_back_as_it_was() {
        for before in [
            json!({}),
            json!({ "requestState": "of the server" }),
            json!({ "inputResponses": { "name": { "action": "accept" } }, "requestState": "s", "x": 1 }),
        ] {
            let told = result(&denial(), &ApprovalId::new(), &rest(before.clone())).unwrap();
            let mut again = rest(before.clone());
            again.shift_remove("requestState");
            again.insert("inputResponses".to_owned(), json!({ OWN: { "action": "accept" } }));
            if let Some(state) = told.get("requestState") {
                again.insert("requestState".to_owned(), state.clone());
            }
            assert_eq!(taken_out(&mut again), Linked::Opened);
            assert_eq!(Value::Object(again), before);
        }
        let large = rest(json!({ "requestState": "x".repeat(LARGEST) }));
        assert_eq!(result(&denial(), &ApprovalId::new(), &large), None);
    }

    #[test]
    fn what_is_the_servers_stays_and_what_is_forged_is_only_gone() {
        let mut theirs = rest(json!({ "inputResponses": { "name": {} }, "requestState": "theirs" }));
        let before = theirs.clone();
        assert_eq!(taken_out(&mut theirs), Linked::No);
        assert_eq!(theirs, before);
        let mut both = rest(json!({ "inputResponses": { "name": {}, OWN: { "action": "decline" } } }));
        assert_eq!(taken_out(&mut both), Linked::Back);
        assert_eq!(Value::Object(both), json!({ "inputResponses": { "name": {} } }));
        for forged in ["reeve-state.", "reeve-state.%", "reeve-state.WzFd", "reeve-state.eyJyZXF1ZXN0U3RhdGUiOjF9"] {
            let mut forged = rest(json!({ "requestState": forged }));
            assert_eq!(taken_out(&mut forged), Linked::Back);
            assert!(forged.is_empty(), "{forged:?}");
        }
    }
}
