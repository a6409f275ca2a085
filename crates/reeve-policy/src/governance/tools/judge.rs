//! What the rules for tools say of one call: what is forbidden in it, how many rows it may change, and what it has to be
//! held to when it passes.

use reeve_domain::id::RuleId;
use reeve_domain::obligation::{DataAction, Obligation, Preview, SchemaMode};
use reeve_domain::operation::{Argument, DataKind, McpToolCall, Operation, Purpose, RowCount, SchemaCheck};
use reeve_domain::verdict::{Decision, Layer, Reason, Risk};

use super::{
    BLOCKED_DATA, FORBIDDEN_VALUE, Forbidden, InForce, OnExceeded, Placed, TOO_MANY_ROWS, ToolRule, ToolRules,
    UNCOUNTED_ROWS, UNFIT_ARGUMENTS,
};

/// Most arguments, and most characters of each, that a call's record holds: what reaches them may be cut there.
const ARGUMENTS: usize = 256;
const CHARACTERS: usize = 1024;
/// How what was taken out of an argument is marked.
const TAKEN_OUT: &str = "(redacted";
/// Most problems that one sentence names.
const NAMED: usize = 3;

/// What the rules for tools add to a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bearing {
    pub decision: Decision,
    /// Of what asks or denies.
    pub reasons: Vec<Reason>,
    pub obligations: Vec<Obligation>,
    pub risk: Option<(Risk, String)>,
}

impl ToolRules {
    /// Where a call that Reeve makes by itself is declared as a preview or a probe. Who wrote that down wants it made without
    /// being asked each time; it lifts no deny.
    pub(crate) fn declared(&self, operation: &Operation) -> Option<String> {
        let call = operation.mcp()?;
        let declares = |rule: &&ToolRule| match call.purpose {
            Purpose::Call => false,
            Purpose::Preview => rule.preview.as_ref().is_some_and(|preview| match preview {
                Preview::Tool { tool, .. } | Preview::Sql { reader: tool, .. } => *tool == call.tool,
                Preview::Argument { .. } => rule.tools.covers(&call.server, &call.tool),
            }),
            Purpose::Probe => {
                let probe = rule.idempotence.as_ref().and_then(|rules| rules.probe.as_ref());
                probe.is_some_and(|probe| probe.tool == call.tool)
            }
        };
        let here = |rule: &&ToolRule| rule.tools.is_of(&call.server) && rule.layer != Layer::Project;
        let rule = self.rules.iter().filter(here).find(declares)?;
        Some(format!("{}:{}", rule.file, rule.line))
    }

    /// `None`: nothing here concerns it.
    pub(crate) fn bear(&self, operation: &Operation) -> Option<Bearing> {
        let call = operation.mcp()?;
        let rules = self.tool(&call.server, &call.tool)?;
        let mut bearing =
            Bearing { decision: Decision::Allow, reasons: Vec::new(), obligations: Vec::new(), risk: None };
        bearing.values(&rules, call);
        bearing.data(&rules, call);
        bearing.schema(&rules, call);
        if call.purpose == Purpose::Call {
            bearing.rows(&rules, call, operation);
            // What only tries out must not stand in the way of what it tries out.
            let tries = rules.preview.as_ref().is_some_and(|preview| is_dry_run(preview, call));
            let idempotence = rules.idempotence.clone().filter(|_| !tries);
            bearing.obligations.extend(idempotence.map(|rules| Obligation::Idempotent { rules }));
        }
        bearing.obligations.extend(rules.timeout_seconds.map(|seconds| Obligation::Timeout { seconds }));
        bearing.obligations.extend(rules.data.map(|data| Obligation::Redact { data }));
        Some(bearing)
    }
}

