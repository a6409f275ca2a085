//! A rule made from something that was done, for a person to look at, change and save.

use reeve_domain::id::{OperationId, RuleId};
use reeve_domain::operation::{Operation, Subject};
use reeve_policy::{Effect, Reach, Width};

use crate::Engine;
use crate::error::EngineError;

/// How a rule is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub effect: Effect,
    pub width: Width,
    /// Every agent, not only the one that did it.
    pub anyone: bool,
    /// Only in the folder that its session worked in.
    pub here: bool,
}

/// A rule that is nowhere yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub text: String,
    pub operation: Operation,
    /// The widths that differ for this operation.
    pub widths: Vec<Width>,
    /// The folder that its session worked in, where that is known.
    pub cwd: Option<String>,
}

impl Engine {
    /// The text of a rule made from a recorded operation. Nothing is written.
    ///
    /// # Errors
    /// When there is no such operation, it was refused before any rule was asked, the record hides a part of its address,
    /// or the record cannot be read.
    pub async fn propose(&self, id: &OperationId, wanted: Wanted) -> Result<Proposal, EngineError> {
        let found = self.store().judged_operation(id).await?;
        let judged = found.ok_or_else(|| EngineError::NotFound { what: "judged action", name: id.to_string() })?;
        let operation = judged.operation;
        let hidden = || {
            let why = "the record hides a part of this address that looks like a secret, so a rule made from it would match \
                       nothing: write it by hand";
            EngineError::Refused(why.to_owned())
        };
        if operation.endpoint().is_some_and(|endpoint| endpoint.path.is_incomplete()) {
            return Err(hidden());
        }
        let folder = judged.cwd.clone().filter(|_| wanted.here);
        let reach = Reach { width: wanted.width, anyone: wanted.anyone, folder };
        let name = self.free_name(wanted.effect, &operation);
        let text = reeve_policy::proposal(wanted.effect, &reach, &operation, &name).ok_or_else(hidden)?;
        Ok(Proposal { text, widths: reeve_policy::widths(&operation), cwd: judged.cwd, operation })
    }

    /// A name that says what the rule does and that no rule in force has.
    fn free_name(&self, effect: Effect, operation: &Operation) -> String {
        let verb = match effect {
            Effect::Permit => "allow",
            Effect::Ask => "ask",
            Effect::Forbid => "no",
        };
        let what = match &operation.subject {
            Subject::Llm(call) => call.model.clone(),
            Subject::Http(call) => call.endpoint.host.to_string(),
            Subject::Mcp(call) => format!("{}-{}", call.server, call.tool),
            Subject::McpAsk(ask) => format!("{}-{}", ask.server, ask.what()),
            Subject::Shell(line) => line.programs().join("-"),
        };
        let slug: String =
            what.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
        let slug: String = slug.trim_matches('-').chars().take(48).collect();
        let rules = self.policies().in_force().set.rules();
        let taken = |name: &str| rules.iter().any(|rule| rule.id.as_str() == name);
        let base = format!("{verb}-{slug}");
        let base = if RuleId::parse(&base).is_ok() { base } else { verb.to_owned() };
        let mut numbered = (2..).map(|n: u32| format!("{base}-{n}"));
        std::iter::once(base.clone()).chain(&mut numbered).find(|name| !taken(name)).unwrap_or(base)
    }
}
