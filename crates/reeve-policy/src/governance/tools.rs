//! `tools.yaml`: what each tool may change, in which shape and how often. Of all that concerns a tool the tightest holds,
//! whichever layer it stands in.

mod complete;
mod differ;
mod judge;
mod layout;
mod read;

use std::collections::BTreeMap;

use reeve_domain::obligation::{DataAction, DataRules, Idempotence, Preview, SchemaMode};
use reeve_domain::verdict::Layer;
use regex::Regex;
use sha2::{Digest as _, Sha256};

use crate::error::{PolicyError, Problem};
use crate::governance::limits::{self, Limits};
pub use complete::complete;
pub use differ::{ToolDifference, diff};
pub(crate) use judge::Bearing;
pub use layout::format;
pub(super) use read::session_limits;

/// Rules of Reeve that stand for what `tools.yaml` says.
pub const FORBIDDEN_VALUE: &str = "tool-forbidden-value";
pub const BLOCKED_DATA: &str = "tool-blocked-data";
pub const UNFIT_ARGUMENTS: &str = "tool-schema";
pub const TOO_MANY_ROWS: &str = "tool-max-rows";
pub const UNCOUNTED_ROWS: &str = "tool-uncounted-rows";
pub const REFUSED_METHOD: &str = "server-method";

/// Without these there is no conversation with a server, and calls of tools have rules of their own.
const ALWAYS: [&str; 5] = ["initialize", "ping", "server/discover", "tools/list", "tools/call"];

/// A file of rules for tools: its layer, the name shown to people, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolsSource {
    pub layer: Layer,
    pub file: String,
    pub text: String,
}

/// Every rule for tools in force.
#[derive(Debug, Clone, Default)]
pub struct ToolRules {
    rules: Vec<ToolRule>,
    notices: Vec<Problem>,
    revision: Option<String>,
    of_projects: Limits,
}

impl ToolRules {
    /// What `tool_policies`, `tool_governance` and `method_policies` say, by layer, file and line.
    #[must_use]
    pub fn rules(&self) -> &[ToolRule] {
        &self.rules
    }

    /// What loads and should be seen: where a key means more here than its writer may think.
    #[must_use]
    pub fn notices(&self) -> &[Problem] {
        &self.notices
    }

    /// Session limits that projects name: they bind the sessions that work there, beside those in force.
    #[must_use]
    pub fn limits_of_projects(&self) -> &Limits {
        &self.of_projects
    }

    /// Hash of the files; `None` where there are none.
    pub(crate) fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    /// All that concerns one tool, the tightest of each kind; `None` where nothing does.
    #[must_use]
    pub fn tool(&self, server: &str, tool: &str) -> Option<InForce> {
        let about_tools = self.rules.iter().filter(|rule| !rule.refuses);
        let mut concerned: Vec<&ToolRule> = about_tools.filter(|rule| rule.tools.covers(server, tool)).collect();
        // Where one of several has to be picked: the highest layer, then the one that names the tool most exactly.
        concerned.sort_by_key(|rule| (rule.layer, std::cmp::Reverse(rule.tools.exactness())));
        (!concerned.is_empty()).then(|| InForce::of(&concerned))
    }

    /// The rule that keeps this method, which is no call of a tool, from the server; `None`: it passes.
    #[must_use]
    pub fn refused_method(&self, server: &str, method: &str) -> Option<&ToolRule> {
        let about_methods = self.rules.iter().filter(|rule| rule.refuses && !ALWAYS.contains(&method));
        about_methods.filter(|rule| rule.tools.covers(server, method)).min_by_key(|rule| rule.layer)
    }
}

