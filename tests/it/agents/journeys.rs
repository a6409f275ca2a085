//! One journey each: a stage is set, the real tool is asked one question through `reeve run`, and everything that can be
//! seen of it from outside is compared.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reeve_api::contract::approvals::{AnswerDto, ScopeDto};
use reeve_api::contract::operations::{OperationRowDto, RowStateDto};
use reeve_demo::provider::Received;
use reeve_demo::script::{Fault, Mishap, Route, Script, Step, Tokens};
use reeve_tests::bill::Prices;
use reeve_tests::stage::{Ended, Setting, Stage};
use reeve_tests::tools::Tool;

/// What only the credential store and the upstream ever see.
const REAL_KEY: &str = "sk-real-5d1f7c3ab29e4c60";
pub const QUESTION: &str = "Say what you think of seat belts.";
pub const ANSWER: &str = "Seat belts are forty-two times better than none.";

/// Every main call waits for a human; titles and the like, which offer no tools, do not.
pub const ASK_MODEL_CALLS: &str = r#"
@id("look-first") @reason("model calls of this test wait for a human") @liftable
forbid (principal, action == Action::"llm.call", resource)
unless { context.approved || context.tools_offered.isEmpty() };
"#;

/// A stage on which the tool's credential is stored.
pub struct Governed {
    pub stage: Stage,
    tool: Tool,
    placeholder: String,
}

impl Governed {
    pub async fn set(tool: Tool, setting: Setting<'_>) -> Result<Self> {
        let stage = Stage::set(setting).await?;
        let placeholder = stage.store(tool.credential(), REAL_KEY).await?;
        Ok(Self { stage, tool, placeholder })
    }

    pub async fn ask(&self) -> Result<Ended> {
        self.stage.run(&self.tool.command(&self.stage.world, QUESTION)?, &[]).await
    }

    /// Model calls with tools that arrived upstream: the conversation itself.
    pub fn main_calls(&self) -> Vec<Received> {
        self.stage.provider.calls(self.tool.group()).into_iter().filter(|call| call.main).collect()
    }

    /// Nothing that arrived anywhere holds the placeholder, and every model call holds the real key.
    pub fn only_the_real_key_arrived(&self) -> Result<()> {
        let (header, value) = self.tool.key_header(REAL_KEY);
        for request in self.stage.provider.requests() {
            let seen = format!("{request:?}{}", String::from_utf8_lossy(&request.body));
            ensure!(!seen.contains(&self.placeholder), "the placeholder arrived at {}{}", request.host, request.path);
            if request.group == Some(self.tool.group()) {
                ensure!(request.header(header) == Some(&value), "{} arrived as {:?}", header, request.header(header));
            } else if request.host != self.tool.host() {
                ensure!(!seen.contains(REAL_KEY), "the key arrived at {}{}", request.host, request.path);
            }
        }
        Ok(())
    }

    pub async fn the_bill_is_right(&self) -> Result<()> {
        the_bill_is_right(&self.stage, self.tool).await
    }

    pub async fn main_rows(&self) -> Result<Vec<OperationRowDto>> {
        main_rows(&self.stage).await
    }
}

/// The Timeline's model calls cost, one by one, what the provider's own usage comes to.
pub async fn the_bill_is_right(stage: &Stage, tool: Tool) -> Result<()> {
    let prices = Prices::shipped()?;
    let calls = stage.provider.calls(tool.group());
    let mut billed: Vec<i64> = calls.iter().filter_map(|c| prices.cost(c).transpose()).collect::<Result<_>>()?;
    let rows = stage.rows("kind:llm").await?;
    let mut recorded: Vec<i64> = rows.iter().filter_map(|row| row.cost).filter(|cost| *cost > 0).collect();
    billed.sort_unstable();
    recorded.sort_unstable();
    ensure!(!billed.is_empty() && billed == recorded, "billed {billed:?}, recorded {recorded:?}");
    for row in &rows {
        let cost = stage.operation(&row.id).await?.cost;
        let within = cost.as_ref().is_none_or(|c| c.settled <= Some(c.reserved) && !c.estimated && !c.overrun);
        ensure!(within, "settled above its reservation: {cost:?}");
    }
    Ok(())
}

