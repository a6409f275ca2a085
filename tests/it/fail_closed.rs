//! Fails closed: one test for every line of the list, each with "turned away" and "nothing went upstream".

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeZone as _, Utc};
use http::StatusCode;
use reeve_api::contract::calls::CredentialsCall;
use reeve_api::contract::credentials::{AddCredentialInput, CredentialDto, TypedSecret};
use reeve_api::contract::operations::RowStateDto;
use reeve_demo::Provider;
use reeve_demo::script::Script;
use reeve_domain::clock::ManualClock;
use reeve_domain::event::EventBody;
use reeve_domain::id::AgentId;
use reeve_domain::operation::{Operation, Subject};
use reeve_domain::outcome::{Ending, Outcome};
use reeve_domain::usage::Usage;
use reeve_domain::verdict::{Denial, DenialKind};
use reeve_engine::settings::Settings;
use reeve_engine::{Engine, EngineOptions, LiveSession, OpenSession, Ruling};
use reeve_testkit::agent::Speak;
use reeve_testkit::samples;
use reeve_testkit::upstream::{Manner, Upstream};
use reeve_tests::stage::{Setting, Stage};
use reeve_vault::Vault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::machine::{Machine, SOON, printed};
use crate::records::named;
use crate::requests::{delete, get, messages, post};

/// An engine in this process, with a clock that stands still and no mouth.
struct Inner {
    engine: Engine,
    clock: Arc<ManualClock>,
    live: Arc<LiveSession>,
    _folder: tempfile::TempDir,
}

impl Inner {
    async fn with(limits: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("policies")).unwrap();
        std::fs::write(folder.path().join("limits.yaml"), limits).unwrap();
        let clock = Arc::new(ManualClock::new(Utc.with_ymd_and_hms(2026, 11, 20, 14, 3, 0).unwrap()));
        let engine = Engine::start(options(folder.path(), &clock)).await.unwrap();
        let open = OpenSession {
            agent: AgentId::parse("tester").unwrap(),
            user: "dana".to_owned(),
            team: None,
            cwd: "/tmp".to_owned(),
            command: Vec::new(),
            mode: None,
            wraps: None,
            holder: None,
            opener: None,
            expires_at: None,
        };
        let (live, _) = engine.open_session(open).await.unwrap();
        Self { engine, clock, live, _folder: folder }
    }

    fn mine(&self, mut operation: Operation) -> Operation {
        operation.principal = self.live.principal();
        operation
    }

    async fn admit(&self, operation: Operation) -> Ruling {
        self.engine.gate().admit(self.mine(operation), serde_json::Value::Null).await
    }

    async fn denied(&self, operation: Operation) -> Denial {
        match self.admit(operation).await {
            Ruling::Denied(denial) => denial,
            Ruling::Admitted(_) => panic!("it passed"),
        }
    }
}

fn options(folder: &Path, clock: &Arc<ManualClock>) -> EngineOptions {
    EngineOptions {
        config: folder.to_path_buf(),
        managed: None,
        database: folder.join("reeve.db"),
        mirror: folder.join("heads.jsonl"),
        public_key: folder.join("seal.pub"),
        settings: Settings::default(),
        vault: Vault::memory(),
        clock: Arc::<ManualClock>::clone(clock),
        demo: false,
        system: None,
    }
}

/// A call of 1,000 tokens each way.
fn call(words: &str) -> Operation {
    let mut operation = samples::llm("tester").unwrap();
    operation.content = reeve_domain::operation::Digest::of(words.as_bytes());
    operation
}

async fn spend(inner: &Inner, words: &str) {
    let Ruling::Admitted(admission) = inner.admit(call(words)).await else { panic!("denied") };
    admission.sent();
    let mut outcome = Outcome::ended(Ending::Complete);
    outcome.status = Some(200);
    outcome.usage = Some(Usage { input: 1_000, output: 1_000, ..Usage::default() });
    outcome.usage_final = true;
    admission.settle(outcome).await.unwrap();
}

#[tokio::test]
async fn an_engine_whose_policy_does_not_parse_does_not_start_and_names_file_and_line() {
    let provider = Provider::start(Script::default()).await.unwrap();
    let machine = Machine::forgetful(provider.addr(), &provider.root_pem(), "");
    machine.world.write_config("policies/mine.cedar", "@id(\"x\")\nforbid (principal, action, resourc);\n").unwrap();
    let served = machine.reeve(&["serve"]);
    assert_eq!(served.status.code(), Some(1), "{}", printed(&served));
    assert!(printed(&served).contains("mine.cedar:2"), "{}", printed(&served));
    // Nor does anything else pass without it.
    let run = machine.reeve(&["run", "--", "true"]);
    assert_eq!(run.status.code(), Some(125), "{}", printed(&run));
    assert!(provider.requests().is_empty());
}