/// Reads files of rules for tools.
///
/// # Errors
/// Every problem found, with file, line and column: unknown keys, durations, numbers and words that do not parse.
pub fn load(files: &[ToolsSource]) -> Result<ToolRules, PolicyError> {
    let mut out = ToolRules::default();
    let mut problems = Vec::new();
    let mut hash = Sha256::new();
    for source in files {
        for text in [&source.file, &source.text] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        read::add(source, &mut out, &mut problems);
    }
    let of_projects: Vec<ToolsSource> = files.iter().filter(|file| file.layer == Layer::Project).cloned().collect();
    // Whatever else is wrong with the files is among the problems already.
    match limits::load_with(&[], &of_projects) {
        Ok(limits) => out.of_projects = limits,
        Err(error) => problems.extend(error.problems().iter().cloned()),
    }
    out.revision = (!files.is_empty()).then(|| hex::encode(hash.finalize()));
    if problems.is_empty() { Ok(out) } else { Err(PolicyError::Tools(problems)) }
}

/// A value with the place where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    pub value: T,
    pub layer: Layer,
    pub file: String,
    pub line: u32,
}

/// Which tools a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    /// `None`: of every server.
    server: Option<Pattern>,
    tool: Pattern,
}

/// A name, or the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Exactly(String),
    Begins(String),
}

impl Pattern {
    fn covers(&self, name: &str) -> bool {
        match self {
            Self::Exactly(own) => own == name,
            Self::Begins(stem) => name.starts_with(stem.as_str()),
        }
    }

    fn exactness(&self) -> usize {
        match self {
            Self::Exactly(_) => usize::MAX,
            Self::Begins(stem) => stem.len(),
        }
    }
}

impl Tools {
    fn covers(&self, server: &str, tool: &str) -> bool {
        self.is_of(server) && self.tool.covers(tool)
    }

    fn is_of(&self, server: &str) -> bool {
        self.server.as_ref().is_none_or(|own| own.covers(server))
    }

    fn exactness(&self) -> (usize, usize) {
        (self.tool.exactness(), self.server.as_ref().map_or(0, Pattern::exactness))
    }
}

impl std::fmt::Display for Tools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.server {
            Some(Pattern::Exactly(server)) => write!(f, "{}/", server_in_rules(server))?,
            Some(Pattern::Begins(stem)) => write!(f, "{}*/", server_in_rules(stem))?,
            None => {}
        }
        match &self.tool {
            Pattern::Exactly(name) => f.write_str(name),
            Pattern::Begins(stem) => write!(f, "{stem}*"),
        }
    }
}

/// How the server of `server/name` is written: as in rules, a `/` in its own name is `%2F`. No name of a server has a `%`.
fn server_in_rules(server: &str) -> String {
    server.replace('/', "%2F")
}

/// Values that an argument must not have, wherever in it they stand.
#[derive(Debug, Clone)]
pub struct Forbidden {
    /// The argument, or the names that lead to it inside of one.
    path: Vec<String>,
    values: Vec<String>,
    case_insensitive: bool,
    patterns: Vec<Regex>,
}

/// What becomes of a call that would change more rows than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OnExceeded {
    Ask,
    Deny,
}

/// One entry of `tool_policies`, `tool_governance` or `method_policies`.
#[derive(Debug, Clone)]
pub struct ToolRule {
    pub tools: Tools,
    /// What it names are methods, and no request for one of them passes.
    pub refuses: bool,
    pub layer: Layer,
    pub file: String,
    pub line: u32,
    pub(crate) max_row_count: Option<Placed<u64>>,
    pub(crate) on_exceeded: Option<OnExceeded>,
    pub(crate) dry_run: Option<Placed<Option<u64>>>,
    pub(crate) preview: Option<Preview>,
    pub(crate) forbidden: Vec<Placed<Forbidden>>,
    pub(crate) arguments: BTreeMap<String, Placed<DataAction>>,
    pub(crate) argument_default: Option<Placed<DataAction>>,
    pub(crate) result: Option<DataAction>,
    pub(crate) for_call: bool,
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) schema: Option<Placed<SchemaMode>>,
    pub(crate) idempotence: Option<Idempotence>,
}

