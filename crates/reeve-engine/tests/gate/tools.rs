//! Calls of tools and commands at the gate: no mouth sends them yet, so they are handed over as one would.

use reeve_domain::approval::{GrantScope, Resolution};
use reeve_domain::id::CredentialId;
use reeve_domain::operation::{
    Argument, ArgumentValue, Effect, McpToolCall, McpTransport, Operation, SchemaCheck, ShellExec, ShellPiece, Subject,
    ToolAnnotations,
};
use reeve_domain::outcome::{Ending, Outcome, ToolResult};
use reeve_domain::query::{OperationRow, parse};
use reeve_domain::verdict::{DenialKind, Risk};
use reeve_engine::LiveSession;
use reeve_store::Page;

use super::world::World;
use super::{admitted, denied};

const READS: ToolAnnotations =
    ToolAnnotations { read_only: Some(true), destructive: None, idempotent: None, open_world: None };
const WRITES: ToolAnnotations =
    ToolAnnotations { read_only: Some(false), destructive: Some(false), idempotent: None, open_world: None };
const DESTROYS: ToolAnnotations =
    ToolAnnotations { read_only: Some(false), destructive: Some(true), idempotent: None, open_world: None };

fn tool(world: &World, live: &LiveSession, claims: ToolAnnotations, sql: &str) -> Operation {
    let call = McpToolCall {
        server: "postgres".to_owned(),
        transport: McpTransport::Stdio,
        tool: "execute".to_owned(),
        annotations: claims,
        arguments: vec![Argument { path: "sql".to_owned(), value: ArgumentValue::Text(sql.to_owned()) }],
        is_whole: true,
        argument_bytes: sql.len() as u64,
        schema: SchemaCheck::Fits,
        definition: None,
        endpoint: None,
        purpose: reeve_domain::operation::Purpose::Call,
        rows: reeve_domain::operation::RowCount::NotCounted,
        data: Vec::new(),
    };
    let mut operation = world.operation(live, Subject::Mcp(call), "postgres.execute");
    operation.content = reeve_domain::operation::Digest::of(sql.as_bytes());
    operation
}

fn command(world: &World, live: &LiveSession, programs: &[(&[&str], &[Effect])]) -> Operation {
    let piece = |(words, effects): &(&[&str], &[Effect])| ShellPiece {
        program: words[0].to_owned(),
        argv: words[1..].iter().map(ToString::to_string).collect(),
        effects: effects.to_vec(),
        touches: Vec::new(),
        hosts: Vec::new(),
    };
    let lines: Vec<String> = programs.iter().map(|(words, _)| words.join(" ")).collect();
    let line = lines.join(" && ");
    let exec = ShellExec {
        command: line.clone(),
        is_whole: true,
        command_bytes: line.len() as u64,
        cwd: "/tmp".to_owned(),
        pieces: programs.iter().map(piece).collect(),
        understood: true,
    };
    world.operation(live, Subject::Shell(exec), &line)
}

fn ended(result: ToolResult) -> Outcome {
    Outcome { result: Some(result), total_ms: 40, ..Outcome::ended(Ending::Complete) }
}

async fn found(world: &World, query: &str) -> Vec<OperationRow> {
    let parsed = parse(query);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    world.engine.store().search(&parsed.query, Page { before: None, limit: 50 }).await.unwrap().rows
}

fn yes(scope: GrantScope) -> Resolution {
    Resolution::Approved { scope }
}

#[tokio::test]
async fn a_tool_call_is_held_allowed_recorded_and_found() {
    let world = World::new().await;
    let live = world.session("codex").await;
    let call = tool(&world, &live, WRITES, "INSERT INTO t VALUES (1)");
    let waiting = world.spawn_admit(call.clone());
    let question = world.held().await;
    let rules: Vec<&str> = question.reasons.iter().map(|reason| reason.rule.as_str()).collect();
    assert_eq!(rules, ["ask-first-tool", "ask-tool-write"]);
    world.answer(&question, yes(GrantScope::Once)).await.unwrap();
    let admission = admitted(waiting.await.unwrap());
    admission.settle(ended(ToolResult::ToolError { message: "no such table".to_owned() })).await.unwrap();
    let names = world.names(&call.id).await;
    assert_eq!(
        names,
        ["approval.requested", "approval.resolved", "operation.admitted", "operation.settled"],
        "the record tells all of it"
    );
    let rows = found(&world, "kind:mcp server:postgres tool:execute is:first_seen error:*table*").await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.host.as_deref(), row.port, row.summary.as_str()), (None, None, "postgres.execute"));
    assert!(found(&world, "host:*").await.is_empty(), "a tool call goes to no host of its own");
}

#[tokio::test]
async fn a_command_is_held_refused_with_a_reason_and_recorded() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let push = command(
        &world,
        &live,
        &[
            (&["git", "status"], &[Effect::Reads]),
            (&["git", "push", "--force"], &[Effect::Pushes, Effect::RewritesHistory]),
        ],
    );
    let waiting = world.spawn_admit(push.clone());
    let question = world.held().await;
    assert_eq!(question.risk, Risk::High);
    assert!(question.risk_reasons.contains(&"rewrites shared history".to_owned()), "{:?}", question.risk_reasons);
    let reason = Some("open a pull request".to_owned());
    world.answer(&question, Resolution::Refused { reason }).await.unwrap();
    let denial = denied(waiting.await.unwrap());
    assert_eq!(denial.kind, DenialKind::Refused);
    assert!(
        denial.message.contains("open a pull request") || denial.advice.contains("open a pull request"),
        "{denial:?}"
    );
    assert_eq!(found(&world, "program:git decision:refused").await.len(), 1);
    assert!(found(&world, "program:rm").await.is_empty());
}

