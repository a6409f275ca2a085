//! Where spending is heading: a weighted rate of the recent past, carried on to the end of the window, with its range.

use chrono::{DateTime, Duration, Utc};
use reeve_domain::budget::{Balance, Limit, Spend, Window};

/// Under this many settled calls there is nothing to go by.
const LEAST_CALLS: u32 = 20;
/// Length of the slots that spending is kept in, in hours.
const SLOT_HOURS: f64 = 0.25;
/// How many time constants back a slot still counts (its weight is 2 % there).
const REACH: i32 = 4;
/// Standard deviations to each side: four of five outcomes lie between, were slots independent and the sum normal.
const RANGE: f64 = 1.2816;

/// What an account will have been charged when its window ends, if spending goes on as it lately did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// nano-USD or tokens in an hour.
    pub per_hour: i64,
    /// At the end of the window; none for windows without one.
    pub at_end: Option<AtEnd>,
    /// When nothing will be left, where that is before the window ends.
    pub reached_at: Option<DateTime<Utc>>,
    /// Settled calls that it was made from.
    pub calls: u32,
}

/// In nano-USD or tokens, what is settled already included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtEnd {
    pub expected: i64,
    pub low: i64,
    pub high: i64,
}

/// Time constant of the weights: six hours for days and sessions, seven days for weeks and months.
fn constant(window: Window) -> Duration {
    match window {
        Window::Week | Window::Month => Duration::days(7),
        Window::Call | Window::Day | Window::Total => Duration::hours(6),
    }
}

/// The earliest slot that a forecast looks at.
#[must_use]
pub fn looks_back_to(window: Window, now: DateTime<Utc>) -> DateTime<Utc> {
    now - constant(window) * REACH
}

/// Slots of a quarter of an hour are weighted by `exp(-age / time constant)`; their weighted mean is the rate, their
/// weighted variance `v` the unrest. Over `n` slots to come the sum is expected at `n · mean` with the variance
/// `n · v + n² · v / effective number of slots`: what the coming slots may do, and how well the mean is known. Slots before
/// the account's first spending do not count, empty ones after it do. `spend`: since [`looks_back_to`], of every window.
///
/// `None`: fewer than twenty calls were settled in that time, which is not enough.
#[must_use]
pub fn forecast(
    spend: &[Spend],
    window: Window,
    (limit, balance): (Limit, &Balance),
    now: DateTime<Utc>,
    end: Option<DateTime<Utc>>,
) -> Option<Forecast> {
    let calls = spend.iter().map(|s| s.calls).fold(0, u32::saturating_add);
    if calls < LEAST_CALLS {
        return None;
    }
    let rate = Rate::of(spend, constant(window), now)?;
    let at_end = end.map(|end| {
        let slots = hours(end - now).max(0.0) / SLOT_HOURS;
        let (more, off) = (rate.mean * slots, RANGE * (slots * rate.variance * (1.0 + slots / rate.effective)).sqrt());
        let total = |sum: f64| balance.settled.saturating_add(whole(sum.max(0.0)));
        AtEnd { expected: total(more), low: total(more - off), high: total(more + off) }
    });
    let limit = match limit {
        Limit::Money(limit) => limit.0,
        Limit::Tokens(limit) => i64::try_from(limit).unwrap_or(i64::MAX),
    };
    let free = limit.saturating_sub(balance.settled).saturating_sub(balance.reserved);
    let reached_at = (free > 0 && rate.mean > 0.0)
        .then(|| now.checked_add_signed(Duration::try_seconds(whole(free as f64 / rate.mean * SLOT_HOURS * 3600.0))?))
        .flatten()
        .filter(|at| end.is_none_or(|end| *at < end));
    Some(Forecast { per_hour: whole(rate.mean / SLOT_HOURS), at_end, reached_at, calls })
}

/// Per slot.
struct Rate {
    mean: f64,
    variance: f64,
    /// As many slots of equal weight would say as much.
    effective: f64,
}

