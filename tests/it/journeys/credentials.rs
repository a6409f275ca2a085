//! A credential on its way: injected at its own place, masked where it is echoed, stopped everywhere else.

use http::{Request, StatusCode};
use http_body_util::Full;
use reeve_api::contract::approvals::{AnswerDto, ApprovalDto, ApprovalInput};
use reeve_api::contract::calls::{ApprovalsCall, CredentialsCall};
use reeve_api::contract::credentials::{
    BindCredentialInput, CredentialDto, CredentialTestDto, NewBindingDto, TestCredentialInput, UnbindCredentialInput,
};
use reeve_api::contract::operations::RowStateDto;
use reeve_api::contract::{ApiCode, ApiError};
use reeve_demo::script::{Coding, Route, Script, Step};
use reeve_testkit::agent::Speak;
use reeve_tests::stage::{Setting, Stage};
use serde_json::json;

use super::{get, messages, post};

const SECRET: &str = "acme-real-\"quoted\"-77aa88bb99ccdd";
const HOST: &str = "api.acme.example";
/// Lifts the question about the first use, which is another test's subject.
const TRUSTED: &str = r#"
@id("acme-is-fine") @lifts("ask-first-credential, ask-first-write")
permit (principal, action == Action::"http.request", resource == Host::"api.acme.example");
"#;

async fn stage(script: Script) -> (Stage, String) {
    let stage = Stage::set(Setting { script, policy: TRUSTED, ..Setting::default() }).await.unwrap();
    let placeholder = stage.store_bearer("acme", "ACME_LOGIN", HOST, SECRET).await.unwrap();
    (stage, placeholder)
}

fn echo(chunk: usize) -> Route {
    let forms = ["header", "base64", "hex", "percent"].map(|form| format!("<{{{form}:authorization}}>"));
    Route {
        host: HOST.to_owned(),
        headers: vec![("x-echo".to_owned(), "{header:authorization}".to_owned())],
        body: format!("begin {} end", forms.join(" ")),
        chunk,
        ..Route::default()
    }
}

#[tokio::test]
async fn an_echo_is_masked_in_every_form_and_coding_also_one_byte_at_a_time() {
    for coding in [None, Some(Coding::Gzip), Some(Coding::Br), Some(Coding::Zstd), Some(Coding::Deflate)] {
        for chunk in [0, 1] {
            let (stage, placeholder) = stage(Script { coding, ..Script::default().with_route(echo(chunk)) }).await;
            let (agent, _) = stage.agent("tester").await.unwrap();
            let mut request = get(&format!("https://{HOST}/echo"), Some(&placeholder));
            request.headers_mut().insert("accept-encoding", "gzip, br, zstd, deflate".parse().unwrap());
            let reply = agent.send(Speak::H2, request).await.unwrap();
            let arrived = &stage.provider.requests()[0];
            assert_eq!(arrived.header("authorization"), Some(format!("Bearer {SECRET}").as_str()));
            let text = format!("{:?} {}", reply.headers, reply.text());
            assert!(reply.whole && reply.text().starts_with("begin ") && reply.text().ends_with(" end"), "{text}");
            let hex: String = SECRET.bytes().map(|b| format!("{b:02x}")).collect();
            for part in [SECRET, &hex, "77aa88bb99ccdd"] {
                assert!(!text.contains(part), "{coding:?} in chunks of {chunk}: {text}");
            }
            // `Bearer ` shifts the base64 form by one byte: the core of it in that alignment.
            assert!(!text.contains("YWNtZS1yZWFs") && !text.contains("NzdhYTg4Ymi"), "{text}");
            assert_eq!(reply.headers.get("content-encoding"), None, "a masked answer travels as it is");
        }
    }
}

#[tokio::test]
async fn a_placeholder_that_follows_a_redirect_to_another_host_is_stopped_there() {
    let there = Route {
        host: HOST.to_owned(),
        status: 302,
        headers: vec![("location".to_owned(), "https://other.example/collect".to_owned())],
        ..Route::default()
    };
    let (stage, placeholder) = stage(Script::default().with_route(there)).await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    let first = agent.send(Speak::H1, get(&format!("https://{HOST}/go"), Some(&placeholder))).await.unwrap();
    assert_eq!(first.status, StatusCode::FOUND);
    let location = first.headers["location"].to_str().unwrap().to_owned();
    let second = agent.send(Speak::H1, get(&location, Some(&placeholder))).await.unwrap();
    assert!(second.status.is_client_error(), "{second:?}");
    assert!(second.text().contains("Reeve denied this"), "{}", second.text());
    assert!(stage.provider.requests().iter().all(|r| r.host != "other.example"), "the other host was contacted");
    let rows = stage.rows("host:other.example").await.unwrap();
    assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [RowStateDto::Denied]);
}

