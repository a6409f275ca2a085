//! An operation as a document of the index: its text, and every field as a word. A word is the key, a mark, and the value
//! written in letters and digits only, so that the tokenizer leaves it whole and prefixes stay prefixes.

use std::fmt::Write as _;

use reeve_domain::query::{Key, OperationRow};

use crate::error::StoreError;
use crate::unit::Unit;

/// Stands in every document.
pub const EVERY: &str = "0all";
/// Longest part of a value that is indexed, in bytes; longer ones are checked row by row.
pub const LONGEST_VALUE: usize = 64;
/// Keeps a phrase from reaching from the summary into the view.
const BETWEEN: &str = "0between";

/// Keys whose values are words of the index.
const INDEXED: &[Key] = &[
    Key::Agent,
    Key::Session,
    Key::User,
    Key::Team,
    Key::Parent,
    Key::Cwd,
    Key::Kind,
    Key::Tool,
    Key::Server,
    Key::Program,
    Key::End,
    Key::Loop,
    Key::Method,
    Key::Path,
    Key::Model,
    Key::Provider,
    Key::Error,
    Key::Host,
    Key::Domain,
    Key::Ip,
    Key::Decision,
    Key::Rule,
    Key::Mode,
    Key::Risk,
    Key::Approver,
    Key::Scope,
    Key::Surface,
    Key::Budget,
    Key::Trace,
    Key::Credential,
    Key::Is,
    Key::Has,
];
/// Numbers of which there are few: each is a word.
const FEW_NUMBERS: &[Key] = &[Key::Status, Key::Port, Key::Exit];
/// Numbers of which there are many: words for the bucket they lie in.
const MANY_NUMBERS: &[Key] =
    &[Key::Cost, Key::Reserved, Key::TokensIn, Key::TokensOut, Key::TokensCached, Key::Latency];

/// Whether values of the key are words of the index.
#[must_use]
pub fn is_indexed(key: Key) -> bool {
    INDEXED.contains(&key)
}

#[must_use]
pub fn has_few_numbers(key: Key) -> bool {
    FEW_NUMBERS.contains(&key)
}

#[must_use]
pub fn has_many_numbers(key: Key) -> bool {
    MANY_NUMBERS.contains(&key)
}

/// Whether a key has so few values that all of them are kept in the dictionary.
#[must_use]
pub fn in_dictionary(key: Key) -> bool {
    matches!(
        key,
        Key::Agent
            | Key::User
            | Key::Team
            | Key::Kind
            | Key::Tool
            | Key::Server
            | Key::Program
            | Key::End
            | Key::Loop
            | Key::Method
            | Key::Model
            | Key::Provider
            | Key::Host
            | Key::Decision
            | Key::Rule
            | Key::Mode
            | Key::Risk
            | Key::Approver
            | Key::Scope
            | Key::Surface
            | Key::Budget
            | Key::Credential
            | Key::Is
            | Key::Has
            | Key::Status
            | Key::Port
            | Key::Exit
    )
}

/// What is entered into the index for a row.
#[derive(Debug, Default)]
pub struct Document {
    pub text: String,
    pub words: String,
    pub dictionary: Vec<(Key, String)>,
}

fn push_key(words: &mut String, key: Key) {
    words.push('0');
    words.extend(key.as_str().chars().filter(|c| *c != '.'));
}

/// `z` is the mark that no plain letter of a value can be taken for: in values it is doubled, and what is neither letter
/// nor digit is `z` and two hexadecimal digits.
fn push_value(words: &mut String, value: &str) {
    for byte in value.bytes().take(LONGEST_VALUE) {
        match byte.to_ascii_lowercase() {
            b'z' => words.push_str("zz"),
            plain @ (b'a'..=b'y' | b'0'..=b'9') => words.push(char::from(plain)),
            // Writing to a string cannot fail.
            other => _ = write!(words, "z{other:02x}"),
        }
    }
}

/// The word of a value, or of all values that begin like this.
#[must_use]
pub fn value(key: Key, text: &str) -> String {
    let mut word = String::new();
    push_key(&mut word, key);
    word.push_str("zx");
    push_value(&mut word, text);
    word
}

/// The word that says the row has some value of the key.
#[must_use]
pub fn presence(key: Key) -> String {
    let mut word = String::new();
    push_key(&mut word, key);
    word.push_str("zy");
    word
}

