//! Rules put in force: checked, kept as versions, recorded; and what a rule that only observes leaves behind.

use reeve_domain::event::{Event, EventBody};
use reeve_engine::Ruling;
use reeve_engine::policies::draft::{Draft, FileChange, Part};
use reeve_engine::policies::history::{Author, How};
use reeve_engine::policies::replay::WINDOW;
use reeve_policy::diff::Leaning;

use crate::world::{World, dana};

const NO_DOCS: &str =
    "@id(\"no-docs\")\n@reason(\"not today\")\nforbid (principal, action, resource == Host::\"docs.acme.example\");\n";

fn draft(part: Part, text: &str) -> Draft {
    Draft { changes: vec![FileChange { file: "mine.cedar".to_owned(), part, text: text.to_owned() }], complete: false }
}

fn by_dana() -> Author {
    Author { person: dana(None), how: How::Saved, note: Some("for a while".to_owned()) }
}

async fn passes(world: &World) -> bool {
    let live = world.session("tester").await;
    let read = world.http(&live, "GET", "docs.acme.example", "/page");
    matches!(world.gate().admit(read, serde_json::json!({})).await, Ruling::Admitted(_))
}

#[tokio::test]
async fn a_saved_rule_binds_at_once_and_leaves_a_version_and_a_record() {
    let world = World::new().await;
    assert!(passes(&world).await);
    let before = world.engine.policies().in_force().set.revision().to_owned();
    world.engine.save_policies(&draft(Part::New, NO_DOCS), Some(&before), &by_dana()).await.unwrap();
    assert!(!passes(&world).await);
    let versions = world.engine.policies().versions().unwrap();
    assert_eq!((versions[0].by.as_deref(), versions[0].note.as_deref()), (Some("dana"), Some("for a while")));
    assert_eq!((versions[0].files[0].before.as_deref(), versions[0].files[0].after.as_deref()), (None, Some(NO_DOCS)));
    let events = world.engine.store().events(None, 50).await.unwrap();
    let told = events.iter().find_map(|event| match &event.body {
        EventBody::PolicyChanged { what, text } => Some((what.clone(), text.clone())),
        _ => None,
    });
    let (what, text) = told.expect("the change is recorded");
    assert!(
        what.contains("dana") && what.contains("mine.cedar") && text.contains("@id(\"no-docs\")"),
        "{what}: {text}"
    );
    // What was drafted on older rules is not put over newer ones.
    let stale = world.engine.save_policies(&draft(Part::File, "// none\n"), Some(&before), &by_dana()).await;
    assert!(stale.unwrap_err().to_string().contains("changed meanwhile"));
    world.engine.save_policies(&draft(Part::Rule("no-docs".to_owned()), ""), None, &by_dana()).await.unwrap();
    assert!(passes(&world).await);
}

#[tokio::test]
async fn what_does_not_load_or_fails_a_case_changes_nothing() {
    let cases = "cases:\n  - name: docs are read\n    http: { method: GET, url: 'https://docs.acme.example/' }\n    expect: allow\n";
    let world = World::new().await;
    let folder = world.engine.policies().folder();
    std::fs::create_dir_all(folder.join("cases")).unwrap();
    std::fs::write(folder.join("cases/mine.yaml"), cases).unwrap();
    for (text, why) in [(NO_DOCS, "docs are read"), ("forbid (principal", "does not load")] {
        let refused =
            world.engine.save_policies(&draft(Part::New, text), None, &by_dana()).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    assert!(!folder.join("mine.cedar").exists());
    assert!(world.engine.policies().versions().unwrap().is_empty());
    assert!(passes(&world).await);
}

#[tokio::test]
async fn case_files_are_saved_with_the_rules_and_kept_as_versions() {
    let world = World::new().await;
    let policies = world.engine.policies();
    let cases = |expect: &str, part: Part| {
        let text = format!(
            "cases:\n  - name: docs\n    http: {{ method: GET, url: 'https://docs.acme.example/' }}\n    expect: {expect}\n"
        );
        Draft { changes: vec![FileChange { file: "cases/mine.yaml".to_owned(), part, text }], complete: false }
    };
    world.engine.save_policies(&cases("allow", Part::File), None, &by_dana()).await.unwrap();
    let wrong = world.engine.save_policies(&cases("deny", Part::File), None, &by_dana()).await.unwrap_err().to_string();
    assert!(wrong.contains("cases/mine.yaml:2") && wrong.contains("docs"), "{wrong}");
    // What changes outside beside them leaves them where they are.
    let other = NO_DOCS.replace("docs.acme.example", "other.acme.example");
    std::fs::write(policies.folder().join("mine.cedar"), other).unwrap();
    world.engine.reload().await.unwrap();
    world.engine.save_policies(&cases("", Part::Gone), None, &by_dana()).await.unwrap();
    assert!(!policies.folder().join("cases/mine.yaml").exists());
    let versions = policies.versions().unwrap();
    // What was edited outside has the moment of its file, which is not the clock of this world.
    let mut seen: Vec<_> = versions.iter().flat_map(|v| &v.files).map(|f| (&*f.file, f.after.is_some())).collect();
    seen.sort_unstable();
    assert_eq!(seen, [("cases/mine.yaml", false), ("cases/mine.yaml", true), ("mine.cedar", true)]);
}

#[tokio::test]
async fn an_edit_outside_is_a_version_too() {
    let world = World::with("policies/mine.cedar", NO_DOCS).await;
    assert_eq!(world.engine.policies().versions().unwrap()[0].how, How::Found);
    let path = world.engine.policies().folder().join("mine.cedar");
    std::fs::write(&path, NO_DOCS.replace("not today", "never")).unwrap();
    world.engine.reload().await.unwrap();
    let versions = world.engine.policies().versions().unwrap();
    assert_eq!((versions.len(), versions[0].how, versions[0].by.as_deref()), (2, How::Outside, None));
    assert_eq!(versions[0].files[0].before.as_deref(), Some(NO_DOCS));
}

#[tokio::test]
async fn a_rule_that_only_observes_is_counted_and_found_and_decides_nothing() {
    let observing = NO_DOCS.replace("@reason", "@mode(\"observe\")\n@reason");
    let world = World::with("policies/mine.cedar", &observing).await;
    assert!(passes(&world).await && passes(&world).await);
    let hits = world.engine.store().rule_hits(world.engine.now() - WINDOW).await.unwrap();
    assert!(hits.contains(&("no-docs".to_owned(), 2)), "{hits:?}");
    let query = reeve_domain::query::parse("rule:no-docs").query;
    let page = reeve_store::Page { before: None, limit: 10 };
    let rows = world.engine.store().search(&query, page).await.unwrap().rows;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.decision.passed() && !row.rules.contains(&"no-docs".to_owned())));
    // The draft that enforces it shows what it would have denied, on one operation as on all.
    let candidate = world.engine.policies().candidate(&draft(Part::File, NO_DOCS)).unwrap().whole().unwrap();
    let judged = world.engine.what_if(&rows[0].operation, Some(candidate)).await.unwrap();
    assert_eq!(judged.now.verdict.observed()[0].rule.as_str(), "no-docs");
    assert_eq!(judged.draft.unwrap().verdict.reasons()[0].rule.as_str(), "no-docs");
}

