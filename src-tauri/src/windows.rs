//! The one window: shown, hidden into the tray, never the reason that protection ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use reeve_api::contract::status::StatusDto;
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
    tell(app, "navigate", &serde_json::Value::from(link));
}

/// Shows the window with the strip's question whether what was stopped may go on. Nothing is lifted by it.
pub fn ask_resume<R: Runtime>(app: &AppHandle<R>) {
    show(app);
    tell(app, "resume", &serde_json::Value::Null);
}

/// Says something to the page. A JSON value is a value of the page's language too, whatever is in it.
fn tell<R: Runtime>(app: &AppHandle<R>, what: &str, detail: &serde_json::Value) {
    if let Some(window) = app.get_webview_window(MAIN) {
        let _ =
            window.eval(format!(r#"window.dispatchEvent(new CustomEvent("reeve:{what}", {{ detail: {detail} }}))"#));
    }
}

/// Whether a window of Reeve is what the person looks at.
pub fn is_in_front<R: Runtime>(app: &AppHandle<R>) -> bool {
    app.get_webview_window(MAIN)
        .is_some_and(|window| window.is_visible().unwrap_or(false) && window.is_focused().unwrap_or(false))
}

/// How much waits, as a number on the icon in dock or taskbar, where the desktop shows one. Windows has none for numbers.
pub fn badge<R: Runtime>(app: &AppHandle<R>, status: Option<&StatusDto>) {
    let held = status.map_or(0, |status| i64::from(status.held));
    if let Some(window) = app.get_webview_window(MAIN) {
        let _ = window.set_badge_count((held > 0).then_some(held));
    }
}

/// Whether quitting is worth a question, and whether it was asked.
#[derive(Debug, Default)]
pub struct Quit {
    matters: AtomicBool,
    asked: AtomicBool,
}

/// Quitting is asked about while sessions run or questions wait.
pub fn quit_matters<R: Runtime>(app: &AppHandle<R>, status: Option<&StatusDto>) {
    let matters = status.is_some_and(|status| status.sessions_running > 0 || status.held > 0);
    app.state::<Quit>().matters.store(matters, Ordering::Relaxed);
}

/// Whether the page is to be asked first. A second wish while it is asked is an answer: the page may be the thing that broke.
fn asks<R: Runtime>(app: &AppHandle<R>) -> bool {
    let quit = app.state::<Quit>();
    quit.matters.load(Ordering::Relaxed) && !quit.asked.swap(true, Ordering::Relaxed)
}

/// Quits; where something runs or waits, the window says first what stops.
pub fn quit<R: Runtime>(app: &AppHandle<R>) {
    if asks(app) {
        show(app);
        tell(app, "quit", &serde_json::Value::Null);
    } else {
        app.exit(0);
    }
}

/// What the person answered: to quit, else to go on in the tray.
pub fn answer_quit<R: Runtime>(app: &AppHandle<R>, really: bool) {
    if really {
        app.exit(0);
        return;
    }
    app.state::<Quit>().asked.store(false, Ordering::Relaxed);
    if let Some(window) = app.get_webview_window(MAIN).filter(|_| tray::is_there(app)) {
        let _ = window.hide();
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
        let WindowEvent::CloseRequested { api, .. } = event else { return };
        let app = held.app_handle();
        if tray::is_there(app) {
            api.prevent_close();
            let _ = held.hide();
        } else if asks(app) {
            api.prevent_close();
            tell(app, "quit", &serde_json::Value::Null);
        }
    });
}

pub fn on_event<R: Runtime>(app: &AppHandle<R>, event: RunEvent) {
    match event {
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => show(app),
        // Elsewhere a link comes as the word of a second start.
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => {
            if let Some(link) = urls.iter().find(|url| url.scheme() == "reeve") {
                navigate(app, link.as_str());
            }
        }
        // The desktop's own wish to quit; our own carries a code.
        RunEvent::ExitRequested { code: None, api, .. } if asks(app) => {
            api.prevent_exit();
            show(app);
            tell(app, "quit", &serde_json::Value::Null);
        }
        _ => {}
    }
}
