//! The query grammar over operations: its tree, its one parser for CLI and console, its printer, and a reference filter.
//! `parse(print(q)) = q`; what is not understood is named with its place, and the rest still runs.

mod key;
mod matching;
mod parse;
mod row;

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::money::NanoUsd;

pub use key::{Key, Kind};
pub use matching::words;
pub(crate) use matching::{Searched, matches};
pub use parse::{Parsed, QueryProblem, parse};
pub use row::{Decided, OperationRow};

/// Longest query, in bytes.
pub const LONGEST: usize = 4096;
/// Deepest nesting of parentheses.
pub const DEEPEST: usize = 32;
/// Most fields and texts in one query, values of lists counted.
pub const MOST_TERMS: usize = 128;

/// What is sought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Query {
    /// Everything.
    #[default]
    All,
    /// At least two, none of them an `And`.
    And(Vec<Query>),
    /// At least two, none of them an `Or`.
    Or(Vec<Query>),
    Not(Box<Query>),
    Field(Key, Test),
    /// Words next to each other, in the summary or an indexed body.
    Text(Pattern),
}

/// What a field is held against. The values are of the key's [`Kind`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    Is(Value),
    Compare(Op, Value),
    /// Both ends included.
    Range(Value, Value),
    /// At least two.
    OneOf(Vec<Value>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Pattern(Pattern),
    /// Also tokens.
    Number(u64),
    Money(NanoUsd),
    /// Milliseconds.
    Duration(u64),
    Time(Moment),
}

/// A text with a wildcard at either end. Compared without regard to the case of ASCII letters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pattern {
    pub open_start: bool,
    pub text: String,
    pub open_end: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Milliseconds before now.
    Ago(u64),
    /// To the millisecond.
    At(DateTime<Utc>),
}

impl Query {
    /// All of these; nested ones are taken in, `All` is left out.
    #[must_use]
    pub fn and(parts: Vec<Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::And(inner) => flat.extend(inner),
                Self::All => {}
                other => flat.push(other),
            }
        }
        if flat.len() > 1 { Self::And(flat) } else { flat.pop().unwrap_or_default() }
    }

    /// Any of these; nested ones are taken in. Of nothing: everything.
    #[must_use]
    pub fn or(parts: Vec<Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        if flat.len() > 1 { Self::Or(flat) } else { flat.pop().unwrap_or_default() }
    }
}

impl Pattern {
    /// Exactly this text.
    #[must_use]
    pub fn exact(text: &str) -> Self {
        Self { open_start: false, text: text.to_owned(), open_end: false }
    }

    /// Whether it stands for any value at all.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.text.is_empty() && (self.open_start || self.open_end)
    }

    /// Other values of a key that mean this one too: what a human refused was denied.
    #[must_use]
    pub fn also(&self, key: Key) -> Option<Self> {
        let denied = key == Key::Decision && !self.open_start && !self.open_end && self.text == "denied";
        denied.then(|| Self::exact("refused"))
    }

    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let (value, text) = (value.as_bytes(), self.text.as_bytes());
        let same = |part: Option<&[u8]>| part.is_some_and(|part| part.eq_ignore_ascii_case(text));
        match (self.open_start, self.open_end) {
            (false, false) => same(Some(value)),
            (false, true) => same(value.get(..text.len())),
            (true, false) => value.len() >= text.len() && same(value.get(value.len() - text.len()..)),
            (true, true) => text.is_empty() || value.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text)),
        }
    }
}

impl Moment {
    /// As a point in time.
    #[must_use]
    pub fn resolve(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Ago(ms) => i64::try_from(ms)
                .ok()
                .and_then(chrono::Duration::try_milliseconds)
                .and_then(|ago| now.checked_sub_signed(ago))
                .unwrap_or(DateTime::<Utc>::MIN_UTC),
        }
    }
}

impl Op {
    #[must_use]
    pub fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::And(parts) => joined(f, parts, " ", |part| matches!(part, Self::Or(_))),
            Self::Or(parts) => joined(f, parts, " OR ", |_| false),
            Self::Not(part) if matches!(**part, Self::And(_) | Self::Or(_) | Self::Not(_)) => write!(f, "-({part})"),
            Self::Not(part) => write!(f, "-{part}"),
            Self::Field(key, test) => write!(f, "{key}:{test}"),
            Self::Text(pattern) => pattern.fmt(f),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Query], by: &str, wrap: fn(&Query) -> bool) -> fmt::Result {
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            f.write_str(by)?;
        }
        if wrap(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(value) => value.fmt(f),
            Self::Compare(op, value) => write!(f, "{op}{value}"),
            Self::Range(from, to) => write!(f, "{from}..{to}"),
            Self::OneOf(values) => {
                f.write_str("(")?;
                for (i, value) in values.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    value.fmt(f)?;
                }
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern(pattern) => pattern.fmt(f),
            Self::Number(n) => write!(f, "{n}"),
            Self::Money(amount) => write!(f, "{}", amount.dollars()),
            Self::Duration(ms) | Self::Time(Moment::Ago(ms)) => write_duration(f, *ms),
            Self::Time(Moment::At(at)) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true)),
        }
    }
}

/// In the largest unit that divides it.
fn write_duration(f: &mut fmt::Formatter<'_>, ms: u64) -> fmt::Result {
    for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")] {
        if ms > 0 && ms.is_multiple_of(unit) {
            return write!(f, "{}{name}", ms / unit);
        }
    }
    write!(f, "{ms}ms")
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = |open: bool| if open { "*" } else { "" };
        if self.is_any() {
            return f.write_str("*");
        }
        if is_plain(&self.text) {
            return write!(f, "{}{}{}", star(self.open_start), self.text, star(self.open_end));
        }
        write!(f, "\"{}", star(self.open_start))?;
        for c in self.text.chars() {
            if matches!(c, '"' | '\\' | '*') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        write!(f, "{}\"", star(self.open_end))
    }
}

/// Whether a text can stand without quotes wherever a word may stand.
fn is_plain(text: &str) -> bool {
    let keyword = ["and", "or", "not"].iter().any(|word| text.eq_ignore_ascii_case(word));
    let inner = |c: char| !c.is_whitespace() && !c.is_control() && !"()\",:*\\".contains(c);
    !text.is_empty()
        && !keyword
        && !text.starts_with(['-', '<', '>', '=', '!'])
        && !text.contains("..")
        && key::without_colon(text).is_none()
        && text.chars().all(inner)
}

#[cfg(test)]
mod tests;
