//! Request paths, judged after one canonicalisation; ambiguous forms are refused.
//! What two servers could read as different resources (encoded separators, dot segments, empty segments, `;` parameters)
//! never gets as far as a rule.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A path that means the same to every server: starts with `/`, no dot segments, no empty segments, no encoded separators
/// but the one of a package's scope (`/@scope%2Fname`, as npm asks for it).
///
/// One canonicalisation was applied, by the equivalences of RFC 3986 section 6.2.2: escapes are upper-case, escaped
/// letters, digits, `-`, `_` and `~` are decoded, and `[ ] | ^ { }` are escaped. The bytes forwarded are these bytes.
///
/// What is judged and forwarded is the path itself; what is written out ([`shown`](Self::shown), `Display`, `Debug`,
/// serde) may have secrets taken out of it. A path that was written so says it, and is [incomplete](Self::is_incomplete)
/// when it is read again.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct RequestPath {
    path: String,
    /// What is written out instead.
    shown: Option<String>,
    incomplete: bool,
}

/// A path as it is recorded: as it is, or what is shown of it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Whole(String),
    Without { shown: String },
}

/// A path that breaks the grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not an acceptable path: {rule}")]
pub struct PathError {
    /// At most 64 characters of what was given, controls escaped.
    given: String,
    rule: PathRule,
}

impl PathError {
    /// The rule that was broken.
    #[must_use]
    pub fn rule(&self) -> PathRule {
        self.rule
    }
}

/// The rules of the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PathRule {
    #[error("it must start with `/`")]
    Start,
    #[error("query or fragment are not part of it")]
    QueryOrFragment,
    #[error("only ASCII is accepted, other characters must be percent-encoded")]
    Ascii,
    #[error("a control character is in it, raw or escaped")]
    Control,
    #[error("a character is in it that a URL must escape")]
    Character,
    #[error("`%` is not followed by two hexadecimal digits")]
    Escape,
    #[error(
        "`.`, `/`, `\\`, `;` or `%` is escaped in it, which servers read differently; only one `%2F` is taken, between a scope and a name as in `/@scope%2Fname`"
    )]
    AmbiguousEscape,
    #[error("`\\` is read as `/` by some servers")]
    Backslash,
    #[error("`;` parameters are read differently by servers")]
    Semicolon,
    #[error("a segment is empty")]
    EmptySegment,
    #[error("a segment is `.` or `..`")]
    DotSegment,
}

/// The one escaped separator that is taken.
const SCOPE_END: &str = "%2F";

/// What to do with one byte that an escape stands for.
enum Escaped {
    Decode,
    Keep,
    Refuse(PathRule),
}

fn judge_escape(byte: u8) -> Escaped {
    match byte {
        b'.' | b'/' | b'\\' | b';' | b'%' => Escaped::Refuse(PathRule::AmbiguousEscape),
        0..=0x1f | 0x7f => Escaped::Refuse(PathRule::Control),
        b'-' | b'_' | b'~' => Escaped::Decode,
        _ if byte.is_ascii_alphanumeric() => Escaped::Decode,
        _ => Escaped::Keep,
    }
}

/// Characters of a path segment that need no escape and have no second reading: RFC 3986 `pchar` without `;`.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte)
}

fn push_escaped(out: &mut String, byte: u8) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    out.push('%');
    out.extend(HEX.get(usize::from(byte >> 4)));
    out.extend(HEX.get(usize::from(byte & 15)));
}

