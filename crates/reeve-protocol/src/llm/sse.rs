//! Server-sent events, split as they come: any line ending, bounded memory, never a panic. Bytes are handed over as they
//! are; whether they are UTF-8 or JSON is for the reader to find out.

/// Memory that a splitter keeps between events.
const KEPT: usize = 16 * 1024;

/// One complete event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// Value of the last `event` field; empty when there was none.
    pub name: &'a [u8],
    /// Values of all `data` fields, joined by line feeds.
    pub data: &'a [u8],
}

/// Takes a stream in pieces of any size and gives its events.
#[derive(Debug)]
pub struct Splitter {
    /// The line so far, when it came in pieces.
    line: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// Too large: everything up to the next blank line is dropped.
    skipping: bool,
    /// The last byte was a CR, so a LF that follows belongs to it.
    after_cr: bool,
    /// Nothing was read yet, so a byte order mark may come.
    fresh: bool,
    limit: usize,
    oversized: u64,
}

impl Splitter {
    /// `limit`: most bytes of one event that are kept; a larger one is dropped and counted.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            line: Vec::new(),
            name: Vec::new(),
            data: Vec::new(),
            has_data: false,
            skipping: false,
            after_cr: false,
            fresh: true,
            limit,
            oversized: 0,
        }
    }

    /// Events that were dropped because they were too large.
    #[must_use]
    pub fn oversized(&self) -> u64 {
        self.oversized
    }

    /// Bytes held for an event that is not complete.
    #[must_use]
    pub fn held(&self) -> usize {
        self.line.len() + self.name.len() + self.data.len()
    }

    /// Reads on. An event that the stream ends in the middle of is never given, as the standard says.
    pub fn feed(&mut self, mut bytes: &[u8], mut on: impl FnMut(Event<'_>)) {
        if self.after_cr && !bytes.is_empty() {
            self.after_cr = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) {
            let (line, rest) = bytes.split_at(end);
            let is_cr = rest.first() == Some(&b'\r');
            let rest = rest.get(1..).unwrap_or_default();
            bytes = match rest.strip_prefix(b"\n") {
                Some(after) if is_cr => after,
                _ => {
                    self.after_cr = is_cr && rest.is_empty();
                    rest
                }
            };
            if self.line.is_empty() {
                self.end_line(line, &mut on);
            } else {
                self.keep(line);
                let whole = std::mem::take(&mut self.line);
                self.end_line(&whole, &mut on);
                self.line = reuse(whole);
            }
        }
        self.keep(bytes);
    }

    fn keep(&mut self, part: &[u8]) {
        // One byte stays of a line that is skipped, so that it is not taken for a blank one.
        let part = if self.skipping && !self.line.is_empty() { &[] } else { part };
        let part = if self.skipping { part.get(..1).unwrap_or_default() } else { part };
        self.line.extend_from_slice(part);
        self.check_size();
    }

    fn check_size(&mut self) {
        if !self.skipping && self.held() > self.limit {
            self.skipping = true;
            self.oversized += 1;
            self.line.truncate(1);
            self.line.shrink_to(KEPT);
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.data = reuse(std::mem::take(&mut self.data));
        self.name = reuse(std::mem::take(&mut self.name));
        self.has_data = false;
    }

    fn end_line(&mut self, line: &[u8], on: &mut impl FnMut(Event<'_>)) {
        let line =
            if std::mem::take(&mut self.fresh) { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        if line.is_empty() {
            if self.has_data && !self.skipping {
                on(Event { name: &self.name, data: &self.data });
            }
            self.skipping = false;
            self.clear();
            return;
        }
        if self.skipping {
            return;
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(colon) => {
                let (field, value) = line.split_at(colon);
                let value = value.get(1..).unwrap_or_default();
                (field, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &[][..]),
        };
        match field {
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            b"event" => {
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            // Comments, ids, retry times and what nobody knows.
            _ => {}
        }
        self.check_size();
    }
}

/// An empty buffer that keeps a little of its memory.
pub(crate) fn reuse(mut buffer: Vec<u8>) -> Vec<u8> {
    buffer.clear();
    if buffer.capacity() > KEPT {
        buffer.shrink_to(KEPT);
    }
    buffer
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(pieces: &[&[u8]], limit: usize) -> (Vec<(String, String)>, Splitter) {
        let mut splitter = Splitter::new(limit);
        let mut events = Vec::new();
        for piece in pieces {
            splitter.feed(piece, |event| {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                events.push((text(event.name), text(event.data)));
            });
        }
        (events, splitter)
    }

    fn events(stream: &[u8]) -> Vec<(String, String)> {
        split(&[stream], 1 << 20).0
    }

    fn pair(name: &str, data: &str) -> (String, String) {
        (name.to_owned(), data.to_owned())
    }

    #[test]
    fn events_are_split_with_every_line_ending() {
        for stream in [
            "event: a\ndata: 1\n\ndata: 2\n\n",
            "event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n",
            "event: a\rdata: 1\r\rdata: 2\r\r",
        ] {
            assert_eq!(events(stream.as_bytes()), [pair("a", "1"), pair("", "2")], "{stream:?}");
        }
    }

    #[test]
    fn fields_are_read_as_the_standard_says() {
        for (stream, expected) in [
            ("data:1\n\n", vec![pair("", "1")]),
            ("data:  1\n\n", vec![pair("", " 1")]),
            ("data: a\ndata: b\n\n", vec![pair("", "a\nb")]),
            ("data\n\n", vec![pair("", "")]),
            (": comment\n\ndata: 1\n\n", vec![pair("", "1")]),
            ("event: x\n\ndata: 1\n\n", vec![pair("", "1")]),
            ("\u{feff}data: 1\n\n", vec![pair("", "1")]),
            ("id: 7\nretry: 1\nunknown: z\ndata: 1\n\n", vec![pair("", "1")]),
            ("data: cut off", vec![]),
            ("data: cut off\n", vec![]),
        ] {
            assert_eq!(events(stream.as_bytes()), expected, "{stream:?}");
        }
    }

    #[test]
    fn an_event_that_is_too_large_is_dropped_and_the_next_one_is_read() {
        let long = format!("data: {}\n\ndata: next\n\n", "x".repeat(5_000));
        let lines = format!("{}\ndata: next\n\n", "data: y\n".repeat(1_000));
        for stream in [long, lines] {
            for size in [1, 7, 100, 10_000] {
                let pieces: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
                let (events, splitter) = split(&pieces, 1_000);
                assert_eq!(events, [pair("", "next")], "in pieces of {size}");
                assert_eq!(splitter.oversized(), 1);
            }
        }
    }

    #[test]
    fn an_endless_line_takes_no_more_memory_than_the_limit() {
        let mut splitter = Splitter::new(1_000);
        splitter.feed(b"data: ", |_| {});
        for _ in 0..10_000 {
            splitter.feed(&[b'x'; 1_000], |_| panic!("no event is complete"));
            assert!(splitter.held() <= 2_000);
        }
        assert_eq!(splitter.oversized(), 1);
    }

    #[test]
    fn every_stream_of_the_corpus_gives_the_same_events_in_any_pieces() {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/corpus/sse");
        let mut seen = 0;
        for entry in std::fs::read_dir(corpus).unwrap() {
            let stream = std::fs::read(entry.unwrap().path()).unwrap();
            let whole = split(&[&stream], 4_096).0;
            for size in [1, 2, 3, 5, 64] {
                let pieces: Vec<&[u8]> = stream.chunks(size).collect();
                assert_eq!(split(&pieces, 4_096).0, whole, "in pieces of {size}");
            }
            seen += 1;
        }
        assert!(seen >= 12);
    }

    proptest! {
        #[test]
        fn how_a_stream_is_cut_into_pieces_changes_nothing(
            stream in prop::collection::vec(prop::sample::select(b"\r\n: adet\xef\xbb\xbfx".to_vec()), 0..200),
            cut in 1_usize..20,
        ) {
            let pieces: Vec<&[u8]> = stream.chunks(cut).collect();
            prop_assert_eq!(split(&pieces, 50).0, split(&[&stream], 50).0);
        }
    }
}
