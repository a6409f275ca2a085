//! From a query to the index: an expression that means at least every row (`upper`), one that means at most those
//! (`lower`), and a range of ids. Where the two differ, rows between them are checked one by one.

use std::fmt;

use chrono::{DateTime, Utc};
use reeve_domain::query::{self, Key, Kind, Op, OperationRow, Pattern, Query, Test, Value};
use rusqlite::Connection;

use super::scan::first_at_or_after;
use super::words;
use crate::error::StoreError;
use crate::tables::operations;

/// Most values of the dictionary that one pattern is spelled out into.
const MOST_VALUES: usize = 200;

/// An expression of the full-text index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ix {
    All,
    None,
    /// A word of the column of words.
    Word(String),
    /// Every word that begins like this.
    Prefix(String),
    /// Words of the text, in order; the last may go on.
    Phrase(String, bool),
    And(Vec<Ix>),
    Or(Vec<Ix>),
    Not(Box<Ix>),
}

impl Ix {
    pub fn and(parts: Vec<Self>) -> Self {
        if parts.contains(&Self::None) {
            return Self::None;
        }
        let mut parts: Vec<Self> = parts.into_iter().filter(|part| *part != Self::All).collect();
        if parts.len() > 1 { Self::And(parts) } else { parts.pop().unwrap_or(Self::All) }
    }

    pub fn or(parts: Vec<Self>) -> Self {
        if parts.contains(&Self::All) {
            return Self::All;
        }
        let mut parts: Vec<Self> = parts.into_iter().filter(|part| *part != Self::None).collect();
        if parts.len() > 1 { Self::Or(parts) } else { parts.pop().unwrap_or(Self::None) }
    }

    pub fn not(self) -> Self {
        match self {
            Self::All => Self::None,
            Self::None => Self::All,
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }
}

/// In the syntax of FTS5, where `NOT` needs something on its left.
impl fmt::Display for Ix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => write!(f, "words:{}", words::EVERY),
            // Never asked for: a query that means nothing is not run. `NOT` of everything is right all the same.
            Self::None => write!(f, "(words:{0} NOT words:{0})", words::EVERY),
            Self::Word(word) => write!(f, "words:\"{word}\""),
            Self::Prefix(word) => write!(f, "words:\"{word}\"*"),
            Self::Phrase(text, open) => write!(f, "text:\"{text}\"{}", if *open { "*" } else { "" }),
            Self::Or(parts) => {
                f.write_str("(")?;
                for (i, part) in parts.iter().enumerate() {
                    let or = if i > 0 { " OR " } else { "" };
                    write!(f, "{or}{part}")?;
                }
                f.write_str(")")
            }
            Self::Not(inner) => write!(f, "(words:{} NOT {inner})", words::EVERY),
            Self::And(parts) => {
                f.write_str("((")?;
                let mut first = true;
                for part in parts.iter().filter(|part| !matches!(part, Self::Not(_))) {
                    let and = if first { "" } else { " AND " };
                    write!(f, "{and}{part}")?;
                    first = false;
                }
                if first {
                    write!(f, "words:{}", words::EVERY)?;
                }
                f.write_str(")")?;
                let left_out =
                    parts.iter().filter_map(|part| if let Self::Not(inner) = part { Some(inner) } else { None });
                for inner in left_out {
                    write!(f, " NOT {inner}")?;
                }
                f.write_str(")")
            }
        }
    }
}

/// At least and at most what a part of a query means.
struct Bounds {
    upper: Ix,
    lower: Ix,
}

impl Bounds {
    fn exact(ix: Ix) -> Self {
        Self { lower: ix.clone(), upper: ix }
    }

    /// Nothing certain: every row of `upper` must be looked at.
    fn at_most(upper: Ix) -> Self {
        Self { upper, lower: Ix::None }
    }
}

/// How a query is run.
#[derive(Debug)]
pub struct Plan {
    pub upper: Ix,
    pub lower: Ix,
    /// The index says it all.
    pub exact: bool,
    /// Ids from here…
    pub from: u64,
    /// …up to and without this.
    pub until: u64,
    /// The range of time in milliseconds, where nothing but time restricts the query.
    pub only_time: Option<(i64, i64)>,
    /// What a row is checked against where the index is not exact: the query without its range of time.
    rest: Query,
    now: DateTime<Utc>,
}

