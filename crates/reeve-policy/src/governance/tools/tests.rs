//! The dialect of rules for tools: what loads and what it means, and what is refused where.

use std::sync::Arc;

use reeve_domain::id::OperationId;
use reeve_domain::obligation::{IdempotenceScope, Obligation, OnDuplicate, OnUnknown};
use reeve_domain::operation::{
    Argument, ArgumentValue, DataFound, DataKind, Digest, McpToolCall, McpTransport, Operation, Purpose, RowCount,
    SchemaCheck, SchemaProblem, Subject, ToolAnnotations,
};
use reeve_domain::settings::Preset;
use reeve_domain::verdict::{Decision, Risk, Verdict};

use super::*;
use crate::diff::Leaning;
use crate::limits;
use crate::tests::{http, known, load as set, mine, rules};

/// The example that the documentation gives.
const EXAMPLE: &str = r#"
policies:
  session_limits: { max_cost: 2.50, max_candidates: 4, max_judge_calls: 2 }
tool_policies:
  update_customer_records:
    max_row_count: 100
    require_dry_run: true
    forbidden_argument_values: { mode: ["truncate", "drop"] }
    arguments: { query: redact }
    timeout: "15s"
tool_governance:
  send_notification_email:
    idempotency_key: "request_id"
    cache_ttl: "24h"
    on_duplicate: "return_cached"
    strict_mode: true
"#;

fn source(layer: Layer, text: &str) -> ToolsSource {
    ToolsSource { layer, file: "tools.yaml".to_owned(), text: text.to_owned() }
}

fn one(text: &str) -> Result<ToolRules, PolicyError> {
    load(&[source(Layer::Mine, text)])
}

fn call(name: &str, arguments: &[(&str, ArgumentValue)]) -> McpToolCall {
    let argument = |(path, value): &(&str, ArgumentValue)| Argument { path: (*path).to_owned(), value: value.clone() };
    McpToolCall {
        server: "crm".to_owned(),
        transport: McpTransport::Stdio,
        tool: name.to_owned(),
        // What the presets ask about is another matter.
        annotations: ToolAnnotations { read_only: Some(true), ..ToolAnnotations::default() },
        arguments: arguments.iter().map(argument).collect(),
        is_whole: true,
        argument_bytes: 9,
        schema: SchemaCheck::Unchecked,
        definition: None,
        endpoint: None,
        purpose: Purpose::Call,
        rows: RowCount::NotCounted,
        data: Vec::new(),
    }
}

fn text(words: &str) -> ArgumentValue {
    ArgumentValue::Text(words.to_owned())
}

fn operation(call: McpToolCall) -> Operation {
    let base = http("GET", "unused.example", "/");
    Operation { subject: Subject::Mcp(call), content: Digest::of(b"this call"), ..base }
}

/// Judged by these rules over a policy that permits every tool.
fn judged(yaml: &str, call: McpToolCall) -> Verdict {
    let all = "@id(\"all\") @reason(\"r\") permit (principal, action == Action::\"mcp.tool_call\", resource);";
    let set = set(Preset::Balanced, &[mine(all)]).with_tools(Arc::new(one(yaml).unwrap()));
    set.evaluate(&operation(call), &known())
}

fn counted(rows: u64, for_content: &[u8]) -> RowCount {
    RowCount::Counted { rows, preview: OperationId::new(), arguments: Digest::of(for_content) }
}

#[test]
fn a_file_that_others_write_loads_unchanged_and_says_where_more_is_asked_here() {
    let rules = one(EXAMPLE).unwrap();
    let tool = rules.tool("crm", "update_customer_records").unwrap();
    assert_eq!(tool.max_row_count.as_ref().map(|max| (max.value, max.line)), Some((100, 6)));
    assert_eq!(tool.dry_run.as_ref().map(|dry_run| dry_run.value), Some(None));
    assert_eq!(tool.timeout_seconds, Some(15));
    assert_eq!(tool.data.as_ref().unwrap().argument("query"), DataAction::Redact);
    let once = rules.tool("mail", "send_notification_email").unwrap().idempotence.unwrap();
    assert_eq!((once.key_fields, once.cache_ttl_seconds, once.strict), (vec!["request_id".to_owned()], 86_400, true));
    assert_eq!(
        (once.scope, once.on_duplicate, once.on_unknown),
        (IdempotenceScope::Agent, OnDuplicate::ReturnCached, OnUnknown::Ask)
    );
    let notices: Vec<(u32, &str)> = rules.notices().iter().map(|n| (n.line, n.message.as_str())).collect();
    assert!(notices.iter().any(|(line, message)| *line == 7 && message.contains("every call")), "{notices:?}");
    assert!(notices.iter().any(|(line, message)| *line == 5 && message.contains("preview")), "{notices:?}");
    let limits = limits::load_with(&[], &[source(Layer::Mine, EXAMPLE)]).unwrap();
    assert_eq!((limits.max_candidates(), limits.max_judge_calls(), limits.budgets().len()), (Some(4), Some(2), 1));
    assert!(rules.tool("crm", "read_customer_records").is_none());
}

