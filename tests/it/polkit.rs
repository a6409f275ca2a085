//! The system's own question whether a human is there: against an authority that the test plays on a bus of its own, and against
//! the real polkitd where a test may start one.

use std::collections::HashMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use reeve_api::contract::calls::{ApprovalsCall, StatusCall};
use reeve_api::contract::cards::PresenceDto;
use reeve_api::contract::status::{CheckDto, StatusDto};
use reeve_api::polkit::Polkit;
use reeve_demo::Provider;
use reeve_demo::script::Script;
use reeve_engine::presence::system::{Confirmation, SystemMethod as _};
use reeve_testkit::bus::Bus;
use reeve_testkit::world::World;
use zbus::{Connection, OwnedVariant};

use crate::machine::{Machine, SOON};
use crate::terminal::{Terminal, is_paused};

const NAME: &str = "org.freedesktop.PolicyKit1";
const PATH: &str = "/org/freedesktop/PolicyKit1/Authority";
const LONG: Duration = Duration::from_secs(60);

/// What the authority does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// Asks, and its human confirms.
    Confirmed,
    /// Asks, and its human closes the window.
    Dismissed,
    /// Would ask, and finds nobody to.
    Nobody,
    /// Says yes without a question.
    Generous,
    /// Does not know the action.
    Unaware,
    /// Asks, and nobody ever answers.
    Forgotten,
}

type Reply = (bool, bool, HashMap<String, String>);

#[derive(Debug)]
struct Authority {
    does: Does,
    heard: Arc<Mutex<Vec<String>>>,
}

