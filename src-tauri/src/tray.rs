//! The tray: state as shape and words, what waits, and the ways to open, stop and quit. It shows and never decides.

use std::sync::Arc;

use reeve_api::contract::status::{ProtectionDto, StatusDto};
use serde_json::json;
use tauri::image::Image;
use tauri::menu::{MenuBuilder, MenuItem, MenuItemBuilder};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager as _, Runtime};

use crate::link::Link;
use crate::windows;

const ID: &str = "main";

/// The two lines that change.
struct Lines<R: Runtime> {
    state: MenuItem<R>,
    waiting: MenuItem<R>,
}

/// Puts the icon into the tray.
///
/// # Errors
/// When the desktop has none.
pub fn install<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<()> {
    let state = MenuItemBuilder::with_id("state", "Connecting").enabled(false).build(app)?;
    let waiting = MenuItemBuilder::with_id("waiting", words_of_waiting(0)).enabled(false).build(app)?;
    let menu = MenuBuilder::new(app)
        .item(&state)
        .separator()
        .item(&waiting)
        .separator()
        .text("open", "Open Reeve")
        .text("stop", "Stop all")
        .separator()
        .text("quit", "Quit (agents stay governed)")
        .build()?;
    TrayIconBuilder::with_id(ID)
        .icon(icon(Shape::Open)?)
        .tooltip("Reeve")
        .menu(&menu)
        .on_menu_event(on_menu)
        .build(app)?;
    app.manage(Lines { state, waiting });
    Ok(())
}

pub fn is_there<R: Runtime>(app: &AppHandle<R>) -> bool {
    app.tray_by_id(ID).is_some()
}

fn on_menu<R: Runtime>(app: &AppHandle<R>, event: tauri::menu::MenuEvent) {
    match event.id().as_ref() {
        "open" => windows::show(app),
        "waiting" => windows::review(app),
        "stop" => {
            let link = Arc::clone(&app.state::<Arc<Link>>());
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                // Where it could not be done the person has to see why: the strip says it.
                if link.call("status", json!({ "call": "status.stop_all" })).await.is_err() {
                    windows::show(&app);
                }
            });
        }
        "quit" => app.exit(0),
        _ => {}
    }
}

/// Shows a new state; none while the engine does not answer.
pub fn show<R: Runtime>(app: &AppHandle<R>, status: Option<&StatusDto>) {
    let held = status.map_or(0, |status| status.held);
    let (shape, words) = look(status);
    if let Some(lines) = app.try_state::<Lines<R>>() {
        // A tray that is gone is no reason to end: the window shows the same.
        let _ = lines.state.set_text(&words);
        let _ = lines.waiting.set_text(words_of_waiting(held));
        let _ = lines.waiting.set_enabled(held > 0);
    }
    if let (Some(tray), Ok(icon)) = (app.tray_by_id(ID), icon(shape)) {
        let _ = tray.set_icon(Some(icon));
        let _ = tray.set_tooltip(Some(format!("Reeve: {words}")));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Protected,
    Held,
    /// Not enforcing: observing, paused, connecting.
    Open,
    Alert,
}

fn look(status: Option<&StatusDto>) -> (Shape, String) {
    let Some(status) = status else { return (Shape::Alert, "Degraded: engine not reachable".to_owned()) };
    let calm = if status.held > 0 { Shape::Held } else { Shape::Protected };
    match &status.protection {
        ProtectionDto::Stopped => (Shape::Alert, "Stopped".to_owned()),
        ProtectionDto::Degraded { cause } => (Shape::Alert, format!("Degraded: {cause}")),
        ProtectionDto::Paused { .. } => (Shape::Open, "Paused".to_owned()),
        ProtectionDto::Observing => (if status.held > 0 { Shape::Held } else { Shape::Open }, "Observing".to_owned()),
        ProtectionDto::Protected => (calm, format!("Protected, {}", count(status.agents_running, "agent"))),
    }
}

fn words_of_waiting(held: u32) -> String {
    if held == 0 { "Nothing is waiting".to_owned() } else { format!("{held} waiting: Review") }
}

fn count(number: u32, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn icon(shape: Shape) -> tauri::Result<Image<'static>> {
    Image::from_bytes(match shape {
        Shape::Protected => include_bytes!("../../icons/tray/protected.png"),
        Shape::Held => include_bytes!("../../icons/tray/held.png"),
        Shape::Open => include_bytes!("../../icons/tray/open.png"),
        Shape::Alert => include_bytes!("../../icons/tray/alert.png"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_the_tray_is_an_image() {
        for shape in [Shape::Protected, Shape::Held, Shape::Open, Shape::Alert] {
            assert_eq!(icon(shape).unwrap().width(), 32);
        }
    }

    #[test]
    fn an_engine_that_does_not_answer_is_an_alert_and_never_protected() {
        let (shape, words) = look(None);
        assert_eq!(shape, Shape::Alert);
        assert!(words.starts_with("Degraded"));
    }

    #[test]
    fn the_waiting_line_counts() {
        assert_eq!(words_of_waiting(0), "Nothing is waiting");
        assert_eq!(words_of_waiting(2), "2 waiting: Review");
    }
}
