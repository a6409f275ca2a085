//! The verifier: events one after the other against their hashes, their links and the seals. It names the first event that
//! is missing, changed or reordered, or the interval between two seals in which hashes were computed anew, or a cut tail.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use super::canonical::Json;
use super::removal::Removal;
use super::seal::{Head, Seal};
use super::{VERSION, genesis, link};
use crate::operation::Digest;

/// What is wrong with the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "problem")]
pub enum Problem {
    /// No event has this number.
    Missing,
    /// The event is there, at another place.
    Reordered,
    /// The number is there a second time.
    Repeated,
    /// The content is not what its hash was made of.
    Changed,
    /// The event after this one was linked to another: this one was changed and its hash computed anew.
    Unlinked,
    /// Not canonical JSON of a known version: duplicate keys, other order or escapes, not a record at all.
    Malformed { why: String },
    /// The links hold, but not up to the signed head: something after `after`, up to and with `until`, was changed and
    /// its hashes computed anew.
    Recomputed { after: u64, until: u64 },
    /// The record ends before an event that was sealed.
    CutTail { last: u64, sealed: u64 },
    /// A seal for this event was not signed by Reeve's key.
    ForgedSeal,
    /// The event says that older ones were removed, and it is not Reeve's key that signed it.
    ForgedRemoval,
    /// A head was kept in the keychain and is not there any more; the record agrees with the other places up to here.
    NoWitness,
}

/// Where, and what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub seq: u64,
    #[serde(flatten)]
    pub problem: Problem,
}

/// For people.
impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seq = self.seq;
        match &self.problem {
            Problem::Missing => write!(f, "record #{seq} is missing"),
            Problem::Reordered => write!(f, "record #{seq} is not in its place"),
            Problem::Repeated => write!(f, "record #{seq} is there twice"),
            Problem::Changed => write!(f, "record #{seq} was changed"),
            Problem::Unlinked => write!(f, "record #{seq} was changed and its hash computed anew"),
            Problem::Malformed { why } => write!(f, "record #{seq} is malformed: {why}"),
            Problem::Recomputed { after, until } => {
                write!(f, "a record after #{after}, up to #{until}, was changed and the hashes computed anew")
            }
            Problem::CutTail { last, sealed } => {
                write!(f, "the record ends at #{last}, but #{sealed} was sealed: its tail was cut off")
            }
            Problem::NoWitness => write!(
                f,
                "the keychain held a head of the record and does not any more; the other places vouch up to #{seq}"
            ),
            Problem::ForgedSeal => write!(f, "the seal of record #{seq} was not signed by this key"),
            Problem::ForgedRemoval => {
                write!(f, "record #{seq} says that older ones were removed, and was not signed by this key")
            }
        }
    }
}

/// What the verifier found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    pub ok: bool,
    /// Events seen.
    pub events: u64,
    /// The last event that was in order.
    pub head: Option<Head>,
    /// The last event that a seal vouches for; 0 when none does.
    pub sealed_to: u64,
    /// Everything up to this event is gone, and a signed removal says so; 0 when nothing is.
    pub removed_to: u64,
    /// Whether the signatures of seals and removals were checked against a key.
    pub signatures_checked: bool,
    pub first_bad: Option<Finding>,
}

/// How much of an event is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Whole,
    Redacted,
}

/// Takes events in order, one at a time; memory does not grow with their number.
#[derive(Debug)]
pub struct Verifier {
    /// Number and `prev` the next event must have; `None` before the first one of an excerpt.
    next: Option<(u64, Digest)>,
    heads: BTreeMap<u64, Vec<Digest>>,
    /// Numbers of seals that another key signed.
    forged: Vec<u64>,
    key: Option<VerifyingKey>,
    /// What the first event of a record is linked to, where that one is not there.
    gone: Option<Head>,
    /// The furthest removal that was met.
    removal: Option<Removal>,
    seen: u64,
    last: Option<Head>,
    sealed_to: u64,
    first_bad: Option<Finding>,
}

