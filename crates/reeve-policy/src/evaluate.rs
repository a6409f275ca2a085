//! From operation to verdict: evaluated without an approval and, when that is forbidden, once more with one.

use cedar_policy::{Decision as Cedar, Request};
use reeve_domain::obligation::Obligation;
use reeve_domain::operation::Operation;
use reeve_domain::settings::Preset;
use reeve_domain::verdict::{Decision, Layer, Reason, Risk, Verdict};

use crate::facts::{Case, Circumstances};
use crate::governance::tools::Bearing;
use crate::prepare::Prepared;
use crate::risk;
use crate::set::PolicySet;
use crate::slice::{Slice, Table};
use crate::source::Rule;

/// Stack that deciding may need, in bytes: Cedar gives up where less than 100 KB are left (its `stack_size_check`), and
/// each level of a rule takes tens of KB without optimisation.
const STACK_LEFT: usize = 1024 * 1024;
const STACK: usize = 4 * 1024 * 1024;

/// What one evaluation of one slice gave: indices of the rules that determined it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    Permitted(Vec<u32>),
    Forbidden(Vec<u32>),
    Nothing,
    /// A rule, or the request itself, could not be evaluated.
    Broken(String),
}

impl PolicySet {
    /// Judges an operation. Never fails: what cannot be decided is denied, with `reeve-evaluation-error` as its rule.
    #[must_use]
    pub fn evaluate(&self, operation: &Operation, circumstances: &Circumstances) -> Verdict {
        let verdicts = Case::all(operation, circumstances).into_iter().map(|case| self.evaluate_case(&case));
        let nothing = || self.broken(&Case::new(operation, circumstances), "there is nothing to judge");
        let mut verdict = verdicts.reduce(together).unwrap_or_else(nothing);
        if verdict.decision() == Decision::Ask
            && let Some(place) = self.tools.declared(operation)
        {
            verdict = lifted(verdict, place);
        }
        match self.tools.bear(operation) {
            Some(bearing) => bear(verdict, bearing),
            None => verdict,
        }
    }

    pub(crate) fn evaluate_case(&self, case: &Case<'_>) -> Verdict {
        match self.prepare(case) {
            Ok(prepared) => {
                let verdict = self.judge(case, &prepared, &prepared.rules);
                verdict.observed_by(self.observe(case, &prepared))
            }
            Err(message) => self.broken(case, &message),
        }
    }

    /// The rules that only observe and would have had a say. One that cannot be evaluated says so and decides nothing.
    fn observe(&self, case: &Case<'_>, prepared: &Prepared) -> Vec<Reason> {
        let mut out = Vec::new();
        for (table, slice) in self.observing.iter().zip(&prepared.observing) {
            match self.run(table, slice, case, prepared, false) {
                Ruling::Permitted(indices) | Ruling::Forbidden(indices) => {
                    let now = case.circumstances.now.to_utc();
                    out.extend(table.picked(&indices).filter(|rule| rule.alive(now)).map(Rule::reason));
                }
                Ruling::Nothing => {}
                Ruling::Broken(message) => out.push(self.unevaluated(&message)),
            }
        }
        out
    }

    /// The rules of architecture 14, in their order.
    pub(crate) fn judge(&self, case: &Case<'_>, prepared: &Prepared, rules: &Slice) -> Verdict {
        match self.ruling(rules, case, prepared, false) {
            Ruling::Broken(message) => self.broken(case, &message),
            Ruling::Permitted(permits) => {
                let permits = self.alive(&permits, case);
                if permits.is_empty() { self.by_default(case, prepared) } else { self.allow(case, &permits) }
            }
            Ruling::Nothing => self.by_default(case, prepared),
            Ruling::Forbidden(first) => match self.ruling(rules, case, prepared, true) {
                Ruling::Broken(message) => self.broken(case, &message),
                Ruling::Forbidden(left) => self.deny(case, &left),
                Ruling::Permitted(permits) => self.ask(case, prepared, self.reasons(&first), &permits),
                Ruling::Nothing => self.ask(case, prepared, self.reasons(&first), &[]),
            },
        }
    }