fn hex_digit(byte: Option<u8>) -> Option<u8> {
    char::from(byte?).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

impl RequestPath {
    /// Reads the path of a request target, without query. `*` (for `OPTIONS`) is no path.
    ///
    /// # Errors
    /// Names the rule that was broken.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        canonical(text)
            .map(|path| Self { path, shown: None, incomplete: false })
            .map_err(|rule| PathError { given: text.chars().take(64).flat_map(char::escape_debug).collect(), rule })
    }

    /// `/`.
    #[must_use]
    pub fn root() -> Self {
        Self { path: "/".to_owned(), shown: None, incomplete: false }
    }

    /// The bytes that are judged and forwarded. They may hold a secret: what is recorded or told is
    /// [`shown`](Self::shown).
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// The same path, written out as `shown` from now on. What is no acceptable path is not taken: then the whole path is
    /// hidden.
    #[must_use]
    pub fn showing(self, shown: &str) -> Self {
        if shown == self.path {
            return Self { shown: None, ..self };
        }
        let shown = canonical(shown).unwrap_or_else(|_| "/(redacted)".to_owned());
        Self { shown: Some(shown), ..self }
    }

    /// As it is recorded and told.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.path)
    }

    /// Whether it was read from where it had been written without a secret: it names nothing that could be asked for.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// How many of its first [`segments`](Self::segments) are certainly written out as they are; `None` where all are,
    /// because nothing was taken out.
    #[must_use]
    pub fn open_segments(&self) -> Option<usize> {
        if self.incomplete {
            return Some(0);
        }
        let shown = self.shown.as_deref()?.split('/').filter(|segment| !segment.is_empty()).map(relaxed);
        Some(self.segments().zip(shown).take_while(|(real, shown)| real == shown).count())
    }

    /// The whole path as rules compare it where a server takes the escaped separator after a scope for a separator;
    /// `None` where there is none.
    #[must_use]
    pub fn judged_apart(&self) -> Option<String> {
        self.path.contains(SCOPE_END).then(|| self.judged().replace(SCOPE_END, "/"))
    }

    /// The segments as rules compare them: escapes of characters that need none (`%3A` for `:`) are read as these
    /// characters, because servers do; all other escapes stay. A trailing `/` adds no segment; the root has none.
    pub fn segments(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.path.split('/').filter(|segment| !segment.is_empty()).map(relaxed)
    }

    /// The whole path as rules compare it: its [`segments`](Self::segments), each after a `/`; the trailing `/` is kept.
    #[must_use]
    pub fn judged(&self) -> String {
        self.path.split('/').map(relaxed).collect::<Vec<_>>().join("/")
    }

    /// Whether it lies under a prefix of whole segments: `/repos/acme` covers itself and `/repos/acme/x`, never
    /// `/repos/acme2`. A prefix that is no acceptable path covers nothing.
    #[must_use]
    pub fn starts_with_segments(&self, prefix: &str) -> bool {
        let Ok(prefix) = Self::parse(prefix) else { return false };
        let mut ours = self.segments();
        prefix.segments().all(|wanted| ours.next().is_some_and(|segment| segment == wanted))
    }
}

/// A segment with escapes of plain characters decoded.
fn relaxed(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let mut out = String::with_capacity(segment.len());
    let mut rest = segment;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let (digits, tail) = after.split_at_checked(2).unwrap_or((after, ""));
        match u8::from_str_radix(digits, 16) {
            Ok(byte) if is_plain(byte) => out.push(char::from(byte)),
            _ => {
                out.push('%');
                out.push_str(digits);
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn canonical(text: &str) -> Result<String, PathRule> {
    if !text.starts_with('/') {
        return Err(PathRule::Start);
    }
    let mut out = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'/' => {
                end_of_segment(&out, false)?;
                out.push('/');
            }
            b'%' => {
                let (Some(high), Some(low)) = (hex_digit(bytes.next()), hex_digit(bytes.next())) else {
                    return Err(PathRule::Escape);
                };
                let value = high << 4 | low;
                match judge_escape(value) {
                    Escaped::Refuse(_) if value == b'/' && opens_name(&out) => push_escaped(&mut out, value),
                    Escaped::Decode => out.push(char::from(value)),
                    Escaped::Keep => push_escaped(&mut out, value),
                    Escaped::Refuse(rule) => return Err(rule),
                }
            }
            b'?' | b'#' => return Err(PathRule::QueryOrFragment),
            b'\\' => return Err(PathRule::Backslash),
            b';' => return Err(PathRule::Semicolon),
            b'[' | b']' | b'|' | b'^' | b'{' | b'}' => push_escaped(&mut out, byte),
            0..=0x1f | 0x7f => return Err(PathRule::Control),
            0x80.. => return Err(PathRule::Ascii),
            _ if is_plain(byte) => out.push(char::from(byte)),
            _ => return Err(PathRule::Character),
        }
    }
    end_of_segment(&out, true)?;
    Ok(out)
}

/// Whether what stands before an escaped `/` is a scope (`@scope`), with no such escape in the path so far.
fn opens_name(out: &str) -> bool {
    let scope = out.rsplit_once('/').and_then(|(_, segment)| segment.strip_prefix('@'));
    scope.is_some_and(|scope| !scope.is_empty() && scope != "." && scope != "..") && !out.contains(SCOPE_END)
}

/// Checks the segment that ends here. The one before the first `/` is empty by nature, and so may the last one be. What
/// follows a scope is held to the same: a server may read it as a segment of its own.
fn end_of_segment(out: &str, last: bool) -> Result<(), PathRule> {
    let name = out.rsplit_once('/').and_then(|(_, segment)| segment.split_once(SCOPE_END));
    if name.is_some_and(|(_, name)| matches!(name, "" | "." | "..")) {
        return Err(PathRule::AmbiguousEscape);
    }
    match out.rsplit_once('/').map(|(_, segment)| segment) {
        Some("." | "..") => Err(PathRule::DotSegment),
        Some("") if !last => Err(PathRule::EmptySegment),
        _ => Ok(()),
    }
}

impl TryFrom<Written> for RequestPath {
    type Error = PathError;
    fn try_from(written: Written) -> Result<Self, PathError> {
        match written {
            Written::Whole(path) => Self::parse(&path),
            Written::Without { shown } => Ok(Self { incomplete: true, ..Self::parse(&shown)? }),
        }
    }
}

impl std::str::FromStr for RequestPath {
    type Err = PathError;
    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::parse(text)
    }
}