/// All that holds for one tool.
#[derive(Debug, Clone)]
pub struct InForce {
    pub max_row_count: Option<Placed<u64>>,
    pub on_exceeded: OnExceeded,
    /// A dry run is required for each call; above this many rows, where there is a number, a human has to see what it found.
    pub dry_run: Option<Placed<Option<u64>>>,
    pub preview: Option<Preview>,
    pub forbidden: Vec<Placed<Forbidden>>,
    /// `None`: no rule looks for personal data.
    pub data: Option<DataRules>,
    pub(crate) arguments: BTreeMap<String, Placed<DataAction>>,
    pub(crate) argument_default: Option<Placed<DataAction>>,
    pub timeout_seconds: Option<u64>,
    pub schema: Option<Placed<SchemaMode>>,
    pub idempotence: Option<Idempotence>,
}

impl InForce {
    fn of(rules: &[&ToolRule]) -> Self {
        let mut arguments: BTreeMap<String, Placed<DataAction>> = BTreeMap::new();
        // Each rule says of an argument what it says of that name, else what it says of all; the tightest holds.
        for name in rules.iter().flat_map(|rule| rule.arguments.keys()) {
            let said = |rule: &'_ ToolRule| rule.arguments.get(name).or(rule.argument_default.as_ref()).cloned();
            let said = rules.iter().filter_map(|rule| said(rule));
            let tightest = said.min_by_key(|placed| std::cmp::Reverse(placed.value));
            arguments.extend(tightest.map(|placed| (name.clone(), placed)));
        }
        let argument_default =
            tightest(rules, |rule| rule.argument_default.as_ref(), |action| std::cmp::Reverse(*action));
        let result = rules.iter().filter_map(|rule| rule.result).max();
        let looks = !arguments.is_empty() || argument_default.is_some() || result.is_some();
        let other_arguments = argument_default.as_ref().map(|placed| placed.value).unwrap_or_default();
        let named = |(name, placed): (&String, &Placed<DataAction>)| (name.clone(), placed.value);
        let data = looks.then(|| DataRules {
            arguments: arguments.iter().map(named).collect(),
            other_arguments,
            result: result.unwrap_or_default(),
            for_call: rules.iter().any(|rule| rule.for_call),
        });
        Self {
            max_row_count: tightest(rules, |rule| rule.max_row_count.as_ref(), |max| *max),
            on_exceeded: rules.iter().filter_map(|rule| rule.on_exceeded).max().unwrap_or(OnExceeded::Ask),
            // Required by any; of the thresholds that are given the lowest, which one without a number does not lift.
            dry_run: tightest(rules, |rule| rule.dry_run.as_ref(), |above| above.unwrap_or(u64::MAX)),
            preview: rules.iter().find_map(|rule| rule.preview.clone()),
            forbidden: rules.iter().flat_map(|rule| rule.forbidden.clone()).collect(),
            data,
            arguments,
            argument_default,
            timeout_seconds: rules.iter().filter_map(|rule| rule.timeout_seconds).min(),
            schema: tightest(rules, |rule| rule.schema.as_ref(), |mode| std::cmp::Reverse(*mode)),
            idempotence: rules.iter().find_map(|rule| rule.idempotence.clone()),
        }
    }

    /// Whether the rows that a call would change have to be known.
    #[must_use]
    pub fn counts_rows(&self) -> bool {
        self.max_row_count.is_some() || self.dry_run.is_some()
    }
}

fn tightest<'r, T: Clone + 'r, K: Ord>(
    rules: &[&'r ToolRule],
    of: impl Fn(&'r ToolRule) -> Option<&'r Placed<T>>,
    looseness: impl Fn(&T) -> K,
) -> Option<Placed<T>> {
    rules.iter().filter_map(|rule| of(rule)).min_by_key(|placed| looseness(&placed.value)).cloned()
}

#[cfg(test)]
mod tests;