#[test]
fn what_is_wrong_is_refused_with_its_line() {
    let refused = |yaml: &str| match one(yaml) {
        Err(error) => error.problems().first().map(|problem| (problem.line, problem.message.clone())).unwrap(),
        Ok(rules) => panic!("`{yaml}` loads: {rules:?}"),
    };
    for (yaml, line, word) in [
        ("tool_policies:\n  t:\n    max_rows: 5\n", 3, "max_rows"),
        ("tool_policies:\n  t:\n    timeout: 15 seconds\n", 3, "duration"),
        ("tool_policies:\n  t:\n    timeout: 0s\n", 3, "duration"),
        ("tool_policies:\n  t:\n    max_row_count: -1\n", 3, "whole number"),
        ("tool_policies:\n  t:\n    max_row_count: 1.5\n", 3, "whole number"),
        ("tool_policies:\n  t:\n    max_row_count: 99999999999999999999\n", 3, "whole number"),
        ("tool_policies:\n  t:\n    arguments: { q: hide }\n", 3, "redact"),
        ("tool_policies:\n  t:\n    schema_validation: maybe\n", 3, "enforce"),
        ("tool_policies:\n  t:\n    preview: { sql: q, tool: x }\n", 3, "preview"),
        ("tool_policies:\n  t:\n    preview: { sql: q, reader: r }\n", 3, "preview"),
        ("tool_policies:\n  t:\n    forbidden_argument_values: { mode: [] }\n", 3, "nothing"),
        ("tool_policies:\n  t:\n    forbidden_argument_values: { mode: { pattern: '(' } }\n", 3, "pattern"),
        ("tool_policies:\n  'a*b': {}\n", 2, "not a tool"),
        ("tool_governance:\n  t:\n    on_duplicate: maybe\n", 3, "return_cached"),
        ("tool_governance:\n  t:\n    on_unknown: probe\n", 3, "probe"),
        ("tool_governance:\n  t:\n    final_errors: ['']\n", 3, "every error"),
        ("method_policies:\n  resources: deny\n", 2, "names no server"),
        ("method_policies:\n  '*/tools/call': deny\n", 2, "always passes"),
        ("method_policies:\n  '*/prompts/*': ask\n", 2, "is not `deny`"),
        ("rules: {}\n", 1, "rules"),
    ] {
        let (at, message) = refused(yaml);
        assert!(at == line && message.contains(word), "{yaml}: line {at}, {message}");
    }
}

#[test]
fn a_method_is_kept_from_the_servers_that_its_rule_names_and_from_no_tool() {
    let text = "method_policies:\n  'git/resources/*': deny\n  '*/prompts/get': deny\n  'shy/*': deny\n";
    let rules = one(text).unwrap();
    let kept = |server: &str, method: &str| rules.refused_method(server, method).map(|rule| rule.line);
    assert_eq!((kept("git", "resources/read"), kept("git", "prompts/get")), (Some(2), Some(3)));
    assert_eq!((kept("db", "resources/read"), kept("db", "prompts/get")), (None, Some(3)));
    assert_eq!(
        (kept("shy", "completion/complete"), kept("shy", "initialize"), kept("shy", "tools/call")),
        (Some(4), None, None)
    );
    assert!(rules.tool("shy", "resources/read").is_none(), "it is a rule for methods");
    let none = one("").unwrap();
    let leanings =
        |before, after| diff(before, after).into_iter().map(|one| (one.name, one.leaning)).collect::<Vec<_>>();
    let name = |of: &str| format!("method_policies.{of}");
    assert_eq!(leanings(&none, &rules)[0], (name("git/resources/*"), Leaning::Tighter));
    assert_eq!(leanings(&rules, &none)[0], (name("git/resources/*"), Leaning::Looser));
}

