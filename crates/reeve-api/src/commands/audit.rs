//! The record's proof: verified here and now, or offline from an export.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use ed25519_dalek::VerifyingKey;
use reeve_domain::chain;
use reeve_domain::notice::Notice;
use reeve_engine::Engine;
use reeve_engine::witness::{Testimony, Verified};
use serde_json::Value;

use super::{answer, retention};
use crate::connection::Caller;
use crate::contract::audit::RecordDto;
use crate::contract::calls::AuditCall;
use crate::contract::status::{ChainDto, VerificationDto};
use crate::contract::{ApiCode, ApiError};
use crate::home::Home;
use crate::host::Host;
use crate::surface::Peer;

/// How often the whole chain is verified for the status strip; the call that asks for it verifies at once.
const EVERY: Duration = Duration::from_secs(300);

pub(crate) async fn run(host: &Host, caller: &Caller, call: AuditCall) -> Result<Value, ApiError> {
    match call {
        AuditCall::Verify => answer(&verify_for(host, caller.peer).await?),
        AuditCall::Record(input) => answer(&record(host, input.record).await?),
        AuditCall::WeighRemoval(wanted) => answer(&retention::weigh(host, wanted).await?),
        AuditCall::SetRetention(input) => answer(&retention::set(host, caller, input).await?),
        AuditCall::Wipe(input) => answer(&retention::wipe(host, caller, input).await?),
    }
}

/// Verifies every record, every link, every seal, and the second place of the heads.
pub(crate) async fn verify(host: &Host) -> Result<VerificationDto, ApiError> {
    Ok(told_of(host, host.engine.witness().verify().await?))
}

/// It reads the whole record: a person waits for the turn, an agent has none while another verification is under way.
async fn verify_for(host: &Host, peer: Peer) -> Result<VerificationDto, ApiError> {
    if peer == Peer::Person {
        return verify(host).await;
    }
    match host.engine.witness().verify_unless_busy().await? {
        Some(verified) => Ok(told_of(host, verified)),
        None => {
            let busy = ApiError::new(ApiCode::Failed, "the record is being verified already");
            Err(busy.hint("try again when that is done"))
        }
    }
}

fn told_of(host: &Host, verified: Verified) -> VerificationDto {
    let Verified { verification: found, testimony } = verified;
    let dto = VerificationDto {
        ok: found.ok,
        events: found.events,
        sealed_to: found.sealed_to,
        removed_to: found.removed_to,
        redacted: 0,
        broken_at: found.first_bad.as_ref().map(|bad| bad.seq),
        problem: found.first_bad.as_ref().map(ToString::to_string),
        key_trusted: found.signatures_checked,
        keychain: Some(told(&testimony)),
    };
    host.chain.remember(&dto);
    dto
}

fn told(testimony: &Testimony) -> String {
    match testimony {
        Testimony::Head { seq } => format!("holds the head of record #{seq}"),
        Testimony::None => "holds no head yet".to_owned(),
        Testimony::Missing => "held a head and does not any more".to_owned(),
        Testimony::Unreachable { why } => format!("does not answer, so it vouches for nothing: {why}"),
    }
}

/// One record by its number: also one that was changed, and the place of one that is missing.
async fn record(host: &Host, record: u64) -> Result<RecordDto, ApiError> {
    let store = host.engine.store();
    if record == 0 || record > store.head().seq {
        return Err(super::not_found("record", &record.to_string()));
    }
    let Some(kept) = store.kept(record).await? else {
        let problem = match store.removal().await? {
            Some((by, removal)) if record <= removal.last => {
                format!("record {record} was removed on {}, as record {by} says", removal.at.format("%Y-%m-%d"))
            }
            _ => format!("record {record} is missing"),
        };
        let problem = Some(problem);
        return Ok(RecordDto { record, event: None, text: None, operation: None, notice: None, seal: None, problem });
    };
    let problem = match &kept.event {
        None => Some(format!("record {record} cannot be read as a record")),
        Some(_) if !kept.holds => Some(format!("record {record} was changed: its hash is not that of its content")),
        Some(_) if !kept.follows => Some(format!("record {record} does not follow the record before it")),
        Some(_) => None,
    };
    let operation = kept.event.as_ref().and_then(|event| event.operation.as_ref()).map(ToString::to_string);
    let text = kept.event.is_none().then_some(kept.text);
    let notice = kept.event.as_ref().and_then(Notice::of).map(|notice| super::operations::notice(host, notice));
    let event = kept.event.as_ref().map(Into::into);
    Ok(RecordDto { record, event, text, operation, notice, seal: kept.seal.as_ref().map(Into::into), problem })
}