impl Verifier {
    /// For a whole record. `seals` are those of every place: database, mirror, keychain, witness.
    #[must_use]
    pub fn of_record(seals: &[Seal], key: Option<&VerifyingKey>) -> Self {
        Self::new(Some((1, genesis())), seals, key)
    }

    /// For a part of a record that begins anywhere and has no gaps.
    #[must_use]
    pub fn of_excerpt(seals: &[Seal], key: Option<&VerifyingKey>) -> Self {
        Self::new(None, seals, key)
    }

    fn new(next: Option<(u64, Digest)>, seals: &[Seal], key: Option<&VerifyingKey>) -> Self {
        let mut heads: BTreeMap<u64, Vec<Digest>> = BTreeMap::new();
        let mut forged = Vec::new();
        for seal in seals {
            if key.is_some_and(|key| !seal.is_signed_by(key)) {
                forged.push(seal.seq);
                continue;
            }
            let known = heads.entry(seal.seq).or_default();
            if !known.contains(&seal.head) {
                known.push(seal.head.clone());
            }
        }
        Self {
            next,
            heads,
            forged,
            key: key.copied(),
            gone: None,
            removal: None,
            seen: 0,
            last: None,
            sealed_to: 0,
            first_bad: None,
        }
    }

    /// Takes the next event: its canonical text and the hash that stands beside it.
    pub fn push(&mut self, canonical: &str, hash: &Digest) {
        self.take(canonical, hash, Content::Whole);
    }

    /// Takes an event of an export from which something was taken out: its place and its links are checked, and its hash
    /// stands for what is not there.
    pub fn push_redacted(&mut self, canonical: &str, hash: &Digest) {
        self.take(canonical, hash, Content::Redacted);
    }

    fn take(&mut self, canonical: &str, hash: &Digest, content: Content) {
        self.seen += 1;
        match &self.first_bad {
            None => {
                if let Err(finding) = self.check(canonical, hash, content) {
                    self.first_bad = Some(finding);
                }
            }
            // What seemed to be missing may turn up later: then it is out of place.
            Some(Finding { seq, problem: Problem::Missing }) => {
                if Json::parse(canonical).ok().and_then(|json| json.get("seq")?.as_u64()) == Some(*seq) {
                    self.first_bad = Some(Finding { seq: *seq, problem: Problem::Reordered });
                }
            }
            Some(_) => {}
        }
    }

    /// Says that an event could not be read at all.
    pub fn push_unreadable(&mut self, why: &str) {
        self.seen += 1;
        if self.first_bad.is_none() {
            let seq = self.next.as_ref().map_or(1, |(seq, _)| *seq);
            self.first_bad = Some(Finding { seq, problem: Problem::Malformed { why: why.to_owned() } });
        }
    }

    fn check(&mut self, canonical: &str, hash: &Digest, content: Content) -> Result<(), Finding> {
        let expected = self.next.as_ref().map(|(seq, _)| *seq);
        let malformed = |why: String| Finding { seq: expected.unwrap_or(1), problem: Problem::Malformed { why } };
        let json = Json::parse_canonical(canonical).map_err(|e| malformed(e.to_string()))?;
        let field = |name: &str| json.get(name).ok_or_else(|| malformed(format!("it has no `{name}`")));
        let number = |name: &str| field(name)?.as_u64().ok_or_else(|| malformed(format!("`{name}` is not a number")));
        if number("v")? != u64::from(VERSION) {
            return Err(malformed(format!("version {} is not known", number("v")?)));
        }
        let seq = number("seq")?;
        let prev = field("prev")?.as_text().ok_or_else(|| malformed("`prev` is not text".to_owned()))?;
        let prev = Digest(prev.to_owned());
        let (mut expected, mut linked) = self.next.clone().unwrap_or_else(|| (seq, prev.clone()));
        if self.last.is_none() && seq > expected {
            // Whether what stood before was removed by Reeve, a later event says.
            self.gone = Some(Head { seq: seq - 1, hash: prev.clone() });
            (expected, linked) = (seq, prev.clone());
        }
        match seq.cmp(&expected) {
            std::cmp::Ordering::Less if self.gone.as_ref().is_some_and(|gone| seq <= gone.seq) => {
                return Err(Finding { seq, problem: Problem::Reordered });
            }
            std::cmp::Ordering::Greater => return Err(Finding { seq: expected, problem: Problem::Missing }),
            std::cmp::Ordering::Less => return Err(Finding { seq, problem: Problem::Repeated }),
            std::cmp::Ordering::Equal => {}
        }
        if content == Content::Whole && link(&prev, canonical) != *hash {
            return Err(Finding { seq, problem: Problem::Changed });
        }
        if prev != linked {
            return Err(self.broken_link(seq));
        }
        if let Some(gone) = self.gone.clone().filter(|_| self.last.is_none()) {
            self.check_seals(gone.seq, &gone.hash)?;
        }
        self.check_seals(seq, hash)?;
        self.note_removal(seq, &json)?;
        self.next = Some((seq.saturating_add(1), hash.clone()));
        self.last = Some(Head { seq, hash: hash.clone() });
        Ok(())
    }

