//! Standing approvals: which asks they answer, and the narrowest useful text that *Always* and the grants are written in.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, SecondsFormat, Utc};
use reeve_domain::grant::Grant;
use reeve_domain::id::{RuleId, SessionId};
use reeve_domain::operation::{Endpoint, HttpCall, Operation, Subject};
use reeve_domain::verdict::{Layer, Reason};

mod tool;

use crate::check::check;
use crate::evaluate::Ruling;
use crate::facts::{Case, Class};
use crate::prepare::Prepared;
use crate::set::{DEFAULT_ASK, PolicySet};
use crate::slice::{REMEMBERED, Table};
use crate::source::{RuleKind, Source};

/// Grants as parsed once each; `None` for a text that is no approval and therefore lifts nothing.
#[derive(Default)]
pub(crate) struct Grants(RwLock<HashMap<String, Option<Arc<Table>>>>);

impl PolicySet {
    /// Standing approvals and grants that match, each with the asks it answers.
    ///
    /// # Errors
    /// When one cannot be evaluated.
    pub(crate) fn lifts(&self, case: &Case<'_>, prepared: &Prepared) -> Result<Vec<(String, Vec<RuleId>)>, String> {
        let now = case.circumstances.now.to_utc();
        let mut out = Vec::new();
        for index in permitted(self.run(&self.standing, &prepared.standing, case, prepared, false))? {
            if let Some(rule) = self.standing.rule(index).filter(|rule| rule.alive(now)) {
                out.push((rule.info.id.to_string(), rule.info.lifts.clone()));
            }
        }
        for grant in case.circumstances.grants.iter().filter(|grant| concerns(grant, case.operation, now)) {
            let Some(table) = self.granted(grant) else { continue };
            let slice = table.whole(case.operation.action());
            let matched = permitted(self.run(&table, &slice, case, prepared, false))?;
            for rule in table.picked(&matched).filter(|rule| rule.alive(now)) {
                out.push((grant.id.to_string(), lifted(rule.info.lifts.clone())));
            }
        }
        Ok(out)
    }

    /// A grant's text as a table of one rule. Anything else than one valid permit lifts nothing: the human is asked again.
    fn granted(&self, grant: &Grant) -> Option<Arc<Table>> {
        if let Some(known) = self.grants.0.read().unwrap_or_else(PoisonError::into_inner).get(&grant.text) {
            return known.clone();
        }
        let source = Source { layer: Layer::Mine, file: grant.id.to_string(), text: grant.text.clone() };
        let rules = check(&[source], &self.vocabulary).map(|checked| checked.rules).unwrap_or_default();
        let permit = |kind| matches!(kind, RuleKind::Permit | RuleKind::Standing);
        let one = rules.len() == 1 && rules.iter().all(|rule| permit(rule.info.kind));
        let table = one.then(|| Arc::new(Table::new(rules)));
        let mut known = self.grants.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(grant.text.clone(), table.clone());
        table
    }
}

fn permitted(ruling: Ruling) -> Result<Vec<u32>, String> {
    match ruling {
        Ruling::Permitted(indices) => Ok(indices),
        Ruling::Nothing | Ruling::Forbidden(_) => Ok(Vec::new()),
        Ruling::Broken(message) => Err(message),
    }
}

fn concerns(grant: &Grant, operation: &Operation, now: DateTime<Utc>) -> bool {
    grant.agent == operation.principal.agent
        && grant.session.as_ref().is_none_or(|session| *session == operation.principal.session)
        && grant.expires_at.is_none_or(|end| now < end)
}

/// A plain permit answers the ask that stands for "nothing matched".
fn lifted(lifts: Vec<RuleId>) -> Vec<RuleId> {
    if lifts.is_empty() { RuleId::parse(DEFAULT_ASK).into_iter().collect() } else { lifts }
}