impl Plan {
    pub fn new(conn: &Connection, query: &Query, now: DateTime<Utc>) -> Result<Self, StoreError> {
        let parts = match query {
            Query::And(parts) => parts.clone(),
            other => vec![other.clone()],
        };
        let mut from = 1;
        let mut until = first_at_or_after(conn, i64::MAX)?;
        let mut rest = Vec::new();
        let mut time = Some((i64::MIN, i64::MAX));
        for part in parts {
            match &part {
                Query::Field(Key::Since, Test::Is(Value::Time(moment))) => {
                    let ms = moment.resolve(now).timestamp_millis();
                    from = from.max(first_at_or_after(conn, ms)?);
                    time = time.map(|(since, before)| (since.max(ms), before));
                }
                Query::Field(Key::Before, Test::Is(Value::Time(moment))) => {
                    let ms = moment.resolve(now).timestamp_millis();
                    until = until.min(first_at_or_after(conn, ms)?);
                    time = time.map(|(since, before)| (since, before.min(ms)));
                }
                Query::Field(Key::Record, Test::Is(Value::Pattern(pattern)))
                    if !pattern.open_start && !pattern.open_end =>
                {
                    let id = find_record(conn, &pattern.text)?;
                    time = None;
                    from = from.max(id.unwrap_or(u64::MAX));
                    until = until.min(id.map_or(0, |id| id + 1));
                }
                _ => rest.push(part),
            }
        }
        let rest = Query::and(rest);
        let bounds = Compiler { conn }.compile(&rest)?;
        let exact = bounds.upper == bounds.lower;
        let only_time = time.filter(|_| rest == Query::All);
        Ok(Self { upper: bounds.upper, lower: bounds.lower, exact, from, until, only_time, rest, now })
    }

    /// Whether a row that the index may mean is meant.
    pub fn keeps(&self, row: &OperationRow) -> bool {
        row.matches(&self.rest, self.now)
    }

    /// The rows that are not in the index yet and match, newest first.
    pub fn open_rows(&self, conn: &Connection) -> Result<Vec<OperationRow>, StoreError> {
        let mut rows = operations::all_open(conn)?;
        rows.retain(|row| (self.from..self.until).contains(&row.id) && self.keeps(row));
        Ok(rows)
    }
}

/// The row of an operation, or of a record by its number.
fn find_record(conn: &Connection, text: &str) -> Result<Option<u64>, StoreError> {
    use rusqlite::OptionalExtension as _;
    let sql = "SELECT o.id FROM operations o WHERE o.operation = ?1";
    if let Some(id) = conn.prepare_cached(sql)?.query_row([text.to_ascii_lowercase()], |row| row.get(0)).optional()? {
        return Ok(Some(id));
    }
    let Ok(seq) = text.parse::<u32>() else { return Ok(None) };
    let sql = "SELECT o.id FROM events e JOIN operations o USING (operation) JOIN bodies b ON b.id = o.id \
               WHERE e.seq = ?1 AND json_extract(b.body, '$.record') = e.seq";
    Ok(conn.prepare_cached(sql)?.query_row([seq], |row| row.get(0)).optional()?)
}

struct Compiler<'a> {
    conn: &'a Connection,
}

