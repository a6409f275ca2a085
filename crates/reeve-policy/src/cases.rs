//! Case files: example operations with the expected verdict. What `reeve policy test` runs, and Reeve's own tests too.

use chrono::{DateTime, FixedOffset};
use reeve_domain::id::{AgentId, CredentialId, OperationId, RuleId, SessionId, TeamId};
use reeve_domain::operation::{Digest, Operation};
use reeve_domain::principal::Principal;
use reeve_domain::settings::Preset;
use reeve_domain::verdict::Decision;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use crate::error::{PolicyError, Problem};
use crate::facts::Circumstances;
use crate::set::PolicySet;

mod subject;

use subject::{Http, Llm, Mcp, Shell};

const BALANCED: &str = include_str!("../../../policies/cases/balanced.yaml");
const STRICT: &str = include_str!("../../../policies/cases/strict.yaml");

/// The text of the cases shipped for a preset, and the file name they are shown under.
#[must_use]
pub fn shipped(preset: Preset) -> (&'static str, &'static str) {
    match preset {
        Preset::Balanced => ("cases/balanced.yaml", BALANCED),
        Preset::Strict => ("cases/strict.yaml", STRICT),
    }
}

/// How one case ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseResult {
    pub name: String,
    pub file: String,
    /// 1-based line of its name.
    pub line: u32,
    pub expected: Decision,
    pub decided: Decision,
    /// Rule that the case says determines the verdict.
    pub expected_rule: Option<RuleId>,
    /// Rules that did.
    pub rules: Vec<RuleId>,
    /// The file is for another preset than the one in force: nothing was judged against it.
    pub skipped: bool,
}

impl CaseResult {
    #[must_use]
    pub fn passed(&self) -> bool {
        let named = self.expected_rule.as_ref().is_none_or(|rule| self.rules.contains(rule));
        self.skipped || (self.decided == self.expected && named)
    }
}

/// An example operation with what is expected of it.
#[derive(Debug, Clone)]
pub struct Example {
    pub name: String,
    /// 1-based line of its name.
    pub line: u32,
    pub operation: Operation,
    pub circumstances: Circumstances,
    pub expect: Decision,
    /// The rule that determines it, where the case names one.
    pub rule: Option<RuleId>,
}

/// A case file, read.
#[derive(Debug, Clone)]
pub struct Examples {
    /// The preset that the expectations are for; any when `None`.
    pub preset: Option<Preset>,
    pub examples: Vec<Example>,
}

/// Reads a case file.
///
/// # Errors
/// When the file is not a case file, with the place of each problem.
pub fn read(text: &str, file: &str) -> Result<Examples, PolicyError> {
    let parsed: CaseFile =
        serde_saphyr::from_str(text).map_err(|e| PolicyError::Cases(vec![Problem::yaml(file, &e)]))?;
    let mut problems = Vec::new();
    let mut examples = Vec::new();
    for case in parsed.cases {
        let (line, column) = place(&case.name);
        match case.build() {
            Err(message) => problems.push(Problem { file: file.to_owned(), line, column, length: 0, message }),
            Ok((operation, circumstances)) => {
                let Case { name, expect, rule, .. } = case;
                examples.push(Example { name: name.value, line, operation, circumstances, expect, rule });
            }
        }
    }
    if problems.is_empty() {
        Ok(Examples { preset: parsed.preset, examples })
    } else {
        Err(PolicyError::Cases(problems))
    }
}

/// Judges every case of a file.
///
/// # Errors
/// As [`read`].
pub fn run(set: &PolicySet, text: &str, file: &str) -> Result<Vec<CaseResult>, PolicyError> {
    let Examples { preset, examples } = read(text, file)?;
    let skipped = preset.is_some_and(|preset| preset != set.preset());
    let judge = |example: Example| {
        let verdict = set.evaluate(&example.operation, &example.circumstances);
        CaseResult {
            name: example.name,
            file: file.to_owned(),
            line: example.line,
            expected: example.expect,
            decided: verdict.decision(),
            expected_rule: example.rule,
            rules: verdict.reasons().iter().map(|reason| reason.rule.clone()).collect(),
            skipped,
        }
    };
    Ok(examples.into_iter().map(judge).collect())
}