/// Overflows for every request that says how long it is.
const ERRS: &str = r#"
@id("sum") @reason("counts too far")
forbid (principal, action == Action::"http.request", resource)
when { context has body_bytes && context.body_bytes + 9223372036854775807 < 0 };
@id("all") @lifts("ask-first-write")
permit (principal, action, resource);
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_errs_while_it_is_evaluated_denies_whatever_the_others_say() {
    let stage = Stage::set(Setting { policy: ERRS, ..Setting::default() }).await.unwrap();
    let (agent, _) = stage.agent("tester").await.unwrap();
    let reply =
        agent.send(Speak::H1, post("https://api.acme.example/x", &serde_json::json!({ "a": 1 }))).await.unwrap();
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "{}", reply.text());
    assert!(reply.text().contains("could not be evaluated"), "{}", reply.text());
    let rows = stage.rows("host:api.acme.example").await.unwrap();
    let found: Vec<_> = rows.iter().map(|row| (row.state, row.rule.as_deref())).collect();
    assert_eq!(found, [(RowStateDto::Denied, Some(reeve_policy::EVALUATION_ERROR))]);
    assert!(stage.provider.requests().is_empty());
    // Model calls do not meet the rule and go on.
    assert_eq!(agent.send(Speak::H1, messages(false, 10, "hi")).await.unwrap().status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_every_operation_is_denied_as_a_fault_until_there_is_room() {
    let inner = Inner::with("").await;
    // Fewer pages than there are: only what is half empty still takes something, now here, now there.
    inner.engine.store().limit_pages(1).await.unwrap();
    let mut denied_in_a_row = 0;
    for number in 0..2_000 {
        let operation = if number % 2 == 0 {
            samples::http("tester", "GET", "a.example", "/").unwrap()
        } else {
            call(&format!("call {number}"))
        };
        match inner.admit(operation).await {
            Ruling::Denied(denial) => {
                assert_eq!(denial.kind, DenialKind::Fault, "{denial:?}");
                assert!(denial.message.contains("full"), "{}", denial.message);
                denied_in_a_row += 1;
            }
            Ruling::Admitted(admission) => {
                drop(admission);
                denied_in_a_row = 0;
            }
        }
        if denied_in_a_row == 20 {
            break;
        }
    }
    assert_eq!(denied_in_a_row, 20, "the disk is never full");
    until_protected(&inner, false).await;
    inner.engine.store().limit_pages(1_000_000).await.unwrap();
    until_admitted(&inner).await;
    spend(&inner, "room again").await;
    until_protected(&inner, true).await;
    assert!(inner.engine.store().verify().await.unwrap().ok);
}

/// What is owed to the record is tried ever more rarely while it fails: nothing passes before it is there.
async fn until_admitted(inner: &Inner) {
    for _ in 0..1_200 {
        if let Ruling::Admitted(admission) = inner.admit(call("is there room")).await {
            return drop(admission);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing passes although there is room");
}

/// The engine looks at itself a few times a second; the strip shows what it saw.
async fn until_protected(inner: &Inner, expected: bool) {
    for _ in 0..600 {
        let state = inner.engine.protection().state(inner.engine.now());
        if matches!(state, reeve_domain::settings::Protection::Protected) == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("protected should be {expected}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_written_keeps_everything_from_the_upstream() {
    let provider = Provider::start(Script::default()).await.unwrap();
    let mut machine = Machine::forgetful(provider.addr(), &provider.root_pem(), "");
    let client = machine.start().await;
    let (agent, _) = machine.agent(&client, "tester").await;
    assert_eq!(agent.send(Speak::H1, messages(false, 10, "one")).await.unwrap().status, StatusCode::OK);
    let before = provider.requests().len();
    // From now on every record is refused by the database itself.
    let conn = rusqlite::Connection::open(machine.database()).unwrap();
    conn.execute_batch("CREATE TRIGGER no_more BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no more'); END")
        .unwrap();
    for request in [messages(false, 10, "two"), messages(true, 10, "three"), get("https://api.acme.example/x")] {
        let reply = agent.send(Speak::H1, request).await.unwrap();
        assert!(reply.status.is_client_error() || reply.status.is_server_error(), "{}", reply.text());
        assert!(reply.text().contains("record"), "{}", reply.text());
    }
    assert_eq!(provider.requests().len(), before, "something went upstream unrecorded");
    conn.execute_batch("DROP TRIGGER no_more").unwrap();
    // The end of the first may have come too late to be recorded. Then it is owed, and the gate opens once it is paid.
    let begun = Instant::now();
    loop {
        let reply = agent.send(Speak::H1, messages(false, 10, "four")).await.unwrap();
        if reply.status == StatusCode::OK {
            break;
        }
        assert!(reply.text().contains("record") && begun.elapsed() < SOON, "{}: {}", reply.status, reply.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(machine.is_running());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_locked_keychain_nothing_is_injected_and_no_engine_starts() {
    const SECRET: &str = "sk-ant-api03-the-real-one-0123456789";
    let provider = Provider::start(Script::default()).await.unwrap();
    let mut machine = Machine::lasting(provider.addr(), &provider.root_pem(), "");
    let client = machine.start().await;
    let input = AddCredentialInput {
        id: "anthropic".to_owned(),
        secret: TypedSecret(SECRET.to_owned()),
        kind: Some("anthropic".to_owned()),
        name: None,
        variables: Vec::new(),
        binding: None,
        agents: Vec::new(),
    };
    let all: Vec<CredentialDto> = client.call(&CredentialsCall::Add(input)).await.unwrap();
    let with_placeholder = |text: &str| {
        let mut request = messages(false, 10, text);
        request.headers_mut().insert("x-api-key", all[0].placeholder.parse().unwrap());
        request
    };
    let (agent, _) = machine.agent(&client, "tester").await;
    let reply = agent.send(Speak::H1, with_placeholder("unlocked")).await.unwrap();
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(provider.requests()[0].header("x-api-key"), Some(SECRET));
    lock(&machine);
    let (agent, _) = machine.agent(&client, "tester").await;
    let reply = agent.send(Speak::H1, with_placeholder("locked")).await.unwrap();
    assert!(reply.status.is_client_error() || reply.status.is_server_error(), "{}", reply.text());
    assert!(reply.text().contains("cannot be read") || reply.text().contains("cannot be injected"), "{}", reply.text());
    assert_eq!(provider.requests().len(), 1, "it went upstream without its secret");
    machine.kill();
    let served = machine.reeve(&["serve"]);
    assert_eq!(served.status.code(), Some(1), "{}", printed(&served));
    assert!(printed(&served).contains("locked"), "{}", printed(&served));
}

/// Locks the default collection as a desktop does when it goes to sleep.
fn lock(machine: &Machine) {
    let locked = machine
        .world
        .command("dbus-send")
        .args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"])
        .args(["org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/collection/login"])
        .output()
        .unwrap();
    assert!(locked.status.success() && printed(&locked).contains("login"), "{}", printed(&locked));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_bytes_after_connect_are_closed_and_recorded_and_never_tunnelled() {
    let provider = Provider::start(Script::default()).await.unwrap();
    let mut machine = Machine::forgetful(provider.addr(), &provider.root_pem(), "");
    let client = machine.start().await;
    let (agent, _) = machine.agent(&client, "tester").await;
    for bytes in [
        &b"SSH-2.0-OpenSSH_9.9\r\n"[..],
        b"\x00\x01\x02\x03",
        b"\x16\x03\x01\x00\x05hello",
        b"hello\r\n\r\n",
        b"\xff\xfe",
    ] {
        let mut tunnel = agent.tunnel("api.acme.example", 443).await.unwrap();
        tunnel.write_all(bytes).await.unwrap();
        tunnel.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(10), tunnel.read_to_end(&mut answer)).await;
        let _ = read.expect("the tunnel stays open");
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 400") || answer[0] == 0x15, "{bytes:?} got {text:?}");
    }
    named(&machine, "connection.refused", 5).await;
    assert!(provider.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_a_good_token_is_challenged_and_recorded() {
    let provider = Provider::start(Script::default()).await.unwrap();
    let mut machine = Machine::forgetful(provider.addr(), &provider.root_pem(), "");
    let client = machine.start().await;
    let (_, opened) = machine.agent(&client, "tester").await;
    for line in [
        "",
        "Proxy-Authorization: Basic dGVzdGVyOndyb25n\r\n",
        "Proxy-Authorization: Bearer x\r\n",
        "Proxy-Authorization: Basic %%\r\n",
    ] {
        for head in [
            format!("CONNECT api.acme.example:443 HTTP/1.1\r\nHost: api.acme.example:443\r\n{line}\r\n"),
            format!("GET http://api.acme.example/ HTTP/1.1\r\nHost: api.acme.example\r\n{line}\r\n"),
        ] {
            let mut proxy = tokio::net::TcpStream::connect(&opened.proxy).await.unwrap();
            proxy.write_all(head.as_bytes()).await.unwrap();
            let mut answer = vec![0; 4096];
            let read = proxy.read(&mut answer).await.unwrap();
            let answer = String::from_utf8_lossy(&answer[..read]).to_lowercase();
            assert!(answer.starts_with("http/1.1 407 ") && answer.contains("proxy-authenticate: basic"), "{answer}");
        }
    }
    named(&machine, "connection.refused", 8).await;
    assert!(provider.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nobody_to_ask_a_question_expires_and_the_answer_is_no() {
    let provider = Provider::start(Script::default()).await.unwrap();
    let mut machine = Machine::forgetful(provider.addr(), &provider.root_pem(), "");
    let config = std::fs::read_to_string(machine.world.reeve_home().join("config/config.toml")).unwrap();
    machine.world.write_config("config.toml", &format!("{config}[hold]\nhttp_seconds = 1\nllm_seconds = 1\n")).unwrap();
    let client = machine.start().await;
    let (agent, _) = machine.agent(&client, "tester").await;
    // The only console goes away.
    drop(client);
    let reply = agent.send(Speak::H1, delete("https://api.acme.example/things/7")).await.unwrap();
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "{}", reply.text());
    assert!(provider.requests().is_empty());
    let log = machine.reeve(&["log", "decision:expired", "--json"]);
    let rows: serde_json::Value = serde_json::from_slice(&log.stdout).unwrap();
    assert_eq!(rows["data"].as_array().map(Vec::len), Some(1), "{}", printed(&log));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_started_governed_reaches_nothing_once_its_engine_is_gone() {
    let provider = Provider::start(Script::default()).await.unwrap();
    let mut machine = Machine::forgetful(provider.addr(), &provider.root_pem(), "");
    let client = machine.start().await;
    let (agent, _) = machine.agent(&client, "tester").await;
    assert_eq!(agent.send(Speak::H1, get("https://api.acme.example/x")).await.unwrap().status, StatusCode::OK);
    // An address that answers without any proxy, so that going around it would be seen.
    let open = Upstream::plain(Manner::answer("200 OK", "", "around")).await.unwrap();
    let env = machine.reeve(&["env", "--agent", "an-ide", "--hours", "1"]);
    assert!(env.status.success(), "{}", printed(&env));
    let lines = String::from_utf8(env.stdout).unwrap();
    machine.kill();
    assert!(agent.send(Speak::H1, get("https://api.acme.example/x")).await.is_err());
    for url in ["https://api.acme.example/x".to_owned(), format!("http://{}/", open.address())] {
        let script = format!("{lines}\ncurl -sS --max-time 20 {url}");
        let curl = machine.world.command("sh").args(["-c", &script]).output().unwrap();
        assert!(!curl.status.success() && curl.stdout.is_empty(), "{url}: {}", printed(&curl));
    }
    assert_eq!(provider.requests().len(), 1, "something went upstream without an engine");
    assert!(open.heads().is_empty(), "it went around: {:?}", open.heads());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_without_a_price_is_refused_under_a_money_budget_and_passes_under_tokens_alone() {
    let mut unpriced = samples::llm("tester").unwrap();
    if let Subject::Llm(call) = &mut unpriced.subject {
        call.model = "a-model-of-next-year".to_owned();
    }
    let money = Inner::with("budgets:\n  - id: purse\n    scope: me\n    window: day\n    max_cost: 5.00\n").await;
    let denial = money.denied(unpriced.clone()).await;
    assert_eq!(denial.kind, DenialKind::Unpriced, "{denial:?}");
    assert!(denial.message.contains("a-model-of-next-year") && denial.advice.contains("price"), "{denial:?}");
    let tokens = Inner::with("budgets:\n  - id: purse\n    scope: me\n    window: day\n    max_tokens: 100000\n").await;
    assert!(matches!(tokens.admit(unpriced).await, Ruling::Admitted(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_went_backwards_is_recorded_and_opens_no_budget_again() {
    let inner = Inner::with(
        "budgets:\n  - id: day\n    scope: me\n    window: day\n    max_tokens: 2500\n    output_floor: 1000\n    on_exhausted: deny\n",
    )
    .await;
    spend(&inner, "all of it").await;
    assert_eq!(inner.denied(call("today")).await.kind, DenialKind::Budget);
    inner.clock.set_wall(Utc.with_ymd_and_hms(2026, 11, 13, 9, 0, 0).unwrap());
    assert_eq!(inner.denied(call("a week ago")).await.kind, DenialKind::Budget, "an old window opened again");
    let page = inner.engine.store().verify().await.unwrap();
    assert!(page.ok, "{page:?}");
    let mut events = inner.engine.store().subscribe();
    inner.clock.set_wall(Utc.with_ymd_and_hms(2026, 11, 6, 9, 0, 0).unwrap());
    assert_eq!(inner.denied(call("two weeks ago")).await.kind, DenialKind::Budget);
    let batch = events.recv().await.unwrap();
    let back = batch.iter().find_map(|event| match event.body {
        EventBody::ClockWentBackwards { seconds } => Some(seconds),
        _ => None,
    });
    assert_eq!(back, Some(7 * 24 * 60 * 60), "{batch:?}");
    // A new day is a new window all the same.
    inner.clock.set_wall(Utc.with_ymd_and_hms(2026, 11, 22, 9, 0, 0).unwrap());
    spend(&inner, "another day").await;
}
