//! Every command against the permissions of the one window, in the mock runtime.

use std::collections::BTreeSet;
use std::sync::Arc;

use reeve_api::contract::Noun;
use reeve_api::home::Home;
use serde_json::{Value, json};
use tauri::ipc::{CallbackFn, InvokeBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder};
use tauri::webview::InvokeRequest;
use tauri::{WebviewWindow, WebviewWindowBuilder};

use crate::Start;
use crate::link::Link;
use crate::windows::{First, MAIN};

/// An app whose engine does not exist: what gets past the permissions hears `unreachable`.
fn app() -> (tauri::App<MockRuntime>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let link = Arc::new(Link::new(Home::under(folder.path()), false));
    let app = crate::with_calls(mock_builder())
        .manage(link)
        .manage(First::new(None))
        .build(tauri::generate_context!())
        .unwrap();
    (app, folder)
}

fn window(app: &tauri::App<MockRuntime>, label: &str) -> WebviewWindow<MockRuntime> {
    use tauri::Manager as _;
    app.get_webview_window(label)
        .unwrap_or_else(|| WebviewWindowBuilder::new(app, label, Default::default()).build().unwrap())
}

fn invoke(window: &WebviewWindow<MockRuntime>, command: &str, body: Value) -> Result<Value, Value> {
    let url = if cfg!(windows) { "http://tauri.localhost" } else { "tauri://localhost" };
    let request = InvokeRequest {
        cmd: command.to_owned(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: url.parse().unwrap(),
        body: InvokeBody::Json(body),
        headers: Default::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(window, request).map(|answer| answer.deserialize().unwrap())
}

fn commands() -> impl Iterator<Item = &'static str> {
    Noun::ALL.into_iter().map(Noun::as_str)
}

#[test]
fn the_window_may_ask_about_every_noun_and_no_other_window_about_any() {
    let (app, _folder) = app();
    let (main, other) = (window(&app, MAIN), window(&app, "other"));
    for noun in commands() {
        let body = json!({ "request": { "call": format!("{noun}.list") } });
        let heard = invoke(&main, noun, body.clone()).unwrap_err();
        assert_eq!(heard.get("code"), Some(&json!("unreachable")), "{noun}: {heard}");
        let refused = invoke(&other, noun, body).unwrap_err();
        assert!(refused.as_str().is_some_and(|text| text.contains("not allowed")), "{noun}: {refused}");
    }
}

#[test]
fn the_subscription_is_the_windows_alone() {
    let (app, _folder) = app();
    let body = json!({ "channel": "__CHANNEL__:7" });
    assert!(invoke(&window(&app, MAIN), "subscribe", body.clone()).is_ok());
    assert!(invoke(&window(&app, "other"), "subscribe", body).is_err());
}

#[test]
fn opening_at_login_is_the_windows_alone_and_not_for_the_demo() {
    let (app, _folder) = app();
    // Without its entry in the system, as the demo is.
    let heard = invoke(&window(&app, MAIN), "login", json!({ "on": true })).unwrap_err();
    assert_eq!(heard.get("code"), Some(&json!("notPermitted")), "{heard}");
    let refused = invoke(&window(&app, "other"), "login", json!({ "on": null })).unwrap_err();
    assert!(refused.as_str().is_some_and(|text| text.contains("not allowed")), "{refused}");
}

#[test]
fn a_command_takes_calls_of_its_own_noun_only() {
    let (app, _folder) = app();
    let main = window(&app, MAIN);
    for call in [json!("approvals.resolve"), json!("statusx.get"), json!("status"), json!(7), Value::Null] {
        let heard = invoke(&main, "status", json!({ "request": { "call": call } })).unwrap_err();
        assert_eq!(heard.get("code"), Some(&json!("invalid")), "{call}: {heard}");
    }
}

#[test]
fn the_window_may_do_nothing_of_the_system() {
    let (app, _folder) = app();
    let main = window(&app, MAIN);
    for command in
        ["plugin:event|listen", "plugin:window|close", "plugin:webview|create_webview_window", "plugin:app|version"]
    {
        assert!(invoke(&main, command, json!({})).is_err(), "{command}");
    }
}

#[test]
fn build_script_and_capability_name_the_nouns_of_the_contract() {
    let expected: BTreeSet<String> =
        commands().chain(["subscribe", "login", "zoom", "quit"]).map(str::to_owned).collect();
    let capability: Value = serde_json::from_str(include_str!("../capabilities/main.json")).unwrap();
    let permitted: BTreeSet<String> = capability["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|permission| permission.as_str().unwrap().trim_start_matches("allow-").to_owned())
        .collect();
    assert_eq!(permitted, expected);
    assert_eq!(capability["windows"], json!([MAIN]));
    let script = include_str!("../build.rs");
    for command in &expected {
        assert!(script.contains(&format!("    \"{command}\",")), "{command}");
    }
}

#[test]
fn the_command_line_knows_two_options() {
    let parse = |words: &[&str]| Start::parse(words.iter().map(ToString::to_string));
    assert_eq!(parse(&["reeve-desktop"]), Ok(Start::Ordinary(None)));
    assert_eq!(parse(&["reeve-desktop", "--demo"]), Ok(Start::Demo));
    assert_eq!(parse(&["reeve-desktop", "--in-tray"]), Ok(Start::InTray));
    assert_eq!(
        parse(&["reeve-desktop", "reeve://inbox/apr_1"]),
        Ok(Start::Ordinary(Some("reeve://inbox/apr_1".to_owned())))
    );
    assert!(parse(&["reeve-desktop", "--fake"]).unwrap_err().contains("--fake"));
}

#[test]
fn only_a_link_of_ours_is_taken_from_a_second_start() {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(crate::windows::link_of(&words("reeve-desktop reeve://record/op_7")), Some("reeve://record/op_7"));
    assert_eq!(crate::windows::link_of(&words("reeve-desktop https://example.com --demo")), None);
    assert_eq!(crate::windows::link_of(&words("reeve://inbox")), None);
}
