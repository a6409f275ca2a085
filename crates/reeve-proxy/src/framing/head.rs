//! Heads: finds where one ends, refuses every ambiguous byte on the way, then parses it.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::{FramingError, MAX_HEAD_BYTES, MAX_HEADERS};

/// HTTP/1 minor version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Http10,
    Http11,
}

/// Start line and headers of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// Upper-case token.
    pub method: String,
    /// As sent: origin, absolute, authority or asterisk form; visible ASCII only.
    pub target: String,
    pub version: Version,
    pub headers: HeaderMap,
}

/// Start line and headers of a response. The reason phrase is dropped: Reeve writes its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    pub status: u16,
    pub version: Version,
    pub headers: HeaderMap,
}

/// Looks for the end of a head in a growing buffer, reading every byte once.
#[derive(Debug, Default)]
pub struct HeadScanner {
    scanned: usize,
    line_start: usize,
}

impl HeadScanner {
    /// Length of the head including its empty line, once it is complete.
    ///
    /// # Errors
    /// As soon as a byte is seen that no strict head has, or the head is too long.
    pub fn scan(&mut self, bytes: &[u8]) -> Result<Option<usize>, FramingError> {
        while let Some(rest) = bytes.get(self.scanned..) {
            let Some(offset) = rest.iter().position(|b| matches!(b, b'\r' | b'\n' | 0)) else {
                self.scanned = bytes.len();
                break;
            };
            let at = self.scanned + offset;
            match bytes.get(at) {
                Some(0) => return Err(FramingError::Nul),
                Some(b'\n') => return Err(FramingError::BareLineEnd),
                _ => {}
            }
            match bytes.get(at + 1) {
                None => {
                    self.scanned = at;
                    break;
                }
                Some(b'\n') => {}
                Some(_) => return Err(FramingError::BareLineEnd),
            }
            let next = at + 2;
            if at == self.line_start {
                return self.end_of_head(next);
            }
            check_fold(bytes, self.line_start)?;
            self.line_start = next;
            self.scanned = next;
        }
        if bytes.len() > MAX_HEAD_BYTES { Err(FramingError::HeadTooLong) } else { Ok(None) }
    }

    fn end_of_head(&mut self, end: usize) -> Result<Option<usize>, FramingError> {
        if self.line_start == 0 {
            return Err(FramingError::EmptyStart);
        }
        *self = Self::default();
        if end > MAX_HEAD_BYTES { Err(FramingError::HeadTooLong) } else { Ok(Some(end)) }
    }
}

fn check_fold(bytes: &[u8], line_start: usize) -> Result<(), FramingError> {
    match bytes.get(line_start) {
        Some(b' ' | b'\t') if line_start == 0 => Err(FramingError::StartLine),
        Some(b' ' | b'\t') => Err(FramingError::FoldedHeader),
        _ => Ok(()),
    }
}

/// Parses one complete request head, as `HeadScanner` delimited it.
///
/// # Errors
/// When any part breaks the grammar or a limit.
pub fn parse_request(bytes: &[u8]) -> Result<RequestHead, FramingError> {
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut slots);
    complete(parsed.parse(bytes), bytes)?;
    let method = parsed.method.filter(|m| is_method(m)).ok_or(FramingError::Method)?.to_owned();
    let target = parsed.path.filter(|t| is_target(t)).ok_or(FramingError::StartLine)?.to_owned();
    let version = version(parsed.version)?;
    Ok(RequestHead { method, target, version, headers: headers(parsed.headers)? })
}

/// Parses one complete response head.
///
/// # Errors
/// When any part breaks the grammar or a limit.
pub fn parse_response(bytes: &[u8]) -> Result<ResponseHead, FramingError> {
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut slots);
    complete(parsed.parse(bytes), bytes)?;
    let status = parsed.code.filter(|c| (100..=599).contains(c)).ok_or(FramingError::StartLine)?;
    let version = version(parsed.version)?;
    Ok(ResponseHead { status, version, headers: headers(parsed.headers)? })
}

/// Parses the field lines of a trailer section, its empty line included.
///
/// # Errors
/// When a line is no header field.
pub fn parse_trailers(bytes: &[u8]) -> Result<HeaderMap, FramingError> {
    let mut slots = [httparse::EMPTY_HEADER; super::MAX_TRAILERS];
    match httparse::parse_headers(bytes, &mut slots) {
        Ok(httparse::Status::Complete((used, fields))) if used == bytes.len() => headers(fields),
        _ => Err(FramingError::Trailer),
    }
}

/// A method is an exact upper-case token of at most 32 letters, `-` or `_`.
#[must_use]
pub fn is_method(method: &str) -> bool {
    (1..=32).contains(&method.len())
        && method.starts_with(|c: char| c.is_ascii_uppercase())
        && method.bytes().all(|b| b.is_ascii_uppercase() || matches!(b, b'-' | b'_'))
}

fn is_target(target: &str) -> bool {
    !target.is_empty() && target.bytes().all(|b| (0x21..=0x7e).contains(&b))
}

