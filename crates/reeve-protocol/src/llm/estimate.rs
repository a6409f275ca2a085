//! Upper bounds of input tokens before a call: public tokenizers where they exist, bytes / 2 elsewhere, and caps for
//! what is not text. Caps are the providers' documented maxima in 2026-11, rounded up.

use tiktoken_rs::CoreBPE;

use crate::body::Node;

/// Requests larger than this are bounded by their size instead of being tokenized: at 15 MB/s a long conversation would
/// wait longer for its count than for everything else in Reeve.
const TOKENIZED: usize = 32 * 1024;

/// A text this long with hardly any blank is no prose (base64, hex, minified code): fewer bytes make a token there.
const DENSE_FROM: usize = 256;

/// Hidden framing: a constant, and per turn and per tool.
pub const BASE: u64 = 64;
pub const PER_MESSAGE: u64 = 12;
pub const PER_TOOL: u64 = 32;

/// What a provider's own tool adds to the prompt by being offered.
pub const SERVER_TOOL_PROMPT: u64 = 3_000;

/// Context that the request only names (earlier answers, files, cached content): as much as any model takes. The price
/// bound cuts it to the model's own window.
pub const UNSEEN: u64 = 2_000_000;

/// Pages of one document, and tokens of one page (its text, and its picture).
const PDF_PAGES: u64 = 600;
const PDF_PAGE: u64 = 4_600;

/// What a provider's own tool may put into the input each time it is used.
#[must_use]
pub fn server_tool_answer(name: &str) -> u64 {
    if reeve_domain::price::is_search(name) { 10_000 } else { 20_000 }
}

/// Tokens of a document of `bytes` decoded bytes: a page takes at least two kilobytes of a file.
#[must_use]
pub fn pdf(bytes: u64) -> u64 {
    (bytes / 2048 + 1).min(PDF_PAGES) * PDF_PAGE
}

/// Tokens of sound or moving pictures of `bytes` decoded bytes: 32 tokens a second of speech coded at 6 kbit/s.
#[must_use]
pub fn sound(bytes: u64) -> u64 {
    bytes / 20 + 100
}

/// Decoded size of base64 text, a data URL or not.
#[must_use]
pub fn decoded(base64: &str) -> u64 {
    u64::try_from(base64.len()).unwrap_or(u64::MAX) / 4 * 3
}

/// The public tokenizer of an OpenAI model; `None` where none is published (newer families included), and for a body of
/// more `bytes` than are tokenized.
#[must_use]
pub fn tokenizer(provider: &str, model: &str, bytes: usize) -> Option<&'static CoreBPE> {
    if provider != "openai" || bytes > TOKENIZED {
        return None;
    }
    let is = |families: &[&str]| {
        families.iter().any(|family| {
            let rest = model.strip_prefix(family);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
        })
    };
    if is(&["gpt-4o", "gpt-4.1", "gpt-4.5", "chatgpt-4o", "gpt-5", "o1", "o3", "o4"]) {
        Some(tiktoken_rs::o200k_base_singleton())
    } else if is(&["gpt-4", "gpt-3.5"]) {
        Some(tiktoken_rs::cl100k_base_singleton())
    } else {
        None
    }
}

/// Adds up the input of one request.
pub struct Tally {
    tokenizer: Option<&'static CoreBPE>,
    /// Tokens of an object that is not text (picture, document, sound), which is then not looked into.
    media: fn(&Node<'_>) -> Option<u64>,
    tokens: u64,
    /// Halves of tokens: what is bounded by bytes / 2.
    half_tokens: u64,
}

impl Tally {
    #[must_use]
    pub fn new(tokenizer: Option<&'static CoreBPE>, media: fn(&Node<'_>) -> Option<u64>) -> Self {
        Self { tokenizer, media, tokens: BASE, half_tokens: 0 }
    }

    /// Tokens that no text shows.
    pub fn add(&mut self, tokens: u64) {
        self.tokens = self.tokens.saturating_add(tokens);
    }

    /// Everything in a value, keys and punctuation included.
    pub fn weigh(&mut self, node: &Node<'_>) {
        match node {
            Node::Null | Node::Bool(_) => self.half_tokens += 8,
            Node::Number(_) => self.half_tokens += 24,
            Node::Text(text) => self.text(text),
            Node::List(items) => {
                self.half_tokens += 4;
                for item in items {
                    self.half_tokens += 2;
                    self.weigh(item);
                }
            }
            Node::Map(fields) => match (self.media)(node) {
                Some(tokens) => self.add(tokens),
                None => {
                    self.half_tokens += 4;
                    for (key, value) in &fields.0 {
                        self.half_tokens += 6 + bytes(key);
                        self.weigh(value);
                    }
                }
            },
        }
    }

    fn text(&mut self, text: &str) {
        let size = bytes(text);
        match self.tokenizer {
            Some(tokenizer) => {
                let counted = tokenizer.encode_ordinary(text).len();
                self.add(u64::try_from(counted).unwrap_or(u64::MAX).saturating_add(2));
            }
            None => {
                let halves = if is_dense(text) { size / 2 * 3 + 3 } else { size };
                self.half_tokens = self.half_tokens.saturating_add(halves + 4);
            }
        }
    }

    /// The bound.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens.saturating_add(self.half_tokens.div_ceil(2))
    }
}

fn is_dense(text: &str) -> bool {
    let count = |byte| memchr::memchr_iter(byte, text.as_bytes()).count();
    text.len() >= DENSE_FROM && count(b' ') + count(b'\n') < text.len() / 32
}

fn bytes(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> u64 {
        u64::try_from(tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len()).unwrap()
    }

    fn bound(tokenizer: Option<&'static CoreBPE>, text: &str) -> u64 {
        let mut tally = Tally::new(tokenizer, |_| None);
        tally.weigh(&Node::Text(text.into()));
        tally.tokens()
    }

    #[test]
    fn the_bound_by_size_is_above_the_count_for_every_kind_of_text() {
        let base64: String = (0..4_000_u32)
            .map(|i| {
                let x = i.wrapping_mul(2_654_435_761).wrapping_add(i.wrapping_mul(i)) >> 13;
                char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[(x % 64) as usize])
            })
            .collect();
        let code = include_str!("estimate.rs");
        for text in [base64.as_str(), code, &"汉字统计代码行数。".repeat(300), &"{\"a\":1},".repeat(300), "", "hi"]
        {
            let (by_size, counted) = (bound(None, text), count(text));
            assert!(by_size >= counted, "{by_size} < {counted}: {}", text.chars().take(40).collect::<String>());
        }
    }

    #[test]
    fn a_public_tokenizer_gives_the_tighter_bound_for_prose() {
        let text = "Please list the files in this directory and tell me which of them changed today. ".repeat(20);
        let tight = bound(tokenizer("openai", "gpt-5.1", text.len()), &text);
        assert!(count(&text) <= tight && tight < bound(None, &text) / 2);
    }

    #[test]
    fn only_families_with_a_published_tokenizer_use_one() {
        for model in ["gpt-4o-mini", "gpt-5.1-codex", "gpt-5", "o3", "gpt-4-turbo", "gpt-3.5-turbo"] {
            assert!(tokenizer("openai", model, 100).is_some(), "{model}");
            assert!(tokenizer("openai", model, 100_000).is_none(), "{model}");
        }
        for (provider, model) in
            [("openai", "gpt-6.1-sol"), ("openai", "gpt-50"), ("anthropic", "gpt-4o"), ("openai", "oak")]
        {
            assert!(tokenizer(provider, model, 100).is_none(), "{model}");
        }
    }
}