/// Rows of the conversation itself: model calls that offered tools.
pub async fn main_rows(stage: &Stage) -> Result<Vec<OperationRowDto>> {
    let mut main = Vec::new();
    for row in stage.rows("kind:llm").await? {
        let detail = stage.operation(&row.id).await?;
        let subject = detail.subject.context("a model call without facts")?;
        if subject["tools_offered"].as_array().is_some_and(|tools| !tools.is_empty()) {
            main.push(row);
        }
    }
    Ok(main)
}

/// Nothing of what was turned away costs anything, now or later.
async fn nothing_was_spent(stage: &Stage) -> Result<()> {
    let rows = stage.rows("kind:llm").await?;
    let refused = rows.iter().filter(|row| row.state != RowStateDto::Allowed);
    ensure!(refused.clone().all(|row| row.cost.unwrap_or_default() == 0 && row.reserved.is_none()), "{rows:?}");
    Ok(())
}

/// What the tool printed, for a failing assertion.
pub fn shown(ended: &Ended, stage: &Stage) -> String {
    format!("exit {:?}\n{}\nengine: {}", ended.code, ended.printed(), stage.engine_log())
}

pub async fn text_turn(tool: Tool) -> Result<()> {
    let usage =
        Tokens { input: 1_234, cache_read: 8_001, cache_write_5m: 305, cache_write_1h: 0, output: 57, reasoning: 11 };
    let script = Script::of([Step::text(ANSWER)]).with_usage(usage);
    let governed = Governed::set(tool, Setting { script, ..Setting::default() }).await?;
    let ended = governed.ask().await?;
    ensure!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(&ended, &governed.stage));
    ensure!(governed.main_calls().len() == 1, "{} main calls", governed.main_calls().len());
    let rows = governed.main_rows().await?;
    let [row] = rows.as_slice() else { anyhow::bail!("{rows:?}") };
    ensure!(row.agent == tool.agent() && row.state == RowStateDto::Allowed && row.status == Some(200), "{row:?}");
    ensure!(row.credential.as_deref() == Some(tool.credential()), "{row:?}");
    governed.only_the_real_key_arrived()?;
    governed.the_bill_is_right().await?;
    let log = governed.stage.reeve(&["log", "kind:llm", "--json"]).await?;
    ensure!(log.code == Some(0) && log.stdout.contains(&row.id), "{}", log.printed());
    let verified = governed.stage.reeve(&["verify"]).await?;
    ensure!(verified.code == Some(0), "{}", verified.printed());
    Ok(())
}

pub async fn own_login(tool: Tool) -> Result<()> {
    let stage = Stage::set(Setting { script: Script::of([Step::text(ANSWER)]), ..Setting::default() }).await?;
    let own = "sk-ant-api03-the-tools-own-key";
    let ended = stage.run(&tool.command(&stage.world, QUESTION)?, &[(tool.key_variable(), own)]).await?;
    ensure!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(&ended, &stage));
    let (header, value) = tool.key_header(own);
    let calls = stage.provider.calls(tool.group());
    ensure!(calls.iter().all(|call| call.header(header) == Some(&value)), "{calls:?}");
    let rows = stage.rows("kind:llm").await?;
    ensure!(rows.len() == calls.len() && rows.iter().all(|row| row.credential.is_none()), "{rows:?}");
    the_bill_is_right(&stage, tool).await?;
    stage.verify().await
}