impl Rate {
    fn of(spend: &[Spend], constant: Duration, now: DateTime<Utc>) -> Option<Self> {
        let first = spend.iter().map(|s| s.slot).min()?;
        let constant = hours(constant);
        let weight = |slot: DateTime<Utc>| (-(hours(now - slot) - SLOT_HOURS / 2.0).max(0.0) / constant).exp();
        // The running slot counts as far as it has run.
        let (mut mass, mut squares, mut slot) = (0.0, 0.0, first);
        while slot < now {
            let share = (hours(now - slot) / SLOT_HOURS).min(1.0) * weight(slot);
            mass += share;
            squares += share * share;
            slot += Duration::minutes(15);
        }
        if mass <= 0.0 {
            return None;
        }
        let mut slots: Vec<(DateTime<Utc>, f64)> = Vec::new();
        for one in spend {
            match slots.last_mut() {
                Some((at, sum)) if *at == one.slot => *sum += one.amount as f64,
                _ => slots.push((one.slot, one.amount as f64)),
            }
        }
        let mean = slots.iter().map(|(at, sum)| weight(*at) * sum).sum::<f64>() / mass;
        let square = slots.iter().map(|(at, sum)| weight(*at) * sum * sum).sum::<f64>() / mass;
        Some(Self { mean, variance: (square - mean * mean).max(0.0), effective: mass * mass / squares })
    }
}

fn hours(time: Duration) -> f64 {
    time.num_milliseconds() as f64 / 3_600_000.0
}

/// Saturates; an estimate is not exact to the nano anyway.
fn whole(amount: f64) -> i64 {
    amount.round() as i64
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;
    use reeve_domain::id::AgentId;
    use reeve_domain::money::NanoUsd;

    use super::*;

    fn now() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 20, 12, 0, 0).unwrap()
    }

    /// One call in each of the last `count` slots.
    fn steady(count: i32, amount: i64) -> Vec<Spend> {
        let slot = |back: i32| Spend {
            window_start: now() - Duration::hours(12),
            slot: now() - Duration::minutes(15) * back,
            agent: AgentId::parse("codex").unwrap(),
            calls: 1,
            amount,
        };
        (1..=count).rev().map(slot).collect()
    }

    fn of(spend: &[Spend], limit: i64, end: Option<DateTime<Utc>>) -> Option<Forecast> {
        let settled = spend.iter().map(|s| s.amount).sum();
        forecast(spend, Window::Day, (Limit::Money(NanoUsd(limit)), &Balance { settled, reserved: 100 }), now(), end)
    }

    #[test]
    fn steady_spending_goes_on_as_it_was_without_a_range() {
        let found = of(&steady(40, 100), 10_000, Some(now() + Duration::hours(12))).unwrap();
        assert_eq!((found.per_hour, found.calls, found.reached_at), (400, 40, None));
        assert_eq!(found.at_end, Some(AtEnd { expected: 8_800, low: 8_800, high: 8_800 }));
    }

    #[test]
    fn what_is_held_counts_towards_the_moment_at_which_nothing_is_left() {
        // 4,000 spent, 100 held, 400 an hour: the remaining 1,200 last three hours.
        let found = of(&steady(40, 100), 5_300, Some(now() + Duration::hours(12))).unwrap();
        assert_eq!(found.reached_at, Some(now() + Duration::hours(3)));
        assert_eq!(of(&steady(40, 100), 4_000, None).unwrap().reached_at, None, "it is reached already");
    }

    #[test]
    fn uneven_spending_has_a_range_around_what_is_expected_and_never_takes_anything_back() {
        let mut spend = steady(40, 100);
        for one in spend.iter_mut().step_by(3) {
            one.amount = 2_000;
        }
        let settled = spend.iter().map(|s| s.amount).sum::<i64>();
        let end = of(&spend, 1_000_000, Some(now() + Duration::hours(12))).unwrap().at_end.unwrap();
        assert!(settled <= end.low && end.low < end.expected && end.expected < end.high, "{end:?}");
    }

    #[test]
    fn the_recent_past_weighs_more_and_silence_counts() {
        let mut early = steady(40, 0);
        let mut late = steady(40, 0);
        early.iter_mut().take(20).for_each(|s| s.amount = 100);
        late.iter_mut().skip(20).for_each(|s| s.amount = 100);
        assert!(of(&late, 1_000_000, None).unwrap().per_hour > 2 * of(&early, 1_000_000, None).unwrap().per_hour);
        let silent: Vec<_> = steady(60, 100).into_iter().take(30).collect();
        assert!(of(&silent, 1_000_000, None).unwrap().per_hour < 200);
    }

    #[test]
    fn under_twenty_calls_nothing_is_foretold() {
        assert_eq!(of(&steady(19, 100), 10_000, None), None);
        assert_eq!(of(&[], 10_000, None), None);
    }
}
