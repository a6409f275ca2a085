//! `limits.yaml` and `mine.limits.yaml`: budgets and session limits, with the place of everything that is wrong.

use std::collections::{BTreeSet, HashMap};

use reeve_domain::budget::{BudgetDefinition, Limit, OnExhausted, Scope, Window};
use reeve_domain::id::{AgentId, BudgetId, TeamId};
use reeve_domain::money::NanoUsd;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::diff::Leaning;
use crate::error::{PolicyError, Problem};
use crate::governance::tools::{self, ToolDifference, ToolsSource};

mod leaning;
mod pace;

pub use pace::{BreakerLimits, LoopLimits, Rate, RetryLimits};

/// Output tokens that a lowered limit always leaves, where a budget does not say otherwise: enough for a useful answer.
pub const DEFAULT_OUTPUT_FLOOR: u64 = 1024;
/// Id of the budget that `session_limits.max_cost` stands for.
pub const SESSION_MAX_COST: &str = "session-max-cost";
/// Name of the session limits among rules for tools that differ.
pub const SESSION_LIMITS: &str = "policies.session_limits";

/// What the limits files say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    budgets: Vec<BudgetDefinition>,
    max_candidates: Option<u64>,
    max_judge_calls: Option<u64>,
    judge_models: Vec<String>,
    rates: Vec<Rate>,
    breakers: BreakerLimits,
    loops: LoopLimits,
    retries: RetryLimits,
}

impl Limits {
    /// Every budget, `session_limits.max_cost` among them, in the order of files and lines.
    #[must_use]
    pub fn budgets(&self) -> &[BudgetDefinition] {
        &self.budgets
    }

    /// Most candidate answers a workflow may ask for in one session.
    #[must_use]
    pub fn max_candidates(&self) -> Option<u64> {
        self.max_candidates
    }

    /// Most calls to a judge model a workflow may make in one session.
    #[must_use]
    pub fn max_judge_calls(&self) -> Option<u64> {
        self.max_judge_calls
    }

    /// Whether every call to this model counts as one that judges.
    #[must_use]
    pub fn judges(&self, model: &str) -> bool {
        self.judge_models.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(stem) => model.starts_with(stem),
            None => model == pattern,
        })
    }

    /// What they say of each session, in one spelling, wherever it stands.
    #[must_use]
    pub fn said(&self) -> String {
        let money: Vec<Limit> = self.budgets.iter().map(|budget| budget.limit).collect();
        format!("{:?}", (money, self.max_candidates, self.max_judge_calls, &self.judge_models))
    }

    /// What each session may spend by `session_limits`.
    #[must_use]
    pub fn session_cost(&self) -> Option<NanoUsd> {
        self.budgets.iter().filter(|budget| budget.id.as_str() == SESSION_MAX_COST).find_map(|budget| {
            match budget.limit {
                Limit::Money(amount) => Some(amount),
                Limit::Tokens(_) => None,
            }
        })
    }

    /// Whether some call of a session may pass by these session limits that did not by the others.
    #[must_use]
    pub fn binds_sessions_less_than(&self, before: &Self) -> bool {
        fn more<T: Ord>(before: Option<T>, now: Option<T>) -> bool {
            before.is_some_and(|before| now.is_none_or(|now| now > before))
        }
        more(before.session_cost(), self.session_cost())
            || more(before.max_candidates, self.max_candidates)
            || more(before.max_judge_calls, self.max_judge_calls)
            || before.judge_models.iter().any(|model| !self.judge_models.contains(model))
    }

    /// The limits of each session, one a line, for people; empty where there are none.
    #[must_use]
    pub fn of_sessions(&self) -> String {
        let cost = self.session_cost().map(|cost| format!("max_cost: {cost}"));
        let candidates = self.max_candidates.map(|most| format!("max_candidates: {most}"));
        let judges = self.max_judge_calls.map(|most| format!("max_judge_calls: {most}"));
        let models =
            (!self.judge_models.is_empty()).then(|| format!("judge_models: [{}]", self.judge_models.join(", ")));
        [cost, candidates, judges, models].into_iter().flatten().collect::<Vec<_>>().join("\n")
    }

    /// How the limits of each session differ from those before, as one entry; `None` where they do not.
    #[must_use]
    pub fn sessions_since(&self, before: &Self) -> Option<ToolDifference> {
        fn limits(of: &Limits) -> (Option<NanoUsd>, Option<u64>, Option<u64>, BTreeSet<&String>) {
            (of.session_cost(), of.max_candidates, of.max_judge_calls, of.judge_models.iter().collect())
        }
        if limits(self) == limits(before) {
            return None;
        }
        let leaning = match (self.binds_sessions_less_than(before), before.binds_sessions_less_than(self)) {
            (true, true) => Leaning::Either,
            (true, false) => Leaning::Looser,
            (false, true) => Leaning::Tighter,
            (false, false) => Leaning::Neutral,
        };
        let there = |of: &Self| !of.of_sessions().is_empty();
        let name = SESSION_LIMITS.to_owned();
        Some(ToolDifference { name, before: there(before), after: there(self), leaning })
    }

    /// How fast tools may be called; all that apply to a call count.
    #[must_use]
    pub fn rates(&self) -> &[Rate] {
        &self.rates
    }

    /// When what fails again and again is left alone for a while.
    #[must_use]
    pub fn breakers(&self) -> BreakerLimits {
        self.breakers
    }

    /// When steps that lead nowhere are told, held and stopped.
    #[must_use]
    pub fn loops(&self) -> LoopLimits {
        self.loops
    }

    /// How often a tool call that failed without effect is made again.
    #[must_use]
    pub fn retries(&self) -> RetryLimits {
        self.retries
    }
}