impl Bearing {
    fn add<T>(&mut self, decision: Decision, rule: &str, place: &Placed<T>, text: String) {
        // The names above are rules' names.
        let Ok(rule) = RuleId::parse(rule) else { return };
        let strictness = |decision: Decision| match decision {
            Decision::Allow => 0,
            Decision::Ask => 1,
            Decision::Deny => 2,
        };
        match strictness(decision).cmp(&strictness(self.decision)) {
            std::cmp::Ordering::Less => return,
            std::cmp::Ordering::Greater => self.reasons.clear(),
            std::cmp::Ordering::Equal => {}
        }
        self.decision = decision;
        let (layer, file, line) = (place.layer, place.file.clone(), place.line);
        self.reasons.push(Reason { rule, text, layer, file, line, liftable: false });
    }

    fn values(&mut self, rules: &InForce, call: &McpToolCall) {
        for placed in &rules.forbidden {
            match placed.value.found(call) {
                Found::Value { path, value } => {
                    let text = format!("`{path}` must not be `{value}`");
                    self.add(Decision::Deny, FORBIDDEN_VALUE, placed, text);
                }
                Found::Untold => {
                    let name = placed.value.path.join(".");
                    let text = format!("it cannot be told whether `{name}` has a value that is forbidden");
                    self.add(Decision::Ask, FORBIDDEN_VALUE, placed, text);
                }
                Found::Nothing => {}
            }
        }
    }

    fn data(&mut self, rules: &InForce, call: &McpToolCall) {
        for found in &call.data {
            let name = segments(&found.path).into_iter().next().unwrap_or_default();
            let action = rules.arguments.get(&name).or(rules.argument_default.as_ref());
            if let Some(placed) = action.filter(|placed| placed.value == DataAction::Block) {
                let place = match found.path.as_str() {
                    "" => "the name of an argument".to_owned(),
                    path => format!("`{path}`"),
                };
                let text = format!("{place} holds {}, which this tool must not be given", word(found.kind));
                self.add(Decision::Deny, BLOCKED_DATA, placed, text);
            }
        }
    }

    fn schema(&mut self, rules: &InForce, call: &McpToolCall) {
        let Some(placed) = &rules.schema else { return };
        self.obligations.push(Obligation::CheckSchema { mode: placed.value });
        if let (SchemaMode::Enforce, SchemaCheck::Fails { problems }) = (placed.value, &call.schema) {
            let told = problems.iter().take(NAMED).map(|problem| match problem.path.as_str() {
                "" => format!("they must be {}, and are {}", problem.expected, problem.found),
                path => format!("`{path}` must be {}, and is {}", problem.expected, problem.found),
            });
            let told: Vec<String> = told.collect();
            let text = format!("the arguments do not fit the tool's schema: {}", told.join("; "));
            self.add(Decision::Deny, UNFIT_ARGUMENTS, placed, text);
        }
    }

    fn rows(&mut self, rules: &InForce, call: &McpToolCall, operation: &Operation) {
        // What is only answered again changes nothing.
        if matches!(call.rows, RowCount::Repeats { .. }) {
            return;
        }
        if !rules.counts_rows() || rules.preview.as_ref().is_some_and(|preview| is_dry_run(preview, call)) {
            return;
        }
        if let Some(max) = &rules.max_row_count {
            self.obligations.push(Obligation::CapRows { max: max.value });
        }
        let preview = rules.preview.clone();
        self.obligations.extend(preview.map(|preview| Obligation::DryRun { preview }));
        let rows = match &call.rows {
            // What was counted for another call says nothing of this one.
            RowCount::Counted { rows, arguments, .. } if *arguments == operation.content => *rows,
            unknown => return self.uncounted(rules, unknown),
        };
        if let Some(max) = rules.max_row_count.as_ref().filter(|max| rows > max.value) {
            let (decision, limit) = match rules.on_exceeded {
                OnExceeded::Ask => (Decision::Ask, format!("above {} a human decides", max.value)),
                OnExceeded::Deny => (Decision::Deny, format!("{} are allowed", max.value)),
            };
            let text = format!("it would change {rows} rows, and {limit}");
            self.risk = Some((Risk::High, text.clone()));
            self.add(decision, TOO_MANY_ROWS, max, text);
        } else if let Some(dry_run) = &rules.dry_run
            && let Some(above) = dry_run.value.filter(|above| rows > *above)
        {
            let text = format!("it would change {rows} rows, and above {above} a human sees what a dry run found");
            self.add(Decision::Ask, TOO_MANY_ROWS, dry_run, text);
        }
    }