    /// What the rules say of the path as it is sent. Where a server may read it in another way, what forbids that forbids
    /// this too; what permits it permits nothing.
    fn ruling(&self, rules: &Slice, case: &Case<'_>, prepared: &Prepared, approved: bool) -> Ruling {
        let sent = self.run(&self.rules, rules, case, prepared, approved);
        let Some(apart) = case.apart() else { return sent };
        match (sent, self.run(&self.rules, rules, &apart, prepared, approved)) {
            (Ruling::Broken(message), _) | (_, Ruling::Broken(message)) => Ruling::Broken(message),
            (Ruling::Forbidden(mut first), Ruling::Forbidden(second)) => {
                first.extend(second);
                first.sort_unstable();
                first.dedup();
                Ruling::Forbidden(first)
            }
            (Ruling::Permitted(_) | Ruling::Nothing, Ruling::Forbidden(second)) => Ruling::Forbidden(second),
            (sent, Ruling::Permitted(_) | Ruling::Nothing) => sent,
        }
    }

    /// One evaluation. Any error at all is `Broken`: Cedar skips a rule that errs, even one that forbids.
    pub(crate) fn run(
        &self,
        table: &Table,
        slice: &Slice,
        case: &Case<'_>,
        prepared: &Prepared,
        approved: bool,
    ) -> Ruling {
        if slice.members.is_empty() {
            return Ruling::Nothing;
        }
        let response = match self.response(slice, case, prepared, approved) {
            Ok(response) => response,
            Err(message) => return Ruling::Broken(message),
        };
        let mut determined: Vec<u32> = response.diagnostics().reason().filter_map(|id| table.index(id)).collect();
        determined.sort_unstable();
        match (response.decision(), determined.is_empty()) {
            (_, true) => Ruling::Nothing,
            (Cedar::Allow, false) => Ruling::Permitted(determined),
            (Cedar::Deny, false) => Ruling::Forbidden(determined),
        }
    }

    pub(crate) fn response(
        &self,
        slice: &Slice,
        case: &Case<'_>,
        prepared: &Prepared,
        approved: bool,
    ) -> Result<cedar_policy::Response, String> {
        let context =
            case.context(&slice.facts, &self.vocabulary.names, approved).map_err(|error| error.to_string())?;
        let Prepared { principal, action, resource, .. } = prepared;
        let request = Request::new(principal.clone(), action.clone(), resource.clone(), context, None)
            .map_err(|error| error.to_string())?;
        // Deep inside a mouth's own calls little of a thread's stack is left, and Cedar then errs instead of deciding.
        let decide = || self.authorizer.is_authorized(&request, &slice.set, &prepared.entities);
        let response = stacker::maybe_grow(STACK_LEFT, STACK, decide);
        let error = response.diagnostics().errors().next().map(ToString::to_string);
        error.map_or(Ok(response), Err)
    }

    pub(crate) fn by_default(&self, case: &Case<'_>, prepared: &Prepared) -> Verdict {
        let reason = |text: &str, liftable| Reason {
            rule: self.own.default.clone(),
            text: text.to_owned(),
            layer: Layer::Preset,
            file: self.preset_file.clone(),
            line: 0,
            liftable,
        };
        match self.preset {
            Preset::Balanced => self.ask(
                case,
                prepared,
                vec![reason("no rule says anything about this, and the preset then asks", true)],
                &[],
            ),
            Preset::Strict => {
                let reason = reason("no rule allows this, and the preset then denies", false);
                self.verdict(case, Decision::Deny, Vec::new(), vec![reason], Vec::new())
            }
        }
    }