/// Cedar text of the narrowest standing approval that is still useful: this agent, this exact host, scheme, port and
/// method, and the path up to its last segment (the whole path for what deletes, pushes or has only one segment); for a
/// model call this model at this host, for a tool call this tool (with these arguments alone where it may delete), for a command
/// this very line in this folder. Where nothing but the preset's default asked, it is a plain permit.
///
/// `id` becomes the rule's `@id` and must be a rule id. `None` as for [`standing_approval_of`].
#[must_use]
pub fn standing_approval(
    operation: &Operation,
    reasons: &[Reason],
    id: &str,
    expires: Option<DateTime<Utc>>,
    session: Option<&SessionId>,
) -> Option<String> {
    standing_approval_of(Width::Useful, operation, reasons, id, expires, session)
}

/// How much of the same kind a standing approval covers. Each is for one agent; of requests for one scheme, host, port and
/// method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Width {
    /// The path up to its last segment, the model, the tool, or this command alone.
    #[default]
    Useful,
    /// This address or these arguments alone.
    Exact,
    /// Every path of the host.
    Host,
}

/// The widths that differ for this operation, the proposed one first. A whole host is offered for reads alone; none at all
/// where the proposed one would have to name something that was taken out of the path.
#[must_use]
pub fn widths(operation: &Operation) -> Vec<Width> {
    let endpoint = match &operation.subject {
        Subject::Http(call) => &call.endpoint,
        Subject::Llm(_) => return vec![Width::Useful],
        Subject::Mcp(call) if call.annotations.destructive == Some(true) => return exactly(call.is_whole),
        Subject::Mcp(call) => return std::iter::once(Width::Useful).chain(exactly(call.is_whole)).collect(),
        // What a server asks for is answered one by one, or for all it asks.
        Subject::McpAsk(_) => return vec![Width::Useful, Width::Exact],
        Subject::Shell(line) => return line.is_whole.then_some(Width::Useful).into_iter().collect(),
    };
    let Some(useful) = reached(operation, endpoint, Width::Useful) else { return Vec::new() };
    let mut out = vec![Width::Useful];
    if reached(operation, endpoint, Width::Exact).is_some_and(|exact| exact != useful) {
        out.push(Width::Exact);
    }
    if Class::of(operation) == Class::Read {
        out.push(Width::Host);
    }
    out
}

fn exactly(is_whole: bool) -> Vec<Width> {
    if is_whole { vec![Width::Exact] } else { Vec::new() }
}

/// How far a rule reaches that is made from one operation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    pub width: Width,
    /// Every agent, not only the one that did it.
    pub anyone: bool,
    /// Only sessions that work in this folder or below it.
    pub folder: Option<String>,
}

/// What a rule does with what it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    Permit,
    Ask,
    Forbid,
}

/// The same as [`standing_approval`] in a chosen width; a whole host is narrowed to the proposed one for what does not only
/// read. `None` where the width would have to name something that was taken out of the path: a rule is a file, and no place
/// for what looks like a secret, and a pattern in its place would cover more than the human chose.
#[must_use]
pub fn standing_approval_of(
    width: Width,
    operation: &Operation,
    reasons: &[Reason],
    id: &str,
    expires: Option<DateTime<Utc>>,
    session: Option<&SessionId>,
) -> Option<String> {
    standing_approval_in(&Reach { width, ..Reach::default() }, operation, reasons, id, expires, session)
}

/// The same for whom and where a human chose.
#[must_use]
pub fn standing_approval_in(
    reach: &Reach,
    operation: &Operation,
    reasons: &[Reason],
    id: &str,
    expires: Option<DateTime<Utc>>,
    session: Option<&SessionId>,
) -> Option<String> {
    let mut head = vec![format!("@id({})", quoted(id)), format!("@reason({})", quoted(&sentence(operation)))];
    let asks: Vec<&str> = reasons.iter().map(|r| r.rule.as_str()).collect();
    if asks.iter().any(|rule| *rule != DEFAULT_ASK) {
        head.push(format!("@lifts({})", quoted(&asks.join(", "))));
    }
    if let Some(end) = expires {
        head.push(format!("@expires({})", quoted(&end.to_rfc3339_opts(SecondsFormat::Secs, true))));
    }
    let mut conditions = permitted_conditions(reach, operation)?;
    if let Some(session) = session {
        conditions.push(format!("context.session == Session::{}", quoted(session.as_str())));
    }
    Some(written(&head, Effect::Permit, reach, operation, &conditions))
}