#[zbus::interface(name = "org.freedesktop.PolicyKit1.Authority")]
impl Authority {
    async fn check_authorization(
        &self,
        subject: (String, HashMap<String, OwnedVariant>),
        action: String,
        details: HashMap<String, String>,
        flags: u32,
        id: String,
    ) -> zbus::fdo::Result<(Reply,)> {
        let pid = u32::try_from(subject.1["pid"].clone()).unwrap();
        let started = u64::try_from(subject.1["start-time"].clone()).unwrap();
        assert!(subject.0 == "unix-process" && pid > 0 && started > 0 && details.is_empty());
        self.heard.lock().push(format!("{action} {flags}"));
        let asks = flags == 1;
        let reply = match self.does {
            Does::Unaware => return Err(zbus::fdo::Error::Failed(format!("Action {action} is not registered"))),
            Does::Generous => (true, false, HashMap::new()),
            Does::Confirmed if asks => (true, false, HashMap::new()),
            Does::Dismissed if asks => {
                (false, false, HashMap::from([("polkit.dismissed".to_owned(), "true".to_owned())]))
            }
            Does::Forgotten if asks => {
                while !self.heard.lock().contains(&format!("cancelled {id}")) {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                (false, false, HashMap::new())
            }
            _ => (false, true, HashMap::new()),
        };
        Ok((reply,))
    }

    fn cancel_check_authorization(&self, id: String) {
        self.heard.lock().push(format!("cancelled {id}"));
    }
}

struct Played {
    heard: Arc<Mutex<Vec<String>>>,
    address: String,
    _authority: Connection,
    _bus: Bus,
}

async fn played(world: &World, does: Does) -> Played {
    let bus = Bus::start(world).unwrap();
    let address = bus.address().to_owned();
    let heard = Arc::default();
    let authority = Authority { does, heard: Arc::clone(&heard) };
    let builder = zbus::connection::Builder::address(address.as_str()).serve_at(PATH, authority).name(NAME);
    Played { heard, address, _authority: builder.build().await.unwrap(), _bus: bus }
}

async fn asked(does: Does) -> (Result<(), String>, Confirmation) {
    let world = World::new().unwrap();
    let played = played(&world, does).await;
    let polkit = Polkit::at(played.address.clone(), LONG);
    (polkit.ready().await, polkit.ask(std::process::id()).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_question_that_was_put_and_confirmed_proves_a_human() {
    assert_eq!(asked(Does::Confirmed).await, (Ok(()), Confirmation::Given));
    let (ready, closed) = asked(Does::Dismissed).await;
    assert!(ready.is_ok() && matches!(&closed, Confirmation::Refused(why) if why.contains("closed")), "{closed:?}");
    let (ready, nobody) = asked(Does::Nobody).await;
    assert!(ready.is_ok() && matches!(&nobody, Confirmation::Nobody(_)), "{nobody:?}");
    for (does, word) in [(Does::Generous, "without asking"), (Does::Unaware, "does not know Reeve's action")] {
        let (ready, none) = asked(does).await;
        assert!(ready.unwrap_err().contains(word));
        assert!(matches!(&none, Confirmation::Nobody(why) if why.contains(word)), "{none:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_system_bus_nobody_is_asked() {
    let polkit = Polkit::at("unix:path=/nonexistent/bus".to_owned(), LONG);
    assert!(polkit.ready().await.unwrap_err().contains("bus"));
    assert!(matches!(polkit.ask(std::process::id()).await, Confirmation::Nobody(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_nobody_answers_or_waits_for_is_taken_back() {
    let world = World::new().unwrap();
    let played = played(&world, Does::Forgotten).await;
    let brief = Polkit::at(played.address.clone(), Duration::from_millis(200));
    let late = brief.ask(std::process::id()).await;
    assert!(matches!(&late, Confirmation::Refused(why) if why.contains("in time")), "{late:?}");
    let mut child = Command::new("sleep").arg("600").spawn().unwrap();
    let polkit = Polkit::at(played.address.clone(), LONG);
    let pid = child.id();
    let asking = tokio::spawn(async move { polkit.ask(pid).await });
    let begun = Instant::now();
    while played.heard.lock().iter().filter(|heard| heard.ends_with(" 1")).count() < 2 {
        assert!(begun.elapsed() < SOON, "it is not asked");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let gone = asking.await.unwrap();
    assert!(matches!(&gone, Confirmation::Refused(why) if why.contains("gone")), "{gone:?}");
    assert_eq!(played.heard.lock().iter().filter(|heard| heard.starts_with("cancelled reeve-")).count(), 2);
}

async fn machine(does: Does) -> (Machine, Provider, Played, reeve_api::client::Client) {
    let provider = Provider::start(Script::default()).await.unwrap();
    let mut machine = Machine::forgetful(provider.addr(), &provider.root_pem(), "");
    let played = played(&machine.world, does).await;
    machine.world.set("DBUS_SYSTEM_BUS_ADDRESS", &played.address);
    let client = machine.start().await;
    (machine, provider, played, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_the_system_asks_instead_of_reeve_and_nothing_is_typed() {
    let (machine, _provider, _played, client) = machine(Does::Confirmed).await;
    let (code, screen) = Terminal::run(&machine, &["pause", "2h"]).end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("needs your confirmation: polkit asks you") && !screen.contains("passphrase"), "{screen}");
    assert!(is_paused(&client).await);
    let status: StatusDto = client.call(&StatusCall::Get).await.unwrap();
    assert_eq!(status.held, 0);
    let checks: Vec<CheckDto> = client.call(&StatusCall::Doctor).await.unwrap();
    let presence = checks.iter().find(|check| check.name == "presence").unwrap();
    assert!(presence.ok && presence.evidence.contains("polkit, which asks"), "{presence:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_was_closed_changes_nothing_and_asks_for_no_passphrase() {
    let (machine, _provider, _played, client) = machine(Does::Dismissed).await;
    let (code, screen) = Terminal::run(&machine, &["pause", "2h"]).end();
    assert!(code != Some(0) && screen.contains("was closed") && !screen.contains("passphrase"), "{screen}");
    assert!(!is_paused(&client).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_system_finds_nobody_the_passphrase_is_asked_for() {
    let (machine, _provider, _played, client) = machine(Does::Nobody).await;
    let mut terminal = Terminal::run(&machine, &["pause", "2h"]);
    terminal.answer_unseen("New Reeve passphrase", 1, "correct horse");
    terminal.answer_unseen("once more", 1, "correct horse");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(is_paused(&client).await);
    let presence: PresenceDto = client.call(&ApprovalsCall::Presence).await.unwrap();
    assert!(presence.set && presence.system.unwrap().problem.unwrap().contains("nothing in this session"));
}

/// A process that is ended with the test.
struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The desktop's part: root may say that somebody typed their password, which no real desktop's agent is.
#[derive(Debug)]
struct Desktop {
    bus: Connection,
    confirms: bool,
    asked: Arc<Mutex<Vec<String>>>,
}

type Identity = (String, HashMap<String, OwnedVariant>);

#[zbus::interface(name = "org.freedesktop.PolicyKit1.AuthenticationAgent")]
impl Desktop {
    async fn begin_authentication(
        &self,
        action: String,
        message: String,
        _icon: String,
        _details: HashMap<String, String>,
        cookie: String,
        identities: Vec<Identity>,
    ) -> zbus::fdo::Result<()> {
        self.asked.lock().push(format!("{action}: {message}"));
        if !self.confirms {
            return Err(zbus::fdo::Error::Failed("closed".to_owned()));
        }
        let who = identities.into_iter().next().unwrap();
        let said = (0_u32, cookie.as_str(), who);
        let authority = Some("org.freedesktop.PolicyKit1.Authority");
        self.bus.call_method(Some(NAME), PATH, authority, "AuthenticationAgentResponse2", &said).await?;
        Ok(())
    }

    fn cancel_authentication(&self, _cookie: String) {}
}

/// The real polkitd on a bus of its own, which knows Reeve's action alone. `None`: it is not installed, or this test may not
/// start it (it needs root and a mount of its own).
fn real(world: &World, folder: &Path) -> Option<(Bus, Kept)> {
    const POLKITD: &str = "/usr/lib/polkit-1/polkitd";
    let alone =
        |words: &str| Command::new("unshare").args(["--mount", "sh", "-c", words]).stderr(Stdio::null()).status();
    if !nix::unistd::Uid::effective().is_root()
        || !Path::new(POLKITD).exists()
        || !alone("mount -t tmpfs none /mnt").is_ok_and(|status| status.success())
    {
        return None;
    }
    // polkitd gives up being root before it connects.
    std::fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    let bus = Bus::listening_in(world, folder).unwrap();
    let action = concat!(env!("CARGO_MANIFEST_DIR"), "/../src-tauri/linux/dev.reeve.console.policy");
    let actions = "/usr/share/polkit-1/actions";
    let words =
        format!("umask 022; mount -t tmpfs none {actions} && cp {action} {actions} && exec {POLKITD} --no-debug");
    let polkitd = Command::new("unshare")
        .args(["--mount", "sh", "-c", &words])
        .env("DBUS_SYSTEM_BUS_ADDRESS", bus.address())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Some((bus, Kept(polkitd)))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_polkitd_asks_by_the_shipped_action_and_is_believed_only_then() {
    let world = World::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let Some((bus, _polkitd)) = real(&world, folder.path()) else {
        eprintln!("skipped: polkitd is not installed, or may not be started here");
        return;
    };
    let polkit = Polkit::at(bus.address().to_owned(), LONG);
    let connect = || zbus::connection::Builder::address(bus.address()).build();
    let own = connect().await.unwrap();
    let begun = Instant::now();
    let there = async || {
        let has = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "NameHasOwner");
        let reply = own.call_method(Some(has.0), has.1, Some(has.0), has.2, &(NAME,)).await.unwrap();
        reply.body().deserialize::<bool>().unwrap()
    };
    while !there().await {
        assert!(begun.elapsed() < SOON, "polkitd does not come up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Root is never asked, so it is nobody's proof.
    assert!(polkit.ready().await.unwrap_err().contains("without asking"));
    let person = Command::new("setpriv").args(["--reuid=65534", "--clear-groups", "sleep", "600"]).spawn().unwrap();
    let person = Kept(person);
    let pid = person.0.id();
    while std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap().trim() != "sleep" {
        assert!(begun.elapsed() < SOON, "it does not become somebody else");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let nobody = polkit.ask(pid).await;
    assert!(matches!(&nobody, Confirmation::Nobody(why) if why.contains("shows polkit's questions")), "{nobody:?}");
    for (confirms, expected) in [(true, "Given"), (false, "Refused")] {
        let asked = Arc::default();
        let desktop = connect().await.unwrap();
        let agent = Desktop { bus: own.clone(), confirms, asked: Arc::clone(&asked) };
        desktop.object_server().at("/agent", agent).await.unwrap();
        let started = reeve_proxy::attribution::opener(pid).unwrap().process.started;
        let process = HashMap::from([
            ("pid", zbus::Variant::new(pid)),
            ("start-time", zbus::Variant::new(started)),
            ("uid", zbus::Variant::new(65534_i32)),
        ]);
        let (authority, subject) =
            (Some("org.freedesktop.PolicyKit1.Authority"), (("unix-process", process), "C", "/agent"));
        desktop.call_method(Some(NAME), PATH, authority, "RegisterAuthenticationAgent", &subject).await.unwrap();
        let answer = polkit.ask(pid).await;
        assert!(format!("{answer:?}").starts_with(expected), "{answer:?}");
        let asked = asked.lock().join("\n");
        assert!(asked.starts_with("dev.reeve.console.prove: Reeve is about to allow"), "{asked}");
        desktop.graceful_shutdown().await;
    }
}
