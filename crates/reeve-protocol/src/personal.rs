//! Personal data in any text, told by its form: e-mail addresses, phone numbers, IBANs and card numbers (both by their check
//! digits), and secrets; and the typed marks that stand for them. The same value has the same mark under the same key.

use std::ops::Range;

use reeve_domain::operation::{DataKind, Digest};

use crate::redact;

/// Longest part of an e-mail address before and after its `@`, by RFC 5321.
const LOCAL: usize = 64;
const DOMAIN: usize = 253;
/// Hex digits that tell one mark from another.
const HEX: usize = 8;

const KINDS: [DataKind; 5] = [DataKind::Email, DataKind::Phone, DataKind::Iban, DataKind::Card, DataKind::Secret];

/// Where personal data and secrets stand: byte ranges, in order and apart from each other.
#[must_use]
pub fn find(text: &str) -> Vec<(Range<usize>, DataKind)> {
    let secrets = redact::shapes(text).into_iter().map(|range| (range, DataKind::Secret));
    let mut all: Vec<(Range<usize>, DataKind)> = secrets.collect();
    all.extend(emails(text).map(|range| (range, DataKind::Email)));
    all.extend(words(text).filter_map(|range| iban(text, range)).map(|range| (range, DataKind::Iban)));
    all.extend(numbers(text));
    // Of two that overlap the longer one counts.
    all.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut out: Vec<(Range<usize>, DataKind)> = Vec::with_capacity(all.len());
    for (range, kind) in all {
        match out.last_mut() {
            Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
            _ => out.push((range, kind)),
        }
    }
    out
}

/// Makes marks: typed, and the same for the same value. Without the key nobody finds the value by trying.
#[derive(Clone)]
pub struct Marks(Digest);

impl std::fmt::Debug for Marks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Marks(..)")
    }
}

impl Marks {
    /// `key`: drawn by chance; `session`: whose marks they are.
    #[must_use]
    pub fn new(key: &[u8], session: &str) -> Self {
        Self(Digest::of(&[key, session.as_bytes()].concat()))
    }

    /// What stands for a value: `(email.1f0c9a2b)`.
    #[must_use]
    pub fn mark(&self, kind: DataKind, value: &str) -> String {
        let kind = kind.as_str();
        let hash = Digest::of(format!("{}\n{kind}\n{value}", self.0.as_str()).as_bytes());
        format!("({kind}.{})", hash.as_str().get(..HEX).unwrap_or_default())
    }

    /// The text with a mark for everything that is found in it, and what was found.
    #[must_use]
    pub fn masked(&self, text: &str) -> (String, Vec<DataKind>) {
        let (mut out, mut kept, mut kinds) = (String::with_capacity(text.len()), 0, Vec::new());
        for (range, kind) in find(text) {
            out.push_str(text.get(kept..range.start).unwrap_or_default());
            out.push_str(&self.mark(kind, text.get(range.clone()).unwrap_or_default()));
            kept = range.end;
            kinds.push(kind);
        }
        out.push_str(text.get(kept..).unwrap_or_default());
        (out, kinds)
    }
}

/// The first mark in a text: it stands for a value, and is none.
#[must_use]
pub fn mark_in(text: &str) -> Option<&str> {
    text.match_indices('(').find_map(|(at, _)| {
        let rest = text.get(at + 1..)?;
        let kind = KINDS.iter().find(|kind| rest.strip_prefix(kind.as_str()).is_some_and(|r| r.starts_with('.')))?;
        let length = kind.as_str().len() + 1;
        let hex = rest.get(length..length + HEX)?;
        let hex = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let whole = text.get(at..at + 1 + length + HEX + 1)?;
        (hex && whole.ends_with(')')).then_some(whole)
    })
}

fn emails(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices('@').filter_map(|(at, _)| {
        let local = |byte: &u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte);
        let before = text.as_bytes().get(..at)?.iter().rev().take(LOCAL).take_while(|byte| local(byte)).count();
        let place = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
        let after = text.as_bytes().get(at + 1..)?.iter().take(DOMAIN).take_while(|byte| place(byte)).count();
        let domain = text.get(at + 1..at + 1 + after)?.trim_end_matches(['.', '-']);
        let (name, top) = domain.rsplit_once('.')?;
        let real = top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic()) && !name.is_empty();
        (real && before > 0).then(|| at - before..at + 1 + domain.len())
    })
}

/// Runs of letters and digits, in which a space may stand between groups as people write them.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let begins = move |at: usize| {
        let fresh = at == 0 || bytes.get(at - 1).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let head = bytes.get(at..at + 4).is_some_and(|head| {
            head.iter().take(2).all(u8::is_ascii_alphabetic) && head.iter().skip(2).all(u8::is_ascii_digit)
        });
        fresh && head
    };
    (0..bytes.len()).filter(move |at| begins(*at)).map(move |at| {
        let run = bytes.iter().skip(at).take(42);
        let length = run.take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b' ').count();
        at..at + length
    })
}

