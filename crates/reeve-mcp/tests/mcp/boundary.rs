//! The commit boundary from outside: rows are counted before a person is asked, what was approved happens once, and what
//! rules for tools forbid, require and hide holds on the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use reeve_domain::approval::Resolution;
use reeve_domain::operation::DataKind;
use reeve_engine::breakers::Place;
use reeve_mcp::Link;
use serde_json::{Value, json};

use crate::world::{Wire, World, text};

/// Everything of the server `db` is permitted, as far as rules for tools do not say otherwise.
const RULES: &str = r#"
@id("db-passes")
@reason("the test's own database")
@lifts("ask-first-tool,ask-tool-write")
permit (principal, action == Action::"mcp.tool_call", resource in McpServer::"db");
"#;

const COUNTED: &str = r#"
tool_policies:
  db/write_query:
    max_row_count: 100
    preview: { sql: query, reader: read_query, dialect: sqlite }
tool_governance:
  db/write_query: { scope: session }
"#;

/// What the server was asked to do.
#[derive(Default)]
struct Done {
    reads: AtomicUsize,
    writes: AtomicUsize,
}

fn definitions() -> Value {
    let query = json!({ "type": "object", "properties": { "query": { "type": "string" } }, "required": ["query"] });
    let tool = |name: &str| json!({ "name": name, "description": format!("does {name}"), "inputSchema": query });
    let mut profile = tool("profile");
    profile["outputSchema"] =
        json!({ "type": "object", "properties": { "age": { "type": "integer" } }, "required": ["age"] });
    json!([tool("read_query"), tool("write_query"), profile])
}

/// A server with 5000 rows, answering as those in Python do.
async fn serve(mut link: Link, done: Arc<Done>, rows: &'static str) {
    while let Some(bytes) = link.rx.recv().await {
        let message: Value = serde_json::from_slice(&bytes).unwrap();
        let Some(id) = message.get("id") else { continue };
        let said = |text: &str| json!({ "content": [{ "type": "text", "text": text }] });
        let query = message["params"]["arguments"]["query"].as_str().unwrap_or_default();
        let result = match (message["method"].as_str().unwrap(), message["params"]["name"].as_str()) {
            ("tools/list", _) => json!({ "tools": definitions() }),
            ("tools/call", Some("read_query")) => {
                assert!(query.starts_with("SELECT count(*) AS reeve_rows FROM customers"), "{query}");
                done.reads.fetch_add(1, Ordering::SeqCst);
                said(&format!("[{{'reeve_rows': {rows}}}]"))
            }
            ("tools/call", Some("write_query")) => {
                done.writes.fetch_add(1, Ordering::SeqCst);
                said("[{'affected_rows': 5000}]")
            }
            ("tools/call", _) => json!({
                "content": [{ "type": "text", "text": "dana@example.com is 41" }],
                "structuredContent": { "age": "41" },
            }),
            (other, _) => panic!("the server was asked for `{other}`"),
        };
        let answer = json!({ "jsonrpc": "2.0", "id": id, "result": result });
        link.tx.send(Bytes::from(answer.to_string())).await.unwrap();
    }
}

struct Scene {
    world: World,
    wire: Wire,
    done: Arc<Done>,
}

async fn scene(tools: &str) -> Scene {
    counting(tools, "5000").await
}

/// The person approved the server's tools; the server counts this many rows.
async fn counting(tools: &str, rows: &'static str) -> Scene {
    limited("", tools, rows).await
}

/// The same under limits.
async fn limited(limits: &str, tools: &str, rows: &'static str) -> Scene {
    let files = [("limits.yaml", limits), ("tools.yaml", tools), ("policies/db.cedar", RULES)];
    let world = World::with(&files).await;
    let mut wire = world.bare_wire_to("claude-code", "db").await;
    let done = Arc::new(Done::default());
    let (unused, _) = Link::pair();
    let server = std::mem::replace(&mut wire.server, unused);
    tokio::spawn(serve(server, Arc::clone(&done), rows));
    wire.ask(json!({ "jsonrpc": "2.0", "id": "first", "method": "tools/list" })).await;
    wire.heard().await;
    world.approve_all("db").await;
    Scene { world, wire, done }
}

impl Scene {
    async fn update(&self, id: i64) {
        self.wire.call(id, "write_query", json!({ "query": "UPDATE customers SET tier = 'gold'" })).await;
    }

