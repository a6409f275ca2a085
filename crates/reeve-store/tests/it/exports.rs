//! Exports: what they hold, and that they verify without the store.

use std::io::Write;
use std::sync::{Arc, Mutex};

use reeve_domain::chain::{ExportError, ExportFormat, Manifest, Scanner, verify_export};
use reeve_domain::id::SessionId;
use reeve_domain::query::{Query, parse};
use reeve_domain::sensitive::Secret;
use reeve_domain::sought::Sought;
use reeve_domain::verdict::DenialKind;
use reeve_store::Store;

use crate::samples::*;

/// A file in memory that outlives its writer.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn filled() -> Store {
    let store = in_memory(&clock());
    let session = session("claude-code");
    store.open_session(session.clone(), "00".repeat(32)).await.unwrap();
    for n in 0..5 {
        let operation = llm(principal("claude-code", &session.id), "claude-sonnet");
        let day = [account("day", "me:dana", noon(), money(1_000_000))];
        store.admit(spending(&operation, &day, 500, 10)).await.unwrap();
        store.settle(operation, used(n, 2), Some(settlement(100, 5))).await.unwrap();
    }
    let mut evil = http(principal("codex", &SessionId::new()), "evil.example", "GET", "/");
    evil.summary = "=HYPERLINK(\"http://x\")\u{202e}\n".to_owned();
    store.deny(evil, None, denial(DenialKind::Policy, "no-evil"), None).await.unwrap();
    store
}

/// Knows one secret.
fn scanner() -> Scanner {
    let secret = Secret::from("hunter2-hunter2".to_owned());
    Scanner::new(Sought::new([((), &secret)]), |_| Vec::new())
}

async fn export(store: &Store, query: &str, format: ExportFormat) -> (String, Manifest) {
    let file = Shared::default();
    let query = parse(query).query;
    let manifest = store.export(&query, format, scanner(), file.clone()).await.unwrap();
    let bytes = file.0.lock().unwrap().clone();
    (String::from_utf8(bytes).unwrap(), manifest)
}

#[tokio::test]
async fn the_whole_record_exports_without_gaps_and_verifies_offline() {
    let store = filled().await;
    let (file, manifest) = export(&store, "", ExportFormat::Jsonl).await;
    assert_eq!((manifest.count, manifest.contiguous), (12, true));
    let verified = verify_export(file.as_bytes(), &manifest.text(), Some(&key().verifying_key())).unwrap();
    assert!(verified.links_verified && verified.key_trusted);
    assert!(file.lines().all(|line| line.starts_with("{\"v\":1,\"id\":")));
    assert!(!file.contains('\u{202e}'));
}

#[tokio::test]
async fn a_query_exports_all_records_of_what_matches_and_nothing_else() {
    let store = filled().await;
    let (file, manifest) = export(&store, "kind:llm", ExportFormat::Jsonl).await;
    assert_eq!((manifest.count, manifest.query.as_str()), (10, "kind:llm"));
    assert!(verify_export(file.as_bytes(), &manifest.text(), None).is_ok());
    let (file, manifest) = export(&store, "decision:denied", ExportFormat::Jsonl).await;
    assert!(file.contains("\"effect\":\"denied\"") && manifest.count == 1);
    let (file, manifest) = export(&store, "agent:nobody", ExportFormat::Jsonl).await;
    assert_eq!((file.as_str(), manifest.count), ("", 0));
    assert!(verify_export(file.as_bytes(), &manifest.text(), None).is_ok());
}

#[tokio::test]
async fn csv_flattens_with_dots_and_neutralises_cells() {
    let store = filled().await;
    let (file, manifest) = export(&store, "", ExportFormat::Csv).await;
    let lines: Vec<&str> = file.lines().collect();
    assert!(lines[0].starts_with("v,id,ts,agent,session,parent,kind,summary,where.host"));
    assert_eq!((lines.len(), manifest.count, manifest.contiguous), (7, 6, false));
    assert!(lines[6].contains("\"'=HYPERLINK(\"\"http://x\"\")\\u{202e}\\u{a}\""), "{}", lines[6]);
    assert!(verify_export(file.as_bytes(), &manifest.text(), None).is_ok());
}

#[tokio::test]
async fn a_byte_changed_in_either_file_is_found() {
    let store = filled().await;
    for format in [ExportFormat::Jsonl, ExportFormat::Csv] {
        let (file, manifest) = export(&store, "", format).await;
        let manifest = manifest.text();
        for at in (0..file.len()).step_by(7) {
            let mut bytes = file.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(verify_export(bytes.as_slice(), &manifest, None).is_err(), "byte {at}");
        }
        for at in 0..manifest.len() {
            let mut bytes = manifest.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            assert!(verify_export(file.as_bytes(), &text, None).is_err(), "manifest byte {at}");
        }
    }
}

