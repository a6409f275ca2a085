//! Shows notices through the desktop's own notifications. Their first action is *Review*, which opens a window and decides
//! nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use reeve_api::contract::settings::{NotificationsDto, SettingsDto};
use reeve_api::contract::status::StatusDto;
use reeve_api::contract::stream::StreamBatch;
use serde_json::json;
use tauri::{AppHandle, Manager as _, Runtime};

use crate::link::Link;
use crate::notices::{Notice, Notices};
use crate::windows;

/// How often is looked for what is nearly over.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The one memory of what was told.
#[derive(Debug, Default)]
pub struct Notifier(Mutex<Notices>);

impl Notifier {
    fn with<T>(&self, look: impl FnOnce(&mut Notices) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub fn status<R: Runtime>(app: &AppHandle<R>, status: Option<&StatusDto>) {
    tell(app, app.state::<Notifier>().with(|notices| notices.status(status)));
}

pub fn heard<R: Runtime>(app: &AppHandle<R>, batch: &StreamBatch) {
    let in_front = windows::is_in_front(app);
    tell(app, app.state::<Notifier>().with(|notices| notices.heard(batch, in_front)));
}

/// Reminds of what is grave and nearly over, for as long as the shell runs.
pub async fn remind<R: Runtime>(app: AppHandle<R>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let in_front = windows::is_in_front(&app);
        tell(&app, app.state::<Notifier>().with(|notices| notices.due(Utc::now(), in_front)));
    }
}

fn tell<R: Runtime>(app: &AppHandle<R>, notices: impl IntoIterator<Item = Notice>) {
    for notice in notices {
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            if notice.about.is_wanted(&chosen(&app).await) {
                // Showing blocks until somebody answers or it is gone.
                std::thread::spawn(move || show(&app, &notice));
            }
        });
    }
}

/// What the person wants to hear of; everything while the engine cannot be asked.
async fn chosen<R: Runtime>(app: &AppHandle<R>) -> NotificationsDto {
    let link = Arc::clone(&app.state::<Arc<Link>>());
    let asked = link.call("settings", json!({ "call": "settings.get" })).await.ok();
    asked
        .and_then(|value| serde_json::from_value::<SettingsDto>(value).ok())
        .map_or(NotificationsDto { waiting: true, budget: true, denied_high: true }, |settings| settings.notifications)
}

fn show<R: Runtime>(app: &AppHandle<R>, notice: &Notice) {
    let mut shown = notify_rust::Notification::new();
    shown.appname("Reeve").summary(&notice.title).body(&notice.body).icon("reeve").action("default", "Review");
    let handle = {
        // One of each kind at a time: a newer one takes the place of the older.
        #[cfg(target_os = "linux")]
        shown.action("review", "Review").id(number(notice)).urgency(urgency(notice));
        shown.show()
    };
    match handle {
        #[cfg(target_os = "linux")]
        Ok(handle) => handle.wait_for_action(|action| {
            if matches!(action, "default" | "review") {
                windows::navigate(app, &notice.link);
            }
        }),
        #[cfg(not(target_os = "linux"))]
        Ok(_) => drop(app.clone()),
        // A desktop without notifications: tray and Inbox say the same.
        Err(error) => eprintln!("reeve: no notification: {error}"),
    }
}

#[cfg(target_os = "linux")]
fn urgency(notice: &Notice) -> notify_rust::Urgency {
    use crate::notices::About;
    // The desktop's do-not-disturb is respected, but for this one.
    if notice.about == About::ProtectionLost { notify_rust::Urgency::Critical } else { notify_rust::Urgency::Normal }
}

/// The desktop's number of a notice: the same for all of a kind.
#[cfg(target_os = "linux")]
fn number(notice: &Notice) -> u32 {
    0x7265_6500 + notice.about as u32
}
