//! Which changes loosen protection, and how grave each is: its weight is that of an action that needs the same proof of a
//! human. Pure, and the only place that says so.

use reeve_domain::budget::{BudgetDefinition, Limit, OnExhausted};
use reeve_domain::settings::{Mode, Preset};
use reeve_domain::verdict::Risk;
use reeve_policy::diff::{Difference, Leaning};
use reeve_policy::limits::Limits;
use reeve_policy::tools::ToolDifference;

use crate::settings::Retention;

/// Pausing for longer is switching off.
const SHORT_PAUSE: chrono::Duration = chrono::Duration::hours(1);

/// A change of what protects.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// Nothing is enforced for so long (`None`: until resumed).
    Pause(Option<chrono::Duration>),
    Mode {
        before: Mode,
        after: Mode,
    },
    Preset {
        before: Preset,
        after: Preset,
    },
    Rules(&'a [Difference]),
    /// Rules for tools.
    Tools(&'a [ToolDifference]),
    /// What each session may spend and ask for.
    Sessions {
        before: &'a Limits,
        after: &'a Limits,
    },
    /// All that limits files say.
    Limits {
        before: &'a Limits,
        after: &'a Limits,
    },
    /// Rules of a project that went away bind no more.
    Acknowledge,
    /// `None`: it was not there, or goes.
    Limit {
        before: Option<&'a BudgetDefinition>,
        after: Option<&'a BudgetDefinition>,
    },
    /// How long the record is kept.
    Keep {
        before: Retention,
        after: Retention,
    },
    /// All of the record goes.
    Wipe,
}

impl Change<'_> {
    /// `None`: it loosens nothing. Where the change alone does not tell, it counts as looser.
    ///
    /// What takes every question away is as grave as the gravest answer; a raised limit weighs what raising it on a card
    /// does, and looser rules no less.
    #[must_use]
    pub fn weight(self) -> Option<Risk> {
        match self {
            Self::Pause(time) => time.is_none_or(|time| time > SHORT_PAUSE).then_some(Risk::Critical),
            Self::Mode { before, after } => {
                (before == Mode::Enforce && after == Mode::Observe).then_some(Risk::Critical)
            }
            Self::Preset { before, after } => {
                (before == Preset::Strict && after == Preset::Balanced).then_some(Risk::High)
            }
            Self::Rules(differences) => {
                let looser = |one: &Difference| matches!(one.leaning, Leaning::Looser | Leaning::Either);
                differences.iter().any(looser).then_some(Risk::High)
            }
            Self::Tools(differences) => {
                let looser = |one: &ToolDifference| matches!(one.leaning, Leaning::Looser | Leaning::Either);
                differences.iter().any(looser).then_some(Risk::High)
            }
            Self::Sessions { before, after } => after.binds_sessions_less_than(before).then_some(Risk::High),
            Self::Limits { before, after } => {
                let same = |old: &BudgetDefinition| after.budgets().iter().find(|new| new.id == old.id);
                let looser = before.budgets().iter().any(|old| binds_less(Some(old), same(old)))
                    || after.binds_sessions_less_than(before)
                    || after.paces_less_than(before);
                looser.then_some(Risk::High)
            }
            Self::Acknowledge => Some(Risk::High),
            Self::Limit { before, after } => binds_less(before, after).then_some(Risk::High),
            Self::Keep { before, after } => keeps_less(before, after).then_some(Risk::High),
            Self::Wipe => Some(Risk::High),
        }
    }
}

/// Whether some call may pass that did not: only the same limit of the same spending, and no larger, is known not to.
fn binds_less(before: Option<&BudgetDefinition>, after: Option<&BudgetDefinition>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return before.is_some() };
    let same = before.scope == after.scope && before.window == after.window && before.model == after.model;
    let larger = match (before.limit, after.limit) {
        (Limit::Money(before), Limit::Money(after)) => after > before,
        (Limit::Tokens(before), Limit::Tokens(after)) => after > before,
        (Limit::Money(_), Limit::Tokens(_)) | (Limit::Tokens(_), Limit::Money(_)) => true,
    };
    let asks_now = before.on_exhausted == OnExhausted::Deny && after.on_exhausted != OnExhausted::Deny;
    !same || larger || asks_now
}

/// Fewer days or less room; zero is without end.
fn keeps_less(before: Retention, after: Retention) -> bool {
    let less = |before: u32, after: u32| after > 0 && (before == 0 || after < before);
    less(before.days, after.days) || less(before.megabytes, after.megabytes)
}

#[cfg(test)]
mod tests {
    use reeve_domain::budget::{Scope, Window};
    use reeve_domain::id::BudgetId;
    use reeve_domain::money::NanoUsd;

    use super::*;

    fn budget(limit: Limit) -> BudgetDefinition {
        BudgetDefinition {
            id: BudgetId::parse("daily").unwrap(),
            scope: Scope::Me,
            model: None,
            window: Window::Day,
            limit,
            on_exhausted: OnExhausted::Ask,
            output_floor: 256,
            file: String::new(),
            line: 0,
        }
    }

