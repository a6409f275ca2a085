//! Bad input from agents, upstreams and files: each gets a clear refusal that names the cause, is recorded, contacts no
//! upstream it should not, and never takes the engine down.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::StatusCode;
use reeve_api::client::Client;
use reeve_demo::Provider;
use reeve_demo::script::{Group, Script};
use reeve_testkit::agent::{Agent, Speak};
use reeve_testkit::upstream::{Manner, Upstream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::machine::{Machine, SOON, printed};
use crate::records::{bodies, named};
use crate::requests::{get, messages};

const HOST: &str = "api.acme.example";

/// Everything the other side says until it closes or falls silent: a connection may outlive a request that was well framed.
async fn say(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), bytes: &[u8]) -> String {
    // The other side may have had enough before the end.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    loop {
        let patience = Duration::from_millis(if answer.is_empty() { 20_000 } else { 1_500 });
        match tokio::time::timeout(patience, stream.read_buf(&mut answer)).await {
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(_)) => {}
            Err(_) => {
                assert!(!answer.is_empty(), "no answer within 20 s");
                break;
            }
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

struct Scene {
    machine: Machine,
    client: Client,
    provider: Provider,
    agent: Agent,
    proxy: String,
    authorization: String,
}

impl Scene {
    async fn set() -> Self {
        let provider = Provider::start(Script::default()).await.unwrap();
        let mut machine = Machine::forgetful(provider.addr(), &provider.root_pem(), "");
        let client = machine.start().await;
        let (agent, opened) = machine.agent(&client, "tester").await;
        let authorization = basic(&format!("tester:{}", opened.token.0));
        Self { machine, client, provider, agent, proxy: opened.proxy, authorization }
    }

    /// Raw bytes inside TLS to the upstream's name.
    async fn inside(&self, bytes: &[u8]) -> String {
        let mut tls = self.agent.tls(HOST, 443, HOST, &["http/1.1"]).await.unwrap();
        say(&mut tls, bytes).await
    }

    /// Raw bytes on the proxy's own port.
    async fn outside(&self, bytes: &[u8]) -> String {
        let mut tcp = tokio::net::TcpStream::connect(&self.proxy).await.unwrap();
        say(&mut tcp, bytes).await
    }

    /// No upstream was contacted, and the engine goes on serving.
    async fn goes_on(mut self) {
        assert!(self.provider.requests().is_empty(), "{:?}", self.provider.requests());
        assert!(self.machine.is_running());
        let reply = self.agent.send(Speak::H1, get(&format!("https://{HOST}/fine"))).await.unwrap();
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        assert_eq!(self.provider.requests().len(), 1);
        drop(self.client);
    }
}

fn basic(text: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(text))
}

