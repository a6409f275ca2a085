//! From the text of a file to rules: parsed, their annotations read and checked, each with its place.

use cedar_policy::{Effect, Policy, PolicyId};
use chrono::{DateTime, Utc};
use miette::Diagnostic;
use reeve_domain::address::Ranges;
use reeve_domain::host::HostPattern;
use reeve_domain::id::RuleId;
use reeve_domain::obligation::Obligation;
use reeve_domain::verdict::{Layer, Reason, Risk};
use serde::Serialize;

use crate::bounds;
use crate::condition::Reading;
use crate::error::{Problem, place};
use crate::schema::HostGroups;
use crate::scope::Scope;

/// The text of one policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub layer: Layer,
    /// As shown to people.
    pub file: String,
    pub text: String,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    Permit,
    /// A forbid that no approval lifts.
    Forbid,
    /// A forbid that an approval lifts.
    Ask,
    /// A permit that answers asks (`@lifts`).
    Standing,
}

/// Whether a rule counts, or only says what it would have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleMode {
    Enforce,
    /// `@mode("observe")`.
    Observe,
}

/// A rule as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleInfo {
    pub id: RuleId,
    /// Empty only for a standing approval that gives none.
    pub reason: String,
    pub layer: Layer,
    pub file: String,
    /// 1-based line of its first character, annotations included.
    pub line: u32,
    pub kind: RuleKind,
    pub mode: RuleMode,
    /// Whether its owner lets a standing approval lift it.
    pub liftable: bool,
    /// Risk that an operation it determines has at least.
    pub risk: Option<Risk>,
    /// When a permit or standing approval stops counting.
    pub expires: Option<DateTime<Utc>>,
    /// The asks that a standing approval answers.
    pub lifts: Vec<RuleId>,
    /// As written.
    pub text: String,
}

/// A rule with all that deciding needs.
#[derive(Debug)]
pub(crate) struct Rule {
    pub policy: Policy,
    pub info: RuleInfo,
    pub obligations: Vec<Obligation>,
    pub scope: Scope,
    pub reading: Reading,
    /// Byte offset in its file, for messages.
    pub offset: usize,
}

impl Rule {
    pub fn reason(&self) -> Reason {
        Reason {
            rule: self.info.id.clone(),
            text: self.info.reason.clone(),
            layer: self.info.layer,
            file: self.info.file.clone(),
            line: self.info.line,
            liftable: self.info.liftable,
        }
    }

    pub fn alive(&self, now: DateTime<Utc>) -> bool {
        self.info.expires.is_none_or(|end| now < end)
    }
}

/// What reading one file gave.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub rules: Vec<Rule>,
    pub problems: Vec<Problem>,
    /// Not wrong, but to be seen.
    pub notices: Vec<Problem>,
}

/// Reads one file. Finds every problem that can be found without the other files.
pub(crate) fn read(source: &Source, groups: &HostGroups) -> Read {
    let mut out = Read::default();
    if let Err((offset, message)) = bounds::check(&source.text) {
        out.problems.push(at(source, offset, message));
        return out;
    }
    let set = match source.text.parse::<cedar_policy::PolicySet>() {
        Ok(set) => set,
        Err(errors) => {
            out.problems.extend(errors.iter().map(|error| located(source, 0, error)));
            return out;
        }
    };
    for template in set.templates() {
        let offset = template.as_ref().loc().map_or(0, |loc| loc.start());
        out.problems.push(at(source, offset, "templates (`?principal`, `?resource`) are not supported"));
    }
    for policy in set.policies() {
        read_rule(source, policy, groups, &mut out);
    }
    out.rules.sort_by_key(|rule| rule.offset);
    out
}

/// A problem at a byte offset of a file.
pub(crate) fn at(source: &Source, offset: usize, message: impl Into<String>) -> Problem {
    let (line, column) = place(&source.text, offset);
    Problem { file: source.file.clone(), line, column, length: 0, message: message.into() }
}

/// A Cedar diagnostic at the place it names, or at `fallback` when it names none.
pub(crate) fn located(source: &Source, fallback: usize, error: &(impl Diagnostic + ?Sized)) -> Problem {
    let label = error.labels().and_then(|mut labels| labels.next());
    let offset = label.as_ref().map_or(fallback, miette::LabeledSpan::offset);
    let hint = label.as_ref().and_then(|label| label.label()).map(|text| format!(": {text}")).unwrap_or_default();
    let help = error.help().map(|text| format!(" ({text})")).unwrap_or_default();
    let span = label.as_ref().map(|label| (label.offset(), label.offset() + label.len()));
    let spanned = span.and_then(|(from, to)| source.text.get(from..to)).map_or(0, |text| text.chars().count());
    let length = u32::try_from(spanned).unwrap_or(u32::MAX);
    Problem { length, ..at(source, offset, format!("{error}{hint}{help}")) }
}

