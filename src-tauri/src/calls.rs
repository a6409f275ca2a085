//! One command per noun, each carrying `{ call, input }`, and the subscription.

use std::sync::Arc;

use reeve_api::contract::ApiError;
use reeve_api::contract::stream::StreamMessage;
use serde_json::Value;
use tauri::State;
use tauri::ipc::Channel;

use crate::link::Link;

type Engine<'a> = State<'a, Arc<Link>>;

#[tauri::command]
pub async fn operations(link: Engine<'_>, request: Value) -> Result<Value, ApiError> {
    link.call("operations", request).await
}

#[tauri::command]
pub async fn approvals(link: Engine<'_>, request: Value) -> Result<Value, ApiError> {
    link.call("approvals", request).await
}

#[tauri::command]
pub async fn status(link: Engine<'_>, request: Value) -> Result<Value, ApiError> {
    link.call("status", request).await
}

#[tauri::command]
pub async fn sessions(link: Engine<'_>, request: Value) -> Result<Value, ApiError> {
    link.call("sessions", request).await
}

#[tauri::command]
pub async fn agents(link: Engine<'_>, request: Value) -> Result<Value, ApiError> {
    link.call("agents", request).await
}

#[tauri::command]
pub async fn budgets(link: Engine<'_>, request: Value) -> Result<Value, ApiError> {
    link.call("budgets", request).await
}

#[tauri::command]
pub async fn credentials(link: Engine<'_>, request: Value) -> Result<Value, ApiError> {
    link.call("credentials", request).await
}

#[tauri::command]
pub async fn policies(link: Engine<'_>, request: Value) -> Result<Value, ApiError> {
    link.call("policies", request).await
}

#[tauri::command]
pub async fn audit(link: Engine<'_>, request: Value) -> Result<Value, ApiError> {
    link.call("audit", request).await
}

#[tauri::command]
pub fn subscribe(link: Engine<'_>, channel: Channel<StreamMessage>) {
    link.listen(channel);
}
