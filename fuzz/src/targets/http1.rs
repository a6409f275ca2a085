//! HTTP/1 heads and bodies in both directions: the same reading in any pieces, nothing ambiguous accepted, and what is
//! written again is read as the same.

use bytes::BytesMut;
use http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use reeve_proxy::framing::body::{BodyDecoder, BodyLength, Step, of_request, of_response};
use reeve_proxy::framing::head::{HeadScanner, RequestHead, ResponseHead, is_method, parse_request, parse_response};
use reeve_proxy::framing::{FramingError, write};

use super::{Target, behaviour, roughly, words};
use crate::random::pieces;

pub(super) fn target() -> Target {
    let words = words(&[
        "\r\n",
        "\n",
        "\r",
        "\0",
        "\r\n\r\n",
        "\r\n ",
        "GET / HTTP/1.1\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0",
        "HTTP/2.0",
        "Content-Length: 5\r\n",
        "content-length: 5, 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "transfer-encoding: gzip, chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Host: a\r\n",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
        "0\r\nX: y\r\n\r\n",
        ";ext=1",
        "ffffffffffffffff",
        "POST",
        "CONNECT a:443 ",
        "HEAD",
        "Trailer: x\r\n",
        "\t",
        ": ",
        "+5",
        "0x5",
        "5 ",
    ]);
    Target { name: "http1", seeds: Vec::new(), words, longest: 4096, run: Box::new(run) }
}

#[derive(Debug, PartialEq)]
enum Head {
    Request(RequestHead),
    Response(ResponseHead),
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Self, FramingError> {
        if bytes.starts_with(b"HTTP/") {
            parse_response(bytes).map(Self::Response)
        } else {
            parse_request(bytes).map(Self::Request)
        }
    }

    fn headers(&self) -> &HeaderMap {
        match self {
            Self::Request(head) => &head.headers,
            Self::Response(head) => &head.headers,
        }
    }

    fn length(&self) -> Result<BodyLength, FramingError> {
        match self {
            Self::Request(head) => of_request(&head.headers, head.version),
            Self::Response(head) => of_response(head, "GET"),
        }
    }
}

/// What one message was read as.
#[derive(Debug, PartialEq)]
struct Message {
    head: Head,
    length: BodyLength,
    data: Vec<u8>,
    trailers: Option<HeaderMap>,
    /// Bytes after its end.
    left: usize,
}

fn read<'a>(input: impl IntoIterator<Item = &'a [u8]>) -> Result<Message, FramingError> {
    let mut buffer = BytesMut::new();
    let mut scanner = HeadScanner::default();
    let mut input = input.into_iter();
    let bytes = loop {
        let Some(piece) = input.next() else { return Err(FramingError::Truncated) };
        buffer.extend_from_slice(piece);
        if let Some(end) = scanner.scan(&buffer)? {
            break buffer.split_to(end);
        }
    };
    let head = Head::parse(&bytes)?;
    check_head(&bytes, &head);
    let length = head.length()?;
    let mut decoder = BodyDecoder::new(length);
    let (mut data, mut trailers, mut closed) = (Vec::new(), None, false);
    loop {
        match decoder.step(&mut buffer, closed)? {
            Step::Data(bytes) => data.extend_from_slice(&bytes),
            Step::Trailers(map) => trailers = Some(map),
            Step::Done => break,
            Step::More => match input.next() {
                Some(piece) => buffer.extend_from_slice(piece),
                None => closed = true,
            },
        }
    }
    let left = buffer.len() + input.map(<[u8]>::len).sum::<usize>();
    Ok(Message { head, length, data, trailers, left })
}

fn check_head(bytes: &[u8], head: &Head) {
    assert!(bytes.ends_with(b"\r\n\r\n"), "a head without its end");
    assert!(!bytes.contains(&0), "a NUL was accepted");
    let lines = bytes.iter().filter(|b| **b == b'\n').count();
    assert_eq!(lines, memchr::memmem::find_iter(bytes, b"\r\n").count(), "a bare line feed was accepted");
    assert_eq!(lines, bytes.iter().filter(|b| **b == b'\r').count(), "a bare carriage return was accepted");
    assert!(memchr::memmem::find(bytes, b"\r\n ").is_none(), "a folded line was accepted");
    assert!(memchr::memmem::find(bytes, b"\r\n\t").is_none(), "a folded line was accepted");
    if let Head::Request(request) = head {
        assert!(is_method(&request.method), "a method that is none");
        assert!(request.target.bytes().all(|b| b.is_ascii_graphic()), "a target with odd characters");
    }
    for value in head.headers().values() {
        assert!(value.as_bytes().iter().all(|b| *b == b'\t' || (*b >= 0x20 && *b != 0x7f)), "a control in a value");
    }
}

/// What Reeve writes is never ambiguous to a strict reader.
fn check_rewritten(message: &Message) {
    let Head::Request(request) = &message.head else { return };
    let mut headers = request.headers.clone();
    headers.remove(CONTENT_LENGTH);
    headers.remove(TRANSFER_ENCODING);
    let mut out = BytesMut::new();
    let known = u64::try_from(message.data.len()).unwrap_or_default();
    let chunked = message.length == BodyLength::Chunked;
    let framing = if chunked { write::Framing::Chunked } else { write::Framing::Known(known) };
    write::request_head(&mut out, &request.method, &request.target, &headers, framing);
    if chunked {
        write::chunk(&mut out, &message.data);
        write::last_chunk(&mut out, message.trailers.as_ref());
    } else {
        out.extend_from_slice(&message.data);
    }
    // One more framing field may be one too many, or make the head too long: that is not what is asked here.
    let again = match read([&out[..]]) {
        Err(FramingError::TooManyHeaders | FramingError::HeadTooLong) => return,
        other => other,
    };
    assert!(again.is_ok(), "what was written is refused: {again:?}");
    if let Ok(again) = again {
        assert_eq!((&again.data, again.left), (&message.data, 0), "another body is read from what was written");
        assert_eq!(again.trailers.unwrap_or_default(), message.trailers.clone().unwrap_or_default(), "other trailers");
        if let Head::Request(rewritten) = again.head {
            assert_eq!((&rewritten.method, &rewritten.target), (&request.method, &request.target), "another request");
            assert_eq!(rewritten.headers.len(), headers.len() + 1, "headers came or went");
        }
    }
}

fn run(input: &[u8]) -> u64 {
    let whole = read([input]);
    let in_pieces = read(pieces(input));
    match (&whole, &in_pieces) {
        (Ok(whole), Ok(in_pieces)) => assert_eq!(whole, in_pieces, "pieces are read as another message"),
        // Which error is seen first may depend on where the pieces end, but not whether there is one.
        (whole, in_pieces) => {
            assert_eq!(whole.is_ok(), in_pieces.is_ok(), "{whole:?} as a whole, {in_pieces:?} in pieces")
        }
    }
    match whole {
        Ok(message) => {
            check_rewritten(&message);
            let data = message.data.len();
            let counts = (message.head.headers().len().min(12), data.min(12), roughly(data), roughly(message.left));
            let kind = matches!(message.head, Head::Request(_));
            behaviour(&format!(
                "{kind} {:.6} {counts:?} {}",
                format!("{:?}", message.length),
                message.trailers.is_some()
            ))
        }
        Err(error) => behaviour(&format!("{error:?} {}", input.starts_with(b"HTTP/"))),
    }
}
