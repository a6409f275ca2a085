//! What looks like a secret in the path or query of a request, taken out before it is recorded or shown: values of parameters with
//! telling names, credentials of well-known shapes, user information, and long values without pattern.

mod shapes;

use reeve_domain::operation::Digest;

pub(crate) use shapes::is_own;
pub use shapes::shapes;

/// What stands where a value was. Of characters that a path needs not escape.
pub const REDACTED: &str = "(redacted)";

/// Names of parameters that carry secrets, compared without case, `-`, `_` and `.`.
const NAMES: &[&str] = &[
    "accesskey",
    "accesstoken",
    "apikey",
    "appkey",
    "assertion",
    "auth",
    "authorization",
    "authtoken",
    "awsaccesskeyid",
    "bearer",
    "clientsecret",
    "code",
    "codeverifier",
    "credential",
    "credentials",
    "idtoken",
    "jwt",
    "key",
    "keypairid",
    "otp",
    "pass",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "pin",
    "policy",
    "privatekey",
    "pwd",
    "refreshtoken",
    "samlresponse",
    "secret",
    "secretkey",
    "session",
    "sessionid",
    "sid",
    "sig",
    "signature",
    "ticket",
    "token",
    "xamzcredential",
    "xamzsecuritytoken",
    "xamzsignature",
    "xgoogcredential",
    "xgoogsignature",
];

/// Endings of such names: `github_token`, `webhook-secret`.
const ENDINGS: &[&str] = &["token", "secret", "password", "apikey", "signature", "accesskey", "privatekey"];

/// How well-known credentials begin, and how many characters follow at least.
const SHAPES: &[(&str, usize)] = &[
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("sk-", 16),
    ("sk_live_", 12),
    ("sk_test_", 12),
    ("rk_live_", 12),
    ("whsec_", 16),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("xapp-", 10),
    ("AIza", 30),
    ("ya29.", 20),
    ("AKIA", 16),
    ("ASIA", 16),
    ("npm_", 30),
    ("pypi-", 30),
    ("dop_v1_", 30),
    ("hf_", 24),
    ("SG.", 30),
    ("eyJ", 30),
];

/// Shortest value that is taken for random.
const LONG: usize = 24;

/// The query with names kept and telling values replaced. Everything else stays byte for byte.
#[must_use]
pub fn query(query: &str) -> String {
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, value)) if !value.is_empty() && (is_telling(name) || is_random(&decoded(value))) => {
            format!("{}={REDACTED}", text(name))
        }
        Some((name, value)) => format!("{}={}", text(name), text(value)),
        None if is_random(&decoded(pair)) => REDACTED.to_owned(),
        None => text(pair),
    };
    query.split('&').map(pair).collect::<Vec<_>>().join("&")
}

/// The path with credentials of well-known shapes, user information and scrambled words replaced, each by a mark that
/// tells one from the other: two addresses that differ in a secret alone stay two.
#[must_use]
pub fn path(path: &str) -> String {
    let marked = replaced(path, |secret| {
        let hash = Digest::of(secret.as_bytes());
        format!("(redacted.{})", hash.as_str().get(..8).unwrap_or_default())
    });
    let mut out = String::with_capacity(marked.len());
    for run in marked.as_bytes().chunk_by(|a, b| is_token(*a) == is_token(*b)) {
        let run = String::from_utf8_lossy(run);
        if is_scrambled(&run) {
            let hash = Digest::of(run.as_bytes());
            out.push_str(&format!("(redacted.{})", hash.as_str().get(..8).unwrap_or_default()));
        } else {
            out.push_str(&run);
        }
    }
    out
}

/// Any text with credentials of well-known shapes, passwords in addresses and private keys replaced. Reeve's own
/// placeholders stay.
#[must_use]
pub fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    for range in shapes(text) {
        out.push_str(text.get(kept..range.start).unwrap_or_default());
        out.push_str(REDACTED);
        kept = range.end;
    }
    out.push_str(text.get(kept..).unwrap_or_default());
    out
}

/// Any piece of a query with credentials of well-known shapes and user information replaced.
fn text(text: &str) -> String {
    replaced(text, |_| REDACTED.to_owned())
}

/// Bytes of a credential that are looked at; more begin the next look, so that no line takes long.
const LONGEST: usize = 1024;

