//! Event streams (`text/event-stream`), cut into events as their bytes come and written again. Every event keeps its own
//! bytes, so that what is passed on unchanged is passed on as it came.

use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};

/// Largest event that is read, in bytes: what a message may have, and room for its fields.
pub const MAX_EVENT: usize = 17 * 1024 * 1024;

/// An event has more than [`MAX_EVENT`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event has more than {MAX_EVENT} bytes")]
pub struct TooLarge;

/// One event, as it stands between two empty lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamEvent {
    /// As it came, its empty line included.
    pub raw: Bytes,
    pub id: Option<String>,
    /// Its type; `None` means `message`.
    pub name: Option<String>,
    /// Its lines of data, joined; `None` where it has none: a comment, or a time to wait.
    pub data: Option<String>,
    /// How long to wait before connecting again, in milliseconds.
    pub retry: Option<u64>,
}

impl StreamEvent {
    /// Bytes of an event. `data` may have several lines; `id` must have one.
    #[must_use]
    pub fn encode(id: Option<&str>, data: &str) -> Bytes {
        let mut text = String::with_capacity(data.len() + 32);
        text.push_str("event: message\n");
        if let Some(id) = id {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "id: {id}");
        }
        for line in data.split('\n') {
            text.push_str("data: ");
            text.push_str(line);
            text.push('\n');
        }
        text.push('\n');
        Bytes::from(text)
    }

    fn read(raw: Bytes) -> Self {
        let text = String::from_utf8_lossy(&raw).into_owned();
        let mut event = Self { raw, ..Self::default() };
        for line in text.split(['\n', '\r']) {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "data" => match &mut event.data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(value);
                    }
                    None => event.data = Some(value.to_owned()),
                },
                "id" if !value.contains('\0') => event.id = Some(value.to_owned()),
                "event" => event.name = Some(value.to_owned()),
                "retry" => event.retry = value.parse().ok(),
                _ => {}
            }
        }
        event
    }
}

/// Cuts a stream into events.
#[derive(Debug, Default)]
pub struct EventReader {
    held: BytesMut,
    /// Bytes that were looked at and end no event.
    seen: usize,
    /// Where the line begins that `seen` is in.
    line: usize,
    /// The last byte was a carriage return: a line feed right behind it belongs to it.
    returned: bool,
    begun: bool,
}

impl EventReader {
    pub fn feed(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        if !self.begun && self.held.len() >= 3 {
            self.begun = true;
            if self.held.starts_with(b"\xef\xbb\xbf") {
                drop(self.held.split_to(3));
            }
        }
    }

    /// The next event that is there as a whole.
    ///
    /// # Errors
    /// When it is too large to be read.
    pub fn next_event(&mut self) -> Result<Option<StreamEvent>, TooLarge> {
        while let Some(byte) = self.held.get(self.seen).copied() {
            let at = self.seen;
            self.seen += 1;
            let after_return = std::mem::replace(&mut self.returned, byte == b'\r');
            if !matches!(byte, b'\n' | b'\r') {
                continue;
            }
            if byte == b'\n' && after_return {
                // The second half of one line's end.
                self.line = self.seen;
                continue;
            }
            let is_empty = self.line == at;
            self.line = self.seen;
            if is_empty {
                if byte == b'\r' && self.held.get(self.seen) == Some(&b'\n') {
                    self.seen += 1;
                    self.returned = false;
                }
                let raw = self.held.split_to(self.seen).freeze();
                (self.seen, self.line) = (0, 0);
                return Ok(Some(StreamEvent::read(raw)));
            }
        }
        if self.held.len() > MAX_EVENT { Err(TooLarge) } else { Ok(None) }
    }

    /// What came since the last whole event.
    #[must_use]
    pub fn rest(self) -> Bytes {
        self.held.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&str]) -> Vec<StreamEvent> {
        let mut reader = EventReader::default();
        let mut all = Vec::new();
        for piece in pieces {
            reader.feed(piece.as_bytes());
            while let Some(event) = reader.next_event().unwrap() {
                all.push(event);
            }
        }
        all
    }

    #[test]
    fn events_are_the_same_however_their_bytes_come_and_whatever_ends_their_lines() {
        let text = "id: 1\nevent: message\ndata: {\"a\":\ndata: 1}\n\n: ping\n\nretry: 500\ndata:\n\n";
        for end in ["\n", "\r\n", "\r"] {
            let text = text.replace('\n', end);
            let whole = events(&[&text]);
            let bytes: Vec<String> = text.chars().map(String::from).collect();
            let cut = events(&bytes.iter().map(String::as_str).collect::<Vec<_>>());
            let facts = |all: &[StreamEvent]| {
                all.iter().map(|one| (one.id.clone(), one.data.clone(), one.retry)).collect::<Vec<_>>()
            };
            assert_eq!(facts(&whole), facts(&cut), "{end:?}");
            let wanted = [
                (Some("1".to_owned()), Some("{\"a\":\n1}".to_owned()), None),
                (None, None, None),
                (None, Some(String::new()), Some(500)),
            ];
            assert_eq!(facts(&cut).into_iter().filter(|one| *one != (None, None, None)).count(), 2);
            assert_eq!(facts(&whole).first(), wanted.first());
            assert_eq!(facts(&whole).last(), wanted.last());
        }
    }

    #[test]
    fn all_bytes_of_a_stream_are_in_its_events_and_its_rest() {
        let text = "data: 1\r\n\r\n\n\ndata: 2\n\ndata: unfinished";
        let mut reader = EventReader::default();
        reader.feed(text.as_bytes());
        let mut joined = Vec::new();
        while let Some(event) = reader.next_event().unwrap() {
            joined.extend_from_slice(&event.raw);
        }
        joined.extend_from_slice(&reader.rest());
        assert_eq!(String::from_utf8(joined).unwrap(), text);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let bytes = StreamEvent::encode(Some("s-1"), "{\"text\":\"a\"}");
        let read = events(&[std::str::from_utf8(&bytes).unwrap()]);
        assert_eq!(read[0].id.as_deref(), Some("s-1"));
        assert_eq!(read[0].data.as_deref(), Some("{\"text\":\"a\"}"));
    }

    #[test]
    fn an_event_without_end_is_given_up() {
        let mut reader = EventReader::default();
        reader.feed(&vec![b'x'; MAX_EVENT + 1]);
        assert_eq!(reader.next_event(), Err(TooLarge));
    }
}
