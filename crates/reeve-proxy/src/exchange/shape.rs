//! What the beginning of a body says of what the whole may be: a message of JSON-RPC, or something else for certain. Nothing is
//! kept of it, so a body of any size may be looked at while it passes. Read as laxly as the laxest server would.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::body::Decoder;
use crate::payload::{Payload, PayloadError};

/// Longest word that is compared, in bytes; none that is looked for is longer.
const WORD: usize = 32;
/// What the error of a cut body says.
pub(super) const TOO_LARGE: &str = "an MCP message larger than 16 MiB";

/// What a body is, as far as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// It may become one yet.
    Open,
    /// A message of JSON-RPC, or a list of them.
    Message,
    /// Nothing that follows makes a message of it.
    Other,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Between,
    /// In a text that ends with this byte.
    Text(u8),
    /// After a `\`.
    Escape(u8),
    /// In an escape, so many digits of it to come, with their number so far.
    Digits(u8, u8, u32),
    /// After a `/` outside of a text.
    Stroke,
    Line,
    /// In a comment; whether the byte before was a `*`.
    Block(bool),
}

/// A scan under way.
#[derive(Debug, Default)]
pub(super) struct Scan {
    state: State,
    depth: u32,
    is_list: bool,
    has_begun: bool,
    word: Vec<u8>,
    is_method: bool,
    found: Option<Shape>,
}

impl Scan {
    pub fn shape(&self) -> Shape {
        self.found.unwrap_or(Shape::Open)
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.found.is_some() {
                return;
            }
            // Marks of the order of bytes, and what makes characters wide.
            if byte.is_ascii() && *byte != 0 {
                self.step(*byte);
            }
        }
    }

    fn step(&mut self, byte: u8) {
        match self.state {
            State::Text(end) if byte == end => {
                self.state = State::Between;
                self.value();
            }
            State::Text(end) if byte == b'\\' => self.state = State::Escape(end),
            State::Text(_) => self.letter(byte),
            State::Escape(end) => {
                self.state = match byte {
                    b'u' => State::Digits(end, 4, 0),
                    b'x' => State::Digits(end, 2, 0),
                    _ => State::Text(end),
                };
                if matches!(self.state, State::Text(_)) {
                    self.letter(byte);
                }
            }
            State::Digits(end, left, number) => {
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                let number = number * 16 + digit;
                self.state = State::Digits(end, left - 1, number);
                if left == 1 {
                    self.letter(u8::try_from(number).unwrap_or(b'?'));
                    self.state = State::Text(end);
                }
            }
            State::Stroke => match byte {
                b'/' => self.state = State::Line,
                b'*' => self.state = State::Block(false),
                _ => self.found = Some(Shape::Other),
            },
            State::Line if byte == b'\n' => self.state = State::Between,
            State::Block(true) if byte == b'/' => self.state = State::Between,
            State::Block(_) => self.state = State::Block(byte == b'*'),
            State::Line => {}
            State::Between => self.between(byte),
        }
    }

    fn between(&mut self, byte: u8) {
        match byte {
            b'/' => self.state = State::Stroke,
            _ if byte.is_ascii_whitespace() => {}
            b'{' | b'[' => {
                self.is_list |= byte == b'[' && !self.has_begun;
                self.has_begun = true;
                self.depth += 1;
                self.word.clear();
            }
            _ if !self.has_begun => self.found = Some(Shape::Other),
            b'}' | b']' => {
                self.value();
                self.depth = self.depth.saturating_sub(1);
                self.is_method = false;
                if self.depth == 0 {
                    self.found = Some(Shape::Other);
                }
            }
            b'"' | b'\'' => {
                self.word.clear();
                self.state = State::Text(byte);
            }
            b':' => self.key(),
            b',' => {
                self.value();
                self.is_method = false;
                self.word.clear();
            }
            _ => self.letter(byte),
        }
    }

    fn letter(&mut self, byte: u8) {
        if self.word.len() <= WORD {
            self.word.push(byte);
        }
    }

    /// Whether this is where the members of a message stand.
    fn is_member(&self) -> bool {
        self.depth == 1 + u32::from(self.is_list)
    }

    fn key(&mut self) {
        let is = |word: &[u8]| self.word.eq_ignore_ascii_case(word);
        if self.is_member() && is(b"jsonrpc") {
            self.found = Some(Shape::Message);
        }
        self.is_method = self.is_member() && is(b"method");
        self.word.clear();
    }

    fn value(&mut self) {
        if self.is_method && self.is_member() && self.word == b"tools/call" {
            self.found = Some(Shape::Message);
        }
    }
}