    fn allow(&self, case: &Case<'_>, permits: &[&Rule]) -> Verdict {
        let reasons = permits.iter().map(|rule| rule.reason()).collect();
        self.verdict(case, Decision::Allow, obligations(permits), reasons, Vec::new())
    }

    fn deny(&self, case: &Case<'_>, forbids: &[u32]) -> Verdict {
        self.verdict(case, Decision::Deny, Vec::new(), self.reasons(forbids), Vec::new())
    }

    /// Held for the asks that no standing approval answers; allowed when every one is answered.
    fn ask(&self, case: &Case<'_>, prepared: &Prepared, asks: Vec<Reason>, permits: &[u32]) -> Verdict {
        let lifts = match self.lifts(case, prepared) {
            Ok(lifts) => lifts,
            Err(message) => return self.broken(case, &message),
        };
        let mut lifted_by = Vec::new();
        let open: Vec<Reason> = asks
            .iter()
            .filter(|reason| {
                let lifter = lifts.iter().find(|(_, lifted)| reason.liftable && lifted.contains(&reason.rule));
                lifted_by.extend(lifter.map(|(id, _)| id.clone()));
                lifter.is_none()
            })
            .cloned()
            .collect();
        lifted_by.sort();
        lifted_by.dedup();
        let obligations = obligations(&self.alive(permits, case));
        if open.is_empty() {
            self.verdict(case, Decision::Allow, obligations, asks, lifted_by)
        } else {
            self.verdict(case, Decision::Ask, obligations, open, lifted_by)
        }
    }

    /// "We could not decide" turns the operation away, whatever the rules that did evaluate say.
    fn broken(&self, case: &Case<'_>, message: &str) -> Verdict {
        self.verdict(case, Decision::Deny, Vec::new(), vec![self.unevaluated(message)], Vec::new())
    }

    fn unevaluated(&self, message: &str) -> Reason {
        Reason {
            rule: self.own.evaluation_error.clone(),
            text: format!("a rule could not be evaluated: {message}"),
            layer: Layer::Reeve,
            file: String::new(),
            line: 0,
            liftable: false,
        }
    }

    fn reasons(&self, indices: &[u32]) -> Vec<Reason> {
        self.rules.picked(indices).map(Rule::reason).collect()
    }

    fn alive(&self, permits: &[u32], case: &Case<'_>) -> Vec<&Rule> {
        let now = case.circumstances.now.to_utc();
        permits.iter().filter_map(|index| self.rules.rule(*index)).filter(|rule| rule.alive(now)).collect()
    }

    /// A rule's own `@risk` counts as a reason of its own.
    fn verdict(
        &self,
        case: &Case<'_>,
        decision: Decision,
        obligations: Vec<Obligation>,
        reasons: Vec<Reason>,
        lifted_by: Vec<String>,
    ) -> Verdict {
        let mut why = case.risk_reasons.clone();
        let mut risk = case.risk;
        for reason in &reasons {
            let marked: Option<Risk> = self.rules.named(&reason.rule).and_then(|rule| rule.info.risk);
            if let Some(marked) = marked.filter(|marked| *marked > risk) {
                risk = marked;
                why.insert(0, (marked, format!("rule `{}`: {}", reason.rule, reason.text)));
            }
        }
        let why = why.into_iter().take(risk::SHOWN).map(|(_, text)| text).collect();
        Verdict::new(decision, obligations, reasons, risk, why, self.revision().to_owned(), lifted_by)
    }
}

