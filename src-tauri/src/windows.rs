//! The one window: shown, hidden into the tray, never the reason that protection ends.

use std::sync::{Mutex, PoisonError};

use tauri::{AppHandle, Manager as _, RunEvent, Runtime, WebviewWindow, WindowEvent};

use crate::tray;

pub const MAIN: &str = "main";

/// Brings the window to the front.
pub fn show<R: Runtime>(app: &AppHandle<R>) {
    if let Some(window) = app.get_webview_window(MAIN) {
        // Each of these is a wish to the window manager; one that is not granted is not worth a word.
        let _ = window.unminimize();
        let _ = window.show();
        let _ = window.set_focus();
    }
}

/// Shows the window at the Inbox.
pub fn review<R: Runtime>(app: &AppHandle<R>) {
    navigate(app, "reeve://inbox");
}

/// Shows the window at the place that a link names. The page itself judges the link and navigates, so that nothing it holds
/// is lost and a link can do nothing else.
pub fn navigate<R: Runtime>(app: &AppHandle<R>, link: &str) {
    show(app);
    if let Some(window) = app.get_webview_window(MAIN) {
        // A JSON string is a string of the page's language too, whatever is in it.
        let detail = serde_json::Value::from(link);
        let _ =
            window.eval(format!(r#"window.dispatchEvent(new CustomEvent("reeve:navigate", {{ detail: {detail} }}))"#));
    }
}

/// The link that the first start was given, until the page is there to hear it.
#[derive(Debug)]
pub struct First(Mutex<Option<String>>);

impl First {
    pub fn new(link: Option<String>) -> Self {
        Self(Mutex::new(link))
    }

    /// The page listens from now on: what waited for it is followed, once.
    pub fn follow<R: Runtime>(&self, app: &AppHandle<R>) {
        let link = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(link) = link {
            navigate(app, &link);
        }
    }
}

/// The link among the words that a second start was given.
#[must_use]
pub fn link_of(words: &[String]) -> Option<&str> {
    words.iter().skip(1).map(String::as_str).find(|word| word.starts_with("reeve://"))
}

/// Closing hides the window while there is a tray to bring it back from.
pub fn keep_in_tray<R: Runtime>(window: &WebviewWindow<R>) {
    let held = window.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event
            && tray::is_there(held.app_handle())
        {
            api.prevent_close();
            let _ = held.hide();
        }
    });
}

pub fn on_event<R: Runtime>(app: &AppHandle<R>, event: RunEvent) {
    #[cfg(target_os = "macos")]
    if let RunEvent::Reopen { .. } = event {
        show(app);
    }
    #[cfg(not(target_os = "macos"))]
    let _ = (app, event);
}