impl Compiler<'_> {
    fn compile(&self, query: &Query) -> Result<Bounds, StoreError> {
        Ok(match query {
            Query::All => Bounds::exact(Ix::All),
            Query::And(parts) => {
                let (upper, lower) = self.all(parts)?;
                Bounds { upper: Ix::and(upper), lower: Ix::and(lower) }
            }
            Query::Or(parts) => {
                let (upper, lower) = self.all(parts)?;
                Bounds { upper: Ix::or(upper), lower: Ix::or(lower) }
            }
            Query::Not(part) => {
                let part = self.compile(part)?;
                Bounds { upper: part.lower.not(), lower: part.upper.not() }
            }
            Query::Text(pattern) => text(pattern),
            Query::Field(key, Test::OneOf(values)) => {
                let parts: Result<Vec<Bounds>, StoreError> = values.iter().map(|value| self.is(*key, value)).collect();
                let (upper, lower) = parts?.into_iter().map(|bounds| (bounds.upper, bounds.lower)).unzip();
                Bounds { upper: Ix::or(upper), lower: Ix::or(lower) }
            }
            Query::Field(key, Test::Is(value)) => self.is(*key, value)?,
            Query::Field(key, Test::Compare(op, value)) => match (op, number(value)) {
                (_, None) => self.ranked(*key, |name| compare_ranks(*key, name, *op, value)),
                (Op::Less, Some(0)) => Bounds::exact(Ix::None),
                (Op::Less, Some(n)) => self.between(*key, 0, n - 1)?,
                (Op::LessOrEqual, Some(n)) => self.between(*key, 0, n)?,
                (Op::Greater, Some(u64::MAX)) => Bounds::exact(Ix::None),
                (Op::Greater, Some(n)) => self.between(*key, n + 1, u64::MAX)?,
                (Op::GreaterOrEqual, Some(n)) => self.between(*key, n, u64::MAX)?,
            },
            Query::Field(key, Test::Range(low, high)) => match (number(low), number(high)) {
                (Some(low), Some(high)) => self.between(*key, low, high)?,
                _ => self.ranked(*key, |name| {
                    compare_ranks(*key, name, Op::GreaterOrEqual, low)
                        && compare_ranks(*key, name, Op::LessOrEqual, high)
                }),
            },
        })
    }

    fn all(&self, parts: &[Query]) -> Result<(Vec<Ix>, Vec<Ix>), StoreError> {
        let mut both = (Vec::new(), Vec::new());
        for part in parts {
            let bounds = self.compile(part)?;
            both.0.push(bounds.upper);
            both.1.push(bounds.lower);
        }
        Ok(both)
    }

    fn is(&self, key: Key, value: &Value) -> Result<Bounds, StoreError> {
        match value {
            Value::Pattern(pattern) => {
                let (first, also) = (self.pattern(key, pattern)?, pattern.also(key));
                let Some(also) = also else { return Ok(first) };
                let also = self.pattern(key, &also)?;
                let or = |one, other| Ix::or(vec![one, other]);
                Ok(Bounds { upper: or(first.upper, also.upper), lower: or(first.lower, also.lower) })
            }
            // Within a larger expression a time is no range of ids.
            Value::Time(_) => Ok(Bounds::at_most(Ix::All)),
            other => number(other).map_or(Ok(Bounds::exact(Ix::None)), |n| self.between(key, n, n)),
        }
    }

    fn pattern(&self, key: Key, pattern: &Pattern) -> Result<Bounds, StoreError> {
        if matches!(key, Key::Record | Key::Hash) {
            return Ok(Bounds::at_most(Ix::All));
        }
        if !words::is_indexed(key) {
            // Nothing of it is recorded, so every row lacks it.
            let lacks = pattern.text.is_empty() && !pattern.is_any();
            return Ok(Bounds::exact(if lacks { Ix::All } else { Ix::None }));
        }
        let present = Ix::Word(words::presence(key));
        if pattern.text.is_empty() {
            return Ok(Bounds::exact(if pattern.is_any() { present } else { present.not() }));
        }
        let long = pattern.text.len() >= words::LONGEST_VALUE;
        if !pattern.open_start {
            let word = words::value(key, &pattern.text);
            let ix = if pattern.open_end { Ix::Prefix(word) } else { Ix::Word(word) };
            return Ok(if long { Bounds::at_most(ix) } else { Bounds::exact(ix) });
        }
        if key == Key::Host && !pattern.open_end && !long && below_domain(&pattern.text) {
            let domain = pattern.text.get(1..).unwrap_or_default();
            let itself = Ix::Word(words::value(Key::Host, domain)).not();
            return Ok(Bounds::exact(Ix::and(vec![Ix::Word(words::value(Key::Domain, domain)), itself])));
        }
        if words::in_dictionary(key)
            && let Some(values) = self.values(key, |value| pattern.matches(value))?
        {
            return Ok(Self::any_of(key, &values));
        }
        Ok(Bounds::at_most(present))
    }

    /// The values of a key that are meant; `None` when they are too many to spell out.
    fn values(&self, key: Key, means: impl Fn(&str) -> bool) -> Result<Option<Vec<String>>, StoreError> {
        let mut statement = self.conn.prepare_cached("SELECT value FROM dictionary WHERE key = ?1")?;
        let mut rows = statement.query([key.as_str()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let value: String = row.get(0)?;
            if means(&value) {
                found.push(value);
                if found.len() > MOST_VALUES {
                    return Ok(None);
                }
            }
        }
        Ok(Some(found))
    }

    fn any_of(key: Key, values: &[String]) -> Bounds {
        let word = |value: &String| Ix::Word(words::value(key, value));
        let ix = Ix::or(values.iter().map(word).collect());
        // Cut-off values share their word with others.
        let long = values.iter().any(|value| value.len() >= words::LONGEST_VALUE);
        if long { Bounds::at_most(ix) } else { Bounds::exact(ix) }
    }

    fn ranked(&self, key: Key, means: impl Fn(&str) -> bool) -> Bounds {
        let Kind::Rank(names) = key.kind() else { return Bounds::at_most(Ix::All) };
        let meant: Vec<String> = names.iter().filter(|name| means(name)).map(|name| (*name).to_owned()).collect();
        Self::any_of(key, &meant)
    }

    /// Both ends included.
    fn between(&self, key: Key, low: u64, high: u64) -> Result<Bounds, StoreError> {
        if low > high {
            return Ok(Bounds::exact(Ix::None));
        }
        if words::has_few_numbers(key) {
            let means = |value: &str| value.parse().is_ok_and(|n: u64| (low..=high).contains(&n));
            let values = self.values(key, means)?;
            let present = Ix::Word(words::presence(key));
            return Ok(values.map_or(Bounds::at_most(present), |values| Self::any_of(key, &values)));
        }
        if !words::has_many_numbers(key) {
            return Ok(Bounds::exact(Ix::None));
        }
        let (first, last) = (words::quarter(low), words::quarter(high));
        let upper = Ix::or(buckets(key, first, last));
        // The outer two buckets are whole only when the range begins and ends with them.
        let first_whole = if words::quarter_start(first) == low { first } else { first + 1 };
        let last_end =
            if last == words::quarter(u64::MAX) { u64::MAX } else { words::quarter_start(next_quarter(last)) - 1 };
        let last_whole = if last_end == high { Some(last) } else { last.checked_sub(1) };
        let lower = match last_whole {
            Some(last_whole) if first_whole <= last_whole => Ix::or(buckets(key, first_whole, last_whole)),
            _ => Ix::None,
        };
        Ok(Bounds { upper, lower })
    }
}