fn place<T>(spanned: &Spanned<T>) -> (u32, u32) {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    (number(spanned.referenced.line()), number(spanned.referenced.column()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    /// The preset that the expectations are for; any when absent.
    #[serde(default)]
    preset: Option<Preset>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: Spanned<String>,
    #[serde(default)]
    agent: Option<AgentId>,
    #[serde(default)]
    team: Option<TeamId>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    http: Option<Http>,
    #[serde(default)]
    llm: Option<Llm>,
    #[serde(default)]
    mcp: Option<Mcp>,
    #[serde(default)]
    shell: Option<Shell>,
    #[serde(default)]
    credential: Option<CredentialId>,
    #[serde(default)]
    first_seen: bool,
    /// As `first_seen` when absent: what was never seen was never written to.
    #[serde(default)]
    first_write: Option<bool>,
    /// The folder that the session works in.
    #[serde(default)]
    cwd: Option<String>,
    /// Local time with offset; a Friday noon when absent.
    #[serde(default)]
    at: Option<DateTime<FixedOffset>>,
    expect: Decision,
    #[serde(default)]
    rule: Option<RuleId>,
}

impl Case {
    fn build(&self) -> Result<(Operation, Circumstances), String> {
        let at = match self.at {
            Some(at) => at,
            None => DateTime::parse_from_rfc3339("2026-11-20T12:00:00+00:00").map_err(|e| e.to_string())?,
        };
        let agent = match &self.agent {
            Some(agent) => agent.clone(),
            None => AgentId::parse("claude-code").map_err(|e| e.to_string())?,
        };
        let subject = match (&self.http, &self.llm, &self.mcp, &self.shell) {
            (Some(http), None, None, None) => http.subject()?,
            (None, Some(llm), None, None) => llm.subject()?,
            (None, None, Some(mcp), None) => mcp.subject(),
            (None, None, None, Some(shell)) => shell.subject()?,
            _ => return Err("a case has exactly one of `http`, `llm`, `mcp` and `shell`".to_owned()),
        };
        let operation = Operation {
            id: OperationId::new(),
            at: at.to_utc(),
            principal: Principal {
                agent,
                session: SessionId::new(),
                user: self.user.clone().unwrap_or_else(|| "dana".to_owned()),
                team: self.team.clone(),
            },
            subject,
            content: Digest::of(self.name.value.as_bytes()),
            summary: self.name.value.clone(),
            conversation: None,
            credential: self.credential.clone(),
            parent: None,
        };
        let first_write = self.first_write.unwrap_or(self.first_seen);
        let cwd = self.cwd.clone();
        let circumstances =
            Circumstances { now: at, first_seen: self.first_seen, first_write, cwd, grants: Vec::new() };
        Ok((operation, circumstances))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(preset: Preset) -> PolicySet {
        PolicySet::load(preset, &[], &[]).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn every_shipped_case_passes_under_its_preset() {
        for preset in [Preset::Balanced, Preset::Strict] {
            let (file, text) = shipped(preset);
            let results = run(&set(preset), text, file).unwrap_or_else(|error| panic!("{error}"));
            assert!(results.len() >= 15, "{file} has only {} cases", results.len());
            let failed: Vec<_> = results.iter().filter(|r| !r.passed() || r.skipped).collect();
            assert!(failed.is_empty(), "{failed:#?}");
        }
    }

    #[test]
    fn cases_of_another_preset_are_skipped_and_counted_as_such() {
        let (file, text) = shipped(Preset::Strict);
        let results = run(&set(Preset::Balanced), text, file).unwrap();
        assert!(results.iter().all(|r| r.skipped && r.passed()));
    }

    #[test]
    fn a_wrong_expectation_fails_and_a_broken_file_says_where() {
        let set = set(Preset::Balanced);
        let text = "cases:\n  - name: x\n    http: { method: GET, url: 'https://example.com/' }\n    expect: deny\n";
        let results = run(&set, text, "mine.yaml").unwrap();
        assert!(matches!(results.as_slice(), [r] if !r.passed() && r.line == 2));
        let wrong_rule = text.replace("expect: deny", "expect: allow\n    rule: no-such-rule");
        assert!(run(&set, &wrong_rule, "mine.yaml").unwrap().iter().all(|r| !r.passed()));
        for (bad, place) in [
            (text.replace("expect: deny", "expects: deny"), "mine.yaml:4:"),
            (text.replace("GET", "get"), "mine.yaml:2:"),
            (text.replace("https://example.com/", "https://example.com/%2e%2e/x"), "mine.yaml:2:"),
            (text.replace("http:", "#http:"), "mine.yaml:2:"),
        ] {
            let error = run(&set, &bad, "mine.yaml").unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }
}
