//! Credentials without their secrets.

use chrono::{DateTime, Utc};
use reeve_domain::credential::{Binding, Credential, Slot};
use reeve_domain::health::Refusal;
use reeve_domain::sensitive::Secret;
use serde::{Deserialize, Serialize};

/// Where a credential may go, for whom, and how it is put in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct BindingDto {
    /// Empty: every agent.
    pub agents: Vec<String>,
    pub host: String,
    pub port: u16,
    /// Empty: every method.
    pub methods: Vec<String>,
    pub path: Option<String>,
    /// In words: `Authorization: Bearer ‹secret›`.
    pub slot: String,
    /// As it is typed: `bearer`, `header:NAME`, `basic:USER`, `query:NAME`, `path`, `body`.
    pub slot_typed: String,
}

impl From<&Binding> for BindingDto {
    fn from(binding: &Binding) -> Self {
        Self {
            agents: binding.agents.iter().map(ToString::to_string).collect(),
            host: binding.place.host.to_string(),
            port: binding.place.port,
            methods: binding.place.methods.clone(),
            path: binding.place.path.clone(),
            slot: match &binding.slot {
                Slot::Header { name } => format!("{name}: ‹secret›"),
                Slot::Bearer => "Authorization: Bearer ‹secret›".to_owned(),
                Slot::Basic { user } => format!("Authorization: Basic {user}:‹secret›"),
                Slot::Query { name } => format!("?{name}=‹secret›"),
                Slot::Path => "placeholder in the path".to_owned(),
                Slot::Body => "placeholder in the body".to_owned(),
            },
            slot_typed: binding.slot.to_string(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CredentialDto {
    pub id: String,
    pub name: String,
    /// The decoy that agents hold.
    pub placeholder: String,
    pub variables: Vec<String>,
    pub bindings: Vec<BindingDto>,
    pub added_at: DateTime<Utc>,
    pub rotated_at: Option<DateTime<Utc>>,
    /// Days after which a person is reminded of replacing it; none: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub rotate_days: Option<u32>,
    /// When it was last put into a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub last_used_at: Option<DateTime<Utc>>,
    /// Hosts that refused it again and again: until one takes it once, requests with it are answered by Reeve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<RefusedDto>>"))]
    pub refused: Vec<RefusedDto>,
}

/// A host that refuses a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct RefusedDto {
    pub host: String,
    /// As far as the host says.
    pub why: RefusalDto,
    pub since: DateTime<Utc>,
    /// When one request may try it again.
    pub next_trial: DateTime<Utc>,
    /// Refusals in a row.
    pub times: u32,
}

/// Why a host refuses a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum RefusalDto {
    Expired,
    Revoked,
    Invalid,
    WrongScope,
    ClockSkew,
    RateLimited,
    Unsaid,
}

impl From<Refusal> for RefusalDto {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Expired => Self::Expired,
            Refusal::Revoked => Self::Revoked,
            Refusal::Invalid => Self::Invalid,
            Refusal::WrongScope => Self::WrongScope,
            Refusal::ClockSkew => Self::ClockSkew,
            Refusal::RateLimited => Self::RateLimited,
            Refusal::Unsaid => Self::Unsaid,
        }
    }
}

impl From<&Credential> for CredentialDto {
    fn from(credential: &Credential) -> Self {
        Self {
            id: credential.id.to_string(),
            name: credential.name.clone(),
            placeholder: credential.placeholder.clone(),
            variables: credential.variables.clone(),
            bindings: credential.bindings.iter().map(Into::into).collect(),
            added_at: credential.added_at,
            rotated_at: credential.rotated_at,
            rotate_days: credential.rotate_days,
            last_used_at: None,
            refused: Vec::new(),
        }
    }
}

/// A secret on its one way in: typed once, never shown again. Not exported to TypeScript's fixtures, never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(transparent)]
pub struct TypedSecret(pub String);

impl Drop for TypedSecret {
    fn drop(&mut self) {
        reeve_domain::sensitive::wipe(&mut self.0);
    }
}

/// Moves it on without a copy.
impl From<TypedSecret> for Secret {
    fn from(mut typed: TypedSecret) -> Self {
        Self::from(std::mem::take(&mut typed.0))
    }
}

impl std::fmt::Debug for TypedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypedSecret(..)")
    }
}

/// Adds a credential of a known kind, or of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct AddCredentialInput {
    pub id: String,
    pub secret: TypedSecret,
    /// `anthropic`, `openai`, `gemini`, `github`: fills in what is left out below.
    pub kind: Option<String>,
    pub name: Option<String>,
    pub variables: Vec<String>,
    pub binding: Option<NewBindingDto>,
    /// Only for these agents; empty: every agent.
    pub agents: Vec<String>,
}

/// A place and a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct NewBindingDto {
    pub host: String,
    pub port: Option<u16>,
    pub methods: Vec<String>,
    pub path: Option<String>,
    /// `bearer`, `header:NAME`, `basic:USER`, `query:NAME`, `path`, `body`.
    pub slot: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ReplaceCredentialInput {
    pub credential: String,
    pub secret: TypedSecret,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct BindCredentialInput {
    pub credential: String,
    pub binding: NewBindingDto,
    pub agents: Vec<String>,
    /// The place that this one takes the place of; left out: it is added, or what is there in this slot is for other agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub instead: Option<NewBindingDto>,
}

/// Takes this place away from a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct UnbindCredentialInput {
    pub credential: String,
    pub binding: NewBindingDto,
}

/// Which credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CredentialInput {
    pub credential: String,
}

/// When to be reminded of replacing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct RemindInput {
    pub credential: String,
    /// Days after it was added or last replaced, at most ten years; none: not at all.
    pub days: Option<u32>,
}

/// Tries a credential out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct TestCredentialInput {
    pub credential: String,
    /// The place to send one read to, as `TestRequestDto` numbers it; none: nothing is sent.
    pub send: Option<u32>,
}

/// One read that can be sent: to be shown before it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct TestRequestDto {
    /// Number of the place among the credential's bindings, from 0.
    pub place: u32,
    /// The agent it is made as.
    pub agent: String,
    pub method: String,
    /// With the placeholder where the secret will stand.
    pub url: String,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct TestAnswerDto {
    /// The place's own status; none: it did not answer, or was not asked.
    pub status: Option<u16>,
    /// Until the end of the answer.
    pub milliseconds: Option<u32>,
    /// The place takes the credential.
    pub ok: bool,
    /// In words.
    pub text: String,
    /// The operation in the timeline.
    pub record: Option<String>,
}

/// What a test found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CredentialTestDto {
    pub credential: String,
    /// Vault, shape, and a line for each place.
    pub checks: Vec<super::status::CheckDto>,
    /// What can be sent, each by its own word.
    pub requests: Vec<TestRequestDto>,
    /// Where something was sent.
    pub answer: Option<TestAnswerDto>,
}
