//! Limits that console and CLI set: `mine.limits.yaml`, rewritten whole. The person's own `limits.yaml` is never touched.

use std::fmt::Write as _;

use reeve_domain::budget::{BudgetDefinition, Limit, OnExhausted, Scope, Window};
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::BudgetId;

use crate::Engine;
use crate::error::EngineError;
use crate::loosening::Change;
use crate::policies::MINE_LIMITS_FILE;
use crate::presence::Person;

impl Engine {
    /// Sets a limit; one with the same id in the same file is replaced. Raising one needs the proof that *High* needs.
    ///
    /// # Errors
    /// When the id is one of the person's own file, a human is to be proven first, or the whole would not load.
    pub async fn set_budget(&self, definition: BudgetDefinition, person: &Person) -> Result<(), EngineError> {
        let _one_at_a_time = self.policies().alone().await;
        // What was changed outside a moment ago is weighed first: writing over it would agree to it.
        self.reload().await?;
        let mut mine = self.mine(&definition.id)?;
        let before = mine.iter().find(|d| d.id == definition.id);
        let weight = Change::Limit { before, after: Some(&definition) }.weight();
        self.proven(&format!("raising the limit `{}`", definition.id), weight, person).await?;
        mine.retain(|d| d.id != definition.id);
        let what = format!("{} set to {}", definition.id, limit_text(definition.limit));
        mine.push(definition);
        self.write_mine(&mine, what).await
    }

    /// Removes a limit that was set here; it needs the same proof as raising it.
    ///
    /// # Errors
    /// When there is none of this id in the file that Reeve writes, or a human is to be proven first.
    pub async fn remove_budget(&self, id: &BudgetId, person: &Person) -> Result<(), EngineError> {
        let _one_at_a_time = self.policies().alone().await;
        self.reload().await?;
        let mut mine = self.mine(id)?;
        let Some(place) = mine.iter().position(|d| d.id == *id) else {
            return Err(EngineError::NotFound { what: "budget", name: id.to_string() });
        };
        let gone = mine.remove(place);
        let weight = Change::Limit { before: Some(&gone), after: None }.weight();
        self.proven(&format!("removing the limit `{id}`"), weight, person).await?;
        self.write_mine(&mine, format!("{id} removed")).await
    }

    fn mine(&self, id: &BudgetId) -> Result<Vec<BudgetDefinition>, EngineError> {
        let in_force = self.policies().in_force();
        let all = in_force.limits.budgets();
        if let Some(other) = all.iter().find(|d| d.id == *id && d.file != MINE_LIMITS_FILE) {
            return Err(EngineError::Refused(format!(
                "budget `{id}` is written in `{}` line {}, which Reeve never rewrites: change it there",
                other.file, other.line
            )));
        }
        Ok(all.iter().filter(|d| d.file == MINE_LIMITS_FILE).cloned().collect())
    }

    async fn write_mine(&self, mine: &[BudgetDefinition], what: String) -> Result<(), EngineError> {
        let path = self.policies().config_folder().join(MINE_LIMITS_FILE);
        self.policies().replace(&path, &yaml(mine))?;
        self.reload().await?;
        self.gate().record(Draft::engine(EventBody::BudgetChanged { what })).await
    }
}

/// Ids, scopes and windows are slugs and fixed words, and model patterns are quoted, so nothing needs more escaping.
fn yaml(definitions: &[BudgetDefinition]) -> String {
    let mut text =
        String::from("# Written by Reeve. Your own limits belong into limits.yaml, which is never rewritten.\n");
    if definitions.is_empty() {
        return text;
    }
    text.push_str("budgets:\n");
    for d in definitions {
        let (scope, name) = match &d.scope {
            Scope::Organisation => ("organisation", None),
            Scope::Team(team) => ("team", Some(team.to_string())),
            Scope::Me => ("me", None),
            Scope::Agent(agent) => ("agent", agent.as_ref().map(ToString::to_string)),
            Scope::Session(agent) => ("session", agent.as_ref().map(ToString::to_string)),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  - id: {}\n    scope: {scope}", d.id);
        if let Some(name) = name {
            let _ = writeln!(text, "    name: {name}");
        }
        if let Some(model) = &d.model {
            let _ = writeln!(text, "    model: {}", serde_json::Value::from(model.as_str()));
        }
        let _ = writeln!(text, "    window: {}\n    {}", window_text(d.window), limit_line(d.limit));
        text.push_str(match d.on_exhausted {
            OnExhausted::AskUnderFloor => "    on_exhausted: ask_under_floor\n",
            OnExhausted::Deny => "    on_exhausted: deny\n",
            OnExhausted::Ask => "    on_exhausted: ask\n",
        });
        let _ = writeln!(text, "    output_floor: {}", d.output_floor);
    }
    text
}

fn window_text(window: Window) -> &'static str {
    match window {
        Window::Call => "call",
        Window::Day => "day",
        Window::Week => "week",
        Window::Month => "month",
        Window::Total => "total",
    }
}

fn limit_line(limit: Limit) -> String {
    match limit {
        Limit::Money(amount) => format!("max_cost: {}", amount.dollars()),
        Limit::Tokens(tokens) => format!("max_tokens: {tokens}"),
    }
}

fn limit_text(limit: Limit) -> String {
    match limit {
        Limit::Money(amount) => amount.to_string(),
        Limit::Tokens(tokens) => format!("{tokens} tokens"),
    }
}

#[cfg(test)]
mod tests {
    use reeve_domain::id::AgentId;
    use reeve_domain::money::NanoUsd;

    use super::*;

    #[test]
    fn what_is_written_reads_back_as_what_was_set() {
        let definition = |id: &str, scope, window, limit| BudgetDefinition {
            id: BudgetId::parse(id).unwrap(),
            scope,
            model: Some("claude-opus-*".to_owned()),
            window,
            limit,
            on_exhausted: OnExhausted::Ask,
            output_floor: 256,
            file: MINE_LIMITS_FILE.to_owned(),
            line: 0,
        };
        let set = vec![
            definition("daily", Scope::Me, Window::Day, Limit::Money(NanoUsd(2_500_000_000))),
            definition(
                "codex",
                Scope::Agent(Some(AgentId::parse("codex").unwrap())),
                Window::Week,
                Limit::Tokens(200_000),
            ),
            definition("each", Scope::Session(None), Window::Total, Limit::Money(NanoUsd(1))),
        ];
        let read = reeve_policy::limits::load(&[(MINE_LIMITS_FILE.to_owned(), yaml(&set))]).unwrap();
        let read: Vec<_> = read.budgets().iter().map(|d| BudgetDefinition { line: 0, ..d.clone() }).collect();
        assert_eq!(read, set);
    }
}
