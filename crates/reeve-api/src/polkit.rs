//! polkit asks the human for their login password, in the window of the desktop's own agent. Only its answer to a question that
//! it really put counts: where it would say yes by itself, it proves nobody.

use std::collections::HashMap;
use std::time::Duration;

use reeve_domain::session::{Opener, ProcessMark};
use reeve_engine::presence::system::{Asking, Confirmation, SystemMethod};
use reeve_proxy::attribution;
use zbus::{Connection, Variant};

/// Where the system's bus is, unless the environment says otherwise.
const SYSTEM_BUS: &str = "unix:path=/run/dbus/system_bus_socket";
const NAME: &str = "org.freedesktop.PolicyKit1";
const PATH: &str = "/org/freedesktop/PolicyKit1/Authority";
const AUTHORITY: &str = "org.freedesktop.PolicyKit1.Authority";
/// The action as its file names it.
const ACTION: &str = "dev.reeve.console.prove";
/// The file that names it; only root can put it there.
const ACTION_FILE: &str = "/usr/share/polkit-1/actions/dev.reeve.console.policy";
/// What takes no human answers within this.
const AT_ONCE: Duration = Duration::from_secs(3);
/// Longest that a human may take.
const ASK_WITHIN: Duration = Duration::from_secs(120);
/// How often it is looked whether who asked is still there.
const LOOK: Duration = Duration::from_millis(250);
/// `AllowUserInteraction`
const INTERACTIVE: u32 = 1;

/// polkit on one bus.
#[derive(Debug, Clone)]
pub struct Polkit {
    address: String,
    within: Duration,
}

/// Whether it is authorized, whether it would be after a question, and details.
type Reply = (bool, bool, HashMap<String, String>);

impl Polkit {
    /// On the bus that this process's environment names, else the system's own.
    #[must_use]
    pub fn of_system() -> Self {
        Self::at(std::env::var("DBUS_SYSTEM_BUS_ADDRESS").unwrap_or_else(|_| SYSTEM_BUS.to_owned()), ASK_WITHIN)
    }

    /// On the bus at this address; a human has so long.
    #[must_use]
    pub const fn at(address: String, within: Duration) -> Self {
        Self { address, within }
    }

    async fn bus(&self) -> Result<Connection, String> {
        let connecting = zbus::connection::Builder::address(self.address.as_str()).build();
        match tokio::time::timeout(AT_ONCE, connecting).await {
            Ok(Ok(bus)) => Ok(bus),
            Ok(Err(_)) | Err(_) => Err("the system's bus cannot be reached".to_owned()),
        }
    }

    async fn probe(&self) -> Result<(), String> {
        let own = attribution::opener(std::process::id()).ok_or("this process is not known to the system")?;
        silently(&self.bus().await?, &own).await
    }

    async fn confirm(&self, process: u32) -> Confirmation {
        let Some(asker) = attribution::opener(process) else {
            return Confirmation::Refused("who asked is gone".to_owned());
        };
        let bus = match self.bus().await {
            Ok(bus) => bus,
            Err(why) => return Confirmation::Nobody(why),
        };
        if let Err(why) = silently(&bus, &asker).await {
            return Confirmation::Nobody(why);
        }
        let id = format!("reeve-{:032x}", rand::random::<u128>());
        let why = tokio::select! {
            reply = check(&bus, &asker, INTERACTIVE, &id) => return confirmed(reply),
            () = gone(&asker.process) => "who asked is gone",
            () = tokio::time::sleep(self.within) => "nobody answered in time",
        };
        let asked = (id.as_str(),);
        let cancelling = bus.call_method(Some(NAME), PATH, Some(AUTHORITY), "CancelCheckAuthorization", &asked);
        if !matches!(tokio::time::timeout(AT_ONCE, cancelling).await, Ok(Ok(_))) {
            tracing::warn!("a question of polkit could not be taken back");
        }
        Confirmation::Refused(why.to_owned())
    }
}

impl SystemMethod for Polkit {
    fn name(&self) -> &'static str {
        "polkit"
    }

    fn ready(&self) -> Asking<'_, Result<(), String>> {
        Box::pin(self.probe())
    }

    fn ask(&self, process: u32) -> Asking<'_, Confirmation> {
        Box::pin(self.confirm(process))
    }
}

/// Fails unless polkit would ask for this process: a yes or no without a question proves nothing.
async fn silently(bus: &Connection, asker: &Opener) -> Result<(), String> {
    let checking = check(bus, asker, 0, "");
    match tokio::time::timeout(AT_ONCE, checking).await {
        Ok(Ok((false, true, _))) => Ok(()),
        Ok(Ok((true, ..))) => Err("polkit says yes here without asking anybody".to_owned()),
        Ok(Ok((false, false, _))) => Err("polkit's rules forbid it here".to_owned()),
        Ok(Err(error)) if error.to_string().contains("not registered") => {
            Err(format!("polkit does not know Reeve's action, which `{ACTION_FILE}` names"))
        }
        Ok(Err(_)) | Err(_) => Err("polkit does not answer".to_owned()),
    }
}

async fn check(bus: &Connection, asker: &Opener, flags: u32, id: &str) -> zbus::Result<Reply> {
    // Read as an i32 there.
    let user = i32::from_ne_bytes(asker.uid.to_ne_bytes());
    let process: HashMap<&str, Variant<'_>> = HashMap::from([
        ("pid", Variant::new(asker.process.pid)),
        ("start-time", Variant::new(asker.process.started)),
        ("uid", Variant::new(user)),
    ]);
    // Details would be words in its window; only owners of an action may give some.
    let details: HashMap<&str, &str> = HashMap::new();
    let asked = (("unix-process", process), ACTION, details, flags, id);
    let reply = bus.call_method(Some(NAME), PATH, Some(AUTHORITY), "CheckAuthorization", &asked).await?;
    reply.body().deserialize()
}

fn confirmed(reply: zbus::Result<Reply>) -> Confirmation {
    match reply {
        Ok((true, ..)) => Confirmation::Given,
        // Still to be asked, and nobody was: no agent of a desktop runs in this session.
        Ok((false, true, _)) => Confirmation::Nobody("nothing in this session shows polkit's questions".to_owned()),
        Ok((false, false, details)) if details.contains_key("polkit.dismissed") => {
            Confirmation::Refused("the system's question was closed".to_owned())
        }
        Ok((false, false, _)) => Confirmation::Refused("the system did not take what was typed".to_owned()),
        Err(_) => Confirmation::Nobody("polkit does not answer".to_owned()),
    }
}

/// Returns when this process has ended.
async fn gone(asker: &ProcessMark) {
    while attribution::still_runs(asker) {
        tokio::time::sleep(LOOK).await;
    }
}
