//! How much an operation could do: computed from its facts, never from a model, with reasons people can check.

use reeve_domain::host::Host;
use reeve_domain::operation::{
    Billing, Effect, Endpoint, HttpCall, McpAsk, McpToolCall, Operation, SchemaCheck, Scheme, ShellExec, ShellPiece,
    Subject, Wanted,
};
use reeve_domain::verdict::Risk;

use crate::facts::{Circumstances, Class};

/// Reasons kept on a verdict.
pub(crate) const SHOWN: usize = 3;

type Reasons = Vec<(Risk, String)>;

/// Every reason that applies, the gravest first; of a command line only those of the program that is judged.
pub(crate) fn assess(
    operation: &Operation,
    piece: Option<&ShellPiece>,
    circumstances: &Circumstances,
    class: Class,
) -> Reasons {
    let mut reasons = Vec::new();
    if let Some(credential) = &operation.credential {
        reasons.push((with_credential(operation, class), format!("uses the credential `{credential}`")));
    }
    match &operation.subject {
        Subject::Http(call) => {
            request(&mut reasons, call, circumstances, class);
            place(&mut reasons, &call.endpoint);
        }
        Subject::Llm(call) => {
            first(&mut reasons, circumstances, "first time here");
            let word = match call.billing {
                Billing::Metered => "spends money",
                Billing::FlatRate => "uses up a flat rate",
            };
            reasons.push((Risk::Low, word.to_owned()));
            place(&mut reasons, &call.endpoint);
        }
        Subject::Mcp(call) => {
            tool(&mut reasons, call);
            first(&mut reasons, circumstances, "first time this agent calls this tool");
        }
        Subject::McpAsk(ask) => {
            asked(&mut reasons, ask);
            first(&mut reasons, circumstances, "first time this server asks this agent");
        }
        Subject::Shell(line) => {
            match piece {
                Some(piece) if piece.effects.is_empty() => {
                    reasons.push((Risk::Medium, "Reeve does not know what this program does".to_owned()));
                }
                Some(piece) => reasons.extend(piece.effects.iter().filter_map(|effect| does(*effect, piece))),
                None => reasons.push((Risk::Medium, "Reeve cannot read all of this command".to_owned())),
            }
            fed(&mut reasons, line, piece);
            first(&mut reasons, circumstances, "first time this agent runs this program");
        }
    }
    reasons.sort_by_key(|(risk, _)| std::cmp::Reverse(*risk));
    reasons
}

fn first(reasons: &mut Reasons, circumstances: &Circumstances, words: &str) {
    if circumstances.first_seen {
        reasons.push((Risk::Low, words.to_owned()));
    }
}

fn request(reasons: &mut Reasons, call: &HttpCall, circumstances: &Circumstances, class: Class) {
    if class == Class::Destructive {
        reasons.push((Risk::High, format!("{} deletes something", call.endpoint.method)));
    }
    if call.endpoint.path.as_str().ends_with("/git-receive-pack") {
        reasons.push((Risk::High, "pushes to a git remote".to_owned()));
    }
    if let Some(protocol) = call.upgrade.as_ref().filter(|_| circumstances.first_write) {
        reasons
            .push((Risk::Medium, format!("opens a two-way channel ({protocol}): searched for secrets and not judged")));
    }
    if class != Class::Read && circumstances.first_write {
        reasons.push((Risk::Medium, "first time this agent sends something here".to_owned()));
    } else {
        first(reasons, circumstances, "first time here");
    }
}

fn place(reasons: &mut Reasons, endpoint: &Endpoint) {
    let local = is_loopback(&endpoint.host);
    if endpoint.scheme == Scheme::Http && !local {
        reasons.push((Risk::Medium, "plain http can be read and changed on the way".to_owned()));
    }
    if endpoint.host.ip().is_some() && !local {
        reasons.push((Risk::Medium, "goes to an address without a name".to_owned()));
    }
}

