//! One command per noun, each carrying `{ call, input }`, and the subscription.

use std::sync::Arc;

use reeve_api::contract::ApiError;
use reeve_api::contract::stream::StreamMessage;
use serde_json::Value;
use tauri::ipc::Channel;
use tauri::{AppHandle, Runtime, State};

use crate::link::Link;
use crate::windows::First;

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
pub async fn settings(link: Engine<'_>, request: Value) -> Result<Value, ApiError> {
    link.call("settings", request).await
}

#[tauri::command]
pub fn subscribe<R: Runtime>(
    app: AppHandle<R>,
    link: Engine<'_>,
    first: State<'_, First>,
    channel: Channel<StreamMessage>,
) {
    link.listen(channel);
    first.follow(&app);
}
