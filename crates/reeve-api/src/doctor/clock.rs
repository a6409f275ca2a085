//! Whether the clock can be right. It can only be told to be behind: what stands in the record already, and the price table,
//! come from no later than now. A sleeping machine leaps ahead, and that is no fault of its clock.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{advice, check, command};
use crate::contract::status::CheckDto;
use crate::host::Host;

/// Records that are looked at: the newest may have been written when the clock had gone back already.
const LOOKED_AT: usize = 1_000;
/// What setting the time by the network takes back now and then, in seconds.
const TOLERATED: i64 = 5;

pub(super) async fn clock(host: &Host) -> CheckDto {
    let recorded = match host.engine.store().events(None, LOOKED_AT).await {
        Ok(recorded) => recorded,
        Err(error) => return check("clock", false, error.to_string(), command("reeve verify")),
    };
    let latest = recorded.iter().map(|event| (event.at, event.seq)).max();
    let table = host.engine.prices().table();
    judged(host.engine.now(), latest, NaiveDate::parse_from_str(table.date(), "%Y-%m-%d").ok())
}

/// `latest`: when the latest of the newest records was written, and its number. `built`: the date of the price table.
fn judged(now: DateTime<Utc>, latest: Option<(DateTime<Utc>, u64)>, built: Option<NaiveDate>) -> CheckDto {
    let fix = || advice("set the time, best by the network: budgets, pauses and approvals end by this clock");
    if let Some((at, record)) = latest.filter(|(at, _)| (*at - now).num_seconds() > TOLERATED) {
        let behind = words(at - now);
        let evidence =
            format!("{behind} behind record {record}: it went back since then, or was ahead when that was written");
        return check("clock", false, evidence, fix());
    }
    if let Some(date) = built.filter(|date| now.date_naive() < *date) {
        let behind = words(date.signed_duration_since(now.date_naive()));
        return check("clock", false, format!("{behind} before {date}, the date of the price table"), fix());
    }
    check("clock", true, format!("{} UTC, not behind the record", now.format("%Y-%m-%d %H:%M")), None)
}

fn words(span: TimeDelta) -> String {
    let minutes = span.num_minutes();
    match (span.num_days(), span.num_hours()) {
        (0, 0) if minutes == 0 => format!("{} s", span.num_seconds()),
        (0, 0) => format!("{minutes} min"),
        (0, hours) => format!("{hours} h {} min", minutes % 60),
        (1, _) => "1 day".to_owned(),
        (days, _) => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_clock_that_went_back_says_by_how_much() {
        let now = at("2026-11-20T10:00:00Z");
        for (recorded, words) in [
            ("2026-11-20T10:00:30Z", "30 s behind record 7"),
            ("2026-11-20T10:20:00Z", "20 min behind"),
            ("2026-11-20T13:05:00Z", "3 h 5 min behind"),
            ("2026-11-22T10:00:00Z", "2 days behind"),
        ] {
            let found = judged(now, Some((at(recorded), 7)), None);
            assert!(!found.ok && found.evidence.starts_with(words) && found.fix.is_some(), "{found:?}");
        }
    }

    #[test]
    fn a_clock_that_is_not_behind_is_well_and_a_little_is_not_worth_a_word() {
        let now = at("2026-11-20T10:00:00Z");
        let built = NaiveDate::from_ymd_opt(2026, 11, 20);
        for recorded in [None, Some((at("2026-11-20T09:00:00Z"), 7)), Some((at("2026-11-20T10:00:04Z"), 7))] {
            assert!(judged(now, recorded, built).ok);
        }
        let lost = judged(at("1970-01-01T00:00:07Z"), None, built);
        assert!(!lost.ok && lost.evidence.ends_with("before 2026-11-20, the date of the price table"), "{lost:?}");
    }
}