impl From<RequestPath> for Written {
    fn from(path: RequestPath) -> Self {
        match path {
            RequestPath { shown: Some(shown), .. } => Self::Without { shown },
            RequestPath { path, incomplete: true, .. } => Self::Without { shown: path },
            RequestPath { path, .. } => Self::Whole(path),
        }
    }
}

/// Two paths are the same when they are sent the same; one that is incomplete is sent nowhere.
impl PartialEq for RequestPath {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, self.incomplete) == (&other.path, other.incomplete)
    }
}

impl Eq for RequestPath {}

impl std::hash::Hash for RequestPath {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.path.hash(state);
    }
}

impl PartialOrd for RequestPath {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RequestPath {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (&self.path, self.incomplete).cmp(&(&other.path, other.incomplete))
    }
}

impl std::fmt::Debug for RequestPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RequestPath").field(&self.shown()).finish()
    }
}

impl std::fmt::Display for RequestPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_out_in_one_form() {
        for (given, want) in [
            ("/", "/"),
            ("/v1/messages", "/v1/messages"),
            ("/v1beta/models/gemini-2.5-pro:generateContent", "/v1beta/models/gemini-2.5-pro:generateContent"),
            ("/v1internal:streamGenerateContent", "/v1internal:streamGenerateContent"),
            ("/repos/acme/api/", "/repos/acme/api/"),
            ("/a%20b", "/a%20b"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/%61dmin", "/admin"),
            ("/%7Euser/%2D%5f", "/~user/-_"),
            ("/model/v2%3a0/converse", "/model/v2%3A0/converse"),
            ("/pages/[slug].js", "/pages/%5Bslug%5D.js"),
            ("/pages/%5bslug%5D.js", "/pages/%5Bslug%5D.js"),
            ("/.well-known/x", "/.well-known/x"),
            ("/.../x", "/.../x"),
            ("/a..b/..c/d..", "/a..b/..c/d.."),
            ("/@types/node", "/@types/node"),
            ("/@types%2fnode", "/@types%2Fnode"),
            ("/npm/@types%2Fnode/-/node-1.0.tgz", "/npm/@types%2Fnode/-/node-1.0.tgz"),
            ("/@a%2f..b", "/@a%2F..b"),
            ("/a!$&'()*+,=:@-._~", "/a!$&'()*+,=:@-._~"),
        ] {
            let path = RequestPath::parse(given).unwrap_or_else(|e| panic!("{given}: {e}"));
            assert_eq!(path.as_str(), want, "{given}");
            assert_eq!(RequestPath::parse(want), Ok(path), "{want} is already canonical");
        }
    }