    fn uncounted(&mut self, rules: &InForce, rows: &RowCount) {
        let text = match rows {
            RowCount::Uncountable { why } => format!("the rows that it would change could not be counted: {why}"),
            _ if rules.preview.is_some() => "the rows that it would change have not been counted yet".to_owned(),
            _ => "nobody can count the rows that it would change, because no `preview` is declared".to_owned(),
        };
        if let Some(max) = &rules.max_row_count {
            self.add(Decision::Ask, UNCOUNTED_ROWS, max, text);
        } else if let Some(dry_run) = &rules.dry_run {
            self.add(Decision::Ask, UNCOUNTED_ROWS, dry_run, text);
        }
    }
}

/// Whether the call itself changes nothing, because it asks the tool for its dry run.
fn is_dry_run(preview: &Preview, call: &McpToolCall) -> bool {
    let Preview::Argument { argument, value, .. } = preview else { return false };
    // As the record writes a name: a place in a list under the same name is another argument, and no flag.
    let path = argument.replace('\\', r"\\").replace('.', r"\.").replace('[', r"\[");
    call.arguments.iter().any(|one| one.path == path && one.value == *value)
}

fn word(kind: DataKind) -> &'static str {
    match kind {
        DataKind::Email => "an e-mail address",
        DataKind::Phone => "a phone number",
        DataKind::Iban => "an account number",
        DataKind::Card => "a card number",
        DataKind::Secret => "a secret",
    }
}

/// What looking for a forbidden value gave.
enum Found<'a> {
    Nothing,
    Value {
        path: &'a str,
        value: String,
    },
    /// What was left out of the record may be one.
    Untold,
}

impl Forbidden {
    fn found<'a>(&self, call: &'a McpToolCall) -> Found<'a> {
        let mut untold = !call.is_whole && call.arguments.len() >= ARGUMENTS;
        for argument in &call.arguments {
            // A name that was cut or changed may be any.
            let name_untold =
                !call.is_whole && (argument.path.contains(TAKEN_OUT) || argument.path.chars().count() >= CHARACTERS);
            if !name_untold && !self.concerns(argument) {
                continue;
            }
            let value = argument.value.to_string();
            if self.forbids(&value) && !name_untold {
                return Found::Value { path: &argument.path, value };
            }
            let cut = value.chars().count() >= CHARACTERS && !self.patterns.is_empty();
            let taken_out = value.contains(TAKEN_OUT) || call.data.iter().any(|found| found.path == argument.path);
            untold |= name_untold || (!call.is_whole && (cut || taken_out));
        }
        if untold { Found::Untold } else { Found::Nothing }
    }

    /// The argument, or something inside of one, at any depth.
    fn concerns(&self, argument: &Argument) -> bool {
        let names = segments(&argument.path);
        names.windows(self.path.len()).any(|part| part.iter().zip(&self.path).all(|(a, b)| self.same(a, b)))
    }

    fn forbids(&self, value: &str) -> bool {
        self.values.iter().any(|own| self.same(own, value)) || self.patterns.iter().any(|p| p.is_match(value))
    }

    fn same(&self, a: &str, b: &str) -> bool {
        a == b || (self.case_insensitive && a.to_lowercase() == b.to_lowercase())
    }
}

/// The names that lead to an argument; places in lists are no names.
fn segments(path: &str) -> Vec<String> {
    let (mut out, mut name, mut index) = (Vec::new(), String::new(), false);
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => name.extend(chars.next()),
            '[' => index = true,
            ']' if index => index = false,
            '.' => out.push(std::mem::take(&mut name)),
            _ if index => {}
            c => name.push(c),
        }
    }
    out.push(name);
    out
}
