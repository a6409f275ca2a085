//! Where in any text something stands that looks like a secret: credentials of well-known shapes, passwords in addresses and
//! private keys. One pass, however much is found.

use std::ops::Range;

use super::{LONGEST, REDACTED, SHAPES, is_token};

/// Longest `user:password@` that is looked at, in bytes.
const LONGEST_LOGIN: usize = 256;
/// How a private key begins and ends, whatever its kind.
const KEY_BEGINS: &str = "-----BEGIN ";
const KEY_NAMED: &str = "PRIVATE KEY-----";
const KEY_ENDS: &str = "-----END ";

/// Byte ranges, in order and apart from each other.
#[must_use]
pub fn shapes(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut fresh = true;
    while let Some(rest) = text.get(at..) {
        let Some(c) = rest.chars().next() else { break };
        let here = credential(rest).filter(|_| fresh).or_else(|| private_key(rest)).map(|length| at..at + length);
        if let Some(range) = here.or_else(|| login(text, at)) {
            at = range.end;
            found.push(range);
            fresh = true;
            continue;
        }
        fresh = !c.is_ascii_alphanumeric();
        at += c.len_utf8();
    }
    found
}

/// Length of a credential that begins here. Reeve's own placeholders are shaped like one and no secret.
pub(super) fn credential(rest: &str) -> Option<usize> {
    let (prefix, least) = SHAPES.iter().find(|(prefix, _)| rest.starts_with(prefix))?;
    let tail = rest.get(prefix.len()..)?;
    let length = tail.bytes().take(LONGEST).take_while(|byte| is_token(*byte)).count();
    let own = tail.get(..length)?;
    // Words may begin like a key, and have no digits.
    let digit = own.bytes().any(|byte| byte.is_ascii_digit());
    (digit && length >= *least && !is_placeholder(own)).then_some(prefix.len() + length)
}

/// Whether the whole text is one of Reeve's own placeholders.
pub(crate) fn is_own(text: &str) -> bool {
    is_placeholder(text) || SHAPES.iter().filter_map(|(prefix, _)| text.strip_prefix(prefix)).any(is_placeholder)
}

fn is_placeholder(tail: &str) -> bool {
    tail.strip_prefix("reeve-")
        .or_else(|| tail.split_once("-reeve-").map(|(_, hex)| hex))
        .is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Length of a private key that begins here; one that is cut off goes to the end of the text.
fn private_key(rest: &str) -> Option<usize> {
    let line = rest.strip_prefix(KEY_BEGINS)?;
    let named = line.find(KEY_NAMED).filter(|at| *at <= 32)?;
    let inside = KEY_BEGINS.len() + named + KEY_NAMED.len();
    let Some(end) = rest.get(inside..)?.find(KEY_ENDS) else { return Some(rest.len()) };
    let last = rest.get(inside + end..)?;
    let closed = last.find(KEY_NAMED).filter(|at| *at <= 48).map_or(KEY_ENDS.len(), |at| at + KEY_NAMED.len());
    Some(inside + end + closed)
}

/// `user:password` after a `://` that ends here.
fn login(text: &str, at: usize) -> Option<Range<usize>> {
    let before = text.get(..at)?;
    let rest = text.get(at..)?;
    if !before.ends_with("://") {
        return None;
    }
    let ends =
        |byte: &u8| matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\\' | b'\'' | b'<' | b'>' | b'`') || *byte <= b' ';
    let authority = rest.as_bytes().iter().take(LONGEST_LOGIN).take_while(|byte| !ends(byte)).count();
    let length = rest.as_bytes().get(..authority)?.iter().rposition(|byte| *byte == b'@')?;
    let own = rest.get(..length)?;
    (own.contains(':') && own != REDACTED).then(|| at..at + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        shapes(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn credentials_logins_and_keys_are_found_wherever_they_stand() {
        let token = format!("ghp_{}", "a1B2".repeat(9));
        assert_eq!(found(&format!("export T={token}; echo {token}")), [&token, &token]);
        assert_eq!(found("postgres://dana:pa55@db.example/x and https://a.example/@b"), ["dana:pa55"]);
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\n-----END OPENSSH PRIVATE KEY-----";
        assert_eq!(found(&format!("x {key} y")), [key]);
        assert_eq!(found("-----BEGIN PRIVATE KEY-----\ncut off").len(), 1);
    }

    #[test]
    fn words_placeholders_and_what_was_taken_out_before_stay() {
        for plain in [
            "sk-learn-contrib-documentation/task-list-for-tomorrow",
            "task-1234567890123456789",
            "github_pat_reeve-00112233445566778899aabbccddeeff",
            "sk-ant-api03-reeve-00112233445566778899aabbccddeeff",
            "https://(redacted)@a.example and me@b.example",
            "-----BEGIN CERTIFICATE-----",
            "é://ü:ö",
        ] {
            assert_eq!(found(plain), Vec::<&str>::new(), "{plain}");
        }
    }

    #[test]
    fn a_long_text_full_of_them_is_read_once() {
        let text = format!("eyJ{} ", "a1".repeat(20)).repeat(20_000);
        assert_eq!(shapes(&text).len(), 20_000);
    }
}