/// One pass over a line, however much is in it.
fn replaced(text: &str, mark: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut at, mut kept, mut fresh) = (0, 0, true);
    while let Some(rest) = text.get(at..)
        && let Some(c) = rest.chars().next()
    {
        let here = if fresh { shapes::credential(rest) } else { None };
        if let Some(length) = here.or_else(|| user_information(text, at)) {
            out.push_str(text.get(kept..at).unwrap_or_default());
            out.push_str(&mark(rest.get(..length).unwrap_or_default()));
            at += length;
            (kept, fresh) = (at, true);
            continue;
        }
        fresh = !c.is_ascii_alphanumeric();
        at += c.len_utf8();
    }
    out.push_str(text.get(kept..).unwrap_or_default());
    out
}

/// Length of `user:password` here, between `//`, plain or escaped, and `@`.
fn user_information(text: &str, at: usize) -> Option<usize> {
    let before = text.get(..at)?;
    let escaped = before.ends_with("%3A%2F%2F") || before.ends_with("%3a%2f%2f");
    if !escaped && !before.ends_with("://") {
        return None;
    }
    let rest = text.get(at..)?.as_bytes();
    let ends = |bytes: &[u8]| match bytes {
        [b'/' | b'?' | b'#' | b'&', ..] => true,
        [b'%', b'2', b'F' | b'f', ..] | [b'%', b'3', b'F' | b'f', ..] | [b'%', b'2', b'3', ..] => escaped,
        _ => false,
    };
    let length = (0..rest.len().min(LONGEST)).find(|from| rest.get(*from..).is_none_or(ends));
    let authority = rest.get(..length.unwrap_or(rest.len().min(LONGEST)))?;
    let plain = authority.iter().rposition(|byte| *byte == b'@');
    let escaped = authority.windows(3).rposition(|bytes| bytes == b"%40");
    plain.max(escaped).filter(|length| *length > 0)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// Names of arguments that carry secrets. Fewer than in addresses: `code` and `key` are what many tools are about.
const ARGUMENTS: &[&str] = &["passwd", "pwd", "passphrase", "passcode", "bearer", "authorization", "credentials"];

/// Whether the name of an argument says that a secret follows it.
pub(crate) fn hides(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    ARGUMENTS.contains(&name.as_str()) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn is_telling(name: &str) -> bool {
    let name: String =
        decoded(name).chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    NAMES.contains(&name.as_str()) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Long, in one word, of mixed characters, and with more than 3.5 bits in each: no name, number, hash of a file or date.
fn is_random(value: &str) -> bool {
    let word =
        value.len() >= LONG && value.bytes().all(|byte| is_token(byte) || matches!(byte, b'+' | b'/' | b'=' | b'~'));
    let any = |kind: fn(&u8) -> bool| value.as_bytes().iter().any(kind);
    let mixed = any(u8::is_ascii_digit) && any(u8::is_ascii_lowercase) && any(u8::is_ascii_uppercase);
    word && mixed && entropy(value) > 3.5
}

/// As [`is_random`] for a word of a path, where file names of several words and numbers are common: what a machine has
/// drawn changes between small letters, capitals and digits at every other place.
fn is_scrambled(word: &str) -> bool {
    let class = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase(), byte.is_ascii_lowercase());
    let changes = word.as_bytes().windows(2).filter(|pair| matches!(pair, [a, b] if class(*a) != class(*b))).count();
    is_random(word) && changes * 20 >= word.len() * 9
}

/// Bits in each byte, by how often each occurs.
fn entropy(value: &str) -> f64 {
    let mut counts = std::collections::HashMap::<u8, u32>::new();
    for byte in value.bytes() {
        *counts.entry(byte).or_default() += 1;
    }
    let all = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    counts.values().map(|count| f64::from(*count) / all).map(|share| -share * share.log2()).sum()
}

/// Escapes decoded as far as they are text; enough for looking, never for sending.
fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.extend_from_slice(before.as_bytes());
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push(b'%');
                rest = after;
            }
        }
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_telling_names_are_replaced_and_the_rest_stays() {
        for (given, want) in [
            ("q=reeve&page=2", "q=reeve&page=2"),
            ("token=abc&page=2", "token=(redacted)&page=2"),
            (
                "a=1&X-Amz-Signature=0f0f&X-Amz-Date=20261120T130339Z",
                "a=1&X-Amz-Signature=(redacted)&X-Amz-Date=20261120T130339Z",
            ),
            ("access%5Ftoken=x", "access%5Ftoken=(redacted)"),
            ("GITHUB_TOKEN=x&tokens=5", "GITHUB_TOKEN=(redacted)&tokens=5"),
            ("key=&flag", "key=&flag"),
            ("", ""),
        ] {
            assert_eq!(query(given), want);
        }
    }

    #[test]
    fn credentials_are_known_by_their_shape_wherever_they_stand() {
        let token = format!("ghp_{}", "a1B2".repeat(9));
        assert_eq!(query(&format!("ref={token}&x=1")), "ref=(redacted)&x=1");
        assert_eq!(query(&token), "(redacted)");
        assert_eq!(text(&format!("/raw/{token}/file.txt")), "/raw/(redacted)/file.txt");
        assert_eq!(
            text("/sk-learn-contrib-documentation/task-list-for-tomorrow"),
            "/sk-learn-contrib-documentation/task-list-for-tomorrow"
        );
        assert_eq!(text("GET a.example/xoxb-1234567890-abc"), "GET a.example/(redacted)");
    }

    #[test]
    fn user_information_inside_a_value_is_replaced() {
        assert_eq!(query("url=https://dana:pw@a.example/x"), "url=https://(redacted)@a.example/x");
        assert_eq!(
            query("url=https%3A%2F%2Fdana%3Apw%40a.example&b=1"),
            "url=https%3A%2F%2F(redacted)%40a.example&b=1"
        );
        assert_eq!(query("url=https://a.example/@x"), "url=https://a.example/@x");
        assert_eq!(
            query("url=https://a.example/?next=https://dana:pw@b.example/"),
            "url=https://a.example/?next=https://(redacted)@b.example/"
        );
        assert_eq!(
            query("u=https%3A%2F%2Fa.example%2F%3Fv%3Dhttps%3A%2F%2Fd%3Ap%40b"),
            "u=https%3A%2F%2Fa.example%2F%3Fv%3Dhttps%3A%2F%2F(redacted)%40b"
        );
    }

    #[test]
    fn secrets_in_paths_are_replaced_by_marks_that_differ_and_names_stay() {
        let hook = |secret: &str| path(&format!("/services/T024BE7LD/B024BE7LE/{secret}"));
        let one = hook("Zk3vQ9xLr7TbW2mNc8YpHd5s");
        assert!(one.starts_with("/services/T024BE7LD/B024BE7LE/(redacted.") && one.ends_with(')'), "{one}");
        assert_ne!(one, hook("Zk3vQ9xLr7TbW2mNc8YpHd5t"));
        assert_eq!(one, hook("Zk3vQ9xLr7TbW2mNc8YpHd5s"));
        let bot = path("/bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getMe");
        assert!(bot.starts_with("/bot123456789:(redacted.") && bot.ends_with(")/getMe"), "{bot}");
        let token = format!("ghp_{}", "a1B2".repeat(9));
        assert!(!path(&format!("/raw/{token}/file.txt")).contains(&token));
        assert!(!path("/fetch/https://dana:pw@a.example/x").contains("dana"));
        for kept in [
            "/",
            "/repos/acme/api/contents/src/main/java/PaymentServiceV2IntegrationTest2.java",
            "/v1/files/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
            "/x/123e4567-e89b-12d3-a456-426614174000",
            "/@types%2Fnode/-/node-20.11.1-rc.2.tgz",
            "/v1beta/models/gemini-2.5-pro:streamGenerateContent",
        ] {
            assert_eq!(path(kept), kept);
        }
    }

    #[test]
    fn a_line_full_of_secrets_is_read_once() {
        let line = format!("ghp_{}/x://", "a1B2".repeat(6)).repeat(20_000);
        assert_eq!(text(&line).matches(REDACTED).count(), 20_000);
        assert_eq!(path(&line).matches("(redacted.").count(), 20_000);
    }

    #[test]
    fn long_values_without_pattern_are_replaced_and_names_and_hashes_are_not() {
        assert_eq!(query("t=Zk3vQ9xLr7TbW2mNc8YpHd5s"), "t=(redacted)");
        for kept in [
            "sha=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
            "q=a-sentence-with-many-words-in-it",
            "n=123456789012345678901234567890",
        ] {
            assert_eq!(query(kept), kept);
        }
    }
}