/// A rule made from one operation, to be looked at and changed by hand before it is saved. What asks or forbids names fewer
/// conditions than what permits: another port or a credential is no way around it. `None` as for [`standing_approval_of`].
#[must_use]
pub fn proposal(effect: Effect, reach: &Reach, operation: &Operation, id: &str) -> Option<String> {
    let what: String = operation.summary.chars().filter(|c| !c.is_control()).take(200).collect();
    let mut head = vec![format!("@id({})", quoted(id)), format!("@reason({})", quoted(&format!("made from {what}")))];
    if effect == Effect::Ask {
        head.push("@liftable".to_owned());
    }
    let conditions = match (effect, &operation.subject) {
        (Effect::Permit, _) => permitted_conditions(reach, operation)?,
        (_, Subject::Http(HttpCall { endpoint, .. })) => {
            let method = format!("context.method == {}", quoted(&endpoint.method));
            let path = path_condition(operation, endpoint, reach.width)?;
            std::iter::once(method).chain(path).chain(folder_condition(reach)).collect()
        }
        (_, Subject::Llm(_)) => folder_condition(reach).into_iter().collect(),
        (_, Subject::Mcp(call)) => {
            tool::forbidden(call, operation, reach.width)?.into_iter().chain(folder_condition(reach)).collect()
        }
        (_, Subject::McpAsk(_)) => {
            tool::asked(operation, reach.width).into_iter().chain(folder_condition(reach)).collect()
        }
        (_, Subject::Shell(line)) => {
            tool::forbidden_line(line, operation, reach.width)?.into_iter().chain(folder_condition(reach)).collect()
        }
    };
    Some(written(&head, effect, reach, operation, &conditions))
}

fn written(head: &[String], effect: Effect, reach: &Reach, operation: &Operation, conditions: &[String]) -> String {
    let (verb, unless) = match effect {
        Effect::Permit => ("permit", ""),
        Effect::Ask => ("forbid", "\nunless { context.approved }"),
        Effect::Forbid => ("forbid", ""),
    };
    let principal = if reach.anyone {
        "principal".to_owned()
    } else {
        format!("principal == Agent::{}", quoted(operation.principal.agent.as_str()))
    };
    let resource = match &operation.subject {
        Subject::Http(call) => format!("resource == Host::{}", quoted(&call.endpoint.host.to_string())),
        Subject::Llm(call) => format!("resource == Model::{}", quoted(&call.model)),
        Subject::Mcp(call) => format!("resource == McpTool::{}", quoted(&call.resource())),
        Subject::McpAsk(ask) => format!("resource == McpServer::{}", quoted(&ask.server)),
        // Each program of a line is judged by itself, and the rule is about the line; its conditions say which.
        Subject::Shell(_) => "resource".to_owned(),
    };
    let when = match conditions {
        [] => String::new(),
        some => format!("\nwhen {{\n  {}\n}}", some.join(" &&\n  ")),
    };
    format!(
        "{}\n{verb} (\n  {principal},\n  action == Action::{},\n  {resource}\n){when}{unless};\n",
        head.join("\n"),
        quoted(operation.action().as_str()),
    )
}

