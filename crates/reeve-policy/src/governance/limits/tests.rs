//! The limits dialect: what loads, and what is refused where.

use std::time::Duration;

use super::*;

fn one(text: &str) -> Result<Limits, PolicyError> {
    load(&[("limits.yaml".to_owned(), text.to_owned())])
}

fn budget(line: &str) -> Result<Limits, PolicyError> {
    one(&format!("budgets:\n  - {line}\n"))
}

#[test]
fn a_budget_of_each_scope_and_window_loads_exactly() {
    let text = "
budgets:
  - { id: org, scope: organisation, window: month, max_cost: 2000.00 }
  - { id: web, scope: team, name: web, window: week, max_cost: $0.000000001 }
  - { id: mine, scope: me, window: day, max_cost: 10, on_exhausted: ask, output_floor: 2k }
  - { id: each, scope: agent, window: call, max_tokens: 200k }
  - { id: opus, scope: agent, name: codex, model: claude-opus-*, window: day, max_tokens: 1.5M }
  - { id: run, scope: session, window: total, max_cost: 5.00 }
";
    let limits = one(text).unwrap();
    let [org, web, mine, each, opus, run] = limits.budgets() else { panic!("{limits:?}") };
    assert_eq!(
        (&org.scope, org.window, org.limit, org.line),
        (&Scope::Organisation, Window::Month, Limit::Money(NanoUsd(2_000_000_000_000)), 3)
    );
    assert_eq!((&web.scope, web.limit), (&Scope::Team(TeamId::parse("web").unwrap()), Limit::Money(NanoUsd(1))));
    assert_eq!((&mine.scope, mine.on_exhausted, mine.output_floor), (&Scope::Me, OnExhausted::Ask, 2000));
    assert_eq!((&each.scope, each.window, each.limit), (&Scope::Agent(None), Window::Call, Limit::Tokens(200_000)));
    assert_eq!((opus.model.as_deref(), opus.limit), (Some("claude-opus-*"), Limit::Tokens(1_500_000)));
    assert_eq!(
        (&run.scope, run.window, run.output_floor),
        (&Scope::Session(None), Window::Total, DEFAULT_OUTPUT_FLOOR)
    );
}

#[test]
fn session_limits_of_several_files_keep_the_lowest() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let limits = load(&[
        file("limits.yaml", "session_limits:\n  max_cost: 5.00\n  max_candidates: 3\n"),
        file("mine.limits.yaml", "session_limits:\n  max_cost: 2.50\n  max_judge_calls: 10\n  max_candidates: 4\n"),
    ])
    .unwrap();
    let [cost] = limits.budgets() else { panic!("{limits:?}") };
    assert_eq!(
        (cost.limit, cost.file.as_str(), cost.line),
        (Limit::Money(NanoUsd(2_500_000_000)), "mine.limits.yaml", 2)
    );
    assert_eq!((limits.max_candidates(), limits.max_judge_calls()), (Some(3), Some(10)));
}

