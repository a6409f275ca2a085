//! Rules before they are written: what is proposed for each card, drafts with what they would have changed, single actions judged
//! again, and sessions as waterfalls.

use reeve_demo::script::story;
use serde_json::{Value, json};

use super::World;

/// Rules that a person may try: one that goes, one that denies, one that only watches, one that does not load.
fn drafts() -> Vec<Value> {
    let new = |text: &str| json!({ "file": "mine.cedar", "part": { "kind": "new" }, "text": text });
    let gone = json!({ "file": "mine.cedar", "part": { "kind": "rule", "id": "ask-issue-write" }, "text": "" });
    let deny = "@id(\"no-search\")\n@reason(\"agents search nowhere\")\nforbid (\n  principal,\n  action == \
                Action::\"mcp.tool_call\",\n  resource == McpTool::\"github/search_code\"\n);";
    let watch = deny.replace("@reason", "@mode(\"observe\")\n@reason");
    let broken = "@id(\"broken\")\n@reason(\"it does not end\")\nforbid (\n  principal,\n  action";
    let [session, always, never] = own_rules();
    let all = [gone, new(deny), new(&watch), new(broken), new(&session), new(&always), new(&never)];
    all.into_iter().map(|change| json!({ "changes": [change], "complete": false })).collect()
}

/// The rules that the console writes for a credential of its own: it holds its text to these, and the engine to reading them.
fn own_rules() -> [String; 3] {
    let id = story::CREDENTIAL;
    let head = |reason: &str| format!("@id(\"use-of-{id}\")\n@reason(\"{reason}\")\n");
    let when = format!("when {{ context has credential && context.credential == \"{id}\" }}");
    let asks = |reason: &str, liftable: &str| {
        let head = head(reason);
        format!("{head}{liftable}forbid (principal, action, resource)\n{when}\nunless {{ context.approved }};")
    };
    let head = head("this credential needs no question of its own");
    let never = format!("{head}@lifts(\"ask-first-credential\")\npermit (principal, action, resource)\n{when};");
    [
        asks("ask before this credential is used", "@liftable\n"),
        asks("ask every time this credential is used", ""),
        never,
    ]
}

fn choices(card: &Value) -> Vec<Value> {
    let days = json!({ "kind": "days30" });
    let widths = card["arming"]["widths"].as_array().cloned().unwrap_or_default();
    let mut all: Vec<Value> = widths.iter().map(|width| json!({ "width": width, "lasting": days })).collect();
    let width = widths.first().cloned().unwrap_or(json!("useful"));
    all.push(json!({ "width": width, "lasting": { "kind": "forever" } }));
    all.push(json!({ "width": width, "lasting": days, "anyone": true, "here": true }));
    all.push(json!({ "width": width, "lasting": days, "here": true }));
    all
}

/// A machine decides how long something took, and so when a turn ended.
fn held_still(flow: &mut Value) {
    for node in flow["nodes"].as_array_mut().unwrap() {
        if node["work"].is_number() {
            node["work"] = json!(240);
        }
    }
    for turn in flow["turns"].as_array_mut().unwrap() {
        turn["end"] = json!(turn["start"].as_u64().unwrap() + 1_000);
    }
}

/// What the zone of the machine decides.
fn without_the_hour(mut judged: Value) -> Value {
    let zoned = |fact: &Value| ["hour", "minute", "weekday"].iter().any(|name| fact["name"] == *name);
    judged["facts"].as_array_mut().unwrap().retain(|fact| !zoned(fact));
    judged
}

impl World {
    /// The answer, where there is one.
    async fn told(&self, call: &str, input: &Value) -> Option<Value> {
        self.client.call_value(json!({ "call": call, "input": input })).await.ok()
    }

    /// Beside what [`World::tell`] tells; pairs of what was asked and what was answered, in the same order.
    pub(super) async fn weigh(&self, cards: &[Value], rows: &[Value], sums: &Value) -> Value {
        let (mut previewed, mut previews) = (Vec::new(), Vec::new());
        for card in cards.iter().filter(|card| !card["arming"]["alwaysText"].is_null()) {
            for rule in choices(card) {
                let input = json!({ "approval": card["id"], "rule": rule });
                // Some questions hold what no rule may name.
                let Some(told) = self.told("approvals.preview", &input).await else { continue };
                previews.push(told);
                previewed.push(input);
            }
        }
        let drafts = drafts();
        let (mut checks, mut replays) = (Vec::new(), Vec::new());
        for draft in &drafts {
            let checked = self.ask("policies.check", json!({ "draft": draft })).await;
            if checked["ready"] == true {
                replays.push(self.ask("policies.replay", json!({ "draft": draft, "since": null })).await);
            }
            checks.push(checked);
        }
        let (mut what_ifs, mut proposed, mut proposals) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let asked = json!({ "operation": row["id"], "draft": null });
            what_ifs.extend(self.told("policies.what_if", &asked).await.map(without_the_hour));
            let (effect, width) = ("ask", "useful");
            let asked =
                json!({ "operation": row["id"], "effect": effect, "width": width, "anyone": false, "here": false });
            let Some(told) = self.told("policies.propose", &asked).await else { continue };
            proposals.push(told);
            proposed.push(asked);
        }
        let mut flows = Vec::new();
        for sum in sums["rows"].as_array().unwrap() {
            let input = json!({ "session": sum["session"]["id"], "query": "" });
            let mut flow = self.ask("sessions.flow", input).await;
            held_still(&mut flow);
            flows.push(flow);
        }
        json!({
            "previewed": previewed,
            "previews": previews,
            "drafts": drafts,
            "checks": checks,
            "replays": replays,
            "whatIfs": what_ifs,
            "proposed": proposed,
            "proposals": proposals,
            "flows": flows,
        })
    }
}