/// Fine buckets of one-bit and two-bit numbers are not all used.
fn next_quarter(quarter: u64) -> u64 {
    let mut next = quarter + 1;
    while words::quarter(words::quarter_start(next)) != next {
        next += 1;
    }
    next
}

/// The words that cover these fine buckets: coarse ones in the middle.
fn buckets(key: Key, first: u64, last: u64) -> Vec<Ix> {
    let mut found = Vec::new();
    let mut at = first;
    while at <= last {
        // Zero has a bucket of its own, with no other quarter beside it.
        if at.is_multiple_of(4) && at + 3 <= last {
            found.push(Ix::Word(words::bits_word(key, at / 4)));
            at += 4;
        } else {
            found.push(Ix::Word(words::quarter_word(key, at)));
            at += 1;
        }
    }
    found
}

/// `.github.com`: only names below a domain end like this, never an address.
fn below_domain(text: &str) -> bool {
    text.strip_prefix('.').is_some_and(|domain| domain.ends_with(|c: char| c.is_ascii_alphabetic()))
}

fn text(pattern: &Pattern) -> Bounds {
    let sought: Vec<String> = query::words(&pattern.text).collect();
    if sought.is_empty() {
        return Bounds::exact(Ix::All);
    }
    // A word that begins anywhere is not in the index; those that follow it are.
    if pattern.open_start {
        let follows = sought.get(1..).unwrap_or_default();
        let known = if follows.is_empty() { Ix::All } else { Ix::Phrase(follows.join(" "), pattern.open_end) };
        return Bounds::at_most(known);
    }
    Bounds::exact(Ix::Phrase(sought.join(" "), pattern.open_end))
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(n) | Value::Duration(n) => Some(*n),
        Value::Money(amount) => u64::try_from(amount.0).ok(),
        Value::Pattern(_) | Value::Time(_) => None,
    }
}

fn compare_ranks(key: Key, name: &str, op: Op, value: &Value) -> bool {
    let (Kind::Rank(names), Value::Pattern(pattern)) = (key.kind(), value) else { return false };
    let rank = |sought: &str| names.iter().position(|name| *name == sought);
    rank(name).zip(rank(&pattern.text)).is_some_and(|(left, right)| op.holds(&left, &right))
}