#[tokio::test]
async fn a_placeholder_or_the_secret_itself_is_stopped_in_path_query_header_and_body() {
    let (stage, placeholder) = stage(Script::default()).await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    for carried in [placeholder.as_str(), SECRET] {
        let encoded: String = carried.bytes().map(|b| format!("%{b:02x}")).collect();
        let body = serde_json::json!({ "note": carried });
        let attempts = [
            get(&format!("https://other.example/{encoded}"), None),
            get(&format!("https://other.example/x?q={encoded}"), None),
            get("https://other.example/x", Some(carried)),
            post("https://other.example/x", &body),
        ];
        for attempt in attempts {
            let shown = format!("{attempt:?}");
            let reply = agent.send(Speak::H1, attempt).await.unwrap();
            assert!(reply.status.is_client_error(), "{}: {shown}", reply.status);
            assert!(!reply.text().contains(SECRET), "the refusal repeats the secret");
        }
    }
    assert!(stage.provider.requests().is_empty(), "something arrived: {:?}", stage.provider.requests());
    stage.verify().await.unwrap();
}

#[tokio::test]
async fn a_stream_that_answers_what_was_sent_elsewhere_is_masked_too() {
    let words = json!({ "level": "info", "data": format!("you came with {SECRET}") });
    let message = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": words });
    let stream = Route {
        method: "GET".to_owned(),
        host: HOST.to_owned(),
        path: "/sse".to_owned(),
        headers: vec![("content-type".to_owned(), "text/event-stream".to_owned())],
        body: format!("event: endpoint\ndata: /messages\n\ndata: {message}\n\n"),
        ..Route::default()
    };
    let (stage, placeholder) = stage(Script::default().with_route(stream)).await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    let sent = agent.send(Speak::H1, get(&format!("https://{HOST}/login"), Some(&placeholder))).await.unwrap();
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.text());
    // Nothing is injected into the request that listens.
    let mut listens = get(&format!("https://{HOST}/sse"), None);
    listens.headers_mut().insert("accept", "text/event-stream".parse().unwrap());
    let heard = agent.send(Speak::H1, listens).await.unwrap();
    let text = heard.text();
    assert!(text.starts_with("event: endpoint\n") && text.contains("you came with"), "{text}");
    assert!(!text.contains("acme-real") && !text.contains("77aa88bb99ccdd"), "{text}");
    let rows = stage.rows(&format!("host:{HOST} path:/sse")).await.unwrap();
    let detail = stage.operation(&rows[0].id).await.unwrap();
    assert!(serde_json::to_string(&detail).unwrap().contains("credential.masked"), "{detail:?}");
    stage.verify().await.unwrap();
}

#[tokio::test]
async fn a_test_shows_its_request_first_and_takes_the_way_of_every_other_one() {
    let taken = Route { host: HOST.to_owned(), body: "hello".to_owned(), ..Route::default() };
    // No rule lifts the question about a credential's first use: whoever sends the test has answered it.
    let setting = Setting { script: Script::default().with_route(taken), ..Setting::default() };
    let stage = Stage::set(setting).await.unwrap();
    stage.store_bearer("acme", "ACME_LOGIN", HOST, SECRET).await.unwrap();
    let test = |send| CredentialsCall::Test(TestCredentialInput { credential: "acme".to_owned(), send });
    let before: CredentialTestDto = stage.client().call(&test(None)).await.unwrap();
    assert!(before.checks.iter().any(|check| check.name == "secret" && check.ok), "{before:?}");
    let [request] = before.requests.as_slice() else { panic!("{before:?}") };
    assert_eq!((request.method.as_str(), request.url.as_str()), ("GET", "https://api.acme.example/"));
    assert!(before.answer.is_none() && stage.provider.requests().is_empty());
    let after: CredentialTestDto = stage.client().call(&test(Some(request.place))).await.unwrap();
    let answer = after.answer.unwrap();
    assert_eq!((answer.status, answer.ok), (Some(200), true), "{answer:?}");
    let arrived = &stage.provider.requests()[0];
    assert_eq!(arrived.header("authorization"), Some(format!("Bearer {SECRET}").as_str()));
    let rows = stage.rows("host:api.acme.example").await.unwrap();
    assert_eq!(rows.iter().map(|row| Some(row.id.clone())).collect::<Vec<_>>(), [answer.record]);
    let wrong: Result<CredentialTestDto, _> = stage.client().call(&test(Some(7))).await;
    assert!(wrong.is_err());
    stage.verify().await.unwrap();
}

