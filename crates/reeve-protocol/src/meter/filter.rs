//! Takes the usage chunk out of a Chat stream for a client that did not ask for it: Reeve asked in its place.

use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A usage chunk is small; an event that grows beyond this is passed on as it comes.
const LIMIT: usize = 64 * 1024;

/// Passes a decoded Chat stream on event by event, without the one whose `choices` are empty and whose `usage` is an
/// object. Everything else is passed on byte for byte.
#[derive(Debug, Default)]
pub struct UsageFilter {
    /// The event so far.
    held: Vec<u8>,
    /// The event is too large to be the chunk, and passes as it comes.
    passing: bool,
    /// Bytes of line endings just seen, to find the blank line that ends an event.
    tail: Tail,
    swallowed: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Tail {
    #[default]
    Text,
    /// A line ended; `cr`: by a CR, to which a LF may still belong.
    LineEnd { cr: bool },
    /// A blank line ended by CR, to which a LF may still belong.
    BlankCr,
}

impl UsageFilter {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the chunk was there and was taken out.
    #[must_use]
    pub fn swallowed(&self) -> bool {
        self.swallowed
    }

    /// Reads on, and appends to `out` what may be passed on.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            if self.tail == Tail::BlankCr {
                self.tail = Tail::LineEnd { cr: false };
                if *byte == b'\n' {
                    self.held.push(b'\n');
                    self.end_event(out);
                    continue;
                }
                self.end_event(out);
            }
            self.held.push(*byte);
            let (tail, ended) = match (self.tail, *byte) {
                (Tail::LineEnd { cr: true }, b'\n') => (Tail::LineEnd { cr: false }, false),
                (Tail::LineEnd { .. }, b'\n') => (Tail::LineEnd { cr: false }, true),
                (Tail::LineEnd { .. }, b'\r') => (Tail::BlankCr, false),
                (_, b'\n') => (Tail::LineEnd { cr: false }, false),
                (_, b'\r') => (Tail::LineEnd { cr: true }, false),
                _ => (Tail::Text, false),
            };
            self.tail = tail;
            if ended {
                self.end_event(out);
            }
        }
        if self.held.len() > LIMIT || self.passing {
            self.passing = true;
            out.append(&mut self.held);
        }
    }

    /// What is left when the stream ends.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.end_event(out);
    }

    fn end_event(&mut self, out: &mut Vec<u8>) {
        if !self.passing && is_usage_chunk(&self.held) {
            self.swallowed = true;
            self.held.clear();
        } else {
            out.append(&mut self.held);
        }
        self.passing = false;
    }
}

#[derive(Deserialize)]
struct Chunk {
    choices: [IgnoredAny; 0],
    #[serde(rename = "usage")]
    _usage: Usage,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(rename = "completion_tokens")]
    _completion_tokens: IgnoredAny,
}

fn is_usage_chunk(event: &[u8]) -> bool {
    if memmem::find(event, b"\"usage\"").is_none() {
        return false;
    }
    let mut found = false;
    let mut splitter = crate::llm::sse::Splitter::new(LIMIT);
    // The blank line may be missing when the stream was cut right behind the chunk.
    for part in [event, b"\n\n"] {
        splitter.feed(part, |event| {
            found |= serde_json::from_slice::<Chunk>(event.data).is_ok_and(|c| c.choices.is_empty())
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const USAGE: &str = "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 1, \"completion_tokens\": 2}}\n\n";

    fn filter(stream: &str, size: usize) -> String {
        let mut filter = UsageFilter::new();
        let mut out = Vec::new();
        for piece in stream.as_bytes().chunks(size) {
            filter.feed(piece, &mut out);
        }
        filter.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_the_usage_chunk_is_taken_out() {
        let text = "data: {\"choices\": [{\"delta\": {\"content\": \"usage\"}}], \"usage\": null}\n\n";
        let both = "data: {\"choices\": [{\"delta\": {}}], \"usage\": {\"completion_tokens\": 1}}\n\n";
        let done = ": comment\n\ndata: [DONE]\n\n";
        let stream = format!("{text}{both}{USAGE}{done}");
        for size in [1, 2, 3, 10, 1_000] {
            assert_eq!(filter(&stream, size), format!("{text}{both}{done}"), "in pieces of {size}");
            let cr = stream.replace('\n', "\r\n");
            assert_eq!(filter(&cr, size), format!("{text}{both}{done}").replace('\n', "\r\n"), "in pieces of {size}");
            let bare = stream.replace('\n', "\r");
            assert_eq!(filter(&bare, size), format!("{text}{both}{done}").replace('\n', "\r"), "in pieces of {size}");
        }
    }

    #[test]
    fn an_event_is_passed_on_as_soon_as_it_is_complete() {
        let mut filter = UsageFilter::new();
        let mut out = Vec::new();
        filter.feed(b"data: {\"choices\": [1]}\n\ndata: {\"ch", &mut out);
        assert_eq!(out, b"data: {\"choices\": [1]}\n\n");
    }

    #[test]
    fn a_huge_event_passes_without_being_held() {
        let stream = format!("data: \"usage\" {}\n\n{USAGE}data: x\n\n", "y".repeat(200_000));
        for size in [1_000, 70_000] {
            assert_eq!(filter(&stream, size), stream.replace(USAGE, ""));
        }
        let mut filter = UsageFilter::new();
        let mut out = Vec::new();
        for _ in 0..1_000 {
            filter.feed(&[b'z'; 1_000], &mut out);
            assert!(filter.held.len() <= LIMIT);
        }
    }

    #[test]
    fn a_stream_that_ends_early_loses_nothing() {
        assert_eq!(filter("data: {\"choices\": [1", 5), "data: {\"choices\": [1");
        assert_eq!(filter(USAGE.trim_end(), 5), "");
    }
}