#[test]
fn of_several_layers_and_names_the_tightest_holds() {
    let organisation =
        "tool_policies:\n  'crm/*':\n    max_row_count: 50\n    timeout: 1m\n    schema_validation: enforce\n";
    let own = "tool_policies:\n  update*:\n    max_row_count: 500\n    timeout: 10s\n    schema_validation: 'off'\n    on_exceeded: deny\n";
    let rules = load(&[source(Layer::Organisation, organisation), source(Layer::Mine, own)]).unwrap();
    let both = rules.tool("crm", "update_all").unwrap();
    assert_eq!((both.max_row_count.unwrap().value, both.timeout_seconds), (50, Some(10)));
    assert_eq!((both.schema.unwrap().value, both.on_exceeded), (SchemaMode::Enforce, OnExceeded::Deny));
    assert_eq!(rules.tool("erp", "update_all").unwrap().max_row_count.unwrap().value, 500);
    assert!(rules.tool("erp", "crm/update").is_none());
}

#[test]
fn a_forbidden_value_is_found_at_any_depth_and_one_that_cannot_be_told_is_asked_about() {
    let yaml = "tool_policies:\n  t:\n    forbidden_argument_values: { mode: [truncate, 5], 'a.b': { pattern: '^dr', case_insensitive: true } }\n";
    for (path, value, want) in [
        ("mode", text("truncate"), Decision::Deny),
        ("options.mode", text("truncate"), Decision::Deny),
        ("steps[3].mode", text("truncate"), Decision::Deny),
        ("mode.kinds[0]", text("truncate"), Decision::Deny),
        ("mode", ArgumentValue::Number("5".to_owned()), Decision::Deny),
        ("mode", text("5"), Decision::Deny),
        ("A.b.c", text("DROP all"), Decision::Deny),
        ("mode", text("append"), Decision::Allow),
        ("modes", text("truncate"), Decision::Allow),
        (r"x\.mode", text("truncate"), Decision::Allow),
        ("a.c.b", text("drop"), Decision::Allow),
    ] {
        let verdict = judged(yaml, call("t", &[(path, value)]));
        assert_eq!(verdict.decision(), want, "{path}");
        if want == Decision::Deny {
            let reason = &verdict.reasons()[0];
            assert_eq!((reason.rule.as_str(), reason.file.as_str(), reason.line), (FORBIDDEN_VALUE, "tools.yaml", 3));
            assert!(verdict.obligations().is_empty());
        }
    }
    let hidden = McpToolCall { is_whole: false, ..call("t", &[("mode", text("(redacted)"))]) };
    assert_eq!(judged(yaml, hidden).decision(), Decision::Ask);
    let elsewhere =
        McpToolCall { is_whole: false, ..call("t", &[("mode", text("append")), ("x", text("(redacted)"))]) };
    assert_eq!(judged(yaml, elsewhere).decision(), Decision::Allow);
    let flood: Vec<String> = (0..256).map(|n| format!("k{n}")).collect();
    let flood: Vec<(&str, ArgumentValue)> = flood.iter().map(|name| (name.as_str(), text("x"))).collect();
    let flood = McpToolCall { is_whole: false, ..call("t", &flood) };
    assert_eq!(judged(yaml, flood).decision(), Decision::Ask, "what was left out may be it");
}

#[test]
fn rows_are_counted_by_reeve_or_a_human_is_asked() {
    let yaml = "tool_policies:\n  t:\n    max_row_count: 100\n    preview: { tool: twin }\n";
    let with = |rows: RowCount, claimed: &str| {
        let claimed = ArgumentValue::Number(claimed.to_owned());
        judged(yaml, McpToolCall { rows, ..call("t", &[("row_count", claimed)]) })
    };
    let uncounted = with(RowCount::NotCounted, "1");
    assert_eq!((uncounted.decision(), rules(&uncounted)), (Decision::Ask, vec![UNCOUNTED_ROWS]));
    assert!(uncounted.obligations().iter().any(|one| matches!(one, Obligation::DryRun { .. })));
    let uncountable = with(RowCount::Uncountable { why: "the server says nothing".to_owned() }, "1");
    assert_eq!((uncountable.decision(), rules(&uncountable)), (Decision::Ask, vec![UNCOUNTED_ROWS]));
    assert_eq!(with(counted(100, b"this call"), "5000").decision(), Decision::Allow);
    let many = with(counted(101, b"this call"), "1");
    assert_eq!((many.decision(), rules(&many), many.risk()), (Decision::Ask, vec![TOO_MANY_ROWS], Risk::High));
    assert_eq!(many.reasons()[0].text, "it would change 101 rows, and above 100 a human decides");
    let never = yaml.replace("preview:", "on_exceeded: deny\n    preview:");
    let denied = judged(&never, McpToolCall { rows: counted(101, b"this call"), ..call("t", &[]) });
    assert_eq!(denied.decision(), Decision::Deny);
    assert_eq!(denied.reasons()[0].text, "it would change 101 rows, and 100 are allowed");
    assert!(many.reasons()[0].line == 3 && !many.reasons()[0].liftable);
    let other = with(counted(1, b"another call"), "1");
    assert_eq!(rules(&other), [UNCOUNTED_ROWS], "a count is for the call that it was made for");
    let preview = McpToolCall { purpose: Purpose::Preview, ..call("t", &[]) };
    assert_eq!(judged(yaml, preview).decision(), Decision::Allow);
}