fn read_rule(source: &Source, policy: &Policy, groups: &HostGroups, out: &mut Read) {
    let (offset, end) = policy.as_ref().loc().map_or((0, source.text.len()), |loc| (loc.start(), loc.end()));
    let reading = match policy.to_json() {
        Ok(json) => Reading::of(&json),
        Err(error) => return out.problems.push(at(source, offset, error.to_string())),
    };
    let mut found = Vec::new();
    let annotations = Annotations::read(policy, &mut found);
    let kind = match (policy.effect(), annotations.lifts.is_empty(), reading.approved) {
        (Effect::Permit, true, _) => RuleKind::Permit,
        (Effect::Permit, false, _) => RuleKind::Standing,
        (Effect::Forbid, _, true) => RuleKind::Ask,
        (Effect::Forbid, _, false) => RuleKind::Forbid,
    };
    let scope = Scope::of(policy, &reading);
    check_kind(&annotations, kind, &reading, &mut found);
    if !annotations.ranges.is_empty() && !scope.names_hosts() {
        found.push(
            "`@addresses` needs a rule that names its hosts: `resource == Host::\"…\"` or `resource in …` in the head or as \
             the first condition"
                .to_owned(),
        );
    }
    check_entities(policy, groups, &mut found);
    for unknown in &annotations.unknown {
        out.notices.push(at(source, offset, format!("the annotation `@{unknown}` means nothing to Reeve")));
    }
    if source.layer == Layer::Project && policy.effect() == Effect::Permit {
        let message = "a project file can only tighten: this permit is ignored";
        return out.notices.push(at(source, offset, message));
    }
    out.problems.extend(found.into_iter().map(|message| at(source, offset, message)));
    let Some(id) = annotations.id.clone() else { return };
    let info = RuleInfo {
        id: id.clone(),
        reason: annotations.reason.clone(),
        layer: source.layer,
        file: source.file.clone(),
        line: place(&source.text, offset).0,
        kind,
        mode: if annotations.observe { RuleMode::Observe } else { RuleMode::Enforce },
        liftable: annotations.liftable,
        risk: annotations.risk,
        expires: annotations.expires,
        lifts: annotations.lifts.clone(),
        text: source.text.get(offset..end).unwrap_or_default().to_owned(),
    };
    let policy = policy.new_id(PolicyId::new(id.as_str()));
    out.rules.push(Rule { policy, info, obligations: annotations.obligations(), scope, reading, offset });
}

/// What only makes sense on some kinds of rules.
fn check_kind(annotations: &Annotations, kind: RuleKind, reading: &Reading, found: &mut Vec<String>) {
    let permit = matches!(kind, RuleKind::Permit | RuleKind::Standing);
    if annotations.liftable && kind != RuleKind::Ask {
        found.push("`@liftable` belongs on a rule that asks (`forbid … unless { context.approved }`)".to_owned());
    }
    if !annotations.lifts.is_empty() && !permit {
        found.push("`@lifts` belongs on a permit".to_owned());
    }
    if annotations.expires.is_some() && !permit {
        found.push("`@expires` belongs on a permit: a rule that forbids does not wear off".to_owned());
    }
    if permit && reading.approved {
        found.push("a permit must not depend on `context.approved`: an approval needs no permit".to_owned());
    }
    if kind != RuleKind::Permit && annotations.has_obligations() {
        found.push("`@addresses`, `@timeout` and `@block_undecodable` belong on a permit without `@lifts`".to_owned());
    }
    if kind != RuleKind::Standing && annotations.reason.is_empty() {
        found.push("`@reason(\"…\")` is missing: one plain sentence that says why".to_owned());
    }
}

/// Entities that cannot ever be met: a misspelt host or group makes a rule that silently does nothing.
fn check_entities(policy: &Policy, groups: &HostGroups, found: &mut Vec<String>) {
    for uid in policy.entity_literals() {
        let id = uid.id().unescaped();
        match uid.type_name().basename() {
            "Host" => match HostPattern::parse(id) {
                Ok(pattern) if pattern.to_string() == id => {}
                Ok(pattern) => found.push(format!("no host is ever called `{id}`; write `{pattern}`")),
                Err(error) => found.push(error.to_string()),
            },
            "HostGroup" if !groups.knows(id) => found.push(format!("there is no group of hosts called `{id}`")),
            _ => {}
        }
    }
}

/// The annotations of one rule, read.
#[derive(Debug, Default)]
struct Annotations {
    id: Option<RuleId>,
    reason: String,
    liftable: bool,
    risk: Option<Risk>,
    lifts: Vec<RuleId>,
    expires: Option<DateTime<Utc>>,
    ranges: Vec<String>,
    timeout: Option<u64>,
    block_undecodable: bool,
    observe: bool,
    unknown: Vec<String>,
}

impl Annotations {
    fn read(policy: &Policy, found: &mut Vec<String>) -> Self {
        let mut out = Self::default();
        for (key, value) in policy.annotations() {
            if let Err(message) = out.take(key, value) {
                found.push(message);
            }
        }
        if policy.annotation("id").is_none() {
            found.push("`@id(\"…\")` is missing: every rule has a name of its own".to_owned());
        }
        out
    }

