//! Records what the console is tested on: a real engine in a throw-away profile, driven through the demo's world, asked what
//! the console asks. `cargo xtask fixtures` runs it; the same engine gives the same bytes, whatever the machine and the day.

mod servers;
mod still;
mod tools;
mod typescript;
mod weighing;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use reeve_demo::Provider;
use reeve_demo::script::story;
use reeve_domain::id::SessionId;
use reeve_testkit::agent::{Agent, Speak};
use reeve_vault::Vault;
use serde_json::{Value, json};

use crate::client::Client;
use crate::contract::credentials::AddCredentialInput;
use crate::home::Home;
use crate::host::{Host, HostOptions};
use still::{Still, StillClock};

/// Where the console finds it.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/src/testing/recorded");

/// Longest wait for something that should happen at once on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// Set by `cargo xtask fixtures`: without it the recording is made and nothing in the repository is written.
const WRITES: &str = "REEVE_WRITE_FIXTURES";

#[tokio::test(flavor = "multi_thread")]
async fn recorded_fixtures_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(&Home::under(folder.path())).await;
    world.happen().await;
    let told = world.tell().await;
    let mut still = Still::new(folder.path());
    let writes = std::env::var_os(WRITES).is_some();
    if writes {
        std::fs::create_dir_all(FOLDER).unwrap();
    }
    for file in typescript::FILES {
        let text = file.text(&told, &mut still);
        assert!(!text.is_empty(), "{} holds nothing", file.name);
        if writes {
            std::fs::write(format!("{FOLDER}/{}", file.name), text).unwrap();
        }
    }
    world.host.engine().stopping().cancel();
}

struct World {
    host: Arc<Host>,
    client: Client,
    clock: Arc<StillClock>,
    placeholder: String,
    _provider: Provider,
}

impl World {
    async fn start(home: &Home) -> Self {
        home.create().unwrap();
        let provider = Provider::start(story::script()).await.unwrap();
        crate::demo::write_profile(home, &provider).unwrap();
        let policies = home.config.join("policies");
        std::fs::write(policies.join("standing.cedar"), format!("{STANDING}{}{}", tools::STANDING, servers::STANDING))
            .unwrap();
        std::fs::write(policies.join("mine.cedar"), tools::RULES).unwrap();
        // In place of the demo's, whose tools the recorded server does not have.
        std::fs::write(home.config.join("tools.yaml"), servers::TOOLS).unwrap();
        let clock = Arc::new(StillClock::default());
        let options = HostOptions {
            vault: Some(Vault::memory()),
            demo: true,
            clock: Some(Arc::<StillClock>::clone(&clock)),
            ..HostOptions::default()
        };
        let host = Host::start(home.clone(), options).await.unwrap();
        tokio::spawn(Arc::clone(&host).serve());
        let client = crate::demo::connect(home).await.unwrap();
        // For every agent: the one of the demo does not act here.
        let credential = AddCredentialInput { agents: Vec::new(), ..crate::demo::credential() };
        let added = json!({ "call": "credentials.add", "input": credential });
        let credentials = client.call_value(added).await.unwrap();
        let placeholder = credentials[0]["placeholder"].as_str().unwrap().to_owned();
        Self { host, client, clock, placeholder, _provider: provider }
    }

    async fn ask(&self, call: &str, input: Value) -> Value {
        self.client.call_value(json!({ "call": call, "input": input })).await.unwrap()
    }

    async fn agent(&self, name: &str) -> (Agent, SessionId) {
        let input = json!({ "agent": name, "cwd": tools::CWD, "command": [], "mode": null, "hours": 12 });
        let opened = self.ask("sessions.open", input).await;
        let (token, proxy) = (opened["token"].as_str().unwrap(), opened["proxy"].as_str().unwrap());
        let agent = Agent::new(&format!("http://{name}:{token}@{proxy}"), opened["ca"].as_str().unwrap()).unwrap();
        (agent, SessionId::parse(opened["session"]["id"].as_str().unwrap()).unwrap())
    }

    /// A paid call, an injected credential, a denied host, a held action allowed and one refused, a call over budget, tool
    /// calls and commands of every ending, and what still waits. One after the other: each is settled before the next begins.
    async fn happen(&self) {
        let (claude, claudes) = self.agent("claude-code").await;
        self.act(&claude, ask_model(story::QUESTION)).await;
        let me = Request::get(format!("https://{}{}", story::API_HOST, story::WHO_AM_I));
        let me = me.header("authorization", format!("Bearer {}", self.placeholder));
        self.act(&claude, me.body(Full::default()).unwrap()).await;
        let paste = Request::post(format!("https://{}/new", story::FORBIDDEN_HOST));
        self.act(&claude, paste.body(Full::from("notes")).unwrap()).await;
        self.held(&claude, drop_database(), json!({ "kind": "approve", "scope": { "kind": "once" } })).await;
        let (codex, codexes) = self.agent("codex").await;
        let reason = "restore it from the backup instead";
        self.held(&codex, drop_database(), json!({ "kind": "refuse", "reason": reason })).await;
        self.act(&codex, ask_model(&story::long_question())).await;
        self.tools(&claudes, &codexes).await;
        let office = self.servers(&claudes).await;
        let (_, gemini) = self.agent("gemini-cli").await;
        self.ask("sessions.stop", json!({ "session": gemini })).await;
        self.clock.pass(chrono::Duration::seconds(7));
        let waiting = claude.clone();
        tokio::spawn(async move { waiting.send(Speak::H1, drop_database()).await });
        self.open_question().await;
        self.waiting_tools(&claudes, &codexes).await;
        self.over_the_cap(&claudes, &office, 7).await;
    }

