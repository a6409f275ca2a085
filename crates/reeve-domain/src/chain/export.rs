//! Exports: one record a line for people and machines, from which the canonical text of its event can be rebuilt, and a
//! signed manifest. Both are checked without a database; hostile files are refused with the line that is wrong.

use std::collections::BTreeMap;
use std::io::BufRead;

use chrono::{DateTime, Utc};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::canonical::{CanonicalError, Json};
use super::seal::{Head, is_signed};
use super::verify::{Finding, Verifier};
use super::{VERSION, link, read};
use crate::event::{Event, EventBody};
use crate::operation::{Digest, Operation};
use crate::query::Decided;
use crate::verdict::{Denial, Verdict};

/// Longest line that is read, in bytes. A record holds the view of a held request at most.
const LONGEST_LINE: u64 = 64 << 20;
/// Longest manifest, in bytes.
const LONGEST_MANIFEST: usize = 64 << 10;

/// Why an export does not verify.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("could not read the export")]
    Read(#[from] std::io::Error),
    #[error("the manifest is not one: {0}")]
    Manifest(String),
    #[error("the signature of the manifest is not by the key it names")]
    Signature,
    #[error("the manifest is signed by another key (`{0}`)")]
    OtherKey(String),
    #[error("line {line} is malformed: {why}")]
    Line { line: u64, why: String },
    #[error("line {line}: {finding}")]
    Record { line: u64, finding: Finding },
    #[error("the file holds {found} records, the manifest says {stated}")]
    Count { found: u64, stated: u64 },
    #[error("the {which} record is not the one the manifest names")]
    Edge { which: &'static str },
    #[error("the digest of the file is not the one in the manifest")]
    Digest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// One record of the chain a line; links and hashes can be verified.
    Jsonl,
    /// One operation a line, flattened with dots; only the file as a whole can be verified.
    Csv,
}

/// Most ranges of redacted records in a manifest; it stays small whatever an agent did.
const MOST_RANGES: usize = 500;

/// The records of an export from which something secret was taken out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redacted {
    /// How many.
    pub count: u64,
    /// Where they are: first and last number of each range. There are at most so many ranges that the last of them may
    /// cover records that are whole.
    pub ranges: Vec<(u64, u64)>,
}

impl Redacted {
    /// Notes one more.
    pub fn add(&mut self, record: u64) {
        self.count += 1;
        let full = self.ranges.len() >= MOST_RANGES;
        match self.ranges.last_mut() {
            Some((first, last)) if full || (record >= *first && record <= last.saturating_add(1)) => {
                *first = record.min(*first);
                *last = record.max(*last);
            }
            _ => self.ranges.push((record, record)),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.ranges.is_empty()
    }

    fn covers(&self, record: u64) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&record))
    }
}

/// What stands beside an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub v: u32,
    pub format: ExportFormat,
    /// The query as printed by the grammar; empty: everything.
    pub query: String,
    pub made_at: DateTime<Utc>,
    /// Times of the oldest and the newest line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    /// Lines without the header of a CSV file.
    pub count: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Head>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Head>,
    /// Whether every record between first and last is there, so that the links can be verified.
    pub contiguous: bool,
    /// The records from which something secret was taken out: their hashes stand for what was recorded, and only this
    /// manifest vouches for what is written.
    #[serde(default, skip_serializing_if = "Redacted::is_empty")]
    pub redacted: Redacted,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// Ed25519, lower-case hex.
    pub public_key: String,
    /// Over the canonical text of all of the above; lower-case hex.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub signature: String,
}

impl Manifest {
    /// Signs it, naming the key.
    #[must_use]
    pub fn signed(mut self, key: &SigningKey) -> Self {
        self.public_key = hex::encode(key.verifying_key().to_bytes());
        self.signature = hex::encode(key.sign(self.message().as_bytes()).to_bytes());
        self
    }

    /// The file's text: canonical JSON.
    #[must_use]
    pub fn text(&self) -> String {
        // Text, booleans and integers only, so there is always a canonical text.
        Json::of(self).map(|json| json.to_string()).unwrap_or_default()
    }

    fn message(&self) -> String {
        let unsigned = Self { signature: String::new(), ..self.clone() };
        format!("reeve-export-1\n{}\n", unsigned.text())
    }