/// Everything that a permission holds on to.
fn permitted_conditions(reach: &Reach, operation: &Operation) -> Option<Vec<String>> {
    let wide = reach.width == Width::Host && Class::of(operation) == Class::Read;
    let width = if reach.width == Width::Host && !wide { Width::Useful } else { reach.width };
    let mut conditions = match &operation.subject {
        Subject::Http(call) => reached(operation, &call.endpoint, width)?,
        Subject::Llm(call) => {
            let host = format!("context.host == {}", quoted(&call.endpoint.host.to_string()));
            std::iter::once(host).chain(place(&call.endpoint)).collect()
        }
        Subject::Mcp(call) => tool::permitted(call, operation, width)?,
        Subject::McpAsk(ask) => tool::permitted_ask(ask, operation, width),
        Subject::Shell(line) => tool::permitted_line(line, operation)?,
    };
    conditions.extend(folder_condition(reach));
    Some(conditions)
}

/// The folder itself, or what lies below it.
fn folder_condition(reach: &Reach) -> Option<String> {
    let folder = reach.folder.as_deref()?;
    let separator = if folder.contains('\\') { "\\" } else { "/" };
    let inside = format!("{}{separator}", folder.trim_end_matches(['/', '\\']));
    let pattern = escaped(&inside).replace('*', "\\*");
    Some(format!("context has cwd && (context.cwd == {} || context.cwd like \"{pattern}*\")", quoted(folder)))
}

/// The same credential, or none.
fn credential(operation: &Operation) -> String {
    match &operation.credential {
        Some(id) => format!("context has credential && context.credential == {}", quoted(id.as_str())),
        None => "!context.uses_credential".to_owned(),
    }
}

fn sentence(operation: &Operation) -> String {
    let what: String = operation.summary.chars().filter(|c| !c.is_control()).take(200).collect();
    format!("approved by hand for {what}")
}

fn place(endpoint: &Endpoint) -> [String; 2] {
    [format!("context.scheme == {}", quoted(endpoint.scheme.as_str())), format!("context.port == {}", endpoint.port)]
}

/// The condition on the path; none for a whole host. `None`: it cannot be said without what was taken out of the path.
fn path_condition(operation: &Operation, endpoint: &Endpoint, width: Width) -> Option<Option<String>> {
    let path = endpoint.path.judged();
    let exact =
        width == Width::Exact || Class::of(operation) == Class::Destructive || path.ends_with("/git-receive-pack");
    match path.trim_end_matches('/').rsplit_once('/') {
        _ if width == Width::Host => Some(None),
        Some((folder, _)) if !folder.is_empty() && !exact => {
            let named = endpoint.path.segments().count().saturating_sub(1);
            if endpoint.path.open_segments().is_some_and(|open| open < named) {
                return None;
            }
            Some(Some(format!("context.path like \"{}/*\"", escaped(folder).replace('*', "\\*"))))
        }
        _ if endpoint.path.open_segments().is_some() => None,
        _ => Some(Some(format!("context.path == {}", quoted(&path)))),
    }
}

fn reached(operation: &Operation, endpoint: &Endpoint, width: Width) -> Option<Vec<String>> {
    let mut out = place(endpoint).to_vec();
    out.push(format!("context.method == {}", quoted(&endpoint.method)));
    out.extend(path_condition(operation, endpoint, width)?);
    if let Some(credential) = &operation.credential {
        out.push(format!("context has credential && context.credential == {}", quoted(credential.as_str())));
    } else {
        out.push("!context.uses_credential".to_owned());
    }
    if let Subject::Http(call) = &operation.subject {
        out.push(if call.upgrade.is_some() { "context has upgrade" } else { "!(context has upgrade)" }.to_owned());
    }
    Some(out)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// Inside a Cedar string: nothing in `text` can end it or change what follows.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_ascii_graphic() || c == ' ' => out.push(c),
            c => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        }
    }
    out
}

/// Whether this approval may be remembered at all: every ask is marked liftable by its owner.
#[must_use]
pub fn may_stand(reasons: &[Reason]) -> bool {
    !reasons.is_empty() && reasons.iter().all(|reason| reason.liftable)
}