/// So many requests were turned away, and each is recorded: a moment after its answer, at times.
async fn turned_away(machine: &Machine, count: usize) {
    let begun = Instant::now();
    loop {
        let names = ["connection.refused", "operation.denied"];
        let refused: Vec<_> =
            bodies(machine).into_iter().filter(|body| names.contains(&body["event"].as_str().unwrap())).collect();
        if refused.len() >= count || begun.elapsed() > SOON {
            assert_eq!(refused.len(), count, "{refused:?}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn smuggling_and_malformed_heads_are_refused_recorded_and_go_nowhere() {
    let scene = Scene::set().await;
    let long = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nX: {}\r\n\r\n", "y".repeat(1_000_000));
    let endless = format!("GET /{}", "z".repeat(1_000_000));
    let many = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{}\r\n", "A: b\r\n".repeat(5_000));
    let post = format!("POST /x HTTP/1.1\r\nHost: {HOST}\r\n");
    let get = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n");
    let table = [
        format!("{post}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        format!("{post}Content-Length: 5, 5\r\n\r\nabcde"),
        format!("{post}Content-Length: +5\r\n\r\nabcde"),
        format!("{post}Content-Length: 99999999999999999999\r\n\r\n"),
        format!("{post}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
        format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n5;a=\"\n\"\r\nabcde\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"),
        format!("{get}X: a\r\n folded\r\n\r\n"),
        format!("{get}X: a\nY: b\r\n\r\n"),
        format!("{get}X: a\rY: b\r\n\r\n"),
        format!("{get}X: a\0b\r\n\r\n"),
        format!("{get}Host: other.example\r\n\r\n"),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: other.example\r\n\r\n".to_owned(),
        "GET https://other.example/ HTTP/1.1\r\nHost: api.acme.example\r\n\r\n".to_owned(),
        "get / HTTP/1.1\r\nHost: api.acme.example\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\nHost: api.acme.example\r\n\r\n".to_owned(),
        "GET /a b HTTP/1.1\r\nHost: api.acme.example\r\n\r\n".to_owned(),
        "\r\n\r\nGET / HTTP/1.1\r\nHost: api.acme.example\r\n\r\n".to_owned(),
        long,
        endless,
        many,
    ];
    for request in &table {
        let shown: String = request.chars().take(80).collect();
        let answer = scene.inside(request.as_bytes()).await;
        let status = answer.get(9..12).unwrap_or_default();
        assert!(["400", "421", "431", "505"].contains(&status), "{shown:?}: {answer:?}");
        assert!(answer.contains("\"message\"") && answer.contains("\"advice\""), "{shown:?}: {answer:?}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{shown:?} was answered twice: {answer:?}");
    }
    turned_away(&scene.machine, table.len()).await;
    scene.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tricks_with_hosts_are_refused_before_anything_is_looked_up() {
    let scene = Scene::set().await;
    let targets = [
        "user@api.acme.example:443",
        "api.acme.example%2eevil.example:443",
        "api.acme.example\u{ff0e}:443",
        "\u{ff41}pi.acme.example:443",
        "xn--a-\u{e9}.example:443",
        "xn--zzzz--.example:443",
        "api..acme.example:443",
        ".acme.example:443",
        "api.acme.example:0443443",
        "api.acme.example:-1",
        "api.acme.example",
        "2130706433:443",
        "0177.0.0.1:443",
        "0x7f000001:443",
        "127.1:443",
        "[fe80::1%25eth0]:443",
        "[::1",
        "api.acme.example/path:443",
        "api.acme.example#:443",
        "*:443",
    ];
    for target in targets {
        let head =
            format!("CONNECT {target} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: {}\r\n\r\n", scene.authorization);
        let answer = scene.outside(head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{target}: {answer:?}");
        assert!(answer.contains("\"message\""), "{target}: {answer:?}");
    }
    named(&scene.machine, "connection.refused", targets.len()).await;
    scene.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trailing_dot_and_capitals_are_the_same_host_and_judged_as_it() {
    let scene = Scene::set().await;
    let mut tls = scene.agent.tls("API.acme.EXAMPLE.", 443, HOST, &["http/1.1"]).await.unwrap();
    let head = "DELETE /x HTTP/1.1\r\nHost: Api.Acme.Example.\r\nConnection: close\r\n\r\n";
    tls.write_all(head.as_bytes()).await.unwrap();
    let begun = Instant::now();
    let summary = loop {
        let held = named_now(&scene.machine, "approval.requested");
        if let Some(first) = held.first() {
            break first["approval"]["summary"].as_str().unwrap().to_owned();
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it was not held");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(summary.contains(HOST), "{summary}");
    drop(tls);
    scene.goes_on().await;
}

fn named_now(machine: &Machine, name: &str) -> Vec<serde_json::Value> {
    bodies(machine).into_iter().filter(|body| body["event"] == name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_inside_are_refused_in_every_spelling() {
    let scene = Scene::set().await;
    let addresses = [
        "127.0.0.1",
        "169.254.169.254",
        "10.0.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        "[::127.0.0.1]",
        "[fe80::1]",
        "[fd00::1]",
        "[fd00:ec2::254]",
    ];
    for address in addresses {
        let head = format!(
            "GET http://{address}/latest/meta-data HTTP/1.1\r\nHost: {address}\r\nProxy-Authorization: {}\r\nConnection: close\r\n\r\n",
            scene.authorization
        );
        let agent = scene.outside(head.as_bytes());
        let Ok(answer) = tokio::time::timeout(Duration::from_secs(3), agent).await else {
            // A question stands before it; nobody says yes.
            continue;
        };
        let status = answer.get(9..12).unwrap_or_default();
        assert!(["400", "403"].contains(&status), "{address}: {answer:?}");
    }
    let settled = named_now(&scene.machine, "operation.settled");
    assert!(settled.iter().all(|body| body["outcome"]["ending"] == "not_sent"), "{settled:?}");
    scene.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_paths_are_refused() {
    let scene = Scene::set().await;
    let paths = [
        "/a/../b",
        "/a/./b",
        "/..",
        "/a/%2e%2e/b",
        "/a/%2E./b",
        "/a%2fb",
        "/a%5cb",
        "/a\\b",
        "//a",
        "/a//b",
        "/%00",
        "/%zz",
        "/%",
        "/a%25%32%65",
        "/a;/../b",
        "/a%0d%0aX",
        "/..;/b",
    ];
    for path in paths {
        let answer =
            scene.inside(format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{path}: {answer:?}");
        assert!(answer.contains("path") || answer.contains("line"), "{path}: {answer:?}");
    }
    scene.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_break_off_or_are_no_model_call_or_burst_are_refused() {
    let scene = Scene::set().await;
    let host = "api.anthropic.com";
    let call = |headers: &str, body: &[u8]| {
        let length = if headers.contains("ontent-") && headers.contains("ength") {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let head = format!(
            "POST /v1/messages HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nConnection: close\r\n{headers}{length}\r\n"
        );
        [head.as_bytes(), body].concat()
    };
    let mut bomb =
        std::process::Command::new("sh").args(["-c", "head -c 300000000 /dev/zero | gzip -9"]).output().unwrap().stdout;
    let cut = bomb.split_off(bomb.len() / 2);
    assert!(!cut.is_empty());
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let twice = br#"{"model":"claude-sonnet-5","model":"claude-opus-4-8","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}"#;
    let bad: Vec<(&str, Vec<u8>)> = vec![
        ("no JSON", call("", b"{\"model\": ")),
        ("not an object", call("", b"[1,2,3]")),
        ("empty", call("", b"")),
        ("not UTF-8", call("", b"{\"model\":\"\xff\xfe\"}")),
        ("too deep", call("", deep.as_bytes())),
        ("a key twice", call("", twice)),
        ("a bomb", call("Content-Encoding: gzip\r\n", &bomb)),
        ("not what it says", call("Content-Encoding: br\r\n", b"{\"model\":\"claude-sonnet-5\"}")),
        ("an unknown coding", call("Content-Encoding: lzma\r\n", b"{}")),
        ("more than any model call has", call("Content-Length: 40000000\r\n", b"{\"model\":")),
    ];
    for (what, bytes) in &bad {
        let mut tls = scene.agent.tls(host, 443, host, &["http/1.1"]).await.unwrap();
        let answer = say(&mut tls, bytes).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{what}: {answer:?}");
        assert!(answer.contains("message"), "{what} is refused without a word: {answer:?}");
    }
    turned_away(&scene.machine, bad.len()).await;
    // Half a body, then the client is gone: nothing may go out for it.
    let mut tls = scene.agent.tls(host, 443, host, &["http/1.1"]).await.unwrap();
    tls.write_all(&call("Content-Length: 1000\r\n", b"{\"model\":")).await.unwrap();
    drop(tls);
    tokio::time::sleep(Duration::from_millis(500)).await;
    scene.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn upstreams_that_answer_nonsense_are_named_as_the_ones_at_fault() {
    let nonsense: [(&str, &[u8]); 7] = [
        ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        ("length and chunks", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("bare line feeds", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
        ("a folded line", b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"),
        ("another protocol", b"220 mail.example ESMTP\r\n"),
        ("nothing", b""),
        ("an endless head", b"HTTP/1.1 200 OK\r\nA: "),
    ];
    for (what, bytes) in nonsense {
        let mut bytes = bytes.to_vec();
        if what == "an endless head" {
            bytes.extend(vec![b'x'; 1_000_000]);
        }
        let upstream = Upstream::tls(Manner::Raw(Bytes::from(bytes))).await.unwrap();
        let mut machine = Machine::forgetful(upstream.address(), upstream.root_pem(), "");
        let client = machine.start().await;
        let (agent, _) = machine.agent(&client, "tester").await;
        let reply = agent.send(Speak::H1, get(&format!("https://{HOST}/x"))).await.unwrap();
        assert_eq!(reply.status, StatusCode::BAD_GATEWAY, "{what}: {}", reply.text());
        assert!(reply.text().contains("upstream"), "{what}: {}", reply.text());
        named(&machine, "operation.settled", 1).await;
        assert!(machine.is_running());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_answers_that_cannot_be_read_are_charged_by_estimate_and_passed_on() {
    let sse = "content-type: text/event-stream\r\n";
    let json = "content-type: application/json\r\n";
    let answers = [
        (
            "broken events",
            Manner::answer("200 OK", sse, "event: message_start\ndata: {not json\n\nevent: ???\n\n: x\ndata\n\n"),
        ),
        ("one endless line", Manner::answer("200 OK", sse, &format!("data: {}", "x".repeat(3_000_000)))),
        ("no JSON", Manner::answer("200 OK", json, "<html>Sign in to the network</html>")),
        (
            "JSON of another shape",
            Manner::answer("200 OK", json, "{\"usage\": {\"input_tokens\": -5, \"output_tokens\": \"many\"}}"),
        ),
        (
            "half of it",
            Manner::Raw(Bytes::from(format!("HTTP/1.1 200 OK\r\n{json}content-length: 500\r\n\r\n{{\"id\":"))),
        ),
    ];
    for (what, manner) in answers {
        let upstream = Upstream::tls(manner).await.unwrap();
        let mut machine = Machine::forgetful(upstream.address(), upstream.root_pem(), "");
        machine
            .world
            .write_config(
                "limits.yaml",
                "budgets:\n  - id: purse\n    scope: me\n    window: day\n    max_cost: 5.00\n",
            )
            .unwrap();
        let client = machine.start().await;
        let (agent, _) = machine.agent(&client, "tester").await;
        match agent.send(Speak::H1, messages(true, 100, "hi")).await {
            Ok(reply) => assert_eq!(reply.status, StatusCode::OK, "{what}: {}", reply.text()),
            // An answer that breaks off right after its head takes the connection with it.
            Err(error) => assert_eq!(what, "half of it", "{error:#}"),
        }
        let settled = named(&machine, "operation.settled", 1).await;
        let settlement = &settled[0]["settlement"];
        assert_eq!(settlement["estimated"], true, "{what}: {settled:?}");
        assert!(settlement["amount"].as_i64().unwrap() > 0, "{what}: free of charge: {settled:?}");
        assert!(machine.is_running());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_from_upstream_is_cut_where_it_must_be_decoded_and_never_held_in_memory() {
    let bomb =
        std::process::Command::new("sh").args(["-c", "head -c 500000000 /dev/zero | gzip -9"]).output().unwrap().stdout;
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        bomb.len()
    );
    let upstream = Upstream::tls(Manner::Raw(Bytes::from([head.as_bytes(), &bomb].concat()))).await.unwrap();
    let mut machine = Machine::forgetful(upstream.address(), upstream.root_pem(), "");
    let client = machine.start().await;
    let (agent, _) = machine.agent(&client, "tester").await;
    let before = crate::load::resident(machine.engine_id());
    // A model call's answer is decoded for the meter; the bytes themselves pass as they are or are cut.
    let reply = agent.send(Speak::H1, messages(false, 100, "hi")).await.unwrap();
    assert!(reply.body.len() <= bomb.len());
    named(&machine, "operation.settled", 1).await;
    let after = crate::load::resident(machine.engine_id());
    assert!(after.saturating_sub(before) < 64 * 1024 * 1024, "{before} became {after}");
    assert!(machine.is_running());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_do_not_load_keep_the_engine_from_starting_and_are_named_with_their_place() {
    let provider = Provider::start(Script::default()).await.unwrap();
    let cases: [(&str, &str, &[&str]); 12] = [
        ("policies/mine.cedar", "permit (principal, action, resource);", &["mine.cedar:1", "@id"]),
        (
            "policies/mine.cedar",
            "@id(\"a\")\npermit (principal, action, resource)\nwhen { context.colour == 1 };",
            &["mine.cedar:3"],
        ),
        (
            "policies/mine.cedar",
            "@id(\"a\") permit (principal, action, resource);\n@id(\"a\") permit (principal, action, resource);",
            &["mine.cedar:2", "twice"],
        ),
        ("policies/mine.cedar", "\u{0}\u{1}", &["mine.cedar:1"]),
        (
            "limits.yaml",
            "budgets:\n  - id: purse\n    scope: me\n    window: fortnight\n    max_cost: 5\n",
            &["limits.yaml:4", "fortnight"],
        ),
        (
            "limits.yaml",
            "budgets:\n  - id: purse\n    scope: me\n    window: day\n    max_coast: 5\n",
            &["limits.yaml:5", "max_coast"],
        ),
        ("limits.yaml", "budgets: [", &["limits.yaml:"]),
        (
            "limits.yaml",
            "budgets:\n  - id: purse\n    scope: me\n    window: day\n    max_cost: -5\n",
            &["limits.yaml:5"],
        ),
        ("config.toml", "shiny = true\n", &["config.toml", "line 1", "shiny"]),
        ("config.toml", "mode = \n", &["config.toml", "line 1"]),
        ("config.toml", "secrets = \"memory\"\nprices = \"/nonexistent/prices.json\"\n", &["/nonexistent/prices.json"]),
        (
            "config.toml",
            "secrets = \"memory\"\n[upstream]\nextra_roots = [\"/nonexistent/root.pem\"]\n",
            &["/nonexistent/root.pem"],
        ),
    ];
    for (file, text, words) in cases {
        let machine = Machine::forgetful(provider.addr(), &provider.root_pem(), "");
        machine.world.write_config(file, text).unwrap();
        let served = machine.reeve(&["serve"]);
        let said = printed(&served);
        assert!(!served.status.success(), "{file} {text:?} was taken");
        assert!(!said.contains("panicked"), "{file} {text:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{file} {text:?}: expected `{word}`: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_file_that_does_not_load_is_named_with_what_is_wrong() {
    let provider = Provider::start(Script::default()).await.unwrap();
    for (text, word) in [
        ("{", "line 1"),
        ("[]", "prices.json"),
        ("{\"date\":\"2026-11-20\",\"models\":{\"m\":{\"provider\":\"x\",\"input\":\"-1\"}}}", "m"),
        ("{\"date\":\"2026-11-20\",\"models\":{\"m\":{\"provider\":\"x\",\"input\":\"cheap\"}}}", "m"),
    ] {
        let machine = Machine::forgetful(provider.addr(), &provider.root_pem(), "");
        let prices = machine.world.write_config("prices.json", text).unwrap();
        let config = format!("secrets = \"memory\"\nprices = {:?}\n", prices.display().to_string());
        machine.world.write_config("config.toml", &config).unwrap();
        let served = machine.reeve(&["serve"]);
        let said = printed(&served);
        assert!(!served.status.success() && !said.contains("panicked"), "{text}: {said}");
        assert!(said.contains("prices.json") && said.contains(word), "{text}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_breaks_while_the_engine_runs_keeps_the_last_good_one_and_is_recorded() {
    let scene = Scene::set().await;
    scene.machine.world.write_config("limits.yaml", "budgets: [").unwrap();
    let rejected = named(&scene.machine, "policy.rejected", 1).await;
    assert!(rejected[0]["problem"].as_str().unwrap().contains("limits.yaml:"), "{rejected:?}");
    let reply = scene.agent.send(Speak::H1, messages(false, 10, "still here")).await.unwrap();
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(scene.provider.calls(Group::Messages).len(), 1);
}

/// To a server that nobody knows yet, without a word in the headers that this is MCP.
fn padded(spaces: usize) -> http::Request<http_body_util::Full<Bytes>> {
    let call = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"drop_all","arguments":{}}}"#;
    let body = format!("{}{call}", " ".repeat(spaces));
    let request = http::Request::post(format!("https://{HOST}/anything")).header("content-type", "text/plain");
    request.body(http_body_util::Full::from(body)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_call_hidden_behind_a_mebibyte_of_nothing_is_found_and_judged_as_one() {
    let scene = Scene::set().await;
    let reply = scene.agent.send(Speak::H1, padded(2 * 1024 * 1024)).await.unwrap();
    let answer: serde_json::Value = serde_json::from_str(reply.text().trim()).unwrap();
    assert_eq!(answer["id"], 7, "{answer}");
    assert!(answer["result"]["_meta"]["reeve/denial"].is_object(), "{answer}");
    scene.goes_on().await;
}
