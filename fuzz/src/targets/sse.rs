//! Server-sent events: held against a plain reading of the standard, in any pieces, with bounded memory.

use reeve_protocol::llm::sse::Splitter;

use super::{Target, behaviour, roughly, words};
use crate::random::pieces;

/// An event that no input reaches, and one that many do.
const AMPLE: usize = 1 << 20;
const TIGHT: usize = 64;

pub(super) fn target() -> Target {
    let words = words(&[
        "\r\n",
        "\n",
        "\r",
        "\n\n",
        "\r\n\r\n",
        "\r\r",
        "data: ",
        "data:",
        "data",
        "event: ",
        "event:message_delta",
        ": ping\n",
        "id: 1\n",
        "retry: 5\n",
        "data: [DONE]\n\n",
        "\u{feff}",
        "\0",
        "data:  x",
        "event",
        " ",
        ":",
        "data: {\"type\":\"ping\"}\n\n",
    ]);
    Target { name: "sse", seeds: Vec::new(), words, longest: 4096, run: Box::new(run) }
}

type Events = Vec<(Vec<u8>, Vec<u8>)>;

/// The standard's algorithm, on the whole stream at once.
fn reference(input: &[u8]) -> Events {
    let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    let (mut events, mut name, mut data) = (Vec::new(), Vec::new(), None::<Vec<u8>>);
    let mut rest = input;
    // A line without its end is never read.
    while let Some(end) = rest.iter().position(|b| matches!(b, b'\n' | b'\r')) {
        let (line, after) = rest.split_at(end);
        rest = after.strip_prefix(b"\r\n").or_else(|| after.get(1..)).unwrap_or_default();
        if line.is_empty() {
            if let Some(data) = data.take() {
                events.push((std::mem::take(&mut name), data));
            }
            name = Vec::new();
            continue;
        }
        let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => name = value.to_vec(),
            b"data" => match &mut data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => data = Some(value.to_vec()),
            },
            _ => {}
        }
    }
    events
}

fn split<'a>(splitter: &mut Splitter, input: impl IntoIterator<Item = &'a [u8]>, limit: usize) -> Events {
    let mut events = Vec::new();
    for piece in input {
        splitter.feed(piece, |event| events.push((event.name.to_vec(), event.data.to_vec())));
        assert!(splitter.held() <= limit, "{} bytes are held", splitter.held());
    }
    events
}

fn run(input: &[u8]) -> u64 {
    let wanted = reference(input);
    assert_eq!(split(&mut Splitter::new(AMPLE), [input], AMPLE), wanted, "as a whole");
    assert_eq!(split(&mut Splitter::new(AMPLE), pieces(input), AMPLE), wanted, "in pieces");
    let mut tight = Splitter::new(TIGHT);
    let kept = split(&mut tight, pieces(input), TIGHT);
    // A limit drops events and changes none.
    let mut left = wanted.iter();
    assert!(kept.iter().all(|event| left.any(|wanted| wanted == event)), "a limit changed an event");
    let dropped = tight.oversized();
    let named = wanted.iter().filter(|(name, _)| !name.is_empty()).count();
    let empty = wanted.iter().filter(|(_, data)| data.is_empty()).count();
    let counts = (roughly(wanted.len()), roughly(kept.len()), dropped.min(3), roughly(named), roughly(empty));
    behaviour(&format!("{counts:?} {}", tight.held().min(1)))
}
