//! Two versions of rules for tools side by side: what is new, gone or changed, and whether that can let more pass.

use reeve_domain::obligation::{DataAction, SchemaMode};
use serde::Serialize;

use super::{OnExceeded, Placed, ToolRule, ToolRules};
use crate::diff::Leaning;

/// One entry that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToolDifference {
    /// `tool_policies.server/tool`, `tool_governance.…`, or `method_policies.server/method`.
    pub name: String,
    /// It was there.
    pub before: bool,
    /// It is there.
    pub after: bool,
    pub leaning: Leaning,
}

/// Entries that differ, in their order: those of the newer version first.
#[must_use]
pub fn diff(before: &ToolRules, after: &ToolRules) -> Vec<ToolDifference> {
    let same = |a: &ToolRule, b: &ToolRule| (a.layer, &a.file, a.name()) == (b.layer, &b.file, b.name());
    let changed = after.rules().iter().filter_map(|new| {
        let old = before.rules().iter().find(|old| same(old, new));
        let differs = old.is_none_or(|old| old.said() != new.said());
        let leaning = if tightens(old, Some(new)) { Leaning::Tighter } else { Leaning::Either };
        differs.then(|| ToolDifference { name: new.name(), before: old.is_some(), after: true, leaning })
    });
    let gone = before.rules().iter().filter(|old| !after.rules().iter().any(|new| same(old, new)));
    let gone = gone.map(|old| {
        // What could only be tighter by being there can only be looser without.
        let leaning = if tightens(None, Some(old)) { Leaning::Looser } else { Leaning::Either };
        ToolDifference { name: old.name(), before: true, after: false, leaning }
    });
    changed.chain(gone).collect()
}

/// Whether the change can only hold, deny or hide more. How something is counted and what becomes of repeats is picked from
/// one rule, so the text alone does not tell what another one there does.
fn tightens(old: Option<&ToolRule>, new: Option<&ToolRule>) -> bool {
    let lower = |old: Option<u64>, new: Option<u64>| old.is_none_or(|old| new.is_some_and(|new| new <= old));
    let rows = |rule: &ToolRule| rule.max_row_count.as_ref().map(|max| max.value);
    let dry = |rule: &ToolRule| rule.dry_run.as_ref().map(|dry_run| dry_run.value.unwrap_or(u64::MAX));
    let seconds = |rule: &ToolRule| rule.timeout_seconds;
    let exceeded = |rule: &ToolRule| rule.on_exceeded;
    let schema = |rule: &ToolRule| rule.schema.as_ref().map(|mode| mode.value);
    let action = |rule: Option<&ToolRule>, name: &String| {
        rule.and_then(|rule| rule.arguments.get(name).or(rule.argument_default.as_ref())).map(|placed| placed.value)
    };
    let default = |rule: &ToolRule| rule.argument_default.as_ref().map(|placed| placed.value);
    let number = |of: fn(&ToolRule) -> Option<u64>| lower(old.and_then(of), new.and_then(of));
    let names = || [old, new].into_iter().flatten().flat_map(|rule| rule.arguments.keys());
    let spoken = |rule: Option<&ToolRule>| {
        rule.map(|rule| (format!("{:?}", rule.preview), format!("{:?}", rule.idempotence))).unwrap_or_else(|| {
            let none = "None".to_owned();
            (none.clone(), none)
        })
    };
    let forbidden = |rule: Option<&ToolRule>| rule.map(forbids).unwrap_or_default();
    let still = forbidden(new);
    number(rows)
        && number(dry)
        && number(seconds)
        && new.and_then(exceeded).unwrap_or(OnExceeded::Ask) >= old.and_then(exceeded).unwrap_or(OnExceeded::Ask)
        && new.and_then(schema).unwrap_or(SchemaMode::Observe) >= old.and_then(schema).unwrap_or(SchemaMode::Observe)
        && names().all(|name| action(new, name).unwrap_or_default() >= action(old, name).unwrap_or_default())
        && new.and_then(default).unwrap_or_default() >= old.and_then(default).unwrap_or_default()
        && result(new) >= result(old)
        && new.is_some_and(|rule| rule.for_call) >= old.is_some_and(|rule| rule.for_call)
        && forbidden(old).iter().all(|one| still.contains(one))
        && spoken(old) == spoken(new)
}

fn result(rule: Option<&ToolRule>) -> DataAction {
    rule.and_then(|rule| rule.result).unwrap_or_default()
}

/// What a rule forbids, one text for each.
fn forbids(rule: &ToolRule) -> Vec<String> {
    let one = |Placed { value, .. }: &Placed<super::Forbidden>| {
        let patterns: Vec<&str> = value.patterns.iter().map(regex::Regex::as_str).collect();
        format!("{:?} {:?} {} {patterns:?}", value.path, value.values, value.case_insensitive)
    };
    rule.forbidden.iter().map(one).collect()
}

impl ToolRule {
    /// As people find it in its file: `tool_policies.server/tool`.
    #[must_use]
    pub fn name(&self) -> String {
        let section = match (self.refuses, self.idempotence.is_some()) {
            (true, _) => "method_policies",
            (false, true) => "tool_governance",
            (false, false) => "tool_policies",
        };
        format!("{section}.{}", self.tools)
    }

    /// Everything that it says, in one spelling, wherever it stands.
    #[must_use]
    pub fn said(&self) -> String {
        let placed = |action: &Placed<DataAction>| action.value;
        let arguments: Vec<_> = self.arguments.iter().map(|(name, action)| (name, placed(action))).collect();
        format!(
            "{:?}",
            (
                self.max_row_count.as_ref().map(|max| max.value),
                self.on_exceeded,
                self.dry_run.as_ref().map(|dry_run| dry_run.value),
                &self.preview,
                forbids(self),
                (arguments, self.argument_default.as_ref().map(placed), self.result, self.for_call),
                self.timeout_seconds,
                self.schema.as_ref().map(|mode| mode.value),
                &self.idempotence,
            )
        )
    }
}