    #[test]
    fn ambiguous_and_malformed_paths_are_refused_and_the_rule_is_named() {
        use PathRule as R;
        for (given, rule) in [
            ("", R::Start),
            ("*", R::Start),
            ("a", R::Start),
            ("https://example.com/", R::Start),
            (" /", R::Start),
            ("\\a", R::Start),
            ("%2fa", R::Start),
            ("//", R::EmptySegment),
            ("//evil.com/x", R::EmptySegment),
            ("/a//b", R::EmptySegment),
            ("/a//", R::EmptySegment),
            ("/a/./b", R::DotSegment),
            ("/a/../b", R::DotSegment),
            ("/..", R::DotSegment),
            ("/.", R::DotSegment),
            ("/a/..", R::DotSegment),
            ("/../etc/passwd", R::DotSegment),
            ("/a/%2e%2e/b", R::AmbiguousEscape),
            ("/a/.%2e/b", R::AmbiguousEscape),
            ("/a/%2E./b", R::AmbiguousEscape),
            ("/a/%2e/b", R::AmbiguousEscape),
            ("/file%2ejs", R::AmbiguousEscape),
            ("/a%2fb", R::AmbiguousEscape),
            ("/a%2Fb", R::AmbiguousEscape),
            ("/@%2fb", R::AmbiguousEscape),
            ("/@a%2f", R::AmbiguousEscape),
            ("/@a%2f/b", R::AmbiguousEscape),
            ("/@a%2f..", R::AmbiguousEscape),
            ("/@a%2f./b", R::AmbiguousEscape),
            ("/@..%2fb", R::AmbiguousEscape),
            ("/@a%2fb%2fc", R::AmbiguousEscape),
            ("/@a%2fb/@c%2fd", R::AmbiguousEscape),
            ("/x@a%2fb", R::AmbiguousEscape),
            ("/%40a%2fb", R::AmbiguousEscape),
            ("/@a%5cb", R::AmbiguousEscape),
            ("/a%5cb", R::AmbiguousEscape),
            ("/a%5Cb", R::AmbiguousEscape),
            ("/a%252fb", R::AmbiguousEscape),
            ("/a%25", R::AmbiguousEscape),
            ("/a%3bb", R::AmbiguousEscape),
            ("/a;b", R::Semicolon),
            ("/a;jsessionid=1/b", R::Semicolon),
            ("/..;/admin", R::Semicolon),
            ("/a\\b", R::Backslash),
            ("/..\\b", R::Backslash),
            ("/a%00", R::Control),
            ("/a%00.js", R::Control),
            ("/a%0d%0aX:1", R::Control),
            ("/a%09", R::Control),
            ("/a%7f", R::Control),
            ("/a\0", R::Control),
            ("/a\r\n", R::Control),
            ("/a\tb", R::Control),
            ("/a\x7f", R::Control),
            ("/a\u{1b}[31m", R::Control),
            ("/a b", R::Character),
            ("/a\"b", R::Character),
            ("/a<b>", R::Character),
            ("/a`b", R::Character),
            ("/a%", R::Escape),
            ("/a%4", R::Escape),
            ("/a%zz", R::Escape),
            ("/a%4g", R::Escape),
            ("/a% 41", R::Escape),
            ("/a%+4", R::Escape),
            ("/a%u0041", R::Escape),
            ("/a%%41", R::Escape),
            ("/caf\u{e9}", R::Ascii),
            ("/a\u{2215}b", R::Ascii),
            ("/\u{ff0e}\u{ff0e}/x", R::Ascii),
            ("/a?b", R::QueryOrFragment),
            ("/a#b", R::QueryOrFragment),
        ] {
            match RequestPath::parse(given) {
                Ok(path) => panic!("{given:?} was taken as {path}"),
                Err(error) => assert_eq!(error.rule(), rule, "{given:?}: {error}"),
            }
        }
    }