#[test]
fn a_dry_run_without_a_threshold_is_always_required_and_with_one_only_above() {
    let always = "tool_policies:\n  t:\n    require_dry_run: true\n    preview: { tool: twin }\n";
    let above =
        "tool_policies:\n  t:\n    require_dry_run: true\n    dry_run_threshold: 10\n    preview: { tool: twin }\n";
    let with = |yaml: &str, rows: RowCount| judged(yaml, McpToolCall { rows, ..call("t", &[]) }).decision();
    assert_eq!(with(always, RowCount::NotCounted), Decision::Ask);
    assert_eq!(with(always, counted(1, b"this call")), Decision::Allow);
    assert_eq!(with(above, RowCount::NotCounted), Decision::Ask);
    assert_eq!(with(above, counted(10, b"this call")), Decision::Allow);
    assert_eq!(with(above, counted(11, b"this call")), Decision::Ask);
    let own = "tool_policies:\n  t:\n    require_dry_run: true\n    preview: { argument: dry_run }\n";
    let asks = |value: ArgumentValue| judged(own, call("t", &[("dry_run", value)])).decision();
    assert_eq!(asks(ArgumentValue::Bool(true)), Decision::Allow, "it is a dry run itself");
    assert_eq!(asks(text("true")), Decision::Ask, "a text is no flag");
    for elsewhere in ["x.dry_run", "dry_run[0]", "dry_run[0][1]"] {
        let elsewhere_true = judged(own, call("t", &[(elsewhere, ArgumentValue::Bool(true))]));
        assert_eq!(elsewhere_true.decision(), Decision::Ask, "{elsewhere} is not the flag");
    }
    let dotted = own.replace("dry_run }", "\"dry.run\" }");
    assert_eq!(judged(&dotted, call("t", &[(r"dry\.run", ArgumentValue::Bool(true))])).decision(), Decision::Allow);
}

#[test]
fn a_dry_run_without_a_threshold_lifts_none_of_another_layer() {
    let mine = "tool_policies:\n  t:\n    dry_run_threshold: 50\n    preview: { tool: twin }\n";
    let other = "tool_policies:\n  t:\n    require_dry_run: true\n";
    let both = load(&[source(Layer::Mine, mine), source(Layer::Project, other)]).unwrap();
    let dry_run = both.tool("crm", "t").unwrap().dry_run.unwrap();
    assert_eq!((dry_run.value, dry_run.layer), (Some(50), Layer::Mine));
}

#[test]
fn what_one_rule_says_of_all_arguments_holds_for_those_that_another_names() {
    let named = "tool_policies:\n  t:\n    arguments: { note: allow }\n  crm/t:\n    argument_default: block\n";
    let data = one(named).unwrap().tool("crm", "t").unwrap().data.unwrap();
    assert_eq!((data.argument("note"), data.argument("other")), (DataAction::Block, DataAction::Block));
    let within = "tool_policies:\n  t:\n    arguments: { note: allow }\n    argument_default: block\n";
    let data = one(within).unwrap().tool("crm", "t").unwrap().data.unwrap();
    assert_eq!((data.argument("note"), data.argument("other")), (DataAction::Allow, DataAction::Block));
}

