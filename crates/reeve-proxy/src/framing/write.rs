//! Heads and chunks as bytes: always re-generated from the parsed form, never copied.

use bytes::{BufMut, BytesMut};
use http::StatusCode;
use http::header::HeaderMap;

/// How the body that follows a head is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// No framing header at all: no body, or one that the head's meaning forbids.
    None,
    Known(u64),
    Chunked,
    /// The connection closes after the body; the caller says so in the headers.
    UntilClose,
}

/// Request line, headers and framing. `headers` holds no framing field.
pub fn request_head(out: &mut BytesMut, method: &str, target: &str, headers: &HeaderMap, framing: Framing) {
    put(out, &[method.as_bytes(), b" ", target.as_bytes(), b" HTTP/1.1\r\n"]);
    fields(out, headers);
    end_of_head(out, framing);
}

/// Status line with the standard reason phrase, headers and framing.
pub fn response_head(out: &mut BytesMut, status: StatusCode, headers: &HeaderMap, framing: Framing) {
    let reason = status.canonical_reason().unwrap_or("Status");
    put(out, &[b"HTTP/1.1 ", status.as_str().as_bytes(), b" ", reason.as_bytes(), b"\r\n"]);
    fields(out, headers);
    end_of_head(out, framing);
}

/// One chunk; nothing for empty data, which would end the body.
pub fn chunk(out: &mut BytesMut, data: &[u8]) {
    if !data.is_empty() {
        put(out, &[format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"]);
    }
}

/// The last chunk and the trailer section.
pub fn last_chunk(out: &mut BytesMut, trailers: Option<&HeaderMap>) {
    put(out, &[b"0\r\n"]);
    if let Some(trailers) = trailers {
        fields(out, trailers);
    }
    put(out, &[b"\r\n"]);
}

fn end_of_head(out: &mut BytesMut, framing: Framing) {
    match framing {
        Framing::None | Framing::UntilClose => put(out, &[b"\r\n"]),
        Framing::Known(n) => put(out, &[b"content-length: ", n.to_string().as_bytes(), b"\r\n\r\n"]),
        Framing::Chunked => put(out, &[b"transfer-encoding: chunked\r\n\r\n"]),
    }
}

fn fields(out: &mut BytesMut, headers: &HeaderMap) {
    for (name, value) in headers {
        put(out, &[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"]);
    }
}

fn put(out: &mut BytesMut, parts: &[&[u8]]) {
    out.reserve(parts.iter().map(|p| p.len()).sum());
    for part in parts {
        out.put_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::head::{parse_request, parse_response};
    use http::HeaderValue;

    #[test]
    fn what_is_written_is_read_back_by_the_strict_parser() {
        let mut headers = HeaderMap::new();
        headers.append("host", HeaderValue::from_static("a.example"));
        headers.append("x-b", HeaderValue::from_static("c"));
        headers.append("x-b", HeaderValue::from_static("d"));
        let mut out = BytesMut::new();
        request_head(&mut out, "POST", "/p?q", &headers, Framing::Known(3));
        let head = parse_request(&out).unwrap();
        assert_eq!((head.method.as_str(), head.target.as_str()), ("POST", "/p?q"));
        assert_eq!(head.headers.get_all("x-b").iter().count(), 2);
        assert_eq!(head.headers["content-length"], "3");

        let mut out = BytesMut::new();
        response_head(&mut out, StatusCode::from_u16(599).unwrap(), &headers, Framing::Chunked);
        assert_eq!(parse_response(&out).unwrap().headers["transfer-encoding"], "chunked");
    }

    #[test]
    fn an_empty_piece_never_ends_a_chunked_body() {
        let mut out = BytesMut::new();
        chunk(&mut out, b"");
        chunk(&mut out, b"0123456789abcdef");
        last_chunk(&mut out, None);
        assert_eq!(&out[..], b"10\r\n0123456789abcdef\r\n0\r\n\r\n");
    }
}