    #[test]
    fn a_limit_that_is_raised_removed_or_bounds_other_spending_binds_less() {
        let ten = budget(Limit::Money(NanoUsd(10)));
        fn weight(before: Option<&BudgetDefinition>, after: Option<&BudgetDefinition>) -> Option<Risk> {
            Change::Limit { before, after }.weight()
        }
        let from_ten = |after: BudgetDefinition| weight(Some(&ten), Some(&after));
        let changed = |change: fn(&mut BudgetDefinition)| {
            let mut other = ten.clone();
            change(&mut other);
            from_ten(other)
        };
        let high = Some(Risk::High);
        assert_eq!(weight(None, Some(&ten)), None, "a new limit binds");
        assert_eq!(weight(Some(&ten), None), high);
        assert_eq!(changed(|_| {}), None);
        assert_eq!(changed(|b| b.limit = Limit::Money(NanoUsd(9))), None);
        assert_eq!(changed(|b| b.limit = Limit::Money(NanoUsd(11))), high);
        assert_eq!(changed(|b| b.limit = Limit::Tokens(1)), high, "another unit does not tell");
        assert_eq!(changed(|b| b.scope = Scope::Organisation), high);
        assert_eq!(changed(|b| b.window = Window::Week), high);
        assert_eq!(changed(|b| b.model = Some("claude-*".to_owned())), high);
        assert_eq!(changed(|b| b.on_exhausted = OnExhausted::Deny), None);
        let firm = BudgetDefinition { on_exhausted: OnExhausted::Deny, ..ten.clone() };
        assert_eq!(weight(Some(&firm), Some(&ten)), high, "what was denied is asked");
    }

    #[test]
    fn what_takes_every_question_away_is_critical() {
        let hour = chrono::Duration::hours(1);
        let critical = Some(Risk::Critical);
        let table = [
            (Change::Pause(None), critical),
            (Change::Pause(Some(hour)), None),
            (Change::Pause(Some(hour + chrono::Duration::minutes(1))), critical),
            (Change::Mode { before: Mode::Enforce, after: Mode::Observe }, critical),
            (Change::Mode { before: Mode::Observe, after: Mode::Enforce }, None),
            (Change::Mode { before: Mode::Observe, after: Mode::Observe }, None),
            (Change::Preset { before: Preset::Strict, after: Preset::Balanced }, Some(Risk::High)),
            (Change::Preset { before: Preset::Balanced, after: Preset::Strict }, None),
            (Change::Preset { before: Preset::Balanced, after: Preset::Balanced }, None),
        ];
        for (change, weight) in table {
            assert_eq!(change.weight(), weight, "{change:?}");
        }
    }

    #[test]
    fn rules_weigh_what_the_loosest_difference_does() {
        let one = |leaning| Difference { before: None, after: None, leaning };
        let weight = |leanings: &[Leaning]| {
            let differences: Vec<_> = leanings.iter().copied().map(one).collect();
            Change::Rules(&differences).weight()
        };
        assert_eq!(weight(&[]), None);
        assert_eq!(weight(&[Leaning::Neutral, Leaning::Tighter]), None);
        assert_eq!(weight(&[Leaning::Tighter, Leaning::Looser]), Some(Risk::High));
        assert_eq!(weight(&[Leaning::Either]), Some(Risk::High));
    }

    #[test]
    fn limits_files_weigh_what_any_of_their_lines_does() {
        let read = |text: &str| reeve_policy::limits::load(&[("limits.yaml".to_owned(), text.to_owned())]).unwrap();
        let budgets = "budgets:\n  - { id: daily, scope: me, window: day, max_cost: 10.00 }\n";
        let weight = |before: &str, after: &str| {
            let (before, after) = (read(before), read(after));
            Change::Limits { before: &before, after: &after }.weight()
        };
        let high = Some(Risk::High);
        assert_eq!(weight(budgets, budgets), None);
        assert_eq!(weight("", budgets), None);
        assert_eq!(weight(budgets, &budgets.replace("10.00", "9.00")), None);
        assert_eq!(weight(budgets, &budgets.replace("10.00", "11.00")), high);
        assert_eq!(weight(budgets, ""), high);
        let rate = "rate_limits: [{ server: db, calls: 5, per: minute }]\n";
        assert_eq!(weight(budgets, &format!("{budgets}{rate}")), None);
        assert_eq!(weight(rate, ""), high);
    }

    #[test]
    fn fewer_days_or_less_room_is_less_and_for_ever_is_most() {
        let wanted = |days, megabytes| Retention { days, megabytes };
        let weight = |before, after| Change::Keep { before, after }.weight();
        assert_eq!(weight(wanted(90, 0), wanted(30, 0)), Some(Risk::High));
        assert_eq!(weight(wanted(0, 0), wanted(90, 0)), Some(Risk::High));
        assert_eq!(weight(wanted(90, 0), wanted(0, 100)), Some(Risk::High));
        assert_eq!(weight(wanted(90, 100), wanted(0, 200)), None);
        assert_eq!(weight(wanted(30, 0), wanted(30, 0)), None);
        assert_eq!(Change::Wipe.weight(), Some(Risk::High));
    }
}