fn complete(outcome: httparse::Result<usize>, bytes: &[u8]) -> Result<(), FramingError> {
    match outcome {
        Ok(httparse::Status::Complete(used)) if used == bytes.len() => Ok(()),
        Ok(_) => Err(FramingError::StartLine),
        Err(httparse::Error::HeaderName) => Err(FramingError::HeaderName),
        Err(httparse::Error::HeaderValue) => Err(FramingError::HeaderValue),
        Err(httparse::Error::NewLine) => Err(FramingError::BareLineEnd),
        Err(httparse::Error::TooManyHeaders) => Err(FramingError::TooManyHeaders),
        Err(httparse::Error::Version) => Err(FramingError::Version),
        Err(httparse::Error::Token | httparse::Error::Status) => Err(FramingError::StartLine),
    }
}

fn version(minor: Option<u8>) -> Result<Version, FramingError> {
    match minor {
        Some(0) => Ok(Version::Http10),
        Some(1) => Ok(Version::Http11),
        _ => Err(FramingError::Version),
    }
}

fn headers(fields: &[httparse::Header<'_>]) -> Result<HeaderMap, FramingError> {
    let mut map = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| FramingError::HeaderName)?;
        let value = HeaderValue::from_bytes(field.value).map_err(|_| FramingError::HeaderValue)?;
        map.append(name, value);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Result<Option<RequestHead>, FramingError> {
        match HeadScanner::default().scan(text.as_bytes())? {
            Some(end) => parse_request(&text.as_bytes()[..end]).map(Some),
            None => Ok(None),
        }
    }

    #[test]
    fn a_plain_request_is_read() {
        let head = request(
            "POST /v1/messages?beta=true HTTP/1.1\r\nHost: api.anthropic.com\r\nX-A: 1\r\nx-a:  2 \r\n\r\nrest",
        )
        .unwrap()
        .unwrap();
        assert_eq!((head.method.as_str(), head.target.as_str()), ("POST", "/v1/messages?beta=true"));
        assert_eq!(head.version, Version::Http11);
        let values: Vec<_> = head.headers.get_all("x-a").iter().map(|v| v.to_str().unwrap()).collect();
        assert_eq!(values, ["1", "2"]);
    }

    #[test]
    fn a_head_found_byte_by_byte_is_found_at_the_same_place() {
        let text = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let mut scanner = HeadScanner::default();
        for length in 0..text.len() {
            assert_eq!(scanner.scan(&text[..length]), Ok(None), "{length}");
        }
        assert_eq!(scanner.scan(text), Ok(Some(text.len())));
    }

    #[test]
    fn ambiguous_heads_are_refused() {
        use FramingError as E;
        let long = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(MAX_HEAD_BYTES));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(MAX_HEADERS + 1));
        let table: &[(&str, E)] = &[
            ("GET / HTTP/1.1\nHost: a\n\n", E::BareLineEnd),
            ("GET / HTTP/1.1\r\nHost: a\n\r\n", E::BareLineEnd),
            ("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", E::BareLineEnd),
            ("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", E::BareLineEnd),
            ("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", E::Nul),
            ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", E::FoldedHeader),
            ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", E::FoldedHeader),
            ("GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n", E::FoldedHeader),
            ("\r\nGET / HTTP/1.1\r\n\r\n", E::EmptyStart),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", E::HeaderName),
            ("GET / HTTP/1.1\r\n: a\r\n\r\n", E::HeaderName),
            ("GET / HTTP/1.1\r\nHo(st: a\r\n\r\n", E::HeaderName),
            ("GET / HTTP/1.1\r\nno-colon\r\n\r\n", E::HeaderName),
            ("GET / HTTP/1.1\r\nA: \x01\r\n\r\n", E::HeaderValue),
            ("GET / HTTP/1.1\r\nA: \x7f\r\n\r\n", E::HeaderValue),
            ("get / HTTP/1.1\r\n\r\n", E::Method),
            ("G3T / HTTP/1.1\r\n\r\n", E::Method),
            ("GET  / HTTP/1.1\r\n\r\n", E::StartLine),
            ("GET /a b HTTP/1.1\r\n\r\n", E::Version),
            ("GET /\u{e4} HTTP/1.1\r\n\r\n", E::StartLine),
            ("GET /\r\n\r\n", E::StartLine),
            ("GET / HTTP/2.0\r\n\r\n", E::Version),
            ("GET / HTTP/1.2\r\n\r\n", E::Version),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", E::Version),
            ("GET / http/1.1\r\n\r\n", E::Version),
            (&long, E::HeadTooLong),
            (&many, E::TooManyHeaders),
        ];
        for (text, expected) in table {
            let shown: String = text.chars().take(40).collect();
            assert_eq!(request(text), Err(*expected), "{shown:?}");
        }
    }

    #[test]
    fn an_endless_line_is_refused_before_it_ends() {
        let mut scanner = HeadScanner::default();
        assert_eq!(scanner.scan(&vec![b'a'; MAX_HEAD_BYTES + 1]), Err(FramingError::HeadTooLong));
    }

    #[test]
    fn responses_are_held_to_the_same_rules() {
        let good = b"HTTP/1.1 200 Everything is fine\r\nA: b\r\n\r\n";
        assert_eq!(parse_response(good).unwrap().status, 200);
        assert_eq!(parse_response(b"HTTP/1.1 204\r\n\r\n").unwrap().status, 204);
        for bad in ["HTTP/1.1 99 x\r\n\r\n", "HTTP/1.1 2000 x\r\n\r\n", "HTTP/3 200 x\r\n\r\n", "ICY 200 OK\r\n\r\n"] {
            assert!(parse_response(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert_eq!(parse_response(b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n"), Err(FramingError::HeaderName));
    }
}
