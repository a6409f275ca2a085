//! Tool calls and commands: every program of a line is judged by itself, and what is allowed for good is this and no more.

use reeve_domain::operation::{
    Argument, ArgumentValue, Digest, Effect, McpToolCall, McpTransport, Operation, SchemaCheck, ShellExec, ShellPiece,
    Subject, ToolAnnotations,
};
use reeve_domain::settings::Preset;
use reeve_domain::verdict::{Decision, Risk};

use super::{http, known, load, mine, new_here, rules};
use crate::{Width, standing_approval_of, widths};

fn tool(server: &str, name: &str, annotations: ToolAnnotations, argument: &str) -> Operation {
    let call = McpToolCall {
        server: server.to_owned(),
        transport: McpTransport::Stdio,
        tool: name.to_owned(),
        annotations,
        arguments: vec![Argument { path: "q".to_owned(), value: ArgumentValue::Text(argument.to_owned()) }],
        is_whole: true,
        argument_bytes: 9,
        schema: SchemaCheck::Unchecked,
        definition: None,
        endpoint: None,
        purpose: reeve_domain::operation::Purpose::Call,
        rows: reeve_domain::operation::RowCount::NotCounted,
        data: Vec::new(),
    };
    Operation {
        subject: Subject::Mcp(call),
        summary: format!("{server}.{name}"),
        content: Digest::of(argument.as_bytes()),
        ..http("GET", "unused.example", "/")
    }
}

fn claims(read_only: bool, destructive: bool) -> ToolAnnotations {
    ToolAnnotations { read_only: Some(read_only), destructive: Some(destructive), idempotent: None, open_world: None }
}

fn line(programs: &[(&str, &[&str], &[Effect])], understood: bool) -> Operation {
    let piece = |(program, argv, effects): &(&str, &[&str], &[Effect])| ShellPiece {
        program: (*program).to_owned(),
        argv: argv.iter().map(ToString::to_string).collect(),
        effects: effects.to_vec(),
        touches: Vec::new(),
        hosts: Vec::new(),
    };
    let command: Vec<String> = programs.iter().map(|(name, argv, _)| format!("{name} {}", argv.join(" "))).collect();
    let command = command.join(" && ");
    let exec = ShellExec {
        command_bytes: command.len() as u64,
        is_whole: true,
        cwd: "/home/dana/src/api".to_owned(),
        pieces: programs.iter().map(piece).collect(),
        understood,
        command: command.clone(),
    };
    Operation {
        subject: Subject::Shell(exec),
        content: Digest::of(command.as_bytes()),
        summary: command,
        ..http("GET", "unused.example", "/")
    }
}

const LS: (&str, &[&str], &[Effect]) = ("ls", &["-la"], &[Effect::Reads]);
const BUILD: (&str, &[&str], &[Effect]) = ("npm", &["run", "build"], &[]);
const PUSH: (&str, &[&str], &[Effect]) = ("git", &["push"], &[Effect::Pushes, Effect::Network]);

#[test]
fn what_forbids_one_program_forbids_the_line_wherever_it_stands() {
    let set = load(
        Preset::Balanced,
        &[mine("@id(\"no-git\") @reason(\"r\") forbid (principal, action, resource == Program::\"git\");")],
    );
    for programs in [[LS, PUSH], [PUSH, LS]] {
        let verdict = set.evaluate(&line(&programs, true), &known());
        assert_eq!((verdict.decision(), rules(&verdict)), (Decision::Deny, vec!["no-git"]));
    }
    assert_eq!(set.evaluate(&line(&[LS], true), &known()).decision(), Decision::Allow);
}

#[test]
fn a_permit_for_one_program_permits_no_other_and_nothing_that_is_not_understood() {
    let permit =
        "@id(\"npm\") @reason(\"r\") @lifts(\"ask-command\") permit (principal, action, resource == Program::\"npm\");";
    let set = load(Preset::Balanced, &[mine(permit)]);
    let decided = |programs: &[_], understood| set.evaluate(&line(programs, understood), &known()).decision();
    assert_eq!(decided(&[BUILD, LS], true), Decision::Allow);
    assert_eq!(decided(&[BUILD, PUSH], true), Decision::Ask);
    assert_eq!(decided(&[BUILD], false), Decision::Ask);
    assert_eq!(decided(&[], true), Decision::Ask, "where nothing is known, nothing is allowed");
}

#[test]
fn the_question_names_every_rule_that_any_part_needs_and_the_gravest_risk() {
    let set = load(Preset::Balanced, &[]);
    let verdict = set.evaluate(&line(&[BUILD, PUSH], true), &known());
    assert_eq!(rules(&verdict), ["ask-command", "ask-push-command"]);
    assert_eq!(verdict.risk(), Risk::High);
    assert!(verdict.risk_reasons().iter().any(|why| why == "pushes to a remote"), "{:?}", verdict.risk_reasons());
    let explained = set.explain(&line(&[LS, PUSH], true), &known());
    assert_eq!(explained.facts["program"], "git", "the facts are those of the program that decided");
}