    /// Both events are consistent in themselves, so one of the two had its hash computed anew. It is the one before, unless
    /// a seal vouches for that one or there is none.
    fn broken_link(&self, seq: u64) -> Finding {
        match &self.last {
            Some(last) if last.seq > self.sealed_to => Finding { seq: last.seq, problem: Problem::Unlinked },
            _ => Finding { seq, problem: Problem::Unlinked },
        }
    }

    fn check_seals(&mut self, seq: u64, hash: &Digest) -> Result<(), Finding> {
        let Some(sealed) = self.heads.get(&seq) else { return Ok(()) };
        if sealed.iter().any(|head| head != hash) {
            let problem = Problem::Recomputed { after: self.sealed_to, until: seq };
            return Err(Finding { seq: self.sealed_to.saturating_add(1), problem });
        }
        self.sealed_to = seq;
        Ok(())
    }

    /// Whether an event says that older ones were removed, and may say so.
    fn note_removal(&mut self, seq: u64, json: &Json) -> Result<(), Finding> {
        let Some(body) = json.get("body").filter(|body| says_removed(body)) else { return Ok(()) };
        let stated = body.get("removal").map(ToString::to_string).unwrap_or_default();
        let malformed = |e: serde_json::Error| Finding { seq, problem: Problem::Malformed { why: e.to_string() } };
        let removal: Removal = serde_json::from_str(&stated).map_err(malformed)?;
        let signed = self.key.is_none_or(|key| removal.is_signed_by(&key));
        if !signed || removal.last >= seq {
            return Err(Finding { seq, problem: Problem::ForgedRemoval });
        }
        if self.removal.as_ref().is_none_or(|known| known.last < removal.last) {
            self.removal = Some(removal);
        }
        Ok(())
    }

    /// What is wrong with the beginning of a record: more is gone than Reeve says to have removed.
    fn check_beginning(&self) -> Option<Finding> {
        let gone = self.gone.as_ref()?;
        let removed = self.removal.as_ref().map_or(0, |removal| removal.last);
        match removed.cmp(&gone.seq) {
            std::cmp::Ordering::Less => Some(Finding { seq: removed + 1, problem: Problem::Missing }),
            // Some of what is to go is still there.
            std::cmp::Ordering::Greater => None,
            std::cmp::Ordering::Equal => {
                let agrees = self.removal.as_ref().is_some_and(|removal| removal.head == gone.hash);
                (!agrees).then_some(Finding { seq: gone.seq.saturating_add(1), problem: Problem::Unlinked })
            }
        }
    }

    /// What is wrong so far.
    #[must_use]
    pub fn first_bad(&self) -> Option<&Finding> {
        self.first_bad.as_ref()
    }

    /// The end of a whole record: nothing that was sealed may lie beyond it.
    #[must_use]
    pub fn finish(mut self) -> Verification {
        if self.first_bad.is_none() {
            self.first_bad = self.check_beginning();
        }
        let last = self.last.as_ref().map_or(0, |head| head.seq);
        let sealed = self.heads.last_key_value().map_or(0, |(seq, _)| *seq);
        if self.first_bad.is_none() && sealed > last {
            self.first_bad = Some(Finding { seq: last + 1, problem: Problem::CutTail { last, sealed } });
        }
        self.finish_excerpt()
    }

