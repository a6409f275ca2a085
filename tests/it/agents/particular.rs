//! What is particular to one tool: logins that are not paid by the token.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reeve_demo::script::{Script, Step};
use reeve_tests::stage::{Setting, Stage};
use reeve_tests::tools::Tool;
use serde_json::{Value, json};

use crate::journeys::{ANSWER, QUESTION, main_rows, shown};

#[tokio::test]
async fn claude_code_on_a_flat_rate_login_costs_nothing_and_shows_what_it_is_worth() {
    let script = Script::of([Step::text(ANSWER)]);
    let limits = "budgets:\n  - id: purse\n    scope: session\n    window: total\n    max_cost: 0.0001\n    on_exhausted: deny\n";
    let stage = Stage::set(Setting { script, limits, ..Setting::default() }).await.unwrap();
    let token = "sk-ant-oat01-a-tests-own-login";
    let command = Tool::Claude.command(&stage.world, QUESTION).unwrap();
    let ended = stage.run(&command, &[("CLAUDE_CODE_OAUTH_TOKEN", token)]).await.unwrap();
    assert!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(&ended, &stage));
    let calls = stage.provider.calls(Tool::Claude.group());
    assert!(calls.iter().all(|c| c.header("authorization") == Some(&format!("Bearer {token}"))), "{calls:?}");
    let rows = stage.rows("kind:llm").await.unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.cost.unwrap_or_default() == 0), "{rows:?}");
    assert!(rows.iter().all(|row| row.worth.is_some_and(|worth| worth > 0)), "{rows:?}");
}

/// What `codex login` leaves behind after a login with ChatGPT: an identity that names the account, and a token that is
/// good for years. Gives the token.
fn log_in_with_chatgpt(home: &Path) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let account = json!({
        "chatgpt_account_id": "a-tests-own-account", "chatgpt_plan_type": "pro", "chatgpt_user_id": "user-dana",
    });
    let claims = json!({
        "email": "dana@example.com", "exp": 4_102_444_800_u64, "https://api.openai.com/auth": account,
    });
    let token =
        format!("{}.{}.{}", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(&claims), part(&json!("sealed")));
    let login = json!({
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": null,
        "tokens": {
            "id_token": token, "access_token": token, "refresh_token": "a-tests-own-refresh-token",
            "account_id": "a-tests-own-account",
        },
        "last_refresh": chrono::Utc::now(),
    });
    std::fs::write(home.join(".codex/auth.json"), login.to_string()).unwrap();
    token
}

/// With this login Codex sends its requests in zstd, to a host of its own.
#[tokio::test]
async fn codex_on_a_chatgpt_login_is_read_through_its_compression_and_forwarded_as_it_came() {
    let script = Script::shell("printf 'seat-%d-belt' 42 > made.txt; cat made.txt", ANSWER);
    let stage = Stage::set(Setting { script, ..Setting::default() }).await.unwrap();
    let command = Tool::Codex.command(&stage.world, QUESTION).unwrap();
    let token = log_in_with_chatgpt(&stage.world.home());
    let ended = stage.run(&command, &[]).await.unwrap();
    assert!(ended.code == Some(0) && ended.stdout.contains(ANSWER), "{}", shown(&ended, &stage));
    let calls = stage.provider.calls(Tool::Codex.group());
    let main: Vec<_> = calls.iter().filter(|call| call.main).collect();
    assert_eq!(main.len(), 2, "{calls:?}");
    for call in &main {
        assert_eq!((call.host.as_str(), call.header("content-encoding")), ("chatgpt.com", Some("zstd")));
        assert!(call.wire_bytes * 2 < call.body.len(), "{} bytes of {}", call.wire_bytes, call.body.len());
        assert_eq!(call.header("authorization"), Some(format!("Bearer {token}").as_str()));
    }
    assert!(String::from_utf8_lossy(&main[1].body).contains("seat-42-belt"), "the result did not reach the model");
    let rows = main_rows(&stage).await.unwrap();
    assert_eq!(rows.len(), 2, "{rows:?}");
    for row in &rows {
        assert!(row.cost.unwrap_or_default() == 0 && row.worth.is_some_and(|worth| worth > 0), "{row:?}");
        assert!(row.tokens_in.is_some_and(|tokens| tokens > 0) && !row.estimated, "{row:?}");
    }
    stage.verify().await.unwrap();
}
