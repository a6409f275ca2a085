//! The hash chain over events: canonical bytes, links, seals, and a verifier that is a pure function. Usable offline over an
//! export and a seal kept elsewhere: it needs neither a database nor the machine that made the record.

mod canonical;
mod export;
mod redaction;
mod removal;
mod seal;
mod verify;

pub use canonical::{CanonicalError, Json, is_hazardous};
pub use export::{ExportError, ExportFormat, ExportVerification, Manifest, Redacted, record_line, verify_export};
pub use redaction::{REDACTED, Scanner};
pub use removal::{Removal, RemovalCause};
pub use seal::{Head, Seal, SealError, read_mirror};
pub use verify::{Finding, Problem, Verification, Verifier, verify};

use chrono::{DateTime, SubsecRound as _, Utc};
use serde::Deserialize;
use sha2::Digest as _;

use crate::event::{Draft, Event, EventBody};
use crate::id::{AgentId, OperationId, SessionId};
use crate::operation::Digest;

/// Format version of a record.
pub const VERSION: u32 = 1;

/// What the first event has as `prev`.
#[must_use]
pub fn genesis() -> Digest {
    Digest("0".repeat(64))
}

/// `SHA-256(prev ‖ canonical)`, `prev` as its 64 hexadecimal characters.
#[must_use]
pub fn link(prev: &Digest, canonical: &str) -> Digest {
    let mut hash = sha2::Sha256::new();
    hash.update(prev.as_str());
    hash.update(canonical);
    Digest(hex::encode(hash.finalize()))
}

/// Canonical text of everything in an event but its hash.
///
/// # Errors
/// When the event holds a number that is not an integer.
pub fn canonical(event: &Event) -> Result<String, CanonicalError> {
    let mut json = Json::of(event)?;
    if let Json::Map(map) = &mut json {
        map.remove("hash");
    }
    Ok(json.to_string())
}

/// Makes the event that follows `prev`, with its canonical text. Foreign text in it (the view of an approval) is brought
/// into canonical shape first: numbers that are not integers become text, and so does what is nested too deeply.
///
/// # Errors
/// When a part that is Reeve's own holds a number that is not an integer.
pub fn follow(prev: &Digest, seq: u64, at: DateTime<Utc>, draft: Draft) -> Result<(Event, String), CanonicalError> {
    let Draft { agent, session, operation, mut body } = draft;
    if let EventBody::ApprovalRequested { approval, .. } = &mut body {
        canonical::tame(&mut approval.view, 0);
    }
    let at = at.trunc_subsecs(3);
    let hash = Digest(String::new());
    let mut event = Event { v: VERSION, seq, at, agent, session, operation, body, prev: prev.clone(), hash };
    let text = canonical(&event)?;
    event.hash = link(prev, &text);
    Ok((event, text))
}

#[derive(Deserialize)]
struct Unhashed {
    v: u32,
    seq: u64,
    at: DateTime<Utc>,
    #[serde(default)]
    agent: Option<AgentId>,
    #[serde(default)]
    session: Option<SessionId>,
    #[serde(default)]
    operation: Option<OperationId>,
    body: EventBody,
    prev: Digest,
}

/// Reads an event back from its canonical text and its hash. Proves nothing: that is [`Verifier`]'s work.
///
/// # Errors
/// When the text is not an event of this version.
pub fn read(canonical: &str, hash: Digest) -> Result<Event, CanonicalError> {
    let Unhashed { v, seq, at, agent, session, operation, body, prev } =
        serde_json::from_str(canonical).map_err(|e| CanonicalError::Json(e.to_string()))?;
    Ok(Event { v, seq, at, agent, session, operation, body, prev, hash })
}