/// The last verification, for the strip.
#[derive(Debug, Default)]
pub(crate) struct ChainWatch(Mutex<Option<(Instant, VerificationDto)>>);

impl ChainWatch {
    fn remember(&self, found: &VerificationDto) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), found.clone()));
    }

    fn last(&self) -> Option<(Instant, VerificationDto)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The head right now, and whether the last verification held.
    pub async fn state(&self, engine: &Engine) -> Result<ChainDto, ApiError> {
        let head = engine.store().head().seq;
        let last = self.last();
        Ok(ChainDto {
            head,
            ok: last.as_ref().is_none_or(|(_, found)| found.ok),
            broken_at: last.as_ref().and_then(|(_, found)| found.broken_at),
            problem: last.and_then(|(_, found)| found.problem),
        })
    }

    /// Whether it is time to verify again.
    pub fn is_due(&self) -> bool {
        self.last().is_none_or(|(at, _)| at.elapsed() >= EVERY)
    }
}

/// Verifies again and again while the engine runs, so that the strip never shows an old truth for long.
pub(crate) async fn watch(host: &Host) {
    loop {
        if host.chain.is_due()
            && let Err(error) = verify(host).await
        {
            tracing::error!(%error, "the chain could not be verified");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// The public half of this profile's seal key; none where no engine ever ran.
fn own_key(home: &Home) -> Result<Option<VerifyingKey>, ApiError> {
    let path = home.public_key();
    let broken =
        || ApiError::new(ApiCode::Invalid, format!("`{}` is not a public key: move it away to go on", path.display()));
    let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
    let mut bytes = [0_u8; 32];
    hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| broken())?;
    VerifyingKey::from_bytes(&bytes).map(Some).map_err(|_| broken())
}

/// Where the manifest of an export lies: beside it.
pub(crate) fn manifest_path(export: &Path) -> PathBuf {
    let mut name = export.as_os_str().to_owned();
    name.push(".manifest.json");
    PathBuf::from(name)
}

/// Checks an exported file against its manifest, without an engine. Where this profile has a key, the export must be signed
/// by it; elsewhere it is only shown to be consistent with the key it names, and the answer says so.
///
/// # Errors
/// When a file cannot be read. What does not hold is in the answer.
pub fn verify_export(home: &Home, path: &Path) -> Result<VerificationDto, ApiError> {
    let unreadable = |path: &Path, error: std::io::Error| {
        ApiError::new(ApiCode::Invalid, format!("could not read `{}`: {error}", path.display()))
    };
    let manifest = manifest_path(path);
    let text = std::fs::read_to_string(&manifest).map_err(|error| unreadable(&manifest, error))?;
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    let key = own_key(home)?;
    Ok(match chain::verify_export(BufReader::new(file), &text, key.as_ref()) {
        Ok(found) => VerificationDto {
            ok: true,
            events: found.manifest.count,
            sealed_to: 0,
            removed_to: 0,
            redacted: found.manifest.redacted.count,
            broken_at: None,
            problem: None,
            key_trusted: found.key_trusted,
            keychain: None,
        },
        Err(problem) => VerificationDto {
            ok: false,
            events: 0,
            sealed_to: 0,
            removed_to: 0,
            redacted: 0,
            broken_at: None,
            problem: Some(problem.to_string()),
            key_trusted: key.is_some(),
            keychain: None,
        },
    })
}
