//! The parser: recursive descent with bounded depth, over text that may be hostile. It never fails; it reports.

use std::ops::Range;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound as _, Utc};

use super::key::{Key, Kind, without_colon};
use super::{DEEPEST, LONGEST, MOST_TERMS, Moment, Op, Pattern, Query, Test, Value};
use crate::money::NanoUsd;

/// A part of a query that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryProblem {
    /// Bytes of the query's text.
    pub at: Range<usize>,
    pub message: String,
    /// What was probably meant.
    pub nearest: Option<String>,
}

/// A query with what was not understood of its text. Where a wrong filter would do harm (an export), refuse to run it while
/// there are problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    pub query: Query,
    pub problems: Vec<QueryProblem>,
}

/// Parses a query. Parts that are not understood are left out and named.
#[must_use]
pub fn parse(text: &str) -> Parsed {
    if text.len() > LONGEST {
        let message = format!("the query is longer than {LONGEST} bytes");
        let problem = QueryProblem { at: 0..text.len(), message, nearest: None };
        return Parsed { query: Query::All, problems: vec![problem] };
    }
    let mut parser = Parser { text, at: 0, terms: 0, problems: Vec::new() };
    let mut parts = Vec::new();
    loop {
        parts.extend(parser.or(0));
        // Only a parenthesis that was never opened stops the descent before the end.
        let here = parser.at;
        if !parser.take(')') {
            break;
        }
        parser.problem(here..here + 1, "this `)` closes nothing");
    }
    Parsed { query: Query::and(parts), problems: parser.problems }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    terms: usize,
    problems: Vec<QueryProblem>,
}

/// A value as written: `None` for a star in `chars` stands for a wildcard.
struct Raw {
    at: Range<usize>,
    chars: Vec<Option<char>>,
}

