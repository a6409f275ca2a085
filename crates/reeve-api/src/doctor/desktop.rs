//! What the desktop of this session offers to a window, asked on the session's bus. For the shell: an engine has no desktop.

use std::time::Duration;

use zbus::Connection;

/// Whoever shows notifications has this name.
pub const NOTIFICATIONS: &str = "org.freedesktop.Notifications";
/// Whoever keeps a tray has this name.
pub const TRAY: &str = "org.kde.StatusNotifierWatcher";

const BUS: &str = "org.freedesktop.DBus";
const BUS_AT: &str = "/org/freedesktop/DBus";
/// A bus answers for itself within this.
const AT_ONCE: Duration = Duration::from_secs(3);

/// Whether somebody has this name, or is started when it is called.
///
/// # Errors
/// A sentence, where there is no bus to ask.
pub async fn offers(name: &str) -> Result<bool, String> {
    match tokio::time::timeout(AT_ONCE, ask(name)).await {
        Ok(Ok(offered)) => Ok(offered),
        Ok(Err(_)) | Err(_) => Err("the session's bus cannot be reached".to_owned()),
    }
}

async fn ask(name: &str) -> zbus::Result<bool> {
    let bus = Connection::session().await?;
    let reply = bus.call_method(Some(BUS), BUS_AT, Some(BUS), "NameHasOwner", &(name,)).await?;
    let owned: bool = reply.body().deserialize()?;
    if owned {
        return Ok(true);
    }
    let reply = bus.call_method(Some(BUS), BUS_AT, Some(BUS), "ListActivatableNames", &()).await?;
    let startable: Vec<String> = reply.body().deserialize()?;
    Ok(startable.iter().any(|one| one == name))
}
