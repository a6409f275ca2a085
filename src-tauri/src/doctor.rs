//! The shell's part of the doctor: what the desktop gives the window. The engine has no desktop and cannot know it.

use reeve_api::contract::status::{CheckDto, FixDto};
use serde_json::Value;

/// The web view, by what it is called here.
const WEB_VIEW: &str = if cfg!(target_os = "linux") {
    "WebKitGTK"
} else if cfg!(windows) {
    "WebView2"
} else {
    "WebKit"
};

/// Whether this asks the doctor.
#[must_use]
pub fn is_asked(request: &Value) -> bool {
    request.get("call").and_then(Value::as_str) == Some("status.doctor")
}

/// Puts the shell's rows behind those of the engine. `icon`: whether Reeve has one in the tray.
pub async fn append(answer: &mut Value, icon: bool) {
    let rows = [tray(icon, offers_tray().await), notifications(shows_notifications().await), web_view()];
    if let Some(all) = answer.as_array_mut() {
        all.extend(rows.iter().filter_map(|row| serde_json::to_value(row).ok()));
    }
}

fn check(name: &str, found: Result<String, (String, &str)>) -> CheckDto {
    let name = name.to_owned();
    match found {
        Ok(evidence) => CheckDto { name, ok: true, evidence, fix: None },
        Err((evidence, fix)) => CheckDto { name, ok: false, evidence, fix: Some(FixDto::advice(fix)) },
    }
}

/// `offered`: whether the desktop has a tray, else why nobody knows. An icon can be put where nobody shows it.
fn tray(icon: bool, offered: Result<bool, String>) -> CheckDto {
    let none = match offered {
        Ok(true) if icon => return check("tray", Ok("Reeve's icon is in it".to_owned())),
        Ok(true) => "Reeve's icon could not be put into it".to_owned(),
        Ok(false) => "this desktop has none".to_owned(),
        Err(why) => why,
    };
    let evidence = format!("{none}; opening Reeve again brings its window back");
    check("tray", Err((evidence, "turn on the tray of the desktop: GNOME needs the extension AppIndicator for it")))
}

/// `shown`: whether somebody shows them; none where the system does not say.
fn notifications(shown: Option<Result<bool, String>>) -> CheckDto {
    let none = match shown {
        None => {
            let handed = "handed to the system, which does not say whether it shows them";
            return check("notifications", Ok(handed.to_owned()));
        }
        Some(Ok(true)) => return check("notifications", Ok("the desktop shows them".to_owned())),
        Some(Ok(false)) => "nothing on this desktop shows them".to_owned(),
        Some(Err(why)) => why,
    };
    let evidence = format!("{none}; what waits stands in the tray and the Inbox");
    check("notifications", Err((evidence, "start the desktop's notification service, or install one")))
}

fn web_view() -> CheckDto {
    let version = tauri::webview_version().map(|version| format!("{WEB_VIEW} {version}"));
    check("web view", version.map_err(|error| (error.to_string(), "install the system's web view again")))
}

#[cfg(target_os = "linux")]
async fn offers_tray() -> Result<bool, String> {
    use reeve_api::doctor::desktop;
    desktop::offers(desktop::TRAY).await
}

/// Every desktop of these systems has one.
#[cfg(not(target_os = "linux"))]
async fn offers_tray() -> Result<bool, String> {
    Ok(true)
}

#[cfg(target_os = "linux")]
async fn shows_notifications() -> Option<Result<bool, String>> {
    use reeve_api::doctor::desktop;
    Some(desktop::offers(desktop::NOTIFICATIONS).await)
}

#[cfg(not(target_os = "linux"))]
async fn shows_notifications() -> Option<Result<bool, String>> {
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_desktop_without_a_tray_is_told_how_the_window_comes_back() {
        for (icon, offered) in [(true, Ok(false)), (false, Ok(true)), (true, Err("no bus".to_owned()))] {
            let row = tray(icon, offered);
            assert!(!row.ok && row.evidence.ends_with("opening Reeve again brings its window back"), "{row:?}");
            assert!(matches!(row.fix, Some(FixDto::Advice { .. })), "{row:?}");
        }
        assert!(tray(true, Ok(true)).ok);
    }

    #[test]
    fn notifications_that_nobody_shows_are_a_problem_and_what_no_system_says_is_none() {
        assert!(notifications(None).ok && notifications(Some(Ok(true))).ok);
        let none = notifications(Some(Ok(false)));
        assert!(!none.ok && none.evidence.contains("the Inbox"), "{none:?}");
        assert!(notifications(Some(Err("no bus".to_owned()))).evidence.starts_with("no bus"));
    }

    #[tokio::test]
    async fn the_shells_rows_stand_behind_those_of_the_engine_in_one_list() {
        let engine = json!({ "name": "engine", "ok": true, "evidence": "version 0.1.0", "fix": null });
        let mut answer = json!([engine]);
        append(&mut answer, false).await;
        let rows: Vec<CheckDto> = serde_json::from_value(answer).unwrap();
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["engine", "tray", "notifications", "web view"]);
        assert!(rows[3].ok && rows[3].evidence.contains('.'), "{rows:?}");
        // What is no list is left as it is.
        append(&mut Value::Null, true).await;
        assert!(is_asked(&json!({ "call": "status.doctor" })) && !is_asked(&json!({ "call": "status.get" })));
    }
}