/// What a server claims makes a call graver, never more harmless than it is anyway.
fn tool(reasons: &mut Reasons, call: &McpToolCall) {
    if call.annotations.is_silent() {
        reasons.push((Risk::Medium, "the server does not say what this tool changes".to_owned()));
    } else if call.annotations.may_destroy() {
        reasons.push((Risk::High, "the server says that this tool may delete or overwrite".to_owned()));
    }
    if let SchemaCheck::Fails { .. } = call.schema {
        reasons.push((Risk::Medium, "the arguments do not fit the tool's schema".to_owned()));
    }
}

/// A server that asks back spends the agent's money or speaks to the person in its name.
fn asked(reasons: &mut Reasons, ask: &McpAsk) {
    match &ask.wanted {
        Wanted::Sampling { max_tokens, tools, context, .. } => {
            let most = max_tokens.map_or_else(String::new, |most| format!(", up to {most} tokens"));
            reasons.push((Risk::Medium, format!("the server wants an answer of your model, at your cost{most}")));
            if !tools.is_empty() {
                reasons.push((Risk::High, "the server gives your model tools to call meanwhile".to_owned()));
            }
            if context.as_deref().is_some_and(|context| context != "none") {
                reasons
                    .push((Risk::High, "the server wants to have the conversation put into its question".to_owned()));
            }
        }
        Wanted::Form { .. } => reasons.push((Risk::Medium, "the server wants you to type something".to_owned())),
        Wanted::Url { host: Some(host), .. } => {
            reasons.push((Risk::High, format!("the server wants you to open a page of `{host}`")));
        }
        Wanted::Url { host: None, .. } => {
            reasons.push((Risk::High, "the server wants you to open something that Reeve cannot read".to_owned()));
        }
    }
}

fn does(effect: Effect, piece: &ShellPiece) -> Option<(Risk, String)> {
    let (risk, words) = match effect {
        Effect::Reads => return None,
        Effect::Writes => (Risk::Low, "writes into files"),
        Effect::Deletes => (Risk::Medium, "deletes files"),
        Effect::DeletesTree if piece.touches.iter().any(|path| is_everything(path)) => {
            (Risk::Critical, "deletes a whole home or disk")
        }
        Effect::DeletesTree => (Risk::High, "deletes a folder with all that is in it"),
        Effect::Pushes => (Risk::High, "pushes to a remote"),
        Effect::RewritesHistory => (Risk::High, "rewrites shared history"),
        Effect::Installs => (Risk::Medium, "installs what others wrote"),
        Effect::Network => (Risk::Low, "talks to other machines"),
        Effect::Privilege => (Risk::High, "runs with other rights than yours"),
        Effect::RunsCode => (Risk::Medium, "runs code that no rule sees"),
    };
    Some((risk, words.to_owned()))
}

/// A home, the root, or all that is in one of them.
fn is_everything(path: &str) -> bool {
    let path = path.trim_end_matches(['*', '/']);
    let Some(rest) = path.strip_prefix('/') else {
        let home = path.starts_with('~') && !path.contains('/');
        return home || matches!(path, "" | "$HOME" | "${HOME}");
    };
    let segments: Vec<&str> = rest.split('/').filter(|segment| !matches!(*segment, "" | ".")).collect();
    matches!(segments.as_slice(), [] | ["home" | "root" | "Users"] | ["home" | "Users", _])
}

/// What one program fetches and another runs is graver than both.
fn fed(reasons: &mut Reasons, line: &ShellExec, piece: Option<&ShellPiece>) {
    let fetches = line.pieces.iter().any(|one| one.does(Effect::Network));
    if fetches && piece.is_some_and(|piece| piece.does(Effect::RunsCode)) {
        reasons.push((Risk::High, "may run what the same command fetches".to_owned()));
    }
}

/// A credential makes a change graver; for a model call it is how calls are paid. That a tool only reads is its server's
/// claim.
fn with_credential(operation: &Operation, class: Class) -> Risk {
    match (&operation.subject, class) {
        (Subject::Llm(_), _) => Risk::Low,
        (Subject::Mcp(_), Class::Read) | (_, Class::Write) => Risk::High,
        (_, Class::Read) => Risk::Medium,
        (_, Class::Destructive) => Risk::Critical,
    }
}

fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ip(ip) => ip.is_loopback(),
    }
}