#[test]
fn an_approval_for_good_is_for_this_line_and_loads() {
    let held = line(&[BUILD, LS], true);
    let asked = load(Preset::Balanced, &[]).evaluate(&held, &known());
    let text = standing_approval_of(Width::Useful, &held, asked.reasons(), "again", None, None).unwrap();
    let set = load(Preset::Balanced, &[mine(&text)]);
    assert_eq!(set.evaluate(&held, &known()).decision(), Decision::Allow);
    assert_eq!(set.evaluate(&line(&[BUILD], true), &known()).decision(), Decision::Ask);
    let mut elsewhere = held.clone();
    if let Subject::Shell(exec) = &mut elsewhere.subject {
        exec.cwd = "/etc".to_owned();
    }
    assert_eq!(set.evaluate(&elsewhere, &known()).decision(), Decision::Ask);
    let mut hidden = held;
    if let Subject::Shell(exec) = &mut hidden.subject {
        exec.is_whole = false;
    }
    assert!(widths(&hidden).is_empty());
    assert_eq!(standing_approval_of(Width::Useful, &hidden, asked.reasons(), "again", None, None), None);
}

#[test]
fn a_tool_is_allowed_for_good_as_such_and_one_that_may_delete_with_these_arguments_alone() {
    let set = load(Preset::Balanced, &[]);
    let again = |held: &Operation, other: &Operation| {
        let asked = set.evaluate(held, &known());
        let text = standing_approval_of(Width::Useful, held, asked.reasons(), "again", None, None).unwrap();
        let after = load(Preset::Balanced, &[mine(&text)]);
        (after.evaluate(held, &known()).decision(), after.evaluate(other, &known()).decision())
    };
    let writes = |q: &str| tool("linear", "create_issue", claims(false, false), q);
    assert_eq!(again(&writes("a"), &writes("b")), (Decision::Allow, Decision::Allow));
    assert_eq!(widths(&writes("a")), [Width::Useful, Width::Exact]);
    let deletes = |q: &str| tool("postgres", "execute", claims(false, true), q);
    assert_eq!(again(&deletes("a"), &deletes("b")), (Decision::Allow, Decision::Ask));
    assert_eq!(widths(&deletes("a")), [Width::Exact]);
    let odd = tool("a\"/b", "c\n\"); permit (principal, action, resource); //", claims(false, false), "a");
    assert_eq!(again(&odd, &writes("a")), (Decision::Allow, Decision::Ask), "a name is a name, whatever is in it");
}

#[test]
fn what_a_server_claims_makes_a_call_graver_and_never_passes_its_first_call() {
    let set = load(Preset::Balanced, &[]);
    let risk = |annotations| set.evaluate(&tool("s", "t", annotations, "a"), &known()).risk();
    assert_eq!(risk(claims(false, true)), Risk::High);
    assert_eq!(risk(ToolAnnotations::default()), Risk::Medium);
    let reads = tool("s", "t", claims(true, false), "a");
    assert_eq!(set.evaluate(&reads, &known()).decision(), Decision::Allow);
    assert_eq!(rules(&set.evaluate(&reads, &new_here())), ["ask-first-tool"]);
}

#[test]
fn a_rule_can_be_about_arguments_and_about_all_tools_of_a_server() {
    let text = "@id(\"no-drop\") @reason(\"r\") forbid (principal, action == Action::\"mcp.tool_call\", resource) \
                when { context.arguments.contains(\"q=DROP\") };\n\
                @id(\"no-chat\") @reason(\"r\") forbid (principal, action, resource in McpServer::\"chat\");";
    let set = load(Preset::Balanced, &[mine(text)]);
    let of = |operation: &Operation| rules(&set.evaluate(operation, &known())).join(" ");
    assert_eq!(of(&tool("db", "run", claims(true, false), "DROP")), "no-drop");
    assert_eq!(of(&tool("db", "run", claims(true, false), "SELECT")), "allow-read-tool");
    assert_eq!(of(&tool("chat", "post", claims(true, false), "hi")), "no-chat");
}

#[test]
fn a_home_is_everything_and_a_program_that_nobody_knows_is_no_small_risk() {
    let set = load(Preset::Balanced, &[]);
    let of = |path: &str| {
        let mut deletes = line(&[("rm", &["-rf", path], &[Effect::Deletes, Effect::DeletesTree])], true);
        if let Subject::Shell(exec) = &mut deletes.subject {
            exec.pieces[0].touches = vec![path.to_owned()];
        }
        set.evaluate(&deletes, &known()).risk()
    };
    for path in ["/", "~", "~/", "~dana", "/home/dana", "//home/./dana/*", "/Users/dana/", "/home/*", "/root"] {
        assert_eq!(of(path), Risk::Critical, "{path}");
    }
    for path in ["/home/dana/src", "~/src", "node_modules", "/tmp/x"] {
        assert_eq!(of(path), Risk::High, "{path}");
    }
    let unknown = set.evaluate(&line(&[LS, BUILD], true), &known());
    assert_eq!(unknown.risk(), Risk::Medium);
    assert_eq!(unknown.risk_reasons(), ["Reeve does not know what this program does"]);
}

#[test]
fn a_claim_to_read_lowers_nothing_and_a_new_one_is_a_new_place() {
    let set = load(Preset::Balanced, &[]);
    let mut reads = tool("s", "t", claims(true, false), "a");
    let writes = tool("s", "t", claims(false, false), "a");
    assert_ne!(reads.places(), writes.places());
    let named = tool("s", "t#reads", claims(false, false), "a");
    assert_ne!(reads.places(), named.places());
    reads.credential = Some(reeve_domain::id::CredentialId::parse("github").unwrap());
    assert_eq!(set.evaluate(&reads, &known()).risk(), Risk::High);
}
