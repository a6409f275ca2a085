//! The demo story: whom the scripted agent talks to, what it is answered, and the policy and budget of its throw-away
//! profile. Hosts end in `.example`, which nobody owns; the secret is made when the demo starts and opens nothing.

use super::{Route, Script, Step, Tokens};

/// A priced model, so that the first act has a cost.
pub const MODEL: &str = "claude-sonnet-5";
pub const MODEL_HOST: &str = "api.anthropic.com";
pub const MODEL_KEY_VARIABLE: &str = "ANTHROPIC_API_KEY";
pub const QUESTION: &str = "Summarise what a seat belt does, in one sentence.";

/// The service whose token the agent never sees.
pub const API_HOST: &str = "api.acme.example";
pub const WHO_AM_I: &str = "/v1/whoami";
/// Name of the credential, and the variable that its placeholder is in.
pub const CREDENTIAL: &str = "acme-demo";
pub const TOKEN_VARIABLE: &str = "ACME_TOKEN";

/// Forbidden by the demo's policy.
pub const FORBIDDEN_HOST: &str = "paste.example";

/// Reached for the first time, with a method that destroys.
pub const HELD_HOST: &str = "staging.acme.example";
pub const HELD_PATH: &str = "/v1/databases/reports";

/// The limits of the demo's tools: what may change many records is counted first, and a mail goes out once.
#[must_use]
pub fn tools_yaml() -> String {
    use crate::office::{COUNT, SEND, UPDATE};
    format!(
        "tool_policies:\n  {UPDATE}:\n    max_row_count: 100\n    on_exceeded: deny\n    require_dry_run: true\n    preview: {{ tool: {COUNT}, rows: count }}\n\ntool_governance:\n  {SEND}:\n    idempotency_key: request_id\n    cache_ttl: 24h\n    on_duplicate: return_cached\n    strict_mode: true\n"
    )
}

/// What one session of the demo may spend, in US dollars.
pub const SESSION_DOLLARS: &str = "0.10";

/// Every host of the story: the demo's profile points each at the provider.
pub const HOSTS: [&str; 4] = [MODEL_HOST, API_HOST, FORBIDDEN_HOST, HELD_HOST];

/// A question whose input alone costs more than a session may spend: 400 kB, at least 50,000 tokens by any count, bound at
/// 200,000.
#[must_use]
pub fn long_question() -> String {
    "Please read all of this carefully. ".repeat(400_000 / 35)
}

/// A secret for the demo's credential: random, and marked as opening nothing.
#[must_use]
pub fn secret() -> String {
    let random: [u8; 16] = rand::random();
    random.iter().fold("demo-secret-opens-nothing-".to_owned(), |s, b| format!("{s}{b:02x}"))
}

/// What the provider answers in the demo. The service echoes the token it got, as careless services do.
#[must_use]
pub fn script() -> Script {
    let route = |method: &str, host: &str, path: &str, body: &str| Route {
        method: method.to_owned(),
        host: host.to_owned(),
        path: path.to_owned(),
        body: body.to_owned(),
        ..Route::default()
    };
    Script {
        tools_optional: true,
        usage: Tokens { input: 24, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0, output: 31, reasoning: 0 },
        ..Script::of([Step::text("A seat belt holds you back at the moment when going on would hurt most.")])
    }
    .with_route(route("GET", API_HOST, WHO_AM_I, r#"{"user":"demo","you_sent":"{header:authorization}"}"#))
    .with_route(route("DELETE", HELD_HOST, HELD_PATH, r#"{"deleted":"reports"}"#))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_question_is_as_long_as_it_says() {
        let bytes = long_question().len();
        assert!((390_000..=400_000).contains(&bytes), "{bytes}");
    }

    #[test]
    fn secrets_differ_and_say_what_they_are() {
        assert_ne!(secret(), secret());
        assert!(secret().starts_with("demo-secret-opens-nothing-"));
    }
}
