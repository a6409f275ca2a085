//! The verifier over hostile exports, mirrors and canonical texts: nothing but the bytes that were exported verifies.
//! An input is a file and a manifest with a NUL between them.

use std::sync::Arc;

use chrono::{DateTime, Duration};
use ed25519_dalek::SigningKey;
use reeve_domain::chain::{
    ExportFormat, Head, Json, Manifest, Redacted, Seal, VERSION, follow, genesis, read_mirror, record_line,
    verify_export,
};
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::operation::Digest;

use super::{Target, behaviour, roughly, words};

struct Exported {
    file: Vec<u8>,
    manifest: String,
    key: SigningKey,
}

fn export(contiguous: bool) -> Exported {
    let key = SigningKey::from_bytes(&[9; 32]);
    let (mut prev, mut file, mut heads) = (genesis(), String::new(), Vec::new());
    for seq in 1..=6 {
        let at = DateTime::UNIX_EPOCH + Duration::seconds(i64::try_from(seq).unwrap_or_default());
        let body = EventBody::EngineStopped { why: format!("test {seq} \u{202e} \"quoted\"") };
        let Ok((event, _)) = follow(&prev, seq, at, Draft::engine(body)) else { continue };
        prev = event.hash.clone();
        if contiguous || seq % 2 == 0 {
            file.push_str(&record_line(&event).unwrap_or_default());
            file.push('\n');
            heads.push(Head { seq, hash: event.hash });
        }
    }
    let manifest = Manifest {
        v: VERSION,
        format: ExportFormat::Jsonl,
        query: "kind:llm".to_owned(),
        made_at: DateTime::UNIX_EPOCH,
        from: None,
        to: None,
        count: u64::try_from(heads.len()).unwrap_or_default(),
        first: heads.first().cloned(),
        last: heads.last().cloned(),
        contiguous,
        redacted: Redacted::default(),
        digest: Digest::of(file.as_bytes()),
        public_key: String::new(),
        signature: String::new(),
    };
    Exported { file: file.into_bytes(), manifest: manifest.signed(&key).text(), key }
}

pub(super) fn target() -> Target {
    let exports = Arc::new([export(true), export(false)]);
    let mut seeds: Vec<Vec<u8>> =
        exports.iter().map(|e| [e.file.as_slice(), b"\0", e.manifest.as_bytes()].concat()).collect();
    if let Some(first) = exports.first() {
        let seal = Seal::sign(&first.key, 6, Digest::of(b"head"), DateTime::UNIX_EPOCH);
        seeds.push(format!("{}\n\0", seal.line()).into_bytes());
    }
    let mut words = words(&[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"v\":1",
        "\"seq\":1",
        "\"prev\":",
        "\"hash\":",
        "\\u0000",
        "\\ud800",
        "1e3",
        "1.0",
        "-0",
        "null",
        "true",
        "\n",
        "\r\n",
        "\0",
        "\"event\":\"engine.stopped\"",
        "\"contiguous\":false",
        "\"count\":0",
        "\"count\":6",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "{\"a\":{\"a\":",
        " ",
        "\u{202e}",
        "\u{feff}",
    ]);
    // Whole lines, so that records are left out, doubled and moved.
    for exported in exports.iter() {
        words.extend(exported.file.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec));
    }
    let run = move |input: &[u8]| run(exports.as_ref(), input);
    Target { name: "verifier", seeds, words, longest: 8192, run: Box::new(run) }
}

fn run(exports: &[Exported], input: &[u8]) -> u64 {
    let (file, manifest) = input.iter().position(|b| *b == 0).map_or((input, &[][..]), |at| input.split_at(at));
    let manifest = String::from_utf8_lossy(manifest.get(1..).unwrap_or_default());
    let text = String::from_utf8_lossy(file);
    let mut seen = String::new();
    if let Ok(json) = Json::parse_canonical(&text) {
        assert_eq!(json.to_string(), text, "a canonical text that prints otherwise");
        seen.push_str("canonical ");
    }
    let (seals, bad) = read_mirror(&text);
    assert!(seals.iter().all(|seal| Json::parse_canonical(&seal.line()).is_ok()), "a seal that is not canonical");
    seen.push_str(&format!("{} {} ", roughly(seals.len()), roughly(bad.len())));
    for exported in exports {
        let key = exported.key.verifying_key();
        // The file as it came against the true manifest, and both as they came.
        for (stated, own) in [(exported.manifest.as_str(), false), (&manifest, true)] {
            match verify_export(file, stated, Some(&key)) {
                Ok(_) => {
                    let true_one = exports.iter().find(|e| e.manifest == stated.trim_end_matches(['\r', '\n']));
                    assert!(true_one.is_some_and(|e| e.file == file), "a changed export verifies");
                    seen.push_str("verified ");
                }
                Err(error) => {
                    let words =
                        error.to_string().chars().filter(|c| c.is_ascii_alphabetic()).take(28).collect::<String>();
                    seen.push_str(&format!("{own}{words} "));
                }
            }
        }
    }
    behaviour(&seen)
}