#[tokio::test]
async fn rules_for_tools_are_saved_kept_and_brought_back_like_any() {
    let world = World::new().await;
    let tools = |part, text: &str| {
        let change = FileChange { file: "tools.yaml".to_owned(), part, text: text.to_owned() };
        Draft { changes: vec![change], complete: false }
    };
    let rows = || {
        let tool = world.engine.policies().in_force().tools.tool("db", "write");
        tool.and_then(|rules| rules.max_row_count).map(|max| max.value)
    };
    let five = "tool_policies:\n  db/write: { max_row_count: 5 }\n";
    world.engine.save_policies(&tools(Part::File, five), None, &by_dana()).await.unwrap();
    assert_eq!(rows(), Some(5));
    let four = five.replace('5', "4");
    world.engine.save_policies(&tools(Part::File, &four), None, &by_dana()).await.unwrap();
    assert_eq!(rows(), Some(4));
    let versions = world.engine.policies().versions().unwrap();
    let file = &versions[0].files[0];
    assert_eq!(
        (file.file.as_str(), file.before.as_deref(), file.after.as_deref()),
        ("tools.yaml", Some(five), Some(&*four))
    );
    // The way back to the version before.
    world.engine.save_policies(&tools(Part::File, five), None, &by_dana()).await.unwrap();
    assert_eq!(rows(), Some(5));
    let bad = world.engine.save_policies(&tools(Part::File, "tool_policies: 5\n"), None, &by_dana()).await;
    assert!(bad.unwrap_err().to_string().contains("tools.yaml"));
    assert_eq!(rows(), Some(5));
    let limits =
        |cost: &str| format!("policies:\n  session_limits: {{ max_cost: {cost}, max_judge_calls: 2 }}\n{five}");
    world.engine.save_policies(&tools(Part::File, &limits("2.50")), None, &by_dana()).await.unwrap();
    let draft = tools(Part::File, &limits("1.50"));
    let candidate = world.engine.policies().candidate(&draft).unwrap();
    let differ = candidate.tools_since(&world.engine.policies().in_force(), &candidate.whole().unwrap());
    assert_eq!(differ.len(), 1, "{differ:?}");
    assert_eq!((&*differ[0].name, differ[0].leaning), ("policies.session_limits", Leaning::Tighter));
    world.engine.save_policies(&draft, None, &by_dana()).await.unwrap();
    let events = world.engine.store().events(None, 50).await.unwrap();
    let told = |said: &str| {
        let says = |event: &Event| matches!(&event.body, EventBody::PolicyChanged { text, .. } if text == said);
        assert!(events.iter().any(says), "{said} is recorded: {events:?}");
    };
    told("# new: tool_policies.db/write\n  db/write: { max_row_count: 5 }");
    told("# changed: tool_policies.db/write\n  db/write: { max_row_count: 4 }");
    told("# new: policies.session_limits\nmax_cost: $2.50\nmax_judge_calls: 2");
    told("# changed: policies.session_limits\nmax_cost: $1.50\nmax_judge_calls: 2");
}