    fn read(text: &str) -> Result<Self, ExportError> {
        if text.len() > LONGEST_MANIFEST {
            return Err(ExportError::Manifest(format!("it is longer than {LONGEST_MANIFEST} bytes")));
        }
        let text = text.trim_end_matches(['\r', '\n']);
        Json::parse_canonical(text).map_err(|e| ExportError::Manifest(e.to_string()))?;
        let manifest: Self = serde_json::from_str(text).map_err(|e| ExportError::Manifest(e.to_string()))?;
        if manifest.v != VERSION {
            return Err(ExportError::Manifest(format!("version {} is not known", manifest.v)));
        }
        Ok(manifest)
    }

    fn check_signature(&self, trusted: Option<&VerifyingKey>) -> Result<(), ExportError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(&self.public_key, &mut bytes).map_err(|_| ExportError::Signature)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| ExportError::Signature)?;
        if !is_signed(&key, self.message().as_bytes(), &self.signature) {
            return Err(ExportError::Signature);
        }
        match trusted {
            Some(trusted) if *trusted != key => Err(ExportError::OtherKey(self.public_key.clone())),
            _ => Ok(()),
        }
    }
}

/// An export that is what its manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportVerification {
    pub manifest: Manifest,
    /// Whether the key is one the caller trusts; else the export is only consistent with itself.
    pub key_trusted: bool,
    /// Whether links between the records were verified, and not only each record's own hash.
    pub links_verified: bool,
}

/// One record as a line of an export: `v` first, then what people look for, then the event's body and its place in the
/// chain. The line is a function of the event alone, so that a verifier can make it again.
///
/// # Errors
/// When the event has no canonical text.
pub fn record_line(event: &Event) -> Result<String, CanonicalError> {
    let body = Json::of(&event.body)?;
    let mut line = Line(String::from("{"));
    line.put("v", &Json::Uint(u64::from(event.v)));
    line.put("id", &Json::Uint(event.seq));
    line.put("ts", &Json::of(&event.at)?);
    line.put_some("event", body.get("event").cloned());
    line.put_some("agent", text(event.agent.as_ref().map(|id| id.as_str())));
    line.put_some("session", text(event.session.as_ref().map(|id| id.as_str())));
    line.put_some("operation", text(event.operation.as_ref().map(|id| id.as_str())));
    line.describe(&event.body)?;
    line.put("body", &body);
    let chain = [("hash", event.hash.as_str()), ("prev", event.prev.as_str())];
    line.put("chain", &map(chain.map(|(key, hash)| (key, text(Some(hash))))));
    line.0.push('}');
    Ok(line.0)
}

fn text(text: Option<&str>) -> Option<Json> {
    text.map(|text| Json::Text(text.to_owned()))
}

fn number(n: Option<u64>) -> Option<Json> {
    n.map(Json::Uint)
}

fn nano(n: i64) -> Option<Json> {
    Some(u64::try_from(n).map_or(Json::Int(n), Json::Uint))
}

fn map<const N: usize>(entries: [(&str, Option<Json>); N]) -> Json {
    let present = entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Json::Map(present.collect::<BTreeMap<_, _>>())
}

/// A line under construction.
struct Line(String);

