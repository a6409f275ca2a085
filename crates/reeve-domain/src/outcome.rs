//! What came of an admitted operation, as the mouth measured it.

use serde::{Deserialize, Serialize};

use crate::health::Refusal;
use crate::id::{CredentialId, OperationId};
use crate::operation::{DataKind, Digest, SchemaProblem};
use crate::usage::Usage;

/// How the exchange ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ending")]
pub enum Ending {
    /// Nothing went upstream: refused address, failed look-up or connect, client gone before.
    NotSent { why: String },
    /// The whole answer passed.
    Complete,
    /// The client hung up; the upstream call was cancelled.
    CutByClient,
    /// The upstream broke off or framed its answer wrongly.
    CutByUpstream { why: String },
    /// Reeve cut it: session stopped, leak found, limit reached, rule changed.
    CutByReeve { why: String },
    /// Sent, and nothing is known of what became of it.
    Unknown,
}

/// A tool call that the model asked its agent for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCallAsked {
    pub id: String,
    pub name: String,
}

/// What a tool call or a command came to, where it came to an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum ToolResult {
    /// The tool did what it was asked, as far as it says.
    Ok,
    /// The tool says that it failed.
    ToolError { message: String },
    /// The result does not fit the tool's output schema.
    SchemaFailure { problems: Vec<SchemaProblem> },
    /// The tool did not answer in its time; whether it did something is not known.
    TimedOut { after_ms: u64 },
    /// The command ended with this status; `None`: a signal ended it.
    Exited { code: Option<i32> },
}

/// The six ways in which a tool call ends, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolEnd {
    Ok,
    ToolError,
    SchemaFailure,
    Timeout,
    /// Reeve or a person turned it away.
    Refused,
    /// It went out, or may have, and nobody knows what became of it.
    Unknown,
}

impl ToolEnd {
    pub const ALL: [Self; 6] =
        [Self::Ok, Self::ToolError, Self::SchemaFailure, Self::Timeout, Self::Refused, Self::Unknown];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ToolError => "tool_error",
            Self::SchemaFailure => "schema_failure",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }

    /// Of a call that was admitted and came to an end.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        match (&outcome.result, &outcome.ending) {
            (Some(ToolResult::Ok | ToolResult::Exited { code: Some(0) }), _) => Self::Ok,
            (Some(ToolResult::ToolError { .. } | ToolResult::Exited { .. }), _) => Self::ToolError,
            (Some(ToolResult::SchemaFailure { .. }), _) => Self::SchemaFailure,
            (Some(ToolResult::TimedOut { .. }), _) => Self::Timeout,
            // Turned away after it was admitted. Of a server that could not be reached the result says so.
            (None, Ending::NotSent { .. }) => Self::Refused,
            (None, _) => Self::Unknown,
        }
    }
}

/// What came of an operation. Made by the protocol meter and the forwarder; consumed by `Admission::settle`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    #[serde(flatten)]
    pub ending: Ending,
    /// Status of the upstream's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Usage as reported so far; last value of each field wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Whether `usage` is the provider's final word.
    pub usage_final: bool,
    /// Output tokens counted by Reeve from the text seen, for streams that were cut.
    pub counted_output: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCallAsked>,
    /// Model that answered, where the answer names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served_model: Option<String>,
    pub request_bytes: u64,
    pub response_bytes: u64,
    /// From admission to the first byte of the answer's body, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte_ms: Option<u64>,
    /// From admission to the end, in milliseconds.
    pub total_ms: u64,
    /// Credentials that were put into the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub injected: Vec<CredentialId>,
    /// How often a credential was masked in the answer.
    pub masked: u64,
    /// The address that was connected to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// Of tool calls and commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ToolResult>,
    /// Nothing was carried out: this is what the same call came to before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<OperationId>,
    /// How often Reeve made the call again after it had failed without effect.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// Kinds of personal data and secrets that a tool's result held, where rules want them in the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub result_data: Vec<DataKind>,
    /// Why the place refused the credential, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// Hash of the answer, to tell whether the same came again; not kept in the record.
    #[serde(skip)]
    pub answer: Option<Digest>,
    /// The end of what a model said in plain words: why it asks for the tool calls that follow. Foreign text, for the card of what
    /// follows; not kept in the record.
    #[serde(skip)]
    pub said: Option<String>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Outcome {
    /// An operation of which nothing went upstream.
    #[must_use]
    pub fn not_sent(why: impl Into<String>) -> Self {
        Self::ended(Ending::NotSent { why: why.into() })
    }

    /// An outcome with only its ending known.
    #[must_use]
    pub fn ended(ending: Ending) -> Self {
        Self {
            ending,
            status: None,
            usage: None,
            usage_final: false,
            counted_output: 0,
            tool_calls: Vec::new(),
            served_model: None,
            request_bytes: 0,
            response_bytes: 0,
            first_byte_ms: None,
            total_ms: 0,
            injected: Vec::new(),
            masked: 0,
            peer: None,
            result: None,
            repeats: None,
            retries: 0,
            result_data: Vec::new(),
            refusal: None,
            answer: None,
            said: None,
        }
    }

    #[must_use]
    pub fn succeeded(&self) -> bool {
        match &self.result {
            Some(result) => matches!(result, ToolResult::Ok | ToolResult::Exited { code: Some(0) }),
            None => self.status.is_some_and(|s| (200..300).contains(&s)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_ends_in_exactly_one_of_six_ways() {
        let ended =
            |ending: Ending, result: Option<ToolResult>| ToolEnd::of(&Outcome { result, ..Outcome::ended(ending) });
        assert_eq!(ended(Ending::Complete, Some(ToolResult::Ok)), ToolEnd::Ok);
        let error = ToolResult::ToolError { message: String::new() };
        assert_eq!(ended(Ending::Complete, Some(error)), ToolEnd::ToolError);
        let unfit = ToolResult::SchemaFailure { problems: Vec::new() };
        assert_eq!(ended(Ending::Complete, Some(unfit)), ToolEnd::SchemaFailure);
        let late = ToolResult::TimedOut { after_ms: 15_000 };
        assert_eq!(ended(Ending::Unknown, Some(late)), ToolEnd::Timeout);
        let gone = Ending::NotSent { why: "gone".to_owned() };
        assert_eq!(ended(gone.clone(), Some(ToolResult::ToolError { message: String::new() })), ToolEnd::ToolError);
        assert_eq!(ended(gone, None), ToolEnd::Refused, "turned away after it was admitted");
        assert_eq!(ended(Ending::CutByClient, None), ToolEnd::Unknown);
        assert_eq!(ended(Ending::Unknown, None), ToolEnd::Unknown);
    }
}
