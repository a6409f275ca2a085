//! Bodies: how long one is, and an incremental reader of its bytes.

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};

use super::head::{HeadScanner, ResponseHead, Version, parse_trailers};
use super::{FramingError, MAX_CHUNK_EXTENSIONS, MAX_CHUNK_LINE, MAX_TRAILER_BYTES};

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// Exactly this many bytes; 0 where there is none.
    Known(u64),
    Chunked,
    /// Until the connection closes; responses only.
    UntilClose,
}

/// How the body of a request is delimited.
///
/// # Errors
/// When more than one framing header is there, or one that means nothing definite.
pub fn of_request(headers: &HeaderMap, version: Version) -> Result<BodyLength, FramingError> {
    Ok(declared(headers, version)?.unwrap_or(BodyLength::Known(0)))
}

/// How the body of a response to `method` is delimited.
///
/// # Errors
/// As for requests.
pub fn of_response(head: &ResponseHead, method: &str) -> Result<BodyLength, FramingError> {
    let declared = declared(&head.headers, head.version)?;
    let bodiless = method == "HEAD" || matches!(head.status, 100..=199 | 204 | 304);
    if bodiless {
        return Ok(BodyLength::Known(0));
    }
    Ok(declared.unwrap_or(BodyLength::UntilClose))
}

fn declared(headers: &HeaderMap, version: Version) -> Result<Option<BodyLength>, FramingError> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (lengths.next(), codings.next()) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(FramingError::ConflictingLength),
        (Some(_), None) if lengths.next().is_some() => Err(FramingError::DuplicateContentLength),
        (None, Some(_)) if codings.next().is_some() => Err(FramingError::DuplicateTransferEncoding),
        (Some(length), None) => plain_number(length.as_bytes()).map(|n| Some(BodyLength::Known(n))),
        (None, Some(_)) if version == Version::Http10 => Err(FramingError::TransferEncodingInOldVersion),
        (None, Some(coding)) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(Some(BodyLength::Chunked)),
        (None, Some(_)) => Err(FramingError::TransferEncoding),
    }
}

fn plain_number(digits: &[u8]) -> Result<u64, FramingError> {
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(FramingError::ContentLength);
    }
    Ok(digits.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0')))
}

/// What the next bytes of a body are.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    Data(Bytes),
    /// The trailer fields of a chunked body; `Done` follows.
    Trailers(HeaderMap),
    /// More bytes are needed from the socket.
    More,
    Done,
}

/// Reads one body out of a growing buffer.
#[derive(Debug)]
pub struct BodyDecoder {
    state: State,
    extension_bytes: usize,
    trailers: HeadScanner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Length(u64),
    UntilClose,
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailers,
    Done,
}

impl BodyDecoder {
    #[must_use]
    pub fn new(length: BodyLength) -> Self {
        let state = match length {
            BodyLength::Known(0) => State::Done,
            BodyLength::Known(n) => State::Length(n),
            BodyLength::Chunked => State::ChunkSize,
            BodyLength::UntilClose => State::UntilClose,
        };
        Self { state, extension_bytes: 0, trailers: HeadScanner::default() }
    }

    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes the next piece out of `buffer`; `closed` says that no byte will follow what is in it.
    ///
    /// # Errors
    /// When the chunk grammar is broken, a limit passed, or the body cut short.
    pub fn step(&mut self, buffer: &mut BytesMut, closed: bool) -> Result<Step, FramingError> {
        loop {
            let step = match self.state {
                State::Done => return Ok(Step::Done),
                State::Length(left) => self.data(buffer, left, State::Length, State::Done),
                State::ChunkData(left) => self.data(buffer, left, State::ChunkData, State::ChunkEnd),
                State::UntilClose => self.until_close(buffer, closed),
                State::ChunkSize => self.chunk_size(buffer)?,
                State::ChunkEnd => self.chunk_end(buffer)?,
                State::Trailers => self.trailer_section(buffer)?,
            };
            match step {
                Some(Step::More) if closed => return Err(FramingError::Truncated),
                Some(step) => return Ok(step),
                None => {}
            }
        }
    }

    fn data(&mut self, buffer: &mut BytesMut, left: u64, during: fn(u64) -> State, after: State) -> Option<Step> {
        if buffer.is_empty() {
            return Some(Step::More);
        }
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let left = left - take as u64;
        self.state = if left == 0 { after } else { during(left) };
        Some(Step::Data(buffer.split_to(take).freeze()))
    }

    fn until_close(&mut self, buffer: &mut BytesMut, closed: bool) -> Option<Step> {
        if !buffer.is_empty() {
            return Some(Step::Data(buffer.split().freeze()));
        }
        if closed {
            self.state = State::Done;
            return None;
        }
        Some(Step::More)
    }

