//! Why a verdict is what it is: every rule that was considered, and the facts they saw.

use reeve_domain::operation::Operation;
use reeve_domain::verdict::Verdict;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::evaluate::Ruling;
use crate::facts::{Case, Circumstances};
use crate::prepare::Prepared;
use crate::set::PolicySet;
use crate::slice::{Slice, Table};
use crate::source::RuleInfo;

/// A verdict with all that led to it.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    pub verdict: Verdict,
    /// Rules and standing approvals that can concern this kind of operation: those that determined the verdict first, then
    /// those that matched, then the rest.
    pub considered: Vec<Considered>,
    /// By their names in the schema.
    pub facts: Map<String, Value>,
}

/// One rule that was considered.
#[derive(Debug, Clone, Serialize)]
pub struct Considered {
    #[serde(flatten)]
    pub rule: RuleInfo,
    /// Its head and conditions hold, without an approval.
    pub matched: bool,
    /// It is among the verdict's reasons, lifted one, or observed it.
    pub determined: bool,
    /// Why it could not be evaluated, where it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl PolicySet {
    /// Judges as [`PolicySet::evaluate`] does, and says how. Slower: every rule is evaluated by itself.
    #[must_use]
    pub fn explain(&self, operation: &Operation, circumstances: &Circumstances) -> Explanation {
        let verdict = self.evaluate(operation, circumstances);
        let mut considered: Vec<Considered> = Vec::new();
        let cases = Case::all(operation, circumstances);
        for case in &cases {
            let Ok(prepared) = self.prepare(case) else { continue };
            let in_force = [(&self.rules, &prepared.rules), (&self.standing, &prepared.standing)];
            for (table, slice) in in_force.into_iter().chain(self.observing.iter().zip(&prepared.observing)) {
                for one in self.consider(table, slice, case, &prepared, &verdict) {
                    match considered.iter_mut().find(|known| known.rule.id == one.rule.id) {
                        Some(known) => known.matched |= one.matched,
                        None => considered.push(one),
                    }
                }
            }
        }
        considered.sort_by_key(|c| (!c.determined, !c.matched));
        // Of a command line, those of the program that decided.
        let deciding = cases.iter().find(|case| self.evaluate_case(case).decision() == verdict.decision());
        let facts = deciding.or(cases.first()).map(Case::shown).unwrap_or_default();
        Explanation { verdict, considered, facts }
    }

    fn consider(
        &self,
        table: &Table,
        slice: &Slice,
        case: &Case<'_>,
        prepared: &Prepared,
        verdict: &Verdict,
    ) -> Vec<Considered> {
        let one = |index: &u32| {
            let rule = table.rule(*index)?;
            let alone = Slice::new(case.operation.action(), vec![*index], [rule]);
            let (matched, error) = match self.run(table, &alone, case, prepared, false) {
                Ruling::Permitted(_) | Ruling::Forbidden(_) => (true, None),
                Ruling::Nothing => (false, None),
                Ruling::Broken(message) => (false, Some(message)),
            };
            let determined = verdict.reasons().iter().any(|reason| reason.rule == rule.info.id)
                || verdict.observed().iter().any(|reason| reason.rule == rule.info.id)
                || verdict.lifted_by().iter().any(|id| id == rule.info.id.as_str());
            // What decided matched, be it in another reading of the path.
            Some(Considered { rule: rule.info.clone(), matched: matched || determined, determined, error })
        };
        slice.members.iter().filter_map(one).collect()
    }
}
