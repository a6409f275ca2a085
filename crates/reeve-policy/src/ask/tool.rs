//! What rules say that are made from one call of a tool or one command.

use reeve_domain::operation::{McpAsk, McpToolCall, Operation, ShellExec, ShellPiece, Wanted};

use super::{Width, credential, quoted};

/// Exactly this call, or this line in this folder.
fn content(operation: &Operation) -> String {
    format!("context.content == {}", quoted(operation.content.as_str()))
}

/// What a permission for a tool holds on to. What its server says may delete is allowed for these arguments alone. `None`:
/// it cannot be said without what was taken out of the arguments.
pub(super) fn permitted(call: &McpToolCall, operation: &Operation, width: Width) -> Option<Vec<String>> {
    let exact = width == Width::Exact || call.annotations.destructive == Some(true);
    if exact && !call.is_whole {
        return None;
    }
    let transport = format!("context.transport == {}", quoted(call.transport.as_str()));
    // What was allowed as harmless is asked about again when its server says otherwise.
    let mut conditions = vec![transport, format!("context.destructive_hint == {}", call.annotations.may_destroy())];
    conditions.extend(exact.then(|| content(operation)));
    conditions.push(credential(operation));
    Some(conditions)
}

/// What a permission for a command holds on to: this line in this folder. `None`: it cannot be said without what was taken
/// out of the line.
pub(super) fn permitted_line(line: &ShellExec, operation: &Operation) -> Option<Vec<String>> {
    let folder = format!("context.folder == {}", quoted(&line.cwd));
    let command = format!("context.command == {}", quoted(&line.command));
    line.is_whole.then(|| vec![command, folder, content(operation), credential(operation)])
}

/// What a permission to ask holds on to: the server over the same transport, and how much; or this request alone.
pub(super) fn permitted_ask(ask: &McpAsk, operation: &Operation, width: Width) -> Vec<String> {
    let mut conditions = vec![format!("context.transport == {}", quoted(ask.transport.as_str()))];
    match &ask.wanted {
        _ if width == Width::Exact => conditions.push(content(operation)),
        Wanted::Sampling { max_tokens: Some(most), .. } => {
            conditions.push(format!("context has max_tokens && context.max_tokens <= {most}"));
        }
        Wanted::Sampling { .. } => {}
        Wanted::Form { .. } => conditions.push("context.mode == \"form\"".to_owned()),
        Wanted::Url { host: Some(host), .. } => {
            conditions.push(format!("context.mode == \"url\" && context has host && context.host == {}", quoted(host)));
        }
        // Where it leads is not known: for this one alone.
        Wanted::Url { host: None, .. } => conditions.push(content(operation)),
    }
    conditions.push(credential(operation));
    conditions
}

/// What a rule against a server's requests names besides the server.
pub(super) fn asked(operation: &Operation, width: Width) -> Vec<String> {
    if width == Width::Exact { vec![content(operation)] } else { Vec::new() }
}

/// What a rule against a tool names besides it.
pub(super) fn forbidden(call: &McpToolCall, operation: &Operation, width: Width) -> Option<Vec<String>> {
    match width {
        Width::Exact if !call.is_whole => None,
        Width::Exact => Some(vec![content(operation)]),
        Width::Useful | Width::Host => Some(Vec::new()),
    }
}

/// What a rule against a command names: its first program that changes something, with the words that say what it does.
pub(super) fn forbidden_line(line: &ShellExec, operation: &Operation, width: Width) -> Option<Vec<String>> {
    let telling = line.pieces.iter().find(|piece| !piece.only_reads()).or(line.pieces.first());
    match telling {
        Some(piece) if width != Width::Exact => Some(program(piece)),
        _ => line.is_whole.then(|| vec![content(operation)]),
    }
}

fn program(piece: &ShellPiece) -> Vec<String> {
    let mut conditions = vec![format!("context.program == {}", quoted(&piece.program))];
    let verb = piece.argv.first().filter(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()));
    conditions.extend(verb.map(|word| format!("context.argv.contains({})", quoted(word))));
    let long = piece.flags().into_iter().filter(|flag| flag.starts_with("--"));
    conditions.extend(long.map(|flag| format!("context.flags.contains({})", quoted(&flag))));
    conditions
}