pub async fn shell_turn(tool: Tool) -> Result<()> {
    let script = Script::shell("printf 'seat-%d-belt' 42 > made.txt; cat made.txt", ANSWER);
    let governed = Governed::set(tool, Setting { script, ..Setting::default() }).await?;
    let ended = governed.ask().await?;
    ensure!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(&ended, &governed.stage));
    let made = std::fs::read_to_string(governed.stage.world.work().join("made.txt"));
    let made = made.with_context(|| shown(&ended, &governed.stage))?;
    ensure!(made == "seat-42-belt", "{made}");
    let calls = governed.main_calls();
    ensure!(calls.len() == 2, "{} main calls", calls.len());
    ensure!(String::from_utf8_lossy(&calls[1].body).contains("seat-42-belt"), "the result did not reach the model");
    let rows = governed.main_rows().await?;
    let passed = rows.iter().all(|row| row.state == RowStateDto::Allowed && row.status == Some(200));
    ensure!(rows.len() == 2 && passed, "{rows:?}");
    let asked = governed.stage.operation(&rows[0].id).await?.outcome.context("no outcome")?;
    ensure!(asked["tool_calls"].as_array().is_some_and(|calls| calls.len() == 1), "{asked}");
    governed.only_the_real_key_arrived()?;
    governed.the_bill_is_right().await?;
    governed.stage.verify().await
}

pub async fn streamed_turn(tool: Tool) -> Result<()> {
    let slow = Fault { only_main: true, ..Fault::always(Mishap::Slow { gap_ms: 300 }) };
    let script = Script::of([Step::text(ANSWER)]).with_fault(slow);
    let governed = Governed::set(tool, Setting { script, ..Setting::default() }).await?;
    let ended = governed.ask().await?;
    ensure!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(&ended, &governed.stage));
    let calls = governed.main_calls();
    ensure!(calls.len() == 1, "{} main calls: it gave up on the stream", calls.len());
    let rows = governed.main_rows().await?;
    let [row] = rows.as_slice() else { anyhow::bail!("{rows:?}") };
    ensure!(row.state == RowStateDto::Allowed && row.status == Some(200), "{row:?}");
    let outcome = governed.stage.operation(&row.id).await?.outcome.context("no outcome")?;
    let (first, total) = (outcome["first_byte_ms"].as_u64().context("no first byte")?, outcome["total_ms"].as_u64());
    ensure!(total.is_some_and(|total| total >= 1_000 && first < total - 700), "{outcome}");
    governed.only_the_real_key_arrived()?;
    governed.the_bill_is_right().await?;
    governed.stage.verify().await
}

pub async fn held_and_approved(tool: Tool) -> Result<()> {
    let script = Script::of([Step::text(ANSWER)]);
    let governed = Governed::set(tool, Setting { script, policy: ASK_MODEL_CALLS, ..Setting::default() }).await?;
    let human = async {
        let question = governed.stage.asked().await?;
        ensure!(question.agent == tool.agent() && question.kind == "llm", "{question:?}");
        ensure!(question.reasons.iter().any(|reason| reason.rule == "look-first"), "{question:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
        ensure!(governed.main_calls().is_empty(), "it went upstream before it was approved");
        governed.stage.answer(&question, AnswerDto::Approve { scope: ScopeDto::Once }).await
    };
    let (ended, answered) = tokio::try_join!(governed.ask(), human)?;
    ensure!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(&ended, &governed.stage));
    ensure!(governed.main_calls().len() == 1, "{} main calls", governed.main_calls().len());
    let rows = governed.main_rows().await?;
    let [row] = rows.as_slice() else { anyhow::bail!("{rows:?}") };
    ensure!(row.state == RowStateDto::Approved && row.approval.as_deref() == Some(&answered.id), "{row:?}");
    governed.only_the_real_key_arrived()?;
    governed.the_bill_is_right().await?;
    governed.stage.verify().await
}

