//! What each call does: one file per noun, each function small, each error a sentence with a next step.

pub mod agents;
pub mod approvals;
pub mod audit;
pub mod budgets;
mod cards;
pub(crate) mod changes;
pub mod credentials;
pub mod operations;
pub mod policies;
mod retention;
pub mod servers;
pub mod sessions;
mod settings;
mod spending;
pub mod status;

use std::sync::Arc;

use reeve_engine::EngineError;
use serde::Serialize;
use serde_json::Value;

use crate::connection::Caller;
use crate::contract::{ApiCode, ApiError, Call};
use crate::host::Host;

/// Runs one call. Who may make it was checked before.
pub(crate) async fn run(host: &Arc<Host>, caller: &Caller, call: Value) -> Result<Value, ApiError> {
    match Call::parse(call)? {
        Call::Operations(call) => operations::run(host, call).await,
        Call::Approvals(call) => approvals::run(host, caller, call).await,
        Call::Status(call) => status::run(host, caller, call).await,
        Call::Sessions(call) => sessions::run(host, caller, call).await,
        Call::Agents(call) => agents::run(host, call).await,
        Call::Budgets(call) => budgets::run(host, caller, call).await,
        Call::Credentials(call) => credentials::run(host, caller, call).await,
        Call::Policies(call) => policies::run(host, caller, call).await,
        Call::Servers(call) => servers::run(host, call).await,
        Call::Settings(call) => settings::run(host, caller, call).await,
        Call::Audit(call) => audit::run(host, caller, call).await,
    }
}

/// An answer as it travels.
fn answer(value: &impl Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(value).map_err(|error| ApiError::new(ApiCode::Failed, error.to_string()))
}

/// What the engine refuses, for people.
impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        let code = match &error {
            EngineError::NotFound { what: "open question", .. } => ApiCode::AlreadyResolved,
            EngineError::NotFound { .. } => ApiCode::NotFound,
            EngineError::NotArmed(_) => ApiCode::NotArmed,
            EngineError::Presence(_) => ApiCode::NeedsProof,
            EngineError::Unconfirmed(_) => ApiCode::NotPermitted,
            EngineError::StillDecides(_) => ApiCode::StillDecides,
            _ => ApiCode::Failed,
        };
        let hint = match &error {
            EngineError::Store(_) => Some("`reeve doctor` says what is wrong with the record".to_owned()),
            EngineError::Presence(_) => {
                Some("give it where you are asked for it: in the console, or on a terminal of your own".to_owned())
            }
            EngineError::Vault(vault) => Some(vault.advice().to_owned()),
            EngineError::NotFound { what, .. } => where_listed(what),
            _ => None,
        };
        Self { code, message: error.to_string(), hint }
    }
}

impl From<reeve_store::StoreError> for ApiError {
    fn from(error: reeve_store::StoreError) -> Self {
        EngineError::from(error).into()
    }
}

/// A caller's text that does not parse.
fn invalid(error: impl std::fmt::Display) -> ApiError {
    ApiError::new(ApiCode::Invalid, error.to_string())
}

fn not_found(what: &str, name: &str) -> ApiError {
    ApiError { code: ApiCode::NotFound, message: format!("no {what} `{name}`"), hint: where_listed(what) }
}

/// Where to look for what has no such name.
fn where_listed(what: &str) -> Option<String> {
    let command = match what {
        "agent" => "reeve agents",
        "budget" => "reeve budget",
        "question" => "reeve approve",
        "record" | "action" => "reeve log --json",
        "server" | "tool" | "declared server" => "reeve mcp list",
        "session" | "running session" => "reeve agents sessions",
        _ => return None,
    };
    Some(format!("`{command}` lists what there is"))
}