impl Line {
    fn put(&mut self, key: &str, value: &Json) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&format!("{}:{value}", Json::Text(key.to_owned())));
    }

    fn put_some(&mut self, key: &str, value: Option<Json>) {
        if let Some(value) = value {
            self.put(key, &value);
        }
    }

    fn describe(&mut self, body: &EventBody) -> Result<(), CanonicalError> {
        match body {
            EventBody::OperationAdmitted { operation, verdict, reservation, approval, would, mode } => {
                self.operation(operation);
                let decided = Decided::admitted(approval.is_some(), would.as_ref(), verdict);
                self.decision(decided, Some(verdict), would.as_ref(), Some(Json::of(mode)?))?;
                self.put_some("approval", text(approval.as_ref().map(|id| id.as_str())));
                if let Some(reservation) = reservation {
                    let tokens = map([("reserved", number(Some(reservation.tokens)))]);
                    let cost = [
                        ("reserved", nano(reservation.amount.0)),
                        ("currency", text(Some("nano-USD"))),
                        ("tokens", Some(tokens)),
                    ];
                    self.put("cost", &map(cost));
                }
            }
            EventBody::OperationDenied { operation, verdict, denial, approval } => {
                self.operation(operation);
                self.decision(Decided::denied(denial.kind), verdict.as_ref(), Some(denial), None)?;
                self.put_some("approval", text(approval.as_ref().map(|id| id.as_str())));
            }
            EventBody::ApprovalRequested { approval, operation, verdict } => {
                self.operation(operation);
                self.decision(Decided::Held, Some(verdict), None, None)?;
                self.put_some("approval", text(Some(approval.id.as_str())));
            }
            EventBody::ApprovalJoined { approval }
            | EventBody::ApprovalExtended { approval, .. }
            | EventBody::ApprovalResolved { approval, .. }
            | EventBody::ApprovalUndone { approval, .. } => {
                self.put_some("approval", text(Some(approval.as_str())));
            }
            EventBody::OperationSettled { outcome, settlement } => {
                self.settled(settlement.as_ref(), outcome.usage.as_ref());
                let timing =
                    [("first_byte_ms", number(outcome.first_byte_ms)), ("total_ms", number(Some(outcome.total_ms)))];
                self.put("timing", &map(timing));
                self.put_some("credential", text(outcome.injected.first().map(|id| id.as_str())));
                self.put("redactions", &Json::Uint(outcome.masked));
                let bytes = [
                    ("request", number(Some(outcome.request_bytes))),
                    ("response", number(Some(outcome.response_bytes))),
                ];
                self.put("bodies", &map([("bytes", Some(map(bytes)))]));
            }
            EventBody::OperationAbandoned { settlement, .. } => self.settled(settlement.as_ref(), None),
            _ => {}
        }
        Ok(())
    }

    fn operation(&mut self, operation: &Operation) {
        let endpoint = operation.endpoint();
        let (mcp, shell) = (operation.mcp(), operation.shell());
        self.put_some("parent", text(operation.parent.as_ref().map(|id| id.as_str())));
        self.put_some("kind", text(Some(operation.action().kind())));
        self.put_some("summary", text(Some(&operation.summary)));
        let llm = operation.llm();
        let place = map([
            ("host", text(endpoint.map(|endpoint| endpoint.host.to_string()).as_deref())),
            ("port", number(endpoint.map(|endpoint| u64::from(endpoint.port)))),
            ("method", text(endpoint.map(|endpoint| endpoint.method.as_str()))),
            ("path", text(endpoint.map(|endpoint| endpoint.path.shown()))),
            ("server", text(operation.mcp_server())),
            ("tool", text(mcp.map(|call| call.tool.as_str()))),
            ("program", text(shell.map(|line| line.programs().join(" ")).as_deref())),
            ("model", text(llm.map(|call| call.model.as_str()))),
            ("provider", text(llm.map(|call| call.provider.as_str()))),
        ]);
        self.put("where", &place);
        self.put("bodies", &map([("hash", text(Some(operation.content.as_str())))]));
    }

    fn decision(
        &mut self,
        decided: Decided,
        verdict: Option<&Verdict>,
        denial: Option<&Denial>,
        mode: Option<Json>,
    ) -> Result<(), CanonicalError> {
        let reasons = verdict.map(Verdict::reasons).filter(|reasons| !reasons.is_empty());
        let reasons = reasons.or(denial.map(|denial| denial.reasons.as_slice())).unwrap_or_default();
        let list = |of: fn(&crate::verdict::Reason) -> &str| {
            Some(Json::List(reasons.iter().map(|reason| Json::Text(of(reason).to_owned())).collect()))
        };
        let decision = map([
            ("effect", text(Some(decided.as_str()))),
            ("rules", list(|reason| reason.rule.as_str())),
            ("reasons", list(|reason| &reason.text)),
            ("mode", mode),
            ("risk", verdict.map(|verdict| Json::of(&verdict.risk())).transpose()?),
            ("message", text(denial.map(|denial| denial.message.as_str()))),
        ]);
        self.put("decision", &decision);
        Ok(())
    }

    fn settled(&mut self, settlement: Option<&crate::budget::Settlement>, usage: Option<&crate::usage::Usage>) {
        let Some(settlement) = settlement else { return };
        let tokens = map([
            ("total", number(Some(settlement.tokens))),
            ("in", number(usage.map(crate::usage::Usage::total_input))),
            ("out", number(usage.map(crate::usage::Usage::total_output))),
            ("cached", number(usage.map(|usage| usage.cache_read))),
        ]);
        let cost = [
            ("settled", nano(settlement.amount.0)),
            ("worth", nano(settlement.worth.0)),
            ("currency", text(Some("nano-USD"))),
            ("estimated", Some(Json::Bool(settlement.estimated))),
            ("tokens", Some(tokens)),
        ];
        self.put("cost", &map(cost));
    }
}

