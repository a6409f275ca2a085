//! The desktop shell: one window, the tray, and the way to the engine. It decides nothing and stores nothing.

mod calls;
mod demo;
mod doctor;
mod link;
mod login;
mod notices;
mod notify;
mod tray;
mod windows;
mod words;

#[cfg(test)]
mod tests;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Arc;

use reeve_api::contract::status::StatusDto;
use reeve_api::home::Home;
use tauri::{Manager as _, Runtime};

use crate::demo::Demo;
use crate::link::Link;

/// The shell failed before anything was shown.
const FAILED: u8 = 1;
/// Wrong usage.
const USAGE: u8 = 2;

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Start {
    /// The person's own profile, shown where the link says.
    Ordinary(Option<String>),
    /// The person's own profile, waiting in the tray: how it opens at login.
    InTray,
    /// A throw-away profile in which the demo runs.
    Demo,
}

impl Start {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        arguments.skip(1).try_fold(Self::Ordinary(None), |_, argument| match argument.as_str() {
            "--demo" => Ok(Self::Demo),
            login::IN_TRAY => Ok(Self::InTray),
            // Heard by the window that runs already, else by the one that opens now.
            link if link.starts_with("reeve://") => Ok(Self::Ordinary(Some(argument))),
            other => Err(format!("`{other}` is not known; the options are `--demo` and `--in-tray`")),
        })
    }
}

/// Runs the shell until it is quit. Every failure is a sentence on stderr and an exit code, never a panic.
#[must_use]
pub fn run() -> ExitCode {
    let start = match Start::parse(std::env::args()) {
        Ok(start) => start,
        Err(problem) => return fail(USAGE, &problem),
    };
    if !has_display() {
        return fail(
            FAILED,
            "there is no display to open a window on; `reeve approve` and `reeve log -f` work without one",
        );
    }
    let demo = match start {
        Start::Ordinary(_) | Start::InTray => None,
        Start::Demo => match Demo::start() {
            Ok(demo) => Some(demo),
            Err(error) => return fail(FAILED, &format!("the demo could not be started: {error}")),
        },
    };
    let link = Arc::new(match &demo {
        None => match Home::find() {
            Ok(home) => Link::new(home, true),
            Err(problem) => return fail(USAGE, &problem.to_string()),
        },
        Some(demo) => Link::new(demo.home().clone(), false),
    });
    // The toolkit panics where the display does not answer; that is no reason to show a person a stack. `set_up` gives
    // the ordinary words back.
    std::panic::set_hook(Box::new(|_| {}));
    let ended = std::panic::catch_unwind(AssertUnwindSafe(|| {
        build(tauri::Builder::default(), link, start).map(|app| app.run(windows::on_event))
    }));
    drop(demo);
    match ended {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(FAILED, &format!("the window could not be opened: {error}")),
        Err(_) => fail(FAILED, "the window could not be opened: the display does not answer"),
    }
}

fn build(builder: tauri::Builder<tauri::Wry>, link: Arc<Link>, start: Start) -> tauri::Result<tauri::App> {
    let first = windows::First::new(match &start {
        Start::Ordinary(link) => link.clone(),
        Start::InTray | Start::Demo => None,
    });
    let in_tray = start == Start::InTray;
    let builder = match start {
        // A second start shows the window of the first. The demo is its own profile and may run beside it.
        Start::Ordinary(_) | Start::InTray => builder
            .plugin(tauri_plugin_single_instance::init(|app, words, _| match windows::link_of(&words) {
                Some(link) => windows::navigate(app, link),
                None => windows::show(app),
            }))
            .plugin(login::entry()),
        Start::Demo => builder,
    };
    with_calls(builder)
        .manage(Arc::clone(&link))
        .manage(first)
        .manage(words::Words::default())
        .manage(notify::Notifier::default())
        .manage(windows::Quit::default())
        .setup(move |app| {
            set_up(app, link, in_tray);
            Ok(())
        })
        .build(tauri::generate_context!())
}

/// The commands of `build.rs`.
fn with_calls<R: Runtime>(builder: tauri::Builder<R>) -> tauri::Builder<R> {
    builder.invoke_handler(tauri::generate_handler![
        calls::operations,
        calls::approvals,
        calls::status,
        calls::sessions,
        calls::agents,
        calls::budgets,
        calls::credentials,
        calls::policies,
        calls::audit,
        calls::settings,
        calls::servers,
        calls::subscribe,
        login::login,
        calls::zoom,
        calls::quit
    ])
}

fn set_up(app: &tauri::App, link: Arc<Link>, in_tray: bool) {
    drop(std::panic::take_hook());
    let handle = app.handle().clone();
    // A desktop without a tray still has the window; closing it then quits.
    if let Err(error) = tray::install(&handle) {
        eprintln!("reeve: no tray: {error}");
    }
    tauri::async_runtime::spawn(async move {
        let on_status = |status: Option<&StatusDto>| {
            tray::show(&handle, status);
            windows::badge(&handle, status);
            notify::status(&handle, status);
            windows::quit_matters(&handle, status);
        };
        link.follow(on_status, |rows| tray::decided(&handle, rows), |batch| notify::heard(&handle, batch)).await;
    });
    tauri::async_runtime::spawn(notify::remind(app.handle().clone()));
    if let Some(window) = app.get_webview_window(windows::MAIN) {
        windows::keep_in_tray(&window);
        // Where there is no tray to bring it back from, the window stays.
        if in_tray && tray::is_there(app.handle()) {
            let _ = window.hide();
        }
    }
}

fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

fn fail(code: u8, problem: &str) -> ExitCode {
    eprintln!("error: {problem}");
    ExitCode::from(code)
}