#[test]
fn personal_data_that_is_blocked_and_arguments_that_do_not_fit_are_denied_with_words() {
    let yaml = "tool_policies:\n  t:\n    arguments: { note: block }\n    schema_validation: enforce\n";
    let found = |path: &str| DataFound { path: path.to_owned(), kind: DataKind::Email };
    let blocked = judged(yaml, McpToolCall { data: vec![found("note[0].to")], ..call("t", &[]) });
    assert_eq!((blocked.decision(), rules(&blocked)), (Decision::Deny, vec![BLOCKED_DATA]));
    assert_eq!(judged(yaml, McpToolCall { data: vec![found("x")], ..call("t", &[]) }).decision(), Decision::Allow);
    let problem = |path: &str| SchemaProblem {
        path: path.to_owned(),
        expected: "a whole number".to_owned(),
        found: "a text".to_owned(),
    };
    let fails = SchemaCheck::Fails { problems: vec![problem("limit")] };
    let unfit = judged(yaml, McpToolCall { schema: fails.clone(), ..call("t", &[]) });
    assert_eq!((unfit.decision(), rules(&unfit)), (Decision::Deny, vec![UNFIT_ARGUMENTS]));
    assert!(unfit.reasons()[0].text.contains("`limit` must be a whole number, and is a text"));
    let observed = yaml.replace("enforce", "observe");
    assert_eq!(judged(&observed, McpToolCall { schema: fails, ..call("t", &[]) }).decision(), Decision::Allow);
}

#[test]
fn rules_in_cedar_stay_as_strict_as_they_are_and_the_revision_tells_of_both() {
    let no = "@id(\"no\") @reason(\"r\") forbid (principal, action == Action::\"mcp.tool_call\", resource);";
    let bare = set(Preset::Balanced, &[mine(no)]);
    let before = bare.revision().to_owned();
    let with = bare.with_tools(Arc::new(one(EXAMPLE).unwrap()));
    assert_ne!(before, with.revision());
    assert_eq!(with.notices().len(), 2);
    let verdict = with.evaluate(&operation(call("update_customer_records", &[])), &known());
    assert_eq!((verdict.decision(), rules(&verdict)), (Decision::Deny, vec!["no"]));
    assert_eq!(verdict.revision(), with.revision());
}

#[test]
fn a_preview_that_is_declared_is_made_without_asking_and_nothing_else_is() {
    let yaml = "tool_policies:\n  db/write:\n    preview: { sql: q, reader: read, dialect: sqlite }\n";
    let ask = "@id(\"ask\") @reason(\"r\") forbid (principal, action == Action::\"mcp.tool_call\", resource) unless { context.approved };";
    let decided = |rule: &str, server: &str, tool: &str, purpose: Purpose| {
        let set = set(Preset::Balanced, &[mine(rule)]).with_tools(Arc::new(one(yaml).unwrap()));
        let call = McpToolCall { server: server.to_owned(), purpose, ..call(tool, &[]) };
        set.evaluate(&operation(call), &known())
    };
    let passed = decided(ask, "db", "read", Purpose::Preview);
    assert_eq!((passed.decision(), passed.lifted_by()), (Decision::Allow, ["tools.yaml:2".to_owned()].as_slice()));
    for (server, tool, purpose) in [
        ("db", "read", Purpose::Call),
        ("db", "other", Purpose::Preview),
        ("other", "read", Purpose::Preview),
        ("db", "read", Purpose::Probe),
    ] {
        assert_eq!(decided(ask, server, tool, purpose).decision(), Decision::Ask, "{server} {tool} {purpose:?}");
    }
    let no = ask.replace(" unless { context.approved }", "");
    assert_eq!(decided(&no, "db", "read", Purpose::Preview).decision(), Decision::Deny);
}

#[test]
fn what_a_call_is_held_to_comes_with_its_verdict() {
    let verdict =
        judged(EXAMPLE, McpToolCall { rows: counted(3, b"this call"), ..call("update_customer_records", &[]) });
    assert_eq!(verdict.decision(), Decision::Allow);
    assert!(verdict.obligations().contains(&Obligation::CapRows { max: 100 }));
    assert!(verdict.obligations().contains(&Obligation::Timeout { seconds: 15 }));
    assert!(verdict.obligations().iter().any(|one| matches!(one, Obligation::Redact { .. })));
    let once = judged(EXAMPLE, call("send_notification_email", &[]));
    assert!(once.obligations().iter().any(|one| matches!(one, Obligation::Idempotent { .. })));
    // A dry run would take the place of what it tries out.
    let own = "tool_policies:\n  t: { require_dry_run: true, preview: { argument: dry_run } }\ntool_governance:\n  t: { idempotency_key: id }\n";
    let is_once = |flag: bool| {
        let verdict = judged(own, call("t", &[("id", text("1")), ("dry_run", ArgumentValue::Bool(flag))]));
        verdict.obligations().iter().any(|one| matches!(one, Obligation::Idempotent { .. }))
    };
    assert_eq!((is_once(true), is_once(false)), (false, true));
}

