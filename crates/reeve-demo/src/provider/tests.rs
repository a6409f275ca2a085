//! The provider as a client sees it, over real TLS.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};

use super::*;
use crate::agent::tunnel::{client_config, tls};
use crate::script::{Coding, Fault, Phase, Route, Step, Tokens};

async fn send(
    provider: &Provider,
    host: &str,
    alpn: &str,
    request: http::request::Builder,
    body: &str,
) -> Option<Response<Incoming>> {
    let config = Arc::new(client_config(provider.root_pem().as_bytes(), "root", &[alpn]).unwrap());
    let stream = tokio::net::TcpStream::connect(provider.addr()).await.unwrap();
    let stream = TokioIo::new(tls(stream, host, &config).await.unwrap());
    let request = request.body(Full::<Bytes>::from(body.to_owned())).unwrap();
    if alpn == "h2" {
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        return sender.send_request(request).await.ok();
    }
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender.send_request(request).await.ok()
}

/// Status and body; the body is what came before a break.
async fn read(response: Response<Incoming>) -> (u16, String, bool) {
    let status = response.status().as_u16();
    let (mut body, mut text, mut whole) = (response.into_body(), Vec::new(), true);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => text.extend_from_slice(frame.data_ref().unwrap()),
            Err(_) => {
                whole = false;
                break;
            }
        }
    }
    (status, String::from_utf8(text).unwrap(), whole)
}

fn post(host: &str, path: &str) -> http::request::Builder {
    Request::post(path).header("host", host)
}

async fn messages(provider: &Provider, body: &Value) -> (u16, String, bool) {
    let host = "api.anthropic.com";
    read(send(provider, host, "http/1.1", post(host, "/v1/messages"), &body.to_string()).await.unwrap()).await
}

fn asking(stream: bool) -> Value {
    json!({ "model": "m", "stream": stream, "tools": [{ "name": "Bash" }], "messages": [{ "role": "user", "content": "hi" }] })
}