pub async fn held_and_refused(tool: Tool) -> Result<()> {
    let script = Script::of([Step::text(ANSWER)]);
    let governed = Governed::set(tool, Setting { script, policy: ASK_MODEL_CALLS, ..Setting::default() }).await?;
    let human = async {
        let question = governed.stage.asked().await?;
        let answer = AnswerDto::Refuse { reason: Some("not before lunch".to_owned()) };
        governed.stage.answer(&question, answer).await
    };
    let (ended, _) = tokio::try_join!(governed.ask(), human)?;
    ensure!(ended.printed().contains("Reeve denied this"), "{}", shown(&ended, &governed.stage));
    ensure!(ended.printed().contains("not before lunch"), "{}", shown(&ended, &governed.stage));
    ensure!(governed.main_calls().is_empty(), "a refused call went upstream");
    let rows = governed.main_rows().await?;
    let [row] = rows.as_slice() else { anyhow::bail!("it asked {} times: {rows:?}", rows.len()) };
    ensure!(row.state == RowStateDto::Refused && row.status.is_none(), "{row:?}");
    nothing_was_spent(&governed.stage).await?;
    governed.only_the_real_key_arrived()?;
    governed.stage.verify().await
}

pub async fn over_budget(tool: Tool) -> Result<()> {
    let script = Script::of([Step::text(ANSWER)]);
    // A hundredth of a cent: less than the input of any tool's first call alone.
    let limits = "budgets:\n  - id: pocket-money\n    scope: session\n    window: total\n    max_cost: 0.0001\n    on_exhausted: deny\n";
    let governed = Governed::set(tool, Setting { script, limits, ..Setting::default() }).await?;
    let ended = governed.ask().await?;
    ensure!(ended.printed().contains("Reeve denied this"), "{}", shown(&ended, &governed.stage));
    ensure!(ended.printed().contains("pocket-money"), "{}", shown(&ended, &governed.stage));
    ensure!(governed.stage.provider.calls(tool.group()).is_empty(), "a call went upstream that nobody can pay");
    let rows = governed.main_rows().await?;
    let [row] = rows.as_slice() else { anyhow::bail!("it asked {} times: {rows:?}", rows.len()) };
    ensure!(row.state == RowStateDto::Denied && row.rule.as_deref() == Some("pocket-money"), "{row:?}");
    nothing_was_spent(&governed.stage).await?;
    governed.only_the_real_key_arrived()?;
    governed.stage.verify().await
}

/// What the session may spend pays for the input and some of the output that the tool asks for (or, where it names no
/// limit, that the model could give).
pub async fn lowered_limit(tool: Tool) -> Result<()> {
    let (purse, cap, field) = match tool {
        Tool::Claude => ("0.40", 400_000_000, "/max_tokens"),
        Tool::Codex => ("0.60", 600_000_000, "/max_output_tokens"),
        Tool::Gemini => ("0.15", 150_000_000, "/generationConfig/maxOutputTokens"),
        Tool::Opencode => ("0.25", 250_000_000, "/max_tokens"),
    };
    let limits = format!("budgets:\n  - id: purse\n    scope: session\n    window: total\n    max_cost: {purse}\n");
    let script = Script::shell("printf 'seat-%d-belt' 42 > made.txt; cat made.txt", ANSWER);
    let governed = Governed::set(tool, Setting { script, limits: &limits, ..Setting::default() }).await?;
    let ended = governed.ask().await?;
    ensure!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(&ended, &governed.stage));
    let (calls, rows) = (governed.main_calls(), governed.main_rows().await?);
    ensure!(calls.len() == 2 && rows.len() == 2, "{} calls, {rows:?}", calls.len());
    for (call, row) in calls.iter().zip(&rows) {
        let arrived = call.json().pointer(field).and_then(serde_json::Value::as_u64);
        let detail = governed.stage.operation(&row.id).await?;
        let asked = detail.subject.context("no facts")?["output_limit"].as_u64();
        let lowered = arrived.is_some_and(|arrived| arrived >= 1_024 && arrived < asked.unwrap_or(65_536));
        ensure!(lowered, "{arrived:?} arrived of {asked:?} asked for");
        let cost = detail.cost.context("no cost")?;
        ensure!((1..=cap).contains(&cost.reserved), "{cost:?}");
    }
    governed.only_the_real_key_arrived()?;
    governed.the_bill_is_right().await?;
    governed.stage.verify().await
}