/// A body that is looked at while it passes, and cut as soon as it turns out to be a message.
pub(super) struct Watched {
    pub inner: Payload,
    pub scan: Scan,
    pub decoder: Option<Decoder>,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        let this = &mut *self;
        let frame = ready!(Pin::new(&mut this.inner).poll_frame(cx));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref) {
            if this.scan.shape() == Shape::Open {
                match this.decoder.as_mut().map(|decoder| decoder.feed(data)) {
                    None => this.scan.feed(data),
                    Some(Ok(decoded)) => this.scan.feed(&decoded),
                    Some(Err(error)) => {
                        let why = format!("its content coding cannot be read: {error}");
                        return Poll::Ready(Some(Err(PayloadError::Client(why))));
                    }
                }
            }
            if this.scan.shape() == Shape::Message {
                return Poll::Ready(Some(Err(PayloadError::Reeve(TOO_LARGE.to_owned()))));
            }
        }
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    fn shape(text: &str) -> Shape {
        let mut scan = Scan::default();
        // However it comes.
        text.as_bytes().chunks(3).for_each(|piece| scan.feed(piece));
        scan.shape()
    }

    #[tokio::test]
    async fn a_body_that_turns_out_to_be_a_message_is_cut_and_another_passes() {
        async fn passes(text: &str) -> bool {
            let inner = crate::payload::full(text.to_owned());
            let mut body = Watched { inner, scan: Scan::default(), decoder: None };
            while let Some(frame) = body.frame().await {
                if frame.is_err() {
                    return false;
                }
            }
            true
        }
        assert!(!passes("  {\"id\":1,\"jsonrpc\":\"2.0\"}").await);
        assert!(passes("{\"id\":1,\"rows\":[]}").await && passes("plain").await);
    }

    #[test]
    fn a_message_is_told_wherever_its_key_stands_and_however_it_is_written() {
        for text in [
            r#"{"jsonrpc":"2.0""#,
            r#"   {"params":{"x":[1,{"y":"}"}]},"jsonrpc":"2.0""#,
            r#"[{"id":1},{"JSONRPC":"2.0""#,
            r#"{"method":"tools/call""#,
            r#"{"params":{},"method" : "tools\/call""#,
            "{\"\\u006dethod\":\"tools/call\"",
            "// a comment\n/* and * another */{method:'tools/call'",
            "\u{feff}{\"jsonrpc\":",
        ] {
            assert_eq!(shape(text), Shape::Message, "{text}");
        }
        let wide: Vec<u8> = r#"{"jsonrpc":"#.bytes().flat_map(|byte| [byte, 0]).collect();
        let mut scan = Scan::default();
        scan.feed(&wide);
        assert_eq!(scan.shape(), Shape::Message);
    }

    #[test]
    fn what_cannot_become_one_is_let_go_at_once_and_what_can_is_not() {
        for text in ["<html>", "name=value", "12", "{\"index\":{}}\n{\"x\":1}", "{}", "[]", "/usr/bin"] {
            assert_eq!(shape(text), Shape::Other, "{text}");
        }
        for text in [
            "",
            "      ",
            "{\"file\":\"jsonrpc",
            r#"{"inner":{"jsonrpc":"2.0"},"text":"\"jsonrpc\":""#,
            r#"{"method":"GET","body":"tools/call""#,
            r#"{"list":["jsonrpc","tools/call"]"#,
            "// only a comment",
        ] {
            assert_eq!(shape(text), Shape::Open, "{text}");
        }
    }
}
