//! What rules say that are made from one call of a tool or one command.

use reeve_domain::operation::{McpToolCall, Operation, ShellExec, ShellPiece};

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
