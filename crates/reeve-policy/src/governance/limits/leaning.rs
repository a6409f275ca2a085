//! Which way a change of rates, breakers, loops and retries leans.

use super::{BreakerLimits, Limits, LoopLimits, RetryLimits};

impl Limits {
    /// Whether tools may be called faster, more often in vain or longer in circles by these limits than by the others. A rate
    /// that changed counts, because its words alone do not tell.
    #[must_use]
    pub fn paces_less_than(&self, before: &Self) -> bool {
        before.rates.iter().any(|rate| !self.rates.contains(rate))
            || breaks_later(before.breakers, self.breakers)
            || circles_longer(before.loops, self.loops)
            || repeats_more(before.retries, self.retries)
    }
}

fn breaks_later(before: BreakerLimits, after: BreakerLimits) -> bool {
    after.failures > before.failures
        || after.refusals > before.refusals
        || after.open_for < before.open_for
        || after.longest < before.longest
}

fn circles_longer(before: LoopLimits, after: LoopLimits) -> bool {
    // Zero is never.
    let later = |before: u32, after: u32| before > 0 && (after == 0 || after > before);
    later(before.warn, after.warn)
        || later(before.hold, after.hold)
        || later(before.pause, after.pause)
        || later(before.burst, after.burst)
        || after.window < before.window
        || before.requests && !after.requests
        || before.models && !after.models
}

fn repeats_more(before: RetryLimits, after: RetryLimits) -> bool {
    after.times > before.times || after.times > 0 && (after.wait < before.wait || after.longest < before.longest)
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::Limits;

    fn read(text: &str) -> Limits {
        load(&[("limits.yaml".to_owned(), text.to_owned())]).unwrap()
    }

    #[test]
    fn later_breakers_longer_loops_more_retries_and_other_rates_bind_less() {
        let looser = |before: &str, after: &str| read(after).paces_less_than(&read(before));
        let rate = "rate_limits: [{ server: db, calls: 5, per: minute }]\n";
        for (before, after) in [
            (rate, ""),
            (rate, "rate_limits: [{ server: db, calls: 6, per: minute }]\n"),
            ("", "circuit_breakers: { failures: 6 }\n"),
            ("", "loops: { hold: 0 }\n"),
            ("", "loops: { warn: 6 }\n"),
            ("", "retries: { times: 2 }\n"),
        ] {
            assert!(looser(before, after), "{before} -> {after}");
        }
        for (before, after) in [
            ("", rate),
            ("", "circuit_breakers: { failures: 4 }\n"),
            ("", "loops: { warn: 4 }\n"),
            ("loops: { hold: 0 }\n", ""),
            ("retries: { times: 2 }\n", "retries: { times: 1 }\n"),
            (rate, rate),
        ] {
            assert!(!looser(before, after), "{before} -> {after}");
        }
    }
}