/// Reads limits files, each given as the name shown to people and its text. Of the same session limit in several files
/// the lowest counts; budgets all count, so the tightest wins.
///
/// # Errors
/// Every problem found, with file, line and column: unknown keys, amounts, windows and names that do not parse, an id
/// given twice.
pub fn load(files: &[(String, String)]) -> Result<Limits, PolicyError> {
    load_with(files, &[])
}

/// The same, with the session limits that files of rules for tools name.
///
/// # Errors
/// As [`load`]. What else is wrong with the rules for tools is found by reading them.
pub fn load_with(files: &[(String, String)], tools: &[ToolsSource]) -> Result<Limits, PolicyError> {
    let mut limits = Limits::default();
    let mut problems = Vec::new();
    for (file, text) in files {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            continue;
        }
        match serde_saphyr::from_str::<LimitsFile>(text) {
            Ok(parsed) => parsed.add(file, &mut limits, &mut problems),
            Err(error) => problems.push(Problem::yaml(file, &error)),
        }
    }
    for source in tools {
        if let Some(session) = tools::session_limits(&source.text) {
            session.join(&mut Reader { file: &source.file, problems: &mut problems }, &mut limits);
        }
    }
    let mut owners: HashMap<&BudgetId, &BudgetDefinition> = HashMap::new();
    for budget in &limits.budgets {
        if let Some(other) = owners.insert(&budget.id, budget) {
            let message = format!("the id `{}` is given twice (also {}:{})", budget.id, other.file, other.line);
            problems.push(Problem { file: budget.file.clone(), line: budget.line, column: 0, length: 0, message });
        }
    }
    if problems.is_empty() { Ok(limits) } else { Err(PolicyError::Limits(problems)) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsFile {
    #[serde(default)]
    budgets: Vec<Budget>,
    #[serde(default)]
    session_limits: Option<SessionLimits>,
    #[serde(default)]
    rate_limits: Vec<pace::RateLine>,
    #[serde(default)]
    circuit_breakers: Option<pace::BreakerLines>,
    #[serde(default)]
    loops: Option<pace::LoopLines>,
    #[serde(default)]
    retries: Option<pace::RetryLines>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    id: Spanned<String>,
    scope: Spanned<String>,
    /// The team or agent; a session's agent.
    #[serde(default)]
    name: Option<Spanned<String>>,
    #[serde(default)]
    model: Option<Spanned<String>>,
    window: Spanned<String>,
    #[serde(default)]
    max_cost: Option<Spanned<String>>,
    #[serde(default)]
    max_tokens: Option<Spanned<String>>,
    #[serde(default)]
    on_exhausted: Option<Spanned<String>>,
    #[serde(default)]
    output_floor: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionLimits {
    #[serde(default)]
    max_cost: Option<Spanned<String>>,
    #[serde(default)]
    max_candidates: Option<Spanned<String>>,
    #[serde(default)]
    max_judge_calls: Option<Spanned<String>>,
    #[serde(default)]
    judge_models: Vec<Spanned<String>>,
}

/// Collects what is wrong in one file.
struct Reader<'a> {
    file: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn read<T>(&mut self, value: &Spanned<String>, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        parse(value.value.trim()).map_err(|message| self.wrong(value, message)).ok()
    }

    fn wrong(&mut self, at: &Spanned<String>, message: String) {
        let problem = Problem { file: self.file.to_owned(), line: line(at), column: column(at), length: 0, message };
        self.problems.push(problem);
    }
}

fn line(at: &Spanned<String>) -> u32 {
    u32::try_from(at.referenced.line()).unwrap_or(u32::MAX)
}

fn column(at: &Spanned<String>) -> u32 {
    u32::try_from(at.referenced.column()).unwrap_or(u32::MAX)
}

impl LimitsFile {
    fn add(self, file: &str, limits: &mut Limits, problems: &mut Vec<Problem>) {
        let mut reader = Reader { file, problems };
        for budget in &self.budgets {
            limits.budgets.extend(budget.define(&mut reader));
        }
        limits.rates.extend(self.rate_limits.iter().filter_map(|rate| rate.define(&mut reader)));
        if let Some(breakers) = &self.circuit_breakers {
            breakers.apply(&mut reader, &mut limits.breakers);
        }
        if let Some(loops) = &self.loops {
            loops.apply(&mut reader, &mut limits.loops);
        }
        if let Some(retries) = &self.retries {
            retries.apply(&mut reader, &mut limits.retries);
        }
        if let Some(session) = &self.session_limits {
            session.join(&mut reader, limits);
        }
    }
}

impl SessionLimits {
    fn join(&self, reader: &mut Reader<'_>, limits: &mut Limits) {
        if let Some(cost) = &self.max_cost {
            session_cost(cost, reader, limits);
        }
        let tightest = |old: Option<u64>, new: Option<u64>| old.into_iter().chain(new).min();
        let mut number = |value: &Option<Spanned<String>>| value.as_ref().and_then(|v| reader.read(v, whole));
        limits.max_candidates = tightest(limits.max_candidates, number(&self.max_candidates));
        limits.max_judge_calls = tightest(limits.max_judge_calls, number(&self.max_judge_calls));
        limits.judge_models.extend(self.judge_models.iter().filter_map(|model| reader.read(model, model_pattern)));
    }
}

/// `session_limits.max_cost` is a budget on each session; the lowest of several files stays.
fn session_cost(cost: &Spanned<String>, reader: &mut Reader<'_>, limits: &mut Limits) {
    let Some(amount) = reader.read(cost, money) else { return };
    let Ok(id) = BudgetId::parse(SESSION_MAX_COST) else { return };
    let mine = |budget: &BudgetDefinition| budget.id == id && budget.scope == Scope::Session(None);
    if limits.budgets.iter().any(|b| mine(b) && matches!(b.limit, Limit::Money(lower) if lower <= amount)) {
        return;
    }
    limits.budgets.retain(|budget| !mine(budget));
    limits.budgets.push(BudgetDefinition {
        id,
        scope: Scope::Session(None),
        model: None,
        window: Window::Total,
        limit: Limit::Money(amount),
        on_exhausted: OnExhausted::default(),
        output_floor: DEFAULT_OUTPUT_FLOOR,
        file: reader.file.to_owned(),
        line: line(cost),
    });
}

impl Budget {
    /// `None` when something about it is wrong; what, is among the problems.
    fn define(&self, reader: &mut Reader<'_>) -> Option<BudgetDefinition> {
        let before = reader.problems.len();
        let id = reader.read(&self.id, |text| {
            let id = BudgetId::parse(text).map_err(|error| error.to_string())?;
            if text == SESSION_MAX_COST {
                Err(format!("`{text}` is the name of `session_limits.max_cost`"))
            } else {
                Ok(id)
            }
        });
        let scope = self.scope(reader);
        let window = reader.read(&self.window, window);
        if let (Some(Scope::Session(_)), Some(Window::Day | Window::Week | Window::Month)) = (&scope, window) {
            reader.wrong(&self.window, "a session's budget has the window `call` or `total`".to_owned());
        }
        let limit = self.limit(reader);
        let model = self.model.as_ref().and_then(|model| reader.read(model, model_pattern));
        let on_exhausted = match &self.on_exhausted {
            Some(what) => reader.read(what, exhausted),
            None => Some(OnExhausted::default()),
        };
        let output_floor = match &self.output_floor {
            Some(floor) => reader.read(floor, tokens),
            None => Some(DEFAULT_OUTPUT_FLOOR),
        };
        if reader.problems.len() > before {
            return None;
        }
        Some(BudgetDefinition {
            id: id?,
            scope: scope?,
            model,
            window: window?,
            limit: limit?,
            on_exhausted: on_exhausted?,
            output_floor: output_floor?,
            file: reader.file.to_owned(),
            line: line(&self.id),
        })
    }

    fn scope(&self, reader: &mut Reader<'_>) -> Option<Scope> {
        let agent = |reader: &mut Reader<'_>| match &self.name {
            None => Some(None),
            Some(name) => reader.read(name, |text| AgentId::parse(text).map(Some).map_err(|e| e.to_string())),
        };
        let nameless = |reader: &mut Reader<'_>, scope: Scope| match &self.name {
            None => Some(scope),
            Some(name) => {
                reader.wrong(name, "this scope takes no `name`".to_owned());
                None
            }
        };
        match self.scope.value.trim() {
            "organisation" => nameless(reader, Scope::Organisation),
            "me" => nameless(reader, Scope::Me),
            "agent" => agent(reader).map(Scope::Agent),
            "session" => agent(reader).map(Scope::Session),
            "team" => match &self.name {
                Some(name) => reader.read(name, |text| TeamId::parse(text).map(Scope::Team).map_err(|e| e.to_string())),
                None => {
                    reader.wrong(&self.scope, "the scope `team` needs a `name`".to_owned());
                    None
                }
            },
            other => {
                let message = format!("`{other}` is none of `organisation`, `team`, `me`, `agent`, `session`");
                reader.wrong(&self.scope, message);
                None
            }
        }
    }

    fn limit(&self, reader: &mut Reader<'_>) -> Option<Limit> {
        match (&self.max_cost, &self.max_tokens) {
            (Some(cost), None) => reader.read(cost, money).map(Limit::Money),
            (None, Some(count)) => reader.read(count, tokens).map(Limit::Tokens),
            _ => {
                reader.wrong(&self.id, "a budget has exactly one of `max_cost` and `max_tokens`".to_owned());
                None
            }
        }
    }
}

