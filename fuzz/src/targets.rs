//! The parsers that meet hostile bytes, each with the invariants it must keep.

mod authority;
mod coding;
mod http1;
mod mask;
mod query;
mod sse;
mod verifier;
mod websocket;

use crate::random::hash;

pub const NAMES: [&str; 8] = ["authority", "http1", "sse", "mask", "query", "verifier", "coding", "websocket"];

/// One parser.
pub struct Target {
    pub name: &'static str,
    /// Inputs that are made rather than kept.
    pub seeds: Vec<Vec<u8>>,
    /// Words of the grammar.
    pub words: Vec<Vec<u8>>,
    /// Longest input that is tried, in bytes.
    pub longest: usize,
    /// Panics when an invariant is broken. Gives a number that stands for how the parser behaved.
    pub run: Box<dyn Fn(&[u8]) -> u64>,
}

pub fn find(name: &str) -> Option<Target> {
    match name {
        "authority" => Some(authority::target()),
        "http1" => Some(http1::target()),
        "sse" => Some(sse::target()),
        "mask" => Some(mask::target()),
        "query" => Some(query::target()),
        "verifier" => Some(verifier::target()),
        "coding" => Some(coding::target()),
        "websocket" => Some(websocket::target()),
        _ => None,
    }
}

fn words(text: &[&str]) -> Vec<Vec<u8>> {
    text.iter().map(|word| word.as_bytes().to_vec()).collect()
}

/// What happened, as a number: the same for inputs that took the same way.
fn behaviour(what: &str) -> u64 {
    hash(what.as_bytes())
}

/// A count by its order of magnitude, so that behaviours do not multiply without end.
fn roughly(count: usize) -> u32 {
    usize::BITS - count.leading_zeros()
}
