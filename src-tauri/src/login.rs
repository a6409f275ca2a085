//! Whether Reeve opens when the person logs in: an entry of the system's own, made and removed when they say so.

use reeve_api::contract::{ApiCode, ApiError};
use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Manager as _, Runtime};
use tauri_plugin_autostart::{AutoLaunchManager, Builder};

/// How the entry starts Reeve.
pub const IN_TRAY: &str = "--in-tray";

/// The entry of this program in the system.
pub fn entry<R: Runtime>() -> TauriPlugin<R> {
    Builder::new().app_name("Reeve").arg(IN_TRAY).build()
}

/// Reads it, or sets it first; the answer is how it stands now.
///
/// # Errors
/// In the demo, and where the system does not let the entry be read or written.
#[tauri::command]
pub fn login<R: Runtime>(app: AppHandle<R>, on: Option<bool>) -> Result<bool, ApiError> {
    // Only the person's own profile has it.
    let Some(entry) = app.try_state::<AutoLaunchManager>() else {
        return Err(ApiError::new(ApiCode::NotPermitted, "the demo does not start by itself"));
    };
    let done = match on {
        Some(true) => entry.enable(),
        Some(false) => entry.disable(),
        None => Ok(()),
    };
    let failed = |error: tauri_plugin_autostart::Error| ApiError::new(ApiCode::Failed, error.to_string());
    done.map_err(failed)?;
    entry.is_enabled().map_err(failed)
}