#[tokio::test]
async fn every_dialect_answers_whole_and_streamed_with_the_usage_of_the_script() {
    let usage = Tokens { input: 10, cache_read: 20, cache_write_5m: 3, cache_write_1h: 4, output: 50, reasoning: 6 };
    let provider = Provider::start(Script::of([Step::text("Hello out there.")]).with_usage(usage)).await.unwrap();
    let chat_body = json!({ "model": "m", "tools": [{ "function": { "name": "bash" } }], "messages": [],
        "stream_options": { "include_usage": true } });
    let responses_body = json!({ "model": "m", "tools": [{ "type": "function", "name": "shell" }], "input": [] });
    let gemini_body =
        json!({ "contents": [], "tools": [{ "functionDeclarations": [{ "name": "run_shell_command" }] }] });
    let cases = [
        ("api.anthropic.com", "/v1/messages", "/v1/messages", asking(false), r#""cache_read_input_tokens":20"#),
        ("api.openai.com", "/v1/chat/completions", "/v1/chat/completions", chat_body, r#""prompt_tokens":37"#),
        ("api.openai.com", "/v1/responses", "/v1/responses", responses_body, r#""total_tokens":87"#),
        (
            "generativelanguage.googleapis.com",
            "/v1beta/models/m:generateContent",
            "/v1beta/models/m:streamGenerateContent?alt=sse",
            gemini_body.clone(),
            r#""thoughtsTokenCount":6"#,
        ),
        (
            "cloudcode-pa.googleapis.com",
            "/v1internal:generateContent",
            "/v1internal:streamGenerateContent?alt=sse",
            json!({ "model": "m", "request": gemini_body }),
            r#""candidatesTokenCount":44"#,
        ),
    ];
    for (host, whole, streamed, body, usage) in cases {
        let answer = send(&provider, host, "http/1.1", post(host, whole), &body.to_string()).await.unwrap();
        let (status, text, _) = read(answer).await;
        assert_eq!(status, 200, "{host}{whole}: {text}");
        assert!(text.contains("Hello out there.") && text.contains(usage), "{host}{whole}: {text}");
        let mut body = body;
        body["stream"] = json!(true);
        let answer = send(&provider, host, "http/1.1", post(host, streamed), &body.to_string()).await.unwrap();
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"), "{streamed}");
        let (_, text, complete) = read(answer).await;
        assert!(complete && text.contains("there.\""), "{host}{streamed}: {text}");
        assert!(text.contains(usage), "{host}{streamed}: {text}");
        assert!(text.ends_with("\n\n"), "{text}");
    }
    let requests = provider.requests();
    assert_eq!(requests.len(), 10);
    for request in requests {
        assert_eq!(request.sni.as_deref(), Some(request.host.as_str()));
        let answered = request.answered();
        assert_eq!((answered.status, answered.usage, answered.end), (Some(200), Some(usage), End::Complete));
        assert_eq!(answered.model.as_deref(), Some("m"));
    }
}

#[tokio::test]
async fn faults_happen_to_the_requests_they_are_for() {
    let script = Script::default()
        .with_fault(Fault::nth(Group::Messages, &[1], Mishap::Truncate { after: 2 }))
        .with_fault(Fault::nth(Group::Messages, &[2], Mishap::ErrorEvent { after: 1, message: "mid".to_owned() }))
        .with_fault(Fault::nth(
            Group::Messages,
            &[3],
            Mishap::Status {
                status: 429,
                message: "slow down".to_owned(),
                headers: vec![("retry-after".to_owned(), "1".to_owned())],
                body: None,
            },
        ))
        .with_fault(Fault::nth(Group::Messages, &[4], Mishap::ContentLength { extra: 9 }))
        .with_fault(Fault::nth(Group::Messages, &[5], Mishap::Garbage));
    let provider = Provider::start(script).await.unwrap();
    let (status, text, whole) = messages(&provider, &asking(true)).await;
    assert_eq!((status, whole, text.matches("event: ").count()), (200, false, 2), "{text}");
    let (_, text, whole) = messages(&provider, &asking(true)).await;
    assert!(whole && text.contains("event: error") && text.contains("mid") && !text.contains("message_stop"), "{text}");
    let (status, text, _) = messages(&provider, &asking(true)).await;
    assert!(status == 429 && text.contains("rate_limit_error"), "{text}");
    let (status, _, whole) = messages(&provider, &asking(false)).await;
    assert_eq!((status, whole), (200, false));
    assert!(messages(&provider, &asking(false)).await.1.starts_with("<html>"));
    assert!(messages(&provider, &asking(false)).await.1.contains("Hello from the demo provider."));
    let ends: Vec<End> = provider.requests().iter().map(|r| r.answered().end).collect();
    assert_eq!(ends, [End::Cut, End::Complete, End::Complete, End::Cut, End::Complete, End::Complete]);
    assert_eq!(provider.requests()[2].answered().usage, None);
}

#[tokio::test]
async fn a_reset_gives_no_answer_and_a_hold_can_be_left() {
    let script = Script::default().with_fault(Fault::nth(Group::Messages, &[1], Mishap::Reset)).with_fault(Fault::nth(
        Group::Messages,
        &[2],
        Mishap::Hold { phase: Phase::After(1), ms: 60_000 },
    ));
    let provider = Provider::start(script).await.unwrap();
    let host = "api.anthropic.com";
    let body = asking(true).to_string();
    assert!(send(&provider, host, "http/1.1", post(host, "/v1/messages"), &body).await.is_none());
    let held =
        send(&provider, host, "h2", Request::post("https://api.anthropic.com/v1/messages"), &body).await.unwrap();
    drop(held);
    for _ in 0..2_000 {
        if provider.requests()[1].answered().end != End::Open {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(provider.requests()[1].answered().end, End::ClientGone);
    assert!(provider.requests()[1].http2);
}

#[tokio::test]
async fn plain_hosts_echo_routes_answer_and_upgrades_are_refused() {
    let route = Route {
        host: "api.acme.example".to_owned(),
        path: "/me".to_owned(),
        body: "<{header:authorization}|{base64:authorization}>".to_owned(),
        chunk: 7,
        ..Route::default()
    };
    let provider = Provider::start(Script::default().with_route(route)).await.unwrap();
    let get = |path: &str| Request::get(path).header("authorization", "tok");
    let echo =
        send(&provider, "any.example", "http/1.1", get("/x?y=1").header("host", "any.example:443"), "").await.unwrap();
    let echo: Value = serde_json::from_str(&read(echo).await.1).unwrap();
    assert_eq!((&echo["echo"]["host"], &echo["echo"]["query"]), (&json!("any.example"), &json!("y=1")));
    assert_eq!(echo["echo"]["headers"]["authorization"], "tok");
    let me = get("/me").header("host", "api.acme.example");
    let me = send(&provider, "api.acme.example", "http/1.1", me, "").await.unwrap();
    assert_eq!(read(me).await.1, "<tok|dG9r>");
    let upgrade = Request::get("/v1/responses").header("host", "api.openai.com").header("upgrade", "websocket");
    let upgrade =
        send(&provider, "api.openai.com", "http/1.1", upgrade.header("connection", "upgrade"), "").await.unwrap();
    assert_eq!(upgrade.status(), 426);
    let unknown =
        send(&provider, "api.openai.com", "http/1.1", Request::get("/nothing").header("host", "api.openai.com"), "");
    assert_eq!(unknown.await.unwrap().status(), 404);
}

#[tokio::test]
async fn answers_are_encoded_for_clients_that_accept_it_and_coded_requests_are_read() {
    let script = Script { coding: Some(Coding::Gzip), ..Script::default() };
    let provider = Provider::start(script).await.unwrap();
    let host = "api.anthropic.com";
    let config = Arc::new(client_config(provider.root_pem().as_bytes(), "root", &["http/1.1"]).unwrap());
    let stream = tls(tokio::net::TcpStream::connect(provider.addr()).await.unwrap(), host, &config).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let body = zstd::encode_all(asking(true).to_string().as_bytes(), 1).unwrap();
    let request =
        post(host, "/v1/messages").header("content-encoding", "zstd").header("accept-encoding", "br, gzip;q=1");
    let response = sender.send_request(request.body(Full::<Bytes>::from(body)).unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let wire = response.into_body().collect().await.unwrap().to_bytes();
    let text = coding::decode("gzip", wire).unwrap();
    assert!(String::from_utf8_lossy(&text).contains("message_stop"));
    assert_eq!(provider.requests()[0].json(), asking(true));
    assert!(provider.requests()[0].main);
}

#[tokio::test]
async fn a_script_can_be_replaced_and_plain_http_is_answered_too() {
    let provider = Provider::start(Script::default()).await.unwrap();
    provider.set_script(Script::of([Step::text("second")]));
    let stream = TokioIo::new(tokio::net::TcpStream::connect(provider.addr()).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request =
        post("api.anthropic.com", "/v1/messages").body(Full::<Bytes>::from(asking(false).to_string())).unwrap();
    let text = sender.send_request(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&text).contains("second"));
    assert_eq!(provider.requests()[0].sni, None);
    provider.shutdown().await;
}
