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
use crate::words::Words;

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
    let words = app.state::<Words>();
    let state = MenuItemBuilder::with_id("state", words.text("connecting", &[])).enabled(false).build(app)?;
    let waiting = MenuItemBuilder::with_id("waiting", words_of_waiting(&words, 0)).enabled(false).build(app)?;
    let mut decisions = Vec::new();
    for _ in 0..DECISIONS {
        decisions.push(MenuItemBuilder::with_id("decision", "–").enabled(false).build(app)?);
    }
    let resume = MenuItemBuilder::with_id("resume", words.text("resume", &[])).enabled(false).build(app)?;
    let quit = MenuItemBuilder::with_id("quit", words_of_quit(&words, 0)).build(app)?;
    let pause = SubmenuBuilder::new(app, words.text("pause", &[]))
        .text("pause:15", words.text("pause-quarter", &[]))
        .text("pause:60", words.text("pause-hour", &[]))
        .text("pause", words.text("pause-open", &[]))
        .build()?;
    let mut menu = MenuBuilder::new(app).item(&state).separator().item(&waiting).separator();
    for decision in &decisions {
        menu = menu.item(decision);
    }
    let menu = menu
        .separator()
        .text("open", words.text("open", &[]))
        .item(&pause)
        .item(&resume)
        .text("stop", words.text("stop", &[]))
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
    let words = app.state::<Words>();
    for (line, row) in lines.decisions.iter().zip(rows) {
        let _ = line.set_text(words_of_decision(&words, row));
    }
}

fn words_of_decision(words: &Words, row: &OperationRowDto) -> String {
    let state = match row.state {
        RowStateDto::Allowed | RowStateDto::WouldDeny | RowStateDto::WouldHold => "allowed",
        RowStateDto::Held => "waiting",
        RowStateDto::Approved => "approved",
        RowStateDto::Refused => "refused",
        RowStateDto::Expired => "expired",
        RowStateDto::Withdrawn => "withdrawn",
        RowStateDto::Denied => "denied",
    };
    let (agent, kind) = (row.agent_name.as_str(), row.kind.as_str());
    words.text("decision", &[("agent", agent.into()), ("kind", kind.into()), ("state", state.into())])
}

/// What can be resumed, and whether a question comes first.
fn words_of_resume(words: &Words, protection: Option<&ProtectionDto>) -> Option<String> {
    match protection? {
        ProtectionDto::Paused { .. } => Some(words.text("resume", &[])),
        ProtectionDto::Stopped => Some(words.text("resume-asks", &[])),
        ProtectionDto::Degraded { .. } | ProtectionDto::Observing | ProtectionDto::Protected => None,
    }
}

/// What quitting does: the window and the tray go, the engine stays as long as agents run.
fn words_of_quit(words: &Words, sessions: u32) -> String {
    words.text("quit", &[("sessions", sessions.into())])
}

