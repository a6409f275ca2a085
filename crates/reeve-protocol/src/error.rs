//! Why a request cannot be read, or not be rewritten as asked.

/// Each of these turns the request away as malformed; the message names the cause and the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    #[error("a call to a language model needs a body")]
    NoBody,
    #[error("the body is {bytes} bytes, more than the {limit} that are read")]
    TooLarge { bytes: usize, limit: usize },
    #[error("the body is not JSON that can be judged: {0}")]
    NotJson(String),
    #[error("`{field}` is not {expected}")]
    Shape { field: String, expected: &'static str },
    #[error("`{one}` and `{other}` are both set, and which one counts is not certain")]
    Ambiguous { one: &'static str, other: &'static str },
    #[error("the output limit would fall to {tokens} tokens, not above the thinking budget of {budget}")]
    UnderThinkingBudget { tokens: u64, budget: u64 },
}

impl ProtocolError {
    pub(crate) fn shape(field: impl Into<String>, expected: &'static str) -> Self {
        Self::Shape { field: field.into(), expected }
    }
}