    fn take(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "id" => self.id = Some(own_id(value)?),
            "reason" => self.reason = sentence(value)?,
            "liftable" => self.liftable = flag(key, value)?,
            "block_undecodable" => self.block_undecodable = flag(key, value)?,
            "mode" => self.observe = observes(value)?,
            "risk" => self.risk = Some(risk(value)?),
            "lifts" => self.lifts = ids(value)?,
            "expires" => self.expires = Some(instant(value)?),
            "timeout" => self.timeout = Some(seconds(value)?),
            "addresses" => self.ranges = ranges(value)?,
            unknown => self.unknown.push(unknown.to_owned()),
        }
        Ok(())
    }

    fn has_obligations(&self) -> bool {
        self.timeout.is_some() || self.block_undecodable || !self.ranges.is_empty()
    }

    fn obligations(&self) -> Vec<Obligation> {
        let mut out = Vec::new();
        if !self.ranges.is_empty() {
            out.push(Obligation::PermitAddresses { ranges: self.ranges.clone() });
        }
        out.extend(self.timeout.map(|seconds| Obligation::Timeout { seconds }));
        out.extend(self.block_undecodable.then_some(Obligation::BlockUndecodable));
        out
    }
}

fn observes(value: &str) -> Result<bool, String> {
    match value {
        "observe" => Ok(true),
        "enforce" => Ok(false),
        other => Err(format!("`@mode(\"{other}\")` is neither `observe` nor `enforce`")),
    }
}

fn own_id(value: &str) -> Result<RuleId, String> {
    let id = RuleId::parse(value).map_err(|error| error.to_string())?;
    if value.starts_with("reeve-") || matches!(value, crate::DEFAULT_ASK | crate::DEFAULT_DENY) {
        return Err(format!("`{value}` is a name that Reeve keeps for itself"));
    }
    Ok(id)
}

fn ids(value: &str) -> Result<Vec<RuleId>, String> {
    value.split(',').map(|id| RuleId::parse(id.trim()).map_err(|error| error.to_string())).collect()
}

fn sentence(value: &str) -> Result<String, String> {
    let text = value.trim();
    if text.is_empty() || text.chars().count() > 300 || text.chars().any(char::is_control) {
        return Err("`@reason` takes one plain sentence of at most 300 characters on one line".to_owned());
    }
    Ok(text.to_owned())
}

fn flag(key: &str, value: &str) -> Result<bool, String> {
    if value.is_empty() { Ok(true) } else { Err(format!("`@{key}` takes no value")) }
}

fn risk(value: &str) -> Result<Risk, String> {
    match value {
        "low" => Ok(Risk::Low),
        "medium" => Ok(Risk::Medium),
        "high" => Ok(Risk::High),
        "critical" => Ok(Risk::Critical),
        _ => Err(format!("`@risk(\"{value}\")` is none of `low`, `medium`, `high`, `critical`")),
    }
}

/// An RFC 3339 instant, or a date: its first moment, UTC.
fn instant(value: &str) -> Result<DateTime<Utc>, String> {
    let day = || value.parse::<chrono::NaiveDate>().ok()?.and_hms_opt(0, 0, 0);
    DateTime::parse_from_rfc3339(value)
        .map(|at| at.to_utc())
        .ok()
        .or_else(|| day().map(|at| at.and_utc()))
        .ok_or_else(|| format!("`@expires(\"{value}\")` is neither a date such as `2026-12-20` nor an RFC 3339 time"))
}

fn seconds(value: &str) -> Result<u64, String> {
    let bad = || format!("`@timeout(\"{value}\")` is not a duration such as `30s`, `5m` or `1h`");
    let (unit, factor) = match value.chars().last() {
        Some('s') => ('s', 1),
        Some('m') => ('m', 60),
        Some('h') => ('h', 3600),
        _ => return Err(bad()),
    };
    let digits = value.strip_suffix(unit).unwrap_or_default();
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let count = plain.then(|| digits.parse::<u64>().ok()).flatten().ok_or_else(bad)?;
    count.checked_mul(factor).filter(|seconds| (1..=86_400).contains(seconds)).ok_or_else(bad)
}

fn ranges(value: &str) -> Result<Vec<String>, String> {
    let parsed = Ranges::parse(value).map_err(|error| error.to_string())?;
    if parsed.is_empty() {
        return Err("`@addresses` names no range".to_owned());
    }
    Ok(value.split(',').map(|range| range.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_instants_are_read_or_refused() {
        assert_eq!(seconds("30s"), Ok(30));
        assert_eq!(seconds("2h"), Ok(7200));
        for bad in ["", "s", "30", "-1s", "+1s", "1.5h", "0s", "25h", "1d", "99999999999999999999h", "5ä"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
        assert_eq!(instant("2026-12-20").unwrap().to_rfc3339(), "2026-12-20T00:00:00+00:00");
        assert_eq!(instant("2026-12-20T10:00:00+02:00").unwrap().to_rfc3339(), "2026-12-20T08:00:00+00:00");
        assert!(instant("soon").is_err());
    }

    #[test]
    fn names_that_reeve_keeps_are_refused() {
        for kept in ["reeve-evaluation-error", "reeve-x", "default-ask", "default-deny"] {
            assert!(own_id(kept).is_err(), "{kept}");
        }
        assert!(own_id("reevers").is_ok());
    }
}