/// Canonical text and hash of the event that a line was made of. The line must be the very one [`record_line`] makes.
fn unrender(line: &str) -> Result<(String, Digest), String> {
    let json = Json::parse(line).map_err(|e| e.to_string())?;
    let chain = json.get("chain").ok_or("it has no `chain`")?;
    let hash = chain.get("hash").and_then(Json::as_text).ok_or("it has no hash")?;
    let entries = [
        ("v", json.get("v")),
        ("seq", json.get("id")),
        ("at", json.get("ts")),
        ("agent", json.get("agent")),
        ("session", json.get("session")),
        ("operation", json.get("operation")),
        ("body", json.get("body")),
        ("prev", chain.get("prev")),
    ];
    let canonical = map(entries.map(|(key, value)| (key, value.cloned()))).to_string();
    let hash = Digest(hash.to_owned());
    let event = read(&canonical, hash.clone()).map_err(|e| e.to_string())?;
    let again = record_line(&event).map_err(|e| e.to_string())?;
    if again != line {
        return Err("it is not the line that its event makes: a field was changed, added or moved".to_owned());
    }
    Ok((canonical, hash))
}

/// Checks an export against its manifest: signature, digest, count, edges, and for JSONL every record's hash and, when the
/// export has no gaps, every link. `trusted` is the key of the Reeve that should have made it; without one the export is
/// only shown to be consistent with the key it names.
///
/// # Errors
/// What does not hold first.
pub fn verify_export(
    mut file: impl BufRead,
    manifest: &str,
    trusted: Option<&VerifyingKey>,
) -> Result<ExportVerification, ExportError> {
    let manifest = Manifest::read(manifest)?;
    manifest.check_signature(trusted)?;
    let mut lines = Lines::new(manifest.contiguous, &manifest.redacted);
    let mut buffer = Vec::new();
    let mut digest = sha2::Sha256::new();
    loop {
        buffer.clear();
        let read = std::io::Read::take(&mut file, LONGEST_LINE).read_until(b'\n', &mut buffer)?;
        if read == 0 {
            break;
        }
        digest.update(&buffer);
        lines.take(&buffer, manifest.format)?;
    }
    lines.finish(&manifest)?;
    if hex::encode(digest.finalize()) != manifest.digest.0 {
        return Err(ExportError::Digest);
    }
    let links_verified = manifest.format == ExportFormat::Jsonl && manifest.contiguous;
    Ok(ExportVerification { manifest, key_trusted: trusted.is_some(), links_verified })
}

struct Lines {
    seen: u64,
    verifier: Option<Verifier>,
    redacted: Redacted,
    first: Option<Head>,
    last: Option<Head>,
}

impl Lines {
    fn new(contiguous: bool, redacted: &Redacted) -> Self {
        let verifier = contiguous.then(|| Verifier::of_excerpt(&[], None));
        Self { seen: 0, verifier, redacted: redacted.clone(), first: None, last: None }
    }

