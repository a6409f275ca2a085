//! What Reeve proposes to tidy: from use that was recorded, and from nothing else.

use reeve_domain::credential::{Binding, Credential, Place, Slot};
use reeve_domain::host::Host;
use reeve_domain::id::CredentialId;
use reeve_domain::sensitive::Secret;
use reeve_domain::settings::Mode;
use reeve_engine::history::Suggestion;
use reeve_engine::settings::SettingsEdit;
use serde_json::Value;

use crate::admitted;
use crate::world::{World, dana};

const READS: &str = r#"@id("docs-read")
@reason("reads of the docs")
permit (principal, action == Action::"http.request", resource == Host::"docs.example.com")
when { context.method == "GET" && context.path like "/v1/*" };

@id("old-read")
@reason("nobody needs it")
permit (principal, action == Action::"http.request", resource == Host::"old.example.com")
when { context.method == "GET" };
"#;

/// Far beyond the day on which this runs: versions of rules bear the time of their files.
const CENTURY: std::time::Duration = std::time::Duration::from_secs(36_500 * 86_400);

async fn rules(world: &World) -> Vec<Suggestion> {
    let all = world.engine.suggestions().await.unwrap();
    all.into_iter().filter(|one| !matches!(one, Suggestion::ReadyToEnforce { .. })).collect()
}

#[tokio::test]
async fn rules_that_nothing_used_and_rules_wider_than_their_use_are_named() {
    let world = World::with("policies/mine.cedar", READS).await;
    assert_eq!(rules(&world).await, []);
    world.clock.advance(CENTURY);
    let unused = |rule: &str, reason: &str| Suggestion::Unused { rule: rule.into(), reason: reason.into(), days: 30 };
    let both = [unused("docs-read", "reads of the docs"), unused("old-read", "nobody needs it")];
    assert_eq!(rules(&world).await, both);
    let live = world.session("codex").await;
    for _ in 0..20 {
        let read = world.http(&live, "GET", "docs.example.com", "/v1/intro");
        drop(admitted(world.gate().admit(read, Value::Null).await));
    }
    // What was counted is good for a while.
    assert_eq!(rules(&world).await, both);
    world.clock.advance(std::time::Duration::from_secs(660));
    let tighter = Suggestion::Tighten {
        rule: "docs-read".into(),
        reason: "reads of the docs".into(),
        times: 20,
        agent: Some("codex".into()),
        path: Some("/v1/intro".into()),
    };
    assert_eq!(rules(&world).await, [unused("old-read", "nobody needs it"), tighter]);
}

#[tokio::test]
async fn a_day_of_observing_is_told_with_what_it_would_have_stopped() {
    let forbid =
        "@id(\"no-old\")\n@reason(\"x\")\nforbid (principal, action, resource == Host::\"old.example.com\");\n";
    let world = World::configured("mode = \"observe\"\n", &[("policies/mine.cedar", forbid)]).await;
    let live = world.session("codex").await;
    let ready = async || {
        let all = world.engine.suggestions().await.unwrap();
        all.into_iter().find(|one| matches!(one, Suggestion::ReadyToEnforce { .. }))
    };
    assert_eq!(ready().await, None);
    world.clock.advance(std::time::Duration::from_secs(25 * 3_600));
    assert_eq!(ready().await, None);
    for (host, path) in [("old.example.com", "/"), ("new.example.com", "/a"), ("new.example.com", "/b")] {
        drop(admitted(world.gate().admit(world.http(&live, "GET", host, path), Value::Null).await));
    }
    let Some(Suggestion::ReadyToEnforce { actions, denied, .. }) = ready().await else { panic!("not ready") };
    assert_eq!((actions, denied), (3, 1));
    // Only a whole day of it says something, not the one on which it began again.
    let file = world.file("config.toml");
    world.engine.presence().set(Secret::from("correct horse".to_owned()), &dana(None)).await.unwrap();
    for mode in [Mode::Enforce, Mode::Observe] {
        let edit = SettingsEdit { mode: Some(mode), ..SettingsEdit::default() };
        world.engine.change_settings(&file, &edit, &dana(Some("correct horse"))).await.unwrap();
    }
    assert_eq!(ready().await, None);
}

#[tokio::test]
async fn an_old_secret_is_named_until_it_is_replaced_or_nobody_wants_to_know() {
    let world = World::new().await;
    let id = CredentialId::parse("github").unwrap();
    let place = Place { host: Host::parse("api.github.com").unwrap(), port: 443, methods: Vec::new(), path: None };
    let credential = Credential {
        id: id.clone(),
        name: "GitHub token".to_owned(),
        placeholder: "ghp_reeve_placeholder_0001".to_owned(),
        variables: Vec::new(),
        bindings: vec![Binding { agents: Vec::new(), place, slot: Slot::Bearer }],
        added_at: reeve_domain::clock::Clock::now(world.clock.as_ref()),
        rotated_at: None,
        rotate_days: Some(90),
    };
    let credentials = world.engine.credentials();
    credentials.add(credential, Secret::from("a-secret-of-some-length".to_owned())).await.unwrap();
    let days = |days: u64| world.clock.advance(std::time::Duration::from_secs(days * 86_400));
    let told = async || rules(&world).await;
    days(89);
    assert_eq!(told().await, []);
    days(4);
    let old = Suggestion::Rotate { credential: "github".into(), name: "GitHub token".into(), days: 93 };
    assert_eq!(told().await, [old]);
    let now = reeve_domain::clock::Clock::now(world.clock.as_ref());
    credentials.replace(&id, Secret::from("another-secret-of-length".to_owned()), now).await.unwrap();
    assert_eq!(told().await, []);
    days(91);
    credentials.remind(&id, None).await.unwrap();
    assert_eq!(told().await, []);
    assert!(credentials.remind(&id, Some(0)).await.is_err() && credentials.remind(&id, Some(5_000)).await.is_err());
}