#[test]
fn pace_breakers_and_loops_load_and_what_is_wrong_with_them_is_refused() {
    let limits = one("
rate_limits:
  - { server: github, calls: 60, per: hour, at_once: 4 }
  - { server: github, tool: search, calls: 2 }
circuit_breakers: { failures: 2, open_for: 500ms }
loops: { warn: 3, hold: 0, window: 2m, burst: 30, also: [llm] }
session_limits: { judge_models: [claude-haiku-*, gpt-judge] }
")
    .unwrap();
    let [all, search] = limits.rates() else { panic!("{limits:?}") };
    assert_eq!((all.calls, all.at_once), (Some((60, Duration::from_secs(3600))), Some(4)));
    assert_eq!((search.calls, search.at_once), (Some((2, Duration::from_secs(60))), None));
    assert!(all.applies("github", "anything") && search.applies("github", "search"));
    assert!(!search.applies("github", "merge") && !all.applies("gitlab", "search"));
    let breakers = limits.breakers();
    assert_eq!((breakers.failures, breakers.refusals, breakers.open_for), (2, 3, Duration::from_millis(500)));
    let loops = limits.loops();
    assert_eq!((loops.warn, loops.hold, loops.pause, loops.burst), (3, 0, 20, 30));
    assert!(loops.models && !loops.requests);
    assert!(limits.judges("claude-haiku-4-5") && limits.judges("gpt-judge") && !limits.judges("gpt-judge-2"));
    for (text, place) in [
        ("rate_limits: [{ server: a }]", "limits.yaml:1:25: a rate limit has"),
        ("rate_limits: [{ server: a, calls: 0 }]", "limits.yaml:1:35: it must be 1"),
        ("rate_limits: [{ server: a, calls: 1, per: fortnight }]", "limits.yaml:1:43: `fortnight`"),
        ("rate_limits: [{ server: a, at_once: 1, per: hour }]", "limits.yaml:1:45: `per`"),
        ("circuit_breakers: { open_for: 30 }", "limits.yaml:1:31: `30` is not a duration"),
        ("loops: { warn: 1 }", "limits.yaml:1:16: one step"),
        ("retries: { times: 11 }", "limits.yaml:1:19: at most 10"),
        ("retries: { times: -1 }", "limits.yaml:1:19: `-1` is not a whole number"),
        ("retries: { wait: 0s }", "limits.yaml:1:18: `0s` is not a duration"),
        ("loops: { also: [mcp] }", "limits.yaml:1:17: `mcp`"),
    ] {
        let error = one(text).unwrap_err().to_string();
        assert!(error.contains(place), "{text}\n{error}");
    }
}

#[test]
fn an_empty_file_limits_nothing() {
    assert_eq!(one("# nothing yet\n\n").unwrap(), Limits::default());
    assert_eq!(one("").unwrap(), Limits::default());
}

#[test]
fn what_is_wrong_is_refused_with_its_line_and_column() {
    for (text, place) in [
        ("{ id: a, scope: me, window: day, max_cost: five }", "limits.yaml:2:48: `five`"),
        ("{ id: a, scope: me, window: day, max_cost: -1 }", "limits.yaml:2:48: `-1`"),
        ("{ id: a, scope: me, window: fortnight, max_cost: 1 }", "limits.yaml:2:33: `fortnight`"),
        ("{ id: a, scope: us, window: day, max_cost: 1 }", "limits.yaml:2:21: `us`"),
        ("{ id: a b, scope: me, window: day, max_cost: 1 }", "limits.yaml:2:11: `a b`"),
        ("{ id: a, scope: me, name: x, window: day, max_cost: 1 }", "limits.yaml:2:31: this scope takes no `name`"),
        ("{ id: a, scope: team, window: day, max_cost: 1 }", "limits.yaml:2:21: the scope `team`"),
        ("{ id: a, scope: me, window: day }", "limits.yaml:2:11: a budget has exactly one"),
        ("{ id: a, scope: me, window: day, max_cost: 1, max_tokens: 1 }", "limits.yaml:2:11: a budget has exactly one"),
        ("{ id: a, scope: me, window: day, max_tokens: 1.5 }", "limits.yaml:2:50: `1.5`"),
        ("{ id: a, scope: session, window: day, max_cost: 1 }", "limits.yaml:2:38: a session's budget"),
        ("{ id: a, scope: me, window: day, max_cost: 1, model: '*-opus' }", "limits.yaml:2:58: `*-opus`"),
        ("{ id: a, scope: me, window: day, max_cost: 1, on_exhausted: beg }", "limits.yaml:2:65: `beg`"),
        ("{ id: session-max-cost, scope: me, window: day, max_cost: 1 }", "limits.yaml:2:11: `session-max-cost`"),
    ] {
        let error = budget(text).unwrap_err().to_string();
        assert!(error.contains(place), "{text}\n{error}");
    }
}

#[test]
fn unknown_keys_broken_yaml_and_ids_given_twice_are_refused() {
    for (text, place) in [
        ("budgets: []\nbudgest: []\n", "limits.yaml:2:"),
        ("budgets:\n  - { id: a, scope: me, window: day, max_cost: 1, colour: red }\n", "limits.yaml:2:"),
        ("session_limits:\n  max_cots: 1\n", "limits.yaml:2:"),
        ("budgets: [\n", "limits.yaml:"),
        ("budgets: []\nbudgets: []\n", "limits.yaml:2:"),
    ] {
        let error = one(text).unwrap_err().to_string();
        assert!(error.contains(place), "{text}\n{error}");
    }
    let twice = "budgets:\n  - { id: a, scope: me, window: day, max_cost: 1 }\n  - { id: a, scope: me, window: week, max_cost: 1 }\n";
    let error = one(twice).unwrap_err().to_string();
    assert!(error.contains("limits.yaml:3") && error.contains("also limits.yaml:2"), "{error}");
}

#[test]
fn every_problem_of_every_file_is_named_at_once() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let bad = "budgets:\n  - { id: a, scope: us, window: fortnight, max_cost: five }\n";
    let error = load(&[file("limits.yaml", bad), file("mine.limits.yaml", "x: 1\n")]).unwrap_err();
    assert_eq!(error.problems().len(), 4, "{error}");
}

#[test]
fn the_shipped_example_loads_and_its_schema_knows_the_same_keys() {
    let example = include_str!("../../../../../policies/limits.yaml");
    let limits = one(example).unwrap();
    assert!(limits.budgets().len() >= 3 && limits.max_candidates().is_some());
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../../../policies/limits.schema.json")).unwrap();
    let keys = |pointer: &str| -> Vec<String> {
        schema.pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect()
    };
    let mut budget = keys("/$defs/budget/properties");
    budget.sort();
    assert_eq!(
        budget,
        ["id", "max_cost", "max_tokens", "model", "name", "on_exhausted", "output_floor", "scope", "window"]
    );
    for key in &budget {
        let unknown = format!("budgets:\n  - {{ {key}: [x] }}\n");
        let error = one(&unknown).unwrap_err().to_string();
        assert!(!error.contains("unknown field"), "{key}: {error}");
    }
    let mut session = keys("/properties/session_limits/properties");
    session.sort();
    assert_eq!(session, ["judge_models", "max_candidates", "max_cost", "max_judge_calls"]);
    for section in ["circuit_breakers", "loops"] {
        for key in keys(&format!("/properties/{section}/properties")) {
            let error = one(&format!("{section}:\n  {key}: {{}}\n")).unwrap_err().to_string();
            assert!(!error.contains("unknown field"), "{section}.{key}: {error}");
        }
    }
}

#[test]
fn hostile_yaml_is_refused_and_takes_nothing_down() {
    let bomb = (1..30).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, n| {
        let before = n - 1;
        format!("{text}a{n}: &a{n} [*a{before}, *a{before}, *a{before}, *a{before}, *a{before}, *a{before}]\n")
    });
    for text in [
        format!("budgets: {}", "[".repeat(100_000)),
        format!("budgets: {}", "{a: ".repeat(50_000)),
        bomb,
        "\0".to_owned(),
    ] {
        assert!(one(&text).is_err(), "{}", text.chars().take(60).collect::<String>());
    }
}