/// The longest beginning of the run that is an IBAN by length and check digits (ISO 13616).
fn iban(text: &str, run: Range<usize>) -> Option<Range<usize>> {
    let whole = text.get(run.clone())?;
    let ends = (1..=whole.len()).rev().filter(|end| {
        let at = |at: usize| whole.as_bytes().get(at).is_some_and(u8::is_ascii_alphanumeric);
        at(end - 1) && !at(*end)
    });
    ends.map(|end| run.start..run.start + end).find(|range| {
        let word: String = text.get(range.clone()).unwrap_or_default().chars().filter(|c| *c != ' ').collect();
        (15..=34).contains(&word.len()) && remainder(&word) == Some(1)
    })
}

/// The number that an IBAN stands for, divided by 97.
fn remainder(word: &str) -> Option<u32> {
    let (head, tail) = word.split_at_checked(4)?;
    tail.chars().chain(head.chars()).try_fold(0_u32, |rest, c| {
        let digit = c.to_digit(36)?;
        Some((rest * if digit > 9 { 100 } else { 10 } + digit) % 97)
    })
}

/// Card and phone numbers: digits with the marks between them that people write.
fn numbers(text: &str) -> Vec<(Range<usize>, DataKind)> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let fresh =
            at == 0 || bytes.get(at - 1).is_none_or(|before| !before.is_ascii_alphanumeric() && *before != b'.');
        if !fresh || !(byte.is_ascii_digit() || matches!(byte, b'+' | b'(')) {
            at += 1;
            continue;
        }
        let run = bytes.iter().skip(at + 1).take(40);
        let length = 1 + run.take_while(|byte| byte.is_ascii_digit() || b" -().".contains(byte)).count();
        let range = at..at + text.get(at..at + length).unwrap_or_default().trim_end_matches([' ', '-', '(', '.']).len();
        let glued = bytes.get(range.end).is_some_and(u8::is_ascii_alphabetic);
        match number(text.get(range.clone()).unwrap_or_default()).filter(|_| !glued) {
            Some(kind) => {
                at = range.end;
                out.push((range, kind));
            }
            // One further inside may be one: a list of numbers stands in one run.
            None => at += bytes.iter().skip(at).take_while(|b| b.is_ascii_digit()).count().max(1),
        }
    }
    out
}

fn number(shown: &str) -> Option<DataKind> {
    let digits: Vec<u8> = shown.bytes().filter(u8::is_ascii_digit).collect();
    let plain = shown.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'-'));
    if plain && (13..=19).contains(&digits.len()) && luhn(&digits) {
        return Some(DataKind::Card);
    }
    let groups: Vec<usize> = shown.split(|c: char| !c.is_ascii_digit()).map(str::len).filter(|n| *n > 0).collect();
    // With its country, or in the groups of North America. Anything less is any number.
    let international = shown.starts_with('+') && (8..=15).contains(&digits.len());
    let grouped = groups == [3, 3, 4] && !shown.contains('.');
    (international || grouped).then_some(DataKind::Phone)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(digit - b'0');
            if at % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<DataKind> {
        find(text).into_iter().map(|(_, kind)| kind).collect()
    }

    #[test]
    fn personal_data_is_told_by_its_form_and_check_digits() {
        use DataKind::{Card, Email, Iban, Phone, Secret};
        for (text, want) in [
            ("mail dana.smith+x@example.co.uk, please", vec![Email]),
            ("pay DE89 3704 0044 0532 0130 00 today", vec![Iban]),
            ("GB82WEST12345698765432", vec![Iban]),
            ("card 4111 1111 1111 1111 and 4111-1111-1111-1111", vec![Card, Card]),
            ("call +49 30 901820 or (212) 555-0123", vec![Phone, Phone]),
            ("key ghp_16C7e42F292c6912E7710c838347Ae178B4a", vec![Secret]),
            ("DE89 3704 0044 0532 0130 02", vec![]),
            ("4111 1111 1111 1112", vec![]),
            ("order 20261121 of 5000 rows at 10.0.0.1:8080, 2026-11-21 23:10", vec![]),
            ("UPDATE t SET a = 1 WHERE b @> '{1}'", vec![]),
            ("0000000000000000", vec![]),
        ] {
            assert_eq!(kinds(text), want, "{text}");
        }
    }

    #[test]
    fn a_mark_is_typed_and_stable_in_its_session_and_is_known_again() {
        let marks = Marks::new(b"key", "s1");
        let (masked, found) = marks.masked("to a@example.com and a@example.com, not b@example.com");
        assert_eq!(found.len(), 3);
        let parts: Vec<&str> = masked.split([' ', ',']).filter(|word| word.starts_with('(')).collect();
        assert!(parts[0] == parts[1] && parts[1] != parts[2] && parts[0].starts_with("(email."), "{masked}");
        assert!(!masked.contains("example.com"));
        assert_eq!(mark_in(&masked), Some(parts[0]));
        assert_ne!(Marks::new(b"key", "s2").mark(DataKind::Email, "a@example.com"), parts[0]);
        for none in ["(email)", "(email.xyz)", "f(email.1234567g)", "email.12345678"] {
            assert_eq!(mark_in(none), None, "{none}");
        }
        assert_eq!(kinds(&masked), [], "a mark is no personal data");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_cut_where_characters_begin(text in ".{0,80}") {
            let (masked, kinds) = Marks::new(b"k", "s").masked(&text);
            proptest::prop_assert_eq!(kinds.is_empty(), masked == text);
        }
    }
}