    #[test]
    fn a_prefix_covers_whole_segments_only() {
        for (path, prefix, covered) in [
            ("/repos/acme", "/repos/acme", true),
            ("/repos/acme/", "/repos/acme", true),
            ("/repos/acme/x", "/repos/acme", true),
            ("/repos/acme/x", "/repos/acme/", true),
            ("/repos/acme2", "/repos/acme", false),
            ("/repos", "/repos/acme", false),
            ("/anything", "/", true),
            ("/", "/", true),
            ("/repos/%61cme/x", "/repos/acme", true),
            ("/model/a%3Ab/x", "/model/a:b", true),
            ("/repos/acme", "repos", false),
            ("/repos/acme", "/repos/../repos", false),
            ("/repos/acme", "", false),
            ("/@acme%2Fui", "/@acme%2fui", true),
            ("/@acme%2Fui", "/@acme", false),
            ("/@acme%2Fui/-/ui.tgz", "/@acme%2Fui", true),
        ] {
            assert_eq!(
                RequestPath::parse(path).unwrap().starts_with_segments(prefix),
                covered,
                "{path} under {prefix}"
            );
        }
    }

    #[test]
    fn segments_are_what_rules_compare_and_the_sent_bytes_stay() {
        let path = RequestPath::parse("/model/v2%3A0/a%20b/").unwrap();
        assert_eq!(path.segments().collect::<Vec<_>>(), ["model", "v2:0", "a%20b"]);
        assert_eq!(path.judged(), "/model/v2:0/a%20b/");
        assert_eq!(path.as_str(), "/model/v2%3A0/a%20b/");
        assert_eq!(RequestPath::root().segments().count(), 0);
        assert_eq!(path.judged_apart(), None);
        let scoped = RequestPath::parse("/npm/@acme%2fui").unwrap();
        assert_eq!(scoped.judged_apart().as_deref(), Some("/npm/@acme/ui"));
    }

    #[test]
    fn a_path_that_holds_a_secret_is_judged_as_it_is_and_written_out_without_it() {
        let path = RequestPath::parse("/bot/s3cret/send").unwrap().showing("/bot/(redacted)/send");
        assert_eq!((path.as_str(), path.judged().as_str()), ("/bot/s3cret/send", "/bot/s3cret/send"));
        assert!(path.starts_with_segments("/bot/s3cret"));
        assert_eq!(path.to_string(), "/bot/(redacted)/send");
        assert!(!format!("{path:?}").contains("s3cret"));
        let written = serde_json::to_string(&path).unwrap();
        assert_eq!(written, r#"{"shown":"/bot/(redacted)/send"}"#);
        let read: RequestPath = serde_json::from_str(&written).unwrap();
        assert_eq!(read.as_str(), "/bot/(redacted)/send");
        assert_ne!(path, read, "another path");
        assert_eq!(RequestPath::root().showing("no path").shown(), "/(redacted)");
        assert_eq!((path.open_segments(), read.open_segments()), (Some(1), Some(0)));
        assert!(read.is_incomplete() && !path.is_incomplete());
        assert_eq!(serde_json::to_string(&read).unwrap(), written, "it stays so when it is written again");
    }

    #[test]
    fn a_path_is_incomplete_by_how_it_was_written_and_not_by_its_text() {
        let literal = RequestPath::parse("/bot/(redacted)/send").unwrap();
        let written = serde_json::to_string(&literal).unwrap();
        assert_eq!(written, r#""/bot/(redacted)/send""#);
        let read: RequestPath = serde_json::from_str(&written).unwrap();
        assert!(!read.is_incomplete());
        assert_eq!((read.open_segments(), &read), (None, &literal));
        let hidden: RequestPath = serde_json::from_str(r#"{"shown":"/bot/(redacted)/send"}"#).unwrap();
        assert_ne!(hidden, literal);
        assert!(serde_json::from_str::<RequestPath>(r#"{"shown":"no path"}"#).is_err());
    }

    proptest::proptest! {
        #[test]
        fn canonicalising_twice_changes_nothing(text in "/[a-z0-9@%./:;\\\\A-F\\[\\]~ -]{0,30}") {
            if let Ok(path) = RequestPath::parse(&text) {
                proptest::prop_assert_eq!(RequestPath::parse(path.as_str()), Ok(path.clone()));
                let judged = RequestPath::parse(&path.judged()).unwrap();
                proptest::prop_assert_eq!(judged.segments().collect::<Vec<_>>(), path.segments().collect::<Vec<_>>());
                proptest::prop_assert!(!path.as_str().contains("//"));
            }
        }
    }
}
