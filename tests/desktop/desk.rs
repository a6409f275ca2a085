//! The desktop around the app, played on the test's own bus: a server of notifications and a tray. They show nothing; they
//! keep what they were given, and press what a person would press.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use parking_lot::Mutex;
use zbus::message::Header;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, Variant};

const NOTIFICATIONS: &str = "org.freedesktop.Notifications";
const NOTIFICATIONS_AT: &str = "/org/freedesktop/Notifications";
const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const WATCHER_AT: &str = "/StatusNotifierWatcher";
const ITEM: &str = "org.kde.StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";

/// A notification as the desktop gets it.
#[derive(Debug, Clone)]
pub struct Notification {
    pub id: u32,
    pub title: String,
    pub body: String,
    /// Keys and labels in turn.
    pub actions: Vec<String>,
    /// All of it, whatever is in it.
    pub whole: String,
}

#[derive(Debug, Default)]
struct Server(Arc<Mutex<Vec<Notification>>>);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Server {
    #[allow(clippy::too_many_arguments, reason = "so the specification wants it")]
    fn notify(
        &self,
        app_name: String,
        replaces_id: u32,
        app_icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedVariant>,
        expire_timeout: i32,
    ) -> u32 {
        let whole = format!("{app_name} {app_icon} {summary} {body} {actions:?} {hints:?} {expire_timeout}");
        let mut shown = self.0.lock();
        let id = if replaces_id == 0 { 1_000_000 + shown.len() as u32 } else { replaces_id };
        shown.push(Notification { id, title: summary, body, actions, whole });
        id
    }

    fn close_notification(&self, _id: u32) {}

    fn get_capabilities(&self) -> Vec<String> {
        vec!["actions".to_owned(), "body".to_owned()]
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("desk".to_owned(), "a test".to_owned(), "1".to_owned(), "1.2".to_owned())
    }
}

/// Who has put an icon into the tray: the connection, and the path there.
type Owner = (String, String);

#[derive(Debug, Default)]
struct Watcher(Arc<Mutex<Option<Owner>>>);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: String, #[zbus(header)] header: Header<'_>) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        *self.0.lock() = Some((sender, service));
    }

    fn register_status_notifier_host(&self, _service: String) {}

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.0.lock().iter().map(|(sender, path)| format!("{sender}{path}")).collect()
    }
}

/// A line of the tray's menu.
#[derive(Debug, Clone)]
pub struct Line {
    id: i32,
    pub words: String,
    pub enabled: bool,
}

/// Notifications and tray of one test.
pub struct Desk {
    bus: Connection,
    notifications: Arc<Mutex<Vec<Notification>>>,
    owner: Arc<Mutex<Option<Owner>>>,
}

impl Desk {
    /// Takes both names on the bus.
    pub async fn set(address: &str) -> Result<Self> {
        let (server, watcher) = (Server::default(), Watcher::default());
        let (notifications, owner) = (Arc::clone(&server.0), Arc::clone(&watcher.0));
        let bus = zbus::connection::Builder::address(address)
            .serve_at(NOTIFICATIONS_AT, server)
            .serve_at(WATCHER_AT, watcher)
            .name(NOTIFICATIONS)
            .name(WATCHER)
            .build()
            .await
            .context("cannot set up a desk on the bus")?;
        Ok(Self { bus, notifications, owner })
    }

    /// Everything that was to be shown so far.
    pub fn notifications(&self) -> Vec<Notification> {
        self.notifications.lock().clone()
    }

    /// Presses an action of a notification. Whoever does not listen yet does not hear it.
    pub async fn invoke(&self, notification: &Notification, action: &str) -> Result<()> {
        let to: Option<&str> = None;
        let said = (notification.id, action);
        Ok(self.bus.emit_signal(to, NOTIFICATIONS_AT, NOTIFICATIONS, "ActionInvoked", &said).await?)
    }

    /// The lines of the tray's menu, from top to bottom, those of its submenus behind their own.
    pub async fn menu(&self) -> Result<Vec<Line>> {
        let (owner, at) = self.menu_at().await?;
        let nothing: Vec<&str> = Vec::new();
        let whole = (0_i32, -1_i32, nothing);
        let reply = self.bus.call_method(Some(owner.as_str()), &at, Some(MENU), "GetLayout", &whole).await?;
        // A revision, then the root: its number, its properties and its children.
        type Root = (i32, HashMap<String, OwnedVariant>, Vec<OwnedVariant>);
        let (_, (_, _, children)): (u32, Root) = reply.body().deserialize()?;
        let mut lines = Vec::new();
        children.iter().try_for_each(|child| collect(child, &mut lines))?;
        Ok(lines)
    }

    /// Presses the line of the menu that begins so.
    pub async fn press(&self, words: &str) -> Result<()> {
        let menu = self.menu().await?;
        let line = menu.iter().find(|line| line.words.starts_with(words));
        let line = line.with_context(|| format!("no line `{words}` in {menu:?}"))?;
        ensure!(line.enabled, "`{}` cannot be pressed", line.words);
        let (owner, at) = self.menu_at().await?;
        let pressed = (line.id, "clicked", Variant::new(0_i32), 0_u32);
        self.bus.call_method(Some(owner.as_str()), &at, Some(MENU), "Event", &pressed).await?;
        Ok(())
    }

    /// The file that the tray shows.
    pub async fn icon(&self) -> Result<String> {
        Ok(String::try_from(self.of_item("IconName").await?)?)
    }

    async fn menu_at(&self) -> Result<(String, OwnedObjectPath)> {
        let (owner, _) = self.owner()?;
        Ok((owner, OwnedObjectPath::try_from(self.of_item("Menu").await?)?))
    }

    async fn of_item(&self, property: &str) -> Result<OwnedVariant> {
        let (owner, path) = self.owner()?;
        let properties = Some("org.freedesktop.DBus.Properties");
        let wanted = (ITEM, property);
        let reply = self.bus.call_method(Some(owner.as_str()), path.as_str(), properties, "Get", &wanted).await?;
        Ok(reply.body().deserialize()?)
    }

    fn owner(&self) -> Result<Owner> {
        self.owner.lock().clone().context("nothing is in the tray")
    }
}

/// A line of the menu and all below it.
fn collect(node: &Variant<'_>, into: &mut Vec<Line>) -> Result<()> {
    let Variant::Structure(node) = inside(node) else { bail!("no line of a menu: {node:?}") };
    let [Variant::I32(id), Variant::Dict(properties), Variant::Array(children)] = node.fields() else {
        bail!("no line of a menu: {node:?}")
    };
    let (mut words, mut enabled) = (String::new(), true);
    for (name, value) in properties.iter() {
        match (inside(name), inside(value)) {
            (Variant::Str(name), Variant::Str(value)) if name.as_str() == "label" => words = value.to_string(),
            (Variant::Str(name), Variant::Bool(value)) if name.as_str() == "enabled" => enabled = *value,
            _ => {}
        }
    }
    into.push(Line { id: *id, words, enabled });
    children.inner().iter().try_for_each(|child| collect(child, into))
}

/// What a variant holds, however often it is wrapped.
fn inside<'v, 'a>(mut value: &'v Variant<'a>) -> &'v Variant<'a> {
    while let Variant::Variant(inner) = value {
        value = inner;
    }
    value
}