    fn chunk_size(&mut self, buffer: &mut BytesMut) -> Result<Option<Step>, FramingError> {
        let Some(end) = line_end(buffer, MAX_CHUNK_LINE, FramingError::ChunkExtension)? else {
            return Ok(Some(Step::More));
        };
        let line = buffer.split_to(end);
        buffer.advance(2);
        let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let (size, extension) = line.split_at(digits);
        if size.is_empty() || size.len() > 15 {
            return Err(FramingError::ChunkSize);
        }
        check_extension(extension)?;
        self.extension_bytes += extension.len();
        if self.extension_bytes > MAX_CHUNK_EXTENSIONS {
            return Err(FramingError::ChunkExtension);
        }
        let size = size.iter().fold(0_u64, |n, d| n * 16 + u64::from(hex_value(*d)));
        self.state = if size == 0 { State::Trailers } else { State::ChunkData(size) };
        Ok(None)
    }

    fn chunk_end(&mut self, buffer: &mut BytesMut) -> Result<Option<Step>, FramingError> {
        match (buffer.first(), buffer.get(1)) {
            (Some(b'\r'), Some(b'\n')) => {
                buffer.advance(2);
                self.state = State::ChunkSize;
                Ok(None)
            }
            (None, _) | (Some(b'\r'), None) => Ok(Some(Step::More)),
            _ => Err(FramingError::ChunkEnd),
        }
    }

    fn trailer_section(&mut self, buffer: &mut BytesMut) -> Result<Option<Step>, FramingError> {
        if buffer.starts_with(b"\r\n") {
            buffer.advance(2);
            self.state = State::Done;
            return Ok(None);
        }
        if matches!(buffer.as_ref(), b"" | b"\r") {
            return Ok(Some(Step::More));
        }
        let end = self.trailers.scan(buffer).map_err(|_| FramingError::Trailer)?;
        if end.unwrap_or(buffer.len()) > MAX_TRAILER_BYTES {
            return Err(FramingError::TrailerTooLong);
        }
        let Some(end) = end else { return Ok(Some(Step::More)) };
        let section = buffer.split_to(end);
        self.state = State::Done;
        Ok(Some(Step::Trailers(parse_trailers(&section)?)))
    }
}

/// Offset of the CRLF that ends the first line.
fn line_end(buffer: &[u8], limit: usize, too_long: FramingError) -> Result<Option<usize>, FramingError> {
    match buffer.iter().position(|b| matches!(b, b'\r' | b'\n')) {
        Some(at) if at > limit => Err(too_long),
        Some(at) => match (buffer.get(at), buffer.get(at + 1)) {
            (Some(b'\r'), Some(b'\n')) => Ok(Some(at)),
            (Some(b'\r'), None) => Ok(None),
            _ => Err(FramingError::BareLineEnd),
        },
        None if buffer.len() > limit => Err(too_long),
        None => Ok(None),
    }
}

/// An extension is empty or starts with `;` (optional blanks before it) and holds visible text only.
fn check_extension(extension: &[u8]) -> Result<(), FramingError> {
    let trimmed = extension.trim_ascii_start();
    if extension.is_empty() {
        return Ok(());
    }
    if trimmed.first() != Some(&b';') {
        return Err(FramingError::ChunkSize);
    }
    let good = |b: &u8| matches!(b, b'\t' | 0x20..=0x7e);
    if trimmed.iter().all(good) { Ok(()) } else { Err(FramingError::ChunkExtension) }
}

fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn exactly_one_framing_header_delimits_a_request() {
        use BodyLength as L;
        use FramingError as E;
        let table: &[(&[(&'static str, &str)], Result<L, E>)] = &[
            (&[], Ok(L::Known(0))),
            (&[("content-length", "0")], Ok(L::Known(0))),
            (&[("content-length", "12")], Ok(L::Known(12))),
            (&[("transfer-encoding", "chunked")], Ok(L::Chunked)),
            (&[("transfer-encoding", "Chunked")], Ok(L::Chunked)),
            (&[("content-length", "1"), ("content-length", "1")], Err(E::DuplicateContentLength)),
            (&[("content-length", "1"), ("content-length", "2")], Err(E::DuplicateContentLength)),
            (&[("content-length", "1"), ("transfer-encoding", "chunked")], Err(E::ConflictingLength)),
            (&[("content-length", "1, 1")], Err(E::ContentLength)),
            (&[("content-length", "+1")], Err(E::ContentLength)),
            (&[("content-length", "-1")], Err(E::ContentLength)),
            (&[("content-length", "0x10")], Err(E::ContentLength)),
            (&[("content-length", "")], Err(E::ContentLength)),
            (&[("content-length", "9999999999999999999")], Err(E::ContentLength)),
            (&[("transfer-encoding", "gzip, chunked")], Err(E::TransferEncoding)),
            (&[("transfer-encoding", "identity")], Err(E::TransferEncoding)),
            (&[("transfer-encoding", "xchunked")], Err(E::TransferEncoding)),
            (&[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], Err(E::DuplicateTransferEncoding)),
        ];
        for (fields, expected) in table {
            assert_eq!(of_request(&headers(fields), Version::Http11), *expected, "{fields:?}");
        }
        let chunked = headers(&[("transfer-encoding", "chunked")]);
        assert_eq!(of_request(&chunked, Version::Http10), Err(E::TransferEncodingInOldVersion));
    }

    #[test]
    fn a_response_without_framing_header_lasts_until_close_unless_it_has_no_body() {
        let head = |status| ResponseHead { status, version: Version::Http11, headers: headers(&[]) };
        assert_eq!(of_response(&head(200), "GET"), Ok(BodyLength::UntilClose));
        assert_eq!(of_response(&head(200), "HEAD"), Ok(BodyLength::Known(0)));
        assert_eq!(of_response(&head(204), "GET"), Ok(BodyLength::Known(0)));
        assert_eq!(of_response(&head(304), "GET"), Ok(BodyLength::Known(0)));
    }

    /// Feeds `bytes` in pieces of `size`; the body's text, its trailers, and what is left over.
    fn read(
        length: BodyLength,
        bytes: &[u8],
        size: usize,
    ) -> Result<(Vec<u8>, Option<HeaderMap>, usize), FramingError> {
        let mut decoder = BodyDecoder::new(length);
        let (mut text, mut trailers, mut buffer) = (Vec::new(), None, BytesMut::new());
        let mut pieces = bytes.chunks(size.max(1));
        let mut closed = false;
        loop {
            match decoder.step(&mut buffer, closed)? {
                Step::Data(data) => text.extend_from_slice(&data),
                Step::Trailers(map) => trailers = Some(map),
                Step::Done => return Ok((text, trailers, buffer.len() + pieces.map(<[u8]>::len).sum::<usize>())),
                Step::More => match pieces.next() {
                    Some(piece) => buffer.extend_from_slice(piece),
                    None => closed = true,
                },
            }
        }
    }

    #[test]
    fn chunked_bodies_read_the_same_whatever_way_they_are_cut() {
        let bytes = b"5\r\nhello\r\n1;ext=\"x\"\r\n,\r\n00006 ;a\r\n world\r\n0\r\nA: b\r\nC: d\r\n\r\nNEXT";
        for size in 1..=bytes.len() {
            let (text, trailers, left) = read(BodyLength::Chunked, bytes, size).unwrap();
            assert_eq!((text.as_slice(), left), (b"hello, world".as_slice(), 4), "{size}");
            assert_eq!(trailers.unwrap().len(), 2);
        }
        let (text, trailers, left) = read(BodyLength::Chunked, b"0\r\n\r\n", 1).unwrap();
        assert_eq!((text.len(), trailers, left), (0, None, 0));
    }

    #[test]
    fn known_and_closing_bodies_are_read() {
        assert_eq!(read(BodyLength::Known(5), b"helloNEXT", 3).unwrap(), (b"hello".to_vec(), None, 4));
        assert_eq!(read(BodyLength::UntilClose, b"hello", 2).unwrap(), (b"hello".to_vec(), None, 0));
        assert_eq!(read(BodyLength::Known(5), b"hell", 4), Err(FramingError::Truncated));
    }

    #[test]
    fn broken_chunks_are_refused() {
        use FramingError as E;
        let extensions = format!("1;{}\r\na\r\n", "x".repeat(250)).repeat(80);
        let line = format!("1;{}\r\n", "x".repeat(300));
        let trailer = format!("0\r\nA: {}\r\n\r\n", "x".repeat(9000));
        let table: &[(&str, E)] = &[
            ("5\r\nhello", E::Truncated),
            ("5\r\nhel", E::Truncated),
            ("5\nhello\r\n0\r\n\r\n", E::BareLineEnd),
            ("5\rhello\r\n", E::BareLineEnd),
            ("5\r\nhelloX\r\n0\r\n\r\n", E::ChunkEnd),
            ("5\r\nhello\n0\r\n\r\n", E::ChunkEnd),
            ("\r\nhello\r\n", E::ChunkSize),
            ("0x5\r\nhello\r\n", E::ChunkSize),
            ("-5\r\nhello\r\n", E::ChunkSize),
            (" 5\r\nhello\r\n", E::ChunkSize),
            ("5 5\r\nhello\r\n", E::ChunkSize),
            ("ffffffffffffffff\r\n", E::ChunkSize),
            ("1;a\0b\r\nx\r\n", E::ChunkExtension),
            (&line, E::ChunkExtension),
            (&extensions, E::ChunkExtension),
            ("0\r\nA: b\n\r\n", E::Trailer),
            ("0\r\nA : b\r\n\r\n", E::Trailer),
            ("0\r\nno colon\r\n\r\n", E::Trailer),
            (&trailer, E::TrailerTooLong),
        ];
        for (text, expected) in table {
            for size in [1, 7, text.len()] {
                let shown: String = text.chars().take(30).collect();
                assert_eq!(read(BodyLength::Chunked, text.as_bytes(), size), Err(*expected), "{shown:?} by {size}");
            }
        }
    }
}
