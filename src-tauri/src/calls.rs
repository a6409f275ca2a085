//! One command per noun, each carrying `{ call, input }`, the subscription, and the two of the window itself.

use std::sync::Arc;

use reeve_api::contract::ApiError;
use reeve_api::contract::stream::StreamMessage;
use serde_json::Value;
use tauri::ipc::Channel;
use tauri::{AppHandle, Runtime, State, WebviewWindow};

use crate::link::Link;
use crate::windows::{self, First};
use crate::{doctor, tray};

type Engine<'a> = State<'a, Arc<Link>>;

#[tauri::command]
pub async fn operations(link: Engine<'_>, request: Value) -> Result<Value, ApiError> {
    link.call("operations", request).await
}

#[tauri::command]
pub async fn approvals(link: Engine<'_>, request: Value) -> Result<Value, ApiError> {
    link.call("approvals", request).await
}

/// The doctor's answer goes on with what only the shell can see.
#[tauri::command]
pub async fn status<R: Runtime>(app: AppHandle<R>, link: Engine<'_>, request: Value) -> Result<Value, ApiError> {
    let asked = doctor::is_asked(&request);
    let mut answer = link.call("status", request).await?;
    if asked {
        doctor::append(&mut answer, tray::is_there(&app)).await;
    }
    Ok(answer)
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
pub async fn servers(link: Engine<'_>, request: Value) -> Result<Value, ApiError> {
    link.call("servers", request).await
}

/// The size of everything in the window, in percent.
#[tauri::command]
pub fn zoom<R: Runtime>(window: WebviewWindow<R>, percent: u32) {
    // A web view that cannot zoom stays as it is.
    let _ = window.set_zoom(f64::from(percent.clamp(50, 300)) / 100.0);
}

/// The answer to the question whether to quit.
#[tauri::command]
pub fn quit<R: Runtime>(app: AppHandle<R>, really: bool) {
    windows::answer_quit(&app, really);
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