    fn counts(&self) -> (usize, usize) {
        (self.done.reads.load(Ordering::SeqCst), self.done.writes.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn an_update_of_too_many_rows_is_counted_held_and_refused_and_nothing_changes() {
    let mut scene = scene(COUNTED).await;
    scene.update(1).await;
    let held = scene.world.held().await;
    assert!(held.reasons.iter().any(|reason| reason.rule.as_str() == "tool-max-rows"), "{:?}", held.reasons);
    assert_eq!(held.view["rows"]["rows"], 5000);
    assert_eq!(held.view["cap"], 100);
    assert_eq!(held.view["preview"]["statement"], "SELECT count(*) AS reeve_rows FROM customers");
    scene.world.answer(&held, Resolution::Refused { reason: None }).await;
    let answer = scene.wire.heard().await;
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    assert_eq!(scene.counts(), (1, 0));
    let rows = scene.world.rows(2).await;
    let preview = rows.iter().find(|row| row.summary == "db.read_query").unwrap();
    assert_eq!(preview.parent.as_ref(), Some(&held.operation), "the preview stands below the call");
}

#[tokio::test]
async fn what_was_approved_happens_once_under_three_retries_at_the_same_time() {
    let mut scene = scene(COUNTED).await;
    for id in 1..=3 {
        scene.update(id).await;
    }
    let held = scene.world.held_for(3).await;
    scene.world.approve(&held).await;
    for _ in 1..=3 {
        let answer = scene.wire.heard().await;
        assert_eq!(text(&answer), "[{'affected_rows': 5000}]", "{answer}");
    }
    assert_eq!(scene.counts().1, 1);
}

#[tokio::test]
async fn few_rows_pass_and_a_count_that_is_no_number_is_asked_about() {
    let mut few = counting(COUNTED, "7").await;
    few.update(1).await;
    assert_eq!(text(&few.wire.heard().await), "[{'affected_rows': 5000}]");
    assert_eq!(few.counts(), (1, 1));
    for rows in ["'7'", "-7", "7.5", "99999999999999999999"] {
        let odd = counting(COUNTED, rows).await;
        odd.update(1).await;
        let held = odd.world.held().await;
        assert!(held.reasons.iter().any(|reason| reason.rule.as_str() == "tool-uncounted-rows"), "{rows}");
        assert_eq!(odd.counts(), (1, 0), "{rows}");
    }
}

/// A statement with somebody's address in it, under rules that keep it out of the record.
async fn about_a_person(for_call: bool) -> Scene {
    let rules = format!("arguments: {{ query: redact }}\n    redact_for_call: {for_call}\n    max_row_count");
    let scene = scene(&COUNTED.replace("max_row_count", &rules)).await;
    let query = "UPDATE customers SET tier = 'gold' WHERE mail = 'dana@example.com'";
    scene.wire.call(1, "write_query", json!({ "query": query })).await;
    scene
}

#[tokio::test]
async fn what_is_kept_out_of_a_calls_record_is_kept_out_of_its_previews_too() {
    let scene = about_a_person(false).await;
    let held = scene.world.held().await;
    assert_eq!(held.view["rows"]["rows"], 5000, "{}", held.view);
    let statement = held.view["preview"]["statement"].as_str().unwrap();
    assert!(statement.contains("mail = '(email."), "{statement}");
    assert!(!held.view.to_string().contains("dana@"), "{}", held.view);
    assert_eq!(scene.counts(), (1, 0));
}

#[tokio::test]
async fn a_call_that_is_sent_with_marks_in_it_is_not_judged_by_the_rows_of_another() {
    let scene = about_a_person(true).await;
    let held = scene.world.held().await;
    assert!(held.reasons.iter().any(|reason| reason.rule.as_str() == "tool-uncounted-rows"), "{:?}", held.reasons);
    assert_eq!(scene.counts(), (0, 0), "nothing was asked with the address in it");
}

#[tokio::test]
async fn arguments_and_results_that_do_not_fit_are_told_by_field() {
    let tools = "tool_policies:\n  db/*: { schema_validation: enforce }\n";
    let mut scene = scene(tools).await;
    scene.wire.call(1, "write_query", json!({ "query": 5 })).await;
    let told = scene.wire.heard().await;
    assert!(text(&told).contains("`query` must be a text, and is a whole number"), "{told}");
    assert_eq!(scene.counts(), (0, 0));
    scene.wire.call(2, "profile", json!({ "query": "dana" })).await;
    let told = scene.wire.heard().await;
    assert!(text(&told).contains("`age` must be a whole number, and is a text"), "{told}");
    assert_eq!(told["result"]["isError"], true);
}

#[tokio::test]
async fn forbidden_values_and_marks_never_reach_the_server() {
    let tools = "tool_policies:\n  db/*: { forbidden_argument_values: { mode: [truncate] } }\n";
    let mut scene = scene(tools).await;
    scene.wire.call(1, "write_query", json!({ "query": "x", "options": [{ "mode": "truncate" }] })).await;
    let told = scene.wire.heard().await;
    assert!(text(&told).contains("must not be `truncate`"), "{told}");
    scene.wire.call(2, "write_query", json!({ "query": "SET mail = '(email.0123abcd)'" })).await;
    let told = scene.wire.heard().await;
    assert!(text(&told).contains("taken out"), "{told}");
    assert_eq!(scene.counts(), (0, 0));
}

#[tokio::test]
async fn the_agent_sees_marks_for_personal_data_where_rules_say_so() {
    let tools = "tool_policies:\n  db/profile: { result: redact, redact_for_call: true }\n";
    let mut scene = scene(tools).await;
    scene.wire.call(1, "profile", json!({ "query": "dana" })).await;
    let told = scene.wire.heard().await;
    assert!(text(&told).starts_with("(email.") && text(&told).ends_with(" is 41"), "{told}");
}

#[tokio::test]
async fn a_kept_answer_is_given_before_anything_is_counted_or_asked() {
    let mut scene = scene(COUNTED).await;
    scene.update(1).await;
    let held = scene.world.held().await;
    scene.world.approve(&held).await;
    assert_eq!(text(&scene.wire.heard().await), "[{'affected_rows': 5000}]");
    let before = scene.counts();
    scene.update(2).await;
    let again = scene.wire.heard().await;
    assert_eq!(text(&again), "[{'affected_rows': 5000}]", "{again}");
    assert!(again["result"]["_meta"]["reeve/repeats"]["operation"].is_string(), "{again}");
    assert_eq!(scene.counts(), before, "neither a preview nor the call itself");
    assert_eq!(before.1, 1);
    assert!(scene.world.engine.store().open_approvals().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_policy_that_denies_comes_before_a_kept_answer() {
    let mut scene = counting(COUNTED, "7").await;
    scene.update(1).await;
    assert_eq!(text(&scene.wire.heard().await), "[{'affected_rows': 5000}]");
    let no = "@id(\"no-write\")\n@reason(\"not any more\")\nforbid (principal, action == Action::\"mcp.tool_call\", resource == McpTool::\"db/write_query\");\n";
    std::fs::write(scene.world.engine.policies().folder().join("no.cedar"), no).unwrap();
    scene.world.engine.reload().await.unwrap();
    scene.update(2).await;
    let told = scene.wire.heard().await;
    assert!(text(&told).contains("no-write"), "{told}");
    assert_eq!(scene.counts(), (1, 1));
}

#[tokio::test]
async fn previews_keep_to_the_pace_of_their_tool() {
    let limits = "rate_limits: [{ server: db, tool: read_query, calls: 1, per: hour }]\n";
    let mut scene = limited(limits, COUNTED, "7").await;
    scene.update(1).await;
    assert_eq!(text(&scene.wire.heard().await), "[{'affected_rows': 5000}]");
    scene.wire.call(2, "write_query", json!({ "query": "UPDATE customers SET tier = 'silver'" })).await;
    let held = scene.world.held().await;
    let why = &held.reasons.iter().find(|reason| reason.rule.as_str() == "tool-uncounted-rows").unwrap().text;
    assert!(why.contains("1 calls within an hour"), "{why}");
    assert_eq!(scene.counts(), (1, 1));
}

#[tokio::test]
async fn one_place_is_enough_for_a_call_and_its_preview() {
    let limits = "rate_limits: [{ server: db, at_once: 1 }]\n";
    let mut scene = limited(limits, COUNTED, "7").await;
    scene.update(1).await;
    assert_eq!(text(&scene.wire.heard().await), "[{'affected_rows': 5000}]");
    assert_eq!(scene.counts(), (1, 1));
}

#[tokio::test]
async fn a_preview_of_a_tool_that_is_left_alone_says_so_and_asks_the_server_nothing() {
    let scene = scene(COUNTED).await;
    let engine = &scene.world.engine;
    let place = Place::Tool { server: "db".to_owned(), tool: "read_query".to_owned() };
    let limits = engine.policies().in_force().limits.breakers();
    engine.breakers().failed(&place, "it hangs", None, (1, limits), engine.now());
    scene.update(1).await;
    let held = scene.world.held().await;
    let why = &held.reasons.iter().find(|reason| reason.rule.as_str() == "tool-uncounted-rows").unwrap().text;
    assert!(why.contains("db/read_query") && why.contains("it hangs"), "{why}");
    assert_eq!(scene.counts(), (0, 0));
}

#[tokio::test]
async fn a_result_that_is_audited_comes_as_it_is_and_the_record_says_what_it_held() {
    let tools = "tool_policies:\n  db/profile: { result: audit }\n";
    let mut scene = scene(tools).await;
    scene.wire.call(1, "profile", json!({ "query": "dana" })).await;
    assert_eq!(text(&scene.wire.heard().await), "dana@example.com is 41");
    scene.world.rows(1).await;
    let outcome = scene.world.outcome().await;
    assert_eq!(outcome.result_data, [DataKind::Email]);
    assert!(!serde_json::to_string(&outcome).unwrap().contains("dana@"));
}

/// Every key of the example that the documentation gives, on the wire.
const TALON: &str = r#"
policies:
  session_limits: { max_cost: 2.50, max_candidates: 4, max_judge_calls: 2 }
tool_policies:
  write_query:
    max_row_count: 100
    require_dry_run: true
    forbidden_argument_values: { mode: ["truncate", "drop"] }
    arguments: { query: redact }
    timeout: "15s"
tool_governance:
  profile:
    idempotency_key: "query"
    cache_ttl: "24h"
    on_duplicate: "return_cached"
    strict_mode: true
"#;

#[tokio::test]
async fn a_file_that_others_write_does_what_each_of_its_keys_says() {
    let mut scene = scene(TALON).await;
    let in_force = scene.world.engine.policies().in_force();
    let limits = &in_force.limits;
    let cost = limits.session_cost().unwrap();
    assert_eq!((cost.0, limits.max_candidates(), limits.max_judge_calls()), (2_500_000_000, Some(4), Some(2)));
    // No preview is declared, so nobody can count: what the agent says of it is no count.
    scene.wire.call(1, "write_query", json!({ "query": "SET mail = 'dana@example.com'", "rows": 1 })).await;
    let held = scene.world.held().await;
    assert!(held.reasons.iter().any(|reason| reason.rule.as_str() == "tool-uncounted-rows"), "{:?}", held.reasons);
    assert!(!held.view.to_string().contains("dana@"), "{}", held.view);
    scene.world.answer(&held, Resolution::Refused { reason: None }).await;
    scene.wire.heard().await;
    for (id, arguments) in [(2, json!({ "query": "x", "mode": "drop" })), (3, json!({ "a": [{ "mode": "truncate" }] }))]
    {
        scene.wire.call(id, "write_query", arguments).await;
        let told = scene.wire.heard().await;
        assert!(text(&told).contains("must not be `"), "{told}");
    }
    assert_eq!(scene.counts(), (0, 0));
    scene.wire.call(4, "profile", json!({ "mail": "x" })).await;
    let told = scene.wire.heard().await;
    assert_eq!(told["result"]["_meta"]["reeve/denial"]["code"], "malformed", "{told}");
    for id in 5..=6 {
        scene.wire.call(id, "profile", json!({ "query": "dana", "at": id })).await;
        let told = scene.wire.heard().await;
        assert_eq!(told["result"]["_meta"]["reeve/repeats"]["operation"].is_string(), id == 6, "{told}");
    }
    let timeout = in_force.tools.tool("db", "write_query").unwrap().timeout_seconds;
    assert_eq!(timeout, Some(15));
}

#[tokio::test]
async fn numbers_written_as_text_are_forbidden_like_those_that_are_not() {
    let tools = "tool_policies:\n  db/*: { forbidden_argument_values: { limit: [0, \"-1\"] } }\n";
    let mut scene = scene(tools).await;
    for (id, limit) in [(1, json!(0)), (2, json!("0")), (3, json!(-1)), (4, json!("-1"))] {
        scene.wire.call(id, "profile", json!({ "query": "x", "limit": limit })).await;
        let told = scene.wire.heard().await;
        assert!(text(&told).contains("`limit` must not be"), "{told}");
    }
}
