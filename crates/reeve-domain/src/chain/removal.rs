//! A removal: signed words that the record begins later than it did, because Reeve itself took away its oldest part. It is an
//! event of the chain, and its hash of the last removed record still proves an older export of what is gone.

use chrono::{DateTime, SecondsFormat, SubsecRound as _, Utc};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::seal::is_signed;
use crate::operation::Digest;

/// Why records were removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovalCause {
    /// They were older than records are kept.
    Age,
    /// The record was larger than it may be.
    Size,
    /// A person wiped the record.
    Wipe,
}

impl RemovalCause {
    fn as_str(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Size => "size",
            Self::Wipe => "wipe",
        }
    }
}

/// What was removed, signed with the key of the seals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Number of the first record that was still there.
    pub first: u64,
    /// Number of the last one that goes. Whatever stands before it goes too, or went before.
    pub last: u64,
    /// How many records that are.
    pub count: u64,
    /// Hash of the last one: the first record that stays is linked to it.
    pub head: Digest,
    pub cause: RemovalCause,
    /// UTC, to the millisecond.
    pub at: DateTime<Utc>,
    /// Ed25519 over all of the above; lower-case hex.
    pub signature: String,
}

impl Removal {
    /// Signs it.
    #[must_use]
    pub fn signed(mut self, key: &SigningKey) -> Self {
        self.at = self.at.trunc_subsecs(3);
        self.signature = hex::encode(key.sign(self.message().as_bytes()).to_bytes());
        self
    }

    /// Whether this key signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        is_signed(key, self.message().as_bytes(), &self.signature)
    }

    /// What is signed: its own first line keeps it apart from seals and manifests.
    fn message(&self) -> String {
        let Self { first, last, count, head, cause, at, .. } = self;
        let at = at.to_rfc3339_opts(SecondsFormat::Millis, true);
        format!("reeve-removal-1\n{first}\n{last}\n{count}\n{}\n{}\n{at}\n", head.as_str(), cause.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_is_bound_to_every_part_of_it() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let plain = Removal {
            first: 1,
            last: 9,
            count: 9,
            head: Digest::of(b"x"),
            cause: RemovalCause::Age,
            at: Utc::now(),
            signature: String::new(),
        };
        let removal = plain.clone().signed(&key);
        assert!(removal.is_signed_by(&key.verifying_key()));
        assert!(!removal.is_signed_by(&SigningKey::from_bytes(&[8; 32]).verifying_key()));
        for changed in [
            plain,
            Removal { first: 2, ..removal.clone() },
            Removal { last: 10, ..removal.clone() },
            Removal { count: 8, ..removal.clone() },
            Removal { head: Digest::of(b"y"), ..removal.clone() },
            Removal { cause: RemovalCause::Wipe, ..removal.clone() },
            Removal { at: removal.at + chrono::Duration::milliseconds(1), ..removal.clone() },
        ] {
            assert!(!changed.is_signed_by(&key.verifying_key()), "{changed:?}");
        }
    }
}
