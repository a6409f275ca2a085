//! The forms in which a secret may appear on the wire, and an automaton that finds them in a stream.
//! It is our own because it holds secrets: every table is wiped when dropped, and its state tells how many bytes at the
//! end of a chunk may still begin a form, which is exactly what masking has to hold back.

mod automaton;

use zeroize::Zeroizing;

use crate::sensitive::Secret;

pub use automaton::{Hit, Sought, State};

/// Forms shorter than this many bytes are not sought, so that a short secret does not mask half of a page. A secret
/// shorter than this is not sought at all.
pub const SHORTEST_FORM: usize = 6;

/// Bytes that are wiped when dropped.
pub type Form = Zeroizing<Vec<u8>>;

/// Every form that is sought for one secret, each once: raw; hex; percent-encoded as the usual encoders do it and wholly;
/// JSON-escaped as the usual writers do it and wholly; base64 in its three alignments, standard and URL-safe, the
/// standard one also inside JSON and percent-encoding. Of base64 the characters are taken that depend on the secret alone.
#[must_use]
pub fn forms(secret: &Secret) -> Vec<Form> {
    let raw = secret.expose();
    let mut all = vec![Zeroizing::new(raw.to_vec())];
    for case in [Case::Lower, Case::Upper] {
        all.push(hex(raw, case));
        for kept in [PLAIN, b"-_.!~*'()".as_slice(), b"*-._", b"-_."] {
            all.push(percent(raw, kept, case));
        }
        all.push(escape(raw, |byte, out| {
            out.push(b'%');
            push_hex(byte, case, out);
        }));
        all.push(json(raw, case, |_| JsonEscape::Code));
        all.push(json(raw, case, |c| if "<>&".contains(c) { JsonEscape::Code } else { JsonEscape::Needed }));
        all.push(json(raw, case, |c| if "<>&'\"+`".contains(c) { JsonEscape::Code } else { JsonEscape::Needed }));
    }
    all.push(json(raw, Case::Lower, |_| JsonEscape::Needed));
    all.push(json(raw, Case::Lower, |c| if c == '/' { JsonEscape::Slash } else { JsonEscape::Needed }));
    for alignment in 0..3 {
        all.push(base64(raw, alignment, *b"-_"));
        let standard = base64(raw, alignment, *b"+/");
        for case in [Case::Lower, Case::Upper] {
            all.push(percent(&standard, b"", case));
            all.push(json(&standard, case, |c| if c == '+' { JsonEscape::Code } else { JsonEscape::Needed }));
        }
        all.push(json(&standard, Case::Lower, |c| if c == '/' { JsonEscape::Slash } else { JsonEscape::Needed }));
        all.push(standard);
    }
    all.retain(|form| form.len() >= SHORTEST_FORM && raw.len() >= SHORTEST_FORM);
    all.sort_unstable_by(|a, b| a.as_slice().cmp(b.as_slice()));
    all.dedup();
    all
}

#[derive(Clone, Copy)]
enum Case {
    Lower,
    Upper,
}

/// Unreserved punctuation of RFC 3986.
const PLAIN: &[u8] = b"-._~";

fn push_hex(byte: u8, case: Case, out: &mut Vec<u8>) {
    let digits: &[u8; 16] = match case {
        Case::Lower => b"0123456789abcdef",
        Case::Upper => b"0123456789ABCDEF",
    };
    out.extend(digits.get(usize::from(byte >> 4)));
    out.extend(digits.get(usize::from(byte & 15)));
}

/// Writes each byte by a rule. The room is made once, so that no copy is left behind by growing.
fn escape(raw: &[u8], mut write: impl FnMut(u8, &mut Vec<u8>)) -> Form {
    let mut out = Zeroizing::new(Vec::with_capacity(raw.len() * 6));
    for &byte in raw {
        write(byte, &mut out);
    }
    out
}

fn hex(raw: &[u8], case: Case) -> Form {
    escape(raw, |byte, out| push_hex(byte, case, out))
}

/// Percent-encoding that keeps letters, digits and some punctuation.
fn percent(raw: &[u8], kept: &[u8], case: Case) -> Form {
    escape(raw, |byte, out| {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            out.push(byte);
        } else {
            out.push(b'%');
            push_hex(byte, case, out);
        }
    })
}

/// How a JSON writer treats one character.
#[derive(PartialEq)]
enum JsonEscape {
    /// Escaped only where the grammar demands it.
    Needed,
    /// `\/`.
    Slash,
    /// `\u00XX`.
    Code,
}

