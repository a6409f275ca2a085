//! Shows notices through the desktop's own notifications. Their first action is *Review*, which opens a window and decides
//! nothing.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU32;
#[cfg(target_os = "linux")]
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
#[cfg(target_os = "linux")]
use notify_rust::NotificationResponse;
use reeve_api::contract::settings::{NotificationsDto, SettingsDto};
use reeve_api::contract::status::StatusDto;
use reeve_api::contract::stream::StreamBatch;
use serde_json::json;
use tauri::{AppHandle, Manager as _, Runtime};
use tokio::sync::watch;

use crate::link::Link;
use crate::notices::{About, Notice, Notices};
use crate::windows;
use crate::words::Words;

/// How often is looked for what is nearly over.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The one memory of what was told, and who shows it.
#[derive(Debug, Default)]
pub struct Notifier {
    notices: Mutex<Notices>,
    workers: Mutex<BTreeMap<About, watch::Sender<Notice>>>,
}

impl Notifier {
    fn with<T>(&self, look: impl FnOnce(&mut Notices) -> T) -> T {
        look(&mut self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub fn status<R: Runtime>(app: &AppHandle<R>, status: Option<&StatusDto>) {
    let in_front = windows::is_in_front(app);
    let words = app.state::<Words>();
    tell(app, app.state::<Notifier>().with(|notices| notices.status(&words, status, in_front)));
}

pub fn heard<R: Runtime>(app: &AppHandle<R>, batch: &StreamBatch) {
    let in_front = windows::is_in_front(app);
    let words = app.state::<Words>();
    tell(app, app.state::<Notifier>().with(|notices| notices.heard(&words, batch, in_front)));
}

/// Reminds of what is grave and nearly over, for as long as the shell runs.
pub async fn remind<R: Runtime>(app: AppHandle<R>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let in_front = windows::is_in_front(&app);
        let words = app.state::<Words>();
        tell(&app, app.state::<Notifier>().with(|notices| notices.due(&words, Utc::now(), in_front)));
    }
}

/// Hands each notice to the worker of its kind: there is one of each at most, and what it shows is the newest.
fn tell<R: Runtime>(app: &AppHandle<R>, notices: impl IntoIterator<Item = Notice>) {
    let notifier = app.state::<Notifier>();
    let mut workers = notifier.workers.lock().unwrap_or_else(PoisonError::into_inner);
    for notice in notices {
        let about = notice.about;
        let unsent = match workers.get(&about) {
            Some(worker) => worker.send(notice).err().map(|gone| gone.0),
            None => Some(notice),
        };
        if let Some(notice) = unsent {
            let (worker, newest) = watch::channel(notice);
            workers.insert(about, worker);
            let (app, number) = (app.clone(), Arc::new(AtomicU32::new(number(about))));
            let shown = move |notice| show(app.clone(), notice, Arc::clone(&number));
            tauri::async_runtime::spawn(newest_wins(newest, shown));
        }
    }
}

/// Shows one notice after the other; a newer one takes the place of the older, and nobody waits for that one any more.
async fn newest_wins<F: Future<Output = ()>>(mut newest: watch::Receiver<Notice>, mut show: impl FnMut(Notice) -> F) {
    loop {
        let notice = newest.borrow_and_update().clone();
        let more = tokio::select! {
            more = newest.changed() => more,
            () = show(notice) => newest.changed().await,
        };
        if more.is_err() {
            return;
        }
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

/// Shows it, and where the desktop says so, until somebody answers or it is gone. `number` is the desktop's own of what was
/// shown last: one of each kind at a time.
async fn show<R: Runtime>(app: AppHandle<R>, notice: Notice, number: Arc<AtomicU32>) {
    if !notice.about.is_wanted(&chosen(&app).await) {
        return;
    }
    let words = app.state::<Words>();
    let review = words.text("review", &[]);
    let mut shown = notify_rust::Notification::new();
    shown.appname("Reeve").summary(&notice.title).body(&notice.body).icon("reeve").action("default", &review);
    // A desktop without notifications: tray and Inbox say the same.
    let failed = |error: &dyn std::fmt::Display| eprintln!("reeve: no notification: {error}");
    #[cfg(target_os = "linux")]
    {
        let id = number.load(Ordering::Relaxed);
        shown.action("review", &review).id(id).urgency(urgency(&notice));
        match shown.show_async().await {
            Ok(handle) => {
                number.store(handle.id(), Ordering::Relaxed);
                let review = |answer: &NotificationResponse| {
                    let reviewed = match answer {
                        NotificationResponse::Default => true,
                        NotificationResponse::Action(action) => action == "review",
                        _ => false,
                    };
                    if reviewed {
                        windows::navigate(&app, &notice.link);
                    }
                };
                handle.wait_for_action_async(review).await;
            }
            Err(error) => failed(&error),
        }
    }
    #[cfg(not(target_os = "linux"))]
    match tauri::async_runtime::spawn_blocking(move || shown.show().map(drop)).await {
        Ok(Ok(())) => drop(number),
        Ok(Err(error)) => failed(&error),
        Err(error) => failed(&error),
    }
}

#[cfg(target_os = "linux")]
fn urgency(notice: &Notice) -> notify_rust::Urgency {
    // The desktop's do-not-disturb is respected, but for this one.
    if notice.about == About::ProtectionLost { notify_rust::Urgency::Critical } else { notify_rust::Urgency::Normal }
}

/// The number that a kind begins with on the desktop.
fn number(about: About) -> u32 {
    0x7265_6500 + about as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(title: &str) -> Notice {
        let (body, link) = (String::new(), "reeve://inbox".to_owned());
        Notice { about: About::Waiting, title: title.to_owned(), body, link }
    }

    #[tokio::test]
    async fn however_many_notices_come_only_the_newest_is_waited_for() {
        let (worker, newest) = watch::channel(notice("0"));
        // Each notice holds one for as long as somebody waits for its answer.
        let waits = Arc::new(());
        let (seen, mut shown) = tokio::sync::mpsc::unbounded_channel();
        let held = Arc::clone(&waits);
        let show = move |notice: Notice| {
            let (held, seen) = (Arc::clone(&held), seen.clone());
            async move {
                seen.send(notice.title).unwrap();
                std::future::pending::<()>().await;
                drop(held);
            }
        };
        let works = tokio::spawn(newest_wins(newest, show));
        assert_eq!(shown.recv().await.unwrap(), "0");
        for n in 1..50 {
            worker.send(notice(&n.to_string())).unwrap();
            assert_eq!(shown.recv().await.unwrap(), n.to_string());
            // This test, the worker, and the newest notice.
            assert_eq!(Arc::strong_count(&waits), 3);
        }
        drop(worker);
        works.await.unwrap();
    }
}