fn money(text: &str) -> Result<NanoUsd, String> {
    NanoUsd::parse_dollars(text).map_err(|error| error.to_string())
}

fn whole(text: &str) -> Result<u64, String> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten().ok_or_else(|| format!("`{text}` is not a whole number"))
}

/// `8000`, `200k`, `1.5M`.
fn tokens(text: &str) -> Result<u64, String> {
    let bad = || format!("`{text}` is not a number of tokens such as `8000`, `200k` or `1.5M`");
    let (digits, zeros) = match text.char_indices().last() {
        Some((at, 'k')) => (text.get(..at).unwrap_or_default(), 3),
        Some((at, 'M')) => (text.get(..at).unwrap_or_default(), 6),
        _ => (text, 0),
    };
    let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
    if before.is_empty() || after.len() > zeros || (digits.contains('.') && after.is_empty()) {
        return Err(bad());
    }
    let padding = "0".repeat(zeros - after.len());
    whole(&format!("{before}{after}{padding}")).map_err(|_| bad())
}

fn window(text: &str) -> Result<Window, String> {
    match text {
        "call" => Ok(Window::Call),
        "day" => Ok(Window::Day),
        "week" => Ok(Window::Week),
        "month" => Ok(Window::Month),
        "total" => Ok(Window::Total),
        _ => Err(format!("`{text}` is none of `call`, `day`, `week`, `month`, `total`")),
    }
}

fn exhausted(text: &str) -> Result<OnExhausted, String> {
    match text {
        "ask_under_floor" => Ok(OnExhausted::AskUnderFloor),
        "deny" => Ok(OnExhausted::Deny),
        "ask" => Ok(OnExhausted::Ask),
        _ => Err(format!("`{text}` is none of `ask_under_floor`, `deny` and `ask`")),
    }
}

fn model_pattern(text: &str) -> Result<String, String> {
    let stem = text.strip_suffix('*').unwrap_or(text);
    if text.is_empty() || stem.contains('*') || text.len() > 200 || text.chars().any(|c| c.is_control() || c == ' ') {
        return Err(format!("`{text}` is not a model name; a `*` may stand at its end"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
