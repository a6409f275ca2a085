//! What looks like a secret in the query of a request, taken out before it is recorded or shown: values of parameters with
//! telling names, credentials of well-known shapes, user information, and long values without pattern.

mod shapes;

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

/// Any piece of a query with credentials of well-known shapes and user information replaced.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, length)) = next(rest) {
        let (clean, found) = rest.split_at(before);
        out.push_str(clean);
        out.push_str(REDACTED);
        rest = found.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Bytes of a credential that are looked at; more begin the next look, so that no line takes long.
const LONGEST: usize = 1024;

/// Where the first secret shape begins, and its length in bytes.
fn next(text: &str) -> Option<(usize, usize)> {
    let shapes = SHAPES.iter().filter_map(|(prefix, least)| {
        text.match_indices(prefix).find_map(|(at, _)| {
            let fresh = text.get(..at)?.chars().next_back().is_none_or(|c| !c.is_ascii_alphanumeric());
            let tail = text.get(at + prefix.len()..)?;
            let length = tail.bytes().take(LONGEST).take_while(|byte| is_token(*byte)).count();
            // Words may begin like a key, and have no digits.
            let digit = tail.bytes().take(length).any(|byte| byte.is_ascii_digit());
            (fresh && digit && length >= *least).then_some((at, prefix.len() + length))
        })
    });
    shapes.chain(user_information(text)).min()
}

/// `user:password` between `//`, plain or escaped, and `@`.
fn user_information(text: &str) -> Option<(usize, usize)> {
    ["://", "%3A%2F%2F", "%3a%2f%2f"]
        .iter()
        .filter_map(|mark| {
            let start = text.find(mark)? + mark.len();
            let rest = text.get(start..)?;
            let authority = rest.get(..rest.find(['/', '?', '#', '&']).unwrap_or(rest.len()))?;
            let end = ["@", "%40"].iter().filter_map(|at| authority.rfind(at)).max()?;
            (end > 0).then_some((start, end))
        })
        .min()
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
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
