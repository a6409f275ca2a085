//! A seal: a signed head of the chain. Kept in the database, in an append-only file beside it, and in the keychain.

use chrono::{DateTime, SecondsFormat, SubsecRound as _, Utc};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::canonical::Json;
use crate::operation::Digest;

/// Longest line of a mirror that is read, in bytes; a seal takes about 330.
const LONGEST_LINE: usize = 1024;

/// Where the chain stands: number and hash of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub seq: u64,
    pub hash: Digest,
}

/// A signed head. `seq` is also the size of the chain, because its numbers have no gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    pub seq: u64,
    pub head: Digest,
    /// UTC, to the millisecond.
    pub at: DateTime<Utc>,
    /// Ed25519 over size, head and time; lower-case hex.
    pub signature: String,
}

/// A line of a mirror that is not a seal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not a seal")]
pub struct SealError {
    /// 1-based.
    pub line: usize,
}

impl Seal {
    /// Signs a head.
    #[must_use]
    pub fn sign(key: &SigningKey, seq: u64, head: Digest, at: DateTime<Utc>) -> Self {
        let at = at.trunc_subsecs(3);
        let signature = hex::encode(key.sign(message(seq, &head, at).as_bytes()).to_bytes());
        Self { seq, head, at, signature }
    }

    /// Whether this key signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        is_signed(key, message(self.seq, &self.head, self.at).as_bytes(), &self.signature)
    }

    /// One line of a mirror, without its end.
    #[must_use]
    pub fn line(&self) -> String {
        // Text and integers only, so there is always a canonical text.
        Json::of(self).map(|json| json.to_string()).unwrap_or_default()
    }
}

/// What is signed: its own first line keeps it apart from everything else the key signs.
fn message(seq: u64, head: &Digest, at: DateTime<Utc>) -> String {
    format!("reeve-seal-1\n{seq}\n{}\n{}\n", head.as_str(), at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

pub(super) fn is_signed(key: &VerifyingKey, message: &[u8], signature: &str) -> bool {
    let mut bytes = [0; 64];
    hex::decode_to_slice(signature, &mut bytes).is_ok()
        && key.verify_strict(message, &Signature::from_bytes(&bytes)).is_ok()
}

/// Reads a mirror: one seal a line. Lines that are none are named beside those that are: a torn last line after a crash is
/// one of them, and so is damage.
#[must_use]
pub fn read_mirror(text: &str) -> (Vec<Seal>, Vec<SealError>) {
    let mut seals = Vec::new();
    let mut bad = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        let read = if line.len() > LONGEST_LINE || Json::parse_canonical(line).is_err() {
            None
        } else {
            serde_json::from_str(line).ok()
        };
        match read {
            Some(seal) => seals.push(seal),
            None => bad.push(SealError { line: at + 1 }),
        }
    }
    (seals, bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_bound_to_every_part_of_it() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let seal = Seal::sign(&key, 9, Digest::of(b"x"), Utc::now());
        assert!(seal.is_signed_by(&key.verifying_key()));
        assert!(!seal.is_signed_by(&SigningKey::from_bytes(&[8; 32]).verifying_key()));
        for changed in [
            Seal { seq: 10, ..seal.clone() },
            Seal { head: Digest::of(b"y"), ..seal.clone() },
            Seal { at: seal.at + chrono::Duration::milliseconds(1), ..seal.clone() },
            Seal { signature: "00".repeat(64), ..seal.clone() },
            Seal { signature: String::new(), ..seal.clone() },
        ] {
            assert!(!changed.is_signed_by(&key.verifying_key()), "{changed:?}");
        }
    }

    #[test]
    fn a_mirror_reads_back_and_names_its_torn_lines() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let seal = Seal::sign(&key, 9, Digest::of(b"x"), Utc::now());
        let text = format!("{}\n{{\"at\":\"20\n{}\n", seal.line(), seal.line());
        assert_eq!(read_mirror(&text), (vec![seal.clone(), seal], vec![SealError { line: 2 }]));
    }
}