impl Parser<'_> {
    fn problem(&mut self, at: Range<usize>, message: impl Into<String>) {
        self.problems.push(QueryProblem { at, message: message.into(), nearest: None });
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.bump();
        }
    }

    /// Whether this word comes next, as a word of its own.
    fn at_keyword(&self, word: &str) -> bool {
        let rest = self.rest();
        let ends = |c: char| c.is_whitespace() || c == '(' || c == ')' || c == '"';
        rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && rest.get(word.len()..).and_then(|after| after.chars().next()).is_none_or(ends)
    }

    fn or(&mut self, depth: usize) -> Option<Query> {
        let mut parts = Vec::new();
        let mut sign: Option<Range<usize>> = None;
        loop {
            self.skip_space();
            let start = self.at;
            parts.extend(self.and(depth));
            let nothing = self.at == start;
            let next = self.at_keyword("or").then(|| self.at..self.at + 2);
            if nothing && let Some(sign) = sign.or_else(|| next.clone()) {
                self.problem(sign, "`OR` needs something on both sides; quote it to look for the word");
            }
            sign = next;
            match &sign {
                Some(or) => self.at = or.end,
                None => break,
            }
        }
        (!parts.is_empty()).then(|| Query::or(parts))
    }

    fn and(&mut self, depth: usize) -> Option<Query> {
        let mut parts = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                None | Some(')') => break,
                _ if self.at_keyword("or") => break,
                _ if self.at_keyword("and") => {
                    let here = self.at;
                    self.at += 3;
                    self.skip_space();
                    let more = self.peek().is_some_and(|c| c != ')') && !self.at_keyword("or");
                    if parts.is_empty() && !more {
                        self.problem(
                            here..here + 3,
                            "`AND` needs something on both sides; quote it to look for the word",
                        );
                    }
                }
                _ => parts.extend(self.not(depth)),
            }
        }
        (!parts.is_empty()).then(|| Query::and(parts))
    }

    fn not(&mut self, depth: usize) -> Option<Query> {
        let here = self.at;
        let negated = if self.at_keyword("not") {
            self.at += 3;
            self.skip_space();
            true
        } else {
            self.take('-')
        };
        if negated && self.peek().is_none_or(|c| c.is_whitespace() || c == ')') {
            self.problem(here..self.at, "there is nothing to leave out after this");
            return None;
        }
        let term = self.term(depth)?;
        Some(if negated { Query::Not(Box::new(term)) } else { term })
    }

    fn term(&mut self, depth: usize) -> Option<Query> {
        let here = self.at;
        if self.take('(') {
            return self.group(depth, here);
        }
        if let Some(name) = self.key_name() {
            return self.field(here, &name);
        }
        let raw = self.value(false);
        if raw.at.is_empty() {
            // Nothing that begins a term: step over it, so that parsing always ends.
            self.bump();
            self.problem(here..self.at, "this does not begin a term; quote it to look for it");
            return None;
        }
        if !self.count(1, here) {
            return None;
        }
        let written = self.text.get(raw.at.clone()).unwrap_or_default();
        if let Some((key, held)) = without_colon(written) {
            let nearest = Some(format!("{key}:{held}"));
            let message = format!("`{key}` needs a colon; quote it to look for the text");
            self.problems.push(QueryProblem { at: raw.at, message, nearest });
            return None;
        }
        self.pattern(&raw).map(Query::Text)
    }

    fn group(&mut self, depth: usize, here: usize) -> Option<Query> {
        if depth + 1 >= DEEPEST {
            self.skip_group();
            self.problem(here..self.at, format!("parentheses nest deeper than {DEEPEST}"));
            return None;
        }
        let inner = self.or(depth + 1);
        if !self.take(')') {
            self.problem(here..here + 1, "this `(` is never closed");
        }
        let written = self.text.get(here + 1..self.at).unwrap_or_default();
        if written.trim_end_matches(')').trim().is_empty() {
            self.problem(here..self.at, "there is nothing between these parentheses");
        }
        inner
    }

    /// Steps over a group without descending into it.
    fn skip_group(&mut self) {
        let mut open = 1;
        while open > 0 {
            match self.bump() {
                Some('(') => open += 1,
                Some(')') => open -= 1,
                Some('"') => self.skip_quoted(),
                Some(_) => {}
                None => return,
            }
        }
    }

    fn skip_quoted(&mut self) {
        while let Some(c) = self.bump() {
            match c {
                '"' => return,
                '\\' => {
                    self.bump();
                }
                _ => {}
            }
        }
    }

    fn count(&mut self, terms: usize, here: usize) -> bool {
        let before = self.terms;
        self.terms = self.terms.saturating_add(terms);
        if self.terms > MOST_TERMS && before <= MOST_TERMS {
            self.problem(
                here..self.at,
                format!("there are more than {MOST_TERMS} terms; this and the rest are left out"),
            );
        }
        self.terms <= MOST_TERMS
    }

    /// `key:` at this place, taken.
    fn key_name(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-'))?;
        let name = rest.get(..end)?;
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !rest.get(end..)?.starts_with(':') {
            return None;
        }
        let name = name.to_owned();
        self.at += end + 1;
        Some(name)
    }

    fn field(&mut self, here: usize, name: &str) -> Option<Query> {
        let key = Key::find(name);
        if key.is_none() {
            let nearest = Key::nearest(name).map(|key| key.to_string());
            let shown: String = name.chars().take(40).collect();
            let message = format!("there is no key `{shown}`");
            self.problems.push(QueryProblem { at: here..self.at, message, nearest });
        }
        let written = self.test(here, name)?;
        let key = key?;
        if !self.count(written.values.len(), here) {
            return None;
        }
        self.typed(key, written)
    }

    /// What stands after `key:`, whatever the key.
    fn test(&mut self, here: usize, name: &str) -> Option<Written> {
        if self.take('(') {
            return self.list(here);
        }
        let shape = self.op();
        let start = self.at;
        let mut first = self.value(false);
        if first.at.is_empty() {
            let shown: String = name.chars().take(40).collect();
            self.problem(here..start, format!("`{shown}:` needs a value"));
            return None;
        }
        if !matches!(shape, Shape::Is) {
            return Some(Written { at: here..self.at, shape, values: vec![first] });
        }
        match self.upper_end(&mut first) {
            None => Some(Written { at: here..self.at, shape, values: vec![first] }),
            Some(upper) => Some(Written { at: here..self.at, shape: Shape::Range, values: vec![first, upper] }),
        }
    }

    /// What stands behind `..`, cut off from what stands before it: `1..2`, `1.."2"`, `"1"..2`.
    fn upper_end(&mut self, first: &mut Raw) -> Option<Raw> {
        let quoted = self.text.get(first.at.clone()).is_some_and(|text| text.starts_with('"'));
        if quoted {
            if !self.rest().starts_with("..") {
                return None;
            }
            self.at += 2;
            return Some(self.value(false));
        }
        let dots = first.chars.windows(2).position(|pair| pair == [Some('.'), Some('.')])?;
        let upper = first.chars.split_off(dots + 2);
        first.chars.truncate(dots);
        let at_quote = upper.is_empty() && self.peek() == Some('"');
        Some(if at_quote { self.value(false) } else { Raw { at: first.at.clone(), chars: upper } })
    }

    fn op(&mut self) -> Shape {
        let shapes = [
            (">=", Shape::Compare(Op::GreaterOrEqual)),
            ("<=", Shape::Compare(Op::LessOrEqual)),
            ("!=", Shape::IsNot),
            (">", Shape::Compare(Op::Greater)),
            ("<", Shape::Compare(Op::Less)),
            ("=", Shape::Is),
        ];
        for (sign, shape) in shapes {
            if self.rest().starts_with(sign) {
                self.at += sign.len();
                return shape;
            }
        }
        Shape::Is
    }

    fn list(&mut self, here: usize) -> Option<Written> {
        let mut values = Vec::new();
        let mut whole = true;
        loop {
            self.skip_space();
            let start = self.at;
            let value = self.value(true);
            if value.at.is_empty() {
                self.problem(start..start, "a value is missing in this list");
                whole = false;
            } else {
                values.push(value);
            }
            self.skip_space();
            if self.take(')') {
                break;
            }
            if self.peek().is_none() {
                self.problem(here..self.at, "this list is never closed");
                break;
            }
            if !self.take(',') {
                let start = self.at;
                self.bump();
                self.problem(start..self.at, "values of a list are separated by `,`");
                whole = false;
            }
        }
        (whole && !values.is_empty()).then_some(Written { at: here..self.at, shape: Shape::OneOf, values })
    }

    /// A word or a quoted text at this place, taken. Empty range when there is none.
    fn value(&mut self, in_list: bool) -> Raw {
        let start = self.at;
        let mut chars = Vec::new();
        if self.take('"') {
            self.quoted(start, &mut chars);
            return Raw { at: start..self.at, chars };
        }
        while let Some(c) = self.peek() {
            if c.is_whitespace() || matches!(c, '(' | ')' | '"') || (in_list && c == ',') {
                break;
            }
            chars.push(if c == '*' { None } else { Some(c) });
            self.bump();
        }
        Raw { at: start..self.at, chars }
    }

    fn quoted(&mut self, start: usize, chars: &mut Vec<Option<char>>) {
        loop {
            match self.bump() {
                None => {
                    self.problem(start..start + 1, "this quote is never closed");
                    return;
                }
                Some('"') => return,
                Some('*') => chars.push(None),
                Some('\\') => match self.peek() {
                    Some(c @ ('"' | '\\' | '*')) => {
                        self.bump();
                        chars.push(Some(c));
                    }
                    _ => chars.push(Some('\\')),
                },
                Some(c) => chars.push(Some(c)),
            }
        }
    }

    fn pattern(&mut self, raw: &Raw) -> Option<Pattern> {
        let mut chars = raw.chars.as_slice();
        let mut pattern = Pattern::default();
        if let [None, rest @ ..] = chars {
            (pattern.open_start, chars) = (true, rest);
        }
        if let [rest @ .., None] = chars {
            (pattern.open_end, chars) = (true, rest);
        }
        if chars.contains(&None) {
            self.problem(raw.at.clone(), "`*` may stand at either end only; write `\\*` in quotes to look for one");
            return None;
        }
        pattern.text = chars.iter().flatten().collect();
        if pattern.is_any() {
            (pattern.open_start, pattern.open_end) = (true, true);
        }
        Some(pattern)
    }

    fn typed(&mut self, key: Key, written: Written) -> Option<Query> {
        let Written { at, shape, values } = written;
        if matches!(shape, Shape::Compare(_) | Shape::Range) && !key.kind().is_ordered() {
            let advice = if matches!(shape, Shape::Range) { "; quote a value that has `..` in it" } else { "" };
            self.problem(at, format!("`{key}` cannot be compared{advice}"));
            return None;
        }
        if key.kind() == Kind::Time && !matches!(shape, Shape::Is) {
            self.problem(at, format!("`{key}` takes one time, for example `{key}:7d`"));
            return None;
        }
        let mut typed = Vec::new();
        for raw in &values {
            typed.push(self.typed_value(key, raw)?);
        }
        let open = |value: &Value| matches!(value, Value::Pattern(p) if p.open_start || p.open_end);
        if matches!(shape, Shape::Compare(_) | Shape::Range) && typed.iter().any(open) {
            self.problem(at, format!("`{key}` is compared with {}", key.kind().expected()));
            return None;
        }
        let mut typed = typed.into_iter();
        let first = typed.next()?;
        Some(match shape {
            Shape::Is => Query::Field(key, Test::Is(first)),
            Shape::IsNot => Query::Not(Box::new(Query::Field(key, Test::Is(first)))),
            Shape::Compare(op) => Query::Field(key, Test::Compare(op, first)),
            Shape::Range => Query::Field(key, Test::Range(first, typed.next()?)),
            Shape::OneOf if typed.len() == 0 => Query::Field(key, Test::Is(first)),
            Shape::OneOf => Query::Field(key, Test::OneOf(std::iter::once(first).chain(typed).collect())),
        })
    }

    fn typed_value(&mut self, key: Key, raw: &Raw) -> Option<Value> {
        let kind = key.kind();
        if let Kind::Text = kind {
            return self.pattern(raw).map(Value::Pattern);
        }
        if let Kind::Word(words) | Kind::Rank(words) = kind {
            let mut pattern = self.pattern(raw)?;
            pattern.text = pattern.text.to_ascii_lowercase().replace('-', "_");
            let open = pattern.open_start || pattern.open_end;
            if !open && !words.contains(&pattern.text.as_str()) {
                self.problem(raw.at.clone(), format!("`{key}` takes {}", kind.expected()));
                return None;
            }
            return Some(Value::Pattern(pattern));
        }
        let text: Option<String> = raw.chars.iter().copied().collect();
        let value = text.and_then(|text| match kind {
            Kind::Number => number(&text, &[("kb", 1000), ("mb", 1_000_000)]).map(Value::Number),
            Kind::Tokens => number(&text, &[("k", 1000), ("m", 1_000_000)]).map(Value::Number),
            Kind::Money => NanoUsd::parse_dollars(&text).ok().map(Value::Money),
            Kind::Duration => duration(&text).map(Value::Duration),
            _ => moment(&text).map(Value::Time),
        });
        if value.is_none() {
            self.problem(raw.at.clone(), format!("`{key}` takes {}", kind.expected()));
        }
        value
    }
}