    fn take(&mut self, bytes: &[u8], format: ExportFormat) -> Result<(), ExportError> {
        self.seen += 1;
        let line = self.seen;
        let bad = |why: &str| ExportError::Line { line, why: why.to_owned() };
        let bytes = bytes.strip_suffix(b"\n").ok_or_else(|| bad("it does not end, or is longer than 64 MiB"))?;
        let text = std::str::from_utf8(bytes).map_err(|_| bad("it is not UTF-8"))?;
        if format == ExportFormat::Csv {
            return Ok(());
        }
        let (canonical, hash) = unrender(text).map_err(|why| bad(&why))?;
        let json = Json::parse(&canonical).map_err(|e| bad(&e.to_string()))?;
        let seq = json.get("seq").and_then(Json::as_u64).ok_or_else(|| bad("it has no number"))?;
        let prev = json.get("prev").and_then(Json::as_text).ok_or_else(|| bad("it has no `prev`"))?;
        let record = |problem| ExportError::Record { line, finding: Finding { seq, problem } };
        // A range may cover records that are whole: those are held to their own hash.
        let redacted = link(&Digest(prev.to_owned()), &canonical) != hash;
        if redacted && !self.redacted.covers(seq) {
            return Err(record(super::Problem::Changed));
        }
        if self.last.as_ref().is_some_and(|last| seq <= last.seq) {
            return Err(record(super::Problem::Reordered));
        }
        if let Some(mut verifier) = self.verifier.take() {
            if redacted {
                verifier.push_redacted(&canonical, &hash);
            } else {
                verifier.push(&canonical, &hash);
            }
            if let Some(finding) = verifier.first_bad() {
                return Err(ExportError::Record { line, finding: finding.clone() });
            }
            self.verifier = Some(verifier);
        }
        let head = Head { seq, hash };
        self.first.get_or_insert_with(|| head.clone());
        self.last = Some(head);
        Ok(())
    }