/// What a JSON writer makes of the secret inside a string. Secrets that are not UTF-8 cannot stand in JSON as they are.
fn json(raw: &[u8], case: Case, rule: impl Fn(char) -> JsonEscape) -> Form {
    let mut out = Zeroizing::new(Vec::with_capacity(raw.len() * 6));
    let code = |c: char, out: &mut Vec<u8>| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.extend(b"\\u");
            let [high, low] = unit.to_be_bytes();
            push_hex(high, case, out);
            push_hex(low, case, out);
        }
    };
    for c in std::str::from_utf8(raw).unwrap_or_default().chars() {
        match (rule(c), c) {
            (JsonEscape::Code, _) => code(c, &mut out),
            (JsonEscape::Slash, _) => out.extend(b"\\/"),
            (JsonEscape::Needed, '"') => out.extend(b"\\\""),
            (JsonEscape::Needed, '\\') => out.extend(b"\\\\"),
            (JsonEscape::Needed, '\n') => out.extend(b"\\n"),
            (JsonEscape::Needed, '\r') => out.extend(b"\\r"),
            (JsonEscape::Needed, '\t') => out.extend(b"\\t"),
            (JsonEscape::Needed, '\0'..='\x1f') => code(c, &mut out),
            (JsonEscape::Needed, _) => out.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

/// Base64 of the secret as it looks when it begins `alignment` bytes into a group of three: only the characters that
/// carry bits of the secret alone. Up to five bits at either end stay unmatched.
fn base64(raw: &[u8], alignment: usize, last_two: [u8; 2]) -> Form {
    let mut out = Zeroizing::new(Vec::with_capacity(raw.len() * 4 / 3 + 4));
    let (mut held, mut bits) = (0_u32, 0_u32);
    for &byte in std::iter::repeat_n(&0, alignment).chain(raw) {
        held = held << 8 | u32::from(byte);
        bits += 8;
        while bits >= 6 {
            bits -= 6;
            let six = u8::try_from(held >> bits & 63).unwrap_or_default();
            out.push(match six {
                0..26 => b'A' + six,
                26..52 => b'a' + (six - 26),
                52..62 => b'0' + (six - 52),
                62 => last_two[0],
                _ => last_two[1],
            });
        }
    }
    // The first characters mix in what stands before the secret: none, two or three of them.
    let mixed = if alignment == 0 { 0 } else { alignment + 1 };
    let mixed = mixed.min(out.len());
    out.drain(..mixed);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(secret: &str) -> Vec<String> {
        forms(&Secret::from(secret.to_owned())).iter().map(|f| String::from_utf8_lossy(f).into_owned()).collect()
    }

    #[test]
    fn the_usual_encodings_are_sought() {
        let all = texts("a/b+c=\"d\" <é>");
        for form in [
            "a/b+c=\"d\" <é>",
            "612f622b633d2264",
            "612F622B633D2264",
            "a%2fb%2bc%3d%22d%22%20%3c%c3%a9%3e",
            "a%2Fb%2Bc%3D%22d%22%20%3C%C3%A9%3E",
            "%61%2f%62%2b",
            "a/b+c=\\\"d\\\" <é>",
            "a\\/b+c=\\\"d\\\" <é>",
            "a/b+c=\\\"d\\\" \\u003cé\\u003e",
            "a/b\\u002Bc=\\u0022d\\u0022 \\u003Cé\\u003E",
            "\\u0061\\u002f\\u0062\\u002b",
            "\\u0061\\u002F\\u0062\\u002B",
        ] {
            assert!(all.iter().any(|f| f.starts_with(form)), "{form} is not among {all:#?}");
        }
    }

    #[test]
    fn base64_is_found_at_every_alignment() {
        // Computed with coreutils' base64 from 0, 1, 2 and 3 bytes of `x` before the secret, and `yy` after it.
        let all = texts("sk-live-?>~51Hx");
        for whole in [
            "c2stbGl2ZS0/Pn41MUh4eXk=",
            "eHNrLWxpdmUtPz5+NTFIeHl5",
            "eHhzay1saXZlLT8+fjUxSHh5eQ==",
            "eHh4c2stbGl2ZS0/Pn41MUh4eXk=",
        ] {
            assert!(all.iter().any(|form| form.len() > 15 && whole.contains(form)), "nothing found in {whole}");
            let safe = whole.replace('+', "-").replace('/', "_");
            assert!(all.iter().any(|form| form.len() > 15 && safe.contains(form)), "nothing found in {safe}");
            let in_json = whole.replace('/', "\\/");
            assert!(all.iter().any(|form| form.len() > 15 && in_json.contains(form)), "nothing found in {in_json}");
            let in_url = whole.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
            assert!(all.iter().any(|form| form.len() > 15 && in_url.contains(form)), "nothing found in {in_url}");
        }
    }

    #[test]
    fn short_secrets_are_not_sought() {
        assert_eq!(texts("12345"), Vec::<String>::new());
        assert_eq!(texts(""), Vec::<String>::new());
        assert!(texts("123456").contains(&"123456".to_owned()));
        assert!(texts("hunter2").iter().all(|form| form.len() >= SHORTEST_FORM));
    }

    #[test]
    fn each_form_is_there_once() {
        let all = texts("plainletters0123456789");
        let mut once = all.clone();
        once.dedup();
        assert_eq!(all, once);
        assert!(all.len() < 20, "{all:#?}");
    }
}
