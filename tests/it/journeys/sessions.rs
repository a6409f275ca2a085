//! Sessions: who may come in, and how they end.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use reeve_api::contract::calls::SessionsCall;
use reeve_api::contract::sessions::{SessionDto, SessionInput};
use reeve_demo::script::{Fault, Mishap, Script, Step};
use reeve_testkit::agent::Speak;
use reeve_tests::stage::{Setting, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{get, messages};

#[tokio::test]
async fn without_a_token_there_is_a_challenge_and_with_a_wrong_one_too() {
    let stage = Stage::set(Setting::default()).await.unwrap();
    let (_, opened) = stage.agent("tester").await.unwrap();
    for credentials in ["", "Proxy-Authorization: Basic dGVzdGVyOndyb25n\r\n"] {
        let mut proxy = tokio::net::TcpStream::connect(&opened.proxy).await.unwrap();
        let head = format!("CONNECT api.github.com:443 HTTP/1.1\r\nHost: api.github.com:443\r\n{credentials}\r\n");
        proxy.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let read = proxy.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..read]).to_lowercase();
        assert!(answer.starts_with("http/1.1 407 "), "{answer}");
        assert!(answer.contains("proxy-authenticate: basic"), "{answer}");
    }
    assert!(stage.provider.requests().is_empty());
}

#[tokio::test]
async fn stopping_a_session_cuts_its_stream_within_a_second_and_shuts_its_door() {
    let slow = Fault::always(Mishap::Slow { gap_ms: 100 });
    let script = Script::of([Step::text(&"word ".repeat(600))]).with_fault(slow);
    let stage = Stage::set(Setting { script, ..Setting::default() }).await.unwrap();
    let (agent, opened) = stage.agent("tester").await.unwrap();
    let mut response = agent.begin(Speak::H1, messages(true, 500, "hi")).await.unwrap();
    response.body_mut().frame().await.unwrap().unwrap();
    let stop = SessionsCall::Stop(SessionInput { session: opened.session.id.clone() });
    let stopped: SessionDto = stage.client().call(&stop).await.unwrap();
    let begun = Instant::now();
    assert_eq!(stopped.id, opened.session.id);
    let cut = async { while let Some(Ok(_)) = response.body_mut().frame().await {} };
    tokio::time::timeout(Duration::from_secs(1), cut).await.expect("the stream went on for more than a second");
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(agent.send(Speak::H1, get("https://api.github.com/x", None)).await.is_err(), "the token still opens");
    stage.verify().await.unwrap();
}

#[tokio::test]
async fn the_exit_status_is_the_commands_own() {
    let stage = Stage::set(Setting::default()).await.unwrap();
    let sh = |script: &str| ["sh", "-c", script].map(str::to_owned);
    let ended = stage.run(&sh("echo out; echo err >&2; exit 7"), &[]).await.unwrap();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(7), "out\n"));
    assert!(ended.stderr.contains("err"), "{}", ended.stderr);
    let killed = stage.run(&sh("kill -TERM $$"), &[]).await.unwrap();
    assert_eq!(killed.code, Some(128 + 15));
    let missing = stage.run(&["no-such-program-anywhere".to_owned()], &[]).await.unwrap();
    assert_eq!(missing.code, Some(127), "{}", missing.printed());
}

#[tokio::test]
async fn a_governed_command_cannot_decide_about_itself() {
    let stage = Stage::set(Setting::default()).await.unwrap();
    let program = reeve_tests::stage::reeve().unwrap().display().to_string();
    for verb in ["pause", "stop", "approve deny ask_00000000000000000000000000", "budget rm purse", "run -- true"] {
        // Without the variable that tells it so, only the process tree says that it is governed.
        let script = format!("unset REEVE_SESSION REEVE_AGENT; {program} {verb}");
        let ended = stage.run(&["sh".to_owned(), "-c".to_owned(), script], &[]).await.unwrap();
        assert_ne!(ended.code, Some(0), "{verb}: {}", ended.printed());
        assert!(ended.stderr.contains("governed"), "{verb}: {}", ended.printed());
    }
    let reads = format!("{program} status");
    let ended = stage.run(&["sh".to_owned(), "-c".to_owned(), reads], &[]).await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.printed());
}
