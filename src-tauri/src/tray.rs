//! The tray: state as shape and words, what waits, and the ways to open, stop and quit. It shows and never decides.

use std::sync::Arc;

use reeve_api::contract::operations::{OperationRowDto, RowStateDto};
use reeve_api::contract::status::{ProtectionDto, StatusDto};
use serde_json::json;
use tauri::image::Image;
use tauri::menu::{MenuBuilder, MenuItem, MenuItemBuilder, SubmenuBuilder};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager as _, Runtime};

use crate::link::Link;
use crate::windows;

const ID: &str = "main";

/// Decisions that the menu shows.
pub const DECISIONS: usize = 3;

/// The lines that change.
struct Lines<R: Runtime> {
    state: MenuItem<R>,
    waiting: MenuItem<R>,
    decisions: Vec<MenuItem<R>>,
    resume: MenuItem<R>,
    quit: MenuItem<R>,
}

/// Puts the icon into the tray.
///
/// # Errors
/// When the desktop has none.
pub fn install<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<()> {
    let state = MenuItemBuilder::with_id("state", "Connecting").enabled(false).build(app)?;
    let waiting = MenuItemBuilder::with_id("waiting", words_of_waiting(0)).enabled(false).build(app)?;
    let mut decisions = Vec::new();
    for _ in 0..DECISIONS {
        decisions.push(MenuItemBuilder::with_id("decision", "–").enabled(false).build(app)?);
    }
    let resume = MenuItemBuilder::with_id("resume", "Resume").enabled(false).build(app)?;
    let quit = MenuItemBuilder::with_id("quit", words_of_quit(0)).build(app)?;
    let pause = SubmenuBuilder::new(app, "Pause")
        .text("pause:15", "15 minutes")
        .text("pause:60", "1 hour")
        .text("pause", "Until resumed…")
        .build()?;
    let mut menu = MenuBuilder::new(app).item(&state).separator().item(&waiting).separator();
    for decision in &decisions {
        menu = menu.item(decision);
    }
    let menu = menu
        .separator()
        .text("open", "Open Reeve")
        .item(&pause)
        .item(&resume)
        .text("stop", "Stop all")
        .separator()
        .item(&quit)
        .build()?;
    TrayIconBuilder::with_id(ID)
        .icon(icon(Shape::Open)?)
        .tooltip("Reeve")
        .menu(&menu)
        .on_menu_event(on_menu)
        .build(app)?;
    app.manage(Lines { state, waiting, decisions, resume, quit });
    Ok(())
}

pub fn is_there<R: Runtime>(app: &AppHandle<R>) -> bool {
    app.tray_by_id(ID).is_some()
}

fn on_menu<R: Runtime>(app: &AppHandle<R>, event: tauri::menu::MenuEvent) {
    match event.id().as_ref() {
        "open" => windows::show(app),
        "waiting" => windows::review(app),
        "stop" => ask(app, json!({ "call": "status.stop_all" })),
        "resume" => resume(app),
        "quit" => windows::quit(app),
        // Longer than an hour is asked for in the window, where it can be seen what it means.
        "pause" => windows::navigate(app, "reeve://settings/protection"),
        other => {
            if let Some(minutes) = other.strip_prefix("pause:").and_then(|text| text.parse::<u32>().ok()) {
                ask(app, json!({ "call": "status.pause", "input": { "minutes": minutes } }));
            }
        }
    }
}

/// Asks the engine for a change of protection.
fn ask<R: Runtime>(app: &AppHandle<R>, request: serde_json::Value) {
    let link = Arc::clone(&app.state::<Arc<Link>>());
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        // Where it could not be done the person has to see why: the strip says it.
        if link.call("status", request).await.is_err() {
            windows::show(&app);
        }
    });
}

/// Ends a pause. What was stopped goes on only after a question, which the window's strip asks: the line stands beside
/// *Stop all*. The engine is asked how it stands, because the menu may be older than the stop.
fn resume<R: Runtime>(app: &AppHandle<R>) {
    let link = Arc::clone(&app.state::<Arc<Link>>());
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let status = link.call("status", json!({ "call": "status.get" })).await;
        match status.ok().and_then(|status| serde_json::from_value::<StatusDto>(status).ok()) {
            Some(status) if is_only_paused(&status.protection) => ask(&app, json!({ "call": "status.resume" })),
            _ => windows::ask_resume(&app),
        }
    });
}

fn is_only_paused(protection: &ProtectionDto) -> bool {
    matches!(protection, ProtectionDto::Paused { .. })
}

/// Shows what was decided last, newest first: who and how, and nothing from the action itself.
pub fn decided<R: Runtime>(app: &AppHandle<R>, rows: &[OperationRowDto]) {
    let Some(lines) = app.try_state::<Lines<R>>() else { return };
    for (line, row) in lines.decisions.iter().zip(rows) {
        let _ = line.set_text(words_of_decision(row));
    }
}

fn words_of_decision(row: &OperationRowDto) -> String {
    let word = match row.state {
        RowStateDto::Allowed | RowStateDto::WouldDeny | RowStateDto::WouldHold => "allowed",
        RowStateDto::Held => "waiting",
        RowStateDto::Approved => "approved",
        RowStateDto::Refused => "refused",
        RowStateDto::Expired => "expired",
        RowStateDto::Withdrawn => "withdrawn",
        RowStateDto::Denied => "denied",
    };
    format!("{} · {} · {word}", row.agent_name, row.kind)
}

/// What can be resumed; three dots where a question comes first.
fn words_of_resume(protection: Option<&ProtectionDto>) -> Option<&'static str> {
    match protection? {
        ProtectionDto::Paused { .. } => Some("Resume"),
        ProtectionDto::Stopped => Some("Resume…"),
        ProtectionDto::Degraded { .. } | ProtectionDto::Observing | ProtectionDto::Protected => None,
    }
}

/// What quitting does: the window and the tray go, the engine stays as long as agents run.
fn words_of_quit(sessions: u32) -> String {
    match sessions {
        0 => "Quit".to_owned(),
        1 => "Quit: 1 session stays governed, what waits is not shown".to_owned(),
        n => format!("Quit: {n} sessions stay governed, what waits is not shown"),
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
        let resume = words_of_resume(status.map(|status| &status.protection));
        let _ = lines.resume.set_text(resume.unwrap_or("Resume"));
        let _ = lines.resume.set_enabled(resume.is_some());
        let _ = lines.quit.set_text(words_of_quit(status.map_or(0, |status| status.sessions_running)));
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
    fn a_pause_is_ended_at_once_and_a_stop_only_after_a_question() {
        let paused = ProtectionDto::Paused { until: None };
        assert_eq!(words_of_resume(Some(&paused)), Some("Resume"));
        assert!(is_only_paused(&paused));
        assert_eq!(words_of_resume(Some(&ProtectionDto::Stopped)), Some("Resume…"));
        assert!(!is_only_paused(&ProtectionDto::Stopped));
        assert_eq!(words_of_resume(Some(&ProtectionDto::Protected)), None);
        assert_eq!(words_of_resume(None), None);
    }

    #[test]
    fn quitting_says_what_goes_on() {
        assert_eq!(words_of_quit(0), "Quit");
        assert!(words_of_quit(1).contains("1 session stays governed"));
        assert!(words_of_quit(3).contains("3 sessions stay governed"));
    }

    #[test]
    fn the_waiting_line_counts() {
        assert_eq!(words_of_waiting(0), "Nothing is waiting");
        assert_eq!(words_of_waiting(2), "2 waiting: Review");
    }
}
