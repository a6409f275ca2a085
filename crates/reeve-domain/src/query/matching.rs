//! The reference filter: what a query means, said without an index.

use chrono::{DateTime, Utc};

use super::key::{Key, Kind};
use super::{Pattern, Query, Test, Value};

/// What a query is held against.
pub(crate) trait Searched {
    fn at(&self) -> DateTime<Utc>;

    /// Texts that a key of kind text, word or rank is compared with; none: there is no such value.
    fn texts(&self, key: Key) -> Vec<String>;

    /// The number that a key of an ordered kind is compared with.
    fn number(&self, key: Key) -> Option<u64>;

    /// What free text is sought in.
    fn prose(&self) -> Vec<&str>;
}

/// Words as the index knows them: runs of letters and digits, lower-case.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Whether a query means this. `now` is what durations before now count from.
pub(crate) fn matches(one: &impl Searched, query: &Query, now: DateTime<Utc>) -> bool {
    match query {
        Query::All => true,
        Query::And(parts) => parts.iter().all(|part| matches(one, part, now)),
        Query::Or(parts) => parts.iter().any(|part| matches(one, part, now)),
        Query::Not(part) => !matches(one, part, now),
        Query::Text(pattern) => has_text(one, pattern),
        Query::Field(key, Test::OneOf(values)) => values.iter().any(|value| has(one, *key, value, now)),
        Query::Field(key, Test::Is(value)) => has(one, *key, value, now),
        Query::Field(key, Test::Compare(op, value)) => {
            let found = ordinal(one, *key);
            found.zip(ordinal_of(*key, value)).is_some_and(|(left, right)| op.holds(&left, &right))
        }
        Query::Field(key, Test::Range(from, to)) => {
            let ends = ordinal_of(*key, from).zip(ordinal_of(*key, to));
            ordinal(one, *key).zip(ends).is_some_and(|(found, (from, to))| (from..=to).contains(&found))
        }
    }
}

fn has(one: &impl Searched, key: Key, value: &Value, now: DateTime<Utc>) -> bool {
    match value {
        Value::Pattern(pattern) => {
            let texts = one.texts(key);
            let nothing = pattern.text.is_empty() && !pattern.is_any();
            let also = pattern.also(key);
            let means = |text: &String| pattern.matches(text) || also.as_ref().is_some_and(|p| p.matches(text));
            if nothing { texts.is_empty() } else { texts.iter().any(means) }
        }
        Value::Time(moment) if key == Key::Before => one.at() < moment.resolve(now),
        Value::Time(moment) => one.at() >= moment.resolve(now),
        Value::Number(_) | Value::Money(_) | Value::Duration(_) => {
            one.number(key).is_some_and(|found| Some(found) == ordinal_of(key, value))
        }
    }
}

fn ordinal(one: &impl Searched, key: Key) -> Option<u64> {
    match key.kind() {
        Kind::Rank(names) => one.texts(key).first().and_then(|text| rank(names, text)),
        _ => one.number(key),
    }
}

fn has_text(one: &impl Searched, pattern: &Pattern) -> bool {
    let sought: Vec<String> = words(&pattern.text).collect();
    sought.is_empty() || one.prose().into_iter().any(|text| has_phrase(text, &sought, pattern))
}

/// Whether the words stand next to each other in the text. An open end lets the last word go on, an open start lets the
/// first one begin before.
fn has_phrase(text: &str, sought: &[String], pattern: &Pattern) -> bool {
    let found: Vec<String> = words(text).collect();
    found.windows(sought.len()).any(|window| {
        window.iter().zip(sought).enumerate().all(|(i, (word, part))| {
            let starts_open = pattern.open_start && i == 0;
            let ends_open = pattern.open_end && i + 1 == sought.len();
            match (starts_open, ends_open) {
                (false, false) => word == part,
                (false, true) => word.starts_with(part.as_str()),
                (true, false) => word.ends_with(part.as_str()),
                (true, true) => word.contains(part.as_str()),
            }
        })
    })
}

/// A query's value as the number that rows are compared by.
fn ordinal_of(key: Key, value: &Value) -> Option<u64> {
    match value {
        Value::Number(n) | Value::Duration(n) => Some(*n),
        Value::Money(amount) => u64::try_from(amount.0).ok(),
        Value::Pattern(pattern) => match key.kind() {
            Kind::Rank(names) => rank(names, &pattern.text),
            _ => None,
        },
        Value::Time(_) => None,
    }
}

fn rank(names: &[&str], text: &str) -> Option<u64> {
    names.iter().position(|name| *name == text).map(|at| at as u64)
}