/// The coarse bucket of a number: how many bits it has.
#[must_use]
pub fn bits(n: u64) -> u64 {
    u64::from(u64::BITS - n.leading_zeros())
}

/// The fine bucket: its bits, and the two after the leading one.
#[must_use]
pub fn quarter(n: u64) -> u64 {
    let bits = bits(n);
    let after = if bits > 3 { (n >> (bits - 3)) & 3 } else { (n << (3 - bits)) & 3 };
    if n == 0 { 0 } else { bits * 4 + after }
}

/// The least number in a fine bucket.
#[must_use]
pub fn quarter_start(quarter: u64) -> u64 {
    let (bits, after) = (quarter / 4, quarter % 4);
    match bits {
        0 => 0,
        1..=3 => (4 + after) >> (3 - bits),
        _ => (4 + after) << (bits - 3),
    }
}

#[must_use]
pub fn bits_word(key: Key, bits: u64) -> String {
    let mut word = String::new();
    push_key(&mut word, key);
    _ = write!(word, "zb{bits:02}");
    word
}

#[must_use]
pub fn quarter_word(key: Key, quarter: u64) -> String {
    let mut word = String::new();
    push_key(&mut word, key);
    _ = write!(word, "zq{quarter:03}");
    word
}

/// The document of a row.
#[must_use]
pub fn document(row: &OperationRow) -> Document {
    let mut document = Document { text: row.summary.clone(), words: EVERY.to_owned(), ..Document::default() };
    for more in row.view_text.iter().chain(&row.note) {
        document.text.push(' ');
        document.text.push_str(BETWEEN);
        document.text.push(' ');
        document.text.push_str(more);
    }
    for key in INDEXED {
        document.add_texts(*key, row.texts(*key));
    }
    for key in FEW_NUMBERS {
        document.add_texts(*key, row.number(*key).map(|n| n.to_string()).into_iter().collect());
    }
    for key in MANY_NUMBERS {
        if let Some(n) = row.number(*key) {
            document.push(&presence(*key));
            document.push(&bits_word(*key, bits(n)));
            document.push(&quarter_word(*key, quarter(n)));
        }
    }
    document
}

impl Document {
    fn push(&mut self, word: &str) {
        self.words.push(' ');
        self.words.push_str(word);
    }

    fn add_texts(&mut self, key: Key, texts: Vec<String>) {
        if !texts.is_empty() {
            self.push(&presence(key));
        }
        for text in texts {
            self.push(&value(key, &text));
            if in_dictionary(key) {
                self.dictionary.push((key, text.to_ascii_lowercase()));
            }
        }
    }
}

/// Keeps the values that are new.
pub fn remember(unit: &mut Unit<'_>, document: &Document) -> Result<(), StoreError> {
    for entry in &document.dictionary {
        if unit.caches.dictionary.contains(entry) {
            continue;
        }
        unit.conn
            .prepare_cached("INSERT OR IGNORE INTO dictionary (key, value) VALUES (?1, ?2)")?
            .execute((entry.0.as_str(), &entry.1))?;
        unit.caches.bound();
        unit.caches.dictionary.insert(entry.clone());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_and_digits_and_keep_prefixes() {
        assert_eq!(value(Key::Model, "Claude-4.5z"), "0modelzxclaudez2d4z2e5zz");
        assert!(value(Key::Model, "claude-4.5").starts_with(&value(Key::Model, "claude-")));
        assert_ne!(value(Key::Model, "az2d"), value(Key::Model, "a-"));
        assert!(value(Key::Path, "/ü/x").bytes().all(|b| b.is_ascii_alphanumeric()));
    }

    #[test]
    fn every_number_lies_in_its_bucket_and_buckets_keep_the_order() {
        let samples: Vec<u64> =
            (0..300).chain((3..64).flat_map(|bits| (0..8).map(move |i| (1 << bits) + i * (1 << (bits - 3))))).collect();
        for n in samples.into_iter().chain([u64::MAX]) {
            let bucket = quarter(n);
            assert!(quarter_start(bucket) <= n, "{n}");
            assert_eq!(quarter(quarter_start(bucket)), bucket, "{n}");
            assert!(n == 0 || quarter(n - 1) <= bucket, "{n}");
            assert_eq!(if n == 0 { 0 } else { bucket / 4 }, bits(n), "{n}");
        }
    }
}