struct Written {
    at: Range<usize>,
    shape: Shape,
    values: Vec<Raw>,
}

enum Shape {
    Is,
    IsNot,
    Compare(Op),
    Range,
    OneOf,
}

/// A whole number, or a decimal one whose unit makes it whole: `8.1k`.
fn number(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let unit = units.iter().find_map(|(name, factor)| Some((lower.strip_suffix(name)?, *factor)));
    let (digits, factor) = unit.unwrap_or((&lower, 1));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || digits.ends_with('.') || decimals.len() > 6 || !all_digits(whole) || !all_digits(decimals) {
        return None;
    }
    let scale = 10_u64.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let whole: u64 = whole.parse().ok()?;
    let part: u64 = if decimals.is_empty() { 0 } else { decimals.parse().ok()? };
    let scaled = whole.checked_mul(scale)?.checked_add(part)?.checked_mul(factor)?;
    scaled.is_multiple_of(scale).then_some(scaled / scale)
}

/// Milliseconds. A bare number is none: its unit would be a guess.
fn duration(text: &str) -> Option<u64> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    text.ends_with(|c: char| c.is_ascii_alphabetic()).then(|| number(text, &units))?
}

/// A duration before now, or a date or time; UTC where it names no offset.
fn moment(text: &str) -> Option<Moment> {
    if let Some(ago) = duration(text) {
        return Some(Moment::Ago(ago));
    }
    let upper = text.to_ascii_uppercase();
    if let Ok(at) = DateTime::parse_from_rfc3339(&upper) {
        return Some(Moment::At(at.with_timezone(&Utc).trunc_subsecs(3)));
    }
    let bare = upper.strip_suffix('Z').unwrap_or(&upper);
    let shapes = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"];
    let time = shapes.iter().find_map(|shape| NaiveDateTime::parse_from_str(bare, shape).ok());
    let date = || NaiveDate::parse_from_str(bare, "%Y-%m-%d").ok().map(|date| date.and_time(NaiveTime::MIN));
    Some(Moment::At(time.or_else(date)?.and_utc().trunc_subsecs(3)))
}
