//! The keychain against a real Secret Service: each test starts a session bus and gnome-keyring-daemon of its own in a
//! temporary home, then runs itself once more inside that world (the address of the bus is read from the environment).

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reeve_domain::sensitive::Secret;
use reeve_vault::{Probe, Vault, VaultError};

/// Set in the inner run of a test.
const INSIDE: &str = "REEVE_TEST_INSIDE";

/// A session bus and what runs on it, ended with the test.
struct World {
    home: tempfile::TempDir,
    address: String,
    running: Vec<Child>,
}

impl Drop for World {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl World {
    /// A bus on which nothing is started on demand: what is not started here is not there.
    fn bare() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("run")).unwrap();
        let config = home.path().join("bus.conf");
        std::fs::write(
            &config,
            format!(
                "<busconfig><type>session</type><listen>unix:dir={}</listen><policy context=\"default\">\
                 <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/>\
                 </policy></busconfig>",
                home.path().display()
            ),
        )
        .unwrap();
        let mut bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon is missing: install the package `dbus`");
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { home, address: address.trim().to_owned(), running: vec![bus] }
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("HOME", self.home.path())
            .env("XDG_RUNTIME_DIR", self.home.path().join("run"))
            .env("XDG_DATA_HOME", self.home.path().join("data"))
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("GNOME_KEYRING_CONTROL");
        command
    }

    /// Starts the keyring with this password for its login keyring; an empty one leaves it without a keyring.
    fn start_keyring(&mut self, password: &str) {
        let mut daemon = self
            .command("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .arg(format!("--control-directory={}", self.home.path().join("run/keyring").display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon is missing: install the package `gnome-keyring`");
        daemon.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        self.running.push(daemon);
        self.wait_for_the_service();
    }

    fn stop_keyring(&mut self) {
        let mut daemon = self.running.pop().unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    fn wait_for_the_service(&self) {
        let begun = Instant::now();
        let owned = || {
            let out = self
                .command("dbus-send")
                .args([
                    "--session",
                    "--print-reply",
                    "--dest=org.freedesktop.DBus",
                    "/",
                    "org.freedesktop.DBus.NameHasOwner",
                ])
                .arg("string:org.freedesktop.secrets")
                .output()
                .expect("dbus-send is missing: install the package `dbus`");
            String::from_utf8_lossy(&out.stdout).contains("boolean true")
        };
        while !owned() {
            assert!(begun.elapsed() < Duration::from_secs(20), "the Secret Service did not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs the test of that name again, inside this world, in the given part.
    fn run(&self, test: &str, part: &str) {
        let out = self
            .command(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(INSIDE, part)
            .output()
            .unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(out.status.success() && said.contains("1 passed"), "{test}, {part}:\n{said}");
    }
}

/// The part that this run is to play, when it is the inner one.
fn inside() -> Option<String> {
    std::env::var(INSIDE).ok()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

#[test]
fn an_unlocked_keyring_keeps_secrets_apart_by_profile_and_over_a_restart() {
    match inside().as_deref() {
        None => {
            let mut world = World::bare();
            world.start_keyring("test-password");
            world.run("an_unlocked_keyring_keeps_secrets_apart_by_profile_and_over_a_restart", "write");
            world.stop_keyring();
            world.start_keyring("test-password");
            world.run("an_unlocked_keyring_keeps_secrets_apart_by_profile_and_over_a_restart", "read");
            assert_no_plain_text(world.home.path(), "ghp_first");
        }
        Some("write") => block_on(async {
            let mine = Vault::keychain("mine").unwrap();
            assert_eq!(mine.probe().await, Probe::Ok);
            assert!(mine.get("github").await.unwrap().is_none());
            mine.set("github", secret("ghp_first")).await.unwrap();
            mine.set("binary", Secret::new(vec![0, 255, 7])).await.unwrap();
            let other = Vault::keychain("/tmp/other home").unwrap();
            assert!(other.get("github").await.unwrap().is_none());
            other.set("github", secret("ghp_other")).await.unwrap();
            mine.set("github", secret("ghp_second")).await.unwrap();
        }),
        Some(_) => block_on(async {
            let mine = Vault::keychain("mine").unwrap();
            assert_eq!(mine.get("github").await.unwrap().unwrap().expose(), b"ghp_second");
            assert_eq!(mine.get("binary").await.unwrap().unwrap().expose(), [0, 255, 7]);
            mine.remove("github").await.unwrap();
            mine.remove("github").await.unwrap();
            assert!(mine.get("github").await.unwrap().is_none());
            let other = Vault::keychain("/tmp/other home").unwrap();
            assert_eq!(other.get("github").await.unwrap().unwrap().expose(), b"ghp_other");
        }),
    }
}

#[test]
fn a_locked_keyring_is_locked_and_its_entries_are_not_called_deleted() {
    let test = "a_locked_keyring_is_locked_and_its_entries_are_not_called_deleted";
    match inside().as_deref() {
        None => {
            let mut world = World::bare();
            world.start_keyring("right");
            world.run(test, "write");
            world.stop_keyring();
            world.start_keyring("wrong");
            world.run(test, "locked");
            world.stop_keyring();
            world.start_keyring("right");
            world.run(test, "read");
        }
        Some("write") => block_on(async {
            Vault::keychain("p").unwrap().set("github", secret("ghp_1")).await.unwrap();
        }),
        Some("locked") => block_on(async {
            let vault = Vault::keychain("p").unwrap();
            assert_eq!(vault.probe().await, Probe::Locked);
            assert!(matches!(vault.get("github").await, Err(VaultError::Locked)));
            assert!(matches!(vault.remove("github").await, Err(VaultError::Locked)));
            assert!(matches!(vault.set("github", secret("x")).await, Err(VaultError::Locked)));
        }),
        Some(_) => block_on(async {
            let found = Vault::keychain("p").unwrap().get("github").await.unwrap();
            assert_eq!(found.unwrap().expose(), b"ghp_1");
        }),
    }
}

#[test]
fn a_service_without_a_keyring_says_so() {
    let test = "a_service_without_a_keyring_says_so";
    if inside().is_none() {
        let mut world = World::bare();
        world.start_keyring("");
        world.run(test, "ask");
        return;
    }
    block_on(async {
        let vault = Vault::keychain("p").unwrap();
        assert_eq!(vault.probe().await, Probe::NoKeyring);
        assert!(matches!(vault.get("github").await, Err(VaultError::NoKeyring)));
    });
}

#[test]
fn a_bus_without_a_secret_service_is_no_service() {
    let test = "a_bus_without_a_secret_service_is_no_service";
    if inside().is_none() {
        World::bare().run(test, "ask");
        return;
    }
    block_on(async {
        let vault = Vault::keychain("p").unwrap();
        let probe = vault.probe().await;
        assert!(matches!(probe, Probe::NoService(_)), "{probe:?}");
        assert!(matches!(vault.get("github").await, Err(VaultError::NoService { .. })));
    });
}

#[test]
fn a_dead_bus_is_no_service_and_one_that_comes_up_later_is_found() {
    let test = "a_dead_bus_is_no_service_and_one_that_comes_up_later_is_found";
    let Some(part) = inside() else {
        let mut world = World::bare();
        let flag = world.home.path().join("go");
        // The inner run asks before and after the keyring has started.
        let mut inner = world
            .command(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(INSIDE, &flag)
            .spawn()
            .unwrap();
        let asked = world.home.path().join("asked");
        wait_until("the inner run to ask", || asked.exists());
        world.start_keyring("test-password");
        std::fs::write(&flag, "").unwrap();
        assert!(inner.wait().unwrap().success());
        return;
    };
    let flag = Path::new(&part);
    block_on(async {
        let vault = Vault::keychain("p").unwrap();
        assert!(matches!(vault.probe().await, Probe::NoService(_)));
        std::fs::write(flag.with_file_name("asked"), "").unwrap();
        wait_until("the keyring", || flag.exists());
        assert_eq!(vault.probe().await, Probe::Ok);
    });
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn assert_no_plain_text(folder: &Path, sought: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_no_plain_text(&path, sought);
        } else if path.is_file() {
            let bytes = std::fs::read(&path).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&bytes).contains(sought), "{}", path.display());
        }
    }
}
