//! How long the person wants the record to be kept, remembered beside it: a file that was edited while no engine ran is recorded
//! like any other change, and when it keeps less it counts a day later, so that somebody can see it before anything is gone.

use chrono::{DateTime, Utc};
use reeve_domain::event::{Draft, EventBody};
use reeve_store::{Change as Write, Store};
use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::loosening::Change;
use crate::settings::Retention;

const SETTING: &str = "retention";
/// How long a smaller wish waits that nobody answered for.
const NOTICE: chrono::Duration = chrono::Duration::days(1);

/// What is wanted, and what still holds instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wish {
    pub(super) wanted: Retention,
    waits: Option<Waits>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Waits {
    until: DateTime<Utc>,
    before: Retention,
}

impl Wish {
    /// One that counts at once.
    pub(super) const fn of(wanted: Retention) -> Self {
        Self { wanted, waits: None }
    }

    /// What the file wants now, after what was wanted when an engine last ran.
    fn after(last: Self, wanted: Retention, now: DateTime<Utc>) -> Self {
        if last.wanted == wanted {
            return last;
        }
        let before = last.in_force(now);
        let less = Change::Keep { before, after: wanted }.weight().is_some();
        Self { wanted, waits: less.then(|| Waits { until: now + NOTICE, before }) }
    }

    /// Since a smaller wish waits: the longer of both.
    pub(super) fn in_force(&self, now: DateTime<Utc>) -> Retention {
        let Some(waits) = self.waits.filter(|waits| now < waits.until) else { return self.wanted };
        let longer = |one: u32, other: u32| if one == 0 || other == 0 { 0 } else { one.max(other) };
        Retention {
            days: longer(self.wanted.days, waits.before.days),
            megabytes: longer(self.wanted.megabytes, waits.before.megabytes),
        }
    }

    /// Until when it waits.
    pub(super) fn until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.waits.map(|waits| waits.until).filter(|until| now < *until)
    }

    /// What goes into the store together with the record of it.
    pub(super) fn kept(&self) -> Result<Write, EngineError> {
        let value = serde_json::to_string(self).map_err(|error| EngineError::Refused(error.to_string()))?;
        Ok(Write::Setting { key: SETTING.to_owned(), value })
    }
}

/// What is to be kept from this start on. A change since the last run is recorded.
///
/// # Errors
/// When it can be neither read nor recorded.
pub(super) async fn load(store: &Store, wanted: Retention, now: DateTime<Utc>) -> Result<Wish, EngineError> {
    let last = store.setting(SETTING).await?.and_then(|text| serde_json::from_str::<Wish>(&text).ok());
    let Some(last) = last else {
        let wish = Wish::of(wanted);
        store.append_with(vec![wish.kept()?], Vec::new()).await?;
        return Ok(wish);
    };
    let wish = Wish::after(last, wanted, now);
    if wish != last {
        let later = wish.until(now).map(|until| format!(", from {} on", until.format("%Y-%m-%d %H:%M UTC")));
        let what = format!(
            "the record is kept {}: `config.toml` was changed while no engine ran{}",
            wanted.words(),
            later.unwrap_or_default()
        );
        store.append_with(vec![wish.kept()?], vec![Draft::engine(EventBody::ModeChanged { what })]).await?;
    }
    Ok(wish)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: u32) -> Retention {
        Retention { days, megabytes: 0 }
    }

    #[test]
    fn a_smaller_wish_counts_after_a_day_and_a_larger_one_at_once() {
        let now = DateTime::UNIX_EPOCH;
        let later = now + NOTICE;
        let less = Wish::after(Wish::of(days(90)), days(30), now);
        assert_eq!((less.in_force(now), less.in_force(later)), (days(90), days(30)));
        assert_eq!((less.until(now), less.until(later)), (Some(later), None));
        // Another start does not begin the day anew.
        assert_eq!(Wish::after(less, days(30), now + NOTICE / 2), less);
        assert_eq!(Wish::after(Wish::of(days(30)), days(0), now).in_force(now), days(0));
        // Neither does a second edit bring forward what waits.
        let both = Wish::after(less, days(20), now + NOTICE / 2);
        assert_eq!((both.in_force(later), both.in_force(later + NOTICE)), (days(90), days(20)));
    }

    #[test]
    fn a_wish_for_less_room_waits_too() {
        let now = DateTime::UNIX_EPOCH;
        let room = Retention { days: 90, megabytes: 100 };
        let wish = Wish::after(Wish::of(days(90)), room, now);
        assert_eq!((wish.in_force(now), wish.in_force(now + NOTICE)), (days(90), room));
    }
}
