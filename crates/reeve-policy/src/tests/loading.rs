//! What loads, and what is refused where.

use reeve_domain::settings::Preset;
use reeve_domain::verdict::Layer;

use super::*;
use crate::RuleKind;

fn problems(text: &str) -> String {
    match try_load(Preset::Balanced, &[mine(text)]) {
        Ok(_) => panic!("loads: {text}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn both_presets_load_without_a_notice_and_every_rule_knows_its_line() {
    for preset in [Preset::Balanced, Preset::Strict] {
        let set = load(preset, &[]);
        assert_eq!(set.notices(), [], "{preset:?}");
        let lines: Vec<String> = crate::preset_source(preset).text.lines().map(str::to_owned).collect();
        for rule in set.rules() {
            let line = &lines[rule.line as usize - 1];
            assert_eq!(*line, format!("@id(\"{}\")", rule.id), "{rule:?}");
            assert!(rule.text.starts_with("@id") && rule.text.ends_with(';'), "{}", rule.text);
        }
    }
}

#[test]
fn presets_are_laid_out_as_the_formatter_parses_them() {
    for preset in [Preset::Balanced, Preset::Strict] {
        let source = crate::preset_source(preset);
        assert!(crate::format(&source.file, &source.text).is_ok());
    }
}

#[test]
fn the_kind_of_a_rule_follows_from_its_text() {
    let set = load(
        Preset::Balanced,
        &[mine(
            r#"
            @id("a") @reason("r") permit (principal, action, resource);
            @id("b") @reason("r") forbid (principal, action, resource);
            @id("c") @reason("r") @liftable forbid (principal, action, resource) unless { context.approved };
            @id("d") @lifts("c, ask-destructive") permit (principal, action, resource);
            "#,
        )],
    );
    let kinds: Vec<RuleKind> = set.rules().iter().filter(|r| r.layer == Layer::Mine).map(|r| r.kind).collect();
    assert_eq!(kinds, [RuleKind::Permit, RuleKind::Forbid, RuleKind::Ask, RuleKind::Standing]);
}

#[test]
fn text_that_does_not_parse_is_refused_with_line_and_column() {
    let error = problems("@id(\"a\") @reason(\"r\")\npermit (principal, action resource);");
    assert!(error.contains("mine.cedar:2:27:"), "{error}");
}

#[test]
fn facts_the_schema_does_not_know_are_refused_with_line_and_column() {
    let error = problems(
        "@id(\"a\") @reason(\"r\")\nforbid (principal, action == Action::\"http.request\", resource)\nwhen { context.hots == \"x\" };",
    );
    assert!(error.contains("mine.cedar:3:8:") && error.contains("hots"), "{error}");
    let error = problems("@id(\"a\") @reason(\"r\")\nforbid (principal, action == Action::\"http.requst\", resource);");
    assert!(error.contains("mine.cedar:2:") && error.contains("http.requst"), "{error}");
    let error = problems(
        "@id(\"a\") @reason(\"r\") forbid (principal, action == Action::\"http.request\", resource) when { context.credential == \"x\" };",
    );
    assert!(error.contains("credential"), "an optional fact without `has`: {error}");
}

#[test]
fn every_problem_of_every_file_is_named_at_once() {
    let first = r#"permit (principal, action, resource);
@id("b") @reason("r") forbid (principal, action, resource) when { context.nonsense };"#;
    let second = r#"@id("ask-destructive") @reason("r") forbid (principal, action, resource);
@id("e") @reason("r") @risk("huge") forbid (principal, action, resource);"#;
    let error =
        try_load(Preset::Balanced, &[mine(first), source(Layer::Organisation, "org.cedar", second)]).unwrap_err();
    let text = error.to_string();
    for expected in [
        "mine.cedar:1:1: `@id",
        "mine.cedar:1:1: `@reason",
        "mine.cedar:2:67:",
        "org.cedar:2:1: `@risk(\"huge\")`",
        "is given twice",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn annotations_in_the_wrong_place_are_refused() {
    let head = "(principal, action == Action::\"http.request\", resource";
    for (text, expected) in [
        (format!("@liftable forbid {head});"), "`@liftable` belongs on a rule that asks"),
        (format!("@liftable(\"yes\") forbid {head}) unless {{ context.approved }};"), "`@liftable` takes no value"),
        (format!("@lifts(\"x\") forbid {head});"), "`@lifts` belongs on a permit"),
        (format!("@lifts(\"a b\") permit {head});"), "`a b` is not the name of a rule"),
        (format!("@expires(\"2026-12-20\") forbid {head});"), "`@expires` belongs on a permit"),
        (format!("@expires(\"tomorrow\") permit {head});"), "`@expires(\"tomorrow\")`"),
        (format!("@timeout(\"30\") permit {head});"), "`@timeout(\"30\")`"),
        (format!("@timeout(\"30s\") forbid {head});"), "belong on a permit without `@lifts`"),
        (format!("@addresses(\"10.0.0.0/8\") permit {head});"), "names its hosts"),
        (format!("@addresses(\"10.0.0.0/33\") permit {head} == Host::\"a.corp\");"), "10.0.0.0/33"),
        (format!("permit {head}) when {{ context.approved }};"), "must not depend on `context.approved`"),
        (format!("forbid {head} == Host::\"Example.com\");"), "write `example.com`"),
        (format!("forbid {head} == Host::\"*.*.com\");"), "*.*.com"),
        (format!("forbid {head} in HostGroup::\"gti-hosts\");"), "no group of hosts called `gti-hosts`"),
        ("forbid (principal == ?principal, action, resource);".to_owned(), "templates"),
    ] {
        let error = problems(&format!("@id(\"a\") @reason(\"r\") {text}"));
        assert!(error.contains(expected), "{text}\n{error}");
    }
}

#[test]
fn a_project_file_can_only_tighten_and_its_permits_are_ignored_visibly() {
    let text = r#"@id("p-allow") @reason("r") permit (principal, action, resource);
@id("p-lift") @lifts("ask-destructive") permit (principal, action, resource);
@id("p-deny") @reason("r") forbid (principal, action == Action::"http.request", resource == Host::"example.com");"#;
    let set = load(Preset::Balanced, &[source(Layer::Project, ".reeve/project.cedar", text)]);
    let ids: Vec<String> = set.rules().iter().filter(|r| r.layer == Layer::Project).map(|r| r.id.to_string()).collect();
    assert_eq!(ids, ["p-deny"]);
    assert_eq!(set.notices().len(), 2);
    assert!(set.notices()[0].to_string().starts_with(".reeve/project.cedar:1:1:"), "{:?}", set.notices());
}

#[test]
fn what_means_nothing_is_noticed() {
    let set = load(
        Preset::Strict,
        &[mine(
            r#"@id("a") @reason("r") @liftabel forbid (principal, action == Action::"http.request", resource);
@id("b") @lifts("ask-destructive, ask-nothing, ask-write") permit (principal, action, resource);"#,
        )],
    );
    let text = set.notices().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    for expected in
        ["`@liftabel` means nothing", "`ask-destructive`: its owner", "`ask-nothing`: there is no such rule"]
    {
        assert!(text.contains(expected), "{text}");
    }
    assert!(!text.contains("ask-write"), "{text}");
}

#[test]
fn the_revision_changes_with_every_input() {
    let rule = r#"@id("a") @reason("r") forbid (principal, action, resource);"#;
    let sets = [
        load(Preset::Balanced, &[]),
        load(Preset::Strict, &[]),
        load(Preset::Balanced, &[mine(rule)]),
        load(Preset::Balanced, &[source(Layer::Organisation, "mine.cedar", rule)]),
        load(Preset::Balanced, &[mine(&format!("{rule}\n"))]),
    ];
    let mut revisions: Vec<&str> = sets.iter().map(PolicySet::revision).collect();
    assert!(revisions.iter().all(|r| r.len() == 12 && r.bytes().all(|b| b.is_ascii_hexdigit())));
    assert_eq!(load(Preset::Balanced, &[]).revision(), sets[0].revision());
    revisions.sort_unstable();
    revisions.dedup();
    assert_eq!(revisions.len(), sets.len());
}

/// Loads as a project file, on a thread with the stack that servers give theirs.
fn load_elsewhere(text: String) -> Result<(), PolicyError> {
    let source = source(Layer::Project, "project.cedar", &text);
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let loading = thread.spawn(move || {
        let set = try_load(Preset::Balanced, &[source])?;
        let explained = set.explain(&http("GET", "api.example.com", "/"), &known());
        assert!(!explained.considered.is_empty());
        Ok(())
    });
    loading.unwrap().join().unwrap()
}

fn conditioned(condition: &str) -> String {
    format!("@id(\"a\") @reason(\"r\") forbid (principal, action, resource) when {{ {condition} }};")
}

#[test]
fn hostile_files_are_refused_and_take_nothing_down() {
    let deep = |open: &str, close: &str, n: usize| conditioned(&format!("{}true{}", open.repeat(n), close.repeat(n)));
    for text in [
        deep("(", ")", 100_000),
        deep("[", "]", 100_000),
        deep("!", "", 100_000),
        deep("if true then ", " else true", 20_000),
        conditioned(&vec!["context.approved"; 50_000].join(" && ")),
        conditioned(&format!("context{}", ".a".repeat(50_000))),
        "\0".to_owned(),
        "@".repeat(100_000),
        "\u{202e}permit".to_owned(),
        format!("// {}", "x".repeat(2_000_000)),
    ] {
        let start: String = text.chars().take(80).collect();
        assert!(load_elsewhere(text).is_err(), "{start}");
    }
}

#[test]
fn what_the_bounds_let_through_fits_on_the_stack() {
    let nested = format!("{}context.first_seen{}", "(".repeat(22), ")".repeat(22));
    for condition in [
        nested,
        vec!["context.first_seen"; 195].join(" && "),
        vec!["context.first_seen"; 195].join(" || "),
        format!("{}context.first_seen{}", "if true then ".repeat(390), " else true".repeat(390)),
        format!("0{} == 0", " + 1".repeat(390)),
        format!("[{}].contains(\"x\")", vec!["\"y\""; 20_000].join(", ")),
    ] {
        let start: String = condition.chars().take(80).collect();
        load_elsewhere(conditioned(&condition)).unwrap_or_else(|error| panic!("{start}: {error}"));
    }
}