pub async fn denied_host(tool: Tool) -> Result<()> {
    let policy = r#"
@id("not-there") @reason("nothing of ours goes to that place")
forbid (principal, action == Action::"http.request", resource == Host::"forbidden.example");
"#;
    let script = Script::shell("curl -sS https://forbidden.example/drop", ANSWER);
    let governed = Governed::set(tool, Setting { script, policy, ..Setting::default() }).await?;
    let ended = governed.ask().await?;
    ensure!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(&ended, &governed.stage));
    let arrived = governed.stage.provider.requests().iter().any(|r| r.host == "forbidden.example");
    ensure!(!arrived, "the denied host was contacted");
    let calls = governed.main_calls();
    let heard = calls.get(1).map(|call| String::from_utf8_lossy(&call.body).into_owned()).unwrap_or_default();
    ensure!(heard.contains("Reeve denied this") && heard.contains("nothing of ours goes to that place"), "{heard}");
    let rows = governed.stage.rows("host:forbidden.example").await?;
    let [row] = rows.as_slice() else { anyhow::bail!("{rows:?}") };
    ensure!(row.state == RowStateDto::Denied && row.rule.as_deref() == Some("not-there"), "{row:?}");
    ensure!(row.agent == tool.agent(), "{row:?}");
    governed.only_the_real_key_arrived()?;
    governed.the_bill_is_right().await?;
    governed.stage.verify().await
}

/// The shell's request carries a placeholder to its own host: the first time is asked about, then the secret is put in,
/// and where the service echoes it, the agent and its model see a mask.
pub async fn credential_in_the_shell(tool: Tool) -> Result<()> {
    let secret = "acme-real-77aa88bb99cc";
    let route = Route {
        host: "api.acme.example".to_owned(),
        path: "/v1/whoami".to_owned(),
        body: r#"{"user":"dana-at-acme","you_sent":"{header:authorization}"}"#.to_owned(),
        ..Route::default()
    };
    let command = r#"curl -sS -H "Authorization: Bearer $ACME_LOGIN" https://api.acme.example/v1/whoami"#;
    let script = Script::shell(command, ANSWER).with_route(route);
    let governed = Governed::set(tool, Setting { script, ..Setting::default() }).await?;
    let stage = &governed.stage;
    let placeholder = stage.store_bearer("acme", "ACME_LOGIN", "api.acme.example", secret).await?;
    let human = async {
        let question = stage.asked().await?;
        ensure!(question.summary.contains("api.acme.example"), "{question:?}");
        stage.answer(&question, AnswerDto::Approve { scope: ScopeDto::Once }).await
    };
    let (ended, _) = tokio::try_join!(governed.ask(), human)?;
    ensure!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(&ended, stage));
    let arrived: Vec<Received> =
        stage.provider.requests().into_iter().filter(|r| r.host == "api.acme.example").collect();
    let [arrived] = arrived.as_slice() else { anyhow::bail!("{arrived:?}") };
    ensure!(arrived.header("authorization") == Some(&format!("Bearer {secret}")), "{arrived:?}");
    let calls = governed.main_calls();
    let told = calls.get(1).map(|call| String::from_utf8_lossy(&call.body).into_owned()).unwrap_or_default();
    ensure!(told.contains("dana-at-acme"), "the answer did not reach the model: {told}");
    ensure!(!told.contains(secret) && !told.contains(&placeholder), "the echo was not masked");
    let rows = stage.rows("host:api.acme.example").await?;
    let [row] = rows.as_slice() else { anyhow::bail!("{rows:?}") };
    ensure!(row.state == RowStateDto::Approved && row.credential.as_deref() == Some("acme"), "{row:?}");
    governed.only_the_real_key_arrived()?;
    governed.the_bill_is_right().await?;
    stage.verify().await
}