#[test]
fn the_shipped_example_loads_and_its_schema_names_every_key() {
    let shipped = include_str!("../../../../../policies/tools.yaml");
    let rules = one(shipped).unwrap();
    assert!(!rules.rules().is_empty());
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../../../policies/tools.schema.json")).unwrap();
    let names =
        |at: &str| -> Vec<String> { schema.pointer(at).unwrap().as_object().unwrap().keys().cloned().collect() };
    for (at, section, line) in [
        ("/$defs/policy/properties", "tool_policies", "max_row_count"),
        ("/$defs/governance/properties", "tool_governance", "idempotency_key"),
    ] {
        assert!(names(at).contains(&line.to_owned()));
        for key in names(at) {
            // A value of the wrong kind is refused for the value, never for the name.
            let error = one(&format!("{section}:\n  t:\n    {key}: {{ no-such-key: 1 }}\n"));
            let unknown = |problem: &Problem| problem.message.contains(&format!("unknown field `{key}`"));
            assert!(error.err().is_none_or(|error| !error.problems().iter().any(unknown)), "{key}");
        }
    }
}

#[test]
fn a_project_can_only_tighten() {
    let own = "tool_policies:\n  db/write: { max_row_count: 100 }\n";
    let project = "policies:\n  session_limits: { max_cost: 1.00, max_judge_calls: 1 }\ntool_policies:\n  db/write:\n    max_row_count: 5000\n    schema_validation: 'off'\n    preview: { tool: nothing_to_see }\n    forbidden_argument_values: { mode: [drop] }\n  db/read: { max_row_count: 10 }\ntool_governance:\n  db/write: { scope: all, on_unknown: retry }\n";
    let rules = load(&[source(Layer::Mine, own), source(Layer::Project, project)]).unwrap();
    let write = rules.tool("db", "write").unwrap();
    assert_eq!(write.max_row_count.as_ref().unwrap().value, 100);
    assert!(write.preview.is_none() && write.schema.is_none() && write.forbidden.len() == 1);
    let once = write.idempotence.unwrap();
    assert_eq!((once.scope, once.on_unknown), (IdempotenceScope::Agent, OnUnknown::Ask));
    assert_eq!(rules.tool("db", "read").unwrap().max_row_count.unwrap().value, 10);
    let told = rules.notices().iter().filter(|notice| notice.message.contains("a project")).count();
    assert_eq!(told, 4, "{:?}", rules.notices());
    let limits = rules.limits_of_projects();
    assert_eq!((limits.session_cost().unwrap().0, limits.max_judge_calls()), (1_000_000_000, Some(1)));
}

#[test]
fn which_way_a_difference_can_move_is_told_where_the_text_tells_it() {
    let leaning = |before: &str, after: &str| {
        let differences = diff(&one(before).unwrap(), &one(after).unwrap());
        differences.into_iter().map(|one| (one.name, one.leaning)).collect::<Vec<_>>()
    };
    let max = |rows: u32| format!("tool_policies:\n  t: {{ max_row_count: {rows} }}\n");
    let named = |leaning| vec![("tool_policies.t".to_owned(), leaning)];
    assert_eq!(leaning("", &max(5)), named(Leaning::Tighter));
    assert_eq!(leaning(&max(5), &max(4)), named(Leaning::Tighter));
    assert_eq!(leaning(&max(5), &max(6)), named(Leaning::Either));
    assert_eq!(leaning(&max(5), ""), named(Leaning::Looser));
    assert_eq!(leaning(&max(5), &format!("# words\n{}", max(5))), Vec::new());
    let preview = "tool_policies:\n  t: { max_row_count: 5, preview: { tool: p } }\n";
    assert_eq!(leaning(&max(5), preview), named(Leaning::Either), "what is counted is not asked about");
    let governed = "tool_governance:\n  t: { on_unknown: retry }\n";
    assert_eq!(leaning("", governed), vec![("tool_governance.t".to_owned(), Leaning::Either)]);
    let less = "tool_policies:\n  t: { arguments: { q: audit } }\n";
    let more = "tool_policies:\n  t: { arguments: { q: block } }\n";
    assert_eq!(leaning(less, more), named(Leaning::Tighter));
    assert_eq!(leaning(more, less), named(Leaning::Either));
}

#[test]
fn a_result_may_be_audited() {
    let rules = one("tool_policies:\n  t: { result: audit }\n").unwrap();
    assert_eq!(rules.tool("s", "t").unwrap().data.unwrap().result, DataAction::Audit);
}
