//! Counts what an answer used while it passes: decoded bytes in, usage by the rules of each dialect out. Memory stays
//! bounded whatever comes; what cannot be read is noted, and the answer passes on.

mod anthropic;
mod elements;
mod filter;
mod gemini;
mod openai;
mod openai_chat;
mod openai_responses;
mod parts;
mod said;

use reeve_domain::operation::{Dialect, LlmCall};
use reeve_domain::outcome::ToolCallAsked;
use reeve_domain::usage::Usage;

use crate::llm::sse::Splitter;
use crate::text;

pub use filter::UsageFilter;

use elements::Elements;
use said::Said;

/// Largest event, answer or element of a list that is read, in bytes.
const LIMIT: usize = 4 * 1024 * 1024;

/// Tool calls beyond this many are not named.
const MAX_TOOL_CALLS: usize = 256;

/// What an answer used, as far as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metered {
    /// As reported so far; `None` when nothing was reported.
    pub usage: Option<Usage>,
    /// Whether `usage` is the provider's final word.
    pub usage_final: bool,
    /// Output tokens counted from the text, thinking and tool arguments seen.
    pub counted_output: u64,
    pub tool_calls: Vec<ToolCallAsked>,
    /// Model that answered, where the answer names it.
    pub served_model: Option<String>,
    /// The end of what it says in plain words, thinking and arguments left out. Foreign text, at most 10 KiB; it may hold secrets.
    pub said: Option<String>,
    /// The provider's own error, where the answer holds one; foreign text, one line.
    pub error: Option<String>,
    /// Events or answers that were too large or not of the dialect's shape. Their usage, if any, is not in `usage`.
    pub unread: u64,
}

/// Meters one answer.
#[derive(Debug)]
pub struct Meter {
    reader: Reader,
    dialect: Reading,
    seen: Seen,
}

/// How the answer is framed, found out from its first byte: a content type may lie.
#[derive(Debug)]
enum Reader {
    Fresh,
    Events(Splitter),
    Json(Elements),
}

#[derive(Debug)]
enum Reading {
    Anthropic(anthropic::Reading),
    Chat(openai_chat::Reading),
    Responses(openai_responses::Reading),
    Gemini(gemini::Reading),
}

/// What all dialects note in the same way.
#[derive(Debug, Default)]
struct Seen {
    /// Bytes of generated text: ASCII, and others.
    ascii: u64,
    other: u64,
    said: Said,
    tool_calls: Vec<ToolCallAsked>,
    served_model: Option<String>,
    error: Option<String>,
    unread: u64,
}

/// One thing to read: an event's data, or a whole JSON answer.
#[derive(Debug, Clone, Copy)]
enum Piece<'a> {
    Event(&'a [u8]),
    Whole(&'a [u8]),
}

impl Meter {
    /// A meter for the 2xx answer to `call`.
    #[must_use]
    pub fn new(call: &LlmCall) -> Self {
        let dialect = match call.dialect {
            Dialect::AnthropicMessages => Reading::Anthropic(anthropic::Reading::default()),
            Dialect::OpenaiChat => Reading::Chat(openai_chat::Reading::new(call)),
            Dialect::OpenaiResponses => Reading::Responses(openai_responses::Reading::new(call)),
            Dialect::Gemini | Dialect::GeminiCodeAssist => Reading::Gemini(gemini::Reading::new(call)),
        };
        Self { reader: Reader::Fresh, dialect, seen: Seen::default() }
    }

    /// The next bytes of the body, after content decoding.
    pub fn feed(&mut self, decoded: &[u8]) {
        if matches!(self.reader, Reader::Fresh) {
            match decoded.iter().find(|byte| !byte.is_ascii_whitespace()) {
                None => return,
                Some(b'{' | b'[') => self.reader = Reader::Json(Elements::new(LIMIT)),
                Some(_) => self.reader = Reader::Events(Splitter::new(LIMIT)),
            }
        }
        let (dialect, seen) = (&mut self.dialect, &mut self.seen);
        match &mut self.reader {
            Reader::Fresh => {}
            Reader::Events(splitter) => splitter.feed(decoded, |event| dialect.read(Piece::Event(event.data), seen)),
            Reader::Json(elements) => elements.feed(decoded, |element| dialect.read(Piece::Whole(element), seen)),
        }
    }

    /// What was used, once the answer ended or was cut.
    #[must_use]
    pub fn finish(self) -> Metered {
        let oversized = match &self.reader {
            Reader::Fresh => 0,
            Reader::Events(splitter) => splitter.oversized(),
            Reader::Json(elements) => elements.oversized(),
        };
        let (usage, usage_final) = match self.dialect {
            Reading::Anthropic(reading) => reading.finish(),
            Reading::Chat(reading) => reading.finish(),
            Reading::Responses(reading) => reading.finish(),
            Reading::Gemini(reading) => reading.finish(),
        };
        Metered {
            usage,
            usage_final,
            counted_output: self.seen.counted_output(),
            tool_calls: self.seen.tool_calls,
            served_model: self.seen.served_model,
            said: self.seen.said.finish(),
            error: self.seen.error,
            unread: self.seen.unread.saturating_add(oversized),
        }
    }
}

impl Reading {
    fn read(&mut self, piece: Piece<'_>, seen: &mut Seen) {
        let read = match self {
            Self::Anthropic(reading) => reading.read(piece, seen),
            Self::Chat(reading) => reading.read(piece, seen),
            Self::Responses(reading) => reading.read(piece, seen),
            Self::Gemini(reading) => reading.read(piece, seen),
        };
        if read.is_err() {
            seen.unread = seen.unread.saturating_add(1);
        }
    }
}

impl Seen {
    /// Counts generated text: four ASCII bytes or three others to a token, as the public tokenizers average.
    fn text(&mut self, text: &str) {
        let all = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let other = u64::try_from(text.bytes().filter(|byte| !byte.is_ascii()).count()).unwrap_or(u64::MAX);
        self.ascii = self.ascii.saturating_add(all - other);
        self.other = self.other.saturating_add(other);
    }

    /// Text that is said to whoever reads the answer.
    fn say(&mut self, text: &str) {
        self.text(text);
        self.said.push(text);
    }

    fn counted_output(&self) -> u64 {
        self.ascii.div_ceil(4).saturating_add(self.other.div_ceil(3))
    }

    fn tool_call(&mut self, id: &str, name: &str) {
        let known = |call: &ToolCallAsked| !call.id.is_empty() && call.id == id;
        if self.tool_calls.len() < MAX_TOOL_CALLS && !self.tool_calls.iter().any(known) {
            self.tool_calls.push(ToolCallAsked { id: text::line(id, 128), name: text::line(name, 128) });
        }
    }

    fn model(&mut self, model: &str) {
        if self.served_model.is_none() && !model.is_empty() {
            self.served_model = Some(text::line(model, 128));
        }
    }

    fn error(&mut self, message: &str) {
        self.error = Some(text::line(message, 300));
    }
}

#[cfg(test)]
mod tests;