    async fn act(&self, agent: &Agent, request: Request<Full<Bytes>>) {
        self.clock.pass(chrono::Duration::seconds(7));
        agent.send(Speak::H1, request).await.unwrap();
        self.settled().await;
    }

    async fn held(&self, agent: &Agent, request: Request<Full<Bytes>>, answer: Value) {
        self.clock.pass(chrono::Duration::seconds(7));
        let agent = agent.clone();
        let sent = tokio::spawn(async move { agent.send(Speak::H1, request).await.unwrap() });
        let approval = self.open_question().await;
        self.answer(&approval, answer).await;
        sent.await.unwrap();
        self.settled().await;
    }

    async fn answer(&self, approval: &str, answer: Value) {
        let card = self.ask("approvals.get", json!({ "approval": approval })).await;
        let arms_after = card["arming"]["armsAfterMs"].as_u64().unwrap();
        self.clock.pass(chrono::Duration::seconds(9));
        tokio::time::sleep(Duration::from_millis(arms_after + 50)).await;
        let nonce = card["arming"]["nonce"].clone();
        let input = json!({ "approval": approval, "nonce": nonce, "answer": answer, "readingMs": 9000 });
        self.ask("approvals.resolve", input).await;
    }

    async fn open_question(&self) -> String {
        self.open_questions(1).await
    }

    /// The first of so many that wait.
    async fn open_questions(&self, count: usize) -> String {
        self.until(async || {
            let page = self.ask("approvals.list", Value::Null).await;
            let all = page["open"].as_array().is_some_and(|open| open.len() >= count);
            page["open"][0]["id"].as_str().filter(|_| all).map(str::to_owned)
        })
        .await
    }

    /// What was sent has ended and is written down.
    async fn settled(&self) {
        self.until(async || {
            let page = self.ask("operations.search", json!({ "query": "", "limit": 100 })).await;
            let rows = page["rows"].as_array().unwrap();
            let sent = |row: &&Value| row["state"] == "allowed" || row["state"] == "approved";
            (!rows.is_empty() && rows.iter().filter(sent).all(|row| row["settled"] == true)).then_some(())
        })
        .await;
    }

    async fn until<T>(&self, test: impl AsyncFn() -> Option<T>) -> T {
        let begun = std::time::Instant::now();
        loop {
            if let Some(found) = test().await {
                return found;
            }
            assert!(begun.elapsed() < SOON, "it never happened");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What the console asks, and what it hears.
    async fn tell(&self) -> Value {
        let page = self.ask("operations.search", json!({ "query": "", "limit": 100 })).await;
        let mut details = Vec::new();
        for row in page["rows"].as_array().unwrap() {
            let mut detail = self.ask("operations.get", json!({ "operation": row["id"] })).await;
            // Seals come by the clock on the wall.
            detail["seal"] = Value::Null;
            details.push(detail);
        }
        let approvals = self.ask("approvals.list", Value::Null).await;
        let mut cards = Vec::new();
        for open in approvals["open"].as_array().unwrap() {
            cards.push(self.ask("approvals.get", json!({ "approval": open["id"] })).await);
        }
        let mut agent = self.ask("agents.get", json!({ "agent": "claude-code" })).await;
        let mut settings = self.ask("settings.get", Value::Null).await;
        // What the machine decides: whether the tool is on it, and how much the record takes there.
        agent["found"] = Value::Null;
        settings["data"]["bytes"] = json!(61_300_000);
        let sums = self.ask("sessions.search", json!({ "query": "", "limit": 20 })).await;
        let weighed = self.weigh(&cards, page["rows"].as_array().unwrap(), &sums).await;
        let mut told = json!({
            "status": self.ask("status.get", Value::Null).await,
            "rows": page["rows"],
            "details": details,
            "facets": self.ask("operations.facets", json!({ "query": "" })).await,
            "approvals": approvals,
            "cards": cards,
            "agent": agent,
            "prices": self.ask("budgets.prices", json!({ "find": "claude-sonnet" })).await,
            "policyFiles": self.ask("policies.files", Value::Null).await,
            "hits": self.ask("policies.hits", Value::Null).await,
            "settings": settings,
            "suggestions": self.ask("approvals.suggestions", Value::Null).await,
            "sums": sums,
            "agents": self.ask("agents.list", Value::Null).await,
            "sessions": self.ask("sessions.list", Value::Null).await,
            "budgets": self.ask("budgets.lines", Value::Null).await,
            "credentials": self.ask("credentials.list", Value::Null).await,
            "rules": self.ask("policies.list", Value::Null).await,
        });
        told.as_object_mut().unwrap().extend(weighed.as_object().unwrap().clone());
        told.as_object_mut().unwrap().extend(self.tell_servers().await.as_object().unwrap().clone());
        told
    }
}

/// As if the person had said *Always* to the credential's first use before.
const STANDING: &str = r#"@id("whoami")
@reason("approved before")
@lifts("ask-first-credential")
permit (principal == Agent::"claude-code", action == Action::"http.request", resource == Host::"api.acme.example")
when { context.method == "GET" };
"#;

fn ask_model(question: &str) -> Request<Full<Bytes>> {
    let body = json!({
        "model": story::MODEL,
        "max_tokens": 256,
        "messages": [{ "role": "user", "content": question }],
    });
    let request = Request::post(format!("https://{}/v1/messages", story::MODEL_HOST));
    let request = request.header("content-type", "application/json").header("x-api-key", "a-login-of-its-own");
    request.body(Full::from(body.to_string())).unwrap()
}

fn drop_database() -> Request<Full<Bytes>> {
    Request::delete(format!("https://{}{}", story::HELD_HOST, story::HELD_PATH)).body(Full::default()).unwrap()
}