/// Shows a new state; none while the engine does not answer.
pub fn show<R: Runtime>(app: &AppHandle<R>, status: Option<&StatusDto>) {
    let words = app.state::<Words>();
    let held = status.map_or(0, |status| status.held);
    let (shape, state) = look(&words, status);
    if let Some(lines) = app.try_state::<Lines<R>>() {
        // A tray that is gone is no reason to end: the window shows the same.
        let _ = lines.state.set_text(&state);
        let _ = lines.waiting.set_text(words_of_waiting(&words, held));
        let _ = lines.waiting.set_enabled(held > 0);
        let resume = words_of_resume(&words, status.map(|status| &status.protection));
        let _ = lines.resume.set_enabled(resume.is_some());
        let _ = lines.resume.set_text(resume.unwrap_or_else(|| words.text("resume", &[])));
        let _ = lines.quit.set_text(words_of_quit(&words, status.map_or(0, |status| status.sessions_running)));
    }
    if let (Some(tray), Ok(icon)) = (app.tray_by_id(ID), icon(shape)) {
        let _ = tray.set_icon(Some(icon));
        let _ = tray.set_tooltip(Some(words.text("tooltip", &[("state", state.into())])));
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

fn look(words: &Words, status: Option<&StatusDto>) -> (Shape, String) {
    let Some(status) = status else { return (Shape::Alert, words.text("unreachable", &[])) };
    let calm = |shape| if status.held > 0 { Shape::Held } else { shape };
    match &status.protection {
        ProtectionDto::Stopped => (Shape::Alert, words.text("stopped", &[])),
        ProtectionDto::Degraded { cause } => (Shape::Alert, words.text("degraded", &[("cause", cause.into())])),
        ProtectionDto::Paused { .. } => (Shape::Open, words.text("paused", &[])),
        ProtectionDto::Observing => (calm(Shape::Open), words.text("observing", &[])),
        ProtectionDto::Protected => {
            (calm(Shape::Protected), words.text("protected", &[("agents", status.agents_running.into())]))
        }
    }
}

fn words_of_waiting(words: &Words, held: u32) -> String {
    words.text("waiting", &[("held", held.into())])
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
        let (shape, words) = look(&Words::default(), None);
        assert_eq!(shape, Shape::Alert);
        assert!(words.starts_with("Degraded"));
    }

    #[test]
    fn a_pause_is_ended_at_once_and_a_stop_only_after_a_question() {
        let words = Words::default();
        let resume = |protection: Option<&ProtectionDto>| words_of_resume(&words, protection);
        let paused = ProtectionDto::Paused { until: None };
        assert_eq!(resume(Some(&paused)).as_deref(), Some("Resume"));
        assert!(is_only_paused(&paused));
        assert_eq!(resume(Some(&ProtectionDto::Stopped)).as_deref(), Some("Resume…"));
        assert!(!is_only_paused(&ProtectionDto::Stopped));
        assert_eq!(resume(Some(&ProtectionDto::Protected)), None);
        assert_eq!(resume(None), None);
    }

    #[test]
    fn quitting_says_what_goes_on() {
        let words = Words::default();
        assert_eq!(words_of_quit(&words, 0), "Quit");
        assert!(words_of_quit(&words, 1).contains("1 session stays governed"));
        assert!(words_of_quit(&words, 3).contains("3 sessions stay governed"));
    }

    #[test]
    fn the_waiting_line_counts() {
        let words = Words::default();
        assert_eq!(words_of_waiting(&words, 0), "Nothing is waiting");
        assert_eq!(words_of_waiting(&words, 1), "1 waiting: Review");
        assert_eq!(words_of_waiting(&words, 2), "2 waiting: Review");
    }

    /// A row and a state whose names hold no letters.
    fn row(state: &str) -> OperationRowDto {
        serde_json::from_value(json!({
            "id": "op_1", "record": 1, "cursor": "1", "at": "2026-11-20T13:00:00Z", "agent": "1", "agentName": "1",
            "session": "1", "kind": "2", "summary": "SPILLED", "state": state, "settled": true, "estimated": false
        }))
        .unwrap()
    }

    fn status(protection: serde_json::Value) -> StatusDto {
        serde_json::from_value(json!({
            "protection": protection, "mode": "enforce", "preset": "balanced", "engineVersion": "1", "proxyAddress": null,
            "agentsRunning": 1, "sessionsRunning": 1, "held": 0, "costToday": 0, "limitToday": null,
            "chain": { "head": 0, "ok": true, "brokenAt": null, "problem": null, "keychain": "none" },
            "mark": null, "markStripe": 0, "demo": false
        }))
        .unwrap()
    }

    const STATES: [(&str, &str); 9] = [
        ("allowed", "allowed"),
        ("wouldDeny", "allowed"),
        ("wouldHold", "allowed"),
        ("held", "waiting"),
        ("approved", "approved"),
        ("refused", "refused"),
        ("expired", "expired"),
        ("withdrawn", "withdrawn"),
        ("denied", "denied"),
    ];

    fn protections() -> [ProtectionDto; 5] {
        let degraded = ProtectionDto::Degraded { cause: "3".to_owned() };
        let paused = ProtectionDto::Paused { until: None };
        [ProtectionDto::Stopped, degraded, paused, ProtectionDto::Observing, ProtectionDto::Protected]
    }

    #[test]
    fn a_decision_says_who_and_how_and_nothing_of_the_action() {
        for (state, word) in STATES {
            assert_eq!(words_of_decision(&Words::default(), &row(state)), format!("1 · 2 · {word}"));
        }
    }

    #[test]
    fn each_state_has_its_words() {
        let said = protections().map(|protection| look(&Words::default(), Some(&status(json!(protection)))).1);
        assert_eq!(said, ["Stopped", "Degraded: 3", "Paused", "Observing", "Protected, 1 agent"]);
    }

    #[test]
    fn every_line_that_changes_speaks_the_language_of_the_file() {
        let words = crate::words::pseudo();
        let mut said: Vec<String> = STATES.iter().map(|(state, _)| words_of_decision(&words, &row(state))).collect();
        for protection in protections() {
            said.push(look(&words, Some(&status(json!(protection)))).1);
            said.extend(words_of_resume(&words, Some(&protection)));
        }
        said.push(look(&words, None).1);
        said.extend((0..3).map(|held| words_of_waiting(&words, held)));
        said.extend((0..3).map(|sessions| words_of_quit(&words, sessions)));
        assert_eq!(
            said.into_iter().filter(|line| line.contains(|c: char| c.is_ascii_alphabetic())).collect::<Vec<_>>(),
            [""; 0]
        );
    }
}