#[tokio::test]
async fn an_export_by_another_reeve_is_told_apart() {
    let store = filled().await;
    let (file, manifest) = export(&store, "", ExportFormat::Jsonl).await;
    let other = ed25519_dalek::SigningKey::from_bytes(&[1; 32]).verifying_key();
    let refused = verify_export(file.as_bytes(), &manifest.text(), Some(&other));
    assert!(matches!(refused, Err(ExportError::OtherKey(_))));
}

#[tokio::test]
async fn a_writer_that_fails_is_an_error() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::from(std::io::ErrorKind::StorageFull))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let store = filled().await;
    assert!(store.export(&Query::All, ExportFormat::Csv, scanner(), Full).await.is_err());
}

#[tokio::test]
async fn a_stored_secret_leaves_with_no_export_and_the_manifest_names_the_record() {
    let store = filled().await;
    let mut careless = http(principal("codex", &SessionId::new()), "a.example", "GET", "/");
    careless.summary = "GET a.example/?x=aHVudGVyMi1odW50ZXIy and hunter2-hunter2".to_owned();
    store.deny(careless, None, denial(DenialKind::Policy, "no"), None).await.unwrap();
    for format in [ExportFormat::Jsonl, ExportFormat::Csv] {
        let (file, manifest) = export(&store, "", format).await;
        assert!(!file.contains("hunter2") && !file.contains("aHVudGVyMi1odW50ZXIy"), "{file}");
        assert!(file.contains("x=(redacted) and (redacted)"), "{file}");
        assert_eq!(manifest.redacted.count, 1);
        assert!(verify_export(file.as_bytes(), &manifest.text(), Some(&key().verifying_key())).is_ok());
    }
    assert!(export(&store, "kind:llm", ExportFormat::Jsonl).await.1.redacted.is_empty());
}

/// Takes what begins like a key for one, up to the next dot, slash or end.
fn shaped(text: &str) -> Vec<std::ops::Range<usize>> {
    let ends = |at: usize| text[at..].find(['.', '/', ' ']).map_or(text.len(), |length| at + length);
    text.match_indices("sk-").map(|(at, _)| at..ends(at)).collect()
}

async fn export_shaped(store: &Store) -> Result<(String, Manifest), reeve_store::StoreError> {
    let secret = Secret::from("hunter2-hunter2".to_owned());
    let scanner = Scanner::new(Sought::new([((), &secret)]), shaped);
    let file = Shared::default();
    let manifest = store.export(&Query::All, ExportFormat::Jsonl, scanner, file.clone()).await?;
    let bytes = file.0.lock().unwrap().clone();
    Ok((String::from_utf8(bytes).unwrap(), manifest))
}

#[tokio::test]
async fn what_only_looks_like_a_secret_stops_no_export_wherever_and_however_often_it_stands() {
    let store = in_memory(&clock());
    for n in 0..1100 {
        let host = if n % 2 == 0 { "sk-1aaaaaaaaaaaaaaaaa.example.com" } else { "a.example" };
        let mut odd = http(principal("codex", &SessionId::new()), host, "GET", "/");
        odd.summary = if n % 3 == 0 { "GET sk-1aaaaaaaaaaaaaaaaa.example.com/".to_owned() } else { "GET a".to_owned() };
        store.deny(odd, None, denial(DenialKind::Policy, "no"), None).await.unwrap();
    }
    let (file, manifest) = export_shaped(&store).await.unwrap();
    assert!(file.contains("GET (redacted).example.com/") && !file.contains("GET sk-"), "the free text is clean");
    assert!(file.contains("\"host\":\"sk-1aaaaaaaaaaaaaaaaa.example.com\""), "a host stays what it is");
    assert_eq!((manifest.count, manifest.redacted.count), (1100, 367));
    assert!(manifest.text().len() < 32 << 10 && manifest.redacted.ranges.len() <= 500);
    verify_export(file.as_bytes(), &manifest.text(), Some(&key().verifying_key())).unwrap();

    let mut known = http(principal("codex", &SessionId::new()), "hunter2-hunter2.example", "GET", "/");
    known.summary = "GET".to_owned();
    store.deny(known, None, denial(DenialKind::Policy, "no"), None).await.unwrap();
    assert!(export_shaped(&store).await.is_err(), "a stored secret leaves with no export");
}