#[tokio::test]
async fn what_reads_passes_and_its_end_is_found_by_the_status_it_ended_with() {
    let world = World::new().await;
    let live = world.session("claude-code").await;
    let list = command(&world, &live, &[(&["ls", "-la"], &[Effect::Reads])]);
    let admission = admitted(world.spawn_admit(list).await.unwrap());
    admission.settle(ended(ToolResult::Exited { code: Some(2) })).await.unwrap();
    assert_eq!(found(&world, "kind:shell program:ls exit:2").await.len(), 1);
    assert!(found(&world, "exit:0").await.is_empty());
}

#[tokio::test]
async fn a_rule_about_one_program_holds_wherever_it_stands_in_a_line() {
    let rule = "@id(\"no-docker\") @reason(\"not here\") forbid (principal, action, resource == Program::\"docker\");\n\
                @id(\"npm\") @reason(\"fine\") permit (principal, action, resource == Program::\"npm\");";
    let world = World::with("policies/mine.cedar", rule).await;
    let live = world.session("claude-code").await;
    let line = command(&world, &live, &[(&["ls"], &[Effect::Reads]), (&["docker", "ps"], &[])]);
    let denial = denied(world.spawn_admit(line).await.unwrap());
    assert_eq!(denial.kind, DenialKind::Policy);
    assert_eq!(denial.reasons[0].rule.as_str(), "no-docker");
}

#[tokio::test]
async fn a_tool_allowed_for_the_session_passes_again_and_one_that_may_delete_only_with_the_same_arguments() {
    let world = World::new().await;
    let live = world.session("codex").await;
    let waiting = world.spawn_admit(tool(&world, &live, WRITES, "INSERT 1"));
    let question = world.held().await;
    world.answer(&question, yes(GrantScope::Session)).await.unwrap();
    drop(admitted(waiting.await.unwrap()));
    drop(admitted(world.spawn_admit(tool(&world, &live, WRITES, "INSERT 2")).await.unwrap()));

    let waiting = world.spawn_admit(tool(&world, &live, DESTROYS, "DELETE 1"));
    let question = world.held().await;
    world.answer(&question, yes(GrantScope::Session)).await.unwrap();
    drop(admitted(waiting.await.unwrap()));
    drop(admitted(world.spawn_admit(tool(&world, &live, DESTROYS, "DELETE 1")).await.unwrap()));
    let waiting = world.spawn_admit(tool(&world, &live, DESTROYS, "DELETE 2"));
    let question = world.held().await;
    world.answer(&question, Resolution::Refused { reason: None }).await.unwrap();
    assert_eq!(denied(waiting.await.unwrap()).kind, DenialKind::Refused);
}

#[tokio::test]
async fn a_command_allowed_for_the_session_is_this_line_and_no_other() {
    let world = World::new().await;
    let live = world.session("codex").await;
    let build = |word| command(&world, &live, &[(&["npm", "run", word], &[]), (&["ls"], &[Effect::Reads])]);
    let waiting = world.spawn_admit(build("build"));
    let question = world.held().await;
    world.answer(&question, yes(GrantScope::Session)).await.unwrap();
    drop(admitted(waiting.await.unwrap()));
    drop(admitted(world.spawn_admit(build("build")).await.unwrap()));
    let waiting = world.spawn_admit(build("release"));
    let question = world.held().await;
    world.answer(&question, Resolution::Refused { reason: None }).await.unwrap();
    assert_eq!(denied(waiting.await.unwrap()).kind, DenialKind::Refused);
}

#[tokio::test]
async fn the_first_call_of_a_tool_asks_and_later_reads_pass() {
    let world = World::new().await;
    let live = world.session("codex").await;
    let waiting = world.spawn_admit(tool(&world, &live, READS, "SELECT 1"));
    let question = world.held().await;
    let rules: Vec<&str> = question.reasons.iter().map(|reason| reason.rule.as_str()).collect();
    assert_eq!(rules, ["ask-first-tool"]);
    world.answer(&question, yes(GrantScope::Once)).await.unwrap();
    drop(admitted(waiting.await.unwrap()));
    drop(admitted(world.spawn_admit(tool(&world, &live, READS, "SELECT 2")).await.unwrap()));
}

#[tokio::test]
async fn a_credential_is_put_into_requests_alone() {
    let world = World::new().await;
    let live = world.session("codex").await;
    let mut list = command(&world, &live, &[(&["ls"], &[Effect::Reads])]);
    list.credential = Some(CredentialId::parse("github").unwrap());
    let denial = denied(world.spawn_admit(list).await.unwrap());
    assert_eq!(denial.kind, DenialKind::Fault);
    assert!(denial.message.contains("can only be put into a request"), "{}", denial.message);
}