#[tokio::test]
async fn a_place_is_taken_back_from_a_running_session_and_given_to_another_agent() {
    let there = Route { host: HOST.to_owned(), body: "hello".to_owned(), ..Route::default() };
    let (stage, placeholder) = stage(Script::default().with_route(there)).await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    let uses = async || agent.send(Speak::H1, get(&format!("https://{HOST}/x"), Some(&placeholder))).await.unwrap();
    let first = uses().await;
    assert_eq!((first.status, stage.provider.requests().len()), (StatusCode::OK, 1), "{}", first.text());
    let place = ["--host", HOST, "--slot", "bearer"];
    let told = async |verb: &str, more: &[&str]| {
        let ended = stage.reeve(&[["cred", verb, "acme"].as_slice(), &place, more].concat()).await.unwrap();
        (ended.code, ended.printed())
    };

    // Named otherwise than it is: what it is called is said.
    let (code, said) = told("unbind", &["--path", "/x"]).await;
    assert!(code == Some(1) && said.contains("`--host api.acme.example --slot bearer`"), "{code:?} {said}");
    let (code, said) = told("unbind", &[]).await;
    assert!(code == Some(0) && said.contains("none"), "{code:?} {said}");
    let stopped = uses().await;
    assert!(stopped.status.is_client_error() && stopped.text().contains("Reeve denied this"), "{}", stopped.text());
    assert!(stopped.text().contains("to a place it is not bound to"), "{}", stopped.text());

    // For one agent it comes back, then for another one instead.
    assert_eq!(told("bind", &["--agent", "tester"]).await.0, Some(0));
    let again = uses().await;
    assert_eq!((again.status, stage.provider.requests().len()), (StatusCode::OK, 2), "{}", again.text());
    assert_eq!(told("bind", &["--agent", "other"]).await.0, Some(0));
    assert!(uses().await.status.is_client_error());

    // The same over the contract: a place that was mistyped is put right, and the right one taken away.
    let named = |host: &str| {
        let (host, slot) = (host.to_owned(), "bearer".to_owned());
        NewBindingDto { host, port: None, methods: Vec::new(), path: None, slot }
    };
    let (credential, agents) = ("acme".to_owned(), vec!["tester".to_owned()]);
    let instead = Some(named(HOST));
    let bind =
        BindCredentialInput { credential: credential.clone(), binding: named("api.acne.example"), agents, instead };
    let all: Vec<CredentialDto> = stage.client().call(&CredentialsCall::Bind(bind.clone())).await.unwrap();
    let shown = &all[0].bindings[0];
    assert_eq!(
        (all[0].bindings.len(), shown.host.as_str(), shown.slot_typed.as_str()),
        (1, "api.acne.example", "bearer")
    );
    let twice: Result<Vec<CredentialDto>, ApiError> = stage.client().call(&CredentialsCall::Bind(bind)).await;
    assert_eq!(twice.unwrap_err().code, ApiCode::NotFound);
    let unbind = UnbindCredentialInput { credential, binding: named("api.acne.example") };
    let all: Vec<CredentialDto> = stage.client().call(&CredentialsCall::Unbind(unbind)).await.unwrap();
    assert!(all[0].bindings.is_empty());
    assert_eq!(stage.provider.requests().len(), 2);
    stage.verify().await.unwrap();
}

#[tokio::test]
async fn what_the_model_said_stands_on_the_card_of_what_follows_without_the_secrets_in_it() {
    let script = Script::of([Step::shell(&format!("I delete the release, with {SECRET}."), "true")]);
    let (stage, _) = stage(script).await;
    let (agent, _) = stage.agent("tester").await.unwrap();
    let reply = agent.send(Speak::H1, messages(true, 500, "tidy up")).await.unwrap();
    assert!(reply.whole, "{}", reply.text());
    let delete = Request::delete("https://other.example/v1/releases/7").body(Full::default()).unwrap();
    let waiting = tokio::spawn(async move { agent.send(Speak::H1, delete).await });
    let question = stage.asked().await.unwrap();
    let get = ApprovalsCall::Get(ApprovalInput { approval: question.id.clone() });
    let card: ApprovalDto = stage.client().call(&get).await.unwrap();
    assert_eq!(card.facts.unwrap().said.as_deref(), Some("I delete the release, with (redacted)."));
    stage.answer(&question, AnswerDto::Refuse { reason: None }).await.unwrap();
    assert!(waiting.await.unwrap().unwrap().text().contains("Reeve denied this"));
    stage.verify().await.unwrap();
}