/// Of two parts of one command line: what forbids one forbids the line, and what asks about one asks about it. The reasons
/// are those of the parts that decide.
fn together(one: Verdict, other: Verdict) -> Verdict {
    let strictness = |verdict: &Verdict| match verdict.decision() {
        Decision::Allow => 0,
        Decision::Ask => 1,
        Decision::Deny => 2,
    };
    let (first, second) = if strictness(&other) > strictness(&one) { (&other, &one) } else { (&one, &other) };
    let alike = first.decision() == second.decision();
    let reasons = union(first.reasons(), if alike { second.reasons() } else { &[] });
    let (graver, lesser) = if second.risk() > first.risk() { (second, first) } else { (first, second) };
    let mut why = union(graver.risk_reasons(), lesser.risk_reasons());
    why.truncate(risk::SHOWN);
    let verdict = Verdict::new(
        first.decision(),
        union(first.obligations(), second.obligations()),
        reasons,
        graver.risk(),
        why,
        first.revision().to_owned(),
        union(first.lifted_by(), second.lifted_by()),
    );
    verdict.observed_by(union(one.observed(), other.observed()))
}

/// An ask that was answered beforehand.
fn lifted(verdict: Verdict, by: String) -> Verdict {
    Verdict::new(
        Decision::Allow,
        verdict.obligations().to_vec(),
        verdict.reasons().to_vec(),
        verdict.risk(),
        verdict.risk_reasons().to_vec(),
        verdict.revision().to_owned(),
        union(verdict.lifted_by(), &[by]),
    )
    .observed_by(verdict.observed().to_vec())
}

/// The stricter of what rules in Cedar and rules for tools say, held to what both say. Where the latter restrain nothing,
/// the former decide.
fn bear(verdict: Verdict, bearing: Bearing) -> Verdict {
    let revision = verdict.revision().to_owned();
    let (risk, why) = bearing.risk.map_or((Risk::Low, Vec::new()), |(risk, why)| (risk, vec![why]));
    let obligations = held(verdict.obligations(), &bearing.obligations);
    let own = Verdict::new(bearing.decision, Vec::new(), bearing.reasons, risk, why, revision.clone(), Vec::new());
    let both = together(verdict, own);
    let obligations = if both.decision() == Decision::Deny { Vec::new() } else { obligations };
    Verdict::new(
        both.decision(),
        obligations,
        both.reasons().to_vec(),
        both.risk(),
        both.risk_reasons().to_vec(),
        revision,
        both.lifted_by().to_vec(),
    )
    .observed_by(both.observed().to_vec())
}

/// Of two times the shorter one; of all else each once.
fn held(first: &[Obligation], second: &[Obligation]) -> Vec<Obligation> {
    let time = |obligation: &Obligation| match obligation {
        Obligation::Timeout { seconds } => Some(*seconds),
        _ => None,
    };
    let shortest = first.iter().chain(second).filter_map(time).min();
    let mut all = union(first, second);
    all.retain(|obligation| time(obligation).is_none());
    all.extend(shortest.map(|seconds| Obligation::Timeout { seconds }));
    all
}

/// Each once, in order.
fn union<T: Clone + PartialEq>(first: &[T], second: &[T]) -> Vec<T> {
    let mut all = first.to_vec();
    all.extend(second.iter().filter(|one| !first.contains(one)).cloned());
    all
}

/// What the permits carry together: every range, the shortest time, and each duty once.
fn obligations(permits: &[&Rule]) -> Vec<Obligation> {
    let mut ranges: Vec<String> = Vec::new();
    let mut timeout: Option<u64> = None;
    let mut block = false;
    for obligation in permits.iter().flat_map(|rule| &rule.obligations) {
        match obligation {
            Obligation::PermitAddresses { ranges: more } => ranges.extend(more.iter().cloned()),
            Obligation::Timeout { seconds } => timeout = Some(timeout.map_or(*seconds, |t| t.min(*seconds))),
            Obligation::BlockUndecodable => block = true,
            // Of budgets and of the rules for tools; no rule in Cedar carries them.
            _ => {}
        }
    }
    ranges.sort();
    ranges.dedup();
    let mut out = Vec::new();
    if !ranges.is_empty() {
        out.push(Obligation::PermitAddresses { ranges });
    }
    out.extend(timeout.map(|seconds| Obligation::Timeout { seconds }));
    out.extend(block.then_some(Obligation::BlockUndecodable));
    out
}
