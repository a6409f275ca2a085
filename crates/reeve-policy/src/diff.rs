//! Two sets of rules side by side: what is new, gone or changed, and which way that can move a verdict.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::source::{RuleInfo, RuleKind, RuleMode};

/// Which way a difference can move verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaning {
    /// Nothing is decided differently.
    Neutral,
    /// Something may be held or denied that was not.
    Tighter,
    /// Something may be allowed that was not.
    Looser,
    /// Either; the text alone does not tell.
    Either,
}

/// One rule that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `None`: it is new.
    pub before: Option<RuleInfo>,
    /// `None`: it is gone.
    pub after: Option<RuleInfo>,
    pub leaning: Leaning,
}

/// Rules that differ, by id. Where a rule stands does not matter; what it says does.
#[must_use]
pub fn diff(before: &[RuleInfo], after: &[RuleInfo]) -> Vec<Difference> {
    let mut pairs: BTreeMap<&str, (Option<&RuleInfo>, Option<&RuleInfo>)> = BTreeMap::new();
    for rule in before {
        pairs.entry(rule.id.as_str()).or_default().0 = Some(rule);
    }
    for rule in after {
        pairs.entry(rule.id.as_str()).or_default().1 = Some(rule);
    }
    pairs
        .into_values()
        .filter(|pair| !matches!(pair, (Some(old), Some(new)) if old.text == new.text && old.layer == new.layer))
        .map(|(before, after)| Difference {
            before: before.cloned(),
            after: after.cloned(),
            leaning: leaning(before, after),
        })
        .collect()
}

/// What adding the rule does to verdicts.
fn added(rule: &RuleInfo) -> Leaning {
    match (rule.mode, rule.kind) {
        (RuleMode::Observe, _) => Leaning::Neutral,
        (RuleMode::Enforce, RuleKind::Permit | RuleKind::Standing) => Leaning::Looser,
        (RuleMode::Enforce, RuleKind::Forbid | RuleKind::Ask) => Leaning::Tighter,
    }
}

fn opposite(leaning: Leaning) -> Leaning {
    match leaning {
        Leaning::Tighter => Leaning::Looser,
        Leaning::Looser => Leaning::Tighter,
        other => other,
    }
}

fn leaning(before: Option<&RuleInfo>, after: Option<&RuleInfo>) -> Leaning {
    match (before, after) {
        (None, None) => Leaning::Neutral,
        (None, Some(new)) => added(new),
        (Some(old), None) => opposite(added(old)),
        (Some(old), Some(new)) => match (opposite(added(old)), added(new)) {
            (Leaning::Neutral, one) | (one, Leaning::Neutral) => one,
            (gone, come) if gone == come => gone,
            _ => Leaning::Either,
        },
    }
}

#[cfg(test)]
mod tests {
    use reeve_domain::settings::Preset;
    use reeve_domain::verdict::Layer;

    use super::*;
    use crate::{PolicySet, Source};

    fn rules(text: &str) -> Vec<RuleInfo> {
        let source = Source { layer: Layer::Mine, file: "mine.cedar".to_owned(), text: text.to_owned() };
        PolicySet::load(Preset::Strict, &[source], &[]).unwrap().rules()
    }

    fn leanings(before: &str, after: &str) -> Vec<(String, Leaning)> {
        let id = |d: &Difference| d.after.as_ref().or(d.before.as_ref()).map(|r| r.id.to_string()).unwrap_or_default();
        diff(&rules(before), &rules(after)).iter().map(|d| (id(d), d.leaning)).collect()
    }

    const PERMIT: &str = "@id(\"a\") @reason(\"r\") permit (principal, action, resource);";
    const FORBID: &str = "@id(\"a\") @reason(\"r\") forbid (principal, action, resource);";

    #[test]
    fn what_a_difference_can_do_to_verdicts_follows_from_what_comes_and_goes() {
        let one = |leaning| vec![("a".to_owned(), leaning)];
        assert_eq!(leanings("", PERMIT), one(Leaning::Looser));
        assert_eq!(leanings(PERMIT, ""), one(Leaning::Tighter));
        assert_eq!(leanings("", FORBID), one(Leaning::Tighter));
        assert_eq!(leanings(FORBID, ""), one(Leaning::Looser));
        assert_eq!(leanings(FORBID, PERMIT), one(Leaning::Looser));
        assert_eq!(
            leanings(FORBID, &FORBID.replace("action,", "action == Action::\"llm.call\",")),
            one(Leaning::Either)
        );
        let observing = FORBID.replace("@reason", "@mode(\"observe\") @reason");
        assert_eq!(leanings("", &observing), one(Leaning::Neutral));
        assert_eq!(leanings(FORBID, &observing), one(Leaning::Looser));
        assert_eq!(leanings(&observing, FORBID), one(Leaning::Tighter));
    }

    #[test]
    fn a_rule_that_only_moved_is_no_difference() {
        assert_eq!(leanings(PERMIT, &format!("// a comment\n\n{PERMIT}")), Vec::new());
    }
}