    /// The end of a part of a record.
    #[must_use]
    pub fn finish_excerpt(self) -> Verification {
        // One for what Reeve removed vouches for nothing that is here: the key may be another one since.
        let removed = self.removal.as_ref().map_or(0, |removal| removal.last);
        let forged = self.forged.iter().copied().filter(|seq| *seq > removed).min();
        let forged = forged.map(|seq| Finding { seq, problem: Problem::ForgedSeal });
        let first_bad = self.first_bad.or(forged);
        Verification {
            ok: first_bad.is_none(),
            events: self.seen,
            head: self.last,
            sealed_to: self.sealed_to,
            removed_to: self.gone.map_or(0, |gone| gone.seq),
            signatures_checked: self.key.is_some(),
            first_bad,
        }
    }
}

fn says_removed(body: &Json) -> bool {
    body.get("event").and_then(Json::as_text) == Some("records.removed")
}

/// Verifies a whole record: canonical texts with their hashes, in order, against the seals of the database, those of the
/// mirror (and any other witness), and the key that signed them.
pub fn verify<'a>(
    events: impl IntoIterator<Item = (&'a str, &'a Digest)>,
    seals: &[Seal],
    mirrored: &[Seal],
    key: Option<&VerifyingKey>,
) -> Verification {
    let all: Vec<Seal> = seals.iter().chain(mirrored).cloned().collect();
    let mut verifier = Verifier::of_record(&all, key);
    for (canonical, hash) in events {
        verifier.push(canonical, hash);
    }
    verifier.finish()
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use ed25519_dalek::SigningKey;

    use super::*;
    use crate::chain::{RemovalCause, follow, link};
    use crate::event::{Draft, EventBody};

    type Line = (String, Digest);

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[3; 32])
    }

    /// Twenty events, sealed at 10 and 15.
    fn sample() -> (Vec<Line>, Vec<Seal>) {
        let mut prev = genesis();
        let mut lines = Vec::new();
        let mut seals = Vec::new();
        for seq in 1..=20 {
            let body = EventBody::EngineStopped { why: format!("for test {seq}") };
            let (event, text) = follow(&prev, seq, Utc::now(), Draft::engine(body)).unwrap();
            prev = event.hash.clone();
            lines.push((text, event.hash));
            if seq == 10 || seq == 15 {
                seals.push(Seal::sign(&key(), seq, prev.clone(), Utc::now()));
            }
        }
        (lines, seals)
    }

    fn found(lines: &[Line], seals: &[Seal]) -> Option<Finding> {
        let events = lines.iter().map(|(text, hash)| (text.as_str(), hash));
        verify(events, seals, &[], Some(&key().verifying_key())).first_bad
    }

    fn finding(seq: u64, problem: Problem) -> Option<Finding> {
        Some(Finding { seq, problem })
    }

    /// Computes hashes and links anew from index `from` up to (not with) `to`.
    fn recompute(lines: &mut [Line], from: usize, to: usize) {
        for i in from..to {
            let prev = if i == 0 { genesis() } else { lines[i - 1].1.clone() };
            let start = lines[i].0.find("\"prev\":\"").unwrap() + 8;
            lines[i].0.replace_range(start..start + 64, prev.as_str());
            lines[i].1 = link(&prev, &lines[i].0);
        }
    }

    #[test]
    fn an_untouched_record_verifies() {
        let (lines, seals) = sample();
        let events = lines.iter().map(|(text, hash)| (text.as_str(), hash));
        let verification = verify(events, &seals, &seals, Some(&key().verifying_key()));
        assert!(verification.ok, "{verification:?}");
        assert_eq!((verification.events, verification.sealed_to), (20, 15));
    }

    #[test]
    fn an_empty_record_verifies_only_when_nothing_was_sealed() {
        let (_, seals) = sample();
        assert_eq!(found(&[], &[]), None);
        assert_eq!(found(&[], &seals), finding(1, Problem::CutTail { last: 0, sealed: 15 }));
    }

    #[test]
    fn a_changed_event_is_named() {
        let (mut lines, seals) = sample();
        lines[6].0 = lines[6].0.replace("for test 7", "for test 8");
        assert_eq!(found(&lines, &seals), finding(7, Problem::Changed));
    }

    #[test]
    fn a_changed_hash_is_named() {
        let (mut lines, seals) = sample();
        lines[6].1 = Digest::of(b"other");
        assert_eq!(found(&lines, &seals), finding(7, Problem::Changed));
    }

    #[test]
    fn every_flipped_bit_of_a_record_is_found() {
        let (lines, seals) = sample();
        let length = lines[4].0.len();
        for at in 0..length {
            let mut bytes = lines[4].0.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let mut damaged = lines.clone();
            damaged[4].0 = text;
            assert!(found(&damaged, &seals).is_some(), "bit of byte {at}");
        }
    }

    #[test]
    fn a_missing_event_is_named() {
        let (mut lines, seals) = sample();
        lines.remove(6);
        assert_eq!(found(&lines, &seals), finding(7, Problem::Missing));
    }

    #[test]
    fn a_missing_first_event_is_named() {
        let (mut lines, seals) = sample();
        lines.remove(0);
        assert_eq!(found(&lines, &seals), finding(1, Problem::Missing));
    }

    /// The last event says that everything up to `last` was removed; what is there begins after `kept`.
    fn removed(last: u64, kept: usize, signer: &SigningKey) -> (Vec<Line>, Vec<Seal>) {
        let (mut lines, seals) = sample();
        let removal = Removal {
            first: 1,
            last,
            count: last,
            head: lines[usize::try_from(last).unwrap() - 1].1.clone(),
            cause: RemovalCause::Age,
            at: Utc::now(),
            signature: String::new(),
        };
        let body = EventBody::RecordsRemoved { removal: removal.signed(signer), by: None, problem: None };
        let (event, text) = follow(&lines[19].1, 21, Utc::now(), Draft::engine(body)).unwrap();
        lines.push((text, event.hash));
        (lines.split_off(kept), seals)
    }

    #[test]
    fn what_reeve_removed_itself_is_not_missing_also_when_some_of_it_is_still_there() {
        for kept in [12, 7, 1, 0] {
            let (lines, seals) = removed(12, kept, &key());
            assert_eq!(found(&lines, &seals), None, "{kept}");
        }
        let (lines, seals) = removed(12, 12, &key());
        let events = lines.iter().map(|(text, hash)| (text.as_str(), hash));
        let verification = verify(events, &seals, &[], Some(&key().verifying_key()));
        assert_eq!((verification.removed_to, verification.events, verification.sealed_to), (12, 9, 15));
    }

    #[test]
    fn more_than_reeve_removed_is_missing() {
        let (lines, seals) = removed(12, 13, &key());
        assert_eq!(found(&lines, &seals), finding(13, Problem::Missing));
        let (mut lines, seals) = removed(12, 12, &key());
        lines.remove(3);
        assert_eq!(found(&lines, &seals), finding(16, Problem::Missing));
        // Without the words about it nothing was removed by Reeve.
        lines.pop();
        assert!(found(&lines, &seals).is_some());
    }

    #[test]
    fn a_removal_signed_by_another_key_is_named_and_vouches_for_nothing() {
        let (lines, seals) = removed(12, 12, &SigningKey::from_bytes(&[4; 32]));
        assert_eq!(found(&lines, &seals), finding(21, Problem::ForgedRemoval));
    }

    #[test]
    fn a_seal_by_another_key_counts_only_beyond_what_was_removed() {
        let (lines, mut seals) = removed(12, 12, &key());
        let other = |seq| Seal::sign(&SigningKey::from_bytes(&[4; 32]), seq, Digest::of(b"?"), Utc::now());
        seals.push(other(12));
        assert_eq!(found(&lines, &seals), None);
        seals.extend([other(14), other(13)]);
        assert_eq!(found(&lines, &seals), finding(13, Problem::ForgedSeal));
    }

    #[test]
    fn a_record_that_begins_with_another_history_than_the_removed_one_is_named() {
        let (mut lines, _) = removed(12, 12, &key());
        let start = lines[0].0.find("\"prev\":\"").unwrap() + 8;
        lines[0].0.replace_range(start..start + 64, Digest::of(b"other").as_str());
        lines[0].1 = link(&Digest::of(b"other"), &lines[0].0);
        recompute(&mut lines, 1, 9);
        assert_eq!(found(&lines, &[]), finding(13, Problem::Unlinked));
    }

    #[test]
    fn reordered_events_are_named() {
        let (mut lines, seals) = sample();
        lines.swap(6, 11);
        assert_eq!(found(&lines, &seals), finding(7, Problem::Reordered));
    }

    #[test]
    fn a_repeated_event_is_named() {
        let (mut lines, seals) = sample();
        lines.insert(7, lines[6].clone());
        assert_eq!(found(&lines, &seals), finding(7, Problem::Repeated));
    }

    #[test]
    fn an_event_changed_with_its_hash_is_named() {
        let (mut lines, seals) = sample();
        lines[6].0 = lines[6].0.replace("for test 7", "for test 8");
        recompute(&mut lines, 6, 7);
        assert_eq!(found(&lines, &seals), finding(7, Problem::Unlinked));
    }

    #[test]
    fn recomputed_hashes_are_found_between_two_seals() {
        let (mut lines, seals) = sample();
        lines[11].0 = lines[11].0.replace("for test 12", "for test 99");
        recompute(&mut lines, 11, 20);
        assert_eq!(found(&lines, &seals), finding(11, Problem::Recomputed { after: 10, until: 15 }));
    }

    #[test]
    fn an_event_deleted_with_all_numbers_and_hashes_made_anew_is_found_between_two_seals() {
        let (mut lines, seals) = sample();
        lines.remove(11);
        for (i, line) in lines.iter_mut().enumerate().skip(11) {
            line.0 = line.0.replace(&format!("\"seq\":{}", i + 2), &format!("\"seq\":{}", i + 1));
        }
        recompute(&mut lines, 11, 19);
        assert_eq!(found(&lines, &seals), finding(11, Problem::Recomputed { after: 10, until: 15 }));
    }

    #[test]
    fn a_cut_tail_is_found_against_the_mirrored_head() {
        let (mut lines, seals) = sample();
        lines.truncate(12);
        let events = lines.iter().map(|(text, hash)| (text.as_str(), hash));
        let verification = verify(events, &seals[..1], &seals[1..], Some(&key().verifying_key()));
        assert_eq!(verification.first_bad, finding(13, Problem::CutTail { last: 12, sealed: 15 }));
    }

    #[test]
    fn a_seal_by_another_key_is_forged_and_vouches_for_nothing() {
        let (lines, mut seals) = sample();
        seals[1] = Seal::sign(&SigningKey::from_bytes(&[4; 32]), 15, Digest::of(b"?"), Utc::now());
        assert_eq!(found(&lines, &seals), finding(15, Problem::ForgedSeal));
    }

    #[test]
    fn what_is_no_record_is_malformed_and_not_a_crash() {
        let (lines, seals) = sample();
        for bad in ["", "{}", "[1]", "null", r#"{"v":1}"#, r#"{"seq":1,"v":2}"#, "\u{0}", r#"{"v":1,"v":1}"#] {
            let mut damaged = lines.clone();
            damaged[2].0 = bad.to_owned();
            let first = found(&damaged, &seals).unwrap();
            assert!(first.seq == 3 && matches!(first.problem, Problem::Malformed { .. }), "{bad}: {first:?}");
        }
    }

    #[test]
    fn an_excerpt_without_gaps_verifies_from_where_it_begins() {
        let (lines, seals) = sample();
        let mut verifier = Verifier::of_excerpt(&seals, Some(&key().verifying_key()));
        lines[4..12].iter().for_each(|(text, hash)| verifier.push(text, hash));
        let verification = verifier.finish_excerpt();
        assert!(verification.ok && verification.sealed_to == 10, "{verification:?}");
    }
}