    fn finish(self, manifest: &Manifest) -> Result<(), ExportError> {
        let found = match manifest.format {
            ExportFormat::Jsonl => self.seen,
            ExportFormat::Csv => self.seen.saturating_sub(1),
        };
        if found != manifest.count {
            return Err(ExportError::Count { found, stated: manifest.count });
        }
        if manifest.format == ExportFormat::Jsonl {
            if self.first != manifest.first {
                return Err(ExportError::Edge { which: "first" });
            }
            if self.last != manifest.last {
                return Err(ExportError::Edge { which: "last" });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{follow, genesis};
    use crate::event::Draft;

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[9; 32])
    }

    fn export(seqs: &[u64]) -> (String, Manifest) {
        let mut prev = genesis();
        let mut file = String::new();
        let mut heads = Vec::new();
        for seq in 1..=9 {
            let body = EventBody::EngineStopped { why: format!("test {seq}") };
            let (event, _) = follow(&prev, seq, Utc::now(), Draft::engine(body)).unwrap();
            prev = event.hash.clone();
            if seqs.contains(&seq) {
                file.push_str(&record_line(&event).unwrap());
                file.push('\n');
                heads.push(Head { seq, hash: event.hash });
            }
        }
        let manifest = Manifest {
            v: VERSION,
            format: ExportFormat::Jsonl,
            query: String::new(),
            made_at: Utc::now(),
            from: None,
            to: None,
            count: heads.len() as u64,
            first: heads.first().cloned(),
            last: heads.last().cloned(),
            redacted: Redacted::default(),
            contiguous: seqs.windows(2).all(|pair| pair[1] == pair[0] + 1),
            digest: Digest::of(file.as_bytes()),
            public_key: String::new(),
            signature: String::new(),
        };
        (file, manifest.signed(&key()))
    }

    fn check(file: &str, manifest: &Manifest) -> Result<ExportVerification, ExportError> {
        verify_export(file.as_bytes(), &manifest.text(), Some(&key().verifying_key()))
    }

    /// An attacker without the key fixes up everything that needs none.
    fn resealed(file: &str, manifest: &Manifest) -> Manifest {
        let digest = Digest::of(file.as_bytes());
        let count = file.lines().count() as u64;
        Manifest { digest, count, ..manifest.clone() }.signed(&key())
    }

    #[test]
    fn an_export_verifies_with_links_where_it_has_no_gaps() {
        let (file, manifest) = export(&[3, 4, 5]);
        assert!(check(&file, &manifest).unwrap().links_verified);
        let (file, manifest) = export(&[3, 5, 9]);
        assert!(!check(&file, &manifest).unwrap().links_verified);
        let (file, manifest) = export(&[]);
        assert_eq!(check(&file, &manifest).unwrap().manifest.count, 0);
    }

    #[test]
    fn redacted_records_are_counted_one_by_one_and_their_ranges_are_bounded() {
        let mut redacted = Redacted::default();
        (1..=3).chain([7]).for_each(|record| redacted.add(record));
        assert_eq!((redacted.count, redacted.ranges.as_slice()), (4, [(1, 3), (7, 7)].as_slice()));
        (10..10_000).step_by(2).for_each(|record| redacted.add(record));
        assert_eq!((redacted.count, redacted.ranges.len()), (4999, MOST_RANGES));
        assert!(redacted.covers(9_998) && !redacted.covers(8) && !redacted.covers(9_999));
    }

    #[test]
    fn lines_begin_with_their_version_and_hold_one_line_each() {
        let (file, _) = export(&[1]);
        assert!(file.starts_with("{\"v\":1,\"id\":1,\"ts\":\""), "{file}");
        assert_eq!(file.matches('\n').count(), 1);
    }

    #[test]
    fn a_changed_file_or_manifest_is_refused() {
        let (file, manifest) = export(&[3, 4, 5]);
        assert!(matches!(
            check(&file.replace("test 4", "test 5"), &manifest),
            Err(ExportError::Record { line: 2, .. })
        ));
        let other = Manifest { query: "decision:denied".to_owned(), ..manifest.clone() };
        assert!(matches!(check(&file, &other), Err(ExportError::Signature)));
        let other = manifest.clone().signed(&SigningKey::from_bytes(&[1; 32]));
        assert!(matches!(check(&file, &other), Err(ExportError::OtherKey(_))));
    }

    #[test]
    fn what_a_holder_of_the_key_cannot_hide_either_is_found_in_the_links() {
        let (file, manifest) = export(&[3, 4, 5]);
        let lines: Vec<&str> = file.lines().collect();
        for (damaged, what) in [
            (format!("{}\n{}\n", lines[0], lines[2]), "a gap"),
            (format!("{}\n{}\n{}\n", lines[0], lines[2], lines[1]), "another order"),
            (format!("{}\n{}\n{}\n{}\n", lines[0], lines[1], lines[1], lines[2]), "a line twice"),
            (file.replace("\"event\":\"engine.stopped\",\"body\"", "\"event\":\"engine.started\",\"body\""), "a label"),
            (file.replacen("{\"v\":1,", "{\"v\":1,\"v\":1,", 1), "a duplicate key"),
            (file.replacen("\"v\":1,", "\"v\": 1,", 1), "white space"),
            (file.replacen("\"ts\"", "\"extra\":1,\"ts\"", 1), "a field more"),
            (file.trim_end().to_owned(), "no end"),
            ("\u{0}\n".to_owned(), "no record"),
            ("[".repeat(100_000) + "\n", "nesting"),
        ] {
            let manifest = resealed(&damaged, &manifest);
            assert!(check(&damaged, &manifest).is_err(), "{what}");
        }
    }

    #[test]
    fn a_record_that_the_manifest_names_may_differ_from_its_hash_and_no_other() {
        let (file, manifest) = export(&[3, 4, 5]);
        let copy = file.replace("test 4", "(redacted)");
        let named = Manifest { redacted: Redacted { count: 1, ranges: vec![(4, 4)] }, ..manifest.clone() };
        let verified = check(&copy, &resealed(&copy, &named)).unwrap();
        assert!(verified.links_verified && verified.manifest.redacted.count == 1);
        // Its number and links are held to all the same, and so are its neighbours.
        for damaged in [copy.replace("test 5", "test 6"), copy.replace("\"id\":4", "\"id\":5")] {
            assert!(check(&damaged, &resealed(&damaged, &named)).is_err(), "{damaged}");
        }
        assert!(check(&copy, &resealed(&copy, &manifest)).is_err());
    }

    #[test]
    fn a_manifest_that_is_none_is_refused() {
        let (file, manifest) = export(&[1]);
        for bad in ["", "{}", "[]", &manifest.text().replace("\"v\":1", "\"v\":2"), &format!(" {}", manifest.text())] {
            assert!(verify_export(file.as_bytes(), bad, None).is_err(), "{bad}");
        }
    }
}
